//! What the relay's disk holds, and what it does not.

use crate::demo::{relay::Remains, stage::Stage, stop::Stop, teller::Who::Relay, watch::Seen};

/// The search of the disk, the log and the counters, and the control that shows that it finds.
pub(super) fn tell(stage: &mut Stage<'_>, seen: &Seen, remains: &Remains) -> Result<(), Stop> {
    let hide = std::mem::take(&mut stage.hide);
    let outcome = hide.search(seen, remains, stage.vaults.folder())?;
    let tell = &mut stage.tell;
    tell.scene("demo-scene-disk");
    let disk = outcome.disk;
    let held = [("files", disk.files.into()), ("kib", (disk.bytes / 1024).into())];
    tell.sees(Relay, "demo-relay-holds", &held);
    let said = [("lines", outcome.log_lines.into()), ("counters", outcome.metric_lines.into())];
    tell.sees(Relay, "demo-relay-said", &said);
    let metrics = String::from_utf8_lossy(&remains.metrics);
    let counters = metrics.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    tell.quote(&counters.map(str::to_owned).collect::<Vec<_>>());
    tell.does(Relay, "demo-searched", &[("markers", (outcome.markers as u64).into())]);
    for found in &outcome.found {
        tell.quote(&[format!("{} ({}): {}", found.what, found.form, found.place)]);
    }
    tell.check("demo-check-logged", outcome.log_lines > 0 && disk.bytes > 0)?;
    tell.check("demo-check-nothing", outcome.found.is_empty())?;
    tell.does(Relay, "demo-control", &[("planted", (outcome.planted as u64).into())]);
    Ok(tell.check("demo-check-control", outcome.planted == outcome.planted_found)?)
}
