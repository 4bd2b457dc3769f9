//! The truth, kept beside the clients: what happened, and whether somebody was told.

use std::collections::{BTreeMap, BTreeSet};

use super::member::{Sent, Told};

/// A message as it was sent.
struct Message {
    from: usize,
    at: Sent,
    epoch: u64,
    time: u64,
    to: Vec<usize>,
}

/// What one run counted. All are numbers of events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Slots in which two or more members wanted their commit.
    pub races: u64,
    /// Commits that lost their race.
    pub lost: u64,
    /// Commits that won after having lost.
    pub redone: u64,
    /// Entries that were void for all.
    pub void: u64,
    /// Crashes of clients, those in the middle of a transaction included.
    pub crashes: u64,
    /// Devices lost with everything on them.
    pub states_lost: u64,
    /// Members that were added again.
    pub added_again: u64,
    /// Relays that were caught with two receipts that contradict each other.
    pub equivocations_proven: u64,
    /// Relays that showed two entries at one place, and nobody proved it.
    pub undetected_equivocations: u64,
    /// Groups that forked, and all knew.
    pub forks_detected: u64,
    /// Groups that forked without a proof.
    pub undetected_forks: u64,
    /// Messages sent, counted once for each reader.
    pub sent: u64,
    /// Messages delivered.
    pub delivered: u64,
    /// Messages that did not arrive, and their reader was told.
    pub losses_shown: u64,
    /// Messages that went down with a lost device, its own or its reader's.
    pub lost_with_device: u64,
    /// Messages that did not arrive, and nobody was told.
    pub undetected_losses: u64,
    /// Messages that were taken twice.
    pub twice: u64,
    /// Epochs that a commit began: with each its committer renewed its keys.
    pub healed_epochs: u64,
    /// Groups that did not come together again in the end.
    pub apart: u64,
}

impl Counts {
    /// Whether nothing happened that nobody was told about.
    pub fn clean(&self) -> bool {
        [
            self.undetected_equivocations,
            self.undetected_forks,
            self.undetected_losses,
            self.twice,
            self.apart,
        ]
        .iter()
        .all(|count| *count == 0)
    }

    pub(super) fn add(&mut self, other: &Self) {
        let Self {
            races,
            lost,
            redone,
            void,
            crashes,
            states_lost,
            added_again,
            equivocations_proven,
            undetected_equivocations,
            forks_detected,
            undetected_forks,
            sent,
            delivered,
            losses_shown,
            lost_with_device,
            undetected_losses,
            twice,
            healed_epochs,
            apart,
        } = other;
        self.races += races;
        self.lost += lost;
        self.redone += redone;
        self.void += void;
        self.crashes += crashes;
        self.states_lost += states_lost;
        self.added_again += added_again;
        self.equivocations_proven += equivocations_proven;
        self.undetected_equivocations += undetected_equivocations;
        self.forks_detected += forks_detected;
        self.undetected_forks += undetected_forks;
        self.sent += sent;
        self.delivered += delivered;
        self.losses_shown += losses_shown;
        self.lost_with_device += lost_with_device;
        self.undetected_losses += undetected_losses;
        self.twice += twice;
        self.healed_epochs += healed_epochs;
        self.apart += apart;
    }
}

/// The books of one group and those that followed it.
#[derive(Default)]
pub(super) struct Books {
    pub(super) counts: Counts,
    messages: BTreeMap<u64, Message>,
    delivered: BTreeSet<(usize, u64)>,
    /// (reader, sender, its life, generation, counter).
    shown: BTreeSet<(usize, usize, u32, u32, u64)>,
    staged: BTreeMap<[u8; 32], BTreeSet<usize>>,
    /// Group → its generation; (group, epoch) → the authenticators that somebody reached.
    groups: BTreeMap<Vec<u8>, u32>,
    epochs: BTreeMap<(Vec<u8>, u64), BTreeSet<Vec<u8>>>,
    forked: bool,
    frozen: BTreeSet<u32>,
    device_lost: BTreeMap<usize, u64>,
    /// (person, generation) → the epoch in which it was added again.
    back: BTreeMap<(usize, u32), u64>,
    next: u64,
}

impl Books {
    /// The number of the next message.
    pub(super) fn next_id(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Whether two members are in different epochs of the same number.
    pub(super) fn forked(&self) -> bool {
        self.forked
    }

    pub(super) fn device_lost(&mut self, person: usize, time: u64) {
        self.device_lost.insert(person, time);
        self.counts.states_lost += 1;
    }

    pub(super) fn take(&mut self, person: usize, generation: u32, time: u64, told: Told) {
        let counts = &mut self.counts;
        match told {
            Told::Staged { slot } => {
                let racers = self.staged.entry(slot).or_default();
                if racers.insert(person) && racers.len() == 2 {
                    counts.races += 1;
                }
            }
            Told::Entered { group, epoch, authenticator } => {
                self.groups.insert(group.clone(), generation);
                let reached = self.epochs.entry((group, epoch)).or_default();
                self.forked |= reached.insert(authenticator) && reached.len() > 1;
            }
            Told::Lost => counts.lost += 1,
            Told::Redone => counts.redone += 1,
            Told::Void => counts.void += 1,
            Told::Sent { id, at, epoch, to } => {
                counts.sent += to.len() as u64;
                let message = Message { from: person, at, epoch, time, to };
                self.messages.insert(id, message);
            }
            Told::Delivered { id } => {
                if self.delivered.insert((person, id)) {
                    counts.delivered += 1;
                } else {
                    counts.twice += 1;
                }
            }
            Told::Missing { by, generation, counters } => {
                let sender = &self.messages[&by];
                let (from, life) = (sender.from, sender.at.life);
                self.shown.extend(counters.map(|n| (person, from, life, generation, n)));
            }
            Told::Closed { by, before } => {
                let from = self.messages[&by].from;
                for Sent { life, generation, count } in before {
                    self.shown.extend((0..count).map(|n| (person, from, life, generation, n)));
                }
            }
            Told::Frozen { generation } => {
                if self.frozen.insert(generation) {
                    counts.equivocations_proven += 1;
                }
            }
            Told::AddedAgain { epoch } => {
                counts.added_again += 1;
                self.back.insert((person, generation), epoch);
            }
            Told::Refused | Told::Unreadable | Told::Asked | Told::Founded => {}
        }
    }

    /// Closes the books: `lied` says which generations' relays equivocated.
    pub(super) fn close(mut self, lied: &[bool], together: bool) -> Counts {
        for (message, reader) in
            self.messages.iter().flat_map(|(id, m)| m.to.iter().map(move |r| ((id, m), *r)))
        {
            let (id, message) = message;
            if self.delivered.contains(&(reader, *id)) {
                continue;
            }
            let lost =
                |person: &usize| self.device_lost.get(person).is_some_and(|at| *at >= message.time);
            let Sent { life, generation, count } = message.at;
            let key = (reader, message.from, life, generation, count);
            // Who is added again knows that what was said without it is not for it.
            let before = self.back.get(&(reader, generation)).is_some_and(|e| message.epoch < *e);
            if lost(&reader) || lost(&message.from) {
                self.counts.lost_with_device += 1;
            } else if before || self.shown.contains(&key) {
                self.counts.losses_shown += 1;
            } else {
                self.counts.undetected_losses += 1;
            }
        }
        let forked: BTreeSet<_> =
            self.epochs.iter().filter(|(_, all)| all.len() > 1).map(|((id, _), _)| id).collect();
        for group in forked {
            if self.groups.get(group).is_some_and(|generation| self.frozen.contains(generation)) {
                self.counts.forks_detected += 1;
            } else {
                self.counts.undetected_forks += 1;
            }
        }
        for (generation, lied) in (1..).zip(lied) {
            if *lied && !self.frozen.contains(&generation) {
                self.counts.undetected_equivocations += 1;
            }
        }
        self.counts.healed_epochs =
            self.epochs.keys().filter(|(_, epoch)| *epoch > 1).count() as u64;
        self.counts.apart = u64::from(!together);
        self.counts
    }
}
