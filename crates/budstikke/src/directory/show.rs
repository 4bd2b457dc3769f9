//! The directory as people see it, and as they carry it by hand.

use budstikke_e2ee::armor;
use budstikke_e2ee::cert::UnitKind;
use budstikke_e2ee::directory::{Directory, Reason, Revoked, RootRevocation, Standing};
use budstikke_e2ee::keys::Fingerprint;
use data_encoding::HEXLOWER;

use super::{held, held_bytes, places, take, take_root, trust};
use crate::client::{Client, Work};
use crate::error::{Error, Trust};
use crate::records::{self, DirectoryRecord};

/// First word of a directory as text.
pub(crate) const DIRECTORY: &str = "buddirectory1";
/// First word of the root's word about an issuer.
pub(crate) const ROOT_REVOCATION: &str = "budrootrevocation1";

/// What this device holds of one Ministry's directory.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DirectoryCard {
    /// Fingerprint of the Ministry's root, 64 hexadecimal digits.
    pub root_fingerprint: String,
    /// Counts up with every directory; 0 before any was seen.
    pub number: u64,
    /// Unix seconds at which it was made.
    pub made_at: i64,
    /// Unix seconds at which it came here.
    pub taken_at: i64,
    /// Unix seconds until which it holds.
    pub valid_until: i64,
    /// Whether one was seen and its time is over: what needs authority waits for the next.
    pub stale: bool,
    /// Numbers of directories that came and contradict this one: somebody is shown another one.
    pub forks: Vec<u64>,
    /// The Ministry's missions and desks.
    pub units: Vec<DirectoryUnit>,
    /// Relays on which it is published.
    pub relays: Vec<String>,
    /// What counts no more.
    pub revoked: Vec<RevokedKey>,
    /// The three holders, if it names any.
    pub holders: Vec<ListedHolder>,
}

/// A holder in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedHolder {
    /// Name for people.
    pub name: String,
    /// Of its key, 64 hexadecimal digits, to be compared with the holder's own vault.
    pub fingerprint: String,
}

/// A unit in the directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryUnit {
    /// Stable id, like `no.emb.karvonia`.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// What it is.
    pub kind: UnitKind,
    /// Its key, 64 hexadecimal digits.
    pub key: String,
}

/// A key that counts no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedKey {
    /// `device`, `unit`, `relay` or `issuer`.
    pub what: &'static str,
    /// The key, or a relay's id: 64 hexadecimal digits.
    pub key: String,
    /// Why, as a stable word.
    pub reason: &'static str,
    /// Unix seconds since when.
    pub since: i64,
}

/// What became of a text that was brought by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Imported {
    /// It is later than what was held, or new, and counts now.
    Taken,
    /// It is here already.
    Known,
    /// It is older than the one that is held: ignored.
    Older,
    /// It contradicts the one that is held: kept as proof, and not gone by.
    Forked,
}

impl Client {
    /// What this device holds of the directory, for every Ministry that it has to do with.
    ///
    /// # Errors
    /// [`Error::Vault`].
    pub async fn directory(&self) -> Result<Vec<DirectoryCard>, Error> {
        self.vault(|work| places(work)?.keys().map(|root| card(work, root)).collect()).await
    }

    /// The directory as text, to be carried to who can't fetch it, for every Ministry of which one is held.
    ///
    /// # Errors
    /// [`Error::NotFound`] before any was seen.
    pub async fn export_directory(&self) -> Result<String, Error> {
        self.vault(|work| {
            let mut texts = Vec::new();
            for root in places(work)?.keys() {
                let bytes = held_bytes(work, root)?;
                if !bytes.is_empty() {
                    texts.push(armor::encode(DIRECTORY, &bytes));
                }
            }
            if texts.is_empty() {
                return Err(Error::NotFound { what: "the Ministry's directory" });
            }
            Ok(texts.join("\n"))
        })
        .await
    }

    /// Takes a directory, or the root's word about an issuer, that somebody has brought as text.
    ///
    /// # Errors
    /// [`Error::Trust`] when it does not verify, or hangs from a root that this device has nothing to do with.
    pub async fn import_directory(&self, text: &str) -> Result<Imported, Error> {
        if text.trim_start().starts_with(ROOT_REVOCATION) {
            let bytes = armor::decode(ROOT_REVOCATION, text)?;
            return self.vault(move |work| import_word(work, &bytes)).await;
        }
        let bytes = armor::decode(DIRECTORY, text)?;
        self.vault(move |work| {
            let root = known(work, Directory::claimed_root(&bytes))?;
            Ok(match take(work, &root, &bytes)? {
                Standing::Newer | Standing::AfterGap => Imported::Taken,
                Standing::Same => Imported::Known,
                Standing::Forked => Imported::Forked,
                _ => Imported::Older,
            })
        })
        .await
    }
}

fn import_word(work: &Work<'_>, bytes: &[u8]) -> Result<Imported, Error> {
    let root = known(work, RootRevocation::claimed_root(bytes))?;
    let word = RootRevocation::verify(bytes, &root)?;
    if trust(work, &root)?.check_issuer(&word.issuer).is_err() {
        return Ok(Imported::Known);
    }
    take_root(work, &root, &word)?;
    Ok(Imported::Taken)
}

/// A root that this device has to do with.
fn known(work: &Work<'_>, root: Option<Fingerprint>) -> Result<Fingerprint, Error> {
    let places = places(work)?;
    let known = root.filter(|root| places.contains_key(root));
    known.ok_or_else(|| Error::Trust(Box::new(Trust::UnknownRoot)))
}

/// What is held under a root.
pub(super) fn card(work: &Work<'_>, root: &Fingerprint) -> Result<DirectoryCard, Error> {
    let trust = trust(work, root)?;
    let record = records::load::<DirectoryRecord>(work.tx, root)?.unwrap_or_default();
    let held = held(work, root)?;
    let forks = record.forks.iter().filter_map(|fork| Directory::kept(fork, root).ok());
    let units = held.iter().flat_map(|held| &held.units).map(|unit| DirectoryUnit {
        id: unit.id.clone(),
        name: unit.name.clone(),
        kind: unit.kind,
        key: HEXLOWER.encode(unit.key.as_bytes()),
    });
    let holders = held.iter().flat_map(|held| &held.holders).map(|holder| ListedHolder {
        name: holder.name.clone(),
        fingerprint: HEXLOWER.encode(&holder.fingerprint()),
    });
    Ok(DirectoryCard {
        root_fingerprint: HEXLOWER.encode(root),
        number: trust.number,
        made_at: held.as_ref().map_or(0, |held| held.made_at),
        taken_at: record.taken_at,
        valid_until: trust.valid_until,
        stale: trust.is_stale(work.now),
        forks: forks.map(|fork| fork.number).collect(),
        units: units.collect(),
        relays: held.as_ref().map(|held| held.relays.clone()).unwrap_or_default(),
        revoked: trust.revoked().iter().filter_map(revoked).collect(),
        holders: holders.collect(),
    })
}

fn revoked(of: &budstikke_e2ee::directory::Revocation) -> Option<RevokedKey> {
    let (what, key) = match &of.what {
        Revoked::Device(key) => ("device", HEXLOWER.encode(key.as_bytes())),
        Revoked::Unit(key) => ("unit", HEXLOWER.encode(key.as_bytes())),
        Revoked::Relay(id) => ("relay", HEXLOWER.encode(id.as_bytes())),
        Revoked::Issuer(key) => ("issuer", HEXLOWER.encode(key.as_bytes())),
        _ => return None,
    };
    let reason = match of.reason {
        Reason::Other => "",
        reason => reason.name(),
    };
    Some(RevokedKey { what, key, reason, since: of.since })
}
