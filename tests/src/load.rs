//! A load on a relay of everything that it stores, and a ledger of what was acknowledged: for kills and power losses.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::blob::{self, BlobSize};
use budstikke_proto::id::{FetchId, Label, MsgId, NoticeId, RecvId, SendId, SlotId};
use budstikke_proto::op::{Request, Response};
use budstikke_proto::sign::SigningSeed;
use budstikke_relay::store::Store;
use rand_core::{OsRng, RngCore};
use tokio::task::JoinSet;

use crate::raw::{Cell, Raw, RawError, RawStream, cell, now};

/// Cells that a reader takes before it trims.
const TRIM_AFTER: usize = 48;

/// What one request was to store. Its number in the ledger is its mark and its name.
#[derive(Clone, Debug)]
enum Kind {
    Cell { line: usize },
    Held { line: usize, release_at: i64 },
    Entry { slot: SlotId, place: u32 },
    Blob { fetch: CapabilityKey, size: BlobSize, id: Option<FetchId> },
    Notice { id: NoticeId, version: u64 },
}

/// Times are the ledger's clock.
#[derive(Clone, Debug)]
struct Item {
    kind: Kind,
    started: u64,
    acknowledged: Option<u64>,
    /// A trim, a cancellation or a deletion was sent.
    ending: Option<u64>,
    /// And acknowledged.
    ended: Option<u64>,
    /// The places at which a reader got it.
    seen: BTreeSet<u64>,
}

/// A mailbox with one sender and one reader.
pub struct Line {
    owner: CapabilityKey,
    sender: CapabilityKey,
    label: Label,
    recv_id: RecvId,
    send_id: SendId,
    made: u64,
    since: AtomicU64,
}

/// What the clients know.
pub struct Ledger {
    lines: Vec<Line>,
    items: Mutex<Vec<Item>>,
    clock: Box<dyn Fn() -> u64 + Send + Sync>,
}

/// What became of it all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Cells, held cells, slot entries, blobs and notices that were acknowledged.
    pub acknowledged: u64,
    /// Acknowledged or not: found, by a reader or at the end.
    pub delivered: u64,
    /// Acknowledged and not found, changed, or in another place.
    pub lost: u64,
    /// Found twice, or found after their end was acknowledged.
    pub duplicated: u64,
}

impl Verdict {
    /// Adds another.
    pub fn add(&mut self, other: Self) {
        self.acknowledged += other.acknowledged;
        self.delivered += other.delivered;
        self.lost += other.lost;
        self.duplicated += other.duplicated;
    }
}

/// Reads what is stored.
#[async_trait]
pub trait View: Send {
    /// A mailbox's cells; none when there is no such mailbox.
    async fn cells(&mut self, line: &Line) -> Result<Vec<Cell>, String>;
    /// The first payloads of a slot's entries.
    async fn slot(&mut self, id: SlotId) -> Result<Vec<Vec<u8>>, String>;
    /// A blob's content.
    async fn blob(
        &mut self,
        key: &CapabilityKey,
        id: FetchId,
        size: BlobSize,
    ) -> Result<Option<Vec<u8>>, String>;
    /// A notice's version and content.
    async fn notice(&mut self, id: NoticeId) -> Result<Option<(u64, Vec<u8>)>, String>;
}

impl Ledger {
    /// Makes `lines` mailboxes at a relay.
    ///
    /// # Errors
    /// [`RawError`].
    pub async fn make(
        address: &RelayAddress,
        lines: usize,
        clock: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Result<Arc<Self>, RawError> {
        let raw = Raw::connect(address).await?;
        let mut stream = raw.open().await?;
        let mut made = Vec::new();
        for _ in 0..lines {
            let [owner, sender] = [(); 2].map(|()| CapabilityKey::random(&mut OsRng));
            let label = Label::random(&mut OsRng);
            let recv_id = stream.create(&owner, None).await?;
            let send_id = stream.grant(&owner, recv_id, &sender, label, 4_000, false).await?;
            let since = AtomicU64::new(0);
            made.push(Line { owner, sender, label, recv_id, send_id, made: clock(), since });
        }
        Ok(Arc::new(Self { lines: made, items: Mutex::default(), clock: Box::new(clock) }))
    }

    /// How many requests were acknowledged.
    pub fn acknowledged(&self) -> usize {
        self.items().iter().filter(|item| item.acknowledged.is_some()).count()
    }

    /// When the last held cell is due (Unix seconds).
    pub fn last_release(&self) -> i64 {
        let due = |item: &Item| match item.kind {
            Kind::Held { release_at, .. } => release_at,
            _ => 0,
        };
        self.items().iter().map(due).max().unwrap_or(0)
    }

    /// Senders, readers that trim, held cells, slots, blobs and notices, until the relay ends or the set is dropped.
    pub fn load(self: &Arc<Self>, address: &RelayAddress) -> JoinSet<Result<(), RawError>> {
        let mut tasks = JoinSet::new();
        for line in 0..self.lines.len() {
            tasks.spawn(Arc::clone(self).send(address.clone(), line));
            tasks.spawn(Arc::clone(self).read(address.clone(), line));
        }
        tasks.spawn(Arc::clone(self).hold(address.clone()));
        tasks.spawn(Arc::clone(self).slots(address.clone()));
        tasks.spawn(Arc::clone(self).blobs(address.clone()));
        tasks.spawn(Arc::clone(self).notices(address.clone()));
        tasks
    }

    fn items(&self) -> MutexGuard<'_, Vec<Item>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self, kind: Kind) -> usize {
        let started = (self.clock)();
        let (acknowledged, ending, ended, seen) = Default::default();
        let mut items = self.items();
        items.push(Item { kind, started, acknowledged, ending, ended, seen });
        items.len() - 1
    }

    fn change(&self, mark: usize, change: impl FnOnce(&mut Item, u64)) {
        let now = (self.clock)();
        if let Some(item) = self.items().get_mut(mark) {
            change(item, now);
        }
    }

    fn ack(&self, mark: usize) {
        self.change(mark, |item, now| {
            item.acknowledged.get_or_insert(now);
        });
    }

    fn ending(&self, mark: usize) {
        self.change(mark, |item, now| {
            item.ending.get_or_insert(now);
        });
    }

    fn ended(&self, mark: usize) {
        self.change(mark, |item, now| item.ended = Some(now));
    }

    /// Four cells under way at once; first, again, what was not acknowledged.
    async fn send(self: Arc<Self>, address: RelayAddress, line: usize) -> Result<(), RawError> {
        let Some(to) = self.lines.get(line) else { return Ok(()) };
        let mine = |item: &Item| matches!(item.kind, Kind::Cell { line: of } if of == line);
        let mut left: Vec<usize> = (0..)
            .zip(self.items().iter())
            .filter(|(_, item)| mine(item) && item.acknowledged.is_none())
            .map(|(mark, _)| mark)
            .collect();
        let raw = Raw::connect(&address).await?;
        let mut stream = raw.open().await?;
        let mut flying = HashMap::new();
        loop {
            while flying.len() < 4 {
                let mark = left.pop().unwrap_or_else(|| self.start(Kind::Cell { line }));
                let request = Request::Send { send_id: to.send_id, msg_id: name(mark), work: None };
                let number = stream.start(&request, Some(&to.sender), Some(content(mark))).await?;
                flying.insert(number, mark);
            }
            match stream.next().await? {
                (frame, Response::Done) => {
                    if let Some(mark) = flying.remove(&frame.request) {
                        self.ack(mark);
                    }
                }
                (_, Response::Error { code, retry_after_s }) => {
                    return Err(RawError::Refused(code, retry_after_s));
                }
                _ => return Err(RawError::Protocol("not done")),
            }
        }
    }

    async fn read(self: Arc<Self>, address: RelayAddress, line: usize) -> Result<(), RawError> {
        let Some(of) = self.lines.get(line) else { return Ok(()) };
        let raw = Raw::connect(&address).await?;
        let (mut stream, mut trims) = (raw.open().await?, raw.open().await?);
        stream.subscribe(&of.owner, of.recv_id, of.since.load(Ordering::SeqCst)).await?;
        let mut fresh = Vec::new();
        loop {
            let found = stream.next_cell().await?;
            let mark = self.known(of, &found);
            let Some(mark) = mark else { return Err(RawError::Protocol("a cell was changed")) };
            self.change(mark, |item, now| {
                // A reader is told of what is durable only.
                item.acknowledged.get_or_insert(now);
                item.seen.insert(found.seq);
            });
            fresh.push(mark);
            of.since.store(found.seq, Ordering::SeqCst);
            if fresh.len() >= TRIM_AFTER {
                for mark in &fresh {
                    self.ending(*mark);
                }
                trims.trim(&of.owner, of.recv_id, found.seq).await?;
                fresh.drain(..).for_each(|mark| self.ended(mark));
            }
        }
    }

    async fn hold(self: Arc<Self>, address: RelayAddress) -> Result<(), RawError> {
        let raw = Raw::connect(&address).await?;
        let mut stream = raw.open().await?;
        for turn in 0.. {
            let line = turn % self.lines.len();
            let Some(to) = self.lines.get(line) else { return Ok(()) };
            // The next minute but one begins at least a minute from now.
            let release_at = (now() / 60 + 1 + i64::from(now() % 60 > 50)) * 60;
            let mark = self.start(Kind::Held { line, release_at });
            let key = seed();
            let (msg_id, cell) = (name(mark), content(mark));
            stream.hold(&to.sender, to.send_id, msg_id, cell, (release_at, &key)).await?;
            self.ack(mark);
            if turn % 3 == 0 {
                self.ending(mark);
                stream.cancel(&key, to.send_id, msg_id).await?;
                self.ended(mark);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn slots(self: Arc<Self>, address: RelayAddress) -> Result<(), RawError> {
        let raw = Raw::connect(&address).await?;
        let mut stream = raw.open().await?;
        loop {
            let key = seed();
            let slot = SlotId::from_bytes(key.public());
            for place in 0..4 {
                let mark = self.start(Kind::Entry { slot, place });
                if stream.slot_append(&key, &[content(mark)], None).await? != place {
                    return Err(RawError::Protocol("another place"));
                }
                self.ack(mark);
            }
        }
    }

    async fn blobs(self: Arc<Self>, address: RelayAddress) -> Result<(), RawError> {
        let raw = Raw::connect(&address).await?;
        let mut stream = raw.open().await?;
        for turn in 0u64.. {
            let [fetch, delete] = [(); 2].map(|()| CapabilityKey::random(&mut OsRng));
            let size = if turn % 8 == 7 { BlobSize::Medium } else { BlobSize::Small };
            let mark = self.start(Kind::Blob { fetch: fetch.clone(), size, id: None });
            let bytes = blob_content(mark, size);
            let (found, delete_id) = stream.blob_put(&fetch, &delete, &bytes, None).await?;
            self.change(mark, |item, now| {
                item.acknowledged = Some(now);
                if let Kind::Blob { id, .. } = &mut item.kind {
                    *id = Some(found);
                }
            });
            if turn % 3 == 0 {
                self.ending(mark);
                stream.blob_delete(&delete, delete_id).await?;
                self.ended(mark);
            }
        }
        Ok(())
    }

    async fn notices(self: Arc<Self>, address: RelayAddress) -> Result<(), RawError> {
        let raw = Raw::connect(&address).await?;
        let mut stream = raw.open().await?;
        let key = seed();
        let id = NoticeId::from_bytes(key.public());
        for version in 1.. {
            let mark = self.start(Kind::Notice { id, version });
            stream.notice_put(&key, version, &content(mark), None).await?;
            self.ack(mark);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Which cell this is, if it is one of the line's and whole.
    fn known(&self, line: &Line, found: &Cell) -> Option<usize> {
        let mark = usize::try_from(u64::from_be_bytes(*found.cell.first_chunk()?)).ok()?;
        let items = self.items();
        let of = match items.get(mark)?.kind {
            Kind::Cell { line } | Kind::Held { line, .. } => self.lines.get(line)?,
            _ => return None,
        };
        let whole = found.cell == content(mark) && found.label == line.label;
        (whole && of.recv_id == line.recv_id).then_some(mark)
    }

    /// Compares what is stored with what was acknowledged up to a time. `readers` counts what they got as found;
    /// leave it out when looking at the past. `due` (Unix seconds): held cells up to it are out.
    ///
    /// # Errors
    /// What could not be read.
    pub async fn judge(
        &self,
        view: &mut dyn View,
        at: u64,
        due: i64,
        readers: bool,
    ) -> Result<Verdict, String> {
        let mut found: BTreeMap<usize, BTreeSet<u64>> = BTreeMap::new();
        let mut verdict = Verdict::default();
        for line in self.lines.iter().filter(|line| line.made <= at) {
            for cell in view.cells(line).await? {
                match self.known(line, &cell) {
                    Some(mark) if found.entry(mark).or_default().insert(cell.seq) => {}
                    _ => verdict.lost += 1,
                }
            }
        }
        let items = self.items().clone();
        let mut slots: BTreeMap<[u8; 32], Vec<Vec<u8>>> = BTreeMap::new();
        let mut notices: BTreeMap<[u8; 32], (u64, Vec<u8>)> = BTreeMap::new();
        for (mark, item) in items.iter().enumerate().filter(|(_, item)| item.started <= at) {
            let past = |time: Option<u64>| time.is_some_and(|time| time <= at);
            let acknowledged = past(item.acknowledged);
            let mut places = found.remove(&mark).unwrap_or_default();
            let mut needed = acknowledged && !past(item.ending);
            match &item.kind {
                Kind::Cell { .. } | Kind::Blob { id: None, .. } => {}
                Kind::Held { release_at, .. } => needed &= *release_at <= due,
                Kind::Entry { slot, place } => {
                    let key = *slot.as_bytes();
                    if let std::collections::btree_map::Entry::Vacant(entry) = slots.entry(key) {
                        entry.insert(view.slot(*slot).await?);
                    }
                    let entries = slots.get(&key).map_or(&[][..], Vec::as_slice);
                    let wanted = content(mark);
                    for (at, _) in (0u64..).zip(entries).filter(|(_, it)| **it == wanted) {
                        // Only in the place that the receipt names.
                        places.insert(if at == u64::from(*place) { 0 } else { at + 1 });
                    }
                }
                Kind::Blob { fetch, size, id: Some(id) } => {
                    if let Some(bytes) = view.blob(fetch, *id, *size).await? {
                        verdict.lost += u64::from(bytes != blob_content(mark, *size));
                        places.insert(0);
                    }
                }
                Kind::Notice { id, version } => {
                    let key = *id.as_bytes();
                    if let std::collections::btree_map::Entry::Vacant(entry) = notices.entry(key) {
                        entry.insert(view.notice(*id).await?.unwrap_or_default());
                    }
                    let (newest, bytes) = notices.get(&key).cloned().unwrap_or_default();
                    if newest == *version {
                        verdict.lost += u64::from(bytes != content(mark));
                    }
                    if newest >= *version {
                        places.insert(0);
                    }
                }
            }
            let returned = past(item.ended) && !places.is_empty();
            if readers {
                needed = acknowledged && (needed || !item.seen.is_empty());
                places.extend(&item.seen);
            }
            verdict.acknowledged += u64::from(acknowledged);
            verdict.delivered += u64::from(!places.is_empty());
            verdict.lost += u64::from(needed && places.is_empty());
            verdict.duplicated += u64::from(places.len() > 1 || returned);
        }
        // Stored before its request was sent.
        verdict.duplicated += u64::try_from(found.len()).unwrap_or(u64::MAX);
        Ok(verdict)
    }
}

#[async_trait]
impl View for RawStream {
    async fn cells(&mut self, line: &Line) -> Result<Vec<Cell>, String> {
        self.read_all(&line.owner, line.recv_id).await.map_err(|error| format!("{error:?}"))
    }

    async fn slot(&mut self, id: SlotId) -> Result<Vec<Vec<u8>>, String> {
        let entries = self.slot_read(id).await.map_err(|error| format!("{error:?}"))?;
        Ok(entries.into_iter().filter_map(|entry| entry.payloads.into_iter().next()).collect())
    }

    async fn blob(
        &mut self,
        key: &CapabilityKey,
        id: FetchId,
        size: BlobSize,
    ) -> Result<Option<Vec<u8>>, String> {
        match self.blob_get(key, id, 0, size.parts()).await {
            Ok((payloads, ..)) => joined(size, &payloads).map(Some),
            Err(RawError::Refused(budstikke_proto::op::ErrorCode::Refused, _)) => Ok(None),
            Err(error) => Err(format!("{error:?}")),
        }
    }

    async fn notice(&mut self, id: NoticeId) -> Result<Option<(u64, Vec<u8>)>, String> {
        self.notice_get(id).await.map_err(|error| format!("{error:?}"))
    }
}

/// A store without a relay, at a time (Unix seconds); held cells that are due are released by whoever opened it.
pub struct Opened<'a>(pub &'a dyn Store, pub i64);

#[async_trait]
impl View for Opened<'_> {
    async fn cells(&mut self, line: &Line) -> Result<Vec<Cell>, String> {
        let (mut all, mut since) = (Vec::new(), 0);
        loop {
            let page = self.0.read(self.1, line.recv_id, since, 256).await.map_err(text)?;
            let Some(page) = page else { return Ok(all) };
            let cell = |found: &budstikke_relay::store::StoredCell| Cell {
                seq: found.seq,
                label: found.label,
                cell: found.cell.to_vec(),
            };
            all.extend(page.cells.iter().map(|found| cell(found)));
            since = page.next;
            if !page.more {
                return Ok(all);
            }
        }
    }

    async fn slot(&mut self, id: SlotId) -> Result<Vec<Vec<u8>>, String> {
        let entries = self.0.slot(self.1, id).await.map_err(text)?;
        let first = entries.iter().filter_map(|entry| entry.payloads.first());
        Ok(first.map(|bytes| bytes.to_vec()).collect())
    }

    async fn blob(
        &mut self,
        _key: &CapabilityKey,
        id: FetchId,
        size: BlobSize,
    ) -> Result<Option<Vec<u8>>, String> {
        let page = self.0.blob(self.1, id, 0, size.parts()).await.map_err(text)?;
        page.map(|page| joined(size, &page.payloads)).transpose()
    }

    async fn notice(&mut self, id: NoticeId) -> Result<Option<(u64, Vec<u8>)>, String> {
        let Some(notice) = self.0.notice(self.1, id).await.map_err(text)? else { return Ok(None) };
        let bytes =
            budstikke_proto::notice::from_payloads(notice.payloads.iter().map(|it| &it[..]));
        Ok(Some((notice.version, bytes.map_err(|error| format!("{error:?}"))?)))
    }
}

/// Numbers that a seed makes (SplitMix64), so that a run can be repeated.
#[derive(Clone, Debug)]
pub struct Numbers(pub u64);

impl Numbers {
    /// From the system.
    pub fn seed() -> u64 {
        OsRng.next_u64()
    }

    /// Below `end`.
    pub fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % end.max(1)
    }
}

fn name(mark: usize) -> MsgId {
    MsgId::from_bytes(u128::try_from(mark).unwrap_or(u128::MAX).to_be_bytes())
}

fn content(mark: usize) -> Vec<u8> {
    cell(u64::try_from(mark).unwrap_or(u64::MAX))
}

fn blob_content(mark: usize, size: BlobSize) -> Vec<u8> {
    let len = usize::try_from(size.bytes()).unwrap_or(0);
    content(mark).into_iter().cycle().take(len).collect()
}

fn joined(size: BlobSize, payloads: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, String> {
    let joined = blob::from_payloads(size, payloads.iter().map(AsRef::as_ref));
    joined.map_err(|error| format!("{error:?}"))
}

fn seed() -> SigningSeed {
    let mut bytes = [0; 32];
    OsRng.fill_bytes(&mut bytes);
    SigningSeed::from_bytes(bytes)
}

fn text(error: budstikke_relay::store::StoreError) -> String {
    error.to_string()
}
