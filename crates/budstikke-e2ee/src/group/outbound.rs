//! What this device does: create, make key packages, commit, encrypt.

use std::fmt;

use openmls::prelude::{
    KeyPackage as MlsKeyPackage, LeafNodeIndex, LeafNodeParameters, Lifetime, MlsGroup,
    MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, PURE_CIPHERTEXT_WIRE_FORMAT_POLICY,
    SenderRatchetConfiguration, tls_codec::DeserializeBytes as _,
};
use openmls_traits::storage::StorageProvider as _;

use super::{
    Assignment, Charter, Credential, Group, GroupError, Identity, MAX_PAST_EPOCHS, Member,
    assignment, charter, frame, identity::not_revoked, policy, record::Record,
};
use crate::{
    cert::BACKDATE,
    checks::{Check, Rejection},
    keys::VerifyingKey,
    pb,
    suite::{CIPHERSUITE, Env},
};

/// Seconds a key package holds: 28 days.
pub const KEY_PACKAGE_LIFETIME: i64 = 28 * 86_400;
/// Leaves that one commit may add, so that it fits the cells of a slot's entry.
pub const MAX_ADDS: usize = 4;
/// Application messages are padded to a multiple of this inside MLS; cells pad once more.
pub(super) const PADDING: usize = 256;

/// Late messages accepted behind the newest of a sender, and how far one may run ahead: two
/// mailboxes on two relays reorder freely.
pub(super) fn ratchet() -> SenderRatchetConfiguration {
    SenderRatchetConfiguration::new(64, 2_000)
}

/// A key package: how a device is added to a group. Parsed means checked: signatures, suite,
/// lifetime, and that every key in it works.
#[derive(Clone)]
pub struct KeyPackage {
    bytes: Vec<u8>,
    pub(super) package: MlsKeyPackage,
    key: VerifyingKey,
    credential: Credential,
}

/// A commit that was made and not yet merged, as the store keeps it.
#[derive(Clone, PartialEq, Eq)]
pub struct Pending {
    /// The private message for the slot.
    pub commit: Vec<u8>,
    /// The Welcome for added leaves: send it only after the commit has won.
    pub welcome: Option<Vec<u8>>,
}

impl KeyPackage {
    /// Makes a key package and stores its private keys.
    ///
    /// # Errors
    /// [`GroupError::Store`].
    pub fn create(env: &Env<'_>, me: &Identity) -> Result<Self, GroupError> {
        let bundle = MlsKeyPackage::builder()
            .key_package_lifetime(lifetime(env.now))
            .leaf_node_capabilities(charter::capabilities())
            .build(CIPHERSUITE, &env.provider(), me, me.with_key())
            .map_err(GroupError::library)?;
        let package = bundle.into_key_package();
        let bytes = MlsMessageOut::from(package.clone()).to_bytes().map_err(GroupError::library)?;
        Ok(Self { bytes, package, key: me.key(), credential: me.credential().clone() })
    }

    /// Parses and checks a key package from outside. One of a revoked device is refused.
    ///
    /// # Errors
    /// [`Rejection`].
    pub fn parse(env: &Env<'_>, bytes: &[u8]) -> Result<Self, Rejection> {
        let message = MlsMessageIn::tls_deserialize_exact_bytes(bytes)
            .map_err(|_| Rejection::new(Check::Authentic, "the key package does not parse"))?;
        let MlsMessageBodyIn::KeyPackage(package) = message.extract() else {
            return Err(Rejection::new(Check::Authentic, "this is not a key package"));
        };
        let package = policy::key_package(env, package)?;
        let leaf = package.leaf_node();
        let key = VerifyingKey::from_bytes(leaf.signature_key().as_slice())
            .map_err(|error| Rejection::new(Check::LeafKey, error.to_string()))?;
        let credential = openmls::prelude::BasicCredential::try_from(leaf.credential().clone())
            .map_err(|_| Rejection::new(Check::Chain, "the credential is not a basic one"))?;
        let credential = Credential::decode(credential.identity())
            .map_err(|error| Rejection::new(Check::Chain, error.to_string()))?;
        if let Credential::Staff(chain) = &credential
            && let Ok(device) = chain.trusted_device(&chain.claimed_root())
        {
            not_revoked(env, &device)?;
        }
        Ok(Self { bytes: bytes.to_vec(), package, key, credential })
    }

    /// Bytes as they travel.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signature key of the leaf it makes: what an assignment names.
    pub fn key(&self) -> VerifyingKey {
        self.key
    }

    /// Who it says it is; a chain in it is verified when the leaf is added.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Deletes the private keys of one of our own key packages that will not be used.
    ///
    /// # Errors
    /// [`GroupError::Store`].
    pub fn discard(&self, env: &Env<'_>) -> Result<(), GroupError> {
        let provider = env.provider();
        let reference = self.package.hash_ref(&env.suite.crypto).map_err(GroupError::library)?;
        Ok(provider.storage.delete_key_package(&reference)?)
    }
}

impl fmt::Debug for KeyPackage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyPackage")
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending")
    }
}

impl Group {
    /// Creates a group with this device as its only member, at epoch 0. Add the others with one
    /// [`Group::add`], which needs no assignment and no slot, and [`Group::merge_pending`] at once.
    ///
    /// # Errors
    /// [`GroupError::Argument`] about the charter; [`GroupError::Rejected`] if this identity may
    /// not be a member of such a group; [`GroupError::Store`].
    pub fn create(env: &Env<'_>, me: &Identity, charter: &Charter) -> Result<Self, GroupError> {
        charter.check()?;
        let with_key = me.with_key();
        let key = with_key.signature_key.as_slice();
        Member::checked(0, &with_key.credential, key, charter, Some(env))?;
        let mls = MlsGroup::builder()
            .with_wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .padding_size(PADDING)
            .max_past_epochs(MAX_PAST_EPOCHS)
            .sender_ratchet_configuration(ratchet())
            .use_ratchet_tree_extension(true)
            .lifetime(lifetime(env.now))
            .ciphersuite(CIPHERSUITE)
            .with_group_context_extensions(charter.extensions()?)
            .with_capabilities(charter::capabilities())
            .build(&env.provider(), me, with_key)
            .map_err(GroupError::library)?;
        let record = Record::begin(env.now, false);
        let group = Self { mls, charter: charter.clone(), record };
        group.save(env)?;
        Ok(group)
    }

    /// Commits Adds of one to [`MAX_ADDS`] leaves. At the founding (epoch 0) no assignment is
    /// needed; later every leaf needs one.
    ///
    /// # Errors
    /// [`GroupError::Rejected`] as every other member would reject it; [`GroupError::Pending`].
    pub fn add(
        &mut self,
        env: &Env<'_>,
        me: &Identity,
        packages: &[KeyPackage],
        assignments: &[Assignment],
    ) -> Result<Pending, GroupError> {
        self.change(env, me, packages, &[], assignments)
    }

    /// Commits Removes of the members at these leaves.
    ///
    /// # Errors
    /// [`GroupError::NoSuchMember`], [`GroupError::Pending`].
    pub fn remove(
        &mut self,
        env: &Env<'_>,
        me: &Identity,
        leaves: &[u32],
    ) -> Result<Pending, GroupError> {
        self.change(env, me, &[], leaves, &[])
    }

    /// Commits Adds and Removes at once: a member that lost its state is removed and added again.
    ///
    /// # Errors
    /// As [`Group::add`] and [`Group::remove`].
    pub fn change(
        &mut self,
        env: &Env<'_>,
        me: &Identity,
        packages: &[KeyPackage],
        leaves: &[u32],
        assignments: &[Assignment],
    ) -> Result<Pending, GroupError> {
        if packages.is_empty() && leaves.is_empty() {
            return Err(GroupError::Argument("nothing to add or remove"));
        }
        if packages.len() > MAX_ADDS {
            return Self::reject(Check::AddLimit, "the commit adds more than four leaves");
        }
        let members = self.members()?;
        let mut removed = Vec::with_capacity(leaves.len());
        for leaf in leaves {
            let member = members.iter().find(|m| m.leaf == *leaf && *leaf != self.own_leaf());
            removed.push(member.ok_or(GroupError::NoSuchMember(*leaf))?.clone());
        }
        let mut added = Vec::with_capacity(packages.len());
        for package in packages {
            added.push(policy::leaf(env, u32::MAX, package.package.leaf_node(), &self.charter)?);
        }
        policy::no_duplicates(&members, &removed, &added)?;
        let made_at = self.making_at(env);
        let env = &Env { now: made_at, ..*env };
        let aad = assignment::to_commit_data(assignments, made_at);
        if self.epoch() > 0 {
            policy::assignments(env, &self.charter, &aad, &added)?;
        }
        let packages = packages.iter().map(|package| package.package.clone()).collect();
        self.commit(env, me, Changes { packages, leaves, aad, charter: None })
    }

    /// Commits an update of this device's own keys, and of its certificates if `me` holds newer
    /// ones.
    ///
    /// # Errors
    /// [`GroupError::Rejected`] if this device's certificates have ended; [`GroupError::Pending`].
    pub fn update(&mut self, env: &Env<'_>, me: &Identity) -> Result<Pending, GroupError> {
        self.commit(env, me, Changes::default())
    }

    /// Commits the terms that both sides have accepted. Every other member must have seen both
    /// acceptances too, or it rejects the commit.
    ///
    /// # Errors
    /// [`GroupError::Pending`].
    pub fn set_terms(
        &mut self,
        env: &Env<'_>,
        me: &Identity,
        terms: [u8; 32],
    ) -> Result<Pending, GroupError> {
        let charter = Charter { terms: Some(terms), ..self.charter.clone() };
        self.commit(env, me, Changes { charter: Some(charter), ..Changes::default() })
    }

    /// The pending commit, also after a restart.
    pub fn pending(&self) -> Option<Pending> {
        if self.record.pending_commit.is_empty() {
            return None;
        }
        let welcome = Some(self.record.pending_welcome.clone()).filter(|bytes| !bytes.is_empty());
        Some(Pending { commit: self.record.pending_commit.clone(), welcome })
    }

    /// Encrypts an application message with its frame. `receipt` is the last slot receipt seen.
    ///
    /// Commit the caller's transaction, outbox row included, before the bytes leave: a rollback
    /// after sending would use the same key for another message.
    ///
    /// # Errors
    /// [`GroupError::Removed`], [`GroupError::WrongIdentity`], [`GroupError::Store`].
    pub fn encrypt(
        &mut self,
        env: &Env<'_>,
        me: &Identity,
        content: &[u8],
        receipt: Option<&[u8]>,
    ) -> Result<Vec<u8>, GroupError> {
        self.check_identity(me)?;
        let frame = pb::Frame {
            version: 1,
            counter: self.record.own_counter,
            previous: self.record.own_previous.clone(),
            epoch_authenticator: self.epoch_authenticator(),
            receipt: receipt.unwrap_or_default().to_vec(),
            content: content.to_vec(),
            adds: self.record.adds(),
        };
        let encoded = frame::encode(&frame);
        let message =
            self.mls.create_message(&env.provider(), me, &encoded).map_err(GroupError::library)?;
        self.record.own_counter = self.record.own_counter.saturating_add(1);
        self.record.own_previous = frame::frame_hash(&encoded).to_vec();
        self.record.messages_since_update = self.record.messages_since_update.saturating_add(1);
        self.save(env)?;
        message.to_bytes().map_err(GroupError::library)
    }

    fn commit(
        &mut self,
        env: &Env<'_>,
        me: &Identity,
        changes: Changes<'_>,
    ) -> Result<Pending, GroupError> {
        self.check_identity(me)?;
        if self.mls.pending_commit().is_some() {
            return Err(GroupError::Pending);
        }
        // Our own new leaf as the others will judge it.
        let (leaf, own) = (self.own_leaf(), me.with_key());
        let key = own.signature_key.as_slice();
        let made_at = self.making_at(env);
        let env = &Env { now: made_at, ..*env };
        let new = Member::checked(leaf, &own.credential, key, &self.charter, Some(env))?;
        if let Some(old) = self.members()?.iter().find(|member| member.leaf == leaf) {
            policy::continuity(old, &new)?;
        }
        let mut aad = changes.aad.clone();
        if aad.is_empty() {
            aad = assignment::to_commit_data(&[], made_at);
        }
        self.mls.set_aad(aad);
        let made = self.build_commit(env, me, changes);
        if made.is_err() {
            self.mls.set_aad(Vec::new());
        }
        let (commit, welcome) = made?;
        self.record.pending_made_at = made_at;
        self.record.pending_commit.clone_from(&commit);
        self.record.pending_welcome = welcome.clone().unwrap_or_default();
        self.save(env)?;
        Ok(Pending { commit, welcome })
    }

    /// The time that a commit made now bears: not before the last one, whatever this device's clock
    /// says.
    fn making_at(&self, env: &Env<'_>) -> i64 {
        env.now.max(self.record.made_at)
    }

    fn build_commit(
        &mut self,
        env: &Env<'_>,
        me: &Identity,
        changes: Changes<'_>,
    ) -> Result<(Vec<u8>, Option<Vec<u8>>), GroupError> {
        let provider = env.provider();
        let leaf = LeafNodeParameters::builder()
            .with_credential_with_key(me.with_key())
            .with_capabilities(charter::capabilities())
            .build();
        let mut builder = self
            .mls
            .commit_builder()
            .consume_proposal_store(false)
            .force_self_update(true)
            .leaf_node_parameters(leaf)
            .propose_adds(changes.packages)
            .propose_removals(changes.leaves.iter().copied().map(LeafNodeIndex::new));
        if let Some(charter) = changes.charter {
            builder = builder
                .propose_group_context_extensions(charter.extensions()?)
                .map_err(GroupError::library)?;
        }
        let bundle = builder
            .load_psks(&provider.storage)
            .map_err(GroupError::library)?
            .build(&env.suite.crypto, &env.suite.crypto, me, |_| true)
            .map_err(GroupError::library)?
            .stage_commit(&provider)
            .map_err(GroupError::library)?;
        let commit = bundle.commit().to_bytes().map_err(GroupError::library)?;
        let welcome = bundle
            .to_welcome_msg()
            .map(|welcome| welcome.to_bytes())
            .transpose()
            .map_err(GroupError::library)?;
        Ok((commit, welcome))
    }
}

#[derive(Default)]
struct Changes<'a> {
    packages: Vec<MlsKeyPackage>,
    leaves: &'a [u32],
    aad: Vec<u8>,
    charter: Option<Charter>,
}

fn lifetime(now: i64) -> Lifetime {
    let at = |time: i64| u64::try_from(time).unwrap_or_default();
    Lifetime::init(at(now.saturating_sub(BACKDATE)), at(now.saturating_add(KEY_PACKAGE_LIFETIME)))
}
