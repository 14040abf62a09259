//! Sync (DESIGN 5.2): two peers bring each other to the same frontier over one stream.
//!
//! Gossip is a hint, sync is the truth. [`Session`] is a state machine without I/O: it takes messages and the
//! results of what it asked the shell to do, and returns [`Output`]s. Both sides run the same machine and each pulls
//! what it lacks:
//!
//! 1. `Hello` both ways. Equal digests and nothing missing: done, under 256 bytes each way.
//! 2. The side with the older charter asks for blocks until it has the other's tip.
//! 3. `Heads` both ways, in compact form, with fork proofs if the proof sets differ.
//! 4. Ranges, at most two requests in flight, streamed in compressed chunks.
//! 5. A range that does not attach starts a bisection for the place of the fork.
//! 6. `Done` both ways.
//!
//! [`Session`]: session::Session
//! [`Output`]: session::Output

pub mod agenda;
mod bisection;
pub mod chunk;
pub mod fault;
pub mod heads;
pub mod message;
pub mod session;
