//! What can go wrong, and who can mend it. Every message is one plain sentence.

use budstikke_case::Refusal;
use budstikke_e2ee as e2ee;

use crate::recovery::FreezeReason;
use crate::relay::RelayError;
use crate::transport::TransportError;
use crate::vault::VaultError;

/// Why a [`Client`](crate::Client) call failed. Nothing that was queued or received is lost by any of them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The vault: wrong passphrase, damaged file, full disk.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A relay is unreachable, or would not do it. What waits in the outbox is kept.
    #[error(transparent)]
    Relay(#[from] RelayError),
    /// The rules of the channel forbid it; says who can mend it.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// Certificates, invitations, bundles: somebody is not who they should be, or their papers have ended.
    #[error("{0}")]
    Trust(Box<Trust>),
    /// A file or a text that a person gave is not what it should be.
    #[error("{what}: {why}")]
    Input {
        /// Which input.
        what: &'static str,
        /// What is wrong, and what to do.
        why: String,
    },
    /// This vault is not set up for that yet.
    #[error("{0}")]
    NotReady(&'static str),
    /// This vault has another role.
    #[error("this vault is {is}; that is for {needs}")]
    WrongRole {
        /// What the vault is.
        is: &'static str,
        /// What the call needs.
        needs: &'static str,
    },
    /// There is no such thing in this vault.
    #[error("there is no such thing here: {what}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
    },
    /// Nothing is sent in a frozen conversation.
    #[error("nothing can be sent here: {}", .reason.text())]
    Frozen {
        /// Why.
        reason: FreezeReason,
    },
    /// A colleague's device has taken this first contact.
    #[error("a colleague has already answered this first contact; nothing is left to do")]
    TakenByColleague,
    /// A record in the vault does not decode.
    #[error("{what} in this vault is damaged; restore the vault from its copy")]
    Damaged {
        /// Which record.
        what: &'static str,
    },
    /// The end-to-end layer failed on this device's own state.
    #[error("the encryption layer stopped: {0}")]
    Group(Box<dyn std::error::Error + Send + Sync>),
}

/// What failed to verify.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Trust {
    /// A certificate or a request for one.
    #[error(transparent)]
    Certificate(#[from] e2ee::cert::CertError),
    /// An invitation.
    #[error(transparent)]
    Invitation(#[from] e2ee::invite::InviteError),
    /// A mission's intake bundle.
    #[error(transparent)]
    Bundle(#[from] e2ee::bundle::BundleError),
    /// A copy of an alert, or an answer to one.
    #[error(transparent)]
    Held(#[from] e2ee::held::HeldError),
    /// A text that carries a certificate.
    #[error(transparent)]
    Text(#[from] e2ee::armor::ArmorError),
    /// A proof against a relay.
    #[error(transparent)]
    Proof(#[from] budstikke_proto::proof::ProofError),
    /// A code to join a team.
    #[error(transparent)]
    Join(#[from] e2ee::join::JoinError),
    /// A desk under another Ministry than the mission's own.
    #[error("that desk belongs to another Ministry root than this mission: do not write to it")]
    OtherRoot,
    /// The Ministry's directory, or its root's word about an issuer.
    #[error(transparent)]
    Directory(#[from] e2ee::directory::DirectoryError),
    /// What needs authority waits for a newer directory.
    #[error("the Ministry's directory on this device is out of date: sync, then do this again")]
    StaleDirectory,
    /// A directory, or a root's word, of a Ministry that this device has nothing to do with.
    #[error("this is of a Ministry that this device has nothing to do with: it was not taken")]
    UnknownRoot,
    /// A relay that the directory revokes.
    #[error("the Ministry has revoked that relay: nothing new is put there")]
    RelayRevoked,
    /// The mission has published nothing under its notice.
    #[error("the mission has published nothing at this invitation yet; ask it to publish")]
    NothingPublished,
}

/// The classes of errors that a program's exit code tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorClass {
    /// The program or its state is at fault.
    Internal,
    /// What the person typed or gave.
    Input,
    /// A rule of the channel, with its stable code.
    Refused(&'static str),
    /// A relay was not reached or is busy; try again later.
    Unreachable,
    /// The vault or its passphrase.
    Vault,
    /// Certificates, invitations, a relay that is not the one asked for.
    Trust,
    /// Not there, or not ready for it.
    NotFound,
    /// Somebody else was first.
    Conflict,
}

impl Error {
    /// Whether this device can't go on; whatever else fails concerns one thing and stops no other.
    pub(crate) fn is_fatal(&self) -> bool {
        matches!(self, Self::Vault(_) | Self::Damaged { .. })
    }

    /// Which class of error this is.
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Vault(_) | Self::Damaged { .. } => ErrorClass::Vault,
            Self::Trust(_) | Self::Relay(RelayError::Transport(TransportError::WrongRelay)) => {
                ErrorClass::Trust
            }
            Self::Relay(error) if error.is_about_tokens() => ErrorClass::NotFound,
            Self::Relay(_) => ErrorClass::Unreachable,
            Self::Refused(refusal) => ErrorClass::Refused(refusal.code()),
            Self::Input { .. } => ErrorClass::Input,
            Self::NotReady(_) | Self::WrongRole { .. } | Self::NotFound { .. } => {
                ErrorClass::NotFound
            }
            Self::TakenByColleague | Self::Frozen { .. } => ErrorClass::Conflict,
            Self::Group(_) => ErrorClass::Internal,
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

macro_rules! trust {
    ($($source:ty),* $(,)?) => {$(
        impl From<$source> for Error {
            fn from(error: $source) -> Self {
                Self::Trust(Box::new(error.into()))
            }
        }
    )*};
}

trust!(
    e2ee::cert::CertError,
    e2ee::invite::InviteError,
    e2ee::bundle::BundleError,
    e2ee::held::HeldError,
    e2ee::directory::DirectoryError,
    e2ee::join::JoinError,
    e2ee::armor::ArmorError,
    budstikke_proto::proof::ProofError,
);

macro_rules! inner {
    ($($source:ty),* $(,)?) => {$(
        impl From<$source> for Error {
            fn from(error: $source) -> Self {
                Self::Group(Box::new(error))
            }
        }
    )*};
}

inner!(
    e2ee::group::GroupError,
    e2ee::store::StateError,
    e2ee::contact::ContactError,
    e2ee::keys::KeyError,
    e2ee::suite::HpkeError,
    e2ee::team::TeamError,
    e2ee::envelope::EnvelopeError,
    budstikke_proto::cell::CellError,
    budstikke_proto::id::LengthError,
);
