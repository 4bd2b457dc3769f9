//! The file of a case, to be shown.

use budstikke_case::action::{ActionPhase, cautions};
use budstikke_case::wire::{
    ActionPlan, ConsentClaim, ConsentState, DecisionBody, GiverBasis, RiskAssessment, Scope,
    VerificationRecord,
};
use budstikke_case::{Refusal, Warning};

use super::alert::{self, AlertView};
use super::file::{Act, Consent, Dossier};
use crate::client::Client;
use crate::error::Error;
use crate::view::{case_of_name, debug_name, short};

/// What stands in a case beside its messages.
#[derive(Clone)]
#[non_exhaustive]
pub struct CaseFile {
    /// Who said what about which act, oldest first.
    pub consents: Vec<ConsentView>,
    /// The newest assessment (Box 2.2).
    pub risk: Option<RiskAssessment>,
    /// What is known to be so, oldest first; of a fact the newest status counts.
    pub facts: Vec<VerificationRecord>,
    /// Guarded acts, oldest first.
    pub acts: Vec<ActView>,
    /// Alerts, oldest first.
    pub alerts: Vec<AlertView>,
}

/// A consent.
#[derive(Clone)]
#[non_exhaustive]
pub struct ConsentView {
    /// Its short name.
    pub id: String,
    /// Alias of the person it is about.
    pub person: String,
    /// Why the giver may speak for them.
    pub basis: GiverBasis,
    /// Whether it was said to officers rather than signed.
    pub oral: bool,
    /// How many officers attest it.
    pub officers: usize,
    /// Unix seconds.
    pub given_at_s: i64,
    /// Unix seconds.
    pub expires_at_s: i64,
    /// When it was last stood by, Unix seconds.
    pub affirmed_at_s: i64,
    /// The answers with how each stands, and when it was taken back (Unix seconds).
    pub answers: Vec<(ConsentClaim, ConsentState, Option<i64>)>,
    /// Whether all answers are here, or only those that one act needed.
    pub whole: bool,
    /// Whether it is known that whoever gave it may ([`Client::vouch_for_consent`]).
    pub vouched: bool,
}

/// A guarded act.
#[derive(Clone)]
#[non_exhaustive]
pub struct ActView {
    /// Its short name.
    pub id: String,
    /// The plan as it stands.
    pub plan: ActionPlan,
    /// Hash of the plan, 64 hexadecimal digits: what an approval names.
    pub plan_hash: String,
    /// Where it stands.
    pub phase: ActionPhase,
    /// What stops it from being done now.
    pub refusals: Vec<Refusal>,
    /// Worth seeing before going on.
    pub cautions: Vec<Warning>,
    /// The Ministry's newest decision.
    pub decision: Option<DecisionBody>,
    /// Until when the approval holds, Unix seconds.
    pub approved_until_s: Option<i64>,
    /// When it is to be done, Unix seconds; 0 = no time set.
    pub scheduled_for_s: i64,
    /// When it was done, Unix seconds.
    pub done_at_s: Option<i64>,
    /// Hashes of the consent statuses seen when it was done, 64 hexadecimal digits each.
    pub consents_seen: Vec<String>,
    /// When the report on its effect is due, Unix seconds.
    pub effect_due_s: Option<i64>,
    /// Label of who goes on with it, where it was handed over.
    pub owner: Option<String>,
    /// Who took consent back after it was done, and when: nothing more is made of it.
    pub no_further_use: Option<(String, i64)>,
}

debug_name!(CaseFile, ConsentView, ActView);

impl Client {
    /// The file of a case: consents, assessment, facts, acts and alerts. A mission's line shows that of the case it
    /// carries on.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Vault`].
    pub async fn file(&self, case: &str) -> Result<CaseFile, Error> {
        let case = case.to_owned();
        self.vault(move |work| {
            let file = Dossier::of(work, &case_of_name(work, &case)?)?;
            let consents = file.consents.iter().map(|c| ConsentView::of(&file, c, work.now));
            Ok(CaseFile {
                consents: consents.collect(),
                risk: file.risk.clone(),
                facts: file.facts.clone(),
                acts: file.acts.iter().map(|act| ActView::of(&file, act, work.now)).collect(),
                alerts: file
                    .alerts
                    .iter()
                    .map(|kept| alert::view(work, kept))
                    .collect::<Result<_, _>>()?,
            })
        })
        .await
    }
}

impl ConsentView {
    fn of(file: &Dossier, consent: &Consent, now: i64) -> Self {
        let statement = &consent.statement;
        let answers = statement.claims.iter().map(|claim| {
            let scope = Scope::try_from(claim.scope).unwrap_or_default();
            let status = file.ledger.status(statement, &[scope], now);
            let state = ConsentState::try_from(status.state).unwrap_or_default();
            let at = (status.withdrawn_at_s != 0).then_some(status.withdrawn_at_s);
            (claim.clone(), state, at)
        });
        Self {
            id: short(&statement.record_id),
            person: statement.person.clone(),
            basis: statement.basis,
            oral: statement.oral,
            officers: statement.officers,
            given_at_s: statement.given_at_s,
            expires_at_s: statement.expires_at_s,
            affirmed_at_s: statement.affirmed_at_s,
            answers: answers.collect(),
            whole: consent.record.is_some(),
            vouched: consent.vouched,
        }
    }
}

impl ActView {
    pub(super) fn of(file: &Dossier, act: &Act, now: i64) -> Self {
        let state = &act.state;
        let plan = state.plan();
        let facts = file.facts_for(&plan.publishes_action_id);
        let over = matches!(state.phase(now), ActionPhase::Closed | ActionPhase::Cancelled);
        let done = state.done_at().is_some() || over;
        let hex = |hash: &budstikke_case::Hash| data_encoding::HEXLOWER.encode(hash.as_bytes());
        Self {
            id: short(&plan.action_id),
            plan: plan.clone(),
            plan_hash: hex(&state.plan_hash()),
            phase: state.phase(now),
            // What was done is not stopped any more.
            refusals: if done { Vec::new() } else { state.blocks(&facts, now) },
            cautions: if done { Vec::new() } else { cautions(plan, &facts) },
            decision: act.decision.clone(),
            approved_until_s: state.approved_until(),
            scheduled_for_s: state.scheduled_for_s(),
            done_at_s: state.done_at(),
            consents_seen: state.statuses_seen().iter().map(hex).collect(),
            effect_due_s: state.effect_due_s().filter(|_| !state.effect_reported()),
            owner: state.owner().map(|owner| owner.label.clone()),
            no_further_use: state.no_further_use().map(|(who, at)| (who.to_owned(), at)),
        }
    }
}
