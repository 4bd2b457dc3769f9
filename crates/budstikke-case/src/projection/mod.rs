//! A case as the Ministry gets it: built for its reader from what was told, never forwarded.
//!
//! Identity stays apart, the source and third parties stay in the mission, and what was left out is
//! listed, so that nobody takes a gap for nothing. The defender gets a notice of what went out.

mod mask;
mod strip;

use prost::Message as _;

use crate::carried::decode;
use crate::consent::{Ask, Ledger};
use crate::hash::Hash;
use crate::refusal::Refusal;
use crate::terms_state::{Phase, TermsState};
use crate::wire as w;
use crate::wire::{
    CaseBrief, CaseIntake, IdentityLevel, IdentitySheet, Leg, OnwardMode, RecipientClass, Scope,
    Urgency,
};
use crate::words::{Word as _, strict};

pub use mask::{finds, identifying_texts};
pub(crate) use strip::is_stripped;

/// What a brief is made of.
#[derive(Clone, Copy)]
pub struct Material<'a> {
    /// Merged parts of Box 2.6, mission's items too.
    pub intake: &'a CaseIntake,
    /// Sheets the mission holds.
    pub identity: &'a [IdentitySheet],
    /// Aliases of those it is about. Everybody else is a third party.
    pub persons: &'a [String],
    /// How much of them it shows; ALIAS unless they agreed to more.
    pub level: IdentityLevel,
    /// Words to take out wherever they stand, as names of villages.
    pub also_leave_out: &'a [String],
    /// The mission's own assessment.
    pub assessment: &'a str,
    /// What is asked of the reader.
    pub asked_of_you: &'a str,
}

/// What allows a brief to leave.
#[derive(Clone, Copy)]
pub struct Permission<'a> {
    /// Terms with the defender.
    pub defender: &'a TermsState,
    /// Terms of the onward leg.
    pub onward: &'a TermsState,
    /// Who said what.
    pub consents: &'a Ledger,
    /// An encoded `ConsentToken` for SHARE_MINISTRY (or the other reader's scope), where one is
    /// needed; empty otherwise.
    pub token: &'a [u8],
}

/// A brief, and what the defender will be told about it.
#[derive(Clone)]
pub struct Brief {
    /// To send.
    pub brief: CaseBrief,
    /// Numbers of the items of Box 2.6 it draws on.
    pub items: Vec<u32>,
    /// What allowed it.
    pub allowed_by: OnwardMode,
    recipients: RecipientClass,
    kept_days: u32,
}

/// Builds a brief. `brief_id` is 16 fresh random bytes.
///
/// # Errors
/// T01, T02, T05, T06 for what the terms do not allow; C01 to C09 where the person has to agree and
/// has not; P02 when something that identifies somebody would still be in it.
pub fn build(
    material: &Material<'_>,
    permission: &Permission<'_>,
    brief_id: [u8; 16],
    now: i64,
) -> Result<Brief, Refusal> {
    let (recipients, scope) = reader(permission.onward.leg());
    let allowed_by = allowed(material, permission, recipients, scope, now)?;
    let under = permission.defender.agreed_hash();
    let mut brief = strip::strip(material);
    brief.brief_id = brief_id.to_vec();
    brief.made_at_s = now;
    brief.under_terms_hash = under.map(Hash::to_vec).unwrap_or_default();
    mask::mask(&mut brief, material);
    // A last look at the bytes themselves, before the proof, which names nobody, goes in.
    let bytes = brief.encode_to_vec();
    let secret = identifying_texts(&unshown(material), material.intake.source.as_ref());
    if finds(&bytes, &secret) {
        return Err(Refusal::ThirdPartyNotStripped { field: "brief".to_owned() });
    }
    is_stripped(&brief)?;
    brief.consent_token = permission.token.to_vec();
    let items = strip::items(&brief);
    let retention = permission.onward.agreed().and_then(|terms| terms.retention);
    let kept_days = retention.map_or(0, |kept| kept.ministry_days);
    Ok(Brief { brief, items, allowed_by, recipients, kept_days })
}

/// Sheets with what the brief shows taken out: the rest may not occur in it.
fn unshown(material: &Material<'_>) -> Vec<IdentitySheet> {
    let level = i32::from(material.level);
    let mut sheets = material.identity.to_vec();
    for sheet in sheets.iter_mut().filter(|s| material.persons.contains(&s.subject_ref)) {
        if level >= i32::from(IdentityLevel::Organisation) {
            sheet.organisation.clear();
        }
        if level >= i32::from(IdentityLevel::Name) {
            sheet.name.clear();
        }
    }
    sheets
}

fn reader(leg: Leg) -> (RecipientClass, Scope) {
    match leg {
        Leg::MissionMultilateralMission => {
            (RecipientClass::MultilateralMission, Scope::ShareMultilateralMission)
        }
        _ => (RecipientClass::Ministry, Scope::ShareMinistry),
    }
}

/// Box 2.3's promise on the onward leg: the defender's terms decide first, then the leg's own,
/// then each person's consent where the terms say "ask each time", or more than an alias is shown.
fn allowed(
    material: &Material<'_>,
    permission: &Permission<'_>,
    recipients: RecipientClass,
    scope: Scope,
    now: i64,
) -> Result<OnwardMode, Refusal> {
    let defender = permission.defender;
    match defender.phase(now) {
        Phase::InForce | Phase::Amending => {}
        Phase::Expired => {
            let since = defender.agreed().map_or(now, |terms| terms.valid_until_s);
            return Err(Refusal::TermsExpired { since });
        }
        state => return Err(Refusal::TermsNotInForce { leg: defender.leg(), state }),
    }
    let rule = defender.onward(recipients, now);
    let asked = material.level;
    let exceeds = |allowed: String| {
        let (what, asked) = (recipients.name(), asked.name());
        Err(Refusal::OnwardExceedsDefenderTerms { what, asked, allowed })
    };
    if rule.mode == OnwardMode::Never {
        return exceeds(rule.mode.name());
    }
    let onward = permission.onward;
    if !matches!(onward.phase(now), Phase::InForce | Phase::Amending) {
        return Err(Refusal::MinistryLegNotAgreed);
    }
    let leg = onward.agreed().map_or(IdentityLevel::Alias, |terms| strict(terms.identity));
    if i32::from(asked) > i32::from(leg).min(i32::from(rule.identity)) {
        return exceeds(rule.identity.name());
    }
    let inherits = onward.agreed().and_then(|t| Hash::from_slice(&t.inherits_terms_hash));
    let expected = defender.agreed_hash();
    if inherits != expected {
        return Err(Refusal::TermsHashMismatch { expected, got: inherits });
    }
    if rule.mode == OnwardMode::Standing && asked == IdentityLevel::Alias {
        return Ok(rule.mode);
    }
    let ask = Ask::new(scope, asked, Urgency::Routine);
    permission.consents.all_permit(material.persons, &ask, now)?;
    if permission.token.is_empty() {
        return Err(Refusal::ConsentProofInvalid { step: "token" });
    }
    decode::<w::ConsentToken>(permission.token)?;
    Ok(OnwardMode::AskEachTime)
}

impl Brief {
    /// Tells the defender who has got what. `content` is the encoded `Content` that carries the
    /// brief, `unit` the reader, `rights` the rights in plain words.
    pub fn notice(
        &self,
        content: &[u8],
        unit: &str,
        purpose: w::Purpose,
        rights: &str,
        now: i64,
    ) -> w::DisclosureNotice {
        w::DisclosureNotice {
            of_hash: crate::hash::brief_hash(content).to_vec(),
            at_s: now - now.rem_euclid(60),
            recipients: self.recipients.into(),
            unit: unit.to_owned(),
            identity: self.brief.identity,
            purpose: purpose.into(),
            items: self.items.clone(),
            left_out: self.brief.left_out.clone(),
            allowed_by: self.allowed_by.into(),
            kept_days: self.kept_days,
            rights_plain: rights.to_owned(),
        }
    }
}

impl std::fmt::Debug for Brief {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Brief")
    }
}
