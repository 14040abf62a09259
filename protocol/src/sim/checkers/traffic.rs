//! Traffic is bounded: nothing is passed on twice, equal states cost next to nothing, and the rest grows with what is new.

use std::collections::BTreeMap;

use super::{Checker, Fact, Faults, Node, World};
use crate::sim::gossiping::SEEN_MS;
use crate::sync::agenda::Ended;

/// Bytes that one side of a session may send when both hold the same.
const EQUAL_BYTES_MAX: u64 = 256;
/// What a node may spend on sync in a minute beside what it serves, for each of its links.
const IDLE_BYTES_PER_LINK_MINUTE: u64 = 400_000;
/// How often an entry may be served for each node that lacked it.
const SERVED_TIMES_MAX: u64 = 4;
/// Entries that may be served beside that, for each node.
const SERVED_MARGIN: u64 = 2_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    forwarded: BTreeMap<(usize, u128), u64>,
    /// What each member sent in sessions that were not about entries.
    overhead: BTreeMap<usize, u64>,
    served: u64,
    received: u64,
    faults: Faults,
}

impl Checker for Traffic {
    fn name(&self) -> &'static str {
        "traffic"
    }

    fn about(&self) -> &'static str {
        "a message is passed on once, sessions of equals cost under 256 bytes each way, and serving grows with the news"
    }

    fn see(&mut self, nodes: &[Node], now_ms: u64, fact: &Fact) {
        match fact {
            Fact::Started { member } => self.forwarded.retain(|(of, _), _| of != member),
            Fact::Forwarded { member, message } if nodes[*member].is_honest() => {
                let before = self.forwarded.insert((*member, *message), now_ms);
                if let Some(before_ms) = before.filter(|before_ms| before_ms + SEEN_MS > now_ms) {
                    self.faults.add(format!("member {member} passed a message on at {before_ms} ms and {now_ms} ms"));
                }
            }
            Fact::Ended { member, peer, how, equal, sent_bytes, received, served } if nodes[*member].is_honest() => {
                if *equal && *how == Ended::Well && *sent_bytes >= EQUAL_BYTES_MAX {
                    self.faults.add(format!("member {member} sent {sent_bytes} bytes to say that all is equal"));
                }
                if *served == 0 {
                    *self.overhead.entry(*member).or_default() += sent_bytes;
                }
                self.received += received;
                self.served += if nodes[*peer].is_honest() { *served } else { 0 };
            }
            _ => {}
        }
    }

    fn finish(&mut self, world: &World) {
        let minutes = world.air.now_ms.div_ceil(60_000);
        for (member, bytes) in &self.overhead {
            let links = world.links_of(*member) as u64;
            let bound = IDLE_BYTES_PER_LINK_MINUTE * minutes * links;
            if *bytes > bound {
                self.faults.add(format!("member {member} sent {bytes} bytes in sessions without news, above {bound}"));
            }
        }
        let bound = self.received * SERVED_TIMES_MAX + SERVED_MARGIN * world.nodes.len() as u64;
        if self.served > bound {
            self.faults.add(format!("{} entries were served for {} that were news", self.served, self.received));
        }
    }

    fn take_faults(&mut self) -> Vec<String> {
        self.faults.take()
    }
}
