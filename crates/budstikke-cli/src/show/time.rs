//! Times as a person reads and writes them: this machine's zone, to the minute.

use jiff::{Timestamp, Unit, Zoned, civil, tz::TimeZone};

use crate::catalogue::{Catalogue, t};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `2026-03-04 09:30`, with the offset, so that two people in two places mean the same minute.
pub(crate) fn moment(unix: i64) -> String {
    Timestamp::from_second(unix).map_or_else(
        |_| unix.to_string(),
        |at| at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M %:z").to_string(),
    )
}

/// How long that is, in the two largest units: `1 h 5 min`.
pub(crate) fn span(seconds: i64, catalogue: &Catalogue) -> String {
    let seconds = seconds.max(0);
    let (days, hours, minutes) = (seconds / DAY, seconds % DAY / HOUR, seconds % HOUR / MINUTE);
    if days > 0 {
        t!(catalogue, "span-days", days = days, hours = hours)
    } else if hours > 0 {
        t!(catalogue, "span-hours", hours = hours, minutes = minutes)
    } else {
        t!(catalogue, "span-minutes", minutes = minutes)
    }
}

/// Unix seconds of what a person typed: `in 2h`, `14:30` (the next one), `2026-03-04` (its end),
/// `2026-03-04 14:30`, or a time with its offset. `None` for anything else.
pub(crate) fn parse(text: &str, now: i64) -> Option<i64> {
    let here = Timestamp::from_second(now).ok()?.to_zoned(TimeZone::system());
    let text = text.trim();
    if text.eq_ignore_ascii_case("now") {
        return Some(now);
    }
    if let Some(rest) = text.strip_prefix("in ") {
        return from_now(rest, now);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.as_second());
    }
    // A date alone would read as a time of zero: it means until the day is over.
    if let (10, Ok(day)) = (text.len(), text.parse::<civil::Date>()) {
        return local(day.at(23, 59, 0, 0), &here);
    }
    if text.len() > 10 {
        return local(text.parse::<civil::DateTime>().ok()?, &here);
    }
    next(text.parse::<civil::Time>().ok()?, &here)
}

/// `2h`, `90 min`, `3 d`.
fn from_now(text: &str, now: i64) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let each = match unit.trim() {
        "m" | "min" | "minute" | "minutes" => MINUTE,
        "h" | "hour" | "hours" => HOUR,
        "d" | "day" | "days" => DAY,
        _ => return None,
    };
    now.checked_add(number.parse::<i64>().ok()?.checked_mul(each)?)
}

/// The next time that the clock on the wall shows this.
fn next(time: civil::Time, here: &Zoned) -> Option<i64> {
    let today = local(here.date().to_datetime(time), here)?;
    if today > here.timestamp().as_second() {
        return Some(today);
    }
    local(here.date().tomorrow().ok()?.to_datetime(time), here)
}

fn local(at: civil::DateTime, here: &Zoned) -> Option<i64> {
    let at = at.to_zoned(here.time_zone().clone()).ok()?.round(Unit::Minute).ok()?;
    Some(at.timestamp().as_second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_write_times_in_several_ways() {
        let now = 1_793_868_000;
        assert_eq!(parse("now", now), Some(now));
        assert_eq!(parse("in 2h", now), Some(now + 7200));
        assert_eq!(parse("in 90 min", now), Some(now + 5400));
        assert_eq!(parse("in 3 days", now), Some(now + 3 * DAY));
        assert_eq!(parse("2026-11-05T12:00:00+03:00", now), Some(1_793_869_200));
        let at = parse("2026-11-05 12:00", now).unwrap();
        assert_eq!(moment(at).get(..16), Some("2026-11-05 12:00"));
        let until = parse("2026-11-05", now).unwrap();
        assert_eq!(moment(until).get(..16), Some("2026-11-05 23:59"));
        let tomorrow = parse("12:00", at).unwrap();
        assert_eq!(moment(tomorrow).get(..16), Some("2026-11-06 12:00"));
        for wrong in
            ["", "in h", "in 2 moons", "soon", "25:00", "2026-13-01", "in 99999999999999999h"]
        {
            assert_eq!(parse(wrong, now), None, "{wrong}");
        }
    }
}
