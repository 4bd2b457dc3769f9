//! Every kind of the Ministry line: round trip, roles and legs, rows of the tables, views, files.

use crate::common::{ID, LEG, MISSION, NOW, code, data, from_heron, from_mission};
use crate::line::{
    ACTION, DAY, DESK, a, giving, heron, k, ledger, m, request, risk, rng, signed, statement,
    status, token, verification, world,
};
use budstikke_case::action::ActionState;
use budstikke_case::file::{
    AlertFile, ConsentFile, ConsentRequestFile, EffectFile, FileError, Format, RiskFile,
};
use budstikke_case::officer::{ACK_DOMAIN, ATTEST_DOMAIN, DECISION_DOMAIN};
use budstikke_case::wire::{self as w, Answer, Handling, Purpose, Role, Scope, Verdict};
use budstikke_case::{
    Body, Draft, Kind, Leg, Passage, Received, Refusal, TermsState, View, alert, consent,
    may_accept, may_send, validate,
};
use proptest::prelude::*;
use prost::Message as _;

const TO_MINISTRY: Leg = Leg::MissionMinistry;

fn at_ministry(role: Role) -> Draft {
    Draft::new(TO_MINISTRY, role, ID, NOW)
        .to(if role == Role::MissionContactPerson { DESK } else { MISSION })
        .purpose(Purpose::Protection)
        .handling(Handling::Ministry)
}

fn raised() -> w::Alert {
    let mut alert = AlertFile::parse(&data("alert-flash.toml"), Format::Toml, NOW).unwrap().alert;
    alert.alert_id = vec![2; 16];
    alert
}

fn approval_request() -> w::ApprovalRequest {
    let record = signed("consent-demarche.toml", NOW);
    let said = statement("consent-demarche.toml", NOW);
    let world = world(ledger([said.clone()]), NOW);
    let act = ActionState::draft(crate::line::plan("plan-demarche.toml").0).unwrap();
    let (status, _) = status(&world.consents, &said, &[Scope::Demarche], NOW);
    request(&act, &world, &[token(&record, &[Scope::Demarche])], &[status])
}

fn decision() -> w::Decision {
    let body = w::DecisionBody {
        decision_id: vec![6; 16],
        request_id: vec![5; 16],
        action_id: ACTION.to_vec(),
        plan_hash: vec![1; 32],
        verdict: Verdict::Approved.into(),
        decided_at_s: NOW,
        consent_statuses_seen: vec![vec![2; 32]],
        ..w::DecisionBody::default()
    };
    let body = body.encode_to_vec();
    let by = Some(k().attests(DECISION_DOMAIN, &body));
    w::Decision { body, by }
}

fn acknowledgement() -> w::AlertAck {
    let body = alert::ack(&raised(), w::AckKind::SeenAndMine, NOW, NOW + 3_600).encode_to_vec();
    let by = Some(m().attests(ACK_DOMAIN, &body));
    w::AlertAck { body, by }
}

fn effect() -> w::EffectReport {
    let file = EffectFile::parse(&data("effect-demarche.toml"), Format::Toml, NOW).unwrap();
    w::EffectReport { action_id: ACTION.to_vec(), ..file.effect }
}

fn informed() -> w::ReactionInformed {
    w::ReactionInformed {
        action_id: ACTION.to_vec(),
        anything_done: Answer::Yes.into(),
        what_was_done: "A note was handed over.".to_owned(),
        family_told: Answer::No.into(),
        why_not_told: "Asked not to.".to_owned(),
        ..w::ReactionInformed::default()
    }
}

fn update() -> w::ActionUpdate {
    w::ActionUpdate {
        action_id: ACTION.to_vec(),
        plan_hash: vec![1; 32],
        step: w::ActionStep::Done.into(),
        at_s: NOW,
        consent_statuses_seen: vec![vec![2; 32]],
        ..w::ActionUpdate::default()
    }
}

fn override_() -> w::GuardOverride {
    w::GuardOverride {
        action_id: ACTION.to_vec(),
        plan_hash: vec![1; 32],
        code: "F05".to_owned(),
        reasons: "None can be asked without telling the district.".to_owned(),
        policy_version: 1,
    }
}

fn disclosure() -> w::DisclosureNotice {
    w::DisclosureNotice {
        of_hash: vec![1; 32],
        at_s: NOW,
        recipients: w::RecipientClass::Ministry.into(),
        unit: DESK.to_owned(),
        purpose: Purpose::Protection.into(),
        items: vec![1, 3],
        rights_plain: "You can ask who has seen this.".to_owned(),
        ..w::DisclosureNotice::default()
    }
}

fn asked() -> w::ConsentRequest {
    let text = data("consent-request.toml");
    ConsentRequestFile::parse(&text, Format::Toml).unwrap().request
}

fn withdrawal() -> w::ConsentWithdrawal {
    consent::withdraw([1; 16], &[Scope::Demarche], NOW, "I am afraid.", heron().signs())
}

/// Every kind where it belongs, by somebody who may.
fn all() -> Vec<(Draft, Body)> {
    let mission = || at_ministry(Role::MissionContactPerson);
    let record = || signed("consent-demarche.toml", NOW);
    let said = statement("consent-demarche.toml", NOW);
    let (state, _) = status(&ledger([said.clone()]), &said, &[Scope::Demarche], NOW);
    let plan: w::ActionPlan =
        budstikke_case::carried::decode(&crate::line::plan("plan-demarche.toml").0).unwrap();
    vec![
        (mission(), risk(NOW).into()),
        (mission(), verification().into()),
        (from_mission(), asked().into()),
        (from_heron(), record().into()),
        (mission(), token(&record(), &[Scope::Demarche]).into()),
        (mission(), state.into()),
        (from_heron(), withdrawal().into()),
        (mission(), plan.into()),
        (mission(), approval_request().into()),
        (at_ministry(Role::MinistryDecisionMaker), decision().into()),
        (mission(), effect().into()),
        (from_mission(), informed().into()),
        (mission(), update().into()),
        (at_ministry(Role::HeadOfMission), override_().into()),
        (mission(), raised().into()),
        (at_ministry(Role::MinistryDesk), acknowledgement().into()),
        (mission(), w::AlertCancelled { alert_id: vec![2; 16], why: "Free again.".into() }.into()),
        (at_ministry(Role::MinistryDesk), contact().into()),
        (from_mission(), disclosure().into()),
    ]
}

fn contact() -> w::EscalationContact {
    w::EscalationContact {
        key_id: vec![1; 8],
        public_key: vec![2; 1_216],
        valid_until_s: NOW + 35 * DAY,
        route: vec![3; 200],
        order: vec![Role::MinistryDutyOfficer.into(), Role::MinistryDecisionMaker.into()],
    }
}

/// How the next in line is reached is said between offices, never to a defender, and only in the usual form.
#[test]
fn how_the_next_in_line_is_reached() {
    let bad = [
        w::EscalationContact { key_id: vec![1; 9], ..contact() },
        w::EscalationContact { public_key: vec![2; 1_215], ..contact() },
        w::EscalationContact { valid_until_s: 0, ..contact() },
        w::EscalationContact { route: Vec::new(), ..contact() },
        w::EscalationContact { route: vec![3; 513], ..contact() },
        w::EscalationContact { order: vec![Role::MinistryDesk.into(); 5], ..contact() },
    ];
    for contact in bad {
        assert_eq!(code(at_ministry(Role::MinistryDesk).build(contact)), "W02");
    }
    assert_eq!(code(from_mission().build(contact())), "I03");
    assert_eq!(code(at_ministry(Role::MinistryDecisionMaker).build(contact())), "I03");
}

/// Steps of an alert come one after another, each with what calls it off.
#[test]
fn the_steps_of_an_alert() {
    let step = |after_s| w::EscalationStep {
        to: Role::MinistryDutyOfficer.into(),
        after_s,
        relay: "bud://relay".into(),
        send_id: vec![1; 32],
        cells: 1,
        cancel_key: vec![2; 32],
    };
    let with = |steps: Vec<w::EscalationStep>, exhausted_after_s| {
        let escalation = Some(w::Escalation { steps, exhausted_after_s });
        at_ministry(Role::MissionContactPerson).build(w::Alert { escalation, ..raised() })
    };
    assert!(with(vec![step(0), step(1_800)], 3_600).is_ok());
    let bad = [
        (vec![], 0),
        (vec![step(60), step(0)], 60),
        (vec![step(0), step(60)], 59),
        (vec![step(29 * 86_400)], 29 * 86_400),
        (vec![step(0); 5], 0),
        (vec![w::EscalationStep { cells: 0, ..step(0) }], 0),
        (vec![w::EscalationStep { cells: 9, ..step(0) }], 0),
        (vec![w::EscalationStep { cancel_key: vec![2; 31], ..step(0) }], 0),
        (vec![w::EscalationStep { send_id: vec![], ..step(0) }], 0),
        (vec![w::EscalationStep { relay: String::new(), ..step(0) }], 0),
    ];
    for (steps, exhausted) in bad {
        assert_eq!(code(with(steps, exhausted)), "W02");
    }
    // A headline says that it is an exercise, and only then.
    let drill = |exercise, headline: &str| {
        let alert = w::Alert { exercise, headline: headline.into(), ..raised() };
        at_ministry(Role::MissionContactPerson).build(alert)
    };
    assert!(drill(true, "EXERCISE: somebody is needed").is_ok());
    assert_eq!(code(drill(true, "Somebody is needed")), "W02");
    assert_eq!(code(drill(false, "EXERCISE: somebody is needed")), "W02");
}

#[test]
fn every_kind_round_trips_and_is_shown() {
    let mut kinds = std::collections::BTreeSet::new();
    for (draft, body) in all() {
        let kind = Kind::of_body(&body);
        let built = draft.build(body).unwrap_or_else(|refusal| panic!("{kind:?}: {refusal}"));
        let received = Received::open(built.bytes.clone()).unwrap();
        assert!(*received.content() == built.content && received.kind() == kind);
        assert!(received.act().is_ok());
        let view = View::of(received.content());
        assert_eq!(view.title, format!("kind-{}", kind.name()));
        assert!(view.sections.len() >= 2, "{kind:?} shows more than its header");
        let keys = budstikke_case::catalogue_keys();
        let labels = view.sections.iter().flat_map(|s| s.lines.iter().map(|l| l.label));
        assert!(labels.chain(view.sections.iter().map(|s| s.heading)).all(|l| keys.contains(l)));
        kinds.insert(kind);
    }
    assert_eq!(kinds.len(), 19, "the brief is built in its own test");
}

/// The role table: each kind by somebody who may not, or where it does not belong.
#[test]
fn i03_rows_of_the_role_table() {
    let refused = |draft: Draft, body: Body| {
        let kind = Kind::of_body(&body);
        assert_eq!(code(draft.build(body)), "I03", "{kind:?}");
    };
    let staff = || at_ministry(Role::MissionStaff);
    let desk = || at_ministry(Role::MinistryDesk);
    refused(staff(), approval_request().into());
    refused(desk(), decision().into());
    refused(staff(), override_().into());
    refused(staff(), acknowledgement().into());
    refused(desk(), risk(NOW).into());
    refused(desk(), raised_plan());
    refused(from_heron(), asked().into());
    refused(from_heron(), raised().into());
    refused(from_heron(), informed().into());
    // Nobody of the mission gives consent in a defender's name with a signature of its own making.
    refused(from_mission(), signed("consent-demarche.toml", NOW).into());
    refused(
        from_mission(),
        token(&signed("consent-demarche.toml", NOW), &[Scope::Demarche]).into(),
    );
    // The record itself never goes to the Ministry.
    refused(at_ministry(Role::MissionContactPerson), signed("consent-demarche.toml", NOW).into());
    // A decision signed by another role than the one that sends it.
    let body = decision().body;
    let by = Some(m().attests(DECISION_DOMAIN, &body));
    refused(at_ministry(Role::MinistryDecisionMaker), w::Decision { body, by }.into());
}

fn raised_plan() -> Body {
    let (plan, _) = crate::line::plan("plan-demarche.toml");
    budstikke_case::carried::decode::<w::ActionPlan>(&plan).unwrap().into()
}

#[test]
fn c07_standing_fits_the_role() {
    let family = || Draft::new(LEG, Role::Family, ID, NOW).purpose(Purpose::Protection);
    let refused = family().build(signed("consent-demarche.toml", NOW));
    assert_eq!(code(refused), "C07");
    let mut by_family = giving("consent-oral-sister.toml", NOW);
    let sign = |giving: &consent::Giving| {
        giving.sign(heron().public(), &mut rng(4), heron().signs()).unwrap()
    };
    assert!(family().build(sign(&by_family)).is_ok());
    by_family.why_not_self = 0;
    assert_eq!(code(family().build(sign(&by_family))), "W02");
    // Said to an officer, who writes it down.
    let mut oral = giving("consent-oral-sister.toml", NOW).oral(&mut rng(5)).unwrap();
    assert_eq!(code(from_mission().build(oral.clone())), "W02");
    oral.attestations = vec![a().attests(ATTEST_DOMAIN, &oral.body)];
    assert!(from_mission().build(oral.clone()).is_ok());
    assert_eq!(code(from_heron().build(oral)), "I03");
}

#[test]
fn w02_rows_of_the_tables() {
    let path = |draft: Draft, body: Body| {
        let refusal = draft.build(body).unwrap_err();
        assert_eq!(refusal.code(), "W02");
        refusal.details()[0].1.clone()
    };
    let mission = || at_ministry(Role::MissionContactPerson);
    let plan = |edit: fn(&mut w::ActionPlan)| {
        let bytes = crate::line::edited("plan-demarche.toml", edit);
        path(mission(), budstikke_case::carried::decode::<w::ActionPlan>(&bytes).unwrap().into())
    };
    assert_eq!(plan(|p| p.title.clear()), "title");
    assert_eq!(plan(|p| p.kind = 0), "kind");
    assert_eq!(plan(|p| p.guarded_like = 4), "guarded_like");
    assert_eq!(plan(|p| p.wording = "a".repeat(8_001)), "wording");
    assert_eq!(plan(|p| p.kind = w::ActionKind::PublishDemarche.into()), "publishes_action_id");
    let alert = |edit: fn(&mut w::Alert)| {
        let mut alert = raised();
        edit(&mut alert);
        path(mission(), alert.into())
    };
    assert_eq!(alert(|a| a.headline = "a".repeat(121)), "headline");
    // Later than the preset allows, or at once.
    assert_eq!(alert(|a| a.ack_by_s += 1), "ack_by_s");
    assert_eq!(alert(|a| a.ack_by_s = a.raised_at_s), "ack_by_s");
    let mut request = approval_request();
    request.plan_hash[0] ^= 1;
    assert_eq!(path(mission(), request.into()), "plan_hash");
    let mut facts = verification();
    facts.facts[1].id = facts.facts[0].id.clone();
    assert_eq!(path(mission(), facts.into()), "facts[1].id");
    let mut facts = verification();
    facts.facts[0].how.clear();
    assert_eq!(path(mission(), facts.into()), "facts[0].how");
    let silent = w::ReactionInformed { why_not_told: String::new(), ..informed() };
    assert_eq!(path(from_mission(), silent.into()), "why_not_told");
    let unasked = w::ConsentRequest { risks_explained: String::new(), ..asked() };
    assert_eq!(path(from_mission(), unasked.into()), "risks_explained");
    let mut unread = signed("consent-demarche.toml", NOW);
    unread.risks_understood = false;
    assert_eq!(path(from_heron(), unread.into()), "risks_understood");
    let mut extra = signed("consent-demarche.toml", NOW);
    extra.claims.push(extra.claims[0].clone());
    assert_eq!(code(from_heron().build(extra)), "C10");
    let no_effect = w::EffectReport { publish: 0, ..effect() };
    assert_eq!(path(mission(), no_effect.into()), "publish");
    // A step of a newer version is not guessed at.
    assert_eq!(code(mission().build(w::ActionUpdate { step: 63, ..update() })), "W01");
}

/// P01, P03, T06: the line's own walls; and what always gets through.
#[test]
fn the_line_needs_a_purpose_a_circle_and_terms() {
    let bare = || Draft::new(TO_MINISTRY, Role::MissionContactPerson, ID, NOW).to(DESK);
    assert_eq!(
        bare().handling(Handling::Ministry).build(raised()).unwrap_err(),
        Refusal::PurposeMissing
    );
    assert_eq!(code(bare().purpose(Purpose::Protection).build(raised())), "P03");
    let built = at_ministry(Role::MissionContactPerson).build(raised()).unwrap();
    let none = TermsState::new(TO_MINISTRY);
    let passage = Passage::new(w::Transport::RelayQuic, DESK);
    assert_eq!(code(may_send(&built.content, &none, NOW, &passage)), "T06");
    assert_eq!(code(may_accept(&built.content, &none, NOW, &passage)), "T06");
    // Taking back needs neither purpose nor terms.
    let draft = Draft::new(LEG, Role::Defender, ID, NOW).to(MISSION);
    let built = draft.build(withdrawal()).unwrap();
    let passage = Passage::new(w::Transport::RelayQuic, MISSION);
    assert!(may_send(&built.content, &TermsState::new(LEG), NOW, &passage).is_ok());
}

#[test]
fn files_say_what_is_wrong_with_them() {
    let risk = RiskFile::parse("[q1_current_threats]\nanswer = \"yes\"\n", Format::Toml, NOW);
    assert_eq!(risk.unwrap().blanks().len(), 10);
    let whole = RiskFile::parse(&data("risk-heron.toml"), Format::Toml, NOW).unwrap();
    assert!(whole.blanks().is_empty());
    let wrong = ConsentFile::parse("[[answers]]\nscope = \"demarch\"\n", Format::Toml, NOW);
    let Err(FileError::UnknownWord { suggestion, .. }) = wrong else { panic!() };
    assert_eq!(suggestion.as_deref(), Some("demarche"));
    let answers = ConsentFile::parse(&data("consent-demarche.toml"), Format::Toml, NOW).unwrap();
    assert_eq!(answers.giving.claims.len(), 5);
    assert_eq!(answers.giving.expires_at_s, NOW + 30 * 86_400);
    let long = format!("preset = \"flash\"\nwhat = \"x\"\nheadline = \"{}\"", "a".repeat(121));
    assert!(AlertFile::parse(&long, Format::Toml, NOW).is_err());
}

#[test]
fn messages_stay_within_a_cell() {
    let sizes: Vec<_> = all()
        .into_iter()
        .map(|(draft, body)| (Kind::of_body(&body), draft.build(body).unwrap().bytes.len()))
        .collect();
    for (kind, size) in &sizes {
        println!("{kind:?}: {size} B");
        assert!(*size <= 14_960, "{kind:?}: {size}");
    }
}

proptest! {
    /// Real messages with some bytes changed: no panic, the bytes kept.
    #[test]
    fn damaged_messages(
        which: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut all = all();
        let (draft, body) = all.swap_remove(which.index(all.len()));
        let built = draft.build(body).unwrap();
        let header = built.content.header.unwrap();
        let (leg, role) = (header.leg, header.sender_role);
        let (leg, role) = (Leg::try_from(leg).unwrap(), Role::try_from(role).unwrap());
        let mut bytes = built.bytes;
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(received) = Received::open(bytes.clone()) {
            prop_assert_eq!(received.bytes(), &bytes);
            let _no_panic = validate(received.content(), leg, role);
            let _no_panic = View::of(received.content());
        }
    }

    #[test]
    fn any_text_is_a_file_or_an_error(text: String) {
        for format in [Format::Toml, Format::Json] {
            let _no_panic = ConsentFile::parse(&text, format, NOW).is_ok();
            let _no_panic = RiskFile::parse(&text, format, NOW).is_ok();
            let _no_panic = AlertFile::parse(&text, format, NOW).is_ok();
        }
    }
}
