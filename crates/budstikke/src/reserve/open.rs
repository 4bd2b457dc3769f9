//! A head of mission opens what a colleague left, with two holders, and asks the people concerned to be let in.
//!
//! What is opened says how a case is reached and what stood in its file: consents, assessment, acts, alerts. It opens
//! nothing that people wrote to each other. The case's group lets in whom an admin has assigned and the person at the
//! other end has said yes to: as for a device that has lost its keys ([`crate::recovery::again`]), only under another
//! key.

use budstikke_e2ee::armor;
use budstikke_e2ee::cert::{Chain, Role};
use budstikke_e2ee::keys::{HpkeSecret, SigningKey, VerifyingKey};
use budstikke_e2ee::reserve::{Ask, MAX_REASON, join};
use rand_core::OsRng;

use super::holder::refused;
use super::keep::of_device;
use super::log::tell;
use super::take::take;
use crate::channel::seat::Seat;
use crate::client::{Client, Work};
use crate::error::Error;
use crate::mission::own_authority;
use crate::records::{self, Device, ReserveAskRecord, ReserveKeyRecord, SELF, fixed};
use crate::view::short;

/// First word of a request to the holders.
pub(super) const REQUEST: &str = "budreserve1";
/// First word of a holder's answer.
pub(super) const ANSWER: &str = "budreserveanswer1";

/// How long the same request is given again: 7 days.
const SAME_S: i64 = 7 * 86_400;

/// A case that was found in a colleague's reserve.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TakenOver {
    /// Its short name.
    pub case: String,
    /// Whether this device was in it already: nothing was asked then.
    pub here: bool,
    /// What is wrong with it, if it could not be taken; the others were.
    pub problem: Option<String>,
}

impl Client {
    /// On a head of mission's device: the request to the holders for what a colleague left in reserve, as text to be
    /// carried to two of them. The colleague's device must have been removed from the team. The same reason gives the
    /// same request again, for a week.
    ///
    /// # Errors
    /// [`Error::NotReady`] on another device, or while the colleague is in the team; [`Error::NotFound`] when they left
    /// nothing; [`Error::Input`] for a reason that is too long; [`Error::Trust`] while the directory is out of date.
    pub async fn ask_holders(&self, colleague: &str, reason: &str) -> Result<String, Error> {
        let (colleague, reason) = (colleague.to_owned(), reason.trim().to_owned());
        self.vault(move |work| {
            need_head(work)?;
            let (device, left) = leaver(work, &colleague)?;
            if reason.is_empty() || reason.len() > MAX_REASON {
                return Err(Error::Input {
                    what: "the reason",
                    why: format!("the holders need one, of at most {MAX_REASON} bytes"),
                });
            }
            let before = records::load::<ReserveAskRecord>(work.tx, &device)?;
            if let Some(before) = before.filter(|before| before.reason == reason) {
                let text = armor::encode(REQUEST, &before.signed);
                if work.now < before.asked_at.saturating_add(SAME_S) {
                    return Ok(text);
                }
            }
            let own: Device = records::need(work.tx, SELF)?;
            let key = SigningKey::from_bytes(&fixed(&own.seed, "this device's key")?);
            let chain = Chain::from_bytes(&own.chain)?;
            let secret = HpkeSecret::generate(work.suite, &mut OsRng)?;
            let ask = Ask {
                device: VerifyingKey::from_bytes(&device)?,
                name: left.name.clone(),
                reason: reason.clone(),
                shares: left.shares.clone(),
                answer_key: secret.public().as_bytes().to_vec(),
                made_at: work.now,
            };
            let signed = ask.sign(&key, &chain);
            // As a holder will judge it.
            let hash = Ask::verify(&signed, &chain.claimed_root(), work.now)
                .map_err(refused)?
                .hash
                .to_vec();
            let text = armor::encode(REQUEST, &signed);
            let seed = secret.seed().to_vec();
            let record = ReserveAskRecord { seed, hash, reason, signed, asked_at: work.now };
            records::save(work.tx, &device, &record)?;
            Ok(text)
        })
        .await
    }

    /// Opens what a colleague left, with the answers of two holders: their cases stand here with their files, each
    /// person concerned is asked with the next [`Client::sync`] to let this device in, and the team is told. What people
    /// wrote to each other before is not opened, nor can anything be read or written there before that yes. A line to
    /// the Ministry is asked for when its case has come.
    ///
    /// # Errors
    /// As [`Client::ask_holders`]; [`Error::NotReady`] before the holders were asked; [`Error::Input`] for answers that
    /// are too few, or to another request.
    pub async fn open_reserve(
        &self,
        colleague: &str,
        answers: &[String],
    ) -> Result<Vec<TakenOver>, Error> {
        let colleague = colleague.to_owned();
        let answers = answers.iter().map(|text| armor::decode(ANSWER, text));
        let answers = answers.collect::<Result<Vec<_>, _>>()?;
        self.vault(move |work| {
            need_head(work)?;
            let (device, left) = leaver(work, &colleague)?;
            let Some(asked) = records::load::<ReserveAskRecord>(work.tx, &device)? else {
                return Err(Error::NotReady("the holders were not asked on this device"));
            };
            let seed = fixed(&asked.seed, "a request's key")?;
            let secret = HpkeSecret::from_seed(work.suite, &seed)?;
            let hash = fixed(&asked.hash, "a request")?;
            let joined =
                join(work.suite, &secret, &hash, &answers, &left.public).map_err(refused)?;
            let mut taken = Vec::new();
            for (_, reserve) in of_device(work, &device)? {
                taken.extend(take(work, &left, &joined.secret, &reserve.parts)?);
            }
            let name = |number: &usize| left.names.get(*number).cloned();
            let holders = joined.holders.iter().filter_map(name).collect();
            tell(work, &device, &left.name, &asked.reason, holders, taken.len())?;
            records::remove::<ReserveAskRecord>(work.tx, &device)?;
            work.tx.erase_now();
            Ok(taken)
        })
        .await
    }
}

/// Fails on a device whose user does not head the mission.
fn need_head(work: &Work<'_>) -> Result<(), Error> {
    if own_authority(work)?.has(Role::HeadOfMission) {
        Ok(())
    } else {
        Err(Error::NotReady("only the device of a head of mission asks the holders"))
    }
}

/// The device of a colleague who has left something and is no longer in the team, by its user's name or its short id.
fn leaver(work: &Work<'_>, colleague: &str) -> Result<(Vec<u8>, ReserveKeyRecord), Error> {
    let wanted = colleague.trim();
    let members = Seat::team(work)?.group.members()?;
    let mut found = Vec::new();
    for (key, left) in records::all::<ReserveKeyRecord>(work.tx)? {
        let named =
            left.name.eq_ignore_ascii_case(wanted) || short(&key) == wanted.to_ascii_lowercase();
        if named && !left.shares.is_empty() && !left.name.is_empty() {
            found.push((key, left));
        }
    }
    let gone = |(key, _): &(Vec<u8>, ReserveKeyRecord)| {
        !members.iter().any(|member| member.key.as_bytes().as_slice() == key)
    };
    if !found.is_empty() && !found.iter().any(gone) {
        return Err(Error::NotReady(
            "that colleague is in the team: they hand over themselves, or an admin removes their device first",
        ));
    }
    found.retain(gone);
    match found.len() {
        0 => {
            Err(Error::NotFound { what: "anything that a colleague of that name left in reserve" })
        }
        1 => Ok(found.swap_remove(0)),
        _ => Err(Error::Input {
            what: "the officer",
            why: "several devices carried that name: use the device's id".to_owned(),
        }),
    }
}
