//! The case vocabulary of budstikke: what may be said, by whom, under which terms.
//!
//! Pure: no I/O, no clock, no randomness. Time is `now: i64`, Unix seconds, and where salts are
//! made `rng`: both are arguments. Keys stay outside too: [`officer::Keys`] is what is asked of
//! them.
//!
//! The way of a message out: [`Draft::build`] fills the header, [`validate()`] checks it,
//! [`may_send`] holds it against the terms. And in: [`Received::open`] scans and decodes bytes
//! that it keeps verbatim, [`Received::act`] says whether this version understands all of it,
//! [`validate()`] and [`may_accept`] check what a modified sender may have skipped.
//! [`TermsState`] is the negotiation of Box 2.3; every "no" is a [`Refusal`] with a stable code.
//!
//! On the Ministry line, [`mod@projection`] builds what leaves the mission, [`mod@consent`] says
//! who agreed to what and proves it, [`mod@action`] guards an act from plan to closing, and
//! [`mod@alert`] keeps a clock that only a person stops. [`mod@handover`] lets no case fall
//! between two chairs.
//!
//! Files that people write ([`mod@file`]) become messages, messages become a [`View`] to show.
//!
//! ```
//! use budstikke_case::wire::{FreeText, Purpose, Transport};
//! use budstikke_case::{Draft, Leg, Passage, Received, Role, TermsState, may_send, validate};
//!
//! # fn main() -> Result<(), budstikke_case::Refusal> {
//! let (now, message_id) = (1_793_868_000, [7; 16]);
//! let built = Draft::new(Leg::DefenderMission, Role::Defender, message_id, now)
//!     .to("no.emb.karvonia")
//!     .purpose(Purpose::Protection)
//!     .build(FreeText { text: "The nets are drying.".to_owned(), distressing: false })?;
//!
//! // Nothing has been agreed yet, so it stays here.
//! let terms = TermsState::new(Leg::DefenderMission);
//! let passage = Passage::new(Transport::RelayQuic, "no.emb.karvonia");
//! let refusal = may_send(&built.content, &terms, now, &passage).unwrap_err();
//! assert_eq!(refusal.code(), "T01");
//!
//! // A receiver keeps the bytes and asks the same questions.
//! let received = Received::open(built.bytes)?;
//! validate(received.content(), Leg::DefenderMission, Role::Defender)?;
//! # Ok(())
//! # }
//! ```

pub mod action;
pub mod alert;
pub mod carried;
mod catalogue;
pub mod consent;
mod draft;
pub mod file;
mod guard;
pub mod handover;
pub mod hash;
mod kind;
mod merge;
pub mod officer;
mod order;
pub mod projection;
mod received;
mod refusal;
mod roles;
mod scan;
mod terms_state;
pub mod time;
pub mod validate;
mod view;
mod warning;
pub mod words;

pub use catalogue::catalogue_keys;
pub use draft::{Built, Draft};
pub use guard::{
    CLOCK_SLACK_S, DEFAULT_MARKINGS, LATE_DELIVERY_S, Passage, Verification, may_accept, may_send,
};
pub use hash::Hash;
pub use kind::Kind;
pub use merge::merge;
pub use order::Order;
pub use received::{FEATURES, Received, Understanding};
pub use refusal::{Fault, Refusal, Unit, Unknown, WhoCanFix};
pub use roles::{Act, Side, permit, side};
pub use terms_state::{
    Onward, Phase, TermsEvent, TermsState, decode_terms, may_pass_on, onward_terms,
};
pub use validate::{MAX_CONTENT, may_write, validate};
pub use view::{Line, Section, Value, View};
pub use warning::Warning;
#[doc(no_inline)]
pub use wire::content::Body;
#[doc(no_inline)]
pub use wire::{Content, Header, Leg, Role};

/// The generated schema, package `budstikke.case.v1`. `Debug` of a message prints its type's
/// name and nothing of the case.
#[allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic)]
pub mod wire {
    include!(concat!(env!("OUT_DIR"), "/budstikke.case.v1.rs"));
    include!(concat!(env!("OUT_DIR"), "/debug.rs"));

    impl ::core::fmt::Debug for content::Body {
        fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            f.write_str(crate::Kind::of_body(self).name())
        }
    }
}
