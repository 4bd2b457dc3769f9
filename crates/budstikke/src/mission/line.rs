//! A mission's line to the Ministry: one channel between the mission's devices and a desk's, under certificates on
//! both sides and under terms of its own.

use budstikke_case::Role;
use budstikke_e2ee::bundle::IntakeBundle;
use budstikke_e2ee::cert::UnitKind;
use budstikke_e2ee::invite::Invitation;

use super::found::{accept, offered};
use super::{TEAM_POST, leg_of, own_device, unit_and_team};
use crate::approach::{new_approach, say};
use crate::channel::seat::case_roles;
use crate::client::{Client, Work};
use crate::error::{Error, Trust};
use crate::posts::plan_lane;
use crate::records::{self, Approach, LaneUse, Wish};

impl Client {
    /// Opens this mission's line to a Ministry desk, from the desk's invitation, under the first of the terms that
    /// the desk offers. The desk answers as a mission answers a defender; then both sides have a channel.
    ///
    /// # Errors
    /// [`Error::NotReady`] for a device whose user may not bind the mission; [`Error::Trust`] when the desk does not
    /// verify or hangs from another root; [`Error::Input`] for an invitation of something else than a desk.
    pub async fn open_line(&self, invitation: &str) -> Result<(), Error> {
        let parsed = Invitation::from_text(invitation)?;
        let content = self.fetch_bundle(&parsed).await?;
        let text = invitation.to_owned();
        let _turn = self.turn().await;
        self.vault(move |work| plan(work, text, content)).await?;
        self.prepare_approaches().await?;
        self.flush().await?;
        Ok(())
    }
}

fn plan(work: &Work<'_>, text: String, content: Vec<u8>) -> Result<(), Error> {
    let own = own_device(work)?;
    let (unit, team) = unit_and_team(work)?;
    if team.route.is_empty() {
        return Err(Error::NotReady(
            "publish the mission's terms first: its mailbox takes the answer",
        ));
    }
    let invitation = Invitation::from_text(&text)?;
    if invitation.root != own.unit.root {
        return Err(Error::Trust(Box::new(Trust::OtherRoot)));
    }
    let bundle = IntakeBundle::verify(work.suite, &content, &invitation, work.now)?;
    if bundle.unit.kind != UnitKind::MinistryDesk {
        return Err(Error::Input {
            what: "the invitation",
            why: "it is not a Ministry desk's; ask the desk for its own".to_owned(),
        });
    }
    let key = invitation.notice.as_bytes();
    if records::load::<Approach>(work.tx, key)?.is_some() {
        return Err(Error::NotReady(
            "this mission has a line to that desk already, or waits for it",
        ));
    }
    let leg = leg_of(bundle.unit.kind);
    let role = case_roles(&own.roles, leg).first().copied().unwrap_or(Role::Unspecified);
    let mut terms = offered(leg, &bundle.offers, work.now)?;
    let (hash, offer) =
        terms.offers().next().ok_or(Error::NotFound { what: "terms that the desk offers" })?;
    let acceptance = accept(hash, offer, &[&unit.id, &bundle.unit.id])?;
    let said = say(work, &mut terms, &bundle, role, acceptance.into())?;
    let relay = unit.relays.first().cloned().unwrap_or_default();
    let mut approach = new_approach(text, &bundle);
    approach.line = true;
    approach.bundle = content;
    approach.post = TEAM_POST.to_vec();
    approach.lane = plan_lane(work, &relay, LaneUse::Peer)?.as_bytes().to_vec();
    approach.terms_record = terms.to_bytes();
    approach.told = vec![said.clone()];
    approach.wish = Some(Wish { accepted: hash.to_vec(), extra: vec![said], ..Wish::default() });
    records::save(work.tx, key, &approach)
}
