//! What a vault keeps of acts and alerts, and the text of a consent that officers heard: read back as it was written.
#![no_main]

use budstikke_case::action::ActionState;
use budstikke_case::alert::AlertState;
use budstikke_case::consent::verify_record;
use budstikke_case::officer::Keys;
use budstikke_case::wire::{ConsentRecord, Officer};
use budstikke_e2ee::armor;
use libfuzzer_sys::fuzz_target;
use prost::Message as _;

const NOW: i64 = 1_793_868_000;

/// No signature holds.
struct Nobody;

impl Keys for Nobody {
    fn verify(&self, _: &[u8], _: &'static str, _: &[u8], _: &[u8]) -> bool {
        false
    }

    fn certified(&self, _: &Officer) -> bool {
        false
    }
}

fuzz_target!(|data: &[u8]| {
    if let Ok(act) = ActionState::from_bytes(data) {
        let again = ActionState::from_bytes(&act.to_bytes()).unwrap();
        assert!(again == act);
        assert_eq!(again.phase(NOW), act.phase(NOW));
    }
    if let Ok(alert) = AlertState::from_bytes(data) {
        let again = AlertState::from_bytes(&alert.to_bytes()).unwrap();
        assert!(again == alert);
        assert!(!alert.overdue(i64::MIN) || alert.ack_by_s() == i64::MIN);
    }
    // The checksum is no guess of a fuzzer's; what stands behind it is.
    let text = armor::encode("budoral", data);
    assert_eq!(armor::decode("budoral", &text).unwrap(), data);
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = armor::decode("budoral", text);
    }
    if let Ok(record) = ConsentRecord::decode(data) {
        assert!(verify_record(&record, &Nobody).is_err());
        assert!(ConsentRecord::decode(record.encode_to_vec().as_slice()).unwrap() == record);
    }
});
