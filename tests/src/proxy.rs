//! A UDP forwarder between clients and a relay: the relay sees a socket for each client that the test knows, as a
//! relay on the internet sees addresses.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::UdpSocket;

const LONGEST: usize = 65_536;

/// Forwards until the runtime ends.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Where clients send to.
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<SocketAddr>>>,
    line: Arc<Line>,
}

/// What happens to the line.
#[derive(Debug)]
struct Line {
    /// Bytes, both ways, until everybody who uses it now is cut off.
    left: AtomicUsize,
    /// Those who were.
    cut: Mutex<HashSet<SocketAddr>>,
}

impl Line {
    /// Whether a packet of this client still passes.
    fn passes(&self, client: SocketAddr, length: usize) -> bool {
        let less = |left: usize| (left != usize::MAX).then(|| left.saturating_sub(length));
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less);
        let mut cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        if left.is_ok_and(|left| left <= length) {
            self.left.store(usize::MAX, Ordering::SeqCst);
            cut.insert(client);
        }
        !cut.contains(&client)
    }
}

impl Proxy {
    /// Starts to forward to a relay on loopback; the port that the relay is to listen on.
    ///
    /// # Panics
    /// When the machine has no sockets left.
    pub async fn start() -> (Self, u16) {
        let front = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a socket");
        let free = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a socket");
        let relay = free.local_addr().expect("its address");
        let line = Line { left: AtomicUsize::new(usize::MAX), cut: Mutex::default() };
        let proxy = Self {
            address: front.local_addr().expect("its address"),
            seen: Arc::default(),
            line: Arc::new(line),
        };
        tokio::spawn(proxy.clone().forward(Arc::new(front), relay));
        (proxy, relay.port())
    }

    /// After so many more bytes, both ways, whoever's packet it is then hears and reaches nobody any more. A new socket
    /// gets through.
    pub fn cut_after(&self, bytes: usize) {
        self.line.left.store(bytes, Ordering::SeqCst);
    }

    /// The client addresses that the relay has seen.
    pub fn seen(&self) -> Vec<SocketAddr> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn forward(self, front: Arc<UdpSocket>, relay: SocketAddr) {
        let mut sockets: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
        let mut packet = vec![0; LONGEST];
        loop {
            let Ok((length, client)) = front.recv_from(&mut packet).await else { continue };
            if !self.line.passes(client, length) {
                continue;
            }
            let socket = match sockets.entry(client) {
                Entry::Occupied(there) => there.into_mut(),
                Entry::Vacant(place) => place.insert(self.socket(relay, &front, client).await),
            };
            if let Some(packet) = packet.get(..length) {
                // A lost packet is the protocol's to mend.
                let _ = socket.send(packet).await;
            }
        }
    }

    /// The socket that stands for one client towards the relay.
    async fn socket(
        &self,
        relay: SocketAddr,
        front: &Arc<UdpSocket>,
        client: SocketAddr,
    ) -> Arc<UdpSocket> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a socket");
        socket.connect(relay).await.expect("loopback");
        let address = socket.local_addr().expect("its address");
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(address);
        let socket = Arc::new(socket);
        let (front, line) = (Arc::clone(front), Arc::clone(&self.line));
        tokio::spawn(back(Arc::clone(&socket), front, client, line));
        socket
    }
}

async fn back(socket: Arc<UdpSocket>, front: Arc<UdpSocket>, client: SocketAddr, line: Arc<Line>) {
    let mut packet = vec![0; LONGEST];
    loop {
        let Ok(length) = socket.recv(&mut packet).await else { continue };
        if let Some(packet) = packet.get(..length).filter(|_| line.passes(client, length)) {
            let _ = front.send_to(packet, client).await;
        }
    }
}
