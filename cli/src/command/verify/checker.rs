//! Takes frames in as a node would, and remembers what does not hold.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use protocol::bundle::{BundleError, FrameType};
use protocol::charter::{Charter, LogNumber, SignedBlock};
use protocol::completeness::Claim;
use protocol::entry::{Entry, EntryError, HEADER_BYTES, VerifiedEntry};
use protocol::fork::ForkProof;
use protocol::identity::{ContentHash, EntryId, FederationId, FrontierDigest, PublicKey};
use protocol::replica::{EntrySource, IgnoreReason, Outcome, Replica};
use rayon::prelude::*;
use serde::Serialize;

use super::audit::{self, Audit, AuditReport, Verdict};
use super::finding::{Broken, Finding};
use crate::bundle_file::{BundleFile, FileFrame, ReadError};

/// Entries whose signatures are checked on all cores at a time.
const BATCH: usize = 1_024;

/// What was found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// Whether everything holds.
    pub ok: bool,
    /// The files, in the order in which they were read.
    pub files: Vec<String>,
    /// Id of the federation.
    pub federation: String,
    /// Its name.
    pub federation_name: String,
    /// Charter blocks that hold.
    pub charter_version: u32,
    /// Entries that hold and attach.
    pub entries: u64,
    /// Those of them that have their bodies.
    pub bodies: u64,
    /// Fork proofs that hold.
    pub proofs: u64,
    /// Entries that hold and do not count: above a seal, or of a forked log.
    pub not_counted: u64,
    /// Entries behind a bad one of their log, which therefore cannot attach.
    pub behind_bad: u64,
    /// Whether the last file has an end that fits.
    pub ended: bool,
    /// What an audit bundle claims and whether it holds; nothing for other files.
    pub audit: Option<AuditReport>,
    /// What does not hold.
    pub findings: Vec<Finding>,
}

/// Reads files as one whole.
#[derive(Debug, Default)]
pub struct Checker {
    federation: Option<FederationId>,
    replica: Option<Replica>,
    report: Report,
    /// The file that is being read.
    file: String,
    /// Logs with a bad entry: its finding, and whether its successor has confirmed its id.
    broken: BTreeMap<LogNumber, (usize, bool)>,
    /// The finding of the last entry, when its header does not even name a log.
    orphan: Option<usize>,
    /// The log of the last entry that attached.
    last_log: Option<LogNumber>,
    /// A block does not hold: nobody can say what the rest is worth.
    stopped: bool,
    audit: Audit,
}

/// Contradictions are findings here and need no proof.
struct Nothing;

impl EntrySource for Nothing {
    fn entry(&self, _log: LogNumber, _sequence: u64) -> Option<Arc<VerifiedEntry>> {
        None
    }

    fn displaced(&self, _: &EntryId) -> Option<Arc<VerifiedEntry>> {
        None
    }
}

impl Checker {
    /// Takes a file in. Errors only when the system cannot read it.
    pub fn take_file<R: Read>(&mut self, path: &Path, file: &mut BundleFile<R>, is_segment: bool) -> io::Result<()> {
        self.file = path.display().to_string();
        self.report.files.push(self.file.clone());
        if *self.federation.get_or_insert(file.federation()) != file.federation() {
            let broken = Broken::new("federation", "这个文件属于另一个联盟", "the file is of another federation");
            self.find_in_file(0, broken);
            return Ok(());
        }
        let ended = self.take_frames(file)?;
        self.report.ended = file.has_ended();
        if ended && !file.has_ended() && !is_segment {
            let zh = "没有结尾：导出被截断（若是日志段，请加 --journal）";
            self.find_in_file(
                0,
                Broken::new("end-missing", zh, "no end: the export was cut (add --journal for a segment)"),
            );
        }
        Ok(())
    }

    /// Says whether the frames were readable to the end.
    fn take_frames<R: Read>(&mut self, file: &mut BundleFile<R>) -> io::Result<bool> {
        let mut batch = Vec::new();
        while !self.stopped {
            match file.next_frame() {
                Ok(Some(frame)) if frame.frame_type == FrameType::Entry => {
                    batch.push(frame);
                    if batch.len() == BATCH {
                        self.take_entries(std::mem::take(&mut batch));
                    }
                }
                Ok(Some(frame)) => {
                    self.take_entries(std::mem::take(&mut batch));
                    self.take_other(&frame);
                }
                Ok(None) => {
                    self.take_entries(batch);
                    return Ok(true);
                }
                Err(ReadError::Io(error)) => return Err(error),
                Err(ReadError::Bundle(error)) => {
                    self.take_entries(batch);
                    self.break_off(&error);
                    return Ok(false);
                }
            }
        }
        Ok(false)
    }

    /// The frames cannot be read on: names the place, and which entry would have come next.
    fn break_off(&mut self, error: &BundleError) {
        let (frame, offset) = match error {
            BundleError::FrameType { index, offset, .. }
            | BundleError::FrameLength { index, offset, .. }
            | BundleError::Cut { index, offset } => (Some(*index), *offset),
            _ => (None, 0),
        };
        self.find_in_file(offset, Broken::bundle(error));
        if let Some(finding) = self.report.findings.last_mut() {
            finding.frame = frame;
        }
        if let (Some(_), Some(log)) = (frame, self.last_log) {
            let index = self.report.findings.len() - 1;
            self.name_log(index, log);
        }
    }

    fn take_other(&mut self, frame: &FileFrame) {
        match frame.frame_type {
            FrameType::Block => self.take_block(frame),
            FrameType::Proof => self.take_proof(frame),
            FrameType::Claim | FrameType::Attestation => self.take_audit(frame),
            FrameType::Entry | FrameType::End => {}
        }
    }

    fn take_audit(&mut self, frame: &FileFrame) {
        let Some(replica) = &self.replica else { return };
        let charter = replica.charter();
        let taken = match frame.frame_type {
            FrameType::Claim => self.audit.take_claim(&frame.content, &charter.federation()),
            _ => self.audit.take_attestation(&frame.content, charter),
        };
        if let Err(broken) = taken {
            self.find(frame, broken);
        }
    }

    fn take_block(&mut self, frame: &FileFrame) {
        let taken = SignedBlock::decode(&frame.content).map_err(Into::into).and_then(|block| match &mut self.replica {
            Some(replica) => replica.append_block(block, &Nothing, &mut Vec::new()).map(drop),
            None => Charter::genesis(block).map(|charter| self.replica = Some(Replica::new(charter))),
        });
        let broken = match taken {
            Err(error) => Some(Broken::charter(&error)),
            Ok(()) if self.replica.as_ref().map(|replica| replica.charter().federation()) != self.federation => {
                let zh = "章程不是文件所写的那个联盟的";
                Some(Broken::new("federation", zh, "the charter is not that of the federation that the file names"))
            }
            Ok(()) => None,
        };
        if let Some(broken) = broken {
            self.find(frame, broken);
            self.stopped = true;
        }
    }

    fn take_proof(&mut self, frame: &FileFrame) {
        let Some(replica) = &mut self.replica else { return };
        let federation = replica.charter().federation();
        match ForkProof::decode(&frame.content, &federation) {
            Ok(proof) => {
                replica.add_proof(proof, &mut Vec::new());
                self.report.proofs += 1;
            }
            Err(error) => self.find(frame, Broken::new("proof", "分叉证明不成立", error)),
        }
    }

    fn take_entries(&mut self, frames: Vec<FileFrame>) {
        let Some(first) = frames.first() else { return };
        let Some(federation) = self.replica.as_ref().map(|replica| replica.charter().federation()) else {
            let zh = "前面没有章程：日志段要从第一段起全部给出";
            self.find(
                &first.clone(),
                Broken::new("charter-missing", zh, "no charter before it: give all segments, the first one first"),
            );
            self.stopped = true;
            return;
        };
        let verify = |frame: &FileFrame| Entry::decode(&frame.content).and_then(|entry| entry.verify(&federation));
        let verified: Vec<Result<VerifiedEntry, EntryError>> = frames.par_iter().map(verify).collect();
        for (frame, result) in frames.iter().zip(verified) {
            match result {
                Ok(entry) => self.take_good(frame, Arc::new(entry)),
                Err(error) => self.take_bad(frame, &error),
            }
        }
    }

    /// An entry that cannot be trusted. Its header may lie about where it belongs.
    fn take_bad(&mut self, frame: &FileFrame, error: &EntryError) {
        let header = frame.content.first_chunk::<HEADER_BYTES>();
        let key = header.and_then(|header| header[2..34].try_into().ok()).map(PublicKey);
        let log = key.and_then(|key| Some(self.replica.as_ref()?.charter().log_of(&key)?.number));
        if log.is_some_and(|log| self.broken.contains_key(&log)) {
            self.report.behind_bad += 1;
            return;
        }
        self.find(frame, Broken::entry(error));
        let index = self.report.findings.len() - 1;
        self.report.findings[index].id = header.map(|header| EntryId(ContentHash::of(header).0).to_string());
        match log {
            Some(log) => self.mark_broken(index, log),
            None => self.orphan = Some(index),
        }
    }

    fn take_good(&mut self, frame: &FileFrame, entry: Arc<VerifiedEntry>) {
        let Some(replica) = &mut self.replica else { return };
        let header = entry.header();
        let log = replica.charter().log_of(&header.key).map(|grant| grant.number);
        if let Some(log) = log {
            self.audit.presence.note(log, header.sequence);
            let follows_gap = header.sequence == replica.length(log) + 1;
            if let Some(index) = self.orphan.take().filter(|_| follows_gap && !self.broken.contains_key(&log)) {
                self.mark_broken(index, log);
            }
            if let Some((index, confirmed)) = self.broken.get_mut(&log) {
                self.report.behind_bad += 1;
                // The successor names the id that the bad entry had before it was altered.
                if follows_gap && !std::mem::replace(confirmed, true) {
                    self.report.findings[*index].id = Some(header.previous.to_string());
                }
                return;
            }
        }
        self.orphan = None;
        let Some(replica) = &mut self.replica else { return };
        let broken = match replica.insert(&entry, &Nothing, &mut Vec::new()) {
            Outcome::Appended => {
                self.report.entries += 1;
                self.report.bodies += u64::from(entry.body().is_some());
                self.last_log = log;
                return;
            }
            Outcome::BodyArrived => {
                self.report.bodies += 1;
                return;
            }
            Outcome::Duplicate => return,
            Outcome::Ignored(IgnoreReason::AboveSeal | IgnoreReason::ForkedLog) => {
                self.report.not_counted += 1;
                return;
            }
            Outcome::Ignored(reason) => Broken::new(reason.name(), "所依据的章程版本不在文件里", reason),
            Outcome::Refused(reason) => Broken::refused(reason),
            Outcome::Staged => Broken::new("gap", "前面缺条目", "entries before it are missing"),
            Outcome::Forked | Outcome::Diverged => Broken::new(
                "chain",
                "与所在日志接不上：前一条的标识不对",
                "it does not continue its log: the id of its predecessor differs",
            ),
        };
        self.find(frame, broken);
        let index = self.report.findings.len() - 1;
        let finding = &mut self.report.findings[index];
        (finding.id, finding.sequence) = (Some(entry.id().to_string()), Some(entry.header().sequence));
        if let Some(log) = log {
            let sequence = finding.sequence;
            self.mark_broken(index, log);
            self.report.findings[index].sequence = sequence;
            // This entry is what it says it is; nothing needs to confirm its id.
            self.broken.insert(log, (index, true));
        }
    }

    fn mark_broken(&mut self, index: usize, log: LogNumber) {
        self.broken.insert(log, (index, false));
        self.name_log(index, log);
    }

    /// Names member, log and the place where the next entry of the log was expected.
    fn name_log(&mut self, index: usize, log: LogNumber) {
        let Some(replica) = &self.replica else { return };
        let charter = replica.charter();
        let Some(grant) = charter.logs().get(log as usize) else { return };
        let finding = &mut self.report.findings[index];
        finding.member = Some(grant.member.0);
        finding.member_name = charter.members().get(&grant.member).map(|member| member.name.clone());
        finding.log = Some(log);
        finding.sequence = Some(replica.length(log));
    }

    fn find(&mut self, frame: &FileFrame, broken: Broken) {
        self.find_in_file(frame.offset, broken);
        if let Some(finding) = self.report.findings.last_mut() {
            finding.frame = Some(frame.index);
        }
    }

    fn find_in_file(&mut self, offset: u64, broken: Broken) {
        let Broken { rule, zh, en } = broken;
        let (file, rule) = (self.file.clone(), rule.to_owned());
        let (frame, member, member_name, log, sequence, id) = (None, None, None, None, None, None);
        self.report.findings.push(Finding {
            file,
            offset,
            frame,
            member,
            member_name,
            log,
            sequence,
            id,
            rule,
            zh,
            en,
        });
    }

    /// What was found over all files. `expected` is the frontier that they should be of.
    pub fn finish(mut self, expected: Option<FrontierDigest>) -> Report {
        if let Some(replica) = self.replica.take() {
            self.report.federation_name = replica.charter().name().to_owned();
            self.report.charter_version = replica.charter().version();
            self.judge(&replica, expected);
        } else if self.report.findings.is_empty() {
            self.find_in_file(0, Broken::new("empty", "文件里什么也没有", "there is nothing in the file"));
        }
        self.report.federation = self.federation.map(|federation| federation.to_string()).unwrap_or_default();
        self.report.ok = self.report.findings.is_empty();
        self.report
    }

    /// Compares what the files hold with what they claim to hold.
    fn judge(&mut self, replica: &Replica, expected: Option<FrontierDigest>) {
        let digest = self.audit.claim().map_or_else(|| replica.frontier().digest(), Claim::digest);
        if let Some(claim) = self.audit.claim() {
            // What is missing is named below, entry by entry and block by block.
            let lacks_blocks = claim.frontier.charter_version > replica.charter().version();
            let follows = |rule: &str| rule == "gap" || (lacks_blocks && rule == IgnoreReason::CharterAhead.name());
            self.report.findings.retain(|finding| !follows(&finding.rule));
        }
        for difference in self.audit.differences(replica) {
            self.find_in_file(0, audit::lacking(&difference));
            let place = difference.place();
            if let (Some((log, sequence)), Some(finding)) = (place, self.report.findings.last_mut()) {
                let member = replica.charter().logs().get(log as usize).map(|grant| grant.member);
                let name = member.and_then(|number| replica.charter().members().get(&number));
                (finding.log, finding.sequence) = (Some(log), sequence);
                (finding.member, finding.member_name) =
                    (member.map(|member| member.0), name.map(|member| member.name.clone()));
            }
        }
        if expected.is_some_and(|expected| expected != digest) {
            self.find_in_file(0, audit::unexpected(digest));
        }
        let holds = self.report.findings.is_empty();
        let verdict = if holds { Verdict::Complete } else { Verdict::Incomplete };
        self.report.audit = std::mem::take(&mut self.audit).report(replica, verdict);
    }
}
