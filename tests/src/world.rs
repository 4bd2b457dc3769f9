//! A small world on one machine: a relay, a Ministry, a mission with two officers, a defender; each in a vault of
//! their own, over real QUIC and real files.

use std::path::{Path, PathBuf};

use budstikke::case::file::{Format, PrivacyNoticeFile, TermsFile};
use budstikke::clock::Clock;
use budstikke::vault::Cost;
use budstikke::{Choice, Client, Decision, Offer, ReachOut, Role, SyncReport, UnitKind, UnitSetup};
use budstikke_relay::Relay;

/// The passphrase of every vault in tests.
pub const PASSPHRASE: &str = "correct horse battery staple";

/// Everybody.
pub struct World {
    /// Holds all files; gone when dropped.
    pub folder: tempfile::TempDir,
    /// The relay, in this process.
    pub relay: Relay,
    /// Everybody's clock: 10:00 in Karvonia, where no quiet time is.
    pub clock: Clock,
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

/// A file of tests/data.
pub fn data(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("data").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Terms from a file of tests/data.
pub fn terms(name: &str, now: i64) -> TermsFile {
    TermsFile::parse(&data(name), Format::Toml, now).expect("terms")
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

/// The last 10:00 in Karvonia (UTC+3), so that no test depends on the hour. Never ahead of the system's clock, which
/// the MLS library holds key packages against.
pub fn ten_in_the_morning() -> i64 {
    let now = Clock::system().now();
    let ten = 7 * 3_600;
    now - (now - ten).rem_euclid(86_400)
}

/// A new vault in a folder.
pub async fn vault(path: PathBuf, clock: &Clock) -> Client {
    Client::builder(path)
        .passphrase(PASSPHRASE)
        .cost(Cost::INSECURE_FOR_TESTS)
        .clock(clock.clone())
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

impl World {
    /// Everybody set up, the mission published, both officers in the team; nobody has written yet.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let relay =
            Relay::spawn(budstikke_relay::testing::config(folder.path())).await.expect("a relay");
        Self::with_relay(folder, relay).await
    }

    async fn with_relay(folder: tempfile::TempDir, relay: Relay) -> Self {
        let clock = Clock::fixed(ten_in_the_morning());
        let path = |name: &str| folder.path().join(format!("{name}.vault"));
        let ministry = vault(path("ministry"), &clock).await;
        let officer_a = vault(path("officer-a"), &clock).await;
        let officer_b = vault(path("officer-b"), &clock).await;
        let heron = vault(path("heron"), &clock).await;

        ministry.found_ministry("Ministry of Foreign Affairs").await.expect("ministry");
        let setup = UnitSetup {
            unit_id: "no.emb.karvonia".into(),
            name: "Embassy in Karvonia".into(),
            kind: UnitKind::BilateralMission,
            officer: "Officer A".into(),
            roles: vec![Role::ContactPerson, Role::Staff],
            relays: vec![relay.address().to_text()],
        };
        let request = officer_a.request_unit(setup).await.expect("unit request");
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
        Self { folder, relay, clock, ministry, officer_a, officer_b, heron, invitation }
    }

    /// The path of somebody's vault.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(format!("{name}.vault"))
    }

    /// Unix seconds in this world.
    pub fn now(&self) -> i64 {
        self.clock.now()
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
        sync(&self.heron).await;
        sync(&self.officer_a).await;
        sync(&self.heron).await;
        (at_heron, at_mission)
    }
}
