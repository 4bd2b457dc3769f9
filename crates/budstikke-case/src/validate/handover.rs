//! Tables of hand-overs and of who reads.

use super::ID_LEN;
use super::check::{Check, Checked, MAX_TIME, Optional, Required};
use super::consent::officer;
use crate::refusal::{Fault, Refusal};
use crate::wire as w;
use crate::wire::{AccessChangeKind, Leg, Role};

/// Cases that one officer may leave behind.
const MAX_CASES: usize = 128;
/// Lines that may carry one case on.
const MAX_LINES: usize = 8;
/// People that one notice may name.
const MAX_READERS: usize = 16;
const X_WING_KEY_LEN: usize = 1_216;

/// P03 anywhere else than inside the team: what an officer knows of people is no message to them, nor to the Ministry.
pub(super) fn handover(m: &w::Handover, leg: Leg, c: &mut Check) -> Checked {
    if leg != Leg::MissionTeam {
        return Err(Refusal::HandlingForbids { handling: w::Handling::CaseTeam });
    }
    c.id("handover_id", &m.handover_id, Required, ID_LEN)?;
    c.inside("from", |c| officer(m.from.as_ref(), c))?;
    c.inside("to", |c| officer(m.to.as_ref(), c))?;
    c.range("last_day_s", m.last_day_s, 1..=MAX_TIME)?;
    c.each("cases", &m.cases, 1..=MAX_CASES, |c, case| {
        c.id("case_id", &case.case_id, Required, ID_LEN)?;
        handed(case, c)
    })
}

/// What stands in a file, too: the client sets the ids.
pub(super) fn handed(m: &w::HandedCase, c: &mut Check) -> Checked {
    c.word::<w::CaseState>("state", m.state, Optional)?;
    c.each("promises", &m.promises, 0..=16, |c, promise| {
        c.text("what", &promise.what, Required, 600)?;
        c.range("by_s", promise.by_s, 0..=MAX_TIME)
    })?;
    c.each("in_flight", &m.in_flight, 0..=64, |c, item| {
        c.word::<w::InFlightKind>("kind", item.kind, Required)?;
        c.id("id", &item.id, Required, ID_LEN)?;
        c.text("what", &item.what, Optional, 600)?;
        c.range("due_s", item.due_s, 0..=MAX_TIME)
    })?;
    c.text("trust_notes", &m.trust_notes, Optional, 4_000)?;
    c.text("who_is_told", &m.who_is_told, Optional, 1_000)
}

/// Whether it is the person's own no.
pub(super) fn objects(m: &w::CaseAccessChange) -> bool {
    m.kind == i32::from(AccessChangeKind::Objection)
}

/// On the defender's leg and nowhere else. A notice says who reads from when on; an objection says nothing of it.
pub(super) fn access_change(
    m: &w::CaseAccessChange,
    leg: Leg,
    role: Role,
    c: &mut Check,
) -> Checked {
    if !matches!(leg, Leg::DefenderMission | Leg::DefenderMultilateralMission) {
        return Err(Refusal::RoleNotPermitted { role, act: "tell-defender", allowed: Vec::new() });
    }
    c.word::<AccessChangeKind>("kind", m.kind, Required)?;
    let objects = objects(m);
    let reader = |c: &mut Check, reader: &w::CaseReader| {
        c.text("label", &reader.label, Required, 64)?;
        c.word::<Role>("role", reader.role, Optional)
    };
    c.each("reads", &m.reads, if objects { 0..=0 } else { 1..=MAX_READERS }, reader)?;
    c.each("stops", &m.stops, if objects { 0..=0 } else { 0..=MAX_READERS }, reader)?;
    c.range("from_s", m.from_s, if objects { 0..=0 } else { 1..=MAX_TIME })?;
    c.range("stops_s", m.stops_s, if m.stops.is_empty() { 0..=0 } else { 1..=MAX_TIME })?;
    c.text("what_happens_next", &m.what_happens_next, Optional, 1_000)?;
    c.text("reason", &m.reason, Optional, 1_000)?;
    if !objects && !m.reason.is_empty() {
        return Err(c.fault("reason", Fault::Misplaced));
    }
    Ok(())
}

/// Each step names what it is about, and no more.
pub(super) fn step(m: &w::HandoverStep, c: &mut Check) -> Checked {
    use w::handover_step::Step;
    c.id("handover_id", &m.handover_id, Required, ID_LEN)?;
    c.range("at_s", m.at_s, 1..=MAX_TIME)?;
    match &m.step {
        None => Err(c.fault("step", Fault::Missing)),
        Some(Step::Start(start)) => {
            c.inside("from", |c| officer(start.from.as_ref(), c))?;
            c.range("last_day_s", start.last_day_s, 1..=MAX_TIME)?;
            c.each("cases", &start.cases, 0..=MAX_CASES, case)
        }
        Some(Step::Owner(owner)) => {
            c.inside("owner", |c| officer(owner.owner.as_ref(), c))?;
            match &owner.of {
                Some(of) => c.inside("of", |c| case(c, of)),
                None => Err(c.fault("of", Fault::Missing)),
            }
        }
        Some(Step::Told(id) | Step::Objected(id)) => c.id("case_id", id, Required, ID_LEN),
        Some(Step::Accepted(m)) => c.id("public_key", &m.public_key, Required, X_WING_KEY_LEN),
        Some(Step::Offered(_) | Step::Finished(_)) => Ok(()),
    }
}

fn case(c: &mut Check, m: &w::HandoverCase) -> Checked {
    c.id("case_id", &m.case_id, Required, ID_LEN)?;
    c.ids("lines", &m.lines, MAX_LINES)
}
