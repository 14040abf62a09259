//! What a holder has evaluated: for each member today and in all. The count is on disk before an answer leaves, and a
//! clock that goes back gives nobody a second day.
//!
//! `ledger.json` holds the counts; when a day ends, a line for each member that asked goes to `evaluations.csv`. These are
//! figures only: what was asked is unknown to the holder itself.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use protocol::identity::MemberNumber;
use protocol::lead_token::{quota_day, quota_day_begins_ms};
use serde::{Deserialize, Serialize};

use crate::directory::{DirectoryError, file_error, private_directory, replace_private};

/// The only layout of the file.
const FORMAT: u32 = 1;
/// Longest ledger, in bytes: there is room for every member of a federation.
const LEDGER_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Length from which the figures of finished days begin a new file; one old file is kept.
const DAYS_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Days by which the ledger may be ahead of the clock.
const DAYS_AHEAD_MAX: u64 = 1;
const LEDGER_FILE: &str = "ledger.json";
const DAYS_FILE: &str = "evaluations.csv";
const OLD_DAYS_FILE: &str = "evaluations.old.csv";

/// Evaluations of one member.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tally {
    /// On the day of the ledger.
    pub today: u32,
    /// Ever.
    pub total: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    format: u32,
    day: u64,
    members: BTreeMap<MemberNumber, Tally>,
}

/// The ledger of a holder.
#[derive(Debug)]
pub struct Ledger {
    folder: PathBuf,
    content: Content,
}

/// More was asked for than what remains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exceeded {
    /// What remains today.
    pub remaining: u32,
    /// When the next day begins.
    pub again_ms: u64,
}

impl Ledger {
    /// Reads the ledger of a folder, which need not exist yet. A ledger that cannot be read is an error: counting anew
    /// would give everybody another day.
    pub fn open(folder: PathBuf) -> Result<Self, DirectoryError> {
        let path = folder.join(LEDGER_FILE);
        let content = match fs::metadata(&path) {
            Ok(found) if found.len() > LEDGER_BYTES_MAX => return Err(damaged(&path, "it is too long")),
            Ok(_) => {
                let text = fs::read_to_string(&path).map_err(file_error(&path))?;
                serde_json::from_str(&text).map_err(|error| damaged(&path, &error.to_string()))?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Content { format: FORMAT, ..Content::default() }
            }
            Err(error) => return Err(file_error(&path)(error)),
        };
        if content.format != FORMAT {
            return Err(damaged(&path, "another layout"));
        }
        Ok(Self { folder, content })
    }

    /// Counts evaluations of a member at a time, if no more than `per_day` come together on that day. What remains then.
    /// Durable on return.
    pub fn take(
        &mut self,
        member: MemberNumber,
        count: u32,
        per_day: u32,
        now_ms: u64,
    ) -> Result<Result<u32, Exceeded>, DirectoryError> {
        let mut next = self.content.clone();
        let day = quota_day(now_ms);
        next.day = self.day(now_ms);
        if day > next.day {
            next.day = day;
            next.members.values_mut().for_each(|tally| tally.today = 0);
        }
        let again_ms = quota_day_begins_ms(next.day + 1);
        let tally = next.members.entry(member).or_default();
        let remaining = per_day.saturating_sub(tally.today);
        if count > remaining {
            return Ok(Err(Exceeded { remaining, again_ms }));
        }
        tally.today += count;
        tally.total = tally.total.saturating_add(u64::from(count));
        private_directory(&self.folder)?;
        if next.day > self.content.day {
            self.close_day()?;
        }
        let mut bytes = serde_json::to_vec(&next).unwrap_or_default();
        bytes.push(b'\n');
        replace_private(&self.folder.join(LEDGER_FILE), &bytes)?;
        self.content = next;
        Ok(Ok(remaining - count))
    }

    /// What remains to a member at a time.
    pub fn remaining(&self, member: MemberNumber, per_day: u32, now_ms: u64) -> u32 {
        let today = self.tallies(now_ms).find(|(held, _)| *held == member).map_or(0, |(_, tally)| tally.today);
        per_day.saturating_sub(today)
    }

    /// What each member has asked for, as of a time.
    pub fn tallies(&self, now_ms: u64) -> impl Iterator<Item = (MemberNumber, Tally)> + '_ {
        let current = self.day(now_ms) >= quota_day(now_ms);
        let tally = move |(member, tally): (&MemberNumber, &Tally)| {
            (*member, Tally { today: if current { tally.today } else { 0 }, ..*tally })
        };
        self.content.members.iter().map(tally)
    }

    /// When the day of the ledger ends, as of a time.
    pub fn day_ends_ms(&self, now_ms: u64) -> u64 {
        quota_day_begins_ms(self.day(now_ms).max(quota_day(now_ms)) + 1)
    }

    /// The day that the counts are of. One that is further ahead than a clock set right explains was counted under a clock
    /// that was wrong: its counts are today's, so that they give nobody a second day and do not stand for years.
    fn day(&self, now_ms: u64) -> u64 {
        let today = quota_day(now_ms);
        if self.content.day > today + DAYS_AHEAD_MAX { today } else { self.content.day }
    }

    /// Adds the figures of the day that ends. A crash behind it repeats them, which a reader of figures can see.
    fn close_day(&self) -> Result<(), DirectoryError> {
        let asked = self.content.members.iter().filter(|(_, tally)| tally.today > 0);
        let begins_ms = quota_day_begins_ms(self.content.day);
        let lines: String = asked.map(|(member, tally)| format!("{begins_ms},{member},{}\n", tally.today)).collect();
        if lines.is_empty() {
            return Ok(());
        }
        let path = self.folder.join(DAYS_FILE);
        let length = fs::metadata(&path).map_or(0, |found| found.len());
        if length > DAYS_BYTES_MAX {
            fs::rename(&path, self.folder.join(OLD_DAYS_FILE)).map_err(file_error(&path))?;
        }
        let mut options = fs::OpenOptions::new();
        let opened = options.create(true).append(true).mode(0o600).open(&path);
        let mut file = opened.map_err(file_error(&path))?;
        let head = if length == 0 || length > DAYS_BYTES_MAX { "day_begins_ms,member,evaluations\n" } else { "" };
        file.write_all(format!("{head}{lines}").as_bytes()).map_err(file_error(&path))
    }
}

fn damaged(path: &Path, reason: &str) -> DirectoryError {
    DirectoryError::Content { path: path.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-03-05T16:00:00Z is midnight in China.
    const MIDNIGHT: u64 = 1_772_726_400_000;
    const DAY_MS: u64 = 86_400_000;
    const COUNTY: MemberNumber = MemberNumber(3);

    fn ledger(folder: &tempfile::TempDir) -> Ledger {
        Ledger::open(folder.path().join("leads")).expect("it can be read")
    }

    #[test]
    fn no_more_than_the_quota_of_a_day_also_after_a_restart() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let take = |ledger: &mut Ledger, member, count, now| ledger.take(member, count, 200, now).expect("a free disk");
        let mut first = ledger(&folder);
        assert_eq!(take(&mut first, COUNTY, 64, MIDNIGHT), Ok(136));
        assert_eq!(take(&mut first, COUNTY, 136, MIDNIGHT), Ok(0));
        drop(first);
        let mut again = ledger(&folder);
        let exceeded = Err(Exceeded { remaining: 0, again_ms: MIDNIGHT + DAY_MS });
        assert_eq!(take(&mut again, COUNTY, 1, MIDNIGHT + DAY_MS - 1), exceeded);
        assert_eq!(take(&mut again, MemberNumber(4), 1, MIDNIGHT), Ok(199), "each member has its own");
        assert_eq!(take(&mut again, COUNTY, 200, MIDNIGHT + DAY_MS), Ok(0), "the next day");
        let tallies: Vec<_> = again.tallies(MIDNIGHT + DAY_MS).collect();
        assert_eq!(tallies[0], (COUNTY, Tally { today: 200, total: 400 }));
        let days = fs::read_to_string(folder.path().join("leads").join(DAYS_FILE)).expect("a day has ended");
        assert_eq!(days, format!("day_begins_ms,member,evaluations\n{MIDNIGHT},3,200\n{MIDNIGHT},4,1\n"));
    }

    #[test]
    fn a_clock_that_was_years_ahead_does_not_stop_the_days() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut ledger = ledger(&folder);
        assert_eq!(ledger.take(COUNTY, 150, 200, MIDNIGHT + 3_650 * DAY_MS).expect("a free disk"), Ok(50));
        assert_eq!(ledger.remaining(COUNTY, 200, MIDNIGHT), 50, "no second day");
        let exceeded = Err(Exceeded { remaining: 50, again_ms: MIDNIGHT + DAY_MS });
        assert_eq!(ledger.take(COUNTY, 51, 200, MIDNIGHT).expect("a free disk"), exceeded);
        assert_eq!(ledger.take(COUNTY, 50, 200, MIDNIGHT).expect("a free disk"), Ok(0));
        assert_eq!(ledger.take(COUNTY, 200, 200, MIDNIGHT + DAY_MS).expect("a free disk"), Ok(0), "the next day");
    }

    #[test]
    fn a_clock_that_goes_back_gives_no_second_day() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut ledger = ledger(&folder);
        assert_eq!(ledger.take(COUNTY, 200, 200, MIDNIGHT).expect("a free disk"), Ok(0));
        let back = ledger.take(COUNTY, 1, 200, MIDNIGHT - DAY_MS).expect("a free disk");
        assert_eq!(back, Err(Exceeded { remaining: 0, again_ms: MIDNIGHT + DAY_MS }));
        assert_eq!(ledger.tallies(MIDNIGHT + DAY_MS).next().map(|(_, tally)| tally.today), Some(0));
    }

    #[test]
    fn a_damaged_ledger_is_not_counted_anew() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut first = ledger(&folder);
        first.take(COUNTY, 5, 200, MIDNIGHT).expect("a free disk").expect("it is within the quota");
        let path = folder.path().join("leads").join(LEDGER_FILE);
        fs::write(&path, "{").expect("the file is writable");
        assert!(matches!(Ledger::open(folder.path().join("leads")), Err(DirectoryError::Content { .. })));
    }
}
