//! What nodes say of the others is true, once they had time to learn it.

use super::{Checker, Faults, Node, World, honest};
use crate::health::{Ailment, Assessment, State};
use crate::identity::MemberNumber;

/// How long after what a node must wait by its thresholds a checker waits in addition.
const MARGIN_MS: u64 = 10_000;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Truth {
    faults: Faults,
}

impl Checker for Truth {
    fn name(&self) -> &'static str {
        "health"
    }

    fn about(&self) -> &'static str {
        "whoever runs is shown as up and well, whoever is down is not, forks are shown, and nobody honest is accused"
    }

    fn finish(&mut self, world: &World) {
        let scenario = &world.air.scenario;
        // As long as the model itself asks for: two intervals and a grace, and a grace before a finding is shown.
        let settle_ms = 2 * scenario.beacon_interval_ms + 2 * scenario.grace_ms + MARGIN_MS;
        let begun_ms = world.air.now_ms.saturating_sub(settle_ms);
        let settled = |node: &Node| node.running.as_ref().is_some_and(|running| running.is_older_than(begun_ms));
        for node in honest(&world.nodes).filter(|node| settled(node)) {
            let Some(picture) = node.picture() else { continue };
            for other in &world.nodes {
                let Some(number) = number_of(node, other) else { continue };
                let Some(assessed) = picture.members.iter().find(|assessed| assessed.member == number) else {
                    self.faults.add(format!("member {} shows nothing of {}", node.index, other.index));
                    continue;
                };
                let text = if other.running.is_none() {
                    let gone = other.down_since_ms.is_some_and(|since_ms| since_ms < begun_ms);
                    if gone { false_life(assessed) } else { None }
                } else if other.is_honest() && settled(other) {
                    false_alarm(assessed)
                } else {
                    None
                };
                let forked = node.replica().is_some_and(|replica| replica.fork_of(&other.key).is_some());
                let shown = assessed.findings.iter().any(|finding| finding.ailment == Ailment::Forked);
                let fork = (forked != shown).then(|| format!("a fork: {shown}, and there is one: {forked}"));
                for text in text.into_iter().chain(fork) {
                    self.faults.add(format!("member {} shows of {} {text}", node.index, other.index));
                }
            }
        }
    }

    fn take_faults(&mut self) -> Vec<String> {
        self.faults.take()
    }
}

fn number_of(node: &Node, other: &Node) -> Option<MemberNumber> {
    node.replica()?.charter().holder(&other.transport, crate::charter::Purpose::Transport)
}

/// Something wrong that is said of a member that runs and is well. That it restarts often may be true.
fn false_alarm(assessed: &Assessment) -> Option<String> {
    let may_be = |ailment| ailment == Ailment::Restarting;
    let finding = assessed.findings.iter().find(|finding| !may_be(finding.ailment));
    match (assessed.state, finding) {
        (State::Up, None) => None,
        (State::Up, Some(finding)) => Some(format!("the finding {}, and it is well", finding.ailment.name())),
        (state, _) => Some(format!("the state {}, and it is up", state.name())),
    }
}

/// A sign of life of a member that has been down for long.
fn false_life(assessed: &Assessment) -> Option<String> {
    matches!(assessed.state, State::Up | State::Unknown)
        .then(|| format!("the state {}, and it is down", assessed.state.name()))
}
