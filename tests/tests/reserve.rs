//! S5's other end: an officer is gone and has handed nothing over. The head of mission and two of three holders in the
//! Ministry open what the officer left in reserve, and the person concerned lets the head in.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

use budstikke::case::Body;
use budstikke::vault::Kind;
use budstikke::{
    Choice, Client, Decision, Error, Event, LetIn, ReachOut, Role, SendOptions, Trouble, UnitSetup,
};
use budstikke_e2ee::armor;
use budstikke_tests::case_work::DAY;
use budstikke_tests::peek;
use budstikke_tests::world::{
    Ground, World, happened, settle, shown, sync, ten_in_the_morning, text, texts, unit,
};

/// Number of the records that hold a colleague's reserve.
const RESERVE: u16 = 112;
const REASON: &str = "in hospital since Monday";

/// A mission whose Officer C has HERON's case alone, its head, and three holders in the Ministry.
struct Office {
    world: World,
    c: Client,
    head: Client,
    holders: Vec<Client>,
    at_heron: String,
    at_c: String,
}

impl Office {
    async fn new() -> Self {
        let world = World::on(Ground::on_one_clock(ten_in_the_morning() - 5 * DAY).await).await;
        let c = world.colleague("officer-c", "Officer C", Role::ContactPerson).await;
        let head = world.colleague("head", "Head H", Role::HeadOfMission).await;
        let root = world.ministry.ministry().await.expect("card").root_fingerprint;
        let mut holders = Vec::new();
        let mut texts = Vec::new();
        for name in ["Holder 1", "Holder 2", "Holder 3"] {
            let holder = world.stranger(name).await;
            let card = holder.found_holder(name, &root).await.expect("a holder");
            assert_eq!(card, holder.found_holder(name, &root).await.expect("the same"));
            texts.push(card.text);
            holders.push(holder);
        }
        let two = world.ministry.name_holders(&texts[..2]).await;
        assert!(matches!(two, Err(Error::Input { .. })), "{two:?}");
        let named = world.ministry.name_holders(&texts).await.expect("three holders");
        assert_eq!(
            named[2].fingerprint,
            holders[2].found_holder("", &root).await.unwrap().fingerprint
        );
        world.ministry.publish_directory(&[]).await.expect("publish");
        let directory = world.ministry.export_directory().await.expect("the directory");
        for client in [&world.officer_a, &world.officer_b, &c, &head] {
            client.import_directory(&directory).await.expect("import");
        }
        let shown = head.directory().await.expect("the directory");
        let listed: Vec<_> = shown[0].holders.iter().map(|of| &of.fingerprint).collect();
        assert_eq!(listed, named.iter().map(|of| &of.fingerprint).collect::<Vec<_>>());

        world.heron.look_up(&world.invitation).await.expect("look up");
        let pseudonym = Some("HERON".to_owned());
        let request = ReachOut { choice: Choice::Accept(0), emergency: None, pseudonym };
        world.heron.reach_out(request).await.expect("reach out");
        sync(&c).await;
        let contact = c.contacts().await.expect("contacts").remove(0).id;
        let at_c = c.answer(&contact, Decision::Accept).await.expect("answer");
        settle(&[&c, &world.heron]).await;
        let at_heron = world.heron.cases().await.expect("cases").remove(0).id;
        let office = Self { world, c, head, holders, at_heron, at_c };
        office.says(&office.world.heron, &office.at_heron, "They asked for me again.").await;
        settle(&[&office.c, &office.world.heron]).await;
        // What is left in reserve is brought up to date at the next look.
        office.world.clock.advance(700);
        office.staff().await;
        office
    }

    async fn staff(&self) {
        settle(&[&self.c, &self.world.officer_a, &self.world.officer_b, &self.head]).await;
    }

    async fn rest(&self) {
        let World { officer_a, officer_b, heron, .. } = &self.world;
        settle(&[officer_a, officer_b, &self.head, heron]).await;
    }

    async fn says(&self, client: &Client, case: &str, words: &str) {
        client.send(case, Body::from(text(words)), SendOptions::default()).await.expect("sent");
    }

    /// Officer C is gone: their device is taken out of the team by the admin.
    async fn c_leaves(&self) {
        self.world.officer_a.remove_colleague("Officer C").await.expect("removed");
        settle(&[&self.world.officer_a, &self.world.officer_b, &self.head]).await;
    }

    async fn opened_by(&self, holders: &[usize]) -> Result<Vec<String>, Error> {
        let request = self.head.ask_holders("officer c", REASON).await.expect("a request");
        assert_eq!(request, self.head.ask_holders("Officer C", REASON).await.expect("the same"));
        let mut answers = Vec::new();
        for number in holders {
            let holder = &self.holders[*number];
            let asked = holder.read_reserve_request(&request).await.expect("it verifies");
            assert_eq!(
                (asked.by.as_str(), asked.unit_id.as_str(), asked.leaver.as_str()),
                ("Head H", "no.emb.karvonia", "Officer C")
            );
            assert_eq!(asked.reason, REASON);
            answers.push(holder.answer_reserve(&request).await.expect("an answer"));
        }
        let opened = self.head.open_reserve("Officer C", &answers).await?;
        assert!(opened.iter().all(|one| !one.here && one.problem.is_none()));
        Ok(opened.into_iter().map(|one| one.case).collect())
    }
}

fn unit_of(world: &World) -> UnitSetup {
    unit("no.emb.arrania", world.relay.address())
}

fn not_ready(error: Error) -> &'static str {
    match error {
        Error::NotReady(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_and_two_holders_open_what_an_officer_left_and_the_defender_lets_the_head_in() {
    let office = Office::new().await;
    let Office { world, c, head, holders, at_heron, at_c } = &office;
    let (heron, b) = (&world.heron, &world.officer_b);

    // While the officer is there, nobody goes behind their back.
    let why = not_ready(head.ask_holders("Officer C", REASON).await.expect_err("in the team"));
    assert!(why.contains("in the team"), "{why}");
    office.c_leaves().await;
    let why = not_ready(b.ask_holders("Officer C", REASON).await.expect_err("not the head"));
    assert!(why.contains("head of mission"), "{why}");
    let nobody = head.ask_holders("Officer X", REASON).await;
    assert!(matches!(nobody, Err(Error::NotFound { .. })), "{nobody:?}");

    // One holder is not enough, nor one twice.
    for few in [&[0][..], &[1, 1]] {
        let refused = office.opened_by(few).await.expect_err("too few");
        assert!(refused.to_string().contains("two different holders"), "{refused}");
    }
    assert!(head.cases().await.expect("cases").is_empty());

    let mut events = (heron.events(), b.events());
    let cases = office.opened_by(&[2, 0]).await.expect("two holders");
    let [case] = cases.as_slice() else { panic!("{cases:?}") };
    assert_eq!(case, at_c);
    // Nothing can be read or said there before HERON has said yes.
    let early = head.send(case, Body::from(text("too early")), SendOptions::default()).await;
    assert!(matches!(early, Err(Error::NotReady(_))), "{early:?}");
    office.rest().await;
    assert!(happened(&mut events.0).is_empty(), "no admin has assigned the head yet");
    let asks = |one: &Trouble| matches!(one, Trouble::AsksToTakeOver { may_ask: true, .. });
    let at_admin = world.officer_a.diagnose().await.expect("diagnosis");
    assert!(at_admin.iter().any(|one| asks(&one.trouble)), "{at_admin:?}");
    assert!(world.officer_a.recover(case, None, false).await.is_err(), "nobody is named");
    let granted = world.officer_a.let_in(case, "Head H").await.expect("the admin's yes");
    assert_eq!(granted, LetIn::Assigned { who: "Head H".to_owned() });
    office.rest().await;
    let asked = happened(&mut events.0);
    let asks =
        |event: &Event| matches!(event, Event::AskedToTakeOver { who, .. } if who == "Head H");
    assert!(asked.iter().any(asks), "{asked:?}");
    let troubles = heron.diagnose().await.expect("diagnosis");
    let waits = |trouble: &Trouble| matches!(trouble, Trouble::AsksToTakeOver { who, granted: false, .. } if who == "Head H");
    assert!(troubles.iter().any(|one| waits(&one.trouble)), "{troubles:?}");
    assert!(troubles.iter().all(|one| !one.trouble.mends()), "nobody is let in unnamed");
    office.says(heron, at_heron, "Is somebody there?").await;
    office.rest().await;
    assert!(head.case(case).await.expect("case").messages.is_empty());

    // HERON says yes, to Head H and nobody else.
    let unnamed = heron.recover(at_heron, None, false).await;
    assert!(matches!(unnamed, Err(Error::NotReady(_))), "{unnamed:?}");
    let nobody = heron.let_in(at_heron, "Officer C").await;
    assert!(matches!(nobody, Err(Error::NotFound { .. })), "{nobody:?}");
    let said = heron.let_in(at_heron, "head h").await.expect("yes");
    assert_eq!(said, LetIn::Admitted { who: "Head H".to_owned() });
    office.rest().await;
    office.rest().await;
    office.says(heron, at_heron, "Then I go on with you.").await;
    office.rest().await;
    assert!(texts(head, case).await.contains(&"Then I go on with you.".to_owned()));
    assert!(!texts(head, case).await.contains(&"Is somebody there?".to_owned()));
    office.says(head, case, "I read from now on.").await;
    office.rest().await;
    assert!(texts(heron, at_heron).await.contains(&"I read from now on.".to_owned()));

    // HERON is told in words who reads and who stops; the leaver is out of the group.
    let told = heron.case(at_heron).await.expect("case").messages;
    let told = told.iter().find(|message| message.kind == "case-access-change").expect("a notice");
    let told = shown(told.view.as_ref().expect("a view"));
    assert!(told.contains("Head H") && told.contains("Officer C"), "{told}");
    assert!(!told.contains(REASON), "{told}");
    let members = heron.case(at_heron).await.expect("case").members;
    let members: Vec<_> = members.iter().map(|member| member.name.as_str()).collect();
    assert!(members.contains(&"Head H") && !members.contains(&"Officer C"), "{members:?}");

    // It is written down: with the team, and with the holders who helped.
    let opened = happened(&mut events.1);
    let log = |event: &Event| matches!(event, Event::ReserveOpened { leaver, by } if leaver == "Officer C" && by == "Head H");
    assert!(opened.iter().any(log), "{opened:?}");
    for client in [b, head] {
        let log = client.opened_reserves().await.expect("the log");
        assert_eq!((log.len(), log[0].cases, log[0].reason.as_str()), (1, 1, REASON));
        assert_eq!(log[0].holders, ["Holder 1", "Holder 3"]);
        assert_eq!((log[0].leaver.as_str(), log[0].by.as_str()), ("Officer C", "Head H"));
    }
    let helped = holders[2].opened_reserves().await.expect("the log");
    assert_eq!((helped.len(), helped[0].by.as_str()), (1, "Head H"));
    // Officer C's device, put back on, opens what was said while it was in the case, and nothing after.
    let _ = c.sync().await;
    let known = texts(c, at_c).await;
    for later in ["Then I go on with you.", "I read from now on."] {
        assert!(!known.contains(&later.to_owned()), "{known:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reserve_opens_for_nobody_else() {
    let office = Office::new().await;
    let Office { world, head, holders, .. } = &office;
    office.c_leaves().await;
    let request = head.ask_holders("Officer C", REASON).await.expect("a request");
    let mut answers = Vec::new();
    for holder in &holders[..2] {
        answers.push(holder.answer_reserve(&request).await.expect("an answer"));
    }
    // Another reason is another request: earlier answers do not open it.
    head.ask_holders("Officer C", "another reason").await.expect("a request");
    let refused = head.open_reserve("Officer C", &answers).await.expect_err("of another request");
    assert!(refused.to_string().contains("another request"), "{refused}");
    // Any other vault of the Ministry is no holder, and a holder is nothing else.
    let issuer = world.ministry.answer_reserve(&request).await.expect_err("no holder");
    assert!(not_ready(issuer).contains("holder"));
    let unit = world.stranger("another-unit").await;
    let asks = unit.request_unit(unit_of(world)).await.expect("a request");
    assert!(
        not_ready(holders[0].certify_unit(&asks).await.expect_err("no issuer")).contains("holder")
    );
    let mut altered = armor::decode("budreserve1", &request).expect("a request");
    let middle = altered.len() / 2;
    altered[middle] ^= 1;
    let altered = armor::encode("budreserve1", &altered);
    let refused = holders[0].answer_reserve(&altered).await;
    assert!(matches!(refused, Err(Error::Input { .. } | Error::Trust(_))), "{refused:?}");
    assert!(holders[0].opened_reserves().await.expect("the log").len() == 1, "one answer so far");
    // A device that is revoked asks in vain, wherever the holder has heard of it.
    let key = head.team().await.expect("team").into_iter().find(|one| one.own).expect("own").key;
    let revoked = budstikke::Revoke::Device(key);
    world
        .ministry
        .revoke(revoked, budstikke::RevokeReason::Lost, world.now())
        .await
        .expect("revoke");
    world.ministry.publish_directory(&[]).await.expect("publish");
    let directory = world.ministry.export_directory().await.expect("the directory");
    holders[2].import_directory(&directory).await.expect("import");
    let refused = holders[2].answer_reserve(&request).await;
    assert!(matches!(refused, Err(Error::Trust(_))), "{refused:?}");

    // Whoever keeps a reserve without its key has nothing of the case in the vault: not where HERON is written to.
    let (b, c) = (world.path("officer-b"), world.path("officer-c"));
    let Office { world, c: device, .. } = office;
    device.close().await.expect("close");
    world.officer_b.close().await.expect("close");
    let route = peek::routes(&c).remove(0);
    let needle = &route.to_bytes()[route.to_bytes().len() - 32..];
    let mut kept = 0;
    for kind in peek::KINDS {
        for value in peek::values(&b, Kind::new(kind)) {
            assert!(!value.windows(needle.len()).any(|part| part == needle), "kind {kind}");
            kept += usize::from(kind == RESERVE);
        }
    }
    assert_eq!(kept, 1, "Officer B keeps what Officer C left");
}
