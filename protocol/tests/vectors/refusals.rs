//! Each rule of an operation broken once.

use ed25519_dalek::SigningKey;
use protocol::charter::{Class, Departure, Operation, Position, Purpose, Role, Seal, SeatGrant};
use protocol::identity::{EntryId, FederationId, MemberNumber, public_key};
use protocol::lead_token::{HolderGrant, HolderPublic, HolderSlot};
use protocol::limits::{KEYS_PER_MEMBER_MAX, REGISTRARS_MAX};
use protocol::testing::Organisation;

use crate::acts::{
    add_key, admit, council, council_rule, departure, duty_rules, expel, grant, highest, key, kind_set, prove,
    reassign, registrar, reinstate, replace_key, seal_key, take_role, warn,
};
use crate::case::{Vector, bad};
use crate::charters::{class_key, operations};
use crate::leads::holder_grant;
use crate::roster::World;

/// One case: its name, the operations, the rule's stable name, and the rule in words.
type Case = (&'static str, Vec<Operation>, &'static str, &'static str);

/// Member 3 is expelled, member 4 suspended, and a kind set and a seat are there.
fn world() -> (World, Organisation) {
    let mut world = World::new();
    let suspended = Organisation::new("柘城县", Class::County, 6);
    let fund = world.members[2].clone();
    world.append(vec![
        kind_set(1, 3),
        duty_rules(1, 3),
        admit(&world, 4, &suspended),
        council_rule(1, 1_000_000),
        Operation::GrantRole(council(2, 0, 1_000_000)),
        Operation::Suspend(departure(4, &[&suspended.signing])),
        expel(3, &[&fund.signing]),
        class_key(&world.charter, 1, 1, (2, &world.members[1])),
    ]);
    (world, suspended)
}

pub fn vectors() -> Vec<Vector> {
    let (world, suspended) = world();
    let every = [
        members(&world),
        departures(&world, &suspended),
        keys(&world, &suspended),
        seats(&world),
        registrars(&world),
        class_keys(&world, &suspended),
        lead_holders(&world),
    ];
    let cases = every.into_iter().flatten();
    cases
        .map(|(name, list, rule, words)| bad(name, operations(&world, list), format!("charter/{rule}"), words))
        .collect()
}

fn members(world: &World) -> Vec<Case> {
    let newcomer = Organisation::new("夏邑县", Class::County, 4);
    let county = &world.members[1];
    let foreign = Operation::Admit { member: MemberNumber(5), application: newcomer.application(&FederationId::ZERO) };
    let mut application = newcomer.application(&world.charter.federation()).application;
    application.keys[1].key = public_key(&county.transport);
    let proving = [&newcomer.signing, &county.transport, &newcomer.encryption, &newcomer.governance];
    let borrowed = prove(application, &world.charter, &proving);
    let borrowed = Operation::Admit { member: MemberNumber(5), application: borrowed };
    let former = "only the records of a member that left or was expelled are given to another";
    vec![
        (
            "kind set number with another hash",
            vec![kind_set(1, 4)],
            "kind-set/number-used",
            "a number stands for one hash",
        ),
        (
            "duty rules number with another hash",
            vec![duty_rules(1, 4)],
            "duty-rules/number-used",
            "a number stands for one hash",
        ),
        ("number skipped", vec![admit(world, 6, &newcomer)], "admit/number-order", "numbers follow admissions"),
        ("member 0", vec![admit(world, 0, &newcomer)], "admit/number-order", "numbers begin with 1"),
        ("admits an active member", vec![admit(world, 2, &newcomer)], "admit/admitted", "it is no member now"),
        ("admits a suspended member", vec![admit(world, 4, &newcomer)], "admit/admitted", "a suspended member is one"),
        (
            "admits a former member with its old keys",
            vec![admit(world, 3, &world.members[2])],
            "admit/key-used",
            "a key belongs to one member and one purpose, for ever",
        ),
        ("proofs for another federation", vec![foreign], "admit/possession", "proofs are for this federation"),
        ("a key of another member", vec![borrowed], "admit/key-used", "a key belongs to one member, for ever"),
        ("warns nobody", vec![warn(9)], "warn/no-member", "there is such a member"),
        ("warns a suspended member", vec![warn(4)], "warn/suspended", "the member is active"),
        ("warns a former member", vec![warn(3)], "warn/gone", "the member is active"),
        ("reassigns from an active member", vec![reassign(2, 1)], "reassign/not-former", former),
        ("reassigns from a suspended member", vec![reassign(4, 1)], "reassign/not-former", former),
        ("reassigns from nobody", vec![reassign(9, 1)], "reassign/no-member", "there is such a member"),
        ("reassigns to a suspended member", vec![reassign(3, 4)], "reassign/suspended", "the heir is active"),
        ("reassigns to itself", vec![reassign(3, 3)], "reassign/gone", "the heir is active"),
    ]
}

fn departures(world: &World, suspended: &Organisation) -> Vec<Case> {
    let [secretariat, county, fund] = &world.members;
    let charter = &world.charter;
    let seals = "each unsealed signing key of the member is sealed, and no other";
    let above = Departure {
        seals: vec![Seal { key: public_key(&county.signing), last: highest(u64::MAX) }],
        ..departure(2, &[])
    };
    vec![
        ("expels nobody", vec![expel(9, &[])], "expel/no-member", "there is such a member"),
        ("expels again", vec![expel(3, &[])], "expel/gone", "the member is not gone"),
        ("expels without a seal", vec![expel(2, &[])], "expel/seals", seals),
        ("expels with another's seal", vec![expel(2, &[&secretariat.signing])], "expel/seals", seals),
        ("expels a suspended member with a second seal", vec![expel(4, &[&suspended.signing])], "expel/seals", seals),
        (
            "expels with a seal at the highest number",
            vec![Operation::Expel(above)],
            "expel/seal-sequence",
            "a seal's sequence is below 2^64 - 1",
        ),
        ("leaves again", vec![Operation::Leave(departure(3, &[]))], "leave/gone", "the member is not gone"),
        ("leaves without a seal", vec![Operation::Leave(departure(2, &[]))], "leave/seals", seals),
        ("suspends again", vec![Operation::Suspend(departure(4, &[]))], "suspend/suspended", "the member is active"),
        (
            "suspends a former member",
            vec![Operation::Suspend(departure(3, &[]))],
            "suspend/gone",
            "the member is active",
        ),
        ("suspends without a seal", vec![Operation::Suspend(departure(2, &[]))], "suspend/seals", seals),
        (
            "reinstates an active member",
            vec![reinstate(charter, 2, Purpose::Signing, &key(51))],
            "reinstate/not-suspended",
            "only a suspended member is reinstated",
        ),
        (
            "reinstates a former member",
            vec![reinstate(charter, 3, Purpose::Signing, &key(51))],
            "reinstate/not-suspended",
            "a former member is admitted again",
        ),
        (
            "reinstates with a transport key",
            vec![reinstate(charter, 4, Purpose::Transport, &key(51))],
            "reinstate/not-signing",
            "the key is a signing key",
        ),
        (
            "reinstates with the sealed key",
            vec![reinstate(charter, 4, Purpose::Signing, &suspended.signing)],
            "reinstate/key-used",
            "a sealed key never returns",
        ),
        (
            "a key of a former member returns to another",
            vec![add_key(charter, 1, Purpose::Transport, &fund.transport)],
            "add-key/key-used",
            "a key belongs to one member and one purpose, for ever",
        ),
    ]
}

fn many(purpose: Purpose, count: usize) -> Vec<SigningKey> {
    let seed = |index: usize| *blake3::hash(format!("vector key {} {index}", purpose.name()).as_bytes()).as_bytes();
    (0..count).map(|index| SigningKey::from_bytes(&seed(index))).collect()
}

fn grants(world: &World, purpose: Purpose, keys: &[SigningKey]) -> Vec<Operation> {
    keys.iter().map(|key| add_key(&world.charter, 2, purpose, key)).collect()
}

fn keys(world: &World, suspended: &Organisation) -> Vec<Case> {
    let [_, county, fund] = &world.members;
    let charter = &world.charter;
    let mut unproven = grant(charter, 2, Purpose::Transport, &key(51));
    unproven.member = MemberNumber(1);
    let last = Some(Position { sequence: 4, id: EntryId([7; 32]) });
    let other = "a key is replaced by one of the same member and purpose";
    vec![
        (
            "key did not sign for this member",
            vec![Operation::AddKey(unproven)],
            "add-key/possession",
            "the key signs its addition",
        ),
        (
            "key of an expelled member",
            vec![add_key(charter, 3, Purpose::Transport, &key(51))],
            "add-key/gone",
            "the member is active",
        ),
        (
            "key of a suspended member",
            vec![add_key(charter, 4, Purpose::Transport, &key(51))],
            "add-key/suspended",
            "the member is active",
        ),
        (
            "key of nobody",
            vec![add_key(charter, 9, Purpose::Transport, &key(51))],
            "add-key/no-member",
            "there is such a member",
        ),
        (
            "second signing key",
            vec![add_key(charter, 2, Purpose::Signing, &key(51))],
            "add-key/open-log",
            "a member has one unsealed signing key at a time",
        ),
        (
            "sealed key returns",
            vec![add_key(charter, 1, Purpose::Signing, &fund.signing)],
            "add-key/key-used",
            "a key belongs to one member and one purpose, for ever",
        ),
        (
            "too many keys",
            grants(world, Purpose::Transport, &many(Purpose::Transport, KEYS_PER_MEMBER_MAX - 3)),
            "add-key/too-many-keys",
            "a member has at most 256 keys over its whole life",
        ),
        (
            "seal at the highest number",
            vec![seal_key(&county.signing, highest(u64::MAX))],
            "seal-key/seal-sequence",
            "a seal's sequence is below 2^64 - 1",
        ),
        (
            "seal of an unknown key at the highest number",
            vec![seal_key(&key(51), highest(u64::MAX))],
            "seal-key/seal-sequence",
            "the sequence comes before the key",
        ),
        ("seals an unknown key", vec![seal_key(&key(51), None)], "seal-key/unknown-key", "the key was granted"),
        (
            "seal of a transport key names an entry",
            vec![seal_key(&county.transport, last)],
            "seal-key/seal-without-log",
            "only a signing key's seal names an entry",
        ),
        (
            "replaces an unknown key",
            vec![replace_key(charter, &key(50), 2, Purpose::Transport, &key(51))],
            "replace-key/unknown-key",
            "the key was granted",
        ),
        (
            "replaces another's key",
            vec![replace_key(charter, &county.transport, 1, Purpose::Transport, &key(51))],
            "replace-key/other-key",
            other,
        ),
        (
            "replaces a key by one of another purpose",
            vec![replace_key(charter, &county.transport, 2, Purpose::Encryption, &key(51))],
            "replace-key/other-key",
            other,
        ),
        (
            "replaces the key of a suspended member",
            vec![replace_key(charter, &suspended.transport, 4, Purpose::Transport, &key(51))],
            "replace-key/suspended",
            "the member is active",
        ),
    ]
}

fn seats(world: &World) -> Vec<Case> {
    let seat = |from, until| vec![Operation::GrantRole(council(2, from, until))];
    let expert = |member| vec![Operation::GrantRole(SeatGrant { role: Role::Expert, ..council(member, 0, 0) })];
    let now = world.charter.tip_block().time_ms;
    let twice = [seat(now, now + 1_000_000), seat(now, now + 5)].concat();
    let term = "a term is not longer than the role's rule allows";
    vec![
        ("a seat for nobody", expert(9), "grant-role/no-member", "there is such a member"),
        ("a seat for a suspended member", expert(4), "grant-role/suspended", "the member is active"),
        ("a seat for a former member", expert(3), "grant-role/gone", "the member is active"),
        ("one seat too many", twice, "grant-role/seats-filled", "a role has as many seats as its rule says"),
        ("a term too long", seat(now, now + 1_000_001), "grant-role/term", term),
        ("a term without end", seat(now, 0), "grant-role/term", term),
        ("takes seat 0", vec![take_role(0)], "take-role/no-seat", "seats are numbered from 1"),
        ("takes a seat that was never granted", vec![take_role(9)], "take-role/no-seat", "the seat was granted"),
        ("takes a seat twice", vec![take_role(3), take_role(3)], "take-role/seat-ended", "the seat has not ended"),
    ]
}

fn registrars(world: &World) -> Vec<Case> {
    let [_, county, fund] = &world.members;
    let office = many(Purpose::Governance, REGISTRARS_MAX - 1);
    let offices = office.iter().map(|key| registrar(2, key));
    let governance = "a registrar's key is a governance key of that member whose right lasts";
    vec![
        ("registrar with a signing key", vec![registrar(2, &county.signing)], "grant-role/not-governance", governance),
        (
            "registrar with another's key",
            vec![registrar(1, &county.governance)],
            "grant-role/not-governance",
            governance,
        ),
        (
            "registrar with the key of an expelled member",
            vec![registrar(1, &fund.governance)],
            "grant-role/not-governance",
            governance,
        ),
        (
            "a registrar again",
            vec![registrar(2, &county.governance)],
            "grant-role/registrar",
            "a key has one such seat",
        ),
        (
            "too many registrars",
            grants(world, Purpose::Governance, &office).into_iter().chain(offices).collect(),
            "grant-role/too-many-registrars",
            "there are at most 64 registrars",
        ),
    ]
}

fn class_keys(world: &World, suspended: &Organisation) -> Vec<Case> {
    let [secretariat, county, _] = &world.members;
    let charter = &world.charter;
    let holder = "a class key is wrapped for encryption keys of active members of the class";
    let order = "versions count from 1, and a version stands for one key";
    vec![
        (
            "class key for a member of another class",
            vec![class_key(charter, 1, 1, (1, secretariat))],
            "class-key/holder",
            holder,
        ),
        (
            "class key for a suspended member",
            vec![class_key(charter, 1, 1, (4, suspended))],
            "class-key/holder",
            holder,
        ),
        ("class key for another's key", vec![class_key(charter, 1, 1, (2, secretariat))], "class-key/holder", holder),
        (
            "class key with a version skipped",
            vec![class_key(charter, 3, 1, (2, county))],
            "class-key/number-order",
            order,
        ),
        (
            "class key under a used version",
            vec![class_key(charter, 1, 2, (2, county))],
            "class-key/number-order",
            order,
        ),
    ]
}

fn lead_holders(world: &World) -> Vec<Case> {
    let federation = world.charter.federation();
    let (one, two) = (HolderSlot::One, HolderSlot::Two);
    let grant = |slot, member, seed| holder_grant(&federation, slot, member, seed);
    let moved = HolderGrant { member: MemberNumber(1), ..grant(one, 2, 1) };
    let no_key = HolderGrant { key: HolderPublic([0; 32]), ..grant(one, 2, 1) };
    let foreign = holder_grant(&FederationId([8; 32]), one, 2, 1);
    let possession = "the key shows that it is this member's, in this federation";
    let two_holders = "the two holders are two members with two keys";
    let case = |name, list: &[HolderGrant], rule, words| -> Case {
        (name, list.iter().copied().map(Operation::LeadHolder).collect(), rule, words)
    };
    vec![
        case("nobody as a holder", &[grant(one, 9, 1)], "lead-holder/no-member", "there is such a member"),
        case("a suspended holder", &[grant(one, 4, 1)], "lead-holder/suspended", "the member is active"),
        case("a former member as a holder", &[grant(one, 3, 1)], "lead-holder/gone", "the member is active"),
        case("a holder with another's key", &[moved], "lead-holder/possession", possession),
        case("a holder whose key is the identity", &[no_key], "lead-holder/possession", possession),
        case("a holder of another federation", &[foreign], "lead-holder/possession", possession),
        case("one member in both slots", &[grant(one, 2, 1), grant(two, 2, 2)], "lead-holder/one-holder", two_holders),
        case("one key in both slots", &[grant(one, 1, 1), grant(two, 2, 1)], "lead-holder/one-holder", two_holders),
    ]
}
