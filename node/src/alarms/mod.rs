//! Alarms: findings that are watched, raised when they appear and cleared when they are gone, and sent to webhooks.
//!
//! The doctor's findings, the charter's warnings among them, are one source; further parts (health, custody, duties)
//! join as [`Source`]s. What is gone must stay gone for two looks before it is cleared, so that nothing flaps. There is
//! nothing to acknowledge: an alarm lasts as long as its reason does.

pub mod limits;
pub mod sources;
#[cfg(test)]
mod tests;
pub mod webhook;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::time::MissedTickBehavior;

use crate::api::types::{Alarm, AlarmMessage, AlarmsView, Finding, MemberName, Severity};
use crate::core::{Core, now_ms};
use crate::doctor::Doctor;
use limits::{ALARMS_MAX, CLEAR_AFTER, CLEARED_MAX};
use webhook::Targets;

/// Something whose findings become alarms.
pub trait Source: Send + Sync + 'static {
    /// The word for it in alarms: `doctor`, `health`, `custody`, `duties`.
    fn name(&self) -> &'static str;

    /// What it finds wrong now.
    fn findings(&self) -> BoxFuture<'_, Vec<Finding>>;
}

impl Source for Doctor {
    fn name(&self) -> &'static str {
        "doctor"
    }

    fn findings(&self) -> BoxFuture<'_, Vec<Finding>> {
        Box::pin(async { self.view().await.findings })
    }
}

/// What identifies an alarm: source, check and subject.
type Key = (&'static str, String, String);

/// Alarms of this node. A cheap handle.
#[derive(Clone)]
pub struct Alarms {
    shared: Arc<Shared>,
}

struct Shared {
    core: Core,
    sources: Vec<Arc<dyn Source>>,
    targets: Targets,
    interval: Duration,
    /// When this process began to count messages.
    boot_ms: u64,
    board: Mutex<Board>,
}

/// What changed with a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is there now.
    Raised(Alarm),
    /// It is gone.
    Cleared(Alarm),
}

/// The alarms that last, and those that are gone.
#[derive(Debug, Default)]
pub struct Board {
    as_of_ms: u64,
    lasting: BTreeMap<Key, Lasting>,
    cleared: VecDeque<Alarm>,
    messages: u64,
}

#[derive(Debug)]
struct Lasting {
    alarm: Alarm,
    /// Looks in a row that did not find it.
    absent: u32,
}

impl Board {
    /// Takes what all sources found, and says what changed: what is gone first, then what rose, the worst first. Beyond
    /// the bound the least severe are not kept; they rise later, when there is room.
    pub fn look(&mut self, found: Vec<(&'static str, Finding)>, now_ms: u64) -> Vec<Change> {
        self.as_of_ms = now_ms;
        // Presence is judged over everything: what the bound leaves out is not gone.
        let mut present: BTreeMap<Key, Finding> = BTreeMap::new();
        for (source, finding) in found {
            present.entry((source, finding.id.clone(), finding.subject.clone())).or_insert(finding);
        }
        let mut changes = Vec::new();
        self.lasting.retain(|key, lasting| {
            if present.contains_key(key) {
                return true;
            }
            lasting.absent += 1;
            if lasting.absent < CLEAR_AFTER {
                return true;
            }
            let alarm = Alarm { cleared_ms: Some(now_ms), ..lasting.alarm.clone() };
            changes.push(Change::Cleared(alarm));
            false
        });
        let mut present: Vec<(Key, Finding)> = present.into_iter().collect();
        present.sort_by_key(|(_, finding)| std::cmp::Reverse(finding.severity));
        for (key, finding) in present {
            if !self.lasting.contains_key(&key) && !self.make_room(finding.severity) {
                continue;
            }
            let worse = self.lasting.get(&key).is_none_or(|lasting| lasting.alarm.severity < finding.severity);
            let since_ms = self.lasting.get(&key).map_or(finding.since_ms, |lasting| lasting.alarm.since_ms);
            let alarm = alarm(key.0, finding, since_ms);
            if worse {
                changes.push(Change::Raised(alarm.clone()));
            }
            self.lasting.insert(key, Lasting { alarm, absent: 0 });
        }
        for change in &changes {
            if let Change::Cleared(alarm) = change {
                self.cleared.push_front(alarm.clone());
            }
        }
        self.cleared.truncate(CLEARED_MAX);
        changes
    }

    /// Whether there is room for an alarm of this severity. One that is less severe gives way, without a message: it is
    /// not gone.
    fn make_room(&mut self, severity: Severity) -> bool {
        if self.lasting.len() < ALARMS_MAX {
            return true;
        }
        let least = self.lasting.iter().min_by_key(|(_, lasting)| lasting.alarm.severity);
        let least = least.filter(|(_, lasting)| lasting.alarm.severity < severity).map(|(key, _)| key.clone());
        least.is_some_and(|key| self.lasting.remove(&key).is_some())
    }

    fn lasting(&self) -> Vec<Alarm> {
        let mut alarms: Vec<Alarm> = self.lasting.values().map(|lasting| lasting.alarm.clone()).collect();
        alarms.sort_by(|a, b| {
            b.severity.cmp(&a.severity).then(a.since_ms.cmp(&b.since_ms)).then_with(|| a.id.cmp(&b.id))
        });
        alarms
    }
}

fn alarm(source: &str, finding: Finding, since_ms: u64) -> Alarm {
    Alarm {
        id: finding.id,
        severity: finding.severity,
        subject: finding.subject,
        source: source.to_owned(),
        since_ms,
        cleared_ms: None,
        what_zh: finding.what_zh,
        what_en: finding.what_en,
        fix_zh: finding.fix_zh,
        fix_en: finding.fix_en,
    }
}

impl Alarms {
    /// Alarms from these sources, sent to these targets, looked at every `interval`.
    pub fn new(core: Core, sources: Vec<Arc<dyn Source>>, targets: Targets, interval: Duration) -> Self {
        let (boot_ms, board) = (now_ms(), Mutex::default());
        Self { shared: Arc::new(Shared { core, sources, targets, interval, boot_ms, board }) }
    }

    /// Looks again and again until the node stops.
    pub async fn run(self) {
        let mut tick = tokio::time::interval(self.shared.interval);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            self.look().await;
        }
    }

    async fn look(&self) {
        let mut found = Vec::new();
        for source in &self.shared.sources {
            found.extend(source.findings().await.into_iter().map(|finding| (source.name(), finding)));
        }
        let now_ms = now_ms();
        let mut board = self.shared.board.lock();
        for change in board.look(found, now_ms) {
            board.messages += 1;
            let message = self.message(change, board.messages, now_ms);
            let alarm = &message.alarm;
            tracing::warn!(
                event = message.event,
                id = alarm.id,
                subject = alarm.subject,
                what = alarm.what_en,
                "alarm"
            );
            self.shared.targets.send(&message);
        }
    }

    fn message(&self, change: Change, number: u64, time_ms: u64) -> AlarmMessage {
        let (event, alarm) = match change {
            Change::Raised(alarm) => ("raised", alarm),
            Change::Cleared(alarm) => ("cleared", alarm),
        };
        let own = self.shared.core.own().map(|(member, _)| member);
        let (federation, member) = self.shared.core.read(|state| {
            let charter = state.replica.charter();
            let name = |number| charter.members().get(&number).map(|member| member.name.clone()).unwrap_or_default();
            let member = own.map(|number| MemberName { number: number.0, name: name(number) });
            (charter.name().to_owned(), member)
        });
        let (event, boot_ms) = (event.to_owned(), self.shared.boot_ms);
        AlarmMessage { version: 1, event, boot_ms, number, time_ms, federation, member, alarm }
    }
}

/// The alarms as they were looked at last.
pub fn view(alarms: &Alarms) -> AlarmsView {
    let board = alarms.shared.board.lock();
    let lasting = board.lasting();
    let severity = lasting.iter().map(|alarm| alarm.severity).max().unwrap_or(Severity::Ok);
    AlarmsView {
        as_of_ms: board.as_of_ms,
        severity,
        alarms: lasting,
        cleared: board.cleared.iter().cloned().collect(),
        webhooks: alarms.shared.targets.views(),
    }
}
