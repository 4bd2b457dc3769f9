//! Notes: bytes sealed to one device of one's own team, outside any group.
//!
//! HPKE base mode (RFC 9180), X-Wing, HKDF-SHA256, ChaCha20-Poly1305, with
//! `info = "budstikke/v1/note" || 0x00 || purpose`. They carry what a device needs before or beside a group it
//! joins: the team mailbox's keys at enrolment, a case's routes and terms at an assignment. A note proves nothing
//! about its sender; what comes with it (a certificate, a Welcome) does.

use prost::Message as _;
use zeroize::Zeroizing;

use crate::{
    keys::{HpkePublic, HpkeSecret},
    pb,
    suite::{HpkeError, Suite},
};

/// Seals `plain` to a device for one purpose.
///
/// # Errors
/// [`HpkeError::Key`] if the device's key is malformed.
pub fn seal(
    suite: &Suite,
    to: &HpkePublic,
    purpose: &str,
    plain: &[u8],
) -> Result<Vec<u8>, HpkeError> {
    let (encapsulated, ciphertext) = suite.seal(to.as_bytes(), &info(purpose), plain)?;
    Ok(pb::SealedNote { encapsulated, ciphertext }.encode_to_vec())
}

/// Opens a note.
///
/// # Errors
/// [`HpkeError::Open`] if it is not a note, for another key or purpose, or altered.
pub fn open(
    suite: &Suite,
    secret: &HpkeSecret,
    purpose: &str,
    note: &[u8],
) -> Result<Zeroizing<Vec<u8>>, HpkeError> {
    let note = pb::SealedNote::decode(note).map_err(|_| HpkeError::Open)?;
    suite.open(secret.secret(), &info(purpose), &note.encapsulated, &note.ciphertext)
}

fn info(purpose: &str) -> Vec<u8> {
    [b"budstikke/v1/note\0".as_slice(), purpose.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn device() -> (Suite, HpkeSecret) {
        let mut rng = ChaCha20Rng::seed_from_u64(5);
        let suite = Suite::new(&mut rng);
        let secret = HpkeSecret::generate(&suite, &mut rng).unwrap();
        (suite, secret)
    }

    #[test]
    fn a_note_opens_for_its_device_and_purpose_only() {
        let (suite, secret) = device();
        let note = seal(&suite, secret.public(), "enrolment", b"keys").unwrap();
        assert_eq!(*open(&suite, &secret, "enrolment", &note).unwrap(), b"keys");
        assert_eq!(open(&suite, &secret, "assignment", &note), Err(HpkeError::Open));
        let other = HpkeSecret::from_seed(&suite, &[9; 32]).unwrap();
        assert_eq!(open(&suite, &other, "enrolment", &note), Err(HpkeError::Open));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_bytes_are_no_note(bytes in proptest::collection::vec(any::<u8>(), 0..1_300)) {
            let (suite, secret) = device();
            prop_assert_eq!(open(&suite, &secret, "enrolment", &bytes), Err(HpkeError::Open));
        }
    }
}
