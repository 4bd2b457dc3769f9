//! The real client process is aborted at every step of sending, receiving and committing. After a restart both sides
//! hold the message exactly once, the relay was given it once, and its copies are gone.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;

use budstikke::clock::Clock;
use budstikke::crash::POINTS;
use budstikke::transport::quic::QuicTransport;
use budstikke::{Choice, Client, Progress, ReachOut, Role};
use budstikke_tests::peek::{self, Waiting};
use budstikke_tests::world::{Ground, PASSPHRASE, World, reopen, settle, sync, texts};

const SENDING: [&str; 5] = [
    "send-before-commit",
    "send-after-commit",
    "outbox-before-send",
    "outbox-after-ack",
    "outbox-after-delete",
];
const RECEIVING: [&str; 4] =
    ["receive-after-read", "receive-before-commit", "receive-after-commit", "receive-after-trim"];
const COMMITTING: [&str; 3] = ["commit-after-staging", "commit-after-append", "commit-after-merge"];

/// While a team moves after one of its devices was removed.
const MOVING: [&str; 5] = [
    "rotate-before-mailbox",
    "rotate-before-publish",
    "rotate-after-publish",
    "rotate-before-news",
    "rotate-after-news",
];

/// One of the two, as files: whoever is looked at opens and closes them.
struct Side {
    home: PathBuf,
    case: String,
    /// Has its mailbox for itself.
    alone: bool,
}

impl Side {
    fn vault(&self) -> PathBuf {
        self.home.join("vault.db")
    }

    /// Runs the real program.
    fn bud(&self, args: &[&str], crash_at: Option<&str>) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bud-that-crashes"));
        command.args(args).env("BUD_HOME", &self.home).env("BUD_PASSPHRASE", PASSPHRASE);
        match crash_at {
            Some(point) => command.env("BUDSTIKKE_CRASH_AT", point),
            None => command.env_remove("BUDSTIKKE_CRASH_AT"),
        };
        command.output().expect("bud runs")
    }

    /// Runs the program and sees it die at `point`; a program that ends otherwise never got there.
    fn dies(&self, args: &[&str], point: &'static str) {
        use std::os::unix::process::ExitStatusExt as _;
        let output = self.bud(args, Some(point));
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.signal(), Some(6), "{point} was never reached: {said}");
    }

    /// Runs the program as a person would after a crash.
    fn restarts(&self) {
        let output = self.bud(&["sync"], None);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    async fn open(&self) -> Client {
        reopen(self.vault(), &Clock::system()).await
    }

    async fn syncs(&self) {
        let client = self.open().await;
        sync(&client).await;
        client.close().await.expect("close");
    }

    async fn copies(&self, words: &str) -> usize {
        let client = self.open().await;
        let found = texts(&client, &self.case).await.iter().filter(|text| *text == words).count();
        client.close().await.expect("close");
        found
    }

    async fn epoch(&self) -> u64 {
        let client = self.open().await;
        let epoch = client.case(&self.case).await.expect("case").epoch;
        client.close().await.expect("close");
        epoch
    }

    /// Messages of the correspondent that the relay holds.
    async fn held(&self) -> usize {
        let waiting = peek::waiting(&self.vault()).await;
        waiting.iter().filter(|cell| **cell == Waiting::Message).count()
    }
}

struct Two {
    heron: Side,
    officer: Side,
    world: World,
    written: usize,
}

impl Two {
    /// A case between HERON and Officer A, everything said and everybody gone home.
    async fn new() -> Self {
        let ground = Ground {
            clock: Clock::system(),
            transport: Arc::new(QuicTransport::default()),
            ..Ground::new().await
        };
        let world = World::on(ground).await;
        let (at_heron, at_mission) = world.case().await;
        for client in [&world.heron, &world.officer_a] {
            client.clone().close().await.expect("close");
        }
        let side = |name: &str, case, alone| {
            let home = world.folder.path().join(name);
            Side { home, case, alone }
        };
        Self {
            heron: side("heron", at_heron, true),
            officer: side("officer-a", at_mission, false),
            world,
            written: 0,
        }
    }

    fn directions(&self) -> [(&Side, &Side); 2] {
        [(&self.heron, &self.officer), (&self.officer, &self.heron)]
    }

    /// Both fetch and send until nothing moves; then no relay holds anything for a device that has it all.
    async fn rest(&self) {
        let (heron, officer) = (self.heron.open().await, self.officer.open().await);
        settle(&[&heron, &officer]).await;
        heron.close().await.expect("close");
        officer.close().await.expect("close");
        assert_eq!(peek::waiting(&self.heron.vault()).await, [], "the relay's copies are trimmed");
    }

    /// Words that nobody has used, in a file for `bud send`.
    fn words(&mut self) -> (String, String) {
        self.written += 1;
        let words = format!("letter {} about the nets", self.written);
        let file = self.world.folder.path().join("letter.txt");
        std::fs::write(&file, &words).expect("a file");
        (words, file.to_string_lossy().into_owned())
    }
}

#[test]
fn every_listed_point_has_its_test() {
    let tested: BTreeSet<_> =
        SENDING.into_iter().chain(RECEIVING).chain(COMMITTING).chain(MOVING).collect();
    assert_eq!(tested, POINTS.iter().copied().collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_aborted_while_sending_has_sent_once() {
    let mut two = Two::new().await;
    for direction in 0..2 {
        for point in SENDING {
            sending(&mut two, direction, point).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_aborted_while_receiving_has_received_once() {
    let mut two = Two::new().await;
    for direction in 0..2 {
        for point in RECEIVING {
            receiving(&mut two, direction, point).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_aborted_while_committing_has_committed_once() {
    let mut two = Two::new().await;
    for point in COMMITTING {
        speaking_first(&mut two, point).await;
        answering_first(&mut two, point).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_aborted_while_its_team_moves_loses_nothing() {
    let mut two = Two::new().await;
    for (number, point) in MOVING.into_iter().enumerate() {
        moving(&mut two, number, point).await;
    }
}

/// A device joins and is removed again; Officer A's dies at one step of what follows.
async fn moving(two: &mut Two, number: usize, point: &'static str) {
    let leaver = format!("Officer {number}");
    let admin = two.officer.open().await;
    let code = admin.invite_device(&leaver, &[Role::Staff]).await.expect("a code");
    let device = two.world.stranger(&leaver).await;
    device.join_team(&code.text).await.expect("the code is good");
    settle(&[&device, &admin]).await;
    assert!(admin.team().await.expect("team").iter().any(|member| member.officer == leaver));
    admin.close().await.expect("close");

    two.officer.dies(&["team", "remove", &leaver], point);
    two.officer.restarts();
    // While the rest of the team is away, everybody else writes: to where they know.
    let (words, file) = two.words();
    assert!(two.heron.bud(&["send", "--text", &file], None).status.success());
    let (admin, heron) = (two.officer.open().await, two.heron.open().await);
    let before = admin.contacts().await.expect("contacts").len();
    let knocks = usize::from(point.ends_with("publish"));
    if knocks > 0 {
        let stranger = two.world.stranger(&format!("stranger-{number}")).await;
        stranger.look_up(&two.world.invitation).await.expect("the mission");
        let knock = ReachOut { choice: Choice::Accept(0), emergency: None, pseudonym: None };
        stranger.reach_out(knock).await.expect("reach out");
        sync(&stranger).await;
    }
    settle(&[&admin, &heron, &two.world.officer_b]).await;
    let members = two.world.officer_b.team().await.expect("team");
    assert_eq!(members.len(), 2, "{point}: only Officer A and Officer B are left");
    for client in [&admin, &two.world.officer_b] {
        let contacts = client.contacts().await.expect("contacts");
        assert_eq!(contacts.len(), before + knocks, "{point}: the old invitation leads in");
    }
    admin.close().await.expect("close");
    heron.close().await.expect("close");
    once(two, &words, point).await;
    if !point.ends_with("news") {
        return;
    }
    // And back, over what was told last.
    let (words, file) = two.words();
    assert!(two.officer.bud(&["send", "--text", &file], None).status.success());
    two.heron.syncs().await;
    once(two, &words, point).await;
}

async fn sending(two: &mut Two, direction: usize, point: &'static str) {
    let (words, file) = two.words();
    let (sender, receiver) = two.directions()[direction];
    let before = receiver.held().await;
    sender.dies(&["send", "--text", &file], point);
    sender.restarts();
    if point == "send-before-commit" {
        // Nothing was promised, nothing was kept: the person sends it again.
        assert_eq!((sender.copies(&words).await, receiver.held().await), (0, before));
        assert!(sender.bud(&["send", "--text", &file], None).status.success());
    }
    assert_eq!(receiver.held().await, before + 1, "{point}: the relay has it once");
    receiver.syncs().await;
    two.rest().await;
    once(two, &words, point).await;
}

async fn receiving(two: &mut Two, direction: usize, point: &'static str) {
    let (words, file) = two.words();
    let (sender, receiver) = two.directions()[direction];
    if point == "receive-after-trim" && !receiver.alone {
        // A team's mailbox keeps what a colleague may not have read yet.
        return;
    }
    assert!(sender.bud(&["send", "--text", &file], None).status.success());
    let answers = sender.held().await;
    receiver.dies(&["sync"], point);
    receiver.restarts();
    // The terms let the mission's devices, and only them, say that something arrived.
    let expected = answers + usize::from(!receiver.alone);
    assert_eq!(sender.held().await, expected, "{point}: answered once");
    two.rest().await;
    once(two, &words, point).await;
    if !receiver.alone {
        let (sender, _) = two.directions()[direction];
        let client = sender.open().await;
        let case = client.case(&sender.case).await.expect("case");
        let progress = case.messages.iter().rev().find_map(|message| message.progress);
        assert_eq!(progress, Some(Progress::OnTheirDevice));
        client.close().await.expect("close");
    }
}

/// HERON has heard something, and renews her keys when she speaks.
async fn speaking_first(two: &mut Two, point: &'static str) {
    let (_, file) = two.words();
    assert!(two.officer.bud(&["send", "--text", &file], None).status.success());
    two.rest().await;
    let (words, file) = two.words();
    let (before, held) = (two.heron.epoch().await, two.officer.held().await);
    two.heron.dies(&["send", "--text", &file], point);
    two.heron.restarts();
    assert_eq!(two.officer.held().await, held + 1, "{point}: the relay has the letter once");
    committed(two, &words, point, before).await;
}

/// Officer A's device answers HERON's letter with a receipt, and renews its keys for that.
async fn answering_first(two: &mut Two, point: &'static str) {
    let (words, file) = two.words();
    assert!(two.heron.bud(&["send", "--text", &file], None).status.success());
    two.heron.syncs().await;
    let before = two.heron.epoch().await;
    two.officer.dies(&["sync"], point);
    two.officer.restarts();
    assert_eq!(two.heron.held().await, 1, "{point}: the relay has the receipt once");
    committed(two, &words, point, before).await;
}

async fn committed(two: &Two, words: &str, point: &str, before: u64) {
    two.rest().await;
    once(two, words, point).await;
    let epochs = (two.heron.epoch().await, two.officer.epoch().await);
    assert_eq!(epochs.0, epochs.1, "{point}: both are in the same epoch");
    assert!(epochs.0 > before, "{point}: the commit went through");
}

async fn once(two: &Two, words: &str, point: &str) {
    for side in [&two.heron, &two.officer] {
        assert_eq!(side.copies(words).await, 1, "{point}: {}", side.home.display());
    }
}
