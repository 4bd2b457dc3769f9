//! What the relay's disk, log and metrics hold after everything was done to it: no id, no key, no cell, no address.
//! And how the program answers its operator.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests fail loudly"
)]

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;

use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::id::{Label, MsgId, NoticeId, SlotId};
use budstikke_proto::limits::CELL_LEN;
use budstikke_proto::sign::SigningSeed;
use budstikke_tests::raw::{Raw, RawStream, now};
use budstikke_tests::relay_process::{RelayOptions, RelayProcess, relay_binary};
use budstikke_tests::scan::{Secret, scan_bytes, scan_folder};
use rand_core::{OsRng, RngCore};

/// Random bytes, so that finding them is no accident.
fn random_cell() -> Vec<u8> {
    let mut cell = vec![0; CELL_LEN];
    OsRng.fill_bytes(&mut cell);
    cell
}

fn random_seed() -> SigningSeed {
    let mut seed = [0; 32];
    OsRng.fill_bytes(&mut seed);
    SigningSeed::from_bytes(seed)
}

/// Does everything once, and answers what nobody may find afterwards.
async fn use_everything(raw: &Raw, stream: &mut RawStream, secrets: &mut Vec<Secret>) {
    let [owner, sender, door] = [(); 3].map(|()| CapabilityKey::random(&mut OsRng));
    let label = Label::random(&mut OsRng);
    let recv_id = stream.create(&owner, None).await.unwrap();
    let send_id = stream.grant(&owner, recv_id, &sender, label, 50, false).await.unwrap();
    let door_id = stream.grant(&owner, recv_id, &door, label, 50, true).await.unwrap();
    let mut listening = raw.open().await.unwrap();
    listening.subscribe(&owner, recv_id, 0).await.unwrap();
    for _ in 0..20 {
        let (msg_id, cell) = (MsgId::random(&mut OsRng), random_cell());
        stream.send(&sender, send_id, msg_id, cell.clone(), None).await.unwrap();
        listening.next_cell().await.unwrap();
        secrets.push(Secret::new("msg_id", msg_id.as_bytes()));
        secrets.push(Secret::new("cell", &cell[..32]));
        secrets.push(Secret::new("cell's middle", &cell[7_000..7_032]));
    }
    let canceller = random_seed();
    let day = now() / 60 * 60 + 86_400;
    for cancelled in [false, true] {
        let (msg_id, cell) = (MsgId::random(&mut OsRng), random_cell());
        let when = (day, &canceller);
        stream.hold(&sender, send_id, msg_id, cell.clone(), when).await.unwrap();
        if cancelled {
            stream.cancel(&canceller, send_id, msg_id).await.unwrap();
            assert!(stream.cancel(&canceller, send_id, msg_id).await.is_err());
        }
        secrets.push(Secret::new("held msg_id", msg_id.as_bytes()));
        secrets.push(Secret::new("held cell", &cell[..32]));
    }
    secrets.push(Secret::new("cancel_pk", canceller.public()));
    secrets.push(Secret::new("release time", day.to_be_bytes()));
    secrets.push(Secret::new("release time", day.to_le_bytes()));
    let cells = stream.read_all(&owner, recv_id).await.unwrap();
    stream.trim(&owner, recv_id, cells[9].seq).await.unwrap();
    stream.revoke(&owner, recv_id, door_id).await.unwrap();
    // Refusals and malformed frames are the likeliest to be logged.
    assert!(stream.revoke(&owner, recv_id, door_id).await.is_err());
    assert!(stream.read(&sender, recv_id, 0, 1).await.is_err());
    let mut noise = raw.open().await.unwrap();
    noise.send.write_all(&random_cell()).await.unwrap();
    assert!(noise.next().await.is_ok());

    let (fetch, delete) = (CapabilityKey::random(&mut OsRng), CapabilityKey::random(&mut OsRng));
    let mut chunk = vec![0; 65_536];
    OsRng.fill_bytes(&mut chunk);
    let (fetch_id, delete_id) = stream.blob_put(&fetch, &delete, &chunk, None).await.unwrap();
    stream.blob_get(&fetch, fetch_id, 0, 5).await.unwrap();
    assert!(stream.blob_delete(&fetch, delete_id).await.is_err());
    secrets.extend([
        Secret::new("fetch_id", fetch_id.as_bytes()),
        Secret::new("delete_id", delete_id.as_bytes()),
        Secret::new("fetch_pk", fetch.public()),
        Secret::new("delete_pk", delete.public()),
        Secret::new("blob", &chunk[..32]),
        Secret::new("blob's end", &chunk[65_504..]),
    ]);
    let key = random_seed();
    let (entry, content) = (random_cell(), random_cell());
    stream.slot_append(&key, std::slice::from_ref(&entry), None).await.unwrap();
    stream.slot_read(SlotId::from_bytes(key.public())).await.unwrap();
    stream.notice_put(&key, 1, &content, None).await.unwrap();
    stream.notice_get(NoticeId::from_bytes(key.public())).await.unwrap();
    secrets.extend([
        Secret::new("recv_id", recv_id.as_bytes()),
        Secret::new("send_id", send_id.as_bytes()),
        Secret::new("door's send_id", door_id.as_bytes()),
        Secret::new("recv_pk", owner.public()),
        Secret::new("send_pk", sender.public()),
        Secret::new("label", label.as_bytes()),
        Secret::new("slot or notice id", key.public()),
        Secret::new("slot entry", &entry[..32]),
        Secret::new("notice", &content[..32]),
    ]);
}

fn get(admin: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(admin).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn disk_log_and_metrics_hold_nothing_of_anybody() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("relay.log");
    let admin = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let mut options = RelayOptions::new(folder.path());
    options.log = Some(log.clone());
    let more = ["--log-level", "trace", "--admin-listen", &admin.to_string()].map(String::from);
    options.flags.extend(more);
    let relay = RelayProcess::start(&options);
    let raw = Raw::connect(&relay.address).await.unwrap();
    let mut stream = raw.open().await.unwrap();
    let mut secrets = Vec::new();
    use_everything(&raw, &mut stream, &mut secrets).await;
    secrets.push(Secret::new("epoch key", stream.descriptor().epoch_pk));
    let client = raw.local_addr().to_string();
    let spoken = [
        Secret::new("client address", &client),
        Secret::new("client port", client.rsplit(':').next().unwrap_or_default()),
        Secret::new("an IP address", "127.0.0.1"),
    ];
    assert!(get(admin, "/livez").starts_with("HTTP/1.1 200"));
    assert!(get(admin, "/readyz").starts_with("HTTP/1.1 200"));
    let metrics = get(admin, "/metrics");
    assert!(metrics.contains("budstikke_connections_total"), "{metrics}");
    drop((raw, stream));
    assert_eq!(relay.stop().code(), Some(0));

    let text = std::fs::read(&log).unwrap();
    let lines = String::from_utf8_lossy(&text);
    assert!(lines.contains("serving") && lines.contains("TRACE"), "the log was on: {lines}");
    for (place, bytes) in [("the log", text.as_slice()), ("the metrics", metrics.as_bytes())] {
        assert_eq!(scan_bytes(place, bytes, &secrets), Vec::<String>::new());
        assert_eq!(scan_bytes(place, bytes, &spoken[..2]), Vec::<String>::new());
    }
    assert_eq!(scan_bytes("the log", &text, &spoken), Vec::<String>::new());
    let data = folder.path().join("data");
    assert_eq!(scan_folder(&data, &secrets).unwrap(), Vec::<String>::new());
    let store_key = std::fs::read_to_string(folder.path().join("keys/store.key")).unwrap();
    let store_key = data_encoding::HEXLOWER.decode(store_key.trim().as_bytes()).unwrap();
    let store_key = [Secret::new("store key", store_key)];
    assert_eq!(scan_folder(&data, &store_key).unwrap(), Vec::<String>::new());

    // The search finds what is there: planted in every form.
    let planted = &secrets[0];
    std::fs::write(data.join("planted"), [b"x".as_slice(), &planted.bytes, b"x"].concat()).unwrap();
    let written = data_encoding::BASE32_NOPAD.encode(&secrets[1].bytes);
    std::fs::write(data.join("planted.txt"), format!("id={written};")).unwrap();
    assert_eq!(scan_folder(&data, &secrets).unwrap().len(), 2);
}

fn run(folder: &Path, flags: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(relay_binary())
        .env_clear()
        .env("HOME", folder)
        .args(["--listen", "127.0.0.1:0", "--data-dir"])
        .arg(folder.join("data"))
        .args(flags)
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_program_says_in_one_sentence_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let inside = format!("file:{}", folder.path().join("data/store.key").display());
    let config = folder.path().join("relay.toml");
    std::fs::write(&config, "max_ttl_days = 91\n").unwrap();
    let config = config.to_str().unwrap();
    let unknown = folder.path().join("unknown.toml");
    std::fs::write(&unknown, "max_tll_days = 9\n").unwrap();
    let taken = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for (flags, code, sentence) in [
        (vec!["--no-such-flag"], 2, "unexpected argument"),
        (vec!["--store-key", &inside], 78, "lies inside the data folder"),
        (vec!["--store-key", "tape:1"], 78, "store_key must be file:PATH"),
        (vec!["--store-key", "credential:store-key"], 78, "LoadCredential="),
        (vec!["--store-key", "environment:NO_KEY"], 78, "EnvironmentFile="),
        (vec!["--config", config], 78, "max_ttl_days must be 1 to 90"),
        (vec!["--config", unknown.to_str().unwrap()], 78, "max_tll_days"),
        (vec!["--listen", "0.0.0.0:0", "--work-effort", "0"], 2, "cannot be used multiple times"),
        (vec!["--admin-listen", "192.0.2.1:1"], 78, "admin_listen must be a loopback address"),
        (vec!["--engine", "tape"], 78, "tape"),
        (vec!["--log-level", "loud"], 78, "log_level must be"),
    ] {
        let (found, text) = run(folder.path(), &flags);
        assert_eq!(found, Some(code), "{flags:?}: {text}");
        assert!(text.contains(sentence), "{flags:?}: {text}");
    }
    let output = Command::new(relay_binary())
        .args(["--listen", &taken, "--data-dir"])
        .arg(folder.path().join("data"))
        .arg("--store-key")
        .arg(format!("file:{}", folder.path().join("keys/store.key").display()))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(69));
}

const BAD: Option<i32> = Some(78);
const NO_SOCKET: Option<i32> = Some(69);

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("relay.toml");
    let ask = |file: &str, env: Option<&str>, flag: Option<&str>| {
        std::fs::write(&config, file).unwrap();
        let mut command = Command::new(relay_binary());
        command.env_clear().env("HOME", folder.path()).arg("--config").arg(&config);
        command.args(env.map(|_| "--log-level").into_iter().chain(env.map(|_| "off")));
        if let Some(value) = env {
            command.env("BUDSTIKKE_RELAY_MAX_QUOTA", value);
        }
        if let Some(value) = flag {
            command.args(["--max-quota", value]);
        }
        // A quota of 0 is out of bounds, 1 is not; the address is nobody's here, so nothing ever runs on.
        let output = command.args(["--listen", "192.0.2.1:1"]).output().unwrap();
        output.status.code()
    };
    assert_eq!(ask("max_quota = 0", None, None), BAD);
    assert_eq!(ask("max_quota = 1", None, None), NO_SOCKET);
    assert_eq!(ask("max_quota = 0", Some("1"), None), NO_SOCKET);
    assert_eq!(ask("max_quota = 1", Some("0"), None), BAD);
    assert_eq!(ask("max_quota = 1", Some("0"), Some("1")), NO_SOCKET);
    assert_eq!(ask("max_quota = 1", Some("1"), Some("0")), BAD);
}
