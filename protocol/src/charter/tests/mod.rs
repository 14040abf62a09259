mod members;
mod offices;

use ed25519_dalek::SigningKey;

use super::*;
use crate::entry::Header;
use crate::identity::{ContentHash, Domain, EntryId, public_key, sign};
use crate::testing::{EXPIRES_MS, Organisation};

fn two_members() -> (Charter, Organisation, Organisation) {
    let (mut charter, secretariat) = Organisation::found("秘书处", 1);
    let county = Organisation::new("奉节县", Class::County, 2);
    secretariat.admit(&mut charter, &county);
    (charter, secretariat, county)
}

fn header(key: &SigningKey, charter: u32, sequence: u64, time_ms: u64) -> Header {
    let previous = if sequence == 0 { EntryId::ZERO } else { EntryId([1; 32]) };
    let body_hash = ContentHash([0; 32]);
    Header { key: public_key(key), sequence, previous, charter, time_ms, kind: 102, body_len: 32, body_hash }
}

#[test]
fn a_charter_survives_a_round_trip_and_names_the_federation_by_its_genesis() {
    let (charter, ..) = two_members();
    let decoded = charter.blocks().iter().map(|block| SignedBlock::decode(&block.encode()));
    let mut decoded = decoded.map(|block| block.expect("canonical bytes decode"));
    let mut again = Charter::genesis(decoded.next().expect("there is a genesis block")).expect("it is valid");
    decoded.for_each(|block| assert_eq!(again.append(block), Ok(Appended::New)));
    assert_eq!(again.tip(), charter.tip());
    assert_eq!(again.federation().0, charter.blocks()[0].hash().0);
    assert_eq!(again.members().len(), 2);
    assert!(again.is_trial());
}

#[test]
fn a_block_needs_the_registrars_of_the_block_before() {
    let (mut charter, _, county) = two_members();
    let rules = Operation::Rules { name: "夺权".into(), threshold: 1, ballots: BallotRule::MoreThanHalf };
    let block = charter.next_block(0, EXPIRES_MS, vec![rules]);
    let mut signed = SignedBlock::unsigned(block).expect("the block keeps its bounds");
    signed.sign(&county.governance, &charter.federation());
    let refused = charter.append(signed);
    assert_eq!(refused, Err(CharterError::Threshold { version: 3, found: 0, threshold: 1, ballots: 0 }));
    assert_eq!(charter.version(), 2);
}

#[test]
fn claims_are_weighed_by_grant_time_and_seal() {
    let (mut charter, secretariat, county) = two_members();
    let time = charter.tip_block().time_ms;
    let good = header(&county.signing, 2, 0, time);
    assert_eq!(charter.check(&good).map(|grant| grant.number), Ok(1));
    assert_eq!(charter.check(&header(&county.signing, 3, 0, time)), Err(Claim::CharterAhead));
    assert_eq!(charter.check(&header(&county.signing, 1, 0, time)), Err(Claim::BeforeGrant));
    assert_eq!(charter.check(&header(&county.signing, 2, 0, time - 1)), Err(Claim::BeforeCharterTime));
    assert_eq!(charter.check(&header(&county.governance, 2, 0, time)), Err(Claim::UnknownKey));
    let last = Position { sequence: 4, id: EntryId([7; 32]) };
    secretariat.expel(&mut charter, &county, Some(last));
    assert!(charter.check(&header(&county.signing, 2, 4, time)).is_ok());
    assert_eq!(charter.check(&header(&county.signing, 2, 5, time)), Err(Claim::AboveSeal));
    assert!(!charter.transport_keys().contains_key(&public_key(&county.transport)));
}

#[test]
fn two_valid_blocks_of_one_version_are_an_equivocation_and_change_nothing() {
    let (mut charter, secretariat, _) = two_members();
    let tip = charter.tip();
    let mut other = Charter::genesis(charter.blocks()[0].clone()).expect("it is valid");
    secretariat.admit(&mut other, &Organisation::new("夏邑县", Class::County, 3));
    let rival = other.blocks()[1].clone();
    assert_eq!(charter.append(rival.clone()), Ok(Appended::Rival));
    assert_eq!(charter.append(rival.clone()), Err(CharterError::Equivocation { version: 2 }), "the proof is held");
    assert_eq!(charter.rival(), Some(&rival));
    assert_eq!(charter.tip(), tip);
    assert_eq!(charter.append(charter.blocks()[1].clone()), Ok(Appended::Known));
}

#[test]
fn an_admission_needs_a_proof_from_every_key_for_this_federation() {
    let (mut charter, secretariat, _) = two_members();
    let newcomer = Organisation::new("夏邑县", Class::County, 3);
    let foreign = newcomer.application(&FederationId([9; 32]));
    let admit = Operation::Admit { member: charter.next_member(), application: foreign };
    let refused = secretariat.try_append(&mut charter, vec![admit]);
    assert!(matches!(refused, Err(CharterError::Operation { name: "admit", .. })), "{refused:?}");
}

#[test]
fn a_key_is_granted_once_and_a_member_has_one_open_log() {
    let (mut charter, secretariat, county) = two_members();
    let key = SigningKey::from_bytes(&[77; 32]);
    let purposed = PurposedKey { purpose: Purpose::Signing, key: public_key(&key) };
    let member = MemberNumber(2);
    let proof = sign(&key, Domain::Possession, &charter.federation(), &added_key_content(member, &purposed));
    let add = Operation::AddKey(KeyGrant { member, key: purposed, proof });
    assert!(secretariat.try_append(&mut charter, vec![add.clone()]).is_err());
    let seal = Operation::SealKey(Seal { key: public_key(&county.signing), last: None });
    assert!(secretariat.try_append(&mut charter, vec![seal, add.clone()]).is_ok());
    assert_eq!(charter.logs().len(), 3);
    assert!(secretariat.try_append(&mut charter, vec![add]).is_err());
}

#[test]
fn a_block_that_leaves_too_few_registrars_is_refused() {
    let (mut charter, secretariat, _) = two_members();
    let remove = Operation::TakeRole { seat: 1, reason: String::new() };
    let refused = secretariat.try_append(&mut charter, vec![remove]);
    assert_eq!(refused, Err(CharterError::Registrars { version: 3, found: 0, threshold: 1 }));
}

#[test]
fn every_cut_of_a_block_is_refused() {
    let (charter, ..) = two_members();
    let bytes = charter.blocks()[1].encode();
    for length in 0..bytes.len() {
        assert!(SignedBlock::decode(&bytes[..length]).is_err(), "cut at {length}");
    }
}
