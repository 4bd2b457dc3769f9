//! `budstikke-relay inspect`: what an operator, or a thief of the disk, can see. It takes no store key, so it can show
//! nothing that the key protects.

use std::fmt::Write as _;

use jiff::Span;
use jiff::civil::date;
use serde::Serialize;

use crate::store::{Counts, Inventory};

const ABOUT: &str = "\
Read without the store key. The last day of each row stands in the clear, names are hashes, the rest is sealed under
one key for each day: there is nothing more to show.
";
const TITLES: [&str; 11] = [
    "last day",
    "mailboxes",
    "grants",
    "cells",
    "held",
    "names",
    "slots",
    "notices",
    "blobs",
    "tokens",
    "bytes",
];

#[derive(Serialize)]
struct Report {
    days: Vec<Day>,
    total: Counts,
    disk_bytes: u64,
}

#[derive(Serialize)]
struct Day {
    last_day: String,
    #[serde(flatten)]
    counts: Counts,
}

/// One JSON object, and a line feed.
pub(crate) fn json(inventory: &Inventory) -> Result<String, serde_json::Error> {
    let day = |(day, counts): (&u32, &Counts)| Day { last_day: name(*day), counts: *counts };
    let days = inventory.days.iter().map(day).collect();
    let report = Report { days, total: inventory.total(), disk_bytes: inventory.disk_bytes };
    serde_json::to_string_pretty(&report).map(|text| text + "\n")
}

/// A table for people.
pub(crate) fn text(inventory: &Inventory) -> String {
    let mut lines = vec![TITLES.map(String::from).to_vec()];
    lines.extend(inventory.days.iter().map(|(day, counts)| line(name(*day), counts)));
    lines.push(line("all".into(), &inventory.total()));
    let mut out = format!("{ABOUT}\n");
    for line in &lines {
        for (place, text) in line.iter().enumerate() {
            let _ = if place == 0 { write!(out, "{text:<10}") } else { write!(out, " {text:>10}") };
        }
        out.push('\n');
    }
    let _ = writeln!(out, "\n{} bytes on disk", inventory.disk_bytes);
    out
}

fn line(day: String, counts: &Counts) -> Vec<String> {
    let Counts { mailboxes, grants, cells, held_cells, message_names, .. } = counts;
    let Counts { slots, notices, blobs, spent_tokens, payload_bytes, .. } = counts;
    let numbers = [
        mailboxes,
        grants,
        cells,
        held_cells,
        message_names,
        slots,
        notices,
        blobs,
        spent_tokens,
        payload_bytes,
    ];
    std::iter::once(day).chain(numbers.map(u64::to_string)).collect()
}

/// A day as people write it. One that no calendar has is its number.
fn name(day: u32) -> String {
    let span = Span::new().try_days(day).ok();
    let found = span.and_then(|span| date(1970, 1, 1).checked_add(span).ok());
    found.map_or_else(|| day.to_string(), |found| found.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_sums_are_readable() {
        let counts = Counts { mailboxes: 2, cells: 3, payload_bytes: 45_072, ..Counts::default() };
        let days = [(20_000, counts), (20_001, counts), (u32::MAX, Counts::default())].into();
        let inventory = Inventory { days, disk_bytes: 9 };
        let found = text(&inventory);
        assert!(found.contains("2024-10-04          2          0          3"), "{found}");
        assert!(found.contains("\nall                 4          0          6"), "{found}");
        assert!(found.contains("\n4294967295 ") && found.ends_with("\n9 bytes on disk\n"));
        let found: serde_json::Value = serde_json::from_str(&json(&inventory).unwrap()).unwrap();
        assert_eq!(found["days"][0]["last_day"], "2024-10-04");
        assert_eq!(
            (&found["total"]["payload_bytes"], &found["disk_bytes"]),
            (&90_144.into(), &9.into())
        );
    }
}
