//! `bud contacts`, `answer`, `assign`: people who reach out, and who works with them.

use budstikke::{Client, Contact, ContactStage, Decision, TermsChoice};
use serde_json::{Value, json};

use crate::{
    app::{App, Vault},
    args::{Answer, Assign},
    case::View,
    catalogue::t,
    exit::Exit,
    failure::Failure,
    reply::{Piece, Reply},
    show::{time, view},
};

/// `bud contacts`
pub(crate) async fn contacts(app: &App) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let contacts = client.contacts().await.map_err(|error| app.failed(error))?;
        let json: Vec<_> = contacts.iter().map(contact_json).collect();
        let mut reply = Reply::new().field("contacts", json);
        if contacts.is_empty() {
            return Ok(reply
                .text(t!(catalogue, "contacts-empty"))
                .next(t!(catalogue, "contacts-empty-next")));
        }
        for contact in &contacts {
            reply = shown(app, reply, contact);
        }
        Ok(reply.next(t!(catalogue, "contacts-next")))
    })
    .await
}

fn shown(app: &App, reply: Reply, contact: &Contact) -> Reply {
    let catalogue = &app.catalogue;
    let stage = catalogue.text(&format!("contact-{}", stage(contact)), &[]);
    let mut reply = reply
        .head(t!(catalogue, "contacts-one", id = contact.id.as_str()))
        .pair(t!(catalogue, "contacts-received"), time::moment(contact.received_at))
        .pair(t!(catalogue, "contacts-stage"), stage);
    if let Some(emergency) = &contact.emergency {
        reply.pieces.push(Piece::Warn(t!(catalogue, "contacts-emergency")));
        reply = reply.pieces(view::pieces(emergency, false, catalogue));
    }
    match &contact.terms {
        TermsChoice::Accepted(_) => reply.text(t!(catalogue, "contacts-accepted")),
        TermsChoice::Countered(terms) => reply
            .text(t!(catalogue, "contacts-countered"))
            .pieces(view::pieces(terms, false, catalogue)),
    }
}

fn stage(contact: &Contact) -> &'static str {
    match contact.stage {
        ContactStage::Waiting => "waiting",
        ContactStage::Answering => "answering",
        ContactStage::Answered => "answered",
        ContactStage::Colleague => "colleague",
    }
}

fn contact_json(contact: &Contact) -> Value {
    let (choice, terms): (&str, Option<&View>) = match &contact.terms {
        TermsChoice::Countered(view) => ("countered", Some(view)),
        TermsChoice::Accepted(_) => ("accepted", None),
    };
    json!({
        "id": contact.id,
        "received_at": contact.received_at,
        "stage": stage(contact),
        "emergency": contact.emergency,
        "choice": choice,
        "terms": terms,
        "conversation": contact.case,
    })
}

/// `bud answer`
pub(crate) async fn answer(app: &App, args: &Answer) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let decision = match &args.counter {
        Some(path) => Decision::Counter(Box::new(super::mission::terms(app, path)?)),
        None => Decision::Accept,
    };
    app.with(Vault::There, async |client| {
        let working = app.out.working(t!(catalogue, "working-relay"));
        let contact = match &args.contact {
            Some(contact) => contact.clone(),
            None => only_waiting(app, client).await?,
        };
        let id = client.answer(&contact, decision).await;
        let id = id.map_err(|error| app.failed(error))?;
        let report = client.sync().await.map_err(|error| app.failed(error))?;
        drop(working);
        let line = client.case(&id).await.map_err(|error| app.failed(error))?.summary.line;
        let next = if line { "answered-line-next" } else { "answered-next" };
        let mut reply = Reply::new()
            .text(t!(catalogue, "answered", id = id.as_str()))
            .next(catalogue.text(next, &[("id", id.as_str().into())]))
            .field("conversation", id);
        reply.failure = super::everyday::problem(app, &report);
        Ok(reply)
    })
    .await
}

/// The only person who waits for an answer.
async fn only_waiting(app: &App, client: &Client) -> Result<String, Failure> {
    let contacts = client.contacts().await.map_err(|error| app.failed(error))?;
    let waits = |contact: &&Contact| contact.stage == ContactStage::Waiting;
    let waiting: Vec<String> = contacts.iter().filter(waits).map(|c| c.id.clone()).collect();
    match waiting.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Failure::new(Exit::NotFound, t!(app.catalogue, "contacts-empty"))
            .next(t!(app.catalogue, "contacts-empty-next"))),
        _ => Err(Failure::new(Exit::Usage, t!(app.catalogue, "contacts-which")).more(waiting)),
    }
}

/// `bud assign`
pub(crate) async fn assign(app: &App, args: &Assign) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let working = app.out.working(t!(catalogue, "working-relay"));
        let case = super::conversation::open(app, client, args.id.as_deref()).await?;
        let asked = client.assign(&case.summary.id, &args.officer).await;
        asked.map_err(|error| app.failed(error))?;
        let report = client.sync().await.map_err(|error| app.failed(error))?;
        drop(working);
        let officer = args.officer.as_str();
        let mut reply = Reply::new()
            .text(t!(catalogue, "assigned", officer = officer))
            .next(t!(catalogue, "assigned-next", officer = officer))
            .field("officer", officer);
        reply.failure = super::everyday::problem(app, &report);
        Ok(reply)
    })
    .await
}
