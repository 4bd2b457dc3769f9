//! What a client does when it was cheated, has fallen behind or lost everything: it compares
//! receipts, proves that the relay lied, asks to be added again, or moves to a new group on another
//! relay.

use budstikke_e2ee::Env;
use budstikke_e2ee::group::{Group, GroupError, KeyPackage, MAX_ADDS};

use super::letter::Letter;
use super::member::{Client, Rows, Sent, Told};
use super::relay::Receipt;
use super::world::World;

/// Receipts kept for comparison.
const MAX_RECEIPTS: usize = 64;
/// Milliseconds that a message may wait for its epoch before its reader takes itself for cheated.
const BEHIND: u64 = 30 * 60_000;
/// Milliseconds after which it asks to be added again.
const ASK: u64 = 90 * 60_000;
/// Who founds the next group.
const FOUNDER: usize = 0;

impl Client {
    /// Since when something is wrong that only others can tell about.
    pub(super) fn suspects(&self, time: u64) -> Option<u64> {
        let oldest = self.rows.deferred.iter().map(|(since, _)| *since).min();
        let behind = oldest.filter(|since| time.saturating_sub(*since) >= BEHIND);
        [behind, self.rows.refused].into_iter().flatten().min()
    }

    /// Inside a transaction: what it does about its troubles, every few minutes.
    pub(super) fn look_around(
        &mut self,
        world: &World,
        (time, now): (u64, i64),
        heartbeat: bool,
    ) -> Result<(), GroupError> {
        if let Some(pair) = self.rows.proof.clone() {
            let generation = self.rows.generation;
            self.for_all(world, &Letter::Proof { generation, pair: Box::new(pair) });
        }
        if self.rows.proof.is_some() || self.rows.generation == 0 && self.rows.life == 0 {
            return self.move_on(world, now);
        }
        if !self.in_group() {
            return self.ask(world, now);
        }
        if let Some(since) = self.suspects(time) {
            self.compare(world, false, None);
            // Who is only refused may be the one that is right: the others' receipts will tell.
            if self.rows.refused.is_none() && time.saturating_sub(since) >= ASK {
                self.ask(world, now)?;
            }
        } else if heartbeat {
            self.compare(world, true, None);
        }
        Ok(())
    }

    /// Sends what the relay has said to all, or to one.
    pub(super) fn compare(&mut self, world: &World, answer: bool, to: Option<usize>) {
        let receipts: Vec<_> = self.rows.receipts.values().cloned().collect();
        let letter = Letter::Receipts { generation: self.rows.generation, receipts, answer };
        match to {
            Some(person) => self.rows.outbox.push((person, letter)),
            None => self.for_all(world, &letter),
        }
    }

    /// Keeps a receipt; two that contradict each other freeze the group.
    /// `checked`: its signature is known to be the relay's.
    pub(super) fn note_receipt(
        &mut self,
        world: &World,
        relay: &[u8; 32],
        receipt: &Receipt,
        checked: bool,
    ) {
        let key = (receipt.slot, receipt.place);
        match self.rows.receipts.get(&key) {
            Some(known) if known == receipt => {}
            Some(known) if known.contradicts(receipt, relay) => {
                self.freeze(world, (known.clone(), receipt.clone()));
            }
            Some(_) => {}
            None if !checked && !receipt.is_of(relay) => {}
            None => {
                self.rows.receipts.insert(key, receipt.clone());
                self.rows.order.push(key);
                if self.rows.order.len() > MAX_RECEIPTS {
                    let oldest = self.rows.order.remove(0);
                    self.rows.receipts.remove(&oldest);
                }
            }
        }
    }

    /// The relay is proven to have lied: nothing more is sent here, and everybody is told.
    pub(super) fn freeze(&mut self, world: &World, pair: (Receipt, Receipt)) {
        if self.rows.proof.is_some() {
            return;
        }
        let generation = self.rows.generation;
        self.told.push(Told::Frozen { generation });
        self.rows.package = None;
        self.rows.proof = Some(pair.clone());
        self.for_all(world, &Letter::Proof { generation, pair: Box::new(pair) });
    }

    fn own_package(&mut self, world: &World, now: i64) -> Result<Vec<u8>, GroupError> {
        if let Some(package) = &self.rows.package {
            return Ok(package.clone());
        }
        let env = Env { suite: &world.suite, store: &self.disk, now };
        let package = KeyPackage::create(&env, self.me(world))?.bytes().to_vec();
        self.rows.package = Some(package.clone());
        Ok(package)
    }

    /// Asks everybody to be added again.
    pub(super) fn ask(&mut self, world: &World, now: i64) -> Result<(), GroupError> {
        let package = self.own_package(world, now)?;
        self.told.push(Told::Asked);
        self.for_all(world, &Letter::Ask { package });
        Ok(())
    }

    /// To the next group: the founder waits for everybody's key package, the others send theirs.
    fn move_on(&mut self, world: &World, now: i64) -> Result<(), GroupError> {
        if self.person != FOUNDER {
            let package = self.own_package(world, now)?;
            let generation = self.rows.generation + 1;
            self.rows.outbox.push((FOUNDER, Letter::Move { generation, package }));
            return Ok(());
        }
        if self.rows.moving.len() + 1 < world.people.len() {
            return Ok(());
        }
        self.leave_group(world, now)?;
        let env = Env { suite: &world.suite, store: &self.disk, now };
        let me = self.me(world);
        let mut moving = std::mem::take(&mut self.rows.moving).into_iter();
        let mut group = Group::create(&env, me, world.charter())?;
        let (mut first, mut packages) = (Vec::new(), Vec::new());
        for (person, bytes) in moving.by_ref().take(MAX_ADDS) {
            packages.push(KeyPackage::parse(&env, &bytes)?);
            first.push((person, bytes));
        }
        let founding = group.add(&env, me, &packages, &[])?;
        group.merge_pending(&env)?;
        self.enter(group);
        self.told.push(Told::Founded);
        let welcome = founding.welcome.expect("a Welcome");
        for (person, package) in first {
            let generation = self.rows.generation;
            self.rows.welcomes.insert(person, (package, welcome.clone()));
            let letter = Letter::Welcome { generation, welcome: welcome.clone() };
            self.rows.outbox.push((person, letter));
        }
        self.rows.adds = moving.collect();
        Ok(())
    }

    fn leave_group(&mut self, world: &World, now: i64) -> Result<(), GroupError> {
        let env = Env { suite: &world.suite, store: &self.disk, now };
        match self.group.take() {
            Some(group) => group.delete(&env),
            None => Ok(()),
        }
    }

    /// Into a group that was just founded or joined, of the next generation.
    fn enter(&mut self, group: Group) {
        let generation = self.rows.generation + 1;
        let (sent, life) = (std::mem::take(&mut self.rows.sent), self.rows.life);
        let outbox = std::mem::take(&mut self.rows.outbox);
        let deferred = std::mem::take(&mut self.rows.deferred);
        self.rows = Rows {
            generation,
            group: group.id().to_vec(),
            life,
            sent,
            outbox,
            deferred,
            ..Rows::default()
        };
        self.rows.sent.push(Sent { life, generation, count: 0 });
        self.group = Some(group);
        self.tell_epoch();
    }

    /// Inside a transaction: joins a group from a Welcome that this client asked for.
    pub(super) fn join(
        &mut self,
        world: &World,
        now: i64,
        generation: u32,
        welcome: &[u8],
    ) -> Result<(), GroupError> {
        let env = Env { suite: &world.suite, store: &self.disk, now };
        let group = Group::join(&env, self.me(world), welcome, &world.expect())?;
        if generation > self.rows.generation {
            self.leave_group(world, now)?;
            if self.rows.life > 0 && self.rows.sent.is_empty() {
                self.told.push(Told::AddedAgain { epoch: group.epoch() });
            }
            self.rows.generation = generation - 1;
            self.enter(group);
        } else {
            self.told.push(Told::AddedAgain { epoch: group.epoch() });
            self.rows.life += 1;
            self.rows.sent.push(Sent { life: self.rows.life, generation, count: 0 });
            self.rows.staged = None;
            self.rows.refused = None;
            self.rows.package = None;
            self.group = Some(group);
            self.tell_epoch();
        }
        Ok(())
    }

    /// Somebody asks to be added again, or to come along.
    pub(super) fn asked(&mut self, from: usize, package: Vec<u8>) {
        if self.in_group() {
            self.rows.adds.insert(from, package);
        }
    }

    /// Somebody wants to come to the next group; who is in it already gets the Welcome once more.
    pub(super) fn comes_along(&mut self, from: usize, generation: u32, package: Vec<u8>) {
        if generation == self.rows.generation + 1 {
            self.rows.moving.insert(from, package);
        } else if generation == self.rows.generation {
            match self.rows.welcomes.get(&from) {
                Some((known, welcome)) if *known == package => {
                    let letter = Letter::Welcome { generation, welcome: welcome.clone() };
                    self.rows.outbox.push((from, letter));
                }
                // It lost its device after it was added: its Welcome opens for nobody any more.
                _ => self.asked(from, package),
            }
        }
    }
}
