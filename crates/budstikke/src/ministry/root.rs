//! The root's side of the key ceremony: it certifies issuers, keeps the list of them, and never needs a network.

use budstikke_e2ee::armor;
use budstikke_e2ee::cert::{Chain, IssuerRequest, issue_issuer};
use budstikke_e2ee::directory::RootRevocation;
use budstikke_e2ee::keys::{SigningKey, VerifyingKey};
use data_encoding::HEXLOWER;
use rand_core::OsRng;

use super::issuer::{ISSUER_CERTIFICATE, ISSUER_REQUEST};
use super::{MinistryCard, MinistryPart, card, hex_of, need, only, root_key, there};
use crate::client::{Client, Work};
use crate::directory::{self, RevokeReason};
use crate::error::Error;
use crate::records::{self, IssuerRecord, Ministry, SELF};

/// An issuer's request, before anything is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerRequestCard {
    /// The name it asks for.
    pub name: String,
    /// SHA-256 of its key, 64 hexadecimal digits, to be compared with what its vault shows.
    pub fingerprint: String,
    /// Unix seconds at which the certificate ends that this root made for the same key before, if it did.
    pub certified_until: Option<i64>,
}

/// A certificate for an issuer, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerCertificate {
    /// The text to carry back to the issuer.
    pub text: String,
    /// The issuer's name.
    pub name: String,
    /// SHA-256 of its key, 64 hexadecimal digits.
    pub fingerprint: String,
    /// Unix seconds at which it ends.
    pub not_after: i64,
}

/// An issuer that a root has certified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertifiedIssuer {
    /// Its name.
    pub name: String,
    /// SHA-256 of its key, 64 hexadecimal digits.
    pub fingerprint: String,
    /// Unix seconds at which its newest certificate ends.
    pub not_after: i64,
    /// Unix seconds at which this root revoked it, if it did.
    pub revoked_at: Option<i64>,
}

impl Client {
    /// Founds the Ministry's root alone in this vault, which then never needs a network. Repeating it shows what is
    /// there already.
    ///
    /// # Errors
    /// [`Error::WrongRole`] in a vault that is something else; [`Error::NotReady`] in one with an issuer in it.
    pub async fn found_root(&self, name: &str) -> Result<MinistryCard, Error> {
        let name = name.to_owned();
        self.vault(move |work| {
            if let Some(there) = there(work)? {
                return only(&there, MinistryPart::Root).and_then(|()| card(work, &there));
            }
            let root = SigningKey::generate(&mut OsRng);
            // The name goes into no certificate; one that could not is a mistake all the same.
            IssuerRequest::make(&root, &name, work.now)?;
            let ministry = Ministry {
                name,
                root_seed: root.to_bytes().to_vec(),
                issuer_seed: Vec::new(),
                issuer_chain: Vec::new(),
                holder_seed: Vec::new(),
                holder_root: Vec::new(),
            };
            records::save(work.tx, SELF, &ministry)?;
            card(work, &ministry)
        })
        .await
    }

    /// What an issuer's request says, for a person to compare before [`Client::certify_issuer`].
    ///
    /// # Errors
    /// [`Error::NotReady`] in a vault without the root key; [`Error::Trust`] for what is no request.
    pub async fn read_issuer_request(&self, request: &str) -> Result<IssuerRequestCard, Error> {
        let request = parse(request)?;
        self.vault(move |work| {
            root_key(&need(work)?)?;
            let before = records::load::<IssuerRecord>(work.tx, request.key.as_bytes())?;
            Ok(IssuerRequestCard {
                name: request.name.clone(),
                fingerprint: hex_of(&request.key),
                certified_until: before.map(|record| record.not_after),
            })
        })
        .await
    }

    /// Certifies an issuer for a year. Whoever calls this has compared what [`Client::read_issuer_request`] shows with
    /// the issuer's own vault. The same key may be certified again, and several issuers may hold at a time.
    ///
    /// # Errors
    /// As [`Client::read_issuer_request`]; [`Error::Input`] for a key that this root has revoked.
    pub async fn certify_issuer(&self, request: &str) -> Result<IssuerCertificate, Error> {
        let request = parse(request)?;
        self.vault(move |work| {
            let root = root_key(&need(work)?)?;
            let before = records::load::<IssuerRecord>(work.tx, request.key.as_bytes())?;
            if before.is_some_and(|record| record.revoked_at > 0) {
                return Err(Error::Input {
                    what: "the request",
                    why: "this root has revoked that key: the issuer begins anew in a new vault"
                        .to_owned(),
                });
            }
            let chain = issue_issuer(&root, &request, work.now);
            let made = chain.verify_issuer(&root.public().fingerprint(), work.now)?;
            note(work, &request, &chain)?;
            Ok(IssuerCertificate {
                text: armor::encode(ISSUER_CERTIFICATE, &chain.to_bytes()),
                name: made.name,
                fingerprint: hex_of(&made.key),
                not_after: made.not_after,
            })
        })
        .await
    }
}

impl Client {
    /// The root's signed word that an issuer which it has certified counts no more, with every certificate below it,
    /// as text: for the vault of the issuer that takes its place, and by hand for whoever can't wait. `issuer` is its
    /// fingerprint, `since` Unix seconds for people.
    ///
    /// # Errors
    /// [`Error::NotReady`] in a vault without the root key; [`Error::NotFound`] for an issuer that it has not certified.
    pub async fn sign_issuer_revocation(
        &self,
        issuer: &str,
        reason: RevokeReason,
        since: i64,
    ) -> Result<String, Error> {
        let digits: String = issuer.chars().filter(|c| !c.is_whitespace()).collect();
        let wanted = digits.to_ascii_lowercase();
        self.vault(move |work| {
            let root = root_key(&need(work)?)?;
            for (id, mut record) in records::all::<IssuerRecord>(work.tx)? {
                let key = VerifyingKey::from_bytes(&id)?;
                if hex_of(&key) == wanted {
                    record.revoked_at = work.now;
                    records::save(work.tx, &id, &record)?;
                    let (reason, now) = (directory::reason(reason), work.now);
                    let word = RootRevocation::sign(&root, &key, reason, since, now);
                    return Ok(armor::encode(directory::ROOT_REVOCATION, &word.to_bytes()));
                }
            }
            Err(Error::NotFound { what: "an issuer of that fingerprint" })
        })
        .await
    }
}

fn parse(request: &str) -> Result<IssuerRequest, Error> {
    Ok(IssuerRequest::from_bytes(&armor::decode(ISSUER_REQUEST, request)?)?)
}

/// Keeps an issuer on the root's list.
pub(super) fn note(work: &Work<'_>, request: &IssuerRequest, chain: &Chain) -> Result<(), Error> {
    let not_after = chain.ends()?.first().map_or(work.now, |(_, end)| *end);
    let record = IssuerRecord {
        name: request.name.clone(),
        key: request.key.as_bytes().to_vec(),
        not_after,
        revoked_at: 0,
    };
    records::save(work.tx, request.key.as_bytes(), &record)
}

/// The list goes with the root key.
pub(super) fn forget(work: &Work<'_>) -> Result<(), Error> {
    records::forget(work.tx, |_: &IssuerRecord| true)
}

/// The issuers on the list.
pub(super) fn certified(work: &Work<'_>) -> Result<Vec<CertifiedIssuer>, Error> {
    let records = records::all::<IssuerRecord>(work.tx)?;
    let one = |(_, record): (_, IssuerRecord)| {
        let key = budstikke_e2ee::keys::VerifyingKey::from_bytes(&record.key)
            .map_err(|_| Error::Damaged { what: "an issuer's key" })?;
        Ok(CertifiedIssuer {
            name: record.name.clone(),
            fingerprint: HEXLOWER.encode(&key.fingerprint()),
            not_after: record.not_after,
            revoked_at: Some(record.revoked_at).filter(|at| *at > 0),
        })
    };
    records.into_iter().map(one).collect()
}
