//! The relay as a running thing: socket, connections, background work, shutdown. The only module that reads the clock.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::EXPORTER_LABEL;
use budstikke_proto::limits::MAX_BLOB_TTL_DAYS;
use budstikke_proto::sign::SigningSeed;
use quinn::{Connection, Endpoint, TokioRuntime, VarInt};
use rand_core::{OsRng, RngCore};
use tokio::sync::Semaphore;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admission::door::Door;
use crate::admission::tokens::{TokenFileError, TokenKeys};
use crate::admission::work::Prices;
use crate::config::{Admission, Config, ConfigError, Engine};
use crate::keys::{Identity, KeyError, RelayKeys, STORE_FOLDER};
use crate::session::{Epoch, RoomLimits, Rooms, Session, Terms};
use crate::store::{FjallStore, Limits, MemoryStore, Store, StoreError};
use crate::{admin, log};

mod accept;
mod query;
mod socket;
mod stream;
mod tls;

/// A connection keeps the epoch that it began with, which is valid for at least seven days.
const CONNECTION_LIFE: Duration = Duration::from_hours(6 * 24);
/// Looks at a connection, half the time apart that it may be silent. It ends when it had no stream at two in a row, pings
/// or not, and when it has proved no capability after so many.
const STRANGER_LOOKS: u32 = 10;
/// The time that the last answers of a connection get when the relay ends it.
const DRAIN: Duration = Duration::from_secs(5);
const SWEEP_INTERVAL: Duration = Duration::from_mins(15);
/// How often the relay looks for held cells whose time has come; they leave within a second of it.
const RELEASE_LOOK: Duration = Duration::from_millis(250);
/// What requests of several frames hold, of all clients together: 64 MiB of blobs, 60 MiB of the others.
const ROOMS: RoomLimits = RoomLimits { blobs: 64, unfinished: 1_024, payloads: 4_096 };
/// What a client may send ahead once it has proved a capability; until then, [`tls::STRANGERS_WINDOW`].
const WINDOW: VarInt = VarInt::from_u32(1 << 20);
/// Reads of one connection that hold a page in memory; the others wait for their turn.
const MAX_READS: usize = 4;
/// Application close codes.
const CODE_CLOSING: VarInt = VarInt::from_u32(1);
const CODE_FULL: VarInt = VarInt::from_u32(2);

/// Why a relay did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpawnError {
    /// A setting cannot be followed.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The keys cannot be used.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The store cannot be opened.
    #[error("cannot open the data folder: {0}")]
    Store(#[from] StoreError),
    /// The keys for tokens cannot be used.
    #[error(transparent)]
    Tokens(#[from] TokenFileError),
    /// The socket cannot be bound.
    #[error("cannot listen: {0}")]
    Listen(#[source] std::io::Error),
    /// The identity key makes no certificate.
    #[error("cannot set TLS up")]
    Tls,
}

/// A running relay. Dropping it stops everything at once; [`Relay::shutdown`] lets work under way finish.
pub struct Relay {
    shared: Arc<Shared>,
    endpoint: Endpoint,
    address: RelayAddress,
    local: SocketAddr,
    admin: Option<SocketAddr>,
    shutdown_timeout: Duration,
}

/// Tells the time in Unix seconds.
pub type Clock = Box<dyn Fn() -> i64 + Send + Sync>;

struct Shared {
    clock: Clock,
    store: Arc<dyn Store>,
    identity: Identity,
    terms: Terms,
    tokens: Arc<TokenKeys>,
    epoch: RwLock<Arc<Epoch>>,
    closing: CancellationToken,
    tasks: TaskTracker,
    door: Door,
    prices: Arc<Prices>,
    rooms: Arc<Rooms>,
    /// How long a client may be silent: without a packet, in the middle of a frame, or while its answers wait.
    patience: Duration,
    started: Instant,
}

impl Relay {
    /// Starts a relay; it serves when this returns. Needs a tokio runtime.
    ///
    /// # Errors
    /// [`SpawnError`] says what the operator must mend.
    pub async fn spawn(config: Config) -> Result<Self, SpawnError> {
        Self::spawn_at(config, Box::new(system_time)).await
    }

    /// The same by another clock than the machine's, in Unix seconds: for scenarios that last days.
    ///
    /// # Errors
    /// [`SpawnError`].
    pub async fn spawn_at(config: Config, clock: Clock) -> Result<Self, SpawnError> {
        config.check()?;
        let (identity, store) = open(&config).await?;
        let terms = Terms {
            max_ttl_days: config.max_ttl_days,
            max_quota: config.max_quota,
            work_effort: config.effort(),
            front_door_effort: config.front_door_effort,
            mailbox_price: config.admission.price(),
            max_blob_ttl_days: if config.max_blob_mib == 0 { 0 } else { MAX_BLOB_TTL_DAYS },
        };
        let tokens = Arc::new(tokens(&config, &identity, clock())?);
        let socket = socket::bind(config.listen).map_err(SpawnError::Listen)?;
        let local = socket.local_addr().map_err(SpawnError::Listen)?;
        let address = address(&config, &identity, local)?;
        let idle = Duration::from_secs(config.idle_timeout_s.into());
        let tls = tls::server_config(identity.signing(), &config.alpn, idle)?;
        let quic = tls::endpoint_config(identity.reset_key());
        let runtime = Arc::new(TokioRuntime);
        let endpoint =
            Endpoint::new(quic, Some(tls), socket, runtime).map_err(SpawnError::Listen)?;

        let shared = Arc::new(Shared {
            epoch: RwLock::new(Arc::new(Epoch::new(
                identity.clone(),
                terms,
                Arc::clone(&tokens),
                clock(),
            ))),
            clock,
            store,
            identity,
            terms,
            tokens,
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
            door: Door::new(config.door()),
            prices: Arc::new(Prices::new(config.prices())),
            rooms: Arc::new(Rooms::new(ROOMS)),
            patience: idle,
            started: Instant::now(),
        });
        let admin = match config.admin_listen {
            Some(listen) => {
                let ready = Arc::clone(&shared.store);
                let stop = shared.closing.clone();
                Some(admin::spawn(listen, ready, stop, &shared.tasks).await?)
            }
            None => None,
        };
        shared.tasks.spawn(accept::accept(Arc::clone(&shared), endpoint.clone()));
        shared.tasks.spawn(accept::watch_load(Arc::clone(&shared)));
        shared.tasks.spawn(tend(Arc::clone(&shared)));
        shared.tasks.spawn(release(Arc::clone(&shared)));
        log::info("serving", &[("work_effort", &config.effort())]);
        let shutdown_timeout = Duration::from_secs(config.shutdown_timeout_s.into());
        Ok(Self { shared, endpoint, address, local, admin, shutdown_timeout })
    }

    /// The address to hand to clients.
    pub const fn address(&self) -> &RelayAddress {
        &self.address
    }

    /// Where it listens.
    pub const fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Where the admin pages are, if they are on.
    pub const fn admin_addr(&self) -> Option<SocketAddr> {
        self.admin
    }

    /// Stops taking requests, answers what is under way within the configured time, closes the store. Answers whether
    /// everything under way finished.
    pub async fn shutdown(self) -> bool {
        log::info("shutting down", &[]);
        self.shared.closing.cancel();
        self.shared.tasks.close();
        let drained = timeout(self.shutdown_timeout, self.shared.tasks.wait()).await.is_ok();
        self.endpoint.close(CODE_CLOSING, b"closing");
        // Tells the clients; those that do not answer time out by themselves.
        let _ = timeout(Duration::from_secs(1), self.endpoint.wait_idle()).await;
        self.shared.store.close().await;
        if !drained {
            log::warn("work under way was cut off at the shutdown's deadline", &[]);
        }
        drained
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.closing.cancel();
        self.endpoint.close(CODE_CLOSING, b"closing");
    }
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Relay")
    }
}

impl Shared {
    /// Unix seconds.
    fn now(&self) -> i64 {
        (self.clock)()
    }
}

fn system_time() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn limits(config: &Config) -> Limits {
    Limits { max_blob_bytes: u64::from(config.max_blob_mib) << 20, ..Limits::default() }
}

async fn open(config: &Config) -> Result<(Identity, Arc<dyn Store>), SpawnError> {
    if config.engine == Engine::Memory && config.data_dir.as_os_str().is_empty() {
        let (mut seed, mut secret) = ([0; 32], [0; 32]);
        OsRng.fill_bytes(&mut seed);
        OsRng.fill_bytes(&mut secret);
        let identity = Identity::new(SigningSeed::from_bytes(seed), secret);
        return Ok((identity, Arc::new(MemoryStore::new(limits(config)))));
    }
    let config = config.clone();
    let opening = tokio::task::spawn_blocking(move || {
        let source = config.store_key.as_ref().ok_or(ConfigError::Missing("store_key"))?;
        let keys = RelayKeys::load(&config.data_dir, source)?;
        let store: Arc<dyn Store> = match config.engine {
            Engine::Memory => Arc::new(MemoryStore::new(limits(&config))),
            Engine::Fjall => {
                let folder = config.data_dir.join(STORE_FOLDER);
                Arc::new(FjallStore::open(&folder, &keys.store, limits(&config))?)
            }
        };
        Ok((keys.identity, store))
    });
    opening.await.unwrap_or(Err(SpawnError::Store(StoreError::Closed)))
}

fn tokens(config: &Config, identity: &Identity, now: i64) -> Result<TokenKeys, TokenFileError> {
    let relay = *identity.relay_id();
    match config.admission {
        Admission::Open | Admission::Work => Ok(TokenKeys::none(relay)),
        Admission::Tokens | Admission::Either => TokenKeys::load(relay, &config.token_keys, now),
    }
}

fn address(
    config: &Config,
    identity: &Identity,
    local: SocketAddr,
) -> Result<RelayAddress, SpawnError> {
    let shown = config.advertise.clone().unwrap_or_else(|| {
        // A client on the same machine is the only one that an unspecified address can serve.
        let ip = match local.ip() {
            ip if ip.is_unspecified() => std::net::Ipv4Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, local.port()).to_string()
    });
    let id = *identity.relay_id();
    let print = RelayAddress { id, host: "host".into(), port: 0 }.to_text();
    let (print, _) = print.split_once('@').ok_or(ConfigError::Advertise)?;
    Ok(format!("{print}@{shown}").parse().map_err(|_| ConfigError::Advertise)?)
}

/// Background work: expiry, and the epoch key's change.
async fn tend(shared: Arc<Shared>) {
    let mut sweeps = interval(SWEEP_INTERVAL);
    let mut epoch_end = Epoch::end(shared.now());
    loop {
        tokio::select! {
            _ = sweeps.tick() => {}
            () = shared.closing.cancelled() => return,
        }
        let now = shared.now();
        if now >= epoch_end {
            epoch_end = Epoch::end(now);
            let fresh = Arc::new(Epoch::new(
                shared.identity.clone(),
                shared.terms,
                Arc::clone(&shared.tokens),
                now,
            ));
            *shared.epoch.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        match shared.store.sweep(now).await {
            Ok(rows) => log::debug("swept", &[("rows", &rows)]),
            Err(error) => log::error("sweeping failed", &[("error", &error)]),
        }
    }
}

/// Background work: held cells leave on time.
async fn release(shared: Arc<Shared>) {
    let mut looks = interval(RELEASE_LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut failing = false;
    loop {
        tokio::select! {
            _ = looks.tick() => {}
            () = shared.closing.cancelled() => return,
        }
        match shared.store.release(shared.now()).await {
            Ok(count) => {
                metrics::counter!("budstikke_released_total").increment(count);
                failing = false;
            }
            // Said once, not four times a second.
            Err(error) => {
                if !std::mem::replace(&mut failing, true) {
                    log::error("held cells cannot be released", &[("error", &error)]);
                }
            }
        }
    }
}

async fn serve(shared: &Arc<Shared>, connection: &Connection) {
    let mut nonce = [0; 32];
    if connection.export_keying_material(&mut nonce, EXPORTER_LABEL, &[]).is_err() {
        return connection.close(CODE_FULL, b"");
    }
    let mut secret = [0; 32];
    OsRng.fill_bytes(&mut secret);
    let epoch = Arc::clone(&shared.epoch.read().unwrap_or_else(PoisonError::into_inner));
    let (prices, rooms) = (Arc::clone(&shared.prices), Arc::clone(&shared.rooms));
    let session = Session::new(epoch, nonce, secret, prices, rooms);
    let client = stream::Client {
        session: Arc::new(Mutex::new(session)),
        connection: connection.clone(),
        ending: shared.closing.child_token(),
        reads: Arc::new(Semaphore::new(MAX_READS)),
    };
    let streams = TaskTracker::new();
    let end = sleep(CONNECTION_LIFE);
    tokio::pin!(end);
    let (mut looks, mut look, mut idle) = (interval(shared.patience / 2), 0, 0);
    looks.reset();
    loop {
        let stream = tokio::select! {
            stream = connection.accept_bi() => stream,
            _ = looks.tick() => {
                look += 1;
                idle = if streams.is_empty() { idle + 1 } else { 0 };
                if idle == 2 || look == STRANGER_LOOKS && client.is_stranger() {
                    break;
                }
                continue;
            }
            () = shared.closing.cancelled() => break,
            () = &mut end => break,
        };
        let Ok((send, recv)) = stream else { break };
        let task = stream::serve(Arc::clone(shared), client.clone(), send, recv);
        shared.tasks.spawn(streams.track_future(task));
    }
    client.ending.cancel();
    streams.close();
    // Whoever does not read the last answers loses them.
    let _ = timeout(DRAIN, streams.wait()).await;
    connection.close(CODE_CLOSING, b"closing");
}
