//! `bud line`: a mission's line to a Ministry desk, one for each case.

use super::{pick, sending};
use crate::{
    app::{App, Vault},
    args::{Line, LineOpen, OneConversation},
    catalogue::t,
    exit::Exit,
    failure::Failure,
    files,
    reply::Reply,
};

/// Runs one of them.
pub(crate) async fn run(app: &App, args: &Line) -> Result<Reply, Failure> {
    match args {
        Line::Open(args) => open(app, args).await,
        Line::Renew(args) => renew(app, args).await,
    }
}

/// `bud line open`
async fn open(app: &App, args: &LineOpen) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let invitation = files::read(&args.invitation, catalogue)?;
    app.with(Vault::There, async |client| {
        let case = pick::about(app, client, args.id.as_deref()).await?;
        let working = app.out.working(t!(catalogue, "working-relay"));
        let opened = client.open_line(invitation.trim(), &case.id).await;
        opened.map_err(|error| app.failed(error))?;
        drop(working);
        let who = case.with.as_str();
        let reply = Reply::new().text(t!(catalogue, "line-opened", who = who));
        let reply = reply.field("conversation", case.id);
        sending::deliver(app, client, reply, t!(catalogue, "line-opened-next")).await
    })
    .await
}

/// `bud line renew`
async fn renew(app: &App, args: &OneConversation) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let failed = |error| app.failed(error);
        let mut line = pick::line(app, client, args.id.as_deref()).await?;
        if !line.line {
            // The case was named: its line is meant.
            let lines = client.cases().await.map_err(failed)?.into_iter();
            let of_case = |other: &budstikke::CaseSummary| {
                other.line_for.as_deref() == Some(line.id.as_str())
            };
            let mut fitting: Vec<_> = lines.filter(of_case).collect();
            let none = || Failure::new(Exit::NotFound, t!(catalogue, "line-none"));
            line = fitting.pop().ok_or_else(|| none().next(t!(catalogue, "line-none-next")))?;
        }
        let sent = client.renew_line(&line.id).await.map_err(failed)?;
        let reply = Reply::new().text(t!(catalogue, "line-renewed"));
        let reply = sending::warned(app, reply, &sent.warnings)
            .field("conversation", line.id)
            .field("number", sent.number);
        sending::deliver(app, client, reply, t!(catalogue, "line-renewed-next")).await
    })
    .await
}
