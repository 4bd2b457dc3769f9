//! `bud alert`: raised by one side, answered by a person of the other, with a clock that both see.

use serde_json::Value;

use super::{pick, sending};
use crate::{
    app::{App, Vault},
    args::{self, Ack, Alert, AlertCancel, InConversation},
    case::{file::AlertFile, wire::AckKind},
    catalogue::t,
    failure::Failure,
    reply::{Piece, Reply},
    show::{act, alert, time, view},
};

/// Runs one of them.
pub(crate) async fn run(app: &App, args: &Alert) -> Result<Reply, Failure> {
    match args {
        Alert::Raise(args) => raise(app, args).await,
        Alert::List => list(app).await,
        Alert::Show(args) => show(app, args.alert.as_deref()).await,
        Alert::Ack(args) => ack(app, args).await,
        Alert::Cancel(args) => cancel(app, args).await,
    }
}

/// `bud alert raise`
async fn raise(app: &App, args: &InConversation) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let now = App::now();
    let file = sending::form(app, &args.file, |text, format| AlertFile::parse(text, format, now))?;
    app.with(Vault::There, async |client| {
        let failed = |error| app.failed(error);
        let id = pick::about(app, client, args.id.as_deref()).await?.id;
        let before = client.alerts().await.map_err(failed)?;
        let sent = client.raise_alert(&id, file).await.map_err(failed)?;
        let all = client.alerts().await.map_err(failed)?;
        let raised = all.iter().find(|one| before.iter().all(|known| known.id != one.id));
        let reply = Reply::new().text(t!(catalogue, "alert-raised"));
        let reply = reply.pieces(raised.iter().flat_map(|one| alert::pieces(one, now, catalogue)));
        let reply = sending::warned(app, reply, &sent.warnings)
            .field("conversation", id)
            .field("alert", raised.map(|one| alert::json(one, now)));
        sending::deliver(app, client, reply, t!(catalogue, "alert-raised-next")).await
    })
    .await
}

/// `bud alert list`
async fn list(app: &App) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let mut alerts = client.alerts().await.map_err(|error| app.failed(error))?;
        let now = App::now();
        alert::sort(&mut alerts);
        let json: Vec<Value> = alerts.iter().map(|one| alert::json(one, now)).collect();
        let mut reply = Reply::new().field("alerts", json);
        reply = if alerts.is_empty() {
            reply.text(t!(catalogue, "alert-list-empty"))
        } else {
            reply.pieces(alerts.iter().flat_map(|one| alert::pieces(one, now, catalogue)))
        };
        if alerts.iter().any(|one| !one.ours && !alert::over(one)) {
            reply = reply.next(t!(catalogue, "alert-list-next"));
        }
        reply.failure = alert::attention(&alerts, catalogue);
        Ok(reply)
    })
    .await
}

/// `bud alert show`
async fn show(app: &App, name: Option<&str>) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let found = pick::alert(app, client, name, |one| !alert::over(one)).await?;
        let now = App::now();
        let body = view::pieces(&act::body(found.alert.clone()), false, catalogue);
        Ok(Reply::new()
            .pieces(alert::pieces(&found, now, catalogue))
            .pieces(body)
            .field("alert", alert::json(&found, now)))
    })
    .await
}

/// `bud alert ack`
async fn ack(app: &App, args: &Ack) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let next_word = args.next_word.as_deref().map(|text| pick::time(app, text)).transpose()?;
    let note = sending::words(app, args.note.as_deref())?;
    let (kind, said, next) = answer(&args.kind);
    app.with(Vault::There, async |client| {
        let fits = |one: &budstikke::AlertView| !one.ours && !alert::over(one);
        let found = pick::alert(app, client, args.alert.as_deref(), fits).await?;
        let by = next_word.unwrap_or_default();
        let warnings = client.acknowledge_alert(&found.id, kind, by, &note).await;
        let warnings = warnings.map_err(|error| app.failed(error))?;
        let mut reply = Reply::new().text(catalogue.text(said, &[]));
        if let Some(at) = next_word {
            let promised = t!(catalogue, "alert-next-word");
            reply = reply.pair(promised, time::moment(at));
        }
        let reply = sending::warned(app, reply, &warnings)
            .field("alert", found.id)
            .field("next_word_by", next_word);
        sending::deliver(app, client, reply, catalogue.text(next, &[])).await
    })
    .await
}

/// The answer, and the texts for it.
fn answer(given: &args::AckKind) -> (AckKind, &'static str, &'static str) {
    if given.mine {
        (AckKind::SeenAndMine, "alert-mine", "alert-mine-next")
    } else if given.in_hand {
        (AckKind::InHand, "alert-in-hand", "alert-mine-next")
    } else if given.done {
        (AckKind::Done, "alert-done", "alert-done-next")
    } else {
        (AckKind::SeenNotMine, "alert-not-mine", "alert-not-mine-next")
    }
}

/// `bud alert cancel`
async fn cancel(app: &App, args: &AlertCancel) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let why = sending::words(app, Some(&args.reasons))?;
    app.with(Vault::There, async |client| {
        let fits = |one: &budstikke::AlertView| one.ours && !alert::over(one);
        let found = pick::alert(app, client, args.alert.as_deref(), fits).await?;
        let sent = client.cancel_alert(&found.id, &why).await.map_err(|error| app.failed(error))?;
        let mut reply = Reply::new().text(t!(catalogue, "alert-cancelled"));
        reply.pieces.push(Piece::Text(found.alert.headline.clone()));
        let reply = sending::warned(app, reply, &sent.warnings).field("alert", found.id);
        sending::deliver(app, client, reply, t!(catalogue, "alert-cancelled-next")).await
    })
    .await
}
