//! What a connection's client may do: a core without network, clock or randomness of its own.
//!
//! A [`Session`] belongs to one connection, a [`Stream`] to one of its streams. The server feeds inputs in and carries
//! the actions out; a test does the same without a network.

use std::collections::VecDeque;
use std::sync::Arc;

use budstikke_proto::auth::{CapabilityKey, SessionNonce};
use budstikke_proto::descriptor::{Descriptor, MailboxPrice};
use budstikke_proto::id::{CancelPk, Seed};
use budstikke_proto::limits::MAX_OPEN_CHALLENGES;
use budstikke_proto::sign::SigningSeed;
use budstikke_proto::wire::Hello;
use budstikke_proto::work::{self, Purpose, Solution};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use tokio::sync::Semaphore;

use crate::admission::tokens::{Tender, TokenKeys};
use crate::admission::work::{Efforts, Prices};
use crate::keys::Identity;
use crate::store::Mutation;

mod assembly;
#[cfg(any(test, feature = "fuzzing"))]
mod hammer;
mod keyring;
mod rooms;
mod stream;
mod upload;

#[cfg(feature = "fuzzing")]
pub(crate) use hammer::hammer;
use keyring::Keyring;
use rooms::UNFINISHED_OF_SESSION;
pub(crate) use rooms::{RoomLimits, Rooms};
#[cfg(test)]
use stream::Ticket;
pub(crate) use stream::{Action, Input, Query, Stream, Unfinished};
pub(crate) use stream::{answer_frame, busy_frame, push_frame};

/// What the relay offers and asks, as its descriptor says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) max_ttl_days: u32,
    pub(crate) max_quota: u32,
    pub(crate) work_effort: u32,
    pub(crate) front_door_effort: u32,
    pub(crate) mailbox_price: MailboxPrice,
    /// 0 when it takes no blobs.
    pub(crate) max_blob_ttl_days: u32,
}

impl Terms {
    /// Whether a mailbox or a blob can be paid in this way.
    pub(crate) fn takes(&self, price: MailboxPrice) -> bool {
        [price, MailboxPrice::Either].contains(&self.mailbox_price)
    }
}

/// How long one epoch key is the current one; it is accepted for as long again.
const EPOCH_S: i64 = 7 * 24 * 3600;
/// How long a challenge may be answered.
const CHALLENGE_S: i64 = 15 * 60;
/// When to come again after [`budstikke_proto::op::ErrorCode::Busy`].
const BUSY_RETRY_S: u32 = 5;

/// What all sessions share for a week: the relay's half of the authenticators, this week's and last week's, and its
/// signed description.
///
/// Epoch keys derive from the relay's secret and the week, so a restart changes none.
pub(crate) struct Epoch {
    identity: Identity,
    terms: Terms,
    tokens: Arc<TokenKeys>,
    current: EpochKey,
    previous: EpochKey,
    /// Stands in for the key of a capability that does not exist.
    nobody: [u8; 32],
    /// Stands in for the cancel key of a cell that is not held.
    no_canceller: CancelPk,
    hello: Hello,
}

struct EpochKey {
    key: CapabilityKey,
    public: [u8; 32],
}

impl Epoch {
    pub(crate) fn new(identity: Identity, terms: Terms, tokens: Arc<TokenKeys>, now: i64) -> Self {
        let number = now.div_euclid(EPOCH_S);
        let current = EpochKey::new(&identity, number);
        let previous = EpochKey::new(&identity, number.saturating_sub(1));
        let nobody = EpochKey::new(&identity, i64::MIN).public;
        let no_canceller = SigningSeed::from_bytes(identity.epoch_secret(i64::MIN + 1)).public();
        let descriptor = Descriptor {
            identity_pk: identity.signing().public(),
            epoch_pk: current.public,
            valid_until_s: Self::end(now).saturating_add(EPOCH_S),
            max_ttl_days: terms.max_ttl_days,
            max_quota: terms.max_quota,
            work_effort: terms.work_effort,
            front_door_effort: terms.front_door_effort,
            software: concat!("budstikke-relay/", env!("CARGO_PKG_VERSION")).into(),
            mailbox_price: terms.mailbox_price,
            token_keys: tokens.ids(now),
            max_blob_ttl_days: terms.max_blob_ttl_days,
        };
        let hello = descriptor.sign(identity.signing());
        let no_canceller = CancelPk::from_bytes(no_canceller);
        Self { identity, terms, tokens, current, previous, nobody, no_canceller, hello }
    }

    /// When another epoch becomes the current one.
    pub(crate) const fn end(now: i64) -> i64 {
        now.div_euclid(EPOCH_S).saturating_add(1).saturating_mul(EPOCH_S)
    }
}

impl EpochKey {
    fn new(identity: &Identity, number: i64) -> Self {
        let key = CapabilityKey::from_bytes(identity.epoch_secret(number));
        let public = key.public();
        Self { key, public }
    }
}

/// What the streams of one connection share.
pub(crate) struct Session {
    epoch: Arc<Epoch>,
    nonce: SessionNonce,
    keyring: Keyring,
    challenges: Challenges,
    prices: Arc<Prices>,
    rooms: Arc<Rooms>,
    /// This session's own room for requests of several frames.
    unfinished: Arc<Semaphore>,
}

impl Session {
    /// `secret` is random; the session's challenges come from it. `rooms` is for requests of several
    /// frames, of all sessions together.
    pub(crate) fn new(
        epoch: Arc<Epoch>,
        nonce: SessionNonce,
        secret: [u8; 32],
        prices: Arc<Prices>,
        rooms: Arc<Rooms>,
    ) -> Self {
        let challenges = Challenges { secret, made: 0, open: VecDeque::new() };
        let unfinished = Arc::new(Semaphore::new(UNFINISHED_OF_SESSION));
        Self { epoch, nonce, keyring: Keyring::default(), challenges, prices, rooms, unfinished }
    }

    /// Whether it has proved no capability that the store knows.
    pub(crate) fn is_stranger(&self) -> bool {
        self.keyring.is_empty()
    }

    /// A seed, and what it costs to answer it.
    fn challenge(&mut self, now: i64) -> (Seed, Efforts) {
        let efforts = self.prices.efforts();
        (self.challenges.make(now, Asked::Work(efforts)), efforts)
    }

    /// What pays for `purpose`: work at the price that its challenge named, or the token that its seed stands for. Uses
    /// the seed up. With a `least` effort of 0 nothing is asked; with none, work does not pay.
    fn pay(
        &mut self,
        now: i64,
        work: Option<&Solution>,
        purpose: &Purpose,
        least: Option<u32>,
    ) -> Payment {
        if least == Some(0) {
            return Payment::Paid;
        }
        let Some(work) = work else { return Payment::None };
        match (self.challenges.take(now, work.seed), least) {
            (Some(Asked::Token(tender)), _) => Payment::Token(tender),
            (Some(Asked::Work(asked)), Some(least))
                if work::verify(work, purpose, asked.of(purpose).max(least)) =>
            {
                self.prices.paid(purpose);
                Payment::Paid
            }
            _ => Payment::None,
        }
    }

    /// The least effort that pays for a mailbox or a blob; `None` where only a token does.
    fn creation_effort(&self) -> Option<u32> {
        let terms = &self.epoch.terms;
        terms.takes(MailboxPrice::Work).then_some(terms.work_effort)
    }
}

/// What was given for something that costs.
enum Payment {
    None,
    /// Work, or nothing was asked.
    Paid,
    Token(Tender),
}

impl Payment {
    /// The change with its payment, and what to keep until it is stored.
    fn on(self, change: Mutation) -> (Mutation, Option<Tender>) {
        match self {
            Self::None => (change.with_payment(false), None),
            Self::Paid => (change.with_payment(true), None),
            Self::Token(tender) => {
                (Mutation::ByToken { token: tender.token, change: Box::new(change) }, Some(tender))
            }
        }
    }
}

/// What a seed asks of whoever uses it.
enum Asked {
    Work(Efforts),
    /// Nothing more: it was paid.
    Token(Tender),
}

/// Seeds handed out and not yet used. The oldest goes when there are too many.
struct Challenges {
    secret: [u8; 32],
    made: u64,
    open: VecDeque<(Seed, i64, Asked)>,
}

impl Challenges {
    fn make(&mut self, now: i64, asked: Asked) -> Seed {
        self.made = self.made.wrapping_add(1);
        let mut seed = [0; Seed::LEN];
        if let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(&self.secret) {
            mac.update(&self.made.to_be_bytes());
            let bytes: [u8; 32] = mac.finalize().into_bytes().into();
            seed.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        }
        let seed = Seed::from_bytes(seed);
        if self.open.len() >= MAX_OPEN_CHALLENGES {
            self.open.pop_front();
        }
        self.open.push_back((seed, now.saturating_add(CHALLENGE_S), asked));
        seed
    }

    fn take(&mut self, now: i64, seed: Seed) -> Option<Asked> {
        let at = self.open.iter().position(|(open, ..)| *open == seed)?;
        let (_, until, asked) = self.open.remove(at)?;
        (now <= until).then_some(asked)
    }
}

#[cfg(test)]
mod tests;
