//! Any sequence of frames, outcomes and times against a session and the store in memory; for the fuzzer, and shorter for
//! the tests. Input bytes are commands: most say something genuine, so that what follows is reached at all, and some
//! spoil it.
//!
//! Whatever comes: nothing panics; every request is answered once; who has not the key is refused and changes
//! nothing; what the session holds keeps its bounds, and all of it is given back.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "it is there to fail loudly"
)]

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use budstikke_proto::auth::{SessionKey, operation_hash};
use budstikke_proto::blob;
use budstikke_proto::frame::{Frame, Kind};
use budstikke_proto::id::{CancelPk, Label, MsgId, NoticeId, SlotId};
use budstikke_proto::limits::{CELL_LEN, TAG_LEN};
use budstikke_proto::op::{BlobHead, ErrorCode, Part, Request, Response};
use budstikke_proto::token::{IssuerKey, Token};
use budstikke_proto::{held, notice, slot};
use futures_util::FutureExt as _;
use rand_core::OsRng;

use super::rooms::UNFINISHED_OF_SESSION;
use super::stream::Ticket;
use super::{
    Action, CapabilityKey, Efforts, Epoch, Identity, Input, MAX_OPEN_CHALLENGES, MailboxPrice,
    Prices, RoomLimits, Rooms, Seed, Session, SessionNonce, SigningSeed, Solution, Stream, Terms,
    TokenKeys, Unfinished, VecDeque, keyring,
};
use crate::admission::tokens::DatedKey;
use crate::admission::work::PriceLimits;
use crate::store::{Limits, MemoryStore, Outcome, Store, StoreError};

const NONCE: SessionNonce = [9; 32];
const ROOMS: RoomLimits = RoomLimits { blobs: 2, unfinished: 5, payloads: 24 };
const STREAMS: usize = 5;
/// Keys that clients hold; the last one owns nothing.
const KEYS: u8 = 5;
const STRANGER: usize = 4;
const TOKENS: usize = 8;

/// What costs too much to make for each input.
struct Ground {
    epoch: Arc<Epoch>,
    keys: Vec<(CapabilityKey, SessionKey)>,
    tokens: Vec<Token>,
    signer: SigningSeed,
    blob: (BlobHead, Vec<Vec<u8>>),
    start: i64,
}

fn ground() -> &'static Ground {
    static GROUND: OnceLock<Ground> = OnceLock::new();
    GROUND.get_or_init(|| {
        let start = 1_800_000_000;
        let identity = Identity::new(SigningSeed::from_bytes([1; 32]), [2; 32]);
        let terms = Terms {
            max_ttl_days: 30,
            max_quota: 8,
            work_effort: 0,
            front_door_effort: 1,
            // So that mailboxes and blobs are there only as far as the tokens reach.
            mailbox_price: MailboxPrice::Token,
            max_blob_ttl_days: 30,
        };
        let issuer = IssuerKey::generate(2_048, &mut OsRng).expect("a key");
        let key = issuer.public().expect("its public half");
        let relay = *identity.relay_id();
        let tokens = (0..TOKENS).map(|_| {
            let blinding = key.blind(relay, &mut OsRng).expect("a request");
            let answer = issuer.sign(blinding.request(), &mut OsRng).expect("an answer");
            blinding.finish(&answer).expect("a token")
        });
        let tokens = tokens.collect();
        let dated = DatedKey { key, expires_s: start + 40 * 86_400 };
        let keys = Arc::new(TokenKeys::new(relay, vec![dated], start).expect("keys"));
        let epoch = Arc::new(Epoch::new(identity, terms, keys, start));
        let keys: Vec<_> = (0..KEYS)
            .map(|n| {
                let key = CapabilityKey::from_bytes([n + 10; 32]);
                let (half, id) = (&epoch.current.public, epoch.identity.relay_id());
                let session = key.agree(&key.public(), half, id).session(&NONCE);
                (key, session)
            })
            .collect();
        let (size, payloads) = blob::to_payloads(&vec![6; 65_536]).expect("a blob");
        let hash = blob::hash(payloads.iter().map(Vec::as_slice));
        let (fetch_pk, delete_pk) = (keys[2].0.fetch_pk(), keys[3].0.delete_pk());
        let head = BlobHead { fetch_pk, delete_pk, size, ttl_days: 3, hash };
        let signer = SigningSeed::from_bytes([4; 32]);
        Ground { epoch, keys, tokens, signer, blob: (head, payloads), start }
    })
}

/// The input, read from the front; zeros after its end.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn next(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    fn below(&mut self, end: usize) -> usize {
        usize::from(self.next()) % end.max(1)
    }
}

/// A stream, and what was planned to be said on it.
#[derive(Default)]
struct Talk {
    serial: u64,
    stream: Stream,
    opened: bool,
    closed: bool,
    plan: Vec<Frame>,
}

/// What a frame must lead to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// Anything that keeps the rules.
    Any,
    /// An answer, a query or a change.
    One,
    /// The one refusal.
    Refusal,
    /// Nothing yet.
    Silence,
}

struct Hammer {
    now: i64,
    session: Session,
    rooms: Arc<Rooms>,
    store: MemoryStore,
    talks: Vec<Talk>,
    pending: Vec<(u64, Ticket, Result<Outcome, StoreError>)>,
    request: u64,
    serial: u64,
    /// Seeds that the session gave, for whatever they pay.
    seeds: Vec<Seed>,
    /// Frames and answers by stream and number.
    told: HashMap<(u64, u64), (u32, u32)>,
}

/// Runs one input.
///
/// # Panics
/// When the session breaks a rule.
pub(crate) fn hammer(input: &[u8]) {
    let mut input = Bytes(input);
    let mut hammer = Hammer::new();
    while !input.0.is_empty() {
        hammer.step(&mut input);
        hammer.check();
    }
    hammer.end();
}

impl Hammer {
    fn new() -> Self {
        let ground = ground();
        let rooms = Arc::new(Rooms::new(ROOMS));
        let least = Efforts { create: 0, front_door: 1 };
        let (creations_per_minute, front_door_per_minute) = (6, 6);
        let limits =
            PriceLimits { least, most: least, creations_per_minute, front_door_per_minute };
        let prices = Arc::new(Prices::new(limits));
        let epoch = Arc::clone(&ground.epoch);
        let session = Session::new(epoch, NONCE, [3; 32], prices, Arc::clone(&rooms));
        let limits = Limits { max_grants: 3, max_cells: 12, max_blob_bytes: 1 << 17 };
        let mut hammer = Self {
            now: ground.start,
            session,
            rooms,
            store: MemoryStore::new(limits),
            talks: Vec::new(),
            pending: Vec::new(),
            request: 0,
            serial: 0,
            seeds: Vec::new(),
            told: HashMap::new(),
        };
        for at in 0..STREAMS {
            hammer.talks.push(Talk::default());
            hammer.renew(at);
        }
        // Somebody else's mailbox and grant are there from the beginning.
        for at in [0, 1] {
            let frame = hammer.open();
            hammer.feed(at, &frame, Expect::One);
            hammer.talks[at].opened = true;
        }
        hammer
    }

    fn renew(&mut self, at: usize) {
        self.serial += 1;
        self.talks[at] = Talk { serial: self.serial, ..Talk::default() };
    }

    fn open(&mut self) -> Frame {
        self.request += 1;
        Request::Open.into_frame(self.request, [0; TAG_LEN], None)
    }

    fn step(&mut self, input: &mut Bytes<'_>) {
        let command = input.next();
        let at = input.below(STREAMS);
        match command % 16 {
            0 => {
                let frame = self.open();
                let expect = if self.talks[at].opened { Expect::Any } else { Expect::One };
                self.feed(at, &frame, expect);
                self.talks[at].opened = true;
            }
            1 => self.renew(at),
            2 => self.now += i64::from(input.next()) * [1, 60, 3_600, 43_200][input.below(4)],
            3 | 4 if !self.pending.is_empty() => {
                let which = input.below(self.pending.len());
                self.deliver(which);
            }
            5 => self.raw(at, input),
            6 => {
                self.talks[at].plan = self.plan(input);
            }
            // The next of several frames, or the first of them again.
            7..=9 if !self.talks[at].plan.is_empty() => {
                let begun = self.talks[at].stream.unfinished().is_some();
                let frame = self.talks[at].plan.remove(0);
                let last = self.talks[at].plan.is_empty();
                let expect = match (self.talks[at].opened, begun || last) {
                    (true, false) => Expect::Silence,
                    _ => Expect::Any,
                };
                self.feed(at, &frame, expect);
            }
            _ => self.say(at, input),
        }
    }

    /// Bytes of a frame's size that nobody made.
    fn raw(&mut self, at: usize, input: &mut Bytes<'_>) {
        self.request += 1;
        let length = input.below(200);
        let op: Vec<_> = (0..length).map(|_| input.next()).collect();
        let payload = input.next().is_multiple_of(2).then(|| vec![1; CELL_LEN]);
        let (kind, request) = (Kind::Request, self.request);
        let frame = Frame { kind, request, tag: [input.next(); TAG_LEN], op, payload };
        if frame.encode().is_ok() {
            // It may be an `Open`.
            let opens = matches!(Request::decode(&frame.op), Ok(Request::Open));
            self.feed(at, &frame, Expect::Any);
            self.talks[at].opened |= opens;
        }
    }

    /// A request of one frame, genuine or spoilt.
    fn say(&mut self, at: usize, input: &mut Bytes<'_>) {
        let (request, key, payload) = self.request(input);
        let spoil = input.next();
        let who = match (spoil % 8, key) {
            (1, Some(_)) => Some(STRANGER),
            _ => key,
        };
        self.request += 1;
        let mut frame = request.into_frame(self.request, [0; TAG_LEN], payload);
        if let Some(who) = who {
            frame.tag = tag(who, &frame);
        }
        let talk = &self.talks[at];
        let listens = talk.opened && !talk.closed && talk.stream.unfinished().is_none();
        let mut expect = match (listens, who == key) {
            (false, _) => Expect::Any,
            (true, true) => Expect::One,
            (true, false) => Expect::Refusal,
        };
        match spoil % 8 {
            2 if key.is_some() => {
                frame.tag[input.below(TAG_LEN)] ^= 1 << input.below(8);
                expect = if listens { Expect::Refusal } else { Expect::Any };
            }
            3 => {
                let place = input.below(frame.op.len());
                frame.op[place] ^= 1 << input.below(8);
                expect = Expect::Any;
            }
            4 => {
                frame.kind = [Kind::Cover, Kind::Response, Kind::Push][input.below(3)];
                expect = Expect::Any;
            }
            5 => {
                frame.payload = match frame.payload {
                    Some(_) => None,
                    None => Some(vec![1; CELL_LEN]),
                };
                expect = Expect::Any;
            }
            _ => {}
        }
        if frame.encode().is_ok() {
            self.feed(at, &frame, expect);
        }
    }

    /// A genuine request, whose key it is, and its payload.
    fn request(&self, input: &mut Bytes<'_>) -> (Request, Option<usize>, Option<Vec<u8>>) {
        let ground = ground();
        let identity = &ground.epoch.identity;
        let owner = input.below(2);
        let sender = 2 + input.below(2);
        let (owner_key, sender_key) = (&ground.keys[owner].0, &ground.keys[sender].0);
        let recv_id = identity.recv_id(&owner_key.recv_pk());
        let send_id = identity.send_id(&recv_id, &sender_key.send_pk());
        let msg_id = MsgId::from_bytes([input.next() % 4; 16]);
        let cancel_pk = CancelPk::from_bytes(ground.signer.public());
        let (notice_id, slot_id) = (
            NoticeId::from_bytes(ground.signer.public()),
            SlotId::from_bytes(ground.signer.public()),
        );
        let head = &ground.blob.0;
        let fetch_id = identity.fetch_id(&head.fetch_pk);
        let cell = || Some(vec![5; CELL_LEN]);
        let work = self.work(input);
        match input.below(20) {
            18 | 19 => {
                let mut token = ground.tokens[input.below(TOKENS)].clone();
                if input.next() % 8 == 1 {
                    token.nonce[0] ^= 1;
                }
                (Request::ChallengeByToken { token }, None, None)
            }
            0 => (Request::Info, None, None),
            1 => (Request::Challenge, None, None),
            2 => {
                let (recv_pk, ttl_days) = (owner_key.recv_pk(), u32::from(input.next() % 4));
                (Request::Create { recv_pk, ttl_days, work }, Some(owner), None)
            }
            3 => {
                let (recv_pk, ttl_days) = (owner_key.recv_pk(), u32::from(input.next() % 4) + 1);
                let token = ground.tokens[input.below(TOKENS)].clone();
                (Request::CreateByToken { recv_pk, ttl_days, token }, Some(owner), None)
            }
            4 | 5 => {
                let (label, quota) = (Label::from_bytes([1; 16]), u32::from(input.next() % 12));
                let (send_pk, work_required) =
                    (sender_key.send_pk(), input.next().is_multiple_of(5));
                let grant = Request::Grant { recv_id, send_pk, label, quota, work_required };
                (grant, Some(owner), None)
            }
            6 => (Request::Revoke { recv_id, send_id }, Some(owner), None),
            7 | 8 => (Request::Send { send_id, msg_id, work }, Some(sender), cell()),
            9 => {
                let minutes = i64::from(input.next()) * 400;
                let release_at = (self.now - self.now % 60) + minutes * 60;
                (Request::Hold { send_id, msg_id, release_at, cancel_pk }, Some(sender), cell())
            }
            10 => {
                let signature = held::sign_cancel(&ground.signer, &send_id, &msg_id);
                (Request::Cancel { send_id, msg_id, signature }, None, None)
            }
            11 => (Request::Read { recv_id, since: 0, max: 5 }, Some(owner), None),
            12 => (Request::Subscribe { recv_id, since: 0 }, Some(owner), None),
            13 => (Request::Trim { recv_id, upto: u64::MAX }, Some(owner), None),
            14 => (Request::Delete { recv_id }, Some(owner), None),
            15 => match input.next() % 2 {
                0 => (Request::SlotRead { slot_id }, None, None),
                _ => (Request::NoticeGet { notice_id }, None, None),
            },
            16 => (Request::BlobGet { fetch_id, first: 0, count: 5 }, Some(2), None),
            _ => {
                let delete_id = identity.delete_id(&fetch_id, &head.delete_pk);
                (Request::BlobDelete { delete_id }, Some(3), None)
            }
        }
    }

    /// A seed that was given, with no work done on it.
    fn work(&self, input: &mut Bytes<'_>) -> Option<Solution> {
        let seed = *self.seeds.get(self.seeds.len().checked_sub(1 + input.below(3))?)?;
        Some(Solution { seed, nonce: 0, solution: [0; 16] })
    }

    /// The frames of a slot entry, a notice or a blob.
    fn plan(&mut self, input: &mut Bytes<'_>) -> Vec<Frame> {
        let ground = ground();
        self.request += 1;
        let number = self.request;
        let what = input.next() % 4;
        if what == 3 {
            let (head, payloads) = &ground.blob;
            let work = self.work(input);
            let frames = (0..).zip(payloads).map(|(index, payload)| {
                let work = work.filter(|_| index == 0);
                let put = Request::BlobPut { head: *head, index, work };
                let mut frame = put.into_frame(number, [0; TAG_LEN], Some(payload.clone()));
                frame.tag = tag(3, &frame);
                frame
            });
            return frames.collect();
        }
        let most = if what == 0 { 4 } else { 16 };
        let count = u32::from(input.next()) % most + 1;
        let (mark, version) = (input.next(), u64::from(input.next() % 4));
        let payload = || vec![mark; CELL_LEN];
        let all = vec![payload(); count as usize];
        let hash = slot::payload_hash(all.iter().map(Vec::as_slice));
        let (signer, public) = (&ground.signer, ground.signer.public());
        let make = |index| {
            let put = if what == 0 {
                let signature = slot::sign_entry(signer, count, &hash);
                let part = Part { index, count, signature };
                Request::SlotAppend { slot_id: SlotId::from_bytes(public), part, work: None }
            } else {
                let signature = notice::sign(signer, version, count, &hash);
                let part = Part { index, count, signature };
                let notice_id = NoticeId::from_bytes(public);
                Request::NoticePut { notice_id, version, part, work: None }
            };
            put.into_frame(number, [0; TAG_LEN], Some(payload()))
        };
        (0..count).map(make).collect()
    }

    fn feed(&mut self, at: usize, frame: &Frame, expect: Expect) {
        let talk = &mut self.talks[at];
        let (was_closed, serial) = (talk.closed, talk.serial);
        self.told.entry((serial, frame.request)).or_default().0 += 1;
        // What is not a frame of its size is answered with number 0.
        self.told.entry((serial, 0)).or_default().0 += 1;
        let bytes = frame.encode().expect("a frame");
        let actions = talk.stream.handle(self.now, &mut self.session, Input::Frame(bytes));
        assert!(!was_closed || actions.is_empty(), "closed is closed");
        let (concluded, refused) = self.carry_out(at, actions);
        if was_closed {
            return;
        }
        assert!(concluded <= 1, "{concluded} answers");
        match expect {
            Expect::Any => {}
            Expect::One => assert_eq!(concluded, 1, "not answered"),
            Expect::Refusal => assert!(refused, "who has not the key hears of it"),
            Expect::Silence => assert_eq!(concluded, 0, "answered before its end"),
        }
    }

    /// Carries actions out as the server does; answers how many of them conclude a request, and whether it was the
    /// refusal.
    fn carry_out(&mut self, at: usize, actions: Vec<Action>) -> (u32, bool) {
        let serial = self.talks[at].serial;
        let (mut concluded, mut refused) = (0, false);
        let mut actions = VecDeque::from(actions);
        let mut looked_up = false;
        while let Some(action) = actions.pop_front() {
            match action {
                Action::Write(frame) => {
                    assert_eq!(frame.kind, Kind::Response);
                    concluded += 1;
                    self.answered(serial, &frame);
                }
                Action::Refuse(frame) => {
                    let refusal = Response::Error { code: ErrorCode::Refused, retry_after_s: 0 };
                    assert_eq!(Response::decode(&frame.op), Ok(refusal));
                    (concluded, refused) = (concluded + 1, true);
                    self.answered(serial, &frame);
                }
                Action::Lookup(who) => {
                    assert!(!std::mem::replace(&mut looked_up, true), "looked up twice");
                    let key = self.store.key_of(self.now, who).now_or_never().expect("at once");
                    let talk = &mut self.talks[at];
                    actions.extend(talk.stream.handle(
                        self.now,
                        &mut self.session,
                        Input::Key(key),
                    ));
                }
                Action::Submit(ticket, mutation) => {
                    concluded += 1;
                    let done = self.store.apply(self.now, vec![*mutation]).now_or_never();
                    let done = done.expect("at once").expect("the store in memory");
                    self.pending.push((serial, ticket, Ok(*done.first().expect("an outcome"))));
                }
                Action::Start(..) => concluded += 1,
                Action::Close => {
                    self.talks[at].closed = true;
                    self.talks[at].plan.clear();
                }
            }
        }
        (concluded, refused)
    }

    /// Feeds an outcome in. Its stream may be gone.
    fn deliver(&mut self, which: usize) {
        let (serial, ticket, outcome) = self.pending.swap_remove(which);
        let Some(at) = self.talks.iter().position(|talk| talk.serial == serial) else { return };
        let talk = &mut self.talks[at];
        let actions =
            talk.stream.handle(self.now, &mut self.session, Input::Stored(ticket, outcome));
        let (concluded, _) = self.carry_out(at, actions);
        assert_eq!(concluded, 1, "an outcome makes one answer");
    }

    fn answered(&mut self, serial: u64, frame: &Frame) {
        let told = self.told.entry((serial, frame.request)).or_default();
        told.1 += 1;
        assert!(told.1 <= told.0, "answered more often than asked");
        if let Response::Seed { seed, .. } = Response::decode(&frame.op).expect("an answer") {
            self.seeds.push(seed);
        }
        frame.encode().expect("a frame");
    }

    fn check(&self) {
        assert!(self.session.challenges.open.len() <= MAX_OPEN_CHALLENGES);
        assert!(self.session.keyring.len() <= keyring::MAX_KEYS);
        let [blobs, unfinished, payloads] = self.rooms.free();
        assert!(
            blobs <= ROOMS.blobs && unfinished <= ROOMS.unfinished && payloads <= ROOMS.payloads
        );
        let begun = self.talks.iter().filter_map(|talk| talk.stream.unfinished());
        let parts = begun.filter(|what| *what == Unfinished::Part).count();
        // Some of them found no room, and none has room that has not begun.
        assert!(ROOMS.unfinished - unfinished <= parts);
        assert!(UNFINISHED_OF_SESSION - self.session.unfinished.available_permits() <= parts);
    }

    /// All is given back.
    fn end(mut self) {
        while !self.pending.is_empty() {
            self.deliver(0);
        }
        self.talks.clear();
        assert_eq!(self.rooms.free(), [ROOMS.blobs, ROOMS.unfinished, ROOMS.payloads]);
        assert_eq!(self.session.unfinished.available_permits(), UNFINISHED_OF_SESSION);
        drop(self.session);
        assert_eq!(ground().epoch.tokens.tenders(), 0, "a token is held by nobody");
    }
}

fn tag(who: usize, frame: &Frame) -> [u8; TAG_LEN] {
    let hash = operation_hash(&frame.op, frame.payload.as_deref());
    ground().keys[who].1.tag(frame.request, &hash)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn whatever_comes_a_session_keeps_its_rules(
            input in proptest::collection::vec(any::<u8>(), 0..600),
        ) {
            super::hammer(&input);
        }
    }
}
