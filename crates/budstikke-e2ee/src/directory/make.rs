//! The issuer's side: signing the next directory.

use prost::Message as _;

use super::{
    DOMAIN, Directory, DirectoryError, LIFETIME, ListedUnit, MAX_HISTORY, MAX_LEN, Revocation,
    RootRevocation,
};
use crate::{
    cert::{CertError, Chain},
    keys::SigningKey,
    pb,
    reserve::Holder,
    signed,
};

/// What goes into a directory.
#[derive(Debug, Clone, Default)]
pub struct Contents {
    /// The units.
    pub units: Vec<ListedUnit>,
    /// Where the directory is published.
    pub relays: Vec<String>,
    /// What counts no more. One whose `listed_at` is 0 is new.
    pub revocations: Vec<Revocation>,
    /// What the root has said of issuers.
    pub root_revocations: Vec<RootRevocation>,
    /// Three, or none.
    pub holders: Vec<Holder>,
}

impl Contents {
    /// Signs the directory that follows `previous`, for [`LIFETIME`].
    ///
    /// # Errors
    /// [`DirectoryError::Certificate`] if `issuer` is not the key certified by `chain`;
    /// [`DirectoryError::TooLarge`], [`DirectoryError::Malformed`] for contents that no reader would
    /// take.
    pub fn sign(
        &self,
        issuer: &SigningKey,
        chain: &Chain,
        previous: Option<&Directory>,
        now: i64,
    ) -> Result<Vec<u8>, DirectoryError> {
        let root = chain.claimed_root();
        if chain.verify_issuer(&root, now)?.key != issuer.public() {
            return Err(CertError::NotYourCertificate.into());
        }
        let mut history = Vec::new();
        if let Some(previous) = previous {
            history.push(previous.hash.to_vec());
            history.extend(previous.history.iter().map(|hash| hash.to_vec()));
            history.truncate(MAX_HISTORY);
        }
        let listed = |of: &Revocation| match of.listed_at {
            0 => Revocation { listed_at: now, ..*of }.to_pb(),
            _ => of.to_pb(),
        };
        let body = pb::DirectoryBody {
            version: 1,
            number: previous.map_or(1, |previous| previous.number.saturating_add(1)),
            made_at: now,
            valid_until: now.saturating_add(LIFETIME),
            chain: chain.to_bytes(),
            history,
            units: self.units.iter().map(ListedUnit::to_pb).collect(),
            relays: self.relays.clone(),
            revocations: self.revocations.iter().map(listed).collect(),
            root_revocations: self.root_revocations.iter().map(RootRevocation::to_bytes).collect(),
            holders: self.holders.iter().map(Holder::to_pb).collect(),
        };
        let bytes = signed::seal(DOMAIN, issuer, body.encode_to_vec());
        if bytes.len() > MAX_LEN {
            return Err(DirectoryError::TooLarge);
        }
        // As its readers will judge it.
        Directory::verify(&bytes, &root, now)?;
        Ok(bytes)
    }
}
