//! The engine for tests: plain maps, nothing durable. Written apart from the durable engine on purpose, so that
//! the two check each other.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use budstikke_proto::id::{CancelPk, Label, MsgId, NoticeId, RecvId, RecvPk, SendId, SendPk};
use budstikke_proto::id::{DeleteId, FetchId, SlotId};
use budstikke_proto::limits::MAX_SLOT_ENTRIES;

use super::hub::Hub;
use super::rules::{Limits, day_of, first_seq, last_day, record_day};
use super::{
    Blob, BlobPage, Capability, Committing, Mutation, Notice, Outcome, Page, SlotEntry, Store,
    StoreError, StoredCell, Watch,
};

/// Keeps everything in memory.
#[derive(Default)]
pub struct MemoryStore {
    limits: Limits,
    state: Mutex<State>,
    hub: Hub,
}

#[derive(Default)]
struct State {
    closed: bool,
    mailboxes: HashMap<RecvId, Mailbox>,
    grants: HashMap<SendId, Grant>,
    slots: HashMap<SlotId, (u32, Vec<SlotEntry>)>,
    notices: HashMap<NoticeId, (u32, Notice)>,
    /// Names that were stored, by their mailbox's birth.
    known: HashMap<(u64, SendId, MsgId), u32>,
    /// By time, then in the order in which they came.
    held: BTreeMap<(i64, u64), Held>,
    holds: u64,
    blobs: HashMap<FetchId, (u32, DeleteId, Blob)>,
    /// Tokens, until their keys' last day.
    spent: HashMap<[u8; 32], u32>,
}

struct Held {
    recv_id: RecvId,
    send_id: SendId,
    msg_id: MsgId,
    cancel_pk: CancelPk,
    cell: bytes::Bytes,
}

struct Mailbox {
    recv_pk: RecvPk,
    /// Parts this life of the mailbox from an earlier one under the same key.
    born: u64,
    ttl_days: u32,
    day: u32,
    last_seq: u64,
    cell_day: u32,
    grants: HashSet<SendId>,
    cells: BTreeMap<u64, Waiting>,
}

struct Waiting {
    send_id: SendId,
    day: u32,
    cell: Arc<StoredCell>,
}

struct Grant {
    recv_id: RecvId,
    send_pk: SendPk,
    label: Label,
    quota: u32,
    work_required: bool,
}

impl MemoryStore {
    /// An empty store.
    pub fn new(limits: Limits) -> Self {
        Self { limits, ..Self::default() }
    }

    fn state(&self) -> Result<MutexGuard<'_, State>, StoreError> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed { Err(StoreError::Closed) } else { Ok(state) }
    }
}

impl State {
    /// Forgets what is past, so that everything below may take what it finds for live.
    fn expire(&mut self, today: u32) -> u64 {
        let before = self.rows();
        self.mailboxes.retain(|_, mailbox| mailbox.day >= today);
        for mailbox in self.mailboxes.values_mut() {
            mailbox.cells.retain(|_, cell| cell.day >= today);
        }
        let mailboxes = &self.mailboxes;
        self.grants.retain(|_, grant| mailboxes.contains_key(&grant.recv_id));
        self.held.retain(|_, held| mailboxes.contains_key(&held.recv_id));
        self.known.retain(|_, day| *day >= today);
        self.spent.retain(|_, day| *day >= today);
        self.slots.retain(|_, (day, _)| *day >= today);
        self.notices.retain(|_, (day, _)| *day >= today);
        self.blobs.retain(|_, (day, ..)| *day >= today);
        u64::try_from(before.saturating_sub(self.rows())).unwrap_or(u64::MAX)
    }

    fn rows(&self) -> usize {
        let cells: usize = self.mailboxes.values().map(|mailbox| mailbox.cells.len()).sum();
        let records = self.slots.len() + self.notices.len() + self.blobs.len();
        self.mailboxes.len()
            + self.grants.len()
            + cells
            + self.known.len()
            + self.spent.len()
            + records
            + self.held.len()
    }

    fn apply(&mut self, now: i64, limits: Limits, hub: &Hub, mutation: Mutation) -> Outcome {
        self.expire(day_of(now));
        self.release(now, hub);
        match mutation {
            Mutation::Create { recv_id, recv_pk, ttl_days, paid } => {
                if let Some(mailbox) = self.mailboxes.get_mut(&recv_id) {
                    mailbox.ttl_days = mailbox.ttl_days.max(ttl_days);
                    mailbox.renew(now);
                    return Outcome::Done;
                }
                if !paid {
                    return Outcome::Unpaid;
                }
                let mailbox = Mailbox {
                    recv_pk,
                    born: first_seq(now),
                    ttl_days,
                    day: last_day(now, ttl_days),
                    last_seq: first_seq(now),
                    cell_day: 0,
                    grants: HashSet::new(),
                    cells: BTreeMap::new(),
                };
                self.mailboxes.insert(recv_id, mailbox);
                Outcome::Done
            }
            Mutation::ByToken { token, change } => {
                let free = self.apply(now, limits, hub, change.clone().with_payment(false));
                let valid = token.last_day >= day_of(now) && !self.spent.contains_key(&token.id);
                if free != Outcome::Unpaid || !valid {
                    return free;
                }
                let outcome = self.apply(now, limits, hub, change.with_payment(true));
                if matches!(outcome, Outcome::Done | Outcome::Placed(_)) {
                    self.spent.insert(token.id, token.last_day);
                }
                outcome
            }
            Mutation::Grant { recv_id, send_id, send_pk, label, quota, work_required } => {
                let Some(mailbox) = self.mailboxes.get_mut(&recv_id) else {
                    return Outcome::Unknown;
                };
                if let Some(grant) = self.grants.get_mut(&send_id) {
                    (grant.label, grant.quota, grant.work_required) = (label, quota, work_required);
                    return Outcome::Done;
                }
                if mailbox.grants.len() >= size(limits.max_grants) {
                    return Outcome::Full;
                }
                mailbox.grants.insert(send_id);
                let grant = Grant { recv_id, send_pk, label, quota, work_required };
                self.grants.insert(send_id, grant);
                Outcome::Done
            }
            Mutation::Revoke { recv_id, send_id } => {
                let owned =
                    self.mailboxes.get_mut(&recv_id).is_some_and(|it| it.grants.remove(&send_id));
                if !owned {
                    return Outcome::Unknown;
                }
                self.grants.remove(&send_id);
                self.held.retain(|_, held| held.send_id != send_id);
                Outcome::Done
            }
            Mutation::Append { send_id, msg_id, cell, paid } => {
                self.append(now, limits, hub, send_id, msg_id, cell, paid)
            }
            Mutation::Hold { send_id, msg_id, cell, release_at, cancel_pk } => {
                self.hold(limits, send_id, msg_id, cell, release_at, cancel_pk)
            }
            Mutation::Cancel { send_id, msg_id } => {
                let held = self.find_held(send_id, msg_id).map(|(turn, _)| *turn);
                match held.and_then(|turn| self.held.remove(&turn)) {
                    Some(_) => Outcome::Done,
                    None => Outcome::Unknown,
                }
            }
            Mutation::Trim { recv_id, upto } => {
                let Some(mailbox) = self.mailboxes.get_mut(&recv_id) else {
                    return Outcome::Unknown;
                };
                mailbox.cells.retain(|seq, _| *seq > upto);
                mailbox.renew(now);
                Outcome::Done
            }
            Mutation::Delete { recv_id } => {
                let Some(mailbox) = self.mailboxes.remove(&recv_id) else {
                    return Outcome::Unknown;
                };
                self.grants.retain(|send_id, _| !mailbox.grants.contains(send_id));
                self.known.retain(|(_, send_id, _), _| !mailbox.grants.contains(send_id));
                self.held.retain(|_, held| held.recv_id != recv_id);
                hub.gone(&recv_id);
                Outcome::Done
            }
            Mutation::SlotAppend { slot_id, entry, paid } => {
                self.slot_append(now, slot_id, entry, paid)
            }
            Mutation::NoticePut { notice_id, notice, paid } => {
                if let Some((_, old)) = self.notices.get(&notice_id) {
                    let same = old.version == notice.version && old.hash == notice.hash;
                    if old.version >= notice.version && !same {
                        return Outcome::Conflict;
                    }
                } else if !paid {
                    return Outcome::Unpaid;
                }
                self.notices.insert(notice_id, (record_day(now), notice));
                Outcome::Done
            }
            Mutation::BlobPut { fetch_id, delete_id, blob, paid } => {
                if let Some((_, owner, old)) = self.blobs.get(&fetch_id) {
                    let same = *owner == delete_id && old.hash == blob.hash;
                    return if same { Outcome::Done } else { Outcome::Conflict };
                }
                if !paid {
                    return Outcome::Unpaid;
                }
                let taken: u64 = self.blobs.values().map(|(.., blob)| bytes_of(blob)).sum();
                if taken + bytes_of(&blob) > limits.max_blob_bytes {
                    return Outcome::Full;
                }
                let day = last_day(now, blob.ttl_days);
                self.blobs.insert(fetch_id, (day, delete_id, blob));
                Outcome::Done
            }
            Mutation::BlobDelete { delete_id } => {
                let before = self.blobs.len();
                self.blobs.retain(|_, (_, owner, _)| *owner != delete_id);
                if self.blobs.len() < before { Outcome::Done } else { Outcome::Unknown }
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "the mutation's fields, taken apart")]
    fn append(
        &mut self,
        now: i64,
        limits: Limits,
        hub: &Hub,
        send_id: SendId,
        msg_id: MsgId,
        cell: bytes::Bytes,
        paid: bool,
    ) -> Outcome {
        let Some(grant) = self.grants.get(&send_id) else { return Outcome::Unknown };
        let Some(mailbox) = self.mailboxes.get(&grant.recv_id) else { return Outcome::Unknown };
        if self.known.contains_key(&(mailbox.born, send_id, msg_id)) {
            return Outcome::Done;
        }
        if grant.work_required && !paid {
            return Outcome::Unpaid;
        }
        if self.full(limits, send_id, grant) {
            return Outcome::Full;
        }
        self.place(now, hub, send_id, msg_id, cell);
        Outcome::Done
    }

    /// Whether the grant's or its mailbox's places are taken, by cells that wait and cells that are held.
    fn full(&self, limits: Limits, send_id: SendId, grant: &Grant) -> bool {
        let Some(mailbox) = self.mailboxes.get(&grant.recv_id) else { return true };
        let held = self.held.values();
        let own = mailbox.cells.values().filter(|cell| cell.send_id == send_id).count()
            + held.clone().filter(|held| held.send_id == send_id).count();
        let all = mailbox.cells.len() + held.filter(|held| held.recv_id == grant.recv_id).count();
        own >= size(grant.quota) || all >= size(limits.max_cells)
    }

    /// Appends a cell that was let in, now or when it was held.
    fn place(&mut self, now: i64, hub: &Hub, send_id: SendId, msg: MsgId, cell: bytes::Bytes) {
        let Some(grant) = self.grants.get(&send_id) else { return };
        let Some(mailbox) = self.mailboxes.get_mut(&grant.recv_id) else { return };
        mailbox.last_seq += 1;
        mailbox.cell_day = last_day(now, mailbox.ttl_days).min(mailbox.day).max(mailbox.cell_day);
        let (seq, day) = (mailbox.last_seq, mailbox.cell_day);
        let cell = Arc::new(StoredCell { seq, label: grant.label, cell });
        hub.publish(&grant.recv_id, &cell);
        mailbox.cells.insert(seq, Waiting { send_id, day, cell });
        let known = self.known.entry((mailbox.born, send_id, msg)).or_default();
        *known = day.max(*known);
    }

    fn hold(
        &mut self,
        limits: Limits,
        send_id: SendId,
        msg_id: MsgId,
        cell: bytes::Bytes,
        release_at: i64,
        cancel_pk: CancelPk,
    ) -> Outcome {
        let Some(grant) = self.grants.get(&send_id) else { return Outcome::Unknown };
        let Some(mailbox) = self.mailboxes.get(&grant.recv_id) else { return Outcome::Unknown };
        if self.known.contains_key(&(mailbox.born, send_id, msg_id)) {
            return Outcome::Done;
        }
        if grant.work_required {
            return Outcome::Unknown;
        }
        if self.full(limits, send_id, grant) {
            return Outcome::Full;
        }
        let known = last_day(release_at, mailbox.ttl_days);
        self.known.insert((mailbox.born, send_id, msg_id), known);
        let recv_id = grant.recv_id;
        self.holds += 1;
        let held = Held { recv_id, send_id, msg_id, cancel_pk, cell };
        self.held.insert((release_at, self.holds), held);
        Outcome::Done
    }

    fn find_held(&self, send_id: SendId, msg_id: MsgId) -> Option<(&(i64, u64), &Held)> {
        self.held.iter().find(|(_, held)| held.send_id == send_id && held.msg_id == msg_id)
    }

    /// Appends what is due.
    fn release(&mut self, now: i64, hub: &Hub) -> u64 {
        let mut count = 0;
        while let Some(first) = self.held.first_entry().filter(|first| first.key().0 <= now) {
            let held = first.remove();
            self.place(now, hub, held.send_id, held.msg_id, held.cell);
            count += 1;
        }
        count
    }

    fn slot_append(&mut self, now: i64, slot: SlotId, entry: SlotEntry, paid: bool) -> Outcome {
        if !self.slots.contains_key(&slot) && !paid {
            return Outcome::Unpaid;
        }
        let (day, entries) = self.slots.entry(slot).or_default();
        let count = entries.len();
        let place = entries.iter().position(|old| old.hash == entry.hash).unwrap_or(count);
        if place >= size(MAX_SLOT_ENTRIES) {
            return Outcome::SlotFull;
        }
        if place == count {
            entries.push(entry);
            *day = record_day(now);
        }
        Outcome::Placed(u32::try_from(place).unwrap_or(u32::MAX))
    }
}

impl Mailbox {
    fn renew(&mut self, now: i64) {
        self.day = self.day.max(last_day(now, self.ttl_days));
    }
}

fn bytes_of(blob: &Blob) -> u64 {
    blob.size.bytes().into()
}

fn size(count: u32) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

#[async_trait]
impl Store for MemoryStore {
    async fn submit(&self, now: i64, batch: Vec<Mutation>) -> Result<Committing, StoreError> {
        let mut state = self.state()?;
        let (limits, hub) = (self.limits, &self.hub);
        let outcomes = batch.into_iter().map(|it| state.apply(now, limits, hub, it)).collect();
        let (reply, committing) = Committing::new();
        // The receiving half is in this function.
        let _ = reply.send(Ok(outcomes));
        Ok(committing)
    }

    async fn key_of(&self, now: i64, who: Capability) -> Result<Option<[u8; 32]>, StoreError> {
        let mut state = self.state()?;
        state.expire(day_of(now));
        Ok(match who {
            Capability::Owner(id) => state.mailboxes.get(&id).map(|it| *it.recv_pk.as_bytes()),
            Capability::Sender(id) => state.grants.get(&id).map(|it| *it.send_pk.as_bytes()),
            Capability::Canceller(send_id, msg_id) => {
                let held = state.find_held(send_id, msg_id).filter(|(turn, _)| turn.0 > now);
                held.map(|(_, held)| *held.cancel_pk.as_bytes())
            }
            Capability::Fetcher(id) => {
                state.blobs.get(&id).map(|(.., blob)| *blob.fetch_pk.as_bytes())
            }
            Capability::Deleter(id) => {
                let mut blobs = state.blobs.values();
                let found = blobs.find(|(_, owner, _)| *owner == id);
                found.map(|(.., blob)| *blob.delete_pk.as_bytes())
            }
            Capability::Spent(id) => state.spent.contains_key(&id).then_some(id),
        })
    }

    async fn read(
        &self,
        now: i64,
        recv_id: RecvId,
        since: u64,
        max: u32,
    ) -> Result<Option<Page>, StoreError> {
        let mut state = self.state()?;
        state.expire(day_of(now));
        let Some(mailbox) = state.mailboxes.get(&recv_id) else { return Ok(None) };
        let mut left = mailbox.cells.range(since.saturating_add(1)..).map(|(_, it)| &it.cell);
        let cells: Vec<_> = left.by_ref().take(size(max)).map(Arc::clone).collect();
        let next = cells.last().map_or(since, |cell| cell.seq);
        Ok(Some(Page { cells, next, more: left.next().is_some() }))
    }

    async fn slot(&self, now: i64, slot_id: SlotId) -> Result<Vec<SlotEntry>, StoreError> {
        let mut state = self.state()?;
        state.expire(day_of(now));
        Ok(state.slots.get(&slot_id).map(|(_, entries)| entries.clone()).unwrap_or_default())
    }

    async fn notice(&self, now: i64, notice_id: NoticeId) -> Result<Option<Notice>, StoreError> {
        let mut state = self.state()?;
        state.expire(day_of(now));
        Ok(state.notices.get(&notice_id).map(|(_, notice)| notice.clone()))
    }

    async fn blob(
        &self,
        now: i64,
        fetch_id: FetchId,
        first: u32,
        max: u32,
    ) -> Result<Option<BlobPage>, StoreError> {
        let mut state = self.state()?;
        state.expire(day_of(now));
        Ok(state.blobs.get(&fetch_id).map(|(.., blob)| BlobPage {
            payloads: blob.payloads.iter().skip(size(first)).take(size(max)).cloned().collect(),
            count: u32::try_from(blob.payloads.len()).unwrap_or(u32::MAX),
        }))
    }

    fn watch(&self, recv_id: RecvId) -> Watch {
        self.hub.watch(recv_id)
    }

    async fn release(&self, now: i64) -> Result<u64, StoreError> {
        let mut state = self.state()?;
        state.expire(day_of(now));
        Ok(state.release(now, &self.hub))
    }

    async fn sweep(&self, now: i64) -> Result<u64, StoreError> {
        let mut state = self.state()?;
        let removed = state.expire(day_of(now));
        state.release(now, &self.hub);
        Ok(removed)
    }

    async fn close(&self) {
        if let Ok(mut state) = self.state() {
            state.closed = true;
        }
    }
}

impl std::fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MemoryStore")
    }
}
