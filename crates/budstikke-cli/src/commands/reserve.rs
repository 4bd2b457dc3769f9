//! When an officer is gone and has handed nothing over: a head of mission's side, and a holder's.

use budstikke::{Client, OpenedReserve};
use serde_json::{Value, json};

use super::{
    ministry::{confirm, grouped},
    sending,
};
use crate::{
    app::{App, Vault},
    args::{HandoverAsk, HandoverOpen, HolderInit, MinistryHolder, RootCertify},
    catalogue::{Catalogue, t},
    failure::Failure,
    files,
    reply::{Piece, Reply},
    show::time,
};

/// `bud ministry holder`
pub(crate) async fn holder(app: &App, command: &MinistryHolder) -> Result<Reply, Failure> {
    match command {
        MinistryHolder::Init(args) => init(app, args).await,
        MinistryHolder::Answer(args) => answer(app, args).await,
        MinistryHolder::Log => log(app).await,
    }
}

async fn init(app: &App, args: &HolderInit) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::ThereOrNew, async |client| {
        let made = client.found_holder(&args.name, &args.root).await;
        let card = made.map_err(|error| app.failed(error))?;
        let mut reply = Reply::new()
            .text(t!(catalogue, "holder-made"))
            .pair(t!(catalogue, "holder-name"), card.name.as_str())
            .pair(t!(catalogue, "holder-fingerprint"), grouped(&card.fingerprint))
            .next(t!(catalogue, "holder-made-next"))
            .field("name", card.name)
            .field("holder_fingerprint", card.fingerprint);
        reply.artefact = files::write(&args.output, card.text, catalogue)?;
        Ok(reply)
    })
    .await
}

async fn answer(app: &App, args: &RootCertify) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let request = files::read(&args.file, catalogue)?;
    app.with(Vault::There, async |client| {
        let asked = client.read_reserve_request(&request).await;
        let asked = asked.map_err(|error| app.failed(error))?;
        app.out.note(&t!(
            catalogue,
            "holder-asked",
            by = asked.by.as_str(),
            unit = asked.unit.as_str(),
            id = asked.unit_id.as_str(),
            at = time::moment(asked.made_at),
            leaver = asked.leaver.as_str(),
            reason = asked.reason.as_str(),
        ));
        app.out.note(&t!(catalogue, "holder-asked-check", leaver = asked.leaver.as_str()));
        confirm(app, args.yes, t!(catalogue, "holder-confirm"))?;
        let answer = client.answer_reserve(&request).await.map_err(|error| app.failed(error))?;
        let mut reply = Reply::new()
            .text(t!(catalogue, "holder-answered"))
            .next(t!(catalogue, "holder-answered-next"))
            .field("by", asked.by)
            .field("unit_id", asked.unit_id)
            .field("leaver", asked.leaver)
            .field("reason", asked.reason);
        reply.artefact = files::write(&args.output, answer, catalogue)?;
        Ok(reply)
    })
    .await
}

async fn log(app: &App) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let all = client.opened_reserves().await.map_err(|error| app.failed(error))?;
        let mut reply = Reply::new();
        if all.is_empty() {
            reply = reply.text(t!(catalogue, "holder-log-none"));
        }
        let one = |one: &OpenedReserve| {
            Piece::Item(t!(
                catalogue,
                "holder-log",
                at = time::moment(one.at),
                by = one.by.as_str(),
                unit = one.unit.as_str(),
                leaver = one.leaver.as_str(),
                reason = one.reason.as_str(),
            ))
        };
        Ok(reply.pieces(all.iter().map(one)).field("opened", json_of(&all)))
    })
    .await
}

/// `bud handover ask`
pub(super) async fn ask(app: &App, args: &HandoverAsk) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let request = client.ask_holders(&args.officer, &args.reason).await;
        let request = request.map_err(|error| app.failed(error))?;
        let cards = client.directory().await.map_err(|error| app.failed(error))?;
        let holders = cards.into_iter().flat_map(|card| card.holders);
        let holders: Vec<String> = holders.map(|holder| holder.name).collect();
        let mut reply = Reply::new()
            .text(t!(catalogue, "reserve-asked", holders = holders.join(", ")))
            .next(t!(catalogue, "reserve-asked-next"))
            .field("holders", holders);
        reply.artefact = files::write(&args.output, request, catalogue)?;
        Ok(reply)
    })
    .await
}

/// `bud handover open`
pub(super) async fn open(app: &App, args: &HandoverOpen) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let answers = args.answers.iter().map(|file| files::read(file, catalogue));
    let answers = answers.collect::<Result<Vec<_>, _>>()?;
    app.with(Vault::There, async |client| {
        let opened = client.open_reserve(&args.officer, &answers).await;
        let opened = opened.map_err(|error| app.failed(error))?;
        let items = opened.iter().map(|one| {
            let id = one.case.as_str();
            if let Some(why) = &one.problem {
                let why = crate::errors::sentence(why);
                return Piece::Warn(t!(catalogue, "reserve-not-taken", why = why));
            }
            let key = if one.here { "reserve-here" } else { "reserve-taken" };
            Piece::Item(catalogue.text(key, &[("id", id.into())]))
        });
        let json: Vec<Value> = opened
            .iter()
            .map(|one| {
                json!({
                    "conversation": one.case, "here": one.here, "problem": one.problem,
                })
            })
            .collect();
        let reply = Reply::new()
            .text(t!(catalogue, "reserve-opened", count = opened.len() as u64))
            .pieces(items)
            .field("conversations", json);
        sending::deliver(app, client, reply, t!(catalogue, "reserve-opened-next")).await
    })
    .await
}

/// What this team has opened so far, for `bud handover show`.
pub(super) async fn opened(app: &App, client: &Client, reply: Reply) -> Result<Reply, Failure> {
    let all = client.opened_reserves().await.map_err(|error| app.failed(error))?;
    let one = |one: &OpenedReserve| item(one, &app.catalogue);
    Ok(reply.pieces(all.iter().map(one)).field("opened", json_of(&all)))
}

fn item(one: &OpenedReserve, catalogue: &Catalogue) -> Piece {
    Piece::Item(t!(
        catalogue,
        "reserve-log",
        at = time::moment(one.at),
        by = one.by.as_str(),
        leaver = one.leaver.as_str(),
        count = u64::from(one.cases),
        holders = one.holders.join(", "),
        reason = one.reason.as_str(),
    ))
}

fn json_of(all: &[OpenedReserve]) -> Vec<Value> {
    all.iter()
        .map(|one| {
            json!({
                "leaver": one.leaver,
                "by": one.by,
                "unit": one.unit,
                "holders": one.holders,
                "reason": one.reason,
                "conversations": one.cases,
                "at": one.at,
            })
        })
        .collect()
}
