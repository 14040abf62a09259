//! Pages neither repeat nor skip.

use std::collections::BTreeSet;

use super::*;
use crate::search::limits::PAGE_HITS_MAX;
use crate::search::{Cursor, CursorError, Limit, SearchError, Sort, SortBy};

/// Documents in several segments, many of them with equal figures.
fn many(count: u64) -> Kept {
    let mut kept = Kept::of(&[]);
    for number in 0..count {
        let amounts = if number % 3 == 0 { Vec::new() } else { vec![(number % 5) as i64 * FIXED_POINT] };
        let document = Document {
            id: EntryId(*blake3::hash(&number.to_le_bytes()).as_bytes()),
            texts: texts([if number % 2 == 0 { "光伏组件，光伏支架" } else { "光伏" }]),
            amounts,
            changed_ms: number / 7,
            ..document(0, RESOURCE, "标准厂房")
        };
        kept.writer.put(&document).expect("it is put");
        if number % 50 == 49 {
            kept.writer.commit(b"").expect("it is committed");
        }
    }
    kept.writer.commit(b"").expect("it is committed");
    kept
}

/// All pages of a query, one behind the other.
fn walk(kept: &Kept, query: &Query) -> Vec<EntryId> {
    let (mut query, mut found) = (query.clone(), Vec::new());
    loop {
        let results = kept.ask(&query);
        assert_eq!(results.total, 230, "every page says how many there are");
        found.extend(results.hits.iter().map(|hit| hit.id));
        // A caller sees the cursor as a text.
        match results.next {
            Some(next) => query.cursor = Some(next.to_string().parse().expect("a cursor")),
            None => return found,
        }
    }
}

#[test]
fn every_order_is_walked_without_repeats_and_gaps() {
    let kept = many(230);
    let orders = [SortBy::Relevance, SortBy::Changed, SortBy::Amount, SortBy::Deadline];
    for (by, ascending) in orders.into_iter().flat_map(|by| [(by, false), (by, true)]) {
        for words in ["光伏", ""] {
            let query = Query { limit: Limit(200), sort: Sort { by, ascending }, ..asking(words) };
            let whole = walk(&kept, &query);
            assert_eq!(whole.len(), 230);
            assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), 230);
            for limit in [1, 7, 115, 200] {
                assert_eq!(walk(&kept, &Query { limit: Limit(limit), ..query.clone() }), whole, "{by:?} {limit}");
            }
        }
    }
}

#[test]
fn the_order_is_the_same_after_segments_are_merged() {
    let mut kept = many(230);
    let query = Query { limit: Limit(50), ..asking("光伏 厂房") };
    let first = kept.ask(&query);
    let whole = walk(&kept, &query);
    // Removing and putting back makes every segment be written anew.
    for id in whole.iter().step_by(5) {
        kept.writer.remove(id).expect("it is removed");
    }
    for (number, id) in (0..230_u64).map(|number| (number, EntryId(*blake3::hash(&number.to_le_bytes()).as_bytes()))) {
        if whole.iter().step_by(5).any(|removed| *removed == id) {
            let text = if number % 2 == 0 { "光伏组件，光伏支架" } else { "光伏" };
            let document =
                Document { id, texts: texts([text]), changed_ms: number / 7, ..document(0, RESOURCE, "标准厂房") };
            kept.writer.put(&document).expect("it is put");
        }
    }
    kept.writer.commit(b"").expect("it is committed");
    kept.writer.scrub().expect("it is scrubbed");
    let rest = walk(&kept, &Query { cursor: first.next, ..query.clone() });
    assert_eq!([first.hits.iter().map(|hit| hit.id).collect(), rest].concat(), whole);
}

#[test]
fn the_size_of_a_page_is_bounded() {
    let kept = many(230);
    assert_eq!(kept.ask(&Query { limit: Limit(usize::MAX), ..Query::default() }).hits.len(), PAGE_HITS_MAX);
    assert_eq!(kept.ask(&Query { limit: Limit(0), ..Query::default() }).hits.len(), 1);
}

#[test]
fn a_cursor_belongs_to_one_query() {
    let kept = many(230);
    let next = kept.ask(&asking("光伏")).next;
    let refused = kept.index.search(&Query { cursor: next, ..asking("厂房") }, NOW_MS).expect_err("it is refused");
    assert!(matches!(refused, SearchError::Cursor(CursorError::OtherQuery)));
    let other_size = Query { cursor: next, limit: Limit(3), ..asking("光伏") };
    assert_eq!(kept.ask(&other_size).hits.len(), 3, "the size of pages may change on the way");
    for text in ["", "zz", &"0".repeat(88), &"光".repeat(89), &"g".repeat(89)] {
        assert_eq!(text.parse::<Cursor>(), Err(CursorError::Malformed), "{text}");
    }
}
