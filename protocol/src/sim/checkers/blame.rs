//! Nobody honest is blamed by anybody honest.

use super::{Checker, Fact, Faults, Node};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Blame {
    faults: Faults,
}

impl Checker for Blame {
    fn name(&self) -> &'static str {
        "blame"
    }

    fn about(&self) -> &'static str {
        "no honest node sends what another honest node rejects: everything is verified before it is passed on"
    }

    fn see(&mut self, nodes: &[Node], now_ms: u64, fact: &Fact) {
        if let Fact::Blamed { member, peer, why } = fact
            && nodes[*member].is_honest()
            && nodes[*peer].is_honest()
        {
            self.faults.add(format!("at {now_ms} ms member {member} blamed {peer}, which is honest, for {why}"));
        }
    }

    fn take_faults(&mut self) -> Vec<String> {
        self.faults.take()
    }
}
