//! Who gets in: newcomers before their handshake ([`door`], [`prefix`]), strangers for a price ([`work`], [`tokens`]). Cores without
//! network and clock.

pub(crate) mod door;
mod prefix;
pub(crate) mod tokens;
pub(crate) mod work;
