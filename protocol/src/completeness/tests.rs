//! A member with two logs, an erasure of its own and one by its heir, and everything that can be left out.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;
use crate::beacon::Condition;
use crate::charter::{Class, Departure, Operation, Position, Seal};
use crate::entry::{HEADER_BYTES, VerifiedEntry};
use crate::erasure::{Erasure, KIND_ERASURE, Target};
use crate::identity::public_key;
use crate::replica::{EntrySource, Replica};
use crate::testing::{FOUNDED_MS, Organisation, Shelf};

const LATER_MS: u64 = FOUNDED_MS + 100_000;
const OPPORTUNITY: u16 = 102;

/// What an audit bundle of member 2 holds.
#[derive(Clone)]
struct Parts {
    blocks: Charter,
    entries: Vec<Arc<VerifiedEntry>>,
    claim: Claim,
    secretariat: Organisation,
}

fn write(
    author: &Organisation,
    charter: &Charter,
    log: &mut Vec<Arc<VerifiedEntry>>,
    kind: u16,
    body: Vec<u8>,
) -> Target {
    let entry = author.entry(charter, log.last().map(|last| &**last), LATER_MS, kind, body);
    let key = public_key(&author.signing);
    log.push(Arc::clone(&entry));
    Target { key, sequence: entry.header().sequence, id: entry.id(), creates: true }
}

fn position(log: &[Arc<VerifiedEntry>]) -> Option<Position> {
    log.last().map(|last| Position { sequence: last.header().sequence, id: last.id() })
}

fn erasing(target: Target) -> Vec<u8> {
    Erasure { reason: "含个人信息".into(), targets: vec![target] }.encode([9; 16]).expect("it keeps every bound")
}

/// Logs: 0 secretariat, 1 county, 2 heir. The county erased its entry 2, left, and its heir erased its entry 4.
fn parts() -> Parts {
    let (mut charter, secretariat) = Organisation::found("秘书处", 1);
    let (county, heir) = (Organisation::new("奉节县", Class::County, 2), Organisation::new("云阳县", Class::County, 3));
    secretariat.admit(&mut charter, &county);
    secretariat.admit(&mut charter, &heir);
    let (mut own, mut other) = (Vec::new(), Vec::new());
    let targets: Vec<Target> =
        (0..6).map(|number| write(&county, &charter, &mut own, OPPORTUNITY, vec![number; 40])).collect();
    write(&county, &charter, &mut own, KIND_ERASURE, erasing(targets[2]));
    let seals = vec![Seal { key: public_key(&county.signing), last: position(&own) }];
    let leave = Operation::Leave(Departure { member: MemberNumber(2), reason: "退出".into(), seals });
    let reason = "承接".into();
    let reassign = Operation::Reassign { from: MemberNumber(2), to: MemberNumber(3), reason };
    secretariat.try_append(&mut charter, vec![leave, reassign]).expect("it keeps every rule");
    write(&heir, &charter, &mut other, OPPORTUNITY, vec![7; 40]);
    write(&heir, &charter, &mut other, KIND_ERASURE, erasing(targets[4]));

    let mut replica = Replica::new(charter.clone());
    let mut shelf = Shelf::default();
    for entry in own.iter().chain(&other) {
        let mut changes = Vec::new();
        replica.insert(entry, &shelf, &mut changes);
        shelf.carry_out(&changes);
    }
    let support = supporting_logs(&replica, MemberNumber(2));
    assert_eq!(support, BTreeSet::from([2]));
    let held = |log, sequence| EntrySource::entry(&shelf, log, sequence).expect("it was inserted");
    let of_member = (0..7).map(|sequence| held(1, sequence));
    let of_heir = (0..2).map(|sequence| held(2, sequence));
    let bare = |entry: Arc<VerifiedEntry>| match entry.header().kind {
        KIND_ERASURE => entry,
        _ => Arc::new(entry.without_body()),
    };
    let entries = of_member.chain(of_heir.map(bare)).collect();
    let claim = Claim { member: MemberNumber(2), frontier: replica.frontier() };
    Parts { blocks: charter, entries, claim, secretariat }
}

fn found(parts: &Parts) -> Vec<Difference> {
    let mut replica = Replica::new(parts.blocks.clone());
    let mut presence = Presence::default();
    for entry in &parts.entries {
        let grant = parts.blocks.log_of(&entry.header().key).expect("its log is granted");
        presence.note(grant.number, entry.header().sequence);
        replica.insert(entry, &Shelf::default(), &mut Vec::new());
    }
    differences(&parts.claim, &replica, &presence)
}

fn without(parts: &Parts, log: LogNumber, gone: impl Fn(u64) -> bool) -> Parts {
    let mut cut = parts.clone();
    let key = parts.blocks.logs()[log as usize].key;
    cut.entries.retain(|entry| entry.header().key != key || !gone(entry.header().sequence));
    cut
}

#[test]
fn a_whole_bundle_is_complete_with_what_was_erased() {
    let parts = parts();
    assert_eq!(found(&parts), []);
    let absent: Vec<u64> = (0..7).filter(|index| parts.entries[*index as usize].body().is_none()).collect();
    assert_eq!(absent, [2, 4], "what was erased is not in it");
    let bytes = parts.claim.encode().expect("it keeps its bounds");
    assert_eq!(Claim::decode(&bytes, &parts.claim.frontier.federation), Ok(parts.claim.clone()));
    assert_eq!(bytes.len(), CLAIM_BYTES_MIN + parts.claim.frontier.heads.len() * HEAD_BYTES);
    for length in 0..bytes.len() {
        assert!(Claim::decode(&bytes[..length], &parts.claim.frontier.federation).is_err(), "cut at {length}");
    }
}

#[test]
fn every_lack_is_named_as_what_it_is() {
    let parts = parts();
    let lacks = |log, from, to| [Difference::EntriesMissing { log, from, to }];
    assert_eq!(found(&without(&parts, 1, |sequence| sequence == 6))[..1], lacks(1, 6, 6));
    assert_eq!(found(&without(&parts, 1, |sequence| sequence == 3))[..1], lacks(1, 3, 3));
    assert_eq!(found(&without(&parts, 1, |_| true)), [Difference::LogMissing { log: 1, length: 7 }]);
    let no_heir = found(&without(&parts, 2, |_| true));
    assert_eq!(no_heir, [Difference::BodiesMissing { log: 1, from: 4, to: 4 }]);

    let mut bare = parts.clone();
    bare.entries[1] = Arc::new(bare.entries[1].without_body());
    assert_eq!(found(&bare), [Difference::BodiesMissing { log: 1, from: 1, to: 1 }]);

    let mut lowered = parts.clone();
    let head = Head { length: 3, id: parts.entries[2].id() };
    lowered.claim.frontier.heads.insert(1, head);
    assert_eq!(found(&lowered), [Difference::HeadLowered { log: 1, named: 3, proven: 7 }]);
    assert_ne!(lowered.claim.digest(), parts.claim.digest());
    // Even who lowers the head and leaves the entries out cannot hide what the charter's seal says.
    let hidden = found(&without(&lowered, 1, |sequence| sequence > 2));
    assert!(hidden.contains(&Difference::SealedBranchMissing { log: 1, sequence: 6 }), "{hidden:?}");

    let mut other = parts.clone();
    other.claim.frontier.heads.insert(1, Head { length: 7, id: EntryId([1; 32]) });
    assert_eq!(found(&other), [Difference::HeadDiffers { log: 1, sequence: 6 }]);
    let mut proofs = parts.clone();
    proofs.claim.frontier.proofs = [1; 32];
    assert_eq!(found(&proofs), [Difference::Proofs]);
    let mut stranger = parts;
    stranger.claim.member = MemberNumber(9);
    assert_eq!(found(&stranger), [Difference::MemberUnknown]);
}

#[test]
fn a_charter_without_its_last_block_is_not_the_frontiers() {
    let parts = parts();
    let mut shorter = Charter::genesis(parts.blocks.blocks()[0].clone()).expect("it was valid before");
    for block in &parts.blocks.blocks()[1..3] {
        shorter.append(block.clone()).expect("it was valid before");
    }
    let mut cut = parts.clone();
    cut.blocks = shorter;
    // The heir's right to erase came with that block.
    let found = found(&cut);
    assert_eq!(found[0], Difference::CharterBlocks { named: 4, held: 3 });
    assert!(!found.iter().any(|difference| matches!(difference, Difference::LogUnknown { .. })));
    let rules = vec![Operation::Limits { gossip_entries_per_minute: 5 }];
    parts.secretariat.try_append(&mut cut.blocks, rules).expect("it keeps every rule");
    assert!(super::tests::found(&cut).contains(&Difference::CharterTip { version: 4 }));
}

#[test]
fn any_cut_is_named_entry_by_entry() {
    let parts = parts();
    for seed in 0..400u64 {
        let bits = blake3::hash(&seed.to_le_bytes());
        let gone: BTreeSet<u64> = (0..7).filter(|index| bits.as_bytes()[*index as usize].is_multiple_of(3)).collect();
        let found = found(&without(&parts, 1, |sequence| gone.contains(&sequence)));
        let mut named = BTreeSet::new();
        for difference in &found {
            match *difference {
                Difference::EntriesMissing { log: 1, from, to } => named.extend(from..=to),
                Difference::LogMissing { log: 1, length } => named.extend(0..length),
                // Erasures behind a gap cannot be taken in.
                Difference::BodiesMissing { log: 1, .. } => assert!(!gone.is_empty()),
                other => panic!("{other:?} with {gone:?}"),
            }
        }
        assert_eq!(named, gone, "seed {seed}");
    }
}

#[test]
fn an_attestation_is_a_members_beacon_of_exactly_this_frontier() {
    let parts = parts();
    let heir = Organisation::new("云阳县", Class::County, 3);
    let good = Beacon {
        transport: public_key(&heir.transport),
        boot_ms: 1,
        counter: 2,
        expires_ms: 3,
        charter_version: parts.claim.frontier.charter_version,
        digest: parts.claim.digest(),
        entries: 9,
        interval_seconds: 600,
        condition: Condition::default(),
        heads: BTreeMap::new(),
    };
    let federation = parts.claim.frontier.federation;
    let check = |bytes: &[u8]| attestation(bytes, &parts.claim, &parts.blocks);
    let bytes = good.sign(&heir.transport, &federation);
    assert_eq!(check(&bytes).map(|found| found.member), Ok(MemberNumber(3)));
    let mut forged = bytes;
    forged[HEADER_BYTES] ^= 1;
    assert!(matches!(check(&forged), Err(AttestationError::Forged(_))));
    let other = Beacon { digest: FrontierDigest([1; 32]), ..good.clone() }.sign(&heir.transport, &federation);
    assert_eq!(check(&other), Err(AttestationError::OtherFrontier(FrontierDigest([1; 32]))));
    let older = Beacon { charter_version: 2, ..good.clone() }.sign(&heir.transport, &federation);
    assert_eq!(check(&older), Err(AttestationError::OtherCharter(2)));
    // The county has left: its node speaks for nobody any more.
    let county = Organisation::new("奉节县", Class::County, 2);
    let former = Beacon { transport: public_key(&county.transport), ..good }.sign(&county.transport, &federation);
    assert_eq!(check(&former), Err(AttestationError::NotMember));
}
