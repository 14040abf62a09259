//! Bodies of system kinds that speak of the charter and of erasures.

use protocol::charter::{Block, Operation, SignedBlock};
use protocol::erasure::{Acknowledgement, Erasure, Target};
use protocol::identity::{BlockHash, ContentHash, EntryId, PublicKey, Signature};
use protocol::proposal::{Endorsement, Proposal};
use protocol::testing::{EXPIRES_MS, FOUNDED_MS};
use serde_json::{Value, json};

use crate::acts::kind_set;
use crate::case::{self, File, Judged, bad, bytes, good, input, with};
use crate::operations::target_of;

const NONCE: [u8; 16] = [1; 16];
/// Where the layout of a body stands: after its nonce.
const LAYOUT_AT: usize = 16;

fn judged<T>(read: Result<T, protocol::bytes::LayoutError>, shown: impl FnOnce(T) -> Value) -> Judged {
    match read {
        Ok(read) => ("ok".into(), Some(shown(read))),
        Err(error) => (case::layout(&error), None),
    }
}

fn judge_erasure(vector: &Value) -> Judged {
    judged(Erasure::decode(&bytes(vector, "input")), |erasure| {
        let targets = erasure.targets.iter().map(target_of);
        json!({ "reason": erasure.reason, "targets": targets.collect::<Vec<_>>() })
    })
}

pub fn erasures() -> File {
    let target = |sequence| Target { key: PublicKey([3; 32]), sequence, id: EntryId([4; 32]), creates: sequence == 0 };
    let erasure = Erasure { reason: "含个人信息".into(), targets: vec![target(0), target(7)] };
    let whole = erasure.encode(NONCE).expect("it keeps every bound");
    let second = whole.len() - 73;
    let count = second - 75;
    let ascending = "erased entries are strictly ascending by key and sequence";
    let vectors = vec![
        good("two entries", input(&whole)),
        bad("layout 2", input(with(&whole, LAYOUT_AT, &[2])), "layout/rule/erasure-layout", "the layout is 1"),
        bad("one entry twice", input(with(&whole, second + 32, &[0])), "layout/rule/erased-entries", ascending),
        bad("keys not ascending", input(with(&whole, second, &[2])), "layout/rule/erased-entries", ascending),
        bad("no entry", input([&whole[..count], &[0, 0]].concat()), "layout/rule/erased-entries", "one entry at least"),
        bad("513 entries", input(with(&whole, count, &[1, 2])), "layout/bound/erased-entries", "at most 512 entries"),
        bad("cut", input(&whole[..whole.len() - 1]), "layout/short/erased-create", "the body is whole"),
        bad("left over", input([&whole[..], &[0]].concat()), "layout/trailing", "the body is read to its end"),
    ];
    File {
        name: "erasures",
        about: "Bodies of erasures, system kind 4. SPEC.md, section 7.3.",
        judge: judge_erasure,
        vectors,
    }
}

fn judge_acknowledgement(vector: &Value) -> Judged {
    judged(
        Acknowledgement::decode(&bytes(vector, "input")),
        |stated| json!({ "erasures": stated.erasures.iter().map(ToString::to_string).collect::<Vec<_>>() }),
    )
}

pub fn acknowledgements() -> File {
    let whole = Acknowledgement { erasures: [3, 4].map(|byte| ContentHash([byte; 32])).into() }.encode(NONCE);
    let none = Acknowledgement { erasures: [].into() }.encode(NONCE);
    let field = "layout/rule/acknowledged-erasures";
    let bound = "layout/bound/acknowledged-erasures";
    let vectors = vec![
        good("two erasures", input(&whole)),
        good("no erasure", input(none)),
        bad("layout 0", input(with(&whole, LAYOUT_AT, &[0])), "layout/rule/acknowledgement-layout", "the layout is 1"),
        bad("not ascending", input(with(&whole, 51, &[3; 32])), field, "erasures are strictly ascending"),
        bad("1,025 erasures", input(with(&whole, 17, &[1, 4])), bound, "at most 1,024 erasures"),
        bad("cut", input(&whole[..80]), "layout/short/acknowledged-erasure", "the body is whole"),
        bad("left over", input([&whole[..], &[0]].concat()), "layout/trailing", "the body is read to its end"),
    ];
    File {
        name: "acknowledgements",
        about: "Bodies of acknowledgements, system kind 5. SPEC.md, section 7.3.",
        judge: judge_acknowledgement,
        vectors,
    }
}

fn judge_proposal(vector: &Value) -> Judged {
    judged(Proposal::decode(&bytes(vector, "input")), |proposal| {
        let block = proposal.block;
        json!({ "version": block.version, "operations": block.operations.len(), "hash": block.hash().to_string() })
    })
}

pub fn proposals() -> File {
    let operations: Vec<Operation> = vec![kind_set(1, 3)];
    let block =
        Block { version: 2, previous: BlockHash([1; 32]), time_ms: FOUNDED_MS, expires_ms: EXPIRES_MS, operations };
    SignedBlock::unsigned(block.clone()).expect("the block keeps its bounds");
    let whole = Proposal { block }.encode(NONCE).expect("it is small");
    let vectors = vec![
        good("a block of one operation", input(&whole)),
        bad("layout 2", input(with(&whole, LAYOUT_AT, &[2])), "layout/rule/proposal-layout", "the layout is 1"),
        bad(
            "length too short",
            input(with(&whole, 17, &[whole[17] - 1])),
            "layout/short/operation",
            "the block is whole",
        ),
        bad("length too long", input(with(&whole, 17, &[whole[17] + 1])), "layout/short/proposed-block", "it is whole"),
        bad("left over", input([&whole[..], &[0]].concat()), "layout/trailing", "the body is read to its end"),
    ];
    File {
        name: "proposals",
        about: "Bodies of proposals, system kind 2. SPEC.md, section 7.2.",
        judge: judge_proposal,
        vectors,
    }
}

fn judge_endorsement(vector: &Value) -> Judged {
    judged(Endorsement::decode(&bytes(vector, "input")), |stated| {
        let signature = stated.signature.map(|signature| signature.to_string());
        json!({ "block": stated.block.to_string(), "key": stated.key.to_string(), "signature": signature })
    })
}

pub fn endorsements() -> File {
    let stated = |signature| Endorsement { block: BlockHash([2; 32]), key: PublicKey([3; 32]), signature };
    let whole = stated(Some(Signature([7; 64]))).encode(NONCE);
    let withdrawal = stated(None).encode(NONCE);
    let zero = "the signature of a withdrawal is zero, and no other";
    let vectors = vec![
        good("a signature, which is not verified here", input(&whole)),
        good("a withdrawal", input(&withdrawal)),
        bad("layout 2", input(with(&whole, LAYOUT_AT, &[2])), "layout/rule/endorsement-layout", "the layout is 1"),
        bad("withdrawn is 2", input(with(&whole, 81, &[2])), "layout/rule/withdrawn", "it is 0 or 1"),
        bad("withdrawal with a signature", input(with(&whole, 81, &[1])), "layout/rule/block-signature", zero),
        bad("signature of zeros", input(with(&withdrawal, 81, &[0])), "layout/rule/block-signature", zero),
        bad("cut", input(&whole[..whole.len() - 1]), "layout/short/block-signature", "the body is whole"),
        bad("left over", input([&whole[..], &[0]].concat()), "layout/trailing", "the body is read to its end"),
    ];
    File {
        name: "endorsements",
        about: "Bodies of endorsements, system kind 3. SPEC.md, section 7.2.",
        judge: judge_endorsement,
        vectors,
    }
}
