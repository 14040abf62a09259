//! What a link does to packets, one direction at a time.

use std::time::Duration;

/// How a direction of a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Whether anything passes.
    pub open: bool,
    /// How long a packet is under way at least.
    pub delay: Duration,
    /// How much longer at most. Packets keep their order all the same.
    pub jitter: Duration,
    /// Of a thousand packets, so many are lost.
    pub loss_permille: u32,
    /// Of a thousand packets, so many arrive twice.
    pub duplicate_permille: u32,
    /// Of a thousand packets, so many overtake those before them.
    pub reorder_permille: u32,
    /// Bytes a second; no bound if there is none.
    pub rate: Option<u64>,
}

impl Shape {
    /// Everything passes at once.
    pub const CLEAR: Self = Self {
        open: true,
        delay: Duration::ZERO,
        jitter: Duration::ZERO,
        loss_permille: 0,
        duplicate_permille: 0,
        reorder_permille: 0,
        rate: None,
    };
    /// Nothing passes, and nobody is told: no reset, no message of the network.
    pub const SHUT: Self = Self { open: false, ..Self::CLEAR };
}
