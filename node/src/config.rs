//! Settings of a node: one TOML file, every key optional, unknown keys refused.

use std::path::{Path, PathBuf};

use protocol::bytes::check_text;
use protocol::custody::{PROVINCES_MIN, REPLICAS_MIN};
use protocol::health::thresholds::GRACE_MS;
use protocol::limits::LEAD_CONTACT_BYTES_MAX;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The port of the peer-to-peer network, TCP and UDP.
pub const NETWORK_PORT: u16 = 4701;
/// The port of the HTTP API on the loopback interface.
pub const API_PORT: u16 = 4780;
/// What switches the portal off, as an empty text does.
const NO_PORTAL: &str = "none";
/// The port of the portal.
pub const PORTAL_PORT: u16 = 4788;

/// The longest interval between beacons: others take none that expires more than a day ahead.
const BEACON_SECONDS_MAX: u64 = 12 * 60 * 60;
/// The longest interval between rounds of sync, and between looks for alarms.
const SYNC_SECONDS_MAX: u64 = 24 * 60 * 60;
const CHECK_SECONDS_MAX: u64 = 24 * 60 * 60;
/// The longest grace.
const GRACE_SECONDS_MAX: u64 = 60 * 60;

/// Why the settings cannot be read.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The file is not what it should be; the reason names line and key.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

/// All settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The peer-to-peer network.
    pub network: NetworkConfig,
    /// The HTTP API.
    pub api: ApiConfig,
    /// The pages for people.
    pub portal: PortalConfig,
    /// How often things happen by themselves.
    pub timing: TimingConfig,
    /// Protected keys.
    pub keys: KeysConfig,
    /// Duplicate leads.
    pub leads: LeadsConfig,
    /// Logs.
    pub log: LogConfig,
    /// How many members must hold each log.
    pub custody: CustodyConfig,
    /// Prometheus metrics.
    pub metrics: MetricsConfig,
    /// Alarms.
    pub alarms: AlarmsConfig,
}

/// The peer-to-peer network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkConfig {
    /// Where to listen, in the text form of multiaddr.
    pub listen: Vec<String>,
    /// Addresses that others can reach this node at, if they differ from those it listens on.
    pub announce: Vec<String>,
    /// Peers to stay connected with, in the text form of multiaddr.
    pub peers: Vec<String>,
    /// Whether to look for further peers among the addresses that members signed.
    pub discovery: bool,
    /// How many members to stay connected with when discovery is on.
    pub links: usize,
}

impl Default for NetworkConfig {
    fn default() -> Self {
        let listen =
            vec![format!("/ip4/0.0.0.0/tcp/{NETWORK_PORT}"), format!("/ip4/0.0.0.0/udp/{NETWORK_PORT}/quic-v1")];
        Self { listen, announce: Vec::new(), peers: Vec::new(), discovery: true, links: 6 }
    }
}

/// The HTTP API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ApiConfig {
    /// Where to listen; a loopback address. Port 0 takes any free one.
    pub listen: String,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self { listen: format!("127.0.0.1:{API_PORT}") }
    }
}

/// The pages for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PortalConfig {
    /// Where to listen; beyond loopback only when there is an account. Port 0 takes any free one; `none` or empty: no portal.
    pub listen: String,
    /// Names under which it is reached beside those of this machine itself, without port.
    pub hosts: Vec<String>,
    /// Whether a proxy on this machine serves it by HTTPS: cookies are then sent by HTTPS only.
    pub https: bool,
}

impl Default for PortalConfig {
    fn default() -> Self {
        Self { listen: format!("127.0.0.1:{PORTAL_PORT}"), hosts: Vec::new(), https: false }
    }
}

/// How often things happen by themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimingConfig {
    /// Seconds between two rounds of sync with a few random peers.
    pub sync_seconds: u64,
    /// Seconds between two health beacons when nothing changes.
    pub beacon_seconds: u64,
    /// Seconds for which a lost connection still counts, and for which what is wrong must hold before it is shown.
    pub grace_seconds: u64,
}

impl Default for TimingConfig {
    fn default() -> Self {
        Self { sync_seconds: 30, beacon_seconds: 600, grace_seconds: GRACE_MS / 1_000 }
    }
}

/// How many members must hold each log, and in how many provinces; see `docs/HEALTH.md`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CustodyConfig {
    /// Members; all of them where there are fewer.
    pub replicas: usize,
    /// Provinces; all of them where members are in fewer.
    pub provinces: usize,
}

impl Default for CustodyConfig {
    fn default() -> Self {
        Self { replicas: REPLICAS_MIN, provinces: PROVINCES_MIN }
    }
}

/// Protected keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeysConfig {
    /// An agent that prints the passphrase: program and arguments, run without a shell. Empty: there is none.
    pub passphrase_command: Vec<String>,
}

/// Duplicate leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LeadsConfig {
    /// Whether leads with a credit code that are published or kept on this node are looked for at others by themselves.
    pub check_by_itself: bool,
    /// Whom a member that has the same lead is told to call, for instance an office and its telephone. Empty: the
    /// office in this member's own public record, or its name.
    pub contact: String,
}

impl Default for LeadsConfig {
    fn default() -> Self {
        Self { check_by_itself: true, contact: String::new() }
    }
}

/// Logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogConfig {
    /// What to log, in the form of `tracing`'s filters, for instance `info,node::sync=debug`.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { filter: "info".into() }
    }
}

/// Prometheus metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// Where `/metrics`, `/healthz` and `/readyz` are served without a token; a loopback address. Empty: nowhere. With
    /// the API's token they are served there in any case.
    pub listen: String,
}

/// Alarms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlarmsConfig {
    /// Seconds between two looks at what is wrong.
    pub check_seconds: u64,
    /// Where alarms are posted as JSON, in the form `https://HOST[:PORT]/PATH`, or `http://…` on the same network.
    pub webhooks: Vec<String>,
    /// A PEM file with the authorities that may certify webhooks, absolute or in the data directory. Empty: public ones.
    pub authorities: String,
}

impl Default for AlarmsConfig {
    fn default() -> Self {
        Self { check_seconds: 30, webhooks: Vec::new(), authorities: String::new() }
    }
}

impl Config {
    /// Reads a settings file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text =
            std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|reason| ConfigError::Content { path: path.to_owned(), reason })
    }

    /// Reads settings from text; the error names line, key and rule.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if config.portal.listen == NO_PORTAL {
            config.portal.listen.clear();
        }
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        let address: std::net::SocketAddr = self
            .api
            .listen
            .parse()
            .map_err(|_| format!("api.listen: {:?} is not an address and port", self.api.listen))?;
        if !address.ip().is_loopback() {
            return Err("api.listen: must be a loopback address, for instance 127.0.0.1:4780".into());
        }
        let portal = &self.portal.listen;
        if !portal.is_empty() && portal.parse::<std::net::SocketAddr>().is_err() {
            return Err(format!(
                "portal.listen: {portal:?} is neither an address and port, for instance 127.0.0.1:{PORTAL_PORT}, nor \
                 `{NO_PORTAL}`"
            ));
        }
        if let Some(host) = self.portal.hosts.iter().find(|host| host.is_empty() || host.contains(['/', ':', ' '])) {
            return Err(format!("portal.hosts: {host:?} is not a plain name, for instance portal.example.org"));
        }
        if self.network.listen.is_empty() {
            return Err("network.listen: must name at least one address".into());
        }
        if !(1..=SYNC_SECONDS_MAX).contains(&self.timing.sync_seconds) {
            return Err(format!("timing.sync_seconds: must be 1 to {SYNC_SECONDS_MAX}"));
        }
        if !(1..=BEACON_SECONDS_MAX).contains(&self.timing.beacon_seconds) {
            return Err(format!("timing.beacon_seconds: must be 1 to {BEACON_SECONDS_MAX}"));
        }
        if !(1..=GRACE_SECONDS_MAX).contains(&self.timing.grace_seconds) {
            return Err(format!("timing.grace_seconds: must be 1 to {GRACE_SECONDS_MAX}"));
        }
        if self.custody.replicas == 0 || self.custody.provinces == 0 {
            return Err("custody: at least 1 replica in 1 province".into());
        }
        let metrics = &self.metrics.listen;
        let loopback = metrics.parse().is_ok_and(|address: std::net::SocketAddr| address.ip().is_loopback());
        if !metrics.is_empty() && !loopback {
            return Err("metrics.listen: must be a loopback address, for instance 127.0.0.1:4789, or empty".into());
        }
        if !(1..=CHECK_SECONDS_MAX).contains(&self.alarms.check_seconds) {
            return Err(format!("alarms.check_seconds: must be 1 to {CHECK_SECONDS_MAX}"));
        }
        crate::alarms::webhook::check(&self.alarms.webhooks)?;
        let contact = &self.leads.contact;
        if contact.len() > LEAD_CONTACT_BYTES_MAX || check_text(contact.as_bytes(), "leads.contact").is_err() {
            return Err(format!("leads.contact: must be one line of at most {LEAD_CONTACT_BYTES_MAX} bytes"));
        }
        if contact.contains(['\n', '\t']) {
            return Err("leads.contact: must be one line".into());
        }
        Ok(())
    }

    /// The settings as a file with explanations.
    pub fn to_toml(&self) -> String {
        let body = toml::to_string_pretty(self).expect("settings have no type that TOML cannot say");
        format!(
            "# 县盟节点设置。每一项都可以省略；写错的键会被指出。\n# Settings of a Xianmeng node. Every key is optional; \
             a wrong key is named.\n\n{body}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_written_file_reads_back() {
        let config = Config::default();
        assert_eq!(Config::parse(&config.to_toml()), Ok(config));
        assert_eq!(Config::parse(""), Ok(Config::default()));
    }

    #[test]
    fn one_word_switches_the_portal_off() {
        for listen in ["none", ""] {
            let config = Config::parse(&format!("[portal]\nlisten = \"{listen}\"")).expect("it is in order");
            assert!(config.portal.listen.is_empty(), "{listen:?}");
        }
    }

    #[test]
    fn a_wrong_key_value_or_address_is_named() {
        let reason = |text| Config::parse(text).expect_err("it is wrong");
        assert!(reason("[network]\nlisten_on = []").contains("listen_on"));
        assert!(reason("[timing]\nsync_seconds = \"often\"").contains("sync_seconds"));
        assert!(reason("[api]\nlisten = \"0.0.0.0:80\"").contains("loopback"));
        assert!(reason("[portal]\nlisten = \"here\"").contains("portal.listen"));
        assert!(reason("[portal]\nhosts = [\"http://a\"]").contains("portal.hosts"));
        assert!(reason("[timing]\ngrace_seconds = 0").contains("timing.grace_seconds"));
        assert!(reason("[timing]\nbeacon_seconds = 90000").contains("timing.beacon_seconds"));
        assert!(reason("[custody]\nreplicas = 0").contains("custody"));
        assert!(reason("[metrics]\nlisten = \"0.0.0.0:4789\"").contains("metrics.listen"));
        assert!(reason("[alarms]\nwebhooks = [\"ftp://a/\"]").contains("alarms.webhooks"));
        assert!(reason("[alarms]\ncheck_seconds = 0").contains("alarms.check_seconds"));
        assert!(reason("[leads]\ncontact = \"a\\nb\"").contains("leads.contact"));
    }
}
