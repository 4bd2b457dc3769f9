//! What counts no more: by the issuer's word in a directory, and by the root's about an issuer.

use budstikke_proto::id::RelayId;
use prost::Message as _;
use sha2::Digest as _;

use super::DirectoryError;
use crate::{
    cert::{CertError, Level},
    keys::{Fingerprint, SigningKey, VerifyingKey},
    pb, signed,
};
use pb::revocation::What;

const DOMAIN: &str = "root-revocation";

/// Why a key counts no more, for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Nobody knows where it is.
    Lost,
    /// Somebody took it.
    Seized,
    /// Its user has left.
    Left,
    /// Somebody else may have the key.
    Compromised,
    /// Another took its place.
    Replaced,
    /// None was given, or one that this version does not know.
    Other,
}

impl Reason {
    /// Its stable word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Seized => "seized",
            Self::Left => "left",
            Self::Compromised => "compromised",
            Self::Replaced => "replaced",
            Self::Other => "no reason given",
        }
    }

    fn to_pb(self) -> pb::RevocationReason {
        match self {
            Self::Lost => pb::RevocationReason::Lost,
            Self::Seized => pb::RevocationReason::Seized,
            Self::Left => pb::RevocationReason::Left,
            Self::Compromised => pb::RevocationReason::Compromised,
            Self::Replaced => pb::RevocationReason::Replaced,
            Self::Other => pb::RevocationReason::Unspecified,
        }
    }

    fn from_pb(reason: i32) -> Self {
        match pb::RevocationReason::try_from(reason) {
            Ok(pb::RevocationReason::Lost) => Self::Lost,
            Ok(pb::RevocationReason::Seized) => Self::Seized,
            Ok(pb::RevocationReason::Left) => Self::Left,
            Ok(pb::RevocationReason::Compromised) => Self::Compromised,
            Ok(pb::RevocationReason::Replaced) => Self::Replaced,
            Ok(pb::RevocationReason::Unspecified) | Err(_) => Self::Other,
        }
    }
}

/// What is revoked, by its key: a certificate issued again for it stays revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Revoked {
    /// A device.
    Device(VerifyingKey),
    /// A unit, and with it all its devices.
    Unit(VerifyingKey),
    /// A relay: nothing new is put there.
    Relay(RelayId),
    /// An issuer, and with it everything below; only the root can.
    Issuer(VerifyingKey),
}

/// A key that counts no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    /// Which.
    pub what: Revoked,
    /// Why.
    pub reason: Reason,
    /// Unix seconds since when it is lost, for people.
    pub since: i64,
    /// Unix seconds: when the first directory that lists it was made, or the root's word.
    pub listed_at: i64,
}

impl Revocation {
    /// One that a directory may list: an issuer's word about an issuer is none.
    pub(super) fn listed(pb: &pb::Revocation, made_at: i64) -> Option<Self> {
        Self::of(pb).filter(|of| !matches!(of.what, Revoked::Issuer(_)) && of.listed_at <= made_at)
    }

    pub(super) fn of(pb: &pb::Revocation) -> Option<Self> {
        let key = |bytes: &[u8]| VerifyingKey::from_bytes(bytes).ok();
        let what = match pb.what.as_ref()? {
            What::Device(bytes) => Revoked::Device(key(bytes)?),
            What::Unit(bytes) => Revoked::Unit(key(bytes)?),
            What::Issuer(bytes) => Revoked::Issuer(key(bytes)?),
            What::Relay(bytes) => Revoked::Relay(RelayId::from_bytes(signed::fixed(bytes)?)),
        };
        let reason = Reason::from_pb(pb.reason);
        Some(Self { what, reason, since: pb.since, listed_at: pb.listed_at })
    }

    pub(super) fn to_pb(self) -> pb::Revocation {
        let what = match self.what {
            Revoked::Device(key) => What::Device(key.as_bytes().to_vec()),
            Revoked::Unit(key) => What::Unit(key.as_bytes().to_vec()),
            Revoked::Issuer(key) => What::Issuer(key.as_bytes().to_vec()),
            Revoked::Relay(id) => What::Relay(id.as_bytes().to_vec()),
        };
        pb::Revocation {
            what: Some(what),
            since: self.since,
            listed_at: self.listed_at,
            reason: self.reason.to_pb().into(),
        }
    }

    pub(super) fn error(&self, level: Level) -> CertError {
        CertError::Revoked { level, reason: self.reason, since: self.since }
    }
}

/// The root's own word that an issuer counts no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootRevocation {
    /// The issuer's key.
    pub issuer: VerifyingKey,
    /// Why.
    pub reason: Reason,
    /// Unix seconds since when, for people.
    pub since: i64,
    /// Unix seconds.
    pub made_at: i64,
    pub(super) bytes: Vec<u8>,
}

impl RootRevocation {
    /// The root revokes an issuer.
    pub fn sign(
        root: &SigningKey,
        issuer: &VerifyingKey,
        reason: Reason,
        since: i64,
        now: i64,
    ) -> Self {
        let body = pb::RootRevocationBody {
            version: 1,
            root_key: root.public().as_bytes().to_vec(),
            issuer: issuer.as_bytes().to_vec(),
            since,
            made_at: now,
            reason: reason.to_pb().into(),
        };
        let bytes = signed::seal(DOMAIN, root, body.encode_to_vec());
        Self { issuer: *issuer, reason, since, made_at: now, bytes }
    }

    /// Bytes as they travel.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.bytes.clone()
    }

    /// Verifies one under a root.
    ///
    /// # Errors
    /// [`DirectoryError::Malformed`], [`DirectoryError::NotByRoot`].
    pub fn verify(bytes: &[u8], root: &Fingerprint) -> Result<Self, DirectoryError> {
        let signed = signed::parse(bytes).ok_or(DirectoryError::Malformed)?;
        let body = pb::RootRevocationBody::decode(signed.body.as_slice())
            .map_err(|_| DirectoryError::Malformed)?;
        let key =
            VerifyingKey::from_bytes(&body.root_key).map_err(|_| DirectoryError::Malformed)?;
        if sha2::Sha256::digest(key.as_bytes()).as_slice() != root {
            return Err(DirectoryError::NotByRoot);
        }
        signed::check(DOMAIN, &key, &signed).map_err(|_| DirectoryError::NotByRoot)?;
        if body.version != 1 {
            return Err(DirectoryError::Malformed);
        }
        Ok(Self {
            issuer: VerifyingKey::from_bytes(&body.issuer)
                .map_err(|_| DirectoryError::Malformed)?,
            reason: Reason::from_pb(body.reason),
            since: body.since,
            made_at: body.made_at,
            bytes: bytes.to_vec(),
        })
    }

    /// The root that one says it is of; nothing is verified.
    pub fn claimed_root(bytes: &[u8]) -> Option<Fingerprint> {
        let body = pb::RootRevocationBody::decode(signed::parse(bytes)?.body.as_slice()).ok()?;
        Some(VerifyingKey::from_bytes(&body.root_key).ok()?.fingerprint())
    }

    pub(super) fn error(&self) -> CertError {
        CertError::Revoked { level: Level::Issuer, reason: self.reason, since: self.since }
    }
}
