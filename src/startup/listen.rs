//! Sockets that listen.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};

use super::StartError;

/// Connections that wait to be accepted; the kernel lowers it to its own bound (`net.core.somaxconn`).
const BACKLOG: u32 = 4096;

pub(super) fn resolve(address: &str) -> Result<Vec<SocketAddr>, StartError> {
    let failed = |cause| StartError::Listen { address: address.to_owned(), cause };
    let mut addresses: Vec<SocketAddr> = address.to_socket_addrs().map_err(failed)?.collect();
    // A name may stand for several addresses, which would get different free ports.
    if addresses.first().is_some_and(|a| a.port() == 0) {
        addresses.truncate(1);
    }
    Ok(addresses)
}

pub(super) fn listen(address: &str, addresses: &[SocketAddr]) -> Result<Vec<TcpListener>, StartError> {
    let mut sockets = Vec::new();
    let mut failure = io::Error::new(io::ErrorKind::AddrNotAvailable, "the name stands for no address");
    for one in addresses {
        match bind(*one) {
            Ok(socket) => sockets.push(socket),
            Err(e) => failure = e,
        }
    }
    // As with a name that has an IPv6 address on a machine without IPv6: one that works is enough.
    if sockets.is_empty() {
        Err(StartError::Listen { address: address.to_owned(), cause: failure })
    } else {
        Ok(sockets)
    }
}

/// With address reuse, so that a restart need not wait for old connections to be forgotten.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { tokio::net::TcpSocket::new_v4()? } else { tokio::net::TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

pub(super) fn port_of(sockets: &[TcpListener]) -> u16 {
    sockets.first().and_then(|s| s.local_addr().ok()).map_or(0, |a| a.port())
}

/// Opens the listener of the backoffice; answers its address with the port that the system chose.
pub(super) fn own_listener(address: String) -> Result<(Vec<TcpListener>, String), StartError> {
    let sockets = listen(&address, &resolve(&address)?)?;
    let host = address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host);
    let address = format!("{host}:{}", port_of(&sockets));
    Ok((sockets, address))
}
