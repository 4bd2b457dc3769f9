//! Every refusal, provoked twice: through the client, which then sends nothing; and by a sender modified to skip the
//! check, at the receiver, which keeps the message apart and answers with the code.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

mod acts;
mod bench;
mod consent;
mod terms;

use std::collections::BTreeSet;

use budstikke::case::wire::{Content, Header, Purpose};
use budstikke::case::{Body, Received, Refusal, catalogue_keys};
use budstikke::{Client, Error, Progress, SendOptions};
use budstikke_tests::world::sync;
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
const HANDED_OVER: Shown = Not("a hand-over has a story of its own: tests/handover.rs");
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
    row("refusal-approval-missing", "A01", Here, Here),
    row("refusal-approval-refused", "A02", Here, Here),
    row("refusal-approval-expired", "A03", Here, Here),
    row("refusal-plan-changed-since-approval", "A04", Here, Here),
    row("refusal-approval-condition-open", "A05", Here, Here),
    row("refusal-consultation-not-sent", "A06", Here, Here),
    row("refusal-consent-missing", "C01", Here, Here),
    row("refusal-consent-refused", "C02", Here, Here),
    row("refusal-advance-wish-forbids", "C03", Here, Here),
    row("refusal-consent-withdrawn", "C04", Here, Here),
    row("refusal-consent-suspended", "C05", Here, Here),
    row("refusal-consent-expired", "C06", Here, Here),
    row("refusal-consent-stale", "C06", Here, Here),
    row("refusal-consent-giver-not-eligible", "C07", Here, Here),
    row("refusal-identity-level-too-high", "C08", Here, Here),
    row("refusal-wording-changed", "C09", Here, Here),
    row("refusal-consent-proof-invalid", "C10", Here, Here),
    row("refusal-group-consent-does-not-name-members", "C11", Here, Here),
    row("refusal-consent-exception-not-available", "C12", Here, Here),
    row("refusal-defender-not-informed", "D01", Here, Here),
    row("refusal-effect-report-due", "D01", Here, Here),
    row("refusal-facts-not-verified", "F01", Here, Here),
    row("refusal-risk-assessment-missing", "F02", Here, Here),
    row("refusal-risk-assessment-outdated", "F02", Here, Here),
    row("refusal-not-discussed-with-defender", "F03", Here, Here),
    row("refusal-local-organisations-not-consulted", "F05", Here, Here),
    row("refusal-role-certificate-invalid", "I04", Here, Here),
    row("refusal-four-eyes", "I06", Here, Here),
    row("refusal-not-on-case-access-list", "I05", HANDED_OVER, HANDED_OVER),
    row("refusal-case-without-owner", "H01", HANDED_OVER, HANDED_OVER),
    row("refusal-out-of-step", "W04", Here, Here),
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

    let mut provoked = [const { Provoked::new() }; 5];
    let [first, second, third, fourth, fifth] = &mut provoked;
    tokio::join!(
        terms::before_terms(first),
        terms::under_terms(second),
        terms::between_offices(third),
        consent::consents(fourth),
        acts::acts(fifth),
    );
    let provoked: Provoked = provoked.into_iter().flatten().collect();
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

/// One party's device in one case.
struct Device<'a> {
    client: &'a Client,
    case: &'a str,
}

impl Device<'_> {
    async fn send(&self, body: impl Into<Body>) {
        self.client.send(self.case, body, SendOptions::default()).await.expect("send");
    }

    /// The client refuses to send this, and keeps nothing.
    async fn refuses(&self, provoked: &mut Provoked, key: &'static str, body: impl Into<Body>) {
        self.denies(provoked, key, self.client.send(self.case, body, SendOptions::default())).await;
    }

    /// The client refuses to do this, and keeps nothing.
    async fn denies<T>(
        &self,
        provoked: &mut Provoked,
        key: &'static str,
        attempt: impl Future<Output = Result<T, Error>>,
    ) {
        let before = self.kept().await;
        let Err(error) = attempt.await else { panic!("{key}: not refused") };
        note(provoked, key, &error);
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
        header.message_id = random_id().to_vec();
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

fn random_id() -> [u8; 16] {
    let mut id = [0; 16];
    OsRng.fill_bytes(&mut id);
    id
}
