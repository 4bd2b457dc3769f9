//! The story: HERON, a teacher in the lake villages of Karvonia, reaches a mission.

use std::path::Path;

use budstikke::{
    CaseView, Choice, Client, Decision, Offer, Progress, ReachOut, Role, SendOptions, UnitKind,
    UnitSetup,
};

use super::{
    cast::{self, Vaults},
    relay::LocalRelay,
    search::{Markers, Outcome},
    teller::{
        Teller,
        Who::{Heron, Ministry, OfficerA, OfficerB, Relay},
    },
    watch::Seen,
};
use crate::{
    app::App,
    case::{
        Phase,
        file::TermsFile,
        wire::{FreeText, Receipt, ReceiptKind, content::Body},
    },
    exit::Exit,
    failure::Failure,
    show::case::message_id,
};

/// More rounds than any exchange of the story takes.
const ROUNDS: usize = 8;

const REPLY: &str = "We have read all of it. A lawyer in the district town can see REED on Monday; \
                     nobody has been told who asked. Do you want us to go on?";
const ANSWER: &str = "Yes, please go on. REED's sister knows where the medicine is.";
const DELIVERED: &str =
    "So that you see when your words have arrived. The rest is as you wrote it.";

/// How it went.
pub(crate) struct Told {
    /// Claims that held.
    pub(crate) checks: u64,
}

struct Story<'a> {
    app: &'a App,
    tell: Teller<'a>,
    vaults: Vaults,
    relay_address: String,
    hide: Markers,
}

/// Tells it, from the first key to what the relay's disk holds.
pub(crate) async fn tell(app: &App, folder: &Path) -> Result<Told, Failure> {
    let seen = Seen::default();
    let broken = |cause: String| Failure::new(Exit::Internal, cause);
    let mut tell = Teller::new(app);
    tell.scene("demo-scene-relay");
    let relay = LocalRelay::start(&folder.join("relay")).await.map_err(broken)?;
    tell.does(Relay, "demo-relay-starts", &[]);
    let mut story = Story {
        app,
        tell,
        vaults: Vaults::new(folder.to_owned(), seen.clone()),
        relay_address: relay.address(),
        hide: Markers::default(),
    };
    let (officer_a, officer_b) = story.mission().await?;
    let invitation = story.publish(&officer_a).await?;
    let heron = story.look(&officer_a, &invitation).await?;
    story.reach_out(&heron).await?;
    story.agree(&officer_a, &officer_b, &heron).await?;
    story.tell_of_case(&officer_a, &heron).await?;
    let heron = story.restart(heron).await?;
    story.reply(&officer_a, &heron).await?;
    story.colleague(&officer_a, &officer_b, &heron).await?;
    for client in [officer_a, officer_b, heron] {
        client.close().await.map_err(|error| app.failed(error))?;
    }
    let remains = relay.stop().await.map_err(broken)?;
    let outcome = story.hide.search(&seen, &remains, folder);
    let outcome = outcome.map_err(|error| broken(error.to_string()))?;
    let lines = String::from_utf8_lossy(&remains.metrics).into_owned();
    what_remains(&mut story.tell, &outcome, &lines)?;
    Ok(Told { checks: story.tell.checks() })
}

impl Story<'_> {
    /// Root, unit, two devices.
    async fn mission(&mut self) -> Result<(Client, Client), Failure> {
        self.tell.scene("demo-scene-trust");
        let ministry = self.create("ministry").await?;
        let root = ministry.found_ministry(cast::MINISTRY).await;
        let root = root.map_err(|error| self.tell.failed(error))?;
        self.hide.hex("root fingerprint", &root.root_fingerprint);
        self.tell.does(Ministry, "demo-ministry-founds", &[]);

        let a = self.create("officer-a").await?;
        let setup = UnitSetup {
            unit_id: cast::UNIT.to_owned(),
            name: cast::MISSION.to_owned(),
            kind: UnitKind::BilateralMission,
            officer: cast::OFFICER_A.to_owned(),
            roles: vec![Role::ContactPerson, Role::Admin],
            relays: vec![self.relay_address.clone()],
        };
        let failed = |error| self.app.failed(error);
        let request = a.request_unit(setup).await.map_err(failed)?;
        let made = ministry.certify_unit(&request).await.map_err(failed)?;
        let card = a.install_unit(&made.text).await.map_err(failed)?;
        ministry.close().await.map_err(failed)?;
        self.tell.does(OfficerA, "demo-a-certified", &[("unit", made.unit_id.into())]);
        self.tell.sees(Ministry, "demo-ministry-sees", &[]);
        self.tell.check("demo-check-chain", card.root_fingerprint == root.root_fingerprint)?;

        let b = self.create("officer-b").await?;
        Ok((a, b))
    }

    /// The offer on the relay, the invitation on paper, the colleague's device.
    async fn publish(&mut self, a: &Client) -> Result<String, Failure> {
        self.tell.scene("demo-scene-offer");
        let (terms, emergency, privacy) =
            cast::offer(App::now()).map_err(|error| self.file(&error))?;
        let offer = Offer { terms: vec![terms], emergency: Some(emergency), privacy };
        let failed = |error| self.app.failed(error);
        let made = a.publish(offer).await.map_err(failed)?;
        let invitation = a.invitation().await.map_err(failed)?;
        self.tell.does(OfficerA, "demo-a-publishes", &[]);
        self.tell.sees(Relay, "demo-relay-sees-notice", &[]);
        let letters = invitation.len() as u64;
        self.tell.does(OfficerA, "demo-a-invites", &[("letters", letters.into())]);
        self.tell.check("demo-check-invitation", letters < 400)?;
        self.hide.whole("invitation", &invitation);
        self.hide.text(&made.safety_words.join(" "));
        Ok(invitation)
    }

    /// HERON sees who is behind the invitation.
    async fn look(&mut self, a: &Client, invitation: &str) -> Result<Client, Failure> {
        self.tell.scene("demo-scene-look");
        let heron = self.create("heron").await?;
        let failed = |error| self.app.failed(error);
        let card = heron.look_up(invitation).await.map_err(failed)?;
        let words = a.mission_words().await.map_err(failed)?;
        self.tell.does(Heron, "demo-heron-looks", &[("name", card.name.clone().into())]);
        self.tell.quote(&[card.safety_words.join(" ")]);
        self.tell.does(OfficerA, "demo-a-reads-words", &[]);
        self.tell.quote(&[words.join(" ")]);
        self.tell.check("demo-check-words", card.safety_words == words)?;
        self.tell.sees(Relay, "demo-relay-sees-look", &[]);
        Ok(heron)
    }

    /// Other terms, and one sealed cell.
    async fn reach_out(&mut self, heron: &Client) -> Result<(), Failure> {
        self.tell.scene("demo-scene-contact");
        let counter = cast::counter(App::now()).map_err(|error| self.file(&error))?;
        self.hide.view(&crate::case::View::of_terms(&counter.terms));
        self.hide.text(&counter.note);
        let note = counter.note.clone();
        let request = ReachOut {
            choice: Choice::Counter(Box::new(counter)),
            emergency: None,
            pseudonym: Some(cast::HERON.to_owned()),
        };
        heron.reach_out(request).await.map_err(|error| self.app.failed(error))?;
        let waiting = heron.outbox().await.map_err(|error| self.app.failed(error))?;
        self.tell.does(Heron, "demo-heron-reaches-out", &[]);
        self.tell.quote(&[note]);
        self.tell.sees(Relay, "demo-relay-sees-contact", &[]);
        self.tell.check("demo-check-sent", waiting.is_empty())
    }

    /// Officer A answers with a small change; nothing else flows before HERON agrees.
    async fn agree(&mut self, a: &Client, b: &Client, heron: &Client) -> Result<(), Failure> {
        self.tell.scene("demo-scene-terms");
        let failed = |error| self.app.failed(error);
        a.sync().await.map_err(failed)?;
        let contacts = a.contacts().await.map_err(failed)?;
        let Some(contact) = contacts.first() else {
            return self.tell.check("demo-check-contact", false);
        };
        self.tell.does(OfficerA, "demo-a-sees-contact", &[("id", contact.id.clone().into())]);
        let _ = b;

        let terms = with_delivered(cast::counter(App::now()).map_err(|e| self.file(&e))?);
        let decision = Decision::Counter(Box::new(terms));
        let id = a.answer(&contact.id, decision).await.map_err(failed)?;
        self.settle(&[a, heron]).await?;
        self.tell.does(OfficerA, "demo-a-counters", &[]);
        let view = heron.case(&id).await.map_err(failed)?;
        self.tell.check("demo-check-not-in-force", view.summary.terms != Phase::InForce)?;

        let intake = cast::intake().map_err(|error| self.file(&error))?.intake;
        self.tell.does(Heron, "demo-heron-tries", &[]);
        let tried = heron.send(&id, Body::CaseIntake(Box::new(intake)), SendOptions::default());
        let refusal = self.tell.refusal(tried.await);
        if let Some(refusal) = &refusal {
            self.tell.refused(Heron, refusal);
        }
        let code = refusal.and_then(|refusal| refusal.code.clone());
        self.tell.check("demo-check-t01", code.as_deref() == Some("T01"))?;

        heron.accept_terms(&id).await.map_err(failed)?;
        self.settle(&[heron, a]).await?;
        self.tell.does(Heron, "demo-heron-accepts", &[]);
        let both = [heron.case(&id).await.map_err(failed)?, a.case(&id).await.map_err(failed)?];
        let in_force = both.iter().all(|view| view.summary.terms == Phase::InForce);
        self.tell.check("demo-check-in-force", in_force)?;
        self.tell.sees(Relay, "demo-relay-sees-terms", &[]);
        let [ours, theirs] = &both;
        self.tell.quote(&[ours.safety_words.join(" ")]);
        self.tell.check("demo-check-case-words", ours.safety_words == theirs.safety_words)?;
        heron.confirm_words(&id).await.map_err(failed)?;
        a.confirm_words(&id).await.map_err(failed)
    }

    /// Three incidents, a wish, an alias.
    async fn tell_of_case(&mut self, a: &Client, heron: &Client) -> Result<(), Failure> {
        self.tell.scene("demo-scene-intake");
        let failed = |error| self.app.failed(error);
        let file = cast::intake().map_err(|error| self.file(&error))?;
        let id = self.only(heron).await?.summary.id;
        let incidents = file.intake.incidents.len() as u64;
        let sheets = file.identity.len() as u64;
        let mut numbers = Vec::new();
        let bodies = std::iter::once(Body::CaseIntake(Box::new(file.intake)))
            .chain(file.identity.into_iter().map(|s| Body::IdentitySheet(Box::new(s))));
        for body in bodies {
            let sent = heron.send(&id, body, SendOptions::default()).await.map_err(failed)?;
            numbers.push(sent.number);
        }
        self.tell.does(
            Heron,
            "demo-heron-tells",
            &[("incidents", incidents.into()), ("sheets", sheets.into())],
        );
        let cells = heron.outbox().await.map_err(failed)?.len() as u64;
        self.settle(&[heron, a]).await?;
        self.tell.sees(Relay, "demo-relay-sees-intake", &[("cells", cells.into())]);

        let theirs = a.case(&id).await.map_err(failed)?;
        let ours = heron.case(&id).await.map_err(failed)?;
        for message in &theirs.messages {
            if let Some(view) = &message.view {
                self.hide.view(view);
            }
            self.hide.whole("message", message.content.get(..64).unwrap_or(&message.content));
        }
        let sent = ours.messages.iter().filter(|m| numbers.contains(&m.number));
        let same = sent.clone().all(|m| theirs.messages.iter().any(|t| t.content == m.content));
        let new = theirs.summary.unread;
        self.tell.does(OfficerA, "demo-a-reads", &[("new", new.into())]);
        self.tell.check("demo-check-same-bytes", same && sent.count() == numbers.len())
    }

    /// The phone was off. A wrong passphrase opens nothing, the right one everything.
    async fn restart(&mut self, heron: Client) -> Result<Client, Failure> {
        self.tell.scene("demo-scene-restart");
        let failed = |error| self.app.failed(error);
        let before = self.only(&heron).await?;
        heron.close().await.map_err(failed)?;
        self.tell.does(Heron, "demo-heron-restarts", &[]);
        let wrong = self.vaults.open("heron", "the wrong words").await;
        let stopped = wrong.err().map(|error| self.tell.failed(error));
        if let Some(stopped) = &stopped {
            self.tell.refused(Heron, stopped);
        }
        let locked = stopped.is_some_and(|stop| stop.exit == Exit::Passphrase);
        self.tell.check("demo-check-locked", locked)?;
        let heron = self.vaults.open("heron", &cast::passphrase("heron")).await.map_err(failed)?;
        let after = self.only(&heron).await?;
        let same = before.messages.len() == after.messages.len()
            && before.safety_words == after.safety_words
            && before.epoch == after.epoch;
        self.tell.check("demo-check-reopened", same)?;
        Ok(heron)
    }

    /// A person has it, and writes.
    async fn reply(&mut self, a: &Client, heron: &Client) -> Result<(), Failure> {
        self.tell.scene("demo-scene-reply");
        let failed = |error| self.app.failed(error);
        let view = self.only(a).await?;
        let id = view.summary.id.clone();
        let Some(intake) = view.messages.iter().find(|m| m.kind == "case-intake") else {
            return self.tell.check("demo-check-contact", false);
        };
        let receipt = Receipt {
            kind: ReceiptKind::TakenOn.into(),
            message_id: message_id(intake),
            ..Receipt::default()
        };
        let options = SendOptions { in_reply_to: Some(intake.number), ..SendOptions::default() };
        a.send(&id, Body::Receipt(receipt), options).await.map_err(failed)?;
        self.tell.does(OfficerA, "demo-a-takes-on", &[]);
        self.write(a, &id, REPLY).await?;
        self.settle(&[a, heron]).await?;
        self.tell.does(OfficerA, "demo-a-writes", &[]);
        self.tell.quote(&[REPLY.to_owned()]);
        let ours = heron.case(&id).await.map_err(failed)?;
        let state = ours.messages.iter().find(|m| m.kind == "case-intake");
        let taken_on = state.is_some_and(|m| m.progress == Some(Progress::TakenOn));
        self.tell.does(Heron, "demo-heron-reads", &[]);
        self.tell.check("demo-check-taken-on", taken_on && holds(&ours, REPLY))
    }

    /// Officer B joins, seen by everybody, and reads what is written from then on.
    async fn colleague(&mut self, a: &Client, b: &Client, heron: &Client) -> Result<(), Failure> {
        self.tell.scene("demo-scene-colleague");
        let failed = |error| self.app.failed(error);
        let request = b.request_device(cast::OFFICER_B, &[Role::Staff]).await.map_err(failed)?;
        let enrolment = a.enrol_device(&request).await.map_err(failed)?;
        b.install_device(&enrolment).await.map_err(failed)?;
        self.settle(&[b, a]).await?;
        let team = b.team().await.map_err(failed)?;
        self.tell.does(OfficerB, "demo-b-enrolled", &[]);
        self.tell.check("demo-check-team", team.len() == 2)?;

        let id = self.only(heron).await?.summary.id;
        let before = heron.case(&id).await.map_err(failed)?;
        a.assign(&id, cast::OFFICER_B).await.map_err(failed)?;
        self.settle(&[a, b, heron]).await?;
        self.tell.does(OfficerA, "demo-a-assigns", &[]);
        let after = heron.case(&id).await.map_err(failed)?;
        let names: Vec<String> = after.members.iter().map(|member| member.name.clone()).collect();
        self.tell.sees(Heron, "demo-heron-sees-b", &[("names", names.join(", ").into())]);
        let joined = after.members.len() == before.members.len() + 1 && after.epoch > before.epoch;
        self.tell.check("demo-check-joined", joined)?;

        self.write(heron, &id, ANSWER).await?;
        self.settle(&[heron, b, a]).await?;
        self.tell.does(Heron, "demo-heron-answers", &[]);
        let theirs = b.case(&id).await.map_err(failed)?;
        self.tell.does(OfficerB, "demo-b-reads", &[]);
        self.tell.quote(&[ANSWER.to_owned()]);
        self.tell.check("demo-check-b-reads", holds(&theirs, ANSWER))?;
        self.tell.sees(OfficerB, "demo-b-sees", &[]);
        self.tell.check("demo-check-b-not-before", !holds(&theirs, REPLY))
    }

    async fn write(&mut self, from: &Client, id: &str, text: &str) -> Result<(), Failure> {
        self.hide.text(text);
        let letter = FreeText { text: text.to_owned(), distressing: false };
        let sent = from.send(id, Body::FreeText(letter), SendOptions::default()).await;
        sent.map(|_| ()).map_err(|error| self.app.failed(error))
    }

    /// Everybody fetches and sends until nothing moves any more.
    async fn settle(&self, clients: &[&Client]) -> Result<(), Failure> {
        for _ in 0..ROUNDS {
            let mut moved = 0;
            for client in clients {
                let report = client.sync().await.map_err(|error| self.app.failed(error))?;
                if let Some(problem) = crate::commands::everyday::problem(self.app, &report) {
                    return Err(problem);
                }
                moved += report.received + report.sent;
            }
            if moved == 0 {
                break;
            }
        }
        Ok(())
    }

    async fn create(&self, name: &str) -> Result<Client, Failure> {
        self.vaults.create(name).await.map_err(|error| self.app.failed(error))
    }

    async fn only(&self, client: &Client) -> Result<CaseView, Failure> {
        crate::commands::conversation::open(self.app, client, None).await
    }

    fn file(&self, error: &crate::case::file::FileError) -> Failure {
        crate::refused::file(error, "tests/data", &self.app.catalogue)
    }
}

/// What the relay's disk holds, and what it does not.
fn what_remains(tell: &mut Teller<'_>, outcome: &Outcome, metrics: &str) -> Result<(), Failure> {
    tell.scene("demo-scene-disk");
    let disk = outcome.disk;
    tell.sees(
        Relay,
        "demo-relay-holds",
        &[("files", disk.files.into()), ("kib", (disk.bytes / 1024).into())],
    );
    tell.sees(
        Relay,
        "demo-relay-said",
        &[("lines", outcome.log_lines.into()), ("counters", outcome.metric_lines.into())],
    );
    let counters = metrics.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    tell.quote(&counters.map(str::to_owned).collect::<Vec<_>>());
    tell.does(Relay, "demo-searched", &[("markers", (outcome.markers as u64).into())]);
    for found in &outcome.found {
        tell.quote(&[format!("{} ({}): {}", found.what, found.form, found.place)]);
    }
    tell.check("demo-check-logged", outcome.log_lines > 0 && disk.bytes > 0)?;
    tell.check("demo-check-nothing", outcome.found.is_empty())?;
    tell.does(Relay, "demo-control", &[("planted", (outcome.planted as u64).into())]);
    tell.check("demo-check-control", outcome.planted == outcome.planted_found)
}

/// HERON's terms, with one receipt more: that words have arrived.
fn with_delivered(mut file: TermsFile) -> TermsFile {
    if let Some(receipts) = &mut file.terms.receipts {
        receipts.from_mission.insert(0, ReceiptKind::Delivered.into());
    }
    DELIVERED.clone_into(&mut file.note);
    file
}

/// Whether a letter with this text stands in the conversation.
fn holds(view: &CaseView, text: &str) -> bool {
    view.messages.iter().filter_map(|message| message.view.as_ref()).any(|view| {
        let lines = view.sections.iter().flat_map(|section| &section.lines);
        lines.into_iter().any(|line| line.value == crate::case::Value::Text(text.to_owned()))
    })
}
