//! Notices (SPEC.md section 5.4): a signed public record of 1 to 16 data frames, replaced only by a higher version.
//!
//! The content is cut into payloads of 15,024 bytes; the first starts with the content's length (4 bytes, big
//! endian), the last is filled with zeros.

use crate::id::{Hash, NoticeId, Signature};
use crate::limits::{CELL_LEN, MAX_NOTICE_PARTS};
use crate::sign::{self, SigningSeed};

const DOMAIN: &[u8] = b"budstikke/notice/v1";
const LENGTH_LEN: usize = 4;

/// Most bytes of a notice's content.
pub const MAX_CONTENT_LEN: usize = MAX_NOTICE_PARTS as usize * CELL_LEN - LENGTH_LEN;

/// Why content or payloads are not a notice.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoticeError {
    /// The content is too long to publish.
    #[error("a notice holds at most {MAX_CONTENT_LEN} bytes, not {0}")]
    TooLong(usize),
    /// The payloads do not add up to a notice: the publisher's or the relay's fault.
    #[error("the notice is malformed")]
    Malformed,
}

/// Cuts content into payloads.
///
/// # Errors
/// [`NoticeError::TooLong`].
pub fn to_payloads(content: &[u8]) -> Result<Vec<Vec<u8>>, NoticeError> {
    let length = u32::try_from(content.len()).map_err(|_| NoticeError::TooLong(content.len()))?;
    if content.len() > MAX_CONTENT_LEN {
        return Err(NoticeError::TooLong(content.len()));
    }
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(CELL_LEN), 0);
    Ok(bytes.chunks(CELL_LEN).map(<[u8]>::to_vec).collect())
}

/// Puts payloads together again.
///
/// # Errors
/// [`NoticeError::Malformed`] when lengths or filling are wrong.
pub fn from_payloads<'a>(
    payloads: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, NoticeError> {
    let bytes: Vec<u8> = payloads.into_iter().flatten().copied().collect();
    let (length, rest) = bytes.split_first_chunk::<LENGTH_LEN>().ok_or(NoticeError::Malformed)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    let (content, padding) = rest.split_at_checked(length).ok_or(NoticeError::Malformed)?;
    if padding.len() >= CELL_LEN || padding.iter().any(|byte| *byte != 0) {
        return Err(NoticeError::Malformed);
    }
    Ok(content.to_vec())
}

/// Signs version, count and hash of a notice.
pub fn sign(key: &SigningSeed, version: u64, count: u32, hash: &Hash) -> Signature {
    key.sign(DOMAIN, &[&version.to_be_bytes(), &count.to_be_bytes(), hash.as_bytes()])
}

/// Whether the notice's publisher signed this.
pub fn verify(id: &NoticeId, version: u64, count: u32, hash: &Hash, signature: &Signature) -> bool {
    let parts: [&[u8]; 3] = [&version.to_be_bytes(), &count.to_be_bytes(), hash.as_bytes()];
    sign::verify(id.as_bytes(), DOMAIN, &parts, signature)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn content_comes_back(len in 0usize..50_000) {
            let content = vec![7; len];
            let payloads = to_payloads(&content).unwrap();
            prop_assert_eq!(from_payloads(payloads.iter().map(Vec::as_slice)).unwrap(), content);
        }

        #[test]
        fn any_payload_is_content_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _ = from_payloads([bytes.as_slice()]);
        }
    }

    #[test]
    fn the_longest_content_takes_sixteen_frames_and_one_byte_more_is_refused() {
        assert_eq!(to_payloads(&vec![1; MAX_CONTENT_LEN]).unwrap().len(), 16);
        let long = MAX_CONTENT_LEN + 1;
        assert_eq!(to_payloads(&vec![1; long]), Err(NoticeError::TooLong(long)));
    }
}
