//! Addresses of a node, signed and kept like everything else (DESIGN 5.6), so that a restart finds the federation
//! without the secretariat.
//!
//! System kind 1. Body: `nonce [16], layout u8 = 1, transport key [32], count u16, addresses (u16 length, UTF-8)`.
//! The last address entry of a transport key counts.

use crate::bytes::{LayoutError, Reader, put_count, put_text};
use crate::identity::PublicKey;
use crate::limits::{ADDRESS_BYTES_MAX, ADDRESSES_MAX, BODY_NONCE_BYTES};

/// The kind of address entries.
pub const KIND_ADDRESS: u16 = 1;
const LAYOUT: u8 = 1;

/// Where a node can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// The node's transport key.
    pub transport: PublicKey,
    /// Network addresses in the text form of multiaddr, without the peer id; none if it cannot be reached.
    pub addresses: Vec<String>,
}

impl Addresses {
    /// The body of an address entry.
    pub fn encode(&self, nonce: [u8; BODY_NONCE_BYTES]) -> Vec<u8> {
        let mut out = nonce.to_vec();
        out.push(LAYOUT);
        out.extend_from_slice(self.transport.as_bytes());
        let fitting = self.addresses.iter().filter(|address| address.len() <= ADDRESS_BYTES_MAX).take(ADDRESSES_MAX);
        put_count(&mut out, fitting.clone().count());
        fitting.for_each(|address| put_text(&mut out, address));
        out
    }

    /// Reads the body of an address entry.
    pub fn decode(body: &[u8]) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(body);
        reader.array::<BODY_NONCE_BYTES>("nonce")?;
        if reader.u8("address layout")? != LAYOUT {
            return Err(LayoutError::Rule { field: "address layout", rule: "must be 1" });
        }
        let transport = PublicKey(reader.array("transport key")?);
        let count = reader.count(ADDRESSES_MAX, "addresses")?;
        let addresses = (0..count).map(|_| reader.line(ADDRESS_BYTES_MAX, "address").map(str::to_owned));
        let addresses = addresses.collect::<Result<_, _>>()?;
        reader.finish()?;
        Ok(Self { transport, addresses })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_a_round_trip() {
        let addresses = vec!["/ip4/127.0.0.1/tcp/4001".into(), "/ip4/127.0.0.1/udp/4001/quic-v1".into()];
        let addresses = Addresses { transport: PublicKey([3; 32]), addresses };
        let body = addresses.encode([0; 16]);
        assert_eq!(Addresses::decode(&body), Ok(addresses));
        assert!(Addresses::decode(&body[..body.len() - 1]).is_err());
    }
}
