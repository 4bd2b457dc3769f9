//! S2: an approval is refused, and there is a quieter way.

use super::{DAY, MINUTE, told};
use crate::{
    case::{
        Refusal,
        action::ActionPhase,
        hash::wording_hash,
        wire::{ActionKind, ActionPlan, Answer, Verdict},
    },
    demo::{
        company::Company,
        papers,
        stage::{self, Stage, count},
        stop::Stop,
        teller::Who::{DeciderK, Heron, OfficerA},
    },
};

const MORE: &str = "Say what has been tried with the lawyers' association.";
const NO: &str = "A public text now would make the hearing harder. Ask the court first.";
const NOTHING: &str = "Nothing was published. The Ministry said no: a public text now could make the \
                       hearing harder.";
const SENT: &str = "A letter asks the court when the hearing is. It names nobody.";

/// From words without consent to a question that the court gets.
pub(super) async fn tell(stage: &mut Stage<'_>) -> Result<(), Stop> {
    stage.tell.scene("demo-s2-scene-words");
    let company = Company::gather(stage).await?;
    stage.tell.does(OfficerA, "demo-s-gathered", &[]);
    told(stage, &company).await?;
    stage.tell.does(Heron, "demo-s2-told", &[]);
    stage.tell.does(OfficerA, "demo-s-assessed", &[]);
    let act = words(stage, &company).await?;
    comma(stage, &company, &act).await?;
    refused(stage, &company, &act).await?;
    enquiry(stage, &company).await?;
    company.close().await
}

/// HERON agrees to words, and to no others.
async fn words(stage: &mut Stage<'_>, company: &Company) -> Result<String, Stop> {
    let Company { heron, a, case, .. } = company;
    a.ask_consent(case, papers::question()?, None).await?;
    company.settle(stage).await?;
    heron.give_consent(case, papers::answers(stage.now())?).await?;
    company.settle(stage).await?;
    stage.tell.does(Heron, "demo-s2-first-answer", &[]);
    let act = a.plan_act(case, papers::statement(|_| {})?).await?;
    stage.tell.does(OfficerA, "demo-s2-tries", &[]);
    let tried = company.submit(&act).await;
    let c01 = |refusal: &Refusal| matches!(refusal, Refusal::ConsentMissing { .. });
    stage.tell.stopped(OfficerA, "demo-s2-check-c01", tried, c01)?;

    stage.clock.advance(MINUTE);
    heron.give_consent(case, papers::answer_to_words(stage.now())?).await?;
    company.settle(stage).await?;
    stage.tell.does(Heron, "demo-s2-consents", &[]);
    a.edit_act(case, &act, papers::statement(with_comma)?).await?;
    stage.tell.does(OfficerA, "demo-s2-other-words", &[]);
    let tried = company.submit(&act).await;
    let c09 = |refusal: &Refusal| matches!(refusal, Refusal::WordingChanged { .. });
    stage.tell.stopped(OfficerA, "demo-s2-check-c09", tried, c09)?;
    a.edit_act(case, &act, papers::statement(|_| {})?).await?;
    company.submit(&act).await?;
    company.settle(stage).await?;
    stage.tell.does(OfficerA, "demo-s2-submits", &[]);
    let waits = company.stands(&act, ActionPhase::AwaitingApproval).await?;
    stage.tell.check("demo-check-awaits", waits)?;
    Ok(act)
}

fn with_comma(plan: &mut ActionPlan) {
    plan.wording = plan.wording.replace("lawyer and", "lawyer, and");
}

/// Sent back, changed by one comma: the old approval does not fit any more.
async fn comma(stage: &mut Stage<'_>, company: &Company, act: &str) -> Result<(), Stop> {
    stage.tell.scene("demo-s2-scene-comma");
    let Company { heron, a, case, .. } = company;
    company.decide(act, Verdict::Returned, (MORE, &[])).await?;
    company.settle(stage).await?;
    stage.tell.does(DeciderK, "demo-s2-returns", &[]);
    stage.tell.quote(&[MORE.to_owned()]);
    let returned = company.stands(act, ActionPhase::Returned).await?;
    stage.tell.check("demo-s2-check-returned", returned)?;

    let before = stage::act(a, case, act).await?.plan_hash;
    let changed = papers::statement(with_comma)?;
    a.edit_act(case, act, changed.clone()).await?;
    stage.tell.does(OfficerA, "demo-s2-edits", &[]);
    let edited = stage::act(a, case, act).await?;
    let another = edited.plan_hash != before && edited.phase == ActionPhase::Draft;
    stage.tell.check("demo-s2-check-another-plan", another)?;
    stage.tell.does(DeciderK, "demo-s2-old-approval", &[]);
    let tried = company.decide(act, Verdict::Approved, ("", &[])).await;
    let w04 = |refusal: &Refusal| matches!(refusal, Refusal::OutOfStep { .. });
    stage.tell.stopped(DeciderK, "demo-s2-check-old-approval", tried, w04)?;

    stage.clock.advance(MINUTE);
    let mut answers = papers::answer_to_words(stage.now())?;
    for claim in &mut answers.giving.claims {
        claim.wording_hash = wording_hash(&changed.plan.wording).to_vec();
    }
    heron.give_consent(case, answers).await?;
    company.settle(stage).await?;
    stage.tell.does(Heron, "demo-s2-consents-again", &[]);
    company.submit(act).await?;
    company.settle(stage).await?;
    stage.tell.does(OfficerA, "demo-s2-submits-again", &[]);
    let waits = company.stands(act, ActionPhase::AwaitingApproval).await?;
    Ok(stage.tell.check("demo-check-awaits", waits)?)
}

/// No is no, under any name.
async fn refused(stage: &mut Stage<'_>, company: &Company, act: &str) -> Result<(), Stop> {
    stage.tell.scene("demo-s2-scene-refused");
    let Company { heron, a, case, .. } = company;
    let decided_at = stage.now();
    company.decide(act, Verdict::Refused, (NO, &[])).await?;
    company.settle(stage).await?;
    stage.tell.does(DeciderK, "demo-s2-refuses", &[]);
    stage.tell.quote(&[NO.to_owned()]);
    let is_refused = company.stands(act, ActionPhase::Refused).await?;
    let reasons = stage::act(a, case, act).await?.decision.map(|decision| decision.reasons);
    let reasons = reasons.as_deref() == Some(NO);
    stage.tell.check("demo-s2-check-refused", is_refused && reasons)?;
    stage.tell.does(OfficerA, "demo-s2-tries-scheduling", &[]);
    let tried = a.schedule_act(case, act, decided_at + DAY).await;
    let a02 =
        |refusal: &Refusal| matches!(refusal, Refusal::ApprovalRefused { at } if *at == decided_at);
    stage.tell.stopped(OfficerA, "demo-s2-check-a02", tried, a02)?;

    let post = papers::statement(|plan| {
        with_comma(plan);
        plan.kind = ActionKind::SocialMediaRecognition.into();
        plan.about_person_at_risk = Answer::Yes.into();
    })?;
    let post = a.plan_act(case, post).await?;
    stage.tell.does(OfficerA, "demo-s2-tries-post", &[]);
    let tried = a.clear_act(case, &post).await;
    let a01 = |refusal: &Refusal| {
        matches!(refusal, Refusal::ApprovalMissing { kind: ActionKind::OfficialStatement })
    };
    stage.tell.stopped(OfficerA, "demo-s2-check-a01", tried, a01)?;

    stage.tell.does(OfficerA, "demo-a-tries-closing", &[]);
    let tried = a.close_act(case, act).await;
    let untold = |refusal: &Refusal| matches!(refusal, Refusal::DefenderNotInformed);
    stage.tell.stopped(OfficerA, "demo-check-not-informed", tried, untold)?;
    company.inform(stage, act, Answer::No, NOTHING).await?;
    stage.tell.sees(Heron, "demo-s-sees-account", &[]);
    stage.tell.quote(&[NOTHING.to_owned()]);
    a.close_act(case, act).await?;
    company.settle(stage).await?;
    let told = count(&heron.case(case).await?, "reaction-informed") == 1;
    let closed = company.stands(act, ActionPhase::Closed).await?;
    Ok(stage.tell.check("demo-s-check-closed", closed && told)?)
}

/// The quieter way: HERON's yes, nobody's approval, and HERON told all the same.
async fn enquiry(stage: &mut Stage<'_>, company: &Company) -> Result<(), Stop> {
    stage.tell.scene("demo-s2-scene-enquiry");
    let Company { heron, a, k, case, line, .. } = company;
    let requests = count(&k.case(line).await?, "approval-request");
    let act = a.plan_act(case, papers::enquiry()?).await?;
    a.clear_act(case, &act).await?;
    a.do_act(case, &act, SENT).await?;
    company.settle(stage).await?;
    stage.tell.does(OfficerA, "demo-s2-enquires", &[]);
    let unasked = count(&k.case(line).await?, "approval-request") == requests;
    let done = stage::act(a, case, &act).await?.done_at_s.is_some();
    stage.tell.check("demo-s2-check-unasked", unasked && done)?;
    stage.tell.does(OfficerA, "demo-a-tries-closing", &[]);
    let tried = a.close_act(case, &act).await;
    let untold = |refusal: &Refusal| matches!(refusal, Refusal::DefenderNotInformed);
    stage.tell.stopped(OfficerA, "demo-check-not-informed", tried, untold)?;
    company.inform(stage, &act, Answer::Yes, SENT).await?;
    stage.tell.sees(Heron, "demo-s-sees-account", &[]);
    stage.tell.quote(&[SENT.to_owned()]);
    a.close_act(case, &act).await?;
    company.settle(stage).await?;
    let told = count(&heron.case(case).await?, "reaction-informed") == 2;
    let closed = stage::act(a, case, &act).await?.phase == ActionPhase::Closed;
    Ok(stage.tell.check("demo-s2-check-closed", closed && told)?)
}
