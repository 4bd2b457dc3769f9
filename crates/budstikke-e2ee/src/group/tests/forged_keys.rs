//! The key guard, BUD-MLS-001 to 003, with keys that pass every signature.

use std::{collections::BTreeSet, sync::atomic::Ordering::SeqCst};

use openmls::prelude::RatchetTreeIn;

use super::{common::*, three};
use crate::{
    checks::Check,
    group::{Group, GroupError, Identity, Inbound, KeyPackage},
    suite::{XWING_PUBLIC_LEN, guard},
};

/// RFC 9420 section 2.1.2: a vector's length in 1, 2 or 4 bytes.
fn vector(bytes: &[u8]) -> Vec<u8> {
    let mut out = match u16::try_from(bytes.len()).unwrap() {
        short @ 0..64 => vec![u8::try_from(short).unwrap()],
        long => (long | 0x4000).to_be_bytes().to_vec(),
    };
    out.extend(bytes);
    out
}

fn split_vector(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (len, header) = match bytes[0] >> 6 {
        0 => (usize::from(bytes[0]), 1),
        _ => (usize::from(u16::from_be_bytes([bytes[0] & 0x3f, bytes[1]])), 2),
    };
    bytes[header..].split_at(len)
}

/// RFC 9420 section 5.1.2.
fn sign_with_label(me: &Identity, label: &str, content: &[u8]) -> Vec<u8> {
    let label = format!("MLS 1.0 {label}");
    let message = [vector(label.as_bytes()), vector(content)].concat();
    vector(&me.signing_key().sign_raw(&message))
}

/// A key package with other keys, signed as if they were its own.
fn forge(me: &Identity, package: &[u8], init: &[u8], leaf: Option<&[u8]>) -> Vec<u8> {
    // MLSMessage: version, wire format; KeyPackage: version, suite, init key, leaf node …
    let (head, rest) = package.split_at(8);
    let (_, rest) = split_vector(rest);
    let (own_key, rest) = split_vector(rest);
    // … and at the end: leaf signature, no extensions, signature; Ed25519 signatures are 64 bytes.
    let signature = 2 + 64;
    let leaf_end = rest.len() - signature - 1 - signature;
    let leaf_tbs = [vector(leaf.unwrap_or(own_key)), rest[..leaf_end].to_vec()].concat();
    let leaf_node = [leaf_tbs.clone(), sign_with_label(me, "LeafNodeTBS", &leaf_tbs)].concat();
    let tbs = [head[4..].to_vec(), vector(init), leaf_node, vec![0]].concat();
    [head[..4].to_vec(), tbs.clone(), sign_with_label(me, "KeyPackageTBS", &tbs)].concat()
}

#[test]
fn key_packages_with_malformed_keys_are_refused() {
    let world = World::new();
    let defender = Device::defender(&world, "HERON");
    let env = defender.env(&world);
    let package = KeyPackage::create(&env, &defender.me).unwrap();
    let (init, _) = split_vector(&package.bytes()[8..]);
    let mut other = init.to_vec();
    other[1200] ^= 1;
    // The forger's pen is good: with sound keys its work passes.
    KeyPackage::parse(&env, &forge(&defender.me, package.bytes(), &other, None)).unwrap();
    let long = [init, &[0]].concat();
    // Coefficients of ML-KEM beyond its modulus: FIPS 203 section 7.2 has the encapsulator refuse
    // them.
    let beyond = [vec![0xff; 1184], vec![9; 32]].concat();
    for key in [&[][..], &[0; 32], &init[..XWING_PUBLIC_LEN - 1], &long, &beyond] {
        for (init, leaf) in [(key, None), (init, Some(key))] {
            let forged = forge(&defender.me, package.bytes(), init, leaf);
            let refused = KeyPackage::parse(&env, &forged).unwrap_err();
            assert_eq!(refused.check, Check::KeyPackageKeys, "{} bytes", key.len());
        }
    }
}

/// Not every derivation is a key of the tree: one is the external key, which is never used here.
fn assert_sound(world: &World, group: &Group) {
    let tree = RatchetTreeIn::from(group.mls.export_ratchet_tree());
    guard::tree(&world.suite.crypto, &tree, &BTreeSet::new()).unwrap();
}

/// The committer's library makes a short key at the n-th derivation of one commit; whatever becomes
/// of it, no other member may merge it, and nobody may panic later. How often each check spoke.
fn sabotaged_commits(check: Check) -> usize {
    let mut spoke = 0;
    for nth in 1..=6 {
        let world = World::new();
        let (officer, colleague) = (world.officer("Officer A"), world.officer("Officer B"));
        let defender = Device::defender(&world, "HERON");
        let [mut case, mut theirs, mut third] = three(&world, [&officer, &defender, &colleague]);
        world.suite.crypto.sabotage.store(nth, SeqCst);
        let made = case.update(&officer.env(&world), &officer.me);
        let reached = world.suite.crypto.sabotage.swap(0, SeqCst) == 0;
        let Ok(pending) = made else { continue };
        for (device, group) in [(&defender, &mut theirs), (&colleague, &mut third)] {
            match group.process(&device.env(&world), &pending.commit, None).unwrap() {
                Inbound::Rejected(rejection) => {
                    assert!(reached);
                    spoke += usize::from(rejection.check == check);
                }
                Inbound::Commit(staged) => {
                    group.merge_staged(&device.env(&world), *staged).unwrap();
                    assert_sound(&world, group);
                }
                other => panic!("{other:?}"),
            }
            let message = group.update(&device.env(&world), &device.me).unwrap();
            assert!(!message.commit.is_empty());
        }
    }
    spoke
}

#[test]
fn commits_with_malformed_keys_are_refused() {
    assert!(sabotaged_commits(Check::CommitKeys) > 0, "the guard never had to speak");
}

/// The one whose path is spoiled sees that, where the others see the malformed key or nothing.
#[test]
fn a_path_that_cheats_one_member_is_refused_by_it() {
    assert!(sabotaged_commits(Check::Path) > 0, "nobody was cheated alone");
}

#[test]
fn welcomes_with_malformed_keys_are_refused() {
    let mut by_guard = 0;
    for nth in 1..=6 {
        let world = World::new();
        let (officer, colleague) = (world.officer("Officer A"), world.officer("Officer B"));
        let defender = Device::defender(&world, "HERON");
        let env = officer.env(&world);
        let mut case = Group::create(&env, &officer.me, &world.case()).unwrap();
        let packages = [defender.package(&world), colleague.package(&world)];
        world.suite.crypto.sabotage.store(nth, SeqCst);
        let made = case.add(&env, &officer.me, &packages, &[]);
        let reached = world.suite.crypto.sabotage.swap(0, SeqCst) == 0;
        let Ok(pending) = made else { continue };
        let welcome = pending.welcome.unwrap();
        let joined = Group::join(&defender.env(&world), &defender.me, &welcome, &world.expect());
        match joined {
            Err(GroupError::Rejected(rejection)) => {
                assert!(reached);
                by_guard += u32::from(rejection.check == Check::WelcomeKeys);
            }
            Ok(group) => assert_sound(&world, &group),
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(by_guard > 0, "the guard never had to speak");
}

#[test]
fn key_packages_of_another_suite_are_refused() {
    let world = World::new();
    let defender = Device::defender(&world, "HERON");
    let env = defender.env(&world);
    let mut package = KeyPackage::create(&env, &defender.me).unwrap().bytes().to_vec();
    // X-Wing with AES-128-GCM: same keys, same signatures, another suite.
    package[6..8].copy_from_slice(&0x004f_u16.to_be_bytes());
    let (init, _) = split_vector(&package[8..]);
    let init = init.to_vec();
    let refused = KeyPackage::parse(&env, &forge(&defender.me, &package, &init, None));
    assert_eq!(refused.unwrap_err().check, Check::Suite);
}
