//! First contacts: who takes one, and the case channel that answers it.
//!
//! Every device of the team sees every first contact. The one whose person answers claims it in a slot that only
//! the team can derive; the first valid claim founds the case. Each step is committed before the next, so a device
//! that stops in between goes on where it was.

use budstikke_case::file::TermsFile;
use budstikke_case::{Body, Kind, Received, View, wire};
use budstikke_e2ee::team::TeamMessage;
use budstikke_proto::cell::{self, Opened, SealKey};
use budstikke_proto::id::SlotId;
use budstikke_proto::sign::SigningSeed;
use rand_core::OsRng;
use zeroize::Zeroize as _;

use super::{TEAM_POST, found, unit_and_team};
use crate::channel::seat::{Seat, free_case_id};
use crate::client::{Client, Work};
use crate::error::Error;
use crate::events::Event;
use crate::posts::plan_lane;
use crate::random::fresh;
use crate::records::{self, ContactRecord, ContactState, Lane, LaneUse, fixed};
use crate::relay::{RelayError, SlotEntry, Standing};
use crate::view::{by_name, case_name, contact_name, debug_name};

/// What a stranger said to the offered terms.
#[derive(Clone)]
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
#[derive(Clone)]
pub struct Contact {
    /// Its short name: 8 letters and digits.
    pub id: String,
    /// Unix seconds.
    pub received_at: i64,
    /// How far it is.
    pub stage: ContactStage,
    /// What they said to the terms.
    pub terms: TermsChoice,
    /// The emergency form, if it came with it and nobody has taken the contact yet.
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

debug_name!(TermsChoice, Contact);

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
        let mut failed = None;
        for id in open {
            match self.go_on_answering(&id).await {
                Ok(_) | Err(Error::TakenByColleague) => {}
                // One that can't be answered holds up none of the others.
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(()), Err)
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
        self.vault(move |work| found::found(work, record)).await
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
    let emergency = emergency_in(&record.emergency);
    Contact {
        id: contact_name(&record.id),
        received_at: record.received_at,
        stage,
        terms,
        emergency: emergency.map(|received| View::of(received.content())),
        case: (stage == ContactStage::Answered).then(|| case_name(&record.case_id)),
    }
}

/// The emergency form in what came as one. No terms are in force yet, so nothing else is shown.
pub(crate) fn emergency_in(content: &[u8]) -> Option<Received> {
    let received = Received::open(content.to_vec()).ok()?;
    (received.kind() == Kind::EmergencyContact && received.act().is_ok()).then_some(received)
}

/// What a contact brought goes once it stands in a case, or a colleague has it. Its id stays, so that the same one
/// is not taken twice, and what it said to the terms.
pub(crate) fn empty(work: &Work<'_>, record: &mut ContactRecord) {
    record.key_package.clear();
    record.emergency.zeroize();
    record.reply.zeroize();
    record.extra.zeroize();
    work.tx.erase_now();
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
        Ok(ContactState::Answered) => return Ok(record.id.clone()),
        _ => {
            // Answered before, but not through yet: perhaps with terms that were refused. The newest word counts.
            record.answer = said(decision);
            records::save(work.tx, &record.id.clone(), &record)?;
            return Ok(record.id.clone());
        }
    }
    let case_id = fresh::<16>();
    record.case_id = case_id.to_vec();
    record.answer = said(decision);
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

/// A decision as it is kept: the other terms, or nothing.
fn said(decision: Decision) -> Vec<u8> {
    match decision {
        Decision::Accept => Vec::new(),
        Decision::Counter(file) => file.encode().0,
    }
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
    let name = fresh::<16>();
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
    if ours && record.case_id != case_id && free_case_id(work, &case_id).is_ok() {
        // Claimed before this vault was restored: the case keeps the name it was claimed under. But any colleague
        // can write a claim in our name: it must not take the place of a case of ours.
        let mut lane: Lane = records::need(work.tx, &record.lane)?;
        lane.case_id.clone_from(&case_id);
        records::save(work.tx, &record.lane.clone(), &lane)?;
        record.case_id = case_id;
    }
    if !ours {
        empty(work, &mut record);
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
