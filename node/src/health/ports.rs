//! The ports at which this node listens, for advice that a person can follow.

use std::collections::BTreeSet;

/// Ports of addresses in the text form of multiaddr. A port that the system chooses is none yet.
pub(super) fn of(addresses: &[String]) -> BTreeSet<u16> {
    let port = |address: &String| {
        let mut parts = address.split('/').skip_while(|part| !["tcp", "udp"].contains(part)).skip(1);
        parts.next()?.parse().ok().filter(|port| *port > 0)
    };
    addresses.iter().filter_map(port).collect()
}

/// Ports in one phrase, in Chinese and English.
pub(super) fn phrase(ports: &BTreeSet<u16>) -> (String, String) {
    let numbers: Vec<String> = ports.iter().map(u16::to_string).collect();
    match numbers.as_slice() {
        [] => ("监听端口".into(), "its listen port".into()),
        [port] => (format!("端口 {port}"), format!("port {port}")),
        _ => (format!("端口 {}", numbers.join("、")), format!("ports {}", numbers.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_names_the_ports_in_use() {
        let said =
            |addresses: &[&str]| phrase(&of(&addresses.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()));
        let both = ["/ip4/0.0.0.0/tcp/5001", "/ip4/0.0.0.0/udp/5001/quic-v1"];
        assert_eq!(said(&both), ("端口 5001".into(), "port 5001".into()));
        assert_eq!(said(&["/ip6/::/tcp/443", both[0]]).1, "ports 443, 5001");
        assert_eq!(said(&["/ip4/127.0.0.1/tcp/0", "nonsense"]).1, "its listen port");
    }
}
