//! Reads from the store and pushes what comes, as fast as the client takes it.

use std::time::Duration;

use budstikke_proto::id::{FetchId, NoticeId, RecvId, SlotId};
use budstikke_proto::op::{ErrorCode, Response};
use budstikke_proto::slot;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

use super::Shared;
use super::stream::{Writer, refusal_tick};
use crate::session::{Query, answer_frame, push_frame};
use crate::store::{StoreError, StoredCell, WatchEvent};

/// Cells read from the disk at once.
const PAGE: u32 = 16;

/// How often a subscription without news looks whether its mailbox is still there.
const RECHECK: Duration = Duration::from_mins(15);

/// Why a query ended without its last frame: the client is gone.
pub(super) struct Left;

enum Fault {
    Left,
    Store(StoreError),
    Unknown,
}

impl From<Left> for Fault {
    fn from(_: Left) -> Self {
        Self::Left
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Whose answer it is, and where it goes.
pub(super) struct To<'a> {
    pub(super) request: u64,
    /// When the request came.
    pub(super) arrived: Instant,
    pub(super) writer: &'a Writer,
    /// Ends a subscription.
    pub(super) ending: &'a CancellationToken,
}

pub(super) async fn run(shared: &Shared, query: Query, to: &To<'_>) -> Result<(), Left> {
    let out = Out { request: to.request, writer: to.writer };
    let done = match query {
        Query::Read { recv_id, since, max } => read(shared, &out, recv_id, since, max).await,
        Query::Subscribe { recv_id, since } => {
            subscribe(shared, &out, to.ending, recv_id, since).await
        }
        Query::Slot(slot_id) => read_slot(shared, &out, slot_id).await,
        Query::Notice(notice_id) => read_notice(shared, &out, notice_id).await,
        Query::Blob { fetch_id, first, count } => {
            read_blob(shared, &out, fetch_id, first, count).await
        }
    };
    let (code, retry_after_s) = match done {
        Ok(()) => return Ok(()),
        Err(Fault::Left) => return Err(Left),
        Err(Fault::Unknown) => {
            // Proved earlier in this session and gone since: refused when an unknown id would be.
            sleep_until(refusal_tick(shared.started, to.arrived)).await;
            (ErrorCode::Refused, 0)
        }
        Err(Fault::Store(StoreError::Closed)) => (ErrorCode::Closing, 5),
        Err(Fault::Store(_)) => (ErrorCode::Storage, 60),
    };
    out.answer(&Response::Error { code, retry_after_s }).await
}

async fn read(
    shared: &Shared,
    out: &Out<'_>,
    recv_id: RecvId,
    since: u64,
    max: u32,
) -> Result<(), Fault> {
    let (mut next, mut left) = (since, max);
    loop {
        let page = shared.store.read(shared.now(), recv_id, next, left.min(PAGE)).await?;
        let page = page.ok_or(Fault::Unknown)?;
        for cell in &page.cells {
            out.cell(cell).await?;
        }
        next = page.next;
        left = left.saturating_sub(u32::try_from(page.cells.len()).unwrap_or(u32::MAX));
        if !page.more || left == 0 {
            return Ok(out.answer(&Response::End { next, more: page.more }).await?);
        }
    }
}

/// Ends only with the stream, the mailbox or the relay.
async fn subscribe(
    shared: &Shared,
    out: &Out<'_>,
    ending: &CancellationToken,
    recv_id: RecvId,
    since: u64,
) -> Result<(), Fault> {
    // Watching starts before the first read, so that nothing falls between the two.
    let mut watch = shared.store.watch(recv_id);
    let mut next = since;
    'disk: loop {
        let page =
            shared.store.read(shared.now(), recv_id, next, PAGE).await?.ok_or(Fault::Unknown)?;
        for cell in &page.cells {
            out.cell(cell).await?;
        }
        next = page.next;
        if page.more {
            continue;
        }
        loop {
            let event = tokio::select! {
                event = watch.next() => event,
                () = ending.cancelled() => return Err(StoreError::Closed.into()),
                // A mailbox that expired tells nobody.
                () = sleep(RECHECK) => WatchEvent::Behind,
            };
            match event {
                WatchEvent::Cell(cell) if cell.seq > next => {
                    out.cell(&cell).await?;
                    next = cell.seq;
                }
                WatchEvent::Cell(_) => {}
                WatchEvent::Behind => continue 'disk,
                WatchEvent::Gone => return Err(Fault::Unknown),
            }
        }
    }
}

async fn read_slot(shared: &Shared, out: &Out<'_>, slot_id: SlotId) -> Result<(), Fault> {
    let entries = shared.store.slot(shared.now(), slot_id).await?;
    for (entry, stored) in (0u32..).zip(&entries) {
        let receipt = slot::sign_receipt(shared.identity.signing(), &slot_id, entry, &stored.hash);
        let count = u32::try_from(stored.payloads.len()).unwrap_or(u32::MAX);
        for (index, payload) in (0u32..).zip(&stored.payloads) {
            let signature = stored.signature;
            let part = Response::SlotEntry { entry, index, count, signature, receipt };
            out.push(&part, payload).await?;
        }
    }
    let next = u64::try_from(entries.len()).unwrap_or(u64::MAX);
    Ok(out.answer(&Response::End { next, more: false }).await?)
}

async fn read_notice(shared: &Shared, out: &Out<'_>, notice_id: NoticeId) -> Result<(), Fault> {
    let Some(notice) = shared.store.notice(shared.now(), notice_id).await? else {
        return Ok(out.answer(&Response::End { next: 0, more: false }).await?);
    };
    let count = u32::try_from(notice.payloads.len()).unwrap_or(u32::MAX);
    for (index, payload) in (0u32..).zip(&notice.payloads) {
        let (version, signature) = (notice.version, notice.signature);
        out.push(&Response::NoticePart { version, index, count, signature }, payload).await?;
    }
    Ok(out.answer(&Response::End { next: notice.version, more: false }).await?)
}

async fn read_blob(
    shared: &Shared,
    out: &Out<'_>,
    fetch_id: FetchId,
    first: u32,
    wanted: u32,
) -> Result<(), Fault> {
    let (mut index, end) = (first, first.saturating_add(wanted));
    loop {
        let max = end.saturating_sub(index).min(PAGE);
        let page =
            shared.store.blob(shared.now(), fetch_id, index, max).await?.ok_or(Fault::Unknown)?;
        for payload in &page.payloads {
            out.push(&Response::BlobPart { index, count: page.count }, payload).await?;
            index = index.saturating_add(1);
        }
        if index >= end.min(page.count) {
            let more = index < page.count;
            return Ok(out.answer(&Response::End { next: index.into(), more }).await?);
        }
        if page.payloads.is_empty() {
            return Err(StoreError::Damaged.into());
        }
    }
}

/// Where one request's frames go.
struct Out<'a> {
    request: u64,
    writer: &'a Writer,
}

impl Out<'_> {
    async fn cell(&self, cell: &StoredCell) -> Result<(), Left> {
        self.push(&Response::Cell { seq: cell.seq, label: cell.label }, &cell.cell).await
    }

    async fn push(&self, response: &Response, payload: &[u8]) -> Result<(), Left> {
        let frame = push_frame(self.request, response, payload).encode().map_err(|_| Left)?;
        self.writer.send(frame).await.map_err(|_| Left)
    }

    async fn answer(&self, response: &Response) -> Result<(), Left> {
        let frame = answer_frame(self.request, response).encode().map_err(|_| Left)?;
        self.writer.send(frame).await.map_err(|_| Left)
    }
}
