//! The steps that people take, and those that colleagues took.

use budstikke_case::carried::decode;
use budstikke_case::file::HandoverFile;
use budstikke_case::handover::{CaseStage, Handed, HandoverPhase, HandoverState};
use budstikke_case::wire::handover_step::Step as Said;
use budstikke_case::wire::{
    HandedCase, HandoverAcceptance, HandoverCase, HandoverFinish, HandoverOffer, HandoverOwner,
    HandoverStart, HandoverStep, Officer,
};
use budstikke_case::{Leg, Role};
use budstikke_e2ee::cert::VerifiedDevice;
use budstikke_e2ee::group::{Member, Party};
use budstikke_e2ee::keys::HpkeSecret;
use budstikke_e2ee::team::TeamMessage;
use prost::Message as _;
use rand_core::OsRng;

use super::view::HandoverView;
use super::{give, seat};
use crate::channel::seat::{Seat, case_roles, staff};
use crate::channel::send::name_of;
use crate::client::{Client, Work};
use crate::directory;
use crate::dossier::keys::officer_of;
use crate::error::Error;
use crate::events::Event;
use crate::mission::{own_device, own_papers, team};
use crate::random::fresh;
use crate::records::{self, CaseRecord, HandedRecord, HandoverRecord, HandoverSecret, fixed};
use crate::view::{by_name, case_of_name, short};

/// How long a hand-over that is done stays in the vault: 90 days.
const KEPT_S: i64 = 90 * 86_400;

impl Client {
    /// Begins the hand-over of every case that an officer of this team and this device are both in; of this device's
    /// own user without a name. `last_day_s`: when their last day ends, Unix seconds. Its short name.
    ///
    /// # Errors
    /// [`Error::Refused`] I03 for whoever may not hand over; [`Error::NotFound`]; [`Error::NotReady`] while another of
    /// the same officer's is open.
    pub async fn start_handover(
        &self,
        leaver: Option<&str>,
        last_day_s: i64,
    ) -> Result<String, Error> {
        let leaver = leaver.map(str::to_owned);
        self.vault(move |work| {
            let from = match &leaver {
                Some(label) => colleague(work, label)?,
                None => own_officer(work)?,
            };
            forget_old(work)?;
            let same = |state: &HandoverState| state.from().key == from.key;
            if open(work)?.iter().any(|(_, state)| same(state)) {
                return Err(Error::NotReady("a hand-over of this officer's cases is open already"));
            }
            let cases = cases_of(work, &from.key)?;
            let id = fresh::<16>();
            let start = HandoverStart { from: Some(from), last_day_s, cases };
            take(work, &id, Said::Start(start))?;
            Ok(short(&id))
        })
        .await
    }

    /// Says who is to have a case, and files what they have to know about it; it stays on this device until they have
    /// accepted.
    ///
    /// # Errors
    /// [`Error::Refused`]: I03, W04 for an officer who leaves or to whom the person concerned said no, or for a case
    /// that somebody has accepted; [`Error::NotFound`].
    pub async fn own_handed_case(
        &self,
        case: &str,
        owner: &str,
        file: Option<HandoverFile>,
    ) -> Result<(), Error> {
        let (case, owner) = (case.to_owned(), owner.to_owned());
        self.vault(move |work| {
            let case = case_of_name(work, &case)?;
            let state = find(work, None)?;
            let of = handed_case(work, &case)?;
            let owner = Some(colleague(work, &owner)?);
            take(work, state.id(), Said::Owner(HandoverOwner { of: Some(of), owner }))?;
            let Some(file) = file else { return Ok(()) };
            let handed = HandedCase { case_id: case.id.clone(), ..file.case };
            let notes = HandedRecord { case: handed.encode_to_vec(), given: false };
            records::save(work.tx, &notes_key(&state, &case.id), &notes)
        })
        .await
    }

    /// Asks everybody who is to have a case.
    ///
    /// # Errors
    /// [`Error::Refused`]: H01 with a case that nobody takes, D01 while a person concerned was not told;
    /// [`Error::NotFound`].
    pub async fn offer_handover(&self) -> Result<(), Error> {
        self.vault(|work| take(work, find(work, None)?.id(), Said::Offered(HandoverOffer {}))).await
    }

    /// Accepts what this officer was asked to take over. What the leaver knows comes with the next passes, and then
    /// the cases.
    ///
    /// # Errors
    /// [`Error::Refused`] W04 when nothing was offered; [`Error::NotFound`]; [`Error::Trust`] while the Ministry's
    /// directory is out of date.
    pub async fn accept_handover(&self, handover: Option<&str>) -> Result<(), Error> {
        let name = handover.map(str::to_owned);
        self.vault(move |work| {
            directory::authority(work, &own_papers(work)?.unit.root)?;
            let state = find(work, name.as_deref())?;
            let secret = match records::load::<HandoverSecret>(work.tx, state.id())? {
                Some(known) => {
                    HpkeSecret::from_seed(work.suite, &fixed(&known.seed, "a hand-over's key")?)?
                }
                None => HpkeSecret::generate(work.suite, &mut OsRng)?,
            };
            let public_key = secret.public().as_bytes().to_vec();
            let kept = HandoverSecret { seed: secret.seed().to_vec() };
            records::save(work.tx, state.id(), &kept)?;
            take(work, state.id(), Said::Accepted(HandoverAcceptance { public_key }))
        })
        .await
    }

    /// Says that nothing is left with the leaver. When the last day is over, the devices of those who have taken over
    /// remove the leaver's from every case.
    ///
    /// # Errors
    /// [`Error::Refused`]: H01 with a case that nobody takes, D01, W04 while somebody has not accepted;
    /// [`Error::NotFound`].
    pub async fn finish_handover(&self) -> Result<(), Error> {
        self.vault(|work| {
            let state = find(work, None)?;
            let held = cases_of(work, &state.from().key)?;
            let held: Vec<Vec<u8>> = held.into_iter().map(|case| case.case_id).collect();
            state.may_finish(&held, work.now)?;
            take(work, state.id(), Said::Finished(HandoverFinish {}))
        })
        .await
    }

    /// The hand-overs of this team, the newest last.
    ///
    /// # Errors
    /// [`Error::Vault`].
    pub async fn handovers(&self) -> Result<Vec<HandoverView>, Error> {
        self.vault(|work| {
            all(work)?.iter().map(|(_, state)| HandoverView::of(work, state)).collect()
        })
        .await
    }
}

/// Takes a step here and tells the team.
pub(super) fn take(work: &Work<'_>, id: &[u8], said: Said) -> Result<(), Error> {
    let step = HandoverStep { handover_id: id.to_vec(), at_s: work.now, step: Some(said) };
    let by = own_officer(work)?;
    let (before, state) = apply(work, &step, &by)?;
    // First the step, then what follows from it: colleagues hold the one against the other.
    team::tell(work, &TeamMessage::HandoverStep(step.encode_to_vec()))?;
    follow(work, before.as_ref(), &state, &step, &by)
}

/// A colleague's device has told of a step.
pub(crate) fn heard(work: &Work<'_>, sender: &Member, bytes: &[u8]) -> Result<(), Error> {
    let Party::Device(device) = &sender.party else { return Ok(()) };
    let step: HandoverStep = decode(bytes)?;
    let by = officer(device);
    let (before, state) = apply(work, &step, &by)?;
    follow(work, before.as_ref(), &state, &step, &by)
}

/// The hand-over before the step, if there was one, and after it.
fn apply(
    work: &Work<'_>,
    step: &HandoverStep,
    by: &Officer,
) -> Result<(Option<HandoverState>, HandoverState), Error> {
    let known = records::load::<HandoverRecord>(work.tx, &step.handover_id)?;
    let (mut record, before) = match known {
        Some(record) => {
            let state = HandoverState::from_bytes(&record.state)?;
            (record, Some(state))
        }
        None => (HandoverRecord { since: work.now, ..HandoverRecord::default() }, None),
    };
    let state = match &before {
        Some(before) => {
            let mut state = before.clone();
            state.apply(step, by, work.now)?;
            state
        }
        None => HandoverState::start(step, by)?,
    };
    record.state = state.to_bytes();
    records::save(work.tx, &step.handover_id, &record)?;
    work.event(Event::HandoverChanged { handover: short(state.id()) });
    Ok((before, state))
}

/// What follows from a step on this device.
fn follow(
    work: &Work<'_>,
    before: Option<&HandoverState>,
    state: &HandoverState,
    step: &HandoverStep,
    by: &Officer,
) -> Result<(), Error> {
    let own = own_key(work)?;
    match &step.step {
        Some(Said::Offered(_)) => {
            let asked = |case: &Handed| is_owner(case, &own) && case.stage == CaseStage::Offered;
            if state.cases().iter().any(asked) {
                work.event(Event::HandoverOffered { handover: short(state.id()) });
            }
        }
        Some(Said::Accepted(acceptance)) => {
            let was = |id: &[u8]| before.and_then(|before| before.case(id)).map(|case| case.stage);
            let new = state.cases().iter().filter(|case| {
                is_owner(case, &by.key)
                    && case.stage == CaseStage::Accepted
                    && was(&case.case_id) != Some(CaseStage::Accepted)
            });
            for case in new {
                give::give(work, state, case, by, &acceptance.public_key)?;
                seat::request(work, state, case, by)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Whether an officer's device is to have a case.
pub(super) fn is_owner(case: &Handed, key: &[u8]) -> bool {
    case.owner.as_ref().is_some_and(|owner| owner.key == key)
}

/// The key of this device, whatever its certificate's time.
pub(super) fn own_key(work: &Work<'_>) -> Result<Vec<u8>, Error> {
    Ok(staff(work)?.key().as_bytes().to_vec())
}

/// This device's user, in their most responsible role.
pub(crate) fn own_officer(work: &Work<'_>) -> Result<Officer, Error> {
    Ok(officer(&own_device(work)?))
}

/// A device's user, in their most responsible role.
pub(crate) fn officer(device: &VerifiedDevice) -> Officer {
    let roles = case_roles(&device.roles, Leg::MissionTeam);
    officer_of(device, roles.first().copied().unwrap_or(Role::Unspecified))
}

/// Somebody in this team, this device's user included.
fn colleague(work: &Work<'_>, label: &str) -> Result<Officer, Error> {
    let members = Seat::team(work)?.group.members()?;
    let named = |member: &&Member| name_of(&member.party).eq_ignore_ascii_case(label.trim());
    match members.iter().find(named).map(|member| &member.party) {
        Some(Party::Device(device)) => Ok(officer(device)),
        _ => Err(Error::NotFound { what: "a colleague of that name" }),
    }
}

/// The defenders' cases that this device and another are both in, with the lines that carry them on.
fn cases_of(work: &Work<'_>, key: &[u8]) -> Result<Vec<HandoverCase>, Error> {
    let mut cases = Vec::new();
    for (_, case) in records::all::<CaseRecord>(work.tx)? {
        if case.line || case.defender {
            continue;
        }
        let Ok(seat) = Seat::case(work, case.clone()) else { continue };
        if seat.group.members()?.iter().any(|member| member.key.as_bytes().as_slice() == key) {
            cases.push(handed_case(work, &case)?);
        }
    }
    Ok(cases)
}

fn handed_case(work: &Work<'_>, case: &CaseRecord) -> Result<HandoverCase, Error> {
    let lines = records::all::<CaseRecord>(work.tx)?.into_iter();
    let lines = lines.filter(|(_, line)| line.line && line.line_for == case.id).map(|(id, _)| id);
    Ok(HandoverCase { case_id: case.id.clone(), lines: lines.collect() })
}

/// The key of the notes on a case.
pub(super) fn notes_key(state: &HandoverState, case_id: &[u8]) -> Vec<u8> {
    [state.id(), case_id].concat()
}

/// All hand-overs of this vault, oldest first.
pub(super) fn all(work: &Work<'_>) -> Result<Vec<(HandoverRecord, HandoverState)>, Error> {
    let mut all = Vec::new();
    for (_, record) in records::all::<HandoverRecord>(work.tx)? {
        let state = HandoverState::from_bytes(&record.state)?;
        all.push((record, state));
    }
    all.sort_by_key(|(record, _)| record.since);
    Ok(all)
}

/// Those that are not done.
pub(super) fn open(work: &Work<'_>) -> Result<Vec<(HandoverRecord, HandoverState)>, Error> {
    let mut all = all(work)?;
    all.retain(|(_, state)| state.phase(work.now) != HandoverPhase::Done);
    Ok(all)
}

/// The open hand-over of that name, or the only one.
pub(super) fn find(work: &Work<'_>, name: Option<&str>) -> Result<HandoverState, Error> {
    let mut open = open(work)?;
    let found = match name {
        Some(name) => {
            by_name(open.into_iter().map(|(_, state)| (state.id().to_vec(), state)), name)
        }
        None if open.len() > 1 => return Err(Error::NotFound { what: "one hand-over: name it" }),
        None => open.pop().map(|(_, state)| state),
    };
    found.ok_or(Error::NotFound { what: "an open hand-over" })
}

fn forget_old(work: &Work<'_>) -> Result<(), Error> {
    let before = work.now.saturating_sub(KEPT_S);
    records::forget(work.tx, |record: &HandoverRecord| record.closed && record.since < before)
}
