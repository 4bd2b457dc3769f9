//! Blobs by the client crate over real QUIC: sealed, stored, fetched, over lines that break in the middle.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use std::sync::Arc;
use std::time::Duration;

use budstikke::clock::Clock;
use budstikke::relay::{Download, RelayClient, RelayError, RelayOptions};
use budstikke::transport::quic::QuicTransport;
use budstikke::transport::{Transport, TransportError};
use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::blob::{self, BlobKey};
use budstikke_relay::{Config, Relay, testing};
use budstikke_tests::proxy::Proxy;
use budstikke_tests::watched::Watched;
use rand_core::OsRng;

fn client(address: &RelayAddress, way: Arc<dyn Transport>) -> RelayClient {
    RelayClient::new(way, address.clone(), Clock::system())
}

fn direct(relay: &Relay) -> RelayClient {
    client(relay.address(), Arc::new(QuicTransport::default()))
}

fn keys() -> [CapabilityKey; 2] {
    [(); 2].map(|()| CapabilityKey::random(&mut OsRng))
}

#[tokio::test(flavor = "multi_thread")]
async fn content_of_any_length_comes_back_until_its_writer_deletes_it() {
    let config = Config { work_effort: 2, ..testing::memory_config() };
    let relay = Relay::spawn(config).await.unwrap();
    let (writer, reader) = (direct(&relay), direct(&relay));
    for length in [0, 65_493, 1_048_532] {
        let ([fetch, delete], key) = (keys(), BlobKey::random(&mut OsRng));
        let content = vec![7; length];
        let sealed = blob::seal(&content, &key, &mut OsRng).unwrap();
        let mut told = Vec::new();
        let put = writer.blob_put(&fetch, &delete, 30, &sealed, |sent, of| told.push((sent, of)));
        let ids = put.await.unwrap();
        let parts = u32::try_from(sealed.len().div_ceil(15_024)).unwrap();
        assert_eq!(told, (1..=parts).map(|sent| (sent, parts)).collect::<Vec<_>>());
        let again = writer.blob_put(&fetch, &delete, 30, &sealed, |_, _| {}).await;
        assert_eq!(again, Ok(ids), "stored once");
        let mut told = Vec::new();
        let mut download = Download::new();
        let got = reader.blob_get(&fetch, ids.fetch_id, &mut download, |came, of| {
            told.push((came, of));
        });
        let got = got.await.unwrap();
        assert_eq!(told, (1..=parts).map(|came| (came, parts)).collect::<Vec<_>>());
        assert!(*blob::open(&got, &key).unwrap() == content);

        // Another content, another's key, and what is gone.
        let other = blob::seal(b"other", &key, &mut OsRng).unwrap();
        let changed = writer.blob_put(&fetch, &delete, 30, &other, |_, _| {}).await;
        assert_eq!(changed, Err(RelayError::Conflict));
        let mut none = Download::new();
        let refused = reader.blob_get(&delete, ids.fetch_id, &mut none, |_, _| {}).await;
        assert_eq!(refused, Err(RelayError::Refused));
        assert_eq!(writer.blob_delete(&fetch, ids.delete_id).await, Err(RelayError::Refused));
        writer.blob_delete(&delete, ids.delete_id).await.unwrap();
        let gone = reader.blob_get(&fetch, ids.fetch_id, &mut none, |_, _| {}).await;
        assert_eq!(gone, Err(RelayError::Refused));
    }
    let [fetch, delete] = keys();
    for (days, length) in [(0, 65_536), (31, 65_536), (30, 65_535)] {
        let put = writer.blob_put(&fetch, &delete, days, &vec![0; length], |_, _| {}).await;
        assert!(matches!(put, Err(RelayError::Invalid(_))), "{put:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_without_room_says_so() {
    let config = Config { max_blob_mib: 1, ..testing::memory_config() };
    let relay = Relay::spawn(config).await.unwrap();
    let client = direct(&relay);
    let ([fetch, delete], large) = (keys(), vec![1; 1_048_576]);
    client.blob_put(&fetch, &delete, 1, &large, |_, _| {}).await.unwrap();
    let [fetch, delete] = keys();
    let full = client.blob_put(&fetch, &delete, 1, &large, |_, _| {}).await;
    assert!(matches!(full, Err(RelayError::Full { retry_after: Some(_) })), "{full:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_blobs_and_other_requests_pass_side_by_side() {
    let relay = Relay::spawn(testing::memory_config()).await.unwrap();
    let client = direct(&relay);
    let large = vec![1; 1_048_576];
    let put = async || {
        let [fetch, delete] = keys();
        client.blob_put(&fetch, &delete, 1, &large, |_, _| {}).await.unwrap();
    };
    let owner = CapabilityKey::random(&mut OsRng);
    let asked = async {
        for _ in 0..20 {
            client.create(&owner, 30).await.unwrap();
        }
    };
    tokio::join!(put(), put(), put(), put(), put(), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_break_again_and_again_only_cost_time() {
    let relay = Relay::spawn(testing::memory_config()).await.unwrap();
    let watched = Watched::patient();
    let client = client(relay.address(), Arc::new(watched.clone()));
    let ([fetch, delete], content) = (keys(), (0..=255).cycle().take(262_144).collect::<Vec<u8>>());
    let ids = client.blob_put(&fetch, &delete, 1, &content, |_, _| {}).await.unwrap();
    watched.break_streams_after(4);
    let mut told = Vec::new();
    let mut download = Download::new();
    let got = client.blob_get(&fetch, ids.fetch_id, &mut download, |came, _| told.push(came));
    assert!(got.await.unwrap() == content);
    assert_eq!(told, (1..=18).collect::<Vec<_>>(), "nothing came twice");
    // Where nothing comes at all, it is the caller's to decide.
    watched.break_streams_after(0);
    let never = client.blob_get(&fetch, ids.fetch_id, &mut Download::new(), |_, _| {}).await;
    assert_eq!(never, Err(RelayError::Transport(TransportError::Closed)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_goes_silent_in_the_middle_loses_nothing_of_a_fetch() {
    let (proxy, port) = Proxy::start().await;
    let mut config = testing::memory_config();
    config.listen.set_port(port);
    let relay = Relay::spawn(config).await.unwrap();
    let mut address = relay.address().clone();
    address.port = proxy.address.port();
    let client = || {
        let mut options = RelayOptions::default();
        options.request = Duration::from_secs(2);
        let way = Arc::new(QuicTransport::default());
        RelayClient::with_options(way, address.clone(), Clock::system(), options)
    };
    let silent = RelayError::Transport(TransportError::TimedOut);
    let ([fetch, delete], key) = (keys(), BlobKey::random(&mut OsRng));
    let content = (0..=255).cycle().take(1_000_000).collect::<Vec<u8>>();
    let sealed = blob::seal(&content, &key, &mut OsRng).unwrap();

    // A put that broke is repeated whole: under the same keys it is one blob.
    let writer = client();
    proxy.cut_after(400_000);
    let put = writer.blob_put(&fetch, &delete, 1, &sealed, |_, _| {}).await;
    assert_eq!(put, Err(silent.clone()));
    let ids = writer.blob_put(&fetch, &delete, 1, &sealed, |_, _| {}).await.unwrap();

    // A fetch goes on: first on another connection, then in another run of the program.
    let reader = client();
    let mut download = Download::new();
    let mut came = Vec::new();
    for _ in 0..2 {
        proxy.cut_after(400_000);
        let before = download.payloads().len();
        let got = reader.blob_get(&fetch, ids.fetch_id, &mut download, |at, _| came.push(at)).await;
        assert_eq!(got, Err(silent.clone()));
        assert!(download.payloads().len() > before, "it goes on");
    }
    assert!(download.payloads().len() < 70);
    let mut download = Download::resume(download.payloads().to_vec()).unwrap();
    let got = client().blob_get(&fetch, ids.fetch_id, &mut download, |at, _| came.push(at)).await;
    assert!(*blob::open(&got.unwrap(), &key).unwrap() == content);
    assert_eq!(came, (1..=70).collect::<Vec<_>>(), "nothing came twice");
}
