//! Nothing acknowledged is lost.

use super::{Checker, Fact, Faults, Node, World, honest};
use crate::charter::LogNumber;
use crate::identity::EntryId;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Safekeeping {
    acknowledged: Vec<(usize, LogNumber, u64, EntryId)>,
    faults: Faults,
}

impl Checker for Safekeeping {
    fn name(&self) -> &'static str {
        "safekeeping"
    }

    fn about(&self) -> &'static str {
        "what was acknowledged was on disk before, and counts at every honest node in the end"
    }

    fn see(&mut self, nodes: &[Node], now_ms: u64, fact: &Fact) {
        let Fact::Acknowledged { member, log, entry, durable } = fact else { return };
        if !nodes[*member].is_honest() {
            return;
        }
        let sequence = entry.header().sequence;
        if !durable {
            self.faults.add(format!("at {now_ms} ms member {member} acknowledged entry {sequence}, not on disk"));
        }
        self.acknowledged.push((*member, *log, sequence, entry.id()));
    }

    fn finish(&mut self, world: &World) {
        for (author, log, sequence, id) in &self.acknowledged {
            // Of an expelled member counts what its seal accepts, and that is for another checker.
            if world.nodes[*author].is_outside {
                continue;
            }
            for node in honest(&world.nodes) {
                let counts = node.replica().is_some_and(|replica| {
                    replica.id(*log, *sequence) == Some(*id) && replica.effective_length(*log) > *sequence
                });
                if !counts {
                    let text = format!("member {} lacks entry {sequence} of log {log}, of {author}", node.index);
                    self.faults.add(text);
                }
            }
        }
    }

    fn take_faults(&mut self) -> Vec<String> {
        self.faults.take()
    }
}
