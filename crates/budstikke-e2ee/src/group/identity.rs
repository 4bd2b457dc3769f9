//! Who a leaf is: a staff device with its chain, or a defender with a pseudonym.

use std::fmt;

use openmls::prelude::{BasicCredential, CredentialWithKey};
use openmls_traits::{
    signatures::{Signer, SignerError},
    types::SignatureScheme,
};
use prost::Message as _;
use thiserror::Error;
use zeroize::Zeroizing;

use super::charter::Charter;
use crate::{
    cert::{CertError, Chain, VerifiedDevice, valid_name},
    checks::{Check, Rejection},
    directory::Trust,
    keys::{SigningKey, VerifyingKey},
    pb,
    store::StateError,
    suite::Env,
};

/// What a leaf's credential holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credential {
    /// A staff device's chain; the leaf's signature key is the device key.
    Staff(Chain),
    /// A defender; the name says nothing about the person.
    Defender {
        /// 1 to 100 characters, like `HERON`.
        pseudonym: String,
    },
}

/// This device's key and credential in a group. A defender has a fresh one in every case.
#[derive(Clone)]
pub struct Identity {
    key: SigningKey,
    credential: Credential,
}

/// An identity can't be made or read.
#[derive(Debug, Error, PartialEq, Eq, Clone, Copy)]
#[non_exhaustive]
pub enum IdentityError {
    /// Empty, too long or with control characters.
    #[error("a pseudonym has 1 to 100 characters")]
    Pseudonym,
    /// Stored bytes do not parse.
    #[error("the stored identity is damaged")]
    Damaged,
}

impl Identity {
    /// A staff device. Its chain is verified when it is used.
    pub fn staff(key: SigningKey, chain: Chain) -> Self {
        Self { key, credential: Credential::Staff(chain) }
    }

    /// A defender's identity for one case; `key` must be fresh and used nowhere else.
    ///
    /// # Errors
    /// [`IdentityError::Pseudonym`].
    pub fn defender(key: SigningKey, pseudonym: &str) -> Result<Self, IdentityError> {
        if !valid_name(pseudonym) {
            return Err(IdentityError::Pseudonym);
        }
        Ok(Self { key, credential: Credential::Defender { pseudonym: pseudonym.to_owned() } })
    }

    /// The public key.
    pub fn key(&self) -> VerifyingKey {
        self.key.public()
    }

    /// The signing key.
    pub fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    /// The credential.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Bytes for the vault: the 32-byte seed, then the credential.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(self.key.to_bytes().to_vec());
        out.extend(self.credential.encode());
        out
    }

    /// Parses [`Identity::to_bytes`].
    ///
    /// # Errors
    /// [`IdentityError::Damaged`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IdentityError> {
        let (seed, credential) = bytes.split_at_checked(32).ok_or(IdentityError::Damaged)?;
        let seed = Zeroizing::new(seed.try_into().map_err(|_| IdentityError::Damaged)?);
        let credential = Credential::decode(credential).map_err(|_| IdentityError::Damaged)?;
        Ok(Self { key: SigningKey::from_bytes(&seed), credential })
    }

    pub(super) fn with_key(&self) -> CredentialWithKey {
        CredentialWithKey {
            credential: BasicCredential::new(self.credential.encode()).into(),
            signature_key: self.key().as_bytes().as_slice().into(),
        }
    }
}

impl Signer for Identity {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        // MLS brings a label of its own ("MLS 1.0 …"), so no other signature of ours can be
        // mistaken for one of these.
        Ok(self.key.sign_raw(payload).to_vec())
    }

    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

impl Credential {
    fn encode(&self) -> Vec<u8> {
        let party = match self {
            Self::Staff(chain) => pb::credential::Party::Chain(chain.to_bytes()),
            Self::Defender { pseudonym } => pb::credential::Party::Pseudonym(pseudonym.clone()),
        };
        pb::Credential { party: Some(party) }.encode_to_vec()
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, CertError> {
        let pb = pb::Credential::decode(bytes).map_err(|_| CertError::Malformed)?;
        match pb.party.ok_or(CertError::Malformed)? {
            pb::credential::Party::Chain(chain) => Ok(Self::Staff(Chain::from_bytes(&chain)?)),
            pb::credential::Party::Pseudonym(name) if valid_name(&name) => {
                Ok(Self::Defender { pseudonym: name })
            }
            pb::credential::Party::Pseudonym(_) => Err(CertError::BadName),
        }
    }
}

/// A member of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Leaf index.
    pub leaf: u32,
    /// Signature key.
    pub key: VerifyingKey,
    /// Who it is.
    pub party: Party,
}

/// Who a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Party {
    /// A staff device whose chain verified.
    Device(Box<VerifiedDevice>),
    /// A defender.
    Defender {
        /// The name it chose.
        pseudonym: String,
    },
}

/// A party: who shares a mailbox. Messages are addressed to parties, not to devices.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum PartyId {
    /// A unit with all its devices.
    Unit(String),
    /// A defender, by its key.
    Defender(VerifyingKey),
}

impl Member {
    /// The party it belongs to.
    pub fn party_id(&self) -> PartyId {
        match &self.party {
            Party::Device(device) => PartyId::Unit(device.unit.id.clone()),
            Party::Defender { .. } => PartyId::Defender(self.key),
        }
    }

    /// True if its certificates have ended: what it says is no longer vouched for by its unit.
    pub fn lapsed(&self, now: i64) -> bool {
        matches!(&self.party, Party::Device(device) if device.not_after <= now)
    }

    /// True if the newest directory, or the root, revokes its device, unit or issuer.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn is_revoked(&self, env: &Env<'_>) -> Result<bool, StateError> {
        let Party::Device(device) = &self.party else { return Ok(false) };
        Ok(Trust::load(env.store, &device.unit.root)?.check_device(device).is_err())
    }

    /// A leaf of the tree: it was checked when it was let in.
    pub(super) fn of(
        member: &openmls::prelude::Member,
        charter: &Charter,
    ) -> Result<Self, Rejection> {
        let leaf = member.index.u32();
        Self::checked(leaf, &member.credential, &member.signature_key, charter, None)
    }

    /// Who a leaf is, by its credential and signature key. Without `env` its chain is only read; with
    /// it, the chain must hold at `env.now`, and nothing in it be revoked by then.
    pub(super) fn checked(
        leaf: u32,
        credential: &openmls::prelude::Credential,
        signature_key: &[u8],
        charter: &Charter,
        env: Option<&Env<'_>>,
    ) -> Result<Self, Rejection> {
        let chain_error = |error: CertError| Rejection::new(Check::Chain, error.to_string());
        let basic = BasicCredential::try_from(credential.clone())
            .map_err(|_| Rejection::new(Check::Chain, "the credential is not a basic one"))?;
        let key = VerifyingKey::from_bytes(signature_key)
            .map_err(|error| Rejection::new(Check::LeafKey, error.to_string()))?;
        let party = match Credential::decode(basic.identity()).map_err(chain_error)? {
            Credential::Staff(chain) => {
                let device = match env {
                    Some(env) => chain.verify_device(&charter.root, env.now),
                    None => chain.trusted_device(&charter.root),
                }
                .map_err(chain_error)?;
                if let Some(env) = env {
                    not_revoked(env, &device)?;
                }
                if device.key != key {
                    return Err(Rejection::new(
                        Check::LeafKey,
                        "the leaf's key is not the one its certificate names",
                    ));
                }
                if !charter.units.contains(&device.unit.id) {
                    return Err(Rejection::new(
                        Check::Chain,
                        format!("the unit {} has no part in this group", device.unit.id),
                    ));
                }
                Party::Device(Box::new(device))
            }
            Credential::Defender { .. } if charter.kind != super::GroupKind::Case => {
                return Err(Rejection::new(
                    Check::PartyAllowed,
                    "a leaf without certificate in a group of staff",
                ));
            }
            Credential::Defender { pseudonym } => Party::Defender { pseudonym },
        };
        Ok(Self { leaf, key, party })
    }
}

/// BUD-MLS-027, as of `env.now`: what was no revocation at the time of a commit is none in it, so that
/// who replays a group's history reads it as everybody did.
pub(super) fn not_revoked(env: &Env<'_>, device: &VerifiedDevice) -> Result<(), Rejection> {
    let refused = |why: String| Rejection::new(Check::Revoked, why);
    let trust =
        Trust::load(env.store, &device.unit.root).map_err(|error| refused(error.to_string()))?;
    trust.check_device_at(device, env.now).map_err(|error| refused(error.to_string()))
}
