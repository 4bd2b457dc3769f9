//! What reached somebody's vault: everything in it, opened with its passphrase, and what of it
//! should not be there.

use std::path::Path;

use budstikke::{
    SecretString,
    vault::{Kind, Vault, VaultError},
};

use super::scan::{Found, Scanner};

/// Numbers of the kinds of entries that a client keeps are below this.
const KINDS: u16 = 256;

/// What a search of a vault went through.
pub(crate) struct Searched {
    /// Entries opened.
    pub(crate) entries: u64,
    /// Whether these are all that the vault holds.
    pub(crate) all: bool,
    pub(crate) bytes: u64,
    pub(crate) found: Vec<Found>,
}

/// Opens every entry of a vault that nobody has open, and searches it.
pub(crate) fn search(
    path: &Path,
    passphrase: &str,
    scanner: &Scanner,
) -> Result<Searched, VaultError> {
    let mut vault = Vault::open(path, &SecretString::from(passphrase))?;
    let place = path.file_stem().map(|name| name.to_string_lossy().into_owned());
    let place = place.unwrap_or_default();
    let mut searched = Searched { entries: 0, all: false, bytes: 0, found: Vec::new() };
    let kinds = (0..KINDS).map(Kind::new).chain([Kind::MLS_STATE]);
    vault.read(|view| {
        for kind in kinds {
            for row in view.list(kind)? {
                searched.entries += 1;
                for bytes in [&row.key, &row.value] {
                    searched.bytes += bytes.len() as u64;
                    searched.found.extend(scanner.bytes(bytes, &place));
                }
            }
        }
        Ok::<_, VaultError>(())
    })?;
    searched.all = vault.check()? == searched.entries;
    vault.close()?;
    Ok(searched)
}
