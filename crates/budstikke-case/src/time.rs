//! Times as people tell them, and quiet hours. Civil arithmetic with fixed offsets only: no time
//! zone database is read.

mod fuzzy;

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, tz::TimeZone};

use crate::wire::{QuietTime, QuietWindow};

pub use fuzzy::{fuzzy, parse_offset};

const MINUTE_S: i64 = 60;
const DAY_MIN: i64 = 24 * 60;

/// Unix seconds of local midnight; `None` outside what a calendar holds.
pub(crate) fn midnight(date: Date, utc_offset_min: i32) -> Option<i64> {
    let at = date.to_datetime(jiff::civil::Time::midnight()).to_zoned(TimeZone::UTC).ok()?;
    Some(at.timestamp().as_second() - i64::from(utc_offset_min) * MINUTE_S)
}

/// Local date and time as `2026-11-03 08:30`.
pub fn local(seconds: i64, utc_offset_min: i32) -> Option<String> {
    let shifted = seconds.checked_add(i64::from(utc_offset_min) * MINUTE_S)?;
    let at: DateTime = Timestamp::from_second(shifted).ok()?.to_zoned(TimeZone::UTC).datetime();
    Some(at.strftime("%Y-%m-%d %H:%M").to_string())
}

/// End of the quiet hours that `at` lies in, Unix seconds; `None` outside them. Windows that
/// touch are one.
pub fn quiet_until(quiet: &QuietTime, at: i64) -> Option<i64> {
    let offset = i64::from(quiet.utc_offset_min) * MINUTE_S;
    let local = at.checked_add(offset)?;
    let mut minute = local.div_euclid(MINUTE_S);
    let start = minute;
    // Fourteen windows at most; each can carry the end onward once a day, a week is enough.
    for _ in 0..98 {
        let end = quiet.windows.iter().filter_map(|window| window_end(window, minute)).max();
        match end {
            Some(end) if end - start < 7 * DAY_MIN => minute = end,
            Some(end) => {
                minute = end;
                break;
            }
            None => break,
        }
    }
    (minute > start).then(|| minute * MINUTE_S - offset)
}

/// End of the window that the local minute lies in.
fn window_end(window: &QuietWindow, minute: i64) -> Option<i64> {
    let (from, until) = (i64::from(window.from_minute), i64::from(window.until_minute));
    let length = (until - from).rem_euclid(DAY_MIN);
    let today = minute.div_euclid(DAY_MIN);
    // It may have begun yesterday.
    [today - 1, today].into_iter().find_map(|day| {
        // 1 January 1970 was a Thursday, day 4 of the week.
        let weekday = u32::try_from((day + 3).rem_euclid(7) + 1).ok()?;
        if !window.weekdays.is_empty() && !window.weekdays.contains(&weekday) {
            return None;
        }
        let begin = day * DAY_MIN + from;
        (begin..begin + length).contains(&minute).then_some(begin + length)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_second()
    }

    fn nights(weekdays: &[u32]) -> QuietTime {
        let weekdays = weekdays.to_vec();
        let window = QuietWindow { from_minute: 22 * 60, until_minute: 6 * 60, weekdays };
        QuietTime { windows: vec![window], utc_offset_min: 120, place: String::new() }
    }

    #[test]
    fn nights_cross_midnight_in_local_time() {
        let quiet = nights(&[]);
        let morning = Some(at("2026-11-04T04:00:00Z"));
        assert_eq!(quiet_until(&quiet, at("2026-11-03T20:00:00Z")), morning);
        assert_eq!(quiet_until(&quiet, at("2026-11-04T03:59:59Z")), morning);
        assert_eq!(quiet_until(&quiet, at("2026-11-04T04:00:00Z")), None);
        assert_eq!(quiet_until(&quiet, at("2026-11-03T19:59:59Z")), None);
    }

    #[test]
    fn weekdays_are_those_of_the_beginning() {
        // 3 November 2026 is a Tuesday.
        let tuesdays = nights(&[2]);
        assert!(quiet_until(&tuesdays, at("2026-11-03T21:00:00Z")).is_some());
        assert!(quiet_until(&tuesdays, at("2026-11-04T01:00:00Z")).is_some());
        assert!(quiet_until(&tuesdays, at("2026-11-04T21:00:00Z")).is_none());
        assert!(quiet_until(&tuesdays, at("2026-11-03T01:00:00Z")).is_none());
    }

    #[test]
    fn touching_windows_are_one() {
        let mut quiet = nights(&[]);
        let weekdays = Vec::new();
        quiet.windows.push(QuietWindow { from_minute: 360, until_minute: 480, weekdays });
        let end = Some(at("2026-11-04T06:00:00Z"));
        assert_eq!(quiet_until(&quiet, at("2026-11-03T23:00:00Z")), end);
    }

    #[test]
    fn local_shows_minutes() {
        assert_eq!(local(at("2026-11-03T07:30:59Z"), 60).as_deref(), Some("2026-11-03 08:30"));
        assert_eq!(local(i64::MAX, 60), None);
    }

    proptest! {
        #[test]
        fn quiet_ends_later_and_is_over_then(
            from in 0_u32..1440, until in 0_u32..1440, at in 0_i64..4_000_000_000,
            offset in -840_i32..840,
        ) {
            prop_assume!(from != until);
            let window = QuietWindow { from_minute: from, until_minute: until, weekdays: vec![] };
            let quiet =
                QuietTime { windows: vec![window], utc_offset_min: offset, place: String::new() };
            if let Some(end) = quiet_until(&quiet, at) {
                prop_assert!(end > at && end - at < 86_400);
                prop_assert_eq!(quiet_until(&quiet, end), None);
            }
        }

        #[test]
        fn any_numbers(from: u32, until: u32, at: i64, offset: i32, day: u32) {
            let window =
                QuietWindow { from_minute: from, until_minute: until, weekdays: vec![day] };
            let quiet =
                QuietTime { windows: vec![window], utc_offset_min: offset, place: String::new() };
            let _no_panic = (quiet_until(&quiet, at), local(at, offset));
        }
    }
}
