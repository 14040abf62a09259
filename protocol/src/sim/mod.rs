//! The simulator: whole federations in one process, in virtual time, decided by one seed.
//!
//! It runs the code that a node runs: charter, logs, [`crate::durable`], [`crate::gossip`], sync sessions and their
//! [`crate::sync::agenda`], beacons and their [`crate::beacon::relay`], and the health model. Only what touches the world
//! is replaced: the clock by a queue of events, sockets by [`network`], sled and the journal by [`disk`], chance by one
//! seeded source. So a run is a function of scenario and seed, and what a checker finds can be played again.
//!
//! - [`scenario`]: what happens, as data. Reading files is for the caller.
//! - [`World`]: members, the network between them, and the events to come.
//! - [`measure`]: how fast it goes, and at what cost, in figures.
//! - [`checkers`]: what must hold, in every scenario. They judge by facts and by what nodes hold, with rules of their own.
//! - `hostile`: members that break the rules on purpose.
//!
//! Entries are shared and a verified id is remembered, so hundreds of replicas fit into one process.

mod air;
mod beaconing;
pub mod checkers;
mod disk;
mod fact;
mod gossiping;
mod happening;
mod health;
mod hostile;
mod library;
mod links;
pub mod measure;
mod network;
mod node;
pub mod scenario;
mod syncing;
#[cfg(test)]
mod tests;
mod world;

pub use fact::Fact;
pub use scenario::{Scenario, ScenarioError};
pub use world::{Failure, Outcome, Totals, World, run};
