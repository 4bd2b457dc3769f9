//! Who gets in: newcomers before their handshake ([`door`], [`prefix`]), strangers for a price ([`work`]). Cores without
//! network and clock.

pub(crate) mod door;
mod prefix;
pub(crate) mod work;
