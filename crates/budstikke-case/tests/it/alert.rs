//! Alerts: presets, and a clock that only a person stops.

use crate::common::{NOW, code, data};
use crate::line::{DAY, HOUR, b, k, m};
use budstikke_case::Refusal;
use budstikke_case::alert::{self, AlertEvent, AlertPhase, AlertState, Stage};
use budstikke_case::file::{AlertFile, Format};
use budstikke_case::wire::{self as w, AckKind, Urgency};
use proptest::prelude::*;

fn flash() -> AlertState {
    AlertState::new(AlertFile::parse(&data("alert-flash.toml"), Format::Toml, NOW).unwrap().alert)
}

fn ack(state: &AlertState, kind: AckKind, at: i64) -> w::AlertAckBody {
    alert::ack(state.alert(), kind, at, at + HOUR)
}

#[test]
fn presets_fill_the_axes_and_the_deadline() {
    let flash = flash();
    assert_eq!(flash.ack_by_s(), NOW + HOUR);
    let raised = flash.alert();
    assert_eq!(raised.timing, i32::from(w::AlertTiming::Immediate));
    assert_eq!(raised.severity, i32::from(w::Severity::Extreme));
    assert_eq!(raised.certainty, i32::from(w::Certainty::Observed));
    assert_eq!(alert::ack_deadline(Urgency::Urgent, NOW, 0), NOW + 4 * HOUR);
    assert_eq!(alert::ack_deadline(Urgency::High, NOW, 0), NOW + DAY);
}

/// NOW is a Thursday, 11:40 in Karvonia.
#[test]
fn routine_counts_working_days_where_it_is_read() {
    let routine = AlertFile::parse(&data("alert-routine.toml"), Format::Toml, NOW).unwrap().alert;
    assert_eq!(routine.ack_by_s, NOW + 7 * DAY, "the Thursday after");
    let at = |after, offset| alert::ack_deadline(Urgency::Routine, NOW + after, offset) - NOW;
    assert_eq!(at(DAY, 180), 8 * DAY, "Friday to Friday");
    assert_eq!(at(2 * DAY, 180), 8 * DAY, "from Saturday: five days from Monday on");
    // 21:30 UTC on Friday is Saturday in Karvonia, and not in Oslo.
    let friday_night = DAY + 13 * HOUR;
    assert_ne!(at(friday_night, 180), at(friday_night, 60));
}

/// S10 as far as the machine goes: delivered, read, still running; then a person.
#[test]
fn delivered_and_read_never_stop_the_clock() {
    let mut state = flash();
    for event in [AlertEvent::Sent, AlertEvent::Delivered, AlertEvent::Read] {
        state.apply(&event, NOW + 60).unwrap();
        assert!(state.waiting() && !state.overdue(NOW + HOUR - 1));
    }
    assert_eq!(state.phase(), AlertPhase::Read);
    assert!(state.overdue(NOW + HOUR + 60));
    // Seen by somebody whose it is not: the clock runs on.
    let seen = ack(&state, AckKind::SeenNotMine, NOW + 2 * HOUR);
    state.apply(&AlertEvent::Acked { ack: &seen, by: &m().officer }, NOW + 2 * HOUR).unwrap();
    assert!(state.overdue(NOW + 2 * HOUR) && state.acked_by().is_none());
    let newer = w::AlertAckBody { kind: 99, ..seen };
    state.apply(&AlertEvent::Acked { ack: &newer, by: &m().officer }, NOW + 2 * HOUR).unwrap();
    assert!(state.overdue(NOW + 2 * HOUR));
    state.apply(&AlertEvent::Escalated, NOW + 2 * HOUR).unwrap();
    assert_eq!(state.escalated(), 1);
    let mine = ack(&state, AckKind::SeenAndMine, NOW + 3 * HOUR);
    let by = k().officer;
    assert_eq!(
        state.apply(&AlertEvent::Acked { ack: &mine, by: &by }, NOW + 3 * HOUR),
        Ok(AlertPhase::Acked)
    );
    assert_eq!(state.acked_by(), Some(("Decision-maker K", NOW + 3 * HOUR)));
    assert!(!state.overdue(NOW + 9 * HOUR));
    assert!(state.word_overdue(NOW + 4 * HOUR) && !state.word_overdue(NOW + 4 * HOUR - 1));
    let step = state.apply(&AlertEvent::Exhausted, NOW).unwrap_err();
    assert_eq!(step, Refusal::OutOfStep { step: "exhaust", phase: "acked" });
    let done = ack(&state, AckKind::Done, NOW + 5 * HOUR);
    state.apply(&AlertEvent::Acked { ack: &done, by: &by }, NOW + 5 * HOUR).unwrap();
    assert_eq!(code(state.apply(&AlertEvent::Cancelled, NOW + DAY)), "W04");
    assert!(AlertState::from_bytes(&state.to_bytes()).unwrap() == state);
}

/// What the clock brings by itself: a quarter of an hour before the hour is over, then the steps, then nobody.
#[test]
fn the_clock_goes_from_one_person_to_the_next_until_somebody_takes_it() {
    let mut alert = flash().alert().clone();
    let step = |to: w::Role, after_s| w::EscalationStep {
        to: to.into(),
        after_s,
        ..w::EscalationStep::default()
    };
    let (duty, decides) = (w::Role::MinistryDutyOfficer, w::Role::MinistryDecisionMaker);
    let turn = alert::turn_s(Urgency::Flash);
    let steps = vec![step(duty, 0), step(decides, turn)];
    alert.escalation = Some(w::Escalation { steps, exhausted_after_s: 2 * turn });
    let mut state = AlertState::new(alert);
    let by = NOW + HOUR;
    let all = vec![
        (by - HOUR / 4, Stage::Near),
        (by, Stage::Overdue),
        (by, Stage::Escalated(duty)),
        (by + HOUR / 2, Stage::Escalated(decides)),
        (by + HOUR, Stage::Exhausted),
    ];
    assert_eq!(state.stages(), all);
    // What waited for the network gives everybody their time.
    let mut late = state.clone();
    late.apply(&AlertEvent::Sent, NOW + DAY).unwrap();
    let shifted: Vec<_> = all.iter().map(|(at, stage)| (at + DAY, *stage)).collect();
    assert_eq!(late.stages(), shifted);
    assert_eq!(alert::clock_from(NOW, NOW + 5 * 60), NOW);
    assert_eq!(alert::clock_from(NOW, NOW + 5 * 60 + 1), NOW + 5 * 60 + 1);

    let mine = ack(&state, AckKind::SeenAndMine, NOW);
    state.apply(&AlertEvent::Acked { ack: &mine, by: &m().officer }, NOW).unwrap();
    assert!(state.stages().is_empty());
    // Given back: the clock runs, and the copies that were called off do not come back.
    let back = ack(&state, AckKind::SeenNotMine, NOW + 60);
    state.apply(&AlertEvent::Acked { ack: &back, by: &m().officer }, NOW + 60).unwrap();
    assert_eq!(state.stages(), all.get(..2).unwrap());
    assert!(AlertState::from_bytes(&state.to_bytes()).unwrap() == state);
}

/// S6: an alert that waited for the network has its time from when it left.
#[test]
fn the_clock_waits_with_the_network() {
    let mut state = flash();
    state.apply(&AlertEvent::Sent, NOW + 2 * HOUR).unwrap();
    assert_eq!(state.ack_by_s(), NOW + 3 * HOUR);
    assert!(!state.overdue(NOW + 3 * HOUR - 1) && state.overdue(NOW + 3 * HOUR));
    // Said twice, later: it left once.
    state.apply(&AlertEvent::Delivered, NOW + 2 * HOUR).unwrap();
    state.apply(&AlertEvent::Sent, NOW + 9 * HOUR).unwrap();
    assert_eq!(state.ack_by_s(), NOW + 3 * HOUR);
}

/// Two take it at once: whoever hears of it in whichever order sees the same one.
#[test]
fn whoever_took_it_last_has_it_on_every_screen() {
    let (at_m, at_k) = (ack(&flash(), AckKind::SeenAndMine, NOW), NOW + 60);
    let at_k = ack(&flash(), AckKind::SeenAndMine, at_k);
    let (m, k) = (m().officer, k().officer);
    let first = AlertEvent::Acked { ack: &at_m, by: &m };
    let second = AlertEvent::Acked { ack: &at_k, by: &k };
    for order in [[&first, &second], [&second, &first]] {
        let mut state = flash();
        for event in order {
            state.apply(event, NOW + 120).unwrap();
        }
        assert_eq!(state.acked_by().unwrap().0, "Decision-maker K");
    }
    // Whoever gives it back has not taken it, whatever arrives late.
    let mut state = flash();
    let back = ack(&flash(), AckKind::SeenNotMine, NOW + 30);
    for answer in [&at_m, &back, &at_m] {
        state.apply(&AlertEvent::Acked { ack: answer, by: &m }, NOW + 120).unwrap();
    }
    assert!(state.waiting());
    let mut state = flash();
    for answer in [&back, &at_m] {
        state.apply(&AlertEvent::Acked { ack: answer, by: &m }, NOW + 120).unwrap();
    }
    assert!(state.waiting());
    // Nobody answers from the future, where they would hold it for ever, or before it was raised.
    for at in [NOW + 16 * 60, NOW - 16 * 60] {
        let odd = ack(&flash(), AckKind::SeenAndMine, at);
        let event = AlertEvent::Acked { ack: &odd, by: &m };
        assert_eq!(code(flash().apply(&event, NOW)), "W02");
    }
    // Nobody is silent for ever.
    let never = w::AlertAckBody { next_word_by_s: NOW + DAY + 1, ..at_m };
    let event = AlertEvent::Acked { ack: &never, by: &m };
    assert_eq!(code(flash().apply(&event, NOW)), "W02");
}

#[test]
fn who_may_acknowledge_and_what() {
    let mut state = flash();
    let mine = ack(&state, AckKind::SeenAndMine, NOW);
    // Staff of a mission may not take it; its contact person may.
    let refused = state.apply(&AlertEvent::Acked { ack: &mine, by: &b().officer }, NOW);
    assert_eq!(code(refused), "I03");
    let other = w::AlertAckBody { alert_id: vec![9; 16], ..mine.clone() };
    assert_eq!(code(state.apply(&AlertEvent::Acked { ack: &other, by: &m().officer }, NOW)), "W02");
    state.apply(&AlertEvent::Cancelled, NOW).unwrap();
    let late = state.apply(&AlertEvent::Acked { ack: &mine, by: &m().officer }, NOW);
    assert_eq!(code(late), "W04");
}

proptest! {
    /// Whatever arrives in whatever order: only a person's yes or the sender's word stops it.
    #[test]
    fn only_people_stop_the_clock(steps in prop::collection::vec(0_u8..9, 0..40)) {
        let mut state = flash();
        let acks: Vec<_> = (0..5).map(|kind| w::AlertAckBody {
            kind,
            ..ack(&state, AckKind::SeenAndMine, NOW + 9)
        }).collect();
        let by = m().officer;
        let mut stopped = false;
        for step in steps {
            let event = match step {
                0 => AlertEvent::Sent,
                1 => AlertEvent::Delivered,
                2 => AlertEvent::Read,
                3 => AlertEvent::Escalated,
                4 => AlertEvent::Exhausted,
                5 => AlertEvent::Cancelled,
                n => AlertEvent::Acked { ack: &acks[usize::from(n) % 5], by: &by },
            };
            let person = matches!(&event, AlertEvent::Acked { ack, .. } if ack.kind >= 2);
            let given_back = matches!(&event, AlertEvent::Acked { ack, .. } if ack.kind < 2);
            let before = state.to_bytes();
            if state.apply(&event, NOW + 1).is_ok() {
                stopped |= person || event == AlertEvent::Cancelled;
                // The one person in this who takes it may say that it is not theirs after all.
                stopped &= !given_back;
            } else {
                prop_assert_eq!(state.to_bytes(), before);
            }
            prop_assert_eq!(state.waiting(), !stopped);
            prop_assert_eq!(state.overdue(NOW + 2 * HOUR), !stopped);
            prop_assert!(AlertState::from_bytes(&state.to_bytes()).unwrap() == state);
        }
    }

    #[test]
    fn any_bytes_and_times(bytes: Vec<u8>, at: i64, offset in -840_i32..840) {
        let _no_panic = AlertState::from_bytes(&bytes).is_ok();
        for urgency in [Urgency::Routine, Urgency::High, Urgency::Urgent, Urgency::Flash] {
            prop_assert!(alert::ack_deadline(urgency, at, offset) >= at);
        }
    }
}
