//! Whether a valid message may go out, or be taken in, at this moment under these terms. The
//! receiver asks the same questions as the sender, so that a modified sender gains nothing.

use crate::carried;
use crate::hash::Hash;
use crate::kind::Kind;
use crate::projection;
use crate::received::malformed;
use crate::refusal::{Fault, Refusal};
use crate::roles::{Side, side_of};
use crate::terms_state::{Phase, TermsState};
use crate::time;
use crate::warning::Warning;
use crate::wire::{
    ConsentState, ConsentStatus, ConsentStatusBody, Content, Header, Leg, Purpose, Receipt,
    ReceiptKind, Role, Transport, Urgency, content::Body,
};
use crate::words::strict;

/// Markings any deployment may carry. Graded information needs approved cryptography, which this
/// is not.
pub const DEFAULT_MARKINGS: &[&str] = &["", "UNCLASSIFIED"];
/// A message counts as written when it says so at most this long before it arrives, so that a
/// relay that was out of reach makes nothing late; 28 days is as long as a cell may live.
pub const LATE_DELIVERY_S: i64 = 28 * 86_400;

const DAY_S: i64 = 86_400;
/// How far two clocks may disagree before somebody is told.
pub const CLOCK_SLACK_S: i64 = 15 * 60;
/// Expectations older than this are worth a look.
const EXPECTATIONS_AGE_S: i64 = 180 * DAY_S;

/// Facts about one passage of a message that its content does not hold.
#[derive(Debug, Clone, Copy)]
pub struct Passage<'a> {
    /// How it travels.
    pub transport: Transport,
    /// Unit at the receiving end as its certificate says, `""` for a defender: the other side
    /// when sending, oneself when receiving.
    pub recipient: &'a str,
    /// Whether the sender has compared safety words with the recipient.
    pub verification: Verification,
    /// Markings this deployment carries; [`DEFAULT_MARKINGS`].
    pub markings: &'a [&'a str],
}

/// How sure the sender is of the other side's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verification {
    /// Safety words compared, or certificates checked.
    Verified,
    /// Not yet.
    Unverified,
    /// Compared once, and another key since (Unix seconds).
    KeyChanged(i64),
}

impl<'a> Passage<'a> {
    /// A passage with a verified recipient and the default markings.
    pub fn new(transport: Transport, recipient: &'a str) -> Self {
        let verification = Verification::Verified;
        Self { transport, recipient, verification, markings: DEFAULT_MARKINGS }
    }
}

/// Before sealing. `content` is valid ([`crate::validate()`]).
///
/// # Errors
/// T01 to T08, I01, I02, P01, P07, and C10 for a brief: whatever of the agreement it would break.
pub fn may_send(
    content: &Content,
    terms: &TermsState,
    now: i64,
    passage: &Passage<'_>,
) -> Result<Vec<Warning>, Refusal> {
    let message = Message::of(content)?;
    message.safe_recipient(passage)?;
    message.pass(terms, now, passage)
}

/// After opening and validating, before anything is shown or done. The time of writing decides
/// about quiet time and expiry, not the time of arrival ([`LATE_DELIVERY_S`]).
///
/// # Errors
/// As for [`may_send`], but for I02, which is the sender's to know.
pub fn may_accept(
    content: &Content,
    terms: &TermsState,
    now: i64,
    passage: &Passage<'_>,
) -> Result<Vec<Warning>, Refusal> {
    let message = Message::of(content)?;
    let written = message.header.written_at_s;
    let at = written.clamp(now.saturating_sub(LATE_DELIVERY_S), now);
    let mut warnings = message.pass(terms, at, passage)?;
    if written > now.saturating_add(CLOCK_SLACK_S) || written < now.saturating_sub(LATE_DELIVERY_S)
    {
        warnings.push(Warning::ClockImplausible);
    }
    Ok(warnings)
}

struct Message<'a> {
    header: &'a Header,
    body: &'a Body,
    kind: Kind,
    leg: Leg,
    side: Side,
}

impl<'a> Message<'a> {
    fn of(content: &'a Content) -> Result<Self, Refusal> {
        let header = content.header.as_ref().ok_or_else(|| malformed("header", Fault::Missing))?;
        let body = content.body.as_ref().ok_or_else(|| malformed("body", Fault::Missing))?;
        let leg = Leg::try_from(header.leg).unwrap_or_default();
        let role = Role::try_from(header.sender_role).unwrap_or_default();
        let side = side_of(leg, role)?;
        Ok(Self { header, body, kind: Kind::of_body(body), leg, side })
    }

    /// I02: who somebody is, and what they agree to, goes to nobody who has not been verified; and
    /// nothing at all to a key that is another than before, until a person has looked.
    fn safe_recipient(&self, passage: &Passage<'_>) -> Result<(), Refusal> {
        if let Verification::KeyChanged(since) = passage.verification
            && self.kind != Kind::Receipt
        {
            return Err(Refusal::KeyChanged { since });
        }
        if !matches!(self.kind, Kind::IdentitySheet | Kind::ConsentRecord | Kind::ConsentToken) {
            return Ok(());
        }
        match passage.verification {
            Verification::Unverified => Err(Refusal::RecipientUnverified),
            _ => Ok(()),
        }
    }

    fn pass(
        &self,
        terms: &TermsState,
        at: i64,
        passage: &Passage<'_>,
    ) -> Result<Vec<Warning>, Refusal> {
        self.right_recipient(terms, passage)?;
        if !passage.markings.contains(&self.header.classification.as_str()) {
            return Err(Refusal::MarkingTooHigh { marking: self.header.classification.clone() });
        }
        if self.leg == Leg::MissionTeam {
            return Ok(Vec::new());
        }
        self.quiet(terms, at)?;
        match self.needs(terms) {
            Needs::Nothing => {}
            Needs::Emergency => self.emergency(terms)?,
            Needs::Terms => self.under_terms(terms, at, passage)?,
        }
        Ok(warnings(terms, at))
    }

    /// I01: the unit meant is the unit there, and has a place in the agreement.
    fn right_recipient(&self, terms: &TermsState, passage: &Passage<'_>) -> Result<(), Refusal> {
        let intended = &self.header.intended_for;
        let wrong = |why| {
            let (intended, actual) = (intended.clone(), passage.recipient.to_owned());
            Err(Refusal::WrongRecipient { intended, actual, why })
        };
        if intended != passage.recipient {
            return wrong("another-unit");
        }
        if terms.leg() != self.leg {
            return wrong("another-leg");
        }
        let party = |unit: &str| match terms.agreed() {
            Some(agreed) => agreed.units.iter().any(|known| known == unit),
            None => true,
        };
        if !passage.recipient.is_empty() && self.leg != Leg::MissionTeam && !party(intended) {
            return wrong("not-in-the-terms");
        }
        Ok(())
    }

    /// T08. A suspension or an end goes through at any hour.
    fn quiet(&self, terms: &TermsState, at: i64) -> Result<(), Refusal> {
        let urgent = i32::from(strict::<Urgency>(self.header.urgency)) >= Urgency::Urgent.into();
        let toward_defender = self.side == Side::Offering
            && matches!(self.leg, Leg::DefenderMission | Leg::DefenderMultilateralMission);
        if urgent || !toward_defender || self.kind == Kind::TermsChange {
            return Ok(());
        }
        let quiet = terms.agreed().and_then(|agreed| agreed.quiet_time.as_ref());
        match quiet.and_then(|quiet| time::quiet_until(quiet, at)) {
            Some(until) => Err(Refusal::QuietTime { until }),
            None => Ok(()),
        }
    }

    fn needs(&self, terms: &TermsState) -> Needs {
        match self.body {
            Body::EmergencyContact(_) if !terms.covers(self.named_terms(), i64::MAX) => {
                Needs::Emergency
            }
            // A call for help is never held back by a date or a suspension, nor is taking consent
            // back.
            // Who reads is told whatever becomes of the terms, and a no to it is always heard.
            Body::EmergencyContact(_) | Body::ConsentWithdrawal(_) | Body::CaseAccessChange(_) => {
                Needs::Nothing
            }
            // That a consent does not stand is never held back either.
            Body::ConsentStatus(status) if !stands(status) => Needs::Nothing,
            Body::Receipt(receipt) if self.always(receipt) => Needs::Nothing,
            _ if self.kind.is_negotiation() => Needs::Nothing,
            _ => Needs::Terms,
        }
    }

    /// Receipts that are no matter of agreement: "I will not", "I cannot", and a person at the
    /// offering side saying that they have taken something on.
    fn always(&self, receipt: &Receipt) -> bool {
        match ReceiptKind::try_from(receipt.kind) {
            Ok(ReceiptKind::Refused | ReceiptKind::NotUnderstood) => true,
            Ok(ReceiptKind::TakenOn) => self.side == Side::Offering,
            _ => false,
        }
    }

    fn named_terms(&self) -> Option<Hash> {
        Hash::from_slice(&self.header.terms_hash)
    }

    /// The second exception of SPEC.md section 11, rule 7.
    fn emergency(&self, terms: &TermsState) -> Result<(), Refusal> {
        let Some((published, _)) = terms.emergency_terms() else {
            let state = terms.phase(self.header.written_at_s);
            return Err(Refusal::TermsNotInForce { leg: self.leg, state });
        };
        let got = self.named_terms();
        if got == Some(published) {
            return Ok(());
        }
        Err(Refusal::TermsHashMismatch { expected: Some(published), got })
    }

    fn under_terms(
        &self,
        terms: &TermsState,
        at: i64,
        passage: &Passage<'_>,
    ) -> Result<(), Refusal> {
        match terms.phase(at) {
            Phase::InForce | Phase::Amending => {}
            Phase::Expired => {
                let since = terms.agreed().map_or(at, |agreed| agreed.valid_until_s);
                return Err(Refusal::TermsExpired { since });
            }
            _ if self.leg == Leg::MissionMinistry => return Err(Refusal::MinistryLegNotAgreed),
            state => return Err(Refusal::TermsNotInForce { leg: self.leg, state }),
        }
        let got = self.named_terms();
        if !terms.covers(got, at) {
            return Err(Refusal::TermsHashMismatch { expected: terms.agreed_hash(), got });
        }
        if !terms.transport_agreed(passage.transport) {
            return Err(Refusal::TransportNotAgreed { transport: passage.transport });
        }
        if let Body::Receipt(receipt) = self.body {
            return self.receipt_agreed(receipt, terms);
        }
        if let Body::CaseBrief(brief) = self.body {
            projection::under_terms(brief, terms, at)?;
        }
        let from = terms.purposes();
        let to = Purpose::try_from(self.header.purpose).unwrap_or_default();
        if self.kind.is_case_content() && !from.contains(&to) {
            return Err(Refusal::PurposeIncompatible { from, to });
        }
        Ok(())
    }

    /// T07: automatic answers say when a device is awake; they need agreement.
    fn receipt_agreed(&self, receipt: &Receipt, terms: &TermsState) -> Result<(), Refusal> {
        let policy = terms.agreed().and_then(|agreed| agreed.receipts.as_ref());
        let agreed = policy.map_or(&[][..], |policy| match self.side {
            Side::Asking => &policy.from_defender,
            Side::Offering => &policy.from_mission,
        });
        let kind = ReceiptKind::try_from(receipt.kind).unwrap_or_default();
        if kind != ReceiptKind::Unspecified && agreed.contains(&receipt.kind) {
            return Ok(());
        }
        Err(Refusal::ReceiptNotAgreed { kind })
    }
}

fn stands(status: &ConsentStatus) -> bool {
    let body = carried::decode::<ConsentStatusBody>(&status.body);
    body.is_ok_and(|body| strict::<ConsentState>(body.state) == ConsentState::Valid)
}

enum Needs {
    Nothing,
    Emergency,
    Terms,
}

fn warnings(terms: &TermsState, at: i64) -> Vec<Warning> {
    let Some(agreed) = terms.agreed() else { return Vec::new() };
    let mut warnings = Vec::new();
    let as_of = agreed.expectations.as_ref().map_or(0, |e| e.as_of_s);
    if as_of > 0 && at - as_of > EXPECTATIONS_AGE_S {
        warnings.push(Warning::ExpectationsOld);
    }
    let review_s = i64::from(agreed.review_days) * DAY_S;
    if review_s > 0 && terms.agreed_since().is_some_and(|since| at - since > review_s) {
        warnings.push(Warning::ReviewOverdue);
    }
    warnings
}
