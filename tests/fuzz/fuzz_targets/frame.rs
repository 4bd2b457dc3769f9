//! Frames: decoded bytes encode to themselves, whole or not.
#![no_main]

use budstikke_proto::frame::{Frame, class_of};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    check(data);
    // The same start at the length that its class asks for, so that short inputs reach the fields.
    if let Some(Ok(class)) = data.first().map(|first| class_of(*first)) {
        let mut whole = data.to_vec();
        whole.resize(class.frame_len(), 0);
        check(&whole);
    }
});

fn check(bytes: &[u8]) {
    if let Ok(frame) = Frame::decode(bytes) {
        assert_eq!(frame.encode().unwrap(), bytes);
    }
}
