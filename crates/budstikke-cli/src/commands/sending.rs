//! What all steps share that put something into a conversation: files in, the relay, the reply.

use std::path::Path;

use budstikke::Client;

use crate::{
    app::App,
    case::{
        Warning,
        file::{FileError, Format},
        wire::Scope,
        words::Word as _,
    },
    catalogue::t,
    exit::Exit,
    failure::Failure,
    files, refused,
    reply::{Piece, Reply},
};

/// A form from a file; every mistake named with its place.
pub(super) fn form<T>(
    app: &App,
    path: &Path,
    parse: impl FnOnce(&str, Format) -> Result<T, FileError>,
) -> Result<T, Failure> {
    let (text, name) = (files::read(path, &app.catalogue)?, files::shown(path));
    parse(&text, Format::of_name(&name))
        .map_err(|error| refused::file(&error, &name, &app.catalogue))
}

/// A person's own words from a file; empty where there is no file.
pub(super) fn words(app: &App, path: Option<&Path>) -> Result<String, Failure> {
    match path {
        Some(path) => Ok(files::read(path, &app.catalogue)?.trim().to_owned()),
        None => Ok(String::new()),
    }
}

/// What may be agreed to, by the schema's words.
pub(super) fn scopes(app: &App, given: &[String]) -> Result<Vec<Scope>, Failure> {
    let one = |text: &String| {
        Scope::parse(text).ok_or_else(|| {
            let known: Vec<_> = Scope::all().map(Scope::name).collect();
            let text = t!(app.catalogue, "scope-unknown", scope = text.as_str());
            let can = t!(app.catalogue, "file-can-be", known = known.join(", "));
            Failure::new(Exit::Usage, text).more(vec![can])
        })
    };
    given.iter().map(one).collect()
}

/// Sends at once, and says honestly how far it has come. `next` is what follows when the relay has
/// it.
pub(super) async fn deliver(
    app: &App,
    client: &Client,
    reply: Reply,
    next: String,
) -> Result<Reply, Failure> {
    let working = app.out.working(t!(app.catalogue, "working-relay"));
    let report = client.sync().await.map_err(|error| app.failed(error))?;
    drop(working);
    let reply = reply.field("waiting_cells", report.waiting as u64);
    let mut reply = if report.waiting == 0 {
        reply.next(next)
    } else {
        reply.text(t!(app.catalogue, "send-waits")).next(t!(app.catalogue, "send-waits-next"))
    };
    reply.failure = super::everyday::problem(app, &report);
    Ok(reply)
}

/// Warnings as pieces, and for programs.
pub(super) fn warned(app: &App, reply: Reply, warnings: &[Warning]) -> Reply {
    let said: Vec<_> = warnings.iter().map(|w| refused::warning(w, &app.catalogue)).collect();
    reply.pieces(said.iter().cloned().map(Piece::Warn)).field("warnings", said)
}
