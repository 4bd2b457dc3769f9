//! The numbered checks on everything that reaches MLS from outside.
//!
//! Each comes from a pitfall that was reproduced with the library or from the policy of the design.
//! A number is never used again for something else.

use std::fmt;

macro_rules! checks {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $text:literal;)+) => {
        /// A check that an incoming object can fail.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Check { $(#[doc = $text] $name = $number,)+ }

        /// Every check with what it demands.
        pub const CHECKS: &[(Check, &str)] = &[$((Check::$name, $text),)+];
    };
}

checks! {
    KeyPackageKeys = 1,
        "A key package's init and leaf key can be encapsulated to before it is added.";
    CommitKeys = 2,
        "Every new leaf and parent key of a commit can be encapsulated to before it is merged.";
    WelcomeKeys = 3,
        "Every key of a Welcome's tree can be encapsulated to before the group is joined.";
    Suite = 4, "Cipher suite 0x004D and MLS 1.0 only.";
    Lifetime = 5,
        "A key package's lifetime is explicit, at most 28 days, and holds at the caller's `now`.";
    PrivateOnly = 6,
        "Handshake and application messages are private messages; everything else is refused.";
    NoExternalCommit = 7, "External commits and external proposals are refused.";
    NoLooseProposal = 8,
        "Proposals come inside the commit that uses them; a message of their own is refused.";
    ProposalKinds = 9,
        "A commit holds Adds, Removes and a change of the charter's terms, nothing else.";
    Chain = 10, "A staff leaf's certificate chain verifies now, under the group's root and units.";
    LeafKey = 11, "A staff leaf's signature key is the device key its chain certifies.";
    Continuity = 12, "A leaf that replaces another has the same party and the same signature key.";
    DefenderFixed = 13, "A defender's leaf never changes its identity.";
    Assignment = 14,
        "Every Add after the founding carries an assignment signed by an admin of the leaf's unit.";
    Charter = 15,
        "The charter never changes but in its terms, and those only as both sides accepted.";
    AddLimit = 16, "A commit adds at most four leaves.";
    PathRequired = 17, "Every commit has an update path: whoever commits also heals.";
    WelcomeExpected = 18,
        "A Welcome's kind, root, unit, case and terms are what the joiner expects.";
    NoSilentReplace = 19, "A Welcome replaces an existing group only if the caller asked for that.";
    WrongGroup = 20, "A message is processed only by the group it names.";
    Authentic = 21, "A message decrypts, is signed by its sender's leaf, and is well formed.";
    Frame = 22, "An application message holds a frame of a known version.";
    NoDuplicateKey = 23, "No two members share a signature key.";
    PartyAllowed = 24, "Defenders are members of case groups only.";
    Path = 25, "A commit's path decrypts for this member and leads to the epoch it confirms.";
    TermsUnseen = 26,
        "A commit sets only terms that its reader has seen both sides accept; until then it waits.";
    Revoked = 27,
        "No leaf, committer or assigning admin whose device, unit or issuer is revoked.";
    MadeAt = 28,
        "A commit says when it was made: at most an hour before the last, and its papers held then.";
    FromTheFuture = 29,
        "A commit is made at most an hour after its reader's now; until then it waits.";
    OwnAsk = 33,
        "Whoever asks to be added again is a member, or brings an assignment; with a key package of its own key, and signed.";
    SamePlace = 34, "A group that takes another's place has its charter and its defenders.";
}

impl Check {
    /// The stable name, like `BUD-MLS-001`.
    pub fn code(self) -> String {
        format!("BUD-MLS-{:03}", self as u16)
    }

    /// True if every member of the group comes to the same verdict about the same bytes, so that a
    /// slot's entry which fails is void for all. Of the others one member may be cheated alone, or
    /// not know yet what the others know: it must not skip the entry, or it would fork. It waits, or
    /// asks to be added again (SPEC.md section 10.8).
    pub fn same_for_all(self) -> bool {
        !matches!(self, Self::Path | Self::TermsUnseen | Self::FromTheFuture)
    }

    /// What the check demands.
    pub fn text(self) -> &'static str {
        CHECKS.iter().find(|(check, _)| *check == self).map_or("", |(_, text)| text)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code())
    }
}

/// An incoming object failed a check: the peer's program or the peer is at fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{check}: {why}")]
pub struct Rejection {
    /// Which check.
    pub check: Check,
    /// What was found, for a person; without secrets.
    pub why: String,
}

impl Rejection {
    pub(crate) fn new(check: Check, why: impl Into<String>) -> Self {
        Self { check, why: why.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unique_and_named() {
        let mut codes: Vec<_> = CHECKS.iter().map(|(check, _)| check.code()).collect();
        codes.dedup();
        assert_eq!(codes.len(), CHECKS.len());
        assert_eq!(Check::KeyPackageKeys.code(), "BUD-MLS-001");
        assert!(Check::Charter.text().starts_with("The charter"));
    }
}
