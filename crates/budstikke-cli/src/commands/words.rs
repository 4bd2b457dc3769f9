//! `bud words`: is it really the other side? By words over the phone, or by a code and a camera.

use budstikke::{CaseView, Client, SafetyWords};

use crate::{
    app::{App, Vault},
    args::Words,
    catalogue::t,
    exit::Exit,
    failure::Failure,
    reply::{Piece, Reply},
    show::{qr, time, words as shown},
};

/// `bud words`
pub(crate) async fn words(app: &App, args: &Words) -> Result<Reply, Failure> {
    app.with(Vault::There, async |client| {
        if args.mission {
            let words = client.mission_words().await.map_err(|error| app.failed(error))?;
            let reply = Reply::new().text(t!(app.catalogue, "words-mission"));
            return show(app, args, reply, &words);
        }
        let view = super::conversation::open(app, client, args.id.as_deref()).await?;
        let id = view.summary.id.as_str();
        let Some(words) = &view.safety_words else {
            let text = t!(app.catalogue, "words-line");
            return Err(Failure::new(Exit::Usage, text).next(t!(app.catalogue, "words-line-next")));
        };
        let reply = Reply::new().pieces(changed(app, &view)).field("conversation", id);
        let same = match &args.code {
            Some(code) => compare(app, words, code)?,
            None => args.same,
        };
        let reply = show(app, args, reply, words)?.field("compared", same || view.words_compared);
        if same {
            return noted(app, client, id, reply).await;
        }
        Ok(reply.text(t!(app.catalogue, "safety-words-case")).next(t!(app.catalogue, "words-next")))
    })
    .await
}

async fn noted(app: &App, client: &Client, id: &str, reply: Reply) -> Result<Reply, Failure> {
    client.confirm_words(id).await.map_err(|error| app.failed(error))?;
    Ok(reply.text(t!(app.catalogue, "words-same")))
}

/// That the other side has another key than before comes first of all.
pub(crate) fn changed(app: &App, view: &CaseView) -> Option<Piece> {
    let since = view.key_changed?;
    Some(Piece::Alarm(t!(app.catalogue, "words-key-changed", since = time::moment(since))))
}

/// Holds the other side's code against the own.
pub(crate) fn compare(app: &App, words: &SafetyWords, code: &str) -> Result<bool, Failure> {
    let catalogue = &app.catalogue;
    match words.matches(code) {
        Ok(true) => Ok(true),
        Ok(false) => Err(Failure::new(Exit::Trust, t!(catalogue, "words-code-differs"))
            .next(t!(catalogue, "words-code-differs-next"))),
        Err(error) => Err(Failure::new(Exit::Usage, error.to_string())),
    }
}

fn show(app: &App, args: &Words, mut reply: Reply, words: &SafetyWords) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let code = words.code();
    if args.qr {
        let drawn = qr::code(&code)
            .ok_or_else(|| Failure::new(Exit::Internal, t!(catalogue, "invite-no-qr")))?;
        reply.pieces.push(Piece::Raw(drawn));
    }
    let languages: Vec<_> = args.languages.iter().map(|language| language.0).collect();
    reply = if languages.is_empty() {
        reply.pieces(shown::pieces(words, catalogue))
    } else {
        reply.pieces([shown::table(words, &languages)])
    };
    for language in &languages {
        let name = format!("safety_words_{}", language.code());
        reply = reply.field(&name, words.words(*language).to_vec());
    }
    Ok(reply.field("safety_words", shown::json(words, catalogue)).field("code", code))
}
