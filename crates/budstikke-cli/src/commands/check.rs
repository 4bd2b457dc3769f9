//! `bud check`: reads a file as the program would before sending it, and says what to correct.
//! Works offline, without a vault and without a passphrase.

use serde_json::{Value, json};

use crate::{
    app::App,
    args::{Check, FileKind},
    case::{
        Content, View, Warning,
        file::{EmergencyFile, FileError, Format, IntakeFile, PrivacyNoticeFile, TermsFile},
        wire::content::Body,
    },
    catalogue::t,
    failure::Failure,
    files, refused,
    reply::{Piece, Reply},
    show::view,
};

/// Checks one file and shows it back.
pub(crate) fn check(app: &App, args: &Check) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let text = files::read(&args.file, catalogue)?;
    let name = files::shown(&args.file);
    let format = Format::of_name(&name);
    let kind = match args.kind {
        FileKind::Auto => guess(&text),
        kind => kind,
    };
    let (view, warnings) = read(&text, format, kind, App::now())
        .map_err(|error| refused::file(&error, &name, catalogue))?;
    let kind_name = kind_name(kind);
    let title = view::title(&view, catalogue);
    let said: Vec<_> = warnings.iter().map(|w| refused::warning(w, catalogue)).collect();
    Ok(Reply::new()
        .text(t!(catalogue, "check-good", file = name, title = title))
        .pieces(view::pieces(&view, false, catalogue))
        .pieces(said.iter().cloned().map(Piece::Warn))
        .next(t!(catalogue, "check-good-next"))
        .field("kind", kind_name)
        .field("warnings", said)
        .field("view", serde_json::to_value(&view).unwrap_or(Value::Null))
        .field("ok", json!(true)))
}

fn read(
    text: &str,
    format: Format,
    kind: FileKind,
    now: i64,
) -> Result<(View, Vec<Warning>), FileError> {
    let show = |body| View::of(&Content { header: None, body: Some(body) });
    Ok(match kind {
        FileKind::Auto | FileKind::Intake => {
            let file = IntakeFile::parse(text, format)?;
            (show(Body::CaseIntake(Box::new(file.intake))), file.warnings)
        }
        FileKind::Emergency => {
            let file = EmergencyFile::parse(text, format)?;
            (show(Body::EmergencyContact(Box::new(file.emergency))), file.warnings)
        }
        FileKind::Terms => {
            (View::of_terms(&TermsFile::parse(text, format, now)?.terms), Vec::new())
        }
        FileKind::Privacy => {
            let file = PrivacyNoticeFile::parse(text, format, now)?;
            (show(Body::PrivacyNotice(Box::new(file.notice))), Vec::new())
        }
    })
}

/// By the one field that each kind cannot do without.
fn guess(text: &str) -> FileKind {
    let has = |word: &str| {
        text.lines().any(|line| {
            let line = line.trim_start_matches(['[', ' ', '"', '{', '\t']);
            line.strip_prefix(word).is_some_and(|rest| {
                rest.trim_start_matches(['"', ' ']).starts_with(['=', ']', ':', '.'])
            })
        })
    };
    if has("what_is_happening") {
        FileKind::Emergency
    } else if has("controller") {
        FileKind::Privacy
    } else if has("retention") || has("expectations") {
        FileKind::Terms
    } else {
        FileKind::Intake
    }
}

fn kind_name(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Auto | FileKind::Intake => "intake",
        FileKind::Emergency => "emergency",
        FileKind::Terms => "terms",
        FileKind::Privacy => "privacy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_what_it_cannot_do_without() {
        assert!(guess("what_is_happening = \"x\"") == FileKind::Emergency);
        assert!(guess("[retention]\nmission_days = 1") == FileKind::Terms);
        assert!(guess("{\"controller\": \"x\"}") == FileKind::Privacy);
        assert!(guess("[[incidents]]\nwhere = \"retention = x\"") == FileKind::Intake);
    }
}
