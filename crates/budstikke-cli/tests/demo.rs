//! `bud demo` as a program reads it: every claim holds, and the story is all there.
#![cfg(feature = "demo")]
#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::process::Command;

use serde_json::Value;

#[test]
fn every_claim_of_the_story_holds() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let lines = played(&["--keep", kept.to_str().unwrap()]);
    assert_eq!(count(&lines, "scene"), 21);
    assert!(count(&lines, "sees") >= 20, "who sees what is told at every step");
    let checks = count(&lines, "check");
    assert!(checks >= 55, "only {checks} claims");
    let codes = ["T01", "C01", "T05", "F01", "I03", "I03", "A05", "D01", "D01", "P02"];
    assert_eq!(refused(&lines), codes);

    // What it made is there, and a second look at the vaults finds no name either.
    for name in ["ministry", "officer-a", "officer-b", "heron", "desk", "decider"] {
        let vault = std::fs::read(kept.join(format!("{name}.vault"))).unwrap();
        assert!(vault.len() > 10_000);
        for secret in ["HERON", "REED-SISTER", "Officer A", "no.emb.karvonia", "no.mfa.desk"] {
            let found = vault.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in {name}.vault");
        }
    }
}

#[test]
fn a_consent_taken_back_stops_the_act_or_what_would_be_made_of_it() {
    let lines = played(&["--scenario", "S1"]);
    assert_eq!(refused(&lines), ["C04", "C04", "D01", "C04", "D01"]);
    assert_eq!(count(&lines, "scene"), 5);
}

#[test]
fn a_refused_approval_is_refused_under_any_name() {
    let lines = played(&["--scenario", "s2"]);
    assert_eq!(refused(&lines), ["C01", "C09", "W04", "A02", "A01", "D01", "D01"]);
    assert_eq!(count(&lines, "scene"), 5);
}

#[test]
fn an_officer_leaves_and_nobody_falls_between_two_chairs() {
    let lines = played(&["--scenario", "S5"]);
    assert_eq!(refused(&lines), ["H01", "D01", "I05", "I05", "W04", "W04"]);
    assert_eq!(count(&lines, "scene"), 7);
    assert!(count(&lines, "check") >= 28);
}

#[test]
fn an_alert_that_nobody_takes_goes_on_until_somebody_does() {
    let lines = played(&["--scenario", "S10"]);
    assert!(refused(&lines).is_empty());
    assert_eq!((count(&lines, "scene"), count(&lines, "check")), (5, 9));
}

/// Runs the demo as a program would: every line is an object, every claim held, and every refusal
/// says who can change it and what comes next.
fn played(args: &[&str]) -> Vec<Value> {
    let done = Command::new(env!("CARGO_BIN_EXE_bud"))
        .args(["--json", "demo"])
        .args(args)
        .env("LANG", "C.UTF-8")
        .output()
        .unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{text}\n{}", String::from_utf8_lossy(&done.stderr));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    let checks = Value::from(count(&lines, "check"));
    assert_eq!((&last["ok"], &last["checks"]), (&Value::Bool(true), &checks));
    for refusal in lines.iter().filter(|line| line["code"].is_string()) {
        assert!(refusal["who_can_fix"].is_string() && refusal["next"].is_string(), "{refusal}");
    }
    lines
}

fn count(lines: &[Value], kind: &str) -> usize {
    lines.iter().filter(|line| line["kind"] == kind).count()
}

/// Codes of the refusals, in the order of the story.
fn refused(lines: &[Value]) -> Vec<&str> {
    lines
        .iter()
        .filter(|line| line["kind"] == "refused")
        .filter_map(|l| l["code"].as_str())
        .collect()
}

#[test]
fn a_pipe_gets_no_colour_and_no_progress() {
    let done = Command::new(env!("CARGO_BIN_EXE_bud")).arg("--help").output().unwrap();
    assert!(!done.stdout.contains(&0x1b));
    let done = Command::new(env!("CARGO_BIN_EXE_bud"))
        .args(["check", concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/intake-heron.toml")])
        .env_remove("NO_COLOR")
        .output()
        .unwrap();
    assert!(done.status.success());
    assert!(!done.stdout.contains(&0x1b) && done.stderr.is_empty());
}
