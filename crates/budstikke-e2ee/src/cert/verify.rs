//! Verification from the root down.

use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::{
    BACKDATE, CertError, Chain, DEVICE_LIFETIME, DOMAIN, ISSUER_LIFETIME, Level, Role,
    UNIT_LIFETIME, UnitKind, Verified, VerifiedDevice, VerifiedIssuer, VerifiedUnit, valid_name,
    valid_unit_id,
};
use crate::{
    keys::{Fingerprint, VerifyingKey},
    pb, signed,
};
use pb::certificate_body::Subject;

impl Chain {
    /// Verifies every certificate at `now` (unix seconds) from the root whose fingerprint the
    /// reader holds down to the last.
    ///
    /// # Errors
    /// [`CertError`]: the first failure from the root down.
    pub fn verify(&self, root: &Fingerprint, now: i64) -> Result<Verified, CertError> {
        let issuer = self.verify_issuer(root, now)?;
        let unit = self.unit(root, &issuer, Some(now))?;
        match self.certificates.len() {
            2 => Ok(Verified::Unit(unit)),
            _ => self.device(unit, Some(now)).map(Verified::Device),
        }
    }

    /// As [`Chain::verify`], for a chain that must end with a unit.
    ///
    /// # Errors
    /// [`CertError::WrongLevel`] if it goes on to a device; otherwise as `verify`.
    pub fn verify_unit(&self, root: &Fingerprint, now: i64) -> Result<VerifiedUnit, CertError> {
        match self.verify(root, now)? {
            Verified::Unit(unit) => Ok(unit),
            Verified::Device(_) => Err(CertError::WrongLevel(Level::Unit)),
        }
    }

    /// As [`Chain::verify`], for a chain that must end with a device.
    ///
    /// # Errors
    /// [`CertError::WrongLevel`] if it ends with the unit; otherwise as `verify`.
    pub fn verify_device(&self, root: &Fingerprint, now: i64) -> Result<VerifiedDevice, CertError> {
        match self.verify(root, now)? {
            Verified::Device(device) => Ok(device),
            Verified::Unit(_) => Err(CertError::WrongLevel(Level::Device)),
        }
    }

    /// What a chain says that was verified before, when its leaf was let in or when it was installed as one's own: read
    /// again without the cost of its signatures (three of 65 µs) and whatever the time.
    ///
    /// # Errors
    /// [`CertError`] for what is no chain of a device.
    pub fn trusted_device(&self, root: &Fingerprint) -> Result<VerifiedDevice, CertError> {
        let issuer = self.issuer_at(root, None)?;
        let unit = self.unit(root, &issuer, None)?;
        self.device(unit, None)
    }

    /// The same for a chain that need not go on to a device.
    ///
    /// # Errors
    /// [`CertError`] for what is no chain of a unit.
    pub fn trusted_unit(&self, root: &Fingerprint) -> Result<VerifiedUnit, CertError> {
        let issuer = self.issuer_at(root, None)?;
        self.unit(root, &issuer, None)
    }

    /// When each certificate of this chain ends, unix seconds, the issuer's first; read without
    /// verifying, for a chain of one's own.
    ///
    /// # Errors
    /// [`CertError`] for what is no chain.
    pub fn ends(&self) -> Result<Vec<(Level, i64)>, CertError> {
        let levels = [Level::Issuer, Level::Unit, Level::Device];
        let ends = levels.into_iter().zip(&self.certificates).map(|(level, bytes)| {
            let signed = signed::parse(bytes).ok_or(CertError::Malformed)?;
            let body = pb::CertificateBody::decode(signed.body.as_slice());
            Ok((level, body.map_err(|_| CertError::Malformed)?.not_after))
        });
        ends.collect()
    }

    /// The chain of whoever signed the last certificate; `None` above an issuer stands the bare
    /// root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.certificates.split_last()?;
        let parent = Self { root_key: self.root_key, certificates: above.to_vec() };
        (!above.is_empty()).then_some(parent)
    }

    /// What the issuer's certificate says, without checking it again.
    ///
    /// # Errors
    /// [`CertError`] for what is no chain.
    pub fn trusted_issuer(&self, root: &Fingerprint) -> Result<VerifiedIssuer, CertError> {
        self.issuer_at(root, None)
    }

    /// Verifies the issuer's certificate, the first of every chain, at `now` (unix seconds).
    ///
    /// # Errors
    /// [`CertError`].
    pub fn verify_issuer(&self, root: &Fingerprint, now: i64) -> Result<VerifiedIssuer, CertError> {
        self.issuer_at(root, Some(now))
    }

    fn issuer_at(&self, root: &Fingerprint, now: Option<i64>) -> Result<VerifiedIssuer, CertError> {
        if self.claimed_root() != *root {
            return Err(CertError::WrongRoot);
        }
        let root_key =
            VerifyingKey::from_bytes(&self.root_key).map_err(|_| CertError::Malformed)?;
        let link = self.link(Level::Issuer, &root_key, *root, now)?;
        let Some(Subject::Issuer(subject)) = link.subject else {
            return Err(CertError::WrongLevel(Level::Issuer));
        };
        Ok(VerifiedIssuer {
            root: *root,
            name: link.name,
            key: link.key,
            directory: super::directory_key(&subject)?,
            not_after: link.not_after,
        })
    }

    fn unit(
        &self,
        root: &Fingerprint,
        issuer: &VerifiedIssuer,
        now: Option<i64>,
    ) -> Result<VerifiedUnit, CertError> {
        let link = self.link(Level::Unit, &issuer.key, self.hash_of(0), now)?;
        let Some(Subject::Unit(subject)) = link.subject else {
            return Err(CertError::WrongLevel(Level::Unit));
        };
        if !valid_unit_id(&subject.id) {
            return Err(CertError::BadName);
        }
        Ok(VerifiedUnit {
            root: *root,
            kind: UnitKind::from_pb(subject.kind).ok_or(CertError::Malformed)?,
            notice: VerifyingKey::from_bytes(&subject.notice_key)
                .map_err(|_| CertError::Malformed)?,
            id: subject.id,
            name: link.name,
            key: link.key,
            issuer: issuer.key,
            directory: issuer.directory,
            not_after: link.not_after.min(issuer.not_after),
        })
    }

    fn device(&self, unit: VerifiedUnit, now: Option<i64>) -> Result<VerifiedDevice, CertError> {
        let link = self.link(Level::Device, &unit.key, self.hash_of(1), now)?;
        let Some(Subject::Device(subject)) = link.subject else {
            return Err(CertError::WrongLevel(Level::Device));
        };
        let roles: Option<Vec<Role>> = subject.roles.into_iter().map(Role::from_pb).collect();
        let mut roles = roles.ok_or(CertError::Malformed)?;
        roles.sort_unstable();
        roles.dedup();
        if let Some(role) = roles.iter().find(|role| !unit.kind.allows(**role)) {
            return Err(CertError::RoleNotAllowed(*role));
        }
        if roles.is_empty() {
            return Err(CertError::NoRole);
        }
        let not_after = link.not_after.min(unit.not_after);
        Ok(VerifiedDevice { unit, label: link.name, key: link.key, roles, not_after })
    }

    /// One certificate, checked at `now`; without it only read.
    fn link(
        &self,
        level: Level,
        signer: &VerifyingKey,
        parent: [u8; 32],
        now: Option<i64>,
    ) -> Result<Link, CertError> {
        let position = level as usize;
        let bytes = self.certificates.get(position).ok_or(CertError::WrongLevel(level))?;
        let signed = signed::parse(bytes).ok_or(CertError::Malformed)?;
        if now.is_some() {
            signed::check(DOMAIN, signer, &signed).map_err(|_| CertError::Forged(level))?;
        }
        let body = pb::CertificateBody::decode(signed.body.as_slice())
            .map_err(|_| CertError::Malformed)?;
        if body.version != 1 {
            return Err(CertError::Malformed);
        }
        if body.parent != parent {
            return Err(CertError::WrongParent(level));
        }
        if !valid_name(&body.name) {
            return Err(CertError::BadName);
        }
        check_time(level, body.not_before, body.not_after, now)?;
        Ok(Link {
            key: VerifyingKey::from_bytes(&body.subject_key).map_err(|_| CertError::Malformed)?,
            name: body.name,
            not_after: body.not_after,
            subject: body.subject,
        })
    }

    fn hash_of(&self, position: usize) -> [u8; 32] {
        let bytes = self.certificates.get(position).map(Vec::as_slice).unwrap_or_default();
        Sha256::digest(bytes).into()
    }
}

struct Link {
    key: VerifyingKey,
    name: String,
    not_after: i64,
    subject: Option<Subject>,
}

fn check_time(
    level: Level,
    not_before: i64,
    not_after: i64,
    now: Option<i64>,
) -> Result<(), CertError> {
    let longest = BACKDATE
        + match level {
            Level::Issuer => ISSUER_LIFETIME,
            Level::Unit => UNIT_LIFETIME,
            Level::Device => DEVICE_LIFETIME,
        };
    if not_after.saturating_sub(not_before) > longest {
        return Err(CertError::TooLong(level));
    }
    match now {
        Some(now) if now < not_before => Err(CertError::NotYetValid { level, not_before }),
        Some(now) if now >= not_after => Err(CertError::Expired { level, not_after }),
        _ => Ok(()),
    }
}
