//! Times as a person reads them: this machine's zone, to the minute.

use jiff::{Timestamp, tz::TimeZone};

/// `2026-03-04 09:30`, with the offset, so that two people in two places mean the same minute.
pub(crate) fn moment(unix: i64) -> String {
    Timestamp::from_second(unix).map_or_else(
        |_| unix.to_string(),
        |at| at.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M %:z").to_string(),
    )
}
