//! Tables of the negotiation. Terms themselves are scanned and checked inside each message that
//! carries them.

use super::check::{Check, Checked, MAX_TIME, Optional, Required};
use crate::refusal::{Fault, Refusal};
use crate::terms_state::decode_terms;
use crate::wire as w;
use crate::wire::{ChannelTerms, Leg, ReceiptKind, RecipientClass, TermsKind, Transport};

/// Longest validity: terms are looked at again at least every 400 days.
const MAX_VALIDITY_S: i64 = 400 * 86_400;
/// Emergency terms keep nothing longer than this.
const EMERGENCY_DAYS: u32 = 30;

pub(super) fn offer(m: &w::ChannelOffer, leg: Leg, c: &mut Check) -> Checked {
    c.inside("terms", |c| channel_terms(&decode_terms(&m.terms)?, leg, c))
}

pub(super) fn proposal(m: &w::TermsProposal, leg: Leg, c: &mut Check) -> Checked {
    c.inside("terms", |c| channel_terms(&decode_terms(&m.terms)?, leg, c))?;
    c.text("note", &m.note, Optional, 1_000)
}

pub(super) fn counter(m: &w::TermsCounter, leg: Leg, c: &mut Check) -> Checked {
    c.inside("terms", |c| channel_terms(&decode_terms(&m.terms)?, leg, c))?;
    c.id("counters_hash", &m.counters_hash, Required, 32)?;
    c.text("why", &m.why, Optional, 1_000)
}

pub(super) fn acceptance(m: &w::TermsAcceptance, c: &mut Check) -> Checked {
    c.id("terms_hash", &m.terms_hash, Required, 32)?;
    c.id("privacy_notice_hash", &m.privacy_notice_hash, Optional, 32)?;
    if !m.expectations_understood {
        return Err(c.fault("expectations_understood", Fault::Missing));
    }
    Ok(())
}

pub(super) fn change(m: &w::TermsChange, c: &mut Check) -> Checked {
    c.word::<w::TermsChangeKind>("kind", m.kind, Required)?;
    c.id("terms_hash", &m.terms_hash, Optional, 32)?;
    c.text("reason", &m.reason, Optional, 1_000)
}

/// The terms themselves (Box 2.3).
pub(super) fn channel_terms(m: &ChannelTerms, leg: Leg, c: &mut Check) -> Checked {
    if m.leg != i32::from(leg) {
        return Err(c.fault("leg", Fault::Contradiction));
    }
    let emergency = m.kind == i32::from(TermsKind::Emergency);
    c.word::<TermsKind>("kind", m.kind, Required)?;
    c.texts("units", &m.units, 1..=8, 64)?;
    c.text("title", &m.title, Required, 120)?;
    expectations(m, c)?;
    retention(m, leg)?;
    c.each("onward", &m.onward, 0..=20, |c, rule| {
        c.word::<RecipientClass>("recipients", rule.recipients, Required)
    })?;
    if let Some(receipts) = &m.receipts {
        c.inside("receipts", |c| {
            c.words::<ReceiptKind>("from_defender", &receipts.from_defender, 0..=5)?;
            c.words::<ReceiptKind>("from_mission", &receipts.from_mission, 0..=5)
        })?;
    }
    if let Some(quiet) = &m.quiet_time {
        c.inside("quiet_time", |c| quiet_time(quiet, c))?;
    }
    c.words::<Transport>("transports", &m.transports, 1..=8)?;
    c.words::<w::Purpose>("purposes", &m.purposes, 1..=8)?;
    if let Some(words) = &m.code_words {
        c.inside("code_words", |c| {
            c.text("all_is_well", &words.all_is_well, Optional, 80)?;
            c.text("i_am_in_danger", &words.i_am_in_danger, Optional, 80)?;
            c.text("to_prove_it_is_me", &words.to_prove_it_is_me, Optional, 80)
        })?;
    }
    c.text("off_channel", &m.off_channel, Optional, 200)?;
    c.texts("languages", &m.languages, 0..=8, 35)?;
    c.id("inherits_terms_hash", &m.inherits_terms_hash, Optional, 32)?;
    c.id("privacy_notice_hash", &m.privacy_notice_hash, Optional, 32)?;
    c.range("valid_from_s", m.valid_from_s, 1..=MAX_TIME)?;
    c.range("valid_until_s", m.valid_until_s, 1..=MAX_TIME)?;
    if m.valid_until_s <= m.valid_from_s {
        return Err(c.fault("valid_until_s", Fault::Order));
    }
    c.range("valid_until_s", m.valid_until_s - m.valid_from_s, 1..=MAX_VALIDITY_S)?;
    c.range("review_days", m.review_days, 0..=366)?;
    if emergency && !is_strict_enough(m) {
        return Err(loosened());
    }
    Ok(())
}

/// The floor under emergency terms (SPEC.md section 11, rule 7): mission only, never onward, 30 days, no
/// receipts. Nobody but the defender can loosen them, by agreeing to ordinary terms.
fn is_strict_enough(m: &ChannelTerms) -> bool {
    let onward = m
        .onward
        .iter()
        .all(|rule| crate::words::strict::<w::OnwardMode>(rule.mode) == w::OnwardMode::Never);
    let kept = m
        .retention
        .as_ref()
        .is_some_and(|kept| kept.mission_days <= EMERGENCY_DAYS && kept.ministry_days == 0);
    let receipts = m.receipts.as_ref();
    let silent = receipts.is_none_or(|r| r.from_defender.is_empty() && r.from_mission.is_empty());
    onward && kept && silent && m.units.len() == 1
}

fn loosened() -> Refusal {
    let role = w::Role::MissionContactPerson;
    let allowed = vec![w::Role::Defender];
    Refusal::RoleNotPermitted { role, act: "loosen-emergency-terms", allowed }
}

/// ISHR: manage expectations. Between offices they may be left out.
fn expectations(m: &ChannelTerms, c: &mut Check) -> Checked {
    let Some(e) = &m.expectations else {
        return if faces_defender(m) {
            Err(c.fault("expectations", Fault::Missing))
        } else {
            Ok(())
        };
    };
    c.inside("expectations", |c| {
        c.texts("we_can", &e.we_can, 1..=12, 400)?;
        c.texts("we_cannot", &e.we_cannot, 1..=12, 400)?;
        c.texts("known_risks", &e.known_risks, 1..=12, 400)?;
        c.range("usual_reply_hours", e.usual_reply_hours, 1..=720)?;
        c.range("as_of_s", e.as_of_s, 0..=MAX_TIME)
    })
}

/// P04 (GDPR art. 5(1)(e)): every holder's time is said.
fn retention(m: &ChannelTerms, leg: Leg) -> Checked {
    let missing = |field| Err(Refusal::RetentionMissing { field });
    match &m.retention {
        None => missing("retention"),
        Some(kept) if kept.mission_days == 0 => missing("retention.mission_days"),
        Some(kept) if faces_defender(m) && kept.defender_device_hours == 0 => {
            missing("retention.defender_device_hours")
        }
        Some(kept) if leg == Leg::MissionMinistry && kept.ministry_days == 0 => {
            missing("retention.ministry_days")
        }
        Some(_) => Ok(()),
    }
}

fn quiet_time(m: &w::QuietTime, c: &mut Check) -> Checked {
    c.range("utc_offset_min", m.utc_offset_min, -840..=840)?;
    c.text("place", &m.place, Optional, 64)?;
    c.each("windows", &m.windows, 1..=14, |c, window| {
        c.range("from_minute", window.from_minute, 0..=1_439)?;
        c.range("until_minute", window.until_minute, 0..=1_439)?;
        c.entries("weekdays", window.weekdays.len(), 0..=7)?;
        window.weekdays.iter().try_for_each(|day| c.range("weekdays", *day, 1..=7))?;
        if window.from_minute == window.until_minute {
            return Err(c.fault("until_minute", Fault::Order));
        }
        Ok(())
    })
}

fn faces_defender(m: &ChannelTerms) -> bool {
    matches!(Leg::try_from(m.leg), Ok(Leg::DefenderMission | Leg::DefenderMultilateralMission))
}
