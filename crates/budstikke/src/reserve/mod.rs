//! When an officer is gone and has handed nothing over (SPEC.md section 11.5).
//!
//! Every mission device leaves in reserve, sealed and with its team, what a successor needs of each case ([`keep`]).
//! The key to it lies with three holders in the Ministry ([`holder`]), any two of whom open it for a head of mission
//! ([`open`], [`take`]), and that is written down ([`log`]). The head then asks the person concerned to be let in
//! ([`come_in`], [`let_in`]). What people wrote to each other nobody reads before that person has said yes, and nothing
//! of before.

mod come_in;
mod holder;
mod keep;
mod let_in;
mod log;
mod open;
mod take;

pub use holder::{HolderCard, ReserveRequest};
pub use let_in::LetIn;
pub use log::OpenedReserve;
pub use open::TakenOver;

pub(crate) use come_in::{assigned, assignment, look};
pub(crate) use holder::{HOLDER_CARD, holder_of};
pub(crate) use keep::{heard_key, heard_part, keep};
pub(crate) use log::heard_opened;
