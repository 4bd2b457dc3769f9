//! A short form of `simulate`: concurrent commits, crashes and a hostile relay, in simulated time.
#![allow(clippy::unwrap_used, reason = "a test fails loudly")]

use std::time::{SystemTime, UNIX_EPOCH};

use budstikke_tests::simulation::{Report, Settings, run};

fn settings(races: u64, seed: u64) -> Settings {
    let present = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    Settings::new(races, seed, i64::try_from(present).unwrap())
}

fn clean(races: u64, seed: u64) -> Report {
    let report = run(settings(races, seed));
    assert!(report.clean(), "{report}");
    report
}

#[test]
fn nothing_goes_wrong_that_nobody_is_told_about() {
    let reports = [clean(12, 1), clean(12, 2)];
    // What is not tried proves nothing.
    let sum = |of: fn(&Report) -> u64| reports.iter().map(of).sum::<u64>();
    for (what, count) in [
        ("races", sum(|report| report.counts.races)),
        ("lost", sum(|report| report.counts.lost)),
        ("redone", sum(|report| report.counts.redone)),
        ("crashes", sum(|report| report.counts.crashes)),
        ("losses shown", sum(|report| report.counts.losses_shown)),
        ("epochs", sum(|report| report.counts.healed_epochs)),
    ] {
        assert!(count > 0, "no {what}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    assert_eq!(clean(5, 3).counts, clean(5, 3).counts);
}

#[test]
fn an_episode_that_went_wrong_can_be_run_alone() {
    let mut settings = settings(3, 1);
    (settings.per_episode, settings.arrival_order) = (1, true);
    let report = run(settings);
    // Later ones may have gone wrong before it.
    assert_eq!(report.first_bad, Some(0), "{report}");
    settings.episode = report.first_bad;
    assert_eq!(run(settings).counts, report.counts);
}

#[test]
fn commits_applied_in_the_order_of_arrival_are_caught() {
    let mut settings = settings(5, 1);
    settings.arrival_order = true;
    let report = run(settings);
    assert!(!report.clean() && report.counts.undetected_forks > 0, "{report}");
}
