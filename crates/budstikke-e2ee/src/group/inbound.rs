//! What comes in: Welcomes, commits, application messages.

use std::{collections::BTreeSet, fmt, mem};

use openmls::{
    framing::errors::MessageDecryptionError,
    group::{
        JoinBuilder, MlsGroupJoinConfig, ProcessMessageError, ProcessedWelcome, StageCommitError,
        StagedCommit, ValidationError, WelcomeError,
    },
    prelude::{
        ApplyUpdatePathError, MlsGroup, MlsMessageBodyIn, MlsMessageIn,
        PURE_CIPHERTEXT_WIRE_FORMAT_POLICY, PrivateMessageIn, ProcessedMessage,
        ProcessedMessageContent, ProtocolMessage, Sender, Welcome,
        tls_codec::DeserializeBytes as _,
    },
};
use zeroize::Zeroizing;

use super::{
    Charter, Finding, Group, GroupError, GroupKind, Identity, MAX_PAST_EPOCHS, Member, frame,
    outbound::{PADDING, ratchet},
    policy,
    record::Record,
};
use crate::{
    checks::{Check, Rejection},
    keys::Fingerprint,
    store::StateError,
    suite::{Env, Provider, guard},
};

/// What the reader of a Welcome expects; anything else is refused.
#[derive(Debug, Clone)]
pub struct Expect {
    /// Kind of group.
    pub kind: GroupKind,
    /// The root the reader trusts.
    pub root: Fingerprint,
    /// A unit that must have a part in it.
    pub unit: String,
    /// The case, if it is known already.
    pub case_id: Option<Vec<u8>>,
    /// The terms the group must stand under; `None` if none were agreed before.
    pub terms: Option<[u8; 32]>,
    /// Whether a group of the same id that is stored already may be replaced: after a lost state
    /// only.
    pub replace: bool,
}

/// What [`Group::process`] made of a message.
#[derive(Debug)]
#[non_exhaustive]
pub enum Inbound {
    /// A message for the application.
    Application(Box<Application>),
    /// A commit that passed every check: [`Group::merge_staged`] it if it is the first valid one of
    /// its slot.
    Commit(Box<Staged>),
    /// Our own pending commit came back: it won, [`Group::merge_pending`].
    OwnCommit,
    /// A message of this device came back; nothing to do.
    Own,
    /// Seen before; nothing to do.
    Duplicate,
    /// From an epoch that we have not reached: keep it until the commits before it are merged.
    FutureEpoch {
        /// Its epoch.
        epoch: u64,
    },
    /// From an epoch that is over; it can't be read any more.
    Stale {
        /// Its epoch.
        epoch: u64,
    },
    /// It failed a check: void as a slot entry, and worth telling the person about.
    Rejected(Rejection),
}

/// A message for the application.
pub struct Application {
    /// Who sent it.
    pub sender: Member,
    /// Its content.
    pub content: Zeroizing<Vec<u8>>,
    /// The sender's counter.
    pub counter: u64,
    /// The epoch it was sent in.
    pub epoch: u64,
    /// What its frame says about losses and forks; empty if all is well.
    pub findings: Vec<Finding>,
    /// The last slot receipt its sender has seen.
    pub receipt: Option<Vec<u8>>,
}

/// A commit of another member that passed every check.
pub struct Staged {
    commit: StagedCommit,
    from_epoch: u64,
    judged: policy::Judged,
    terms_before: Option<[u8; 32]>,
    made_at: i64,
}

impl Staged {
    /// Who made it.
    pub fn committer(&self) -> &Member {
        &self.judged.committer
    }

    /// Who joins; their leaf index is not known before the merge and reads `u32::MAX`.
    pub fn added(&self) -> &[Member] {
        &self.judged.added
    }

    /// Who leaves.
    pub fn removed(&self) -> &[Member] {
        &self.judged.removed
    }

    /// New terms, if the commit sets them.
    pub fn new_terms(&self) -> Option<[u8; 32]> {
        self.judged.charter.terms.filter(|_| self.judged.charter.terms != self.terms_before)
    }

    /// True if it removes this device.
    pub fn removes_us(&self) -> bool {
        self.commit.self_removed()
    }

    /// The epoch it ends.
    pub fn from_epoch(&self) -> u64 {
        self.from_epoch
    }
}

impl Group {
    /// Joins a group from a Welcome that answers one of this device's key packages.
    ///
    /// The key package is consumed whatever comes of it, so roll the transaction back on any error.
    /// Lifetimes of leaves in the tree are not compared with the clock: a member may have been
    /// silent for long; certificates are.
    ///
    /// # Errors
    /// [`GroupError::NoKeyPackage`]; [`GroupError::Rejected`] with the check that failed.
    pub fn join(
        env: &Env<'_>,
        me: &Identity,
        welcome: &[u8],
        expect: &Expect,
    ) -> Result<Self, GroupError> {
        Self::join_if(env, me, welcome, expect.replace, |charter| expect.check(charter))
    }

    pub(super) fn join_if(
        env: &Env<'_>,
        me: &Identity,
        welcome: &[u8],
        replace: bool,
        check: impl FnOnce(&Charter) -> Result<(), Rejection>,
    ) -> Result<Self, GroupError> {
        let provider = env.provider();
        let welcome = parse_welcome(welcome)?;
        let processed = ProcessedWelcome::new_from_welcome(&provider, &join_config(), welcome)
            .map_err(welcome_error)?;
        let info = processed.unverified_group_info();
        let tree = info.extensions().ratchet_tree();
        let tree = tree.ok_or_else(|| Rejection::new(Check::Authentic, "it has no tree"))?;
        guard::tree(&env.suite.crypto, tree.ratchet_tree(), &BTreeSet::new())
            .map_err(|_| Rejection::new(Check::WelcomeKeys, "its tree holds a malformed key"))?;
        let charter = Charter::of(info.group_context().extensions())?;
        check(&charter)?;
        let id = info.group_id().clone();
        if let Some(mut old) = MlsGroup::load(&provider.storage, &id)? {
            if !replace {
                return Self::reject(Check::NoSilentReplace, "that group is stored already");
            }
            old.delete(&provider.storage)?;
            Record::delete(env.store, id.as_slice())?;
        }
        let staged = JoinBuilder::new(&provider, processed)
            .replace_old_group()
            .skip_lifetime_validation()
            .build()
            .map_err(welcome_error)?;
        let mut others = Vec::new();
        for member in staged.members() {
            let (leaf, key) = (member.index.u32(), &member.signature_key);
            let member = Member::checked(leaf, &member.credential, key, &charter, Some(env))?;
            if member.key != me.key() {
                others.push(*member.key.as_bytes());
            }
        }
        let mls = staged.into_group(&provider).map_err(welcome_error)?;
        let mut record = Record::begin(env.now, true);
        record.joined(mls.epoch().as_u64());
        if mls.epoch().as_u64() == 1 {
            // Founded with us: whatever a member sent before its first message here is lost.
            record.expect_new(others);
        }
        let group = Self { mls, charter, record };
        group.check_identity(me)?;
        group.save(env)?;
        Ok(group)
    }

    /// Takes one incoming message. An application message is final; a commit is only checked, and
    /// moves the group at [`Group::merge_staged`]. Either way the message's key is spent: the same
    /// bytes are an [`Inbound::Duplicate`] the next time, so merge in the same transaction, or roll
    /// back and load again. `accepted_terms` is the hash that both sides have accepted since, if
    /// any.
    ///
    /// # Errors
    /// [`GroupError::Store`] and [`GroupError::Removed`]: about this device. What is wrong with the
    /// message itself is an [`Inbound`].
    pub fn process(
        &mut self,
        env: &Env<'_>,
        message: &[u8],
        accepted_terms: Option<[u8; 32]>,
    ) -> Result<Inbound, GroupError> {
        if !self.is_active() {
            return Err(GroupError::Removed);
        }
        if !self.record.pending_commit.is_empty() && self.record.pending_commit == message {
            return Ok(Inbound::OwnCommit);
        }
        let message = match self.private_message(message) {
            Ok(message) => message,
            Err(rejection) => return Ok(Inbound::Rejected(rejection)),
        };
        let epoch = message.epoch().as_u64();
        if epoch > self.epoch() {
            return Ok(Inbound::FutureEpoch { epoch });
        }
        if epoch < self.epoch() && message.is_handshake_message() {
            return Ok(Inbound::Stale { epoch });
        }
        let handshake = message.is_handshake_message();
        let processed = match self.mls.process_message(&env.provider(), message) {
            Ok(processed) => processed,
            Err(error) => return process_error(error, epoch),
        };
        let taken = match processed.content() {
            // The others have followed it, and this device, put back to an old copy, can't any more.
            ProcessedMessageContent::OwnPrivateMessage if handshake => {
                let why = "it is a commit of this device, whose state is older than that";
                return Ok(Inbound::Rejected(Rejection::new(Check::Path, why)));
            }
            ProcessedMessageContent::OwnPrivateMessage => return Ok(Inbound::Own),
            ProcessedMessageContent::OwnPendingCommit => return Ok(Inbound::OwnCommit),
            ProcessedMessageContent::ApplicationMessage(_) => {
                self.application(env, processed).map(|a| Inbound::Application(Box::new(a)))
            }
            ProcessedMessageContent::StagedCommitMessage(_) => {
                self.staged(env, processed, accepted_terms).map(|s| Inbound::Commit(Box::new(s)))
            }
            _ => Err(Rejection::new(Check::NoLooseProposal, "a proposal outside a commit").into()),
        };
        match taken {
            Err(GroupError::Rejected(rejection)) => Ok(Inbound::Rejected(rejection)),
            other => other,
        }
    }

    /// Merges a commit of another member. A pending commit of ours is dropped: make it again.
    ///
    /// # Errors
    /// [`GroupError::StaleCommit`] if the group has moved since it was staged;
    /// [`GroupError::Store`].
    pub fn merge_staged(&mut self, env: &Env<'_>, staged: Staged) -> Result<(), GroupError> {
        if staged.from_epoch != self.epoch() || !self.is_active() {
            return Err(GroupError::StaleCommit);
        }
        self.record.heard = true;
        self.record.made_at = self.record.made_at.max(staged.made_at);
        let added = staged.judged.added.iter().map(|member| *member.key.as_bytes()).collect();
        self.advance(env, added, |mls, provider| {
            mls.merge_staged_commit(provider, staged.commit).map_err(GroupError::library)
        })
    }

    /// Our pending commit was the first valid entry of its slot: enter the next epoch, then send
    /// the Welcome.
    ///
    /// # Errors
    /// [`GroupError::NotPending`]; [`GroupError::Store`].
    pub fn merge_pending(&mut self, env: &Env<'_>) -> Result<(), GroupError> {
        let Some(pending) = self.mls.pending_commit() else {
            return Err(GroupError::NotPending);
        };
        let added = pending.add_proposals().filter_map(|add| {
            let leaf = add.add_proposal().key_package().leaf_node();
            leaf.signature_key().as_slice().try_into().ok()
        });
        let added = added.collect();
        self.record.updated(env.now);
        self.record.made_at = self.record.made_at.max(self.record.pending_made_at);
        self.advance(env, added, |mls, provider| {
            mls.merge_pending_commit(provider).map_err(GroupError::library)
        })
    }

    /// Drops our pending commit, if there is one. A key package it added may be used again.
    ///
    /// # Errors
    /// [`GroupError::Store`].
    pub fn clear_pending(&mut self, env: &Env<'_>) -> Result<(), GroupError> {
        self.mls.clear_pending_commit(&env.provider().storage)?;
        self.record.clear_pending();
        self.save(env)
    }

    fn advance(
        &mut self,
        env: &Env<'_>,
        added: Vec<[u8; 32]>,
        merge: impl FnOnce(&mut MlsGroup, &Provider<'_>) -> Result<(), GroupError>,
    ) -> Result<(), GroupError> {
        let keys = |mls: &MlsGroup| -> BTreeSet<[u8; 32]> {
            mls.members().filter_map(|m| m.signature_key.try_into().ok()).collect()
        };
        let before = keys(&self.mls);
        let (epoch, authenticator) = (self.epoch(), self.epoch_authenticator());
        merge(&mut self.mls, &env.provider())?;
        let after = keys(&self.mls);
        self.record.epoch_ended(epoch, authenticator);
        if !added.is_empty() {
            self.record.somebody_joined(self.mls.epoch().as_u64());
        }
        self.record.expect_new(after.difference(&before).copied());
        // A member that was added again counts anew, under the same key.
        self.record.expect_new(added.into_iter().filter(|key| after.contains(key)));
        self.record.peers.retain(|peer| after.contains(&peer.key));
        self.record.clear_pending();
        self.charter = Charter::of(self.mls.extensions())?;
        self.save(env)
    }

    /// The id of the group that a private message names, without processing it; `None` if it is
    /// none.
    pub fn named_by(message: &[u8]) -> Option<Vec<u8>> {
        let message = MlsMessageIn::tls_deserialize_exact_bytes(message).ok()?;
        match message.extract() {
            MlsMessageBodyIn::PrivateMessage(private) => {
                Some(ProtocolMessage::from(private).group_id().as_slice().to_vec())
            }
            _ => None,
        }
    }

    fn private_message(&self, bytes: &[u8]) -> Result<ProtocolMessage, Rejection> {
        let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes)
            .map_err(|_| Rejection::new(Check::Authentic, "it is not an MLS message"))?;
        let private: PrivateMessageIn = match message.extract() {
            MlsMessageBodyIn::PrivateMessage(private) => private,
            MlsMessageBodyIn::PublicMessage(public) => {
                let external = ProtocolMessage::from(public).is_external();
                let check = if external { Check::NoExternalCommit } else { Check::PrivateOnly };
                return Err(Rejection::new(check, "it is a public message"));
            }
            _ => return Err(Rejection::new(Check::PrivateOnly, "it is not a private message")),
        };
        let message = ProtocolMessage::from(private);
        if message.group_id() == self.mls.group_id() {
            Ok(message)
        } else {
            Err(Rejection::new(Check::WrongGroup, "it names another group"))
        }
    }

    fn application(
        &mut self,
        env: &Env<'_>,
        processed: ProcessedMessage,
    ) -> Result<Application, GroupError> {
        let epoch = processed.epoch().as_u64();
        let sender = self.sender(&processed)?;
        let ProcessedMessageContent::ApplicationMessage(message) = processed.into_content() else {
            return Err(GroupError::library("not an application message"));
        };
        let encoded = Zeroizing::new(message.into_bytes());
        let mut frame = frame::decode(&encoded)?;
        let mut findings = Vec::new();
        findings.extend(self.record.take(*sender.key.as_bytes(), &frame, &encoded));
        let authenticator = if epoch == self.epoch() {
            Some(self.epoch_authenticator())
        } else {
            self.record.past_authenticator(epoch).map(<[u8]>::to_vec)
        };
        if authenticator.is_some_and(|ours| ours != frame.epoch_authenticator) {
            findings.push(Finding::OtherEpoch);
        }
        if sender.lapsed(env.now) {
            findings.push(Finding::Lapsed);
        }
        if sender.is_revoked(env)? {
            findings.push(Finding::Revoked);
        }
        self.record.heard = true;
        self.record.messages_since_update = self.record.messages_since_update.saturating_add(1);
        self.save(env)?;
        Ok(Application {
            sender,
            content: Zeroizing::new(mem::take(&mut frame.content)),
            counter: frame.counter,
            epoch,
            findings,
            receipt: Some(mem::take(&mut frame.receipt)).filter(|bytes| !bytes.is_empty()),
        })
    }

    fn staged(
        &self,
        env: &Env<'_>,
        processed: ProcessedMessage,
        accepted_terms: Option<[u8; 32]>,
    ) -> Result<Staged, GroupError> {
        let (sender, aad) = (processed.sender().clone(), processed.aad().to_vec());
        let ProcessedMessageContent::StagedCommitMessage(commit) = processed.into_content() else {
            return Err(GroupError::library("not a commit"));
        };
        let made_at = policy::made_at(env, self.record.made_at, &aad)?;
        let then = Env { now: made_at, ..*env };
        let judged = policy::commit(&then, self, &commit, &sender, &aad, accepted_terms)?;
        let from_epoch = self.epoch();
        Ok(Staged {
            commit: *commit,
            from_epoch,
            judged,
            terms_before: self.charter.terms,
            made_at,
        })
    }

    fn sender(&self, processed: &ProcessedMessage) -> Result<Member, Rejection> {
        let gone = || Rejection::new(Check::Authentic, "its sender is no member any more");
        let Sender::Member(index) = processed.sender() else {
            return Err(Rejection::new(Check::Authentic, "its sender is not a member"));
        };
        let member = self.mls.member_at(*index).ok_or_else(gone)?;
        // A message of a past epoch may come from a leaf that has another owner now.
        if member.credential != *processed.credential() && processed.epoch() < self.mls.epoch() {
            let known = self.mls.members().find(|m| m.credential == *processed.credential());
            return Member::of(&known.ok_or_else(gone)?, &self.charter);
        }
        Member::of(&member, &self.charter)
    }
}

impl Expect {
    fn check(&self, charter: &Charter) -> Result<(), Rejection> {
        let bad = |why: &str| Err(Rejection::new(Check::WelcomeExpected, why));
        if charter.kind != self.kind {
            return bad("it is another kind of group");
        }
        if charter.root != self.root {
            return bad("it stands under another root");
        }
        if !charter.units.contains(&self.unit) {
            return bad("the unit has no part in it");
        }
        if self.case_id.as_ref().is_some_and(|id| *id != charter.case_id) {
            return bad("it is for another case");
        }
        if charter.terms != self.terms {
            return bad("it stands under other terms");
        }
        Ok(())
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Application")
    }
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Staged")
    }
}

fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .padding_size(PADDING)
        .max_past_epochs(MAX_PAST_EPOCHS)
        .sender_ratchet_configuration(ratchet())
        .use_ratchet_tree_extension(true)
        .build()
}

fn parse_welcome(bytes: &[u8]) -> Result<Welcome, Rejection> {
    let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes)
        .map_err(|_| Rejection::new(Check::Authentic, "the Welcome does not parse"))?;
    match message.extract() {
        MlsMessageBodyIn::Welcome(welcome) => Ok(welcome),
        _ => Err(Rejection::new(Check::Authentic, "it is not a Welcome")),
    }
}

fn welcome_error(error: WelcomeError<StateError>) -> GroupError {
    match error {
        WelcomeError::StorageError(error) => error.into(),
        WelcomeError::NoMatchingKeyPackage => GroupError::NoKeyPackage,
        WelcomeError::UnsupportedCiphersuite(_) | WelcomeError::CiphersuiteMismatch => {
            Rejection::new(Check::Suite, "the Welcome is for another cipher suite").into()
        }
        other => Rejection::new(Check::Authentic, other.to_string()).into(),
    }
}

fn process_error(
    error: ProcessMessageError<StateError>,
    epoch: u64,
) -> Result<Inbound, GroupError> {
    match error {
        ProcessMessageError::StorageError(error) => Err(error.into()),
        ProcessMessageError::GroupStateError(_) => Err(GroupError::Removed),
        ProcessMessageError::ValidationError(ValidationError::NoPastEpochData) => {
            Ok(Inbound::Stale { epoch })
        }
        ProcessMessageError::ValidationError(ValidationError::UnableToDecrypt(
            MessageDecryptionError::SecretTreeError(error),
        )) => Ok(match format!("{error:?}").as_str() {
            // The library does not export the error's type.
            "SecretReuseError" => Inbound::Duplicate,
            "TooDistantInThePast" => Inbound::Stale { epoch },
            _ => Inbound::Rejected(Rejection::new(Check::Authentic, error.to_string())),
        }),
        ProcessMessageError::InvalidCommit(
            error @ (StageCommitError::UpdatePathError(
                ApplyUpdatePathError::UnableToDecrypt | ApplyUpdatePathError::PathMismatch,
            )
            | StageCommitError::ConfirmationTagMismatch
            | StageCommitError::MissingDecryptionKey
            | StageCommitError::OwnKeyNotFound),
        ) => Ok(Inbound::Rejected(Rejection::new(Check::Path, error.to_string()))),
        other => Ok(Inbound::Rejected(Rejection::new(Check::Authentic, other.to_string()))),
    }
}
