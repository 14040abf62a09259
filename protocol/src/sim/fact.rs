//! What happened, told to the checkers as it happens. Facts are what an onlooker would see; nothing in them is judged.

use crate::charter::LogNumber;
use crate::entry::VerifiedEntry;
use crate::sync::agenda::Ended;
use std::sync::Arc;

/// Something that happened at a member.
#[derive(Debug, Clone)]
pub enum Fact {
    /// A member's node started.
    Started {
        /// Which.
        member: usize,
    },
    /// A member's node ended, in whichever way.
    Stopped {
        /// Which.
        member: usize,
    },
    /// A member's disk holds one more entry, its own or another's.
    Took {
        /// Which member.
        member: usize,
        /// The entry's id.
        id: crate::identity::EntryId,
    },
    /// A link is there.
    Linked {
        /// Whose.
        member: usize,
        /// With whom.
        peer: usize,
    },
    /// A member told whoever asked that an entry of its own is published.
    Acknowledged {
        /// Which.
        member: usize,
        /// The log.
        log: LogNumber,
        /// The entry.
        entry: Arc<VerifiedEntry>,
        /// Whether the disk holds it whatever happens to the power.
        durable: bool,
    },
    /// A hostile member made an entry that must never count.
    Forged {
        /// The entry's id.
        id: crate::identity::EntryId,
        /// What is wrong with it.
        why: &'static str,
        /// The id of the message that nobody may pass on, if nobody may.
        message: Option<u128>,
    },
    /// A hostile member signed two entries for one place.
    Forked {
        /// Which.
        member: usize,
    },
    /// A node passed a message of gossip on to its neighbours.
    Forwarded {
        /// Which.
        member: usize,
        /// The message's id.
        message: u128,
    },
    /// A node blamed another one for what it sent.
    Blamed {
        /// Who blames.
        member: usize,
        /// Who is blamed.
        peer: usize,
        /// For what.
        why: String,
    },
    /// A session began.
    Begun {
        /// At whom.
        member: usize,
        /// With whom.
        peer: usize,
        /// Whether this member began it.
        own: bool,
    },
    /// A session ended.
    Ended {
        /// At whom.
        member: usize,
        /// With whom.
        peer: usize,
        /// How.
        how: Ended,
        /// Whether the digests were equal at the beginning.
        equal: bool,
        /// Bytes that this member sent in it.
        sent_bytes: u64,
        /// Entries that were new here.
        received: u64,
        /// Entries that this member served.
        served: u64,
    },
    /// A node sent bytes.
    Sent {
        /// Which.
        member: usize,
        /// How many.
        bytes: u64,
        /// Over what.
        way: Way,
    },
    /// A node found an entry of its own log that it had not signed since it started.
    OwnLogFromElsewhere {
        /// Which.
        member: usize,
    },
}

/// By what bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Gossip.
    Gossip,
    /// Sync sessions.
    Sync,
    /// The exchange of beacons.
    Beacons,
}
