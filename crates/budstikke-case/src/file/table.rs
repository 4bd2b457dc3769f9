//! A table of a file, read field by field. What nobody asked for is reported with a suggestion.

use serde_json::{Map, Value};

use super::{FileError, nearest};
use crate::time;
use crate::wire::FuzzyTime;
use crate::words::Word;

/// What TOML's own dates become on the way through serde.
const TOML_DATE: &str = "$__toml_private_datetime";

pub(super) struct Table<'a> {
    fields: &'a Map<String, Value>,
    path: String,
    asked: Vec<&'static str>,
    utc_offset_min: i32,
}

type Read<T> = Result<T, FileError>;

impl<'a> Table<'a> {
    /// The whole file; reads its `utc_offset`.
    pub(super) fn root(value: &'a Value) -> Read<Self> {
        let mut table = Self::new(value, String::new(), 0)?;
        let offset = table.text("utc_offset")?;
        if !offset.is_empty() {
            let wrong = table.wrong("utc_offset", "an offset such as \"+02:00\"");
            table.utc_offset_min = time::parse_offset(&offset).ok_or(wrong)?;
        }
        Ok(table)
    }

    fn new(value: &'a Value, path: String, utc_offset_min: i32) -> Read<Self> {
        match value {
            Value::Object(fields) => Ok(Self { fields, path, asked: Vec::new(), utc_offset_min }),
            _ => Err(FileError::WrongType { field: path, expected: "a table" }),
        }
    }

    pub(super) fn utc_offset_min(&self) -> i32 {
        self.utc_offset_min
    }

    fn take(&mut self, field: &'static str) -> Option<&'a Value> {
        self.asked.push(field);
        self.fields.get(field).filter(|value| !value.is_null())
    }

    /// A text, without the blanks around it; empty when absent.
    pub(super) fn text(&mut self, field: &'static str) -> Read<String> {
        let wrong = self.wrong(field, "a text in quotation marks");
        self.take(field).map_or(Ok(String::new()), |value| text(value).ok_or(wrong))
    }

    pub(super) fn texts(&mut self, field: &'static str) -> Read<Vec<String>> {
        let wrong = || self.wrong(field, "a list of texts");
        let wrong = wrong();
        match self.take(field) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items.iter().map(text).collect::<Option<_>>().ok_or(wrong),
            // One alone needs no brackets.
            Some(value) => text(value).map(|text| vec![text]).ok_or(wrong),
        }
    }

    /// A choice; 0 when absent.
    pub(super) fn word<E: Word>(&mut self, field: &'static str) -> Read<i32> {
        let text = self.text(field)?;
        if text.is_empty() { Ok(0) } else { self.parse::<E>(field, &text) }
    }

    pub(super) fn words<E: Word>(&mut self, field: &'static str) -> Read<Vec<i32>> {
        let texts = self.texts(field)?;
        texts.iter().map(|text| self.parse::<E>(field, text)).collect()
    }

    /// Yes, no, unknown or declined; `true` and `false` will do.
    pub(super) fn answer(&mut self, field: &'static str) -> Read<i32> {
        use crate::wire::Answer;
        match self.fields.get(field) {
            Some(Value::Bool(yes)) => {
                self.asked.push(field);
                Ok(if *yes { Answer::Yes } else { Answer::No }.into())
            }
            _ => self.word::<Answer>(field),
        }
    }

    pub(super) fn flag(&mut self, field: &'static str) -> Read<bool> {
        let wrong = self.wrong(field, "true or false");
        self.take(field).map_or(Ok(false), |value| value.as_bool().ok_or(wrong))
    }

    pub(super) fn number(&mut self, field: &'static str) -> Read<u32> {
        let wrong = self.wrong(field, "a whole number, zero or more");
        let number = self.take(field).map_or(Some(0), Value::as_u64);
        number.and_then(|number| u32::try_from(number).ok()).ok_or(wrong)
    }

    pub(super) fn numbers(&mut self, field: &'static str) -> Read<Vec<u32>> {
        let wrong = self.wrong(field, "a list of whole numbers");
        let number = |value: &Value| value.as_u64().and_then(|n| u32::try_from(n).ok());
        match self.take(field) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => {
                items.iter().map(number).collect::<Option<_>>().ok_or(wrong)
            }
            Some(_) => Err(wrong),
        }
    }

    /// A time as told.
    pub(super) fn time(&mut self, field: &'static str) -> Read<Option<FuzzyTime>> {
        let text = self.text(field)?;
        Ok((!text.is_empty()).then(|| time::fuzzy(&text, self.utc_offset_min)))
    }

    /// A date that code acts on, Unix seconds of its beginning; 0 when absent.
    pub(super) fn date(&mut self, field: &'static str) -> Read<i64> {
        let text = self.text(field)?;
        if text.is_empty() {
            return Ok(0);
        }
        let read = time::fuzzy(&text, self.utc_offset_min).earliest_s;
        read.ok_or_else(|| self.wrong(field, "a date such as 2026-11-03"))
    }

    /// Minutes after midnight of `22:00`; absent is midnight.
    pub(super) fn minute_of_day(&mut self, field: &'static str) -> Read<u32> {
        let text = self.text(field)?;
        if text.is_empty() {
            return Ok(0);
        }
        let parts = text.split_once(':').and_then(|(hour, minute)| {
            Some((hour.parse::<u32>().ok()?, minute.parse::<u32>().ok()?))
        });
        match parts {
            Some((hour, minute)) if hour < 24 && minute < 60 => Ok(hour * 60 + minute),
            _ => Err(self.wrong(field, "a time of day such as \"22:00\"")),
        }
    }

    /// A table inside this one.
    pub(super) fn table<T>(
        &mut self,
        field: &'static str,
        read: impl FnOnce(&mut Table<'a>) -> Read<T>,
    ) -> Read<Option<T>> {
        let Some(value) = self.take(field) else { return Ok(None) };
        let mut inner = Table::new(value, self.at(field), self.utc_offset_min)?;
        let read = read(&mut inner)?;
        inner.finish()?;
        Ok(Some(read))
    }

    /// A list of tables, `[[field]]` in TOML.
    pub(super) fn tables<T>(
        &mut self,
        field: &'static str,
        mut read: impl FnMut(&mut Table<'a>) -> Read<T>,
    ) -> Read<Vec<T>> {
        let items = match self.take(field) {
            None => return Ok(Vec::new()),
            Some(Value::Array(items)) => items,
            Some(_) => return Err(self.wrong(field, "a list of tables, [[…]] in TOML")),
        };
        let mut all = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}[{index}]", self.at(field));
            let mut inner = Table::new(item, path, self.utc_offset_min)?;
            all.push(read(&mut inner)?);
            inner.finish()?;
        }
        Ok(all)
    }

    /// Reports the first field that nobody asked for.
    pub(super) fn finish(&self) -> Read<()> {
        let Some(name) = self.fields.keys().find(|name| !self.asked.contains(&name.as_str()))
        else {
            return Ok(());
        };
        let known = self.asked.clone();
        let suggestion = nearest(name, known.iter().copied());
        Err(FileError::UnknownField { field: self.at(name), suggestion, known })
    }

    fn parse<E: Word>(&self, field: &str, word: &str) -> Read<i32> {
        if let Some(value) = E::parse(word) {
            return Ok(value.into());
        }
        let known: Vec<String> = E::all().map(Word::name).collect();
        let suggestion = nearest(&word.to_lowercase(), known.iter().map(String::as_str));
        let (field, word) = (self.at(field), word.to_owned());
        Err(FileError::UnknownWord { field, word, suggestion, known })
    }

    fn wrong(&self, field: &str, expected: &'static str) -> FileError {
        FileError::WrongType { field: self.at(field), expected }
    }

    fn at(&self, field: &str) -> String {
        if self.path.is_empty() { field.to_owned() } else { format!("{}.{field}", self.path) }
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Object(date) => date.get(TOML_DATE)?.as_str().map(str::to_owned),
        // A year alone.
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
