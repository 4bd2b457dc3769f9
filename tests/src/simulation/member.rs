//! One person's client: a store of its own, the real group on it, and the transactions and crashes
//! around every step. What the steps do is in the modules `commit`, `talk` and `recover`.

use std::collections::BTreeMap;

use budstikke_e2ee::Env;
use budstikke_e2ee::checks::Check;
use budstikke_e2ee::group::{Group, GroupError, Identity};
use budstikke_e2ee::testing::MemoryStore;

use super::letter::Letter;
use super::relay::{Receipt, Shown};
use super::world::World;

/// What is kept beside the group, in the same transaction.
#[derive(Clone, Default)]
pub(super) struct Rows {
    /// Which of the groups that followed each other this is, counted from 1; 0 before the first.
    pub(super) generation: u32,
    pub(super) group: Vec<u8>,
    /// An update of its own is wanted.
    pub(super) update: bool,
    /// Who is to be added (again), with the key package.
    pub(super) adds: BTreeMap<usize, Vec<u8>>,
    pub(super) staged: Option<Staged>,
    /// The last commit lost its race: the next one that wins was redone.
    pub(super) lost: bool,
    /// Messages of epochs or groups that have not come yet, and since when.
    pub(super) deferred: Vec<(u64, Vec<u8>)>,
    pub(super) outbox: Vec<(usize, Letter)>,
    /// Receipts for comparison, and the order in which they came.
    pub(super) receipts: BTreeMap<([u8; 32], u32), Receipt>,
    pub(super) order: Vec<([u8; 32], u32)>,
    /// That of the entry applied last: it travels in the next message.
    pub(super) last_receipt: Vec<u8>,
    /// A message came that can't be of this group's history: since when.
    pub(super) refused: Option<u64>,
    pub(super) proof: Option<(Receipt, Receipt)>,
    /// At the founder: who wants to come to the next group.
    pub(super) moving: BTreeMap<usize, Vec<u8>>,
    /// The key package that this client has asked with.
    pub(super) package: Option<Vec<u8>>,
    /// Welcomes given out to the present group, in case one is lost on the way, and for which key
    /// package each was.
    pub(super) welcomes: BTreeMap<usize, (Vec<u8>, Vec<u8>)>,
    /// Counted from 0: a device that was lost, or added again, counts its messages anew.
    pub(super) life: u32,
    /// Messages sent in each life, in each generation; the last is the present.
    pub(super) sent: Vec<Sent>,
}

/// How many messages a client sent in one life in one generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) life: u32,
    pub(super) generation: u32,
    pub(super) count: u64,
}

/// A commit of this client that is on its way through a slot.
#[derive(Clone)]
pub(super) struct Staged {
    pub(super) epoch: u64,
    /// Empty: to be sealed for the next slot of the epoch.
    pub(super) cells: Vec<Vec<u8>>,
    pub(super) adding: Vec<(usize, Vec<u8>)>,
    /// For those: sent only once the commit has won.
    pub(super) welcome: Vec<u8>,
}

/// Where a client is in the slot protocol; forgotten in a crash.
pub(super) enum Doing {
    Idle,
    Read,
    Apply([u8; 32], Vec<Shown>),
    Stage,
    Append,
}

/// What a client did, for the books; told only once it is committed.
#[derive(Debug)]
pub(super) enum Told {
    Staged {
        slot: [u8; 32],
    },
    Entered {
        group: Vec<u8>,
        epoch: u64,
        authenticator: Vec<u8>,
    },
    Lost,
    Redone,
    Void,
    Refused,
    Sent {
        id: u64,
        at: Sent,
        epoch: u64,
        to: Vec<usize>,
    },
    Delivered {
        id: u64,
    },
    /// Message `by` showed that these counters of its sender have not come (yet).
    Missing {
        by: u64,
        generation: u32,
        counters: std::ops::Range<u64>,
    },
    /// Message `by` says how much its sender sent in the groups before.
    Closed {
        by: u64,
        before: Vec<Sent>,
    },
    Unreadable,
    Frozen {
        generation: u32,
    },
    Asked,
    AddedAgain {
        epoch: u64,
    },
    Founded,
}

/// One person's client.
pub(super) struct Client {
    pub(super) person: usize,
    pub(super) disk: MemoryStore,
    pub(super) rows: Rows,
    pub(super) group: Option<Group>,
    pub(super) doing: Doing,
    /// Down after a crash until then.
    pub(super) down_until: u64,
    /// A step is on its way already.
    pub(super) stepping: bool,
    pub(super) told: Vec<Told>,
}

impl Client {
    pub(super) fn new(person: usize) -> Self {
        Self {
            person,
            disk: MemoryStore::new(),
            rows: Rows::default(),
            group: None,
            doing: Doing::Idle,
            down_until: 0,
            stepping: false,
            told: Vec::new(),
        }
    }

    pub(super) fn me<'a>(&self, world: &'a World) -> &'a Identity {
        &world.people[self.person]
    }

    /// Whether it may speak and commit.
    pub(super) fn in_group(&self) -> bool {
        self.rows.proof.is_none() && self.group.as_ref().is_some_and(Group::is_active)
    }

    /// One transaction: all of it, or nothing and the group as it was. `cut`: the power goes just
    /// before the commit.
    pub(super) fn transact<T>(
        &mut self,
        world: &World,
        now: i64,
        cut: bool,
        work: impl FnOnce(&mut Self) -> Result<T, GroupError>,
    ) -> Result<T, Failed> {
        let (disk, rows, told) = (self.disk.savepoint(), self.rows.clone(), self.told.len());
        let done = work(self);
        let failed = match done {
            Ok(done) if !cut => return Ok(done),
            Ok(_) => Failed::Cut,
            Err(GroupError::Rejected(rejection)) => Failed::Rejected(rejection.check),
            Err(GroupError::NoKeyPackage) => Failed::NoKeyPackage,
            Err(other) => panic!("person {}: {other}", self.person),
        };
        self.disk.rollback(&disk);
        self.rows = rows;
        self.told.truncate(told);
        self.reload(world, now);
        Err(failed)
    }

    /// The power goes: what is not on the disk is forgotten.
    pub(super) fn crash(&mut self, world: &World, now: i64) {
        self.doing = Doing::Idle;
        self.reload(world, now);
    }

    /// The device is lost with everything on it; the person restores the same papers on a new one.
    pub(super) fn lose_everything(&mut self) {
        let rows = Rows { life: self.rows.life + 1, ..Rows::default() };
        *self = Self { stepping: self.stepping, rows, ..Self::new(self.person) };
    }

    pub(super) fn reload(&mut self, world: &World, now: i64) {
        let env = Env { suite: &world.suite, store: &self.disk, now };
        self.group = (!self.rows.group.is_empty())
            .then(|| Group::load(&env, &self.rows.group).expect("a sound store").expect("a group"));
    }

    /// Tells the books which epoch this is.
    pub(super) fn tell_epoch(&mut self) {
        let Some(group) = self.group.as_ref().filter(|group| group.is_active()) else { return };
        self.told.push(Told::Entered {
            group: group.id().to_vec(),
            epoch: group.epoch(),
            authenticator: group.epoch_authenticator(),
        });
    }

    /// Puts a letter for every other person into the outbox.
    pub(super) fn for_all(&mut self, world: &World, letter: &Letter) {
        let others = (0..world.people.len()).filter(|person| *person != self.person);
        self.rows.outbox.extend(others.map(|person| (person, letter.clone())));
    }
}

/// Why a transaction did not happen.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failed {
    Cut,
    Rejected(Check),
    NoKeyPackage,
}
