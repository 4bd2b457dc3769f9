//! Blobs on the real relay: three sizes and no other, written once, fetched from anywhere, gone when deleted.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

use std::time::Duration;

use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::blob::{self, BlobSize};
use budstikke_proto::id::{DeleteId, FetchId};
use budstikke_proto::limits::CELL_LEN;
use budstikke_proto::op::{BlobHead, ErrorCode, Request};
use budstikke_proto::work::Purpose;
use budstikke_relay::{Config, Relay, testing};
use budstikke_tests::raw::{Raw, RawError, RawStream};
use budstikke_tests::relay_process::{RelayOptions, RelayProcess};
use rand_core::{OsRng, RngCore};
use tokio::time::timeout;

async fn connect(relay: &Relay) -> (Raw, RawStream) {
    let raw = Raw::connect(relay.address()).await.unwrap();
    let stream = raw.open().await.unwrap();
    (raw, stream)
}

fn keys() -> [CapabilityKey; 2] {
    [(); 2].map(|()| CapabilityKey::random(&mut OsRng))
}

fn content(size: BlobSize) -> Vec<u8> {
    let mut content = vec![0; usize::try_from(size.bytes()).unwrap()];
    OsRng.fill_bytes(&mut content);
    content
}

fn joined(size: BlobSize, payloads: &[Vec<u8>]) -> Vec<u8> {
    blob::from_payloads(size, payloads.iter().map(Vec::as_slice)).unwrap()
}

#[track_caller]
fn assert_code<T: std::fmt::Debug>(answer: Result<T, RawError>, wanted: ErrorCode) {
    match answer {
        Err(RawError::Refused(code, _)) => assert_eq!(code, wanted),
        other => panic!("{other:?} instead of {wanted:?}"),
    }
}

#[tokio::test]
async fn a_blob_survives_sigkill_and_a_broken_fetch_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = RelayOptions::new(folder.path());
    let relay = RelayProcess::start(&options);
    options.port = relay.address.port;
    let address = relay.address.clone();
    let raw = Raw::connect(&address).await.unwrap();
    let mut stream = raw.open().await.unwrap();
    let mut blobs = Vec::new();
    for size in BlobSize::ALL {
        let ([fetch, delete], content) = (keys(), content(size));
        let ids = stream.blob_put(&fetch, &delete, &content, None).await.unwrap();
        let again = stream.blob_put(&fetch, &delete, &content, None).await.unwrap();
        assert_eq!(again, ids, "idempotent");
        blobs.push((size, fetch, delete, content, ids));
    }
    // One is under way when the relay dies, and one fetch.
    let [fetch, delete] = keys();
    let (size, payloads) = blob::to_payloads(&content(BlobSize::Large)).unwrap();
    let hash = blob::hash(payloads.iter().map(Vec::as_slice));
    let (fetch_pk, delete_pk) = (fetch.fetch_pk(), delete.delete_pk());
    let head = BlobHead { fetch_pk, delete_pk, size, ttl_days: 30, hash };
    let number = stream.number();
    for (index, payload) in (0..40).zip(payloads) {
        let put = Request::BlobPut { head, index, work: None };
        let frame = stream.frame(number, &put, Some(&delete), Some(payload));
        stream.write(&frame).await.unwrap();
    }
    let mut fetching = raw.open().await.unwrap();
    let (_, reader, _, _, (fetch_id, _)) = &blobs[2];
    let get = Request::BlobGet { fetch_id: *fetch_id, first: 0, count: 70 };
    fetching.start(&get, Some(reader), None).await.unwrap();
    let mut begun = Vec::new();
    for _ in 0..23 {
        begun.push(fetching.next().await.unwrap().0.payload.unwrap());
    }
    relay.kill();
    drop((raw, stream, fetching));

    let relay = RelayProcess::start(&options);
    let raw = Raw::connect(&address).await.unwrap();
    let mut stream = raw.open().await.unwrap();
    let (rest, count, more) = stream.blob_get(reader, *fetch_id, 23, 70).await.unwrap();
    assert_eq!((rest.len(), count, more), (47, 70, false));
    begun.extend(rest);
    assert!(joined(BlobSize::Large, &begun) == blobs[2].3);
    for (size, fetch, delete, content, (fetch_id, delete_id)) in &blobs {
        let (payloads, count, more) = stream.blob_get(fetch, *fetch_id, 0, 70).await.unwrap();
        assert_eq!((count, more), (size.parts(), false));
        assert!(joined(*size, &payloads) == *content);
        // Never another content, and nobody else's to delete.
        let mut other = content.clone();
        other[0] ^= 1;
        let changed = stream.blob_put(fetch, delete, &other, None).await;
        assert_code(changed, ErrorCode::Conflict);
        assert_code(stream.blob_delete(fetch, *delete_id).await, ErrorCode::Refused);
        assert_code(stream.blob_get(delete, *fetch_id, 0, 1).await, ErrorCode::Refused);
        stream.blob_delete(delete, *delete_id).await.unwrap();
        assert_code(stream.blob_delete(delete, *delete_id).await, ErrorCode::Refused);
        assert_code(stream.blob_get(fetch, *fetch_id, 0, 1).await, ErrorCode::Refused);
    }
    assert_eq!(relay.stop().code(), Some(0));
}

#[tokio::test]
async fn parts_come_as_asked_and_ids_are_nobodys_guess() {
    let relay = Relay::spawn(testing::memory_config()).await.unwrap();
    let (_raw, mut stream) = connect(&relay).await;
    let ([fetch, delete], content) = (keys(), content(BlobSize::Medium));
    let (fetch_id, _) = stream.blob_put(&fetch, &delete, &content, None).await.unwrap();
    for (first, wanted, found, left) in [(0, 1, 1, true), (17, 1, 1, false), (5, 13, 13, false)] {
        let (payloads, count, more) =
            stream.blob_get(&fetch, fetch_id, first, wanted).await.unwrap();
        assert_eq!((payloads.len(), count, more), (found, 18, left));
    }
    let (payloads, _, more) = stream.blob_get(&fetch, fetch_id, 18, 5).await.unwrap();
    assert_eq!((payloads.len(), more), (0, false));
    let [unknown, _] = keys();
    let random = FetchId::random(&mut OsRng);
    assert_code(stream.blob_get(&fetch, random, 0, 1).await, ErrorCode::Refused);
    assert_code(stream.blob_get(&unknown, fetch_id, 0, 1).await, ErrorCode::Refused);
    let random = DeleteId::random(&mut OsRng);
    assert_code(stream.blob_delete(&delete, random).await, ErrorCode::Refused);
    let beyond = Request::BlobGet { fetch_id, first: 70, count: 1 };
    assert_code(stream.ask(&beyond, Some(&fetch), None).await, ErrorCode::Malformed);
}

#[tokio::test]
async fn strangers_pay_for_a_blob_and_the_relay_has_a_ceiling() {
    let config = Config { work_effort: 2, max_blob_mib: 1, ..testing::memory_config() };
    let relay = Relay::spawn(config).await.unwrap();
    let (_raw, mut stream) = connect(&relay).await;
    let ([fetch, delete], large) = (keys(), content(BlobSize::Large));
    let unpaid = stream.blob_put(&fetch, &delete, &large, None).await;
    assert_code(unpaid, ErrorCode::WorkRequired);
    let work = stream.work(&Purpose::Blob(fetch.public())).await.unwrap();
    let (_, delete_id) = stream.blob_put(&fetch, &delete, &large, Some(work)).await.unwrap();
    let [other, writer] = keys();
    let small = content(BlobSize::Small);
    let reused = stream.blob_put(&other, &writer, &small, Some(work)).await;
    assert_code(reused, ErrorCode::WorkRequired);
    let work = stream.work(&Purpose::Blob(other.public())).await.unwrap();
    let full = stream.blob_put(&other, &writer, &small, Some(work)).await;
    assert!(matches!(full, Err(RawError::Refused(ErrorCode::Full, 60))));
    stream.blob_delete(&delete, delete_id).await.unwrap();
    let work = stream.work(&Purpose::Blob(other.public())).await.unwrap();
    stream.blob_put(&other, &writer, &small, Some(work)).await.unwrap();
}

#[tokio::test]
async fn only_so_many_blobs_are_under_way_and_a_client_that_leaves_frees_its_place() {
    let relay = Relay::spawn(testing::memory_config()).await.unwrap();
    let ([fetch, delete], small) = (keys(), content(BlobSize::Small));
    let (size, payloads) = blob::to_payloads(&small).unwrap();
    let hash = blob::hash(payloads.iter().map(Vec::as_slice));
    let (fetch_pk, delete_pk) = (fetch.fetch_pk(), delete.delete_pk());
    let head = BlobHead { fetch_pk, delete_pk, size, ttl_days: 30, hash };
    let mut held = Vec::new();
    for _ in 0..8 {
        let raw = Raw::connect(relay.address()).await.unwrap();
        let mut streams = Vec::new();
        for _ in 0..8 {
            let mut stream = raw.open().await.unwrap();
            let number = stream.number();
            let put = Request::BlobPut { head, index: 0, work: None };
            let frame = stream.frame(number, &put, Some(&delete), Some(vec![1; CELL_LEN]));
            stream.write(&frame).await.unwrap();
            streams.push(stream);
        }
        held.push((raw, streams));
    }
    let (_raw, mut stream) = connect(&relay).await;
    let busy = async {
        loop {
            match stream.blob_put(&fetch, &delete, &small, None).await {
                Err(RawError::Refused(ErrorCode::Busy, 5)) => return,
                // The others' first frames are on their way still.
                Ok((_, delete_id)) => stream.blob_delete(&delete, delete_id).await.unwrap(),
                other => panic!("{other:?}"),
            }
        }
    };
    timeout(Duration::from_secs(10), busy).await.expect("64 are under way");
    drop(held);
    let free = async { while stream.blob_put(&fetch, &delete, &small, None).await.is_err() {} };
    timeout(Duration::from_secs(10), free).await.expect("they left");
}
