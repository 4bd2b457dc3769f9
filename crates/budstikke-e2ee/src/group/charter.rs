//! The charter: what a group is for, in a GroupContext extension that every member must understand.

use openmls::prelude::{
    Capabilities, CredentialType, Extension, ExtensionType, Extensions, GroupContext,
    ProtocolVersion, RequiredCapabilitiesExtension, UnknownExtension,
};
use prost::Message as _;

use super::GroupError;
use crate::{
    cert::valid_unit_id,
    checks::{Check, Rejection},
    keys::Fingerprint,
    pb, signed,
    suite::CIPHERSUITE,
};

/// Type of the extension, from the range for private use (RFC 9420 section 17.3).
const EXTENSION: u16 = 0xF0B5;
const MAX_UNITS: usize = 4;
const MAX_CASE_ID: usize = 64;

/// What a group is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GroupKind {
    /// The defender's devices and the staff devices assigned to the case.
    Case,
    /// Mission staff and a Ministry desk.
    MinistryLine,
    /// The devices of one unit.
    Team,
}

/// What a group is for. It never changes, but for its terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charter {
    /// What it is.
    pub kind: GroupKind,
    /// Root under which all staff leaves are certified.
    pub root: Fingerprint,
    /// Ids of the units whose devices may be members; 1 to 4.
    pub units: Vec<String>,
    /// Names the case in assignments; 1 to 64 bytes, random.
    pub case_id: Vec<u8>,
    /// Hash of the channel terms in force, once there are some.
    pub terms: Option<[u8; 32]>,
}

impl Charter {
    pub(super) fn check(&self) -> Result<(), GroupError> {
        let units = match self.kind {
            GroupKind::MinistryLine => 2..=MAX_UNITS,
            GroupKind::Case | GroupKind::Team => 1..=1,
        };
        if !units.contains(&self.units.len()) || !self.units.iter().all(|id| valid_unit_id(id)) {
            return Err(GroupError::Argument(
                "a charter names one unit; two to four for a Ministry line",
            ));
        }
        if !(1..=MAX_CASE_ID).contains(&self.case_id.len()) {
            return Err(GroupError::Argument("a case id has 1 to 64 bytes"));
        }
        Ok(())
    }

    /// Exactly the charter and the demand that all members understand it.
    pub(super) fn extensions(&self) -> Result<Extensions<GroupContext>, GroupError> {
        let bytes = pb::Charter {
            version: 1,
            kind: match self.kind {
                GroupKind::Case => pb::GroupKind::Case,
                GroupKind::MinistryLine => pb::GroupKind::MinistryLine,
                GroupKind::Team => pb::GroupKind::Team,
            }
            .into(),
            root_fingerprint: self.root.to_vec(),
            units: self.units.clone(),
            case_id: self.case_id.clone(),
            terms: self.terms.map(|hash| hash.to_vec()).unwrap_or_default(),
        }
        .encode_to_vec();
        Extensions::from_vec(vec![
            Extension::RequiredCapabilities(RequiredCapabilitiesExtension::new(
                &[ExtensionType::Unknown(EXTENSION)],
                &[],
                &[CredentialType::Basic],
            )),
            Extension::Unknown(EXTENSION, UnknownExtension(bytes)),
        ])
        .map_err(GroupError::library)
    }

    /// Reads the charter of a group context and demands that nothing else stands beside it.
    pub(super) fn of(extensions: &Extensions<GroupContext>) -> Result<Self, Rejection> {
        let bad = |why: &str| Rejection::new(Check::Charter, why);
        let bytes = extensions.unknown(EXTENSION).ok_or_else(|| bad("there is no charter"))?;
        let pb = pb::Charter::decode(bytes.0.as_slice()).map_err(|_| bad("it does not parse"))?;
        if pb.version != 1 {
            return Err(bad("it is of an unknown version"));
        }
        let kind = match pb::GroupKind::try_from(pb.kind) {
            Ok(pb::GroupKind::Case) => GroupKind::Case,
            Ok(pb::GroupKind::MinistryLine) => GroupKind::MinistryLine,
            Ok(pb::GroupKind::Team) => GroupKind::Team,
            Ok(pb::GroupKind::Unspecified) | Err(_) => return Err(bad("its kind is unknown")),
        };
        let charter = Self {
            kind,
            root: signed::fixed(&pb.root_fingerprint)
                .ok_or_else(|| bad("its root is malformed"))?,
            units: pb.units,
            case_id: pb.case_id,
            terms: match pb.terms.as_slice() {
                [] => None,
                hash => Some(signed::fixed(hash).ok_or_else(|| bad("its terms are malformed"))?),
            },
        };
        charter.check().map_err(|error| bad(&error.to_string()))?;
        // External senders, foreign requirements and unknown extensions all fail here.
        match charter.extensions() {
            Ok(expected) if same(&expected, extensions) => Ok(charter),
            _ => Err(bad("the group context holds more than the charter")),
        }
    }

    /// What may change from `self` to `next`: the terms, to what both sides accepted.
    pub(super) fn allows(&self, next: &Self, accepted: Option<[u8; 32]>) -> Result<(), Rejection> {
        if self == next {
            return Ok(());
        }
        let changed = Self { terms: next.terms, ..self.clone() };
        if changed != *next {
            return Err(Rejection::new(Check::Charter, "the commit changes more than the terms"));
        }
        if next.terms.is_none() {
            Err(Rejection::new(Check::Charter, "the commit takes the terms away"))
        } else if next.terms == accepted {
            Ok(())
        } else {
            Err(Rejection::new(
                Check::TermsUnseen,
                "the commit sets terms that both sides have not accepted",
            ))
        }
    }
}

fn same(a: &Extensions<GroupContext>, b: &Extensions<GroupContext>) -> bool {
    let (a, b): (Vec<_>, Vec<_>) = (a.iter().collect(), b.iter().collect());
    a.len() == b.len() && a.iter().all(|extension| b.contains(extension))
}

/// What every leaf of this project can do.
pub(super) fn capabilities() -> Capabilities {
    Capabilities::builder()
        .versions(vec![ProtocolVersion::Mls10])
        .ciphersuites(vec![CIPHERSUITE])
        .extensions(vec![ExtensionType::Unknown(EXTENSION)])
        .proposals(Vec::new())
        .credentials(vec![CredentialType::Basic])
        .build()
}
