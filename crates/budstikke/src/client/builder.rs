//! Creating and opening a [`Client`].

use std::path::PathBuf;
use std::sync::Arc;

use secrecy::SecretString;

use super::Client;
use crate::clock::Clock;
use crate::error::Error;
use crate::records;
use crate::transport::Transport;
use crate::transport::quic::QuicTransport;
use crate::vault::{AsyncVault, Cost, Vault};

/// Collects what a [`Client`] needs: a path, a passphrase, and, for tests and integrators, another transport,
/// clock or passphrase cost.
pub struct Builder {
    path: PathBuf,
    passphrase: SecretString,
    transport: Option<Arc<dyn Transport>>,
    clock: Clock,
    cost: Cost,
}

impl Builder {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            passphrase: SecretString::default(),
            transport: None,
            clock: Clock::system(),
            cost: Cost::INTERACTIVE,
        }
    }

    /// The passphrase of the vault; it is never stored.
    #[must_use]
    pub fn passphrase(mut self, passphrase: impl Into<SecretString>) -> Self {
        self.passphrase = passphrase.into();
        self
    }

    /// Another transport than QUIC.
    #[must_use]
    pub fn transport(mut self, transport: Arc<dyn Transport>) -> Self {
        self.transport = Some(transport);
        self
    }

    /// Another clock than the system's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Another cost of guessing the passphrase than [`Cost::INTERACTIVE`]; counts when creating.
    #[must_use]
    pub fn cost(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    /// Creates a new vault. Its role is decided by the first set-up call.
    ///
    /// # Errors
    /// [`Error::Vault`] when the file exists or can't be written; [`Error::Input`] without a passphrase.
    pub async fn create(self) -> Result<Client, Error> {
        if secrecy::ExposeSecret::expose_secret(&self.passphrase).is_empty() {
            return Err(Error::Input {
                what: "passphrase",
                why: "an empty passphrase protects nothing; choose one".to_owned(),
            });
        }
        let (path, passphrase, cost) = (self.path.clone(), self.passphrase.clone(), self.cost);
        let vault =
            blocking(move || Vault::create(&path, &passphrase, cost, &mut rand_core::OsRng));
        self.finish(vault.await?)
    }

    /// Opens a vault.
    ///
    /// # Errors
    /// [`Error::Vault`]: no such file, wrong passphrase, in use by another process, damaged, made by a newer
    /// version.
    pub async fn open(self) -> Result<Client, Error> {
        let (path, passphrase) = (self.path.clone(), self.passphrase.clone());
        let vault = blocking(move || Vault::open(&path, &passphrase));
        self.finish(vault.await?)
    }

    fn finish(self, mut vault: Vault) -> Result<Client, Error> {
        let transport = self.transport.unwrap_or_else(|| Arc::new(QuicTransport::default()));
        let not_before = vault.read(records::newest_directory)?;
        Ok(Client::new(AsyncVault::new(vault), transport, self.clock, not_before))
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Builder")
    }
}

/// Argon2id takes a while: not on the async threads.
async fn blocking<T, E>(work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, Error>
where
    T: Send + 'static,
    E: Into<Error> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(Into::into),
        Err(_) => Err(Error::NotReady("the program is shutting down")),
    }
}
