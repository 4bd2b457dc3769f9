//! First contacts: who takes one, and the case channel that answers it.
//!
//! Every device of the team sees every first contact. The one whose person answers claims it in a slot that only
//! the team can derive; the first valid claim founds the case. Each step is committed before the next, so a device
//! that stops in between goes on where it was.

use budstikke_case::file::TermsFile;
use budstikke_case::{
    Body, Hash, Kind, Passage, Received, Role, TermsEvent, TermsState, View, may_accept, validate,
    wire,
};
use budstikke_e2ee::contact::Route;
use budstikke_e2ee::envelope::{Envelope, WelcomeBody};
use budstikke_e2ee::group::{Charter, Group, GroupError, GroupKind, KeyPackage};
use budstikke_e2ee::team::TeamMessage;
use budstikke_proto::cell::{self, Opened, SealKey};
use budstikke_proto::id::SlotId;
use budstikke_proto::sign::SigningSeed;
use rand_core::{OsRng, RngCore};

use super::{TEAM_POST, leg_of, own_device, team, unit_and_team};
use crate::channel::seat::{Seat, staff, terms_of};
use crate::channel::send::{SendOptions, post, store};
use crate::client::{Client, Work};
use crate::defender::pseudonym_of;
use crate::error::Error;
use crate::events::Event;
use crate::outbox::{Belongs, enqueue};
use crate::posts::{plan_lane, route};
use crate::records::{
    self, CaseRecord, ContactRecord, ContactState, Lane, LaneUse, MessageRecord, fixed,
};
use crate::relay::{RelayError, SlotEntry, Standing};
use crate::view::{by_name, case_name, contact_name};

/// What a stranger said to the offered terms.
#[derive(Clone, Debug)]
pub enum TermsChoice {
    /// They accepted the offer with this hash, 64 hexadecimal digits.
    Accepted(String),
    /// They propose other terms.
    Countered(View),
}

/// How far a first contact is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactStage {
    /// Nobody has answered.
    Waiting,
    /// This device is answering; the next sync goes on.
    Answering,
    /// This device has answered.
    Answered,
    /// A colleague's device has it.
    Colleague,
}

/// A first contact.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Its short name: 8 letters and digits.
    pub id: String,
    /// Unix seconds.
    pub received_at: i64,
    /// How far it is.
    pub stage: ContactStage,
    /// What they said to the terms.
    pub terms: TermsChoice,
    /// The emergency form, if it came with it.
    pub emergency: Option<View>,
    /// The case made of it.
    pub case: Option<String>,
}

/// What an officer answers to a first contact.
#[derive(Clone)]
pub enum Decision {
    /// To what was accepted or countered: yes.
    Accept,
    /// To a counter-proposal: other terms again.
    Counter(Box<TermsFile>),
}

impl Client {
    /// The first contacts of this mission, oldest first.
    ///
    /// # Errors
    /// [`Error::Vault`].
    pub async fn contacts(&self) -> Result<Vec<Contact>, Error> {
        self.vault(|work| {
            let records = records::all::<ContactRecord>(work.tx)?;
            Ok(records.into_iter().map(|(_, record)| show(&record)).collect())
        })
        .await
    }

    /// Answers a first contact: claims it for this device, founds the case channel and sends the Welcome. The
    /// case's name.
    ///
    /// # Errors
    /// [`Error::TakenByColleague`]; [`Error::NotFound`]; [`Error::Relay`] when the relay was not reached, and then
    /// the next [`Client::sync`] goes on with it.
    pub async fn answer(&self, contact: &str, decision: Decision) -> Result<String, Error> {
        let _turn = self.turn().await;
        let name = contact.to_owned();
        let id = self.vault(move |work| begin(work, &name, decision)).await?;
        self.go_on_answering(&id).await
    }

    /// Goes on with answers that were interrupted.
    pub(crate) async fn resume_answers(&self) -> Result<(), Error> {
        let open = self
            .vault(|work| {
                let records = records::all::<ContactRecord>(work.tx)?;
                let open = |record: &ContactRecord| {
                    [ContactState::Claiming, ContactState::Claimed]
                        .map(i32::from)
                        .contains(&record.state)
                };
                let open = records.into_iter().filter(|(_, record)| open(record));
                Ok(open.map(|(id, _)| id).collect::<Vec<_>>())
            })
            .await?;
        for id in open {
            match self.go_on_answering(&id).await {
                Ok(_) | Err(Error::TakenByColleague) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn go_on_answering(&self, id: &[u8]) -> Result<String, Error> {
        let key = id.to_vec();
        let record: ContactRecord = self.vault(move |work| records::need(work.tx, &key)).await?;
        if record.state == i32::from(ContactState::Claiming) {
            self.claim(&record).await?;
        }
        let key = id.to_vec();
        let record: ContactRecord = self.vault(move |work| records::need(work.tx, &key)).await?;
        self.ensure_lane(TEAM_POST, &record.lane).await?;
        self.vault(move |work| found_case(work, record)).await
    }

    /// Claims a contact in the team's slot for it, and reads who was first.
    async fn claim(&self, record: &ContactRecord) -> Result<(), Error> {
        // Devices in different epochs would look at different slots.
        let team_group = self.vault(|work| Ok(unit_and_team(work)?.1.group_id.clone())).await?;
        self.settle(&team_group).await?;
        let (id, case_id) = (record.id.clone(), record.case_id.clone());
        let (slot, key, claim) = self.vault(move |work| make_claim(work, &id, &case_id)).await?;
        let relay = self.relay(&record.relay, b"claims")?;
        let mut entries = relay.slot_read(slot).await?;
        if entries.is_empty() {
            match relay.slot_append(&key, vec![claim]).await {
                Ok(_) | Err(RelayError::Full { .. } | RelayError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
            entries = relay.slot_read(slot).await?;
        }
        let id = record.id.clone();
        let ours = self.vault(move |work| judge_claims(work, &id, slot, &entries)).await?;
        if ours { Ok(()) } else { Err(Error::TakenByColleague) }
    }
}

fn show(record: &ContactRecord) -> Contact {
    let stage = match ContactState::try_from(record.state) {
        Ok(ContactState::Waiting) | Err(_) => ContactStage::Waiting,
        Ok(ContactState::Claiming | ContactState::Claimed) => ContactStage::Answering,
        Ok(ContactState::Answered) => ContactStage::Answered,
        Ok(ContactState::Colleague) => ContactStage::Colleague,
    };
    let countered = read_counter(&record.counter).map(|terms| View::of_terms(&terms));
    let terms = match countered {
        Some(view) => TermsChoice::Countered(view),
        None => TermsChoice::Accepted(data_encoding::HEXLOWER.encode(&record.accepted)),
    };
    let emergency = Received::open(record.emergency.clone()).ok();
    Contact {
        id: contact_name(&record.id),
        received_at: record.received_at,
        stage,
        terms,
        emergency: emergency.map(|received| View::of(received.content())),
        case: (stage == ContactStage::Answered).then(|| case_name(&record.case_id)),
    }
}

fn read_counter(content: &[u8]) -> Option<wire::ChannelTerms> {
    let received = Received::open(content.to_vec()).ok()?;
    match &received.content().body {
        Some(Body::TermsCounter(counter)) => budstikke_case::decode_terms(&counter.terms).ok(),
        _ => None,
    }
}

/// Remembers the decision; from here on every sync goes on with it.
fn begin(work: &Work<'_>, name: &str, decision: Decision) -> Result<Vec<u8>, Error> {
    let all = records::all::<ContactRecord>(work.tx)?;
    let mut record =
        by_name(all, name).ok_or(Error::NotFound { what: "a first contact of that name" })?;
    match ContactState::try_from(record.state) {
        Ok(ContactState::Colleague) => return Err(Error::TakenByColleague),
        Ok(ContactState::Waiting) => {}
        _ => return Ok(record.id.clone()),
    }
    let mut case_id = [0; 16];
    OsRng.fill_bytes(&mut case_id);
    record.case_id = case_id.to_vec();
    record.answer = match decision {
        Decision::Accept => Vec::new(),
        Decision::Counter(file) => file.encode().0,
    };
    let (unit, _) = unit_and_team(work)?;
    let relay = unit.relays.first().cloned().unwrap_or_default();
    let label = plan_lane(work, &relay, LaneUse::Peer)?;
    let mut lane: Lane = records::need(work.tx, label.as_bytes())?;
    lane.case_id = case_id.to_vec();
    records::save(work.tx, label.as_bytes(), &lane)?;
    record.lane = label.as_bytes().to_vec();
    record.state = ContactState::Claiming.into();
    records::save(work.tx, &record.id.clone(), &record)?;
    Ok(record.id.clone())
}

fn make_claim(
    work: &Work<'_>,
    id: &[u8],
    case_id: &[u8],
) -> Result<(SlotId, SigningSeed, Vec<u8>), Error> {
    let seat = Seat::team(work)?;
    let contact = fixed(id, "a first contact")?;
    let keys = seat.group.claim_keys(&work.env(), &contact)?;
    let claim = TeamMessage::Claim { contact, case_id: case_id.to_vec(), device: seat.me.key() };
    let mut name = [0; 16];
    OsRng.fill_bytes(&mut name);
    let fragments = cell::split(&claim.to_bytes(), name)?;
    let fragment = fragments.first().ok_or(Error::Damaged { what: "a claim" })?;
    let sealed = cell::seal(fragment, &SealKey::from_bytes(*keys.seal_key()), &mut OsRng)?;
    Ok((SlotId::from_bytes(keys.id()), SigningSeed::from_bytes(*keys.seed()), sealed))
}

/// Whether the first valid claim is this device's.
fn judge_claims(
    work: &Work<'_>,
    id: &[u8],
    slot: SlotId,
    entries: &[SlotEntry],
) -> Result<bool, Error> {
    let seat = Seat::team(work)?;
    let contact = fixed(id, "a first contact")?;
    let keys = seat.group.claim_keys(&work.env(), &contact)?;
    if keys.id() != *slot.as_bytes() {
        return Err(Error::NotReady("the team changed meanwhile; sync and answer again"));
    }
    let seal = SealKey::from_bytes(*keys.seal_key());
    let members = seat.group.members()?;
    let winner = entries
        .iter()
        .filter(|entry| entry.standing == Standing::Good)
        .find_map(|entry| claimant(entry, &seal, &contact))
        .filter(|(device, _)| members.iter().any(|member| member.key == *device));
    let Some((device, case_id)) = winner else {
        return Err(Error::NotReady("the claim did not arrive; sync and answer again"));
    };
    let mut record: ContactRecord = records::need(work.tx, id)?;
    let ours = device == seat.me.key();
    record.state = if ours { ContactState::Claimed } else { ContactState::Colleague }.into();
    if ours && record.case_id != case_id {
        // Claimed before this vault was restored: the case keeps the name it was claimed under.
        let mut lane: Lane = records::need(work.tx, &record.lane)?;
        lane.case_id.clone_from(&case_id);
        records::save(work.tx, &record.lane.clone(), &lane)?;
        record.case_id = case_id;
    }
    records::save(work.tx, id, &record)?;
    if !ours {
        work.event(Event::ContactTaken { contact: contact_name(id) });
    }
    Ok(ours)
}

fn claimant(
    entry: &SlotEntry,
    seal: &SealKey,
    wanted: &[u8; 32],
) -> Option<(budstikke_e2ee::keys::VerifyingKey, Vec<u8>)> {
    let Ok(Opened::Fragment(fragment)) = cell::open(entry.cells.first()?, seal) else {
        return None;
    };
    match TeamMessage::from_bytes(&fragment.body) {
        Ok(TeamMessage::Claim { contact, case_id, device }) if contact == *wanted => {
            Some((device, case_id))
        }
        _ => None,
    }
}

/// Founds the case channel: group, routes, terms, what came with the contact, and the answer to it.
fn found_case(work: &Work<'_>, mut record: ContactRecord) -> Result<String, Error> {
    let name = case_name(&record.case_id);
    if record.state == i32::from(ContactState::Answered) {
        return Ok(name);
    }
    let device = own_device(work)?;
    let (unit, team_record) = unit_and_team(work)?;
    let me = staff(work)?;
    let mut terms = offered(leg_of(device.unit.kind), &team_record.offers, work.now)?;
    let mut told = Vec::new();
    for content in [&record.counter].into_iter().chain(&record.extra).chain([&record.emergency]) {
        if !content.is_empty() {
            told.push((content.clone(), hear(&mut terms, content, &unit.id, work.now)));
        }
    }
    let charter = Charter {
        kind: GroupKind::Case,
        root: device.unit.root,
        units: vec![unit.id.clone()],
        case_id: record.case_id.clone(),
        // Only an offer accepted as it stood binds the group from its founding.
        terms: fixed(&record.accepted, "terms")
            .ok()
            .filter(|hash| terms.agreed_hash().is_some_and(|agreed| agreed.as_bytes() == hash)),
    };
    let env = work.env();
    let mut group = Group::create(&env, &me, &charter)?;
    let package = KeyPackage::parse(&env, &record.key_package).map_err(GroupError::from)?;
    let from = pseudonym_of(package.credential());
    let pending = group.add(&env, &me, &[package], &[])?;
    group.merge_pending(&env)?;
    let case = CaseRecord {
        id: record.case_id.clone(),
        group_id: group.id().to_vec(),
        relay: record.relay.clone(),
        defender: false,
        routes: record.reply.clone(),
        terms: terms.to_bytes(),
        opened_at: work.now,
        last_at: work.now,
        messages: 0,
        sent: 0,
        unit_id: unit.id.clone(),
        unit_name: unit.name.clone(),
        unit_key: device.unit.key.as_bytes().to_vec(),
        root: device.unit.root.to_vec(),
        seen: 0,
        receipt: Vec::new(),
        identity: Vec::new(),
        words_compared: false,
    };
    records::save(work.tx, &case.id.clone(), &case)?;
    let lane: Lane = records::need(work.tx, &record.lane)?;
    let welcome = Envelope::Welcome(WelcomeBody {
        welcome: pending.welcome.unwrap_or_default(),
        routes: vec![route(&lane)?],
        contact: Some(fixed(&record.id, "a first contact")?),
        note: Vec::new(),
    });
    let reply: Result<Vec<_>, _> = record.reply.iter().map(|r| Route::from_bytes(r)).collect();
    enqueue(work, &reply?, &welcome.to_bytes(), Belongs::default(), false)?;
    let case = write_down(work, case, &from, told)?;
    reply_to_terms(work, case, &record)?;
    let claim = TeamMessage::Claim {
        contact: fixed(&record.id, "a first contact")?,
        case_id: record.case_id.clone(),
        device: me.key(),
    };
    team::tell(work, &claim)?;
    record.state = ContactState::Answered.into();
    records::save(work.tx, &record.id.clone(), &record)?;
    work.event(Event::CaseOpened { case: name.clone() });
    Ok(name)
}

/// The state of terms in which a stranger finds a mission: its offers on the table.
pub(crate) fn offered(
    leg: budstikke_case::Leg,
    offers: &[Vec<u8>],
    now: i64,
) -> Result<TermsState, Error> {
    let mut terms = TermsState::new(leg);
    for offer in offers {
        let received = Received::open(offer.clone())?;
        if let Some(event) = TermsEvent::of(received.content())? {
            // An offer past its date is no longer one; the others stand.
            let _ = terms.apply(event, now);
        }
    }
    Ok(terms)
}

/// Judges what came sealed with the first contact as if it had come in the case; the refusal's code, or nothing.
fn hear(terms: &mut TermsState, content: &[u8], unit: &str, now: i64) -> Option<&'static str> {
    let judged = Received::open(content.to_vec()).and_then(|received| {
        received.act()?;
        validate(received.content(), terms.leg(), Role::Defender)?;
        let passage = Passage::new(wire::Transport::RelayQuic, unit);
        may_accept(received.content(), terms, now, &passage)?;
        if let Some(event) = TermsEvent::of(received.content())? {
            terms.apply(event, now)?;
        }
        Ok(())
    });
    judged.err().map(|refusal| refusal.code())
}

/// The first contact's messages become the case's first messages.
fn write_down(
    work: &Work<'_>,
    mut case: CaseRecord,
    from: &str,
    told: Vec<(Vec<u8>, Option<&'static str>)>,
) -> Result<CaseRecord, Error> {
    for (content, refused) in told {
        let kind = Received::open(content.clone()).map(|received| received.kind());
        case.messages += 1;
        let mut message =
            MessageRecord::new(case.messages, false, from.to_owned(), content, work.now);
        refused.unwrap_or_default().clone_into(&mut message.refused);
        message.quarantined = refused.is_some();
        store(work, &case.id, &message)?;
        work.event(Event::MessageReceived {
            case: case_name(&case.id),
            number: case.messages,
            kind: kind.map_or("unreadable", Kind::name).to_owned(),
        });
    }
    records::save(work.tx, &case.id.clone(), &case)?;
    Ok(case)
}

/// Says yes to a counter-proposal, or counters it with terms that this side accepts already.
fn reply_to_terms(work: &Work<'_>, case: CaseRecord, record: &ContactRecord) -> Result<(), Error> {
    let terms = terms_of(&case)?;
    let Some((hash, pending, _)) = terms.pending().last() else { return Ok(()) };
    let mut accepted = accept(hash, pending);
    let case_id = case.id.clone();
    if !record.answer.is_empty() {
        let mut counter = budstikke_case::decode_terms(&record.answer)?;
        counter.privacy_notice_hash.clone_from(&pending.privacy_notice_hash);
        let file = TermsFile { terms: counter, note: String::new() };
        let (bytes, countered) = file.encode();
        let body =
            wire::TermsCounter { terms: bytes, counters_hash: hash.to_vec(), why: String::new() };
        post(work, Seat::case(work, case)?, body.into(), &SendOptions::default())?;
        accepted = accept(countered, &file.terms);
    }
    let seat = Seat::case(work, records::need(work.tx, &case_id)?)?;
    post(work, seat, accepted.into(), &SendOptions::default())?;
    Ok(())
}

/// The acceptance of terms, with the privacy notice that they name.
pub(crate) fn accept(hash: Hash, terms: &wire::ChannelTerms) -> wire::TermsAcceptance {
    wire::TermsAcceptance {
        terms_hash: hash.to_vec(),
        privacy_notice_hash: terms.privacy_notice_hash.clone(),
        expectations_understood: true,
    }
}
