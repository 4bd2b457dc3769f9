//! MLS groups under this project's policy: case channels, Ministry lines, teams.
//!
//! A [`Group`] is the state in memory of what lies in the [`StateStore`](crate::store::StateStore).
//! Every method that changes it writes through to the store at once, inside the caller's
//! transaction. After a rollback drop the value and [`Group::load`] it again.
//!
//! Commits are ordered through slots (SPEC.md section 10.8): make a commit (it is *pending* and
//! persisted), append it to the slot of the current epoch, read the slot back and give its entries to
//! [`Group::read_slot`]: ours was first and is merged, or the winner is, which drops ours: make it
//! again.

mod again;
mod assignment;
mod charter;
mod frame;
mod identity;
mod inbound;
mod order;
mod outbound;
mod policy;
mod record;
#[cfg(test)]
pub(crate) mod tests;

use openmls::prelude::{GroupId, MlsGroup};
use thiserror::Error;
use zeroize::Zeroizing;

pub use again::{Ask, Asker, Place};
pub use assignment::{Assignment, AssignmentError};
pub use charter::{Charter, GroupKind};
pub use frame::Finding;
pub use identity::{Credential, Identity, IdentityError, Member, Party, PartyId};
pub use inbound::{Application, Expect, Inbound, Staged};
pub use order::{Outcome, Reading};
pub use outbound::{KEY_PACKAGE_LIFETIME, KeyPackage, MAX_ADDS, Pending};

use crate::{
    checks::{Check, Rejection},
    contact::ContactId,
    slot::{CLAIM_LABEL, KEYS_LEN, MAILBOX_LABEL, SLOT_LABEL, SlotKeys},
    store::StateError,
    suite::{Env, HpkeError},
};
use record::Record;

/// Messages after which a device commits an update.
pub const UPDATE_AFTER_MESSAGES: u32 = 50;
/// Seconds after which a device commits an update: 7 days.
pub const UPDATE_AFTER_SECONDS: i64 = 7 * 86_400;
/// Epochs before the current one whose messages can still be read.
pub const MAX_PAST_EPOCHS: usize = 3;

/// One group, loaded.
pub struct Group {
    mls: MlsGroup,
    charter: Charter,
    record: Record,
}

/// Why this device should commit an update now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UpdateReason {
    /// It is about to speak for the first time since it heard something.
    FirstSpeech,
    /// [`UPDATE_AFTER_MESSAGES`] messages since its last update.
    Messages,
    /// [`UPDATE_AFTER_SECONDS`] since its last update.
    Age,
}

/// A call on a group failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GroupError {
    /// The vault failed; roll back and load the group again.
    #[error(transparent)]
    Store(#[from] StateError),
    /// What came from outside failed a check. Roll back: a Welcome consumes its key package even
    /// so.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// This device is no longer a member.
    #[error("this device was removed from the group")]
    Removed,
    /// A commit is already pending: merge or clear it first.
    #[error("a commit of this device is pending")]
    Pending,
    /// No commit is pending.
    #[error("no commit of this device is pending")]
    NotPending,
    /// There is no member at that leaf, or it is this device's own.
    #[error("there is no other member at leaf {0}")]
    NoSuchMember(u32),
    /// The identity passed in is not the one of this group's own leaf.
    #[error("this identity is not the one this group was joined with")]
    WrongIdentity,
    /// Staged before another change of the group.
    #[error("this commit was staged in another epoch")]
    StaleCommit,
    /// No key package of this device answers the Welcome: used before, expired, or not for us.
    #[error("the Welcome is not for a key package of this device")]
    NoKeyPackage,
    /// The charter or the arguments are not usable.
    #[error("{0}")]
    Argument(&'static str),
    /// HPKE failed.
    #[error(transparent)]
    Hpke(#[from] HpkeError),
    /// OpenMLS failed where it should not have: a defect of this program.
    #[error("the MLS library failed: {0}")]
    Library(String),
}

impl GroupError {
    pub(crate) fn library(error: impl std::fmt::Debug) -> Self {
        Self::Library(format!("{error:?}"))
    }
}

impl Group {
    /// Loads a group, with its pending commit if there is one; `None` if the store has none of that
    /// id.
    ///
    /// # Errors
    /// [`GroupError::Store`].
    pub fn load(env: &Env<'_>, id: &[u8]) -> Result<Option<Self>, GroupError> {
        let provider = env.provider();
        let Some(mls) = MlsGroup::load(&provider.storage, &GroupId::from_slice(id))? else {
            return Ok(None);
        };
        let charter = Charter::of(mls.extensions())?;
        let record = Record::load(env.store, id)?;
        Ok(Some(Self { mls, charter, record }))
    }

    /// Deletes everything the store has of this group.
    ///
    /// # Errors
    /// [`GroupError::Store`].
    pub fn delete(mut self, env: &Env<'_>) -> Result<(), GroupError> {
        Record::delete(env.store, self.id())?;
        Ok(self.mls.delete(&env.provider().storage)?)
    }

    /// The group's id, 16 random bytes.
    pub fn id(&self) -> &[u8] {
        self.mls.group_id().as_slice()
    }

    /// The current epoch.
    pub fn epoch(&self) -> u64 {
        self.mls.epoch().as_u64()
    }

    /// False once this device was removed.
    pub fn is_active(&self) -> bool {
        self.mls.is_active()
    }

    /// 32 bytes that agree among all members of an epoch and differ after a fork.
    pub fn epoch_authenticator(&self) -> Vec<u8> {
        self.mls.epoch_authenticator().as_slice().to_vec()
    }

    /// What the group is for, and under which root.
    pub fn charter(&self) -> &Charter {
        &self.charter
    }

    /// How many messages this device has sent in this group.
    pub fn sent(&self) -> u64 {
        self.record.own_counter
    }

    /// This device's leaf index.
    pub fn own_leaf(&self) -> u32 {
        self.mls.own_leaf_index().u32()
    }

    /// All members by leaf index. Their certificates were verified when they were let in and may
    /// have ended since: see [`Member::lapsed`].
    ///
    /// # Errors
    /// [`GroupError::Rejected`] if a stored leaf no longer parses, which can't happen to a leaf
    /// that was
    /// let in.
    pub fn members(&self) -> Result<Vec<Member>, GroupError> {
        let members = self.mls.members().map(|member| Member::of(&member, &self.charter));
        Ok(members.collect::<Result<_, Rejection>>()?)
    }

    /// Whether this device should commit an update first; `speaking` if it is about to send a
    /// message. While the slot's relay is unreachable messages go on all the same.
    pub fn needs_update(&self, now: i64, speaking: bool) -> Option<UpdateReason> {
        if self.record.messages_since_update >= UPDATE_AFTER_MESSAGES {
            Some(UpdateReason::Messages)
        } else if now.saturating_sub(self.record.updated_at) >= UPDATE_AFTER_SECONDS {
            Some(UpdateReason::Age)
        } else if speaking && self.record.heard {
            Some(UpdateReason::FirstSpeech)
        } else {
            None
        }
    }

    /// Keys of the slot that orders the current epoch's commits, at this attempt (0 first).
    ///
    /// # Errors
    /// [`GroupError::Removed`] after this device was removed.
    pub fn slot_keys(&self, env: &Env<'_>, attempt: u32) -> Result<SlotKeys, GroupError> {
        self.exported(env, SLOT_LABEL, &attempt.to_be_bytes())
    }

    /// The attempt to use in the current epoch: 0 until [`Group::next_slot_attempt`] was called in
    /// it.
    pub fn slot_attempt(&self) -> u32 {
        self.record.attempt(self.epoch())
    }

    /// All four entries of the slot were garbage: move to the next one, and remember it.
    ///
    /// # Errors
    /// [`GroupError::Store`].
    pub fn next_slot_attempt(&mut self, env: &Env<'_>) -> Result<u32, GroupError> {
        let next = self.slot_attempt().saturating_add(1);
        self.record.set_attempt(self.epoch(), next);
        self.save(env)?;
        Ok(next)
    }

    /// Keys of the slot in which this team's devices claim a first contact.
    ///
    /// # Errors
    /// [`GroupError::Removed`] after this device was removed.
    pub fn claim_keys(&self, env: &Env<'_>, contact: &ContactId) -> Result<SlotKeys, GroupError> {
        self.exported(env, CLAIM_LABEL, contact)
    }

    /// 32 bytes that exactly the members of this epoch can derive, others for each `what`: keys of the mailbox that a
    /// team moves to when somebody has left it.
    ///
    /// # Errors
    /// [`GroupError::Removed`] after this device was removed.
    pub fn mailbox_secret(
        &self,
        env: &Env<'_>,
        what: &str,
    ) -> Result<Zeroizing<[u8; 32]>, GroupError> {
        if !self.is_active() {
            return Err(GroupError::Removed);
        }
        let bytes = self
            .mls
            .export_secret(&env.suite.crypto, MAILBOX_LABEL, what.as_bytes(), 32)
            .map(Zeroizing::new)
            .map_err(GroupError::library)?;
        let bytes = bytes.as_slice().try_into().map(Zeroizing::new);
        bytes.map_err(|_| GroupError::library("exporter length"))
    }

    fn exported(&self, env: &Env<'_>, label: &str, context: &[u8]) -> Result<SlotKeys, GroupError> {
        if !self.is_active() {
            return Err(GroupError::Removed);
        }
        let bytes = self
            .mls
            .export_secret(&env.suite.crypto, label, context, KEYS_LEN)
            .map(Zeroizing::new)
            .map_err(GroupError::library)?;
        SlotKeys::from_exported(&bytes).ok_or_else(|| GroupError::library("exporter length"))
    }

    fn save(&self, env: &Env<'_>) -> Result<(), GroupError> {
        Ok(self.record.save(env.store, self.id())?)
    }

    fn own_key(&self) -> Option<Vec<u8>> {
        self.mls.own_leaf_node().map(|leaf| leaf.signature_key().as_slice().to_vec())
    }

    fn check_identity(&self, me: &Identity) -> Result<(), GroupError> {
        if !self.is_active() {
            return Err(GroupError::Removed);
        }
        if self.own_key().as_deref() == Some(me.key().as_bytes().as_slice()) {
            Ok(())
        } else {
            Err(GroupError::WrongIdentity)
        }
    }

    fn reject<T>(check: Check, why: impl Into<String>) -> Result<T, GroupError> {
        Err(Rejection::new(check, why).into())
    }
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Group")
    }
}
