//! Sending: guard, seal and queue in one transaction.

use budstikke_case::wire::{Handling, Purpose, Urgency};
use budstikke_case::{
    Body, Built, Draft, Kind, Leg, Passage, Role, Side, TermsEvent, Warning, may_send, side, wire,
};
use budstikke_e2ee::envelope::Envelope;
use budstikke_e2ee::group::Party;

use super::commit::{want_terms, want_update};
use super::seat::{Seat, case_roles, terms_of};
use super::verify::verification;
use crate::client::{Client, Work};
use crate::crash;
use crate::dossier::hear::{By, Said, hear};
use crate::dossier::keys::Members;
use crate::dossier::share::may_go_onward;
use crate::error::Error;
use crate::events::Event;
use crate::mission::line::{bind_own, role_for};
use crate::outbox::{Belongs, enqueue};
use crate::random::fresh;
use crate::records::{self, MessageIndex, MessageRecord, fixed};
use crate::recovery::freeze;
use crate::view::{case_of_name, message_key};

/// How a message is to be treated. The defaults are careful: routine urgency, no answer to another message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    /// How soon a person is needed.
    pub urgency: Urgency,
    /// Number of the message in this case that it answers.
    pub in_reply_to: Option<u64>,
}

/// A message that is sealed and queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Its number in the case.
    pub number: u64,
    /// What the person should know all the same.
    pub warnings: Vec<Warning>,
}

impl Client {
    /// Checks, seals and queues a message. When this returns, the message is in the vault and will be sent, once,
    /// by this or a later [`Client::sync`], whatever happens to this process.
    ///
    /// # Errors
    /// [`Error::Refused`] when a rule forbids it (nothing is queued then); [`Error::NotFound`]; [`Error::Vault`].
    pub async fn send(
        &self,
        case: &str,
        body: impl Into<Body>,
        options: SendOptions,
    ) -> Result<Sent, Error> {
        let (case, body) = (case.to_owned(), body.into());
        if matches!(body, Body::CaseBrief(_)) {
            return Err(Error::Input {
                what: "the message",
                why: "a brief is built from what was told, and its person is told: use `share`"
                    .to_owned(),
            });
        }
        let sent = self
            .vault(move |work| {
                let seat = Seat::case(work, case_of_name(work, &case)?)?;
                let sent = post(work, seat, body, &options)?;
                crash::point("send-before-commit");
                Ok(sent)
            })
            .await?;
        crash::point("send-after-commit");
        Ok(sent)
    }

    /// Seals and queues bytes as they are, past every check: what a modified sender would do. For tests of the
    /// receiving side only.
    ///
    /// # Errors
    /// As [`Client::send`], but for refusals.
    #[cfg(feature = "testing")]
    pub async fn send_unchecked(&self, case: &str, content: Vec<u8>) -> Result<u64, Error> {
        let case = case.to_owned();
        self.vault(move |work| {
            let seat = Seat::case(work, case_of_name(work, &case)?)?;
            seal_and_queue(work, seat, content)
        })
        .await
    }

    /// This officer's signature over bytes that no rule has looked at: what a modified device would make. For tests
    /// of the receiving side only.
    ///
    /// # Errors
    /// [`Error::NotReady`] on a device that is no officer's; [`Error::NotFound`]; [`Error::Vault`].
    #[cfg(feature = "testing")]
    pub async fn attest_unchecked(
        &self,
        case: &str,
        domain: &'static str,
        body: &[u8],
    ) -> Result<wire::Attestation, Error> {
        use crate::dossier::keys::{attest, role_for};
        let (case, body) = (case.to_owned(), body.to_vec());
        self.vault(move |work| {
            let seat = Seat::case(work, case_of_name(work, &case)?)?;
            attest(&seat, role_for(&seat, budstikke_case::Act::Write)?, domain, &body)
        })
        .await
    }
}

/// Guards, seals and queues; everything in the caller's transaction.
pub(crate) fn post(
    work: &Work<'_>,
    mut seat: Seat,
    body: Body,
    options: &SendOptions,
) -> Result<Sent, Error> {
    if let Some(case) = &seat.case {
        freeze::may_send(case)?;
    }
    let built = draft(work, &seat, body, options)?;
    let mut warnings = built.warnings.clone();
    let Some(case) = &mut seat.case else { return Err(Error::NotFound { what: "the case" }) };
    let mut terms = terms_of(case)?;
    let recipient = case.peer_unit.clone();
    let mut passage = Passage::new(wire::Transport::RelayQuic, &recipient);
    passage.verification = verification(work, case)?;
    warnings.extend(may_send(&built.content, &terms, work.now, &passage)?);
    if !case.line_for.is_empty() {
        may_go_onward(work, case, &terms, &built)?;
    }
    if let Some(event) = TermsEvent::of(&built.content)? {
        let before = terms.agreed_hash();
        bind_own(work, case, &event, &mut terms)?;
        terms.apply(event, work.now)?;
        case.terms = terms.to_bytes();
        if terms.agreed_hash() != before && before.is_none() {
            work.event(Event::TermsInForce { case: crate::view::case_name(&case.id) });
        }
    }
    let (members, own) = (Members::of(work, &seat, terms.leg())?, seat.me.key());
    if let Some(case) = &seat.case {
        let said = Said {
            content: &built.content,
            bytes: &built.bytes,
            members: &members,
            by: By::Us,
            sender: own.as_bytes(),
        };
        hear(work, case, &said)?;
    }
    want_terms(work, &seat)?;
    let number = seal_and_queue(work, seat, built.bytes)?;
    Ok(Sent { number, warnings })
}

/// Encrypts content, stores it as the case's next message and queues its cells.
fn seal_and_queue(work: &Work<'_>, mut seat: Seat, content: Vec<u8>) -> Result<u64, Error> {
    let env = work.env();
    if seat.group.needs_update(work.now, true).is_some() {
        want_update(work, seat.group.id())?;
    }
    let receipt = seat.case.as_ref().map(|case| case.receipt.clone()).unwrap_or_default();
    let receipt = (!receipt.is_empty()).then_some(receipt.as_slice());
    let nth = seat.group.sent().saturating_add(1);
    let sealed = seat.group.encrypt(&env, &seat.me, &content, receipt)?;
    let audience = seat.audience(work)?;
    let from = own_name(&seat)?;
    let Some(mut case) = seat.case else { return Err(Error::NotFound { what: "the case" }) };
    case.messages += 1;
    case.sent += 1;
    case.last_at = work.now;
    let belongs = Belongs { case_id: &case.id, number: case.messages };
    let waiting = enqueue(work, &audience, &Envelope::Mls(sealed).to_bytes(), belongs, false)?;
    let mut message = MessageRecord::new(case.messages, true, from, content, work.now);
    (message.waiting, message.nth) = (waiting, nth);
    store(work, &case.id, &message)?;
    records::save(work.tx, &case.id.clone(), &case)?;
    Ok(case.messages)
}

/// Writes a message and makes it findable by its `message_id`.
pub(crate) fn store(work: &Work<'_>, case_id: &[u8], message: &MessageRecord) -> Result<(), Error> {
    records::save(work.tx, &message_key(case_id, message.number), message)?;
    let Ok(received) = budstikke_case::Received::open(message.content.clone()) else {
        return Ok(());
    };
    let Some(header) = received.header() else { return Ok(()) };
    let key = [case_id, &header.message_id].concat();
    if records::load::<MessageIndex>(work.tx, &key)?.is_none() {
        records::save(work.tx, &key, &MessageIndex { number: message.number })?;
    }
    Ok(())
}

/// What this device calls itself in case messages: the most responsible first.
fn own_roles(seat: &Seat, leg: Leg) -> Result<Vec<Role>, Error> {
    match seat.own_party()? {
        Some(Party::Defender { .. }) => Ok(vec![Role::Defender]),
        Some(Party::Device(device)) => Ok(case_roles(&device.roles, leg)),
        _ => Err(Error::NotReady("this device is no longer part of this case")),
    }
}

fn own_name(seat: &Seat) -> Result<String, Error> {
    Ok(seat.own_party()?.as_ref().map(name_of).unwrap_or_default())
}

/// A member as people know them.
pub(crate) fn name_of(party: &Party) -> String {
    match party {
        Party::Device(device) => device.label.clone(),
        Party::Defender { pseudonym } => pseudonym.clone(),
        _ => String::new(),
    }
}

fn draft(work: &Work<'_>, seat: &Seat, body: Body, options: &SendOptions) -> Result<Built, Error> {
    let Some(case) = &seat.case else { return Err(Error::NotFound { what: "the case" }) };
    let terms = terms_of(case)?;
    let leg = terms.leg();
    let kind = Kind::of_body(&body);
    let id = fresh::<16>();
    let role = role_for(&own_roles(seat, leg)?, &body, leg);
    let mut draft = Draft::new(leg, role, id, work.now)
        .case(fixed(&case.id, "the case")?)
        .seq(case.sent.saturating_add(1))
        .urgency(options.urgency)
        .purpose(purpose(kind, &terms));
    if !case.peer_unit.is_empty() {
        draft = draft.to(&case.peer_unit);
    }
    if case.line {
        draft = draft.handling(Handling::Ministry);
    }
    if matches!(&body, Body::Alert(alert) if alert.exercise) {
        draft = draft.exercise();
    }
    let emergency = matches!(body, Body::EmergencyContact(_)).then(|| terms.emergency_terms());
    let hash = terms.agreed_hash().or(emergency.flatten().map(|(hash, _)| hash));
    if let Some(hash) = hash {
        draft = draft.terms(hash);
    }
    if let Some(number) = options.in_reply_to {
        let answered: MessageRecord = records::need(work.tx, &message_key(&case.id, number))?;
        draft = draft.in_reply_to(message_id(&answered.content)?);
    }
    Ok(draft.build(body)?)
}

/// Case content serves protection unless the terms agreed name something else; the rest runs the channel.
fn purpose(kind: Kind, terms: &budstikke_case::TermsState) -> Purpose {
    if !kind.is_case_content() {
        return Purpose::RunningTheChannel;
    }
    let agreed = terms.agreed().map(|terms| terms.purposes.as_slice()).unwrap_or_default();
    let known = |purpose: Purpose| agreed.contains(&purpose.into());
    if agreed.is_empty() || known(Purpose::Protection) {
        return Purpose::Protection;
    }
    let first = agreed.first().and_then(|raw| Purpose::try_from(*raw).ok());
    first.unwrap_or(Purpose::Protection)
}

/// The `message_id` of stored content.
pub(crate) fn message_id(content: &[u8]) -> Result<[u8; 16], Error> {
    let received = budstikke_case::Received::open(content.to_vec())?;
    let header = received.header().ok_or(Error::Damaged { what: "a message" })?;
    fixed(&header.message_id, "a message")
}

/// Which side of the leg this device is.
pub(crate) fn own_side(seat: &Seat, leg: Leg) -> Result<Option<Side>, Error> {
    Ok(own_roles(seat, leg)?.first().and_then(|role| side(leg, *role)))
}
