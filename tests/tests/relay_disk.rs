//! The disk fails under the relay: what was acknowledged is there, what was not was said not to be.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;

use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::id::{Label, MsgId};
use budstikke_proto::op::ErrorCode;
use budstikke_tests::power::shim;
use budstikke_tests::raw::{Raw, RawError, cell};
use budstikke_tests::relay_process::{RelayOptions, RelayProcess, relay_binary};
use rand_core::OsRng;
use rlimit::Resource;

/// What `/readyz` says.
fn ready(admin: SocketAddr) -> String {
    let mut page = TcpStream::connect(admin).unwrap();
    page.write_all(b"GET /readyz HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    page.read_to_string(&mut text).unwrap();
    text
}

/// One sync fails, and all later ones succeed, as a kernel that dropped what it could not write would have it.
#[tokio::test]
async fn after_a_failed_sync_nothing_is_acknowledged_and_the_health_page_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().canonicalize().unwrap();
    let failing = place.join("failing");
    let mut options = RelayOptions::new(&place);
    // A port that nobody else has now.
    let admin = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    options.flags.extend(["--admin-listen".into(), admin.to_string()]);
    options.env.extend([
        ("LD_PRELOAD".to_owned(), shim(&place).unwrap().into()),
        ("DISK_ROOT".to_owned(), place.join("data").into()),
        ("DISK_FAIL_FROM".to_owned(), failing.clone().into()),
        ("DISK_FAIL_SYNC".to_owned(), "1".into()),
    ]);
    let relay = RelayProcess::start(&options);
    let raw = Raw::connect(&relay.address).await.unwrap();
    let mut stream = raw.open().await.unwrap();
    let (owner, sender) = (CapabilityKey::random(&mut OsRng), CapabilityKey::random(&mut OsRng));
    let recv_id = stream.create(&owner, None).await.unwrap();
    let label = Label::random(&mut OsRng);
    let send_id = stream.grant(&owner, recv_id, &sender, label, 4_000, false).await.unwrap();
    stream.send(&sender, send_id, MsgId::random(&mut OsRng), cell(0), None).await.unwrap();
    assert!(ready(admin).starts_with("HTTP/1.1 200"), "{}", ready(admin));

    std::fs::write(&failing, b"").unwrap();
    let names: Vec<_> = (1..5).map(|mark| (MsgId::random(&mut OsRng), mark)).collect();
    for (msg_id, mark) in &names {
        let sent = stream.send(&sender, send_id, *msg_id, cell(*mark), None).await;
        let Err(RawError::Refused(ErrorCode::Storage, 60)) = sent else { panic!("{sent:?}") };
    }
    let page = ready(admin);
    assert!(page.starts_with("HTTP/1.1 503") && page.contains("store"), "{page}");
    let found = stream.read_all(&owner, recv_id).await.unwrap();
    assert_eq!(found.len(), 1, "what is durable is served on, and nothing else");
    relay.kill();

    options.env.clear();
    let relay = RelayProcess::start(&options);
    let raw = Raw::connect(&relay.address).await.unwrap();
    let mut stream = raw.open().await.unwrap();
    for (msg_id, mark) in names {
        stream.send(&sender, send_id, msg_id, cell(mark), None).await.unwrap();
    }
    let found = stream.read_all(&owner, recv_id).await.unwrap();
    assert!((0..5).zip(&found).all(|(mark, it)| it.cell == cell(mark)));
    assert_eq!(found.len(), 5);
}

/// Cells before the disk fails.
const BEFORE: u64 = 100;

#[tokio::test]
async fn a_failing_disk_is_said_and_nothing_acknowledged_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    // A write beyond a limit fails like one on a full disk, as the signal for it is ignored.
    let wrapper = folder.path().join("wrapper");
    let relay = relay_binary().display();
    let script = format!("#!/bin/sh\ntrap '' XFSZ\nexec '{relay}' \"$@\"\n");
    std::fs::write(&wrapper, script).unwrap();
    std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut options = RelayOptions::new(folder.path());
    options.program = Some(wrapper);
    let relay = RelayProcess::start(&options);

    let raw = Raw::connect(&relay.address).await.unwrap();
    let mut stream = raw.open().await.unwrap();
    let (owner, sender) = (CapabilityKey::random(&mut OsRng), CapabilityKey::random(&mut OsRng));
    let recv_id = stream.create(&owner, None).await.unwrap();
    let label = Label::random(&mut OsRng);
    let send_id = stream.grant(&owner, recv_id, &sender, label, 4_000, false).await.unwrap();
    for mark in 0..BEFORE {
        let msg_id = MsgId::random(&mut OsRng);
        stream.send(&sender, send_id, msg_id, cell(mark), None).await.unwrap();
    }
    let pid = relay.pid();
    rlimit::prlimit(pid, Resource::FSIZE, Some((4_096, 4_096)), None).unwrap();
    let failed = (MsgId::random(&mut OsRng), BEFORE);
    // It says so, goes on saying so, and does not pretend.
    for _ in 0..3 {
        let sent = stream.send(&sender, send_id, failed.0, cell(failed.1), None).await;
        let Err(RawError::Refused(ErrorCode::Storage, 60)) = sent else { panic!("{sent:?}") };
    }
    // What is there can be read still.
    let found = stream.read_all(&owner, recv_id).await.unwrap();
    assert_eq!(u64::try_from(found.len()), Ok(BEFORE));
    relay.kill();

    options.program = None;
    let relay = RelayProcess::start(&options);
    let raw = Raw::connect(&relay.address).await.unwrap();
    let mut stream = raw.open().await.unwrap();
    stream.send(&sender, send_id, failed.0, cell(failed.1), None).await.unwrap();
    let found = stream.read_all(&owner, recv_id).await.unwrap();
    assert!((0..=BEFORE).zip(&found).all(|(mark, it)| it.cell == cell(mark)));
    assert_eq!(u64::try_from(found.len()), Ok(BEFORE + 1));
}
