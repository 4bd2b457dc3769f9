//! Blobs: payloads that add up give content that is cut into the same payloads; anything else is refused alike by the
//! check that the relay makes. No bytes open under a key that did not seal them.
#![no_main]

use budstikke_proto::blob::{BlobKey, BlobSize, from_payloads, is_filled, open, to_payloads};
use budstikke_proto::limits::CELL_LEN;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((choice, data)) = data.split_first() else { return };
    let size = BlobSize::ALL[usize::from(*choice) % 3];
    let mut sealed = vec![*choice; size.bytes() as usize];
    let given = data.len().min(sealed.len());
    sealed[..given].copy_from_slice(&data[..given]);
    let key = BlobKey::from_bytes([*choice; 32]);
    assert!(open(data, &key).is_err() && open(&sealed, &key).is_err());
    // As many payloads as the first byte says, near the right number; the data stands at the end of the last one.
    let parts = (size.parts() as usize + usize::from(choice / 3 % 3)).saturating_sub(1);
    let mut payloads = vec![vec![7; CELL_LEN]; parts];
    if let Some(last) = payloads.last_mut() {
        let content = size.bytes() as usize % CELL_LEN;
        last[content..].fill(0);
        let at = CELL_LEN.saturating_sub(data.len());
        last.truncate(at);
        last.extend_from_slice(data);
    }
    let pieces = || payloads.iter().map(Vec::as_slice);
    let filled = is_filled(size, pieces());
    match from_payloads(size, pieces()) {
        Ok(content) => {
            assert!(filled && content.len() == size.bytes() as usize);
            assert_eq!(to_payloads(&content).unwrap(), (size, payloads));
        }
        Err(_) => assert!(!filled),
    }
});
