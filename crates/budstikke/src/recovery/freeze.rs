//! A frozen case: its group forked, or its relay is convicted. Nothing more is sent there; what still opens is read.

use super::again;
use crate::channel::seat::Seat;
use crate::client::Work;
use crate::error::Error;
use crate::events::Event;
use crate::records::{self, CaseRecord, Frozen};
use crate::view::case_name;

/// Why nothing is sent in a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FreezeReason {
    /// Its relay has signed two things that contradict each other; a proof is kept.
    RelayEquivocated,
    /// The history of a member is another than the one that came here: the group forked, or that member's device was
    /// put back to an old copy.
    HistoryForked,
}

impl FreezeReason {
    /// What happened and what happens next, in one sentence.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::RelayEquivocated => {
                "its relay told two sides different things, and a new group on another relay is needed"
            }
            Self::HistoryForked => {
                "the two sides no longer have the same history, and a new group is needed"
            }
        }
    }

    const fn number(self) -> u32 {
        match self {
            Self::RelayEquivocated => 1,
            Self::HistoryForked => 2,
        }
    }

    const fn of(number: u32) -> Self {
        match number {
            1 => Self::RelayEquivocated,
            _ => Self::HistoryForked,
        }
    }
}

/// Freezes the case of a seat, once, and asks for a new group. The team has no case; its members are told all the same.
pub(crate) fn freeze(work: &Work<'_>, seat: &mut Seat, why: FreezeReason) -> Result<(), Error> {
    let Some(case) = seat.case.as_mut().filter(|case| case.frozen.is_none()) else {
        return Ok(());
    };
    case.frozen = Some(Frozen { why: why.number(), since: work.now });
    records::save(work.tx, &case.id.clone(), case)?;
    work.event(Event::CaseFrozen { case: case_name(&case.id) });
    match again::ask(work, seat, true, false) {
        // Certificates that have ended, say: the doctor says what is missing.
        Err(error) if !error.is_fatal() => Ok(()),
        asked => asked,
    }
}

/// Why and since when a case is frozen.
pub(crate) fn frozen(case: &CaseRecord) -> Option<(FreezeReason, i64)> {
    case.frozen.as_ref().map(|frozen| (FreezeReason::of(frozen.why), frozen.since))
}

/// Fails when nothing may be sent.
pub(crate) fn may_send(case: &CaseRecord) -> Result<(), Error> {
    match frozen(case) {
        None => Ok(()),
        Some((reason, _)) => Err(Error::Frozen { reason }),
    }
}
