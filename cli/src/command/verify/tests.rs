//! Verification of good, altered, cut and foreign files.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use protocol::bundle::{FRAME_HEAD_BYTES, FrameType, PREAMBLE_BYTES, Writer, preamble, put_frame};
use protocol::charter::{Charter, Class};
use protocol::entry::VerifiedEntry;
use protocol::testing::{FOUNDED_MS, Organisation};

use super::*;

/// A federation of two with three entries in each log.
struct Sample {
    charter: Charter,
    entries: Vec<Arc<VerifiedEntry>>,
}

impl Sample {
    fn new() -> Self {
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        let county = Organisation::new("奉节县", Class::County, 2);
        secretariat.admit(&mut charter, &county);
        let mut entries: Vec<Arc<VerifiedEntry>> = Vec::new();
        for author in [&secretariat, &county] {
            let mut previous: Option<Arc<VerifiedEntry>> = None;
            for number in 0..3 {
                let body = vec![number; 40];
                let entry = author.entry(&charter, previous.as_deref(), FOUNDED_MS + 10_000, 102, body);
                entries.push(Arc::clone(&entry));
                previous = Some(entry);
            }
        }
        Self { charter, entries }
    }

    fn export(&self) -> Vec<u8> {
        let (mut writer, mut bytes) = Writer::new(&self.charter.federation());
        self.charter.blocks().iter().for_each(|block| writer.frame(FrameType::Block, &block.encode(), &mut bytes));
        self.entries.iter().for_each(|entry| writer.frame(FrameType::Entry, &entry.encode(), &mut bytes));
        writer.finish(&mut bytes);
        bytes
    }

    /// The own-log journal of the second member.
    fn segment(&self) -> Vec<u8> {
        let mut bytes = preamble(&self.charter.federation());
        self.charter.blocks().iter().for_each(|block| put_frame(&mut bytes, FrameType::Block, &block.encode()));
        self.entries[3..].iter().for_each(|entry| put_frame(&mut bytes, FrameType::Entry, &entry.encode()));
        bytes
    }

    /// Where the entry of that position begins in the export, behind its frame's head.
    fn offset(&self, entry: usize) -> usize {
        let blocks: usize = self.charter.blocks().iter().map(|block| block.encode().len() + FRAME_HEAD_BYTES).sum();
        let before: usize = self.entries[..entry].iter().map(|entry| entry.encode().len() + FRAME_HEAD_BYTES).sum();
        PREAMBLE_BYTES + blocks + before + FRAME_HEAD_BYTES
    }
}

fn write(bytes: &[u8], name: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let path = folder.path().join(name);
    fs::write(&path, bytes).expect("the directory is writable");
    (folder, path)
}

fn report(bytes: &[u8], name: &str) -> Report {
    let (_folder, path) = write(bytes, name);
    verify(&[path], false, None).expect("the file can be read")
}

#[test]
fn a_good_export_holds() {
    let sample = Sample::new();
    let report = report(&sample.export(), "a.bundle");
    assert_eq!(report.findings, []);
    assert!(report.ok && report.ended);
    assert_eq!((report.charter_version, report.entries, report.bodies), (2, 6, 6));
    assert_eq!(report.federation, sample.charter.federation().to_string());
}

#[test]
fn any_altered_byte_of_an_entry_names_that_entry() {
    let sample = Sample::new();
    let good = sample.export();
    // Entries 1 and 4 stand in the middle of their logs.
    for (position, member, log) in [(1, 1, 0), (4, 2, 1)] {
        let start = sample.offset(position);
        let entry = &sample.entries[position];
        for index in 0..entry.encode().len() {
            let mut bytes = good.clone();
            bytes[start + index] ^= 0x20;
            let report = report(&bytes, "a.bundle");
            let finding = &report.findings[0];
            assert_eq!(finding.id, Some(entry.id().to_string()), "byte {index}: {finding:?}");
            assert_eq!(
                (finding.member, finding.log, finding.sequence),
                (Some(member), Some(log), Some(1)),
                "byte {index}"
            );
            assert_eq!(finding.offset as usize, start - FRAME_HEAD_BYTES);
            assert_eq!((report.ok, report.entries, report.behind_bad), (false, 4, 1), "byte {index}");
            // Beside the entry only the end of the file complains.
            let rules: Vec<&str> = report.findings[1..].iter().map(|finding| finding.rule.as_str()).collect();
            assert_eq!(rules, ["end"]);
        }
    }
}

#[test]
fn a_failure_has_its_own_exit_code_and_says_everything_to_programs() {
    let sample = Sample::new();
    let mut bytes = sample.export();
    let last = sample.offset(5) + sample.entries[5].encode().len() - 1;
    bytes[last] ^= 1;
    let failure = failed(&report(&bytes, "a.bundle"));
    assert_eq!(failure.exit, ExitCode::VerificationFailed);
    let json = failure.to_json();
    assert_eq!((&json["ok"], &json["error"]["exit"]), (&false.into(), &10.into()));
    assert_eq!(json["findings"][0]["rule"], "body-hash");
    assert_eq!(json["findings"][0]["member_name"], "奉节县");
    assert_eq!(json["findings"][0]["id"], sample.entries[5].id().to_string());
    assert!(failure.to_string().contains("奉节县"));
}

#[test]
fn a_cut_file_is_noticed_wherever_it_was_cut() {
    let sample = Sample::new();
    let bytes = sample.export();
    let inside = report(&bytes[..sample.offset(2) + 30], "a.bundle");
    assert_eq!((inside.findings[0].rule.as_str(), inside.entries), ("cut", 2));
    assert_eq!((inside.findings[0].log, inside.findings[0].sequence), (Some(0), Some(2)));
    let between = report(&bytes[..sample.offset(2) - FRAME_HEAD_BYTES], "a.bundle");
    assert_eq!((between.findings[0].rule.as_str(), between.entries), ("end-missing", 2));
}

#[test]
fn an_altered_frame_head_names_the_place() {
    let sample = Sample::new();
    let mut bytes = sample.export();
    let head = sample.offset(1) - FRAME_HEAD_BYTES;
    bytes[head] = 77;
    let report = report(&bytes, "a.bundle");
    assert_eq!((report.findings[0].rule.as_str(), report.findings[0].offset as usize), ("frame-type", head));
}

#[test]
fn a_journal_segment_needs_no_end() {
    let sample = Sample::new();
    let good = report(&sample.segment(), "00000000.journal");
    assert!(good.ok && !good.ended, "{:?}", good.findings);
    assert_eq!(good.entries, 3);
    assert!(!report(&sample.segment(), "a.bundle").ok);
    let (_folder, path) = write(&sample.segment(), "segment");
    assert!(verify(&[path], true, None).expect("the file can be read").ok);
}

#[test]
fn a_later_segment_needs_the_ones_before_it() {
    let sample = Sample::new();
    let mut later = preamble(&sample.charter.federation());
    let first = sample.segment();
    let last = sample.entries[5].encode();
    put_frame(&mut later, FrameType::Entry, &last);
    assert_eq!(report(&later, "1.journal").findings[0].rule, "charter-missing");

    let folder = tempfile::tempdir().expect("a temporary directory");
    let cut = first.len() - last.len() - FRAME_HEAD_BYTES;
    fs::write(folder.path().join("0.journal"), &first[..cut]).expect("the directory is writable");
    fs::write(folder.path().join("1.journal"), &later).expect("the directory is writable");
    let both = verify(&[folder.path().to_owned()], false, None).expect("the files can be read");
    assert!(both.ok, "{:?}", both.findings);
    assert_eq!(both.entries, 3);
}

#[test]
fn another_sort_of_file_is_refused() {
    let (_folder, path) = write(b"PK\x03\x04 a spreadsheet", "a.xlsx");
    let failure = verify(&[path], false, None).expect_err("it is no bundle");
    assert_eq!((failure.exit, failure.code.as_ref()), (ExitCode::InputRefused, "not-a-bundle"));
    let missing = verify(&[PathBuf::from("no-such-file")], false, None).expect_err("it is missing");
    assert_eq!(missing.code, "file-missing");
}

#[test]
fn an_altered_charter_stops_everything() {
    let sample = Sample::new();
    let mut bytes = sample.export();
    bytes[PREAMBLE_BYTES + FRAME_HEAD_BYTES + 20] ^= 1;
    let report = report(&bytes, "a.bundle");
    assert_eq!((report.findings.len(), report.entries), (1, 0));
    assert!(["charter", "federation"].contains(&report.findings[0].rule.as_str()));
}
