//! The Ministry: a root key, an issuer, and the units it certifies (SPEC.md section 10.2).

use budstikke_e2ee::armor;
use budstikke_e2ee::cert::{Chain, IssuerRequest, UnitKind, UnitRequest, issue_issuer, issue_unit};
use budstikke_e2ee::keys::SigningKey;
use data_encoding::HEXLOWER;
use rand_core::OsRng;

use crate::client::{Client, Profile, claim_role, wrong_role};
use crate::error::Error;
use crate::records::{self, Ministry, SELF, fixed};

/// First word of a unit's request for a certificate.
pub(crate) const UNIT_REQUEST: &str = "budunitrequest1";
/// First word of a certificate for a unit.
pub(crate) const UNIT_CERTIFICATE: &str = "budunitcertificate1";

/// The Ministry as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinistryCard {
    /// Its name.
    pub name: String,
    /// SHA-256 of its root key, 64 hexadecimal digits: what every invitation carries.
    pub root_fingerprint: String,
}

/// A certificate for a unit, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitCertificate {
    /// The text to hand back to the unit.
    pub text: String,
    /// Stable id, like `no.emb.karvonia`.
    pub unit_id: String,
    /// Name for people.
    pub name: String,
    /// What it is.
    pub kind: UnitKind,
    /// Unix seconds at which it ends.
    pub not_after: i64,
}

impl Client {
    /// Founds the Ministry in this vault: a root key, and an issuer that it certifies for a year.
    /// Repeating it shows what is there already.
    ///
    /// # Errors
    /// [`Error::WrongRole`] in a vault that is something else; [`Error::Trust`] for an unusable name.
    pub async fn found_ministry(&self, name: &str) -> Result<MinistryCard, Error> {
        let name = name.to_owned();
        self.vault(move |work| {
            claim_role(work, |profile| *profile == Profile::Ministry, "a Ministry")?;
            if let Some(there) = records::load::<Ministry>(work.tx, SELF)? {
                return card(&there);
            }
            let (root, issuer) =
                (SigningKey::generate(&mut OsRng), SigningKey::generate(&mut OsRng));
            let request = IssuerRequest::make(&issuer, &name, work.now)?;
            let chain = issue_issuer(&root, &IssuerRequest::from_bytes(&request)?, work.now);
            let ministry = Ministry {
                name,
                root_seed: root.to_bytes().to_vec(),
                issuer_seed: issuer.to_bytes().to_vec(),
                issuer_chain: chain.to_bytes(),
            };
            records::save(work.tx, SELF, &ministry)?;
            card(&ministry)
        })
        .await
    }

    /// The Ministry of this vault.
    ///
    /// # Errors
    /// [`Error::WrongRole`], [`Error::NotReady`].
    pub async fn ministry(&self) -> Result<MinistryCard, Error> {
        self.vault(|work| match records::load::<Ministry>(work.tx, SELF)? {
            Some(ministry) => card(&ministry),
            None => Err(wrong_role(work, "a Ministry")),
        })
        .await
    }

    /// Certifies a unit for 90 days from its request ([`Client::request_unit`]). Whoever calls this has made sure
    /// that the request is really that mission's.
    ///
    /// # Errors
    /// [`Error::Trust`] for a request that is not one, or a certificate of our own that has ended.
    pub async fn certify_unit(&self, request: &str) -> Result<UnitCertificate, Error> {
        let request = UnitRequest::from_bytes(&armor::decode(UNIT_REQUEST, request)?)?;
        self.vault(move |work| {
            let Some(ministry) = records::load::<Ministry>(work.tx, SELF)? else {
                return Err(wrong_role(work, "a Ministry"));
            };
            let issuer = SigningKey::from_bytes(&fixed(&ministry.issuer_seed, "the issuer's key")?);
            let own = Chain::from_bytes(&ministry.issuer_chain)?;
            let chain = issue_unit(&issuer, &own, &request, work.now)?;
            let unit = chain.verify_unit(&own.claimed_root(), work.now)?;
            Ok(UnitCertificate {
                text: armor::encode(UNIT_CERTIFICATE, &chain.to_bytes()),
                unit_id: unit.id,
                name: unit.name,
                kind: unit.kind,
                not_after: unit.not_after,
            })
        })
        .await
    }
}

fn card(ministry: &Ministry) -> Result<MinistryCard, Error> {
    let root = SigningKey::from_bytes(&fixed(&ministry.root_seed, "the root key")?);
    Ok(MinistryCard {
        name: ministry.name.clone(),
        root_fingerprint: HEXLOWER.encode(&root.public().fingerprint()),
    })
}
