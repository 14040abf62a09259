//! How good matching is, on labelled pairs, beside what one has without it; and the page that says so.

mod measure;
mod methods;
mod page;
mod set;

use std::path::Path;

use measure::{Quality, measure};
use page::Measured;
use protocol::matching::Rules;
use set::{LabelledSet, Split};

/// The row of a whole split.
const ALL: &str = "**合计 all**";
/// Set to write the page instead of comparing it.
const WRITE: &str = "XIANMENG_WRITE";

fn measured(set: &LabelledSet, split: Split) -> Measured {
    let methods = [methods::ours, methods::filters_only, methods::text_only];
    let [ours, filters, text] = methods.map(|method| measure(set, split, method));
    let mut rows = vec![(ALL.to_owned(), [ours.0, filters.0, text.0])];
    for (family, quality) in ours.1 {
        let other = |families: &std::collections::BTreeMap<String, Quality>| families[&family];
        let row = [quality, other(&filters.1), other(&text.1)];
        rows.push((family, row));
    }
    Measured { split, rows }
}

#[test]
fn matching_is_better_than_filters_and_than_text_search_and_the_page_says_by_how_much() {
    let set = LabelledSet::load();
    let splits = [Split::Tuning, Split::HeldOut].map(|split| measured(&set, split));
    let page = page::page(Rules::builtin(), &splits);
    for Measured { rows, .. } in &splits {
        let (_, [ours, filters, text]) = &rows[0];
        assert!(ours.subjects > 20);
        assert!(ours.ndcg() > filters.ndcg() && ours.ndcg() > text.ndcg(), "{page}");
        assert!(ours.missed + ours.wrong < text.missed, "{page}");
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join("docs").join("MATCHING.md");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        written == page,
        "docs/MATCHING.md is not that of the rules; renew it with\n  \
         {WRITE}=1 cargo test --release -p xianmeng-protocol --test matching_quality\n{page}"
    );
}
