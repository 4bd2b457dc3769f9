//! Bytes as one word of text that a person can paste, with a checksum that tells a typo from a
//! forgery (SPEC.md section 10.3).
//!
//! `prefix || base64url(payload || first 4 bytes of SHA-256("budstikke/v1/armor" || 0 || prefix ||
//! payload))`, without padding. White space and line breaks inside are ignored, so that mail
//! programs may wrap it.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use thiserror::Error;

const CHECK_LEN: usize = 4;
const MAX_TEXT_LEN: usize = 1 << 20;

/// The text is not what it should be; the person who copied it can copy it again.
#[derive(Debug, Error, PartialEq, Eq, Clone, Copy)]
#[non_exhaustive]
pub enum ArmorError {
    /// It does not begin with the expected word.
    #[error("this does not begin with “{0}”: is it the right text?")]
    Prefix(&'static str),
    /// A character that can't occur, or the end is missing.
    #[error("a character in it can't be right, or its end is missing: copy it again")]
    Characters,
    /// The checksum does not match.
    #[error("there is a typing or copying error in it: copy it again")]
    Checksum,
}

/// Writes `payload` as text.
pub fn encode(prefix: &'static str, payload: &[u8]) -> String {
    let mut bytes = payload.to_vec();
    bytes.extend(check(prefix, payload).iter().take(CHECK_LEN));
    format!("{prefix}{}", BASE64URL_NOPAD.encode(&bytes))
}

/// Reads what [`encode`] wrote.
///
/// # Errors
/// [`ArmorError`]; each says what the person should do.
pub fn decode(prefix: &'static str, text: &str) -> Result<Vec<u8>, ArmorError> {
    if text.len() > MAX_TEXT_LEN {
        return Err(ArmorError::Characters);
    }
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let body = text.strip_prefix(prefix).ok_or(ArmorError::Prefix(prefix))?;
    let bytes = BASE64URL_NOPAD.decode(body.as_bytes()).map_err(|_| ArmorError::Characters)?;
    let cut = bytes.len().checked_sub(CHECK_LEN).ok_or(ArmorError::Characters)?;
    let (payload, end) = bytes.split_at(cut);
    if check(prefix, payload).starts_with(end) {
        Ok(payload.to_vec())
    } else {
        Err(ArmorError::Checksum)
    }
}

/// SHA-256 over the framing of SPEC.md section 10.1 with the domain `armor`.
fn check(prefix: &str, payload: &[u8]) -> [u8; 32] {
    Sha256::new_with_prefix(b"budstikke/v1/")
        .chain_update(b"armor\0")
        .chain_update(prefix)
        .chain_update(payload)
        .finalize()
        .into()
}
