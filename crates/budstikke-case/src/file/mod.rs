//! Files that people write, TOML or JSON, into messages. Every mistake is named with its path,
//! and with what was probably meant.
//!
//! Field names are the schema's. Choices are words (`types = ["arrest"]`), times are told
//! (`when = "around 9 on 2026-11-03"`), and a file's `utc_offset = "+02:00"` says where.

mod handover;
mod intake;
mod offer;
mod onward;
mod table;

use serde_json::Value;
use thiserror::Error;

use crate::refusal::Refusal;

pub use handover::HandoverFile;
pub use intake::{EmergencyFile, IntakeFile};
pub use offer::{PrivacyNoticeFile, TermsFile};
pub use onward::{
    AlertFile, ConsentFile, ConsentRequestFile, EffectFile, FactsFile, PlanFile, RiskFile,
};

/// Largest file read, bytes.
pub const MAX_FILE: usize = 256 * 1024;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// TOML 1.0.
    Toml,
    /// JSON.
    Json,
}

/// Why a file could not become a message; one sentence, with what to do.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FileError {
    /// Not TOML or JSON.
    #[error("The file cannot be read (line {line}): {message}")]
    Syntax {
        /// The reader's own words.
        message: String,
        /// Counted from 1; 0 = not known.
        line: usize,
    },
    /// Larger than [`MAX_FILE`].
    #[error(
        "The file is too large: {got} bytes, at most {MAX_FILE}; put long material in an attachment"
    )]
    TooLarge {
        /// Bytes found.
        got: usize,
    },
    /// A name nobody knows.
    #[error("There is no field \"{field}\"{}", did_you_mean(suggestion.as_deref(), known))]
    UnknownField {
        /// Full path.
        field: String,
        /// The nearest known name.
        suggestion: Option<String>,
        /// Names that can stand there.
        known: Vec<&'static str>,
    },
    /// A text where a list should be, and the like.
    #[error("\"{field}\" should be {expected}.")]
    WrongType {
        /// Full path.
        field: String,
        /// What it should be, in words.
        expected: &'static str,
    },
    /// A choice nobody knows.
    #[error("\"{field}\" cannot be \"{word}\"{}", did_you_mean(suggestion.as_deref(), known))]
    UnknownWord {
        /// Full path.
        field: String,
        /// What was found.
        word: String,
        /// The nearest known word.
        suggestion: Option<String>,
        /// Words that can stand there.
        known: Vec<String>,
    },
    /// Readable, but against the message's own table: missing, too long, contradictory.
    #[error("{refusal}{}", advice(refusal))]
    Refused {
        /// The refusal; its path is the file's.
        refusal: Refusal,
    },
}

impl From<Refusal> for FileError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused { refusal }
    }
}

impl FileError {
    /// Key of the sentence in the message catalogue.
    pub fn message_key(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "file-syntax",
            Self::TooLarge { .. } => "file-too-large",
            Self::UnknownField { .. } => "file-unknown-field",
            Self::WrongType { .. } => "file-wrong-type",
            Self::UnknownWord { .. } => "file-unknown-word",
            Self::Refused { refusal } => refusal.message_key(),
        }
    }
}

impl Format {
    /// By a file name's ending; TOML when in doubt.
    pub fn of_name(name: &str) -> Self {
        let ending = name.rsplit('.').next().unwrap_or_default();
        if ending.eq_ignore_ascii_case("json") { Self::Json } else { Self::Toml }
    }

    fn read(self, text: &str) -> Result<Value, FileError> {
        if text.len() > MAX_FILE {
            return Err(FileError::TooLarge { got: text.len() });
        }
        match self {
            Self::Json => serde_json::from_str(text).map_err(|error| FileError::Syntax {
                line: error.line(),
                message: error.to_string(),
            }),
            Self::Toml => toml::from_str(text).map_err(|error| {
                let before = error.span().and_then(|span| text.get(..span.start));
                let line = before.map_or(0, |before| before.matches('\n').count() + 1);
                FileError::Syntax { line, message: error.message().to_owned() }
            }),
        }
    }
}

/// Nearest of `known` to `word`, if near enough to be a slip.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let distances = known.map(|candidate| (distance(word, candidate), candidate));
    let (distance, best) = distances.min()?;
    (distance <= best.len().div_ceil(3)).then(|| best.to_owned())
}

/// Levenshtein distance, in characters.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, from) in a.chars().take(64).enumerate() {
        let mut corner = i;
        let mut left = i + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, to) in row.iter_mut().skip(1).zip(b.chars()) {
            let replaced = corner + usize::from(from != to);
            corner = *cell;
            left = replaced.min(left + 1).min(*cell + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(0)
}

fn did_you_mean<S: AsRef<str>>(suggestion: Option<&str>, known: &[S]) -> String {
    if let Some(suggestion) = suggestion {
        return format!("; did you mean \"{suggestion}\"?");
    }
    let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    format!("; it can be one of: {}.", known.join(", "))
}

fn advice(refusal: &Refusal) -> &'static str {
    match refusal.next_step_key() {
        "next-step-shorten-or-split" => " Shorten it, or tell the rest in a later message.",
        "next-step-correct-the-field" => " Correct it in the file and try again.",
        "next-step-set-retention" => " Add the number of days.",
        _ => "",
    }
}
