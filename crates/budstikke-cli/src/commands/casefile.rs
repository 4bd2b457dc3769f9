//! `bud case`: the file of a case at a glance, what would stop an act, and what the Ministry gets.

use std::path::Path;

use budstikke::{Brief, CaseFile, Shared};
use serde_json::{Value, json};

use super::{pick, sending};
use crate::{
    app::{App, Vault},
    args::{Case, InConversation, Level, Share},
    case::{
        file::{FactsFile, IntakeFile, PlanFile, RiskFile},
        wire::{FactStatus, IdentityLevel, LeftOutWhy, VerificationRecord},
        words::{Word as _, strict},
    },
    catalogue::t,
    exit::Exit,
    failure::Failure,
    files, refused,
    reply::{Piece, Reply},
    show::{act, alert, consent, view},
};

/// Runs one of them.
pub(crate) async fn run(app: &App, args: &Case) -> Result<Reply, Failure> {
    match args {
        Case::File(args) => file(app, args.id.as_deref()).await,
        Case::Add(args) => add(app, args).await,
        Case::Check(args) => check(app, args).await,
        Case::Risk(args) => risk(app, args).await,
        Case::Facts(args) => facts(app, args).await,
        Case::Share(args) => share(app, args).await,
    }
}

/// `bud case file`
async fn file(app: &App, id: Option<&str>) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let case = pick::about(app, client, id).await?;
        let file = client.file(&case.id).await.map_err(|error| app.failed(error))?;
        let with = case.with.as_str();
        let title = t!(catalogue, "case-title", id = case.id.as_str(), who = with);
        let reply = Reply::new().head(title).pieces(pieces(app, &file));
        let mut json = json(app, &file);
        json.insert("conversation".to_owned(), case.id.into());
        Ok(Reply { json, ..reply.next(t!(catalogue, "case-file-next")) })
    })
    .await
}

fn pieces(app: &App, file: &CaseFile) -> Vec<Piece> {
    let catalogue = &app.catalogue;
    let mut pieces = Vec::new();
    let none = |key: &str| Piece::Text(catalogue.text(key, &[]));
    if file.consents.is_empty() {
        pieces.push(none("consent-nothing"));
    }
    pieces.extend(file.consents.iter().flat_map(|one| consent::answers(one, true, catalogue)));
    match &file.risk {
        Some(risk) => {
            pieces.extend(view::pieces(&act::body(risk.clone()), false, catalogue));
        }
        None => pieces.push(none("case-no-risk")),
    }
    pieces.push(Piece::Head(t!(catalogue, "case-facts")));
    let facts = newest(&file.facts);
    if facts.is_empty() {
        pieces.push(none("case-no-facts"));
    }
    pieces.extend(facts.into_iter().map(|(id, status, claim)| {
        let status = catalogue.text(&status.key(), &[]);
        Piece::Item(t!(catalogue, "case-fact", id = id, status = status, claim = claim))
    }));
    pieces.push(Piece::Head(t!(catalogue, "case-acts")));
    if file.acts.is_empty() {
        pieces.push(none("case-no-acts"));
    }
    pieces.extend(file.acts.iter().map(|one| Piece::Item(act::line(one, catalogue))));
    pieces.push(Piece::Head(t!(catalogue, "case-alerts")));
    if file.alerts.is_empty() {
        pieces.push(none("alert-list-empty"));
    }
    let now = App::now();
    pieces.extend(file.alerts.iter().flat_map(|one| alert::pieces(one, now, catalogue)));
    pieces
}

fn json(app: &App, file: &CaseFile) -> serde_json::Map<String, Value> {
    let now = App::now();
    let facts = newest(&file.facts).into_iter();
    let facts = facts
        .map(|(id, status, claim)| json!({ "id": id, "status": status.name(), "claim": claim }));
    let acts = file.acts.iter().map(|one| act::json(one, &app.catalogue));
    serde_json::Map::from_iter([
        ("consents".to_owned(), file.consents.iter().map(consent::json).collect()),
        ("risk".to_owned(), json!(file.risk.clone().map(act::body))),
        ("facts".to_owned(), facts.collect()),
        ("acts".to_owned(), acts.collect()),
        ("alerts".to_owned(), file.alerts.iter().map(|one| alert::json(one, now)).collect()),
    ])
}

/// Of every fact its newest status, in the order in which they were first told.
fn newest(records: &[VerificationRecord]) -> Vec<(&str, FactStatus, &str)> {
    let mut all: Vec<(&str, FactStatus, &str)> = Vec::new();
    for fact in records.iter().flat_map(|record| &record.facts) {
        let now = (fact.id.as_str(), strict::<FactStatus>(fact.status), fact.claim.as_str());
        match all.iter_mut().find(|known| known.0 == fact.id) {
            Some(known) => *known = now,
            None => all.push(now),
        }
    }
    all
}

/// `bud case check`: all that stands in the way, before anything is drafted or asked.
async fn check(app: &App, args: &InConversation) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let plan = sending::form(app, &args.file, PlanFile::parse)?;
    let title = plan.plan.title.clone();
    app.with(Vault::There, async |client| {
        let id = pick::about(app, client, args.id.as_deref()).await?.id;
        let blocks = client.check_act(&id, plan).await.map_err(|error| app.failed(error))?;
        let said: Vec<_> = blocks.cautions.iter().map(|w| refused::warning(w, catalogue)).collect();
        let mut reply = Reply::new()
            .pieces(act::stopped(&blocks.refusals, catalogue))
            .pieces(said.iter().cloned().map(Piece::Warn))
            .field("conversation", id)
            .field("blocks", act::stopped_json(&blocks.refusals, catalogue))
            .field("warnings", said);
        let Some(first) = blocks.refusals.first() else {
            return Ok(reply
                .text(t!(catalogue, "check-free", title = title))
                .next(t!(catalogue, "check-free-next")));
        };
        let count = blocks.refusals.len() as u64;
        let mut failure = Failure::new(
            Exit::Refused,
            t!(catalogue, "check-blocked", count = count, title = title),
        );
        failure.code = Some(first.code().to_owned());
        // An approval cannot be there before it is asked for: alone, it is the next step.
        let only_approval = blocks.refusals.iter().all(|refusal| refusal.code() == "A01");
        let next = if only_approval { "check-approval-next" } else { "check-blocked-next" };
        reply.failure = Some(failure.next(catalogue.text(next, &[])));
        Ok(reply)
    })
    .await
}

/// `bud case add`: what stays on the mission's side of what was told.
async fn add(app: &App, args: &InConversation) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let file = sending::form(app, &args.file, IntakeFile::parse)?;
    app.with(Vault::There, async |client| {
        let id = pick::about(app, client, args.id.as_deref()).await?.id;
        let warnings = file.warnings.clone();
        client.add_to_intake(&id, file).await.map_err(|error| app.failed(error))?;
        let reply = Reply::new().text(t!(catalogue, "case-added"));
        let reply = sending::warned(app, reply, &warnings).field("conversation", id);
        Ok(reply.next(t!(catalogue, "case-added-next")))
    })
    .await
}

/// `bud case risk`
async fn risk(app: &App, args: &InConversation) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let now = App::now();
    let file = sending::form(app, &args.file, |text, format| RiskFile::parse(text, format, now))?;
    let blanks = file.blanks();
    app.with(Vault::There, async |client| {
        let id = pick::about(app, client, args.id.as_deref()).await?.id;
        client.assess_risk(&id, file).await.map_err(|error| app.failed(error))?;
        let mut reply = Reply::new().text(t!(catalogue, "case-risk-filed"));
        if !blanks.is_empty() {
            let text = t!(catalogue, "case-risk-blanks", fields = blanks.join(", "));
            reply.pieces.push(Piece::Warn(text));
        }
        Ok(reply
            .next(t!(catalogue, "case-filed-next"))
            .field("conversation", id)
            .field("blanks", blanks))
    })
    .await
}

/// `bud case facts`
async fn facts(app: &App, args: &InConversation) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let now = App::now();
    let file = sending::form(app, &args.file, |text, format| FactsFile::parse(text, format, now))?;
    app.with(Vault::There, async |client| {
        let id = pick::about(app, client, args.id.as_deref()).await?.id;
        client.verify_facts(&id, file).await.map_err(|error| app.failed(error))?;
        let file = client.file(&id).await.map_err(|error| app.failed(error))?;
        let known = newest(&file.facts);
        let open: Vec<&str> = known
            .iter()
            .filter(|(_, status, _)| *status != FactStatus::Verified)
            .map(|(id, _, _)| *id)
            .collect();
        let verified = (known.len() - open.len()) as u64;
        let mut reply = Reply::new().text(t!(catalogue, "case-facts-filed", verified = verified));
        if !open.is_empty() {
            let text = t!(catalogue, "case-facts-open", facts = open.join(", "));
            reply.pieces.push(Piece::Warn(text));
        }
        Ok(reply
            .next(t!(catalogue, "case-filed-next"))
            .field("conversation", id)
            .field("verified", verified)
            .field("not_verified", open))
    })
    .await
}

/// `bud case share`
async fn share(app: &App, args: &Share) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let lines = |path: &Path| -> Result<Vec<String>, Failure> {
        let text = files::read(path, catalogue)?;
        let words = text.lines().map(str::trim).filter(|line| !line.is_empty());
        Ok(words.map(str::to_owned).collect())
    };
    let brief = Brief {
        persons: args.persons.clone(),
        level: match args.level {
            Level::Alias => IdentityLevel::Alias,
            Level::Organisation => IdentityLevel::Organisation,
            Level::Name => IdentityLevel::Name,
        },
        also_leave_out: args.leave_out.as_deref().map(lines).transpose()?.unwrap_or_default(),
        assessment: sending::words(app, args.assessment.as_deref())?,
        asked_of_you: sending::words(app, args.ask.as_deref())?,
    };
    app.with(Vault::There, async |client| {
        let id = pick::about(app, client, args.id.as_deref()).await?.id;
        let shared = client.share(&id, brief).await.map_err(|error| app.failed(error))?;
        let reply = shown(app, &shared).field("conversation", id);
        sending::deliver(app, client, reply, t!(catalogue, "share-next")).await
    })
    .await
}

fn shown(app: &App, shared: &Shared) -> Reply {
    let catalogue = &app.catalogue;
    let items = shared.items.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let allowed = catalogue.text(&shared.allowed_by.key(), &[]);
    let mut reply = Reply::new()
        .text(t!(catalogue, "share-built"))
        .pair(t!(catalogue, "share-items"), items)
        .pair(t!(catalogue, "share-allowed"), allowed)
        .head(t!(catalogue, "view-left-out"));
    for entry in &shared.left_out {
        let why = consent::word::<LeftOutWhy>(entry.why, catalogue);
        let text = t!(catalogue, "share-left-out", field = entry.field.as_str(), why = why);
        reply.pieces.push(Piece::Item(text));
    }
    if shared.left_out.is_empty() {
        reply = reply.text(t!(catalogue, "share-nothing-left-out"));
    }
    reply = match shared.notice {
        Some(number) => reply.text(t!(catalogue, "share-told", number = number.to_string())),
        None => reply.text(t!(catalogue, "share-told-later")),
    };
    let left_out = shared.left_out.iter().map(
        |entry| json!({ "field": entry.field, "why": consent::name::<LeftOutWhy>(entry.why) }),
    );
    let reply = reply
        .field("brief", shared.brief)
        .field("notice", shared.notice)
        .field("items", shared.items.clone())
        .field("allowed_by", shared.allowed_by.name())
        .field("left_out", left_out.collect::<Value>());
    sending::warned(app, reply, &shared.warnings)
}
