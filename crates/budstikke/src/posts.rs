//! Mailboxes and grants at a relay. Their keys stand in the vault before the relay hears of them, and a relay
//! derives ids from keys, so asking twice gives the same mailbox.

use budstikke_e2ee::contact::Route;
use budstikke_proto::auth::CapabilityKey;
use budstikke_proto::cell::SealKey;
use budstikke_proto::id::{Label, RecvId};
use rand_core::OsRng;
use zeroize::Zeroizing;

use crate::client::{Client, Work};
use crate::directory;
use crate::error::Error;
use crate::records::{self, Lane, LaneUse, Post, fixed};
use crate::tokens::forget_spent;

/// Cells that may wait under a grant for one correspondent.
const PEER_QUOTA: u32 = 1_024;
/// Cells that may wait at a front door: more contacts than a team reads in a week.
const FRONT_DOOR_QUOTA: u32 = 512;
/// Cells about alerts of one line that may wait: some steps of some alerts.
const HELD_QUOTA: u32 = 256;
/// Cells that may wait from colleagues.
const TEAM_QUOTA: u32 = 4_096;

/// Cells that one joining device needs, either way.
const JOIN_QUOTA: u32 = 16;

/// A mailbox lives for 90 days after its relay last heard of its owner.
const RENEW_AFTER_S: i64 = 7 * 86_400;

/// Puts a new mailbox's key into the vault.
pub(crate) fn plan_post(
    work: &Work<'_>,
    key: &[u8],
    relay: &str,
    shared: bool,
) -> Result<(), Error> {
    directory::relay(work, relay)?;
    let post = Post {
        relay: relay.to_owned(),
        recv_secret: CapabilityKey::random(&mut OsRng).as_bytes().to_vec(),
        recv_id: Vec::new(),
        cursor: 0,
        shared,
        trimmed: 0,
        renewed_at: 0,
        reported: 0,
        retired_at: 0,
    };
    records::save(work.tx, key, &post)
}

/// Puts a new grant's keys into the vault; its label.
pub(crate) fn plan_lane(work: &Work<'_>, relay: &str, used_for: LaneUse) -> Result<Label, Error> {
    directory::relay(work, relay)?;
    let label = Label::random(&mut OsRng);
    let secret = CapabilityKey::random(&mut OsRng);
    let seal = match used_for {
        LaneUse::FrontDoor => SealKey::of_front_door(secret.as_bytes()),
        _ => SealKey::random(&mut OsRng),
    };
    records::save(work.tx, label.as_bytes(), &new_lane(relay, used_for, &label, &secret, &seal))?;
    Ok(label)
}

/// A lane whose grant is still to be made.
pub(crate) fn new_lane(
    relay: &str,
    used_for: LaneUse,
    label: &Label,
    secret: &CapabilityKey,
    seal: &SealKey,
) -> Lane {
    let mut lane = Lane::default();
    lane.label = label.as_bytes().to_vec();
    lane.seal_key = seal.as_bytes().to_vec();
    lane.used_for = used_for.into();
    lane.send_secret = secret.as_bytes().to_vec();
    relay.clone_into(&mut lane.relay);
    lane
}

/// A lane as somebody else made it: the grant is there.
pub(crate) fn lane_of(route: &Route, used_for: LaneUse, case_id: &[u8]) -> Lane {
    let mut lane = Lane::default();
    lane.label.clone_from(&route.label);
    lane.seal_key = route.seal_key.to_vec();
    lane.used_for = used_for.into();
    lane.case_id = case_id.to_vec();
    lane.send_secret = route.send_secret.to_vec();
    lane.send_id = route.send_id.to_vec();
    lane.relay.clone_from(&route.relay);
    lane
}

/// A lane as the correspondent needs it.
pub(crate) fn route(lane: &Lane) -> Result<Route, Error> {
    Ok(Route {
        relay: lane.relay.clone(),
        send_id: fixed(&lane.send_id, "a grant that is not made yet")?,
        send_secret: Zeroizing::new(fixed(&lane.send_secret, "a lane")?),
        seal_key: Zeroizing::new(fixed(&lane.seal_key, "a lane")?),
        label: lane.label.clone(),
    })
}

/// Whether the routes that somebody handed over lead to relays at all, none of them revoked. Held against them before
/// they are kept, so that nothing is ever queued that can't leave.
///
/// # Errors
/// [`Error::Input`], [`Error::Trust`].
pub(crate) fn usable(work: &Work<'_>, routes: &[Route]) -> Result<(), Error> {
    routes.iter().try_for_each(|route| directory::relay(work, &route.relay))
}

impl Client {
    /// Makes a planned mailbox at its relay, and tells the relay once a week that it is still wanted.
    pub(crate) async fn ensure_post(&self, key: &[u8]) -> Result<(), Error> {
        let key = key.to_vec();
        let wanted = key.clone();
        let post: Post = self.vault(move |work| records::need(work.tx, &wanted)).await?;
        let fresh = post.renewed_at > self.now().saturating_sub(RENEW_AFTER_S);
        if !post.recv_id.is_empty() && fresh {
            return Ok(());
        }
        let owner = CapabilityKey::from_bytes(fixed(&post.recv_secret, "a mailbox")?);
        let relay = self.relay(&post.relay, &key)?;
        let recv_id = self.open_mailbox(&relay, &owner, post.recv_id.is_empty()).await?;
        self.vault(move |work| {
            forget_spent(work, &owner.recv_pk())?;
            let mut post: Post = records::need(work.tx, &key)?;
            post.recv_id = recv_id.as_bytes().to_vec();
            post.renewed_at = work.now;
            records::save(work.tx, &key, &post)
        })
        .await
    }

    /// Makes a planned grant on a mailbox, unless that is done.
    pub(crate) async fn ensure_lane(&self, post_key: &[u8], label: &[u8]) -> Result<(), Error> {
        let (key, label) = (post_key.to_vec(), label.to_vec());
        let wanted = label.clone();
        let (post, lane) = self
            .vault(move |work| {
                let post: Post = records::need(work.tx, &key)?;
                Ok((post, records::need::<Lane>(work.tx, &wanted)?))
            })
            .await?;
        if !lane.send_id.is_empty() {
            return Ok(());
        }
        let owner = CapabilityKey::from_bytes(fixed(&post.recv_secret, "a mailbox")?);
        let recv_id = RecvId::from_bytes(fixed(&post.recv_id, "a mailbox that is not made yet")?);
        let send = CapabilityKey::from_bytes(fixed(&lane.send_secret, "a lane")?);
        let mark = Label::from_bytes(fixed(&lane.label, "a lane")?);
        let (quota, front_door) = match LaneUse::try_from(lane.used_for) {
            Ok(LaneUse::FrontDoor) => (FRONT_DOOR_QUOTA, true),
            Ok(LaneUse::Team) => (TEAM_QUOTA, false),
            Ok(LaneUse::Held) => (HELD_QUOTA, false),
            Ok(LaneUse::Join) => (JOIN_QUOTA, false),
            _ => (PEER_QUOTA, false),
        };
        let relay = self.relay(&post.relay, post_key)?;
        let send_id = relay.grant(&owner, recv_id, send.send_pk(), mark, quota, front_door).await?;
        self.vault(move |work| {
            let mut lane: Lane = records::need(work.tx, &label)?;
            lane.send_id = send_id.as_bytes().to_vec();
            records::save(work.tx, &label, &lane)
        })
        .await
    }
}
