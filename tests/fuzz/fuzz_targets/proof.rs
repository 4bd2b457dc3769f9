//! Receipts and proofs against relays: what parses comes back as it was, and nothing that nobody signed convicts.
#![no_main]

use budstikke_proto::proof::{Equivocation, Receipt};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some(receipt) = Receipt::parse(data) {
        assert!(receipt.to_bytes() == data);
        assert!(!receipt.contradicts(&receipt));
    }
    assert!(Equivocation::from_bytes(data).is_err());
    if let Ok(text) = std::str::from_utf8(data) {
        assert!(Equivocation::from_text(text).is_err());
    }
});
