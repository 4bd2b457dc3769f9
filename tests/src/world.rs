//! A small world on one machine: a relay, a Ministry, a mission with two officers, a defender; each in a vault of
//! their own, over real QUIC and real files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use budstikke::case::file::{EmergencyFile, Format, IntakeFile, PrivacyNoticeFile, TermsFile};
use budstikke::case::wire::FreeText;
use budstikke::case::{Body, Received, View};
use budstikke::clock::Clock;
use budstikke::transport::Transport;
use budstikke::transport::quic::QuicTransport;
use budstikke::vault::Cost;
use budstikke::{
    Choice, Client, Decision, Event, EventStream, Offer, ReachOut, Role, SyncReport, UnitKind,
    UnitSetup,
};
use budstikke_proto::address::RelayAddress;
use budstikke_relay::Relay;
use futures_util::{FutureExt as _, StreamExt as _};

/// The passphrase of every vault in tests.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// Everybody.
pub struct World {
    /// Holds all files; gone when dropped.
    pub folder: tempfile::TempDir,
    /// The relay.
    pub relay: AnyRelay,
    /// Everybody's clock.
    pub clock: Clock,
    /// Everybody's way to the relay.
    pub transport: Arc<dyn Transport>,
    /// The Ministry.
    pub ministry: Client,
    /// Officer A: admin and contact person.
    pub officer_a: Client,
    /// Officer B: staff.
    pub officer_b: Client,
    /// The defender.
    pub heron: Client,
    /// What the mission gives to people it trusts.
    pub invitation: String,
}

/// What a world stands on.
pub struct Ground {
    /// Holds all files.
    pub folder: tempfile::TempDir,
    /// The relay.
    pub relay: AnyRelay,
    /// Everybody's clock.
    pub clock: Clock,
    /// Everybody's way to the relay.
    pub transport: Arc<dyn Transport>,
}

/// A relay: one in this process, or the address of another.
pub struct AnyRelay {
    address: RelayAddress,
    inside: Option<Relay>,
}

impl AnyRelay {
    /// A relay that the caller looks after.
    pub fn elsewhere(address: RelayAddress) -> Self {
        Self { address, inside: None }
    }

    /// Its address.
    pub fn address(&self) -> &RelayAddress {
        &self.address
    }

    /// Stops it, if it runs in this process.
    pub async fn stop(&mut self) {
        if let Some(relay) = self.inside.take() {
            relay.shutdown().await;
        }
    }
}

impl Ground {
    /// A relay in this process, a clock that stands at 10:00, plain QUIC.
    ///
    /// # Panics
    /// When the relay does not start.
    pub async fn new() -> Self {
        Self::of(Clock::fixed(ten_in_the_morning()), Box::new(|| Clock::system().now())).await
    }

    /// The same from `now` on, by a clock that the relay has too.
    ///
    /// # Panics
    /// When the relay does not start.
    pub async fn on_one_clock(now: i64) -> Self {
        let clock = Clock::fixed(now);
        let relays = clock.clone();
        Self::of(clock, Box::new(move || relays.now())).await
    }

    /// Somebody's new vault.
    pub async fn vault(&self, name: &str) -> Client {
        let path = vault_path(self.folder.path(), name);
        vault_over(path, &self.clock, Arc::clone(&self.transport)).await
    }

    async fn of(clock: Clock, relays: budstikke_relay::Clock) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = budstikke_relay::testing::config(folder.path());
        let relay = Relay::spawn_at(config, relays).await.expect("a relay");
        Self {
            folder,
            relay: AnyRelay { address: relay.address().clone(), inside: Some(relay) },
            clock,
            transport: Arc::new(QuicTransport::default()),
        }
    }
}

/// A file of tests/data.
///
/// # Panics
/// When there is none.
pub fn data(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Terms from a file of tests/data.
pub fn terms(name: &str, now: i64) -> TermsFile {
    TermsFile::parse(&data(name), Format::Toml, now).expect("terms")
}

/// HERON's intake.
pub fn intake() -> IntakeFile {
    IntakeFile::parse(&data("intake-heron.toml"), Format::Toml).expect("intake")
}

/// HERON's emergency form.
pub fn emergency() -> EmergencyFile {
    EmergencyFile::parse(&data("emergency.toml"), Format::Toml).expect("emergency")
}

/// A letter.
pub fn text(words: &str) -> FreeText {
    FreeText { text: words.into(), ..FreeText::default() }
}

/// What the mission of the world publishes.
pub fn offer(now: i64) -> Offer {
    Offer {
        terms: vec![terms("terms-offer.toml", now)],
        emergency: Some(terms("terms-emergency.toml", now)),
        privacy: PrivacyNoticeFile::parse(&data("privacy-notice.toml"), Format::Toml, now)
            .expect("privacy notice"),
    }
}

/// The last 10:00 in Karvonia (UTC+3), so that no test depends on the hour: no quiet time is then. Never ahead of the
/// system's clock, which the MLS library holds key packages against.
pub fn ten_in_the_morning() -> i64 {
    let now = Clock::system().now();
    let ten = 7 * 3_600;
    now - (now - ten).rem_euclid(86_400)
}

/// A new vault.
pub async fn vault(path: PathBuf, clock: &Clock) -> Client {
    vault_over(path, clock, Arc::new(QuicTransport::default())).await
}

/// A new vault of somebody with another way to relays.
pub async fn vault_over(path: PathBuf, clock: &Clock, transport: Arc<dyn Transport>) -> Client {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    Client::builder(path)
        .passphrase(PASSPHRASE)
        .cost(Cost::INSECURE_FOR_TESTS)
        .clock(clock.clone())
        .transport(transport)
        .create()
        .await
        .expect("a new vault")
}

/// Opens a vault again.
pub async fn reopen(path: PathBuf, clock: &Clock) -> Client {
    Client::builder(path)
        .passphrase(PASSPHRASE)
        .clock(clock.clone())
        .open()
        .await
        .expect("the vault")
}

/// A pass that must have no problems.
pub async fn sync(client: &Client) -> SyncReport {
    let report = client.sync().await.expect("sync");
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    report
}

/// Everybody fetches and sends until nothing moves any more.
pub async fn settle(clients: &[&Client]) {
    for _ in 0..16 {
        let mut moved = 0;
        for client in clients {
            let report = sync(client).await;
            moved += report.received + report.sent;
        }
        if moved == 0 {
            return;
        }
    }
    panic!("they never come to rest");
}

/// The letters in a case, oldest first.
pub async fn texts(client: &Client, case: &str) -> Vec<String> {
    let case = client.case(case).await.expect("case");
    let letters = case.messages.into_iter().filter_map(|message| {
        match &Received::open(message.content).expect("content").content().body {
            Some(Body::FreeText(letter)) => Some(letter.text.clone()),
            _ => None,
        }
    });
    letters.collect()
}

/// What happened since the stream was made.
pub fn happened(events: &mut EventStream) -> Vec<Event> {
    std::iter::from_fn(|| events.next().now_or_never().flatten()).collect()
}

impl World {
    /// Everybody set up, the mission published, both officers in the team; nobody has written yet.
    pub async fn new() -> Self {
        Self::on(Ground::new().await).await
    }

    /// The same on another ground.
    pub async fn on(ground: Ground) -> Self {
        let ministry = ground.vault("ministry").await;
        ministry.found_ministry("Ministry of Foreign Affairs").await.expect("ministry");
        Self::under(ground, ministry).await
    }

    /// The same under an issuer that is there already.
    pub async fn under(ground: Ground, ministry: Client) -> Self {
        let Ground { folder, relay, clock, transport } = ground;
        let path = |name: &str| vault_path(folder.path(), name);
        let new = |name: &str| vault_over(path(name), &clock, Arc::clone(&transport));
        let officer_a = new("officer-a").await;
        let officer_b = new("officer-b").await;
        let heron = new("heron").await;

        let request = officer_a.request_unit(unit("no.emb.karvonia", relay.address())).await;
        let request = request.expect("unit request");
        let certificate = ministry.certify_unit(&request).await.expect("unit certificate");
        officer_a.install_unit(&certificate.text).await.expect("install");
        officer_a.publish(offer(clock.now())).await.expect("publish");
        let invitation = officer_a.invitation().await.expect("invitation");

        let request = officer_b.request_device("Officer B", &[Role::Staff]).await.expect("request");
        let enrolment = officer_a.enrol_device(&request).await.expect("enrol");
        officer_b.install_device(&enrolment).await.expect("install");
        for client in [&officer_b, &officer_a, &officer_b] {
            sync(client).await;
        }
        Self { folder, relay, clock, transport, ministry, officer_a, officer_b, heron, invitation }
    }

    /// Lets days pass for everybody, the relay too: it begins anew in its folder and at its address, for a running one
    /// looks at the day only now and then. The world has to stand on one clock.
    ///
    /// # Panics
    /// When the relay does not start.
    pub async fn days_pass(&mut self, days: i64) {
        self.relay.stop().await;
        self.clock.advance(days * 86_400);
        let mut config = budstikke_relay::testing::config(self.folder.path());
        config.listen.set_port(self.relay.address.port);
        for _ in 0..500 {
            let clock = self.clock.clone();
            let relay = Relay::spawn_at(config.clone(), Box::new(move || clock.now())).await;
            self.relay.inside = relay.ok();
            if self.relay.inside.is_some() {
                return;
            }
            // The engine lets its lock go a moment after the shutdown.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("the relay does not start again");
    }

    /// The path of somebody's vault.
    pub fn path(&self, name: &str) -> PathBuf {
        vault_path(self.folder.path(), name)
    }

    /// Unix seconds in this world.
    pub fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Somebody more.
    pub async fn stranger(&self, name: &str) -> Client {
        vault_over(self.path(name), &self.clock, Arc::clone(&self.transport)).await
    }

    /// HERON accepts the offer and Officer A answers: a case with terms in force. Its name at both.
    pub async fn case(&self) -> (String, String) {
        self.reach_out(Choice::Accept(0)).await;
        self.answered(Decision::Accept).await
    }

    /// HERON looks up the mission and reaches out.
    pub async fn reach_out(&self, choice: Choice) {
        self.heron.look_up(&self.invitation).await.expect("look up");
        let request = ReachOut { choice, emergency: None, pseudonym: Some("HERON".into()) };
        self.heron.reach_out(request).await.expect("reach out");
    }

    /// Officer A answers the only contact; HERON opens the case.
    pub async fn answered(&self, decision: Decision) -> (String, String) {
        sync(&self.officer_a).await;
        let contacts = self.officer_a.contacts().await.expect("contacts");
        let contact = contacts.first().expect("a contact");
        let at_mission = self.officer_a.answer(&contact.id, decision).await.expect("answer");
        sync(&self.officer_a).await;
        sync(&self.heron).await;
        let cases = self.heron.cases().await.expect("cases");
        let at_heron = cases.first().expect("a case at HERON's").id.clone();
        settle(&[&self.heron, &self.officer_a]).await;
        (at_heron, at_mission)
    }

    /// A colleague's device more in the mission's team.
    pub async fn colleague(&self, vault: &str, label: &str, role: Role) -> Client {
        let device = self.stranger(vault).await;
        let request = device.request_device(label, &[role]).await.expect("request");
        let enrolment = self.officer_a.enrol_device(&request).await.expect("enrol");
        device.install_device(&enrolment).await.expect("install");
        settle(&[&device, &self.officer_a, &self.officer_b]).await;
        device
    }

    /// Officer B becomes a member of a case.
    pub async fn assign_officer_b(&self, at_mission: &str) {
        self.officer_a.assign(at_mission, "Officer B").await.expect("assign");
        settle(&[&self.officer_a, &self.officer_b, &self.heron]).await;
        let cases = self.officer_b.cases().await.expect("cases");
        assert_eq!(cases.len(), 1, "Officer B has the case");
    }
}

/// Everything that a view says, a line each.
pub fn shown(view: &View) -> String {
    let lines = view.sections.iter().flat_map(|section| &section.lines);
    lines.map(|line| format!("{:?}", line.value)).collect::<Vec<_>>().join("\n")
}

/// What a mission asks the Ministry for.
pub fn unit(id: &str, relay: &RelayAddress) -> UnitSetup {
    UnitSetup {
        unit_id: id.into(),
        name: "Embassy in Karvonia".into(),
        kind: UnitKind::BilateralMission,
        officer: "Officer A".into(),
        roles: vec![Role::ContactPerson, Role::Staff],
        relays: vec![relay.to_text()],
    }
}

/// Each vault in a folder of its own, under the name that `bud` gives it.
fn vault_path(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).join("vault.db")
}
