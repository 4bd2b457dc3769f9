//! Founding a channel in answer to a first contact: the group, the routes, the terms, and what was said first.
//!
//! A defender's contact becomes a case; a mission's contact, which comes with its certificate, becomes its line to
//! the Ministry.

use budstikke_case::file::TermsFile;
use budstikke_case::{
    Hash, Kind, Leg, Passage, Received, Refusal, TermsEvent, TermsState, may_accept, validate, wire,
};
use budstikke_e2ee::contact::Route;
use budstikke_e2ee::envelope::{Envelope, WelcomeBody};
use budstikke_e2ee::group::{Charter, Credential, Group, GroupError, GroupKind, KeyPackage, Party};
use budstikke_e2ee::team::TeamMessage;

use super::contacts::empty;
use super::{leg_of, own_device, team, unit_and_team};
use crate::channel::content::role_of;
use crate::channel::seat::{Seat, free_case_id, staff, terms_of};
use crate::channel::send::{SendOptions, name_of, post, store};
use crate::channel::verify::watch;
use crate::client::Work;
use crate::directory;
use crate::error::Error;
use crate::events::Event;
use crate::outbox::{Belongs, enqueue};
use crate::posts::route;
use crate::records::{self, CaseRecord, ContactRecord, ContactState, Lane, MessageRecord, fixed};
use crate::view::case_name;

/// Founds the channel: group, routes, terms, what came with the contact, and the answer to it.
pub(crate) fn found(work: &Work<'_>, mut record: ContactRecord) -> Result<String, Error> {
    let name = case_name(&record.case_id);
    if record.state == i32::from(ContactState::Answered) {
        return Ok(name);
    }
    free_case_id(work, &record.case_id)?;
    let device = own_device(work)?;
    let (unit, team_record) = unit_and_team(work)?;
    let me = staff(work)?;
    let env = work.env();
    let package = KeyPackage::parse(&env, &record.key_package).map_err(GroupError::from)?;
    let caller = caller(work, package.credential(), device.unit.root)?;
    let mut terms = offered(leg_of(device.unit.kind), &team_record.offers, work.now)?;
    let mut told = Vec::new();
    for content in [&record.counter].into_iter().chain(&record.extra).chain([&record.emergency]) {
        if !content.is_empty() {
            told.push((content.clone(), hear(&mut terms, content, &caller, &unit.id, work.now)));
        }
    }
    let line = terms.leg() == Leg::MissionMinistry;
    let (peer_unit, peer_name) = match &caller {
        Party::Device(peer) if line => (peer.unit.id.clone(), peer.unit.name.clone()),
        Party::Defender { .. } if !line => Default::default(),
        _ => {
            return Err(Error::Input {
                what: "a first contact",
                why: "defenders write to missions, and missions to the Ministry's desk".to_owned(),
            });
        }
    };
    let mut units = vec![unit.id.clone()];
    units.extend(line.then(|| peer_unit.clone()));
    let charter = Charter {
        kind: if line { GroupKind::MinistryLine } else { GroupKind::Case },
        root: device.unit.root,
        units,
        case_id: record.case_id.clone(),
        // Only an offer accepted as it stood binds the group from its founding.
        terms: fixed(&record.accepted, "terms")
            .ok()
            .filter(|hash| terms.agreed_hash().is_some_and(|agreed| agreed.as_bytes() == hash)),
    };
    let mut group = Group::create(&env, &me, &charter)?;
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
        own_unit: unit.id.clone(),
        peer_unit,
        peer_name,
        line,
        line_for: Vec::new(),
        consent_seed: Vec::new(),
        frozen: None,
        left_at: 0,
    };
    records::save(work.tx, &case.id.clone(), &case)?;
    watch(work, &mut Seat::case(work, case.clone())?)?;
    let lane: Lane = records::need(work.tx, &record.lane)?;
    let welcome = Envelope::Welcome(WelcomeBody {
        welcome: pending.welcome.unwrap_or_default(),
        routes: vec![route(&lane)?],
        contact: Some(fixed(&record.id, "a first contact")?),
        note: Vec::new(),
        again: None,
    });
    let reply: Result<Vec<_>, _> = record.reply.iter().map(|r| Route::from_bytes(r)).collect();
    enqueue(work, &reply?, &welcome.to_bytes(), Belongs::default(), false)?;
    let case = write_down(work, case, &name_of(&caller), told)?;
    reply_to_terms(work, case, &record)?;
    let claim = TeamMessage::Claim {
        contact: fixed(&record.id, "a first contact")?,
        case_id: record.case_id.clone(),
        device: me.key(),
    };
    team::tell(work, &claim)?;
    record.state = ContactState::Answered.into();
    empty(work, &mut record);
    records::save(work.tx, &record.id.clone(), &record)?;
    work.event(Event::CaseOpened { case: name.clone() });
    Ok(name)
}

/// Who makes a first contact: a pseudonym, or a device whose certificate holds under our own root.
fn caller(work: &Work<'_>, credential: &Credential, root: [u8; 32]) -> Result<Party, Error> {
    match credential {
        Credential::Defender { pseudonym } => Ok(Party::Defender { pseudonym: pseudonym.clone() }),
        Credential::Staff(chain) => {
            Ok(Party::Device(Box::new(directory::device(work, chain, &root)?)))
        }
        _ => Err(Error::Input {
            what: "a first contact",
            why: "its sender is of a kind that this version does not know".to_owned(),
        }),
    }
}

/// The state of terms in which a stranger finds a mission: its offers on the table.
pub(crate) fn offered(leg: Leg, offers: &[Vec<u8>], now: i64) -> Result<TermsState, Error> {
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
fn hear(
    terms: &mut TermsState,
    content: &[u8],
    caller: &Party,
    unit: &str,
    now: i64,
) -> Option<&'static str> {
    let judged = Received::open(content.to_vec()).and_then(|received| {
        let (header, _) = received.act()?;
        let role = role_of(caller, header.sender_role, terms.leg())?;
        validate(received.content(), terms.leg(), role)?;
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
    let case_id = case.id.clone();
    let (own, peer) = (case.own_unit.clone(), case.peer_unit.clone());
    let units = [own.as_str(), peer.as_str()];
    let accepted = if record.answer.is_empty() {
        accept(hash, pending, &units)?
    } else {
        let mut counter = budstikke_case::decode_terms(&record.answer)?;
        counter.privacy_notice_hash.clone_from(&pending.privacy_notice_hash);
        counter.inherits_terms_hash.clone_from(&pending.inherits_terms_hash);
        let file = TermsFile { terms: counter, note: String::new() };
        let (bytes, countered) = file.encode();
        let body =
            wire::TermsCounter { terms: bytes, counters_hash: hash.to_vec(), why: String::new() };
        let accepted = accept(countered, &file.terms, &units)?;
        post(work, Seat::case(work, case)?, body.into(), &SendOptions::default())?;
        accepted
    };
    let seat = Seat::case(work, records::need(work.tx, &case_id)?)?;
    post(work, seat, accepted.into(), &SendOptions::default())?;
    Ok(())
}

/// The acceptance of terms, with the privacy notice that they name.
///
/// # Errors
/// I01, as [`all_named`].
pub(crate) fn accept(
    hash: Hash,
    terms: &wire::ChannelTerms,
    units: &[&str],
) -> Result<wire::TermsAcceptance, Refusal> {
    all_named(terms, units)?;
    Ok(wire::TermsAcceptance {
        terms_hash: hash.to_vec(),
        privacy_notice_hash: terms.privacy_notice_hash.clone(),
        expectations_understood: true,
    })
}

/// Terms that leave out a unit of their own channel would close it, to their own renewal too.
///
/// # Errors
/// I01 with the unit that is left out.
pub(crate) fn all_named(terms: &wire::ChannelTerms, units: &[&str]) -> Result<(), Refusal> {
    let named = |unit: &str| unit.is_empty() || terms.units.iter().any(|known| known == unit);
    match units.iter().find(|unit| !named(unit)) {
        None => Ok(()),
        Some(unit) => Err(Refusal::WrongRecipient {
            intended: terms.units.join(", "),
            actual: (*unit).to_owned(),
            why: "not-in-the-terms",
        }),
    }
}
