//! How often a network came lately, in memory only and forgotten after two minutes.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

/// What is counted together: an IPv4 /24 or an IPv6 /48, about what one customer of a provider holds.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Prefix {
    V4([u8; 3]),
    V6([u8; 6]),
}

impl Prefix {
    pub(crate) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(v4) => Self::V4(first(&v4.octets())),
            IpAddr::V6(v6) => Self::V6(first(&v6.octets())),
        }
    }
}

fn first<const N: usize>(octets: &[u8]) -> [u8; N] {
    octets.first_chunk().copied().unwrap_or([0; N])
}

/// Never the network: a log line with it would be a log line with a client.
impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prefix")
    }
}

/// The window over which visits are counted.
pub(crate) const WINDOW: Duration = Duration::from_mins(1);
/// Networks counted in one window; at the limit the window ends early, so that memory is bounded and the limit then
/// errs on the side of letting people in.
pub(crate) const MAX_PREFIXES: usize = 32_768;

/// Visits of this window and of the one before, whose weight falls as this one passes.
#[derive(Default)]
pub(crate) struct Visits {
    /// Since the relay started.
    began: Duration,
    current: HashMap<Prefix, u32>,
    previous: HashMap<Prefix, u32>,
}

impl Visits {
    /// Counts a visit at `now` (since the relay started) if fewer than `most` lie within the last window. What is
    /// refused is not counted, so that knocking on does not keep a network out.
    pub(crate) fn admit(&mut self, now: Duration, prefix: Prefix, most: u32) -> bool {
        self.turn(now);
        if self.within(now, prefix) >= u64::from(most) {
            return false;
        }
        if self.current.len() >= MAX_PREFIXES && !self.current.contains_key(&prefix) {
            self.previous = std::mem::take(&mut self.current);
            self.began = now;
        }
        let count = self.current.entry(prefix).or_default();
        *count = count.saturating_add(1);
        true
    }

    /// Forgets what is older than two windows, also when nobody comes.
    pub(crate) fn turn(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.began);
        if passed >= WINDOW {
            self.previous = std::mem::take(&mut self.current);
            self.began = now;
        }
        if passed >= WINDOW * 2 {
            self.previous = HashMap::new();
        }
    }

    fn within(&self, now: Duration, prefix: Prefix) -> u64 {
        let count = |visits: &HashMap<Prefix, u32>| visits.get(&prefix).copied().unwrap_or(0);
        let left = WINDOW.saturating_sub(now.saturating_sub(self.began)).as_millis();
        let weighed = u128::from(count(&self.previous)) * left / WINDOW.as_millis();
        u64::from(count(&self.current)) + u64::try_from(weighed).unwrap_or(u64::MAX)
    }

    #[cfg(test)]
    pub(crate) fn remembered(&self) -> usize {
        self.current.len() + self.previous.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn prefix(text: &str) -> Prefix {
        Prefix::of(text.parse().unwrap())
    }

    #[test]
    fn one_customer_is_one_prefix_however_the_address_is_written() {
        assert_eq!(prefix("192.0.2.1"), prefix("192.0.2.254"));
        assert_eq!(prefix("192.0.2.1"), prefix("::ffff:192.0.2.7"));
        assert_ne!(prefix("192.0.2.1"), prefix("192.0.3.1"));
        assert_eq!(prefix("2001:db8:1::1"), prefix("2001:db8:1:ffff::2"));
        assert_ne!(prefix("2001:db8:1::1"), prefix("2001:db8:2::1"));
        assert_eq!(format!("{:?}", prefix("192.0.2.1")), "Prefix");
    }

    #[test]
    fn a_network_that_came_too_often_comes_again_after_a_while_and_is_forgotten() {
        let mut visits = Visits::default();
        let (loud, quiet) = (prefix("192.0.2.1"), prefix("198.51.100.1"));
        let at = Duration::from_secs;
        for _ in 0..10 {
            assert!(visits.admit(at(1), loud, 10));
        }
        assert!(!visits.admit(at(2), loud, 10));
        assert!(visits.admit(at(2), quiet, 10));
        assert!(!visits.admit(at(60), loud, 10), "the window before still weighs");
        assert!(visits.admit(at(90), loud, 10));
        assert!(visits.remembered() > 0);
        visits.turn(at(90 + 120));
        assert_eq!(visits.remembered(), 0);
    }

    #[test]
    fn memory_is_bounded_however_many_networks_come() {
        let mut visits = Visits::default();
        for number in 0..(4 * MAX_PREFIXES as u128) {
            let address = IpAddr::V6((number << 80).into());
            assert!(visits.admit(Duration::ZERO, Prefix::of(address), 1));
            assert!(visits.remembered() <= 2 * MAX_PREFIXES);
        }
    }

    proptest! {
        /// Whatever the times, no window of a minute sees more than twice the limit, and a quiet network always gets in.
        #[test]
        fn the_limit_holds_in_any_minute(
            gaps in proptest::collection::vec(0u64..20_000, 1..300),
            most in 1u32..20,
        ) {
            let (mut visits, mut now, mut let_in) = (Visits::default(), Duration::ZERO, Vec::new());
            for gap in gaps {
                now += Duration::from_millis(gap);
                let quiet = let_in.last().is_none_or(|last| now.saturating_sub(*last) >= WINDOW * 2);
                let admitted = visits.admit(now, prefix("192.0.2.1"), most);
                prop_assert!(admitted || !quiet);
                if admitted {
                    let_in.push(now);
                }
                let recent = let_in.iter().filter(|at| now.saturating_sub(**at) < WINDOW).count();
                prop_assert!(recent <= 2 * usize::try_from(most).unwrap());
            }
        }
    }
}
