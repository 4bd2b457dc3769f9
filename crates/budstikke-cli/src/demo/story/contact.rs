//! First contact: who vouches for whom, the offer, HERON at the door, terms that both agree on.

use budstikke::{Choice, Client, Decision, Language, ReachOut, SafetyWords, SendOptions};

use crate::{
    case::{Body, Phase, Refusal, View, file::TermsFile, wire::ReceiptKind},
    demo::{
        cast, company, papers,
        stage::Stage,
        stop::Stop,
        teller::Who::{Heron, Ministry, OfficerA, Relay},
    },
};

const DELIVERED: &str =
    "So that you see when your words have arrived. The rest is as you wrote it.";

/// Who is there when terms are in force.
pub(super) struct People {
    pub(super) heron: Client,
    pub(super) a: Client,
    /// The conversation's name.
    pub(super) case: String,
}

/// From the Ministry's first key to terms in force.
pub(super) async fn tell(stage: &mut Stage<'_>) -> Result<People, Stop> {
    let a = mission(stage).await?;
    let invitation = publish(stage, &a).await?;
    let heron = look(stage, &a, &invitation).await?;
    reach_out(stage, &heron).await?;
    let case = agree(stage, &a, &heron).await?;
    Ok(People { heron, a, case })
}

/// Root, unit, first device.
async fn mission(stage: &mut Stage<'_>) -> Result<Client, Stop> {
    stage.tell.scene("demo-scene-trust");
    let ministry = stage.vaults.create("ministry").await?;
    let root = ministry.found_ministry(cast::MINISTRY).await?;
    stage.hide.hex("root fingerprint", &root.root_fingerprint);
    stage.tell.does(Ministry, "demo-ministry-founds", &[]);

    let a = stage.vaults.create("officer-a").await?;
    let card = company::certified(&ministry, &a, company::mission(stage)).await?;
    ministry.close().await?;
    stage.tell.does(OfficerA, "demo-a-certified", &[("unit", cast::UNIT.into())]);
    stage.tell.sees(Ministry, "demo-ministry-sees", &[]);
    stage.tell.check("demo-check-chain", card.root_fingerprint == root.root_fingerprint)?;
    Ok(a)
}

/// The offer on the relay, the invitation on paper.
async fn publish(stage: &mut Stage<'_>, a: &Client) -> Result<String, Stop> {
    stage.tell.scene("demo-scene-offer");
    let made = a.publish(papers::offer(stage.now())?).await?;
    let invitation = a.invitation().await?;
    stage.tell.does(OfficerA, "demo-a-publishes", &[]);
    stage.tell.sees(Relay, "demo-relay-sees-notice", &[]);
    let letters = invitation.len() as u64;
    stage.tell.does(OfficerA, "demo-a-invites", &[("letters", letters.into())]);
    stage.tell.check("demo-check-invitation", letters < 400)?;
    stage.hide.whole("invitation", &invitation);
    stage.hide.text(&aloud(&made.safety_words));
    Ok(invitation)
}

/// HERON sees who is behind the invitation.
async fn look(stage: &mut Stage<'_>, a: &Client, invitation: &str) -> Result<Client, Stop> {
    stage.tell.scene("demo-scene-look");
    let heron = stage.vaults.create("heron").await?;
    let card = heron.look_up(invitation).await?;
    let words = a.mission_words().await?;
    stage.tell.does(Heron, "demo-heron-looks", &[("name", card.name.clone().into())]);
    stage.tell.quote(&[aloud(&card.safety_words)]);
    stage.tell.does(OfficerA, "demo-a-reads-words", &[]);
    stage.tell.quote(&[aloud(&words)]);
    stage.tell.check("demo-check-words", card.safety_words == words)?;
    stage.tell.sees(Relay, "demo-relay-sees-look", &[]);
    Ok(heron)
}

/// Other terms, and one sealed cell.
async fn reach_out(stage: &mut Stage<'_>, heron: &Client) -> Result<(), Stop> {
    stage.tell.scene("demo-scene-contact");
    let counter = papers::counter(stage.now())?;
    stage.hide.view(&View::of_terms(&counter.terms));
    stage.hide.text(&counter.note);
    let note = counter.note.clone();
    let request = ReachOut {
        choice: Choice::Counter(Box::new(counter)),
        emergency: None,
        pseudonym: Some(cast::HERON.to_owned()),
    };
    heron.reach_out(request).await?;
    let waiting = heron.outbox().await?;
    stage.tell.does(Heron, "demo-heron-reaches-out", &[]);
    stage.tell.quote(&[note]);
    stage.tell.sees(Relay, "demo-relay-sees-contact", &[]);
    Ok(stage.tell.check("demo-check-sent", waiting.is_empty())?)
}

/// Officer A answers with a small change; nothing else flows before HERON agrees.
async fn agree(stage: &mut Stage<'_>, a: &Client, heron: &Client) -> Result<String, Stop> {
    stage.tell.scene("demo-scene-terms");
    a.sync().await?;
    let contacts = a.contacts().await?;
    stage.tell.check("demo-check-contact", contacts.len() == 1)?;
    let contact = contacts.into_iter().next().map(|contact| contact.id).unwrap_or_default();
    stage.tell.does(OfficerA, "demo-a-sees-contact", &[("id", contact.clone().into())]);

    let terms = with_delivered(papers::counter(stage.now())?);
    let id = a.answer(&contact, Decision::Counter(Box::new(terms))).await?;
    stage.settle(&[a, heron]).await?;
    stage.tell.does(OfficerA, "demo-a-counters", &[]);
    let view = heron.case(&id).await?;
    stage.tell.check("demo-check-not-in-force", view.summary.terms != Phase::InForce)?;

    let intake = Body::CaseIntake(Box::new(papers::intake()?.intake));
    stage.tell.does(Heron, "demo-heron-tries", &[]);
    let tried = heron.send(&id, intake, SendOptions::default()).await;
    let t01 = |refusal: &Refusal| matches!(refusal, Refusal::TermsNotInForce { .. });
    stage.tell.stopped(Heron, "demo-check-t01", tried, t01)?;

    heron.accept_terms(&id).await?;
    stage.settle(&[heron, a]).await?;
    stage.tell.does(Heron, "demo-heron-accepts", &[]);
    let both = [heron.case(&id).await?, a.case(&id).await?];
    let in_force = both.iter().all(|view| view.summary.terms == Phase::InForce);
    stage.tell.check("demo-check-in-force", in_force)?;
    stage.tell.sees(Relay, "demo-relay-sees-terms", &[]);
    let [ours, theirs] = &both;
    stage.tell.quote(&[ours.safety_words.as_ref().map(aloud).unwrap_or_default()]);
    stage.tell.check("demo-check-case-words", ours.safety_words == theirs.safety_words)?;
    heron.confirm_words(&id).await?;
    a.confirm_words(&id).await?;
    Ok(id)
}

/// HERON's terms, with one receipt more: that words have arrived.
fn with_delivered(mut file: TermsFile) -> TermsFile {
    if let Some(receipts) = &mut file.terms.receipts {
        receipts.from_mission.insert(0, ReceiptKind::Delivered.into());
    }
    DELIVERED.clone_into(&mut file.note);
    file
}

/// Safety words as they are read aloud.
fn aloud(words: &SafetyWords) -> String {
    words.words(Language::English).join(" ")
}
