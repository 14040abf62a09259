//! Who failed is left alone for a while, longer each time.

use std::collections::BTreeMap;

use super::{Checker, Fact, Faults, Node};
use crate::sync::agenda::Ended;

/// The shortest wait after the first failure; it doubles with each further one.
const SHORTEST_MS: u64 = 250;
/// The shortest wait after many failures.
const LONG_MS: u64 = 60_000;
/// Failures after which the wait does not grow any more.
const DOUBLED_MAX: u32 = 9;

#[derive(Debug, Clone, Copy, Default)]
struct Record {
    failures: u32,
    offended: bool,
    not_before_ms: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    records: BTreeMap<(usize, usize), Record>,
    faults: Faults,
}

impl Checker for Backoff {
    fn name(&self) -> &'static str {
        "back-off"
    }

    fn about(&self) -> &'static str {
        "after a failed session no other one begins with that peer for a time that doubles, and offenders get none"
    }

    fn see(&mut self, nodes: &[Node], now_ms: u64, fact: &Fact) {
        match fact {
            Fact::Started { member } => self.records.retain(|(of, _), _| of != member),
            Fact::Linked { member, peer } => {
                let record = self.records.entry((*member, *peer)).or_default();
                if !record.offended {
                    *record = Record::default();
                }
            }
            Fact::Ended { member, peer, how, .. } => {
                let record = self.records.entry((*member, *peer)).or_default();
                match how {
                    Ended::Well => *record = Record::default(),
                    Ended::LeftOut => record.offended = false,
                    Ended::Undelivered | Ended::Failed | Ended::Offence => {
                        let wait_ms = (SHORTEST_MS << record.failures.min(DOUBLED_MAX)).min(LONG_MS);
                        let failures = record.failures + 1;
                        let offended = *how == Ended::Offence;
                        *record = Record { failures, offended, not_before_ms: now_ms + wait_ms };
                    }
                }
            }
            Fact::Begun { member, peer, own } if nodes[*member].is_honest() => {
                let record = self.records.get(&(*member, *peer)).copied().unwrap_or_default();
                if now_ms < record.not_before_ms && (*own || record.offended) {
                    let early_ms = record.not_before_ms - now_ms;
                    let failures = record.failures;
                    self.faults.add(format!(
                        "at {now_ms} ms member {member} had a session with {peer} {early_ms} ms too early, after \
                         {failures} failures"
                    ));
                }
            }
            _ => {}
        }
    }

    fn take_faults(&mut self) -> Vec<String> {
        self.faults.take()
    }
}
