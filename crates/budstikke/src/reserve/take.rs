//! What one slot of a reserve holds, held against this vault and taken into it.

use budstikke_e2ee::contact::Route;
use budstikke_e2ee::keys::{HpkeSecret, VerifyingKey};
use budstikke_e2ee::note;
use budstikke_e2ee::reserve::ReserveError;
use prost::Message as _;

use super::TakenOver;
use super::holder::refused;
use super::keep::{Left, NOTE};
use crate::client::Work;
use crate::dossier::Dossier;
use crate::error::Error;
use crate::mission::assign::{Briefing, check_briefing, take_reaches};
use crate::mission::{TEAM_POST, own_device};
use crate::posts::usable;
use crate::records::{self, CaseRecord, Lane, Post, ReachRecord, ReserveKeyRecord, TakenRecord};
use crate::recovery::again;
use crate::view::case_name;

/// One case of a reserve: it stands here without its group, and its people are asked. What is wrong with one stops no
/// other.
pub(super) fn take(
    work: &Work<'_>,
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
    let record = TakenRecord { name: left.name.clone(), defenders, ..TakenRecord::default() };
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
