//! A defender's side: looking at an invitation, choosing terms, and the first contact.

use budstikke_case::file::{EmergencyFile, TermsFile};
use budstikke_case::{Body, Received, Refusal, Role, View, wire};
use budstikke_e2ee::bundle::{IntakeBundle, chain_of};
use budstikke_e2ee::cert::UnitKind;
use budstikke_e2ee::group::Identity;
use budstikke_e2ee::invite::Invitation;
use budstikke_e2ee::keys::SigningKey;
use budstikke_e2ee::safety::SafetyWords;
use data_encoding::{BASE32_NOPAD, HEXLOWER};
use rand_core::OsRng;

use crate::approach::{fits, new_approach, say};
use crate::channel::verify::known_otherwise;
use crate::client::{Client, Profile, Work, claim_role};
use crate::directory;
use crate::error::Error;
use crate::events::Event;
use crate::mission::found::{accept, offered};
use crate::mission::leg_of;
use crate::posts::{plan_lane, plan_post};
use crate::random::fresh;
use crate::records::{self, Approach, LaneUse, Wish};

/// A mission, as an invitation and its signed notice show it.
#[derive(Clone, Debug)]
pub struct MissionCard {
    /// Unit id, like `no.emb.karvonia`.
    pub unit_id: String,
    /// Its name.
    pub name: String,
    /// The mission sees the same; compare them another way if you can.
    pub safety_words: SafetyWords,
    /// Unix seconds at which this vault last knew the mission under another key: it began anew, or somebody pretends
    /// to be it. Compare the words before anything is sent ([`Client::confirm_new_key`]).
    pub key_changed: Option<i64>,
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
        let chain = chain_of(&content);
        let unit = chain.and_then(|chain| chain.trusted_unit(&parsed.root).ok());
        if let Some(id) = unit.and_then(|unit| unit.directory) {
            self.look_at_directory_of(parsed.root, *id.as_bytes(), &parsed.relays).await?;
        }
        let (shown, by) = (content.clone(), parsed.clone());
        let bundle = self.vault(move |work| directory::bundle(work, &shown, &by)).await?;
        if bundle.unit.kind == UnitKind::MinistryDesk {
            return Err(Error::Input {
                what: "the invitation",
                why: "it is for missions, not for you; ask the mission for yours".to_owned(),
            });
        }
        let mut card = card(&parsed, &bundle, self.now())?;
        let text = invitation.to_owned();
        self.vault(move |work| {
            claim_role(work, |profile| *profile == Profile::Defender, "a defender's")?;
            let unit = &bundle.unit;
            card.key_changed = known_otherwise(work, &unit.root, &unit.id, &unit.key)?;
            let key = parsed.notice.as_bytes();
            let written = records::load::<Approach>(work.tx, key)?.filter(|a| !a.lane.is_empty());
            // What was looked at before, under another invitation perhaps, counts no more, unless it was written to.
            let mut approach = written.unwrap_or_else(|| new_approach(text, &bundle));
            approach.bundle = content;
            // The one that was looked at last is the last in the list.
            records::remove::<Approach>(work.tx, key)?;
            records::save(work.tx, key, &approach)?;
            Ok(card)
        })
        .await
    }

    /// Makes the first contact with the mission that was looked up last: a reply mailbox, a fresh identity for this
    /// channel alone, and one sealed cell. What happens next: the mission's team answers, and a later
    /// [`Client::sync`] opens the case.
    ///
    /// # Errors
    /// [`Error::NotReady`] before [`Client::look_up`] or when this mission was contacted already;
    /// [`Error::Refused`] for terms or a form that break a rule, and for a mission whose key has changed (I02);
    /// [`Error::Relay`], and then the next sync sends it.
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

    /// Notes that a person has compared the safety words of the mission that was looked up last, although its key is
    /// another than before ([`MissionCard::key_changed`]). Nothing is sent by this.
    ///
    /// # Errors
    /// [`Error::NotReady`] before [`Client::look_up`].
    pub async fn confirm_new_key(&self) -> Result<(), Error> {
        self.vault(|work| {
            let Some((key, mut approach)) = records::all::<Approach>(work.tx)?.pop() else {
                return Err(Error::NotReady("look at the mission's invitation first"));
            };
            approach.key_compared = true;
            records::save(work.tx, &key, &approach)
        })
        .await
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
        safety_words: SafetyWords::of_unit(&invitation.root, &bundle.unit.key),
        privacy: notice,
        offers: offers.collect(),
        key_changed: None,
        takes_emergencies: terms.emergency_terms().is_some(),
        valid_until: bundle.valid_until,
    })
}

/// Builds and judges everything that is said first, and plans the reply mailbox. Nothing has left yet.
fn plan(work: &Work<'_>, request: ReachOut) -> Result<(), Error> {
    let Some((key, mut approach)) = records::all::<Approach>(work.tx)?.pop() else {
        return Err(Error::NotReady("look at the mission's invitation first"));
    };
    if !approach.lane.is_empty() {
        return Err(Error::NotReady(
            "you have written to this mission already; fetch what has come to see the answer",
        ));
    }
    let invitation = Invitation::from_text(&approach.invitation)?;
    let bundle = directory::bundle(work, &approach.bundle, &invitation)?;
    let unit = &bundle.unit;
    if let Some(since) = known_otherwise(work, &unit.root, &unit.id, &unit.key)?
        && !approach.key_compared
    {
        return Err(Refusal::KeyChanged { since }.into());
    }
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
            accept(hash, offer, &[&bundle.unit.id])?
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
            let acceptance = accept(hash, &file.terms, &[&bundle.unit.id])?;
            let counter = wire::TermsCounter {
                terms: bytes,
                counters_hash: countered.to_vec(),
                why: file.note.clone(),
            };
            wish.counter = say(work, &mut terms, &bundle, Role::Defender, counter.into())?;
            acceptance
        }
    };
    wish.extra = vec![say(work, &mut terms, &bundle, Role::Defender, acceptance.into())?];
    if let Some(emergency) = request.emergency {
        wish.emergency =
            say(work, &mut terms, &bundle, Role::Defender, emergency.emergency.into())?;
    }
    let told = [&wish.counter].into_iter().chain(&wish.extra).chain([&wish.emergency]);
    approach.told = told.filter(|content| !content.is_empty()).cloned().collect();
    approach.terms_record = terms.to_bytes();
    approach.seed = identity(request.pseudonym)?.to_bytes().to_vec();
    let relay = invitation.relays.first().cloned().unwrap_or_default();
    let post = fresh::<16>();
    plan_post(work, &post, &relay, false)?;
    approach.post = post.to_vec();
    approach.lane = plan_lane(work, &relay, LaneUse::Peer)?.as_bytes().to_vec();
    approach.wish = Some(wish);
    fits(work, &approach, &bundle)?;
    records::save(work.tx, &key, &approach)
}

/// A key pair for this channel alone.
fn identity(pseudonym: Option<String>) -> Result<Identity, Error> {
    let pseudonym = pseudonym.unwrap_or_else(|| {
        let random = fresh::<5>();
        format!("visitor-{}", BASE32_NOPAD.encode(&random).to_ascii_lowercase())
    });
    Identity::defender(SigningKey::generate(&mut OsRng), &pseudonym)
        .map_err(|error| Error::Input { what: "pseudonym", why: error.to_string() })
}
