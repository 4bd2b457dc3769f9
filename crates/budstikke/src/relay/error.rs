//! What a relay's refusals mean to the one who asked.

use std::time::Duration;

use budstikke_proto::descriptor::DescriptorError;
use budstikke_proto::op::ErrorCode;

use crate::transport::TransportError;

/// Why an operation at a relay did not succeed.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[non_exhaustive]
pub enum RelayError {
    /// Nothing went through, or no answer came back: the operation may or may not have happened. Each may be repeated
    /// as it is; a relay does none of them twice.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// Unknown id, revoked or expired capability, or the wrong key: a relay does not say which.
    #[error("the relay refused; the mailbox or the right to use it is gone, ask its owner")]
    Refused,
    /// A quota is used up until its reader trims.
    #[error("the mailbox or slot is full; try again later")]
    Full {
        /// When a repeat may help; `None` when it never will.
        retry_after: Option<Duration>,
    },
    /// The relay has too much to do, or is about to stop.
    #[error("the relay is busy; try again later")]
    Busy {
        /// When a repeat may help.
        retry_after: Duration,
    },
    /// Something else stands there already: a notice of this version or a higher one.
    #[error("the relay holds something newer; fetch it first")]
    Conflict,
    /// The relay could not write to its store.
    #[error("the relay could not store it; its operator must look after its disk")]
    Storage,
    /// The relay wants proof of work where none was to be done, or more than it said.
    #[error("the relay asks for work that was not agreed; the mailbox is a front door")]
    WorkRequired,
    /// A new mailbox costs a token here, and none was given.
    #[error(
        "the relay opens new mailboxes for tokens only, and there is none for it here; ask the person who invited you \
         or the relay's operator for tokens"
    )]
    TokenRequired,
    /// The token was spent before, is past its time, or is no token of this relay's issuer.
    #[error(
        "the relay did not take the token: it is spent or past its time; ask the person who gave it to you for another"
    )]
    TokenRefused,
    /// The relay does not name the key that signed the token.
    #[error(
        "the relay takes no tokens of that issuer's key; ask the relay's operator which key is the right one"
    )]
    TokenKey,
    /// The work that the relay asks for took longer than allowed.
    #[error("the work that the relay asks of strangers took too long; try again or elsewhere")]
    WorkTooLong,
    /// The relay is of a version that lacks the operation.
    #[error("the relay does not offer this operation; its operator must update it")]
    Unsupported,
    /// The relay's self-description is past its time.
    #[error("the relay's description expired; check this machine's clock")]
    Expired,
    /// The caller's fault: an argument is out of its bounds.
    #[error("{0} is out of bounds")]
    Invalid(&'static str),
    /// The relay broke the protocol: a bug, or a relay that lies. Its words are not used.
    #[error("the relay broke the protocol ({0}); use another relay and tell its operator")]
    Protocol(&'static str),
    /// [`super::RelayClient::close`] was called.
    #[error("this client was closed")]
    ClientClosed,
}

impl RelayError {
    /// Whether the same request may succeed later without anybody changing anything. Obey [`Self::retry_after`].
    pub const fn is_retryable(&self) -> bool {
        match self {
            Self::Transport(error) => error.is_retryable(),
            Self::Full { retry_after } => retry_after.is_some(),
            Self::Busy { .. } | Self::Storage | Self::WorkTooLong => true,
            _ => false,
        }
    }

    /// Whether it is a token that stands between the caller and a new mailbox: no waiting helps, an issuer does.
    pub const fn is_about_tokens(&self) -> bool {
        matches!(self, Self::TokenRequired | Self::TokenRefused | Self::TokenKey)
    }

    /// How long the relay asks to be left alone.
    pub const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Full { retry_after } => *retry_after,
            Self::Busy { retry_after } => Some(*retry_after),
            _ => None,
        }
    }

    /// Translates a relay's refusal.
    pub(super) fn from_code(code: ErrorCode, retry_after_s: u32) -> Self {
        let retry_after = Duration::from_secs(retry_after_s.into());
        match code {
            ErrorCode::Refused => Self::Refused,
            ErrorCode::Full => {
                Self::Full { retry_after: (retry_after_s > 0).then_some(retry_after) }
            }
            ErrorCode::Busy | ErrorCode::Closing => {
                Self::Busy { retry_after: retry_after.max(Duration::from_secs(1)) }
            }
            ErrorCode::Conflict => Self::Conflict,
            ErrorCode::Storage => Self::Storage,
            ErrorCode::WorkRequired => Self::WorkRequired,
            ErrorCode::Unsupported => Self::Unsupported,
            ErrorCode::Malformed => Self::Protocol("it called a sound request malformed"),
            ErrorCode::Unspecified => Self::Protocol("it refused without a reason"),
        }
    }
}

impl From<DescriptorError> for RelayError {
    fn from(error: DescriptorError) -> Self {
        match error {
            DescriptorError::WrongRelay => Self::Transport(TransportError::WrongRelay),
            DescriptorError::Expired => Self::Expired,
            _ => Self::Protocol("its description is malformed"),
        }
    }
}
