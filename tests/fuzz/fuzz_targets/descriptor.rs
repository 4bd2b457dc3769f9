//! Descriptors: any bytes, unsigned and signed by the right relay.
#![no_main]

use budstikke_proto::descriptor::{Descriptor, relay_id};
use budstikke_proto::sign::SigningSeed;
use budstikke_proto::wire::Hello;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let key = SigningSeed::from_bytes([1; 32]);
    let id = relay_id(&key.public());
    let unsigned = Hello { descriptor: data.to_vec(), signature: vec![0; 64] };
    assert!(Descriptor::verify(&unsigned, &id, 0).is_err());

    let signature = key.sign(b"budstikke/descriptor/v1", &[data]).as_bytes().to_vec();
    let signed = Hello { descriptor: data.to_vec(), signature };
    if let Ok(descriptor) = Descriptor::verify(&signed, &id, 0) {
        assert_eq!(Descriptor::verify(&descriptor.sign(&key), &id, 0).unwrap(), descriptor);
    }
});
