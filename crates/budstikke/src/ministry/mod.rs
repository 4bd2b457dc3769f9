//! The Ministry: a root key, issuers under it, and the units that they certify (SPEC.md section 10.2).
//!
//! A small Ministry keeps root and issuer in one vault. Otherwise the root has a vault of its own on a machine without
//! a network ([`root`]) and certifies an issuer's vault ([`issuer`]) by files that are carried by hand.

mod issuer;
mod root;

pub use issuer::UnitCertificate;
pub(crate) use issuer::WithDirectory;
pub use root::{CertifiedIssuer, IssuerCertificate, IssuerRequestCard};

use budstikke_e2ee::cert::{Chain, IssuerRequest, issue_issuer};
use budstikke_e2ee::keys::{SigningKey, VerifyingKey};
use data_encoding::HEXLOWER;
use rand_core::OsRng;

use crate::client::{Client, Profile, Work, claim_role, wrong_role};
use crate::directory;
use crate::error::Error;
use crate::records::{self, Ministry, Publishing, SELF, fixed};
use crate::reserve;

/// First word of a unit's request for a certificate.
pub(crate) const UNIT_REQUEST: &str = "budunitrequest1";
/// First word of a certificate for a unit.
pub(crate) const UNIT_CERTIFICATE: &str = "budunitcertificate1";

const HOLDER: Error = Error::NotReady(
    "this vault is a holder's and does nothing else: take the issuer's, or the root's",
);

/// Which of the Ministry's keys a vault holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MinistryPart {
    /// Root and issuer.
    Whole,
    /// The root alone: it certifies issuers and nothing else, and needs no network.
    Root,
    /// An issuer alone: it certifies units.
    Issuer,
    /// An issuer that waits for the root's certificate.
    Waiting,
    /// A holder's key: it helps to open what an officer left in reserve, and nothing else.
    Holder,
}

/// A vault of the Ministry as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MinistryCard {
    /// The Ministry's name; in an issuer's vault the issuer's.
    pub name: String,
    /// What the vault holds.
    pub part: MinistryPart,
    /// SHA-256 of the root key, 64 hexadecimal digits: what every invitation carries. Empty while an issuer waits.
    pub root_fingerprint: String,
    /// SHA-256 of the issuer's key, 64 hexadecimal digits; empty in the root's vault.
    pub issuer_fingerprint: String,
    /// Unix seconds at which the issuer's certificate ends; 0 where there is none.
    pub not_after: i64,
    /// The issuers that this root has certified, the newest last; empty in an issuer's vault.
    pub issuers: Vec<CertifiedIssuer>,
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
            if let Some(there) = there(work)? {
                return only(&there, MinistryPart::Whole).and_then(|()| card(work, &there));
            }
            let (root, issuer) =
                (SigningKey::generate(&mut OsRng), SigningKey::generate(&mut OsRng));
            let request = IssuerRequest::from_bytes(&request(work, &issuer, &name)?)?;
            let chain = issue_issuer(&root, &request, work.now);
            root::note(work, &request, &chain)?;
            let ministry = Ministry {
                name,
                root_seed: root.to_bytes().to_vec(),
                issuer_seed: issuer.to_bytes().to_vec(),
                issuer_chain: chain.to_bytes(),
                holder_seed: Vec::new(),
                holder_root: Vec::new(),
            };
            records::save(work.tx, SELF, &ministry)?;
            card(work, &ministry)
        })
        .await
    }

    /// The Ministry of this vault.
    ///
    /// # Errors
    /// [`Error::WrongRole`], [`Error::NotReady`].
    pub async fn ministry(&self) -> Result<MinistryCard, Error> {
        self.vault(|work| card(work, &need(work)?)).await
    }

    /// Forgets one of the two keys of a vault that holds both, for good: [`MinistryPart::Root`] leaves the root,
    /// [`MinistryPart::Issuer`] the issuer. Made twice, on the vault and on a copy of it, this parts them. Copies that
    /// were made before still hold both.
    ///
    /// # Errors
    /// [`Error::NotReady`] in a vault that does not hold both.
    pub async fn split_ministry(&self, keep: MinistryPart) -> Result<MinistryCard, Error> {
        self.vault(move |work| {
            let mut ministry = need(work)?;
            only(&ministry, MinistryPart::Whole)?;
            match keep {
                MinistryPart::Root => {
                    zeroize::Zeroize::zeroize(&mut ministry.issuer_seed);
                    ministry.issuer_chain.clear();
                    records::remove::<Publishing>(work.tx, SELF)?;
                }
                MinistryPart::Issuer => {
                    zeroize::Zeroize::zeroize(&mut ministry.root_seed);
                    root::forget(work)?;
                }
                _ => return Err(Error::NotReady("keep the root, or the issuer")),
            }
            records::save(work.tx, SELF, &ministry)?;
            // Not only out of use: off the disk with this transaction.
            work.tx.erase_now();
            card(work, &ministry)
        })
        .await
    }
}

/// The Ministry's record, in a vault that is one's or still new.
fn there(work: &Work<'_>) -> Result<Option<Ministry>, Error> {
    claim_role(work, |profile| *profile == Profile::Ministry, "a Ministry")?;
    records::load(work.tx, SELF)
}

fn need(work: &Work<'_>) -> Result<Ministry, Error> {
    records::load(work.tx, SELF)?.ok_or_else(|| wrong_role(work, "a Ministry"))
}

fn part(ministry: &Ministry) -> MinistryPart {
    if reserve::holder_of(ministry).is_some() {
        return MinistryPart::Holder;
    }
    match (ministry.root_seed.is_empty(), ministry.issuer_seed.is_empty()) {
        (false, false) => MinistryPart::Whole,
        (false, true) => MinistryPart::Root,
        (true, _) if ministry.issuer_chain.is_empty() => MinistryPart::Waiting,
        (true, _) => MinistryPart::Issuer,
    }
}

/// Fails unless the vault holds exactly this.
fn only(ministry: &Ministry, wanted: MinistryPart) -> Result<(), Error> {
    match part(ministry) {
        there if there == wanted => Ok(()),
        MinistryPart::Whole => Err(Error::NotReady(
            "this vault holds root and issuer together: take another folder, or part them",
        )),
        MinistryPart::Root => Err(Error::NotReady(
            "this vault holds the root key alone: an issuer has a vault of its own",
        )),
        MinistryPart::Holder => Err(HOLDER),
        _ => Err(Error::NotReady("this vault is an issuer's: the root key has a vault of its own")),
    }
}

fn root_key(ministry: &Ministry) -> Result<SigningKey, Error> {
    if ministry.root_seed.is_empty() {
        return Err(Error::NotReady(
            "this vault holds no root key: do that in the root's vault, on its own machine",
        ));
    }
    Ok(SigningKey::from_bytes(&fixed(&ministry.root_seed, "the root key")?))
}

fn issuer_key(ministry: &Ministry) -> Result<SigningKey, Error> {
    if part(ministry) == MinistryPart::Holder {
        return Err(HOLDER);
    }
    if ministry.issuer_seed.is_empty() {
        return Err(Error::NotReady(
            "this vault holds the root key alone: do that in the issuer's vault",
        ));
    }
    Ok(SigningKey::from_bytes(&fixed(&ministry.issuer_seed, "the issuer's key")?))
}

/// What an issuer asks the root for.
fn request(work: &Work<'_>, issuer: &SigningKey, name: &str) -> Result<Vec<u8>, Error> {
    let directory = directory::plan(work)?;
    Ok(IssuerRequest::make_with_directory(issuer, name, &directory, work.now)?)
}

fn hex_of(key: &VerifyingKey) -> String {
    HEXLOWER.encode(&key.fingerprint())
}

fn card(work: &Work<'_>, ministry: &Ministry) -> Result<MinistryCard, Error> {
    let issuer = issuer_key(ministry).ok().map(|key| hex_of(&key.public()));
    let own = Some(&ministry.issuer_chain).filter(|chain| !chain.is_empty());
    let own = own.map(|chain| Chain::from_bytes(chain)).transpose()?;
    let root = match (root_key(ministry), &own) {
        (Ok(key), _) => hex_of(&key.public()),
        (Err(_), Some(chain)) => HEXLOWER.encode(&chain.claimed_root()),
        (Err(_), None) => HEXLOWER.encode(&ministry.holder_root),
    };
    let ends = own.map(|chain| chain.ends()).transpose()?.unwrap_or_default();
    Ok(MinistryCard {
        name: ministry.name.clone(),
        part: part(ministry),
        root_fingerprint: root,
        issuer_fingerprint: issuer.unwrap_or_default(),
        not_after: ends.first().map_or(0, |(_, end)| *end),
        issuers: root::certified(work)?,
    })
}
