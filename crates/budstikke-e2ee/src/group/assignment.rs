//! Assignments: an admin device's signed word that a leaf key may join a case.

use prost::Message as _;
use thiserror::Error;

use super::charter::Charter;
use crate::{
    cert::{CertError, Chain, Role, VerifiedDevice},
    keys::{SigningKey, VerifyingKey},
    pb, signed,
};

const DOMAIN: &str = "assignment";

/// A signed assignment, as it travels in the Add commit. Anyone who holds it can add that leaf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment(Vec<u8>);

/// An assignment can't be made or is not good.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
#[non_exhaustive]
pub enum AssignmentError {
    /// Not an assignment.
    #[error("the assignment does not parse")]
    Malformed,
    /// The admin's certificates fail.
    #[error("the assigning admin's certificates do not verify: {0}")]
    Certificate(#[from] CertError),
    /// The signer is not an admin.
    #[error("the assigning device does not have the role admin")]
    NotAdmin,
    /// The signature is false.
    #[error("the assignment's signature is false")]
    Forged,
    /// Its time is over; an admin can make a new one.
    #[error("the assignment has expired; an admin must make a new one")]
    Expired,
    /// For another case.
    #[error("the assignment is for another case")]
    WrongCase,
    /// By an admin of another unit.
    #[error("the assignment is by an admin of another unit")]
    WrongUnit,
}

/// A good assignment's contents.
pub(super) struct Assigned {
    pub(super) leaf_key: VerifyingKey,
    pub(super) admin: VerifiedDevice,
}

impl Assignment {
    /// An admin device assigns `leaf_key` (a device's key, or a defender's when it lost its state)
    /// to a case until `expires` (unix seconds, exclusive).
    ///
    /// # Errors
    /// [`AssignmentError::Certificate`], [`AssignmentError::NotAdmin`].
    pub fn issue(
        admin: &SigningKey,
        chain: &Chain,
        case_id: &[u8],
        leaf_key: &VerifyingKey,
        expires: i64,
        now: i64,
    ) -> Result<Self, AssignmentError> {
        let device = chain.verify_device(&chain.claimed_root(), now)?;
        if device.key != admin.public() || !device.has(Role::Admin) {
            return Err(AssignmentError::NotAdmin);
        }
        let body = pb::AssignmentBody {
            version: 1,
            case_id: case_id.to_vec(),
            leaf_key: leaf_key.as_bytes().to_vec(),
            expires,
            admin_chain: chain.to_bytes(),
        };
        Ok(Self(signed::seal(DOMAIN, admin, body.encode_to_vec())))
    }

    /// Bytes as they travel.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.clone()
    }

    /// Takes bytes that came from a colleague; they are verified when used.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    pub(super) fn verify(&self, charter: &Charter, now: i64) -> Result<Assigned, AssignmentError> {
        let signed = signed::parse(&self.0).ok_or(AssignmentError::Malformed)?;
        let body = pb::AssignmentBody::decode(signed.body.as_slice())
            .map_err(|_| AssignmentError::Malformed)?;
        let admin = Chain::from_bytes(&body.admin_chain)?.verify_device(&charter.root, now)?;
        signed::check(DOMAIN, &admin.key, &signed).map_err(|_| AssignmentError::Forged)?;
        if body.version != 1 {
            return Err(AssignmentError::Malformed);
        }
        if !admin.has(Role::Admin) {
            return Err(AssignmentError::NotAdmin);
        }
        if !charter.units.contains(&admin.unit.id) {
            return Err(AssignmentError::WrongUnit);
        }
        if body.case_id != charter.case_id {
            return Err(AssignmentError::WrongCase);
        }
        if now >= body.expires {
            return Err(AssignmentError::Expired);
        }
        let leaf_key =
            VerifyingKey::from_bytes(&body.leaf_key).map_err(|_| AssignmentError::Malformed)?;
        Ok(Assigned { leaf_key, admin })
    }
}

/// The authenticated data of a commit made at this time, with the assignments of who it adds.
pub(super) fn to_commit_data(assignments: &[Assignment], made_at: i64) -> Vec<u8> {
    let assignments = assignments.iter().map(Assignment::to_bytes).collect();
    pb::CommitData { assignments, made_at }.encode_to_vec()
}

/// When a commit says that it was made, in unix seconds; `None` if it doesn't say.
pub(super) fn made_at(bytes: &[u8]) -> Option<i64> {
    pb::CommitData::decode(bytes).ok().map(|data| data.made_at).filter(|at| *at > 0)
}

/// The assignments of a commit's authenticated data.
pub(super) fn of_commit_data(bytes: &[u8]) -> Result<Vec<Assignment>, AssignmentError> {
    let data = pb::CommitData::decode(bytes).map_err(|_| AssignmentError::Malformed)?;
    Ok(data.assignments.into_iter().map(Assignment).collect())
}
