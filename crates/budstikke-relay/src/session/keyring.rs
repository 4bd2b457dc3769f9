//! The session keys of capabilities that this session has proved to hold.

use std::collections::VecDeque;

use budstikke_proto::auth::SessionKey;

use crate::store::Capability;

/// Capabilities whose keys a session keeps; one more costs its next operation an X25519.
pub(super) const MAX_KEYS: usize = 64;

/// Holds proven capabilities only: a wrong tag costs the full agreement every time, so that its answer takes as long
/// as an unknown id's.
#[derive(Default)]
pub(super) struct Keyring(VecDeque<(Capability, SessionKey)>);

impl Keyring {
    pub(super) fn find(&self, who: &Capability) -> Option<&SessionKey> {
        self.0.iter().find(|(held, _)| held == who).map(|(_, key)| key)
    }

    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn keep(&mut self, who: Capability, key: SessionKey) {
        if self.find(&who).is_some() {
            return;
        }
        if self.0.len() >= MAX_KEYS {
            self.0.pop_front();
        }
        self.0.push_back((who, key));
    }
}
