//! What the end-to-end tests share.

pub mod desk;
pub mod peek;
pub mod proxy;
pub mod raw;
pub mod relay_process;
pub mod scan;
pub mod watched;
pub mod world;
