//! `bud look` and `bud reach-out`: a defender's first two steps.

use std::{io::IsTerminal as _, path::Path};

use budstikke::{Choice, MissionCard, ReachOut};
use serde_json::json;

use crate::{
    app::{App, Vault},
    args::{self, Look},
    case::file::{EmergencyFile, Format},
    catalogue::t,
    failure::Failure,
    files, refused,
    reply::{Piece, Reply},
    show::{time, view, words},
};

const PREFIX: &str = "budinvite1";

/// `bud look`: fetches and verifies what the mission offers. Nothing about this person leaves the
/// device but that somebody asked the relay.
pub(crate) async fn look(app: &App, args: &Look) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let mut pieces = Vec::new();
    let invitation = match args.invitation.as_deref() {
        // It works, and it stands in the shell's history now: say so rather than fail.
        Some(text) if text.starts_with(PREFIX) => {
            pieces.push(Piece::Warn(t!(catalogue, "look-in-history")));
            text.to_owned()
        }
        Some(path) => files::read(Path::new(path), catalogue)?,
        None => {
            if std::io::stdin().is_terminal() {
                app.out.note(&t!(catalogue, "look-paste"));
            }
            files::read(Path::new("-"), catalogue)?
        }
    };
    app.with(Vault::ThereOrNew, async |client| {
        let working = app.out.working(t!(catalogue, "working-relay"));
        let card = client.look_up(invitation.trim()).await.map_err(|error| app.failed(error))?;
        drop(working);
        if let Some(code) = &args.code {
            super::words::compare(app, &card.safety_words, code)?;
        }
        if let Some(since) = card.key_changed {
            let text = t!(catalogue, "look-key-changed", since = time::moment(since));
            pieces.insert(0, Piece::Alarm(text));
        }
        Ok(card_reply(app, &card, pieces, args.code.is_some()))
    })
    .await
}

fn card_reply(app: &App, card: &MissionCard, pieces: Vec<Piece>, same: bool) -> Reply {
    let catalogue = &app.catalogue;
    let compared =
        if same { t!(catalogue, "words-compared") } else { t!(catalogue, "safety-words-unit") };
    let next = match card.key_changed {
        Some(_) => t!(catalogue, "look-key-changed-next"),
        None => t!(catalogue, "look-next"),
    };
    let mut reply = Reply::new()
        .pieces(pieces)
        .head(t!(catalogue, "look-title", name = card.name.as_str()))
        .pair(t!(catalogue, "unit-id"), card.unit_id.as_str())
        .pair(t!(catalogue, "valid-until"), time::moment(card.valid_until))
        .pieces(words::pieces(&card.safety_words, catalogue))
        .pair(String::new(), compared);
    for (n, offer) in card.offers.iter().enumerate() {
        reply = reply
            .head(t!(catalogue, "look-offer", number = n as u64 + 1))
            .pieces(view::pieces(&offer.view, false, catalogue));
    }
    if let Some(privacy) = &card.privacy {
        reply = reply.pieces(view::pieces(privacy, false, catalogue));
    }
    if card.takes_emergencies {
        reply = reply.text(t!(catalogue, "look-emergency"));
    }
    let offers = card.offers.iter().map(|o| json!({ "hash": o.hash, "view": o.view }));
    let offers: Vec<_> = offers.collect();
    reply
        .next(next)
        .field("unit_id", card.unit_id.as_str())
        .field("name", card.name.as_str())
        .field("valid_until", card.valid_until)
        .field("safety_words", words::json(&card.safety_words, catalogue))
        .field("key_changed", json!(card.key_changed))
        .field("offers", offers)
        .field("takes_emergencies", card.takes_emergencies)
        .field("privacy", json!(card.privacy))
}

/// `bud reach-out`
pub(crate) async fn reach_out(app: &App, args: &args::ReachOut) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let choice = match (&args.counter, args.accept) {
        (Some(path), _) => Choice::Counter(Box::new(super::mission::terms(app, path)?)),
        (None, number) => Choice::Accept(number.unwrap_or(1).saturating_sub(1)),
    };
    let emergency = args.emergency.as_deref().map(|path| emergency(app, path)).transpose()?;
    let (pseudonym, new_key) = (args.alias.clone(), args.new_key);
    let (countered, urgent) = (args.counter.is_some(), emergency.is_some());
    app.with(Vault::There, async |client| {
        let working = app.out.working(t!(catalogue, "working-reach-out"));
        if new_key {
            client.confirm_new_key().await.map_err(|error| app.failed(error))?;
        }
        let sent = client.reach_out(ReachOut { choice, emergency, pseudonym }).await;
        sent.map_err(|error| app.failed(error))?;
        let report = client.sync().await.map_err(|error| app.failed(error))?;
        drop(working);
        let mut reply = Reply::new();
        if report.waiting == 0 {
            reply = reply.text(t!(catalogue, "reach-out-sent"));
        } else {
            reply = reply.text(t!(catalogue, "send-waits"));
        }
        if urgent {
            reply = reply.text(t!(catalogue, "reach-out-emergency"));
        }
        if countered {
            reply = reply.text(t!(catalogue, "reach-out-countered"));
        }
        let mut reply = reply
            .next(t!(catalogue, "reach-out-next"))
            .field("countered", countered)
            .field("emergency", urgent)
            .field("waiting_cells", report.waiting as u64);
        reply.failure = super::everyday::problem(app, &report);
        Ok(reply)
    })
    .await
}

fn emergency(app: &App, path: &Path) -> Result<EmergencyFile, Failure> {
    let (text, name) = (files::read(path, &app.catalogue)?, files::shown(path));
    EmergencyFile::parse(&text, Format::of_name(&name))
        .map_err(|error| refused::file(&error, &name, &app.catalogue))
}
