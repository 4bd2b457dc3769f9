//! The vault for async callers.

use std::{fmt, panic, path::PathBuf, sync::Arc};

use rand_core::{CryptoRng, RngCore};
use secrecy::SecretString;
use tokio::{sync::Mutex, task::spawn_blocking};

use super::{Cost, Tx, Vault, VaultError, View};

/// A vault shared by async tasks; a clone is another handle to the same one.
///
/// Each call waits its turn, in order, and then runs on a blocking thread. **Cancellation**: a call
/// dropped while it waits does nothing; one that has begun runs to its end, commit or rollback,
/// unseen.
#[derive(Clone)]
pub struct AsyncVault(Arc<Mutex<Option<Vault>>>);

impl AsyncVault {
    /// Takes over an open vault.
    pub fn new(vault: Vault) -> Self {
        Self(Arc::new(Mutex::new(Some(vault))))
    }

    /// [`Vault::create`] on a blocking thread.
    ///
    /// # Errors
    /// As there.
    pub async fn create(
        path: PathBuf,
        passphrase: SecretString,
        cost: Cost,
        mut rng: impl RngCore + CryptoRng + Send + 'static,
    ) -> Result<Self, VaultError> {
        blocking(move || Vault::create(&path, &passphrase, cost, &mut rng)).await?.map(Self::new)
    }

    /// [`Vault::open`] on a blocking thread.
    ///
    /// # Errors
    /// As there.
    pub async fn open(path: PathBuf, passphrase: SecretString) -> Result<Self, VaultError> {
        blocking(move || Vault::open(&path, &passphrase)).await?.map(Self::new)
    }

    /// [`Vault::transaction`]; a panic in `work` rolls back and goes on in the caller.
    ///
    /// # Errors
    /// As there; [`VaultError::Closed`] after [`close`](Self::close).
    pub async fn run<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<VaultError> + Send + 'static,
        F: FnOnce(&Tx<'_>) -> Result<T, E> + Send + 'static,
    {
        self.with(|vault| vault.transaction(work)).await
    }

    /// [`Vault::read`].
    ///
    /// # Errors
    /// As there; [`VaultError::Closed`].
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<VaultError> + Send + 'static,
        F: FnOnce(&View<'_>) -> Result<T, E> + Send + 'static,
    {
        self.with(|vault| vault.read(work)).await
    }

    /// Any other work on the [`Vault`]: `check`, `change_passphrase`, `scrub`.
    ///
    /// # Errors
    /// What `work` returns; [`VaultError::Closed`].
    pub async fn with<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<VaultError> + Send + 'static,
        F: FnOnce(&mut Vault) -> Result<T, E> + Send + 'static,
    {
        // The guard moves into the thread: whoever drops the future, nobody else gets in between.
        let mut slot = Arc::clone(&self.0).lock_owned().await;
        blocking(move || match slot.as_mut() {
            Some(vault) => work(vault),
            None => Err(VaultError::Closed.into()),
        })
        .await?
    }

    /// [`Vault::close`], after the calls that came before; later ones of any handle get
    /// [`VaultError::Closed`]. Closing twice is no error.
    ///
    /// # Errors
    /// As [`Vault::close`].
    pub async fn close(&self) -> Result<(), VaultError> {
        let mut slot = Arc::clone(&self.0).lock_owned().await;
        blocking(move || slot.take().map_or(Ok(()), Vault::close)).await?
    }
}

impl fmt::Debug for AsyncVault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AsyncVault")
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, VaultError> {
    spawn_blocking(work).await.map_err(|error| match error.try_into_panic() {
        Ok(payload) => panic::resume_unwind(payload),
        // The runtime is shutting down and never began it.
        Err(_) => VaultError::Closed,
    })
}
