//! What HERON tells, what the mission answers, and who else is let in.

use budstikke::{Client, Progress, Role, SendOptions};

use super::contact::People;
use crate::{
    case::{
        Body,
        wire::{Receipt, ReceiptKind},
    },
    demo::{
        cast, company, papers,
        stage::{Stage, holds},
        stop::Stop,
        teller::Who::{Heron, OfficerA, OfficerB, Relay},
    },
    exit::Exit,
    show::case::message_id,
};

const REPLY: &str = "We have read all of it. A lawyer in the district town can see REED on Monday; \
                     nobody has been told who asked. Do you want us to go on?";
const ANSWER: &str = "Yes, please go on. REED's sister knows where the medicine is.";

/// From the form to a second reader at the mission. HERON and Officer A go on.
pub(super) async fn tell(stage: &mut Stage<'_>, people: People) -> Result<(Client, Client), Stop> {
    let People { heron, a, case } = people;
    happened(stage, &a, &heron, &case).await?;
    let heron = restart(stage, heron).await?;
    reply(stage, &a, &heron, &case).await?;
    colleague(stage, &a, &heron, &case).await?;
    Ok((heron, a))
}

/// Three incidents, a wish, an alias.
async fn happened(stage: &mut Stage<'_>, a: &Client, heron: &Client, id: &str) -> Result<(), Stop> {
    stage.tell.scene("demo-scene-intake");
    let file = papers::intake()?;
    let incidents = file.intake.incidents.len() as u64;
    let sheets = file.identity.len() as u64;
    let mut numbers = Vec::new();
    let bodies = std::iter::once(Body::CaseIntake(Box::new(file.intake)))
        .chain(file.identity.into_iter().map(|s| Body::IdentitySheet(Box::new(s))));
    for body in bodies {
        numbers.push(heron.send(id, body, SendOptions::default()).await?.number);
    }
    let told = [("incidents", incidents.into()), ("sheets", sheets.into())];
    stage.tell.does(Heron, "demo-heron-tells", &told);
    let cells = heron.outbox().await?.len() as u64;
    stage.settle(&[heron, a]).await?;
    stage.tell.sees(Relay, "demo-relay-sees-intake", &[("cells", cells.into())]);

    let theirs = a.case(id).await?;
    let ours = heron.case(id).await?;
    stage.hide_all(&theirs);
    let sent = ours.messages.iter().filter(|m| numbers.contains(&m.number));
    let same = sent.clone().all(|m| theirs.messages.iter().any(|t| t.content == m.content));
    let new = theirs.summary.unread;
    stage.tell.does(OfficerA, "demo-a-reads", &[("new", new.into())]);
    Ok(stage.tell.check("demo-check-same-bytes", same && sent.count() == numbers.len())?)
}

/// The phone was off. A wrong passphrase opens nothing, the right one everything.
async fn restart(stage: &mut Stage<'_>, heron: Client) -> Result<Client, Stop> {
    stage.tell.scene("demo-scene-restart");
    let before = stage.only(&heron).await?;
    heron.close().await?;
    stage.tell.does(Heron, "demo-heron-restarts", &[]);
    let wrong = stage.vaults.open("heron", "the wrong words").await;
    let stopped = wrong.err().map(|error| stage.tell.failed(error));
    if let Some(stopped) = &stopped {
        stage.tell.refused(Heron, stopped);
    }
    let locked = stopped.is_some_and(|stop| stop.exit == Exit::Passphrase);
    stage.tell.check("demo-check-locked", locked)?;
    let heron = stage.vaults.open("heron", &cast::passphrase("heron")).await?;
    let after = stage.only(&heron).await?;
    let same = before.messages.len() == after.messages.len()
        && before.safety_words == after.safety_words
        && before.epoch == after.epoch;
    stage.tell.check("demo-check-reopened", same)?;
    Ok(heron)
}

/// A person has it, and writes.
async fn reply(stage: &mut Stage<'_>, a: &Client, heron: &Client, id: &str) -> Result<(), Stop> {
    stage.tell.scene("demo-scene-reply");
    let view = a.case(id).await?;
    let Some(intake) = view.messages.iter().find(|m| m.kind == "case-intake") else {
        return Ok(stage.tell.check("demo-check-contact", false)?);
    };
    let receipt = Receipt {
        kind: ReceiptKind::TakenOn.into(),
        message_id: message_id(intake),
        ..Receipt::default()
    };
    let options = SendOptions { in_reply_to: Some(intake.number), ..SendOptions::default() };
    a.send(id, Body::Receipt(receipt), options).await?;
    stage.tell.does(OfficerA, "demo-a-takes-on", &[]);
    stage.write(a, id, REPLY).await?;
    stage.settle(&[a, heron]).await?;
    stage.tell.does(OfficerA, "demo-a-writes", &[]);
    stage.tell.quote(&[REPLY.to_owned()]);
    let ours = heron.case(id).await?;
    let state = ours.messages.iter().find(|m| m.kind == "case-intake");
    let taken_on = state.is_some_and(|m| m.progress == Some(Progress::TakenOn));
    stage.tell.does(Heron, "demo-heron-reads", &[]);
    Ok(stage.tell.check("demo-check-taken-on", taken_on && holds(&ours, REPLY))?)
}

/// Officer B joins, seen by everybody, and reads what is written from then on.
async fn colleague(
    stage: &mut Stage<'_>,
    a: &Client,
    heron: &Client,
    id: &str,
) -> Result<(), Stop> {
    stage.tell.scene("demo-scene-colleague");
    let b = stage.vaults.create("officer-b").await?;
    company::enrolled(stage, a, &b, (cast::OFFICER_B, Role::Staff)).await?;
    let team = b.team().await?;
    stage.tell.does(OfficerB, "demo-b-enrolled", &[]);
    stage.tell.check("demo-check-team", team.len() == 2)?;

    let before = heron.case(id).await?;
    a.assign(id, cast::OFFICER_B).await?;
    stage.settle(&[a, &b, heron]).await?;
    stage.tell.does(OfficerA, "demo-a-assigns", &[]);
    let after = heron.case(id).await?;
    let names: Vec<String> = after.members.iter().map(|member| member.name.clone()).collect();
    stage.tell.sees(Heron, "demo-heron-sees-b", &[("names", names.join(", ").into())]);
    let joined = after.members.len() == before.members.len() + 1 && after.epoch > before.epoch;
    stage.tell.check("demo-check-joined", joined)?;

    stage.write(heron, id, ANSWER).await?;
    stage.settle(&[heron, &b, a]).await?;
    stage.tell.does(Heron, "demo-heron-answers", &[]);
    let theirs = b.case(id).await?;
    stage.tell.does(OfficerB, "demo-b-reads", &[]);
    stage.tell.quote(&[ANSWER.to_owned()]);
    stage.tell.check("demo-check-b-reads", holds(&theirs, ANSWER))?;
    stage.tell.sees(OfficerB, "demo-b-sees", &[]);
    stage.tell.check("demo-check-b-not-before", !holds(&theirs, REPLY))?;
    // Officer B's part ends here: a device that is off misses nothing that the relay holds for it.
    Ok(b.close().await?)
}
