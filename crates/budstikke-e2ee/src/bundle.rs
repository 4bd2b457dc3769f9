//! The intake bundle: what a unit publishes on its notice so that a stranger can write to it once.

use prost::Message as _;
use thiserror::Error;

use crate::{
    cert::{CertError, Chain, VerifiedUnit},
    invite::Invitation,
    keys::{HpkePublic, SigningKey},
    pb,
    routes::{Door, open_door},
    signed,
    suite::Suite,
};

const DOMAIN: &str = "intake-bundle";
const MAX_KEYS: usize = 16;
const MAX_DOORS: usize = 16;

/// A public intake key and when to use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntakeKey {
    /// 8 random bytes that a sealed contact names it by.
    pub id: [u8; 8],
    /// The X-Wing key.
    pub public: HpkePublic,
    /// Unix seconds.
    pub valid_from: i64,
    /// Unix seconds, exclusive: after it nothing new is sealed to this key.
    pub valid_until: i64,
}

/// What goes into a bundle.
#[derive(Debug, Clone)]
pub struct BundleContents {
    /// Keys, the one to prefer first.
    pub keys: Vec<IntakeKey>,
    /// Case bytes: terms offers, privacy notice, emergency terms. Opaque here.
    pub offers: Vec<Vec<u8>>,
    /// Unix seconds, exclusive.
    pub valid_until: i64,
    /// The front door, sealed for each door it replaces: [`crate::routes::seal_door`]; at most 16.
    pub doors: Vec<Vec<u8>>,
}

/// A bundle that verified against an invitation.
#[derive(Debug, Clone)]
pub struct IntakeBundle {
    /// The unit that published it.
    pub unit: VerifiedUnit,
    /// Its chain, for [`crate::safety`] and records.
    pub chain: Chain,
    /// Keys usable now, the one to prefer first; at least one.
    pub keys: Vec<IntakeKey>,
    /// Case bytes, opaque here.
    pub offers: Vec<Vec<u8>>,
    /// When it was signed.
    pub made_at: i64,
    /// When it ends.
    pub valid_until: i64,
    doors: Vec<Vec<u8>>,
}

/// A bundle that must not be used.
#[derive(Debug, Error, PartialEq, Eq, Clone)]
#[non_exhaustive]
pub enum BundleError {
    /// Not a bundle.
    #[error("the mission's notice holds no intake bundle of a known form")]
    Malformed,
    /// The unit's certificates fail.
    #[error("the mission's certificates do not verify: {0}")]
    Certificate(#[from] CertError),
    /// Another unit, or another notice, than the invitation names.
    #[error("the bundle is from another unit than the invitation names: do not write to it")]
    WrongUnit,
    /// The unit's signature over the bundle is false.
    #[error("the bundle's signature is false: do not write to it")]
    Forged,
    /// Its time is over, or has not come.
    #[error("the bundle is not valid now; the mission must publish a new one (or check the clock)")]
    NotNow,
    /// No intake key is valid now and well formed.
    #[error("the bundle holds no usable intake key; the mission must publish a new one")]
    NoKey,
    /// `unit` is not the key of the chain to sign with.
    #[error("this key is not the unit's signing key")]
    NotYourKey,
}

impl BundleContents {
    /// Signs a bundle with the unit's key.
    ///
    /// # Errors
    /// [`BundleError::Certificate`] and [`BundleError::NotYourKey`] about `chain`;
    /// [`BundleError::NoKey`] without keys or with more than 16.
    pub fn sign(&self, unit: &SigningKey, chain: &Chain, now: i64) -> Result<Vec<u8>, BundleError> {
        let own = chain.verify_unit(&chain.claimed_root(), now)?;
        if own.key != unit.public() {
            return Err(BundleError::NotYourKey);
        }
        if !(1..=MAX_KEYS).contains(&self.keys.len()) {
            return Err(BundleError::NoKey);
        }
        let keys = self.keys.iter().map(|key| pb::IntakeKey {
            id: key.id.to_vec(),
            public_key: key.public.as_bytes().to_vec(),
            valid_from: key.valid_from,
            valid_until: key.valid_until,
        });
        let body = pb::BundleBody {
            version: 1,
            chain: chain.to_bytes(),
            made_at: now,
            valid_until: self.valid_until,
            intake_keys: keys.collect(),
            offers: self.offers.clone(),
            doors: self.doors.iter().take(MAX_DOORS).cloned().collect(),
        };
        Ok(signed::seal(DOMAIN, unit, body.encode_to_vec()))
    }
}

impl IntakeBundle {
    /// Verifies a bundle against the invitation: root, unit id, notice id, signature, time, keys.
    ///
    /// # Errors
    /// [`BundleError`].
    pub fn verify(
        suite: &Suite,
        bytes: &[u8],
        invitation: &Invitation,
        now: i64,
    ) -> Result<Self, BundleError> {
        let signed = signed::parse(bytes).ok_or(BundleError::Malformed)?;
        let body =
            pb::BundleBody::decode(signed.body.as_slice()).map_err(|_| BundleError::Malformed)?;
        // The chain inside says whose key to check with; it counts only as far as the invitation's
        // root vouches for it.
        let chain = Chain::from_bytes(&body.chain)?;
        let unit = chain.verify_unit(&invitation.root, now)?;
        if unit.id != invitation.unit_id || unit.notice != invitation.notice {
            return Err(BundleError::WrongUnit);
        }
        signed::check(DOMAIN, &unit.key, &signed).map_err(|_| BundleError::Forged)?;
        if body.version != 1 || body.intake_keys.len() > MAX_KEYS {
            return Err(BundleError::Malformed);
        }
        if now >= body.valid_until || now < body.made_at.saturating_sub(crate::cert::BACKDATE) {
            return Err(BundleError::NotNow);
        }
        let keys: Vec<_> =
            body.intake_keys.iter().filter_map(|key| usable(suite, key, now)).collect();
        if keys.is_empty() {
            return Err(BundleError::NoKey);
        }
        Ok(Self {
            unit,
            chain,
            keys,
            offers: body.offers,
            made_at: body.made_at,
            valid_until: body.valid_until,
            doors: body.doors,
        })
    }

    /// Where to knock with this invitation: at its own door, or at the one that the unit has moved to since.
    pub fn door(&self, invitation: &Invitation) -> Door {
        let sealed = self.doors.iter().take(MAX_DOORS);
        let mut moved = sealed.filter_map(|sealed| open_door(&invitation.send_secret, sealed));
        moved.next().unwrap_or_else(|| Door {
            send_id: invitation.send_id,
            send_secret: invitation.send_secret.clone(),
        })
    }
}

/// The chain inside a bundle that verified before; nothing is checked again.
pub fn chain_of(bytes: &[u8]) -> Option<Chain> {
    let body = pb::BundleBody::decode(signed::parse(bytes)?.body.as_slice()).ok()?;
    Chain::from_bytes(&body.chain).ok()
}

fn usable(suite: &Suite, key: &pb::IntakeKey, now: i64) -> Option<IntakeKey> {
    if now < key.valid_from.saturating_sub(crate::cert::BACKDATE) || now >= key.valid_until {
        return None;
    }
    Some(IntakeKey {
        id: signed::fixed(&key.id)?,
        public: HpkePublic::from_bytes(suite, &key.public_key).ok()?,
        valid_from: key.valid_from,
        valid_until: key.valid_until,
    })
}
