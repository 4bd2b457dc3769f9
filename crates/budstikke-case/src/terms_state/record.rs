//! The state as bytes for a vault (schema `TermsRecord`, never sent).

use prost::Message as _;

use super::{Accepted, Agreed, Pending, Terms, TermsState};
use crate::received::malformed;
use crate::refusal::{Fault, Refusal};
use crate::roles::Side;
use crate::scan;
use crate::wire::{AgreedTerms, Leg, PendingTerms, TermsRecord};

impl TermsState {
    /// For the vault.
    pub fn to_bytes(&self) -> Vec<u8> {
        let record = TermsRecord {
            leg: self.leg.into(),
            offers: self.offers.iter().map(|terms| terms.bytes.clone()).collect(),
            emergency: bytes(self.emergency.as_ref()),
            pending: self.pending.iter().map(store_pending).collect(),
            in_force: self.in_force.as_ref().map(store_agreed),
            previous: self.previous.as_ref().map(store_agreed),
            suspended_by_asking: self.suspended.asking,
            suspended_by_offering: self.suspended.offering,
            ended_at_s: self.ended_at,
            ceiling: bytes(self.ceiling.as_ref()),
        };
        record.encode_to_vec()
    }

    /// From the vault.
    ///
    /// # Errors
    /// W02 when the bytes are no record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Refusal> {
        scan::other(bytes, "TermsRecord")?;
        let broken = |_| malformed("terms_record", Fault::Encoding);
        let record = TermsRecord::decode(bytes).map_err(broken)?;
        let leg = Leg::try_from(record.leg).unwrap_or_default();
        if leg == Leg::Unspecified {
            return Err(malformed("terms_record.leg", Fault::Missing));
        }
        Ok(Self {
            leg,
            offers: record.offers.into_iter().map(Terms::decode).collect::<Result<_, _>>()?,
            emergency: load(record.emergency)?,
            pending: record.pending.into_iter().map(load_pending).collect::<Result<_, _>>()?,
            in_force: record.in_force.map(load_agreed).transpose()?,
            previous: record.previous.map(load_agreed).transpose()?,
            suspended: Accepted {
                asking: record.suspended_by_asking,
                offering: record.suspended_by_offering,
            },
            ended_at: record.ended_at_s,
            ceiling: load(record.ceiling)?,
        })
    }
}

fn bytes(terms: Option<&Terms>) -> Vec<u8> {
    terms.map(|terms| terms.bytes.clone()).unwrap_or_default()
}

fn load(bytes: Vec<u8>) -> Result<Option<Terms>, Refusal> {
    if bytes.is_empty() { Ok(None) } else { Terms::decode(bytes).map(Some) }
}

fn store_pending(pending: &Pending) -> PendingTerms {
    PendingTerms {
        terms: pending.terms.bytes.clone(),
        is_counter: pending.is_counter,
        accepted_by_asking: pending.accepted.asking,
        accepted_by_offering: pending.accepted.offering,
        by_asking: pending.by == Side::Asking,
    }
}

fn load_pending(stored: PendingTerms) -> Result<Pending, Refusal> {
    Ok(Pending {
        terms: Terms::decode(stored.terms)?,
        by: if stored.by_asking { Side::Asking } else { Side::Offering },
        is_counter: stored.is_counter,
        accepted: Accepted {
            asking: stored.accepted_by_asking,
            offering: stored.accepted_by_offering,
        },
    })
}

fn store_agreed(agreed: &Agreed) -> AgreedTerms {
    AgreedTerms { terms: agreed.terms.bytes.clone(), since_s: agreed.since }
}

fn load_agreed(stored: AgreedTerms) -> Result<Agreed, Refusal> {
    Ok(Agreed { terms: Terms::decode(stored.terms)?, since: stored.since_s })
}
