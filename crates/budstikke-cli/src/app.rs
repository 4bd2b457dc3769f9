//! What every command needs: the words, the way to print, the vault.

use std::path::PathBuf;

use budstikke::Client;

use crate::{
    args::Global,
    catalogue::{Catalogue, t},
    errors,
    exit::Exit,
    failure::Failure,
    files,
    out::Out,
    passphrase::{self, For},
};

/// Variable with the passphrase, where no file is named.
pub(crate) const PASSPHRASE: &str = "BUD_PASSPHRASE";
/// The vault's name in its folder.
const VAULT: &str = "vault.db";

/// One run of the program.
pub(crate) struct App {
    pub(crate) global: Global,
    pub(crate) catalogue: Catalogue,
    pub(crate) out: Out,
}

/// Whether a command may make a vault where there is none.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vault {
    /// It works on one that is there.
    There,
    /// It is the first step of a role.
    ThereOrNew,
}

impl App {
    pub(crate) fn new(global: Global, catalogue: Catalogue, out: Out) -> Self {
        Self { global, catalogue, out }
    }

    /// Opens the vault, works with it and closes it, whatever came of the work.
    pub(crate) async fn with<T>(
        &self,
        vault: Vault,
        work: impl AsyncFnOnce(&Client) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let client = self.open(vault).await?;
        let done = work(&client).await;
        let closed = client.close().await.map_err(|error| self.failed(error));
        let value = done?;
        closed?;
        Ok(value)
    }

    /// A client's error in the reader's words. By value, because it is made for `map_err`.
    #[allow(clippy::needless_pass_by_value)]
    pub(crate) fn failed(&self, error: budstikke::Error) -> Failure {
        errors::failure(&error, &self.catalogue)
    }

    /// Where the vault is.
    pub(crate) fn vault(&self) -> Result<PathBuf, Failure> {
        Ok(files::home(self.global.home.as_ref(), &self.catalogue)?.join(VAULT))
    }

    /// Unix seconds.
    pub(crate) fn now() -> i64 {
        budstikke::clock::Clock::system().now()
    }

    async fn open(&self, vault: Vault) -> Result<Client, Failure> {
        let path = self.vault()?;
        let there = path.exists();
        if !there && vault == Vault::There {
            let folder = path.parent().map(files::shown).unwrap_or_default();
            let text = t!(self.catalogue, "vault-not-found", folder = folder);
            return Err(Failure::new(Exit::Passphrase, text)
                .next(t!(self.catalogue, "vault-not-found-next")));
        }
        let purpose = if there { For::Open } else { For::New };
        let file = self.global.passphrase_file.as_deref();
        let passphrase = passphrase::obtain(file, PASSPHRASE, purpose, &self.catalogue)?;
        let working = self.out.working(t!(self.catalogue, "working-open"));
        let builder = Client::builder(&path).passphrase(passphrase);
        let client = if there {
            builder.open().await
        } else {
            if let Some(folder) = path.parent() {
                files::make_home(folder, &self.catalogue)?;
            }
            builder.create().await
        };
        drop(working);
        client.map_err(|error| self.failed(error))
    }
}
