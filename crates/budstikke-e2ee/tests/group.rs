//! Groups of two and three honest members through the public API: the whole life of a case.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use budstikke_e2ee::group::{
    Application, Finding, Group, GroupError, GroupKind, Inbound, MAX_ADDS, MAX_PAST_EPOCHS, Party,
    PartyId, UPDATE_AFTER_MESSAGES, UPDATE_AFTER_SECONDS, UpdateReason,
};
use common::{Device, UNIT, World};

fn read(world: &World, device: &Device, group: &mut Group, bytes: &[u8]) -> Application {
    match group.process(&device.env(world), bytes, None).unwrap() {
        Inbound::Application(message) => *message,
        other => panic!("{other:?}"),
    }
}

fn send(world: &World, device: &Device, group: &mut Group, text: &str) -> Vec<u8> {
    group.encrypt(&device.env(world), &device.me, text.as_bytes(), None).unwrap()
}

/// As after a restart.
fn reload(world: &World, device: &Device, group: Group) -> Group {
    let id = group.id().to_vec();
    drop(group);
    Group::load(&device.env(world), &id).unwrap().unwrap()
}

fn pair() -> (World, Device, Device, Group, Group) {
    let world = World::new();
    let (officer, defender) = (world.officer("Officer A"), Device::defender(&world, "HERON"));
    let (case, theirs) = world.pair(&officer, &defender);
    (world, officer, defender, case, theirs)
}

#[test]
fn two_parties_talk_and_know_each_other() {
    let (world, officer, defender, mut case, mut theirs) = pair();
    assert_eq!((case.epoch(), theirs.epoch()), (1, 1));
    assert_eq!(case.epoch_authenticator(), theirs.epoch_authenticator());
    assert_eq!(case.charter(), theirs.charter());
    for n in 0..5_u64 {
        let sent = send(&world, &officer, &mut case, "from the mission");
        let got = read(&world, &defender, &mut theirs, &sent);
        assert_eq!((got.counter, got.findings.as_slice()), (n, &[][..]));
        assert_eq!(got.sender.party_id(), PartyId::Unit(UNIT.to_owned()));
        let sent = theirs
            .encrypt(&defender.env(&world), &defender.me, b"from the defender", Some(b"receipt"))
            .unwrap();
        let got = read(&world, &officer, &mut case, &sent);
        assert_eq!(got.content.as_slice(), b"from the defender");
        assert_eq!(got.receipt.as_deref(), Some(b"receipt".as_slice()));
        assert_eq!(got.sender.party_id(), PartyId::Defender(defender.me.key()));
    }
    let members = theirs.members().unwrap();
    assert_eq!(members.len(), 2);
    let Party::Device(device) = &members[0].party else { panic!("{members:?}") };
    assert_eq!((device.label.as_str(), device.unit.id.as_str()), ("Officer A", UNIT));
    assert_eq!(members[1].party, Party::Defender { pseudonym: "HERON".to_owned() });
}

#[test]
fn every_step_survives_a_restart() {
    let (world, officer, defender, case, theirs) = pair();
    let mut case = reload(&world, &officer, case);
    let mut theirs = reload(&world, &defender, theirs);
    let sent = send(&world, &officer, &mut case, "one");
    case = reload(&world, &officer, case);
    read(&world, &defender, &mut theirs, &sent);
    theirs = reload(&world, &defender, theirs);
    let made = theirs.update(&defender.env(&world), &defender.me).unwrap();
    theirs = reload(&world, &defender, theirs);
    assert_eq!(theirs.pending().unwrap().commit, made.commit);
    assert!(matches!(
        theirs.process(&defender.env(&world), &made.commit, None).unwrap(),
        Inbound::OwnCommit
    ));
    officer.follow(&world, &mut case, &made.commit);
    case = reload(&world, &officer, case);
    theirs.merge_pending(&defender.env(&world)).unwrap();
    theirs = reload(&world, &defender, theirs);
    assert!(theirs.pending().is_none());
    assert_eq!(case.epoch_authenticator(), theirs.epoch_authenticator());
    let sent = send(&world, &officer, &mut case, "two");
    let got = read(&world, &defender, &mut theirs, &sent);
    assert_eq!((got.counter, got.findings.len()), (1, 0));
}

#[test]
fn the_loser_of_a_slot_race_follows_the_winner_and_redoes() {
    let (world, officer, defender, mut case, mut theirs) = pair();
    let (ours, yours) = (
        case.slot_keys(&officer.env(&world), 0).unwrap(),
        theirs.slot_keys(&defender.env(&world), 0).unwrap(),
    );
    assert_eq!(ours.id(), yours.id());
    assert_eq!(ours.seal_key(), yours.seal_key());
    assert_eq!(ours.sign(b"entry"), yours.sign(b"entry"));
    let winner = case.update(&officer.env(&world), &officer.me).unwrap();
    let loser = theirs.update(&defender.env(&world), &defender.me).unwrap();
    // Both read the slot: the officer's entry came first.
    case.merge_pending(&officer.env(&world)).unwrap();
    defender.follow(&world, &mut theirs, &winner.commit);
    assert!(theirs.pending().is_none(), "merging the winner drops the loser's own");
    assert!(matches!(
        case.process(&officer.env(&world), &loser.commit, None).unwrap(),
        Inbound::Stale { epoch: 1 }
    ));
    let again = theirs.update(&defender.env(&world), &defender.me).unwrap();
    officer.follow(&world, &mut case, &again.commit);
    theirs.merge_pending(&defender.env(&world)).unwrap();
    assert_eq!(case.epoch_authenticator(), theirs.epoch_authenticator());
    assert_eq!(case.epoch(), 3);
    let next = case.slot_keys(&officer.env(&world), 0).unwrap();
    assert_ne!(ours.id(), next.id(), "each epoch has a slot of its own");
}

#[test]
fn a_lost_add_uses_its_key_package_again() {
    let (world, officer, defender, mut case, mut theirs) = pair();
    let (admin, colleague) = (world.admin(), world.officer("Officer B"));
    let assignment = [world.assign(&admin, &colleague)];
    let package = [colleague.package(&world)];
    let env = officer.env(&world);
    case.add(&env, &officer.me, &package, &assignment).unwrap();
    let winner = theirs.update(&defender.env(&world), &defender.me).unwrap();
    theirs.merge_pending(&defender.env(&world)).unwrap();
    officer.follow(&world, &mut case, &winner.commit);
    let again = case.add(&env, &officer.me, &package, &assignment).unwrap();
    case.merge_pending(&env).unwrap();
    defender.follow(&world, &mut theirs, &again.commit);
    let welcome = again.welcome.unwrap();
    let mut third =
        Group::join(&colleague.env(&world), &colleague.me, &welcome, &world.expect()).unwrap();
    assert_eq!(third.epoch_authenticator(), theirs.epoch_authenticator());
    assert_eq!(third.members().unwrap().len(), 3);
    // One upload reaches both others; the newcomer's counters start without a false alarm.
    let sent = send(&world, &defender, &mut theirs, "to both");
    for (device, group) in [(&officer, &mut case), (&colleague, &mut third)] {
        assert!(read(&world, device, group, &sent).findings.is_empty());
    }
    let sent = send(&world, &colleague, &mut third, "new here");
    assert!(read(&world, &defender, &mut theirs, &sent).findings.is_empty());
}

#[test]
fn a_removed_member_hears_nothing_more() {
    let (world, officer, defender, mut case, mut theirs) = pair();
    let colleague = world.officer("Officer B");
    let assignment = [world.assign(&world.admin(), &colleague)];
    let env = officer.env(&world);
    let made = case.add(&env, &officer.me, &[colleague.package(&world)], &assignment).unwrap();
    case.merge_pending(&env).unwrap();
    defender.follow(&world, &mut theirs, &made.commit);
    let mut third =
        Group::join(&colleague.env(&world), &colleague.me, &made.welcome.unwrap(), &world.expect())
            .unwrap();
    let leaf = third.own_leaf();
    let made = theirs.remove(&defender.env(&world), &defender.me, &[leaf]).unwrap();
    theirs.merge_pending(&defender.env(&world)).unwrap();
    officer.follow(&world, &mut case, &made.commit);
    let Inbound::Commit(staged) =
        third.process(&colleague.env(&world), &made.commit, None).unwrap()
    else {
        panic!("refused")
    };
    assert!(staged.removes_us());
    assert_eq!(staged.removed()[0].key, colleague.me.key());
    third.merge_staged(&colleague.env(&world), *staged).unwrap();
    third = reload(&world, &colleague, third);
    assert!(!third.is_active());
    let sent = send(&world, &officer, &mut case, "without you");
    let env = colleague.env(&world);
    assert!(matches!(third.process(&env, &sent, None), Err(GroupError::Removed)));
    assert!(matches!(third.encrypt(&env, &colleague.me, b"", None), Err(GroupError::Removed)));
    assert!(matches!(third.slot_keys(&env, 0), Err(GroupError::Removed)));
    assert!(read(&world, &defender, &mut theirs, &sent).findings.is_empty());
    third.delete(&env).unwrap();
}

#[test]
fn deleting_a_group_leaves_nothing_in_the_store() {
    let (world, officer, _, mut case, _) = pair();
    send(&world, &officer, &mut case, "x");
    case.update(&officer.env(&world), &officer.me).unwrap();
    case.merge_pending(&officer.env(&world)).unwrap();
    assert!(officer.store.len() > 5);
    case.delete(&officer.env(&world)).unwrap();
    assert_eq!(officer.store.len(), 0);
}

#[test]
fn an_unused_key_package_is_forgotten() {
    let world = World::new();
    let defender = Device::defender(&world, "HERON");
    let package = defender.package(&world);
    assert_eq!(defender.store.len(), 1);
    package.discard(&defender.env(&world)).unwrap();
    assert!(defender.store.is_empty());
}

/// Why the outbox row must be committed before the bytes leave.
#[test]
fn a_rollback_after_sending_spends_the_key_twice() {
    let (world, officer, defender, mut case, mut theirs) = pair();
    let before = officer.store.savepoint();
    let first = send(&world, &officer, &mut case, "sent, then rolled back");
    officer.store.rollback(&before);
    let mut case = reload(&world, &officer, case);
    let second = send(&world, &officer, &mut case, "same key again");
    read(&world, &defender, &mut theirs, &first);
    let again = theirs.process(&defender.env(&world), &second, None).unwrap();
    assert!(matches!(again, Inbound::Duplicate), "{again:?}");
}

#[test]
fn a_rollback_before_sending_costs_nothing() {
    let (world, officer, defender, mut case, mut theirs) = pair();
    let before = officer.store.savepoint();
    send(&world, &officer, &mut case, "never sent");
    case.update(&officer.env(&world), &officer.me).unwrap();
    officer.store.rollback(&before);
    let mut case = reload(&world, &officer, case);
    assert!(case.pending().is_none());
    let sent = send(&world, &officer, &mut case, "sent");
    let got = read(&world, &defender, &mut theirs, &sent);
    assert_eq!((got.counter, got.findings.len()), (0, 0));
}

#[test]
fn a_rolled_back_receipt_can_be_read_again() {
    let (world, officer, defender, mut case, mut theirs) = pair();
    let sent = send(&world, &officer, &mut case, "crash while reading");
    let before = defender.store.savepoint();
    read(&world, &defender, &mut theirs, &sent);
    defender.store.rollback(&before);
    let mut theirs = reload(&world, &defender, theirs);
    let got = read(&world, &defender, &mut theirs, &sent);
    assert_eq!((got.content.as_slice(), got.findings.len()), (&b"crash while reading"[..], 0));
}

#[test]
fn losses_late_arrivals_and_repeats_are_told_apart() {
    let (world, officer, defender, mut case, mut theirs) = pair();
    let sent: Vec<_> = (0..5).map(|_| send(&world, &officer, &mut case, "x")).collect();
    let findings =
        |theirs: &mut Group, n: usize| read(&world, &defender, theirs, &sent[n]).findings;
    assert_eq!(findings(&mut theirs, 2), [Finding::Gap { missing: 2 }]);
    assert_eq!(findings(&mut theirs, 0), [Finding::Late]);
    assert_eq!(findings(&mut theirs, 3), []);
    let again = theirs.process(&defender.env(&world), &sent[3], None).unwrap();
    assert!(matches!(again, Inbound::Duplicate));
    assert_eq!(findings(&mut theirs, 1), [Finding::Late]);
    assert_eq!(findings(&mut theirs, 4), []);
    let own = theirs.encrypt(&defender.env(&world), &defender.me, b"mine", None).unwrap();
    assert!(matches!(theirs.process(&defender.env(&world), &own, None).unwrap(), Inbound::Own));
}

/// A sender restored from an old copy of its vault, which its correspondents must hear about.
#[test]
fn a_sender_with_an_old_vault_is_noticed() {
    let (world, officer, defender, mut case, mut theirs) = pair();
    let old = officer.store.savepoint();
    let sent = send(&world, &officer, &mut case, "lost by the restore");
    read(&world, &defender, &mut theirs, &sent);
    officer.store.rollback(&old);
    let mut case = reload(&world, &officer, case);
    let update = theirs.update(&defender.env(&world), &defender.me).unwrap();
    theirs.merge_pending(&defender.env(&world)).unwrap();
    officer.follow(&world, &mut case, &update.commit);
    let sent = send(&world, &officer, &mut case, "counter 0 again");
    assert_eq!(read(&world, &defender, &mut theirs, &sent).findings, [Finding::Repeated]);
    let sent = send(&world, &officer, &mut case, "counter 1, another past");
    assert_eq!(read(&world, &defender, &mut theirs, &sent).findings, [Finding::Forked]);
}

#[test]
fn messages_wait_for_their_epoch_and_past_epochs_end() {
    let (world, officer, defender, mut case, mut theirs) = pair();
    let early = send(&world, &officer, &mut case, "epoch 1");
    let mut commits = Vec::new();
    for _ in 0..=MAX_PAST_EPOCHS {
        commits.push(case.update(&officer.env(&world), &officer.me).unwrap().commit);
        case.merge_pending(&officer.env(&world)).unwrap();
    }
    let late = send(&world, &officer, &mut case, "epoch 5");
    let future = theirs.process(&defender.env(&world), &late, None).unwrap();
    assert!(matches!(future, Inbound::FutureEpoch { epoch: 5 }), "{future:?}");
    let (last, first) = commits.split_last().unwrap();
    for commit in first {
        defender.follow(&world, &mut theirs, commit);
    }
    let before = defender.store.savepoint();
    assert!(read(&world, &defender, &mut theirs, &early).findings.is_empty());
    defender.store.rollback(&before);
    let mut theirs = reload(&world, &defender, theirs);
    defender.follow(&world, &mut theirs, last);
    let stale = theirs.process(&defender.env(&world), &early, None).unwrap();
    assert!(matches!(stale, Inbound::Stale { epoch: 1 }), "{stale:?}");
    assert_eq!(read(&world, &defender, &mut theirs, &late).findings, [Finding::Gap { missing: 1 }]);
}

#[test]
fn a_staged_commit_of_another_epoch_is_not_merged() {
    let (world, officer, defender, mut case, mut theirs) = pair();
    let commit = case.update(&officer.env(&world), &officer.me).unwrap().commit;
    let env = defender.env(&world);
    let Inbound::Commit(staged) = theirs.process(&env, &commit, None).unwrap() else {
        panic!("refused")
    };
    theirs.update(&env, &defender.me).unwrap();
    theirs.merge_pending(&env).unwrap();
    assert!(matches!(theirs.merge_staged(&env, *staged), Err(GroupError::StaleCommit)));
}

/// Why a commit is processed and merged in one transaction.
#[test]
fn a_commit_is_processed_once_or_rolled_back() {
    let (world, officer, defender, mut case, mut theirs) = pair();
    let commit = case.update(&officer.env(&world), &officer.me).unwrap().commit;
    let before = defender.store.savepoint();
    let env = defender.env(&world);
    assert!(matches!(theirs.process(&env, &commit, None).unwrap(), Inbound::Commit(_)));
    assert!(matches!(theirs.process(&env, &commit, None).unwrap(), Inbound::Duplicate));
    defender.store.rollback(&before);
    let mut theirs = reload(&world, &defender, theirs);
    defender.follow(&world, &mut theirs, &commit);
    assert_eq!(theirs.epoch(), 2);
}

#[test]
fn a_second_commit_needs_the_first_one_gone() {
    let (world, officer, _, mut case, _) = pair();
    let env = officer.env(&world);
    assert!(matches!(case.merge_pending(&env), Err(GroupError::NotPending)));
    case.update(&env, &officer.me).unwrap();
    assert!(matches!(case.update(&env, &officer.me), Err(GroupError::Pending)));
    case.clear_pending(&env).unwrap();
    case.update(&env, &officer.me).unwrap();
}

#[test]
fn updates_are_due_after_hearing_after_fifty_messages_and_after_a_week() {
    let (world, officer, defender, mut case, mut theirs) = pair();
    let now = world.now;
    assert_eq!(case.needs_update(now, true), None);
    let sent = send(&world, &defender, &mut theirs, "hello");
    read(&world, &officer, &mut case, &sent);
    assert_eq!(case.needs_update(now, false), None);
    assert_eq!(case.needs_update(now, true), Some(UpdateReason::FirstSpeech));
    case.update(&officer.env(&world), &officer.me).unwrap();
    case.merge_pending(&officer.env(&world)).unwrap();
    assert_eq!(case.needs_update(now, true), None);
    let due = now + UPDATE_AFTER_SECONDS;
    assert_eq!(case.needs_update(due - 1, false), None);
    assert_eq!(case.needs_update(due, false), Some(UpdateReason::Age));
    for _ in 0..UPDATE_AFTER_MESSAGES {
        assert_eq!(case.needs_update(now, false), None);
        send(&world, &officer, &mut case, "x");
    }
    assert_eq!(case.needs_update(now, false), Some(UpdateReason::Messages));
    let case = reload(&world, &officer, case);
    assert_eq!(case.needs_update(now, false), Some(UpdateReason::Messages));
}

#[test]
fn slot_attempts_are_remembered_within_an_epoch() {
    let (world, officer, _, mut case, _) = pair();
    let env = officer.env(&world);
    let first = case.slot_keys(&env, case.slot_attempt()).unwrap();
    assert_eq!(case.next_slot_attempt(&env).unwrap(), 1);
    let mut case = reload(&world, &officer, case);
    assert_eq!(case.slot_attempt(), 1);
    assert_ne!(first.id(), case.slot_keys(&env, case.slot_attempt()).unwrap().id());
    case.update(&env, &officer.me).unwrap();
    case.merge_pending(&env).unwrap();
    assert_eq!(case.slot_attempt(), 0);
}

#[test]
fn a_team_derives_the_same_claim_keys() {
    let world = World::new();
    let (admin, officer) = (world.admin(), world.officer("Officer A"));
    let env = admin.env(&world);
    let mut team = Group::create(&env, &admin.me, &world.charter(GroupKind::Team)).unwrap();
    let made = team.add(&env, &admin.me, &[officer.package(&world)], &[]).unwrap();
    team.merge_pending(&env).unwrap();
    let mut expect = world.expect();
    (expect.kind, expect.terms) = (GroupKind::Team, None);
    let theirs =
        Group::join(&officer.env(&world), &officer.me, &made.welcome.unwrap(), &expect).unwrap();
    let (a, b) = (
        team.claim_keys(&env, &[1; 32]).unwrap(),
        theirs.claim_keys(&officer.env(&world), &[1; 32]).unwrap(),
    );
    assert_eq!(a.id(), b.id());
    assert_ne!(a.id(), team.claim_keys(&env, &[2; 32]).unwrap().id());
    assert_ne!(a.id(), team.slot_keys(&env, 0).unwrap().id());
}

#[test]
fn another_identity_can_not_speak_for_this_device() {
    let (world, officer, defender, mut case, _) = pair();
    let env = officer.env(&world);
    assert!(matches!(case.encrypt(&env, &defender.me, b"", None), Err(GroupError::WrongIdentity)));
    assert!(matches!(case.update(&env, &defender.me), Err(GroupError::WrongIdentity)));
}

#[test]
fn a_device_that_was_away_for_twenty_epochs_catches_up() {
    let (world, officer, defender, mut case, mut theirs) = pair();
    let mut log = Vec::new();
    for _ in 0..20 {
        log.push(send(&world, &officer, &mut case, "then"));
        log.push(case.update(&officer.env(&world), &officer.me).unwrap().commit);
        case.merge_pending(&officer.env(&world)).unwrap();
    }
    for entry in &log {
        match theirs.process(&defender.env(&world), entry, None).unwrap() {
            Inbound::Commit(staged) => {
                theirs.merge_staged(&defender.env(&world), *staged).unwrap();
            }
            Inbound::Application(message) => assert!(message.findings.is_empty()),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(case.epoch_authenticator(), theirs.epoch_authenticator());
}

/// What the vault writes: a state grows with its tree, not with its age.
#[test]
fn the_stored_state_stays_small() {
    let (world, officer, defender, mut case, mut theirs) = pair();
    let size = |device: &Device| device.store.savepoint().size();
    for _ in 0..MAX_PAST_EPOCHS + 2 {
        let commit = case.update(&officer.env(&world), &officer.me).unwrap().commit;
        case.merge_pending(&officer.env(&world)).unwrap();
        defender.follow(&world, &mut theirs, &commit);
    }
    let (count, before) = (officer.store.len(), size(&officer));
    for _ in 0..5 {
        let commit = case.update(&officer.env(&world), &officer.me).unwrap().commit;
        case.merge_pending(&officer.env(&world)).unwrap();
        defender.follow(&world, &mut theirs, &commit);
    }
    assert_eq!(officer.store.len(), count);
    assert!(size(&officer).abs_diff(before) < 2_000, "{before} → {}", size(&officer));
    assert!(size(&officer) < 50_000, "{} bytes", size(&officer));
}

/// An entry of a slot is at most four cells, each with 14,960 bytes for the envelope (SPEC.md
/// section 5.3).
#[test]
fn the_largest_commit_fits_a_slots_entry() {
    let (world, officer, _, mut case, _) = pair();
    let (env, admin) = (officer.env(&world), world.admin());
    let mut largest = 0;
    for round in 0..3 {
        let devices: Vec<_> =
            (0..MAX_ADDS).map(|n| world.officer(&format!("Officer {round}{n}"))).collect();
        let packages: Vec<_> = devices.iter().map(|device| device.package(&world)).collect();
        let assignments: Vec<_> = devices.iter().map(|d| world.assign(&admin, d)).collect();
        let pending = case.add(&env, &officer.me, &packages, &assignments).unwrap();
        case.merge_pending(&env).unwrap();
        largest = largest.max(pending.commit.len());
        println!(
            "{} members: commit {}, Welcome {}",
            case.members().unwrap().len(),
            pending.commit.len(),
            pending.welcome.unwrap().len()
        );
    }
    println!("key package {}", officer.package(&world).bytes().len());
    println!("update {}", case.update(&env, &officer.me).unwrap().commit.len());
    assert!(largest + 100 < 4 * 14_960, "{largest} bytes");
}

#[test]
fn a_message_is_padded() {
    let (world, officer, _, mut case, _) = pair();
    let lens: Vec<_> =
        ["", "a", "a longer text"].map(|t| send(&world, &officer, &mut case, t).len()).to_vec();
    assert_eq!(lens[0], lens[1]);
    assert_eq!(lens[1], lens[2]);
}
