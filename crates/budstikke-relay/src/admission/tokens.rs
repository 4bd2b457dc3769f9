//! Blind tokens (SPEC.md section 6.1): the keys that a relay takes tokens of, as files, and what it keeps of a token.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use budstikke_proto::id::{RelayId, TokenKeyId};
use budstikke_proto::token::{IssuerKey, Token, TokenKey};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::store::SpentToken;

/// Keys at once: this time's and the next's. With more, issuer and relay could give each client a key of its own.
pub(crate) const MAX_KEYS: usize = 2;
const DAY_S: i64 = 86_400;

/// Why a token key file cannot be used. All are for the operator to mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenFileError {
    /// Reading or writing failed.
    #[error("cannot use {path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not such a file.
    #[error("{0} is no token key file of budstikke-relay tokens keygen")]
    Malformed(PathBuf),
    /// Other users may read the issuer's secret.
    #[error("the issuer's key {0} can be read by other users: chmod 600 it")]
    Exposed(PathBuf),
    /// Too many keys.
    #[error("token_keys names more than 2 keys: with many keys, tokens could be told apart")]
    TooMany,
    /// No key whose time is not over.
    #[error("no key of token_keys is still valid: make one with budstikke-relay tokens keygen")]
    Expired,
}

/// A public key and its time, as it lies in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublicFile {
    expires_s: i64,
    key: String,
}

/// A key that tokens are taken of.
#[derive(Clone)]
pub(crate) struct DatedKey {
    pub(crate) key: TokenKey,
    /// Last Unix second.
    pub(crate) expires_s: i64,
}

impl DatedKey {
    pub(crate) fn load(path: &Path) -> Result<Self, TokenFileError> {
        let malformed = || TokenFileError::Malformed(path.to_path_buf());
        let text = fs::read_to_string(path).map_err(io(path))?;
        let file: PublicFile = toml::from_str(&text).map_err(|_| malformed())?;
        let spki = BASE64.decode(file.key.as_bytes()).map_err(|_| malformed())?;
        let key = TokenKey::from_spki(&spki).map_err(|_| malformed())?;
        Ok(Self { key, expires_s: file.expires_s })
    }

    pub(crate) fn save(&self, path: &Path) -> Result<(), TokenFileError> {
        let file = PublicFile { expires_s: self.expires_s, key: BASE64.encode(self.key.spki()) };
        let text = toml::to_string(&file).map_err(|_| TokenFileError::Malformed(path.into()))?;
        write_new(path, text.as_bytes(), 0o644)
    }
}

/// Reads an issuer's secret key.
pub(crate) fn load_issuer(path: &Path) -> Result<IssuerKey, TokenFileError> {
    let malformed = || TokenFileError::Malformed(path.to_path_buf());
    let mode = fs::metadata(path).map_err(io(path))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(TokenFileError::Exposed(path.to_path_buf()));
    }
    let text = Zeroizing::new(fs::read(path).map_err(io(path))?);
    let der = Zeroizing::new(BASE64.decode(text.trim_ascii()).map_err(|_| malformed())?);
    IssuerKey::from_der(&der).map_err(|_| malformed())
}

/// Writes an issuer's secret key into a new file.
pub(crate) fn save_issuer(key: &IssuerKey, path: &Path) -> Result<(), TokenFileError> {
    let der = key.to_der().map_err(|_| TokenFileError::Malformed(path.to_path_buf()))?;
    let text = Zeroizing::new(BASE64.encode(&der) + "\n");
    write_new(path, text.as_bytes(), 0o600)
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), TokenFileError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(io(path))
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> TokenFileError {
    let path = path.to_path_buf();
    |source| TokenFileError::Io { path, source }
}

/// All keys that this relay takes tokens of; none where it takes none.
pub(crate) struct TokenKeys {
    relay: RelayId,
    keys: Vec<DatedKey>,
    /// Tokens that stand for a seed or a change under way: one token pays for one thing at a time, so that it holds no
    /// more of the relay than it buys.
    tendered: Mutex<HashSet<[u8; 32]>>,
}

/// A token that pays for something under way, in one place. Free again when dropped.
pub(crate) struct Tender {
    keys: Arc<TokenKeys>,
    pub(crate) token: SpentToken,
}

impl Drop for Tender {
    fn drop(&mut self) {
        self.keys.tendered().remove(&self.token.id);
    }
}

impl TokenKeys {
    pub(crate) fn none(relay: RelayId) -> Self {
        Self { relay, keys: Vec::new(), tendered: Mutex::new(HashSet::new()) }
    }

    pub(crate) fn load(
        relay: RelayId,
        files: &[PathBuf],
        now: i64,
    ) -> Result<Self, TokenFileError> {
        let keys: Vec<_> =
            files.iter().map(|path| DatedKey::load(path)).collect::<Result<_, _>>()?;
        Self::new(relay, keys, now)
    }

    pub(crate) fn new(
        relay: RelayId,
        keys: Vec<DatedKey>,
        now: i64,
    ) -> Result<Self, TokenFileError> {
        if keys.len() > MAX_KEYS {
            return Err(TokenFileError::TooMany);
        }
        if keys.iter().all(|dated| dated.expires_s < now) {
            return Err(TokenFileError::Expired);
        }
        Ok(Self { relay, keys, tendered: Mutex::default() })
    }

    /// The keys whose time is not over.
    pub(crate) fn ids(&self, now: i64) -> Vec<TokenKeyId> {
        let valid = self.keys.iter().filter(|dated| dated.expires_s >= now);
        valid.map(|dated| *dated.key.id()).collect()
    }

    /// Tenders a genuine token; `None` while it is tendered elsewhere.
    pub(crate) fn tender(self: &Arc<Self>, token: SpentToken) -> Option<Tender> {
        let new = self.tendered().insert(token.id);
        new.then(|| Tender { keys: Arc::clone(self), token })
    }

    /// How many are tendered.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(crate) fn tenders(&self) -> usize {
        self.tendered().len()
    }

    fn tendered(&self) -> MutexGuard<'_, HashSet<[u8; 32]>> {
        self.tendered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is kept of a genuine token; `None` for any other.
    pub(crate) fn check(&self, now: i64, token: &Token) -> Option<SpentToken> {
        let mut keys = self.keys.iter();
        let dated = keys.find(|dated| *dated.key.id() == token.key_id && dated.expires_s >= now)?;
        if !dated.key.verify(token, &self.relay) {
            return None;
        }
        let day = u32::try_from(dated.expires_s.div_euclid(DAY_S)).ok()?;
        Some(SpentToken { id: token.spent_id(), last_day: day })
    }
}
