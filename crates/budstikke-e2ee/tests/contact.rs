//! Invitation, bundle, first contact, envelopes, team messages, safety words.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // tests

mod common;

use std::slice;

use budstikke_e2ee::{
    armor::ArmorError,
    bundle::{BundleContents, BundleError, IntakeBundle, IntakeKey},
    cert::{CertError, UnitKind},
    contact::{ContactError, FirstContact, IntakeSecret, Route, TermsAnswer},
    envelope::{Again, Envelope, EnvelopeError, MAX_RECEIPTS, Nudge, WelcomeBody},
    group::Identity,
    invite::{Invitation, InviteError},
    keys::{HpkeSecret, SigningKey},
    safety::{Language, SafetyWords},
    suite::HpkeError,
    team::{GrantRecord, TeamMessage},
};
use budstikke_proto::proof::RECEIPT_LEN;
use common::{Device, UNIT, World};
use proptest::prelude::*;
use zeroize::Zeroizing;

const RELAYS: [&str; 2] = [
    "bud://mfrggzdfmztwq2lknnwg23tpobyxe43uov3ho6dzpiaqcaibaeaa@relay-one.example.org:4433",
    "bud://mfrggzdfmztwq2lknnwg23tpobyxe43uov3ho6dzpiaqcaibaeba@relay-two.example.net:443",
];

fn invitation(world: &World) -> Invitation {
    Invitation {
        root: world.fingerprint(),
        unit_id: UNIT.to_owned(),
        notice: world.notice.public(),
        send_id: [3; 32],
        send_secret: Zeroizing::new([4; 32]),
        relays: RELAYS.map(str::to_owned).to_vec(),
    }
}

fn intake(world: &World, id: u8) -> IntakeSecret {
    let seed = [id; 32];
    IntakeSecret { id: [id; 8], secret: HpkeSecret::from_seed(&world.suite, &seed).unwrap() }
}

fn published(world: &World, secret: &IntakeSecret) -> IntakeKey {
    IntakeKey {
        id: secret.id,
        public: secret.secret.public().clone(),
        valid_from: world.now,
        valid_until: world.now + 86_400,
    }
}

fn contents(world: &World) -> BundleContents {
    BundleContents {
        keys: vec![published(world, &intake(world, 1))],
        offers: vec![b"offer".to_vec(), b"privacy".to_vec()],
        valid_until: world.now + 86_400,
        doors: Vec::new(),
    }
}

fn bundle(world: &World) -> Vec<u8> {
    contents(world).sign(&world.unit.0, &world.unit.1, world.now).unwrap()
}

fn route() -> Route {
    Route {
        relay: RELAYS[0].to_owned(),
        send_id: [5; 32],
        send_secret: Zeroizing::new([6; 32]),
        seal_key: Zeroizing::new([7; 32]),
        label: b"label".to_vec(),
    }
}

fn contact() -> FirstContact {
    FirstContact {
        key_package: b"key package".to_vec(),
        reply: vec![route()],
        terms: TermsAnswer::Accepted([1; 32]),
        emergency: Some(b"emergency".to_vec()),
        extra: vec![b"more".to_vec()],
    }
}

#[test]
fn an_invitation_with_two_relays_fits() {
    let world = World::new();
    let invitation = invitation(&world);
    let text = invitation.to_text().unwrap();
    assert!(text.len() < 400, "{} bytes", text.len());
    assert!(text.starts_with("budinvite1"));
    assert_eq!(Invitation::from_text(&text).unwrap(), invitation);
    let wrapped: String =
        text.as_bytes().chunks(60).flat_map(|line| [as_str(line), "\r\n"]).collect();
    assert_eq!(Invitation::from_text(&wrapped).unwrap(), invitation);
}

fn as_str(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn odd_relay_addresses_survive() {
    let world = World::new();
    let mut invitation = invitation(&world);
    invitation.relays = [
        "bud://short@host:1",
        "bud://MFRGGZDFMZTWQ2LKNNWG23TPOBYXE43UOV3HO6DZPIAQCAIBAEAA@upper.example:1",
        "https://plain.example",
        "bud://00000000000000000000000000000000000000000000000000000000000000ff@hex.example:1",
    ]
    .map(str::to_owned)
    .to_vec();
    let text = invitation.to_text().unwrap();
    assert_eq!(Invitation::from_text(&text).unwrap(), invitation);
}

#[test]
fn a_copying_error_is_told_as_one() {
    let world = World::new();
    let text = invitation(&world).to_text().unwrap();
    for n in 10..text.len() {
        let mut typo = text.clone().into_bytes();
        typo[n] = if typo[n] == b'A' { b'B' } else { b'A' };
        let error = Invitation::from_text(as_str(&typo)).unwrap_err();
        assert!(
            matches!(error, InviteError::Text(ArmorError::Checksum | ArmorError::Characters)),
            "character {n}: {error:?}"
        );
    }
    let cut = Invitation::from_text(&text[..text.len() - 4]).unwrap_err();
    assert_eq!(cut, InviteError::Text(ArmorError::Checksum));
    let other = Invitation::from_text("bud://relay").unwrap_err();
    assert_eq!(other, InviteError::Text(ArmorError::Prefix("budinvite1")));
    assert!(other.to_string().contains("budinvite1"), "{other}");
}

#[test]
fn invitations_without_sense_are_not_made() {
    let world = World::new();
    let mut none = invitation(&world);
    none.relays.clear();
    assert_eq!(none.to_text(), Err(InviteError::Relays));
    let mut unit = invitation(&world);
    unit.unit_id = "Embassy".to_owned();
    assert_eq!(unit.to_text(), Err(InviteError::UnitId));
}

#[test]
fn a_bundle_verifies_against_its_invitation_only() {
    let world = World::new();
    let bytes = bundle(&world);
    let verify = |invitation: &Invitation, now| {
        IntakeBundle::verify(&world.suite, &bytes, invitation, now).map(|_| ())
    };
    let good = invitation(&world);
    let read = IntakeBundle::verify(&world.suite, &bytes, &good, world.now).unwrap();
    assert_eq!(read.offers, contents(&world).offers);
    assert_eq!(read.unit.key, world.unit.0.public());
    assert_eq!(read.keys, contents(&world).keys);
    let other = |change: fn(&mut Invitation)| {
        let mut invitation = good.clone();
        change(&mut invitation);
        verify(&invitation, world.now)
    };
    assert_eq!(other(|i| i.root = [0; 32]), Err(BundleError::Certificate(CertError::WrongRoot)));
    assert_eq!(other(|i| i.unit_id = "no.emb.x".to_owned()), Err(BundleError::WrongUnit));
    let stranger = SigningKey::from_bytes(&[8; 32]).public();
    let mut notice = good.clone();
    notice.notice = stranger;
    assert_eq!(verify(&notice, world.now), Err(BundleError::WrongUnit));
    assert_eq!(verify(&good, world.now + 86_400), Err(BundleError::NotNow));
    assert!(verify(&good, world.now - 3_601).is_err());
}

#[test]
fn an_altered_bundle_is_not_used() {
    let world = World::new();
    let bytes = bundle(&world);
    let good = invitation(&world);
    for n in (0..bytes.len()).step_by(7) {
        let mut altered = bytes.clone();
        altered[n] ^= 0x10;
        let verified = IntakeBundle::verify(&world.suite, &altered, &good, world.now);
        assert!(verified.is_err(), "byte {n} does not count");
    }
}

#[test]
fn a_sister_unit_can_not_sign_for_this_one() {
    let world = World::new();
    let sister = world.key();
    let chain = world.certify_unit(&sister, "no.emb.sister", UnitKind::BilateralMission);
    let refused = contents(&world).sign(&sister, &world.unit.1, world.now);
    assert_eq!(refused.unwrap_err(), BundleError::NotYourKey);
    let bytes = contents(&world).sign(&sister, &chain, world.now).unwrap();
    let verified =
        IntakeBundle::verify(&world.suite, &bytes, &invitation(&world), world.now).map(|_| ());
    assert_eq!(verified, Err(BundleError::WrongUnit));
    // Its own signature over a body that carries our chain: swap the signature in.
    let ours = bundle(&world);
    let forged = [&ours[..ours.len() - 64], &bytes[bytes.len() - 64..]].concat();
    let verified =
        IntakeBundle::verify(&world.suite, &forged, &invitation(&world), world.now).map(|_| ());
    assert_eq!(verified, Err(BundleError::Forged));
}

#[test]
fn a_bundle_without_a_key_for_now_is_not_used() {
    let world = World::new();
    let mut contents = contents(&world);
    contents.keys[0].valid_until = world.now;
    let bytes = contents.sign(&world.unit.0, &world.unit.1, world.now).unwrap();
    let verified =
        IntakeBundle::verify(&world.suite, &bytes, &invitation(&world), world.now).map(|_| ());
    assert_eq!(verified, Err(BundleError::NoKey));
}

#[test]
fn a_first_contact_opens_with_its_intake_key_only() {
    let world = World::new();
    let (right, wrong) = (intake(&world, 1), intake(&world, 2));
    let sealed = contact().seal(&world.suite, &published(&world, &right)).unwrap();
    let open = |keys: &[IntakeSecret]| FirstContact::open(&world.suite, &sealed, keys);
    let (read, id) = open(&[wrong.clone(), right.clone()]).unwrap();
    assert!(read == contact());
    assert_eq!(open(slice::from_ref(&right)).unwrap().1, id, "the replay id is stable");
    assert_eq!(open(slice::from_ref(&wrong)).unwrap_err(), ContactError::UnknownKey);
    let disguised = IntakeSecret { id: right.id, secret: wrong.secret };
    assert_eq!(open(&[disguised]).unwrap_err(), ContactError::Seal(HpkeError::Open));
    let again = contact().seal(&world.suite, &published(&world, &right)).unwrap();
    let (_, other) = FirstContact::open(&world.suite, &again, slice::from_ref(&right)).unwrap();
    assert_ne!(id, other);
    for n in (0..sealed.len()).step_by(5) {
        let mut altered = sealed.clone();
        altered[n] ^= 1;
        let opened = FirstContact::open(&world.suite, &altered, slice::from_ref(&right));
        assert!(opened.is_err(), "byte {n} does not count");
    }
}

#[test]
fn contacts_without_package_or_route_are_not_sealed() {
    let world = World::new();
    let key = published(&world, &intake(&world, 1));
    let no_route = FirstContact { reply: Vec::new(), ..contact() };
    assert_eq!(no_route.seal(&world.suite, &key), Err(ContactError::Contents));
    let no_package = FirstContact { key_package: Vec::new(), ..contact() };
    assert_eq!(no_package.seal(&world.suite, &key), Err(ContactError::Contents));
    let bare = FirstContact {
        terms: TermsAnswer::Counter(b"counter".to_vec()),
        emergency: None,
        extra: Vec::new(),
        ..contact()
    };
    let sealed = bare.seal(&world.suite, &key).unwrap();
    let (read, _) = FirstContact::open(&world.suite, &sealed, &[intake(&world, 1)]).unwrap();
    assert!(read == bare);
}

#[test]
fn envelopes_come_back_as_they_went() {
    let envelopes = [
        Envelope::Mls(b"message".to_vec()),
        Envelope::Welcome(WelcomeBody {
            welcome: b"welcome".to_vec(),
            routes: vec![route()],
            contact: Some([1; 32]),
            note: b"note".to_vec(),
            again: None,
        }),
        Envelope::Welcome(WelcomeBody {
            welcome: Vec::new(),
            routes: Vec::new(),
            contact: None,
            note: Vec::new(),
            again: Some(Again { case_id: b"case".to_vec(), relay: "bud://relay".to_owned() }),
        }),
        Envelope::FirstContact(b"contact".to_vec()),
        Envelope::Nudge(Nudge {
            group_id: b"group".to_vec(),
            epoch: 7,
            receipts: vec![vec![3; RECEIPT_LEN]; MAX_RECEIPTS],
        }),
        Envelope::Again(b"signed".to_vec()),
        Envelope::Unknown { kind: 99 },
    ];
    for envelope in envelopes {
        assert!(Envelope::from_bytes(&envelope.to_bytes()).unwrap() == envelope);
    }
}

#[test]
fn later_versions_and_suites_are_named() {
    // version = 2 / suite = 0x4E
    let later = Envelope::from_bytes(&[0x08, 2, 0x10, 0x4d, 0x18, 1]);
    assert_eq!(later.unwrap_err(), EnvelopeError::Version(2));
    let suite = Envelope::from_bytes(&[0x08, 1, 0x10, 0x4e, 0x18, 1]);
    assert_eq!(suite.unwrap_err(), EnvelopeError::Suite(0x4e));
    assert_eq!(Envelope::from_bytes(&[]).unwrap_err(), EnvelopeError::Malformed);
}

#[test]
fn team_messages_come_back_as_they_went() {
    let device = SigningKey::from_bytes(&[1; 32]).public();
    let messages = [
        TeamMessage::KeyPackageRequest { request_id: [1; 16], device, case_id: b"case".to_vec() },
        TeamMessage::KeyPackageReply {
            request_id: [1; 16],
            key_package: b"kp".to_vec(),
            note_key: b"key".to_vec(),
        },
        TeamMessage::Grant(GrantRecord {
            relay: RELAYS[0].to_owned(),
            label: b"label".to_vec(),
            seal_key: Zeroizing::new([2; 32]),
            case_id: b"case".to_vec(),
            group_id: b"group".to_vec(),
        }),
        TeamMessage::IntakeKey {
            id: [3; 8],
            seed: Zeroizing::new([4; 32]),
            valid_from: -1,
            valid_until: 9,
        },
        TeamMessage::Claim { contact: [5; 32], case_id: b"case".to_vec(), device },
        TeamMessage::RenewalRequest { request: b"request".to_vec() },
        TeamMessage::Renewed { chains: vec![b"one".to_vec(), b"other".to_vec()] },
        TeamMessage::HandoverStep(b"step".to_vec()),
        TeamMessage::HandoverFile { handover_id: [6; 16], device, note: b"note".to_vec() },
        TeamMessage::Assigned {
            case_id: b"case".to_vec(),
            key_package: b"kp".to_vec(),
            assignment: b"assignment".to_vec(),
            note_key: b"key".to_vec(),
        },
        TeamMessage::AgainAsked(b"signed".to_vec()),
        TeamMessage::AgainAssigned {
            case_id: b"case".to_vec(),
            key: device,
            assignment: b"assignment".to_vec(),
        },
        TeamMessage::Cursor { relay: RELAYS[1].to_owned(), read_to: u64::MAX, mailbox: vec![7; 8] },
        TeamMessage::Keys(zeroize::Zeroizing::new(b"keys".to_vec())),
        TeamMessage::Unknown,
    ];
    for message in messages {
        assert!(TeamMessage::from_bytes(&message.to_bytes()).unwrap() == message);
    }
}

#[test]
fn safety_words_follow_the_keys() {
    let world = World::new();
    let (root, unit) = (world.fingerprint(), world.unit.0.public());
    let words = SafetyWords::of_unit(&root, &unit);
    assert_ne!(words.words(Language::English), words.words(Language::Russian));
    assert_eq!(words, SafetyWords::of_unit(&root, &unit));
    assert_ne!(words, SafetyWords::of_unit(&[0; 32], &unit));
    assert_ne!(words, SafetyWords::of_unit(&root, &world.key().public()));
    let defender = world.key().public();
    let case = SafetyWords::of_case(&root, &unit, &defender);
    assert_ne!(case, SafetyWords::of_case(&root, &unit, &world.key().public()));
    assert_ne!(case, words);
    // By camera: the code of the same keys, and no other's.
    assert_eq!(words.matches(&case.code()), Ok(false));
    assert_eq!(words.matches(&words.code()), Ok(true));
    assert!(words.matches("budwords1").is_err());
}

/// Fixed keys, fixed words: what was compared on paper last year still compares.
#[test]
fn safety_words_do_not_drift() {
    let key = SigningKey::from_bytes(&[1; 32]).public();
    let words = SafetyWords::of_unit(&[2; 32], &key);
    for (language, golden) in Language::ALL.into_iter().zip(GOLDEN_WORDS) {
        assert_eq!(words.words(language).join(" "), golden);
    }
}
const GOLDEN_WORDS: [&str; 5] = [
    "reflection flute shelf crater plate soap turtle spider mayonnaise dance",
    "reflet flûte étagère cratère assiette savon tortue araignée mayonnaise danse",
    "reflejo flauta repisa cráter plato jabón tortuga araña mayonesa danza",
    "انعكاس فلوت رف فوهة طبق صابون سلحفاة عنكبوت مايونيز رقصة",
    "отражение флейта полка кратер тарелка мыло черепаха паук майонез танец",
];

#[test]
fn nothing_secret_is_printed() {
    let world = World::new();
    let device = world.officer("Officer A");
    let printed = [
        format!("{:?}", invitation(&world)),
        format!("{:?}", route()),
        format!("{:?}", contact()),
        format!("{:?}", device.me),
        format!("{:?}", device.me.signing_key()),
        format!("{:?}", device.me.key()),
        format!("{:?}", intake(&world, 1).secret),
        format!("{:?}", device.chain),
        format!("{:?}", Envelope::Mls(b"secret".to_vec())),
    ];
    assert_eq!(
        printed,
        [
            "Invitation",
            "Route",
            "FirstContact",
            "Identity",
            "SigningKey",
            "VerifyingKey",
            "HpkeSecret",
            "Some(Chain)",
            "Envelope::Mls"
        ]
    );
}

#[test]
fn identities_survive_the_vault() {
    let world = World::new();
    for device in [world.officer("Officer A"), Device::defender(&world, "HERON")] {
        let read = Identity::from_bytes(&device.me.to_bytes()).unwrap();
        assert_eq!((read.key(), read.credential()), (device.me.key(), device.me.credential()));
    }
    assert!(Identity::from_bytes(&[0; 31]).is_err());
    assert!(Identity::defender(world.key(), "").is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let world = World::new();
        let keys = [intake(&world, 1)];
        let _ = Envelope::from_bytes(&bytes);
        let _ = TeamMessage::from_bytes(&bytes);
        let _ = Route::from_bytes(&bytes);
        let _ = Identity::from_bytes(&bytes);
        prop_assert!(FirstContact::open(&world.suite, &bytes, &keys).is_err());
        prop_assert!(
            IntakeBundle::verify(&world.suite, &bytes, &invitation(&world), world.now).is_err()
        );
    }

    #[test]
    fn any_text_is_no_invitation(text in ".{0,300}", body in "[A-Za-z0-9_-]{0,300}") {
        prop_assert!(Invitation::from_text(&text).is_err());
        let text = format!("budinvite1{body}");
        prop_assert!(Invitation::from_text(&text).is_err());
    }

    #[test]
    fn any_sealed_plaintext_is_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        // Behind the checksum: contents that parse as nothing or as something else.
        let text = budstikke_e2ee::armor::encode("budinvite1", &bytes);
        prop_assert!(Invitation::from_text(&text).is_err());
        let kinds = [1, 2, 3, 4, 5].map(|kind| {
            let mut envelope = vec![0x08, 1, 0x10, 0x4d, 0x18, kind, 0x22];
            envelope.extend(u8::try_from(bytes.len() & 0x7f).ok());
            envelope.extend(&bytes[..bytes.len() & 0x7f]);
            envelope
        });
        for envelope in kinds {
            let _ = Envelope::from_bytes(&envelope);
        }
    }
}
