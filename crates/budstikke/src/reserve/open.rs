//! A head of mission opens what a colleague left, with two holders, and asks the people concerned to be let in.
//!
//! What is opened says how a case is reached and what stood in its file: consents, assessment, acts, alerts. It opens
//! nothing that people wrote to each other. The case's group lets in whom an admin has assigned and the person at the
//! other end has said yes to: as for a device that has lost its keys ([`crate::recovery::again`]), only under another
//! key.

use budstikke_case::wire::{AccessChangeKind, CaseAccessChange, CaseReader, Officer};
use budstikke_e2ee::armor;
use budstikke_e2ee::cert::{Chain, Role};
use budstikke_e2ee::contact::Route;
use budstikke_e2ee::group::{Member, Party};
use budstikke_e2ee::keys::{HpkeSecret, SigningKey, VerifyingKey};
use budstikke_e2ee::note;
use budstikke_e2ee::reserve::{Ask, HOLDERS, MAX_REASON, ReserveError, join};
use budstikke_e2ee::team::TeamMessage;
use prost::Message as _;
use rand_core::OsRng;

use super::holder::refused;
use super::keep::{Left, NOTE, of_device};
use crate::channel::seat::Seat;
use crate::channel::send::{SendOptions, name_of, post};
use crate::client::{Client, Work};
use crate::dossier::Dossier;
use crate::error::Error;
use crate::events::Event;
use crate::handover::{officer, own_officer};
use crate::mission::assign::{Briefing, check_briefing, take_reaches};
use crate::mission::leave::want_remove;
use crate::mission::{TEAM_POST, need_admin, own_authority, own_device, team};
use crate::posts::usable;
use crate::random::fresh;
use crate::records::{
    self, CaseRecord, Device, Lane, OpenedRecord, OwnAskRecord, Post, ReachRecord,
    ReserveAskRecord, ReserveKeyRecord, SELF, TakenRecord, fixed,
};
use crate::recovery::again;
use crate::view::{case_name, short};

/// First word of a request to the holders.
pub(super) const REQUEST: &str = "budreserve1";
/// First word of a holder's answer.
pub(super) const ANSWER: &str = "budreserveanswer1";

/// Most entries in the record of what was opened, and most bytes of a name in one.
const MAX_LOG: usize = 256;
const MAX_NAME: usize = 100;

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

/// That a reserve was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenedReserve {
    /// Who had left.
    pub leaver: String,
    /// The head of mission who opened it, or asked for it.
    pub by: String,
    /// Their mission; on a holder's device.
    pub unit: String,
    /// The holders who helped.
    pub holders: Vec<String>,
    /// Why nothing was handed over.
    pub reason: String,
    /// How many cases were in it.
    pub cases: u32,
    /// Unix seconds.
    pub at: i64,
}

impl OpenedReserve {
    pub(super) fn of(record: OpenedRecord) -> Self {
        Self {
            leaver: record.leaver,
            by: record.by,
            unit: record.unit,
            holders: record.holders,
            reason: record.reason,
            cases: record.cases,
            at: record.at,
        }
    }
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
                if work.now < before.asked_at.saturating_add(7 * 86_400) {
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
                taken.extend(take(work, &device, &left, &joined.secret, &reserve.parts)?);
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

/// One case of a reserve: it stands here without its group, and its people are asked. What is wrong with one stops no
/// other.
fn take(
    work: &Work<'_>,
    device: &[u8],
    left: &ReserveKeyRecord,
    secret: &HpkeSecret,
    parts: &[Vec<u8>],
) -> Result<Option<TakenOver>, Error> {
    let found = match read(work, secret, parts) {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(None),
        Err(error) if error.is_fatal() && !matches!(error, Error::Damaged { .. }) => {
            return Err(error);
        }
        Err(error) => {
            let problem = Some(error.to_string());
            return Ok(Some(TakenOver { case: String::new(), here: false, problem }));
        }
    };
    let Found { mut case, lane, reaches, defenders, file } = found;
    let taken = TakenOver { case: case_name(&case.id), here: false, problem: None };
    let before = records::load::<CaseRecord>(work.tx, &case.id)?;
    if before.as_ref().is_some_and(|before| before.left_at == 0) {
        // One that waits for its people's yes is asked for again.
        let waits = records::load::<TakenRecord>(work.tx, &case.id)?.is_some();
        return Ok(Some(TakenOver { here: !waits, ..taken }));
    }
    (case.defender, case.left_at, case.frozen) = (false, 0, None);
    (case.opened_at, case.last_at) = (work.now, work.now);
    // Words that a colleague has compared say nothing of what this device is shown.
    case.words_compared = false;
    case.identity.clear();
    let counts = before.map(|before| (before.messages, before.sent, before.seen));
    (case.messages, case.sent, case.seen) = counts.unwrap_or_default();
    if let Some(mut lane) = lane {
        retired(work, &mut lane)?;
        records::save(work.tx, &lane.label.clone(), &lane)?;
    }
    records::save(work.tx, &case.id.clone(), &case)?;
    take_reaches(work, &case, &reaches)?;
    file.save(work)?;
    let record = TakenRecord {
        leaver: device.to_vec(),
        name: left.name.clone(),
        defenders,
        ..TakenRecord::default()
    };
    records::save(work.tx, &case.id, &record)?;
    // A line goes on when the person whom it is about has said yes.
    if case.line_for.is_empty() {
        again::ask_without_group(work, &case)?;
    }
    Ok(Some(taken))
}

/// What one slot of a reserve holds, held against this vault before anything is written.
struct Found {
    case: CaseRecord,
    lane: Option<Lane>,
    reaches: Vec<ReachRecord>,
    defenders: Vec<Vec<u8>>,
    file: Dossier,
}

fn read(work: &Work<'_>, secret: &HpkeSecret, parts: &[Vec<u8>]) -> Result<Option<Found>, Error> {
    let (mut briefing, mut files, mut defenders) = (None, Vec::new(), Vec::new());
    for part in parts {
        let plain = note::open(work.suite, secret, NOTE, part)?;
        let mut part =
            Left::decode(plain.as_slice()).map_err(|_| refused(ReserveError::Malformed))?;
        briefing = briefing.or(part.briefing.take());
        files.extend(part.file.take());
        defenders.append(&mut part.defenders);
    }
    let Some(Briefing { case: Some(case), lane, reaches, .. }) = briefing else { return Ok(None) };
    let known = records::load::<CaseRecord>(work.tx, &case.id)?;
    if known.is_none_or(|known| known.left_at > 0) {
        check_briefing(work, &case, lane.as_ref(), false)?;
    }
    let routes = case.routes.iter().map(|route| Route::from_bytes(route));
    usable(work, &routes.collect::<Result<Vec<_>, _>>()?)?;
    let own = own_device(work)?;
    if case.own_unit != own.unit.id || case.root != own.unit.root {
        return Err(refused(ReserveError::AnotherDevice));
    }
    for key in &defenders {
        VerifyingKey::from_bytes(key)?;
    }
    let mut file = Dossier::of_key(work, &case.id)?;
    for part in files {
        file.take_over(part)?;
    }
    Ok(Some(Found { case, lane, reaches, defenders, file }))
}

/// A lane on a mailbox that the team has left since: its people are told of another when this device is in.
fn retired(work: &Work<'_>, lane: &mut Lane) -> Result<(), Error> {
    let mut old: Vec<(Vec<u8>, Post)> = records::all(work.tx)?;
    old.retain(|(key, post)| key.starts_with(TEAM_POST) && post.retired_at > 0);
    // A leaver is removed before this is opened, and with their removal the team has moved.
    if let Some((key, post)) = old.into_iter().max_by_key(|(_, post)| post.retired_at) {
        (lane.retired_at, lane.post) = (post.retired_at, key);
    }
    Ok(())
}

/// The team is told, and it is written down.
fn tell(
    work: &Work<'_>,
    device: &[u8],
    name: &str,
    reason: &str,
    holders: Vec<String>,
    cases: usize,
) -> Result<(), Error> {
    let record = OpenedRecord {
        leaver: name.to_owned(),
        by: own_device(work)?.label,
        unit: String::new(),
        holders,
        reason: reason.to_owned(),
        cases: u32::try_from(cases).unwrap_or(u32::MAX),
        at: work.now,
    };
    log(work, device, &record)?;
    team::tell(
        work,
        &TeamMessage::ReserveOpened {
            device: VerifyingKey::from_bytes(device)?,
            name: record.leaver,
            holders: record.holders,
            reason: record.reason,
            cases: record.cases,
            at: record.at,
        },
    )
}

/// Nothing that was written down is replaced, and nobody fills a vault with it.
pub(super) fn log(work: &Work<'_>, device: &[u8], record: &OpenedRecord) -> Result<(), Error> {
    if records::all::<OpenedRecord>(work.tx)?.len() >= MAX_LOG {
        return Err(Error::NotReady("there is no room for more in the record of what was opened"));
    }
    let key = [device, &record.at.to_be_bytes(), &fresh::<8>()].concat();
    records::save(work.tx, &key, record)
}

/// A colleague has opened what somebody left.
pub(crate) fn heard_opened(
    work: &Work<'_>,
    sender: &Member,
    device: &VerifyingKey,
    mut record: OpenedRecord,
) -> Result<(), Error> {
    let short = |text: &String| text.len() <= MAX_NAME && !text.chars().any(char::is_control);
    let sound = short(&record.leaver)
        && record.reason.len() <= MAX_REASON
        && record.holders.len() <= HOLDERS
        && record.holders.iter().all(short);
    if !again::is_head(sender) || !sound {
        return Err(Error::Input {
            what: "that a reserve was opened",
            why: "it is not from a head of mission, or malformed; it was dropped".to_owned(),
        });
    }
    record.by = name_of(&sender.party);
    record.at = record.at.min(work.now);
    log(work, device.as_bytes(), &record)?;
    work.event(Event::ReserveOpened { leaver: record.leaver, by: record.by });
    Ok(())
}

/// Under what this device asks to be let into a case that it found in a reserve; `None` for any other case. Empty
/// until an admin has assigned it, and when that is over.
pub(crate) fn assignment(
    work: &Work<'_>,
    case_id: &[u8],
    key: &VerifyingKey,
) -> Result<Option<Vec<u8>>, Error> {
    let Some(taken) = records::load::<TakenRecord>(work.tx, case_id)? else { return Ok(None) };
    if need_admin(&own_device(work)?).is_ok() {
        return again::assignment(work, case_id, key).map(Some);
    }
    // Not one that ends while the people are asked.
    let holds = work.now < taken.assigned_at.saturating_add(again::ASSIGNMENT_S / 2);
    Ok(Some(if holds { taken.assignment } else { Vec::new() }))
}

/// An admin has assigned this device to a case that it found in a reserve: its people are asked now.
pub(crate) fn assigned(work: &Work<'_>, case_id: &[u8], assignment: &[u8]) -> Result<(), Error> {
    let (Some(mut taken), Some(case)) = (
        records::load::<TakenRecord>(work.tx, case_id)?,
        records::load::<CaseRecord>(work.tx, case_id)?,
    ) else {
        return Ok(());
    };
    (taken.assignment, taken.assigned_at) = (assignment.to_vec(), work.now);
    records::save(work.tx, case_id, &taken)?;
    // Nobody has been asked so far but the admin.
    records::remove::<OwnAskRecord>(work.tx, case_id)?;
    again::ask_without_group(work, &case)
}

/// Cases that this device was let into: whoever of the unit is in them and no longer in the team goes, and who reads
/// from now on is said. Lines whose case has come are asked for.
pub(crate) fn look(work: &Work<'_>) -> Result<(), Error> {
    for (id, taken) in records::all::<TakenRecord>(work.tx)? {
        let done = match look_at(work, &id, &taken) {
            Err(error) if error.is_fatal() => return Err(error),
            // Quiet hours, a certificate that is renewed first: at another look.
            looked => looked.unwrap_or(false),
        };
        if done {
            records::remove::<TakenRecord>(work.tx, &id)?;
        }
    }
    Ok(())
}

/// Whether nothing is left to do.
fn look_at(work: &Work<'_>, id: &[u8], taken: &TakenRecord) -> Result<bool, Error> {
    let Some(case) = records::load::<CaseRecord>(work.tx, id)? else { return Ok(true) };
    if case.left_at > 0 {
        return Ok(true);
    }
    let line = case.line;
    let seat = match Seat::case(work, case.clone()) {
        Ok(seat) => seat,
        Err(Error::NotReady(_)) => {
            let asked = records::load::<OwnAskRecord>(work.tx, id)?.is_some();
            if !asked && is_seated(work, &case.line_for)? {
                again::ask_without_group(work, &case)?;
            }
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    if !seat.group.is_active() || case.frozen.is_some() {
        return Ok(false);
    }
    let team = Seat::team(work)?.group.members()?;
    let (mut stops, own) = (Vec::new(), own_officer(work)?);
    for member in seat.group.members()? {
        let Party::Device(device) = &member.party else { continue };
        if device.unit.id == case.own_unit && !team.iter().any(|known| known.key == member.key) {
            want_remove(work, seat.group.id(), &member.key)?;
            stops.push(officer(device));
        }
    }
    if stops.is_empty() {
        stops.push(Officer { label: taken.name.clone(), ..Officer::default() });
    }
    // A line's other end sees who is in it; a person is told in words.
    if !line {
        say(work, seat, &own, &stops)?;
    }
    Ok(true)
}

fn is_seated(work: &Work<'_>, case_id: &[u8]) -> Result<bool, Error> {
    let case = records::load::<CaseRecord>(work.tx, case_id)?;
    Ok(case.is_some_and(|case| Seat::case(work, case).is_ok()))
}

/// Who reads and who stops; why is the mission's own affair.
fn say(work: &Work<'_>, seat: Seat, own: &Officer, stops: &[Officer]) -> Result<(), Error> {
    let reader =
        |officer: &Officer| CaseReader { label: officer.label.clone(), role: officer.role };
    let change = CaseAccessChange {
        kind: AccessChangeKind::TakenOver.into(),
        reads: vec![reader(own)],
        from_s: work.now,
        stops: stops.iter().map(reader).collect(),
        stops_s: work.now,
        ..CaseAccessChange::default()
    };
    post(work, seat, change.into(), &SendOptions::default()).map(drop)
}
