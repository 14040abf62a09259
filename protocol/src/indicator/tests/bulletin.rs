//! A bulletin as a record and back, and what a comparison names.

use std::collections::BTreeMap;

use super::{World, fields};
use crate::frontier::{Frontier, Head};
use crate::identity::{BlockHash, EntryId, FederationId};
use crate::indicator::bulletin::{BULLETIN_KIND, Bulletin, BulletinError};
use crate::indicator::compare::{What, omitted, recomputed};
use crate::indicator::{Definitions, Figure};
use crate::kind::KindSet;
use crate::limits::BODY_BYTES_MAX;

fn resource(name: &str) -> [(&str, &str); 3] {
    [("category", "厂房"), ("name", name), ("state", "可用")]
}

fn frontier(logs: u32) -> Frontier {
    let head = |log: u32| {
        let id = EntryId(*blake3::hash(&log.to_le_bytes()).as_bytes());
        (log * 3, Head { length: u64::from(log) * 100 + 1, id })
    };
    Frontier {
        federation: FederationId([1; 32]),
        charter_version: 7,
        charter_tip: BlockHash([2; 32]),
        heads: (0..logs).map(head).collect(),
        proofs: [3; 32],
    }
}

fn publish(figures: &[Figure], logs: u32, as_of_ms: u64) -> Bulletin {
    Bulletin::new(Definitions::builtin(), &frontier(logs), as_of_ms, figures)
}

fn record(bulletin: &Bulletin, change: &[(&str, &str)]) -> Result<Bulletin, BulletinError> {
    let kind = KindSet::builtin().kind_named(BULLETIN_KIND).expect("a kind");
    let mut cells = bulletin.cells();
    for (name, text) in change {
        cells.insert(name, (*text).to_owned());
    }
    let cells: Vec<(&str, &str)> = cells.iter().map(|(name, text)| (*name, text.as_str())).collect();
    Bulletin::read(kind, &fields(kind, &cells))
}

#[test]
fn a_bulletin_is_read_as_it_was_written_and_fits_into_one_entry() {
    let mut world = World::new();
    world.add("resource", 2, &resource("一"));
    let bulletin = publish(&world.figures(), 1_600, world.as_of_ms);
    assert_eq!(record(&bulletin, &[]), Ok(bulletin.clone()));
    let bytes: usize = bulletin.cells().values().map(String::len).sum();
    assert!(bytes < BODY_BYTES_MAX - 8_192, "{bytes} bytes with the heads of 1,600 logs");
}

#[test]
fn what_cannot_be_read_is_named() {
    let world = World::new();
    let bulletin = publish(&world.figures(), 2, world.as_of_ms);
    let figures = bulletin.cells().remove("figures").expect("there are figures");
    let twice = format!("{figures};{}", figures.split(';').next().unwrap_or_default());
    for (field, text, error) in [
        ("heads", "00ff", BulletinError::Heads),
        ("heads", "xyz", BulletinError::Heads),
        ("frontier", "12", BulletinError::Field("frontier")),
        ("charter_version", "1.5", BulletinError::Field("charter_version")),
        ("figures", "ZB001 30", BulletinError::Figure(1)),
        ("figures", twice.as_str(), BulletinError::Twice("ZB001".to_owned())),
        ("as_of", "2026-06-16", BulletinError::Day { stated: "2026-06-16".to_owned(), exact: "2026-06-15".to_owned() }),
    ] {
        assert_eq!(record(&bulletin, &[(field, text)]), Err(error), "{field}={text}");
    }
}

#[test]
fn an_altered_figure_is_named_with_both_values() {
    let mut world = World::new();
    world.add("resource", 2, &resource("一"));
    let figures = world.figures();
    let mut bulletin = publish(&figures, 2, world.as_of_ms);
    assert_eq!(recomputed(&bulletin, &figures, &|_| None), []);
    bulletin.figures[7].value = Some("2".to_owned());
    let differences = recomputed(&bulletin, &figures, &|_| None);
    let [difference] = differences.as_slice() else { panic!("{differences:?}") };
    assert_eq!((difference.code.as_str(), difference.what), ("ZB008", What::Value));
    assert_eq!((difference.stated.as_str(), difference.found.as_str()), ("2", "1"));
}

#[test]
fn a_record_that_a_bulletin_counts_or_leaves_out_is_named() {
    let mut world = World::new();
    let first = world.add("resource", 2, &resource("一"));
    let before = world.figures();
    let second = world.add("resource", 3, &resource("二"));
    let after = world.figures();
    let known = |wanted: &[u8; 16]| [first, second].into_iter().find(|id| id.as_bytes()[..16] == *wanted);
    let named = |bulletin: &Bulletin, figures: &[Figure]| -> BTreeMap<(String, &str), Vec<EntryId>> {
        let differences = recomputed(bulletin, figures, &known).into_iter();
        differences.map(|difference| ((difference.code, difference.what.name()), difference.records)).collect()
    };
    let of_items = |what| ("ZB008".to_owned(), what);
    for (stated, found) in [(&before, &after), (&after, &before)] {
        let named = named(&publish(stated, 2, world.as_of_ms), found);
        assert_eq!(named.get(&of_items("value")), Some(&vec![second]));
        assert_eq!(named.get(&of_items("records")), Some(&vec![second]));
        assert!(named.contains_key(&of_items("coverage")) && named.len() == 3, "{named:?}");
    }
    let omitted = omitted(&before, &after);
    let [one] = omitted.as_slice() else { panic!("{omitted:?}") };
    assert_eq!((one.code.as_str(), one.what, one.records.as_slice()), ("ZB008", What::Omitted, [second].as_slice()));
}
