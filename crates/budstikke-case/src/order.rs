//! Notices gaps and repeats in one sender's numbering. The transport repeats on purpose
//! (at-least-once), so a repeat is ignored and a gap is said, neither stops the channel.

use crate::refusal::Refusal;
use crate::warning::Warning;

/// The last 64 numbers of one sender in one case. Persist `to_bytes` with the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    highest: u64,
    /// Bit n: `highest - n` was seen.
    seen: u64,
}

impl Order {
    /// Takes note of a number; 0 means not counted.
    ///
    /// # Errors
    /// W03 when it was seen before, or is too old to tell.
    pub fn observe(&mut self, seq: u64) -> Result<Vec<Warning>, Refusal> {
        if seq == 0 {
            return Ok(Vec::new());
        }
        if seq > self.highest {
            let ahead = seq - self.highest;
            let shift = u32::try_from(ahead).unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(shift).unwrap_or(0) | 1;
            self.highest = seq;
            let missing = ahead - 1;
            return Ok(if missing > 0 { vec![Warning::SequenceGap { missing }] } else { vec![] });
        }
        let bit = u32::try_from(self.highest - seq).ok().and_then(|n| 1_u64.checked_shl(n));
        match bit {
            Some(bit) if self.seen & bit == 0 => {
                self.seen |= bit;
                Ok(Vec::new())
            }
            _ => Err(Refusal::ReplayIgnored { seq }),
        }
    }

    /// 16 bytes: highest number and bitmap, big endian.
    pub fn to_bytes(self) -> [u8; 16] {
        ((u128::from(self.highest) << 64) | u128::from(self.seen)).to_be_bytes()
    }

    /// Reads `to_bytes`; any 16 bytes are a state.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let both = u128::from_be_bytes(bytes);
        let half = |value: u128| u64::try_from(value & u128::from(u64::MAX)).unwrap_or(u64::MAX);
        Self { highest: half(both >> 64), seen: half(both) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn gaps_are_said_and_late_ones_fill_them() {
        let mut order = Order::default();
        assert_eq!(order.observe(1), Ok(vec![]));
        assert_eq!(order.observe(4), Ok(vec![Warning::SequenceGap { missing: 2 }]));
        assert_eq!(order.observe(3), Ok(vec![]));
        assert_eq!(order.observe(3).unwrap_err().code(), "W03");
        assert_eq!(order.observe(0), Ok(vec![]));
        assert_eq!(order.observe(u64::MAX).unwrap().len(), 1);
        assert_eq!(order.observe(4).unwrap_err(), Refusal::ReplayIgnored { seq: 4 });
    }

    proptest! {
        #[test]
        fn each_number_passes_once(numbers in prop::collection::vec(1_u64..60, 0..200)) {
            let mut order = Order::default();
            let mut passed = std::collections::BTreeSet::new();
            for seq in numbers {
                order = Order::from_bytes(order.to_bytes());
                prop_assert_eq!(order.observe(seq).is_ok(), passed.insert(seq));
            }
        }

        #[test]
        fn any_state_and_number(bytes: [u8; 16], seq: u64) {
            let mut order = Order::from_bytes(bytes);
            prop_assert_eq!(order.to_bytes(), bytes);
            let _first = order.observe(seq);
            prop_assert!(seq == 0 || order.observe(seq).is_err());
        }
    }
}
