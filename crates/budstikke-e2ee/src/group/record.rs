//! What this crate keeps beside the library's state: counters, peers, past authenticators, the
//! pending commit's bytes.

use prost::Message as _;
use zeroize::{Zeroize as _, Zeroizing};

use super::{
    MAX_PAST_EPOCHS,
    frame::{Finding, Peer},
};
use crate::{
    pb, signed,
    store::{StateError, StateStore},
};

#[derive(Default)]
pub(super) struct Record {
    pub(super) own_counter: u64,
    pub(super) own_previous: Vec<u8>,
    pub(super) peers: Vec<Peer>,
    past: Vec<(u64, Vec<u8>)>,
    pub(super) updated_at: i64,
    pub(super) messages_since_update: u32,
    pub(super) heard: bool,
    pub(super) pending_commit: Vec<u8>,
    pub(super) pending_welcome: Vec<u8>,
    attempt: u32,
    attempt_epoch: u64,
    /// The epoch in which this device joined; 0 for who founded the group.
    joined: u64,
    /// Our counter when somebody joined, by the epoch that began then.
    adds: Vec<pb::Joined>,
    /// When the last commit merged was made, and the pending one; unix seconds, 0 for none.
    pub(super) made_at: i64,
    pub(super) pending_made_at: i64,
}

/// Joins told of in a frame: who joins in one of the last of these knows what it missed.
const MAX_JOINS: usize = 4;

impl Record {
    /// Of a group that begins for this device now.
    pub(super) fn begin(now: i64, heard: bool) -> Self {
        Self { updated_at: now, heard, ..Self::default() }
    }

    fn key(id: &[u8]) -> Vec<u8> {
        [b"group/1/".as_slice(), id].concat()
    }

    pub(super) fn load(store: &dyn StateStore, id: &[u8]) -> Result<Self, StateError> {
        let damaged = || StateError::Damaged("group record");
        let bytes = store.get(&Self::key(id))?.ok_or_else(damaged)?;
        let pb = pb::Record::decode(bytes.as_slice()).map_err(|_| damaged())?;
        let peers: Option<Vec<_>> = pb.peers.into_iter().map(Peer::from_pb).collect();
        Ok(Self {
            own_counter: pb.own_counter,
            own_previous: pb.own_previous,
            peers: peers.ok_or_else(damaged)?,
            past: pb.past.into_iter().map(|past| (past.epoch, past.authenticator)).collect(),
            updated_at: pb.updated_at,
            messages_since_update: pb.messages_since_update,
            heard: pb.heard,
            pending_commit: pb.pending_commit,
            pending_welcome: pb.pending_welcome,
            attempt: pb.slot_attempt,
            attempt_epoch: pb.slot_attempt_epoch,
            joined: pb.joined,
            adds: pb.adds,
            made_at: pb.made_at,
            pending_made_at: pb.pending_made_at,
        })
    }

    pub(super) fn save(&self, store: &dyn StateStore, id: &[u8]) -> Result<(), StateError> {
        let past = self.past.iter().map(|(epoch, authenticator)| pb::PastEpoch {
            epoch: *epoch,
            authenticator: authenticator.clone(),
        });
        let record = pb::Record {
            own_counter: self.own_counter,
            own_previous: self.own_previous.clone(),
            peers: self.peers.iter().map(Peer::to_pb).collect(),
            past: past.collect(),
            updated_at: self.updated_at,
            messages_since_update: self.messages_since_update,
            heard: self.heard,
            pending_commit: self.pending_commit.clone(),
            pending_welcome: self.pending_welcome.clone(),
            slot_attempt: self.attempt,
            slot_attempt_epoch: self.attempt_epoch,
            joined: self.joined,
            adds: self.adds.clone(),
            made_at: self.made_at,
            pending_made_at: self.pending_made_at,
        };
        store.put(&Self::key(id), &Zeroizing::new(record.encode_to_vec()))
    }

    pub(super) fn delete(store: &dyn StateStore, id: &[u8]) -> Result<(), StateError> {
        store.delete(&Self::key(id))
    }

    /// An own update took effect.
    pub(super) fn updated(&mut self, now: i64) {
        self.updated_at = now;
        self.messages_since_update = 0;
        self.heard = false;
    }

    pub(super) fn clear_pending(&mut self) {
        self.pending_commit.zeroize();
        self.pending_welcome.zeroize();
    }

    /// Remembers an epoch that ends, for the authenticators of messages that are still on their
    /// way.
    pub(super) fn epoch_ended(&mut self, epoch: u64, authenticator: Vec<u8>) {
        self.past.push((epoch, authenticator));
        let surplus = self.past.len().saturating_sub(MAX_PAST_EPOCHS);
        self.past.drain(..surplus);
    }

    pub(super) fn past_authenticator(&self, epoch: u64) -> Option<&[u8]> {
        self.past.iter().find(|(past, _)| *past == epoch).map(|(_, bytes)| bytes.as_slice())
    }

    pub(super) fn attempt(&self, epoch: u64) -> u32 {
        if self.attempt_epoch == epoch { self.attempt } else { 0 }
    }

    pub(super) fn set_attempt(&mut self, epoch: u64, attempt: u32) {
        (self.attempt_epoch, self.attempt) = (epoch, attempt);
    }

    /// Members that are new send from counter 0 and any gap is a loss; of others we don't know.
    pub(super) fn expect_new(&mut self, keys: impl IntoIterator<Item = [u8; 32]>) {
        for key in keys {
            self.peers.retain(|peer| peer.key != key);
            self.peers.push(Peer::fresh(key));
        }
    }

    /// This device has joined in this epoch.
    pub(super) fn joined(&mut self, epoch: u64) {
        self.joined = epoch;
        self.somebody_joined(epoch);
    }

    /// Somebody joined, and this epoch began: from here on each of our messages is for them too.
    pub(super) fn somebody_joined(&mut self, epoch: u64) {
        self.adds.push(pb::Joined { epoch, counter: self.own_counter });
        let surplus = self.adds.len().saturating_sub(MAX_JOINS);
        self.adds.drain(..surplus);
    }

    /// What our frames tell those who joined.
    pub(super) fn adds(&self) -> Vec<pb::Joined> {
        self.adds.clone()
    }

    /// Takes a message of a member into account.
    pub(super) fn take(
        &mut self,
        sender: [u8; 32],
        frame: &pb::Frame,
        encoded: &[u8],
    ) -> Option<Finding> {
        let joined = self.joined;
        self.peer(sender).take(frame, encoded, joined)
    }

    fn peer(&mut self, key: [u8; 32]) -> &mut Peer {
        let position = self.peers.iter().position(|peer| peer.key == key).unwrap_or_else(|| {
            self.peers.push(Peer::unknown(key));
            self.peers.len().saturating_sub(1)
        });
        #[allow(clippy::indexing_slicing)] // found or pushed just above
        &mut self.peers[position]
    }
}

impl Peer {
    fn from_pb(pb: pb::Peer) -> Option<Self> {
        Some(Self {
            key: signed::fixed(&pb.key)?,
            next: pb.next,
            previous: pb.previous,
            missing: pb.missing,
            known: pb.known,
        })
    }

    fn to_pb(&self) -> pb::Peer {
        pb::Peer {
            key: self.key.to_vec(),
            next: self.next,
            previous: self.previous.clone(),
            missing: self.missing.clone(),
            known: self.known,
        }
    }
}
