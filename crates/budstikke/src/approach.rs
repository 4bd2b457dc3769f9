//! An approach: how a first contact leaves and how its answer comes in, for a defender who writes to a mission and
//! for a mission that opens its line to the Ministry.

use budstikke_case::{Body, Draft, Passage, Role, TermsEvent, TermsState, may_send, wire};
use budstikke_e2ee::bundle::IntakeBundle;
use budstikke_e2ee::contact::{FirstContact, Route, TermsAnswer};
use budstikke_e2ee::envelope::{Envelope, WelcomeBody};
use budstikke_e2ee::group::{Credential, Expect, Group, GroupKind, Identity, KeyPackage};
use budstikke_e2ee::invite::Invitation;
use budstikke_proto::cell::SealKey;
use budstikke_proto::id::NoticeId;
use budstikke_proto::limits::FRAGMENT_LEN;
use zeroize::Zeroizing;

use crate::channel::seat::{Seat, free_case_id, staff};
use crate::channel::send::store;
use crate::channel::verify::watch;
use crate::client::{Client, Work};
use crate::directory;
use crate::error::{Error, Trust};
use crate::events::Event;
use crate::mission::own_device;
use crate::outbox::{Belongs, drop_unsent, enqueue};
use crate::posts::{route, usable};
use crate::random::fresh;
use crate::records::{self, Approach, CaseRecord, Lane, MessageRecord, OutboxRecord, fixed};
use crate::view::case_name;

/// How often a door that takes nothing is looked for anew.
const TRY_DOOR_AGAIN_S: i64 = 3_600;

impl Client {
    /// Gets planned first contacts into the outbox: the reply mailbox first, then the sealed cell.
    pub(crate) async fn prepare_approaches(&self) -> Result<(), Error> {
        let planned = self
            .vault(|work| {
                let approaches = records::all::<Approach>(work.tx)?;
                Ok(approaches
                    .into_iter()
                    .filter(|(_, approach)| approach.wish.is_some() && !approach.sent)
                    .collect::<Vec<_>>())
            })
            .await?;
        let mut failed = None;
        for (key, approach) in planned {
            // One mission that is not reached holds up no other.
            if let Err(error) = self.prepare(key, &approach).await {
                failed = failed.or(Some(error));
            }
        }
        failed.map_or(Ok(()), Err)
    }

    async fn prepare(&self, key: Vec<u8>, approach: &Approach) -> Result<(), Error> {
        self.ensure_post(&approach.post).await?;
        self.ensure_lane(&approach.post, &approach.lane).await?;
        let invitation = Invitation::from_text(&approach.invitation)?;
        let (there, by) = (approach.bundle.clone(), invitation.clone());
        let fresh = self.vault(move |work| Ok(directory::bundle(work, &there, &by).is_ok()));
        if !fresh.await? {
            // The plan is older than the mission's intake key: fetch the newest.
            let content = self.fetch_bundle(&invitation).await?;
            let key = key.clone();
            self.vault(move |work| {
                let mut approach: Approach = records::need(work.tx, &key)?;
                approach.bundle = content;
                records::save(work.tx, &key, &approach)
            })
            .await?;
        }
        self.vault(move |work| seal_contact(work, &key)).await
    }

    /// What stands under an invitation's notice, from the first of its relays that has it.
    pub(crate) async fn fetch_bundle(&self, invitation: &Invitation) -> Result<Vec<u8>, Error> {
        let id = NoticeId::from_bytes(*invitation.notice.as_bytes());
        let mut failed = None;
        for address in &invitation.relays {
            // One connection for each mission: a relay need not see that somebody looks at several.
            match self.relay(address, id.as_bytes())?.notice_get(id).await {
                Ok(Some(notice)) => return Ok(notice.content),
                Ok(None) => {}
                Err(error) => failed = Some(error),
            }
        }
        Err(match failed {
            Some(error) => error.into(),
            None => Error::Trust(Box::new(Trust::NothingPublished)),
        })
    }
}

/// A Welcome on a reply lane: the case channel opens.
pub(crate) fn welcomed(work: &Work<'_>, lane: &Lane, body: &WelcomeBody) -> Result<(), Error> {
    let approaches = records::all::<Approach>(work.tx)?;
    let found = approaches.into_iter().find(|(_, approach)| approach.lane == lane.label);
    let Some((key, mut approach)) = found else { return Ok(()) };
    if !approach.case_id.is_empty() {
        return Ok(());
    }
    usable(work, &body.routes)?;
    let me = identity_of(work, &approach)?;
    let terms = TermsState::from_bytes(&approach.terms_record)?;
    let agreed = approach.wish.as_ref().filter(|wish| !wish.accepted.is_empty());
    let expect = Expect {
        kind: if approach.line { GroupKind::MinistryLine } else { GroupKind::Case },
        root: fixed(&approach.root, "the invitation")?,
        unit: approach.unit_id.clone(),
        case_id: None,
        terms: agreed.map(|wish| fixed(&wish.accepted, "the terms")).transpose()?,
        replace: false,
    };
    let group = Group::join(&work.env(), &me, &body.welcome, &expect)?;
    let case_id = group.charter().case_id.clone();
    free_case_id(work, &case_id)?;
    let mut case = CaseRecord {
        id: case_id.clone(),
        group_id: group.id().to_vec(),
        relay: lane.relay.clone(),
        defender: !approach.line,
        routes: body.routes.iter().map(|route| route.to_bytes().to_vec()).collect(),
        terms: terms.to_bytes(),
        opened_at: work.now,
        last_at: work.now,
        messages: 0,
        sent: 0,
        unit_id: approach.unit_id.clone(),
        unit_name: approach.unit_name.clone(),
        unit_key: approach.unit_key.clone(),
        root: approach.root.clone(),
        seen: 0,
        receipt: Vec::new(),
        identity: approach.seed.clone(),
        words_compared: false,
        own_unit: own_unit(work, &approach)?,
        peer_unit: approach.unit_id.clone(),
        peer_name: approach.unit_name.clone(),
        line: approach.line,
        line_for: approach.line_for.clone(),
        consent_seed: Vec::new(),
        frozen: None,
        left_at: 0,
    };
    let name = name_in(work, me.credential())?;
    for content in &approach.told {
        case.messages += 1;
        let message =
            MessageRecord::new(case.messages, true, name.clone(), content.clone(), work.now);
        store(work, &case_id, &message)?;
    }
    records::save(work.tx, &case_id, &case)?;
    let mut lane: Lane = records::need(work.tx, &lane.label)?;
    lane.case_id.clone_from(&case_id);
    records::save(work.tx, &lane.label.clone(), &lane)?;
    approach.case_id.clone_from(&case_id);
    // What was said stands in the case now, and goes when the case goes.
    (approach.wish, approach.told) = (None, Vec::new());
    zeroize::Zeroize::zeroize(&mut approach.seed);
    records::save(work.tx, &key, &approach)?;
    work.tx.erase_now();
    work.event(Event::CaseOpened { case: case_name(&case_id) });
    watch(work, &mut Seat::case(work, case)?)
}

/// The identity of an approach: a defender's of its own, a mission device's certified one.
fn identity_of(work: &Work<'_>, approach: &Approach) -> Result<Identity, Error> {
    if approach.line {
        return staff(work);
    }
    Identity::from_bytes(&approach.seed)
        .map_err(|_| Error::Damaged { what: "the identity of this channel" })
}

fn own_unit(work: &Work<'_>, approach: &Approach) -> Result<String, Error> {
    if approach.line { Ok(own_device(work)?.unit.id) } else { Ok(String::new()) }
}

/// The own name in what was said first.
fn name_in(work: &Work<'_>, credential: &Credential) -> Result<String, Error> {
    Ok(match credential {
        Credential::Defender { pseudonym } => pseudonym.clone(),
        _ => own_device(work)?.label,
    })
}

/// What is remembered of a mission or desk whose invitation was looked at.
pub(crate) fn new_approach(invitation: String, bundle: &IntakeBundle) -> Approach {
    Approach {
        invitation,
        bundle: Vec::new(),
        seed: Vec::new(),
        lane: Vec::new(),
        post: Vec::new(),
        terms_record: Vec::new(),
        case_id: Vec::new(),
        sent: false,
        wish: None,
        told: Vec::new(),
        unit_name: bundle.unit.name.clone(),
        unit_id: bundle.unit.id.clone(),
        unit_key: bundle.unit.key.as_bytes().to_vec(),
        root: bundle.unit.root.to_vec(),
        line: false,
        line_for: Vec::new(),
        key_compared: false,
        door: Vec::new(),
        refused_at: 0,
    }
}

/// Builds one message of the first contact, holds it against the rules, and takes the step that it means.
pub(crate) fn say(
    work: &Work<'_>,
    terms: &mut TermsState,
    bundle: &IntakeBundle,
    role: Role,
    body: Body,
) -> Result<Vec<u8>, Error> {
    let id = fresh::<16>();
    let is_emergency = matches!(body, Body::EmergencyContact(_));
    let purpose =
        if is_emergency { wire::Purpose::Protection } else { wire::Purpose::RunningTheChannel };
    let mut draft =
        Draft::new(terms.leg(), role, id, work.now).to(&bundle.unit.id).purpose(purpose);
    let emergency = terms.emergency_terms().map(|(hash, _)| hash).filter(|_| is_emergency);
    if let Some(hash) = terms.agreed_hash().or(emergency) {
        draft = draft.terms(hash);
    }
    let built = draft.build(body)?;
    let passage = Passage::new(wire::Transport::RelayQuic, &bundle.unit.id);
    may_send(&built.content, terms, work.now, &passage)?;
    if let Some(event) = TermsEvent::of(&built.content)? {
        terms.apply(event, work.now)?;
    }
    Ok(built.bytes)
}

/// Seals the first contact to the mission's newest intake key and puts it into the outbox.
fn seal_contact(work: &Work<'_>, key: &[u8]) -> Result<(), Error> {
    let mut approach: Approach = records::need(work.tx, key)?;
    if approach.sent {
        return Ok(());
    }
    let invitation = Invitation::from_text(&approach.invitation)?;
    let bundle = directory::bundle(work, &approach.bundle, &invitation)?;
    let lane: Lane = records::need(work.tx, &approach.lane)?;
    let package = KeyPackage::create(&work.env(), &identity_of(work, &approach)?)?;
    let envelope = sealed(work, &approach, &bundle, &package, route(&lane)?)?;
    let found = bundle.door(&invitation);
    let door = Route {
        relay: invitation.relays.first().cloned().unwrap_or_default(),
        send_id: found.send_id,
        seal_key: Zeroizing::new(*SealKey::of_front_door(&found.send_secret).as_bytes()),
        send_secret: found.send_secret,
        label: Vec::new(),
    };
    approach.door = door.send_id.to_vec();
    enqueue(work, &[door], &envelope, Belongs::default(), true)?;
    approach.sent = true;
    records::save(work.tx, key, &approach)
}

/// A front door took nothing: the mission has moved since its bundle was fetched, perhaps. Once an hour the newest bundle
/// is asked, and the first contact is made anew for what it names; whether the cell is of no use any more.
pub(crate) fn door_is_closed(work: &Work<'_>, seq: u64, row: &OutboxRecord) -> Result<bool, Error> {
    for (key, mut approach) in records::all::<Approach>(work.tx)? {
        let waits = approach.sent && approach.case_id.is_empty() && approach.wish.is_some();
        let again = approach.refused_at <= work.now.saturating_sub(TRY_DOOR_AGAIN_S);
        if approach.door != row.send_id || !waits || !again {
            continue;
        }
        approach.refused_at = work.now;
        approach.sent = false;
        approach.bundle.clear();
        records::save(work.tx, &key, &approach)?;
        drop_unsent(work, &[seq])?;
        return Ok(true);
    }
    Ok(false)
}

/// Whether what is planned goes into the one cell that a first contact has: asked while it can still be shortened,
/// with a route and a key package like the ones to come.
///
/// # Errors
/// [`Error::Input`] when it is too long.
pub(crate) fn fits(
    work: &Work<'_>,
    approach: &Approach,
    bundle: &IntakeBundle,
) -> Result<(), Error> {
    let mut lane: Lane = records::need(work.tx, &approach.lane)?;
    lane.send_id = vec![0; 32];
    let package = KeyPackage::create(&work.env(), &identity_of(work, approach)?)?;
    sealed(work, approach, bundle, &package, route(&lane)?)?;
    Ok(package.discard(&work.env())?)
}

fn sealed(
    work: &Work<'_>,
    approach: &Approach,
    bundle: &IntakeBundle,
    package: &KeyPackage,
    reply: Route,
) -> Result<Vec<u8>, Error> {
    let wish = approach.wish.as_ref().ok_or(Error::Damaged { what: "a planned first contact" })?;
    let contact = FirstContact {
        key_package: package.bytes().to_vec(),
        reply: vec![reply],
        terms: if wish.counter.is_empty() {
            TermsAnswer::Accepted(fixed(&wish.accepted, "the terms")?)
        } else {
            TermsAnswer::Counter(wish.counter.clone())
        },
        emergency: Some(wish.emergency.clone()).filter(|content| !content.is_empty()),
        extra: wish.extra.clone(),
    };
    let intake = bundle.keys.first().ok_or(Error::NotFound { what: "an intake key" })?;
    let envelope = Envelope::FirstContact(contact.seal(work.suite, intake)?).to_bytes();
    if envelope.len() > FRAGMENT_LEN {
        return Err(Error::Input {
            what: "the first contact",
            why: "it is too long for one cell; shorten the terms or the form".to_owned(),
        });
    }
    Ok(envelope)
}
