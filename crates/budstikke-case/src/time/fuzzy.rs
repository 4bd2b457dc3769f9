//! "around 9 on 2026-11-03" and its like. The words are always kept; bounds are added where a
//! date can be read in them. Dates are ISO or with an English month; nothing is guessed from
//! `3/11`, which is two different days.

use jiff::civil::Date;

use super::midnight;
use crate::wire::FuzzyTime;

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;
const HALF_HOUR_S: i64 = HOUR_S / 2;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// Parts of a day: local hours from, until.
const PARTS: [(&str, i64, i64); 7] = [
    ("morning", 6, 12),
    ("noon", 11, 13),
    ("midday", 11, 13),
    ("afternoon", 12, 18),
    ("evening", 18, 23),
    ("night", 20, 30),
    ("dawn", 4, 7),
];

/// Reads a time as told. Understood: `2026`, `2026-11`, `2026-11-03`, `2026-11-03 08:10`,
/// `3 November 2026`, `around 9 on 2026-11-03`, `morning of …`, `before …`, `after …`,
/// `since …`, and spans `between … and …`, `from … to …`, `… until …`. Anything else keeps its
/// words and no bounds.
pub fn fuzzy(text: &str, utc_offset_min: i32) -> FuzzyTime {
    let as_told = text.trim().to_owned();
    let (earliest_s, latest_s) = bounds(&as_told.to_lowercase(), utc_offset_min);
    FuzzyTime { earliest_s, latest_s, as_told, utc_offset_min }
}

/// Minutes east of UTC from `+02:00`, `-03:30` or `Z`.
pub fn parse_offset(text: &str) -> Option<i32> {
    let text = text.trim();
    if matches!(text, "Z" | "z" | "UTC" | "utc") {
        return Some(0);
    }
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
    let (hours, minutes): (u8, u8) = (hours.parse().ok()?, minutes.parse().ok()?);
    let total = i32::from(hours) * 60 + i32::from(minutes);
    (minutes < 60 && total <= 14 * 60).then_some(sign * total)
}

type Bounds = (Option<i64>, Option<i64>);

fn bounds(text: &str, offset: i32) -> Bounds {
    for (word, keeps_start) in [("before ", false), ("after ", true), ("since ", true)] {
        if let Some(rest) = text.strip_prefix(word) {
            let Some((start, end)) = Moment::read(rest).and_then(|m| m.span(offset)) else {
                return (None, None);
            };
            return match (keeps_start, word) {
                (false, _) => (None, Some(start)),
                (_, "after ") => (Some(end), None),
                _ => (Some(start), None),
            };
        }
    }
    let span = match two_ends(text) {
        Some((from, until)) => between(from, until, offset),
        None => Moment::read(text).and_then(|moment| moment.span(offset)),
    };
    span.map_or((None, None), |(from, until)| (Some(from), Some(until)))
}

fn two_ends(text: &str) -> Option<(&str, &str)> {
    if let Some(rest) = text.strip_prefix("between ") {
        return rest.split_once(" and ");
    }
    let rest = text.strip_prefix("from ").unwrap_or(text);
    [" to ", " until ", " till ", " – ", " - "].iter().find_map(|word| rest.split_once(word))
}

/// A date said once holds for both ends: "2026-11-03 from 08:00 to 10:00".
fn between(from: &str, until: &str, offset: i32) -> Option<(i64, i64)> {
    let (mut from, mut until) = (Moment::words(from), Moment::words(until));
    from.date = from.date.or(until.date);
    until.date = until.date.or(from.date);
    let (start, end) = (from.span(offset)?.0, until.span(offset)?.1);
    (start <= end).then_some((start, end))
}

/// Hour and, if said, minute.
type Clock = (i64, Option<i64>);

#[derive(Default, Clone, Copy)]
struct Moment {
    date: Option<Calendar>,
    clock: Option<Clock>,
    part: Option<(i64, i64)>,
    about: bool,
}

#[derive(Clone, Copy)]
struct Calendar {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
}

impl Moment {
    fn read(text: &str) -> Option<Self> {
        let moment = Self::words(text);
        moment.date.map(|_| moment)
    }

    fn words(text: &str) -> Self {
        let mut moment = Self::default();
        let mut named = NamedDate::default();
        let mut clock_next = false;
        let separators = |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')');
        for word in text.split(separators).filter(|word| !word.is_empty()) {
            let was_next = std::mem::take(&mut clock_next);
            if let Some((date, clock)) = iso(word) {
                moment.date = Some(date);
                moment.clock = clock.or(moment.clock);
            } else if let Some(clock) = clock(word) {
                moment.clock = Some(clock);
            } else if matches!(word, "about" | "around" | "approximately" | "circa" | "ca.") {
                (moment.about, clock_next) = (true, true);
            } else if matches!(word, "at") {
                clock_next = true;
            } else if let Some((_, from, until)) = PARTS.iter().find(|(name, ..)| *name == word) {
                moment.part = Some((*from, *until));
            } else if let Ok(number) = word.parse::<i16>() {
                match number {
                    0..=23 if was_next => moment.clock = Some((i64::from(number), None)),
                    1..=31 => named.day = i8::try_from(number).ok(),
                    _ => {}
                }
            } else {
                named.month = named.month.or(month(word));
            }
        }
        // "3 November 2026": the year was read as an ISO date without month.
        if let (Some(date), Some(month)) = (&mut moment.date, named.month)
            && date.month.is_none()
        {
            (date.month, date.day) = (Some(month), named.day);
        }
        moment
    }

    /// First and last second meant.
    fn span(self, offset: i32) -> Option<(i64, i64)> {
        let date = self.date?;
        let (first, last) = date.days()?;
        let (start, end) = (midnight(first, offset)?, midnight(last, offset)? + DAY_S);
        let one_day = date.day.is_some();
        let (from, until, slack) = match (self.clock, self.part) {
            (Some((hour, minute)), _) if one_day => {
                let at = start + hour * HOUR_S + minute.unwrap_or(0) * 60;
                let exact = if minute.is_some() { 60 } else { HOUR_S };
                // "around 9" is half an hour to either side of 9, not of the hour after it.
                (at, if self.about { at + 1 } else { at + exact }, HALF_HOUR_S)
            }
            (_, Some((from, until))) if one_day => {
                (start + from * HOUR_S, start + until * HOUR_S, HOUR_S)
            }
            _ if one_day => (start, end, DAY_S),
            _ if date.month.is_some() => (start, end, 15 * DAY_S),
            _ => (start, end, 183 * DAY_S),
        };
        let slack = if self.about { slack } else { 0 };
        Some((from - slack, until - 1 + slack))
    }
}

#[derive(Default)]
struct NamedDate {
    day: Option<i8>,
    month: Option<i8>,
}

impl Calendar {
    fn days(self) -> Option<(Date, Date)> {
        let first = Date::new(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1)).ok()?;
        let last = match (self.month, self.day) {
            (_, Some(_)) => first,
            (Some(_), None) => first.last_of_month(),
            (None, None) => first.last_of_year(),
        };
        Some((first, last))
    }
}

/// `2026`, `2026-11`, `2026-11-03`, `2026-11-03T08:10`.
fn iso(word: &str) -> Option<(Calendar, Option<Clock>)> {
    let (date, time) = match word.split_once('t') {
        Some((date, time)) => (date, Some(clock(time)?)),
        None => (word, None),
    };
    let mut parts = date.split('-');
    let year = parts.next().filter(|year| year.len() == 4)?.parse().ok()?;
    let month = parts.next().map(str::parse).transpose().ok()?;
    let day = parts.next().map(str::parse).transpose().ok()?;
    let fits = parts.next().is_none()
        && (1900..2200).contains(&year)
        && month.is_none_or(|m| (1..=12).contains(&m))
        && day.is_none_or(|d| (1..=31).contains(&d));
    fits.then_some((Calendar { year, month, day }, time))
}

/// `08:10`, `08:10:30`, `9am`, `9:30pm`.
fn clock(word: &str) -> Option<Clock> {
    let (digits, noon) = match (word.strip_suffix("am"), word.strip_suffix("pm")) {
        (Some(digits), _) => (digits, Some(0)),
        (_, Some(digits)) => (digits, Some(12)),
        _ => (word, None),
    };
    let (hour, minute) = match digits.split_once(':') {
        Some((hour, rest)) => (hour, Some(rest.split(':').next()?.parse().ok()?)),
        None if noon.is_some() => (digits, None),
        None => return None,
    };
    let hour: i64 = hour.parse().ok()?;
    let hour = match noon {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    let fits = (0..24).contains(&hour) && minute.is_none_or(|m| (0..60).contains(&m));
    fits.then_some((hour, minute))
}

/// A month's English name or at least its first three letters.
fn month(word: &str) -> Option<i8> {
    let word = word.trim_end_matches('.');
    let index = MONTHS.iter().position(|month| word.len() >= 3 && month.starts_with(word))?;
    i8::try_from(index + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::super::local;
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> String {
        let time = fuzzy(text, 120);
        let show = |bound: Option<i64>| {
            bound.and_then(|s| local(s, 120)).unwrap_or_else(|| "-".to_owned())
        };
        format!("{} / {}", show(time.earliest_s), show(time.latest_s))
    }

    #[test]
    fn what_is_understood() {
        let table = [
            ("2026", "2026-01-01 00:00 / 2026-12-31 23:59"),
            ("2026-11", "2026-11-01 00:00 / 2026-11-30 23:59"),
            ("2026-11-03", "2026-11-03 00:00 / 2026-11-03 23:59"),
            ("2026-11-03 08:10", "2026-11-03 08:10 / 2026-11-03 08:10"),
            ("2026-11-03T08:10:00", "2026-11-03 08:10 / 2026-11-03 08:10"),
            ("around 9 on 2026-11-03", "2026-11-03 08:30 / 2026-11-03 09:30"),
            ("2026-11-03 at 9pm", "2026-11-03 21:00 / 2026-11-03 21:59"),
            ("in the morning of 2026-11-03", "2026-11-03 06:00 / 2026-11-03 11:59"),
            ("the night of 3 November 2026", "2026-11-03 20:00 / 2026-11-04 05:59"),
            ("November 2026", "2026-11-01 00:00 / 2026-11-30 23:59"),
            ("about 2026-11-03", "2026-11-02 00:00 / 2026-11-04 23:59"),
            ("between 2026-11-03 and 2026-11-05", "2026-11-03 00:00 / 2026-11-05 23:59"),
            ("2026-11-03 from 08:00 to 10:00", "2026-11-03 08:00 / 2026-11-03 10:00"),
            ("2026-09 until 2026-11", "2026-09-01 00:00 / 2026-11-30 23:59"),
            ("before 2026-11-03", "- / 2026-11-03 00:00"),
            ("since 2026-11-03", "2026-11-03 00:00 / -"),
            ("after 2026-11-03", "2026-11-03 23:59 / -"),
        ];
        for (text, expected) in table {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_stays_as_told() {
        for text in [
            "3/11",
            "last week",
            "2026-13",
            "2026-02-30",
            "it may be",
            "the mayor in 3",
            "from here to there",
        ] {
            let time = fuzzy(text, 0);
            assert_eq!((time.earliest_s, time.latest_s), (None, None), "{text}");
            assert_eq!(time.as_told, text);
        }
    }

    #[test]
    fn offsets() {
        assert_eq!(parse_offset("+02:00"), Some(120));
        assert_eq!(parse_offset("-03:30"), Some(-210));
        assert_eq!(parse_offset("Z"), Some(0));
        assert_eq!(parse_offset("+5"), Some(300));
        for text in ["", "2", "+15:00", "+01:60", "é", "+ 1"] {
            assert_eq!(parse_offset(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_words(text in "\\PC{0,60}", offset in -840_i32..=840) {
            let time = fuzzy(&text, offset);
            prop_assert_eq!(&time.as_told, text.trim());
            if let (Some(from), Some(until)) = (time.earliest_s, time.latest_s) {
                prop_assert!(from <= until);
            }
            let _no_panic = parse_offset(&text);
        }

        #[test]
        fn every_day_is_a_day(year in 1900_i16..2200, month in 1_u8..=12, day in 1_u8..=28) {
            let time = fuzzy(&format!("{year}-{month:02}-{day:02}"), 0);
            let (from, until) = (time.earliest_s.unwrap(), time.latest_s.unwrap());
            prop_assert_eq!(until - from, DAY_S - 1);
        }
    }
}
