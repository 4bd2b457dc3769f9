//! The relay client against a relay that does exactly what a test tells it to, truth or lies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

use std::sync::Arc;
use std::time::Duration;

use budstikke::clock::Clock;
use budstikke::relay::{RelayClient, RelayError, RelayOptions, Standing};
use budstikke::transport::TransportError;
use budstikke::transport::mem::{MemAcceptor, MemStream, MemTransport};
use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::{CapabilityKey, SessionNonce, operation_hash};
use budstikke_proto::descriptor::{Descriptor, MailboxPrice, relay_id};
use budstikke_proto::frame::{Frame, Kind, class_of};
use budstikke_proto::id::{Hash, Label, MsgId, NoticeId, RecvId, Seed, SendId, SlotId};
use budstikke_proto::limits::CELL_LEN;
use budstikke_proto::op::{ErrorCode, Request, Response};
use budstikke_proto::sign::SigningSeed;
use budstikke_proto::work::{Purpose, verify};
use budstikke_proto::{notice, slot};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const NOW: i64 = 1_800_000_000;
const RECV: RecvId = RecvId::from_bytes([1; 32]);
const LABEL: Label = Label::from_bytes([2; 16]);

fn identity() -> SigningSeed {
    SigningSeed::from_bytes([7; 32])
}

fn epoch() -> CapabilityKey {
    CapabilityKey::from_bytes([8; 32])
}

fn owner() -> CapabilityKey {
    CapabilityKey::from_bytes([9; 32])
}

fn cell(fill: u8) -> Vec<u8> {
    vec![fill; CELL_LEN]
}

fn descriptor() -> Descriptor {
    Descriptor {
        identity_pk: identity().public(),
        epoch_pk: epoch().public(),
        valid_until_s: NOW + 3_600,
        max_ttl_days: 90,
        max_quota: 4_096,
        work_effort: 1,
        front_door_effort: 1,
        software: "scripted".into(),
        mailbox_price: MailboxPrice::Work,
        token_keys: Vec::new(),
        max_blob_ttl_days: 30,
    }
}

fn client_with(change: impl FnOnce(&mut RelayOptions)) -> (RelayClient, MemAcceptor) {
    let (transport, acceptor) = MemTransport::new();
    let id = relay_id(&identity().public());
    let address = RelayAddress { id, host: "relay.example".into(), port: 443 };
    let mut options = RelayOptions::default();
    (options.request, options.connect_attempts) = (Duration::from_secs(5), 1);
    change(&mut options);
    let clock = Clock::fixed(NOW);
    (RelayClient::with_options(Arc::new(transport), address, clock, options), acceptor)
}

fn client() -> (RelayClient, MemAcceptor) {
    client_with(|_| {})
}

/// The relay's end of one stream.
struct Peer {
    io: tokio::io::DuplexStream,
    nonce: SessionNonce,
}

impl Peer {
    /// Accepts a stream and introduces itself as it should.
    async fn meet(acceptor: &mut MemAcceptor) -> Self {
        Self::meet_as(acceptor, &descriptor(), &identity()).await
    }

    async fn meet_as(acceptor: &mut MemAcceptor, words: &Descriptor, key: &SigningSeed) -> Self {
        let MemStream { session_nonce, io, .. } = acceptor.accept().await.unwrap();
        let mut peer = Self { io, nonce: session_nonce };
        let (open, request) = peer.hear().await;
        assert_eq!(request, Request::Open);
        peer.say(open.request, &Response::Hello(words.sign(key))).await;
        peer
    }

    async fn frame(&mut self) -> Option<Frame> {
        let first = self.io.read_u8().await.ok()?;
        let mut bytes = vec![first; class_of(first).unwrap().frame_len()];
        self.io.read_exact(&mut bytes[1..]).await.unwrap();
        Some(Frame::decode(&bytes).unwrap())
    }

    async fn hear(&mut self) -> (Frame, Request) {
        let frame = self.frame().await.expect("the client hung up");
        let request = Request::decode(&frame.op).unwrap();
        (frame, request)
    }

    async fn say(&mut self, request: u64, response: &Response) {
        self.raw(&response.into_frame(request, None).encode().unwrap()).await;
    }

    async fn push(&mut self, request: u64, response: &Response, payload: Vec<u8>) {
        self.raw(&response.into_frame(request, Some(payload)).encode().unwrap()).await;
    }

    async fn push_cell(&mut self, request: u64, seq: u64) {
        let fill = u8::try_from(seq).unwrap();
        self.push(request, &Response::Cell { seq, label: LABEL }, cell(fill)).await;
    }

    /// Writing to a client that has hung up is no failure of the test.
    async fn raw(&mut self, bytes: &[u8]) {
        let _ = self.io.write_all(bytes).await;
    }

    /// Whether the tag is the capability's, for this nonce.
    fn knows(frame: &Frame, key: &CapabilityKey, nonce: &SessionNonce) -> bool {
        let (pk, relay) = (key.public(), relay_id(&identity().public()));
        let session = epoch().agree(&pk, &epoch().public(), &relay).session(nonce);
        let hash = operation_hash(&frame.op, frame.payload.as_deref());
        session.verify(frame.request, &hash, &frame.tag)
    }
}

fn send(client: &RelayClient, fill: u8) -> tokio::task::JoinHandle<Result<(), RelayError>> {
    let client = client.clone();
    tokio::spawn(async move {
        let (send_id, msg_id) = (SendId::from_bytes([3; 32]), MsgId::from_bytes([fill; 16]));
        client.send(&owner(), send_id, msg_id, cell(fill), false).await
    })
}

fn read(
    client: &RelayClient,
    max: u32,
) -> tokio::task::JoinHandle<Result<budstikke::relay::Page, RelayError>> {
    let client = client.clone();
    tokio::spawn(async move { client.read(&owner(), RECV, 10, max).await })
}

const CLOSED: RelayError = RelayError::Transport(TransportError::Closed);

fn is_protocol<T>(result: &Result<T, RelayError>) -> bool {
    matches!(result, Err(RelayError::Protocol(_)))
}

#[tokio::test]
async fn another_relays_words_are_not_believed() {
    let (client, mut acceptor) = client();
    let asking = read(&client, 1);
    let stranger = SigningSeed::from_bytes([66; 32]);
    let words = Descriptor { identity_pk: stranger.public(), ..descriptor() };
    let _peer = Peer::meet_as(&mut acceptor, &words, &stranger).await;
    let wrong = RelayError::Transport(TransportError::WrongRelay);
    assert_eq!(asking.await.unwrap(), Err(wrong.clone()));
    assert!(!wrong.is_retryable());
}

#[tokio::test]
async fn an_expired_description_is_told_from_a_wrong_one() {
    let (client, mut acceptor) = client();
    let asking = read(&client, 1);
    let words = Descriptor { valid_until_s: NOW - 1, ..descriptor() };
    let _peer = Peer::meet_as(&mut acceptor, &words, &identity()).await;
    assert_eq!(asking.await.unwrap(), Err(RelayError::Expired));
}

#[tokio::test]
async fn tags_are_for_this_session_and_numbers_go_up_across_streams() {
    let (client, mut acceptor) = client();
    let asking = send(&client, 1);
    let mut first = Peer::meet(&mut acceptor).await;
    let (frame, request) = first.hear().await;
    assert!(matches!(request, Request::Send { .. }));
    assert!(Peer::knows(&frame, &owner(), &first.nonce));
    assert!(!Peer::knows(&frame, &owner(), &[0; 32]));
    assert!(!Peer::knows(&frame, &CapabilityKey::from_bytes([5; 32]), &first.nonce));
    first.say(frame.request, &Response::Done).await;
    assert_eq!(asking.await.unwrap(), Ok(()));

    let other = client.clone();
    let subscribing = tokio::spawn(async move { other.subscribe(&owner(), RECV, 0).await });
    let mut second = Peer::meet(&mut acceptor).await;
    assert_eq!(second.nonce, first.nonce, "one session, two streams");
    let (subscribe, _) = second.hear().await;
    assert!(subscribe.request > frame.request);
    assert!(Peer::knows(&subscribe, &owner(), &second.nonce));
    assert!(subscribing.await.unwrap().is_ok());
}

#[tokio::test]
async fn answers_find_their_askers_in_any_order() {
    let (client, mut acceptor) = client();
    let (one, two) = (send(&client, 1), send(&client, 2));
    let mut peer = Peer::meet(&mut acceptor).await;
    let mut frames = [peer.hear().await.0, peer.hear().await.0];
    frames.sort_by_key(|frame| frame.payload.as_ref().unwrap()[0]);
    let busy = Response::Error { code: ErrorCode::Busy, retry_after_s: 30 };
    peer.say(frames[1].request, &busy).await;
    peer.say(frames[0].request, &Response::Done).await;
    assert_eq!(one.await.unwrap(), Ok(()));
    let error = two.await.unwrap().unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
    assert!(error.is_retryable());
}

#[tokio::test]
async fn each_refusal_has_its_own_meaning() {
    let (client, mut acceptor) = client();
    let first = send(&client, 1);
    let mut peer = Peer::meet(&mut acceptor).await;
    let (frame, _) = peer.hear().await;
    peer.say(frame.request, &Response::Error { code: ErrorCode::Refused, retry_after_s: 0 }).await;
    assert_eq!(first.await.unwrap(), Err(RelayError::Refused));
    for (code, retry_after_s, meaning) in [
        (ErrorCode::Full, 0, RelayError::Full { retry_after: None }),
        (ErrorCode::Full, 9, RelayError::Full { retry_after: Some(Duration::from_secs(9)) }),
        (ErrorCode::Conflict, 0, RelayError::Conflict),
        (ErrorCode::Storage, 0, RelayError::Storage),
        (ErrorCode::WorkRequired, 0, RelayError::WorkRequired),
        (ErrorCode::Unsupported, 0, RelayError::Unsupported),
        (ErrorCode::Closing, 0, RelayError::Busy { retry_after: Duration::from_secs(1) }),
    ] {
        let asking = send(&client, 1);
        let (frame, _) = peer.hear().await;
        peer.say(frame.request, &Response::Error { code, retry_after_s }).await;
        assert_eq!(asking.await.unwrap(), Err(meaning));
    }
}

#[tokio::test]
async fn garbage_is_malformed_and_the_next_request_gets_a_new_session() {
    let (client, mut acceptor) = client();
    let asking = read(&client, 1);
    let mut peer = Peer::meet(&mut acceptor).await;
    peer.hear().await;
    peer.raw(&[0xEE; 100]).await;
    let malformed = RelayError::Transport(TransportError::Malformed);
    assert_eq!(asking.await.unwrap(), Err(malformed));

    let asking = read(&client, 1);
    let mut peer = Peer::meet(&mut acceptor).await;
    let (frame, _) = peer.hear().await;
    peer.say(frame.request, &Response::End { next: 10, more: false }).await;
    assert!(asking.await.unwrap().unwrap().cells.is_empty());
}

#[tokio::test]
async fn silence_ends_at_the_deadline_and_ends_the_session() {
    let (client, mut acceptor) = client_with(|it| it.request = Duration::from_millis(80));
    let asking = read(&client, 1);
    let mut peer = Peer::meet(&mut acceptor).await;
    peer.hear().await;
    assert_eq!(asking.await.unwrap(), Err(RelayError::Transport(TransportError::TimedOut)));
    assert!(peer.frame().await.is_none(), "the client hangs up");

    // The same before the relay has introduced itself.
    let asking = read(&client, 1);
    let _silent = acceptor.accept().await.unwrap();
    assert_eq!(asking.await.unwrap(), Err(RelayError::Transport(TransportError::TimedOut)));
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let (client, acceptor) = client();
    drop(acceptor);
    let result = client.read(&owner(), RECV, 0, 1).await;
    assert_eq!(result, Err(RelayError::Transport(TransportError::Unreachable)));
}

#[tokio::test]
async fn a_break_in_mid_answer_is_repeated_once_and_no_more() {
    for second_also_breaks in [false, true] {
        let (client, mut acceptor) = client();
        let asking = read(&client, 2);
        let mut peer = Peer::meet(&mut acceptor).await;
        let (first, _) = peer.hear().await;
        peer.push_cell(first.request, 11).await;
        let half =
            Response::Cell { seq: 12, label: LABEL }.into_frame(first.request, Some(cell(1)));
        peer.raw(&half.encode().unwrap()[..9_000]).await;
        drop(peer);

        let mut peer = Peer::meet(&mut acceptor).await;
        let (again, _) = peer.hear().await;
        assert_eq!(again.op, first.op);
        if second_also_breaks {
            drop(peer);
            assert_eq!(asking.await.unwrap(), Err(CLOSED));
        } else {
            peer.push_cell(again.request, 11).await;
            peer.say(again.request, &Response::End { next: 11, more: true }).await;
            let page = asking.await.unwrap().unwrap();
            assert_eq!((page.cells.len(), page.next, page.more), (1, 11, true));
            assert_eq!((page.cells[0].label, page.cells[0].cell.as_slice()), (LABEL, &*cell(11)));
        }
    }
}

#[tokio::test]
async fn a_second_answer_to_one_request_ends_the_session() {
    let (client, mut acceptor) = client();
    let asking = send(&client, 1);
    let mut peer = Peer::meet(&mut acceptor).await;
    let (frame, _) = peer.hear().await;
    let waiting = read(&client, 1);
    peer.hear().await;
    peer.say(frame.request, &Response::Done).await;
    assert_eq!(asking.await.unwrap(), Ok(()));
    peer.say(frame.request, &Response::Done).await;
    assert!(is_protocol(&waiting.await.unwrap()));
}

#[tokio::test]
async fn more_pushes_than_asked_for_end_the_session() {
    let (client, mut acceptor) = client();
    let asking = read(&client, 2);
    let mut peer = Peer::meet(&mut acceptor).await;
    let (frame, _) = peer.hear().await;
    for seq in 11..=13 {
        peer.push_cell(frame.request, seq).await;
    }
    assert!(is_protocol(&asking.await.unwrap()));
    assert!(peer.frame().await.is_none(), "the client hangs up");
}

#[tokio::test]
async fn pages_that_lie_are_not_used() {
    for (seqs, next, more) in [
        (&[11, 11][..], 11, false), // one number twice
        (&[12, 11][..], 12, false), // backwards
        (&[10][..], 11, false),     // not above since
        (&[11, 12][..], 11, false), // ends before its last cell
        (&[][..], 10, true),        // more, but no headway
    ] {
        let (client, mut acceptor) = client();
        let asking = read(&client, 5);
        let mut peer = Peer::meet(&mut acceptor).await;
        let (frame, _) = peer.hear().await;
        for seq in seqs {
            peer.push_cell(frame.request, *seq).await;
        }
        peer.say(frame.request, &Response::End { next, more }).await;
        assert!(is_protocol(&asking.await.unwrap()), "{seqs:?} {next} {more}");
    }
}

#[tokio::test]
async fn an_answer_to_another_question_is_not_used() {
    let (client, mut acceptor) = client();
    let asking = send(&client, 1);
    let mut peer = Peer::meet(&mut acceptor).await;
    let (frame, _) = peer.hear().await;
    peer.say(frame.request, &Response::Created { recv_id: RECV }).await;
    assert!(is_protocol(&asking.await.unwrap()));
}

#[tokio::test]
async fn a_caller_that_left_disturbs_nobody() {
    let (client, mut acceptor) = client();
    let left = read(&client, 1);
    let mut peer = Peer::meet(&mut acceptor).await;
    let (frame, _) = peer.hear().await;
    left.abort();
    let _ = left.await;
    peer.raw(
        &Frame { kind: Kind::Cover, request: 0, tag: [0; 16], op: vec![], payload: None }
            .encode()
            .unwrap(),
    )
    .await;
    peer.push_cell(frame.request, 11).await;
    peer.say(frame.request, &Response::End { next: 11, more: false }).await;
    let asking = send(&client, 2);
    let (frame, _) = peer.hear().await;
    peer.say(frame.request, &Response::Done).await;
    assert_eq!(asking.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn work_is_done_when_asked_for_and_pays_for_its_purpose() {
    let (client, mut acceptor) = client();
    let creating = tokio::spawn({
        let client = client.clone();
        async move { client.create(&owner(), 30).await }
    });
    let mut peer = Peer::meet(&mut acceptor).await;
    let (frame, request) = peer.hear().await;
    assert!(matches!(request, Request::Create { work: None, .. }));
    let asked = Response::Error { code: ErrorCode::WorkRequired, retry_after_s: 0 };
    peer.say(frame.request, &asked).await;
    let (frame, request) = peer.hear().await;
    assert_eq!(request, Request::Challenge);
    let seed = Seed::from_bytes([4; 16]);
    peer.say(frame.request, &Response::Seed { seed, effort: 2, front_door_effort: 9 }).await;
    let (frame, request) = peer.hear().await;
    let Request::Create { recv_pk, work: Some(work), .. } = request else { panic!("no work") };
    assert!(Peer::knows(&frame, &owner(), &peer.nonce));
    assert_eq!(work.seed, seed);
    assert!(verify(&work, &Purpose::Create(*recv_pk.as_bytes()), 2));
    peer.say(frame.request, &Response::Created { recv_id: RECV }).await;
    assert_eq!(creating.await.unwrap(), Ok(RECV));
}

#[tokio::test]
async fn a_front_door_is_paid_beforehand_with_its_own_effort() {
    let (client, mut acceptor) = client();
    let send_id = SendId::from_bytes([3; 32]);
    let sending = tokio::spawn({
        let client = client.clone();
        async move { client.send(&owner(), send_id, MsgId::from_bytes([1; 16]), cell(1), true).await }
    });
    let mut peer = Peer::meet(&mut acceptor).await;
    let (frame, request) = peer.hear().await;
    assert_eq!(request, Request::Challenge);
    let seed = Seed::from_bytes([4; 16]);
    let challenge = Response::Seed { seed, effort: u32::MAX, front_door_effort: 1 };
    peer.say(frame.request, &challenge).await;
    let (frame, request) = peer.hear().await;
    let Request::Send { work: Some(work), .. } = request else { panic!("no work") };
    assert!(verify(&work, &Purpose::FrontDoor(*send_id.as_bytes()), 1));
    peer.say(frame.request, &Response::Done).await;
    assert_eq!(sending.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn impossible_work_is_given_up() {
    let (client, mut acceptor) = client_with(|it| it.work = Duration::from_millis(50));
    let appending = tokio::spawn({
        let client = client.clone();
        async move { client.slot_append(&identity(), vec![cell(1)]).await }
    });
    let mut peer = Peer::meet(&mut acceptor).await;
    let (frame, _) = peer.hear().await;
    let seed = Seed::from_bytes([4; 16]);
    let challenge = Response::Seed { seed, effort: u32::MAX, front_door_effort: 1 };
    peer.say(frame.request, &challenge).await;
    assert_eq!(appending.await.unwrap(), Err(RelayError::WorkTooLong));
}

#[tokio::test]
async fn a_subscription_gives_cells_in_order_and_ends_the_stream_when_dropped() {
    let (client, mut acceptor) = client();
    let subscribing = tokio::spawn({
        let client = client.clone();
        async move { client.subscribe(&owner(), RECV, 10).await }
    });
    let _requests = Peer::meet(&mut acceptor).await;
    let mut peer = Peer::meet(&mut acceptor).await;
    let (frame, request) = peer.hear().await;
    assert_eq!(request, Request::Subscribe { recv_id: RECV, since: 10 });
    let mut cells = subscribing.await.unwrap().unwrap();
    // A reader that loses patience in the middle of a frame loses nothing of it.
    let whole = Response::Cell { seq: 11, label: LABEL }.into_frame(frame.request, Some(cell(11)));
    let whole = whole.encode().unwrap();
    peer.raw(&whole[..5_000]).await;
    let early = tokio::time::timeout(Duration::from_millis(30), cells.next()).await;
    assert!(early.is_err());
    peer.raw(&whole[5_000..]).await;
    peer.push_cell(frame.request, 14).await;
    assert_eq!(cells.next().await.unwrap().cell, cell(11));
    assert_eq!(cells.next().await.unwrap().seq, 14);
    assert_eq!(cells.position(), 14);
    drop(cells);
    assert!(peer.frame().await.is_none());
}

#[tokio::test]
async fn a_subscription_that_lies_or_is_refused_stays_ended() {
    let refused = Response::Error { code: ErrorCode::Refused, retry_after_s: 0 };
    for (repeat, expected) in [(true, None), (false, Some(RelayError::Refused))] {
        let (client, mut acceptor) = client();
        let subscribing = tokio::spawn({
            let client = client.clone();
            async move { client.subscribe(&owner(), RECV, 10).await }
        });
        let _requests = Peer::meet(&mut acceptor).await;
        let mut peer = Peer::meet(&mut acceptor).await;
        let (frame, _) = peer.hear().await;
        let mut cells = subscribing.await.unwrap().unwrap();
        peer.push_cell(frame.request, 11).await;
        if repeat {
            peer.push_cell(frame.request, 11).await;
        } else {
            peer.say(frame.request, &refused).await;
        }
        assert_eq!(cells.next().await.unwrap().seq, 11);
        let error = cells.next().await.unwrap_err();
        assert!(expected.is_none_or(|expected| expected == error));
        assert!(!error.is_retryable());
        assert_eq!(cells.next().await, Err(error));
    }
}

#[tokio::test]
async fn closing_ends_everything_that_waits() {
    let (client, mut acceptor) = client();
    let asking = read(&client, 1);
    let mut peer = Peer::meet(&mut acceptor).await;
    peer.hear().await;
    client.close().await;
    assert_eq!(asking.await.unwrap(), Err(RelayError::ClientClosed));
    assert!(peer.frame().await.is_none());
    let later = client.read(&owner(), RECV, 0, 1).await;
    assert_eq!(later, Err(RelayError::ClientClosed));
}

#[tokio::test]
async fn dropping_the_last_handle_hangs_up_and_ends_subscriptions() {
    let (client, mut acceptor) = client();
    let subscribing = tokio::spawn(async move { client.subscribe(&owner(), RECV, 10).await });
    let mut requests = Peer::meet(&mut acceptor).await;
    let mut peer = Peer::meet(&mut acceptor).await;
    peer.hear().await;
    let mut cells = subscribing.await.unwrap().unwrap();
    assert_eq!(cells.next().await, Err(RelayError::ClientClosed));
    assert!(requests.frame().await.is_none());
}

#[tokio::test]
async fn an_idle_session_is_closed_but_not_under_a_subscription() {
    let (client, mut acceptor) = client_with(|it| it.idle = Duration::from_millis(40));
    let subscribing = tokio::spawn({
        let client = client.clone();
        async move { client.subscribe(&owner(), RECV, 10).await }
    });
    let mut requests = Peer::meet(&mut acceptor).await;
    let mut peer = Peer::meet(&mut acceptor).await;
    let (frame, _) = peer.hear().await;
    let mut cells = subscribing.await.unwrap().unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    peer.push_cell(frame.request, 11).await;
    assert_eq!(cells.next().await.unwrap().seq, 11);
    drop(cells);
    assert!(requests.frame().await.is_none(), "idle: the client hangs up");
    let asking = send(&client, 1);
    let mut peer = Peer::meet(&mut acceptor).await;
    let (frame, _) = peer.hear().await;
    peer.say(frame.request, &Response::Done).await;
    assert_eq!(asking.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn receipts_are_checked() {
    let member = SigningSeed::from_bytes([5; 32]);
    let slot_id = SlotId::from_bytes(member.public());
    let hash = slot::payload_hash([cell(1).as_slice(), cell(2).as_slice()]);
    let right = slot::sign_receipt(&identity(), &slot_id, 2, &hash);
    let receipt = |hash, signature| Response::SlotReceipt { slot_id, entry: 2, hash, signature };
    for (answer, good) in [
        (receipt(hash, right), true),
        (receipt(Hash::from_bytes([0; 32]), right), false),
        (receipt(hash, slot::sign_receipt(&member, &slot_id, 2, &hash)), false),
        (Response::SlotReceipt { slot_id, entry: 3, hash, signature: right }, false),
    ] {
        let (client, mut acceptor) = client();
        let appending = tokio::spawn({
            let (client, member) = (client.clone(), member.clone());
            async move { client.slot_append(&member, vec![cell(1), cell(2)]).await }
        });
        let words = Descriptor { work_effort: 0, ..descriptor() };
        let mut peer = Peer::meet_as(&mut acceptor, &words, &identity()).await;
        let (first, second) = (peer.hear().await, peer.hear().await);
        assert_eq!(first.0.request, second.0.request, "one request in two frames");
        let Request::SlotAppend { part, .. } = second.1 else { panic!("not an append") };
        assert_eq!((part.index, part.count), (1, 2));
        assert!(slot::verify_entry(&slot_id, 2, &hash, &part.signature));
        peer.say(first.0.request, &answer).await;
        let result = appending.await.unwrap();
        assert_eq!(result.is_ok(), good, "{result:?}");
        assert!(good || is_protocol(&result));
    }
}

#[tokio::test]
async fn a_slots_garbage_is_marked_and_a_broken_sequence_refused() {
    let member = SigningSeed::from_bytes([5; 32]);
    let slot_id = SlotId::from_bytes(member.public());
    let entry = |place: u32, fill: u8, signer: &SigningSeed, relay: &SigningSeed| {
        let hash = slot::payload_hash([cell(fill).as_slice()]);
        let signature = slot::sign_entry(signer, 1, &hash);
        let receipt = slot::sign_receipt(relay, &slot_id, place, &hash);
        (Response::SlotEntry { entry: place, index: 0, count: 1, signature, receipt }, cell(fill))
    };
    let marked = vec![
        entry(0, 1, &identity(), &identity()),
        entry(1, 2, &member, &member),
        entry(2, 3, &member, &identity()),
    ];
    let skipped = vec![entry(1, 1, &member, &identity())];
    for (pushes, standings) in [
        (marked, Some(vec![Standing::NotAMembers, Standing::NoReceipt, Standing::Good])),
        (skipped, None),
        (vec![], Some(vec![])),
    ] {
        let (client, mut acceptor) = client();
        let reading = tokio::spawn(async move { client.slot_read(slot_id).await });
        let mut peer = Peer::meet(&mut acceptor).await;
        let (frame, _) = peer.hear().await;
        for (push, payload) in pushes {
            peer.push(frame.request, &push, payload).await;
        }
        peer.say(frame.request, &Response::End { next: 0, more: false }).await;
        match (reading.await.unwrap(), standings) {
            (Ok(entries), Some(standings)) => {
                let found: Vec<_> = entries.iter().map(|entry| entry.standing).collect();
                assert_eq!(found, standings);
            }
            (result, None) => assert!(is_protocol(&result)),
            (Err(error), Some(_)) => panic!("{error}"),
        }
    }
}

#[tokio::test]
async fn notices_are_checked() {
    let publisher = SigningSeed::from_bytes([5; 32]);
    let notice_id = NoticeId::from_bytes(publisher.public());
    let content = vec![9; 20_000];
    let payloads = notice::to_payloads(&content).unwrap();
    let hash = slot::payload_hash(payloads.iter().map(Vec::as_slice));
    let good = notice::sign(&publisher, 3, 2, &hash);
    let forged = notice::sign(&identity(), 3, 2, &hash);
    for (signature, second, whole) in
        [(good, 1, true), (forged, 1, true), (good, 0, true), (good, 1, false)]
    {
        let (client, mut acceptor) = client();
        let getting = tokio::spawn(async move { client.notice_get(notice_id).await });
        let mut peer = Peer::meet(&mut acceptor).await;
        let (frame, _) = peer.hear().await;
        for (index, payload) in [0, second].into_iter().zip(&payloads) {
            if index == 0 || whole {
                let part = Response::NoticePart { version: 3, index, count: 2, signature };
                peer.push(frame.request, &part, payload.clone()).await;
            }
        }
        peer.say(frame.request, &Response::End { next: 0, more: false }).await;
        let result = getting.await.unwrap();
        if signature == good && second == 1 && whole {
            let notice = result.unwrap().unwrap();
            assert_eq!((notice.version, notice.content), (3, content.clone()));
        } else {
            assert!(is_protocol(&result));
        }
    }
}

#[tokio::test]
async fn arguments_out_of_bounds_never_leave() {
    let (client, _acceptor) = client();
    let owner = owner();
    let invalid = |what| RelayError::Invalid(what);
    assert_eq!(client.create(&owner, 91).await, Err(invalid("the mailbox's life in days")));
    let long = client.read(&owner, RECV, 0, 257).await;
    assert_eq!(long, Err(invalid("the number of cells to read")));
    let (send_id, msg_id) = (SendId::from_bytes([3; 32]), MsgId::from_bytes([1; 16]));
    let short = client.send(&owner, send_id, msg_id, vec![1], false).await;
    assert_eq!(short, Err(invalid("the cell's length")));
    let none = client.slot_append(&identity(), vec![]).await;
    assert_eq!(none, Err(invalid("the number of cells in the entry")));
}
