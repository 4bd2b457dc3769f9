//! A démarche: everything that stops it shown first, approved by who may, done, reported, and HERON
//! told before it is over.

use budstikke::Error;

use crate::{
    case::{
        Refusal,
        action::ActionPhase,
        wire::{Answer, Verdict},
    },
    demo::{
        cast,
        company::Company,
        papers,
        stage::{self, Stage, count},
        stop::Stop,
        teller::Who::{DeciderK, DeskM, Heron, OfficerA, Relay},
    },
};

const CONDITION: &str = "No villages named.";
const REASONS: &str = "A lawyer cannot wait, and quiet is what HERON asks for.";
const MET: &str = "Read twice, by two people.";
const HANDED_OVER: &str = "The note was handed over to the foreign ministry. It names nobody.";

/// From the first draft to closed.
pub(super) async fn tell(stage: &mut Stage<'_>, company: &Company) -> Result<(), Stop> {
    let act = plan(stage, company).await?;
    approval(stage, company, &act).await?;
    done(stage, company, &act).await?;
    closing(stage, company, &act).await
}

/// Planned on a fact that nobody has verified.
async fn plan(stage: &mut Stage<'_>, company: &Company) -> Result<String, Stop> {
    stage.tell.scene("demo-scene-plan");
    let Company { a, k, case, line, .. } = company;
    let draft = papers::demarche(|plan| plan.facts_used.push("foreman".to_owned()))?;
    stage.tell.does(OfficerA, "demo-a-checks-act", &[]);
    let blocks = a.check_act(case, draft.clone()).await?.refusals;
    stage.tell.blocks(&blocks);
    let codes: Vec<_> = blocks.iter().map(Refusal::code).collect();
    stage.tell.check("demo-check-blocks", codes == ["F01", "A01"])?;

    let act = a.plan_act(case, draft).await?;
    stage.tell.does(OfficerA, "demo-a-tries-unverified", &[]);
    let tried = company.submit(&act).await;
    let f01 = |refusal: &Refusal| matches!(refusal, Refusal::FactsNotVerified { .. });
    stage.tell.stopped(OfficerA, "demo-check-f01", tried, f01)?;
    company.settle(stage).await?;
    let nothing = count(&k.case(line).await?, "approval-request") == 0;
    stage.tell.check("demo-check-nothing-asked", nothing)?;

    a.edit_act(case, &act, papers::demarche(|_| {})?).await?;
    company.submit(&act).await?;
    company.settle(stage).await?;
    stage.tell.does(OfficerA, "demo-a-submits", &[]);
    stage.tell.sees(Relay, "demo-relay-sees-line", &[]);
    let waits = company.stands(&act, ActionPhase::AwaitingApproval).await?;
    stage.tell.check("demo-check-awaits", waits)?;
    Ok(act)
}

/// Who asked cannot decide; who decides sees one answer of HERON's and not the others.
async fn approval(stage: &mut Stage<'_>, company: &Company, act: &str) -> Result<(), Stop> {
    stage.tell.scene("demo-scene-approval");
    let Company { a, desk, k, case, line, .. } = company;
    let ruling = budstikke::Ruling { verdict: Verdict::Approved, ..Default::default() };
    stage.tell.does(OfficerA, "demo-a-tries-deciding", &[]);
    let tried = a.decide(line, act, ruling.clone()).await;
    let i03 = |refusal: &Refusal| matches!(refusal, Refusal::RoleNotPermitted { .. });
    stage.tell.stopped(OfficerA, "demo-check-own-request", tried, i03)?;
    stage.tell.does(DeskM, "demo-m-tries-deciding", &[]);
    let tried = desk.decide(line, act, ruling).await;
    stage.tell.stopped(DeskM, "demo-check-desk-decides-not", tried, i03)?;

    let request = k.request(line, act).await?;
    let asked = [("who", request.submitted_by.label.clone().into())];
    stage.tell.sees(DeciderK, "demo-k-sees-request", &asked);
    let sound = request.refusals.is_empty() && request.submitted_by.label == cast::OFFICER_A;
    stage.tell.check("demo-check-request-sound", sound)?;
    let consents = k.file(line).await?.consents;
    let of_act = consents.iter().filter(|consent| !consent.whole);
    let one_each = of_act.clone().all(|consent| consent.answers.len() == 1);
    let one_each = one_each && of_act.count() == consents.len() && !consents.is_empty();
    stage.tell.check("demo-check-one-answer", one_each)?;

    stage.hide.text(REASONS);
    company.decide(act, Verdict::Approved, (REASONS, &[CONDITION])).await?;
    company.settle(stage).await?;
    stage.tell.does(DeciderK, "demo-k-approves", &[]);
    stage.tell.quote(&[CONDITION.to_owned()]);
    let ours = stage::act(a, case, act).await?;
    let bound = ours.plan_hash == request.act.plan_hash;
    let cleared = company.stands(act, ActionPhase::Cleared).await?;
    Ok(stage.tell.check("demo-check-approved", cleared && bound)?)
}

/// Not before the condition is met.
async fn done(stage: &mut Stage<'_>, company: &Company, act: &str) -> Result<(), Stop> {
    stage.tell.scene("demo-scene-done");
    let Company { a, case, line, k, .. } = company;
    stage.tell.does(OfficerA, "demo-a-tries-done", &[]);
    let tried = a.do_act(case, act, "").await;
    let a05 =
        |refusal: &Refusal| matches!(refusal, Refusal::ApprovalConditionOpen { condition: 1 });
    stage.tell.stopped(OfficerA, "demo-check-a05", tried, a05)?;
    a.meet_condition(case, act, 1, MET).await?;
    stage.tell.does(OfficerA, "demo-a-meets", &[]);
    stage.tell.quote(&[MET.to_owned()]);
    a.do_act(case, act, HANDED_OVER).await?;
    company.settle(stage).await?;
    stage.tell.does(OfficerA, "demo-a-does", &[]);
    stage.tell.sees(DeciderK, "demo-k-sees-done", &[]);
    let (ours, theirs) = (stage::act(a, case, act).await?, stage::act(k, line, act).await?);
    let same = ours.done_at_s.is_some()
        && ours.done_at_s == theirs.done_at_s
        && ours.consents_seen.len() == 1
        && ours.consents_seen == theirs.consents_seen;
    Ok(stage.tell.check("demo-check-done", same)?)
}

/// Not before its effect is reported, and not before HERON has been told.
async fn closing(stage: &mut Stage<'_>, company: &Company, act: &str) -> Result<(), Stop> {
    stage.tell.scene("demo-scene-closing");
    let Company { heron, a, case, .. } = company;
    stage.tell.does(OfficerA, "demo-a-tries-closing", &[]);
    let tried: Result<(), Error> = a.close_act(case, act).await;
    let due = |refusal: &Refusal| matches!(refusal, Refusal::EffectReportDue { .. });
    stage.tell.stopped(OfficerA, "demo-check-effect-due", tried, due)?;
    a.report_effect(case, act, papers::effect(stage.now())?).await?;
    company.settle(stage).await?;
    stage.tell.does(OfficerA, "demo-a-reports", &[]);
    let tried = a.close_act(case, act).await;
    let untold = |refusal: &Refusal| matches!(refusal, Refusal::DefenderNotInformed);
    stage.tell.stopped(OfficerA, "demo-check-not-informed", tried, untold)?;
    company.inform(stage, act, Answer::Yes, HANDED_OVER).await?;
    stage.tell.does(OfficerA, "demo-a-informs", &[]);
    stage.tell.quote(&[HANDED_OVER.to_owned()]);
    stage.tell.sees(Heron, "demo-heron-sees-account", &[]);
    let told = count(&heron.case(case).await?, "reaction-informed") == 1;
    stage.tell.check("demo-check-informed", told)?;
    a.close_act(case, act).await?;
    company.settle(stage).await?;
    stage.tell.does(OfficerA, "demo-a-closes", &[]);
    let closed = company.stands(act, ActionPhase::Closed).await?;
    Ok(stage.tell.check("demo-check-closed", closed)?)
}
