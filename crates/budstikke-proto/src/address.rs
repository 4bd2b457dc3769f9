//! Relay addresses (SPEC.md section 3.2): `bud://<fingerprint>@host:port`.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;

use crate::id::RelayId;

/// The port used when an address names none.
pub const DEFAULT_PORT: u16 = 443;
const SCHEME: &str = "bud://";

/// Where a relay is, and the key that it must prove to hold. The fingerprint is 52 letters and digits (base32 of
/// RFC 4648, lower case, over the 32 bytes of [`RelayId`]).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RelayAddress {
    /// SHA-256 over the relay's SPKI.
    pub id: RelayId,
    /// A host name or an IP address, IPv6 without brackets.
    pub host: String,
    /// The UDP port.
    pub port: u16,
}

/// Why text is not a relay address. Ask whoever gave you the address for it again.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressError {
    /// No `bud://` in front.
    #[error("a relay address starts with bud://")]
    Scheme,
    /// No `@`, or no 52-letter fingerprint before it.
    #[error("a relay address needs its 52-letter fingerprint before the @")]
    Fingerprint,
    /// Empty or impossible host.
    #[error("the relay address names no usable host")]
    Host,
    /// Not a port.
    #[error("the relay address has an impossible port")]
    Port,
}

impl FromStr for RelayAddress {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let rest = text.trim().strip_prefix(SCHEME).ok_or(AddressError::Scheme)?;
        let (print, place) = rest.split_once('@').ok_or(AddressError::Fingerprint)?;
        let bytes = BASE32_NOPAD
            .decode(print.to_ascii_uppercase().as_bytes())
            .map_err(|_| AddressError::Fingerprint)?;
        let id = RelayId::parse(&bytes).map_err(|_| AddressError::Fingerprint)?;
        let (host, port) = match place.strip_prefix('[') {
            Some(v6) => {
                let (host, port) = v6.split_once(']').ok_or(AddressError::Host)?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| AddressError::Host)?;
                (host, port.strip_prefix(':').or(port.is_empty().then_some("")))
            }
            None => match place.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (place, Some("")),
            },
        };
        let port = match port {
            Some("") => DEFAULT_PORT,
            Some(port) => port.parse().map_err(|_| AddressError::Port)?,
            None => return Err(AddressError::Port),
        };
        let usable = |c: char| c.is_ascii_alphanumeric() || "-._:%".contains(c);
        if host.is_empty() || host.len() > 253 || !host.chars().all(usable) {
            return Err(AddressError::Host);
        }
        Ok(Self { id, host: host.to_owned(), port })
    }
}

impl RelayAddress {
    /// The address as text. Not `Display`: an address says whom somebody talks to, so printing one is always a
    /// decision.
    pub fn to_text(&self) -> String {
        let print = BASE32_NOPAD.encode(self.id.as_bytes()).to_ascii_lowercase();
        if self.host.contains(':') {
            format!("{SCHEME}{print}@[{}]:{}", self.host, self.port)
        } else {
            format!("{SCHEME}{print}@{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for RelayAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RelayAddress")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_an_address_or_an_error(text in ".{0,120}", tail in "[-a-z0-9:@\\[\\].]{0,40}") {
            let _ = text.parse::<RelayAddress>();
            let print = "a".repeat(52);
            if let Ok(address) = format!("bud://{print}@{tail}").parse::<RelayAddress>() {
                prop_assert_eq!(address.to_text().parse::<RelayAddress>().unwrap(), address);
            }
        }
    }

    #[test]
    fn hosts_of_all_kinds_come_back() {
        for place in ["relay.example:4433", "127.0.0.1:1", "[::1]:443"] {
            let text = format!("bud://{}@{place}", "a".repeat(52));
            assert_eq!(text.parse::<RelayAddress>().unwrap().to_text(), text);
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let print = "a".repeat(52);
        let parse = |text: String| text.parse::<RelayAddress>().unwrap_err();
        assert_eq!(parse("https://x".into()), AddressError::Scheme);
        assert_eq!(parse("bud://abc@x:1".into()), AddressError::Fingerprint);
        assert_eq!(parse(format!("bud://{print}@:1")), AddressError::Host);
        assert_eq!(parse(format!("bud://{print}@x:99999")), AddressError::Port);
    }
}
