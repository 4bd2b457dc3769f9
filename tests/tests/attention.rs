//! An alert that nobody has taken in time ends `bud` with code 10, at the office that raised it and at the one that
//! should answer, until a person takes it.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails loudly")]

use std::path::Path;
use std::process::{Command, Output};

use budstikke_tests::case_work::CaseWork;
use budstikke_tests::world::{PASSPHRASE, settle};

/// Runs the real program, on this machine's clock.
fn bud(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bud-that-crashes"));
    command.args(args).env("LANG", "C.UTF-8").env("TZ", "UTC");
    command.env("BUD_HOME", home).env("BUD_PASSPHRASE", PASSPHRASE);
    command.output().expect("bud runs")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_past_its_deadline_ends_with_code_10_until_a_person_takes_it() {
    // The story began four days ago, and an alert of "at once" asks for an answer within the hour.
    let case = CaseWork::new().await;
    let alert = case.alert("alert-flash.toml");
    let CaseWork { world, line, at_mission, .. } = case;
    world.officer_a.raise_alert(&at_mission, alert).await.expect("raised");
    settle(&[&world.officer_a, &line.desk]).await;
    world.officer_a.close().await.expect("close");
    line.desk.close().await.expect("close");

    for (who, next) in [("officer-a", "the way outside"), ("desk", "bud alert ack")] {
        let home = world.folder.path().join(who);
        let listed = bud(&home, &["alert", "list"]);
        let (shown, said) =
            (String::from_utf8_lossy(&listed.stdout), String::from_utf8_lossy(&listed.stderr));
        assert_eq!(listed.status.code(), Some(10), "{who}: {shown}{said}");
        assert!(shown.contains("OVERDUE by 3 d") || shown.contains("OVERDUE by 4 d"), "{shown}");
        assert!(said.contains(next), "{who}: {said}");
        let synced = bud(&home, &["sync", "--json"]);
        assert_eq!(synced.status.code(), Some(10), "{who}");
        let said = String::from_utf8_lossy(&synced.stdout);
        assert!(said.contains(r#""class":"attention""#), "{said}");
        assert!(said.contains(r#""exit_code":10"#), "{said}");
        assert_eq!(said.matches("alert_overdue").count(), 1, "said once: {said}");
    }

    let desk = world.folder.path().join("desk");
    let listed = bud(&desk, &["alert", "list", "--json"]);
    assert!(String::from_utf8_lossy(&listed.stdout).contains(r#""overdue":true"#));
    let taken = bud(&desk, &["alert", "ack", "--mine", "--next-word", "in 2h"]);
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
    for who in ["desk", "officer-a"] {
        let home = world.folder.path().join(who);
        let synced = bud(&home, &["sync"]);
        assert_eq!(synced.status.code(), Some(0), "{}", String::from_utf8_lossy(&synced.stderr));
        assert_eq!(bud(&home, &["alert", "list"]).status.code(), Some(0), "{who}");
    }
}
