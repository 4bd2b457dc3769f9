//! Tables of alerts, briefs and disclosure.

use super::action::signed_role;
use super::check::{Check, Checked, MAX_TIME, Optional, Required};
use super::consent::by_officer;
use super::{ID_LEN, MAX_ALIAS};
use crate::alert::{EXERCISE, latest_ack_s};
use crate::carried::decode;
use crate::refusal::{Fault, Refusal};
use crate::roles::Act;
use crate::wire as w;
use crate::wire::{IdentityLevel, Role};
use crate::words::strict;

/// People who may come next.
const MAX_STEPS: usize = 4;
/// A relay holds nothing for longer than 28 days.
const MAX_AFTER_S: u32 = 28 * 86_400;
/// Cells of one copy: the longest alert takes two.
const MAX_COPY_CELLS: u32 = 8;
/// Bytes of a relay's address, and of an encoded route, which has one in it.
const MAX_RELAY: usize = 300;
const MAX_ROUTE: usize = 512;
const X_WING_KEY_LEN: usize = 1_216;

pub(super) fn alert(m: &w::Alert, c: &mut Check) -> Checked {
    c.id("alert_id", &m.alert_id, Required, ID_LEN)?;
    c.word::<w::Urgency>("preset", m.preset, Required)?;
    c.word::<w::AlertTiming>("timing", m.timing, Required)?;
    c.word::<w::Severity>("severity", m.severity, Required)?;
    c.word::<w::Certainty>("certainty", m.certainty, Required)?;
    c.text("headline", &m.headline, Required, 120)?;
    c.text("what", &m.what, Required, 2_000)?;
    c.text("asked_of_you", &m.asked_of_you, Optional, 1_000)?;
    c.texts("persons", &m.persons, 0..=32, MAX_ALIAS)?;
    c.range("raised_at_s", m.raised_at_s, 1..=MAX_TIME)?;
    // A sender may ask for an answer sooner than the preset says, never later.
    c.range("ack_by_s", m.ack_by_s, m.raised_at_s.saturating_add(60)..=latest_ack_s(m))?;
    c.id("brief_hash", &m.brief_hash, Optional, 32)?;
    c.text("off_channel", &m.off_channel, Optional, 200)?;
    // Whoever only sees the headline has to see that it is one, too.
    if m.exercise != m.headline.starts_with(EXERCISE) {
        return Err(c.fault("exercise", Fault::Contradiction));
    }
    match &m.escalation {
        Some(escalation) => c.inside("escalation", |c| steps(escalation, c)),
        None => Ok(()),
    }
}

fn steps(m: &w::Escalation, c: &mut Check) -> Checked {
    let mut after = 0;
    c.each("steps", &m.steps, 1..=MAX_STEPS, |c, step| {
        c.word::<w::Role>("to", step.to, Required)?;
        c.range("after_s", step.after_s, after..=MAX_AFTER_S)?;
        after = step.after_s;
        c.text("relay", &step.relay, Required, MAX_RELAY)?;
        c.id("send_id", &step.send_id, Required, 32)?;
        c.range("cells", step.cells, 1..=MAX_COPY_CELLS)?;
        c.id("cancel_key", &step.cancel_key, Required, 32)
    })?;
    c.range("exhausted_after_s", m.exhausted_after_s, after..=MAX_AFTER_S)
}

pub(super) fn contact(m: &w::EscalationContact, c: &mut Check) -> Checked {
    c.id("key_id", &m.key_id, Required, 8)?;
    c.id("public_key", &m.public_key, Required, X_WING_KEY_LEN)?;
    c.range("valid_until_s", m.valid_until_s, 1..=MAX_TIME)?;
    c.range("route", m.route.len(), 1..=MAX_ROUTE)?;
    c.words::<w::Role>("order", &m.order, 0..=MAX_STEPS)
}

pub(super) fn ack(m: &w::AlertAck, role: Role, c: &mut Check) -> Checked {
    let body: w::AlertAckBody = decode(&m.body)?;
    c.inside("body", |c| {
        c.id("alert_id", &body.alert_id, Required, ID_LEN)?;
        c.word::<w::AckKind>("kind", body.kind, Required)?;
        c.range("at_s", body.at_s, 1..=MAX_TIME)?;
        let takes =
            matches!(strict::<w::AckKind>(body.kind), w::AckKind::SeenAndMine | w::AckKind::InHand);
        let from = if takes { body.at_s.saturating_add(1) } else { 0 };
        c.range("next_word_by_s", body.next_word_by_s, from..=MAX_TIME)?;
        c.text("note", &body.note, Optional, 1_000)
    })?;
    by_officer(m.by.as_ref(), c)?;
    signed_role(m.by.as_ref(), role, Act::Acknowledge)
}

pub(super) fn cancelled(m: &w::AlertCancelled, c: &mut Check) -> Checked {
    c.id("alert_id", &m.alert_id, Required, ID_LEN)?;
    c.text("why", &m.why, Required, 600)
}

/// P02 at the receiver: a modified sender gains nothing by filling what should be empty.
pub(super) fn brief(m: &w::CaseBrief, c: &mut Check) -> Checked {
    crate::projection::is_stripped(m)?;
    c.id("brief_id", &m.brief_id, Required, ID_LEN)?;
    c.range("made_at_s", m.made_at_s, 1..=MAX_TIME)?;
    let level: IdentityLevel = strict(m.identity);
    c.each("subjects", &m.subjects, 1..=32, |c, subject| {
        c.text("ref", &subject.r#ref, Required, MAX_ALIAS)?;
        c.word::<w::SubjectKind>("kind", subject.kind, Required)?;
        c.word::<w::Answer>("under_18", subject.under_18, Optional)?;
        c.text("organisation", &subject.organisation, Optional, 200)?;
        c.text("name", &subject.name, Optional, 200)?;
        shown_at(level, subject)
    })?;
    // The same rows as for an intake: a brief says no more and no longer.
    super::intake::brief(m, c)?;
    c.text("assessment", &m.assessment, Optional, 4_000)?;
    c.text("asked_of_you", &m.asked_of_you, Optional, 2_000)?;
    left_out(&m.left_out, c)?;
    c.id("under_terms_hash", &m.under_terms_hash, Required, 32)?;
    c.entries("consent_tokens", m.consent_tokens.len(), 0..=16)?;
    for token in &m.consent_tokens {
        c.inside("consent_tokens", |c| super::consent::token(&decode(token)?, c))?;
    }
    if m.consent_tokens.len() >= m.subjects.len() {
        return Ok(());
    }
    // More than an alias goes nowhere without its own consent.
    if level == IdentityLevel::Alias {
        Ok(())
    } else {
        Err(c.fault("consent_tokens", Fault::Missing))
    }
}

/// C08: what a subject shows, against what the brief says it shows.
fn shown_at(level: IdentityLevel, subject: &w::BriefSubject) -> Checked {
    let shown = if !subject.name.is_empty() {
        IdentityLevel::Name
    } else if !subject.organisation.is_empty() {
        IdentityLevel::Organisation
    } else {
        IdentityLevel::Alias
    };
    if i32::from(shown) <= i32::from(level) {
        return Ok(());
    }
    let person = subject.r#ref.clone();
    Err(Refusal::IdentityLevelTooHigh { person, asked: shown, allowed: level })
}

fn left_out(entries: &[w::LeftOut], c: &mut Check) -> Checked {
    c.each("left_out", entries, 0..=256, |c, entry| {
        c.text("field", &entry.field, Required, 120)?;
        c.word::<w::LeftOutWhy>("why", entry.why, Required)
    })
}

pub(super) fn disclosure(m: &w::DisclosureNotice, c: &mut Check) -> Checked {
    c.id("of_hash", &m.of_hash, Required, 32)?;
    c.range("at_s", m.at_s, 1..=MAX_TIME)?;
    c.word::<w::RecipientClass>("recipients", m.recipients, Required)?;
    c.text("unit", &m.unit, Required, 64)?;
    c.word::<w::Purpose>("purpose", m.purpose, Required)?;
    c.entries("items", m.items.len(), 0..=12)?;
    m.items.iter().try_for_each(|item| c.range("items", *item, 1..=12))?;
    left_out(&m.left_out, c)?;
    c.range("kept_days", m.kept_days, 0..=100_000)?;
    c.text("rights_plain", &m.rights_plain, Required, 1_500)
}
