//! Whose key it is: safety words in several languages, codes for cameras, and a key that is another than before (I02).
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails loudly")]

use budstikke::{Choice, Client, ErrorClass, Language, ReachOut, SendOptions};
use budstikke_tests::world::{World, intake, offer, settle, sync, text, unit};

fn mine() -> ReachOut {
    ReachOut { choice: Choice::Accept(0), emergency: None, pseudonym: Some("HERON".into()) }
}

/// A mission of the same name under the same Ministry, with keys of its own: it lost everything and began anew, or
/// somebody made the Ministry believe so.
async fn begins_anew(world: &World) -> (Client, String) {
    let anew = world.stranger("anew").await;
    let request = anew.request_unit(unit("no.emb.karvonia", world.relay.address())).await;
    let certificate = world.ministry.certify_unit(&request.expect("request")).await;
    anew.install_unit(&certificate.expect("certificate").text).await.expect("install");
    anew.publish(offer(world.now())).await.expect("publish");
    let invitation = anew.invitation().await.expect("invitation");
    (anew, invitation)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_compare_in_their_own_languages_or_by_camera() {
    let world = World::new().await;
    let card = world.heron.look_up(&world.invitation).await.expect("look up");
    let theirs = world.officer_a.mission_words().await.expect("words");
    for language in Language::ALL {
        assert_eq!(card.safety_words.words(language), theirs.words(language));
    }
    assert_eq!(card.safety_words.matches(&theirs.code()), Ok(true));
    assert_eq!(card.key_changed, None);

    let (at_heron, at_mission) = world.case().await;
    let words = world.heron.case(&at_heron).await.expect("case").safety_words.expect("words");
    let theirs = world.officer_a.case(&at_mission).await.expect("case").safety_words;
    assert_eq!(words.matches(&theirs.expect("words").code()), Ok(true));
    assert_eq!(words.matches(&card.safety_words.code()), Ok(false), "of the mission, not of us");
    // Who somebody is goes only where words were compared.
    let sheet = intake().identity.remove(0);
    let early = world.heron.send(&at_heron, sheet.clone(), SendOptions::default()).await;
    assert_eq!(early.expect_err("too early").class(), ErrorClass::Refused("I02"));
    world.heron.confirm_words(&at_heron).await.expect("compared");
    world.heron.send(&at_heron, sheet, SendOptions::default()).await.expect("identity");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mission_with_another_key_is_shown_before_anything_is_sent() {
    let world = World::new().await;
    let (at_heron, _) = world.case().await;
    let (anew, invitation) = begins_anew(&world).await;
    let card = world.heron.look_up(&invitation).await.expect("look up");
    assert!(card.key_changed.is_some());
    let ours = anew.mission_words().await.expect("words");
    assert_eq!(card.safety_words, ours);
    let early = world.heron.reach_out(mine()).await;
    assert_eq!(early.expect_err("nobody compared").class(), ErrorClass::Refused("I02"));
    sync(&anew).await;
    assert!(anew.contacts().await.expect("contacts").is_empty(), "nothing was sent");

    world.heron.confirm_new_key().await.expect("compared");
    world.heron.reach_out(mine()).await.expect("reach out");
    settle(&[&world.heron, &anew]).await;
    assert_eq!(anew.contacts().await.expect("contacts").len(), 1);
    // The first channel goes on under the key that it had.
    let letter = world.heron.send(&at_heron, text("Still here."), SendOptions::default()).await;
    letter.expect("letter");
}
