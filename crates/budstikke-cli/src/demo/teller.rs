//! How the story is told: who does what, who sees what, and whether it held.

use budstikke::Error;
use fluent_bundle::FluentValue;
use serde_json::{Map, Value, json};

use super::stop::Stop;
use crate::{
    app::App,
    case::Refusal,
    catalogue::{Arg, t},
    exit::Exit,
    failure::Failure,
    out::fill,
    refused,
    reply::Piece,
};

/// Somebody in the story.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Ministry,
    OfficerA,
    OfficerB,
    DeskM,
    DeciderK,
    DutyD,
    Heron,
    Reed,
    Relay,
    Head,
    Holders,
}

/// Prints as the story goes on, and counts what held.
pub(crate) struct Teller<'a> {
    app: &'a App,
    scene: u64,
    checks: u64,
    silent: bool,
}

const COLUMN: usize = 11;

impl<'a> Teller<'a> {
    pub(crate) fn new(app: &'a App) -> Self {
        Self { app, scene: 0, checks: 0, silent: false }
    }

    /// How many claims held so far.
    pub(crate) fn checks(&self) -> u64 {
        self.checks
    }

    /// Says nothing and counts nothing for a while; what does not hold still stops the story.
    pub(crate) fn silent(&mut self, silent: bool) {
        self.silent = silent;
    }

    /// A new scene.
    pub(crate) fn scene(&mut self, key: &'static str) {
        self.scene += u64::from(!self.silent);
        let title = self.app.catalogue.text(key, &[]);
        let head = Piece::Head(format!("{}. {title}", self.scene));
        self.print(&[head], json!({ "kind": "scene", "key": key, "text": title }));
    }

    /// Somebody does something.
    pub(crate) fn does(&self, who: Who, key: &'static str, args: &[Arg<'_>]) {
        self.line("does", who, key, args, "");
    }

    /// What somebody gets to see of it.
    pub(crate) fn sees(&self, who: Who, key: &'static str, args: &[Arg<'_>]) {
        let sees = t!(self.app.catalogue, "demo-sees");
        self.line("sees", who, key, args, &sees);
    }

    /// A refusal, as the person it stops reads it: what stops it, who can change that, what next.
    pub(crate) fn refused(&self, who: Who, failure: &Failure) {
        let code = failure.code.clone();
        let refused = match code.as_deref() {
            Some(code) => t!(self.app.catalogue, "demo-refused-code", code = code),
            None => t!(self.app.catalogue, "demo-refused"),
        };
        let fix = failure.who_can_fix.as_deref();
        let fix = fix.map(|fix| format!("{} {fix} ", t!(self.app.catalogue, "out-who-can-fix")));
        let (fix, next) = (fix.unwrap_or_default(), failure.next.clone().unwrap_or_default());
        let text = format!("{refused} {} {fix}{next}", failure.message);
        let said = json!({
            "kind": "refused", "who": name(who), "code": code, "text": failure.message,
            "who_can_fix": failure.who_can_fix, "next": failure.next,
        });
        self.print(&[self.said(who, text.trim_end())], said);
    }

    /// A step that must end in this refusal: shows it to whom it stops.
    pub(crate) fn stopped<T>(
        &mut self,
        who: Who,
        claim: &'static str,
        done: Result<T, Error>,
        expected: impl FnOnce(&Refusal) -> bool,
    ) -> Result<(), Stop> {
        let refusal = match done {
            Err(Error::Refused(refusal)) => Some(refusal),
            Err(error) => return Err(error.into()),
            Ok(_) => None,
        };
        if let Some(refusal) = &refusal {
            self.refused(who, &refused::refusal(refusal, &self.app.catalogue));
        }
        Ok(self.check(claim, refusal.is_some_and(|refusal| expected(&refusal)))?)
    }

    /// Everything that stops an act, a line each.
    pub(crate) fn blocks(&self, refusals: &[Refusal]) {
        let line = |refusal: &Refusal| {
            let shown = refused::refusal(refusal, &self.app.catalogue);
            format!("[{}] {}", refusal.code(), shown.message)
        };
        let mut lines: Vec<_> = refusals.iter().map(line).collect();
        lines.dedup();
        self.quote(&lines);
    }

    /// The text of a schema word, as `scope-demarche`.
    pub(crate) fn word(&self, key: &str) -> String {
        self.app.catalogue.text(key, &[])
    }

    /// Something of the story, shown as it is: indented lines.
    pub(crate) fn quote(&self, lines: &[String]) {
        let pad = " ".repeat(COLUMN + 2);
        let shown = lines.iter().map(|line| format!("{pad}│ {}", fill(line, COLUMN + 4)));
        let pieces: Vec<Piece> = shown.map(Piece::Raw).collect();
        self.print(&pieces, json!({ "kind": "quote", "lines": lines }));
    }

    /// Goes on only if the claim holds.
    pub(crate) fn check(&mut self, claim: &'static str, holds: bool) -> Result<(), Failure> {
        let text = self.app.catalogue.text(claim, &[]);
        if !holds {
            let text = t!(self.app.catalogue, "demo-broken", claim = text.as_str());
            return Err(Failure::new(Exit::Internal, text));
        }
        self.checks += u64::from(!self.silent);
        let pad = " ".repeat(COLUMN);
        let line = Piece::Raw(format!("{pad}✓ {}", fill(&text, COLUMN + 2)));
        self.print(&[line], json!({ "kind": "check", "key": claim, "text": text, "holds": true }));
        Ok(())
    }

    /// The failure that a client's error would be on the command line.
    pub(crate) fn failed(&self, error: budstikke::Error) -> Failure {
        self.app.failed(error)
    }

    fn line(&self, kind: &str, who: Who, key: &'static str, args: &[Arg<'_>], mark: &str) {
        let text = self.app.catalogue.text(key, args);
        let shown = if mark.is_empty() { text.clone() } else { format!("{mark} {text}") };
        let values: Map<String, Value> =
            args.iter().map(|(k, v)| ((*k).to_owned(), value(v))).collect();
        let said = json!({
            "kind": kind, "who": name(who), "key": key, "text": text, "values": values,
        });
        self.print(&[self.said(who, &shown)], said);
    }

    fn said(&self, who: Who, text: &str) -> Piece {
        let label = self.app.catalogue.text(&format!("demo-who-{}", name(who)), &[]);
        let gap = COLUMN.saturating_sub(label.chars().count());
        Piece::Raw(format!("{label}{:gap$}{}", "", fill(text, COLUMN)))
    }

    fn print(&self, pieces: &[Piece], mut said: Value) {
        if self.silent {
            return;
        }
        if let Some(map) = said.as_object_mut() {
            map.insert("scene".to_owned(), self.scene.into());
        }
        let map = said.as_object().cloned().unwrap_or_default();
        self.app.out.event(pieces, &map, &self.app.catalogue);
    }
}

fn value(value: &FluentValue<'_>) -> Value {
    match value {
        FluentValue::String(text) => text.as_ref().into(),
        FluentValue::Number(number) => number.value.into(),
        _ => Value::Null,
    }
}

fn name(who: Who) -> &'static str {
    match who {
        Who::Ministry => "ministry",
        Who::OfficerA => "officer-a",
        Who::OfficerB => "officer-b",
        Who::DeskM => "desk-m",
        Who::DeciderK => "decider-k",
        Who::DutyD => "duty-d",
        Who::Heron => "heron",
        Who::Reed => "reed",
        Who::Relay => "relay",
        Who::Head => "head",
        Who::Holders => "holders",
    }
}
