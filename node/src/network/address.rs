//! Multiaddresses as text, in and out.

use std::{
    io,
    net::{IpAddr, SocketAddr, TcpListener, UdpSocket},
};

use libp2p::{Multiaddr, multiaddr::Protocol};
use protocol::{identity::PublicKey, limits::ADDRESS_BYTES_MAX};

use super::keys;

/// Reads an address. A `/p2p/` at its end names the peer and is taken off.
pub(super) fn parse(text: &str) -> Result<(Multiaddr, Option<PublicKey>), String> {
    if text.len() > ADDRESS_BYTES_MAX {
        return Err(format!("longer than {ADDRESS_BYTES_MAX} bytes"));
    }
    let mut address: Multiaddr = text.parse().map_err(|error: libp2p::multiaddr::Error| error.to_string())?;
    let Some(Protocol::P2p(peer)) = address.iter().last() else { return Ok((address, None)) };
    let key = keys::public_key(&peer).ok_or("the peer that it names has no ed25519 key")?;
    address.pop();
    if address.is_empty() {
        return Err("it names a peer and no place".to_owned());
    }
    Ok((address, Some(key)))
}

/// The address as text, without the peer's id.
pub(super) fn text(address: &Multiaddr) -> String {
    let mut address = address.clone();
    if let Some(Protocol::P2p(_)) = address.iter().last() {
        address.pop();
    }
    address.to_string()
}

/// Whether somebody already listens on `address`.
///
/// The library cannot be trusted with the answer: it lets TCP listeners share a port (for the sake of hole punching),
/// so that a second node would start beside the first and take away every other connection.
pub(super) fn in_use(address: &Multiaddr) -> bool {
    bind(address).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

/// Listens on `address` for a moment. A port that the system chooses, and a place without a socket, can always be had.
pub(super) fn bind(address: &Multiaddr) -> io::Result<()> {
    match socket(address) {
        Some((_, place)) if place.port() == 0 => Ok(()),
        Some((Transport::Tcp, place)) => TcpListener::bind(place).map(drop),
        Some((Transport::Udp, place)) => UdpSocket::bind(place).map(drop),
        None => Ok(()),
    }
}

enum Transport {
    Tcp,
    Udp,
}

fn socket(address: &Multiaddr) -> Option<(Transport, SocketAddr)> {
    let mut parts = address.iter();
    let ip: IpAddr = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) => Some((Transport::Tcp, SocketAddr::new(ip, port))),
        Protocol::Udp(port) => Some((Transport::Udp, SocketAddr::new(ip, port))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_at_the_end_of_an_address_is_taken_off() {
        let key = protocol::identity::public_key(&ed25519_dalek::SigningKey::from_bytes(&[1; 32]));
        let peer = keys::peer_id(&key).expect("a key");
        let (address, named) = parse(&format!("/ip4/10.0.0.1/tcp/4001/p2p/{peer}")).expect("an address");
        assert_eq!((text(&address).as_str(), named), ("/ip4/10.0.0.1/tcp/4001", Some(key)));
        assert_eq!(parse("/dns4/node.example/udp/4001/quic-v1").expect("an address").1, None);
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for text in ["", "10.0.0.1:4001", "/ip4/300.0.0.1/tcp/1", "/tcp", &"/ip4/10.0.0.1".repeat(100)] {
            assert!(parse(text).is_err() || text.is_empty(), "{text}");
        }
    }
}
