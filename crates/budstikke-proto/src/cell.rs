//! Cells (SPEC.md section 3.4): an envelope is cut into fragments of 14,960 bytes, each sealed as one cell of
//! exactly 15,024 bytes under the grant's own key. A receiver that has the key sees a fragment; everybody else
//! sees 15,024 random bytes.
//!
//! Seal: XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) with a random 24-byte nonce in front.

use chacha20poly1305::aead::{AeadInPlace, KeyInit};
use chacha20poly1305::{Key, Tag, XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use rand_core::{CryptoRng, RngCore};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::limits::{
    CELL_LEN, CELL_SEAL_LEN, FRAGMENT_HEADER_LEN, FRAGMENT_LEN, MAX_ENVELOPE_LEN, MAX_FRAGMENTS,
};

const AAD: &[u8] = b"budstikke/cell/v1";
const FRONT_DOOR: &[u8] = b"budstikke/front-door/seal/v1";
const NONCE_LEN: usize = 24;
const PLAIN_LEN: usize = FRAGMENT_HEADER_LEN + FRAGMENT_LEN;
const VERSION: u8 = 1;
const KIND_REAL: u8 = 1;
const KIND_COVER: u8 = 2;

const _: () = assert!(NONCE_LEN + PLAIN_LEN + 16 == CELL_LEN);
const _: () = assert!(NONCE_LEN + 16 == CELL_SEAL_LEN);

/// Why a cell or its content was not accepted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum CellError {
    /// Not 15,024 bytes.
    #[error("a cell has {CELL_LEN} bytes, not {0}")]
    Length(usize),
    /// Wrong key, or changed on the way.
    #[error("the cell does not open under this key")]
    Seal,
    /// Opened, but its header breaks a rule: the sender's fault.
    #[error("the fragment header is malformed")]
    Header,
    /// The envelope to send is empty or longer than 16 fragments.
    #[error("an envelope has 1 to {MAX_ENVELOPE_LEN} bytes, not {0}")]
    Envelope(usize),
}

/// The symmetric key of one grant, shared end to end; the relay never has it.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct SealKey([u8; 32]);

impl SealKey {
    /// Wraps 32 secret bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret bytes, for the vault and for handing over inside an envelope.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A fresh key.
    pub fn random(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The seal key of a front door, which everybody who holds its invitation can derive from the secret in it
    /// (SPEC.md section 3.4). It hides cells from the relay only; what a first contact says has a seal of its own.
    pub fn of_front_door(send_secret: &[u8; 32]) -> Self {
        let mut bytes = [0; 32];
        // HKDF-SHA256 refuses only outputs beyond 8,160 bytes.
        let _ = Hkdf::<Sha256>::new(None, send_secret).expand(FRONT_DOOR, &mut bytes);
        Self(bytes)
    }
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey")
    }
}

/// One piece of an envelope.
#[derive(Clone, PartialEq, Eq)]
pub struct Fragment {
    /// Random name that the fragments of one envelope share.
    pub envelope: [u8; 16],
    /// Position, from 0.
    pub index: u16,
    /// How many fragments the envelope has, 1 to 16.
    pub count: u16,
    /// The bytes, at most 14,960; only the last fragment may have fewer.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for Fragment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Fragment {} of {}", u32::from(self.index) + 1, self.count)
    }
}

/// What an opened cell holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// A piece of an envelope.
    Fragment(Fragment),
    /// Nothing: a cover cell.
    Cover,
}

/// Cuts an envelope into fragments.
///
/// # Errors
/// [`CellError::Envelope`] when it is empty or too long.
pub fn split(envelope: &[u8], name: [u8; 16]) -> Result<Vec<Fragment>, CellError> {
    let count = u16::try_from(envelope.len().div_ceil(FRAGMENT_LEN)).unwrap_or(u16::MAX);
    if count == 0 || count > MAX_FRAGMENTS {
        return Err(CellError::Envelope(envelope.len()));
    }
    let fragments = (0..count).zip(envelope.chunks(FRAGMENT_LEN));
    Ok(fragments
        .map(|(index, body)| Fragment { envelope: name, index, count, body: body.to_vec() })
        .collect())
}

/// Seals one fragment into a cell.
///
/// # Errors
/// [`CellError::Header`] when the fragment breaks a rule that [`open`] would refuse.
pub fn seal(
    fragment: &Fragment,
    key: &SealKey,
    rng: &mut (impl RngCore + CryptoRng),
) -> Result<Vec<u8>, CellError> {
    check(fragment)?;
    let length = u16::try_from(fragment.body.len()).map_err(|_| CellError::Header)?;
    let mut plain = Vec::with_capacity(CELL_LEN);
    plain.extend_from_slice(&[VERSION, KIND_REAL]);
    plain.extend_from_slice(&fragment.index.to_be_bytes());
    plain.extend_from_slice(&fragment.count.to_be_bytes());
    plain.extend_from_slice(&length.to_be_bytes());
    plain.extend_from_slice(&fragment.envelope);
    plain.extend_from_slice(&fragment.body);
    Ok(seal_plain(plain, key, rng))
}

/// Seals a cover cell; only the key's holders can tell it from a real one.
pub fn seal_cover(key: &SealKey, rng: &mut (impl RngCore + CryptoRng)) -> Vec<u8> {
    seal_plain(vec![VERSION, KIND_COVER], key, rng)
}

/// Opens a cell.
///
/// # Errors
/// [`CellError::Length`], [`CellError::Seal`] or [`CellError::Header`].
pub fn open(cell: &[u8], key: &SealKey) -> Result<Opened, CellError> {
    if cell.len() != CELL_LEN {
        return Err(CellError::Length(cell.len()));
    }
    let (nonce, rest) = cell.split_first_chunk::<NONCE_LEN>().ok_or(CellError::Length(0))?;
    let (body, tag) = rest.split_last_chunk::<16>().ok_or(CellError::Length(0))?;
    let mut plain = body.to_vec();
    XChaCha20Poly1305::new(Key::from_slice(&key.0))
        .decrypt_in_place_detached(XNonce::from_slice(nonce), AAD, &mut plain, Tag::from_slice(tag))
        .map_err(|_| CellError::Seal)?;
    let opened = parse(&plain);
    plain.zeroize();
    opened
}

fn seal_plain(mut plain: Vec<u8>, key: &SealKey, rng: &mut (impl RngCore + CryptoRng)) -> Vec<u8> {
    plain.resize(PLAIN_LEN, 0);
    let mut cell = vec![0; NONCE_LEN];
    rng.fill_bytes(&mut cell);
    let tag = XChaCha20Poly1305::new(Key::from_slice(&key.0)).encrypt_in_place_detached(
        XNonce::from_slice(&cell),
        AAD,
        &mut plain,
    );
    cell.extend_from_slice(&plain);
    plain.zeroize();
    // The cipher refuses only messages beyond 256 GiB; a zero tag would simply not open.
    cell.extend_from_slice(tag.unwrap_or_default().as_slice());
    cell
}

fn parse(plain: &[u8]) -> Result<Opened, CellError> {
    let (header, body) =
        plain.split_first_chunk::<FRAGMENT_HEADER_LEN>().ok_or(CellError::Header)?;
    let [version, kind, i0, i1, c0, c1, l0, l1, envelope @ ..] = *header;
    if version != VERSION {
        return Err(CellError::Header);
    }
    if kind == KIND_COVER {
        return Ok(Opened::Cover);
    }
    let length = usize::from(u16::from_be_bytes([l0, l1]));
    let (body, padding) = body.split_at_checked(length).ok_or(CellError::Header)?;
    if kind != KIND_REAL || padding.iter().any(|byte| *byte != 0) {
        return Err(CellError::Header);
    }
    let fragment = Fragment {
        envelope,
        index: u16::from_be_bytes([i0, i1]),
        count: u16::from_be_bytes([c0, c1]),
        body: body.to_vec(),
    };
    check(&fragment)?;
    Ok(Opened::Fragment(fragment))
}

fn check(fragment: &Fragment) -> Result<(), CellError> {
    let last = fragment.index.checked_add(1) == Some(fragment.count);
    let full = fragment.body.len() == FRAGMENT_LEN;
    let fits = !fragment.body.is_empty() && fragment.body.len() <= FRAGMENT_LEN;
    let counted = fragment.count <= MAX_FRAGMENTS && fragment.index < fragment.count;
    if counted && fits && (full || last) { Ok(()) } else { Err(CellError::Header) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn envelopes_come_back(len in 1usize..40_000, seed: u64) {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let key = SealKey::random(&mut rng);
            let envelope: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect();
            let mut back = Vec::new();
            for fragment in split(&envelope, [5; 16]).unwrap() {
                let cell = seal(&fragment, &key, &mut rng).unwrap();
                prop_assert_eq!(cell.len(), CELL_LEN);
                let Opened::Fragment(opened) = open(&cell, &key).unwrap() else { panic!("cover") };
                prop_assert_eq!(&opened, &fragment);
                back.extend_from_slice(&opened.body);
            }
            prop_assert_eq!(back, envelope);
        }

        #[test]
        fn any_plain_bytes_are_a_fragment_or_an_error(head in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut plain = head;
            plain.resize(PLAIN_LEN, 0);
            let _ = parse(&plain);
            plain.truncate(10);
            prop_assert_eq!(parse(&plain), Err(CellError::Header));
        }

        #[test]
        fn one_changed_bit_is_noticed(at in 0usize..CELL_LEN, bit in 0u8..8) {
            let mut rng = ChaCha20Rng::seed_from_u64(1);
            let key = SealKey::random(&mut rng);
            let mut cell = seal_cover(&key, &mut rng);
            cell[at] ^= 1 << bit;
            prop_assert_eq!(open(&cell, &key), Err(CellError::Seal));
        }
    }

    #[test]
    fn equal_fragments_give_unequal_cells_and_another_key_opens_nothing() {
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (key, other) = (SealKey::random(&mut rng), SealKey::random(&mut rng));
        let fragment = &split(b"hello", [1; 16]).unwrap()[0];
        let (a, b) =
            (seal(fragment, &key, &mut rng).unwrap(), seal(fragment, &key, &mut rng).unwrap());
        assert_ne!(a, b);
        assert_eq!(open(&a, &other), Err(CellError::Seal));
        assert_eq!(open(&seal_cover(&key, &mut rng), &key), Ok(Opened::Cover));
    }

    #[test]
    fn an_envelope_has_bounds() {
        assert_eq!(split(&[], [0; 16]), Err(CellError::Envelope(0)));
        let long = vec![0; MAX_ENVELOPE_LEN + 1];
        assert_eq!(split(&long, [0; 16]), Err(CellError::Envelope(long.len())));
    }
}
