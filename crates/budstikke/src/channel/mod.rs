//! Case channels and the team: MLS groups on this device, and the way of a message through them.

pub(crate) mod commit;
pub(crate) mod content;
pub(crate) mod inbound;
pub(crate) mod seat;
pub(crate) mod send;
pub(crate) mod verify;
