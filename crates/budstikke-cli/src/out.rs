//! Standard output and error: for people with colour where there is a terminal, for programs JSON.
//!
//! With `--json` standard output carries exactly one JSON object (`listen` and `demo`: one a line),
//! an error included; standard error stays empty. Without it, a text that a command makes goes to
//! standard output alone, and everything said about it to standard error.

use std::io::{IsTerminal as _, Write};

use anstyle::{AnsiColor, Style};
use comfy_table::{ContentArrangement, Table, presets};
use indicatif::ProgressBar;
use serde_json::{Map, Value, json};

use crate::{
    catalogue::{Catalogue, t},
    failure::Failure,
    reply::{Piece, Reply},
};

const WIDTH: usize = 88;
const BOLD: Style = Style::new().bold();
const WARN: Style = AnsiColor::Yellow.on_default().bold();
const NEXT: Style = AnsiColor::Cyan.on_default();
const FAIL: Style = AnsiColor::Red.on_default().bold();

/// Where and how to print.
pub(crate) struct Out {
    json: bool,
}

impl Out {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints what a command has to say.
    pub(crate) fn reply(&self, reply: Reply, catalogue: &Catalogue) {
        let Reply { pieces, mut json, artefact, streamed, failure } = reply;
        if self.json && streamed {
            return;
        }
        if self.json {
            if let Some(text) = artefact {
                json.insert("text".to_owned(), text.into());
            }
            if let Some(failure) = &failure {
                json.insert("error".to_owned(), failure.to_json());
            }
            return object(&json);
        }
        if let Some(text) = artefact {
            put(&mut anstream::stderr(), &pieces, catalogue);
            line(&mut anstream::stdout(), text.trim_end());
        } else {
            put(&mut anstream::stdout(), &pieces, catalogue);
        }
        if let Some(failure) = &failure {
            self.failure(failure, catalogue);
        }
    }

    /// Prints pieces as they come (`listen`, `demo`), or the object for a program.
    pub(crate) fn event(&self, pieces: &[Piece], json: &Map<String, Value>, catalogue: &Catalogue) {
        if self.json {
            object(json);
        } else {
            put(&mut anstream::stdout(), pieces, catalogue);
        }
    }

    /// Prints why the program ends here, who can put it right and what to do.
    pub(crate) fn failure(&self, failure: &Failure, catalogue: &Catalogue) {
        if self.json {
            return object(&Map::from_iter([("error".to_owned(), failure.to_json())]));
        }
        let mut err = anstream::stderr();
        let code = failure.code.as_ref().map(|code| format!(" [{code}]")).unwrap_or_default();
        let title = t!(catalogue, "out-stopped");
        line(&mut err, &format!("{FAIL}{title}{code}{FAIL:#} {}", fill(&failure.message, 0)));
        for more in &failure.more {
            line(&mut err, &format!("  - {}", fill(more, 4)));
        }
        if let Some(who) = &failure.who_can_fix {
            let name = t!(catalogue, "out-who-can-fix");
            line(&mut err, &format!("{BOLD}{name}{BOLD:#} {}", fill(who, 0)));
        }
        if let Some(next) = &failure.next {
            put(&mut err, &[Piece::Next(next.clone())], catalogue);
        }
    }

    /// Pieces on standard error, for a person only: what to read before something is done.
    pub(crate) fn before(&self, pieces: &[Piece], catalogue: &Catalogue) {
        if !self.json {
            put(&mut anstream::stderr(), pieces, catalogue);
        }
    }

    /// A note on standard error, for a person only.
    pub(crate) fn note(&self, text: &str) {
        if !self.json {
            line(&mut anstream::stderr(), &fill(text, 0));
        }
    }

    /// A spinner on standard error while something takes its time; nothing where nobody looks.
    pub(crate) fn working(&self, text: String) -> Working {
        if self.json || !std::io::stderr().is_terminal() {
            return Working(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner().with_message(text);
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Working(bar)
    }
}

/// A spinner that goes away when dropped.
pub(crate) struct Working(ProgressBar);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A closed pipe is no error of ours: the reader has seen enough.
fn line(out: &mut impl Write, text: &str) {
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

fn object(object: &Map<String, Value>) {
    line(&mut std::io::stdout(), &json!(object).to_string());
}

fn put(out: &mut impl Write, pieces: &[Piece], catalogue: &Catalogue) {
    let names = pieces.iter().filter_map(|piece| match piece {
        Piece::Pair(name, _) => Some(name.chars().count()),
        _ => None,
    });
    let column = names.max().unwrap_or(0).min(28);
    for piece in pieces {
        let text = match piece {
            Piece::Head(text) => format!("\n{BOLD}{}{BOLD:#}", fill(text, 0)),
            Piece::Text(text) => fill(text, 0),
            Piece::Item(text) => format!("  - {}", fill(text, 4)),
            Piece::Pair(name, value) => {
                let gap = column.saturating_sub(name.chars().count());
                format!("  {name}{:gap$}  {}", "", fill(value, column + 4))
            }
            Piece::Table(head, rows) => table(head, rows),
            Piece::Raw(text) => text.clone(),
            Piece::Warn(text) => {
                format!("{WARN}{}{WARN:#} {}", t!(catalogue, "out-note"), fill(text, 0))
            }
            Piece::Alarm(text) => format!("{FAIL}{}{FAIL:#}", fill(text, 0)),
            Piece::Next(text) => {
                let name = t!(catalogue, "out-next");
                format!("{NEXT}{name}{NEXT:#} {}", fill(text, name.chars().count() + 1))
            }
        };
        line(out, &text);
    }
}

fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::stdout().is_terminal() {
        table.set_width(120);
    }
    table.set_header(head);
    table.add_rows(rows);
    table.lines().map(|row| row.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Breaks a paragraph at blanks, later lines indented; breaks that are there stay.
pub(crate) fn fill(text: &str, indent: usize) -> String {
    let mut out = String::new();
    for (n, paragraph) in text.lines().enumerate() {
        if n > 0 {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
        }
        let mut used = indent;
        for (n, word) in paragraph.split(' ').enumerate() {
            let long = word.chars().count();
            if n > 0 && used + 1 + long > WIDTH {
                out.push('\n');
                out.push_str(&" ".repeat(indent));
                used = indent;
            } else if n > 0 {
                out.push(' ');
                used += 1;
            }
            out.push_str(word);
            used += long;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paragraphs_break_at_blanks_and_keep_their_words() {
        let text = "word ".repeat(60);
        let filled = fill(text.trim_end(), 4);
        assert!(filled.lines().count() > 3);
        assert!(filled.lines().all(|line| line.chars().count() <= WIDTH));
        assert!(filled.lines().skip(1).all(|line| line.starts_with("    word")));
        assert_eq!(filled.split_whitespace().count(), 60);
        assert_eq!(fill("one\ntwo", 2), "one\n  two");
    }
}
