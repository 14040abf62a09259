//! Bytes of a sync session between two peers that hold the same, and that differ by one percent. Counted on the
//! messages themselves, frames included.

use protocol::testing::{Peer, sync};

use crate::catch_up::{entries, federation};

pub fn run(records: usize) {
    let (charter, organisations) = federation();
    let each = records / organisations.len();
    let entries = entries(&charter, &organisations, each);
    let mut full = Peer::new(&charter, charter.blocks().len());
    let mut behind = Peer::new(&charter, charter.blocks().len());
    let mut new_bytes = 0;
    for (index, entry) in entries.iter().enumerate() {
        full.insert(entry);
        // The last entry of most logs, so that the difference is spread as it is in life.
        let is_new = index % each == each - 1 && index / each < entries.len() / 100;
        if is_new {
            new_bytes += entry.encode().len() as u64;
        } else {
            behind.insert(entry);
        }
    }
    let sides = sync(&mut behind, &mut full, [1, 2]).expect("honest peers do not fail");
    let (received, [asked, sent]) = (sides[0].0.entries_received, [sides[0].1, sides[1].1]);
    println!("re-sync with {received} of {} entries new: {sent} bytes received, {asked} sent", entries.len());
    println!("  baseline, those entries' own bytes: {new_bytes}");
    println!(
        "  ratio of both directions together {:.2} (target: at most 1.2)",
        (sent + asked) as f64 / new_bytes as f64
    );
    let sides = sync(&mut behind, &mut full, [3, 4]).expect("honest peers do not fail");
    println!("re-sync with nothing new: {} and {} bytes (target: under 256 each)", sides[0].1, sides[1].1);
}
