//! Every bound of the log of logins and writes, in one place.

use std::time::Duration;

/// Refused logins are written down once in this time; those between are counted.
pub const REFUSED_PAUSE: Duration = Duration::from_secs(1);
/// Lines that wait for the writer; more are counted and lost, which is said.
pub const QUEUE: usize = 1_024;
/// Lines that are written and forced to disk together.
pub const BATCH_LINES: usize = 256;
/// How long a line waits for others before it is forced to disk: each forcing holds up what the node publishes.
pub const GATHER_PAUSE: Duration = Duration::from_millis(50);
/// A file is closed once it passes this many bytes.
pub const FILE_BYTES: u64 = 4 * 1024 * 1024;
/// Closed files that are kept.
pub const FILES_MAX: usize = 16;
/// Characters of one text of a line.
pub const TEXT_CHARACTERS_MAX: usize = 200;
/// Lines that are shown at a time.
pub const VIEW_LINES_MAX: usize = 1_000;
/// Broken places that are named.
pub const BREAKS_MAX: usize = 20;
/// No sequence is larger: it could not have been reached by counting.
pub const SEQUENCE_MAX: u64 = u64::MAX / 2;
/// How often an idle writer looks whether something is still to be written.
pub const RETRY_PAUSE: Duration = Duration::from_secs(2);
/// How often verifying begins anew, because the node closed a file meanwhile.
pub const ATTEMPTS_MAX: usize = 3;
/// How long the writer may take for what waits when the node stops.
pub const CLOSE_WAIT: Duration = Duration::from_secs(5);
/// How often a closing log looks whether its writer is done.
pub const CLOSE_POLL: Duration = Duration::from_millis(10);
/// How long `head` may be behind the lines: it costs the disk twice what a line does. After a power cut what came within
/// this time is there, and only its end is not guarded.
pub const HEAD_PAUSE: Duration = Duration::from_secs(1);
