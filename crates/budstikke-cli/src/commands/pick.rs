//! What a command is about, when the person leaves it out: the only conversation, act or alert that
//! fits. Where several fit, they are listed and nothing is done.

use budstikke::{ActView, AlertView, CaseSummary, Client};

use crate::{
    app::App,
    case::action::ActionPhase,
    catalogue::t,
    exit::Exit,
    failure::Failure,
    show::{self, time},
};

/// An act and the conversation it stands in.
pub(super) struct Found {
    pub(super) case: CaseSummary,
    pub(super) act: ActView,
}

/// The conversation named, or the only one with a person concerned; where there is none of those,
/// as at the Ministry, the only line.
pub(super) async fn about(
    app: &App,
    client: &Client,
    id: Option<&str>,
) -> Result<CaseSummary, Failure> {
    let failed = |error| app.failed(error);
    if let Some(id) = id {
        return Ok(client.case(id).await.map_err(failed)?.summary);
    }
    let all = client.cases().await.map_err(failed)?;
    let (lines, cases): (Vec<_>, Vec<_>) = all.into_iter().partition(|case| case.line);
    one(app, if cases.is_empty() { lines } else { cases })
}

/// The line named, or the only one.
pub(super) async fn line(
    app: &App,
    client: &Client,
    id: Option<&str>,
) -> Result<CaseSummary, Failure> {
    let failed = |error| app.failed(error);
    if let Some(id) = id {
        return Ok(client.case(id).await.map_err(failed)?.summary);
    }
    let all = client.cases().await.map_err(failed)?;
    one(app, all.into_iter().filter(|case| case.line).collect())
}

fn one(app: &App, mut fitting: Vec<CaseSummary>) -> Result<CaseSummary, Failure> {
    let catalogue = &app.catalogue;
    match (fitting.pop(), fitting.as_slice()) {
        (Some(only), []) => Ok(only),
        (None, _) => Err(Failure::new(Exit::NotFound, t!(catalogue, "list-empty"))
            .next(t!(catalogue, "list-empty-next"))),
        (Some(last), others) => {
            let all = others.iter().chain([&last]);
            let points = all.map(|case| format!("{}  {}", case.id, case.with)).collect();
            Err(Failure::new(Exit::Usage, t!(catalogue, "list-which")).more(points))
        }
    }
}

/// All acts of this vault, each once: a mission's line shares the file of the case it is for.
pub(super) async fn acts(app: &App, client: &Client) -> Result<Vec<Found>, Failure> {
    let failed = |error| app.failed(error);
    let all = client.cases().await.map_err(failed)?;
    let mut found = Vec::new();
    for case in &all {
        let shared = |of: &String| all.iter().any(|other| other.id == *of);
        if case.line_for.as_ref().is_some_and(shared) {
            continue;
        }
        let file = client.file(&case.id).await.map_err(failed)?;
        found.extend(file.acts.into_iter().map(|act| Found { case: case.clone(), act }));
    }
    Ok(found)
}

/// The act named, whose name may be shortened, or the only one that fits.
pub(super) async fn act(
    app: &App,
    client: &Client,
    name: Option<&str>,
    fits: impl Fn(&ActView) -> bool,
) -> Result<Found, Failure> {
    let catalogue = &app.catalogue;
    let name = name.map(|name| name.trim().to_ascii_lowercase());
    let mut fitting = acts(app, client).await?;
    fitting.retain(|found| match &name {
        Some(name) => !name.is_empty() && found.act.id.starts_with(name),
        None => fits(&found.act),
    });
    match (fitting.pop(), fitting.as_slice()) {
        (Some(only), []) => Ok(only),
        (None, _) => Err(Failure::new(Exit::NotFound, t!(catalogue, "act-none"))
            .next(t!(catalogue, "act-none-next"))),
        (Some(last), others) => {
            let all = others.iter().chain([&last]);
            let points = all.map(|found| show::act::line(&found.act, catalogue)).collect();
            Err(Failure::new(Exit::Usage, t!(catalogue, "act-which")).more(points))
        }
    }
}

/// Whether an act may still be done, or is done and not over.
pub(super) fn open(act: &ActView) -> bool {
    !matches!(act.phase, ActionPhase::Closed | ActionPhase::Cancelled)
}

/// Whether there is anything left to do about it, be it to tell why nothing was done.
pub(super) fn not_closed(act: &ActView) -> bool {
    act.phase != ActionPhase::Closed
}

/// Whether the Ministry has it and has not answered.
pub(super) fn awaits_decision(act: &ActView) -> bool {
    act.phase == ActionPhase::AwaitingApproval
}

/// The alert named, whose name may be shortened, or the only one that fits.
pub(super) async fn alert(
    app: &App,
    client: &Client,
    name: Option<&str>,
    fits: impl Fn(&AlertView) -> bool,
) -> Result<AlertView, Failure> {
    let catalogue = &app.catalogue;
    let name = name.map(|name| name.trim().to_ascii_lowercase());
    let mut fitting = client.alerts().await.map_err(|error| app.failed(error))?;
    fitting.retain(|alert| match &name {
        Some(name) => !name.is_empty() && alert.id.starts_with(name),
        None => fits(alert),
    });
    match (fitting.pop(), fitting.as_slice()) {
        (Some(only), []) => Ok(only),
        (None, _) => Err(Failure::new(Exit::NotFound, t!(catalogue, "alert-none"))
            .next(t!(catalogue, "alert-none-next"))),
        (Some(last), others) => {
            let all = others.iter().chain([&last]);
            let points = all.map(|alert| format!("{}  {}", alert.id, alert.alert.headline));
            Err(Failure::new(Exit::Usage, t!(catalogue, "alert-which")).more(points.collect()))
        }
    }
}

/// Unix seconds of a time that a person typed.
pub(super) fn time(app: &App, text: &str) -> Result<i64, Failure> {
    time::parse(text, App::now()).ok_or_else(|| {
        Failure::new(Exit::Usage, t!(app.catalogue, "time-not-understood", time = text))
            .next(t!(app.catalogue, "time-not-understood-next"))
    })
}
