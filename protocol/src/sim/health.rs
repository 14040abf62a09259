//! The health model of one node, fed as a shell feeds it.

use std::collections::BTreeSet;

use super::air::Air;
use super::node::Node;
use super::scenario::Scenario;
use crate::beacon::{Beacon, Condition, DiskSpace, Version};
use crate::health::{Model, Own, Picture, Report, Thresholds, enrolled};
use crate::identity::MemberNumber;
use crate::replica::Replica;

/// The room on every disk.
const DISK: DiskSpace = DiskSpace { free_mib: 1_024 * 1_024, free_permille: 900 };

/// The model, and when it is fed next.
#[derive(Debug)]
pub(super) struct Watch {
    model: Model,
    next_ms: u64,
}

impl Watch {
    pub(super) fn new(scenario: &Scenario, now_ms: u64) -> Self {
        let thresholds = Thresholds::new(scenario.grace_ms, scenario.beacon_interval_ms);
        Self { model: Model::new(thresholds, now_ms, &[]), next_ms: now_ms }
    }

    /// What the node says of its own state in beacons.
    pub(super) fn condition(&self, replica: &Replica) -> Condition {
        let logs = replica.charter().logs().iter();
        let missing = logs.map(|grant| replica.missing_bodies(grant.number).count()).sum::<usize>();
        Condition {
            version: Version([1, 0, 0]),
            missing_entries: self.model.missing_entries(),
            missing_bodies: u32::try_from(missing).unwrap_or(u32::MAX),
            peers: u16::try_from(self.model.links()).unwrap_or(u16::MAX),
            disk: Some(DISK),
            clock_offset_ms: None,
            rejected: 0,
        }
    }

    pub(super) fn heard(&mut self, member: MemberNumber, beacon: &Beacon, agrees: bool, now_ms: u64) {
        self.model.heard(member, Report::of(beacon, agrees, now_ms));
    }

    pub(super) fn picture(&self) -> Picture {
        self.model.picture()
    }
}

impl Node {
    /// Tells the model who is there and how this node is.
    pub(super) fn tick_health(&mut self, air: &mut Air) {
        let Some(running) = self.running.as_deref_mut() else { return };
        if air.now_ms < running.watch.next_ms {
            return;
        }
        running.watch.next_ms = air.now_ms + air.scenario.health_ms;
        let condition = running.watch.condition(&running.replica);
        let entries = running.heads().1.values().sum();
        let keys = running.replica.charter().transport_keys();
        let links: BTreeSet<MemberNumber> =
            running.linked.iter().filter_map(|peer| keys.get(&air.transports[*peer]).copied()).collect();
        let own = Own {
            member: keys.get(&self.transport).copied(),
            charter_version: running.replica.charter().version(),
            entries,
            staged: u32::try_from(running.replica.staged()).unwrap_or(u32::MAX),
            condition,
        };
        let model = &mut running.watch.model;
        model.roster(&enrolled(&running.replica));
        model.own(own);
        model.linked(&links, air.now_ms);
        model.tick(air.now_ms);
    }

    /// What the node's health page shows, while it runs.
    pub fn picture(&self) -> Option<Picture> {
        self.running.as_ref().map(|running| running.watch.picture())
    }
}
