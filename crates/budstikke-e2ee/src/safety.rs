//! Safety words: ten words that two people compare over another channel, in five languages.
//!
//! 90 bits of a domain-separated SHA-256, nine bits a word, of a list made for this: 512 things
//! that one can picture, each with its word in every language, so that two people compare by
//! meaning even if one reads French and the other Arabic. Enough against an attacker who must find
//! a second key that gives the same words. The code of the same hash, 256 bits, is for cameras.

mod list;

use std::fmt;

use budstikke_proto::armor::{self, ArmorError};

pub use list::Language;

use crate::keys::{Fingerprint, VerifyingKey, hash};

/// How many words are compared.
pub const WORDS: usize = 10;
/// Bits that a word stands for.
const BITS: usize = 9;
/// First word of the code.
const PREFIX: &str = "budwords1";

/// What two people compare to make sure that nobody sits between them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SafetyWords([u8; 32]);

impl SafetyWords {
    /// Of a unit: the Ministry's root and the unit's signing key. Printed on the invitation's cover
    /// sheet, spoken on the phone; stays the same when certificates are renewed.
    pub fn of_unit(root: &Fingerprint, unit: &VerifyingKey) -> Self {
        Self(hash("safety/unit", &[root, unit.as_bytes()]))
    }

    /// Of a case: root, the unit's signing key and the defender's key of this case. Independent of
    /// the epoch and of who works on the case, so that it can be compared at any time.
    pub fn of_case(root: &Fingerprint, unit: &VerifyingKey, defender: &VerifyingKey) -> Self {
        Self(hash("safety/case", &[root, unit.as_bytes(), defender.as_bytes()]))
    }

    /// The words in order.
    pub fn words(&self, language: Language) -> [&'static str; WORDS] {
        let mut bits = self.0.iter().flat_map(|byte| (0..8).rev().map(move |i| (byte >> i) & 1));
        std::array::from_fn(|_| {
            let place = bits.by_ref().take(BITS).fold(0, |n, bit| (n << 1) | usize::from(bit));
            list::word(place, language)
        })
    }

    /// The same as text for a QR code: `budwords1` and the whole hash, armoured (SPEC.md 10.3).
    pub fn code(&self) -> String {
        armor::encode(PREFIX, &self.0)
    }

    /// Whether the code that the other side showed is of the same keys.
    ///
    /// # Errors
    /// [`ArmorError`] when the text is no such code.
    pub fn matches(&self, code: &str) -> Result<bool, ArmorError> {
        Ok(armor::decode(PREFIX, code)? == self.0)
    }
}

impl fmt::Debug for SafetyWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SafetyWords")
    }
}
