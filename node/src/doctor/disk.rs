//! Room on the volume of the data directory.

use std::io;
use std::path::Path;

use super::catalogue::{DISK_FILLING, DISK_FULL};
use crate::api::types::Finding;

/// Below so many free bytes a disk counts as full, unless it is a small one.
const FULL_BYTES: u64 = 128 * 1024 * 1024;
/// Of a small disk, so many thousandths.
const FULL_PERMILLE: u64 = 50;
/// Below so many free bytes a disk counts as filling, unless it is a small one.
const FILLING_BYTES: u64 = 2 * 1024 * 1024 * 1024;
/// Of a small disk, so many thousandths.
const FILLING_PERMILLE: u64 = 100;

/// Room on a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Bytes that this process could still write.
    pub free_bytes: u64,
    /// Bytes of the whole volume.
    pub total_bytes: u64,
}

impl Room {
    /// Whether there is as little as makes a disk full, or filling.
    fn is_below(self, bytes: u64, permille: u64) -> bool {
        self.free_bytes < bytes.min(self.total_bytes / 1_000 * permille)
    }
}

/// Room on the volume of a path.
pub fn room(path: &Path) -> io::Result<Room> {
    let volume = rustix::fs::statvfs(path)?;
    Ok(Room {
        free_bytes: volume.f_bavail.saturating_mul(volume.f_frsize),
        total_bytes: volume.f_blocks.saturating_mul(volume.f_frsize),
    })
}

/// What the room on the volume of a data directory says.
pub(super) fn findings(path: &Path) -> Vec<Finding> {
    match room(path) {
        Ok(room) => judge(room, &path.to_string_lossy()),
        Err(error) => {
            tracing::debug!(%error, "the room on the disk is unknown");
            Vec::new()
        }
    }
}

fn judge(room: Room, subject: &str) -> Vec<Finding> {
    let check = if room.is_below(FULL_BYTES, FULL_PERMILLE) {
        DISK_FULL
    } else if room.is_below(FILLING_BYTES, FILLING_PERMILLE) {
        DISK_FILLING
    } else {
        return Vec::new();
    };
    let (free, total) = (room.free_bytes.div_ceil(1 << 20), room.total_bytes >> 20);
    let zh = format!("{subject} 所在的磁盘只剩 {free} MiB（共 {total} MiB）");
    vec![check.finding(subject, zh, format!("the disk of {subject} has {free} MiB left of {total} MiB"))]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_is_told_on_large_and_on_small_disks() {
        let ids = |free_mib: u64, total_mib: u64| {
            let room = Room { free_bytes: free_mib << 20, total_bytes: total_mib << 20 };
            judge(room, "d").into_iter().map(|finding| finding.id).collect::<Vec<_>>()
        };
        assert_eq!(ids(100, 1 << 20), ["disk-full"]);
        assert_eq!(ids(1_024, 1 << 20), ["disk-filling"]);
        assert_eq!(ids(4_096, 1 << 20), Vec::<String>::new());
        assert_eq!(ids(0, 24), ["disk-full"]);
        assert_eq!(ids(2, 24), ["disk-filling"]);
        assert_eq!(ids(20, 24), Vec::<String>::new(), "a small disk that is empty is none that is full");
        assert!(room(Path::new("/")).is_ok_and(|room| room.total_bytes >= room.free_bytes));
    }
}
