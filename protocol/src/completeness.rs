//! Completeness (DESIGN 5.8): whether a file holds all that a member published up to a frontier.
//!
//! An audit bundle is an export of one member that ends with a [`Claim`]: the member, and everything that a frontier
//! digest covers. The charter chain says which logs the member ever had and where they are sealed; fork proofs say
//! where a log ceases to count; the claim says how far each log goes. What a file lacks of that is a [`Difference`].
//!
//! Nothing in the file can prove that the frontier is the one that others hold: whoever writes the file could name an
//! earlier or a lesser one. So it carries [`Attestation`]s, the beacons in which other nodes named exactly this
//! frontier, and a verifier can be told which digest to expect.
//!
//! Layout of a claim: `layout u8 = 1, member u32, charter version u32, tip [32], proof set [32], count u32`, then for
//! each head, strictly ascending by log: `log u32, length u64, id [32]`.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::beacon::{Beacon, BeaconError};
use crate::bytes::{LayoutError, Reader};
use crate::charter::{Charter, LogGrant, LogNumber, Purpose};
use crate::frontier::{Frontier, Head};
use crate::identity::{BlockHash, EntryId, FederationId, FrontierDigest, MemberNumber, PublicKey};
use crate::limits::CLAIM_HEADS_MAX;
use crate::replica::{Eraser, Replica};

const LAYOUT: u8 = 1;
const HEAD_BYTES: usize = 44;
/// Bytes of a claim whose frontier has no head.
pub const CLAIM_BYTES_MIN: usize = 77;
/// Bytes of the longest claim.
pub const CLAIM_BYTES_MAX: usize = CLAIM_BYTES_MIN + CLAIM_HEADS_MAX * HEAD_BYTES;

/// What an audit bundle claims: to hold all that a member published up to a frontier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The member.
    pub member: MemberNumber,
    /// The frontier, so that its digest can be computed again.
    pub frontier: Frontier,
}

impl Claim {
    /// The canonical bytes, unless the frontier has too many heads.
    pub fn encode(&self) -> Result<Vec<u8>, LayoutError> {
        let Frontier { charter_version, charter_tip, heads, proofs, federation: _ } = &self.frontier;
        check_count(heads.len() as u64)?;
        let mut out = vec![LAYOUT];
        out.extend_from_slice(&self.member.0.to_le_bytes());
        out.extend_from_slice(&charter_version.to_le_bytes());
        out.extend_from_slice(charter_tip.as_bytes());
        out.extend_from_slice(proofs);
        out.extend_from_slice(&(heads.len() as u32).to_le_bytes());
        for (log, head) in heads {
            out.extend_from_slice(&log.to_le_bytes());
            out.extend_from_slice(&head.length.to_le_bytes());
            out.extend_from_slice(head.id.as_bytes());
        }
        Ok(out)
    }

    /// Reads the canonical bytes.
    pub fn decode(bytes: &[u8], federation: &FederationId) -> Result<Self, LayoutError> {
        let mut reader = Reader::new(bytes);
        if reader.u8("claim layout")? != LAYOUT {
            return Err(LayoutError::Rule { field: "claim layout", rule: "must be 1" });
        }
        let member = MemberNumber(reader.u32("member")?);
        let charter_version = reader.u32("charter version")?;
        let charter_tip = BlockHash(reader.array("tip hash")?);
        let proofs = reader.array("proof set")?;
        let count = reader.u32("claimed heads")?;
        check_count(count.into())?;
        let mut heads = BTreeMap::new();
        for _ in 0..count {
            let log: LogNumber = reader.u32("log")?;
            if heads.last_key_value().is_some_and(|(last, _)| *last >= log) {
                return Err(LayoutError::Rule { field: "log", rule: "must be strictly ascending" });
            }
            let length = reader.u64("length")?;
            if length == 0 {
                return Err(LayoutError::Rule { field: "length", rule: "must not be 0" });
            }
            heads.insert(log, Head { length, id: EntryId(reader.array("head id")?) });
        }
        reader.finish()?;
        let frontier = Frontier { federation: *federation, charter_version, charter_tip, heads, proofs };
        Ok(Self { member, frontier })
    }

    /// The digest of the frontier.
    pub fn digest(&self) -> FrontierDigest {
        self.frontier.digest()
    }
}

fn check_count(found: u64) -> Result<(), LayoutError> {
    let bound = CLAIM_HEADS_MAX as u64;
    if found > bound { Err(LayoutError::Bound { field: "claimed heads", found, bound }) } else { Ok(()) }
}

/// What a file lacks of what it claims, or holds against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Difference {
    /// The charter knows no such member.
    #[error("the charter in the file has no such member")]
    MemberUnknown,
    /// The file's charter ends at another version than the frontier's.
    #[error("the frontier stands on charter version {named}, the file holds {held} blocks")]
    CharterBlocks {
        /// Version that the frontier names.
        named: u32,
        /// Version of the file's tip.
        held: u32,
    },
    /// The charter of that version is another one.
    #[error("the frontier stands on another charter of version {version}")]
    CharterTip {
        /// The version.
        version: u32,
    },
    /// The proofs in the file are not those that the frontier covers.
    #[error("the fork proofs in the file are not those that the frontier covers")]
    Proofs,
    /// The frontier names a log that the charter does not have.
    #[error("the charter in the file has no log {log}")]
    LogUnknown {
        /// The log.
        log: LogNumber,
    },
    /// Nothing of a log is in the file.
    #[error("log {log} is missing, all {length} entries")]
    LogMissing {
        /// The log.
        log: LogNumber,
        /// Entries that the frontier names.
        length: u64,
    },
    /// Entries of a log are not in the file, or do not hold.
    #[error("log {log} lacks entries {from} to {to}")]
    EntriesMissing {
        /// The log.
        log: LogNumber,
        /// Sequence of the first.
        from: u64,
        /// Sequence of the last.
        to: u64,
    },
    /// More entries of a log count than the frontier names.
    #[error("the frontier names {named} entries of log {log}, but {proven} count")]
    HeadLowered {
        /// The log.
        log: LogNumber,
        /// Entries that the frontier names.
        named: u64,
        /// Entries that count by what is in the file.
        proven: u64,
    },
    /// The entries that the frontier names are there, but not all of them count.
    #[error("the frontier names {named} entries of log {log}, but only {proven} count")]
    HeadUnproven {
        /// The log.
        log: LogNumber,
        /// Entries that the frontier names.
        named: u64,
        /// Entries that count by what is in the file.
        proven: u64,
    },
    /// The frontier names another branch.
    #[error("the frontier names another entry {sequence} of log {log}")]
    HeadDiffers {
        /// The log.
        log: LogNumber,
        /// Sequence of the head.
        sequence: u64,
    },
    /// The charter seals a log at an entry that is not in the file.
    #[error("the charter says that log {log} counts up to entry {sequence}, which is not in the file")]
    SealedBranchMissing {
        /// The log.
        log: LogNumber,
        /// Sequence of the seal.
        sequence: u64,
    },
    /// Bodies are not in the file, and no erasure that counts says that they must go.
    #[error("log {log} lacks the bodies of entries {from} to {to}, which nobody erased")]
    BodiesMissing {
        /// The log.
        log: LogNumber,
        /// Sequence of the first.
        from: u64,
        /// Sequence of the last.
        to: u64,
    },
}

impl Difference {
    /// The stable identifier.
    pub fn name(&self) -> &'static str {
        match self {
            Self::MemberUnknown => "member-unknown",
            Self::CharterBlocks { .. } => "charter-blocks-missing",
            Self::CharterTip { .. } => "charter-tip",
            Self::Proofs => "proofs-differ",
            Self::LogUnknown { .. } => "log-unknown",
            Self::LogMissing { .. } => "log-missing",
            Self::EntriesMissing { .. } => "entries-missing",
            Self::HeadLowered { .. } => "head-lowered",
            Self::HeadUnproven { .. } => "head-unproven",
            Self::HeadDiffers { .. } => "head-differs",
            Self::SealedBranchMissing { .. } => "sealed-branch-missing",
            Self::BodiesMissing { .. } => "bodies-missing",
        }
    }

    /// The log that it is about, and the place where it begins there.
    pub fn place(&self) -> Option<(LogNumber, Option<u64>)> {
        match *self {
            Self::MemberUnknown | Self::CharterBlocks { .. } | Self::CharterTip { .. } | Self::Proofs => None,
            Self::LogUnknown { log } | Self::LogMissing { log, .. } => Some((log, None)),
            Self::EntriesMissing { log, from, .. } | Self::BodiesMissing { log, from, .. } => Some((log, Some(from))),
            Self::HeadLowered { log, named, .. } => Some((log, Some(named))),
            Self::HeadUnproven { log, proven, .. } => Some((log, Some(proven))),
            Self::HeadDiffers { log, sequence } | Self::SealedBranchMissing { log, sequence } => {
                Some((log, Some(sequence)))
            }
        }
    }
}

/// Which entries of each log were met, in ascending order: what is missing between them can then be named, though a
/// replica takes in nothing behind a gap.
#[derive(Debug, Clone, Default)]
pub struct Presence {
    logs: BTreeMap<LogNumber, Met>,
}

#[derive(Debug, Clone, Default)]
struct Met {
    /// One more than the highest sequence.
    next: u64,
    /// First and last sequence of each gap below it.
    gaps: Vec<(u64, u64)>,
}

impl Presence {
    /// Notes an entry whose signature holds.
    pub fn note(&mut self, log: LogNumber, sequence: u64) {
        let met = self.logs.entry(log).or_default();
        if sequence > met.next {
            met.gaps.push((met.next, sequence - 1));
        }
        met.next = met.next.max(sequence.saturating_add(1));
    }

    /// Logs of which an entry was met.
    pub fn logs(&self) -> impl Iterator<Item = LogNumber> + '_ {
        self.logs.keys().copied()
    }

    /// First and last sequence of each run of entries below `length` that was not met.
    fn missing(&self, log: LogNumber, length: u64) -> Vec<(u64, u64)> {
        let Some(met) = self.logs.get(&log) else { return Vec::new() };
        let below = met.gaps.iter().filter(|(from, _)| *from < length).map(|(from, to)| (*from, (*to).min(length - 1)));
        let end = (met.next < length).then(|| (met.next, length - 1));
        below.chain(end).collect()
    }
}

/// Everything that a file lacks of what it claims. Empty: it is complete.
///
/// `replica` must have been built from the file alone, `presence` from the entries in it whose signatures hold.
pub fn differences(claim: &Claim, replica: &Replica, presence: &Presence) -> Vec<Difference> {
    let (charter, frontier) = (replica.charter(), &claim.frontier);
    let mut found = Vec::new();
    if !charter.members().contains_key(&claim.member) {
        found.push(Difference::MemberUnknown);
    }
    if charter.version() != frontier.charter_version {
        found.push(Difference::CharterBlocks { named: frontier.charter_version, held: charter.version() });
    } else {
        if charter.tip() != frontier.charter_tip {
            found.push(Difference::CharterTip { version: charter.version() });
        }
        // With a charter that is too short, later logs are unknown for that reason alone.
        let unknown = frontier.heads.keys().filter(|log| **log as usize >= charter.logs().len());
        found.extend(unknown.map(|log| Difference::LogUnknown { log: *log }));
    }
    if replica.proofs_hash() != frontier.proofs {
        found.push(Difference::Proofs);
    }
    for grant in charter.logs() {
        let is_members = grant.member == claim.member;
        if is_members || presence.logs.contains_key(&grant.number) {
            compare_log(grant, frontier, replica, presence, &mut found);
        }
        if is_members {
            found.extend(missing_bodies(grant.number, replica));
        }
    }
    found
}

fn compare_log(
    grant: &LogGrant,
    frontier: &Frontier,
    replica: &Replica,
    presence: &Presence,
    found: &mut Vec<Difference>,
) {
    let log = grant.number;
    let head = frontier.heads.get(&log);
    let named = head.map_or(0, |head| head.length);
    let proven = replica.effective_length(log);
    if named > 0 && !presence.logs.contains_key(&log) {
        found.push(Difference::LogMissing { log, length: named });
        return;
    }
    let missing = presence.missing(log, named);
    if !missing.is_empty() {
        found.extend(missing.into_iter().map(|(from, to)| Difference::EntriesMissing { log, from, to }));
        return;
    }
    match proven.cmp(&named) {
        std::cmp::Ordering::Greater => found.push(Difference::HeadLowered { log, named, proven }),
        std::cmp::Ordering::Less => found.push(Difference::HeadUnproven { log, named, proven }),
        std::cmp::Ordering::Equal if replica.head(log).as_ref() != head => {
            found.push(Difference::HeadDiffers { log, sequence: named.saturating_sub(1) });
        }
        std::cmp::Ordering::Equal => {}
    }
    if let Some(Some(last)) = grant.seal
        && replica.lacks_sealed_branch(log)
    {
        found.push(Difference::SealedBranchMissing { log, sequence: last.sequence });
    }
}

/// Runs of bodies that are missing and not erased.
fn missing_bodies(log: LogNumber, replica: &Replica) -> Vec<Difference> {
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for sequence in replica.missing_bodies(log) {
        match runs.last_mut() {
            Some((_, to)) if *to + 1 == sequence => *to = sequence,
            _ => runs.push((sequence, sequence)),
        }
    }
    runs.into_iter().map(|(from, to)| Difference::BodiesMissing { log, from, to }).collect()
}

/// Logs of other members whose headers must be in the file, because an erasure in them took bodies of this member's:
/// those of its heirs.
pub fn supporting_logs(replica: &Replica, member: MemberNumber) -> BTreeSet<LogNumber> {
    let charter = replica.charter();
    let author_of = |log: LogNumber| charter.logs().get(log as usize).map(|grant| grant.member);
    let mut found = BTreeSet::new();
    for (by, targets) in replica.erasures() {
        let Eraser::Entry { log: eraser, .. } = by else { continue };
        let Some(author) = author_of(eraser).filter(|author| *author != member) else { continue };
        let took = targets.iter().any(|target| {
            let grant = charter.log_of(&target.key).filter(|grant| grant.member == member && grant.owner() == author);
            grant.is_some_and(|grant| replica.erased(grant.number, target.sequence).is_some())
        });
        if took {
            found.insert(eraser);
        }
    }
    found
}

/// A node said that it stood at exactly this frontier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attestation {
    /// The member whose node it is.
    pub member: MemberNumber,
    /// The node's transport key.
    pub transport: PublicKey,
    /// When the node had started, by its clock: it spoke after that.
    pub boot_ms: u64,
    /// When the beacon lost its meaning for delivery, by its clock: it spoke before that.
    pub expires_ms: u64,
    /// Whether it held every body.
    pub complete: bool,
}

/// Why a beacon attests nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AttestationError {
    /// It is broken or forged.
    #[error("not a beacon of the node that it names: {0}")]
    Forged(#[from] BeaconError),
    /// It names another frontier.
    #[error("it names the frontier {0}")]
    OtherFrontier(FrontierDigest),
    /// It names another charter version.
    #[error("it names charter version {0}")]
    OtherCharter(u32),
    /// The key is no member's transport key at that version.
    #[error("its key is no member's transport key at that charter version")]
    NotMember,
}

impl AttestationError {
    /// The stable identifier.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Forged(_) => "attestation-forged",
            Self::OtherFrontier(_) => "attestation-frontier",
            Self::OtherCharter(_) => "attestation-charter",
            Self::NotMember => "attestation-key",
        }
    }
}

/// Reads and checks a beacon that came with a claim. The charter's tip must be the one that the claim names.
pub fn attestation(bytes: &[u8], claim: &Claim, charter: &Charter) -> Result<Attestation, AttestationError> {
    let beacon = Beacon::decode(bytes, &claim.frontier.federation)?;
    if beacon.digest != claim.digest() {
        return Err(AttestationError::OtherFrontier(beacon.digest));
    }
    if beacon.charter_version != claim.frontier.charter_version {
        return Err(AttestationError::OtherCharter(beacon.charter_version));
    }
    let member = charter.holder(&beacon.transport, Purpose::Transport).ok_or(AttestationError::NotMember)?;
    let complete = beacon.is_complete();
    let Beacon { transport, boot_ms, expires_ms, .. } = beacon;
    Ok(Attestation { member, transport, boot_ms, expires_ms, complete })
}

#[cfg(test)]
mod tests;
