//! Conversations: listing, showing, writing, the terms.

use budstikke::{CaseView, Client, SendOptions};
use serde_json::Value;

use crate::{
    app::{App, Vault},
    args::{self, Send, Show},
    case::{
        Body,
        file::{EmergencyFile, Format, IntakeFile},
        wire::{FreeText, Receipt, ReceiptKind, Urgency},
    },
    catalogue::t,
    exit::Exit,
    failure::Failure,
    files, refused,
    reply::{Piece, Reply},
    show::case,
};

/// `bud list`
pub(crate) async fn list(app: &App) -> Result<Reply, Failure> {
    let catalogue = &app.catalogue;
    app.with(Vault::There, async |client| {
        let cases = client.cases().await.map_err(|error| app.failed(error))?;
        let json: Vec<Value> = cases.iter().map(case::summary_json).collect();
        let unanswered = client.awaits_answer().await.map_err(|error| app.failed(error))?;
        let mut reply =
            Reply::new().field("conversations", json).field("awaits_first_answer", unanswered);
        if unanswered {
            reply = reply.text(t!(catalogue, "list-awaits"));
        }
        if cases.is_empty() && unanswered {
            return Ok(reply.next(t!(catalogue, "list-awaits-next")));
        }
        if cases.is_empty() {
            return Ok(reply
                .text(t!(catalogue, "list-empty"))
                .next(t!(catalogue, "list-empty-next")));
        }
        reply.pieces.push(case::table(&cases, catalogue));
        Ok(reply.next(t!(catalogue, "list-next")))
    })
    .await
}

/// `bud show`
pub(crate) async fn show(app: &App, args: &Show) -> Result<Reply, Failure> {
    app.with(Vault::There, async |client| {
        let view = open(app, client, args.id.as_deref()).await?;
        client.mark_seen(&view.summary.id).await.map_err(|error| app.failed(error))?;
        let Some(number) = args.message else {
            let json = case::json(&view, &app.catalogue);
            return Ok(Reply { json, ..Reply::new().pieces(case::pieces(&view, &app.catalogue)) });
        };
        let found = view.messages.iter().find(|message| message.number == number);
        let message = found.ok_or_else(|| {
            let text = t!(app.catalogue, "show-no-message", number = number);
            Failure::new(Exit::NotFound, text)
        })?;
        Ok(Reply::new()
            .pieces(case::message(message, &view.summary.with, &app.catalogue))
            .field("message", case::message_json(message)))
    })
    .await
}

/// `bud send`
pub(crate) async fn send(app: &App, args: &Send) -> Result<Reply, Failure> {
    let what = Outgoing::read(app, args)?;
    app.with(Vault::There, async |client| {
        let view = open(app, client, args.id.as_deref()).await?;
        let id = view.summary.id.clone();
        let (options, bodies) = what.for_conversation(app, &view, urgency(args.urgency))?;
        let mut numbers = Vec::new();
        let mut warnings = what.warnings(app);
        let mut stopped = None;
        for body in bodies {
            match client.send(&id, body, options.clone()).await {
                Ok(sent) => {
                    numbers.push(sent.number);
                    let said = sent.warnings.iter().map(|w| refused::warning(w, &app.catalogue));
                    warnings.extend(said);
                }
                // What went before stays sent; what is refused is said at the end.
                Err(error) if !numbers.is_empty() => {
                    stopped = Some(app.failed(error));
                    break;
                }
                Err(error) => return Err(app.failed(error)),
            }
        }
        let working = app.out.working(t!(app.catalogue, "working-relay"));
        let report = client.sync().await.map_err(|error| app.failed(error))?;
        drop(working);
        let mut reply = Reply::new()
            .pieces(warnings.iter().cloned().map(Piece::Warn))
            .field("conversation", id)
            .field("numbers", numbers.clone())
            .field("warnings", warnings)
            .field("waiting_cells", report.waiting as u64);
        reply = if report.waiting == 0 {
            reply
                .text(t!(app.catalogue, "send-at-relay", who = view.summary.with.as_str()))
                .next(t!(app.catalogue, "send-at-relay-next"))
        } else {
            reply.text(t!(app.catalogue, "send-waits")).next(t!(app.catalogue, "send-waits-next"))
        };
        reply.failure = stopped.or_else(|| super::everyday::problem(app, &report));
        Ok(reply)
    })
    .await
}

/// What a person gave to send, read before the vault is opened.
enum Outgoing {
    Text(String),
    Intake(Box<IntakeFile>),
    Identity(Box<IntakeFile>),
    Emergency(Box<EmergencyFile>),
    TakenOn(u64, String),
}

impl Outgoing {
    fn read(app: &App, args: &Send) -> Result<Self, Failure> {
        let catalogue = &app.catalogue;
        let read = |path: &std::path::Path| {
            Ok::<_, Failure>((files::read(path, catalogue)?, files::shown(path)))
        };
        let what = &args.what;
        let forms = [(&what.intake, Self::Intake as fn(_) -> _), (&what.identity, Self::Identity)];
        for (path, made) in forms {
            let Some(path) = path else { continue };
            let (text, name) = read(path)?;
            let file = IntakeFile::parse(&text, Format::of_name(&name))
                .map_err(|error| refused::file(&error, &name, catalogue))?;
            if what.identity.is_some() && file.identity.is_empty() {
                let text = t!(catalogue, "send-no-identity", file = name);
                return Err(Failure::new(Exit::Usage, text));
            }
            return Ok(made(Box::new(file)));
        }
        if let Some(path) = &args.what.emergency {
            let (text, name) = read(path)?;
            let file = EmergencyFile::parse(&text, Format::of_name(&name));
            return file
                .map(|file| Self::Emergency(Box::new(file)))
                .map_err(|error| refused::file(&error, &name, catalogue));
        }
        if let (Some(number), None) = (args.what.taken_on, &args.what.text) {
            return Ok(Self::TakenOn(number, String::new()));
        }
        let path = args.what.text.as_deref().unwrap_or_else(|| std::path::Path::new("-"));
        let text = read(path)?.0.trim_end().to_owned();
        if text.is_empty() {
            return Err(Failure::new(Exit::Usage, t!(catalogue, "send-empty")));
        }
        Ok(match args.what.taken_on {
            Some(number) => Self::TakenOn(number, text),
            None => Self::Text(text),
        })
    }

    fn warnings(&self, app: &App) -> Vec<String> {
        let warnings = match self {
            Self::Intake(file) | Self::Identity(file) => file.warnings.as_slice(),
            Self::Emergency(file) => file.warnings.as_slice(),
            Self::Text(_) | Self::TakenOn(..) => &[],
        };
        warnings.iter().map(|warning| refused::warning(warning, &app.catalogue)).collect()
    }

    /// The messages it becomes: identity sheets travel apart from what happened.
    fn for_conversation(
        &self,
        app: &App,
        view: &CaseView,
        urgency: Urgency,
    ) -> Result<(SendOptions, Vec<Body>), Failure> {
        let mut options = SendOptions { urgency, ..SendOptions::default() };
        let bodies = match self {
            Self::Text(text) => {
                vec![Body::FreeText(FreeText { text: text.clone(), distressing: false })]
            }
            Self::Emergency(file) => {
                let named = file.emergency.urgency.try_into().unwrap_or_default();
                options.urgency = urgency.max(named);
                vec![Body::EmergencyContact(Box::new(file.emergency.clone()))]
            }
            Self::Intake(file) => {
                let sheets = file.identity.iter().cloned();
                std::iter::once(Body::CaseIntake(Box::new(file.intake.clone())))
                    .chain(sheets.map(|sheet| Body::IdentitySheet(Box::new(sheet))))
                    .collect()
            }
            Self::Identity(file) => {
                let sheets = file.identity.iter().cloned();
                sheets.map(|sheet| Body::IdentitySheet(Box::new(sheet))).collect()
            }
            Self::TakenOn(number, note) => {
                let found = view.messages.iter().find(|message| message.number == *number);
                let Some(message) = found else {
                    let text = t!(app.catalogue, "show-no-message", number = *number);
                    return Err(Failure::new(Exit::NotFound, text));
                };
                if message.progress.is_some() {
                    let text = t!(app.catalogue, "send-own-message", number = *number);
                    return Err(Failure::new(Exit::Usage, text));
                }
                options.in_reply_to = Some(*number);
                vec![Body::Receipt(Receipt {
                    kind: ReceiptKind::TakenOn.into(),
                    message_id: case::message_id(message),
                    note: note.clone(),
                    ..Receipt::default()
                })]
            }
        };
        Ok((options, bodies))
    }
}

fn urgency(given: args::Urgency) -> Urgency {
    match given {
        args::Urgency::Routine => Urgency::Routine,
        args::Urgency::High => Urgency::High,
        args::Urgency::Urgent => Urgency::Urgent,
        args::Urgency::Flash => Urgency::Flash,
    }
}

/// Opens the conversation named, or the only one.
pub(crate) async fn open(
    app: &App,
    client: &Client,
    id: Option<&str>,
) -> Result<CaseView, Failure> {
    let id = match id {
        Some(id) => id.to_owned(),
        None => only(app, client).await?,
    };
    client.case(&id).await.map_err(|error| app.failed(error))
}

async fn only(app: &App, client: &Client) -> Result<String, Failure> {
    let cases = client.cases().await.map_err(|error| app.failed(error))?;
    match cases.as_slice() {
        [one] => Ok(one.id.clone()),
        [] => Err(Failure::new(Exit::NotFound, t!(app.catalogue, "list-empty"))
            .next(t!(app.catalogue, "list-empty-next"))),
        many => {
            let points = many.iter().map(|case| format!("{}  {}", case.id, case.with)).collect();
            Err(Failure::new(Exit::Usage, t!(app.catalogue, "list-which")).more(points))
        }
    }
}
