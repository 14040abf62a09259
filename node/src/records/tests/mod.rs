//! Stories about records of one node.

mod publishing;
mod refusals;
mod restating;
mod seeing;
pub(crate) mod world;
