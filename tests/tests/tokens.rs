//! Blind tokens from the issuer's program to a first contact: a relay that opens mailboxes for tokens only, and that
//! cannot be linked with the issuer by anything that the two wrote down.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use std::collections::HashSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use budstikke::clock::Clock;
use budstikke::relay::{Download, RelayClient, RelayError};
use budstikke::transport::Transport;
use budstikke::{Choice, Client, Decision, Error, ErrorClass, ReachOut, SendOptions};
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::frame::Frame;
use budstikke_proto::id::TokenKeyId;
use budstikke_proto::op::Request;
use budstikke_proto::token::{
    ANSWER_TEXT, Blinding, REQUEST_TEXT, Token, TokenKey, from_text, to_text,
};
use budstikke_tests::relay_process::{RelayOptions, RelayProcess, relay_binary};
use budstikke_tests::scan::files;
use budstikke_tests::watched::Watched;
use budstikke_tests::world::{
    offer, settle, sync, ten_in_the_morning, text, texts, unit, vault_over,
};
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use rand_core::OsRng;

/// Two records share something when they share this many bytes: by chance that is one in 2^64 for each pair of places.
const RUN: usize = 8;

/// Whoever lets people in, and all that they write down.
struct Issuer {
    folder: PathBuf,
    seen: Vec<Vec<u8>>,
}

impl Issuer {
    fn new(folder: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let issuer = Self { folder: folder.into(), seen: Vec::new() };
        let (secret, public) = (issuer.path("issuer.key"), issuer.path("token.toml"));
        let keygen = ["keygen", "--secret", &secret, "--public", &public, "--days", "30"];
        assert_eq!(program(&keygen, "").0, Some(0));
        issuer
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    fn key_file(&self) -> String {
        std::fs::read_to_string(self.path("token.toml")).unwrap()
    }

    fn issue(&mut self, request: &str) -> String {
        let (code, answer, log) =
            program(&["issue", "--secret", &self.path("issuer.key")], request);
        assert_eq!(code, Some(0), "{log}");
        self.seen.extend([request, &answer, &log].map(|text| text.as_bytes().to_vec()));
        self.seen.extend(from_text(REQUEST_TEXT, request).unwrap());
        self.seen.extend(from_text(ANSWER_TEXT, &answer).unwrap());
        answer
    }

    /// Two tokens for whoever has no vault.
    fn tokens(&mut self, relay: &RelayProcess) -> [Token; 2] {
        let file = self.key_file();
        let spki = file.lines().find_map(|line| line.strip_prefix("key = ")).unwrap();
        let spki = BASE64.decode(spki.trim_matches('"').as_bytes()).unwrap();
        let key = TokenKey::from_spki(&spki).unwrap();
        let blindings = [(); 2].map(|()| key.blind(relay.address.id, &mut OsRng).unwrap());
        let asked: Vec<_> = blindings.iter().map(Blinding::request).collect();
        let answer = self.issue(&to_text(REQUEST_TEXT, &asked).unwrap());
        let answers = from_text(ANSWER_TEXT, &answer).unwrap();
        [0, 1].map(|at| blindings[at].finish(&answers[at]).unwrap())
    }

    /// Gives somebody tokens.
    async fn let_in(&mut self, client: &Client, relay: &RelayProcess, count: usize) {
        let relay = relay.address.to_text();
        let asked = client.request_tokens(&relay, &self.key_file(), count).await.unwrap();
        let answer = self.issue(&asked.text);
        let taken = client.accept_tokens(&answer).await.unwrap();
        assert_eq!((taken.count, taken.missing), (count, 0));
    }
}

/// Runs `budstikke-relay tokens`: its exit code, output and log.
fn program(arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut child = Command::new(relay_binary())
        .arg("tokens")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let [out, log] = [output.stdout, output.stderr].map(|it| String::from_utf8(it).unwrap());
    (output.status.code(), out, log)
}

fn start(folder: &Path, issuer: &Issuer, admission: &str) -> RelayProcess {
    let mut options = RelayOptions::new(folder);
    options.log = Some(folder.join("relay.log"));
    options.flags = ["--admission", admission, "--token-key", &issuer.path("token.toml")]
        .into_iter()
        .chain(["--work-effort", "1", "--front-door-effort", "1", "--log-level", "trace"])
        .map(String::from)
        .collect();
    RelayProcess::start(&options)
}

async fn person(folder: &Path, name: &str, clock: &Clock, way: &Watched) -> Client {
    let way: Arc<dyn Transport> = Arc::new(way.clone());
    vault_over(folder.join(name).join("vault.db"), clock, way).await
}

/// All tokens that passed, with what they paid for.
fn spent(frames: &[Frame]) -> Vec<(Token, [u8; 32])> {
    let requests = frames.iter().filter_map(|frame| Request::decode(&frame.op).ok());
    let spent = requests.filter_map(|request| match request {
        Request::CreateByToken { recv_pk, token, .. } => Some((token, *recv_pk.as_bytes())),
        _ => None,
    });
    spent.collect()
}

async fn ready(client: &Client) -> (usize, usize) {
    let stock = client.tokens().await.unwrap();
    stock.first().map_or((0, 0), |stock| (stock.ready, stock.under_way))
}

fn wants_token<T: std::fmt::Debug>(done: Result<T, Error>) {
    let error = done.expect_err("a mailbox costs a token");
    assert!(matches!(error, Error::Relay(RelayError::TokenRequired)), "{error}");
    assert!(error.to_string().contains("who invited you"), "says who can help: {error}");
    assert_eq!(error.class(), ErrorClass::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_contact_at_a_relay_for_tokens_and_nothing_that_links_it_to_their_issue() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut issuer = Issuer::new(&folder.join("issuer"));
    let relay = start(folder, &issuer, "tokens");
    let (clock, way) = (Clock::fixed(ten_in_the_morning()), Watched::patient());
    let ministry = person(folder, "ministry", &clock, &way).await;
    let officer = person(folder, "officer-a", &clock, &way).await;
    let heron = person(folder, "heron", &clock, &way).await;

    // The mission needs a mailbox, and so a token.
    ministry.found_ministry("Ministry of Foreign Affairs").await.unwrap();
    let request = officer.request_unit(unit("no.emb.karvonia", &relay.address)).await.unwrap();
    let certificate = ministry.certify_unit(&request).await.unwrap();
    officer.install_unit(&certificate.text).await.unwrap();
    wants_token(officer.publish(offer(clock.now())).await);
    issuer.let_in(&officer, &relay, 2).await;
    officer.publish(offer(clock.now())).await.unwrap();
    assert_eq!(ready(&officer).await, (1, 0), "one mailbox, one token");
    let invitation = officer.invitation().await.unwrap();

    // So does the defender, who may have a look first and then is told what is missing.
    heron.look_up(&invitation).await.unwrap();
    let request =
        ReachOut { choice: Choice::Accept(0), emergency: None, pseudonym: Some("HERON".into()) };
    wants_token(heron.reach_out(request).await);
    let report = heron.sync().await.unwrap();
    assert!(report.wants_token && report.problems.len() == 1, "{report:?}");
    issuer.let_in(&heron, &relay, 2).await;
    let mut frames = way.seen();
    // Whatever the line does, the same token comes with the same mailbox again.
    way.lose_answers_to_tokens(4);
    for _ in 0..2 {
        let report = heron.sync().await.unwrap();
        assert!(!report.problems.is_empty() && !report.wants_token, "{report:?}");
        assert_eq!(ready(&heron).await, (1, 1), "one is held");
    }
    let report = sync(&heron).await;
    assert_eq!((report.sent, report.waiting, report.wants_token), (1, 0, false));
    assert_eq!(ready(&heron).await, (1, 0), "one was spent, the other not touched");
    let tries = way.seen();
    let repeated = spent(&tries);
    assert_eq!(repeated.len(), 5);
    assert!(repeated.iter().all(|one| *one == repeated[0]));
    frames.extend(tries);

    sync(&officer).await;
    let contacts = officer.contacts().await.unwrap();
    let at_mission = officer.answer(&contacts[0].id, Decision::Accept).await.unwrap();
    settle(&[&officer, &heron]).await;
    let at_heron = heron.cases().await.unwrap()[0].id.clone();
    heron.send(&at_heron, text("hello"), SendOptions::default()).await.unwrap();
    settle(&[&heron, &officer]).await;
    assert_eq!(texts(&officer, &at_mission).await, ["hello"]);
    // A mailbox that is there is found again without a token.
    frames.extend(way.seen());
    let tokens: HashSet<_> = spent(&frames).into_iter().map(|(token, _)| token.nonce).collect();
    assert_eq!(tokens.len(), 2, "one for each mailbox");

    for client in [ministry, officer, heron] {
        client.close().await.unwrap();
    }
    assert_eq!(relay.stop().code(), Some(0));
    let records = relay_records(folder, &frames);
    assert!(records.iter().map(Vec::len).sum::<usize>() > 200_000, "the relay has seen something");
    unlinked(&issuer, &records, &spent(&frames)[0].0, folder);
}

/// All that a relay has: what it was sent and what it answered, its disk, its log.
fn relay_records(folder: &Path, frames: &[Frame]) -> Vec<Vec<u8>> {
    let on_the_wire = frames.iter().flat_map(|frame| {
        [frame.op.clone(), frame.tag.to_vec(), frame.payload.clone().unwrap_or_default()]
    });
    let mut records: Vec<_> = on_the_wire.collect();
    let log = std::fs::read(folder.join("relay.log")).unwrap();
    assert!(log.windows(5).any(|word| word == b"TRACE"), "the log talks");
    records.push(log);
    for file in files(&folder.join("data")).unwrap() {
        records.push(std::fs::read(file).unwrap());
    }
    records
}

/// Issuer and relay lay side by side all that they have, and find nothing in common.
fn unlinked(issuer: &Issuer, records: &[Vec<u8>], token: &Token, folder: &Path) {
    assert_eq!(shared(&issuer.seen, records), Vec::<[u8; RUN]>::new());
    // The search is one that finds: a piece of what the issuer signed in the relay's log, in any usual form; a piece of
    // a token in the issuer's notes.
    let piece = &issuer.seen[3][100..100 + 2 * RUN];
    for form in [
        piece.to_vec(),
        HEXLOWER.encode(piece).into_bytes(),
        HEXUPPER.encode(piece).into_bytes(),
        BASE64.encode(piece).into_bytes(),
        BASE64URL_NOPAD.encode(piece).into_bytes(),
    ] {
        let planted = [b"a line: ".as_slice(), &form, b"\n"].concat();
        assert!(!shared(&issuer.seen, &[planted]).is_empty(), "{form:?}");
    }
    let data = folder.join("data").join("planted");
    std::fs::write(&data, &issuer.seen[4][..RUN]).unwrap();
    let on_disk = files(&folder.join("data")).unwrap().into_iter().filter(|file| *file == data);
    let on_disk: Vec<_> = on_disk.map(|file| std::fs::read(file).unwrap()).collect();
    assert!(!shared(&issuer.seen, &on_disk).is_empty());
    let noted = vec![b"token ".to_vec(), token.randomizer.to_vec()];
    assert!(!shared(&noted, records).is_empty());
}

/// What stands in both, as it is or written down: every run of [`RUN`] bytes of the one against all of the other.
fn shared(one: &[Vec<u8>], other: &[Vec<u8>]) -> Vec<[u8; RUN]> {
    let mut runs: HashSet<[u8; RUN]> = HashSet::new();
    for record in one {
        let mut forms =
            vec![record.clone(), HEXLOWER.encode(record).into(), HEXUPPER.encode(record).into()];
        // Where in a longer text it would stand decides how it looks in base64.
        for start in 0..3.min(record.len()) {
            forms.push(BASE64_NOPAD.encode(&record[start..]).into());
            forms.push(BASE64URL_NOPAD.encode(&record[start..]).into());
        }
        for form in forms {
            runs.extend(form.windows(RUN).map(|run| <[u8; RUN]>::try_from(run).unwrap()));
        }
    }
    // A store's files are large: two bytes decide whether a place is looked at.
    let pair = |run: &[u8]| usize::from(run[0]) << 8 | usize::from(run[1]);
    let mut begins = vec![false; 1 << 16];
    for run in &runs {
        begins[pair(run)] = true;
    }
    let mut found = Vec::new();
    for record in other {
        for place in 0..record.len().saturating_sub(RUN - 1) {
            let run = &record[place..place + RUN];
            if begins[pair(run)] && runs.contains(run) {
                found.push(run.try_into().unwrap());
            }
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn where_either_pays_a_token_goes_first_and_work_does_too() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut issuer = Issuer::new(&folder.join("issuer"));
    let relay = start(folder, &issuer, "either");
    let (clock, way) = (Clock::fixed(ten_in_the_morning()), Watched::patient());
    let ministry = person(folder, "ministry", &clock, &way).await;
    ministry.found_ministry("Ministry of Foreign Affairs").await.unwrap();
    let mut publish = async |name: &str, tokens: usize| {
        let officer = person(folder, name, &clock, &way).await;
        let request = officer.request_unit(unit("no.emb.karvonia", &relay.address)).await.unwrap();
        let certificate = ministry.certify_unit(&request).await.unwrap();
        officer.install_unit(&certificate.text).await.unwrap();
        if tokens > 0 {
            issuer.let_in(&officer, &relay, tokens).await;
        }
        officer.publish(offer(clock.now())).await.unwrap();
        (ready(&officer).await, spent(&way.seen()).len())
    };
    assert_eq!(publish("with", 1).await, ((0, 0), 1), "a token");
    assert_eq!(publish("without", 0).await, ((0, 0), 0), "work");
}

/// `bud`, as a script runs it: exit code and standard output.
fn bud(home: &Path, arguments: &[&str], input: &str) -> (Option<i32>, String) {
    let mut child = Command::new(relay_binary().with_file_name("bud-that-crashes"))
        .arg("--home")
        .arg(home)
        .args(arguments)
        .env("BUD_PASSPHRASE", "four plain long words")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_script_pipes_a_request_through_the_issuer_and_into_the_vault() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut issuer = Issuer::new(&folder.join("issuer"));
    let relay = start(folder, &issuer, "tokens");
    let address = relay.address.to_text();
    let [officer, ministry] = ["officer", "ministry"].map(|name| folder.join(name));
    let of =
        |home: &Path, arguments: &str| bud(home, &arguments.split(' ').collect::<Vec<_>>(), "");
    assert_eq!(of(&ministry, "ministry init --name MFA").0, Some(0));
    let init =
        format!("mission init --unit no.emb.karvonia --name E --officer A --relay {address} -o -");
    let (code, request) = of(&officer, &init);
    assert_eq!(code, Some(0));
    let (_, certificate) = bud(&ministry, &["ministry", "certify"], &request);
    assert_eq!(bud(&officer, &["mission", "install"], &certificate).0, Some(0));
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/data");
    let publish = format!(
        "--json mission publish {data}/terms-offer.toml --privacy {data}/privacy-notice.toml"
    );
    let (code, said) = of(&officer, &publish);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &said["error"]["exit_code"]), (Some(8), &8.into()), "not now: {said}");
    assert!(said["error"]["who_can_fix"].as_str().unwrap().contains("invited you"));

    let ask =
        format!("token request --relay {address} --key {} --count 2", issuer.path("token.toml"));
    let (code, request) = of(&officer, &ask);
    assert_eq!(code, Some(0));
    let few = program(&["issue", "--secret", &issuer.path("issuer.key"), "--most", "1"], &request);
    assert_eq!((few.0, few.1.as_str()), (Some(65), ""), "all or nothing");
    let answer = issuer.issue(&request);
    let (code, said) = bud(&officer, &["--json", "token", "accept", "-"], &answer);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((code, &said["count"], &said["missing"]), (Some(0), &2.into(), &0.into()));
    assert_eq!(bud(&officer, &["token", "accept"], &answer).0, Some(2), "once");
    assert_eq!(of(&officer, &publish).0, Some(0));
    let (_, said) = of(&officer, "--json token list");
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&said["tokens"][0]["ready"], &said["tokens"][0]["under_way"]),
        (&1.into(), &0.into())
    );
}

/// A blob costs a token too; one that broke on the way is not paid twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_blob_is_paid_with_a_token_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut issuer = Issuer::new(&folder.join("issuer"));
    let relay = start(folder, &issuer, "tokens");
    let way = Watched::patient();
    let client = RelayClient::new(Arc::new(way.clone()), relay.address.clone(), Clock::system());
    let [one, other] = issuer.tokens(&relay);
    let keys = || [(); 2].map(|()| CapabilityKey::random(&mut OsRng));
    let (fetch, delete) = (keys(), keys());
    let content = vec![7; 65_536];
    let put = |at: usize, token| {
        client.blob_put_with_token(&fetch[at], &delete[at], 1, &content, token, |_, _| {})
    };
    let unpaid = client.blob_put(&fetch[0], &delete[0], 1, &content, |_, _| {}).await;
    assert_eq!(unpaid, Err(RelayError::TokenRequired));
    let ids = put(0, &one).await.unwrap();
    assert_eq!(put(1, &one).await, Err(RelayError::TokenRefused), "spent");
    put(1, &other).await.unwrap();
    let mut download = Download::new();
    let got = client.blob_get(&fetch[0], ids.fetch_id, &mut download, |_, _| {}).await;
    assert!(got.unwrap() == content);
    let stranger = Token { key_id: TokenKeyId::from_bytes([9; 32]), ..one.clone() };
    assert_eq!(put(1, &stranger).await, Err(RelayError::TokenKey), "and nothing was spent");
    assert_eq!(relay.stop().code(), Some(0));
}
