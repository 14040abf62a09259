//! How the members' nodes are, as one node can tell (DESIGN 9).
//!
//! [`Model`] is pure: it is told who the members are ([`Model::roster`]), which connections are open ([`Model::linked`]),
//! what beacons said ([`Model::heard`]), how this node is ([`Model::own`]) and what time it is ([`Model::tick`]); it says
//! for every member a [`State`] and what is wrong ([`Finding`]). Times are milliseconds of a clock that never goes back; what
//! is shown and kept is in times of the machine's clock ([`Model::wall`]), which people may set.
//!
//! Three things keep it honest:
//!
//! - **Hysteresis.** What makes a state end differs from what makes it begin, and both take longer than jitter: a lost
//!   connection counts for a while, a new one must last a little before it calls a silent member back, and a finding
//!   must hold, and be gone, for a time.
//! - **Nothing old is green.** What is known says from when it is and by what: a connection, or a beacon.
//! - **Mine or theirs.** A node that has no connections and hears nobody says so of itself, and calls the others
//!   unknown; so does one that has just started, for those whom it has not heard.

pub mod clock;
mod finding;
mod model;
#[cfg(test)]
mod tests;
pub mod thresholds;
mod watched;

use std::collections::BTreeMap;

use crate::beacon::{Beacon, Condition, Version};
use crate::charter::{Charter, Standing};
use crate::identity::MemberNumber;
use crate::replica::Replica;

pub use model::Model;
pub use thresholds::Thresholds;

/// How a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It gives signs of life.
    Up,
    /// This node cannot tell: it is cut off or has just started.
    Unknown,
    /// Admitted, and nobody ever heard of it.
    NeverJoined,
    /// It was heard before, and is not any more.
    Silent,
}

impl State {
    /// The word in interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Unknown => "unknown",
            Self::NeverJoined => "never_joined",
            Self::Silent => "silent",
        }
    }
}

/// By what a state is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// It is this node.
    Own,
    /// By a connection, within seconds.
    Direct,
    /// By a beacon, within two intervals.
    Beacon,
    /// By nothing.
    None,
}

impl Source {
    /// The word in interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Direct => "direct",
            Self::Beacon => "beacon",
            Self::None => "none",
        }
    }
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing is wrong.
    Ok,
    /// It works, and somebody should look after it.
    Warning,
    /// Something does not work, or soon will not.
    Critical,
}

impl Severity {
    /// The word in interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What can be wrong with a member's node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ailment {
    /// This node itself is cut off.
    CutOff,
    /// Its log is forked and not sealed.
    Forked,
    /// It was heard before, and is not any more.
    Silent,
    /// It was admitted long ago, and nobody ever heard of it.
    NeverJoined,
    /// It lacks entries or charter blocks that this node has held since its last beacon. This node itself: it lacks
    /// entries, and they do not come.
    Behind,
    /// It lacks bodies.
    Incomplete,
    /// Its clock is off.
    ClockOff,
    /// Its disk is filling.
    DiskFilling,
    /// It starts too often.
    Restarting,
    /// Its software is older than what others run.
    Outdated,
    /// It sends more than the charter allows, and is throttled.
    Throttled,
}

impl Ailment {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::CutOff,
        Self::Forked,
        Self::Silent,
        Self::NeverJoined,
        Self::Behind,
        Self::Incomplete,
        Self::ClockOff,
        Self::DiskFilling,
        Self::Restarting,
        Self::Outdated,
        Self::Throttled,
    ];

    /// The stable id.
    pub fn name(self) -> &'static str {
        match self {
            Self::CutOff => "cut_off",
            Self::Forked => "forked",
            Self::Silent => "silent",
            Self::NeverJoined => "never_joined",
            Self::Behind => "behind",
            Self::Incomplete => "incomplete",
            Self::ClockOff => "clock_off",
            Self::DiskFilling => "disk_filling",
            Self::Restarting => "restarting",
            Self::Outdated => "outdated",
            Self::Throttled => "throttled",
        }
    }
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub ailment: Ailment,
    /// How bad.
    pub severity: Severity,
    /// Since when.
    pub since_ms: u64,
    /// Figures by name.
    pub figures: BTreeMap<&'static str, i64>,
}

/// A member as the charter and its log show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enrolled {
    /// Its number.
    pub member: MemberNumber,
    /// When it was admitted, by the charter.
    pub admitted_ms: u64,
    /// Whether its log holds anything: then it was there once.
    pub wrote: bool,
    /// Where its log is forked and not sealed.
    pub forked_at: Option<u64>,
}

/// Every active member, as charter and logs show it, by number.
pub fn enrolled(replica: &Replica) -> Vec<Enrolled> {
    let charter = replica.charter();
    let active = charter.members().values().filter(|member| member.standing == Standing::Active);
    let mut enrolled: Vec<Enrolled> = active
        .map(|member| Enrolled {
            member: member.number,
            admitted_ms: block_time_ms(charter, member.admitted),
            wrote: false,
            forked_at: None,
        })
        .collect();
    for grant in charter.logs() {
        let Ok(index) = enrolled.binary_search_by_key(&grant.member, |member| member.member) else { continue };
        enrolled[index].wrote |= replica.effective_length(grant.number) > 0;
        if grant.seal.is_none() {
            enrolled[index].forked_at = enrolled[index].forked_at.or(replica.fork_of(&grant.key));
        }
    }
    enrolled
}

fn block_time_ms(charter: &Charter, version: u32) -> u64 {
    let index = version.checked_sub(charter.blocks().first().map_or(0, |block| block.block().version));
    let block = index.and_then(|index| charter.blocks().get(index as usize));
    block.map_or(0, |block| block.block().time_ms)
}

/// What a beacon said, and how it compared when it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// When it came.
    pub at_ms: u64,
    /// When the node started, by its clock.
    pub boot_ms: u64,
    /// Seconds between two of its beacons.
    pub interval_seconds: u32,
    /// Version of its charter's tip.
    pub charter_version: u32,
    /// Entries that count for it.
    pub entries: u64,
    /// Whether its frontier was this node's.
    pub agrees: bool,
    /// What it said of its own state.
    pub condition: Condition,
}

impl Report {
    /// What `beacon` says, heard at `at_ms`.
    pub fn of(beacon: &Beacon, agrees: bool, at_ms: u64) -> Self {
        let Beacon { boot_ms, interval_seconds, charter_version, entries, condition, .. } = *beacon;
        Self { at_ms, boot_ms, interval_seconds, charter_version, entries, agrees, condition }
    }
}

/// How this node is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own {
    /// Its member, while it is one.
    pub member: Option<MemberNumber>,
    /// Version of the charter's tip.
    pub charter_version: u32,
    /// Entries that count.
    pub entries: u64,
    /// Entries that wait for others before them.
    pub staged: u32,
    /// What it says in its own beacons. Missing entries and peers are filled in by the model.
    pub condition: Condition,
}

/// What must survive a restart, in times of the machine's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remembered {
    /// The member.
    pub member: MemberNumber,
    /// When it was first heard.
    pub joined_ms: u64,
    /// When it was last heard.
    pub heard_ms: u64,
}

/// How a member is, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The member.
    pub member: MemberNumber,
    /// How it is.
    pub state: State,
    /// Since when; of a silent one, when it was last heard.
    pub since_ms: u64,
    /// By what that is known.
    pub source: Source,
    /// When what is said of it was true.
    pub as_of_ms: u64,
    /// When it last gave a sign of life.
    pub heard_ms: Option<u64>,
    /// When it was first heard.
    pub joined_ms: Option<u64>,
    /// Since when what is said of it is old.
    pub stale_since_ms: Option<u64>,
    /// Whether a connection is open.
    pub linked: bool,
    /// What is wrong, the worst first.
    pub findings: Vec<Finding>,
    /// What it said last.
    pub report: Option<Report>,
}

impl Assessment {
    /// The worst of what is wrong.
    pub fn severity(&self) -> Severity {
        self.findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Ok)
    }
}

/// Everything that the model says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// When.
    pub as_of_ms: u64,
    /// Since when this node is cut off.
    pub cut_off_since_ms: Option<u64>,
    /// Until when this node waits to hear from others.
    pub settling_until_ms: Option<u64>,
    /// When a member was last heard.
    pub heard_ms: Option<u64>,
    /// Members that this node is connected with.
    pub links: usize,
    /// The highest version that enough members run.
    pub reference: Option<Version>,
    /// How this node is.
    pub own: Own,
    /// Every member, by number.
    pub members: Vec<Assessment>,
}
