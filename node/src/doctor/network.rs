//! Addresses: whether this node can listen, whether others can reach it, and what keeps configured peers away.

use std::net::SocketAddr;

use tokio::net::{TcpStream, lookup_host};

use super::CONNECT_WAIT;
use super::catalogue::{
    self, Check, PEER_ADDRESS, PEER_REFUSED, PEER_STRANGER, PEER_TIMEOUT, PEER_UNREACHABLE, PEER_WRONG_ID,
    PORT_BLOCKED, PORT_REFUSED, PORT_TAKEN,
};
use crate::api::types::Finding;
use crate::network::{DialFault, ListenFault, probe};

/// What is wrong with a configured peer. No fault means that somebody answers who is no member.
pub(super) fn peer(address: &str, fault: Option<DialFault>, reason: &str) -> Finding {
    let (check, zh): (Check, &str) = match fault {
        None => (PEER_STRANGER, "应答的不是有效成员"),
        Some(DialFault::Refused) => (PEER_REFUSED, "拒绝连接"),
        Some(DialFault::Timeout) => (PEER_TIMEOUT, "没有应答"),
        Some(DialFault::WrongPeer) => (PEER_WRONG_ID, "是另一个节点"),
        Some(DialFault::Address) => (PEER_ADDRESS, "地址不能用"),
        Some(DialFault::Other) => (PEER_UNREACHABLE, "连不上"),
    };
    check.finding(
        address,
        format!("配置的节点 {address}：{zh}（{reason}）"),
        format!("the configured peer {address}: {reason}"),
    )
}

/// Whether the node could listen at an address of `network.listen`.
pub(super) fn listen(address: &str) -> Option<Finding> {
    let fault = probe(address).err()?;
    Some(match fault {
        ListenFault::InUse => taken(address),
        ListenFault::BadAddress { reason } => {
            let zh = format!("network.listen 里的 {address} 写得不对：{reason}");
            catalogue::CONFIG_WRONG.finding(address, zh, format!("network.listen: {address} cannot be read: {reason}"))
        }
        ListenFault::Refused { reason } => {
            let zh = format!("不能在 {address} 监听：{reason}");
            PORT_REFUSED.finding(address, zh, format!("the node cannot listen at {address}: {reason}"))
        }
    })
}

/// Whether the API, or another server of the node, could listen at a socket address.
pub(super) fn listen_tcp(address: &str) -> Option<Finding> {
    let place: SocketAddr = address.parse().ok()?;
    if place.port() == 0 {
        return None;
    }
    match std::net::TcpListener::bind(place) {
        Ok(_) => None,
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Some(taken(address)),
        Err(error) => {
            let zh = format!("不能在 {address} 监听：{error}");
            Some(PORT_REFUSED.finding(address, zh, format!("the node cannot listen at {address}: {error}")))
        }
    }
}

fn taken(address: &str) -> Finding {
    PORT_TAKEN.finding(
        address,
        format!("监听地址 {address} 已被占用"),
        format!("the listen address {address} is in use already"),
    )
}

/// Tries the addresses that the node announces, as somebody else would. Only TCP can be tried without a handshake.
pub(super) async fn reach(addresses: &[String]) -> Vec<Finding> {
    let tried = addresses.iter().map(|address| async move {
        let (host, port) = tcp_place(address)?;
        let connected = async {
            let place = lookup_host((host.as_str(), port)).await?.next();
            let place = place.ok_or_else(|| std::io::Error::other("the name has no address"))?;
            TcpStream::connect(place).await
        };
        let reason = match tokio::time::timeout(CONNECT_WAIT, connected).await {
            Ok(Ok(_)) => return None,
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("no answer within {} s", CONNECT_WAIT.as_secs()),
        };
        let zh = format!("公布的地址 {address} 连不通：{reason}");
        let found =
            PORT_BLOCKED.finding(address, zh, format!("the announced address {address} cannot be reached: {reason}"));
        // What a firewall must let through is the port that this node announces.
        let (fix_zh, fix_en) = (found.fix_zh.clone(), found.fix_en.clone());
        let fix_zh = format!("放行 TCP 和 UDP {port}。{fix_zh}");
        Some(Finding { fix_zh, fix_en: format!("open TCP and UDP {port}; {fix_en}"), ..found })
    });
    futures::future::join_all(tried).await.into_iter().flatten().collect()
}

/// Host and port of an address in the text form of multiaddr, if it is one of TCP.
fn tcp_place(address: &str) -> Option<(String, u16)> {
    let mut parts = address.split('/').skip(1);
    let (family, host, transport, port) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let named = ["ip4", "ip6", "dns", "dns4", "dns6"].contains(&family) && transport == "tcp";
    Some((host.to_owned(), port.parse().ok().filter(|_| named)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tcp_addresses_have_a_place() {
        assert_eq!(tcp_place("/ip4/127.0.0.1/tcp/4701"), Some(("127.0.0.1".into(), 4701)));
        assert_eq!(tcp_place("/dns4/node.example/tcp/443/p2p/x"), Some(("node.example".into(), 443)));
        assert_eq!(tcp_place("/ip4/127.0.0.1/udp/4701/quic-v1"), None);
        assert_eq!(tcp_place("127.0.0.1:4701"), None);
    }

    #[test]
    fn a_taken_port_and_a_bad_address_are_told_apart() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = taken.local_addr().expect("it is bound").port();
        let id = |found: Option<Finding>| found.map(|finding| finding.id);
        assert_eq!(id(listen(&format!("/ip4/127.0.0.1/tcp/{port}"))), Some("port-taken".into()));
        assert_eq!(id(listen_tcp(&format!("127.0.0.1:{port}"))), Some("port-taken".into()));
        assert_eq!(id(listen("/ip4/127.0.0.1/tcp/0")), None);
        assert_eq!(id(listen("nonsense")), Some("config-wrong".into()));
    }

    #[tokio::test]
    async fn an_announced_address_that_nobody_answers_at_is_blocked() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let address = format!("/ip4/127.0.0.1/tcp/{port}");
        assert_eq!(reach(std::slice::from_ref(&address)).await, []);
        drop(listener);
        let found = reach(&[address.clone(), "/ip4/127.0.0.1/udp/1/quic-v1".into()]).await;
        assert_eq!(
            found.iter().map(|finding| (&*finding.id, &*finding.subject)).collect::<Vec<_>>(),
            [("port-blocked", &*address)]
        );
    }
}
