//! Between our public keys and the library's peer ids.

use libp2p::{PeerId, identity, multihash::Multihash};
use protocol::identity::PublicKey;

/// What precedes the key in the library's encoding of an ed25519 public key: two protobuf fields, the key's type and
/// the tag and length of the key.
const ED25519_PREFIX: [u8; 4] = [0x08, 0x01, 0x12, 0x20];
/// The code of the multihash that is its own content. The peer id of a short key is such a multihash.
const IDENTITY_MULTIHASH: u64 = 0;

/// The peer id of `key`, unless the bytes are not an ed25519 public key.
pub(super) fn peer_id(key: &PublicKey) -> Option<PeerId> {
    let key = identity::ed25519::PublicKey::try_from_bytes(key.as_bytes()).ok()?;
    Some(PeerId::from_public_key(&key.into()))
}

/// The key that `peer` is the id of, unless it is a key of another kind.
pub(super) fn public_key(peer: &PeerId) -> Option<PublicKey> {
    let hash: &Multihash<64> = peer.as_ref();
    if hash.code() != IDENTITY_MULTIHASH {
        return None;
    }
    let key = hash.digest().strip_prefix(&ED25519_PREFIX)?;
    Some(PublicKey(key.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_the_round_trip_through_its_peer_id() {
        for secret in 1..20u8 {
            let key = protocol::identity::public_key(&ed25519_dalek::SigningKey::from_bytes(&[secret; 32]));
            let peer = peer_id(&key).expect("a key");
            assert_eq!(public_key(&peer), Some(key));
        }
    }

    #[test]
    fn what_is_not_a_key_has_no_peer_id_and_a_random_id_no_key() {
        // About half of all values are no point of the curve.
        assert!((0..32).any(|byte| peer_id(&PublicKey([byte; 32])).is_none()));
        let hashed = Multihash::wrap(0x12, &[1; 32]).expect("fits");
        assert_eq!(public_key(&PeerId::from_multihash(hashed).expect("a peer id")), None);
    }
}
