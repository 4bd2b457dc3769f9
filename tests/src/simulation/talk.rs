//! Sending and taking application messages, with the findings that the real group makes about them.

use budstikke_e2ee::Env;
use budstikke_e2ee::group::{Application, Finding, Group, GroupError, Inbound};

use super::letter::{Content, Letter};
use super::member::{Client, Told};
use super::relay::Receipt;
use super::world::World;

impl Client {
    /// Inside a transaction: one message to all other members, in the outbox.
    pub(super) fn speak(&mut self, world: &World, now: i64, id: u64) -> Result<(), GroupError> {
        let env = Env { suite: &world.suite, store: &self.disk, now };
        let me = &world.people[self.person];
        let Some(group) = self.group.as_mut().filter(|group| group.is_active()) else {
            return Ok(());
        };
        if group.needs_update(now, true).is_some() {
            self.rows.update = true;
        }
        let Some((at, before)) = self.rows.sent.split_last_mut() else { return Ok(()) };
        let content = Content { id, before: before.to_vec() }.to_bytes();
        let message = group.encrypt(&env, me, &content, Some(&self.rows.last_receipt))?;
        let members = group.members()?;
        let to: Vec<usize> = members
            .iter()
            .filter_map(|member| world.person(&member.key))
            .filter(|person| *person != self.person)
            .collect();
        let letter = |person: &usize| (*person, Letter::Mls(message.clone()));
        self.rows.outbox.extend(to.iter().map(letter));
        self.told.push(Told::Sent { id, at: *at, epoch: group.epoch(), to });
        at.count += 1;
        Ok(())
    }

    /// Inside a transaction: takes a message. True if it moved the group, which only happens with
    /// the planted bug.
    pub(super) fn take(
        &mut self,
        world: &World,
        (time, now): (u64, i64),
        relay: &[u8; 32],
        message: &[u8],
    ) -> Result<bool, GroupError> {
        let named = Group::named_by(message);
        if named.as_deref() != Some(self.rows.group.as_slice()) || !self.in_group() {
            // Of the group before, or of one whose Welcome has not come yet.
            if self.rows.proof.is_some() || self.rows.group.is_empty() || !self.in_group() {
                self.rows.deferred.push((time, message.to_vec()));
            } else {
                self.told.push(Told::Unreadable);
            }
            return Ok(false);
        }
        let env = Env { suite: &world.suite, store: &self.disk, now };
        let Some(group) = self.group.as_mut() else { return Ok(false) };
        match group.process(&env, message, None)? {
            Inbound::Application(message) => self.heard(world, relay, time, &message),
            Inbound::FutureEpoch { .. } => self.rows.deferred.push((time, message.to_vec())),
            Inbound::Stale { .. } => self.told.push(Told::Unreadable),
            Inbound::Commit(staged) => {
                let added: Vec<_> =
                    staged.added().iter().filter_map(|m| world.person(&m.key)).collect();
                group.merge_staged(&env, *staged)?;
                self.followed(&added);
                self.tell_epoch();
                return Ok(true);
            }
            Inbound::OwnCommit => {
                group.merge_pending(&env)?;
                self.won(world);
                self.tell_epoch();
                return Ok(true);
            }
            Inbound::Rejected(_) => {
                self.told.push(Told::Refused);
                self.rows.refused.get_or_insert(time);
            }
            _ => {}
        }
        Ok(false)
    }

    fn heard(&mut self, world: &World, relay: &[u8; 32], time: u64, message: &Application) {
        let content = Content::from_bytes(&message.content).expect("its content");
        let generation = self.rows.generation;
        for finding in &message.findings {
            match finding {
                Finding::Gap { missing } => {
                    let counters = message.counter - missing..message.counter;
                    self.told.push(Told::Missing { by: content.id, generation, counters });
                }
                Finding::Forked | Finding::OtherEpoch => {
                    self.rows.refused.get_or_insert(time);
                }
                _ => {}
            }
        }
        self.told.push(Told::Closed { by: content.id, before: content.before });
        self.told.push(Told::Delivered { id: content.id });
        if let Some(receipt) = message.receipt.as_deref().and_then(Receipt::from_bytes) {
            self.note_receipt(world, relay, &receipt, false);
        }
    }

    /// Inside a transaction: tries again what waited for its epoch.
    pub(super) fn retry_deferred(
        &mut self,
        world: &World,
        now: i64,
        relay: &[u8; 32],
    ) -> Result<(), GroupError> {
        for (time, message) in std::mem::take(&mut self.rows.deferred) {
            // With its own time: how long it has waited is what counts.
            self.take(world, (time, now), relay, &message)?;
        }
        Ok(())
    }
}

impl Client {
    /// Inside a transaction: takes a letter. True if the slot is worth a look.
    pub(super) fn open(
        &mut self,
        world: &World,
        times: (u64, i64),
        relay: Option<&[u8; 32]>,
        from: usize,
        letter: Letter,
    ) -> Result<bool, GroupError> {
        let here = |generation: u32, client: &Self| {
            client.in_group() && generation == client.rows.generation
        };
        match (letter, relay) {
            (Letter::Mls(message), Some(relay)) => {
                let before = self.rows.deferred.len();
                if self.take(world, times, relay, &message)? {
                    self.retry_deferred(world, times.1, relay)?;
                }
                return Ok(self.wants() || self.rows.deferred.len() > before);
            }
            (Letter::Mls(message), None) => self.rows.deferred.push((times.0, message)),
            (Letter::Nudge { generation, receipts }, relay) => {
                if let Some(relay) = relay.filter(|_| here(generation, self)) {
                    for receipt in &receipts {
                        self.note_receipt(world, relay, receipt, false);
                    }
                }
                return Ok(true);
            }
            (Letter::Welcome { generation, welcome }, _) => {
                if generation >= self.rows.generation {
                    self.join(world, times.1, generation, &welcome)?;
                    if let Some(relay) = relay.filter(|_| here(generation, self)) {
                        self.retry_deferred(world, times.1, relay)?;
                    }
                    return Ok(true);
                }
            }
            (Letter::Ask { package }, _) => {
                self.asked(from, package);
                return Ok(self.wants());
            }
            (Letter::Move { generation, package }, _) => {
                self.comes_along(from, generation, package);
            }
            (Letter::Receipts { generation, receipts, answer }, Some(relay)) => {
                if here(generation, self) {
                    for receipt in &receipts {
                        self.note_receipt(world, relay, receipt, false);
                    }
                    if !answer {
                        self.compare(world, true, Some(from));
                    }
                }
            }
            (Letter::Proof { generation, pair }, Some(relay)) => {
                let mine = generation == self.rows.generation || self.rows.group.is_empty();
                if mine && generation > 0 && pair.0.contradicts(&pair.1, relay) {
                    self.rows.generation = generation;
                    self.freeze(world, *pair);
                }
            }
            (Letter::Receipts { .. } | Letter::Proof { .. }, None) => {}
        }
        Ok(false)
    }
}
