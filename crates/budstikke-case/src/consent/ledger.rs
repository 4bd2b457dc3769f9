//! What everybody in a case has said, and whose word goes before whose.
//!
//! The person's own latest statement, and among those a wish made in advance whose condition has
//! come true; then a legal representative; then close family. Somebody who stands in fills gaps
//! and narrows, and never widens what the person refused.

use super::{Ask, Statement, needs_two_officers};
use crate::hash::Hash;
use crate::refusal::Refusal;
use crate::wire as w;
use crate::wire::{Activation, Choice, ConsentClaim, GiverBasis, IdentityLevel, Scope};
use crate::words::{Word as _, strict};

/// Why a person's word does not count for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspension {
    /// The device is in other hands; what came from it since is void.
    DeviceCompromised,
    /// A signal of duress.
    Duress,
    /// Taken back from a device in doubt, not confirmed by a person yet.
    WithdrawalUnconfirmed,
}

/// Statements, withdrawals and suspensions of one case. Rebuilt from its messages.
#[derive(Clone, Default, PartialEq)]
pub struct Ledger {
    statements: Vec<Statement>,
    withdrawals: Vec<Withdrawal>,
    suspended: Vec<Suspended>,
    fired: Vec<Activation>,
}

#[derive(Clone, PartialEq)]
struct Withdrawal {
    record_id: Vec<u8>,
    scopes: Vec<i32>,
    at: i64,
}

#[derive(Clone, PartialEq)]
struct Suspended {
    person: String,
    cause: Suspension,
    since: i64,
    until: Option<i64>,
}

/// The newest answer of each who may speak.
struct Voices<'a> {
    /// The person's own word; where there is none, a guardian's or the group's.
    own: Option<Said<'a>>,
    representative: Option<Said<'a>>,
    family: Option<Said<'a>>,
}

impl<'a> Voices<'a> {
    fn of(all: &[Said<'a>]) -> Self {
        let of = |basis: &[GiverBasis]| -> Option<Said<'a>> {
            let by = all.iter().filter(|said| basis.contains(&said.by.basis) && said.by.stands());
            // Of two statements of one moment, the no counts.
            by.max_by_key(|said| (said.by.given_at_s, !granted(said.claim))).copied()
        };
        Self {
            own: of(&[GiverBasis::Self_])
                .or_else(|| of(&[GiverBasis::Guardian, GiverBasis::GroupDecision])),
            representative: of(&[GiverBasis::LegalRepresentative]),
            family: of(&[GiverBasis::CloseFamily]),
        }
    }
}

/// One answer with who gave it.
#[derive(Clone, Copy)]
struct Said<'a> {
    by: &'a Statement,
    claim: &'a ConsentClaim,
}

impl Ledger {
    /// Nobody has said anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a proven statement. The same one again changes nothing but when it was last stood by.
    pub fn add(&mut self, statement: Statement) {
        let known = |known: &&mut Statement| {
            known.token_hash == statement.token_hash && known.claims == statement.claims
        };
        match self.statements.iter_mut().find(known) {
            Some(known) => known.affirmed_at_s = known.affirmed_at_s.max(statement.affirmed_at_s),
            None => self.statements.push(statement),
        }
    }

    /// The person stood by what they had said.
    pub fn affirm(&mut self, token: Hash, at: i64) {
        let of = self.statements.iter_mut().filter(|statement| statement.token_hash == token);
        of.for_each(|statement| statement.affirmed_at_s = statement.affirmed_at_s.max(at));
    }

    /// Takes a proven withdrawal ([`super::verify_withdrawal`]).
    pub fn withdraw(&mut self, body: &w::ConsentWithdrawalBody) {
        let (record_id, at) = (body.record_id.clone(), body.written_at_s);
        self.withdrawals.push(Withdrawal { record_id, scopes: body.scopes.clone(), at });
    }

    /// The person's own word does not count from now on; what they seem to say from then on is
    /// void for good.
    pub fn suspend(&mut self, person: &str, cause: Suspension, since: i64) {
        let person = person.to_owned();
        self.suspended.push(Suspended { person, cause, since, until: None });
    }

    /// They were reached and proved to be themselves.
    pub fn reached(&mut self, person: &str, at: i64) {
        let open = |s: &&mut Suspended| s.person == person && s.until.is_none();
        self.suspended.iter_mut().filter(open).for_each(|s| s.until = Some(at));
    }

    /// What wishes made in advance waited for has happened.
    pub fn fire(&mut self, activation: Activation) {
        self.fired.push(activation);
    }

    /// Statements about a person.
    pub fn about(&self, person: &str) -> impl Iterator<Item = &Statement> {
        self.statements.iter().filter(move |statement| statement.person == person)
    }

    /// Body of the status of a statement, for [`super::sign_status`]: of these scopes and no other.
    pub fn status(
        &self,
        statement: &Statement,
        scopes: &[Scope],
        now: i64,
    ) -> w::ConsentStatusBody {
        let raw: Vec<i32> = scopes.iter().map(|scope| (*scope).into()).collect();
        let withdrawn = scopes.iter().filter_map(|scope| {
            self.withdrawn(&statement.record_id, statement.given_at_s, (*scope).into())
        });
        let withdrawn_at_s = withdrawn.min();
        let state = match (withdrawn_at_s, self.suspension(&statement.person)) {
            (Some(_), _) => w::ConsentState::Withdrawn,
            (None, Some(_)) => w::ConsentState::Suspended,
            (None, None) => w::ConsentState::Valid,
        };
        w::ConsentStatusBody {
            token_hash: statement.token_hash.to_vec(),
            scopes: raw,
            state: state.into(),
            as_of_s: now,
            affirmed_at_s: statement.affirmed_at_s.min(now),
            withdrawn_at_s: withdrawn_at_s.unwrap_or(0),
            reached_at_s: self.reached_at(&statement.person).unwrap_or(0),
        }
    }

    /// Whether everybody agrees: the guard is the intersection over all who can be recognised.
    ///
    /// # Errors
    /// The first refusal of [`Ledger::permits`].
    pub fn all_permit(&self, persons: &[String], ask: &Ask, now: i64) -> Result<(), Refusal> {
        persons.iter().try_for_each(|person| self.permits(person, ask, now).map(drop))
    }

    /// Whether a person's consent covers this act at `now`; gives the claim that does.
    ///
    /// # Errors
    /// C01 to C09, C11 and I06: the one that decides.
    pub fn permits(&self, person: &str, ask: &Ask, now: i64) -> Result<&ConsentClaim, Refusal> {
        let all = self.said(person, ask.scope);
        let Voices { own, representative, family } = Voices::of(&all);
        let stand_ins = [representative, family];
        if let Some(suspension) = self.suspension(person)
            && (own.is_some() || self.about(person).any(|s| self.void(s)))
        {
            let cause = suspension.name();
            return Err(Refusal::ConsentSuspended { person: person.to_owned(), cause });
        }
        let Some(decides) = own.or(representative).or(family) else {
            return Err(nobody(person, ask.scope, &all));
        };
        self.covers(person, &decides, ask, now)?;
        for other in stand_ins.into_iter().flatten() {
            if other.by.given_at_s > decides.by.given_at_s || own.is_none() {
                self.narrows(person, &other, ask)?;
            }
        }
        Ok(decides.claim)
    }

    /// The statement that decides about a scope for a person, whatever it says; `None` where nobody with standing has
    /// answered.
    pub fn deciding(&self, person: &str, scope: Scope) -> Option<&Statement> {
        let Voices { own, representative, family } = Voices::of(&self.said(person, scope));
        own.or(representative).or(family).map(|said| said.by)
    }

    fn said(&self, person: &str, scope: Scope) -> Vec<Said<'_>> {
        self.about(person)
            .filter(|statement| !self.void(statement))
            .flat_map(|by| by.claims.iter().map(move |claim| Said { by, claim }))
            .filter(|said| said.claim.scope == i32::from(scope) && self.speaks(said.claim))
            .collect()
    }

    /// One answer against what is asked.
    fn covers(&self, person: &str, said: &Said<'_>, ask: &Ask, now: i64) -> Result<(), Refusal> {
        let (scope, statement, claim) = (ask.scope, said.by, said.claim);
        let person = person.to_owned();
        let in_advance = activation(claim) != Activation::Always;
        if !granted(claim) {
            return Err(if in_advance {
                Refusal::AdvanceWishForbids { person, scope, activation: activation(claim) }
            } else {
                Refusal::ConsentRefused { person, scope }
            });
        }
        if let Some(at) = self.withdrawn(&statement.record_id, statement.given_at_s, claim.scope) {
            return Err(Refusal::ConsentWithdrawn { person, at });
        }
        if statement.oral && statement.officers < 2 && needs_two_officers(scope) {
            return Err(Refusal::FourEyes { act: "attest-oral-consent" });
        }
        let since = match claim.expires_at_s {
            0 => statement.expires_at_s,
            own => own.min(statement.expires_at_s),
        };
        if now >= since {
            return Err(Refusal::ConsentExpired { person, since });
        }
        // A wish in advance is old by its nature: it speaks when the person no longer can.
        let last = statement.affirmed_at_s;
        if !in_advance && now.saturating_sub(last) > ask.max_age_s {
            return Err(Refusal::ConsentStale { person, last, max_s: ask.max_age_s });
        }
        identity(&person, claim, ask)?;
        let agreed = Hash::from_slice(&claim.wording_hash);
        if ask.wording.is_some() && agreed != ask.wording {
            return Err(Refusal::WordingChanged { person, agreed, now: ask.wording });
        }
        Ok(())
    }

    /// What somebody who stands in takes away from an answer; they add nothing to it.
    fn narrows(&self, person: &str, said: &Said<'_>, ask: &Ask) -> Result<(), Refusal> {
        if !granted(said.claim) {
            let (person, scope) = (person.to_owned(), ask.scope);
            return Err(Refusal::ConsentRefused { person, scope });
        }
        let withdrawn = self.withdrawn(&said.by.record_id, said.by.given_at_s, said.claim.scope);
        if let Some(at) = withdrawn {
            return Err(Refusal::ConsentWithdrawn { person: person.to_owned(), at });
        }
        identity(person, said.claim, ask)
    }

    /// When this scope of a record was taken back. Withdrawal is for good: to agree again is a new
    /// record.
    fn withdrawn(&self, record_id: &[u8], given_at_s: i64, scope: i32) -> Option<i64> {
        let about = self.withdrawals.iter().filter(|withdrawal| {
            withdrawal.record_id == record_id
                && (withdrawal.scopes.is_empty() || withdrawal.scopes.contains(&scope))
        });
        about.map(|withdrawal| withdrawal.at.max(given_at_s)).min()
    }

    /// Why a person's own word does not count now.
    pub fn suspension(&self, person: &str) -> Option<Suspension> {
        let open = self.suspended.iter().find(|s| s.person == person && s.until.is_none());
        open.map(|s| s.cause)
    }

    /// When a person was last reached after a doubt about them.
    pub fn reached_at(&self, person: &str) -> Option<i64> {
        self.suspended.iter().filter(|s| s.person == person).filter_map(|s| s.until).max()
    }

    /// Whether the person themselves seemed to say it while they could not.
    fn void(&self, statement: &Statement) -> bool {
        let own = matches!(statement.basis, GiverBasis::Self_);
        own && self.suspended.iter().any(|s| {
            s.person == statement.person
                && s.cause != Suspension::WithdrawalUnconfirmed
                && statement.heard_at_s >= s.since
                && s.until.is_none_or(|until| statement.heard_at_s < until)
        })
    }

    /// Whether a claim speaks now: at once, or in advance of something that has happened.
    fn speaks(&self, claim: &ConsentClaim) -> bool {
        match Activation::try_from(claim.activation) {
            Ok(Activation::Always) => true,
            Ok(Activation::Unspecified) => false,
            Ok(waits) => self.fired.contains(&waits),
            // A condition of a newer version: a no counts, a yes does not.
            Err(_) => !granted(claim),
        }
    }
}

impl Statement {
    /// A group decides for the group, never about naming one of its members.
    fn stands(&self) -> bool {
        self.basis != GiverBasis::GroupDecision || self.person_is_group
    }
}

impl Suspension {
    /// Every one; the list only grows at its end.
    pub const ALL: [Self; 3] = [Self::DeviceCompromised, Self::Duress, Self::WithdrawalUnconfirmed];

    /// Stable word.
    pub fn name(self) -> &'static str {
        match self {
            Self::DeviceCompromised => "device-compromised",
            Self::Duress => "duress",
            Self::WithdrawalUnconfirmed => "withdrawal-unconfirmed",
        }
    }
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ledger")
    }
}

impl std::fmt::Debug for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Statement")
    }
}

fn granted(claim: &ConsentClaim) -> bool {
    strict::<Choice>(claim.choice) == Choice::Granted
}

fn activation(claim: &ConsentClaim) -> Activation {
    Activation::try_from(claim.activation).unwrap_or_default()
}

fn identity(person: &str, claim: &ConsentClaim, ask: &Ask) -> Result<(), Refusal> {
    let allowed: IdentityLevel = strict(claim.identity);
    if i32::from(ask.identity) <= i32::from(allowed) {
        return Ok(());
    }
    Err(Refusal::IdentityLevelTooHigh { person: person.to_owned(), asked: ask.identity, allowed })
}

/// Nobody with standing answered; perhaps somebody without did.
fn nobody(person: &str, scope: Scope, all: &[Said<'_>]) -> Refusal {
    let person = person.to_owned();
    match all.iter().max_by_key(|said| said.by.given_at_s) {
        Some(said) if said.by.basis == GiverBasis::GroupDecision => {
            Refusal::GroupConsentDoesNotNameMembers { person }
        }
        Some(said) => {
            let basis = said.by.basis.name();
            Refusal::ConsentGiverNotEligible { person, basis }
        }
        None => Refusal::ConsentMissing { person, scope },
    }
}
