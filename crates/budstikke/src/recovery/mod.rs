//! What goes wrong with a case and how it comes right: receipts compared, a relay convicted, a fork frozen, a lost state
//! brought back, missing messages named, and a doctor who says all of it (SPEC.md sections 10.8, 10.9 and 10.12).

pub(crate) mod again;
mod anew;
mod doctor;
pub(crate) mod freeze;
pub(crate) mod receipts;
pub(crate) mod transcript;

pub use anew::Recovered;
pub use doctor::{Diagnosis, ProofCard, Trouble, check_proof};
pub use freeze::FreezeReason;
