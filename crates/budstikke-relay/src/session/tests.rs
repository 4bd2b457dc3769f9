use budstikke_proto::auth::operation_hash;
use budstikke_proto::blob::{self, BlobSize};
use budstikke_proto::frame::{Frame, Kind};
use budstikke_proto::id::RelayId;
use budstikke_proto::id::{CancelPk, Label, MsgId, NoticeId, RecvId, SendId, Signature, SlotId};
use budstikke_proto::id::{DeleteId, FetchId};
use budstikke_proto::limits::{CELL_LEN, CONTROL_FRAME_LEN, DATA_FRAME_LEN, TAG_LEN};
use budstikke_proto::op::{BlobHead, ErrorCode, Part, Request, Response};
use budstikke_proto::sign::SigningSeed;
use budstikke_proto::token::{IssuerKey, Token};
use budstikke_proto::{notice, slot};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::admission::tokens::DatedKey;
use crate::admission::work::PriceLimits;
use crate::store::{Capability, Mutation, Outcome, StoreError};

const NOW: i64 = 1_800_000_000;
const NONCE: SessionNonce = [9; 32];
const ROOMS: RoomLimits = RoomLimits { blobs: 1, unfinished: 6, payloads: 12 };

fn identity() -> Identity {
    Identity::new(SigningSeed::from_bytes([1; 32]), [2; 32])
}

struct Bench {
    session: Session,
    stream: Stream,
    request: u64,
}

impl Bench {
    fn new(work_effort: u32) -> Self {
        let relay = *identity().relay_id();
        Self::with(work_effort, MailboxPrice::Work, TokenKeys::none(relay))
    }

    fn with(work_effort: u32, mailbox_price: MailboxPrice, tokens: TokenKeys) -> Self {
        let (max_ttl_days, max_quota, front_door_effort) = (30, 64, 1);
        let terms = Terms {
            max_ttl_days,
            max_quota,
            work_effort,
            front_door_effort,
            mailbox_price,
            max_blob_ttl_days: 30,
        };
        let epoch = Arc::new(Epoch::new(identity(), terms, Arc::new(tokens), NOW));
        let least = Efforts { create: work_effort, front_door: 1 };
        let most = Efforts { create: 64, front_door: 64 };
        let (creations_per_minute, front_door_per_minute) = (6, 6);
        let limits = PriceLimits { least, most, creations_per_minute, front_door_per_minute };
        let prices = Arc::new(Prices::new(limits));
        let rooms = Arc::new(Rooms::new(ROOMS));
        let session = Session::new(epoch, NONCE, [3; 32], prices, rooms);
        Self { session, stream: Stream::default(), request: 0 }
    }

    fn open(work_effort: u32) -> Self {
        let mut bench = Self::new(work_effort);
        let actions = bench.ask(&Request::Open, None, None);
        assert!(matches!(written(&actions), Response::Hello(_)));
        bench
    }

    fn key(&mut self) -> CapabilityKey {
        CapabilityKey::random(&mut ChaCha20Rng::seed_from_u64(self.request))
    }

    fn frame(
        &mut self,
        request: &Request,
        key: Option<&CapabilityKey>,
        payload: Option<Vec<u8>>,
    ) -> Frame {
        self.request += 1;
        let mut frame = request.into_frame(self.request, [0; TAG_LEN], payload);
        if let Some(key) = key {
            let epoch = &self.session.epoch;
            let pair = key.agree(&key.public(), &epoch.current.public, epoch.identity.relay_id());
            let hash = operation_hash(&frame.op, frame.payload.as_deref());
            frame.tag = pair.session(&NONCE).tag(self.request, &hash);
        }
        frame
    }

    fn feed(&mut self, frame: &Frame) -> Vec<Action> {
        self.input(Input::Frame(frame.encode().unwrap()))
    }

    fn input(&mut self, input: Input) -> Vec<Action> {
        self.stream.handle(NOW, &mut self.session, input)
    }

    fn ask(
        &mut self,
        request: &Request,
        key: Option<&CapabilityKey>,
        payload: Option<Vec<u8>>,
    ) -> Vec<Action> {
        let frame = self.frame(request, key, payload);
        self.feed(&frame)
    }
}

fn written(actions: &[Action]) -> Response {
    let [Action::Write(frame), ..] = actions else { panic!("nothing written") };
    assert_eq!(frame.kind, Kind::Response);
    Response::decode(&frame.op).unwrap()
}

fn code(actions: &[Action]) -> ErrorCode {
    match written(actions) {
        Response::Error { code, .. } => code,
        other => panic!("{other:?}"),
    }
}

fn refused(actions: &[Action]) -> bool {
    let [Action::Refuse(frame)] = actions else { return false };
    let refusal = Response::Error { code: ErrorCode::Refused, retry_after_s: 0 };
    Response::decode(&frame.op) == Ok(refusal)
}

fn submitted(actions: Vec<Action>) -> (Ticket, Mutation) {
    match actions.into_iter().next() {
        Some(Action::Submit(ticket, mutation)) => (ticket, *mutation),
        _ => panic!("nothing submitted"),
    }
}

const ID: RecvId = RecvId::from_bytes([5; 32]);

#[test]
fn a_stream_opens_with_open_and_nothing_else() {
    for request in [
        Request::Info,
        Request::Challenge,
        Request::SlotRead { slot_id: SlotId::from_bytes([1; 32]) },
    ] {
        let mut bench = Bench::new(0);
        let actions = bench.ask(&request, None, None);
        assert_eq!(code(&actions), ErrorCode::Malformed);
        assert!(matches!(actions[1], Action::Close));
        assert!(bench.ask(&Request::Open, None, None).is_empty(), "closed is closed");
    }
    let mut bench = Bench::open(0);
    assert_eq!(code(&bench.ask(&Request::Open, None, None)), ErrorCode::Malformed);
}

#[test]
fn unknown_wrong_and_revoked_get_one_answer() {
    let read = Request::Read { recv_id: ID, since: 0, max: 9 };
    let mut bench = Bench::open(0);
    let (owner, other) = (bench.key(), CapabilityKey::from_bytes([77; 32]));
    let mut refusals = Vec::new();
    for (key, found) in [
        // Unknown or revoked id; somebody else's key; the right key under an id that is not there.
        (&owner, None),
        (&other, Some(owner.public())),
        (&other, None),
    ] {
        let actions = bench.ask(&read, Some(key), None);
        assert!(matches!(actions[..], [Action::Lookup(Capability::Owner(_))]));
        refusals.push(bench.input(Input::Key(Ok(found))));
    }
    // No tag at all.
    assert!(matches!(bench.ask(&read, None, None)[..], [Action::Lookup(_)]));
    refusals.push(bench.input(Input::Key(Ok(Some(owner.public())))));
    assert!(refusals.iter().all(|actions| refused(actions)));
    // And what the store no longer knows.
    let trim = Request::Trim { recv_id: ID, upto: 3 };
    bench.ask(&trim, Some(&owner), None);
    let (ticket, _) = submitted(bench.input(Input::Key(Ok(Some(owner.public())))));
    assert!(refused(&bench.input(Input::Stored(ticket, Ok(Outcome::Unknown)))));
}

#[test]
fn a_proven_key_is_looked_up_once_and_a_wrong_tag_always() {
    let mut bench = Bench::open(0);
    let owner = bench.key();
    let read = Request::Read { recv_id: ID, since: 4, max: 9_999 };
    bench.ask(&read, Some(&owner), None);
    let actions = bench.input(Input::Key(Ok(Some(owner.public()))));
    let query = Query::Read { recv_id: ID, since: 4, max: 256 };
    assert!(matches!(actions[..], [Action::Start(_, found)] if found == query));
    assert!(matches!(bench.ask(&read, Some(&owner), None)[..], [Action::Start(..)]));
    let mut frame = bench.frame(&read, Some(&owner), None);
    frame.tag[0] ^= 1;
    assert!(matches!(bench.feed(&frame)[..], [Action::Lookup(_)]));
    assert!(refused(&bench.input(Input::Key(Ok(Some(owner.public()))))));
    // A tag of another request of this session does not pass either.
    let mut frame = bench.frame(&read, Some(&owner), None);
    frame.request += 1;
    assert!(matches!(bench.feed(&frame)[..], [Action::Lookup(_)]));
}

#[test]
fn last_weeks_epoch_key_is_still_accepted() {
    let mut bench = Bench::open(0);
    let owner = bench.key();
    let create = Request::Create { recv_pk: owner.recv_pk(), ttl_days: 1, work: None };
    for (half, accepted) in [(1, true), (2, false)] {
        let mut frame = bench.frame(&create, None, None);
        let identity = &bench.session.epoch.identity;
        let number = NOW.div_euclid(EPOCH_S) - half;
        let epoch_pk = EpochKey::new(identity, number).public;
        let pair = owner.agree(&owner.public(), &epoch_pk, identity.relay_id());
        let hash = operation_hash(&frame.op, None);
        frame.tag = pair.session(&NONCE).tag(frame.request, &hash);
        let actions = bench.feed(&frame);
        assert_eq!(matches!(actions[..], [Action::Submit(..)]), accepted);
        assert_eq!(refused(&actions), !accepted);
    }
}

#[test]
fn ceilings_lower_what_is_asked_and_nothing_is_said_before_the_tag() {
    let mut bench = Bench::open(0);
    let owner = bench.key();
    let create = |ttl_days| Request::Create { recv_pk: owner.recv_pk(), ttl_days, work: None };
    let (_, mutation) = submitted(bench.ask(&create(9_999), Some(&owner), None));
    assert!(matches!(mutation, Mutation::Create { ttl_days: 30, paid: true, .. }));
    assert!(refused(&bench.ask(&create(0), None, None)));
    assert_eq!(code(&bench.ask(&create(0), Some(&owner), None)), ErrorCode::Malformed);
    let grant = |quota| Request::Grant {
        recv_id: ID,
        send_pk: owner.send_pk(),
        label: Label::from_bytes([1; 16]),
        quota,
        work_required: false,
    };
    bench.ask(&grant(0), None, None);
    assert!(refused(&bench.input(Input::Key(Ok(Some(owner.public()))))));
    bench.ask(&grant(0), Some(&owner), None);
    let actions = bench.input(Input::Key(Ok(Some(owner.public()))));
    assert_eq!(code(&actions), ErrorCode::Malformed);
    let (_, mutation) = submitted(bench.ask(&grant(65), Some(&owner), None));
    assert!(matches!(mutation, Mutation::Grant { quota: 64, .. }));
}

#[test]
fn store_answers_become_codes() {
    let mut bench = Bench::open(0);
    let owner = bench.key();
    for (outcome, wanted) in [
        (Ok(Outcome::Full), (ErrorCode::Full, 60)),
        (Ok(Outcome::SlotFull), (ErrorCode::Full, 0)),
        (Ok(Outcome::Conflict), (ErrorCode::Conflict, 0)),
        (Ok(Outcome::Unpaid), (ErrorCode::WorkRequired, 0)),
        (Err(StoreError::Disk), (ErrorCode::Storage, 60)),
        (Err(StoreError::Damaged), (ErrorCode::Storage, 60)),
        (Err(StoreError::Closed), (ErrorCode::Closing, 5)),
    ] {
        let create = Request::Create { recv_pk: owner.recv_pk(), ttl_days: 1, work: None };
        let (ticket, _) = submitted(bench.ask(&create, Some(&owner), None));
        let actions = bench.input(Input::Stored(ticket, outcome));
        let Response::Error { code, retry_after_s } = written(&actions) else { panic!("done") };
        assert_eq!((code, retry_after_s), wanted);
    }
}

#[test]
fn wrong_frames_end_the_stream_and_covers_do_not() {
    let send = Request::Send {
        send_id: SendId::from_bytes([1; 32]),
        msg_id: MsgId::from_bytes([1; 16]),
        work: None,
    };
    for (request, payload) in [(send.clone(), None), (Request::Info, Some(vec![0; CELL_LEN]))] {
        let mut bench = Bench::open(0);
        let actions = bench.ask(&request, None, payload);
        assert_eq!(code(&actions), ErrorCode::Malformed);
        assert!(matches!(actions[1], Action::Close));
    }
    let mut bench = Bench::open(0);
    let mut cover = bench.frame(&Request::Info, None, None);
    cover.kind = Kind::Cover;
    assert!(bench.feed(&cover).is_empty());
    // Reserved operations are unsupported, and the stream goes on.
    let mut reserved = bench.frame(&Request::Info, None, None);
    reserved.op = vec![0x92, 0x03, 0x00];
    assert_eq!(code(&bench.feed(&reserved)), ErrorCode::Unsupported);
    assert!(matches!(written(&bench.ask(&Request::Info, None, None)), Response::Hello(_)));
    let mut response = bench.frame(&Request::Info, None, None);
    response.kind = Kind::Response;
    assert_eq!(code(&bench.feed(&response)), ErrorCode::Malformed);
}

fn any_request() -> impl Strategy<Value = (Request, bool)> {
    let id = any::<[u8; 32]>();
    let part = (0..16u32, 1..17u32).prop_map(|(index, count)| Part {
        index: index % count,
        count,
        signature: Signature::from_bytes([1; 64]),
    });
    let recv = || any::<[u8; 32]>().prop_map(RecvId::from_bytes);
    prop_oneof![
        Just((Request::Open, false)),
        Just((Request::Info, false)),
        Just((Request::Challenge, false)),
        (recv(), any::<u64>())
            .prop_map(|(recv_id, since)| { (Request::Subscribe { recv_id, since }, false) }),
        (recv(), any::<u64>()).prop_map(|(recv_id, upto)| (Request::Trim { recv_id, upto }, false)),
        id.prop_map(|id| {
            let (send_id, msg_id) = (SendId::from_bytes(id), MsgId::from_bytes([0; 16]));
            (Request::Send { send_id, msg_id, work: None }, true)
        }),
        (id, 1..1_000i64).prop_map(|(id, minutes)| {
            let (send_id, msg_id) = (SendId::from_bytes(id), MsgId::from_bytes([0; 16]));
            let (release_at, cancel_pk) = (minutes * 60, CancelPk::from_bytes(id));
            (Request::Hold { send_id, msg_id, release_at, cancel_pk }, true)
        }),
        id.prop_map(|id| {
            let (send_id, msg_id) = (SendId::from_bytes(id), MsgId::from_bytes([0; 16]));
            (Request::Cancel { send_id, msg_id, signature: Signature::from_bytes([9; 64]) }, false)
        }),
        (id, 0..5u32).prop_map(|(id, index)| {
            let head = BlobHead {
                fetch_pk: budstikke_proto::id::FetchPk::from_bytes(id),
                delete_pk: budstikke_proto::id::DeletePk::from_bytes([9; 32]),
                size: BlobSize::Small,
                ttl_days: 1,
                hash: budstikke_proto::id::Hash::from_bytes([9; 32]),
            };
            (Request::BlobPut { head, index, work: None }, true)
        }),
        id.prop_map(|id| {
            let fetch_id = FetchId::from_bytes(id);
            (Request::BlobGet { fetch_id, first: 0, count: 1 }, false)
        }),
        id.prop_map(|id| (Request::BlobDelete { delete_id: DeleteId::from_bytes(id) }, false)),
        (id, part.clone()).prop_map(|(id, part)| {
            let notice_id = NoticeId::from_bytes(id);
            (Request::NoticePut { notice_id, version: 1, part, work: None }, true)
        }),
        (id, part).prop_map(|(id, part)| {
            let part = Part { index: part.index % 4, count: 4, ..part };
            (Request::SlotAppend { slot_id: SlotId::from_bytes(id), part, work: None }, true)
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bytes_are_answered_and_never_panic(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..200),
        class in 0u8..4,
        opened: bool,
    ) {
        let mut bench = if opened { Bench::open(0) } else { Bench::new(0) };
        if let Some(first) = bytes.first_mut() { *first = class; }
        bytes.resize(if class == 2 { DATA_FRAME_LEN } else { CONTROL_FRAME_LEN }, 0);
        let actions = bench.input(Input::Frame(bytes));
        prop_assert!(actions.len() <= 2);
    }

    /// Whatever is said in whatever order without a right tag or signature, nothing reaches the store.
    #[test]
    fn strangers_change_nothing(requests in proptest::collection::vec(any_request(), 1..20)) {
        let mut bench = Bench::open(0);
        for (request, data) in requests {
            let payload = data.then(|| vec![1; CELL_LEN]);
            let mut actions = bench.ask(&request, None, payload);
            if matches!(actions[..], [Action::Lookup(_)]) {
                actions = bench.input(Input::Key(Ok(Some([7; 32]))));
                prop_assert!(refused(&actions));
            }
            let changes = actions.iter().any(|it| matches!(it, Action::Submit(..)));
            prop_assert!(!changes);
        }
    }
}

mod blobs;
mod holding;
mod parts;
mod payment;
