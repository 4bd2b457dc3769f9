//! Hand-overs: an officer leaves, and each of their cases goes to somebody who has said yes to it.
//!
//! The steps go to the whole team, in ids and names ([`steps`]); what the leaver knows goes to the device that has
//! accepted a case and to no other ([`give`]); the person concerned is told first, and may say no ([`notice`]). An
//! admin's device then assigns the new officer, and after the last day whoever is left removes the leaver ([`leave`]).

mod give;
pub(crate) mod leave;
pub(crate) mod notice;
mod seat;
mod steps;
mod view;

pub(crate) use give::file_came;
pub(crate) use seat::{assigned, may_assign, pass_on};
pub(crate) use steps::{heard, officer, own_officer};
pub(crate) use view::is_pending;

pub use notice::Notified;
pub use view::{HandedCaseView, HandedView, HandoverView};
