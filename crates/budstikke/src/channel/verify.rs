//! Whose key is at the other end: safety words, compared or not yet, and a key that is another than before (I02).
//!
//! A unit keeps its signing key when certificates are renewed. Another key under the same name means that it lost
//! its devices and began anew, or that somebody pretends to be it: a person looks before anything more is sent.

use budstikke_case::Verification;
use budstikke_e2ee::group::{Member, Party};
use budstikke_e2ee::keys::VerifyingKey;
use budstikke_e2ee::safety::SafetyWords;

use super::seat::Seat;
use crate::client::{Client, Work};
use crate::error::Error;
use crate::events::Event;
use crate::mission::own_papers;
use crate::records::{self, Approach, CaseRecord, SeenKeysRecord, fixed};
use crate::view::{case_name, case_of_name};

impl Client {
    /// Notes that a person has compared the safety words with the other side, in person or by their code
    /// ([`SafetyWords::matches`]). Until then nothing that says who somebody is can be sent, and nothing at all after
    /// the other side's key has changed (I02). Nothing is sent by this.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Vault`].
    pub async fn confirm_words(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.vault(move |work| {
            let mut case = case_of_name(work, &name)?;
            if let Some(mut seen) = records::load::<SeenKeysRecord>(work.tx, &case.id)? {
                seen.changed_at = 0;
                records::save(work.tx, &case.id, &seen)?;
            }
            case.words_compared = true;
            records::save(work.tx, &case.id.clone(), &case)
        })
        .await
    }
}

/// How sure this device is of the other side's key.
pub(crate) fn verification(work: &Work<'_>, case: &CaseRecord) -> Result<Verification, Error> {
    Ok(match changed_at(work, case)? {
        Some(since) => Verification::KeyChanged(since),
        None if case.defender && !case.words_compared => Verification::Unverified,
        None => Verification::Verified,
    })
}

/// Unix seconds at which another key of the other unit was first seen here, until somebody compared words again.
pub(crate) fn changed_at(work: &Work<'_>, case: &CaseRecord) -> Result<Option<i64>, Error> {
    let seen: Option<SeenKeysRecord> = records::load(work.tx, &case.id)?;
    Ok(seen.map(|seen| seen.changed_at).filter(|at| *at != 0))
}

/// Looks at the other unit's keys after the members of a case may have changed.
pub(crate) fn watch(work: &Work<'_>, seat: &mut Seat) -> Result<(), Error> {
    let Some(case) = &mut seat.case else { return Ok(()) };
    let Some(unit) = other_unit(case) else { return Ok(()) };
    let mut seen = seen(work, case, unit)?;
    for key in seat.group.members()?.iter().filter_map(|member| key_of(member, unit)) {
        if seen.keys.iter().any(|known| known == key.as_bytes()) {
            continue;
        }
        let first = seen.keys.is_empty();
        seen.keys.push(key.as_bytes().to_vec());
        if !first {
            seen.changed_at = work.now;
        }
    }
    let changed = seen.changed_at == work.now;
    records::save(work.tx, &case.id, &seen)?;
    if changed && std::mem::take(&mut case.words_compared) {
        records::save(work.tx, &case.id.clone(), case)?;
    }
    if changed {
        work.event(Event::KeyChanged { case: case_name(&case.id) });
    }
    Ok(())
}

/// The words of a case; `None` for a line, where certificates speak for both ends.
pub(crate) fn words(
    work: &Work<'_>,
    case: &CaseRecord,
    members: &[Member],
) -> Result<Option<SafetyWords>, Error> {
    let Some(defender) = members.iter().find(|m| matches!(m.party, Party::Defender { .. })) else {
        return Ok(None);
    };
    let unit = match other_unit(case) {
        Some(unit) => match seen(work, case, unit)?.keys.last() {
            Some(key) => VerifyingKey::from_bytes(key)?,
            None => return Ok(None),
        },
        None => own_papers(work)?.unit.key,
    };
    Ok(Some(SafetyWords::of_case(&fixed(&case.root, "the case")?, &unit, &defender.key)))
}

/// Unix seconds at which a unit of this id was last known here under another key, in a case or an approach.
pub(crate) fn known_otherwise(
    work: &Work<'_>,
    root: &[u8],
    unit_id: &str,
    key: &VerifyingKey,
) -> Result<Option<i64>, Error> {
    let (mut same, mut otherwise) = (false, None);
    for (_, case) in records::all::<CaseRecord>(work.tx)? {
        if case.root != root || other_unit(&case).is_none_or(|unit| unit != unit_id) {
            continue;
        }
        let seen = seen(work, &case, unit_id)?;
        if seen.keys.iter().any(|known| known == key.as_bytes()) {
            same = true;
        } else if !seen.keys.is_empty() {
            otherwise = otherwise.max(Some(case.last_at));
        }
    }
    for (_, approach) in records::all::<Approach>(work.tx)? {
        let written = !approach.lane.is_empty() && approach.case_id.is_empty();
        if written && approach.root == root && approach.unit_id == unit_id {
            if approach.unit_key == key.as_bytes() {
                same = true;
            } else {
                otherwise = otherwise.max(Some(work.now));
            }
        }
    }
    Ok(otherwise.filter(|_| !same))
}

/// The unit at the other end: of a defender's case the mission, of a line the other office.
fn other_unit(case: &CaseRecord) -> Option<&String> {
    (case.defender || case.line).then_some(&case.peer_unit)
}

/// The keys of the other unit that this case has had; the first is the one that its invitation led to.
fn seen(work: &Work<'_>, case: &CaseRecord, unit: &str) -> Result<SeenKeysRecord, Error> {
    if let Some(seen) = records::load::<SeenKeysRecord>(work.tx, &case.id)? {
        return Ok(seen);
    }
    let keys = if case.unit_id == unit { vec![case.unit_key.clone()] } else { Vec::new() };
    Ok(SeenKeysRecord { keys, changed_at: 0 })
}

fn key_of(member: &Member, unit: &str) -> Option<VerifyingKey> {
    match &member.party {
        Party::Device(device) if device.unit.id == unit => Some(device.unit.key),
        _ => None,
    }
}
