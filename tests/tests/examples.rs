//! The examples of the client crate, one for each role, run together over a real relay as their pages say.

use std::time::Duration;

use budstikke_relay::{Relay, testing};

#[allow(dead_code)]
#[path = "../../crates/budstikke/examples/defender.rs"]
mod defender;
#[allow(dead_code)]
#[path = "../../crates/budstikke/examples/ministry.rs"]
mod ministry;
#[allow(dead_code)]
#[path = "../../crates/budstikke/examples/mission.rs"]
mod mission;

const LONG: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_of_all_roles_work_together() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (home, relay_home) = (folder.path(), folder.path().join("relay"));
    let relay = Relay::spawn(testing::config(&relay_home)).await.expect("a relay");
    mission::request(home, &relay.address().to_text()).await.expect("the request");
    ministry::run(home).await.expect("the certificate");
    let defending = async {
        let invitation = loop {
            match std::fs::read_to_string(home.join("invitation.txt")) {
                Ok(text) if !text.is_empty() => break text,
                _ => tokio::task::yield_now().await,
            }
        };
        defender::run(home, &invitation).await
    };
    let both = Box::pin(async { tokio::join!(mission::serve(home), defending) });
    let (served, answer) = tokio::time::timeout(LONG, both).await.expect("within a minute");
    served.expect("the mission's part");
    assert_eq!(answer.expect("an answer"), "We have read it, and will answer within a day.");
}
