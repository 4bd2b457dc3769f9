//! The code by which a colleague's new device joins a team: shown on an admin's screen, good once and for a day.
//!
//! It carries the right to append to the team mailbox under a grant of its own, and 32 secret bytes that the keys of
//! both directions' cells are derived from: what opens under them comes from who has seen the code.

use std::fmt;

use prost::Message as _;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
    armor::{self, ArmorError},
    cert::{valid_name, valid_unit_id},
    invite::{pack, unpack},
    keys::{Fingerprint, hash},
    pb, signed,
};

const PREFIX: &str = "budjoin1";
const MAX_ADDRESS: usize = 300;
/// Seconds that a code is good for: 24 hours.
pub const CODE_LIFETIME: i64 = 86_400;

/// What a code holds.
#[derive(Clone, PartialEq, Eq)]
pub struct JoinCode {
    /// Fingerprint of the Ministry's root.
    pub root: Fingerprint,
    /// The unit to join.
    pub unit_id: String,
    /// Relay of the team mailbox.
    pub relay: String,
    /// The grant for this one device.
    pub send_id: [u8; 32],
    /// X25519 secret of that grant.
    pub send_secret: Zeroizing<[u8; 32]>,
    /// Known to who made the code and who has it.
    pub secret: Zeroizing<[u8; 32]>,
    /// Label that the admin gives the device.
    pub officer: String,
    /// Unix seconds, exclusive.
    pub expires: i64,
}

/// A code can't be used.
#[derive(Debug, Error, PartialEq, Eq, Clone, Copy)]
#[non_exhaustive]
pub enum JoinError {
    /// Typing or copying error, or another text than a code.
    #[error("the code can't be read: {0}")]
    Text(#[from] ArmorError),
    /// The checksum is right, but the contents are not: made by another version.
    #[error("the code is of a form this version does not know; ask your admin for a new one")]
    Contents,
    /// Its day is over.
    #[error("the code is too old; ask your admin for a new one")]
    Expired,
    /// Another device was faster.
    #[error(
        "another device has used this code: tell your admin at once, who can remove that device, and ask for a new code"
    )]
    Used,
    /// What came back is for another device, or from another unit or Ministry than the code names.
    #[error("the answer does not belong to this code; ask your admin for a new one")]
    Foreign,
    /// The relay no longer takes anything under it.
    #[error(
        "the relay no longer takes this code: it is used or too old; ask your admin for a new one"
    )]
    Gone,
}

impl JoinError {
    /// The number in an answer; 0 for what no answer says.
    pub fn number(self) -> u32 {
        match self {
            Self::Expired => 1,
            Self::Used => 2,
            _ => 0,
        }
    }

    /// What an answer's number says.
    pub fn of_number(number: u32) -> Self {
        match number {
            1 => Self::Expired,
            2 => Self::Used,
            _ => Self::Contents,
        }
    }
}

impl JoinCode {
    /// The text form, under 500 bytes.
    ///
    /// # Errors
    /// [`JoinError::Contents`] for a unit id, a relay or a label that can't be one.
    pub fn to_text(&self) -> Result<String, JoinError> {
        self.check()?;
        let payload = pb::JoinCode {
            root_fingerprint: self.root.to_vec(),
            unit_id: self.unit_id.clone(),
            relay: Some(pack(&self.relay)),
            send_id: self.send_id.to_vec(),
            send_secret: self.send_secret.to_vec(),
            secret: self.secret.to_vec(),
            officer: self.officer.clone(),
            expires: self.expires,
        };
        Ok(armor::encode(PREFIX, &Zeroizing::new(payload.encode_to_vec())))
    }

    /// Parses the text form; white space inside is ignored.
    ///
    /// # Errors
    /// [`JoinError::Text`] and [`JoinError::Contents`]; [`JoinError::Expired`] when its day is over at `now`.
    pub fn from_text(text: &str, now: i64) -> Result<Self, JoinError> {
        let payload = Zeroizing::new(armor::decode(PREFIX, text)?);
        let pb = pb::JoinCode::decode(payload.as_slice()).map_err(|_| JoinError::Contents)?;
        let code = Self::of(&pb).ok_or(JoinError::Contents)?;
        code.check()?;
        if now >= code.expires {
            return Err(JoinError::Expired);
        }
        Ok(code)
    }

    fn of(pb: &pb::JoinCode) -> Option<Self> {
        Some(Self {
            root: signed::fixed(&pb.root_fingerprint)?,
            unit_id: pb.unit_id.clone(),
            relay: unpack(pb.relay.as_ref()?)?,
            send_id: signed::fixed(&pb.send_id)?,
            send_secret: signed::fixed(&pb.send_secret).map(Zeroizing::new)?,
            secret: signed::fixed(&pb.secret).map(Zeroizing::new)?,
            officer: pb.officer.clone(),
            expires: pb.expires,
        })
    }

    fn check(&self) -> Result<(), JoinError> {
        let sound = valid_unit_id(&self.unit_id)
            && valid_name(&self.officer)
            && (1..=MAX_ADDRESS).contains(&self.relay.len());
        if sound { Ok(()) } else { Err(JoinError::Contents) }
    }

    /// Key of the cells with which the device asks.
    pub fn ask_key(secret: &[u8; 32]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hash("join-ask", &[secret]))
    }

    /// Key of the cells with which the admin's device answers.
    pub fn answer_key(secret: &[u8; 32]) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(hash("join-answer", &[secret]))
    }
}

impl fmt::Debug for JoinCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinCode")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code() -> JoinCode {
        JoinCode {
            root: [1; 32],
            unit_id: "no.emb.karvonia".into(),
            relay: format!("bud://{}@relay.example.org:4433", "ab".repeat(32)),
            send_id: [2; 32],
            send_secret: Zeroizing::new([3; 32]),
            secret: Zeroizing::new([4; 32]),
            officer: "Officer B".into(),
            expires: 1_000,
        }
    }

    #[test]
    fn a_code_is_read_until_its_day_is_over() {
        let text = code().to_text().unwrap();
        assert!(text.len() < 500 && !text.contains(char::is_whitespace), "{}", text.len());
        assert_eq!(JoinCode::from_text(&text, 999), Ok(code()));
        assert_eq!(JoinCode::from_text(&text, 1_000), Err(JoinError::Expired));
        assert_ne!(JoinCode::ask_key(&[4; 32]), JoinCode::answer_key(&[4; 32]));
    }

    #[test]
    fn an_altered_or_another_text_is_no_code() {
        let text = code().to_text().unwrap();
        for place in PREFIX.len()..text.len() {
            let mut altered = text.clone().into_bytes();
            altered[place] = if altered[place] == b'A' { b'B' } else { b'A' };
            let read = JoinCode::from_text(&String::from_utf8(altered).unwrap(), 0);
            assert!(matches!(read, Err(JoinError::Text(_))), "{place}");
        }
        let other = armor::encode("budinvite1", b"an invitation");
        assert!(matches!(JoinCode::from_text(&other, 0), Err(JoinError::Text(_))));
        let empty = armor::encode(PREFIX, b"");
        assert_eq!(JoinCode::from_text(&empty, 0), Err(JoinError::Contents));
    }

    proptest! {
        #[test]
        fn any_contents_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = JoinCode::from_text(&armor::encode(PREFIX, &bytes), 0);
        }
    }
}
