//! A defender's side: looking at an invitation, the first contact, and the Welcome that answers it.

use budstikke_case::file::{EmergencyFile, TermsFile};
use budstikke_case::{
    Body, Draft, Passage, Received, Role, TermsEvent, TermsState, View, may_send, wire,
};
use budstikke_e2ee::bundle::IntakeBundle;
use budstikke_e2ee::contact::{FirstContact, Route, TermsAnswer};
use budstikke_e2ee::envelope::{Envelope, WelcomeBody};
use budstikke_e2ee::group::{Credential, Expect, Group, GroupKind, Identity, KeyPackage};
use budstikke_e2ee::invite::Invitation;
use budstikke_e2ee::keys::SigningKey;
use budstikke_e2ee::safety::SafetyWords;
use budstikke_proto::cell::SealKey;
use budstikke_proto::id::NoticeId;
use budstikke_proto::limits::FRAGMENT_LEN;
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use rand_core::{OsRng, RngCore};
use zeroize::Zeroizing;

use crate::channel::send::store;
use crate::client::{Client, Profile, Work, claim_role};
use crate::error::{Error, Trust};
use crate::events::Event;
use crate::mission::contacts::{accept, offered};
use crate::mission::leg_of;
use crate::outbox::{Belongs, enqueue};
use crate::posts::{plan_lane, plan_post, route};
use crate::records::{self, Approach, CaseRecord, Lane, LaneUse, MessageRecord, Wish, fixed};
use crate::view::case_name;

/// A mission, as an invitation and its signed notice show it.
#[derive(Clone, Debug)]
pub struct MissionCard {
    /// Unit id, like `no.emb.karvonia`.
    pub unit_id: String,
    /// Its name.
    pub name: String,
    /// Eight words. The mission sees the same; compare them another way if you can.
    pub safety_words: [&'static str; 8],
    /// What the mission tells everybody before they write.
    pub privacy: Option<View>,
    /// Terms to choose from.
    pub offers: Vec<TermsOffer>,
    /// Whether the emergency form can be sent before any terms are agreed.
    pub takes_emergencies: bool,
    /// Unix seconds until which this card holds.
    pub valid_until: i64,
}

/// Terms that a mission offers.
#[derive(Clone, Debug)]
pub struct TermsOffer {
    /// Terms hash, 64 hexadecimal digits.
    pub hash: String,
    /// What they say.
    pub view: View,
}

/// What a defender says first.
#[derive(Clone)]
pub struct ReachOut {
    /// To the terms.
    pub choice: Choice,
    /// "I am in danger": goes at once, under the mission's emergency terms.
    pub emergency: Option<EmergencyFile>,
    /// The name to be called by in this channel; never a real one. Random when `None`.
    pub pseudonym: Option<String>,
}

/// What a defender says to offered terms.
#[derive(Clone)]
pub enum Choice {
    /// Yes to the offer at this place in [`MissionCard::offers`].
    Accept(usize),
    /// Other terms.
    Counter(Box<TermsFile>),
}

impl Client {
    /// Fetches what the mission of an invitation publishes and verifies it: root, issuer, unit, notice. Nothing is
    /// sent to the mission.
    ///
    /// # Errors
    /// [`Error::Trust`] when the invitation or what it leads to does not verify; [`Error::Relay`] when none of its
    /// relays was reached.
    pub async fn look_up(&self, invitation: &str) -> Result<MissionCard, Error> {
        let parsed = Invitation::from_text(invitation)?;
        let content = self.fetch_bundle(&parsed).await?;
        let bundle = IntakeBundle::verify(self.suite(), &content, &parsed, self.now())?;
        let card = card(&parsed, &bundle, self.now())?;
        let text = invitation.to_owned();
        self.vault(move |work| {
            claim_role(work, |profile| *profile == Profile::Defender, "a defender's")?;
            let key = parsed.notice.as_bytes();
            let mut approach = match records::load::<Approach>(work.tx, key)? {
                Some(approach) => approach,
                None => new_approach(text, &bundle),
            };
            approach.bundle = content;
            records::save(work.tx, key, &approach)
        })
        .await?;
        Ok(card)
    }

    /// Makes the first contact with the mission that was looked up last: a reply mailbox, a fresh identity for this
    /// channel alone, and one sealed cell. What happens next: the mission's team answers, and a later
    /// [`Client::sync`] opens the case.
    ///
    /// # Errors
    /// [`Error::NotReady`] before [`Client::look_up`] or when this mission was contacted already;
    /// [`Error::Refused`] for terms or a form that break a rule; [`Error::Relay`], and then the next sync sends it.
    pub async fn reach_out(&self, request: ReachOut) -> Result<(), Error> {
        let _turn = self.turn().await;
        self.vault(move |work| plan(work, request)).await?;
        self.prepare_approaches().await?;
        let flushed = self.flush().await?;
        match flushed.problem {
            Some(problem) => {
                self.publish_event(Event::Problem { what: problem });
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Whether a first contact is on its way and not answered yet.
    ///
    /// # Errors
    /// [`Error::Vault`].
    pub async fn awaits_answer(&self) -> Result<bool, Error> {
        self.vault(|work| {
            let approaches = records::all::<Approach>(work.tx)?;
            Ok(approaches.iter().any(|(_, a)| !a.lane.is_empty() && a.case_id.is_empty()))
        })
        .await
    }

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
        for (key, approach) in planned {
            self.ensure_post(&approach.post).await?;
            self.ensure_lane(&approach.post, &approach.lane).await?;
            let invitation = Invitation::from_text(&approach.invitation)?;
            let now = self.now();
            let fresh =
                IntakeBundle::verify(self.suite(), &approach.bundle, &invitation, now).is_ok();
            if !fresh {
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
            self.vault(move |work| seal_contact(work, &key)).await?;
        }
        Ok(())
    }

    async fn fetch_bundle(&self, invitation: &Invitation) -> Result<Vec<u8>, Error> {
        let id = NoticeId::from_bytes(*invitation.notice.as_bytes());
        let mut failed = None;
        for address in &invitation.relays {
            match self.relay(address, b"look-up")?.notice_get(id).await {
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
    let me = Identity::from_bytes(&approach.seed)
        .map_err(|_| Error::Damaged { what: "the identity of this channel" })?;
    let terms = TermsState::from_bytes(&approach.terms_record)?;
    let agreed = approach.wish.as_ref().filter(|wish| !wish.accepted.is_empty());
    let expect = Expect {
        kind: GroupKind::Case,
        root: fixed(&approach.root, "the invitation")?,
        unit: approach.unit_id.clone(),
        case_id: None,
        terms: agreed.map(|wish| fixed(&wish.accepted, "the terms")).transpose()?,
        replace: false,
    };
    let group = Group::join(&work.env(), &me, &body.welcome, &expect)?;
    let case_id = group.charter().case_id.clone();
    fixed::<16>(&case_id, "the case")?;
    let mut case = CaseRecord {
        id: case_id.clone(),
        group_id: group.id().to_vec(),
        relay: lane.relay.clone(),
        defender: true,
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
    };
    let name = pseudonym_of(me.credential());
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
    records::save(work.tx, &key, &approach)?;
    work.event(Event::CaseOpened { case: case_name(&case_id) });
    Ok(())
}

/// The name that a credential of a defender gives.
pub(crate) fn pseudonym_of(credential: &Credential) -> String {
    match credential {
        Credential::Defender { pseudonym } => pseudonym.clone(),
        _ => String::new(),
    }
}

fn new_approach(invitation: String, bundle: &IntakeBundle) -> Approach {
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
    }
}

fn card(invitation: &Invitation, bundle: &IntakeBundle, now: i64) -> Result<MissionCard, Error> {
    let terms = offered(leg_of(bundle.unit.kind), &bundle.offers, now)?;
    let notice = bundle.offers.iter().find_map(|offer| {
        let received = Received::open(offer.clone()).ok()?;
        let is_notice = matches!(received.content().body, Some(Body::PrivacyNotice(_)));
        is_notice.then(|| View::of(received.content()))
    });
    let offers = terms.offers().map(|(hash, terms)| TermsOffer {
        hash: HEXLOWER.encode(hash.as_bytes()),
        view: View::of_terms(terms),
    });
    Ok(MissionCard {
        unit_id: bundle.unit.id.clone(),
        name: bundle.unit.name.clone(),
        safety_words: *SafetyWords::of_unit(&invitation.root, &bundle.unit.key).words(),
        privacy: notice,
        offers: offers.collect(),
        takes_emergencies: terms.emergency_terms().is_some(),
        valid_until: bundle.valid_until,
    })
}

/// Builds and judges everything that is said first, and plans the reply mailbox. Nothing has left yet.
fn plan(work: &Work<'_>, request: ReachOut) -> Result<(), Error> {
    let approaches = records::all::<Approach>(work.tx)?;
    let written = !approaches.is_empty();
    let newest = approaches.into_iter().rfind(|(_, approach)| approach.lane.is_empty());
    let Some((key, mut approach)) = newest else {
        return Err(Error::NotReady(if written {
            "you have written to this mission already; fetch what has come to see the answer"
        } else {
            "look at the mission's invitation first"
        }));
    };
    let invitation = Invitation::from_text(&approach.invitation)?;
    let bundle = IntakeBundle::verify(work.suite, &approach.bundle, &invitation, work.now)?;
    let leg = leg_of(bundle.unit.kind);
    let mut terms = offered(leg, &bundle.offers, work.now)?;
    let mut wish = Wish::default();
    let acceptance = match request.choice {
        Choice::Accept(place) => {
            let (hash, offer) = terms
                .offers()
                .nth(place)
                .ok_or(Error::NotFound { what: "an offer with that number" })?;
            wish.accepted = hash.to_vec();
            accept(hash, offer)
        }
        Choice::Counter(mut file) => {
            let (countered, offer) = terms
                .offers()
                .next()
                .ok_or(Error::NotFound { what: "an offer that could be countered" })?;
            file.terms.privacy_notice_hash.clone_from(&offer.privacy_notice_hash);
            if file.terms.units.is_empty() {
                file.terms.units.push(bundle.unit.id.clone());
            }
            let (bytes, hash) = file.encode();
            let acceptance = accept(hash, &file.terms);
            let counter = wire::TermsCounter {
                terms: bytes,
                counters_hash: countered.to_vec(),
                why: file.note.clone(),
            };
            wish.counter = say(work, &mut terms, &bundle, counter.into())?;
            acceptance
        }
    };
    wish.extra = vec![say(work, &mut terms, &bundle, acceptance.into())?];
    if let Some(emergency) = request.emergency {
        wish.emergency = say(work, &mut terms, &bundle, emergency.emergency.into())?;
    }
    let told = [&wish.counter].into_iter().chain(&wish.extra).chain([&wish.emergency]);
    approach.told = told.filter(|content| !content.is_empty()).cloned().collect();
    approach.terms_record = terms.to_bytes();
    approach.seed = identity(request.pseudonym)?.to_bytes().to_vec();
    let relay = invitation.relays.first().cloned().unwrap_or_default();
    let mut post = [0; 16];
    OsRng.fill_bytes(&mut post);
    plan_post(work, &post, &relay, false)?;
    approach.post = post.to_vec();
    approach.lane = plan_lane(work, &relay, LaneUse::Peer)?.as_bytes().to_vec();
    approach.wish = Some(wish);
    records::save(work.tx, &key, &approach)
}

/// Builds one message of the first contact, holds it against the rules, and takes the step that it means.
fn say(
    work: &Work<'_>,
    terms: &mut TermsState,
    bundle: &IntakeBundle,
    body: Body,
) -> Result<Vec<u8>, Error> {
    let mut id = [0; 16];
    OsRng.fill_bytes(&mut id);
    let is_emergency = matches!(body, Body::EmergencyContact(_));
    let purpose =
        if is_emergency { wire::Purpose::Protection } else { wire::Purpose::RunningTheChannel };
    let mut draft =
        Draft::new(terms.leg(), Role::Defender, id, work.now).to(&bundle.unit.id).purpose(purpose);
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

/// A key pair for this channel alone.
fn identity(pseudonym: Option<String>) -> Result<Identity, Error> {
    let pseudonym = pseudonym.unwrap_or_else(|| {
        let mut random = [0; 5];
        OsRng.fill_bytes(&mut random);
        format!("visitor-{}", BASE32_NOPAD.encode(&random).to_ascii_lowercase())
    });
    Identity::defender(SigningKey::generate(&mut OsRng), &pseudonym)
        .map_err(|error| Error::Input { what: "pseudonym", why: error.to_string() })
}

/// Seals the first contact to the mission's newest intake key and puts it into the outbox.
fn seal_contact(work: &Work<'_>, key: &[u8]) -> Result<(), Error> {
    let mut approach: Approach = records::need(work.tx, key)?;
    let Some(wish) = approach.wish.clone().filter(|_| !approach.sent) else { return Ok(()) };
    let invitation = Invitation::from_text(&approach.invitation)?;
    let bundle = IntakeBundle::verify(work.suite, &approach.bundle, &invitation, work.now)?;
    let me = Identity::from_bytes(&approach.seed)
        .map_err(|_| Error::Damaged { what: "the identity of this channel" })?;
    let lane: Lane = records::need(work.tx, &approach.lane)?;
    let contact = FirstContact {
        key_package: KeyPackage::create(&work.env(), &me)?.bytes().to_vec(),
        reply: vec![route(&lane)?],
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
    let door = Route {
        relay: invitation.relays.first().cloned().unwrap_or_default(),
        send_id: invitation.send_id,
        send_secret: invitation.send_secret.clone(),
        seal_key: Zeroizing::new(*SealKey::of_front_door(&invitation.send_secret).as_bytes()),
        label: Vec::new(),
    };
    enqueue(work, &[door], &envelope, Belongs::default(), true)?;
    approach.sent = true;
    records::save(work.tx, key, &approach)
}
