//! `bud doctor`, `bud recover`: what is wrong, and what a person's yes mends.

use budstikke::{Client, Diagnosis, FreezeReason, LetIn, Recovered, Trouble};
use serde_json::{Value, json};

use crate::{
    app::{App, Vault},
    args::{Doctor, Recover},
    catalogue::{Catalogue, t},
    commands::pick,
    exit::Exit,
    failure::Failure,
    files,
    reply::{Piece, Reply},
    show::{case::numbers, time},
};

/// `bud doctor`
pub(crate) async fn doctor(app: &App, args: &Doctor) -> Result<Reply, Failure> {
    if let Some(path) = &args.check_proof {
        return check_proof(app, &files::read(path, &app.catalogue)?);
    }
    app.with(Vault::There, async |client| {
        let failed = |error| app.failed(error);
        if let Some(path) = &args.proof {
            let proofs = client.proofs(None).await.map_err(failed)?;
            return write_proofs(app, path, &proofs);
        }
        let found = client.diagnose().await.map_err(failed)?;
        if args.mend {
            return mend(app, client, &found).await;
        }
        Ok(diagnosis(&found, &app.catalogue))
    })
    .await
}

/// `bud recover`
pub(crate) async fn recover(app: &App, args: &Recover) -> Result<Reply, Failure> {
    app.with(Vault::There, async |client| {
        let failed = |error| app.failed(error);
        let id = match &args.id {
            Some(id) => id.clone(),
            None => only(app, client).await?,
        };
        if let Some(who) = &args.let_in {
            let done = client.let_in(&id, who).await.map_err(failed)?;
            return Ok(let_in(&done, &app.catalogue).field("conversation", id));
        }
        let done = client.recover(&id, args.relay.as_deref(), args.lost).await.map_err(failed)?;
        let (pieces, word) = said(done, &id, &app.catalogue);
        Ok(Reply::new().pieces(pieces).field("conversation", id).field("recovered", word))
    })
    .await
}

fn let_in(done: &LetIn, catalogue: &Catalogue) -> Reply {
    let (who, said, next, word) = match done {
        LetIn::Assigned { who } => (
            who,
            t!(catalogue, "let-in-assigned", who = who.as_str()),
            t!(catalogue, "let-in-assigned-next"),
            "assigned",
        ),
        LetIn::Admitted { who } => (
            who,
            t!(catalogue, "let-in-admitted", who = who.as_str()),
            t!(catalogue, "let-in-admitted-next", who = who.as_str()),
            "admitted",
        ),
    };
    Reply::new().text(said).next(next).field("who", who.as_str()).field("let_in", word)
}

/// The only conversation that this can mend; else the only one there is.
async fn only(app: &App, client: &Client) -> Result<String, Failure> {
    let found = client.diagnose().await.map_err(|error| app.failed(error))?;
    let mut names: Vec<_> = found.iter().filter(|it| it.trouble.mends()).collect();
    names.dedup_by_key(|it| it.case.clone());
    match names.as_slice() {
        [Diagnosis { case: Some(case), .. }] => Ok(case.clone()),
        _ => Ok(pick::about(app, client, None).await?.id),
    }
}

fn diagnosis(found: &[Diagnosis], catalogue: &Catalogue) -> Reply {
    let json: Vec<Value> = found.iter().map(to_json).collect();
    let mut reply = Reply::new().field("findings", json);
    if found.is_empty() {
        return reply.text(t!(catalogue, "doctor-well")).next(t!(catalogue, "doctor-well-next"));
    }
    reply = reply.head(t!(catalogue, "doctor-head", count = found.len() as u64));
    for one in found {
        let about = match &one.case {
            Some(id) => t!(catalogue, "doctor-about", id = id.as_str()),
            None => t!(catalogue, "doctor-about-device"),
        };
        let text = format!("{about}: {}", sentence(one, catalogue));
        let alarm = matches!(one.trouble, Trouble::Frozen { .. });
        reply.pieces.push(if alarm { Piece::Alarm(text) } else { Piece::Item(text) });
    }
    if found.iter().any(|one| one.trouble.mends()) {
        reply = reply.next(t!(catalogue, "doctor-needs-you"));
    }
    let persons = found.iter().filter(|one| one.trouble.needs_a_person()).count();
    if persons > 0 {
        let text = t!(catalogue, "doctor-attention", count = persons as u64);
        reply.failure = Some(Failure::new(Exit::Attention, text));
    }
    reply
}

/// Everything that needs only a yes, one conversation after the other; what fails is said and stops nothing.
async fn mend(app: &App, client: &Client, found: &[Diagnosis]) -> Result<Reply, Failure> {
    let mut reply = Reply::new();
    let mut names: Vec<&String> = Vec::new();
    for case in found.iter().filter(|it| it.trouble.mends()).filter_map(|it| it.case.as_ref()) {
        if !names.contains(&case) {
            names.push(case);
        }
    }
    if names.is_empty() {
        return Ok(reply.text(t!(app.catalogue, "doctor-nothing-to-mend")));
    }
    let mut done = Vec::new();
    for id in names {
        match client.recover(id, None, false).await {
            Ok(recovered) => {
                let (pieces, word) = said(recovered, id, &app.catalogue);
                reply = reply.pieces(pieces);
                done.push(json!({"conversation": id, "recovered": word}));
            }
            Err(error) => {
                let failure = app.failed(error);
                reply.pieces.push(Piece::Warn(format!("{id}: {}", failure.message)));
                reply.failure = reply.failure.or(Some(failure));
            }
        }
    }
    Ok(reply.field("mended", done))
}

fn said(done: Recovered, id: &str, catalogue: &Catalogue) -> (Vec<Piece>, &'static str) {
    let (text, next, word) = match done {
        Recovered::NewGroup => (
            t!(catalogue, "recovered-new-group"),
            t!(catalogue, "recovered-new-group-next", id = id),
            "new_group",
        ),
        Recovered::AskedForNewGroup => (
            t!(catalogue, "recovered-asked-new-group"),
            t!(catalogue, "recovered-asked-new-group-next"),
            "asked_for_new_group",
        ),
        Recovered::AddedAgain => (
            t!(catalogue, "recovered-added-again"),
            t!(catalogue, "recovered-added-again-next"),
            "added_again",
        ),
        _ => (
            t!(catalogue, "recovered-asked-again"),
            t!(catalogue, "recovered-asked-again-next"),
            "asked_to_be_added_again",
        ),
    };
    (vec![Piece::Text(text), Piece::Next(next)], word)
}

fn write_proofs(app: &App, path: &crate::args::Path, proofs: &[String]) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    if proofs.is_empty() {
        return Ok(Reply::new()
            .text(t!(catalogue, "proof-none"))
            .field("proofs", Vec::<String>::new()));
    }
    let artefact = files::write(path, proofs.join("\n"), catalogue)?;
    let mut reply = Reply::new().field("proofs", proofs.to_vec());
    if artefact.is_none() {
        reply = reply.text(t!(catalogue, "proof-written", file = files::shown(path)));
    }
    reply.artefact = artefact;
    Ok(reply)
}

fn check_proof(app: &App, text: &str) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    // A file of several holds when each does.
    let mut reply = Reply::new();
    let mut json = Vec::new();
    for line in text.split("budproof1").skip(1).map(|rest| format!("budproof1{rest}")) {
        let card = budstikke::check_proof(&line).map_err(|error| app.failed(error))?;
        reply = reply
            .text(t!(catalogue, "proof-holds"))
            .pair(t!(catalogue, "proof-relay"), card.relay.clone())
            .pair(t!(catalogue, "proof-slot"), format!("{} · {}", card.slot, card.place));
        for (n, hash) in card.hashes.iter().enumerate() {
            let name = if n == 0 { t!(catalogue, "proof-hashes") } else { String::new() };
            reply = reply.pair(name, hash.clone());
        }
        json.push(json!({
            "relay": card.relay, "slot": card.slot, "place": card.place, "hashes": card.hashes,
        }));
    }
    if json.is_empty() {
        budstikke::check_proof(text).map_err(|error| app.failed(error))?;
    }
    Ok(reply.next(t!(catalogue, "proof-next")).field("proofs", json))
}

/// What is wrong, what happens by itself, what the person can do.
fn sentence(one: &Diagnosis, catalogue: &Catalogue) -> String {
    let id = one.case.as_deref().unwrap_or_default();
    let at = |unix: i64| time::moment(unix);
    match &one.trouble {
        Trouble::ChangeWaiting { lost } => t!(catalogue, "trouble-change-waiting", lost = *lost),
        Trouble::Behind { messages, since } => {
            t!(catalogue, "trouble-behind", count = *messages as u64, at = at(*since))
        }
        Trouble::Withheld { since } => {
            t!(catalogue, "trouble-withheld", at = at(*since), id = id)
        }
        Trouble::Frozen { why, since, ours, ready } => {
            let what = match why {
                FreezeReason::RelayEquivocated => {
                    t!(catalogue, "trouble-frozen-equivocated", at = at(*since))
                }
                _ => t!(catalogue, "trouble-frozen-forked", at = at(*since)),
            };
            let next = match (ours, ready) {
                (true, true) => t!(catalogue, "trouble-frozen-ours-ready", id = id),
                (true, false) => t!(catalogue, "trouble-frozen-ours-waits", id = id),
                _ => t!(catalogue, "trouble-frozen-theirs", id = id),
            };
            format!("{what} {next}")
        }
        Trouble::Proof => t!(catalogue, "trouble-proof"),
        Trouble::Stuck { since } => t!(catalogue, "trouble-stuck", at = at(*since), id = id),
        Trouble::KeysLost => t!(catalogue, "trouble-keys-lost", id = id),
        Trouble::Asked { since } => t!(catalogue, "trouble-asked", at = at(*since)),
        Trouble::AskedToTakeOver { since } => {
            t!(catalogue, "trouble-asked-to-take-over", at = at(*since))
        }
        Trouble::AsksAgain { who, granted: true, .. } => {
            t!(catalogue, "trouble-asks-again-granted", who = who.as_str())
        }
        Trouble::AsksAgain { who, since, assigned: true, .. } => {
            let (who, at) = (who.as_str(), at(*since));
            t!(catalogue, "trouble-asks-again-assigned", who = who, at = at, id = id)
        }
        Trouble::AsksAgain { who, since, .. } => {
            t!(catalogue, "trouble-asks-again", who = who.as_str(), at = at(*since), id = id)
        }
        Trouble::AsksToTakeOver { who, granted: true, .. } => {
            t!(catalogue, "trouble-asks-to-take-over-granted", who = who.as_str())
        }
        Trouble::AsksToTakeOver { who, since, id: device, may_ask, .. } => {
            let (who, at, device) = (who.as_str(), at(*since), device.as_str());
            if *may_ask {
                t!(catalogue, "trouble-asks-admin", who = who, at = at, id = id, device = device)
            } else {
                t!(
                    catalogue,
                    "trouble-asks-to-take-over",
                    who = who,
                    at = at,
                    id = id,
                    device = device
                )
            }
        }
        Trouble::AsksNewGroup { who, since } => {
            t!(catalogue, "trouble-asks-new-group", who = who.as_str(), at = at(*since), id = id)
        }
        Trouble::Missing { who, numbers, lost } => missing(who, numbers, *lost, catalogue),
        Trouble::Duplicates { count } => t!(catalogue, "trouble-duplicates", count = *count),
        Trouble::Unanswered { number, since } => {
            t!(catalogue, "trouble-unanswered", number = *number, at = at(*since))
        }
        Trouble::OutboxStuck { cells, since } => {
            t!(catalogue, "trouble-outbox-stuck", count = *cells as u64, at = at(*since))
        }
        Trouble::CertificateEnds { at: end } if *end <= App::now() => {
            t!(catalogue, "trouble-certificate-ended", at = at(*end))
        }
        Trouble::CertificateEnds { at: end } => {
            t!(catalogue, "trouble-certificate-ends", at = at(*end))
        }
        Trouble::DirectoryOld { made_at } => {
            t!(catalogue, "trouble-directory-old", at = at(*made_at))
        }
        Trouble::DirectoryForked => t!(catalogue, "trouble-directory-forked"),
        Trouble::NoCertificate => t!(catalogue, "trouble-no-certificate"),
        Trouble::NotInTeam => t!(catalogue, "trouble-not-in-team"),
        // Of a newer library.
        other => other.code().to_owned(),
    }
}

fn missing(who: &str, which: &[u64], lost: u64, catalogue: &Catalogue) -> String {
    let mut parts = Vec::new();
    if !which.is_empty() {
        let (count, which) = (which.len() as u64, numbers(which));
        parts.push(t!(catalogue, "trouble-missing", who = who, count = count, numbers = which));
    }
    if lost > 0 {
        parts.push(t!(catalogue, "trouble-missing-lost", count = lost));
    }
    parts.push(t!(catalogue, "trouble-missing-next", who = who));
    parts.join(" ")
}

fn to_json(one: &Diagnosis) -> Value {
    let details = match &one.trouble {
        Trouble::ChangeWaiting { lost } => json!({"lost": lost}),
        Trouble::Behind { messages, since } => json!({"messages": messages, "since": since}),
        Trouble::Withheld { since }
        | Trouble::Stuck { since }
        | Trouble::Asked { since }
        | Trouble::AskedToTakeOver { since } => json!({"since": since}),
        Trouble::Frozen { why, since, ours, ready } => json!({
            "proven": *why == FreezeReason::RelayEquivocated,
            "since": since, "ours": ours, "ready": ready,
        }),
        Trouble::AsksAgain { who, since, granted, assigned } => {
            json!({"who": who, "since": since, "granted": granted, "assigned": assigned})
        }
        Trouble::AsksToTakeOver { who, since, granted, id, may_ask } => json!({
            "who": who, "since": since, "granted": granted, "device": id, "may_ask": may_ask,
        }),
        Trouble::AsksNewGroup { who, since } => json!({"who": who, "since": since}),
        Trouble::Missing { who, numbers, lost } => {
            json!({"who": who, "numbers": numbers, "lost": lost})
        }
        Trouble::Duplicates { count } => json!({"count": count}),
        Trouble::Unanswered { number, since } => json!({"number": number, "since": since}),
        Trouble::OutboxStuck { cells, since } => json!({"cells": cells, "since": since}),
        Trouble::CertificateEnds { at } => json!({"at": at}),
        Trouble::DirectoryOld { made_at } => json!({"made_at": made_at}),
        _ => json!({}),
    };
    json!({
        "conversation": one.case,
        "code": one.trouble.code(),
        "needs_a_person": one.trouble.needs_a_person(),
        "recover_mends": one.trouble.mends(),
        "details": details,
    })
}
