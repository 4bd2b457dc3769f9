//! The steps of a commit, as the real client takes them (its channel/commit.rs): read the slot,
//! apply its first valid entry, stage, append, read again.

use budstikke_e2ee::Env;
use budstikke_e2ee::group::{GroupError, KeyPackage, MAX_ADDS, Outcome};
use budstikke_proto::id::Signature;
use budstikke_proto::sign::SigningSeed;
use budstikke_proto::slot::{payload_hash, sign_entry};
use rand_chacha::ChaCha20Rng;

use super::letter::Letter;
use super::member::{Client, Staged, Told};
use super::relay::Shown;
use super::world::World;

/// Receipts that a nudge carries.
const LATEST: usize = 8;

/// What applying a slot's entries led to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Applied {
    Advanced,
    Open,
    Spoilt,
}

/// An entry to append: its slot, cells and signature.
pub(super) type Entry = ([u8; 32], Vec<Vec<u8>>, Signature);

impl Client {
    /// The slot that this client reads now.
    pub(super) fn slot(&self, world: &World, now: i64) -> Option<[u8; 32]> {
        let env = Env { suite: &world.suite, store: &self.disk, now };
        let group = self.group.as_ref().filter(|_| self.in_group())?;
        Some(group.slot_keys(&env, group.slot_attempt()).expect("slot keys").id())
    }

    /// Whether it wants to commit something.
    pub(super) fn wants(&self) -> bool {
        self.rows.update || !self.rows.adds.is_empty() || self.rows.staged.is_some()
    }

    /// Inside a transaction: applies what the slot holds.
    pub(super) fn apply(
        &mut self,
        world: &World,
        now: i64,
        relay: &[u8; 32],
        shown: &[Shown],
    ) -> Result<Applied, GroupError> {
        let entries: Vec<_> = shown.iter().map(|entry| Some(&*entry.cells)).collect();
        for entry in shown {
            self.note_receipt(world, relay, &entry.receipt, true);
        }
        let env = Env { suite: &world.suite, store: &self.disk, now };
        let Some(group) = self.group.as_mut() else { return Ok(Applied::Open) };
        let reading = group.read_slot(&env, &entries, None)?;
        self.told.extend(reading.void.iter().map(|_| Told::Void));
        let place = match reading.outcome {
            Outcome::Won { place } => {
                self.won(world);
                place
            }
            Outcome::Followed { place, added, .. } => {
                let added: Vec<_> = added.iter().filter_map(|m| world.person(&m.key)).collect();
                self.followed(&added);
                place
            }
            Outcome::Open => return Ok(Applied::Open),
            Outcome::Spoilt => {
                if let Some(staged) = &mut self.rows.staged {
                    staged.cells.clear();
                }
                return Ok(Applied::Spoilt);
            }
        };
        if let Some(entry) = shown.get(place) {
            self.rows.last_receipt = entry.receipt.to_bytes();
        }
        self.tell_epoch();
        Ok(Applied::Advanced)
    }

    /// Our commit stands: Welcomes and a nudge go out.
    pub(super) fn won(&mut self, world: &World) {
        let Some(staged) = self.rows.staged.take() else { return };
        self.rows.update = false;
        if std::mem::take(&mut self.rows.lost) {
            self.told.push(Told::Redone);
        }
        let generation = self.rows.generation;
        for (person, package) in staged.adding {
            if self.rows.adds.get(&person) == Some(&package) {
                self.rows.adds.remove(&person);
            }
            self.rows.welcomes.insert(person, (package, staged.welcome.clone()));
            let letter = Letter::Welcome { generation, welcome: staged.welcome.clone() };
            self.rows.outbox.push((person, letter));
        }
        let latest = self.rows.order.iter().rev().take(LATEST);
        let receipts = latest.filter_map(|key| self.rows.receipts.get(key).cloned()).collect();
        self.for_all(world, &Letter::Nudge { generation: self.rows.generation, receipts });
    }

    /// Somebody else's commit stands: ours is made anew on top of it.
    pub(super) fn followed(&mut self, added: &[usize]) {
        if self.rows.staged.take().is_some() {
            self.rows.lost = true;
            self.told.push(Told::Lost);
        }
        for person in added {
            self.rows.adds.remove(person);
            self.rows.welcomes.remove(person);
        }
    }

    /// Inside a transaction: makes the wanted commit and persists it with its cells; false when
    /// nothing is wanted any more.
    pub(super) fn stage(
        &mut self,
        world: &World,
        now: i64,
        rng: &mut ChaCha20Rng,
    ) -> Result<bool, GroupError> {
        let env = Env { suite: &world.suite, store: &self.disk, now };
        let me = &world.people[self.person];
        let Some(group) = self.group.as_mut() else { return Ok(false) };
        let keys = group.slot_keys(&env, group.slot_attempt())?;
        let current = self.rows.staged.as_mut().filter(|staged| staged.epoch == group.epoch());
        if let (Some(staged), Some(pending)) = (current, group.pending()) {
            if staged.cells.is_empty() {
                staged.cells = keys.seal_entry(&pending.commit, rng).expect("an entry");
                self.told.push(Told::Staged { slot: keys.id() });
            }
            return Ok(true);
        }
        group.clear_pending(&env)?;
        let (mut packages, mut adding, mut assignments) = (Vec::new(), Vec::new(), Vec::new());
        for (person, bytes) in self.rows.adds.iter().take(MAX_ADDS) {
            packages.push(KeyPackage::parse(&env, bytes)?);
            assignments.push(world.assign(*person, now));
            adding.push((*person, bytes.clone()));
        }
        let pending = if adding.is_empty() && !self.rows.update {
            return Ok(false);
        } else if adding.is_empty() {
            group.update(&env, me)?
        } else {
            let members = group.members()?;
            let again = |m: &&budstikke_e2ee::group::Member| {
                world
                    .person(&m.key)
                    .is_some_and(|person| adding.iter().any(|(who, _)| *who == person))
            };
            let leaves: Vec<u32> = members.iter().filter(again).map(|m| m.leaf).collect();
            group.change(&env, me, &packages, &leaves, &assignments)?
        };
        let cells = keys.seal_entry(&pending.commit, rng).expect("an entry");
        self.told.push(Told::Staged { slot: keys.id() });
        let welcome = pending.welcome.unwrap_or_default();
        self.rows.staged = Some(Staged { epoch: group.epoch(), cells, adding, welcome });
        Ok(true)
    }

    /// The staged entry, signed for its slot.
    pub(super) fn entry(&self, world: &World, now: i64) -> Option<Entry> {
        let env = Env { suite: &world.suite, store: &self.disk, now };
        let group = self.group.as_ref().filter(|_| self.in_group())?;
        let cells = self.rows.staged.as_ref()?.cells.clone();
        let keys = group.slot_keys(&env, group.slot_attempt()).expect("slot keys");
        let (slot, signature) = signed(&SigningSeed::from_bytes(*keys.seed()), &cells);
        Some((slot, cells, signature))
    }

    /// Four entries of garbage, as only a member of the epoch can put them there: sealed and signed
    /// as they should be, or not even sealed.
    pub(super) fn garbage(&self, world: &World, now: i64, rng: &mut ChaCha20Rng) -> Vec<Entry> {
        use rand_core::RngCore as _;
        let env = Env { suite: &world.suite, store: &self.disk, now };
        let Some(group) = self.group.as_ref().filter(|_| self.in_group()) else {
            return Vec::new();
        };
        let keys = group.slot_keys(&env, group.slot_attempt()).expect("slot keys");
        let seed = SigningSeed::from_bytes(*keys.seed());
        let mut out = Vec::new();
        for number in 0..4 {
            let mut junk = vec![0; 400];
            rng.fill_bytes(&mut junk);
            let mut cells = keys.seal_entry(&junk, rng).expect("an entry");
            if number % 2 == 1
                && let Some(byte) = cells.first_mut().and_then(|cell| cell.last_mut())
            {
                *byte ^= 1;
            }
            let (slot, signature) = signed(&seed, &cells);
            out.push((slot, cells, signature));
        }
        out
    }
}

fn signed(seed: &SigningSeed, cells: &[Vec<u8>]) -> ([u8; 32], Signature) {
    let count = u32::try_from(cells.len()).unwrap_or(u32::MAX);
    let hash = payload_hash(cells.iter().map(Vec::as_slice));
    (seed.public(), sign_entry(seed, count, &hash))
}
