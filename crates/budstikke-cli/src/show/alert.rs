//! Alerts: what was raised, by when a person has to answer, and whether one has.

use budstikke::AlertView;
use serde_json::{Value, json};

use crate::{
    case::{
        alert::AlertPhase,
        wire::Urgency,
        words::{Word as _, strict},
    },
    catalogue::{Catalogue, t},
    exit::Exit,
    failure::Failure,
    reply::Piece,
    show::time,
};

/// Whether nobody has taken it and the clock runs.
pub(crate) fn waits(alert: &AlertView) -> bool {
    !matches!(
        alert.phase,
        AlertPhase::Acked | AlertPhase::InHand | AlertPhase::Done | AlertPhase::Cancelled
    )
}

/// Whether nothing is left to do about it.
pub(crate) fn over(alert: &AlertView) -> bool {
    matches!(alert.phase, AlertPhase::Done | AlertPhase::Cancelled)
}

/// Those that cannot wait first, the nearest deadline first; what is over comes last.
pub(crate) fn sort(alerts: &mut [AlertView]) {
    alerts.sort_by_key(|alert| {
        (!alert.overdue, !alert.word_overdue, over(alert), !waits(alert), alert.ack_by_s)
    });
}

/// One alert in a list.
pub(crate) fn pieces(alert: &AlertView, now: i64, catalogue: &Catalogue) -> Vec<Piece> {
    let mut pieces = vec![Piece::Head(alert.alert.headline.clone())];
    if let Some(loud) = overdue(alert, now, catalogue) {
        pieces.push(Piece::Alarm(loud));
    }
    if alert.alert.exercise {
        pieces.push(Piece::Text(t!(catalogue, "alert-exercise")));
    }
    let mut pair = |label: String, value: String| pieces.push(Piece::Pair(label, value));
    pair(t!(catalogue, "alert-id"), alert.id.clone());
    let from = match &alert.raised_by {
        Some((unit, who)) => {
            t!(catalogue, "alert-passed-on-by", unit = unit.as_str(), who = who.as_str())
        }
        None => catalogue.text(if alert.ours { "alert-ours" } else { "alert-theirs" }, &[]),
    };
    pair(t!(catalogue, "alert-from"), from);
    let urgency = strict::<Urgency>(alert.alert.preset);
    pair(t!(catalogue, "view-urgency"), catalogue.text(&urgency.key(), &[]));
    let phase = catalogue.text(&format!("alert-phase-{}", alert.phase.name()), &[]);
    pair(t!(catalogue, "alert-state"), phase);
    if waits(alert) {
        pair(t!(catalogue, "view-ack-by"), deadline(alert.ack_by_s, now, catalogue));
    }
    if let Some((role, at)) = alert.next {
        let who = catalogue.text(&role.key(), &[]);
        let at = deadline(at, now, catalogue);
        pair(t!(catalogue, "alert-then"), t!(catalogue, "alert-then-who", who = who, at = at));
    }
    if waits(alert) && !alert.off_channel.is_empty() {
        pair(t!(catalogue, "view-off-channel"), alert.off_channel.clone());
    }
    if let Some((who, at)) = &alert.acked_by {
        let at = time::moment(*at);
        let text = t!(catalogue, "alert-taken-by", who = who.as_str(), at = at);
        pair(t!(catalogue, "alert-taken"), text);
    }
    if alert.next_word_by_s != 0 && !over(alert) {
        pair(t!(catalogue, "alert-next-word"), deadline(alert.next_word_by_s, now, catalogue));
    }
    pieces
}

/// `2026-03-04 09:30 +01:00 (1 h 5 min left)`
pub(crate) fn deadline(at: i64, now: i64, catalogue: &Catalogue) -> String {
    let (moment, left) = (time::moment(at), at - now);
    let span = time::span(left.abs(), catalogue);
    if left > 0 {
        t!(catalogue, "alert-left", at = moment, span = span)
    } else {
        t!(catalogue, "alert-past", at = moment, span = span)
    }
}

/// What cannot wait about it.
fn overdue(alert: &AlertView, now: i64, catalogue: &Catalogue) -> Option<String> {
    if alert.overdue {
        let span = time::span(now - alert.ack_by_s, catalogue);
        return Some(if alert.phase == AlertPhase::Exhausted {
            t!(catalogue, "alert-exhausted", span = span)
        } else if alert.ours && alert.next.is_none() {
            t!(catalogue, "alert-overdue-outside", span = span)
        } else {
            t!(catalogue, "alert-overdue", span = span)
        });
    }
    let (who, _) = alert.acked_by.as_ref()?;
    let late = alert.word_overdue.then(|| time::span(now - alert.next_word_by_s, catalogue))?;
    Some(t!(catalogue, "alert-word-overdue", who = who.as_str(), span = late))
}

/// Ends a command with code 10 when an alert is overdue.
pub(crate) fn attention(alerts: &[AlertView], catalogue: &Catalogue) -> Option<Failure> {
    let late: Vec<&AlertView> = alerts.iter().filter(|alert| alert.overdue).collect();
    if late.is_empty() {
        return None;
    }
    let points = late.iter().map(|alert| format!("{}  {}", alert.id, alert.alert.headline));
    let text = t!(catalogue, "attention", count = late.len() as u64);
    let theirs = late.iter().any(|alert| !alert.ours);
    let next = if theirs { "attention-next" } else { "attention-ours-next" };
    Some(Failure::new(Exit::Attention, text).more(points.collect()).next(catalogue.text(next, &[])))
}

/// For programs.
pub(crate) fn json(alert: &AlertView, now: i64) -> Value {
    json!({
        "id": alert.id,
        "line": alert.line,
        "ours": alert.ours,
        "passed_on_by": alert.raised_by.as_ref().map(|(unit, who)| json!({"unit": unit, "who": who})),
        "exercise": alert.alert.exercise,
        "escalated": alert.escalated,
        "next": alert.next.map(|(role, at)| json!({"to": role.name(), "at": at})),
        "off_channel": alert.off_channel,
        "headline": alert.alert.headline,
        "urgency": strict::<Urgency>(alert.alert.preset).name(),
        "phase": alert.phase.name(),
        "ack_by": alert.ack_by_s,
        "seconds_left": waits(alert).then_some(alert.ack_by_s - now),
        "overdue": alert.overdue,
        "word_overdue": alert.word_overdue,
        "acked_by": alert.acked_by.as_ref().map(|(who, _)| who),
        "acked_at": alert.acked_by.as_ref().map(|(_, at)| at),
        "next_word_by": Some(alert.next_word_by_s).filter(|at| *at != 0),
        "view": super::act::body(alert.alert.clone()),
    })
}
