//! A desk of the Ministry and the mission's line to it.

use budstikke::{Client, Decision, Offer, Role, UnitKind, UnitSetup};

use crate::world::{World, offer, settle, sync, terms, unit};

/// A line with terms in force.
pub struct Line {
    /// The desk's device.
    pub desk: Client,
    /// The line's name at the desk.
    pub at_desk: String,
    /// And at the mission.
    pub at_mission: String,
}

/// Sets a desk up and opens the line from Officer A.
///
/// # Panics
/// When a step fails.
pub async fn desk(world: &World) -> Line {
    let desk = world.stranger("desk").await;
    let setup = UnitSetup {
        name: "Human rights desk".into(),
        kind: UnitKind::MinistryDesk,
        officer: "Desk M".into(),
        roles: vec![Role::Desk],
        ..unit("no.mfa.desk", world.relay.address())
    };
    let request = desk.request_unit(setup).await.expect("request");
    let certificate = world.ministry.certify_unit(&request).await.expect("certificate");
    desk.install_unit(&certificate.text).await.expect("install");
    let published = terms("terms-ministry.toml", world.now());
    let published = Offer { terms: vec![published], emergency: None, ..offer(world.now()) };
    desk.publish(published).await.expect("publish");
    let invitation = desk.invitation().await.expect("invitation");
    world.officer_a.open_line(&invitation).await.expect("open the line");
    sync(&desk).await;
    let contacts = desk.contacts().await.expect("contacts");
    let contact = contacts.first().expect("the mission's contact");
    let at_desk = desk.answer(&contact.id, Decision::Accept).await.expect("answer");
    settle(&[&desk, &world.officer_a]).await;
    let lines = world.officer_a.cases().await.expect("cases");
    let at_mission = lines.into_iter().find(|case| case.line).expect("the line").id;
    Line { desk, at_desk, at_mission }
}
