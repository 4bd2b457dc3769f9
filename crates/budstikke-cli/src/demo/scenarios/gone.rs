//! The other end of S5: Officer B is gone from one day to the next and has handed nothing over.

use budstikke::{Client, Error, Trouble};

use super::{it_is, s5::Office};
use crate::demo::{
    cast,
    company::Company,
    stage::{Stage, holds},
    stop::Stop,
    teller::Who::{Head, Heron, Holders, OfficerA},
};

const WHY: &str = "In hospital since Monday.";
const AGAIN: &str = "Then I go on with you.";
const HERE: &str = "Thank you. I read from now on.";

/// Three holders in the Ministry, and the directory that names them on these devices.
pub(super) async fn holders(stage: &Stage<'_>, mission: &[&Client]) -> Result<Vec<Client>, Stop> {
    let ministry = stage.vaults.open("ministry", &cast::passphrase("ministry")).await?;
    let root = ministry.ministry().await?.root_fingerprint;
    let (mut holders, mut texts) = (Vec::new(), Vec::new());
    for name in ["Holder 1", "Holder 2", "Holder 3"] {
        let holder = stage.vaults.create(name).await?;
        texts.push(holder.found_holder(name, &root).await?.text);
        holders.push(holder);
    }
    ministry.name_holders(&texts).await?;
    ministry.publish_directory(&[]).await?;
    let directory = ministry.export_directory().await?;
    ministry.close().await?;
    for client in mission {
        client.import_directory(&directory).await?;
    }
    Ok(holders)
}

/// Who is left comes to rest. In the line of that reserve the desk is asked the same; it takes its time.
async fn rest(stage: &Stage<'_>, office: &Office) -> Result<(), Stop> {
    let Company { heron, a, .. } = &office.company;
    stage.settle(&[heron]).await?;
    stage.settle(&[a, &office.h]).await?;
    stage.settle(&[heron]).await
}

/// The head of mission and two holders, and HERON's yes.
pub(super) async fn tell(stage: &mut Stage<'_>, office: &Office) -> Result<(), Stop> {
    stage.tell.scene("demo-s5-scene-gone");
    let Company { heron, a, case, .. } = &office.company;
    let h = &office.h;
    it_is(stage, 4, (9, 0));
    office.all(stage).await?;
    let early = h.ask_holders(cast::OFFICER_B, WHY).await;
    stage.tell.check("demo-s5-check-not-behind", matches!(early, Err(Error::NotReady(_))))?;
    a.remove_colleague(cast::OFFICER_B).await?;
    stage.settle(&[a, h]).await?;
    stage.tell.does(OfficerA, "demo-s5-takes-out", &[]);

    let request = h.ask_holders(cast::OFFICER_B, WHY).await?;
    stage.tell.does(Head, "demo-s5-asks-holders", &[]);
    let mut answers = Vec::new();
    for holder in office.holders.iter().take(2) {
        answers.push(holder.answer_reserve(&request).await?);
    }
    stage.tell.does(Holders, "demo-s5-holders-answer", &[]);
    let one = h.open_reserve(cast::OFFICER_B, answers.get(..1).unwrap_or_default()).await;
    stage.tell.check("demo-s5-check-one-is-not-enough", one.is_err())?;
    let opened = h.open_reserve(cast::OFFICER_B, &answers).await?;
    let herons = opened.iter().any(|one| one.case == *case && !one.here);
    stage.tell.check("demo-s5-check-opened", herons)?;

    stage.settle(&[h, a]).await?;
    a.let_in(case, cast::HEAD_H).await?;
    rest(stage, office).await?;
    stage.tell.sees(Heron, "demo-s5-heron-is-asked", &[]);
    let asks = |one: &budstikke::Diagnosis| matches!(&one.trouble, Trouble::AsksToTakeOver { who, .. } if who == cast::HEAD_H);
    stage.tell.check("demo-s5-check-asked", heron.diagnose().await?.iter().any(asks))?;
    let nothing = h.case(case).await?.messages.is_empty();
    stage.tell.check("demo-s5-check-not-yet", nothing)?;
    heron.let_in(case, cast::HEAD_H).await?;
    rest(stage, office).await?;
    stage.tell.does(Heron, "demo-s5-says-yes", &[]);
    stage.write(heron, case, AGAIN).await?;
    rest(stage, office).await?;
    stage.write(h, case, HERE).await?;
    rest(stage, office).await?;
    let both = holds(&h.case(case).await?, AGAIN) && holds(&heron.case(case).await?, HERE);
    stage.tell.check("demo-s5-check-goes-on", both)?;
    let members = heron.case(case).await?.members;
    let gone = members.iter().all(|member| member.name != cast::OFFICER_B);
    stage.tell.check("demo-s5-check-b-is-out", gone)?;
    let logs = [h.opened_reserves().await?, a.opened_reserves().await?];
    let told = logs.iter().all(|log| log.len() == 1);
    Ok(stage.tell.check("demo-s5-check-logged", told)?)
}
