//! Gossip: what a node tells of what is new, and how it judges what it is told (DESIGN 5.1).
//!
//! A message is one byte for its type and the canonical bytes. Everything is verified before it is forwarded; what
//! gossip misses, sync brings. Nothing here sends or stores: the shell asks for a [`Judgement`] and carries it out.
//!
//! An entry goes through [`verified`], [`Pace`], [`plan`] and, unless the plan says otherwise, the replica; [`judge`]
//! says what follows from what became of it. *Reject* blames the sender, *ignore* blames nobody: the two are kept apart,
//! and an honest duplicate is never punished.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bytes::LayoutError;
use crate::charter::{CharterError, OPERATION_TYPE, SignedBlock};
use crate::entry::{Entry, EntryError, VerifiedEntry};
use crate::fork::ForkProof;
use crate::identity::{FederationId, MemberNumber, PublicKey};
use crate::limits::GOSSIP_BODY_BYTES_MAX;
use crate::replica::{IgnoreReason, Outcome, Replica};

const ENTRY: u8 = 1;
const BLOCK: u8 = 2;
const PROOF: u8 = 3;

/// Of a longer batch only the last entry is gossiped: it tells everybody that there is a gap, and sync fills it.
pub const BATCH_GOSSIPED_MAX: usize = 32;
/// The period of the charter's limit.
pub const PACE_PERIOD_MS: u64 = 60_000;
/// How long a gap may close by itself before a session is begun for it.
pub const GAP_GRACE_MS: u64 = 200;

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is good: it is forwarded.
    Accept,
    /// It is not forwarded, and nobody is to blame.
    Ignore,
    /// It is not forwarded, and its sender is to blame.
    Reject,
}

/// A verdict, what it is counted as, and whether a session with the sender follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// The name of the counter that counts it, if one does.
    pub counter: Option<&'static str>,
    /// Sync with the sender after so many milliseconds.
    pub sync_after_ms: Option<u64>,
}

impl Judgement {
    fn new(verdict: Verdict) -> Self {
        Self { verdict, counter: None, sync_after_ms: None }
    }

    fn counted(verdict: Verdict, counter: &'static str) -> Self {
        Self { counter: Some(counter), ..Self::new(verdict) }
    }
}

/// A message that can be read.
#[derive(Debug)]
pub enum Message {
    /// An entry, whose signature is not verified yet.
    Entry(Entry),
    /// A block, which the charter judges.
    Block(SignedBlock),
    /// A proof, whose signatures are verified.
    Proof(ForkProof),
}

/// Messages for entries that this node published.
pub fn published(entries: &[Arc<VerifiedEntry>]) -> Vec<Vec<u8>> {
    let from = if entries.len() > BATCH_GOSSIPED_MAX { entries.len() - 1 } else { 0 };
    entries[from..].iter().map(|entry| of_entry(entry)).collect()
}

/// The message for an entry. A long body is announced by its header, and fetched.
pub fn of_entry(entry: &VerifiedEntry) -> Vec<u8> {
    let long = entry.body().is_some_and(|body| body.len() > GOSSIP_BODY_BYTES_MAX);
    let bytes = if long { entry.without_body().encode() } else { entry.encode() };
    [&[ENTRY], bytes.as_slice()].concat()
}

/// The message for a block.
pub fn of_block(block: &SignedBlock) -> Vec<u8> {
    [&[BLOCK], block.encode().as_slice()].concat()
}

/// The message for a proof.
pub fn of_proof(proof: &ForkProof) -> Vec<u8> {
    [&[PROOF], proof.encode().as_slice()].concat()
}

/// Reads a message, or judges it at once.
pub fn read(bytes: &[u8], federation: &FederationId) -> Result<Message, Judgement> {
    let reject = |counter| Judgement::counted(Verdict::Reject, counter);
    let (message_type, content) = bytes.split_first().ok_or(reject("gossip-empty"))?;
    match *message_type {
        ENTRY => Entry::decode(content).map(Message::Entry).map_err(|_| reject("gossip-malformed")),
        BLOCK => match SignedBlock::decode(content) {
            Ok(block) => Ok(Message::Block(block)),
            // A later build made it: an update is needed here, and nobody is to blame.
            Err(LayoutError::Rule { field: OPERATION_TYPE, .. }) => Err(Judgement::new(Verdict::Ignore)),
            Err(_) => Err(reject("gossip-malformed")),
        },
        PROOF => ForkProof::decode(content, federation).map(Message::Proof).map_err(|_| reject("gossip-bad-proof")),
        // A newer build may know it. It is not forwarded, because it cannot be verified.
        _ => Err(Judgement::counted(Verdict::Ignore, "gossip-unknown-type")),
    }
}

/// The entry, if its signature verified; its sender is to blame if not.
pub fn verified(verdict: Option<Result<Arc<VerifiedEntry>, EntryError>>) -> Result<Arc<VerifiedEntry>, Judgement> {
    match verdict {
        Some(Ok(entry)) => Ok(entry),
        _ => Err(Judgement::counted(Verdict::Reject, "bad-signature")),
    }
}

/// Entries of each member that came by gossip in the current period.
#[derive(Debug, Default)]
pub struct Pace {
    since_ms: Option<u64>,
    taken: BTreeMap<MemberNumber, u32>,
}

impl Pace {
    /// Whether the author with this key is within the charter's limit; the member and a judgement if not. Beyond it
    /// nobody is to blame: sync brings the rest.
    pub fn admits(&mut self, key: &PublicKey, replica: &Replica, now_ms: u64) -> Result<(), (MemberNumber, Judgement)> {
        let charter = replica.charter();
        let limit = charter.log_of(key).map(|grant| grant.member).zip(charter.gossip_entries_per_minute());
        match limit {
            Some((member, limit)) if !self.takes(member, limit, now_ms) => {
                Err((member, Judgement::counted(Verdict::Ignore, "gossip-over-limit")))
            }
            _ => Ok(()),
        }
    }

    fn takes(&mut self, member: MemberNumber, limit: u32, now_ms: u64) -> bool {
        if self.since_ms.is_none_or(|since_ms| now_ms.saturating_sub(since_ms) >= PACE_PERIOD_MS) {
            self.since_ms = Some(now_ms);
            self.taken.clear();
        }
        let taken = self.taken.entry(member).or_default();
        *taken = taken.saturating_add(1);
        *taken <= limit
    }

    /// Members that are counted in this period.
    pub fn len(&self) -> usize {
        self.taken.len()
    }

    /// Whether nobody is counted.
    pub fn is_empty(&self) -> bool {
        self.taken.is_empty()
    }
}

/// What to do with an entry that verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// A verdict that need not wait for the disk: an entry that the charter carries can travel on at once.
    pub early: Option<Verdict>,
    /// What to do with the entry itself.
    pub take: Take,
}

/// What to do with an entry itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Take {
    /// It is an announcement of what is here already: nothing, not even a verdict.
    Nothing,
    /// Only the header came: the entry is fetched with its body. [`judge`] it as [`Outcome::Staged`].
    Fetch,
    /// Insert it, and [`judge`] what becomes of it.
    Insert,
}

/// What to do with an entry that verified and whose author keeps the pace.
pub fn plan(entry: &VerifiedEntry, replica: &Replica) -> Plan {
    let header = entry.header();
    let early = replica.charter().check(header).is_ok().then_some(Verdict::Accept);
    let log = replica.charter().log_of(&header.key).map(|grant| grant.number);
    let held = log.is_some_and(|log| replica.id(log, header.sequence) == Some(entry.id()));
    let take = match entry.body() {
        Some(_) => Take::Insert,
        None if held => Take::Nothing,
        None => Take::Fetch,
    };
    Plan { early, take }
}

/// What follows from what became of an entry.
pub fn judge(outcome: Outcome) -> Judgement {
    let verdict = match outcome {
        Outcome::Refused(_) => Verdict::Reject,
        Outcome::Ignored(_) => Verdict::Ignore,
        _ => Verdict::Accept,
    };
    let sync_after_ms = match outcome {
        Outcome::Staged => Some(GAP_GRACE_MS),
        Outcome::Diverged | Outcome::Ignored(IgnoreReason::CharterAhead | IgnoreReason::StageFull) => Some(0),
        _ => None,
    };
    Judgement { sync_after_ms, ..Judgement::new(verdict) }
}

/// What follows from what the charter says of a block.
pub fn judge_block(appended: Result<(), &CharterError>) -> Judgement {
    match appended {
        Ok(()) => Judgement::new(Verdict::Accept),
        Err(CharterError::Gap { .. }) => Judgement { sync_after_ms: Some(0), ..Judgement::new(Verdict::Ignore) },
        // Everybody must learn of it.
        Err(CharterError::Equivocation { .. }) => Judgement::counted(Verdict::Accept, "charter-equivocation"),
        // Who follows another branch than the one that is pinned here is not to blame.
        Err(CharterError::Pinned { .. }) => Judgement::new(Verdict::Ignore),
        Err(_) => Judgement::counted(Verdict::Reject, "gossip-bad-block"),
    }
}

/// What follows from a proof. Only what is news travels on: anybody can make keys and contradict himself with them.
pub fn judge_proof(is_new: bool) -> Judgement {
    Judgement::new(if is_new { Verdict::Accept } else { Verdict::Ignore })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Organisation;

    #[test]
    fn each_member_has_its_own_share_of_a_minute() {
        let mut pace = Pace::default();
        let (one, other) = (MemberNumber(1), MemberNumber(2));
        assert!(pace.takes(one, 2, 7) && pace.takes(one, 2, 7) && !pace.takes(one, 2, 7));
        assert!(pace.takes(other, 2, 7));
        assert!(pace.takes(one, 2, 7 + PACE_PERIOD_MS));
    }

    #[test]
    fn what_cannot_be_read_is_blamed_on_its_sender_and_what_is_newer_is_not() {
        let (charter, one) = Organisation::found("秘书处", 1);
        let federation = charter.federation();
        let verdict = |bytes: &[u8]| read(bytes, &federation).map(|_| ()).map_err(|judged| judged.verdict);
        for wrong in [&[][..], &[ENTRY], &[ENTRY, 1, 2], &[BLOCK, 9], &[PROOF, 9]] {
            assert_eq!(verdict(wrong), Err(Verdict::Reject), "{wrong:?}");
        }
        assert_eq!(verdict(&[99, 1]), Err(Verdict::Ignore));
        let entry = one.entry(&charter, None, charter.tip_block().time_ms, 101, vec![3; 300]);
        assert_eq!(verdict(&of_entry(&entry)), Ok(()));
    }

    #[test]
    fn an_announcement_of_what_is_here_is_left_alone_and_another_is_fetched() {
        let (charter, one) = Organisation::found("秘书处", 1);
        let entry = one.entry(&charter, None, charter.tip_block().time_ms, 101, vec![3; 300]);
        let mut replica = Replica::new(charter);
        let bare = entry.without_body();
        assert_eq!(plan(&bare, &replica), Plan { early: Some(Verdict::Accept), take: Take::Fetch });
        assert_eq!(plan(&entry, &replica).take, Take::Insert);
        replica.insert(&entry, &crate::testing::Shelf::default(), &mut Vec::new());
        assert_eq!(plan(&bare, &replica).take, Take::Nothing);
    }

    #[test]
    fn a_long_batch_is_told_by_its_last_entry() {
        let (charter, one) = Organisation::found("秘书处", 1);
        let entry = one.entry(&charter, None, charter.tip_block().time_ms, 101, vec![3; 300]);
        let long = one.entry(&charter, None, charter.tip_block().time_ms, 101, vec![3; GOSSIP_BODY_BYTES_MAX + 1]);
        assert_eq!(published(&vec![Arc::clone(&entry); BATCH_GOSSIPED_MAX]).len(), BATCH_GOSSIPED_MAX);
        assert_eq!(published(&vec![entry; BATCH_GOSSIPED_MAX + 1]).len(), 1);
        assert!(of_entry(&long).len() < 400, "a long body is announced");
    }
}
