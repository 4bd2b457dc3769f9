//! What every command needs: the words, the way to print, the vault.

use crate::{args::Global, catalogue::Catalogue, out::Out};

/// One run of the program.
pub(crate) struct App {
    pub(crate) global: Global,
    pub(crate) catalogue: Catalogue,
    pub(crate) out: Out,
}

impl App {
    pub(crate) fn new(global: Global, catalogue: Catalogue, out: Out) -> Self {
        Self { global, catalogue, out }
    }

    /// Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        jiff::Timestamp::now().as_second()
    }
}
