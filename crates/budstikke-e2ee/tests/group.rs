//! Groups of two and three members through the public API.
mod common;

use budstikke_e2ee::group::{Expect, Group, GroupKind, Inbound, KeyPackage};
use common::{Device, World};

#[test]
fn smoke() {
    let world = World::new();
    let officer = world.officer("Officer A");
    let defender = Device::defender(&world, "HERON");
    let mut case = Group::create(&officer.env(&world), &officer.me, &world.case()).unwrap();
    let package = KeyPackage::create(&defender.env(&world), &defender.me).unwrap();
    let package = KeyPackage::parse(&officer.env(&world), package.bytes()).unwrap();
    let pending = case.add(&officer.env(&world), &officer.me, &[package], &[]).unwrap();
    case.merge_pending(&officer.env(&world)).unwrap();
    let mut theirs = Group::join(
        &defender.env(&world),
        &defender.me,
        &pending.welcome.unwrap(),
        &world.expect(),
    )
    .unwrap();
    assert_eq!(case.epoch_authenticator(), theirs.epoch_authenticator());
    let sent = theirs.encrypt(&defender.env(&world), &defender.me, b"hello", None).unwrap();
    let got = case.process(&officer.env(&world), &sent, None).unwrap();
    let Inbound::Application(got) = got else { panic!("{got:?}") };
    assert_eq!(got.content.as_slice(), b"hello");
    assert!(got.findings.is_empty(), "{:?}", got.findings);
    let _ = (GroupKind::Case, Option::<Expect>::None);
}
