//! Connections that are there and do next to nothing: requests that come a byte at a time, and connections that say
//! nothing at all.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::runtime::Runtime;

use crate::field::{Field, VICTIM};
use crate::tally::{Stop, Tally};

/// Slow requests at a time.
const SLOW: usize = 3_000;
/// Silent connections at a time.
const SILENT: usize = 3_000;
/// Time between two bytes of a slow request.
const BYTE_PAUSE: Duration = Duration::from_millis(700);
/// How long a connection may take to come about.
const CONNECT_WAIT: Duration = Duration::from_secs(5);
/// Time after which somebody whose connection was closed comes back.
const RETURN_PAUSE: Duration = Duration::from_millis(500);
/// Addresses of this machine from which the portal is asked: it counts connections by address.
const PLACES: usize = 64;
/// The beginning of a request that never ends.
const HEAD: &[u8] = b"GET /v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ";

/// Thousands of slow requests to the API.
pub fn slow_at_api(field: &Field, stop: &Stop, tally: &Tally) {
    let (address, _) = field.scene.nodes[VICTIM].api();
    linger(&address, SLOW, Some(HEAD), 1, stop, tally);
}

/// Thousands of slow requests to the portal, from many addresses.
pub fn slow_at_portal(field: &Field, stop: &Stop, tally: &Tally) {
    linger(field.pages[VICTIM].address(), SLOW, Some(HEAD), PLACES, stop, tally);
}

/// Thousands of silent connections to the port for peers.
pub fn silent_peers(field: &Field, stop: &Stop, tally: &Tally) {
    // `/ip4/127.0.0.1/tcp/4001`
    let address = field.scene.nodes[VICTIM].address();
    let port = address.split('/').nth(4).unwrap_or_default();
    linger(&format!("127.0.0.1:{port}"), SILENT, None, PLACES, stop, tally);
}

/// Holds so many connections, from so many addresses of this machine, until it is to stop.
fn linger(address: &str, count: usize, head: Option<&'static [u8]>, places: usize, stop: &Stop, tally: &Tally) {
    let target: SocketAddr = address.parse().expect("a node says where it listens");
    let runtime = Runtime::new().expect("threads can be started");
    runtime.block_on(async {
        let lingerer = async |number: usize| {
            let place = Ipv4Addr::new(127, 1, 0, 1 + (number % places) as u8);
            let from = if places == 1 { Ipv4Addr::LOCALHOST } else { place };
            while !stop.is_set() {
                tally.made();
                match tokio::time::timeout(CONNECT_WAIT, connect(from, target)).await {
                    Ok(Ok(stream)) => match stay(stream, head, stop).await {
                        true => tally.served(),
                        false => tally.closed(),
                    },
                    _ => tally.closed(),
                }
                tokio::time::sleep(RETURN_PAUSE).await;
            }
        };
        futures::future::join_all((0..count).map(lingerer)).await;
    });
}

async fn connect(from: Ipv4Addr, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(from.into(), 0))?;
    socket.connect(to).await
}

/// Stays until it is to stop: true. False when the node closes the connection before.
async fn stay(mut stream: TcpStream, head: Option<&'static [u8]>, stop: &Stop) -> bool {
    if let Some(head) = head
        && stream.write_all(head).await.is_err()
    {
        return false;
    }
    let mut answer = [0; 512];
    while !stop.is_set() {
        // An answer is not an end: what is told may be told slowly as well.
        match tokio::time::timeout(BYTE_PAUSE, stream.read(&mut answer)).await {
            Ok(Ok(0) | Err(_)) => return false,
            Ok(Ok(_)) => {}
            Err(_) if head.is_some() && stream.write_all(b"x").await.is_err() => return false,
            Err(_) => {}
        }
    }
    true
}
