//! The case vocabulary through its public API, with the files of `tests/data`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod action;
mod alert;
mod common;
mod consent;
mod data_files;
mod guard;
mod handover;
mod line;
mod merge;
mod onward_kinds;
mod projection;
mod received;
mod refusals;
mod sizes;
mod terms_machine;
mod views;
