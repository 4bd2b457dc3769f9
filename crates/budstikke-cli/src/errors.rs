//! The client's errors in the reader's words, each with its exit code.

use budstikke::{Error, ErrorClass, FreezeReason, vault::VaultError};

use crate::{
    catalogue::{Catalogue, t},
    commands::directory,
    exit::Exit,
    failure::Failure,
    refused,
};

/// What a person should read, and what a script should see.
pub(crate) fn failure(error: &Error, catalogue: &Catalogue) -> Failure {
    let cause = sentence(&error.to_string());
    match error {
        Error::Refused(refusal) => refused::refusal(refusal, catalogue),
        Error::Vault(vault) => self::vault(vault, cause, catalogue),
        Error::Relay(_) if error.class() == ErrorClass::Trust => {
            Failure::new(Exit::Trust, cause).next(t!(catalogue, "relay-wrong-next"))
        }
        Error::Relay(relay) if relay.is_about_tokens() => token(cause, catalogue),
        Error::Relay(_) => {
            Failure::new(Exit::Unreachable, cause).next(t!(catalogue, "relay-unreachable-next"))
        }
        stale if directory::is_stale(stale) => {
            Failure::new(Exit::Conflict, cause).next(t!(catalogue, "directory-stale-next"))
        }
        Error::Trust(_) => Failure::new(Exit::Trust, cause).next(t!(catalogue, "error-trust-next")),
        Error::Input { .. } => Failure::new(Exit::Usage, cause),
        Error::NotReady(_) => Failure::new(Exit::Conflict, cause),
        Error::WrongRole { .. } => {
            Failure::new(Exit::Conflict, cause).next(t!(catalogue, "error-wrong-role-next"))
        }
        Error::NotFound { .. } => Failure::new(Exit::NotFound, t!(catalogue, "error-not-found"))
            .next(t!(catalogue, "error-not-found-next")),
        Error::TakenByColleague => Failure::new(Exit::Conflict, t!(catalogue, "error-taken")),
        Error::Frozen { reason } => frozen(*reason, catalogue),
        Error::Damaged { .. } => Failure::new(Exit::Damaged, cause),
        _ => Failure::new(Exit::Internal, t!(catalogue, "error-internal", cause = cause)),
    }
}

/// A relay wants a token: no waiting helps, somebody else has to give one.
pub(crate) fn token(cause: String, catalogue: &Catalogue) -> Failure {
    let mut failure = Failure::new(Exit::Conflict, cause).next(t!(catalogue, "token-needed-next"));
    failure.who_can_fix = Some(t!(catalogue, "token-needed-who"));
    failure
}

fn frozen(reason: FreezeReason, catalogue: &Catalogue) -> Failure {
    let why = match reason {
        FreezeReason::RelayEquivocated => t!(catalogue, "error-frozen-relay"),
        _ => t!(catalogue, "error-frozen-fork"),
    };
    Failure::new(Exit::Conflict, t!(catalogue, "error-frozen", why = why))
        .next(t!(catalogue, "error-frozen-next"))
}

fn vault(error: &VaultError, cause: String, catalogue: &Catalogue) -> Failure {
    match error {
        VaultError::WrongPassphrase => {
            Failure::new(Exit::Passphrase, t!(catalogue, "vault-wrong-passphrase"))
                .next(t!(catalogue, "vault-wrong-passphrase-next"))
        }
        VaultError::InUse => Failure::new(Exit::Conflict, t!(catalogue, "vault-in-use"))
            .next(t!(catalogue, "vault-in-use-next")),
        VaultError::NotFound => Failure::new(Exit::Passphrase, cause),
        VaultError::Exists => Failure::new(Exit::Conflict, cause),
        VaultError::NotAVault | VaultError::Newer { .. } | VaultError::Damaged { .. } => {
            Failure::new(Exit::Damaged, cause)
        }
        _ => Failure::new(Exit::Internal, cause),
    }
}

/// A library's sentence as a person expects it: a capital in front, a full stop at the end.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut out: String =
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    if !out.ends_with(['.', '?', '!']) {
        out.push('.');
    }
    out
}
