//! Files in and out; `-` is standard input or output. What is written is for its owner's eyes.

use std::{
    fs,
    io::{self, IsTerminal as _, Read as _, Write as _},
    path::{Path, PathBuf},
};

use etcetera::BaseStrategy as _;

use crate::{
    catalogue::{Catalogue, t},
    exit::Exit,
    failure::Failure,
};

/// No file that a person gives is larger than this many bytes; more is a mistake.
const MAX: u64 = 1 << 20;

/// Whether a path means standard input or output.
pub(crate) fn is_std(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads a text file, or standard input to its end.
pub(crate) fn read(path: &Path, catalogue: &Catalogue) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let done = if is_std(path) {
        if io::stdin().is_terminal() {
            let _ = writeln!(anstream::stderr(), "{}", t!(catalogue, "path-type-here"));
        }
        io::stdin().lock().take(MAX + 1).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(MAX + 1).read_to_end(&mut bytes))
    };
    let name = shown(path);
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(Failure::new(Exit::NotFound, t!(catalogue, "path-not-found", file = name))
                .next(t!(catalogue, "path-not-found-next")));
        }
        Err(error) => {
            let text = t!(catalogue, "path-unreadable", file = name, cause = error.to_string());
            return Err(Failure::new(Exit::Usage, text));
        }
        Ok(_) => {}
    }
    if bytes.len() as u64 > MAX {
        return Err(Failure::new(Exit::Usage, t!(catalogue, "path-too-large", file = name)));
    }
    String::from_utf8(bytes)
        .map_err(|_| Failure::new(Exit::Usage, t!(catalogue, "path-not-text", file = name)))
}

/// Writes a text to a new or existing file that only its owner can read; gives it back when it is
/// for standard output, where [`crate::out`] puts it.
pub(crate) fn write(
    path: &Path,
    text: String,
    catalogue: &Catalogue,
) -> Result<Option<String>, Failure> {
    if is_std(path) {
        return Ok(Some(text));
    }
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
        .open(path)
        .and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()
        })
        .map_err(|error| {
            let cause = error.to_string();
            let text = t!(catalogue, "path-unwritable", file = shown(path), cause = cause);
            Failure::new(Exit::Usage, text)
        })?;
    Ok(None)
}

/// The folder of this person's vault: `--home`, else BUD_HOME (clap reads it), else the data folder
/// of the account.
pub(crate) fn home(given: Option<&PathBuf>, catalogue: &Catalogue) -> Result<PathBuf, Failure> {
    if let Some(home) = given {
        return Ok(home.clone());
    }
    etcetera::choose_base_strategy()
        .map(|base| base.data_dir().join("bud"))
        .map_err(|_| Failure::new(Exit::Usage, t!(catalogue, "home-unknown")))
}

/// Makes the vault's folder, closed to others.
pub(crate) fn make_home(home: &Path, catalogue: &Catalogue) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(home).map_err(|error| {
        let cause = error.to_string();
        let text = t!(catalogue, "path-unwritable", file = shown(home), cause = cause);
        Failure::new(Exit::Usage, text)
    })
}

/// A path as a person wrote it.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}
