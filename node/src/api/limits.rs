//! Every bound of the API, in one place. They protect the node; none decides what is valid.

use std::time::Duration;

use protocol::bundle::FRAME_BYTES_MAX;
use protocol::limits::{BODY_BYTES_MAX, EXTERNAL_BYTES_MAX};

use crate::records::LOOKUP_NUMBERS_MAX;

/// Connections at a time; when one more comes, whoever was idle longest gives way.
pub const CONNECTIONS_MAX: usize = 256;
/// Requests that are worked on at a time; further ones wait.
pub const REQUESTS_MAX: usize = 64;
/// Questions over all records (searches, matches, lists) that are worked on at a time. They keep a processor busy, and
/// whoever asks many of them must not keep others from publishing.
pub const QUESTIONS_MAX: usize = 4;
/// Requests with a long body at a time; further ones wait before they count as worked on. Such a body is held as a whole,
/// and what is read of it takes several times its length.
pub const LONG_BODIES_MAX: usize = 2;
/// What is longer is a long body, in bytes. One record as people write it is none.
pub const LONG_BODY_BYTES: u64 = 2 * BODY_BYTES_MAX as u64;
/// Downloads and uploads of any length at a time.
pub const STREAMS_MAX: usize = 8;
/// Streams of events at a time.
pub const EVENT_STREAMS_MAX: usize = 32;
/// Events of one stream that wait for its connection.
pub const EVENTS_WAITING: usize = 16;
/// How often a stream of events says that it is there still.
pub const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a request waits for its turn.
pub const TURN_WAIT: Duration = Duration::from_secs(10);
/// How long a request may take until its answer begins.
pub const REQUEST_TIME_MAX: Duration = Duration::from_secs(60);
/// How long a sender of a bundle may pause.
pub const UPLOAD_PAUSE_MAX: Duration = Duration::from_secs(60);
/// How long a connection may be silent in both directions.
pub const SILENCE_MAX: Duration = Duration::from_secs(300);
/// How long open requests may take to end when the server stops.
pub const DRAIN_TIME_MAX: Duration = Duration::from_secs(4);

/// Longest JSON body that is about one record, in bytes.
pub const RECORD_BYTES_MAX: usize = 8 * BODY_BYTES_MAX;
/// Longest JSON body of a batch of records, in bytes.
pub const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest body of canonical statements, in bytes.
pub const STATEMENTS_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Longest list of own numbers that are looked up, in bytes: JSON may write a character in six bytes.
pub const LOOKUP_BYTES_MAX: usize = 8 * LOOKUP_NUMBERS_MAX * EXTERNAL_BYTES_MAX;
/// Longest charter block as JSON: two characters for each byte, and what is around them.
pub const BLOCK_BYTES_MAX: usize = 2 * FRAME_BYTES_MAX + 1_024;
/// Longest question of a watch, in bytes: JSON may write a character in six bytes.
pub const WATCH_BYTES_MAX: usize = 64 * 1024;
/// Longest body of every other request, in bytes.
pub const OTHER_BYTES_MAX: usize = 4 * 1024;
/// Longest bundle, in bytes. It is read as it comes, never held as a whole.
pub const BUNDLE_BYTES_MAX: u64 = 1 << 40;
/// Longest token of an invitation, in bytes.
pub const TOKEN_BYTES_MAX: usize = 256;
/// Conditions of one list.
pub const CONDITIONS_MAX: usize = 16;

/// Entries that one piece of an export holds at most.
pub const EXPORT_PIECE_ENTRIES: usize = 512;
/// Bytes of entries that one piece of an export holds at most, and one body more.
pub const EXPORT_PIECE_BYTES: usize = 1024 * 1024;
/// Charter blocks that one piece of an export holds at most.
pub const EXPORT_PIECE_BLOCKS: usize = 16;
/// Entries that an import verifies and takes in at a time.
pub const IMPORT_BATCH_ENTRIES: usize = 2_048;
/// Bytes of entries that an import takes in at a time.
pub const IMPORT_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Charter blocks that an import takes in at a time.
pub const IMPORT_BATCH_BLOCKS: usize = 16;
