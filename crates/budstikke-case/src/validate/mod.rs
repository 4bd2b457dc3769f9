//! What each kind of message must hold and how much it may: one table per kind, run by the
//! builder before sealing and by the receiver after opening. Limits are UTF-8 bytes.

mod action;
mod alert;
mod check;
mod consent;
mod handover;
mod intake;
mod letters;
mod terms;

use prost::Message as _;

use crate::kind::Kind;
use crate::received::{malformed, too_large};
use crate::refusal::{Fault, Refusal, Unknown};
use crate::roles::{Act, permit};
use crate::warning::Warning;
use crate::wire;
use crate::wire::{
    ActionPlan, Alert, CaseIntake, ChannelTerms, ConsentRequest, Content, DataCategory,
    EffectReport, EmergencyContact, Header, IdentitySheet, Leg, PrivacyNotice, Purpose,
    RiskAssessment, Role, RunMode, TermsChangeKind, VerificationRecord, content::Body,
};
use crate::words::strict;
use check::{Check, Need::Optional};

/// Most bytes of one encoded `Content`; above that it is an attachment.
pub const MAX_CONTENT: usize = 60 * 1024;
/// Bytes of `message_id` and `case_ref`.
pub const ID_LEN: usize = 16;
/// Bytes of an alias.
pub const MAX_ALIAS: usize = 32;

/// Checks a message against its kind's table and the role table. `leg` is where it travels and
/// `sender_role` what the sender's certificate says, not what the header claims.
///
/// # Errors
/// W01 for an unknown leg, role or purpose; W02 for a missing, overlong or contradictory field;
/// I03 for a role that may not; P01, P02, P03, P04 for privacy rules that need no terms.
pub fn validate(content: &Content, leg: Leg, sender_role: Role) -> Result<Vec<Warning>, Refusal> {
    let encoded = content.encoded_len();
    if encoded > MAX_CONTENT {
        return Err(too_large(encoded));
    }
    let mut check = Check::default();
    let head = content.header.as_ref().ok_or_else(|| malformed("header", Fault::Missing))?;
    let body = content.body.as_ref().ok_or_else(|| malformed("body", Fault::Missing))?;
    header(head, leg, sender_role, &mut check)?;
    if Kind::of_body(body).is_case_content() {
        purpose(head)?;
        handling(head, leg)?;
    }
    for act in acts(body, leg) {
        permit(act, leg, sender_role)?;
    }
    match body {
        Body::PrivacyNotice(notice) => letters::privacy_notice(notice, &mut check),
        Body::ChannelOffer(offer) => terms::offer(offer, leg, &mut check),
        Body::TermsProposal(proposal) => terms::proposal(proposal, leg, &mut check),
        Body::TermsCounter(counter) => terms::counter(counter, leg, &mut check),
        Body::TermsAcceptance(acceptance) => terms::acceptance(acceptance, &mut check),
        Body::TermsChange(change) => terms::change(change, &mut check),
        Body::EmergencyContact(call) => letters::emergency(call, &mut check),
        Body::CaseIntake(case) => {
            intake::case_intake(case, leg, sender_role, &mut check).and_then(|()| told_here(leg))
        }
        Body::IdentitySheet(sheet) => letters::identity(sheet, leg, &mut check),
        Body::FreeText(text) => letters::free_text(text, &mut check),
        Body::Receipt(receipt) => letters::receipt(receipt, &mut check),
        Body::Handover(m) => handover::handover(m, leg, &mut check),
        Body::CaseAccessChange(m) => handover::access_change(m, leg, sender_role, &mut check),
        body => onward(body, leg, sender_role, &mut check),
    }?;
    Ok(check.warnings)
}

/// P02: what was told stays between those it was told to; onward goes a brief that was built for its reader.
fn told_here(leg: Leg) -> Result<(), Refusal> {
    match leg {
        Leg::MissionMinistry | Leg::MissionMultilateralMission => {
            Err(Refusal::ThirdPartyNotStripped { field: "case_intake".to_owned() })
        }
        _ => Ok(()),
    }
}

/// The Ministry line's kinds: consent, assessment, acts, alerts, briefs.
fn onward(body: &Body, leg: Leg, role: Role, c: &mut Check) -> Result<(), Refusal> {
    match body {
        Body::CaseBrief(m) => alert::brief(m, c),
        Body::RiskAssessment(m) => action::risk(m, c),
        Body::VerificationRecord(m) => action::verification(m, c),
        Body::ConsentRequest(m) => consent::request(m, c),
        Body::ConsentRecord(m) => consent::record(m, leg, role, c),
        Body::ConsentToken(m) => consent::token(m, c),
        Body::ConsentStatus(m) => consent::status(m, c),
        Body::ConsentWithdrawal(m) => consent::withdrawal(m, c),
        Body::ActionPlan(m) => action::plan(m, c),
        Body::ApprovalRequest(m) => action::request(m, role, c),
        Body::Decision(m) => action::decision(m, role, c),
        Body::EffectReport(m) => action::effect(m, c),
        Body::ReactionInformed(m) => action::informed(m, c),
        Body::ActionUpdate(m) => action::update(m, c),
        Body::GuardOverride(m) => action::guard_override(m, c),
        Body::Alert(m) => alert::alert(m, c),
        Body::AlertAck(m) => alert::ack(m, role, c),
        Body::AlertCancelled(m) => alert::cancelled(m, c),
        Body::EscalationContact(m) => alert::contact(m, c),
        Body::DisclosureNotice(m) => alert::disclosure(m, c),
        // Every other kind has its row in `validate`.
        _ => Err(malformed("body", Fault::Misplaced)),
    }
}

/// Header rows, for every kind.
fn header(h: &Header, leg: Leg, role: Role, c: &mut Check) -> Result<(), Refusal> {
    let claimed = known::<Leg>(h.leg, "leg")?;
    if claimed != leg {
        return Err(malformed("header.leg", Fault::Contradiction));
    }
    let claimed = known::<Role>(h.sender_role, "role")?;
    if claimed != role {
        let allowed = vec![role];
        return Err(Refusal::RoleNotPermitted { role: claimed, act: "claim-role", allowed });
    }
    c.inside("header", |c| {
        c.id("message_id", &h.message_id, check::Need::Required, ID_LEN)?;
        c.id("case_ref", &h.case_ref, Optional, ID_LEN)?;
        c.id("terms_hash", &h.terms_hash, Optional, 32)?;
        c.id("in_reply_to", &h.in_reply_to, Optional, ID_LEN)?;
        c.range("written_at_s", h.written_at_s, 1..=check::MAX_TIME)?;
        c.range("expires_at_s", h.expires_at_s, 0..=check::MAX_TIME)?;
        c.text("classification", &h.classification, Optional, 64)?;
        c.text("language", &h.language, Optional, 35)?;
        c.text("intended_for", &h.intended_for, Optional, 64)?;
        c.words::<DataCategory>("categories", &h.categories, 0..=16)?;
        c.entries("must_understand", h.must_understand.len(), 0..=16)?;
        c.word::<RunMode>("run_mode", h.run_mode, Optional)?;
        if h.expires_at_s != 0 && h.expires_at_s <= h.written_at_s {
            return Err(c.fault("expires_at_s", Fault::Order));
        }
        Ok(())
    })?;
    if RunMode::try_from(h.run_mode) == Ok(RunMode::Exercise) {
        c.warnings.push(Warning::Exercise);
    }
    Ok(())
}

/// P01: what somebody told may only be used for something said beforehand.
fn purpose(h: &Header) -> Result<(), Refusal> {
    match h.purpose {
        0 => Err(Refusal::PurposeMissing),
        raw => known::<Purpose>(raw, "purpose").map(drop),
    }
}

/// P03: the sender's circle of readers must reach as far as the leg does.
fn handling(h: &Header, leg: Leg) -> Result<(), Refusal> {
    use crate::wire::Handling;
    let handling: Handling = strict(h.handling);
    let needed = match leg {
        Leg::MissionMinistry => Handling::Ministry,
        Leg::MissionMultilateralMission => Handling::Partners,
        Leg::MissionTeam => Handling::CaseTeam,
        _ => Handling::RecipientOnly,
    };
    if i32::from(handling) < i32::from(needed) {
        return Err(Refusal::HandlingForbids { handling });
    }
    Ok(())
}

/// Whether a role may write this body on this leg, as the role table says.
pub fn may_write(body: &Body, leg: Leg, role: Role) -> bool {
    acts(body, leg).into_iter().all(|act| permit(act, leg, role).is_ok())
}

/// Acts of the role table that sending this body is.
fn acts(body: &Body, leg: Leg) -> Vec<Act> {
    let with_defender = matches!(leg, Leg::DefenderMission | Leg::DefenderMultilateralMission);
    let by_giver = |signature: &[u8]| {
        if !signature.is_empty() && with_defender {
            vec![Act::GiveConsent]
        } else {
            vec![Act::RecordConsent]
        }
    };
    match body {
        Body::PrivacyNotice(_) | Body::ChannelOffer(_) => vec![Act::Publish],
        Body::TermsProposal(_) | Body::TermsCounter(_) | Body::TermsAcceptance(_) => {
            vec![Act::Negotiate]
        }
        Body::TermsChange(_) => vec![Act::ChangeTerms],
        Body::EmergencyContact(_) => vec![Act::CallForHelp],
        Body::CaseIntake(case) => intake_acts(case),
        Body::IdentitySheet(_) => vec![Act::SendIdentity],
        Body::FreeText(_) | Body::Receipt(_) => vec![Act::Write],
        Body::CaseBrief(_) => vec![Act::BriefOnCase],
        Body::RiskAssessment(_) | Body::VerificationRecord(_) => vec![Act::AssessCase],
        Body::ConsentRequest(_) => vec![Act::AskConsent],
        Body::ConsentRecord(m) => by_giver(&m.giver_signature),
        Body::ConsentWithdrawal(m) => by_giver(&m.giver_signature),
        Body::ConsentToken(_) | Body::ConsentStatus(_) => vec![Act::ShareConsent],
        Body::ActionPlan(_) | Body::ActionUpdate(_) | Body::EffectReport(_) => {
            vec![Act::PlanAction]
        }
        Body::ApprovalRequest(_) => vec![Act::SubmitRequest],
        Body::Decision(_) => vec![Act::Decide],
        Body::GuardOverride(_) => vec![Act::Override],
        Body::Alert(_) | Body::AlertCancelled(_) | Body::EscalationContact(_) => {
            vec![Act::RaiseAlert]
        }
        Body::AlertAck(_) => vec![Act::Acknowledge],
        Body::Handover(_) => vec![Act::HandOver],
        Body::CaseAccessChange(m) if handover::objects(m) => vec![Act::Object],
        Body::ReactionInformed(_) | Body::DisclosureNotice(_) | Body::CaseAccessChange(_) => {
            vec![Act::TellDefender]
        }
    }
}

fn intake_acts(case: &CaseIntake) -> Vec<Act> {
    let assessed = case.source.is_some()
        || case.contact.is_some()
        || case.actions.is_some()
        || case.results.is_some();
    // Item 12 is either's.
    let only_assessed = assessed && !intake::tells(case);
    let mut acts = Vec::new();
    if assessed {
        acts.push(Act::AssessCase);
    }
    if !only_assessed {
        acts.push(Act::TellOfCase);
    }
    acts
}

/// Checks terms alone, as a file or a negotiation holds them.
///
/// # Errors
/// W02 and P04 with the field; I03 for emergency terms that are not strict enough.
pub fn validate_terms(terms: &ChannelTerms, leg: Leg) -> Result<Vec<Warning>, Refusal> {
    let mut check = Check::default();
    terms::channel_terms(terms, leg, &mut check)?;
    Ok(check.warnings)
}

/// Checks an intake alone, as a file holds it: whoever fills it, wherever it goes.
pub(crate) fn validate_intake(intake: &CaseIntake) -> Result<Vec<Warning>, Refusal> {
    let mut check = Check::default();
    intake::case_intake(intake, Leg::MissionTeam, Role::MissionStaff, &mut check)?;
    Ok(check.warnings)
}

/// Checks one identity sheet of a file.
pub(crate) fn validate_identity(sheet: &IdentitySheet, index: usize) -> Result<(), Refusal> {
    let leg = Leg::DefenderMission;
    Check::default()
        .inside(&format!("identity[{index}]"), |check| letters::identity(sheet, leg, check))
}

/// Checks a person's answer to an alert alone, as it travels outside of a channel.
pub(crate) fn validate_ack(ack: &wire::AlertAck) -> Result<(), Refusal> {
    let officer = ack.by.as_ref().and_then(|by| by.officer.as_ref());
    let role = officer.map(crate::officer::role).unwrap_or_default();
    alert::ack(ack, role, &mut Check::default())
}

/// Checks how a team is reached, alone.
pub(crate) fn validate_contact(contact: &wire::EscalationContact) -> Result<(), Refusal> {
    alert::contact(contact, &mut Check::default())
}

/// Checks an emergency form alone.
pub(crate) fn validate_emergency(form: &EmergencyContact) -> Result<Vec<Warning>, Refusal> {
    let mut check = Check::default();
    letters::emergency(form, &mut check)?;
    Ok(check.warnings)
}

/// Checks a plan alone.
pub(crate) fn validate_plan(plan: &ActionPlan) -> Result<(), Refusal> {
    action::plan(plan, &mut Check::default())
}

/// Checks a risk assessment alone.
pub(crate) fn validate_risk(risk: &RiskAssessment) -> Result<(), Refusal> {
    action::risk(risk, &mut Check::default())
}

/// Checks a verification record alone.
pub(crate) fn validate_facts(facts: &VerificationRecord) -> Result<(), Refusal> {
    action::verification(facts, &mut Check::default())
}

/// Checks an alert alone.
pub(crate) fn validate_alert(alert: &Alert) -> Result<(), Refusal> {
    alert::alert(alert, &mut Check::default())
}

/// Checks a request for consent alone.
pub(crate) fn validate_consent_request(request: &ConsentRequest) -> Result<(), Refusal> {
    consent::request(request, &mut Check::default())
}

/// Checks one case of a hand-over, as a file holds it.
pub(crate) fn validate_handed(case: &wire::HandedCase) -> Result<(), Refusal> {
    handover::handed(case, &mut Check::default())
}

/// Checks a step of a hand-over.
pub(crate) fn validate_step(step: &wire::HandoverStep) -> Result<(), Refusal> {
    handover::step(step, &mut Check::default())
}

/// Checks an effect report alone.
pub(crate) fn validate_effect(effect: &EffectReport) -> Result<(), Refusal> {
    action::effect(effect, &mut Check::default())
}

/// Checks a privacy notice alone.
pub(crate) fn validate_privacy_notice(notice: &PrivacyNotice) -> Result<(), Refusal> {
    letters::privacy_notice(notice, &mut Check::default())
}

/// A value that decides who or where; one of a newer version is not acted on.
fn known<E: crate::words::Word>(raw: i32, name: &'static str) -> Result<E, Refusal> {
    match E::try_from(raw) {
        Ok(_) if raw == 0 => Err(malformed(&format!("header.{name}"), Fault::Missing)),
        Ok(value) => Ok(value),
        Err(_) => Err(Refusal::NotUnderstood { what: Unknown::Enum(name) }),
    }
}

/// The change asked for; an unknown one is read as SUSPEND, the most restrictive that can be
/// undone.
pub(crate) fn change_kind(raw: i32) -> TermsChangeKind {
    strict(raw)
}
