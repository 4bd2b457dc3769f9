//! What holders are asked and what they answer: nothing made of random bytes verifies or opens anything, also when a head
//! of mission signed it or it was sealed as an answer.
#![no_main]

use std::sync::OnceLock;

use budstikke_e2ee::Suite;
use budstikke_e2ee::cert::{
    Chain, DeviceRequest, IssuerRequest, Role, UnitKind, UnitRequest, issue_device, issue_issuer,
    issue_unit,
};
use budstikke_e2ee::keys::{HpkeSecret, SigningKey};
use budstikke_e2ee::note;
use budstikke_e2ee::reserve::{Ask, HOLDERS, Holder, MAX_REASON, join};
use libfuzzer_sys::fuzz_target;
use prost::Message;
use rand_core::OsRng;

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
    #[prost(bytes = "vec", tag = "7")]
    chain: Vec<u8>,
}

struct Scene {
    suite: Suite,
    head: SigningKey,
    chain: Chain,
    holder: HpkeSecret,
    answers: HpkeSecret,
}

fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        let [root, issuer, unit, notice, head] =
            [1, 2, 3, 4, 5].map(|seed| SigningKey::from_bytes(&[seed; 32]));
        let request = IssuerRequest::make(&issuer, "Issuer", NOW).unwrap();
        let issuers = issue_issuer(&root, &IssuerRequest::from_bytes(&request).unwrap(), NOW);
        let (id, kind) = ("no.emb.karvonia", UnitKind::BilateralMission);
        let request =
            UnitRequest::make(&unit, "Embassy", id, kind, &notice.public(), NOW).unwrap();
        let request = UnitRequest::from_bytes(&request).unwrap();
        let units = issue_unit(&issuer, &issuers, &request, NOW).unwrap();
        let roles = [Role::HeadOfMission];
        let request = DeviceRequest::make(&head, "Head H", &roles, NOW).unwrap();
        let request = DeviceRequest::from_bytes(&request).unwrap();
        let chain = issue_device(&unit, &units, &request, &roles, NOW).unwrap();
        let suite = Suite::new(&mut OsRng);
        let [holder, answers] =
            [6, 7].map(|seed| HpkeSecret::from_seed(&suite, &[seed; 32]).unwrap());
        Scene { suite, head, chain, holder, answers }
    })
}

fuzz_target!(|data: &[u8]| {
    let Scene { suite, head, chain, holder, answers } = scene();
    let root = chain.claimed_root();
    assert!(Ask::verify(data, &root, NOW).is_err());
    assert!(Holder::from_card(suite, data).is_err());
    let body = [data, &Tail { chain: chain.to_bytes() }.encode_to_vec()].concat();
    let signature = head.sign("reserve-ask", &body).to_vec();
    let signed = Signed { body, signature }.encode_to_vec();
    if let Ok(asked) = Ask::verify(&signed, &root, NOW) {
        assert!(asked.ask.shares.len() == HOLDERS && asked.ask.reason.len() <= MAX_REASON);
        assert!(asked.answer(suite, holder).is_err());
    }
    let answer = note::seal(suite, answers.public(), "reserve-answer", data).unwrap();
    let public = holder.public().as_bytes();
    assert!(join(suite, answers, &[0; 32], &[answer.clone(), answer], public).is_err());
});
