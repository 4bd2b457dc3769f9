//! The relay's secrets: the store key, which comes from outside the data folder; identity and id secret inside, sealed
//! under it.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use budstikke_proto::descriptor::relay_id;
use budstikke_proto::id::{DeleteId, DeletePk, FetchId, FetchPk};
use budstikke_proto::id::{RecvId, RecvPk, RelayId, SendId, SendPk};
use budstikke_proto::sign::SigningSeed;
use hmac::{Hmac, Mac};
use rand_core::{OsRng, RngCore};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::store::StoreKey;

mod source;

pub use source::KeySource;

const KEYS_FILE: &str = "relay.keys";
pub(crate) const STORE_FOLDER: &str = "store";
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// Why the relay's keys cannot be used. All are for the operator to mend.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The store key would lie beside what it seals.
    #[error(
        "the store key {key} lies inside the data folder {data} or next to it; whoever takes one would have the other: the operator must move the key to another folder (store_key)"
    )]
    Beside {
        /// The data folder.
        data: PathBuf,
        /// The file with the key or the passphrase.
        key: PathBuf,
    },
    /// The data folder holds a copy of the store key, or of its passphrase.
    #[error(
        "{0}, in the data folder, holds the store key; whoever takes the folder would have it: the operator must move that file elsewhere"
    )]
    Copied(PathBuf),
    /// The data folder has keys, the store key is gone.
    #[error(
        "the data folder {data} is sealed under a store key, but {key} does not exist: put the key back, or start with an empty data folder"
    )]
    Missing {
        /// The data folder.
        data: PathBuf,
        /// Where the key was looked for.
        key: PathBuf,
    },
    /// The service manager gave no such credential.
    #[error(
        "there is no credential {0}: name it in the unit (LoadCredential= or LoadCredentialEncrypted=), or set store_key"
    )]
    NoCredential(String),
    /// The variable is not set.
    #[error(
        "the variable {0} is not set: set it in the unit's environment file (EnvironmentFile=), or set store_key"
    )]
    NoVariable(String),
    /// Other users may read the store key.
    #[error("the store key file {0} can be read by other users: chmod 600 it")]
    Exposed(PathBuf),
    /// Not 64 hexadecimal digits.
    #[error("the store key ({0}) is not 64 hexadecimal digits")]
    Malformed(String),
    /// A passphrase that can be guessed.
    #[error("the passphrase in {path} has fewer than {least} bytes: take six random words or more")]
    Weak {
        /// The file.
        path: PathBuf,
        /// The least length in bytes.
        least: usize,
    },
    /// The passphrase's salt is gone or no salt.
    #[error(
        "{0}, the salt of the store key's passphrase, is missing or damaged: put it back, or start with an empty data folder"
    )]
    Salt(PathBuf),
    /// The passphrase cannot be worked on.
    #[error(
        "deriving the store key from its passphrase takes 64 MiB of memory, which the system refused"
    )]
    Memory,
    /// The data folder was sealed under another store key, or was changed.
    #[error(
        "the keys in {0} do not open under this store key: use the store key that this data folder was made with"
    )]
    Mismatch(PathBuf),
    /// The store is there, the identity is gone: going on would make a new relay over old data.
    #[error(
        "the data folder {0} holds a store, but its {KEYS_FILE} is gone: put it back, or start with an empty data folder"
    )]
    IdentityLost(PathBuf),
    /// Reading or writing failed.
    #[error("cannot use {path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// The secrets of one relay.
pub(crate) struct RelayKeys {
    pub(crate) store: StoreKey,
    pub(crate) identity: Identity,
}

/// Who the relay is, and how it names capabilities.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Identity {
    #[zeroize(skip)]
    id: RelayId,
    seed: SigningSeed,
    id_secret: [u8; 32],
}

impl RelayKeys {
    /// Loads the keys, or makes them when there is nothing yet: the first start.
    pub(crate) fn load(data: &Path, source: &KeySource) -> Result<Self, KeyError> {
        make_folder(data)?;
        let keys_file = data.join(KEYS_FILE);
        let sealed = read_if_there(&keys_file)?;
        let store = source.load(data, sealed.is_some())?;
        let plain = match sealed {
            Some(sealed) => store
                .open_file(KEYS_FILE, &sealed)
                .map_err(|_| KeyError::Mismatch(keys_file.clone()))?,
            None if data.join(STORE_FOLDER).exists() => {
                return Err(KeyError::IdentityLost(data.to_path_buf()));
            }
            None => {
                let mut plain = Zeroizing::new(vec![0; 64]);
                OsRng.fill_bytes(&mut plain);
                let sealed = store.seal_file(KEYS_FILE, &plain);
                let sealed = sealed.map_err(|_| KeyError::Mismatch(keys_file.clone()))?;
                write_new(&keys_file, &sealed)?;
                plain
            }
        };
        let identity = Identity::parse(&plain).ok_or(KeyError::Mismatch(keys_file))?;
        Ok(Self { store, identity })
    }
}

impl Identity {
    pub(crate) fn new(seed: SigningSeed, id_secret: [u8; 32]) -> Self {
        Self { id: relay_id(&seed.public()), seed, id_secret }
    }

    fn parse(plain: &[u8]) -> Option<Self> {
        let (seed, rest) = plain.split_first_chunk::<32>()?;
        Some(Self::new(SigningSeed::from_bytes(*seed), rest.try_into().ok()?))
    }

    pub(crate) const fn relay_id(&self) -> &RelayId {
        &self.id
    }

    pub(crate) const fn signing(&self) -> &SigningSeed {
        &self.seed
    }

    pub(crate) fn recv_id(&self, recv_pk: &RecvPk) -> RecvId {
        RecvId::from_bytes(self.mac(b"budstikke/recv-id/v1", &[recv_pk.as_bytes()]))
    }

    pub(crate) fn send_id(&self, recv_id: &RecvId, send_pk: &SendPk) -> SendId {
        let parts: [&[u8]; 2] = [recv_id.as_bytes(), send_pk.as_bytes()];
        SendId::from_bytes(self.mac(b"budstikke/send-id/v1", &parts))
    }

    pub(crate) fn fetch_id(&self, fetch_pk: &FetchPk) -> FetchId {
        FetchId::from_bytes(self.mac(b"budstikke/fetch-id/v1", &[fetch_pk.as_bytes()]))
    }

    pub(crate) fn delete_id(&self, fetch_id: &FetchId, delete_pk: &DeletePk) -> DeleteId {
        let parts: [&[u8]; 2] = [fetch_id.as_bytes(), delete_pk.as_bytes()];
        DeleteId::from_bytes(self.mac(b"budstikke/delete-id/v1", &parts))
    }

    /// The X25519 secret of one epoch.
    pub(crate) fn epoch_secret(&self, number: i64) -> [u8; 32] {
        self.mac(b"budstikke/relay/epoch/v1", &[&number.to_be_bytes()])
    }

    /// The key of QUIC's connection ids and stateless resets: the same after a restart, so that clients learn of one
    /// at once instead of waiting for a timeout. Anything that it can do is to end a connection.
    pub(crate) fn reset_key(&self) -> [u8; 32] {
        self.mac(b"budstikke/relay/reset/v1", &[])
    }

    fn mac(&self, domain: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(&self.id_secret) else {
            // HMAC takes keys of every length.
            return [0; 32];
        };
        mac.update(domain);
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity")
    }
}

fn read_if_there(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, KeyError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io(path)(error)),
    }
}

/// Writes a file that is not there yet, whole or not at all.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), KeyError> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(FILE_MODE)
            .open(&partial)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&partial, path)?;
        let folder = path.parent().filter(|it| !it.as_os_str().is_empty());
        fs::File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(io(path))
}

fn make_folder(path: &Path) -> Result<(), KeyError> {
    fs::DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path).map_err(io(path))
}

fn io(path: &Path) -> impl Fn(std::io::Error) -> KeyError {
    let path = path.to_path_buf();
    move |source| KeyError::Io { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn places(folder: &tempfile::TempDir) -> (PathBuf, PathBuf, KeySource) {
        let key = folder.path().join("config/store.key");
        (folder.path().join("data"), key.clone(), KeySource::File(key))
    }

    #[test]
    fn keys_are_made_once_and_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let (data, key, source) = places(&folder);
        let first = RelayKeys::load(&data, &source).unwrap();
        let again = RelayKeys::load(&data, &source).unwrap();
        assert_eq!(first.identity.relay_id(), again.identity.relay_id());
        assert_eq!(first.store.as_bytes(), again.store.as_bytes());
        let pk = RecvPk::from_bytes([1; 32]);
        assert_eq!(first.identity.recv_id(&pk), again.identity.recv_id(&pk));
        for file in [data.join(KEYS_FILE), key] {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, FILE_MODE);
        }
    }

    #[test]
    fn a_lost_wrong_or_open_store_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (data, key, source) = places(&folder);
        RelayKeys::load(&data, &source).unwrap();
        let text = fs::read(&key).unwrap();
        fs::remove_file(&key).unwrap();
        assert!(matches!(RelayKeys::load(&data, &source), Err(KeyError::Missing { .. })));
        fs::remove_dir(key.parent().unwrap()).unwrap();
        assert!(matches!(RelayKeys::load(&data, &source), Err(KeyError::Missing { .. })));
        make_folder(key.parent().unwrap()).unwrap();
        write_new(&key, "00".repeat(32).as_bytes()).unwrap();
        assert!(matches!(RelayKeys::load(&data, &source), Err(KeyError::Mismatch(_))));
        write_new(&key, b"short").unwrap();
        assert!(matches!(RelayKeys::load(&data, &source), Err(KeyError::Malformed(_))));
        write_new(&key, &text).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(RelayKeys::load(&data, &source), Err(KeyError::Exposed(_))));
    }
}
