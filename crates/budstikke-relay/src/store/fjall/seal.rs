//! What the disk sees: row keys are HMACs, values are sealed under the key of the day on which they expire.
//!
//! A day's key is random, stored wrapped under the store key, and destroyed when the day is past. So a thief of the
//! powered-off disk, without the store key, learns days and sizes; and with the store key, nothing of past days.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use rand_core::{OsRng, RngCore};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::store::StoreError;

const NONCE_LEN: usize = 24;
const DAY_LEN: usize = 4;
const CHECK: &[u8] = b"budstikke/store/check/v1";

/// The 32 bytes under which everything in the data folder is sealed. They come from outside that folder.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct StoreKey([u8; 32]);

impl StoreKey {
    /// Wraps 32 secret bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A fresh key.
    pub fn random() -> Self {
        let mut bytes = [0; 32];
        OsRng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals a small file of the data folder.
    pub(crate) fn seal_file(&self, name: &str, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        seal_value(&self.derive(b"budstikke/store/files/v1"), name.as_bytes(), plain)
    }

    pub(crate) fn open_file(
        &self,
        name: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, StoreError> {
        open_value(&self.derive(b"budstikke/store/files/v1"), name.as_bytes(), sealed)
    }

    fn derive(&self, info: &[u8]) -> SealingKey {
        let mut out = [0; 32];
        // HKDF-SHA256 refuses only outputs beyond 8,160 bytes.
        let _ = Hkdf::<Sha256>::new(None, &self.0).expand(info, &mut out);
        SealingKey(out)
    }
}

impl std::fmt::Debug for StoreKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreKey")
    }
}

#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct SealingKey([u8; 32]);

/// What a row is; keeps the keys of different kinds apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Mailbox = 1,
    Grant = 2,
    GrantAt = 3,
    CellAt = 4,
    Message = 5,
    Slot = 6,
    SlotPart = 7,
    Notice = 8,
    NoticePart = 9,
    CellBody = 10,
    Held = 11,
    HeldBody = 12,
    Blob = 13,
    BlobPart = 14,
    BlobOwner = 15,
    Token = 16,
}

pub(super) type RowKey = [u8; 32];

/// Makes row keys, seals and opens rows.
pub(super) struct Sealer {
    names: SealingKey,
    wrap: SealingKey,
    days: RwLock<HashMap<u32, Arc<SealingKey>>>,
}

impl Kind {
    pub(super) const fn code(self) -> u8 {
        self as u8
    }

    pub(super) const fn parse(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Mailbox,
            2 => Self::Grant,
            3 => Self::GrantAt,
            4 => Self::CellAt,
            5 => Self::Message,
            6 => Self::Slot,
            7 => Self::SlotPart,
            8 => Self::Notice,
            9 => Self::NoticePart,
            10 => Self::CellBody,
            11 => Self::Held,
            12 => Self::HeldBody,
            13 => Self::Blob,
            14 => Self::BlobPart,
            15 => Self::BlobOwner,
            16 => Self::Token,
            _ => return None,
        })
    }
}

impl Sealer {
    pub(super) fn new(key: &StoreKey) -> Self {
        Self {
            names: key.derive(b"budstikke/store/names/v1"),
            wrap: key.derive(b"budstikke/store/days/v1"),
            days: RwLock::default(),
        }
    }

    /// The key of a row: an HMAC over its kind and its id. Each part but the last has a fixed length.
    pub(super) fn row_key(&self, kind: Kind, parts: &[&[u8]]) -> RowKey {
        let Ok(mut mac) = <Hmac<Sha256> as Mac>::new_from_slice(&self.names.0) else {
            // HMAC takes keys of every length.
            return [0; 32];
        };
        mac.update(&[kind.code()]);
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// A fresh key for a day, and the same wrapped for the disk.
    pub(super) fn new_day(&self, day: u32) -> Result<(Arc<SealingKey>, Vec<u8>), StoreError> {
        let mut bytes = Zeroizing::new([0; 32]);
        OsRng.fill_bytes(bytes.as_mut());
        let wrapped = seal_value(&self.wrap, &day.to_be_bytes(), bytes.as_slice())?;
        Ok((Arc::new(SealingKey(*bytes)), wrapped))
    }

    /// A value that opens under the right store key only.
    pub(super) fn key_check(&self) -> Result<Vec<u8>, StoreError> {
        seal_value(&self.wrap, CHECK, CHECK)
    }

    pub(super) fn check_key(&self, value: &[u8]) -> Result<(), StoreError> {
        open_value(&self.wrap, CHECK, value).map(drop)
    }

    pub(super) fn unwrap_day(&self, day: u32, wrapped: &[u8]) -> Result<(), StoreError> {
        let bytes = open_value(&self.wrap, &day.to_be_bytes(), wrapped)?;
        let key = bytes.as_slice().try_into().map_err(|_| StoreError::Damaged)?;
        self.keep_day(day, Arc::new(SealingKey(key)));
        Ok(())
    }

    pub(super) fn keep_day(&self, day: u32, key: Arc<SealingKey>) {
        self.days.write().unwrap_or_else(PoisonError::into_inner).insert(day, key);
    }

    pub(super) fn forget_day(&self, day: u32) {
        self.days.write().unwrap_or_else(PoisonError::into_inner).remove(&day);
    }

    pub(super) fn day(&self, day: u32) -> Option<Arc<SealingKey>> {
        self.days.read().unwrap_or_else(PoisonError::into_inner).get(&day).cloned()
    }
}

/// Seals a row: its day in the clear, then nonce and ciphertext, tied to the row's key and the day.
pub(super) fn seal_row(
    key: &SealingKey,
    row: &RowKey,
    day: u32,
    plain: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let mut out = day.to_be_bytes().to_vec();
    out.extend_from_slice(&seal_value(key, &row_aad(row, day), plain)?);
    Ok(out)
}

/// The day on which a row expires.
pub(super) fn row_day(value: &[u8]) -> Result<u32, StoreError> {
    let day = value.first_chunk::<DAY_LEN>().ok_or(StoreError::Damaged)?;
    Ok(u32::from_be_bytes(*day))
}

pub(super) fn open_row(
    key: &SealingKey,
    row: &RowKey,
    value: &[u8],
) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let day = row_day(value)?;
    open_value(key, &row_aad(row, day), value.get(DAY_LEN..).unwrap_or_default())
}

fn row_aad(row: &RowKey, day: u32) -> [u8; 36] {
    let mut aad = [0; 36];
    let (front, back) = aad.split_at_mut(32);
    front.copy_from_slice(row);
    back.copy_from_slice(&day.to_be_bytes());
    aad
}

fn seal_value(key: &SealingKey, aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, StoreError> {
    let mut nonce = [0; NONCE_LEN];
    OsRng.fill_bytes(&mut nonce);
    let sealed = XChaCha20Poly1305::new(Key::from_slice(&key.0))
        .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad })
        .map_err(|_| StoreError::Damaged)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn open_value(
    key: &SealingKey,
    aad: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, StoreError> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(StoreError::Damaged)?;
    XChaCha20Poly1305::new(Key::from_slice(&key.0))
        .decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad })
        .map(Zeroizing::new)
        .map_err(|_| StoreError::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_open_under_their_own_key_and_place_only() {
        let sealer = Sealer::new(&StoreKey::from_bytes([1; 32]));
        let (day_key, wrapped) = sealer.new_day(7).unwrap();
        let (a, b) =
            (sealer.row_key(Kind::CellBody, &[b"a"]), sealer.row_key(Kind::CellBody, &[b"b"]));
        let value = seal_row(&day_key, &a, 7, b"plain").unwrap();
        assert_eq!(row_day(&value), Ok(7));
        assert_eq!(open_row(&day_key, &a, &value).unwrap().as_slice(), b"plain");
        assert_eq!(open_row(&day_key, &b, &value), Err(StoreError::Damaged));
        let mut later = value.clone();
        later[3] ^= 1;
        assert_eq!(open_row(&day_key, &a, &later), Err(StoreError::Damaged));

        assert_eq!(sealer.unwrap_day(8, &wrapped), Err(StoreError::Damaged));
        sealer.unwrap_day(7, &wrapped).unwrap();
        let again = sealer.day(7).unwrap();
        assert_eq!(open_row(&again, &a, &value).unwrap().as_slice(), b"plain");
        let other = Sealer::new(&StoreKey::from_bytes([2; 32]));
        assert_eq!(other.unwrap_day(7, &wrapped), Err(StoreError::Damaged));
        assert_ne!(other.row_key(Kind::CellBody, &[b"a"]), a);
        assert_ne!(sealer.row_key(Kind::Grant, &[b"a"]), a);
    }
}
