//! Hand-overs: step by step, every guard, and at random.

use crate::common::{ID, LEG, NOW, code, data, from_heron, from_mission};
use crate::line::{a, b, person};
use budstikke_case::file::{Format, HandoverFile};
use budstikke_case::handover::{CaseStage, HandoverPhase, HandoverState};
use budstikke_case::wire::handover_step::Step;
use budstikke_case::wire::{self as w, AccessChangeKind, Officer, Purpose, Role};
use budstikke_case::{
    Body, Draft, Leg, Passage, Refusal, TermsState, Value, View, may_accept, may_send,
};
use proptest::prelude::*;

const LAST_DAY: i64 = NOW + 8 * 86_400;

fn h() -> Officer {
    person("Head H", "no.emb.karvonia", Role::HeadOfMission).officer
}

fn case(number: u8) -> w::HandoverCase {
    w::HandoverCase { case_id: vec![number; 16], lines: vec![vec![100 + number; 16]] }
}

fn step(step: Step) -> w::HandoverStep {
    w::HandoverStep { handover_id: vec![9; 16], at_s: NOW, step: Some(step) }
}

fn start(cases: u8) -> w::HandoverStep {
    step(Step::Start(w::HandoverStart {
        from: Some(a().officer),
        last_day_s: LAST_DAY,
        cases: (0..cases).map(case).collect(),
    }))
}

fn own(number: u8, owner: &Officer) -> Step {
    Step::Owner(w::HandoverOwner { of: Some(case(number)), owner: Some(owner.clone()) })
}

fn told(number: u8) -> Step {
    Step::Told(vec![number; 16])
}

fn objected(number: u8) -> Step {
    Step::Objected(vec![number; 16])
}

fn accepted() -> Step {
    Step::Accepted(w::HandoverAcceptance { public_key: vec![3; 1_216] })
}

const OFFERED: Step = Step::Offered(w::HandoverOffer {});
const FINISHED: Step = Step::Finished(w::HandoverFinish {});

/// A hand-over of some cases by Officer A, with shorthand for steps.
struct Story(HandoverState);

impl Story {
    fn new(cases: u8) -> Self {
        Self(HandoverState::start(&start(cases), &a().officer).unwrap())
    }

    fn takes(&mut self, by: &Officer, said: Step, now: i64) -> Result<HandoverPhase, Refusal> {
        let before = self.0.clone();
        let done = self.0.apply(&step(said), by, now);
        assert!(done.is_ok() || self.0 == before, "nothing changes when it is refused");
        done
    }

    fn a(&mut self, said: Step) -> Result<HandoverPhase, Refusal> {
        self.takes(&a().officer, said, NOW)
    }
}

/// S5: seven cases; nothing before everybody was told, one no, and the day itself.
#[test]
fn seven_cases_change_hands() {
    let (b, mut story) = (b().officer, Story::new(7));
    assert_eq!(code(story.a(OFFERED)), "H01");
    for number in 0..6 {
        assert_eq!(story.a(own(number, &b)), Ok(HandoverPhase::Draft));
    }
    assert_eq!(code(story.a(told(6))), "H01", "of whom would they be told?");
    assert_eq!(
        story.0.blocks(&[]).iter().map(Refusal::code).collect::<String>(),
        "D01".repeat(6) + "H01"
    );
    story.a(own(6, &b)).unwrap();
    for number in 0..7 {
        assert_eq!(code(story.a(OFFERED)), "D01");
        assert_eq!(code(story.takes(&b, accepted(), NOW)), "W04");
        story.a(told(number)).unwrap();
    }
    assert_eq!(story.a(OFFERED), Ok(HandoverPhase::Offered));
    assert_eq!(code(story.0.may_read(&[0; 16], &b.key)), "I05");
    // One says no before B has answered, and the rest goes on.
    story.takes(&b, objected(3), NOW).unwrap();
    story.takes(&b, accepted(), NOW).unwrap();
    assert_eq!(story.0.may_read(&[0; 16], &b.key), Ok(()));
    assert_eq!(code(story.0.may_read(&[3; 16], &b.key)), "I05");
    assert_eq!(code(story.0.may_read(&[0; 16], &h().key)), "I05");
    assert_eq!(code(story.a(FINISHED)), "H01");
    assert_eq!(code(story.a(own(3, &b))), "W04", "not to whom they said no to");
    for (said, phase) in [
        (own(3, &h()), HandoverPhase::Draft),
        (told(3), HandoverPhase::Draft),
        (OFFERED, HandoverPhase::Offered),
    ] {
        assert_eq!(story.a(said), Ok(phase));
    }
    assert_eq!(code(story.a(FINISHED)), "W04", "the head of mission has not answered");
    assert_eq!(story.takes(&h(), accepted(), NOW), Ok(HandoverPhase::Accepted));
    // A case that came meanwhile.
    let held: Vec<Vec<u8>> = (0..8).map(|number| vec![number; 16]).collect();
    assert_eq!(code(story.0.may_finish(&held, NOW)), "H01");
    assert_eq!(story.0.may_finish(&held[..7], NOW), Ok(()));
    assert_eq!(story.a(FINISHED), Ok(HandoverPhase::Finished));
    assert_eq!(story.0.phase(LAST_DAY - 1), HandoverPhase::Finished);
    assert_eq!(story.0.phase(LAST_DAY), HandoverPhase::Done);
    assert_eq!(code(story.takes(&h(), objected(1), LAST_DAY)), "W04");
    let again = HandoverState::from_bytes(&story.0.to_bytes()).unwrap();
    assert!(again == story.0);
}

#[test]
fn who_may_hand_over() {
    let (a, b) = (a().officer, b().officer);
    assert_eq!(code(HandoverState::start(&start(1), &b)), "I03");
    assert_eq!(code(HandoverState::start(&step(OFFERED), &a)), "W02");
    let mut story = Story::new(1);
    for said in [own(0, &b), told(0), OFFERED, FINISHED] {
        assert_eq!(code(story.takes(&b, said, NOW)), "I03");
    }
    assert_eq!(code(story.a(own(0, &a))), "W04", "whoever leaves keeps nothing");
    assert_eq!(code(story.a(Step::Told(vec![0; 15]))), "W02");
    assert_eq!(code(story.a(Step::Accepted(w::HandoverAcceptance { public_key: vec![] }))), "W02");
    let other = w::HandoverStep { handover_id: vec![8; 16], ..step(OFFERED) };
    assert_eq!(code(story.0.apply(&other, &a, NOW)), "W02");
    // Somebody else is named while nobody has been asked: the person concerned is told again.
    story.a(own(0, &b)).unwrap();
    story.a(told(0)).unwrap();
    story.a(own(0, &b)).unwrap();
    assert_eq!(story.0.cases()[0].stage, CaseStage::Told);
    story.takes(&h(), own(0, &h()), NOW).unwrap();
    assert_eq!(story.0.cases()[0].stage, CaseStage::Owned);
    let mut twice = start(1);
    if let Some(Step::Start(start)) = &mut twice.step {
        start.cases.push(case(0));
    }
    assert_eq!(code(HandoverState::start(&twice, &a)), "W02");
}

fn notice() -> w::CaseAccessChange {
    w::CaseAccessChange {
        kind: AccessChangeKind::HandedOver.into(),
        reads: vec![w::CaseReader { label: "Officer B".into(), role: Role::MissionStaff.into() }],
        from_s: NOW,
        stops: vec![w::CaseReader { label: "Officer A".into(), role: 0 }],
        stops_s: LAST_DAY,
        what_happens_next: "Officer B writes to you this week.".into(),
        reason: String::new(),
    }
}

fn objection() -> w::CaseAccessChange {
    w::CaseAccessChange {
        kind: AccessChangeKind::Objection.into(),
        reason: "I know them.".into(),
        ..w::CaseAccessChange::default()
    }
}

/// Notes for the successor never leave the team; the notice never leaves the channel it is about.
#[test]
fn each_goes_to_whom_it_is_for() {
    let file = HandoverFile::parse(&data("handover-case.toml"), Format::Toml).unwrap();
    let handover = w::Handover {
        handover_id: vec![9; 16],
        from: Some(a().officer),
        to: Some(b().officer),
        last_day_s: LAST_DAY,
        cases: vec![w::HandedCase { case_id: vec![1; 16], ..file.case.clone() }],
    };
    let team = |role| Draft::new(Leg::MissionTeam, role, ID, NOW).purpose(Purpose::Protection);
    let built = team(Role::MissionContactPerson).build(handover.clone()).unwrap();
    let json = serde_json::to_string(&View::of(&built.content)).unwrap();
    for part in ["evening", "lawyer in Sundra whether", "REED", "case-state-active"] {
        assert!(json.contains(part), "{part}");
    }
    assert_eq!(code(team(Role::MissionStaff).build(handover.clone())), "I03");
    assert_eq!(code(from_mission().build(handover.clone())), "I03");
    let ministry = Draft::new(Leg::MissionMinistry, Role::HeadOfMission, ID, NOW)
        .handling(w::Handling::Ministry)
        .purpose(Purpose::Protection);
    assert_eq!(code(ministry.clone().build(handover)), "I03");

    assert_eq!(code(ministry.build(notice())), "I03");
    assert_eq!(code(from_heron().build(notice())), "I03", "only the mission says who reads");
    assert_eq!(code(from_mission().build(objection())), "I03", "only they say no");
    let bad = [
        w::CaseAccessChange { reads: Vec::new(), ..notice() },
        w::CaseAccessChange { from_s: 0, ..notice() },
        w::CaseAccessChange { stops_s: 0, ..notice() },
        w::CaseAccessChange { reason: "x".into(), ..notice() },
        w::CaseAccessChange { kind: 0, ..notice() },
    ];
    for notice in bad {
        assert_eq!(code(from_mission().build(notice)), "W02");
    }
    let bad = w::CaseAccessChange { from_s: NOW, ..objection() };
    assert_eq!(code(from_heron().build(bad)), "W02");
    let shown = View::of(&from_mission().build(notice()).unwrap().content);
    let lines: Vec<_> = shown.sections.iter().flat_map(|section| &section.lines).collect();
    let may_object = Value::Word("access-may-object".into());
    assert!(lines.iter().any(|line| line.value == may_object));
    assert!(lines.iter().any(|line| line.value == Value::Text("Officer B".into())));
}

/// Neither is held up by terms that have ended; quiet hours hold the notice.
#[test]
fn terms_hold_neither_up() {
    let none = TermsState::new(LEG);
    let (to_heron, to_mission) = (crate::common::to_heron(), crate::common::to_mission());
    let bare = |draft: Draft| draft.purpose(Purpose::RunningTheChannel);
    let notice = bare(from_mission()).build(notice()).unwrap().content;
    let objection = bare(from_heron()).build(objection()).unwrap().content;
    assert!(may_send(&notice, &none, NOW, &to_heron).is_ok());
    assert!(may_accept(&objection, &none, NOW, &to_mission).is_ok());
    let (terms, _) = crate::common::in_force();
    let mut night = notice;
    let at = NOW + 13 * 3_600;
    night.header.as_mut().unwrap().written_at_s = at - at.rem_euclid(60);
    assert_eq!(
        code(may_send(&night, &terms, at, &Passage::new(w::Transport::RelayQuic, ""))),
        "T08"
    );
}

#[test]
fn an_act_says_who_goes_on_with_it() {
    let mut act =
        budstikke_case::action::ActionState::draft(crate::line::plan("plan-demarche.toml").0)
            .unwrap();
    let update = |step: w::ActionStep, to| w::ActionUpdate {
        action_id: act.plan().action_id.clone(),
        plan_hash: act.plan_hash().to_vec(),
        step: step.into(),
        at_s: NOW,
        to,
        ..w::ActionUpdate::default()
    };
    let ministry = || {
        Draft::new(Leg::MissionMinistry, Role::MissionContactPerson, ID, NOW)
            .handling(w::Handling::Ministry)
            .purpose(Purpose::Protection)
    };
    let handed = update(w::ActionStep::HandedOver, Some(b().officer));
    assert_eq!(code(ministry().build(update(w::ActionStep::HandedOver, None))), "W02");
    assert_eq!(code(ministry().build(update(w::ActionStep::Closed, Some(b().officer)))), "W02");
    let built = ministry().build(Body::from(handed)).unwrap();
    let event = budstikke_case::action::ActionEvent::of(&built.content).unwrap();
    let world = crate::line::world(crate::line::ledger([]), NOW);
    assert_eq!(act.owner(), None);
    world.step(&mut act, event, NOW).unwrap();
    let again = budstikke_case::action::ActionState::from_bytes(&act.to_bytes()).unwrap();
    assert_eq!(again.owner(), Some(&b().officer));
}

proptest! {
    /// Whatever is said in whatever order: nobody reads a case that was not told, offered to them and accepted by
    /// them since it was last given to somebody; and nothing is finished before every case has its officer.
    #[test]
    fn nobody_reads_before_they_may(
        walk in prop::collection::vec((0_u8..7, 0_u8..3, 0_u8..3), 0..60),
    ) {
        let people = [b().officer, h(), a().officer];
        let mut story = Story::new(3);
        // What a model without rules of its own has seen since each case was last given to somebody.
        let mut seen = [(None::<usize>, 0_u8); 3];
        for (what, number, who) in walk {
            let place = usize::from(number);
            let who = usize::from(who);
            let said = match what {
                0 | 1 => own(number, &people[who]),
                2 => told(number),
                3 => objected(number),
                4 => OFFERED,
                5 => accepted(),
                _ => FINISHED,
            };
            let by = if what == 5 { people[who].clone() } else { a().officer };
            let done = story.takes(&by, said, NOW);
            if done.is_ok() {
                match what {
                    0 | 1 if seen[place].0 != Some(who) => seen[place] = (Some(who), 0),
                    2 => seen[place].1 = seen[place].1.max(1),
                    3 => seen[place] = (None, 0),
                    4 => seen.iter_mut().for_each(|case| case.1 = case.1.max(2)),
                    5 => seen
                        .iter_mut()
                        .filter(|case| case.0 == Some(who) && case.1 >= 2)
                        .for_each(|case| case.1 = 3),
                    _ => {}
                }
            }
            for (number, (owner, far)) in (0_u8..).zip(&seen) {
                for (who, person) in people.iter().enumerate() {
                    let may = story.0.may_read(&[number; 16], &person.key).is_ok();
                    prop_assert_eq!(may, *owner == Some(who) && *far == 3);
                }
            }
            let over = matches!(story.0.phase(NOW), HandoverPhase::Finished | HandoverPhase::Done);
            prop_assert!(!over || seen.iter().all(|case| case.1 == 3));
            let again = HandoverState::from_bytes(&story.0.to_bytes()).unwrap();
            prop_assert!(again == story.0);
        }
    }
}
