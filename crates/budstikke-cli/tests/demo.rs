//! `bud demo` as a program reads it: every claim holds, and the story is all there.
#![cfg(feature = "demo")]

use std::process::Command;

use serde_json::Value;

#[test]
fn every_claim_of_the_story_holds() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept");
    let done = Command::new(env!("CARGO_BIN_EXE_bud"))
        .args(["--json", "demo", "--keep"])
        .arg(&kept)
        .env("LANG", "C.UTF-8")
        .output()
        .unwrap();
    let text = String::from_utf8(done.stdout).unwrap();
    assert!(done.status.success(), "{text}\n{}", String::from_utf8_lossy(&done.stderr));
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();

    let count = |kind: &str| lines.iter().filter(|line| line["kind"] == kind).count();
    assert_eq!(count("scene"), 11);
    assert!(count("sees") >= 10, "who sees what is told at every step");
    let checks = count("check");
    assert!(checks >= 18, "only {checks} claims");
    let refused: Vec<_> = lines.iter().filter(|line| line["kind"] == "refused").collect();
    assert_eq!(refused[0]["code"], "T01");
    let last = lines.last().unwrap();
    assert_eq!((&last["ok"], &last["checks"]), (&Value::Bool(true), &Value::from(checks)));

    // What it made is there, and a second look at the vaults finds no name either.
    for name in ["ministry", "officer-a", "officer-b", "heron"] {
        let vault = std::fs::read(kept.join(format!("{name}.vault"))).unwrap();
        assert!(vault.len() > 10_000);
        for secret in ["HERON", "REED-SISTER", "Officer A", "no.emb.karvonia"] {
            let found = vault.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} stands in {name}.vault");
        }
    }
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
