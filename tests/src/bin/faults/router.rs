//! The network between the namespaces: one TUN device in each, and a program that carries packets between them.
//!
//! The kernel's own `netem` would do most of this, and many kernels come without it, those of virtual machines above
//! all. TUN is in nearly every one. It also gives what netem does not: each direction between two nodes has a shape of
//! its own, all of them can be changed between two packets, and one seed decides what is lost.
//!
//! A device is made in the namespace of this program and then moved into the other one; its descriptor stays here and
//! goes on working. Packets are routed by their destination address; those for nobody, and IPv6, go nowhere.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::shape::Shape;

/// Packets that are under way at a time; more are dropped, as by any router.
const PACKETS_MAX: usize = 20_000;
/// The longest packet.
const PACKET_BYTES_MAX: usize = 65_536;
/// How long a packet may wait for its turn on a slow link before it is dropped.
const QUEUE_MAX: Duration = Duration::from_secs(2);
/// The carrier looks at least so often whether it should end.
const LOOK: Duration = Duration::from_millis(200);

/// A place that packets come from and go to.
pub type Port = usize;

/// What became of the packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Handed over.
    pub carried: u64,
    /// Lost by chance.
    pub lost: u64,
    /// Dropped because the direction was shut.
    pub shut: u64,
    /// Dropped because a queue was full.
    pub shed: u64,
}

/// The network.
pub struct Router {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    ports: Vec<Arc<File>>,
    routes: BTreeMap<Ipv4Addr, Port>,
    /// Of directions that have no shape of their own.
    usual: Shape,
    shapes: BTreeMap<(Port, Port), Shape>,
    /// When the last packet of a direction has left it, and when it arrives.
    busy: BTreeMap<(Port, Port), (Instant, Instant)>,
    flights: BinaryHeap<Reverse<Flight>>,
    number: u64,
    random: fastrand::Rng,
    counts: Counts,
    closed: bool,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Flight {
    arrives: Instant,
    number: u64,
    to: Port,
    packet: Vec<u8>,
}

impl Router {
    /// A network without places, whose chance follows from a seed.
    pub fn new(seed: u64) -> Arc<Self> {
        let state = State {
            ports: Vec::new(),
            routes: BTreeMap::new(),
            usual: Shape::CLEAR,
            shapes: BTreeMap::new(),
            busy: BTreeMap::new(),
            flights: BinaryHeap::new(),
            number: 0,
            random: fastrand::Rng::with_seed(seed),
            counts: Counts::default(),
            closed: false,
        };
        let router = Arc::new(Self { state: Mutex::new(state), changed: Condvar::new() });
        let carrier = Arc::clone(&router);
        std::thread::spawn(move || carrier.carry());
        router
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a device of that name, to be moved into a namespace, and takes what comes out of it.
    pub fn add(self: &Arc<Self>, name: &str) -> io::Result<Port> {
        let device = Arc::new(tun(name)?);
        let port = {
            let mut state = self.state();
            state.ports.push(Arc::clone(&device));
            state.ports.len() - 1
        };
        let router = Arc::clone(self);
        // It ends when the device goes, with its namespace.
        std::thread::spawn(move || router.take(port, &device));
        Ok(port)
    }

    /// Leads packets for an address to a place, from now on.
    pub fn route(&self, address: Ipv4Addr, to: Port) {
        self.state().routes.insert(address, to);
    }

    /// Leads packets for an address nowhere.
    pub fn unroute(&self, address: Ipv4Addr) {
        self.state().routes.remove(&address);
    }

    /// How every direction is that has no shape of its own; takes away those.
    pub fn all(&self, shape: Shape) {
        let mut state = self.state();
        state.usual = shape;
        state.shapes.clear();
    }

    /// How one direction is.
    pub fn one(&self, from: Port, to: Port, shape: Shape) {
        self.state().shapes.insert((from, to), shape);
    }

    /// How both directions between two places are.
    pub fn both(&self, one: Port, other: Port, shape: Shape) {
        self.one(one, other, shape);
        self.one(other, one, shape);
    }

    /// What became of the packets up to now.
    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    /// Ends the network; packets that are under way are gone.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        state.ports.clear();
        state.flights.clear();
        drop(state);
        self.changed.notify_all();
    }

    fn take(&self, from: Port, mut device: &File) {
        let mut packet = vec![0; PACKET_BYTES_MAX];
        while let Ok(count) = device.read(&mut packet) {
            if self.state().closed {
                return;
            }
            self.send(from, &packet[..count]);
        }
    }

    fn send(&self, from: Port, packet: &[u8]) {
        let Some(destination) = destination(packet) else { return };
        let mut state = self.state();
        let Some(to) = state.routes.get(&destination).copied() else { return };
        state.admit(from, to, packet, Instant::now());
        drop(state);
        self.changed.notify_one();
    }

    fn carry(&self) {
        let mut state = self.state();
        while !state.closed {
            let now = Instant::now();
            let wait = match state.flights.peek() {
                Some(Reverse(next)) if next.arrives <= now => {
                    let Some(Reverse(flight)) = state.flights.pop() else { continue };
                    state.counts.carried += 1;
                    let Some(device) = state.ports.get(flight.to).cloned() else { continue };
                    drop(state);
                    // A device whose namespace is gone takes nothing any more.
                    let _ = (&*device).write(&flight.packet);
                    state = self.state();
                    continue;
                }
                Some(Reverse(next)) => (next.arrives - now).min(LOOK),
                None => LOOK,
            };
            state = self.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl State {
    fn admit(&mut self, from: Port, to: Port, packet: &[u8], now: Instant) {
        let shape = self.shapes.get(&(from, to)).copied().unwrap_or(self.usual);
        if !shape.open {
            self.counts.shut += 1;
            return;
        }
        if self.happens(shape.loss_permille) {
            self.counts.lost += 1;
            return;
        }
        let (free, last) = self.busy.get(&(from, to)).copied().unwrap_or((now, now));
        let begins = free.max(now);
        if begins - now > QUEUE_MAX || self.flights.len() >= PACKETS_MAX {
            self.counts.shed += 1;
            return;
        }
        let bytes = packet.len() as u64;
        let sending = shape.rate.map_or(Duration::ZERO, |rate| Duration::from_micros(bytes * 1_000_000 / rate.max(1)));
        let jitter = shape.jitter.mul_f64(self.random.f64());
        let overtakes = self.happens(shape.reorder_permille);
        let leaves = begins + sending;
        let arrives = match overtakes {
            true => leaves + shape.delay / 2,
            false => (leaves + shape.delay + jitter).max(last),
        };
        self.busy.insert((from, to), (leaves, if overtakes { last } else { arrives }));
        let copies = if self.happens(shape.duplicate_permille) { 2 } else { 1 };
        for _ in 0..copies {
            self.number += 1;
            self.flights.push(Reverse(Flight { arrives, number: self.number, to, packet: packet.to_vec() }));
        }
    }

    fn happens(&mut self, permille: u32) -> bool {
        permille > 0 && self.random.u32(..1_000) < permille
    }
}

/// Where a packet of IPv4 goes.
fn destination(packet: &[u8]) -> Option<Ipv4Addr> {
    let is_ipv4 = packet.first().is_some_and(|first| first >> 4 == 4);
    let bytes: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
    is_ipv4.then_some(Ipv4Addr::from(bytes))
}

/// Makes a TUN device: packets of IP without any header of its own.
#[allow(unsafe_code)]
fn tun(name: &str) -> io::Result<File> {
    let device = File::options().read(true).write(true).open("/dev/net/tun")?;
    // SAFETY: all of it is plain numbers, for which zero is a value.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if name.len() >= request.ifr_name.len() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the name is too long for a device"));
    }
    for (place, byte) in request.ifr_name.iter_mut().zip(name.bytes()) {
        *place = byte as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_TUN | libc::IFF_NO_PI) as libc::c_short;
    // SAFETY: the descriptor is open, and the request reads and writes one `ifreq`, which lives until it returns.
    let result = unsafe { libc::ioctl(device.as_raw_fd(), libc::TUNSETIFF as _, &mut request) };
    if result == 0 { Ok(device) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(usual: Shape) -> State {
        State {
            ports: Vec::new(),
            routes: BTreeMap::new(),
            usual,
            shapes: BTreeMap::new(),
            busy: BTreeMap::new(),
            flights: BinaryHeap::new(),
            number: 0,
            random: fastrand::Rng::with_seed(1),
            counts: Counts::default(),
            closed: false,
        }
    }

    fn arrivals(shape: Shape, packets: usize) -> (Vec<u64>, Counts) {
        let (mut state, now) = (state(shape), Instant::now());
        (0..packets).for_each(|_| state.admit(0, 1, &[0; 1_000], now));
        let mut arrivals = Vec::new();
        while let Some(Reverse(flight)) = state.flights.pop() {
            arrivals.push((flight.arrives - now).as_millis() as u64);
        }
        (arrivals, state.counts)
    }

    #[test]
    fn a_shape_delays_loses_doubles_and_slows_as_it_says() {
        let clear = Shape::CLEAR;
        let late = Shape { delay: Duration::from_millis(80), jitter: Duration::from_millis(20), ..clear };
        let (times, _) = arrivals(late, 500);
        assert!(times.iter().all(|time| (80..=100).contains(time)) && times[0] < times[499]);
        let (times, counts) = arrivals(Shape { loss_permille: 100, ..clear }, 2_000);
        assert!((150..250).contains(&counts.lost) && times.len() as u64 + counts.lost == 2_000, "{counts:?}");
        assert_eq!(arrivals(Shape { duplicate_permille: 1_000, ..clear }, 10).0.len(), 20);
        let (times, _) = arrivals(Shape { rate: Some(10_000), ..clear }, 5);
        assert_eq!(times, [100, 200, 300, 400, 500]);
        let (times, counts) = arrivals(Shape { rate: Some(10_000), ..clear }, 50);
        assert!(times.len() < 25 && counts.shed as usize == 50 - times.len(), "what waits too long is dropped");
        assert_eq!(arrivals(Shape::SHUT, 3).1.shut, 3);
        let (times, _) = arrivals(Shape { reorder_permille: 500, ..late }, 100);
        assert!(times.contains(&40) && times.iter().any(|time| *time >= 80));
    }

    #[test]
    fn one_direction_can_be_shut_alone() {
        let (mut state, now) = (state(Shape::CLEAR), Instant::now());
        state.shapes.insert((0, 1), Shape::SHUT);
        state.admit(0, 1, &[0; 10], now);
        state.admit(1, 0, &[0; 10], now);
        assert_eq!((state.flights.len(), state.counts.shut), (1, 1));
    }

    #[test]
    fn packets_go_where_their_header_says() {
        let mut packet = [0; 20];
        (packet[0], packet[16], packet[19]) = (0x45, 10, 7);
        assert_eq!(destination(&packet), Some(Ipv4Addr::new(10, 0, 0, 7)));
        packet[0] = 0x60;
        assert_eq!(destination(&packet), None);
        assert_eq!(destination(&packet[..10]), None);
    }
}
