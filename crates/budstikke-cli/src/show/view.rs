//! A message or terms, from the case crate's view, in the reader's words.

use crate::{
    case::{Line, Value, View},
    catalogue::{Catalogue, t},
    reply::Piece,
    show::time,
};

/// The view as pieces: headings, labelled lines. Headers of messages (who, when) are the caller's
/// business and left out unless `with_header`.
pub(crate) fn pieces(view: &View, with_header: bool, catalogue: &Catalogue) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for section in &view.sections {
        if section.heading == "view-header" && !with_header {
            continue;
        }
        let mut heading = catalogue.text(section.heading, &[]);
        if let Some(number) = section.number {
            heading = format!("{heading} · {number}");
        }
        pieces.push(Piece::Head(heading));
        pieces.extend(section.lines.iter().flat_map(|line| labelled(line, catalogue)));
    }
    pieces
}

/// The title of a view.
pub(crate) fn title(view: &View, catalogue: &Catalogue) -> String {
    catalogue.text(&view.title, &[])
}

fn labelled(line: &Line, catalogue: &Catalogue) -> Vec<Piece> {
    let label = catalogue.text(line.label, &[]);
    let word = |key: &String| catalogue.text(key, &[]);
    let many = |texts: Vec<String>| match <[String; 1]>::try_from(texts) {
        Ok([only]) => vec![Piece::Pair(label.clone(), only)],
        Err(texts) => texts
            .into_iter()
            .enumerate()
            .map(|(n, text)| Piece::Pair(if n == 0 { label.clone() } else { String::new() }, text))
            .collect(),
    };
    let one = |text: String| vec![Piece::Pair(label.clone(), text)];
    match &line.value {
        Value::Text(text) => one(text.clone()),
        Value::Texts(texts) => many(texts.clone()),
        Value::Word(key) => one(word(key)),
        Value::Words(keys) => one(keys.iter().map(word).collect::<Vec<_>>().join(", ")),
        Value::Number(number) => one(number.to_string()),
        Value::Flag(_) => one(t!(catalogue, "view-yes")),
        Value::Told { words, earliest, latest } => {
            one(told(words, earliest.as_deref(), latest.as_deref(), catalogue))
        }
        Value::Moment(unix) => one(time::moment(*unix)),
        Value::Hash(hex) => one(short(hex)),
        _ => Vec::new(),
    }
}

fn told(words: &str, from: Option<&str>, to: Option<&str>, catalogue: &Catalogue) -> String {
    match (from, to) {
        (Some(from), Some(to)) if from != to => {
            t!(catalogue, "view-told", words = words, from = from, until = to)
        }
        (Some(at), _) | (None, Some(at)) if at != words => {
            t!(catalogue, "view-told-one", words = words, from = at)
        }
        _ => words.to_owned(),
    }
}

/// The first 16 hex digits of a hash: enough to see whether two are the same by reading.
pub(crate) fn short(hex: &str) -> String {
    hex.get(..16).unwrap_or(hex).to_owned()
}
