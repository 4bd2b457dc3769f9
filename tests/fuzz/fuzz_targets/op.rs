//! Operations and answers: what was understood encodes to something understood alike.
#![no_main]

use budstikke_proto::op::{Request, Response};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(request) = Request::decode(data) {
        assert_eq!(Request::decode(&request.encode()).unwrap(), request);
    }
    if let Ok(response) = Response::decode(data) {
        assert_eq!(Response::decode(&response.encode()).unwrap(), response);
    }
});
