//! One stream: frames in, answers out.

use budstikke_proto::auth::{SessionKey, operation_hash};
use budstikke_proto::descriptor::MailboxPrice;
use budstikke_proto::frame::{Frame, Kind};
use budstikke_proto::id::{CancelPk, FetchId, Hash, MsgId, NoticeId, RecvId, SendId};
use budstikke_proto::id::{Signature, SlotId};
use budstikke_proto::limits::{MAX_HOLD_DAYS, MAX_READ, TAG_LEN};
use budstikke_proto::op::{BlobHead, ErrorCode, OpError, Request, Response};
use budstikke_proto::work::Purpose;
use budstikke_proto::work::Solution;
use budstikke_proto::{blob, held, notice, slot};
use bytes::Bytes;

use super::assembly::{self, Assembled, Assembly, Target};
use super::rooms::Room;
use super::upload::{Upload, Whole};
use super::{Asked, BUSY_RETRY_S, Payment, Session};
use crate::admission::tokens::Tender;
use crate::store::{
    Blob, Capability, Mutation, Notice, Outcome, SlotEntry, SpentToken, StoreError,
};

/// When to come again after [`ErrorCode::Full`], coarse on purpose.
const FULL_RETRY_S: u32 = 60;
/// When to come again after [`ErrorCode::Storage`].
const STORAGE_RETRY_S: u32 = 60;
/// When to come again after [`ErrorCode::Closing`].
const CLOSING_RETRY_S: u32 = 5;

/// How far ahead a release may lie.
const MAX_HOLD_S: i64 = MAX_HOLD_DAYS as i64 * 24 * 3600;

/// What happens to a stream.
pub(crate) enum Input {
    /// Bytes of one whole frame came.
    Frame(Vec<u8>),
    /// The answer to [`Action::Lookup`]. No frame may come before it.
    Key(Result<Option<[u8; 32]>, StoreError>),
    /// The answer to [`Action::Submit`].
    Stored(Ticket, Result<Outcome, StoreError>),
}

/// What the server is to do, in order.
pub(crate) enum Action {
    /// Write a frame.
    Write(Frame),
    /// Write a frame at a tick that follows from the request's arrival, so that how long it took says nothing.
    Refuse(Frame),
    /// Look a key up, and feed it in before the next frame.
    Lookup(Capability),
    /// Hand a mutation to the store before the next frame; feed the outcome in when it comes.
    Submit(Ticket, Box<Mutation>),
    /// Read from the store and write what comes.
    Start(u64, Query),
    /// Finish the stream, and read no more of it.
    Close,
}

/// What to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    Read { recv_id: RecvId, since: u64, max: u32 },
    Subscribe { recv_id: RecvId, since: u64 },
    Slot(SlotId),
    Notice(NoticeId),
    Blob { fetch_id: FetchId, first: u32, count: u32 },
}

/// What a stream is in the middle of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfinished {
    /// A slot entry or a notice.
    Part,
    /// A blob.
    Blob,
}

/// Ties an outcome to the answer that it makes.
pub(crate) struct Ticket {
    request: u64,
    answer: Answer,
    /// Given back when the outcome is there.
    held: (Option<Room>, Option<Tender>),
}

impl Ticket {
    const fn new(request: u64, answer: Answer) -> Self {
        Self { request, answer, held: (None, None) }
    }
}

enum Answer {
    Plain(Response),
    Receipt(SlotId, Hash),
}

/// An operation whose key is being looked up.
enum Waiting {
    Tagged { signed: Signed, who: Capability, operation: Operation },
    Cancel { request: u64, send_id: SendId, msg_id: MsgId, signature: Signature },
    Token { request: u64, token: SpentToken },
}

/// A request's authenticator, and what it covers.
struct Signed {
    request: u64,
    tag: [u8; TAG_LEN],
    hash: Hash,
}

impl Signed {
    fn verify(&self, key: &SessionKey) -> bool {
        key.verify(self.request, &self.hash, &self.tag)
    }
}

/// What an authenticated operation does once its tag is right.
enum Operation {
    Change(Answer, Box<Mutation>),
    Query(Query),
    /// A cell whose work, if any, is checked after its tag.
    Send(Box<Request>, Bytes),
    /// Out of bounds; said only to whoever may ask.
    Malformed,
}

/// The state of one stream.
#[derive(Default)]
pub(crate) struct Stream {
    opened: bool,
    closed: bool,
    assembly: Option<Assembly>,
    upload: Option<Upload>,
    waiting: Option<Waiting>,
}

impl Stream {
    /// `now` is Unix seconds.
    pub(crate) fn handle(&mut self, now: i64, session: &mut Session, input: Input) -> Vec<Action> {
        match input {
            Input::Frame(bytes) if !self.closed => match Frame::decode(&bytes) {
                Ok(frame) => self.frame(now, session, frame),
                Err(_) => self.break_off(0),
            },
            Input::Frame(_) => Vec::new(),
            Input::Key(found) => match self.waiting.take() {
                Some(waiting) => resume(now, session, waiting, found),
                None => Vec::new(),
            },
            Input::Stored(ticket, outcome) => vec![stored(session, ticket, outcome)],
        }
    }

    /// The request of several frames that has begun and not ended. A stream should not stay so for long.
    pub(crate) const fn unfinished(&self) -> Option<Unfinished> {
        match (&self.assembly, &self.upload) {
            (_, Some(_)) => Some(Unfinished::Blob),
            (Some(_), None) => Some(Unfinished::Part),
            (None, None) => None,
        }
    }

    fn frame(&mut self, now: i64, session: &mut Session, frame: Frame) -> Vec<Action> {
        match frame.kind {
            Kind::Cover => return Vec::new(),
            Kind::Request => {}
            Kind::Response | Kind::Push => return self.break_off(frame.request),
        }
        let Frame { request, tag, op, payload, .. } = frame;
        let hash = operation_hash(&op, payload.as_deref());
        let payload = payload.map(Bytes::from);
        let parsed = match Request::decode(&op) {
            Ok(parsed) => parsed,
            Err(_) if !self.opened => return self.break_off(request),
            Err(OpError::Unknown) => return vec![error(request, ErrorCode::Unsupported, 0)],
            Err(_) => return vec![error(request, ErrorCode::Malformed, 0)],
        };
        let opening = matches!(parsed, Request::Open);
        if opening == self.opened || takes_payload(&parsed) != payload.is_some() {
            return self.break_off(request);
        }
        let blob = matches!(parsed, Request::BlobPut { .. });
        if self.assembly.is_some() && (blob || !takes_parts(&parsed))
            || self.upload.is_some() && !blob
        {
            return self.break_off(request);
        }
        self.opened = true;
        let payload = payload.unwrap_or_default();
        match parsed {
            Request::SlotAppend { slot_id, part, work } => {
                let target = Target::Slot(slot_id);
                self.part(now, session, assembly::Frame { request, target, part, work, payload })
            }
            Request::NoticePut { notice_id, version, part, work } => {
                let target = Target::Notice(notice_id, version);
                self.part(now, session, assembly::Frame { request, target, part, work, payload })
            }
            Request::BlobPut { head, index, work } => {
                let signed = Signed { request, tag, hash };
                self.blob_part(now, session, &signed, &head, index, work.as_ref(), payload)
            }
            Request::Open | Request::Info => {
                vec![respond(request, &Response::Hello(session.epoch.hello.clone()))]
            }
            Request::Challenge => {
                let (seed, efforts) = session.challenge(now);
                let (effort, front_door_effort) = (efforts.create, efforts.front_door);
                vec![respond(request, &Response::Seed { seed, effort, front_door_effort })]
            }
            Request::ChallengeByToken { token } => {
                let terms = session.epoch.terms;
                let genuine = terms
                    .takes(MailboxPrice::Token)
                    .then(|| session.epoch.tokens.check(now, &token));
                let Some(token) = genuine.flatten() else {
                    return vec![error(request, ErrorCode::WorkRequired, 0)];
                };
                self.waiting = Some(Waiting::Token { request, token });
                vec![Action::Lookup(Capability::Spent(token.id))]
            }
            Request::SlotRead { slot_id } => vec![Action::Start(request, Query::Slot(slot_id))],
            Request::NoticeGet { notice_id } => {
                vec![Action::Start(request, Query::Notice(notice_id))]
            }
            Request::Cancel { send_id, msg_id, signature } => {
                self.waiting = Some(Waiting::Cancel { request, send_id, msg_id, signature });
                vec![Action::Lookup(Capability::Canceller(send_id, msg_id))]
            }
            Request::Create { .. } | Request::CreateByToken { .. } => {
                create(now, session, &Signed { request, tag, hash }, parsed)
            }
            other => {
                self.authenticated(now, session, Signed { request, tag, hash }, other, payload)
            }
        }
    }

    /// One frame of a slot entry or a notice.
    fn part(&mut self, now: i64, session: &mut Session, frame: assembly::Frame) -> Vec<Action> {
        let request = frame.request;
        let own = &session.unfinished;
        match assembly::add(&mut self.assembly, frame, &session.rooms, own) {
            Ok(Some(whole)) => assembled(now, session, request, whole),
            Ok(None) => Vec::new(),
            Err(assembly::OutOfOrder) => self.break_off(request),
        }
    }

    /// Operations whose key the store knows.
    fn authenticated(
        &mut self,
        now: i64,
        session: &mut Session,
        signed: Signed,
        parsed: Request,
        payload: Bytes,
    ) -> Vec<Action> {
        let terms = session.epoch.terms;
        let plain =
            |response, mutation| Operation::Change(Answer::Plain(response), Box::new(mutation));
        let (who, operation) = match parsed {
            Request::Grant { recv_id, send_pk, label, quota, work_required } => {
                let quota = quota.min(terms.max_quota);
                let send_id = session.epoch.identity.send_id(&recv_id, &send_pk);
                let grant =
                    Mutation::Grant { recv_id, send_id, send_pk, label, quota, work_required };
                let grant = match quota {
                    0 => Operation::Malformed,
                    _ => plain(Response::Granted { send_id }, grant),
                };
                (Capability::Owner(recv_id), grant)
            }
            Request::Revoke { recv_id, send_id } => {
                let revoke = Mutation::Revoke { recv_id, send_id };
                (Capability::Owner(recv_id), plain(Response::Done, revoke))
            }
            Request::Trim { recv_id, upto } => {
                let trim = Mutation::Trim { recv_id, upto };
                (Capability::Owner(recv_id), plain(Response::Done, trim))
            }
            Request::Delete { recv_id } => {
                let delete = Mutation::Delete { recv_id };
                (Capability::Owner(recv_id), plain(Response::Done, delete))
            }
            Request::Read { recv_id, since, max } => {
                let query = Query::Read { recv_id, since, max: max.clamp(1, MAX_READ) };
                (Capability::Owner(recv_id), Operation::Query(query))
            }
            Request::Subscribe { recv_id, since } => {
                let query = Query::Subscribe { recv_id, since };
                (Capability::Owner(recv_id), Operation::Query(query))
            }
            Request::Send { send_id, .. } => {
                (Capability::Sender(send_id), Operation::Send(Box::new(parsed), payload))
            }
            Request::BlobGet { fetch_id, first, count } => {
                let query = Query::Blob { fetch_id, first, count };
                (Capability::Fetcher(fetch_id), Operation::Query(query))
            }
            Request::BlobDelete { delete_id } => {
                let delete = plain(Response::Done, Mutation::BlobDelete { delete_id });
                (Capability::Deleter(delete_id), delete)
            }
            Request::Hold { send_id, msg_id, release_at, cancel_pk } => {
                let operation = if release_at <= now {
                    let send = Request::Send { send_id, msg_id, work: None };
                    Operation::Send(Box::new(send), payload)
                } else if release_at > now.saturating_add(MAX_HOLD_S) {
                    Operation::Malformed
                } else {
                    let cell = payload;
                    let hold = Mutation::Hold { send_id, msg_id, cell, release_at, cancel_pk };
                    plain(Response::Done, hold)
                };
                (Capability::Sender(send_id), operation)
            }
            _ => return vec![error(signed.request, ErrorCode::Unsupported, 0)],
        };
        if session.keyring.find(&who).is_some_and(|key| signed.verify(key)) {
            return perform(now, session, signed.request, operation);
        }
        self.waiting = Some(Waiting::Tagged { signed, who, operation });
        vec![Action::Lookup(who)]
    }

    /// One frame of a blob. The first one's tag and work decide whether the relay keeps any.
    #[allow(clippy::too_many_arguments, reason = "the request's fields, taken apart")]
    fn blob_part(
        &mut self,
        now: i64,
        session: &mut Session,
        signed: &Signed,
        head: &BlobHead,
        index: u32,
        work: Option<&Solution>,
        payload: Bytes,
    ) -> Vec<Action> {
        let request = signed.request;
        let proved = match &self.upload {
            None if index == 0 => prove(session, signed, head.delete_pk.as_bytes()),
            None => return self.break_off(request),
            Some(upload) if !upload.expects(request, head, index) => {
                return self.break_off(request);
            }
            Some(upload) => signed.verify(&upload.key).then(|| upload.key.clone()),
        };
        let Some(key) = proved else {
            (self.closed, self.upload) = (true, None);
            return vec![refuse(request), Action::Close];
        };
        let mut upload = self.upload.take().unwrap_or_else(|| {
            let purpose = Purpose::Blob(*head.fetch_pk.as_bytes());
            let payment = session.pay(now, work, &purpose, session.creation_effort());
            Upload::begin(request, *head, key, payment, &session.rooms)
        });
        let whole = upload.add(payload);
        if let Some((whole, payment)) = whole {
            return uploaded(session, request, head, whole, payment);
        }
        self.upload = Some(upload);
        Vec::new()
    }

    fn break_off(&mut self, request: u64) -> Vec<Action> {
        (self.closed, self.assembly, self.waiting) = (true, None, None);
        self.upload = None;
        vec![error(request, ErrorCode::Malformed, 0), Action::Close]
    }
}

fn create(now: i64, session: &mut Session, signed: &Signed, parsed: Request) -> Vec<Action> {
    let request = signed.request;
    let (recv_pk, ttl_days, work, token) = match parsed {
        Request::Create { recv_pk, ttl_days, work } => (recv_pk, ttl_days, work, None),
        Request::CreateByToken { recv_pk, ttl_days, token } => {
            (recv_pk, ttl_days, None, Some(token))
        }
        _ => return Vec::new(),
    };
    if prove(session, signed, recv_pk.as_bytes()).is_none() {
        return vec![refuse(request)];
    }
    let terms = session.epoch.terms;
    let ttl_days = ttl_days.min(terms.max_ttl_days);
    if ttl_days == 0 {
        return vec![error(request, ErrorCode::Malformed, 0)];
    }
    let recv_id = session.epoch.identity.recv_id(&recv_pk);
    let answer = Answer::Plain(Response::Created { recv_id });
    let genuine = token
        .filter(|_| terms.takes(MailboxPrice::Token))
        .and_then(|token| session.epoch.tokens.check(now, &token));
    let create = Mutation::Create { recv_id, recv_pk, ttl_days, paid: false };
    let (create, tender) = if let Some(token) = genuine {
        (Mutation::ByToken { token, change: Box::new(create) }, None)
    } else {
        let purpose = Purpose::Create(*recv_pk.as_bytes());
        session.pay(now, work.as_ref(), &purpose, session.creation_effort()).on(create)
    };
    vec![Action::Submit(Ticket { request, answer, held: (None, tender) }, Box::new(create))]
}

/// Goes on with an operation whose key was looked up. An unknown capability costs the same agreements.
fn resume(
    now: i64,
    session: &mut Session,
    waiting: Waiting,
    found: Result<Option<[u8; 32]>, StoreError>,
) -> Vec<Action> {
    let request = match &waiting {
        Waiting::Tagged { signed, .. } => signed.request,
        Waiting::Cancel { request, .. } | Waiting::Token { request, .. } => *request,
    };
    let Ok(found) = found else { return vec![error(request, ErrorCode::Storage, STORAGE_RETRY_S)] };
    #[cfg(feature = "planted-leak")]
    if found.is_none() && crate::testing::PLANTED.load(std::sync::atomic::Ordering::SeqCst) {
        return vec![error(request, ErrorCode::Refused, 0)];
    }
    let (signed, who, operation) = match waiting {
        Waiting::Tagged { signed, who, operation } => (signed, who, operation),
        Waiting::Cancel { send_id, msg_id, signature, .. } => {
            let nobody = session.epoch.no_canceller;
            let cancel_pk = found.map_or(nobody, CancelPk::from_bytes);
            let genuine = held::verify_cancel(&cancel_pk, &send_id, &msg_id, &signature);
            if !genuine || found.is_none() {
                return vec![refuse(request)];
            }
            let answer = Answer::Plain(Response::Done);
            let cancel = Mutation::Cancel { send_id, msg_id };
            return vec![Action::Submit(Ticket::new(request, answer), Box::new(cancel))];
        }
        Waiting::Token { token, .. } => return vec![tender(now, session, request, token, found)],
    };
    let proved = prove(session, &signed, &found.unwrap_or(session.epoch.nobody));
    match (proved, found) {
        (Some(key), Some(_)) => session.keyring.keep(who, key),
        _ => return vec![refuse(request)],
    }
    perform(now, session, request, operation)
}

/// A seed that a token stands for, unless it was spent.
fn tender(
    now: i64,
    session: &mut Session,
    request: u64,
    token: SpentToken,
    spent: Option<[u8; 32]>,
) -> Action {
    if spent.is_some() {
        return error(request, ErrorCode::WorkRequired, 0);
    }
    let Some(tender) = session.epoch.tokens.tender(token) else {
        return error(request, ErrorCode::Busy, BUSY_RETRY_S);
    };
    let seed = session.challenges.make(now, Asked::Token(tender));
    respond(request, &Response::Seed { seed, effort: 0, front_door_effort: 0 })
}

/// The session key under which the tag is right, of this epoch or the one before.
fn prove(session: &Session, signed: &Signed, capability_pk: &[u8; 32]) -> Option<SessionKey> {
    let epoch = &session.epoch;
    [&epoch.current, &epoch.previous].into_iter().find_map(|half| {
        let pair = half.key.agree(capability_pk, &half.public, epoch.identity.relay_id());
        Some(pair.session(&session.nonce)).filter(|key| signed.verify(key))
    })
}

fn perform(now: i64, session: &mut Session, request: u64, operation: Operation) -> Vec<Action> {
    match operation {
        Operation::Change(answer, mutation) => {
            vec![Action::Submit(Ticket::new(request, answer), mutation)]
        }
        Operation::Query(query) => vec![Action::Start(request, query)],
        Operation::Malformed => vec![error(request, ErrorCode::Malformed, 0)],
        Operation::Send(parsed, cell) => {
            let Request::Send { send_id, msg_id, work } = *parsed else { return Vec::new() };
            // Whether this grant asks for work is the store's to say, at the moment of the append.
            let effort = session.epoch.terms.front_door_effort.max(1);
            let purpose = Purpose::FrontDoor(*send_id.as_bytes());
            let payment = session.pay(now, work.as_ref(), &purpose, Some(effort));
            let answer = Answer::Plain(Response::Done);
            let append = Mutation::Append { send_id, msg_id, cell, paid: false };
            let (append, tender) = payment.on(append);
            vec![Action::Submit(Ticket { request, answer, held: (None, tender) }, Box::new(append))]
        }
    }
}

fn assembled(now: i64, session: &mut Session, request: u64, whole: Assembled) -> Vec<Action> {
    let Assembled { target, count, signature, work, held } = whole;
    let Some(held) = held else { return vec![error(request, ErrorCode::Busy, BUSY_RETRY_S)] };
    let (payloads, room) = held.end();
    let hash = slot::payload_hash(payloads.iter().map(AsRef::as_ref));
    let (purpose, genuine) = match target {
        Target::Slot(id) => {
            (Purpose::Slot(*id.as_bytes()), slot::verify_entry(&id, count, &hash, &signature))
        }
        Target::Notice(id, version) => {
            let genuine = notice::verify(&id, version, count, &hash, &signature);
            (Purpose::Notice(*id.as_bytes()), genuine)
        }
    };
    if !genuine {
        return vec![refuse(request)];
    }
    let effort = session.epoch.terms.work_effort;
    let payment = session.pay(now, work.as_ref(), &purpose, Some(effort));
    let paid = false;
    let (answer, mutation) = match target {
        Target::Slot(slot_id) => {
            let entry = SlotEntry { signature, hash, payloads };
            (Answer::Receipt(slot_id, hash), Mutation::SlotAppend { slot_id, entry, paid })
        }
        Target::Notice(notice_id, version) => {
            let notice = Notice { version, signature, hash, payloads };
            (Answer::Plain(Response::Done), Mutation::NoticePut { notice_id, notice, paid })
        }
    };
    let (mutation, tender) = payment.on(mutation);
    vec![Action::Submit(Ticket { request, answer, held: (room, tender) }, Box::new(mutation))]
}

fn uploaded(
    session: &Session,
    request: u64,
    head: &BlobHead,
    whole: Whole,
    payment: Payment,
) -> Vec<Action> {
    let (room, payloads) = match whole {
        Ok(whole) => whole,
        Err((code, retry_after_s)) => return vec![error(request, code, retry_after_s)],
    };
    let pieces = || payloads.iter().map(AsRef::as_ref);
    if blob::hash(pieces()) != head.hash || !blob::is_filled(head.size, pieces()) {
        return vec![error(request, ErrorCode::Malformed, 0)];
    }
    let BlobHead { fetch_pk, delete_pk, size, ttl_days, hash } = *head;
    let fetch_id = session.epoch.identity.fetch_id(&fetch_pk);
    let delete_id = session.epoch.identity.delete_id(&fetch_id, &delete_pk);
    let blob = Blob { fetch_pk, delete_pk, size, ttl_days, hash, payloads };
    let (put, tender) = payment.on(Mutation::BlobPut { fetch_id, delete_id, blob, paid: false });
    let answer = Answer::Plain(Response::BlobStored { fetch_id, delete_id });
    vec![Action::Submit(Ticket { request, answer, held: (Some(room), tender) }, Box::new(put))]
}

fn stored(session: &Session, ticket: Ticket, outcome: Result<Outcome, StoreError>) -> Action {
    let Ticket { request, answer, held } = ticket;
    drop(held);
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(StoreError::Closed) => return error(request, ErrorCode::Closing, CLOSING_RETRY_S),
        Err(_) => return error(request, ErrorCode::Storage, STORAGE_RETRY_S),
    };
    match (outcome, answer) {
        (Outcome::Done, Answer::Plain(response)) => respond(request, &response),
        (Outcome::Placed(entry), Answer::Receipt(slot_id, hash)) => {
            let signing = session.epoch.identity.signing();
            let signature = slot::sign_receipt(signing, &slot_id, entry, &hash);
            respond(request, &Response::SlotReceipt { slot_id, entry, hash, signature })
        }
        (Outcome::Unknown, _) => refuse(request),
        (Outcome::Full, _) => error(request, ErrorCode::Full, FULL_RETRY_S),
        (Outcome::SlotFull, _) => error(request, ErrorCode::Full, 0),
        (Outcome::Conflict, _) => error(request, ErrorCode::Conflict, 0),
        (Outcome::Unpaid, _) => error(request, ErrorCode::WorkRequired, 0),
        // An engine that answers a slot with `Done`, or a mailbox with a place, is broken.
        (Outcome::Done | Outcome::Placed(_), _) => error(request, ErrorCode::Storage, 0),
    }
}

const fn takes_payload(request: &Request) -> bool {
    matches!(request, Request::Send { .. } | Request::Hold { .. }) || takes_parts(request)
}

const fn takes_parts(request: &Request) -> bool {
    matches!(
        request,
        Request::SlotAppend { .. } | Request::NoticePut { .. } | Request::BlobPut { .. }
    )
}

fn respond(request: u64, response: &Response) -> Action {
    Action::Write(answer_frame(request, response))
}

/// The last frame that answers a request.
pub(crate) fn answer_frame(request: u64, response: &Response) -> Frame {
    let op = response.encode();
    Frame { kind: Kind::Response, request, tag: [0; TAG_LEN], op, payload: None }
}

/// One of several frames that belong to a request.
pub(crate) fn push_frame(request: u64, response: &Response, payload: &[u8]) -> Frame {
    let (op, payload) = (response.encode(), Some(payload.to_vec()));
    Frame { kind: Kind::Push, request, tag: [0; TAG_LEN], op, payload }
}

fn error(request: u64, code: ErrorCode, retry_after_s: u32) -> Action {
    respond(request, &Response::Error { code, retry_after_s })
}

fn refuse(request: u64) -> Action {
    let refused = Response::Error { code: ErrorCode::Refused, retry_after_s: 0 };
    Action::Refuse(answer_frame(request, &refused))
}

/// Too many reads at once on this stream.
pub(crate) fn busy_frame(request: u64) -> Frame {
    answer_frame(request, &Response::Error { code: ErrorCode::Busy, retry_after_s: 1 })
}
