//! What must be on disk before what is said (DESIGN 3.7).
//!
//! A writer gathers what waits into one [`Group`]: it changes the replica in memory, and collects what must be stored
//! and what is to be answered. [`Group::commit`] hands the first to the store and gives the second back only when the
//! store has it. Whoever answers, gossips or serves by what comes out of it says nothing that a power cut takes back.

use std::sync::Arc;

use crate::charter::{Appended, Charter, CharterError, LogNumber, SignedBlock};
use crate::entry::{Draft, Header, VerifiedEntry};
use crate::fork::ForkProof;
use crate::identity::{ContentHash, EntryId, PublicKey};
use crate::limits::CLOCK_TOLERANCE_MS;
use crate::replica::{Change, EntrySource, IgnoreReason, Outcome, Recent, Replica};
use crate::sync::session::Ingested;

/// What became of entries that came from elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Each entry's log, if the charter knows it, and what became of it.
    pub outcomes: Vec<(Option<LogNumber>, Outcome)>,
    /// Entries that were new here, or whose bodies were.
    pub entries_new: u64,
    /// Logs whose held entries do not connect to what came.
    pub diverged: Vec<LogNumber>,
    /// Proofs of forks that came to light.
    pub proofs: Vec<ForkProof>,
}

impl Report {
    /// What a sync session is told of it.
    pub fn ingested(self) -> Ingested {
        let left_out = |outcome: &Outcome| matches!(outcome, Outcome::Ignored(IgnoreReason::StageFull));
        let entries_left_out = self.outcomes.iter().filter(|(_, outcome)| left_out(outcome)).count() as u64;
        let Self { entries_new, diverged, proofs, .. } = self;
        Ingested { entries_new, entries_left_out, diverged, proofs }
    }
}

/// What one commit holds, and the answers that wait for it.
#[derive(Debug)]
pub struct Group<A> {
    own: Vec<Arc<VerifiedEntry>>,
    changes: Vec<Change>,
    answers: Vec<A>,
}

/// What may be told now, because it is on disk.
#[derive(Debug)]
pub struct Committed<A> {
    /// Own entries.
    pub own: Vec<Arc<VerifiedEntry>>,
    /// Everything that changed.
    pub changes: Vec<Change>,
    /// Answers.
    pub answers: Vec<A>,
}

impl<A> Default for Group<A> {
    fn default() -> Self {
        Self { own: Vec::new(), changes: Vec::new(), answers: Vec::new() }
    }
}

impl<A> Group<A> {
    /// An answer that is given when the group is on disk.
    pub fn owe(&mut self, answer: A) {
        self.answers.push(answer);
    }

    /// Takes in entries that this node has just signed.
    pub fn publish(&mut self, entries: &[Arc<VerifiedEntry>], replica: &mut Replica, source: &dyn EntrySource) {
        for entry in entries {
            let outcome = replica.insert(entry, source, &mut self.changes);
            debug_assert_eq!(outcome, Outcome::Appended, "what this node signs continues its log");
        }
        self.own.extend(entries.iter().cloned());
    }

    /// Takes in entries from elsewhere.
    pub fn ingest(
        &mut self,
        entries: &[Arc<VerifiedEntry>],
        replica: &mut Replica,
        source: &dyn EntrySource,
    ) -> Report {
        let mut report = Report::default();
        for entry in entries {
            let recent = Recent { source, changes: &self.changes };
            let mut changes = Vec::new();
            let outcome = replica.insert(entry, &recent, &mut changes);
            let log = replica.charter().log_of(&entry.header().key).map(|grant| grant.number);
            let appended =
                changes.iter().filter(|change| matches!(change, Change::Append { .. } | Change::Body { .. }));
            report.entries_new += appended.count() as u64;
            for change in &changes {
                if let Change::Proof(proof) = change {
                    report.proofs.push(proof.clone());
                }
            }
            self.changes.extend(changes);
            if outcome == Outcome::Diverged {
                report.diverged.extend(log);
            }
            report.outcomes.push((log, outcome));
        }
        report.diverged.sort_unstable();
        report.diverged.dedup();
        report
    }

    /// Takes in blocks, each as the charter says; stops at the first that it refuses.
    pub fn append_blocks(
        &mut self,
        blocks: Vec<SignedBlock>,
        replica: &mut Replica,
        source: &dyn EntrySource,
    ) -> Result<Vec<Appended>, CharterError> {
        let mut appended = Vec::with_capacity(blocks.len());
        for block in blocks {
            let mut changes = Vec::new();
            let recent = Recent { source, changes: &self.changes };
            let result = replica.append_block(block, &recent, &mut changes);
            self.changes.extend(changes);
            appended.push(result?);
        }
        Ok(appended)
    }

    /// Takes in proofs; those that are new.
    pub fn add_proofs(&mut self, proofs: Vec<ForkProof>, replica: &mut Replica) -> Vec<ForkProof> {
        proofs.into_iter().filter(|proof| replica.add_proof(proof.clone(), &mut self.changes)).collect()
    }

    /// Stores what changed, own entries first, and only then gives back what may be told. When `store` fails, what was
    /// owed comes back with the error: memory is ahead of the disk then, and nothing of it may be told to anybody.
    pub fn commit<E>(
        self,
        store: impl FnOnce(&[Arc<VerifiedEntry>], &[Change]) -> Result<(), E>,
    ) -> Result<Committed<A>, (E, Vec<A>)> {
        let Self { own, changes, answers } = self;
        if !changes.is_empty()
            && let Err(error) = store(&own, &changes)
        {
            return Err((error, answers));
        }
        Ok(Committed { own, changes, answers })
    }
}

/// The headers of new entries of a log, one after the other, each with its body: an id does not depend on a signature, so
/// they can be signed in any order.
pub fn chain(
    drafts: Vec<Draft>,
    key: PublicKey,
    log: LogNumber,
    replica: &Replica,
    now_ms: u64,
) -> Vec<(Header, Arc<[u8]>)> {
    let (charter, length) = (replica.charter(), replica.length(log));
    let time_ms = signing_ms(now_ms, charter, replica.latest_ms_before(log, length));
    let mut previous = length.checked_sub(1).and_then(|last| replica.id(log, last)).unwrap_or(EntryId::ZERO);
    let mut headers = Vec::with_capacity(drafts.len());
    for (sequence, draft) in (length..).zip(drafts) {
        let header = Header {
            key,
            sequence,
            previous,
            charter: charter.version(),
            time_ms,
            kind: draft.kind,
            body_len: draft.body.len() as u32,
            body_hash: ContentHash::of(&draft.body),
        };
        previous = header.id();
        headers.push((header, Arc::<[u8]>::from(draft.body)));
    }
    headers
}

/// The time that an entry claims: that of the clock, of the charter's tip, or of the latest own entry, whichever is last. An
/// entry dated before an own one is not believed and performs no duty, so a clock that was set back a little voids
/// nothing; an own entry far ahead was signed by a clock that was wrong and is not followed.
fn signing_ms(now_ms: u64, charter: &Charter, latest_own_ms: u64) -> u64 {
    let is_near = latest_own_ms <= now_ms.saturating_add(CLOCK_TOLERANCE_MS);
    now_ms.max(charter.tip_block().time_ms).max(if is_near { latest_own_ms } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::public_key;
    use crate::testing::{FOUNDED_MS, Organisation, Shelf};

    #[test]
    fn a_clock_that_was_set_back_a_little_dates_nothing_back() {
        let (charter, _) = Organisation::found("秘书处", 1);
        let (now_ms, second_ms) = (FOUNDED_MS + 1_000_000_000, 1_000);
        assert_eq!(signing_ms(now_ms, &charter, now_ms - second_ms), now_ms);
        assert_eq!(signing_ms(now_ms, &charter, now_ms + second_ms), now_ms + second_ms);
        assert_eq!(signing_ms(FOUNDED_MS - second_ms, &charter, 0), FOUNDED_MS, "not before the charter either");
        assert_eq!(signing_ms(now_ms, &charter, now_ms + CLOCK_TOLERANCE_MS + 1), now_ms, "that clock was wrong");
    }

    #[test]
    fn answers_come_back_only_with_what_is_stored() {
        let (charter, one) = Organisation::found("秘书处", 1);
        let key = public_key(&one.signing);
        let federation = charter.federation();
        let mut replica = Replica::new(charter);
        let drafts = (0..3).map(|number| Draft { kind: 101, body: vec![number; 40] }).collect();
        let entries: Vec<Arc<VerifiedEntry>> = chain(drafts, key, 0, &replica, FOUNDED_MS)
            .into_iter()
            .map(|(header, body)| {
                Arc::new(VerifiedEntry::sign(&one.signing, &federation, header, body).expect("valid"))
            })
            .collect();
        let group = |replica: &mut Replica| {
            let mut group = Group::default();
            group.publish(&entries, replica, &Shelf::default());
            group.owe("answer");
            group
        };
        let failed = group(&mut replica.clone()).commit(|_, _| Err("disk"));
        assert!(matches!(failed, Err(("disk", owed)) if owed == ["answer"]));
        let mut stored = 0;
        let done = group(&mut replica).commit(|own, changes| {
            stored = own.len() + changes.len();
            Ok::<(), ()>(())
        });
        let done = done.expect("the store took it");
        assert_eq!((stored, done.own.len(), done.changes.len(), done.answers), (6, 3, 3, vec!["answer"]));
        assert_eq!(replica.effective_length(0), 3);
    }
}
