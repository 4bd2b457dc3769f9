//! How two sides come to terms, per leg (guidelines Box 2.3):
//!
//! ```text
//! NONE → OFFERED → PROPOSED ⇄ COUNTERED → ACCEPTED_BY_ONE → IN_FORCE → AMENDING → IN_FORCE
//!                                             IN_FORCE ⇄ SUSPENDED · → ENDED · → EXPIRED
//! ```
//!
//! What is kept are facts (which bytes, who accepted them, since when); the phase is derived from
//! them and from `now`, so that no stored state can contradict itself.

mod apply;
mod compare;
mod derive;
mod record;

use crate::hash::{Hash, terms_hash};
use crate::received::malformed;
use crate::refusal::Fault;
use crate::refusal::Refusal;
use crate::roles::Side;
use crate::scan;
use crate::wire::{ChannelTerms, Leg, Purpose, RecipientClass, TermsChangeKind, Transport};
use prost::Message as _;

pub use compare::Onward;
pub use derive::{may_pass_on, onward_terms};

/// Where an agreement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Nothing said yet.
    None,
    /// Published by the offering side, which stands by it.
    Offered,
    /// On the table.
    Proposed,
    /// Answered with something else.
    Countered,
    /// One side said yes.
    AcceptedByOne,
    /// Both said yes to the same bytes.
    InForce,
    /// In force, with a change on the table.
    Amending,
    /// Paused by a side, which alone can resume.
    Suspended,
    /// Ended by a side.
    Ended,
    /// Past their date.
    Expired,
}

/// One step of a negotiation, as said in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TermsEvent {
    /// The offering side published terms.
    Offered {
        /// Who published.
        by: Side,
        /// Encoded `ChannelTerms`, verbatim.
        terms: Vec<u8>,
    },
    /// A side put terms on the table.
    Proposed {
        /// Whose.
        by: Side,
        /// Encoded `ChannelTerms`, verbatim.
        terms: Vec<u8>,
    },
    /// A side answered with other terms.
    Countered {
        /// Whose.
        by: Side,
        /// Encoded `ChannelTerms`, verbatim.
        terms: Vec<u8>,
        /// Terms answered.
        counters: Hash,
    },
    /// A side said yes.
    Accepted {
        /// Who.
        by: Side,
        /// To which terms.
        hash: Hash,
        /// Hash of the privacy notice that was shown.
        notice: Option<Hash>,
    },
    /// A side suspended, resumed or ended.
    Changed {
        /// Who.
        by: Side,
        /// What.
        kind: TermsChangeKind,
        /// Terms meant, if named.
        hash: Option<Hash>,
    },
}

/// Terms with the bytes they came as.
#[derive(Clone, PartialEq)]
struct Terms {
    bytes: Vec<u8>,
    hash: Hash,
    decoded: ChannelTerms,
}

#[derive(Clone, PartialEq)]
struct Pending {
    terms: Terms,
    by: Side,
    is_counter: bool,
    accepted: Accepted,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Accepted {
    asking: bool,
    offering: bool,
}

#[derive(Clone, PartialEq)]
struct Agreed {
    terms: Terms,
    since: i64,
}

/// The state of one leg's terms. Both sides keep one and feed it the same events.
#[derive(Clone, PartialEq)]
pub struct TermsState {
    leg: Leg,
    offers: Vec<Terms>,
    emergency: Option<Terms>,
    /// At most one from each side, oldest first.
    pending: Vec<Pending>,
    in_force: Option<Agreed>,
    previous: Option<Agreed>,
    suspended: Accepted,
    ended_at: Option<i64>,
    ceiling: Option<Terms>,
}

impl TermsState {
    /// Nothing said yet on this leg.
    pub fn new(leg: Leg) -> Self {
        Self {
            leg,
            offers: Vec::new(),
            emergency: None,
            pending: Vec::new(),
            in_force: None,
            previous: None,
            suspended: Accepted::default(),
            ended_at: None,
            ceiling: None,
        }
    }

    /// An onward leg, bounded by the encoded terms with the defender: never looser (T05).
    ///
    /// # Errors
    /// W02 when the bytes are no terms.
    pub fn onward_of(leg: Leg, defender_terms: Vec<u8>) -> Result<Self, Refusal> {
        let ceiling = Some(Terms::decode(defender_terms)?);
        Ok(Self { ceiling, ..Self::new(leg) })
    }

    /// Bounds an onward leg by the terms with the defender as they are now, for what is said from here on.
    ///
    /// # Errors
    /// W02 when the bytes are no terms.
    pub fn bind(&mut self, defender_terms: Vec<u8>) -> Result<(), Refusal> {
        self.ceiling = Some(Terms::decode(defender_terms)?);
        Ok(())
    }

    /// Takes the bound out, and with it the defender's terms: for who is not in the defender's channel.
    pub fn unbind(&mut self) {
        self.ceiling = None;
    }

    /// The leg.
    pub fn leg(&self) -> Leg {
        self.leg
    }

    /// Where the agreement stands at `now`.
    pub fn phase(&self, now: i64) -> Phase {
        if let Some(agreed) = &self.in_force {
            return if now >= agreed.terms.decoded.valid_until_s {
                Phase::Expired
            } else if self.suspended != Accepted::default() {
                Phase::Suspended
            } else if self.pending.is_empty() {
                Phase::InForce
            } else {
                Phase::Amending
            };
        }
        match self.pending.last() {
            Some(_) if self.pending.iter().any(|p| p.accepted != Accepted::default()) => {
                Phase::AcceptedByOne
            }
            Some(last) if last.is_counter => Phase::Countered,
            Some(_) => Phase::Proposed,
            None if self.ended_at.is_some() => Phase::Ended,
            None if !self.offers.is_empty() => Phase::Offered,
            None => Phase::None,
        }
    }

    /// Takes a step. The state is unchanged when it is refused.
    ///
    /// # Errors
    /// T01 for a step that needs terms in force, T02 for terms past their date, T03 for a hash
    /// that is not before both sides, T05 for onward terms looser than the defender's, I03 for a
    /// side that may not, W02 and P04 for terms that are not in order.
    pub fn apply(&mut self, event: TermsEvent, now: i64) -> Result<Phase, Refusal> {
        self.take(event, now)?;
        Ok(self.phase(now))
    }

    /// Terms in force (also while suspended or past their date).
    pub fn agreed(&self) -> Option<&ChannelTerms> {
        self.in_force.as_ref().map(|agreed| &agreed.terms.decoded)
    }

    /// Hash of the terms in force, for headers.
    pub fn agreed_hash(&self) -> Option<Hash> {
        self.in_force.as_ref().map(|agreed| agreed.terms.hash)
    }

    /// Since when they are in force, Unix seconds.
    pub fn agreed_since(&self) -> Option<i64> {
        self.in_force.as_ref().map(|agreed| agreed.since)
    }

    /// Bytes of the terms in force, for the ceiling of an onward leg.
    pub fn agreed_bytes(&self) -> Option<&[u8]> {
        self.in_force.as_ref().map(|agreed| agreed.terms.bytes.as_slice())
    }

    /// Published offers that can be accepted as they are.
    pub fn offers(&self) -> impl Iterator<Item = (Hash, &ChannelTerms)> {
        self.offers.iter().map(|terms| (terms.hash, &terms.decoded))
    }

    /// Terms on the table, oldest first: hash, terms, whose they are, who has said yes.
    pub fn pending(&self) -> impl Iterator<Item = (Hash, &ChannelTerms, Side)> {
        self.pending.iter().map(|p| (p.terms.hash, &p.terms.decoded, p.by))
    }

    /// Whether a side has said yes to terms on the table or on offer, or they are in force.
    pub fn has_accepted(&self, side: Side, hash: Hash) -> bool {
        self.agreed_hash() == Some(hash)
            || self.pending.iter().any(|p| p.terms.hash == hash && p.accepted.by(side))
            || (side == Side::Offering && self.offers.iter().any(|terms| terms.hash == hash))
    }

    /// Terms under which an emergency form may be sent, and their hash.
    pub fn emergency_terms(&self) -> Option<(Hash, &ChannelTerms)> {
        self.emergency.as_ref().map(|terms| (terms.hash, &terms.decoded))
    }

    /// Whether a message under `hash`, written at `written_at`, is under these terms: the ones
    /// in force, or those before them if it was written before the change.
    pub(crate) fn covers(&self, hash: Option<Hash>, written_at: i64) -> bool {
        let Some(hash) = hash else { return false };
        let before = |agreed: &Agreed| {
            agreed.terms.hash == hash
                && self.in_force.as_ref().is_some_and(|now| written_at <= now.since)
        };
        self.agreed_hash() == Some(hash) || self.previous.as_ref().is_some_and(before)
    }

    /// What may be passed on to a class of recipients. While terms are being changed the
    /// stricter of old and new holds.
    pub fn onward(&self, class: RecipientClass, now: i64) -> Onward {
        match self.phase(now) {
            Phase::InForce | Phase::Amending => {}
            _ => return Onward::NEVER,
        }
        let agreed = self.in_force.iter().map(|agreed| &agreed.terms.decoded);
        let coming = self.pending.iter().map(|p| &p.terms.decoded);
        let rules = agreed.chain(coming).map(|terms| Onward::of(terms, class.into()));
        rules.reduce(Onward::stricter).unwrap_or(Onward::NEVER)
    }

    pub(crate) fn transport_agreed(&self, transport: Transport) -> bool {
        self.agreed().is_some_and(|terms| terms.transports.contains(&transport.into()))
    }

    pub(crate) fn purposes(&self) -> Vec<Purpose> {
        let raw = self.agreed().map_or(&[][..], |terms| &terms.purposes);
        raw.iter().filter_map(|raw| Purpose::try_from(*raw).ok()).collect()
    }
}

/// Decodes terms that travel as bytes, with the scan that every received message gets.
///
/// # Errors
/// W02.
pub fn decode_terms(bytes: &[u8]) -> Result<ChannelTerms, Refusal> {
    if bytes.is_empty() {
        return Err(malformed("terms", Fault::Missing));
    }
    scan::other(bytes, "ChannelTerms")?;
    ChannelTerms::decode(bytes).map_err(|_| malformed("terms", Fault::Encoding))
}

impl Terms {
    fn decode(bytes: Vec<u8>) -> Result<Self, Refusal> {
        let decoded = decode_terms(&bytes)?;
        Ok(Self { hash: terms_hash(&bytes), bytes, decoded })
    }
}

impl Accepted {
    fn by(self, side: Side) -> bool {
        match side {
            Side::Asking => self.asking,
            Side::Offering => self.offering,
        }
    }

    fn set(&mut self, side: Side, value: bool) {
        match side {
            Side::Asking => self.asking = value,
            Side::Offering => self.offering = value,
        }
    }
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 10] = [
        Self::None,
        Self::Offered,
        Self::Proposed,
        Self::Countered,
        Self::AcceptedByOne,
        Self::InForce,
        Self::Amending,
        Self::Suspended,
        Self::Ended,
        Self::Expired,
    ];

    /// Stable word, also a Fluent key part.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Offered => "offered",
            Self::Proposed => "proposed",
            Self::Countered => "countered",
            Self::AcceptedByOne => "accepted-by-one",
            Self::InForce => "in-force",
            Self::Amending => "amending",
            Self::Suspended => "suspended",
            Self::Ended => "ended",
            Self::Expired => "expired",
        }
    }
}

impl std::fmt::Debug for TermsState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TermsState")
    }
}
