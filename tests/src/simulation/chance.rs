//! Seeded chance.

use rand_chacha::ChaCha20Rng;
use rand_core::RngCore;

/// What the simulation asks of its generator.
pub(super) trait Chance {
    /// Below `end`, at least 1.
    fn below(&mut self, end: u32) -> u32;

    /// True this often in a thousand.
    fn per_mille(&mut self, times: u32) -> bool {
        self.below(1_000) < times
    }
}

impl Chance for ChaCha20Rng {
    fn below(&mut self, end: u32) -> u32 {
        let product = u64::from(self.next_u32()) * u64::from(end.max(1));
        u32::try_from(product >> 32).unwrap_or(0)
    }
}
