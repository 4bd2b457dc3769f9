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
use budstikke_proto::{held, notice, slot};
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;

use super::*;
use crate::admission::tokens::DatedKey;
use crate::admission::work::PriceLimits;
use crate::store::{Capability, Mutation, Outcome, StoreError};

const NOW: i64 = 1_800_000_000;
const NONCE: SessionNonce = [9; 32];

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
        let terms =
            Terms { max_ttl_days, max_quota, work_effort, front_door_effort, mailbox_price };
        let epoch = Arc::new(Epoch::new(identity(), terms, Arc::new(tokens), NOW));
        let least = Efforts { create: work_effort, front_door: 1 };
        let most = Efforts { create: 64, front_door: 64 };
        let (creations_per_minute, front_door_per_minute) = (6, 6);
        let limits = PriceLimits { least, most, creations_per_minute, front_door_per_minute };
        let prices = Arc::new(Prices::new(limits));
        let session = Session::new(epoch, NONCE, [3; 32], prices, Arc::new(Semaphore::new(1)));
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
fn a_challenge_pays_once_and_not_for_ever() {
    let mut bench = Bench::open(1);
    let owner = bench.key();
    let recv_pk = owner.recv_pk();
    let purpose = Purpose::Create(*recv_pk.as_bytes());
    let paid = |bench: &mut Bench, work| {
        let create = Request::Create { recv_pk, ttl_days: 1, work };
        let (_, mutation) = submitted(bench.ask(&create, Some(&owner), None));
        matches!(mutation, Mutation::Create { paid: true, .. })
    };
    let solve = |bench: &mut Bench| {
        let actions = bench.ask(&Request::Challenge, None, None);
        let Response::Seed { seed, effort, .. } = written(&actions) else { panic!("no seed") };
        work::solve(seed, &purpose, effort, 0, || true)
    };
    assert!(!paid(&mut bench, None));
    let work = solve(&mut bench);
    assert!(paid(&mut bench, work));
    assert!(!paid(&mut bench, work), "good once");
    let mut forged = solve(&mut bench);
    if let Some(work) = &mut forged {
        work.solution[0] ^= 1;
    }
    assert!(!paid(&mut bench, forged));
    // The oldest is forgotten when there are too many; none is good for ever.
    let first = solve(&mut bench);
    for _ in 0..MAX_OPEN_CHALLENGES {
        bench.ask(&Request::Challenge, None, None);
    }
    assert_eq!(bench.session.challenges.open.len(), MAX_OPEN_CHALLENGES);
    assert!(!paid(&mut bench, first));
    let late = solve(&mut bench);
    let seed = late.unwrap().seed;
    assert_eq!(bench.session.challenges.take(NOW + CHALLENGE_S + 1, seed), None);
}

#[test]
fn a_challenge_is_answered_at_the_price_that_it_named() {
    let mut bench = Bench::open(1);
    let owner = bench.key();
    let recv_pk = owner.recv_pk();
    let purpose = Purpose::Create(*recv_pk.as_bytes());
    let challenge = |bench: &mut Bench| {
        let actions = bench.ask(&Request::Challenge, None, None);
        let Response::Seed { seed, effort, .. } = written(&actions) else { panic!("no seed") };
        (seed, effort)
    };
    let paid = |bench: &mut Bench, work| {
        let create = Request::Create { recv_pk, ttl_days: 1, work };
        let (_, mutation) = submitted(bench.ask(&create, Some(&owner), None));
        matches!(mutation, Mutation::Create { paid: true, .. })
    };
    let (cheap, effort) = challenge(&mut bench);
    assert_eq!(effort, 1);
    // The load rises: work for the old price pays with its own challenge and no other.
    let prices = Arc::clone(&bench.session.prices);
    (0..6).for_each(|_| prices.look(2_000));
    let (dear, effort) = challenge(&mut bench);
    assert_eq!(effort, 64);
    assert!(paid(&mut bench, work::solve(cheap, &purpose, 1, 0, || true)));
    let too_little = (0..10_000)
        .filter_map(|nonce| work::solve(dear, &purpose, 1, nonce, || true))
        .find(|work| !work::verify(work, &purpose, 64));
    assert!(too_little.is_some() && !paid(&mut bench, too_little));
    let (dear, effort) = challenge(&mut bench);
    assert!(paid(&mut bench, work::solve(dear, &purpose, effort, 0, || true)));
    // Two were paid in this look, where one is comfortable.
    prices.look(0);
    assert_eq!(prices.efforts().create, 64);
    (0..40).for_each(|_| prices.look(0));
    assert_eq!(challenge(&mut bench).1, 1);
}

#[test]
fn slot_frames_make_one_entry_or_nothing() {
    let key = SigningSeed::from_bytes([4; 32]);
    let slot_id = SlotId::from_bytes(key.public());
    let payloads = [vec![1; CELL_LEN], vec![2; CELL_LEN]];
    let hash = slot::payload_hash(payloads.iter().map(Vec::as_slice));
    let signature = slot::sign_entry(&key, 2, &hash);
    let part = |index, signature| Request::SlotAppend {
        slot_id,
        part: Part { index, count: 2, signature },
        work: None,
    };
    let append = |bench: &mut Bench, signature| {
        let first = bench.frame(&part(0, signature), None, Some(payloads[0].clone()));
        assert!(bench.feed(&first).is_empty());
        let mut second = bench.frame(&part(1, signature), None, Some(payloads[1].clone()));
        second.request = first.request;
        bench.feed(&second)
    };
    let mut bench = Bench::open(0);
    let (ticket, mutation) = submitted(append(&mut bench, signature));
    assert!(matches!(mutation, Mutation::SlotAppend { .. }));
    let actions = bench.input(Input::Stored(ticket, Ok(Outcome::Placed(2))));
    let Response::SlotReceipt { entry: 2, hash: stored, signature: receipt, .. } =
        written(&actions)
    else {
        panic!("no receipt")
    };
    let identity_pk = bench.session.epoch.identity.signing().public();
    assert!(slot::verify_receipt(&identity_pk, &slot_id, 2, &stored, &receipt));
    assert!(refused(&append(&mut bench, Signature::from_bytes([0; 64]))));

    // Out of order, mixed up or interrupted: the stream is over.
    for wrong in [(part(1, signature), Some(payloads[0].clone())), (Request::Info, None)] {
        let mut bench = Bench::open(0);
        if wrong.1.is_none() {
            assert!(bench.ask(&part(0, signature), None, Some(payloads[0].clone())).is_empty());
        }
        let actions = bench.ask(&wrong.0, None, wrong.1);
        assert_eq!(code(&actions), ErrorCode::Malformed);
        assert!(matches!(actions[1], Action::Close));
    }
    // Two frames of different requests are no entry.
    let mut bench = Bench::open(0);
    bench.ask(&part(0, signature), None, Some(payloads[0].clone()));
    let actions = bench.ask(&part(1, signature), None, Some(payloads[1].clone()));
    assert_eq!(code(&actions), ErrorCode::Malformed);
}

#[test]
fn a_release_lies_ahead_and_not_too_far() {
    let mut bench = Bench::open(0);
    let sender = bench.key();
    let (send_id, msg_id) = (SendId::from_bytes([1; 32]), MsgId::from_bytes([1; 16]));
    let cancel_pk = CancelPk::from_bytes([4; 32]);
    let hold = |release_at| Request::Hold { send_id, msg_id, release_at, cancel_pk };
    let cell = || Some(vec![1; CELL_LEN]);
    let minute = NOW - NOW % 60;
    // Too far ahead is said to the grant's holder only.
    let far = hold(minute + 28 * 24 * 3600 + 60);
    assert!(matches!(bench.ask(&far, None, cell())[..], [Action::Lookup(Capability::Sender(_))]));
    assert!(refused(&bench.input(Input::Key(Ok(Some(sender.public()))))));
    bench.ask(&far, Some(&sender), cell());
    let actions = bench.input(Input::Key(Ok(Some(sender.public()))));
    assert_eq!(code(&actions), ErrorCode::Malformed);
    for ahead in [60, 28 * 24 * 3600] {
        let actions = bench.ask(&hold(minute + ahead), Some(&sender), cell());
        let (_, mutation) = submitted(actions);
        let Mutation::Hold { release_at, .. } = mutation else { panic!("not held") };
        assert_eq!(release_at, minute + ahead);
    }
    for past in [minute, minute - 60] {
        let (_, mutation) = submitted(bench.ask(&hold(past), Some(&sender), cell()));
        assert!(matches!(mutation, Mutation::Append { paid: false, .. }));
    }
}

#[test]
fn only_its_key_cancels_a_held_cell() {
    let mut bench = Bench::open(0);
    let key = SigningSeed::from_bytes([6; 32]);
    let (send_id, msg_id) = (SendId::from_bytes([1; 32]), MsgId::from_bytes([1; 16]));
    let signature = held::sign_cancel(&key, &send_id, &msg_id);
    let cancel = |signature| Request::Cancel { send_id, msg_id, signature };
    let ask = |bench: &mut Bench, signature, found| {
        let actions = bench.ask(&cancel(signature), None, None);
        assert!(matches!(actions[..], [Action::Lookup(Capability::Canceller(..))]));
        bench.input(Input::Key(found))
    };
    let forged = held::sign_cancel(&key, &send_id, &MsgId::from_bytes([2; 16]));
    let nobody = bench.session.epoch.identity.epoch_secret(i64::MIN + 1);
    let nobody = held::sign_cancel(&SigningSeed::from_bytes(nobody), &send_id, &msg_id);
    assert!(refused(&ask(&mut bench, forged, Ok(Some(key.public())))));
    assert!(refused(&ask(&mut bench, signature, Ok(Some([7; 32])))));
    assert!(refused(&ask(&mut bench, signature, Ok(None))));
    assert!(refused(&ask(&mut bench, nobody, Ok(None))), "even whoever knew the stand-in key");
    let (ticket, mutation) = submitted(ask(&mut bench, signature, Ok(Some(key.public()))));
    assert!(matches!(mutation, Mutation::Cancel { .. }));
    assert!(refused(&bench.input(Input::Stored(ticket, Ok(Outcome::Unknown)))));
    let failed = ask(&mut bench, signature, Err(StoreError::Disk));
    assert_eq!(code(&failed), ErrorCode::Storage);
}

/// A blob's frames, to be sent with one request number.
fn blob_frames(
    bench: &mut Bench,
    key: &CapabilityKey,
    change: impl Fn(&mut BlobHead),
) -> Vec<Frame> {
    let (size, payloads) = blob::to_payloads(&vec![6; 65_536]).unwrap();
    let mut head = BlobHead {
        fetch_pk: CapabilityKey::from_bytes([8; 32]).fetch_pk(),
        delete_pk: key.delete_pk(),
        size,
        ttl_days: 30,
        hash: blob::hash(payloads.iter().map(Vec::as_slice)),
    };
    change(&mut head);
    let number = bench.request + 1;
    let mut frames = Vec::new();
    for (index, payload) in (0..).zip(payloads) {
        bench.request = number - 1;
        let put = Request::BlobPut { head, index, work: None };
        frames.push(bench.frame(&put, Some(key), Some(payload)));
    }
    frames
}

#[test]
fn blob_frames_make_one_blob_or_nothing() {
    let mut bench = Bench::open(0);
    let key = CapabilityKey::from_bytes([7; 32]);
    let feed = |bench: &mut Bench, frames: &[Frame]| {
        let mut last = Vec::new();
        for frame in frames {
            assert!(last.is_empty(), "answered before the end");
            last = bench.feed(frame);
        }
        last
    };
    let frames = blob_frames(&mut bench, &key, |_| {});
    let (ticket, mutation) = submitted(feed(&mut bench, &frames));
    let Mutation::BlobPut { fetch_id, delete_id, blob } = mutation else { panic!("no blob") };
    assert_eq!((blob.payloads.len(), blob.ttl_days, blob.size), (5, 30, BlobSize::Small));
    assert!(!bench.stream.is_unfinished());
    // Its room is taken until it is stored: the next one is read to its end and not kept.
    let next = blob_frames(&mut bench, &key, |_| {});
    assert_eq!(code(&feed(&mut bench, &next)), ErrorCode::Busy);
    let actions = bench.input(Input::Stored(ticket, Ok(Outcome::Done)));
    assert_eq!(written(&actions), Response::BlobStored { fetch_id, delete_id });
    let frames = blob_frames(&mut bench, &key, |_| {});
    let (ticket, _) = submitted(feed(&mut bench, &frames));
    let conflict = bench.input(Input::Stored(ticket, Ok(Outcome::Conflict)));
    assert_eq!(code(&conflict), ErrorCode::Conflict);

    // Another hash, or something where zeros belong.
    let frames = blob_frames(&mut bench, &key, |head| {
        head.hash = budstikke_proto::id::Hash::from_bytes([1; 32]);
    });
    assert_eq!(code(&feed(&mut bench, &frames)), ErrorCode::Malformed);
    let payloads = vec![vec![6; CELL_LEN]; 5];
    let hash = blob::hash(payloads.iter().map(Vec::as_slice));
    let number = bench.request;
    let mut frames = blob_frames(&mut bench, &key, |head| head.hash = hash);
    for (frame, payload) in frames.iter_mut().zip(payloads) {
        bench.request = number;
        let request = Request::decode(&frame.op).unwrap();
        *frame = bench.frame(&request, Some(&key), Some(payload));
    }
    assert_eq!(code(&feed(&mut bench, &frames)), ErrorCode::Malformed);
}

#[test]
fn a_blob_that_is_cut_mixed_or_forged_ends_its_stream_and_frees_its_room() {
    let key = CapabilityKey::from_bytes([7; 32]);
    let mut bench = Bench::open(0);
    let frames = blob_frames(&mut bench, &key, |_| {});
    let info = bench.frame(&Request::Info, None, None);
    let longer = blob_frames(&mut bench, &key, |head| head.ttl_days = 7);
    let mut forged = frames[1].clone();
    forged.tag[0] ^= 1;
    let mut first = frames[0].clone();
    first.tag[0] ^= 1;
    for (begun, next, wanted) in [
        (None, &frames[1], ErrorCode::Malformed),
        (Some(&frames[0]), &frames[0], ErrorCode::Malformed),
        (Some(&frames[0]), &frames[2], ErrorCode::Malformed),
        (Some(&frames[0]), &longer[1], ErrorCode::Malformed),
        (Some(&frames[0]), &info, ErrorCode::Malformed),
        (Some(&frames[0]), &forged, ErrorCode::Refused),
        (None, &first, ErrorCode::Refused),
    ] {
        bench.stream = Stream::default();
        bench.request = 100;
        bench.ask(&Request::Open, None, None);
        if let Some(begun) = begun {
            assert!(bench.feed(begun).is_empty());
            assert_eq!(bench.session.uploads.available_permits(), 0);
        }
        let actions = bench.feed(next);
        let [Action::Write(frame) | Action::Refuse(frame), Action::Close] = &actions[..] else {
            panic!("the stream goes on")
        };
        let answer = Response::decode(&frame.op);
        assert_eq!(answer, Ok(Response::Error { code: wanted, retry_after_s: 0 }));
        assert_eq!(matches!(actions[0], Action::Refuse(_)), wanted == ErrorCode::Refused);
        assert_eq!(bench.session.uploads.available_permits(), 1);
        assert!(bench.feed(&info).is_empty(), "closed is closed");
    }
}

#[test]
fn a_blob_is_paid_with_its_first_frame() {
    let mut bench = Bench::open(1);
    let key = CapabilityKey::from_bytes([7; 32]);
    let mut frames = blob_frames(&mut bench, &key, |_| {});
    let (last, others) = frames.split_last_mut().unwrap();
    assert!(others.iter().all(|frame| bench.feed(frame).is_empty()));
    assert_eq!(bench.session.uploads.available_permits(), 1, "nothing of it is kept");
    assert_eq!(code(&bench.feed(last)), ErrorCode::WorkRequired);

    let actions = bench.ask(&Request::Challenge, None, None);
    let Response::Seed { seed, effort, .. } = written(&actions) else { panic!("no seed") };
    let mut frames = blob_frames(&mut bench, &key, |_| {});
    let Ok(Request::BlobPut { head, index: 0, .. }) = Request::decode(&frames[0].op) else {
        panic!("no blob")
    };
    let work = work::solve(seed, &Purpose::Blob(*head.fetch_pk.as_bytes()), effort, 0, || true);
    bench.request -= 1;
    let put = Request::BlobPut { head, index: 0, work };
    frames[0] = bench.frame(&put, Some(&key), frames[0].payload.clone());
    let mut last = Vec::new();
    for frame in &frames {
        last = bench.feed(frame);
    }
    assert!(matches!(submitted(last).1, Mutation::BlobPut { .. }));
}

#[test]
fn a_blob_is_fetched_and_deleted_by_its_own_keys() {
    let mut bench = Bench::open(0);
    let (reader, writer) = (CapabilityKey::from_bytes([8; 32]), CapabilityKey::from_bytes([7; 32]));
    let (fetch_id, delete_id) = (FetchId::from_bytes([1; 32]), DeleteId::from_bytes([2; 32]));
    let get = Request::BlobGet { fetch_id, first: 3, count: 9 };
    bench.ask(&get, Some(&reader), None);
    let actions = bench.input(Input::Key(Ok(Some(reader.public()))));
    let query = Query::Blob { fetch_id, first: 3, count: 9 };
    assert!(matches!(actions[..], [Action::Start(_, found)] if found == query));
    let delete = Request::BlobDelete { delete_id };
    for (request, key, found) in [
        (&get, &writer, Some(reader.public())),
        (&get, &writer, None),
        (&delete, &reader, Some(writer.public())),
        (&delete, &writer, None),
    ] {
        assert!(matches!(bench.ask(request, Some(key), None)[..], [Action::Lookup(_)]));
        assert!(refused(&bench.input(Input::Key(Ok(found)))));
    }
    bench.ask(&delete, Some(&writer), None);
    let (_, mutation) = submitted(bench.input(Input::Key(Ok(Some(writer.public())))));
    assert!(matches!(mutation, Mutation::BlobDelete { .. }));
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

    #[test]
    fn a_genuine_notice_is_taken_and_a_changed_one_refused(flip in any::<prop::sample::Index>()) {
        let key = SigningSeed::from_bytes([4; 32]);
        let notice_id = NoticeId::from_bytes(key.public());
        let payload = vec![3; CELL_LEN];
        let hash = slot::payload_hash([payload.as_slice()]);
        let signature = notice::sign(&key, 7, 1, &hash);
        let part = Part { index: 0, count: 1, signature };
        let put = Request::NoticePut { notice_id, version: 7, part, work: None };
        let mut bench = Bench::open(0);
        let (_, mutation) = submitted(bench.ask(&put, None, Some(payload.clone())));
        prop_assert!(matches!(mutation, Mutation::NoticePut { .. }), "taken");
        let mut changed = payload;
        changed[flip.index(CELL_LEN)] ^= 1;
        prop_assert!(refused(&bench.ask(&put, None, Some(changed))));
    }
}

#[test]
fn a_token_pays_where_it_is_taken_and_is_genuine() {
    let rng = &mut ChaCha20Rng::seed_from_u64(1);
    let issuer = IssuerKey::generate(2_048, rng).unwrap();
    let key = issuer.public().unwrap();
    let relay = *identity().relay_id();
    let mut token = |relay| {
        let blinding = key.blind(relay, rng).unwrap();
        blinding.finish(&issuer.sign(blinding.request(), rng).unwrap()).unwrap()
    };
    let good = token(relay);
    let elsewhere = token(RelayId::from_bytes([5; 32]));
    let forged = Token { nonce: [1; 32], ..good.clone() };
    let keys = |expires_s| {
        let dated = DatedKey { key: key.clone(), expires_s };
        TokenKeys::new(relay, vec![dated], 0).unwrap()
    };
    let opened = |price, keys| {
        let mut bench = Bench::with(1, price, keys);
        bench.ask(&Request::Open, None, None);
        bench
    };
    let owner = CapabilityKey::from_bytes([9; 32]);
    let recv_pk = owner.recv_pk();
    let spend = |bench: &mut Bench, token: &Token| {
        let create = Request::CreateByToken { recv_pk, ttl_days: 99, token: token.clone() };
        submitted(bench.ask(&create, Some(&owner), None)).1
    };
    let unpaid = |mutation| matches!(mutation, Mutation::Create { paid: false, .. });
    for price in [MailboxPrice::Token, MailboxPrice::Either] {
        let mut bench = opened(price, keys(NOW));
        let Mutation::CreateByToken { token, ttl_days: 30, .. } = spend(&mut bench, &good) else {
            panic!("not taken")
        };
        assert_eq!(token.id, good.spent_id());
        assert_eq!(i64::from(token.last_day), NOW.div_euclid(86_400));
        assert!(unpaid(spend(&mut bench, &elsewhere)));
        assert!(unpaid(spend(&mut bench, &forged)));
        // Nothing is said before the tag.
        let create = Request::CreateByToken { recv_pk, ttl_days: 1, token: good.clone() };
        let stranger = CapabilityKey::from_bytes([8; 32]);
        assert!(refused(&bench.ask(&create, Some(&stranger), None)));
    }
    assert!(
        unpaid(spend(&mut opened(MailboxPrice::Token, keys(NOW - 1)), &good)),
        "its time is over"
    );
    assert!(unpaid(spend(&mut opened(MailboxPrice::Work, keys(NOW)), &good)));
    assert!(unpaid(spend(&mut opened(MailboxPrice::Token, TokenKeys::none(relay)), &good)));
    // Work pays where the price is either, and not where it is a token.
    for (price, paid) in [(MailboxPrice::Token, false), (MailboxPrice::Either, true)] {
        let mut bench = opened(price, keys(NOW));
        let actions = bench.ask(&Request::Challenge, None, None);
        let Response::Seed { seed, effort, .. } = written(&actions) else { panic!("no seed") };
        let purpose = Purpose::Create(*recv_pk.as_bytes());
        let work = work::solve(seed, &purpose, effort, 0, || true);
        let create = Request::Create { recv_pk, ttl_days: 1, work };
        let (_, mutation) = submitted(bench.ask(&create, Some(&owner), None));
        assert!(matches!(mutation, Mutation::Create { paid: found, .. } if found == paid));
    }
}
