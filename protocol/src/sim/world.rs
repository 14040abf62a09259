//! The world: members, links between them, and the course of a run.

use std::sync::Arc;

use super::air::{Air, Event, Parcel};
use super::checkers::{self, Checker};
use super::disk::Disk;
use super::fact::{Fact, Way};
use super::links::{Edge, topology};
use super::measure::{Figures, Measure, Recovery};
use super::node::{Node, TICK_MS, signing_key};
use super::scenario::{Scenario, ScenarioError};
use crate::charter::{Charter, Class, Operation};
use crate::entry::Draft;
use crate::identity::public_key;
use crate::testing::Organisation;

/// Between the founding of the federation and the beginning of a run.
const FOUNDED_BEFORE_MS: u64 = 86_400_000;
/// How often the checkers look at everything.
const LOOK_MS: u64 = 5_000;
/// How often expired beacons are looked for.
const EXPIRE_MS: u64 = 60_000;
/// How wrong clocks are at most.
const SKEW_MS: i64 = 1_000;
/// The kind of what members publish.
const KIND: u16 = 102;
/// The random bytes at the beginning of a body, and a little content.
const BODY_BYTES_MIN: usize = 24;
/// Operations in one founding block.
const ADMITTED_AT_ONCE: usize = 200;

/// What a run came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// BLAKE3 over everything that happened.
    pub digest: [u8; 32],
    /// What the checkers found.
    pub failures: Vec<Failure>,
    /// Sums.
    pub totals: Totals,
    /// How fast, and at what cost.
    pub figures: Figures,
}

/// What a checker found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The checker.
    pub checker: &'static str,
    /// What it found.
    pub text: String,
}

/// Sums of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Events.
    pub events: u64,
    /// Entries that were acknowledged.
    pub acknowledged: u64,
    /// Sessions that ended, on either side.
    pub sessions: u64,
    /// Bytes of gossip that were sent.
    pub gossip_bytes: u64,
    /// Bytes of sync sessions that were sent.
    pub sync_bytes: u64,
    /// Bytes of the exchange of beacons that were sent.
    pub beacon_bytes: u64,
}

/// A federation in virtual time.
#[derive(Debug)]
pub struct World {
    pub(super) air: Air,
    pub(super) nodes: Vec<Node>,
    pub(super) edges: Vec<Edge>,
    pub(super) edges_of: Vec<Vec<usize>>,
    /// The charter as it was at the beginning.
    pub(super) founding: Arc<Charter>,
    /// Running, start, and charter version of each member, as they were last looked at.
    pub(super) known: Vec<(bool, u64, u32)>,
    totals: Totals,
    measure: Measure,
}

/// Runs a scenario twice with the same seed, with every checker.
///
/// # Errors
/// When the scenario makes no sense.
pub fn run(scenario: &Scenario, seed: u64) -> Result<Outcome, ScenarioError> {
    let mut outcome = World::new(scenario, seed)?.run();
    let again = World::new(scenario, seed)?.run();
    if again.digest != outcome.digest {
        let [one, other] = [outcome.digest, again.digest].map(|digest| hex::encode(&digest[..8]));
        let text = format!("two runs of seed {seed} differ: {one} and {other}");
        outcome.failures.push(Failure { checker: checkers::REPLAY, text });
    }
    Ok(outcome)
}

impl World {
    /// The beginning of a run.
    ///
    /// # Errors
    /// When the scenario makes no sense.
    pub fn new(scenario: &Scenario, seed: u64) -> Result<Self, ScenarioError> {
        scenario.check()?;
        let organisations = organisations(scenario.members);
        let founding = Arc::new(found(scenario, &organisations));
        let transports = organisations.iter().map(|one| public_key(&one.transport)).collect();
        let founded_ms = founding.tip_block().time_ms + FOUNDED_BEFORE_MS;
        let mut air = Air::new(scenario.clone(), seed, founding.federation(), founded_ms, transports);
        let nodes: Vec<Node> = organisations
            .into_iter()
            .enumerate()
            .map(|(index, organisation)| {
                let hostile = scenario.hostile.iter().find(|hostile| hostile.member as usize == index);
                Node {
                    index,
                    transport: public_key(&organisation.transport),
                    key: signing_key(&organisation),
                    organisation,
                    habits: hostile.map(|hostile| hostile.habits.clone()).unwrap_or_default(),
                    skew_ms: air.random.i64(-SKEW_MS..=SKEW_MS),
                    disk: Disk::new(Arc::clone(&founding)),
                    backup: None,
                    boots: 0,
                    is_outside: scenario.applicants.contains(&(index as u32)),
                    down_since_ms: Some(0),
                    published: 0,
                    loot: Default::default(),
                    running: None,
                }
            })
            .collect();
        let edges = topology(nodes.len(), scenario.links, &mut air.random);
        let mut edges_of = vec![Vec::new(); nodes.len()];
        for (number, edge) in edges.iter().enumerate() {
            edges_of[edge.one].push(number);
            edges_of[edge.other].push(number);
        }
        let known = vec![(false, 0, 0); nodes.len()];
        let (totals, measure) = (Totals::default(), Measure::new(nodes.len()));
        let mut world = Self { air, nodes, edges, edges_of, founding, known, totals, measure };
        world.plan();
        Ok(world)
    }

    /// The events of the scenario.
    fn plan(&mut self) {
        let scenario = self.air.scenario.clone();
        for member in 0..self.nodes.len() {
            if !scenario.absent.contains(&(member as u32)) && !self.nodes[member].is_outside {
                let at_ms = self.air.random.u64(0..1_000);
                self.air.at(at_ms, Event::Start { member });
            }
            if scenario.publish.members == 0 || member < scenario.publish.members as usize {
                // As if everybody had been publishing all along.
                let first_ms = self.air.random.u64(0..=scenario.publish.every_ms);
                self.air.at(first_ms, Event::Publish { member });
            }
        }
        for hostile in &scenario.hostile {
            let first_ms = self.air.around(hostile.every_ms);
            self.air.at(first_ms, Event::Misdeed { member: hostile.member as usize });
        }
        for (index, happening) in scenario.events.iter().enumerate() {
            self.air.at(happening.at_ms, Event::Happens { index });
        }
        if let Some(churn) = scenario.churn {
            let first_ms = self.air.around(churn.every_ms);
            self.air.at(first_ms, Event::Churn);
        }
        if let Some(tremor) = scenario.tremor {
            let first_ms = self.air.around(tremor.every_ms);
            self.air.at(first_ms, Event::Tremor { begins: true });
        }
        self.air.at(LOOK_MS, Event::Look);
    }

    /// Runs to the end, and says what the checkers found.
    pub fn run(mut self) -> Outcome {
        let mut checkers = checkers::all();
        let end_ms = self.air.scenario.active_ms + self.air.scenario.rest_ms;
        while let Some(event) = self.air.next(end_ms) {
            let looks = matches!(event, Event::Look);
            self.totals.events += 1;
            self.handle(event);
            self.show_facts(&mut checkers);
            if looks {
                checkers.iter_mut().for_each(|checker| checker.look(&self));
            }
        }
        checkers.iter_mut().for_each(|checker| checker.finish(&self));
        for node in &self.nodes {
            let digest = node.replica().map_or([0; 32], |replica| replica.frontier().digest().0);
            self.air.mark_bytes(&digest);
        }
        let found = checkers.into_iter().flat_map(|mut checker| {
            let name = checker.name();
            checker.take_faults().into_iter().map(move |text| Failure { checker: name, text })
        });
        let figures = self.measure.finish(self.air.now_ms);
        Outcome { digest: self.air.digest(), failures: found.collect(), totals: self.totals, figures }
    }

    fn show_facts(&mut self, checkers: &mut [Box<dyn Checker>]) {
        for fact in self.air.take_facts() {
            match &fact {
                Fact::Sent { bytes, way, .. } => match way {
                    Way::Gossip => self.totals.gossip_bytes += bytes,
                    Way::Sync => self.totals.sync_bytes += bytes,
                    Way::Beacons => self.totals.beacon_bytes += bytes,
                },
                Fact::Ended { .. } => self.totals.sessions += 1,
                Fact::Acknowledged { .. } => self.totals.acknowledged += 1,
                _ => {}
            }
            let nodes = &self.nodes;
            self.measure.see(&fact, self.air.now_ms, |member| nodes[member].held());
            checkers.iter_mut().for_each(|checker| checker.see(&self.nodes, self.air.now_ms, &fact));
        }
    }

    /// How many links a member may have.
    pub(super) fn links_of(&self, member: usize) -> usize {
        self.edges_of[member].len()
    }

    /// Whether members still publish and things still go wrong.
    pub(super) fn is_active(&self) -> bool {
        self.air.now_ms < self.air.scenario.active_ms
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Tick { member, boot } => self.tick(member, boot),
            Event::Publish { member } => self.publish(member),
            Event::Misdeed { member } => self.misdeed(member),
            Event::Happens { index } => {
                let action = self.air.scenario.events[index].action.clone();
                if let Some(recovery) = Recovery::after(&action, self.air.now_ms) {
                    self.measure.expect(recovery);
                }
                self.happen(action);
            }
            Event::Churn => self.churn(),
            Event::Tremor { begins } => self.tremor(begins),
            Event::Start { member } => {
                self.nodes[member].start(&mut self.air);
                self.notice(member);
            }
            Event::Link { edge } => self.link(edge),
            Event::Serve { member, boot, session } => {
                if self.nodes[member].boots == boot {
                    self.nodes[member].serve(session, &mut self.air);
                    self.notice(member);
                }
            }
            Event::Arrive { from, to, epoch, parcel } => self.arrive(from, to, epoch, parcel),
            Event::Look => {
                self.air.after(LOOK_MS, Event::Look);
                let now_ms = self.air.wall_ms(0);
                self.air.library.forget_before(now_ms);
            }
        }
    }

    fn tick(&mut self, member: usize, boot: u64) {
        let node = &mut self.nodes[member];
        if node.boots != boot || node.running.is_none() {
            return;
        }
        node.tick_sync(&mut self.air);
        node.tick_beacons(&mut self.air);
        node.tick_health(&mut self.air);
        node.open_gate(&mut self.air);
        if self.air.now_ms % EXPIRE_MS < TICK_MS {
            node.expire_beacons(&mut self.air);
        }
        self.air.after(TICK_MS, Event::Tick { member, boot });
        self.notice(member);
    }

    fn arrive(&mut self, from: usize, to: usize, epoch: u64, parcel: Parcel) {
        let (node, air) = (&mut self.nodes[to], &mut self.air);
        let current = air.network.epoch(from, to) == epoch;
        match parcel {
            Parcel::Gossip(told) => node.hear(from, &told, air),
            _ if !current => {}
            Parcel::Frame { session, opens, bytes } => node.frame(from, session, opens, &bytes, air),
            Parcel::Closed { session } => node.closed(from, session, air),
            Parcel::Relay(bytes) => node.relay(from, &bytes, air),
        }
        self.notice(to);
    }

    fn publish(&mut self, member: usize) {
        if !self.is_active() {
            return;
        }
        let publish = self.air.scenario.publish.clone();
        let pause_ms = self.air.around(publish.every_ms);
        self.air.after(pause_ms, Event::Publish { member });
        let left = if publish.entries_max == 0 { u32::MAX } else { publish.entries_max };
        let left = left.saturating_sub(self.nodes[member].published);
        let count = self.air.random.u32(1..=publish.batch_max.max(1)).min(left);
        let longest = (publish.body_bytes_max as usize).max(BODY_BYTES_MIN);
        let drafts: Vec<Draft> = (0..count)
            .map(|_| {
                let mut body = vec![0; self.air.random.usize(BODY_BYTES_MIN..=longest)];
                self.air.random.fill(&mut body);
                Draft { kind: KIND, body }
            })
            .collect();
        if count > 0 && self.nodes[member].publish(drafts, &mut self.air).is_some() {
            self.nodes[member].published += count;
        }
        self.notice(member);
    }
}

fn organisations(members: u32) -> Vec<Organisation> {
    let organisation = |number: u32| match number {
        0 => Organisation::new("秘书处", Class::Secretariat, 1),
        number => Organisation::new(&format!("模拟县{number}"), Class::County, number + 1),
    };
    (0..members).map(organisation).collect()
}

fn found(scenario: &Scenario, organisations: &[Organisation]) -> Charter {
    let (mut charter, secretariat) = Organisation::found("秘书处", 1);
    let admitted: Vec<&Organisation> = organisations
        .iter()
        .enumerate()
        .skip(1)
        .filter(|(index, _)| !scenario.applicants.contains(&(*index as u32)))
        .map(|(_, organisation)| organisation)
        .collect();
    for some in admitted.chunks(ADMITTED_AT_ONCE) {
        let first = charter.next_member().0;
        let operations = some.iter().zip(first..).map(|(one, number)| Operation::Admit {
            member: crate::identity::MemberNumber(number),
            application: one.application(&charter.federation()),
        });
        let operations = operations.collect();
        secretariat.try_append(&mut charter, operations).expect("the founding members keep every rule");
    }
    if scenario.gossip_entries_per_minute > 0 {
        let gossip_entries_per_minute = scenario.gossip_entries_per_minute;
        let limits = Operation::Limits { gossip_entries_per_minute };
        secretariat.try_append(&mut charter, vec![limits]).expect("limits keep every rule");
    }
    charter
}
