//! The decision-maker's device checks a request for itself, from the bytes in it.

use super::check::{CaseFacts, blocks, cautions};
use super::{ActionEvent, ActionState, POLICY_VERSION};
use crate::carried::decode;
use crate::consent::{Ledger, Statement, Status, check_status, verify};
use crate::hash::Hash;
use crate::officer::Keys;
use crate::refusal::Refusal;
use crate::warning::Warning;
use crate::wire as w;
use crate::wire::{ApprovalRequest, DecisionBody, Officer, Verdict};

/// What a decision-maker is shown before deciding.
pub struct Review {
    /// The act, as it was put before the Ministry.
    pub state: ActionState,
    /// Who agreed to what, of what was disclosed.
    pub consents: Ledger,
    /// The same, one by one.
    pub statements: Vec<Statement>,
    /// How their tokens stand.
    pub statuses: Vec<Status>,
    /// Box 2.2.
    pub risk: w::RiskAssessment,
    /// What is known to be so.
    pub verification: Vec<w::VerificationRecord>,
    /// Why this cannot be approved; empty = it can.
    pub refusals: Vec<Refusal>,
    /// Worth seeing first.
    pub warnings: Vec<Warning>,
    request: ApprovalRequest,
}

/// Checks a valid request: certificate of the submitter, every token and its status, every guard.
/// `published` is the act that a PUBLISH_DEMARCHE publishes, `overrides` are those that came from
/// a role that may.
///
/// # Errors
/// I04 for the submitter, W02 for bytes that cannot be read. Everything else is in
/// [`Review::refusals`].
pub fn review(
    request: &ApprovalRequest,
    published: Option<&ActionState>,
    overrides: &[w::GuardOverride],
    keys: &impl Keys,
    now: i64,
) -> Result<Review, Refusal> {
    let submitted_by = request.submitted_by.clone().unwrap_or_default();
    if !keys.certified(&submitted_by) {
        return Err(Refusal::RoleCertificateInvalid { reason: "certificate" });
    }
    let mut state = ActionState::draft(request.plan.clone())?;
    let risk: w::RiskAssessment = decode(&request.risk_assessment)?;
    let verification: Vec<w::VerificationRecord> = if request.verification.is_empty() {
        Vec::new()
    } else {
        vec![decode(&request.verification)?]
    };
    let (consents, statements, statuses, mut refusals) = proofs(request, keys, now)?;
    let facts = CaseFacts {
        risk: Some(&risk),
        verification: &verification,
        overrides,
        published,
        ..CaseFacts::new(&consents)
    };
    refusals.extend(blocks(state.plan(), Some(state.plan_hash()), &facts, now));
    let warnings = cautions(state.plan(), &facts);
    if refusals.is_empty() {
        state.apply(ActionEvent::Submitted(request), &facts, now)?;
    }
    let request = request.clone();
    Ok(Review {
        state,
        consents,
        statements,
        statuses,
        risk,
        verification,
        refusals,
        warnings,
        request,
    })
}

type Proofs = (Ledger, Vec<Statement>, Vec<Status>, Vec<Refusal>);

fn proofs(request: &ApprovalRequest, keys: &impl Keys, now: i64) -> Result<Proofs, Refusal> {
    let statuses_sent: Vec<w::ConsentStatus> =
        request.consent_statuses.iter().map(|bytes| decode(bytes)).collect::<Result<_, _>>()?;
    let (mut ledger, mut statements, mut statuses) = (Ledger::new(), Vec::new(), Vec::new());
    let mut refusals = Vec::new();
    for bytes in &request.consent_tokens {
        let token: w::ConsentToken = decode(bytes)?;
        let mut statement = match verify(&token, keys) {
            Ok(statement) => statement,
            Err(refusal) => {
                refusals.push(refusal);
                continue;
            }
        };
        let status = of(&statement, &statuses_sent)
            .map_or(Err(Refusal::ConsentProofInvalid { step: "status" }), |status| {
                check_status(status, &statement, keys, now)
            });
        match status {
            Ok(status) => {
                statement.affirmed_at_s = statement.affirmed_at_s.max(status.affirmed_at_s);
                statuses.push(status);
            }
            Err(refusal) => {
                refusals.push(refusal);
                continue;
            }
        }
        ledger.add(statement.clone());
        statements.push(statement);
    }
    Ok((ledger, statements, statuses, refusals))
}

/// The newest status of a statement.
fn of<'a>(statement: &Statement, sent: &'a [w::ConsentStatus]) -> Option<&'a w::ConsentStatus> {
    let body = |status: &w::ConsentStatus| decode::<w::ConsentStatusBody>(&status.body).ok();
    let about = sent.iter().filter(|status| {
        body(status).and_then(|b| Hash::from_slice(&b.token_hash)) == Some(statement.token_hash)
    });
    about.max_by_key(|status| body(status).map_or(0, |b| b.as_of_s))
}

impl Review {
    /// A decision on this request, to be signed ([`crate::officer::attest`] in
    /// [`crate::officer::DECISION_DOMAIN`] over its encoding). Reasons, conditions and validity are
    /// the decision-maker's to fill in.
    ///
    /// # Errors
    /// The first of [`Review::refusals`] for an approval; a no needs nothing.
    pub fn decision(
        &self,
        decision_id: [u8; 16],
        verdict: Verdict,
        now: i64,
    ) -> Result<DecisionBody, Refusal> {
        if let (Verdict::Approved, Some(refusal)) = (verdict, self.refusals.first()) {
            return Err(refusal.clone());
        }
        Ok(DecisionBody {
            decision_id: decision_id.to_vec(),
            request_id: self.request.request_id.clone(),
            action_id: self.state.plan().action_id.clone(),
            plan_hash: self.state.plan_hash().to_vec(),
            verdict: verdict.into(),
            decided_at_s: now,
            consent_statuses_seen: self.statuses.iter().map(|s| s.hash.to_vec()).collect(),
            policy_version: POLICY_VERSION,
            ..DecisionBody::default()
        })
    }

    /// Who asks.
    pub fn submitted_by(&self) -> Officer {
        self.request.submitted_by.clone().unwrap_or_default()
    }
}

impl std::fmt::Debug for Review {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Review")
    }
}
