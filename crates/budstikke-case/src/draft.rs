//! Builds a message: fills the header with the careful defaults, validates, encodes once.

use prost::Message as _;

use crate::hash::Hash;
use crate::received::too_large;
use crate::refusal::Refusal;
use crate::validate::{MAX_CONTENT, validate};
use crate::warning::Warning;
use crate::wire::content::Body;
use crate::wire::{Content, DataCategory, Handling, Header, Leg, Purpose, Role, RunMode, Urgency};

/// Schema version inside v1.
const SCHEMA_MINOR: u32 = 2;

/// A header in the making. Defaults: handling `CASE_TEAM`, urgency `ROUTINE`, not an exercise,
/// English, no purpose (case content without one is refused, P01).
#[derive(Clone)]
#[must_use]
pub struct Draft {
    header: Header,
    leg: Leg,
    role: Role,
}

/// A valid message: the encoded bytes to seal, what they say, what to show before sending.
#[derive(Clone)]
pub struct Built {
    /// Encoded `Content`; what is hashed, stored and sent.
    pub bytes: Vec<u8>,
    /// The same, decoded.
    pub content: Content,
    /// To be shown to the sender.
    pub warnings: Vec<Warning>,
}

impl Draft {
    /// A message on `leg` by somebody with `role`. `message_id` is 16 fresh random bytes and
    /// `now` is Unix seconds; on a defender's leg the time is cut to the minute.
    pub fn new(leg: Leg, role: Role, message_id: [u8; 16], now: i64) -> Self {
        let with_defender = matches!(leg, Leg::DefenderMission | Leg::DefenderMultilateralMission);
        let written_at_s = if with_defender { now - now.rem_euclid(60) } else { now };
        let header = Header {
            schema_minor: SCHEMA_MINOR,
            message_id: message_id.to_vec(),
            leg: leg.into(),
            sender_role: role.into(),
            written_at_s,
            handling: Handling::CaseTeam.into(),
            run_mode: RunMode::Real.into(),
            urgency: Urgency::Routine.into(),
            language: "en".to_owned(),
            ..Header::default()
        };
        Self { header, leg, role }
    }

    /// The case it belongs to, 16 bytes.
    pub fn case(mut self, case_ref: [u8; 16]) -> Self {
        self.header.case_ref = case_ref.to_vec();
        self
    }

    /// The terms in force as the sender sees them.
    pub fn terms(mut self, hash: Hash) -> Self {
        self.header.terms_hash = hash.to_vec();
        self
    }

    /// What it is for.
    pub fn purpose(mut self, purpose: Purpose) -> Self {
        self.header.purpose = purpose.into();
        self
    }

    /// A category of personal data in it.
    pub fn category(mut self, category: DataCategory) -> Self {
        self.header.categories.push(category.into());
        self
    }

    /// Who may read on.
    pub fn handling(mut self, handling: Handling) -> Self {
        self.header.handling = handling.into();
        self
    }

    /// How soon a person is needed.
    pub fn urgency(mut self, urgency: Urgency) -> Self {
        self.header.urgency = urgency.into();
        self
    }

    /// The unit it is meant for; leave out toward a defender.
    pub fn to(mut self, unit: &str) -> Self {
        unit.clone_into(&mut self.header.intended_for);
        self
    }

    /// The message it answers.
    pub fn in_reply_to(mut self, message_id: [u8; 16]) -> Self {
        self.header.in_reply_to = message_id.to_vec();
        self
    }

    /// The sender's count in this case, from 1.
    pub fn seq(mut self, seq: u64) -> Self {
        self.header.seq = seq;
        self
    }

    /// A marking.
    pub fn classification(mut self, marking: &str) -> Self {
        marking.clone_into(&mut self.header.classification);
        self
    }

    /// Language of the texts, BCP 47.
    pub fn language(mut self, tag: &str) -> Self {
        tag.clone_into(&mut self.header.language);
        self
    }

    /// Not to be acted on after this time, Unix seconds.
    pub fn expires_at(mut self, seconds: i64) -> Self {
        self.header.expires_at_s = seconds;
        self
    }

    /// Practice.
    pub fn exercise(mut self) -> Self {
        self.header.run_mode = RunMode::Exercise.into();
        self
    }

    /// Validates and encodes.
    ///
    /// # Errors
    /// Those of [`validate()`].
    pub fn build(self, body: impl Into<Body>) -> Result<Built, Refusal> {
        let content = Content { header: Some(self.header), body: Some(body.into()) };
        let warnings = validate(&content, self.leg, self.role)?;
        let bytes = content.encode_to_vec();
        if bytes.len() > MAX_CONTENT {
            return Err(too_large(bytes.len()));
        }
        Ok(Built { bytes, content, warnings })
    }
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Draft")
    }
}

impl std::fmt::Debug for Built {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Built")
    }
}

macro_rules! into_body {
    ($($arm:ident $(in $box:ident)?;)*) => {$(
        impl From<crate::wire::$arm> for Body {
            fn from(message: crate::wire::$arm) -> Self {
                Self::$arm(into_body!(message $($box)?))
            }
        }
    )*};
    ($message:ident Box) => { Box::new($message) };
    ($message:ident) => { $message };
}

into_body! {
    PrivacyNotice in Box;
    ChannelOffer;
    TermsProposal;
    TermsCounter;
    TermsAcceptance;
    TermsChange;
    EmergencyContact in Box;
    CaseIntake in Box;
    IdentitySheet in Box;
    Handover in Box;
    CaseAccessChange;
    FreeText;
    Receipt;
    CaseBrief in Box;
    RiskAssessment in Box;
    VerificationRecord;
    ConsentRequest;
    ConsentRecord in Box;
    ConsentToken;
    ConsentStatus;
    ConsentWithdrawal;
    ActionPlan in Box;
    ApprovalRequest in Box;
    Decision;
    EffectReport in Box;
    ReactionInformed;
    ActionUpdate;
    GuardOverride;
    Alert in Box;
    AlertAck;
    AlertCancelled;
    EscalationContact in Box;
    DisclosureNotice in Box;
}
