//! Fresh random values, from the system.

use rand_core::{OsRng, RngCore};

/// `N` bytes that nobody can guess.
pub(crate) fn fresh<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    OsRng.fill_bytes(&mut bytes);
    bytes
}
