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
    // As who it claims to be, so that the tables of its kind are reached.
    let Some(header) = received.header() else { return };
    let leg = Leg::try_from(header.leg).unwrap_or_default();
    let role = Role::try_from(header.sender_role).unwrap_or_default();
    for (leg, role) in [(leg, role), (Leg::Unspecified, Role::Unspecified)] {
        let _ = validate(received.content(), leg, role);
    }
});
