//! Each check of the inbound policy, failed on purpose.

use openmls::prelude::{
    MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, tls_codec::DeserializeBytes as _,
};

use super::{Forgery, common::*, three, verdict};
use crate::{
    cert::{Role, UnitKind},
    checks::Check,
    group::{
        Assignment, Charter, Expect, Finding, Group, GroupError, GroupKind, Identity, Inbound,
        KeyPackage, assignment,
    },
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

impl Scene {
    /// The officer forges, the defender judges.
    fn judge(&mut self, forgery: Forgery) -> Check {
        let commit = forgery.commit(&self.world, &self.officer, &mut self.case);
        verdict(&self.world, &self.defender, &mut self.theirs, &commit)
    }
}

#[test]
fn add_without_assignment_is_refused() {
    let mut s = scene();
    let colleague = s.world.officer("Officer B");
    let package = colleague.package(&s.world);
    let forgery = Forgery { packages: vec![package], ..Forgery::default() };
    assert_eq!(s.judge(forgery), Check::Assignment);
}

#[test]
fn own_side_refuses_the_same() {
    let mut s = scene();
    let colleague = s.world.officer("Officer B");
    let package = colleague.package(&s.world);
    let refused = s.case.add(&s.officer.env(&s.world), &s.officer.me, &[package], &[]);
    assert!(matches!(refused, Err(GroupError::Rejected(r)) if r.check == Check::Assignment));
    assert!(s.case.pending().is_none());
}

#[test]
fn assignments_must_fit_leaf_case_time_unit_and_role() {
    let mut s = scene();
    let (world, now) = (&s.world, s.world.now);
    let admin = world.admin();
    let (chain, key) = (admin.chain.clone().unwrap(), admin.me.signing_key().clone());
    let (colleague, other) = (world.officer("Officer B"), world.officer("Officer C"));
    let desk_key = world.key();
    let desk = world.certify_unit(&desk_key, "no.ministry.desk", UnitKind::MinistryDesk);
    let desk_admin = world.device_of(&(desk_key, desk), "Desk admin", &[Role::Admin]);
    let issue = |case: &[u8], to: &Device, expires: i64| {
        Assignment::issue(&key, &chain, case, &to.me.key(), expires, now).unwrap()
    };
    let mut forged = world.assign(&admin, &colleague).to_bytes();
    *forged.last_mut().unwrap() ^= 1;
    let good = world.assign(&admin, &colleague);
    let cases = [
        ("other leaf", issue(b"case-1", &other, now + 60)),
        ("other case", issue(b"case-2", &colleague, now + 60)),
        ("expired", issue(b"case-1", &colleague, now)),
        ("other unit", world.assign(&desk_admin, &colleague)),
        ("forged", Assignment::from_bytes(&forged)),
        ("garbage", Assignment::from_bytes(b"garbage")),
    ];
    for (name, assignment) in cases {
        let aad = assignment::to_commit_data(&[assignment], s.world.now);
        let packages = vec![colleague.package(&s.world)];
        assert_eq!(
            s.judge(Forgery { packages, aad, ..Forgery::default() }),
            Check::Assignment,
            "{name}"
        );
        s.case.clear_pending(&s.officer.env(&s.world)).unwrap();
    }
    let packages = vec![colleague.package(&s.world)];
    let aad = assignment::to_commit_data(&[good], s.world.now);
    let commit =
        Forgery { packages, aad, ..Forgery::default() }.commit(&s.world, &s.officer, &mut s.case);
    s.defender.follow(&s.world, &mut s.theirs, &commit);
    let world = &s.world;
    let staff = world.officer("Officer D");
    let refused = Assignment::issue(
        staff.me.signing_key(),
        staff.chain.as_ref().unwrap(),
        b"case-1",
        &other.me.key(),
        now + 60,
        now,
    );
    assert_eq!(refused, Err(crate::group::AssignmentError::NotAdmin));
}

#[test]
fn garbage_in_the_authenticated_data_of_an_add_is_refused() {
    let mut s = scene();
    let package = s.world.officer("Officer B").package(&s.world);
    let forgery = Forgery { packages: vec![package], aad: vec![0xff; 40], ..Forgery::default() };
    assert_eq!(s.judge(forgery), Check::MadeAt);
}

#[test]
fn more_than_four_adds_are_refused() {
    let mut s = scene();
    let admin = s.world.admin();
    let devices: Vec<_> = (0..5).map(|n| s.world.officer(&format!("Officer {n}"))).collect();
    let assignments: Vec<_> = devices.iter().map(|d| s.world.assign(&admin, d)).collect();
    let packages = devices.iter().map(|d| d.package(&s.world)).collect();
    let aad = assignment::to_commit_data(&assignments, s.world.now);
    let forgery = Forgery { packages, aad, ..Forgery::default() };
    assert_eq!(s.judge(forgery), Check::AddLimit);
}

#[test]
fn a_commit_without_path_is_refused() {
    let mut s = scene();
    let (admin, colleague) = (s.world.admin(), s.world.officer("Officer B"));
    let aad = assignment::to_commit_data(&[s.world.assign(&admin, &colleague)], s.world.now);
    let packages = vec![colleague.package(&s.world)];
    let forgery = Forgery { packages, aad, no_path: true, ..Forgery::default() };
    assert_eq!(s.judge(forgery), Check::PathRequired);
}

#[test]
fn the_charter_changes_only_in_accepted_terms() {
    for change in [
        |c: &mut Charter| c.units = vec!["no.emb.elsewhere".to_owned()],
        |c: &mut Charter| c.root = [1; 32],
        |c: &mut Charter| c.case_id = b"case-2".to_vec(),
        |c: &mut Charter| c.terms = None,
    ] {
        let mut s = scene();
        let mut charter = s.world.case();
        change(&mut charter);
        let forgery = Forgery { charter: Some(charter), ..Forgery::default() };
        assert_eq!(s.judge(forgery), Check::Charter);
    }
}

#[test]
fn terms_that_were_not_seen_accepted_wait() {
    let mut s = scene();
    let charter = Charter { terms: Some([8; 32]), ..s.world.case() };
    let check = s.judge(Forgery { charter: Some(charter), ..Forgery::default() });
    assert_eq!(check, Check::TermsUnseen);
    assert!(!check.same_for_all(), "others may have seen them");
}

#[test]
fn accepted_terms_pass() {
    let mut s = scene();
    let env = s.officer.env(&s.world);
    let pending = s.case.set_terms(&env, &s.officer.me, [8; 32]).unwrap();
    let env = s.defender.env(&s.world);
    let Inbound::Commit(staged) = s.theirs.process(&env, &pending.commit, Some([8; 32])).unwrap()
    else {
        panic!("refused")
    };
    assert_eq!(staged.new_terms(), Some([8; 32]));
    s.theirs.merge_staged(&env, *staged).unwrap();
    assert_eq!(s.theirs.charter().terms, Some([8; 32]));
}

#[test]
fn a_defender_can_not_change_its_name() {
    let mut s = scene();
    let key = s.defender.me.signing_key().clone();
    let leaf = Some(Identity::defender(key, "REED").unwrap());
    let forgery = Forgery { leaf, ..Forgery::default() };
    let commit = forgery.commit(&s.world, &s.defender, &mut s.theirs);
    assert_eq!(verdict(&s.world, &s.officer, &mut s.case, &commit), Check::DefenderFixed);
}

#[test]
fn a_leaf_has_the_key_that_its_certificate_names() {
    let mut s = scene();
    let chain = s.officer.chain.clone().unwrap();
    let leaf = Some(Identity::staff(s.defender.me.signing_key().clone(), chain));
    let forgery = Forgery { leaf, ..Forgery::default() };
    let commit = forgery.commit(&s.world, &s.defender, &mut s.theirs);
    assert_eq!(verdict(&s.world, &s.officer, &mut s.case, &commit), Check::LeafKey);
}

#[test]
fn staff_can_not_become_a_defender() {
    let mut s = scene();
    let key = s.officer.me.signing_key().clone();
    let leaf = Some(Identity::defender(key, "HERON").unwrap());
    assert_eq!(s.judge(Forgery { leaf, ..Forgery::default() }), Check::Continuity);
}

#[test]
fn a_leaf_can_not_rotate_its_signature_key() {
    let mut s = scene();
    let other = s.world.officer("Officer B");
    let env = s.officer.env(&s.world);
    let provider = env.provider();
    let leaf = openmls::prelude::LeafNodeParameters::builder()
        .with_capabilities(crate::group::charter::capabilities())
        .build();
    s.case.mls.set_aad(assignment::to_commit_data(&[], s.world.now));
    let (commit, ..) = s
        .case
        .mls
        .self_update_with_new_signer(
            &provider,
            &s.officer.me,
            openmls::prelude::NewSignerBundle {
                signer: &other.me,
                credential_with_key: other.me.with_key(),
            },
            leaf,
        )
        .unwrap()
        .into_contents();
    let commit = commit.to_bytes().unwrap();
    assert_eq!(verdict(&s.world, &s.defender, &mut s.theirs, &commit), Check::Continuity);
}

#[test]
fn staff_of_a_foreign_unit_or_root_stay_out() {
    let mut s = scene();
    let admin = s.world.admin();
    let key = s.world.key();
    let chain = s.world.certify_unit(&key, "no.emb.elsewhere", UnitKind::BilateralMission);
    let foreign = s.world.device_of(&(key, chain), "Officer X", &[Role::Staff]);
    let aad = assignment::to_commit_data(&[s.world.assign(&admin, &foreign)], s.world.now);
    let packages = vec![foreign.package(&s.world)];
    assert_eq!(s.judge(Forgery { packages, aad, ..Forgery::default() }), Check::Chain);

    let mut s = scene();
    let admin = s.world.admin();
    let elsewhere = World::seeded(99).officer("Officer X");
    let aad = assignment::to_commit_data(&[s.world.assign(&admin, &elsewhere)], s.world.now);
    let packages = vec![elsewhere.package(&s.world)];
    assert_eq!(s.judge(Forgery { packages, aad, ..Forgery::default() }), Check::Chain);
}

#[test]
fn a_member_is_not_added_twice() {
    let mut s = scene();
    let (admin, colleague) = (s.world.admin(), s.world.officer("Officer B"));
    let assignment = s.world.assign(&admin, &colleague);
    let package = colleague.package(&s.world);
    let env = s.officer.env(&s.world);
    let pending =
        s.case.add(&env, &s.officer.me, &[package], std::slice::from_ref(&assignment)).unwrap();
    s.case.merge_pending(&env).unwrap();
    s.defender.follow(&s.world, &mut s.theirs, &pending.commit);
    let again = s.case.add(&env, &s.officer.me, &[colleague.package(&s.world)], &[assignment]);
    assert!(matches!(again, Err(GroupError::Rejected(r)) if r.check == Check::NoDuplicateKey));
}

#[test]
fn expired_certificates_stop_commits_but_not_messages() {
    let mut s = scene();
    let late = s.world.now + 31 * 86_400;
    let env = s.officer.env(&s.world);
    let message = s.case.encrypt(&env, &s.officer.me, b"late", None).unwrap();
    let aad = assignment::to_commit_data(&[], late);
    let commit = Forgery { aad, ..Forgery::default() }.commit(&s.world, &s.officer, &mut s.case);
    let env = s.defender.env_at(&s.world, late);
    let Inbound::Rejected(rejection) = s.theirs.process(&env, &commit, None).unwrap() else {
        panic!("accepted")
    };
    assert_eq!(rejection.check, Check::Chain);
    assert!(rejection.why.contains("admin must renew"), "{}", rejection.why);
    let Inbound::Application(message) = s.theirs.process(&env, &message, None).unwrap() else {
        panic!("refused")
    };
    assert_eq!(message.findings, [Finding::Lapsed]);
}

/// Who reads a slot weeks later judges it as the others did then, or the group would fork.
#[test]
fn a_straggler_judges_a_commit_by_the_time_it_was_made() {
    let mut s = scene();
    let (admin, colleague) = (s.world.admin(), s.world.officer("Officer B"));
    let assignment = [s.world.assign(&admin, &colleague)];
    let package = [colleague.package(&s.world)];
    let env = s.officer.env(&s.world);
    let added = s.case.add(&env, &s.officer.me, &package, &assignment).unwrap().commit;
    // Certificates, assignment and key package have all ended.
    let env = s.defender.env_at(&s.world, s.world.now + 100 * 86_400);
    let Inbound::Commit(staged) = s.theirs.process(&env, &added, None).unwrap() else {
        panic!("refused")
    };
    s.theirs.merge_staged(&env, *staged).unwrap();
}

#[test]
fn a_commit_that_is_older_than_the_last_or_of_no_time_is_void() {
    for (aad, void) in [
        (Vec::new(), true),
        (assignment::to_commit_data(&[], -1), true),
        (assignment::to_commit_data(&[], World::new().now - 3_700), true),
        (assignment::to_commit_data(&[], World::new().now - 3_000), false),
    ] {
        let mut s = scene();
        let first = s.case.update(&s.officer.env(&s.world), &s.officer.me).unwrap().commit;
        s.case.merge_pending(&s.officer.env(&s.world)).unwrap();
        s.defender.follow(&s.world, &mut s.theirs, &first);
        let forgery = Forgery { aad, timeless: true, ..Forgery::default() };
        let commit = forgery.commit(&s.world, &s.officer, &mut s.case);
        if void {
            let check = verdict(&s.world, &s.defender, &mut s.theirs, &commit);
            assert_eq!(check, Check::MadeAt);
            assert!(check.same_for_all());
        } else {
            s.defender.follow(&s.world, &mut s.theirs, &commit);
        }
    }
}

#[test]
fn a_commit_from_the_future_waits() {
    let mut s = scene();
    let env = s.officer.env_at(&s.world, s.world.now + 3_700);
    let commit = s.case.update(&env, &s.officer.me).unwrap().commit;
    let before = s.defender.store.savepoint();
    let check = verdict(&s.world, &s.defender, &mut s.theirs, &commit);
    assert_eq!(check, Check::FromTheFuture);
    assert!(!check.same_for_all(), "it becomes good when its time has come");
    s.defender.store.rollback(&before);
    let env = s.defender.env_at(&s.world, s.world.now + 200);
    let mut theirs = Group::load(&env, s.theirs.id()).unwrap().unwrap();
    assert!(matches!(theirs.process(&env, &commit, None).unwrap(), Inbound::Commit(_)));
}

/// A device whose clock is behind follows the others' time in what it makes.
#[test]
fn a_slow_clock_makes_commits_that_the_others_take() {
    let mut s = scene();
    let first = s.case.update(&s.officer.env(&s.world), &s.officer.me).unwrap().commit;
    s.case.merge_pending(&s.officer.env(&s.world)).unwrap();
    s.defender.follow(&s.world, &mut s.theirs, &first);
    let slow = s.defender.env_at(&s.world, s.world.now - 3 * 3_600);
    let commit = s.theirs.update(&slow, &s.defender.me).unwrap().commit;
    s.officer.follow(&s.world, &mut s.case, &commit);
}

#[test]
fn altered_bytes_and_welcomes_for_others_are_refused() {
    let mut s = scene();
    let commit = s.case.update(&s.officer.env(&s.world), &s.officer.me).unwrap().commit;
    for place in [commit.len() / 2, commit.len() - 1] {
        let mut altered = commit.clone();
        altered[place] ^= 1;
        assert_eq!(verdict(&s.world, &s.defender, &mut s.theirs, &altered), Check::Authentic);
    }
    let cut = &commit[..commit.len() - 1];
    assert_eq!(verdict(&s.world, &s.defender, &mut s.theirs, cut), Check::Authentic);
    let (reed, env) = (Device::defender(&s.world, "REED"), s.officer.env(&s.world));
    let mut other = Group::create(&env, &s.officer.me, &s.world.case()).unwrap();
    let package = reed.package(&s.world);
    let welcome = other.add(&env, &s.officer.me, &[package], &[]).unwrap().welcome.unwrap();
    s.defender.package(&s.world);
    let env = s.defender.env(&s.world);
    let refused = Group::join(&env, &s.defender.me, &welcome, &s.world.expect());
    assert!(matches!(refused, Err(GroupError::NoKeyPackage)), "for another key package");
}

#[test]
fn a_commit_is_not_taken_twice() {
    let mut s = scene();
    let commit = s.case.update(&s.officer.env(&s.world), &s.officer.me).unwrap().commit;
    s.defender.follow(&s.world, &mut s.theirs, &commit);
    let again = s.theirs.process(&s.defender.env(&s.world), &commit, None).unwrap();
    assert!(matches!(again, Inbound::Stale { epoch: 1 }), "{again:?}");
}

/// A member that is about to be removed knows the slot and fills it: the others move on, with the
/// same commit.
#[test]
fn a_slot_full_of_garbage_leads_to_the_next_attempt() {
    use crate::group::Outcome;
    let mut s = scene();
    let mut rng = s.world.rng.borrow_mut().clone();
    let env = s.officer.env(&s.world);
    let keys = s.theirs.slot_keys(&s.defender.env(&s.world), 0).unwrap();
    let garbage: Vec<_> =
        (0..4_u8).map(|n| keys.seal_entry(&[n; 100], &mut rng).unwrap()).collect();
    let entries: Vec<_> = garbage.iter().map(|cells| Some(cells.as_slice())).collect();
    let removal = s.case.remove(&env, &s.officer.me, &[1]).unwrap().commit;
    let reading = s.case.read_slot(&env, &entries[..3], None).unwrap();
    assert!(matches!(reading.outcome, Outcome::Open), "{reading:?}");
    let reading = s.case.read_slot(&env, &entries, None).unwrap();
    assert!(matches!(reading.outcome, Outcome::Spoilt), "{reading:?}");
    assert_eq!((s.case.epoch(), s.case.slot_attempt()), (1, 1));
    assert_eq!(s.case.pending().unwrap().commit, removal);
    let next = s.case.slot_keys(&env, 1).unwrap();
    let cells = next.seal_entry(&removal, &mut rng).unwrap();
    let reading = s.case.read_slot(&env, &[None, Some(&cells)], None).unwrap();
    assert!(matches!(reading.outcome, Outcome::Won { place: 1 }), "{reading:?}");
    let slot = s.case.slot_keys(&env, 0).unwrap().id();
    assert_ne!(slot, next.id(), "who is gone does not know the next epoch's slot");
}

#[test]
fn renewed_certificates_pass_and_heal() {
    let mut s = scene();
    let late = s.world.now + 20 * 86_400;
    let unit = s.world.unit.clone();
    let request = crate::cert::DeviceRequest::make(
        s.officer.me.signing_key(),
        "Officer A",
        &[Role::Staff],
        late,
    )
    .unwrap();
    let request = crate::cert::DeviceRequest::from_bytes(&request).unwrap();
    let roles = [Role::Staff, Role::ContactPerson];
    let chain = crate::cert::issue_device(&unit.0, &unit.1, &request, &roles, late).unwrap();
    let me = Identity::staff(s.officer.me.signing_key().clone(), chain);
    let commit = s.case.update(&s.officer.env_at(&s.world, late), &me).unwrap().commit;
    let much_later = s.world.now + 40 * 86_400;
    let env = s.defender.env_at(&s.world, much_later);
    let Inbound::Commit(staged) = s.theirs.process(&env, &commit, None).unwrap() else {
        panic!("refused")
    };
    assert!(!staged.committer().lapsed(much_later));
}

#[test]
fn proposals_outside_commits_are_refused() {
    let mut s = scene();
    let env = s.officer.env(&s.world);
    let (proposal, _) = s
        .case
        .mls
        .propose_remove_member(
            &env.provider(),
            &s.officer.me,
            openmls::prelude::LeafNodeIndex::new(1),
        )
        .unwrap();
    let proposal = proposal.to_bytes().unwrap();
    assert_eq!(verdict(&s.world, &s.defender, &mut s.theirs, &proposal), Check::NoLooseProposal);
}

#[test]
fn external_commits_are_refused() {
    let mut s = scene();
    let stranger = Device::defender(&s.world, "REED");
    let info = s
        .case
        .mls
        .export_group_info(&s.world.suite.crypto, &s.officer.me, true)
        .unwrap()
        .to_bytes()
        .unwrap();
    let MlsMessageBodyIn::GroupInfo(info) =
        MlsMessageIn::tls_deserialize_exact_bytes(&info).unwrap().extract()
    else {
        panic!("not a group info")
    };
    let env = stranger.env(&s.world);
    let provider = env.provider();
    let leaf = openmls::prelude::LeafNodeParameters::builder()
        .with_capabilities(crate::group::charter::capabilities())
        .build();
    let (_, bundle) = openmls::prelude::ExternalCommitBuilder::new()
        .build_group(&provider, info, stranger.me.with_key())
        .unwrap()
        .leaf_node_parameters(leaf)
        .load_psks(&provider.storage)
        .unwrap()
        .build(&s.world.suite.crypto, &s.world.suite.crypto, &stranger.me, |_| true)
        .unwrap()
        .finalize(&provider)
        .unwrap();
    let commit = bundle.into_contents().0.to_bytes().unwrap();
    for (device, group) in [(&s.officer, &mut s.case), (&s.defender, &mut s.theirs)] {
        assert_eq!(verdict(&s.world, device, group, &commit), Check::NoExternalCommit);
    }
}

#[test]
fn a_group_info_or_key_package_is_no_message() {
    let mut s = scene();
    let package = s.officer.package(&s.world);
    let env = s.defender.env(&s.world);
    let Inbound::Rejected(rejection) = s.theirs.process(&env, package.bytes(), None).unwrap()
    else {
        panic!("accepted")
    };
    assert_eq!(rejection.check, Check::PrivateOnly);
}

#[test]
fn messages_of_another_group_are_refused() {
    let mut s = scene();
    let other = Device::defender(&s.world, "REED");
    let (mut elsewhere, _) = s.world.pair(&s.officer, &other);
    let env = s.officer.env(&s.world);
    let message = elsewhere.encrypt(&env, &s.officer.me, b"x", None).unwrap();
    assert_eq!(verdict(&s.world, &s.defender, &mut s.theirs, &message), Check::WrongGroup);
}

#[test]
fn an_unknown_frame_is_refused_and_changes_no_counter() {
    let mut s = scene();
    let env = s.officer.env(&s.world);
    for content in [b"no frame".to_vec(), vec![0x08, 0x02]] {
        let message: MlsMessageOut =
            s.case.mls.create_message(&env.provider(), &s.officer.me, &content).unwrap();
        let message = message.to_bytes().unwrap();
        assert_eq!(verdict(&s.world, &s.defender, &mut s.theirs, &message), Check::Frame);
    }
    let good = s.case.encrypt(&env, &s.officer.me, b"good", None).unwrap();
    let env = s.defender.env(&s.world);
    let Inbound::Application(good) = s.theirs.process(&env, &good, None).unwrap() else {
        panic!("refused")
    };
    assert!(good.findings.is_empty());
}

#[test]
fn defenders_have_no_place_in_a_team() {
    let world = World::new();
    let (officer, defender) = (world.officer("Officer A"), Device::defender(&world, "HERON"));
    let team = world.charter(GroupKind::Team);
    let refused = Group::create(&defender.env(&world), &defender.me, &team);
    assert!(matches!(refused, Err(GroupError::Rejected(r)) if r.check == Check::PartyAllowed));
    let mut team = Group::create(&officer.env(&world), &officer.me, &team).unwrap();
    let package = defender.package(&world);
    let refused = team.add(&officer.env(&world), &officer.me, &[package], &[]);
    assert!(matches!(refused, Err(GroupError::Rejected(r)) if r.check == Check::PartyAllowed));
}

#[test]
fn welcomes_must_be_what_was_expected() {
    let world = World::new();
    let (officer, defender) = (world.officer("Officer A"), Device::defender(&world, "HERON"));
    let env = officer.env(&world);
    let mut case = Group::create(&env, &officer.me, &world.case()).unwrap();
    let pending = case.add(&env, &officer.me, &[defender.package(&world)], &[]).unwrap();
    let welcome = pending.welcome.unwrap();
    let good = world.expect();
    let before = defender.store.savepoint();
    let cases = [
        Expect { kind: GroupKind::Team, ..good.clone() },
        Expect { root: [1; 32], ..good.clone() },
        Expect { unit: "no.emb.elsewhere".to_owned(), ..good.clone() },
        Expect { case_id: Some(b"case-2".to_vec()), ..good.clone() },
        Expect { terms: None, ..good.clone() },
        Expect { terms: Some([1; 32]), ..good.clone() },
    ];
    for expect in cases {
        let refused = Group::join(&defender.env(&world), &defender.me, &welcome, &expect);
        assert!(
            matches!(&refused, Err(GroupError::Rejected(r)) if r.check == Check::WelcomeExpected),
            "{refused:?}"
        );
        // Pitfall 3: the key package is gone although the join failed.
        let again = Group::join(&defender.env(&world), &defender.me, &welcome, &good);
        assert!(matches!(again, Err(GroupError::NoKeyPackage)));
        defender.store.rollback(&before);
    }
    Group::join(&defender.env(&world), &defender.me, &welcome, &good).unwrap();
}

#[test]
fn a_welcome_replaces_a_group_only_when_asked() {
    let mut s = scene();
    let admin = s.world.admin();
    let env = s.officer.env(&s.world);
    // The defender says its state is lost; its leaf is removed and added again, assigned by an
    // admin.
    let package = s.defender.package(&s.world);
    let assignment = s.world.assign(&admin, &s.defender);
    let pending = s.case.change(&env, &s.officer.me, &[package], &[1], &[assignment]).unwrap();
    s.case.merge_pending(&env).unwrap();
    let welcome = pending.welcome.unwrap();
    let before = s.defender.store.savepoint();
    let env = s.defender.env(&s.world);
    let refused = Group::join(&env, &s.defender.me, &welcome, &s.world.expect());
    assert!(matches!(refused, Err(GroupError::Rejected(r)) if r.check == Check::NoSilentReplace));
    s.defender.store.rollback(&before);
    let expect = Expect { replace: true, ..s.world.expect() };
    let mut theirs = Group::join(&env, &s.defender.me, &welcome, &expect).unwrap();
    let message = theirs.encrypt(&env, &s.defender.me, b"back", None).unwrap();
    let env = s.officer.env(&s.world);
    let Inbound::Application(message) = s.case.process(&env, &message, None).unwrap() else {
        panic!("refused")
    };
    assert_eq!(message.content.as_slice(), b"back");
}

#[test]
fn a_lapsed_member_keeps_newcomers_out_until_removed() {
    let world = World::new();
    let (officer, colleague) = (world.officer("Officer A"), world.officer("Officer B"));
    let defender = Device::defender(&world, "HERON");
    let env = officer.env(&world);
    let mut case = Group::create(&env, &officer.me, &world.case()).unwrap();
    let packages = [defender.package(&world), colleague.package(&world)];
    let pending = case.add(&env, &officer.me, &packages, &[]).unwrap();
    let late = world.now + 31 * 86_400;
    let env = defender.env_at(&world, late);
    let refused = Group::join(&env, &defender.me, &pending.welcome.unwrap(), &world.expect());
    assert!(matches!(refused, Err(GroupError::Rejected(r)) if r.check == Check::Chain));
}

#[test]
fn every_member_judges_alike() {
    let world = World::new();
    let (officer, colleague) = (world.officer("Officer A"), world.officer("Officer B"));
    let defender = Device::defender(&world, "HERON");
    let [mut case, mut theirs, mut third] = three(&world, [&officer, &defender, &colleague]);
    let package = world.officer("Officer C").package(&world);
    let commit = Forgery { packages: vec![package], ..Forgery::default() }
        .commit(&world, &officer, &mut case);
    let verdicts = [
        verdict(&world, &defender, &mut theirs, &commit),
        verdict(&world, &colleague, &mut third, &commit),
    ];
    assert_eq!(verdicts, [Check::Assignment; 2]);
}

#[test]
fn key_packages_hold_four_weeks_by_the_callers_clock() {
    use openmls::prelude::{KeyPackage as MlsKeyPackage, Lifetime, MlsMessageOut};
    let world = World::new();
    let defender = Device::defender(&world, "HERON");
    let package = crate::group::KeyPackage::create(&defender.env(&world), &defender.me).unwrap();
    let parse = |now| {
        crate::group::KeyPackage::parse(&defender.env_at(&world, now), package.bytes())
            .map(|_| ())
            .map_err(|rejection| rejection.check)
    };
    let end = world.now + crate::group::KEY_PACKAGE_LIFETIME;
    assert_eq!(parse(end - 1), Ok(()));
    assert_eq!(parse(end), Err(Check::Lifetime));
    assert_eq!(parse(world.now - 3_601), Err(Check::Lifetime));
    let env = defender.env(&world);
    let now = u64::try_from(world.now).unwrap();
    let long = MlsKeyPackage::builder()
        .key_package_lifetime(Lifetime::init(now - 3_600, now + 29 * 86_400))
        .leaf_node_capabilities(crate::group::charter::capabilities())
        .build(crate::suite::CIPHERSUITE, &env.provider(), &defender.me, defender.me.with_key())
        .unwrap();
    let long = MlsMessageOut::from(long.into_key_package()).to_bytes().unwrap();
    let refused = crate::group::KeyPackage::parse(&env, &long).unwrap_err();
    assert_eq!(refused.check, Check::Lifetime);
}

#[test]
fn proposals_of_other_kinds_are_refused() {
    use openmls::{
        prelude::{PreSharedKeyProposal, Proposal},
        schedule::PreSharedKeyId,
    };
    let mut s = scene();
    // Both sides hold the secret, so that the library itself has nothing against it.
    let id = PreSharedKeyId::external(b"psk".to_vec(), vec![1; 32]);
    for device in [&s.officer, &s.defender] {
        id.store(&device.env(&s.world).provider(), b"secret").unwrap();
    }
    let proposals = vec![Proposal::PreSharedKey(Box::new(PreSharedKeyProposal::new(id)))];
    assert_eq!(s.judge(Forgery { proposals, ..Forgery::default() }), Check::ProposalKinds);
}

#[test]
fn own_commits_are_held_to_the_same() {
    let mut s = scene();
    let env = s.officer.env_at(&s.world, s.world.now + 31 * 86_400);
    let refused = s.case.update(&env, &s.officer.me);
    assert!(matches!(refused, Err(GroupError::Rejected(r)) if r.check == Check::Chain));
    let renamed = Identity::defender(s.defender.me.signing_key().clone(), "REED").unwrap();
    let refused = s.theirs.update(&s.defender.env(&s.world), &renamed);
    assert!(matches!(refused, Err(GroupError::Rejected(r)) if r.check == Check::DefenderFixed));
}

/// What the reader's newest directory, made `later` seconds from now, says of a device.
fn revoke(world: &World, reader: &Device, device: &Device, later: i64) {
    use crate::directory::{Contents, Directory, Reason, Revocation, Revoked, Trust};
    let what = Revoked::Device(device.me.key());
    let of = Revocation { what, reason: Reason::Lost, since: 0, listed_at: 0 };
    let contents = Contents { revocations: vec![of], ..Contents::default() };
    let (key, chain) = &world.issuer;
    let bytes = contents.sign(key, chain, None, world.now + later).unwrap();
    let root = world.fingerprint();
    let mut trust = Trust::load(&reader.store, &root).unwrap();
    trust.take(&Directory::verify(&bytes, &root, world.now).unwrap());
    trust.save(&reader.store, &root).unwrap();
}

#[test]
fn a_revoked_device_is_refused_on_every_way_in() {
    let mut s = scene();
    let (world, officer, defender) = (&s.world, &s.officer, &s.defender);
    let admin = world.admin();
    let colleague = world.officer("Officer B");
    let (lost, package) = (world.officer("Officer C"), world.officer("Officer D"));
    let assignment =
        |to: &Device| assignment::to_commit_data(&[world.assign(&admin, to)], world.now);
    let refused = |theirs: &mut Group, commit: &[u8]| {
        assert_eq!(verdict(world, defender, theirs, commit), Check::Revoked);
    };
    // An Add of it, though its key package was made before.
    let (packages, aad) = (vec![lost.package(world)], assignment(&lost));
    revoke(world, defender, &lost, -1);
    let commit =
        Forgery { packages, aad, ..Forgery::default() }.commit(world, officer, &mut s.case);
    refused(&mut s.theirs, &commit);
    s.case.clear_pending(&officer.env(world)).unwrap();
    // Its key package at whoever knows.
    let own = KeyPackage::create(&lost.env(world), &lost.me).unwrap();
    let parsed = KeyPackage::parse(&defender.env(world), own.bytes());
    assert!(matches!(parsed, Err(r) if r.check == Check::Revoked));
    // What a revoked admin assigns.
    revoke(world, defender, &admin, -1);
    let (packages, aad) = (vec![package.package(world)], assignment(&package));
    let commit =
        Forgery { packages, aad, ..Forgery::default() }.commit(world, officer, &mut s.case);
    refused(&mut s.theirs, &commit);
    s.case.clear_pending(&officer.env(world)).unwrap();
    // What it commits itself, and its own committing once it knows.
    revoke(world, defender, officer, -1);
    let commit = Forgery::default().commit(world, officer, &mut s.case);
    refused(&mut s.theirs, &commit);
    s.case.clear_pending(&officer.env(world)).unwrap();
    let said = s.case.encrypt(&officer.env(world), &officer.me, b"content", None).unwrap();
    match s.theirs.process(&defender.env(world), &said, None).unwrap() {
        Inbound::Application(said) => assert_eq!(said.findings, [Finding::Revoked]),
        other => panic!("{other:?}"),
    }
    revoke(world, officer, officer, -1);
    let own = s.case.update(&officer.env(world), &officer.me);
    assert!(matches!(own, Err(GroupError::Rejected(r)) if r.check == Check::Revoked));
    // A group with it in.
    let founder = world.officer("Officer E");
    let env = founder.env(world);
    let mut group = Group::create(&env, &founder.me, &world.case()).unwrap();
    let packages = [defender.package(world), colleague.package(world)];
    let welcome = group.add(&env, &founder.me, &packages, &[]).unwrap().welcome.unwrap();
    revoke(world, defender, &colleague, -1);
    let joined = Group::join(&defender.env(world), &defender.me, &welcome, &world.expect());
    assert!(matches!(joined, Err(GroupError::Rejected(r)) if r.check == Check::Revoked));
}

/// Who replays a group's history after a revocation must come to what everybody else came to.
#[test]
fn a_revocation_does_not_reach_back_into_a_groups_history() {
    let mut s = scene();
    let (world, officer, defender) = (&s.world, &s.officer, &s.defender);
    let commit = Forgery::default().commit(world, officer, &mut s.case);
    revoke(world, defender, officer, 600);
    let earlier = defender.env_at(world, world.now + 599);
    assert!(matches!(s.theirs.process(&earlier, &commit, None).unwrap(), Inbound::Commit(_)));
}
