//! What happens to a newcomer before the relay spends anything on a handshake.
//!
//! A handshake costs half a millisecond and about 42 kB, an answer to a forged address costs somebody else. So: whoever
//! has not proved an address is asked to (QUIC Retry, RFC 9000 section 8.1.2) once a configured number of handshakes is
//! under way; handshakes are bounded in number and time; and one network gets a share of them, not all. Only proved
//! addresses are counted: whoever forges one must not lock its owner out.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::prefix::{Prefix, Visits};
use super::work::PerMille;

/// The time that a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The same when more than half of the places are taken.
const PATIENCE_UNDER_LOAD: Duration = Duration::from_secs(3);
/// Retries in a second up to which each newcomer gets one. A Retry is up to an eighth of the smallest first packet, so
/// beyond this every fourth newcomer gets nothing: a flood of forged addresses then brings their owners less than a tenth
/// of what it costs, and an honest client knocks again a second later.
const RETRIES_AT_EASE: u32 = 1_000;
/// Places for handshakes that one network may take: one in so many.
const SHARE: u32 = 4;

/// How much a door lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DoorLimits {
    /// Handshakes under way from which on newcomers prove their address first.
    pub(crate) retry_above: u32,
    /// Handshakes under way.
    pub(crate) handshakes: u32,
    /// Connections.
    pub(crate) connections: u32,
    /// Handshakes that one network may begin in a minute; 0 for any number.
    pub(crate) handshakes_per_prefix: u32,
    /// Connections that one network may have; 0 for any number.
    pub(crate) connections_per_prefix: u32,
}

/// What to do with a newcomer.
pub(crate) enum Verdict {
    /// Ask for a proof of the address.
    Retry,
    /// No place; dropped unanswered, and in when it knocks again and there is one.
    Ignore,
    /// Refused, and why, for the operator's counters.
    Refuse(&'static str),
    /// Come in.
    Enter(Handshake),
}

/// The state behind a door. Clones share it.
#[derive(Clone)]
pub(crate) struct Door(Arc<Mutex<State>>);

struct State {
    limits: DoorLimits,
    handshakes: u32,
    connections: u32,
    visits: Visits,
    retries: Retries,
    /// Networks with anything open. Bounded by the two ceilings above.
    open: HashMap<Prefix, Open>,
}

/// Newcomers without a proof, in this second.
#[derive(Default)]
struct Retries {
    second: u64,
    count: u32,
}

impl Retries {
    fn admit(&mut self, now: Duration) -> bool {
        if now.as_secs() != self.second {
            *self = Self { second: now.as_secs(), count: 0 };
        }
        self.count = self.count.saturating_add(1);
        self.count <= RETRIES_AT_EASE || !self.count.is_multiple_of(4)
    }
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Open {
    handshakes: u32,
    connections: u32,
}

impl Door {
    pub(crate) fn new(limits: DoorLimits) -> Self {
        let (visits, retries, open) = Default::default();
        let (handshakes, connections) = (0, 0);
        let state = State { limits, handshakes, connections, visits, retries, open };
        Self(Arc::new(Mutex::new(state)))
    }

    /// `now` is the time since the relay started; `proved` that the newcomer gets what is sent to `address`.
    pub(crate) fn knock(&self, now: Duration, address: IpAddr, proved: bool) -> Verdict {
        self.with(|state| match state.judge(now, Prefix::of(address), proved) {
            Ok(patience) => {
                let prefix = proved.then(|| Prefix::of(address));
                state.handshakes += 1;
                if let Some(prefix) = prefix {
                    state.open.entry(prefix).or_default().handshakes += 1;
                }
                Verdict::Enter(Handshake { door: self.clone(), prefix, patience })
            }
            Err(verdict) => verdict,
        })
    }

    /// Forgets networks of minutes ago.
    pub(crate) fn tidy(&self, now: Duration) {
        self.with(|state| state.visits.turn(now));
    }

    /// How full the relay is: 1,000 when four fifths of the places for handshakes or for connections are taken.
    pub(crate) fn fill(&self) -> PerMille {
        let fill = |taken: u32, places: u32| {
            let scaled = u64::from(taken) * 1_250 / u64::from(places.max(1));
            u32::try_from(scaled).unwrap_or(u32::MAX)
        };
        self.with(|state| {
            let limits = state.limits;
            let handshakes = fill(state.handshakes, limits.handshakes);
            handshakes.max(fill(state.connections, limits.connections))
        })
    }

    #[cfg(test)]
    fn load(&self) -> (u32, u32) {
        self.with(|state| (state.handshakes, state.connections))
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    fn judge(&mut self, now: Duration, prefix: Prefix, proved: bool) -> Result<Duration, Verdict> {
        let limits = self.limits;
        if !proved && self.handshakes >= limits.retry_above {
            return Err(if self.retries.admit(now) { Verdict::Retry } else { Verdict::Ignore });
        }
        if self.handshakes >= limits.handshakes {
            return Err(Verdict::Ignore);
        }
        // A handshake under way takes the place of the connection that it becomes.
        if self.connections.saturating_add(self.handshakes) >= limits.connections {
            return Err(Verdict::Refuse("full"));
        }
        if proved {
            let open = self.open.get(&prefix).copied().unwrap_or_default();
            let most = limits.handshakes_per_prefix;
            if most > 0 && open.handshakes >= (limits.handshakes / SHARE).max(1) {
                return Err(Verdict::Refuse("network"));
            }
            if over(open.connections, limits.connections_per_prefix) {
                return Err(Verdict::Refuse("network"));
            }
            if most > 0 && !self.visits.admit(now, prefix, most) {
                return Err(Verdict::Refuse("network"));
            }
        }
        let crowded = self.handshakes >= limits.handshakes / 2;
        Ok(if crowded { PATIENCE_UNDER_LOAD } else { PATIENCE })
    }

    fn leave(&mut self, prefix: Prefix, which: impl FnOnce(&mut Open) -> &mut u32) {
        if let Some(open) = self.open.get_mut(&prefix) {
            let count = which(open);
            *count = count.saturating_sub(1);
            if *open == Open::default() {
                self.open.remove(&prefix);
            }
        }
    }
}

const fn over(count: u32, most: u32) -> bool {
    most > 0 && count >= most
}

/// A place for one handshake, given back when dropped.
pub(crate) struct Handshake {
    door: Door,
    prefix: Option<Prefix>,
    /// The time that this handshake may take.
    pub(crate) patience: Duration,
}

impl Handshake {
    /// The handshake is done, which proves `address`: a place for the connection instead, if there is one.
    pub(crate) fn done(self, address: IpAddr) -> Option<Place> {
        let (door, prefix) = (self.door.clone(), Prefix::of(address));
        drop(self);
        let full = door.with(|state| {
            let open = state.open.get(&prefix).copied().unwrap_or_default();
            let full = state.connections >= state.limits.connections
                || over(open.connections, state.limits.connections_per_prefix);
            if !full {
                state.connections += 1;
                state.open.entry(prefix).or_default().connections += 1;
            }
            full
        });
        // Not `then_some`: a place that is made and dropped gives back what was never taken.
        (!full).then(|| Place { door, prefix })
    }
}

impl Drop for Handshake {
    fn drop(&mut self) {
        self.door.with(|state| {
            state.handshakes = state.handshakes.saturating_sub(1);
            if let Some(prefix) = self.prefix {
                state.leave(prefix, |open| &mut open.handshakes);
            }
        });
    }
}

/// A place for one connection, given back when dropped.
pub(crate) struct Place {
    door: Door,
    prefix: Prefix,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.door.with(|state| {
            state.connections = state.connections.saturating_sub(1);
            state.leave(self.prefix, |open| &mut open.connections);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIMITS: DoorLimits = DoorLimits {
        retry_above: 2,
        handshakes: 8,
        connections: 6,
        handshakes_per_prefix: 5,
        connections_per_prefix: 3,
    };

    fn from(network: u8) -> IpAddr {
        IpAddr::from([192, 0, network, 1])
    }

    fn knock(door: &Door, network: u8, proved: bool) -> Verdict {
        door.knock(Duration::ZERO, from(network), proved)
    }

    fn enter(door: &Door, network: u8, proved: bool) -> Handshake {
        let Verdict::Enter(handshake) = knock(door, network, proved) else { panic!("kept out") };
        handshake
    }

    #[test]
    fn under_load_an_address_is_proved_first() {
        let door = Door::new(LIMITS);
        let quiet = [enter(&door, 1, false), enter(&door, 2, false)];
        assert!(matches!(knock(&door, 3, false), Verdict::Retry));
        let proved = enter(&door, 3, true);
        drop((quiet, proved));
        assert!(matches!(knock(&door, 3, false), Verdict::Enter(_)));
        let always = Door::new(DoorLimits { retry_above: 0, ..LIMITS });
        assert!(matches!(knock(&always, 1, false), Verdict::Retry));
    }

    #[test]
    fn handshakes_are_bounded_and_hurried_when_there_are_many() {
        let door = Door::new(DoorLimits { connections: 100, ..LIMITS });
        let all: Vec<_> = (0..8).map(|network| enter(&door, network, true)).collect();
        assert!(matches!(knock(&door, 9, true), Verdict::Ignore));
        assert_eq!(all[0].patience, PATIENCE);
        assert_eq!(all[7].patience, PATIENCE_UNDER_LOAD);
        assert_eq!((door.load(), door.fill()), ((8, 0), 1_250));
        drop(all);
        assert_eq!(door.load(), (0, 0));
        // The last place for a connection is not promised twice.
        let door = Door::new(DoorLimits { connections: 2, ..LIMITS });
        let _place = enter(&door, 1, true).done(from(1)).unwrap();
        let _under_way = enter(&door, 2, true);
        assert!(matches!(knock(&door, 3, true), Verdict::Refuse("full")));
    }

    #[test]
    fn one_network_gets_its_share_and_others_still_come_in() {
        let door = Door::new(LIMITS);
        let _waiting = [enter(&door, 1, true), enter(&door, 1, true)];
        assert!(matches!(knock(&door, 1, true), Verdict::Refuse("network")), "a quarter of 8");
        let place = enter(&door, 2, true).done(from(2)).unwrap();
        let more: Vec<_> = (0..2).map(|_| enter(&door, 2, true).done(from(2)).unwrap()).collect();
        assert!(matches!(knock(&door, 2, true), Verdict::Refuse("network")), "three connections");
        drop((place, more));
        drop(enter(&door, 2, true));
        drop(enter(&door, 2, true));
        assert!(matches!(knock(&door, 2, true), Verdict::Refuse("network")), "five in a minute");
        assert!(matches!(knock(&door, 3, true), Verdict::Enter(_)));
        let later = door.knock(Duration::from_mins(3), from(2), true);
        assert!(matches!(later, Verdict::Enter(_)));
    }

    #[test]
    fn a_flood_of_forged_addresses_gets_three_retries_for_four() {
        let door = Door::new(DoorLimits { retry_above: 0, ..LIMITS });
        let retries = |second: u64, newcomers: u32| {
            let retried = |_: &u32| {
                let verdict = door.knock(Duration::from_secs(second), from(1), false);
                matches!(verdict, Verdict::Retry)
            };
            (0..newcomers).filter(retried).count()
        };
        assert_eq!(retries(1, 1_000), 1_000);
        assert_eq!(retries(1, 8_000), 6_000);
        assert_eq!(retries(2, 1_000), 1_000, "the next second");
    }

    #[test]
    fn a_forged_address_locks_nobody_out() {
        let door = Door::new(DoorLimits { retry_above: 8, ..LIMITS });
        for _ in 0..100 {
            drop(enter(&door, 1, false));
        }
        assert!(matches!(knock(&door, 1, true), Verdict::Enter(_)));
    }

    proptest! {
        /// Whatever comes and goes, nothing passes its ceiling, and an empty relay remembers nobody as open.
        #[test]
        fn ceilings_hold_and_places_come_back(
            steps in proptest::collection::vec((0u8..6, any::<bool>(), 0u8..4), 0..200),
        ) {
            let door = Door::new(DoorLimits { handshakes_per_prefix: 0, ..LIMITS });
            let (mut handshakes, mut places) = (Vec::new(), Vec::new());
            for (network, proved, what) in steps {
                match what {
                    0 | 1 => if let Verdict::Enter(one) = knock(&door, network, proved) {
                        handshakes.push((network, one));
                    },
                    2 => if let Some((network, one)) = handshakes.pop() {
                        places.extend(one.done(from(network)));
                    },
                    _ => drop(places.pop()),
                }
                let load = door.load();
                let count = |taken: usize| u32::try_from(taken).unwrap();
                prop_assert_eq!(load, (count(handshakes.len()), count(places.len())));
                prop_assert!(load.0 <= LIMITS.handshakes && load.1 <= LIMITS.connections);
            }
            drop((handshakes, places));
            prop_assert_eq!(door.load(), (0, 0));
            prop_assert!(door.with(|state| state.open.is_empty()));
        }
    }
}
