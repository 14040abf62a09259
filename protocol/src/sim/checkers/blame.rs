//! Nobody honest is blamed by anybody honest, or would deserve it.

use std::collections::BTreeSet;

use super::{Checker, Fact, Faults, Node};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Blame {
    /// Messages that nobody honest may pass on.
    bad: BTreeSet<u128>,
    faults: Faults,
}

impl Checker for Blame {
    fn name(&self) -> &'static str {
        "blame"
    }

    fn about(&self) -> &'static str {
        "everything is verified before it is passed on: no honest node sends what another honest node rejects"
    }

    fn see(&mut self, nodes: &[Node], now_ms: u64, fact: &Fact) {
        match fact {
            Fact::Forged { message: Some(message), .. } => {
                self.bad.insert(*message);
            }
            Fact::Forwarded { member, message } if nodes[*member].is_honest() && self.bad.contains(message) => {
                self.faults.add(format!("at {now_ms} ms member {member} passed on what does not verify"));
            }
            Fact::Blamed { member, peer, why } if nodes[*member].is_honest() && nodes[*peer].is_honest() => {
                self.faults.add(format!("at {now_ms} ms member {member} blamed {peer}, which is honest, for {why}"));
            }
            _ => {}
        }
    }

    fn take_faults(&mut self) -> Vec<String> {
        self.faults.take()
    }
}
