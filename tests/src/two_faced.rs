//! A relay with two faces: two stores under one identity, so that its slots say one thing to some and another thing to
//! others, each time with a receipt that it signs. Mailboxes, notices and all else are one.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use budstikke::clock::Clock;
use budstikke::transport::quic::QuicTransport;
use budstikke::transport::{Connection, FrameStream, Transport, TransportError};
use budstikke_proto::address::RelayAddress;
use budstikke_proto::auth::SessionNonce;
use budstikke_proto::frame::Frame;
use budstikke_proto::limits::DATA_FRAME_LEN;
use budstikke_proto::op::Request;
use budstikke_relay::Relay;
use tokio::sync::mpsc;

/// Frames on their way to a client.
const QUEUE: usize = 64;

/// The relay.
#[derive(Debug)]
pub struct TwoFaced {
    /// What everybody knows.
    pub honest: Relay,
    /// What its chosen ones read in slots instead.
    pub other: Relay,
}

impl TwoFaced {
    /// Two relays in `folder` with the same keys.
    ///
    /// # Panics
    /// When they do not start.
    pub async fn start(folder: &Path, clock: &Clock) -> Self {
        let (one, two) = (folder.join("one"), folder.join("two"));
        let spawn = async |home: &Path| {
            let clock = clock.clone();
            let config = budstikke_relay::testing::config(home);
            Relay::spawn_at(config, Box::new(move || clock.now())).await.expect("a relay")
        };
        spawn(&one).await.shutdown().await;
        copy(&one, &two);
        Self { honest: spawn(&one).await, other: spawn(&two).await }
    }

    /// The way to it of those to whom it lies, as long as [`Chosen::lie`] says so.
    pub fn chosen(&self) -> Chosen {
        Chosen {
            quic: QuicTransport::default(),
            honest: self.honest.address().clone(),
            other: self.other.address().clone(),
            lies: Arc::default(),
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let there = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &there);
        } else {
            std::fs::copy(entry.path(), there).expect("a copy");
        }
    }
}

/// A transport whose slots may come from the other store.
#[derive(Clone, Debug)]
pub struct Chosen {
    quic: QuicTransport,
    honest: RelayAddress,
    other: RelayAddress,
    lies: Arc<AtomicBool>,
}

impl Chosen {
    /// From now on slots come from the other store, or from the honest one again.
    pub fn lie(&self, lies: bool) {
        self.lies.store(lies, Ordering::SeqCst);
    }

    /// Whether a frame goes to the other store.
    fn diverts(&self, frame: &Frame) -> bool {
        self.lies.load(Ordering::SeqCst)
            && matches!(
                Request::decode(&frame.op),
                Ok(Request::SlotAppend { .. } | Request::SlotRead { .. })
            )
    }
}

#[async_trait]
impl Transport for Chosen {
    async fn connect(&self, address: &RelayAddress) -> Result<Box<dyn Connection>, TransportError> {
        let honest = self.quic.connect(address).await?;
        if address != &self.honest {
            return Ok(honest);
        }
        let other = self.quic.connect(&self.other).await?;
        Ok(Box::new(Both { honest, other, chosen: self.clone() }))
    }
}

#[derive(Debug)]
struct Both {
    honest: Box<dyn Connection>,
    other: Box<dyn Connection>,
    chosen: Chosen,
}

#[async_trait]
impl Connection for Both {
    fn session_nonce(&self) -> SessionNonce {
        self.honest.session_nonce()
    }

    async fn open_stream(&self) -> Result<FrameStream, TransportError> {
        let (honest, other) = (self.honest.open_stream().await?, self.other.open_stream().await?);
        let (ours, theirs) = tokio::io::duplex(4 * DATA_FRAME_LEN);
        let (read, write) = tokio::io::split(theirs);
        let client = FrameStream::new(read, write);
        let (mut from_client, mut to_client) = (client.receiver, client.sender);
        let (mut to_honest, mut to_other) = (honest.sender, other.sender);
        let chosen = self.chosen.clone();
        let outgoing = tokio::spawn(async move {
            while let Ok(Some(frame)) = from_client.recv().await {
                let opens = matches!(Request::decode(&frame.op), Ok(Request::Open));
                let diverted = !opens && chosen.diverts(&frame);
                if opens && to_other.send(std::slice::from_ref(&frame)).await.is_err() {
                    return;
                }
                let way = if diverted { &mut to_other } else { &mut to_honest };
                if way.send(&[frame]).await.is_err() {
                    return;
                }
            }
        });
        let (queue, mut answers) = mpsc::channel::<Frame>(QUEUE);
        for (mut from, hellos) in [(honest.receiver, 0), (other.receiver, 1)] {
            let queue = queue.clone();
            tokio::spawn(async move {
                let mut skip = hellos;
                while let Ok(Some(frame)) = from.recv().await {
                    if skip > 0 {
                        skip -= 1;
                    } else if queue.send(frame).await.is_err() {
                        break;
                    }
                }
            });
        }
        drop(queue);
        tokio::spawn(async move {
            while let Some(frame) = answers.recv().await {
                if to_client.send(&[frame]).await.is_err() {
                    break;
                }
            }
            // A stream that a relay ended is of no use in the other direction.
            outgoing.abort();
        });
        let (read, write) = tokio::io::split(ours);
        Ok(FrameStream::new(read, write))
    }

    async fn close(&self) {
        self.honest.close().await;
        self.other.close().await;
    }
}
