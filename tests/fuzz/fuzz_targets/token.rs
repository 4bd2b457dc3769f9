//! Token keys and operations that carry tokens: any bytes are refused, or are read back as they were; nothing made of them
//! is a token.
#![no_main]

use budstikke_proto::armor;
use budstikke_proto::id::RelayId;
use budstikke_proto::op::Request;
use budstikke_proto::token::{Blinding, REQUEST_TEXT, TokenKey, from_text, to_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let relay = RelayId::from_bytes([1; 32]);
    if let Ok(Request::CreateByToken { recv_pk, ttl_days, token }) = Request::decode(data) {
        let again = Request::CreateByToken { recv_pk, ttl_days, token };
        assert_eq!(Request::decode(&again.encode()), Ok(again));
    }
    let texts = [String::from_utf8_lossy(data).into(), armor::encode(REQUEST_TEXT, data)];
    for text in &texts {
        let Ok(parts) = from_text(REQUEST_TEXT, text) else { continue };
        assert_eq!(from_text(REQUEST_TEXT, &to_text(REQUEST_TEXT, &parts).unwrap()), Ok(parts));
    }
    let (spki, rest) = data.split_at(data.len().min(350));
    for spki in [data, spki] {
        let Ok(key) = TokenKey::from_spki(spki) else { continue };
        assert_eq!(key.spki(), spki);
        if let Ok(blinding) = Blinding::from_bytes(key, relay, rest) {
            assert!(blinding.finish(rest).is_err());
        }
    }
});
