//! What a mission's devices tell each other inside the team group.

use std::{fmt, mem};

use prost::Message as _;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{contact::ContactId, keys::VerifyingKey, pb, signed};
use pb::team_message::Body;

/// A message of the team group.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TeamMessage {
    /// Asks a device for a fresh key package.
    KeyPackageRequest {
        /// 16 random bytes that the reply repeats.
        request_id: [u8; 16],
        /// The device asked.
        device: VerifyingKey,
        /// The case it shall join.
        case_id: Vec<u8>,
    },
    /// The answer.
    KeyPackageReply {
        /// Of the request.
        request_id: [u8; 16],
        /// For [`crate::group::Group::add`].
        key_package: Vec<u8>,
        /// Where to seal the [`crate::note`] that comes with the Welcome: an X-Wing public key.
        note_key: Vec<u8>,
    },
    /// Lets an assigned device read the cells of one grant on the team mailbox.
    Grant(GrantRecord),
    /// A rotating intake key's secret.
    IntakeKey {
        /// As published.
        id: [u8; 8],
        /// For [`crate::keys::HpkeSecret::from_seed`].
        seed: Zeroizing<[u8; 32]>,
        /// Unix seconds.
        valid_from: i64,
        /// Unix seconds, exclusive.
        valid_until: i64,
    },
    /// The sender has taken a first contact.
    Claim {
        /// Which.
        contact: ContactId,
        /// The case made of it.
        case_id: Vec<u8>,
        /// The device that has it.
        device: VerifyingKey,
    },
    /// How far the sender has read the team mailbox.
    Cursor {
        /// On which relay.
        relay: String,
        /// Highest sequence number committed to its vault.
        read_to: u64,
        /// Which of the team's mailboxes: 8 bytes, or empty for its first.
        mailbox: Vec<u8>,
    },
    /// A rotating held key's secret.
    HeldKey {
        /// As told to the other ends of lines.
        id: [u8; 8],
        /// For [`crate::keys::HpkeSecret::from_seed`].
        seed: Zeroizing<[u8; 32]>,
        /// Unix seconds.
        valid_from: i64,
        /// Unix seconds, exclusive.
        valid_until: i64,
    },
    /// Lets every device read the cells of a lane of held copies; its `group_id` is empty.
    HeldGrant(GrantRecord),
    /// What the sender answered to a held copy: [`crate::held::verify`].
    HeldWord(Vec<u8>),
    /// Asks an admin's device to issue the sender's certificate again.
    RenewalRequest {
        /// For [`crate::cert::DeviceRequest::from_bytes`].
        request: Vec<u8>,
    },
    /// What an admin's device has issued again.
    Renewed {
        /// Encoded [`crate::cert::Chain`]s, each for the member whose key it names.
        chains: Vec<Vec<u8>>,
    },
    /// A step of a hand-over, encoded in the case vocabulary.
    HandoverStep(Vec<u8>),
    /// What a leaver knows of one case.
    HandoverFile {
        /// Of the hand-over.
        handover_id: [u8; 16],
        /// The device that has accepted it.
        device: VerifyingKey,
        /// A [`crate::note`] to the key of that acceptance.
        note: Vec<u8>,
    },
    /// Asks whoever is in a case to add a device, for an admin that is not in it.
    Assigned {
        /// The case.
        case_id: Vec<u8>,
        /// For [`crate::group::Group::add`].
        key_package: Vec<u8>,
        /// An encoded [`crate::group::Assignment`].
        assignment: Vec<u8>,
        /// As in [`TeamMessage::KeyPackageReply`].
        note_key: Vec<u8>,
    },
    /// A member of a case asks to be added again, and an admin is needed: [`crate::group::Ask`], signed.
    AgainAsked(Vec<u8>),
    /// An admin's yes to that.
    AgainAssigned {
        /// The case.
        case_id: Vec<u8>,
        /// The member's leaf key.
        key: VerifyingKey,
        /// The assignment, for [`crate::group::Assignment::from_bytes`].
        assignment: Vec<u8>,
    },
    /// What the sender leaves in reserve is sealed to this key from now on.
    ReserveKey {
        /// X-Wing, 1,216 bytes.
        key: Vec<u8>,
        /// Of [`crate::reserve::split`].
        shares: Vec<Vec<u8>>,
        /// Names of the holders, in the same order.
        holders: Vec<String>,
    },
    /// A part of what the sender leaves in reserve about one case.
    ReservePart {
        /// Stays the same for one case.
        slot: [u8; 16],
        /// Unix seconds: parts of one time belong together, and replace those before.
        made_at: i64,
        /// From 0.
        index: u32,
        /// How many parts; 0 when there is nothing left of the case.
        count: u32,
        /// A [`crate::note`] to the reserve key, purpose `reserve`.
        note: Vec<u8>,
    },
    /// What a colleague left in reserve was opened.
    ReserveOpened {
        /// Who left.
        device: VerifyingKey,
        /// Their name.
        name: String,
        /// Who of the Ministry helped.
        holders: Vec<String>,
        /// Why.
        reason: String,
        /// How many cases.
        cases: u32,
        /// Unix seconds.
        at: i64,
    },
    /// The keys of the team mailbox, for a device that was enrolled with those of an earlier one. Opaque here.
    Keys(Zeroizing<Vec<u8>>),
    /// A body that this version does not know.
    Unknown,
}

/// A grant on the team mailbox.
#[derive(Clone, PartialEq, Eq)]
pub struct GrantRecord {
    /// Relay of the mailbox.
    pub relay: String,
    /// The owner's label, which comes back with each cell.
    pub label: Vec<u8>,
    /// Key of the outer seal.
    pub seal_key: Zeroizing<[u8; 32]>,
    /// The case.
    pub case_id: Vec<u8>,
    /// Its MLS group.
    pub group_id: Vec<u8>,
}

/// A team message that can't be read.
#[derive(Debug, Error, PartialEq, Eq, Clone, Copy)]
#[non_exhaustive]
pub enum TeamError {
    /// Not a team message, or an incomplete one: the sender's program is at fault.
    #[error("a colleague's device sent a team message that is malformed")]
    Malformed,
    /// A later version.
    #[error("a colleague's device uses a later version ({0}); update this program")]
    Version(u32),
}

impl TeamMessage {
    /// Bytes for [`crate::group::Group::encrypt`].
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let body = match self.clone() {
            Self::KeyPackageRequest { request_id, device, case_id } => {
                Some(Body::KeyPackageRequest(pb::KeyPackageRequest {
                    request_id: request_id.to_vec(),
                    device_key: device.as_bytes().to_vec(),
                    case_id,
                }))
            }
            Self::KeyPackageReply { request_id, key_package, note_key } => {
                let request_id = request_id.to_vec();
                Some(Body::KeyPackageReply(pb::KeyPackageReply {
                    request_id,
                    key_package,
                    note_key,
                }))
            }
            Self::Grant(grant) => Some(Body::Grant(grant.into_pb())),
            Self::HeldGrant(grant) => Some(Body::HeldGrant(grant.into_pb())),
            Self::IntakeKey { id, seed, valid_from, valid_until } => {
                Some(Body::IntakeKey(share(id, &seed, valid_from, valid_until)))
            }
            Self::HeldKey { id, seed, valid_from, valid_until } => {
                Some(Body::HeldKey(share(id, &seed, valid_from, valid_until)))
            }
            Self::HeldWord(signed) => Some(Body::HeldWord(signed)),
            Self::Claim { contact, case_id, device } => Some(Body::Claim(pb::ClaimInfo {
                contact: contact.to_vec(),
                case_id,
                device_key: device.as_bytes().to_vec(),
            })),
            Self::RenewalRequest { request } => {
                Some(Body::RenewalRequest(pb::RenewalRequest { request }))
            }
            Self::Renewed { chains } => Some(Body::Renewed(pb::Renewed { chains })),
            Self::HandoverStep(step) => Some(Body::HandoverStep(step)),
            Self::HandoverFile { handover_id, device, note } => {
                Some(Body::HandoverFile(pb::HandoverFile {
                    handover_id: handover_id.to_vec(),
                    device_key: device.as_bytes().to_vec(),
                    note,
                }))
            }
            Self::Assigned { case_id, key_package, assignment, note_key } => {
                Some(Body::Assigned(pb::Assigned { case_id, key_package, assignment, note_key }))
            }
            Self::AgainAsked(signed) => Some(Body::AgainAsked(signed)),
            Self::AgainAssigned { case_id, key, assignment } => {
                let key = key.as_bytes().to_vec();
                Some(Body::AgainAssigned(pb::AgainAssigned { case_id, key, assignment }))
            }
            Self::ReserveKey { key, shares, holders } => {
                Some(Body::ReserveKey(pb::ReserveKey { key, shares, holders }))
            }
            Self::ReservePart { slot, made_at, index, count, note } => {
                let slot = slot.to_vec();
                Some(Body::ReservePart(pb::ReservePart { slot, made_at, index, count, note }))
            }
            Self::ReserveOpened { device, name, holders, reason, cases, at } => {
                let device_key = device.as_bytes().to_vec();
                let opened = pb::ReserveOpened { device_key, name, holders, reason, cases, at };
                Some(Body::ReserveOpened(opened))
            }
            Self::Cursor { relay, read_to, mailbox } => {
                Some(Body::Cursor(pb::Cursor { relay, read_to, mailbox }))
            }
            Self::Keys(keys) => Some(Body::Keys(keys.to_vec())),
            Self::Unknown => None,
        };
        Zeroizing::new(pb::TeamMessage { version: 1, body }.encode_to_vec())
    }

    /// Parses a message of the team group.
    ///
    /// # Errors
    /// [`TeamError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TeamError> {
        let pb = pb::TeamMessage::decode(bytes).map_err(|_| TeamError::Malformed)?;
        match pb.version {
            0 => Err(TeamError::Malformed),
            1 => pb.body.map_or(Some(Self::Unknown), Self::from_pb).ok_or(TeamError::Malformed),
            later => Err(TeamError::Version(later)),
        }
    }

    fn from_pb(body: Body) -> Option<Self> {
        Some(match body {
            Body::KeyPackageRequest(pb) => Self::KeyPackageRequest {
                request_id: signed::fixed(&pb.request_id)?,
                device: VerifyingKey::from_bytes(&pb.device_key).ok()?,
                case_id: pb.case_id,
            },
            Body::KeyPackageReply(pb) => Self::KeyPackageReply {
                request_id: signed::fixed(&pb.request_id)?,
                key_package: pb.key_package,
                note_key: pb.note_key,
            },
            Body::Grant(pb) => Self::Grant(GrantRecord::from_pb(pb)?),
            Body::HeldGrant(pb) => Self::HeldGrant(GrantRecord::from_pb(pb)?),
            Body::IntakeKey(pb) => Self::IntakeKey {
                id: signed::fixed(&pb.id)?,
                seed: signed::fixed(&pb.seed).map(Zeroizing::new)?,
                valid_from: pb.valid_from,
                valid_until: pb.valid_until,
            },
            Body::HeldKey(pb) => Self::HeldKey {
                id: signed::fixed(&pb.id)?,
                seed: signed::fixed(&pb.seed).map(Zeroizing::new)?,
                valid_from: pb.valid_from,
                valid_until: pb.valid_until,
            },
            Body::HeldWord(signed) => Self::HeldWord(signed),
            Body::Claim(pb) => Self::Claim {
                contact: signed::fixed(&pb.contact)?,
                case_id: pb.case_id,
                device: VerifyingKey::from_bytes(&pb.device_key).ok()?,
            },
            Body::RenewalRequest(pb) => Self::RenewalRequest { request: pb.request },
            Body::Renewed(pb) => Self::Renewed { chains: pb.chains },
            Body::HandoverStep(step) => Self::HandoverStep(step),
            Body::HandoverFile(pb) => Self::HandoverFile {
                handover_id: signed::fixed(&pb.handover_id)?,
                device: VerifyingKey::from_bytes(&pb.device_key).ok()?,
                note: pb.note,
            },
            Body::Assigned(pb) => Self::Assigned {
                case_id: pb.case_id,
                key_package: pb.key_package,
                assignment: pb.assignment,
                note_key: pb.note_key,
            },
            Body::AgainAsked(signed) => Self::AgainAsked(signed),
            Body::AgainAssigned(pb) => Self::AgainAssigned {
                case_id: pb.case_id,
                key: VerifyingKey::from_bytes(&pb.key).ok()?,
                assignment: pb.assignment,
            },
            Body::ReserveKey(pb) => {
                Self::ReserveKey { key: pb.key, shares: pb.shares, holders: pb.holders }
            }
            Body::ReservePart(pb) => Self::ReservePart {
                slot: signed::fixed(&pb.slot)?,
                made_at: pb.made_at,
                index: pb.index,
                count: pb.count,
                note: pb.note,
            },
            Body::ReserveOpened(pb) => Self::ReserveOpened {
                device: VerifyingKey::from_bytes(&pb.device_key).ok()?,
                name: pb.name,
                holders: pb.holders,
                reason: pb.reason,
                cases: pb.cases,
                at: pb.at,
            },
            Body::Cursor(pb) => {
                Self::Cursor { relay: pb.relay, read_to: pb.read_to, mailbox: pb.mailbox }
            }
            Body::Keys(keys) => Self::Keys(Zeroizing::new(keys)),
        })
    }
}

impl GrantRecord {
    fn into_pb(self) -> pb::GrantRecord {
        pb::GrantRecord {
            relay: self.relay,
            label: self.label,
            seal_key: self.seal_key.to_vec(),
            case_id: self.case_id,
            group_id: self.group_id,
        }
    }

    fn from_pb(mut pb: pb::GrantRecord) -> Option<Self> {
        Some(Self {
            relay: mem::take(&mut pb.relay),
            label: mem::take(&mut pb.label),
            seal_key: signed::fixed(&pb.seal_key).map(Zeroizing::new)?,
            case_id: mem::take(&mut pb.case_id),
            group_id: mem::take(&mut pb.group_id),
        })
    }
}

fn share(id: [u8; 8], seed: &[u8; 32], valid_from: i64, valid_until: i64) -> pb::IntakeKeyShare {
    pb::IntakeKeyShare { id: id.to_vec(), seed: seed.to_vec(), valid_from, valid_until }
}

impl fmt::Debug for TeamMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TeamMessage")
    }
}

impl fmt::Debug for GrantRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GrantRecord")
    }
}
