//! Addresses, beacons and frontier digests.

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;
use protocol::address::Addresses;
use protocol::beacon::relay::{Message, short_id};
use protocol::beacon::{Beacon, BeaconError, Condition, DiskSpace, Version};
use protocol::frontier::{Frontier, Head, proofs_hash};
use protocol::identity::{BlockHash, EntryId, FederationId, FrontierDigest, PublicKey, public_key};
use serde_json::{Value, json};

use crate::case::{self, File, Judged, array, bad, bytes, good, input, text, with};

const FEDERATION: FederationId = FederationId([9; 32]);

fn judge_addresses(vector: &Value) -> Judged {
    match Addresses::decode(&bytes(vector, "input")) {
        Ok(read) => {
            let decoded = json!({ "transport": read.transport.to_string(), "addresses": read.addresses });
            ("ok".into(), Some(decoded))
        }
        Err(error) => (case::layout(&error), None),
    }
}

pub fn addresses() -> File {
    let body = |layout: u8, count: u16, addresses: &[&str]| {
        let mut out = [&[0; 16], [layout].as_slice(), &[3; 32], &count.to_le_bytes()].concat();
        addresses.iter().for_each(|address| out.extend_from_slice(&text(address)));
        input(out)
    };
    let tcp = "/ip4/127.0.0.1/tcp/4001";
    let long = "a".repeat(257);
    let vectors = vec![
        good("two addresses", body(1, 2, &[tcp, "/ip4/127.0.0.1/udp/4001/quic-v1"])),
        good("no address", body(1, 0, &[])),
        bad("layout 2", body(2, 0, &[]), "layout/rule/address-layout", "the layout is 1"),
        bad("seventeen addresses", body(1, 17, &[tcp; 17]), "layout/bound/addresses", "at most 16 addresses"),
        bad("empty address", body(1, 1, &[""]), "layout/text/address", "an address is not empty"),
        bad(
            "address with a line feed",
            body(1, 1, &["/ip4/127.0.0.1\n"]),
            "layout/text/address",
            "an address is one line",
        ),
        bad("address too long", body(1, 1, &[&long]), "layout/bound/address", "an address has at most 256 bytes"),
        bad("one address too few", body(1, 2, &[tcp]), "layout/short/address", "the body is whole"),
        bad("one address too many", body(1, 1, &[tcp; 2]), "layout/trailing", "the body is read to its end"),
    ];
    File {
        name: "addresses",
        about: "Bodies of address entries, system kind 1. SPEC.md, section 7.",
        judge: judge_addresses,
        vectors,
    }
}

fn judge_beacon(vector: &Value) -> Judged {
    let federation = FederationId(array(vector, "federation"));
    let beacon = match Beacon::decode(&bytes(vector, "input"), &federation) {
        Ok(beacon) => beacon,
        Err(BeaconError::Layout(error)) => return (case::layout(&error), None),
        Err(BeaconError::Signature) => return ("beacon/signature".into(), None),
    };
    let decoded = json!({
        "transport": beacon.transport.to_string(), "boot_ms": beacon.boot_ms, "counter": beacon.counter,
        "expires_ms": beacon.expires_ms, "interval_seconds": beacon.interval_seconds,
        "version": beacon.condition.version.to_string(), "charter_version": beacon.charter_version,
        "digest": beacon.digest.to_string(), "entries": beacon.entries,
        "missing_entries": beacon.condition.missing_entries, "missing_bodies": beacon.condition.missing_bodies,
        "peers": beacon.condition.peers, "rejected": beacon.condition.rejected,
        "disk": beacon.condition.disk.map(|disk| json!([disk.free_mib, disk.free_permille])),
        "clock_offset_ms": beacon.condition.clock_offset_ms, "id": hex::encode(short_id(&bytes(vector, "input"))),
        "heads": beacon.heads.iter().map(|(log, length)| json!([log, length])).collect::<Vec<_>>(),
    });
    ("ok".into(), Some(decoded))
}

pub fn beacons() -> File {
    let key = SigningKey::from_bytes(&[1; 32]);
    let beacon = Beacon {
        transport: public_key(&key),
        boot_ms: 1_764_547_200_000,
        counter: 2,
        expires_ms: 1_764_547_800_000,
        interval_seconds: 600,
        condition: Condition {
            version: Version([1, 2, 3]),
            missing_entries: 4,
            missing_bodies: 5,
            peers: 6,
            disk: Some(DiskSpace { free_mib: 70_000, free_permille: 250 }),
            clock_offset_ms: Some(-800),
            rejected: 9,
        },
        charter_version: 4,
        digest: FrontierDigest([5; 32]),
        entries: 6,
        heads: BTreeMap::from([(1, 7), (3, 8)]),
    };
    let bytes = beacon.sign(&key, &FEDERATION);
    let condition = Condition { version: Version([0, 1, 0]), ..Condition::default() };
    let bare = Beacon { heads: BTreeMap::new(), condition, ..beacon }.sign(&key, &FEDERATION);
    let given = |bytes: &[u8]| json!({ "federation": FEDERATION.to_string(), "input": hex::encode(bytes) });
    let foreign = json!({ "federation": hex::encode([8; 32]), "input": hex::encode(&bytes) });
    let ascending = "log numbers are strictly ascending";
    let vectors = vec![
        good("two heads", given(&bytes)),
        good("no heads, disk and clock unknown", given(&bare)),
        bad("layout 1", given(&with(&bytes, 0, &[1])), "layout/rule/beacon-layout", "the layout is 2"),
        bad(
            "disk beyond the whole",
            given(&with(&bytes, 125, &[0xe9, 3])),
            "layout/rule/free-disk",
            "at most 1000 thousandths",
        ),
        bad("disk half known", given(&with(&bytes, 121, &[255; 4])), "layout/rule/free-disk", "both measures or none"),
        bad("513 heads", given(&with(&bytes, 135, &[1, 2])), "layout/bound/heads", "at most 512 heads"),
        bad("heads not ascending", given(&with(&bytes, 149, &[1])), "layout/rule/log", ascending),
        bad("cut", given(&bytes[..bytes.len() - 1]), "layout/short/signature", "a beacon is whole"),
        bad("left over", given(&[bytes.as_slice(), &[0]].concat()), "layout/trailing", "a beacon is read to its end"),
        bad(
            "changed counter",
            given(&with(&bytes, 41, &[3])),
            "beacon/signature",
            "the transport key signed everything before the signature",
        ),
        bad("another federation", foreign, "beacon/signature", "the signature is for this federation"),
    ];
    File { name: "beacons", about: "Health beacons. SPEC.md, section 12.", judge: judge_beacon, vectors }
}

fn judge_relay(vector: &Value) -> Judged {
    let message = match Message::decode(&bytes(vector, "input")) {
        Ok(message) => message,
        Err(error) => return (case::layout(&error), None),
    };
    let hexed = |ids: &[[u8; 8]]| ids.iter().map(hex::encode).collect::<Vec<_>>();
    let decoded = match message {
        Message::Greet { alone } => json!({ "greet": alone }),
        Message::Offer(ids) => json!({ "offer": hexed(&ids) }),
        Message::Want(ids) => json!({ "want": hexed(&ids) }),
        Message::Beacons(beacons) => json!({ "beacons": beacons.iter().map(hex::encode).collect::<Vec<_>>() }),
        Message::Ask { nonce } => json!({ "ask": nonce }),
        Message::Tell { nonce, clock_ms } => json!({ "tell": [nonce, clock_ms] }),
    };
    ("ok".into(), Some(decoded))
}

pub fn relay() -> File {
    let vectors = vec![
        good("a greeting", input(vec![0, 0])),
        good("a greeting of a node without partners", input(vec![0, 1])),
        good("an offer", input([&[1, 2, 0], [7; 8].as_slice(), &[8; 8]].concat())),
        good("a request", input([&[2, 1, 0], [7; 8].as_slice()].concat())),
        good("two beacons", input(vec![3, 2, 0, 1, 0, 9, 2, 0, 9, 9])),
        good("a question for the time", input([&[4], 5_u64.to_le_bytes().as_slice()].concat())),
        good("the time", input([&[5], 5_u64.to_le_bytes().as_slice(), &1_764_547_200_000_u64.to_le_bytes()].concat())),
        bad("no message", input(vec![]), "layout/short/relay-message", "a message has a type"),
        bad("type 6", input(vec![6]), "layout/rule/relay-message", "types are 0 to 5"),
        bad("alone is 2", input(vec![0, 2]), "layout/rule/alone", "alone is 0 or 1"),
        bad("2,049 ids", input(vec![1, 1, 8]), "layout/bound/ids", "at most 2,048 ids"),
        bad("a short offer", input(vec![1, 1, 0, 7]), "layout/short/id", "an id has eight bytes"),
        bad("left over", input(vec![0, 0, 0]), "layout/trailing", "a message is read to its end"),
        bad(
            "a beacon that is too long",
            input(vec![3, 1, 0, 0xca, 0x18]),
            "layout/bound/beacon",
            "at most 6,345 bytes",
        ),
    ];
    File {
        name: "relay",
        about: "Messages by which beacons travel. SPEC.md, section 12.2.",
        judge: judge_relay,
        vectors,
    }
}

fn judge_frontier(vector: &Value) -> Judged {
    let number = |value: &Value| value.as_u64().expect("a number");
    let list = |member: &str| vector[member].as_array().expect("a list").clone();
    let proofs = list("proofs");
    let proofs = proofs.iter().map(|proof| (PublicKey(array(proof, "key")), number(&proof["sequence"])));
    let heads = list("heads");
    let heads = heads.iter().map(|head| {
        let log = u32::try_from(number(&head["log"])).expect("a log number");
        (log, Head { length: number(&head["length"]), id: EntryId(array(head, "id")) })
    });
    let rival = vector["rival"].as_u64().map(|version| u32::try_from(version).expect("a version"));
    let frontier = Frontier {
        federation: FederationId(array(vector, "federation")),
        charter_version: u32::try_from(number(&vector["charter_version"])).expect("a version"),
        charter_tip: BlockHash(array(vector, "charter_tip")),
        heads: heads.collect(),
        proofs: proofs_hash(proofs, rival),
    };
    let decoded = json!({ "proofs": hex::encode(frontier.proofs), "digest": frontier.digest().to_string() });
    ("ok".into(), Some(decoded))
}

pub fn frontiers() -> File {
    let given = |heads: Value, proofs: Value| {
        json!({
            "federation": FEDERATION.to_string(), "charter_version": 3, "charter_tip": hex::encode([2; 32]),
            "heads": heads, "proofs": proofs, "rival": Value::Null,
        })
    };
    let with_rival = |mut given: Value| {
        given["rival"] = json!(2);
        given
    };
    let heads = json!([
        { "log": 0, "length": 1, "id": hex::encode([3; 32]) },
        { "log": 7, "length": 500_000, "id": hex::encode([4; 32]) },
    ]);
    let proofs = json!([
        { "key": hex::encode([5; 32]), "sequence": 0 },
        { "key": hex::encode([6; 32]), "sequence": 12 },
    ]);
    let vectors = vec![
        good("nothing counts", given(json!([]), json!([]))),
        good("two heads", given(heads.clone(), json!([]))),
        good("a second valid block of version 2", with_rival(given(json!([]), json!([])))),
        good("two heads, two proofs and a second block", with_rival(given(heads.clone(), proofs.clone()))),
        good("two heads and two proofs", given(heads, proofs)),
    ];
    File {
        name: "frontiers",
        about: "Digests of frontiers and hashes of proof sets. SPEC.md, section 10.",
        judge: judge_frontier,
        vectors,
    }
}
