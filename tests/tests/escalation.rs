//! S10: an alert that nobody takes in time goes on to whoever comes next, whatever becomes of the device that raised it,
//! and does not once somebody has taken it.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use budstikke::case::alert::AlertPhase;
use budstikke::case::file::{AlertFile, Format};
use budstikke::case::wire::{AckKind, Content, Role as CaseRole};
use budstikke::case::{Body, Warning};
use budstikke::{AlertView, Choice, Client, Decision, Event, Role};
use budstikke_e2ee::contact::Route;
use budstikke_tests::case_work::{DAY, HOUR, MINUTE};
use budstikke_tests::desk::{Line, desk};
use budstikke_tests::watched::Watched;
use budstikke_tests::world::{Ground, World, data, happened, settle, sync, ten_in_the_morning};
use prost::Message;

const PATIENCE: Duration = Duration::from_secs(30);

/// A mission with a line to a desk: M is in the line, duty officer D and decision-maker K are not.
struct Office {
    world: World,
    line: Line,
    at_mission: String,
    duty: Client,
    decider: Client,
}

impl Office {
    /// On a Friday-like afternoon, 17:05.
    async fn new() -> Self {
        Self::over(Watched::patient()).await
    }

    async fn over(way: Watched) -> Self {
        let ground = Ground::on_one_clock(ten_in_the_morning() - 4 * DAY).await;
        let ground = Ground { transport: Arc::new(way), ..ground };
        let world = World::on(ground).await;
        world.reach_out(Choice::Accept(0)).await;
        let (_, at_mission) = world.answered(Decision::Accept).await;
        let line = desk(&world, &at_mission).await;
        let duty = line.enrol(&world, "duty", "Duty officer D", Role::Duty).await;
        let decider = line.enrol(&world, "decider", "Decision-maker K", Role::DecisionMaker).await;
        let office = Self { world, line, at_mission, duty, decider };
        office.world.clock.advance(7 * HOUR + 5 * MINUTE);
        office.settle().await;
        office
    }

    async fn settle(&self) {
        settle(&[&self.world.officer_a, &self.line.desk, &self.duty, &self.decider]).await;
    }

    async fn raise(&self, change: impl FnOnce(&mut AlertFile)) -> Vec<Warning> {
        let text = data("alert-flash.toml");
        let mut file = AlertFile::parse(&text, Format::Toml, self.world.now()).expect("alert");
        change(&mut file);
        let raised = self.world.officer_a.raise_alert(&self.at_mission, file).await;
        let warnings = raised.expect("raised").warnings;
        sync(&self.world.officer_a).await;
        sync(&self.line.desk).await;
        warnings
    }

    /// Moves everybody's clock, the relay's too.
    fn at(&self, minutes: i64) {
        self.world.clock.advance(minutes * MINUTE);
    }
}

async fn only(client: &Client) -> AlertView {
    let mut alerts = client.alerts().await.expect("alerts");
    assert_eq!(alerts.len(), 1);
    alerts.remove(0)
}

async fn none(client: &Client) -> bool {
    sync(client).await;
    client.alerts().await.expect("alerts").is_empty()
}

/// The relay looks four times a second for what is due.
async fn until_it_comes(client: &Client) -> AlertView {
    let started = Instant::now();
    loop {
        sync(client).await;
        if let Some(alert) = client.alerts().await.expect("alerts").pop() {
            return alert;
        }
        assert!(started.elapsed() < PATIENCE, "no copy came");
        tokio::task::yield_now().await;
    }
}

async fn events_of(client: &Client) -> Vec<Event> {
    let mut events = client.events();
    sync(client).await;
    happened(&mut events)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_nobody_takes_goes_on_without_its_sender_until_somebody_does() {
    let office = Office::new().await;
    let (desk, duty, decider) = (&office.line.desk, &office.duty, &office.decider);
    let raised = office.world.now();
    let warnings = office.raise(|_| {}).await;
    assert!(!warnings.contains(&Warning::NobodyNext), "{warnings:?}");
    sync(&office.world.officer_a).await;
    let ours = only(&office.world.officer_a).await;
    assert_eq!(ours.next, Some((CaseRole::MinistryDutyOfficer, raised + HOUR)));
    let id = ours.id;
    // 17:10: the power is gone. From here on Officer A's device does nothing.
    office.at(5);
    // 17:20: the desk has it on the screen; nobody takes it.
    office.at(10);
    desk.acknowledge_alert(&id, AckKind::SeenNotMine, 0, "").await.expect("seen");
    sync(desk).await;
    // 17:50: a quarter of the time is left.
    office.at(30);
    let near = Event::AlertNear { alert: id.clone() };
    assert!(events_of(desk).await.contains(&near));
    assert!(!events_of(desk).await.contains(&near), "said once");
    office.at(14);
    assert!(none(duty).await && none(decider).await, "18:04: nobody else has heard of it");
    // 18:05.
    office.at(1);
    let copy = until_it_comes(duty).await;
    assert_eq!((copy.id.as_str(), copy.phase), (id.as_str(), AlertPhase::Escalated));
    let from = copy.raised_by.clone().expect("who raised it");
    assert_eq!(from, ("Embassy in Karvonia".to_owned(), "Officer A".to_owned()));
    assert!(copy.overdue && !copy.ours && copy.line.is_empty());
    let told = events_of(desk).await;
    assert!(told.contains(&Event::AlertOverdue { alert: id.clone() }), "{told:?}");
    assert!(told.contains(&Event::AlertPassedOn { alert: id.clone() }), "{told:?}");
    // 18:22: taken.
    office.at(17);
    let next_word = office.world.now() + 38 * MINUTE;
    let taken = duty.acknowledge_alert(&id, AckKind::SeenAndMine, next_word, "I have it.").await;
    taken.expect("taken");
    sync(duty).await;
    // 18:40: the decision-maker would have had it since 18:35.
    office.at(18);
    let by = Some(("Duty officer D".to_owned(), raised + 77 * MINUTE));
    assert!(none(decider).await);
    // Monday: the desk sees who has it; the mission, when it has power again.
    office.at(3 * 24 * 60 - 100);
    for client in [desk, &office.world.officer_a, duty] {
        sync(client).await;
        let alert = only(client).await;
        assert_eq!((alert.phase, &alert.acked_by), (AlertPhase::Acked, &by));
        assert_eq!((alert.next_word_by_s, alert.next), (next_word, None));
        assert!(!alert.overdue && alert.word_overdue);
    }
    assert!(none(decider).await, "the copy was called off");
    duty.acknowledge_alert(&id, AckKind::Done, 0, "They are safe.").await.expect("done");
    office.settle().await;
    for client in [desk, &office.world.officer_a, duty] {
        assert_eq!(only(client).await.phase, AlertPhase::Done);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_taken_an_alert_is_the_last_to_hear_of_it() {
    let office = Office::new().await;
    office.raise(|_| {}).await;
    let (desk, duty) = (&office.line.desk, &office.duty);
    let first = only(desk).await.id;
    office.at(20);
    let next = office.world.now() + HOUR;
    desk.acknowledge_alert(&first, AckKind::SeenAndMine, next, "").await.expect("taken");
    sync(desk).await;
    // The next one nobody takes. Copies of one grant are released in order of their times: when its copy is there, the
    // first one's would have come.
    office.raise(|file| file.alert.headline = "A second one".into()).await;
    office.at(2 * 60);
    let copy = until_it_comes(duty).await;
    assert_eq!(copy.alert.headline, "A second one");
    assert_ne!(copy.id, first);
    office.settle().await;
    assert_eq!(duty.alerts().await.expect("alerts").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nobody_is_left_everybody_is_shown_the_way_outside() {
    let office = Office::new().await;
    office
        .raise(|file| {
            file.alert.exercise = true;
            file.alert.headline = format!("EXERCISE: {}", file.alert.headline);
        })
        .await;
    let (a, duty, decider) = (&office.world.officer_a, &office.duty, &office.decider);
    let id = only(a).await.id;
    office.at(60);
    until_it_comes(duty).await;
    assert!(none(decider).await, "18:05 is the duty officer's turn");
    office.at(30);
    let copy = until_it_comes(decider).await;
    assert!(copy.alert.exercise && copy.alert.headline.starts_with("EXERCISE"));
    // 19:05.
    office.at(30);
    let exhausted = Event::AlertExhausted { alert: id };
    for client in [a, &office.line.desk, duty, decider] {
        assert!(events_of(client).await.contains(&exhausted));
        let alert = only(client).await;
        assert_eq!(alert.phase, AlertPhase::Exhausted);
        assert!(alert.overdue && !alert.off_channel.is_empty());
    }
    assert_eq!(only(a).await.off_channel, "Duty telephone of the Ministry");
    // Too late is better than never.
    let next = office.world.now() + HOUR;
    let id = only(decider).await.id;
    decider.acknowledge_alert(&id, AckKind::InHand, next, "").await.expect("taken");
    office.settle().await;
    for client in [a, &office.line.desk, duty, decider] {
        assert_eq!(only(client).await.phase, AlertPhase::InHand);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_waited_for_the_network_leaves_everybody_their_time() {
    let office = Office::new().await;
    let (a, duty) = (&office.world.officer_a, &office.duty);
    let file = AlertFile::parse(&data("alert-flash.toml"), Format::Toml, office.world.now());
    a.raise_alert(&office.at_mission, file.expect("alert")).await.expect("raised");
    // The mission has no network until 20:05.
    office.at(3 * 60);
    sync(a).await;
    sync(&office.line.desk).await;
    let by = office.world.now() + HOUR;
    assert_eq!(only(&office.line.desk).await.ack_by_s, by);
    office.at(59);
    assert!(none(duty).await);
    office.at(1);
    let copy = until_it_comes(duty).await;
    // Taken back: whoever has a copy hears it.
    sync(a).await;
    a.cancel_alert(&copy.id, "It was a mistake.").await.expect("cancel");
    sync(a).await;
    sync(duty).await;
    assert_eq!(only(duty).await.phase, AlertPhase::Cancelled);
    office.at(45);
    assert!(none(&office.decider).await, "called off");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_way_that_leads_nowhere_is_not_kept_and_stops_no_alert() {
    let office = Office::new().await;
    let (a, desk) = (&office.world.officer_a, &office.line.desk);
    // A changed program at the desk says how it is reached, in bytes that are no route and no key.
    let said = desk.case(&office.line.at_desk).await.expect("line").messages;
    let said = said.iter().rev().find(|message| message.kind == "escalation-contact");
    let sound = Content::decode(said.expect("a contact").content.as_slice()).expect("content");
    for place in 0..3 {
        let mut bad = sound.clone();
        let header = bad.header.as_mut().expect("header");
        (header.message_id, header.seq) = (vec![place; 16], header.seq + 50 + u64::from(place));
        let Some(Body::EscalationContact(contact)) = &mut bad.body else { panic!("a contact") };
        match place {
            0 => contact.route = vec![7; 200],
            1 => contact.public_key = vec![0xff; 1_216],
            _ => {
                let mut route = Route::from_bytes(&contact.route).expect("a route");
                route.relay = "nowhere".into();
                contact.route = route.to_bytes().to_vec();
            }
        }
        desk.send_unchecked(&office.line.at_desk, bad.encode_to_vec()).await.expect("send");
    }
    settle(&[desk, a]).await;
    let at_mission = a.case(&office.line.at_mission).await.expect("line").messages;
    let apart = at_mission.iter().filter(|message| message.refused.is_some());
    assert!(apart.clone().all(|message| message.refused.as_deref() == Some("W02")));
    assert_eq!(apart.count(), 3);
    let warnings = office.raise(|_| {}).await;
    assert!(!warnings.contains(&Warning::NobodyNext), "{warnings:?}");
    office.at(60);
    until_it_comes(&office.duty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_is_given_back_is_loud_where_it_was_raised() {
    let office = Office::new().await;
    let (a, duty) = (&office.world.officer_a, &office.duty);
    office.raise(|_| {}).await;
    let id = only(a).await.id;
    office.at(60);
    until_it_comes(duty).await;
    let next = office.world.now() + HOUR;
    duty.acknowledge_alert(&id, AckKind::SeenAndMine, next, "").await.expect("taken");
    sync(duty).await;
    assert!(events_of(a).await.contains(&Event::AlertTaken { alert: id.clone() }));
    office.at(3);
    duty.acknowledge_alert(&id, AckKind::SeenNotMine, 0, "Not mine.").await.expect("given back");
    sync(duty).await;
    assert!(events_of(a).await.contains(&Event::AlertOpenAgain { alert: id }));
    let open = only(a).await;
    assert!(open.overdue && open.acked_by.is_none() && open.next.is_none());
    office.at(60);
    assert!(none(&office.decider).await, "and nobody is passed it any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_did_not_leave_is_not_said_to_have() {
    let way = Watched::patient();
    let mut office = Office::over(way.clone()).await;
    let a = office.world.officer_a.clone();
    let file = AlertFile::parse(&data("alert-flash.toml"), Format::Toml, office.world.now());
    a.raise_alert(&office.at_mission, file.expect("alert")).await.expect("raised");
    let id = only(&a).await.id;
    // The relay is gone before anything left.
    way.go_dark();
    office.world.relay.stop().await;
    office.at(60);
    let mut events = a.events();
    a.sync().await.expect("a problem is no error");
    let told = happened(&mut events);
    assert!(told.contains(&Event::AlertNotPassedOn { alert: id.clone() }), "{told:?}");
    assert!(!told.contains(&Event::AlertPassedOn { alert: id }), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_anybody_who_comes_next_the_officer_is_told() {
    let ground = Ground::on_one_clock(ten_in_the_morning() - DAY).await;
    let world = World::on(ground).await;
    world.reach_out(Choice::Accept(0)).await;
    let (_, at_mission) = world.answered(Decision::Accept).await;
    let line = desk(&world, &at_mission).await;
    settle(&[&world.officer_a, &line.desk]).await;
    let file = AlertFile::parse(&data("alert-flash.toml"), Format::Toml, world.now());
    let sent = world.officer_a.raise_alert(&at_mission, file.expect("alert")).await;
    assert!(sent.expect("raised").warnings.contains(&Warning::NobodyNext));
    sync(&world.officer_a).await;
    world.clock.advance(HOUR);
    let told = events_of(&world.officer_a).await;
    assert!(told.iter().any(|event| matches!(event, Event::AlertOverdue { .. })), "{told:?}");
    assert_eq!(only(&world.officer_a).await.next, None);
}
