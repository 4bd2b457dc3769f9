//! Papers: a root that never touches a network, issuers under it, offices of every kind, and renewal before the end on
//! every level, over a real relay and a hundred days.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use budstikke::case::Leg;
use budstikke::clock::Clock;
use budstikke::{
    CertificateLevel, CertificateState, CertificateStatus, Client, Error, Event, MinistryPart,
    Offer, RevokeReason, Role, SendOptions, Trust, UnitKind, UnitSetup,
};
use budstikke_e2ee::cert::CertError;
use budstikke_tests::watched::Watched;
use budstikke_tests::world::{
    Ground, PASSPHRASE, World, happened, offer, settle, sync, ten_in_the_morning, terms, text,
    texts, unit, vault_over,
};

const DAY: i64 = 86_400;

fn plain() -> SendOptions {
    SendOptions::default()
}

fn trust(error: Error) -> CertError {
    match error {
        Error::Trust(trust) => match *trust {
            Trust::Certificate(error) => error,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// The root's vault on a machine without a network, and an issuer that it has certified.
async fn root_and_issuer(ground: &Ground) -> (Client, Client) {
    let dark = Watched::new();
    dark.go_dark();
    let path = ground.folder.path().join("root/vault.db");
    let root = vault_over(path, &ground.clock, Arc::new(dark)).await;
    root.found_root("Ministry of Foreign Affairs").await.expect("root");
    let issuer = certified(ground, &root, "issuer", "Issuer of 2026").await;
    (root, issuer)
}

/// The ceremony: request, comparison, certificate, installation.
async fn certified(ground: &Ground, root: &Client, vault: &str, name: &str) -> Client {
    let issuer = ground.vault(vault).await;
    let request = issuer.request_issuer(Some(name)).await.expect("request");
    let waiting = issuer.ministry().await.expect("card");
    assert_eq!(waiting.part, MinistryPart::Waiting);
    let asked = root.read_issuer_request(&request).await.expect("reads");
    assert_eq!((asked.name.as_str(), &asked.fingerprint), (name, &waiting.issuer_fingerprint));
    assert_eq!(asked.certified_until, None);
    let made = root.certify_issuer(&request).await.expect("certificate");
    let card = issuer.install_issuer(&made.text).await.expect("install");
    assert_eq!(card.part, MinistryPart::Issuer);
    assert_eq!(card.root_fingerprint, root.ministry().await.expect("root").root_fingerprint);
    assert_eq!(card.not_after, ground.clock.now() + 365 * DAY);
    issuer
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offline_root_certifies_issuers_and_they_offices_of_every_kind() {
    let ground = Ground::new().await;
    let (root, first) = root_and_issuer(&ground).await;
    let second = certified(&ground, &root, "second-issuer", "Issuer of 2027").await;
    let card = root.ministry().await.expect("card");
    let names: Vec<_> = card.issuers.iter().map(|issuer| issuer.name.as_str()).collect();
    assert_eq!((card.part, names), (MinistryPart::Root, vec!["Issuer of 2026", "Issuer of 2027"]));
    assert!(root.certificates().await.expect("none").is_empty());
    let nothing = sync(&root).await;
    assert_eq!((nothing.sent, nothing.received), (0, 0), "there is nothing to reach a relay for");

    let offices = [
        ("no.emb.karvonia", UnitKind::BilateralMission, Role::ContactPerson, &first),
        ("no.del.lakeland", UnitKind::MultilateralMission, Role::ContactPerson, &second),
        ("no.mfa.desk", UnitKind::MinistryDesk, Role::Desk, &second),
    ];
    for (id, kind, role, issuer) in offices {
        let office = ground.vault(id).await;
        let setup = UnitSetup { kind, roles: vec![role], ..unit(id, ground.relay.address()) };
        let request = office.request_unit(setup).await.expect("request");
        let not_the_root = root.certify_unit(&request).await.expect_err("the root is no issuer");
        assert!(matches!(not_the_root, Error::NotReady(_)), "{not_the_root:?}");
        let made = issuer.certify_unit(&request).await.expect("certificate");
        assert_eq!((made.kind, made.cut_short), (kind, false));
        let installed = office.install_unit(&made.text).await.expect("install");
        assert_eq!(installed.root_fingerprint, card.root_fingerprint);
        // The same certificate twice founds nothing anew, an earlier one shortens nothing.
        assert_eq!(office.install_unit(&made.text).await.expect("again"), installed);
        sync(&office).await;
        let levels = office.certificates().await.expect("certificates");
        let levels: Vec<_> = levels.iter().map(|one| (one.level, one.state)).collect();
        let good = CertificateState::Good;
        let all = [CertificateLevel::Issuer, CertificateLevel::Unit, CertificateLevel::Device];
        assert_eq!(levels, all.map(|level| (level, good)));
        may_decide(&ground, &office, id, kind == UnitKind::MinistryDesk).await;
    }

    // What belongs elsewhere is turned away.
    let stranger = ground.vault("another-root").await;
    let other = stranger.found_root("Another Ministry").await.expect("another root");
    assert_ne!(other.root_fingerprint, card.root_fingerprint);
    let request = first.request_issuer(None).await.expect("the same key again");
    let theirs = stranger.certify_issuer(&request).await.expect("they may");
    let refused = trust(first.install_issuer(&theirs.text).await.expect_err("another root"));
    assert_eq!(refused, CertError::WrongRoot);
    let ours = root.certify_issuer(&second.request_issuer(None).await.expect("request")).await;
    let refused = first.install_issuer(&ours.expect("certificate").text).await;
    assert_eq!(trust(refused.expect_err("another's")), CertError::NotYourCertificate);

    // An issuer that the root has revoked is not certified again, and knows it; the other goes on.
    let (lost, now) = (&card.issuers[0].fingerprint, ground.clock.now());
    let word = root.sign_issuer_revocation(lost, RevokeReason::Seized, now).await.expect("word");
    let again = root.certify_issuer(&request).await.expect_err("revoked");
    assert!(matches!(again, Error::Input { .. }), "{again:?}");
    let listed = root.ministry().await.expect("card").issuers;
    assert_eq!((listed[0].revoked_at, listed[1].revoked_at), (Some(now), None));
    second.revoke_issuer(&word).await.expect("the issuer that takes its place lists it");
    let request = second.request_issuer(None).await.expect("request");
    assert!(root.certify_issuer(&request).await.is_ok());
}

/// A device that asks to be a decision-maker's becomes one at a desk and nowhere else.
async fn may_decide(ground: &Ground, office: &Client, id: &str, may: bool) {
    let now = ground.clock.now();
    let name = if may { "terms-ministry.toml" } else { "terms-offer.toml" };
    let mut offered = terms(name, now);
    offered.terms.units = vec![id.to_owned()];
    if id.contains(".del.") {
        offered.terms.leg = Leg::DefenderMultilateralMission.into();
    }
    let offered = Offer { terms: vec![offered], emergency: None, ..offer(now) };
    office.publish(offered).await.expect("publish");
    let device = ground.vault(&format!("{id}-decider")).await;
    let asked = device.request_device("Decision-maker K", &[Role::DecisionMaker]).await;
    match office.enrol_device(&asked.expect("request")).await {
        Ok(_) => assert!(may, "{id} made a decision-maker"),
        Err(Error::Trust(error)) => {
            assert!(!may, "{error}");
            let role = CertError::RoleNotAllowed(Role::DecisionMaker);
            assert!(matches!(*error, Trust::Certificate(error) if error == role));
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_ministry_parts_root_and_issuer_later() {
    let ground = Ground::new().await;
    let whole = ground.vault("ministry").await;
    let card = whole.found_ministry("Ministry of Foreign Affairs").await.expect("ministry");
    assert_eq!(card.part, MinistryPart::Whole);
    whole.close().await.expect("close");
    let (from, to) = (ground.folder.path().join("ministry"), ground.folder.path().join("root"));
    std::fs::create_dir(&to).expect("a folder");
    for file in std::fs::read_dir(&from).expect("files") {
        let file = file.expect("a file");
        std::fs::copy(file.path(), to.join(file.file_name())).expect("a copy");
    }
    let open = |folder: std::path::PathBuf| {
        budstikke_tests::world::reopen(folder.join("vault.db"), &ground.clock)
    };
    let (issuer, root) = (open(from).await, open(to).await);
    let kept = root.split_ministry(MinistryPart::Root).await.expect("root");
    let left = issuer.split_ministry(MinistryPart::Issuer).await.expect("issuer");
    assert_eq!((kept.part, left.part), (MinistryPart::Root, MinistryPart::Issuer));
    assert_eq!(kept.root_fingerprint, left.root_fingerprint);
    assert_eq!(kept.issuers[0].fingerprint, left.issuer_fingerprint);
    let again = issuer.split_ministry(MinistryPart::Root).await.expect_err("nothing to part");
    assert!(matches!(again, Error::NotReady(_)));
    // Each half does its own part, and the issuer is renewed by the ceremony.
    let request = issuer.request_issuer(None).await.expect("request");
    let denied = issuer.certify_issuer(&request).await.expect_err("no root key here");
    assert!(matches!(denied, Error::NotReady(_)));
    ground.clock.advance(250 * DAY);
    let due = issuer.certificates().await.expect("certificates");
    assert_eq!((due[0].level, due[0].state), (CertificateLevel::Issuer, CertificateState::Due));
    assert!(due[0].ours && due[0].days_left == 115);
    let before = root.read_issuer_request(&request).await.expect("reads");
    assert_eq!(before.certified_until, Some(card.not_after));
    let office = ground.vault("office").await;
    let setup = unit("no.emb.karvonia", ground.relay.address());
    let asked = office.request_unit(setup).await.expect("request");
    ground.clock.advance(60 * DAY);
    let short = issuer.certify_unit(&asked).await.expect("certificate");
    assert!(short.cut_short && short.not_after == card.not_after);
    let renewed = root.certify_issuer(&request).await.expect("renewed");
    let installed = issuer.install_issuer(&renewed.text).await.expect("install");
    assert_eq!(installed.not_after, ground.clock.now() + 365 * DAY);
    let full = issuer.certify_unit(&asked).await.expect("certificate");
    assert!(!full.cut_short && full.not_after == ground.clock.now() + 90 * DAY);
}

/// Officer A, Officer B, HERON.
fn everybody(world: &World) -> (Client, Client, Client) {
    (world.officer_a.clone(), world.officer_b.clone(), world.heron.clone())
}

/// What a device's sync has to say about its certificates.
async fn ending(client: &Client) -> Vec<(CertificateLevel, CertificateState, u32, bool)> {
    let report = sync(client).await;
    let one =
        |status: CertificateStatus| (status.level, status.state, status.days_left, status.ours);
    report.certificates.into_iter().map(one).collect()
}

/// The ends of all certificates in the team, in days from `from`.
async fn team_ends(client: &Client, from: i64) -> Vec<i64> {
    let team = client.team().await.expect("team");
    team.iter().map(|member| (member.not_after - from) / DAY).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mission_renews_everything_in_time_and_talks_on_after_a_hundred_days() {
    // Everybody joins on the first day: only for joining does the MLS library ask the machine's own clock.
    let began = ten_in_the_morning();
    let ground = Ground::on_one_clock(began).await;
    let (_, issuer) = root_and_issuer(&ground).await;
    let mut world = World::under(ground, issuer).await;
    let (at_heron, at_mission) = world.case().await;
    world.assign_officer_b(&at_mission).await;
    let (a, b, heron) = everybody(&world);
    let (a, b, heron) = (&a, &b, &heron);
    let everybody = [a, b, heron];
    let words = world.heron.case(&at_heron).await.expect("case").safety_words;

    // Day 19: nothing yet. Day 21: Officer A's device renews itself and, asked, Officer B's.
    world.days_pass(19).await;
    settle(&everybody).await;
    assert_eq!(team_ends(a, began).await, [30, 30]);
    world.days_pass(2).await;
    assert_eq!(ending(b).await, [(CertificateLevel::Device, CertificateState::Due, 9, false)]);
    let mut events = b.events();
    settle(&everybody).await;
    let renewed = Event::CertificateRenewed { not_after: began + 51 * DAY };
    assert!(happened(&mut events).contains(&renewed));
    for device in [a, b] {
        assert_eq!(team_ends(device, began).await, [51, 51]);
        assert_eq!(ending(device).await, []);
        assert_eq!(device.staff_card().await.expect("card").not_after, began + 51 * DAY);
    }

    world.days_pass(21).await;
    settle(&everybody).await;
    assert_eq!(team_ends(b, began).await, [72, 72]);

    // Day 65: the unit's. Its devices' certificates hang from it, so both get new ones at once.
    world.days_pass(23).await;
    let unit_due = |ours| [(CertificateLevel::Unit, CertificateState::Due, 25, ours)];
    settle(&everybody).await;
    assert_eq!(
        (ending(a).await, ending(b).await),
        (unit_due(true).to_vec(), unit_due(false).to_vec())
    );
    let not_here = b.renew_unit().await.expect_err("not on Officer B's device");
    assert!(matches!(not_here, Error::NotReady(_)));
    let request = a.renew_unit().await.expect("request");
    let older = world.ministry.certify_unit(&request).await.expect("certificate");
    world.clock.advance(60);
    let made = world.ministry.certify_unit(&request).await.expect("certificate");
    a.install_unit(&made.text).await.expect("install");
    a.install_unit(&made.text).await.expect("twice is once");
    settle(&everybody).await;
    for device in [a, b] {
        assert_eq!(team_ends(device, began).await, [95, 95]);
        assert_eq!(ending(device).await, []);
    }
    let no_later = a.install_unit(&older.text).await.expect_err("no later");
    assert!(matches!(no_later, Error::Input { .. }), "{no_later:?}");

    world.days_pass(23).await;
    settle(&everybody).await;
    world.days_pass(12).await;
    settle(&everybody).await;

    // Day 100: both write, HERON reads, and nobody is lapsed. The words they compared are still the words.
    let mut events = heron.events();
    a.send(&at_mission, text("from Officer A"), plain()).await.expect("send");
    b.send(&at_mission, text("from Officer B"), plain()).await.expect("send");
    settle(&everybody).await;
    let mut came = texts(heron, &at_heron).await;
    came.sort();
    assert_eq!(came, ["from Officer A", "from Officer B"]);
    heron.send(&at_heron, text("from HERON"), plain()).await.expect("send");
    settle(&everybody).await;
    for (client, case) in [(heron, &at_heron), (a, &at_mission), (b, &at_mission)] {
        let view = client.case(case).await.expect("case");
        assert!(view.members.len() == 3 && view.members.iter().all(|member| !member.lapsed));
        assert_eq!(view.safety_words, words);
        assert!(texts(client, case).await.contains(&"from HERON".to_owned()));
    }
    let problems: Vec<_> = happened(&mut events)
        .into_iter()
        .filter(|event| matches!(event, Event::Problem { .. } | Event::HistoryBroken { .. }))
        .collect();
    assert_eq!(problems, []);
    // And the door is open: a stranger finds a bundle under the new certificate.
    let reed = world.stranger("reed").await;
    reed.look_up(&world.invitation).await.expect("the bundle was published anew");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_was_off_when_its_certificate_ended_reads_on_and_is_renewed_after() {
    let began = ten_in_the_morning();
    let mut world = World::on(Ground::on_one_clock(began).await).await;
    let (at_heron, at_mission) = world.case().await;
    world.assign_officer_b(&at_mission).await;
    let (a, b, heron) = everybody(&world);
    let (a, b, heron) = (&a, &b, &heron);
    for _ in 0..2 {
        world.days_pass(11).await;
        settle(&[a, heron]).await;
    }
    heron.send(&at_heron, text("while you were away"), plain()).await.expect("send");
    sync(heron).await;
    world.days_pass(10).await;

    // Day 32: it reads, says what is wrong, and asks; what it writes comes with that said.
    let ended = [(CertificateLevel::Device, CertificateState::Ended, 0, false)];
    assert_eq!(ending(b).await, ended);
    assert_eq!(texts(b, &at_mission).await, ["while you were away"]);
    assert_eq!(b.staff_card().await.expect("card").not_after, began + 30 * DAY);
    b.send(&at_mission, text("from a lapsed device"), plain()).await.expect("send");
    assert_eq!(ending(b).await, ended);
    let mut events = heron.events();
    sync(heron).await;
    let told = "the sender's certificate has ended";
    let told = |event: &Event| matches!(event, Event::Problem { what } if what.contains(told));
    assert!(happened(&mut events).iter().any(told));

    settle(&[a, b, heron]).await;
    assert_eq!(ending(b).await, []);
    b.send(&at_mission, text("and from a renewed one"), plain()).await.expect("send");
    settle(&[b, heron]).await;
    assert!(happened(&mut events).iter().all(|event| !matches!(event, Event::Problem { .. })));
    let members = heron.case(&at_heron).await.expect("case").members;
    assert!(members.iter().all(|member| !member.lapsed));
}

/// Runs the real program, on this machine's clock.
fn bud(home: &Path, args: &[&str]) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bud-that-crashes"));
    command.args(args).env("LANG", "C.UTF-8").env("TZ", "UTC").env("COLUMNS", "500");
    let done = command.env("BUD_HOME", home).env("BUD_PASSPHRASE", PASSPHRASE).output();
    let done = done.expect("bud runs");
    let said = [done.stdout, done.stderr].concat();
    (
        String::from_utf8_lossy(&said).split_whitespace().collect::<Vec<_>>().join(" "),
        done.status.code(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_says_which_certificate_ends_and_who_renews_it() {
    // Set up 70 days ago, and left alone since: the device's certificate has ended, and is renewed at once.
    let mut ground = Ground::new().await;
    ground.clock = Clock::fixed(ten_in_the_morning() - 70 * DAY);
    let (ministry, office) = (ground.vault("ministry").await, ground.vault("office").await);
    ministry.found_ministry("Ministry of Foreign Affairs").await.expect("ministry");
    let setup = unit("no.emb.karvonia", ground.relay.address());
    let request = office.request_unit(setup).await.expect("request");
    let made = ministry.certify_unit(&request).await.expect("certificate");
    office.install_unit(&made.text).await.expect("install");
    office.close().await.expect("close");
    ministry.close().await.expect("close");
    let home = |who: &str| ground.folder.path().join(who);

    let due = "The mission's or desk's certificate ends in 19 days: \"bud mission renew\"";
    let renewed = "This device has a new certificate, until ";
    let (said, code) = bud(&home("office"), &["sync"]);
    assert!(said.contains(due) && said.contains(renewed) && code == Some(0), "{code:?} {said}");
    let (said, _) = bud(&home("office"), &["whoami"]);
    assert!(said.contains(due), "{said}");
    let (said, _) = bud(&home("office"), &["whoami", "--json"]);
    assert!(said.contains(r#""days_left":19,"level":"unit""#), "{said}");
    assert!(said.contains(r#""ours":true,"state":"due""#), "{said}");

    let file = |name: &str| ground.folder.path().join(name).display().to_string();
    let (request, certificate) = (file("request"), file("certificate"));
    let steps: [(&str, &[&str], &str); 3] = [
        ("office", &["mission", "renew", "-o", &request], "Keys and safety words stay the same."),
        ("ministry", &["ministry", "certify", &request, "-o", &certificate], "is made"),
        ("office", &["mission", "install", &certificate], "The new certificate is installed."),
    ];
    for (who, args, word) in steps {
        let (said, code) = bud(&home(who), args);
        assert!(said.contains(word) && code == Some(0), "{code:?} {said}");
    }
    let (said, code) = bud(&home("office"), &["sync", "--json"]);
    assert!(said.contains(r#""certificates":[]"#) && code == Some(0), "{code:?} {said}");
}
