//! Messages that travel as bytes inside messages, because somebody signs or hashes them.

use prost::Message;

use crate::received::malformed;
use crate::refusal::{Fault, Refusal};
use crate::scan;
use crate::wire as w;

/// A message that travels as bytes.
pub trait Carried: Message + Default {
    /// Its name in the schema.
    const NAME: &'static str;
    /// What a refusal calls it.
    const FIELD: &'static str;
}

/// Decodes such a message, with the scan that every received message gets. Keep the bytes: what is
/// hashed or verified is never encoded again.
///
/// # Errors
/// W02.
pub fn decode<M: Carried>(bytes: &[u8]) -> Result<M, Refusal> {
    if bytes.is_empty() {
        return Err(malformed(M::FIELD, Fault::Missing));
    }
    scan::other(bytes, M::NAME)?;
    M::decode(bytes).map_err(|_| malformed(M::FIELD, Fault::Encoding))
}

macro_rules! carried {
    ($($message:ident $field:literal;)*) => {$(
        impl Carried for w::$message {
            const NAME: &'static str = stringify!($message);
            const FIELD: &'static str = $field;
        }
    )*};
}

carried! {
    ConsentTokenBody "consent";
    ConsentClaim "claim";
    ConsentToken "consent_token";
    ConsentStatus "consent_status";
    ConsentStatusBody "consent_status";
    ConsentWithdrawalBody "withdrawal";
    ActionPlan "plan";
    DecisionBody "decision";
    RiskAssessment "risk_assessment";
    VerificationRecord "verification";
    AlertAck "acknowledgement";
    AlertAckBody "acknowledgement";
    EscalationContact "escalation_contact";
    CaseBrief "brief";
    Alert "alert";
    HandoverStep "handover_step";
}
