//! Gossip of one node: what [`crate::gossip`] decides is carried out.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::air::{Air, Told};
use super::fact::Fact;
use super::node::Node;
use crate::entry::Entry;
use crate::gossip::{self, Judgement, Message, Take, Verdict};
use crate::replica::Outcome;

/// How long a message counts as seen.
pub(super) const SEEN_MS: u64 = 120_000;
/// Messages that are remembered as seen at most: the oldest are forgotten.
pub(super) const SEEN_MAX: usize = 65_536;

/// Messages that came, or were sent, within [`SEEN_MS`].
#[derive(Debug, Default)]
pub(super) struct Seen {
    at_ms: BTreeMap<u128, u64>,
    order: VecDeque<(u64, u128)>,
}

impl Seen {
    /// Notes a message. Says whether it is new.
    fn note(&mut self, id: u128, now_ms: u64) -> bool {
        let old = |(at_ms, _): &(u64, u128)| at_ms + SEEN_MS <= now_ms;
        while self.order.front().is_some_and(old) || self.order.len() >= SEEN_MAX {
            if let Some((_, gone)) = self.order.pop_front() {
                self.at_ms.remove(&gone);
            }
        }
        let is_new = self.at_ms.insert(id, now_ms).is_none();
        if is_new {
            self.order.push_back((now_ms, id));
        }
        is_new
    }

    pub(super) fn len(&self) -> usize {
        self.order.len().max(self.at_ms.len())
    }
}

impl Node {
    /// A message arrives.
    pub(super) fn hear(&mut self, from: usize, told: &Arc<Told>, air: &mut Air) {
        let Some(running) = self.running.as_deref_mut().filter(|running| running.linked.contains(&from)) else {
            return;
        };
        if !running.seen.note(told.id, air.now_ms) {
            return;
        }
        self.keep_for_replay(told);
        match gossip::read(&told.bytes, &air.federation) {
            Ok(Message::Entry(entry)) => self.judge_entry(from, told, entry, air),
            Ok(Message::Block(block)) => {
                if let Some(appended) = self.append_blocks(vec![block], air) {
                    self.settle(from, told, gossip::judge_block(appended.as_ref().copied()), air);
                }
            }
            Ok(Message::Proof(proof)) => {
                if let Some(new) = self.add_proofs(vec![proof], air) {
                    self.settle(from, told, gossip::judge_proof(!new.is_empty()), air);
                }
            }
            Err(judged) => self.settle(from, told, judged, air),
        }
    }

    fn judge_entry(&mut self, from: usize, told: &Arc<Told>, entry: Entry, air: &mut Air) {
        let verdict = air.library.verify(entry, &air.federation);
        let entry = match gossip::verified(Some(verdict)) {
            Ok(entry) => entry,
            Err(judged) => return self.settle(from, told, judged, air),
        };
        let Some(running) = self.running.as_deref_mut() else { return };
        if let Err((_, judged)) = running.pace.admits(&entry.header().key, &running.replica, air.now_ms) {
            return self.settle(from, told, judged, air);
        }
        let plan = gossip::plan(&entry, &running.replica);
        if let Some(verdict) = plan.early {
            self.carry_out(from, told, verdict, None, air);
        }
        let outcome = match plan.take {
            Take::Nothing => return,
            Take::Fetch => Outcome::Staged,
            Take::Insert => match self.ingest(&[entry], air) {
                Some(report) => report.outcomes.first().map_or(Outcome::Staged, |(_, outcome)| *outcome),
                None => return,
            },
        };
        let judged = gossip::judge(outcome);
        if plan.early.is_none() {
            self.settle(from, told, judged, air);
        } else {
            self.follow_up(from, judged, air);
        }
    }

    fn settle(&mut self, from: usize, told: &Arc<Told>, judged: Judgement, air: &mut Air) {
        self.carry_out(from, told, judged.verdict, judged.counter, air);
        self.follow_up(from, judged, air);
    }

    fn follow_up(&mut self, from: usize, judged: Judgement, air: &mut Air) {
        if let (Some(after_ms), Some(running)) = (judged.sync_after_ms, &mut self.running) {
            running.agenda.want(air.transports[from], air.now_ms + after_ms);
        }
    }

    fn carry_out(&mut self, from: usize, told: &Arc<Told>, verdict: Verdict, why: Option<&str>, air: &mut Air) {
        match verdict {
            Verdict::Accept => self.spread(Arc::clone(told), Some(from), air),
            Verdict::Ignore => {}
            Verdict::Reject => {
                let why = why.unwrap_or("a refused entry").to_owned();
                air.tell(Fact::Blamed { member: self.index, peer: from, why });
            }
        }
    }

    /// Sends a message to every neighbour but the one from whom it came.
    pub(super) fn spread(&mut self, told: Arc<Told>, except: Option<usize>, air: &mut Air) {
        let Some(running) = &mut self.running else { return };
        let is_new = running.seen.note(told.id, air.now_ms);
        if except.is_none() && !is_new {
            // What came by gossip is on its way already.
            return;
        }
        air.tell(Fact::Forwarded { member: self.index, message: told.id });
        for peer in running.linked.iter().filter(|peer| Some(**peer) != except) {
            air.gossip(self.index, *peer, &told);
        }
    }
}
