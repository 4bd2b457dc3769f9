//! The relay: stores and forwards sealed cells, and has no code to open one.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use budstikke_relay::{Relay, testing};
//!
//! let folder = std::path::Path::new("/tmp/relay");
//! let relay = Relay::spawn(testing::config(folder)).await?;
//! let address = relay.address().to_text();
//! relay.shutdown().await;
//! # Ok(()) }
//! ```

mod admin;
mod admission;
mod config;
mod inspect;
mod keys;
mod log;
pub mod program;
mod server;
mod session;
pub mod store;
pub mod testing;

pub use config::{Admission, Config, ConfigError, Engine};
pub use keys::{KeyError, KeySource};
pub use server::{Clock, Relay, SpawnError};
