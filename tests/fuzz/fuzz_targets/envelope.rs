//! Envelopes and team messages: any bytes are one or an error.
#![no_main]

use budstikke_e2ee::envelope::Envelope;
use budstikke_e2ee::team::TeamMessage;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(envelope) = Envelope::from_bytes(data) {
        if !matches!(envelope, Envelope::Unknown { .. }) {
            assert!(Envelope::from_bytes(&envelope.to_bytes()).unwrap() == envelope);
        }
    }
    let _ = TeamMessage::from_bytes(data);
});
