//! Layouts of the charter: applications and signed blocks.

use protocol::charter::{Block, Class, Operation, Position, Purpose, Seal, SignedApplication, SignedBlock};
use protocol::identity::{BlockHash, ContentHash, Domain, EntryId, FederationId, MemberNumber, public_key, sign};
use protocol::testing::{EXPIRES_MS, FOUNDED_MS, Organisation};
use serde_json::{Value, json};

use crate::case::{self, File, Judged, array, bad, bytes, good, text};

const FEDERATION: FederationId = FederationId([9; 32]);

fn judge_application(vector: &Value) -> Judged {
    let signed = match SignedApplication::decode(&bytes(vector, "input")) {
        Ok(signed) => signed,
        Err(error) => return (case::layout(&error), None),
    };
    if signed.unproven_key(&FederationId(array(vector, "federation"))).is_some() {
        return ("application/possession".into(), None);
    }
    ("ok".into(), Some(application(&signed)))
}

fn application(signed: &SignedApplication) -> Value {
    let content = &signed.application;
    let keys = content.keys.iter().map(|key| json!({ "purpose": key.purpose as u8, "key": key.key.to_string() }));
    json!({
        "class": content.class as u8, "name": content.name, "region": content.region,
        "keys": keys.collect::<Vec<_>>(), "fingerprint": content.fingerprint(),
        "proofs": signed.proofs.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

/// An application of two keys or so, each with its proof, whatever it says.
fn signed_application(class: u8, name: &[u8], region: &[u8], keys: &[(u8, u8)]) -> Vec<u8> {
    let mut out = [[class].as_slice(), &text(name), &text(region), &(keys.len() as u16).to_le_bytes()].concat();
    let key = |seed: u8| ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
    for (purpose, seed) in keys {
        out.push(*purpose);
        out.extend_from_slice(public_key(&key(*seed)).as_bytes());
    }
    let content = out.clone();
    for (_, seed) in keys {
        out.extend_from_slice(sign(&key(*seed), Domain::Possession, &FEDERATION, &content).as_bytes());
    }
    out
}

pub fn applications() -> File {
    let given = |bytes: &[u8]| json!({ "federation": FEDERATION.to_string(), "input": hex::encode(bytes) });
    let name = "奉节县".as_bytes();
    let keys = [(1, 1), (2, 2), (4, 3)];
    let whole = signed_application(1, name, b"500236", &keys);
    let foreign = json!({ "federation": hex::encode([8; 32]), "input": hex::encode(&whole) });
    let mut swapped = whole.clone();
    let proofs = swapped.len() - 192;
    swapped[proofs..].rotate_left(64);
    let region = "a region is six digits or empty";
    let key_rule = "one signing key, one or more transport keys, at most one governance key";
    let with_keys = |keys: &[(u8, u8)]| given(&signed_application(1, name, b"", keys));
    let vectors = vec![
        good("county with three keys", given(&whole)),
        good("fund without region and governance key", given(&signed_application(2, name, b"", &keys[..2]))),
        bad("class 6", given(&signed_application(6, name, b"", &keys)), "layout/rule/class", "classes are 1 to 5"),
        bad(
            "no name",
            given(&signed_application(1, b"", b"", &keys)),
            "layout/text/member-name",
            "a name is not empty",
        ),
        bad(
            "name too long",
            given(&signed_application(1, &[b'a'; 257], b"", &keys)),
            "layout/bound/member-name",
            "a name has at most 256 bytes",
        ),
        bad(
            "name of two lines",
            given(&signed_application(1, "奉节县\n秘书处".as_bytes(), b"", &keys)),
            "layout/text/member-name",
            "a name is one line: no tab and no line feed",
        ),
        bad(
            "name with a tab",
            given(&signed_application(1, b"a\tb", b"", &keys)),
            "layout/text/member-name",
            "a name is one line: no tab and no line feed",
        ),
        bad(
            "name with U+202E",
            given(&signed_application(1, "奉\u{202E}节县".as_bytes(), b"", &keys)),
            "layout/text/member-name",
            "a name holds no override of direction",
        ),
        bad("five digits", given(&signed_application(1, name, b"50023", &keys)), "layout/rule/region", region),
        bad("letters", given(&signed_application(1, name, b"50023a", &keys)), "layout/rule/region", region),
        bad("seven digits", given(&signed_application(1, name, b"5002361", &keys)), "layout/bound/region", region),
        bad("purpose 3", with_keys(&[(1, 1), (2, 2), (3, 3)]), "layout/rule/key-purpose", "purposes are 1, 2 and 4"),
        bad("two signing keys", with_keys(&[(1, 1), (1, 2), (2, 3)]), "layout/rule/keys", key_rule),
        bad("no signing key", with_keys(&[(2, 3)]), "layout/rule/keys", key_rule),
        bad("no transport key", with_keys(&[(1, 1)]), "layout/rule/keys", key_rule),
        bad("two governance keys", with_keys(&[(1, 1), (2, 2), (4, 3), (4, 4)]), "layout/rule/keys", key_rule),
        bad("one proof too few", given(&whole[..whole.len() - 64]), "layout/short/proof-of-possession", "one per key"),
        bad("left over", given(&[whole.as_slice(), &[0]].concat()), "layout/trailing", "it is read to its end"),
        bad("proofs in another order", given(&swapped), "application/possession", "each key signed the application"),
        bad("another federation", foreign, "application/possession", "the proofs are for this federation"),
    ];
    File {
        name: "applications",
        about: "Applications with proofs of possession. SPEC.md, section 8.",
        judge: judge_application,
        vectors,
    }
}

fn judge_block(vector: &Value) -> Judged {
    let signed = match SignedBlock::decode(&bytes(vector, "input")) {
        Ok(signed) => signed,
        Err(error) => return (case::layout(&error), None),
    };
    let signers = signed.signers(&FederationId(array(vector, "federation")));
    let block = signed.block();
    let decoded = json!({
        "version": block.version, "previous": block.previous.to_string(), "time_ms": block.time_ms,
        "expires_ms": block.expires_ms, "hash": signed.hash().to_string(),
        "operations": block.operations.iter().map(operation).collect::<Vec<_>>(),
        "signers": signers.iter().map(ToString::to_string).collect::<Vec<_>>(),
    });
    ("ok".into(), Some(decoded))
}

fn seal_of(seal: &Seal) -> Value {
    let last = seal.last.map(|last| json!({ "sequence": last.sequence, "id": last.id.to_string() }));
    json!({ "key": seal.key.to_string(), "last": last })
}

fn operation(operation: &Operation) -> Value {
    let mut value = match operation {
        Operation::Rules { name, threshold } => json!({ "name": name, "threshold": threshold }),
        Operation::KindSet { version, hash } => json!({ "version": version, "hash": hash.to_string() }),
        Operation::Admit { member, application: signed } => {
            json!({ "member": member.0, "application": application(signed) })
        }
        Operation::Expel { member, reason, seals } => {
            json!({ "member": member.0, "reason": reason, "seals": seals.iter().map(seal_of).collect::<Vec<_>>() })
        }
        Operation::AddKey { member, key, proof } => json!({
            "member": member.0, "purpose": key.purpose as u8, "key": key.key.to_string(), "proof": proof.to_string(),
        }),
        Operation::SealKey(seal) => json!({ "seal": seal_of(seal) }),
        Operation::AddRegistrar { member, key } => json!({ "member": member.0, "key": key.to_string() }),
        Operation::RemoveRegistrar { key } => json!({ "key": key.to_string() }),
    };
    value["operation"] = operation.name().into();
    value
}

/// One operation of each type; together they break rules, which a layout does not know.
fn every_operation() -> Vec<Operation> {
    let county = Organisation::new("奉节县", Class::County, 2);
    let key = protocol::charter::PurposedKey { purpose: Purpose::Transport, key: public_key(&county.transport) };
    let content = protocol::charter::added_key_content(MemberNumber(2), &key);
    let seal = |last| Seal { key: public_key(&county.signing), last };
    let last = Some(Position { sequence: 4, id: EntryId([7; 32]) });
    let governance = public_key(&county.governance);
    vec![
        Operation::Rules { name: "测试联盟".into(), threshold: 2 },
        Operation::KindSet { version: 1, hash: ContentHash([3; 32]) },
        Operation::Admit { member: MemberNumber(2), application: county.application(&FEDERATION) },
        Operation::Expel { member: MemberNumber(2), reason: "不履行义务".into(), seals: vec![seal(last)] },
        Operation::Expel { member: MemberNumber(3), reason: String::new(), seals: vec![] },
        Operation::AddKey {
            member: MemberNumber(2),
            key,
            proof: sign(&county.transport, Domain::Possession, &FEDERATION, &content),
        },
        Operation::SealKey(seal(last)),
        Operation::SealKey(seal(None)),
        Operation::AddRegistrar { member: MemberNumber(2), key: governance },
        Operation::RemoveRegistrar { key: governance },
    ]
}

fn block(operations: Vec<Operation>) -> Block {
    Block { version: 2, previous: BlockHash([1; 32]), time_ms: FOUNDED_MS, expires_ms: EXPIRES_MS, operations }
}

/// A block of raw operations behind its length, without signatures.
fn raw(layout: u8, suite: u8, count: u16, operations: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let fixed = &block(vec![]).encode()[2..54];
    let mut out = [&[layout, suite], fixed, &count.to_le_bytes()].concat();
    for (number, bytes) in operations {
        out.extend_from_slice(&number.to_le_bytes());
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out.extend_from_slice(bytes);
    }
    let length = (out.len() as u32).to_le_bytes();
    [length.as_slice(), &out, &[0, 0]].concat()
}

fn one(number: u16, bytes: impl Into<Vec<u8>>) -> Vec<u8> {
    raw(1, 1, 1, &[(number, bytes.into())])
}

fn seal(key: u8, accepts: u8, sequence: u64, id: u8) -> Vec<u8> {
    [[key; 32].as_slice(), &[accepts], &sequence.to_le_bytes(), &[id; 32]].concat()
}

fn expel(seals: &[Vec<u8>]) -> Vec<u8> {
    [[2, 0, 0, 0].as_slice(), &text("因"), &(seals.len() as u16).to_le_bytes(), &seals.concat()].concat()
}

pub fn blocks() -> File {
    let given = |bytes: &[u8]| json!({ "federation": FEDERATION.to_string(), "input": hex::encode(bytes) });
    let registrars = [1, 2].map(|seed| Organisation::new("登记人", Class::Agency, seed).governance);
    let mut signed = SignedBlock::unsigned(block(every_operation())).expect("the block keeps its bounds");
    registrars.iter().for_each(|key| signed.sign(key, &FEDERATION));
    let whole = signed.encode();
    let end = whole.len();
    let mut swapped = whole.clone();
    swapped[end - 192..].rotate_left(96);
    let mut damaged = whole.clone();
    damaged[end - 1] ^= 1;
    let unsigned = raw(1, 1, 0, &[]);
    let signatures = |count: u16| [&unsigned[..unsigned.len() - 2], &count.to_le_bytes()].concat();
    let ascending = "seals are in strictly ascending order of key";
    let zero = "sequence and id of a seal that accepts nothing are zero";
    let vectors = vec![
        good("every operation, two signatures", given(&whole)),
        good("a signature that does not hold is no signer", given(&damaged)),
        good("no operations, no signatures", given(&unsigned)),
        good("reason of two lines", given(&one(4, [[2, 0, 0, 0].as_slice(), &text("因\n由"), &[0, 0]].concat()))),
        good("seal at the highest number", given(&one(6, seal(1, 1, u64::MAX, 7)))),
        bad("layout 2", given(&raw(2, 1, 0, &[])), "layout/rule/block-layout", "the layout is 1"),
        bad("suite 2", given(&raw(1, 2, 0, &[])), "layout/rule/block-suite", "the suite is 1"),
        bad(
            "block too long",
            given(&262_145u32.to_le_bytes()),
            "layout/bound/block-length",
            "a block has at most 262,144 bytes",
        ),
        bad("1,025 operations", given(&raw(1, 1, 1_025, &[])), "layout/bound/operations", "at most 1,024 operations"),
        bad("257 signatures", given(&signatures(257)), "layout/bound/block-signatures", "at most 256 signatures"),
        bad("signers not ascending", given(&swapped), "layout/rule/signer", "signers are strictly ascending"),
        bad("cut", given(&whole[..end - 1]), "layout/short/block-signature", "a block is whole"),
        bad("left over", given(&[whole.as_slice(), &[0]].concat()), "layout/trailing", "a block is read to its end"),
        bad("operation 9", given(&one(9, [])), "layout/rule/operation-type", "operations are 1 to 8"),
        bad("operation 0", given(&one(0, [])), "layout/rule/operation-type", "operations are 1 to 8"),
        bad(
            "operation with bytes left over",
            given(&one(8, [1; 33])),
            "layout/trailing",
            "an operation is read to its end",
        ),
        bad("operation cut", given(&one(8, [1; 31])), "layout/short/key", "an operation is whole"),
        bad(
            "federation without a name",
            given(&one(1, [0, 0, 1, 0])),
            "layout/text/federation-name",
            "a name is not empty",
        ),
        bad(
            "federation with a name of two lines",
            given(&one(1, [text("测试\n联盟"), vec![1, 0]].concat())),
            "layout/text/federation-name",
            "a name is one line: no tab and no line feed",
        ),
        bad(
            "federation with U+2067 in its name",
            given(&one(1, [text("测试\u{2067}联盟"), vec![1, 0]].concat())),
            "layout/text/federation-name",
            "a name holds no override of direction",
        ),
        bad(
            "reason with U+202D",
            given(&one(4, [[2, 0, 0, 0].as_slice(), &text("因\u{202D}由"), &[0, 0]].concat())),
            "layout/text/reason",
            "a reason holds no override of direction",
        ),
        bad(
            "reason too long",
            given(&one(4, [[2, 0, 0, 0].as_slice(), &text([b'a'; 1_025]), &[0, 0]].concat())),
            "layout/bound/reason",
            "a reason has at most 1,024 bytes",
        ),
        bad(
            "seals not ascending",
            given(&one(4, expel(&[seal(2, 0, 0, 0), seal(1, 0, 0, 0)]))),
            "layout/rule/seals",
            ascending,
        ),
        bad(
            "257 seals",
            given(&one(4, [[2, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0]].concat())),
            "layout/bound/seals",
            "at most 256",
        ),
        bad("seal accepts 2", given(&one(6, seal(1, 2, 0, 0))), "layout/rule/seal-accepts", "it is 0 or 1"),
        bad("seal of nothing with a sequence", given(&one(6, seal(1, 0, 1, 0))), "layout/rule/seal", zero),
        bad("seal of nothing with an id", given(&one(6, seal(1, 0, 0, 1))), "layout/rule/seal", zero),
    ];
    File {
        name: "blocks",
        about: "Layout of signed charter blocks. A signature that does not hold is no error of layout. SPEC.md, section 8.",
        judge: judge_block,
        vectors,
    }
}
