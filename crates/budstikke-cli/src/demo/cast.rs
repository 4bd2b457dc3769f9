//! The people of the story, each with a vault of their own.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use budstikke::{Client, Error, SecretString, clock::Clock};

use super::watch::{Seen, Watched};

pub(crate) const MINISTRY: &str = "Ministry of Foreign Affairs";
pub(crate) const MISSION: &str = "Embassy in Karvonia";
pub(crate) const UNIT: &str = "no.emb.karvonia";
pub(crate) const DESK: &str = "Human rights desk";
pub(crate) const DESK_UNIT: &str = "no.mfa.desk";
pub(crate) const OFFICER_A: &str = "Officer A";
pub(crate) const OFFICER_B: &str = "Officer B";
pub(crate) const HEAD_H: &str = "Head H";
pub(crate) const DESK_M: &str = "Desk M";
pub(crate) const DECIDER_K: &str = "Decision-maker K";
pub(crate) const DUTY_D: &str = "Duty officer D";
pub(crate) const HERON: &str = "HERON";
pub(crate) const REED: &str = "REED";

/// Everybody's vault.
pub(crate) const VAULTS: [&str; 6] =
    ["ministry", "officer-a", "officer-b", "heron", "desk", "decider"];

/// Makes and opens the vaults.
pub(crate) struct Vaults {
    folder: PathBuf,
    seen: Seen,
    clock: Clock,
}

impl Vaults {
    pub(crate) fn new(folder: PathBuf, seen: Seen, clock: Clock) -> Self {
        Self { folder, seen, clock }
    }

    /// A new vault.
    pub(crate) async fn create(&self, name: &str) -> Result<Client, Error> {
        self.builder(name, &passphrase(name)).create().await
    }

    /// A vault that is there, opened with any passphrase.
    pub(crate) async fn open(&self, name: &str, passphrase: &str) -> Result<Client, Error> {
        self.builder(name, passphrase).open().await
    }

    /// Where a vault lies.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.vault"))
    }

    /// The folder of all of them.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    fn builder(&self, name: &str, passphrase: &str) -> budstikke::Builder {
        Client::builder(self.path(name))
            .passphrase(SecretString::from(passphrase))
            .clock(self.clock.clone())
            .transport(Arc::new(Watched::new(self.seen.clone())))
    }
}

/// Everybody's passphrase in the story.
pub(crate) fn passphrase(name: &str) -> String {
    format!("{name} keeps seven boats by the water")
}
