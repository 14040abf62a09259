//! Stories about records of one node.

mod parties;
mod publishing;
mod refusals;
mod restating;
mod seeing;
mod states;
pub(crate) mod world;
