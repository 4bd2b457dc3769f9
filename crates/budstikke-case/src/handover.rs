//! Hand-overs: an officer leaves, and no case falls between two chairs.
//!
//! ```text
//! a case:       OPEN → OWNED → TOLD → OFFERED → ACCEPTED
//!                 └──────────── objection ─────────┘
//! the hand-over: DRAFT → OFFERED → ACCEPTED → FINISHED → DONE (after the last day)
//! ```
//!
//! Every device of the team keeps one and feeds it the same [`HandoverStep`]s; nothing of the cases is in it. Nobody
//! is offered a case before the person concerned was told, and nobody reads it before they have accepted it.

use prost::Message as _;

use crate::received::malformed;
use crate::refusal::{Fault, Refusal};
use crate::roles::{Act, permit};
use crate::scan;
use crate::validate::validate_step;
use crate::wire::{
    HandedRecord, HandoverCase, HandoverRecord, HandoverStep, Leg, Officer,
    handover_step::Step as Said,
};

/// How far one case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CaseStage {
    /// Nobody takes it.
    Open,
    /// Somebody is to have it.
    Owned,
    /// The person concerned was told.
    Told,
    /// Whoever is to have it was asked.
    Offered,
    /// They said yes, and may read.
    Accepted,
}

/// How far a hand-over is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum HandoverPhase {
    /// Something has not been offered to anybody.
    Draft,
    /// Somebody has not answered.
    Offered,
    /// Every case has its next officer.
    Accepted,
    /// Nothing is left with the leaver; it waits for the last day to end.
    Finished,
    /// The leaver reads nothing more.
    Done,
}

/// One case of a hand-over.
#[derive(Clone, PartialEq)]
pub struct Handed {
    /// Its id, 16 bytes.
    pub case_id: Vec<u8>,
    /// Ids of the lines that carry it on.
    pub lines: Vec<Vec<u8>>,
    /// Who is to have it.
    pub owner: Option<Officer>,
    /// How far it is.
    pub stage: CaseStage,
    /// Keys of officers to whom the person concerned has said no.
    pub objected_to: Vec<Vec<u8>>,
}

/// One hand-over.
#[derive(Clone, PartialEq)]
pub struct HandoverState {
    id: Vec<u8>,
    by: Officer,
    from: Officer,
    last_day_s: i64,
    cases: Vec<Handed>,
    finished: bool,
}

impl HandoverState {
    /// Begins one, with the step that says so.
    ///
    /// # Errors
    /// I03 for whoever may not hand over; W02 for another step, or a case twice.
    pub fn start(step: &HandoverStep, by: &Officer) -> Result<Self, Refusal> {
        validate_step(step)?;
        may_hand_over(by)?;
        let Some(Said::Start(start)) = &step.step else {
            return Err(malformed("start", Fault::Missing));
        };
        let from = start.from.clone().ok_or_else(|| malformed("from", Fault::Missing))?;
        let mut state = Self {
            id: step.handover_id.clone(),
            by: by.clone(),
            from,
            last_day_s: start.last_day_s,
            cases: Vec::new(),
            finished: false,
        };
        for case in &start.cases {
            if state.case(&case.case_id).is_some() {
                return Err(malformed("cases", Fault::Twice));
            }
            state.cases.push(Handed::open(case));
        }
        Ok(state)
    }

    /// Takes a step that `by` has taken; their certificate has been checked. The state is unchanged when it is refused.
    ///
    /// # Errors
    /// I03; H01 and D01 with what is still missing; W04 for a step that does not follow.
    pub fn apply(
        &mut self,
        step: &HandoverStep,
        by: &Officer,
        now: i64,
    ) -> Result<HandoverPhase, Refusal> {
        validate_step(step)?;
        if step.handover_id != self.id {
            return Err(malformed("handover_id", Fault::Contradiction));
        }
        if self.phase(now) == HandoverPhase::Done {
            return Err(self.out_of_step("change", now));
        }
        match step.step.as_ref().ok_or_else(|| malformed("step", Fault::Missing))? {
            Said::Start(_) => return Err(self.out_of_step("start", now)),
            Said::Owner(owner) => {
                may_hand_over(by)?;
                let of = owner.of.as_ref().ok_or_else(|| malformed("of", Fault::Missing))?;
                let officer = owner.owner.as_ref();
                let officer = officer.ok_or_else(|| malformed("owner", Fault::Missing))?;
                self.own(of, officer, now)?;
            }
            Said::Told(id) => {
                may_hand_over(by)?;
                let case = self.case_mut(id)?;
                if case.stage == CaseStage::Open {
                    return Err(without_owner(case));
                }
                case.stage = case.stage.max(CaseStage::Told);
            }
            Said::Objected(id) => {
                let case = self.case_mut(id)?;
                case.stage = CaseStage::Open;
                if let Some(owner) = case.owner.take() {
                    case.objected_to.push(owner.key);
                }
                self.finished = false;
            }
            Said::Offered(_) => {
                may_hand_over(by)?;
                self.unblocked(&[])?;
                for case in &mut self.cases {
                    case.stage = case.stage.max(CaseStage::Offered);
                }
            }
            Said::Accepted(_) => self.accept(by, now)?,
            Said::Finished(_) => {
                may_hand_over(by)?;
                self.may_finish(&[], now)?;
                self.finished = true;
            }
        }
        Ok(self.phase(now))
    }

    /// What still has to be done before anybody can be asked. `held`: ids of the cases that the leaver's device has.
    pub fn blocks(&self, held: &[Vec<u8>]) -> Vec<Refusal> {
        let mut refusals = Vec::new();
        for case in &self.cases {
            match case.stage {
                CaseStage::Open => refusals.push(without_owner(case)),
                CaseStage::Owned => refusals.push(Refusal::DefenderNotInformed),
                _ => {}
            }
        }
        let forgotten = held.iter().filter(|id| self.case(id).is_none());
        refusals.extend(forgotten.map(|id| Refusal::CaseWithoutOwner { case: short_name(id) }));
        refusals
    }

    /// Whether nothing is left with the leaver.
    ///
    /// # Errors
    /// As [`HandoverState::blocks`]; W04 while somebody has not accepted.
    pub fn may_finish(&self, held: &[Vec<u8>], now: i64) -> Result<(), Refusal> {
        self.unblocked(held)?;
        if self.cases.iter().all(|case| case.stage == CaseStage::Accepted) {
            return Ok(());
        }
        Err(self.out_of_step("finish", now))
    }

    /// Whether an officer's device may have what a case holds: it is theirs, and they have accepted it.
    ///
    /// # Errors
    /// I05.
    pub fn may_read(&self, case_id: &[u8], key: &[u8]) -> Result<(), Refusal> {
        let theirs = |case: &&Handed| {
            case.stage == CaseStage::Accepted && case.owner.as_ref().is_some_and(|o| o.key == key)
        };
        match self.case(case_id).filter(theirs) {
            Some(_) => Ok(()),
            None => Err(Refusal::NotOnCaseAccessList { case: short_name(case_id) }),
        }
    }

    /// How far it is at `now`.
    pub fn phase(&self, now: i64) -> HandoverPhase {
        let least = self.cases.iter().map(|case| case.stage).min();
        match least.unwrap_or(CaseStage::Accepted) {
            CaseStage::Accepted if self.finished && now >= self.last_day_s => HandoverPhase::Done,
            CaseStage::Accepted if self.finished => HandoverPhase::Finished,
            CaseStage::Accepted => HandoverPhase::Accepted,
            CaseStage::Offered => HandoverPhase::Offered,
            _ => HandoverPhase::Draft,
        }
    }

    /// Its id, 16 bytes.
    pub fn id(&self) -> &[u8] {
        &self.id
    }

    /// Who began it.
    pub fn by(&self) -> &Officer {
        &self.by
    }

    /// Who leaves.
    pub fn from(&self) -> &Officer {
        &self.from
    }

    /// End of the leaver's last day, Unix seconds.
    pub fn last_day_s(&self) -> i64 {
        self.last_day_s
    }

    /// The cases, in the order in which they were named.
    pub fn cases(&self) -> &[Handed] {
        &self.cases
    }

    /// The case with this id.
    pub fn case(&self, id: &[u8]) -> Option<&Handed> {
        self.cases.iter().find(|case| case.case_id == id)
    }

    fn case_mut(&mut self, id: &[u8]) -> Result<&mut Handed, Refusal> {
        let found = self.cases.iter_mut().find(|case| case.case_id == id);
        found.ok_or_else(|| malformed("case_id", Fault::Reference))
    }

    /// Somebody is to have it. Whoever has accepted a case keeps it, unless the person concerned says no.
    fn own(&mut self, of: &HandoverCase, owner: &Officer, now: i64) -> Result<(), Refusal> {
        if owner.key == self.from.key {
            return Err(self.out_of_step("own", now));
        }
        if self.case(&of.case_id).is_none() {
            self.cases.push(Handed::open(of));
            self.finished = false;
        }
        let case = self.case_mut(&of.case_id)?;
        if case.owner.as_ref().is_some_and(|known| known.key == owner.key) {
            return Ok(());
        }
        let phase = case.stage.name();
        if case.stage == CaseStage::Accepted {
            return Err(Refusal::OutOfStep { step: "own", phase });
        }
        if case.objected_to.contains(&owner.key) {
            return Err(Refusal::OutOfStep { step: "own", phase: "objected" });
        }
        (case.owner, case.stage) = (Some(owner.clone()), CaseStage::Owned);
        Ok(())
    }

    fn accept(&mut self, by: &Officer, now: i64) -> Result<(), Refusal> {
        let theirs = |case: &&mut Handed| case.owner.as_ref().is_some_and(|o| o.key == by.key);
        let mut any = false;
        for case in self.cases.iter_mut().filter(theirs) {
            if case.stage >= CaseStage::Offered {
                case.stage = CaseStage::Accepted;
                any = true;
            }
        }
        if any { Ok(()) } else { Err(self.out_of_step("accept", now)) }
    }

    /// The first of what stops it.
    fn unblocked(&self, held: &[Vec<u8>]) -> Result<(), Refusal> {
        self.blocks(held).into_iter().next().map_or(Ok(()), Err)
    }

    fn out_of_step(&self, step: &'static str, now: i64) -> Refusal {
        Refusal::OutOfStep { step, phase: self.phase(now).name() }
    }

    /// For the vault.
    pub fn to_bytes(&self) -> Vec<u8> {
        let case = |case: &Handed| HandedRecord {
            case_id: case.case_id.clone(),
            lines: case.lines.clone(),
            owner: case.owner.clone(),
            stage: place(case.stage),
            objected_to: case.objected_to.clone(),
        };
        let record = HandoverRecord {
            handover_id: self.id.clone(),
            by: Some(self.by.clone()),
            from: Some(self.from.clone()),
            last_day_s: self.last_day_s,
            cases: self.cases.iter().map(case).collect(),
            finished: self.finished,
        };
        record.encode_to_vec()
    }

    /// From the vault.
    ///
    /// # Errors
    /// W02 when the bytes are no record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        let broken = || malformed("handover_record", Fault::Encoding);
        scan::other(bytes, "HandoverRecord")?;
        let record = HandoverRecord::decode(bytes).map_err(|_| broken())?;
        let case = |case: HandedRecord| {
            let stage = usize::try_from(case.stage).ok();
            Some(Handed {
                case_id: case.case_id,
                lines: case.lines,
                owner: case.owner,
                stage: *CaseStage::ALL.get(stage?)?,
                objected_to: case.objected_to,
            })
        };
        Ok(Self {
            id: record.handover_id,
            by: record.by.ok_or_else(broken)?,
            from: record.from.ok_or_else(broken)?,
            last_day_s: record.last_day_s,
            cases: record.cases.into_iter().map(case).collect::<Option<_>>().ok_or_else(broken)?,
            finished: record.finished,
        })
    }
}

impl Handed {
    fn open(of: &HandoverCase) -> Self {
        Self {
            case_id: of.case_id.clone(),
            lines: of.lines.clone(),
            owner: None,
            stage: CaseStage::Open,
            objected_to: Vec::new(),
        }
    }
}

impl CaseStage {
    /// Every stage, in order; it only grows at its end.
    pub const ALL: [Self; 5] = [Self::Open, Self::Owned, Self::Told, Self::Offered, Self::Accepted];

    /// Stable word, also a Fluent key part: `case-stage-open`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Owned => "owned",
            Self::Told => "told",
            Self::Offered => "offered",
            Self::Accepted => "accepted",
        }
    }
}

impl HandoverPhase {
    /// Every phase.
    pub const ALL: [Self; 5] =
        [Self::Draft, Self::Offered, Self::Accepted, Self::Finished, Self::Done];

    /// Stable word, also a Fluent key part: `handover-phase-draft`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Offered => "offered",
            Self::Accepted => "accepted",
            Self::Finished => "finished",
            Self::Done => "done",
        }
    }
}

impl std::fmt::Debug for HandoverState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HandoverState")
    }
}

impl std::fmt::Debug for Handed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handed")
    }
}

/// I03 for whoever may not.
fn may_hand_over(by: &Officer) -> Result<(), Refusal> {
    permit(Act::HandOver, Leg::MissionTeam, crate::officer::role(by))
}

fn without_owner(case: &Handed) -> Refusal {
    Refusal::CaseWithoutOwner { case: short_name(&case.case_id) }
}

/// What people call something with this id: eight letters and digits, as everywhere else.
fn short_name(id: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let first = id.iter().chain(std::iter::repeat(&0)).take(5);
    let bits = first.fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    let letter = |place: u32| {
        let index = usize::try_from(bits >> (35 - 5 * place) & 31).ok()?;
        LETTERS.get(index)
    };
    (0..8).filter_map(letter).map(|letter| char::from(*letter)).collect()
}

fn place(stage: CaseStage) -> u32 {
    let place = CaseStage::ALL.iter().position(|known| *known == stage);
    place.and_then(|place| u32::try_from(place).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::short_name;

    #[test]
    fn a_case_has_the_same_name_everywhere() {
        assert_eq!(short_name(&[0; 16]), "aaaaaaaa");
        assert_eq!(short_name(&[0xff; 16]), "77777777");
        assert_eq!(short_name(b"foobar"), "mzxw6ytb");
    }
}
