//! `bud consent hear`, `attest`, `enter`: what somebody said to officers, signed by each for having
//! heard it.

use std::io::IsTerminal as _;

use budstikke::heard;

use super::{pick, sending};
use crate::{
    app::{App, Vault},
    args::{Heard, InConversation},
    case::{file::ConsentFile, wire::ConsentRecord},
    catalogue::t,
    exit::Exit,
    failure::Failure,
    files,
    reply::{Piece, Reply},
    show::{act, view},
};

/// `bud consent hear`
pub(super) async fn hear(app: &App, args: &Heard) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let now = App::now();
    let file =
        sending::form(app, &args.file, |text, format| ConsentFile::parse(text, format, now))?;
    app.with(Vault::There, async |client| {
        let id = pick::about(app, client, args.id.as_deref()).await?.id;
        let text = client.hear_consent(&id, file).await.map_err(|error| app.failed(error))?;
        let record = heard(&text).map_err(|error| app.failed(error))?;
        let reply = Reply::new()
            .text(t!(catalogue, "oral-heard"))
            .pieces(written(app, &record))
            .next(t!(catalogue, "oral-heard-next"));
        signed(app, reply, args, id, &record, text)
    })
    .await
}

/// `bud consent attest`
pub(super) async fn attest(app: &App, args: &Heard) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let text = files::read(&args.file, catalogue)?;
    let record = heard(&text).map_err(|error| app.failed(error))?;
    // Read first, signed then: nobody attests what is not before them.
    app.out.before(&written(app, &record), catalogue);
    confirm(app)?;
    app.with(Vault::There, async |client| {
        let id = pick::about(app, client, args.id.as_deref()).await?.id;
        let text = client.attest_consent(&id, &text).await.map_err(|error| app.failed(error))?;
        let record = heard(&text).map_err(|error| app.failed(error))?;
        let officers = record.attestations.len() as u64;
        let reply = Reply::new()
            .text(t!(catalogue, "oral-attested", officers = officers))
            .next(t!(catalogue, "oral-attested-next"));
        signed(app, reply, args, id, &record, text)
    })
    .await
}

/// `bud consent enter`
pub(super) async fn enter(app: &App, args: &InConversation) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let text = files::read(&args.file, catalogue)?;
    let record = heard(&text).map_err(|error| app.failed(error))?;
    app.with(Vault::There, async |client| {
        let id = pick::about(app, client, args.id.as_deref()).await?.id;
        let sent = client.enter_consent(&id, &text).await.map_err(|error| app.failed(error))?;
        let reply = Reply::new().text(t!(catalogue, "oral-entered")).pieces(written(app, &record));
        let reply = sending::warned(app, reply, &sent.warnings);
        let reply = reply.field("conversation", id).field("number", sent.number);
        sending::deliver(app, client, reply, t!(catalogue, "oral-entered-next")).await
    })
    .await
}

/// What was written down, as everybody in the conversation will see it.
fn written(app: &App, record: &ConsentRecord) -> Vec<Piece> {
    view::pieces(&act::body(record.clone()), false, &app.catalogue)
}

fn signed(
    app: &App,
    reply: Reply,
    args: &Heard,
    id: String,
    record: &ConsentRecord,
    text: String,
) -> Result<Reply, Failure> {
    let mut reply = reply
        .field("conversation", id)
        .field("officers", record.attestations.len() as u64)
        .field("view", serde_json::to_value(act::body(record.clone())).unwrap_or_default());
    reply.artefact = files::write(&args.output, text, &app.catalogue)?;
    Ok(reply)
}

/// Asks where there is somebody to ask; in a pipe, running the command is the answer.
fn confirm(app: &App) -> Result<(), Failure> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Ok(());
    }
    let question = dialoguer::Confirm::new().with_prompt(t!(app.catalogue, "oral-confirm"));
    if question.default(false).interact().unwrap_or(false) {
        return Ok(());
    }
    Err(Failure::new(Exit::Conflict, t!(app.catalogue, "oral-not-signed")))
}
