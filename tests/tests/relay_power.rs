//! Power losses under load: what was acknowledged is found in every state that the disk may be left in. The same code,
//! longer: `cargo run -p budstikke-tests --bin relay-faults -- power`.

use budstikke_tests::faults::PowerLoss;
use budstikke_tests::load::Numbers;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_power_loss() {
    let report = PowerLoss::short(Numbers::seed()).run().await;
    println!("{report}\n{}", report.json());
    assert!(report.clean(), "{report}");
    assert!(report.states >= 20 && report.verdict.delivered > 100, "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_relay_that_does_not_sync_is_caught() {
    let planted = PowerLoss { no_sync: true, states: 8, ..PowerLoss::short(Numbers::seed()) };
    let report = planted.run().await;
    println!("{report}");
    assert!(report.verdict.lost > 0 && !report.clean(), "{report}");
}

/// The kernel forgets what it could not write, and later syncs succeed: whoever goes on then loses it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_after_a_failed_sync() {
    for fail_sync in [8, 60] {
        let failing = PowerLoss {
            fail_sync: Some(fail_sync),
            states: 6,
            ..PowerLoss::short(Numbers::seed())
        };
        let report = failing.run().await;
        println!("{report}");
        let verdict = report.verdict;
        assert!(
            verdict.lost == 0 && verdict.duplicated == 0 && report.failures.is_empty(),
            "{report}"
        );
    }
}
