//! What is shown.

use crate::common::{emergency, from_heron, from_mission, intake, letter, privacy_notice, terms};
use budstikke_case::wire as w;
use budstikke_case::{Body, Draft, Leg, Role, Section, Value, View};

fn shown(draft: Draft, body: impl Into<Body>) -> View {
    View::of(&draft.build(body).unwrap().content)
}

fn section<'a>(view: &'a View, heading: &str) -> &'a Section {
    view.sections.iter().find(|s| s.heading == heading).unwrap()
}

#[test]
fn actors_are_alleged_in_every_line() {
    let view = shown(from_heron(), intake("intake-heron.toml").intake);
    let actors: Vec<_> =
        view.sections.iter().filter(|s| s.heading == "view-alleged-actor").collect();
    assert_eq!(actors.len(), 2);
    for line in actors.iter().flat_map(|s| &s.lines) {
        assert!(line.label.contains("alleged"), "{}", line.label);
    }
    // And nothing of them stands anywhere else.
    let json = serde_json::to_string(&view.sections).unwrap();
    assert_eq!(json.matches("the foreman").count(), 1);
}

#[test]
fn refusals_of_the_defender_come_first() {
    let view = shown(from_heron(), intake("intake-heron.toml").intake);
    assert_eq!(view.sections[1].heading, "view-wish");
    assert_eq!(view.sections[1].lines[0].label, "view-do-not-want");
}

#[test]
fn incidents_are_shown_in_order_of_time_and_kept_in_order_told() {
    let file = intake("intake-heron.toml");
    let told: Vec<_> = file.intake.incidents.iter().map(|i| i.types[0]).collect();
    assert_eq!(told, [4, 10, 14]);
    let view = shown(from_heron(), file.intake);
    let earliest = |s: &Section| match &s.lines[0].value {
        Value::Told { earliest, .. } => earliest.clone().unwrap(),
        other => panic!("{other:?}"),
    };
    let times: Vec<_> =
        view.sections.iter().filter(|s| s.heading == "view-incident").map(earliest).collect();
    assert_eq!(times, ["2026-09-01 00:00", "2026-10-12 00:00", "2026-11-03 08:30"]);
}

#[test]
fn terms_are_shown_as_they_are_read() {
    let mut file = terms("terms-offer.toml");
    file.terms.onward[0].mode = 99;
    let view = View::of_terms(&file.terms);
    let onward = section(&view, "view-onward");
    assert_eq!(onward.lines[1].value, Value::Word("onward-mode-never".to_owned()));
    let offer = w::ChannelOffer { terms: file.encode().0 };
    let view = shown(from_mission(), offer);
    assert_eq!(section(&view, "view-negotiation").lines[0].label, "view-terms-hash");
    assert!(section(&view, "view-expectations").lines.len() >= 4);
}

#[test]
fn an_unknown_choice_says_so() {
    let mut case = intake("intake.json").intake;
    case.incidents[0].types = vec![63];
    let view = shown(from_heron(), case);
    let types = &section(&view, "view-incident").lines[1].value;
    assert_eq!(*types, Value::Words(vec!["word-other-update-needed".to_owned()]));
}

/// Every text a person wrote is shown: nothing gets lost between file and screen.
#[test]
fn nothing_told_is_left_out() {
    let mut case = intake("intake-heron.toml").intake;
    let mission = intake("intake-heron-mission.toml").intake;
    case.source = mission.source;
    case.contact = mission.contact;
    case.actions = mission.actions;
    case.results = mission.results;
    let team = Draft::new(Leg::MissionTeam, Role::MissionStaff, [1; 16], 60)
        .purpose(w::Purpose::Protection);
    let json = serde_json::to_string(&shown(team, case)).unwrap();
    for name in ["intake-heron.toml", "intake-heron-mission.toml"] {
        let text = crate::common::data(name);
        let file: toml::Table = text.split("[[identity]]").next().unwrap().parse().unwrap();
        for written in texts(&toml::Value::Table(file)) {
            // Choices are shown as keys; sentences must stand there word for word.
            if written.contains(' ') {
                let quoted = serde_json::to_string(written.trim()).unwrap();
                assert!(json.contains(quoted.trim_matches('"')), "{written}");
            }
        }
    }
}

fn texts(value: &toml::Value) -> Vec<String> {
    match value {
        toml::Value::String(text) => vec![text.clone()],
        toml::Value::Array(items) => items.iter().flat_map(texts).collect(),
        toml::Value::Table(table) => table.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_other_kinds() {
    let view = shown(from_heron(), emergency());
    assert_eq!(view.title, "kind-emergency-contact");
    assert_eq!(section(&view, "view-emergency").lines[0].label, "view-do-not-want");
    let view = shown(from_mission(), privacy_notice());
    assert!(section(&view, "view-privacy").lines.len() >= 14);
    let view = View::of(&letter(from_heron()).content);
    let text = Value::Text("The nets are drying.".to_owned());
    assert_eq!(section(&view, "view-letter").lines[0].value, text);
    let identity = intake("intake-heron.toml").identity.remove(0);
    let view = shown(from_heron(), identity);
    assert_eq!(section(&view, "view-identity-sheet").lines.len(), 11);
    assert_eq!(View::of(&w::Content::default()).title, "kind-unknown");
}

/// The catalogue's list against the sources: a label that is used and not listed would be shown
/// as its key.
#[test]
fn every_key_is_in_the_list() {
    let listed = budstikke_case::catalogue_keys();
    let folder = format!("{}/src", env!("CARGO_MANIFEST_DIR"));
    let mut used = 0;
    for file in sources(std::path::Path::new(&folder)) {
        let source = std::fs::read_to_string(file).unwrap();
        for literal in source.split('"') {
            let starts = ["view-", "refusal-", "next-step-", "fault-", "fix-", "warning-", "file-"];
            let is_key = starts.iter().any(|start| literal.starts_with(start))
                && literal
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
            if is_key && !starts.contains(&literal) {
                assert!(listed.contains(literal), "{literal}");
                used += 1;
            }
        }
    }
    assert!(used > 200, "{used}");
    assert!(listed.contains("incident-type-arrest") && listed.contains("phase-in-force"));
}

fn sources(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| !path.ends_with("catalogue.rs") && !path.ends_with("labels.rs"))
        .collect()
}
