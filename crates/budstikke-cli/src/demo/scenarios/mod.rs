//! Single situations, each on a relay of its own and with a clock that the story moves, so that
//! days pass while one looks on.

mod gone;
mod s1;
mod s10;
mod s2;
mod s5;

use std::path::Path;

use budstikke::{SendOptions, clock::Clock};

use super::{
    cast::Vaults, company::Company, papers, relay::LocalRelay, stage::Stage, stop::Stop,
    teller::Who::Relay, watch::Seen,
};
use crate::{app::App, args::Scenario, case::Body};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// How old Officer A's assessment is when it is filed.
const ASSESSED: i64 = 21 * HOUR;
/// HERON sends a part every so often.
const BETWEEN_PARTS: i64 = 8 * MINUTE;

/// Plays one. How many claims held.
pub(super) async fn play(app: &App, folder: &Path, scenario: Scenario) -> Result<u64, Stop> {
    let clock = Clock::fixed(first_morning());
    // Only where a relay has to do something at a time of the story it goes by the story's clock.
    let relays = if scenario == Scenario::S10 { clock.clone() } else { Clock::system() };
    let relay = LocalRelay::start(&folder.join("relay"), relays).await.map_err(Stop::Ground)?;
    let mut stage = day_one(app, folder, clock, &relay);
    stage.tell.scene("demo-scene-relay");
    stage.tell.does(Relay, "demo-relay-starts", &[]);
    match scenario {
        Scenario::S1 => s1::tell(&mut stage, folder).await?,
        Scenario::S2 => s2::tell(&mut stage).await?,
        Scenario::S5 => Box::pin(s5::tell(&mut stage)).await?,
        Scenario::S10 => s10::tell(&mut stage).await?,
    }
    relay.stop().await.map_err(Stop::Ground)?;
    Ok(stage.tell.checks())
}

fn day_one<'a>(app: &'a App, folder: &Path, clock: Clock, relay: &LocalRelay) -> Stage<'a> {
    let vaults = Vaults::new(folder.to_owned(), Seen::default(), clock.clone());
    Stage::new(app, vaults, clock, relay.address())
}

/// Everybody begins anew, in a folder of their own, on the first morning.
fn again(stage: &mut Stage<'_>, folder: &Path) -> Result<(), Stop> {
    std::fs::create_dir(folder)?;
    stage.began = first_morning();
    stage.clock = Clock::fixed(stage.began);
    stage.vaults = Vaults::new(folder.to_owned(), Seen::default(), stage.clock.clone());
    Ok(())
}

/// 10:00 in Karvonia (UTC+3), four days before the last time that it was 10:00 there: far enough
/// back for the story to last, and never ahead of the machine's clock.
fn first_morning() -> i64 {
    let now = App::now();
    let ten = 7 * HOUR;
    now - (now - ten).rem_euclid(DAY) - 4 * DAY
}

/// The clock goes on to this time of this day of the story, in Karvonia.
fn it_is(stage: &Stage<'_>, day: i64, (hour, minute): (i64, i64)) {
    let at = stage.began + (day - 1) * DAY + (hour - 10) * HOUR + minute * MINUTE;
    stage.clock.advance((at - stage.now()).max(0));
}

/// HERON's account in three parts over 40 minutes, the first and the last of them twice, and who
/// is who apart; then what the mission adds.
async fn told(stage: &Stage<'_>, company: &Company) -> Result<(), Stop> {
    let [first, second, third] = papers::intake_in_parts()?;
    for part in [first.clone(), first, second, third.clone(), third] {
        let part = Body::CaseIntake(Box::new(part));
        company.heron.send(&company.case, part, SendOptions::default()).await?;
        stage.clock.advance(BETWEEN_PARTS);
        company.settle(stage).await?;
    }
    for sheet in papers::intake()?.identity {
        let sheet = Body::IdentitySheet(Box::new(sheet));
        company.heron.send(&company.case, sheet, SendOptions::default()).await?;
    }
    company.settle(stage).await?;
    company.assess(stage, stage.now() - ASSESSED).await
}
