//! When an officer is gone and has handed nothing over (SPEC.md section 11.5).
//!
//! Every mission device leaves in reserve, sealed and with its team, what a successor needs of each case ([`keep`]).
//! The key to it lies with three holders in the Ministry, any two of whom open it for a head of mission ([`holder`]),
//! who then asks the person concerned to be let in ([`open`], [`let_in`]). What people wrote to each other nobody reads
//! before that person has said yes, and nothing of before.

mod holder;
mod keep;
mod let_in;
mod open;

pub use holder::{HolderCard, ReserveRequest};
pub use let_in::LetIn;
pub use open::{OpenedReserve, TakenOver};

pub(crate) use holder::{HOLDER_CARD, holder_of};
pub(crate) use keep::{heard_key, heard_part, keep};
pub(crate) use open::{assigned, assignment, heard_opened, look};
