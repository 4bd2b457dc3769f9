//! What work costs now: more while strangers ask for more than the relay is meant to take, less again when they stop.
//!
//! The price is one for everybody and moves at looks of [`LOOK`] between two bounds that the operator sets. It at most
//! doubles at one look and falls by an eighth, so that who floods pays soon and who waits pays little. A challenge names
//! the price at which it may be answered; what the price does afterwards does not matter to it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use budstikke_proto::work::Purpose;

/// Between two looks at the load.
pub(crate) const LOOK: Duration = Duration::from_secs(10);
/// A load, in thousandths of what is comfortable.
pub(crate) type PerMille = u32;
/// Above this the price rises.
const FULL: PerMille = 1_000;
/// Below this it falls; between the two it stays.
const HALF: PerMille = 500;

/// Efforts (SPEC.md section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Efforts {
    /// For mailboxes, slots, notices and blobs; 0 asks none.
    pub(crate) create: u32,
    /// For a cell at a front door.
    pub(crate) front_door: u32,
}

impl Efforts {
    /// The effort for one purpose.
    pub(crate) const fn of(self, purpose: &Purpose) -> u32 {
        match purpose {
            Purpose::FrontDoor(_) => self.front_door,
            _ => self.create,
        }
    }
}

/// What the operator sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PriceLimits {
    /// What a quiet relay asks.
    pub(crate) least: Efforts,
    /// What it never goes beyond.
    pub(crate) most: Efforts,
    /// Paid creations in a minute that are comfortable.
    pub(crate) creations_per_minute: u32,
    /// Paid front-door cells in a minute that are comfortable.
    pub(crate) front_door_per_minute: u32,
}

/// The prices, for all sessions.
pub(crate) struct Prices {
    limits: PriceLimits,
    create: Dial,
    front_door: Dial,
}

struct Dial {
    effort: AtomicU32,
    /// Paid since the last look.
    paid: AtomicU32,
}

impl Prices {
    pub(crate) const fn new(limits: PriceLimits) -> Self {
        let (create, front_door) =
            (Dial::new(limits.least.create), Dial::new(limits.least.front_door));
        Self { limits, create, front_door }
    }

    /// What work costs now.
    pub(crate) fn efforts(&self) -> Efforts {
        let now = |dial: &Dial| dial.effort.load(Ordering::Relaxed);
        Efforts { create: now(&self.create), front_door: now(&self.front_door) }
    }

    /// Somebody paid.
    pub(crate) fn paid(&self, purpose: &Purpose) {
        let dial = match purpose {
            Purpose::FrontDoor(_) => &self.front_door,
            _ => &self.create,
        };
        dial.paid.fetch_add(1, Ordering::Relaxed);
    }

    /// One look, by one caller: sets the prices by what was paid since the last one and by how full the relay is otherwise.
    pub(crate) fn look(&self, fill: PerMille) {
        let (least, most) = (self.limits.least, self.limits.most);
        let comfortable = self.limits.creations_per_minute;
        self.create.look(comfortable, fill, least.create, most.create);
        let comfortable = self.limits.front_door_per_minute;
        self.front_door.look(comfortable, fill, least.front_door, most.front_door);
    }
}

impl Dial {
    const fn new(effort: u32) -> Self {
        Self { effort: AtomicU32::new(effort), paid: AtomicU32::new(0) }
    }

    fn look(&self, per_minute: u32, fill: PerMille, least: u32, most: u32) {
        let paid = self.paid.swap(0, Ordering::Relaxed);
        let load = rate(paid, per_minute).max(fill);
        let next = next(self.effort.load(Ordering::Relaxed), load, least, most);
        self.effort.store(next, Ordering::Relaxed);
    }
}

/// What was paid during one look, against what is comfortable.
fn rate(paid: u32, per_minute: u32) -> PerMille {
    let looks = Duration::from_mins(1).as_secs() / LOOK.as_secs();
    let scaled = u64::from(paid) * looks * u64::from(FULL) / u64::from(per_minute.max(1));
    u32::try_from(scaled).unwrap_or(u32::MAX)
}

/// The effort after one look. A `least` of 0 asks nothing, whatever happens.
fn next(effort: u32, load: PerMille, least: u32, most: u32) -> u32 {
    if least == 0 {
        return 0;
    }
    let moved = if load > FULL {
        let factor = u64::from(load.min(2 * FULL));
        let risen = u64::from(effort) * factor / u64::from(FULL);
        u32::try_from(risen).unwrap_or(u32::MAX).max(effort.saturating_add(1))
    } else if load < HALF {
        effort.saturating_sub((effort / 8).max(1))
    } else {
        effort
    };
    moved.clamp(least, most.max(least))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: PriceLimits = PriceLimits {
        least: Efforts { create: 100, front_door: 200 },
        most: Efforts { create: 2_000, front_door: 4_000 },
        creations_per_minute: 600,
        front_door_per_minute: 60,
    };
    const DOOR: Purpose = Purpose::FrontDoor([1; 32]);

    /// Looks at a relay that somebody floods who can pay `power` efforts in one look.
    fn flood(prices: &Prices, purpose: &Purpose, power: u32, looks: u32) -> Vec<(u32, u32)> {
        let mut seen = Vec::new();
        for _ in 0..looks {
            let effort = prices.efforts().of(purpose);
            let paid = power / effort;
            (0..paid).for_each(|_| prices.paid(purpose));
            prices.look(0);
            seen.push((effort, paid));
        }
        seen
    }

    #[test]
    fn a_flood_at_a_front_door_pays_more_and_creations_cost_what_they_did() {
        let prices = Prices::new(LIMITS);
        let seen = flood(&prices, &DOOR, 16_000, 30);
        assert_eq!(seen[0], (200, 80), "eight times what is comfortable");
        assert!(seen[5].1 <= 10, "within a minute it gets no more than that: {seen:?}");
        assert!(seen[5..].iter().all(|(_, paid)| (5..=10).contains(paid)), "and no less: {seen:?}");
        assert_eq!(prices.efforts().create, 100);
        // It is over: cheap again within minutes.
        let after = (0..30).find(|_| {
            prices.look(0);
            prices.efforts() == LIMITS.least
        });
        assert!(after.is_some());
    }

    #[test]
    fn a_full_relay_asks_more_of_strangers_and_an_open_one_nothing_ever() {
        let prices = Prices::new(LIMITS);
        prices.look(1_100);
        assert_eq!(prices.efforts(), Efforts { create: 110, front_door: 220 });
        prices.look(700);
        assert_eq!(prices.efforts(), Efforts { create: 110, front_door: 220 });
        (0..100).for_each(|_| prices.look(u32::MAX));
        assert_eq!(prices.efforts(), LIMITS.most);
        let none = Efforts { create: 0, ..LIMITS.least };
        let open = Prices::new(PriceLimits { least: none, ..LIMITS });
        (0..100).for_each(|_| open.look(u32::MAX));
        assert_eq!(open.efforts().create, 0);
    }

    proptest! {
        /// Any load, any bounds: the effort stays between them, at most doubles, moves the right way or not at all.
        #[test]
        fn the_price_keeps_its_bounds(
            least in 0u32..10_000,
            above in 0u32..1_000_000,
            loads in proptest::collection::vec(any::<u32>().prop_map(|load| load % 4_000), 1..200),
        ) {
            let most = least + above;
            let mut effort = least;
            for load in loads {
                let after = next(effort, load, least, most);
                prop_assert!(after >= least.min(1) * least && (after <= most || least == 0));
                prop_assert!(u64::from(after) <= (2 * u64::from(effort)).max(1));
                prop_assert!(load > FULL || after <= effort);
                prop_assert!(load < HALF || after >= effort);
                prop_assert!(load <= FULL || after > effort || after == most.max(least) || least == 0);
                effort = after;
            }
        }

        /// Whatever somebody can pay short of the highest price, they get no more than what is comfortable within three
        /// minutes; and from any price a quiet relay is cheap again within six.
        #[test]
        fn a_flood_is_held_and_forgotten(power in 1u32..4_000 * 10, start in 200u32..4_000) {
            let prices = Prices::new(LIMITS);
            prices.front_door.effort.store(start, Ordering::Relaxed);
            let seen = flood(&prices, &DOOR, power, 40);
            prop_assert!(seen[18..].iter().all(|(_, paid)| *paid <= 10), "{:?}", seen);
            (0..36).for_each(|_| prices.look(0));
            prop_assert_eq!(prices.efforts(), LIMITS.least);
        }
    }
}
