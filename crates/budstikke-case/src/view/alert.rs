//! Alerts, briefs, and who has got what.

use super::Sections;
use super::case;
use super::consent::signed;
use crate::carried::decode;
use crate::wire as w;
use crate::wire::{IdentityLevel, LeftOut};

pub(super) fn alert(m: &w::Alert, s: &mut Sections) {
    s.add("view-alert", |l| {
        l.text("view-headline", &m.headline);
        l.strict::<w::Urgency>("view-urgency", m.preset);
        l.moment("view-ack-by", m.ack_by_s);
        l.text("view-what-is-happening", &m.what);
        l.text("view-asked-of-you", &m.asked_of_you);
        l.texts("view-persons", &m.persons);
        l.word::<w::AlertTiming>("view-timing", m.timing);
        l.word::<w::Severity>("view-severity", m.severity);
        l.word::<w::Certainty>("view-certainty", m.certainty);
        l.moment("view-raised", m.raised_at_s);
        l.text("view-off-channel", &m.off_channel);
        l.flag("view-exercise", m.exercise);
    });
    let escalation = m.escalation.as_ref();
    let steps = escalation.map(|it| it.steps.as_slice()).unwrap_or_default();
    s.each("view-escalation", steps, |l, step| {
        l.word::<w::Role>("view-escalation-to", step.to);
        l.moment("view-escalation-at", m.ack_by_s.saturating_add(step.after_s.into()));
    });
}

pub(super) fn contact(m: &w::EscalationContact, s: &mut Sections) {
    s.add("view-escalation-contact", |l| l.moment("view-valid-until", m.valid_until_s));
    s.each("view-escalation", &m.order, |l, role| {
        l.word::<w::Role>("view-escalation-to", *role);
    });
}

pub(super) fn ack(m: &w::AlertAck, s: &mut Sections) {
    let Ok(body) = decode::<w::AlertAckBody>(&m.body) else { return };
    s.add("view-ack", |l| {
        l.strict::<w::AckKind>("view-ack-kind", body.kind);
        l.moment("view-acked", body.at_s);
        l.moment("view-next-word-by", body.next_word_by_s);
        l.text("view-note", &body.note);
        signed(l, m.by.as_ref());
    });
}

pub(super) fn cancelled(m: &w::AlertCancelled, s: &mut Sections) {
    s.add("view-alert-cancelled", |l| l.text("view-reason", &m.why));
}

pub(super) fn brief(m: &w::CaseBrief, s: &mut Sections) {
    s.add("view-brief", |l| {
        l.moment("view-made", m.made_at_s);
        l.strict::<IdentityLevel>("view-identity", m.identity);
        l.word::<w::Reliability>("view-reliability", m.reliability);
        l.number("view-independent-sources", m.independent_sources);
        l.text("view-assessment", &m.assessment);
        l.text("view-asked-of-you", &m.asked_of_you);
        l.hash("view-terms-hash", &m.under_terms_hash);
    });
    s.each("view-subject", &m.subjects, |l, subject| {
        l.text("view-alias", &subject.r#ref);
        l.word::<w::SubjectKind>("view-subject-kind", subject.kind);
        l.word::<w::Answer>("view-under-18", subject.under_18);
        l.text("view-organisation", &subject.organisation);
        l.text("view-name", &subject.name);
    });
    // The rest is an intake with less in it, and is shown like one.
    let told = w::CaseIntake {
        wish: m.wish.clone(),
        what: m.what.clone(),
        incidents: m.incidents.clone(),
        link: m.link.clone(),
        alleged: m.alleged.clone(),
        authorities: m.authorities.clone(),
        others: m.others.clone(),
        ..w::CaseIntake::default()
    };
    case::intake(&told, s);
    left_out(&m.left_out, s);
}

fn left_out(entries: &[LeftOut], s: &mut Sections) {
    s.each("view-left-out", entries, |l, entry| {
        l.text("view-left-out-field", &entry.field);
        l.word::<w::LeftOutWhy>("view-left-out-why", entry.why);
    });
}

pub(super) fn disclosure(m: &w::DisclosureNotice, s: &mut Sections) {
    s.add("view-disclosure", |l| {
        l.text("view-unit", &m.unit);
        l.word::<w::RecipientClass>("view-recipients", m.recipients);
        l.moment("view-disclosed-at", m.at_s);
        l.strict::<IdentityLevel>("view-identity", m.identity);
        l.word::<w::Purpose>("view-purpose", m.purpose);
        l.texts("view-disclosed-items", &case::items(&m.items));
        l.strict::<w::OnwardMode>("view-onward-mode", m.allowed_by);
        l.number("view-kept-days", m.kept_days);
        l.text("view-rights", &m.rights_plain);
    });
    left_out(&m.left_out, s);
}
