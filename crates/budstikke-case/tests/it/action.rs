//! The guarded act: a consent withdrawn midway and an approval refused, with exact times, every guard, and at random.

use crate::common::{NOW, code};
use crate::line::{
    ACTION, DAY, HOUR, World, a, b, directory, edited, k, ledger, person, plan, request, risk,
    signed, statement, status, token, world,
};
use budstikke_case::action::{
    self, ActionEvent, ActionPhase, ActionState, CaseFacts, POLICY_VERSION, cautions, check, review,
};
use budstikke_case::consent::{self, Suspension};
use budstikke_case::officer::{DECISION_DOMAIN, attested};
use budstikke_case::wire::{self as w, ActionKind, Answer, Role, Scope, Verdict};
use budstikke_case::{Hash, Refusal, Warning};
use proptest::prelude::*;
use prost::Message as _;

/// Granted on the first day; day 3 is S1's.
const GRANTED: &str = "consent-demarche.toml";
const DEMARCHE: &str = "plan-demarche.toml";
const STATEMENT: &str = "plan-statement.toml";
/// Midnight of day 3, in Karvonia.
const DAY_3: i64 = NOW + 2 * DAY + 12 * HOUR + 20 * 60;

fn day3(hour: i64, minute: i64) -> i64 {
    DAY_3 + hour * HOUR + minute * 60
}

fn codes(refusals: &[Refusal]) -> String {
    refusals.iter().map(Refusal::code).collect::<Vec<_>>().join(" ")
}

/// K's device reviews A's request and K decides.
fn decide(
    request: &w::ApprovalRequest,
    verdict: Verdict,
    now: i64,
    edit: impl FnOnce(&mut w::DecisionBody),
) -> w::DecisionBody {
    let review = review(request, None, &[], &directory(), now).unwrap();
    let mut body = review.decision([6; 16], verdict, now).unwrap();
    edit(&mut body);
    let by = k().attests(DECISION_DOMAIN, &body.encode_to_vec());
    let signer = attested(Some(&by), DECISION_DOMAIN, &body.encode_to_vec(), &directory()).unwrap();
    assert_eq!(*signer, k().officer);
    body
}

/// HERON has agreed, 4 facts are verified, the risk assessment is 21 hours old, A submits.
fn submitted(file: &str, scope: Scope, consent: &str) -> (World, ActionState, w::ApprovalRequest) {
    let record = signed(consent, NOW);
    let said = consent::verify_record(&record, &directory()).unwrap();
    let world = world(ledger([said.clone()]), NOW - 21 * HOUR);
    let mut act = ActionState::draft(plan(file).0).unwrap();
    world.step(&mut act, ActionEvent::ConsultingDefender, NOW).unwrap();
    let (status, _) = status(&world.consents, &said, &[scope], NOW + HOUR);
    let request = request(&act, &world, &[token(&record, &[scope])], &[status]);
    let submitted = world.step(&mut act, ActionEvent::Submitted(&request), NOW + HOUR);
    assert_eq!(submitted, Ok("awaiting-approval"));
    (world, act, request)
}

/// S1 up to day 3: K approved R1 for 14 days, with the condition "no villages named", met by then.
fn approved() -> (World, ActionState) {
    let (world, mut act, request) = submitted(DEMARCHE, Scope::Demarche, GRANTED);
    let hash = act.plan_hash();
    let decision = decide(&request, Verdict::Approved, NOW + 2 * HOUR, |d| {
        d.conditions.push("No villages named.".to_owned());
    });
    assert_eq!(decision.consent_statuses_seen.len(), 1);
    let event = ActionEvent::Decided { decision: &decision, by: &k().officer };
    assert_eq!(world.step(&mut act, event, NOW + 3 * HOUR), Ok("cleared"));
    assert_eq!(act.approved_until(), Some(NOW + 2 * HOUR + 14 * DAY));
    assert_eq!(
        world.step(&mut act, ActionEvent::Scheduled(day3(9, 0)), NOW + DAY),
        Ok("scheduled")
    );
    let refusal = world.step(&mut act, ActionEvent::Done(vec![hash]), NOW + DAY).unwrap_err();
    assert_eq!(refusal, Refusal::ApprovalConditionOpen { condition: 1 });
    world.step(&mut act, ActionEvent::ConditionMet(1), NOW + DAY).unwrap();
    assert_eq!(act.plan_hash(), hash, "the hash of the plan is unchanged");
    (world, act)
}

fn take_back(world: &mut World, at: i64) {
    let record_id = world.consents.about("HERON").next().unwrap().record_id.clone();
    let scopes = vec![Scope::Demarche.into()];
    let reason = String::new();
    world.consents.withdraw(&w::ConsentWithdrawalBody {
        record_id,
        scopes,
        written_at_s: at,
        reason,
    });
}

fn seen(world: &World, now: i64) -> Hash {
    let said = world.consents.about("HERON").next().unwrap();
    status(&world.consents, said, &[Scope::Demarche], now).1
}

fn withdrawn(at: i64) -> ActionEvent<'static> {
    ActionEvent::ConsentWithdrawn { person: "HERON".to_owned(), at }
}

/// Case (a): written 08:00, arrived 09:00, A presses "done" at 09:10.
#[test]
fn s1a_withdrawal_arrives_before_the_act() {
    let (mut world, mut act) = approved();
    let seen = seen(&world, day3(8, 55));
    take_back(&mut world, day3(8, 0));
    assert_eq!(world.step(&mut act, withdrawn(day3(8, 0)), day3(9, 0)), Ok("on-hold"));
    let refusal = world.step(&mut act, ActionEvent::Done(vec![seen]), day3(9, 10)).unwrap_err();
    let person = "HERON".to_owned();
    assert_eq!(refusal, Refusal::ConsentWithdrawn { person, at: day3(8, 0) });
    assert_eq!(act.phase(day3(9, 10)), ActionPhase::OnHold);
    assert_eq!(code(world.step(&mut act, ActionEvent::Resumed, day3(9, 11))), "C04");
    let confirmed = world.step(&mut act, ActionEvent::WithdrawalConfirmed, day3(9, 20));
    assert_eq!(confirmed, Ok("cancelled"));
    assert_eq!(act.done_at(), None);
    // Over only when HERON has been told.
    assert_eq!(code(world.step(&mut act, ActionEvent::Closed, day3(9, 30))), "D01");
    world.step(&mut act, ActionEvent::Informed, day3(9, 30)).unwrap();
    assert_eq!(world.step(&mut act, ActionEvent::Closed, day3(9, 31)), Ok("closed"));
}

/// Case (b): written 08:00, the note handed over at 09:10, the withdrawal arrives at 09:30.
#[test]
fn s1b_withdrawal_arrives_after_the_act() {
    let (mut world, mut act) = approved();
    let at_0855 = seen(&world, day3(8, 55));
    let done = world.step(&mut act, ActionEvent::Done(vec![at_0855]), day3(9, 10));
    assert_eq!(done, Ok("effect-due"));
    take_back(&mut world, day3(8, 0));
    assert_eq!(world.step(&mut act, withdrawn(day3(8, 0)), day3(9, 30)), Ok("effect-due"));
    // Nothing is rewritten.
    assert_eq!((act.done_at(), act.statuses_seen()), (Some(day3(9, 10)), &[at_0855][..]));
    assert_eq!(act.no_further_use(), Some(("HERON", day3(8, 0))));
    for event in [ActionEvent::Cancelled, ActionEvent::WithdrawalConfirmed] {
        assert_eq!(code(world.step(&mut act, event, day3(9, 31))), "W04");
    }
    // Publishing is refused, with whatever consent to it.
    let publish = edited(DEMARCHE, |plan| {
        plan.kind = ActionKind::PublishDemarche.into();
        plan.publishes_action_id = ACTION.to_vec();
    });
    let publish: w::ActionPlan = budstikke_case::carried::decode(&publish).unwrap();
    let facts = CaseFacts { published: Some(&act), ..world.facts() };
    let blocks = check(&publish, &facts, day3(9, 40));
    let person = "HERON".to_owned();
    let no_more = Refusal::ConsentWithdrawn { person, at: day3(8, 0) };
    assert!(blocks.contains(&no_more), "{}", codes(&blocks));
    // The report is still due, and HERON gets a plain account.
    let refusal = world.step(&mut act, ActionEvent::Closed, day3(10, 0)).unwrap_err();
    assert_eq!(refusal, Refusal::EffectReportDue { by: day3(9, 10) + 14 * DAY });
    world.step(&mut act, ActionEvent::EffectReported, day3(11, 0)).unwrap();
    let refusal = world.step(&mut act, ActionEvent::Closed, day3(11, 1)).unwrap_err();
    assert_eq!(refusal, Refusal::DefenderNotInformed);
    world.step(&mut act, ActionEvent::Informed, day3(11, 2)).unwrap();
    assert_eq!(world.step(&mut act, ActionEvent::Closed, day3(11, 3)), Ok("closed"));
}

/// A device in other hands takes back: it holds, and cancels nothing.
#[test]
fn a_withdrawal_from_a_flagged_device_only_holds() {
    let (mut world, mut act) = approved();
    world.consents.suspend("HERON", Suspension::DeviceCompromised, day3(8, 0));
    assert_eq!(world.step(&mut act, withdrawn(day3(8, 0)), day3(9, 0)), Ok("on-hold"));
    assert_eq!(code(world.step(&mut act, ActionEvent::WithdrawalConfirmed, day3(9, 5))), "C05");
    assert_eq!(act.phase(day3(9, 5)), ActionPhase::OnHold);
    world.consents.reached("HERON", day3(20, 0));
    assert_eq!(world.step(&mut act, ActionEvent::Resumed, day3(20, 1)), Ok("scheduled"));
}

/// S2: no wording consent, a comma, a refusal, a way around it, and the quieter way.
#[test]
fn s2_approval_refused() {
    // Without consent to a statement at all, and then to other words.
    let mut world = world(ledger([statement(GRANTED, NOW)]), NOW - HOUR);
    let (draft, _) = plan(STATEMENT);
    let mut act = ActionState::draft(draft.clone()).unwrap();
    assert_eq!(codes(&act.blocks(&world.facts(), NOW)), "C01 A01");
    world.consents.add(statement("consent-statement.toml", NOW + 1));
    assert_eq!(codes(&act.blocks(&world.facts(), NOW + 2)), "A01");
    let comma = edited(STATEMENT, |plan| {
        plan.wording = plan.wording.replace("lawyer and", "lawyer, and");
    });
    world.step(&mut act, ActionEvent::Edited(comma.clone()), NOW + 3).unwrap();
    assert_eq!(codes(&act.blocks(&world.facts(), NOW + 3)), "C09 A01");
    world.step(&mut act, ActionEvent::Edited(draft), NOW + 4).unwrap();

    // K sends it back; A edits one comma; the old approval attempt names the old plan.
    let (mut world, mut act, request) =
        submitted(STATEMENT, Scope::OfficialStatement, "consent-statement.toml");
    let returned = decide(&request, Verdict::Returned, NOW + 2 * HOUR, |d| {
        d.reasons = "Please say in which language.".to_owned();
    });
    let by = &k().officer;
    let event = ActionEvent::Decided { decision: &returned, by };
    assert_eq!(world.step(&mut act, event, NOW + 3 * HOUR), Ok("returned"));
    let approved_late = decide(&request, Verdict::Approved, NOW + 3 * HOUR, |_| {});
    world.step(&mut act, ActionEvent::Edited(comma), NOW + 4 * HOUR).unwrap();
    let event = ActionEvent::Decided { decision: &approved_late, by };
    let refusal = world.step(&mut act, event, NOW + 4 * HOUR).unwrap_err();
    let approved = Hash::from_slice(&approved_late.plan_hash).unwrap();
    assert_eq!(refusal, Refusal::PlanChangedSinceApproval { approved, now: act.plan_hash() });
    // New words, asked again; a new request; K refuses with reasons.
    let wording = act.plan().wording.clone();
    let mut again = crate::line::giving("consent-statement.toml", NOW + 5 * HOUR);
    again.claims[0].wording_hash = budstikke_case::hash::wording_hash(&wording).to_vec();
    let heron = crate::line::heron();
    let record = again.sign(heron.public(), &mut crate::line::rng(9), heron.signs()).unwrap();
    let said = consent::verify_record(&record, &directory()).unwrap();
    world.consents.add(said.clone());
    let (status, _) = status(&world.consents, &said, &[Scope::OfficialStatement], NOW + 6 * HOUR);
    let tokens = [token(&record, &[Scope::OfficialStatement])];
    let second = crate::line::request(&act, &world, &tokens, &[status]);
    world.step(&mut act, ActionEvent::Submitted(&second), NOW + 6 * HOUR).unwrap();
    let refused = decide(&second, Verdict::Refused, NOW + 7 * HOUR, |d| {
        d.reasons = "Quiet work is under way elsewhere.".to_owned();
    });
    let event = ActionEvent::Decided { decision: &refused, by };
    assert_eq!(world.step(&mut act, event, NOW + 8 * HOUR), Ok("refused"));
    // A tries to go on all the same.
    let refusal = world.step(&mut act, ActionEvent::Scheduled(NOW + DAY), NOW + 9 * HOUR);
    assert_eq!(refusal, Err(Refusal::ApprovalRefused { at: NOW + 7 * HOUR }));
    // And calls it a post: it is what it is.
    let post = edited(STATEMENT, |plan| {
        plan.kind = ActionKind::SocialMediaRecognition.into();
        plan.wording = wording;
    });
    let mut post = ActionState::draft(post).unwrap();
    assert_eq!(action::effective_kind(post.plan()), ActionKind::OfficialStatement);
    let refusal = world.step(&mut post, ActionEvent::Cleared, NOW + 9 * HOUR).unwrap_err();
    assert_eq!(refusal, Refusal::ApprovalMissing { kind: ActionKind::OfficialStatement });
    // HERON hears that nothing was done and why.
    assert_eq!(code(world.step(&mut act, ActionEvent::Closed, NOW + 9 * HOUR)), "D01");
    world.step(&mut act, ActionEvent::Informed, NOW + 10 * HOUR).unwrap();
    assert_eq!(world.step(&mut act, ActionEvent::Closed, NOW + 10 * HOUR), Ok("closed"));
    // The quieter way needs HERON's yes and no approval, and closes only after HERON was told.
    world.consents.add(statement(GRANTED, NOW + 11));
    let mut enquiry = ActionState::draft(plan("plan-enquiry.toml").0).unwrap();
    let now = NOW + 11 * HOUR;
    assert_eq!(world.step(&mut enquiry, ActionEvent::Cleared, now), Ok("cleared"));
    assert_eq!(world.step(&mut enquiry, ActionEvent::Done(vec![approved]), now), Ok("inform-due"));
    assert_eq!(code(world.step(&mut enquiry, ActionEvent::Closed, now)), "D01");
    world.step(&mut enquiry, ActionEvent::Informed, now).unwrap();
    assert_eq!(world.step(&mut enquiry, ActionEvent::Closed, now), Ok("closed"));
}

/// The list that a person sees before drafting: all of it at once.
#[test]
fn check_lists_everything_that_blocks() {
    let empty = consent::Ledger::new();
    let (bytes, _) = plan(DEMARCHE);
    let mut demarche: w::ActionPlan = budstikke_case::carried::decode(&bytes).unwrap();
    demarche.local_organisations_consulted.clear();
    let blocks = check(&demarche, &CaseFacts::new(&empty), NOW);
    assert_eq!(codes(&blocks), "C01 F01 F02 F05 A01");
    let facts = ["arrest", "held", "no-lawyer", "medicine"].map(str::to_owned).to_vec();
    assert!(blocks.contains(&Refusal::FactsNotVerified { facts }));
    assert!(blocks.contains(&Refusal::RiskAssessmentMissing { missing: vec!["all"] }));
    // Everything in order but the approval.
    let world = world(ledger([statement(GRANTED, NOW)]), NOW);
    assert_eq!(codes(&check(&demarche, &world.facts(), NOW + HOUR)), "A01");
}

#[test]
fn f01_one_unverified_fact_is_enough() {
    let mut world = world(ledger([statement(GRANTED, NOW)]), NOW);
    let act = |facts: &[&str]| {
        let facts = facts.iter().map(ToString::to_string).collect();
        ActionState::draft(edited(DEMARCHE, |plan| plan.facts_used = facts)).unwrap()
    };
    let blocks = |act: &ActionState, world: &World| codes(&act.blocks(&world.facts(), NOW));
    assert_eq!(blocks(&act(&["arrest", "foreman"]), &world), "F01 A01");
    assert_eq!(blocks(&act(&["arrest", "never-heard-of"]), &world), "F01 A01");
    assert_eq!(blocks(&act(&[]), &world), "F01 A01");
    // The newest status holds.
    let mut newer = crate::line::verification();
    newer.facts.truncate(1);
    newer.facts[0].status = w::FactStatus::Disputed.into();
    world.verification.push(newer.clone());
    assert_eq!(blocks(&act(&["arrest"]), &world), "F01 A01");
    newer.facts[0].status = 99;
    world.verification.push(newer.clone());
    assert_eq!(blocks(&act(&["arrest"]), &world), "F01 A01");
    newer.facts[0].status = w::FactStatus::Verified.into();
    world.verification.push(newer);
    assert_eq!(blocks(&act(&["arrest"]), &world), "A01");
    // For a quiet enquiry it is a warning.
    let enquiry = edited("plan-enquiry.toml", |plan| plan.facts_used = vec!["foreman".into()]);
    let enquiry = ActionState::draft(enquiry).unwrap();
    assert_eq!(blocks(&enquiry, &world), "");
    let warnings = cautions(enquiry.plan(), &world.facts());
    assert!(warnings.contains(&Warning::FactsUnverified { facts: vec!["foreman".to_owned()] }));
}

/// Takes an answer out of an assessment.
type Blank = fn(&mut w::RiskAssessment);

#[test]
fn f02_f03_the_assessment_is_whole_recent_and_talked_over() {
    let mut world = world(ledger([statement(GRANTED, NOW)]), NOW);
    let act = ActionState::draft(plan(DEMARCHE).0).unwrap();
    let flash = edited(DEMARCHE, |plan| plan.urgency = w::Urgency::Flash.into());
    let flash = ActionState::draft(flash).unwrap();
    let blocks = |act: &ActionState, world: &World, now| act.blocks(&world.facts(), now);
    assert_eq!(codes(&blocks(&flash, &world, NOW + 60)), "A01");
    let late = blocks(&flash, &world, NOW + 3 * DAY + 60);
    assert!(late.contains(&Refusal::RiskAssessmentOutdated { made: NOW, max_s: 3 * DAY }));
    let rows: [(Blank, &str); 6] = [
        (|r| r.q4_perpetrator_link = None, "q4_perpetrator_link"),
        (|r| r.q7_local_mechanisms.as_mut().unwrap().answer = 0, "q7_local_mechanisms"),
        (|r| r.if_we_do_not.clear(), "if_we_do_not"),
        (|r| r.if_we_act = "  ".to_owned(), "if_we_act"),
        (|r| r.family_at_risk = None, "family_at_risk"),
        (|r| r.persons = vec!["REED".to_owned()], "persons"),
    ];
    for (edit, field) in rows {
        let mut risk = risk(NOW);
        edit(&mut risk);
        world.risk = Some(risk);
        let blank = Refusal::RiskAssessmentMissing { missing: vec![field] };
        assert_eq!(blocks(&act, &world, NOW + 60)[0], blank);
    }
    let old = w::RiskAssessment { made_at_s: NOW - 30 * DAY, ..risk(NOW) };
    world.risk = Some(old);
    assert_eq!(codes(&blocks(&act, &world, NOW + 60)), "F02 A01");
    for answer in [0, i32::from(Answer::No), i32::from(Answer::Unknown), 99] {
        world.risk = Some(w::RiskAssessment { discussed_with_defender: answer, ..risk(NOW) });
        assert_eq!(codes(&blocks(&act, &world, NOW + 60)), "F03 A01");
    }
    // "Not known" is an answer, and is said.
    world.risk = Some(risk(NOW));
    let fields = vec!["q2_cause_and_reprisal", "harm_to_their_work"];
    assert_eq!(cautions(act.plan(), &world.facts()), [Warning::RiskNotKnown { fields }]);
    world.risk.as_mut().unwrap().digital.clear();
    let sides = vec!["digital"];
    assert!(cautions(act.plan(), &world.facts()).contains(&Warning::SecuritySideMissing { sides }));
}

#[test]
fn f05_local_organisations_unless_overridden_for_this_plan() {
    let mut world = world(ledger([statement(GRANTED, NOW)]), NOW);
    world.risk.as_mut().unwrap().discussed_with_local_organisations = Answer::No.into();
    let alone = edited(DEMARCHE, |plan| plan.local_organisations_consulted.clear());
    let act = ActionState::draft(alone).unwrap();
    assert_eq!(codes(&act.blocks(&world.facts(), NOW)), "F05 A01");
    let by = |plan_hash: Hash| w::GuardOverride {
        action_id: ACTION.to_vec(),
        plan_hash: plan_hash.to_vec(),
        code: "F05".to_owned(),
        reasons: "None can be asked without telling the district.".to_owned(),
        policy_version: POLICY_VERSION,
    };
    world.overrides = vec![by(plan(STATEMENT).1)];
    assert_eq!(codes(&act.blocks(&world.facts(), NOW)), "F05 A01");
    world.overrides = vec![by(act.plan_hash())];
    assert_eq!(codes(&act.blocks(&world.facts(), NOW)), "A01");
    // The Ministry's device counts it too.
    let record = signed(GRANTED, NOW);
    let said = statement(GRANTED, NOW);
    let (status, _) = status(&world.consents, &said, &[Scope::Demarche], NOW);
    let request = request(&act, &world, &[token(&record, &[Scope::Demarche])], &[status]);
    let looks = |overrides: &[w::GuardOverride]| {
        codes(&review(&request, None, overrides, &directory(), NOW).unwrap().refusals)
    };
    assert_eq!((looks(&[]).as_str(), looks(&world.overrides).as_str()), ("F05", ""));
    // What is R stays R.
    world.overrides = vec![w::GuardOverride { code: "A01".to_owned(), ..by(act.plan_hash()) }];
    assert_eq!(codes(&act.blocks(&world.facts(), NOW)), "F05 A01");
}

#[test]
fn a03_a04_an_approval_is_for_this_plan_and_for_a_time() {
    let (world, act) = approved();
    let until = act.approved_until().unwrap();
    assert_eq!(act.phase(until - 1), ActionPhase::Scheduled);
    assert_eq!(act.phase(until), ActionPhase::Expired);
    let blocks = codes(&act.blocks(&world.facts(), until));
    assert!(blocks.ends_with("A03"), "{blocks}");
    let mut changed = act.clone();
    let plan = edited(DEMARCHE, |plan| plan.title.push('.'));
    assert_eq!(world.step(&mut changed, ActionEvent::Edited(plan), NOW + DAY), Ok("draft"));
    let approved = act.plan_hash();
    let now = changed.plan_hash();
    let changed_since = Refusal::PlanChangedSinceApproval { approved, now };
    for event in [ActionEvent::Scheduled(NOW), ActionEvent::Done(vec![approved])] {
        assert_eq!(world.step(&mut changed, event, NOW + DAY), Err(changed_since.clone()));
    }
    // The same bytes again are no edit.
    let mut same = act.clone();
    let bytes = same.plan_bytes().to_vec();
    assert_eq!(world.step(&mut same, ActionEvent::Edited(bytes), NOW + DAY), Ok("scheduled"));
    // Another act's plan does not belong here.
    let other = edited(DEMARCHE, |plan| plan.action_id = vec![1; 16]);
    assert_eq!(code(world.step(&mut same, ActionEvent::Edited(other), NOW + DAY)), "W02");
    // Urgent: 72 hours.
    let (_, mut act, request) = submitted(DEMARCHE, Scope::Demarche, GRANTED);
    let urgent = edited(DEMARCHE, |plan| plan.urgency = w::Urgency::Urgent.into());
    world.step(&mut act, ActionEvent::Edited(urgent), NOW + HOUR).unwrap();
    let request = w::ApprovalRequest {
        plan: act.plan_bytes().to_vec(),
        plan_hash: act.plan_hash().to_vec(),
        ..request
    };
    world.step(&mut act, ActionEvent::Submitted(&request), NOW + HOUR).unwrap();
    let decision = decide(&request, Verdict::Approved, NOW + HOUR, |_| {});
    let event = ActionEvent::Decided { decision: &decision, by: &k().officer };
    world.step(&mut act, event, NOW + 2 * HOUR).unwrap();
    assert_eq!(act.approved_until(), Some(NOW + HOUR + 3 * DAY));
}

#[test]
fn a02_an_earlier_yes_does_not_outlive_a_no() {
    let (world, mut act, request) = submitted(DEMARCHE, Scope::Demarche, GRANTED);
    let yes = decide(&request, Verdict::Approved, NOW + 2 * HOUR, |_| {});
    let by = &k().officer;
    let event = ActionEvent::Decided { decision: &yes, by };
    assert_eq!(world.step(&mut act, event, NOW + 2 * HOUR), Ok("cleared"));
    let there_and_back = [edited(DEMARCHE, |plan| plan.title.push('.')), act.plan_bytes().to_vec()];
    for plan in there_and_back.clone() {
        world.step(&mut act, ActionEvent::Edited(plan), NOW + 3 * HOUR).unwrap();
    }
    let again = w::ApprovalRequest { request_id: vec![8; 16], ..request };
    world.step(&mut act, ActionEvent::Submitted(&again), NOW + 3 * HOUR).unwrap();
    let no = decide(&again, Verdict::Refused, NOW + 4 * HOUR, |_| {});
    let event = ActionEvent::Decided { decision: &no, by };
    assert_eq!(world.step(&mut act, event, NOW + 4 * HOUR), Ok("refused"));
    for plan in there_and_back {
        world.step(&mut act, ActionEvent::Edited(plan), NOW + 5 * HOUR).unwrap();
    }
    let cleared = world.step(&mut act, ActionEvent::Cleared, NOW + 5 * HOUR);
    assert_eq!(cleared, Err(Refusal::ApprovalRefused { at: NOW + 4 * HOUR }));
}

#[test]
fn who_decides_and_on_what() {
    let (world, act, request) = submitted(DEMARCHE, Scope::Demarche, GRANTED);
    let good = decide(&request, Verdict::Approved, NOW + HOUR, |_| {});
    let by = |decision: &w::DecisionBody, by: &w::Officer| {
        let mut act = act.clone();
        world.step(&mut act, ActionEvent::Decided { decision, by }, NOW + HOUR)
    };
    assert_eq!(by(&good, &k().officer), Ok("cleared"));
    // I03: nobody but a decision-maker.
    assert_eq!(code(by(&good, &crate::line::m().officer)), "I03");
    assert_eq!(code(by(&good, &a().officer)), "I03");
    // I06: not even one who submitted it from another post or with another key.
    let same_key = w::Officer { role: Role::MinistryDecisionMaker.into(), ..a().officer };
    assert_eq!(by(&good, &same_key), Err(Refusal::FourEyes { act: "decide" }));
    let other_key = person("Officer A", "no.emb.karvonia", Role::MinistryDecisionMaker).officer;
    let other_key = w::Officer { key: vec![8; 32], ..other_key };
    assert_eq!(code(by(&good, &other_key)), "I06");
    // A verdict of a newer version is no approval.
    let newer = w::DecisionBody { verdict: 99, ..good.clone() };
    assert_eq!(by(&newer, &k().officer), Ok("refused"));
    let blind = w::DecisionBody { consent_statuses_seen: Vec::new(), ..good.clone() };
    assert_eq!(code(by(&blind, &k().officer)), "C10");
    let other = w::DecisionBody { request_id: vec![0; 16], ..good.clone() };
    assert_eq!(code(by(&other, &k().officer)), "W04");
    let other = w::DecisionBody { action_id: vec![0; 16], ..good.clone() };
    assert_eq!(code(by(&other, &k().officer)), "W02");
    let other = w::DecisionBody { plan_hash: vec![0; 32], ..good };
    assert_eq!(code(by(&other, &k().officer)), "A04");
}

/// The decision-maker's device believes nobody.
#[test]
fn review_finds_what_a_modified_sender_left_out() {
    let (world, act, request) = submitted(DEMARCHE, Scope::Demarche, GRANTED);
    let looks = |request: &w::ApprovalRequest, now| {
        let review = review(request, None, &[], &directory(), now).unwrap();
        let approved = review.decision([1; 16], Verdict::Approved, now);
        assert_eq!(approved.is_err(), !review.refusals.is_empty());
        assert!(review.decision([1; 16], Verdict::Refused, now).is_ok(), "a no needs nothing");
        codes(&review.refusals)
    };
    assert_eq!(looks(&request, NOW + 2 * HOUR), "");
    let edit = |edit: &dyn Fn(&mut w::ApprovalRequest)| {
        let mut request = request.clone();
        edit(&mut request);
        looks(&request, NOW + 2 * HOUR)
    };
    assert_eq!(edit(&|r| r.consent_tokens.clear()), "C01");
    assert_eq!(edit(&|r| r.consent_statuses.clear()), "C10 C01");
    assert_eq!(edit(&|r| r.verification.clear()), "F01");
    assert_eq!(edit(&|r| r.risk_assessment = risk(NOW - 40 * DAY).encode_to_vec()), "F02");
    // Proof of another scope, which HERON did grant.
    let record = signed(GRANTED, NOW);
    let other = token(&record, &[Scope::FormalEnquiry]).encode_to_vec();
    assert_eq!(edit(&|r| r.consent_tokens = vec![other.clone()]), "C10 C01");
    // Fresh at the decision: a status of yesterday is asked for again.
    assert_eq!(looks(&request, NOW + 26 * HOUR), "C06 C01");
    // Taken back in between.
    let mut consents = world.consents.clone();
    let said = consents.about("HERON").next().unwrap().clone();
    let (record_id, written_at_s) = (said.record_id.clone(), NOW + HOUR + 1);
    consents.withdraw(&w::ConsentWithdrawalBody { record_id, written_at_s, ..Default::default() });
    let (gone, _) = status(&consents, &said, &[Scope::Demarche], NOW + 2 * HOUR);
    let both = request.consent_statuses.iter().cloned().chain([gone.encode_to_vec()]).collect();
    let both: Vec<Vec<u8>> = both;
    assert_eq!(edit(&|r| r.consent_statuses.clone_from(&both)), "C04 C01");
    let mut stranger = request.clone();
    stranger.submitted_by = Some(person("Nobody", "no.emb.karvonia", Role::HeadOfMission).officer);
    assert_eq!(code(review(&stranger, None, &[], &directory(), NOW)), "I04");
    assert_eq!(act.phase(NOW), ActionPhase::AwaitingApproval);
}

#[test]
fn c12_the_exception() {
    let exception = |attempts: usize| w::ConsentException {
        attempts: vec!["Rang; nobody answered.".to_owned(); attempts],
        danger_to_life_or_liberty: "Taken away at night; nobody knows where.".to_owned(),
        views_of_trusted_contacts: "The lawyers' association asks for it.".to_owned(),
    };
    let with = |file: &str, exception: w::ConsentException| {
        let plan = edited(file, |plan| plan.consent_exception = Some(exception));
        ActionState::draft(plan).unwrap()
    };
    let mut world = world(consent::Ledger::new(), NOW);
    world.risk.as_mut().unwrap().discussed_with_defender = Answer::No.into();
    let why = |act: &ActionState, world: &World| match &act.blocks(&world.facts(), NOW)[0] {
        Refusal::ConsentExceptionNotAvailable { why } => *why,
        other => other.code(),
    };
    assert_eq!(why(&with(DEMARCHE, exception(2)), &world), "fewer-than-three-attempts");
    assert_eq!(why(&with(STATEMENT, exception(4)), &world), "not-for-this-kind");
    let calm = w::ConsentException { danger_to_life_or_liberty: String::new(), ..exception(4) };
    assert_eq!(why(&with(DEMARCHE, calm), &world), "danger-not-argued");
    let unheard = w::ConsentException { views_of_trusted_contacts: " ".into(), ..exception(4) };
    assert_eq!(why(&with(DEMARCHE, unheard), &world), "trusted-contacts-not-heard");
    // With four attempts it may go to a decision-maker, who has to accept the exception.
    let mut act = with(DEMARCHE, exception(4));
    assert_eq!(why(&act, &world), "A01");
    let request = request(&act, &world, &[], &[]);
    world.step(&mut act, ActionEvent::Submitted(&request), NOW).unwrap();
    let approve =
        |accepted| decide(&request, Verdict::Approved, NOW, |d| d.exception_accepted = accepted);
    let (no, yes) = (approve(false), approve(true));
    let by = &k().officer;
    let event = ActionEvent::Decided { decision: &no, by };
    assert_eq!(code(world.step(&mut act.clone(), event, NOW)), "C10");
    world.step(&mut act, ActionEvent::Decided { decision: &yes, by }, NOW).unwrap();
    assert_eq!(world.step(&mut act, ActionEvent::Done(vec![]), NOW + HOUR), Ok("effect-due"));
    // A no on record is final.
    let mut no = statement(GRANTED, NOW);
    no.claims[0].choice = w::Choice::Refused.into();
    world.consents.add(no);
    assert_eq!(why(&with(DEMARCHE, exception(4)), &world), "C02");
    // A formal enquiry without consent needs the decision too.
    let world = self::world(consent::Ledger::new(), NOW);
    let enquiry = with("plan-enquiry.toml", exception(3));
    assert_eq!(codes(&enquiry.blocks(&world.facts(), NOW)), "A01");
}

#[test]
fn kinds_without_guards_of_their_own_are_refused() {
    let world = world(ledger([statement(GRANTED, NOW)]), NOW);
    let of = |kind: ActionKind| {
        ActionState::draft(edited("plan-enquiry.toml", |plan| plan.kind = kind.into())).unwrap()
    };
    assert_eq!(codes(&of(ActionKind::Visa).blocks(&world.facts(), NOW)), "W01 A01");
    // The consultation before a court or a cell cannot be carried yet: refused, not skipped.
    for kind in [ActionKind::CourtObservation, ActionKind::DetentionVisit] {
        let blocks = of(kind).blocks(&world.facts(), NOW);
        assert!(blocks.contains(&Refusal::ConsultationNotSent { kind }));
    }
    // OTHER is guarded like the stricter kind that the sender names, and names one.
    let other = edited(DEMARCHE, |plan| {
        (plan.kind, plan.guarded_like) = (ActionKind::Other.into(), ActionKind::Demarche.into());
    });
    let other = ActionState::draft(other).unwrap();
    assert_eq!(codes(&other.blocks(&world.facts(), NOW)), "A01");
    let vague = edited(DEMARCHE, |plan| plan.kind = ActionKind::Other.into());
    assert_eq!(code(ActionState::draft(vague)), "W02");
    let newer = edited(DEMARCHE, |plan| plan.kind = 63);
    assert_eq!(code(ActionState::draft(newer)), "W01");
    let newer = edited(DEMARCHE, |plan| plan.policy_version = POLICY_VERSION + 1);
    let newer = ActionState::draft(newer).unwrap();
    assert_eq!(codes(&newer.blocks(&world.facts(), NOW)), "W01 A01");
    // A post is only a recognition when nobody in it is at risk, and that is said.
    let plain = edited(STATEMENT, |plan| {
        plan.kind = ActionKind::SocialMediaRecognition.into();
        plan.about_person_at_risk = Answer::No.into();
    });
    let plain = ActionState::draft(plain).unwrap();
    assert_eq!(codes(&plain.blocks(&world.facts(), NOW)), "C02");
}

#[test]
fn publishing_waits_for_the_effect_and_a_new_assessment() {
    let (mut world, mut act) = approved();
    let hash = seen(&world, day3(8, 55));
    world.step(&mut act, ActionEvent::Done(vec![hash]), day3(9, 10)).unwrap();
    let publish = edited(DEMARCHE, |plan| {
        plan.kind = ActionKind::PublishDemarche.into();
        plan.publishes_action_id = ACTION.to_vec();
    });
    let publish: w::ActionPlan = budstikke_case::carried::decode(&publish).unwrap();
    let list = |world: &World, act: Option<&ActionState>| {
        codes(&check(&publish, &CaseFacts { published: act, ..world.facts() }, day3(12, 0)))
    };
    assert_eq!(list(&world, None), "C01 D01 A01");
    assert_eq!(list(&world, Some(&act)), "C01 F02 D01 A01");
    world.step(&mut act, ActionEvent::EffectReported, day3(11, 0)).unwrap();
    world.risk = Some(risk(day3(11, 30)));
    assert_eq!(list(&world, Some(&act)), "C01 A01");
}

#[test]
fn states_survive_the_vault() {
    let (world, mut act) = approved();
    let again = |act: &ActionState| ActionState::from_bytes(&act.to_bytes()).unwrap();
    assert!(again(&act) == act);
    world.step(&mut act, withdrawn(day3(8, 0)), day3(9, 0)).unwrap();
    assert!(again(&act) == act);
    let (world, mut act) = approved();
    let hash = seen(&world, day3(8, 55));
    world.step(&mut act, ActionEvent::Done(vec![hash]), day3(9, 10)).unwrap();
    world.step(&mut act, withdrawn(day3(8, 0)), day3(9, 30)).unwrap();
    assert!(again(&act) == act);
    assert_eq!(code(ActionState::from_bytes(&[])), "W02");
}

#[test]
fn steps_are_read_from_messages() {
    let update = |step: w::ActionStep| w::Content {
        header: None,
        body: Some(
            w::ActionUpdate {
                action_id: ACTION.to_vec(),
                step: step.into(),
                at_s: 7,
                condition: 1,
                consent_statuses_seen: vec![vec![1; 32]],
                ..w::ActionUpdate::default()
            }
            .into(),
        ),
    };
    let hash = Hash::from_slice(&[1; 32]).unwrap();
    let of = |step| ActionEvent::of(&update(step)).is_some();
    assert!(ActionEvent::of(&update(w::ActionStep::Done)) == Some(ActionEvent::Done(vec![hash])));
    assert!(of(w::ActionStep::Scheduled) && of(w::ActionStep::Closed));
    assert!(!of(w::ActionStep::OnHold), "a hold follows from the withdrawal");
}

/// A random walk: events as numbers, so that proptest shrinks them.
fn event<'a>(
    number: u8,
    request: &'a w::ApprovalRequest,
    decisions: &'a [w::DecisionBody],
    by: &'a [w::Officer],
) -> ActionEvent<'a> {
    let n = usize::from(number);
    match number % 16 {
        0 => ActionEvent::Edited(plan(DEMARCHE).0),
        1 => ActionEvent::Edited(edited(DEMARCHE, |plan| plan.title = format!("Note {number}"))),
        2 => ActionEvent::ConsultingDefender,
        3 => ActionEvent::Cleared,
        4 | 5 => ActionEvent::Submitted(request),
        6 | 7 => ActionEvent::Decided {
            decision: &decisions[n % decisions.len()],
            by: &by[n / 64 % by.len()],
        },
        8 => ActionEvent::Scheduled(NOW),
        9 | 10 => ActionEvent::Done(vec![Hash::from_slice(&[1; 32]).unwrap()]),
        11 => ActionEvent::EffectReported,
        12 => ActionEvent::Informed,
        13 => ActionEvent::ConsentWithdrawn { person: "HERON".to_owned(), at: NOW },
        14 => ActionEvent::Resumed,
        _ => ActionEvent::Closed,
    }
}

proptest! {
    /// No path to DONE for a démarche without an approval of exactly that plan and live consent,
    /// nor to CLOSED without report and account.
    #[test]
    fn no_way_around_the_guards(
        walk in prop::collection::vec((any::<u8>(), 0_i64..(2 * DAY), any::<bool>()), 0..60),
    ) {
        let (good, _, request) = submitted(DEMARCHE, Scope::Demarche, GRANTED);
        let approve = decide(&request, Verdict::Approved, NOW + HOUR, |_| {});
        let decisions = [
            w::DecisionBody { verdict: 99, ..approve.clone() },
            w::DecisionBody { verdict: Verdict::Returned.into(), ..approve.clone() },
            w::DecisionBody { plan_hash: vec![1; 32], ..approve.clone() },
            approve,
        ];
        let same = w::Officer { role: Role::MinistryDecisionMaker.into(), ..a().officer };
        let by = [k().officer, same, b().officer, k().officer];
        let mut bare = world(consent::Ledger::new(), NOW);
        bare.risk = None;
        let mut act = ActionState::draft(plan(DEMARCHE).0).unwrap();
        let (mut now, approved) = (NOW, plan(DEMARCHE).1);
        for (number, pause, agreed) in walk {
            now += pause / 8;
            let world = if agreed { &good } else { &bare };
            let (before, was) = (act.to_bytes(), act.done_at());
            let result = world.step(&mut act, event(number, &request, &decisions, &by), now);
            if result.is_err() {
                prop_assert_eq!(act.to_bytes(), before, "a refused step changes nothing");
            }
            if was.is_none() && act.done_at().is_some() {
                prop_assert!(agreed && act.plan_hash() == approved);
                prop_assert!(act.approved_until().is_some_and(|until| now < until));
            }
            if act.phase(now) == ActionPhase::Closed {
                prop_assert!(act.informed());
                prop_assert!(act.done_at().is_none() || act.effect_reported());
            }
            prop_assert!(ActionState::from_bytes(&act.to_bytes()).unwrap() == act);
        }
    }

    #[test]
    fn any_bytes_are_no_act(bytes: Vec<u8>) {
        let _no_panic = ActionState::draft(bytes.clone()).is_ok();
        let _no_panic = ActionState::from_bytes(&bytes).is_ok();
        let request = w::ApprovalRequest { plan: bytes, ..w::ApprovalRequest::default() };
        prop_assert!(review(&request, None, &[], &directory(), NOW).is_err());
    }
}
