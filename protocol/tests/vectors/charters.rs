//! Chains of charter blocks: each rule of a block and of an operation broken once.

use ed25519_dalek::SigningKey;
use protocol::charter::{
    Application, Block, Charter, Class, Operation, Position, Purpose, PurposedKey, Seal, SignedApplication,
    SignedBlock, added_key_content,
};
use protocol::identity::{BlockHash, ContentHash, Domain, EntryId, FederationId, MemberNumber, public_key, sign};
use protocol::limits::{KEYS_PER_MEMBER_MAX, REGISTRARS_MAX};
use protocol::testing::Organisation;
use serde_json::{Value, json};

use crate::case::{self, File, Judged, Vector, bad, good, unhex};
use crate::roster::{self, World, genesis, signed};

fn judge(vector: &Value) -> Judged {
    match build(vector["input"].as_array().expect("a list of blocks")) {
        Ok(charter) => ("ok".into(), Some(roster::decoded(&charter))),
        Err(verdict) => (verdict, None),
    }
}

/// The charter of a list of blocks in hexadecimal text, or the stable name of the first broken rule.
pub fn build(blocks: &[Value]) -> Result<Charter, String> {
    let mut charter: Option<Charter> = None;
    for block in blocks {
        let block = SignedBlock::decode(&unhex(block)).map_err(|error| case::layout(&error))?;
        match &mut charter {
            None => charter = Some(Charter::genesis(block).map_err(|error| roster::error(&error))?),
            Some(charter) => {
                charter.append(block).map_err(|error| roster::error(&error))?;
            }
        }
    }
    Ok(charter.expect("a charter has blocks"))
}

/// The blocks of a charter and some more after them.
pub fn given<'a>(blocks: impl IntoIterator<Item = &'a SignedBlock>) -> Value {
    json!({ "input": blocks.into_iter().map(|block| hex::encode(block.encode())).collect::<Vec<_>>() })
}

fn after(world: &World, block: &SignedBlock) -> Value {
    given(world.charter.blocks().iter().chain([block]))
}

fn operations(world: &World, operations: Vec<Operation>) -> Value {
    after(world, &world.next(operations))
}

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

pub fn add_key(charter: &Charter, member: u32, purpose: Purpose, key: &SigningKey) -> Operation {
    let (member, purposed) = (MemberNumber(member), PurposedKey { purpose, key: public_key(key) });
    let content = added_key_content(member, &purposed);
    Operation::AddKey { member, key: purposed, proof: sign(key, Domain::Possession, &charter.federation(), &content) }
}

pub fn seal_key(key: &SigningKey, last: Option<Position>) -> Operation {
    Operation::SealKey(Seal { key: public_key(key), last })
}

fn admit(world: &World, number: u32, organisation: &Organisation) -> Operation {
    let application = organisation.application(&world.charter.federation());
    Operation::Admit { member: MemberNumber(number), application }
}

fn expel(number: u32, seals: &[&SigningKey]) -> Operation {
    let seals = seals.iter().map(|key| Seal { key: public_key(key), last: None }).collect();
    Operation::Expel { member: MemberNumber(number), reason: "不履行义务".into(), seals }
}

fn chains() -> Vec<Vector> {
    let world = World::new();
    let members = &world.members;
    let zero = FederationId::ZERO;
    let both = [&members[0], &members[1]];
    let first = || genesis(members);
    let alone = |block| given([&signed(block, &both, &zero)]);
    let next = |change: fn(&mut Block)| {
        let mut block = world.charter.next_block(0, u64::MAX, vec![]);
        change(&mut block);
        after(&world, &world.sign(block))
    };
    let next_block = world.charter.next_block(0, u64::MAX, vec![]);
    let tip = world.next(vec![]);
    let rules = vec![Operation::Rules { name: "另一个".into(), threshold: 2 }];
    let rival = world.next(rules.clone());
    let mut other_genesis = first();
    other_genesis.expires_ms += 1;
    let other_genesis = signed(other_genesis, &both, &zero);
    let threshold = "as many registrars of the block before sign as the threshold of that block says";
    vec![
        good("genesis of three members", given(world.charter.blocks())),
        good("a block without operations", after(&world, &tip)),
        good("the same block twice", given(world.charter.blocks().iter().chain([&tip, &tip]))),
        bad(
            "begins with block 2",
            given([&world.next(vec![])]),
            "charter/not-genesis",
            "a chain begins with version 1",
        ),
        bad(
            "genesis with a predecessor",
            alone(Block { previous: BlockHash([1; 32]), ..first() }),
            "charter/not-genesis",
            "the genesis block names no predecessor",
        ),
        bad(
            "genesis expires as it begins",
            alone(Block { expires_ms: first().time_ms, ..first() }),
            "charter/time",
            "the genesis block expires later than it was made",
        ),
        bad(
            "genesis expires before it begins, and names no registrars",
            alone(Block { expires_ms: first().time_ms - 1, operations: vec![], ..first() }),
            "charter/time",
            "the times of the genesis block come before its operations",
        ),
        bad(
            "genesis without registrars",
            alone(Block { operations: first().operations[..4].to_vec(), ..first() }),
            "charter/registrars",
            "a block leaves at least as many registrars as the threshold, and one or more of both",
        ),
        bad(
            "genesis signed by one of two",
            given([&signed(first(), &[&members[0]], &zero)]),
            "charter/threshold",
            "the registrars that the genesis block names sign it",
        ),
        bad(
            "genesis with proofs for another federation",
            alone(Block {
                operations: vec![Operation::Admit {
                    member: MemberNumber(1),
                    application: members[0].application(&FederationId([1; 32])),
                }],
                ..first()
            }),
            "charter/admit/possession",
            "proofs of possession in the genesis block name the zero federation",
        ),
        bad("block 3 after block 1", next(|block| block.version = 3), "charter/gap", "versions have no gap"),
        bad("version 0", next(|block| block.version = 0), "charter/gap", "versions begin with 1"),
        bad("another genesis", after(&world, &other_genesis), "charter/not-genesis", "there is one genesis block"),
        bad(
            "another predecessor",
            next(|block| block.previous = BlockHash([1; 32])),
            "charter/predecessor",
            "a block names the tip as its predecessor",
        ),
        bad("before its predecessor", next(|block| block.time_ms -= 1), "charter/time", "times never decrease"),
        bad("expires as it begins", next(|block| block.expires_ms = block.time_ms), "charter/time", "it expires later"),
        bad(
            "one registrar of two",
            after(&world, &signed(next_block.clone(), &[&members[0]], &world.charter.federation())),
            "charter/threshold",
            threshold,
        ),
        bad(
            "a registrar and another member",
            after(&world, &signed(next_block.clone(), &[&members[0], &members[2]], &world.charter.federation())),
            "charter/threshold",
            threshold,
        ),
        bad(
            "signed for the zero federation",
            after(&world, &signed(next_block, &both, &zero)),
            "charter/threshold",
            "only the genesis block is signed for the zero federation",
        ),
        bad(
            "two valid blocks of one version",
            given(world.charter.blocks().iter().chain([&tip, &rival])),
            "charter/equivocation",
            "registrars sign one block of each version",
        ),
        bad(
            "a second block of one version, signed by one",
            given(world.charter.blocks().iter().chain([&tip, &{
                let block = world.charter.next_block(0, u64::MAX, rules);
                signed(block, &[&members[0]], &world.charter.federation())
            }])),
            "charter/threshold",
            threshold,
        ),
        bad(
            "threshold 0",
            operations(&world, vec![Operation::Rules { name: "零".into(), threshold: 0 }]),
            "charter/registrars",
            "the threshold is not 0",
        ),
        bad(
            "threshold above the registrars",
            operations(&world, vec![Operation::Rules { name: "三".into(), threshold: 3 }]),
            "charter/registrars",
            "a block leaves at least as many registrars as the threshold",
        ),
        bad(
            "a registrar's key is sealed",
            operations(&world, vec![seal_key(&members[0].governance, None)]),
            "charter/registrars",
            "sealing a registrar's key takes the office",
        ),
    ]
}

/// A seal's last entry.
fn highest(sequence: u64) -> Option<Position> {
    Some(Position { sequence, id: EntryId([7; 32]) })
}

fn kept() -> Vec<Vector> {
    let mut world = World::new();
    let county = world.members[1].clone();
    let last = Some(Position { sequence: 4, id: EntryId([7; 32]) });
    let newcomer = Organisation::new("夏邑县", Class::County, 4);
    world.append(vec![
        admit(&world, 4, &newcomer),
        Operation::KindSet { version: 1, hash: ContentHash([3; 32]) },
        Operation::KindSet { version: 1, hash: ContentHash([3; 32]) },
    ]);
    let renewed = [
        seal_key(&county.signing, last),
        add_key(&world.charter, 2, Purpose::Signing, &key(50)),
        add_key(&world.charter, 2, Purpose::Transport, &key(51)),
        seal_key(&county.transport, None),
    ];
    world.append(renewed.to_vec());
    world.append(vec![seal_key(&county.signing, None), expel(4, &[&newcomer.signing])]);
    let governance = public_key(&world.members[2].governance);
    world.append(vec![
        Operation::AddRegistrar { member: MemberNumber(3), key: governance },
        Operation::RemoveRegistrar { key: public_key(&county.governance) },
    ]);
    let (mut held_by_one, second) = (World::new(), key(52));
    let first = held_by_one.members[0].clone();
    held_by_one.append(vec![
        add_key(&held_by_one.charter, 1, Purpose::Governance, &second),
        Operation::AddRegistrar { member: MemberNumber(1), key: public_key(&second) },
    ]);
    let mut by_one_member = held_by_one.charter.next_block(0, u64::MAX, vec![]);
    by_one_member.operations.push(seal_key(&county.signing, highest(u64::MAX - 1)));
    let mut by_one_member = signed(by_one_member, &[&first], &held_by_one.charter.federation());
    by_one_member.sign(&second, &held_by_one.charter.federation());
    let expelled = world.members[1].clone();
    let by_new_registrars = signed(
        world.charter.next_block(0, u64::MAX, vec![expel(2, &[&key(50)])]),
        &[&world.members[0], &world.members[2]],
        &world.charter.federation(),
    );
    let by_old_registrars = signed(
        world.charter.next_block(0, u64::MAX, vec![]),
        &[&world.members[0], &expelled],
        &world.charter.federation(),
    );
    vec![
        good("every operation", after(&world, &by_new_registrars)),
        good("one member holds as many offices as the threshold says", after(&held_by_one, &by_one_member)),
        bad(
            "signed by a registrar who no longer is one",
            after(&world, &by_old_registrars),
            "charter/threshold",
            "the registrars of the block before sign",
        ),
    ]
}

fn broken_operations() -> Vec<Vector> {
    let mut world = World::new();
    let newcomer = Organisation::new("夏邑县", Class::County, 4);
    let [secretariat, county, fund] = world.members.clone();
    world.append(vec![Operation::KindSet { version: 1, hash: ContentHash([3; 32]) }, expel(3, &[&fund.signing])]);
    let world = &world;
    let case = |name: &str, list: Vec<Operation>, verdict: &str, rule| {
        bad(name, operations(world, list), format!("charter/{verdict}"), rule)
    };
    let foreign = Operation::Admit { member: MemberNumber(4), application: newcomer.application(&FederationId::ZERO) };
    let mut application = newcomer.application(&world.charter.federation()).application;
    application.keys[1].key = public_key(&county.transport);
    let borrowed = prove(application, &world.charter, &[&newcomer.signing, &county.transport, &newcomer.governance]);
    let mut unproven = add_key(&world.charter, 2, Purpose::Transport, &key(51));
    if let Operation::AddKey { member, .. } = &mut unproven {
        *member = MemberNumber(1);
    }
    let last = Some(Position { sequence: 4, id: EntryId([7; 32]) });
    let registrar =
        |member, key: &SigningKey| Operation::AddRegistrar { member: MemberNumber(member), key: public_key(key) };
    let many = |purpose: Purpose, count: usize| -> Vec<SigningKey> {
        let seed = |index: usize| *blake3::hash(format!("vector key {} {index}", purpose.name()).as_bytes()).as_bytes();
        (0..count).map(|index| SigningKey::from_bytes(&seed(index))).collect()
    };
    let grants = |purpose, keys: &[SigningKey]| -> Vec<Operation> {
        keys.iter().map(|key| add_key(&world.charter, 2, purpose, key)).collect()
    };
    let office = many(Purpose::Governance, REGISTRARS_MAX - 1);
    let offices = office.iter().map(|key| registrar(2, key));
    let seals = "an expulsion seals each unsealed signing key of the member, and no other";
    vec![
        case(
            "kind set number with another hash",
            vec![Operation::KindSet { version: 1, hash: ContentHash([4; 32]) }],
            "kind-set/number-used",
            "a kind set number is never used for another hash",
        ),
        case("number skipped", vec![admit(world, 5, &newcomer)], "admit/number-order", "numbers follow admissions"),
        case("number used", vec![admit(world, 3, &newcomer)], "admit/number-order", "numbers are never used again"),
        case("proofs for another federation", vec![foreign], "admit/possession", "proofs are for this federation"),
        case(
            "a key of another member",
            vec![Operation::Admit { member: MemberNumber(4), application: borrowed }],
            "admit/key-used",
            "a key belongs to one member and one purpose, for ever",
        ),
        case("expels nobody", vec![expel(9, &[])], "expel/no-member", "there is such a member"),
        case("expels again", vec![expel(3, &[])], "expel/expelled", "the member is not expelled"),
        case("expels without a seal", vec![expel(2, &[])], "expel/seals", seals),
        case("expels with another's seal", vec![expel(2, &[&secretariat.signing])], "expel/seals", seals),
        case("key did not sign for this member", vec![unproven], "add-key/possession", "the key signs its addition"),
        case(
            "key of an expelled member",
            vec![add_key(&world.charter, 3, Purpose::Transport, &key(51))],
            "add-key/expelled",
            "the member is not expelled",
        ),
        case(
            "key of nobody",
            vec![add_key(&world.charter, 9, Purpose::Transport, &key(51))],
            "add-key/no-member",
            "there is such a member",
        ),
        case(
            "second signing key",
            vec![add_key(&world.charter, 2, Purpose::Signing, &key(51))],
            "add-key/open-log",
            "a member has one unsealed signing key at a time",
        ),
        case(
            "sealed key returns",
            vec![add_key(&world.charter, 1, Purpose::Signing, &fund.signing)],
            "add-key/key-used",
            "a key belongs to one member and one purpose, for ever",
        ),
        case(
            "too many keys",
            grants(Purpose::Transport, &many(Purpose::Transport, KEYS_PER_MEMBER_MAX - 2)),
            "add-key/too-many-keys",
            "a member has at most 256 keys over its whole life",
        ),
        case(
            "seal at the highest number",
            vec![seal_key(&county.signing, highest(u64::MAX))],
            "seal-key/seal-sequence",
            "a seal's sequence is below 2^64 - 1",
        ),
        case(
            "seal of an unknown key at the highest number",
            vec![seal_key(&key(51), highest(u64::MAX))],
            "seal-key/seal-sequence",
            "the sequence comes before the key",
        ),
        case(
            "expels with a seal at the highest number",
            vec![Operation::Expel {
                member: MemberNumber(2),
                reason: String::new(),
                seals: vec![Seal { key: public_key(&county.signing), last: highest(u64::MAX) }],
            }],
            "expel/seal-sequence",
            "a seal's sequence is below 2^64 - 1",
        ),
        case("seals an unknown key", vec![seal_key(&key(51), None)], "seal-key/unknown-key", "the key was granted"),
        case(
            "seal of a transport key names an entry",
            vec![seal_key(&county.transport, last)],
            "seal-key/seal-without-log",
            "only a signing key's seal names an entry",
        ),
        case(
            "registrar with a signing key",
            vec![registrar(2, &county.signing)],
            "add-registrar/not-governance",
            "a registrar's key is a governance key of that member",
        ),
        case(
            "registrar with another's key",
            vec![registrar(1, &county.governance)],
            "add-registrar/not-governance",
            "a registrar's key is a governance key of that member",
        ),
        case(
            "registrar with the key of an expelled member",
            vec![registrar(3, &fund.governance)],
            "add-registrar/not-governance",
            "a registrar's key is not sealed",
        ),
        case(
            "too many registrars",
            grants(Purpose::Governance, &office).into_iter().chain(offices).collect(),
            "add-registrar/too-many-registrars",
            "there are at most 64 registrars",
        ),
        case(
            "takes the office from nobody",
            vec![Operation::RemoveRegistrar { key: public_key(&fund.governance) }],
            "remove-registrar/not-registrar",
            "the key is a registrar's",
        ),
    ]
}

fn prove(application: Application, charter: &Charter, keys: &[&SigningKey]) -> SignedApplication {
    let content = application.encode();
    let proof = |key: &&SigningKey| sign(key, Domain::Possession, &charter.federation(), &content);
    SignedApplication { proofs: keys.iter().map(proof).collect(), application }
}

pub fn file() -> File {
    let vectors = [chains(), kept(), broken_operations()].into_iter().flatten().collect();
    File {
        name: "charters",
        about: "Chains of signed charter blocks; the verdict is that of the first block that is refused. \
                The bound of 20,000 members is not broken here. SPEC.md, section 8.",
        judge,
        vectors,
    }
}
