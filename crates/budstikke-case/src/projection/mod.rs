//! A case as the Ministry gets it: built for its reader from what was told, never forwarded.
//!
//! Identity stays apart, the source and third parties stay in the mission, and what was left out is
//! listed, so that nobody takes a gap for nothing. The defender gets a notice of what went out.

mod mask;
mod strip;

use prost::Message as _;

use crate::carried::decode;
use crate::consent::{Ask, Ledger, verify};
use crate::hash::Hash;
use crate::officer::Keys;
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
    /// Encoded `ConsentToken`s for SHARE_MINISTRY (or the other reader's scope), one for everybody
    /// in it, where they are needed; empty otherwise.
    pub tokens: &'a [Vec<u8>],
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
    brief.consent_tokens = permission.tokens.to_vec();
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
    // The leg's own terms may ask for more than the defender's do.
    let tighter = onward.onward(recipients, now).mode == OnwardMode::AskEachTime;
    if rule.mode == OnwardMode::Standing && asked == IdentityLevel::Alias && !tighter {
        return Ok(rule.mode);
    }
    let ask = Ask::new(scope, asked, Urgency::Routine);
    permission.consents.all_permit(material.persons, &ask, now)?;
    if permission.tokens.len() < material.persons.len() {
        return Err(Refusal::ConsentProofInvalid { step: "token" });
    }
    Ok(OnwardMode::AskEachTime)
}

/// Checks the proofs in a received brief: of everybody in it, at the level it shows, when it was
/// made. `leg` is where it came over. A brief under an alias and standing terms has none; whether
/// it needs them is the terms' matter ([`crate::may_accept`]).
///
/// # Errors
/// C01 to C11: the first that does not hold.
pub fn proven(
    brief: &CaseBrief,
    leg: Leg,
    keys: &impl Keys,
) -> Result<Vec<crate::consent::Statement>, Refusal> {
    let level: IdentityLevel = strict(brief.identity);
    if brief.consent_tokens.is_empty() && level == IdentityLevel::Alias {
        return Ok(Vec::new());
    }
    let mut ledger = Ledger::new();
    let mut statements = Vec::new();
    for token in &brief.consent_tokens {
        let statement = verify(&decode::<w::ConsentToken>(token)?, keys)?;
        ledger.add(statement.clone());
        statements.push(statement);
    }
    let persons: Vec<String> = brief.subjects.iter().map(|s| s.r#ref.clone()).collect();
    let ask = Ask::new(reader(leg).1, level, Urgency::Routine);
    ledger.all_permit(&persons, &ask, brief.made_at_s)?;
    Ok(statements)
}

/// What a brief has to keep to under the terms of its own leg, on both sides of it.
pub(crate) fn under_terms(brief: &CaseBrief, terms: &TermsState, at: i64) -> Result<(), Refusal> {
    let Some(agreed) = terms.agreed() else { return Err(Refusal::MinistryLegNotAgreed) };
    let got = Hash::from_slice(&brief.under_terms_hash);
    let expected = Hash::from_slice(&agreed.inherits_terms_hash);
    if got != expected {
        return Err(Refusal::TermsHashMismatch { expected, got });
    }
    let (asked, allowed): (IdentityLevel, IdentityLevel) =
        (strict(brief.identity), strict(agreed.identity));
    let recipients = reader(terms.leg()).0;
    if i32::from(asked) > i32::from(allowed) {
        let (what, asked, allowed) = (recipients.name(), asked.name(), allowed.name());
        return Err(Refusal::OnwardExceedsDefenderTerms { what, asked, allowed });
    }
    let ask_each_time = terms.onward(recipients, at).mode == OnwardMode::AskEachTime;
    if ask_each_time && brief.consent_tokens.len() < brief.subjects.len() {
        return Err(Refusal::ConsentProofInvalid { step: "token" });
    }
    Ok(())
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
