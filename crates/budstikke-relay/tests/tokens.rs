//! Blind tokens, from the issuer's program to a mailbox at a real relay.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::struct_field_names,
    reason = "a test fails loudly"
)]

use std::collections::HashSet;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::descriptor::MailboxPrice;
use budstikke_proto::id::{Label, MsgId};
use budstikke_proto::op::{ErrorCode, Request, Response};
use budstikke_proto::token::{Blinding, Token, TokenKey};
use budstikke_proto::work::Solution;
use data_encoding::BASE64;
use rand_core::OsRng;

#[allow(dead_code, unreachable_pub, reason = "shared with the end-to-end tests")]
#[path = "../../../tests/src/raw.rs"]
mod raw;
#[allow(dead_code, unreachable_pub, reason = "shared with the end-to-end tests")]
#[path = "../../../tests/src/relay_process.rs"]
mod relay_process;

use raw::{Raw, RawError, RawStream};
use relay_process::{RelayOptions, RelayProcess};

const PROGRAM: &str = env!("CARGO_BIN_EXE_budstikke-relay");

/// Runs `budstikke-relay tokens`; answers its exit code and its output.
fn tokens(arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let mut child = Command::new(PROGRAM)
        .arg("tokens")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

fn relay(folder: &Path, public: &str) -> RelayProcess {
    let mut options = RelayOptions::new(folder);
    options.program = Some(PROGRAM.into());
    options.flags = ["--admission", "tokens", "--token-key", public, "--work-effort", "1"]
        .map(String::from)
        .into();
    RelayProcess::start(&options)
}

async fn connect(relay: &RelayProcess) -> (Raw, RawStream) {
    let raw = Raw::connect(&relay.address).await.unwrap();
    let stream = raw.open().await.unwrap();
    (raw, stream)
}

async fn spend(
    stream: &mut RawStream,
    owner: &CapabilityKey,
    token: &Token,
) -> Result<(), ErrorCode> {
    let (recv_pk, token) = (owner.recv_pk(), token.clone());
    let create = Request::CreateByToken { recv_pk, ttl_days: 30, token };
    match stream.ask(&create, Some(owner), None).await {
        Ok(answer) => {
            assert!(matches!(answer.last, Response::Created { .. }));
            Ok(())
        }
        Err(RawError::Refused(code, _)) => Err(code),
        Err(other) => panic!("{other:?}"),
    }
}

/// The seed that a token stands for, as a solution.
async fn seed(stream: &mut RawStream, token: &Token) -> Result<Solution, ErrorCode> {
    let challenge = Request::ChallengeByToken { token: token.clone() };
    match stream.ask(&challenge, None, None).await.map(|answer| answer.last) {
        Ok(Response::Seed { seed, effort: 0, front_door_effort: 0 }) => {
            Ok(Solution { seed, nonce: 0, solution: [0; 16] })
        }
        Err(RawError::Refused(code, _)) => Err(code),
        other => panic!("{other:?}"),
    }
}

/// Every run of five bytes.
fn runs(bytes: &[u8]) -> HashSet<&[u8]> {
    bytes.windows(5).collect()
}

fn files(folder: &Path, out: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, out) } else { out.extend(std::fs::read(path).unwrap()) }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_spent_once_and_by_nobody_that_issuer_and_relay_could_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (secret, public) = (path("issuer.key"), path("token.toml"));
    let keygen = ["keygen", "--secret", &secret, "--public", &public, "--days", "2"];
    assert_eq!(tokens(&keygen, "").0, Some(0));
    assert_ne!(tokens(&keygen, "").0, Some(0), "a key is never overwritten");
    let relay_1 = relay(folder.path(), &public);
    let file = std::fs::read_to_string(&public).unwrap();
    let spki = file.lines().find_map(|line| line.strip_prefix("key = ")).unwrap();
    let spki = BASE64.decode(spki.trim_matches('"').as_bytes()).unwrap();
    let key = TokenKey::from_spki(&spki).unwrap();

    // Clients ask; the issuer writes down all that it sees and says.
    let id = relay_1.address.id;
    let blindings = [(); 4].map(|()| key.blind(id, &mut OsRng).unwrap());
    let asked: String = blindings.iter().map(|one| BASE64.encode(one.request()) + "\n").collect();
    let issue = ["issue", "--secret", &secret];
    let (code, answered) = tokens(&issue, &asked);
    assert_eq!(code, Some(0));
    let answers: Vec<_> =
        answered.lines().map(|line| BASE64.decode(line.as_bytes()).unwrap()).collect();
    assert_eq!(answers.len(), 4);
    assert_eq!(tokens(&issue, "no request\n"), (Some(65), String::new()));
    let token = |place: usize| blindings[place].finish(&answers[place]).unwrap();
    let (first, second) = (token(0), token(1));

    let (_raw, mut stream) = connect(&relay_1).await;
    assert_eq!(stream.descriptor().mailbox_price, MailboxPrice::Token);
    assert_eq!(stream.descriptor().token_keys, [*key.id()]);
    let owners = [(); 3].map(|()| CapabilityKey::random(&mut OsRng));
    assert!(stream.create(&owners[0], None).await.is_err(), "a mailbox costs");
    assert_eq!(spend(&mut stream, &owners[0], &first).await, Ok(()));
    assert_eq!(spend(&mut stream, &owners[0], &first).await, Ok(()), "an answer that got lost");
    assert_eq!(spend(&mut stream, &owners[1], &first).await, Err(ErrorCode::WorkRequired));
    // Killed and started again: spent is spent.
    relay_1.kill();
    let relay_2 = relay(folder.path(), &public);
    let (_raw, mut stream) = connect(&relay_2).await;
    assert_eq!(spend(&mut stream, &owners[1], &first).await, Err(ErrorCode::WorkRequired));
    assert_eq!(spend(&mut stream, &owners[1], &second).await, Ok(()));

    // A token pays for a blob, once, and for a cell at a front door.
    let (third, fourth) = (token(2), token(3));
    assert!(stream.descriptor().max_blob_ttl_days > 0);
    let [fetch, delete, other] = [(); 3].map(|()| CapabilityKey::random(&mut OsRng));
    let content = vec![5; 65_536];
    let refused = stream.blob_put(&fetch, &delete, &content, None).await;
    assert!(matches!(refused, Err(RawError::Refused(ErrorCode::WorkRequired, 0))), "{refused:?}");
    assert!(matches!(seed(&mut stream, &first).await, Err(ErrorCode::WorkRequired)));
    let paid = seed(&mut stream, &third).await.unwrap();
    assert!(matches!(seed(&mut stream, &third).await, Err(ErrorCode::Busy)));
    stream.blob_put(&fetch, &delete, &content, Some(paid)).await.unwrap();
    let again = stream.blob_put(&fetch, &other, &content, Some(paid)).await;
    assert!(matches!(again, Err(RawError::Refused(ErrorCode::WorkRequired, 0))), "{again:?}");
    assert!(matches!(seed(&mut stream, &third).await, Err(ErrorCode::WorkRequired)));
    let recv_id = stream.create(&owners[1], None).await.unwrap();
    let label = Label::from_bytes([1; 16]);
    let send_id = stream.grant(&owners[1], recv_id, &other, label, 9, true).await.unwrap();
    let paid = seed(&mut stream, &fourth).await.unwrap();
    for wanted in [true, false] {
        let msg_id = MsgId::random(&mut OsRng);
        let sent = stream.send(&other, send_id, msg_id, raw::cell(1), Some(paid)).await;
        assert_eq!(sent.is_ok(), wanted, "{sent:?}");
    }
    assert_eq!(relay_2.stop().code(), Some(0));

    // All that the issuer saw, against all that the relay was shown and all that it keeps. What both know is the public
    // key, the same for everybody; it is in neither.
    let asked = blindings.iter().map(Blinding::request);
    let issued: Vec<_> = answers.iter().map(Vec::as_slice).chain(asked).collect();
    let issued = issued.concat();
    let issued = runs(&issued);
    for token in [&first, &second, &third, &fourth] {
        let shown = [&token.randomizer[..], &token.nonce, &token.signature].concat();
        assert!(runs(&shown).is_disjoint(&issued), "the token shows its issue");
        let mut kept = Vec::new();
        files(&folder.path().join("data"), &mut kept);
        let kept = runs(&kept);
        assert!(kept.len() > 100);
        assert!(runs(&shown).is_disjoint(&kept), "the data folder shows the token");
        assert!(!kept.contains(&token.spent_id()[..5]), "or its hash");
    }
}
