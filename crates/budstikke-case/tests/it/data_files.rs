//! The files a newcomer reads first, and what is said about broken ones.

use crate::common::{NOW, data, intake, privacy_notice, terms};
use budstikke_case::file::{FileError, Format, IntakeFile, PrivacyNoticeFile, TermsFile};
use budstikke_case::wire::{Answer, IncidentType, OnwardMode, RecipientClass, Transport};
use budstikke_case::{Warning, wire as w};
use proptest::prelude::*;

#[test]
fn heron_tells_items_1_to_7_and_12() {
    let file = intake("intake-heron.toml");
    let case = &file.intake;
    assert_eq!(case.who.as_ref().unwrap().subjects.len(), 4);
    assert_eq!(case.incidents.len(), 3);
    let arrest = &case.incidents[0];
    let types = [i32::from(IncidentType::Arrest), i32::from(IncidentType::Detention)];
    assert_eq!(arrest.types, types);
    let when = arrest.when.as_ref().unwrap();
    assert_eq!(when.as_told, "around 9 on 2026-11-03");
    // 08:30 in Karvonia is 05:30 UTC.
    assert_eq!(when.earliest_s, Some(1_793_683_800));
    assert_eq!(arrest.detention.as_ref().unwrap().lawyer, i32::from(Answer::No));
    assert!(case.link.is_some() && case.alleged.is_some() && case.authorities.is_some());
    assert_eq!(case.others.len(), 2);
    // 10 November, midnight in Karvonia: TOML's own date, unquoted.
    assert_eq!(case.updates.as_ref().unwrap().next_review_s, 1_794_258_000);
    assert!(case.source.is_none() && case.contact.is_none());
    assert_eq!(file.identity.len(), 1);
    assert_eq!(file.warnings, []);
    assert!(!file.intake.wish.unwrap().do_not_want.is_empty());
}

#[test]
fn the_mission_adds_items_8_to_11() {
    let case = intake("intake-heron-mission.toml").intake;
    assert!(case.source.is_some() && case.contact.is_some());
    assert!(case.actions.is_some() && case.results.is_some());
    assert!(case.who.is_none() && case.incidents.is_empty());
}

#[test]
fn json_says_the_same_as_toml() {
    let json = intake("intake.json");
    let toml = "more_follows = true\n[[who.subjects]]\nref = \"HERON\"\nkind = \"person\"\n\
                [[incidents]]\ntypes = \"threat\"\nwhen = \"2026-11\"\n\
                what_happened = \"A man I do not know told me to stop testing the water.\"\n";
    let toml = IntakeFile::parse(toml, Format::Toml).unwrap();
    assert!(json.intake == toml.intake);
}

#[test]
fn the_counter_is_narrower_than_the_offer() {
    let (offer, counter) = (terms("terms-offer.toml").terms, terms("terms-counter.toml").terms);
    let mode = |terms: &w::ChannelTerms| {
        let class = i32::from(RecipientClass::Ministry);
        terms.onward.iter().find(|rule| rule.recipients == class).unwrap().mode
    };
    assert_eq!(mode(&offer), i32::from(OnwardMode::Standing));
    assert_eq!(mode(&counter), i32::from(OnwardMode::AskEachTime));
    assert!(!counter.transports.contains(&i32::from(Transport::InPerson)));
    assert_eq!(counter.quiet_time.unwrap().windows[0].from_minute, 21 * 60);
    assert_eq!(offer.valid_until_s - offer.valid_from_s, 180 * 86_400);
    assert!(!privacy_notice().archive_duty_plain.is_empty());
}

#[test]
fn broken_files_say_where_and_what_to_do() {
    let table = [
        (
            "missing-field.toml",
            "\"incidents[1].what_happened\" is missing. Correct it in the file and try again.",
        ),
        (
            "overlong-field.toml",
            "\"incidents[0].what_happened\" is too long: 4126 bytes, at most 4000. Shorten it, or \
             tell the rest in a later message.",
        ),
        (
            "unknown-field.toml",
            "There is no field \"incidents[0].what_happend\"; did you mean \"what_happened\"?",
        ),
        (
            "unknown-word.json",
            "\"incidents[0].types\" cannot be \"threatt\"; did you mean \"threat\"?",
        ),
        (
            "stranger.toml",
            "\"incidents[0].happened_to[0]\" names somebody who is not listed under \"who\". \
             Correct it in the file and try again.",
        ),
    ];
    for (name, expected) in table {
        let text = data(&format!("broken/{name}"));
        let error = IntakeFile::parse(&text, Format::of_name(name)).err().unwrap();
        assert_eq!(error.to_string(), expected, "{name}");
    }
    let error = IntakeFile::parse(&data("broken/not-toml.toml"), Format::Toml).err().unwrap();
    assert!(matches!(error, FileError::Syntax { line: 2, .. }), "{error}");
}

#[test]
fn terms_without_retention_are_refused() {
    let text = data("broken/terms-no-retention.toml");
    let error = TermsFile::parse(&text, Format::Toml, NOW).err().unwrap();
    assert_eq!(error.message_key(), "refusal-retention-missing");
}

#[test]
fn wrong_types_say_what_was_expected() {
    let table = [
        ("incidents = 3", "\"incidents\" should be a list of tables, [[…]] in TOML."),
        ("who = \"HERON\"", "\"who\" should be a table."),
        ("more_follows = \"yes\"", "\"more_follows\" should be true or false."),
        ("not_now = \"3\"", "\"not_now\" should be a list of whole numbers."),
        ("utc_offset = \"east\"", "\"utc_offset\" should be an offset such as \"+02:00\"."),
        (
            "[updates]\nnext_review = \"soon\"",
            "\"updates.next_review\" should be a date such as 2026-11-03.",
        ),
        (
            "[alleged]\nwitnesses = -1",
            "\"alleged.witnesses\" should be a whole number, zero or more.",
        ),
        (
            "[what]\nactivities = [1.5, {}]",
            "\"what.activities\" should be a text in quotation marks.",
        ),
    ];
    for (text, expected) in table {
        let error = IntakeFile::parse(text, Format::Toml).err().unwrap();
        assert_eq!(error.to_string(), expected);
    }
    let far = IntakeFile::parse("zzzzzz = 1", Format::Toml).err().unwrap().to_string();
    assert!(far.contains("it can be one of: utc_offset, language"), "{far}");
    let long = " ".repeat(300_000);
    assert!(matches!(IntakeFile::parse(&long, Format::Json), Err(FileError::TooLarge { .. })));
}

#[test]
fn a_time_that_is_not_understood_is_kept_and_said() {
    let text = data("intake.json").replace("2026-11", "after the harvest");
    let file = IntakeFile::parse(&text, Format::Json).unwrap();
    let field = "incidents[0].when".to_owned();
    assert_eq!(file.warnings, [Warning::TimeNotUnderstood { field }]);
    assert_eq!(file.intake.incidents[0].when.as_ref().unwrap().as_told, "after the harvest");
}

proptest! {
    #[test]
    fn any_text_is_a_file_or_an_error(text in "\\PC{0,200}") {
        for format in [Format::Toml, Format::Json] {
            let _no_panic = IntakeFile::parse(&text, format).is_ok();
            let _no_panic = TermsFile::parse(&text, format, NOW).is_ok();
            let _no_panic = PrivacyNoticeFile::parse(&text, format, NOW).is_ok();
        }
    }

    /// The real file with one byte changed: an error or a file, and never a field lost silently.
    #[test]
    fn one_slip_in_a_real_file(at in 0_usize..5_000, byte in 32_u8..127) {
        let mut bytes = data("intake-heron.toml").into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(file) = IntakeFile::parse(&text, Format::Toml)
        {
            prop_assert!(!file.language.is_empty());
        }
    }
}
