//! Safety words: ten in two rows, in the reader's language or in several beside each other.

use budstikke::{Language, SafetyWords};
use serde_json::Value;

use crate::{
    catalogue::{Catalogue, t},
    reply::Piece,
};

/// The words in the reader's language, five in a row.
pub(crate) fn pieces(words: &SafetyWords, catalogue: &Catalogue) -> Vec<Piece> {
    let words = words.words(catalogue.words());
    let label = |row| if row == 0 { t!(catalogue, "safety-words") } else { String::new() };
    let rows = words.chunks(5).enumerate();
    rows.map(|(row, five)| Piece::Pair(label(row), five.join(" "))).collect()
}

/// The words numbered, a language a column: two people need no language in common.
pub(crate) fn table(words: &SafetyWords, languages: &[Language]) -> Piece {
    let mut head = vec![String::new()];
    head.extend(languages.iter().map(|language| language.name().to_owned()));
    let columns: Vec<_> = languages.iter().map(|language| words.words(*language)).collect();
    let rows = (0..budstikke::SAFETY_WORDS).map(|place| {
        let word = |column: &[&'static str; budstikke::SAFETY_WORDS]| {
            column.get(place).copied().unwrap_or_default().to_owned()
        };
        std::iter::once((place + 1).to_string()).chain(columns.iter().map(word)).collect()
    });
    Piece::Table(head, rows.collect())
}

/// The words in the reader's language, as JSON.
pub(crate) fn json(words: &SafetyWords, catalogue: &Catalogue) -> Value {
    words.words(catalogue.words()).to_vec().into()
}
