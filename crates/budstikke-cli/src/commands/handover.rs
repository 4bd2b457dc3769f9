//! `bud handover`, and `bud object`: an officer leaves, and each of their cases goes to somebody who said yes to it.

use budstikke::{Client, HandoverView};
use serde_json::{Value, json};

use super::{pick, reserve, sending};
use crate::{
    app::{App, Vault},
    args::{Handover, HandoverOwn, HandoverStart, Object, OneHandover},
    case::file::HandoverFile,
    catalogue::{Catalogue, t},
    exit::Exit,
    failure::Failure,
    refused,
    reply::{Piece, Reply},
    show::{time, view},
};

/// Runs one of them.
pub(crate) async fn run(app: &App, args: &Handover) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    match args {
        Handover::Start(args) => start(app, args).await,
        Handover::Own(args) => own(app, args).await,
        Handover::Tell(args) => tell(app, args.words.as_deref()).await,
        Handover::Offer => {
            app.with(Vault::There, async |client| {
                client.offer_handover().await.map_err(|error| app.failed(error))?;
                let reply = Reply::new().text(t!(catalogue, "handover-offered"));
                sending::deliver(app, client, reply, t!(catalogue, "handover-offered-next")).await
            })
            .await
        }
        Handover::Accept(args) => accept(app, args).await,
        Handover::Finish => finish(app).await,
        Handover::Show(args) => show(app, args.id.as_deref()).await,
        Handover::Ask(args) => reserve::ask(app, args).await,
        Handover::Open(args) => reserve::open(app, args).await,
    }
}

/// `bud handover start`
async fn start(app: &App, args: &HandoverStart) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let last_day = pick::time(app, &args.last_day)?;
    app.with(Vault::There, async |client| {
        let started = client.start_handover(args.officer.as_deref(), last_day).await;
        started.map_err(|error| app.failed(error))?;
        let reply = shown(app, client, Reply::new()).await?;
        sending::deliver(app, client, reply, t!(catalogue, "handover-started-next")).await
    })
    .await
}

/// `bud handover own`
async fn own(app: &App, args: &HandoverOwn) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let file = args.notes.as_deref();
    let file = file.map(|path| sending::form(app, path, HandoverFile::parse)).transpose()?;
    app.with(Vault::There, async |client| {
        let failed = |error| app.failed(error);
        let cases = if let Some(id) = &args.id {
            vec![id.clone()]
        } else {
            let all = client.handovers().await.map_err(failed)?;
            let free = all.into_iter().flat_map(|handover| handover.cases);
            free.filter(|case| case.owner.is_none()).map(|case| case.case).collect()
        };
        // Notes are about one case.
        if cases.is_empty() || (file.is_some() && cases.len() > 1) {
            return Err(Failure::new(Exit::Usage, t!(catalogue, "handover-own-which")).more(cases));
        }
        for case in &cases {
            client.own_handed_case(case, &args.officer, file.clone()).await.map_err(failed)?;
        }
        let reply = shown(app, client, Reply::new()).await?;
        sending::deliver(app, client, reply, t!(catalogue, "handover-owned-next")).await
    })
    .await
}

/// `bud handover tell`
async fn tell(app: &App, words: Option<&std::path::Path>) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let words = sending::words(app, words)?;
    app.with(Vault::There, async |client| {
        let told = client.tell_of_handover(&words).await.map_err(|error| app.failed(error))?;
        let held: Vec<_> = told
            .held
            .iter()
            .map(|(case, refusal)| (case, refused::refusal(refusal, catalogue)))
            .collect();
        let said = t!(catalogue, "handover-told", number = told.told.len() as u64);
        let not_now =
            held.iter().map(|(case, why)| Piece::Warn(format!("{case}: {}", why.message)));
        let json: Vec<Value> = held
            .iter()
            .map(|(case, why)| json!({ "conversation": case, "code": why.code }))
            .collect();
        let reply = Reply::new()
            .text(said)
            .pieces(not_now)
            .field("told", told.told.clone())
            .field("not_told", json);
        let next = if held.is_empty() { "handover-told-next" } else { "handover-not-told-next" };
        sending::deliver(app, client, reply, catalogue.text(next, &[])).await
    })
    .await
}

/// `bud handover accept`
async fn accept(app: &App, args: &OneHandover) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let accepted = client.accept_handover(args.handover.as_deref()).await;
        accepted.map_err(|error| app.failed(error))?;
        let reply = Reply::new().text(t!(catalogue, "handover-accepted"));
        sending::deliver(app, client, reply, t!(catalogue, "handover-accepted-next")).await
    })
    .await
}

/// `bud handover finish`
async fn finish(app: &App) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        client.finish_handover().await.map_err(|error| app.failed(error))?;
        let reply = shown(app, client, Reply::new()).await?;
        sending::deliver(app, client, reply, t!(catalogue, "handover-finished-next")).await
    })
    .await
}

/// `bud handover show`
async fn show(app: &App, case: Option<&str>) -> Result<Reply, Failure> {
    app.with(Vault::There, async |client| {
        let Some(case) = case else {
            let reply = shown(app, client, Reply::new()).await?;
            return reserve::opened(app, client, reply).await;
        };
        let handed = client.handed_case(case).await.map_err(|error| app.failed(error))?;
        Ok(Reply::new()
            .pair(t!(app.catalogue, "handover-from"), handed.from.clone())
            .pieces(view::pieces(&handed.view, false, &app.catalogue))
            .field("from", handed.from)
            .field("notes", serde_json::to_value(&handed.view).unwrap_or(Value::Null)))
    })
    .await
}

/// All hand-overs of the team.
async fn shown(app: &App, client: &Client, mut reply: Reply) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let all = client.handovers().await.map_err(|error| app.failed(error))?;
    if all.is_empty() {
        reply = reply.text(t!(catalogue, "handover-none"));
    }
    for one in &all {
        reply = reply.pieces(pieces(one, catalogue));
    }
    let json: Vec<Value> = all.iter().map(|one| as_json(one, catalogue)).collect();
    Ok(reply.field("handovers", json))
}

fn pieces(one: &HandoverView, catalogue: &Catalogue) -> Vec<Piece> {
    let phase = catalogue.text(&format!("handover-phase-{}", one.phase.name()), &[]);
    let head = t!(catalogue, "handover-title", id = one.id.as_str(), who = one.from.as_str());
    let mut pieces = vec![
        Piece::Head(head),
        Piece::Pair(t!(catalogue, "handover-last-day"), time::moment(one.last_day_s)),
        Piece::Pair(t!(catalogue, "handover-phase"), phase),
    ];
    let rows = one.cases.iter().map(|case| {
        vec![
            case.case.clone(),
            case.owner.clone().unwrap_or_default(),
            catalogue.text(&format!("case-stage-{}", case.stage.name()), &[]),
        ]
    });
    let head = ["handover-head-case", "handover-head-owner", "handover-head-stage"];
    let head = head.map(|key| catalogue.text(key, &[])).to_vec();
    pieces.push(Piece::Table(head, rows.collect()));
    let no = one.cases.iter().filter(|case| case.objections > 0);
    pieces.extend(
        no.map(|case| Piece::Warn(t!(catalogue, "handover-objected", id = case.case.as_str()))),
    );
    pieces
}

fn as_json(one: &HandoverView, catalogue: &Catalogue) -> Value {
    let cases: Vec<_> = one
        .cases
        .iter()
        .map(|case| {
            json!({
                "conversation": case.case,
                "owner": case.owner,
                "mine": case.mine,
                "stage": case.stage.name(),
                "objections": case.objections,
                "notes": case.notes,
            })
        })
        .collect();
    let blocks: Vec<_> = one
        .blocks
        .iter()
        .map(|block| json!({ "code": block.code(), "why": refused::refusal(block, catalogue).message }))
        .collect();
    json!({
        "handover": one.id,
        "from": one.from,
        "by": one.by,
        "last_day_ends": one.last_day_s,
        "phase": one.phase.name(),
        "conversations": cases,
        "missing": blocks,
    })
}

/// `bud object`
pub(crate) async fn object(app: &App, args: &Object) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let reason = sending::words(app, args.reasons.as_deref())?;
    app.with(Vault::There, async |client| {
        let id = pick::about(app, client, args.id.as_deref()).await?.id;
        client.object(&id, &reason).await.map_err(|error| app.failed(error))?;
        let reply = Reply::new().text(t!(catalogue, "objected")).field("conversation", id);
        sending::deliver(app, client, reply, t!(catalogue, "objected-next")).await
    })
    .await
}
