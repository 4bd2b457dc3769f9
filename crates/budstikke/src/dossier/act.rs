//! Guarded acts: planned, checked, put before the Ministry, done, reported, closed (guidelines 2.5).
//!
//! What only this mission has to know stays on this device; whatever the Ministry or the person concerned has to know
//! travels as a message, and the step is taken where that message is heard ([`super::hear`]).

use budstikke_case::action::{ActionEvent, ActionPhase, CaseFacts, ask};
use budstikke_case::file::EffectFile;
use budstikke_case::wire::{
    ActionPlan, ActionStep, ActionUpdate, ApprovalRequest, EffectReport, Fact, GuardOverride,
    ReactionInformed, Scope, VerificationRecord,
};
use budstikke_case::{Body, Hash, Refusal, action};
use prost::Message;

use super::consent::line_of;
use super::file::Dossier;
use super::keys::{own_officer, role_for};
use super::proof::proofs;
use crate::channel::seat::Seat;
use crate::channel::send::{SendOptions, Sent, post};
use crate::client::{Client, Work, wrong_role};
use crate::error::Error;
use crate::mission::own_device;
use crate::random::fresh;
use crate::records::{self, CaseRecord};
use crate::view::{by_name, case_of_name};

/// What goes with a request for approval.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Submission {
    /// In the officer's words.
    pub note: String,
    /// When an answer is needed, Unix seconds; 0 = no date.
    pub decide_by_s: i64,
}

crate::view::debug_name!(Submission);

impl Client {
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
                request_id: fresh::<16>().to_vec(),
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
                verification: facts_used(&dossier, id),
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
            if !told {
                // The Ministry was never asked: nothing of the consents counts as shown to it.
                let seat = Seat::case(work, case.clone())?;
                let proofs = proofs_of(&seat, &mut Dossier::of(work, case)?, id, work.now)?;
                let seen = proofs.iter().map(|(_, _, hash)| *hash).collect();
                dossier.step(id, ActionEvent::Done(seen), work.now)?;
                return dossier.save(work);
            }
            let seen = tell_proofs(work, case, id)?;
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
        self.on_act(case, act, move |work, case, id| {
            let told = Dossier::of(work, case)?.act(id).is_some_and(|act| act.request.is_some());
            if told {
                tell_proofs(work, case, id)?;
            }
            let step = ActionStep::Resumed.into();
            tell_step(work, case, id, ActionUpdate { step, ..update_of(work, case, id)? })
        })
        .await
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
pub(crate) fn line_seat(work: &Work<'_>, case: &CaseRecord) -> Result<Seat, Error> {
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

/// Before a step that rests on consent: sends the Ministry what of it is newer than what it has. Hashes of the
/// statuses sent, one for each person.
fn tell_proofs(work: &Work<'_>, case: &CaseRecord, id: &[u8]) -> Result<Vec<Hash>, Error> {
    let mut dossier = Dossier::of(work, case)?;
    let shown: Vec<_> = dossier
        .consents
        .iter()
        .map(|c| c.statement.token_hash)
        .zip(dossier.consents.iter().map(|c| c.shown.clone()))
        .collect();
    let proofs = proofs_of(&line_seat(work, case)?, &mut dossier, id, work.now)?;
    let asked = dossier.act(id).and_then(|act| act.request.clone()).unwrap_or_default();
    let scope = dossier.act(id).and_then(|act| ask(act.state.plan())).map(|ask| ask.scope);
    let risk = dossier.risk.clone().filter(|risk| risk.encode_to_vec() != asked.risk_assessment);
    dossier.save(work)?;
    let send =
        |body: Body| post(work, line_seat(work, case)?, body, &SendOptions::default()).map(drop);
    if let Some(risk) = risk {
        send(risk.into())?;
    }
    let mut seen = Vec::new();
    for (token, status, hash) in proofs {
        let of_token = budstikke_case::hash::consent_hash(&token.body);
        let known = shown.iter().any(|(token, scopes)| {
            *token == of_token && scope.is_some_and(|scope| scopes.contains(&scope))
        });
        if !known {
            send(token.into())?;
        }
        send(status.into())?;
        seen.push(hash);
    }
    Ok(seen)
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

/// The newest status of every fact that a plan rests on, in one encoded record; empty where it rests on none. What
/// else is known stays here.
fn facts_used(dossier: &Dossier, id: &[u8]) -> Vec<u8> {
    let used = dossier.act(id).map(|act| act.state.plan().facts_used.clone()).unwrap_or_default();
    let mut facts: Vec<Fact> = Vec::new();
    for fact in dossier.facts.iter().rev().flat_map(|record| &record.facts) {
        if used.contains(&fact.id) && !facts.iter().any(|known| known.id == fact.id) {
            facts.push(fact.clone());
        }
    }
    let Some(newest) = dossier.facts.last().filter(|_| !facts.is_empty()) else {
        return Vec::new();
    };
    let (record_id, made_at_s) = (newest.record_id.clone(), newest.made_at_s);
    VerificationRecord { record_id, made_at_s, facts }.encode_to_vec()
}

/// The act whose short name begins so, if only one does.
pub(super) fn find(dossier: &Dossier, name: &str) -> Result<Vec<u8>, Error> {
    let ids = dossier.acts.iter().map(|act| act.state.plan().action_id.clone());
    by_name(ids.map(|id| (id.clone(), id)), name).ok_or(NO_ACT)
}
