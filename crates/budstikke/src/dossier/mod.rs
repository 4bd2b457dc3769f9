//! The file of a case: consents, assessments, guarded acts and alerts, on every side of it.
//!
//! State changes in one place: where a message is heard ([`hear`]), the sender's own before it is sealed and the other
//! side's when it was opened, under the same rules. What an office keeps to itself, as a plan that is not submitted,
//! changes in the file alone. [`file`] is the record opened, [`keys`] who may sign; the rest are the steps that people
//! take.

mod act;
pub(crate) mod alert;
mod consent;
mod decide;
mod file;
pub(crate) mod hear;
pub(crate) mod keys;
mod plan;
mod proof;
pub(crate) mod share;
mod view;

pub(crate) use act::line_seat;
pub(crate) use file::{Dossier, KeptAlert, Turned, files};

pub use act::Submission;
pub use alert::AlertView;
pub use consent::heard;
pub use decide::{RequestView, Ruling};
pub use plan::Blocks;
pub use share::{Brief, Shared};
pub use view::{ActView, CaseFile, ConsentView};
