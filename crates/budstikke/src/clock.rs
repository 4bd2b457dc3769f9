//! The time of day, handed around as a value: the only place in this crate that reads the system's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Tells the time in unix seconds. Clones of a fixed clock share it.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `now` (unix seconds), for tests and for re-checking something as of a past time.
    pub fn fixed(now: i64) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(now))))
    }

    /// Moves a fixed clock and its clones by `seconds`; the machine's clock is left alone.
    pub fn advance(&self, seconds: i64) {
        if let Source::Fixed(now) = &self.0 {
            now.fetch_add(seconds, Ordering::Relaxed);
        }
    }

    /// Unix seconds. Negative for a machine that believes itself before 1970.
    pub fn now(&self) -> i64 {
        match &self.0 {
            Source::Fixed(now) => now.load(Ordering::Relaxed),
            Source::System => match SystemTime::now().duration_since(UNIX_EPOCH) {
                Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
                Err(before) => {
                    i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds)
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told_and_its_clones_with_it() {
        let clock = Clock::fixed(1_000);
        let other = clock.clone();
        clock.advance(60);
        assert_eq!((clock.now(), other.now()), (1_060, 1_060));
    }

    #[test]
    fn the_system_clock_is_past_this_programs_birth() {
        let clock = Clock::system();
        clock.advance(-4_000_000_000);
        assert!(clock.now() > 1_750_000_000);
    }
}
