//! The relay is killed with SIGKILL under load; what it acknowledged is found exactly once. The same code, longer:
//! `cargo run -p budstikke-tests --bin relay-faults -- kills`.

use budstikke_tests::faults::Kills;
use budstikke_tests::load::Numbers;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_three_kills_exactly_once() {
    let report = Kills::short(Numbers::seed()).run().await;
    println!("{report}\n{}", report.json());
    assert!(report.clean(), "{report}");
    assert!(report.kills >= 3 && report.verdict.acknowledged >= 60, "{report}");
}
