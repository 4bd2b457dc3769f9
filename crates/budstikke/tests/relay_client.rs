//! The relay client against the real relay: real QUIC, a durable store, every operation.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail"
)]

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use budstikke::clock::Clock;
use budstikke::relay::{RelayClient, RelayError, Standing};
use budstikke::transport::TransportError;
use budstikke::transport::quic::QuicTransport;
use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::id::{CancelPk, Label, MsgId, NoticeId, RecvId, RelayId, SendId, SlotId};
use budstikke_proto::limits::CELL_LEN;
use budstikke_proto::notice::MAX_CONTENT_LEN;
use budstikke_proto::sign::SigningSeed;
use budstikke_relay::{Config, Relay, testing};
use tempfile::TempDir;

/// A relay that asks for work, and a client of it.
struct Place {
    folder: TempDir,
    relay: Relay,
    client: RelayClient,
}

fn config(folder: &TempDir) -> Config {
    Config { work_effort: 2, front_door_effort: 2, ..testing::config(folder.path()) }
}

fn client_of(address: &RelayAddress) -> RelayClient {
    RelayClient::new(Arc::new(QuicTransport::default()), address.clone(), Clock::system())
}

async fn place() -> Place {
    let folder = TempDir::new().unwrap();
    let relay = Relay::spawn(config(&folder)).await.unwrap();
    let client = client_of(relay.address());
    Place { folder, relay, client }
}

fn key(byte: u8) -> CapabilityKey {
    CapabilityKey::from_bytes([byte; 32])
}

fn label(byte: u8) -> Label {
    Label::from_bytes([byte; 16])
}

fn msg(byte: u8) -> MsgId {
    MsgId::from_bytes([byte; 16])
}

fn cell(fill: u8) -> Vec<u8> {
    vec![fill; CELL_LEN]
}

/// A mailbox of `key(1)` with an ordinary grant for `key(2)`, of this quota.
async fn mailbox(client: &RelayClient, quota: u32) -> (RecvId, SendId) {
    let recv_id = client.create(&key(1), 30).await.unwrap();
    let pk = key(2).send_pk();
    let send_id = client.grant(&key(1), recv_id, pk, label(2), quota, false).await.unwrap();
    (recv_id, send_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mailbox_from_its_making_to_its_end() {
    let Place { client, folder: _folder, relay: _relay } = place().await;
    let (owner, sender) = (key(1), key(2));
    let (recv_id, send_id) = mailbox(&client, 2).await;
    assert_eq!(client.create(&owner, 30).await, Ok(recv_id), "asked again, found again");
    let pk = sender.send_pk();
    let again = client.grant(&owner, recv_id, pk, label(2), 2, false).await;
    assert_eq!(again, Ok(send_id));

    client.send(&sender, send_id, msg(1), cell(1), false).await.unwrap();
    client.send(&sender, send_id, msg(1), cell(1), false).await.unwrap();
    client.send(&sender, send_id, msg(2), cell(2), false).await.unwrap();
    let full = client.send(&sender, send_id, msg(3), cell(3), false).await.unwrap_err();
    assert!(matches!(full, RelayError::Full { retry_after: Some(_) }) && full.is_retryable());

    let first = client.read(&owner, recv_id, 0, 1).await.unwrap();
    assert_eq!((first.cells.len(), first.more), (1, true));
    assert_eq!((&first.cells[0].cell, first.cells[0].label), (&cell(1), label(2)));
    let rest = client.read(&owner, recv_id, first.next, 256).await.unwrap();
    assert_eq!((rest.cells.len(), rest.more), (1, false));
    assert_eq!(rest.cells[0].cell, cell(2));

    client.trim(&owner, recv_id, first.next).await.unwrap();
    assert_eq!(client.read(&owner, recv_id, 0, 256).await.unwrap().cells, rest.cells);
    client.send(&sender, send_id, msg(3), cell(3), false).await.unwrap();

    client.revoke(&owner, recv_id, send_id).await.unwrap();
    let revoked = client.send(&sender, send_id, msg(4), cell(4), false).await;
    assert_eq!(revoked, Err(RelayError::Refused));
    client.delete(&owner, recv_id).await.unwrap();
    assert_eq!(client.read(&owner, recv_id, 0, 1).await, Err(RelayError::Refused));
    client.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_right_key_opens() {
    let Place { client, folder: _folder, relay: _relay } = place().await;
    let (recv_id, send_id) = mailbox(&client, 8).await;
    let stranger = key(9);
    let refused = Err(RelayError::Refused);
    assert_eq!(client.send(&stranger, send_id, msg(1), cell(1), false).await, refused);
    assert_eq!(client.trim(&stranger, recv_id, 1).await, refused);
    assert_eq!(client.delete(&key(2), recv_id).await, refused);
    assert_eq!(client.read(&stranger, recv_id, 0, 1).await, Err(RelayError::Refused));
    let mut cells = client.subscribe(&stranger, recv_id, 0).await.unwrap();
    assert_eq!(cells.next().await, Err(RelayError::Refused));
    assert_eq!(client.send(&key(2), send_id, msg(1), cell(1), false).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_front_door_takes_work_for_every_cell() {
    let Place { client, folder: _folder, relay: _relay } = place().await;
    let recv_id = client.create(&key(1), 30).await.unwrap();
    let pk = key(2).send_pk();
    let send_id = client.grant(&key(1), recv_id, pk, label(2), 8, true).await.unwrap();
    let unpaid = client.send(&key(2), send_id, msg(1), cell(1), false).await;
    assert_eq!(unpaid, Err(RelayError::WorkRequired));
    for n in 1..=2 {
        client.send(&key(2), send_id, msg(n), cell(n), true).await.unwrap();
    }
    assert_eq!(client.read(&key(1), recv_id, 0, 8).await.unwrap().cells.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_gives_what_waits_and_what_comes_until_the_mailbox_goes() {
    let Place { client, folder: _folder, relay } = place().await;
    let (recv_id, send_id) = mailbox(&client, 64).await;
    let sender = client_of(relay.address());
    sender.send(&key(2), send_id, msg(0), cell(0), false).await.unwrap();
    let mut cells = client.subscribe(&key(1), recv_id, 0).await.unwrap();
    let mut last = 0;
    for n in 0..20 {
        if n > 0 {
            sender.send(&key(2), send_id, msg(n), cell(n), false).await.unwrap();
        }
        let received = cells.next().await.unwrap();
        assert_eq!((&received.cell, received.label), (&cell(n), label(2)));
        assert!(received.seq > last);
        last = received.seq;
    }
    assert_eq!(cells.position(), last);
    client.delete(&key(1), recv_id).await.unwrap();
    assert_eq!(cells.next().await, Err(RelayError::Refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_at_once_lose_nothing() {
    let Place { client, folder: _folder, relay: _relay } = place().await;
    let (recv_id, send_id) = mailbox(&client, 4_096).await;
    let sends: Vec<_> = (0..200u8)
        .map(|n| {
            let client = client.clone();
            tokio::spawn(async move { client.send(&key(2), send_id, msg(n), cell(n), false).await })
        })
        .collect();
    let reads: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.read(&key(1), recv_id, 0, 16).await })
        })
        .collect();
    for send in sends {
        send.await.unwrap().unwrap();
    }
    for read in reads {
        read.await.unwrap().unwrap();
    }
    let page = client.read(&key(1), recv_id, 0, 256).await.unwrap();
    let found: HashSet<u8> = page.cells.iter().map(|it| it.cell[0]).collect();
    assert_eq!((page.cells.len(), found.len(), page.more), (200, 200, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_held_cell_can_be_cancelled_until_its_time() {
    let Place { client, folder: _folder, relay: _relay } = place().await;
    let (recv_id, send_id) = mailbox(&client, 2).await;
    let (sender, canceller) = (key(2), SigningSeed::from_bytes([8; 32]));
    let cancel_pk = CancelPk::from_bytes(canceller.public());
    let minute = Clock::system().now() / 60 * 60;
    let hold = |n, at| client.hold(&sender, send_id, msg(n), cell(n), at, cancel_pk);
    hold(1, minute + 86_400).await.unwrap();
    hold(1, minute + 86_400).await.unwrap();
    assert!(client.read(&key(1), recv_id, 0, 8).await.unwrap().cells.is_empty());
    let other = SigningSeed::from_bytes([9; 32]);
    let refused = Err(RelayError::Refused);
    assert_eq!(client.cancel_held(&other, send_id, msg(1)).await, refused);
    client.cancel_held(&canceller, send_id, msg(1)).await.unwrap();
    assert_eq!(client.cancel_held(&canceller, send_id, msg(1)).await, refused);
    hold(1, minute + 86_400).await.unwrap();
    assert_eq!(client.cancel_held(&canceller, send_id, msg(1)).await, refused, "gone is gone");
    // A time that has come is no reason to wait, and leaves nothing to cancel.
    hold(2, minute).await.unwrap();
    assert_eq!(client.read(&key(1), recv_id, 0, 8).await.unwrap().cells[0].cell, cell(2));
    assert_eq!(client.cancel_held(&canceller, send_id, msg(2)).await, refused);
    let invalid = Err(RelayError::Invalid("the release time"));
    assert_eq!(hold(3, minute + 1).await, invalid);
    assert_eq!(hold(3, 0).await, invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slot_puts_racing_members_in_one_order() {
    let Place { client, folder: _folder, relay } = place().await;
    let member = SigningSeed::from_bytes([5; 32]);
    let slot_id = SlotId::from_bytes(member.public());
    assert!(client.slot_read(slot_id).await.unwrap().is_empty());
    let other = client_of(relay.address());
    let (one, two) = tokio::join!(
        client.slot_append(&member, vec![cell(1)]),
        other.slot_append(&member, (2..6).map(cell).collect()),
    );
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.entry + two.entry, 1, "places 0 and 1");
    let again = client.slot_append(&member, vec![cell(1)]).await.unwrap();
    assert_eq!(again, one, "the same entry has one place");
    let entries = client.slot_read(slot_id).await.unwrap();
    assert_eq!(entries, other.slot_read(slot_id).await.unwrap());
    assert!(entries.iter().all(|entry| entry.standing == Standing::Good));
    let place = usize::try_from(two.entry).unwrap();
    assert_eq!(entries[place].cells, (2..6).map(cell).collect::<Vec<_>>());
    assert_eq!(entries[place].hash, two.hash);
    for n in 7..9 {
        client.slot_append(&member, vec![cell(n)]).await.unwrap();
    }
    let full = client.slot_append(&member, vec![cell(9)]).await.unwrap_err();
    assert_eq!(full, RelayError::Full { retry_after: None });
    assert!(!full.is_retryable());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_only_ever_gets_newer() {
    let Place { client, folder: _folder, relay: _relay } = place().await;
    let publisher = SigningSeed::from_bytes([6; 32]);
    let notice_id = NoticeId::from_bytes(publisher.public());
    assert_eq!(client.notice_get(notice_id).await, Ok(None));
    let longest = vec![7; MAX_CONTENT_LEN];
    client.notice_put(&publisher, 2, &longest).await.unwrap();
    let notice = client.notice_get(notice_id).await.unwrap().unwrap();
    assert_eq!((notice.version, notice.content), (2, longest));
    client.notice_put(&publisher, 3, b"").await.unwrap();
    client.notice_put(&publisher, 3, b"").await.unwrap();
    for (version, content) in [(3, b"else".as_slice()), (1, b"old")] {
        let older = client.notice_put(&publisher, version, content).await;
        assert_eq!(older, Err(RelayError::Conflict));
    }
    let notice = client.notice_get(notice_id).await.unwrap().unwrap();
    assert_eq!((notice.version, notice.content), (3, vec![]));
    let long = client.notice_put(&publisher, 4, &vec![0; MAX_CONTENT_LEN + 1]).await;
    assert_eq!(long, Err(RelayError::Invalid("the notice's length")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_restarts_is_found_again() {
    let Place { client, folder, relay } = place().await;
    let (recv_id, send_id) = mailbox(&client, 8).await;
    client.send(&key(2), send_id, msg(1), cell(1), false).await.unwrap();
    let mut cells = client.subscribe(&key(1), recv_id, 0).await.unwrap();
    cells.next().await.unwrap();
    let listen = relay.local_addr();
    relay.shutdown().await;
    let error = cells.next().await.unwrap_err();
    assert!(error.is_retryable(), "{error}");

    let again = Relay::spawn(Config { listen, ..config(&folder) }).await.unwrap();
    assert_eq!(again.address(), client.address());
    let page = client.read(&key(1), recv_id, 0, 8).await.unwrap();
    assert_eq!(page.cells.len(), 1);
    let mut cells = client.subscribe(&key(1), recv_id, cells.position()).await.unwrap();
    client.send(&key(2), send_id, msg(2), cell(2), false).await.unwrap();
    assert_eq!(cells.next().await.unwrap().cell, cell(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_relay_at_the_address_gets_nothing() {
    let Place { folder: _folder, relay, client: _ } = place().await;
    let address = RelayAddress { id: RelayId::from_bytes([0; 32]), ..relay.address().clone() };
    let result = client_of(&address).create(&key(1), 30).await;
    assert_eq!(result, Err(RelayError::Transport(TransportError::WrongRelay)));
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_leaves_no_task_behind_and_says_goodbye() {
    let Place { client, folder: _folder, relay } = place().await;
    let (recv_id, _) = mailbox(&client, 8).await;
    let mut cells = client.subscribe(&key(1), recv_id, 0).await.unwrap();
    tokio::time::timeout(Duration::from_secs(3), client.close()).await.unwrap();
    assert_eq!(cells.next().await, Err(RelayError::ClientClosed));
    // With its clients gone the relay has nothing under way.
    assert!(relay.shutdown().await);
}
