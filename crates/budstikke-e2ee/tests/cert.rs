//! Certificates: what verifies, and every way not to.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use budstikke_e2ee::{
    cert::{
        CertError, Chain, DEVICE_LIFETIME, DeviceRequest, ISSUER_LIFETIME, IssuerRequest, Level,
        Role, UNIT_LIFETIME, UnitKind, UnitRequest, Verified, issue_device, issue_issuer,
        issue_unit,
    },
    keys::{SigningKey, VerifyingKey},
};
use common::{UNIT, World};
use proptest::prelude::*;

#[test]
fn a_device_verifies_with_all_that_stands_above_it() {
    let world = World::new();
    let device = world.admin();
    let bytes = device.chain.unwrap().to_bytes();
    let chain = Chain::from_bytes(&bytes).unwrap();
    let verified = chain.verify_device(&world.fingerprint(), world.now).unwrap();
    assert_eq!(verified.label, "Head of mission");
    assert_eq!(verified.roles, [Role::HeadOfMission, Role::Admin]);
    assert_eq!((verified.unit.id.as_str(), verified.unit.notice), (UNIT, world.notice.public()));
    assert_eq!(verified.not_after, world.now + DEVICE_LIFETIME);
    assert!(bytes.len() < 1_000, "{} bytes go into every leaf", bytes.len());
    assert_eq!(
        chain.verify_unit(&world.fingerprint(), world.now),
        Err(CertError::WrongLevel(Level::Unit))
    );
    let unit = world.unit.1.verify(&world.fingerprint(), world.now).unwrap();
    assert!(matches!(unit, Verified::Unit(_)));
}

#[test]
fn each_level_ends_in_its_time_and_says_who_renews() {
    let world = World::new();
    let chain = world.officer("Officer A").chain.unwrap();
    let root = world.fingerprint();
    let verify = |at| chain.verify(&root, at).map(|_| ());
    assert_eq!(verify(world.now + DEVICE_LIFETIME - 1), Ok(()));
    let ends = [
        (DEVICE_LIFETIME, Level::Device, "the unit's admin"),
        (UNIT_LIFETIME, Level::Unit, "the Ministry's issuer"),
        (ISSUER_LIFETIME, Level::Issuer, "the Ministry must"),
    ];
    for (lifetime, at, who) in ends {
        let error = verify(world.now + lifetime).unwrap_err();
        assert!(matches!(error, CertError::Expired { level, .. } if level == at), "{error:?}");
        assert!(error.to_string().contains(who), "{error}");
    }
    let early = verify(world.now - 3_601).unwrap_err();
    assert!(matches!(early, CertError::NotYetValid { level: Level::Issuer, .. }));
    assert_eq!(verify(world.now - 3_600), Ok(()));
}

#[test]
fn children_never_outlive_their_parent() {
    let world = World::new();
    let late = world.now + UNIT_LIFETIME - 10;
    let key = world.key();
    let request = DeviceRequest::make(&key, "Officer A", &[], late).unwrap();
    let request = DeviceRequest::from_bytes(&request).unwrap();
    let chain = issue_device(&world.unit.0, &world.unit.1, &request, &[Role::Staff], late).unwrap();
    let device = chain.verify_device(&world.fingerprint(), late).unwrap();
    assert_eq!(device.not_after, world.now + UNIT_LIFETIME);
}

#[test]
fn another_root_is_not_ours() {
    let (world, other) = (World::new(), World::seeded(8));
    let chain = other.officer("Officer A").chain.unwrap();
    assert_eq!(chain.verify(&world.fingerprint(), world.now), Err(CertError::WrongRoot));
}

/// Every bit of a chain counts: no flip of one verifies as something else.
#[test]
fn no_altered_byte_verifies() {
    let world = World::new();
    let bytes = world.officer("Officer A").chain.unwrap().to_bytes();
    for n in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[n] ^= 0x04;
        let verified = Chain::from_bytes(&altered)
            .and_then(|chain| chain.verify(&world.fingerprint(), world.now).map(|_| ()));
        assert!(verified.is_err(), "byte {n} does not count");
    }
}

#[test]
fn a_reissued_parent_voids_its_children() {
    let world = World::new();
    let device = world.officer("Officer A").chain.unwrap();
    // The same unit key under a new certificate: the device's hash of its parent no longer fits.
    let renewed = world.certify_unit(&world.unit.0, UNIT, UnitKind::MultilateralMission);
    let spliced = splice(&renewed, &device);
    assert_eq!(
        spliced.verify(&world.fingerprint(), world.now),
        Err(CertError::WrongParent(Level::Device))
    );
}

/// The last certificate of `tail` behind all of `head`, by hand as a forger would.
fn splice(head: &Chain, tail: &Chain) -> Chain {
    let tail = tail.to_bytes();
    let mut rest = &tail[34..];
    let mut last = rest;
    while !rest.is_empty() {
        let (len, header) = if rest[1] < 0x80 {
            (usize::from(rest[1]), 2)
        } else {
            (usize::from(rest[1] & 0x7f) | usize::from(rest[2]) << 7, 3)
        };
        last = &rest[..header + len];
        rest = &rest[header + len..];
    }
    Chain::from_bytes(&[head.to_bytes(), last.to_vec()].concat()).unwrap()
}

/// A device certificate as a mission's changed program would sign it: the bytes of an honest one with
/// another role's number, and a true signature.
fn signed_by_hand(unit: &SigningKey, own: &Chain, device: &SigningKey, role: Role) -> Chain {
    use prost::Message as _;
    #[derive(Clone, PartialEq, prost::Message)]
    struct Signed {
        #[prost(bytes = "vec", tag = "1")]
        body: Vec<u8>,
        #[prost(bytes = "vec", tag = "2")]
        signature: Vec<u8>,
    }
    let request = DeviceRequest { key: device.public(), label: "K".into(), roles: vec![] };
    let now = common::present();
    let honest = issue_device(unit, own, &request, &[Role::Staff], now).unwrap().to_bytes();
    let own_bytes = own.to_bytes();
    // Field 2 of the chain: a tag, a length of two bytes, the certificate.
    let last = &honest[own_bytes.len() + 3..];
    let mut signed = Signed::decode(last).unwrap();
    // The body ends with the packed list of roles, which is one number here.
    let number = signed.body.last_mut().unwrap();
    assert_eq!(*number, 1, "staff");
    *number = if role == Role::DecisionMaker { 7 } else { 6 };
    signed.signature = unit.sign("certificate", &signed.body).to_vec();
    let signed = signed.encode_to_vec();
    let mut out = own_bytes;
    out.extend([
        0x12,
        signed.len().to_le_bytes()[0] | 0x80,
        u8::try_from(signed.len() >> 7).unwrap(),
    ]);
    out.extend(signed);
    Chain::from_bytes(&out).unwrap()
}

#[test]
fn kinds_bound_roles() {
    let world = World::new();
    let key = world.key();
    let request = DeviceRequest::make(&key, "Officer A", &[Role::DecisionMaker], world.now);
    let request = DeviceRequest::from_bytes(&request.unwrap()).unwrap();
    let (unit, chain) = &world.unit;
    let issue = |roles: &[Role]| issue_device(unit, chain, &request, roles, world.now);
    for role in [Role::Desk, Role::Duty, Role::DecisionMaker, Role::Privacy] {
        assert_eq!(issue(&[Role::Staff, role]), Err(CertError::RoleNotAllowed(role)));
    }
    assert_eq!(issue(&[]), Err(CertError::NoRole));
    let desk_key = world.key();
    let desk = world.certify_unit(&desk_key, "no.ministry.desk", UnitKind::MinistryDesk);
    for role in [Role::Staff, Role::ContactPerson, Role::HeadOfMission] {
        let refused = issue_device(&desk_key, &desk, &request, &[role], world.now);
        assert_eq!(refused, Err(CertError::RoleNotAllowed(role)));
    }
    issue_device(&desk_key, &desk, &request, &[Role::DecisionMaker, Role::Admin], world.now)
        .unwrap();
}

#[test]
fn only_the_certified_key_issues() {
    let world = World::new();
    let key = world.key();
    let request = DeviceRequest::make(&key, "Officer A", &[Role::Staff], world.now).unwrap();
    let request = DeviceRequest::from_bytes(&request).unwrap();
    let refused = issue_device(&world.key(), &world.unit.1, &request, &[Role::Staff], world.now);
    assert_eq!(refused, Err(CertError::NotYourCertificate));
    // A device is no unit, an issuer is no unit either.
    let device = world.officer("Officer A");
    let refused = issue_device(
        device.me.signing_key(),
        device.chain.as_ref().unwrap(),
        &request,
        &[Role::Staff],
        world.now,
    );
    assert_eq!(refused, Err(CertError::NotYourCertificate));
    let (issuer, chain) = &world.issuer;
    let refused = issue_device(issuer, chain, &request, &[Role::Staff], world.now);
    assert_eq!(refused, Err(CertError::WrongLevel(Level::Unit)));
    let request =
        UnitRequest::make(&key, "X", "no.emb.x", UnitKind::BilateralMission, &key.public(), 0);
    let request = UnitRequest::from_bytes(&request.unwrap()).unwrap();
    let refused = issue_unit(&world.key(), chain, &request, world.now);
    assert_eq!(refused, Err(CertError::NotYourCertificate));
}

#[test]
fn an_expired_issuer_issues_nothing() {
    let world = World::new();
    let key = world.key();
    let request =
        UnitRequest::make(&key, "X", "no.emb.x", UnitKind::BilateralMission, &key.public(), 0);
    let request = UnitRequest::from_bytes(&request.unwrap()).unwrap();
    let late = world.now + ISSUER_LIFETIME;
    let refused = issue_unit(&world.issuer.0, &world.issuer.1, &request, late);
    assert!(matches!(refused, Err(CertError::Expired { level: Level::Issuer, .. })));
}

#[test]
fn requests_prove_possession_and_keep_their_kind() {
    let world = World::new();
    let key = world.key();
    let bytes = DeviceRequest::make(&key, "Officer A", &[Role::Staff], 1).unwrap();
    assert_eq!(DeviceRequest::from_bytes(&bytes).unwrap().key, key.public());
    assert_eq!(IssuerRequest::from_bytes(&bytes), Err(CertError::Malformed));
    assert_eq!(UnitRequest::from_bytes(&bytes), Err(CertError::Malformed));
    for n in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[n] ^= 0x04;
        assert!(DeviceRequest::from_bytes(&altered).is_err(), "byte {n} does not count");
    }
    assert_eq!(DeviceRequest::make(&key, "", &[], 1), Err(CertError::BadName));
    assert_eq!(DeviceRequest::make(&key, "a\nb", &[], 1), Err(CertError::BadName));
    for id in ["", "ab", "NO.EMB", "no emb", &"a".repeat(65)] {
        let made = UnitRequest::make(&key, "X", id, UnitKind::MinistryDesk, &key.public(), 1);
        assert_eq!(made, Err(CertError::BadName), "{id}");
    }
}

#[test]
fn an_issuer_certificate_is_not_a_unit_certificate() {
    let world = World::new();
    let second = world.key();
    let request = IssuerRequest::make(&second, "Second issuer", world.now).unwrap();
    let other = issue_issuer(&world.root, &IssuerRequest::from_bytes(&request).unwrap(), world.now);
    let spliced = splice(&world.issuer.1, &other);
    // Signed by the root, where the issuer's signature should be.
    assert_eq!(
        spliced.verify(&world.fingerprint(), world.now),
        Err(CertError::Forged(Level::Unit))
    );
    assert_eq!(
        world.issuer.1.verify(&world.fingerprint(), world.now),
        Err(CertError::WrongLevel(Level::Unit))
    );
}

/// An office of each kind, certified by the two issuers of one root; each chain says when its parts
/// end, and gives its parent back.
#[test]
fn two_issuers_certify_units_of_every_kind_under_one_root() {
    let world = World::new();
    let root = world.fingerprint();
    let second = world.key();
    let request = IssuerRequest::make(&second, "Second issuer", world.now).unwrap();
    let request = IssuerRequest::from_bytes(&request).unwrap();
    let later = world.now + 300 * 86_400;
    let chain = issue_issuer(&world.root, &request, later);
    let verified = chain.verify_issuer(&root, later).unwrap();
    assert_eq!((verified.key, verified.name.as_str()), (second.public(), "Second issuer"));
    assert_eq!(verified.not_after, later + ISSUER_LIFETIME);
    assert_eq!(chain.parent(), None);

    let first = &world.issuer;
    let kinds = [
        ("no.emb.karvonia", UnitKind::BilateralMission),
        ("no.del.karvonia", UnitKind::MultilateralMission),
        ("no.mfa.desk", UnitKind::MinistryDesk),
    ];
    for (id, kind) in kinds {
        let key = world.key();
        let request = UnitRequest::make(&key, "Office", id, kind, &key.public(), later).unwrap();
        let request = UnitRequest::from_bytes(&request).unwrap();
        let by_first = issue_unit(&first.0, &first.1, &request, later).unwrap();
        let by_second = issue_unit(&second, &chain, &request, later).unwrap();
        let (one, other) =
            (by_first.verify_unit(&root, later), by_second.verify_unit(&root, later));
        let (one, other) = (one.unwrap(), other.unwrap());
        assert_eq!((one.id.as_str(), one.kind, one.key), (id, kind, key.public()));
        assert_eq!((other.kind, other.key), (kind, key.public()));
        // The older issuer's own certificate ends first.
        assert_eq!(one.not_after, world.now + ISSUER_LIFETIME);
        assert_eq!(other.not_after, later + UNIT_LIFETIME);
        assert_eq!(by_second.parent().as_ref(), Some(&chain));
        let ends =
            vec![(Level::Issuer, later + ISSUER_LIFETIME), (Level::Unit, later + UNIT_LIFETIME)];
        assert_eq!(by_second.ends(), Ok(ends));
        // Each kind gives its own roles and no other's.
        let decider = Role::DecisionMaker;
        let device = DeviceRequest { key: key.public(), label: "K".into(), roles: vec![] };
        let made = issue_device(&key, &by_second, &device, &[decider], later);
        match kind {
            UnitKind::MinistryDesk => assert!(made.is_ok()),
            _ => assert_eq!(made, Err(CertError::RoleNotAllowed(decider))),
        }
    }
    // The key of one issuer signs nothing under the certificate of the other.
    let key = world.key();
    let kind = UnitKind::BilateralMission;
    let request = UnitRequest::make(&key, "Office", UNIT, kind, &key.public(), later).unwrap();
    let request = UnitRequest::from_bytes(&request).unwrap();
    let crossed = issue_unit(&first.0, &chain, &request, later);
    assert_eq!(crossed, Err(CertError::NotYourCertificate));
}

/// What a mission can't issue it can't forge either: a role that its kind does not give is refused
/// by every reader, signed by the mission's true key or not.
#[test]
fn a_role_that_a_mission_signed_by_hand_is_refused_by_its_readers() {
    let world = World::new();
    let (key, desk_key) = (world.key(), world.key());
    let (mission_key, mission) = &world.unit;
    let desk = world.certify_unit(&desk_key, "no.mfa.desk", UnitKind::MinistryDesk);
    let device = DeviceRequest { key: key.public(), label: "K".into(), roles: vec![] };
    let decider = issue_device(&desk_key, &desk, &device, &[Role::DecisionMaker], world.now);
    let decider = decider.unwrap();
    // The desk's certificate for a decision-maker, hung under the mission.
    let moved = splice(mission, &decider).verify(&world.fingerprint(), world.now);
    assert_eq!(moved, Err(CertError::Forged(Level::Device)));
    // A mission that calls itself a desk in a request gets what its certificate says, nothing else.
    let claimed = issue_device(mission_key, &desk, &device, &[Role::DecisionMaker], world.now);
    assert_eq!(claimed, Err(CertError::NotYourCertificate));
    for kind in [UnitKind::BilateralMission, UnitKind::MultilateralMission] {
        assert!(!kind.allows(Role::DecisionMaker) && !kind.allows(Role::Duty));
        let mission = world.certify_unit(mission_key, UNIT, kind);
        let by_hand = signed_by_hand(mission_key, &mission, &key, Role::DecisionMaker);
        assert_eq!(
            by_hand.verify(&world.fingerprint(), world.now),
            Err(CertError::RoleNotAllowed(Role::DecisionMaker))
        );
    }
}

#[test]
fn weak_keys_are_no_keys() {
    let mut identity = [0; 32];
    identity[0] = 1;
    assert!(VerifyingKey::from_bytes(&identity).is_err());
    assert!(VerifyingKey::from_bytes(&[0; 31]).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_no_certificate(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = DeviceRequest::from_bytes(&bytes);
        let _ = UnitRequest::from_bytes(&bytes);
        let _ = IssuerRequest::from_bytes(&bytes);
        if let Ok(chain) = Chain::from_bytes(&bytes) {
            prop_assert!(chain.verify(&[0; 32], 0).is_err());
        }
    }

    /// Bytes that parse further: a true chain with a piece replaced.
    #[test]
    fn damaged_chains_are_refused(at in 0_usize..700, with in any::<[u8; 3]>()) {
        let world = World::new();
        let mut bytes = world.officer("Officer A").chain.unwrap().to_bytes();
        let at = at % (bytes.len() - with.len());
        prop_assume!(bytes[at..at + with.len()] != with);
        bytes[at..at + with.len()].copy_from_slice(&with);
        let verified = Chain::from_bytes(&bytes)
            .and_then(|chain| chain.verify(&world.fingerprint(), world.now));
        prop_assert!(verified.is_err());
    }
}
