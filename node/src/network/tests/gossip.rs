//! Gossip: verdicts, bursts, and a consumer that falls behind.

use std::{collections::BTreeSet, time::Duration};

use super::*;

async fn a_line_forwards_what_is_accepted_only(listen: &str) {
    let members = [1, 2, 3];
    let (a, mut b, mut c) =
        (start(1, &members, listen).await, start(2, &members, listen).await, start(3, &members, listen).await);
    assert_eq!(a.dial(&b).await, b.key);
    assert_eq!(c.dial(&b).await, b.key);
    warm_up(&a, &mut b, b"from a").await;
    warm_up(&c, &mut b, b"from c").await;
    warm_up(&b, &mut c, b"from b").await;

    a.publish(b"rejected").await;
    let (topic, token, source, bytes) = b.gossip().await;
    assert_eq!((topic, source, bytes.as_slice()), (Topic::Entries, a.key, &b"rejected"[..]));
    b.network.report(token, Verdict::Reject).await.expect("running");

    a.publish(b"accepted").await;
    let (_, token, _, bytes) = b.gossip().await;
    assert_eq!(bytes, b"accepted");
    b.network.report(token, Verdict::Accept).await.expect("running");

    // Messages keep their order on a connection, so "rejected" would have come first.
    let (_, token, source, bytes) = c.gossip().await;
    assert_eq!((source, bytes.as_slice()), (b.key, &b"accepted"[..]));
    c.network.report(token, Verdict::Accept).await.expect("running");

    let peers = b.network.peers().await.expect("running");
    let blamed: Vec<u64> = [&a, &c]
        .map(|node| peers.iter().find(|peer| peer.peer == node.key).map_or(99, |peer| peer.rejected_messages))
        .to_vec();
    assert_eq!(blamed, [1, 0]);
    let statistics = b.network.statistics();
    assert_eq!((statistics.accepted, statistics.ignored, statistics.rejected), (1, 2, 1));
    for node in [a, b, c] {
        node.network.shutdown().await;
    }
}

#[tokio::test]
async fn gossip_over_tcp_is_forwarded_after_acceptance_only() {
    a_line_forwards_what_is_accepted_only(TCP).await;
}

#[tokio::test]
async fn gossip_over_quic_is_forwarded_after_acceptance_only() {
    a_line_forwards_what_is_accepted_only(QUIC).await;
}

#[tokio::test]
async fn publishing_alone_is_no_error_and_too_long_a_message_is() {
    let a = start(1, &[1, 2], TCP).await;
    assert_eq!(a.network.publish(Topic::Calls, b"alone".to_vec()).await, Ok(Published::NoPeers));
    let long = vec![0; GOSSIP_BYTES_MAX + 1];
    let found = GOSSIP_BYTES_MAX + 1;
    assert_eq!(
        a.network.publish(Topic::Entries, long).await,
        Err(PublishError::TooLong { found, bound: GOSSIP_BYTES_MAX })
    );
}

async fn a_burst_of_the_longest_messages_arrives_whole(listen: &str) {
    const COUNT: usize = 300;
    let (a, mut b) = (start(1, &[1, 2], listen).await, start(2, &[1, 2], listen).await);
    a.dial(&b).await;
    warm_up(&a, &mut b, b"hello").await;
    for number in 0..COUNT {
        let mut bytes = vec![number as u8; GOSSIP_BYTES_MAX];
        bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
        a.publish(&bytes).await;
    }
    let mut seen = BTreeSet::new();
    while seen.len() < COUNT {
        let (_, token, _, bytes) = b.gossip().await;
        assert_eq!(bytes.len(), GOSSIP_BYTES_MAX);
        seen.insert(bytes[..8].to_vec());
        b.network.report(token, Verdict::Accept).await.expect("running");
    }
    assert_eq!(b.network.statistics().gossip_shed, 0);
}

#[tokio::test]
async fn a_burst_of_gossip_over_tcp_arrives_whole() {
    a_burst_of_the_longest_messages_arrives_whole(TCP).await;
}

/// QUIC hands over what has arrived without regard to messages, which a tighter limit on frames does not survive.
#[tokio::test]
async fn a_burst_of_gossip_over_quic_arrives_whole() {
    a_burst_of_the_longest_messages_arrives_whole(QUIC).await;
}

#[tokio::test]
async fn a_consumer_that_takes_no_events_loses_gossip_only_and_can_still_command() {
    let (a, mut b) = (start(1, &[1, 2], TCP).await, start(2, &[1, 2], TCP).await);
    a.dial(&b).await;
    warm_up(&a, &mut b, b"hello").await;
    let shed = async {
        let mut number = 0u64;
        while b.network.statistics().gossip_shed == 0 {
            a.publish(&number.to_le_bytes()).await;
            number += 1;
        }
    };
    timeout(PATIENCE, shed).await.expect("the channel fills up");
    a.network.shutdown().await;
    while !b.network.peers().await.expect("commands are served").is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    b.disconnected(a.key).await;
}
