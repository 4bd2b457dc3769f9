//! Hostile bytes at the doors of MLS: no panic, no accepted change.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use std::cell::RefCell;

use budstikke_e2ee::group::{Ask, Group, GroupError, Inbound, KeyPackage};
use common::{Device, World};
use proptest::prelude::*;

struct Scene {
    world: World,
    defender: Device,
    theirs: Group,
    message: Vec<u8>,
    commit: Vec<u8>,
    welcome: Vec<u8>,
    package: Vec<u8>,
    newcomer: Device,
}

thread_local! {
    static SCENE: RefCell<Scene> = RefCell::new(scene());
}

fn scene() -> Scene {
    let world = World::new();
    let (officer, defender) = (world.officer("Officer A"), Device::defender(&world, "HERON"));
    let newcomer = world.officer("Officer B");
    let (mut case, theirs) = world.pair(&officer, &defender);
    let env = officer.env(&world);
    let message = case.encrypt(&env, &officer.me, b"content", None).unwrap();
    let assignment = world.assign(&world.admin(), &newcomer);
    let package = newcomer.package(&world);
    let bytes = package.bytes().to_vec();
    let pending = case.add(&env, &officer.me, &[package], &[assignment]).unwrap();
    let (commit, welcome) = (pending.commit, pending.welcome.unwrap());
    Scene { world, defender, theirs, message, commit, welcome, package: bytes, newcomer }
}

impl Scene {
    /// Whatever it is, it is not let in.
    fn refuse(&mut self, bytes: &[u8]) {
        let env = self.defender.env(&self.world);
        match self.theirs.process(&env, bytes, None).unwrap() {
            Inbound::Application(_) | Inbound::Commit(_) | Inbound::OwnCommit => {
                panic!("altered bytes were let in")
            }
            _ => {}
        }
        assert!(KeyPackage::parse(&env, bytes).is_err());
        assert!(Ask::verify(&env, bytes, &self.theirs).is_err());
        let before = self.newcomer.store.savepoint();
        let env = self.newcomer.env(&self.world);
        let joined = Group::join(&env, &self.newcomer.me, bytes, &self.world.expect());
        assert!(matches!(joined, Err(GroupError::Rejected(_) | GroupError::NoKeyPackage)));
        self.newcomer.store.rollback(&before);
    }
}

#[test]
fn the_scene_is_sound() {
    let mut s = scene();
    let env = s.defender.env(&s.world);
    assert!(matches!(s.theirs.process(&env, &s.message, None), Ok(Inbound::Application(_))));
    assert!(matches!(s.theirs.process(&env, &s.commit, None), Ok(Inbound::Commit(_))));
    assert!(KeyPackage::parse(&env, &s.package).is_ok());
    let env = s.newcomer.env(&s.world);
    assert!(Group::join(&env, &s.newcomer.me, &s.welcome, &s.world.expect()).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        SCENE.with_borrow_mut(|s| s.refuse(&bytes));
    }

    #[test]
    fn altered_bytes(which in 0_usize..4, at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        SCENE.with_borrow_mut(|s| {
            let mut bytes = [&s.message, &s.commit, &s.welcome, &s.package][which].clone();
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            s.refuse(&bytes);
        });
    }

    #[test]
    fn cut_bytes(which in 0_usize..4, at in any::<prop::sample::Index>()) {
        SCENE.with_borrow_mut(|s| {
            let bytes = [&s.message, &s.commit, &s.welcome, &s.package][which].clone();
            let at = at.index(bytes.len());
            s.refuse(&bytes[..at]);
        });
    }
}
