//! The negotiation of Box 2.3, step by step and at random.

use crate::common::{LEG, NOW, accept, from_heron, from_mission, in_force, offered, terms};
use budstikke_case::wire::{self as w, IdentityLevel, OnwardMode, RecipientClass, TermsChangeKind};
use budstikke_case::{Hash, Leg, Onward, Phase, Refusal, Side, TermsEvent, TermsState};
use proptest::prelude::*;

use Side::{Asking, Offering};

const DAY: i64 = 86_400;

fn changed(by: Side, kind: TermsChangeKind) -> TermsEvent {
    TermsEvent::Changed { by, kind, hash: None }
}

/// An encoded variant of HERON's terms that differs in its title.
fn variant(number: usize) -> (Vec<u8>, Hash) {
    let mut file = terms("terms-counter.toml");
    file.terms.title = format!("Variant {number}");
    file.encode()
}

#[test]
fn the_long_way() {
    let mut state = TermsState::new(LEG);
    assert_eq!(state.phase(NOW), Phase::None);
    let (offer, offer_hash) = terms("terms-offer.toml").encode();
    let step = |state: &mut TermsState, event| state.apply(event, NOW).unwrap();
    assert_eq!(
        step(&mut state, TermsEvent::Offered { by: Offering, terms: offer }),
        Phase::Offered
    );
    let (one, one_hash) = variant(1);
    let counter = TermsEvent::Countered { by: Asking, terms: one, counters: offer_hash };
    assert_eq!(step(&mut state, counter), Phase::Countered);
    let (two, two_hash) = variant(2);
    let answer = TermsEvent::Countered { by: Offering, terms: two, counters: one_hash };
    assert_eq!(step(&mut state, answer), Phase::Countered);
    assert_eq!(accept(&mut state, Asking, two_hash), Ok(Phase::AcceptedByOne));
    assert_eq!(accept(&mut state, Offering, two_hash), Ok(Phase::InForce));
    assert_eq!(state.agreed_hash(), Some(two_hash));
    let (three, three_hash) = variant(3);
    assert_eq!(
        step(&mut state, TermsEvent::Proposed { by: Offering, terms: three }),
        Phase::Amending
    );
    assert_eq!(state.agreed_hash(), Some(two_hash), "the old terms hold");
    accept(&mut state, Offering, three_hash).unwrap();
    assert_eq!(accept(&mut state, Asking, three_hash), Ok(Phase::InForce));
    assert_eq!(step(&mut state, changed(Asking, TermsChangeKind::Suspend)), Phase::Suspended);
    let refused = state.apply(changed(Offering, TermsChangeKind::Resume), NOW).unwrap_err();
    assert_eq!(refused.code(), "I03");
    assert_eq!(step(&mut state, changed(Asking, TermsChangeKind::Resume)), Phase::InForce);
    assert_eq!(state.phase(NOW + 91 * DAY), Phase::Expired);
    assert_eq!(step(&mut state, changed(Offering, TermsChangeKind::End)), Phase::Ended);
    // A new start is possible.
    assert_eq!(accept(&mut state, Asking, offer_hash), Ok(Phase::InForce));
}

/// SPEC.md section 11, rule 7, one-shot: the published offer is the mission's acceptance.
#[test]
fn an_offer_accepted_is_in_force_at_once() {
    let mut state = offered();
    let (hash, _) = state.offers().next().unwrap();
    assert!(state.has_accepted(Offering, hash));
    assert_eq!(accept(&mut state, Offering, hash), Ok(Phase::Offered), "it stood by it already");
    assert_eq!(accept(&mut state, Asking, hash), Ok(Phase::InForce));
    assert_eq!(accept(&mut state, Asking, hash), Ok(Phase::InForce), "said twice changes nothing");
}

/// Messages and steps are the same thing twice: what is sent moves both sides alike.
#[test]
fn steps_are_read_from_messages() {
    let mut state = TermsState::new(LEG);
    let mut say = |draft: budstikke_case::Draft, body: budstikke_case::Body| {
        let content = draft.build(body).unwrap().content;
        let event = TermsEvent::of(&content).unwrap().unwrap();
        state.apply(event, NOW).unwrap()
    };
    let (offer, offer_hash) = terms("terms-offer.toml").encode();
    let (counter, hash) = terms("terms-counter.toml").encode();
    let accept = || w::TermsAcceptance {
        terms_hash: hash.to_vec(),
        privacy_notice_hash: Vec::new(),
        expectations_understood: true,
    };
    assert_eq!(say(from_mission(), w::ChannelOffer { terms: offer }.into()), Phase::Offered);
    let counters_hash = offer_hash.to_vec();
    let counter = w::TermsCounter { terms: counter, counters_hash, why: String::new() };
    assert_eq!(say(from_heron(), counter.into()), Phase::Countered);
    assert_eq!(say(from_mission(), accept().into()), Phase::AcceptedByOne);
    assert_eq!(say(from_heron(), accept().into()), Phase::InForce);
    let again = w::TermsProposal { terms: variant(1).0, note: String::new() };
    assert_eq!(say(from_mission(), again.into()), Phase::Amending);
    let mut change = w::TermsChange { kind: 1, ..w::TermsChange::default() };
    assert_eq!(say(from_heron(), change.clone().into()), Phase::Suspended);
    // A change of a newer version suspends.
    change.kind = 63;
    assert_eq!(say(from_mission(), change.into()), Phase::Suspended);
    let letter = crate::common::letter(from_heron()).content;
    assert_eq!(TermsEvent::of(&letter), Ok(None));
}

#[test]
fn the_terms_in_force_proposed_again_wait_for_nobody() {
    let (mut state, _) = in_force();
    let (again, _) = variant(1);
    let agreed = state.agreed_bytes().unwrap().to_vec();
    assert_eq!(propose(&mut state, again), Phase::Amending);
    assert_eq!(propose(&mut state, agreed), Phase::InForce);
    assert_eq!(state.pending().count(), 0);
}

fn propose(state: &mut TermsState, terms: Vec<u8>) -> Phase {
    state.apply(TermsEvent::Proposed { by: Asking, terms }, NOW).unwrap()
}

/// A desk's published offer inherits from nobody's terms: it is heard, and only countered.
#[test]
fn an_offer_on_a_bounded_leg_is_a_start_to_counter_from() {
    let (defender, _) = in_force();
    let agreed = defender.agreed_bytes().unwrap().to_vec();
    let mut line = TermsState::onward_of(Leg::MissionMinistry, agreed.clone()).unwrap();
    let (offer, hash) = terms("terms-ministry.toml").encode();
    line.apply(TermsEvent::Offered { by: Offering, terms: offer.clone() }, NOW).unwrap();
    assert_eq!(accept(&mut line, Asking, hash).unwrap_err().code(), "T03");
    let step = TermsEvent::Proposed { by: Offering, terms: offer.clone() };
    assert_eq!(line.apply(step.clone(), NOW).unwrap_err().code(), "T03");
    // Unbound it holds nothing of the defender's any more.
    line.unbind();
    let kept = line.to_bytes();
    assert!(!kept.windows(agreed.len()).any(|bytes| bytes == agreed));
    line.apply(step, NOW).unwrap();
    line.bind(agreed).unwrap();
    assert_eq!(accept(&mut line, Asking, hash).unwrap_err().code(), "T03", "bound meanwhile");
}

#[test]
fn a_past_offer_cannot_be_accepted() {
    let mut state = offered();
    let hash = state.offers().next().unwrap().0;
    let late = TermsEvent::Accepted { by: Asking, hash, notice: None };
    assert_eq!(state.apply(late, NOW + 181 * DAY).unwrap_err().code(), "T02");
    let (bytes, _) = variant(1);
    let late = TermsEvent::Proposed { by: Asking, terms: bytes };
    assert_eq!(state.apply(late, NOW + 181 * DAY).unwrap_err().code(), "T02");
}

#[test]
fn other_bytes_are_other_terms() {
    let mut state = offered();
    let (_, unknown) = variant(9);
    let expected = None;
    let refusal = Refusal::TermsHashMismatch { expected, got: Some(unknown) };
    assert_eq!(accept(&mut state, Asking, unknown), Err(refusal));
    let (bytes, _) = variant(1);
    let counter = TermsEvent::Countered { by: Asking, terms: bytes, counters: unknown };
    assert_eq!(state.apply(counter, NOW).unwrap_err().code(), "T03");
    let (mut state, _) = in_force();
    let kind = TermsChangeKind::End;
    let end = TermsEvent::Changed { by: Asking, kind, hash: Some(unknown) };
    assert_eq!(state.apply(end, NOW).unwrap_err().code(), "T03");
}

/// GDPR art. 13: the notice that was shown is the notice that applies.
#[test]
fn acceptance_names_the_privacy_notice() {
    let notice = budstikke_case::hash::privacy_notice_hash(b"notice");
    let (bytes, hash) = terms("terms-offer.toml").with_privacy_notice(notice).encode();
    let mut state = TermsState::new(LEG);
    state.apply(TermsEvent::Offered { by: Offering, terms: bytes }, NOW).unwrap();
    assert_eq!(accept(&mut state, Asking, hash).unwrap_err().code(), "T03");
    let accepted = TermsEvent::Accepted { by: Asking, hash, notice: Some(notice) };
    assert_eq!(state.apply(accepted, NOW), Ok(Phase::InForce));
}

#[test]
fn crossing_proposals_can_both_be_accepted() {
    let mut state = offered();
    let ((ours, ours_hash), (theirs, theirs_hash)) = (variant(1), variant(2));
    state.apply(TermsEvent::Proposed { by: Asking, terms: ours }, NOW).unwrap();
    state.apply(TermsEvent::Proposed { by: Offering, terms: theirs }, NOW).unwrap();
    accept(&mut state, Asking, ours_hash).unwrap();
    assert_eq!(accept(&mut state, Offering, ours_hash), Ok(Phase::InForce));
    assert_eq!(accept(&mut state, Asking, theirs_hash).unwrap_err().code(), "T03");
}

/// SPEC.md section 11, rule 7: the defender can loosen these later; the mission cannot.
#[test]
fn emergency_terms_cannot_be_loosened_by_the_mission() {
    let loosen: [fn(&mut w::ChannelTerms); 4] = [
        |t| t.retention.as_mut().unwrap().mission_days = 31,
        |t| t.retention.as_mut().unwrap().ministry_days = 1,
        |t| t.onward.push(w::OnwardRule { recipients: 1, mode: 3, identity: 1 }),
        |t| t.receipts = Some(w::ReceiptPolicy { from_defender: vec![1], from_mission: vec![] }),
    ];
    for loosen in loosen {
        let mut file = terms("terms-emergency.toml");
        loosen(&mut file.terms);
        let terms = file.encode().0;
        let mut state = offered();
        let refusal = state.apply(TermsEvent::Offered { by: Offering, terms }, NOW).unwrap_err();
        assert_eq!(refusal.code(), "I03");
        assert!(refusal.details().contains(&("act", "loosen-emergency-terms".to_owned())));
        assert!(state == offered(), "a refused step changes nothing");
    }
    let terms = terms("terms-emergency.toml").encode().0;
    let proposed = TermsEvent::Proposed { by: Offering, terms };
    assert_eq!(offered().apply(proposed, NOW).unwrap_err().code(), "I03");
}

#[test]
fn while_terms_change_the_stricter_governs_onward() {
    let (mut state, _) = in_force();
    let ask = Onward { mode: OnwardMode::AskEachTime, identity: IdentityLevel::Alias };
    assert_eq!(state.onward(RecipientClass::Ministry, NOW), ask);
    assert_eq!(state.onward(RecipientClass::Media, NOW), Onward::NEVER);
    let mut file = terms("terms-counter.toml");
    file.terms.onward.clear();
    let proposed = TermsEvent::Proposed { by: Asking, terms: file.encode().0 };
    assert_eq!(state.apply(proposed, NOW), Ok(Phase::Amending));
    assert_eq!(state.onward(RecipientClass::Ministry, NOW), Onward::NEVER);
    assert_eq!(offered().onward(RecipientClass::Ministry, NOW), Onward::NEVER);
}

mod ministry_leg {
    use super::*;

    fn proposal(edit: impl FnOnce(&mut w::ChannelTerms)) -> Result<Phase, Refusal> {
        let (defender, hash) = terms("terms-offer.toml").encode();
        let mut file = terms("terms-offer.toml").inheriting(hash);
        file.terms.leg = Leg::MissionMinistry.into();
        file.terms.onward.clear();
        edit(&mut file.terms);
        let mut state = TermsState::onward_of(Leg::MissionMinistry, defender).unwrap();
        let terms = file.encode().0;
        state.apply(TermsEvent::Proposed { by: Asking, terms }, NOW)
    }

    #[test]
    fn may_be_as_tight_as_the_defenders_terms() {
        assert_eq!(proposal(|_| {}), Ok(Phase::Proposed));
        let ask = w::OnwardRule { recipients: 7, mode: 2, identity: 1 };
        assert_eq!(proposal(|t| t.onward.push(ask)), Ok(Phase::Proposed));
    }

    #[test]
    fn may_not_be_looser() {
        let looser: [fn(&mut w::ChannelTerms); 5] = [
            |t| t.onward.push(w::OnwardRule { recipients: 7, mode: 3, identity: 1 }),
            |t| t.onward.push(w::OnwardRule { recipients: 7, mode: 2, identity: 3 }),
            |t| t.onward.push(w::OnwardRule { recipients: 12, mode: 2, identity: 1 }),
            |t| t.identity = IdentityLevel::Name.into(),
            |t| t.retention.as_mut().unwrap().ministry_days = 366,
        ];
        for looser in looser {
            assert_eq!(proposal(looser).unwrap_err().code(), "T05");
        }
        let handling = |t: &mut w::ChannelTerms| t.handling = w::Handling::Partners.into();
        assert_eq!(proposal(handling).unwrap_err().code(), "T05");
        let inherits = |t: &mut w::ChannelTerms| t.inherits_terms_hash = vec![0; 32];
        assert_eq!(proposal(inherits).unwrap_err().code(), "T03");
    }

    #[test]
    fn needs_a_defender_who_lets_the_ministry_know() {
        let mut file = terms("terms-offer.toml");
        file.terms.onward.clear();
        let (defender, hash) = file.encode();
        let mut file = terms("terms-offer.toml").inheriting(hash);
        file.terms.leg = Leg::MissionMinistry.into();
        file.terms.onward.clear();
        let mut state = TermsState::onward_of(Leg::MissionMinistry, defender).unwrap();
        let proposed = TermsEvent::Proposed { by: Asking, terms: file.encode().0 };
        assert_eq!(state.apply(proposed, NOW).unwrap_err().code(), "T05");
    }
}

#[derive(Debug, Clone)]
enum Step {
    Offer(usize),
    Propose(Side, usize),
    Counter(Side, usize, usize),
    Accept(Side, usize),
    Change(Side, TermsChangeKind),
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    let side = prop_oneof![Just(Asking), Just(Offering)];
    let kind = prop_oneof![
        Just(TermsChangeKind::Suspend),
        Just(TermsChangeKind::Resume),
        Just(TermsChangeKind::End)
    ];
    let n = 0_usize..4;
    prop_oneof![
        1 => n.clone().prop_map(Step::Offer),
        3 => (side.clone(), n.clone()).prop_map(|(by, n)| Step::Propose(by, n)),
        2 => (side.clone(), n.clone(), n.clone()).prop_map(|(by, a, b)| Step::Counter(by, a, b)),
        6 => (side.clone(), n).prop_map(|(by, n)| Step::Accept(by, n)),
        1 => (side, kind).prop_map(|(by, kind)| Step::Change(by, kind)),
        1 => Just(Step::Wait),
    ]
}

proptest! {
    /// Whatever is said in whatever order: terms come into force only by two acceptances of the
    /// same hash (an offer is the offering side's), a refused step changes nothing, and the state
    /// survives the vault.
    #[test]
    fn in_force_only_by_two_acceptances(steps in prop::collection::vec(step(), 1..60)) {
        let variants: Vec<(Vec<u8>, Hash)> = (0..4).map(variant).collect();
        let mut state = TermsState::new(LEG);
        let mut said: Vec<(Side, Hash)> = Vec::new();
        let mut now = NOW;
        for step in steps {
            let event = match step {
                Step::Wait => { now += 10 * DAY; continue }
                Step::Offer(n) => {
                    TermsEvent::Offered { by: Offering, terms: variants[n].0.clone() }
                }
                Step::Propose(by, n) => TermsEvent::Proposed { by, terms: variants[n].0.clone() },
                Step::Counter(by, n, m) => TermsEvent::Countered {
                    by, terms: variants[n].0.clone(), counters: variants[m].1,
                },
                Step::Accept(by, n) => {
                    TermsEvent::Accepted { by, hash: variants[n].1, notice: None }
                }
                Step::Change(by, kind) => changed(by, kind),
            };
            let before = state.clone();
            let force_before = state.agreed_hash();
            let result = state.apply(event.clone(), now);
            if result.is_err() {
                prop_assert!(state == before);
                continue;
            }
            match &event {
                TermsEvent::Offered { terms, .. } => {
                    said.push((Offering, budstikke_case::hash::terms_hash(terms)));
                }
                TermsEvent::Accepted { by, hash, .. } => said.push((*by, *hash)),
                _ => {}
            }
            if let Some(hash) = state.agreed_hash() && force_before != Some(hash) {
                let by_acceptance = matches!(event, TermsEvent::Accepted { .. });
                prop_assert!(by_acceptance);
                prop_assert!(said.contains(&(Asking, hash)) && said.contains(&(Offering, hash)));
            }
            if result == Ok(Phase::InForce) {
                prop_assert!(state.agreed_hash().is_some());
            }
            prop_assert!(TermsState::from_bytes(&state.to_bytes()).unwrap() == state);
        }
    }
}
