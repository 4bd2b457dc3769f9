//! Hand-overs, and who reads.

use super::{Sections, Value};
use crate::wire as w;
use crate::wire::{AccessChangeKind, Role};

pub(super) fn handover(m: &w::Handover, s: &mut Sections) {
    let label = |officer: &Option<w::Officer>| {
        officer.as_ref().map(|officer| officer.label.clone()).unwrap_or_default()
    };
    s.add("view-handover", |l| {
        l.text("view-handed-from", &label(&m.from));
        l.text("view-handed-to", &label(&m.to));
        l.moment("view-last-day", m.last_day_s);
    });
    for case in &m.cases {
        handed(case, s);
    }
}

pub(super) fn handed(m: &w::HandedCase, s: &mut Sections) {
    s.add("view-handed-case", |l| {
        l.word::<w::CaseState>("view-case-state", m.state);
        l.text("view-trust-notes", &m.trust_notes);
        l.text("view-who-is-told", &m.who_is_told);
    });
    s.each("view-promise", &m.promises, |l, promise| {
        l.text("view-what", &promise.what);
        l.moment("view-promise-by", promise.by_s);
    });
    s.each("view-in-flight", &m.in_flight, |l, item| {
        l.word::<w::InFlightKind>("view-in-flight-kind", item.kind);
        l.text("view-what", &item.what);
        l.moment("view-in-flight-due", item.due_s);
    });
}

/// Who reads from when on, who stops, and that one may say no.
pub(super) fn access_change(m: &w::CaseAccessChange, s: &mut Sections) {
    if m.kind == i32::from(AccessChangeKind::Objection) {
        s.add("view-access-objection", |l| {
            l.word::<AccessChangeKind>("view-change", m.kind);
            l.text("view-reason", &m.reason);
        });
        return;
    }
    s.add("view-access", |l| {
        l.word::<AccessChangeKind>("view-change", m.kind);
        l.moment("view-reads-from", m.from_s);
        l.moment("view-reads-until", m.stops_s);
        l.text("view-what-happens-next", &m.what_happens_next);
        l.push("view-rights", Value::Word("access-may-object".to_owned()));
    });
    for (heading, readers) in [("view-reads", &m.reads), ("view-stops-reading", &m.stops)] {
        s.each(heading, readers, |l, reader| {
            l.text("view-officer", &reader.label);
            l.word::<Role>("view-role", reader.role);
        });
    }
}
