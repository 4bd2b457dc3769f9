//! Each rule of the directory, broken alone.

use proptest::prelude::*;

use super::*;
use crate::cert::{IssuerRequest, Role, UnitRequest, issue_issuer, issue_unit};
use crate::group::tests::common::{self, World};
use crate::testing::MemoryStore;

const RELAY: &str = "bud://aaaqeayeaudaocajbifqydiob4ibceqtcqkrmfyydenbwha5dypq@relay.example:443";

fn contents(world: &World) -> Contents {
    let unit = world.unit.1.verify_unit(&world.fingerprint(), world.now).unwrap();
    let listed = ListedUnit {
        id: unit.id,
        name: unit.name,
        kind: unit.kind,
        key: unit.key,
        notice: unit.notice,
        relays: vec![RELAY.into()],
    };
    Contents { units: vec![listed], relays: vec![RELAY.into()], ..Contents::default() }
}

/// The next directory of the world's issuer, made `later` seconds from now.
fn next(world: &World, previous: Option<&Directory>, later: i64) -> Directory {
    make(world, &contents(world), previous, later).1
}

fn make(
    world: &World,
    contents: &Contents,
    previous: Option<&Directory>,
    later: i64,
) -> (Vec<u8>, Directory) {
    let (key, chain) = &world.issuer;
    let bytes = contents.sign(key, chain, previous, world.now + later).unwrap();
    let directory = Directory::verify(&bytes, &world.fingerprint(), world.now).unwrap();
    (bytes, directory)
}

/// What an issuer would sign with another program: `change` has the body.
fn forged(
    world: &World,
    change: impl FnOnce(&mut pb::DirectoryBody),
) -> Result<Directory, DirectoryError> {
    let bytes = make(world, &contents(world), None, 0).0;
    let signed = signed::parse(&bytes).unwrap();
    let mut body = pb::DirectoryBody::decode(signed.body.as_slice()).unwrap();
    change(&mut body);
    let bytes = signed::seal(DOMAIN, &world.issuer.0, body.encode_to_vec());
    Directory::verify(&bytes, &world.fingerprint(), world.now)
}

#[test]
fn a_directory_says_what_went_in() {
    let world = World::new();
    let made = next(&world, None, 0);
    assert_eq!((made.number, made.valid_until - made.made_at), (1, LIFETIME));
    assert_eq!(made.units[0].id, common::UNIT);
    assert!(made.units == contents(&world).units && made.relays == [RELAY]);
    let second = next(&world, Some(&made), 60);
    assert_eq!(second.number, 2);
    assert_eq!(Ok(Standing::Newer), second.against(Some(&made), &Trust::default()));
}

fn holder(key: usize) -> pb::Holder {
    pb::Holder { name: "Holder".into(), key: vec![1; key] }
}

type Change<'a> = (&'a str, Box<dyn Fn(&mut pb::DirectoryBody) + 'a>);

#[test]
fn whatever_breaks_a_bound_is_malformed() {
    let world = World::new();
    assert!(forged(&world, |_| {}).is_ok());
    let device = world.unit.0.public().as_bytes().to_vec();
    let revocation = |what| pb::Revocation { what, ..pb::Revocation::default() };
    let unit = pb::revocation::What::Unit(device.clone());
    let issuer = pb::revocation::What::Issuer(device.clone());
    let cases: Vec<Change<'_>> = vec![
        ("version", Box::new(|body| body.version = 2)),
        ("number 0", Box::new(|body| body.number = 0)),
        ("a number without its history", Box::new(|body| body.number = 2)),
        ("a history without its number", Box::new(|body| body.history.push(vec![1; 32]))),
        ("holds too long", Box::new(|body| body.valid_until += 1)),
        ("ends before it begins", Box::new(|body| body.valid_until = body.made_at)),
        (
            "a hash that is none",
            Box::new(|body| {
                body.number = 2;
                body.history.push(vec![1; 31]);
            }),
        ),
        ("a relay that is none", Box::new(|body| body.relays.push("relay.example".into()))),
        ("two holders", Box::new(|body| body.holders = vec![holder(1_216); 2])),
        ("a holder's key", Box::new(|body| body.holders = vec![holder(1_215); 3])),
        ("too many relays", Box::new(|body| body.relays = vec![RELAY.into(); MAX_RELAYS + 1])),
        (
            "too many units",
            Box::new(|body| {
                body.units = vec![body.units[0].clone(); MAX_UNITS + 1];
            }),
        ),
        ("a unit's id", Box::new(|body| body.units[0].id = "Karvonia".into())),
        ("a unit's name", Box::new(|body| body.units[0].name.clear())),
        ("a unit's kind", Box::new(|body| body.units[0].kind = 9)),
        ("a unit's key", Box::new(|body| body.units[0].key = vec![0; 32])),
        ("a unit's notice", Box::new(|body| body.units[0].notice_key.clear())),
        ("a unit's relay", Box::new(|body| body.units[0].relays = vec!["x".into()])),
        ("a unit's relays", Box::new(|body| body.units[0].relays = vec![RELAY.into(); 9])),
        ("nothing revoked", Box::new(|body| body.revocations.push(revocation(None)))),
        (
            "listed before it was made",
            Box::new(|body| {
                let mut of = revocation(Some(unit.clone()));
                of.listed_at = body.made_at + 1;
                body.revocations.push(of);
            }),
        ),
        (
            "an issuer revoked by itself",
            Box::new(|body| {
                body.revocations.push(revocation(Some(issuer.clone())));
            }),
        ),
        (
            "too much revoked",
            Box::new(|body| {
                body.revocations = vec![revocation(Some(unit.clone())); MAX_REVOCATIONS + 1];
            }),
        ),
        ("a root's word that is none", Box::new(|body| body.root_revocations.push(vec![7; 90]))),
        ("a longer chain", Box::new(|body| body.chain = world.unit.1.to_bytes())),
    ];
    for (name, change) in cases {
        assert_eq!(forged(&world, change), Err(DirectoryError::Malformed), "{name}");
    }
    let long = vec![0; MAX_LEN + 1];
    let verified = Directory::verify(&long, &world.fingerprint(), world.now);
    assert_eq!(verified, Err(DirectoryError::Malformed));
}

#[test]
fn only_the_issuer_of_this_root_signs_it_and_only_in_its_time() {
    let world = World::new();
    let bytes = make(&world, &contents(&world), None, 0).0;
    let root = world.fingerprint();
    let of_other_root = Directory::verify(&bytes, &[7; 32], world.now);
    assert_eq!(of_other_root, Err(CertError::WrongRoot.into()));
    let year = 366 * 86_400;
    let late = Directory::verify(&bytes, &root, world.now + year);
    assert!(matches!(late, Err(DirectoryError::Certificate(CertError::Expired { .. }))));
    // A unit's key, or anybody's, signs none.
    let mut signed = signed::parse(&bytes).unwrap();
    signed.signature = world.unit.0.sign(DOMAIN, &signed.body).to_vec();
    let forged = Directory::verify(&signed.encode_to_vec(), &root, world.now);
    assert_eq!(forged, Err(DirectoryError::Forged));
    // Nor does the issuer's signature for another purpose.
    signed.signature = world.issuer.0.sign("certificate", &signed.body).to_vec();
    let forged = Directory::verify(&signed.encode_to_vec(), &root, world.now);
    assert_eq!(forged, Err(DirectoryError::Forged));
    // Nobody signs with a key that the chain does not certify.
    let refused = contents(&world).sign(&world.unit.0, &world.issuer.1, None, world.now);
    assert_eq!(refused, Err(CertError::NotYourCertificate.into()));
}

/// Whose clock is behind learns the time from the directory, so it must be able to read it.
#[test]
fn a_directory_is_read_by_a_clock_that_is_behind() {
    let world = World::new();
    let bytes = make(&world, &contents(&world), None, 0).0;
    let behind = world.now - 400 * 86_400;
    assert!(Directory::verify(&bytes, &world.fingerprint(), behind).is_ok());
}

#[test]
fn what_does_not_follow_from_the_one_held_is_a_fork() {
    let world = World::new();
    let trust = Trust::default();
    let first = next(&world, None, 0);
    let second = next(&world, Some(&first), 60);
    let third = next(&world, Some(&second), 120);
    let other_second = next(&world, Some(&first), 61);
    let other_third = next(&world, Some(&other_second), 122);
    let stands = |new: &Directory, held: &Directory| new.against(Some(held), &trust).unwrap();
    assert_eq!(first.against(None, &trust), Ok(Standing::Newer));
    assert_eq!(stands(&second, &second), Standing::Same);
    assert_eq!(stands(&third, &first), Standing::Newer);
    assert_eq!(stands(&first, &third), Standing::Older);
    assert_eq!(stands(&other_second, &second), Standing::Forked);
    assert_eq!(stands(&other_third, &second), Standing::Forked);
    assert_eq!(stands(&other_second, &third), Standing::Forked);
    // Made upon the one held, and before it.
    let early = next(&world, Some(&second), 30);
    assert_eq!(stands(&early, &second), Standing::Forked);
}

#[test]
fn a_history_reaches_back_sixty_four_directories() {
    let world = World::new();
    let first = next(&world, None, 0);
    let mut newest = first.clone();
    for later in 1..=64 {
        newest = next(&world, Some(&newest), later);
    }
    let trust = Trust::default();
    assert_eq!(newest.against(Some(&first), &trust), Ok(Standing::Newer));
    let after = next(&world, Some(&newest), 70);
    assert_eq!(after.against(Some(&first), &trust), Ok(Standing::AfterGap));
    assert_eq!(first.against(Some(&after), &trust), Ok(Standing::Older));
}

#[test]
fn revoked_keys_count_no_more_whatever_certifies_them() {
    let world = World::new();
    let root = world.fingerprint();
    let [officer, colleague] = ["Officer A", "Officer B"].map(|label| world.officer(label));
    let verified = |device: &common::Device| {
        device.chain.as_ref().unwrap().verify_device(&root, world.now).unwrap()
    };
    let (lost, other) = (verified(&officer), verified(&colleague));
    let trust = |what, listed_at| {
        let of = Revocation { what, reason: Reason::Lost, since: world.now - 9, listed_at };
        let contents = Contents { revocations: vec![of], ..contents(&world) };
        let mut trust = Trust::default();
        trust.take(&make(&world, &contents, None, 0).1);
        trust
    };
    let of_device = trust(Revoked::Device(lost.key), 0);
    assert!(of_device.check_device(&other).is_ok());
    let refused = of_device.check_device(&lost).unwrap_err();
    let level = crate::cert::Level::Device;
    assert_eq!(refused, CertError::Revoked { level, reason: Reason::Lost, since: world.now - 9 });
    // The same key under a new certificate.
    let request = crate::cert::DeviceRequest::make(
        officer.me.signing_key(),
        "Officer C",
        &[Role::Staff],
        world.now,
    )
    .unwrap();
    let request = crate::cert::DeviceRequest::from_bytes(&request).unwrap();
    let again = crate::cert::issue_device(
        &world.unit.0,
        &world.unit.1,
        &request,
        &[Role::Staff],
        world.now,
    )
    .unwrap()
    .verify_device(&root, world.now)
    .unwrap();
    assert!(of_device.check_device(&again).is_err());
    // In a group's history it counts from when it was first listed.
    assert!(of_device.check_device_at(&lost, world.now - 1).is_ok());
    assert!(of_device.check_device_at(&lost, world.now).is_err());
    // A unit's takes all its devices with it.
    let of_unit = trust(Revoked::Unit(lost.unit.key), 0);
    assert!(of_unit.check_unit(&lost.unit).is_err() && of_unit.check_device(&other).is_err());
    let of_other = trust(Revoked::Unit(world.key().public()), 0);
    assert!(of_other.check_device(&lost).is_ok());
    let relay: RelayAddress = RELAY.parse().unwrap();
    let of_relay = trust(Revoked::Relay(relay.id), 0);
    assert!(of_relay.of_relay(&relay.id).is_some() && of_device.of_relay(&relay.id).is_none());
    assert!(of_relay.check_device(&lost).is_ok());
}

#[test]
fn only_the_root_revokes_an_issuer_and_only_its_own() {
    let world = World::new();
    let (now, root) = (world.now, world.fingerprint());
    let issuer = world.issuer.0.public();
    let word = RootRevocation::sign(&world.root, &issuer, Reason::Compromised, now - 60, now);
    assert_eq!(RootRevocation::verify(&word.to_bytes(), &root).as_ref(), Ok(&word));
    assert_eq!(RootRevocation::claimed_root(&word.to_bytes()), Some(root));
    let others = RootRevocation::sign(&world.key(), &issuer, Reason::Compromised, now, now);
    let refused = RootRevocation::verify(&others.to_bytes(), &root);
    assert_eq!(refused, Err(DirectoryError::NotByRoot));
    let mut signed = signed::parse(&word.to_bytes()).unwrap();
    signed.signature = world.issuer.0.sign("root-revocation", &signed.body).to_vec();
    let forged = RootRevocation::verify(&signed.encode_to_vec(), &root);
    assert_eq!(forged, Err(DirectoryError::NotByRoot));
    // Inside a directory too.
    let bad = forged_with(&world, &others);
    assert_eq!(bad, Err(DirectoryError::NotByRoot));
    // An issuer does not go on after its root revoked it.
    let own = forged_with(&world, &word);
    assert!(matches!(own, Err(DirectoryError::Certificate(CertError::Revoked { .. }))));

    let made = next(&world, None, 0);
    let mut trust = Trust::default();
    trust.take(&made);
    let unit = world.unit.1.verify_unit(&root, now).unwrap();
    assert!(trust.check_unit(&unit).is_ok() && !trust.is_stale(now));
    trust.take_root(&word, now);
    assert!(trust.check_unit(&unit).is_err());
    assert!(trust.made_at == 0 && trust.is_stale(now));
    let later = next(&world, Some(&made), 60);
    assert!(later.against(Some(&made), &trust).is_err());
}

fn forged_with(world: &World, word: &RootRevocation) -> Result<Directory, DirectoryError> {
    forged(world, |body| body.root_revocations.push(word.to_bytes()))
}

/// Whoever comes after a revoked issuer need not build upon what that one may have made with a
/// stolen key.
#[test]
fn a_new_issuer_begins_anew_after_the_root_revoked_the_old_one() {
    let world = World::new();
    let now = world.now;
    let key = world.key();
    let request = IssuerRequest::make(&key, "Second issuer", now).unwrap();
    let chain = issue_issuer(&world.root, &IssuerRequest::from_bytes(&request).unwrap(), now);
    let held = next(&world, Some(&next(&world, None, 0)), 60);
    let mut trust = Trust::default();
    trust.take(&held);
    let word =
        RootRevocation::sign(&world.root, &world.issuer.0.public(), Reason::Compromised, now, now);
    let sign = |contents: &Contents| {
        let bytes = contents.sign(&key, &chain, None, now).unwrap();
        Directory::verify(&bytes, &world.fingerprint(), now).unwrap()
    };
    // Without the root's word it is one that contradicts.
    let bare = sign(&contents(&world));
    assert_eq!(bare.against(Some(&held), &trust), Ok(Standing::Forked));
    let with = sign(&Contents { root_revocations: vec![word.clone()], ..contents(&world) });
    assert_eq!(with.against(Some(&held), &trust), Ok(Standing::Newer));
    let mut told = trust.clone();
    told.take_root(&word, now);
    assert_eq!(bare.against(Some(&held), &told), Ok(Standing::Newer));
    trust.take(&with);
    assert!(trust.check_issuer(&world.issuer.0.public()).is_err());
    assert!(trust.check_issuer(&key.public()).is_ok() && trust.number == 1);
    // It is not forgotten when a directory no longer carries it.
    trust.take(&sign(&contents(&world)));
    assert!(trust.check_issuer(&world.issuer.0.public()).is_err());
}

#[test]
fn trust_is_kept_root_by_root_and_ends_with_its_directory() {
    let world = World::new();
    let (store, root) = (MemoryStore::new(), world.fingerprint());
    let of = Revocation {
        what: Revoked::Device(world.key().public()),
        reason: Reason::Seized,
        since: 3,
        listed_at: 0,
    };
    let contents = Contents { revocations: vec![of], ..contents(&world) };
    let mut trust = Trust::load(&store, &root).unwrap();
    assert!(trust == Trust::default() && !trust.is_stale(i64::MAX));
    trust.take(&make(&world, &contents, None, 0).1);
    let word = RootRevocation::sign(&world.root, &world.key().public(), Reason::Left, 1, 2);
    trust.take_root(&word, world.now);
    trust.save(&store, &root).unwrap();
    assert_eq!(Trust::load(&store, &root).unwrap(), trust);
    assert_eq!(Trust::load(&store, &[1; 32]).unwrap(), Trust::default());
    assert!(!trust.is_stale(world.now + LIFETIME - 1) && trust.is_stale(world.now + LIFETIME));
}

#[test]
fn an_issuers_certificate_names_the_directory_and_a_units_request_its_relays() {
    let world = World::new();
    let now = world.now;
    let (issuer, unit, notice) = (world.key(), world.key(), world.key().public());
    let request = IssuerRequest::make_with_directory(&issuer, "Issuer", &notice, now).unwrap();
    let request = IssuerRequest::from_bytes(&request).unwrap();
    let chain = issue_issuer(&world.root, &request, now);
    let root = world.fingerprint();
    assert_eq!(chain.verify_issuer(&root, now).unwrap().directory, Some(notice));
    let made = UnitRequest {
        key: unit.public(),
        name: "Desk".into(),
        id: "no.min.desk".into(),
        kind: UnitKind::MinistryDesk,
        notice,
        relays: vec![RELAY.into()],
    };
    let request = UnitRequest::from_bytes(&made.sign(&unit, now).unwrap()).unwrap();
    assert_eq!(request, made);
    let unit_chain = issue_unit(&issuer, &chain, &request, now).unwrap();
    let verified = unit_chain.verify_unit(&root, now).unwrap();
    assert_eq!((verified.issuer, verified.directory), (issuer.public(), Some(notice)));
    assert_eq!(unit_chain.trusted_unit(&root), Ok(verified));
    assert_eq!(world.unit.1.trusted_unit(&root).unwrap().directory, None);
    assert_eq!(made.sign(&issuer, now), Err(CertError::NotYourCertificate));
    let many = UnitRequest { relays: vec![RELAY.into(); 9], ..made };
    assert_eq!(many.sign(&unit, now), Err(CertError::BadName));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..900)) {
        prop_assert!(Directory::verify(&bytes, &[0; 32], 1).is_err());
        prop_assert!(RootRevocation::verify(&bytes, &[0; 32]).is_err());
    }

    #[test]
    fn one_changed_byte_is_noticed(place in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let world = World::new();
        let (mut bytes, directory) = make(&world, &contents(&world), None, 0);
        let place = place.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let verified = Directory::verify(&bytes, &world.fingerprint(), world.now);
        prop_assert!(verified != Ok(directory));
    }
}
