//! The relay's secrets: the store key outside the data folder; identity and id secret inside, sealed under it.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use budstikke_proto::descriptor::relay_id;
use budstikke_proto::id::{DeleteId, DeletePk, FetchId, FetchPk};
use budstikke_proto::id::{RecvId, RecvPk, RelayId, SendId, SendPk};
use budstikke_proto::sign::SigningSeed;
use data_encoding::HEXLOWER;
use hmac::{Hmac, Mac};
use rand_core::{OsRng, RngCore};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::store::StoreKey;

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
        "the store key file {0} lies inside the data folder; whoever takes the folder would have the key: put it elsewhere (store_key_file)"
    )]
    Inside(PathBuf),
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
    /// Other users may read the store key.
    #[error("the store key file {0} can be read by other users: chmod 600 it")]
    Exposed(PathBuf),
    /// Not 64 hexadecimal digits.
    #[error("the store key file {0} does not hold 64 hexadecimal digits")]
    Malformed(PathBuf),
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
    /// Loads the keys, or makes them when both files are absent: the first start.
    pub(crate) fn load(data: &Path, store_key_file: &Path) -> Result<Self, KeyError> {
        make_folder(data)?;
        if let Some(parent) = store_key_file.parent().filter(|it| !it.as_os_str().is_empty()) {
            make_folder(parent)?;
        }
        refuse_inside(data, store_key_file)?;
        let keys_file = data.join(KEYS_FILE);
        let sealed = read_if_there(&keys_file)?;
        let store = match (read_if_there(store_key_file)?, &sealed) {
            (Some(text), _) => parse_store_key(&text, store_key_file)?,
            (None, None) => make_store_key(store_key_file)?,
            (None, Some(_)) => {
                let (data, key) = (data.to_path_buf(), store_key_file.to_path_buf());
                return Err(KeyError::Missing { data, key });
            }
        };
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

fn refuse_inside(data: &Path, file: &Path) -> Result<(), KeyError> {
    let real_data = data.canonicalize().map_err(io(data))?;
    // The file may be a link into the folder, or not be there yet.
    let real_file = if let Ok(real) = file.canonicalize() {
        real
    } else {
        let parent = file.parent().filter(|it| !it.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        parent.canonicalize().map_err(io(parent))?
    };
    if real_file.starts_with(&real_data) {
        return Err(KeyError::Inside(file.to_path_buf()));
    }
    Ok(())
}

fn parse_store_key(text: &[u8], path: &Path) -> Result<StoreKey, KeyError> {
    let mode = fs::metadata(path).map_err(io(path))?.permissions().mode();
    // A systemd credential is readable by its service's group.
    if mode & 0o027 != 0 {
        return Err(KeyError::Exposed(path.to_path_buf()));
    }
    let mut bytes = Zeroizing::new([0; 32]);
    let hex = text.trim_ascii();
    let length = HEXLOWER.decode_len(hex.len()).ok();
    let decoded = length == Some(32) && HEXLOWER.decode_mut(hex, bytes.as_mut()).is_ok();
    if !decoded {
        return Err(KeyError::Malformed(path.to_path_buf()));
    }
    Ok(StoreKey::from_bytes(*bytes))
}

fn make_store_key(path: &Path) -> Result<StoreKey, KeyError> {
    let key = StoreKey::random();
    let text = Zeroizing::new(HEXLOWER.encode(key.as_bytes()) + "\n");
    write_new(path, text.as_bytes())?;
    Ok(key)
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
    use super::*;

    fn paths(folder: &tempfile::TempDir) -> (PathBuf, PathBuf) {
        (folder.path().join("data"), folder.path().join("config/store.key"))
    }

    #[test]
    fn keys_are_made_once_and_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let (data, key) = paths(&folder);
        let first = RelayKeys::load(&data, &key).unwrap();
        let again = RelayKeys::load(&data, &key).unwrap();
        assert_eq!(first.identity.relay_id(), again.identity.relay_id());
        assert_eq!(first.store.as_bytes(), again.store.as_bytes());
        let pk = RecvPk::from_bytes([1; 32]);
        assert_eq!(first.identity.recv_id(&pk), again.identity.recv_id(&pk));
        for file in [data.join(KEYS_FILE), key] {
            assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, FILE_MODE);
        }
    }

    #[test]
    fn a_store_key_beside_the_data_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (data, key) = paths(&folder);
        let inside = data.join("sub/store.key");
        assert!(matches!(RelayKeys::load(&data, &inside), Err(KeyError::Inside(_))));
        RelayKeys::load(&data, &key).unwrap();
        let real = data.join("real.key");
        fs::rename(&key, &real).unwrap();
        std::os::unix::fs::symlink(&real, &key).unwrap();
        assert!(matches!(RelayKeys::load(&data, &key), Err(KeyError::Inside(_))));
    }

    #[test]
    fn a_lost_wrong_or_open_store_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (data, key) = paths(&folder);
        RelayKeys::load(&data, &key).unwrap();
        let text = fs::read(&key).unwrap();
        fs::remove_file(&key).unwrap();
        assert!(matches!(RelayKeys::load(&data, &key), Err(KeyError::Missing { .. })));
        write_new(&key, "00".repeat(32).as_bytes()).unwrap();
        assert!(matches!(RelayKeys::load(&data, &key), Err(KeyError::Mismatch(_))));
        write_new(&key, b"short").unwrap();
        assert!(matches!(RelayKeys::load(&data, &key), Err(KeyError::Malformed(_))));
        write_new(&key, &text).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(RelayKeys::load(&data, &key), Err(KeyError::Exposed(_))));
    }
}
