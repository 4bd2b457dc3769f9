//! The UDP socket, with room for bursts.

use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use crate::log;

/// With the system's usual 208 KiB, bursts lose packets and the slowest percent of the sends takes 100 ms.
const BUFFER_LEN: usize = 4 << 20;

pub(super) fn bind(listen: SocketAddr) -> std::io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(listen), Type::DGRAM, Some(Protocol::UDP))?;
    if listen.is_ipv6() && listen.ip().is_unspecified() {
        socket.set_only_v6(false)?;
    }
    enlarge(&socket);
    socket.bind(&listen.into())?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn enlarge(socket: &Socket) {
    // A refusal shows in the sizes below.
    let _ = socket.set_recv_buffer_size(BUFFER_LEN);
    let _ = socket.set_send_buffer_size(BUFFER_LEN);
    let receive = socket.recv_buffer_size().unwrap_or(0);
    let send = socket.send_buffer_size().unwrap_or(0);
    if receive < BUFFER_LEN || send < BUFFER_LEN {
        log::warn(
            "the system refuses socket buffers of 4 MiB, so bursts will lose packets: \
             set net.core.rmem_max and net.core.wmem_max to 4194304",
            &[("receive_bytes", &receive), ("send_bytes", &send)],
        );
    }
}
