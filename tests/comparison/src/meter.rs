//! Counts what travels over the loopback of this network namespace, one way for all systems: every IPv4 packet of every
//! process, both directions, headers and acknowledgements included.
//!
//! The packets of control ports are counted apart: by them the program asks a system that it measures, and they are no
//! part of the work. Loopback carries TCP in segments of up to 64 KiB, so headers weigh less than on a real line, for
//! all systems that use TCP; QUIC's packets are as on a real line.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use socket2::{Domain, Protocol, Socket, Type};

/// The number of IPv4 among the protocols of packet sockets, in network order.
const IPV4: u16 = 0x0800_u16.to_be();
/// Room for packets that wait to be counted.
const BUFFER_BYTES: usize = 4 * 1_024 * 1_024;
/// As much of a packet as is looked at: the longest IPv4 header and two ports.
const LOOKED_AT_BYTES: usize = 64;
/// How often the thread sees whether it should end.
const WAKE: Duration = Duration::from_millis(50);
/// The share of packets that may go uncounted: one that is under way when the interface is read.
const MISSED_SHARE_MAX: f64 = 0.002;
const MISSED_MAX: u64 = 20;

#[derive(Default)]
struct Counts {
    data_bytes: AtomicU64,
    control_bytes: AtomicU64,
    packets: AtomicU64,
    ended: AtomicBool,
    control: Mutex<BTreeSet<u16>>,
}

/// Counts until it is dropped.
pub struct Meter {
    counts: Arc<Counts>,
    thread: Option<JoinHandle<()>>,
}

/// Where the counters stood at some time.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    data_bytes: u64,
    packets: u64,
    interface_packets: u64,
}

impl Meter {
    /// Begins to count. It wants the right to open packet sockets.
    pub fn start() -> Result<Self> {
        let socket = Socket::new(Domain::PACKET, Type::DGRAM, Some(Protocol::from(i32::from(IPV4))));
        let mut socket = socket.context("a packet socket, which only root may open")?;
        socket.set_recv_buffer_size(BUFFER_BYTES)?;
        socket.set_read_timeout(Some(WAKE))?;
        let counts = Arc::new(Counts::default());
        let kept = Arc::clone(&counts);
        let thread = std::thread::spawn(move || {
            let mut bytes = [0; LOOKED_AT_BYTES];
            while !kept.ended.load(Ordering::Relaxed) {
                if let Ok(length) = socket.read(&mut bytes) {
                    kept.packets.fetch_add(1, Ordering::Relaxed);
                    kept.count(&bytes[..length]);
                }
            }
        });
        Ok(Self { counts, thread: Some(thread) })
    }

    /// Says which ports are no part of what is measured.
    pub fn set_control_ports(&self, ports: impl IntoIterator<Item = u16>) {
        *self.counts.control.lock().unwrap_or_else(PoisonError::into_inner) = ports.into_iter().collect();
    }

    /// Where the counters stand.
    pub fn mark(&self) -> Result<Mark> {
        // What was sent a moment ago is still on its way to the thread.
        std::thread::sleep(WAKE);
        Ok(Mark {
            data_bytes: self.counts.data_bytes.load(Ordering::Relaxed),
            packets: self.counts.packets.load(Ordering::Relaxed),
            interface_packets: interface_packets()?,
        })
    }

    /// Bytes since then. An error if packets went uncounted.
    pub fn since(&self, mark: Mark) -> Result<u64> {
        let now = self.mark()?;
        let (counted, seen) = (now.packets - mark.packets, now.interface_packets - mark.interface_packets);
        let missed = seen.saturating_sub(counted);
        if missed > MISSED_MAX && missed as f64 > seen as f64 * MISSED_SHARE_MAX {
            bail!("{missed} of {seen} packets went uncounted");
        }
        Ok(now.data_bytes - mark.data_bytes)
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.counts.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Counts {
    fn count(&self, packet: &[u8]) {
        let Some((length, ports)) = read(packet) else { return };
        let control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        let of_control = ports.iter().any(|port| control.contains(port));
        let counter = if of_control { &self.control_bytes } else { &self.data_bytes };
        counter.fetch_add(length, Ordering::Relaxed);
    }
}

/// Length and ports of an IPv4 packet.
fn read(packet: &[u8]) -> Option<(u64, [u16; 2])> {
    let two = |at: usize| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]));
    let header = usize::from(packet.first()? & 0x0f) * 4;
    Some((u64::from(two(2)?), [two(header)?, two(header + 2)?]))
}

/// Packets that the loopback interface of this namespace has received.
fn interface_packets() -> Result<u64> {
    let text = std::fs::read_to_string("/proc/self/net/dev")?;
    let line = text.lines().find_map(|line| line.trim_start().strip_prefix("lo:"));
    let packets = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    packets.context("the loopback interface has counters")
}
