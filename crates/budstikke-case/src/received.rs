//! A message as it came: bytes kept verbatim, what of it this version understands, and a stop
//! sign where it does not.

use prost::Message as _;

use crate::kind::Kind;
use crate::refusal::{Fault, Refusal, Unit, Unknown};
use crate::scan;
use crate::validate::MAX_CONTENT;
use crate::wire::{Content, Header, content::Body};

/// `must_understand` numbers this version acts on. A field that restricts ships with a number of
/// its own, so that an older reader refuses to act instead of overlooking it.
pub const FEATURES: &[u32] = &[];

/// A received plaintext. The bytes are stored, hashed and forwarded as they came; encoding the
/// decoded message again would lose what a newer version put into it.
#[derive(Clone, PartialEq)]
pub struct Received {
    bytes: Vec<u8>,
    content: Content,
    kind: Kind,
    understanding: Understanding,
}

/// Whether this version may act on a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Understanding {
    /// All that must be understood is.
    Full,
    /// Show it, keep it, answer `NOT_UNDERSTOOD`, do nothing.
    Not(Unknown),
}

impl Received {
    /// Scans and decodes, keeping the bytes. Does not validate: see [`crate::validate()`].
    ///
    /// # Errors
    /// W02 when the bytes are too many, damaged, ambiguous or have no body at all. A body of a
    /// newer version is no error here, but [`Received::act`] will not hand it out.
    pub fn open(bytes: Vec<u8>) -> Result<Self, Refusal> {
        if bytes.len() > MAX_CONTENT {
            return Err(too_large(bytes.len()));
        }
        let arm = scan::content(&bytes)?.arm;
        let content =
            Content::decode(bytes.as_slice()).map_err(|_| malformed("message", Fault::Encoding))?;
        let kind = match (Kind::of(&content), arm) {
            (Some(kind), _) => kind,
            (None, Some(arm)) => Kind::Unknown(arm),
            (None, None) => return Err(malformed("body", Fault::Missing)),
        };
        let understanding = understanding(kind, &content);
        Ok(Self { bytes, content, kind, understanding })
    }

    /// The bytes as received.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was decoded; has no body when the kind is unknown.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The header, if there is one (its absence is a matter of validation).
    pub fn header(&self) -> Option<&Header> {
        self.content.header.as_ref()
    }

    /// For the inbox.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether all of it is understood.
    pub fn understanding(&self) -> Understanding {
        self.understanding
    }

    /// Header and body to act on.
    ///
    /// # Errors
    /// W01 when this version does not understand all that must be; W02 without a header.
    pub fn act(&self) -> Result<(&Header, &Body), Refusal> {
        if let Understanding::Not(what) = self.understanding {
            return Err(Refusal::NotUnderstood { what });
        }
        let header = self.header().ok_or_else(|| malformed("header", Fault::Missing))?;
        let body = self.content.body.as_ref();
        Ok((header, body.ok_or_else(|| malformed("body", Fault::Missing))?))
    }
}

impl std::fmt::Debug for Received {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Received")
    }
}

fn understanding(kind: Kind, content: &Content) -> Understanding {
    if let Kind::Unknown(arm) = kind {
        return Understanding::Not(Unknown::Arm(arm));
    }
    let required = content.header.iter().flat_map(|header| &header.must_understand);
    match required.into_iter().find(|feature| !FEATURES.contains(feature)) {
        Some(feature) => Understanding::Not(Unknown::Feature(*feature)),
        None => Understanding::Full,
    }
}

pub(crate) fn too_large(got: usize) -> Refusal {
    let (field, limit) = ("message".to_owned(), MAX_CONTENT);
    Refusal::TooLarge { field, limit, got, unit: Unit::Bytes }
}

pub(crate) fn malformed(field: &str, fault: Fault) -> Refusal {
    Refusal::Malformed { field: field.to_owned(), fault }
}
