//! Notices: payloads that add up give content that is cut into the same payloads.
#![no_main]

use budstikke_proto::limits::{CELL_LEN, MAX_NOTICE_PARTS};
use budstikke_proto::notice::{from_payloads, to_payloads};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let _ = from_payloads([data]);
    let mut whole = data.to_vec();
    whole.resize(data.len().next_multiple_of(CELL_LEN), 0);
    let payloads: Vec<&[u8]> = whole.chunks(CELL_LEN).take(MAX_NOTICE_PARTS as usize).collect();
    if let Ok(content) = from_payloads(payloads.iter().copied()) {
        assert_eq!(to_payloads(&content).unwrap(), payloads);
    }
});
