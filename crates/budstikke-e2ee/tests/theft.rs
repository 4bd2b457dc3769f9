//! What a thief of a device's whole store can open, and what it can't (RFC 9420: forward secrecy and
//! post-compromise security), with everything that went over the wire in hand.
#![allow(clippy::unwrap_used, clippy::panic)] // tests

mod common;

use budstikke_e2ee::{
    Env,
    group::{Group, Inbound, MAX_PAST_EPOCHS},
    testing::MemoryStore,
};
use common::{Device, World};

/// A copy of a device's store, in somebody else's hands.
struct Thief(MemoryStore);

impl Thief {
    fn of(device: &Device) -> Self {
        let store = MemoryStore::new();
        store.rollback(&device.store.savepoint());
        Self(store)
    }

    /// How many of these the thief opens, as messages or as commits, in order, as often as it likes.
    fn opens(&self, world: &World, id: &[u8], wire: &[Vec<u8>]) -> usize {
        let env = Env { suite: &world.suite, store: &self.0, now: world.now };
        let mut group = Group::load(&env, id).unwrap().unwrap();
        let mut opened = 0;
        for _ in 0..3 {
            for bytes in wire {
                match group.process(&env, bytes, None) {
                    Ok(Inbound::Application(_)) => opened += 1,
                    Ok(Inbound::Commit(staged)) => {
                        opened += 1;
                        group.merge_staged(&env, *staged).unwrap();
                    }
                    _ => {}
                }
            }
        }
        opened
    }
}

fn say(world: &World, from: &Device, group: &mut Group, to: &Device, other: &mut Group) -> Vec<u8> {
    let sent = group.encrypt(&from.env(world), &from.me, b"said", None).unwrap();
    let got = other.process(&to.env(world), &sent, None).unwrap();
    assert!(matches!(got, Inbound::Application(_)), "{got:?}");
    sent
}

fn renew(world: &World, by: &Device, group: &mut Group, to: &Device, other: &mut Group) -> Vec<u8> {
    let commit = group.update(&by.env(world), &by.me).unwrap().commit;
    group.merge_pending(&by.env(world)).unwrap();
    to.follow(world, other, &commit);
    commit
}

#[test]
fn a_stolen_store_opens_nothing_after_one_exchange() {
    let world = World::new();
    let (officer, heron) = (world.officer("Officer A"), Device::defender(&world, "HERON"));
    let (mut case, mut theirs) = world.pair(&officer, &heron);
    say(&world, &officer, &mut case, &heron, &mut theirs);
    let thief = Thief::of(&heron);
    let id = theirs.id().to_vec();

    // Before she answers, the thief reads what she reads: this is what the update ends.
    let before = say(&world, &officer, &mut case, &heron, &mut theirs);
    assert_eq!(Thief::of(&heron).opens(&world, &id, std::slice::from_ref(&before)), 0, "once read");
    let same = MemoryStore::new();
    same.rollback(&thief.0.savepoint());
    assert_eq!(Thief(same).opens(&world, &id, &[before]), 1);

    // One exchange: each side speaks once, and renews its keys because it has heard.
    assert!(theirs.needs_update(world.now, true).is_some());
    let mut wire = vec![renew(&world, &heron, &mut theirs, &officer, &mut case)];
    wire.push(say(&world, &heron, &mut theirs, &officer, &mut case));
    assert!(case.needs_update(world.now, true).is_some());
    wire.push(renew(&world, &officer, &mut case, &heron, &mut theirs));
    for _ in 0..3 {
        wire.push(say(&world, &officer, &mut case, &heron, &mut theirs));
        wire.push(say(&world, &heron, &mut theirs, &officer, &mut case));
    }
    wire.push(renew(&world, &heron, &mut theirs, &officer, &mut case));
    wire.push(say(&world, &officer, &mut case, &heron, &mut theirs));
    assert_eq!(thief.opens(&world, &id, &wire), 0);
    // Nor the slots in which the group goes on.
    let env = Env { suite: &world.suite, store: &thief.0, now: world.now };
    let stale = Group::load(&env, &id).unwrap().unwrap().slot_keys(&env, 0).unwrap();
    assert_ne!(stale.id(), theirs.slot_keys(&heron.env(&world), 0).unwrap().id());
}

/// The other side's updates alone do not heal a device that stays silent: hence each device's own,
/// at the latest after a week.
#[test]
fn only_the_owners_update_locks_the_thief_out() {
    let world = World::new();
    let (officer, heron) = (world.officer("Officer A"), Device::defender(&world, "HERON"));
    let (mut case, mut theirs) = world.pair(&officer, &heron);
    let thief = Thief::of(&heron);
    let id = theirs.id().to_vec();
    let wire = [
        renew(&world, &officer, &mut case, &heron, &mut theirs),
        say(&world, &officer, &mut case, &heron, &mut theirs),
    ];
    assert_eq!(thief.opens(&world, &id, &wire), 2);
    assert!(theirs.needs_update(world.now + 7 * 86_400, false).is_some());
}

#[test]
fn a_store_of_today_does_not_open_what_was_read_yesterday() {
    let world = World::new();
    let (officer, heron) = (world.officer("Officer A"), Device::defender(&world, "HERON"));
    let (mut case, mut theirs) = world.pair(&officer, &heron);
    let id = theirs.id().to_vec();
    let mut read = Vec::new();
    for _ in 0..5 {
        read.push(say(&world, &officer, &mut case, &heron, &mut theirs));
        read.push(say(&world, &heron, &mut theirs, &officer, &mut case));
    }
    // In the same epoch: the keys of what was read, and of what was sent, are gone.
    for device in [&heron, &officer] {
        assert_eq!(Thief::of(device).opens(&world, &id, &read), 0);
    }
    // What never came can still be read while its epoch is kept, and not after.
    let unread = case.encrypt(&officer.env(&world), &officer.me, b"late", None).unwrap();
    for _ in 0..MAX_PAST_EPOCHS {
        read.push(renew(&world, &officer, &mut case, &heron, &mut theirs));
    }
    assert_eq!(Thief::of(&heron).opens(&world, &id, std::slice::from_ref(&unread)), 1);
    read.push(renew(&world, &heron, &mut theirs, &officer, &mut case));
    read.push(unread);
    for device in [&heron, &officer] {
        assert_eq!(Thief::of(device).opens(&world, &id, &read), 0);
    }
}
