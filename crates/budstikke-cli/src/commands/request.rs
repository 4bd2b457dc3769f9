//! `bud request` and `bud decide`: the Ministry's side of an approval.

use budstikke::{Client, RequestView, Ruling};
use serde_json::{Value, json};

use super::{
    pick::{self, Found},
    sending,
};
use crate::{
    app::{App, Vault},
    args::{self, Decide, Request},
    case::{
        wire::{ActionKind, Verdict},
        words::Word as _,
    },
    catalogue::t,
    failure::Failure,
    refused,
    reply::{Piece, Reply},
    show::{act, consent, time, view},
};

const DAY_S: i64 = 86_400;

/// Runs one of them.
pub(crate) async fn run(app: &App, args: &Request) -> Result<Reply, Failure> {
    match args {
        Request::List => list(app).await,
        Request::Show(args) => show(app, args.act.as_deref()).await,
    }
}

/// `bud request list`: what waits for a decision first, then what was decided.
async fn list(app: &App) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let mut requests = Vec::new();
        for found in pick::acts(app, client).await? {
            // On a mission's own device an act may not have been put before the Ministry yet.
            if let Ok(request) = client.request(&found.case.id, &found.act.id).await {
                requests.push((found, request));
            }
        }
        requests.sort_by_key(|(found, request)| {
            let by = request.decide_by_s;
            (!pick::awaits_decision(&found.act), by == 0, by)
        });
        let json: Vec<Value> = requests.iter().map(|(on, one)| json(app, on, one)).collect();
        let reply = Reply::new().field("requests", json);
        if requests.is_empty() {
            return Ok(reply.text(t!(catalogue, "request-none")));
        }
        let lines = requests.iter().map(|(found, request)| Piece::Item(line(app, found, request)));
        Ok(reply.pieces(lines).next(t!(catalogue, "request-list-next")))
    })
    .await
}

fn line(app: &App, found: &Found, request: &RequestView) -> String {
    let catalogue = &app.catalogue;
    let mut line = act::line(&found.act, catalogue);
    if request.decide_by_s != 0 && pick::awaits_decision(&found.act) {
        let by = time::moment(request.decide_by_s);
        line = t!(catalogue, "request-by", line = line, by = by);
    }
    line
}

/// `bud request show`
async fn show(app: &App, name: Option<&str>) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let found = pick::act(app, client, name, pick::awaits_decision).await?;
        let request = request(app, client, &found).await?;
        let file = client.file(&found.case.id).await.map_err(|error| app.failed(error))?;
        let of = |person: &String| request.act.plan.persons.contains(person);
        let consents = file.consents.iter().filter(|one| of(&one.person));
        let mut reply = Reply::new()
            .head(act::line(&request.act, catalogue))
            .pair(t!(catalogue, "request-from"), officer(&request))
            .pair(t!(catalogue, "act-hash"), view::short(&request.act.plan_hash));
        if request.decide_by_s != 0 {
            let by = time::moment(request.decide_by_s);
            reply = reply.pair(t!(catalogue, "view-decide-by"), by);
        }
        if !request.note.is_empty() {
            reply = reply.pair(t!(catalogue, "view-note"), request.note.as_str());
        }
        let shown = |body| view::pieces(&body, false, catalogue);
        reply = reply
            .pieces(shown(act::body(request.act.plan.clone())))
            .pieces(consents.flat_map(|one| consent::answers(one, true, catalogue)))
            .pieces(shown(act::body(request.risk.clone())))
            .pieces(request.facts.iter().flat_map(|one| shown(act::body(one.clone()))))
            .pieces(request.act.decision.iter().flat_map(|one| act::ruling(one, catalogue)))
            .pieces(act::stopped(&request.refusals, catalogue))
            .pieces(request.cautions.iter().map(|w| Piece::Warn(refused::warning(w, catalogue))));
        let awaits = pick::awaits_decision(&request.act);
        let reply = reply.field("request", json(app, &found, &request));
        Ok(if awaits { reply.next(t!(catalogue, "request-show-next")) } else { reply })
    })
    .await
}

async fn request(app: &App, client: &Client, found: &Found) -> Result<RequestView, Failure> {
    let asked = client.request(&found.case.id, &found.act.id).await;
    asked.map_err(|error| app.failed(error))
}

fn officer(request: &RequestView) -> String {
    format!("{} ({})", request.submitted_by.label, request.submitted_by.unit)
}

fn json(app: &App, found: &Found, request: &RequestView) -> Value {
    let cautions = request.cautions.iter().map(|w| refused::warning(w, &app.catalogue));
    json!({
        "conversation": found.case.id,
        "act": act::json(&request.act, &app.catalogue),
        "submitted_by": { "officer": request.submitted_by.label, "unit": request.submitted_by.unit },
        "note": request.note,
        "decide_by": Some(request.decide_by_s).filter(|at| *at != 0),
        "risk": act::body(request.risk.clone()),
        "facts": request.facts.iter().map(|one| act::body(one.clone())).collect::<Vec<_>>(),
        "blocks": act::stopped_json(&request.refusals, &app.catalogue),
        "warnings": cautions.collect::<Vec<_>>(),
    })
}

/// `bud decide`
pub(crate) async fn decide(app: &App, args: &Decide) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let (verdict, said, next) = verdict(&args.verdict);
    let conditions = args.conditions.iter().map(|path| sending::words(app, Some(path)));
    let until = |days: u32| App::now().saturating_add(i64::from(days) * DAY_S);
    let ruling = Ruling {
        verdict,
        reasons: sending::words(app, Some(&args.reasons))?,
        conditions: conditions.collect::<Result<_, _>>()?,
        valid_until_s: args.valid_days.map(until).unwrap_or_default(),
        exception_accepted: args.without_consent,
        choose_channel: sending::words(app, args.publish_where.as_deref())?,
    };
    app.with(Vault::There, async |client| {
        let found = pick::act(app, client, args.act.as_deref(), pick::awaits_decision).await?;
        let (line, name) = (found.case.id.as_str(), found.act.id.as_str());
        let sent = client.decide(line, name, ruling).await.map_err(|error| app.failed(error))?;
        let now = pick::act(app, client, Some(name), pick::open).await?.act;
        let kind = consent::word::<ActionKind>(now.plan.kind, catalogue);
        let title = now.plan.title.as_str();
        let args = [("kind", kind.into()), ("title", title.into())];
        let mut reply = Reply::new()
            .text(catalogue.text(said, &args))
            .pair(t!(catalogue, "act-hash"), view::short(&now.plan_hash));
        if let Some(until) = now.approved_until_s {
            reply = reply.pair(t!(catalogue, "act-approved-until"), time::moment(until));
        }
        let reply = sending::warned(app, reply, &sent.warnings)
            .field("conversation", line)
            .field("verdict", verdict.name())
            .field("act", act::json(&now, catalogue));
        sending::deliver(app, client, reply, catalogue.text(next, &[])).await
    })
    .await
}

/// The verdict, and the texts for it.
fn verdict(given: &args::Verdict) -> (Verdict, &'static str, &'static str) {
    if given.approve {
        (Verdict::Approved, "decided-approved", "decided-approved-next")
    } else if given.send_back {
        (Verdict::Returned, "decided-returned", "decided-returned-next")
    } else {
        (Verdict::Refused, "decided-refused", "decided-refused-next")
    }
}
