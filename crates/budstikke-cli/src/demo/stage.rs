//! What every chapter stands on: the relay's address, the vaults, the clock, the teller, and what
//! must not be found at the end.

use budstikke::{ActView, CaseView, Client, SendOptions, clock::Clock};

use super::{cast::Vaults, search::Markers, stop::Stop, teller::Teller};
use crate::{
    app::App,
    case::{Body, Received, Value, wire::FreeText},
};

/// More rounds than any exchange of the stories takes.
const ROUNDS: usize = 16;
/// Of a message, so many first bytes are looked for.
const SAMPLE: usize = 64;

/// The stage of one story.
pub(crate) struct Stage<'a> {
    app: &'a App,
    pub(crate) tell: Teller<'a>,
    pub(crate) vaults: Vaults,
    pub(crate) clock: Clock,
    /// When the story began, Unix seconds.
    pub(crate) began: i64,
    /// The relay's address.
    pub(crate) relay: String,
    pub(crate) hide: Markers,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(app: &'a App, vaults: Vaults, clock: Clock, relay: String) -> Self {
        let (tell, hide) = (Teller::new(app), Markers::default());
        let began = clock.now();
        Self { app, tell, vaults, clock, began, relay, hide }
    }

    /// Unix seconds in the story.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now()
    }

    /// Everybody fetches and sends until nothing moves any more.
    pub(crate) async fn settle(&self, clients: &[&Client]) -> Result<(), Stop> {
        for _ in 0..ROUNDS {
            let mut moved = 0;
            for client in clients {
                let report = client.sync().await?;
                if let Some(problem) = crate::commands::everyday::problem(self.app, &report) {
                    return Err(problem.into());
                }
                moved += report.received + report.sent;
            }
            if moved == 0 {
                return Ok(());
            }
        }
        Err(Stop::Ground("they never come to rest".to_owned()))
    }

    /// The only conversation of a vault.
    pub(crate) async fn only(&self, client: &Client) -> Result<CaseView, Stop> {
        Ok(crate::commands::conversation::open(self.app, client, None).await?)
    }

    /// Somebody writes a letter.
    pub(crate) async fn write(&mut self, from: &Client, id: &str, text: &str) -> Result<(), Stop> {
        self.hide.text(text);
        let letter = FreeText { text: text.to_owned(), distressing: false };
        from.send(id, Body::FreeText(letter), SendOptions::default()).await?;
        Ok(())
    }

    /// Everything that stands in a conversation is looked for at the end.
    pub(crate) fn hide_all(&mut self, view: &CaseView) {
        for message in &view.messages {
            if let Some(view) = &message.view {
                self.hide.view(view);
            }
            self.hide.whole("message", message.content.get(..SAMPLE).unwrap_or(&message.content));
        }
    }
}

/// Whether a letter with this text stands in the conversation.
pub(crate) fn holds(view: &CaseView, text: &str) -> bool {
    view.messages.iter().filter_map(|message| message.view.as_ref()).any(|view| {
        let lines = view.sections.iter().flat_map(|section| &section.lines);
        lines.into_iter().any(|line| line.value == Value::Text(text.to_owned()))
    })
}

/// How many messages of a kind stand in the conversation.
pub(crate) fn count(view: &CaseView, kind: &str) -> usize {
    view.messages.iter().filter(|message| message.kind == kind).count()
}

/// The newest message that `pick` knows.
pub(crate) fn newest<T>(view: &CaseView, pick: impl Fn(&Body) -> Option<T>) -> Option<T> {
    view.messages.iter().rev().find_map(|message| {
        let received = Received::open(message.content.clone()).ok()?;
        received.content().body.as_ref().and_then(&pick)
    })
}

/// An act as a device knows it.
pub(crate) async fn act(client: &Client, case: &str, id: &str) -> Result<ActView, Stop> {
    let acts = client.file(case).await?.acts;
    let found = acts.into_iter().find(|act| act.id == id);
    found.ok_or(budstikke::Error::NotFound { what: "the act" }.into())
}
