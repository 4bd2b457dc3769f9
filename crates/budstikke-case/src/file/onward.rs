//! Consent, risk, facts, plans and alerts from files. Ids and times are set by the client.

use prost::Message as _;

use super::intake::language;
use super::table::Table;
use super::{FileError, Format};
use crate::hash::{Hash, plan_hash};
use crate::validate::{validate_alert, validate_facts, validate_plan, validate_risk};
use crate::wire as w;
use crate::wire::{Answer, IdentityLevel};
use crate::{action, alert};

const DAY_S: i64 = 86_400;
/// How long a consent holds that does not say.
const CONSENT_DAYS: u32 = 30;

/// Answers to what the mission asked; refusals too.
#[derive(Clone, PartialEq)]
pub struct ConsentFile {
    /// Not signed yet; its `record_id` is zero until the client sets it.
    pub giving: crate::consent::Giving,
    /// BCP 47; `en` when absent.
    pub language: String,
}

/// A question for consent.
#[derive(Clone, PartialEq)]
pub struct ConsentRequestFile {
    /// The request; its id is set by the client.
    pub request: w::ConsentRequest,
    /// BCP 47; `en` when absent.
    pub language: String,
}

/// Box 2.2.
#[derive(Clone, PartialEq)]
pub struct RiskFile {
    /// The assessment; its id is set by the client.
    pub risk: w::RiskAssessment,
}

/// What is known to be so.
#[derive(Clone, PartialEq)]
pub struct FactsFile {
    /// The record; its id is set by the client.
    pub facts: w::VerificationRecord,
}

/// What is meant to be done.
#[derive(Clone, PartialEq)]
pub struct PlanFile {
    /// The plan; its action id is set by the client.
    pub plan: w::ActionPlan,
}

/// An alert.
#[derive(Clone, PartialEq)]
pub struct AlertFile {
    /// The alert; its id is set by the client.
    pub alert: w::Alert,
}

/// What an act led to.
#[derive(Clone, PartialEq)]
pub struct EffectFile {
    /// The report; what it is about is set by the client.
    pub effect: w::EffectReport,
}

/// Sixteen zero bytes stand where the client puts an id, so that a file can be checked alone.
fn no_id() -> Vec<u8> {
    vec![0; 16]
}

impl ConsentFile {
    /// Reads answers given at `now`; valid for 30 days unless the file says otherwise.
    ///
    /// # Errors
    /// With the path of the field.
    pub fn parse(text: &str, format: Format, now: i64) -> Result<Self, FileError> {
        let value = format.read(text)?;
        let mut t = Table::root(&value)?;
        let language = language(&mut t)?;
        let given_at_s = now - now.rem_euclid(60);
        let days = or(t.number("valid_days")?, CONSENT_DAYS);
        let basis = or(t.word::<w::GiverBasis>("basis")?, w::GiverBasis::Self_.into());
        let giving = crate::consent::Giving {
            record_id: [0; 16],
            person: t.text("person")?,
            person_is_group: t.flag("person_is_group")?,
            basis: w::GiverBasis::try_from(basis).unwrap_or_default(),
            given_at_s,
            expires_at_s: given_at_s.saturating_add(i64::from(days) * DAY_S),
            claims: t.tables("answers", answer)?,
            giver: t.text("giver")?,
            why_not_self: t.word::<w::WhyNotSelf>("why_not_self")?,
            attempts_to_reach: t.texts("attempts_to_reach")?,
            risks_understood: t.flag("risks_understood")?,
            in_reply_to: Vec::new(),
        };
        t.finish()?;
        Ok(Self { giving, language })
    }
}

fn answer(t: &mut Table<'_>) -> Result<w::ConsentClaim, FileError> {
    let wording = t.text("wording")?;
    let worded = !wording.is_empty();
    Ok(w::ConsentClaim {
        scope: t.word::<w::Scope>("scope")?,
        choice: t.word::<w::Choice>("choice")?,
        identity: or(t.word::<IdentityLevel>("identity")?, IdentityLevel::Alias.into()),
        conditions: t.texts("conditions")?,
        wording_hash: if worded {
            crate::hash::wording_hash(&wording).to_vec()
        } else {
            Vec::new()
        },
        expires_at_s: t.date("expires")?,
        activation: or(t.word::<w::Activation>("activation")?, w::Activation::Always.into()),
    })
}

impl ConsentRequestFile {
    /// Reads a question.
    ///
    /// # Errors
    /// With the path of the field.
    pub fn parse(text: &str, format: Format) -> Result<Self, FileError> {
        let value = format.read(text)?;
        let mut t = Table::root(&value)?;
        let language = language(&mut t)?;
        let request = w::ConsentRequest {
            request_id: no_id(),
            person: t.text("person")?,
            acts: t.tables("acts", |t| {
                Ok(w::AskedAct {
                    scope: t.word::<w::Scope>("scope")?,
                    identity: or(t.word::<IdentityLevel>("identity")?, IdentityLevel::Alias.into()),
                    what: t.text("what")?,
                    wording: t.text("wording")?,
                })
            })?,
            alternatives: t.texts("alternatives")?,
            risks_explained: t.text("risks_explained")?,
            what_cannot_be_undone: t.text("what_cannot_be_undone")?,
            answer_by_s: t.date("answer_by")?,
        };
        t.finish()?;
        crate::validate::validate_consent_request(&request)?;
        Ok(Self { request, language })
    }
}

impl RiskFile {
    /// Reads an assessment made at `now`. Blanks are kept as blanks: an act asks for them later.
    ///
    /// # Errors
    /// With the path of the field.
    pub fn parse(text: &str, format: Format, now: i64) -> Result<Self, FileError> {
        let value = format.read(text)?;
        let mut t = Table::root(&value)?;
        let risk = w::RiskAssessment {
            assessment_id: no_id(),
            made_at_s: or(t.date("made")?, now),
            persons: t.texts("persons")?,
            q1_current_threats: t.table("q1_current_threats", risk_answer)?,
            q2_cause_and_reprisal: t.table("q2_cause_and_reprisal", risk_answer)?,
            q3_earlier_threats: t.table("q3_earlier_threats", risk_answer)?,
            q4_perpetrator_link: t.table("q4_perpetrator_link", risk_answer)?,
            q5_environment_and_vulnerability: t
                .table("q5_environment_and_vulnerability", risk_answer)?,
            q6_police_response: t.table("q6_police_response", risk_answer)?,
            q7_local_mechanisms: t.table("q7_local_mechanisms", risk_answer)?,
            contact_could_cause_reaction: t.table("contact_could_cause_reaction", risk_answer)?,
            contact_with_authorities_could: t
                .table("contact_with_authorities_could", risk_answer)?,
            family_at_risk: t.table("family_at_risk", risk_answer)?,
            harm_to_their_work: t.table("harm_to_their_work", risk_answer)?,
            if_we_act: t.text("if_we_act")?,
            if_we_do_not: t.text("if_we_do_not")?,
            preferred_by_defender: t.text("preferred_by_defender")?,
            discussed_with_defender: t.answer("discussed_with_defender")?,
            why_not_discussed: t.text("why_not_discussed")?,
            discussed_with_local_organisations: t.answer("discussed_with_local_organisations")?,
            physical: t.text("physical")?,
            digital: t.text("digital")?,
            psychosocial: t.text("psychosocial")?,
            collective: t.text("collective")?,
        };
        t.finish()?;
        validate_risk(&risk)?;
        Ok(Self { risk })
    }

    /// Names of the questions that are still blank.
    pub fn blanks(&self) -> Vec<&'static str> {
        let answers = action::risk_answers(&self.risk).into_iter();
        let blank = |answer: Option<&w::RiskAnswer>| answer.is_none_or(|a| a.answer == 0);
        answers.filter(|(_, answer)| blank(*answer)).map(|(field, _)| field).collect()
    }
}

fn risk_answer(t: &mut Table<'_>) -> Result<w::RiskAnswer, FileError> {
    Ok(w::RiskAnswer { answer: t.answer("answer")?, text: t.text("text")? })
}

impl FactsFile {
    /// Reads facts as they stand at `now`.
    ///
    /// # Errors
    /// With the path of the field.
    pub fn parse(text: &str, format: Format, now: i64) -> Result<Self, FileError> {
        let value = format.read(text)?;
        let mut t = Table::root(&value)?;
        let made_at_s = or(t.date("made")?, now);
        let facts = w::VerificationRecord {
            record_id: no_id(),
            made_at_s,
            facts: t.tables("facts", |t| {
                Ok(w::Fact {
                    id: t.text("id")?,
                    claim: t.text("claim")?,
                    status: t.word::<w::FactStatus>("status")?,
                    how: t.text("how")?,
                    reliability: t.word::<w::Reliability>("reliability")?,
                    independent_sources: t.number("independent_sources")?,
                    checked_at_s: or(t.date("checked")?, made_at_s),
                })
            })?,
        };
        t.finish()?;
        validate_facts(&facts)?;
        Ok(Self { facts })
    }
}

impl PlanFile {
    /// Reads a plan, written under the guard table of this version.
    ///
    /// # Errors
    /// With the path of the field.
    pub fn parse(text: &str, format: Format) -> Result<Self, FileError> {
        let value = format.read(text)?;
        let mut t = Table::root(&value)?;
        let kind = t.word::<w::ActionKind>("kind")?;
        let publishes = kind == i32::from(w::ActionKind::PublishDemarche);
        let plan = w::ActionPlan {
            action_id: no_id(),
            kind,
            guarded_like: t.word::<w::ActionKind>("guarded_like")?,
            title: t.text("title")?,
            what_exactly: t.text("what_exactly")?,
            addressed_to: t.text("addressed_to")?,
            persons: t.texts("persons")?,
            identity: or(t.word::<IdentityLevel>("identity")?, IdentityLevel::Alias.into()),
            facts_used: t.texts("facts_used")?,
            wording: t.text("wording")?,
            why_informal_not_enough: t.text("why_informal_not_enough")?,
            alternatives_considered: t.text("alternatives_considered")?,
            local_organisations_consulted: t.texts("local_organisations_consulted")?,
            coordination: t.table("coordination", |t| {
                Ok(w::Coordination {
                    nordic_asked: t.answer("nordic_asked")?,
                    asked: t.texts("asked")?,
                    why_alone: t.text("why_alone")?,
                })
            })?,
            legal_basis_note: t.text("legal_basis_note")?,
            about_person_at_risk: t.word::<Answer>("about_person_at_risk")?,
            channel: t.text("channel")?,
            planned_for_s: t.date("planned_for")?,
            urgency: or(t.word::<w::Urgency>("urgency")?, w::Urgency::Routine.into()),
            publishes_action_id: if publishes { no_id() } else { Vec::new() },
            consent_exception: t.table("consent_exception", |t| {
                Ok(w::ConsentException {
                    attempts: t.texts("attempts")?,
                    danger_to_life_or_liberty: t.text("danger_to_life_or_liberty")?,
                    views_of_trusted_contacts: t.text("views_of_trusted_contacts")?,
                })
            })?,
            policy_version: action::POLICY_VERSION,
        };
        t.finish()?;
        validate_plan(&plan)?;
        Ok(Self { plan })
    }

    /// Encodes once, with 16 fresh random bytes as the act's id; from here on these bytes are the
    /// plan.
    pub fn encode(&self, action_id: [u8; 16]) -> (Vec<u8>, Hash) {
        let plan = w::ActionPlan { action_id: action_id.to_vec(), ..self.plan.clone() };
        let bytes = plan.encode_to_vec();
        let hash = plan_hash(&bytes);
        (bytes, hash)
    }
}

impl AlertFile {
    /// Reads an alert raised at `now`. The preset fills what the file leaves out: the three axes
    /// and the time by which a person has to have acknowledged.
    ///
    /// # Errors
    /// With the path of the field.
    pub fn parse(text: &str, format: Format, now: i64) -> Result<Self, FileError> {
        let value = format.read(text)?;
        let mut t = Table::root(&value)?;
        let raw = or(t.word::<w::Urgency>("preset")?, w::Urgency::Routine.into());
        let urgency = w::Urgency::try_from(raw).unwrap_or(w::Urgency::Routine);
        let preset = alert::preset(urgency);
        let mut alert = w::Alert {
            alert_id: no_id(),
            preset: raw,
            timing: or(t.word::<w::AlertTiming>("timing")?, preset.timing.into()),
            severity: or(t.word::<w::Severity>("severity")?, preset.severity.into()),
            certainty: or(t.word::<w::Certainty>("certainty")?, preset.certainty.into()),
            headline: t.text("headline")?,
            what: t.text("what")?,
            asked_of_you: t.text("asked_of_you")?,
            persons: t.texts("persons")?,
            raised_at_s: now,
            ack_by_s: alert::ack_deadline(urgency, now, t.utc_offset_min()),
            brief_hash: Vec::new(),
            off_channel: t.text("off_channel")?,
            exercise: t.flag("exercise")?,
            escalation: None,
        };
        if alert.exercise && !alert.headline.starts_with(alert::EXERCISE) {
            alert.headline = format!("{}: {}", alert::EXERCISE, alert.headline);
        }
        t.finish()?;
        validate_alert(&alert)?;
        Ok(Self { alert })
    }
}

impl EffectFile {
    /// Reads a report.
    ///
    /// # Errors
    /// With the path of the field.
    pub fn parse(text: &str, format: Format, now: i64) -> Result<Self, FileError> {
        let value = format.read(text)?;
        let mut t = Table::root(&value)?;
        let effect = w::EffectReport {
            action_id: no_id(),
            plan_hash: vec![0; 32],
            done_at_s: or(t.date("done")?, now),
            effect: t.text("effect")?,
            reaction_of_authorities: t.text("reaction_of_authorities")?,
            publish: t.word::<w::PublishView>("publish")?,
            publish_reasons: t.text("publish_reasons")?,
            view_of_defender_on_publishing: t.text("view_of_defender_on_publishing")?,
            new_risks: t.text("new_risks")?,
        };
        t.finish()?;
        crate::validate::validate_effect(&effect)?;
        Ok(Self { effect })
    }
}

fn or<N: PartialEq + Default>(value: N, default: N) -> N {
    if value == N::default() { default } else { value }
}
