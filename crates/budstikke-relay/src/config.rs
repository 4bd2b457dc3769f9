//! What an operator sets. The fields are the keys of the TOML file, the environment (`BUDSTIKKE_RELAY_DATA_DIR`)
//! and the flags (`--data-dir`), in rising order of authority.

use std::net::SocketAddr;
use std::path::PathBuf;

use budstikke_proto::descriptor::MailboxPrice;
use budstikke_proto::limits::{MAX_QUOTA, MAX_TTL_DAYS};
use serde::{Deserialize, Serialize};

use crate::admission::door::DoorLimits;
use crate::admission::work::{Efforts, PriceLimits};
use crate::keys::KeySource;

/// A relay's configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// UDP address to listen on. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// `host:port` that clients reach this relay under, printed in its address. Default: the listening address.
    pub advertise: Option<String>,
    /// The folder for everything durable.
    pub data_dir: PathBuf,
    /// Where the store key comes from; never from inside `data_dir` or next to it.
    pub store_key: Option<KeySource>,
    /// `fjall` (durable) or `memory` (forgets everything; for tests and benchmarks).
    pub engine: Engine,
    /// Application protocols to accept in the TLS handshake.
    pub alpn: Vec<String>,
    /// Longest life of a mailbox and of a cell, in days, 1 to 90.
    pub max_ttl_days: u32,
    /// Most cells waiting under one grant, 1 to 4,096.
    pub max_quota: u32,
    /// Most MiB of all blobs together; 0 takes none.
    pub max_blob_mib: u32,
    /// What a new mailbox and each blob cost: `open` (nothing; loopback only), `work`, `tokens`, or `either` of the two.
    pub admission: Admission,
    /// Public halves of the keys whose tokens are taken, this time's and the next's: files of
    /// `budstikke-relay tokens keygen`.
    pub token_keys: Vec<PathBuf>,
    /// Proof-of-work effort for a new mailbox, slot, notice or blob. 0 asks for none and is for loopback only.
    pub work_effort: u32,
    /// Proof-of-work effort for each cell at a front door, at least 1.
    pub front_door_effort: u32,
    /// What `work_effort` may rise to under load; if lower, it stays.
    pub work_effort_max: u32,
    /// What `front_door_effort` may rise to under load; if lower, it stays.
    pub front_door_effort_max: u32,
    /// Paid mailboxes, slots and notices in a minute above which their effort rises.
    pub creations_per_minute: u32,
    /// Cells at front doors in a minute above which their effort rises.
    pub front_door_per_minute: u32,
    /// Connections at once.
    pub max_connections: u32,
    /// Connections of one network (IPv4 /24, IPv6 /48) at once. 0 for any number.
    pub connections_per_prefix: u32,
    /// Handshakes under way at once; more newcomers wait.
    pub max_handshakes: u32,
    /// Handshakes that one network may begin in a minute. 0 for any number.
    pub handshakes_per_prefix: u32,
    /// Handshakes under way from which on a newcomer first proves its address, which costs it a round trip. With 0
    /// everybody does.
    pub retry_above: u32,
    /// Seconds without a packet after which a connection is dropped, 5 to 600. A frame may take as long from its first
    /// byte, the next one of a request as long to come, an answer to be taken; whoever proves no capability is let go
    /// after five times that.
    pub idle_timeout_s: u32,
    /// Seconds that a shutdown waits for work under way.
    pub shutdown_timeout_s: u32,
    /// Loopback address for `/livez`, `/readyz` and `/metrics`. Default: none.
    pub admin_listen: Option<SocketAddr>,
    /// `error`, `warn`, `info`, `debug`, `trace` or `off`.
    pub log_level: String,
}

/// A storage engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Engine {
    /// Durable.
    Fjall,
    /// In memory.
    Memory,
}

/// What a new mailbox and each blob cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Admission {
    /// Nothing, and nothing else does.
    Open,
    /// Work.
    Work,
    /// A blind token.
    Tokens,
    /// Work or a token.
    Either,
}

impl Admission {
    pub(crate) const fn price(self) -> MailboxPrice {
        match self {
            Self::Open | Self::Work => MailboxPrice::Work,
            Self::Tokens => MailboxPrice::Token,
            Self::Either => MailboxPrice::Either,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 0], 4433)),
            advertise: None,
            data_dir: PathBuf::new(),
            store_key: None,
            engine: Engine::Fjall,
            alpn: vec!["h3".into()],
            max_ttl_days: MAX_TTL_DAYS,
            max_quota: MAX_QUOTA,
            max_blob_mib: 4_096,
            admission: Admission::Work,
            token_keys: Vec::new(),
            work_effort: 100,
            front_door_effort: 200,
            work_effort_max: 2_000,
            front_door_effort_max: 4_000,
            creations_per_minute: 600,
            front_door_per_minute: 600,
            max_connections: 10_000,
            connections_per_prefix: 2_500,
            max_handshakes: 1_024,
            handshakes_per_prefix: 1_200,
            retry_above: 0,
            idle_timeout_s: 120,
            shutdown_timeout_s: 10,
            admin_listen: None,
            log_level: "info".into(),
        }
    }
}

/// A setting that cannot be followed. One sentence for the operator.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A number out of its bounds.
    #[error("{name} must be {bounds}")]
    Bounds {
        /// The setting.
        name: &'static str,
        /// What it may be.
        bounds: &'static str,
    },
    /// Strangers could fill the relay for nothing.
    #[error(
        "admission = open, or work_effort = 0, lets anybody fill this relay: it is for loopback addresses only"
    )]
    FreeForAll,
    /// Numbers for the operator would be for everybody.
    #[error("admin_listen must be a loopback address")]
    AdminNotLoopback,
    /// No path.
    #[error("{0} is not set")]
    Missing(&'static str),
    /// No source of the store key.
    #[error(
        "store_key must be file:PATH, passphrase:PATH, credential:NAME or environment:VARIABLE"
    )]
    StoreKey,
    /// Not `host:port`.
    #[error("advertise must be host:port")]
    Advertise,
}

impl Config {
    /// Checks everything that can be checked without touching the system.
    ///
    /// # Errors
    /// [`ConfigError`] names the first setting that cannot be followed.
    pub fn check(&self) -> Result<(), ConfigError> {
        let within = |name, bounds, ok: bool| {
            if ok { Ok(()) } else { Err(ConfigError::Bounds { name, bounds }) }
        };
        within("max_ttl_days", "1 to 90", (1..=MAX_TTL_DAYS).contains(&self.max_ttl_days))?;
        within("max_quota", "1 to 4096", (1..=MAX_QUOTA).contains(&self.max_quota))?;
        within("front_door_effort", "at least 1", self.front_door_effort > 0)?;
        within("creations_per_minute", "at least 1", self.creations_per_minute > 0)?;
        within("front_door_per_minute", "at least 1", self.front_door_per_minute > 0)?;
        within("max_connections", "at least 1", self.max_connections > 0)?;
        within("max_handshakes", "1 to 65536", (1..=65_536).contains(&self.max_handshakes))?;
        let retry_above = "less than max_handshakes";
        within("retry_above", retry_above, self.retry_above < self.max_handshakes)?;
        within("idle_timeout_s", "5 to 600", (5..=600).contains(&self.idle_timeout_s))?;
        let names =
            !self.alpn.is_empty() && self.alpn.iter().all(|name| (1..=255).contains(&name.len()));
        within("alpn", "one or more names of 1 to 255 bytes", names)?;
        let levels = ["off", "error", "warn", "info", "debug", "trace"];
        let level = levels.contains(&self.log_level.as_str());
        within("log_level", "off, error, warn, info, debug or trace", level)?;
        if self.effort() == 0 && !self.listen.ip().is_loopback() {
            return Err(ConfigError::FreeForAll);
        }
        let tokens = matches!(self.admission, Admission::Tokens | Admission::Either);
        if tokens && self.token_keys.is_empty() {
            return Err(ConfigError::Missing("token_keys"));
        }
        if self.admin_listen.is_some_and(|admin| !admin.ip().is_loopback()) {
            return Err(ConfigError::AdminNotLoopback);
        }
        if self.engine == Engine::Fjall || !self.data_dir.as_os_str().is_empty() {
            if self.data_dir.as_os_str().is_empty() {
                return Err(ConfigError::Missing("data_dir"));
            }
            if self.store_key.is_none() {
                return Err(ConfigError::Missing("store_key"));
            }
        }
        Ok(())
    }

    /// The effort that a quiet relay asks for a creation; 0 asks none.
    pub(crate) const fn effort(&self) -> u32 {
        match self.admission {
            Admission::Open => 0,
            _ => self.work_effort,
        }
    }

    pub(crate) const fn prices(&self) -> PriceLimits {
        PriceLimits {
            least: Efforts { create: self.effort(), front_door: self.front_door_effort },
            most: Efforts { create: self.work_effort_max, front_door: self.front_door_effort_max },
            creations_per_minute: self.creations_per_minute,
            front_door_per_minute: self.front_door_per_minute,
        }
    }

    pub(crate) const fn door(&self) -> DoorLimits {
        DoorLimits {
            retry_above: self.retry_above,
            handshakes: self.max_handshakes,
            connections: self.max_connections,
            handshakes_per_prefix: self.handshakes_per_prefix,
            connections_per_prefix: self.connections_per_prefix,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback() -> Config {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data_dir: "data".into(),
            store_key: "file:keys/store.key".parse().ok(),
            ..Config::default()
        }
    }

    #[test]
    fn what_cannot_be_followed_is_named() {
        assert_eq!(loopback().check(), Ok(()));
        assert_eq!(Config { work_effort: 0, ..loopback() }.check(), Ok(()));
        let open = Config { work_effort: 0, listen: Config::default().listen, ..loopback() };
        assert_eq!(open.check(), Err(ConfigError::FreeForAll));
        let open = Config { admission: Admission::Open, ..loopback() };
        assert_eq!((open.check(), open.effort()), (Ok(()), 0));
        let everywhere = Config { listen: Config::default().listen, ..open };
        assert_eq!(everywhere.check(), Err(ConfigError::FreeForAll));
        let tokens = Config { admission: Admission::Tokens, ..loopback() };
        assert_eq!(tokens.check(), Err(ConfigError::Missing("token_keys")));
        // Slots, notices and blobs would be free.
        let rest = Config { work_effort: 0, listen: Config::default().listen, ..tokens };
        assert_eq!(rest.check(), Err(ConfigError::FreeForAll));
        let admin = Config { admin_listen: Some(Config::default().listen), ..loopback() };
        assert_eq!(admin.check(), Err(ConfigError::AdminNotLoopback));
        assert_eq!(Config::default().check(), Err(ConfigError::Missing("data_dir")));
        let keyless = Config { store_key: None, ..loopback() };
        assert_eq!(keyless.check(), Err(ConfigError::Missing("store_key")));
        let long = Config { max_ttl_days: 91, ..loopback() };
        let error = long.check().unwrap_err();
        assert_eq!(error.to_string(), "max_ttl_days must be 1 to 90");
    }
}
