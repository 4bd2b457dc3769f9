//! Refusals of the rules, and mistakes in files, in the reader's words.

use fluent_bundle::FluentValue;

use crate::{
    case::{Refusal, Warning, file::FileError},
    catalogue::{Catalogue, t},
    exit::Exit,
    failure::Failure,
    show::time,
};

/// A refusal: its sentence, its code, who can change it and what to do next.
pub(crate) fn refusal(refusal: &Refusal, catalogue: &Catalogue) -> Failure {
    let mut failure = Failure::new(Exit::Refused, sentence(refusal, catalogue));
    failure.code = Some(refusal.code().to_owned());
    failure.who_can_fix = Some(catalogue.text(refusal.who_can_fix().key(), &[]));
    failure.next = Some(catalogue.text(refusal.next_step_key(), &[]));
    failure.details = refusal.details();
    failure
}

/// A warning's sentence.
pub(crate) fn warning(warning: &Warning, catalogue: &Catalogue) -> String {
    let args: Vec<_> = warning
        .details()
        .into_iter()
        .map(|(name, value)| match value.parse::<u64>() {
            Ok(number) if name == "missing" => (name, FluentValue::from(number)),
            _ => (name, FluentValue::from(value)),
        })
        .collect();
    catalogue.text(warning.message_key(), &args)
}

/// A mistake in a file that a person wrote, with what was probably meant.
pub(crate) fn file(error: &FileError, name: &str, catalogue: &Catalogue) -> Failure {
    let key = error.message_key();
    let mut more = Vec::new();
    let mut guess = |suggestion: &Option<String>, known: Vec<String>| {
        more.push(match suggestion {
            Some(word) => t!(catalogue, "file-did-you-mean", suggestion = word.as_str()),
            None => t!(catalogue, "file-can-be", known = known.join(", ")),
        });
    };
    let args: Vec<(&str, FluentValue<'_>)> = match error {
        FileError::Refused { refusal: refused } => {
            let mut failure = refusal(refused, catalogue);
            failure.message =
                t!(catalogue, "file-named", file = name, fault = failure.message.as_str());
            return failure;
        }
        FileError::Syntax { message, line } => {
            vec![("message", message.as_str().into()), ("line", (*line as u64).into())]
        }
        FileError::TooLarge { got } => {
            let limit = crate::case::file::MAX_FILE as u64;
            vec![("got", (*got as u64).into()), ("limit", limit.into())]
        }
        FileError::UnknownField { field, suggestion, known } => {
            guess(suggestion, known.iter().map(|name| (*name).to_owned()).collect());
            vec![("field", field.as_str().into())]
        }
        FileError::WrongType { field, expected } => {
            vec![("field", field.as_str().into()), ("expected", (*expected).into())]
        }
        FileError::UnknownWord { field, word, suggestion, known } => {
            guess(suggestion, known.clone());
            vec![("field", field.as_str().into()), ("word", word.as_str().into())]
        }
        _ => Vec::new(),
    };
    let fault = catalogue.text(key, &args);
    Failure::new(Exit::Usage, t!(catalogue, "file-named", file = name, fault = fault))
        .more(more)
        .next(t!(catalogue, "file-named-next"))
}

fn sentence(refusal: &Refusal, catalogue: &Catalogue) -> String {
    let args: Vec<_> = refusal
        .details()
        .into_iter()
        .map(|(name, value)| {
            // Counts choose between singular and plural; moments are numbers too, but read as dates.
            match (name, value.parse::<u64>()) {
                ("since" | "until", _) | (_, Err(_)) => {
                    (name, FluentValue::from(shown(name, &value, catalogue)))
                }
                (_, Ok(count)) => (name, FluentValue::from(count)),
            }
        })
        .collect();
    catalogue.text(refusal.message_key(), &args)
}

/// A detail's value for a person: schema words in their language, moments as dates.
fn shown(name: &str, value: &str, catalogue: &Catalogue) -> String {
    let word = |prefix: &str| catalogue.maybe(&format!("{prefix}-{value}"));
    let found = match name {
        "fault" => catalogue.maybe(value),
        "state" => word("phase"),
        "transport" => word("transport"),
        "kind" => word("receipt-kind"),
        "role" => word("role"),
        "handling" => word("handling"),
        "leg" => word("leg"),
        "to" => word("purpose"),
        "what" => word("recipient-class"),
        "scope" => word("scope"),
        "activation" => word("activation"),
        "basis" => word("giver-basis"),
        "action" => word("action-kind"),
        "phase" => word("action-phase").or_else(|| word("handover-phase")),
        "level_asked" | "level_agreed" => word("identity-level"),
        "since" | "until" => value.parse().ok().map(time::moment),
        "allowed" => {
            let roles = value.split(", ").map(|role| {
                catalogue.maybe(&format!("role-{role}")).unwrap_or_else(|| role.to_owned())
            });
            Some(roles.collect::<Vec<_>>().join(", "))
        }
        _ => None,
    };
    found.unwrap_or_else(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Fault, Leg, Phase, Role, Unit};

    /// Nothing of the catalogue's own notation, and no schema word, reaches a person.
    #[test]
    fn refusals_read_as_sentences_with_a_code_and_a_way_out() {
        let catalogue = Catalogue::new(Some("en"));
        let field = || "incidents[0].where".to_owned();
        let allowed = vec![Role::Defender, Role::MissionContactPerson];
        let cases = [
            (
                Refusal::TermsNotInForce { leg: Leg::DefenderMission, state: Phase::AcceptedByOne },
                "accepted by one side so far",
            ),
            (Refusal::QuietTime { until: 1_794_000_000 }, "2026-11-"),
            (
                Refusal::RoleNotPermitted { role: Role::MissionStaff, act: "negotiate", allowed },
                "defender, contact person of the mission",
            ),
            (Refusal::Malformed { field: field(), fault: Fault::Missing }, "is missing"),
            (
                Refusal::TooLarge { field: field(), limit: 3, got: 5, unit: Unit::Entries },
                "5 entries, at most 3",
            ),
        ];
        for (refused, part) in cases {
            let failure = refusal(&refused, &catalogue);
            assert!(failure.message.contains(part), "{}", failure.message);
            assert!(!failure.message.contains(['{', '$']), "{}", failure.message);
            assert_eq!(failure.code.as_deref(), Some(refused.code()));
            assert_eq!(failure.exit, Exit::Refused);
            assert!(failure.who_can_fix.is_some() && failure.next.is_some());
        }
    }
}
