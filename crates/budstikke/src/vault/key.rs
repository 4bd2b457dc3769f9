//! The vault's keys: passphrase → Argon2id → wrapped random data key → one key per purpose.
//!
//! The data key never changes, so a new passphrase re-wraps 32 bytes and no entry. A thief who
//! copied the file earlier can still open that copy with the earlier passphrase.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use chacha20poly1305::{AeadInPlace, Key, KeyInit, Tag, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use rand_core::{OsRng, RngCore};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::{Kind, VaultError};

pub(super) const SALT_LEN: usize = 16;
const KEY_LEN: usize = 32;
const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;
const WRAPPED_LEN: usize = NONCE_LEN + KEY_LEN + TAG_LEN;
const _: () = assert!(WRAPPED_LEN == 72);

/// The length of an entry's key, u32 big-endian, in front of key and value.
const PREFIX_LEN: usize = 4;

// Domain separation; the number is the format's version and changes with it.
const WRAP_AAD: &[u8] = b"budstikke/vault/v1/wrap";
const CHECK_AAD: &[u8] = b"budstikke/vault/v1/key-check";
const ITEM_AAD: &[u8] = b"budstikke/vault/v1/item";
const HEADER_HASH: &[u8] = b"budstikke/vault/v1/header";

const DAMAGED: VaultError = VaultError::Damaged { what: "the header" };

/// What one guess of the passphrase costs: Argon2id's memory, passes and lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// 64 MiB, 3 passes, 1 lane: RFC 9106's second choice in memory and passes; about 0.2 s of
    /// a core.
    pub const INTERACTIVE: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    /// 8 KiB, 1 pass: for tests only, guessed millions of times a second.
    pub const INSECURE_FOR_TESTS: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };

    /// A file may not ask for more: 1 GiB and 16 passes are some ten seconds.
    const MAX_MEMORY_KIB: u32 = 1024 * 1024;
    const MAX_PASSES: u32 = 16;
    const MAX_LANES: u32 = 8;

    /// `memory_kib` from 8 per lane to 1,048,576 (1 GiB), `passes` 1 to 16, `lanes` 1 to 8.
    ///
    /// # Errors
    /// [`VaultError::Cost`] if one is out of bounds.
    pub const fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, VaultError> {
        let sane = passes >= 1
            && passes <= Self::MAX_PASSES
            && lanes >= 1
            && lanes <= Self::MAX_LANES
            && memory_kib >= 8 * lanes
            && memory_kib <= Self::MAX_MEMORY_KIB;
        if sane { Ok(Self { memory_kib, passes, lanes }) } else { Err(VaultError::Cost) }
    }

    fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        for (to, from) in bytes.chunks_exact_mut(4).zip([self.memory_kib, self.passes, self.lanes])
        {
            to.copy_from_slice(&from.to_be_bytes());
        }
        bytes
    }
}

/// The header row: everything that is needed to try a passphrase.
pub(super) struct Header {
    pub(super) salt: Vec<u8>,
    pub(super) memory_kib: i64,
    pub(super) passes: i64,
    pub(super) lanes: i64,
    pub(super) wrapped: Vec<u8>,
    pub(super) checksum: Vec<u8>,
    pub(super) key_check: Vec<u8>,
}

impl Header {
    /// Wraps `data_key` under `passphrase` with a fresh salt.
    pub(super) fn seal(
        data_key: &DataKey,
        passphrase: &SecretString,
        cost: Cost,
    ) -> Result<Self, VaultError> {
        let salt: [u8; SALT_LEN] = random()?;
        let kek = derive(passphrase, &salt, cost)?;
        let wrapped = seal(&kek, &wrap_aad(&salt, cost), &data_key.root[..])?;
        let key_check = seal(&data_key.seal, CHECK_AAD, &[])?;
        let mut header = Self {
            salt: salt.to_vec(),
            memory_kib: cost.memory_kib.into(),
            passes: cost.passes.into(),
            lanes: cost.lanes.into(),
            wrapped,
            checksum: Vec::new(),
            key_check,
        };
        header.checksum = header.hash(cost).to_vec();
        Ok(header)
    }

    /// The data key, if `passphrase` is right. Costs one Argon2id within [`Cost`]'s bounds.
    pub(super) fn open(&self, passphrase: &SecretString) -> Result<DataKey, VaultError> {
        let cost = self.cost()?;
        let kek = derive(passphrase, &self.salt, cost)?;
        let root = open(&kek, &wrap_aad(&self.salt, cost), &self.wrapped)
            .ok_or(VaultError::WrongPassphrase)?;
        let root = <[u8; KEY_LEN]>::try_from(&root[..]).map_err(|_| DAMAGED)?;
        let data_key = DataKey::new(Zeroizing::new(root));
        self.check(&data_key)?;
        Ok(data_key)
    }

    /// The cost, if the header is as it was written.
    pub(super) fn cost(&self) -> Result<Cost, VaultError> {
        let [memory, passes, lanes] = [self.memory_kib, self.passes, self.lanes]
            .map(|number| u32::try_from(number).map_err(|_| DAMAGED));
        let cost = Cost::new(memory?, passes?, lanes?).map_err(|_| DAMAGED)?;
        // Public columns only, so the hash helps no guess; it keeps a flipped bit from being
        // reported as a wrong passphrase.
        let whole = self.salt.len() == SALT_LEN
            && self.wrapped.len() == WRAPPED_LEN
            && self.checksum == self.hash(cost);
        if whole { Ok(cost) } else { Err(DAMAGED) }
    }

    /// That the header is whole and belongs to the entries that `keys` opens.
    pub(super) fn check(&self, keys: &DataKey) -> Result<(), VaultError> {
        self.cost()?;
        open(&keys.seal, CHECK_AAD, &self.key_check).map(drop).ok_or(DAMAGED)
    }

    fn hash(&self, cost: Cost) -> [u8; 32] {
        let mut hash = Sha256::new_with_prefix(HEADER_HASH);
        hash.update(cost.to_bytes());
        for part in [&self.salt, &self.wrapped] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// Seals entries and hides their keys. Wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(super) struct DataKey {
    root: Zeroizing<[u8; KEY_LEN]>,
    seal: Zeroizing<[u8; KEY_LEN]>,
    lookup: Zeroizing<[u8; KEY_LEN]>,
}

/// Where an entry lies; bound into its seal, so that no entry opens in another's place.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) space: i64,
    pub(super) seq: i64,
    /// `None`: an appended entry.
    pub(super) mac: Option<&'a [u8]>,
}

/// An opened entry.
pub(super) struct Entry {
    pub(super) key: Zeroizing<Vec<u8>>,
    pub(super) value: Zeroizing<Vec<u8>>,
}

impl DataKey {
    pub(super) fn new(root: Zeroizing<[u8; KEY_LEN]>) -> Self {
        let subkey = |label: &[u8]| Zeroizing::new(hmac(&root, &[label]));
        let (seal, lookup) =
            (subkey(b"budstikke/vault/v1/seal"), subkey(b"budstikke/vault/v1/lookup"));
        Self { root, seal, lookup }
    }

    /// The number under which a kind's entries stand in the file.
    pub(super) fn space(&self, kind: Kind) -> i64 {
        let mac = hmac(&self.lookup, &[b"space", &kind.0.to_be_bytes()]);
        let (first, _) = mac.split_first_chunk().unwrap_or((&[0; 8], &[]));
        i64::from_be_bytes(*first)
    }

    /// What stands in the file instead of `key`.
    pub(super) fn mac(&self, space: i64, key: &[u8]) -> [u8; 32] {
        hmac(&self.lookup, &[b"entry", &space.to_be_bytes(), key])
    }

    pub(super) fn seal_entry(
        &self,
        place: Place<'_>,
        key: &[u8],
        value: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let key_len = u32::try_from(key.len())
            .map_err(|_| VaultError::TooLarge { len: key.len(), max: super::MAX_KEY_LEN })?;
        let mut plain = Zeroizing::new(Vec::with_capacity(PREFIX_LEN + key.len() + value.len()));
        plain.extend_from_slice(&key_len.to_be_bytes());
        plain.extend_from_slice(key);
        plain.extend_from_slice(value);
        seal(&self.seal, &item_aad(place), &plain)
    }

    /// `None`: the bytes are not what was sealed for this place.
    pub(super) fn open_entry(&self, place: Place<'_>, sealed: &[u8]) -> Option<Entry> {
        let plain = open(&self.seal, &item_aad(place), sealed)?;
        let (prefix, rest) = plain.split_first_chunk::<PREFIX_LEN>()?;
        let key_len = usize::try_from(u32::from_be_bytes(*prefix)).ok()?;
        let (key, value) = rest.split_at_checked(key_len)?;
        Some(Entry { key: Zeroizing::new(key.to_vec()), value: Zeroizing::new(value.to_vec()) })
    }
}

/// HMAC-SHA256 over the parts as one string; a PRF, so it derives keys as well as it hides them.
fn hmac(key: &[u8; KEY_LEN], parts: &[&[u8]]) -> [u8; 32] {
    // HMAC fills a key up to the hash's block (64 bytes) with zeros; done here, `new` can't fail.
    let mut block = Zeroizing::new([0; 64]);
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    let mut mac = <Hmac<Sha256> as KeyInit>::new((&*block).into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// Bytes of the operating system's generator; a failure is reported, never ignored.
pub(super) fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(|_| VaultError::Io {
        detail: "the operating system gave no random numbers".to_owned(),
    })?;
    Ok(bytes)
}

fn derive(
    passphrase: &SecretString,
    salt: &[u8],
    cost: Cost,
) -> Result<Zeroizing<[u8; KEY_LEN]>, VaultError> {
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(KEY_LEN))
        .map_err(|_| VaultError::Cost)?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    // Our own blocks, so that too little memory is an error and not an abort, and they are wiped.
    let mut blocks = Zeroizing::new(Vec::new());
    blocks
        .try_reserve_exact(params.block_count())
        .map_err(|_| VaultError::Memory { kib: cost.memory_kib })?;
    blocks.resize(params.block_count(), Block::default());
    let mut key = Zeroizing::new([0; KEY_LEN]);
    argon2
        .hash_password_into_with_memory(
            passphrase.expose_secret().as_bytes(),
            salt,
            &mut key[..],
            &mut blocks[..],
        )
        .map_err(|_| VaultError::Damaged { what: "the header" })?;
    Ok(key)
}

/// nonce ‖ ciphertext ‖ tag under a random nonce (24 bytes: no counter to keep).
fn seal(key: &[u8; KEY_LEN], aad: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    let nonce: [u8; NONCE_LEN] = random()?;
    let mut sealed = Vec::with_capacity(NONCE_LEN + plain.len() + TAG_LEN);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(plain);
    let (_, body) = sealed.split_at_mut(NONCE_LEN);
    let tag = XChaCha20Poly1305::new(Key::from_slice(key))
        .encrypt_in_place_detached(XNonce::from_slice(&nonce), aad, body)
        .map_err(|_| VaultError::TooLarge { len: plain.len(), max: super::MAX_VALUE_LEN })?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

fn open(key: &[u8; KEY_LEN], aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, rest) = sealed.split_first_chunk::<NONCE_LEN>()?;
    let (body, tag) = rest.split_last_chunk::<TAG_LEN>()?;
    let mut plain = Zeroizing::new(body.to_vec());
    XChaCha20Poly1305::new(Key::from_slice(key))
        .decrypt_in_place_detached(XNonce::from_slice(nonce), aad, &mut plain, Tag::from_slice(tag))
        .ok()?;
    Some(plain)
}

fn wrap_aad(salt: &[u8], cost: Cost) -> Vec<u8> {
    [WRAP_AAD, &cost.to_bytes(), salt].concat()
}

/// Every part but the last has a fixed length, so no two places give equal bytes.
fn item_aad(place: Place<'_>) -> Vec<u8> {
    let (tag, mac): (u8, &[u8]) = place.mac.map_or((0, &[]), |mac| (1, mac));
    [ITEM_AAD, &place.space.to_be_bytes(), &place.seq.to_be_bytes(), &[tag], mac].concat()
}
