//! Alerts: a person acknowledges, by a time that both sides see. That a device has
//! it, or that it was on a screen, stops nothing.
//!
//! ```text
//! RAISED → DELIVERED → READ → ACKED(person) → IN_HAND → DONE
//!   │                    └ overdue → ESCALATED(n) → EXHAUSTED
//!   └ CANCELLED
//! ```

use prost::Message as _;

use crate::carried::decode;
use crate::guard::CLOCK_SLACK_S;
use crate::received::malformed;
use crate::refusal::{Fault, Refusal};
use crate::roles::{Act, permit};
use crate::scan;
use crate::validate;
use crate::wire as w;
use crate::wire::{
    AckKind, Alert, AlertAckBody, AlertRecord, AlertTiming, Certainty, Leg, Officer, Role,
    Severity, Urgency,
};
use crate::words::strict;

const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;
const ROUTINE_WORKING_DAYS: i64 = 5;
/// An alert that got through within this time is on time, so that both sides see the deadline that stands in it.
const ON_TIME_S: i64 = 5 * 60;

/// One tap's worth of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// How soon something has to be done.
    pub timing: AlertTiming,
    /// How bad it is.
    pub severity: Severity,
    /// How sure.
    pub certainty: Certainty,
}

/// The three axes of a preset. FLASH is for what is happening; the others for what is to come.
pub fn preset(urgency: Urgency) -> Preset {
    let of = |timing, severity, certainty| Preset { timing, severity, certainty };
    match urgency {
        Urgency::Flash => of(AlertTiming::Immediate, Severity::Extreme, Certainty::Observed),
        Urgency::Urgent => of(AlertTiming::Expected, Severity::Severe, Certainty::Likely),
        Urgency::High => of(AlertTiming::Future, Severity::Moderate, Certainty::Likely),
        _ => of(AlertTiming::Future, Severity::Minor, Certainty::Possible),
    }
}

/// When a person has to have acknowledged: FLASH 60 minutes, URGENT 4 hours, HIGH 24 hours,
/// ROUTINE 5 working days (Monday to Friday, at the place `utc_offset_min` east of UTC).
pub fn ack_deadline(urgency: Urgency, raised_at_s: i64, utc_offset_min: i32) -> i64 {
    let after = match urgency {
        Urgency::Flash => HOUR_S,
        Urgency::Urgent => 4 * HOUR_S,
        Urgency::High => DAY_S,
        _ => return working_days_after(raised_at_s, ROUTINE_WORKING_DAYS, utc_offset_min),
    };
    raised_at_s.saturating_add(after)
}

/// How a drill's headline begins, so that also a screen that shows nothing else of it says what it is.
pub const EXERCISE: &str = "EXERCISE";

/// How long each person in turn has, once nobody took an alert by its deadline: half of what the first had. FLASH 30
/// minutes, URGENT 2 hours, HIGH 12 hours, ROUTINE 2 days.
pub fn turn_s(urgency: Urgency) -> u32 {
    match urgency {
        Urgency::Flash => 30 * 60,
        Urgency::Urgent => 2 * 3_600,
        Urgency::High => 12 * 3_600,
        _ => 2 * 86_400,
    }
}

/// When the clock of an alert runs that a relay took, or a device received, at `now`: an alert that needed more than
/// five minutes for that could not be answered before.
/// A clock that was ahead when it was raised counts as right.
pub fn clock_from(raised_at_s: i64, now: i64) -> i64 {
    if now.saturating_sub(raised_at_s) > ON_TIME_S { now } else { raised_at_s.min(now) }
}

/// What happens to an alert by the clock alone, while no person has taken it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// A quarter of the time is left.
    Near,
    /// The deadline.
    Overdue,
    /// Whoever comes next has a copy from here on.
    Escalated(Role),
    /// Nobody is left: use the way outside this channel.
    Exhausted,
}

/// Latest deadline a valid alert may name, whatever the place: five working days span at most nine
/// days.
pub(crate) fn latest_ack_s(alert: &Alert) -> i64 {
    let urgency: Urgency = strict(alert.preset);
    match urgency {
        Urgency::Routine | Urgency::Unspecified => alert.raised_at_s.saturating_add(9 * DAY_S),
        _ => ack_deadline(urgency, alert.raised_at_s, 0),
    }
}

/// How long whoever takes an alert may be silent: FLASH a day, URGENT three, HIGH a week, ROUTINE 30 days.
fn longest_silence_s(urgency: Urgency) -> i64 {
    match urgency {
        Urgency::Flash => DAY_S,
        Urgency::Urgent => 3 * DAY_S,
        Urgency::High => 7 * DAY_S,
        _ => 30 * DAY_S,
    }
}

fn working_days_after(at: i64, days: i64, utc_offset_min: i32) -> i64 {
    let offset = i64::from(utc_offset_min) * 60;
    let (mut left, mut end) = (days, at);
    while left > 0 {
        end = end.saturating_add(DAY_S);
        // 1 January 1970 was a Thursday.
        let weekday = (end.saturating_add(offset).div_euclid(DAY_S) + 3).rem_euclid(7);
        if weekday < 5 {
            left -= 1;
        }
        if end == i64::MAX {
            break;
        }
    }
    end
}

/// Where an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AlertPhase {
    /// Written.
    Raised,
    /// A device of the other side has it.
    Delivered,
    /// It was on a screen.
    Read,
    /// A person has taken it.
    Acked,
    /// Work is under way.
    InHand,
    /// Over.
    Done,
    /// Taken back by who raised it.
    Cancelled,
    /// Passed on to the next in line.
    Escalated,
    /// Nobody is left to pass it on to: use the way outside this channel.
    Exhausted,
}

/// Something that happens to an alert.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum AlertEvent<'a> {
    /// A relay has stored it, or it has come in; an alert that waited more than five minutes for the network has its
    /// time from here.
    Sent,
    /// A device has it.
    Delivered,
    /// It was shown.
    Read,
    /// A person answered; who signed is proven ([`crate::officer::attested`]).
    Acked {
        /// The answer.
        ack: &'a AlertAckBody,
        /// Who.
        by: &'a Officer,
    },
    /// The next in line has it.
    Escalated,
    /// There is no next in line.
    Exhausted,
    /// Taken back.
    Cancelled,
}

/// One alert. Sender and receiver keep one each and feed it the same events.
#[derive(Clone, PartialEq)]
pub struct AlertState {
    alert: Vec<u8>,
    decoded: Alert,
    phase: AlertPhase,
    clock_from_s: i64,
    escalated: u32,
    acked_by: String,
    acked_at_s: i64,
    held_at_s: i64,
    next_word_by_s: i64,
    copies_ended: bool,
    back_at_s: i64,
    back_by: String,
}

impl AlertState {
    /// A raised alert; it is valid.
    pub fn new(alert: Alert) -> Self {
        Self {
            alert: alert.encode_to_vec(),
            phase: AlertPhase::Raised,
            clock_from_s: alert.raised_at_s,
            escalated: 0,
            acked_by: String::new(),
            acked_at_s: 0,
            held_at_s: 0,
            next_word_by_s: 0,
            copies_ended: false,
            back_at_s: 0,
            back_by: String::new(),
            decoded: alert,
        }
    }

    /// Takes note. The state is unchanged when it is refused.
    ///
    /// # Errors
    /// I03 for somebody who may not acknowledge, W02 for an answer to another alert, W04 for what
    /// does not follow.
    pub fn apply(&mut self, event: &AlertEvent<'_>, now: i64) -> Result<AlertPhase, Refusal> {
        use AlertPhase::{Acked, Cancelled, Delivered, Done, Escalated, Exhausted, InHand, Read};
        let over = matches!(self.phase, Done | Cancelled);
        let held = matches!(self.phase, Acked | InHand);
        match event {
            AlertEvent::Sent if self.phase == AlertPhase::Raised => {
                self.clock_from_s =
                    self.clock_from_s.max(clock_from(self.decoded.raised_at_s, now));
            }
            AlertEvent::Delivered if self.phase == AlertPhase::Raised => self.phase = Delivered,
            AlertEvent::Read if matches!(self.phase, AlertPhase::Raised | Delivered) => {
                self.phase = Read;
            }
            // Told twice or late: it is known by now.
            AlertEvent::Sent | AlertEvent::Delivered | AlertEvent::Read => {}
            AlertEvent::Acked { ack, by } => self.acked(ack, by, now)?,
            AlertEvent::Escalated if !over && !held => {
                self.escalated = self.escalated.saturating_add(1);
                self.phase = Escalated;
            }
            AlertEvent::Exhausted if !over && !held => self.phase = Exhausted,
            AlertEvent::Cancelled if !over => self.phase = Cancelled,
            AlertEvent::Escalated => return Err(self.out_of_step("escalate")),
            AlertEvent::Exhausted => return Err(self.out_of_step("exhaust")),
            AlertEvent::Cancelled => return Err(self.out_of_step("cancel")),
        }
        Ok(self.phase)
    }

    fn acked(&mut self, ack: &AlertAckBody, by: &Officer, now: i64) -> Result<(), Refusal> {
        may_answer(crate::officer::role(by))?;
        if ack.alert_id != self.decoded.alert_id {
            return Err(malformed("acknowledgement.alert_id", Fault::Contradiction));
        }
        if matches!(self.phase, AlertPhase::Done | AlertPhase::Cancelled) {
            return Err(self.out_of_step("acknowledge"));
        }
        // Whoever answers last has it, so nobody answers from the future, or before there was anything to answer.
        let earliest = self.decoded.raised_at_s.saturating_sub(CLOCK_SLACK_S);
        if !(earliest..=now.saturating_add(CLOCK_SLACK_S)).contains(&ack.at_s) {
            return Err(malformed("acknowledgement.at_s", Fault::Range));
        }
        // What somebody said before they gave it back counts no more, whenever it comes.
        if self.back_by == by.label && ack.at_s < self.back_at_s {
            return Ok(());
        }
        let latest_word = ack.at_s.saturating_add(longest_silence_s(strict(self.decoded.preset)));
        if ack.next_word_by_s > latest_word {
            return Err(malformed("acknowledgement.next_word_by_s", Fault::Range));
        }
        // Of two who take it at once both sides see the same one, whatever came first: the later.
        let holds = !self.acked_by.is_empty();
        let order = (ack.at_s, by.label.as_str());
        if holds && order < (self.held_at_s, self.acked_by.as_str()) {
            return Ok(());
        }
        let next = match strict::<AckKind>(ack.kind) {
            AckKind::SeenNotMine | AckKind::Unspecified => {
                // Seen, by somebody whose it is not: the clock runs. Who gives it back starts it again.
                (self.back_at_s, self.back_by) = (ack.at_s, by.label.clone());
                if holds && self.acked_by == by.label {
                    self.phase = AlertPhase::Read;
                    self.acked_by.clear();
                    (self.acked_at_s, self.next_word_by_s) = (0, 0);
                }
                return Ok(());
            }
            AckKind::SeenAndMine => AlertPhase::Acked,
            AckKind::InHand => AlertPhase::InHand,
            AckKind::Done => AlertPhase::Done,
        };
        self.phase = next;
        // Whoever takes it ends the copies that wait for others, also if it is given back later.
        self.copies_ended = true;
        if self.acked_at_s == 0 {
            self.acked_at_s = ack.at_s;
        }
        by.label.clone_into(&mut self.acked_by);
        (self.held_at_s, self.next_word_by_s) = (ack.at_s, ack.next_word_by_s);
        Ok(())
    }

    /// Where it stands.
    pub fn phase(&self) -> AlertPhase {
        self.phase
    }

    /// What was raised.
    pub fn alert(&self) -> &Alert {
        &self.decoded
    }

    /// When a person has to have acknowledged, Unix seconds: what the alert says, later by as long
    /// as it had to wait for the network.
    pub fn ack_by_s(&self) -> i64 {
        let waited = self.clock_from_s.saturating_sub(self.decoded.raised_at_s);
        self.decoded.ack_by_s.saturating_add(waited)
    }

    /// Whether the clock runs, and has run out at `now`.
    pub fn overdue(&self, now: i64) -> bool {
        self.waiting() && now >= self.ack_by_s()
    }

    /// Whether somebody took it and has not been heard of by when they said.
    pub fn word_overdue(&self, now: i64) -> bool {
        let held = matches!(self.phase, AlertPhase::Acked | AlertPhase::InHand);
        held && self.next_word_by_s != 0 && now >= self.next_word_by_s
    }

    /// Whether no person has it yet.
    pub fn waiting(&self) -> bool {
        !matches!(
            self.phase,
            AlertPhase::Acked | AlertPhase::InHand | AlertPhase::Done | AlertPhase::Cancelled
        )
    }

    /// What the clock brings, in order, while no person has it; empty otherwise.
    pub fn stages(&self) -> Vec<(i64, Stage)> {
        if !self.waiting() {
            return Vec::new();
        }
        let by = self.ack_by_s();
        let given = self.decoded.ack_by_s.saturating_sub(self.decoded.raised_at_s);
        let mut stages = vec![(by.saturating_sub(given / 4), Stage::Near), (by, Stage::Overdue)];
        if let Some(escalation) = self.decoded.escalation.as_ref().filter(|_| !self.copies_ended) {
            let after = |seconds: u32| by.saturating_add(seconds.into());
            stages.extend(
                escalation
                    .steps
                    .iter()
                    .map(|step| (after(step.after_s), Stage::Escalated(role_of(step)))),
            );
            stages.push((after(escalation.exhausted_after_s), Stage::Exhausted));
        }
        stages
    }

    /// How many times it was passed on.
    pub fn escalated(&self) -> u32 {
        self.escalated
    }

    /// Who has it, by the label of their certificate, and since when.
    pub fn acked_by(&self) -> Option<(&str, i64)> {
        (self.acked_at_s != 0).then_some((self.acked_by.as_str(), self.acked_at_s))
    }

    /// When the next word is promised, Unix seconds; 0 = none.
    pub fn next_word_by_s(&self) -> i64 {
        self.next_word_by_s
    }

    /// For the vault.
    pub fn to_bytes(&self) -> Vec<u8> {
        let phase = AlertPhase::ALL.iter().position(|known| *known == self.phase);
        let record = AlertRecord {
            alert: self.alert.clone(),
            phase: phase.and_then(|place| u32::try_from(place).ok()).unwrap_or(u32::MAX),
            clock_from_s: self.clock_from_s,
            escalated: self.escalated,
            acked_by: self.acked_by.clone(),
            acked_at_s: self.acked_at_s,
            next_word_by_s: self.next_word_by_s,
            held_at_s: self.held_at_s,
            copies_ended: self.copies_ended,
            back_at_s: self.back_at_s,
            back_by: self.back_by.clone(),
        };
        record.encode_to_vec()
    }

    /// From the vault.
    ///
    /// # Errors
    /// W02 when the bytes are no record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        scan::other(bytes, "AlertRecord")?;
        let broken = || malformed("alert_record", Fault::Encoding);
        let record = AlertRecord::decode(bytes).map_err(|_| broken())?;
        let place = usize::try_from(record.phase).ok();
        let phase = place.and_then(|place| AlertPhase::ALL.get(place)).ok_or_else(broken)?;
        Ok(Self {
            decoded: decode(&record.alert)?,
            alert: record.alert,
            phase: *phase,
            clock_from_s: record.clock_from_s,
            escalated: record.escalated,
            acked_by: record.acked_by,
            acked_at_s: record.acked_at_s,
            next_word_by_s: record.next_word_by_s,
            held_at_s: record.held_at_s,
            copies_ended: record.copies_ended,
            back_at_s: record.back_at_s,
            back_by: record.back_by,
        })
    }

    fn out_of_step(&self, step: &'static str) -> Refusal {
        Refusal::OutOfStep { step, phase: self.phase.name() }
    }
}

impl AlertPhase {
    /// Every phase; the list only grows at its end.
    pub const ALL: [Self; 9] = [
        Self::Raised,
        Self::Delivered,
        Self::Read,
        Self::Acked,
        Self::InHand,
        Self::Done,
        Self::Cancelled,
        Self::Escalated,
        Self::Exhausted,
    ];

    /// Stable word, also a Fluent key part: `alert-phase-raised`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Acked => "acked",
            Self::InHand => "in-hand",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Escalated => "escalated",
            Self::Exhausted => "exhausted",
        }
    }
}

impl std::fmt::Debug for AlertState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AlertState")
    }
}

/// Whose turn a step is; one of a newer version is nobody's here.
pub fn role_of(step: &w::EscalationStep) -> Role {
    Role::try_from(step.to).unwrap_or_default()
}

/// I03: who may answer an alert, on whichever leg.
fn may_answer(role: Role) -> Result<(), Refusal> {
    let mut legs = [Leg::MissionMinistry, Leg::MissionMultilateralMission].into_iter();
    if legs.any(|leg| permit(Act::Acknowledge, leg, role).is_ok()) {
        return Ok(());
    }
    permit(Act::Acknowledge, Leg::MissionMinistry, role)
}

/// An alert that travels outside of a channel.
///
/// # Errors
/// W02, and whatever an alert in a message is refused for.
pub fn open_alert(bytes: &[u8]) -> Result<Alert, Refusal> {
    let alert = decode(bytes)?;
    validate::validate_alert(&alert)?;
    Ok(alert)
}

/// An answer to an alert, and what was signed, outside of a channel. Who signed is still to be proven
/// ([`crate::officer::attested`]).
///
/// # Errors
/// W02, and I03 for a role that may not answer.
pub fn open_ack(bytes: &[u8]) -> Result<(w::AlertAck, AlertAckBody), Refusal> {
    let ack: w::AlertAck = decode(bytes)?;
    validate::validate_ack(&ack)?;
    may_answer(
        ack.by
            .as_ref()
            .and_then(|by| by.officer.as_ref())
            .map(crate::officer::role)
            .unwrap_or_default(),
    )?;
    let body = decode(&ack.body)?;
    Ok((ack, body))
}

/// How a team is reached, outside of a channel.
///
/// # Errors
/// W02.
pub fn open_contact(bytes: &[u8]) -> Result<w::EscalationContact, Refusal> {
    let contact = decode(bytes)?;
    validate::validate_contact(&contact)?;
    Ok(contact)
}

/// Body of an acknowledgement, to be signed in [`crate::officer::ACK_DOMAIN`].
pub fn ack(alert: &Alert, kind: AckKind, at_s: i64, next_word_by_s: i64) -> w::AlertAckBody {
    let alert_id = alert.alert_id.clone();
    w::AlertAckBody { alert_id, kind: kind.into(), at_s, next_word_by_s, note: String::new() }
}
