//! What reached the Ministry, and what did not: its vaults opened entry by entry and searched.

use budstikke::SendOptions;

use crate::case::{
    Refusal,
    wire::{FreeText, content::Body},
};
use crate::demo::{
    cast,
    company::Company,
    papers, reached,
    scan::{Marker, Scanner},
    stage::Stage,
    stop::Stop,
    teller::Who::{self, DeciderK, DeskM, OfficerA},
};

/// Written to the desk at the end, so that the search is seen to find what is there.
const PLANTED: &str = "The lake is at its lowest since the year of the two bridges.";

/// What HERON told nobody but the mission: who HERON is, and who told the mission.
pub(super) async fn tell(stage: &mut Stage<'_>, company: Company) -> Result<(), Stop> {
    stage.tell.scene("demo-scene-reached");
    for (client, name) in [
        (&company.heron, &company.case),
        (&company.a, &company.case),
        (&company.a, &company.line),
        (&company.desk, &company.line),
        (&company.k, &company.line),
    ] {
        let view = client.case(name).await?;
        stage.hide_all(&view);
    }
    let Company { heron, a, desk, k, case: _, line } = company;
    for client in [heron, desk, k] {
        client.close().await?;
    }
    let (name, source) = secrets()?;
    let words = [("name", name.as_str()), ("source", &source), ("planted", PLANTED)];
    let scanner = Scanner::new(words.map(|(what, text)| marker(what, text)).into());
    stage.hide.whole("name", &name);
    stage.hide.whole("source", &source);
    stage.tell.does(DeskM, "demo-m-searched", &[]);
    for (who, vault) in [(DeskM, "desk"), (DeciderK, "decider")] {
        let found = look(stage, who, vault, &scanner)?;
        stage.tell.check("demo-check-reached-nothing", found == 0)?;
    }

    stage.tell.does(OfficerA, "demo-a-slips", &[]);
    let text = format!("It is {name}. Source: {source}.");
    let slip = Body::FreeText(FreeText { text, distressing: false });
    let sent = a.send(&line, slip, SendOptions::default()).await;
    let p02 = |refusal: &Refusal| matches!(refusal, Refusal::ThirdPartyNotStripped { .. });
    stage.tell.stopped(OfficerA, "demo-check-slip", sent, p02)?;

    let desk = stage.vaults.open("desk", &cast::passphrase("desk")).await?;
    stage.write(&a, &line, PLANTED).await?;
    stage.settle(&[&a, &desk]).await?;
    desk.close().await?;
    a.close().await?;
    stage.tell.does(OfficerA, "demo-a-plants", &[]);
    let found = look(stage, DeskM, "desk", &scanner)?;
    Ok(stage.tell.check("demo-check-reached-planted", found == 1)?)
}

/// How many of the secrets stand in a vault.
fn look(stage: &mut Stage<'_>, who: Who, vault: &str, scanner: &Scanner) -> Result<usize, Stop> {
    let path = stage.vaults.path(vault);
    let searched = reached::search(&path, &cast::passphrase(vault), scanner)?;
    let kib = searched.bytes / 1024;
    let held = [("entries", searched.entries.into()), ("kib", kib.into())];
    stage.tell.sees(who, "demo-vault-holds", &held);
    stage.tell.check("demo-check-vault-all", searched.all && kib > 10)?;
    let kinds = ["name", "source", "planted"];
    Ok(kinds.iter().filter(|kind| searched.found.iter().any(|f| f.what == **kind)).count())
}

/// As they stand in HERON's identity sheet and in the mission's own part.
fn secrets() -> Result<(String, String), Stop> {
    let sheet = papers::intake()?.identity.into_iter().next().map(|sheet| sheet.name);
    let source = papers::own_part()?.intake.source.map(|source| source.who);
    let missing = || Stop::Ground("the papers hold no name or no source".to_owned());
    sheet.zip(source).ok_or_else(missing)
}

fn marker(what: &'static str, text: &str) -> Marker {
    Marker { what, bytes: text.as_bytes().to_vec() }
}
