//! A small world: a root, an issuer, a mission with devices, a defender; each with a store of its
//! own.
#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used, clippy::panic)] // tests

use budstikke_e2ee::{
    Env, Suite,
    cert::{
        Chain, DeviceRequest, IssuerRequest, Role, UnitKind, UnitRequest, issue_device,
        issue_issuer, issue_unit,
    },
    group::{Assignment, Charter, Expect, Group, GroupKind, Identity, Inbound, KeyPackage},
    keys::{Fingerprint, SigningKey},
    testing::MemoryStore,
};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::cell::RefCell;

pub const UNIT: &str = "no.emb.karvonia";

/// OpenMLS compares lifetimes with the system's clock, so tests live in the present.
pub fn present() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(now.as_secs()).unwrap()
}

pub struct World {
    pub rng: RefCell<ChaCha20Rng>,
    pub suite: Suite,
    pub now: i64,
    pub root: SigningKey,
    pub issuer: (SigningKey, Chain),
    pub unit: (SigningKey, Chain),
    pub notice: SigningKey,
}

pub struct Device {
    pub me: Identity,
    pub store: MemoryStore,
    pub chain: Option<Chain>,
}

impl World {
    pub fn new() -> Self {
        Self::seeded(7)
    }

    pub fn seeded(seed: u64) -> Self {
        let now = present();
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        let suite = Suite::new(&mut rng);
        let root = SigningKey::generate(&mut rng);
        let issuer = SigningKey::generate(&mut rng);
        let request = IssuerRequest::make(&issuer, "Ministry issuer", now).unwrap();
        let issuer_chain = issue_issuer(&root, &IssuerRequest::from_bytes(&request).unwrap(), now);
        let notice = SigningKey::generate(&mut rng);
        let mut world = Self {
            unit: (SigningKey::generate(&mut rng), issuer_chain.clone()),
            rng: RefCell::new(rng),
            suite,
            now,
            root,
            issuer: (issuer, issuer_chain),
            notice,
        };
        world.unit.1 = world.certify_unit(&world.unit.0, UNIT, UnitKind::BilateralMission);
        world
    }

    pub fn key(&self) -> SigningKey {
        SigningKey::generate(&mut *self.rng.borrow_mut())
    }

    pub fn fingerprint(&self) -> Fingerprint {
        self.root.public().fingerprint()
    }

    pub fn certify_unit(&self, key: &SigningKey, id: &str, kind: UnitKind) -> Chain {
        let request = UnitRequest::make(
            key,
            "Embassy in Karvonia",
            id,
            kind,
            &self.notice.public(),
            self.now,
        )
        .unwrap();
        let request = UnitRequest::from_bytes(&request).unwrap();
        issue_unit(&self.issuer.0, &self.issuer.1, &request, self.now).unwrap()
    }

    pub fn device(&self, label: &str, roles: &[Role]) -> Device {
        self.device_of(&self.unit, label, roles)
    }

    pub fn device_of(&self, unit: &(SigningKey, Chain), label: &str, roles: &[Role]) -> Device {
        let key = self.key();
        let request = DeviceRequest::make(&key, label, roles, self.now).unwrap();
        let request = DeviceRequest::from_bytes(&request).unwrap();
        let chain = issue_device(&unit.0, &unit.1, &request, roles, self.now).unwrap();
        Device {
            me: Identity::staff(key, chain.clone()),
            store: MemoryStore::new(),
            chain: Some(chain),
        }
    }

    pub fn officer(&self, label: &str) -> Device {
        self.device(label, &[Role::Staff])
    }

    pub fn admin(&self) -> Device {
        self.device("Head of mission", &[Role::HeadOfMission, Role::Admin])
    }

    pub fn charter(&self, kind: GroupKind) -> Charter {
        Charter {
            kind,
            root: self.fingerprint(),
            units: vec![UNIT.to_owned()],
            case_id: b"case-1".to_vec(),
            terms: (kind == GroupKind::Case).then_some([9; 32]),
        }
    }

    pub fn case(&self) -> Charter {
        self.charter(GroupKind::Case)
    }

    pub fn expect(&self) -> Expect {
        Expect {
            kind: GroupKind::Case,
            root: self.fingerprint(),
            unit: UNIT.to_owned(),
            case_id: None,
            terms: Some([9; 32]),
            replace: false,
        }
    }

    pub fn assign(&self, admin: &Device, to: &Device) -> Assignment {
        let chain = admin.chain.as_ref().unwrap();
        let expires = self.now + 3_600;
        Assignment::issue(admin.me.signing_key(), chain, b"case-1", &to.me.key(), expires, self.now)
            .unwrap()
    }

    /// A case group of an officer and a defender.
    pub fn pair(&self, officer: &Device, defender: &Device) -> (Group, Group) {
        let env = officer.env(self);
        let mut case = Group::create(&env, &officer.me, &self.case()).unwrap();
        let package = defender.package(self);
        let pending = case.add(&env, &officer.me, &[package], &[]).unwrap();
        case.merge_pending(&env).unwrap();
        let welcome = pending.welcome.unwrap();
        let theirs =
            Group::join(&defender.env(self), &defender.me, &welcome, &self.expect()).unwrap();
        (case, theirs)
    }
}

impl Device {
    pub fn defender(world: &World, pseudonym: &str) -> Self {
        let me = Identity::defender(world.key(), pseudonym).unwrap();
        Self { me, store: MemoryStore::new(), chain: None }
    }

    pub fn env<'a>(&'a self, world: &'a World) -> Env<'a> {
        self.env_at(world, world.now)
    }

    pub fn env_at<'a>(&'a self, world: &'a World, now: i64) -> Env<'a> {
        Env { suite: &world.suite, store: &self.store, now }
    }

    pub fn package(&self, world: &World) -> KeyPackage {
        let package = KeyPackage::create(&self.env(world), &self.me).unwrap();
        KeyPackage::parse(&self.env(world), package.bytes()).unwrap()
    }

    /// Processes a commit that must pass, and merges it.
    pub fn follow(&self, world: &World, group: &mut Group, commit: &[u8]) {
        let env = self.env(world);
        match group.process(&env, commit, None).unwrap() {
            Inbound::Commit(staged) => group.merge_staged(&env, *staged).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}
