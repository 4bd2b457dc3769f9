//! First contact: one cell, sealed to the mission's intake key, and the routes both sides exchange.

use std::fmt;

use prost::Message as _;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    bundle::IntakeKey,
    keys::{HpkeSecret, hash},
    pb, signed,
    suite::{HpkeError, Suite},
};

const MAX_ROUTES: usize = 8;

/// Where one party may write to another: a grant on a mailbox and the key of its outer seal.
#[derive(Clone, PartialEq, Eq)]
pub struct Route {
    /// Relay address.
    pub relay: String,
    /// The capability's id.
    pub send_id: [u8; 32],
    /// X25519 secret of the grant.
    pub send_secret: Zeroizing<[u8; 32]>,
    /// Key of the outer seal of cells under this grant.
    pub seal_key: Zeroizing<[u8; 32]>,
    /// The grant's label at its owner.
    pub label: Vec<u8>,
}

/// What the defender says to the offered channel terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TermsAnswer {
    /// Hash of the offer accepted as it stands.
    Accepted([u8; 32]),
    /// Case bytes of a counter-proposal.
    Counter(Vec<u8>),
}

/// The plaintext of a first contact.
#[derive(Clone, PartialEq, Eq)]
pub struct FirstContact {
    /// The defender's MLS key package; checked only when it is added to a group.
    pub key_package: Vec<u8>,
    /// Where the mission may answer; 1 to 8.
    pub reply: Vec<Route>,
    /// Accepted or countered terms.
    pub terms: TermsAnswer,
    /// Case bytes of the emergency form.
    pub emergency: Option<Vec<u8>>,
    /// Further case bytes that may travel before terms are in force.
    pub extra: Vec<Vec<u8>>,
}

/// A secret intake key, as the team keeps it.
#[derive(Debug, Clone)]
pub struct IntakeSecret {
    /// 8 bytes, as published.
    pub id: [u8; 8],
    /// The pair.
    pub secret: HpkeSecret,
}

/// The replay id: hash of the sealed bytes. Keep it as long as the intake key that opened it.
pub type ContactId = [u8; 32];

/// A first contact that can't be made or read.
#[derive(Debug, Error, PartialEq, Eq, Clone, Copy)]
#[non_exhaustive]
pub enum ContactError {
    /// Not a sealed contact.
    #[error("the cell holds no first contact of a known form")]
    Malformed,
    /// Sealed to a key this device does not hold: expired and forgotten, or never ours.
    #[error("the first contact is sealed to an intake key this device does not hold")]
    UnknownKey,
    /// Sealing or opening failed.
    #[error(transparent)]
    Seal(#[from] HpkeError),
    /// It opened, but what is inside is incomplete.
    #[error("the first contact is incomplete: its sender's program is at fault")]
    Contents,
}

impl FirstContact {
    /// Seals it to the mission's intake key.
    ///
    /// # Errors
    /// [`ContactError::Contents`] without key package or reply route; [`ContactError::Seal`].
    pub fn seal(&self, suite: &Suite, to: &IntakeKey) -> Result<Vec<u8>, ContactError> {
        if self.key_package.is_empty() || !(1..=MAX_ROUTES).contains(&self.reply.len()) {
            return Err(ContactError::Contents);
        }
        let (accepted, counter) = match &self.terms {
            TermsAnswer::Accepted(hash) => (Some(hash.to_vec()), None),
            TermsAnswer::Counter(bytes) => (None, Some(bytes.clone())),
        };
        let terms = accepted
            .map(pb::first_contact::Terms::Accepted)
            .or(counter.map(pb::first_contact::Terms::Counter));
        let plain = pb::FirstContact {
            version: 1,
            key_package: self.key_package.clone(),
            reply: self.reply.iter().map(Route::to_pb).collect(),
            terms,
            emergency: self.emergency.clone().unwrap_or_default(),
            extra: self.extra.clone(),
        };
        let plain = Zeroizing::new(plain.encode_to_vec());
        let (encapsulated, ciphertext) = suite.seal(to.public.as_bytes(), &info(to.id), &plain)?;
        Ok(pb::SealedContact { key_id: to.id.to_vec(), encapsulated, ciphertext }.encode_to_vec())
    }

    /// Opens a sealed contact with whichever of `keys` it names.
    ///
    /// # Errors
    /// [`ContactError`].
    pub fn open(
        suite: &Suite,
        sealed: &[u8],
        keys: &[IntakeSecret],
    ) -> Result<(Self, ContactId), ContactError> {
        let outer = pb::SealedContact::decode(sealed).map_err(|_| ContactError::Malformed)?;
        let id: [u8; 8] = signed::fixed(&outer.key_id).ok_or(ContactError::Malformed)?;
        let key = keys.iter().find(|key| key.id == id).ok_or(ContactError::UnknownKey)?;
        let plain =
            suite.open(key.secret.secret(), &info(id), &outer.encapsulated, &outer.ciphertext)?;
        // Over the fields, not the encoding: protobuf has many encodings of one message.
        let contact_id = hash("contact-id", &[&id, &outer.encapsulated, &outer.ciphertext]);
        Ok((Self::from_bytes(&plain)?, contact_id))
    }

    fn from_bytes(plain: &[u8]) -> Result<Self, ContactError> {
        let pb = pb::FirstContact::decode(plain).map_err(|_| ContactError::Contents)?;
        if pb.version != 1
            || pb.key_package.is_empty()
            || !(1..=MAX_ROUTES).contains(&pb.reply.len())
        {
            return Err(ContactError::Contents);
        }
        let terms = match pb.terms.ok_or(ContactError::Contents)? {
            pb::first_contact::Terms::Accepted(hash) => {
                TermsAnswer::Accepted(signed::fixed(&hash).ok_or(ContactError::Contents)?)
            }
            pb::first_contact::Terms::Counter(bytes) => TermsAnswer::Counter(bytes),
        };
        let reply: Option<Vec<_>> = pb.reply.iter().map(Route::from_pb).collect();
        Ok(Self {
            key_package: pb.key_package,
            reply: reply.ok_or(ContactError::Contents)?,
            terms,
            emergency: Some(pb.emergency).filter(|bytes| !bytes.is_empty()),
            extra: pb.extra,
        })
    }
}

impl Route {
    pub(crate) fn to_pb(&self) -> pb::Route {
        pb::Route {
            relay: self.relay.clone(),
            send_id: self.send_id.to_vec(),
            send_secret: self.send_secret.to_vec(),
            seal_key: self.seal_key.to_vec(),
            label: self.label.clone(),
        }
    }

    pub(crate) fn from_pb(pb: &pb::Route) -> Option<Self> {
        if pb.relay.is_empty() || pb.relay.len() > 300 || pb.label.len() > 32 {
            return None;
        }
        Some(Self {
            relay: pb.relay.clone(),
            send_id: signed::fixed(&pb.send_id)?,
            send_secret: signed::fixed(&pb.send_secret).map(Zeroizing::new)?,
            seal_key: signed::fixed(&pb.seal_key).map(Zeroizing::new)?,
            label: pb.label.clone(),
        })
    }

    /// Bytes for the vault.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.to_pb().encode_to_vec())
    }

    /// Parses [`Route::to_bytes`].
    ///
    /// # Errors
    /// [`ContactError::Malformed`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ContactError> {
        let pb = pb::Route::decode(bytes).map_err(|_| ContactError::Malformed)?;
        Self::from_pb(&pb).ok_or(ContactError::Malformed)
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Route")
    }
}

impl fmt::Debug for FirstContact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FirstContact")
    }
}

fn info(key_id: [u8; 8]) -> Vec<u8> {
    [b"budstikke/v1/first-contact\0".as_slice(), &key_id].concat()
}
