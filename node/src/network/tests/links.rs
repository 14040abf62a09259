//! Listening, dialling, streams, and the end.

use tokio::io::AsyncWriteExt;

use super::*;

#[tokio::test]
async fn two_who_dial_each_other_at_once_are_connected_once() {
    let (a, mut b) = (start(1, &[1, 2], TCP).await, start(2, &[1, 2], TCP).await);
    tokio::join!(a.dial(&b), b.dial(&a));
    assert!(b.connected(a.key).await);
    warm_up(&a, &mut b, b"hello").await;
    a.network.disconnect(b.key).await.expect("running");
    let mut changes = Vec::new();
    while !changes.contains(&false) {
        changes.push(
            b.wait(|event| match event {
                NetworkEvent::Connected { .. } => Some(true),
                NetworkEvent::Disconnected { .. } => Some(false),
                _ => None,
            })
            .await,
        );
    }
    assert_eq!(changes, [false], "a second connection is no second peer");
}

#[tokio::test]
async fn an_address_in_use_is_told_apart() {
    for listen in [TCP, QUIC] {
        let a = start(1, &[], listen).await;
        let address = a.network.listen_addresses().await.expect("running").remove(0);
        let error = Network::start(settings(2, &[], &address)).await.err().expect("the address is taken");
        assert!(matches!(&error, NetworkError::AddressInUse { address: named } if named == &address), "{error:?}");
        a.network.shutdown().await;
        start(2, &[], &address).await;
    }
    let error = Network::start(settings(2, &[], "/ip4/127.0.0.1")).await.err().expect("no transport");
    assert!(matches!(error, NetworkError::Listen { .. }), "{error:?}");
    let error = Network::start(settings(2, &[], "localhost:80")).await.err().expect("no address");
    assert!(matches!(error, NetworkError::BadAddress { .. }), "{error:?}");
}

#[tokio::test]
async fn two_processes_with_one_key_are_reached_each_on_its_own_connection() {
    let mut third = start(1, &[1, 2], TCP).await;
    let (mut one, mut other) = (start(2, &[1, 2], TCP).await, start(2, &[1, 2], TCP).await);
    one.dial(&third).await;
    assert!(third.connected(one.key).await);
    other.dial(&third).await;
    let again = |event| matches!(event, NetworkEvent::ConnectedAgain { .. }).then_some(());
    third.wait(again).await;
    let streams = third.network.open_streams(one.key, StreamKind::Instance, PATIENCE).await.expect("running");
    assert_eq!(streams.len(), 2);
    let mut streams: Vec<PeerStream> = streams;
    for (number, stream) in (1..).zip(&mut streams) {
        write_frame(stream, &[number], PATIENCE).await.expect("written");
    }
    let mut heard = Vec::new();
    for node in [&mut one, &mut other] {
        let (_, kind, mut stream) = node.inbound().await;
        assert_eq!(kind, StreamKind::Instance);
        heard.push(read_frame(&mut stream, 1, PATIENCE).await.expect("a frame"));
    }
    heard.sort();
    assert_eq!(heard, [[1], [2]]);
    let nobody = third.network.open_streams(key(3), StreamKind::Instance, PATIENCE).await.expect("running");
    assert!(nobody.is_empty());
}

async fn a_stream_carries_a_megabyte_there_and_back(listen: &str) {
    let (a, mut b) = (start(1, &[1, 2], listen).await, start(2, &[1, 2], listen).await);
    a.dial(&b).await;
    let mut stream = a.network.open_stream(b.key, StreamKind::Sync).await.expect("a stream");
    let sent: Vec<u8> = (0..1024 * 1024_u32).map(|number| (number % 251) as u8).collect();
    let echo = async {
        let (peer, kind, mut stream) = b.inbound().await;
        assert_eq!((peer, kind), (a.key, StreamKind::Sync));
        let bytes = read_frame(&mut stream, 2 * 1024 * 1024, PATIENCE).await.expect("a frame");
        write_frame(&mut stream, &bytes, PATIENCE).await.expect("written");
        // Too long for the reader: refused by its length.
        write_frame(&mut stream, &bytes, PATIENCE).await.ok();
        stream.shutdown().await.ok();
    };
    let there_and_back = async {
        write_frame(&mut stream, &sent, PATIENCE).await.expect("written");
        assert_eq!(read_frame(&mut stream, sent.len(), PATIENCE).await.expect("a frame"), sent);
        let error = read_frame(&mut stream, sent.len() - 1, PATIENCE).await.expect_err("too long");
        assert!(matches!(error, FrameError::TooLong { .. }), "{error:?}");
        drop(stream);
    };
    timeout(PATIENCE, async { tokio::join!(echo, there_and_back) }).await.expect("done in time");
    assert!(a.network.statistics().stream_bytes_out >= sent.len() as u64);
}

#[tokio::test]
async fn a_stream_over_tcp_carries_a_megabyte() {
    a_stream_carries_a_megabyte_there_and_back(TCP).await;
}

#[tokio::test]
async fn a_stream_over_quic_carries_a_megabyte() {
    a_stream_carries_a_megabyte_there_and_back(QUIC).await;
}

#[tokio::test]
async fn dialling_says_why_it_failed() {
    let (a, b) = (start(1, &[1, 2], TCP).await, start(2, &[1, 2], TCP).await);
    let there = b.network.listen_addresses().await.expect("running");
    let own = a.network.listen_addresses().await.expect("running");
    assert_eq!(a.network.dial(Some(key(3)), there.clone()).await, Err(DialError::OtherKey { obtained: b.key }));
    assert_eq!(a.network.dial(None, own).await, Err(DialError::Own));
    assert_eq!(a.network.dial(Some(b.key), vec![]).await, Err(DialError::NoAddress));
    let nobody = a.network.dial(Some(b.key), vec!["/ip4/127.0.0.1/tcp/1".to_owned()]).await;
    assert!(matches!(&nobody, Err(DialError::Unreachable { reason }) if reason.contains("tcp/1")), "{nobody:?}");
    assert!(matches!(a.network.open_stream(b.key, StreamKind::Sync).await, Err(OpenStreamError::NotConnected)));

    // Without a key, the first address that answers will do; once connected, dialling again changes nothing.
    let places = ["/ip4/127.0.0.1/tcp/1".to_owned()].into_iter().chain(there.clone()).collect();
    assert_eq!(a.network.dial(None, places).await, Ok(b.key));
    assert_eq!(a.network.dial(Some(b.key), there).await, Ok(b.key));
    assert_eq!(a.network.peers().await.expect("running").len(), 1);
    assert_eq!(a.network.statistics().dials_failed, 4);
}

#[tokio::test]
async fn after_the_shutdown_everything_says_so() {
    let (a, mut b) = (start(1, &[1, 2], TCP).await, start(2, &[1, 2], TCP).await);
    a.dial(&b).await;
    assert!(b.connected(a.key).await);
    a.network.shutdown().await;
    a.network.shutdown().await;
    assert_eq!(a.network.peers().await, Err(NetworkClosed));
    assert_eq!(a.network.dial(Some(b.key), vec![TCP.to_owned()]).await, Err(DialError::Closed(NetworkClosed)));
    assert_eq!(a.network.publish(Topic::Entries, vec![1]).await, Err(PublishError::Closed(NetworkClosed)));
    b.disconnected(a.key).await;
}
