//! Chains of charter blocks: each rule of a block broken once, and what blocks add up to.

use protocol::charter::{Appended, BallotRule, Block, Charter, Class, Operation, Purpose, SignedBlock};
use protocol::identity::{BlockHash, EntryId, FederationId, MemberNumber};
use protocol::lead_token::{HolderGrant, HolderSlot};
use protocol::sealed::ClassKey;
use protocol::testing::Organisation;
use serde_json::{Value, json};

use crate::acts::{
    add_key, admit, council, council_rule, departure, duty_rules, erase, expel, highest, key, kind_set, reassign,
    registrar, reinstate, replace_key, seal_key, take_role, target, warn,
};
use crate::case::{self, File, Judged, Vector, bad, good, unhex};
use crate::leads::holder_grant;
use crate::refusals;
use crate::roster::{self, World, genesis, rules, signed};

fn judge(vector: &Value) -> Judged {
    let pins = vector["pins"].as_array().cloned().unwrap_or_default();
    match build_pinned(vector["input"].as_array().expect("a list of blocks"), &pins) {
        Ok(charter) => ("ok".into(), Some(roster::decoded(&charter))),
        Err(verdict) => (verdict, None),
    }
}

/// The charter of a list of blocks in hexadecimal text, or the stable name of the first broken rule.
pub fn build(blocks: &[Value]) -> Result<Charter, String> {
    build_pinned(blocks, &[])
}

/// The same for a reader who is bound to blocks, each named by version and hash.
fn build_pinned(blocks: &[Value], pins: &[Value]) -> Result<Charter, String> {
    let mut charter: Option<Charter> = None;
    for block in blocks {
        let block = SignedBlock::decode(&unhex(block)).map_err(|error| case::layout(&error))?;
        match &mut charter {
            None => {
                let mut begun = Charter::genesis(block).map_err(|error| roster::error(&error))?;
                for pin in pins {
                    let version = pin[0].as_u64().and_then(|version| u32::try_from(version).ok()).expect("a version");
                    let hash = pin[1].as_str().and_then(|hash| hash.parse().ok()).expect("a hash");
                    begun.pin(version, hash).expect("nothing else is held");
                }
                charter = Some(begun);
            }
            Some(charter) => next(charter, block)?,
        }
    }
    Ok(charter.expect("a charter has blocks"))
}

/// Appends a block; the proof that registrars contradicted themselves is a broken rule here.
pub fn next(charter: &mut Charter, block: SignedBlock) -> Result<(), String> {
    match charter.append(block).map_err(|error| roster::error(&error))? {
        Appended::New | Appended::Known => Ok(()),
        Appended::Rival => Err("charter/equivocation".into()),
    }
}

/// The blocks of a charter and some more after them.
pub fn given<'a>(blocks: impl IntoIterator<Item = &'a SignedBlock>) -> Value {
    json!({ "input": blocks.into_iter().map(|block| hex::encode(block.encode())).collect::<Vec<_>>() })
}

fn after(world: &World, block: &SignedBlock) -> Value {
    given(world.charter.blocks().iter().chain([block]))
}

pub fn operations(world: &World, operations: Vec<Operation>) -> Value {
    after(world, &world.next(operations))
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
    let other = vec![rules("另一个", 2)];
    let rival = world.next(other.clone());
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
                let block = world.charter.next_block(0, u64::MAX, other);
                signed(block, &[&members[0]], &world.charter.federation())
            }])),
            "charter/threshold",
            threshold,
        ),
        bad("threshold 0", operations(&world, vec![rules("零", 0)]), "charter/registrars", "the threshold is not 0"),
        bad(
            "threshold above the registrars",
            operations(&world, vec![rules("三", 3)]),
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

/// Two blocks of one version, and blocks that are not the pinned one.
fn rivals() -> Vec<Vector> {
    let world = World::new();
    let tip = world.next(vec![]);
    let second = |block: Block| given(world.charter.blocks().iter().chain([&tip, &world.sign(block)]));
    let early = Block { time_ms: world.charter.tip_block().time_ms - 1, ..world.unsigned(vec![]) };
    let pins = |block: &SignedBlock, pinned: &SignedBlock| {
        let mut given = after(&world, block);
        given["pins"] = json!([[2, pinned.hash().to_string()]]);
        given
    };
    let other = world.next(vec![kind_set(1, 3)]);
    vec![
        bad(
            "a second block that is dated before its predecessor",
            second(early),
            "charter/time",
            "times never decrease",
        ),
        bad(
            "a second block that cannot be carried out",
            second(world.unsigned(vec![warn(9)])),
            "charter/warn/no-member",
            "a rival keeps every rule, those of its content too",
        ),
        bad(
            "a third block of one version",
            given(world.charter.blocks().iter().chain([&tip, &other, &world.next(vec![kind_set(1, 4)])])),
            "charter/equivocation",
            "registrars sign one block of each version",
        ),
        good("the pinned block", pins(&tip, &tip)),
        bad(
            "another block than the pinned one",
            pins(&tip, &other),
            "charter/pinned",
            "a pin names the block to follow",
        ),
    ]
}

/// A federation of five, four of whom have a vote.
fn assembly(ballots: BallotRule) -> (World, [Organisation; 2]) {
    let mut world = World::new();
    let more = [Organisation::new("夏邑县", Class::County, 4), Organisation::new("律师事务所", Class::Agency, 5)];
    let rules = Operation::Rules { name: "测试联盟".into(), threshold: 2, ballots };
    world.append(vec![rules, admit(&world, 4, &more[0]), admit(&world, 5, &more[1])]);
    (world, more)
}

fn ballots() -> Vec<Vector> {
    let (mut world, more) = assembly(BallotRule::MoreThanHalf);
    let [secretariat, county, fund] = world.members.clone();
    let by = |world: &World, signers: &[&Organisation]| {
        after(world, &signed(world.unsigned(vec![]), signers, &world.charter.federation()))
    };
    let (half, _) = assembly(BallotRule::HalfIsEnough);
    let small = World::new();
    let needed =
        "without the registrars' threshold, more than half of the voting members sign, or half where that is enough";
    let mut vectors = vec![
        good("ballots of more than half", by(&world, &[&fund, &more[0], &more[1]])),
        good("a registrar votes as well", by(&world, &[&county, &fund, &more[0]])),
        bad("ballots of half", by(&world, &[&fund, &more[0]]), "charter/threshold", needed),
        good("half is enough", by(&half, &[&fund, &more[0]])),
        bad("less than half", by(&half, &[&fund]), "charter/threshold", needed),
        bad("a secretariat has no vote", by(&world, &[&secretariat, &fund, &more[0]]), "charter/threshold", needed),
        bad(
            "two voters are no assembly",
            by(&small, &[&county, &fund]),
            "charter/threshold",
            "below three voting members there are no ballots",
        ),
    ];
    world.append(vec![add_key(&world.charter, 3, Purpose::Governance, &key(61))]);
    let twice = Organisation { governance: key(61), ..fund.clone() };
    vectors.push(bad(
        "two keys of one member are one ballot",
        by(&world, &[&fund, &twice, &more[0]]),
        "charter/threshold",
        "a member has one vote",
    ));
    world.append(vec![Operation::Suspend(departure(5, &[&more[1].signing]))]);
    vectors.push(good("two of three after a suspension", by(&world, &[&fund, &more[0]])));
    vectors.push(bad(
        "a suspended member has no vote",
        by(&world, &[&fund, &more[1]]),
        "charter/threshold",
        "voters are active members",
    ));
    let rival = signed(world.unsigned(vec![kind_set(7, 7)]), &[&fund, &more[0]], &world.charter.federation());
    let tip = world.next(vec![]);
    vectors.push(bad(
        "registrars and assembly sign two blocks of one version",
        given(world.charter.blocks().iter().chain([&tip, &rival])),
        "charter/equivocation",
        "however a block came to be valid, there is one of each version",
    ));
    vectors
}

/// The class key of counties, wrapped for one holder.
pub fn class_key(charter: &Charter, version: u32, seed: u8, holder: (u32, &Organisation)) -> Operation {
    let key = ClassKey::new(Class::County, version, &[seed; 32]);
    let holders = [(MemberNumber(holder.0), protocol::identity::public_key(&holder.1.encryption))];
    Operation::ClassKey(key.wrap(&charter.federation(), &holders, &[seed; 32]).expect("the holder's key is sound"))
}

/// Every operation, in an order that the rules allow.
fn story() -> World {
    let mut world = World::new();
    let [_, county, fund] = world.members.clone();
    let newcomer = Organisation::new("夏邑县", Class::County, 4);
    let again = Organisation::new("夏邑县人民政府", Class::County, 14);
    let from = world.charter.tip_block().time_ms;
    let year = 365 * 86_400_000;
    world.append(vec![
        admit(&world, 4, &newcomer),
        kind_set(1, 3),
        kind_set(1, 3),
        duty_rules(1, 5),
        Operation::Limits { gossip_entries_per_minute: 120 },
        council_rule(2, 3 * year),
        Operation::GrantRole(council(2, from, from + 3 * year)),
        Operation::GrantRole(council(4, from, from + 10_000)),
        registrar(3, &fund.governance),
    ]);
    let charter = world.charter.clone();
    world.append(vec![
        seal_key(&county.signing, highest(4)),
        add_key(&charter, 2, Purpose::Signing, &key(50)),
        add_key(&charter, 2, Purpose::Transport, &key(51)),
        seal_key(&county.transport, None),
        replace_key(&charter, &fund.encryption, 3, Purpose::Encryption, &key(52)),
        class_key(&charter, 1, 1, (2, &county)),
        class_key(&charter, 1, 1, (4, &newcomer)),
        class_key(&charter, 1, 1, (4, &newcomer)),
        warn(4),
    ]);
    world.append(vec![
        Operation::LeadHolder(holder_grant(&charter.federation(), HolderSlot::One, 1, 1)),
        Operation::LeadHolder(holder_grant(&charter.federation(), HolderSlot::Two, 4, 2)),
        Operation::Suspend(departure(4, &[&newcomer.signing])),
        class_key(&charter, 2, 2, (2, &county)),
        seal_key(&county.signing, None),
    ]);
    world.append(vec![reinstate(&charter, 4, Purpose::Signing, &key(53))]);
    let again_holder = holder_grant(&charter.federation(), HolderSlot::One, 1, 1);
    world.append(vec![
        Operation::LeadHolder(holder_grant(&charter.federation(), HolderSlot::Two, 2, 3)),
        Operation::LeadHolder(HolderGrant { evaluations_per_day: 0, ..again_holder }),
    ]);
    world.append(vec![Operation::Leave(departure(4, &[&key(53)])), take_role(3)]);
    world.append(vec![
        reassign(4, 2),
        erase(vec![
            target(&newcomer.signing, 0, EntryId([8; 32]), true),
            target(&newcomer.signing, 2, EntryId([9; 32]), false),
        ]),
    ]);
    world.append(vec![admit(&world, 4, &again), warn(4)]);
    world
}

fn kept() -> Vec<Vector> {
    let mut world = story();
    let [secretariat, county, fund] = world.members.clone();
    let expulsion = world.next(vec![expel(2, &[&key(50)]), reassign(2, 3)]);
    let every = after(&world, &expulsion);
    world.charter.append(expulsion).expect("the block keeps every rule");
    let by_old_registrars = signed(world.unsigned(vec![]), &[&secretariat, &county], &world.charter.federation());
    let by_new_registrars =
        signed(world.unsigned(vec![rules("测试联盟", 1)]), &[&secretariat, &fund], &world.charter.federation());
    let (mut held_by_one, second) = (World::new(), key(54));
    let first = held_by_one.members[0].clone();
    held_by_one.append(vec![add_key(&held_by_one.charter, 1, Purpose::Governance, &second), registrar(1, &second)]);
    let mut by_one_member = held_by_one.charter.next_block(0, u64::MAX, vec![]);
    by_one_member.operations.push(seal_key(&county.signing, highest(u64::MAX - 1)));
    let mut by_one_member = signed(by_one_member, &[&first], &held_by_one.charter.federation());
    by_one_member.sign(&second, &held_by_one.charter.federation());
    let mut resting = World::new();
    resting.append(vec![Operation::Suspend(departure(3, &[&fund.signing]))]);
    let leaves = Operation::Leave(departure(3, &[]));
    let mut holders = World::new();
    let holder = |world: &World, slot, member, seed| holder_grant(&world.charter.federation(), slot, member, seed);
    let [one, two] = [holder(&holders, HolderSlot::One, 1, 1), holder(&holders, HolderSlot::Two, 2, 2)];
    holders.append(vec![Operation::LeadHolder(one)]);
    holders.append(vec![Operation::LeadHolder(two)]);
    let more = Operation::LeadHolder(HolderGrant { evaluations_per_day: 300, ..one });
    let other_key = Operation::LeadHolder(holder(&holders, HolderSlot::One, 1, 3));
    vec![
        good("every operation", every),
        good("signed by a registrar who came later", after(&world, &by_new_registrars)),
        good("one member holds as many offices as the threshold says", after(&held_by_one, &by_one_member)),
        good("two holders, one of whom evaluates more", after(&holders, &holders.next(vec![more]))),
        good("a holder takes another key", after(&holders, &holders.next(vec![other_key]))),
        good("a suspended member leaves", after(&resting, &resting.next(vec![leaves]))),
        bad(
            "signed by a registrar who no longer is one",
            after(&world, &by_old_registrars),
            "charter/threshold",
            "the registrars of the block before sign",
        ),
    ]
}

pub fn file() -> File {
    let vectors = [chains(), rivals(), ballots(), kept(), refusals::vectors()].into_iter().flatten().collect();
    File {
        name: "charters",
        about: "Chains of signed charter blocks; the verdict is that of the first block that is refused. \
                The bound of 20,000 members is not broken here. SPEC.md, section 8.",
        judge,
        vectors,
    }
}
