//! `bud act`: a guarded act from its plan to its end.

use budstikke::{ActView, Client, Submission};
use serde_json::Value;

use super::{
    pick::{self, Found},
    sending,
};
use crate::{
    app::{App, Vault},
    args::{Act, ActFile, ActNote, Condition, Family, InConversation, Inform, Override, Submit},
    case::{
        action::ask,
        file::{EffectFile, PlanFile},
        wire::{Answer, ReactionInformed},
    },
    catalogue::t,
    failure::Failure,
    reply::{Piece, Reply},
    show::{act, time},
};

/// Runs one of them.
pub(crate) async fn run(app: &App, args: &Act) -> Result<Reply, Failure> {
    match args {
        Act::Plan(args) => plan(app, args).await,
        Act::Show(args) => show(app, args.act.as_deref()).await,
        Act::Edit(args) => edit(app, args).await,
        Act::Clear(args) => {
            let act = args.act.as_deref();
            step(app, act, pick::open, "act-cleared", async |client, on| {
                client.clear_act(&on.case.id, &on.act.id).await
            })
            .await
        }
        Act::Submit(args) => submit(app, args).await,
        Act::Condition(args) => condition(app, args).await,
        Act::Schedule(args) => {
            let (act, at) = (args.act.as_deref(), pick::time(app, &args.time)?);
            step(app, act, pick::open, "act-scheduled-now", async |client, on| {
                client.schedule_act(&on.case.id, &on.act.id, at).await
            })
            .await
        }
        Act::Done(args) => done(app, args).await,
        Act::Effect(args) => effect(app, args).await,
        Act::Inform(args) => inform(app, args).await,
        Act::Close(args) => {
            let act = args.act.as_deref();
            step(app, act, pick::not_closed, "act-closed", async |client, on| {
                client.close_act(&on.case.id, &on.act.id).await
            })
            .await
        }
        Act::Cancel(args) => {
            let (act, note) = (args.act.as_deref(), sending::words(app, args.note.as_deref())?);
            step(app, act, pick::open, "act-cancelled", async |client, on| {
                client.cancel_act(&on.case.id, &on.act.id, &note).await
            })
            .await
        }
        Act::Resume(args) => {
            let act = args.act.as_deref();
            step(app, act, pick::open, "act-resumed", async |client, on| {
                client.resume_act(&on.case.id, &on.act.id).await
            })
            .await
        }
        Act::Override(args) => pass(app, args).await,
    }
}

/// Takes a step, tells it, and shows where the act stands then. `done` is the text that says so;
/// `<done>-next` is what follows.
async fn step(
    app: &App,
    act: Option<&str>,
    fits: impl Fn(&ActView) -> bool,
    done: &str,
    take: impl AsyncFnOnce(&Client, &Found) -> Result<(), budstikke::Error>,
) -> Result<Reply, Failure> {
    app.with(Vault::There, async |client| {
        let found = pick::act(app, client, act, fits).await?;
        take(client, &found).await.map_err(|error| app.failed(error))?;
        told(app, client, &found, done, Reply::new()).await
    })
    .await
}

/// Sends what the step said, and adds where the act stands now.
async fn told(
    app: &App,
    client: &Client,
    found: &Found,
    done: &str,
    reply: Reply,
) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let now = again(app, client, found).await?;
    let title = now.plan.title.as_str();
    let said = catalogue.text(done, &[("title", title.into())]);
    let mut pieces = vec![Piece::Text(said)];
    pieces.extend(reply.pieces);
    let reply = Reply { pieces, ..reply }
        .pair(t!(catalogue, "act-phase"), act::phase(&now, catalogue))
        .field("conversation", found.case.id.as_str())
        .field("act", act::json(&now, catalogue));
    let next = catalogue.text(&format!("{done}-next"), &[]);
    sending::deliver(app, client, reply, next).await
}

async fn again(app: &App, client: &Client, found: &Found) -> Result<ActView, Failure> {
    pick::act(app, client, Some(&found.act.id), pick::open).await.map(|found| found.act)
}

/// `bud act plan`
async fn plan(app: &App, args: &InConversation) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let file = sending::form(app, &args.file, PlanFile::parse)?;
    app.with(Vault::There, async |client| {
        let id = pick::about(app, client, args.id.as_deref()).await?.id;
        let name = client.plan_act(&id, file).await.map_err(|error| app.failed(error))?;
        let found = pick::act(app, client, Some(&name), pick::open).await?;
        Ok(Reply::new()
            .text(t!(catalogue, "act-planned", id = name.as_str()))
            .pieces(act::stopped(&found.act.refusals, catalogue))
            .next(t!(catalogue, "act-planned-next"))
            .field("conversation", id)
            .field("act", act::json(&found.act, catalogue)))
    })
    .await
}

/// `bud act show`: the one named, or all of them.
async fn show(app: &App, name: Option<&str>) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let all = pick::acts(app, client).await?;
        let found = match (name, all.as_slice()) {
            (None, [_, _, ..]) => {
                let lines = all.iter().map(|on| Piece::Item(act::line(&on.act, catalogue)));
                let json: Vec<Value> = all.iter().map(|on| act::json(&on.act, catalogue)).collect();
                return Ok(Reply::new()
                    .pieces(lines)
                    .next(t!(catalogue, "act-list-next"))
                    .field("acts", json));
            }
            _ => pick::act(app, client, name, |_| true).await?,
        };
        Ok(Reply::new()
            .pieces(act::pieces(&found.act, catalogue))
            .field("conversation", found.case.id.as_str())
            .field("act", act::json(&found.act, catalogue)))
    })
    .await
}

/// `bud act edit`
async fn edit(app: &App, args: &ActFile) -> Result<Reply, Failure> {
    let file = sending::form(app, &args.file, PlanFile::parse)?;
    step(app, args.act.as_deref(), pick::open, "act-edited", async |client, on| {
        client.edit_act(&on.case.id, &on.act.id, file).await
    })
    .await
}

/// `bud act submit`
async fn submit(app: &App, args: &Submit) -> Result<Reply, Failure> {
    let decide_by = args.decide_by.as_deref().map(|text| pick::time(app, text)).transpose()?;
    let submission = Submission {
        note: sending::words(app, args.note.as_deref())?,
        decide_by_s: decide_by.unwrap_or_default(),
    };
    step(app, args.act.as_deref(), pick::open, "act-submitted", async |client, on| {
        client.submit_act(&on.case.id, &on.act.id, submission).await.map(drop)
    })
    .await
}

/// `bud act condition`
async fn condition(app: &App, args: &Condition) -> Result<Reply, Failure> {
    let note = sending::words(app, args.note.as_deref())?;
    step(app, args.act.as_deref(), pick::open, "act-condition-met", async |client, on| {
        client.meet_condition(&on.case.id, &on.act.id, args.number, &note).await
    })
    .await
}

/// `bud act done`: a withdrawal that has arrived counts, so it is fetched first.
async fn done(app: &App, args: &ActNote) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let note = sending::words(app, args.note.as_deref())?;
    app.with(Vault::There, async |client| {
        let found = pick::act(app, client, args.act.as_deref(), pick::open).await?;
        let working = app.out.working(t!(catalogue, "working-relay"));
        let before = client.sync().await.map_err(|error| app.failed(error))?;
        drop(working);
        let fresh = before.problems.is_empty();
        let taken = client.do_act(&found.case.id, &found.act.id, &note).await;
        taken.map_err(|error| app.failed(error))?;
        let mut reply = Reply::new();
        if !fresh {
            reply.pieces.push(Piece::Warn(t!(catalogue, "act-done-not-fresh")));
        }
        let seen = looked_at(app, client, &found).await?;
        reply = reply.pieces(seen.iter().cloned().map(Piece::Item));
        let reply = reply.field("fetched_first", fresh).field("looked_at", seen);
        told(app, client, &found, "act-done", reply).await
    })
    .await
}

/// Whose consent was looked at, and of when it was.
async fn looked_at(app: &App, client: &Client, found: &Found) -> Result<Vec<String>, Failure> {
    let catalogue = &app.catalogue;
    let file = client.file(&found.case.id).await.map_err(|error| app.failed(error))?;
    let plan = &found.act.plan;
    let Some(asked) = ask(plan) else { return Ok(Vec::new()) };
    let scope = i32::from(asked.scope);
    let about = file.consents.iter().filter(|consent| {
        let answers = consent.answers.iter().any(|(claim, _, _)| claim.scope == scope);
        answers && plan.persons.contains(&consent.person)
    });
    let said = about.map(|consent| {
        let given = time::moment(consent.given_at_s);
        let affirmed = time::moment(consent.affirmed_at_s);
        let person = consent.person.as_str();
        t!(catalogue, "act-looked-at", person = person, given = given, affirmed = affirmed)
    });
    Ok(said.collect())
}

/// `bud act effect`
async fn effect(app: &App, args: &ActFile) -> Result<Reply, Failure> {
    let now = App::now();
    let file = sending::form(app, &args.file, |text, format| EffectFile::parse(text, format, now))?;
    step(app, args.act.as_deref(), pick::open, "act-effect", async |client, on| {
        client.report_effect(&on.case.id, &on.act.id, file).await
    })
    .await
}

/// `bud act inform`
async fn inform(app: &App, args: &Inform) -> Result<Reply, Failure> {
    let family_told = match args.family {
        Family::Told => Answer::Yes,
        Family::NotTold | Family::NotByWish => Answer::No,
    };
    let informed = ReactionInformed {
        anything_done: if args.nothing_done { Answer::No } else { Answer::Yes }.into(),
        what_was_done: sending::words(app, Some(&args.file))?,
        what_happens_next: sending::words(app, args.then.as_deref())?,
        what_cannot_be_undone: sending::words(app, args.cannot_be_undone.as_deref())?,
        family_told: family_told.into(),
        family_excluded_by_wish: args.family == Family::NotByWish,
        why_not_told: sending::words(app, args.why_not_told.as_deref())?,
        ..ReactionInformed::default()
    };
    step(app, args.act.as_deref(), pick::not_closed, "act-informed", async |client, on| {
        client.inform_of_act(&on.case.id, &on.act.id, informed).await.map(drop)
    })
    .await
}

/// `bud act override`
async fn pass(app: &App, args: &Override) -> Result<Reply, Failure> {
    let reasons = sending::words(app, Some(&args.reasons))?;
    let code = args.code.to_uppercase();
    step(app, args.act.as_deref(), pick::open, "act-passed", async |client, on| {
        client.override_guard(&on.case.id, &on.act.id, &code, &reasons).await.map(drop)
    })
    .await
}
