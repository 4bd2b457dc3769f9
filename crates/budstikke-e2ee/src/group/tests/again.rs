//! Coming back (SPEC.md section 10.12): who may ask, and what may take a group's place.

use super::common::*;
use crate::{
    cert::{Role, UnitKind},
    checks::Check,
    group::{Ask, Asker, Charter, Expect, Group, GroupError, Inbound},
};

struct Scene {
    world: World,
    officer: Device,
    defender: Device,
    case: Group,
    theirs: Group,
}

fn scene() -> Scene {
    let world = World::new();
    let officer = world.officer("Officer A");
    let defender = Device::defender(&world, "HERON");
    let (case, theirs) = world.pair(&officer, &defender);
    Scene { world, officer, defender, case, theirs }
}
/// What a defender's device asks with, altered by `change`, and signed with its own key.
fn ask(s: &Scene, change: impl FnOnce(&mut Ask)) -> Vec<u8> {
    let mut ask = Ask {
        case_id: s.case.charter().case_id.clone(),
        group_id: s.case.id().to_vec(),
        key: s.defender.me.key(),
        key_package: s.defender.package(&s.world).bytes().to_vec(),
        note_key: Vec::new(),
        new_group: false,
        proof: Vec::new(),
        made_at: s.world.now,
        assignment: Vec::new(),
    };
    change(&mut ask);
    ask.sign(&s.defender.me)
}

// BUD-MLS-033
#[test]
fn only_a_member_asks_to_be_added_again_and_for_itself() {
    let s = scene();
    let env = s.officer.env(&s.world);
    let stranger = Device::defender(&s.world, "HERON");
    let (_, who) = Ask::verify(&env, &ask(&s, |_| {}), &s.case).unwrap();
    assert!(matches!(who, Asker::Member(member) if member.key == s.defender.me.key()));
    let refused = [
        ask(&s, |ask| ask.case_id = b"case-2".to_vec()),
        ask(&s, |ask| ask.group_id = b"another".to_vec()),
        ask(&s, |ask| ask.key = s.officer.me.key()),
        ask(&s, |ask| ask.key_package = stranger.package(&s.world).bytes().to_vec()),
        ask(&s, |ask| ask.made_at -= 29 * 86_400),
        ask(&s, |ask| ask.made_at += 2 * 86_400),
        // A stranger under a key of its own, with the same name.
        {
            let mut ask = Ask::read(&env, &ask(&s, |_| {})).unwrap();
            ask.key = stranger.me.key();
            ask.key_package = stranger.package(&s.world).bytes().to_vec();
            ask.sign(&stranger.me)
        },
        b"no ask".to_vec(),
    ];
    for (number, bytes) in refused.iter().enumerate() {
        let verified = Ask::verify(&env, bytes, &s.case);
        let refused = matches!(&verified, Err(GroupError::Rejected(r)) if r.check == Check::OwnAsk);
        assert!(refused, "{number}: {verified:?}");
    }
}

// BUD-MLS-033
#[test]
fn a_colleague_takes_a_place_with_an_admins_assignment_and_not_without() {
    let s = scene();
    let (env, admin) = (s.defender.env(&s.world), s.world.admin());
    let colleague = s.world.device("Officer B", &[Role::HeadOfMission]);
    let ask_of = |who: &Device, change: &dyn Fn(&mut Ask)| {
        let mut ask = Ask::read(&env, &ask(&s, |_| {})).unwrap();
        ask.key = who.me.key();
        ask.key_package = who.package(&s.world).bytes().to_vec();
        ask.assignment = s.world.assign(&admin, who).to_bytes();
        change(&mut ask);
        ask.sign(&who.me)
    };
    let (_, who) = Ask::verify(&env, &ask_of(&colleague, &|_| {}), &s.theirs).unwrap();
    assert!(matches!(who, Asker::Newcomer(device) if device.label == "Officer B"));
    let key = s.world.key();
    let chain = s.world.certify_unit(&key, "no.emb.arrania", UnitKind::BilateralMission);
    let foreign = s.world.device_of(&(key, chain), "Officer X", &[Role::Admin]);
    let (third, stranger) = (s.world.officer("Officer C"), Device::defender(&s.world, "REED"));
    let refused = [
        ask_of(&colleague, &|ask| ask.assignment.clear()),
        ask_of(&colleague, &|ask| ask.new_group = true),
        ask_of(&colleague, &|ask| ask.assignment = s.world.assign(&admin, &third).to_bytes()),
        ask_of(&colleague, &|ask| ask.assignment = s.world.assign(&foreign, &colleague).to_bytes()),
        ask_of(&stranger, &|_| {}),
        ask_of(&third, &|_| {}),
    ];
    for (number, bytes) in refused.iter().enumerate() {
        let verified = Ask::verify(&env, bytes, &s.theirs);
        let refused = matches!(&verified, Err(GroupError::Rejected(r)) if r.check == Check::OwnAsk);
        assert!(refused, "{number}: {verified:?}");
    }
}

// BUD-MLS-034
#[test]
fn a_new_group_takes_the_old_ones_place_only_as_it_was() {
    let s = scene();
    let place = s.theirs.place(None).unwrap();
    let charter = s.case.charter().clone();
    let env = s.officer.env(&s.world);
    let found = |charter: &Charter, more: &[&Device]| {
        let mut group = Group::create(&env, &s.officer.me, charter).unwrap();
        let mut packages = vec![s.defender.package(&s.world)];
        packages.extend(more.iter().map(|device| device.package(&s.world)));
        let pending = group.add(&env, &s.officer.me, &packages, &[]).unwrap();
        group.merge_pending(&env).unwrap();
        pending.welcome.unwrap()
    };
    let second = Device::defender(&s.world, "REED");
    let refused = [
        found(&Charter { terms: Some([1; 32]), ..charter.clone() }, &[]),
        found(&Charter { case_id: b"case-2".to_vec(), ..charter.clone() }, &[]),
        found(&charter, &[&second]),
    ];
    let theirs = s.defender.env(&s.world);
    for welcome in refused {
        let before = s.defender.store.savepoint();
        let joined = Group::rejoin(&theirs, &s.defender.me, &welcome, &place);
        let same = matches!(&joined, Err(GroupError::Rejected(r)) if r.check == Check::SamePlace);
        assert!(same, "{joined:?}");
        s.defender.store.rollback(&before);
    }
    let colleague = s.world.officer("Officer B");
    let welcome = found(&charter, &[&colleague]);
    let group = Group::rejoin(&theirs, &s.defender.me, &welcome, &place).unwrap();
    assert_ne!(group.id(), s.case.id());
    assert_eq!(group.members().unwrap().len(), 3);
}

#[test]
fn whoever_was_added_again_counts_from_nought_and_nobody_wonders() {
    let mut s = scene();
    let (admin, colleague) = (s.world.admin(), s.world.officer("Officer B"));
    let env = s.officer.env(&s.world);
    let assignment = s.world.assign(&admin, &colleague);
    let package = colleague.package(&s.world);
    let pending = s.case.add(&env, &s.officer.me, &[package], &[assignment]).unwrap();
    s.case.merge_pending(&env).unwrap();
    let there = colleague.env(&s.world);
    let welcome = pending.welcome.unwrap();
    let mut third = Group::join(&there, &colleague.me, &welcome, &s.world.expect()).unwrap();
    // The defender's state is lost, and it has written three messages before that.
    let theirs = s.defender.env(&s.world);
    for _ in 0..3 {
        s.theirs.encrypt(&theirs, &s.defender.me, b"before", None).unwrap();
    }
    let package = s.defender.package(&s.world);
    let assignment = s.world.assign(&admin, &s.defender);
    let pending = s.case.change(&env, &s.officer.me, &[package], &[1], &[assignment]).unwrap();
    s.case.merge_pending(&env).unwrap();
    let Inbound::Commit(staged) = third.process(&there, &pending.commit, None).unwrap() else {
        panic!("refused")
    };
    assert_eq!((staged.added().len(), staged.removed().len()), (1, 1), "everybody sees it");
    third.merge_staged(&there, *staged).unwrap();
    let expect = Expect { replace: true, ..s.world.expect() };
    let welcome = pending.welcome.unwrap();
    let mut theirs = Group::join(&theirs, &s.defender.me, &welcome, &expect).unwrap();
    let back = s.defender.env(&s.world);
    let message = theirs.encrypt(&back, &s.defender.me, b"back", None).unwrap();
    for (group, env) in [(&mut s.case, &env), (&mut third, &there)] {
        let Inbound::Application(message) = group.process(env, &message, None).unwrap() else {
            panic!("refused")
        };
        assert_eq!((message.counter, message.findings.as_slice()), (0, &[][..]));
    }
}

#[test]
fn a_device_put_back_to_an_old_copy_stops_at_its_own_commit() {
    let mut s = scene();
    let env = s.defender.env(&s.world);
    let id = s.theirs.id().to_vec();
    let before = s.defender.store.savepoint();
    let own = s.theirs.update(&env, &s.defender.me).unwrap().commit;
    s.theirs.merge_pending(&env).unwrap();
    s.defender.store.rollback(&before);
    let mut old = Group::load(&env, &id).unwrap().unwrap();
    let judged = old.process(&env, &own, None).unwrap();
    // To pass over it would be to leave the others, who have followed it.
    let stops = |rejection: &crate::checks::Rejection| !rejection.check.same_for_all();
    assert!(matches!(&judged, Inbound::Rejected(rejection) if stops(rejection)), "{judged:?}");
}
