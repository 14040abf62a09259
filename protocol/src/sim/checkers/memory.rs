//! Nobody makes a node's memory grow without bound.

use super::{Checker, Faults, World, honest};
use crate::sim::gossiping::SEEN_MAX;

/// Entries that may wait for their predecessors, in all logs.
const STAGED_MAX: usize = 8_192;
/// Sessions at a time.
const SESSIONS_MAX: usize = 16;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Memory {
    faults: Faults,
}

impl Checker for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn about(&self) -> &'static str {
        "what a node remembers of peers, messages, sessions and beacons stays within its bounds"
    }

    fn look(&mut self, world: &World) {
        let now_ms = world.air.now_ms;
        for node in honest(&world.nodes) {
            let Some(running) = &node.running else { continue };
            let members = running.replica.charter().members().len();
            let held = [
                ("staged entries", running.replica.staged(), STAGED_MAX),
                ("sessions", running.sessions.len(), SESSIONS_MAX),
                ("peers of the agenda", running.agenda.len(), members),
                ("beacons", running.relay.len(), members),
                ("seen messages", running.seen.len(), SEEN_MAX),
                ("paces", running.pace.len(), members),
                ("proofs", running.replica.proofs().len(), running.replica.charter().logs().len()),
            ];
            for (what, count, bound) in held.into_iter().filter(|(_, count, bound)| count > bound) {
                self.faults.add(format!("at {now_ms} ms member {} holds {count} {what}, above {bound}", node.index));
            }
        }
    }

    fn finish(&mut self, world: &World) {
        self.look(world);
    }

    fn take_faults(&mut self) -> Vec<String> {
        self.faults.take()
    }
}
