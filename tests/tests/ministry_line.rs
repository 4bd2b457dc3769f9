//! The line between a mission and the Ministry's desk: opened for one case, with certificates on both sides, under
//! terms that are never looser than those with the defender.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use budstikke::case::wire::{OnwardMode, Role, TermsChangeKind, TermsProposal};
use budstikke::case::{Body, Phase, Received};
use budstikke::{
    Choice, Client, Decision, Error, ReachOut, Role as OfficerRole, SendOptions, TermsChoice,
};
use budstikke_tests::desk::{desk, desk_with_decider, new_desk, open_line};
use budstikke_tests::world::{World, settle, sync, terms, text, texts};

#[tokio::test(flavor = "multi_thread")]
async fn a_mission_and_the_desk_have_a_line_of_their_own() {
    let world = World::new().await;
    let (_, case) = world.case().await;
    let (desk, invitation) = new_desk(&world, &[OfficerRole::Desk]).await;
    assert!(world.heron.look_up(&invitation).await.is_err(), "a desk is not for defenders");
    world.officer_a.open_line(&invitation, &case).await.expect("open the line");
    sync(&desk).await;
    let contacts = desk.contacts().await.expect("contacts");
    let contact = contacts.first().expect("the mission's contact");
    assert!(matches!(contact.terms, TermsChoice::Countered(_)), "derived, not as offered");
    let at_desk = desk.answer(&contact.id, Decision::Accept).await.expect("answer");
    settle(&[&desk, &world.officer_a]).await;

    let lines = world.officer_a.cases().await.expect("cases");
    let line = lines.iter().find(|case| case.line).expect("the line");
    assert_eq!(line.with, "Human rights desk");
    assert_eq!(line.terms, Phase::InForce);
    assert_eq!(line.line_for.as_deref(), Some(case.as_str()));
    let defenders = lines.iter().find(|other| other.id == case).expect("the case");
    assert_eq!(defenders.line_for, None);
    let opened = desk.case(&at_desk).await.expect("the line");
    assert_eq!(opened.summary.with, "Embassy in Karvonia");
    assert_eq!(opened.summary.terms, Phase::InForce);
    assert_eq!(opened.summary.line_for, None, "the desk learns of no case");
    assert_ne!(at_desk, case);

    for (client, name, words) in [(&world.officer_a, &line.id, "up"), (&desk, &at_desk, "down")] {
        client.send(name, text(words), SendOptions::default()).await.expect("send");
        settle(&[&world.officer_a, &desk]).await;
    }
    for (client, name) in [(&world.officer_a, &line.id), (&desk, &at_desk)] {
        assert_eq!(texts(client, name).await, ["up", "down"]);
        assert_sound(client, name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_case_has_a_line_of_its_own() {
    let world = World::new().await;
    let (at_heron, first) = world.case().await;
    let second = case_of_reed(&world).await;
    let line = desk(&world, &first).await;
    let other = open_line(&world, &line.desk, &line.invitation, &second).await;
    assert_ne!(other, line.at_desk);

    let again = world.officer_a.open_line(&line.invitation, &second).await;
    assert!(matches!(again, Err(Error::NotReady(_))), "one line for one case at one desk");
    let of_a_line = world.officer_a.open_line(&line.invitation, &line.at_mission).await;
    assert!(matches!(of_a_line, Err(Error::Input { .. })));

    let (a, m) = (&world.officer_a, &line.desk);
    for (name, words) in [(&line.at_desk, "about the first"), (&other, "about the second")] {
        m.send(name, text(words), SendOptions::default()).await.expect("send");
    }
    settle(&[m, a, &world.heron]).await;
    let lines = a.cases().await.expect("cases");
    for (case, words) in [(&first, "about the first"), (&second, "about the second")] {
        let line = lines.iter().find(|line| line.line_for.as_deref() == Some(case));
        assert_eq!(texts(a, &line.expect("its line").id).await, [words]);
    }
    assert!(texts(&world.heron, &at_heron).await.is_empty(), "nothing crosses into the case");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_where_the_defender_lets_the_ministry_have_nothing() {
    let world = World::new().await;
    let mut never = terms("terms-offer.toml", world.now());
    never.terms.onward.clear();
    world.reach_out(Choice::Counter(Box::new(never))).await;
    let (_, case) = world.answered(Decision::Accept).await;
    let (desk, invitation) = new_desk(&world, &[OfficerRole::Desk]).await;
    let refused = world.officer_a.open_line(&invitation, &case).await;
    assert_eq!(code(refused), "T05");
    assert!(world.officer_a.outbox().await.expect("outbox").is_empty());
    sync(&desk).await;
    assert!(desk.contacts().await.expect("contacts").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_follows_the_terms_with_the_defender() {
    let world = World::new().await;
    let (at_heron, case) = world.case().await;
    let line = desk(&world, &case).await;
    let (heron, a, m) = (&world.heron, &world.officer_a, &line.desk);
    let before = a.case(&line.at_mission).await.expect("line").agreed.expect("terms");

    let mut narrower = terms("terms-counter.toml", world.now());
    narrower.terms.quiet_time = None;
    heron.propose_terms(&at_heron, narrower).await.expect("propose");
    settle(&[heron, a]).await;
    a.accept_terms(&case).await.expect("accept");
    settle(&[heron, a]).await;

    a.renew_line(&line.at_mission).await.expect("renew");
    settle(&[a, m]).await;
    m.accept_terms(&line.at_desk).await.expect("accept");
    settle(&[a, m]).await;
    for (client, name) in [(a, &line.at_mission), (m, &line.at_desk)] {
        let renewed = client.case(name).await.expect("line");
        assert_eq!(renewed.summary.terms, Phase::InForce);
        assert!(renewed.pending.is_empty());
        assert_ne!(renewed.agreed.expect("terms"), before);
        assert_sound(client, name).await;
    }
    let derived = proposed(a, &line.at_mission).await;
    let ministry = derived.onward.first().expect("a rule for the Ministry");
    assert_eq!(ministry.mode(), OnwardMode::AskEachTime, "as HERON says now");
    assert_eq!(derived.retention.expect("retention").mission_days, 180);

    let refused = a.renew_line(&case).await;
    assert!(matches!(refused, Err(Error::Input { .. })), "a case is no line");
    heron.change_terms(&at_heron, TermsChangeKind::End, "no more").await.expect("end");
    settle(&[heron, a]).await;
    assert_eq!(code(a.renew_line(&line.at_mission).await), "T01");
}

#[tokio::test(flavor = "multi_thread")]
async fn colleagues_at_both_ends_are_in_the_line() {
    let world = World::new().await;
    let (_, case) = world.case().await;
    let line = desk_with_decider(&world, &case).await;
    line.assign_officer_b(&world).await;
    let (a, b, m, k) = (&world.officer_a, &world.officer_b, &line.desk, line.decider());

    let at_b = b.cases().await.expect("cases");
    let [at_b] = at_b.as_slice() else { panic!("the line and not the case: {at_b:?}") };
    assert_eq!(at_b.line_for.as_deref(), Some(case.as_str()));
    assert_eq!(at_b.terms, Phase::InForce);
    let at_k = k.cases().await.expect("cases");
    assert_eq!((at_k[0].line, at_k[0].line_for.as_deref()), (true, None));

    for (client, words) in [(a, "A"), (b, "B"), (m, "M"), (k, "K")] {
        client.send(&line.at_desk, text(words), SendOptions::default()).await.expect("send");
        settle(&[a, b, m, k]).await;
    }
    for client in [a, b, m, k] {
        assert_eq!(texts(client, &line.at_desk).await, ["A", "B", "M", "K"]);
        assert_sound(client, &line.at_desk).await;
    }

    // Officer B may speak, and learns nothing of HERON's terms: nobody binds the mission from that device.
    let renewed = b.renew_line(&line.at_mission).await;
    assert!(matches!(renewed, Err(Error::NotReady(_))));
    world.clock.advance(60);
    a.renew_line(&line.at_mission).await.expect("renew");
    settle(&[a, b, m, k]).await;
    m.accept_terms(&line.at_desk).await.expect("accept");
    settle(&[a, b, m, k]).await;
    for client in [a, b, m, k] {
        let opened = client.case(&line.at_desk).await.expect("line");
        assert_sound(client, &line.at_desk).await;
        let said: Vec<_> = opened.messages.iter().map(|m| (m.kind, m.from.clone())).collect();
        assert!(opened.pending.is_empty(), "{said:?}");
        assert_eq!(opened.summary.terms, Phase::InForce);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_with_several_roles_writes_in_the_one_that_may() {
    let world = World::new().await;
    let (_, case) = world.case().await;
    let roles = [OfficerRole::Desk, OfficerRole::DecisionMaker];
    let (desk, invitation) = new_desk(&world, &roles).await;
    let line = open_line(&world, &desk, &invitation, &case).await;
    desk.send(&line, text("from the desk"), SendOptions::default()).await.expect("send");
    settle(&[&desk, &world.officer_a]).await;
    assert_sound(&world.officer_a, &line).await;
    let messages = world.officer_a.case(&line).await.expect("line").messages;
    let said = messages.into_iter().filter(|message| message.from == "Desk M");
    let said = said.filter(|message| message.kind != "escalation-contact").map(|message| {
        let received = Received::open(message.content).expect("content");
        (message.kind, received.header().expect("header").sender_role())
    });
    // A decision-maker may write letters, and only the desk binds the Ministry.
    let expected =
        [("terms-acceptance", Role::MinistryDesk), ("free-text", Role::MinistryDecisionMaker)];
    assert_eq!(said.collect::<Vec<_>>(), expected);
}

/// REED's case at the mission.
async fn case_of_reed(world: &World) -> String {
    let reed = world.stranger("reed").await;
    reed.look_up(&world.invitation).await.expect("look up");
    let request =
        ReachOut { choice: Choice::Accept(0), emergency: None, pseudonym: Some("REED".into()) };
    reed.reach_out(request).await.expect("reach out");
    sync(&world.officer_a).await;
    let contacts = world.officer_a.contacts().await.expect("contacts");
    let contact = contacts.iter().find(|contact| contact.case.is_none()).expect("a contact");
    let case = world.officer_a.answer(&contact.id, Decision::Accept).await.expect("answer");
    settle(&[&reed, &world.officer_a]).await;
    case
}

/// The newest terms that this device proposed.
async fn proposed(client: &Client, case: &str) -> budstikke::case::wire::ChannelTerms {
    let messages = client.case(case).await.expect("case").messages;
    let bodies = messages.into_iter().rev().filter_map(|message| {
        match Received::open(message.content).expect("content").content().body.clone() {
            Some(Body::TermsProposal(TermsProposal { terms, .. })) => Some(terms),
            _ => None,
        }
    });
    let bytes = bodies.into_iter().next().expect("a proposal");
    budstikke::case::decode_terms(&bytes).expect("terms")
}

async fn assert_sound(client: &Client, case: &str) {
    let messages = client.case(case).await.expect("case").messages;
    for message in messages {
        assert_eq!(message.refused, None, "{} of {}", message.kind, message.from);
    }
}

fn code<T>(result: Result<T, Error>) -> &'static str {
    match result {
        Err(Error::Refused(refusal)) => refusal.code(),
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it was not refused"),
    }
}
