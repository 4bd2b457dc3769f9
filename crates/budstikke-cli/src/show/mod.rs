//! How things look: messages, terms, people, times.

pub(crate) mod act;
pub(crate) mod alert;
pub(crate) mod case;
pub(crate) mod certificate;
pub(crate) mod consent;
pub(crate) mod event;
pub(crate) mod qr;
pub(crate) mod time;
pub(crate) mod view;
pub(crate) mod words;
