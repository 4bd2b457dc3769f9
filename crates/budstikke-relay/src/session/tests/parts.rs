//! Slot entries and notices: requests of several frames.

use super::*;

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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

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

/// A notice's frames, all of one request.
fn notice_frames(bench: &mut Bench, version: u64, count: u32) -> Vec<Frame> {
    let key = SigningSeed::from_bytes([4; 32]);
    let notice_id = NoticeId::from_bytes(key.public());
    let payload = || vec![3; CELL_LEN];
    let hash = slot::payload_hash(vec![payload(); count as usize].iter().map(Vec::as_slice));
    let signature = notice::sign(&key, version, count, &hash);
    bench.request += 1;
    let number = bench.request;
    let put = |index| {
        let part = Part { index, count, signature };
        let put = Request::NoticePut { notice_id, version, part, work: None };
        put.into_frame(number, [0; TAG_LEN], Some(payload()))
    };
    (0..count).map(put).collect()
}

/// Another stream of the same session.
fn another(bench: &mut Bench) -> Stream {
    let first = std::mem::take(&mut bench.stream);
    bench.ask(&Request::Open, None, None);
    first
}

/// Another session of the same relay.
fn another_session(bench: &Bench) -> Bench {
    let (epoch, prices) = (Arc::clone(&bench.session.epoch), Arc::clone(&bench.session.prices));
    let rooms = Arc::clone(&bench.session.rooms);
    let session = Session::new(epoch, NONCE, [4; 32], prices, rooms);
    let mut bench = Bench { session, stream: Stream::default(), request: 0 };
    bench.ask(&Request::Open, None, None);
    bench
}

fn finish(bench: &mut Bench, frames: &[Frame]) -> Vec<Action> {
    let mut last = Vec::new();
    for frame in frames {
        assert!(last.is_empty(), "answered before the end");
        last = bench.feed(frame);
    }
    last
}

#[test]
fn what_a_session_begins_and_does_not_end_is_bounded() {
    let mut bench = Bench::open(0);
    let mut begun = Vec::new();
    for version in 0..UNFINISHED_OF_SESSION {
        let frames = notice_frames(&mut bench, version as u64, 2);
        assert!(bench.feed(&frames[0]).is_empty());
        assert_eq!(bench.stream.unfinished(), Some(Unfinished::Part));
        begun.push((another(&mut bench), frames));
    }
    // One more is read to its end, kept nowhere, and told to come again; what needs one frame is not concerned.
    let frames = notice_frames(&mut bench, 9, 3);
    let busy = finish(&mut bench, &frames);
    assert_eq!(written(&busy), Response::Error { code: ErrorCode::Busy, retry_after_s: 5 });
    assert_eq!(bench.session.rooms.free(), [1, 2, 8]);
    let frames = notice_frames(&mut bench, 9, 1);
    assert!(matches!(finish(&mut bench, &frames)[..], [Action::Submit(..)]));
    // Another session has room, those that ended give theirs back, and so do streams that are cut.
    let mut other = another_session(&bench);
    let frames = notice_frames(&mut other, 9, 2);
    assert!(matches!(finish(&mut other, &frames)[..], [Action::Submit(..)]));
    let (stream, frames) = begun.pop().unwrap();
    bench.stream = stream;
    assert!(matches!(finish(&mut bench, &frames[1..])[..], [Action::Submit(..)]));
    assert_eq!(bench.session.rooms.free(), [1, 3, 9]);
    drop(begun);
    assert_eq!(bench.session.rooms.free(), [1, 6, 12]);
}

#[test]
fn what_all_sessions_hold_is_bounded_by_number_and_bytes_until_it_is_stored() {
    let mut benches = vec![Bench::open(0)];
    benches.push(another_session(&benches[0]));
    let mut begun = Vec::new();
    for number in 0..6 {
        let bench = &mut benches[number % 2];
        let frames = notice_frames(bench, 1, 2);
        assert!(bench.feed(&frames[0]).is_empty());
        begun.push(another(bench));
    }
    let bench = &mut benches[1];
    assert_eq!(bench.session.rooms.free(), [1, 0, 6]);
    let frames = notice_frames(bench, 1, 2);
    assert_eq!(code(&finish(bench, &frames)), ErrorCode::Busy, "six have begun");
    drop(begun);
    // A request holds what came of it, not what it announced; and holds it until it is stored.
    let frames = notice_frames(bench, 1, 8);
    let (ticket, _) = submitted(finish(bench, &frames));
    assert_eq!(bench.session.rooms.free(), [1, 6, 4]);
    let next = notice_frames(bench, 2, 5);
    assert!(finish(bench, &next[..4]).is_empty());
    assert_eq!(bench.session.rooms.free(), [1, 5, 0]);
    assert_eq!(code(&bench.feed(&next[4])), ErrorCode::Busy);
    assert_eq!(bench.session.rooms.free(), [1, 6, 4]);
    bench.input(Input::Stored(ticket, Ok(Outcome::Done)));
    assert_eq!(bench.session.rooms.free(), [1, 6, 12]);
    let next = notice_frames(bench, 2, 12);
    assert!(matches!(finish(bench, &next)[..], [Action::Submit(..)]));
}
