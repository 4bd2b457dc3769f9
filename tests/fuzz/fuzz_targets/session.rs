//! A relay's session as a whole: frames of several streams, outcomes of the store and times, in any order. What must hold is
//! in `budstikke-relay`'s `session/hammer.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| budstikke_relay::testing::hammer_session(data));
