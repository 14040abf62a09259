//! What the HTTP API says of the federation's health: who is up, what is wrong with whom, and who holds which log.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MemberName;

/// The federation as this node sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HealthView {
    /// When it was looked at, by this node's clock.
    pub as_of_ms: u64,
    /// The worst of everything below: `ok`, `warning` or `critical`.
    pub severity: String,
    /// How many members are how.
    pub counts: HealthCounts,
    /// This node, and whether it can tell at all.
    pub own: OwnHealth,
    /// Every active member, the worst first, then by number.
    pub members: Vec<MemberHealth>,
}

/// How many members are how. The states add up to `members`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HealthCounts {
    /// Active members, this node's own among them.
    pub members: usize,
    /// Up: this node's own, those that it is connected with, and those whose beacon it heard lately.
    pub up: usize,
    /// Of these, known by a connection within seconds (this node's own among them).
    pub up_direct: usize,
    /// Of these, known by a beacon within two intervals.
    pub up_beacon: usize,
    /// Heard before, not now.
    pub silent: usize,
    /// Admitted, and never heard by anybody.
    pub never_joined: usize,
    /// This node cannot tell: it is cut off or has just started.
    pub unknown: usize,
    /// Members whose worst finding or state is a warning.
    pub warnings: usize,
    /// Members whose worst finding or state is critical.
    pub critical: usize,
    /// Members with each finding, by its id; all ids are there.
    pub findings: BTreeMap<String, usize>,
}

/// This node.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnHealth {
    /// Its member; absent while it is none.
    pub member: Option<MemberName>,
    /// Since when it is cut off; absent while it is not.
    pub cut_off_since_ms: Option<u64>,
    /// Until when it waits to hear from others, after a start or after it was cut off; absent once it can tell.
    pub settling_until_ms: Option<u64>,
    /// When it started.
    pub started_ms: u64,
    /// Members that it is connected with.
    pub links: usize,
    /// When it last heard a beacon or had a connection.
    pub heard_ms: Option<u64>,
    /// Version of its software.
    pub version: String,
    /// The highest version that enough members run; absent while too few were heard.
    pub reference_version: Option<String>,
    /// Seconds between two beacons.
    pub beacon_seconds: u64,
    /// Entries that count here.
    pub entries: u64,
    /// Entries that others hold and this node lacks, as far as it knows.
    pub missing_entries: u64,
    /// Bodies that this node lacks.
    pub missing_bodies: u64,
    /// Free bytes on the volume of the data directory; absent where the system does not tell.
    pub disk_free_bytes: Option<u64>,
    /// The same in thousandths of the volume.
    pub disk_free_permille: Option<u16>,
    /// How far this machine's clock is ahead of the middle of its peers' (negative: behind), in milliseconds; absent
    /// while no peer was asked.
    pub clock_offset_ms: Option<i64>,
    /// How it is, in one sentence, in Chinese: cut off, waiting to hear, or connected.
    pub text_zh: String,
    /// The same in English.
    pub text_en: String,
}

/// How a member is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberHealth {
    /// The member.
    pub member: MemberName,
    /// English name of its class.
    pub class: String,
    /// Chinese name of its class.
    pub class_zh: String,
    /// Its division code; may be empty.
    pub region: String,
    /// The name of that division; may be empty.
    pub region_name: String,
    /// Whether it is this node's own.
    pub own: bool,
    /// `never_joined`, `up`, `silent` or `unknown`.
    pub state: String,
    /// The state in Chinese.
    pub state_zh: String,
    /// The state in English.
    pub state_en: String,
    /// Since when. Of a silent member, when it was last heard; of an unknown one, since when this node cannot tell.
    pub since_ms: u64,
    /// How the state is known: `own`, `direct` (a connection, within seconds), `beacon` (within two intervals), or
    /// `none`.
    pub source: String,
    /// When what is shown was true: now for a connection, else when the last beacon came.
    pub as_of_ms: u64,
    /// When it last gave a sign of life; absent if never.
    pub heard_ms: Option<u64>,
    /// What stands here is old since then: the member is silent, or this node cannot tell.
    pub stale_since_ms: Option<u64>,
    /// When it was first heard by this node; absent if never.
    pub joined_ms: Option<u64>,
    /// Whether this node is connected with it now.
    pub linked: bool,
    /// The worst of state and findings: `ok`, `warning` or `critical`.
    pub severity: String,
    /// What is wrong, the worst first.
    pub findings: Vec<HealthFinding>,
    /// What its node said of itself last; absent if nothing was heard since this node started.
    pub report: Option<BeaconReport>,
}

/// Something that is wrong with a member's node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HealthFinding {
    /// Stable id: `silent`, `never_joined`, `behind`, `forked`, `outdated`, `clock_off`, `disk_filling`, `restarting`,
    /// `incomplete`, `throttled`, and `cut_off` of this node itself.
    pub id: String,
    /// `warning` or `critical`.
    pub severity: String,
    /// Since when.
    pub since_ms: u64,
    /// Figures by name, for instance `entries` of `behind`, `offset_ms` of `clock_off`.
    pub figures: BTreeMap<String, i64>,
    /// What is wrong, in Chinese, with its figures.
    pub what_zh: String,
    /// What is wrong, in English.
    pub what_en: String,
    /// What to do, in Chinese.
    pub fix_zh: String,
    /// What to do, in English.
    pub fix_en: String,
}

/// What a node said of itself in its last beacon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BeaconReport {
    /// When it came, by this node's clock.
    pub as_of_ms: u64,
    /// Version of its software.
    pub version: String,
    /// When it started, by its own clock.
    pub boot_ms: u64,
    /// Seconds between two of its beacons.
    pub interval_seconds: u32,
    /// Version of the charter's tip that it holds.
    pub charter_version: u32,
    /// Digest of its frontier.
    pub digest: String,
    /// Whether that was this node's frontier too when the beacon came.
    pub agrees: bool,
    /// Entries that count there.
    pub entries: u64,
    /// Members that it is connected with.
    pub peers: u16,
    /// Entries that it knows it lacks.
    pub missing_entries: u32,
    /// Bodies that it lacks.
    pub missing_bodies: u32,
    /// Free bytes on its volume, to the mebibyte; absent where it does not know.
    pub disk_free_bytes: Option<u64>,
    /// The same in thousandths of the volume.
    pub disk_free_permille: Option<u16>,
    /// How far its clock is ahead of the middle of its peers', in milliseconds; absent where it does not know.
    pub clock_offset_ms: Option<i64>,
    /// Messages that it rejected since it started.
    pub rejected: u32,
}

/// One member: how it is, and who holds its logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberHealthDetail {
    /// When it was looked at.
    pub as_of_ms: u64,
    /// How it is.
    pub health: MemberHealth,
    /// Who holds its logs.
    pub custody: Vec<LogCustody>,
    /// Whether this node can tell; if not, why, as in the overview.
    pub own: OwnHealth,
}

/// Who holds which log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CustodyView {
    /// When it was looked at.
    pub as_of_ms: u64,
    /// The worst of the logs: `ok`, `warning` or `critical`.
    pub severity: String,
    /// How many members must hold each log. In a federation with fewer, all of them.
    pub replicas_wanted: usize,
    /// In how many provinces. Where members are in fewer, all of them.
    pub provinces_wanted: usize,
    /// Logs that fewer hold than the rule wants.
    pub short: usize,
    /// Logs that hold an entry that counts, those that fewest hold first.
    pub logs: Vec<LogCustody>,
    /// Until when this node waits to hear who holds what; absent once it can tell. Nothing is short before.
    pub settling_until_ms: Option<u64>,
    /// Since when this node is cut off; absent while it is not. What stands here is as old.
    pub cut_off_since_ms: Option<u64>,
}

/// Who holds a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LogCustody {
    /// Its number.
    pub log: u32,
    /// Whose it is.
    pub member: MemberName,
    /// English name of the member's class.
    pub class: String,
    /// The member's division code; may be empty.
    pub region: String,
    /// Entries that count.
    pub length: u64,
    /// Of these, the ones that were here long enough to have reached everybody: the rule is about them.
    pub settled_length: u64,
    /// Members that hold all of `settled_length` (of `length`, while nothing is settled), this node's among them. Who was
    /// not heard for a week is left out.
    pub held_by: usize,
    /// Members that hold all of `length`.
    pub held_whole_by: usize,
    /// Provinces in which those of `held_by` are.
    pub provinces: usize,
    /// Active members.
    pub members: usize,
    /// How many members hold it up to where: from the longest down, a few steps.
    pub steps: Vec<HeldStep>,
    /// Members that lack some of `settled_length`, the first few by number.
    pub missing_from: Vec<MemberName>,
    /// How many lack some of it.
    pub missing: usize,
    /// Whether fewer hold it than the rule wants.
    pub short: bool,
    /// Since when it is short.
    pub short_since_ms: Option<u64>,
    /// `ok`, `warning` or `critical`.
    pub severity: String,
    /// What is wrong, in Chinese; empty when nothing is.
    pub what_zh: String,
    /// What is wrong, in English.
    pub what_en: String,
    /// What to do, in Chinese.
    pub fix_zh: String,
    /// What to do, in English.
    pub fix_en: String,
}

/// So many members hold at least so many entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldStep {
    /// Entries from the beginning.
    pub length: u64,
    /// Members that hold at least these.
    pub members: usize,
}
