//! Frames (SPEC.md section 3): the only two sizes that a network observer ever sees.
//!
//! ```text
//! control  header 16 | forward 1,136 | tag 16, operation ≤ 880, zeros          = 2,048
//! data     header 16 | forward 1,136 | tag 16, operation ≤ 192, zeros | 15,024 = 16,384
//! ```

use crate::limits::{
    CELL_LEN, CONTROL_FRAME_LEN, CONTROL_OP_LEN, DATA_FRAME_LEN, DATA_OP_LEN, FORWARD_LEN,
    HEADER_LEN, TAG_LEN,
};

/// The version byte of every frame.
pub const VERSION: u8 = 1;

/// Why bytes are not a frame. All are the sender's fault.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrameError {
    /// The first byte names no frame size.
    #[error("unknown frame class {0}")]
    Class(u8),
    /// The version byte is not 1.
    #[error("frame version {0} is not spoken here")]
    Version(u8),
    /// The kind byte is not known.
    #[error("unknown frame kind {0}")]
    Kind(u8),
    /// The operation does not fit its area.
    #[error("operation of {0} bytes does not fit its area")]
    OpLength(usize),
    /// The frame's bytes are not as many as its class says.
    #[error("frame of {0} bytes")]
    Length(usize),
    /// Bytes that must be zero are not.
    #[error("padding is not zero")]
    Padding,
}

/// Control or data: decides the length on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 2,048 bytes, no payload.
    Control,
    /// 16,384 bytes with a payload of 15,024.
    Data,
}

impl Class {
    /// Bytes of a whole frame of this class.
    pub const fn frame_len(self) -> usize {
        match self {
            Self::Control => CONTROL_FRAME_LEN,
            Self::Data => DATA_FRAME_LEN,
        }
    }

    /// Most bytes of an encoded operation in this class.
    pub const fn max_op_len(self) -> usize {
        match self {
            Self::Control => CONTROL_OP_LEN - TAG_LEN,
            Self::Data => DATA_OP_LEN - TAG_LEN,
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Control => 1,
            Self::Data => 2,
        }
    }
}

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Client to relay: an operation.
    Request,
    /// Relay to client: the last frame that answers a request.
    Response,
    /// Relay to client: one of several frames that belong to a request.
    Push,
    /// Either way: to be dropped unread (cover traffic, SPEC.md section 9).
    Cover,
}

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::Request => 1,
            Self::Response => 2,
            Self::Push => 3,
            Self::Cover => 4,
        }
    }

    const fn parse(code: u8) -> Result<Self, FrameError> {
        match code {
            1 => Ok(Self::Request),
            2 => Ok(Self::Response),
            3 => Ok(Self::Push),
            4 => Ok(Self::Cover),
            other => Err(FrameError::Kind(other)),
        }
    }
}

/// Reads the class, and so the length, from a frame's first byte.
///
/// # Errors
/// [`FrameError::Class`].
pub const fn class_of(first: u8) -> Result<Class, FrameError> {
    match first {
        1 => Ok(Class::Control),
        2 => Ok(Class::Data),
        other => Err(FrameError::Class(other)),
    }
}

/// One frame, parsed. `op` is an encoded [`crate::wire::Request`] or [`crate::wire::Response`].
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is for.
    pub kind: Kind,
    /// Ties answers to their request; unique within a session, chosen by the client, counts up.
    pub request: u64,
    /// The authenticator, zero where none is needed.
    pub tag: [u8; TAG_LEN],
    /// The encoded operation.
    pub op: Vec<u8>,
    /// The payload of a data frame, exactly 15,024 bytes; `None` in a control frame.
    pub payload: Option<Vec<u8>>,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frame").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Frame {
    /// Which of the two sizes this frame takes.
    pub const fn class(&self) -> Class {
        if self.payload.is_some() { Class::Data } else { Class::Control }
    }

    /// The frame's bytes: 2,048 or 16,384 of them.
    ///
    /// # Errors
    /// [`FrameError::OpLength`] or [`FrameError::Length`] when a part does not fit.
    pub fn encode(&self) -> Result<Vec<u8>, FrameError> {
        let class = self.class();
        if self.op.len() > class.max_op_len() {
            return Err(FrameError::OpLength(self.op.len()));
        }
        let op_len =
            u16::try_from(self.op.len()).map_err(|_| FrameError::OpLength(self.op.len()))?;
        let mut out = Vec::with_capacity(class.frame_len());
        out.extend_from_slice(&[class.code(), VERSION, self.kind.code(), 0]);
        out.extend_from_slice(&self.request.to_be_bytes());
        out.extend_from_slice(&op_len.to_be_bytes());
        out.extend_from_slice(&[0; 2]);
        out.resize(HEADER_LEN + FORWARD_LEN, 0);
        out.extend_from_slice(&self.tag);
        out.extend_from_slice(&self.op);
        match &self.payload {
            None => out.resize(CONTROL_FRAME_LEN, 0),
            Some(payload) if payload.len() == CELL_LEN => {
                out.resize(DATA_FRAME_LEN - CELL_LEN, 0);
                out.extend_from_slice(payload);
            }
            Some(payload) => return Err(FrameError::Length(payload.len())),
        }
        Ok(out)
    }

    /// Parses a whole frame.
    ///
    /// # Errors
    /// [`FrameError`] names the first rule that the bytes break; nothing is guessed.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameError> {
        let (header, rest) =
            bytes.split_first_chunk::<HEADER_LEN>().ok_or(FrameError::Length(bytes.len()))?;
        let [class, version, kind, r0, request @ .., o0, o1, r1, r2] = *header;
        let class = class_of(class)?;
        if bytes.len() != class.frame_len() {
            return Err(FrameError::Length(bytes.len()));
        }
        if version != VERSION {
            return Err(FrameError::Version(version));
        }
        let kind = Kind::parse(kind)?;
        let op_len = usize::from(u16::from_be_bytes([o0, o1]));
        if op_len > class.max_op_len() {
            return Err(FrameError::OpLength(op_len));
        }
        let (forward, rest) =
            rest.split_at_checked(FORWARD_LEN).ok_or(FrameError::Length(bytes.len()))?;
        let (tag, rest) =
            rest.split_first_chunk::<TAG_LEN>().ok_or(FrameError::Length(bytes.len()))?;
        let (op_area, payload) =
            rest.split_at_checked(class.max_op_len()).ok_or(FrameError::Length(bytes.len()))?;
        let (op, padding) = op_area.split_at_checked(op_len).ok_or(FrameError::OpLength(op_len))?;
        let zero = |part: &[u8]| part.iter().fold(0, |all, byte| all | byte) == 0;
        if (r0 | r1 | r2) != 0 || !zero(forward) || !zero(padding) {
            return Err(FrameError::Padding);
        }
        Ok(Self {
            kind,
            request: u64::from_be_bytes(request),
            tag: *tag,
            op: op.to_vec(),
            payload: (class == Class::Data).then(|| payload.to_vec()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(op: Vec<u8>, payload: Option<Vec<u8>>) -> Frame {
        Frame { kind: Kind::Request, request: 7, tag: [9; TAG_LEN], op, payload }
    }

    proptest! {
        #[test]
        fn frames_round_trip(op in proptest::collection::vec(any::<u8>(), 0..=192), data: bool) {
            let frame = frame(op, data.then(|| vec![3; CELL_LEN]));
            let bytes = frame.encode().unwrap();
            prop_assert_eq!(bytes.len(), frame.class().frame_len());
            prop_assert_eq!(Frame::decode(&bytes).unwrap(), frame);
        }

        #[test]
        fn any_bytes_are_a_frame_or_an_error(mut bytes in proptest::collection::vec(any::<u8>(), 0..64),
                                             class in 0u8..4, whole: bool) {
            if let Some(first) = bytes.first_mut() { *first = class; }
            if whole { bytes.resize(if class == 2 { DATA_FRAME_LEN } else { CONTROL_FRAME_LEN }, 0); }
            if let Ok(frame) = Frame::decode(&bytes) {
                prop_assert_eq!(frame.encode().unwrap(), bytes);
            }
        }
    }

    #[test]
    fn padding_must_be_zero() {
        let mut bytes = frame(vec![1, 2], None).encode().unwrap();
        *bytes.last_mut().unwrap() = 1;
        assert_eq!(Frame::decode(&bytes), Err(FrameError::Padding));
    }

    #[test]
    fn an_operation_too_long_for_its_area_is_refused_both_ways() {
        assert_eq!(frame(vec![0; 881], None).encode(), Err(FrameError::OpLength(881)));
        let mut bytes = frame(vec![0; 880], None).encode().unwrap();
        bytes[12..14].copy_from_slice(&881u16.to_be_bytes());
        assert_eq!(Frame::decode(&bytes), Err(FrameError::OpLength(881)));
    }
}
