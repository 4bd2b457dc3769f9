//! Issuing: each level signs the next, after checking the request's proof of possession.

use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::{
    BACKDATE, CertError, Chain, DEVICE_LIFETIME, DOMAIN, DeviceRequest, ISSUER_LIFETIME,
    IssuerRequest, Role, UNIT_LIFETIME, UnitRequest, Verified,
};
use crate::{
    keys::{SigningKey, VerifyingKey},
    pb, signed,
};
use pb::certificate_body::Subject;

/// The root certifies an issuer for [`ISSUER_LIFETIME`].
pub fn issue_issuer(root: &SigningKey, request: &IssuerRequest, now: i64) -> Chain {
    let root_key = root.public();
    let body = body(
        root_key.fingerprint(),
        &request.key,
        &request.name,
        (now, ISSUER_LIFETIME),
        Subject::Issuer(pb::IssuerSubject {
            directory_key: request.directory.map(|key| key.as_bytes().to_vec()).unwrap_or_default(),
        }),
    );
    Chain::new(&root_key, vec![signed::seal(DOMAIN, root, body)])
}

/// An issuer certifies a unit for [`UNIT_LIFETIME`], never beyond its own certificate's end.
///
/// # Errors
/// [`CertError::NotYourCertificate`] if `issuer` is not the key certified by `own`; what
/// [`Chain::verify`] finds wrong with `own`.
pub fn issue_unit(
    issuer: &SigningKey,
    own: &Chain,
    request: &UnitRequest,
    now: i64,
) -> Result<Chain, CertError> {
    let parent = own.verify_issuer(&own.claimed_root(), now)?;
    if parent.key != issuer.public() {
        return Err(CertError::NotYourCertificate);
    }
    let subject = Subject::Unit(pb::UnitSubject {
        id: request.id.clone(),
        kind: request.kind.to_pb().into(),
        notice_key: request.notice.as_bytes().to_vec(),
        relays: Vec::new(),
    });
    let lifetime = UNIT_LIFETIME.min(parent.not_after.saturating_sub(now));
    Ok(own.extend(issuer, &request.key, &request.name, (now, lifetime), subject))
}

/// A unit certifies a device for [`DEVICE_LIFETIME`], never beyond its own certificate's end.
/// `roles` are what the unit grants; what the request asked for is only a wish.
///
/// # Errors
/// [`CertError::RoleNotAllowed`] and [`CertError::NoRole`] about `roles`; otherwise as
/// [`issue_unit`].
pub fn issue_device(
    unit: &SigningKey,
    own: &Chain,
    request: &DeviceRequest,
    roles: &[Role],
    now: i64,
) -> Result<Chain, CertError> {
    let Verified::Unit(parent) = own.verify(&own.claimed_root(), now)? else {
        return Err(CertError::NotYourCertificate);
    };
    if parent.key != unit.public() {
        return Err(CertError::NotYourCertificate);
    }
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    if let Some(role) = roles.iter().find(|role| !parent.kind.allows(**role)) {
        return Err(CertError::RoleNotAllowed(*role));
    }
    if roles.is_empty() {
        return Err(CertError::NoRole);
    }
    let roles = roles.into_iter().map(|role| role.to_pb().into()).collect();
    let lifetime = DEVICE_LIFETIME.min(parent.not_after.saturating_sub(now));
    let subject = Subject::Device(pb::DeviceSubject { roles });
    Ok(own.extend(unit, &request.key, &request.label, (now, lifetime), subject))
}

impl Chain {
    fn extend(
        &self,
        signer: &SigningKey,
        key: &VerifyingKey,
        name: &str,
        validity: (i64, i64),
        subject: Subject,
    ) -> Self {
        let parent = self.certificates.last().map(Vec::as_slice).unwrap_or_default();
        let body = body(Sha256::digest(parent).into(), key, name, validity, subject);
        let mut chain = self.clone();
        chain.certificates.push(signed::seal(DOMAIN, signer, body));
        chain
    }
}

fn body(
    parent: [u8; 32],
    key: &VerifyingKey,
    name: &str,
    (now, lifetime): (i64, i64),
    subject: Subject,
) -> Vec<u8> {
    pb::CertificateBody {
        version: 1,
        parent: parent.to_vec(),
        subject_key: key.as_bytes().to_vec(),
        name: name.to_owned(),
        not_before: now.saturating_sub(BACKDATE),
        not_after: now.saturating_add(lifetime),
        subject: Some(subject),
    }
    .encode_to_vec()
}
