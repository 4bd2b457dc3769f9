//! Envelopes: what lies inside cells once fragments are joined. Padding is the cell's business.

use std::fmt;

use budstikke_proto::proof::RECEIPT_LEN;
use prost::Message as _;
use thiserror::Error;

use crate::{
    contact::{ContactId, Route},
    pb, signed,
    suite::SUITE_ID,
};

const VERSION: u32 = 1;
const MAX_ROUTES: usize = 16;
/// Most bytes of a relay's address, and of a case's id.
const MAX_RELAY: usize = 300;
const MAX_CASE_ID: usize = 64;

/// Receipts that a nudge carries at most.
pub const MAX_RECEIPTS: usize = 8;

/// A decoded envelope.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Envelope {
    /// An MLS private message: [`crate::group::Group::process`].
    Mls(Vec<u8>),
    /// A Welcome with the routes that come with it.
    Welcome(WelcomeBody),
    /// A sealed first contact: [`crate::contact::FirstContact::open`].
    FirstContact(Vec<u8>),
    /// The slot of that epoch has a new entry.
    Nudge(Nudge),
    /// A colleague's device asks to be added to the team: [`crate::group::KeyPackage::parse`].
    KeyPackage(Vec<u8>),
    /// About an alert, outside of any group: [`crate::held::open`].
    Held(Vec<u8>),
    /// A member asks to be added again, or for a new group: [`crate::group::Ask::verify`].
    Again(Vec<u8>),
    /// A new device with a code asks to be enrolled ([`crate::join`]).
    JoinAsk {
        /// What it asks, as in a file.
        ask: Vec<u8>,
        /// Where it listens.
        reply: Route,
    },
    /// The admin's answer to that.
    JoinAnswer {
        /// The enrolment, as in a file; empty with a refusal.
        enrolment: Vec<u8>,
        /// Why not, as [`crate::join::JoinError::number`]; 0 with an enrolment.
        refused: u32,
    },
    /// A kind that this version does not know: skip it, keep count, tell nobody.
    Unknown {
        /// The kind's number.
        kind: u32,
    },
}

/// A Welcome and what its reader needs beside it.
#[derive(Clone, PartialEq, Eq)]
pub struct WelcomeBody {
    /// For [`crate::group::Group::join`].
    pub welcome: Vec<u8>,
    /// Where the new member may write; at most 16.
    pub routes: Vec<Route>,
    /// The first contact this answers.
    pub contact: Option<ContactId>,
    /// A [`crate::note`] for the reader, if it is a colleague's device; else empty.
    pub note: Vec<u8>,
    /// If it brings back a member of a case, or the case in a new group: which one.
    pub again: Option<Again>,
}

/// A case whose group a Welcome brings anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// The case.
    pub case_id: Vec<u8>,
    /// Address of the relay that has the group's slots.
    pub relay: String,
}

/// "Look at the slot."
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nudge {
    /// The group.
    pub group_id: Vec<u8>,
    /// The epoch whose slot has an entry.
    pub epoch: u64,
    /// What the relay said of the last slots, as [`budstikke_proto::proof::Receipt`] writes it; oldest first, at most
    /// [`MAX_RECEIPTS`]. It is signed by the relay, so it need not be sealed to an epoch, which a fork would close.
    pub receipts: Vec<Vec<u8>>,
}

/// An envelope that can't be read.
#[derive(Debug, Error, PartialEq, Eq, Clone, Copy)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// Not an envelope.
    #[error("the cell holds no envelope of a known form")]
    Malformed,
    /// A later version of the format.
    #[error("the sender uses a later version ({0}); update this program")]
    Version(u32),
    /// Another MLS cipher suite.
    #[error("the sender uses another cipher suite ({0:#06x}); update this program")]
    Suite(u32),
}

impl Envelope {
    /// Bytes for the cells.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, body) = match self {
            Self::Mls(bytes) => (pb::Kind::MlsMessage as u32, bytes.clone()),
            Self::Welcome(body) => (pb::Kind::Welcome as u32, body.encode()),
            Self::FirstContact(bytes) => (pb::Kind::FirstContact as u32, bytes.clone()),
            Self::Nudge(nudge) => (
                pb::Kind::Nudge as u32,
                pb::Nudge {
                    group_id: nudge.group_id.clone(),
                    epoch: nudge.epoch,
                    receipts: nudge.receipts.clone(),
                }
                .encode_to_vec(),
            ),
            Self::KeyPackage(bytes) => (pb::Kind::KeyPackage as u32, bytes.clone()),
            Self::Held(bytes) => (pb::Kind::Held as u32, bytes.clone()),
            Self::Again(bytes) => (pb::Kind::Again as u32, bytes.clone()),
            Self::JoinAsk { ask, reply } => (
                pb::Kind::JoinAsk as u32,
                pb::JoinAsk { ask: ask.clone(), reply: Some(reply.to_pb()) }.encode_to_vec(),
            ),
            Self::JoinAnswer { enrolment, refused } => (
                pb::Kind::JoinAnswer as u32,
                pb::JoinAnswer { enrolment: enrolment.clone(), refused: *refused }.encode_to_vec(),
            ),
            Self::Unknown { kind } => (*kind, Vec::new()),
        };
        pb::Envelope { version: VERSION, suite: SUITE_ID.into(), kind, body }.encode_to_vec()
    }

    /// Parses an envelope. An unknown kind is not an error: later versions may add some.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let pb = pb::Envelope::decode(bytes).map_err(|_| EnvelopeError::Malformed)?;
        match pb.version {
            0 => return Err(EnvelopeError::Malformed),
            VERSION => {}
            later => return Err(EnvelopeError::Version(later)),
        }
        if pb.suite != u32::from(SUITE_ID) {
            return Err(EnvelopeError::Suite(pb.suite));
        }
        let kind = i32::try_from(pb.kind).ok().and_then(|kind| pb::Kind::try_from(kind).ok());
        match kind {
            None => Ok(Self::Unknown { kind: pb.kind }),
            Some(pb::Kind::Unspecified) => Err(EnvelopeError::Malformed),
            Some(pb::Kind::MlsMessage) => Ok(Self::Mls(pb.body)),
            Some(pb::Kind::Welcome) => WelcomeBody::decode(&pb.body).map(Self::Welcome),
            Some(pb::Kind::FirstContact) => Ok(Self::FirstContact(pb.body)),
            Some(pb::Kind::KeyPackage) => Ok(Self::KeyPackage(pb.body)),
            Some(pb::Kind::Held) => Ok(Self::Held(pb.body)),
            Some(pb::Kind::Again) => Ok(Self::Again(pb.body)),
            Some(pb::Kind::JoinAsk) => {
                let ask = pb::JoinAsk::decode(pb.body.as_slice()).ok();
                let reply = ask.as_ref().and_then(|ask| Route::from_pb(ask.reply.as_ref()?));
                match (ask, reply) {
                    (Some(ask), Some(reply)) => Ok(Self::JoinAsk { ask: ask.ask, reply }),
                    _ => Err(EnvelopeError::Malformed),
                }
            }
            Some(pb::Kind::JoinAnswer) => {
                let answer = pb::JoinAnswer::decode(pb.body.as_slice())
                    .map_err(|_| EnvelopeError::Malformed)?;
                Ok(Self::JoinAnswer { enrolment: answer.enrolment, refused: answer.refused })
            }
            Some(pb::Kind::Nudge) => {
                let nudge =
                    pb::Nudge::decode(pb.body.as_slice()).map_err(|_| EnvelopeError::Malformed)?;
                let (group_id, epoch, receipts) = (nudge.group_id, nudge.epoch, nudge.receipts);
                if receipts.len() > MAX_RECEIPTS
                    || receipts.iter().any(|receipt| receipt.len() != RECEIPT_LEN)
                {
                    return Err(EnvelopeError::Malformed);
                }
                Ok(Self::Nudge(Nudge { group_id, epoch, receipts }))
            }
        }
    }
}

impl WelcomeBody {
    fn encode(&self) -> Vec<u8> {
        pb::WelcomeBody {
            welcome: self.welcome.clone(),
            routes: self.routes.iter().map(Route::to_pb).collect(),
            contact: self.contact.map(|id| id.to_vec()).unwrap_or_default(),
            note: self.note.clone(),
            again: self.again.as_ref().map(|again| again.case_id.clone()).unwrap_or_default(),
            relay: self.again.as_ref().map(|again| again.relay.clone()).unwrap_or_default(),
        }
        .encode_to_vec()
    }

    fn decode(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let pb = pb::WelcomeBody::decode(bytes).map_err(|_| EnvelopeError::Malformed)?;
        let routes: Option<Vec<_>> = pb.routes.iter().map(Route::from_pb).collect();
        let contact = match pb.contact.as_slice() {
            [] => None,
            bytes => Some(signed::fixed(bytes).ok_or(EnvelopeError::Malformed)?),
        };
        let routes = routes.filter(|r| r.len() <= MAX_ROUTES).ok_or(EnvelopeError::Malformed)?;
        let fits = pb.again.len() <= MAX_CASE_ID
            && pb.relay.len() <= MAX_RELAY
            && pb.again.is_empty() == pb.relay.is_empty();
        if !fits {
            return Err(EnvelopeError::Malformed);
        }
        let again = Some(Again { case_id: pb.again, relay: pb.relay })
            .filter(|again| !again.case_id.is_empty());
        Ok(Self { welcome: pb.welcome, routes, contact, note: pb.note, again })
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mls(_) => "Envelope::Mls",
            Self::Welcome(_) => "Envelope::Welcome",
            Self::FirstContact(_) => "Envelope::FirstContact",
            Self::Nudge(_) => "Envelope::Nudge",
            Self::KeyPackage(_) => "Envelope::KeyPackage",
            Self::Held(_) => "Envelope::Held",
            Self::Again(_) => "Envelope::Again",
            Self::JoinAsk { .. } => "Envelope::JoinAsk",
            Self::JoinAnswer { .. } => "Envelope::JoinAnswer",
            Self::Unknown { .. } => "Envelope::Unknown",
        })
    }
}

impl fmt::Debug for WelcomeBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WelcomeBody")
    }
}
