//! Blobs.

use super::*;

/// A blob's frames, to be sent with one request number.
pub(super) fn blob_frames(
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
    let Mutation::BlobPut { fetch_id, delete_id, blob, .. } = mutation else { panic!("no blob") };
    assert_eq!((blob.payloads.len(), blob.ttl_days, blob.size), (5, 30, BlobSize::Small));
    assert_eq!(bench.stream.unfinished(), None);
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
            assert_eq!(bench.session.rooms.free()[0], 0);
        }
        let actions = bench.feed(next);
        let [Action::Write(frame) | Action::Refuse(frame), Action::Close] = &actions[..] else {
            panic!("the stream goes on")
        };
        let answer = Response::decode(&frame.op);
        assert_eq!(answer, Ok(Response::Error { code: wanted, retry_after_s: 0 }));
        assert_eq!(matches!(actions[0], Action::Refuse(_)), wanted == ErrorCode::Refused);
        assert_eq!(bench.session.rooms.free()[0], 1);
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
    assert_eq!(bench.session.rooms.free()[0], 1, "nothing of it is kept");
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
