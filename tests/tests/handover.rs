//! S5: Officer A leaves with seven cases, three promises and one approval in flight.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use std::slice::from_ref;

use budstikke::case::action::ActionPhase;
use budstikke::case::file::{AlertFile, Format, HandoverFile};
use budstikke::case::handover::{CaseStage, HandoverPhase};
use budstikke::case::wire::{IdentityLevel, InFlightKind, OpenPromise, Verdict};
use budstikke::case::{Body, Refusal, Value, View};
use budstikke::clock::Clock;
use budstikke::{Choice, Client, Decision, Event, HandoverView, ReachOut, Role, SendOptions};
use budstikke_tests::case_work::{CaseWork, DAY, HOUR, refused};
use budstikke_tests::world::{
    Ground, World, data, happened, intake, settle, shown, sync, ten_in_the_morning, terms, text,
    texts,
};

const OTHERS: usize = 6;
/// The one of the others who knows Officer B, and says so.
const OBJECTS: usize = 2;
const NOT_B: &str = "Keep Officer B out of what you write.";

/// A defender beside HERON, with their case's name on both sides.
struct Other {
    client: Client,
    own: String,
    at_mission: String,
}

/// Everybody: HERON's case with its line and a démarche before the Ministry, six others, and the head of mission.
struct Office {
    case: CaseWork,
    others: Vec<Other>,
    head: Client,
    act: String,
}

impl Office {
    async fn new() -> Self {
        let case = CaseWork::new().await;
        let told = Body::CaseIntake(Box::new(intake().intake));
        let heron = &case.world.heron;
        heron.send(&case.at_heron, told, SendOptions::default()).await.expect("HERON's account");
        sync(heron).await;
        sync(case.officer_a()).await;
        case.assessed(HOUR).await;
        case.consented("consent-demarche.toml").await;
        case.share(IdentityLevel::Alias).await.expect("the brief");
        let act = case.plan("plan-demarche.toml").await;
        case.submit(&act).await.expect("submit");
        let head = case.world.colleague("head", "Head H", Role::HeadOfMission).await;
        let mut others = Vec::new();
        for number in 1..=OTHERS {
            others.push(other(&case.world, number).await);
        }
        Self { case, others, head, act }
    }

    fn a(&self) -> &Client {
        self.case.officer_a()
    }

    fn b(&self) -> &Client {
        &self.case.world.officer_b
    }

    /// The mission and the Ministry come to rest.
    async fn offices(&self) {
        let Self { case, head, .. } = self;
        settle(&[self.a(), self.b(), head, &case.line.desk, case.decider()]).await;
    }

    async fn staff(&self) {
        settle(&[self.a(), self.b(), &self.head]).await;
    }

    async fn of(&self, client: &Client) -> HandoverView {
        let mut all = client.handovers().await.expect("hand-overs");
        assert_eq!(all.len(), 1);
        all.remove(0)
    }
}

async fn other(world: &World, number: usize) -> Other {
    let client = world.stranger(&format!("heron-{number}")).await;
    client.look_up(&world.invitation).await.expect("look up");
    let pseudonym = Some(format!("HERON {number}"));
    let request = ReachOut { choice: Choice::Accept(0), emergency: None, pseudonym };
    client.reach_out(request).await.expect("reach out");
    sync(&world.officer_a).await;
    let contacts = world.officer_a.contacts().await.expect("contacts");
    let contact = contacts.iter().find(|contact| contact.case.is_none()).expect("a contact");
    let at_mission = world.officer_a.answer(&contact.id, Decision::Accept).await.expect("answer");
    settle(&[&world.officer_a, &client]).await;
    let own = client.cases().await.expect("cases")[0].id.clone();
    Other { client, own, at_mission }
}

fn notes(name: &str) -> HandoverFile {
    HandoverFile::parse(&data(name), Format::Toml).expect("notes")
}

/// The newest notice of who reads, as its reader sees it.
async fn notice(client: &Client, case: &str) -> View {
    let messages = client.case(case).await.expect("case").messages;
    let notice = messages.into_iter().rev().find(|message| message.kind == "case-access-change");
    notice.expect("a notice").view.expect("a view")
}

fn says(view: &View, text: &str) -> bool {
    let mut lines = view.sections.iter().flat_map(|section| &section.lines);
    lines.any(|line| line.value == Value::Text(text.to_owned()))
}

async fn ids(client: &Client) -> Vec<String> {
    let cases = client.cases().await.expect("cases");
    cases.into_iter().filter(|case| !case.line).map(|case| case.id).collect()
}

/// The no goes into what both sides rely on: the terms are amended while the hand-over goes on.
async fn amended(office: &Office, objecting: &Other) {
    let mut file = terms("terms-offer.toml", office.case.world.now());
    let expectations = file.terms.expectations.as_mut().expect("expectations");
    expectations.we_can.push(NOT_B.to_owned());
    office.a().propose_terms(&objecting.at_mission, file).await.expect("propose");
    settle(&[office.a(), &objecting.client]).await;
    objecting.client.accept_terms(&objecting.own).await.expect("accept");
    settle(&[office.a(), &objecting.client]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seven_cases_three_promises_and_an_approval_in_flight() {
    let office = Office::new().await;
    let (a, b, head) = (office.a(), office.b(), &office.head);
    let (heron, line) = (&office.case.world.heron, &office.case.line);
    let objecting = &office.others[OBJECTS];
    let last_day = office.case.world.now() + DAY;
    assert_eq!(refused(b.start_handover(Some("Officer A"), last_day).await).code(), "I03");
    a.start_handover(None, last_day).await.expect("start");

    // Everybody has to have an owner, and everybody has to be told.
    assert_eq!(refused(a.offer_handover().await).code(), "H01");
    let ours = office.case.at_mission.clone();
    a.own_handed_case(&ours, "Officer B", Some(notes("handover-case.toml"))).await.expect("own");
    for (place, other) in office.others.iter().enumerate() {
        let mut file = HandoverFile::default();
        if place == 0 {
            let what = "Write when the fine is due.".to_owned();
            file.case.promises.push(OpenPromise { what, by_s: last_day + 2 * DAY });
        }
        a.own_handed_case(&other.at_mission, "officer b", Some(file)).await.expect("own");
    }
    assert_eq!(refused(a.offer_handover().await), Refusal::DefenderNotInformed);
    assert_eq!(refused(a.finish_handover().await), Refusal::DefenderNotInformed);
    let told = a.tell_of_handover("Officer B writes to you next week.").await.expect("tell");
    assert_eq!((told.told.len(), told.held.len()), (7, 0));
    assert_eq!(a.tell_of_handover("").await.expect("again").told.len(), 0, "told once");
    a.offer_handover().await.expect("offer");
    let mut events = b.events();
    office.staff().await;
    for client in [heron, &objecting.client] {
        sync(client).await;
    }
    let id = office.of(b).await.id;
    assert!(happened(&mut events).contains(&Event::HandoverOffered { handover: id.clone() }));
    for (client, case) in [(heron, &office.case.at_heron), (&objecting.client, &objecting.own)] {
        let view = notice(client, case).await;
        for part in ["Officer A", "Officer B", "Officer B writes to you next week."] {
            assert!(says(&view, part), "{part}");
        }
        assert!(!says(&view, "Answers best in the evening."), "what is for the successor alone");
    }

    // Nothing of the cases before the yes.
    assert_eq!(refused(b.handed_case(&ours).await).code(), "I05");
    assert_eq!(refused(a.assign(&ours, "Officer B").await).code(), "I05");
    assert!(b.cases().await.expect("cases").is_empty() && b.alerts().await.unwrap().is_empty());
    assert!(a.cases().await.unwrap().iter().all(|case| case.line || case.handover_pending));

    // One says no; the rest goes on.
    objecting.client.object(&objecting.own, "I know them.").await.expect("object");
    sync(&objecting.client).await;
    office.staff().await;
    let stage = |view: &HandoverView| {
        let case = view.cases.iter().find(|case| case.case == objecting.at_mission);
        case.map(|case| (case.stage, case.objections)).expect("the case")
    };
    for client in [a, b, head] {
        assert_eq!(stage(&office.of(client).await), (CaseStage::Open, 1));
    }
    b.accept_handover(None).await.expect("accept");
    office.offices().await;
    let mut theirs = ids(b).await;
    theirs.sort();
    let mut all: Vec<String> = office.others.iter().map(|other| other.at_mission.clone()).collect();
    all.push(ours.clone());
    all.retain(|case| *case != objecting.at_mission);
    all.sort();
    assert_eq!(theirs, all);
    assert_eq!(refused(b.handed_case(&objecting.at_mission).await).code(), "I05");
    assert_eq!(refused(head.handed_case(&ours).await).code(), "I05", "it is B's alone");

    // Promises, notes and what is on its way have come to B, and to nobody else.
    let handed = b.handed_case(&ours).await.expect("notes");
    assert_eq!((handed.from.as_str(), handed.case.promises.len()), ("Officer A", 2));
    assert!(handed.case.trust_notes.contains("evening"));
    let flight = &handed.case.in_flight;
    assert_eq!(flight.len(), 1);
    assert_eq!(flight[0].kind, i32::from(InFlightKind::ApprovalRequest));
    let third = b.handed_case(&office.others[0].at_mission).await.expect("notes");
    assert_eq!(third.case.promises[0].what, "Write when the fine is due.");

    // The approval goes on with B, and the Ministry sees it.
    let at_b = b.file(&ours).await.expect("file").acts.remove(0);
    assert_eq!(
        (at_b.id.as_str(), at_b.phase),
        (office.act.as_str(), ActionPhase::AwaitingApproval)
    );
    let at_k = office.case.act_at_ministry(&office.act).await;
    assert_eq!(at_k.owner.as_deref(), Some("Officer B"));
    office.case.decide(&office.act, Verdict::Approved, &[]).await.expect("approve");
    sync(b).await;
    assert_eq!(b.file(&ours).await.expect("file").acts[0].phase, ActionPhase::Cleared);

    // The case of the objection goes to the head of mission, who is asked and whose coming is told.
    assert_eq!(refused(a.finish_handover().await).code(), "H01");
    let not_to_b = a.own_handed_case(&objecting.at_mission, "Officer B", None).await;
    assert_eq!(refused(not_to_b).code(), "W04");
    amended(&office, objecting).await;
    a.own_handed_case(&objecting.at_mission, "Head H", None).await.expect("own");
    assert_eq!(a.tell_of_handover("").await.expect("tell").told, from_ref(&objecting.at_mission));
    a.offer_handover().await.expect("offer");
    office.staff().await;
    sync(&objecting.client).await;
    assert!(says(&notice(&objecting.client, &objecting.own).await, "Head H"));
    assert_eq!(refused(a.finish_handover().await).code(), "W04", "the head has not answered");
    head.accept_handover(Some(&id)).await.expect("accept");
    office.staff().await;
    assert_eq!(ids(head).await, from_ref(&objecting.at_mission));
    // The head of mission comes in under what was agreed since.
    let mut agreed = Vec::new();
    for (client, case) in [
        (a, &objecting.at_mission),
        (head, &objecting.at_mission),
        (&objecting.client, &objecting.own),
    ] {
        agreed.push(shown(&client.case(case).await.expect("case").agreed.expect("terms")));
    }
    assert!(agreed.iter().all(|terms| terms.contains(NOT_B) && *terms == agreed[0]), "{agreed:?}");
    a.finish_handover().await.expect("finish");
    office.staff().await;
    sync(heron).await;
    assert_eq!(office.of(b).await.phase, HandoverPhase::Finished);

    // Until the day is over A reads along.
    heron
        .send(&office.case.at_heron, text("On the last day."), SendOptions::default())
        .await
        .unwrap();
    sync(heron).await;
    office.staff().await;
    for client in [a, b] {
        assert!(texts(client, &ours).await.contains(&"On the last day.".to_owned()));
    }
    // The day is over.
    office.case.world.clock.advance(DAY + HOUR);
    settle(&[b, head]).await;
    assert_eq!(office.of(b).await.phase, HandoverPhase::Done);
    office.offices().await;
    for client in office.others.iter().map(|other| &other.client).chain([heron]) {
        sync(client).await;
    }
    heron.send(&office.case.at_heron, text("To Officer B."), SendOptions::default()).await.unwrap();
    for other in &office.others {
        other.client.send(&other.own, text("Afterwards."), SendOptions::default()).await.unwrap();
    }
    // The duty officer's alert of the gap week.
    let desk = &line.desk;
    let duty = line.enrol(&office.case.world, "duty", "Duty officer D", Role::Duty).await;
    desk.assign(&line.at_desk, "Duty officer D").await.expect("assign");
    settle(&[desk, &duty, b]).await;
    let alert = AlertFile::parse(&data("alert-flash.toml"), Format::Toml, office.case.world.now());
    duty.raise_alert(&line.at_desk, alert.expect("alert")).await.expect("raised");
    for client in office.others.iter().map(|other| &other.client).chain([heron, &duty]) {
        sync(client).await;
    }
    settle(&[a, b, head]).await;
    assert!(texts(b, &ours).await.contains(&"To Officer B.".to_owned()));
    assert_eq!(b.alerts().await.expect("alerts").len(), 1);
    assert!(a.alerts().await.expect("alerts").is_empty());
    for other in &office.others {
        let owner = if other.own == objecting.own { head } else { b };
        assert_eq!(texts(owner, &other.at_mission).await, ["Afterwards."]);
    }
    // Officer A's device has everything that came and opens none of it.
    for case in office.others.iter().map(|other| &other.at_mission).chain([&ours]) {
        if let Ok(case) = a.case(case).await {
            let newest = case.messages.iter().map(|message| message.at).max().unwrap_or_default();
            assert!(newest < last_day);
        }
        let sent = a.send(case, text("From before."), SendOptions::default()).await;
        assert!(sent.is_err(), "nothing goes out from there either");
    }
    let members = heron.case(&office.case.at_heron).await.expect("case").members;
    let names: Vec<_> = members.into_iter().map(|member| member.name).collect();
    assert!(names.contains(&"Officer B".to_owned()) && !names.contains(&"Officer A".to_owned()));
    // And the act goes on.
    let at = office.case.world.now() + DAY;
    b.schedule_act(&ours, &office.act, at).await.expect("a time");
    sync(b).await;
    sync(office.case.decider()).await;
    assert_eq!(office.case.act_at_ministry(&office.act).await.phase, ActionPhase::Scheduled);
}

/// Officer C leaves, who is no admin and the only one in the case. The admin has to let others in without being in it;
/// and somebody who has been let in already loses the case again when its person says no.
#[tokio::test(flavor = "multi_thread")]
async fn a_no_that_comes_after_the_yes() {
    let ground = Ground { clock: Clock::fixed(ten_in_the_morning() - DAY), ..Ground::new().await };
    let world = World::on(ground).await;
    let c = world.colleague("officer-c", "Officer C", Role::ContactPerson).await;
    let (a, b, heron) = (&world.officer_a, &world.officer_b, &world.heron);
    world.reach_out(Choice::Accept(0)).await;
    settle(&[&c, a, b]).await;
    let contact = c.contacts().await.expect("contacts").remove(0);
    let case = c.answer(&contact.id, Decision::Accept).await.expect("answer");
    settle(&[&c, heron]).await;
    let at_heron = heron.cases().await.expect("cases")[0].id.clone();
    assert!(a.cases().await.expect("cases").is_empty(), "the admin is not in it");

    c.start_handover(None, world.now() + HOUR).await.expect("start");
    c.own_handed_case(&case, "Officer B", None).await.expect("own");
    c.tell_of_handover("").await.expect("tell");
    c.offer_handover().await.expect("offer");
    settle(&[&c, a, b]).await;
    b.accept_handover(None).await.expect("accept");
    settle(&[&c, a, b]).await;
    assert_eq!(ids(b).await, from_ref(&case));
    assert!(a.cases().await.expect("cases").is_empty());
    sync(heron).await;
    assert!(says(&notice(heron, &at_heron).await, "Officer B"));
    heron.object(&at_heron, "Not with them.").await.expect("object");
    let mut events = c.events();
    settle(&[heron, &c, b]).await;
    assert!(happened(&mut events).contains(&Event::HandoverObjected { case: case.clone() }));
    heron.send(&at_heron, text("Is it somebody else?"), SendOptions::default()).await.unwrap();
    settle(&[heron, &c, a, b]).await;
    let question = "Is it somebody else?".to_owned();
    assert_eq!(texts(&c, &case).await, from_ref(&question));
    let still = match b.case(&case).await {
        Ok(_) => texts(b, &case).await,
        Err(_) => Vec::new(),
    };
    assert!(!still.contains(&question), "who was let in reads nothing more");
    assert_eq!(refused(c.finish_handover().await).code(), "H01");

    // The admin takes it.
    c.own_handed_case(&case, "Officer A", None).await.expect("own");
    c.tell_of_handover("").await.expect("tell");
    c.offer_handover().await.expect("offer");
    settle(&[&c, a, b]).await;
    a.accept_handover(None).await.expect("accept");
    settle(&[&c, a, b]).await;
    assert_eq!(ids(a).await, from_ref(&case));
    c.finish_handover().await.expect("finish");
    settle(&[&c, a, b]).await;
    world.clock.advance(2 * HOUR);
    settle(&[a, heron]).await;
    heron.send(&at_heron, text("Good morning."), SendOptions::default()).await.unwrap();
    settle(&[heron, a, &c]).await;
    assert_eq!(texts(a, &case).await, ["Good morning."]);
    let members = heron.case(&at_heron).await.expect("case").members;
    assert_eq!(members.iter().filter(|member| member.unit.is_some()).count(), 1);
}
