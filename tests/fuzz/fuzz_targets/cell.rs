//! Cells: raw bytes, and any fragment that a hostile holder of the key may seal.
#![no_main]

use budstikke_proto::cell::{Opened, SealKey, open};
use budstikke_proto::limits::{CELL_LEN, CELL_SEAL_LEN, FRAGMENT_LEN, MAX_FRAGMENTS};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use libfuzzer_sys::fuzz_target;

const KEY: [u8; 32] = [7; 32];
const NONCE: [u8; 24] = [8; 24];

fuzz_target!(|data: &[u8]| {
    let key = SealKey::from_bytes(KEY);
    let mut raw = data.to_vec();
    raw.resize(CELL_LEN, 0);
    assert!(open(&raw, &key).is_err());

    let mut plain = data.to_vec();
    plain.resize(CELL_LEN - CELL_SEAL_LEN, 0);
    let sealed = XChaCha20Poly1305::new(Key::from_slice(&KEY))
        .encrypt(XNonce::from_slice(&NONCE), Payload { msg: &plain, aad: b"budstikke/cell/v1" })
        .unwrap();
    let cell = [NONCE.as_slice(), &sealed].concat();
    if let Ok(Opened::Fragment(fragment)) = open(&cell, &key) {
        assert!(fragment.index < fragment.count && fragment.count <= MAX_FRAGMENTS);
        assert!((1..=FRAGMENT_LEN).contains(&fragment.body.len()));
        assert!(plain[24..].starts_with(&fragment.body));
    }
});
