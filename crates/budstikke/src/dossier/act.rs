//! Guarded acts: planned, checked, put before the Ministry, done, reported, closed (guidelines 2.5).
//!
//! What only this mission has to know stays on this device; whatever the Ministry or the person concerned has to know
//! travels as a message, and the step is taken where that message is heard ([`super::hear`]).

use budstikke_case::action::{ActionEvent, ActionPhase, ActionState, CaseFacts, ask};
use budstikke_case::file::{EffectFile, FactsFile, IntakeFile, PlanFile, RiskFile};
use budstikke_case::wire::{
    ActionKind, ActionPlan, ActionStep, ActionUpdate, ApprovalRequest, EffectReport, Fact,
    GuardOverride, ReactionInformed, Scope, VerificationRecord,
};
use budstikke_case::{Body, Hash, Refusal, Warning, action};
use prost::Message;

use super::consent::{fresh, line_of, proofs};
use super::file::{Act, Dossier};
use super::keys::{own_officer, role_for};
use super::view::act_name;
use crate::channel::seat::Seat;
use crate::channel::send::{SendOptions, Sent, post};
use crate::client::{Client, Work, wrong_role};
use crate::error::Error;
use crate::mission::own_device;
use crate::records::{self, CaseRecord};
use crate::view::case_of_name;

/// What stops an act, and what to see before going on.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocks {
    /// All of it, not only the first; empty: it may go ahead.
    pub refusals: Vec<Refusal>,
    /// Worth seeing.
    pub cautions: Vec<Warning>,
}

/// What goes with a request for approval.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Submission {
    /// In the officer's words.
    pub note: String,
    /// When an answer is needed, Unix seconds; 0 = no date.
    pub decide_by_s: i64,
}

impl Client {
    /// Files what this office adds to what was told: items 8 to 11 of the checklist, the source among them, and what
    /// was told outside this channel. Stays on this device; a brief draws on it, and never shows the source.
    ///
    /// # Errors
    /// As [`Client::assess_risk`].
    pub async fn add_to_intake(&self, case: &str, file: IntakeFile) -> Result<(), Error> {
        self.edit(case, move |dossier, _| {
            dossier.own_parts.push(file.intake);
            Ok(())
        })
        .await
    }

    /// Files a risk assessment (Box 2.2); the newest counts. Stays on this device until it goes with a request.
    ///
    /// # Errors
    /// [`Error::WrongRole`] on a defender's device; [`Error::NotFound`].
    pub async fn assess_risk(&self, case: &str, file: RiskFile) -> Result<(), Error> {
        self.edit(case, move |dossier, _| {
            let mut risk = file.risk;
            risk.assessment_id = fresh().to_vec();
            dossier.risk = Some(risk);
            Ok(())
        })
        .await
    }

    /// Files what is known to be so; of a fact the newest status counts. Stays on this device, as an assessment.
    ///
    /// # Errors
    /// As [`Client::assess_risk`].
    pub async fn verify_facts(&self, case: &str, file: FactsFile) -> Result<(), Error> {
        self.edit(case, move |dossier, _| {
            let mut facts = file.facts;
            facts.record_id = fresh().to_vec();
            dossier.facts.push(facts);
            Ok(())
        })
        .await
    }

    /// What would stop an act, before anything is drafted or asked; writes nothing.
    ///
    /// # Errors
    /// As [`Client::assess_risk`].
    pub async fn check_act(&self, case: &str, file: PlanFile) -> Result<Blocks, Error> {
        self.edit(case, move |dossier, now| {
            let (bytes, _) = complete(file, dossier).encode([0; 16]);
            let state = ActionState::draft(bytes)?;
            let facts = dossier.facts_for(&state.plan().publishes_action_id);
            let refusals = action::check(state.plan(), &facts, now);
            Ok(Blocks { refusals, cautions: action::cautions(state.plan(), &facts) })
        })
        .await
    }

    /// Files a plan. Its short name. A plan to publish a démarche is about the newest one that was done.
    ///
    /// # Errors
    /// [`Error::Refused`] W02 for a plan that is not in order, else as [`Client::assess_risk`].
    pub async fn plan_act(&self, case: &str, file: PlanFile) -> Result<String, Error> {
        self.edit(case, move |dossier, _| {
            let id = fresh();
            let (bytes, _) = complete(file, dossier).encode(id);
            let state = ActionState::draft(bytes)?;
            dossier.acts.push(Act { state, request: None, decision: None });
            Ok(act_name(&id))
        })
        .await
    }

    /// Writes a plan anew. A single letter changed is another plan: an approval of the old one no longer counts.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Refused`].
    pub async fn edit_act(&self, case: &str, act: &str, file: PlanFile) -> Result<(), Error> {
        let act = act.to_owned();
        self.edit(case, move |dossier, now| {
            let id = find(dossier, &act)?;
            let file = complete(file, dossier);
            let (bytes, _) = file.encode(records::fixed(&id, "the act")?);
            dossier.step(&id, ActionEvent::Edited(bytes), now)?;
            Ok(())
        })
        .await
    }

    /// Notes that nothing is missing, for an act that needs no approval.
    ///
    /// # Errors
    /// [`Error::Refused`] with the first of what is missing; [`Error::NotFound`].
    pub async fn clear_act(&self, case: &str, act: &str) -> Result<(), Error> {
        let act = act.to_owned();
        self.edit(case, move |dossier, now| {
            let id = find(dossier, &act)?;
            dossier.step(&id, ActionEvent::Cleared, now)?;
            Ok(())
        })
        .await
    }

    /// Puts an act before the Ministry, with the proof of everybody's consent, the assessment and the facts used.
    ///
    /// # Errors
    /// [`Error::Refused`] with the first of what is missing, T06 without a line; [`Error::NotFound`].
    pub async fn submit_act(
        &self,
        case: &str,
        act: &str,
        submission: Submission,
    ) -> Result<Sent, Error> {
        self.on_act(case, act, move |work, case, id| {
            let seat = line_seat(work, case)?;
            let role = role_for(&seat, budstikke_case::Act::SubmitRequest)?;
            let mut dossier = Dossier::of(work, case)?;
            let Some(act) = dossier.act(id) else { return Err(NO_ACT) };
            let (plan, hash) = (act.state.plan_bytes().to_vec(), act.state.plan_hash());
            // What is missing is said before anything is made of what is there.
            let refusals = act.state.blocks(&facts_of(&dossier, act.state.plan()), work.now);
            let not_approval = |r: &Refusal| !r.code().starts_with('A') || r.code() == "A06";
            if let Some(refusal) = refusals.into_iter().find(not_approval) {
                return Err(refusal.into());
            }
            let proofs = proofs_of(&seat, &mut dossier, id, work.now)?;
            dossier.save(work)?;
            let request = ApprovalRequest {
                request_id: fresh().to_vec(),
                plan,
                plan_hash: hash.to_vec(),
                submitted_by: Some(own_officer(&seat, role)?),
                consent_tokens: proofs.iter().map(|(t, _, _)| t.encode_to_vec()).collect(),
                consent_statuses: proofs.iter().map(|(_, s, _)| s.encode_to_vec()).collect(),
                risk_assessment: dossier
                    .risk
                    .as_ref()
                    .map(Message::encode_to_vec)
                    .unwrap_or_default(),
                verification: newest_facts(&dossier).encode_to_vec(),
                decide_by_s: submission.decide_by_s,
                note: submission.note,
            };
            post(work, seat, request.into(), &SendOptions::default())
        })
        .await
    }

    /// Notes that a condition of the approval, counted from 1, is met, and tells the Ministry how.
    ///
    /// # Errors
    /// [`Error::Refused`], [`Error::NotFound`].
    pub async fn meet_condition(
        &self,
        case: &str,
        act: &str,
        condition: u32,
        note: &str,
    ) -> Result<(), Error> {
        let note = note.to_owned();
        self.take_step(case, act, move |update| {
            update.step = ActionStep::ConditionMet.into();
            (update.condition, update.note) = (condition, note);
        })
        .await
    }

    /// Sets the time of an act, Unix seconds.
    ///
    /// # Errors
    /// [`Error::Refused`] with what still stops it; [`Error::NotFound`].
    pub async fn schedule_act(&self, case: &str, act: &str, for_s: i64) -> Result<(), Error> {
        self.take_step(case, act, move |update| {
            (update.step, update.at_s) = (ActionStep::Scheduled.into(), for_s);
        })
        .await
    }

    /// Notes that an act was done. Everybody's consent is looked at once more, as far as this device knows: sync
    /// first. What was seen is recorded, and nothing of it is rewritten later.
    ///
    /// # Errors
    /// [`Error::Refused`] with what stops it; [`Error::NotFound`].
    pub async fn do_act(&self, case: &str, act: &str, note: &str) -> Result<(), Error> {
        let note = note.to_owned();
        self.on_act(case, act, move |work, case, id| {
            let mut dossier = Dossier::of(work, case)?;
            let Some(act) = dossier.act(id) else { return Err(NO_ACT) };
            let (plan, told) = (act.state.plan().clone(), act.request.is_some());
            let refusals = act.state.blocks(&facts_of(&dossier, &plan), work.now);
            if let Some(refusal) = refusals.into_iter().next() {
                return Err(refusal.into());
            }
            let seat = match line_of(work, case)?.filter(|_| told) {
                Some(line) => Seat::case(work, line)?,
                None => Seat::case(work, case.clone())?,
            };
            let proofs = proofs_of(&seat, &mut dossier, id, work.now)?;
            let seen: Vec<Hash> = proofs.iter().map(|(_, _, hash)| *hash).collect();
            if !told {
                dossier.step(id, ActionEvent::Done(seen), work.now)?;
                return dossier.save(work);
            }
            dossier.save(work)?;
            for (_, status, _) in proofs {
                post(work, line_seat(work, case)?, status.into(), &SendOptions::default())?;
            }
            let update = ActionUpdate {
                step: ActionStep::Done.into(),
                consent_statuses_seen: seen.into_iter().map(Hash::to_vec).collect(),
                note,
                ..update_of(work, case, id)?
            };
            post(work, line_seat(work, case)?, update.into(), &SendOptions::default()).map(|_| ())
        })
        .await
    }

    /// Reports what an act led to, with a view on publishing it.
    ///
    /// # Errors
    /// [`Error::Refused`] W04 before it is done; [`Error::NotFound`].
    pub async fn report_effect(
        &self,
        case: &str,
        act: &str,
        file: EffectFile,
    ) -> Result<(), Error> {
        self.on_act(case, act, move |work, case, id| {
            let dossier = Dossier::of(work, case)?;
            let Some(act) = dossier.act(id) else { return Err(NO_ACT) };
            let report = EffectReport {
                action_id: id.to_vec(),
                plan_hash: act.state.plan_hash().to_vec(),
                done_at_s: act.state.done_at().unwrap_or_default(),
                ..file.effect
            };
            if act.request.is_some() {
                let seat = line_seat(work, case)?;
                return post(work, seat, report.into(), &SendOptions::default()).map(|_| ());
            }
            step_here(work, dossier, id, ActionEvent::EffectReported)
        })
        .await
    }

    /// Tells the person concerned what was done, or why nothing was; the Ministry learns that they were told.
    ///
    /// # Errors
    /// [`Error::Refused`] W04 before there is something to tell, T08 in their quiet time; [`Error::NotFound`].
    pub async fn inform_of_act(
        &self,
        case: &str,
        act: &str,
        informed: ReactionInformed,
    ) -> Result<Sent, Error> {
        self.on_act(case, act, move |work, case, id| {
            if case.line {
                return Err(Error::Input {
                    what: "the conversation",
                    why: "this is the line to the Ministry; name the one with the person concerned"
                        .to_owned(),
                });
            }
            let told = Dossier::of(work, case)?.act(id).is_some_and(|act| act.request.is_some());
            let informed = ReactionInformed { action_id: id.to_vec(), ..informed };
            let seat = Seat::case(work, case.clone())?;
            let sent = post(work, seat, informed.clone().into(), &SendOptions::default())?;
            if told {
                let seat = line_seat(work, case)?;
                post(work, seat, informed.into(), &SendOptions::default())?;
            }
            Ok(sent)
        })
        .await
    }

    /// Closes an act: its effect is reported and the person concerned has been told.
    ///
    /// # Errors
    /// [`Error::Refused`] D01, W04; [`Error::NotFound`].
    pub async fn close_act(&self, case: &str, act: &str) -> Result<(), Error> {
        self.take_step(case, act, |update| update.step = ActionStep::Closed.into()).await
    }

    /// Gives an act up. After a withdrawal this is its confirmation by a person.
    ///
    /// # Errors
    /// [`Error::Refused`] C05 while the withdrawal came from a device in doubt, W04 after it was done;
    /// [`Error::NotFound`].
    pub async fn cancel_act(&self, case: &str, act: &str, note: &str) -> Result<(), Error> {
        let note = note.to_owned();
        self.on_act(case, act, move |work, case, id| {
            let mut dossier = Dossier::of(work, case)?;
            let held = dossier.act(id).map(|act| act.state.phase(work.now));
            if held == Some(ActionPhase::OnHold) {
                dossier.step(id, ActionEvent::WithdrawalConfirmed, work.now)?;
                dossier.save(work)?;
            }
            let step = ActionStep::Cancelled.into();
            let update = ActionUpdate { step, note, ..update_of(work, case, id)? };
            tell_step(work, case, id, update)
        })
        .await
    }

    /// Goes on with an act that was held, when consent stands again.
    ///
    /// # Errors
    /// [`Error::Refused`] with the consent that is missing; [`Error::NotFound`].
    pub async fn resume_act(&self, case: &str, act: &str) -> Result<(), Error> {
        self.take_step(case, act, |update| update.step = ActionStep::Resumed.into()).await
    }

    /// Passes a guard that a head of mission may pass, with reasons that the Ministry sees.
    ///
    /// # Errors
    /// [`Error::Refused`] I03 for anybody else, T06 without a line; [`Error::NotFound`].
    pub async fn override_guard(
        &self,
        case: &str,
        act: &str,
        code: &str,
        reasons: &str,
    ) -> Result<Sent, Error> {
        let (code, reasons) = (code.to_owned(), reasons.to_owned());
        self.on_act(case, act, move |work, case, id| {
            let dossier = Dossier::of(work, case)?;
            let Some(act) = dossier.act(id) else { return Err(NO_ACT) };
            let guard = GuardOverride {
                action_id: id.to_vec(),
                plan_hash: act.state.plan_hash().to_vec(),
                code,
                reasons,
                policy_version: action::POLICY_VERSION,
            };
            post(work, line_seat(work, case)?, guard.into(), &SendOptions::default())
        })
        .await
    }

    /// A step that is nothing but an [`ActionUpdate`].
    async fn take_step(
        &self,
        case: &str,
        act: &str,
        fill: impl FnOnce(&mut ActionUpdate) + Send + 'static,
    ) -> Result<(), Error> {
        self.on_act(case, act, move |work, case, id| {
            let mut update = update_of(work, case, id)?;
            fill(&mut update);
            tell_step(work, case, id, update)
        })
        .await
    }

    /// Works on one act of one case.
    async fn on_act<T: Send + 'static>(
        &self,
        case: &str,
        act: &str,
        work_on: impl FnOnce(&Work<'_>, &CaseRecord, &[u8]) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let (case, act) = (case.to_owned(), act.to_owned());
        self.vault(move |work| {
            let case = mission_case(work, &case)?;
            let id = find(&Dossier::of(work, &case)?, &act)?;
            work_on(work, &case, &id)
        })
        .await
    }

    /// Works on the file of a case, which stays on this device.
    async fn edit<T: Send + 'static>(
        &self,
        case: &str,
        edit: impl FnOnce(&mut Dossier, i64) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let case = case.to_owned();
        self.vault(move |work| {
            let case = mission_case(work, &case)?;
            let mut dossier = Dossier::of(work, &case)?;
            let done = edit(&mut dossier, work.now)?;
            dossier.save(work)?;
            Ok(done)
        })
        .await
    }
}

const NO_ACT: Error = Error::NotFound { what: "an act of that name in this case" };

/// A case on an officer's device.
pub(super) fn mission_case(work: &Work<'_>, name: &str) -> Result<CaseRecord, Error> {
    let case = case_of_name(work, name)?;
    if case.defender {
        return Err(wrong_role(work, "an officer's device"));
    }
    own_device(work)?;
    Ok(case)
}

/// The act is being talked over with the person it is about.
pub(super) fn talk_over(work: &Work<'_>, case: &CaseRecord, act: &str) -> Result<(), Error> {
    let dossier = Dossier::of(work, case)?;
    let id = find(&dossier, act)?;
    step_here(work, dossier, &id, ActionEvent::ConsultingDefender)
}

/// The seat on the line that carries the case on.
///
/// # Errors
/// T06 when there is none.
pub(super) fn line_seat(work: &Work<'_>, case: &CaseRecord) -> Result<Seat, Error> {
    match line_of(work, case)? {
        Some(line) => Seat::case(work, records::need(work.tx, &line.id)?),
        None => Err(Refusal::MinistryLegNotAgreed.into()),
    }
}

/// Tells the Ministry of a step, which is taken as it is told; or takes it, when the Ministry was never asked.
fn tell_step(
    work: &Work<'_>,
    case: &CaseRecord,
    id: &[u8],
    update: ActionUpdate,
) -> Result<(), Error> {
    let dossier = Dossier::of(work, case)?;
    if dossier.act(id).is_some_and(|act| act.request.is_some()) {
        let seat = line_seat(work, case)?;
        return post(work, seat, update.into(), &SendOptions::default()).map(|_| ());
    }
    let header = Some(budstikke_case::Header::default());
    let content = budstikke_case::Content { header, body: Some(Body::ActionUpdate(update)) };
    match ActionEvent::of(&content) {
        Some(event) => step_here(work, dossier, id, event),
        None => Ok(()),
    }
}

fn step_here(
    work: &Work<'_>,
    mut dossier: Dossier,
    id: &[u8],
    event: ActionEvent<'_>,
) -> Result<(), Error> {
    dossier.step(id, event, work.now)?;
    dossier.save(work)
}

fn update_of(work: &Work<'_>, case: &CaseRecord, id: &[u8]) -> Result<ActionUpdate, Error> {
    let dossier = Dossier::of(work, case)?;
    let Some(act) = dossier.act(id) else { return Err(NO_ACT) };
    Ok(ActionUpdate {
        action_id: id.to_vec(),
        plan_hash: act.state.plan_hash().to_vec(),
        at_s: work.now,
        ..ActionUpdate::default()
    })
}

fn proofs_of(
    seat: &Seat,
    dossier: &mut Dossier,
    id: &[u8],
    now: i64,
) -> Result<
    Vec<(budstikke_case::wire::ConsentToken, budstikke_case::wire::ConsentStatus, Hash)>,
    Error,
> {
    let Some(act) = dossier.act(id) else { return Err(NO_ACT) };
    let scope = ask(act.state.plan()).map_or(Scope::Unspecified, |ask| ask.scope);
    let persons = act.state.plan().persons.clone();
    proofs(seat, dossier, &persons, scope, now)
}

fn facts_of<'a>(dossier: &'a Dossier, plan: &ActionPlan) -> CaseFacts<'a> {
    dossier.facts_for(&plan.publishes_action_id)
}

/// A file cannot name the démarche that it wants published: it is the newest one that was done.
fn complete(mut file: PlanFile, dossier: &Dossier) -> PlanFile {
    let plan = &mut file.plan;
    let named = plan.publishes_action_id.iter().any(|byte| *byte != 0);
    if plan.kind == i32::from(ActionKind::PublishDemarche) && !named {
        let done = |act: &&Act| {
            act.state.plan().kind == i32::from(ActionKind::Demarche)
                && act.state.done_at().is_some()
        };
        let newest = dossier.acts.iter().rev().find(done);
        plan.publishes_action_id =
            newest.map_or_else(|| vec![0; 16], |act| act.state.plan().action_id.clone());
    }
    file
}

/// The newest status of every fact, in one record.
fn newest_facts(dossier: &Dossier) -> VerificationRecord {
    let mut facts: Vec<Fact> = Vec::new();
    for fact in dossier.facts.iter().rev().flat_map(|record| &record.facts) {
        if !facts.iter().any(|known| known.id == fact.id) {
            facts.push(fact.clone());
        }
    }
    let newest = dossier.facts.last();
    VerificationRecord {
        record_id: newest.map_or_else(|| fresh().to_vec(), |record| record.record_id.clone()),
        made_at_s: newest.map_or(0, |record| record.made_at_s),
        facts,
    }
}

/// The act whose short name begins so, if only one does.
pub(super) fn find(dossier: &Dossier, name: &str) -> Result<Vec<u8>, Error> {
    let name = name.trim().to_ascii_lowercase();
    let ids = dossier.acts.iter().map(|act| &act.state.plan().action_id);
    let mut found = ids.filter(|id| !name.is_empty() && act_name(id).starts_with(&name));
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(id.clone()),
        _ => Err(NO_ACT),
    }
}
