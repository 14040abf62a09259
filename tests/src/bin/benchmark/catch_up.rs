//! Cold catch-up of an empty node from one peer that holds 800 logs, verified and durable, against strict
//! verification of as many signatures alone on the same cores; and how long search takes to have all of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::node::{Node, wait};
use node::store::Store;
use protocol::charter::{Charter, Class, Operation};
use protocol::entry::{Entry, VerifiedEntry};
use protocol::statement::Statement;
use protocol::testing::Organisation;
use protocol::value::Value;
use rayon::prelude::*;

use crate::machine;

const LOGS: usize = 800;

pub fn run(records: usize) {
    let (charter, organisations) = federation();
    let entries = entries(&charter, &organisations, records / LOGS);
    let folder = tempfile::tempdir().expect("a temporary directory");
    let own_bytes: u64 = entries.iter().map(|entry| entry.encode().len() as u64).sum();

    let mut server = member(folder.path().join("server"), &charter, &organisations[0], &[]);
    fill(&server, &charter, &entries);
    server.start();
    // On a machine of its own it would not take the processors of the one that catches up.
    wait("the server has indexed what it holds", Duration::from_secs(600), || {
        is_searchable(&server, entries.len() as u64)
    });
    let mut empty = member(folder.path().join("empty"), &charter, &organisations[1], &[server.address()]);
    // The address entries that the two nodes state themselves come on top.
    let wanted = entries.len() as u64;
    let begun = Instant::now();
    empty.start();
    let started = begun.elapsed();
    wait("the empty node has caught up", Duration::from_secs(600), || {
        let status = empty.get("/v1/status");
        status["entries"].as_u64().is_some_and(|held| held >= wanted) && status["complete"] == true
    });
    let seconds = begun.elapsed().as_secs_f64();
    let memory = machine::peak_memory_bytes(empty.process_id());
    let searched = begun.elapsed();
    wait("search is complete", Duration::from_secs(600), || is_searchable(&empty, wanted));
    let search_seconds = (begun.elapsed() - searched).as_secs_f64();
    let usage = machine::usage(empty.process_id());
    let index = machine::bytes_on_disk(&empty.directory().join("search"));
    empty.stop();
    server.stop();
    let disk = machine::bytes_on_disk(&empty.directory().join("store"));
    let reopen = Instant::now();
    empty.start();
    let reopen = reopen.elapsed().as_secs_f64();
    empty.stop();

    let alone = verify_alone(&charter, &entries);
    println!(
        "catch-up: {wanted} entries from {LOGS} logs in {seconds:.2} s ({:.2} s of it to start)",
        started.as_secs_f64()
    );
    println!("  baseline, strict verification of the same signatures on the same cores: {alone:.2} s");
    println!("  ratio of times {:.2} (target: at most 2)", seconds / alone);
    println!(
        "  disk of the replica: {:.2} of the entries' own bytes (target: at most 1.5)",
        disk as f64 / own_bytes as f64
    );
    println!("  search complete {search_seconds:.1} s later (target: within 60)");
    println!("  the index: {:.2} of the entries' own bytes (target: at most 1.5)", index as f64 / own_bytes as f64);
    println!(
        "  by then {:.1} s of processor time and {} MiB at the peak",
        usage.processor_seconds,
        usage.memory_bytes / 1_048_576
    );
    println!("  peak memory of the node when it had caught up: {} MiB (target: under 300)", memory / 1_048_576);
    println!("  start with the replica on disk: {reopen:.2} s");
}

/// Whether search has so many records and everything else that is derived from them.
fn is_searchable(node: &Node, records: u64) -> bool {
    let status = node.get("/v1/search/status");
    status["lag"]["state"] == "following"
        && status["lag"]["records"] == 0
        && status["documents"].as_u64().is_some_and(|documents| documents >= records)
}

/// A charter with `LOGS` members besides the secretariat, admitted in blocks of 200.
pub fn federation() -> (Charter, Vec<Organisation>) {
    let (mut charter, secretariat) = Organisation::found("秘书处", 1);
    let mut organisations = vec![secretariat.clone()];
    organisations
        .extend((0..LOGS - 1).map(|index| Organisation::new(&format!("第{index}县"), Class::County, index as u32 + 2)));
    for group in organisations[1..].chunks(200) {
        let first = charter.next_member().0;
        let admit = |(offset, organisation): (usize, &Organisation)| Operation::Admit {
            member: protocol::identity::MemberNumber(first + offset as u32),
            application: organisation.application(&charter.federation()),
        };
        let operations = group.iter().enumerate().map(admit).collect();
        secretariat.try_append(&mut charter, operations).expect("the admissions keep every rule");
    }
    (charter, organisations)
}

/// Realistic creates, `each` per log.
pub fn entries(charter: &Charter, organisations: &[Organisation], each: usize) -> Vec<Arc<VerifiedEntry>> {
    let of_one = |(index, organisation): (usize, &Organisation)| {
        let mut chain: Vec<Arc<VerifiedEntry>> = Vec::with_capacity(each);
        for number in 0..each {
            let fields = [
                (1, Value::Text(format!("T{index:03}{number:04}"))),
                (2, Value::Choice("招商".into())),
                (3, Value::Text(format!("第{number}号产业链上下游配套企业"))),
                (9, Value::Text("长三角;珠三角;闽东南;京津冀".into())),
                (
                    12,
                    Value::Text(format!(
                        "面向长三角、珠三角招引第{number}批配套企业，提供标准厂房与用工保障，条件面议"
                    )),
                ),
            ];
            let mut random = fastrand::Rng::with_seed((index * each + number) as u64);
            let nonce = std::array::from_fn(|_| random.u8(..));
            let statement = Statement::create(nonce, 1, Some(format!("T{index:03}{number:04}")), fields.into());
            let body = statement.encode().expect("the statement keeps every rule");
            let time_ms = charter.tip_block().time_ms + number as u64 * 60_000;
            chain.push(organisation.entry(charter, chain.last().map(|entry| &**entry), time_ms, 102, body));
        }
        chain
    };
    organisations.par_iter().enumerate().flat_map_iter(of_one).collect()
}

/// A data directory with the keys of a test organisation.
pub fn member(directory: std::path::PathBuf, charter: &Charter, organisation: &Organisation, peers: &[String]) -> Node {
    let node = Node::init(&directory, &organisation.name, organisation.class.name(), peers);
    let keys = [
        ("signing", &organisation.signing),
        ("transport", &organisation.transport),
        ("governance", &organisation.governance),
    ];
    for (name, key) in keys {
        let path = directory.join("keys").join(format!("{name}.key"));
        std::fs::write(path, hex::encode(key.to_bytes())).expect("a temporary directory can be written to");
    }
    std::fs::write(directory.join("genesis.block"), charter.blocks()[0].encode())
        .expect("a temporary directory can be written to");
    let (mut writer, mut bundle) = protocol::bundle::Writer::new(&charter.federation());
    for block in charter.blocks() {
        writer.frame(protocol::bundle::FrameType::Block, &block.encode(), &mut bundle);
    }
    writer.finish(&mut bundle);
    std::fs::write(directory.join("charter.bundle"), bundle).expect("a temporary directory can be written to");
    node
}

/// Puts everything into the node's store before it starts.
pub fn fill(node: &Node, charter: &Charter, entries: &[Arc<VerifiedEntry>]) {
    let opened = Store::open(node.directory(), charter.blocks()[0].clone(), None, &Default::default());
    let opened = opened.expect("an empty directory opens");
    let (store, mut replica) = (opened.store, opened.replica);
    let mut changes = Vec::new();
    for block in &charter.blocks()[1..] {
        replica.append_block(block.clone(), &store, &mut changes).expect("the charter is valid");
    }
    for group in entries.chunks(2_000) {
        for entry in group {
            replica.insert(entry, &store, &mut changes);
        }
        store.commit(&[], &std::mem::take(&mut changes)).expect("the disk has room");
    }
}

fn verify_alone(charter: &Charter, entries: &[Arc<VerifiedEntry>]) -> f64 {
    let parsed: Vec<Entry> =
        entries.iter().map(|entry| Entry::decode(&entry.encode()).expect("canonical bytes")).collect();
    let federation = charter.federation();
    let begun = Instant::now();
    let good = parsed.into_par_iter().filter(|entry| entry.clone().verify(&federation).is_ok()).count();
    assert_eq!(good, entries.len());
    begun.elapsed().as_secs_f64()
}
