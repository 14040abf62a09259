//! Writes to a store until it is stopped and prints what was acknowledged, for the power-cut test.
//!
//! `store-writer <directory> <seed>`: each line is `<log> <length> <id of the last entry>`.

use std::io::{Write, stdout};
use std::path::Path;
use std::sync::Arc;

use node::store::{Opened, Settings, Store};
use protocol::charter::{Charter, Class};
use protocol::entry::VerifiedEntry;
use protocol::identity::public_key;
use protocol::replica::Replica;
use protocol::testing::Organisation;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, directory, seed] = &arguments[..] else { panic!("usage: store-writer <directory> <seed>") };
    let mut random = fastrand::Rng::with_seed(seed.parse().expect("the seed is a number"));
    let (mut charter, secretariat) = Organisation::found("秘书处", 1);
    let genesis = charter.blocks()[0].clone();
    let authors = [Organisation::new("奉节县", Class::County, 2), Organisation::new("夏邑县", Class::County, 3)];
    authors.iter().for_each(|author| secretariat.admit(&mut charter, author));
    let own = public_key(&authors[0].signing);

    // Small segments, so that cuts fall on their beginnings too.
    let settings = Settings { journal_segment_bytes: 100_000, ..Settings::default() };
    let opened = Store::open(Path::new(directory), genesis, Some(own), &settings);
    let Opened { store, mut replica, .. } = opened.expect("the store opens");
    let mut changes = Vec::new();
    for block in &charter.blocks()[1..] {
        replica.append_block(block.clone(), &store, &mut changes).expect("the block follows the tip");
    }
    store.commit(&[], &changes).expect("the blocks are stored");
    // Some runs write only what others signed: then no fsync of the journal happens to help the database.
    let own_share = random.choice([0.0, 0.5, 1.0]).expect("there are three");
    loop {
        let which = usize::from(random.f64() >= own_share);
        let log = which as u32 + 1;
        let entries = chain(&charter, &authors[which], &store, &replica, log, &mut random);
        let mut changes = Vec::new();
        for entry in &entries {
            replica.insert(entry, &store, &mut changes);
        }
        let mine = if which == 0 { entries.as_slice() } else { &[] };
        store.commit(mine, &changes).expect("the commit succeeds until the power is cut");
        let last = entries.last().expect("a batch has an entry");
        let mut out = stdout().lock();
        writeln!(out, "{log} {} {}", replica.length(log), last.id()).expect("somebody listens");
        out.flush().expect("somebody listens");
    }
}

fn chain(
    charter: &Charter,
    author: &Organisation,
    store: &Store,
    replica: &Replica,
    log: u32,
    random: &mut fastrand::Rng,
) -> Vec<Arc<VerifiedEntry>> {
    let last = replica.length(log).checked_sub(1);
    let mut previous = last.and_then(|sequence| store.entry(log, sequence).expect("the last entry is sound"));
    let mut entries = Vec::new();
    for _ in 0..random.usize(1..30) {
        let body = (0..random.usize(16..2_000)).map(|_| random.u8(..)).collect();
        let entry = author.entry(charter, previous.as_deref(), charter.tip_block().time_ms, 102, body);
        entries.push(entry.clone());
        previous = Some(entry);
    }
    entries
}
