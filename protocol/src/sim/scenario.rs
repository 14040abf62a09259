//! What happens in a run, as data: how many members, what the network is like, who is hostile, and what goes wrong when.

use std::collections::BTreeSet;

use serde::Deserialize;
use thiserror::Error;

/// Members that one run may have.
pub const SCENARIO_MEMBERS_MAX: u32 = 10_000;

/// A scenario. Members are numbered from 0; 0 is the secretariat, which is the only registrar.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// One sentence: what it shows.
    pub about: String,
    /// Members, the secretariat among them.
    pub members: u32,
    /// Links that each member opens to random others.
    #[serde(default = "defaults::links")]
    pub links: u32,
    /// How long members publish and things go wrong.
    pub active_ms: u64,
    /// How long nothing new happens after that, so that everybody can come to rest.
    #[serde(default = "defaults::rest_ms")]
    pub rest_ms: u64,
    /// The pause between a node's beacons while nothing changes.
    #[serde(default = "defaults::beacon_interval_ms")]
    pub beacon_interval_ms: u64,
    /// The grace of the health model.
    #[serde(default = "defaults::grace_ms")]
    pub grace_ms: u64,
    /// The pause between rounds of sync with random peers.
    #[serde(default = "defaults::round_ms")]
    pub round_ms: u64,
    /// How often nodes look at the health of the others.
    #[serde(default = "defaults::health_ms")]
    pub health_ms: u64,
    /// Entries of one member that gossip takes in a minute; 0 sets no limit.
    #[serde(default)]
    pub gossip_entries_per_minute: u32,
    /// Members that do not run at the beginning.
    #[serde(default)]
    pub absent: BTreeSet<u32>,
    /// Members that are admitted only by an action.
    #[serde(default)]
    pub applicants: BTreeSet<u32>,
    /// What members publish.
    #[serde(default)]
    pub publish: Publish,
    /// What the network is like.
    #[serde(default)]
    pub network: Rules,
    /// Crashes at random.
    #[serde(default)]
    pub churn: Option<Churn>,
    /// Partitions at random.
    #[serde(default)]
    pub tremor: Option<Tremor>,
    /// Members that break the rules.
    #[serde(default)]
    pub hostile: Vec<Hostile>,
    /// What happens when.
    #[serde(default)]
    pub events: Vec<Happening>,
}

/// What members publish.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Publish {
    /// The mean pause between two batches of one member.
    pub every_ms: u64,
    /// Entries in a batch, at most.
    pub batch_max: u32,
    /// Bytes of a body, at most.
    pub body_bytes_max: u32,
    /// Only the first so many members publish; 0 for all.
    pub members: u32,
    /// Entries that each member publishes at most; 0 for no bound.
    pub entries_max: u32,
}

/// What the network is like.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rules {
    /// The shortest time on the way.
    pub latency_ms: u64,
    /// What chance adds to it at most: messages of gossip overtake one another.
    pub jitter_ms: u64,
    /// Lost, in thousandths. What is sent on a stream is sent again.
    pub loss_permille: u32,
    /// Messages of gossip that come twice, in thousandths.
    pub duplicate_permille: u32,
    /// What a member sends in a second at most.
    pub bytes_per_second: u64,
}

/// Crashes at random.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Churn {
    /// The mean pause between two crashes.
    pub every_ms: u64,
    /// How long a member is down at most.
    pub down_ms: u64,
}

/// Partitions at random.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tremor {
    /// The mean pause between the end of one and the next.
    pub every_ms: u64,
    /// How long one lasts at most.
    pub lasts_ms: u64,
}

/// A member that breaks the rules.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hostile {
    /// Which.
    pub member: u32,
    /// How.
    pub habits: BTreeSet<Habit>,
    /// The pause between two of its misdeeds.
    #[serde(default = "defaults::misdeed_ms")]
    pub every_ms: u64,
}

/// A way to break the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Habit {
    /// Signs two entries for one place, and tells one half of its neighbours this and the other half that.
    Fork,
    /// Claims entries and delivers none.
    Withhold,
    /// Claims logs to be longer than they are.
    LyingHeads,
    /// Sends junk, and more entries than it may.
    Flood,
    /// Sends entries whose signatures do not verify, by gossip and by sync.
    BadSignature,
    /// Signs entries and beacons of the far future.
    Future,
    /// Sends again what was sent long ago.
    Replay,
    /// Signs entries under charter versions that do not exist.
    CharterAhead,
    /// Signs entries whose predecessors do not exist.
    Orphan,
    /// Goes on signing after its expulsion as if nothing had happened.
    Unsealed,
    /// Says in beacons that it holds far more than there is.
    Boast,
}

/// Something that happens at a time.
#[derive(Debug, Clone, Deserialize)]
pub struct Happening {
    /// When.
    pub at_ms: u64,
    /// What.
    #[serde(flatten)]
    pub action: Action,
}

/// What can happen.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// These members and the others do not reach one another.
    Partition {
        /// One side.
        members: BTreeSet<u32>,
    },
    /// What one member sends does not reach the other; the other way it does.
    Block {
        /// Who sends.
        from: u32,
        /// Who hears nothing.
        to: u32,
    },
    /// Everybody reaches everybody again.
    Heal,
    /// Power is cut: what is not flushed may be lost.
    Crash {
        /// Whose.
        member: u32,
    },
    /// Power is cut at a step of a commit to come.
    CrashInCommit {
        /// Whose.
        member: u32,
        /// Steps of the disk that are still carried out.
        steps: u32,
    },
    /// A member starts, on the disk that it has.
    Start {
        /// Which.
        member: u32,
    },
    /// The disk refuses every write from now on.
    DiskFails {
        /// Whose.
        member: u32,
    },
    /// The disk is well again; the node must be started.
    DiskMended {
        /// Whose.
        member: u32,
    },
    /// A copy of the disk is put aside.
    Backup {
        /// Whose.
        member: u32,
    },
    /// Power is cut, and the copy takes the place of the disk.
    Restore {
        /// Whose.
        member: u32,
    },
    /// Power is cut, and the database is gone; the journal is not.
    LoseDatabase {
        /// Whose.
        member: u32,
    },
    /// A member's line is slow from now on.
    Slow {
        /// Whose.
        member: u32,
        /// What it sends in a second at most.
        bytes_per_second: u64,
    },
    /// The secretariat expels a member; its log counts as far as the secretariat holds it.
    Expel {
        /// Which.
        member: u32,
    },
    /// The secretariat admits an applicant, which starts with the charter alone.
    Admit {
        /// Which.
        member: u32,
    },
}

/// Why a scenario makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScenarioError {
    /// Too few or too many members.
    #[error("a scenario has 2 to {SCENARIO_MEMBERS_MAX} members, not {found}")]
    Members {
        /// How many it has.
        found: u32,
    },
    /// It names a member that it does not have.
    #[error("there is no member {member} in {place}")]
    NoMember {
        /// The number.
        member: u32,
        /// Where.
        place: &'static str,
    },
    /// The secretariat founds the federation.
    #[error("member 0 is the secretariat and neither applicant nor hostile")]
    Secretariat,
    /// Something happens after the end.
    #[error("an event at {at_ms} ms comes after the active time")]
    Late {
        /// When.
        at_ms: u64,
    },
    /// A time that must pass is zero.
    #[error("{field} must not be 0")]
    Zero {
        /// Which.
        field: &'static str,
    },
}

impl Scenario {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// The first rule that it breaks.
    pub fn check(&self) -> Result<(), ScenarioError> {
        if !(2..=SCENARIO_MEMBERS_MAX).contains(&self.members) {
            return Err(ScenarioError::Members { found: self.members });
        }
        let exists = |member: u32, place: &'static str| {
            if member < self.members { Ok(()) } else { Err(ScenarioError::NoMember { member, place }) }
        };
        self.absent.iter().try_for_each(|member| exists(*member, "absent"))?;
        self.applicants.iter().try_for_each(|member| exists(*member, "applicants"))?;
        self.hostile.iter().try_for_each(|hostile| exists(hostile.member, "hostile"))?;
        if self.applicants.contains(&0) || self.hostile.iter().any(|hostile| hostile.member == 0) {
            return Err(ScenarioError::Secretariat);
        }
        for happening in &self.events {
            happening.action.members().iter().try_for_each(|member| exists(*member, "events"))?;
            if happening.at_ms > self.active_ms {
                return Err(ScenarioError::Late { at_ms: happening.at_ms });
            }
        }
        let pauses = [
            ("round_ms", self.round_ms),
            ("health_ms", self.health_ms),
            ("beacon_interval_ms", self.beacon_interval_ms),
            ("bytes_per_second", self.network.bytes_per_second),
            ("every_ms", self.hostile.iter().map(|hostile| hostile.every_ms).min().unwrap_or(1)),
        ];
        match pauses.iter().find(|(_, value)| *value == 0) {
            Some((field, _)) => Err(ScenarioError::Zero { field }),
            None => Ok(()),
        }
    }
}

impl Action {
    fn members(&self) -> Vec<u32> {
        match self {
            Self::Partition { members } => members.iter().copied().collect(),
            Self::Block { from, to } => vec![*from, *to],
            Self::Heal => Vec::new(),
            Self::Crash { member }
            | Self::CrashInCommit { member, .. }
            | Self::Start { member }
            | Self::DiskFails { member }
            | Self::DiskMended { member }
            | Self::Backup { member }
            | Self::Restore { member }
            | Self::LoseDatabase { member }
            | Self::Slow { member, .. }
            | Self::Expel { member }
            | Self::Admit { member } => vec![*member],
        }
    }
}

impl Default for Publish {
    fn default() -> Self {
        Self { every_ms: 3_000, batch_max: 3, body_bytes_max: 600, members: 0, entries_max: 0 }
    }
}

impl Default for Rules {
    fn default() -> Self {
        let (latency_ms, jitter_ms, bytes_per_second) = (20, 60, 2_000_000);
        Self { latency_ms, jitter_ms, loss_permille: 0, duplicate_permille: 0, bytes_per_second }
    }
}

mod defaults {
    pub(super) fn links() -> u32 {
        3
    }

    pub(super) fn rest_ms() -> u64 {
        90_000
    }

    pub(super) fn beacon_interval_ms() -> u64 {
        10_000
    }

    pub(super) fn grace_ms() -> u64 {
        5_000
    }

    pub(super) fn round_ms() -> u64 {
        10_000
    }

    pub(super) fn health_ms() -> u64 {
        1_000
    }

    pub(super) fn misdeed_ms() -> u64 {
        2_000
    }
}
