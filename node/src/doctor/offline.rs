//! What the data directory, the ports and the configured peers show without asking the node.
//!
//! Nothing is changed: the store is verified from a copy in the temporary directory, ports are tried and given back,
//! and peers are dialled with a key that is made for that and thrown away, as a stranger does.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use protocol::charter::{Charter, Purpose, SignedBlock};
use protocol::identity::{FederationId, PublicKey};

use super::catalogue::*;
use super::{FINDINGS_PER_CHECK_MAX, charter, directory, disk, network};
use crate::access_log;
use crate::api::types::Finding;
use crate::config::Config;
use crate::core::now_ms;
use crate::directory::keystore::{KeyName, generate};
use crate::directory::{DataDirectory, DirectoryError, bytes_in, private_directory};
use crate::joining;
use crate::network::{Network, NetworkSettings};
use crate::place::{self, Witness};
use crate::store::{StoreError, inspect};

/// Stores up to this size are verified; more takes minutes, and `xianmeng audit` does it.
pub const INSPECTED_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// The index library's list of what it holds.
const INDEX_LIST: &str = "meta.json";
/// Configured peers that are dialled.
const PEERS_MAX: usize = 16;

/// What is checked whether the node runs or not: it runs with the settings of its start.
const ALWAYS: &[&Check] = &[&CONFIG_WRONG, &NODE_SILENT, &NODE_ODD, &CHECK_FAILED];
/// What is checked only while the node does not run: it knows these better itself.
const STOPPED: &[&Check] = &[
    &NODE_STOPPED,
    &NOT_ADMITTED,
    &DIRECTORY_OPEN,
    &DIRECTORY_READ_ONLY,
    &DISK_FULL,
    &DISK_FILLING,
    &KEY_MISSING,
    &KEY_UNREADABLE,
    &KEY_LOCKED,
    &KEY_WRONG,
    &DIRECTORY_COPIED,
    &CHARTER_EXPIRED,
    &CHARTER_EXPIRING,
    &PORT_TAKEN,
    &PORT_REFUSED,
    &PEER_REFUSED,
    &PEER_TIMEOUT,
    &PEER_WRONG_ID,
    &PEER_ADDRESS,
    &PEER_UNREACHABLE,
    &INDEX_MISSING,
    &STORE_ASIDE,
    &STORE_DAMAGED,
    &STORE_UNCHECKED,
    &ACCESS_LOG_ALTERED,
];

/// What was found without the node, and the ids of the checks that were made.
#[derive(Debug, Default)]
pub struct Examined {
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// The checks.
    pub checked: Vec<&'static str>,
}

/// Looks at a data directory. `running` says that its node answers: then only what it cannot see itself is looked at.
pub async fn examine(data: &DataDirectory, running: bool) -> Examined {
    let shared = data.clone();
    let looked = tokio::task::spawn_blocking(move || look(&shared, running)).await;
    let looked = looked.unwrap_or_else(|error| Looked { findings: vec![super::failed(&error)], ..Looked::default() });
    let mut findings = looked.findings;
    if !running && let Some(config) = looked.config {
        findings.extend(peers(&config, looked.federation).await);
    }
    let now_ms = now_ms();
    findings.iter_mut().for_each(|finding| finding.since_ms = now_ms);
    let checked = ALWAYS.iter().chain(STOPPED.iter().filter(|_| !running)).map(|check| check.id);
    Examined { findings, checked: checked.collect() }
}

/// What needs no network.
#[derive(Debug, Default)]
struct Looked {
    findings: Vec<Finding>,
    config: Option<Config>,
    federation: Option<FederationId>,
}

fn look(data: &DataDirectory, running: bool) -> Looked {
    let mut found = Vec::new();
    let config = match data.config() {
        Ok(config) => Some(config),
        Err(error) => {
            let path = data.config_path();
            found.push(CONFIG_WRONG.finding(path.to_string_lossy(), format!("设置有误：{error}"), error.to_string()));
            None
        }
    };
    if running {
        return Looked { findings: found, config, federation: None };
    }
    found.extend(directory::permissions(data));
    found.extend(disk::findings(data.path()));
    found.extend(directory::aside(data.path()));
    let (held, of_keys) = directory::key_files(data);
    found.extend(of_keys);
    found.extend(openable(data));
    found.extend(config.iter().flat_map(ports));
    found.extend(access_log::examine(&data.access_log_path()));
    let genesis = data.genesis().ok().flatten();
    let federation =
        genesis.as_ref().and_then(|genesis| Charter::genesis(genesis.clone()).ok()).map(|grown| grown.federation());
    found.extend(admitted(data, genesis.as_ref(), &held));
    Looked { findings: found, config, federation }
}

/// Whether the node that does not answer is stopped, or hangs. An applicant that waits holds its directory and serves
/// nothing: that it is not admitted says everything.
pub fn silent(data: &DataDirectory, holds_lock: bool) -> Option<Finding> {
    if !holds_lock {
        return Some(NODE_STOPPED.finding("node", "节点没有运行", "the node does not run"));
    }
    let is_member = !matches!(data.genesis(), Ok(None));
    let applies = data.invitation_path().exists() || data.application_path().exists();
    (is_member || !applies).then(|| {
        let zh = "有进程占用数据目录，但接口没有应答";
        NODE_SILENT.finding("node", zh, "a process holds the data directory, and its API does not answer")
    })
}

/// Something answers where the node should, and not as it does.
pub fn odd(zh: &str, en: &str) -> Finding {
    NODE_ODD.finding("node", format!("接口应答不对：{zh}"), format!("the API does not answer as it should: {en}"))
}

/// Whether the keys that the node works with can be opened with what is at hand.
fn openable(data: &DataDirectory) -> Vec<Finding> {
    let working = [Purpose::Signing, Purpose::Transport, Purpose::Encryption];
    let judge = |purpose: Purpose| {
        let name = purpose.name();
        match data.key(KeyName::current(purpose)) {
            Ok(_) | Err(DirectoryError::NoKey { .. }) => None,
            Err(
                error @ (DirectoryError::Locked { .. }
                | DirectoryError::WrongPassphrase { .. }
                | DirectoryError::Passphrase(_)),
            ) => {
                let zh = format!("密钥 {name} 有口令保护，现在打不开：{error}");
                Some(KEY_LOCKED.finding(name, zh, format!("the {name} key cannot be opened now: {error}")))
            }
            Err(error) => Some(directory::unreadable(purpose, &error)),
        }
    };
    working.into_iter().filter_map(judge).collect()
}

fn ports(config: &Config) -> Vec<Finding> {
    let servers = [&config.api.listen, &config.metrics.listen, &config.portal.listen];
    let network = config.network.listen.iter().filter_map(|address| network::listen(address));
    network.chain(servers.into_iter().filter_map(|address| network::listen_tcp(address))).collect()
}

/// What only a member's directory can have wrong.
fn admitted(data: &DataDirectory, genesis: Option<&SignedBlock>, held: &[(Purpose, PublicKey)]) -> Vec<Finding> {
    let Some(genesis) = genesis else {
        let zh = "本节点还不属于任何联盟";
        return vec![NOT_ADMITTED.finding("member", zh, "this node belongs to no federation yet")];
    };
    let mut found = Vec::new();
    if let Witness::Differs(difference) = place::examine(data.path()) {
        let zh = format!("数据目录不是原件，或不能证明是原件（{difference:?}）");
        let en = format!("the data directory is no original, or cannot show that it is ({difference:?})");
        found.push(DIRECTORY_COPIED.finding("place", zh, en));
    }
    let (of_store, grown) = store(data.path(), genesis);
    // A damaged store may have lost the blocks that admitted this node or gave it other keys.
    let is_damaged = of_store.iter().any(|finding| finding.id == STORE_DAMAGED.id);
    found.extend(of_store);
    if let Some(charter) = grown.or_else(|| admitting(data, genesis)).filter(|_| !is_damaged) {
        found.extend(charter::wrong_keys(&charter, held));
        found.extend(charter::term(&charter, now_ms()));
    }
    let index = data.search_path();
    if data.path().join("store").is_dir() && !index.join(INDEX_LIST).is_file() {
        let zh = format!("{} 里没有检索索引", index.display());
        found.push(INDEX_MISSING.finding("index", zh, format!("{} holds no search index", index.display())));
    }
    found
}

/// The charter as it came with the admission, where the store cannot be read.
fn admitting(data: &DataDirectory, genesis: &SignedBlock) -> Option<Charter> {
    let mut charter = Charter::genesis(genesis.clone()).ok()?;
    for block in joining::admitting_blocks(data).ok()? {
        // Blocks that are held already, the first among them, are passed over.
        let _ = charter.append(block);
    }
    Some(charter)
}

/// Verifies a copy of the store, and reads its charter.
fn store(path: &Path, genesis: &SignedBlock) -> (Vec<Finding>, Option<Charter>) {
    let store = path.join("store");
    if !store.is_dir() {
        return (Vec::new(), None);
    }
    let bytes = bytes_in(&store);
    if bytes > INSPECTED_BYTES_MAX {
        let mib = bytes >> 20;
        return (vec![unchecked(&format!("{mib} MiB"), &format!("{mib} MiB"))], None);
    }
    let copy = match Copy::new() {
        Ok(copy) => copy,
        Err(error) => return (vec![unchecked("没有临时目录", &error.to_string())], None),
    };
    match inspect(path, &copy.0.join("store"), genesis) {
        Ok((report, charter)) => {
            let named = crate::audit::view(&report, Some(&charter)).findings;
            let found = named.iter().take(FINDINGS_PER_CHECK_MAX);
            let found = found.map(|finding| STORE_DAMAGED.finding(&finding.en, &finding.zh, &finding.en)).collect();
            (found, Some(charter))
        }
        Err(error @ (StoreError::InUse { .. } | StoreError::File { .. } | StoreError::DiskFull { .. })) => {
            (vec![unchecked(&error.chain(), &error.chain())], None)
        }
        Err(error) => {
            let reason = error.chain();
            (
                vec![STORE_DAMAGED.finding(
                    "store",
                    format!("存储打不开：{reason}"),
                    format!("the store cannot be opened: {reason}"),
                )],
                None,
            )
        }
    }
}

fn unchecked(zh: &str, en: &str) -> Finding {
    STORE_UNCHECKED.finding("store", format!("没有核验存储：{zh}"), format!("the store was not verified: {en}"))
}

/// A directory of this process in the temporary one; gone with it.
struct Copy(PathBuf);

/// What the names of copies begin with.
const COPY_PREFIX: &str = "xianmeng-doctor-";
/// Copies that are older were left by a command that was ended by force.
const COPY_AGE_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Removes copies that nobody removed. What belongs to others stays: the system refuses.
fn sweep(folder: &Path, now: SystemTime) {
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let is_copy = entry.file_name().to_string_lossy().starts_with(COPY_PREFIX);
        let Ok(metadata) = entry.metadata() else { continue };
        let age = metadata.modified().ok().and_then(|modified| now.duration_since(modified).ok());
        if is_copy && metadata.is_dir() && age.is_some_and(|age| age > COPY_AGE_MAX) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

impl Copy {
    fn new() -> Result<Self, DirectoryError> {
        sweep(&std::env::temp_dir(), SystemTime::now());
        let mut name = [0; 8];
        // Without randomness the number of the process is unlikely to be there already.
        let _ = getrandom::fill(&mut name);
        let path = std::env::temp_dir().join(format!("{COPY_PREFIX}{}-{}", std::process::id(), hex::encode(name)));
        private_directory(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, path = %self.0.display(), "the copy of the store was not removed");
        }
    }
}

/// Dials every configured peer once.
async fn peers(config: &Config, federation: Option<FederationId>) -> Vec<Finding> {
    let addresses: BTreeSet<&String> = config.network.peers.iter().take(PEERS_MAX).collect();
    if addresses.is_empty() {
        return Vec::new();
    }
    let Ok(key) = generate() else { return Vec::new() };
    let settings = NetworkSettings {
        federation: federation.unwrap_or(FederationId([0; 32])),
        transport_key: key.to_bytes(),
        listen: Vec::new(),
        members: BTreeSet::new(),
        limits: Default::default(),
    };
    // The events are of no interest; the network goes on without a reader.
    let (network, _events) = match Network::start(settings).await {
        Ok(started) => started,
        Err(error) => {
            tracing::warn!(%error, "no peer can be dialled");
            return Vec::new();
        }
    };
    let dial = |address: &String| {
        let (network, address) = (network.clone(), address.clone());
        async move {
            let error = network.dial(None, vec![address.clone()]).await.err()?;
            Some(network::peer(&address, Some(error.fault()), &error.to_string()))
        }
    };
    let found = futures::future::join_all(addresses.into_iter().map(dial)).await;
    network.shutdown().await;
    found.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_that_were_left_are_swept_and_others_stay() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let (copy, other) = (folder.path().join("xianmeng-doctor-1-aa"), folder.path().join("letters"));
        [&copy, &other].into_iter().for_each(|path| fs::create_dir(path).expect("it is new"));
        sweep(folder.path(), SystemTime::now());
        assert!(copy.exists(), "a command may be using it");
        sweep(folder.path(), SystemTime::now() + 2 * COPY_AGE_MAX);
        assert!(!copy.exists() && other.exists());
    }
}
