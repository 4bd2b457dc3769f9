//! What a command has to say: pieces for a person, one JSON object for a program, and perhaps a
//! text that goes to standard output or into a file.

use serde_json::{Map, Value};

use crate::failure::Failure;

/// The outcome of a command that held.
#[derive(Default)]
pub(crate) struct Reply {
    /// For a person, top-down.
    pub(crate) pieces: Vec<Piece>,
    /// For a program; snake_case names are stable.
    pub(crate) json: Map<String, Value>,
    /// For standard output, alone there, so that it can be piped.
    pub(crate) artefact: Option<String>,
    /// Everything was said while it happened (`bud listen`).
    pub(crate) streamed: bool,
    /// The command did its part and something is wrong all the same (`bud check`, `bud sync`).
    pub(crate) failure: Option<Failure>,
}

/// A piece of text with a part to play; [`crate::out`] decides how it looks.
pub(crate) enum Piece {
    /// A title.
    Head(String),
    /// A paragraph.
    Text(String),
    /// A point of a list.
    Item(String),
    /// A name and its value.
    Pair(String, String),
    /// A row of names, then rows of values.
    Table(Vec<String>, Vec<Vec<String>>),
    /// Shown as it is.
    Raw(String),
    /// Something to be careful about.
    Warn(String),
    /// Something that cannot wait.
    Alarm(String),
    /// What happens next, or what to do.
    Next(String),
}

impl Reply {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn head(mut self, text: String) -> Self {
        self.pieces.push(Piece::Head(text));
        self
    }

    pub(crate) fn text(mut self, text: String) -> Self {
        self.pieces.push(Piece::Text(text));
        self
    }

    pub(crate) fn pair(mut self, name: String, value: impl Into<String>) -> Self {
        self.pieces.push(Piece::Pair(name, value.into()));
        self
    }

    pub(crate) fn next(mut self, text: String) -> Self {
        self.pieces.push(Piece::Next(text));
        self
    }

    pub(crate) fn pieces(mut self, pieces: impl IntoIterator<Item = Piece>) -> Self {
        self.pieces.extend(pieces);
        self
    }

    /// Adds a field for programs.
    pub(crate) fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.json.insert(name.to_owned(), value.into());
        self
    }
}
