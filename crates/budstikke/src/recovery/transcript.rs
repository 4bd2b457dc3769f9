//! Messages that did not come as they were sent: missing, late, twice, or of an epoch that the relay does not let this
//! device reach (SPEC.md section 10.9).

use budstikke_e2ee::checks::Check;
use budstikke_e2ee::group::{Application, Finding};

use crate::channel::inbound::behind;
use crate::channel::send::name_of;
use crate::client::Work;
use crate::error::Error;
use crate::events::Event;
use crate::records::{self, CaseRecord, SenderGaps, TranscriptRecord};
use crate::view::case_name;

/// How long a message may wait for its epoch before a person is told: 24 hours.
pub(crate) const PATIENCE_S: i64 = 86_400;
/// Missing messages that are named for one sender.
const MAX_NAMED: usize = 64;

/// How a message came.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Came {
    /// The sender's own number of it, from 1.
    pub(crate) nth: u64,
    /// After later ones.
    pub(crate) late: bool,
}

/// Notes what a message says about those before it.
pub(crate) fn take(
    work: &Work<'_>,
    case_id: &[u8],
    application: &Application,
) -> Result<Came, Error> {
    let nth = application.counter.saturating_add(1);
    let came = Came { nth, late: application.findings.contains(&Finding::Late) };
    let gap = application.findings.iter().find_map(|finding| match finding {
        Finding::Gap { missing } => Some(*missing),
        _ => None,
    });
    let mut record = load(work, case_id)?;
    let from = name_of(&application.sender.party);
    let key = application.sender.key.as_bytes().to_vec();
    let case = case_name(case_id);
    if let Some(missing) = gap {
        let first = nth.saturating_sub(missing);
        let named = first.max(nth.saturating_sub(MAX_NAMED as u64))..nth;
        let sender = sender(&mut record, &key, &from);
        sender.missing.extend(named.clone());
        let surplus = sender.missing.len().saturating_sub(MAX_NAMED);
        sender.missing.drain(..surplus);
        let given_up = named.start.saturating_sub(first).saturating_add(surplus as u64);
        sender.lost = sender.lost.saturating_add(given_up);
        let numbers = named.collect();
        work.event(Event::HistoryBroken { case, from, missing, numbers });
        save(work, case_id, &record)?;
    } else if came.late {
        sender(&mut record, &key, &from).missing.retain(|number| *number != nth);
        work.event(Event::MessageLate { case, from, number: nth });
        save(work, case_id, &record)?;
    }
    Ok(came)
}

/// A message came that had come before: it is ignored, and counted.
pub(crate) fn duplicate(work: &Work<'_>, case_id: &[u8]) -> Result<(), Error> {
    let mut record = load(work, case_id)?;
    record.duplicates = record.duplicates.saturating_add(1);
    work.event(Event::DuplicateIgnored { case: case_name(case_id), count: record.duplicates });
    save(work, case_id, &record)
}

/// Looks whether messages of any case wait too long for an epoch that does not come.
pub(crate) fn look(work: &Work<'_>) -> Result<(), Error> {
    for (id, case) in records::all::<CaseRecord>(work.tx)? {
        let oldest = behind(work, &case.group_id)?.map_or(0, |(_, since)| since);
        withheld(work, &id, oldest)?;
    }
    Ok(())
}

/// A message waits since then for an epoch that does not come; 0 when none does any more. Told once.
fn withheld(work: &Work<'_>, case_id: &[u8], oldest: i64) -> Result<(), Error> {
    let since = if oldest > 0 && oldest < work.now.saturating_sub(PATIENCE_S) { oldest } else { 0 };
    let mut record = load(work, case_id)?;
    if (record.withheld_since == 0) == (since == 0) {
        return Ok(());
    }
    record.withheld_since = since;
    if since > 0 {
        work.event(Event::ChangesWithheld { case: case_name(case_id), since });
    }
    save(work, case_id, &record)
}

/// A change of the group can't be followed by this device alone; `None` when it can again.
pub(crate) fn stuck(work: &Work<'_>, case_id: &[u8], check: Option<Check>) -> Result<(), Error> {
    let number = check.map_or(0, |check| u32::from(check as u16));
    let mut record = load(work, case_id)?;
    if record.stuck == number {
        return Ok(());
    }
    record.stuck = number;
    record.stuck_since = if number == 0 { 0 } else { work.now };
    save(work, case_id, &record)
}

/// The count of a sender begins anew, or, without a key, everybody's: what was missing stays so.
pub(crate) fn restart(work: &Work<'_>, case_id: &[u8], key: Option<&[u8]>) -> Result<(), Error> {
    let mut record = load(work, case_id)?;
    let counts_anew = |sender: &&mut SenderGaps| key.is_none_or(|key| sender.key == key);
    for sender in record.senders.iter_mut().filter(counts_anew) {
        sender.lost = sender.lost.saturating_add(sender.missing.len() as u64);
        sender.missing.clear();
    }
    if key.is_none() {
        (record.withheld_since, record.stuck, record.stuck_since) = (0, 0, 0);
    }
    save(work, case_id, &record)
}

/// What is known.
pub(crate) fn load(work: &Work<'_>, case_id: &[u8]) -> Result<TranscriptRecord, Error> {
    Ok(records::load(work.tx, case_id)?.unwrap_or_default())
}

fn save(work: &Work<'_>, case_id: &[u8], record: &TranscriptRecord) -> Result<(), Error> {
    records::save(work.tx, case_id, record)
}

fn sender<'a>(record: &'a mut TranscriptRecord, key: &[u8], name: &str) -> &'a mut SenderGaps {
    let place = record.senders.iter().position(|sender| sender.key == key);
    let place = place.unwrap_or_else(|| {
        let sender = SenderGaps { key: key.to_vec(), name: name.to_owned(), ..Default::default() };
        record.senders.push(sender);
        record.senders.len().saturating_sub(1)
    });
    #[allow(clippy::indexing_slicing)] // found or pushed just above
    &mut record.senders[place]
}
