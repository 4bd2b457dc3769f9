//! Certificate requests: the wished-for contents, signed by the key they ask a certificate for.

use prost::Message as _;

use super::{CertError, Role, UnitKind, valid_name, valid_relays, valid_unit_id};
use crate::{
    keys::{SigningKey, VerifyingKey},
    pb, signed,
};
use pb::request_body::Subject;

const DOMAIN: &str = "certificate-request";

/// A request for an issuer certificate. Its signature has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerRequest {
    /// Key to certify.
    pub key: VerifyingKey,
    /// Name for people.
    pub name: String,
    /// Id of the notice under which it will publish the directory.
    pub directory: Option<VerifyingKey>,
}

/// A request for a unit certificate. Its signature has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRequest {
    /// Key to certify.
    pub key: VerifyingKey,
    /// Name for people.
    pub name: String,
    /// Stable id, like `no.emb.karvonia`.
    pub id: String,
    /// What it is.
    pub kind: UnitKind,
    /// Id of the unit's notice.
    pub notice: VerifyingKey,
    /// Where its mailboxes are, for the directory; the certificate does not hold them.
    pub relays: Vec<String>,
}

/// A request for a device certificate. Its signature has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceRequest {
    /// Key to certify.
    pub key: VerifyingKey,
    /// Label for people, like `Officer A`.
    pub label: String,
    /// Roles asked for; the unit decides.
    pub roles: Vec<Role>,
}

impl IssuerRequest {
    /// Makes the request's bytes.
    ///
    /// # Errors
    /// [`CertError::BadName`].
    pub fn make(key: &SigningKey, name: &str, now: i64) -> Result<Vec<u8>, CertError> {
        make(key, name, now, Subject::Issuer(pb::IssuerSubject::default()))
    }

    /// The same for an issuer that will publish the directory under this notice.
    ///
    /// # Errors
    /// [`CertError::BadName`].
    pub fn make_with_directory(
        key: &SigningKey,
        name: &str,
        directory: &VerifyingKey,
        now: i64,
    ) -> Result<Vec<u8>, CertError> {
        let directory_key = directory.as_bytes().to_vec();
        make(key, name, now, Subject::Issuer(pb::IssuerSubject { directory_key }))
    }

    /// Parses and checks a request.
    ///
    /// # Errors
    /// [`CertError::Malformed`], [`CertError::BadName`], [`CertError::BadRequest`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CertError> {
        match open(bytes)? {
            (key, name, Subject::Issuer(subject)) => {
                Ok(Self { key, name, directory: super::directory_key(&subject)? })
            }
            _ => Err(CertError::Malformed),
        }
    }
}

impl UnitRequest {
    /// Makes the request's bytes.
    ///
    /// # Errors
    /// [`CertError::BadName`].
    pub fn make(
        key: &SigningKey,
        name: &str,
        id: &str,
        kind: UnitKind,
        notice: &VerifyingKey,
        now: i64,
    ) -> Result<Vec<u8>, CertError> {
        let notice = *notice;
        let (name, id) = (name.to_owned(), id.to_owned());
        Self { key: key.public(), name, id, kind, notice, relays: Vec::new() }.sign(key, now)
    }

    /// Signs these contents with the key that they ask a certificate for.
    ///
    /// # Errors
    /// [`CertError::BadName`]; [`CertError::NotYourCertificate`] for another key than theirs.
    pub fn sign(&self, key: &SigningKey, now: i64) -> Result<Vec<u8>, CertError> {
        if self.key != key.public() {
            return Err(CertError::NotYourCertificate);
        }
        if !valid_unit_id(&self.id) || !valid_relays(&self.relays) {
            return Err(CertError::BadName);
        }
        let subject = pb::UnitSubject {
            id: self.id.clone(),
            kind: self.kind.to_pb().into(),
            notice_key: self.notice.as_bytes().to_vec(),
            relays: self.relays.clone(),
        };
        make(key, &self.name, now, Subject::Unit(subject))
    }

    /// Parses and checks a request.
    ///
    /// # Errors
    /// [`CertError::Malformed`], [`CertError::BadName`], [`CertError::BadRequest`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CertError> {
        let (key, name, Subject::Unit(subject)) = open(bytes)? else {
            return Err(CertError::Malformed);
        };
        if !valid_unit_id(&subject.id) || !valid_relays(&subject.relays) {
            return Err(CertError::BadName);
        }
        Ok(Self {
            key,
            name,
            relays: subject.relays,
            kind: UnitKind::from_pb(subject.kind).ok_or(CertError::Malformed)?,
            notice: VerifyingKey::from_bytes(&subject.notice_key)
                .map_err(|_| CertError::Malformed)?,
            id: subject.id,
        })
    }
}

impl DeviceRequest {
    /// Makes the request's bytes.
    ///
    /// # Errors
    /// [`CertError::BadName`].
    pub fn make(
        key: &SigningKey,
        label: &str,
        roles: &[Role],
        now: i64,
    ) -> Result<Vec<u8>, CertError> {
        let roles = roles.iter().map(|role| role.to_pb().into()).collect();
        make(key, label, now, Subject::Device(pb::DeviceSubject { roles }))
    }

    /// Parses and checks a request.
    ///
    /// # Errors
    /// [`CertError::Malformed`], [`CertError::BadName`], [`CertError::BadRequest`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CertError> {
        let (key, label, Subject::Device(subject)) = open(bytes)? else {
            return Err(CertError::Malformed);
        };
        let roles: Option<Vec<Role>> = subject.roles.into_iter().map(Role::from_pb).collect();
        Ok(Self { key, label, roles: roles.ok_or(CertError::Malformed)? })
    }
}

fn make(key: &SigningKey, name: &str, now: i64, subject: Subject) -> Result<Vec<u8>, CertError> {
    if !valid_name(name) {
        return Err(CertError::BadName);
    }
    let body = pb::RequestBody {
        version: 1,
        subject_key: key.public().as_bytes().to_vec(),
        name: name.to_owned(),
        made_at: now,
        subject: Some(subject),
    };
    Ok(signed::seal(DOMAIN, key, body.encode_to_vec()))
}

fn open(bytes: &[u8]) -> Result<(VerifyingKey, String, Subject), CertError> {
    let signed = signed::parse(bytes).ok_or(CertError::Malformed)?;
    // The key that checks the signature stands in the body: that is what proof of possession means.
    let body = pb::RequestBody::decode(signed.body.as_slice()).map_err(|_| CertError::Malformed)?;
    let key = VerifyingKey::from_bytes(&body.subject_key).map_err(|_| CertError::Malformed)?;
    signed::check(DOMAIN, &key, &signed).map_err(|_| CertError::BadRequest)?;
    if body.version != 1 {
        return Err(CertError::Malformed);
    }
    if !valid_name(&body.name) {
        return Err(CertError::BadName);
    }
    Ok((key, body.name, body.subject.ok_or(CertError::Malformed)?))
}
