//! The line between a mission and the Ministry's desk: opened with certificates on both sides, under terms of its own.

use budstikke::case::Phase;
use budstikke::case::wire::FreeText;
use budstikke::{Decision, Offer, Role, SendOptions, UnitKind, UnitSetup};
use budstikke_tests::world::{World, offer, sync, terms, vault};

#[tokio::test(flavor = "multi_thread")]
async fn a_mission_and_the_desk_have_a_line_of_their_own() {
    let world = World::new().await;
    let desk = vault(world.path("desk"), &world.clock).await;
    let setup = UnitSetup {
        unit_id: "no.mfa.desk".into(),
        name: "Human rights desk".into(),
        kind: UnitKind::MinistryDesk,
        officer: "Desk M".into(),
        roles: vec![Role::Desk],
        relays: vec![world.relay.address().to_text()],
    };
    let request = desk.request_unit(setup).await.expect("request");
    let certificate = world.ministry.certify_unit(&request).await.expect("certificate");
    desk.install_unit(&certificate.text).await.expect("install");
    let ministry_terms = terms("terms-ministry.toml", world.now());
    let published = Offer { terms: vec![ministry_terms], emergency: None, ..offer(world.now()) };
    desk.publish(published).await.expect("publish");
    let invitation = desk.invitation().await.expect("invitation");

    assert!(world.heron.look_up(&invitation).await.is_err(), "a desk is not for defenders");
    world.officer_a.open_line(&invitation).await.expect("open the line");
    sync(&desk).await;
    let contacts = desk.contacts().await.expect("contacts");
    let contact = contacts.first().expect("the mission's contact");
    let at_desk = desk.answer(&contact.id, Decision::Accept).await.expect("answer");
    for client in [&desk, &world.officer_a, &desk, &world.officer_a] {
        sync(client).await;
    }
    let lines = world.officer_a.cases().await.expect("cases");
    let at_mission = lines.first().expect("the line");
    assert!(at_mission.line);
    assert_eq!(at_mission.with, "Human rights desk");
    assert_eq!(at_mission.terms, Phase::InForce);
    let opened = desk.case(&at_desk).await.expect("the line");
    assert_eq!(opened.summary.with, "Embassy in Karvonia");
    assert_eq!(opened.summary.terms, Phase::InForce);

    let letter = |words: &str| FreeText { text: words.into(), ..FreeText::default() };
    let sent = world.officer_a.send(&at_mission.id, letter("up"), SendOptions::default()).await;
    sent.expect("to the desk");
    sync(&world.officer_a).await;
    sync(&desk).await;
    desk.send(&at_desk, letter("down"), SendOptions::default()).await.expect("to the mission");
    sync(&desk).await;
    sync(&world.officer_a).await;
    for (client, name) in [(&world.officer_a, &at_mission.id), (&desk, &at_desk)] {
        let messages = client.case(name).await.expect("the line").messages;
        let letters = messages.iter().filter(|message| message.kind == "free-text");
        assert_eq!(letters.count(), 2);
        assert!(messages.iter().all(|message| message.refused.is_none()), "{messages:?}");
    }
}
