//! The case vocabulary of budstikke: what may be said, by whom, under which terms.
//!
//! Pure: no I/O, no clock, no randomness. Time is `now: i64`, Unix seconds, an argument.
//!
//! The way of a message out: [`Draft::build`] fills the header, [`validate()`] checks it,
//! [`may_send`] holds it against the terms. And in: [`Received::open`] scans and decodes bytes
//! that it keeps verbatim, [`Received::act`] says whether this version understands all of it,
//! [`validate()`] and [`may_accept`] check what a modified sender may have skipped.
//! [`TermsState`] is the negotiation of Box 2.3; every "no" is a [`Refusal`] with a stable code.
//!
//! Files that people write ([`file`]) become messages, messages become a [`View`] to show.

mod draft;
pub mod file;
mod guard;
pub mod hash;
mod kind;
mod order;
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

pub use draft::{Built, Draft};
pub use guard::{DEFAULT_MARKINGS, LATE_DELIVERY_S, Passage, Verification, may_accept, may_send};
pub use hash::Hash;
pub use kind::Kind;
pub use order::Order;
pub use received::{FEATURES, Received, Understanding};
pub use refusal::{Fault, Refusal, Unit, Unknown, WhoCanFix};
pub use roles::{Act, Side, permit, side};
pub use terms_state::{Onward, Phase, TermsEvent, TermsState, decode_terms};
pub use validate::{MAX_CONTENT, validate};
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
