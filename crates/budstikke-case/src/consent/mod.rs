//! Consent to acts, and how the Ministry can check one without seeing more (SPEC.md section 11.1).
//!
//! A [`Giving`] becomes a record between defender and mission. [`disclose`] makes of it a token
//! that shows the claims for one act among 48 digests, [`verify()`] checks a token or a record and
//! yields a [`Statement`]. A [`Ledger`] of statements answers whether an act is covered: whose word
//! goes before whose, what was taken back, what is too old ([`Ledger::permits`]).

mod give;
mod ledger;
mod token;

use crate::hash::Hash;
use crate::wire::{ActionKind, IdentityLevel, Scope, Urgency};

pub use give::{Giving, answered, withdraw, withdrawal_body};
pub use ledger::{Ledger, Suspension};
pub(crate) use token::check_disclosed;
pub use token::{
    Statement, Status, check_status, disclose, sign_status, verify, verify_record,
    verify_withdrawal,
};

/// Digests in every token: real ones and decoys, so that their number says nothing.
pub const DIGESTS: usize = 48;
/// Most answers in one record; the rest of the digests are always decoys.
pub const MAX_CLAIMS: usize = 40;
/// Domain of a digest over salt and claim.
const CLAIM_DOMAIN: &[u8] = b"budstikke-consent-claim-v1";
const DAY_S: i64 = 86_400;
/// A status older than this is asked for again before anybody decides or acts on it.
pub const STATUS_MAX_AGE_S: i64 = DAY_S;

/// What an act asks of a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// What it is about.
    pub scope: Scope,
    /// How much of the person it shows.
    pub identity: IdentityLevel,
    /// Hash of the words to be published, where there are any.
    pub wording: Option<Hash>,
    /// How old the person's word may be, seconds.
    pub max_age_s: i64,
}

impl Ask {
    /// For a scope; its age limit follows (C06): 72 hours in a FLASH case, 14 days for démarche,
    /// statement and multilateral naming, 30 days for everything else.
    pub fn new(scope: Scope, identity: IdentityLevel, urgency: Urgency) -> Self {
        let max_age_s = match (urgency, scope) {
            (Urgency::Flash, _) => 3 * DAY_S,
            (
                _,
                Scope::Demarche
                | Scope::OfficialStatement
                | Scope::PublishDemarche
                | Scope::MultilateralStatement,
            ) => 14 * DAY_S,
            _ => 30 * DAY_S,
        };
        Self { scope, identity, wording: None, max_age_s }
    }

    /// In exactly these words.
    #[must_use]
    pub fn wording(mut self, wording: Option<Hash>) -> Self {
        self.wording = wording;
        self
    }
}

/// Whether oral consent to this needs two officers (I06).
pub(crate) fn needs_two_officers(scope: Scope) -> bool {
    matches!(scope, Scope::Demarche | Scope::OfficialStatement | Scope::PublishDemarche)
}

/// Kinds of act for which there may be an exception at all (C12).
pub(crate) fn exception_possible(kind: ActionKind) -> bool {
    matches!(
        kind,
        ActionKind::FormalEnquiry
            | ActionKind::OfficialMeeting
            | ActionKind::Demarche
            | ActionKind::CourtObservation
            | ActionKind::DetentionVisit
    )
}
