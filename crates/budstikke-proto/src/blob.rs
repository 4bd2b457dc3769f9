//! Blobs (SPEC.md section 5.5): sealed chunks of three exact sizes, written once.
//!
//! A chunk is cut into payloads of 15,024 bytes, the last filled with zeros. What is larger than the largest size is
//! several blobs; what is smaller is filled up before it is sealed.
//!
//! ```
//! use budstikke_proto::blob::{self, BlobKey, BlobSize};
//! # fn example(mut rng: impl rand_core::RngCore + rand_core::CryptoRng) -> Result<(), blob::BlobError> {
//! let key = BlobKey::random(&mut rng);
//! let sealed = blob::seal(b"a photograph", &key, &mut rng)?;
//! assert_eq!(sealed.len(), 65_536);
//! assert_eq!(blob::open(&sealed, &key)?.as_slice(), b"a photograph");
//! # Ok(())
//! # }
//! ```

use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{Key, Tag, XChaCha20Poly1305, XNonce};
use rand_core::{CryptoRng, RngCore};
use sha2::{Digest, Sha256};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::id::Hash;
use crate::limits::{CELL_LEN, MAX_BLOB_PARTS};

const AAD: &[u8] = b"budstikke/blob/content/v1";
const NONCE_LEN: usize = 24;
const TAG_LEN: usize = 16;
const LENGTH_LEN: usize = 4;
/// What sealing takes of a blob.
const OVERHEAD: usize = NONCE_LEN + LENGTH_LEN + TAG_LEN;

/// The sizes that there are. An observer of the relay learns no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BlobSize {
    /// 65,536 bytes in 5 data frames.
    Small = 1,
    /// 262,144 bytes in 18 data frames.
    Medium = 2,
    /// 1,048,576 bytes in 70 data frames.
    Large = 3,
}

const _: () = assert!(BlobSize::Small.parts() == 5);
const _: () = assert!(BlobSize::Medium.parts() == 18);
const _: () = assert!(BlobSize::Large.parts() == MAX_BLOB_PARTS);

/// Why content or payloads are not a blob.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum BlobError {
    /// The content has none of the three sizes.
    #[error("a blob holds 65,536, 262,144 or 1,048,576 bytes, not {0}")]
    Size(usize),
    /// The content does not go into the largest blob: it takes several.
    #[error("a blob holds at most 1,048,532 bytes of content, not {0}")]
    TooLong(usize),
    /// The key is another one, or somebody changed the blob.
    #[error("the blob does not open with this key, or was changed")]
    Seal,
    /// The payloads do not add up to a blob: the writer's or the relay's fault.
    #[error("the blob is malformed")]
    Malformed,
}

impl BlobSize {
    /// All, in rising order.
    pub const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];

    /// Its number on the wire.
    pub const fn code(self) -> u32 {
        self as u32
    }

    /// The size with this number.
    pub fn parse(code: u32) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.code() == code)
    }

    /// Its bytes.
    pub const fn bytes(self) -> u32 {
        match self {
            Self::Small => 65_536,
            Self::Medium => 262_144,
            Self::Large => 1_048_576,
        }
    }

    /// Its data frames.
    #[allow(clippy::cast_possible_truncation, reason = "15,024 is no truncation")]
    pub const fn parts(self) -> u32 {
        self.bytes().div_ceil(CELL_LEN as u32)
    }

    /// Bytes of content that a sealed blob of this size holds at most.
    pub const fn room(self) -> u32 {
        #[allow(clippy::cast_possible_truncation, reason = "44 is no truncation")]
        let overhead = OVERHEAD as u32;
        self.bytes() - overhead
    }

    fn len(self) -> usize {
        usize::try_from(self.bytes()).unwrap_or(usize::MAX)
    }
}

/// The random key of one blob; it travels end to end, never to a relay.
#[derive(Clone, ZeroizeOnDrop)]
pub struct BlobKey([u8; 32]);

impl BlobKey {
    /// Wraps 32 secret bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret bytes, for handing over inside an envelope.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A fresh key. Each blob has its own.
    pub fn random(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }
}

impl std::fmt::Debug for BlobKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlobKey")
    }
}

/// Fills content up to the smallest size that has room for it and seals it: a blob's bytes, ready for
/// [`to_payloads`].
///
/// # Errors
/// [`BlobError::TooLong`] above 1,048,532 bytes.
pub fn seal(
    content: &[u8],
    key: &BlobKey,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Vec<u8>, BlobError> {
    let too_long = || BlobError::TooLong(content.len());
    let length = u32::try_from(content.len()).map_err(|_| too_long())?;
    let size = BlobSize::ALL.into_iter().find(|size| length <= size.room()).ok_or_else(too_long)?;
    let mut nonce = [0; NONCE_LEN];
    rng.fill_bytes(&mut nonce);
    let mut blob = Zeroizing::new(Vec::with_capacity(size.len()));
    blob.extend_from_slice(&nonce);
    blob.extend_from_slice(&length.to_be_bytes());
    blob.extend_from_slice(content);
    blob.resize(size.len().saturating_sub(TAG_LEN), 0);
    let plain = blob.get_mut(NONCE_LEN..).unwrap_or_default();
    let tag = XChaCha20Poly1305::new(Key::from_slice(&key.0)).encrypt_in_place_detached(
        XNonce::from_slice(&nonce),
        AAD,
        plain,
    );
    // The cipher refuses only messages beyond 256 GiB.
    blob.extend_from_slice(tag.map_err(|_| too_long())?.as_slice());
    Ok(std::mem::take(&mut *blob))
}

/// Opens a blob's bytes, as [`from_payloads`] gives them.
///
/// # Errors
/// [`BlobError::Size`]; [`BlobError::Seal`]; [`BlobError::Malformed`] when its writer broke the rules.
pub fn open(blob: &[u8], key: &BlobKey) -> Result<Zeroizing<Vec<u8>>, BlobError> {
    let size = BlobError::Size(blob.len());
    if !BlobSize::ALL.into_iter().any(|size| size.len() == blob.len()) {
        return Err(size);
    }
    let (nonce, rest) = blob.split_first_chunk::<NONCE_LEN>().ok_or(size)?;
    let (body, tag) = rest.split_last_chunk::<TAG_LEN>().ok_or(BlobError::Malformed)?;
    let mut plain = Zeroizing::new(body.to_vec());
    XChaCha20Poly1305::new(Key::from_slice(&key.0))
        .decrypt_in_place_detached(XNonce::from_slice(nonce), AAD, &mut plain, Tag::from_slice(tag))
        .map_err(|_| BlobError::Seal)?;
    let (length, rest) = plain.split_first_chunk().ok_or(BlobError::Malformed)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).map_err(|_| BlobError::Malformed)?;
    let (content, filling) = rest.split_at_checked(length).ok_or(BlobError::Malformed)?;
    // One content has one form, the smallest: else a writer could mark readers by the size.
    let smallest = BlobSize::ALL.into_iter().find(|size| length <= size.len() - OVERHEAD);
    if smallest.map(BlobSize::len) != Some(blob.len()) || filling.iter().any(|byte| *byte != 0) {
        return Err(BlobError::Malformed);
    }
    Ok(Zeroizing::new(content.to_vec()))
}

/// SHA-256 over all payloads of a blob, each of 15,024 bytes.
pub fn hash<'a>(payloads: impl IntoIterator<Item = &'a [u8]>) -> Hash {
    let mut hash = Sha256::new_with_prefix(b"budstikke/blob/v1");
    for payload in payloads {
        hash.update(payload);
    }
    Hash::from_bytes(hash.finalize().into())
}

/// Cuts content of an exact size into payloads.
///
/// # Errors
/// [`BlobError::Size`].
pub fn to_payloads(content: &[u8]) -> Result<(BlobSize, Vec<Vec<u8>>), BlobError> {
    let size = BlobSize::ALL.into_iter().find(|size| size.len() == content.len());
    let size = size.ok_or(BlobError::Size(content.len()))?;
    let whole = |piece: &[u8]| {
        let mut payload = piece.to_vec();
        payload.resize(CELL_LEN, 0);
        payload
    };
    Ok((size, content.chunks(CELL_LEN).map(whole).collect()))
}

/// Whether these are all the payloads of a blob, filled with zeros.
pub fn is_filled<'a>(size: BlobSize, payloads: impl IntoIterator<Item = &'a [u8]>) -> bool {
    let mut parts = 0u32;
    let mut left = size.len();
    for payload in payloads {
        let filling = payload.get(left.min(CELL_LEN)..);
        if payload.len() != CELL_LEN || filling.unwrap_or_default().iter().any(|byte| *byte != 0) {
            return false;
        }
        left = left.saturating_sub(CELL_LEN);
        parts = parts.saturating_add(1);
    }
    parts == size.parts()
}

/// Puts the payloads of a blob together again.
///
/// # Errors
/// [`BlobError::Malformed`] when their number, a length or the filling is wrong.
pub fn from_payloads<'a>(
    size: BlobSize,
    payloads: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, BlobError> {
    let payloads: Vec<&[u8]> = payloads.into_iter().collect();
    if !is_filled(size, payloads.iter().copied()) {
        return Err(BlobError::Malformed);
    }
    let mut content = payloads.concat();
    content.truncate(size.len());
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::SeedableRng;

    fn pieces(payloads: &[Vec<u8>]) -> impl Iterator<Item = &[u8]> {
        payloads.iter().map(Vec::as_slice)
    }

    #[test]
    fn three_sizes_come_back_and_no_other_goes_out() {
        for size in BlobSize::ALL {
            let content: Vec<u8> = (0u8..=255).cycle().take(size.len()).collect();
            let (found, payloads) = to_payloads(&content).unwrap();
            assert_eq!((found, BlobSize::parse(size.code())), (size, Some(size)));
            assert_eq!(u32::try_from(payloads.len()), Ok(size.parts()));
            assert_eq!(from_payloads(size, pieces(&payloads)), Ok(content));
            for length in [size.len() - 1, size.len() + 1] {
                assert_eq!(to_payloads(&vec![0; length]), Err(BlobError::Size(length)));
            }
        }
        assert_eq!([0, 4].map(BlobSize::parse), [None, None]);
    }

    #[test]
    fn content_takes_the_smallest_size_and_opens_under_its_key_alone() {
        let rng = &mut ChaCha20Rng::seed_from_u64(1);
        for (length, size) in [
            (0, BlobSize::Small),
            (65_492, BlobSize::Small),
            (65_493, BlobSize::Medium),
            (262_100, BlobSize::Medium),
            (262_101, BlobSize::Large),
            (1_048_532, BlobSize::Large),
        ] {
            let (content, key) = (vec![5; length], BlobKey::random(rng));
            let blob = seal(&content, &key, rng).unwrap();
            assert_eq!(blob.len(), size.len());
            assert!(*open(&blob, &key).unwrap() == content);
            assert_eq!(open(&blob, &BlobKey::random(rng)), Err(BlobError::Seal));
            assert!(seal(&content, &key, rng).unwrap() != blob, "never the same twice");
            assert_eq!(open(&blob[1..], &key), Err(BlobError::Size(blob.len() - 1)));
        }
        let long = vec![5; 1_048_533];
        let refused = seal(&long, &BlobKey::random(rng), rng);
        assert_eq!(refused, Err(BlobError::TooLong(1_048_533)));
    }

    /// What a writer who breaks the rules could seal.
    #[test]
    fn a_length_or_a_filling_that_is_wrong_is_refused() {
        let key = BlobKey::from_bytes([3; 32]);
        let forge = |size: BlobSize, length: u32, last: u8| {
            let mut plain = vec![0; size.len() - NONCE_LEN - TAG_LEN];
            plain[..4].copy_from_slice(&length.to_be_bytes());
            *plain.last_mut().unwrap() = last;
            let nonce = [9; NONCE_LEN];
            let tag = XChaCha20Poly1305::new(Key::from_slice(&key.0))
                .encrypt_in_place_detached(XNonce::from_slice(&nonce), AAD, &mut plain)
                .unwrap();
            open(&[&nonce[..], &plain, &tag].concat(), &key)
        };
        assert!(forge(BlobSize::Small, 9, 0).is_ok());
        assert!(forge(BlobSize::Small, 65_492, 1).is_ok());
        for (size, length, last) in [
            (BlobSize::Small, 9, 1),
            (BlobSize::Small, 65_493, 0),
            (BlobSize::Small, u32::MAX, 0),
            (BlobSize::Medium, 65_492, 0),
        ] {
            assert_eq!(forge(size, length, last), Err(BlobError::Malformed));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_change_of_form_is_refused(
            size in prop::sample::select(BlobSize::ALL.to_vec()),
            at in any::<prop::sample::Index>(),
        ) {
            let (_, mut payloads) = to_payloads(&vec![7; size.len()]).unwrap();
            let which = at.index(payloads.len());
            let mut fewer = payloads.clone();
            fewer.remove(which);
            prop_assert_eq!(from_payloads(size, pieces(&fewer)), Err(BlobError::Malformed));
            let mut more = payloads.clone();
            more.insert(which, vec![0; CELL_LEN]);
            prop_assert_eq!(from_payloads(size, pieces(&more)), Err(BlobError::Malformed));
            let mut short = payloads.clone();
            short[which].pop();
            prop_assert_eq!(from_payloads(size, pieces(&short)), Err(BlobError::Malformed));
            let content = size.len() % CELL_LEN;
            if let Some(last) = payloads.last_mut() {
                last[content + at.index(CELL_LEN - content)] = 1;
            }
            prop_assert_eq!(from_payloads(size, pieces(&payloads)), Err(BlobError::Malformed));
        }

        #[test]
        fn any_payload_is_content_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            for size in BlobSize::ALL {
                prop_assert!(from_payloads(size, [bytes.as_slice()]).is_err());
            }
        }
    }
}
