//! The held cells in the order of their times: in memory, made from their rows at each start, so that the disk has no
//! list of times to show.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::seal::RowKey;

/// When a cell is to be released, and in which order among those of the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    pub(super) release_at: i64,
    pub(super) order: u64,
}

#[derive(Default)]
pub(super) struct Due {
    turns: BTreeMap<Turn, (RowKey, RowKey)>,
    grants: HashMap<RowKey, BTreeSet<Turn>>,
    next_order: u64,
}

impl Due {
    /// The next cell's turn, if it is held until then.
    pub(super) const fn turn(&self, release_at: i64) -> Turn {
        Turn { release_at, order: self.next_order }
    }

    /// `held` is the cell's row key, `grant` its grant's.
    pub(super) fn insert(&mut self, turn: Turn, held: RowKey, grant: RowKey) {
        self.next_order = self.next_order.max(turn.order.saturating_add(1));
        self.turns.insert(turn, (held, grant));
        self.grants.entry(grant).or_default().insert(turn);
    }

    pub(super) fn remove(&mut self, turn: Turn) {
        let Some((_, grant)) = self.turns.remove(&turn) else { return };
        if let Some(turns) = self.grants.get_mut(&grant) {
            turns.remove(&turn);
            if turns.is_empty() {
                self.grants.remove(&grant);
            }
        }
    }

    /// The first cell whose time has come.
    pub(super) fn first(&self, now: i64) -> Option<(Turn, RowKey)> {
        let (turn, (held, _)) = self.turns.first_key_value()?;
        (turn.release_at <= now).then_some((*turn, *held))
    }

    /// When something is due next.
    pub(super) fn next(&self) -> i64 {
        self.turns.first_key_value().map_or(i64::MAX, |(turn, _)| turn.release_at)
    }

    /// What a grant holds.
    pub(super) fn of_grant(&self, grant: &RowKey) -> Vec<(Turn, RowKey)> {
        let turns = self.grants.get(grant).into_iter().flatten();
        turns.filter_map(|turn| Some((*turn, self.turns.get(turn)?.0))).collect()
    }
}
