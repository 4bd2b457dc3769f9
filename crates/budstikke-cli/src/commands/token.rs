//! `bud token`: what opens a mailbox at a relay that not everybody may use.

use budstikke::TokenText;
use serde_json::json;

use super::ministry::grouped;
use crate::{
    app::{App, Vault},
    args::{TextIn, Token, TokenRequest},
    catalogue::t,
    failure::Failure,
    files,
    reply::{Piece, Reply},
    show::time,
};

/// Runs one of them.
pub(crate) async fn run(app: &App, command: &Token) -> Result<Reply, Failure> {
    match command {
        Token::Request(args) => request(app, args).await,
        Token::Accept(args) => accept(app, args).await,
        Token::List => list(app).await,
    }
}

/// Asks nobody anything: the text is carried to the issuer.
async fn request(app: &App, args: &TokenRequest) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let key = files::read(&args.key, catalogue)?;
    app.with(Vault::ThereOrNew, async |client| {
        let made = client.request_tokens(&args.relay, &key, args.count).await;
        let made = made.map_err(|error| app.failed(error))?;
        let artefact = files::write(&args.output, made.text, catalogue)?;
        let mut reply = Reply::new()
            .text(t!(catalogue, "token-requested", count = made.count as u64))
            .pair(t!(catalogue, "token-relay"), made.relay.as_str())
            .pair(t!(catalogue, "token-key"), grouped(&made.key))
            .pair(String::new(), t!(catalogue, "token-key-same"))
            .pair(t!(catalogue, "valid-until"), time::moment(made.valid_until))
            .next(t!(catalogue, "token-requested-next"))
            .field("count", made.count as u64)
            .field("relay", made.relay)
            .field("key", made.key)
            .field("valid_until", made.valid_until);
        reply.artefact = artefact;
        Ok(reply)
    })
    .await
}

async fn accept(app: &App, args: &TextIn) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let answer = files::read(&args.file, catalogue)?;
    app.with(Vault::There, async |client| {
        let taken = client.accept_tokens(&answer).await.map_err(|error| app.failed(error))?;
        let mut reply =
            Reply::new().text(t!(catalogue, "token-accepted", count = taken.count as u64));
        if taken.missing > 0 {
            let missing = t!(catalogue, "token-missing", count = taken.missing as u64);
            reply = reply.pieces([Piece::Warn(missing)]);
        }
        Ok(reply
            .pair(t!(catalogue, "token-relay"), taken.relay.as_str())
            .pair(t!(catalogue, "token-key"), grouped(&taken.key))
            .pair(t!(catalogue, "valid-until"), time::moment(taken.valid_until))
            .next(t!(catalogue, "token-accepted-next"))
            .field("count", taken.count as u64)
            .field("missing", taken.missing as u64)
            .field("relay", taken.relay)
            .field("key", taken.key)
            .field("valid_until", taken.valid_until))
    })
    .await
}

async fn list(app: &App) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let stocks = client.tokens().await.map_err(|error| app.failed(error))?;
        let json: Vec<_> = stocks
            .iter()
            .map(|stock| {
                json!({
                    "relay": stock.relay,
                    "key": stock.key,
                    "ready": stock.ready,
                    "under_way": stock.under_way,
                    "asked": stock.asked,
                    "valid_until": stock.valid_until,
                })
            })
            .collect();
        let reply = Reply::new().field("tokens", json);
        if stocks.is_empty() {
            return Ok(reply
                .text(t!(catalogue, "token-none"))
                .next(t!(catalogue, "token-none-next")));
        }
        let pieces = stocks.iter().flat_map(|stock| {
            let count = t!(
                catalogue,
                "token-stock",
                ready = stock.ready as u64,
                waiting = stock.under_way as u64,
                asked = stock.asked as u64,
            );
            [
                Piece::Head(stock.relay.clone()),
                Piece::Text(count),
                Piece::Pair(t!(catalogue, "token-key"), grouped(&stock.key)),
                Piece::Pair(t!(catalogue, "valid-until"), time::moment(stock.valid_until)),
            ]
        });
        Ok(reply.pieces(pieces))
    })
    .await
}

/// `bud check` of a file about tokens; `None` for any other.
pub(super) fn check(app: &App, text: &str, name: &str) -> Result<Option<Reply>, Failure> {
    let catalogue = &app.catalogue;
    let Some(found) = TokenText::read(text).map_err(|error| app.failed(error))? else {
        return Ok(None);
    };
    let reply = Reply::new().field("ok", json!(true)).field("warnings", json!([]));
    Ok(Some(match found {
        TokenText::Request(count) => reply
            .text(t!(catalogue, "token-check-request", file = name, count = count as u64))
            .next(t!(catalogue, "token-requested-next"))
            .field("kind", "token-request")
            .field("count", count as u64),
        TokenText::Answer(count) => reply
            .text(t!(catalogue, "token-check-answer", file = name, count = count as u64))
            .next(t!(catalogue, "token-check-answer-next"))
            .field("kind", "token-answer")
            .field("count", count as u64),
        TokenText::Key { key, valid_until } => reply
            .text(t!(catalogue, "token-check-key", file = name))
            .pair(t!(catalogue, "token-key"), grouped(&key))
            .pair(String::new(), t!(catalogue, "token-key-same"))
            .pair(t!(catalogue, "valid-until"), time::moment(valid_until))
            .next(t!(catalogue, "token-check-key-next"))
            .field("kind", "token-key")
            .field("key", key)
            .field("valid_until", valid_until),
        _ => return Ok(None),
    }))
}
