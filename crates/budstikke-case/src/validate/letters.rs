//! Tables of the smaller kinds.

use super::check::{Check, Checked, MAX_TIME, Optional, Required};
use super::{ID_LEN, MAX_ALIAS};
use crate::refusal::{Fault, Refusal};
use crate::warning::Warning;
use crate::wire as w;
use crate::wire::{Answer, Leg, ReceiptKind};

/// GDPR art. 13: what must be said before anything is collected.
pub(super) fn privacy_notice(m: &w::PrivacyNotice, c: &mut Check) -> Checked {
    c.text("controller", &m.controller, Required, 300)?;
    c.text("contact", &m.contact, Required, 300)?;
    c.words::<w::LegalBasis>("legal_bases", &m.legal_bases, 1..=6)?;
    c.words::<w::Purpose>("purposes", &m.purposes, 1..=8)?;
    c.words::<w::DataCategory>("categories", &m.categories, 0..=16)?;
    c.text("recipients", &m.recipients, Required, 1_500)?;
    c.text("retention_plain", &m.retention_plain, Required, 1_500)?;
    let archive = if m.archive_duty { Required } else { Optional };
    c.text("archive_duty_plain", &m.archive_duty_plain, archive, 1_500)?;
    c.text("rights_plain", &m.rights_plain, Required, 1_500)?;
    c.text("complaint_authority", &m.complaint_authority, Required, 300)?;
    c.text("transfers_plain", &m.transfers_plain, Optional, 1_500)?;
    c.text("third_parties_plain", &m.third_parties_plain, Optional, 1_500)?;
    c.text("consent_is_for_acts_plain", &m.consent_is_for_acts_plain, Optional, 1_500)?;
    c.range("valid_from_s", m.valid_from_s, 1..=MAX_TIME)?;
    c.text("language", &m.language, Optional, 35)
}

/// One screen; at every limit it stays below 2 KiB.
pub(super) fn emergency(m: &w::EmergencyContact, c: &mut Check) -> Checked {
    c.words::<w::IncidentType>("what", &m.what, 0..=8)?;
    c.text("what_is_happening", &m.what_is_happening, Required, 600)?;
    c.text("where", &m.r#where, Optional, 200)?;
    c.time("since", m.since.as_ref(), Optional)?;
    c.text("i_need", &m.i_need, Optional, 300)?;
    c.text("do_not_want", &m.do_not_want, Optional, 300)?;
    c.text("reach_me", &m.reach_me, Optional, 200)?;
    c.text("who", &m.who, Optional, MAX_ALIAS)?;
    c.word::<w::Urgency>("urgency", m.urgency, Optional)?;
    c.range("people_in_danger", m.people_in_danger, 0..=100_000)?;
    c.word::<Answer>("children_affected", m.children_affected, Optional)?;
    if m.children_affected == i32::from(Answer::Yes) {
        c.warnings.push(Warning::ChildConcerned);
    }
    Ok(())
}

/// Item 1's names. Passing them onward needs a consent that this version cannot carry yet.
pub(super) fn identity(m: &w::IdentitySheet, leg: Leg, c: &mut Check) -> Checked {
    if matches!(leg, Leg::MissionMinistry | Leg::MissionMultilateralMission) {
        return Err(Refusal::ThirdPartyNotStripped { field: "identity_sheet".to_owned() });
    }
    c.text("subject_ref", &m.subject_ref, Required, MAX_ALIAS)?;
    c.text("name", &m.name, Optional, 200)?;
    c.text("organisation", &m.organisation, Optional, 200)?;
    c.text("contact", &m.contact, Optional, 400)?;
    c.text("gender", &m.gender, Optional, 64)?;
    c.text("pronouns", &m.pronouns, Optional, 64)?;
    c.word::<w::AgeBand>("age_band", m.age_band, Optional)?;
    c.text("nationality", &m.nationality, Optional, 100)?;
    c.text("occupation", &m.occupation, Optional, 200)?;
    c.texts("languages", &m.languages, 0..=12, 64)?;
    c.text("care_needs", &m.care_needs, Optional, 1_000)?;
    c.words::<w::Role>("readers", &m.readers, 0..=12)?;
    let empty = m.name.is_empty() && m.organisation.is_empty() && m.contact.is_empty();
    if empty { Err(c.fault("name", Fault::Missing)) } else { Ok(()) }
}

pub(super) fn free_text(m: &w::FreeText, c: &mut Check) -> Checked {
    c.text("text", &m.text, Required, 16_000)?;
    if m.distressing {
        c.warnings.push(Warning::Distressing);
    }
    Ok(())
}

/// Which fields stand depends on the kind; any other filled field is a contradiction.
pub(super) fn receipt(m: &w::Receipt, c: &mut Check) -> Checked {
    c.id("message_id", &m.message_id, Required, ID_LEN)?;
    c.word::<ReceiptKind>("kind", m.kind, Required)?;
    let kind = ReceiptKind::try_from(m.kind);
    let refused = kind == Ok(ReceiptKind::Refused);
    let not_understood = kind == Ok(ReceiptKind::NotUnderstood);
    let taken_on = kind == Ok(ReceiptKind::TakenOn);
    c.text("code", &m.code, if refused { Required } else { Optional }, 3)?;
    c.text("note", &m.note, Optional, 600)?;
    c.range("next_word_by_s", m.next_word_by_s, 0..=MAX_TIME)?;
    let misplaced = [
        ("code", !refused && !m.code.is_empty()),
        ("not_understood", !not_understood && m.not_understood != 0),
        ("next_word_by_s", !taken_on && m.next_word_by_s != 0),
        ("note", !taken_on && !m.note.is_empty()),
    ];
    match misplaced.iter().find(|(_, filled)| *filled) {
        // A newer kind may use them otherwise.
        Some((field, _)) if kind.is_ok() => Err(c.fault(field, Fault::Misplaced)),
        _ => Ok(()),
    }
}
