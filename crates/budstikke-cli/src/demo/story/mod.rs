//! The story: HERON, a teacher in the lake villages of Karvonia, reaches a mission, and the mission
//! the Ministry. From the first key to what the relay's disk holds.

mod act;
mod case;
mod contact;
mod disk;
mod ministry;
mod reached;

use std::path::Path;

use budstikke::clock::Clock;

use super::{
    cast::Vaults, relay::LocalRelay, stage::Stage, stop::Stop, teller::Who::Relay, watch::Seen,
};
use crate::app::App;

/// Tells it. How many claims held.
pub(crate) async fn tell(app: &App, folder: &Path) -> Result<u64, Stop> {
    let (seen, clock) = (Seen::default(), Clock::system());
    let relay =
        LocalRelay::start(&folder.join("relay"), Clock::system()).await.map_err(Stop::Ground)?;
    let vaults = Vaults::new(folder.to_owned(), seen.clone(), clock.clone());
    let mut stage = Stage::new(app, vaults, clock, relay.address());
    stage.tell.scene("demo-scene-relay");
    stage.tell.does(Relay, "demo-relay-starts", &[]);

    let people = contact::tell(&mut stage).await?;
    let (heron, officer_a) = case::tell(&mut stage, people).await?;
    let company = ministry::tell(&mut stage, heron, officer_a).await?;
    act::tell(&mut stage, &company).await?;
    reached::tell(&mut stage, company).await?;

    let remains = relay.stop().await.map_err(Stop::Ground)?;
    disk::tell(&mut stage, &seen, &remains)?;
    Ok(stage.tell.checks())
}
