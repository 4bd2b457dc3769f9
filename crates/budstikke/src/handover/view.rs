//! Hand-overs, to be shown.

use budstikke_case::handover::{CaseStage, HandoverPhase, HandoverState};
use budstikke_case::wire::HandedCase;
use budstikke_case::{Refusal, View};
use prost::Message as _;

use super::steps::{all, is_owner, notes_key, open, own_key};
use crate::client::{Client, Work};
use crate::error::Error;
use crate::records::{self, HandedRecord};
use crate::view::{by_name, case_name, debug_name, short};

/// A hand-over, as every device of the team sees it.
#[derive(Clone)]
#[non_exhaustive]
pub struct HandoverView {
    /// Its short name.
    pub id: String,
    /// Label of who leaves.
    pub from: String,
    /// Label of who leads it.
    pub by: String,
    /// Whether this device leads it.
    pub ours: bool,
    /// End of the last day, Unix seconds.
    pub last_day_s: i64,
    /// How far it is.
    pub phase: HandoverPhase,
    /// Its cases, in the order named.
    pub cases: Vec<HandedCaseView>,
    /// What still has to be done before anybody can be asked.
    pub blocks: Vec<Refusal>,
}

/// One case of it.
#[derive(Clone)]
#[non_exhaustive]
pub struct HandedCaseView {
    /// The case's short name.
    pub case: String,
    /// Label of who is to have it.
    pub owner: Option<String>,
    /// Whether that is this device's user.
    pub mine: bool,
    /// How far it is.
    pub stage: CaseStage,
    /// How often the person concerned has said no.
    pub objections: usize,
    /// Whether there are notes on this device.
    pub notes: bool,
}

/// What a leaver wrote down about a case.
#[derive(Clone)]
#[non_exhaustive]
pub struct HandedView {
    /// Label of who left it.
    pub from: String,
    /// As it was given.
    pub case: HandedCase,
    /// The same, to be shown.
    pub view: View,
}

debug_name!(HandoverView, HandedCaseView, HandedView);

impl Client {
    /// What the leaver wrote down about a case for its next officer; on the leaver's own device too. The newest
    /// hand-over of it counts.
    ///
    /// # Errors
    /// [`Error::Refused`] I05 on the device of anybody else, and on the next officer's before they have accepted;
    /// [`Error::NotFound`].
    pub async fn handed_case(&self, case: &str) -> Result<HandedView, Error> {
        let name = case.to_owned();
        self.vault(move |work| {
            let own = own_key(work)?;
            let mut found = Vec::new();
            for (_, state) in all(work)? {
                let ids = state.cases().iter().map(|case| case.case_id.clone());
                found.extend(ids.map(|id| (id, state.clone())));
            }
            found.reverse();
            let id = |(id, _): &(Vec<u8>, HandoverState)| (id.clone(), id.clone());
            let mut names: Vec<(Vec<u8>, Vec<u8>)> = found.iter().map(id).collect();
            names.dedup();
            let id = by_name(names, &name).ok_or(NO_CASE)?;
            let state = found.into_iter().find(|(of, _)| *of == id).map(|(_, state)| state);
            let state = state.ok_or(NO_CASE)?;
            if state.by().key != own {
                state.may_read(&id, &own)?;
            }
            let notes = records::load::<HandedRecord>(work.tx, &notes_key(&state, &id))?;
            let notes = notes.ok_or(Error::NotFound { what: "notes on that case, so far" })?;
            let case = HandedCase::decode(notes.case.as_slice())
                .map_err(|_| Error::Damaged { what: "the notes on a case" })?;
            let (from, view) = (state.from().label.clone(), View::of_handed(&case));
            Ok(HandedView { from, case, view })
        })
        .await
    }
}

const NO_CASE: Error = Error::NotFound { what: "a case of that name in a hand-over" };

impl HandoverView {
    pub(super) fn of(work: &Work<'_>, state: &HandoverState) -> Result<Self, Error> {
        let own = own_key(work)?;
        let mut cases = Vec::new();
        for case in state.cases() {
            let key = notes_key(state, &case.case_id);
            cases.push(HandedCaseView {
                case: case_name(&case.case_id),
                owner: case.owner.as_ref().map(|owner| owner.label.clone()),
                mine: is_owner(case, &own),
                stage: case.stage,
                objections: case.objected_to.len(),
                notes: records::load::<HandedRecord>(work.tx, &key)?.is_some(),
            });
        }
        Ok(Self {
            id: short(state.id()),
            from: state.from().label.clone(),
            by: state.by().label.clone(),
            ours: state.by().key == own,
            last_day_s: state.last_day_s(),
            phase: state.phase(work.now),
            cases,
            blocks: state.blocks(&[]),
        })
    }
}

/// Whether a case is on its way to another officer; not any more on the device of who has accepted it.
pub(crate) fn is_pending(work: &Work<'_>, case_id: &[u8]) -> Result<bool, Error> {
    for (_, state) in open(work)? {
        if let Some(case) = state.case(case_id) {
            let here = case.stage == CaseStage::Accepted && is_owner(case, &own_key(work)?);
            return Ok(!here);
        }
    }
    Ok(false)
}
