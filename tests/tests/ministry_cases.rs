//! The acceptance scenarios S1 and S2 over a real relay: a consent taken back half-way, and an approval refused; and
//! that what reached the Ministry's devices names neither the defender nor the source.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use budstikke::SendOptions;
use budstikke::case::action::ActionPhase;
use budstikke::case::alert::AlertPhase;
use budstikke::case::consent::Suspension;
use budstikke::case::wire::{
    AckKind, ActionKind, Answer, Content, FreeText, IdentityLevel, OnwardMode, Scope, Verdict,
};
use budstikke::case::{Body, Received, Refusal};
use budstikke::vault::Kind;
use budstikke_tests::case_work::{CaseWork, DAY, HOUR, MINUTE, NAME, SOURCE, plan, refused};
use budstikke_tests::peek;
use budstikke_tests::scan::{Secret, scan_bytes};
use budstikke_tests::world::{settle, sync};
use prost::Message;

const DEMARCHE: &[Scope] = &[Scope::Demarche];
const NO_VILLAGES: &str = "No villages named.";

/// S1 up to its third day, 08:00: told, agreed to, briefed, approved on a condition that was met. The act.
async fn approved(case: &CaseWork) -> String {
    case.told().await;
    case.consented("consent-demarche.toml").await;
    case.share(IdentityLevel::Alias).await.expect("the brief");
    case.settle().await;

    let a = case.officer_a();
    let draft = plan("plan-demarche.toml", |plan| plan.facts_used.push("foreman".into()));
    let blocks = a.check_act(&case.at_mission, draft.clone()).await.expect("check");
    let codes: Vec<_> = blocks.refusals.iter().map(Refusal::code).collect();
    assert_eq!(codes, ["F01", "A01"], "everything that blocks, before anything is drafted");
    let act = a.plan_act(&case.at_mission, draft).await.expect("plan");
    assert_eq!(refused(case.submit(&act).await).code(), "F01");
    let sound = plan("plan-demarche.toml", |_| {});
    a.edit_act(&case.at_mission, &act, sound).await.expect("edit");
    let hash = case.act(&act).await.plan_hash;
    case.submit(&act).await.expect("submit");
    assert_eq!(case.phase(&act).await, ActionPhase::AwaitingApproval);

    let seen = case.decider().request(&case.line.at_desk, &act).await.expect("the request");
    assert_eq!(seen.refusals, []);
    assert_eq!(seen.submitted_by.label, "Officer A");
    case.decide(&act, Verdict::Approved, &[NO_VILLAGES]).await.expect("approve");
    assert_eq!(case.phase(&act).await, ActionPhase::Cleared);
    let approved = case.act(&act).await;
    assert_eq!(approved.plan_hash, hash, "the plan is the one that was put");
    assert_eq!(approved.approved_until_s, Some(case.world.now() + 14 * DAY));
    let done = a.do_act(&case.at_mission, &act, "").await;
    assert_eq!(refused(done), Refusal::ApprovalConditionOpen { condition: 1 });
    a.meet_condition(&case.at_mission, &act, 1, "Read twice.").await.expect("condition");
    a.schedule_act(&case.at_mission, &act, case.world.now() + 2 * DAY).await.expect("a time");
    case.settle().await;
    assert_eq!(case.phase(&act).await, ActionPhase::Scheduled);
    // Day 3, 08:00.
    case.world.clock.advance(2 * DAY - 3 * HOUR);
    act
}

/// Parts that were told twice count once, and the Ministry gets an alias and facts.
async fn what_the_ministry_got(case: &CaseWork) {
    let at_desk = case.line.desk.case(&case.line.at_desk).await.expect("the line");
    let briefs: Vec<_> = at_desk.messages.iter().filter(|m| m.kind == "case-brief").collect();
    assert_eq!(briefs.len(), 1);
    assert!(at_desk.messages.iter().all(|m| m.refused.is_none()), "{:?}", at_desk.messages);
    let received = Received::open(briefs[0].content.clone()).expect("the brief");
    let Some(Body::CaseBrief(brief)) = &received.content().body else { panic!("a brief") };
    assert_eq!(brief.incidents.len(), 3, "each incident once");
    let aliases: Vec<_> = brief.subjects.iter().map(|subject| subject.r#ref.as_str()).collect();
    assert_eq!(aliases, ["HERON", "REED"], "others are third parties");
    assert!(!brief.left_out.is_empty());
    let at_heron = case.world.heron.case(&case.at_heron).await.expect("HERON's");
    let notices = at_heron.messages.iter().filter(|m| m.kind == "disclosure-notice");
    assert_eq!(notices.count(), 1, "HERON has been told");
}

#[tokio::test(flavor = "multi_thread")]
async fn s1a_consent_is_taken_back_before_the_act() {
    let case = CaseWork::new().await;
    let act = approved(&case).await;
    what_the_ministry_got(&case).await;
    let (a, at) = (case.officer_a(), case.world.now());
    case.withdrawn(DEMARCHE).await;
    case.world.clock.advance(HOUR);
    sync(&case.world.heron).await;
    case.settle_offices().await;
    // 09:10, and A does not know yet.
    case.world.clock.advance(10 * MINUTE);
    let refusal = refused(a.do_act(&case.at_mission, &act, "").await);
    assert_eq!(refusal, Refusal::ConsentWithdrawn { person: "HERON".into(), at });
    assert_eq!(case.phase(&act).await, ActionPhase::OnHold, "K sees it too");
    let resumed = a.resume_act(&case.at_mission, &act).await;
    assert_eq!(refused(resumed).code(), "C04");
    a.cancel_act(&case.at_mission, &act, "HERON means it.").await.expect("cancel");
    case.settle().await;
    assert_eq!(case.phase(&act).await, ActionPhase::Cancelled);
    assert_eq!(case.act(&act).await.done_at_s, None);
    // Over only when HERON has been told.
    let closed = a.close_act(&case.at_mission, &act).await;
    assert_eq!(refused(closed), Refusal::DefenderNotInformed);
    case.inform(&act, false).await.expect("inform");
    a.close_act(&case.at_mission, &act).await.expect("close");
    case.settle().await;
    assert_eq!(case.phase(&act).await, ActionPhase::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn s1b_consent_is_taken_back_while_the_note_is_handed_over() {
    let case = CaseWork::new().await;
    let act = approved(&case).await;
    let (a, at) = (case.officer_a(), case.world.now());
    // 08:00, and HERON's telephone is off until 09:30.
    case.withdrawn(DEMARCHE).await;
    case.world.clock.advance(70 * MINUTE);
    case.settle_offices().await;
    let done_at = case.world.now();
    a.do_act(&case.at_mission, &act, "Handed over.").await.expect("done");
    let done = case.act(&act).await;
    case.world.clock.advance(20 * MINUTE);
    sync(&case.world.heron).await;
    case.settle().await;
    assert_eq!(case.phase(&act).await, ActionPhase::EffectDue);
    // What happened stands as it was, with the consent that was seen; nothing more is made of it.
    for seen in [case.act(&act).await, case.act_at_ministry(&act).await] {
        assert_eq!(seen.done_at_s, Some(done_at));
        assert_eq!(seen.consents_seen, done.consents_seen);
        assert_eq!(seen.consents_seen.len(), 1);
        assert_eq!(seen.no_further_use, Some(("HERON".into(), at)));
        assert_eq!(seen.plan_hash, done.plan_hash);
    }
    let cancelled = a.cancel_act(&case.at_mission, &act, "").await;
    assert_eq!(refused(cancelled).code(), "W04");
    let publish = plan("plan-demarche.toml", |plan| {
        plan.kind = ActionKind::PublishDemarche.into();
    });
    let blocks = a.check_act(&case.at_mission, publish).await.expect("check");
    let taken_back = Refusal::ConsentWithdrawn { person: "HERON".into(), at };
    assert!(blocks.refusals.contains(&taken_back), "{:?}", blocks.refusals);
    let closed = a.close_act(&case.at_mission, &act).await;
    assert_eq!(refused(closed), Refusal::EffectReportDue { by: done_at + 14 * DAY });
    case.report(&act).await.expect("the report");
    let closed = a.close_act(&case.at_mission, &act).await;
    assert_eq!(refused(closed), Refusal::DefenderNotInformed);
    case.inform(&act, true).await.expect("a plain account");
    a.close_act(&case.at_mission, &act).await.expect("close");
    case.settle().await;
    assert_eq!(case.phase(&act).await, ActionPhase::Closed);
    let at_heron = case.world.heron.case(&case.at_heron).await.expect("HERON's");
    assert!(at_heron.messages.iter().any(|message| message.kind == "reaction-informed"));
}

#[tokio::test(flavor = "multi_thread")]
async fn s2_an_approval_is_refused() {
    let case = CaseWork::new().await;
    let a = case.officer_a();
    case.told().await;
    case.consented("consent-demarche.toml").await;
    let act = case.plan("plan-statement.toml").await;
    assert_eq!(refused(case.submit(&act).await).code(), "C01", "no yes to a statement");
    case.world.clock.advance(MINUTE);
    case.consented("consent-statement.toml").await;
    let comma = |plan: &mut budstikke::case::wire::ActionPlan| {
        plan.wording = plan.wording.replace("lawyer and", "lawyer, and");
    };
    let changed = plan("plan-statement.toml", comma);
    a.edit_act(&case.at_mission, &act, changed.clone()).await.expect("edit");
    assert_eq!(refused(case.submit(&act).await).code(), "C09", "a yes to other words");
    a.edit_act(&case.at_mission, &act, plan("plan-statement.toml", |_| {})).await.expect("edit");
    case.submit(&act).await.expect("submit");
    case.decide(&act, Verdict::Returned, &[]).await.expect("return");
    assert_eq!(case.phase(&act).await, ActionPhase::Returned);

    // One comma, and an approval of the old words comes all the same.
    a.edit_act(&case.at_mission, &act, changed.clone()).await.expect("edit");
    assert_eq!(case.act(&act).await.phase, ActionPhase::Draft);
    assert_eq!(refused(case.decide(&act, Verdict::Approved, &[]).await).code(), "W04");
    case.world.clock.advance(MINUTE);
    let mut answers = case.answers("consent-statement.toml");
    let words = changed.plan.wording.clone();
    answers.giving.claims[0].wording_hash = budstikke::case::hash::wording_hash(&words).to_vec();
    case.world.heron.give_consent(&case.at_heron, answers).await.expect("yes to the new words");
    case.settle().await;
    case.submit(&act).await.expect("asked again");
    assert_eq!(case.phase(&act).await, ActionPhase::AwaitingApproval);
    let decided_at = case.world.now();
    case.decide(&act, Verdict::Refused, &[]).await.expect("refuse");
    assert_eq!(case.phase(&act).await, ActionPhase::Refused);
    let scheduled = a.schedule_act(&case.at_mission, &act, decided_at + DAY).await;
    assert_eq!(refused(scheduled), Refusal::ApprovalRefused { at: decided_at });
    // Called a post, it is what it is.
    let post = plan("plan-statement.toml", |plan| {
        plan.kind = ActionKind::SocialMediaRecognition.into();
        plan.wording.clone_from(&words);
        plan.about_person_at_risk = Answer::Yes.into();
    });
    let post = a.plan_act(&case.at_mission, post).await.expect("plan");
    let cleared = a.clear_act(&case.at_mission, &post).await;
    let kind = ActionKind::OfficialStatement;
    assert_eq!(refused(cleared), Refusal::ApprovalMissing { kind });
    // HERON hears that nothing was done, and why.
    assert_eq!(refused(a.close_act(&case.at_mission, &act).await).code(), "D01");
    case.inform(&act, false).await.expect("inform");
    a.close_act(&case.at_mission, &act).await.expect("close");
    case.settle().await;
    assert_eq!(case.phase(&act).await, ActionPhase::Closed);

    // The quieter way needs HERON's yes and nobody's approval.
    let enquiry = case.plan("plan-enquiry.toml").await;
    a.clear_act(&case.at_mission, &enquiry).await.expect("clear");
    a.do_act(&case.at_mission, &enquiry, "Sent.").await.expect("done");
    assert_eq!(refused(a.close_act(&case.at_mission, &enquiry).await).code(), "D01");
    case.inform(&enquiry, true).await.expect("inform");
    a.close_act(&case.at_mission, &enquiry).await.expect("close");
    assert_eq!(case.act(&enquiry).await.phase, ActionPhase::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_each_time_the_ministry_gets_proof_and_the_night_holds_the_notice_back() {
    let case = CaseWork::under_own_terms().await;
    case.told().await;
    assert_eq!(refused(case.share(IdentityLevel::Alias).await).code(), "C01");
    case.consented("consent-demarche.toml").await;
    // REED has not answered, and is in the account.
    assert_eq!(refused(case.share(IdentityLevel::Alias).await).code(), "C01");
    // 22:00 in Karvonia; the offices work, HERON's telephone is to be quiet.
    case.world.clock.advance(11 * HOUR);
    let brief = case.brief_about(&["HERON"], IdentityLevel::Alias);
    let shared = case.officer_a().share(&case.at_mission, brief).await.expect("the brief");
    assert_eq!((shared.allowed_by, shared.notice), (OnwardMode::AskEachTime, None));
    case.settle().await;
    let file = case.line.desk.file(&case.line.at_desk).await.expect("the file");
    assert_eq!(file.consents.len(), 1);
    let shown = &file.consents[0];
    assert!(!shown.whole, "one act's answers and no others");
    let scopes: Vec<_> = shown.answers.iter().map(|(claim, _, _)| claim.scope).collect();
    assert_eq!(scopes, [i32::from(Scope::ShareMinistry)]);
    let notices = async || {
        let at_heron = case.world.heron.case(&case.at_heron).await.expect("HERON's");
        at_heron.messages.iter().filter(|m| m.kind == "disclosure-notice").count()
    };
    assert_eq!(notices().await, 0);
    case.world.clock.advance(11 * HOUR);
    case.settle().await;
    assert_eq!(notices().await, 1, "in the morning HERON is told, once");
    case.settle().await;
    assert_eq!(notices().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_said_to_officers_needs_two_of_them() {
    let case = CaseWork::new().await;
    case.told().await;
    let (a, b) = (case.officer_a(), &case.world.officer_b);
    case.world.assign_officer_b(&case.at_mission).await;
    case.line.assign_officer_b(&case.world).await;
    let said = case.answers("consent-oral-sister.toml");
    let person = said.giving.person.clone();
    let once = a.hear_consent(&case.at_mission, said).await.expect("heard");
    assert_eq!(refused(a.enter_consent(&case.at_mission, &once).await).code(), "I06");
    assert_eq!(refused(a.attest_consent(&case.at_mission, &once).await).code(), "I06");
    let twice = b.attest_consent(&case.at_mission, &once).await.expect("attested");
    assert_eq!(budstikke::heard(&twice).expect("reads").attestations.len(), 2);
    a.enter_consent(&case.at_mission, &twice).await.expect("entered");
    case.settle().await;
    sync(b).await;
    for client in [a, b] {
        let file = client.file(&case.at_mission).await.expect("the file");
        assert_eq!((file.consents.len(), file.consents[0].officers), (1, 2));
        assert!(file.consents[0].oral && file.consents[0].vouched);
    }
    let about = plan("plan-demarche.toml", |plan| {
        plan.persons = vec![person.clone()];
        plan.identity = IdentityLevel::Alias.into();
    });
    let act = a.plan_act(&case.at_mission, about).await.expect("plan");
    case.submit(&act).await.expect("submit");
    let at_ministry = case.line.desk.file(&case.line.at_desk).await.expect("the file");
    assert_eq!(at_ministry.consents[0].officers, 2);
    // Taken back in a talk with one officer: enough to stop.
    let noted = a.note_withdrawal(&case.at_mission, &person, DEMARCHE, "At the gate.").await;
    noted.expect("noted");
    case.settle().await;
    assert_eq!(case.phase(&act).await, ActionPhase::OnHold);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ministry_decides_on_fresh_proof_and_hears_of_doubt() {
    let case = CaseWork::new().await;
    case.told().await;
    case.consented("consent-demarche.toml").await;
    let act = case.plan("plan-demarche.toml").await;
    case.submit(&act).await.expect("submit");
    // The mission's devices are off for two days.
    case.world.clock.advance(2 * DAY);
    settle(&[case.decider(), &case.line.desk]).await;
    assert_eq!(refused(case.decide(&act, Verdict::Approved, &[]).await).code(), "C06");
    // They come back, and tell by themselves how the consent stands.
    case.settle_offices().await;
    let a = case.officer_a();
    a.suspend_consents(&case.at_mission, "HERON", Suspension::DeviceCompromised, case.world.now())
        .await
        .expect("doubt");
    case.settle_offices().await;
    assert_eq!(refused(case.decide(&act, Verdict::Approved, &[]).await).code(), "C05");
    a.person_reached(&case.at_mission, "HERON").await.expect("reached");
    case.settle_offices().await;
    case.decide(&act, Verdict::Approved, &[]).await.expect("approve");
    assert_eq!(case.phase(&act).await, ActionPhase::Cleared);
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_word_is_shown_only_when_an_officer_vouches_for_it() {
    let case = CaseWork::new().await;
    case.told().await;
    let mut answers = case.answers("consent-demarche.toml");
    answers.giving.person = "REED".into();
    case.world.heron.give_consent(&case.at_heron, answers).await.expect("in REED's name");
    case.settle().await;
    let a = case.officer_a();
    let about = plan("plan-demarche.toml", |plan| plan.persons = vec!["REED".into()]);
    let act = a.plan_act(&case.at_mission, about).await.expect("plan");
    let step = "standing-not-checked";
    assert_eq!(refused(case.submit(&act).await), Refusal::ConsentProofInvalid { step });
    let consent = a.file(&case.at_mission).await.expect("the file").consents[0].id.clone();
    a.vouch_for_consent(&case.at_mission, &consent).await.expect("REED was there");
    case.submit(&act).await.expect("submit");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_waits_for_a_person() {
    let case = CaseWork::new().await;
    case.told().await;
    case.consented("consent-demarche.toml").await;
    let (a, desk) = (case.officer_a(), &case.line.desk);
    let shared = case.share(IdentityLevel::Alias).await.expect("the brief");
    assert_eq!(shared.allowed_by, OnwardMode::Standing);
    let raised = case.world.now();
    a.raise_alert(&case.at_mission, case.alert("alert-flash.toml")).await.expect("raise");
    case.settle().await;
    let both = [a.alerts().await.expect("alerts"), desk.alerts().await.expect("alerts")];
    for alerts in &both {
        assert_eq!(alerts.len(), 1);
        assert_eq!(alerts[0].ack_by_s, raised + HOUR, "the same deadline on both sides");
        assert_eq!(alerts[0].phase, AlertPhase::Delivered);
        assert!(!alerts[0].overdue);
        assert!(!alerts[0].alert.brief_hash.is_empty());
    }
    assert!(both[0][0].ours && !both[1][0].ours);
    // That it was seen does not stop the clock.
    let id = &both[1][0].id;
    let seen = desk.acknowledge_alert(id, AckKind::SeenNotMine, 0, "").await;
    seen.expect("seen");
    case.settle().await;
    case.world.clock.advance(HOUR);
    for client in [a, desk] {
        let mut events = client.events();
        sync(client).await;
        assert!(client.alerts().await.expect("alerts")[0].overdue);
        let told = budstikke_tests::world::happened(&mut events);
        let overdue =
            |event: &&budstikke::Event| matches!(event, budstikke::Event::AlertOverdue { .. });
        assert_eq!(told.iter().filter(overdue).count(), 1, "{told:?}");
        let mut events = client.events();
        sync(client).await;
        let told = budstikke_tests::world::happened(&mut events);
        assert_eq!(told.iter().filter(overdue).count(), 0, "said once");
    }
    let next = case.world.now() + HOUR;
    desk.acknowledge_alert(id, AckKind::SeenAndMine, next, "I have it.").await.expect("taken");
    case.settle().await;
    for client in [a, desk, case.decider()] {
        let alert = &client.alerts().await.expect("alerts")[0];
        assert_eq!(alert.phase, AlertPhase::Acked);
        let by = Some(("Desk M".to_owned(), case.world.now()));
        assert_eq!((alert.acked_by.clone(), alert.next_word_by_s), (by, next));
        assert!(!alert.overdue);
    }
    let ours = desk.cancel_alert(id, "Ours?").await;
    assert_eq!(refused(ours).code(), "W04", "only who raised it takes it back");
    a.cancel_alert(id, "Over.").await.expect("cancel");
    case.settle().await;
    let phase = desk.alerts().await.expect("alerts")[0].phase;
    assert_eq!(phase, AlertPhase::Cancelled);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reached_the_ministry_names_neither_the_defender_nor_the_source() {
    let case = CaseWork::new().await;
    let act = approved(&case).await;
    case.officer_a()
        .raise_alert(&case.at_mission, case.alert("alert-flash.toml"))
        .await
        .expect("alert");
    case.officer_a().do_act(&case.at_mission, &act, "").await.expect("done");
    case.settle().await;
    let secrets = [Secret::new("the name", NAME), Secret::new("the source", SOURCE)];
    // A modified sender's slip, so that the search is seen to work where it counts.
    let words = format!("It is {NAME}, from {SOURCE}.");
    let slip = FreeText { text: words, ..FreeText::default() };
    let letter = || slip.clone();
    let options = SendOptions::default();
    let sent = case.officer_a().send(&case.line.at_mission, letter(), options.clone()).await;
    assert_eq!(refused(sent).code(), "P02", "a name does not pass in a letter either");
    let CaseWork { world, line, .. } = case;
    let (desk, decider) = (line.desk, line.decider.expect("a decision-maker"));
    let before = [close_and_search(&world, desk, "desk", &secrets).await, {
        close_and_search(&world, decider, "decider", &secrets).await
    }];
    assert_eq!(before, [Vec::<String>::new(), Vec::new()]);
    let desk = budstikke_tests::world::reopen(world.path("desk"), &world.clock).await;
    let genuine = world.officer_a.case(&line.at_mission).await.expect("the line");
    let of_kind = |message: &&budstikke::Message| message.kind == "action-update";
    let genuine = genuine.messages.iter().find(of_kind).expect("an own message");
    let mut content = Content::decode(genuine.content.as_slice()).expect("content");
    if let Some(header) = &mut content.header {
        (header.message_id, header.seq) = (vec![7; 16], 0);
    }
    content.body = Some(slip.into());
    let modified = world.officer_a.send_unchecked(&line.at_mission, content.encode_to_vec());
    modified.await.expect("the slip");
    settle(&[&world.officer_a, &desk]).await;
    let found = close_and_search(&world, desk, "desk", &secrets).await;
    assert_eq!(found.len(), 2, "{found:?}");
}

/// Everything that a vault holds, opened, and the secrets in it.
async fn close_and_search(
    world: &budstikke_tests::world::World,
    client: budstikke::Client,
    name: &str,
    secrets: &[Secret],
) -> Vec<String> {
    client.close().await.expect("close");
    let path = world.path(name);
    let kinds = peek::KINDS.map(Kind::new).chain([Kind::MLS_STATE]);
    let values = kinds.flat_map(|kind| peek::values(&path, kind));
    let all: Vec<u8> = values.collect::<Vec<_>>().concat();
    assert!(all.len() > 10_000, "the vault holds something");
    scan_bytes(name, &all, secrets)
}
