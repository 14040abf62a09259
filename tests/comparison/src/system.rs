//! What a system must be able to do to be compared, and what it says of itself.

use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

/// How often a receiver is asked whether it has everything.
pub const POLL: Duration = Duration::from_millis(5);

/// What is told of a system beside its figures.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// Its version, in its own words.
    pub version: String,
    /// What is on disk when it says so.
    pub durability: String,
    /// Who signs what.
    pub signed: String,
}

/// An author and a receiver of one system, two processes.
///
/// The calls come in this order: `found`, `publish`, `settle`, then rounds of `start_receiver`, `wait_complete` and
/// `stop_receiver`, with publishing while the receiver is stopped or runs.
pub trait System {
    /// What it is called in the table.
    fn name(&self) -> &'static str;
    /// Starts the author with nothing, and prepares a receiver that holds nothing and does not run.
    fn found(&mut self) -> Result<About>;
    /// Ports by which the author and the receiver are asked, if they are asked over the network.
    fn control_ports(&self) -> Vec<u16>;
    /// Publishes many records on the author as its documentation recommends for many; durable when it returns.
    fn publish(&mut self, records: Range<usize>) -> Result<()>;
    /// Waits until the author, or the receiver, does nothing of its own any more.
    fn settle(&mut self) -> Result<()>;
    /// Starts the receiver; it answers when this returns.
    fn start_receiver(&mut self) -> Result<()>;
    /// Waits until the receiver has agreed with the author and everything can be read from it and is durable; `total`
    /// records are to be there, of them `fresh` since it was stopped.
    fn wait_complete(&mut self, total: usize, fresh: usize) -> Result<()>;
    /// Reads everything at the receiver, compares every value with what was published, and returns how many there are.
    fn check(&mut self) -> Result<usize>;
    /// Publishes one record on the author; what [`System::is_readable`] finds it by.
    fn publish_one(&mut self, index: usize) -> Result<String>;
    /// Whether the receiver can read that record, content included.
    fn is_readable(&mut self, handle: &str) -> Result<bool>;
    /// Stops the receiver in good order.
    fn stop_receiver(&mut self) -> Result<()>;
    /// Everything that the receiver keeps.
    fn receiver_root(&self) -> PathBuf;
    /// Of that, what holds the records: without indexes for searching, logs of the process, and journals of the disk.
    fn receiver_store(&self) -> Vec<PathBuf>;
}
