//! x
pub mod clock;
pub mod relay;
pub mod transport;
pub mod vault;
