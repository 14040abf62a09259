//! Who may sign, seats and terms.

use super::*;

/// A secretariat and `counties` voting members.
fn assembly(counties: u32) -> (Charter, Organisation, Vec<Organisation>) {
    let (mut charter, secretariat) = Organisation::found("秘书处", 1);
    let counties: Vec<_> = (0..counties).map(|index| Organisation::new("县", Class::County, index + 2)).collect();
    counties.iter().for_each(|county| secretariat.admit(&mut charter, county));
    (charter, secretariat, counties)
}

fn signed(charter: &Charter, operations: Vec<Operation>, signers: &[&Organisation]) -> SignedBlock {
    let block = charter.next_block(0, EXPIRES_MS, operations);
    let mut signed = SignedBlock::unsigned(block).expect("the block keeps its bounds");
    signers.iter().for_each(|signer| signed.sign(&signer.governance, &charter.federation()));
    signed
}

fn rules(threshold: u16, ballots: BallotRule) -> Operation {
    Operation::Rules { name: "测试联盟".into(), threshold, ballots }
}

#[test]
fn ballots_decide_at_exactly_half_or_just_above_as_the_rule_says() {
    for (rule, voters, needed) in [
        (BallotRule::MoreThanHalf, 3, 2),
        (BallotRule::MoreThanHalf, 4, 3),
        (BallotRule::HalfIsEnough, 4, 2),
        (BallotRule::HalfIsEnough, 5, 3),
    ] {
        let (mut charter, secretariat, counties) = assembly(voters);
        secretariat.try_append(&mut charter, vec![rules(1, rule)]).expect("the rules can be set");
        let ballots: Vec<&Organisation> = counties.iter().take(needed).collect();
        let few = charter.append(signed(&charter, Vec::new(), &ballots[1..]));
        assert!(matches!(few, Err(CharterError::Threshold { .. })), "{rule:?} of {voters}: {few:?}");
        assert_eq!(charter.append(signed(&charter, Vec::new(), &ballots)), Ok(Appended::New), "{rule:?} of {voters}");
    }
}

#[test]
fn two_voters_are_no_assembly() {
    let (mut charter, _, counties) = assembly(2);
    let all: Vec<&Organisation> = counties.iter().collect();
    assert!(charter.append(signed(&charter, Vec::new(), &all)).is_err());
}

#[test]
fn a_threshold_is_met_by_different_registrars_and_by_no_stranger() {
    let (mut charter, secretariat, counties) = assembly(2);
    let seat = |member, county: &Organisation| {
        Operation::GrantRole(SeatGrant::registrar(MemberNumber(member), public_key(&county.governance)))
    };
    let operations = vec![seat(2, &counties[0]), rules(2, BallotRule::MoreThanHalf)];
    secretariat.try_append(&mut charter, operations).expect("there are two registrars");
    let one = charter.append(signed(&charter, Vec::new(), &[&secretariat, &counties[1]]));
    assert!(matches!(one, Err(CharterError::Threshold { found: 1, threshold: 2, .. })), "{one:?}");
    let leave = charter.append(signed(
        &charter,
        vec![Operation::TakeRole { seat: 2, reason: String::new() }],
        &[&secretariat, &counties[0]],
    ));
    assert!(matches!(leave, Err(CharterError::Registrars { found: 1, threshold: 2, .. })), "{leave:?}");
    assert_eq!(charter.append(signed(&charter, Vec::new(), &[&counties[0], &secretariat])), Ok(Appended::New));
}

#[test]
fn a_seat_beyond_the_rule_and_a_term_beyond_it_are_refused() {
    let (mut charter, secretariat, _) = assembly(1);
    let rule = RoleRule { role: Role::Council, seats_max: 1, term_ms: 10_000 };
    let seat = |from_ms, until_ms| {
        let (member, key) = (MemberNumber(2), PublicKey::ZERO);
        Operation::GrantRole(SeatGrant { role: Role::Council, member, key, person: String::new(), from_ms, until_ms })
    };
    secretariat.try_append(&mut charter, vec![Operation::RoleRule(rule)]).expect("a rule can be set");
    let now = charter.tip_block().time_ms;
    assert!(secretariat.try_append(&mut charter, vec![seat(now, now + 10_001)]).is_err(), "too long");
    assert!(secretariat.try_append(&mut charter, vec![seat(now, 0)]).is_err(), "without end");
    secretariat.try_append(&mut charter, vec![seat(now, now + 2_500)]).expect("there is a seat");
    assert!(secretariat.try_append(&mut charter, vec![seat(now, now + 10_000)]).is_err(), "it is filled");
    secretariat.try_append(&mut charter, Vec::new()).expect("a block can do nothing");
    let again = secretariat.try_append(&mut charter, vec![seat(now, now + 10_000)]);
    again.expect("the first term has ended, and its seat is free");
}

#[test]
fn a_second_block_that_breaks_the_order_of_times_is_no_rival() {
    let (mut charter, secretariat, _) = two_members();
    let mut block = charter.tip_block().clone();
    block.time_ms = charter.blocks()[0].block().time_ms - 1;
    let mut rival = SignedBlock::unsigned(block).expect("the block keeps its bounds");
    rival.sign(&secretariat.governance, &charter.federation());
    assert_eq!(charter.append(rival), Err(CharterError::Time { version: 2 }));
    assert_eq!(charter.rival(), None);
}

#[test]
fn the_rival_of_the_lowest_version_is_the_one_that_is_kept() {
    let (mut charter, secretariat, _) = two_members();
    let mut rivals = Vec::new();
    for _ in 0..2 {
        let limits = vec![Operation::Limits { gossip_entries_per_minute: 7 }];
        rivals.push(signed(&charter, limits, &[&secretariat]));
        secretariat.try_append(&mut charter, Vec::new()).expect("a block can do nothing");
    }
    let (low, high) = (rivals[0].clone(), rivals[1].clone());
    assert_eq!(charter.append(high.clone()), Ok(Appended::Rival));
    assert_eq!(charter.append(low.clone()), Ok(Appended::Rival));
    assert_eq!(charter.append(high), Err(CharterError::Equivocation { version: 4 }));
    assert_eq!(charter.rival(), Some(&low));
}
