//! Case messages: kept verbatim, and never acted on unless wholly understood.
#![no_main]

use budstikke_case::{Leg, MAX_CONTENT, Received, Role, Understanding, validate};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(received) = Received::open(data.to_vec()) else { return };
    assert!(data.len() <= MAX_CONTENT);
    assert_eq!(received.bytes(), data);
    let understood = matches!(received.understanding(), Understanding::Full);
    assert!(understood || received.act().is_err());
    for leg in [Leg::Unspecified, Leg::DefenderMission] {
        let _ = validate(received.content(), leg, Role::Unspecified);
    }
});
