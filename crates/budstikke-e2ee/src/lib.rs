//! End-to-end layer of budstikke: MLS policy over OpenMLS, certificates, invitations, first
//! contact, slots, safety words.
//!
//! Pure: no I/O, no clock of its own (`now`, in unix seconds, is an argument), randomness from the
//! caller where the library allows it (see [`suite`]). One exception is documented and harmless:
//! OpenMLS compares a key package's lifetime with the system's clock when it parses it; this crate
//! then checks the same lifetime against the caller's `now`.
//!
//! All state goes through [`store::StateStore`], inside the caller's transaction. No OpenMLS or
//! dalek type crosses the public boundary.
//!
//! Each rule that an incoming MLS object must pass has a number, [`checks::Check`]; the number
//! stands in the code, in the test and in SPEC.md.
//!
//! # A case, from nothing to the first answer
//!
//! ```
//! use budstikke_e2ee::{Env, Suite, cert::*, group::*, keys::SigningKey, testing::MemoryStore};
//! use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = i64::try_from(std::time::SystemTime::now()
//! #     .duration_since(std::time::UNIX_EPOCH)?.as_secs())?;
//! let mut rng = ChaCha20Rng::from_seed([1; 32]); // a test's; take the system's
//! let suite = Suite::new(&mut rng);
//! let mut key = || SigningKey::generate(&mut rng);
//!
//! // Ministry root → issuer → unit → device, each from a request that proves possession of its
//! // key.
//! let (root, issuer, unit, notice, device) = (key(), key(), key(), key(), key());
//! let request = IssuerRequest::make(&issuer, "Ministry issuer", now)?;
//! let issuers = issue_issuer(&root, &IssuerRequest::from_bytes(&request)?, now);
//! let (id, kind) = ("no.emb.karvonia", UnitKind::BilateralMission);
//! let request = UnitRequest::make(&unit, "Embassy in Karvonia", id, kind, &notice.public(), now)?;
//! let units = issue_unit(&issuer, &issuers, &UnitRequest::from_bytes(&request)?, now)?;
//! let request = DeviceRequest::make(&device, "Officer A", &[Role::Staff], now)?;
//! let request = DeviceRequest::from_bytes(&request)?;
//! let chain = issue_device(&unit, &units, &request, &[Role::Staff], now)?;
//!
//! // Two devices, each with its own store; a real one lives inside the vault's transaction.
//! let (mission, field) = (MemoryStore::new(), MemoryStore::new());
//! let here = Env { suite: &suite, store: &mission, now };
//! let there = Env { suite: &suite, store: &field, now };
//! let officer = Identity::staff(device, chain);
//! let heron = Identity::defender(key(), "HERON")?;
//!
//! // The defender's key package came with the first contact.
//! let package = KeyPackage::create(&there, &heron)?;
//! let charter = Charter {
//!     kind: GroupKind::Case,
//!     root: root.public().fingerprint(),
//!     units: vec![id.to_owned()],
//!     case_id: b"random 16 bytes.".to_vec(),
//!     terms: Some([7; 32]),
//! };
//! let mut case = Group::create(&here, &officer, &charter)?;
//! let package = KeyPackage::parse(&here, package.bytes())?;
//! let founding = case.add(&here, &officer, &[package], &[])?;
//! case.merge_pending(&here)?; // the founding needs no slot
//!
//! let expect = Expect {
//!     kind: GroupKind::Case,
//!     root: charter.root,
//!     unit: id.to_owned(),
//!     case_id: None,
//!     terms: charter.terms,
//!     replace: false,
//! };
//! let welcome = founding.welcome.ok_or("no Welcome")?;
//! let mut channel = Group::join(&there, &heron, &welcome, &expect)?;
//!
//! let sent = channel.encrypt(&there, &heron, b"content", None)?;
//! let Inbound::Application(got) = case.process(&here, &sent, None)? else { panic!() };
//! assert_eq!(got.content.as_slice(), b"content");
//!
//! // Both commit in the same epoch. The slot `case.slot_keys(&here, 0)?.id()` had the mission's
//! // first.
//! let winner = case.update(&here, &officer)?;
//! let _loser = channel.update(&there, &heron)?;
//! case.merge_pending(&here)?;
//! let Inbound::Commit(staged) = channel.process(&there, &winner.commit, None)? else { panic!() };
//! channel.merge_staged(&there, *staged)?; // drops the loser
//! let redone = channel.update(&there, &heron)?;
//! channel.merge_pending(&there)?;
//! let Inbound::Commit(staged) = case.process(&here, &redone.commit, None)? else { panic!() };
//! case.merge_staged(&here, *staged)?;
//! assert_eq!(case.epoch_authenticator(), channel.epoch_authenticator());
//! # Ok(())
//! # }
//! ```

pub mod bundle;
pub mod cert;
pub mod checks;
pub mod contact;
pub mod directory;
pub mod envelope;
pub mod group;
pub mod held;
pub mod invite;
pub mod join;
pub mod keys;
pub mod note;
pub mod reserve;
pub mod routes;
pub mod safety;
mod signed;
pub mod slot;
pub mod store;
pub mod suite;
pub mod team;
pub mod testing;

pub use budstikke_proto::armor;
pub use suite::{Env, Suite};

#[cfg(test)]
#[allow(unused_extern_crates)]
// names this crate for the module that unit and integration tests share
extern crate self as budstikke_e2ee;

/// The generated protobuf types. Never public: what callers see is parsed and checked.
#[allow(clippy::pedantic, missing_docs, unreachable_pub)]
mod pb {
    include!(concat!(env!("OUT_DIR"), "/budstikke.e2ee.v1.rs"));
}
