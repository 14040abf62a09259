//! Verification of audit bundles: whole ones, and ones from which something was taken.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use protocol::beacon::{Beacon, Condition};
use protocol::bundle::{FrameType, Writer};
use protocol::charter::{Charter, Class, Operation, Position, Purpose, PurposedKey, Seal};
use protocol::charter::{KeyGrant, added_key_content};
use protocol::completeness::Claim;
use protocol::entry::VerifiedEntry;
use protocol::frontier::{Frontier, Head, proofs_hash};
use protocol::identity::{Domain, FrontierDigest, MemberNumber, public_key, sign};
use protocol::testing::{FOUNDED_MS, Organisation};

use super::audit::Verdict;
use super::*;

const LATER_MS: u64 = FOUNDED_MS + 100_000;

/// A county whose first log (1) is sealed at its fourth entry and whose second one (2) has three; block 3 seals.
struct Sample {
    charter: Charter,
    first: Vec<Arc<VerifiedEntry>>,
    second: Vec<Arc<VerifiedEntry>>,
    claim: Claim,
    attestation: Vec<u8>,
}

fn write(author: &Organisation, charter: &Charter, count: u8) -> Vec<Arc<VerifiedEntry>> {
    let mut log: Vec<Arc<VerifiedEntry>> = Vec::new();
    for number in 0..count {
        let entry = author.entry(charter, log.last().map(|last| &**last), LATER_MS, 102, vec![number; 40]);
        log.push(entry);
    }
    log
}

fn head(log: &[Arc<VerifiedEntry>]) -> Head {
    Head { length: log.len() as u64, id: log[log.len() - 1].id() }
}

impl Sample {
    fn new() -> Self {
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        let county = Organisation::new("奉节县", Class::County, 2);
        secretariat.admit(&mut charter, &county);
        let first = write(&county, &charter, 4);
        let later = Organisation::new("奉节县", Class::County, 12);
        let key = PurposedKey { purpose: Purpose::Signing, key: public_key(&later.signing) };
        let content = added_key_content(MemberNumber(2), &key);
        let proof = sign(&later.signing, Domain::Possession, &charter.federation(), &content);
        let last = Some(Position { sequence: 3, id: first[3].id() });
        let seal = Seal { key: public_key(&county.signing), last };
        let replace = Operation::ReplaceKey { seal, grant: KeyGrant { member: MemberNumber(2), key, proof } };
        secretariat.try_append(&mut charter, vec![replace]).expect("it keeps every rule");
        let second = write(&later, &charter, 3);
        let none: [(protocol::identity::PublicKey, u64); 0] = [];
        let frontier = Frontier {
            federation: charter.federation(),
            charter_version: charter.version(),
            charter_tip: charter.tip(),
            heads: BTreeMap::from([(1, head(&first)), (2, head(&second))]),
            proofs: proofs_hash(none.into_iter(), None),
        };
        let beacon = Beacon {
            transport: public_key(&secretariat.transport),
            boot_ms: LATER_MS,
            counter: 1,
            expires_ms: LATER_MS + 1_000,
            charter_version: charter.version(),
            digest: frontier.digest(),
            entries: 7,
            interval_seconds: 600,
            condition: Condition::default(),
            heads: BTreeMap::new(),
        };
        let attestation = beacon.sign(&secretariat.transport, &charter.federation());
        Self { charter, first, second, claim: Claim { member: MemberNumber(2), frontier }, attestation }
    }

    fn blocks(&self) -> Vec<(FrameType, Vec<u8>)> {
        self.charter.blocks().iter().map(|block| (FrameType::Block, block.encode())).collect()
    }

    fn entries(&self) -> Vec<(FrameType, Vec<u8>)> {
        self.first.iter().chain(&self.second).map(|entry| (FrameType::Entry, entry.encode())).collect()
    }

    fn closing(&self, claim: &Claim) -> Vec<(FrameType, Vec<u8>)> {
        let bytes = claim.encode().expect("it keeps its bounds");
        vec![(FrameType::Claim, bytes), (FrameType::Attestation, self.attestation.clone())]
    }

    fn frames(&self) -> Vec<(FrameType, Vec<u8>)> {
        [self.blocks(), self.entries(), self.closing(&self.claim)].concat()
    }

    fn report_of(&self, frames: &[(FrameType, Vec<u8>)], expected: Option<FrontierDigest>) -> Report {
        let (mut writer, mut bytes) = Writer::new(&self.charter.federation());
        frames.iter().for_each(|(frame_type, content)| writer.frame(*frame_type, content, &mut bytes));
        writer.finish(&mut bytes);
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("audit.bundle");
        fs::write(&path, bytes).expect("the directory is writable");
        verify(&[path], false, expected).expect("the file can be read")
    }

    /// What is found in a file of these frames: rule and place.
    fn found(&self, frames: &[(FrameType, Vec<u8>)]) -> Vec<(String, Option<u32>, Option<u64>)> {
        let report = self.report_of(frames, Some(self.claim.digest()));
        if let Some(audit) = &report.audit {
            assert_eq!(audit.result == Verdict::Complete, report.findings.is_empty());
        }
        report.findings.into_iter().map(|finding| (finding.rule, finding.log, finding.sequence)).collect()
    }

    fn without(&self, gone: usize) -> Vec<(FrameType, Vec<u8>)> {
        let mut frames = self.frames();
        frames.remove(gone);
        frames
    }
}

fn named(rule: &str, log: u32, sequence: u64) -> (String, Option<u32>, Option<u64>) {
    (rule.to_owned(), Some(log), Some(sequence))
}

fn plain(rule: &str) -> (String, Option<u32>, Option<u64>) {
    (rule.to_owned(), None, None)
}

#[test]
fn a_whole_audit_bundle_is_complete() {
    let sample = Sample::new();
    let report = sample.report_of(&sample.frames(), Some(sample.claim.digest()));
    assert_eq!(report.findings, []);
    let audit = report.audit.expect("it is an audit bundle");
    assert_eq!((audit.result, audit.entries, audit.logs.len()), (Verdict::Complete, 7, 2));
    assert_eq!((audit.member_name.as_str(), audit.attestations[0].member), ("奉节县", 1));
    assert_eq!(audit.frontier, sample.claim.digest().to_string());
    assert!(audit.logs[0].sealed && !audit.logs[1].sealed && !audit.attestations[0].own);
    let json = serde_json::to_value(&audit).expect("it can be said in JSON");
    assert_eq!(json["result"], "COMPLETE");
    assert!(describe(&sample.report_of(&sample.frames(), None)).contains("测试联盟"));
    assert!(audit::describe(&audit).contains("奉节县"));
}

#[test]
fn each_thing_that_is_taken_is_named_as_that() {
    let sample = Sample::new();
    // Frames 0 to 2 are blocks, 3 to 6 the first log, 7 to 9 the second.
    assert_eq!(sample.found(&sample.without(9)), [named("entries-missing", 2, 2)]);
    assert_eq!(sample.found(&sample.without(8)), [named("entries-missing", 2, 1)]);
    assert_eq!(sample.found(&sample.without(4)), [named("entries-missing", 1, 1)]);
    let mut whole_log = sample.frames();
    whole_log.drain(7..10);
    assert_eq!(sample.found(&whole_log), [("log-missing".into(), Some(2), None)]);
    let mut bare = sample.frames();
    bare[4].1 = sample.first[1].without_body().encode();
    assert_eq!(sample.found(&bare), [named("bodies-missing", 1, 1)]);
    assert_eq!(sample.found(&sample.without(1))[0], plain("charter-blocks-missing"));
}

#[test]
fn a_charter_without_the_block_that_seals_is_named() {
    let sample = Sample::new();
    // Entries that name the missing block need not be complained of one by one.
    assert_eq!(sample.found(&sample.without(2)), [plain("charter-blocks-missing")]);
}

#[test]
fn a_lowered_head_is_named_and_nobody_attests_it() {
    let sample = Sample::new();
    let mut claim = sample.claim.clone();
    claim.frontier.heads.insert(2, head(&sample.second[..2]));
    let mut frames = [sample.blocks(), sample.entries(), sample.closing(&claim)].concat();
    let found = sample.found(&frames);
    assert_eq!(found, [plain("attestation-frontier"), named("head-lowered", 2, 2), plain("frontier-unexpected")]);
    // Who leaves the entry out as well is found out by those who attest the frontier, and by who expects it.
    frames.remove(9);
    assert_eq!(sample.found(&frames), [plain("attestation-frontier"), plain("frontier-unexpected")]);
    frames.pop();
    assert_eq!(sample.found(&frames), [plain("frontier-unexpected")]);
    assert!(sample.report_of(&frames, None).ok, "without either, nothing in the file can tell");
}

#[test]
fn a_forged_attestation_is_named() {
    let sample = Sample::new();
    let mut frames = sample.frames();
    let last = frames.len() - 1;
    frames[last].1[20] ^= 1;
    assert_eq!(sample.found(&frames), [plain("attestation-forged")]);
    let twice = [sample.frames(), vec![(FrameType::Attestation, sample.attestation.clone())]].concat();
    assert_eq!(sample.found(&twice), [plain("attestation-repeated")]);
    let early = [sample.blocks(), vec![(FrameType::Attestation, sample.attestation.clone())]].concat();
    assert_eq!(sample.found(&early)[0], plain("order"));
}

#[test]
fn no_frame_can_be_taken_unnoticed() {
    let sample = Sample::new();
    let frames = sample.frames();
    for (gone, frame) in frames.iter().enumerate() {
        let found = sample.found(&sample.without(gone));
        let expected = match frame.0 {
            // Nobody need attest, and without a claim the frontier is that of what the file holds.
            FrameType::Attestation => found.is_empty(),
            FrameType::Claim => found[0] == plain("order"),
            _ => !found.is_empty(),
        };
        assert!(expected, "frame {gone}: {found:?}");
    }
}
