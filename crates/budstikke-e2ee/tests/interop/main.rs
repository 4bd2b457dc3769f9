//! One group of two MLS libraries: this crate on OpenMLS, and a client built on mls-rs from the
//! specification. Nothing of this crate's policy is switched off for the other side.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, unreachable_pub)] // tests

mod certificates;
mod client;
#[path = "../common/mod.rs"]
mod common;
mod primitives;
mod suite;
mod wire;

use budstikke_e2ee::{
    checks::Check,
    group::{Charter, Group, GroupError, Inbound, KeyPackage, Outcome},
};
use client::Other;
use common::{Device, World};
use std::sync::atomic::Ordering::SeqCst;

/// Both sides are in one epoch: same members, same secrets.
fn agree(world: &World, device: &Device, ours: &Group, other: &Other) {
    let env = device.env(world);
    assert_eq!(ours.id(), other.group().group_id());
    assert_eq!(ours.epoch(), other.group().current_epoch());
    assert_eq!(ours.epoch_authenticator(), other.authenticator());
    let members = ours.members().unwrap();
    let members: Vec<_> = members.iter().map(|m| (m.leaf, m.key.as_bytes().to_vec())).collect();
    assert_eq!(members, other.members());
    let mailbox = ours.mailbox_secret(&env, "interop").unwrap();
    assert_eq!(mailbox.as_slice(), other.export("budstikke/mailbox/v1", b"interop", 32));
    let slot = ours.slot_keys(&env, 0).unwrap();
    let theirs = other.export("budstikke/slot/v1", &[0; 4], 64);
    assert_eq!([slot.seed().as_slice(), slot.seal_key()].concat(), theirs);
}

/// Two messages each way, the second to show that the ratchets go on together.
fn talk(world: &World, device: &Device, ours: &mut Group, other: &mut Other) {
    let env = device.env(world);
    for text in ["one", "two"] {
        let sent = ours.encrypt(&env, &device.me, text.as_bytes(), None).unwrap();
        assert_eq!(other.read(&sent).content, text.as_bytes());
        let sent = other.send(text);
        let Inbound::Application(got) = ours.process(&env, &sent, None).unwrap() else {
            panic!("no application message")
        };
        assert_eq!((got.content.as_slice(), got.findings.as_slice()), (text.as_bytes(), &[][..]));
    }
}

/// A commit of each, followed by the other.
fn heal(world: &World, device: &Device, ours: &mut Group, other: &mut Other) {
    let commit = other.update();
    device.follow(world, ours, &commit);
    other.merge_pending();
    agree(world, device, ours, other);
    let made = ours.update(&device.env(world), &device.me).unwrap();
    assert!(other.follow(&made.commit));
    ours.merge_pending(&device.env(world)).unwrap();
    agree(world, device, ours, other);
}

/// The officer's client is mls-rs, the defender's is this crate.
fn founded_by_the_other(world: &World) -> (Device, Group, Other) {
    let defender = Device::defender(world, "HERON");
    let mut officer = Other::new(world, &world.officer("Officer A").me);
    officer.found(&world.case());
    let (_, welcome) = officer.add(defender.package(world).bytes(), &[]);
    officer.merge_pending();
    let ours = Group::join(&defender.env(world), &defender.me, &welcome, &world.expect()).unwrap();
    (defender, ours, officer)
}

/// The officer's client is this crate, the defender's is mls-rs.
fn founded_by_us(world: &World) -> (Device, Group, Other) {
    let officer = world.officer("Officer A");
    let env = officer.env(world);
    let mut defender = Other::new(world, &Device::defender(world, "HERON").me);
    let mut ours = Group::create(&env, &officer.me, &world.case()).unwrap();
    let package = KeyPackage::parse(&env, &defender.package()).unwrap();
    let made = ours.add(&env, &officer.me, &[package], &[]).unwrap();
    ours.merge_pending(&env).unwrap();
    defender.join(&made.welcome.unwrap());
    (officer, ours, defender)
}

fn refused(world: &World, device: &Device, ours: &mut Group, bytes: &[u8]) -> Check {
    match ours.process(&device.env(world), bytes, None).unwrap() {
        Inbound::Rejected(rejection) => rejection.check,
        other => panic!("not rejected: {other:?}"),
    }
}

fn altered(mut bytes: Vec<u8>) -> Vec<u8> {
    *bytes.last_mut().unwrap() ^= 1;
    bytes
}

#[test]
fn this_crate_joins_a_group_of_mls_rs() {
    let world = World::new();
    let (defender, mut ours, mut officer) = founded_by_the_other(&world);
    agree(&world, &defender, &ours, &officer);
    talk(&world, &defender, &mut ours, &mut officer);
    heal(&world, &defender, &mut ours, &mut officer);
    talk(&world, &defender, &mut ours, &mut officer);

    // mls-rs adds a second device of ours: not without an admin's word, and then removes it.
    let colleague = world.officer("Officer B");
    let package = colleague.package(&world);
    let (commit, _) = officer.add(package.bytes(), &[]);
    assert_eq!(refused(&world, &defender, &mut ours, &commit), Check::Assignment);
    officer.drop_pending();
    let assignment = world.assign(&world.admin(), &colleague);
    let (commit, welcome) = officer.add(package.bytes(), &[assignment]);
    defender.follow(&world, &mut ours, &commit);
    officer.merge_pending();
    let env = colleague.env(&world);
    let mut third = Group::join(&env, &colleague.me, &welcome, &world.expect()).unwrap();
    agree(&world, &defender, &ours, &officer);
    agree(&world, &colleague, &third, &officer);
    talk(&world, &colleague, &mut third, &mut officer);

    let commit = officer.remove(third.own_leaf());
    defender.follow(&world, &mut ours, &commit);
    colleague.follow(&world, &mut third, &commit);
    officer.merge_pending();
    assert!(!third.is_active());
    agree(&world, &defender, &ours, &officer);
    assert!(matches!(third.process(&env, &officer.send("gone"), None), Err(GroupError::Removed)));
}

#[test]
fn mls_rs_joins_a_group_of_this_crate() {
    let world = World::new();
    let (officer, mut ours, mut defender) = founded_by_us(&world);
    let env = officer.env(&world);
    agree(&world, &officer, &ours, &defender);
    talk(&world, &officer, &mut ours, &mut defender);
    heal(&world, &officer, &mut ours, &mut defender);
    talk(&world, &officer, &mut ours, &mut defender);

    // A second mls-rs device, assigned by an admin, and removed again.
    let colleague = world.officer("Officer B");
    let mut third = Other::new(&world, &colleague.me);
    let package = KeyPackage::parse(&env, &third.package()).unwrap();
    let assignment = world.assign(&world.admin(), &colleague);
    let made = ours.add(&env, &officer.me, &[package], &[assignment]).unwrap();
    assert!(defender.follow(&made.commit));
    ours.merge_pending(&env).unwrap();
    third.join(&made.welcome.unwrap());
    agree(&world, &officer, &ours, &defender);
    agree(&world, &officer, &ours, &third);
    let commit = third.update();
    assert!(defender.follow(&commit));
    officer.follow(&world, &mut ours, &commit);
    third.merge_pending();
    agree(&world, &officer, &ours, &defender);
    talk(&world, &officer, &mut ours, &mut third);

    let made = ours.remove(&env, &officer.me, &[third.group().current_member_index()]).unwrap();
    assert!(defender.follow(&made.commit));
    assert!(!third.follow(&made.commit));
    ours.merge_pending(&env).unwrap();
    agree(&world, &officer, &ours, &defender);
    let sent = ours.encrypt(&env, &officer.me, b"without the third", None).unwrap();
    assert!(third.receive(&sent).is_err());
    assert_eq!(defender.read(&sent).content, b"without the third");
}

#[test]
fn both_set_the_terms_in_the_charter() {
    let world = World::new();
    let (officer, mut ours, mut defender) = founded_by_us(&world);
    let env = officer.env(&world);
    let made = ours.set_terms(&env, &officer.me, [1; 32]).unwrap();
    assert!(defender.follow(&made.commit));
    ours.merge_pending(&env).unwrap();
    agree(&world, &officer, &ours, &defender);
    let commit = defender.set_charter(&Charter { terms: Some([2; 32]), ..world.case() });
    let Inbound::Commit(staged) = ours.process(&env, &commit, Some([2; 32])).unwrap() else {
        panic!("refused")
    };
    ours.merge_staged(&env, *staged).unwrap();
    defender.merge_pending();
    assert_eq!(ours.charter().terms, Some([2; 32]));
    agree(&world, &officer, &ours, &defender);
}

#[test]
fn a_slots_first_entry_wins_on_both_sides() {
    let world = World::new();
    let (officer, mut ours, mut defender) = founded_by_us(&world);
    let env = officer.env(&world);
    for ours_first in [false, true] {
        let mut commits =
            [defender.update(), ours.update(&env, &officer.me).unwrap().commit].to_vec();
        if ours_first {
            commits.reverse();
        }
        let keys = ours.slot_keys(&env, 0).unwrap();
        let entry = |commit: &Vec<u8>| keys.seal_entry(commit, &mut *world.rng.borrow_mut());
        let entries: Vec<_> = commits.iter().map(|commit| entry(commit).unwrap()).collect();
        let entries: Vec<_> = entries.iter().map(|cells| Some(cells.as_slice())).collect();
        match ours.read_slot(&env, &entries, None).unwrap().outcome {
            Outcome::Won { place: 0 } if ours_first => {
                defender.drop_pending();
                assert!(defender.follow(&commits[0]));
            }
            Outcome::Followed { place: 0, .. } if !ours_first => defender.merge_pending(),
            other => panic!("{other:?}"),
        }
        agree(&world, &officer, &ours, &defender);
        talk(&world, &officer, &mut ours, &mut defender);
    }
}

#[test]
fn altered_messages_are_refused_by_both() {
    let world = World::new();
    let (officer, mut ours, mut defender) = founded_by_us(&world);
    let env = officer.env(&world);
    let sent = ours.encrypt(&env, &officer.me, b"text", None).unwrap();
    assert!(defender.receive(&altered(sent)).is_err());
    let made = ours.update(&env, &officer.me).unwrap();
    assert!(defender.receive(&altered(made.commit)).is_err());
    ours.clear_pending(&env).unwrap();
    for sent in [defender.send("text"), defender.update()] {
        assert_eq!(refused(&world, &officer, &mut ours, &altered(sent)), Check::Authentic);
    }
    defender.drop_pending();
    agree(&world, &officer, &ours, &defender);
    heal(&world, &officer, &mut ours, &mut defender);
}

#[test]
fn malformed_keys_of_mls_rs_are_refused() {
    let world = World::new();
    let (officer, mut ours, mut defender) = founded_by_us(&world);
    for nth in 1..=2 {
        defender.crypto.fault.store(nth, SeqCst);
        let refused = KeyPackage::parse(&officer.env(&world), &defender.package()).unwrap_err();
        assert_eq!(refused.check, Check::KeyPackageKeys);
    }
    // Of an update's two keys the first is the root's, which we derive too, the second the leaf's.
    let mut checks = Vec::new();
    for nth in 1..=2 {
        defender.crypto.fault.store(nth, SeqCst);
        let commit = defender.update();
        checks.push(refused(&world, &officer, &mut ours, &commit));
        defender.drop_pending();
    }
    assert_eq!(checks, [Check::Path, Check::CommitKeys]);
    heal(&world, &officer, &mut ours, &mut defender);

    let mut founder = Other::new(&world, &world.officer("Officer B").me);
    founder.found(&world.case());
    let newcomer = Device::defender(&world, "REED");
    let package = newcomer.package(&world);
    founder.crypto.fault.store(1, SeqCst);
    let (_, welcome) = founder.add(package.bytes(), &[]);
    match Group::join(&newcomer.env(&world), &newcomer.me, &welcome, &world.expect()) {
        Err(GroupError::Rejected(rejection)) => assert_eq!(rejection.check, Check::WelcomeKeys),
        other => panic!("{other:?}"),
    }
}
