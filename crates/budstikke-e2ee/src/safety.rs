//! Safety words: eight words that two people can compare over another channel.
//!
//! 88 bits of a domain-separated SHA-256, eleven bits a word, of the BIP-39 English list. Enough
//! against an attacker who must find a second key that gives the same words.

use std::fmt;

use crate::keys::{Fingerprint, VerifyingKey, hash};

/// Eight words of the BIP-39 English list.
#[derive(Clone, PartialEq, Eq)]
pub struct SafetyWords([&'static str; 8]);

impl SafetyWords {
    /// Of a unit: the Ministry's root and the unit's signing key. Printed on the invitation's cover
    /// sheet, spoken on the phone; stays the same when certificates are renewed.
    pub fn of_unit(root: &Fingerprint, unit: &VerifyingKey) -> Self {
        Self::of(&hash("safety/unit", &[root, unit.as_bytes()]))
    }

    /// Of a case: root, the unit's signing key and the defender's key of this case. Independent of
    /// the epoch and of who works on the case, so that it can be compared at any time.
    pub fn of_case(root: &Fingerprint, unit: &VerifyingKey, defender: &VerifyingKey) -> Self {
        Self::of(&hash("safety/case", &[root, unit.as_bytes(), defender.as_bytes()]))
    }

    /// The words in order.
    pub fn words(&self) -> &[&'static str; 8] {
        &self.0
    }

    fn of(digest: &[u8; 32]) -> Self {
        let list = bip39::Language::English.word_list();
        let mut bits = digest.iter().flat_map(|byte| (0..8).rev().map(move |i| (byte >> i) & 1));
        Self(std::array::from_fn(|_| {
            let index = bits.by_ref().take(11).fold(0, |n, bit| (n << 1) | usize::from(bit));
            list.get(index).copied().unwrap_or_default()
        }))
    }
}

impl fmt::Display for SafetyWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl fmt::Debug for SafetyWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SafetyWords")
    }
}
