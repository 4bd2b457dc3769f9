//! What crosses on the way between a defender, a mission and the Ministry: words that overtake each other, devices that
//! do not know yet, clocks that lie. Nothing that was taken back counts, and nothing that happened is unsaid.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use budstikke::case::action::ActionPhase;
use budstikke::case::consent::Suspension;
use budstikke::case::file::{ConsentFile, Format, IntakeFile};
use budstikke::case::wire::{
    ActionKind, Answer, Content, IdentityLevel, Scope, TermsChangeKind, Verdict,
};
use budstikke::case::{Refusal, Unit};
use budstikke::clock::Clock;
use budstikke::{SendOptions, Submission};
use budstikke_tests::case_work::{CaseWork, DAY, HOUR, MINUTE, plan, refused};
use budstikke_tests::world::{data, reopen, settle, sync, text};
use prost::Message;

const DEMARCHE: &[Scope] = &[Scope::Demarche];

/// HERON has agreed, and the Ministry has the request for a note. The act.
async fn submitted(case: &CaseWork) -> String {
    case.told().await;
    case.consented("consent-demarche.toml").await;
    let act = case.plan("plan-demarche.toml").await;
    case.submit(&act).await.expect("submit");
    act
}

/// Officer B is in HERON's case and in the line from the beginning.
async fn with_officer_b(case: &CaseWork) {
    let (a, b) = (case.officer_a(), &case.world.officer_b);
    a.assign(&case.at_mission, "Officer B").await.expect("assign");
    settle(&[a, b, &case.world.heron]).await;
    case.line.assign_officer_b(&case.world).await;
    settle(&[a, b, &case.line.desk, case.decider()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_who_has_not_heard_of_a_doubt_does_not_end_it() {
    let case = CaseWork::new().await;
    with_officer_b(&case).await;
    let act = submitted(&case).await;
    let (a, b) = (case.officer_a(), &case.world.officer_b);
    // Officer B's device keeps the proofs fresh by itself.
    case.world.clock.advance(13 * HOUR);
    settle(&[b, &case.line.desk, case.decider()]).await;
    let line = b.case(&case.line.at_mission).await.expect("line").messages;
    let fresh = line.iter().rev().find(|message| message.kind == "consent-status");
    let mut fresh = Content::decode(fresh.expect("a status").content.as_slice()).expect("content");

    case.world.clock.advance(MINUTE);
    let (now, doubt) = (case.world.now(), Suspension::DeviceCompromised);
    a.suspend_consents(&case.at_mission, "HERON", doubt, now).await.expect("doubt");
    case.settle_offices().await;
    // The same word once more, from a device that has not heard of the doubt: sealed before, arrived after.
    let header = fresh.header.as_mut().expect("header");
    (header.message_id, header.seq) = (vec![9; 16], header.seq + 50);
    b.send_unchecked(&case.line.at_mission, fresh.encode_to_vec()).await.expect("send");
    settle(&[b, &case.line.desk, case.decider()]).await;
    let decided = case.decide(&act, Verdict::Approved, &[]).await;
    assert_eq!(refused(decided).code(), "C05", "only the word that HERON was reached ends it");
    a.person_reached(&case.at_mission, "HERON").await.expect("reached");
    case.settle_offices().await;
    case.decide(&act, Verdict::Approved, &[]).await.expect("approve");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_captor_granted_stays_void_whatever_its_clock_says() {
    let case = CaseWork::new().await;
    case.told().await;
    let a = case.officer_a();
    let since = case.world.now();
    case.world.clock.advance(MINUTE);
    // The captor's clock is fifty minutes late, so that the grant seems to be older than the doubt.
    case.world.heron.clone().close().await.expect("close");
    let captor = reopen(case.world.path("heron"), &Clock::fixed(since - 50 * MINUTE)).await;
    let early = data("consent-demarche.toml");
    let early = ConsentFile::parse(&early, Format::Toml, since - 50 * MINUTE).expect("answers");
    captor.give_consent(&case.at_heron, early).await.expect("grant");
    settle(&[&captor, a]).await;
    let doubt = Suspension::DeviceCompromised;
    a.suspend_consents(&case.at_mission, "HERON", doubt, since).await.expect("doubt");
    case.world.clock.advance(DAY);
    a.person_reached(&case.at_mission, "HERON").await.expect("reached");
    let act = case.plan("plan-demarche.toml").await;
    assert_eq!(refused(case.submit(&act).await).code(), "C01", "as if it had never been given");
    // HERON's own word counts again.
    captor.close().await.expect("close");
    let heron = reopen(case.world.path("heron"), &case.world.clock).await;
    heron.give_consent(&case.at_heron, case.answers("consent-demarche.toml")).await.expect("grant");
    settle(&[&heron, a]).await;
    let submission = Submission { note: "Before the hearing.".into(), decide_by_s: 0 };
    a.submit_act(&case.at_mission, &act, submission).await.expect("submit");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_that_overtakes_its_consent_counts_when_that_comes() {
    let case = CaseWork::new().await;
    case.told().await;
    // What HERON would say and take back, said on a copy of the device.
    case.world.heron.clone().close().await.expect("close");
    let (path, copy) = (case.world.path("heron"), case.world.path("heron-copy"));
    std::fs::create_dir_all(copy.parent().expect("a folder")).expect("a folder");
    std::fs::copy(&path, &copy).expect("a copy");
    let other = reopen(copy, &case.world.clock).await;
    other.give_consent(&case.at_heron, case.answers("consent-demarche.toml")).await.expect("yes");
    other.withdraw_consent(&case.at_heron, DEMARCHE, "").await.expect("no");
    let said = other.case(&case.at_heron).await.expect("case").messages;
    let content = |kind: &str| {
        said.iter().rev().find(|message| message.kind == kind).expect("a message").content.clone()
    };
    let (yes, no) = (content("consent-record"), content("consent-withdrawal"));
    other.close().await.expect("close");

    let heron = reopen(path, &case.world.clock).await;
    for content in [no, yes] {
        heron.send_unchecked(&case.at_heron, content).await.expect("send");
    }
    settle(&[&heron, case.officer_a()]).await;
    let consents = case.officer_a().file(&case.at_mission).await.expect("the file").consents;
    assert_eq!(consents.len(), 1);
    let act = case.plan("plan-demarche.toml").await;
    assert_eq!(refused(case.submit(&act).await).code(), "C04");
}

#[tokio::test(flavor = "multi_thread")]
async fn done_stays_done_at_the_ministry_when_a_withdrawal_came_there_first() {
    let case = CaseWork::new().await;
    with_officer_b(&case).await;
    let act = submitted(&case).await;
    case.decide(&act, Verdict::Approved, &[]).await.expect("approve");
    let (a, b) = (case.officer_a(), &case.world.officer_b);
    settle(&[a, b, &case.line.desk, case.decider()]).await;
    // Officer A hands the note over, and has no network.
    a.do_act(&case.at_mission, &act, "Handed over.").await.expect("done");
    let done_at = case.act(&act).await.done_at_s;
    assert!(done_at.is_some());
    case.world.clock.advance(10 * MINUTE);
    case.withdrawn(DEMARCHE).await;
    sync(&case.world.heron).await;
    settle(&[b, &case.line.desk, case.decider()]).await;
    assert_eq!(case.act_at_ministry(&act).await.phase, ActionPhase::OnHold, "from Officer B");
    settle(&[a, b, &case.line.desk, case.decider()]).await;
    let at_ministry = case.act_at_ministry(&act).await;
    assert!(at_ministry.done_at_s.is_some(), "{:?}", at_ministry.phase);
    assert_ne!(at_ministry.phase, ActionPhase::OnHold);
    // Nothing more may be made of it.
    let publish = plan("plan-demarche.toml", |plan| {
        plan.kind = ActionKind::PublishDemarche.into();
        plan.about_person_at_risk = Answer::Yes.into();
    });
    let blocks = a.check_act(&case.at_mission, publish).await.expect("check");
    assert!(blocks.refusals.iter().any(|refusal| refusal.code() == "C04"), "{:?}", blocks.refusals);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_on_to_the_ministry_after_the_defender_has_ended_the_terms() {
    let case = CaseWork::new().await;
    case.told().await;
    let heron = &case.world.heron;
    heron.change_terms(&case.at_heron, TermsChangeKind::End, "I stop here.").await.expect("end");
    case.settle().await;
    let a = case.officer_a();
    let line = &case.line.at_mission;
    let letter = a.send(line, text("As you asked."), SendOptions::default()).await;
    assert_eq!(refused(letter).code(), "T01");
    assert_eq!(refused(case.share(IdentityLevel::Alias).await).code(), "T01");
    let alert = a.raise_alert(&case.at_mission, case.alert("alert-flash.toml")).await;
    assert_eq!(refused(alert).code(), "T01");
    let before = case.line.desk.case(&case.line.at_desk).await.expect("line").messages.len();
    case.settle().await;
    let after = case.line.desk.case(&case.line.at_desk).await.expect("line").messages.len();
    assert_eq!(before, after, "and nothing did");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_of_a_case_has_a_bound_and_stays_whole_at_it() {
    let case = CaseWork::new().await;
    case.told().await;
    let a = case.officer_a();
    let part = data("intake-heron-mission.toml");
    let mut part = IntakeFile::parse(&part, Format::Toml).expect("the mission's part");
    let contact = part.intake.contact.as_mut().expect("item 9");
    let entry = contact.entries[0].clone();
    contact.entries = vec![entry; 32];
    for entry in &mut contact.entries {
        entry.what = "\u{10348}".repeat(1_000);
    }
    let full = loop {
        match a.add_to_intake(&case.at_mission, part.clone()).await {
            Ok(()) => {}
            refused => break refused,
        }
    };
    match refused(full) {
        Refusal::TooLarge { limit, got, unit, .. } => {
            assert_eq!((limit, unit), (4 * 1_024 * 1_024, Unit::Bytes));
            assert!(got > limit);
        }
        other => panic!("{other:?}"),
    }
    let facts = a.file(&case.at_mission).await.expect("the file").facts.len();
    assert_eq!(facts, 1, "what was there is there");
    case.plan("plan-demarche.toml").await;
}
