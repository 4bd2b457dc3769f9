//! `budstikke-relay inspect`: the operator's view of the store, without the store key, and nothing else to see in it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::id::{Label, MsgId};
use budstikke_proto::sign::SigningSeed;
use budstikke_tests::raw::{Raw, cell, now};
use budstikke_tests::relay_process::{RelayOptions, RelayProcess, relay_binary};
use budstikke_tests::scan::{Secret, scan_bytes};
use rand_core::{OsRng, RngCore};
use serde_json::Value;

fn inspect(folder: &Path, flags: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(relay_binary())
        .env_clear()
        .env("HOME", folder)
        .args(["inspect", "--data-dir"])
        .arg(folder.join("data"))
        .args(flags)
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Names of all fields, however deep; every leaf must be a number, or a day in the field of that name.
fn fields(value: &Value, within: &str, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                names.insert(name.clone());
                fields(value, name, names);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| fields(value, within, names)),
        Value::String(text) => {
            let day =
                text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
            assert!(within == "last_day" && day, "{within}: {text}");
        }
        other => assert!(other.is_u64(), "{within}: {other}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sees_counts_days_and_sizes_and_needs_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let none = inspect(folder.path(), &[]);
    assert_eq!(none.0, Some(74));
    assert!(none.2.contains("there is no store"), "{}", none.2);
    assert!(!folder.path().join("data").exists(), "looking makes nothing");

    let relay = RelayProcess::start(&RelayOptions::new(folder.path()));
    let raw = Raw::connect(&relay.address).await.unwrap();
    let mut stream = raw.open().await.unwrap();
    let mut secrets = Vec::new();
    let mut seed = [0; 32];
    OsRng.fill_bytes(&mut seed);
    let key = SigningSeed::from_bytes(seed);
    for _ in 0..3 {
        let [owner, sender] = [(); 2].map(|()| CapabilityKey::random(&mut OsRng));
        let label = Label::random(&mut OsRng);
        let recv_id = stream.create(&owner, None).await.unwrap();
        let send_id = stream.grant(&owner, recv_id, &sender, label, 9, false).await.unwrap();
        for mark in 0..4 {
            let msg_id = MsgId::random(&mut OsRng);
            stream.send(&sender, send_id, msg_id, cell(mark), None).await.unwrap();
        }
        let when = (now() / 60 * 60 + 86_400, &key);
        let msg_id = MsgId::random(&mut OsRng);
        stream.hold(&sender, send_id, msg_id, cell(9), when).await.unwrap();
        secrets.push(Secret::new("recv_id", recv_id.as_bytes()));
        secrets.push(Secret::new("send_id", send_id.as_bytes()));
        secrets.push(Secret::new("label", label.as_bytes()));
        secrets.push(Secret::new("msg_id", msg_id.as_bytes()));
    }
    stream.slot_append(&key, &[cell(1), cell(2)], None).await.unwrap();
    stream.notice_put(&key, 1, &vec![7; 20_000], None).await.unwrap();
    let [fetch, delete] = [(); 2].map(|()| CapabilityKey::random(&mut OsRng));
    stream.blob_put(&fetch, &delete, &vec![7; 65_536], None).await.unwrap();
    secrets.push(Secret::new("slot or notice", key.public()));

    let busy = inspect(folder.path(), &["--json"]);
    assert_eq!(busy.0, Some(74));
    assert!(busy.2.contains("stop the relay first") && busy.1.is_empty(), "{}", busy.2);
    drop((raw, stream));
    assert_eq!(relay.stop().code(), Some(0));
    std::fs::remove_file(folder.path().join("keys/store.key")).unwrap();
    std::fs::remove_file(folder.path().join("data/relay.keys")).unwrap();

    let (code, text, errors) = inspect(folder.path(), &["--json"]);
    assert_eq!(code, Some(0), "{errors}");
    let found: Value = serde_json::from_str(&text).unwrap();
    let total = &found["total"];
    for (name, wanted) in [
        ("mailboxes", 3),
        ("grants", 3),
        ("cells", 12),
        ("held_cells", 3),
        ("message_names", 15),
        ("slots", 1),
        ("notices", 1),
        ("blobs", 1),
        ("payload_bytes", (12 + 3 + 2 + 2 + 5) * 15_024),
    ] {
        assert_eq!(total[name], wanted, "{name} in {text}");
    }
    assert!(found["disk_bytes"].as_u64().unwrap() > 24 * 15_024, "{text}");
    // The held cells' day, the mailboxes' and the blob's, the names of held ones, the records'.
    // More if this ran over midnight.
    assert!(found["days"].as_array().unwrap().len() >= 4, "{text}");
    let mut names = BTreeSet::new();
    fields(&found, "", &mut names);
    let known = [
        "days",
        "last_day",
        "total",
        "disk_bytes",
        "mailboxes",
        "grants",
        "cells",
        "held_cells",
        "message_names",
        "slots",
        "notices",
        "blobs",
        "spent_tokens",
        "payload_bytes",
    ];
    assert_eq!(names, known.map(String::from).into());
    let (code, table, _) = inspect(folder.path(), &[]);
    assert_eq!(code, Some(0));
    assert!(table.contains("without the store key") && table.lines().count() > 8, "{table}");
    println!("{table}");
    for (place, bytes) in [("the table", table.as_bytes()), ("the object", text.as_bytes())] {
        assert_eq!(scan_bytes(place, bytes, &secrets), Vec::<String>::new());
    }

    // Every file against its checksum, as little in need of a key.
    let (code, text, _) = inspect(folder.path(), &["--check"]);
    assert_eq!((code, text.lines().count()), (Some(0), 1), "{text}");
    let journal = folder.path().join("data/store/0.jnl");
    let mut bytes = std::fs::read(&journal).unwrap();
    bytes[20_000] ^= 1;
    std::fs::write(&journal, bytes).unwrap();
    let (code, text, errors) = inspect(folder.path(), &["--check"]);
    assert_eq!((code, text.as_str()), (Some(74), "damaged: 0.jnl\n"), "{errors}");
    let (code, _, errors) = inspect(folder.path(), &[]);
    assert_eq!(code, Some(74));
    assert!(errors.contains("the file 0.jnl of the store is damaged"), "{errors}");
}
