//! Layouts of the charter: applications and signed blocks.

use protocol::charter::{
    BallotRule, Block, Class, Departure, KeyGrant, Operation, Position, Purpose, PurposedKey, Role, RoleRule, Seal,
    SeatGrant, SignedApplication, SignedBlock, added_key_content,
};
use protocol::erasure::Target;
use protocol::identity::{
    BlockHash, ContentHash, Domain, EntryId, FederationId, MemberNumber, PublicKey, public_key, sign,
};
use protocol::lead_token::HolderSlot;
use protocol::sealed::ClassKey;
use protocol::testing::{EXPIRES_MS, FOUNDED_MS, Organisation};
use serde_json::{Value, json};

use crate::case::{self, File, Judged, array, bad, bytes, good, text};
use crate::leads::holder_grant;

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

/// An application of some keys, each with its proof, whatever it says.
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
    let keys = [(1, 1), (2, 2), (3, 4), (4, 3)];
    let whole = signed_application(1, name, b"500236", &keys);
    let foreign = json!({ "federation": hex::encode([8; 32]), "input": hex::encode(&whole) });
    let mut swapped = whole.clone();
    let proofs = swapped.len() - 256;
    swapped[proofs..].rotate_left(64);
    let region = "a region is six digits or empty";
    let key_rule = "one signing key, one or more transport keys, one encryption key, at most one governance key";
    let with_keys = |keys: &[(u8, u8)]| given(&signed_application(1, name, b"", keys));
    let vectors = vec![
        good("county with four keys", given(&whole)),
        good("fund without region and governance key", given(&signed_application(2, name, b"", &keys[..3]))),
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
        bad("purpose 5", with_keys(&[(1, 1), (2, 2), (5, 3)]), "layout/rule/key-purpose", "purposes are 1 to 4"),
        bad("two signing keys", with_keys(&[(1, 1), (1, 2), (2, 3), (3, 4)]), "layout/rule/keys", key_rule),
        bad("no signing key", with_keys(&[(2, 3), (3, 4)]), "layout/rule/keys", key_rule),
        bad("no transport key", with_keys(&[(1, 1), (3, 4)]), "layout/rule/keys", key_rule),
        bad("no encryption key", with_keys(&[(1, 1), (2, 2), (4, 3)]), "layout/rule/keys", key_rule),
        bad("two encryption keys", with_keys(&[(1, 1), (2, 2), (3, 3), (3, 4)]), "layout/rule/keys", key_rule),
        bad("two governance keys", with_keys(&[(1, 1), (2, 2), (3, 5), (4, 3), (4, 4)]), "layout/rule/keys", key_rule),
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

fn departure_of(departure: &Departure) -> Value {
    let seals = departure.seals.iter().map(seal_of);
    json!({ "member": departure.member.0, "reason": departure.reason, "seals": seals.collect::<Vec<_>>() })
}

fn grant_of(grant: &KeyGrant) -> Value {
    json!({
        "member": grant.member.0, "purpose": grant.key.purpose as u8, "key": grant.key.key.to_string(),
        "proof": grant.proof.to_string(),
    })
}

fn seat_of(grant: &SeatGrant) -> Value {
    json!({
        "role": grant.role as u8, "member": grant.member.0, "key": grant.key.to_string(), "person": grant.person,
        "from_ms": grant.from_ms, "until_ms": grant.until_ms,
    })
}

fn operation(operation: &Operation) -> Value {
    let mut value = match operation {
        Operation::Rules { name, threshold, ballots } => {
            json!({ "name": name, "threshold": threshold, "ballots": *ballots as u8 })
        }
        Operation::KindSet { version, hash } | Operation::DutyRules { version, hash } => {
            json!({ "version": version, "hash": hash.to_string() })
        }
        Operation::Admit { member, application: signed } => {
            json!({ "member": member.0, "application": application(signed) })
        }
        Operation::Warn { member, reason } => json!({ "member": member.0, "reason": reason }),
        Operation::Suspend(departure) | Operation::Leave(departure) | Operation::Expel(departure) => {
            departure_of(departure)
        }
        Operation::Reinstate { reason, grant } => json!({ "reason": reason, "grant": grant_of(grant) }),
        Operation::AddKey(grant) => json!({ "grant": grant_of(grant) }),
        Operation::SealKey(seal) => json!({ "seal": seal_of(seal) }),
        Operation::ReplaceKey { seal, grant } => json!({ "seal": seal_of(seal), "grant": grant_of(grant) }),
        Operation::GrantRole(grant) => seat_of(grant),
        Operation::TakeRole { seat, reason } => json!({ "seat": seat, "reason": reason }),
        Operation::RoleRule(rule) => {
            json!({ "role": rule.role as u8, "seats_max": rule.seats_max, "term_ms": rule.term_ms })
        }
        Operation::Limits { gossip_entries_per_minute } => {
            json!({ "gossip_entries_per_minute": gossip_entries_per_minute })
        }
        Operation::Reassign { from, to, reason } => json!({ "from": from.0, "to": to.0, "reason": reason }),
        Operation::Erase { reason, targets } => {
            let targets = targets.iter().map(target_of);
            json!({ "reason": reason, "targets": targets.collect::<Vec<_>>() })
        }
        Operation::ClassKey(wrapped) => {
            let holders = wrapped.wraps.iter().map(|wrap| json!([wrap.member.0, wrap.key.to_string()]));
            json!({
                "of_class": wrapped.class as u8, "version": wrapped.version,
                "key": hex::encode(wrapped.public.as_bytes()), "holders": holders.collect::<Vec<_>>(),
            })
        }
        Operation::LeadHolder(grant) => json!({
            "slot": grant.slot.number(), "member": grant.member.0, "key": grant.key.to_string(),
            "possession": hex::encode(grant.possession.encode()), "per_day": grant.evaluations_per_day,
        }),
    };
    value["operation"] = operation.name().into();
    value
}

/// A target of an erasure, as vectors show it.
pub fn target_of(target: &Target) -> Value {
    json!([target.key.to_string(), target.sequence, target.id.to_string(), target.creates])
}

/// One operation of each type; together they break rules, which a layout does not know.
fn every_operation() -> Vec<Operation> {
    let county = Organisation::new("奉节县", Class::County, 2);
    let key = PurposedKey { purpose: Purpose::Transport, key: public_key(&county.transport) };
    let member = MemberNumber(2);
    let content = added_key_content(member, &key);
    let grant = KeyGrant { member, key, proof: sign(&county.transport, Domain::Possession, &FEDERATION, &content) };
    let seal = |last| Seal { key: public_key(&county.signing), last };
    let last = Some(Position { sequence: 4, id: EntryId([7; 32]) });
    let reason = || "不履行义务".to_owned();
    let departure = || Departure { member, reason: reason(), seals: vec![seal(last)] };
    let council = SeatGrant {
        role: Role::Council,
        member,
        key: PublicKey::ZERO,
        person: "张三".into(),
        from_ms: FOUNDED_MS,
        until_ms: EXPIRES_MS,
    };
    let target =
        |sequence| Target { key: public_key(&county.signing), sequence, id: EntryId([8; 32]), creates: sequence == 0 };
    let class_key = ClassKey::new(Class::County, 1, &[1; 32]);
    let class_key = class_key.wrap(&FEDERATION, &[(member, public_key(&county.encryption))], &[2; 32]);
    vec![
        Operation::Rules { name: "测试联盟".into(), threshold: 2, ballots: BallotRule::HalfIsEnough },
        Operation::KindSet { version: 1, hash: ContentHash([3; 32]) },
        Operation::Admit { member, application: county.application(&FEDERATION) },
        Operation::Warn { member, reason: reason() },
        Operation::Suspend(departure()),
        Operation::Reinstate { reason: reason(), grant },
        Operation::Leave(departure()),
        Operation::Expel(departure()),
        Operation::Expel(Departure { member: MemberNumber(3), reason: String::new(), seals: vec![] }),
        Operation::AddKey(grant),
        Operation::SealKey(seal(last)),
        Operation::SealKey(seal(None)),
        Operation::ReplaceKey { seal: seal(None), grant },
        Operation::GrantRole(SeatGrant::registrar(member, public_key(&county.governance))),
        Operation::GrantRole(council),
        Operation::TakeRole { seat: 3, reason: reason() },
        Operation::RoleRule(RoleRule { role: Role::Council, seats_max: 15, term_ms: 3 }),
        Operation::Limits { gossip_entries_per_minute: 600 },
        Operation::DutyRules { version: 1, hash: ContentHash([4; 32]) },
        Operation::Reassign { from: MemberNumber(3), to: member, reason: reason() },
        Operation::Erase { reason: reason(), targets: vec![target(0), target(5)] },
        Operation::ClassKey(class_key.expect("the holder's key is sound")),
        Operation::LeadHolder(holder_grant(&FEDERATION, HolderSlot::Two, 2, 1)),
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

fn rules(ballots: u8) -> Vec<u8> {
    [text("联盟"), vec![1, 0, ballots]].concat()
}

fn seat(role: u8, key: u8, from_ms: u64, until_ms: u64) -> Vec<u8> {
    let times = [from_ms.to_le_bytes(), until_ms.to_le_bytes()].concat();
    [[role, 2, 0, 0, 0].as_slice(), &[key; 32], &text(""), &times].concat()
}

/// A holder of zeros, which a layout does not mind.
fn lead_holder(slot: u8, per_day: u32) -> Vec<u8> {
    [[slot].as_slice(), &[0; 4 + 32 + 96], &per_day.to_le_bytes()].concat()
}

/// An erasure of places of one key, each with what it says of a create.
fn erasure(places: &[(u64, u8)]) -> Vec<u8> {
    let target =
        |(sequence, creates): &(u64, u8)| [[1; 32].as_slice(), &sequence.to_le_bytes(), &[2; 32], &[*creates]].concat();
    let targets: Vec<Vec<u8>> = places.iter().map(target).collect();
    [text("因"), (places.len() as u16).to_le_bytes().to_vec(), targets.concat()].concat()
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
    let registrar_key = "a key belongs to a registrar's seat, and to no other";
    let places = "erased entries are strictly ascending by key and place";
    let long = [[2, 0, 0, 0].as_slice(), &text([b'a'; 1_025])].concat();
    let vectors = vec![
        good("every operation, two signatures", given(&whole)),
        good("a signature that does not hold is no signer", given(&damaged)),
        good("no operations, no signatures", given(&unsigned)),
        good("reason of two lines", given(&one(8, [[2, 0, 0, 0].as_slice(), &text("因\n由"), &[0, 0]].concat()))),
        good("seal at the highest number", given(&one(10, seal(1, 1, u64::MAX, 7)))),
        bad("layout 2", given(&raw(2, 1, 0, &[])), "layout/rule/block-layout", "the layout is 1"),
        bad("suite 2", given(&raw(1, 2, 0, &[])), "layout/rule/block-suite", "the suite is 1"),
        bad(
            "block too long",
            given(&262_145u32.to_le_bytes()),
            "layout/bound/block-length",
            "a block has at most 262,144 bytes",
        ),
        bad("1,025 operations", given(&raw(1, 1, 1_025, &[])), "layout/bound/operations", "at most 1,024 operations"),
        bad("20,001 signatures", given(&signatures(20_001)), "layout/bound/block-signatures", "at most 20,000"),
        bad("signers not ascending", given(&swapped), "layout/rule/signer", "signers are strictly ascending"),
        bad("cut", given(&whole[..end - 1]), "layout/short/block-signature", "a block is whole"),
        bad("left over", given(&[whole.as_slice(), &[0]].concat()), "layout/trailing", "a block is read to its end"),
        bad("operation 21", given(&one(21, [])), "layout/rule/operation-type", "operations are 1 to 20"),
        bad("operation 0", given(&one(0, [])), "layout/rule/operation-type", "operations are 1 to 20"),
        bad(
            "operation with bytes left over",
            given(&one(15, [1; 5])),
            "layout/trailing",
            "an operation is read to its end",
        ),
        bad(
            "operation cut",
            given(&one(15, [1; 3])),
            "layout/short/gossip-entries-per-minute",
            "an operation is whole",
        ),
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
            given(&one(8, [[2, 0, 0, 0].as_slice(), &text("因\u{202D}由"), &[0, 0]].concat())),
            "layout/text/reason",
            "a reason holds no override of direction",
        ),
        bad(
            "reason too long",
            given(&one(8, [[2, 0, 0, 0].as_slice(), &text([b'a'; 1_025]), &[0, 0]].concat())),
            "layout/bound/reason",
            "a reason has at most 1,024 bytes",
        ),
        bad(
            "seals not ascending",
            given(&one(8, expel(&[seal(2, 0, 0, 0), seal(1, 0, 0, 0)]))),
            "layout/rule/seals",
            ascending,
        ),
        bad(
            "257 seals",
            given(&one(8, [[2, 0, 0, 0, 0, 0], [1, 1, 0, 0, 0, 0]].concat())),
            "layout/bound/seals",
            "at most 256",
        ),
        bad("ballot rule 0", given(&one(1, rules(0))), "layout/rule/ballot-rule", "ballot rules are 1 and 2"),
        bad("ballot rule 3", given(&one(1, rules(3))), "layout/rule/ballot-rule", "ballot rules are 1 and 2"),
        bad(
            "warning with a reason that is too long",
            given(&one(4, long)),
            "layout/bound/reason",
            "at most 1,024 bytes",
        ),
        bad("role 7", given(&one(14, [7; 11])), "layout/rule/role", "roles are 1 to 6"),
        bad("registrar without a key", given(&one(12, seat(1, 0, 0, 0))), "layout/rule/registrar-key", registrar_key),
        bad("council with a key", given(&one(12, seat(2, 1, 0, 0))), "layout/rule/registrar-key", registrar_key),
        bad("term ends as it begins", given(&one(12, seat(2, 0, 5, 5))), "layout/rule/end-of-term", "it ends later"),
        bad("erases nothing", given(&one(18, erasure(&[]))), "layout/rule/erased-entries", "at least one entry"),
        bad(
            "erases one place twice",
            given(&one(18, erasure(&[(3, 1), (3, 1)]))),
            "layout/rule/erased-entries",
            places,
        ),
        bad(
            "erased entries not ascending",
            given(&one(18, erasure(&[(3, 1), (2, 0)]))),
            "layout/rule/erased-entries",
            places,
        ),
        bad("erased create is 2", given(&one(18, erasure(&[(3, 2)]))), "layout/rule/erased-create", "it is 0 or 1"),
        bad("513 erased entries", given(&one(18, [0, 0, 1, 2])), "layout/bound/erased-entries", "at most 512"),
        bad("reinstates with purpose 0", given(&one(6, [0; 8])), "layout/rule/key-purpose", "purposes are 1 to 4"),
        bad("class key of class 0", given(&one(19, [0; 40])), "layout/rule/class", "classes are 1 to 5"),
        bad(
            "class key without wraps",
            given(&one(19, [[1; 37].as_slice(), &[0; 2]].concat())),
            "layout/rule/class-key-wraps",
            "one holder at least",
        ),
        bad("holder in slot 0", given(&one(20, lead_holder(0, 1))), "layout/rule/holder-slot", "slots are 1 and 2"),
        bad("holder in slot 3", given(&one(20, lead_holder(3, 1))), "layout/rule/holder-slot", "slots are 1 and 2"),
        bad(
            "10,001 evaluations a day",
            given(&one(20, lead_holder(1, 10_001))),
            "layout/bound/evaluations-per-day",
            "at most 10,000",
        ),
        bad("seal accepts 2", given(&one(10, seal(1, 2, 0, 0))), "layout/rule/seal-accepts", "it is 0 or 1"),
        bad("seal of nothing with a sequence", given(&one(10, seal(1, 0, 1, 0))), "layout/rule/seal", zero),
        bad("seal of nothing with an id", given(&one(10, seal(1, 0, 0, 1))), "layout/rule/seal", zero),
    ];
    File {
        name: "blocks",
        about: "Layout of signed charter blocks. A signature that does not hold is no error of layout. SPEC.md, section 8.",
        judge: judge_block,
        vectors,
    }
}
