//! Honest peers come to rest.

use super::{Checker, Fact, Faults, Node, World, honest};

/// In this last part of a run nothing may be news to an honest node.
const STILL_MS: u64 = 20_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// When an honest node last got an entry from another by sync.
    news_ms: u64,
    faults: Faults,
}

impl Checker for Rest {
    fn name(&self) -> &'static str {
        "rest"
    }

    fn about(&self) -> &'static str {
        "when nothing new happens, every honest node holds the same, with every body, and nothing is fetched any more"
    }

    fn see(&mut self, nodes: &[Node], now_ms: u64, fact: &Fact) {
        if let Fact::Ended { member, received: 1.., .. } = fact
            && nodes[*member].is_honest()
            && !nodes[*member].is_outside
        {
            self.news_ms = now_ms;
        }
    }

    fn finish(&mut self, world: &World) {
        let mut states = honest(&world.nodes).filter_map(|node| Some((node.index, node.replica()?)));
        let Some((first, reference)) = states.next() else {
            return self.faults.add("no honest node runs".into());
        };
        let digest = reference.frontier().digest();
        for (index, replica) in states {
            let frontier = replica.frontier();
            if frontier.digest() != digest {
                let (held, other) = (frontier.entries(), reference.frontier().entries());
                self.faults.add(format!("members {first} and {index} differ: {other} and {held} entries count"));
            }
        }
        for node in honest(&world.nodes).filter(|node| node.replica().is_some_and(|replica| !replica.is_complete())) {
            self.faults.add(format!("member {} lacks bodies", node.index));
        }
        if self.news_ms + STILL_MS > world.air.now_ms {
            self.faults.add(format!("entries were still fetched at {} ms", self.news_ms));
        }
    }

    fn take_faults(&mut self) -> Vec<String> {
        self.faults.take()
    }
}
