//! `bud directory`, and the Ministry's side of it.

use budstikke::{
    DirectoryCard, Error, Imported, Revoke as What, RevokeReason as Reason, RevokedKey, UnitKind,
};
use serde_json::{Value, json};

use super::ministry::grouped;
use crate::{
    app::{App, Vault},
    args::{Directory, Path, PublishDirectory, Revoke, RevokeReason, RevokeWhat},
    catalogue::{Catalogue, t},
    failure::Failure,
    files,
    reply::{Piece, Reply},
    show::time,
};

/// `bud directory`
pub(crate) async fn run(app: &App, args: &Directory) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    if let Some(file) = &args.import {
        let text = files::read(file, catalogue)?;
        return app.with(Vault::There, async |client| import(app, client, &text).await).await;
    }
    app.with(Vault::There, async |client| {
        let cards = client.directory().await.map_err(|error| app.failed(error))?;
        let mut reply = Reply::new().field("directories", json_of(&cards));
        if let Some(file) = &args.output {
            let text = client.export_directory().await.map_err(|error| app.failed(error))?;
            reply.artefact = files::write(file, text, catalogue)?;
            return Ok(reply
                .text(t!(catalogue, "directory-exported"))
                .next(t!(catalogue, "directory-exported-next")));
        }
        let seen: Vec<_> = cards.iter().filter(|card| card.number > 0).collect();
        if seen.is_empty() {
            return Ok(reply
                .text(t!(catalogue, "directory-none"))
                .next(t!(catalogue, "directory-none-next")));
        }
        for card in seen {
            reply = show(reply, card, catalogue);
        }
        Ok(reply)
    })
    .await
}

async fn import(app: &App, client: &budstikke::Client, text: &str) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let became = client.import_directory(text).await.map_err(|error| app.failed(error))?;
    let (word, said) = match became {
        Imported::Taken => ("taken", Piece::Text(t!(catalogue, "directory-taken"))),
        Imported::Known => ("known", Piece::Text(t!(catalogue, "directory-known"))),
        Imported::Forked => ("forked", Piece::Alarm(t!(catalogue, "directory-forked"))),
        _ => ("older", Piece::Warn(t!(catalogue, "directory-older"))),
    };
    Ok(Reply::new().pieces([said]).field("imported", word))
}

/// `bud ministry publish`
pub(crate) async fn publish(app: &App, args: &PublishDirectory) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let texts = args.holders.iter().map(|file| files::read(file, catalogue));
    let texts = texts.collect::<Result<Vec<_>, _>>()?;
    app.with(Vault::There, async |client| {
        if !texts.is_empty() {
            client.name_holders(&texts).await.map_err(|error| app.failed(error))?;
        }
        published(app, client, &args.relays, Reply::new()).await
    })
    .await
}

async fn published(
    app: &App,
    client: &budstikke::Client,
    relays: &[String],
    reply: Reply,
) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let working = app.out.working(t!(catalogue, "working-relay"));
    let made = client.publish_directory(relays).await.map_err(|error| app.failed(error))?;
    drop(working);
    let (number, count) = (made.card.number, made.relays as u64);
    let reply = reply
        .text(t!(catalogue, "directory-published", number = number, count = count))
        .pieces(made.problems.iter().map(|why| Piece::Warn(crate::errors::sentence(why))))
        .field("relays", count)
        .field("problems", made.problems.clone())
        .field("directory", json_of(std::slice::from_ref(&made.card)));
    Ok(show(reply, &made.card, catalogue).next(t!(catalogue, "directory-published-next")))
}

/// `bud ministry revoke`
pub(crate) async fn revoke(app: &App, args: &Revoke) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let reason = reason(args.reason);
    let name = args.name.clone();
    let what = match args.what {
        RevokeWhat::Device => What::Device(name),
        RevokeWhat::Unit => What::Unit(name),
        RevokeWhat::Relay => What::Relay(name),
        RevokeWhat::Issuer => return revoke_issuer(app, args, reason).await,
    };
    app.with(Vault::There, async |client| {
        let noted = client.revoke(what, reason, App::now()).await;
        noted.map_err(|error| app.failed(error))?;
        tell(app, client, Reply::new().text(t!(catalogue, "directory-revoked"))).await
    })
    .await
}

/// In the root's vault it signs the word, by the issuer's fingerprint; in an issuer's it takes the file with it.
async fn revoke_issuer(app: &App, args: &Revoke, reason: Reason) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let digits = args.name.chars().filter(|c| !c.is_whitespace());
    if digits.clone().count() == 64 && digits.clone().all(|c| c.is_ascii_hexdigit()) {
        return app
            .with(Vault::There, async |client| {
                let word = client.sign_issuer_revocation(&args.name, reason, App::now()).await;
                let word = word.map_err(|error| app.failed(error))?;
                let mut reply = Reply::new()
                    .text(t!(catalogue, "directory-word-signed"))
                    .next(t!(catalogue, "directory-word-signed-next"));
                reply.artefact = files::write(&args.output, word, catalogue)?;
                Ok(reply)
            })
            .await;
    }
    let text = files::read(&Path::from(&args.name), catalogue)?;
    app.with(Vault::There, async |client| {
        client.revoke_issuer(&text).await.map_err(|error| app.failed(error))?;
        tell(app, client, Reply::new().text(t!(catalogue, "directory-issuer-revoked"))).await
    })
    .await
}

/// A revocation that nobody has seen is none: it goes out at once, where there is a relay for it.
async fn tell(app: &App, client: &budstikke::Client, reply: Reply) -> Result<Reply, Failure> {
    let made = client.directory().await.map_err(|error| app.failed(error))?;
    if made.iter().all(|card| card.number == 0) {
        return Ok(reply.next(t!(app.catalogue, "directory-revoked-next")));
    }
    published(app, client, &[], reply).await
}

fn reason(given: RevokeReason) -> Reason {
    match given {
        RevokeReason::Lost => Reason::Lost,
        RevokeReason::Seized => Reason::Seized,
        RevokeReason::Left => Reason::Left,
        RevokeReason::Compromised => Reason::Compromised,
        RevokeReason::Replaced => Reason::Replaced,
    }
}

fn show(reply: Reply, card: &DirectoryCard, catalogue: &Catalogue) -> Reply {
    let age = time::span(App::now().saturating_sub(card.made_at), catalogue);
    let mut reply = reply
        .pair(t!(catalogue, "root-fingerprint"), grouped(&card.root_fingerprint))
        .pair(t!(catalogue, "directory-number"), card.number.to_string())
        .pair(t!(catalogue, "directory-made"), time::moment(card.made_at))
        .pair(t!(catalogue, "directory-age"), age)
        .pair(t!(catalogue, "valid-until"), time::moment(card.valid_until));
    if card.stale {
        reply.pieces.push(Piece::Warn(t!(catalogue, "directory-stale")));
    }
    if !card.forks.is_empty() {
        reply.pieces.push(Piece::Alarm(t!(catalogue, "directory-forked")));
    }
    for holder in &card.holders {
        let (name, key) = (holder.name.as_str(), grouped(&holder.fingerprint));
        let said = t!(catalogue, "directory-holder-key", name = name, key = key);
        reply.pieces.push(Piece::Item(said));
    }
    for unit in &card.units {
        let (id, name) = (unit.id.as_str(), unit.name.as_str());
        reply.pieces.push(Piece::Item(t!(catalogue, "directory-unit", id = id, name = name)));
    }
    for gone in &card.revoked {
        reply.pieces.push(Piece::Item(revoked(gone, catalogue)));
    }
    reply
}

fn revoked(gone: &RevokedKey, catalogue: &Catalogue) -> String {
    let what = match gone.what {
        "device" => t!(catalogue, "directory-device"),
        "unit" => t!(catalogue, "directory-office"),
        "relay" => t!(catalogue, "directory-relay"),
        _ => t!(catalogue, "directory-issuer"),
    };
    let why = match gone.reason {
        "lost" => t!(catalogue, "directory-lost"),
        "seized" => t!(catalogue, "directory-seized"),
        "left" => t!(catalogue, "directory-left"),
        "compromised" => t!(catalogue, "directory-compromised"),
        "replaced" => t!(catalogue, "directory-replaced"),
        _ => t!(catalogue, "directory-no-reason"),
    };
    let (key, since) = (gone.key.get(..16).unwrap_or_default(), time::moment(gone.since));
    t!(catalogue, "directory-gone", what = what, key = key, why = why, since = since)
}

fn json_of(cards: &[DirectoryCard]) -> Value {
    let kind = |kind: UnitKind| match kind {
        UnitKind::BilateralMission => "bilateral",
        UnitKind::MultilateralMission => "multilateral",
        UnitKind::MinistryDesk => "desk",
        _ => "other",
    };
    let one = |card: &DirectoryCard| {
        let units: Vec<_> = card
            .units
            .iter()
            .map(|unit| json!({"id": unit.id, "name": unit.name, "kind": kind(unit.kind), "key": unit.key}))
            .collect();
        let revoked: Vec<_> = card
            .revoked
            .iter()
            .map(|gone| {
                json!({
                    "what": gone.what, "key": gone.key, "reason": gone.reason, "since": gone.since,
                })
            })
            .collect();
        let holders: Vec<_> = card
            .holders
            .iter()
            .map(|of| json!({"name": of.name, "fingerprint": of.fingerprint}))
            .collect();
        json!({
            "root_fingerprint": card.root_fingerprint,
            "number": card.number,
            "made_at": card.made_at,
            "taken_at": card.taken_at,
            "valid_until": card.valid_until,
            "stale": card.stale,
            "forks": card.forks,
            "units": units,
            "relays": card.relays,
            "revoked": revoked,
            "holders": holders,
        })
    };
    cards.iter().map(one).collect()
}

/// Whether an error only means that a newer directory is needed first.
pub(crate) fn is_stale(error: &Error) -> bool {
    matches!(error, Error::Trust(trust) if matches!(**trust, budstikke::Trust::StaleDirectory))
}
