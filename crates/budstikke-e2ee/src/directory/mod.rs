//! The directory: the Ministry's signed list of its units, their relays, and the keys that count no
//! more (SPEC.md section 10.10).
//!
//! Directories of a root are a chain: each names the hashes of those before it, so that two readers
//! who are shown different ones can prove it. What follows from the newest is a [`Trust`].

mod make;
mod revocation;
#[cfg(test)]
mod tests;
mod trust;

use std::fmt;

use budstikke_proto::address::RelayAddress;
use prost::Message as _;
use thiserror::Error;

use crate::{
    cert::{CertError, Chain, UnitKind, VerifiedIssuer, valid_name, valid_relays, valid_unit_id},
    keys::{Fingerprint, VerifyingKey, hash},
    pb,
    reserve::{HOLDERS, Holder},
    signed,
};

pub use make::Contents;
pub use revocation::{Reason, Revocation, Revoked, RootRevocation};
pub use trust::Trust;

const DOMAIN: &str = "directory";
/// Most bytes of a directory: it fits a notice.
pub const MAX_LEN: usize = 240_000;
/// Seconds that a directory holds at most: 7 days.
pub const LIFETIME: i64 = 7 * 86_400;
/// Directories before it whose hashes one names.
pub const MAX_HISTORY: usize = 64;
const MAX_UNITS: usize = 512;
const MAX_RELAYS: usize = 64;
const MAX_REVOCATIONS: usize = 1_024;
const MAX_ROOT_REVOCATIONS: usize = 32;

/// A unit as the directory lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedUnit {
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
    /// Relay addresses, at most eight.
    pub relays: Vec<String>,
}

/// A directory that verified under a root.
#[derive(Clone, PartialEq, Eq)]
pub struct Directory {
    /// The root it hangs from.
    pub root: Fingerprint,
    /// Counts up by one.
    pub number: u64,
    /// Names it in the histories of later ones.
    pub hash: [u8; 32],
    /// Who signed it.
    pub issuer: VerifiedIssuer,
    /// Unix seconds.
    pub made_at: i64,
    /// Unix seconds, exclusive.
    pub valid_until: i64,
    /// At most 512.
    pub units: Vec<ListedUnit>,
    /// Where it is published.
    pub relays: Vec<String>,
    /// At most 1,024.
    pub revocations: Vec<Revocation>,
    /// What the root itself says of issuers, as it travels; verified.
    pub root_revocations: Vec<RootRevocation>,
    /// Three, or none: who together may open what an officer left in reserve.
    pub holders: Vec<Holder>,
    history: Vec<[u8; 32]>,
}

/// How a directory stands to the one that a reader holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Standing {
    /// The first, or later than the one held and made upon it.
    Newer,
    /// Later, but its history does not reach back to the one held: it was away for too long to tell.
    AfterGap,
    /// The one held.
    Same,
    /// Older than the one held, and of the same history.
    Older,
    /// Both are signed, and they can't both be of one history: somebody is shown another one.
    Forked,
}

/// A directory that must not be used.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
#[non_exhaustive]
pub enum DirectoryError {
    /// Not one, or it breaks a bound.
    #[error("the Ministry's directory is malformed, or of another version than this program knows")]
    Malformed,
    /// The issuer's certificate fails, or is revoked.
    #[error("the Ministry's directory is signed under a certificate that does not hold: {0}")]
    Certificate(#[from] CertError),
    /// The signature is false.
    #[error("the directory's signature is false: it is not the Ministry's")]
    Forged,
    /// The root's signature is false, or it is another root's.
    #[error("the revocation of an issuer is not signed by this Ministry's root")]
    NotByRoot,
    /// Too much for one directory: its publisher must list less.
    #[error("the directory would be larger than a notice: list less")]
    TooLarge,
}

impl Directory {
    /// Verifies a directory under a root. `now` is Unix seconds; a directory made later is verified
    /// as of when it was made, since it is the clock that may be wrong.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub fn verify(bytes: &[u8], root: &Fingerprint, now: i64) -> Result<Self, DirectoryError> {
        if bytes.len() > MAX_LEN {
            return Err(DirectoryError::Malformed);
        }
        let (signed, body, chain) = parse(bytes).ok_or(DirectoryError::Malformed)?;
        let issuer = chain.verify_issuer(root, now.max(body.made_at))?;
        signed::check(DOMAIN, &issuer.key, &signed).map_err(|_| DirectoryError::Forged)?;
        let hash = hash(DOMAIN, &[&signed.body]);
        Self::read(body, hash, issuer, &chain).ok_or(DirectoryError::Malformed)?
    }

    /// One that verified before, as it was kept: read again whatever the time.
    ///
    /// # Errors
    /// [`DirectoryError`] for what is none.
    pub fn kept(bytes: &[u8], root: &Fingerprint) -> Result<Self, DirectoryError> {
        let (signed, body, chain) = parse(bytes).ok_or(DirectoryError::Malformed)?;
        let issuer = chain.trusted_issuer(root)?;
        let hash = hash(DOMAIN, &[&signed.body]);
        Self::read(body, hash, issuer, &chain).ok_or(DirectoryError::Malformed)?
    }

    /// The root that a directory says it hangs from; nothing is verified.
    pub fn claimed_root(bytes: &[u8]) -> Option<Fingerprint> {
        parse(bytes).map(|(_, _, chain)| chain.claimed_root())
    }

    fn read(
        body: pb::DirectoryBody,
        hash: [u8; 32],
        issuer: VerifiedIssuer,
        chain: &Chain,
    ) -> Option<Result<Self, DirectoryError>> {
        let earlier = usize::try_from(body.number.checked_sub(1)?).unwrap_or(usize::MAX);
        let lasts = body.valid_until.checked_sub(body.made_at)?;
        let sound = body.version == 1
            && chain.len() == 1
            && (1..=LIFETIME).contains(&lasts)
            && body.history.len() == earlier.min(MAX_HISTORY)
            && body.units.len() <= MAX_UNITS
            && body.relays.len() <= MAX_RELAYS
            && body.relays.iter().all(|relay| relay.parse::<RelayAddress>().is_ok())
            && body.revocations.len() <= MAX_REVOCATIONS
            && body.root_revocations.len() <= MAX_ROOT_REVOCATIONS
            && [0, HOLDERS].contains(&body.holders.len());
        if !sound {
            return None;
        }
        let root_revocations: Result<Vec<_>, _> = body
            .root_revocations
            .iter()
            .map(|bytes| RootRevocation::verify(bytes, &issuer.root))
            .collect();
        let root_revocations = match root_revocations {
            Ok(revocations) => revocations,
            Err(error) => return Some(Err(error)),
        };
        if let Some(of) = root_revocations.iter().find(|of| of.issuer == issuer.key) {
            return Some(Err(of.error().into()));
        }
        Some(Ok(Self {
            root: issuer.root,
            number: body.number,
            hash,
            made_at: body.made_at,
            valid_until: body.valid_until,
            units: body.units.into_iter().map(ListedUnit::of).collect::<Option<_>>()?,
            relays: body.relays,
            revocations: body
                .revocations
                .iter()
                .map(|of| Revocation::listed(of, body.made_at))
                .collect::<Option<_>>()?,
            root_revocations,
            holders: body.holders.into_iter().map(Holder::of).collect::<Option<_>>()?,
            history: body.history.iter().map(|hash| signed::fixed(hash)).collect::<Option<_>>()?,
            issuer,
        }))
    }

    /// How this directory stands to the one that the reader holds, if it holds one, and to what the
    /// root has said of issuers.
    ///
    /// # Errors
    /// [`CertError::Revoked`] if its issuer is.
    pub fn against(&self, held: Option<&Self>, trust: &Trust) -> Result<Standing, CertError> {
        trust.check_issuer(&self.issuer.key)?;
        Ok(match held {
            None => Standing::Newer,
            // What a revoked issuer has made binds nobody who comes after it.
            Some(held) if self.revokes(&held.issuer.key) => Standing::Newer,
            Some(held) if trust.check_issuer(&held.issuer.key).is_err() => Standing::Newer,
            Some(held) => self.after(held),
        })
    }

    fn revokes(&self, issuer: &VerifyingKey) -> bool {
        self.root_revocations.iter().any(|of| of.issuer == *issuer)
    }

    fn after(&self, held: &Self) -> Standing {
        if self.number < held.number {
            return match held.before(self.number) {
                Some(hash) if *hash != self.hash => Standing::Forked,
                _ => Standing::Older,
            };
        }
        if self.number == held.number {
            return if self.hash == held.hash { Standing::Same } else { Standing::Forked };
        }
        match self.before(held.number) {
            Some(hash) if *hash == held.hash && self.made_at >= held.made_at => Standing::Newer,
            Some(_) => Standing::Forked,
            None => Standing::AfterGap,
        }
    }

    /// The hash that the history names for an earlier number.
    fn before(&self, number: u64) -> Option<&[u8; 32]> {
        let back = self.number.checked_sub(number)?.checked_sub(1)?;
        self.history.get(usize::try_from(back).ok()?)
    }
}

fn parse(bytes: &[u8]) -> Option<(pb::Signed, pb::DirectoryBody, Chain)> {
    let signed = signed::parse(bytes)?;
    let body = pb::DirectoryBody::decode(signed.body.as_slice()).ok()?;
    let chain = Chain::from_bytes(&body.chain).ok()?;
    Some((signed, body, chain))
}

impl ListedUnit {
    fn of(pb: pb::ListedUnit) -> Option<Self> {
        let sound = valid_unit_id(&pb.id)
            && valid_name(&pb.name)
            && valid_relays(&pb.relays)
            && pb.relays.iter().all(|relay| relay.parse::<RelayAddress>().is_ok());
        if !sound {
            return None;
        }
        Some(Self {
            kind: UnitKind::from_pb(pb.kind)?,
            key: VerifyingKey::from_bytes(&pb.key).ok()?,
            notice: VerifyingKey::from_bytes(&pb.notice_key).ok()?,
            id: pb.id,
            name: pb.name,
            relays: pb.relays,
        })
    }

    fn to_pb(&self) -> pb::ListedUnit {
        pb::ListedUnit {
            id: self.id.clone(),
            name: self.name.clone(),
            kind: self.kind.to_pb().into(),
            key: self.key.as_bytes().to_vec(),
            notice_key: self.notice.as_bytes().to_vec(),
            relays: self.relays.clone(),
        }
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Directory")
    }
}
