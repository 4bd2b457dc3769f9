//! What an office keeps to itself until it asks somebody: its own part of the account, the assessment, the facts, and
//! plans with everything that stops them.

use budstikke_case::action::{self, ActionEvent, ActionState};
use budstikke_case::file::{FactsFile, IntakeFile, PlanFile, RiskFile};
use budstikke_case::wire::ActionKind;
use budstikke_case::{Refusal, Warning};

use super::act::{find, mission_case};
use super::consent::line_stands;
use super::file::{Act, Dossier};
use crate::client::Client;
use crate::error::Error;
use crate::random::fresh;
use crate::records;
use crate::view::short;

/// What stops an act, and what to see before going on.
#[derive(Clone, Debug, PartialEq)]
pub struct Blocks {
    /// All of it, not only the first; empty: it may go ahead.
    pub refusals: Vec<Refusal>,
    /// Worth seeing.
    pub cautions: Vec<Warning>,
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
            risk.assessment_id = fresh::<16>().to_vec();
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
            facts.record_id = fresh::<16>().to_vec();
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
        let case = case.to_owned();
        self.vault(move |work| {
            let case = mission_case(work, &case)?;
            let dossier = Dossier::of(work, &case)?;
            let (bytes, _) = complete(file, &dossier).encode([0; 16]);
            let state = ActionState::draft(bytes)?;
            let facts = dossier.facts_for(&state.plan().publishes_action_id);
            let mut refusals = action::check(state.plan(), &facts, work.now);
            let asks = |refusal: &Refusal| matches!(refusal, Refusal::ApprovalMissing { .. });
            if refusals.iter().any(asks) && !line_stands(work, &case)? {
                refusals.push(Refusal::MinistryLegNotAgreed);
            }
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
            let id = fresh::<16>();
            let (bytes, _) = complete(file, dossier).encode(id);
            let state = ActionState::draft(bytes)?;
            dossier.acts.push(Act::new(state));
            Ok(short(&id))
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
