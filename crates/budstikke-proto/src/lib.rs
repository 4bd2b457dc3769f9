//! The wire contract of the budstikke relay, pure: no I/O, no clock, no randomness of its own.
//!
//! `proto/SPEC.md` is the normative text; each module names its section. What is here is shared by the relay and
//! the client and is pinned by the golden bytes in `proto/vectors/`.
//!
//! ```text
//! envelope → fragments → sealed cells → data frames → the relay → data frames → cells → envelope
//! ```

pub mod address;
pub mod armor;
pub mod auth;
pub mod blob;
pub mod cell;
pub mod descriptor;
pub mod frame;
pub mod held;
pub mod id;
pub mod limits;
pub mod notice;
pub mod op;
pub mod proof;
pub mod sign;
pub mod slot;
pub mod token;
pub mod work;

/// The schema as `prost` compiles it. Use [`op`] instead: it checks lengths once and returns typed values.
pub mod wire {
    #![allow(missing_docs, unreachable_pub, clippy::pedantic)]
    include!(concat!(env!("OUT_DIR"), "/budstikke.relay.v1.rs"));
}
