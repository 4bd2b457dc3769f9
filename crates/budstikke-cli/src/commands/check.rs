//! `bud check`: reads a file as the program would before sending it, and says what to correct.
//! Works offline, without a vault and without a passphrase.

use rand_core::OsRng;
use serde_json::{Value, json};

use crate::{
    app::App,
    args::{Check, FileKind},
    case::{
        Content, Draft, Leg, Role, View, Warning,
        file::{
            AlertFile, ConsentFile, ConsentRequestFile, EffectFile, EmergencyFile, FactsFile,
            FileError, Format, HandoverFile, IntakeFile, PlanFile, PrivacyNoticeFile, RiskFile,
            TermsFile,
        },
        officer::{ATTEST_DOMAIN, attest},
        wire::{GiverBasis, Officer, Purpose, content::Body},
    },
    catalogue::t,
    failure::Failure,
    files, refused,
    reply::{Piece, Reply},
    show::{act, view},
};

/// Checks one file and shows it back.
pub(crate) fn check(app: &App, args: &Check) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let text = files::read(&args.file, catalogue)?;
    let name = files::shown(&args.file);
    if args.kind == FileKind::Auto
        && let Some(reply) = super::token::check(app, &text, &name)?
    {
        return Ok(reply);
    }
    let format = Format::of_name(&name);
    let kind = match args.kind {
        FileKind::Auto => guess(&text),
        kind => kind,
    };
    let (view, warnings) = read(&text, format, kind, App::now())
        .map_err(|error| refused::file(&error, &name, catalogue))?;
    let kind_name = kind_name(kind);
    let title = view::title(&view, catalogue);
    let own_part = ["source", "actions", "results"].iter().any(|section| has(&text, section));
    let next = match kind {
        FileKind::Auto | FileKind::Intake if own_part => "check-form-next",
        FileKind::Auto | FileKind::Intake | FileKind::Emergency => "check-good-next",
        _ => "check-form-next",
    };
    let said: Vec<_> = warnings.iter().map(|w| refused::warning(w, catalogue)).collect();
    Ok(Reply::new()
        .text(t!(catalogue, "check-good", file = name, title = title))
        .pieces(view::pieces(&view, false, catalogue))
        .pieces(said.iter().cloned().map(Piece::Warn))
        .next(catalogue.text(next, &[("command", command(kind, own_part).into())]))
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
        FileKind::Consent => (answers(&ConsentFile::parse(text, format, now)?, now)?, Vec::new()),
        FileKind::ConsentRequest => {
            (act::body(ConsentRequestFile::parse(text, format)?.request), Vec::new())
        }
        FileKind::Risk => (act::body(RiskFile::parse(text, format, now)?.risk), Vec::new()),
        FileKind::Facts => (act::body(FactsFile::parse(text, format, now)?.facts), Vec::new()),
        FileKind::Plan => (act::body(PlanFile::parse(text, format)?.plan), Vec::new()),
        FileKind::Alert => (act::body(AlertFile::parse(text, format, now)?.alert), Vec::new()),
        FileKind::Effect => (act::body(EffectFile::parse(text, format, now)?.effect), Vec::new()),
        FileKind::Handover => {
            (View::of_handed(&HandoverFile::parse(text, format)?.case), Vec::new())
        }
    })
}

/// Answers are checked as the message that they become, with no key behind it: somebody's own as
/// they would sign them, another's as two officers write them down.
fn answers(file: &ConsentFile, now: i64) -> Result<View, FileError> {
    let own = matches!(file.giving.basis, GiverBasis::Self_ | GiverBasis::GroupDecision);
    let nobody = |_: &'static str, _: &[u8]| [0; 64];
    let (role, record) = if own {
        (Role::Defender, file.giving.sign([0; 32], &mut OsRng, nobody)?)
    } else {
        let mut record = file.giving.oral(&mut OsRng)?;
        record.attestations = ["A", "B"]
            .map(|label| {
                let officer = Officer {
                    key: label.as_bytes().repeat(32),
                    unit: "unit".to_owned(),
                    label: label.to_owned(),
                    role: Role::MissionContactPerson.into(),
                };
                attest(officer, ATTEST_DOMAIN, &record.body, nobody)
            })
            .to_vec();
        (Role::MissionContactPerson, record)
    };
    let draft = Draft::new(Leg::DefenderMission, role, [0; 16], now).purpose(Purpose::Protection);
    let mut shown = draft.build(record)?.content;
    if let Some(Body::ConsentRecord(record)) = &mut shown.body {
        record.attestations.clear();
    }
    Ok(View::of(&Content { header: None, body: shown.body }))
}

/// Whether a field or a section of that name stands at the beginning of a line.
fn has(text: &str, word: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim_start_matches(['[', ' ', '"', '{', '\t']);
        line.strip_prefix(word).is_some_and(|rest| {
            rest.trim_start_matches(['"', ' ']).starts_with(['=', ']', ':', '.'])
        })
    })
}

/// By the one field that each kind cannot do without.
fn guess(text: &str) -> FileKind {
    let has = |word| has(text, word);
    if has("what_is_happening") {
        FileKind::Emergency
    } else if has("answers") {
        FileKind::Consent
    } else if has("acts") && has("risks_explained") {
        FileKind::ConsentRequest
    } else if has("if_we_act") || has("q1_current_threats") {
        FileKind::Risk
    } else if has("facts") {
        FileKind::Facts
    } else if has("headline") {
        FileKind::Alert
    } else if has("effect") {
        FileKind::Effect
    } else if has("what_exactly") {
        FileKind::Plan
    } else if has("trust_notes") || has("promises") {
        FileKind::Handover
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
        FileKind::Consent => "consent",
        FileKind::ConsentRequest => "consent-request",
        FileKind::Risk => "risk",
        FileKind::Facts => "facts",
        FileKind::Plan => "plan",
        FileKind::Alert => "alert",
        FileKind::Effect => "effect",
        FileKind::Handover => "handover",
    }
}

/// The command that takes the file.
fn command(kind: FileKind, own_part: bool) -> &'static str {
    match kind {
        FileKind::Auto | FileKind::Intake if own_part => "bud case add",
        FileKind::Auto | FileKind::Intake | FileKind::Emergency => "bud send",
        FileKind::Terms => "bud terms counter",
        FileKind::Privacy => "bud mission publish",
        FileKind::Consent => "bud consent give",
        FileKind::ConsentRequest => "bud consent ask",
        FileKind::Risk => "bud case risk",
        FileKind::Facts => "bud case facts",
        FileKind::Plan => "bud case check",
        FileKind::Alert => "bud alert raise",
        FileKind::Effect => "bud act effect",
        FileKind::Handover => "bud handover own",
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
        assert!(guess("[[answers]]\nscope = \"demarche\"") == FileKind::Consent);
        assert!(
            guess("[[acts]]\nwhat = \"x\"\n[x]\nrisks_explained = \"y\"")
                == FileKind::ConsentRequest
        );
        assert!(guess("[q1_current_threats]\nanswer = \"no\"") == FileKind::Risk);
        assert!(guess("[[facts]]\nid = \"arrest\"") == FileKind::Facts);
        assert!(guess("what_exactly = \"a note\"\nfacts_used = []") == FileKind::Plan);
        assert!(guess("headline = \"x\"") == FileKind::Alert);
        assert!(guess("effect = \"x\"") == FileKind::Effect);
        assert!(guess("[[promises]]\nwhat = \"x\"") == FileKind::Handover);
        assert!(guess("[[incidents]]\nwhere = \"retention = x\"") == FileKind::Intake);
    }

    #[test]
    fn every_form_that_comes_with_it_is_known_and_in_order() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data");
        let mut kinds = std::collections::BTreeSet::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if !path.is_file() {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let kind = guess(&text);
            kinds.insert(kind_name(kind));
            let read = read(&text, Format::of_name(&name), kind, App::now());
            assert!(read.is_ok(), "{name}: {}", read.unwrap_err());
        }
        assert_eq!(kinds.len(), 12, "{kinds:?}");
    }
}
