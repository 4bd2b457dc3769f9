//! The client: one vault, the relays it talks to, and what it does with them.
//!
//! Every call works in small committed steps: read the vault, talk to a relay, commit the result. A call that is
//! dropped or killed in between leaves the last committed step, and the next [`Client::sync`] goes on from there.

mod builder;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use budstikke_e2ee::suite::{Env, Suite};
use budstikke_proto::address::RelayAddress;
use futures_util::future::join_all;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;

pub use builder::Builder;

use crate::clock::Clock;
use crate::error::Error;
use crate::events::{Event, EventStream};
use crate::records::{self, Device, Ministry, Unit};
use crate::relay::RelayClient;
use crate::transport::Transport;
use crate::vault::{AsyncVault, Tx};

const EVENTS_KEPT: usize = 1_024;

/// A person's device: a vault and the channels in it. Cheap to clone; all clones share the vault.
///
/// # Cancellation
/// Dropping a future of this type stops it at its next await point. What was committed stays.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    vault: AsyncVault,
    suite: Suite,
    transport: Arc<dyn Transport>,
    clock: Clock,
    events: broadcast::Sender<Event>,
    relays: Mutex<Relays>,
    /// Only one fetch-and-process run at a time, so that cells are taken in order.
    turn: tokio::sync::Mutex<()>,
    /// Wakes a listener when something new waits in the outbox.
    queued: Notify,
    stop: CancellationToken,
    /// Unix seconds at which [`Client::once_a_minute`] last said yes.
    looked: AtomicI64,
    /// Unix seconds of the newest directory: it is never earlier.
    not_before: AtomicI64,
    /// Unix seconds before which no directory is fetched.
    directories_at: AtomicI64,
    heal_at: AtomicI64,
}

/// Connections by relay address and purpose.
type Relays = HashMap<(String, Vec<u8>), Arc<RelayClient>>;

/// What a vault is for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// Nothing yet; the first set-up call decides.
    New,
    /// The Ministry's root and issuer.
    Ministry,
    /// A device of a mission's team.
    Staff {
        /// Unit id, or empty while the device waits for its certificate.
        unit: String,
        /// The device's label.
        officer: String,
        /// Whether its certificate is installed.
        certified: bool,
    },
    /// A defender's device.
    Defender,
}

impl Client {
    /// Starts to create or open the vault at `path`.
    pub fn builder(path: impl Into<std::path::PathBuf>) -> Builder {
        Builder::new(path.into())
    }

    fn new(
        vault: AsyncVault,
        transport: Arc<dyn Transport>,
        clock: Clock,
        not_before: i64,
    ) -> Self {
        let (events, _) = broadcast::channel(EVENTS_KEPT);
        let inner = Inner {
            vault,
            suite: Suite::new(&mut rand_core::OsRng),
            transport,
            clock,
            events,
            relays: Mutex::new(HashMap::new()),
            turn: tokio::sync::Mutex::new(()),
            queued: Notify::new(),
            stop: CancellationToken::new(),
            looked: AtomicI64::new(i64::MIN),
            not_before: AtomicI64::new(not_before),
            directories_at: AtomicI64::new(i64::MIN),
            heal_at: AtomicI64::new(i64::MIN),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What this vault is for.
    ///
    /// # Errors
    /// [`Error::Vault`].
    pub async fn profile(&self) -> Result<Profile, Error> {
        self.vault(profile).await
    }

    /// Events from now on.
    pub fn events(&self) -> EventStream {
        EventStream::new(self.inner.events.subscribe())
    }

    /// Changes the passphrase of the vault.
    ///
    /// # Errors
    /// [`Error::Vault`], with the old passphrase still valid.
    pub async fn change_passphrase(
        &self,
        old: secrecy::SecretString,
        new: secrecy::SecretString,
    ) -> Result<(), Error> {
        Ok(self
            .inner
            .vault
            .with(move |vault| {
                let cost = vault.cost()?;
                vault.change_passphrase(&old, &new, cost)
            })
            .await?)
    }

    /// Ends connections and closes the vault's file. What waits in the outbox stays there.
    ///
    /// # Errors
    /// [`Error::Vault`] when the vault's last write fails.
    pub async fn close(self) -> Result<(), Error> {
        self.inner.stop.cancel();
        let relays: Vec<_> = {
            let mut map = self.inner.relays.lock().unwrap_or_else(PoisonError::into_inner);
            map.drain().map(|(_, relay)| relay).collect()
        };
        // All at once: each waits until its goodbye has left.
        join_all(relays.iter().map(|relay| relay.close())).await;
        Ok(self.inner.vault.close().await?)
    }

    /// Unix seconds, never before the newest directory was made.
    pub(crate) fn now(&self) -> i64 {
        self.system_now().max(self.inner.not_before.load(Ordering::Relaxed))
    }

    /// Unix seconds by the clock alone.
    pub(crate) fn system_now(&self) -> i64 {
        self.inner.clock.now()
    }

    /// Whether to look for groups whose keys are old, at most once an hour: each must be loaded for it.
    pub(crate) fn may_heal(&self) -> bool {
        let now = self.now();
        let due = now >= self.inner.heal_at.load(Ordering::Relaxed);
        if due {
            self.inner.heal_at.store(now + 3_600, Ordering::Relaxed);
        }
        due
    }

    /// Whether directories may be fetched again.
    pub(crate) fn may_ask_directories(&self) -> bool {
        self.now() >= self.inner.directories_at.load(Ordering::Relaxed)
    }

    pub(crate) fn ask_directories_at(&self, at: i64) {
        self.inner.directories_at.store(at, Ordering::Relaxed);
    }

    /// Whether a minute has passed since this last said yes: for what is dear and changes seldom.
    pub(crate) fn once_a_minute(&self) -> bool {
        let now = self.now();
        let since = self.inner.looked.load(Ordering::Relaxed);
        let due = now.saturating_sub(since) >= 60;
        if due {
            self.inner.looked.store(now, Ordering::Relaxed);
        }
        due
    }

    /// Waits until something new waits in the outbox.
    pub(crate) async fn newly_queued(&self) {
        self.inner.queued.notified().await;
    }

    pub(crate) fn stopped(&self) -> &CancellationToken {
        &self.inner.stop
    }

    /// Waits for the right to fetch and process.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.inner.turn.lock().await
    }

    /// Runs `work` in one transaction and, once that is durable, publishes its events.
    pub(crate) async fn vault<T, F>(&self, work: F) -> Result<T, Error>
    where
        F: FnOnce(&Work<'_>) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        let now = self.now();
        let done = self.inner.vault.run(move |tx| {
            let then = RefCell::new(Then::default());
            let work_in = Work { tx, suite: &inner.suite, now, then: &then };
            let value = work(&work_in)?;
            Ok::<_, Error>((value, then.into_inner()))
        });
        let (value, then) = done.await?;
        if let Some(not_before) = then.not_before {
            self.inner.not_before.store(not_before, Ordering::Relaxed);
        }
        if then.queued {
            self.inner.queued.notify_one();
        }
        for event in then.events {
            self.publish_event(event);
        }
        Ok(value)
    }

    pub(crate) fn publish_event(&self, event: Event) {
        // Fails only when nobody listens.
        let _ = self.inner.events.send(event);
    }

    /// The connection to a relay for one purpose. Purposes never share a connection, so that a relay does not
    /// see on one connection who reads here and writes there.
    pub(crate) fn relay(&self, address: &str, purpose: &[u8]) -> Result<Arc<RelayClient>, Error> {
        let parsed: RelayAddress = parse_address(address)?;
        let mut map = self.inner.relays.lock().unwrap_or_else(PoisonError::into_inner);
        let relay = map.entry((address.to_owned(), purpose.to_vec())).or_insert_with(|| {
            let transport = Arc::clone(&self.inner.transport);
            Arc::new(RelayClient::new(transport, parsed, self.inner.clock.clone()))
        });
        Ok(Arc::clone(relay))
    }

    /// Ends the connection for one purpose, which will not be needed for long.
    pub(crate) async fn hang_up(&self, address: &str, purpose: &[u8]) {
        let gone = {
            let mut map = self.inner.relays.lock().unwrap_or_else(PoisonError::into_inner);
            map.remove(&(address.to_owned(), purpose.to_vec()))
        };
        if let Some(relay) = gone {
            relay.close().await;
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

/// What a transaction works with.
pub(crate) struct Work<'a> {
    pub(crate) tx: &'a Tx<'a>,
    pub(crate) suite: &'a Suite,
    pub(crate) now: i64,
    then: &'a RefCell<Then>,
}

/// What follows once a transaction is durable.
#[derive(Default)]
struct Then {
    events: Vec<Event>,
    queued: bool,
    not_before: Option<i64>,
}

impl Work<'_> {
    /// What the end-to-end layer needs.
    pub(crate) fn env(&self) -> Env<'_> {
        Env { suite: self.suite, store: self.tx, now: self.now }
    }

    /// To be published once this transaction is durable.
    pub(crate) fn event(&self, event: Event) {
        self.then.borrow_mut().events.push(event);
    }

    /// It is never earlier than this once this transaction is durable.
    pub(crate) fn not_before(&self, at: i64) {
        self.then.borrow_mut().not_before = Some(at);
    }

    /// Cells wait for a relay once this transaction is durable: a listener need not wait for its next pass.
    pub(crate) fn queued(&self) {
        self.then.borrow_mut().queued = true;
    }
}

/// Parses a relay address that a person or a peer gave.
pub(crate) fn parse_address(text: &str) -> Result<RelayAddress, Error> {
    let bad = |error: budstikke_proto::address::AddressError| Error::Input {
        what: "relay address",
        why: error.to_string(),
    };
    text.parse().map_err(bad)
}

/// The error for a call that needs another role than this vault has.
pub(crate) fn wrong_role(work: &Work<'_>, needs: &'static str) -> Error {
    match profile(work) {
        Ok(Profile::New) => Error::NotReady("this vault is new: set it up first"),
        Ok(Profile::Ministry) => Error::WrongRole { is: "the Ministry's", needs },
        Ok(Profile::Staff { .. }) => Error::WrongRole { is: "a mission device's", needs },
        Ok(Profile::Defender) => Error::WrongRole { is: "a defender's", needs },
        Err(error) => error,
    }
}

/// Fails unless the vault is new or already in this role.
pub(crate) fn claim_role(
    work: &Work<'_>,
    fits: impl FnOnce(&Profile) -> bool,
    needs: &'static str,
) -> Result<(), Error> {
    let profile = profile(work)?;
    if profile == Profile::New || fits(&profile) { Ok(()) } else { Err(wrong_role(work, needs)) }
}

fn profile(work: &Work<'_>) -> Result<Profile, Error> {
    if records::load::<Ministry>(work.tx, records::SELF)?.is_some() {
        return Ok(Profile::Ministry);
    }
    if let Some(device) = records::load::<Device>(work.tx, records::SELF)? {
        let unit = records::load::<Unit>(work.tx, records::SELF)?;
        return Ok(Profile::Staff {
            unit: unit.map(|unit| unit.id.clone()).unwrap_or_default(),
            officer: device.label.clone(),
            certified: !device.chain.is_empty(),
        });
    }
    let approached = !records::all::<records::Approach>(work.tx)?.is_empty();
    Ok(if approached { Profile::Defender } else { Profile::New })
}
