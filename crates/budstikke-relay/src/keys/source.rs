//! Where the store key comes from, and why it must not lie beside what it seals.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use data_encoding::HEXLOWER;
use rand_core::{OsRng, RngCore};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{KeyError, STORE_FOLDER, io, make_folder, read_if_there, write_new};
use crate::config::ConfigError;
use crate::store::StoreKey;

/// The passphrase's salt, 32 hexadecimal digits. It is no secret, and without it the passphrase opens nothing.
pub(super) const SALT_FILE: &str = "relay.salt";
const SALT_LEN: usize = 16;
/// Argon2id v1.3, RFC 9106's second choice: 64 MiB, 3 passes, 4 lanes; tenths of a second at each start.
const MEMORY_KIB: u32 = 65_536;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// Shorter ones fall to whoever has the disk and patience.
const LEAST_PASSPHRASE_LEN: usize = 20;
/// Larger files of the data folder are not somebody's copy of a key.
const MAX_COPY_LEN: u64 = 65_536;

/// Where the store key comes from; in the settings one text such as `file:/etc/budstikke-relay/store.key`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum KeySource {
    /// `file:PATH`: 64 hexadecimal digits. Made on the first start.
    File(PathBuf),
    /// `passphrase:PATH`: a file with a passphrase of at least 20 bytes; the key is derived with Argon2id (64 MiB,
    /// 3 passes, 4 lanes) and the salt in the data folder.
    Passphrase(PathBuf),
    /// `credential:NAME`: 64 hexadecimal digits in a credential of the service manager (systemd's `LoadCredential=`).
    Credential(String),
    /// `environment:VARIABLE`: 64 hexadecimal digits in a variable, as from an environment file (`EnvironmentFile=`).
    Environment(String),
}

impl FromStr for KeySource {
    type Err = ConfigError;

    fn from_str(text: &str) -> Result<Self, ConfigError> {
        let (kind, rest) = text.split_once(':').ok_or(ConfigError::StoreKey)?;
        let word = |more: &str| {
            !rest.is_empty()
                && rest.bytes().all(|b| b.is_ascii_alphanumeric() || more.contains(char::from(b)))
        };
        match kind {
            "file" if !rest.is_empty() => Ok(Self::File(rest.into())),
            "passphrase" if !rest.is_empty() => Ok(Self::Passphrase(rest.into())),
            "credential" if word("-_.") && !rest.starts_with('.') => {
                Ok(Self::Credential(rest.into()))
            }
            "environment" if word("_") => Ok(Self::Environment(rest.into())),
            _ => Err(ConfigError::StoreKey),
        }
    }
}

impl TryFrom<String> for KeySource {
    type Error = ConfigError;

    fn try_from(text: String) -> Result<Self, ConfigError> {
        text.parse()
    }
}

impl From<KeySource> for String {
    fn from(source: KeySource) -> Self {
        match source {
            KeySource::File(path) => format!("file:{}", path.display()),
            KeySource::Passphrase(path) => format!("passphrase:{}", path.display()),
            KeySource::Credential(name) => format!("credential:{name}"),
            KeySource::Environment(name) => format!("environment:{name}"),
        }
    }
}

impl KeySource {
    /// Reads the store key. `sealed` says that the data folder is sealed under one: then nothing is made anew.
    pub(super) fn load(&self, data: &Path, sealed: bool) -> Result<StoreKey, KeyError> {
        self.load_with(data, sealed, |name| std::env::var_os(name))
    }

    fn load_with(
        &self,
        data: &Path,
        sealed: bool,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<StoreKey, KeyError> {
        let secret = match self {
            Self::File(path) => {
                if !sealed {
                    make_folder(parent(path))?;
                }
                read_secret(data, path).or_else(|error| match error {
                    KeyError::Io { source, .. } if source.kind() == ErrorKind::NotFound => {
                        if sealed {
                            let (data, key) = (data.to_path_buf(), path.clone());
                            return Err(KeyError::Missing { data, key });
                        }
                        make_store_key(path)
                    }
                    other => Err(other),
                })?
            }
            Self::Passphrase(path) => read_secret(data, path)?,
            Self::Credential(name) => {
                let none = || KeyError::NoCredential(name.clone());
                let folder = variable("CREDENTIALS_DIRECTORY").ok_or_else(none)?;
                read_secret(data, &Path::new(&folder).join(name)).map_err(|error| match error {
                    KeyError::Io { source, .. } if source.kind() == ErrorKind::NotFound => none(),
                    other => other,
                })?
            }
            Self::Environment(name) => {
                let value = variable(name).ok_or_else(|| KeyError::NoVariable(name.clone()))?;
                Zeroizing::new(value.into_encoded_bytes())
            }
        };
        let secret = secret.trim_ascii();
        refuse_weak(self, secret)?;
        refuse_copies(data, secret)?;
        match self {
            Self::Passphrase(_) => derive(secret, &salt(data, sealed)?),
            _ => parse(secret).ok_or_else(|| KeyError::Malformed(self.clone().into())),
        }
    }
}

/// The file may be a link, and may not be there yet: what counts is where it would really lie.
fn refuse_beside(data: &Path, file: &Path) -> Result<(), KeyError> {
    let real_data = data.canonicalize().map_err(io(data))?;
    let real_folder = match file.canonicalize() {
        Ok(real) => parent(&real).to_path_buf(),
        Err(_) => parent(file).canonicalize().map_err(io(parent(file)))?,
    };
    let (inside, next_to) =
        (real_folder.starts_with(&real_data), real_folder == parent(&real_data));
    if inside || next_to {
        return Err(KeyError::Beside { data: data.to_path_buf(), key: file.to_path_buf() });
    }
    Ok(())
}

/// Whoever takes the data folder would take a copy of the key along: an environment file, a backup, another name of
/// the same file.
fn refuse_copies(data: &Path, secret: &[u8]) -> Result<(), KeyError> {
    let mut folders = vec![data.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(io(&folder))? {
            let entry = entry.map_err(io(&folder))?;
            let path = entry.path();
            // Of the link itself: what it points to is no copy.
            let meta = entry.metadata().map_err(io(&path))?;
            if meta.is_dir() && path.file_name().is_none_or(|name| name != STORE_FOLDER) {
                folders.push(path);
            } else if meta.is_file() && meta.len() <= MAX_COPY_LEN {
                let bytes = Zeroizing::new(fs::read(&path).map_err(io(&path))?);
                if bytes.windows(secret.len()).any(|window| window == secret) {
                    return Err(KeyError::Copied(path));
                }
            }
        }
    }
    Ok(())
}

fn refuse_weak(source: &KeySource, secret: &[u8]) -> Result<(), KeyError> {
    match source {
        KeySource::Passphrase(path) if secret.len() < LEAST_PASSPHRASE_LEN => {
            Err(KeyError::Weak { path: path.clone(), least: LEAST_PASSPHRASE_LEN })
        }
        KeySource::Passphrase(_) => Ok(()),
        other if parse(secret).is_none() => Err(KeyError::Malformed(other.clone().into())),
        _ => Ok(()),
    }
}

fn read_secret(data: &Path, path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    refuse_beside(data, path)?;
    let mode = fs::metadata(path).map_err(io(path))?.permissions().mode();
    // A systemd credential is readable by its service's group.
    if mode & 0o027 != 0 {
        return Err(KeyError::Exposed(path.to_path_buf()));
    }
    fs::read(path).map(Zeroizing::new).map_err(io(path))
}

fn parse(hex: &[u8]) -> Option<StoreKey> {
    let mut bytes = Zeroizing::new([0; 32]);
    let length = HEXLOWER.decode_len(hex.len()).ok();
    let decoded = length == Some(32) && HEXLOWER.decode_mut(hex, bytes.as_mut()).is_ok();
    decoded.then(|| StoreKey::from_bytes(*bytes))
}

fn make_store_key(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let text = Zeroizing::new(HEXLOWER.encode(StoreKey::random().as_bytes()) + "\n");
    write_new(path, text.as_bytes())?;
    Ok(Zeroizing::new(text.as_bytes().to_vec()))
}

fn salt(data: &Path, sealed: bool) -> Result<[u8; SALT_LEN], KeyError> {
    let path = data.join(SALT_FILE);
    let mut salt = [0; SALT_LEN];
    if let Some(text) = read_if_there(&path)? {
        let hex = text.trim_ascii();
        let fits = HEXLOWER.decode_len(hex.len()).ok() == Some(SALT_LEN);
        if !fits || HEXLOWER.decode_mut(hex, &mut salt).is_err() {
            return Err(KeyError::Salt(path));
        }
    } else if sealed {
        return Err(KeyError::Salt(path));
    } else {
        OsRng.fill_bytes(&mut salt);
        write_new(&path, (HEXLOWER.encode(&salt) + "\n").as_bytes())?;
    }
    Ok(salt)
}

fn derive(passphrase: &[u8], salt: &[u8]) -> Result<StoreKey, KeyError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(32)).map_err(|_| KeyError::Memory)?;
    // Own blocks, so that too little memory is an error and no abort, and they are wiped.
    let mut blocks = Zeroizing::new(Vec::new());
    blocks.try_reserve_exact(params.block_count()).map_err(|_| KeyError::Memory)?;
    blocks.resize(params.block_count(), Block::default());
    let mut key = Zeroizing::new([0; 32]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(passphrase, salt, key.as_mut(), &mut blocks[..])
        .map_err(|_| KeyError::Memory)?;
    Ok(StoreKey::from_bytes(*key))
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const PHRASE: &str = "seven dull herons walk home\n";

    struct Lab {
        folder: tempfile::TempDir,
        data: PathBuf,
    }

    impl Lab {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let data = folder.path().join("state/data");
            make_folder(&data).unwrap();
            make_folder(&folder.path().join("keys")).unwrap();
            Self { folder, data }
        }

        fn path(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn file(&self, name: &str, text: &str) -> PathBuf {
            write_new(&self.path(name), text.as_bytes()).unwrap();
            self.path(name)
        }

        /// With one variable set.
        fn load(
            &self,
            source: &KeySource,
            (name, value): (&str, &Path),
        ) -> Result<StoreKey, KeyError> {
            let variable = |asked: &str| (asked == name).then(|| value.as_os_str().to_owned());
            source.load_with(&self.data, false, variable)
        }
    }

    fn none() -> (&'static str, &'static Path) {
        ("", Path::new(""))
    }

    #[test]
    fn every_source_gives_its_key() {
        let lab = Lab::new();
        let (file, keys) = (lab.file("keys/store.key", HEX), lab.path("keys"));
        let wanted = parse(HEX.as_bytes()).unwrap();
        let environment = KeySource::Environment("BUDSTIKKE_STORE_KEY".into());
        for (source, variable) in [
            (KeySource::File(file), none()),
            (KeySource::Credential("store.key".into()), ("CREDENTIALS_DIRECTORY", keys.as_path())),
            (environment, ("BUDSTIKKE_STORE_KEY", Path::new(HEX))),
        ] {
            let found = lab.load(&source, variable).unwrap();
            assert_eq!(found.as_bytes(), wanted.as_bytes(), "{source:?}");
            let text = String::from(source.clone());
            assert_eq!(text.parse(), Ok(source));
        }
        for text in ["", "file:", "/etc/store.key", "credential:../x", "environment:A B", "tape:1"]
        {
            assert_eq!(text.parse::<KeySource>(), Err(ConfigError::StoreKey), "{text}");
        }
    }

    #[test]
    fn a_passphrase_needs_its_salt_and_its_length() {
        let lab = Lab::new();
        let source = KeySource::Passphrase(lab.file("keys/phrase", PHRASE));
        let first = lab.load(&source, none()).unwrap();
        let again = source.load_with(&lab.data, true, |_| None).unwrap();
        assert_eq!(first.as_bytes(), again.as_bytes());
        fs::remove_file(lab.data.join(SALT_FILE)).unwrap();
        let lost = source.load_with(&lab.data, true, |_| None);
        assert!(matches!(lost, Err(KeyError::Salt(_))));
        // A new folder has another salt, so another key.
        assert_ne!(lab.load(&source, none()).unwrap().as_bytes(), first.as_bytes());
        let short = KeySource::Passphrase(lab.file("keys/short", "a heron"));
        assert!(matches!(lab.load(&short, none()), Err(KeyError::Weak { .. })));
        // What it costs is part of the format.
        let pinned =
            HEXLOWER.encode(derive(PHRASE.trim().as_bytes(), &[7; 16]).unwrap().as_bytes());
        assert_eq!(pinned, "965ec88894c5d4155b68bdd5ed06ca22d940f32445bbea047e8434fcdfb8ccb6");
    }

    #[test]
    fn a_key_inside_the_data_folder_or_next_to_it_is_refused() {
        let lab = Lab::new();
        for place in ["state/data/store.key", "state/data/deep/store.key", "state/store.key"] {
            make_folder(parent(&lab.path(place))).unwrap();
            let source = KeySource::File(lab.path(place));
            let made = lab.load(&source, none());
            assert!(matches!(made, Err(KeyError::Beside { .. })), "{place}");
            let there = KeySource::Passphrase(lab.file(place, PHRASE));
            let found = lab.load(&there, none());
            assert!(matches!(found, Err(KeyError::Beside { .. })), "{place}");
            fs::remove_file(lab.path(place)).unwrap();
        }
        // A link into it.
        let real = lab.file("state/data/real.key", HEX);
        let link = lab.path("keys/store.key");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(matches!(lab.load(&KeySource::File(link), none()), Err(KeyError::Beside { .. })));
        let credential = KeySource::Credential("store.key".into());
        for folder in [lab.path("keys"), lab.data.clone()] {
            let found = lab.load(&credential, ("CREDENTIALS_DIRECTORY", &folder));
            assert!(matches!(found, Err(KeyError::Beside { .. } | KeyError::NoCredential(_))));
        }
    }

    #[test]
    fn a_copy_in_the_data_folder_is_found() {
        let lab = Lab::new();
        let environment = KeySource::Environment("KEY".into());
        let variable = ("KEY", Path::new(HEX));
        lab.load(&environment, variable).unwrap();
        let copy = lab.file("state/data/relay.env", &format!("KEY={HEX}\n"));
        let found = lab.load(&environment, variable);
        assert!(matches!(found, Err(KeyError::Copied(path)) if path == copy));
        // Links are no copies, wherever they lead.
        fs::remove_file(&copy).unwrap();
        std::os::unix::fs::symlink(&lab.data, lab.path("state/data/round")).unwrap();
        std::os::unix::fs::symlink("nowhere", lab.path("state/data/lost")).unwrap();
        lab.load(&environment, variable).unwrap();
        // The same file under a second name is one.
        let phrase = lab.file("keys/phrase", PHRASE);
        fs::hard_link(&phrase, &copy).unwrap();
        let found = lab.load(&KeySource::Passphrase(phrase), none());
        assert!(matches!(found, Err(KeyError::Copied(path)) if path == copy));
    }

    #[test]
    fn what_is_missing_or_open_is_named() {
        let lab = Lab::new();
        let credential = KeySource::Credential("store-key".into());
        assert!(matches!(lab.load(&credential, none()), Err(KeyError::NoCredential(_))));
        let keys = lab.path("keys");
        let empty = lab.load(&credential, ("CREDENTIALS_DIRECTORY", &keys));
        assert!(matches!(empty, Err(KeyError::NoCredential(_))));
        let environment = KeySource::Environment("KEY".into());
        assert!(matches!(lab.load(&environment, none()), Err(KeyError::NoVariable(_))));
        let short = lab.load(&environment, ("KEY", Path::new("aa")));
        assert!(matches!(short, Err(KeyError::Malformed(_))));
        let phrase = lab.file("keys/phrase", PHRASE);
        fs::set_permissions(&phrase, fs::Permissions::from_mode(0o644)).unwrap();
        let open = lab.load(&KeySource::Passphrase(phrase), none());
        assert!(matches!(open, Err(KeyError::Exposed(_))));
    }
}
