//! The people of the story, each with a vault of their own, and what they read and write.

use std::{path::PathBuf, sync::Arc};

use budstikke::{Client, Error, SecretString};

use super::watch::{Seen, Watched};
use crate::case::{
    file::{FileError, Format, IntakeFile, PrivacyNoticeFile, TermsFile},
    wire::{QuietTime, QuietWindow},
};

pub(crate) const MINISTRY: &str = "Ministry of Foreign Affairs";
pub(crate) const MISSION: &str = "Embassy in Karvonia";
pub(crate) const UNIT: &str = "no.emb.karvonia";
pub(crate) const OFFICER_A: &str = "Officer A";
pub(crate) const OFFICER_B: &str = "Officer B";
pub(crate) const HERON: &str = "HERON";

pub(crate) const OFFER: &str = include_str!("../../../../tests/data/terms-offer.toml");
pub(crate) const COUNTER: &str = include_str!("../../../../tests/data/terms-counter.toml");
pub(crate) const EMERGENCY_TERMS: &str =
    include_str!("../../../../tests/data/terms-emergency.toml");
pub(crate) const PRIVACY: &str = include_str!("../../../../tests/data/privacy-notice.toml");
pub(crate) const INTAKE: &str = include_str!("../../../../tests/data/intake-heron.toml");

/// Makes and opens the vaults.
pub(crate) struct Vaults {
    folder: PathBuf,
    seen: Seen,
}

impl Vaults {
    pub(crate) fn new(folder: PathBuf, seen: Seen) -> Self {
        Self { folder, seen }
    }

    /// A new vault.
    pub(crate) async fn create(&self, name: &str) -> Result<Client, Error> {
        self.builder(name, &passphrase(name)).create().await
    }

    /// A vault that is there, opened with any passphrase.
    pub(crate) async fn open(&self, name: &str, passphrase: &str) -> Result<Client, Error> {
        self.builder(name, passphrase).open().await
    }

    fn builder(&self, name: &str, passphrase: &str) -> budstikke::Builder {
        Client::builder(self.folder.join(format!("{name}.vault")))
            .passphrase(SecretString::from(passphrase))
            .transport(Arc::new(Watched::new(self.seen.clone())))
    }
}

/// Everybody's passphrase in the story.
pub(crate) fn passphrase(name: &str) -> String {
    format!("{name} keeps seven boats by the water")
}

/// What the mission publishes.
pub(crate) fn offer(now: i64) -> Result<(TermsFile, TermsFile, PrivacyNoticeFile), FileError> {
    Ok((
        TermsFile::parse(OFFER, Format::Toml, now)?,
        TermsFile::parse(EMERGENCY_TERMS, Format::Toml, now)?,
        PrivacyNoticeFile::parse(PRIVACY, Format::Toml, now)?,
    ))
}

/// HERON's own terms. The quiet hours are moved away from now: the story must hold at any hour.
pub(crate) fn counter(now: i64) -> Result<TermsFile, FileError> {
    let mut file = TermsFile::parse(COUNTER, Format::Toml, now)?;
    if let Some(quiet) = &mut file.terms.quiet_time {
        *quiet = later_today(quiet, now);
    }
    Ok(file)
}

/// What HERON tells.
pub(crate) fn intake() -> Result<IntakeFile, FileError> {
    IntakeFile::parse(INTAKE, Format::Toml)
}

/// Eight hours of quiet that begin two hours from now.
fn later_today(quiet: &QuietTime, now: i64) -> QuietTime {
    let minute = |hours: i64| {
        let local = now / 60 + i64::from(quiet.utc_offset_min) + hours * 60;
        u32::try_from(local.rem_euclid(24 * 60)).unwrap_or_default()
    };
    let window = QuietWindow { from_minute: minute(2), until_minute: minute(10), weekdays: vec![] };
    QuietTime { windows: vec![window], ..quiet.clone() }
}
