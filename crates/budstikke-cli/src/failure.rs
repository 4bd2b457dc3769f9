//! Why a command stopped, as a person needs it: one sentence, who can put it right, what to do.

use serde_json::{Value, json};

use crate::exit::Exit;

/// The end of a command that did not hold. Boxed, because it is large and rare.
#[derive(Debug)]
pub(crate) struct Failure(Box<Stop>);

/// What there is to say about it.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) exit: Exit,
    /// Stable code of a refusal, as T01.
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    /// Single points, one for each field of a file.
    pub(crate) more: Vec<String>,
    pub(crate) who_can_fix: Option<String>,
    pub(crate) next: Option<String>,
    /// Named values of a refusal, for programs.
    pub(crate) details: Vec<(&'static str, String)>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: String) -> Self {
        Self(Box::new(Stop {
            exit,
            code: None,
            message,
            more: Vec::new(),
            who_can_fix: None,
            next: None,
            details: Vec::new(),
        }))
    }

    pub(crate) fn next(mut self, text: String) -> Self {
        self.next = Some(text);
        self
    }

    pub(crate) fn more(mut self, points: Vec<String>) -> Self {
        self.more = points;
        self
    }

    /// The object under `error` that programs read.
    pub(crate) fn to_json(&self) -> Value {
        let details: serde_json::Map<_, _> =
            self.details.iter().map(|(k, v)| ((*k).to_owned(), Value::from(v.as_str()))).collect();
        json!({
            "exit_code": self.exit.number(),
            "class": self.exit,
            "code": self.code,
            "message": self.message,
            "points": self.more,
            "who_can_fix": self.who_can_fix,
            "next": self.next,
            "details": details,
        })
    }
}

impl std::ops::Deref for Failure {
    type Target = Stop;

    fn deref(&self) -> &Stop {
        &self.0
    }
}

impl std::ops::DerefMut for Failure {
    fn deref_mut(&mut self) -> &mut Stop {
        &mut self.0
    }
}
