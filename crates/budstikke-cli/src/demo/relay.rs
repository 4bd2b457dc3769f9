//! The relay of the story: the real one, in this process, on loopback, its log kept.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use budstikke::clock::Clock;
use budstikke_relay::{Config, Relay, testing};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tracing_subscriber::fmt::MakeWriter;

/// A running relay and what it said.
pub(crate) struct LocalRelay {
    relay: Relay,
    data: PathBuf,
    log: Log,
}

/// What is left of it after it stopped.
pub(crate) struct Remains {
    /// Its data folder.
    pub(crate) data: PathBuf,
    /// Every line it logged, at the most talkative level.
    pub(crate) log: Vec<u8>,
    /// Its counters, as an operator's monitoring reads them.
    pub(crate) metrics: Vec<u8>,
}

impl LocalRelay {
    /// Starts it in `folder`, asking strangers for as much work as a public relay would.
    pub(crate) async fn start(folder: &Path, clock: Clock) -> Result<Self, String> {
        let defaults = Config::default();
        let config = Config {
            work_effort: defaults.work_effort,
            front_door_effort: defaults.front_door_effort,
            admin_listen: Some(([127, 0, 0, 1], 0).into()),
            ..testing::config(folder)
        };
        let log = Log::default();
        // Fails when another subscriber is there already (a test): then there is no log to search.
        let _ = tracing_subscriber::fmt()
            .with_env_filter("off,budstikke_relay=trace")
            .with_ansi(false)
            .with_writer(log.clone())
            .try_init();
        let data = config.data_dir.clone();
        let relay = Relay::spawn_at(config, Box::new(move || clock.now()))
            .await
            .map_err(|error| error.to_string())?;
        Ok(Self { relay, data, log })
    }

    /// Its address, as clients need it.
    pub(crate) fn address(&self) -> String {
        self.relay.address().to_text()
    }

    /// Reads its counters and stops it.
    pub(crate) async fn stop(self) -> Result<Remains, String> {
        let metrics = match self.relay.admin_addr() {
            Some(address) => fetch(address).await.map_err(|error| error.to_string())?,
            None => Vec::new(),
        };
        if !self.relay.shutdown().await {
            return Err("the relay did not stop in time".to_owned());
        }
        Ok(Remains { data: self.data, log: self.log.take(), metrics })
    }
}

async fn fetch(address: std::net::SocketAddr) -> io::Result<Vec<u8>> {
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let body = answer.windows(4).position(|window| window == b"\r\n\r\n").map_or(0, |at| at + 4);
    Ok(answer.split_off(body))
}

/// Keeps log lines.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
