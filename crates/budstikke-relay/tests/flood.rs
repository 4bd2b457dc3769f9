//! A relay under floods: forged and half-open handshakes, garbage, and a network that opens all it can. Meanwhile an
//! honest client is answered, and what the relay sends, keeps and forgets is measured from outside.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    clippy::needless_for_each,
    clippy::struct_field_names,
    reason = "a test fails loudly and prints what it measured"
)]

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use quinn_proto::crypto::rustls::QuicClientConfig;
use quinn_proto::{ClientConfig, Connection, DatagramEvent, Endpoint, EndpointConfig};
use rand_core::{OsRng, RngCore};
use rustls::crypto::{CryptoProvider, aws_lc_rs};

#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the end-to-end tests, which use all of it"
)]
#[path = "../../../tests/src/honest.rs"]
mod honest;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the end-to-end tests, which use all of it"
)]
#[path = "../../../tests/src/raw.rs"]
mod raw;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the end-to-end tests, which use all of it"
)]
#[path = "../../../tests/src/relay_process.rs"]
mod relay_process;

use honest::Honest;
use relay_process::{RelayOptions, RelayProcess};

const HALF_OPEN: usize = 10_000;
/// Different first flights in a flood; each comes several times, which is all the same to a relay that forgot it.
const FLIGHTS: usize = 500;
const GARBAGE: usize = 10_000;

fn relay(folder: &Path, flags: &[&str]) -> RelayProcess {
    let mut options = RelayOptions::new(folder);
    options.program = Some(env!("CARGO_BIN_EXE_budstikke-relay").into());
    options.flags.extend(flags.iter().map(|flag| (*flag).into()));
    RelayProcess::start(&options)
}

/// A UDP socket that counts, in a network of its own.
struct Meter {
    socket: UdpSocket,
    relay: SocketAddr,
    sent: u64,
    received: u64,
}

impl Meter {
    fn new(relay: &RelayProcess, from: [u8; 4]) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::from(from), 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let relay = SocketAddr::from((Ipv4Addr::LOCALHOST, relay.address.port));
        Self { socket, relay, sent: 0, received: 0 }
    }

    fn send(&mut self, datagram: &[u8]) {
        self.socket.send_to(datagram, self.relay).unwrap();
        self.sent += datagram.len() as u64;
    }

    /// The next datagram, when one comes within half a second.
    fn receive(&mut self) -> Option<BytesMut> {
        let mut buffer = [0; 2048];
        let length = self.socket.recv(&mut buffer).ok()?;
        self.received += length as u64;
        Some(BytesMut::from(&buffer[..length]))
    }

    /// Everything that is there.
    fn drain(&mut self) {
        self.socket.set_nonblocking(true).unwrap();
        while self.receive().is_some() {}
        self.socket.set_nonblocking(false).unwrap();
    }

    /// Everything that comes until nothing has for half a second.
    fn settle(&mut self) {
        while self.receive().is_some() {}
    }
}

/// Begins handshakes, and goes no further than it is told.
struct Opener {
    endpoint: Endpoint,
    config: ClientConfig,
}

impl Opener {
    fn new() -> Self {
        let kx_groups = vec![aws_lc_rs::kx_group::X25519MLKEM768];
        let provider = CryptoProvider { kx_groups, ..aws_lc_rs::default_provider() };
        let mut tls = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"h3".to_vec()];
        let config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
        let endpoint = Endpoint::new(Arc::new(EndpointConfig::default()), None, true, None);
        Self { endpoint, config }
    }

    /// The datagrams of a first flight.
    fn flight(&mut self, meter: &Meter) -> Vec<Vec<u8>> {
        let config = self.config.clone();
        let opened = self.endpoint.connect(Instant::now(), config, meter.relay, "relay.invalid");
        let (_, mut connection) = opened.unwrap();
        datagrams(&mut connection)
    }

    /// Opens, answers the relay's Retry, and stops there. Answers whether the relay began a handshake.
    fn half_open(&mut self, meter: &mut Meter) -> bool {
        let config = self.config.clone();
        let opened = self.endpoint.connect(Instant::now(), config, meter.relay, "relay.invalid");
        let (handle, mut connection) = opened.unwrap();
        flush(&mut connection, meter);
        let mut proved = false;
        while let Some(datagram) = meter.receive() {
            let retry = datagram[0] & 0xF0 == 0xF0;
            let first_initial = datagram[0] & 0xF0 == 0xC0;
            let (now, mut answer) = (Instant::now(), Vec::new());
            let length = datagram.len();
            let event = self.endpoint.handle(now, meter.relay, None, None, datagram, &mut answer);
            if let Some(DatagramEvent::ConnectionEvent(of, event)) = event {
                if of != handle {
                    continue;
                }
                if proved && first_initial {
                    // A ServerHello fills its datagram, a refusal does not.
                    return length >= 1_200;
                }
                connection.handle_event(event);
                if retry && !proved {
                    proved = true;
                    flush(&mut connection, meter);
                }
            }
        }
        false
    }
}

fn datagrams(connection: &mut Connection) -> Vec<Vec<u8>> {
    let next = || {
        let mut datagram = Vec::new();
        connection.poll_transmit(Instant::now(), 1, &mut datagram).map(|_| datagram)
    };
    std::iter::from_fn(next).collect()
}

fn flush(connection: &mut Connection, meter: &mut Meter) {
    datagrams(connection).iter().for_each(|datagram| meter.send(datagram));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_handshakes_and_garbage_get_little_and_an_honest_client_all() {
    let folder = tempfile::tempdir().unwrap();
    let relay = relay(folder.path(), &["--handshakes-per-prefix", "0"]);
    let honest = Honest::start(&relay);
    // So that what is measured next is the flood, not the first use of a page.
    let mut opener = Opener::new();
    let mut meter = Meter::new(&relay, [127, 1, 1, 1]);
    let flights: Vec<_> = (0..FLIGHTS).map(|_| opener.flight(&meter)).collect();
    for flight in flights.iter().cycle().take(HALF_OPEN / 2) {
        flight.iter().for_each(|datagram| meter.send(datagram));
        meter.drain();
    }
    honest.answered(20).await;
    let before = relay.memory();

    let (meter, flights) = tokio::task::spawn_blocking({
        let mut meter = Meter::new(&relay, [127, 1, 2, 1]);
        move || {
            for flight in flights.iter().cycle().take(HALF_OPEN) {
                flight.iter().for_each(|datagram| meter.send(datagram));
                meter.drain();
            }
            meter.settle();
            let whole = (meter.sent, meter.received);
            for flight in flights.iter().cycle().take(HALF_OPEN) {
                meter.send(&flight[0]);
                meter.drain();
            }
            meter.settle();
            let so_far = (whole, (meter.sent - whole.0, meter.received - whole.1));
            let mut garbage = [0; 1_472];
            for number in 0..GARBAGE {
                OsRng.fill_bytes(&mut garbage);
                // Every kind of first byte, long and short, and versions that nobody speaks.
                if number % 3 == 0 {
                    garbage[0] |= 0xC0;
                }
                if number % 6 == 0 {
                    garbage[1..5].copy_from_slice(&[0, 0, 0, 1]);
                }
                meter.send(&garbage[..=number % garbage.len()]);
                meter.drain();
            }
            meter.settle();
            (meter, so_far)
        }
    })
    .await
    .unwrap();
    honest.answered(5).await;
    let after = relay.memory();
    let (answered, slowest) = honest.end().await;

    let ratio = |(sent, received): (u64, u64)| received as f64 / sent as f64;
    let (whole, first) = flights;
    let half_open = ratio(whole);
    let first_only = ratio(first);
    let garbage = ratio((meter.sent - whole.0 - first.0, meter.received - whole.1 - first.1));
    let each = after.saturating_sub(before) as f64 / (2 * HALF_OPEN) as f64;
    eprintln!(
        "{HALF_OPEN} half-open handshakes: {} B in, {} B out, ratio {half_open:.3}; as many first \
         datagrams alone: ratio {first_only:.3}; {GARBAGE} datagrams of garbage: ratio {garbage:.3}; memory {before} B before, {after} B \
         after, {each:.0} B each; honest rounds {answered}, the slowest {slowest:?}",
        whole.0, whole.1
    );
    assert!(whole.1 > 0, "the flood was met with Retry");
    assert!(half_open < 0.1 && garbage < 0.1);
    // Below a thousand in a second each gets its Retry.
    assert!(first_only < 0.125);
    assert!(each < 200.0);
    assert!(slowest < Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_opens_all_it_can_leaves_room_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--max-handshakes", "64", "--handshakes-per-prefix", "40"];
    let relay = relay(folder.path(), &flags);
    let began = tokio::task::spawn_blocking({
        let mut meter = Meter::new(&relay, [127, 9, 9, 1]);
        move || {
            let mut opener = Opener::new();
            (0..100).filter(|_| opener.half_open(&mut meter)).count()
        }
    });
    let began = began.await.unwrap();
    eprintln!("of 100 half-open handshakes of one network, the relay began {began}");
    assert!((1..=40).contains(&began), "{began} of 64");
    // The neighbours' places are taken, other networks' are not.
    let honest = Honest::start(&relay);
    honest.answered(5).await;
    honest.end().await;
}

/// Begun without a Retry, and never finished.
const HANDSHAKES: u64 = 8;

/// Until the relay gives the handshake up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_retry_an_unproved_address_gets_three_times_what_it_sent() {
    let folder = tempfile::tempdir().unwrap();
    let relay = relay(folder.path(), &["--retry-above", "32"]);
    let meter = tokio::task::spawn_blocking({
        let mut meter = Meter::new(&relay, [127, 2, 2, 2]);
        move || {
            let mut opener = Opener::new();
            for _ in 0..HANDSHAKES {
                let flight = opener.flight(&meter);
                flight.iter().for_each(|datagram| meter.send(datagram));
            }
            let given_up = Instant::now() + Duration::from_secs(11);
            while Instant::now() < given_up {
                meter.receive();
            }
            meter
        }
    });
    let meter = meter.await.unwrap();
    let ratio = meter.received as f64 / meter.sent as f64;
    eprintln!("without Retry: {} B in, {} B out, ratio {:.3}", meter.sent, meter.received, ratio);
    assert!(ratio > 1.0, "it began handshakes");
    // The limit is looked at before a packet goes: a last small one, as a close, may pass it.
    let (limit, last) = (3 * meter.sent, HANDSHAKES * 64);
    assert!(meter.received <= limit + last, "{} B of {limit}", meter.received);
}
