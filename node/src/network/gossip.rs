//! How gossipsub is set up, and what its topics are called.
//!
//! Anonymous: an entry carries its author's signature and is verified once, by the node; gossipsub would verify a
//! signature of its own for every copy. The id of a message is the hash of its content, so copies are known whoever
//! sends them. Nothing is forwarded before the node's verdict. No peer scoring: it would punish duplicates and
//! silence, which are honest; what a peer sends that is rejected is counted by us.

use std::collections::HashSet;

use libp2p::gossipsub::{
    Behaviour, ConfigBuilder, IdentTopic, IdentityTransform, Message, MessageAuthenticity, MessageId, TopicHash,
    ValidationMode, WhitelistSubscriptionFilter,
};
use protocol::identity::FederationId;

use super::{
    error::{BoxError, NetworkError},
    limits::{
        GOSSIP_ANNOUNCED, GOSSIP_CONTROL_BYTES_MAX, GOSSIP_FRAME_BYTES_MAX, GOSSIP_HEARTBEAT, GOSSIP_HISTORY,
        GOSSIP_IDS_MAX, GOSSIP_QUEUE_MAX, GOSSIP_SEEN, MESH_OUTBOUND_MIN, MESH_PEERS, MESH_PEERS_MAX, MESH_PEERS_MIN,
    },
};

/// What a gossip message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// New entries.
    Entries,
    /// Calls of processes that may use one member's keys.
    Calls,
}

impl Topic {
    const ALL: [Self; 2] = [Self::Entries, Self::Calls];

    fn of(self, federation: &FederationId) -> IdentTopic {
        let name = match self {
            Self::Entries => "entries",
            Self::Calls => "calls",
        };
        IdentTopic::new(format!("xianmeng/{federation}/{name}"))
    }
}

/// Gossipsub as we use it: a peer can make us remember its subscriptions to our own topics, not to others.
pub(super) type Gossip = Behaviour<IdentityTransform, WhitelistSubscriptionFilter>;

/// The topics of one federation.
#[derive(Debug, Clone)]
pub(super) struct Topics {
    entries: TopicHash,
    calls: TopicHash,
}

impl Topics {
    pub(super) fn new(federation: &FederationId) -> Self {
        Self { entries: Topic::Entries.of(federation).hash(), calls: Topic::Calls.of(federation).hash() }
    }

    pub(super) fn hash(&self, topic: Topic) -> &TopicHash {
        match topic {
            Topic::Entries => &self.entries,
            Topic::Calls => &self.calls,
        }
    }

    pub(super) fn topic(&self, hash: &TopicHash) -> Option<Topic> {
        Topic::ALL.into_iter().find(|topic| self.hash(*topic) == hash)
    }
}

/// Gossipsub, subscribed to both topics of the federation.
pub(super) fn gossip(federation: &FederationId) -> Result<Gossip, NetworkError> {
    let config = ConfigBuilder::default()
        .validation_mode(ValidationMode::Anonymous)
        .validate_messages()
        .message_id_fn(message_id)
        .heartbeat_interval(GOSSIP_HEARTBEAT)
        .heartbeat_initial_delay(GOSSIP_HEARTBEAT)
        .mesh_n(MESH_PEERS)
        .mesh_n_low(MESH_PEERS_MIN)
        .mesh_n_high(MESH_PEERS_MAX)
        .mesh_outbound_min(MESH_OUTBOUND_MIN)
        .history_length(GOSSIP_HISTORY)
        .history_gossip(GOSSIP_ANNOUNCED)
        .duplicate_cache_time(GOSSIP_SEEN)
        // Own messages go to the mesh, filled up with random peers where the mesh is short, so a small federation is
        // reached whole. A bootstrap peer with a thousand connections that imports a spreadsheet does not send each
        // entry a thousand times.
        .flood_publish(false)
        .max_transmit_size(GOSSIP_FRAME_BYTES_MAX)
        .max_control_message_size(GOSSIP_CONTROL_BYTES_MAX)
        .max_control_messages_sent(GOSSIP_IDS_MAX)
        .connection_handler_queue_len(GOSSIP_QUEUE_MAX)
        .build()
        .map_err(setup)?;
    let topics = Topic::ALL.map(|topic| topic.of(federation));
    let ours = WhitelistSubscriptionFilter(topics.iter().map(IdentTopic::hash).collect::<HashSet<_>>());
    let mut gossip =
        Gossip::new_with_subscription_filter(MessageAuthenticity::Anonymous, config, ours).map_err(setup)?;
    for topic in &topics {
        gossip.subscribe(topic).map_err(setup)?;
    }
    Ok(gossip)
}

/// BLAKE3 of topic and data. No topic name holds a zero byte, so the two cannot run into each other.
fn message_id(message: &Message) -> MessageId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(message.topic.as_str().as_bytes()).update(&[0]).update(&message.data);
    MessageId::from(hasher.finalize().as_bytes().to_vec())
}

fn setup(error: impl Into<BoxError>) -> NetworkError {
    NetworkError::Setup(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_name_the_federation_and_are_found_by_their_hash() {
        let federation = FederationId([0xab; 32]);
        let topics = Topics::new(&federation);
        assert_eq!(topics.hash(Topic::Entries).as_str(), format!("xianmeng/{}/entries", "ab".repeat(32)));
        assert_eq!(topics.hash(Topic::Calls).as_str(), format!("xianmeng/{}/calls", "ab".repeat(32)));
        assert_eq!(topics.topic(topics.hash(Topic::Calls)), Some(Topic::Calls));
        assert_eq!(topics.topic(&TopicHash::from_raw("xianmeng/other")), None);
    }

    #[test]
    fn the_id_of_a_message_depends_on_topic_and_data_only() {
        let message = |topic: &str, data: &[u8]| Message {
            source: None,
            data: data.to_vec(),
            sequence_number: None,
            topic: TopicHash::from_raw(topic),
        };
        assert_eq!(message_id(&message("a", b"b")), message_id(&message("a", b"b")));
        assert_ne!(message_id(&message("a", b"b")), message_id(&message("a", b"c")));
        assert_ne!(message_id(&message("a", b"bc")), message_id(&message("ab", b"c")));
    }
}
