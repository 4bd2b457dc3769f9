//! End-to-end layer of budstikke: MLS policy over OpenMLS, certificates, invitations, first contact,
//! slots, safety words.
//!
//! Pure: no I/O, no clock of its own (`now`, in unix seconds, is an argument), randomness from the
//! caller where the library allows it (see [`suite`]). One exception is documented and harmless: OpenMLS
//! compares a key package's lifetime with the system's clock when it parses it; this crate then checks
//! the same lifetime against the caller's `now`.
//!
//! All state goes through [`store::StateStore`], inside the caller's transaction. No OpenMLS or dalek
//! type crosses the public boundary.
//!
//! Each rule that an incoming MLS object must pass has a number, [`checks::Check`]; the number stands
//! in the code, in the test and in SPEC.md.

pub mod armor;
pub mod bundle;
pub mod cert;
pub mod checks;
pub mod contact;
pub mod envelope;
pub mod group;
pub mod invite;
pub mod keys;
pub mod note;
pub mod safety;
mod signed;
pub mod slot;
pub mod store;
pub mod suite;
pub mod team;
pub mod testing;

pub use suite::{Env, Suite};

#[cfg(test)]
#[allow(unused_extern_crates)] // names this crate for the module that unit and integration tests share
extern crate self as budstikke_e2ee;

/// The generated protobuf types. Never public: what callers see is parsed and checked.
#[allow(clippy::pedantic, missing_docs, unreachable_pub)]
mod pb {
    include!(concat!(env!("OUT_DIR"), "/budstikke.e2ee.v1.rs"));
}
