//! Acts from plan to closing, on both sides of the line, and alerts.

use budstikke::case::consent::disclose;
use budstikke::case::hash::consent_status_hash;
use budstikke::case::officer::{ACK_DOMAIN, ATTEST_DOMAIN, DECISION_DOMAIN};
use budstikke::case::wire::{
    AckKind, ActionKind, ActionStep, ActionUpdate, AlertAck, AlertCancelled, Answer,
    ApprovalRequest, ConsentStatus, Decision, DecisionBody, EffectReport, IdentityLevel,
    PublishView, Role, Scope, Verdict,
};
use budstikke::case::{Body, Received, alert};
use budstikke::{Client, Ruling};
use budstikke_tests::case_work::{DAY, HOUR, plan};
use prost::Message;

use crate::bench::Bench;
use crate::{Provoked, random_id};

const DEMARCHE: &str = "plan-demarche.toml";
const NO_VILLAGES: &str = "No villages named.";

/// A case in which HERON has agreed.
pub(crate) async fn acts(provoked: &mut Provoked) {
    let bench = Bench::new().await;
    not_ready(provoked, &bench).await;
    let act = decided_on(provoked, &bench).await;
    approved(provoked, &bench, &act).await;
    said_no_to(provoked, &bench, &act).await;
    closed(provoked, &bench).await;
    alerts_and_briefs(provoked, &bench).await;
}

/// F01 to F05, A06: what is missing before anything is asked.
async fn not_ready(provoked: &mut Provoked, bench: &Bench) {
    let court = bench.gives(|giving| giving.claims[0].scope = Scope::CourtObservation.into()).await;
    let observe = plan(DEMARCHE, |plan| {
        plan.kind = ActionKind::CourtObservation.into();
        plan.identity = IdentityLevel::Alias.into();
    });
    bench.both_ends(provoked, "refusal-consultation-not-sent", &observe, &[&court]).await;

    let yes = bench.gives(|_| {}).await;
    let note = plan(DEMARCHE, |_| {});
    let rumour = plan(DEMARCHE, |plan| plan.facts_used.push("foreman".into()));
    bench.both_ends(provoked, "refusal-facts-not-verified", &rumour, &[&yes]).await;
    bench.assessed(|risk| risk.q5_environment_and_vulnerability = None).await;
    bench.both_ends(provoked, "refusal-risk-assessment-missing", &note, &[&yes]).await;
    bench.assessed(|risk| risk.made_at_s -= 31 * DAY).await;
    bench.both_ends(provoked, "refusal-risk-assessment-outdated", &note, &[&yes]).await;
    bench.assessed(|risk| risk.discussed_with_defender = Answer::No.into()).await;
    let key = "refusal-not-discussed-with-defender";
    bench.both_ends(provoked, key, &note, &[&yes]).await;
    bench.assessed(|risk| risk.discussed_with_local_organisations = Answer::No.into()).await;
    let unheard = plan(DEMARCHE, |plan| plan.local_organisations_consulted.clear());
    let key = "refusal-local-organisations-not-consulted";
    bench.both_ends(provoked, key, &unheard, &[&yes]).await;
    bench.assessed(|_| {}).await;
}

/// A01, I03, I04, A04 and W04 while the Ministry has not answered. The act, approved on a condition for an hour.
async fn decided_on(provoked: &mut Provoked, bench: &Bench) -> String {
    let (a, at) = (bench.0.officer_a(), &bench.0.at_mission);
    let (line, desk, k) = (bench.line(), bench.desk(), bench.decider());
    let act = bench.0.plan(DEMARCHE).await;
    bench.0.submit(&act).await.expect("submitted");
    let request = newest_request(bench).await;

    let key = "refusal-approval-missing";
    line.denies(provoked, key, a.do_act(at, &act, "")).await;
    let done = step(bench, &request, ActionStep::Done);
    bench.slips(provoked, key, [&line, &desk], done.clone()).await;
    // What the mission says it looked at, the Ministry was never told.
    let unseen = ActionUpdate { consent_statuses_seen: vec![vec![1; 32]], ..done };
    bench.slips(provoked, "refusal-consent-proof-invalid", [&line, &desk], unseen).await;
    let key = "refusal-out-of-step";
    line.denies(provoked, key, a.meet_condition(at, &act, 1, "")).await;
    let met = ActionUpdate { condition: 1, ..step(bench, &request, ActionStep::ConditionMet) };
    bench.slips(provoked, key, [&line, &desk], met).await;
    let early = EffectReport {
        action_id: action_id(&request),
        plan_hash: request.plan_hash.clone(),
        done_at_s: bench.0.world.now(),
        effect: "None yet.".into(),
        publish: PublishView::DoNotPublish.into(),
        publish_reasons: "Nothing was done.".into(),
        ..EffectReport::default()
    };
    bench.slips(provoked, key, [&line, &desk], early).await;

    // Nobody approves for the Ministry but who may, with a key that its certificates name.
    let key = "refusal-role-not-permitted";
    let approve = verdict(bench, &request);
    for (from, to) in [(&desk, &line), (&line, &desk)] {
        let by = signed(from.client, from.case, &approve).await;
        bench.slips(provoked, key, [from, to], by).await;
    }
    bench.0.settle_offices().await;
    let key = "refusal-role-certificate-invalid";
    let mut strange = signed(k.client, k.case, &approve).await;
    strange.by.as_mut().and_then(|by| by.officer.as_mut()).expect("an officer").key = vec![9; 32];
    k.refuses(provoked, key, strange.clone()).await;
    bench.slips(provoked, key, [&k, &line], strange).await;
    let mut altered = signed(k.client, k.case, &approve).await;
    altered.body = DecisionBody { valid_until_s: 0, ..approve.clone() }.encode_to_vec();
    altered.by.as_mut().expect("a signature").signature[0] ^= 1;
    bench.slips(provoked, key, [&k, &line], altered).await;
    let key = "refusal-plan-changed-since-approval";
    let other = DecisionBody { plan_hash: vec![7; 32], ..approve.clone() };
    let other = signed(k.client, k.case, &other).await;
    k.refuses(provoked, key, other.clone()).await;
    bench.slips(provoked, key, [&k, &line], other).await;
    // An approval without a look at anybody's consent.
    let key = "refusal-consent-proof-invalid";
    let blind = DecisionBody { consent_statuses_seen: Vec::new(), ..approve };
    let blind = signed(k.client, k.case, &blind).await;
    bench.slips(provoked, key, [&k, &line], blind).await;

    let ruling = Ruling {
        verdict: Verdict::Approved,
        conditions: vec![NO_VILLAGES.into()],
        valid_until_s: bench.0.world.now() + HOUR,
        ..Ruling::default()
    };
    k.client.decide(k.case, &act, ruling).await.expect("approved");
    bench.0.settle().await;
    act
}

/// A05, A03, A04 after the approval.
async fn approved(provoked: &mut Provoked, bench: &Bench, act: &str) {
    let (a, at) = (bench.0.officer_a(), &bench.0.at_mission);
    let (line, desk) = (bench.line(), bench.desk());
    let request = newest_request(bench).await;
    let key = "refusal-approval-condition-open";
    line.denies(provoked, key, a.do_act(at, act, "")).await;
    bench.slips(provoked, key, [&line, &desk], step(bench, &request, ActionStep::Done)).await;
    a.meet_condition(at, act, 1, "Read twice.").await.expect("met");
    bench.0.settle_offices().await;
    // Approved was one plan; done is another.
    let key = "refusal-plan-changed-since-approval";
    let plan_hash = vec![7; 32];
    let another = ActionUpdate { plan_hash, ..step(bench, &request, ActionStep::Done) };
    bench.slips(provoked, key, [&line, &desk], another).await;
    let key = "refusal-approval-expired";
    bench.0.world.clock.advance(HOUR);
    line.denies(provoked, key, a.do_act(at, act, "")).await;
    bench.slips(provoked, key, [&line, &desk], step(bench, &request, ActionStep::Done)).await;
    let key = "refusal-plan-changed-since-approval";
    let changed = plan(DEMARCHE, |plan| plan.title.push_str(", second wording"));
    a.edit_act(at, act, changed).await.expect("edited");
    line.denies(provoked, key, a.do_act(at, act, "")).await;
}

/// A02.
async fn said_no_to(provoked: &mut Provoked, bench: &Bench, act: &str) {
    let (a, at, when) = (bench.0.officer_a(), &bench.0.at_mission, bench.0.world.now() + DAY);
    bench.0.submit(act).await.expect("asked again");
    bench.0.decide(act, Verdict::Refused, &[]).await.expect("refused");
    let request = newest_request(bench).await;
    let key = "refusal-approval-refused";
    bench.line().denies(provoked, key, a.schedule_act(at, act, when)).await;
    let scheduled = ActionUpdate { at_s: when, ..step(bench, &request, ActionStep::Scheduled) };
    bench.slips(provoked, key, [&bench.line(), &bench.desk()], scheduled).await;
}

/// D01, both.
async fn closed(provoked: &mut Provoked, bench: &Bench) {
    let (a, at) = (bench.0.officer_a(), &bench.0.at_mission);
    let (line, desk) = (bench.line(), bench.desk());
    let act = bench.0.plan(DEMARCHE).await;
    bench.0.submit(&act).await.expect("submitted");
    bench.0.decide(&act, Verdict::Approved, &[]).await.expect("approved");
    a.do_act(at, &act, "Handed over.").await.expect("done");
    bench.0.settle_offices().await;
    let request = newest_request(bench).await;
    for key in ["refusal-effect-report-due", "refusal-defender-not-informed"] {
        line.denies(provoked, key, a.close_act(at, &act)).await;
        let over = step(bench, &request, ActionStep::Closed);
        bench.slips(provoked, key, [&line, &desk], over).await;
        if key == "refusal-effect-report-due" {
            bench.0.report(&act).await.expect("the report");
            bench.0.settle_offices().await;
        }
    }
    bench.0.inform(&act, true).await.expect("told");
    a.close_act(at, &act).await.expect("closed");
}

/// I03, I04 and W04 around an alert, T05 for a brief that shows more than was agreed.
async fn alerts_and_briefs(provoked: &mut Provoked, bench: &Bench) {
    let (line, desk) = (bench.line(), bench.desk());
    let a = bench.0.officer_a();
    a.raise_alert(&bench.0.at_mission, bench.0.alert("alert-flash.toml")).await.expect("raised");
    bench.0.settle_offices().await;
    let raised = desk.client.alerts().await.expect("alerts").remove(0).alert;
    let now = bench.0.world.now();
    let body = alert::ack(&raised, AckKind::SeenAndMine, now, now + HOUR).encode_to_vec();
    let by = desk.client.attest_unchecked(desk.case, ACK_DOMAIN, &body).await.expect("signed");
    let mut forged = AlertAck { body, by: Some(by) };
    forged.by.as_mut().expect("a signature").signature[0] ^= 1;
    let key = "refusal-role-certificate-invalid";
    bench.slips(provoked, key, [&desk, &line], forged.clone()).await;
    let officer = forged.by.as_mut().and_then(|by| by.officer.as_mut()).expect("an officer");
    officer.role = Role::MinistryDecisionMaker.into();
    bench.slips(provoked, "refusal-role-not-permitted", [&desk, &line], forged).await;
    // Only the side that raised it takes it back.
    let key = "refusal-out-of-step";
    let taken = AlertCancelled { alert_id: raised.alert_id, why: "Ours?".into() };
    desk.refuses(provoked, key, taken.clone()).await;
    bench.slips(provoked, key, [&desk, &line], taken).await;

    bench.0.share(IdentityLevel::Alias).await.expect("the brief");
    bench.0.settle().await;
    let consent = bench.gives(|_| {}).await;
    let by = a.attest_unchecked(line.case, ATTEST_DOMAIN, &consent.body).await.expect("attested");
    let token = disclose(&consent, &[Scope::ShareMinistry], vec![by]).expect("a token");
    let brief = newest(line.client, line.case, |body| match body {
        Body::CaseBrief(brief) => Some(*brief),
        _ => None,
    });
    let mut brief = brief.await;
    brief.identity = IdentityLevel::Name.into();
    brief.consent_tokens = vec![token.encode_to_vec(); brief.subjects.len()];
    let key = "refusal-onward-exceeds-defender-terms";
    bench.slips(provoked, key, [&line, &desk], Body::CaseBrief(Box::new(brief))).await;
}

/// What a modified mission says of the act that it put before the Ministry.
fn step(bench: &Bench, request: &ApprovalRequest, step: ActionStep) -> ActionUpdate {
    let seen = request.consent_statuses.iter().map(|status| {
        let status = ConsentStatus::decode(status.as_slice()).expect("a status");
        consent_status_hash(&status.body).to_vec()
    });
    ActionUpdate {
        action_id: action_id(request),
        plan_hash: request.plan_hash.clone(),
        step: step.into(),
        at_s: bench.0.world.now(),
        consent_statuses_seen: seen.filter(|_| step == ActionStep::Done).collect(),
        ..ActionUpdate::default()
    }
}

/// Yes to a request.
fn verdict(bench: &Bench, request: &ApprovalRequest) -> DecisionBody {
    DecisionBody {
        decision_id: random_id().to_vec(),
        request_id: request.request_id.clone(),
        action_id: action_id(request),
        plan_hash: request.plan_hash.clone(),
        verdict: Verdict::Approved.into(),
        decided_at_s: bench.0.world.now(),
        consent_statuses_seen: vec![vec![1; 32]],
        policy_version: budstikke::case::action::POLICY_VERSION,
        ..DecisionBody::default()
    }
}

async fn signed(client: &Client, case: &str, body: &DecisionBody) -> Decision {
    let body = body.encode_to_vec();
    let by = client.attest_unchecked(case, DECISION_DOMAIN, &body).await.expect("signed");
    Decision { body, by: Some(by) }
}

fn action_id(request: &ApprovalRequest) -> Vec<u8> {
    let plan: budstikke::case::wire::ActionPlan =
        budstikke::case::carried::decode(&request.plan).expect("a plan");
    plan.action_id
}

/// The newest request that the desk took.
async fn newest_request(bench: &Bench) -> ApprovalRequest {
    let desk = bench.desk();
    let request = newest(desk.client, desk.case, |body| match body {
        Body::ApprovalRequest(request) => Some(*request),
        _ => None,
    });
    request.await
}

/// The newest message of a kind that was not refused.
async fn newest<T>(client: &Client, case: &str, of: impl Fn(Body) -> Option<T>) -> T {
    let messages = client.case(case).await.expect("case").messages;
    let mut taken = messages.into_iter().rev().filter(|message| message.refused.is_none());
    let found = taken
        .find_map(|message| of(Received::open(message.content).ok()?.content().body.clone()?));
    found.expect("a message of that kind")
}
