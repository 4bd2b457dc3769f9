//! Hashes that two sides compare. Protobuf has no canonical form, so a hash is always over bytes
//! kept verbatim, never over a message encoded again.

use std::fmt;

use sha2::{Digest, Sha256};

/// A SHA-256 value, 32 bytes. Shown in full as hex; it names public agreements, not people.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; 32]);

/// Hash of an encoded `ChannelTerms`, as received or as first written.
pub fn terms_hash(terms: &[u8]) -> Hash {
    Hash::of("budstikke-terms-v1", terms)
}

/// Hash of the encoded `Content` that carries a privacy notice.
pub fn privacy_notice_hash(content: &[u8]) -> Hash {
    Hash::of("budstikke-privacy-notice-v1", content)
}

/// Hash of an encoded `CaseIntake` inside its `Content`.
pub fn intake_hash(content: &[u8]) -> Hash {
    Hash::of("budstikke-intake-v1", content)
}

/// Hash of an encoded `ActionPlan`: what an approval binds and an edit voids.
pub fn plan_hash(plan: &[u8]) -> Hash {
    Hash::of("budstikke-plan-v1", plan)
}

/// Hash of the exact words of a statement or a post.
pub fn wording_hash(wording: &str) -> Hash {
    Hash::of("budstikke-wording-v1", wording.as_bytes())
}

/// Hash of an encoded `ConsentTokenBody`.
pub fn consent_hash(body: &[u8]) -> Hash {
    Hash::of("budstikke-consent-v1", body)
}

/// Hash of an encoded `ConsentStatusBody`.
pub fn consent_status_hash(body: &[u8]) -> Hash {
    Hash::of("budstikke-consent-status-v1", body)
}

/// Hash of the encoded `Content` that carries a case brief.
pub fn brief_hash(content: &[u8]) -> Hash {
    Hash::of("budstikke-brief-v1", content)
}

impl Hash {
    /// SHA-256 over the domain's length (one byte), the domain and `bytes`. Domains are at most
    /// 255 bytes; the prefix keeps one domain from being the beginning of another.
    fn of(domain: &str, bytes: &[u8]) -> Self {
        let length = u8::try_from(domain.len()).unwrap_or(u8::MAX);
        let hasher = Sha256::new_with_prefix([length]).chain_update(domain);
        Self(hasher.chain_update(bytes).finalize().into())
    }

    /// From a wire field; `None` unless it is 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As a wire field.
    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_keep_equal_bytes_apart() {
        assert_ne!(terms_hash(b"x"), privacy_notice_hash(b"x"));
        assert_ne!(terms_hash(b"x"), intake_hash(b"x"));
        assert_ne!(terms_hash(b"x"), terms_hash(b"y"));
    }

    /// Golden value: 0x12 ‖ "budstikke-terms-v1" ‖ "" hashed by another implementation.
    #[test]
    fn terms_hash_is_pinned() {
        let expected = "e7f6ca406075d0f76b91f9464e476e7e02c99bc66787c4b547b4404885debb2f";
        assert_eq!(terms_hash(b"").to_string(), expected);
    }

    #[test]
    fn only_32_bytes_are_a_hash() {
        assert!(Hash::from_slice(&[0; 31]).is_none());
        assert!(Hash::from_slice(&[]).is_none());
        assert_eq!(Hash::from_slice(&[7; 32]).map(Hash::to_vec), Some(vec![7; 32]));
    }
}
