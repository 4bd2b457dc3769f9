//! Connections that say nothing, by the thousand.

use std::path::Path;
use std::time::{Duration, Instant};

use futures_util::stream::{self, StreamExt as _};
use quinn::ConnectionError;

use crate::honest::Honest;
use crate::raw::{Handshake, Raw};
use crate::relay_process::{RelayOptions, RelayProcess};

/// Handshakes under way at once.
const AT_ONCE: usize = 32;

/// What became of a crowd and of the relay that it stood before.
#[derive(Clone, Debug)]
pub struct CrowdReport {
    /// Connections.
    pub count: usize,
    /// The time that they took to come.
    pub came_in: Duration,
    /// Bytes of the relay for each of them.
    pub memory_each: u64,
    /// Rounds of an honest client while they stood there.
    pub honest_rounds: u64,
    /// The longest of these.
    pub honest_slowest: Duration,
    /// The time until the relay had let all of them go.
    pub gone_in: Duration,
}

/// Lets `count` connections stand before a relay of its own, which allows each `silence` seconds.
///
/// # Panics
/// When the relay does not let them in, serves nobody else, or does not let them go.
pub async fn stand_around(folder: &Path, count: usize, silence: u32) -> CrowdReport {
    let mut options = RelayOptions::new(folder);
    let most = (count + 100).to_string();
    let silence_s = silence.to_string();
    let flags = ["--max-connections", &most, "--connections-per-prefix", "0"];
    options.flags.extend(flags.map(String::from));
    let flags = ["--handshakes-per-prefix", "0", "--idle-timeout-s", &silence_s];
    options.flags.extend(flags.map(String::from));
    let relay = RelayProcess::start(&options);
    let honest = Honest::start(&relay);
    honest.answered(10).await;
    // Pings keep a connection up, and are nothing that it says.
    let how = Handshake { pings: Some(Duration::from_secs(5)), ..Handshake::default() };
    let endpoint = Raw::endpoint(&relay.address, how).expect("a socket");
    let (began, before) = (Instant::now(), relay.memory());
    let (from, address) = (&endpoint, &relay.address);
    let coming = stream::iter(0..count).map(|_| Raw::connect_from(from, address));
    let all: Vec<_> = coming.buffer_unordered(AT_ONCE).collect().await;
    let all: Vec<_> = all.into_iter().collect::<Result<_, _>>().expect("they are let in");
    let came_in = began.elapsed();
    honest.answered(5).await;
    let there = all.iter().filter(|raw| raw.connection.close_reason().is_none()).count();
    assert_eq!(there, count, "all are there at once: {came_in:?}");
    let memory = relay.memory().saturating_sub(before);
    let gone = async {
        for raw in &all {
            let ended = raw.connection.closed().await;
            assert!(matches!(ended, ConnectionError::ApplicationClosed(_)), "{ended}");
        }
    };
    let patience = Duration::from_secs(u64::from(silence) * 2 + 30);
    tokio::time::timeout(patience, gone).await.expect("the relay lets them go");
    let gone_in = began.elapsed();
    let (honest_rounds, honest_slowest) = honest.end().await;
    let memory_each = memory / u64::try_from(count).unwrap_or(u64::MAX);
    CrowdReport { count, came_in, memory_each, honest_rounds, honest_slowest, gone_in }
}
