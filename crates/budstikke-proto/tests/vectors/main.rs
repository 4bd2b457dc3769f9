//! Golden bytes (`proto/vectors/`): what another implementation must produce and accept.
//!
//! `write` makes the files from this crate; it runs only under `BUDSTIKKE_WRITE_VECTORS=1`. `read` takes nothing
//! from `write`: it loads the files and checks them against this crate in both directions, and against `raw`, a
//! second implementation that follows SPEC.md with the bare primitives.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that meets a bad file should stop there"
)]

mod files;
mod raw;
mod read;
mod write;
