//! What an officer who leaves writes down about one case.

use super::table::Table;
use super::{FileError, Format};
use crate::validate::validate_handed;
use crate::wire as w;

/// One case of a hand-over, for its next officer alone.
#[derive(Clone, Default, PartialEq)]
pub struct HandoverFile {
    /// The case; its id and what is in flight are set by the client.
    pub case: w::HandedCase,
}

impl HandoverFile {
    /// Reads the notes on one case.
    ///
    /// # Errors
    /// With the path of the field.
    pub fn parse(text: &str, format: Format) -> Result<Self, FileError> {
        let value = format.read(text)?;
        let mut t = Table::root(&value)?;
        let case = w::HandedCase {
            case_id: Vec::new(),
            state: t.word::<w::CaseState>("state")?,
            promises: t.tables("promises", |t| {
                Ok(w::OpenPromise { what: t.text("what")?, by_s: t.date("by")? })
            })?,
            in_flight: Vec::new(),
            trust_notes: t.text("trust_notes")?,
            who_is_told: t.text("who_is_told")?,
        };
        t.finish()?;
        validate_handed(&case)?;
        Ok(Self { case })
    }
}
