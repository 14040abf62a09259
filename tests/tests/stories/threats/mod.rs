//! The scenarios of docs/THREAT-MODEL.md: what a stranger, a member, a thief, a conspirator or a registrar can bring
//! about among real nodes, and what not. Whoever attacks has real keys and no node: what it says is signed by the
//! story, and comes as a file or from a peer that obeys nobody.

mod departed;
mod members;
mod registrars;
mod strangers;
mod thieves;

use std::time::Duration;

use harness::node::{Node, wait};
use protocol::charter::{Charter, Class, Operation, SignedBlock};
use protocol::kind::{KIND_SET_VERSION, KindSet};
use protocol::testing::{EXPIRES_MS, Organisation};

/// Time for something that happens at once, on a busy machine.
const SOON: Duration = Duration::from_secs(30);
/// The log of the culprit: the charter numbers logs in the order of admission, and the secretariat's is 0.
const CULPRITS_LOG: usize = 1;

/// Who takes part: a secretariat that is the only registrar, a member that runs no node, and three counties.
struct Cast {
    charter: Charter,
    secretariat: Organisation,
    culprit: Organisation,
    counties: [Organisation; 3],
}

impl Cast {
    fn new() -> Self {
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        let culprit = Organisation::new("恶意成员", Class::County, 2);
        let counties = [("奉节县", 3), ("夏邑县", 4), ("云阳县", 5)]
            .map(|(name, seed)| Organisation::new(name, Class::County, seed));
        let kinds = Operation::KindSet { version: KIND_SET_VERSION, hash: KindSet::builtin().hash() };
        secretariat.try_append(&mut charter, vec![kinds]).expect("the charter allows it");
        secretariat.admit(&mut charter, &culprit);
        counties.iter().for_each(|county| secretariat.admit(&mut charter, county));
        Self { charter, secretariat, culprit, counties }
    }
}

/// The block after the charter's tip, signed by these.
fn signed(charter: &Charter, time_ms: u64, operations: Vec<Operation>, signers: &[&Organisation]) -> SignedBlock {
    let block = charter.next_block(time_ms, EXPIRES_MS, operations);
    let mut block = SignedBlock::unsigned(block).expect("the block keeps its bounds");
    signers.iter().for_each(|signer| block.sign(&signer.governance, &charter.federation()));
    block
}

/// The last block of a charter.
fn last_block(charter: &Charter) -> SignedBlock {
    charter.blocks().last().expect("a charter has blocks").clone()
}

/// Publishes a demand at a node; its label.
#[track_caller]
fn publish(node: &Node, title: &str) -> String {
    let title = format!("需求名称={title}");
    let published = node.run(&["publish", "--kind", "demand", "--wait", "0", &title, "需求类别=招商"]).ok();
    published["labels"][0].as_str().expect("a label").to_owned()
}

#[track_caller]
fn wait_version(nodes: &[Node], version: u32) {
    for node in nodes {
        wait("the charter arrives", SOON, || node.status()["charter_version"] == version);
    }
}
