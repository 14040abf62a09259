//! A log never forks by accident, and who forks one on purpose is known to everybody.

use std::collections::BTreeSet;

use super::{Checker, Fact, Faults, Node, World, honest};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Forks {
    forked: BTreeSet<usize>,
    faults: Faults,
}

impl Checker for Forks {
    fn name(&self) -> &'static str {
        "forks"
    }

    fn about(&self) -> &'static str {
        "no honest log forks, and every fork that was told to several is proven at every honest node"
    }

    fn see(&mut self, nodes: &[Node], now_ms: u64, fact: &Fact) {
        match fact {
            Fact::Forked { member } => {
                self.forked.insert(*member);
            }
            Fact::OwnLogFromElsewhere { member } if nodes[*member].is_honest() => {
                self.faults.add(format!("at {now_ms} ms member {member} met an own entry that it had not signed"));
            }
            _ => {}
        }
    }

    fn finish(&mut self, world: &World) {
        for node in honest(&world.nodes) {
            let Some(replica) = node.replica() else { continue };
            for author in &world.nodes {
                let proven = replica.fork_of(&author.key).is_some();
                if proven && author.is_honest() {
                    self.faults
                        .add(format!("member {} holds a proof against honest member {}", node.index, author.index));
                }
                let sealed = replica.charter().log_of(&author.key).is_none_or(|grant| grant.seal.is_some());
                if !proven && !sealed && self.forked.contains(&author.index) {
                    self.faults.add(format!("member {} does not know that {} forked", node.index, author.index));
                }
            }
        }
    }

    fn take_faults(&mut self) -> Vec<String> {
        self.faults.take()
    }
}
