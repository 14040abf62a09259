//! What the network has counted since it started.

use std::sync::atomic::{AtomicU64, Ordering};

use super::offenders::Offenders;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A snapshot of the network's counters, all since the start.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Statistics {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// The counters themselves, shared by the swarm task, the behaviours and the streams.
        #[derive(Debug, Default)]
        pub(super) struct Counters {
            $(pub(super) $name: Counter,)*
            /// Who went beyond the bounds.
            pub(super) offenders: Offenders,
        }

        impl Counters {
            pub(super) fn snapshot(&self) -> Statistics {
                Statistics { $($name: self.$name.get(),)* }
            }
        }
    };
}

counters! {
    /// Gossip messages handed to the node.
    gossip_received,
    /// Bytes of gossip messages handed to the node.
    gossip_bytes_received,
    /// Gossip messages of this node that went out to at least one peer.
    gossip_published,
    /// Bytes of gossip messages of this node that went out to at least one peer.
    gossip_bytes_published,
    /// Messages that the node accepted and that were forwarded.
    accepted,
    /// Messages that the node ignored: not forwarded, nobody blamed.
    ignored,
    /// Messages that the node or this module rejected: not forwarded, counted against the peer.
    rejected,
    /// Verdicts that came too late for the message to be forwarded.
    late_verdicts,
    /// Messages dropped because the node did not take events fast enough. Sync brings what they held.
    gossip_shed,
    /// Messages to slow peers that were dropped.
    slow_peer_drops,
    /// Connections of strangers refused because there were too many.
    strangers_refused,
    /// Connections of strangers closed because they stayed too long.
    strangers_overdue,
    /// Connections refused by the other bounds on connections.
    connections_refused,
    /// Calls of `dial` that failed.
    dials_failed,
    /// Streams that peers opened to us.
    streams_in,
    /// Streams that we opened.
    streams_out,
    /// Streams towards us reset because the peer had too many or the node was too slow.
    streams_refused,
    /// Bytes read from streams.
    stream_bytes_in,
    /// Bytes written to streams.
    stream_bytes_out,
}

/// One counter. It orders nothing else, so relaxed access is enough.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    pub(super) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(super) fn increment(&self) {
        self.add(1);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
