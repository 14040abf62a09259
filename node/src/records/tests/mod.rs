//! Stories about records of one node.

mod counting;
mod parties;
mod publishing;
mod refusals;
mod restating;
mod seeing;
mod standing;
mod states;
mod survey;
pub(crate) mod world;
