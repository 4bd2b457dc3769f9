//! SPEC.md section 11: what protobuf forgives and this must not. Each finding is a test.

use crate::common::{ID, LEG, NOW, emergency, free_text, from_heron, intake, letter};
use budstikke_case::wire::{self as w, Content, Role};
use budstikke_case::{
    Body, Draft, Kind, Received, Refusal, TermsState, Understanding, Unknown, decode_terms,
    validate,
};
use proptest::prelude::*;
use prost::Message as _;

/// A length-delimited field, by hand.
fn field(number: u32, inside: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    prost::encoding::encode_varint(u64::from(number << 3 | 2), &mut bytes);
    prost::encoding::encode_varint(inside.len() as u64, &mut bytes);
    bytes.extend_from_slice(inside);
    bytes
}

fn w02(bytes: Vec<u8>) -> String {
    let refusal = Received::open(bytes).unwrap_err();
    assert_eq!(refusal.code(), "W02");
    refusal.to_string()
}

#[test]
fn bytes_are_kept_verbatim_with_fields_of_the_future() {
    let mut bytes = letter(from_heron()).bytes;
    // A field of a newer minor version, outside the arms.
    bytes.extend(field(500, b"new!!"));
    let received = Received::open(bytes.clone()).unwrap();
    assert_eq!(received.bytes(), bytes);
    assert_eq!(received.kind(), Kind::FreeText);
    assert!(received.act().is_ok());
    // What prost does, and why nothing is ever encoded again.
    assert!(received.content().encode_to_vec().len() < bytes.len());
}

#[test]
fn unknown_arm_is_kept_and_not_acted_on() {
    let mut content = letter(from_heron()).content;
    content.body = None;
    let mut bytes = content.encode_to_vec();
    bytes.extend(field(77, b"a plan"));
    let received = Received::open(bytes.clone()).unwrap();
    assert_eq!(received.kind(), Kind::Unknown(77));
    assert_eq!(received.understanding(), Understanding::Not(Unknown::Arm(77)));
    assert_eq!(received.bytes(), bytes);
    assert!(received.header().is_some(), "the inbox can still say whose it is");
    let refusal = received.act().unwrap_err();
    assert_eq!(refusal, Refusal::NotUnderstood { what: Unknown::Arm(77) });
    assert_eq!(refusal.code(), "W01");
}

#[test]
fn two_bodies_are_refused_known_or_not() {
    let mut bytes = letter(from_heron()).bytes;
    bytes.extend(field(40, &w::FreeText::default().encode_to_vec()));
    assert_eq!(w02(bytes), "\"body\" holds two messages in one.");
    for second in [30, 99] {
        let mut bytes = letter(from_heron()).bytes;
        bytes.extend(field(second, b""));
        assert_eq!(w02(bytes), "\"body\" holds two messages in one.");
    }
}

#[test]
fn concatenated_messages_do_not_merge() {
    let one = letter(from_heron()).bytes;
    assert_eq!(w02([one.clone(), one].concat()), "\"Content\" holds the same field twice.");
    // One body, two headers: the second would quietly change the first.
    let mut bytes = letter(from_heron()).bytes;
    let header = w::Header { urgency: 4, ..w::Header::default() };
    bytes.extend(field(1, &header.encode_to_vec()));
    assert_eq!(w02(bytes), "\"Content\" holds the same field twice.");
}

/// A `want` from one and a `do_not_want` from another, deep inside.
#[test]
fn nested_messages_do_not_merge_either() {
    let wish = |want: &str, not: &str| {
        let wish = w::ExpressedWish { want: want.to_owned(), do_not_want: not.to_owned() };
        field(16, &wish.encode_to_vec())
    };
    let case = [wish("", "no press"), wish("press", "")].concat();
    let bytes = field(30, &case);
    assert!(Content::decode(bytes.as_slice()).is_ok(), "prost merges them");
    assert_eq!(w02(bytes), "\"CaseIntake\" holds the same field twice.");
    let twice = [field(2, b"no press"), field(2, b"press")].concat();
    assert_eq!(w02(field(30, &field(16, &twice))), "\"ExpressedWish\" holds the same field twice.");
}

#[test]
fn terms_inside_are_scanned_too() {
    let terms = crate::common::terms("terms-offer.toml").encode().0;
    let title = field(4, b"another title");
    assert_eq!(decode_terms(&[terms, title].concat()).unwrap_err().code(), "W02");
    assert_eq!(decode_terms(&[]).unwrap_err().code(), "W02");
}

#[test]
fn empty_input_is_no_message() {
    assert_eq!(w02(Vec::new()), "\"body\" is missing.");
    let bare = field(40, &w::FreeText { text: "x".into(), distressing: false }.encode_to_vec());
    let received = Received::open(bare).unwrap();
    assert_eq!(received.act().unwrap_err().to_string(), "\"header\" is missing.");
    assert_eq!(validate(received.content(), LEG, Role::Defender).unwrap_err().code(), "W02");
}

#[test]
fn features_that_must_be_understood() {
    let mut content = letter(from_heron()).content;
    content.header.as_mut().unwrap().must_understand = vec![9];
    let received = Received::open(content.encode_to_vec()).unwrap();
    let what = Unknown::Feature(9);
    assert_eq!(received.act().unwrap_err(), Refusal::NotUnderstood { what });
}

#[test]
fn unknown_leg_role_or_purpose_is_not_acted_on() {
    let change = |edit: fn(&mut w::Header)| {
        let mut content = letter(from_heron()).content;
        edit(content.header.as_mut().unwrap());
        validate(&content, LEG, Role::Defender).unwrap_err()
    };
    assert_eq!(change(|h| h.leg = 99), Refusal::NotUnderstood { what: Unknown::Enum("leg") });
    assert_eq!(change(|h| h.sender_role = 99).code(), "W01");
    assert_eq!(change(|h| h.purpose = 99).code(), "W01");
}

#[test]
fn unknown_onward_mode_99_means_never() {
    let (mut state, _) = crate::common::in_force();
    let mut file = crate::common::terms("terms-offer.toml");
    file.terms.onward[0].mode = 99;
    let (terms, hash) = file.encode();
    let by = budstikke_case::Side::Asking;
    state.apply(budstikke_case::TermsEvent::Proposed { by, terms }, NOW).unwrap();
    for by in [budstikke_case::Side::Asking, budstikke_case::Side::Offering] {
        crate::common::accept(&mut state, by, hash).unwrap();
    }
    let onward = state.onward(w::RecipientClass::Ministry, NOW);
    assert_eq!(onward, budstikke_case::Onward::NEVER);
}

#[test]
fn content_stays_small_in_memory() {
    // 1,760 B with every arm inline; the large ones are boxed.
    assert!(size_of::<Content>() <= 512, "{}", size_of::<Content>());
}

#[test]
fn a_flood_of_empty_entries_is_refused_before_decoding() {
    let incidents: Vec<u8> = (0..20_000).flat_map(|_| field(3, b"")).collect();
    let refusal = Received::open(field(30, &incidents)).unwrap_err();
    assert!(matches!(refusal, Refusal::TooLarge { limit: 256, .. }));
    let refusal = Received::open(vec![0; 61_441]).unwrap_err();
    assert!(matches!(refusal, Refusal::TooLarge { limit: 61_440, .. }));
}

#[test]
fn damaged_bytes() {
    for bytes in [&[0xff_u8; 12][..], &[0x0b], &[0x00, 0x00], &[0x0a, 0x7f], &[0x80]] {
        assert!(w02(bytes.to_vec()).contains("is damaged"));
    }
    // Not UTF-8.
    assert!(w02(field(40, &field(1, &[0xff, 0xfe]))).contains("is damaged"));
}

#[test]
fn every_kind_round_trips() {
    let bodies: Vec<Body> =
        vec![intake("intake-heron.toml").intake.into(), free_text("a"), emergency().into()];
    for body in bodies {
        let draft = Draft::new(LEG, Role::Defender, ID, NOW).purpose(w::Purpose::Protection);
        let built = draft.build(body).unwrap();
        let received = Received::open(built.bytes.clone()).unwrap();
        assert!(*received.content() == built.content);
        assert_eq!(Some(received.kind()), Kind::of(&built.content));
        assert!(validate(received.content(), LEG, Role::Defender).is_ok());
    }
}

/// A case must not reach a log by way of `{:?}`.
#[test]
fn debug_shows_nothing_of_the_case() {
    let built = letter(from_heron());
    let received = Received::open(built.bytes.clone()).unwrap();
    let all = format!("{:?} {:?} {received:?} {built:?}", built.content, built.content.body);
    assert_eq!(all, "Content Some(free-text) Received Built");
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(received) = Received::open(bytes.clone()) {
            prop_assert_eq!(received.bytes(), &bytes);
            let _no_panic = received.act().is_ok();
            let _no_panic = validate(received.content(), LEG, Role::Defender);
            let _no_panic = budstikke_case::View::of(received.content());
        }
        let _no_panic = (decode_terms(&bytes).is_ok(), TermsState::from_bytes(&bytes).is_ok());
    }

    /// Nearer to the mark: a real intake with some bytes changed.
    #[test]
    fn damaged_intakes(changes in prop::collection::vec((0_usize..4_000, any::<u8>()), 1..6)) {
        let mut bytes = from_heron().build(intake("intake-heron.toml").intake).unwrap().bytes;
        for (at, byte) in changes {
            let at = at % bytes.len();
            bytes[at] = byte;
        }
        if let Ok(received) = Received::open(bytes.clone()) {
            prop_assert_eq!(received.bytes(), &bytes);
            let _no_panic = validate(received.content(), LEG, Role::Defender);
            let _no_panic = budstikke_case::View::of(received.content());
        }
    }
}
