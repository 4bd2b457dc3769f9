//! The small words the tables are written in. Each refuses with the path of the field.

use std::ops::RangeInclusive;

use crate::refusal::{Fault, Refusal, Unit};
use crate::warning::Warning;
use crate::wire::FuzzyTime;
use crate::words::{Described, Word, described};

/// 1 January 2200: later times are mistakes.
pub(super) const MAX_TIME: i64 = 7_258_118_400;
/// Before 1900 is a mistake too; people do speak of their childhood.
const MIN_TIME: i64 = -2_208_988_800;
/// Fourteen hours, the widest time zone, in minutes.
const MAX_OFFSET: i32 = 14 * 60;

pub(super) type Checked = Result<(), Refusal>;

/// Whether a field may be left empty.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    Optional,
}
pub(super) use Need::{Optional, Required};

#[derive(Default)]
pub(super) struct Check {
    path: String,
    pub(super) warnings: Vec<Warning>,
}

impl Check {
    /// A text: UTF-8 bytes at most, no control characters.
    pub(super) fn text(&mut self, field: &str, text: &str, need: Need, limit: usize) -> Checked {
        if need == Required && text.trim().is_empty() {
            return Err(self.fault(field, Fault::Missing));
        }
        if text.len() > limit {
            let got = text.len();
            return Err(Refusal::TooLarge { field: self.at(field), limit, got, unit: Unit::Bytes });
        }
        if text.chars().any(not_text) {
            return Err(self.fault(field, Fault::Characters));
        }
        Ok(())
    }

    /// A list of texts.
    pub(super) fn texts(
        &mut self,
        field: &str,
        texts: &[String],
        entries: RangeInclusive<usize>,
        limit: usize,
    ) -> Checked {
        self.entries(field, texts.len(), entries)?;
        for (index, text) in texts.iter().enumerate() {
            self.text(&format!("{field}[{index}]"), text, Required, limit)?;
        }
        Ok(())
    }

    /// Number of entries of a list.
    pub(super) fn entries(&self, field: &str, got: usize, r: RangeInclusive<usize>) -> Checked {
        let limit = *r.end();
        if got > limit {
            let field = self.at(field);
            return Err(Refusal::TooLarge { field, limit, got, unit: Unit::Entries });
        }
        if got < *r.start() {
            return Err(self.fault(field, Fault::Missing));
        }
        Ok(())
    }

    /// Bytes of exactly this length, or none.
    pub(super) fn id(&self, field: &str, bytes: &[u8], need: Need, length: usize) -> Checked {
        match bytes.len() {
            0 if need == Required => Err(self.fault(field, Fault::Missing)),
            0 => Ok(()),
            got if got == length => Ok(()),
            _ => Err(self.fault(field, Fault::Length)),
        }
    }

    pub(super) fn ids(&self, field: &str, ids: &[Vec<u8>], most: usize) -> Checked {
        self.entries(field, ids.len(), 0..=most)?;
        let length = super::ID_LEN;
        ids.iter().try_for_each(|id| self.id(field, id, Required, length))
    }

    /// A descriptive choice: one of a newer version is kept and said.
    pub(super) fn word<E: Word>(&mut self, field: &str, raw: i32, need: Need) -> Checked {
        match described::<E>(raw) {
            Described::NotSaid if need == Required => Err(self.fault(field, Fault::Missing)),
            Described::Newer(_) => {
                self.warnings.push(Warning::OtherUpdateNeeded { field: self.at(field) });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn words<E: Word>(
        &mut self,
        field: &str,
        raw: &[i32],
        entries: RangeInclusive<usize>,
    ) -> Checked {
        self.entries(field, raw.len(), entries)?;
        raw.iter().try_for_each(|raw| self.word::<E>(field, *raw, Required))
    }

    pub(super) fn range<N: PartialOrd + Copy>(
        &self,
        field: &str,
        number: N,
        range: RangeInclusive<N>,
    ) -> Checked {
        if range.contains(&number) { Ok(()) } else { Err(self.fault(field, Fault::Range)) }
    }

    /// A time as told: words of at most 120 bytes, or bounds in order, or both.
    pub(super) fn time(&mut self, field: &str, time: Option<&FuzzyTime>, need: Need) -> Checked {
        let Some(time) = time else {
            return match need {
                Required => Err(self.fault(field, Fault::Missing)),
                Optional => Ok(()),
            };
        };
        let bounds = [time.earliest_s, time.latest_s];
        let known = bounds.iter().any(Option::is_some);
        self.text(field, &time.as_told, if known { Optional } else { Required }, 120)?;
        for bound in bounds.into_iter().flatten() {
            self.range(field, bound, MIN_TIME..=MAX_TIME)?;
        }
        self.range(field, time.utc_offset_min, -MAX_OFFSET..=MAX_OFFSET)?;
        if let [Some(earliest), Some(latest)] = bounds
            && earliest > latest
        {
            return Err(self.fault(field, Fault::Order));
        }
        if !known {
            self.warnings.push(Warning::TimeNotUnderstood { field: self.at(field) });
        }
        Ok(())
    }

    /// Rows of a nested message.
    pub(super) fn inside(
        &mut self,
        field: &str,
        rows: impl FnOnce(&mut Self) -> Checked,
    ) -> Checked {
        let length = self.path.len();
        self.path = self.at(field);
        let checked = rows(self);
        self.path.truncate(length);
        checked
    }

    /// Rows of every entry of a list.
    pub(super) fn each<T>(
        &mut self,
        field: &str,
        items: &[T],
        entries: RangeInclusive<usize>,
        mut rows: impl FnMut(&mut Self, &T) -> Checked,
    ) -> Checked {
        self.entries(field, items.len(), entries)?;
        for (index, item) in items.iter().enumerate() {
            self.inside(&format!("{field}[{index}]"), |check| rows(check, item))?;
        }
        Ok(())
    }

    pub(super) fn fault(&self, field: &str, fault: Fault) -> Refusal {
        Refusal::Malformed { field: self.at(field), fault }
    }

    fn at(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }
}

/// Control characters, and the two that reverse the order in which a text is read: with them,
/// terms could show something else than they say. Right-to-left scripts do not need them.
fn not_text(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202d}' | '\u{202e}')
}
