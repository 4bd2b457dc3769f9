//! Concurrent commits, crashes and a hostile relay, simulated: seeded, without network or clock, on
//! the real groups of `budstikke-e2ee`.
//!
//! A run is a number of episodes, as many at a time as there are cores; none knows of another. In
//! each a group is founded, Ministry lines of eight members in four parties and cases of a defender
//! and three devices, and its members want to commit at the same time, again and again. The relay delays, drops, reorders and repeats letters, spoils,
//! hides, splits and swaps slots, with receipts that it really signs; clients crash between any two
//! steps and in the middle of a transaction; now and then a device is lost with everything on it.
//! In the end the relay behaves, everybody speaks, and the books are closed: every member in the
//! same epoch with the same authenticator, no fork without a proof, every message delivered or its
//! loss shown.
#![allow(
    clippy::indexing_slicing,
    reason = "a person who is not there is a defect of the simulation"
)]

mod books;
mod chance;
mod commit;
mod episode;
mod letter;
mod member;
mod recover;
mod relay;
mod talk;
mod world;

use std::collections::BTreeMap;
use std::num::NonZero;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng as _;

pub use books::Counts;
use chance::Chance as _;
use episode::Episode;

/// Races in one episode of a run for people.
const EPISODE: u64 = 250;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Concurrent commit races, at least.
    pub races: u64,
    /// Of these in one episode, at least 1; fewer in the last.
    pub per_episode: u64,
    /// From which everything follows but the coins of the encryption.
    pub seed: u64,
    /// The planted bug: commits travel in letters and are applied in the order of arrival.
    pub arrival_order: bool,
    /// Only this episode, counted from 0, to look at one that went wrong.
    pub episode: Option<u64>,
    /// Seconds since 1970 at which each episode begins.
    pub begin: i64,
}

impl Settings {
    /// Without the planted bug. `present`, in seconds since 1970, is the system's: OpenMLS compares
    /// key packages with it, so the simulated time begins three weeks earlier.
    pub fn new(races: u64, seed: u64, present: i64) -> Self {
        Self {
            races,
            per_episode: EPISODE,
            seed,
            arrival_order: false,
            episode: None,
            begin: present - 21 * 86_400,
        }
    }

    /// How many episodes a whole run has.
    pub fn episodes(&self) -> u64 {
        self.races.div_ceil(self.per_episode)
    }

    fn numbers(&self) -> Range<u64> {
        self.episode.map_or(0..self.episodes(), |only| only..only + 1)
    }

    /// One episode; what it does follows from the seed and its number alone.
    fn play(self, number: u64) -> Counts {
        let mut rng = ChaCha20Rng::seed_from_u64(self.seed);
        rng.set_stream(number);
        let line = rng.per_mille(400);
        let races = self.races.saturating_sub(number * self.per_episode).min(self.per_episode);
        Episode::new(rng, self, line).run(races)
    }
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was run.
    pub settings: Settings,
    /// What happened.
    pub counts: Counts,
    /// Real time.
    pub took: Duration,
    /// The first episode that went wrong, from 0.
    pub first_bad: Option<u64>,
}

/// Runs the episodes, each on whichever core is free, and sums them up in their order, up to the first that went wrong:
/// the same seed gives the same counts on any machine.
pub fn run(settings: Settings) -> Report {
    let start = Instant::now();
    let Range { start: first, end } = settings.numbers();
    let (next, bad) = (AtomicU64::new(first), AtomicU64::new(u64::MAX));
    let played = Mutex::new(BTreeMap::new());
    let play = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            // Every one before the first bad one is played to its end.
            if number >= end || number > bad.load(Ordering::Relaxed) {
                return;
            }
            let episode = settings.play(number);
            if !episode.clean() {
                bad.fetch_min(number, Ordering::Relaxed);
            }
            played.lock().unwrap_or_else(PoisonError::into_inner).insert(number, episode);
        }
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(play);
        }
    });
    let played = played.into_inner().unwrap_or_else(PoisonError::into_inner);
    let (bad, mut counts) = (bad.into_inner(), Counts::default());
    for (_, episode) in played.range(..=bad) {
        counts.add(episode);
    }
    let first_bad = (bad < u64::MAX).then_some(bad);
    Report { settings, counts, took: start.elapsed(), first_bad }
}

impl Report {
    /// Whether all of it held, with as many races as were asked for.
    pub fn clean(&self) -> bool {
        let enough = self.settings.episode.is_some() || self.counts.races >= self.settings.races;
        self.counts.clean() && enough
    }

    /// One line for a program.
    pub fn json(&self) -> String {
        let Self { settings, counts, .. } = self;
        serde_json::json!({
            "races": counts.races,
            "undetected_forks": counts.undetected_forks,
            "undetected_losses": counts.undetected_losses,
            "undetected_equivocations": counts.undetected_equivocations,
            "healed_epochs": counts.healed_epochs,
            "seed": settings.seed,
            "forks_detected": counts.forks_detected,
            "equivocations_proven": counts.equivocations_proven,
            "losses_shown": counts.losses_shown,
            "delivered": counts.delivered,
            "crashes": counts.crashes,
            "apart": counts.apart,
            "twice": counts.twice,
            "seconds": self.took.as_secs_f64(),
        })
        .to_string()
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Counts {
            races,
            lost,
            redone,
            void,
            crashes,
            states_lost,
            added_again,
            equivocations_proven,
            undetected_equivocations,
            forks_detected,
            undetected_forks,
            sent,
            delivered,
            losses_shown,
            lost_with_device,
            undetected_losses,
            twice,
            healed_epochs,
            apart,
        } = &self.counts;
        for (what, count) in [
            ("races", races),
            ("  commits that lost one", lost),
            ("  and won when redone", redone),
            ("slot entries void for all", void),
            ("crashes", crashes),
            ("devices lost", states_lost),
            ("members added again", added_again),
            ("equivocating relays proven", equivocations_proven),
            ("equivocating relays NOT proven", undetected_equivocations),
            ("forks detected", forks_detected),
            ("forks NOT detected", undetected_forks),
            ("messages sent, by reader", sent),
            ("  delivered", delivered),
            ("  losses shown", losses_shown),
            ("  gone with a lost device", lost_with_device),
            ("  losses NOT shown", undetected_losses),
            ("  taken twice", twice),
            ("epochs healed", healed_epochs),
            ("groups that stay apart", apart),
        ] {
            writeln!(f, "{what:<32}{count:>10}")?;
        }
        writeln!(f, "{:<32}{:>10.1}", "seconds", self.took.as_secs_f64())?;
        let Settings { races, seed, arrival_order, .. } = self.settings;
        let plant = if arrival_order { " --plant arrival-order" } else { "" };
        let again = format!("simulate --races {races} --seed {seed}{plant}");
        if let Some(episode) = self.first_bad {
            writeln!(f, "FAILED in episode {episode}; --episode {episode} runs it alone")?;
        }
        write!(f, "again: cargo run --release -p budstikke-tests --bin {again}")
    }
}
