//! What a mission publishes: its mailbox and front door at the relay, its intake bundle as a notice.

use budstikke_case::file::{PrivacyNoticeFile, TermsFile};
use budstikke_case::hash::privacy_notice_hash;
use budstikke_case::{Draft, Role, wire};
use budstikke_e2ee::bundle::{BundleContents, IntakeKey};
use budstikke_e2ee::cert::Chain;
use budstikke_e2ee::invite::Invitation;
use budstikke_e2ee::keys::{HpkeSecret, SigningKey};
use budstikke_e2ee::safety::SafetyWords;
use budstikke_e2ee::team::TeamMessage;
use budstikke_proto::sign::SigningSeed;
use rand_core::OsRng;
use zeroize::Zeroizing;

use super::found::all_named;
use super::{TEAM_POST, leg_of, need_admin, own_device, rotate, setup, team, unit_and_team};
use crate::client::{Client, Work};
use crate::crash;
use crate::error::Error;
use crate::posts::route;
use crate::random::fresh;
use crate::records::{self, IntakeKeyRecord, LaneUse, SELF, fixed};

const DAY_S: i64 = 86_400;
/// A new intake key every day.
pub(super) const KEY_AGE_S: i64 = DAY_S;
/// A key is kept, and can open, for seven days.
pub(super) const KEY_KEPT_S: i64 = 7 * DAY_S;
/// A bundle is good for as long as its key.
const BUNDLE_VALID_S: i64 = 7 * DAY_S;

/// What a mission offers to everybody who holds its invitation.
#[derive(Clone)]
pub struct Offer {
    /// Channel terms to choose from, the preferred first.
    pub terms: Vec<TermsFile>,
    /// Terms for the emergency form: mission only, onward never.
    pub emergency: Option<TermsFile>,
    /// What a defender is told before writing.
    pub privacy: PrivacyNoticeFile,
}

/// What was published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Counts up with every publication.
    pub version: u64,
    /// Unix seconds at which it ends, unless published anew; a daily [`Client::sync`] does that.
    pub valid_until: i64,
    /// The words that a defender sees too.
    pub safety_words: SafetyWords,
}

impl Client {
    /// Publishes an offer: makes the mailbox and the front door, and puts the signed bundle on every relay of the
    /// unit. Safe to repeat.
    ///
    /// # Errors
    /// [`Error::NotReady`] on a device that is no admin's; [`Error::Refused`] for terms that break a rule;
    /// [`Error::Relay`] when one of the relays did not take it, while the others have it: publish again.
    pub async fn publish(&self, offer: Offer) -> Result<Published, Error> {
        let _turn = self.turn().await;
        self.vault(move |work| {
            let device = own_device(work)?;
            need_admin(&device)?;
            let (_, mut team) = unit_and_team(work)?;
            team.offers = encode_offer(work, &device.unit, offer)?;
            records::save(work.tx, SELF, &team)
        })
        .await?;
        self.put_bundle().await
    }

    /// The invitation of this mission, as text. Give it only to whom you would give a key to your letter box.
    ///
    /// # Errors
    /// [`Error::NotReady`] before [`Client::publish`].
    pub async fn invitation(&self) -> Result<String, Error> {
        self.vault(|work| {
            let device = own_device(work)?;
            let lane = setup::team_lane(work, LaneUse::FrontDoor)?;
            if lane.send_id.is_empty() {
                return Err(Error::NotReady("publish the mission's terms first"));
            }
            let (unit, _) = unit_and_team(work)?;
            let invitation = Invitation {
                root: device.unit.root,
                unit_id: unit.id.clone(),
                notice: device.unit.notice,
                send_id: fixed(&lane.send_id, "the front door")?,
                send_secret: Zeroizing::new(fixed(&lane.send_secret, "the front door")?),
                relays: unit.relays.clone(),
            };
            Ok(invitation.to_text()?)
        })
        .await
    }

    /// The words by which people compare that an invitation leads to this mission.
    ///
    /// # Errors
    /// [`Error::NotReady`] before this device's certificate is installed.
    pub async fn mission_words(&self) -> Result<SafetyWords, Error> {
        self.vault(|work| {
            let device = own_device(work)?;
            Ok(SafetyWords::of_unit(&device.unit.root, &device.unit.key))
        })
        .await
    }

    /// Forgets the intake keys whose time is over, and rotates today's when its day is over; that only on an admin's
    /// device that has published.
    pub(crate) async fn renew_intake(&self) -> Result<(), Error> {
        let due = self.vault(|work| {
            forget_old_keys(work)?;
            let Ok(device) = own_device(work) else { return Ok(false) };
            let (unit, team) = unit_and_team(work)?;
            let ours = !unit.seed.is_empty() && need_admin(&device).is_ok();
            let published = team.published_at > 0;
            let old = team.published_at <= work.now.saturating_sub(KEY_AGE_S);
            Ok(ours && published && (old || team.publish_now))
        });
        if due.await? { self.put_bundle().await.map(drop) } else { Ok(()) }
    }

    async fn put_bundle(&self) -> Result<Published, Error> {
        self.ensure_post(TEAM_POST).await?;
        for used_for in [LaneUse::FrontDoor, LaneUse::Team] {
            let lane = self.vault(move |work| setup::team_lane(work, used_for)).await?;
            self.ensure_lane(TEAM_POST, &lane.label).await?;
        }
        let (relays, seed, version, bundle, mailbox) = self.vault(make_bundle).await?;
        crash::point("rotate-before-publish");
        let (mut put, mut failed) = (false, None);
        for relay in &relays {
            // One relay that is away keeps no bundle from the others, where people then look.
            match self.put_notice(relay, &seed, version, &bundle).await {
                Ok(()) => put = true,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if let Some(error) = failed.take_if(|_| !put) {
            return Err(error);
        }
        let published = self.vault(move |work| {
            let device = own_device(work)?;
            let (_, mut team) = unit_and_team(work)?;
            team.notice_version = team.notice_version.max(version);
            team.published_at = work.now;
            // Unless somebody has left meanwhile.
            team.publish_now &= team.mailbox != mailbox;
            records::save(work.tx, SELF, &team)?;
            if !team.publish_now {
                rotate::close_old_doors(work)?;
            }
            Ok(Published {
                version,
                valid_until: work.now.saturating_add(BUNDLE_VALID_S),
                safety_words: SafetyWords::of_unit(&device.unit.root, &device.unit.key),
            })
        });
        let published = published.await?;
        crash::point("rotate-after-publish");
        failed.map_or(Ok(published), Err)
    }

    async fn put_notice(
        &self,
        relay: &str,
        seed: &[u8; 32],
        version: u64,
        bundle: &[u8],
    ) -> Result<(), Error> {
        let key = SigningSeed::from_bytes(*seed);
        Ok(self.relay(relay, b"notice")?.notice_put(&key, version, bundle).await?)
    }
}

type Bundle = (Vec<String>, Zeroizing<[u8; 32]>, u64, Vec<u8>, Vec<u8>);

/// Signs a bundle with today's intake key, which the team is told first.
fn make_bundle(work: &Work<'_>) -> Result<Bundle, Error> {
    let (unit, mut team_record) = unit_and_team(work)?;
    if unit.seed.is_empty() {
        return Err(Error::NotReady("only an admin's device can publish: ask your admin"));
    }
    let lane = setup::team_lane(work, LaneUse::Team)?;
    team_record.route = route(&lane)?.to_bytes().to_vec();
    team_record.making = false;
    // Above everything published before, also after this vault was restored from an older copy.
    let by_clock = u64::try_from(work.now).unwrap_or_default();
    let version = team_record.notice_version.saturating_add(1).max(by_clock);
    records::save(work.tx, SELF, &team_record)?;
    let key = todays_key(work)?;
    let contents = BundleContents {
        keys: vec![key],
        offers: team_record.offers.clone(),
        valid_until: work.now.saturating_add(BUNDLE_VALID_S),
        doors: rotate::doors(work)?,
    };
    let signing = SigningKey::from_bytes(&fixed(&unit.seed, "the unit's key")?);
    let bundle = contents.sign(&signing, &Chain::from_bytes(&unit.chain)?, work.now)?;
    let notice = Zeroizing::new(fixed(&unit.notice_seed, "the notice key")?);
    Ok((unit.relays.clone(), notice, version, bundle, team_record.mailbox.clone()))
}

/// Every device that holds an intake key forgets it in time: a captor of any of them could open what it opened.
fn forget_old_keys(work: &Work<'_>) -> Result<(), Error> {
    records::forget(work.tx, |key: &IntakeKeyRecord| key.valid_until <= work.now)
}

/// The newest intake key, made anew after a day.
fn todays_key(work: &Work<'_>) -> Result<IntakeKey, Error> {
    let mut newest: Option<IntakeKeyRecord> = None;
    for (_, key) in records::all::<IntakeKeyRecord>(work.tx)? {
        if key.valid_until > work.now
            && !key.spoilt
            && newest.as_ref().is_none_or(|newest| newest.valid_from < key.valid_from)
        {
            newest = Some(key);
        }
    }
    let fresh = |key: &IntakeKeyRecord| key.valid_from > work.now.saturating_sub(KEY_AGE_S);
    let record = match newest.filter(fresh) {
        Some(record) => record,
        None => make_key(work)?,
    };
    let secret = HpkeSecret::from_seed(work.suite, &fixed(&record.seed, "an intake key")?)?;
    Ok(IntakeKey {
        id: fixed(&record.id, "an intake key")?,
        public: secret.public().clone(),
        valid_from: record.valid_from,
        valid_until: record.valid_until,
    })
}

fn make_key(work: &Work<'_>) -> Result<IntakeKeyRecord, Error> {
    let secret = HpkeSecret::generate(work.suite, &mut OsRng)?;
    let id = fresh::<8>();
    let record = IntakeKeyRecord {
        id: id.to_vec(),
        seed: secret.seed().to_vec(),
        valid_from: work.now,
        valid_until: work.now.saturating_add(KEY_KEPT_S),
        spoilt: false,
    };
    records::save(work.tx, &id, &record)?;
    let share = TeamMessage::IntakeKey {
        id,
        seed: Zeroizing::new(*secret.seed()),
        valid_from: record.valid_from,
        valid_until: record.valid_until,
    };
    team::tell(work, &share)?;
    Ok(record)
}

/// The privacy notice first, then the offers that name it, then the emergency terms.
fn encode_offer(
    work: &Work<'_>,
    unit: &budstikke_e2ee::cert::VerifiedUnit,
    offer: Offer,
) -> Result<Vec<Vec<u8>>, Error> {
    let draft = || {
        let id = fresh::<16>();
        let role = match leg_of(unit.kind) {
            wire::Leg::DefenderMultilateralMission => Role::MultilateralMissionStaff,
            wire::Leg::MissionMinistry => Role::MinistryDesk,
            _ => Role::MissionContactPerson,
        };
        Draft::new(leg_of(unit.kind), role, id, work.now).purpose(wire::Purpose::RunningTheChannel)
    };
    let privacy = draft().build(offer.privacy.notice)?.bytes;
    let notice = privacy_notice_hash(&privacy);
    let mut out = vec![privacy];
    let files = offer.terms.into_iter().chain(offer.emergency);
    for mut file in files {
        if file.terms.units.is_empty() {
            file.terms.units.push(unit.id.clone());
        }
        all_named(&file.terms, &[&unit.id])?;
        let (terms, _) = file.with_privacy_notice(notice).encode();
        out.push(draft().build(wire::ChannelOffer { terms })?.bytes);
    }
    Ok(out)
}
