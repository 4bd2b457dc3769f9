//! One group's life under a hostile relay: events in simulated time.

use std::collections::BTreeMap;

use budstikke_e2ee::group::{Group, GroupError};
use rand_chacha::ChaCha20Rng;

use super::Settings;
use super::books::{Books, Counts};
use super::chance::Chance as _;
use super::commit::{Applied, Entry};
use super::letter::Letter;
use super::member::{Client, Doing, Failed};
use super::relay::{Malice, Relay};
use super::world::World;

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
/// How often relays lie, per thousand slots.
const HOSTILE: Malice = Malice { split: 3, swap: 3, hide: 6 };
/// Rounds of quiet after which a group that is still apart has failed: 30 minutes each.
const QUIET_ROUNDS: usize = 40;
/// Events of one episode; beyond this nothing will come of it.
const MAX_EVENTS: u64 = 2_000_000;

enum Event {
    /// A client takes its next step in the slot protocol.
    Step(usize),
    /// A letter arrives.
    Arrive { from: usize, to: usize, letter: Letter },
    /// An append arrives, however late.
    Append { person: usize, generation: u32, entry: Entry },
    /// A client looks around.
    Look(usize),
    /// Several want to commit at once.
    Burst,
}

/// One group and those that follow it.
pub(super) struct Episode {
    rng: ChaCha20Rng,
    world: World,
    clients: Vec<Client>,
    /// The relay of each generation.
    relays: Vec<Relay>,
    books: Books,
    queue: BTreeMap<(u64, u64), Event>,
    time: u64,
    next: u64,
    begin: i64,
    chaos: bool,
    arrival_order: bool,
}

impl Episode {
    pub(super) fn new(mut rng: ChaCha20Rng, settings: Settings, line: bool) -> Self {
        let begin = settings.begin;
        let make = if line { World::line } else { World::case };
        let world = make(&mut rng, begin);
        let clients = (0..world.people.len()).map(Client::new).collect();
        Self {
            rng,
            world,
            clients,
            relays: Vec::new(),
            books: Books::default(),
            queue: BTreeMap::new(),
            time: 0,
            next: 0,
            begin,
            chaos: true,
            arrival_order: settings.arrival_order,
        }
    }

    /// Until there were so many races; then the relay behaves until all is told.
    pub(super) fn run(mut self, races: u64) -> Counts {
        for person in 0..self.clients.len() {
            self.at(0, Event::Look(person));
        }
        self.at(MINUTE, Event::Burst);
        let mut events = 0;
        while self.books.counts.races < races && events < MAX_EVENTS {
            self.event();
            events += 1;
            if self.forked_alone() {
                return self.books.close(&[], false);
            }
        }
        self.chaos = false;
        for relay in &mut self.relays {
            relay.malice = Malice::NONE;
        }
        let mut together = 0;
        for _ in 0..QUIET_ROUNDS {
            for person in 0..self.clients.len() {
                self.speak(person);
            }
            let until = self.time + 30 * MINUTE;
            while self.queue.first_key_value().is_some_and(|((time, _), _)| *time <= until) {
                self.event();
            }
            self.time = until;
            together = if self.together() { together + 1 } else { 0 };
            if together == 2 {
                break;
            }
        }
        let lied: Vec<bool> = self.relays.iter().map(Relay::equivocated).collect();
        self.books.close(&lied, together == 2)
    }

    /// A fork that no relay brought about: there is nothing to wait for.
    fn forked_alone(&self) -> bool {
        self.books.forked() && !self.relays.iter().any(Relay::equivocated)
    }

    /// Whether all are in the same epoch, and nobody waits for anything.
    fn together(&self) -> bool {
        let state = |client: &Client| {
            let group = client.group.as_ref().filter(|_| client.in_group())?;
            let quiet = client.suspects(u64::MAX).is_none()
                && !client.wants()
                && client.rows.outbox.is_empty();
            quiet.then(|| (group.id().to_vec(), group.epoch(), group.epoch_authenticator()))
        };
        let first = self.clients.first().and_then(state);
        first.is_some()
            && self.clients.iter().all(|client| state(client) == first)
            && !self.queue.values().any(|event| match event {
                Event::Arrive { letter, .. } => {
                    !matches!(letter, Letter::Nudge { .. } | Letter::Receipts { .. })
                }
                _ => false,
            })
    }

    fn now(&self) -> i64 {
        self.begin + i64::try_from(self.time / SECOND).unwrap_or(0)
    }

    fn at(&mut self, after: u64, event: Event) {
        self.next += 1;
        self.queue.insert((self.time + after, self.next), event);
    }

    fn soon(&mut self, within: u64) -> u64 {
        u64::from(self.rng.below(u32::try_from(within).unwrap_or(u32::MAX)))
    }

    fn event(&mut self) {
        let Some(((time, _), event)) = self.queue.pop_first() else { return };
        self.time = time;
        match event {
            Event::Step(person) => self.step(person),
            Event::Arrive { from, to, letter } => self.arrive(from, to, letter),
            Event::Append { person, generation, entry } => self.append(person, generation, entry),
            Event::Look(person) => self.look(person),
            Event::Burst => self.burst(),
        }
    }

    /// Down, or going down now.
    fn is_down(&mut self, person: usize) -> bool {
        if self.clients[person].down_until > self.time {
            return true;
        }
        if self.chaos && self.rng.per_mille(8) {
            self.crash(person);
            return true;
        }
        false
    }

    fn crash(&mut self, person: usize) {
        self.books.counts.crashes += 1;
        let down = self.soon(MINUTE);
        let now = self.now();
        let client = &mut self.clients[person];
        client.crash(&self.world, now);
        client.down_until = self.time + down;
        client.stepping = false;
        self.at(down, Event::Look(person));
    }

    /// A transaction of this client; the power may go in the middle of it.
    fn transact<T>(
        &mut self,
        person: usize,
        work: impl FnOnce(&mut Client, &World, (u64, i64), &mut ChaCha20Rng) -> Result<T, GroupError>,
    ) -> Result<T, Failed> {
        let cut = self.chaos && self.rng.per_mille(4);
        let times = (self.time, self.now());
        let (client, world, rng) = (&mut self.clients[person], &self.world, &mut self.rng);
        let done = client.transact(world, times.1, cut, |client| work(client, world, times, rng));
        if done.as_ref().is_err_and(|failed| *failed == Failed::Cut) {
            self.crash(person);
            return done;
        }
        self.after(person);
        done
    }

    /// After a commit: the books hear of it, and the outbox goes out.
    fn after(&mut self, person: usize) {
        let client = &mut self.clients[person];
        let generation = client.rows.generation;
        for told in std::mem::take(&mut client.told) {
            self.books.take(person, generation, self.time, told);
        }
        let letters = client.rows.outbox.clone();
        // Now and then the power goes between sending and noting it: all of it is sent again.
        if !(self.chaos && self.rng.per_mille(5)) {
            self.clients[person].rows.outbox.clear();
        }
        for (to, letter) in letters {
            self.post(person, to, &letter);
        }
    }

    fn post(&mut self, from: usize, to: usize, letter: &Letter) {
        let copies = match self.rng.below(1_000) {
            n if self.chaos && n < 15 => 0,
            n if self.chaos && n < 45 => 2,
            _ => 1,
        };
        for _ in 0..copies {
            let slow = self.chaos && self.rng.per_mille(40);
            let delay = self.soon(if slow { 20 * MINUTE } else { 2 * SECOND });
            self.at(delay, Event::Arrive { from, to, letter: letter.clone() });
        }
    }

    /// The relay of this client's group; without a group there is none to ask.
    fn relay_of(&mut self, generation: u32) -> Option<usize> {
        let index = usize::try_from(generation).ok()?.checked_sub(1)?;
        while self.relays.len() <= index {
            let malice = if self.chaos { HOSTILE } else { Malice::NONE };
            self.relays.push(Relay::new(&mut self.rng, malice));
        }
        Some(index)
    }

    fn wake(&mut self, person: usize) {
        let client = &mut self.clients[person];
        if client.stepping || !client.in_group() {
            return;
        }
        if matches!(client.doing, Doing::Idle) {
            client.doing = Doing::Read;
        }
        client.stepping = true;
        // The way to the relay is long, what happens on the device is quick.
        let away = matches!(client.doing, Doing::Append);
        let delay = self.soon(if away { 2 * SECOND } else { SECOND / 10 });
        self.at(delay, Event::Step(person));
    }

    fn step(&mut self, person: usize) {
        self.clients[person].stepping = false;
        if self.is_down(person) || !self.clients[person].in_group() {
            return;
        }
        let generation = self.clients[person].rows.generation;
        let Some(relay) = self.relay_of(generation) else { return };
        let doing = std::mem::replace(&mut self.clients[person].doing, Doing::Idle);
        let next = match doing {
            Doing::Idle => Doing::Idle,
            Doing::Read => self.read(person, relay),
            Doing::Apply(slot, shown) => {
                let public = *self.relays[relay].public();
                let applied = self.transact(person, |client, world, (_, now), _| {
                    if client.slot(world, now) != Some(slot) {
                        return Ok(Applied::Advanced);
                    }
                    let applied = client.apply(world, now, &public, &shown)?;
                    if applied == Applied::Advanced {
                        client.retry_deferred(world, now, &public)?;
                    }
                    Ok(applied)
                });
                match applied {
                    Ok(Applied::Advanced | Applied::Spoilt) => Doing::Read,
                    Ok(Applied::Open) if self.clients[person].wants() => Doing::Stage,
                    Ok(Applied::Open) | Err(_) => Doing::Idle,
                }
            }
            Doing::Stage => {
                let staged = self
                    .transact(person, |client, world, (_, now), rng| client.stage(world, now, rng));
                match staged {
                    Ok(true) => Doing::Append,
                    Ok(false) | Err(Failed::Cut) => Doing::Idle,
                    // What cannot be added is not wanted any more.
                    Err(_) => {
                        self.clients[person].rows.adds.clear();
                        Doing::Idle
                    }
                }
            }
            Doing::Append => self.send_entry(person, generation),
        };
        if matches!(next, Doing::Idle) || !self.clients[person].in_group() {
            return;
        }
        self.clients[person].doing = next;
        self.wake(person);
    }

    fn read(&mut self, person: usize, relay: usize) -> Doing {
        let now = self.now();
        let Some(slot) = self.clients[person].slot(&self.world, now) else { return Doing::Idle };
        // Not reached: the next look tries again.
        if self.chaos && self.rng.per_mille(10) {
            return Doing::Idle;
        }
        let shown = self.relays[relay].read(&mut self.rng, self.time, person, slot);
        Doing::Apply(slot, shown)
    }

    fn send_entry(&mut self, person: usize, generation: u32) -> Doing {
        let now = self.now();
        if self.arrival_order {
            // The planted bug: no slot at all.
            if let Some(pending) = self.clients[person].group.as_ref().and_then(Group::pending) {
                for to in 0..self.clients.len() {
                    self.post(person, to, &Letter::Mls(pending.commit.clone()));
                }
            }
            return Doing::Idle;
        }
        let Some(entry) = self.clients[person].entry(&self.world, now) else { return Doing::Idle };
        match self.rng.below(1_000) {
            // It never arrives.
            n if self.chaos && n < 10 => {}
            // It arrives when its sender has given up.
            n if self.chaos && n < 30 => {
                let delay = self.soon(10 * MINUTE);
                self.at(delay, Event::Append { person, generation, entry });
                return Doing::Idle;
            }
            _ => self.append(person, generation, entry),
        }
        Doing::Read
    }

    fn append(&mut self, person: usize, generation: u32, (slot, cells, signature): Entry) {
        let Some(relay) = self.relay_of(generation) else { return };
        let relay = &mut self.relays[relay];
        relay.append(&mut self.rng, self.time, person, slot, cells, signature);
    }

    fn speak(&mut self, person: usize) {
        if self.clients[person].down_until > self.time || !self.clients[person].in_group() {
            return;
        }
        let id = self.books.next_id();
        let spoken =
            self.transact(person, |client, world, (_, now), _| client.speak(world, now, id));
        if spoken.is_ok() && self.clients[person].wants() {
            self.wake(person);
        }
    }

    fn look(&mut self, person: usize) {
        let wait = 2 * MINUTE + self.soon(4 * MINUTE);
        if self.is_down(person) {
            return;
        }
        self.at(wait, Event::Look(person));
        let heartbeat = self.rng.per_mille(100);
        let looked = self.transact(person, |client, world, times, _| {
            client.look_around(world, times, heartbeat)
        });
        if looked.is_ok() {
            self.wake(person);
        }
    }

    fn burst(&mut self) {
        let people = self.clients.len();
        let racers = 3 + self.rng.below(5);
        for number in 0..racers {
            let person = self.any(people);
            if number == 0 {
                self.speak(person);
            }
            if self.clients[person].in_group() {
                self.clients[person].rows.update = true;
                self.wake(person);
            }
        }
        if self.rng.per_mille(20) {
            self.squat(people);
        }
        if self.rng.per_mille(3) {
            let person = self.any(people);
            self.books.device_lost(person, self.time);
            self.clients[person].lose_everything();
        }
        if self.chaos {
            let pause = 4 * SECOND + self.soon(6 * SECOND);
            self.at(pause, Event::Burst);
        }
    }

    /// A member fills the slot of the epoch with garbage.
    fn squat(&mut self, people: usize) {
        let person = self.any(people);
        let (now, generation) = (self.now(), self.clients[person].rows.generation);
        let garbage = self.clients[person].garbage(&self.world, now, &mut self.rng);
        let entries = 1 + self.any(4);
        for entry in garbage.into_iter().take(entries) {
            self.append(person, generation, entry);
        }
    }

    fn any(&mut self, of: usize) -> usize {
        usize::try_from(self.rng.below(u32::try_from(of).unwrap_or(1))).unwrap_or(0)
    }

    fn arrive(&mut self, from: usize, to: usize, letter: Letter) {
        if self.clients[to].down_until > self.time {
            let wait = self.clients[to].down_until - self.time;
            self.at(wait, Event::Arrive { from, to, letter });
            return;
        }
        let generation = match &letter {
            Letter::Nudge { generation, .. }
            | Letter::Receipts { generation, .. }
            | Letter::Proof { generation, .. } => *generation,
            _ => self.clients[to].rows.generation,
        };
        let public = self.relay_of(generation).map(|relay| *self.relays[relay].public());
        let again = letter.clone();
        let done = self.transact(to, |client, world, times, _| {
            client.open(world, times, public.as_ref(), from, letter)
        });
        match done {
            Ok(true) => self.wake(to),
            Ok(false) | Err(Failed::NoKeyPackage | Failed::Rejected(_)) => {}
            // It lies in the mailbox still.
            Err(Failed::Cut) => self.post(from, to, &again),
        }
    }
}
