//! The Ministry's side of an approval: the request looked at from its own bytes, and the decision.

use budstikke_case::action::{ActionPhase, review};
use budstikke_case::officer::DECISION_DOMAIN;
use budstikke_case::wire::{
    ApprovalRequest, Decision, Officer, RiskAssessment, Verdict, VerificationRecord,
};
use budstikke_case::{Act, Refusal, Warning};
use prost::Message;

use super::act::{find, mission_case};
use super::file::Dossier;
use super::keys::{Members, attest, role_for};
use super::view::ActView;
use crate::channel::seat::{Seat, terms_of};
use crate::channel::send::{SendOptions, Sent, post};
use crate::client::{Client, Work};
use crate::error::Error;
use crate::mission::own_authority;
use crate::random::fresh;
use crate::records::CaseRecord;

/// A request for approval, checked anew on this device at this moment.
#[derive(Clone)]
#[non_exhaustive]
pub struct RequestView {
    /// The act.
    pub act: ActView,
    /// Who asks.
    pub submitted_by: Officer,
    /// In their words.
    pub note: String,
    /// When they need an answer, Unix seconds; 0 = no date.
    pub decide_by_s: i64,
    /// Box 2.2.
    pub risk: RiskAssessment,
    /// What is known to be so.
    pub facts: Vec<VerificationRecord>,
    /// Why it cannot be approved now; empty: it can.
    pub refusals: Vec<Refusal>,
    /// Worth seeing first.
    pub cautions: Vec<Warning>,
}

/// What a decision-maker says beside yes or no.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Ruling {
    /// The verdict; unspecified counts as no.
    pub verdict: Verdict,
    /// In plain words; the mission tells the person concerned.
    pub reasons: String,
    /// Each is to be met, and said to be met, before the act.
    pub conditions: Vec<String>,
    /// Until when an approval holds, Unix seconds; 0 = the default of the guard table.
    pub valid_until_s: i64,
    /// Whether an act without consent is accepted, where that can be at all.
    pub exception_accepted: bool,
    /// Where the Ministry would rather publish than the mission.
    pub choose_channel: String,
}

crate::view::debug_name!(Ruling, RequestView);

impl Client {
    /// What a decision-maker sees before deciding on an act that was put before the Ministry.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is no such request; [`Error::Refused`] I04 when whoever asks is no member of
    /// this line any more.
    pub async fn request(&self, line: &str, act: &str) -> Result<RequestView, Error> {
        let (line, act) = (line.to_owned(), act.to_owned());
        self.vault(move |work| {
            let case = mission_case(work, &line)?;
            let dossier = Dossier::of(work, &case)?;
            let (act, request) = requested(&dossier, &act)?;
            let review = look(work, &case, &dossier, &request)?;
            let Some(act) = dossier.act(&act) else { return Err(NO_REQUEST) };
            Ok(RequestView {
                act: ActView::of(&dossier, act, work.now),
                submitted_by: review.submitted_by(),
                note: request.note.clone(),
                decide_by_s: request.decide_by_s,
                risk: review.risk.clone(),
                facts: review.verification.clone(),
                refusals: review.refusals.clone(),
                cautions: review.warnings.clone(),
            })
        })
        .await
    }

    /// Decides on a request, signed with this decision-maker's key and bound to the plan as it was put.
    ///
    /// # Errors
    /// [`Error::Refused`]: I03 for anybody but a decision-maker, I06 for whoever asked, for an approval the first of
    /// [`RequestView::refusals`]; [`Error::NotFound`].
    pub async fn decide(&self, line: &str, act: &str, ruling: Ruling) -> Result<Sent, Error> {
        let (line, act) = (line.to_owned(), act.to_owned());
        self.vault(move |work| {
            own_authority(work)?;
            let case = mission_case(work, &line)?;
            let dossier = Dossier::of(work, &case)?;
            let (id, request) = requested(&dossier, &act)?;
            open_for(&dossier, &id, ruling.verdict, work.now)?;
            let review = look(work, &case, &dossier, &request)?;
            let seat = Seat::case(work, case)?;
            let role = role_for(&seat, Act::Decide)?;
            let mut body = review.decision(fresh(), ruling.verdict, work.now)?;
            body.reasons = ruling.reasons;
            body.conditions = ruling.conditions;
            body.valid_until_s = ruling.valid_until_s;
            body.exception_accepted = ruling.exception_accepted;
            body.choose_channel = ruling.choose_channel;
            let body = body.encode_to_vec();
            let by = Some(attest(&seat, role, DECISION_DOMAIN, &body)?);
            post(work, seat, Decision { body, by }.into(), &SendOptions::default())
        })
        .await
    }
}

const NO_REQUEST: Error = Error::NotFound { what: "a request for approval of that name" };

fn requested(dossier: &Dossier, act: &str) -> Result<(Vec<u8>, ApprovalRequest), Error> {
    let id = find(dossier, act)?;
    let request = dossier.act(&id).and_then(|act| act.request.clone());
    request.map(|request| (id, request)).ok_or(NO_REQUEST)
}

/// A decision that would change nothing is not sent: a second yes, or anything after a no. A no after a yes is.
fn open_for(dossier: &Dossier, id: &[u8], verdict: Verdict, now: i64) -> Result<(), Refusal> {
    let Some(act) = dossier.act(id) else { return Ok(()) };
    let phase = act.state.phase(now);
    let open = match phase {
        ActionPhase::AwaitingApproval | ActionPhase::OnHold => true,
        ActionPhase::Cleared | ActionPhase::Scheduled => verdict != Verdict::Approved,
        _ => false,
    };
    if open { Ok(()) } else { Err(Refusal::OutOfStep { step: "decide", phase: phase.name() }) }
}

/// Everything checked again, now: a consent status that was fresh when it came may not be.
fn look(
    work: &Work<'_>,
    case: &CaseRecord,
    dossier: &Dossier,
    request: &ApprovalRequest,
) -> Result<budstikke_case::action::Review, Error> {
    let seat = Seat::case(work, case.clone())?;
    let members = Members::of(work, &seat, terms_of(case)?.leg())?;
    let plan: budstikke_case::wire::ActionPlan = budstikke_case::carried::decode(&request.plan)?;
    let published = dossier.act(&plan.publishes_action_id).map(|act| &act.state);
    // What the mission has told since it asked is newer than what it asked with.
    let mut newest = request.clone();
    newest.consent_statuses.extend(dossier.statuses.iter().map(Message::encode_to_vec));
    let mut review = review(&newest, published, &dossier.overrides, &members, work.now)?;
    // What was taken back since stands in this file, not in the request.
    if let Some(act) = dossier.act(&plan.action_id) {
        let facts = dossier.facts_for(&plan.publishes_action_id);
        let consent = |refusal: &Refusal| refusal.code().starts_with('C');
        let since = act.state.blocks(&facts, work.now).into_iter().filter(consent);
        for refusal in since {
            if !review.refusals.contains(&refusal) {
                review.refusals.push(refusal);
            }
        }
    }
    Ok(review)
}
