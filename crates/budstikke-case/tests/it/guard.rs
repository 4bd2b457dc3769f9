//! What may pass, when, and under which terms; at the sender and, with a sender modified to skip
//! the check, at the receiver.

use crate::common::{
    ID, LEG, MISSION, NOW, code, emergency, free_text, from_heron, from_mission, in_force, intake,
    letter, offered, receipt, terms, to_heron, to_mission,
};
use budstikke_case::wire::{self as w, Purpose, ReceiptKind, Transport, Urgency};
use budstikke_case::{
    Body, Draft, LATE_DELIVERY_S, Leg, Passage, Phase, Refusal, Role, Side, TermsEvent, TermsState,
    Verification, Warning, may_accept, may_send,
};

const DAY: i64 = 86_400;

/// Both ends say the same.
fn both(draft: Draft, body: Body, state: &TermsState, at: i64, passage: &Passage<'_>) -> String {
    let content = draft.build(body).unwrap().content;
    let sent = may_send(&content, state, at, passage).map(|_| ());
    let received = may_accept(&content, state, at, passage).map(|_| ());
    assert_eq!(sent, received);
    sent.map_or_else(|refusal| refusal.code().to_owned(), |()| "ok".to_owned())
}

fn hash_of(state: &TermsState) -> budstikke_case::Hash {
    state.agreed_hash().unwrap()
}

#[test]
fn nothing_but_negotiation_before_terms_are_in_force() {
    let state = offered();
    let case = || -> Vec<Body> {
        let file = intake("intake-heron.toml");
        vec![file.intake.into(), file.identity[0].clone().into(), free_text("hello")]
    };
    for body in case() {
        assert_eq!(both(from_heron(), body, &state, NOW, &to_mission()), "T01");
    }
    assert_eq!(both(from_mission(), free_text("hello"), &state, NOW, &to_heron()), "T01");
    let content = letter(from_heron()).content;
    let refusal = may_send(&content, &state, NOW, &to_mission()).unwrap_err();
    assert_eq!(refusal, Refusal::TermsNotInForce { leg: LEG, state: Phase::Offered });

    let (bytes, hash) = terms("terms-counter.toml").encode();
    let proposal = w::TermsProposal { terms: bytes.clone(), note: String::new() };
    let counter =
        w::TermsCounter { terms: bytes, counters_hash: hash.to_vec(), why: String::new() };
    let acceptance = w::TermsAcceptance {
        terms_hash: hash.to_vec(),
        privacy_notice_hash: Vec::new(),
        expectations_understood: true,
    };
    let negotiation: [Body; 3] = [proposal.into(), counter.into(), acceptance.into()];
    for body in negotiation {
        assert_eq!(both(from_heron(), body.clone(), &state, NOW, &to_mission()), "ok");
        assert_eq!(both(from_mission(), body, &state, NOW, &to_heron()), "ok");
    }
}

#[test]
fn an_emergency_goes_under_the_published_emergency_terms() {
    let state = offered();
    let (published, _) = state.emergency_terms().unwrap();
    let call = || -> Body { emergency().into() };
    assert_eq!(both(from_heron().terms(published), call(), &state, NOW, &to_mission()), "ok");
    assert_eq!(both(from_heron(), call(), &state, NOW, &to_mission()), "T03");
    let unpublished = TermsState::new(LEG);
    assert_eq!(both(from_heron(), call(), &unpublished, NOW, &to_mission()), "T01");
    // A person at the mission may answer that they have it; other receipts need terms.
    let taken_on = receipt(ReceiptKind::TakenOn);
    assert_eq!(both(from_mission(), taken_on, &state, NOW, &to_heron()), "ok");
    let read = receipt(ReceiptKind::Read);
    assert_eq!(both(from_mission(), read, &state, NOW, &to_heron()), "T01");
    for kind in [ReceiptKind::Refused, ReceiptKind::NotUnderstood] {
        assert_eq!(both(from_heron(), receipt(kind), &state, NOW, &to_mission()), "ok");
    }
}

#[test]
fn under_terms() {
    let (state, hash) = in_force();
    let draft = || from_heron().terms(hash);
    let letter = || free_text("The ferry came.");
    assert_eq!(both(draft(), letter(), &state, NOW, &to_mission()), "ok");
    let file = intake("intake-heron.toml");
    assert_eq!(both(draft(), file.intake.into(), &state, NOW, &to_mission()), "ok");
    // Other bytes, or none.
    assert_eq!(both(from_heron(), letter(), &state, NOW, &to_mission()), "T03");
    let other = state.offers().next().unwrap().0;
    assert_eq!(both(from_heron().terms(other), letter(), &state, NOW, &to_mission()), "T03");
    // A way that is not agreed; the counter left Tor out.
    let tor = Passage::new(Transport::RelayTor, MISSION);
    assert_eq!(both(draft(), letter(), &state, NOW, &tor), "T04");
    // A purpose that is not agreed.
    let reporting = draft().purpose(Purpose::Reporting);
    assert_eq!(both(reporting, letter(), &state, NOW, &to_mission()), "P01");
    // A marking that this is not for.
    let marked = draft().classification("CONFIDENTIAL");
    assert_eq!(both(marked, letter(), &state, NOW, &to_mission()), "P07");
    let marked = draft().classification("UNCLASSIFIED");
    assert_eq!(both(marked, letter(), &state, NOW, &to_mission()), "ok");
}

#[test]
fn wrong_recipients() {
    let (state, hash) = in_force();
    let letter = || free_text("The ferry came.");
    // S7: a name one letter off.
    let elsewhere = from_heron().terms(hash).to("no.emb.karelvia");
    assert_eq!(both(elsewhere, letter(), &state, NOW, &to_mission()), "I01");
    let draft = || from_heron().terms(hash).to("no.emb.karelvia");
    let there = Passage::new(Transport::RelayQuic, "no.emb.karelvia");
    let content = draft().build(letter()).unwrap().content;
    let refusal = may_send(&content, &state, NOW, &there).unwrap_err();
    assert!(refusal.details().contains(&("why", "not-in-the-terms".to_owned())));
    let other_leg = TermsState::new(Leg::MissionMinistry);
    assert_eq!(both(from_heron(), letter(), &other_leg, NOW, &to_mission()), "I01");
}

#[test]
fn identity_waits_for_the_safety_words() {
    let (state, hash) = in_force();
    let sheet = intake("intake-heron.toml").identity.remove(0);
    let content = from_heron().terms(hash).build(sheet).unwrap().content;
    let send = |verification| {
        let passage = Passage { verification, ..to_mission() };
        may_send(&content, &state, NOW, &passage)
    };
    assert!(send(Verification::Verified).is_ok());
    assert_eq!(send(Verification::Unverified), Err(Refusal::RecipientUnverified));
    assert_eq!(send(Verification::KeyChanged(3)), Err(Refusal::KeyChanged { since: 3 }));
    // A letter may go before; to a key that has changed since, nothing goes.
    let passage = Passage { verification: Verification::Unverified, ..to_mission() };
    let content = letter(from_heron().terms(hash)).content;
    assert!(may_send(&content, &state, NOW, &passage).is_ok());
    let passage = Passage { verification: Verification::KeyChanged(3), ..to_mission() };
    let refused = may_send(&content, &state, NOW, &passage);
    assert_eq!(refused, Err(Refusal::KeyChanged { since: 3 }));
}

#[test]
fn receipts_are_a_matter_of_agreement() {
    let (state, hash) = in_force();
    let table = [
        (from_heron().terms(hash), ReceiptKind::Delivered, to_mission(), "T07"),
        (from_heron().terms(hash), ReceiptKind::Read, to_mission(), "T07"),
        (from_heron().terms(hash), ReceiptKind::TakenOn, to_mission(), "T07"),
        (from_heron().terms(hash), ReceiptKind::Refused, to_mission(), "ok"),
        (from_mission().terms(hash), ReceiptKind::TakenOn, to_heron(), "ok"),
        (from_mission().terms(hash), ReceiptKind::Delivered, to_heron(), "T07"),
    ];
    for (draft, kind, passage, expected) in table {
        assert_eq!(both(draft, receipt(kind), &state, NOW, &passage), expected, "{kind:?}");
    }
    let mut offer = offered();
    let hash = offer.offers().next().unwrap().0;
    crate::common::accept(&mut offer, Side::Asking, hash).unwrap();
    let delivered = receipt(ReceiptKind::Delivered);
    assert_eq!(both(from_mission().terms(hash), delivered, &offer, NOW, &to_heron()), "ok");
}

#[test]
fn quiet_time_holds_the_mission_and_never_the_defender() {
    let (state, hash) = in_force();
    // 22:00 in the lake villages; quiet from 21:00 to 06:30.
    let night = 1_793_905_200;
    let mission = || {
        let role = Role::MissionContactPerson;
        Draft::new(LEG, role, ID, night).terms(hash).purpose(Purpose::Protection)
    };
    let letter = || free_text("Good evening.");
    let content = mission().build(letter()).unwrap().content;
    let until = 1_793_935_800;
    let refused = Err(Refusal::QuietTime { until });
    assert_eq!(may_send(&content, &state, night, &to_heron()), refused);
    // The time of writing counts, not that of arrival.
    assert_eq!(may_accept(&content, &state, until + 3_600, &to_heron()), refused);
    assert!(may_send(&content, &state, until, &to_heron()).is_ok());
    for urgency in [Urgency::Urgent, Urgency::Flash] {
        assert_eq!(both(mission().urgency(urgency), letter(), &state, night, &to_heron()), "ok");
    }
    assert_eq!(both(mission().urgency(Urgency::High), letter(), &state, night, &to_heron()), "T08");
    let suspend = w::TermsChange { kind: 1, terms_hash: hash.to_vec(), reason: String::new() };
    assert_eq!(both(mission(), suspend.into(), &state, night, &to_heron()), "ok");
    let heron = Draft::new(LEG, Role::Defender, ID, night).terms(hash).to(MISSION);
    let heron = heron.purpose(Purpose::Protection);
    assert_eq!(both(heron, letter(), &state, night, &to_mission()), "ok");
}

/// What may still flow past the date.
#[test]
fn expired() {
    let (state, hash) = in_force();
    let late = NOW + 91 * DAY;
    let draft = || {
        let draft = Draft::new(LEG, Role::Defender, ID, late).to(MISSION).terms(hash);
        draft.purpose(Purpose::Protection)
    };
    assert_eq!(state.phase(late), Phase::Expired);
    let since = state.agreed().unwrap().valid_until_s;
    let content = draft().build(free_text("hello")).unwrap().content;
    let refusal = may_send(&content, &state, late, &to_mission()).unwrap_err();
    assert_eq!(refusal, Refusal::TermsExpired { since });
    assert_eq!(both(draft(), emergency().into(), &state, late, &to_mission()), "ok");
    let end = w::TermsChange { kind: 3, terms_hash: Vec::new(), reason: String::new() };
    assert_eq!(both(draft(), end.into(), &state, late, &to_mission()), "ok");
    let mut renewed = terms("terms-counter.toml");
    renewed.terms.valid_until_s += 200 * DAY;
    let proposal = w::TermsProposal { terms: renewed.encode().0, note: String::new() };
    assert_eq!(both(draft(), proposal.into(), &state, late, &to_mission()), "ok");
}

#[test]
fn a_relay_out_of_reach_makes_nothing_late() {
    let (state, hash) = in_force();
    let until = state.agreed().unwrap().valid_until_s;
    let written = Draft::new(LEG, Role::Defender, ID, until - DAY).to(MISSION).terms(hash);
    let content = written.purpose(Purpose::Protection).build(free_text("x")).unwrap().content;
    assert!(may_accept(&content, &state, until + 5 * DAY, &to_mission()).is_ok());
    // But not for ever: a date of writing proves nothing.
    let much_later = until + LATE_DELIVERY_S + 2 * DAY;
    assert_eq!(code(may_accept(&content, &state, much_later, &to_mission())), "T02");
}

#[test]
fn a_clock_that_cannot_be_right_is_said() {
    let (state, hash) = in_force();
    let ahead = Draft::new(LEG, Role::Defender, ID, NOW + DAY).to(MISSION).terms(hash);
    let content = ahead.purpose(Purpose::Protection).build(free_text("x")).unwrap().content;
    let warnings = may_accept(&content, &state, NOW, &to_mission()).unwrap();
    assert_eq!(warnings, [Warning::ClockImplausible]);
}

#[test]
fn suspended_and_ended_stop_everything_but_the_call_for_help() {
    for (kind, phase) in [(1, Phase::Suspended), (3, Phase::Ended)] {
        let (mut state, hash) = in_force();
        let kind = w::TermsChangeKind::try_from(kind).unwrap();
        let changed = TermsEvent::Changed { by: Side::Asking, kind, hash: Some(hash) };
        assert_eq!(state.apply(changed, NOW), Ok(phase));
        let draft = || from_heron().terms(hash);
        assert_eq!(both(draft(), free_text("x"), &state, NOW, &to_mission()), "T01");
        let (published, _) = state.emergency_terms().unwrap();
        let call = from_heron().terms(published);
        assert_eq!(both(call, emergency().into(), &state, NOW, &to_mission()), "ok");
    }
}

#[test]
fn a_letter_under_the_terms_before_is_taken_if_it_was_written_before() {
    let (mut state, old) = in_force();
    let mut file = terms("terms-counter.toml");
    "Renewed".clone_into(&mut file.terms.title);
    let (bytes, new) = file.encode();
    let later = NOW + 600;
    state.apply(TermsEvent::Proposed { by: Side::Asking, terms: bytes }, later).unwrap();
    for by in [Side::Asking, Side::Offering] {
        state.apply(TermsEvent::Accepted { by, hash: new, notice: None }, later).unwrap();
    }
    assert_eq!(hash_of(&state), new);
    let content = letter(from_heron().terms(old)).content;
    assert!(may_accept(&content, &state, later + 60, &to_mission()).is_ok());
    let after = Draft::new(LEG, Role::Defender, ID, later + 120).to(MISSION).terms(old);
    let content = after.purpose(Purpose::Protection).build(free_text("x")).unwrap().content;
    assert_eq!(code(may_accept(&content, &state, later + 180, &to_mission())), "T03");
}

#[test]
fn terms_are_looked_at_again() {
    let (state, hash) = in_force();
    let content = letter(from_heron().terms(hash)).content;
    let after = |days| may_send(&content, &state, NOW + days * DAY, &to_mission()).unwrap();
    assert_eq!(after(30), []);
    assert_eq!(after(31), [Warning::ReviewOverdue]);
}

#[test]
fn a_role_without_a_place_on_the_leg() {
    let mut content = letter(from_heron()).content;
    content.header.as_mut().unwrap().sender_role = Role::MinistryDesk.into();
    let refusal = may_accept(&content, &offered(), NOW, &to_mission()).unwrap_err();
    let details = refusal.details();
    assert_eq!(refusal.code(), "I03");
    assert!(details.iter().any(|(name, value)| *name == "allowed" && value.contains("defender")));
}

#[test]
fn the_ministry_leg_has_terms_of_its_own() {
    let draft = Draft::new(Leg::MissionMinistry, Role::MissionStaff, ID, NOW);
    let draft = draft.to("no.mfa.desk").purpose(Purpose::Protection);
    let content = draft.handling(w::Handling::Ministry).build(free_text("x")).unwrap().content;
    let state = TermsState::new(Leg::MissionMinistry);
    let desk = Passage::new(Transport::RelayQuic, "no.mfa.desk");
    let refused = Err(Refusal::MinistryLegNotAgreed);
    assert_eq!(may_send(&content, &state, NOW, &desk), refused);
    assert_eq!(may_accept(&content, &state, NOW, &desk), refused);
}

#[test]
fn inside_the_team_no_terms_are_needed() {
    let state = TermsState::new(Leg::MissionTeam);
    let draft = Draft::new(Leg::MissionTeam, Role::MissionStaff, ID, NOW).to(MISSION);
    let draft = draft.purpose(Purpose::Protection);
    let items = intake("intake-heron-mission.toml").intake;
    assert_eq!(both(draft, items.into(), &state, NOW, &to_mission()), "ok");
}

#[test]
fn old_expectations_are_said() {
    let mut file = terms("terms-offer.toml");
    file.terms.expectations.as_mut().unwrap().as_of_s = NOW - 181 * DAY;
    let (bytes, hash) = file.encode();
    let mut state = TermsState::new(LEG);
    state.apply(TermsEvent::Offered { by: Side::Offering, terms: bytes }, NOW).unwrap();
    crate::common::accept(&mut state, Side::Asking, hash).unwrap();
    let content = letter(from_heron().terms(hash)).content;
    let warnings = may_send(&content, &state, NOW, &to_mission()).unwrap();
    assert_eq!(warnings, [Warning::ExpectationsOld]);
}
