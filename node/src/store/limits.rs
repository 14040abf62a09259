//! Every bound of the store, in one place.

/// Memory that the database may use to cache pages, in bytes, unless settings say otherwise.
pub const CACHE_BYTES: u64 = 64 * 1024 * 1024;
/// A journal segment is closed before it would pass this many bytes, unless settings say otherwise.
pub const JOURNAL_SEGMENT_BYTES: u64 = 64 * 1024 * 1024;
/// A stored value is cut into pieces of this many bytes.
///
/// sled moves a page above 128 KiB into a file of its own, which its flush does not make durable. A page holds up to
/// 17 values, so pieces of this size keep every page well below.
pub const PIECE_BYTES: usize = 4 * 1024;
/// Most pieces of one value: their count is one byte. A charter block, the largest value, needs 72.
pub const PIECES_MAX: usize = 255;
/// One batch of the database closes when its values pass this many bytes.
pub const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Entries that are decoded together, on all cores, while the store is opened.
pub const EXAMINE_CHUNK_ENTRIES: usize = 4_096;
/// Bytes of stored values that are decoded together while the store is opened.
pub const EXAMINE_CHUNK_BYTES: usize = 16 * 1024 * 1024;
/// Entries that a replay of the journal commits together.
pub const REPLAY_BATCH_ENTRIES: usize = 1_000;
/// Most databases that are kept aside after damage before opening asks the operator to clear them away.
pub const KEPT_ASIDE_MAX: u32 = 1_000;
/// Entries that one range read returns at most, whatever the caller asks for.
pub const RANGE_ENTRIES_MAX: usize = 65_536;
/// Effort that zstd spends on a body.
pub const COMPRESSION_LEVEL: i32 = 3;
/// How long closing waits for the threads of the database, in milliseconds.
pub const CLOSE_MS_MAX: u64 = 10_000;
/// How long one write may take before the store gives up on the database, in milliseconds.
pub const WRITE_MS_MAX: u64 = 60_000;
/// Memory that the copy of a database may use to cache pages while it is audited, in bytes.
pub const AUDIT_CACHE_BYTES: u64 = 32 * 1024 * 1024;
