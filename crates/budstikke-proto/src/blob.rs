//! Blobs (SPEC.md section 5.5): sealed chunks of three exact sizes, written once.
//!
//! A chunk is cut into payloads of 15,024 bytes, the last filled with zeros. What is larger than the largest size is
//! several blobs; what is smaller is filled up before it is sealed.

use sha2::{Digest, Sha256};

use crate::id::Hash;
use crate::limits::{CELL_LEN, MAX_BLOB_PARTS};

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

    fn len(self) -> usize {
        usize::try_from(self.bytes()).unwrap_or(usize::MAX)
    }
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
