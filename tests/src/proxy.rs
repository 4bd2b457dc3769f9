//! A UDP forwarder between clients and a relay: the relay sees a socket for each client that the test knows, as a
//! relay on the internet sees addresses.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::UdpSocket;

const LONGEST: usize = 65_536;

/// Forwards until the runtime ends.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Where clients send to.
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<SocketAddr>>>,
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
        let proxy =
            Self { address: front.local_addr().expect("its address"), seen: Arc::default() };
        tokio::spawn(proxy.clone().forward(Arc::new(front), relay));
        (proxy, relay.port())
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
        tokio::spawn(back(Arc::clone(&socket), Arc::clone(front), client));
        socket
    }
}

async fn back(socket: Arc<UdpSocket>, front: Arc<UdpSocket>, client: SocketAddr) {
    let mut packet = vec![0; LONGEST];
    loop {
        let Ok(length) = socket.recv(&mut packet).await else { continue };
        if let Some(packet) = packet.get(..length) {
            let _ = front.send_to(packet, client).await;
        }
    }
}
