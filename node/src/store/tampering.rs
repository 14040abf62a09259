//! Changes single stored entries behind the store's back, for tests of the audit. Never for a real node.

use std::path::Path;

use protocol::charter::LogNumber;

use super::database::{Database, Pending, put};
use super::error::StoreError;
use super::layout::{entry_key, time_offset};
use super::limits::AUDIT_CACHE_BYTES;
use super::salvage::STORE;

/// What is done to an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tampering {
    /// A bit of its body is turned over.
    Body,
    /// A bit of the time in its header is turned over.
    Header,
    /// It is taken away.
    Removal,
}

/// Tampers with an entry in a data directory that no process uses. Says whether it was there.
pub fn tamper(directory: &Path, log: LogNumber, sequence: u64, how: Tampering) -> Result<bool, StoreError> {
    let database = Database::open(&directory.join(STORE), AUDIT_CACHE_BYTES)?;
    let key = entry_key(log, sequence);
    let Some(mut value) = database.get(&key)? else { return Ok(false) };
    let mut pending = Pending::new();
    match how {
        Tampering::Removal => {
            for piece in database.keys(&key, &[key.as_slice(), &[u8::MAX]].concat())? {
                pending.insert(piece.to_vec(), None);
            }
        }
        Tampering::Body => {
            if let Some(last) = value.last_mut() {
                *last ^= 1;
            }
            put(&mut pending, &key, &value)?;
        }
        Tampering::Header => {
            if let Some(byte) = value.get_mut(time_offset(sequence)) {
                *byte ^= 1;
            }
            put(&mut pending, &key, &value)?;
        }
    }
    database.write(pending)?;
    Ok(true)
}
