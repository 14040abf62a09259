//! A namespace of this run, and its way into the network.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;

use harness::namespace;

use crate::router::{Port, Router};
use crate::site::{named, remove_namespace, run};

/// What the device towards the network is called inside.
const UPLINK: &str = "uplink";
/// Longest packet on it: room for what tunnels of real lines take away.
const MTU: &str = "1400";

/// A network namespace. It goes with this value, and whatever runs in it.
#[derive(Debug)]
pub struct Place {
    name: String,
    port: Option<Port>,
    address: Ipv4Addr,
}

impl Place {
    /// A namespace with an address and without a way out.
    pub fn lonely(label: &str, address: Ipv4Addr) -> Result<Self, String> {
        let name = named(label);
        run(&["ip", "netns", "add", &name])?;
        let place = Self { name, port: None, address };
        place.ip(&["link", "set", "lo", "up"])?;
        Ok(place)
    }

    /// A namespace with an address in the network that the router makes.
    pub fn linked(label: &str, address: Ipv4Addr, router: &Arc<Router>) -> Result<Self, String> {
        let mut place = Self::lonely(label, address)?;
        // Its name in the namespace of this program, for a moment.
        let device = format!("xt{}x{}", std::process::id() % 100_000, address.octets()[3]);
        let port = router.add(&device).map_err(|error| format!("no TUN device: {error}"))?;
        run(&["ip", "link", "set", &device, "netns", &place.name])?;
        place.ip(&["link", "set", &device, "name", UPLINK])?;
        place.ip(&["link", "set", UPLINK, "mtu", MTU, "up"])?;
        place.port = Some(port);
        place.take_address(address)?;
        router.route(address, port);
        Ok(place)
    }

    /// Its name, as `ip netns` knows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its address.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Its place in the network.
    ///
    /// # Panics
    /// When it was made without one.
    pub fn port(&self) -> Port {
        self.port.expect("the place is in the network")
    }

    /// Gives it another address; what came to the old one goes nowhere from now on.
    pub fn readdress(&mut self, address: Ipv4Addr, router: &Router) -> Result<(), String> {
        router.unroute(self.address);
        self.ip(&["addr", "flush", "dev", UPLINK])?;
        self.take_address(address)?;
        router.route(address, self.port());
        self.address = address;
        Ok(())
    }

    fn take_address(&self, address: Ipv4Addr) -> Result<(), String> {
        self.ip(&["addr", "add", &format!("{address}/32"), "dev", UPLINK])?;
        self.ip(&["route", "replace", "default", "dev", UPLINK, "src", &address.to_string()])
    }

    /// Runs `ip` in it.
    pub fn ip(&self, words: &[&str]) -> Result<(), String> {
        run(&[&["ip", "-n", &self.name], words].concat()).map(drop)
    }

    /// Runs a command in it.
    pub fn run(&self, words: &[&str]) -> Result<String, String> {
        let prefix = namespace::prefix(&self.name);
        let words: Vec<&str> = prefix.iter().map(String::as_str).chain(words.iter().copied()).collect();
        run(&words)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if Path::new(&namespace::file(&self.name)).exists() {
            remove_namespace(&self.name);
        }
    }
}
