//! `bud terms`: what both sides have agreed on, and how that changes.

use budstikke::{CaseView, Client};
use serde_json::json;

use crate::{
    app::{App, Vault},
    args::Terms,
    case::{Phase, wire::TermsChangeKind},
    catalogue::t,
    exit::Exit,
    failure::Failure,
    reply::Reply,
    show::{case, view},
};

/// Runs one of them.
pub(crate) async fn run(app: &App, args: &Terms) -> Result<Reply, Failure> {
    let counter = match args {
        Terms::Counter(args) => Some(super::mission::terms(app, &args.file)?),
        _ => None,
    };
    app.with(Vault::There, async |client| {
        let id = match args {
            Terms::Counter(args) => &args.id,
            Terms::Show(args)
            | Terms::Accept(args)
            | Terms::Suspend(args)
            | Terms::Resume(args)
            | Terms::End(args) => &args.id,
        };
        let case = super::conversation::open(app, client, id.as_deref()).await?;
        let id = case.summary.id.as_str();
        let failed = |error| app.failed(error);
        let change = async |kind| client.change_terms(id, kind, "").await;
        let catalogue = &app.catalogue;
        let reply = match args {
            Terms::Show(_) => return Ok(show(app, &case)),
            Terms::Accept(_) => return accept(app, client, &case).await,
            Terms::Counter(_) => {
                let Some(terms) = counter else { return Ok(show(app, &case)) };
                client.propose_terms(id, terms).await.map_err(failed)?;
                Reply::new()
                    .text(t!(catalogue, "terms-countered"))
                    .next(t!(catalogue, "terms-countered-next"))
            }
            Terms::Suspend(_) => {
                change(TermsChangeKind::Suspend).await.map_err(failed)?;
                Reply::new().text(t!(catalogue, "terms-suspended"))
            }
            Terms::Resume(_) => {
                change(TermsChangeKind::Resume).await.map_err(failed)?;
                Reply::new().text(t!(catalogue, "terms-resumed"))
            }
            Terms::End(_) => {
                change(TermsChangeKind::End).await.map_err(failed)?;
                Reply::new()
                    .text(t!(catalogue, "terms-ended"))
                    .next(t!(catalogue, "terms-ended-next"))
            }
        };
        sent(app, client, id, reply).await
    })
    .await
}

async fn accept(app: &App, client: &Client, case: &CaseView) -> Result<Reply, Failure> {
    if case.pending.iter().all(|pending| pending.ours) {
        let text = t!(app.catalogue, "terms-nothing-to-accept");
        return Err(Failure::new(Exit::Conflict, text));
    }
    let id = case.summary.id.as_str();
    client.accept_terms(id).await.map_err(|error| app.failed(error))?;
    let reply = Reply::new()
        .text(t!(app.catalogue, "terms-accepted-now"))
        .next(t!(app.catalogue, "terms-accepted-next"));
    sent(app, client, id, reply).await
}

/// Sends it at once, and says where terms stand now.
async fn sent(app: &App, client: &Client, id: &str, reply: Reply) -> Result<Reply, Failure> {
    let working = app.out.working(t!(app.catalogue, "working-relay"));
    let report = client.sync().await.map_err(|error| app.failed(error))?;
    drop(working);
    let case = client.case(id).await.map_err(|error| app.failed(error))?;
    let mut reply = reply.field("conversation", id).field("terms", case.summary.terms.name());
    reply.failure = super::everyday::problem(app, &report);
    Ok(reply)
}

fn show(app: &App, case: &CaseView) -> Reply {
    let catalogue = &app.catalogue;
    let phase: Phase = case.summary.terms;
    let pending: Vec<_> = case
        .pending
        .iter()
        .map(|p| json!({ "hash": p.hash, "ours": p.ours, "view": p.view }))
        .collect();
    let mut reply = Reply::new()
        .pair(t!(catalogue, "show-terms"), case::phase(phase, catalogue))
        .field("conversation", case.summary.id.as_str())
        .field("terms", phase.name())
        .field("agreed", json!(case.agreed))
        .field("pending", pending);
    if let Some(agreed) = &case.agreed {
        reply = reply
            .head(t!(catalogue, "terms-in-force"))
            .pieces(view::pieces(agreed, false, catalogue));
    }
    for pending in &case.pending {
        let key = if pending.ours { "terms-on-table-ours" } else { "terms-on-table-theirs" };
        reply = reply.head(catalogue.text(key, &[])).pieces(view::pieces(
            &pending.view,
            false,
            catalogue,
        ));
    }
    if case.pending.iter().any(|pending| !pending.ours) {
        reply.next(t!(catalogue, "terms-next-theirs"))
    } else if !case.pending.is_empty() {
        reply.next(t!(catalogue, "terms-next-ours"))
    } else if case.agreed.is_none() {
        reply.text(t!(catalogue, "terms-none"))
    } else {
        reply
    }
}
