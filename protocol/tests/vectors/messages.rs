//! Messages of a sync stream, and heads in compact form.

use std::collections::BTreeMap;

use protocol::frontier::Head;
use protocol::identity::{BlockHash, EntryId, FederationId, FrontierDigest};
use protocol::sync::heads::{self as compact, ShortIdKey};
use protocol::sync::message::{Hello, Message, MessageError, Span};
use serde_bytes::ByteBuf;
use serde_json::{Value, json};

use crate::case::{self, File, Judged, array, bad, bytes, good, input, with};

fn judge(vector: &Value) -> Judged {
    match Message::decode(&bytes(vector, "input")) {
        Ok(message) => ("ok".into(), Some(decoded(&message))),
        Err(MessageError::Length { .. }) => ("message/length".into(), None),
        Err(MessageError::Decode) => ("message/decode".into(), None),
        Err(MessageError::Trailing { .. }) => ("message/trailing".into(), None),
    }
}

fn decoded(message: &Message) -> Value {
    let list = |items: &[ByteBuf]| items.iter().map(hex::encode).collect::<Vec<_>>();
    let mut value = match message {
        Message::Hello(hello) => json!({
            "federation": hello.federation.to_string(), "charter_version": hello.charter_version,
            "charter_tip": hello.charter_tip.to_string(), "digest": hello.digest.to_string(),
            "proofs": hello.proofs.to_string(), "complete": hello.complete, "nonce": hex::encode(hello.nonce),
        }),
        Message::BlocksRequest { after } => json!({ "after": after }),
        Message::Blocks { blocks } => json!({ "blocks": list(blocks) }),
        Message::Heads { heads, proofs, rival } => {
            json!({ "heads": hex::encode(heads), "proofs": list(proofs), "rival": hex::encode(rival) })
        }
        Message::Branch { prefixes } => json!({ "prefixes": hex::encode(prefixes) }),
        Message::Rival { block } => json!({ "block": hex::encode(block) }),
        Message::FullHeads { heads } => {
            let heads = heads.iter().map(|(log, length, id)| json!([log, length, id.to_string()]));
            json!({ "heads": heads.collect::<Vec<_>>() })
        }
        Message::RangeRequest { id, spans } => {
            let spans = spans.iter().map(|span| json!([span.log, span.from, span.count]));
            json!({ "id": id, "spans": spans.collect::<Vec<_>>() })
        }
        Message::Chunk { id, bytes, payload } => json!({ "id": id, "bytes": bytes, "payload": hex::encode(payload) }),
        Message::RangeEnd { id } => json!({ "id": id }),
        Message::IdsRequest { log, sequences } => json!({ "log": log, "sequences": sequences }),
        Message::Ids { log, ids } => {
            let ids = ids.iter().map(|(sequence, id)| json!([sequence, id.to_string()]));
            json!({ "log": log, "ids": ids.collect::<Vec<_>>() })
        }
        Message::Proofs { proofs } => json!({ "proofs": list(proofs) }),
        Message::FullHeadsRequest | Message::Done => json!({}),
    };
    value["message"] = message.name().into();
    value
}

pub fn file() -> File {
    let hello = Message::Hello(Hello {
        federation: FederationId([1; 32]),
        charter_version: 7,
        charter_tip: BlockHash([2; 32]),
        digest: FrontierDigest([3; 32]),
        proofs: FrontierDigest([4; 32]),
        complete: true,
        nonce: [5; 16],
    });
    let bytes = |byte: u8, count: usize| ByteBuf::from(vec![byte; count]);
    let id = EntryId([6; 32]);
    let ids = Message::Ids { log: 1, ids: vec![(2, id), (9, id)] };
    let samples = [
        hello.clone(),
        Message::BlocksRequest { after: 3 },
        Message::Blocks { blocks: vec![bytes(1, 3), bytes(2, 0)] },
        Message::Heads { heads: bytes(3, 2), proofs: vec![bytes(4, 5)], rival: bytes(6, 3) },
        Message::Branch { prefixes: bytes(7, 16) },
        Message::Rival { block: bytes(8, 3) },
        Message::FullHeadsRequest,
        Message::FullHeads { heads: vec![(1, 2, id)] },
        Message::RangeRequest { id: 9, spans: vec![Span { log: 1, from: 2, count: 3 }] },
        Message::Chunk { id: 9, bytes: 300, payload: bytes(5, 4) },
        Message::RangeEnd { id: 9 },
        Message::IdsRequest { log: 1, sequences: vec![0, 5, u64::MAX] },
        ids.clone(),
        Message::Proofs { proofs: vec![] },
        Message::Done,
    ];
    let (hello, ids) = (hello.encode(), ids.encode());
    let decode = "message/decode";
    let mut vectors: Vec<_> = samples.iter().map(|message| good(message.name(), input(message.encode()))).collect();
    vectors.extend([
        bad("no bytes", input([]), decode, "a message begins with its number"),
        bad("message 15", input(15u32.to_le_bytes()), decode, "messages are numbered 0 to 14"),
        bad("cut", input(&hello[..hello.len() - 1]), decode, "a message is whole"),
        bad("left over", input([&hello[..], &[0]].concat()), "message/trailing", "a message is read to its end"),
        bad("an id of 31 bytes", input(with(&hello, 4, &[31])), decode, "the length of an id is 32"),
        bad("complete is 2", input(with(&hello, hello.len() - 17, &[2])), decode, "a boolean is 0 or 1"),
        bad("claims 2^40 elements", input(with(&ids, 13, &[1])), decode, "a message is whole"),
    ]);
    File {
        name: "messages",
        about: "Messages of a sync stream, without the length of the frame. The bound of 4 MiB is not broken here. \
                SPEC.md, section 14.",
        judge,
        vectors,
    }
}

fn judge_heads(vector: &Value) -> Judged {
    let key = ShortIdKey::new(&array(vector, "nonce_one"), &array(vector, "nonce_other"));
    let logs = vector["logs"].as_u64().expect("a number") as usize;
    let shorts = vector["ids"].as_array().expect("a list of ids").iter().map(|id| {
        let id: EntryId = id.as_str().expect("an id").parse().expect("an id");
        hex::encode(key.short(&id))
    });
    let shorts: Vec<String> = shorts.collect();
    match compact::decode(&bytes(vector, "input"), logs) {
        Ok(heads) => {
            let heads = heads.iter().map(|(log, head)| json!([log, head.length, hex::encode(head.short)]));
            ("ok".into(), Some(json!({ "heads": heads.collect::<Vec<_>>(), "short_ids": shorts })))
        }
        Err(error) => (case::layout(&error), None),
    }
}

pub fn heads() -> File {
    let nonces = [[1; 16], [2; 16]];
    let key = ShortIdKey::new(&nonces[0], &nonces[1]);
    let ids = [[7; 32], [8; 32]].map(EntryId);
    let given = |bytes: &[u8], logs: u32| {
        json!({
            "nonce_one": hex::encode(nonces[0]), "nonce_other": hex::encode(nonces[1]), "logs": logs,
            "ids": ids.map(|id| id.to_string()), "input": hex::encode(bytes),
        })
    };
    let heads = BTreeMap::from([(0, Head { length: 125, id: ids[0] }), (300, Head { length: 70_000, id: ids[1] })]);
    let whole = compact::encode(&heads, &key);
    let short = [9; 8];
    let swapped = json!({
        "nonce_one": hex::encode(nonces[1]), "nonce_other": hex::encode(nonces[0]), "logs": 301,
        "ids": ids.map(|id| id.to_string()), "input": hex::encode(&whole),
    });
    let vectors = vec![
        good("two logs", given(&whole, 301)),
        good("nonces the other way round", swapped),
        good("a log that the reader does not know is left out", given(&whole, 300)),
        good("no heads", given(&[0], 0)),
        good("a number that is longer than it need be", given(&[&[0x81, 0, 0, 5][..], &short].concat(), 1)),
        bad("empty", given(&[], 1), "layout/short/heads", "heads begin with their count"),
        bad(
            "one log twice",
            given(&[&[2, 0, 5][..], &short, &[0, 5], &short].concat(), 2),
            "layout/rule/log",
            "logs are strictly ascending",
        ),
        bad("length 0", given(&[&[1, 0, 0][..], &short].concat(), 1), "layout/rule/length", "a length is not 0"),
        bad("cut", given(&whole[..whole.len() - 1], 301), "layout/short/short-id", "heads are whole"),
        bad("left over", given(&[&whole[..], &[0]].concat(), 301), "layout/trailing", "heads are read to their end"),
        bad("a count above 64 bits", given(&[0xff; 10], 1), "layout/rule/heads", "a number fits 64 bits"),
    ];
    File {
        name: "heads",
        about: "Heads in compact form and short ids. SPEC.md, section 14.",
        judge: judge_heads,
        vectors,
    }
}
