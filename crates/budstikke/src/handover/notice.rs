//! Who reads: told to the person concerned before anybody else is asked, and their no to it.

use budstikke_case::Refusal;
use budstikke_case::handover::{CaseStage, Handed, HandoverState};
use budstikke_case::wire::handover_step::Step as Said;
use budstikke_case::wire::{AccessChangeKind, CaseAccessChange, CaseReader, Officer};

use super::leave;
use super::steps::{find, open, own_key, take};
use crate::channel::seat::Seat;
use crate::channel::send::{SendOptions, Sent, post};
use crate::client::{Client, Work};
use crate::error::Error;
use crate::events::Event;
use crate::records::{self, CaseRecord};
use crate::view::{case_name, case_of_name};

/// Who was told, and who could not be told now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notified {
    /// Short names of the cases.
    pub told: Vec<String>,
    /// Cases whose person could not be told now, and what stops it: quiet hours, say.
    pub held: Vec<(String, Refusal)>,
}

impl Client {
    /// Tells everybody whose case is to go to another officer who will read from when on, who stops, and that they
    /// may say no. Whoever was told already is not told again; `words`: what else to say, or empty.
    ///
    /// # Errors
    /// [`Error::Refused`] I03; [`Error::NotFound`]. What stops one notice stops no other.
    pub async fn tell_of_handover(&self, words: &str) -> Result<Notified, Error> {
        let words = words.to_owned();
        self.vault(move |work| {
            let mut notified = Notified::default();
            let state = find(work, None)?;
            for case in state.cases() {
                let Some(owner) = &case.owner else { continue };
                if case.stage != CaseStage::Owned {
                    continue;
                }
                let name = case_name(&case.case_id);
                match tell(work, &state, case, owner, &words) {
                    Ok(()) => notified.told.push(name),
                    Err(Error::Refused(refusal)) => notified.held.push((name, *refusal)),
                    Err(error) => return Err(error),
                }
            }
            Ok(notified)
        })
        .await
    }

    /// Says no to whoever is to read a conversation from now on. The mission then has to find somebody else.
    ///
    /// # Errors
    /// [`Error::Refused`] I03 on an officer's device; [`Error::NotFound`].
    pub async fn object(&self, case: &str, reason: &str) -> Result<Sent, Error> {
        let (case, reason) = (case.to_owned(), reason.to_owned());
        self.vault(move |work| {
            let seat = Seat::case(work, case_of_name(work, &case)?)?;
            let kind = AccessChangeKind::Objection.into();
            let no = CaseAccessChange { kind, reason, ..CaseAccessChange::default() };
            post(work, seat, no.into(), &SendOptions::default())
        })
        .await
    }
}

/// An officer as the person concerned is told of them.
pub(crate) fn reader(officer: &Officer) -> CaseReader {
    CaseReader { label: officer.label.clone(), role: officer.role }
}

fn tell(
    work: &Work<'_>,
    state: &HandoverState,
    case: &Handed,
    owner: &Officer,
    words: &str,
) -> Result<(), Error> {
    let change = CaseAccessChange {
        kind: AccessChangeKind::HandedOver.into(),
        reads: vec![reader(owner)],
        from_s: work.now,
        stops: vec![reader(state.from())],
        stops_s: state.last_day_s(),
        what_happens_next: words.to_owned(),
        reason: String::new(),
    };
    let seat = Seat::case(work, records::need(work.tx, &case.case_id)?)?;
    post(work, seat, change.into(), &SendOptions::default())?;
    take(work, state.id(), Said::Told(case.case_id.clone()))
}

/// A person's no has come: the case goes to nobody until somebody else is found for it, and who had accepted it
/// already loses it again. The rest of the hand-over goes on.
pub(crate) fn hear(work: &Work<'_>, case: &CaseRecord, no: &CaseAccessChange) -> Result<(), Error> {
    if no.kind != i32::from(AccessChangeKind::Objection) || case.defender {
        return Ok(());
    }
    work.event(Event::HandoverObjected { case: case_name(&case.id) });
    let members = Seat::case(work, case.clone())?.group.members()?;
    for (_, state) in open(work)? {
        let Some(owner) = state.case(&case.id).and_then(|case| case.owner.clone()) else {
            continue;
        };
        // One device says it to the team: the one that leads, where it is in the case.
        let leads = state.by().key == own_key(work)?;
        let leader =
            |m: &budstikke_e2ee::group::Member| *m.key.as_bytes().as_slice() == *state.by().key;
        if !leads && members.iter().any(leader) {
            continue;
        }
        take(work, state.id(), Said::Objected(case.id.clone()))?;
        let lines = state.case(&case.id).map(|case| case.lines.clone()).unwrap_or_default();
        for id in std::iter::once(&case.id).chain(&lines) {
            leave::remove(work, id, &owner.key)?;
        }
    }
    Ok(())
}
