//! Members and strangers, and those who change sides.

use std::{collections::BTreeSet, time::Duration};

use tokio::io::AsyncReadExt;

use super::*;

#[tokio::test]
async fn a_stranger_hears_no_gossip_and_gets_no_sync_stream_but_may_join() {
    // The stranger, 9, takes everybody for members, subscribes, and would speak every protocol.
    let (a, mut b) = (start(1, &[1, 2], TCP).await, start(2, &[1, 2], TCP).await);
    let mut stranger = start(9, &[1, 2, 9], TCP).await;
    stranger.dial(&a).await;
    stranger.dial(&b).await;
    assert!(!b.connected(stranger.key).await);
    a.dial(&b).await;
    warm_up(&a, &mut b, b"hello").await;

    assert_eq!(stranger.network.publish(Topic::Entries, b"spam".to_vec()).await, Ok(Published::NoPeers));
    let refused = stranger.network.open_stream(b.key, StreamKind::Sync).await;
    assert!(matches!(refused, Err(OpenStreamError::NotOffered)), "{refused:?}");
    let mut join = stranger.network.open_stream(b.key, StreamKind::Join).await.expect("a join stream");
    write_frame(&mut join, b"let me in", PATIENCE).await.expect("written");
    let (peer, kind, mut stream) = b.inbound().await;
    assert_eq!((peer, kind), (stranger.key, StreamKind::Join));
    assert_eq!(read_frame(&mut stream, 100, PATIENCE).await.expect("a frame"), b"let me in");

    // One join stream at a time: the second is reset, and the first still works.
    let mut second = stranger.network.open_stream(b.key, StreamKind::Join).await.expect("agreed upon");
    let end = timeout(PATIENCE, second.read(&mut [0; 1])).await.expect("reset in time");
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    write_frame(&mut stream, b"wait", PATIENCE).await.expect("written");
    assert_eq!(read_frame(&mut join, 100, PATIENCE).await.expect("a frame"), b"wait");

    // Gossip that reached b long ago did not reach the stranger, and both ends know each other as connected.
    a.publish(b"secret").await;
    b.gossip().await;
    let peers = b.network.peers().await.expect("running");
    let entry = peers.iter().find(|peer| peer.peer == stranger.key).expect("connected");
    assert!(!entry.member && !entry.outbound && entry.agent.is_none());
    stranger.network.shutdown().await;
    while let Some(event) = stranger.events.recv().await {
        assert!(!matches!(event, NetworkEvent::Gossip { .. } | NetworkEvent::InboundStream { .. }), "{event:?}");
    }
    assert_eq!(stranger.network.statistics().gossip_received, 0);
    assert_eq!(b.network.statistics().streams_refused, 1);
}

#[tokio::test]
async fn strangers_are_few_and_do_not_stay() {
    let mut settings = settings(1, &[1, 2], TCP);
    settings.limits.strangers_max = 1;
    settings.limits.stranger_idle = Duration::from_millis(300);
    let mut a = start_with(settings).await;
    let (first, second) = (start(8, &[], TCP).await, start(9, &[], TCP).await);
    first.dial(&a).await;
    assert!(!a.connected(first.key).await);
    // The dialler may see its side of the handshake through before it is shown the door.
    let addresses = a.network.listen_addresses().await.expect("running");
    second.network.dial(Some(a.key), addresses).await.ok();
    a.disconnected(first.key).await;
    assert_eq!(a.network.statistics().strangers_refused, 1);
    assert!(a.network.peers().await.expect("running").is_empty());
}

#[tokio::test]
async fn a_change_of_members_cuts_those_who_changed_sides() {
    let (mut a, b, c) = (start(1, &[1, 2], TCP).await, start(2, &[1, 2, 3], TCP).await, start(3, &[1, 3], TCP).await);
    b.dial(&a).await;
    assert!(a.connected(b.key).await);
    c.dial(&a).await;
    assert!(!a.connected(c.key).await);

    // 2 loses membership, 3 gains it: both are disconnected.
    a.network.set_members([key(1), key(3)].into()).await.expect("running");
    a.disconnected(b.key).await;
    a.disconnected(c.key).await;
    assert!(a.network.peers().await.expect("running").is_empty());
    let mut b = b;
    b.disconnected(a.key).await;

    // 3 comes back as a member and gossips; 2 comes back as a stranger.
    let mut c = c;
    c.disconnected(a.key).await;
    c.dial(&a).await;
    assert!(a.connected(c.key).await);
    b.dial(&a).await;
    assert!(!a.connected(b.key).await);
    warm_up(&c, &mut a, b"now a member").await;
    assert_eq!(b.network.publish(Topic::Entries, b"no more".to_vec()).await, Ok(Published::NoPeers));
}

#[tokio::test]
async fn members_that_come_and_go_do_no_harm() {
    let (mut a, mut b) = (start(1, &[1, 2], TCP).await, start(2, &[1, 2], TCP).await);
    for round in 0..20 {
        let member = round % 2 == 0;
        let members = if member { BTreeSet::from([key(1), key(2)]) } else { BTreeSet::from([key(1)]) };
        a.network.set_members(members).await.expect("running");
        b.dial(&a).await;
        assert_eq!(a.connected(b.key).await, member);
        let stream = b.network.open_stream(a.key, StreamKind::Sync).await;
        assert_eq!(stream.is_ok(), member, "{stream:?}");
        b.network.publish(Topic::Entries, vec![round]).await.expect("running");
        // The next change cuts the connection while all this is under way.
        a.network.set_members(BTreeSet::from([key(1)])).await.expect("running");
        a.network.set_members(BTreeSet::from([key(1), key(2)])).await.expect("running");
        b.disconnected(a.key).await;
    }
}
