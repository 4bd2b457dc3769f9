//! Words about an alert outside of a group: any bytes are refused, or are one word.
#![no_main]

use budstikke_case::alert::{open_ack, open_alert, open_contact};
use budstikke_e2ee::held::verify;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // Nobody's root: nothing made of random bytes verifies.
    assert!(verify(data, &[0; 32], 1_793_868_000).is_err());
    if let Ok(alert) = open_alert(data) {
        assert_eq!(alert.alert_id.len(), 16);
    }
    if let Ok((ack, body)) = open_ack(data) {
        assert!(ack.by.is_some() && body.alert_id.len() == 16);
    }
    if let Ok(contact) = open_contact(data) {
        assert_eq!(contact.public_key.len(), 1_216);
    }
});
