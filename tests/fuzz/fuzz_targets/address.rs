//! Relay addresses: what was understood is written and understood alike.
#![no_main]

use budstikke_proto::address::RelayAddress;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    check(data);
    // A right fingerprint in front, so that hosts and ports are reached.
    check(&format!("bud://{}@{data}", "a".repeat(52)));
});

fn check(text: &str) {
    if let Ok(address) = text.parse::<RelayAddress>() {
        assert_eq!(address.to_text().parse::<RelayAddress>().unwrap(), address);
    }
}
