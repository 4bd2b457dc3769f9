//! The invitation: all a defender needs to find a mission and to know it is the right one.
//!
//! Text `budinvite1…`, under 400 bytes with two relays, short enough for a QR code. Whoever holds
//! it can knock at the front door, nothing more; its fingerprint and unit id are what everything
//! that follows is verified against, so the way it is handed over is the root of the defender's
//! trust.

use std::fmt;

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use prost::Message as _;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    armor::{self, ArmorError},
    cert::valid_unit_id,
    keys::{Fingerprint, VerifyingKey},
    pb, signed,
};

const PREFIX: &str = "budinvite1";
const MAX_RELAYS: usize = 8;
const MAX_ADDRESS: usize = 300;

/// An invitation to one unit.
#[derive(Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Fingerprint of the Ministry's root.
    pub root: Fingerprint,
    /// Unit id, like `no.emb.karvonia`.
    pub unit_id: String,
    /// Id of the notice with the intake bundle.
    pub notice: VerifyingKey,
    /// Front door on the first relay.
    pub send_id: [u8; 32],
    /// X25519 secret of the front door's grant. The seal key is derived from it.
    pub send_secret: Zeroizing<[u8; 32]>,
    /// Relay addresses, the front door's first; 1 to 8.
    pub relays: Vec<String>,
}

/// The invitation can't be used. All but `Version` are mended by copying or scanning it again.
#[derive(Debug, Error, PartialEq, Eq, Clone, Copy)]
#[non_exhaustive]
pub enum InviteError {
    /// Typing or copying error.
    #[error("the invitation can't be read: {0}")]
    Text(#[from] ArmorError),
    /// The checksum is right, but the contents are not: made by another version.
    #[error("the invitation is of a form this version does not know; ask for a new one")]
    Contents,
    /// The unit id is not one.
    #[error("the invitation names no valid unit; ask for a new one")]
    UnitId,
    /// No relay, too many, or an address that is too long.
    #[error("the invitation must name one to eight relays; ask for a new one")]
    Relays,
}

impl Invitation {
    /// The text form.
    ///
    /// # Errors
    /// [`InviteError::UnitId`], [`InviteError::Relays`].
    pub fn to_text(&self) -> Result<String, InviteError> {
        self.check()?;
        let payload = pb::Invitation {
            root_fingerprint: self.root.to_vec(),
            unit_id: self.unit_id.clone(),
            notice_id: self.notice.as_bytes().to_vec(),
            send_id: self.send_id.to_vec(),
            send_secret: self.send_secret.to_vec(),
            relays: self.relays.iter().map(|relay| pack(relay)).collect(),
        };
        Ok(armor::encode(PREFIX, &Zeroizing::new(payload.encode_to_vec())))
    }

    /// Parses the text form; white space inside is ignored.
    ///
    /// # Errors
    /// [`InviteError`].
    pub fn from_text(text: &str) -> Result<Self, InviteError> {
        let payload = Zeroizing::new(armor::decode(PREFIX, text)?);
        let mut pb =
            pb::Invitation::decode(payload.as_slice()).map_err(|_| InviteError::Contents)?;
        let invitation = Self {
            root: signed::fixed(&pb.root_fingerprint).ok_or(InviteError::Contents)?,
            unit_id: std::mem::take(&mut pb.unit_id),
            notice: VerifyingKey::from_bytes(&pb.notice_id).map_err(|_| InviteError::Contents)?,
            send_id: signed::fixed(&pb.send_id).ok_or(InviteError::Contents)?,
            send_secret: signed::fixed(&pb.send_secret)
                .map(Zeroizing::new)
                .ok_or(InviteError::Contents)?,
            relays: pb
                .relays
                .iter()
                .map(unpack)
                .collect::<Option<_>>()
                .ok_or(InviteError::Contents)?,
        };
        invitation.check()?;
        Ok(invitation)
    }

    fn check(&self) -> Result<(), InviteError> {
        if !valid_unit_id(&self.unit_id) {
            return Err(InviteError::UnitId);
        }
        let sound = |a: &String| (1..=MAX_ADDRESS).contains(&a.len());
        if (1..=MAX_RELAYS).contains(&self.relays.len()) && self.relays.iter().all(sound) {
            Ok(())
        } else {
            Err(InviteError::Relays)
        }
    }
}

impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Invitation")
    }
}

const SCHEME: &str = "bud://";

pub(crate) fn pack(address: &str) -> pb::PackedRelay {
    let split = address.strip_prefix(SCHEME).and_then(|rest| rest.split_once('@'));
    if let Some((text, rest)) = split {
        for encoding in 1..=3 {
            let Some(fingerprint) = read_fingerprint(encoding, text) else { continue };
            if write_fingerprint(encoding, &fingerprint).as_deref() == Some(text) {
                return pb::PackedRelay { fingerprint, encoding, rest: rest.to_owned() };
            }
        }
    }
    pb::PackedRelay { fingerprint: Vec::new(), encoding: 0, rest: address.to_owned() }
}

pub(crate) fn unpack(relay: &pb::PackedRelay) -> Option<String> {
    if relay.encoding == 0 {
        return Some(relay.rest.clone());
    }
    if relay.fingerprint.len() != 32 {
        return None;
    }
    let text = write_fingerprint(relay.encoding, &relay.fingerprint)?;
    Some(format!("{SCHEME}{text}@{}", relay.rest))
}

fn read_fingerprint(encoding: u32, text: &str) -> Option<Vec<u8>> {
    let bytes = match encoding {
        1 => BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes()),
        2 => HEXLOWER.decode(text.as_bytes()),
        3 => BASE64URL_NOPAD.decode(text.as_bytes()),
        _ => return None,
    };
    bytes.ok().filter(|bytes| bytes.len() == 32)
}

fn write_fingerprint(encoding: u32, bytes: &[u8]) -> Option<String> {
    match encoding {
        1 => Some(BASE32_NOPAD.encode(bytes).to_ascii_lowercase()),
        2 => Some(HEXLOWER.encode(bytes)),
        3 => Some(BASE64URL_NOPAD.encode(bytes)),
        _ => None,
    }
}
