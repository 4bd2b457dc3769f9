//! The steps.

use super::{Accepted, Agreed, Pending, Terms, TermsEvent, TermsState, compare};
use crate::hash::Hash;
use crate::received::malformed;
use crate::refusal::{Fault, Refusal};
use crate::roles::{Side, side, side_of};
use crate::validate::{change_kind, validate_terms};
use crate::wire::{Content, Leg, Role, TermsChangeKind, TermsKind, content::Body};

/// Offers kept at a time; more is a mistake, not a choice.
const MAX_OFFERS: usize = 8;

impl TermsEvent {
    /// The step a message is; `None` when it is no step of a negotiation.
    ///
    /// # Errors
    /// I03 when the header's role has no side on its leg, W02 without a header or with a hash of
    /// another length.
    pub fn of(content: &Content) -> Result<Option<Self>, Refusal> {
        let header = content.header.as_ref().ok_or_else(|| malformed("header", Fault::Missing))?;
        let by = || {
            let leg = Leg::try_from(header.leg).unwrap_or_default();
            let role = Role::try_from(header.sender_role).unwrap_or_default();
            side_of(leg, role)
        };
        let event = match &content.body {
            Some(Body::ChannelOffer(m)) => Self::Offered { by: by()?, terms: m.terms.clone() },
            Some(Body::TermsProposal(m)) => Self::Proposed { by: by()?, terms: m.terms.clone() },
            Some(Body::TermsCounter(m)) => {
                let counters = hash(&m.counters_hash, "counters_hash")?;
                Self::Countered { by: by()?, terms: m.terms.clone(), counters }
            }
            Some(Body::TermsAcceptance(m)) => Self::Accepted {
                by: by()?,
                hash: hash(&m.terms_hash, "terms_hash")?,
                notice: Hash::from_slice(&m.privacy_notice_hash),
            },
            Some(Body::TermsChange(m)) => Self::Changed {
                by: by()?,
                kind: change_kind(m.kind),
                hash: Hash::from_slice(&m.terms_hash),
            },
            _ => return Ok(None),
        };
        Ok(Some(event))
    }
}

impl TermsState {
    pub(super) fn take(&mut self, event: TermsEvent, now: i64) -> Result<(), Refusal> {
        match event {
            TermsEvent::Offered { by, terms } => self.offered(by, terms, now),
            TermsEvent::Proposed { by, terms } => self.put(by, terms, false, now),
            TermsEvent::Countered { by, terms, counters } => {
                if !self.knows(counters) {
                    return Err(self.mismatch(counters));
                }
                self.put(by, terms, true, now)
            }
            TermsEvent::Accepted { by, hash, notice } => self.accepted(by, hash, notice, now),
            TermsEvent::Changed { by, kind, hash } => self.changed(by, kind, hash, now),
        }
    }

    fn offered(&mut self, by: Side, bytes: Vec<u8>, now: i64) -> Result<(), Refusal> {
        if by != Side::Offering {
            return Err(self.not_this_side(by, "publish"));
        }
        let terms = self.checked(bytes, now)?;
        if terms.decoded.kind == i32::from(TermsKind::Emergency) {
            self.emergency = Some(terms);
            return Ok(());
        }
        self.offers.retain(|offer| offer.hash != terms.hash);
        if self.offers.len() >= MAX_OFFERS {
            self.offers.remove(0);
        }
        self.offers.push(terms);
        Ok(())
    }

    /// New terms on the table replace this side's earlier ones. The other side's stay, because
    /// two proposals may cross on the way and either may be accepted.
    fn put(&mut self, by: Side, bytes: Vec<u8>, is_counter: bool, now: i64) -> Result<(), Refusal> {
        let terms = self.checked(bytes, now)?;
        self.under_ceiling(&terms)?;
        if terms.decoded.kind == i32::from(TermsKind::Emergency) {
            return Err(self.not_this_side(by, "loosen-emergency-terms"));
        }
        if self.pending.iter().any(|p| p.by == by && p.terms.hash == terms.hash) {
            return Ok(());
        }
        if self.agreed_hash() == Some(terms.hash) {
            // Back to the terms in force: nothing is left to answer.
            self.pending.retain(|p| p.by != by);
            return Ok(());
        }
        self.pending.retain(|p| p.by != by && p.terms.hash != terms.hash);
        self.pending.push(Pending { terms, by, is_counter, accepted: Accepted::default() });
        Ok(())
    }

    /// A yes to terms on the table, or to an offer as it stands; to the terms in force it is
    /// nothing new.
    fn accepted(
        &mut self,
        by: Side,
        hash: Hash,
        notice: Option<Hash>,
        now: i64,
    ) -> Result<(), Refusal> {
        if self.agreed_hash() == Some(hash) {
            return Ok(());
        }
        if let Some(index) = self.pending.iter().position(|p| p.terms.hash == hash) {
            // The bound may be tighter than when they were put on the table. What the other side accepts, this one
            // has put there under it.
            if let Some(pending) = self.pending.get(index).filter(|_| by == Side::Asking) {
                self.under_ceiling(&pending.terms)?;
            }
            let Some(pending) = self.pending.get_mut(index) else { return Ok(()) };
            acceptable(&pending.terms, notice, by, now)?;
            pending.accepted.set(by, true);
            if pending.accepted.asking && pending.accepted.offering {
                let terms = pending.terms.clone();
                self.put_in_force(terms, now);
            }
            return Ok(());
        }
        let Some(offer) = self.offers.iter().find(|terms| terms.hash == hash).cloned() else {
            return Err(self.mismatch(hash));
        };
        acceptable(&offer, notice, by, now)?;
        // The offering side stands by its offer already: its own yes adds nothing.
        if by == Side::Asking {
            // A published offer can't inherit: on an onward leg it is a start to counter from.
            self.under_ceiling(&offer)?;
            self.put_in_force(offer, now);
        }
        Ok(())
    }

    fn put_in_force(&mut self, terms: Terms, now: i64) {
        self.previous = self.in_force.replace(Agreed { terms, since: now });
        self.pending.clear();
        self.ended_at = None;
    }

    fn changed(
        &mut self,
        by: Side,
        kind: TermsChangeKind,
        hash: Option<Hash>,
        now: i64,
    ) -> Result<(), Refusal> {
        let ending = kind == TermsChangeKind::End;
        if self.in_force.is_none() && (!ending || self.pending.is_empty()) {
            return Err(Refusal::TermsNotInForce { leg: self.leg, state: self.phase(now) });
        }
        if let Some(named) = hash
            && !self.knows(named)
        {
            return Err(self.mismatch(named));
        }
        match kind {
            TermsChangeKind::End => {
                self.in_force = None;
                self.previous = None;
                self.pending.clear();
                self.suspended = Accepted::default();
                self.ended_at = Some(now);
            }
            TermsChangeKind::Resume if !self.suspended.by(by) => {
                // Only who suspended can resume: otherwise a pause would be worth nothing.
                return Err(self.not_this_side(by, "resume"));
            }
            TermsChangeKind::Resume => self.suspended.set(by, false),
            TermsChangeKind::Suspend | TermsChangeKind::Unspecified => {
                self.suspended.set(by, true);
            }
        }
        Ok(())
    }

    /// Terms that this leg could have at `now`.
    fn checked(&self, bytes: Vec<u8>, now: i64) -> Result<Terms, Refusal> {
        let terms = Terms::decode(bytes)?;
        validate_terms(&terms.decoded, self.leg)?;
        if now >= terms.decoded.valid_until_s {
            return Err(Refusal::TermsExpired { since: terms.decoded.valid_until_s });
        }
        Ok(terms)
    }

    fn under_ceiling(&self, terms: &Terms) -> Result<(), Refusal> {
        match &self.ceiling {
            Some(ceiling) => compare::not_looser(&terms.decoded, &ceiling.decoded, ceiling.hash),
            None => Ok(()),
        }
    }

    fn knows(&self, hash: Hash) -> bool {
        self.agreed_hash() == Some(hash)
            || self.pending.iter().any(|p| p.terms.hash == hash)
            || self.offers.iter().any(|terms| terms.hash == hash)
    }

    fn mismatch(&self, got: Hash) -> Refusal {
        let pending = self.pending.last().map(|p| p.terms.hash);
        let expected = pending.or(self.agreed_hash());
        Refusal::TermsHashMismatch { expected, got: Some(got) }
    }

    /// I03 with the roles of the other side.
    fn not_this_side(&self, by: Side, act: &'static str) -> Refusal {
        let on = |wanted: Side| {
            let roles = crate::roles::negotiators().iter().copied();
            roles.filter(move |role| side(self.leg, *role) == Some(wanted)).collect::<Vec<_>>()
        };
        let other = match by {
            Side::Asking => Side::Offering,
            Side::Offering => Side::Asking,
        };
        let role = on(by).first().copied().unwrap_or_default();
        Refusal::RoleNotPermitted { role, act, allowed: on(other) }
    }
}

/// T02 past their date; T03 when the asking side was shown another privacy notice than the terms
/// name (GDPR art. 13: it must be the one that applies).
fn acceptable(terms: &Terms, notice: Option<Hash>, by: Side, now: i64) -> Result<(), Refusal> {
    let until = terms.decoded.valid_until_s;
    if now >= until {
        return Err(Refusal::TermsExpired { since: until });
    }
    let named = Hash::from_slice(&terms.decoded.privacy_notice_hash);
    if by == Side::Asking && named.is_some() && named != notice {
        return Err(Refusal::TermsHashMismatch { expected: named, got: notice });
    }
    Ok(())
}

fn hash(bytes: &[u8], field: &str) -> Result<Hash, Refusal> {
    Hash::from_slice(bytes).ok_or_else(|| malformed(field, Fault::Length))
}
