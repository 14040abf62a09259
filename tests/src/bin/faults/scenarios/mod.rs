//! One file for each fault.

pub mod address;
pub mod bad_disk;
pub mod clock;
pub mod disk_full;
pub mod half_open;
pub mod kills;
pub mod memory;
pub mod nat;
pub mod partition;
pub mod power;
pub mod restarts;
pub mod slow_links;
pub mod torn_writes;
pub mod upgrade;
