//! Terms, people, purposes and forms, on both legs.

use budstikke::case::file::{Format, IntakeFile, PrivacyNoticeFile, TermsFile};
use budstikke::case::wire::{
    ActorKind, AllegedActor, CaseIntake, Content, FreeText, Handling, Header, IdentityLevel,
    IdentitySheet, Item05Alleged, Purpose, QuietTime, QuietWindow, Receipt, ReceiptKind, Role,
    TermsAcceptance, TermsChangeKind, TermsProposal, Transport,
};
use budstikke::case::{Body, Received, decode_terms};
use budstikke::{Choice, Decision, Progress};
use budstikke_tests::desk::desk;
use budstikke_tests::world::{World, data, emergency, settle, terms, text};
use prost::Message;

use crate::{Device, End, Provoked, note};

/// A case without terms in force.
pub(crate) async fn before_terms(provoked: &mut Provoked) {
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
pub(crate) async fn under_terms(provoked: &mut Provoked) {
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
pub(crate) async fn between_offices(provoked: &mut Provoked) {
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
