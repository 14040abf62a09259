//! Entries and fork proofs.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use protocol::entry::{BARE_ENTRY_BYTES, Entry, Header, VerifiedEntry};
use protocol::fork::ForkProof;
use protocol::identity::{ContentHash, EntryId, FederationId, public_key};
use protocol::limits::BODY_BYTES_MAX;
use serde_json::{Value, json};

use crate::case::{self, File, Judged, array, bad, bytes, good, with};

const FEDERATION: FederationId = FederationId([9; 32]);

/// The fields of an entry as a second implementation should read them.
pub fn decoded(entry: &Entry) -> Value {
    let header = entry.header();
    json!({
        "id": entry.id().to_string(), "key": header.key.to_string(), "sequence": header.sequence,
        "previous": header.previous.to_string(), "charter": header.charter, "time_ms": header.time_ms,
        "kind": header.kind, "body_len": header.body_len, "body_hash": header.body_hash.to_string(),
        "signature": entry.signature().to_string(), "body": entry.body().map(hex::encode),
    })
}

fn judge(vector: &Value) -> Judged {
    let federation = FederationId(array(vector, "federation"));
    match Entry::decode(&bytes(vector, "input")).and_then(|entry| entry.verify(&federation)) {
        Ok(entry) => ("ok".into(), Some(decoded(&entry))),
        Err(error) => (case::entry(&error), None),
    }
}

fn signed(sequence: u64, body: &[u8], seed: u8) -> VerifiedEntry {
    let key = SigningKey::from_bytes(&[seed; 32]);
    let header = Header {
        key: public_key(&key),
        sequence,
        previous: if sequence == 0 { EntryId::ZERO } else { EntryId([6; 32]) },
        charter: 3,
        time_ms: 1_764_547_200_123,
        kind: 102,
        body_len: body.len() as u32,
        body_hash: ContentHash::of(body),
    };
    VerifiedEntry::sign(&key, &FEDERATION, header, Arc::from(body)).expect("the header keeps every rule")
}

fn given(bytes: impl AsRef<[u8]>) -> Value {
    json!({ "federation": FEDERATION.to_string(), "input": hex::encode(bytes) })
}

pub fn file() -> File {
    let first = signed(0, &[5; 40], 3);
    let whole = first.encode();
    let later = signed(1, &[5; 40], 3).encode();
    let foreign = json!({ "federation": hex::encode([8; 32]), "input": hex::encode(&whole) });
    let vectors = vec![
        good("first entry with its body", given(&whole)),
        good("first entry without its body", given(first.without_body().encode())),
        good("later entry", given(&later)),
        good("shortest body", given(signed(0, &[1; 16], 3).encode())),
        good("longest body, absent", given(signed(0, &vec![1; BODY_BYTES_MAX], 3).without_body().encode())),
        bad("shorter than header and signature", given(&whole[..187]), "entry/short", "at least 188 bytes"),
        bad("header version 2", given(with(&whole, 0, &[2])), "entry/header-version", "the header version is 1"),
        bad("suite 2", given(with(&whole, 1, &[2])), "entry/suite", "the suite is 1"),
        bad(
            "sequence 1 without predecessor",
            given(with(&whole, 34, &[1])),
            "entry/predecessor",
            "the predecessor is zero exactly at sequence 0",
        ),
        bad(
            "sequence 0 with predecessor",
            given(with(&whole, 42, &[1])),
            "entry/predecessor",
            "the predecessor is zero exactly at sequence 0",
        ),
        bad("kind 0", given(with(&whole, 86, &[0, 0])), "entry/kind-zero", "kind 0 is not a kind"),
        bad(
            "body length 15",
            given(with(&whole, 88, &[15, 0, 0, 0])),
            "entry/body-length-bound",
            "a body has 16 to 65,536 bytes",
        ),
        bad(
            "body length 65,537",
            given(with(&whole, 88, &65_537u32.to_le_bytes())),
            "entry/body-length-bound",
            "a body has 16 to 65,536 bytes",
        ),
        bad(
            "body one byte short",
            given(&whole[..whole.len() - 1]),
            "entry/body-length",
            "a body that is there has the length that the header names",
        ),
        bad(
            "one byte after the body",
            given([whole.as_slice(), &[0]].concat()),
            "entry/body-length",
            "a body that is there has the length that the header names",
        ),
        bad(
            "another body",
            given(with(&whole, 190, &[0])),
            "entry/body-hash",
            "a body that is there has the hash that the header names",
        ),
        bad("changed time", given(with(&whole, 78, &[0])), "entry/signature", "the key signed the id"),
        bad("changed signature", given(with(&whole, 124, &[0])), "entry/signature", "the key signed the id"),
        bad("another federation", foreign, "entry/signature", "the key signed the id for this federation"),
    ];
    File { name: "entries", about: "Entries in canonical form. SPEC.md, section 4.", judge, vectors }
}

fn judge_proof(vector: &Value) -> Judged {
    let federation = FederationId(array(vector, "federation"));
    match ForkProof::decode(&bytes(vector, "input"), &federation) {
        Ok(proof) => ("ok".into(), Some(json!({ "key": proof.key().to_string(), "sequence": proof.sequence() }))),
        Err(error) => (case::fork(&error), None),
    }
}

pub fn fork_proofs() -> File {
    let (one, other) = (signed(1, &[1; 20], 3), signed(1, &[2; 20], 3));
    let proof = ForkProof::new(&one, &other).expect("they contradict each other").encode();
    let pair = |first: &VerifiedEntry, second: &VerifiedEntry| {
        let (low, high) = if first.id() < second.id() { (first, second) } else { (second, first) };
        given([low.without_body().encode(), high.without_body().encode()].concat())
    };
    let swapped = [&proof[BARE_ENTRY_BYTES..], &proof[..BARE_ENTRY_BYTES]].concat();
    let twice = [&proof[..BARE_ENTRY_BYTES], &proof[..BARE_ENTRY_BYTES]].concat();
    let unrelated = "key, sequence and predecessor of the two are equal";
    let vectors = vec![
        good("two entries at one place", given(&proof)),
        bad("one byte too many", given([proof.as_slice(), &[0]].concat()), "fork/length", "a proof has 376 bytes"),
        bad("higher id first", given(swapped), "fork/order", "the lower id comes first"),
        bad("one entry twice", given(twice), "fork/order", "the ids differ"),
        bad("different sequences", pair(&one, &signed(2, &[1; 20], 3)), "fork/unrelated", unrelated),
        bad("different keys", pair(&one, &signed(1, &[1; 20], 4)), "fork/unrelated", unrelated),
        bad("different predecessors", pair(&one, &signed_after([7; 32])), "fork/unrelated", unrelated),
        bad("a header that breaks a rule", given(with(&proof, 0, &[2])), "entry/header-version", "both are entries"),
        bad("a signature that does not hold", given(with(&proof, 130, &[0])), "entry/signature", "both are signed"),
    ];
    File { name: "fork_proofs", about: "Fork proofs. SPEC.md, section 9.", judge: judge_proof, vectors }
}

fn signed_after(previous: [u8; 32]) -> VerifiedEntry {
    let key = SigningKey::from_bytes(&[3; 32]);
    let header = Header { previous: EntryId(previous), ..signed(1, &[1; 20], 3).header().clone() };
    VerifiedEntry::sign(&key, &FEDERATION, header, Arc::from([1; 20])).expect("the header keeps every rule")
}
