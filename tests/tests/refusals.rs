//! Every refusal, provoked twice: through the client, which then sends nothing; and by a sender modified to skip the
//! check, at the receiver, which keeps the message apart and answers with the code.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use std::collections::BTreeSet;

use budstikke::case::file::{Format, IntakeFile, PrivacyNoticeFile, TermsFile};
use budstikke::case::wire::{
    ActorKind, AllegedActor, CaseIntake, Content, FreeText, Handling, Header, IdentityLevel,
    IdentitySheet, Item05Alleged, Purpose, QuietTime, QuietWindow, Receipt, ReceiptKind, Role,
    TermsAcceptance, TermsChangeKind, TermsProposal, Transport,
};
use budstikke::case::{Body, Received, Refusal, catalogue_keys, decode_terms};
use budstikke::{Choice, Client, Decision, Error, Progress, SendOptions};
use budstikke_tests::desk::desk;
use budstikke_tests::world::{World, data, emergency, settle, sync, terms, text};
use prost::Message;
use rand_core::{OsRng, RngCore};

/// One refusal, by the key of its sentence, and what this version can show of it at each end.
struct Row {
    key: &'static str,
    code: &'static str,
    client: Shown,
    receiver: Shown,
}

/// Whether an end can be brought to it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// This test does it.
    Here,
    /// It can't be, and why; a unit test of the case crate shows it instead.
    Not(&'static str),
}
use Shown::{Here, Not};

const ALWAYS_NAMED: Shown = Not("the client names a purpose of the terms by itself");
const NO_OPTION: Shown = Not("the client has no option for it");
const LATER: Shown = Not("the client carries no consents, plans and approvals yet");
const SENDERS: Shown = Not("it is the sender's to know");

const fn row(key: &'static str, code: &'static str, client: Shown, receiver: Shown) -> Row {
    Row { key, code, client, receiver }
}

const ROWS: &[Row] = &[
    row("refusal-terms-not-in-force", "T01", Here, Here),
    row("refusal-terms-expired", "T02", Here, Here),
    row("refusal-terms-hash-mismatch", "T03", Here, Here),
    row("refusal-transport-not-agreed", "T04", Here, Here),
    row("refusal-onward-exceeds-defender-terms", "T05", Here, Here),
    row("refusal-ministry-leg-not-agreed", "T06", Here, Here),
    row("refusal-receipt-not-agreed", "T07", Here, Here),
    row("refusal-quiet-time", "T08", Here, Here),
    row("refusal-wrong-recipient", "I01", Here, Here),
    row("refusal-recipient-unverified", "I02", Here, SENDERS),
    row("refusal-key-changed", "I02", Not("no key of a party changes yet"), SENDERS),
    row("refusal-role-not-permitted", "I03", Here, Here),
    row("refusal-purpose-missing", "P01", ALWAYS_NAMED, Here),
    row("refusal-purpose-incompatible", "P01", ALWAYS_NAMED, Here),
    row("refusal-source-may-not-leave", "P02", Here, Here),
    row("refusal-third-party-not-stripped", "P02", Here, Here),
    row("refusal-handling-forbids", "P03", NO_OPTION, Here),
    row("refusal-retention-missing", "P04", Here, Here),
    row("refusal-marking-too-high", "P07", NO_OPTION, Here),
    row("refusal-not-understood", "W01", Not("a client understands what it builds"), Here),
    row("refusal-malformed", "W02", Here, Here),
    row("refusal-too-large", "W02", Here, Here),
    row("refusal-replay-ignored", "W03", Not("a client never sends a message twice"), Here),
    row("refusal-approval-missing", "A01", LATER, LATER),
    row("refusal-approval-refused", "A02", LATER, LATER),
    row("refusal-approval-expired", "A03", LATER, LATER),
    row("refusal-plan-changed-since-approval", "A04", LATER, LATER),
    row("refusal-approval-condition-open", "A05", LATER, LATER),
    row("refusal-consultation-not-sent", "A06", LATER, LATER),
    row("refusal-consent-missing", "C01", LATER, LATER),
    row("refusal-consent-refused", "C02", LATER, LATER),
    row("refusal-advance-wish-forbids", "C03", LATER, LATER),
    row("refusal-consent-withdrawn", "C04", LATER, LATER),
    row("refusal-consent-suspended", "C05", LATER, LATER),
    row("refusal-consent-expired", "C06", LATER, LATER),
    row("refusal-consent-stale", "C06", LATER, LATER),
    row("refusal-consent-giver-not-eligible", "C07", LATER, LATER),
    row("refusal-identity-level-too-high", "C08", LATER, LATER),
    row("refusal-wording-changed", "C09", LATER, LATER),
    row("refusal-consent-proof-invalid", "C10", LATER, LATER),
    row("refusal-group-consent-does-not-name-members", "C11", LATER, LATER),
    row("refusal-consent-exception-not-available", "C12", LATER, LATER),
    row("refusal-defender-not-informed", "D01", LATER, LATER),
    row("refusal-effect-report-due", "D01", LATER, LATER),
    row("refusal-facts-not-verified", "F01", LATER, LATER),
    row("refusal-risk-assessment-missing", "F02", LATER, LATER),
    row("refusal-risk-assessment-outdated", "F02", LATER, LATER),
    row("refusal-not-discussed-with-defender", "F03", LATER, LATER),
    row("refusal-local-organisations-not-consulted", "F05", LATER, LATER),
    row("refusal-role-certificate-invalid", "I04", LATER, LATER),
    row("refusal-four-eyes", "I06", LATER, LATER),
    row("refusal-out-of-step", "W04", LATER, LATER),
];

/// Who refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Client,
    Receiver,
}

/// What was provoked so far.
type Provoked = BTreeSet<(&'static str, End)>;

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_is_provoked_at_both_ends() {
    let known = catalogue_keys();
    let known: BTreeSet<_> = known.iter().filter(|key| key.starts_with("refusal-")).collect();
    let rows: BTreeSet<_> = ROWS.iter().map(|row| row.key.to_owned()).collect();
    assert_eq!(known, rows.iter().collect(), "every refusal has its row");

    let (mut first, mut second, mut third) = (Provoked::new(), Provoked::new(), Provoked::new());
    tokio::join!(before_terms(&mut first), under_terms(&mut second), between_offices(&mut third),);
    let provoked: Provoked = [first, second, third].into_iter().flatten().collect();
    for row in ROWS {
        for (end, shown) in [(End::Client, row.client), (End::Receiver, row.receiver)] {
            let done = provoked.contains(&(row.key, end));
            match shown {
                Here => assert!(done, "{} ({}) was not provoked at {end:?}", row.code, row.key),
                Not(why) => {
                    assert!(!why.is_empty());
                    assert!(!done, "{} can be provoked at {end:?} after all", row.key);
                }
            }
        }
    }
}

/// A case without terms in force.
async fn before_terms(provoked: &mut Provoked) {
    let world = World::new().await;
    let counter = terms("terms-counter.toml", world.now());
    world.reach_out(Choice::Counter(Box::new(counter.clone()))).await;
    let again = terms("terms-counter.toml", world.now() + 60);
    let (at_heron, at_mission) = world.answered(Decision::Counter(Box::new(again))).await;
    let heron = Device { client: &world.heron, case: &at_heron };
    let officer = Device { client: &world.officer_a, case: &at_mission };

    let key = "refusal-terms-not-in-force";
    heron.refuses(provoked, key, text("too early")).await;
    officer.refuses(provoked, key, text("too early")).await;
    let early = heron.forge(text("too early"), |_| {}).await;
    heron.reaches(provoked, key, &officer, early).await;
}

/// A case under one agreement after another.
async fn under_terms(provoked: &mut Provoked) {
    let world = World::new().await;
    let (at_heron, at_mission) = world.case().await;
    let heron = Device { client: &world.heron, case: &at_heron };
    let officer = Device { client: &world.officer_a, case: &at_mission };
    for end in [&heron, &officer] {
        end.send(text("so that there is a header to copy")).await;
    }
    settle(&[heron.client, officer.client]).await;

    wrong_terms(provoked, &heron, &officer, world.now()).await;
    wrong_people(provoked, &heron, &officer, world.now()).await;
    wrong_content(provoked, &heron, &officer).await;
    quiet_time(provoked, &world, &heron, &officer).await;
    other_transport(provoked, &world, &heron, &officer).await;
    past_their_date(provoked, &world, &heron, &officer).await;
}

async fn wrong_terms(provoked: &mut Provoked, heron: &Device<'_>, officer: &Device<'_>, now: i64) {
    let key = "refusal-terms-hash-mismatch";
    let unknown =
        TermsAcceptance { terms_hash: vec![7; 32], expectations_understood: true, ..no_notice() };
    heron.refuses(provoked, key, unknown.clone()).await;
    let forged = heron.forge(unknown, |_| {}).await;
    heron.reaches(provoked, key, officer, forged).await;
    let other_terms = heron.forge(text("under what?"), |h| h.terms_hash = vec![9; 32]).await;
    heron.reaches(provoked, key, officer, other_terms).await;

    let key = "refusal-receipt-not-agreed";
    let receipt = Receipt {
        kind: ReceiptKind::Delivered.into(),
        message_id: vec![1; 16],
        ..Receipt::default()
    };
    heron.refuses(provoked, key, receipt.clone()).await;
    let forged = heron.forge(receipt, |_| {}).await;
    heron.reaches(provoked, key, officer, forged).await;

    let key = "refusal-retention-missing";
    let mut endless = terms("terms-offer.toml", now);
    endless.terms.retention = None;
    let refused = heron.client.propose_terms(heron.case, endless.clone()).await;
    note(provoked, key, &refused.expect_err("terms without an end"));
    let proposal = TermsProposal { terms: endless.encode().0, ..TermsProposal::default() };
    let forged = heron.forge(proposal, |_| {}).await;
    heron.reaches(provoked, key, officer, forged).await;
}

async fn wrong_people(provoked: &mut Provoked, heron: &Device<'_>, officer: &Device<'_>, now: i64) {
    let key = "refusal-wrong-recipient";
    let mut elsewhere = terms("terms-offer.toml", now);
    elsewhere.terms.units = vec!["no.emb.elsewhere".into()];
    let refused = heron.client.propose_terms(heron.case, elsewhere).await;
    note(provoked, key, &refused.expect_err("terms of another unit"));
    let astray = heron.forge(text("hello"), |h| h.intended_for = "no.emb.elsewhere".into()).await;
    heron.reaches(provoked, key, officer, astray).await;

    let key = "refusal-recipient-unverified";
    let sheet = IdentitySheet {
        subject_ref: "HERON".into(),
        name: "A name".into(),
        ..IdentitySheet::default()
    };
    heron.refuses(provoked, key, sheet.clone()).await;
    heron.client.confirm_words(heron.case).await.expect("compared");
    heron.send(sheet).await;

    let key = "refusal-role-not-permitted";
    officer.refuses(provoked, key, emergency().emergency).await;
    let now = 1_700_000_000;
    let notice = PrivacyNoticeFile::parse(&data("privacy-notice.toml"), Format::Toml, now);
    let notice = notice.expect("a privacy notice").notice;
    let forged = heron.forge(notice, |_| {}).await;
    heron.reaches(provoked, key, officer, forged).await;
    let staff = |header: &mut Header| header.sender_role = Role::MissionContactPerson.into();
    let claimed = heron.forge(text("I am the mission"), staff).await;
    heron.reaches(provoked, key, officer, claimed).await;

    let key = "refusal-purpose-missing";
    let forged = heron.forge(text("for what?"), |h| h.purpose = 0).await;
    heron.reaches(provoked, key, officer, forged).await;
    let key = "refusal-purpose-incompatible";
    let forged = heron.forge(text("a report"), |h| h.purpose = Purpose::Reporting.into()).await;
    heron.reaches(provoked, key, officer, forged).await;

    let key = "refusal-source-may-not-leave";
    let file = IntakeFile::parse(&data("intake-heron-mission.toml"), Format::Toml);
    let assessed = file.expect("an intake").intake;
    officer.refuses(provoked, key, assessed.clone()).await;
    let forged = officer.forge(assessed, |_| {}).await;
    officer.reaches(provoked, key, heron, forged).await;

    let key = "refusal-marking-too-high";
    let forged = heron.forge(text("graded"), |h| h.classification = "RESTRICTED".into()).await;
    heron.reaches(provoked, key, officer, forged).await;
}

async fn wrong_content(provoked: &mut Provoked, heron: &Device<'_>, officer: &Device<'_>) {
    let key = "refusal-not-understood";
    let mut newer = heron.forge(text("dropped"), |_| {}).await;
    let mut decoded = Content::decode(newer.as_slice()).expect("content");
    decoded.body = None;
    newer = decoded.encode_to_vec();
    // Field 150, length-delimited, empty: a kind that this version does not know.
    newer.extend([0xb2, 0x09, 0x00]);
    heron.reaches(provoked, key, officer, newer).await;
    let feature = heron.forge(text("vanishes"), |h| h.must_understand = vec![7]).await;
    heron.reaches(provoked, key, officer, feature).await;
    let purpose = heron.forge(text("for something new"), |h| h.purpose = 99).await;
    heron.reaches(provoked, key, officer, purpose).await;

    let key = "refusal-malformed";
    heron.refuses(provoked, key, text(" ")).await;
    let forged = heron.forge(text(" "), |_| {}).await;
    heron.reaches(provoked, key, officer, forged).await;
    let twice = heron.forge(text("one"), |_| {}).await;
    let both = [twice.as_slice(), &letter("two")].concat();
    let number = heron.client.send_unchecked(heron.case, both.clone()).await.expect("sent");
    settle(&[heron.client, officer.client]).await;
    let kept = officer.find(&both).await.expect("kept");
    assert_eq!((kept.refused.as_deref(), kept.quarantined), (Some("W02"), true));
    // What does not decode has no id that an answer could name.
    assert_eq!(heron.progress(number).await, Progress::AtRelay);

    let key = "refusal-too-large";
    let long = text(&"a".repeat(16_001));
    heron.refuses(provoked, key, long.clone()).await;
    let forged = heron.forge(long, |_| {}).await;
    heron.reaches(provoked, key, officer, forged).await;

    // W03: nothing is answered to what came before, and nothing is shown twice.
    let again = heron.forge(text("once"), |_| {}).await;
    let before = officer.heard().await.len();
    for _ in 0..2 {
        heron.client.send_unchecked(heron.case, again.clone()).await.expect("sent");
    }
    settle(&[heron.client, officer.client]).await;
    let after = officer.heard().await;
    assert_eq!(after.len(), before + 1);
    let copies = after.iter().filter(|message| message.content == again).collect::<Vec<_>>();
    assert!(matches!(copies.as_slice(), [one] if one.refused.is_none()));
    provoked.insert(("refusal-replay-ignored", End::Receiver));
}

async fn quiet_time(
    provoked: &mut Provoked,
    world: &World,
    heron: &Device<'_>,
    officer: &Device<'_>,
) {
    let mut file = terms("terms-offer.toml", world.now());
    // It is 10:00 in Karvonia.
    let window = QuietWindow { from_minute: 9 * 60, until_minute: 12 * 60, weekdays: Vec::new() };
    file.terms.quiet_time =
        Some(QuietTime { windows: vec![window], utc_offset_min: 180, ..QuietTime::default() });
    agree(heron, officer, file).await;
    let key = "refusal-quiet-time";
    officer.refuses(provoked, key, text("are you awake?")).await;
    heron.send(text("but she may write at any hour")).await;
    let forged = officer.forge(text("are you awake?"), |_| {}).await;
    officer.reaches(provoked, key, heron, forged).await;
    world.clock.advance(3 * 3_600);
    officer.send(text("good day")).await;
    settle(&[heron.client, officer.client]).await;
}

async fn other_transport(
    provoked: &mut Provoked,
    world: &World,
    heron: &Device<'_>,
    officer: &Device<'_>,
) {
    let mut file = terms("terms-offer.toml", world.now());
    file.terms.transports = vec![Transport::InPerson.into()];
    agree(heron, officer, file).await;
    let key = "refusal-transport-not-agreed";
    heron.refuses(provoked, key, text("over the relay")).await;
    officer.refuses(provoked, key, text("over the relay")).await;
    let forged = heron.forge(text("over the relay"), |_| {}).await;
    heron.reaches(provoked, key, officer, forged).await;
}

async fn past_their_date(
    provoked: &mut Provoked,
    world: &World,
    heron: &Device<'_>,
    officer: &Device<'_>,
) {
    let mut file = terms("terms-offer.toml", world.now());
    file.terms.valid_until_s = world.now() + 86_400;
    agree(heron, officer, file).await;
    heron.send(text("in time")).await;
    settle(&[heron.client, officer.client]).await;
    world.clock.advance(2 * 86_400);
    let key = "refusal-terms-expired";
    heron.refuses(provoked, key, text("too late")).await;
    let written = |header: &mut Header| header.written_at_s = world.now();
    let forged = heron.forge(text("too late"), written).await;
    heron.reaches(provoked, key, officer, forged).await;
}

/// A mission's line to a desk of the Ministry.
async fn between_offices(provoked: &mut Provoked) {
    let world = World::new().await;
    let (at_heron, case) = world.case().await;
    let line = desk(&world, &case).await;
    let officer = Device { client: &world.officer_a, case: &line.at_mission };
    let at_desk = Device { client: &line.desk, case: &line.at_desk };

    let key = "refusal-ministry-leg-not-agreed";
    officer.send(text("so that there is a header to copy")).await;
    let ended = officer.client.change_terms(officer.case, TermsChangeKind::End, "to agree anew");
    ended.await.expect("end");
    settle(&[officer.client, at_desk.client]).await;
    officer.refuses(provoked, key, text("too early")).await;
    at_desk.refuses(provoked, key, text("too early")).await;
    let early = officer.forge(text("too early"), |_| {}).await;
    officer.reaches(provoked, key, &at_desk, early).await;
    agree(&officer, &at_desk, terms("terms-ministry.toml", world.now())).await;
    officer.send(text("now in order")).await;
    settle(&[officer.client, at_desk.client]).await;

    let key = "refusal-onward-exceeds-defender-terms";
    let mut looser = terms("terms-ministry.toml", world.now());
    looser.terms.identity = IdentityLevel::Name.into();
    let refused = officer.client.propose_terms(officer.case, looser.clone()).await;
    note(provoked, key, &refused.expect_err("more than HERON lets the Ministry have"));
    // The desk does not know HERON's terms, and so can ask for too much.
    looser.terms.inherits_terms_hash = agreed_before(&officer).await;
    let proposal = TermsProposal { terms: looser.encode().0, ..TermsProposal::default() };
    let forged = at_desk.forge(proposal, |_| {}).await;
    at_desk.reaches(provoked, key, &officer, forged).await;

    let key = "refusal-third-party-not-stripped";
    let actor = AllegedActor {
        kind: ActorKind::Police.into(),
        name: "Somebody's name".into(),
        ..Default::default()
    };
    let alleged = Some(Item05Alleged { actors: vec![actor], ..Item05Alleged::default() });
    let named = CaseIntake { alleged, ..CaseIntake::default() };
    officer.refuses(provoked, key, named.clone()).await;
    let forged = officer.forge(named, |_| {}).await;
    officer.reaches(provoked, key, &at_desk, forged).await;

    let key = "refusal-handling-forbids";
    let narrow = |header: &mut Header| header.handling = Handling::RecipientOnly.into();
    let forged = officer.forge(text("for your eyes"), narrow).await;
    officer.reaches(provoked, key, &at_desk, forged).await;

    let heron = Device { client: &world.heron, case: &at_heron };
    let mission = Device { client: &world.officer_a, case: &case };
    let mut never = terms("terms-offer.toml", world.now());
    never.terms.onward.clear();
    agree(&heron, &mission, never).await;
    let key = "refusal-onward-exceeds-defender-terms";
    for refused in [
        officer.client.open_line(&line.invitation, &case).await,
        officer.client.renew_line(officer.case).await.map(drop),
    ] {
        note(provoked, key, &refused.expect_err("HERON lets the Ministry have nothing now"));
    }
}

/// The hash that the newest terms on a line name.
async fn agreed_before(officer: &Device<'_>) -> Vec<u8> {
    let messages = officer.client.case(officer.case).await.expect("line").messages;
    let named = messages.iter().rev().find_map(|message| {
        match Received::open(message.content.clone()).ok()?.content().body.clone()? {
            Body::TermsProposal(proposal) => decode_terms(&proposal.terms).ok(),
            _ => None,
        }
    });
    named.expect("a proposal").inherits_terms_hash
}

/// One party's device in one case.
struct Device<'a> {
    client: &'a Client,
    case: &'a str,
}

impl Device<'_> {
    async fn send(&self, body: impl Into<Body>) {
        self.client.send(self.case, body, SendOptions::default()).await.expect("send");
    }

    /// The client refuses, and keeps nothing.
    async fn refuses(&self, provoked: &mut Provoked, key: &'static str, body: impl Into<Body>) {
        let before = self.kept().await;
        let refused = self.client.send(self.case, body, SendOptions::default()).await;
        note(provoked, key, &refused.expect_err(key));
        assert_eq!(before, self.kept().await, "{key}: nothing was stored or queued");
    }

    async fn kept(&self) -> (u64, usize) {
        let case = self.client.case(self.case).await.expect("case");
        (case.summary.messages, self.client.outbox().await.expect("outbox").len())
    }

    /// Bytes as a modified sender would make them: the newest sound header, another body, changed at will.
    async fn forge(&self, body: impl Into<Body>, change: impl FnOnce(&mut Header)) -> Vec<u8> {
        let case = self.client.case(self.case).await.expect("case");
        let sound = |progress| progress != Progress::Refused;
        let own = case.messages.iter().filter(|message| message.progress.is_some_and(sound));
        let mut headers = own
            .filter_map(|message| Received::open(message.content.clone()).ok()?.header().cloned());
        let mut header = headers.rfind(|header| header.purpose != 0).expect("a header");
        header.message_id = random_id();
        header.seq = 0;
        header.in_reply_to = Vec::new();
        header.purpose = Purpose::Protection.into();
        header.must_understand = Vec::new();
        header.written_at_s = case.summary.last_at.max(header.written_at_s);
        change(&mut header);
        Content { header: Some(header), body: Some(body.into()) }.encode_to_vec()
    }

    /// A forged message reaches the other side, which keeps it apart under the code of `key` and says so.
    async fn reaches(
        &self,
        provoked: &mut Provoked,
        key: &'static str,
        other: &Device<'_>,
        content: Vec<u8>,
    ) {
        let row = ROWS.iter().find(|row| row.key == key).expect("a row");
        let number = self.client.send_unchecked(self.case, content.clone()).await.expect("sent");
        for client in [self.client, other.client, self.client] {
            sync(client).await;
        }
        let kept = other.find(&content).await.unwrap_or_else(|| panic!("{key}: not kept"));
        assert_eq!(kept.refused.as_deref(), Some(row.code), "{key}");
        assert!(kept.quarantined, "{key}: acted upon");
        let answer = self.find(&content).await.expect("our copy");
        if answer.kind == "receipt" {
            // Two machines that answer each other's receipts never end.
            assert_eq!(self.progress(number).await, Progress::AtRelay);
        } else {
            assert_eq!(self.progress(number).await, Progress::Refused, "{key}: not answered");
            let code = (row.code != "W01").then_some(row.code);
            assert_eq!(answer.refused.as_deref(), code, "{key}");
        }
        provoked.insert((key, End::Receiver));
    }

    /// What others said in this case.
    async fn heard(&self) -> Vec<budstikke::Message> {
        let messages = self.client.case(self.case).await.expect("case").messages;
        messages.into_iter().filter(|message| message.progress.is_none()).collect()
    }

    async fn find(&self, content: &[u8]) -> Option<budstikke::Message> {
        let messages = self.client.case(self.case).await.expect("case").messages;
        messages.into_iter().find(|message| message.content == content)
    }

    async fn progress(&self, number: u64) -> Progress {
        let messages = self.client.case(self.case).await.expect("case").messages;
        let message = messages.iter().find(|message| message.number == number);
        message.and_then(|message| message.progress).expect("an own message")
    }
}

fn note(provoked: &mut Provoked, key: &'static str, error: &Error) {
    let Error::Refused(refusal) = error else { panic!("{key}: {error:?}") };
    let refusal: &Refusal = refusal;
    let row = ROWS.iter().find(|row| row.key == key).expect("a row");
    assert_eq!((refusal.message_key(), refusal.code()), (key, row.code));
    provoked.insert((key, End::Client));
}

/// The first proposes, the second accepts.
async fn agree(heron: &Device<'_>, officer: &Device<'_>, file: TermsFile) {
    heron.client.propose_terms(heron.case, file).await.expect("propose");
    settle(&[heron.client, officer.client]).await;
    officer.client.accept_terms(officer.case).await.expect("accept");
    settle(&[heron.client, officer.client]).await;
    for end in [heron, officer] {
        let case = end.client.case(end.case).await.expect("case");
        assert!(case.pending.is_empty(), "agreed");
    }
}

fn no_notice() -> TermsAcceptance {
    TermsAcceptance::default()
}

/// The body of a letter as it stands in an encoded message.
fn letter(words: &str) -> Vec<u8> {
    let body = Body::FreeText(FreeText { text: words.into(), distressing: false });
    Content { header: None, body: Some(body) }.encode_to_vec()
}

fn random_id() -> Vec<u8> {
    let mut id = vec![0; 16];
    OsRng.fill_bytes(&mut id);
    id
}
