//! What the end-to-end tests share.
#![allow(clippy::expect_used, clippy::panic, reason = "a test fails loudly")]

pub mod case_work;
pub mod crowd;
pub mod desk;
pub mod faults;
pub mod honest;
pub mod load;
pub mod peek;
pub mod power;
pub mod proxy;
pub mod raw;
pub mod relay_process;
pub mod scan;
pub mod simulation;
pub mod two_faced;
pub mod watched;
pub mod world;
