//! Whatever is typed or written is answered.

use super::*;
use crate::search::{Facet, Limit, Sort, SortBy, Span, highlight, snippet};

/// What nobody types in good faith.
fn strange_words() -> Vec<String> {
    let operators =
        "+ - && || ! ( ) { } [ ] ^ \" ~ * ? : \\ / AND OR NOT TO a:b a^9 \"a\"~3 [a TO b] (光 AND 伏) *光 光* .*";
    let mut words = vec![operators.to_owned()];
    words.extend(operators.split(' ').map(str::to_owned));
    words.extend(["光".repeat(100_000), "光伏 ".repeat(50_000), "a".repeat(100_000), "a b ".repeat(9_999)]);
    words.extend(["xian".repeat(5_000), "'".repeat(9_999), "\"".repeat(9_999), "“光".repeat(999), "-".repeat(999)]);
    words.extend(
        ["\u{0}\u{1}\u{7f}\n\r\t", "\u{202e}光伏\u{200d}", "😀👨‍👩‍👧‍👦🇨🇳", "\u{10ffff}", "é̀̂", "ǅİß", "㍿㎡①", "𠮷𠀀光伏"]
            .map(str::to_owned),
    );
    words.extend(
        ["的", "的了和", "有没有", "一", "i", "v", "''", "\"\"", "~gf", "\u{1}光伏", "gf=光伏", "k102"]
            .map(str::to_owned),
    );
    words
}

#[test]
fn strange_words_are_answered_within_bounds() {
    let kept = Kept::of(&records());
    for words in strange_words() {
        for by in [SortBy::Relevance, SortBy::Changed] {
            let sort = Sort { by, ascending: false };
            let results = kept.ask(&Query { sort, facets: vec![Facet::Fields], ..asking(&words) });
            assert!(results.hits.len() <= 20 && results.did_you_mean.len() <= 5);
            assert!(results.did_you_mean.iter().all(|text| text.chars().count() <= 512));
        }
        let text = format!("夏邑{}光伏", words.chars().take(500).collect::<String>());
        let ranges = highlight(&text, &asking(&words));
        assert!(ranges.iter().all(|range| text.get(range.clone()).is_some()));
        assert!(snippet(&[&text, &words], &asking(&words)).is_some());
    }
}

#[test]
fn words_that_hold_nothing_to_look_for_find_nothing() {
    let kept = Kept::of(&records());
    assert!(!kept.titles("").is_empty(), "no words ask for everything");
    for words in ["😀", "###", "，。", "“”"] {
        assert_eq!(kept.titles(words), Vec::<String>::new(), "{words}");
    }
}

#[test]
fn strange_filters_are_answered_or_refused() {
    let kept = Kept::of(&records());
    for words in strange_words() {
        let words: String = words.chars().take(2_000).collect();
        for filters in [
            Filters { states: vec![words.clone()], ..Filters::default() },
            Filters { facets: vec![(words.clone(), words.clone())], ..Filters::default() },
        ] {
            assert_eq!(kept.ask(&filtered(filters)).total, 0);
        }
        for filters in [
            Filters { divisions: vec![words.clone()], ..Filters::default() },
            Filters { industries: vec![words.clone()], ..Filters::default() },
        ] {
            let _ = kept.index.search(&filtered(filters), NOW_MS);
        }
    }
    let span = Some(Span { min: Some(i64::MAX), max: Some(i64::MIN), with_unknown: false });
    let filters = Filters { amount: span, deadline: span, fresh_within_days: Some(u32::MAX), ..Filters::default() };
    for now_ms in [0, u64::MAX] {
        let query = Query { facets: vec![Facet::Freshness], ..filtered(filters.clone()) };
        assert_eq!(kept.index.search(&query, now_ms).expect("an answer").total, 0);
    }
}

#[test]
fn strange_documents_are_taken_and_found() {
    let strange = strange_words();
    let mut kept = Kept::of(&[]);
    for (number, words) in (0..).zip(&strange) {
        let document = Document {
            names: vec![words.clone(); 3],
            labels: vec![words.clone()],
            texts: vec![words.clone(), String::new()],
            divisions: vec![words.clone()],
            industries: vec![words.clone()],
            state: Some(words.clone()),
            facets: vec![(words.clone(), words.clone()); 200],
            amounts: vec![i64::MIN, i64::MAX, 0],
            deadline_day: Some(i32::MIN),
            created_ms: u64::MAX,
            changed_ms: u64::MAX,
            ..document(number, u16::MAX, words)
        };
        kept.writer.put(&document).expect("it is put");
    }
    kept.writer.put(&document(200, DEMAND, "尾随其后的光伏需求")).expect("it is put");
    kept.writer.commit(b"").expect("it is committed");
    assert_eq!(kept.index.documents(), strange.len() as u64 + 1);
    assert!(kept.ask(&asking("尾随")).total >= 1);
    for words in strange {
        kept.ask(&Query { facets: vec![Facet::Fields, Facet::County], limit: Limit(200), ..asking(&words) });
    }
    for by in [SortBy::Amount, SortBy::Deadline, SortBy::Created] {
        for ascending in [false, true] {
            let query = Query { sort: Sort { by, ascending }, limit: Limit(200), ..Query::default() };
            assert_eq!(kept.ask(&query).hits.len() as u64, kept.index.documents());
        }
    }
}
