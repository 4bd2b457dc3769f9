//! A body and one signature over it: the only signed form in this crate.

use prost::Message as _;

use crate::{
    keys::{KeyError, SigningKey, VerifyingKey},
    pb,
};

pub(crate) fn seal(domain: &str, key: &SigningKey, body: Vec<u8>) -> Vec<u8> {
    let signature = key.sign(domain, &body).to_vec();
    pb::Signed { body, signature }.encode_to_vec()
}

pub(crate) fn parse(bytes: &[u8]) -> Option<pb::Signed> {
    pb::Signed::decode(bytes).ok()
}

pub(crate) fn check(domain: &str, key: &VerifyingKey, signed: &pb::Signed) -> Result<(), KeyError> {
    key.verify(domain, &signed.body, &signed.signature)
}

/// A fixed-size field.
pub(crate) fn fixed<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.try_into().ok()
}
