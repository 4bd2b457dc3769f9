//! The issuer's side: its own certificate from the root, and the units that it certifies.

use budstikke_e2ee::armor;
use budstikke_e2ee::cert::{CertError, Chain, UnitKind, UnitRequest, issue_unit};
use budstikke_e2ee::keys::SigningKey;
use prost::Message;
use rand_core::OsRng;

use super::{MinistryCard, UNIT_CERTIFICATE, UNIT_REQUEST, card, issuer_key, need, request, there};
use crate::client::{Client, Work};
use crate::directory;
use crate::error::Error;
use crate::records::{self, Ministry, SELF};

/// First word of an issuer's request for a certificate.
pub(super) const ISSUER_REQUEST: &str = "budissuerrequest1";
/// First word of a certificate for an issuer.
pub(super) const ISSUER_CERTIFICATE: &str = "budissuercertificate1";

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
    /// Whether it ends with the issuer's own certificate, which has to be renewed first for a longer one.
    pub cut_short: bool,
}

impl Client {
    /// Makes an issuer's key in this vault, and the request that is carried to the root. Repeating it writes the
    /// request anew, for the same key: so an issuer is renewed. `name` may then be left out.
    ///
    /// # Errors
    /// [`Error::WrongRole`]; [`Error::NotReady`] in the root's own vault, or without a name; [`Error::Trust`] for an
    /// unusable name.
    pub async fn request_issuer(&self, name: Option<&str>) -> Result<String, Error> {
        let name = name.map(str::to_owned);
        self.vault(move |work| {
            let ministry = match (there(work)?, name) {
                (Some(there), _) => there,
                (None, Some(name)) => Ministry {
                    name,
                    root_seed: Vec::new(),
                    issuer_seed: SigningKey::generate(&mut OsRng).to_bytes().to_vec(),
                    issuer_chain: Vec::new(),
                    holder_seed: Vec::new(),
                    holder_root: Vec::new(),
                },
                (None, None) => return Err(Error::NotReady("a new issuer needs a name")),
            };
            let key = issuer_key(&ministry)?;
            let request = request(work, &key, &ministry.name)?;
            records::save(work.tx, SELF, &ministry)?;
            Ok(armor::encode(ISSUER_REQUEST, &request))
        })
        .await
    }

    /// Installs the root's certificate for this issuer. The root that it names is to be compared with the root's own
    /// vault; a later certificate has to come from the same one.
    ///
    /// # Errors
    /// [`Error::Trust`] for a certificate that does not verify, or is for another key or from another root;
    /// [`Error::Input`] for one that ends no later than what is installed.
    pub async fn install_issuer(&self, certificate: &str) -> Result<MinistryCard, Error> {
        let chain = Chain::from_bytes(&armor::decode(ISSUER_CERTIFICATE, certificate)?)?;
        self.vault(move |work| {
            let mut ministry = need(work)?;
            let key = issuer_key(&ministry)?;
            if ministry.issuer_chain == chain.to_bytes() {
                return card(work, &ministry);
            }
            let mut root = chain.claimed_root();
            let mut ends = i64::MIN;
            if !ministry.issuer_chain.is_empty() {
                let own = Chain::from_bytes(&ministry.issuer_chain)?;
                root = own.claimed_root();
                ends = own.ends()?.first().map_or(ends, |(_, end)| *end);
            }
            let made = chain.verify_issuer(&root, work.now)?;
            if made.key != key.public() || chain.parent().is_some() {
                return Err(CertError::NotYourCertificate.into());
            }
            directory::trust(work, &root)?.check_issuer(&made.key)?;
            if made.not_after <= ends {
                return Err(crate::mission::no_later());
            }
            ministry.issuer_chain = chain.to_bytes();
            records::save(work.tx, SELF, &ministry)?;
            card(work, &ministry)
        })
        .await
    }

    /// Certifies a unit for 90 days from its request ([`Client::request_unit`], [`Client::renew_unit`]), or until this
    /// issuer's own certificate ends. Whoever calls this has made sure that the request is really that mission's.
    ///
    /// # Errors
    /// [`Error::Trust`] for a request that is not one, or a certificate of our own that has ended;
    /// [`Error::NotReady`] in the root's vault, or before this issuer is certified.
    pub async fn certify_unit(&self, request: &str) -> Result<UnitCertificate, Error> {
        let request = UnitRequest::from_bytes(&armor::decode(UNIT_REQUEST, request)?)?;
        self.vault(move |work| {
            let ministry = need(work)?;
            let issuer = issuer_key(&ministry)?;
            if ministry.issuer_chain.is_empty() {
                return Err(Error::NotReady(
                    "this issuer waits for its certificate: carry its request to the root's vault",
                ));
            }
            let own = Chain::from_bytes(&ministry.issuer_chain)?;
            let root = own.claimed_root();
            directory::authority(work, &root)?;
            let chain = issue_unit(&issuer, &own, &request, work.now)?;
            // A key that was lost once is not certified again.
            let unit = directory::unit(work, &chain, &root)?;
            directory::list(work, &request, &unit)?;
            let issuer_ends = own.ends()?.first().map_or(i64::MAX, |(_, end)| *end);
            Ok(UnitCertificate {
                text: certificate_text(work, &chain)?,
                unit_id: unit.id,
                name: unit.name,
                kind: unit.kind,
                not_after: unit.not_after,
                cut_short: unit.not_after == issuer_ends,
            })
        })
        .await
    }
}

/// A unit's certificate as text. The directory that is held goes with it, so that the unit has one from the start.
fn certificate_text(work: &Work<'_>, chain: &Chain) -> Result<String, Error> {
    let with = WithDirectory { directory: directory::held_bytes(work, &chain.claimed_root())? };
    // A message's fields may follow one another: to a reader of chains alone this one is unknown.
    let bytes = [chain.to_bytes(), with.encode_to_vec()].concat();
    Ok(armor::encode(UNIT_CERTIFICATE, &bytes))
}

/// What goes with the chain of a unit's certificate.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct WithDirectory {
    #[prost(bytes = "vec", tag = "15")]
    pub(crate) directory: Vec<u8>,
}
