//! For tests and the demonstration: a relay on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use crate::config::{Config, Engine};
use crate::keys::KeySource;

/// A durable relay in `folder`, on a free loopback port, with little work asked. Its data lies in `data`, its store key
/// in `keys`.
pub fn config(folder: &Path) -> Config {
    Config {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        data_dir: folder.join("data"),
        store_key: Some(KeySource::File(folder.join("keys/store.key"))),
        work_effort: 0,
        front_door_effort: 1,
        front_door_effort_max: 1,
        // A test is one network.
        connections_per_prefix: 0,
        handshakes_per_prefix: 0,
        ..Config::default()
    }
}

/// A relay that forgets everything when it stops.
pub fn memory_config() -> Config {
    let engine = Engine::Memory;
    let (data_dir, store_key) = Default::default();
    Config { data_dir, store_key, engine, ..config(Path::new("")) }
}

/// Runs any bytes as frames, outcomes and times against a session; for the fuzzer.
///
/// # Panics
/// When the session breaks a rule.
#[cfg(feature = "fuzzing")]
pub fn hammer_session(input: &[u8]) {
    crate::session::hammer(input);
}

/// Makes every relay of this process answer an unknown id at once, without the work and the tick that hide it, or
/// mends that again.
#[cfg(feature = "planted-leak")]
pub fn plant_early_return(planted: bool) {
    PLANTED.store(planted, std::sync::atomic::Ordering::SeqCst);
}

#[cfg(feature = "planted-leak")]
pub(crate) static PLANTED: std::sync::atomic::AtomicBool =
    std::sync::atomic::AtomicBool::new(false);

/// Makes every relay of this process acknowledge what is not on the disk yet, or mends that again.
#[cfg(feature = "planted-no-sync")]
pub fn plant_no_sync(planted: bool) {
    NO_SYNC.store(planted, std::sync::atomic::Ordering::SeqCst);
}

#[cfg(feature = "planted-no-sync")]
pub(crate) static NO_SYNC: std::sync::atomic::AtomicBool =
    std::sync::atomic::AtomicBool::new(false);
