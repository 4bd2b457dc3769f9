//! S1: consent is taken back half-way. Once before the act, once while it is being done.

use std::path::Path;

use super::{DAY, HOUR, again, it_is, told};
use crate::{
    case::{
        Refusal,
        action::ActionPhase,
        file::ConsentFile,
        wire::{ActionKind, Answer, ConsentClaim, IdentityLevel, Scope, Verdict},
    },
    demo::{
        company::Company,
        papers,
        stage::{self, Stage, count, newest},
        stop::Stop,
        teller::Who::{DeciderK, Heron, OfficerA},
    },
};

/// The parts of the story that follow the same beginning.
const CONDITION: &str = "No villages named.";
const REASONS: &str = "A lawyer cannot wait.";
const MET: &str = "Read twice, by two people.";
const NOT_DONE: &str = "Nothing was done: you took your yes back before the note was handed over.";
const DONE: &str = "The note was handed over at 09:10, before your word reached us at 09:30. \
                    Nothing more is made of it, and it is not published.";

/// Both timings, each from the beginning.
pub(super) async fn tell(stage: &mut Stage<'_>, folder: &Path) -> Result<(), Stop> {
    let (company, act) = approved(stage).await?;
    before(stage, company, &act).await?;

    again(stage, &folder.join("again"))?;
    stage.tell.silent(true);
    let (company, act) = approved(stage).await?;
    stage.tell.silent(false);
    after(stage, company, &act).await
}

/// Told, agreed to, briefed, approved on a condition that is met, and given a time: day 3.
async fn approved(stage: &mut Stage<'_>) -> Result<(Company, String), Stop> {
    stage.tell.scene("demo-s1-scene-told");
    let company = Company::gather(stage).await?;
    stage.tell.does(OfficerA, "demo-s-gathered", &[]);
    told(stage, &company).await?;
    stage.tell.does(Heron, "demo-s1-told", &[]);
    stage.tell.does(OfficerA, "demo-s-assessed", &[]);

    stage.tell.scene("demo-s1-scene-approved");
    let Company { heron, a, desk, case, line, .. } = &company;
    a.ask_consent(case, papers::question()?, None).await?;
    company.settle(stage).await?;
    heron.give_consent(case, also_published(papers::answers(stage.now())?)).await?;
    company.settle(stage).await?;
    stage.tell.does(Heron, "demo-s1-consents", &[]);
    company.share(&["HERON", "REED"], IdentityLevel::Alias).await?;
    company.settle(stage).await?;
    stage.tell.does(OfficerA, "demo-s1-briefs", &[]);
    let incidents = newest(&desk.case(line).await?, |body| match body {
        crate::case::Body::CaseBrief(brief) => Some(brief.incidents.len()),
        _ => None,
    });
    stage.tell.check("demo-s1-check-merged", incidents == Some(3))?;

    let act = a.plan_act(case, papers::demarche(|_| {})?).await?;
    let hash = stage::act(a, case, &act).await?.plan_hash;
    company.submit(&act).await?;
    company.settle(stage).await?;
    company.decide(&act, Verdict::Approved, (REASONS, &[CONDITION])).await?;
    company.settle(stage).await?;
    stage.tell.does(DeciderK, "demo-s1-approves", &[]);
    a.meet_condition(case, &act, 1, MET).await?;
    a.schedule_act(case, &act, stage.began + 2 * DAY - HOUR).await?;
    company.settle(stage).await?;
    stage.tell.does(OfficerA, "demo-s1-schedules", &[]);
    let same = stage::act(a, case, &act).await?.plan_hash == hash;
    let scheduled = company.stands(&act, ActionPhase::Scheduled).await?;
    stage.tell.check("demo-s1-check-scheduled", same && scheduled)?;
    Ok((company, act))
}

/// The answers of the file, and a yes to making the note public later.
fn also_published(mut file: ConsentFile) -> ConsentFile {
    let note = file.giving.claims.iter().find(|claim| claim.scope == i32::from(Scope::Demarche));
    let public =
        note.map(|note| ConsentClaim { scope: Scope::PublishDemarche.into(), ..note.clone() });
    file.giving.claims.extend(public);
    file
}

/// 08:00, with the telephone off.
async fn withdraws(stage: &mut Stage<'_>, company: &Company) -> Result<i64, Stop> {
    it_is(stage, 3, (8, 0));
    let Company { heron, case, .. } = company;
    heron.withdraw_consent(case, &[], "").await?;
    stage.tell.does(Heron, "demo-s1-withdraws", &[]);
    stage.tell.check("demo-s1-check-offline", heron.outbox().await?.len() == 1)?;
    Ok(stage.now())
}

/// The word arrives at 09:00; Officer A is about to hand the note over at 09:10.
async fn before(stage: &mut Stage<'_>, company: Company, act: &str) -> Result<(), Stop> {
    stage.tell.scene("demo-s1a-scene");
    let withdrawn_at = withdraws(stage, &company).await?;
    let Company { heron, a, case, .. } = &company;
    let hash = stage::act(a, case, act).await?.plan_hash;
    it_is(stage, 3, (9, 0));
    company.settle(stage).await?;
    stage.tell.does(Heron, "demo-s1a-online", &[]);
    it_is(stage, 3, (9, 10));
    stage.tell.does(OfficerA, "demo-s1a-tries", &[]);
    let c04 = |refusal: &Refusal| matches!(refusal, Refusal::ConsentWithdrawn { at, .. } if *at == withdrawn_at);
    let tried = a.do_act(case, act, "").await;
    stage.tell.stopped(OfficerA, "demo-s1a-check-c04", tried, c04)?;
    stage.tell.sees(DeciderK, "demo-s1a-k-sees", &[]);
    let held = company.stands(act, ActionPhase::OnHold).await?;
    stage.tell.check("demo-s1a-check-held", held)?;
    let tried = a.resume_act(case, act).await;
    stage.tell.does(OfficerA, "demo-s1a-tries-resuming", &[]);
    stage.tell.stopped(OfficerA, "demo-s1a-check-no-way-round", tried, c04)?;

    a.cancel_act(case, act, "HERON means it.").await?;
    company.settle(stage).await?;
    stage.tell.does(OfficerA, "demo-s1a-cancels", &[]);
    let ours = stage::act(a, case, act).await?;
    let never = ours.done_at_s.is_none() && ours.plan_hash == hash;
    let cancelled = company.stands(act, ActionPhase::Cancelled).await?;
    stage.tell.check("demo-s1a-check-cancelled", cancelled && never)?;
    let tried = a.close_act(case, act).await;
    let untold = |refusal: &Refusal| matches!(refusal, Refusal::DefenderNotInformed);
    stage.tell.does(OfficerA, "demo-a-tries-closing", &[]);
    stage.tell.stopped(OfficerA, "demo-check-not-informed", tried, untold)?;
    company.inform(stage, act, Answer::No, NOT_DONE).await?;
    stage.tell.sees(Heron, "demo-s-sees-account", &[]);
    stage.tell.quote(&[NOT_DONE.to_owned()]);
    a.close_act(case, act).await?;
    company.settle(stage).await?;
    let told = count(&heron.case(case).await?, "reaction-informed") == 1;
    let closed = company.stands(act, ActionPhase::Closed).await?;
    stage.tell.check("demo-s-check-closed", closed && told)?;
    company.close().await
}

/// The note is handed over at 09:10; the word arrives at 09:30.
async fn after(stage: &mut Stage<'_>, company: Company, act: &str) -> Result<(), Stop> {
    stage.tell.scene("demo-s1b-scene");
    stage.tell.does(OfficerA, "demo-s1b-again", &[]);
    let withdrawn_at = withdraws(stage, &company).await?;
    let Company { heron, a, k, case, line, .. } = &company;
    it_is(stage, 3, (8, 55));
    company.settle_offices(stage).await?;
    stage.tell.does(OfficerA, "demo-s1b-looks", &[]);
    it_is(stage, 3, (9, 10));
    let done_at = stage.now();
    a.do_act(case, act, "Handed over.").await?;
    let seen = stage::act(a, case, act).await?.consents_seen;
    stage.tell.does(OfficerA, "demo-s1b-does", &[]);
    it_is(stage, 3, (9, 30));
    company.settle(stage).await?;
    stage.tell.does(Heron, "demo-s1b-online", &[]);
    let mut kept = company.stands(act, ActionPhase::EffectDue).await?;
    for view in [stage::act(a, case, act).await?, stage::act(k, line, act).await?] {
        kept &= view.done_at_s == Some(done_at) && view.consents_seen == seen && seen.len() == 1;
        kept &= view.no_further_use.is_some_and(|(_, at)| at == withdrawn_at);
    }
    stage.tell.sees(DeciderK, "demo-s1b-k-sees", &[]);
    stage.tell.check("demo-s1b-check-kept", kept)?;

    a.assess_risk(case, papers::risk(stage.now())?).await?;
    let publish = papers::demarche(|plan| plan.kind = ActionKind::PublishDemarche.into())?;
    stage.tell.does(OfficerA, "demo-s1b-checks-publishing", &[]);
    let blocks = a.check_act(case, publish.clone()).await?.refusals;
    stage.tell.blocks(&blocks);
    let c04 = |refusal: &Refusal| matches!(refusal, Refusal::ConsentWithdrawn { at, .. } if *at == withdrawn_at);
    stage.tell.check("demo-s1b-check-listed", blocks.iter().any(c04))?;
    let publication = a.plan_act(case, publish).await?;
    let tried = company.submit(&publication).await;
    stage.tell.stopped(OfficerA, "demo-s1b-check-c04", tried, c04)?;

    let tried = a.close_act(case, act).await;
    let due = |refusal: &Refusal| matches!(refusal, Refusal::EffectReportDue { by } if *by == done_at + 14 * DAY);
    stage.tell.does(OfficerA, "demo-a-tries-closing", &[]);
    stage.tell.stopped(OfficerA, "demo-check-effect-due", tried, due)?;
    a.report_effect(case, act, papers::effect(stage.now())?).await?;
    company.settle(stage).await?;
    stage.tell.does(OfficerA, "demo-a-reports", &[]);
    company.inform(stage, act, Answer::Yes, DONE).await?;
    stage.tell.sees(Heron, "demo-s-sees-account", &[]);
    stage.tell.quote(&[DONE.to_owned()]);
    a.close_act(case, act).await?;
    company.settle(stage).await?;
    let told = count(&heron.case(case).await?, "reaction-informed") == 1;
    let closed = company.stands(act, ActionPhase::Closed).await?;
    stage.tell.check("demo-s-check-closed", closed && told)?;
    company.close().await
}
