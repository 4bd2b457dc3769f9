//! A mission's line to the Ministry: one channel for one defender's case, between the mission's devices and a desk's,
//! under certificates on both sides and under terms that are never looser than those with the defender.

use budstikke_case::file::TermsFile;
use budstikke_case::{
    Body, Hash, Leg, Role, TermsEvent, TermsState, may_pass_on, may_write, onward_terms, wire,
};
use budstikke_e2ee::cert::UnitKind;
use budstikke_e2ee::invite::Invitation;

use super::found::{accept, offered};
use super::{TEAM_POST, leg_of, own_device, unit_and_team};
use crate::approach::{fits, new_approach, say};
use crate::channel::seat::{case_roles, terms_of};
use crate::channel::send::Sent;
use crate::client::{Client, Work};
use crate::directory;
use crate::error::{Error, Trust};
use crate::posts::plan_lane;
use crate::records::{self, Approach, CaseRecord, LaneUse, Wish};
use crate::terms::propose;
use crate::view::case_of_name;

impl Client {
    /// Opens a line to a Ministry desk for one defender's case, from the desk's invitation: the first of the terms
    /// that the desk offers, cut down to what the terms with that defender let pass, as a counter-proposal. The desk
    /// answers as a mission answers a defender; then both sides have a channel, which has nothing in common with the
    /// defender's.
    ///
    /// # Errors
    /// [`Error::Refused`] when the terms with the defender are not in force (T01, T02) or let the Ministry have
    /// nothing (T05), or for a user who may not bind the mission (I03), all before anything is sent;
    /// [`Error::NotReady`] for a second line of that case to that desk; [`Error::Trust`] when the desk does not verify
    /// or hangs from another root; [`Error::Input`] for an invitation of something else than a desk, or a `case` that
    /// is a line itself.
    pub async fn open_line(&self, invitation: &str, case: &str) -> Result<(), Error> {
        let parsed = Invitation::from_text(invitation)?;
        let (text, case) = (invitation.to_owned(), case.to_owned());
        let _turn = self.turn().await;
        let name = case.clone();
        // Before the desk's notice is fetched: who may not ask the Ministry leaves no trace of having wanted to.
        self.vault(move |work| defenders_case(work, &name).map(drop)).await?;
        let content = self.fetch_bundle(&parsed).await?;
        self.vault(move |work| plan(work, text, content, &case)).await?;
        self.prepare_approaches().await?;
        self.flush().await?;
        Ok(())
    }

    /// Proposes new terms for a line, cut down to the terms with the defender as they are now: from what the desk
    /// offered, or from the terms in force where it offers nothing any more. Needed when the terms with the defender
    /// have changed, for until then the line's inherit from others (T03), and before the line's own run out. The desk
    /// says yes with [`Client::accept_terms`].
    ///
    /// # Errors
    /// [`Error::Refused`] as [`Client::open_line`]; [`Error::Input`] for a case that is no line;
    /// [`Error::NotReady`] on a device that does not have the defender's case.
    pub async fn renew_line(&self, line: &str) -> Result<Sent, Error> {
        let name = line.to_owned();
        self.vault(move |work| {
            let terms = renewed(work, &case_of_name(work, &name)?)?;
            propose(work, &name, TermsFile { terms, note: String::new() })
        })
        .await
    }
}

/// The case that a line may be opened for, and its terms.
fn defenders_case(work: &Work<'_>, name: &str) -> Result<(CaseRecord, TermsState), Error> {
    own_device(work)?;
    let case = case_of_name(work, name)?;
    if case.line {
        return Err(Error::Input {
            what: "the case",
            why: "it is a line itself; name the defender's case that the line is for".to_owned(),
        });
    }
    let terms = terms_of(&case)?;
    may_pass_on(&terms, Leg::MissionMinistry, work.now)?;
    Ok((case, terms))
}

fn plan(work: &Work<'_>, text: String, content: Vec<u8>, case: &str) -> Result<(), Error> {
    let own = own_device(work)?;
    let (unit, team) = unit_and_team(work)?;
    if team.route.is_empty() {
        return Err(Error::NotReady(
            "publish the mission's terms first: its mailbox takes the answer",
        ));
    }
    let (case, defender) = defenders_case(work, case)?;
    let invitation = Invitation::from_text(&text)?;
    if invitation.root != own.unit.root {
        return Err(Error::Trust(Box::new(Trust::OtherRoot)));
    }
    let bundle = directory::bundle(work, &content, &invitation)?;
    if bundle.unit.kind != UnitKind::MinistryDesk {
        return Err(Error::Input {
            what: "the invitation",
            why: "it is not a Ministry desk's; ask the desk for its own".to_owned(),
        });
    }
    let key = [invitation.notice.as_bytes().as_slice(), &case.id].concat();
    let here = |(_, line): &(Vec<u8>, CaseRecord)| {
        line.line_for == case.id && line.peer_unit == bundle.unit.id
    };
    if records::load::<Approach>(work.tx, &key)?.is_some()
        || records::all::<CaseRecord>(work.tx)?.iter().any(here)
    {
        return Err(Error::NotReady(
            "this case has a line to that desk already, or waits for its answer",
        ));
    }
    let leg = leg_of(bundle.unit.kind);
    let mut terms = offered(leg, &bundle.offers, work.now)?;
    let (countered, offer) =
        terms.offers().next().ok_or(Error::NotFound { what: "terms that the desk offers" })?;
    let units = [unit.id.as_str(), bundle.unit.id.as_str()];
    let derived = onward_terms(offer, &defender, &units, work.now)?;
    let (bytes, hash) = TermsFile { terms: derived.clone(), note: String::new() }.encode();
    let counter =
        wire::TermsCounter { terms: bytes, counters_hash: countered.to_vec(), why: String::new() };
    let (counter, acceptance) = (Body::from(counter), accept(hash, &derived, &units)?);
    let role = role_for(&case_roles(&own.roles, leg), &counter, leg);
    bind_to(&mut terms, &defender)?;
    let counter = say(work, &mut terms, &bundle, role, counter)?;
    let yes = say(work, &mut terms, &bundle, role, acceptance.into())?;
    let relay = unit.relays.first().cloned().unwrap_or_default();
    let mut approach = new_approach(text, &bundle);
    approach.line = true;
    approach.line_for.clone_from(&case.id);
    approach.bundle = content;
    approach.post = TEAM_POST.to_vec();
    approach.lane = plan_lane(work, &relay, LaneUse::Peer)?.as_bytes().to_vec();
    approach.terms_record = terms.to_bytes();
    approach.told = vec![counter.clone(), yes.clone()];
    approach.wish = Some(Wish { counter, extra: vec![yes], ..Wish::default() });
    fits(work, &approach, &bundle)?;
    records::save(work.tx, &key, &approach)
}

/// The first of a device's roles that may write this, or else its first.
pub(crate) fn role_for(roles: &[Role], body: &Body, leg: Leg) -> Role {
    let fits = roles.iter().find(|role| may_write(body, leg, **role));
    fits.or(roles.first()).copied().unwrap_or(Role::Unspecified)
}

fn renewed(work: &Work<'_>, line: &CaseRecord) -> Result<wire::ChannelTerms, Error> {
    if line.line_for.is_empty() {
        return Err(Error::Input {
            what: "the case",
            why: "it is no line of this mission's to the Ministry".to_owned(),
        });
    }
    let defender = terms_of(&records::load::<CaseRecord>(work.tx, &line.line_for)?.ok_or(APART)?)?;
    let terms = terms_of(line)?;
    let standing = terms.offers().map(|(_, terms)| terms).next().or(terms.agreed());
    let mut base = standing.cloned().ok_or(Error::NotFound { what: "terms to renew" })?;
    let lasts = base.valid_until_s.saturating_sub(base.valid_from_s);
    base.valid_from_s = work.now - work.now.rem_euclid(60);
    base.valid_until_s = base.valid_from_s.saturating_add(lasts);
    let units = [line.own_unit.as_str(), line.peer_unit.as_str()];
    Ok(onward_terms(&base, &defender, &units, work.now)?)
}

/// On a device that is in the line and not in the case that it is for.
const APART: Error = Error::NotReady(
    "this device does not have the case that the line is for: ask a colleague who does",
);

/// The hash that terms on the mission's end of a line have to name; `None` elsewhere.
pub(crate) fn inherited(work: &Work<'_>, line: &CaseRecord) -> Result<Option<Vec<u8>>, Error> {
    if line.line_for.is_empty() {
        return Ok(None);
    }
    let Some(case) = records::load::<CaseRecord>(work.tx, &line.line_for)? else { return Ok(None) };
    Ok(terms_of(&case)?.agreed_hash().map(Hash::to_vec))
}

/// Before this device takes a step on a line: bounds it by the terms with the defender as they are now.
///
/// # Errors
/// [`Error::NotReady`] when the step binds the mission and this device does not know those terms.
pub(crate) fn bind_own(
    work: &Work<'_>,
    line: &CaseRecord,
    step: &TermsEvent,
    terms: &mut TermsState,
) -> Result<(), Error> {
    if line.line_for.is_empty() {
        return Ok(());
    }
    match records::load::<CaseRecord>(work.tx, &line.line_for)? {
        Some(case) => bind_to(terms, &terms_of(&case)?),
        // To pause or to end needs no knowledge of them.
        None if matches!(step, TermsEvent::Changed { .. }) => Ok(()),
        None => Err(APART),
    }
}

/// Before a step that was heard on a line: the desk is held to the terms with the defender; a colleague's own client
/// has done it, perhaps under newer ones than this device has heard of.
pub(crate) fn bind_heard(
    work: &Work<'_>,
    line: &CaseRecord,
    from_colleague: bool,
    terms: &mut TermsState,
) {
    if line.line_for.is_empty() {
        return;
    }
    let case = records::load::<CaseRecord>(work.tx, &line.line_for).ok().flatten();
    let known = case.and_then(|case| terms_of(&case).ok());
    match known.filter(|_| !from_colleague) {
        Some(defender) => {
            let _ = bind_to(terms, &defender);
        }
        None => terms.unbind(),
    }
}

fn bind_to(terms: &mut TermsState, defender: &TermsState) -> Result<(), Error> {
    match defender.agreed_bytes() {
        Some(bytes) => Ok(terms.bind(bytes.to_vec())?),
        // Ended: what bound the line last goes on binding it.
        None => Ok(()),
    }
}
