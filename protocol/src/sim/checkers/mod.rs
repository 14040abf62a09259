//! What must hold in every scenario. Checkers know nothing of scenarios: each is told every [`Fact`], looks at all nodes
//! now and then, and once more at the end. They judge by rules of their own, so that a rule that is broken in the code
//! under test is not broken here as well.

mod authority;
mod backoff;
mod blame;
mod forks;
mod health;
mod memory;
mod rest;
mod safekeeping;
mod traffic;

use std::collections::BTreeSet;

use super::fact::Fact;
use super::node::Node;
use super::world::World;

/// The name of the checker that runs everything twice.
pub const REPLAY: &str = "replay";
/// Faults of one kind that one checker reports at most.
const FAULTS_MAX: usize = 5;

/// Watches a run.
pub trait Checker {
    /// The name by which a failure is reported.
    fn name(&self) -> &'static str;
    /// What must hold.
    fn about(&self) -> &'static str;
    /// Takes note of something that happened.
    fn see(&mut self, _nodes: &[Node], _now_ms: u64, _fact: &Fact) {}
    /// Looks at everything, every few seconds.
    fn look(&mut self, _world: &World) {}
    /// Looks at everything when the run is over and everybody had time to come to rest.
    fn finish(&mut self, _world: &World) {}
    /// What was found.
    fn take_faults(&mut self) -> Vec<String>;
}

/// Every checker.
pub fn all() -> Vec<Box<dyn Checker>> {
    vec![
        Box::new(safekeeping::Safekeeping::default()),
        Box::new(authority::Authority::default()),
        Box::new(forks::Forks::default()),
        Box::new(rest::Rest::default()),
        Box::new(blame::Blame::default()),
        Box::new(backoff::Backoff::default()),
        Box::new(memory::Memory::default()),
        Box::new(traffic::Traffic::default()),
        Box::new(health::Truth::default()),
    ]
}

/// Name and meaning of every checker, the one that runs everything twice among them.
pub fn described() -> Vec<(&'static str, &'static str)> {
    let replay = (REPLAY, "the same scenario and seed give the same run, to the last bit");
    std::iter::once(replay).chain(all().iter().map(|checker| (checker.name(), checker.about()))).collect()
}

/// What a checker found, up to a bound.
#[derive(Debug, Default)]
struct Faults {
    texts: BTreeSet<String>,
    more: u64,
}

impl Faults {
    fn add(&mut self, text: String) {
        if self.texts.len() < FAULTS_MAX {
            self.texts.insert(text);
        } else if !self.texts.contains(&text) {
            self.more += 1;
        }
    }

    fn take(&mut self) -> Vec<String> {
        let mut texts: Vec<String> = std::mem::take(&mut self.texts).into_iter().collect();
        if self.more > 0 {
            texts.push(format!("and {} more", self.more));
        }
        texts
    }
}

/// Honest members of the federation whose nodes run.
fn honest(nodes: &[Node]) -> impl Iterator<Item = &Node> {
    nodes.iter().filter(|node| node.is_honest() && !node.is_outside && node.running.is_some())
}
