//! Identifiers (SPEC.md section 3.1): fixed bytes that never print themselves.
//!
//! None has `Display`, and `Debug` shows the type's name alone, so that no log line, panic message or test
//! snapshot can carry one.

use subtle::ConstantTimeEq;

/// A byte string of the wrong length where an id was expected.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{what} must have {expected} bytes, not {found}")]
pub struct LengthError {
    /// What was being read.
    pub what: &'static str,
    /// Bytes it must have.
    pub expected: usize,
    /// Bytes it had.
    pub found: usize,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialOrd, Ord)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Bytes of this id.
            pub const LEN: usize = $len;

            /// Wraps bytes of the right length.
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// Reads the id from a slice.
            ///
            /// # Errors
            /// [`LengthError`] when the slice has another length.
            pub fn parse(bytes: &[u8]) -> Result<Self, LengthError> {
                bytes.try_into().map(Self).map_err(|_| LengthError {
                    what: stringify!($name),
                    expected: $len,
                    found: bytes.len(),
                })
            }

            /// The bytes, for the wire and for hashing; never for a log.
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }

            /// A fresh random id.
            pub fn random(rng: &mut (impl rand_core::RngCore + rand_core::CryptoRng)) -> Self {
                let mut bytes = [0; $len];
                rng.fill_bytes(&mut bytes);
                Self(bytes)
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0).into()
            }
        }

        impl Eq for $name {}

        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.0.hash(state);
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

id!(
    /// The owner's capability name of a mailbox, derived by the relay from [`RecvPk`].
    RecvId, 32);
id!(
    /// A sender's capability name of a mailbox, derived by the relay from [`SendPk`].
    SendId, 32);
id!(
    /// The X25519 public key that owns a mailbox.
    RecvPk, 32);
id!(
    /// The X25519 public key of one grant.
    SendPk, 32);
id!(
    /// The owner's random mark on a grant; comes back with each cell.
    Label, 16);
id!(
    /// The sender's random name of one sent cell; a repeat with the same name is stored once.
    MsgId, 16);
id!(
    /// The Ed25519 public key whose holder may cancel a held cell.
    CancelPk, 32);
id!(
    /// A slot: an Ed25519 public key that the members of one MLS epoch can derive.
    SlotId, 32);
id!(
    /// A notice: its publisher's Ed25519 public key.
    NoticeId, 32);
id!(
    /// The capability name under which a blob is fetched, derived by the relay from [`FetchPk`].
    FetchId, 32);
id!(
    /// The capability name under which a blob is deleted, derived by the relay from its fetch id and [`DeletePk`].
    DeleteId, 32);
id!(
    /// The X25519 public key that fetches one blob.
    FetchPk, 32);
id!(
    /// The X25519 public key that makes and deletes one blob.
    DeletePk, 32);
id!(
    /// A relay's identity: SHA-256 over the SPKI of its Ed25519 TLS key; the fingerprint in its address.
    RelayId, 32);
id!(
    /// An Ed25519 signature.
    Signature, 64);
id!(
    /// A SHA-256 hash.
    Hash, 32);
id!(
    /// SHA-256 of a token key's SPKI.
    TokenKeyId,
    32
);
id!(
    /// A proof-of-work seed.
    Seed, 16);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_the_type_alone() {
        assert_eq!(format!("{:?}", RecvId::from_bytes([7; 32])), "RecvId");
        assert_eq!(format!("{:?}", Some(Label::from_bytes([7; 16]))), "Some(Label)");
    }

    #[test]
    fn a_wrong_length_is_named() {
        let error = SendId::parse(&[0; 31]).unwrap_err();
        assert_eq!(error.to_string(), "SendId must have 32 bytes, not 31");
    }
}
