//! What a reader holds of the newest directory under a root, where the group policy finds it.

use budstikke_proto::id::RelayId;
use prost::Message as _;

use super::{Directory, Revocation, Revoked, RootRevocation};
use crate::{
    cert::{CertError, Level, VerifiedDevice, VerifiedUnit},
    keys::{Fingerprint, VerifyingKey},
    pb,
    store::{StateError, StateStore},
};

const KEY: &[u8] = b"directory-trust/";
const NAME: &str = "directory";
/// What the root says of issuers is never forgotten; its certificates end after a year.
const MAX_ISSUERS: usize = 64;

/// What the newest directory under a root, and the root itself, say. Empty before any was seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trust {
    /// The newest directory's number; 0 before any was seen.
    pub number: u64,
    /// When it was made, Unix seconds: it is never earlier now. 0 without one, or if its issuer is
    /// revoked.
    pub made_at: i64,
    /// Until when it holds, Unix seconds.
    pub valid_until: i64,
    issuer: Option<VerifyingKey>,
    revoked: Vec<Revocation>,
}

impl Trust {
    /// Reads what is held under a root.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn load(store: &dyn StateStore, root: &Fingerprint) -> Result<Self, StateError> {
        let Some(bytes) = store.get(&key(root))? else { return Ok(Self::default()) };
        let damaged = || StateError::Damaged(NAME);
        let pb = pb::TrustRecord::decode(bytes.as_slice()).map_err(|_| damaged())?;
        let revoked: Option<_> = pb.revoked.iter().map(Revocation::of).collect();
        Ok(Self {
            number: pb.number,
            made_at: pb.made_at,
            valid_until: pb.valid_until,
            issuer: VerifyingKey::from_bytes(&pb.issuer).ok(),
            revoked: revoked.ok_or_else(damaged)?,
        })
    }

    /// Writes it.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn save(&self, store: &dyn StateStore, root: &Fingerprint) -> Result<(), StateError> {
        let issuer = self.issuer.map(|key| key.as_bytes().to_vec()).unwrap_or_default();
        let pb = pb::TrustRecord {
            number: self.number,
            made_at: self.made_at,
            valid_until: self.valid_until,
            issuer,
            revoked: self.revoked.iter().map(|of| of.to_pb()).collect(),
        };
        store.put(&key(root), &pb.encode_to_vec())
    }

    /// Takes a directory that is [`Newer`](super::Standing::Newer) or
    /// [`AfterGap`](super::Standing::AfterGap). What the root said of issuers stays.
    pub fn take(&mut self, directory: &Directory) {
        self.revoked.retain(|of| matches!(of.what, Revoked::Issuer(_)));
        self.revoked.extend(&directory.revocations);
        self.number = directory.number;
        self.made_at = directory.made_at;
        self.valid_until = directory.valid_until;
        self.issuer = Some(directory.issuer.key);
        for of in &directory.root_revocations {
            self.take_root(of, directory.made_at);
        }
    }

    /// Takes the root's word about an issuer. The directory that this issuer made no longer says what
    /// time it is, nor does it hold; what it revokes stays so until there is another. `now` is Unix
    /// seconds: the root's clock may be ahead.
    pub fn take_root(&mut self, of: &RootRevocation, now: i64) {
        let what = Revoked::Issuer(of.issuer);
        let issuers = self.revoked.iter().filter(|of| matches!(of.what, Revoked::Issuer(_)));
        if issuers.count() < MAX_ISSUERS && self.revocation(what).is_none() {
            let (reason, since, listed_at) = (of.reason, of.since, of.made_at.min(now));
            self.revoked.push(Revocation { what, reason, since, listed_at });
        }
        if self.issuer == Some(of.issuer) {
            (self.made_at, self.valid_until) = (0, 0);
        }
    }

    /// True once a directory was seen and its time is over: authority waits for the next.
    pub fn is_stale(&self, now: i64) -> bool {
        self.number > 0 && now >= self.valid_until
    }

    /// Everything that counts no more.
    pub fn revoked(&self) -> &[Revocation] {
        &self.revoked
    }

    /// What is said of a key, if anything.
    pub fn revocation(&self, what: Revoked) -> Option<&Revocation> {
        self.revoked.iter().find(|of| of.what == what)
    }

    /// What is said of a relay.
    pub fn of_relay(&self, relay: &RelayId) -> Option<&Revocation> {
        self.revocation(Revoked::Relay(*relay))
    }

    /// Fails for a revoked issuer.
    ///
    /// # Errors
    /// [`CertError::Revoked`].
    pub fn check_issuer(&self, key: &VerifyingKey) -> Result<(), CertError> {
        self.check(Revoked::Issuer(*key), Level::Issuer, i64::MAX)
    }

    /// Fails for a revoked unit, or one under a revoked issuer.
    ///
    /// # Errors
    /// [`CertError::Revoked`].
    pub fn check_unit(&self, unit: &VerifiedUnit) -> Result<(), CertError> {
        self.check_unit_at(unit, i64::MAX)
    }

    /// Fails for a revoked device, or one of a revoked unit or under a revoked issuer.
    ///
    /// # Errors
    /// [`CertError::Revoked`].
    pub fn check_device(&self, device: &VerifiedDevice) -> Result<(), CertError> {
        self.check_device_at(device, i64::MAX)
    }

    /// The same as of a time (Unix seconds) in the history of a group, which everybody must read
    /// alike: what was not revoked then stands.
    ///
    /// # Errors
    /// [`CertError::Revoked`].
    pub fn check_device_at(&self, device: &VerifiedDevice, at: i64) -> Result<(), CertError> {
        self.check_unit_at(&device.unit, at)?;
        self.check(Revoked::Device(device.key), Level::Device, at)
    }

    fn check_unit_at(&self, unit: &VerifiedUnit, at: i64) -> Result<(), CertError> {
        self.check(Revoked::Issuer(unit.issuer), Level::Issuer, at)?;
        self.check(Revoked::Unit(unit.key), Level::Unit, at)
    }

    fn check(&self, what: Revoked, level: Level, at: i64) -> Result<(), CertError> {
        match self.revocation(what) {
            Some(of) if of.listed_at <= at => Err(of.error(level)),
            _ => Ok(()),
        }
    }
}

fn key(root: &Fingerprint) -> Vec<u8> {
    [KEY, root].concat()
}
