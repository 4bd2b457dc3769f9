//! Proof of work, off the async threads, and stopped when nobody waits for it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use budstikke_proto::id::Seed;
use budstikke_proto::work::{Purpose, Solution, solve};
use rand_core::{OsRng, RngCore};

use super::RelayError;

/// Solves a challenge within `limit`. Cancel-safe: dropping the future stops the search within one step, some
/// milliseconds.
pub(super) async fn solve_within(
    limit: Duration,
    seed: Seed,
    purpose: Purpose,
    effort: u32,
) -> Result<Solution, RelayError> {
    let wanted = Wanted(Arc::new(AtomicBool::new(true)));
    let still = Arc::clone(&wanted.0);
    // A random start, so that a repeated search does not retrace an abandoned one.
    let first_nonce = OsRng.next_u64();
    let search = tokio::task::spawn_blocking(move || {
        solve(seed, &purpose, effort, first_nonce, || still.load(Ordering::Relaxed))
    });
    match tokio::time::timeout(limit, search).await {
        Ok(Ok(Some(solution))) => Ok(solution),
        Ok(_) => Err(RelayError::ClientClosed),
        Err(_) => Err(RelayError::WorkTooLong),
    }
}

/// Tells the search to stop when dropped.
struct Wanted(Arc<AtomicBool>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_solution_pays_for_its_purpose() {
        let (seed, purpose) = (Seed::from_bytes([1; 16]), Purpose::Create([2; 32]));
        let solved = solve_within(Duration::from_mins(1), seed, purpose, 2).await.unwrap();
        assert!(budstikke_proto::work::verify(&solved, &purpose, 2));
    }

    #[tokio::test]
    async fn an_impossible_effort_ends_at_the_limit() {
        let (seed, purpose) = (Seed::from_bytes([1; 16]), Purpose::Create([2; 32]));
        let limit = Duration::from_millis(30);
        let ended = solve_within(limit, seed, purpose, u32::MAX).await;
        assert_eq!(ended, Err(RelayError::WorkTooLong));
    }
}
