//! A party that moves: where it listens from now on, told inside the group, and its front door, told to who holds an
//! invitation to an earlier one (SPEC.md section 10.11).

use std::fmt;

use chacha20poly1305::{
    Key, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, KeyInit as _},
};
use prost::Message as _;
use rand_core::{CryptoRng, RngCore};
use zeroize::Zeroizing;

use crate::{contact::Route, keys::hash, pb, signed};

/// The first byte of news in a case group. No protobuf message begins with it, so no case message does.
const MARK: u8 = 0;
const VERSION: u32 = 1;
const MAX_ROUTES: usize = 8;
const DOOR: &str = "moved-door";
const NONCE_LEN: usize = 24;

/// Where a party listens from now on: the content of a message of a case group.
#[derive(Clone, PartialEq, Eq)]
pub struct RouteNews {
    /// 1 to 8 routes, which replace all earlier ones.
    pub routes: Vec<Route>,
}

impl RouteNews {
    /// Whether a message of a case group is such news, and not a case message.
    pub fn is_it(content: &[u8]) -> bool {
        content.first() == Some(&MARK)
    }

    /// Bytes for [`crate::group::Group::encrypt`].
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let routes = self.routes.iter().map(Route::to_pb).collect();
        let mut bytes = Zeroizing::new(vec![MARK]);
        let news = pb::RouteNews { version: VERSION, routes };
        bytes.extend_from_slice(&Zeroizing::new(news.encode_to_vec()));
        bytes
    }

    /// Parses [`RouteNews::to_bytes`]; `None` for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (mark, rest) = bytes.split_first()?;
        let news = pb::RouteNews::decode(rest).ok()?;
        if *mark != MARK
            || news.version != VERSION
            || !(1..=MAX_ROUTES).contains(&news.routes.len())
        {
            return None;
        }
        let routes = news.routes.iter().map(Route::from_pb).collect::<Option<_>>()?;
        Some(Self { routes })
    }
}

/// The right to knock at a front door.
#[derive(Clone, PartialEq, Eq)]
pub struct Door {
    /// The capability's id, on the first relay of the invitation.
    pub send_id: [u8; 32],
    /// X25519 secret of the grant; the seal key is derived from it.
    pub send_secret: Zeroizing<[u8; 32]>,
}

/// Seals a door for whoever holds an invitation with the secret of an earlier one: 104 bytes, XChaCha20-Poly1305 under
/// the hash with domain `moved-door` of that secret, a random nonce of 24 bytes in front.
pub fn seal_door(
    earlier: &[u8; 32],
    door: &Door,
    rng: &mut (impl RngCore + CryptoRng),
) -> Option<Vec<u8>> {
    let mut nonce = [0; NONCE_LEN];
    rng.fill_bytes(&mut nonce);
    let plain = Zeroizing::new([door.send_id.as_slice(), door.send_secret.as_slice()].concat());
    let sealed = cipher(earlier).encrypt(XNonce::from_slice(&nonce), plain.as_slice()).ok()?;
    Some([nonce.as_slice(), &sealed].concat())
}

/// Opens a door that was sealed for this earlier one; `None` when it was for another.
pub fn open_door(earlier: &[u8; 32], sealed: &[u8]) -> Option<Door> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
    let plain = cipher(earlier).decrypt(XNonce::from_slice(nonce), sealed).map(Zeroizing::new);
    let plain = plain.ok()?;
    let (send_id, send_secret) = plain.split_at_checked(32)?;
    let send_secret = signed::fixed(send_secret).map(Zeroizing::new)?;
    Some(Door { send_id: signed::fixed(send_id)?, send_secret })
}

fn cipher(earlier: &[u8; 32]) -> XChaCha20Poly1305 {
    let key = Zeroizing::new(hash(DOOR, &[earlier]));
    XChaCha20Poly1305::new(Key::from_slice(key.as_slice()))
}

impl fmt::Debug for RouteNews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RouteNews")
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Door")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    fn door() -> Door {
        Door { send_id: [1; 32], send_secret: Zeroizing::new([2; 32]) }
    }

    #[test]
    fn a_door_opens_for_the_one_it_replaces_only() {
        let sealed = seal_door(&[3; 32], &door(), &mut ChaCha20Rng::seed_from_u64(1)).unwrap();
        assert_eq!(sealed.len(), 104);
        assert_eq!(open_door(&[3; 32], &sealed), Some(door()));
        assert_eq!(open_door(&[4; 32], &sealed), None);
        for place in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[place] ^= 1;
            assert_eq!(open_door(&[3; 32], &altered), None);
        }
    }

    #[test]
    fn news_are_no_case_message() {
        let route = Route {
            relay: "bud://relay".into(),
            send_id: [1; 32],
            send_secret: Zeroizing::new([2; 32]),
            seal_key: Zeroizing::new([3; 32]),
            label: vec![4; 8],
        };
        let news = RouteNews { routes: vec![route.clone()] };
        let bytes = news.to_bytes();
        assert!(RouteNews::is_it(&bytes));
        assert_eq!(RouteNews::from_bytes(&bytes), Some(news));
        let none = RouteNews { routes: Vec::new() };
        assert_eq!(RouteNews::from_bytes(&none.to_bytes()), None);
        let many = RouteNews { routes: vec![route; 9] };
        assert_eq!(RouteNews::from_bytes(&many.to_bytes()), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_judged(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = RouteNews::from_bytes(&bytes);
            prop_assert_eq!(open_door(&[3; 32], &bytes), None);
        }
    }
}
