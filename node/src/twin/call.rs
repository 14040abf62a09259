//! A call: a process says, signed by its transport key, which process it is, and whom it answers.
//!
//! Layout: `layout u8 = 128, transport key [32], copy u8, started_ms u64, random [16], echo [16], number u64,
//! signature [64]` over `"xianmeng/call/1" || federation id || everything before it`. Integers are little-endian.

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use protocol::identity::{FederationId, PublicKey, public_key};
use thiserror::Error;

/// Opens a call.
const LAYOUT: u8 = 128;
/// Opens the signed bytes, so that no signature of another domain is a call.
const PREFIX: &[u8] = b"xianmeng/call/1";
/// Bytes of an instance.
const INSTANCE_BYTES: usize = 1 + 8 + 16;
/// Bytes before the signature.
const CONTENT_BYTES: usize = 1 + 32 + INSTANCE_BYTES + 16 + 8;
/// Bytes of a call.
pub(super) const CALL_BYTES: usize = CONTENT_BYTES + 64;

/// A process that uses a member's keys. Of two, the greater gives way: a copy before an original, then whoever
/// started later; the order is total, so exactly one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instance {
    /// Whether its data directory is not known to be the original. It never changes while the process lives.
    pub copy: bool,
    /// When it started, by its clock, in milliseconds since 1970 (UTC).
    pub started_ms: u64,
    /// Drawn at the start. It also is the challenge: who signs it has heard from this process.
    pub random: [u8; 16],
}

/// What a process says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Call {
    pub(super) transport: PublicKey,
    pub(super) instance: Instance,
    /// The `random` of the process that is answered; zero when nobody is.
    pub(super) echo: [u8; 16],
    /// Grows with each call of a process, so that no two are the same bytes.
    pub(super) number: u64,
}

/// What a call means to a process that hears it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Another member's, or this process's own.
    NotForUs,
    /// Another process with the same key made it, who knows when: it is answered.
    Unproven,
    /// Another process with the same key made it since this one started.
    Alive,
}

/// Why bytes are not a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(super) enum CallError {
    #[error("the layout is broken")]
    Layout,
    #[error("the signature does not verify")]
    Signature,
}

impl Call {
    /// What the process `instance` with the transport key `own` makes of this call.
    pub(super) fn heard_by(&self, own: &PublicKey, instance: &Instance) -> Heard {
        if self.transport != *own || self.instance.random == instance.random {
            Heard::NotForUs
        } else if self.echo == instance.random {
            Heard::Alive
        } else {
            Heard::Unproven
        }
    }

    pub(super) fn sign(&self, key: &SigningKey, federation: &FederationId) -> Vec<u8> {
        debug_assert_eq!(self.transport, public_key(key));
        let mut bytes = vec![LAYOUT];
        bytes.extend_from_slice(self.transport.as_bytes());
        bytes.push(u8::from(self.instance.copy));
        bytes.extend_from_slice(&self.instance.started_ms.to_le_bytes());
        bytes.extend_from_slice(&self.instance.random);
        bytes.extend_from_slice(&self.echo);
        bytes.extend_from_slice(&self.number.to_le_bytes());
        let signature = key.sign(&message(federation, &bytes));
        bytes.extend_from_slice(&signature.to_bytes());
        bytes
    }

    pub(super) fn decode(bytes: &[u8], federation: &FederationId) -> Result<Self, CallError> {
        let (content, signature) = bytes.split_at_checked(CONTENT_BYTES).ok_or(CallError::Layout)?;
        let signature: [u8; 64] = signature.try_into().map_err(|_| CallError::Layout)?;
        let mut rest = content;
        let [LAYOUT] = take(&mut rest)? else { return Err(CallError::Layout) };
        let transport = PublicKey(take(&mut rest)?);
        let copy = match take(&mut rest)? {
            [0] => false,
            [1] => true,
            _ => return Err(CallError::Layout),
        };
        let started_ms = u64::from_le_bytes(take(&mut rest)?);
        let instance = Instance { copy, started_ms, random: take(&mut rest)? };
        let call = Self { transport, instance, echo: take(&mut rest)?, number: u64::from_le_bytes(take(&mut rest)?) };
        let key = VerifyingKey::from_bytes(transport.as_bytes()).map_err(|_| CallError::Signature)?;
        let signature = ed25519_dalek::Signature::from_bytes(&signature);
        key.verify_strict(&message(federation, content), &signature).map_err(|_| CallError::Signature)?;
        Ok(call)
    }
}

fn message(federation: &FederationId, content: &[u8]) -> Vec<u8> {
    [PREFIX, federation.as_bytes(), content].concat()
}

fn take<const COUNT: usize>(rest: &mut &[u8]) -> Result<[u8; COUNT], CallError> {
    let (taken, left) = rest.split_first_chunk().ok_or(CallError::Layout)?;
    *rest = left;
    Ok(*taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_reads_back_and_every_changed_byte_is_noticed() {
        let (key, federation) = (SigningKey::from_bytes(&[3; 32]), FederationId([7; 32]));
        let instance = Instance { copy: true, started_ms: 5, random: [9; 16] };
        let call = Call { transport: public_key(&key), instance, echo: [1; 16], number: 4 };
        let bytes = call.sign(&key, &federation);
        assert_eq!(bytes.len(), CALL_BYTES);
        assert_eq!(Call::decode(&bytes, &federation), Ok(call));
        assert_eq!(Call::decode(&bytes, &FederationId([8; 32])), Err(CallError::Signature));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(Call::decode(&changed, &federation).is_err(), "byte {at}");
            assert!(Call::decode(&bytes[..at], &federation).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn only_an_answer_to_this_very_process_proves_another_one() {
        let own = public_key(&SigningKey::from_bytes(&[3; 32]));
        let instance = |random| Instance { copy: false, started_ms: 5, random: [random; 16] };
        let call = |from, echo| Call { transport: own, instance: instance(from), echo: [echo; 16], number: 0 };
        // What an earlier run said, in answer to whomever, is no proof after a restart, however often it is repeated.
        assert_eq!(call(1, 0).heard_by(&own, &instance(2)), Heard::Unproven);
        assert_eq!(call(1, 9).heard_by(&own, &instance(2)), Heard::Unproven);
        assert_eq!(call(1, 2).heard_by(&own, &instance(2)), Heard::Alive);
        // Its own calls, and its answers to others, come back to it.
        assert_eq!(call(2, 0).heard_by(&own, &instance(2)), Heard::NotForUs);
        assert_eq!(call(2, 2).heard_by(&own, &instance(2)), Heard::NotForUs);
        assert_eq!(call(1, 2).heard_by(&PublicKey([1; 32]), &instance(2)), Heard::NotForUs);
    }

    #[test]
    fn a_copy_gives_way_to_an_original_and_the_later_to_the_earlier() {
        let instance = |copy, started_ms, random| Instance { copy, started_ms, random: [random; 16] };
        assert!(instance(true, 1, 1) > instance(false, 2, 2));
        assert!(instance(false, 2, 1) > instance(false, 1, 2));
        assert!(instance(false, 1, 2) > instance(false, 1, 1));
    }
}
