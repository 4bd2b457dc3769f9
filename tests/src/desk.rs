//! A desk of the Ministry and the mission's line to it.

use budstikke::{Client, Decision, Offer, Role, UnitKind, UnitSetup};

use crate::world::{World, offer, settle, sync, terms, unit};

/// A line with terms in force.
pub struct Line {
    /// The desk's device.
    pub desk: Client,
    /// A second one of the desk's, Decision-maker K's, in the line too; only after [`desk_with_decider`].
    pub decider: Option<Client>,
    /// What the desk gives to missions.
    pub invitation: String,
    /// The mission's case that the line is for.
    pub case: String,
    /// The line's name at the desk and at its decision-maker.
    pub at_desk: String,
    /// And at the mission.
    pub at_mission: String,
}

/// Sets a desk up, with Desk M at its device in these roles; it has published and gives out this invitation.
///
/// # Panics
/// When a step fails.
pub async fn new_desk(world: &World, roles: &[Role]) -> (Client, String) {
    let desk = world.stranger("desk").await;
    let setup = UnitSetup {
        name: "Human rights desk".into(),
        kind: UnitKind::MinistryDesk,
        officer: "Desk M".into(),
        roles: roles.to_vec(),
        ..unit("no.mfa.desk", world.relay.address())
    };
    let request = desk.request_unit(setup).await.expect("request");
    let certificate = world.ministry.certify_unit(&request).await.expect("certificate");
    desk.install_unit(&certificate.text).await.expect("install");
    let published = terms("terms-ministry.toml", world.now());
    let published = Offer { terms: vec![published], emergency: None, ..offer(world.now()) };
    desk.publish(published).await.expect("publish");
    let invitation = desk.invitation().await.expect("invitation");
    (desk, invitation)
}

/// Opens a line from Officer A for one case of the mission, and the desk says yes. The line's name.
///
/// # Panics
/// When a step fails.
pub async fn open_line(world: &World, desk: &Client, invitation: &str, case: &str) -> String {
    world.officer_a.open_line(invitation, case).await.expect("open the line");
    sync(desk).await;
    let contacts = desk.contacts().await.expect("contacts");
    let contact = contacts.iter().find(|contact| contact.case.is_none()).expect("a contact");
    let line = desk.answer(&contact.id, Decision::Accept).await.expect("answer");
    settle(&[desk, &world.officer_a]).await;
    line
}

/// Sets a desk up and opens a line from Officer A for one case of the mission.
///
/// # Panics
/// When a step fails.
pub async fn desk(world: &World, case: &str) -> Line {
    let (desk, invitation) = new_desk(world, &[Role::Desk]).await;
    let at_desk = open_line(world, &desk, &invitation, case).await;
    let lines = world.officer_a.cases().await.expect("cases");
    let at_mission = lines.into_iter().find(|case| case.line).expect("the line").id;
    Line { desk, decider: None, invitation, case: case.to_owned(), at_desk, at_mission }
}

/// The same, with Decision-maker K at a second device of the desk.
///
/// # Panics
/// When a step fails.
pub async fn desk_with_decider(world: &World, case: &str) -> Line {
    let mut line = desk(world, case).await;
    let decider = line.enrol(world, "decider", "Decision-maker K", Role::DecisionMaker).await;
    line.desk.assign(&line.at_desk, "Decision-maker K").await.expect("assign");
    settle(&[&line.desk, &decider, &world.officer_a]).await;
    assert_eq!(decider.cases().await.expect("cases").len(), 1, "Decision-maker K has the line");
    line.decider = Some(decider);
    line
}

impl Line {
    /// A further device of the desk's, which is not in the line.
    ///
    /// # Panics
    /// When a step fails.
    pub async fn enrol(&self, world: &World, vault: &str, label: &str, role: Role) -> Client {
        let device = world.stranger(vault).await;
        let request = device.request_device(label, &[role]).await.expect("request");
        let enrolment = self.desk.enrol_device(&request).await.expect("enrol");
        device.install_device(&enrolment).await.expect("install");
        settle(&[&device, &self.desk]).await;
        device
    }

    /// Decision-maker K's device.
    ///
    /// # Panics
    /// Without [`desk_with_decider`].
    pub fn decider(&self) -> &Client {
        self.decider.as_ref().expect("a desk with a decision-maker")
    }

    /// Officer B becomes a member of the line.
    ///
    /// # Panics
    /// When a step fails.
    pub async fn assign_officer_b(&self, world: &World) {
        world.officer_a.assign(&self.at_mission, "Officer B").await.expect("assign");
        settle(&[&world.officer_a, &world.officer_b, &self.desk]).await;
        let cases = world.officer_b.cases().await.expect("cases");
        assert!(cases.iter().any(|case| case.id == self.at_mission), "Officer B has the line");
    }
}
