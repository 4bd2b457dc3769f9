//! What the end-to-end tests share.

pub mod raw;
pub mod relay_process;
pub mod world;
