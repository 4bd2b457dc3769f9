//! What is said about an alert outside of any group: copies that wait at a relay for a deadline, answers to them.
//!
//! A copy may lie for weeks, and whoever opens it may be in no group with its sender: so it is HPKE-sealed to the
//! recipient team's held key (RFC 9180 base mode; X-Wing, HKDF-SHA256, ChaCha20-Poly1305), and signed by the sender's
//! device, whose certificates come with it.

use std::fmt;

use prost::Message as _;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    cert::{CertError, Chain, VerifiedDevice},
    contact::IntakeSecret,
    keys::{Fingerprint, HpkePublic, SigningKey, hash},
    pb, signed,
    suite::{HpkeError, Suite},
};
use pb::held_body::About;

const DOMAIN: &str = "held";
const CELL_DOMAIN: &str = "held-cell";
/// What was made longer ago says nothing any more: no copy waits for longer than 28 days, no key is kept for longer
/// than 35.
pub const MAX_AGE_S: i64 = 35 * 86_400;
/// How far the sender's clock may be ahead.
const CLOCK_SLACK_S: i64 = 3_600;

/// What is said.
#[derive(Clone, PartialEq, Eq)]
pub enum Word {
    /// An alert that nobody took in time.
    Copy {
        /// Case bytes: the alert.
        alert: Vec<u8>,
        /// Which of its steps this is, from 0.
        step: u32,
        /// Case bytes: where answers go.
        reply: Vec<u8>,
    },
    /// Case bytes: a person's answer to it.
    Answer(Vec<u8>),
    /// The alert of this id was taken back by the side that raised it.
    TakenBack([u8; 16]),
}

/// Something said, by a device whose certificates held when it was said.
#[derive(Clone, PartialEq, Eq)]
pub struct Held {
    /// Who says it.
    pub device: VerifiedDevice,
    /// When, Unix seconds, by the sender's clock.
    pub made_at: i64,
    /// What.
    pub word: Word,
}

/// Something about an alert that can't be made or taken.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
#[non_exhaustive]
pub enum HeldError {
    /// Not of a known form, or incomplete: its sender's program is at fault.
    #[error(
        "a copy of an alert, or an answer to one, is malformed: its sender's program is at fault"
    )]
    Malformed,
    /// Sealed to a key that this device does not hold: forgotten, or never this team's.
    #[error("a copy of an alert is sealed to a key that this device does not hold")]
    UnknownKey,
    /// Sealing or opening failed.
    #[error(transparent)]
    Seal(#[from] HpkeError),
    /// The sender's certificates do not hold.
    #[error(
        "a copy of an alert, or an answer to one, comes from a device that does not verify: {0}"
    )]
    Certificate(#[from] CertError),
    /// The signature is false.
    #[error("a copy of an alert, or an answer to one, is forged: do not act on it")]
    Forged,
    /// Too old, or from the future.
    #[error(
        "a copy of an alert, or an answer to one, is not of this time: check this device's clock"
    )]
    NotNow,
}

/// Signs a word with a device's key, whose chain goes with it.
pub fn sign(word: &Word, key: &SigningKey, chain: &Chain, now: i64) -> Vec<u8> {
    let about = match word.clone() {
        Word::Copy { alert, step, reply } => About::Copy(pb::HeldCopy { alert, step, reply }),
        Word::Answer(answer) => About::Answer(answer),
        Word::TakenBack(alert) => About::TakenBack(alert.to_vec()),
    };
    let (chain, about) = (chain.to_bytes(), Some(about));
    let body = pb::HeldBody { version: 1, chain, made_at: now, about };
    signed::seal(DOMAIN, key, body.encode_to_vec())
}

/// Seals what [`sign`] made to a team's held key.
///
/// # Errors
/// [`HeldError::Seal`] for a malformed key.
pub fn seal(
    suite: &Suite,
    key_id: [u8; 8],
    key: &HpkePublic,
    signed: &[u8],
) -> Result<Vec<u8>, HeldError> {
    let (encapsulated, ciphertext) = suite.seal(key.as_bytes(), &info(key_id), signed)?;
    Ok(pb::SealedHeld { key_id: key_id.to_vec(), encapsulated, ciphertext }.encode_to_vec())
}

/// Opens a sealed word with whichever of `keys` it names; the bytes are for [`verify`].
///
/// # Errors
/// [`HeldError`].
pub fn open(
    suite: &Suite,
    sealed: &[u8],
    keys: &[IntakeSecret],
) -> Result<Zeroizing<Vec<u8>>, HeldError> {
    let outer = pb::SealedHeld::decode(sealed).map_err(|_| HeldError::Malformed)?;
    let id: [u8; 8] = signed::fixed(&outer.key_id).ok_or(HeldError::Malformed)?;
    let key = keys.iter().find(|key| key.id == id).ok_or(HeldError::UnknownKey)?;
    Ok(suite.open(key.secret.secret(), &info(id), &outer.encapsulated, &outer.ciphertext)?)
}

/// Verifies a signed word under a root. The certificates must have held when it was made, which may be weeks ago.
///
/// # Errors
/// [`HeldError`].
pub fn verify(signed: &[u8], root: &Fingerprint, now: i64) -> Result<Held, HeldError> {
    let signed = signed::parse(signed).ok_or(HeldError::Malformed)?;
    let body = pb::HeldBody::decode(signed.body.as_slice()).map_err(|_| HeldError::Malformed)?;
    if body.version != 1 {
        return Err(HeldError::Malformed);
    }
    let times = now.saturating_sub(MAX_AGE_S)..=now.saturating_add(CLOCK_SLACK_S);
    if !times.contains(&body.made_at) {
        return Err(HeldError::NotNow);
    }
    let device = Chain::from_bytes(&body.chain)?.verify_device(root, body.made_at)?;
    signed::check(DOMAIN, &device.key, &signed).map_err(|_| HeldError::Forged)?;
    let word = match body.about.ok_or(HeldError::Malformed)? {
        About::Copy(pb) => Word::Copy { alert: pb.alert, step: pb.step, reply: pb.reply },
        About::Answer(answer) => Word::Answer(answer),
        About::TakenBack(alert) => {
            Word::TakenBack(signed::fixed(&alert).ok_or(HeldError::Malformed)?)
        }
    };
    Ok(Held { device, made_at: body.made_at, word })
}

/// The `msg_id` of the cell at `index` of a copy, from the seed of its cancel key: whoever may cancel can name it, and
/// nobody else.
pub fn cell_name(cancel_seed: &[u8; 32], index: u32) -> [u8; 16] {
    let digest = hash(CELL_DOMAIN, &[cancel_seed, &index.to_be_bytes()]);
    let mut name = [0; 16];
    name.copy_from_slice(digest.split_at(16).0);
    name
}

fn info(key_id: [u8; 8]) -> Vec<u8> {
    [b"budstikke/v1/held\0".as_slice(), &key_id].concat()
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Word")
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cert::{
        DeviceRequest, IssuerRequest, Role, UnitKind, UnitRequest, issue_device, issue_issuer,
        issue_unit,
    };
    use crate::keys::HpkeSecret;
    use proptest::prelude::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    const NOW: i64 = 1_800_000_000;

    struct Desk {
        suite: Suite,
        root: Fingerprint,
        device: SigningKey,
        chain: Chain,
        keys: Vec<IntakeSecret>,
    }

    fn desk() -> Desk {
        let mut rng = ChaCha20Rng::seed_from_u64(6);
        let suite = Suite::new(&mut rng);
        let [root, issuer, unit, notice, device] = [(); 5].map(|()| SigningKey::generate(&mut rng));
        let request = IssuerRequest::make(&issuer, "Issuer", NOW).unwrap();
        let issuers = issue_issuer(&root, &IssuerRequest::from_bytes(&request).unwrap(), NOW);
        let (id, kind, public) = ("no.min.desk", UnitKind::MinistryDesk, notice.public());
        let request = UnitRequest::make(&unit, "Desk", id, kind, &public, NOW).unwrap();
        let request = UnitRequest::from_bytes(&request).unwrap();
        let units = issue_unit(&issuer, &issuers, &request, NOW).unwrap();
        let request = DeviceRequest::make(&device, "Duty officer D", &[Role::Duty], NOW).unwrap();
        let request = DeviceRequest::from_bytes(&request).unwrap();
        let chain = issue_device(&unit, &units, &request, &[Role::Duty], NOW).unwrap();
        let secret = HpkeSecret::generate(&suite, &mut rng).unwrap();
        let keys = vec![IntakeSecret { id: [3; 8], secret }];
        Desk { suite, root: root.public().fingerprint(), device, chain, keys }
    }

    fn copy() -> Word {
        Word::Copy { alert: vec![1; 300], step: 1, reply: vec![2; 90] }
    }

    impl Desk {
        fn sealed(&self, word: &Word, at: i64) -> Vec<u8> {
            let signed = sign(word, &self.device, &self.chain, at);
            seal(&self.suite, [3; 8], self.keys[0].secret.public(), &signed).unwrap()
        }
    }

    #[test]
    fn a_word_opens_for_the_team_and_says_who_said_it() {
        let desk = desk();
        for word in [copy(), Word::Answer(vec![7; 40]), Word::TakenBack([9; 16])] {
            let signed = open(&desk.suite, &desk.sealed(&word, NOW), &desk.keys).unwrap();
            let held = verify(&signed, &desk.root, NOW + 9).unwrap();
            assert!(held.word == word && held.made_at == NOW);
            assert_eq!(held.device.label, "Duty officer D");
        }
    }

    #[test]
    fn nobody_elses_key_root_or_signature_will_do() {
        let desk = desk();
        let sealed = desk.sealed(&copy(), NOW);
        let other = HpkeSecret::from_seed(&desk.suite, &[8; 32]).unwrap();
        let unknown = [IntakeSecret { id: [4; 8], secret: other.clone() }];
        assert_eq!(open(&desk.suite, &sealed, &unknown), Err(HeldError::UnknownKey));
        let wrong = [IntakeSecret { id: [3; 8], secret: other }];
        assert!(matches!(open(&desk.suite, &sealed, &wrong), Err(HeldError::Seal(_))));

        let signed = sign(&copy(), &desk.device, &desk.chain, NOW);
        assert!(matches!(verify(&signed, &[0; 32], NOW), Err(HeldError::Certificate(_))));
        let forger = SigningKey::from_bytes(&[5; 32]);
        let forged = sign(&copy(), &forger, &desk.chain, NOW);
        assert_eq!(verify(&forged, &desk.root, NOW), Err(HeldError::Forged));
    }

    /// A copy may be opened after its sender's certificate has ended, but not one that was made after that.
    #[test]
    fn certificates_count_as_of_when_it_was_said() {
        let desk = desk();
        let day = 86_400;
        let late = sign(&copy(), &desk.device, &desk.chain, NOW + 29 * day);
        assert!(verify(&late, &desk.root, NOW + 50 * day).is_ok());
        let ended = sign(&copy(), &desk.device, &desk.chain, NOW + 31 * day);
        let verified = verify(&ended, &desk.root, NOW + 31 * day);
        assert!(matches!(verified, Err(HeldError::Certificate(_))));
        let early = sign(&copy(), &desk.device, &desk.chain, NOW);
        assert_eq!(verify(&early, &desk.root, NOW + 36 * day), Err(HeldError::NotNow));
        assert_eq!(verify(&early, &desk.root, NOW - 2 * 3_600), Err(HeldError::NotNow));
    }

    #[test]
    fn cells_have_names_of_their_own() {
        let names = [cell_name(&[1; 32], 0), cell_name(&[1; 32], 1), cell_name(&[2; 32], 0)];
        assert!(names[0] != names[1] && names[0] != names[2]);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..1_500)) {
            let desk = desk();
            prop_assert!(open(&desk.suite, &bytes, &desk.keys).is_err());
            prop_assert!(verify(&bytes, &desk.root, NOW).is_err());
        }

        #[test]
        fn one_changed_byte_is_noticed(place in any::<prop::sample::Index>(), bit in 0_u8..8) {
            let desk = desk();
            let mut signed = sign(&copy(), &desk.device, &desk.chain, NOW);
            let place = place.index(signed.len());
            signed[place] ^= 1 << bit;
            prop_assert!(verify(&signed, &desk.root, NOW).map(|held| held.word) != Ok(copy()));
        }
    }
}
