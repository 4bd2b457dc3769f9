//! The outbox: sealed cells wait in the vault until their relay has acknowledged them.
//!
//! A cell is sealed once, together with the MLS state that made it, in the same transaction as the message's row.
//! It keeps its bytes and its `msg_id` through every repeat, so the relay stores it once however often it is sent.

use std::collections::HashSet;

use budstikke_case::alert::clock_from;
use budstikke_e2ee::contact::Route;
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::cell::{self, SealKey};
use budstikke_proto::id::{CancelPk, MsgId, SendId};
use budstikke_proto::limits::RELEASE_STEP_S;
use rand_core::OsRng;

use crate::approach;
use crate::channel::send::message_id;
use crate::client::{Client, Work};
use crate::crash;
use crate::dossier::alert;
use crate::error::Error;
use crate::events::Event;
use crate::mission::enrol;
use crate::random::fresh;
use crate::records::{self, CaseRecord, Hold, MessageRecord, OutboxRecord, Record, fixed};
use crate::relay::RelayError;
use crate::view::{case_name, message_key};

/// Rows taken from the vault at a time.
const BATCH: usize = 64;

/// Which message of which case cells belong to; the protocol's own belong to none.
#[derive(Clone, Copy, Default)]
pub(crate) struct Belongs<'a> {
    pub(crate) case_id: &'a [u8],
    pub(crate) number: u64,
}

/// A cell that waits for a relay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The case it belongs to, or `None` for the protocol's own.
    pub case: Option<String>,
    /// The message's number in that case.
    pub number: u64,
    /// Unix seconds when it was queued.
    pub since: i64,
}

/// A cell that the relay shall hold back until its time.
pub(crate) struct Held<'a> {
    /// When it is released.
    pub(crate) hold: Hold,
    /// The `msg_id` of each of its cells.
    pub(crate) name: &'a dyn Fn(u32) -> [u8; 16],
}

/// What a run of the outbox did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flushed {
    pub(crate) sent: usize,
    pub(crate) waiting: usize,
    pub(crate) problem: Option<String>,
}

/// Seals an envelope for each route and puts the cells into the outbox; the number of cells.
pub(crate) fn enqueue(
    work: &Work<'_>,
    routes: &[Route],
    envelope: &[u8],
    belongs: Belongs<'_>,
    front_door: bool,
) -> Result<u32, Error> {
    queue(work, routes, envelope, belongs, front_door, None)
}

/// The same for one route whose relay holds the cells back.
pub(crate) fn enqueue_held(
    work: &Work<'_>,
    route: &Route,
    envelope: &[u8],
    held: &Held<'_>,
) -> Result<u32, Error> {
    queue(work, std::slice::from_ref(route), envelope, Belongs::default(), false, Some(held))
}

/// The cells of this grant with these names that have not left yet.
pub(crate) fn unsent(
    work: &Work<'_>,
    send_id: &[u8],
    msg_ids: &[[u8; 16]],
) -> Result<Vec<u64>, Error> {
    let rows = rows_after(work, 0, usize::MAX)?.into_iter();
    let named =
        |row: &OutboxRecord| row.send_id == send_id && msg_ids.iter().any(|id| row.msg_id == id);
    Ok(rows.filter(|(_, row)| named(row)).map(|(seq, _)| seq).collect())
}

/// Drops cells that have not left yet.
pub(crate) fn drop_unsent(work: &Work<'_>, seqs: &[u64]) -> Result<(), Error> {
    for seq in seqs {
        work.tx.delete_seq(OutboxRecord::KIND, *seq)?;
    }
    Ok(())
}

fn queue(
    work: &Work<'_>,
    routes: &[Route],
    envelope: &[u8],
    belongs: Belongs<'_>,
    front_door: bool,
    held: Option<&Held<'_>>,
) -> Result<u32, Error> {
    let mut cells = 0;
    for route in routes {
        let key = SealKey::from_bytes(*route.seal_key);
        for fragment in cell::split(envelope, fresh())? {
            let random = || *MsgId::random(&mut OsRng).as_bytes();
            let record = OutboxRecord {
                relay: route.relay.clone(),
                send_id: route.send_id.to_vec(),
                send_secret: route.send_secret.to_vec(),
                msg_id: held.map_or_else(random, |held| (held.name)(cells)).to_vec(),
                cell: cell::seal(&fragment, &key, &mut OsRng)?,
                front_door,
                case_id: belongs.case_id.to_vec(),
                number: belongs.number,
                queued_at: work.now,
                hold: held.map(|held| held.hold.clone()),
            };
            let bytes = zeroize::Zeroizing::new(prost::Message::encode_to_vec(&record));
            work.tx.append(OutboxRecord::KIND, &bytes)?;
            work.queued();
            cells += 1;
        }
    }
    Ok(cells)
}

/// What waits, oldest first.
pub(crate) fn waiting(work: &Work<'_>) -> Result<Vec<Waiting>, Error> {
    let rows = rows_after(work, 0, usize::MAX)?;
    Ok(rows
        .into_iter()
        .map(|(_, row)| Waiting {
            case: (!row.case_id.is_empty()).then(|| case_name(&row.case_id)),
            number: row.number,
            since: row.queued_at,
        })
        .collect())
}

impl Client {
    /// The cells that wait for a relay, oldest first.
    ///
    /// # Errors
    /// [`Error::Vault`].
    pub async fn outbox(&self) -> Result<Vec<Waiting>, Error> {
        self.vault(waiting).await
    }

    /// Sends what waits. A relay that does not answer holds up only its own cells.
    pub(crate) async fn flush(&self) -> Result<Flushed, Error> {
        let mut done = Flushed::default();
        let mut held: HashSet<(String, Vec<u8>)> = HashSet::new();
        let mut after = 0;
        loop {
            let from = after;
            let rows = self.vault(move |work| rows_after(work, from, BATCH)).await?;
            if rows.is_empty() {
                return Ok(done);
            }
            for (seq, row) in rows {
                after = seq;
                let lane = (row.relay.clone(), row.send_id.clone());
                if held.contains(&lane) {
                    done.waiting += 1;
                    continue;
                }
                match self.send_row(&row).await {
                    Ok(()) => {
                        crash::point("outbox-after-ack");
                        self.vault(move |work| acknowledged(work, seq, &row)).await?;
                        crash::point("outbox-after-delete");
                        done.sent += 1;
                    }
                    Err(error) if error.is_fatal() => return Err(error),
                    Err(Error::Relay(RelayError::Refused))
                        if self
                            .vault({
                                let row = row.clone();
                                move |work| moved_on(work, seq, &row)
                            })
                            .await? => {}
                    // A route came from somebody else: whatever is wrong with one holds up no other.
                    Err(error) => {
                        done.problem.get_or_insert(explain(&error));
                        // Copies leave on their own: none waits for another.
                        if row.hold.is_none() {
                            held.insert(lane);
                        }
                        done.waiting += 1;
                    }
                }
            }
        }
    }

    async fn send_row(&self, row: &OutboxRecord) -> Result<(), Error> {
        let send_id = SendId::from_bytes(fixed(&row.send_id, "the outbox")?);
        let msg_id = MsgId::from_bytes(fixed(&row.msg_id, "the outbox")?);
        let key = CapabilityKey::from_bytes(fixed(&row.send_secret, "the outbox")?);
        let relay = self.relay(&row.relay, &row.send_id)?;
        crash::point("outbox-before-send");
        let cell = row.cell.clone();
        match &row.hold {
            None => relay.send(&key, send_id, msg_id, cell, row.front_door).await?,
            Some(hold) => {
                let from = clock_from(hold.raised_at_s, self.now());
                let at = from.saturating_add(hold.after_s).max(1);
                let whole = at.saturating_add((-at).rem_euclid(RELEASE_STEP_S));
                let cancel = CancelPk::from_bytes(fixed(&hold.cancel_pk, "the outbox")?);
                relay.hold(&key, send_id, msg_id, cell, whole, cancel).await?;
            }
        }
        Ok(())
    }
}

fn rows_after(
    work: &Work<'_>,
    after: u64,
    limit: usize,
) -> Result<Vec<(u64, OutboxRecord)>, Error> {
    let rows = work.tx.list_after(OutboxRecord::KIND, after, limit)?;
    rows.into_iter()
        .map(|row| {
            let record = prost::Message::decode(row.value.as_slice())
                .map_err(|_| Error::Damaged { what: OutboxRecord::NAME })?;
            Ok((row.seq, record))
        })
        .collect()
}

/// The relay has the cell: its row goes, and the message it belongs to has one fewer to wait for.
fn acknowledged(work: &Work<'_>, seq: u64, row: &OutboxRecord) -> Result<(), Error> {
    if !work.tx.delete_seq(OutboxRecord::KIND, seq)? || row.number == 0 {
        return Ok(());
    }
    let key = message_key(&row.case_id, row.number);
    let Some(mut message) = records::load::<MessageRecord>(work.tx, &key)? else { return Ok(()) };
    message.waiting = message.waiting.saturating_sub(1);
    if message.waiting == 0 {
        let case = case_name(&row.case_id);
        work.event(Event::MessageAtRelay { case, number: row.number });
        if let Some(case) = records::load::<CaseRecord>(work.tx, &row.case_id)?.filter(|c| c.line) {
            alert::at_relay(work, &case, &message_id(&message.content)?)?;
        }
    }
    records::save(work.tx, &key, &message)
}

/// What leads nowhere, and is to be said elsewhere or to the person: a code, or a front door that a mission has left.
fn moved_on(work: &Work<'_>, seq: u64, row: &OutboxRecord) -> Result<bool, Error> {
    if row.front_door {
        approach::door_is_closed(work, seq, row)
    } else {
        enrol::code_is_gone(work, seq, row)
    }
}

fn explain(error: &Error) -> String {
    if matches!(error, Error::Relay(RelayError::Refused)) {
        return "the other side no longer takes messages here; reach them another way".to_owned();
    }
    error.to_string()
}
