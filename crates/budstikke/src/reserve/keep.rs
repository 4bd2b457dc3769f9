//! Leaving in reserve, and keeping what colleagues leave.
//!
//! A device seals to a key whose secret it does not keep: what it has left it cannot open itself, and neither can who
//! takes it.

use budstikke_e2ee::cert::UnitKind;
use budstikke_e2ee::directory::Directory;
use budstikke_e2ee::group::{Member, Party};
use budstikke_e2ee::keys::{HpkePublic, HpkeSecret};
use budstikke_e2ee::note;
use budstikke_e2ee::reserve::{HOLDERS, split};
use budstikke_e2ee::team::TeamMessage;
use prost::Message;
use rand_core::OsRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::channel::seat::{Seat, staff};
use crate::channel::send::name_of;
use crate::client::Work;
use crate::directory;
use crate::dossier::Dossier;
use crate::error::Error;
use crate::events::Event;
use crate::mission::assign::{Briefing, brief};
use crate::mission::{own_papers, team};
use crate::random::fresh;
use crate::records::{
    self, CaseRecord, DossierRecord, GoneRecord, OwnReserveRecord, ReserveAskRecord,
    ReserveKeyRecord, ReserveRecord, Team, fixed,
};

/// What the notes are sealed for.
pub(super) const NOTE: &str = "reserve";
/// Between two looks whether something is new: 10 minutes.
const LOOK_S: i64 = 600;
/// Between two tellings of a file that has changed: a day.
const FILE_S: i64 = 86_400;
/// After that everything is told again, for colleagues who have joined meanwhile: 7 days.
const AGAIN_S: i64 = 7 * 86_400;
/// How long a request to the holders can be answered: 28 days.
const ASKED_S: i64 = 28 * 86_400;
/// How long a colleague's reserve is kept after they have left: 90 days.
const KEPT_S: i64 = 90 * 86_400;
/// Most cases that a colleague may leave something about, and most parts of one.
const MAX_SLOTS: usize = 512;
const MAX_PARTS: u32 = 64;
/// Most bytes of a share, of one case, and of all cases that a colleague leaves something about.
const MAX_SHARE: usize = 4_096;
const MAX_CASE: usize = 8 << 20;
const MAX_ALL: usize = 64 << 20;
/// How far a colleague's clock may be ahead.
const AHEAD_S: i64 = 3_600;

/// A part of what is left about one case; the briefing is in the first.
#[derive(Clone, PartialEq, Message)]
#[prost(skip_debug)]
pub(super) struct Left {
    #[prost(message, optional, tag = "1")]
    pub(super) briefing: Option<Briefing>,
    #[prost(message, optional, tag = "2")]
    pub(super) file: Option<DossierRecord>,
    /// In the first part: leaf keys of the defenders in the case.
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub(super) defenders: Vec<Vec<u8>>,
}

/// Leaves in reserve what is new since the last look. Nothing on a desk's device, in a team of one, or while the
/// directory names no holders.
pub(crate) fn keep(work: &Work<'_>) -> Result<(), Error> {
    if records::load::<Team>(work.tx, records::SELF)?.is_none_or(|team| team.route.is_empty()) {
        return Ok(());
    }
    let key = staff(work)?.key();
    let mut known = records::load::<ReserveKeyRecord>(work.tx, key.as_bytes())?.unwrap_or_default();
    if known.looked_at.saturating_add(LOOK_S) > work.now {
        return Ok(());
    }
    forget_old(work)?;
    let Ok(seat) = Seat::team(work) else { return Ok(()) };
    let own = own_papers(work)?;
    let mut colleagues: Vec<_> =
        seat.group.members()?.iter().map(|member| *member.key.as_bytes()).collect();
    if own.unit.kind == UnitKind::MinistryDesk || colleagues.len() < 2 {
        return Ok(());
    }
    colleagues.sort_unstable();
    let colleagues = Sha256::digest(colleagues.concat()).to_vec();
    known.looked_at = work.now;
    let held = directory::held(work, &own.unit.root)?.filter(|held| held.holders.len() == HOLDERS);
    let Some(held) = held else {
        return records::save(work.tx, key.as_bytes(), &known);
    };
    let named = held.holders.iter().map(|holder| holder.key.as_slice());
    let others = !named.eq(known.holders.iter().map(Vec::as_slice));
    if others && !known.holders.is_empty() {
        let holders = held.holders.iter().map(|holder| holder.name.clone()).collect();
        work.event(Event::HoldersChanged { holders });
    }
    let mut known = if others { new_key(work, &held, &own.unit.id)? } else { known };
    let all =
        others || known.told != colleagues || known.told_at.saturating_add(AGAIN_S) <= work.now;
    if all {
        let (key, shares, holders) =
            (known.public.clone(), known.shares.clone(), known.names.clone());
        team::tell(work, &TeamMessage::ReserveKey { key, shares, holders })?;
        known.told_at = work.now;
    }
    (known.looked_at, known.told) = (work.now, colleagues);
    records::save(work.tx, key.as_bytes(), &known)?;
    let public = HpkePublic::from_bytes(work.suite, &known.public)?;
    let cases = records::all::<CaseRecord>(work.tx)?;
    for (id, case) in &cases {
        if case.left_at > 0 || case.frozen.is_some() {
            continue;
        }
        // What a device cannot read itself it leaves as it left it before.
        let Ok(seat) = Seat::case(work, case.clone()) else { continue };
        leave(work, &public, id, &seat, all)?;
    }
    for (id, own) in records::all::<OwnReserveRecord>(work.tx)? {
        if !cases.iter().any(|(of, case)| *of == id && case.left_at == 0) {
            tell(work, &own.slot, work.now, &[])?;
            records::remove::<OwnReserveRecord>(work.tx, &id)?;
        }
    }
    Ok(())
}

fn new_key(work: &Work<'_>, held: &Directory, unit: &str) -> Result<ReserveKeyRecord, Error> {
    let me = staff(work)?;
    let secret = HpkeSecret::generate(work.suite, &mut OsRng)?;
    let shares = split(work.suite, &mut OsRng, &me.key(), unit, secret.seed(), &held.holders)
        .map_err(|error| Error::Input { what: "the holders", why: error.to_string() })?;
    Ok(ReserveKeyRecord {
        public: secret.public().as_bytes().to_vec(),
        shares,
        holders: held.holders.iter().map(|holder| holder.key.clone()).collect(),
        names: held.holders.iter().map(|holder| holder.name.clone()).collect(),
        ..ReserveKeyRecord::default()
    })
}

/// Tells of one case what is new: what a successor needs at once, its file once a day.
fn leave(
    work: &Work<'_>,
    public: &HpkePublic,
    id: &[u8],
    seat: &Seat,
    all: bool,
) -> Result<(), Error> {
    let mut briefing = brief(work, seat)?;
    if let Some(case) = &mut briefing.case {
        // These change with every message, and a successor counts anew.
        (case.opened_at, case.last_at) = (0, 0);
        case.receipt.clear();
    }
    let parts = Dossier::parts(work, id)?;
    let known = records::load::<OwnReserveRecord>(work.tx, id)?;
    let seat_hash = Sha256::digest(Zeroizing::new(briefing.encode_to_vec())).to_vec();
    let file_hash = parts.iter().fold(Sha256::new(), |hash, part| {
        hash.chain_update(Zeroizing::new(part.encode_length_delimited_to_vec()))
    });
    let file_hash = file_hash.finalize().to_vec();
    let new = known.as_ref().is_none_or(|known| {
        known.seat_hash != seat_hash
            || known.file_hash != file_hash && known.told_at.saturating_add(FILE_S) <= work.now
    });
    if !new && !all {
        return Ok(());
    }
    let slot = known.map_or_else(|| fresh::<16>().to_vec(), |known| known.slot);
    let members = seat.group.members()?;
    let defenders = members.iter().filter(|of| matches!(of.party, Party::Defender { .. }));
    let mut defenders = defenders.map(|member| member.key.as_bytes().to_vec()).collect();
    let mut briefing = Some(briefing);
    let sealed = parts.into_iter().map(|file| {
        let (briefing, defenders) = (briefing.take(), std::mem::take(&mut defenders));
        let left = Left { briefing, file: Some(file), defenders };
        let plain = Zeroizing::new(left.encode_to_vec());
        Ok(note::seal(work.suite, public, NOTE, &plain)?)
    });
    let sealed = sealed.collect::<Result<Vec<_>, Error>>()?;
    tell(work, &slot, work.now, &sealed)?;
    let record = OwnReserveRecord { slot, seat_hash, file_hash, told_at: work.now };
    records::save(work.tx, id, &record)
}

/// Tells the team of one slot; no parts: that there is nothing left.
fn tell(work: &Work<'_>, slot: &[u8], made_at: i64, parts: &[Vec<u8>]) -> Result<(), Error> {
    let slot = fixed(slot, "a reserve")?;
    let count = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    if count == 0 {
        let note = Vec::new();
        return team::tell(
            work,
            &TeamMessage::ReservePart { slot, made_at, index: 0, count, note },
        );
    }
    for (index, note) in (0..).zip(parts) {
        let note = note.clone();
        team::tell(work, &TeamMessage::ReservePart { slot, made_at, index, count, note })?;
    }
    Ok(())
}

/// A colleague's reserve key. With another one, what was left before opens no more.
pub(crate) fn heard_key(
    work: &Work<'_>,
    sender: &Member,
    public: Vec<u8>,
    shares: Vec<Vec<u8>>,
    names: Vec<String>,
) -> Result<(), Error> {
    HpkePublic::from_bytes(work.suite, &public)?;
    let bounded = shares.iter().all(|share| share.len() <= MAX_SHARE)
        && names.iter().all(|name| name.len() <= MAX_SHARE);
    if shares.len() != HOLDERS || names.len() != HOLDERS || !bounded {
        return Err(bad("its shares are not three"));
    }
    let key = sender.key.as_bytes();
    let known = records::load::<ReserveKeyRecord>(work.tx, key)?;
    if known.is_some_and(|known| known.public != public) {
        forget(work, key)?;
    }
    let name = name_of(&sender.party);
    let record = ReserveKeyRecord { public, shares, name, names, ..ReserveKeyRecord::default() };
    records::save(work.tx, key, &record)
}

/// A part of what a colleague leaves about one case. The one before stays until the newer is whole.
pub(crate) fn heard_part(
    work: &Work<'_>,
    sender: &Member,
    slot: [u8; 16],
    made_at: i64,
    (index, count): (u32, u32),
    note: Vec<u8>,
) -> Result<(), Error> {
    let key = [sender.key.as_bytes().as_slice(), &slot].concat();
    let known = records::load::<ReserveRecord>(work.tx, &key)?;
    if count == 0 {
        records::remove::<ReserveRecord>(work.tx, &key)?;
        return Ok(());
    }
    if count > MAX_PARTS || index >= count {
        return Err(bad("it has too many parts"));
    }
    if made_at > work.now.saturating_add(AHEAD_S) {
        return Err(bad("it is from the future"));
    }
    if index == 0 {
        let others = of_device(work, sender.key.as_bytes())?;
        let held: usize = others.iter().map(|(_, record)| record.encoded_len()).sum();
        if held > MAX_ALL || known.is_none() && others.len() >= MAX_SLOTS {
            return Err(bad("it is more than a colleague may leave"));
        }
    }
    let mut record = known.unwrap_or_default();
    if record.coming.iter().map(Vec::len).sum::<usize>().saturating_add(note.len()) > MAX_CASE {
        return Err(bad("it is too much about one case"));
    }
    if made_at < record.coming_at.max(record.made_at) {
        return Ok(());
    }
    if made_at > record.coming_at {
        record.coming_at = made_at;
        record.coming.clear();
    }
    // A sender's words come in order; a part twice, or after a gap, waits for the next telling.
    if usize::try_from(index).ok() == Some(record.coming.len()) {
        record.coming.push(note);
    }
    if u32::try_from(record.coming.len()).ok() == Some(count) {
        record.parts = std::mem::take(&mut record.coming);
        record.made_at = made_at;
    }
    records::save(work.tx, &key, &record)
}

/// What a device has left, whole.
pub(super) fn of_device(
    work: &Work<'_>,
    device: &[u8],
) -> Result<Vec<(Vec<u8>, ReserveRecord)>, Error> {
    let mut all = records::all::<ReserveRecord>(work.tx)?;
    all.retain(|(key, _)| key.starts_with(device));
    Ok(all)
}

/// Forgets what a device has left.
pub(super) fn forget(work: &Work<'_>, device: &[u8]) -> Result<(), Error> {
    for (key, _) in of_device(work, device)? {
        records::remove::<ReserveRecord>(work.tx, &key)?;
    }
    Ok(())
}

/// Who has left long ago has handed over, or nobody missed it.
fn forget_old(work: &Work<'_>) -> Result<(), Error> {
    records::forget(work.tx, |asked: &ReserveAskRecord| {
        asked.asked_at.saturating_add(ASKED_S) <= work.now
    })?;
    for (device, gone) in records::all::<GoneRecord>(work.tx)? {
        if gone.at.saturating_add(KEPT_S) <= work.now
            && records::remove::<ReserveKeyRecord>(work.tx, &device)?
        {
            forget(work, &device)?;
        }
    }
    Ok(())
}

fn bad(why: &str) -> Error {
    Error::Input {
        what: "what a colleague leaves in reserve",
        why: format!("{why}; it was dropped"),
    }
}
