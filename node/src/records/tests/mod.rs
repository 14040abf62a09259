//! Stories about records of one node.

mod counting;
mod publishing;
mod refusals;
mod restating;
mod seeing;
mod standing;
pub(crate) mod world;
