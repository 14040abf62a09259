//! Chunks: entries on their way between peers.

use protocol::identity::{FederationId, PublicKey, public_key};
use protocol::limits::CHUNK_BYTES_MAX;
use protocol::sync::chunk::{Chunk, ChunkError, decode};
use serde_json::{Value, json};

use crate::case::{self, File, Judged, array, bad, bytes, good, with};
use crate::logs::chain;
use crate::roster::World;

fn judge(vector: &Value) -> Judged {
    let claimed = vector["bytes"].as_u64().and_then(|bytes| u32::try_from(bytes).ok()).expect("a length");
    let chunk = Chunk { bytes: claimed, payload: bytes(vector, "input") };
    let keys = vector["logs"].as_array().expect("a list of keys");
    let keys: Vec<PublicKey> = keys.iter().map(|key| key.as_str().expect("a key").parse().expect("a key")).collect();
    let entries = match decode(&chunk, |log| keys.get(log as usize).copied()) {
        Ok(entries) => entries,
        Err(ChunkError::Compression { .. }) => return ("chunk/compression".into(), None),
        Err(ChunkError::Layout(error)) => return (case::layout(&error), None),
        Err(ChunkError::Entry { error, .. }) => return (case::entry(&error), None),
        Err(ChunkError::UnknownLog { .. }) => return ("chunk/unknown-log".into(), None),
    };
    let federation = FederationId(array(vector, "federation"));
    let mut decoded = Vec::new();
    for (log, entry) in entries {
        decoded.push(json!([log, hex::encode(entry.encode())]));
        if let Err(error) = entry.verify(&federation) {
            return (case::entry(&error), None);
        }
    }
    ("ok".into(), Some(json!({ "entries": decoded })))
}

/// A Zstandard frame of one raw block (RFC 8878), so that the vectors do not depend on a compressor's version.
fn raw_frame(plain: &[u8]) -> Vec<u8> {
    let block = (1 | (plain.len() as u32) << 3).to_le_bytes();
    let content_size = (plain.len() as u32).to_le_bytes();
    [&[0x28, 0xb5, 0x2f, 0xfd, 0xa0], content_size.as_slice(), &block[..3], plain].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

fn section(log: u64, from: u64, count: u64, previous: [u8; 32], entries: &[Vec<u8>]) -> Vec<u8> {
    [varint(log), varint(from), varint(count), previous.to_vec(), entries.concat()].concat()
}

pub fn file() -> File {
    let world = World::new();
    let chains = [0, 1].map(|log| chain(&world.members[log], &world.charter, None, 3, log as u8 + 1));
    let keys = [0, 1].map(|log: usize| public_key(&world.members[log].signing).to_string());
    let federation = world.charter.federation().to_string();
    let claiming = |bytes: u32, payload: Vec<u8>| json!({ "federation": federation, "logs": keys, "bytes": bytes, "input": hex::encode(payload) });
    let given = |plain: &[u8]| claiming(plain.len() as u32, raw_frame(plain));
    // One entry as a chunk holds it; each part can be replaced.
    let parts = |log: usize, sequence: usize| {
        let entry = &chains[log][sequence];
        let header = entry.header();
        [
            vec![1],
            entry.signature().as_bytes().to_vec(),
            varint(header.charter.into()),
            varint(header.time_ms),
            varint(header.kind.into()),
            varint(header.body_len.into()),
            entry.body().expect("the entry has a body").to_vec(),
        ]
    };
    let whole = |log: usize, sequence: usize| parts(log, sequence).concat();
    let part = |index: usize, bytes: Vec<u8>| {
        let mut changed = parts(0, 0);
        changed[index] = bytes;
        given(&section(0, 0, 1, [0; 32], &[changed.concat()]))
    };
    let mut bare = parts(0, 2);
    (bare[0], bare[6]) = (vec![0], chains[0][2].header().body_hash.0.to_vec());
    let first = section(0, 0, 1, [0; 32], &[whole(0, 0)]);
    let second = section(0, 1, 2, chains[0][0].id().0, &[whole(0, 1), bare.concat()]);
    let other = section(1, 0, 3, [0; 32], &[whole(1, 0), whole(1, 1), whole(1, 2)]);
    let all = [first.clone(), second, other].concat();
    let narrow = "a number fits its field in the header";
    let size = "the payload decompresses to exactly as many bytes as the chunk claims";
    let vectors = vec![
        good("three sections, one entry without its body", given(&all)),
        good("no section", given(&[])),
        bad(
            "claims more than it holds",
            claiming(first.len() as u32 + 1, raw_frame(&first)),
            "chunk/compression",
            size,
        ),
        bad(
            "claims less than it holds",
            claiming(first.len() as u32 - 1, raw_frame(&first)),
            "chunk/compression",
            size,
        ),
        bad(
            "claims more than a chunk may",
            claiming(CHUNK_BYTES_MAX as u32 + 1, raw_frame(&first)),
            "chunk/compression",
            "a chunk has at most 331,776 bytes before compression",
        ),
        bad("is not Zstandard", claiming(4, vec![1, 2, 3, 4]), "chunk/compression", "the payload is Zstandard"),
        bad(
            "unknown log",
            given(&section(2, 0, 1, [0; 32], &[whole(0, 0)])),
            "chunk/unknown-log",
            "a log is one of the charter's",
        ),
        bad("log above 32 bits", given(&section(1 << 32, 0, 1, [0; 32], &[])), "layout/rule/log", "a log has 32 bits"),
        bad(
            "4,097 entries in a section",
            given(&section(0, 0, 4_097, [0; 32], &[])),
            "layout/bound/count",
            "a section has at most 4,096 entries",
        ),
        bad("undefined flag", part(0, vec![3]), "layout/rule/entry-flags", "bit 0 is the only flag"),
        bad("charter above 32 bits", part(2, varint(1 << 32)), "layout/rule/charter", narrow),
        bad("kind above 16 bits", part(4, varint(1 << 16)), "layout/rule/kind", narrow),
        bad("body length above 32 bits", part(5, varint(1 << 32)), "layout/rule/body-length", narrow),
        bad("body length 15", part(5, varint(15)), "entry/body-length-bound", "a body has 16 to 65,536 bytes"),
        bad("time above 64 bits", part(3, vec![0xff; 10]), "layout/rule/time-ms", "a number fits 64 bits"),
        bad("kind 0", part(4, varint(0)), "entry/kind-zero", "a rebuilt entry keeps the rules of entries"),
        bad(
            "sequence 1 without predecessor",
            given(&section(0, 1, 1, [0; 32], &[whole(0, 0)])),
            "entry/predecessor",
            "a rebuilt entry keeps the rules of entries",
        ),
        bad(
            "another log's key",
            given(&section(1, 0, 1, [0; 32], &[whole(0, 0)])),
            "entry/signature",
            "a rebuilt entry is signed by the key of its log",
        ),
        bad("changed body", part(6, with(&parts(0, 0)[6], 0, &[9])), "entry/signature", "a rebuilt entry is signed"),
        bad("cut", given(&first[..first.len() - 1]), "layout/short/body", "a section is whole"),
    ];
    File {
        name: "chunks",
        about: "Chunks of entries. `logs` holds the signing keys of the logs from 0. SPEC.md, section 14.",
        judge,
        vectors,
    }
}
