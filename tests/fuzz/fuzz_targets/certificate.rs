//! Certificate chains and requests: nothing made of random bytes verifies.
#![no_main]

use budstikke_e2ee::cert::{Chain, DeviceRequest, IssuerRequest, UnitRequest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(chain) = Chain::from_bytes(data) {
        assert!(chain.verify(&chain.claimed_root(), 0).is_err());
        assert_eq!(Chain::from_bytes(&chain.to_bytes()).unwrap().to_bytes(), chain.to_bytes());
    }
    let _ = (
        IssuerRequest::from_bytes(data),
        UnitRequest::from_bytes(data),
        DeviceRequest::from_bytes(data),
    );
});
