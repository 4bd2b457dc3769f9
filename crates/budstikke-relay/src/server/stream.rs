//! Drives one stream: feeds the session core, carries out its actions.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use budstikke_proto::frame::{Class, Frame, class_of};
use budstikke_proto::limits::DATA_FRAME_LEN;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use quinn::{Connection, RecvStream, SendStream, VarInt};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::{Shared, WINDOW, query};
use crate::session::{Action, Input, Query, Session, Stream, Unfinished, busy_frame};

/// Operations of one stream under way; at the limit, the stream is read no further and QUIC holds the client back.
const MAX_JOBS: usize = 64;
/// Subscriptions of one stream; one more is told that the relay is busy.
const MAX_SUBSCRIPTIONS: usize = 8;
/// Frames that wait for a stream's writer.
const WRITE_QUEUE: usize = 4;
/// The time to open a stream.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// The time for all frames of one blob: a megabyte at 4 kB a second.
const BLOB_TIMEOUT: Duration = Duration::from_mins(5);
/// The time for all frames of a slot entry or a notice: 240 kB at the same pace.
const PARTS_TIMEOUT: Duration = Duration::from_mins(1);
/// The time that a finished stream's last frames get to arrive.
const LINGER: Duration = Duration::from_secs(5);
/// Refusals leave at multiples of this since the relay's start, the second one after the request came: whatever the
/// request cost the relay, as long as it was less than one tick, is not in the answer's time.
const REFUSAL_TICK: Duration = Duration::from_millis(25);

/// Where frames go out.
pub(super) type Writer = mpsc::Sender<Vec<u8>>;
type Job = BoxFuture<'static, Done>;

#[allow(clippy::large_enum_variant, reason = "each lies in a box of its own, its job")]
enum Done {
    Input(Input),
    Subscription,
    Nothing,
}

/// What the streams of one connection share.
#[derive(Clone)]
pub(super) struct Client {
    pub(super) session: Arc<Mutex<Session>>,
    pub(super) connection: Connection,
    /// Cancelled when the relay, or this connection, ends.
    pub(super) ending: CancellationToken,
    pub(super) reads: Arc<Semaphore>,
}

impl Client {
    /// Whether it has proved no capability so far.
    pub(super) fn is_stranger(&self) -> bool {
        self.session.lock().unwrap_or_else(PoisonError::into_inner).is_stranger()
    }
}

pub(super) async fn serve(shared: Arc<Shared>, client: Client, send: SendStream, recv: RecvStream) {
    let (writer, queue) = mpsc::channel(WRITE_QUEUE);
    let patience = shared.patience;
    let driver = Driver {
        shared,
        client,
        stream: Stream::default(),
        frames: Frames::new(recv),
        writer,
        jobs: FuturesUnordered::new(),
        subscriptions: 0,
        reading: true,
        arrived: Instant::now(),
    };
    tokio::join!(driver.run(), write(queue, send, patience));
}

struct Driver {
    shared: Arc<Shared>,
    client: Client,
    stream: Stream,
    frames: Frames,
    writer: Writer,
    jobs: FuturesUnordered<Job>,
    subscriptions: usize,
    reading: bool,
    /// When the newest frame came.
    arrived: Instant,
}

impl Driver {
    async fn run(mut self) {
        let ending = self.client.ending.clone();
        let deadline = Instant::now() + OPEN_TIMEOUT;
        let mut opened = false;
        let mut unfinished: Option<(Unfinished, Instant)> = None;
        while self.reading || !self.jobs.is_empty() {
            let patience = self.shared.patience;
            let input = tokio::select! {
                frame = self.frames.next(patience), if self.reading && self.jobs.len() < MAX_JOBS => {
                    let Some(bytes) = frame else {
                        self.reading = false;
                        continue;
                    };
                    self.arrived = Instant::now();
                    Input::Frame(bytes)
                }
                Some(done) = self.jobs.next() => match done {
                    Done::Input(input) => input,
                    Done::Subscription => {
                        self.subscriptions -= 1;
                        continue;
                    }
                    Done::Nothing => continue,
                },
                () = self.writer.closed() => return,
                () = ending.cancelled(), if self.reading => {
                    self.reading = false;
                    continue;
                }
                () = sleep_until(deadline), if !opened => return,
                () = sleep_until(unfinished.map_or(deadline, |(_, end)| end.min(self.arrived + patience))),
                    if unfinished.is_some() => return,
            };
            opened = true;
            if self.drive(input).await.is_none() {
                return;
            }
            let still = unfinished.map(|(what, _)| what);
            if self.stream.unfinished() != still {
                unfinished = self.stream.unfinished().map(|what| {
                    let time = match what {
                        Unfinished::Part => PARTS_TIMEOUT,
                        Unfinished::Blob => BLOB_TIMEOUT,
                    };
                    (what, Instant::now() + time)
                });
            }
        }
    }

    /// Carries an input's actions out, in order; `None` when nobody reads the answers any more.
    async fn drive(&mut self, input: Input) -> Option<()> {
        let mut actions = VecDeque::from(self.handle(input));
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Write(frame) => self.write(&frame)?,
                Action::Refuse(frame) => {
                    metrics::counter!("budstikke_refusals_total").increment(1);
                    let at = refusal_tick(self.shared.started, self.arrived);
                    let writer = self.writer.clone();
                    self.jobs.push(Box::pin(async move {
                        sleep_until(at).await;
                        if let Ok(bytes) = frame.encode() {
                            // A client that left needs no refusal.
                            let _ = writer.send(bytes).await;
                        }
                        Done::Nothing
                    }));
                }
                Action::Lookup(who) => {
                    let found = self.shared.store.key_of(self.shared.now(), who).await;
                    actions.extend(self.handle(Input::Key(found)));
                }
                Action::Submit(ticket, mutation) => {
                    match self.shared.store.submit(self.shared.now(), vec![*mutation]).await {
                        Ok(committing) => self.jobs.push(Box::pin(async move {
                            let outcome = committing.await.map(|all| all.into_iter().next());
                            let outcome = first(outcome);
                            let name = if outcome.is_ok() {
                                "budstikke_changes_total"
                            } else {
                                "budstikke_storage_errors_total"
                            };
                            metrics::counter!(name).increment(1);
                            Done::Input(Input::Stored(ticket, outcome))
                        })),
                        Err(error) => {
                            actions.extend(self.handle(Input::Stored(ticket, Err(error))));
                        }
                    }
                }
                Action::Start(request, what @ Query::Subscribe { .. }) => {
                    if self.subscriptions >= MAX_SUBSCRIPTIONS {
                        self.write(&busy_frame(request))?;
                        continue;
                    }
                    self.subscriptions += 1;
                    let arrived = self.arrived;
                    let (shared, writer) = (Arc::clone(&self.shared), self.writer.clone());
                    let ending = self.client.ending.clone();
                    self.jobs.push(Box::pin(async move {
                        // Ends with the mailbox, the relay, or when nobody reads it.
                        let to = query::To { request, arrived, writer: &writer, ending: &ending };
                        let _ = query::run(&shared, what, &to).await;
                        Done::Subscription
                    }));
                }
                Action::Start(request, what) => {
                    let (shared, writer) = (Arc::clone(&self.shared), self.writer.clone());
                    let (turn, arrived) = (Arc::clone(&self.client.reads), self.arrived);
                    let ending = self.client.ending.clone();
                    self.jobs.push(Box::pin(async move {
                        let _turn = turn.acquire().await;
                        // Ends when its answer is complete, or nobody reads it.
                        let to = query::To { request, arrived, writer: &writer, ending: &ending };
                        let _ = query::run(&shared, what, &to).await;
                        Done::Nothing
                    }));
                }
                Action::Close => {
                    self.reading = false;
                    self.frames.stop();
                }
            }
        }
        Some(())
    }

    fn handle(&mut self, input: Input) -> Vec<Action> {
        let mut session = self.client.session.lock().unwrap_or_else(PoisonError::into_inner);
        let stranger = session.is_stranger();
        let actions = self.stream.handle(self.shared.now(), &mut session, input);
        if stranger && !session.is_stranger() {
            self.client.connection.set_receive_window(WINDOW);
        }
        actions
    }

    /// Queues a frame for the writer, or lets it wait among the jobs. Never waits itself: the queue gives its places
    /// out in turn, and one that a job was given stays taken until that job runs.
    fn write(&mut self, frame: &Frame) -> Option<()> {
        match self.writer.try_send(frame.encode().ok()?) {
            Ok(()) => Some(()),
            Err(TrySendError::Full(bytes)) => {
                let writer = self.writer.clone();
                self.jobs.push(Box::pin(async move {
                    // Whoever reads no more needs no answer.
                    let _ = writer.send(bytes).await;
                    Done::Nothing
                }));
                Some(())
            }
            Err(TrySendError::Closed(_)) => None,
        }
    }
}

fn first(
    outcome: Result<Option<crate::store::Outcome>, crate::store::StoreError>,
) -> Result<crate::store::Outcome, crate::store::StoreError> {
    outcome.and_then(|one| one.ok_or(crate::store::StoreError::Closed))
}

/// The second tick after a time. When it has passed, the answer leaves at once; that takes a relay that is short of
/// time by a whole tick.
pub(super) fn refusal_tick(started: Instant, arrived: Instant) -> Instant {
    let passed = arrived.duration_since(started).as_micros() / REFUSAL_TICK.as_micros();
    let ticks = u32::try_from(passed).unwrap_or(u32::MAX).saturating_add(2);
    started.checked_add(REFUSAL_TICK.saturating_mul(ticks)).unwrap_or(arrived)
}

/// Writes frames out until the driver is done or the client stops the stream, or takes nothing for too long.
async fn write(mut queue: mpsc::Receiver<Vec<u8>>, mut send: SendStream, patience: Duration) {
    loop {
        tokio::select! {
            bytes = queue.recv() => match bytes {
                Some(bytes) => {
                    if !matches!(timeout(patience, send.write_all(&bytes)).await, Ok(Ok(()))) {
                        // What waits for it is thrown away with the stream.
                        let _ = send.reset(VarInt::from_u32(0));
                        return;
                    }
                }
                None => break,
            },
            _ = send.stopped() => return,
        }
    }
    if send.finish().is_ok() {
        // The stream is over either way.
        let _ = timeout(LINGER, send.stopped()).await;
    }
}

/// Cuts a stream into frames. Cancel-safe.
struct Frames {
    recv: RecvStream,
    buffer: Vec<u8>,
    filled: usize,
    /// When the frame's first byte came.
    began: Option<Instant>,
}

impl Frames {
    fn new(recv: RecvStream) -> Self {
        Self { recv, buffer: vec![0; 1], filled: 0, began: None }
    }

    /// The next frame's bytes, or the first byte alone when it names no frame size. `None` at the stream's end, or
    /// when a frame took longer than `patience`.
    async fn next(&mut self, patience: Duration) -> Option<Vec<u8>> {
        loop {
            let wanted = self.wanted();
            if self.filled == wanted {
                (self.filled, self.began) = (0, None);
                let mut frame = std::mem::replace(&mut self.buffer, vec![0; 1]);
                frame.truncate(wanted);
                return Some(frame);
            }
            if self.buffer.len() < wanted {
                self.buffer.resize(wanted.min(DATA_FRAME_LEN), 0);
            }
            let room = self.buffer.get_mut(self.filled..wanted)?;
            let read = self.recv.read(room);
            let read = match self.began {
                Some(began) => timeout_at(began + patience, read).await.ok()?,
                None => read.await,
            };
            self.filled += read.ok()??;
            self.began = self.began.or_else(|| Some(Instant::now()));
        }
    }

    fn wanted(&self) -> usize {
        match self.buffer.first() {
            Some(first) if self.filled > 0 => class_of(*first).map_or(1, Class::frame_len),
            _ => 1,
        }
    }

    fn stop(&mut self) {
        // Closed already: what was wanted.
        let _ = self.recv.stop(VarInt::from_u32(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_refusal_leaves_with_the_second_tick_whatever_it_cost() {
        let started = Instant::now();
        let at = |micros| started + Duration::from_micros(micros);
        for (arrived, leaves) in [(0, 50_000), (1, 50_000), (24_999, 50_000), (25_000, 75_000)] {
            assert_eq!(refusal_tick(started, at(arrived)), at(leaves));
        }
    }
}
