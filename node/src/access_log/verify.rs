//! Whether the chain holds: every line is what was written, none is missing.

use std::fs;
use std::path::{Path, PathBuf};

use super::file::{NOTHING, files, hash_of, head, number};
use super::limits::{ATTEMPTS_MAX, BREAKS_MAX, FILES_MAX, SEQUENCE_MAX};
use crate::api::types::AccessEntry;

/// A place where the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Break {
    /// Name of the file.
    pub file: String,
    /// Line in it, from 1; 0 for the file as a whole.
    pub line: usize,
    /// What is wrong, in Chinese.
    pub zh: String,
    /// What is wrong, in English.
    pub en: String,
}

/// What verifying found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Lines that are here.
    pub lines: u64,
    /// Sequence of the first of them; older ones made room.
    pub first: u64,
    /// Sequence of the last line.
    pub length: u64,
    /// Hash of the last line.
    pub head: String,
    /// Where the chain is broken; a bounded number.
    pub breaks: Vec<Break>,
}

impl Verified {
    fn found(&mut self, file: &str, line: usize, zh: impl Into<String>, en: impl Into<String>) {
        if self.breaks.len() < BREAKS_MAX {
            self.breaks.push(Break { file: file.to_owned(), line, zh: zh.into(), en: en.into() });
        }
    }
}

/// Verifies the log of a directory. One that was never begun has no lines and no breaks.
pub fn verify(path: &Path) -> Verified {
    let mut verified = Verified::default();
    for _ in 0..ATTEMPTS_MAX {
        // First, so that lines that are appended meanwhile are newer than what it says.
        let end = head(path);
        let listed = match files(path) {
            Ok(listed) => listed,
            Err(error) => {
                let mut failed = Verified { head: NOTHING.to_owned(), ..Verified::default() };
                failed.found("access", 0, format!("目录读不出：{error}"), format!("it cannot be listed: {error}"));
                return failed;
            }
        };
        verified = verify_files(&listed, end.as_ref());
        if files(path).is_ok_and(|now| now == listed) {
            break;
        }
    }
    verified
}

/// Goes through the lines. `end` is the last one that was remembered, if any was.
fn verify_files(files: &[PathBuf], end: Option<&(u64, String)>) -> Verified {
    let mut verified = Verified { head: NOTHING.to_owned(), ..Verified::default() };
    let mut chain = Chain { previous: None, lacks_beginning: may_lack_beginning(&mut verified, files), end };
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let text = match fs::read(file) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(error) => {
                verified.found(&name, 0, format!("读不出：{error}"), format!("it cannot be read: {error}"));
                continue;
            }
        };
        // A line without an end was cut by a crash and never acknowledged.
        for (index, line) in text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n')).enumerate() {
            match serde_json::from_str::<AccessEntry>(line) {
                Ok(entry) if entry.sequence <= SEQUENCE_MAX => {
                    chain.judge(&mut verified, (&name, index + 1), line, entry);
                }
                _ => verified.found(&name, index + 1, "这一行不是日志行", "this is no line of the log"),
            }
        }
    }
    if let Some(last) = chain.previous {
        (verified.length, verified.head) = (last.sequence, last.hash);
    }
    missing_end(&mut verified, end);
    verified
}

/// Whether older files can have made room: then as many as are kept are here, and the first is not number one. Says
/// which files between are missing.
fn may_lack_beginning(verified: &mut Verified, files: &[PathBuf]) -> bool {
    let numbers: Vec<u64> = files.iter().filter_map(|file| number(file)).collect();
    for pair in numbers.windows(2).filter(|pair| pair[1] - pair[0] != 1) {
        let (after, before) = (format!("{:06}", pair[0]), format!("{:06}", pair[1]));
        let zh = format!("文件 {after} 和 {before} 之间有文件被删");
        verified.found(&format!("{before}.jsonl"), 0, zh, format!("files between {after} and {before} were removed"));
    }
    numbers.len() >= FILES_MAX && numbers.first().is_some_and(|first| *first > 1)
}

/// What the next line must follow.
struct Chain<'a> {
    previous: Option<AccessEntry>,
    lacks_beginning: bool,
    end: Option<&'a (u64, String)>,
}

impl Chain<'_> {
    fn judge(&mut self, verified: &mut Verified, (file, line): (&str, usize), text: &str, entry: AccessEntry) {
        if verified.lines == 0 {
            verified.first = entry.sequence;
        }
        verified.lines += 1;
        // What the hash does not cover, spaces and unknown fields, was not written by this program.
        let is_as_written = serde_json::to_string(&entry).is_ok_and(|written| written == text);
        if hash_of(&entry) != entry.hash || !is_as_written {
            verified.found(file, line, "内容与哈希不符：被改过", "content and hash do not fit: it was changed");
        } else if self.end.is_some_and(|(sequence, hash)| *sequence == entry.sequence && *hash != entry.hash) {
            verified.found(
                "head",
                0,
                "这一行与末端记录不符",
                "the line is not the one that was remembered as the last",
            );
        }
        self.follow(verified, (file, line), &entry);
        self.previous = Some(entry);
    }

    fn follow(&self, verified: &mut Verified, (file, line): (&str, usize), entry: &AccessEntry) {
        let (expected, hash) = match &self.previous {
            Some(before) => (before.sequence + 1, before.hash.as_str()),
            None if entry.sequence > 1 && self.lacks_beginning => return,
            None => (1, NOTHING),
        };
        let found = entry.sequence;
        if found != expected {
            let zh = format!("应是第 {expected} 行，却是第 {found} 行：中间有行被删");
            let en = format!("line {expected} should stand here, and {found} does: lines were removed");
            verified.found(file, line, zh, en);
        } else if entry.previous != hash {
            verified.found(file, line, "与前一行不相接", "it does not follow the line before");
        }
    }
}

/// Lines that were remembered and are not there. What was remembered may be behind: lines came since, or a crash.
fn missing_end(verified: &mut Verified, end: Option<&(u64, String)>) {
    let Some((sequence, _)) = end else {
        if verified.lines > 0 {
            verified.found("head", 0, "末端记录不在", "the record of the last line is missing");
        }
        return;
    };
    if *sequence > verified.length {
        let missing = sequence - verified.length;
        let zh = format!("末尾缺 {missing} 行");
        verified.found("head", 0, zh, format!("{missing} lines are missing at the end"));
    }
}
