//! A message as something to show: sections of labelled values. Labels and choices are keys of
//! the message catalogue, so that a client shows them in its reader's language; what people wrote
//! stays as they wrote it. Serialises to JSON for export.

mod action;
mod alert;
mod case;
mod consent;
mod handover;
mod labels;
mod letters;
mod terms;

use serde::Serialize;

use crate::hash::Hash;
use crate::kind::Kind;
use crate::time;
use crate::wire::{ChannelTerms, Content, FuzzyTime, HandedCase, Header, content::Body};
use crate::words::{Described, Restricting, Word, described, strict};

pub(crate) use labels::LABELS;

/// A message to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct View {
    /// Key of the title: `kind-case-intake`.
    pub title: String,
    /// In the order to show them.
    pub sections: Vec<Section>,
}

/// Lines under a heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Section {
    /// Key of the heading.
    pub heading: &'static str,
    /// Counts repeated sections, from 1.
    pub number: Option<usize>,
    /// Empty ones are left out.
    pub lines: Vec<Line>,
}

/// One labelled value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Key of the label.
    pub label: &'static str,
    /// What stands there.
    pub value: Value,
}

/// A value to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Value {
    /// What somebody wrote.
    Text(String),
    /// Several such.
    Texts(Vec<String>),
    /// Key of a choice.
    Word(String),
    /// Several such.
    Words(Vec<String>),
    /// A number.
    Number(u64),
    /// Yes or no.
    Flag(bool),
    /// A time as told, with the bounds understood, local `YYYY-MM-DD HH:MM`.
    Told {
        /// The words.
        words: String,
        /// First moment meant.
        earliest: Option<String>,
        /// Last moment meant.
        latest: Option<String>,
    },
    /// Unix seconds, to be shown in the reader's own way.
    Moment(i64),
    /// A hash, hex.
    Hash(String),
}

impl View {
    /// Shows a message; an unknown body gives a title and nothing else.
    pub fn of(content: &Content) -> Self {
        let mut sections = Sections::default();
        if let Some(header) = &content.header {
            sections.add("view-header", |lines| head(header, lines));
        }
        let kind = Kind::of(content);
        match &content.body {
            None => {}
            Some(Body::PrivacyNotice(m)) => letters::privacy_notice(m, &mut sections),
            Some(Body::ChannelOffer(m)) => terms::carried(&m.terms, "", &[], &mut sections),
            Some(Body::TermsProposal(m)) => terms::carried(&m.terms, &m.note, &[], &mut sections),
            Some(Body::TermsCounter(m)) => {
                terms::carried(&m.terms, &m.why, &m.counters_hash, &mut sections);
            }
            Some(Body::TermsAcceptance(m)) => terms::acceptance(m, &mut sections),
            Some(Body::TermsChange(m)) => terms::change(m, &mut sections),
            Some(Body::EmergencyContact(m)) => letters::emergency(m, &mut sections),
            Some(Body::CaseIntake(m)) => case::intake(m, &mut sections),
            Some(Body::IdentitySheet(m)) => letters::identity(m, &mut sections),
            Some(Body::FreeText(m)) => letters::free_text(m, &mut sections),
            Some(Body::Receipt(m)) => letters::receipt(m, &mut sections),
            Some(Body::Handover(m)) => handover::handover(m, &mut sections),
            Some(Body::CaseAccessChange(m)) => handover::access_change(m, &mut sections),
            Some(body) => onward(body, &mut sections),
        }
        let name = kind.map_or("unknown", Kind::name);
        Self { title: format!("kind-{name}"), sections: sections.0 }
    }

    /// Shows terms outside a message.
    pub fn of_terms(terms: &ChannelTerms) -> Self {
        let mut sections = Sections::default();
        terms::terms(terms, &mut sections);
        Self { title: "view-terms".to_owned(), sections: sections.0 }
    }

    /// Shows one case of a hand-over outside of its message.
    pub fn of_handed(case: &HandedCase) -> Self {
        let mut sections = Sections::default();
        handover::handed(case, &mut sections);
        Self { title: "view-handed-case".to_owned(), sections: sections.0 }
    }
}

/// The Ministry line's kinds.
fn onward(body: &Body, s: &mut Sections) {
    match body {
        Body::CaseBrief(m) => alert::brief(m, s),
        Body::RiskAssessment(m) => action::risk(m, s),
        Body::VerificationRecord(m) => action::verification(m, s),
        Body::ConsentRequest(m) => consent::request(m, s),
        Body::ConsentRecord(m) => consent::record(m, s),
        Body::ConsentToken(m) => consent::token(m, s),
        Body::ConsentStatus(m) => consent::status(m, s),
        Body::ConsentWithdrawal(m) => consent::withdrawal(m, s),
        Body::ActionPlan(m) => action::plan(m, s),
        Body::ApprovalRequest(m) => action::request(m, s),
        Body::Decision(m) => action::decision(m, s),
        Body::EffectReport(m) => action::effect(m, s),
        Body::ReactionInformed(m) => action::informed(m, s),
        Body::ActionUpdate(m) => action::update(m, s),
        Body::GuardOverride(m) => action::guard_override(m, s),
        Body::Alert(m) => alert::alert(m, s),
        Body::AlertAck(m) => alert::ack(m, s),
        Body::AlertCancelled(m) => alert::cancelled(m, s),
        Body::EscalationContact(m) => alert::contact(m, s),
        Body::DisclosureNotice(m) => alert::disclosure(m, s),
        _ => {}
    }
}

fn head(h: &Header, lines: &mut Lines) {
    lines.word::<crate::wire::Role>("view-from", h.sender_role);
    lines.moment("view-written", h.written_at_s);
    lines.moment("view-expires", h.expires_at_s);
    lines.word::<crate::wire::RunMode>("view-run-mode", h.run_mode);
    lines.strict::<crate::wire::Urgency>("view-urgency", h.urgency);
    lines.strict::<crate::wire::Handling>("view-handling", h.handling);
    lines.word::<crate::wire::Purpose>("view-purpose", h.purpose);
    lines.text("view-classification", &h.classification);
}

#[derive(Default)]
struct Sections(Vec<Section>);

impl Sections {
    fn add(&mut self, heading: &'static str, fill: impl FnOnce(&mut Lines)) {
        self.numbered(heading, None, fill);
    }

    fn each<T>(&mut self, heading: &'static str, items: &[T], fill: impl Fn(&mut Lines, &T)) {
        for (index, item) in items.iter().enumerate() {
            self.numbered(heading, Some(index + 1), |lines| fill(lines, item));
        }
    }

    fn numbered(
        &mut self,
        heading: &'static str,
        number: Option<usize>,
        fill: impl FnOnce(&mut Lines),
    ) {
        let mut lines = Lines::default();
        fill(&mut lines);
        if !lines.0.is_empty() {
            self.0.push(Section { heading, number, lines: lines.0 });
        }
    }
}

/// Lines in the making; what says nothing is left out.
#[derive(Default)]
struct Lines(Vec<Line>);

impl Lines {
    fn push(&mut self, label: &'static str, value: Value) {
        self.0.push(Line { label, value });
    }

    fn text(&mut self, label: &'static str, text: &str) {
        if !text.is_empty() {
            self.push(label, Value::Text(text.to_owned()));
        }
    }

    fn texts(&mut self, label: &'static str, texts: &[String]) {
        if !texts.is_empty() {
            self.push(label, Value::Texts(texts.to_vec()));
        }
    }

    fn word<E: Word>(&mut self, label: &'static str, raw: i32) {
        if let Some(key) = described::<E>(raw).key() {
            self.push(label, Value::Word(key));
        }
    }

    /// A restricting choice is always shown, as what it is read as.
    fn strict<E: Restricting>(&mut self, label: &'static str, raw: i32) {
        self.push(label, Value::Word(strict::<E>(raw).key()));
    }

    fn words<E: Word>(&mut self, label: &'static str, raw: &[i32]) {
        let keys: Vec<_> =
            raw.iter().filter_map(|raw| Described::key(described::<E>(*raw))).collect();
        if !keys.is_empty() {
            self.push(label, Value::Words(keys));
        }
    }

    fn number(&mut self, label: &'static str, number: impl Into<u64>) {
        let number = number.into();
        if number != 0 {
            self.push(label, Value::Number(number));
        }
    }

    fn flag(&mut self, label: &'static str, flag: bool) {
        if flag {
            self.push(label, Value::Flag(true));
        }
    }

    fn moment(&mut self, label: &'static str, seconds: i64) {
        if seconds != 0 {
            self.push(label, Value::Moment(seconds));
        }
    }

    fn told(&mut self, label: &'static str, told: Option<&FuzzyTime>) {
        let Some(told) = told else { return };
        let local = |bound: Option<i64>| time::local(bound?, told.utc_offset_min);
        let (earliest, latest) = (local(told.earliest_s), local(told.latest_s));
        self.push(label, Value::Told { words: told.as_told.clone(), earliest, latest });
    }

    fn hash(&mut self, label: &'static str, bytes: &[u8]) {
        if let Some(hash) = Hash::from_slice(bytes) {
            self.push(label, Value::Hash(hash.to_string()));
        }
    }
}
