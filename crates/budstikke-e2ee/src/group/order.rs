//! The order of commits: what the entries of a slot do to a group (SPEC.md section 10.8).

use budstikke_proto::limits::MAX_SLOT_ENTRIES;

use super::{Group, GroupError, Inbound, Member};
use crate::{checks::Rejection, suite::Env};

/// What [`Group::read_slot`] came to.
#[derive(Debug)]
pub struct Reading {
    /// Where the group is now.
    pub outcome: Outcome,
    /// Entries that are void for every member alike, in order.
    pub void: Vec<Rejection>,
}

/// What the entries of a slot did to a group.
#[derive(Debug)]
pub enum Outcome {
    /// Our pending commit is the first valid one: merged. Now its Welcome and a nudge may go out.
    Won {
        /// Its place among the entries.
        place: usize,
    },
    /// Another member's commit is the first valid one: merged, and a pending one of ours is dropped:
    /// make it again.
    Followed {
        /// Its place among the entries.
        place: usize,
        /// Who made it.
        committer: Member,
        /// Who joined.
        added: Vec<Member>,
        /// Who left.
        removed: Vec<Member>,
    },
    /// No valid entry yet, and room for one.
    Open,
    /// Four entries and none of them valid: the group is at the epoch's next slot. A pending commit
    /// stays as it is, and is appended there.
    Spoilt,
}

impl Group {
    /// Applies the first valid entry of the slot of this epoch and [`Group::slot_attempt`]. An entry
    /// is its cells, or `None` if one of its signatures is wrong; all entries, in order of arrival.
    ///
    /// # Errors
    /// [`GroupError::Rejected`] with a check that not all members judge alike
    /// ([`same_for_all`](crate::checks::Check::same_for_all)): the group stays where it is. Roll
    /// back on every error, so that the entry can be judged again.
    pub fn read_slot(
        &mut self,
        env: &Env<'_>,
        entries: &[Option<&[Vec<u8>]>],
        accepted_terms: Option<[u8; 32]>,
    ) -> Result<Reading, GroupError> {
        let keys = self.slot_keys(env, self.slot_attempt())?;
        let mut void = Vec::new();
        for (place, cells) in entries.iter().enumerate() {
            let Some(message) = cells.and_then(|cells| keys.open_entry(cells)) else { continue };
            let outcome = match self.process(env, &message, accepted_terms)? {
                Inbound::OwnCommit => {
                    self.merge_pending(env)?;
                    Outcome::Won { place }
                }
                Inbound::Commit(staged) => {
                    let committer = staged.committer().clone();
                    let (added, removed) = (staged.added().to_vec(), staged.removed().to_vec());
                    self.merge_staged(env, *staged)?;
                    Outcome::Followed { place, committer, added, removed }
                }
                Inbound::Rejected(rejection) if rejection.check.same_for_all() => {
                    void.push(rejection);
                    continue;
                }
                // To pass over it would be to leave those who may see more than we do.
                Inbound::Rejected(rejection) => return Err(rejection.into()),
                _ => continue,
            };
            return Ok(Reading { outcome, void });
        }
        let full = entries.len() >= MAX_SLOT_ENTRIES as usize;
        if full {
            self.next_slot_attempt(env)?;
        }
        let outcome = if full { Outcome::Spoilt } else { Outcome::Open };
        Ok(Reading { outcome, void })
    }
}
