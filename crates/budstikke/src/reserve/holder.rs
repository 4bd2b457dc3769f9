//! A holder's vault: it keeps one of the three keys, needs no network, and answers requests that are carried to it.

use budstikke_e2ee::armor;
use budstikke_e2ee::keys::{Fingerprint, HpkeSecret};
use budstikke_e2ee::reserve::{Ask, Holder, ReserveError, VerifiedAsk};
use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};
use rand_core::OsRng;

use super::log::log;
use super::open::{ANSWER, REQUEST};
use crate::client::{Client, Profile, Work, claim_role, wrong_role};
use crate::directory;
use crate::error::Error;
use crate::records::{self, Ministry, OpenedRecord, SELF, fixed};

/// First word of a holder's card.
pub(crate) const HOLDER_CARD: &str = "budholder1";

/// A holder as people see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HolderCard {
    /// The holder's name.
    pub name: String,
    /// Of its key, 64 hexadecimal digits: compared before the issuer publishes it.
    pub fingerprint: String,
    /// The text for the issuer.
    pub text: String,
}

/// What a head of mission asks a holder for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReserveRequest {
    /// Who asks.
    pub by: String,
    /// Name of their mission.
    pub unit: String,
    /// Its id, like `no.emb.karvonia`.
    pub unit_id: String,
    /// Who has left.
    pub leaver: String,
    /// Why nothing was handed over.
    pub reason: String,
    /// When it was written, Unix seconds.
    pub made_at: i64,
}

impl Client {
    /// Makes this vault a holder's, under the Ministry's root of this fingerprint (64 hexadecimal digits). It then
    /// never needs a network. Repeating it shows what is there already.
    ///
    /// # Errors
    /// [`Error::WrongRole`], [`Error::NotReady`] in a vault that is something else; [`Error::Input`] for what is no
    /// fingerprint.
    pub async fn found_holder(&self, name: &str, root: &str) -> Result<HolderCard, Error> {
        let (name, digits) = (name.to_owned(), root.to_owned());
        self.vault(move |work| {
            claim_role(work, |profile| *profile == Profile::Ministry, "a holder")?;
            let there = records::load::<Ministry>(work.tx, SELF)?;
            let digits: String = digits.chars().filter(|c| !c.is_whitespace()).collect();
            let root = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).unwrap_or_default();
            if root.len() != 32 {
                return Err(Error::Input {
                    what: "the root's fingerprint",
                    why: "it is not 64 hexadecimal digits; the root's vault shows it".to_owned(),
                });
            }
            if let Some(there) = there {
                if holder_of(&there).is_some_and(|known| known.as_slice() != root) {
                    return Err(Error::NotReady("this holder answers under another root already"));
                }
                return card(work, &there);
            }
            let ministry = Ministry {
                name,
                root_seed: Vec::new(),
                issuer_seed: Vec::new(),
                issuer_chain: Vec::new(),
                holder_seed: HpkeSecret::generate(work.suite, &mut OsRng)?.seed().to_vec(),
                holder_root: root,
            };
            // A name that no directory could carry is a mistake now.
            let card = card(work, &ministry)?;
            Holder::from_card(work.suite, &armor::decode(HOLDER_CARD, &card.text)?).map_err(
                |_| Error::Input {
                    what: "the holder's name",
                    why: "it has 1 to 100 characters, on one line".to_owned(),
                },
            )?;
            records::save(work.tx, SELF, &ministry)?;
            Ok(card)
        })
        .await
    }

    /// What a request says, for a person to judge before [`Client::answer_reserve`]: its certificates and signature
    /// hold, and nothing that this vault knows revokes them.
    ///
    /// # Errors
    /// [`Error::NotReady`] in a vault that is no holder's; [`Error::Input`] for what is no request or does not verify.
    pub async fn read_reserve_request(&self, request: &str) -> Result<ReserveRequest, Error> {
        let bytes = armor::decode(REQUEST, request)?;
        self.vault(move |work| {
            let (_, asked) = verified(work, &bytes)?;
            Ok(ReserveRequest {
                by: asked.by.label.clone(),
                unit: asked.by.unit.name.clone(),
                unit_id: asked.by.unit.id.clone(),
                leaver: asked.ask.name.clone(),
                reason: asked.ask.reason.clone(),
                made_at: asked.ask.made_at,
            })
        })
        .await
    }

    /// This holder's half of what opens the reserve, sealed to who asks, as text. Whoever calls this has spoken with
    /// the head of that mission in another way. It is noted in this vault.
    ///
    /// # Errors
    /// As [`Client::read_reserve_request`]; [`Error::Input`] if it is not for this holder.
    pub async fn answer_reserve(&self, request: &str) -> Result<String, Error> {
        let bytes = armor::decode(REQUEST, request)?;
        self.vault(move |work| {
            let (ministry, asked) = verified(work, &bytes)?;
            let seed = fixed(&ministry.holder_seed, "the holder's key")?;
            let secret = HpkeSecret::from_seed(work.suite, &seed)?;
            let answer = asked.answer(work.suite, &secret).map_err(refused)?;
            let record = OpenedRecord {
                leaver: asked.ask.name.clone(),
                by: asked.by.label.clone(),
                unit: asked.by.unit.name.clone(),
                holders: vec![ministry.name.clone()],
                reason: asked.ask.reason.clone(),
                cases: 0,
                at: work.now,
            };
            log(work, asked.ask.device.as_bytes(), &record)?;
            Ok(armor::encode(ANSWER, &answer))
        })
        .await
    }
}

/// The holder's key and root, if the vault is one's.
pub(crate) fn holder_of(ministry: &Ministry) -> Option<Fingerprint> {
    if ministry.holder_seed.is_empty() {
        return None;
    }
    fixed(&ministry.holder_root, "the root's fingerprint").ok()
}

fn verified(work: &Work<'_>, bytes: &[u8]) -> Result<(Ministry, VerifiedAsk), Error> {
    let Some(ministry) = records::load::<Ministry>(work.tx, SELF)? else {
        return Err(wrong_role(work, "a holder"));
    };
    let Some(root) = holder_of(&ministry) else {
        return Err(Error::NotReady("this vault holds no holder's key"));
    };
    let asked = Ask::verify(bytes, &root, work.now).map_err(refused)?;
    directory::trust(work, &root)?.check_device(&asked.by)?;
    Ok((ministry, asked))
}

pub(super) fn refused(error: ReserveError) -> Error {
    match error {
        ReserveError::Certificate(error) => error.into(),
        error => Error::Input { what: "a request to the holders", why: error.to_string() },
    }
}

fn card(work: &Work<'_>, ministry: &Ministry) -> Result<HolderCard, Error> {
    if holder_of(ministry).is_none() {
        return Err(Error::NotReady(
            "this vault is the Ministry's already: a holder has a vault of its own",
        ));
    }
    let seed = fixed(&ministry.holder_seed, "the holder's key")?;
    let secret = HpkeSecret::from_seed(work.suite, &seed)?;
    let key = secret.public().as_bytes().to_vec();
    let holder = Holder { name: ministry.name.clone(), key };
    Ok(HolderCard {
        name: holder.name.clone(),
        fingerprint: HEXLOWER.encode(&holder.fingerprint()),
        text: armor::encode(HOLDER_CARD, &holder.to_card()),
    })
}
