//! What the stories share: real nodes as processes, a disk whose power can be cut, and the built program.

pub mod node;
pub mod power;
pub mod program;
pub mod sheet;
