//! For tests and the demonstration: a relay on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use crate::config::{Config, Engine};

/// A durable relay in `folder`, on a free loopback port, with little work asked. The store key lies beside the data
/// folder, inside `folder`.
pub fn config(folder: &Path) -> Config {
    Config {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        data_dir: folder.join("data"),
        store_key_file: folder.join("store.key"),
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
    let (data_dir, store_key_file) = Default::default();
    Config { data_dir, store_key_file, engine, ..config(Path::new("")) }
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
