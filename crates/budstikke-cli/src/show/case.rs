//! A conversation on the screen and as JSON.

use budstikke::{CaseSummary, CaseView, Message, Progress};
use serde_json::{Map, Value, json};

use crate::{
    case::{self, Phase, Received},
    catalogue::{Catalogue, t},
    reply::Piece,
    show::{time, view},
};

/// All conversations, a line each.
pub(crate) fn table(cases: &[CaseSummary], catalogue: &Catalogue) -> Piece {
    let head = vec![
        t!(catalogue, "list-head-id"),
        t!(catalogue, "list-head-with"),
        t!(catalogue, "list-head-terms"),
        t!(catalogue, "list-head-new"),
        t!(catalogue, "list-head-last"),
    ];
    let rows = cases.iter().map(|case| {
        vec![
            case.id.clone(),
            with(case, cases, catalogue),
            state(case, catalogue),
            case.unread.to_string(),
            time::moment(case.last_at),
        ]
    });
    Piece::Table(head, rows.collect())
}

/// Where it stands; what stops it comes before its terms.
fn state(case: &CaseSummary, catalogue: &Catalogue) -> String {
    if case.left {
        t!(catalogue, "list-left")
    } else if case.frozen.is_some() {
        t!(catalogue, "list-frozen")
    } else if case.keys_lost {
        t!(catalogue, "list-keys-lost")
    } else {
        phase(case.terms, catalogue)
    }
}

/// Message numbers as people write them: "4, 5".
pub(crate) fn numbers(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

/// What did not come as it was sent, and what stops the conversation.
fn wrong(case: &CaseView, catalogue: &Catalogue) -> Vec<Piece> {
    let mut pieces = Vec::new();
    if case.summary.frozen.is_some() {
        pieces.push(Piece::Alarm(t!(catalogue, "show-frozen")));
    }
    if case.summary.keys_lost {
        pieces.push(Piece::Alarm(t!(catalogue, "show-keys-lost")));
    }
    if let Some(since) = case.withheld_since {
        pieces.push(Piece::Warn(t!(catalogue, "show-withheld", at = time::moment(since))));
    }
    for missing in &case.missing {
        let (who, count) = (missing.from.as_str(), missing.numbers.len());
        if count > 0 {
            let numbers = numbers(&missing.numbers);
            pieces.push(Piece::Warn(t!(
                catalogue,
                "show-missing",
                who = who,
                count = count as u64,
                numbers = numbers
            )));
        }
        if missing.lost > 0 {
            let text = t!(catalogue, "show-missing-lost", who = who, count = missing.lost);
            pieces.push(Piece::Warn(text));
        }
    }
    if case.duplicates > 0 {
        pieces.push(Piece::Text(t!(catalogue, "show-duplicates", count = case.duplicates)));
    }
    pieces
}

/// Who it is with; of a line to the Ministry, whom it is about as well.
fn with(case: &CaseSummary, all: &[CaseSummary], catalogue: &Catalogue) -> String {
    let Some(of) = &case.line_for else { return case.with.clone() };
    let about = all.iter().find(|other| other.id == *of).map_or(of, |other| &other.with);
    t!(catalogue, "list-line", who = case.with.as_str(), about = about.as_str())
}

/// A conversation: terms, people, safety words, messages, newest last.
pub(crate) fn pieces(case: &CaseView, catalogue: &Catalogue) -> Vec<Piece> {
    let summary = &case.summary;
    let mut pieces = vec![Piece::Head(t!(
        catalogue,
        "show-title",
        id = summary.id.as_str(),
        who = summary.with.as_str()
    ))];
    let pair = |name: String, value: String| Piece::Pair(name, value);
    pieces.push(pair(t!(catalogue, "show-terms"), phase(summary.terms, catalogue)));
    if summary.handover_pending {
        pieces.push(Piece::Warn(t!(catalogue, "show-handover-pending")));
    }
    for (n, member) in case.members.iter().enumerate() {
        let name = if n == 0 { t!(catalogue, "show-who-can-read") } else { String::new() };
        let mut who = member.name.clone();
        if let Some(unit) = &member.unit {
            who = t!(catalogue, "show-member", name = who, unit = unit.as_str());
        }
        if member.own {
            who = t!(catalogue, "show-own", name = who);
        }
        if member.lapsed {
            who = t!(catalogue, "show-lapsed", name = who);
        }
        pieces.push(pair(name, who));
    }
    if summary.left {
        pieces.push(Piece::Warn(t!(catalogue, "show-left")));
    }
    if let Some(words) = &case.safety_words {
        pieces.extend(super::words::pieces(words, catalogue));
        let compared = if case.words_compared { "words-compared" } else { "safety-words-case" };
        pieces.push(pair(String::new(), catalogue.text(compared, &[])));
    }
    if let Some(since) = case.key_changed {
        let since = time::moment(since);
        pieces.push(Piece::Alarm(t!(catalogue, "words-key-changed", since = since)));
    }
    for pending in &case.pending {
        let key = if pending.ours { "show-pending-ours" } else { "show-pending-theirs" };
        pieces.push(Piece::Warn(catalogue.text(key, &[])));
    }
    pieces.extend(wrong(case, catalogue));
    // Where something is missing, each message shows the number that its sender knows it by.
    let counted = !case.missing.is_empty();
    pieces.push(Piece::Head(t!(catalogue, "show-messages")));
    for message in case.messages.iter().filter(|message| !says_only_arrived(message)) {
        let mut line = line(message, &summary.with, catalogue);
        if counted && message.progress.is_none() && message.nth > 0 {
            line = format!("{line} · {}", t!(catalogue, "show-nth", number = message.nth));
        }
        pieces.push(Piece::Item(line));
        if let Some(text) = words_of(message) {
            pieces.push(Piece::Raw(crate::out::fill(&format!("      {text}"), 6)));
        }
    }
    pieces.push(Piece::Next(t!(catalogue, "show-next")));
    pieces
}

/// One message, whole.
pub(crate) fn message(message: &Message, with: &str, catalogue: &Catalogue) -> Vec<Piece> {
    let mut pieces = vec![Piece::Head(line(message, with, catalogue))];
    match &message.view {
        Some(view) => pieces.extend(self::view::pieces(view, true, catalogue)),
        None => pieces.push(Piece::Warn(t!(catalogue, "show-unreadable"))),
    }
    pieces
}

/// Where terms stand, in words.
pub(crate) fn phase(phase: Phase, catalogue: &Catalogue) -> String {
    catalogue.text(&format!("phase-{}", phase.name()), &[])
}

/// The id that a receipt answers; empty when the message holds none.
pub(crate) fn message_id(message: &Message) -> Vec<u8> {
    let received = Received::open(message.content.clone()).ok();
    let header = received.as_ref().and_then(Received::header);
    header.map(|header| header.message_id.clone()).unwrap_or_default()
}

fn line(message: &Message, with: &str, catalogue: &Catalogue) -> String {
    // The first contact's own messages were written before anybody had a name here.
    let from = match (message.from.as_str(), message.progress) {
        ("", Some(_)) => t!(catalogue, "show-you"),
        ("", None) => with.to_owned(),
        (from, _) => from.to_owned(),
    };
    let kind = catalogue.maybe(&format!("kind-{}", message.kind));
    let kind = kind.unwrap_or_else(|| t!(catalogue, "kind-unknown"));
    let mut line = t!(
        catalogue,
        "show-line",
        number = message.number.to_string(),
        at = time::moment(message.at),
        from = from,
        kind = kind
    );
    if let Some(progress) = message.progress {
        line.push_str(" · ");
        line.push_str(&catalogue.text(&format!("progress-{}", name(progress)), &[]));
    }
    if message.late {
        line = format!("{line} · {}", t!(catalogue, "show-late"));
    }
    if let Some(code) = &message.refused {
        line = format!("{line} [{code}]");
    }
    line
}

/// What a person wrote in a letter or a receipt, to be read without opening it.
fn words_of(message: &Message) -> Option<String> {
    let sections = &message.view.as_ref()?.sections;
    let wrote = |heading: &str, label: &str| {
        let places = [("view-letter", "view-text"), ("view-receipt", "view-note")];
        places.contains(&(heading, label))
    };
    sections.iter().find_map(|section| {
        section.lines.iter().find_map(|line| match &line.value {
            case::Value::Text(text) if wrote(section.heading, line.label) => Some(text.clone()),
            _ => None,
        })
    })
}

/// Receipts that a device sends by itself: they show as the state of the message they are about.
fn says_only_arrived(message: &Message) -> bool {
    let lines = message.view.iter().flat_map(|view| &view.sections).flat_map(|s| &s.lines);
    lines.into_iter().any(|line| match &line.value {
        case::Value::Word(key) => key == "receipt-kind-delivered" || key == "receipt-kind-read",
        _ => false,
    })
}

fn name(progress: Progress) -> &'static str {
    match progress {
        Progress::OnThisDevice => "on-this-device",
        Progress::AtRelay => "at-relay",
        Progress::OnTheirDevice => "on-their-device",
        Progress::TakenOn => "taken-on",
        Progress::Refused => "refused",
    }
}

/// For programs.
pub(crate) fn summary_json(case: &CaseSummary) -> Value {
    json!({
        "id": case.id,
        "with": case.with,
        "terms": case.terms.name(),
        "unread": case.unread,
        "messages": case.messages,
        "last_at": case.last_at,
        "line": case.line,
        "line_for": case.line_for,
        "handover_pending": case.handover_pending,
        "frozen_since": case.frozen.map(|(_, since)| since),
        "keys_lost": case.keys_lost,
        "left": case.left,
    })
}

/// For programs.
pub(crate) fn message_json(message: &Message) -> Value {
    json!({
        "number": message.number,
        "from": message.from,
        "at": message.at,
        "kind": message.kind,
        "progress": message.progress.map(name),
        "refused": message.refused,
        "quarantined": message.quarantined,
        "nth": message.nth,
        "late": message.late,
        "view": message.view,
    })
}

/// For programs.
pub(crate) fn json(case: &CaseView, catalogue: &Catalogue) -> Map<String, Value> {
    let members = case.members.iter().map(|member| {
        json!({
            "name": member.name,
            "unit": member.unit,
            "own": member.own,
            "lapsed": member.lapsed,
        })
    });
    let pending = case
        .pending
        .iter()
        .map(|pending| json!({ "hash": pending.hash, "ours": pending.ours, "view": pending.view }));
    let words = case.safety_words.as_ref().map(|words| super::words::json(words, catalogue));
    let missing = case.missing.iter().map(
        |missing| json!({"from": missing.from, "numbers": missing.numbers, "lost": missing.lost}),
    );
    Map::from_iter([
        ("missing".to_owned(), missing.collect()),
        ("duplicates".to_owned(), case.duplicates.into()),
        ("withheld_since".to_owned(), json!(case.withheld_since)),
        ("conversation".to_owned(), summary_json(&case.summary)),
        ("members".to_owned(), members.collect()),
        ("words_compared".to_owned(), case.words_compared.into()),
        ("epoch".to_owned(), case.epoch.into()),
        ("safety_words".to_owned(), json!(words)),
        ("key_changed".to_owned(), json!(case.key_changed)),
        ("agreed".to_owned(), json!(case.agreed)),
        ("pending".to_owned(), pending.collect()),
        ("messages".to_owned(), case.messages.iter().map(message_json).collect()),
    ])
}
