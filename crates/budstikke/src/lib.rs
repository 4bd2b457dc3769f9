//! The client crate of budstikke: end-to-end encrypted case channels between defenders, missions and the Ministry,
//! over relays that cannot read.
//!
//! A [`Client`] is one person's device: a sealed vault, the relays it talks to, and the channels in it. What it
//! carries are the case messages of [`case`]; what it refuses it refuses before anything is sealed, with a stable
//! code and who can mend it.
//!
//! ```no_run
//! # async fn example(invitation: &str) -> Result<(), budstikke::Error> {
//! use budstikke::{Choice, Client, ReachOut};
//!
//! let client = Client::builder("heron.vault").passphrase("four long plain words").create().await?;
//! let mission = client.look_up(invitation).await?;
//! let words = mission.safety_words.words(budstikke::Language::English);
//! println!("compare these words with the mission: {}", words.join(" "));
//! client
//!     .reach_out(ReachOut { choice: Choice::Accept(0), emergency: None, pseudonym: None })
//!     .await?;
//! // Later, as often as one likes:
//! let report = client.sync().await?;
//! println!("{} cells came, {} wait", report.received, report.waiting);
//! client.close().await
//! # }
//! ```
//!
//! Seams: [`transport::Transport`] for other ways to a relay, [`clock::Clock`] for time. Everything a relay, a peer
//! or a file says is checked before it counts; every error says who can mend it.

mod approach;
mod channel;
mod client;
pub mod clock;
pub mod crash;
mod defender;
mod directory;
mod dossier;
mod error;
mod escalation;
mod events;
mod handover;
mod ministry;
mod mission;
mod outbox;
mod posts;
mod random;
mod records;
mod recovery;
pub mod relay;
mod reserve;
mod sync;
mod terms;
mod tokens;
pub mod transport;
pub mod vault;
mod view;

pub use budstikke_case as case;
pub use budstikke_e2ee::cert::{Level as CertificateLevel, Role, UnitKind};
pub use budstikke_e2ee::join::JoinError;
pub use budstikke_e2ee::safety::{Language, SafetyWords, WORDS as SAFETY_WORDS};
pub use secrecy::SecretString;

pub use channel::send::{SendOptions, Sent};
pub use client::{Builder, Client, Profile};
pub use defender::{Choice, MissionCard, ReachOut, TermsOffer};
pub use directory::{
    DirectoryCard, DirectoryPublished, DirectoryUnit, Imported, ListedHolder, Revoke, RevokeReason,
    RevokedKey,
};
pub use dossier::{
    ActView, AlertView, Blocks, Brief, CaseFile, ConsentView, RequestView, Ruling, Shared,
    Submission, heard,
};
pub use error::{Error, ErrorClass, Trust};
pub use events::{Event, EventStream};
pub use handover::{HandedCaseView, HandedView, HandoverView, Notified};
pub use ministry::{
    CertifiedIssuer, IssuerCertificate, IssuerRequestCard, MinistryCard, MinistryPart,
    UnitCertificate,
};
pub use mission::{
    CertificateState, CertificateStatus, Contact, ContactStage, Decision, Joining, Offer,
    Published, Removal, StaffCard, TeamCode, TeamMember, TermsChoice, UnitSetup,
};
pub use outbox::Waiting;
pub use recovery::{Diagnosis, FreezeReason, ProofCard, Recovered, Trouble, check_proof};
pub use reserve::{HolderCard, LetIn, OpenedReserve, ReserveRequest, TakenOver};
pub use sync::SyncReport;
pub use tokens::{TokenRequest, TokenStock, TokenText, TokensAccepted};
pub use view::{CaseMember, CaseSummary, CaseView, Message, Missing, PendingTerms, Progress};
