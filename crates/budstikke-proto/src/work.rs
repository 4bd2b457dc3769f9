//! Proof of work for strangers (SPEC.md section 6): Equi-X, as Tor's onion services use it (Tor proposal 327).
//!
//! The relay hands out a random seed per challenge, good once and for its session only. The client tries nonces
//! until a solution's hash is small enough for the effort; verification costs one Equi-X check.

use equix::EquiX;
use sha2::{Digest, Sha256};

use crate::id::Seed;

/// What the work pays for; bound into it, so that work for one thing buys no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Creating the mailbox with this `recv_pk`.
    Create([u8; 32]),
    /// One cell at the front door with this `send_id`.
    FrontDoor([u8; 32]),
    /// A slot's first entry.
    Slot([u8; 32]),
    /// A notice's first version.
    Notice([u8; 32]),
    /// The blob with this `fetch_pk`.
    Blob([u8; 32]),
}

/// A found solution, as it travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Solution {
    /// The challenge that it answers.
    pub seed: Seed,
    /// The nonce that was found.
    pub nonce: u64,
    /// The Equi-X solution.
    pub solution: [u8; 16],
}

/// Searches for a solution; the expected time grows with the effort (about 5 ms a step on one core).
/// `keep_going` is asked between steps, so that a caller can stop the search; then the answer is `None`.
pub fn solve(
    seed: Seed,
    purpose: &Purpose,
    effort: u32,
    first_nonce: u64,
    mut keep_going: impl FnMut() -> bool,
) -> Option<Solution> {
    let mut nonce = first_nonce;
    while keep_going() {
        let challenge = challenge(seed, purpose, nonce);
        // Some challenges make no hash function; Equi-X says so and the search goes on.
        if let Ok(equix) = EquiX::new(&challenge) {
            for found in equix.solve() {
                let solution = found.to_bytes();
                if enough(&challenge, &solution, effort) {
                    return Some(Solution { seed, nonce, solution });
                }
            }
        }
        nonce = nonce.wrapping_add(1);
    }
    None
}

/// Whether the solution pays for the purpose at this effort.
pub fn verify(work: &Solution, purpose: &Purpose, effort: u32) -> bool {
    let challenge = challenge(work.seed, purpose, work.nonce);
    enough(&challenge, &work.solution, effort)
        && equix::Solution::try_from_bytes(&work.solution)
            .is_ok_and(|solution| equix::verify(&challenge, &solution).is_ok())
}

fn challenge(seed: Seed, purpose: &Purpose, nonce: u64) -> [u8; 32] {
    let (kind, target) = match purpose {
        Purpose::Create(target) => (1, target),
        Purpose::FrontDoor(target) => (2, target),
        Purpose::Slot(target) => (3, target),
        Purpose::Notice(target) => (4, target),
        Purpose::Blob(target) => (5, target),
    };
    Sha256::new_with_prefix(b"budstikke/work/v1")
        .chain_update(seed.as_bytes())
        .chain_update([kind])
        .chain_update(target)
        .chain_update(nonce.to_be_bytes())
        .finalize()
        .into()
}

fn enough(challenge: &[u8; 32], solution: &[u8; 16], effort: u32) -> bool {
    let hash = Sha256::new_with_prefix(b"budstikke/work/effort/v1")
        .chain_update(challenge)
        .chain_update(solution)
        .finalize();
    let word = hash.first_chunk::<4>().map_or(u32::MAX, |word| u32::from_be_bytes(*word));
    word.checked_mul(effort.max(1)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_pays_for_its_purpose_only() {
        let seed = Seed::from_bytes([1; 16]);
        let purpose = Purpose::Create([2; 32]);
        let work = solve(seed, &purpose, 2, 0, || true).unwrap();
        assert!(verify(&work, &purpose, 2));
        assert!(!verify(&work, &Purpose::FrontDoor([2; 32]), 2));
        assert!(!verify(&work, &Purpose::Create([3; 32]), 2));
        assert!(!verify(&Solution { nonce: work.nonce + 1, ..work }, &purpose, 1));
        assert!(!verify(&work, &purpose, u32::MAX));
    }

    #[test]
    fn a_search_can_be_stopped() {
        let purpose = Purpose::Create([2; 32]);
        assert_eq!(solve(Seed::from_bytes([1; 16]), &purpose, 1, 0, || false), None);
    }
}
