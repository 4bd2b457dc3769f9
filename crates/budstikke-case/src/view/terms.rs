//! Terms in the order in which a person decides about them: what can be expected, who may know,
//! how long it is kept, how and when one is reached.

use super::{Lines, Sections};
use crate::terms_state::decode_terms;
use crate::wire as w;
use crate::wire::{IdentityLevel, OnwardMode, RecipientClass};

pub(super) fn carried(bytes: &[u8], note: &str, counters: &[u8], s: &mut Sections) {
    s.add("view-negotiation", |l| {
        l.hash("view-terms-hash", crate::hash::terms_hash(bytes).as_bytes());
        l.hash("view-counters", counters);
        l.text("view-note", note);
    });
    if let Ok(decoded) = decode_terms(bytes) {
        terms(&decoded, s);
    }
}

pub(super) fn terms(m: &w::ChannelTerms, s: &mut Sections) {
    s.add("view-terms", |l| {
        l.text("view-terms-title", &m.title);
        l.word::<w::TermsKind>("view-terms-kind", m.kind);
        l.word::<w::Leg>("view-leg", m.leg);
        l.texts("view-units", &m.units);
        l.words::<w::Purpose>("view-purposes", &m.purposes);
        l.moment("view-valid-from", m.valid_from_s);
        l.moment("view-valid-until", m.valid_until_s);
        l.number("view-review-days", m.review_days);
    });
    if let Some(e) = &m.expectations {
        s.add("view-expectations", |l| {
            l.texts("view-we-can", &e.we_can);
            l.texts("view-we-cannot", &e.we_cannot);
            l.texts("view-known-risks", &e.known_risks);
            l.number("view-usual-reply-hours", e.usual_reply_hours);
            l.moment("view-expectations-as-of", e.as_of_s);
        });
    }
    s.add("view-who-may-know", |l| {
        l.strict::<IdentityLevel>("view-identity", m.identity);
        l.strict::<w::Handling>("view-handling", m.handling);
    });
    s.each("view-onward", &m.onward, |l, rule| {
        l.word::<RecipientClass>("view-recipients", rule.recipients);
        l.strict::<OnwardMode>("view-onward-mode", rule.mode);
        l.strict::<IdentityLevel>("view-identity", rule.identity);
    });
    if let Some(kept) = &m.retention {
        s.add("view-retention", |l| {
            l.number("view-device-hours", kept.defender_device_hours);
            l.number("view-mission-days", kept.mission_days);
            l.number("view-ministry-days", kept.ministry_days);
            l.flag("view-archive-duty", kept.archive_duty);
        });
    }
    s.add("view-reaching", |l| reaching(l, m));
    if let Some(quiet) = &m.quiet_time {
        s.each("view-quiet", &quiet.windows, |l, window| {
            l.text("view-quiet-from", &clock(window.from_minute));
            l.text("view-quiet-until", &clock(window.until_minute));
            let days: Vec<String> = window.weekdays.iter().map(u32::to_string).collect();
            l.texts("view-weekdays", &days);
            l.text("view-place", &quiet.place);
        });
    }
    s.add("view-bound-to", |l| {
        l.hash("view-privacy-notice-hash", &m.privacy_notice_hash);
        l.hash("view-inherits", &m.inherits_terms_hash);
    });
}

fn reaching(l: &mut Lines, m: &w::ChannelTerms) {
    l.words::<w::Transport>("view-transports", &m.transports);
    l.strict::<w::NotificationStyle>("view-notifications", m.notifications);
    let receipts = m.receipts.clone().unwrap_or_default();
    l.words::<w::ReceiptKind>("view-receipts-from-defender", &receipts.from_defender);
    l.words::<w::ReceiptKind>("view-receipts-from-mission", &receipts.from_mission);
    if let Some(words) = &m.code_words {
        l.text("view-code-all-is-well", &words.all_is_well);
        l.text("view-code-danger", &words.i_am_in_danger);
        l.text("view-code-prove", &words.to_prove_it_is_me);
    }
    l.text("view-off-channel", &m.off_channel);
    l.texts("view-languages", &m.languages);
    l.flag("view-keep-metadata", m.attachments_keep_metadata);
}

pub(super) fn acceptance(m: &w::TermsAcceptance, s: &mut Sections) {
    s.add("view-negotiation", |l| {
        l.hash("view-terms-hash", &m.terms_hash);
        l.hash("view-privacy-notice-hash", &m.privacy_notice_hash);
        l.flag("view-expectations-understood", m.expectations_understood);
    });
}

pub(super) fn change(m: &w::TermsChange, s: &mut Sections) {
    s.add("view-negotiation", |l| {
        l.strict::<w::TermsChangeKind>("view-change", m.kind);
        l.hash("view-terms-hash", &m.terms_hash);
        l.text("view-reason", &m.reason);
    });
}

fn clock(minute: u32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}
