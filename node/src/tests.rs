//! A member that misbehaves, against a whole node over a real network: what happens to everything that it can send.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use protocol::bundle::{FrameType, Writer};
use protocol::charter::{Charter, Class, Position};
use protocol::entry::VerifiedEntry;
use protocol::identity::{FederationId, public_key};
use protocol::statement::Statement;
use protocol::testing::Organisation;
use protocol::value::Value;

use crate::config::{ApiConfig, Config, NetworkConfig, PortalConfig};
use crate::core::now_ms;
use crate::directory::{DataDirectory, Profile};
use crate::network::{Network, NetworkEvent, NetworkSettings, Published, Topic, Verdict};
use crate::node::Node;

const WAIT: Duration = Duration::from_secs(30);
const ENTRY: u8 = 1;
const BLOCK: u8 = 2;
const PROOF: u8 = 3;

/// A data directory with the keys of a test organisation and the whole charter.
fn directory(path: &Path, organisation: &Organisation, charter: &Charter) -> DataDirectory {
    let profile =
        Profile { name: organisation.name.clone(), class: organisation.class.name().into(), region: String::new() };
    let config = Config {
        network: NetworkConfig {
            listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
            discovery: false,
            ..NetworkConfig::default()
        },
        api: ApiConfig { listen: "127.0.0.1:0".into() },
        portal: PortalConfig { listen: "127.0.0.1:0".into(), ..PortalConfig::default() },
        ..Config::default()
    };
    let directory = DataDirectory::create(path, &profile, &config).expect("an empty directory");
    for (name, key) in [("signing", &organisation.signing), ("transport", &organisation.transport)] {
        let file = path.join("keys").join(format!("{name}.key"));
        std::fs::write(file, hex::encode(key.to_bytes())).expect("the directory can be written to");
    }
    directory.write_genesis(&charter.blocks()[0]).expect("there is no genesis block yet");
    let (mut writer, mut bundle) = Writer::new(&charter.federation());
    charter.blocks().iter().for_each(|block| writer.frame(FrameType::Block, &block.encode(), &mut bundle));
    writer.finish(&mut bundle);
    std::fs::write(directory.charter_path(), bundle).expect("the directory can be written to");
    directory
}

struct World {
    charter: Charter,
    secretariat: Organisation,
    attacker: Organisation,
    network: Network,
    victim: Node,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        let attacker = Organisation::new("恶意成员", Class::County, 2);
        let victim = Organisation::new("奉节县", Class::County, 3);
        secretariat.admit(&mut charter, &attacker);
        secretariat.admit(&mut charter, &victim);
        let folder = tempfile::tempdir().expect("a temporary directory");
        let directory = directory(&folder.path().join("victim"), &victim, &charter);
        let victim = Node::start(directory).await.expect("the node starts");
        let settings = NetworkSettings {
            federation: charter.federation(),
            transport_key: attacker.transport.to_bytes(),
            listen: Vec::new(),
            members: charter.transport_keys().into_keys().collect(),
            limits: Default::default(),
        };
        let (network, mut events) = Network::start(settings).await.expect("the network starts");
        let forward = network.clone();
        tokio::spawn(async move {
            // The attacker accepts everything and answers no stream.
            while let Some(event) = events.recv().await {
                if let NetworkEvent::Gossip { token, .. } = event {
                    let _ = forward.report(token, Verdict::Accept).await;
                }
            }
        });
        let addresses = victim.network().listen_addresses().await.expect("the victim's network runs");
        network.dial(None, addresses).await.expect("the victim listens");
        let world = Self { charter, secretariat, attacker, network, victim, _folder: folder };
        // Publishing reaches nobody until both sides have told each other what they listen to.
        let mut number = 0u32;
        world
            .until("the victim hears the attacker", || {
                number += 1;
                let (network, probe) = (world.network.clone(), [&[200], number.to_le_bytes().as_slice()].concat());
                tokio::spawn(async move { network.publish(Topic::Entries, probe).await });
                world.counter("gossip-unknown-type") > 0
            })
            .await;
        world
    }

    async fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let begun = std::time::Instant::now();
        while !holds() {
            assert!(begun.elapsed() < WAIT, "{what}: not in time; {:?}", self.victim.core().counters().all());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn send(&self, message_type: u8, content: &[u8]) {
        let sent = self.network.publish(Topic::Entries, [&[message_type], content].concat()).await;
        assert_eq!(sent, Ok(Published::Sent));
    }

    fn counter(&self, name: &str) -> u64 {
        self.victim.core().counters().all().get(name).copied().unwrap_or_default()
    }

    /// Sends something and waits until the victim has counted it.
    async fn counts(&self, name: &str, message_type: u8, content: &[u8]) {
        let before = self.counter(name);
        self.send(message_type, content).await;
        self.until(name, || self.counter(name) > before).await;
    }

    fn counted(&self) -> u64 {
        self.victim.core().read(|state| state.replica.effective_length(1))
    }

    fn say(&self, previous: Option<&VerifiedEntry>, time_ms: u64, text: &str) -> Arc<VerifiedEntry> {
        let fields = BTreeMap::from([(1, Value::Text(text.into()))]);
        let body = Statement::create([7; 16], 1, None, fields).encode().expect("the statement keeps every rule");
        self.attacker.entry(&self.charter, previous, time_ms, 102, body)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_bad_message_has_its_own_fate() {
    let world = World::new().await;
    let now = now_ms();
    let first = world.say(None, now, "一");

    // Malformed, cut, oversized by its own claim, unsigned, of another federation: rejected, by name.
    world.counts("gossip-malformed", ENTRY, &[1, 2, 3]).await;
    world.counts("gossip-malformed", ENTRY, &first.encode()[..150]).await;
    let mut oversized = first.encode();
    oversized[88..92].copy_from_slice(&100_000u32.to_le_bytes());
    world.counts("gossip-malformed", ENTRY, &oversized).await;
    let mut unsigned = first.encode();
    unsigned[124..188].fill(0);
    world.counts("bad-signature", ENTRY, &unsigned).await;
    let foreign = VerifiedEntry::sign(
        &world.attacker.signing,
        &FederationId([9; 32]),
        first.header().clone(),
        first.body().expect("it has a body").clone(),
    );
    world.counts("bad-signature", ENTRY, &foreign.expect("the header keeps every rule").encode()).await;
    world.counts("gossip-bad-proof", PROOF, &[0; 376]).await;
    world.counts("gossip-malformed", BLOCK, &[1, 2, 3]).await;
    let stranger = Organisation::new("外人", Class::County, 9).entry(&world.charter, None, now, 102, vec![0; 20]);
    world.counts("unknown-key", ENTRY, &stranger.encode()).await;
    let early = world.attacker.entry(&world.charter, None, 1, 102, vec![0; 20]);
    world.counts("before-charter-time", ENTRY, &early.encode()).await;
    assert_eq!(world.counted(), 0, "nothing of that counts");

    // Out of order: it waits; in order: both count. Replayed: nothing changes.
    let second = world.say(Some(&first), now, "二");
    world.counts("entries-staged", ENTRY, &second.encode()).await;
    world.counts("entries-appended", ENTRY, &first.encode()).await;
    assert_eq!(world.counted(), 2);
    world.victim.core().ingest(vec![Arc::clone(&first)]).await.expect("the store works");
    assert_eq!((world.counted(), world.counter("entries-duplicate")), (2, 1));

    // From the future: it counts, and views hide it.
    let future = world.say(Some(&second), now + 86_400_000, "明天");
    world.counts("entries-appended", ENTRY, &future.encode()).await;
    let core = world.victim.core();
    assert_eq!(world.counted(), 3);
    assert_eq!(core.read(|state| state.view().record(&future.id(), core.as_of_ms(), core)), None);
    assert!(core.read(|state| state.view().record(&future.id(), now + 86_400_000, core)).is_some());

    // Under a charter that the victim does not have: ignored, nobody is blamed.
    let mut later = world.charter.clone();
    world.secretariat.admit(&mut later, &Organisation::new("夏邑县", Class::County, 8));
    let ahead = world.attacker.entry(&later, Some(&future), now, 102, vec![0; 20]);
    world.counts("charter-ahead", ENTRY, &ahead.encode()).await;

    // Forked: the proof is kept, and the log counts below it.
    let rival = world.say(Some(&first), now, "另一个二");
    world.counts("entries-forked", ENTRY, &rival.encode()).await;
    assert_eq!(world.counted(), 1);
    let more = world.say(Some(&future), now, "四");
    world.counts("forked-log", ENTRY, &more.encode()).await;

    // Expelled with a seal that names the branch: what lies at or below it is back, what lies above is ignored.
    let mut charter = world.charter.clone();
    let last = Position { sequence: 2, id: future.id() };
    world.secretariat.expel(&mut charter, &world.attacker, Some(last));
    let block = charter.blocks().last().expect("a charter has blocks").encode();
    world.send(BLOCK, &block).await;
    world.until("the expulsion is in force", || world.counted() == 3).await;
    core.ingest(vec![Arc::clone(&more)]).await.expect("the store works");
    assert_eq!((world.counter("above-seal"), world.counted()), (1, 3));

    // It is cut off at once, and nothing that it says arrives any more.
    let key = public_key(&world.attacker.transport);
    let begun = std::time::Instant::now();
    while world.victim.network().peers().await.expect("it runs").iter().any(|peer| peer.peer == key && peer.member) {
        assert!(begun.elapsed() < WAIT, "the expelled member is still connected");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    world.victim.shutdown().await;
}
