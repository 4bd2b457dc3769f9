//! Certificates: Ministry root → issuer (1 year) → unit (90 days) → device (30 days).
//!
//! A certificate is a small signed protobuf (`cert.proto`), bound to its whole parent by the
//! parent's hash, so that a re-issued parent with other contents makes its children void. The root
//! is a bare key, known by its fingerprint. The unit's kind bounds the roles of its devices.

mod issue;
mod request;
mod verify;

use std::fmt;

use prost::Message as _;
use thiserror::Error;

use crate::{
    directory::Reason,
    keys::{Fingerprint, VerifyingKey},
    pb, signed,
};
pub use issue::{issue_device, issue_issuer, issue_unit};
pub use request::{DeviceRequest, IssuerRequest, UnitRequest};

/// Seconds a certificate of an issuer holds: 1 year.
pub const ISSUER_LIFETIME: i64 = 365 * 86_400;
/// Seconds a unit certificate holds: 90 days.
pub const UNIT_LIFETIME: i64 = 90 * 86_400;
/// Seconds a device certificate holds: 30 days.
pub const DEVICE_LIFETIME: i64 = 30 * 86_400;
/// Seconds by which a certificate begins before it is made, for clocks that are late.
pub const BACKDATE: i64 = 3_600;

pub(crate) const DOMAIN: &str = "certificate";
pub(crate) const MAX_NAME: usize = 100;

/// What a unit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnitKind {
    /// An embassy.
    BilateralMission,
    /// A delegation to an international organisation.
    MultilateralMission,
    /// A desk in the Ministry.
    MinistryDesk,
}

/// What a device's user may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Works on cases at a mission.
    Staff,
    /// The mission's contact person for human rights defenders.
    ContactPerson,
    /// Head of mission.
    HeadOfMission,
    /// Issues device certificates' assignments: who may read which case.
    Admin,
    /// Works at a Ministry desk.
    Desk,
    /// On duty at the Ministry.
    Duty,
    /// Decides on measures.
    DecisionMaker,
    /// Data protection.
    Privacy,
}

impl UnitKind {
    /// True if a unit of this kind may give `role` to a device.
    pub fn allows(self, role: Role) -> bool {
        match role {
            Role::Admin => true,
            Role::Staff | Role::ContactPerson | Role::HeadOfMission => self != Self::MinistryDesk,
            Role::Desk | Role::Duty | Role::DecisionMaker | Role::Privacy => {
                self == Self::MinistryDesk
            }
        }
    }

    pub(crate) fn to_pb(self) -> pb::UnitKind {
        match self {
            Self::BilateralMission => pb::UnitKind::BilateralMission,
            Self::MultilateralMission => pb::UnitKind::MultilateralMission,
            Self::MinistryDesk => pb::UnitKind::MinistryDesk,
        }
    }

    pub(crate) fn from_pb(kind: i32) -> Option<Self> {
        match pb::UnitKind::try_from(kind).ok()? {
            pb::UnitKind::Unspecified => None,
            pb::UnitKind::BilateralMission => Some(Self::BilateralMission),
            pb::UnitKind::MultilateralMission => Some(Self::MultilateralMission),
            pb::UnitKind::MinistryDesk => Some(Self::MinistryDesk),
        }
    }
}

impl Role {
    fn to_pb(self) -> pb::Role {
        match self {
            Self::Staff => pb::Role::Staff,
            Self::ContactPerson => pb::Role::ContactPerson,
            Self::HeadOfMission => pb::Role::HeadOfMission,
            Self::Admin => pb::Role::Admin,
            Self::Desk => pb::Role::Desk,
            Self::Duty => pb::Role::Duty,
            Self::DecisionMaker => pb::Role::DecisionMaker,
            Self::Privacy => pb::Role::Privacy,
        }
    }

    fn from_pb(role: i32) -> Option<Self> {
        match pb::Role::try_from(role).ok()? {
            pb::Role::Unspecified => None,
            pb::Role::Staff => Some(Self::Staff),
            pb::Role::ContactPerson => Some(Self::ContactPerson),
            pb::Role::HeadOfMission => Some(Self::HeadOfMission),
            pb::Role::Admin => Some(Self::Admin),
            pb::Role::Desk => Some(Self::Desk),
            pb::Role::Duty => Some(Self::Duty),
            pb::Role::DecisionMaker => Some(Self::DecisionMaker),
            pb::Role::Privacy => Some(Self::Privacy),
        }
    }
}

/// Where in the chain a certificate stands; errors name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Signed by the root.
    Issuer,
    /// Signed by an issuer.
    Unit,
    /// Signed by a unit.
    Device,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Issuer => "issuer",
            Self::Unit => "unit",
            Self::Device => "device",
        })
    }
}

/// A root key and the certificates below it, as they travel. Nothing in it is believed before
/// [`Chain::verify`].
#[derive(Clone, PartialEq, Eq)]
pub struct Chain {
    root_key: [u8; 32],
    certificates: Vec<Vec<u8>>,
}

/// An issuer whose certificate verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedIssuer {
    /// The root it hangs from.
    pub root: Fingerprint,
    /// Name for people.
    pub name: String,
    /// Its signing key.
    pub key: VerifyingKey,
    /// Id of the directory's notice, if the certificate names one.
    pub directory: Option<VerifyingKey>,
    /// Unix seconds at which its certificate ends.
    pub not_after: i64,
}

/// A unit whose chain verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedUnit {
    /// The root it hangs from.
    pub root: Fingerprint,
    /// Stable id, like `no.emb.karvonia`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// What it is.
    pub kind: UnitKind,
    /// Its signing key.
    pub key: VerifyingKey,
    /// Id of its notice.
    pub notice: VerifyingKey,
    /// Key of the issuer that certified it.
    pub issuer: VerifyingKey,
    /// Id of the directory's notice, if the issuer's certificate names one.
    pub directory: Option<VerifyingKey>,
    /// Unix seconds at which the shortest-lived of issuer and unit certificate ends.
    pub not_after: i64,
}

/// A device whose chain verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedDevice {
    /// Its unit.
    pub unit: VerifiedUnit,
    /// Label for people, like `Officer A`.
    pub label: String,
    /// Its key, also the signature key of its MLS leaves.
    pub key: VerifyingKey,
    /// What its user may do; sorted, not empty, allowed by the unit's kind.
    pub roles: Vec<Role>,
    /// Unix seconds at which the shortest-lived certificate of the chain ends.
    pub not_after: i64,
}

impl VerifiedDevice {
    /// True if the device holds `role`.
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

/// What a chain leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verified {
    /// Issuer and unit.
    Unit(VerifiedUnit),
    /// Issuer, unit and device.
    Device(VerifiedDevice),
}

impl Verified {
    /// The unit, whichever it is.
    pub fn unit(&self) -> &VerifiedUnit {
        match self {
            Self::Unit(unit) => unit,
            Self::Device(device) => &device.unit,
        }
    }
}

impl Chain {
    pub(crate) fn new(root_key: &VerifyingKey, certificates: Vec<Vec<u8>>) -> Self {
        Self { root_key: *root_key.as_bytes(), certificates }
    }

    /// Bytes as they travel.
    pub fn to_bytes(&self) -> Vec<u8> {
        pb::Chain { root_key: self.root_key.to_vec(), certificates: self.certificates.clone() }
            .encode_to_vec()
    }

    /// Parses the outer form; nothing is verified.
    ///
    /// # Errors
    /// [`CertError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CertError> {
        let chain = pb::Chain::decode(bytes).map_err(|_| CertError::Malformed)?;
        let root_key = signed::fixed(&chain.root_key).ok_or(CertError::Malformed)?;
        if !(1..=3).contains(&chain.certificates.len()) {
            return Err(CertError::Malformed);
        }
        Ok(Self { root_key, certificates: chain.certificates })
    }

    /// Certificates in it, 1 to 3.
    pub(crate) fn len(&self) -> usize {
        self.certificates.len()
    }

    /// The fingerprint of the root this chain claims; compare it with one from elsewhere.
    pub fn claimed_root(&self) -> Fingerprint {
        use sha2::Digest as _;
        sha2::Sha256::digest(self.root_key).into()
    }
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chain")
    }
}

/// A certificate or a request is not acceptable. Each message says what is wrong and who can fix
/// it.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
#[non_exhaustive]
pub enum CertError {
    /// Not a certificate chain or request at all.
    #[error("this is not a certificate of a known form; its sender must send it again")]
    Malformed,
    /// The chain hangs from another root.
    #[error("the certificate belongs to another Ministry root than the one you were given")]
    WrongRoot,
    /// The signature of a certificate does not verify.
    #[error(
        "the {0} certificate's signature is false: treat it as forged and tell the unit another way"
    )]
    Forged(Level),
    /// The certificate was issued under another version of its parent.
    #[error(
        "the {0} certificate was issued under another parent certificate; it must be issued again"
    )]
    WrongParent(Level),
    /// A certificate of another level stands where this one should.
    #[error("where the {0} certificate should be there is another kind of certificate")]
    WrongLevel(Level),
    /// Validity has ended.
    #[error("the {level} certificate ended at {not_after}; {}", renewer(*.level))]
    Expired {
        /// Which certificate.
        level: Level,
        /// Unix seconds.
        not_after: i64,
    },
    /// Validity has not begun.
    #[error("the {level} certificate begins at {not_before}: check this device's clock")]
    NotYetValid {
        /// Which certificate.
        level: Level,
        /// Unix seconds.
        not_before: i64,
    },
    /// The directory revokes this key: whatever certificate it has counts no more.
    #[error("the {level}'s key is revoked ({}): do not act on what comes from it", reason.name())]
    Revoked {
        /// Whose.
        level: Level,
        /// Why.
        reason: Reason,
        /// Unix seconds.
        since: i64,
    },
    /// Holds longer than its level may, so its issuer made a mistake or worse.
    #[error("the {0} certificate holds longer than allowed; it must be issued again")]
    TooLong(Level),
    /// The unit's kind may not give that role.
    #[error(
        "a unit of this kind can't give the role {0:?}; the unit must issue the certificate again"
    )]
    RoleNotAllowed(Role),
    /// A device without any role.
    #[error("a device certificate needs at least one role")]
    NoRole,
    /// A unit id or name is empty, too long or has characters it may not have.
    #[error("the unit id or the name is empty, too long, or has characters it may not have")]
    BadName,
    /// The requester does not hold the key it asks a certificate for.
    #[error("the request's signature is false: it was altered; ask for a new one")]
    BadRequest,
    /// The signing key does not belong to the certificate it should sign under.
    #[error("this key does not belong to the certificate to sign with")]
    NotYourCertificate,
}

fn renewer(level: Level) -> &'static str {
    match level {
        Level::Issuer => "the Ministry must renew it",
        Level::Unit => "the Ministry's issuer must renew it",
        Level::Device => "the unit's admin must renew it",
    }
}

/// `no.emb.karvonia`: 3 to 64 characters of `a-z 0-9 . -`.
pub(crate) fn valid_unit_id(id: &str) -> bool {
    (3..=64).contains(&id.len())
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-')
}

/// At most eight relay addresses of a length that one can have.
pub(crate) fn valid_relays(relays: &[String]) -> bool {
    relays.len() <= 8 && relays.iter().all(|relay| (1..=300).contains(&relay.len()))
}

pub(crate) fn valid_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME && !name.chars().any(char::is_control)
}

/// The directory's notice that an issuer names, in its request or its certificate.
fn directory_key(subject: &pb::IssuerSubject) -> Result<Option<VerifyingKey>, CertError> {
    match subject.directory_key.as_slice() {
        [] => Ok(None),
        key => VerifyingKey::from_bytes(key).map(Some).map_err(|_| CertError::Malformed),
    }
}
