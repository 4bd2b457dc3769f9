//! `bud consent`: what was asked, what was answered, and taking it back.

use budstikke::{Client, ConsentView, Profile, case::consent::Suspension};
use serde_json::Value;

use super::{oral, pick, sending};
use crate::{
    app::{App, Vault},
    args::{self, Ask, Consent, ConsentStep, InConversation, NoteWithdrawal, Vouch, Withdraw},
    case::file::{ConsentFile, ConsentRequestFile},
    catalogue::t,
    exit::Exit,
    failure::Failure,
    reply::Reply,
    show::consent,
};

/// Runs one of them.
pub(crate) async fn run(app: &App, args: &Consent) -> Result<Reply, Failure> {
    let Some(step) = &args.step else { return show(app, args.id.as_deref()).await };
    match step {
        ConsentStep::Give(args) => give(app, args).await,
        ConsentStep::Withdraw(args) => withdraw(app, args).await,
        ConsentStep::Ask(args) => ask(app, args).await,
        ConsentStep::Hear(args) => oral::hear(app, args).await,
        ConsentStep::Attest(args) => oral::attest(app, args).await,
        ConsentStep::Enter(args) => oral::enter(app, args).await,
        ConsentStep::Vouch(args) => vouch(app, args).await,
        ConsentStep::NoteWithdrawal(args) => note_withdrawal(app, args).await,
        ConsentStep::Suspend(args) => {
            let cause = match args.cause {
                args::Cause::DeviceCompromised => Suspension::DeviceCompromised,
                args::Cause::Duress => Suspension::Duress,
                args::Cause::WithdrawalUnconfirmed => Suspension::WithdrawalUnconfirmed,
            };
            let since = App::now() - i64::from(args.hours_ago) * 3_600;
            doubt(app, args.id.as_deref(), &args.person, Some((cause, since))).await
        }
        ConsentStep::Reached(args) => doubt(app, args.id.as_deref(), &args.person, None).await,
    }
}

/// `bud consent`
async fn show(app: &App, id: Option<&str>) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let failed = |error| app.failed(error);
        let id = pick::about(app, client, id).await?.id;
        let view = client.case(&id).await.map_err(failed)?;
        let answers = client.file(&id).await.map_err(failed)?.consents;
        let questions = consent::questions(&view);
        let mut reply = Reply::new();
        for question in &questions {
            reply = reply.pieces(consent::question(question, catalogue));
        }
        let defender = client.profile().await.map_err(failed)? == Profile::Defender;
        reply = answered(app, reply, &answers, !defender);
        let waits = consent::waits(&questions, &answers);
        let asked: Vec<Value> = questions.iter().map(|q| consent::question_json(q)).collect();
        reply = reply.field("conversation", id).field("questions", asked).field("waits", waits);
        if questions.is_empty() && answers.is_empty() {
            reply = reply.text(t!(catalogue, "consent-nothing"));
        }
        let standing = |consent: &ConsentView| consent.answers.iter().any(|a| a.2.is_none());
        Ok(if !defender {
            reply.next(t!(catalogue, "consent-next-officer"))
        } else if waits {
            reply.next(t!(catalogue, "consent-next-answer"))
        } else if answers.iter().any(standing) {
            reply.next(t!(catalogue, "consent-next-withdraw"))
        } else {
            reply
        })
    })
    .await
}

/// Adds answers and how they stand.
fn answered(app: &App, reply: Reply, answers: &[ConsentView], officer: bool) -> Reply {
    let pieces = answers.iter().flat_map(|one| consent::answers(one, officer, &app.catalogue));
    let json: Vec<Value> = answers.iter().map(consent::json).collect();
    reply.pieces(pieces).field("answers", json)
}

/// The answers that stand in a conversation now.
async fn standing(app: &App, client: &Client, id: &str) -> Result<Vec<ConsentView>, Failure> {
    Ok(client.file(id).await.map_err(|error| app.failed(error))?.consents)
}

/// `bud consent give`
async fn give(app: &App, args: &InConversation) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let now = App::now();
    let file =
        sending::form(app, &args.file, |text, format| ConsentFile::parse(text, format, now))?;
    app.with(Vault::There, async |client| {
        let id = pick::about(app, client, args.id.as_deref()).await?.id;
        let sent = client.give_consent(&id, file).await.map_err(|error| app.failed(error))?;
        let newest = standing(app, client, &id).await?.pop();
        let reply = Reply::new().text(t!(catalogue, "consent-given"));
        let reply = answered(app, reply, newest.as_slice(), false);
        let reply = sending::warned(app, reply, &sent.warnings);
        let reply = reply.field("conversation", id).field("number", sent.number);
        sending::deliver(app, client, reply, t!(catalogue, "consent-given-next")).await
    })
    .await
}

/// `bud consent withdraw`
async fn withdraw(app: &App, args: &Withdraw) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let scopes = sending::scopes(app, &args.scopes)?;
    let reason = sending::words(app, args.reason_file.as_deref())?;
    app.with(Vault::There, async |client| {
        let id = pick::about(app, client, args.id.as_deref()).await?.id;
        let sent = client.withdraw_consent(&id, &scopes, &reason).await;
        let sent = sent.map_err(|error| app.failed(error))?;
        let answers = standing(app, client, &id).await?;
        let numbers: Vec<u64> = sent.iter().map(|sent| sent.number).collect();
        let reply = Reply::new().text(t!(catalogue, "consent-withdrawn"));
        let reply = answered(app, reply, &answers, false);
        let reply = reply.field("conversation", id).field("numbers", numbers);
        sending::deliver(app, client, reply, t!(catalogue, "consent-withdrawn-next")).await
    })
    .await
}

/// `bud consent ask`
async fn ask(app: &App, args: &Ask) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let file = sending::form(app, &args.file, ConsentRequestFile::parse)?;
    app.with(Vault::There, async |client| {
        let (id, act) = match &args.act {
            Some(act) => {
                let found = pick::act(app, client, Some(act), pick::open).await?;
                (args.id.clone().unwrap_or(found.case.id), Some(found.act.id))
            }
            None => (pick::about(app, client, args.id.as_deref()).await?.id, None),
        };
        let sent = client.ask_consent(&id, file, act.as_deref()).await;
        let sent = sent.map_err(|error| app.failed(error))?;
        let reply = Reply::new().text(t!(catalogue, "consent-asked"));
        let reply = sending::warned(app, reply, &sent.warnings);
        let reply = reply.field("conversation", id).field("number", sent.number).field("act", act);
        sending::deliver(app, client, reply, t!(catalogue, "consent-asked-next")).await
    })
    .await
}

/// `bud consent vouch`
async fn vouch(app: &App, args: &Vouch) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let id = pick::about(app, client, args.id.as_deref()).await?.id;
        let name = match &args.consent {
            Some(name) => name.clone(),
            None => only_unvouched(app, client, &id).await?,
        };
        let vouched = client.vouch_for_consent(&id, &name).await;
        vouched.map_err(|error| app.failed(error))?;
        let all = standing(app, client, &id).await?;
        let found: Vec<_> = all.into_iter().filter(|one| one.id.starts_with(&name)).collect();
        let reply = Reply::new().text(t!(catalogue, "consent-vouched"));
        let reply = answered(app, reply, &found, true).field("conversation", id);
        Ok(reply.next(t!(catalogue, "consent-next-officer")))
    })
    .await
}

/// The only consent of which nobody has said yet that its giver may give it.
async fn only_unvouched(app: &App, client: &Client, id: &str) -> Result<String, Failure> {
    let catalogue = &app.catalogue;
    let mut open = standing(app, client, id).await?;
    open.retain(|one| one.whole && !one.vouched);
    match (open.pop(), open.as_slice()) {
        (Some(only), []) => Ok(only.id),
        (None, _) => Err(Failure::new(Exit::NotFound, t!(catalogue, "consent-vouch-none"))),
        (Some(last), others) => {
            let points = others.iter().chain([&last]);
            let points = points.map(|one| format!("{}  {}", one.id, one.person)).collect();
            Err(Failure::new(Exit::Usage, t!(catalogue, "consent-vouch-which")).more(points))
        }
    }
}

/// `bud consent note-withdrawal`
async fn note_withdrawal(app: &App, args: &NoteWithdrawal) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    let scopes = sending::scopes(app, &args.scopes)?;
    let reason = sending::words(app, args.reason_file.as_deref())?;
    app.with(Vault::There, async |client| {
        let id = pick::about(app, client, args.id.as_deref()).await?.id;
        let noted = client.note_withdrawal(&id, &args.person, &scopes, &reason).await;
        let noted = noted.map_err(|error| app.failed(error))?;
        let numbers: Vec<u64> = noted.iter().map(|sent| sent.number).collect();
        let person = args.person.as_str();
        let reply = Reply::new().text(t!(catalogue, "consent-noted", person = person));
        let answers = standing(app, client, &id).await?;
        let reply = answered(app, reply, &answers, true);
        let reply = reply.field("conversation", id).field("numbers", numbers);
        sending::deliver(app, client, reply, t!(catalogue, "consent-noted-next")).await
    })
    .await
}

/// `bud consent suspend` with a cause, `bud consent reached` without one.
async fn doubt(
    app: &App,
    id: Option<&str>,
    person: &str,
    cause: Option<(Suspension, i64)>,
) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let id = pick::about(app, client, id).await?.id;
        let noted = match cause {
            Some((cause, since)) => client.suspend_consents(&id, person, cause, since).await,
            None => client.person_reached(&id, person).await,
        };
        noted.map_err(|error| app.failed(error))?;
        let (text, next) = match cause {
            Some(_) => ("consent-suspended", "consent-suspended-next"),
            None => ("consent-reached", "consent-reached-next"),
        };
        let reply = Reply::new().text(catalogue.text(text, &[("person", person.into())]));
        let reply = reply.field("conversation", id).field("person", person);
        let reply = reply.field("cause", cause.map(|(cause, _)| cause.name()));
        sending::deliver(app, client, reply, catalogue.text(next, &[])).await
    })
    .await
}
