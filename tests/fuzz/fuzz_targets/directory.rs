//! Directories and revocations of issuers: nothing made of random bytes verifies, whatever chain is put into it, and what
//! its issuer signed over random contents is taken only if it is within its bounds.
#![no_main]

use std::sync::OnceLock;

use budstikke_e2ee::cert::{Chain, IssuerRequest, issue_issuer};
use budstikke_e2ee::directory::{Directory, MAX_HISTORY, RootRevocation, Trust};
use budstikke_e2ee::keys::SigningKey;
use libfuzzer_sys::fuzz_target;
use prost::Message;

const NOW: i64 = 1_800_000_000;

#[derive(Clone, PartialEq, Message)]
struct Signed {
    #[prost(bytes = "vec", tag = "1")]
    body: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    signature: Vec<u8>,
}

/// The tail of a body, put behind what the fuzzer makes: the last of a field's values counts.
#[derive(Clone, PartialEq, Message)]
struct Tail {
    #[prost(bytes = "vec", tag = "5")]
    chain: Vec<u8>,
}

fn issuer() -> &'static (SigningKey, Chain) {
    static ISSUER: OnceLock<(SigningKey, Chain)> = OnceLock::new();
    ISSUER.get_or_init(|| {
        let (root, key) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let request = IssuerRequest::make(&key, "Issuer", NOW).unwrap();
        let chain = issue_issuer(&root, &IssuerRequest::from_bytes(&request).unwrap(), NOW);
        (key, chain)
    })
}

fuzz_target!(|data: &[u8]| {
    let (key, chain) = issuer();
    let root = chain.claimed_root();
    assert!(Directory::verify(data, &root, NOW).is_err());
    assert!(RootRevocation::verify(data, &root).is_err());
    let _ = (Directory::claimed_root(data), RootRevocation::claimed_root(data));
    let body = [data, &Tail { chain: chain.to_bytes() }.encode_to_vec()].concat();
    let signature = key.sign("directory", &body).to_vec();
    let signed = Signed { body, signature }.encode_to_vec();
    let Ok(directory) = Directory::verify(&signed, &root, NOW) else { return };
    assert!(directory.valid_until > directory.made_at && directory.number > 0);
    assert!(directory.units.len() <= 512 && directory.revocations.len() <= 1_024);
    assert!(directory.revocations.iter().all(|of| of.listed_at <= directory.made_at));
    let kept = Directory::kept(&signed, &root).unwrap();
    assert!(kept == directory && MAX_HISTORY == 64);
    assert!(directory.against(Some(&kept), &Trust::default()).is_ok());
});
