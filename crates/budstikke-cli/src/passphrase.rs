//! The passphrase: from a file, from the environment, or asked for without echo. Never an argument,
//! and never a wait for somebody who is not there.

use std::{
    io::{BufRead as _, IsTerminal as _, Read as _},
    path::Path,
};

use dialoguer::Password;
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    catalogue::{Catalogue, t},
    exit::Exit,
    failure::Failure,
    files,
};

/// Longer than any passphrase, short enough for any mistake.
const MAX_BYTES: u64 = 4096;

/// What the passphrase is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// Opening a vault that is there.
    Open,
    /// A new vault, or a new passphrase for one: asked for twice.
    New,
}

/// The passphrase, from `file`, else the environment variable `variable`, else the terminal.
pub(crate) fn obtain(
    file: Option<&Path>,
    variable: &str,
    purpose: For,
    catalogue: &Catalogue,
) -> Result<SecretString, Failure> {
    let passphrase = if let Some(file) = file {
        from_file(file, catalogue)?
    } else if let Ok(text) = std::env::var(variable) {
        SecretString::from(text)
    } else if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        ask(purpose, catalogue)?
    } else {
        let text = t!(catalogue, "passphrase-nobody-to-ask");
        return Err(Failure::new(Exit::Passphrase, text).next(t!(
            catalogue,
            "passphrase-nobody-to-ask-next",
            variable = variable
        )));
    };
    if passphrase.expose_secret().is_empty() {
        return Err(Failure::new(Exit::Passphrase, t!(catalogue, "passphrase-empty")));
    }
    Ok(passphrase)
}

/// The first line of the file, without its line break.
fn from_file(path: &Path, catalogue: &Catalogue) -> Result<SecretString, Failure> {
    let mut text = String::new();
    let read = if files::is_std(path) {
        std::io::stdin().lock().take(MAX_BYTES).read_line(&mut text)
    } else {
        std::fs::File::open(path)
            .and_then(|file| std::io::BufReader::new(file.take(MAX_BYTES)).read_line(&mut text))
    };
    read.map_err(|error| {
        let (file, cause) = (files::shown(path), error.to_string());
        Failure::new(Exit::Passphrase, t!(catalogue, "path-unreadable", file = file, cause = cause))
    })?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(SecretString::from(text))
}

fn ask(purpose: For, catalogue: &Catalogue) -> Result<SecretString, Failure> {
    let mut prompt = Password::new();
    if purpose == For::New {
        anstream::eprintln!("{}", t!(catalogue, "passphrase-choose"));
        prompt = prompt.with_prompt(t!(catalogue, "passphrase-new")).with_confirmation(
            t!(catalogue, "passphrase-again"),
            t!(catalogue, "passphrase-differs"),
        );
    } else {
        prompt = prompt.with_prompt(t!(catalogue, "passphrase-ask"));
    }
    prompt.interact().map(SecretString::from).map_err(|error| {
        let cause = error.to_string();
        Failure::new(Exit::Passphrase, t!(catalogue, "passphrase-not-read", cause = cause))
    })
}
