//! The record of what was opened: with the team, and with each holder who helped.

use budstikke_e2ee::group::Member;
use budstikke_e2ee::keys::VerifyingKey;
use budstikke_e2ee::reserve::{HOLDERS, MAX_REASON};
use budstikke_e2ee::team::TeamMessage;

use crate::channel::send::name_of;
use crate::client::{Client, Work};
use crate::error::Error;
use crate::events::Event;
use crate::mission::{own_device, team};
use crate::random::fresh;
use crate::records::{self, OpenedRecord};
use crate::recovery::again;

/// Most entries in the record of what was opened, and most bytes of a name in one.
const MAX_LOG: usize = 256;
const MAX_NAME: usize = 100;

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
    /// What was opened: on a holder's device what it helped with, on a mission's what the team was told. The newest
    /// last.
    ///
    /// # Errors
    /// [`Error::Vault`].
    pub async fn opened_reserves(&self) -> Result<Vec<OpenedReserve>, Error> {
        self.vault(|work| {
            let mut all = records::all::<OpenedRecord>(work.tx)?;
            all.sort_by_key(|(_, record)| record.at);
            Ok(all.into_iter().map(|(_, record)| OpenedReserve::of(record)).collect())
        })
        .await
    }
}

/// The team is told, and it is written down.
pub(super) fn tell(
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
