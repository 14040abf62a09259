//! What happens in a scenario: actions, chance, and misdeeds.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::air::{Air, Event};
use super::disk::Disk;
use super::node::Node;
use super::scenario::Action;
use super::world::World;
use crate::charter::{Departure, Operation, Seal, SignedBlock};
use crate::testing::EXPIRES_MS;

impl World {
    pub(super) fn misdeed(&mut self, member: usize) {
        if !self.is_active() {
            return;
        }
        let hostile = self.air.scenario.hostile.iter().find(|hostile| hostile.member as usize == member);
        let every_ms = hostile.map_or(u64::MAX / 4, |hostile| hostile.every_ms);
        let pause_ms = self.air.around(every_ms);
        self.air.after(pause_ms, Event::Misdeed { member });
        self.nodes[member].misbehave(&mut self.air);
        self.notice(member);
    }

    pub(super) fn churn(&mut self) {
        let Some(churn) = self.air.scenario.churn.filter(|_| self.is_active()) else { return };
        let pause_ms = self.air.around(churn.every_ms);
        self.air.after(pause_ms, Event::Churn);
        let member = self.air.random.usize(0..self.nodes.len());
        if self.nodes[member].running.is_none() {
            return;
        }
        if self.air.random.bool() {
            self.nodes[member].crash(&mut self.air);
        } else {
            let steps = self.air.random.u32(0..4);
            self.nodes[member].disk.cut_after(steps);
        }
        let down_ms = 1 + self.air.random.u64(0..=churn.down_ms);
        self.air.after(down_ms, Event::Start { member });
        // A cut in a commit that does not come would leave the member half broken.
        self.notice(member);
    }

    pub(super) fn tremor(&mut self, begins: bool) {
        let Some(tremor) = self.air.scenario.tremor else { return };
        if begins && self.is_active() {
            let members = self.nodes.len();
            let side = (0..members).filter(|_| self.air.random.bool()).collect();
            self.air.network.partition(side);
            let lasts_ms = self.air.random.u64(0..=tremor.lasts_ms);
            self.air.after(lasts_ms, Event::Tremor { begins: false });
        } else if !begins {
            self.air.network.heal();
            let pause_ms = self.air.around(tremor.every_ms);
            self.air.after(pause_ms, Event::Tremor { begins: true });
        }
        self.look_at_edges(0..self.edges.len());
    }

    pub(super) fn happen(&mut self, action: Action) {
        let set = |members: &BTreeSet<u32>| members.iter().map(|member| *member as usize).collect();
        match &action {
            Action::Partition { members } => self.air.network.partition(set(members)),
            Action::Block { from, to } => self.air.network.block(*from as usize, *to as usize),
            Action::Heal => self.air.network.heal(),
            Action::Slow { member, bytes_per_second } => self.air.network.slow(*member as usize, *bytes_per_second),
            Action::Crash { member } => self.node(*member).crash_in(),
            Action::CrashInCommit { member, steps } => self.nodes[*member as usize].disk.cut_after(*steps),
            Action::Start { member } => self.air.after(0, Event::Start { member: *member as usize }),
            Action::DiskFails { member } => self.nodes[*member as usize].disk.set_refuses(true),
            Action::DiskMended { member } => self.nodes[*member as usize].disk.set_refuses(false),
            Action::Backup { member } => {
                let node = &mut self.nodes[*member as usize];
                node.backup = Some(node.disk.clone());
            }
            Action::Restore { member } => {
                self.node(*member).crash_in();
                let node = &mut self.nodes[*member as usize];
                if let Some(backup) = node.backup.clone() {
                    node.disk = backup;
                    node.disk.is_copy = true;
                }
            }
            Action::LoseDatabase { member } => {
                self.node(*member).crash_in();
                let founding = Arc::clone(&self.founding);
                self.nodes[*member as usize].disk.lose_database(founding);
            }
            Action::Expel { member } => self.expel(*member as usize),
            Action::Admit { member } => self.admit(*member as usize),
        }
        (0..self.nodes.len()).for_each(|member| self.notice(member));
        if matches!(action, Action::Partition { .. } | Action::Block { .. } | Action::Heal) {
            self.look_at_edges(0..self.edges.len());
        }
    }

    fn node(&mut self, member: u32) -> Lent<'_> {
        Lent { node: &mut self.nodes[member as usize], air: &mut self.air }
    }

    fn expel(&mut self, member: usize) {
        let key = self.nodes[member].key;
        let Some(replica) = self.nodes[0].replica() else { return };
        let Some(grant) = replica.charter().log_of(&key) else { return };
        let seal = Seal { key, last: replica.position(grant.number) };
        let departure =
            Departure { member: grant.member, reason: "模拟：不履行义务".into(), seals: vec![seal] };
        if self.append(vec![Operation::Expel(departure)]) {
            self.nodes[member].is_outside = true;
        }
    }

    fn admit(&mut self, member: usize) {
        let application = self.nodes[member].organisation.application(&self.air.federation);
        let Some(replica) = self.nodes[0].replica() else { return };
        let number = replica.charter().next_member();
        if self.append(vec![Operation::Admit { member: number, application }])
            && let Some(charter) = self.nodes[0].replica().map(|replica| replica.charter().clone())
        {
            self.nodes[member].disk = Disk::new(Arc::new(charter));
            self.nodes[member].is_outside = false;
            self.air.after(0, Event::Start { member });
        }
    }

    /// The secretariat signs a block. Says whether its charter took it.
    fn append(&mut self, operations: Vec<Operation>) -> bool {
        let Some(replica) = self.nodes[0].replica() else { return false };
        let charter = replica.charter();
        let time_ms = self.air.wall_ms(0).max(charter.tip_block().time_ms + 1);
        let block = charter.next_block(time_ms, EXPIRES_MS, operations);
        let Ok(mut signed) = SignedBlock::unsigned(block) else { return false };
        signed.sign(&self.nodes[0].organisation.governance, &self.air.federation);
        matches!(self.nodes[0].append_blocks(vec![signed], &mut self.air), Some(Ok(())))
    }
}

/// A node with the air around it.
struct Lent<'a> {
    node: &'a mut Node,
    air: &'a mut Air,
}

impl Lent<'_> {
    fn crash_in(self) {
        self.node.crash(self.air);
    }
}
