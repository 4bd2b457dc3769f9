//! One commit: up to 256 mutations, applied in order in one write transaction.
//!
//! A mutation first reads, then stages its writes; what it staged enters the transaction only when it succeeded. So a
//! damaged row fails its own mutation and leaves the others of the group alone.

use std::collections::HashMap;
use std::sync::Arc;

use budstikke_proto::id::{Label, MsgId, NoticeId, RecvId, RecvPk, SendId, SlotId};
use budstikke_proto::limits::MAX_SLOT_ENTRIES;
use bytes::Bytes;
use fjall::{PersistMode, Readable, SingleWriterWriteTx};
use prost::Message;

use super::due::{Due, Turn};
use super::room::Room;
use super::rows::{
    BodyRow, CellAtRow, CellRef, GrantAtRow, GrantRow, HeadRow, MailboxRow, MarkRow, SlotRow,
};
use super::seal::{Kind, RowKey, SealingKey, row_day, seal_row};
use super::tables::{Found, Place, Tables};
use crate::store::rules::{Limits, day_of, first_seq, last_day, record_day};
use crate::store::{Mutation, Notice, Outcome, SlotEntry, SpentToken, StoreError, StoredCell};

mod blob;
mod held;

/// What watchers are told once the commit is durable.
pub(super) enum Told {
    Cell(RecvId, Arc<StoredCell>),
    Gone(RecvId),
}

enum Write {
    Put(Place, Vec<u8>),
    Remove(Place),
    Expire(Vec<u8>, Vec<u8>),
    NoLongerExpire(Vec<u8>),
}

/// What the storage thread keeps in memory, made from the rows at each start. After a failed commit it may be ahead of
/// the disk; then nothing is written any more.
pub(super) struct InMemory {
    pub(super) due: Due,
    pub(super) room: Room,
}

/// Where a cell goes.
struct Admitted {
    recv_id: RecvId,
    label: Label,
    mailbox_place: Place,
    mailbox: Found<MailboxRow>,
    grant_place: Place,
    grant: Found<GrantRow>,
}

pub(super) struct Group<'a> {
    tables: &'a Tables,
    due: &'a mut Due,
    room: &'a mut Room,
    limits: Limits,
    tx: SingleWriterWriteTx<'a>,
    staged: Vec<Write>,
    told: Vec<Told>,
    now: i64,
    today: u32,
}

/// What an acknowledgement waits for.
fn durable() -> PersistMode {
    #[cfg(feature = "planted-no-sync")]
    if crate::testing::NO_SYNC.load(std::sync::atomic::Ordering::SeqCst) {
        return PersistMode::Buffer;
    }
    PersistMode::SyncData
}

impl<'a> Group<'a> {
    pub(super) fn new(tables: &'a Tables, memory: &'a mut InMemory, limits: Limits) -> Self {
        let InMemory { due, room } = memory;
        let tx = tables.db.write_tx().durability(Some(durable()));
        Self {
            tables,
            due,
            room,
            limits,
            tx,
            staged: Vec::new(),
            told: Vec::new(),
            now: 0,
            today: 0,
        }
    }

    /// Applies one mutation. [`StoreError::Damaged`] leaves the group usable; after any other error drop it.
    pub(super) fn apply(&mut self, now: i64, mutation: Mutation) -> Result<Outcome, StoreError> {
        (self.now, self.today) = (now, day_of(now));
        let (staged, told) = (self.staged.len(), self.told.len());
        let outcome = self.change(mutation);
        if outcome.is_err() {
            self.staged.truncate(staged);
            self.told.truncate(told);
        }
        self.flush();
        outcome
    }

    fn change(&mut self, mutation: Mutation) -> Result<Outcome, StoreError> {
        match mutation {
            Mutation::Create { recv_id, recv_pk, ttl_days, paid } => {
                self.create(&recv_id, &recv_pk, ttl_days, paid)
            }
            Mutation::ByToken { token, change } => self.by_token(token, &change),
            Mutation::Grant { recv_id, send_id, send_pk, label, quota, work_required } => {
                let row = GrantRow {
                    recv_id: recv_id.as_bytes().to_vec(),
                    send_pk: send_pk.as_bytes().to_vec(),
                    label: label.as_bytes().to_vec(),
                    quota,
                    work_required,
                    waiting: 0,
                    place: 0,
                };
                self.make_grant(&recv_id, &send_id, row)
            }
            Mutation::Revoke { recv_id, send_id } => self.revoke(&recv_id, &send_id),
            Mutation::Append { send_id, msg_id, cell, paid } => {
                self.append(&send_id, &msg_id, cell, paid)
            }
            Mutation::Hold { send_id, msg_id, cell, release_at, cancel_pk } => {
                self.hold(&send_id, &msg_id, cell, release_at, &cancel_pk)
            }
            Mutation::Cancel { send_id, msg_id } => self.cancel(&send_id, &msg_id),
            Mutation::Trim { recv_id, upto } => self.trim(&recv_id, upto),
            Mutation::Delete { recv_id } => self.delete(&recv_id),
            Mutation::SlotAppend { slot_id, entry, paid } => {
                self.slot_append(&slot_id, &entry, paid)
            }
            Mutation::NoticePut { notice_id, notice, paid } => {
                self.notice_put(&notice_id, &notice, paid)
            }
            Mutation::BlobPut { fetch_id, delete_id, blob, paid } => {
                self.blob_put(&fetch_id, &delete_id, &blob, paid)
            }
            Mutation::BlobDelete { delete_id } => self.blob_delete(&delete_id),
        }
    }

    /// Makes the group durable, and answers what to tell.
    pub(super) fn commit(self) -> Result<Vec<Told>, StoreError> {
        self.tx.commit()?;
        Ok(self.told)
    }

    fn create(
        &mut self,
        recv_id: &RecvId,
        recv_pk: &RecvPk,
        ttl_days: u32,
        paid: bool,
    ) -> Result<Outcome, StoreError> {
        let place = self.tables.mailbox(recv_id);
        if let Some(mut mailbox) = self.load::<MailboxRow>(&place)? {
            mailbox.row.ttl_days = mailbox.row.ttl_days.max(ttl_days);
            self.keep_mailbox(recv_id, &mailbox, &HashMap::new())?;
            return Ok(Outcome::Done);
        }
        if !paid {
            return Ok(Outcome::Unpaid);
        }
        let born = first_seq(self.now);
        let row = MailboxRow {
            recv_pk: recv_pk.as_bytes().to_vec(),
            ttl_days,
            last_seq: born,
            first_seq: born.saturating_add(1),
            cell_day: 0,
            waiting: 0,
            grants: 0,
            born,
        };
        self.put(&place, None, last_day(self.now, ttl_days), &row)?;
        Ok(Outcome::Done)
    }

    /// A change that is found unpaid stages nothing, so it can be tried for nothing first.
    fn by_token(&mut self, token: SpentToken, change: &Mutation) -> Result<Outcome, StoreError> {
        let free = self.change(change.clone().with_payment(false))?;
        let place = self.tables.token(&token.id);
        let valid = token.last_day >= self.today;
        if free != Outcome::Unpaid || !valid || self.load::<MarkRow>(&place)?.is_some() {
            return Ok(free);
        }
        let outcome = self.change(change.clone().with_payment(true))?;
        if matches!(outcome, Outcome::Done | Outcome::Placed(_)) {
            self.put(&place, None, token.last_day, &MarkRow {})?;
        }
        Ok(outcome)
    }

    fn make_grant(
        &mut self,
        recv_id: &RecvId,
        send_id: &SendId,
        mut row: GrantRow,
    ) -> Result<Outcome, StoreError> {
        let mailbox_place = self.tables.mailbox(recv_id);
        let Some(mut mailbox) = self.load::<MailboxRow>(&mailbox_place)? else {
            return Ok(Outcome::Unknown);
        };
        let place = self.tables.grant(send_id);
        if let Some(old) = self.load::<GrantRow>(&place)? {
            (row.waiting, row.place) = (old.row.waiting, old.row.place);
            self.put(&place, Some(old.day), old.day, &row)?;
            return Ok(Outcome::Done);
        }
        if mailbox.row.grants >= self.limits.max_grants {
            return Ok(Outcome::Full);
        }
        row.place = mailbox.row.grants;
        mailbox.row.grants += 1;
        let listed = GrantAtRow { send_id: send_id.as_bytes().to_vec() };
        self.put(&place, None, mailbox.day, &row)?;
        self.put(&self.tables.grant_at(recv_id, row.place), None, mailbox.day, &listed)?;
        self.put(&mailbox_place, Some(mailbox.day), mailbox.day, &mailbox.row)?;
        Ok(Outcome::Done)
    }

    fn revoke(&mut self, recv_id: &RecvId, send_id: &SendId) -> Result<Outcome, StoreError> {
        let (mailbox_place, place) = (self.tables.mailbox(recv_id), self.tables.grant(send_id));
        let mailbox = self.load::<MailboxRow>(&mailbox_place)?;
        let (Some(mut mailbox), Some(grant)) = (mailbox, self.load::<GrantRow>(&place)?) else {
            return Ok(Outcome::Unknown);
        };
        if grant.row.recv_id()? != *recv_id {
            return Ok(Outcome::Unknown);
        }
        // The last of the list takes the free place.
        mailbox.row.grants = mailbox.row.grants.saturating_sub(1);
        let last_place = self.tables.grant_at(recv_id, mailbox.row.grants);
        if grant.row.place != mailbox.row.grants {
            let last = self.load::<GrantAtRow>(&last_place)?.ok_or(StoreError::Damaged)?;
            let moved_place = self.tables.grant(&last.row.send_id()?);
            let mut moved = self.load::<GrantRow>(&moved_place)?.ok_or(StoreError::Damaged)?;
            moved.row.place = grant.row.place;
            self.put(&moved_place, Some(moved.day), moved.day, &moved.row)?;
            let free = self.tables.grant_at(recv_id, grant.row.place);
            self.put(&free, Some(last.day), last.day, &last.row)?;
        }
        self.remove(&last_place, mailbox.day);
        self.remove(&place, grant.day);
        let turns = self.drop_held(&place)?;
        let dropped = u32::try_from(turns.len()).unwrap_or(u32::MAX);
        mailbox.row.waiting = mailbox.row.waiting.saturating_sub(dropped);
        self.put(&mailbox_place, Some(mailbox.day), mailbox.day, &mailbox.row)?;
        self.forget_turns(turns);
        Ok(Outcome::Done)
    }

    fn append(
        &mut self,
        send_id: &SendId,
        msg_id: &MsgId,
        cell: Bytes,
        paid: bool,
    ) -> Result<Outcome, StoreError> {
        let unpaid = |grant: &GrantRow| (grant.work_required && !paid).then_some(Outcome::Unpaid);
        let mut to = match self.admit(send_id, msg_id, unpaid)? {
            Ok(to) => to,
            Err(outcome) => return Ok(outcome),
        };
        to.mailbox.row.waiting += 1;
        to.grant.row.waiting += 1;
        self.place_cell(send_id, msg_id, &mut to, cell)?;
        self.keep_counters(&to)?;
        Ok(Outcome::Done)
    }

    /// What a new cell needs, or why there is nothing to do; `refused` says what the grant itself forbids.
    fn admit(
        &mut self,
        send_id: &SendId,
        msg_id: &MsgId,
        refused: impl Fn(&GrantRow) -> Option<Outcome>,
    ) -> Result<Result<Admitted, Outcome>, StoreError> {
        let grant_place = self.tables.grant(send_id);
        let Some(grant) = self.load::<GrantRow>(&grant_place)? else {
            return Ok(Err(Outcome::Unknown));
        };
        let (recv_id, label) = (grant.row.recv_id()?, grant.row.label()?);
        let mailbox_place = self.tables.mailbox(&recv_id);
        let Some(mailbox) = self.load::<MailboxRow>(&mailbox_place)? else {
            return Ok(Err(Outcome::Unknown));
        };
        let mut to = Admitted { recv_id, label, mailbox_place, mailbox, grant_place, grant };
        let mark = self.tables.message(to.mailbox.row.born, send_id, msg_id.as_bytes());
        if self.load::<MarkRow>(&mark)?.is_some() {
            return Ok(Err(Outcome::Done));
        }
        if let Some(outcome) = refused(&to.grant.row) {
            return Ok(Err(outcome));
        }
        if self.full(&to.grant.row, &to.mailbox.row) {
            let freed = self.free_expired(&recv_id, &mut to.mailbox.row)?;
            self.lower_counters(&freed, |id| id != send_id)?;
            let own = freed.get(send_id).copied().unwrap_or(0);
            to.grant.row.waiting = to.grant.row.waiting.saturating_sub(own);
            if self.full(&to.grant.row, &to.mailbox.row) {
                self.keep_counters(&to)?;
                return Ok(Err(Outcome::Full));
            }
        }
        Ok(Ok(to))
    }

    /// Gives a cell its number and its place; the counters are the caller's.
    fn place_cell(
        &mut self,
        send_id: &SendId,
        msg_id: &MsgId,
        to: &mut Admitted,
        cell: Bytes,
    ) -> Result<(), StoreError> {
        let (recv_id, label, mailbox) = (to.recv_id, to.label, &mut to.mailbox);
        let seq = mailbox.row.last_seq.checked_add(1).ok_or(StoreError::Damaged)?;
        let day = last_day(self.now, mailbox.row.ttl_days).min(mailbox.day);
        let day = day.max(mailbox.row.cell_day);
        (mailbox.row.last_seq, mailbox.row.cell_day) = (seq, day);
        let mark = self.tables.message(mailbox.row.born, send_id, msg_id.as_bytes());

        let (send, recv) = (send_id.as_bytes().to_vec(), recv_id.as_bytes().to_vec());
        let head = CellAtRow { send_id: send.clone(), label: label.as_bytes().to_vec() };
        let note = CellRef { recv_id: recv, send_id: send, seq };
        self.put_noted(&self.tables.cell_at(&recv_id, seq), None, day, &head, Some(&note))?;
        // A body has no place of its own in the expiry list: it goes with its head.
        let body_place = self.tables.cell_body(&recv_id, seq);
        self.put(&body_place, Some(day), day, &BodyRow { bytes: cell.clone() })?;
        // A held cell has had its mark since it came, perhaps for longer.
        let known = self.load::<MarkRow>(&mark)?.map(|found| found.day);
        if known.is_none_or(|known| known < day) {
            self.put(&mark, known, day, &MarkRow {})?;
        }
        self.told.push(Told::Cell(recv_id, Arc::new(StoredCell { seq, label, cell })));
        Ok(())
    }

    fn keep_counters(&mut self, to: &Admitted) -> Result<(), StoreError> {
        let (mailbox, grant) = (&to.mailbox, &to.grant);
        self.put(&to.mailbox_place, Some(mailbox.day), mailbox.day, &mailbox.row)?;
        self.put(&to.grant_place, Some(grant.day), grant.day, &grant.row)
    }

    fn full(&self, grant: &GrantRow, mailbox: &MailboxRow) -> bool {
        grant.waiting >= grant.quota || mailbox.waiting >= self.limits.max_cells
    }

    /// Removes the expired cells that no sweep has come to yet, so that none of them holds a place; answers how many
    /// of each sender. They stand before the living ones, because no cell expires before an older one.
    fn free_expired(
        &mut self,
        recv_id: &RecvId,
        mailbox: &mut MailboxRow,
    ) -> Result<HashMap<SendId, u32>, StoreError> {
        let mut freed = HashMap::new();
        for seq in mailbox.first_seq..=mailbox.last_seq {
            let place = self.tables.cell_at(recv_id, seq);
            if let Some(value) = self.tx.get(self.tables.keyspace(place.kind), place.key)? {
                let day = row_day(&value)?;
                if day >= self.today {
                    break;
                }
                let key = self.tables.sealer.day(day).ok_or(StoreError::Damaged)?;
                let head: CellAtRow = Tables::decode(&key, &place, &value)?;
                *freed.entry(head.send_id()?).or_insert(0) += 1;
                mailbox.waiting = mailbox.waiting.saturating_sub(1);
                self.remove(&place, day);
                self.staged.push(Write::Remove(self.tables.cell_body(recv_id, seq)));
            }
            mailbox.first_seq = seq.saturating_add(1);
        }
        Ok(freed)
    }

    fn trim(&mut self, recv_id: &RecvId, upto: u64) -> Result<Outcome, StoreError> {
        let Some(mut mailbox) = self.load::<MailboxRow>(&self.tables.mailbox(recv_id))? else {
            return Ok(Outcome::Unknown);
        };
        let upto = upto.min(mailbox.row.last_seq);
        let mut freed = HashMap::new();
        for seq in mailbox.row.first_seq..=upto {
            let place = self.tables.cell_at(recv_id, seq);
            if let Some(head) = self.load::<CellAtRow>(&place)? {
                *freed.entry(head.row.send_id()?).or_insert(0) += 1;
                mailbox.row.waiting = mailbox.row.waiting.saturating_sub(1);
                self.remove(&place, head.day);
                self.staged.push(Write::Remove(self.tables.cell_body(recv_id, seq)));
            }
        }
        mailbox.row.first_seq = mailbox.row.first_seq.max(upto.saturating_add(1));
        self.keep_mailbox(recv_id, &mailbox, &freed)?;
        Ok(Outcome::Done)
    }

    fn delete(&mut self, recv_id: &RecvId) -> Result<Outcome, StoreError> {
        let place = self.tables.mailbox(recv_id);
        let Some(mailbox) = self.load::<MailboxRow>(&place)? else { return Ok(Outcome::Unknown) };
        for seq in mailbox.row.first_seq..=mailbox.row.last_seq {
            let head_place = self.tables.cell_at(recv_id, seq);
            if let Some(head) = self.load::<CellAtRow>(&head_place)? {
                self.remove(&head_place, head.day);
                self.staged.push(Write::Remove(self.tables.cell_body(recv_id, seq)));
            }
        }
        let mut turns: Vec<Turn> = Vec::new();
        for index in 0..mailbox.row.grants {
            let listed_place = self.tables.grant_at(recv_id, index);
            if let Some(listed) = self.load::<GrantAtRow>(&listed_place)? {
                let grant = self.tables.grant(&listed.row.send_id()?);
                turns.extend(self.drop_held(&grant)?);
                self.remove(&grant, mailbox.day);
                self.remove(&listed_place, listed.day);
            }
        }
        self.remove(&place, mailbox.day);
        self.told.push(Told::Gone(*recv_id));
        self.forget_turns(turns);
        Ok(Outcome::Done)
    }

    fn slot_append(
        &mut self,
        slot_id: &SlotId,
        entry: &SlotEntry,
        paid: bool,
    ) -> Result<Outcome, StoreError> {
        let place = self.tables.slot(slot_id);
        let old = self.load::<SlotRow>(&place)?;
        if old.is_none() && !paid {
            return Ok(Outcome::Unpaid);
        }
        let mut entries = self.tables.slot_entries(&self.tx, self.today, slot_id)?;
        let count = entries.len();
        let at = entries.iter().position(|old| old.hash == entry.hash).unwrap_or(count);
        let number = u32::try_from(at).unwrap_or(u32::MAX);
        if number >= MAX_SLOT_ENTRIES {
            return Ok(Outcome::SlotFull);
        }
        if at < count {
            return Ok(Outcome::Placed(number));
        }
        let (old_day, mut slot) = match old {
            Some(found) => (Some(found.day), found.row),
            None => (None, SlotRow { entries: Vec::new() }),
        };
        let day = record_day(self.now).max(old_day.unwrap_or(0));
        slot.entries.push(head(&entry.signature, &entry.hash, entry.payloads.len(), 0));
        entries.push(entry.clone());
        for (index, entry) in (0u32..).zip(&entries) {
            let was = if index == number { None } else { old_day };
            if was != Some(day) {
                let part = |part| self.tables.slot_part(slot_id, index, part);
                self.put_bodies(&entry.payloads, was, day, part)?;
            }
        }
        self.put(&place, old_day, day, &slot)?;
        Ok(Outcome::Placed(number))
    }

    fn notice_put(
        &mut self,
        notice_id: &NoticeId,
        notice: &Notice,
        paid: bool,
    ) -> Result<Outcome, StoreError> {
        let place = self.tables.notice(notice_id);
        let old = self.load::<HeadRow>(&place)?;
        if let Some(old) = &old {
            let same = old.row.version == notice.version && old.row.hash()? == notice.hash;
            if old.row.version >= notice.version && !same {
                return Ok(Outcome::Conflict);
            }
            for index in 0..old.row.parts {
                let part = self.tables.notice_part(notice_id, old.row.version, index);
                self.remove(&part, old.day);
            }
        } else if !paid {
            return Ok(Outcome::Unpaid);
        }
        let old_day = old.map(|old| old.day);
        let day = record_day(self.now).max(old_day.unwrap_or(0));
        let part = |index| self.tables.notice_part(notice_id, notice.version, index);
        self.put_bodies(&notice.payloads, None, day, part)?;
        let head = head(&notice.signature, &notice.hash, notice.payloads.len(), notice.version);
        self.put(&place, old_day, day, &head)?;
        Ok(Outcome::Done)
    }

    /// Writes a mailbox back with its life lengthened, and its grants with it; takes `freed` off their counters.
    fn keep_mailbox(
        &mut self,
        recv_id: &RecvId,
        mailbox: &Found<MailboxRow>,
        freed: &HashMap<SendId, u32>,
    ) -> Result<(), StoreError> {
        let day = mailbox.day.max(last_day(self.now, mailbox.row.ttl_days));
        let mut touched: Vec<SendId> = freed.keys().copied().collect();
        if day != mailbox.day {
            touched.clear();
            for index in 0..mailbox.row.grants {
                let place = self.tables.grant_at(recv_id, index);
                let listed = self.load::<GrantAtRow>(&place)?.ok_or(StoreError::Damaged)?;
                touched.push(listed.row.send_id()?);
                self.put(&place, Some(listed.day), day, &listed.row)?;
            }
        }
        for send_id in touched {
            let place = self.tables.grant(&send_id);
            // A cell may outlast its grant.
            if let Some(mut grant) = self.load::<GrantRow>(&place)? {
                let freed = freed.get(&send_id).copied().unwrap_or(0);
                grant.row.waiting = grant.row.waiting.saturating_sub(freed);
                self.put(&place, Some(grant.day), day, &grant.row)?;
            }
        }
        self.put(&self.tables.mailbox(recv_id), Some(mailbox.day), day, &mailbox.row)
    }
}

/// Expiry.
impl Group<'_> {
    /// Removes up to `max` rows of a past day; `None` when none was left and the day's key went.
    pub(super) fn expire(&mut self, day: u32, max: usize) -> Result<Option<u64>, StoreError> {
        (self.today, self.now) = (day, 0);
        let mut gone = Vec::new();
        for row in self.tx.prefix(&self.tables.expiry, day.to_be_bytes()).take(max) {
            let (key, note) = row.into_inner()?;
            gone.push((key.to_vec(), note.to_vec()));
        }
        if gone.is_empty() {
            self.tx.remove(&self.tables.days, day.to_be_bytes().to_vec());
            return Ok(None);
        }
        let mut cells: HashMap<RecvId, Vec<(u64, SendId)>> = HashMap::new();
        for (key, note) in &gone {
            self.staged.push(Write::NoLongerExpire(key.clone()));
            let Some(place) = expiring(key) else { continue };
            // What was written anew under a later day, after it expired and before this sweep, stays.
            let stored = self.tx.get(self.tables.keyspace(place.kind), place.key)?;
            if stored.is_none_or(|value| row_day(&value) != Ok(day)) {
                continue;
            }
            self.staged.push(Write::Remove(place));
            if place.kind != Kind::CellAt {
                continue;
            }
            let Some(day_key) = self.tables.sealer.day(day) else { continue };
            let note: CellRef = Tables::decode(&day_key, &place, note)?;
            let (recv_id, send_id) = note.ids()?;
            self.staged.push(Write::Remove(self.tables.cell_body(&recv_id, note.seq)));
            cells.entry(recv_id).or_default().push((note.seq, send_id));
        }
        // What expires on this very day needs no correction any more.
        self.today = day.saturating_add(1);
        let mut senders: HashMap<SendId, u32> = HashMap::new();
        for (recv_id, cells) in cells {
            let place = self.tables.mailbox(&recv_id);
            let Some(mut mailbox) = self.load::<MailboxRow>(&place)? else { continue };
            // Cells of an earlier mailbox under the same key are none of this one's.
            for (seq, send_id) in cells.into_iter().filter(|(seq, _)| *seq > mailbox.row.born) {
                mailbox.row.first_seq = mailbox.row.first_seq.max(seq.saturating_add(1));
                mailbox.row.waiting = mailbox.row.waiting.saturating_sub(1);
                *senders.entry(send_id).or_default() += 1;
            }
            self.put(&place, Some(mailbox.day), mailbox.day, &mailbox.row)?;
        }
        self.lower_counters(&senders, |_| true)?;
        self.flush();
        Ok(Some(u64::try_from(gone.len()).unwrap_or(u64::MAX)))
    }
}

/// Staging.
impl Group<'_> {
    /// Takes removed cells off the counters of their senders' grants.
    fn lower_counters(
        &mut self,
        removed: &HashMap<SendId, u32>,
        whose: impl Fn(&SendId) -> bool,
    ) -> Result<(), StoreError> {
        for (send_id, count) in removed.iter().filter(|(id, _)| whose(id)) {
            let place = self.tables.grant(send_id);
            // A cell may outlast its grant.
            if let Some(mut grant) = self.load::<GrantRow>(&place)? {
                grant.row.waiting = grant.row.waiting.saturating_sub(*count);
                self.put(&place, Some(grant.day), grant.day, &grant.row)?;
            }
        }
        Ok(())
    }

    fn load<T: Message + Default>(&self, place: &Place) -> Result<Option<Found<T>>, StoreError> {
        self.tables.load(&self.tx, self.today, place)
    }

    fn put<T: Message>(
        &mut self,
        place: &Place,
        was: Option<u32>,
        day: u32,
        row: &T,
    ) -> Result<(), StoreError> {
        self.put_noted(place, was, day, row, None)
    }

    fn put_bodies(
        &mut self,
        payloads: &[Bytes],
        was: Option<u32>,
        day: u32,
        place: impl Fn(u32) -> Place,
    ) -> Result<(), StoreError> {
        for (index, bytes) in (0u32..).zip(payloads) {
            self.put(&place(index), was, day, &BodyRow { bytes: bytes.clone() })?;
        }
        Ok(())
    }

    /// Stages a row; `was` is the day under which the expiry list has it now.
    fn put_noted<T: Message>(
        &mut self,
        place: &Place,
        was: Option<u32>,
        day: u32,
        row: &T,
        note: Option<&CellRef>,
    ) -> Result<(), StoreError> {
        let key = self.day_key(day)?;
        let sealed = seal_row(&key, &place.key, day, &row.encode_to_vec())?;
        self.staged.push(Write::Put(*place, sealed));
        if was != Some(day) {
            if let Some(was) = was {
                self.staged.push(Write::NoLongerExpire(expiry_key(was, place)));
            }
            let note = match note {
                Some(note) => seal_row(&key, &place.key, day, &note.encode_to_vec())?,
                None => Vec::new(),
            };
            self.staged.push(Write::Expire(expiry_key(day, place), note));
        }
        Ok(())
    }

    fn remove(&mut self, place: &Place, day: u32) {
        self.staged.push(Write::Remove(*place));
        self.staged.push(Write::NoLongerExpire(expiry_key(day, place)));
    }

    fn day_key(&mut self, day: u32) -> Result<Arc<SealingKey>, StoreError> {
        if let Some(key) = self.tables.sealer.day(day) {
            return Ok(key);
        }
        let (key, wrapped) = self.tables.sealer.new_day(day)?;
        self.tx.insert(&self.tables.days, day.to_be_bytes().to_vec(), wrapped);
        // Before the commit, so that the rest of the group opens what it wrote; a failed commit ends all writing.
        self.tables.sealer.keep_day(day, Arc::clone(&key));
        Ok(key)
    }

    fn flush(&mut self) {
        for write in std::mem::take(&mut self.staged) {
            match write {
                Write::Put(place, value) => {
                    self.tx.insert(self.tables.keyspace(place.kind), place.key.to_vec(), value);
                }
                Write::Remove(place) => {
                    self.tx.remove(self.tables.keyspace(place.kind), place.key.to_vec());
                }
                Write::Expire(key, note) => self.tx.insert(&self.tables.expiry, key, note),
                Write::NoLongerExpire(key) => self.tx.remove(&self.tables.expiry, key),
            }
        }
    }
}

fn head(
    signature: &budstikke_proto::id::Signature,
    hash: &budstikke_proto::id::Hash,
    parts: usize,
    version: u64,
) -> HeadRow {
    HeadRow {
        signature: signature.as_bytes().to_vec(),
        hash: hash.as_bytes().to_vec(),
        parts: u32::try_from(parts).unwrap_or(u32::MAX),
        version,
    }
}

fn expiry_key(day: u32, place: &Place) -> Vec<u8> {
    let mut key = day.to_be_bytes().to_vec();
    key.push(place.kind.code());
    key.extend_from_slice(&place.key);
    key
}

/// What a row of the expiry list stands for.
pub(super) fn expiring(key: &[u8]) -> Option<Place> {
    let (code, key) = key.get(4..)?.split_first()?;
    Some(Place { kind: Kind::parse(*code)?, key: RowKey::try_from(key).ok()? })
}
