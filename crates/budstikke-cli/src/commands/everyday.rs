//! `bud sync`, `listen`, `outbox`, `whoami`, `passphrase`.

use std::collections::BTreeMap;

use budstikke::{Event, Profile, SyncReport};
use serde_json::{Value, json};
use tokio_stream::StreamExt as _;

use crate::{
    app::{App, Vault},
    args::Passphrase,
    catalogue::t,
    exit::Exit,
    failure::Failure,
    files,
    passphrase::{self, For},
    reply::{Piece, Reply},
    show::{alert, certificate, event, time},
};

/// `bud sync`
pub(crate) async fn sync(app: &App) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let mut events = client.events();
        let working = app.out.working(t!(catalogue, "working-relay"));
        let report = client.sync().await.map_err(|error| app.failed(error))?;
        drop(working);
        let mut happened = Vec::new();
        while let Some(Some(event)) = now(events.next()).await {
            happened.push(event);
        }
        let json: Vec<Value> = happened.iter().map(|event| event::json(event).into()).collect();
        // Said below with every sync, not once a day.
        happened.retain(|event| !matches!(event, Event::CertificateEnds(_)));
        let mut reply = Reply::new()
            .text(done(app, &report))
            .pieces(happened.iter().map(|event| {
                let sentence = event::sentence(event, catalogue);
                if event::loud(event) { Piece::Alarm(sentence) } else { Piece::Item(sentence) }
            }))
            .field("received_cells", report.received as u64)
            .field("sent_cells", report.sent as u64)
            .field("waiting_cells", report.waiting as u64)
            .pieces(report.warnings.iter().map(|it| Piece::Warn(crate::errors::sentence(it))))
            .field("problems", report.problems.clone())
            .field("warnings", report.warnings.clone())
            .field("events", json)
            .pieces(report.certificates.iter().map(|one| certificate::piece(one, catalogue)))
            .field("certificates", certificate::json(&report.certificates));
        if !happened.is_empty() {
            reply = reply.next(t!(catalogue, "sync-next"));
        }
        let alerts = client.alerts().await.map_err(|error| app.failed(error))?;
        reply.failure = worst(problem(app, &report), alert::attention(&alerts, catalogue));
        Ok(reply)
    })
    .await
}

/// An alert that nobody has taken comes before a relay that did not answer; both are said.
fn worst(relay: Option<Failure>, alert: Option<Failure>) -> Option<Failure> {
    let Some(mut alert) = alert else { return relay };
    if let Some(relay) = relay {
        alert.more.push(relay.message.clone());
        alert.more.extend(relay.more.iter().cloned());
    }
    Some(alert)
}

/// What is ready at once, or nothing.
async fn now<T>(ready: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(std::time::Duration::from_millis(1), ready).await.ok()
}

fn done(app: &App, report: &SyncReport) -> String {
    t!(
        app.catalogue,
        "sync-done",
        received = report.received as u64,
        sent = report.sent as u64,
        waiting = report.waiting as u64,
    )
}

/// A relay that was not reached ends the command with code 4, one that wants a token with 8, after everything else was done.
pub(crate) fn problem(app: &App, report: &SyncReport) -> Option<Failure> {
    if report.problems.is_empty() {
        return None;
    }
    let more = report.problems.iter().map(|problem| crate::errors::sentence(problem)).collect();
    if report.wants_token {
        let text = t!(app.catalogue, "token-sync-problem");
        return Some(crate::errors::token(text, &app.catalogue).more(more));
    }
    Some(
        Failure::new(Exit::Unreachable, t!(app.catalogue, "sync-problem"))
            .more(more)
            .next(t!(app.catalogue, "relay-unreachable-next")),
    )
}

/// `bud listen`: a line for each event, until interrupted.
pub(crate) async fn listen(app: &App) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let mut events = client.events();
        let show = |event: &Event| {
            let line =
                format!("{}  {}", time::moment(App::now()), event::sentence(event, catalogue));
            let piece = if event::loud(event) { Piece::Alarm(line) } else { Piece::Text(line) };
            app.out.event(&[piece], &event::json(event), catalogue);
        };
        app.out.note(&t!(catalogue, "working-listen"));
        let listening = client.listen();
        tokio::pin!(listening);
        loop {
            tokio::select! {
                ended = &mut listening => {
                    ended.map_err(|error| app.failed(error))?;
                    return Ok(Reply { streamed: true, ..Reply::new() });
                }
                Some(event) = events.next() => show(&event),
                _ = tokio::signal::ctrl_c() => {
                    return Ok(Reply { streamed: true, ..Reply::new() });
                }
            }
        }
    })
    .await
}

/// `bud outbox`
pub(crate) async fn outbox(app: &App) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let waiting = client.outbox().await.map_err(|error| app.failed(error))?;
        let mut by_message: BTreeMap<(Option<String>, u64), (u64, i64)> = BTreeMap::new();
        for cell in &waiting {
            let entry =
                by_message.entry((cell.case.clone(), cell.number)).or_insert((0, cell.since));
            entry.0 += 1;
            entry.1 = entry.1.min(cell.since);
        }
        let mut reply = Reply::new();
        let mut json = Vec::new();
        for ((case, number), (count, since)) in by_message {
            let at = time::moment(since);
            reply.pieces.push(Piece::Item(match &case {
                Some(id) => {
                    let id = id.as_str();
                    t!(catalogue, "outbox-line", count = count, number = number, id = id, at = at)
                }
                None => t!(catalogue, "outbox-own", count = count, at = at),
            }));
            json.push(json!({
                "conversation": case, "number": number, "cells": count, "since": since,
            }));
        }
        let unanswered = client.awaits_answer().await.map_err(|error| app.failed(error))?;
        reply = reply.field("waiting", json).field("awaits_first_answer", unanswered);
        Ok(if unanswered {
            reply.text(t!(catalogue, "list-awaits")).next(t!(catalogue, "list-awaits-next"))
        } else if waiting.is_empty() {
            reply.text(t!(catalogue, "outbox-empty"))
        } else {
            reply.next(t!(catalogue, "outbox-next"))
        })
    })
    .await
}

/// `bud whoami`
pub(crate) async fn whoami(app: &App) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let place = app.vault()?;
    app.with(Vault::There, async |client| {
        let failed = |error| app.failed(error);
        let reply = Reply::new()
            .pair(t!(catalogue, "whoami-vault"), files::shown(&place))
            .field("vault", files::shown(&place));
        Ok(match client.profile().await.map_err(failed)? {
            Profile::Ministry => {
                let card = client.ministry().await.map_err(failed)?;
                let due = client.certificates_to_renew().await.map_err(failed)?;
                super::ministry::show(app, reply, &card)
                    .pieces(due.iter().map(|one| certificate::piece(one, catalogue)))
            }
            Profile::Staff { certified: true, .. } => {
                let card = client.staff_card().await.map_err(failed)?;
                let all = client.certificates().await.map_err(failed)?;
                let due = client.certificates_to_renew().await.map_err(failed)?;
                super::mission::show(app, reply, &card)
                    .pieces(due.iter().map(|one| certificate::piece(one, catalogue)))
                    .field("certificates", certificate::json(&all))
            }
            Profile::Staff { officer, .. } => reply
                .pair(t!(catalogue, "staff-officer"), officer.as_str())
                .next(t!(catalogue, "whoami-uncertified"))
                .field("role", "staff")
                .field("officer", officer)
                .field("certified", false),
            Profile::Defender => {
                reply.text(t!(catalogue, "whoami-defender")).field("role", "defender")
            }
            _ => reply.text(t!(catalogue, "whoami-new")).field("role", "new"),
        })
    })
    .await
}

/// `bud passphrase`
pub(crate) async fn passphrase(app: &App, args: &Passphrase) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let path = app.vault()?;
    if !path.exists() {
        return app.with(Vault::There, async |_| Ok(Reply::new())).await;
    }
    let file = app.global.passphrase_file.as_deref();
    let old = passphrase::obtain(file, crate::app::PASSPHRASE, For::Open, catalogue)?;
    let new_file = args.new_file.as_deref();
    let new = passphrase::obtain(new_file, "BUD_NEW_PASSPHRASE", For::New, catalogue)?;
    let failed = |error| app.failed(error);
    let client = budstikke::Client::builder(&path).passphrase(old.clone()).open().await;
    let client = client.map_err(failed)?;
    let changed = client.change_passphrase(old, new).await;
    client.close().await.map_err(failed)?;
    changed.map_err(failed)?;
    Ok(Reply::new()
        .text(t!(catalogue, "passphrase-changed"))
        .next(t!(catalogue, "passphrase-changed-next"))
        .field("ok", true))
}
