//! The smaller kinds.

use super::Sections;
use crate::wire as w;
use crate::wire::Answer;

pub(super) fn privacy_notice(m: &w::PrivacyNotice, s: &mut Sections) {
    s.add("view-privacy", |l| {
        l.text("view-controller", &m.controller);
        l.text("view-privacy-contact", &m.contact);
        l.words::<w::LegalBasis>("view-legal-bases", &m.legal_bases);
        l.words::<w::Purpose>("view-purposes", &m.purposes);
        l.words::<w::DataCategory>("view-categories", &m.categories);
        l.text("view-privacy-recipients", &m.recipients);
        l.text("view-retention-plain", &m.retention_plain);
        l.flag("view-archive-duty", m.archive_duty);
        l.text("view-archive-duty-plain", &m.archive_duty_plain);
        l.text("view-rights", &m.rights_plain);
        l.text("view-complaint", &m.complaint_authority);
        l.text("view-transfers", &m.transfers_plain);
        l.text("view-third-parties", &m.third_parties_plain);
        l.text("view-consent-is-for-acts", &m.consent_is_for_acts_plain);
        l.moment("view-valid-from", m.valid_from_s);
    });
}

pub(super) fn emergency(m: &w::EmergencyContact, s: &mut Sections) {
    s.add("view-emergency", |l| {
        l.text("view-do-not-want", &m.do_not_want);
        l.strict::<w::Urgency>("view-urgency", m.urgency);
        l.words::<w::IncidentType>("view-incident-types", &m.what);
        l.text("view-what-is-happening", &m.what_is_happening);
        l.text("view-where", &m.r#where);
        l.told("view-since", m.since.as_ref());
        l.text("view-i-need", &m.i_need);
        l.text("view-reach-me", &m.reach_me);
        l.text("view-alias", &m.who);
        l.number("view-people-in-danger", m.people_in_danger);
        l.word::<Answer>("view-children-affected", m.children_affected);
    });
}

pub(super) fn identity(m: &w::IdentitySheet, s: &mut Sections) {
    s.add("view-identity-sheet", |l| {
        l.text("view-alias", &m.subject_ref);
        l.text("view-name", &m.name);
        l.text("view-organisation", &m.organisation);
        l.text("view-contact-details", &m.contact);
        l.text("view-gender", &m.gender);
        l.text("view-pronouns", &m.pronouns);
        l.word::<w::AgeBand>("view-age-band", m.age_band);
        l.text("view-nationality", &m.nationality);
        l.text("view-occupation", &m.occupation);
        l.texts("view-languages", &m.languages);
        l.text("view-care-needs", &m.care_needs);
        l.words::<w::Role>("view-readers", &m.readers);
    });
}

pub(super) fn free_text(m: &w::FreeText, s: &mut Sections) {
    s.add("view-letter", |l| {
        l.flag("view-distressing", m.distressing);
        l.text("view-text", &m.text);
    });
}

pub(super) fn receipt(m: &w::Receipt, s: &mut Sections) {
    s.add("view-receipt", |l| {
        l.word::<w::ReceiptKind>("view-receipt-kind", m.kind);
        l.text("view-code", &m.code);
        l.number("view-not-understood", m.not_understood);
        l.moment("view-next-word-by", m.next_word_by_s);
        l.text("view-note", &m.note);
    });
}
