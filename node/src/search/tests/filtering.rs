//! What filters let through and what facets count.

use super::*;
use crate::search::{Facet, FacetCounts, Limit, SearchError, Sort, SortBy, Span};

#[track_caller]
fn passes(kept: &Kept, filters: Filters, numbers: &[u8]) {
    let results = kept.ask(&Query { limit: Limit(100), ..filtered(filters) });
    let mut found: Vec<EntryId> = results.hits.iter().map(|hit| hit.id).collect();
    let mut expected: Vec<EntryId> = numbers.iter().map(|number| id(*number)).collect();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!(results.total, numbers.len() as u64);
}

fn span(min: Option<i64>, max: Option<i64>) -> Option<Span> {
    let fixed = |figure: i64| figure * FIXED_POINT;
    Some(Span { min: min.map(fixed), max: max.map(fixed), with_unknown: false })
}

#[test]
fn each_filter_lets_through_what_it_names() {
    let kept = Kept::of(&records());
    let all = Filters::default();
    passes(&kept, all.clone(), &[1, 2, 3, 4, 5, 6, 7, 8, 11]);
    passes(&kept, Filters { kinds: vec![DEMAND, FUND], ..all.clone() }, &[2, 3, 7, 11]);
    passes(&kept, Filters { divisions: texts(["411426"]), ..all.clone() }, &[1, 2, 8]);
    passes(&kept, Filters { divisions: texts(["河南省"]), ..all.clone() }, &[1, 2, 8, 11]);
    passes(&kept, Filters { divisions: texts(["铜山县", "奉节"]), ..all.clone() }, &[3, 4, 6]);
    passes(&kept, Filters { industries: texts(["38"]), ..all.clone() }, &[1]);
    passes(&kept, Filters { industries: texts(["C"]), ..all.clone() }, &[1, 2]);
    passes(&kept, Filters { industries: texts(["锂离子电池制造", "民宿服务"]), ..all.clone() }, &[1, 4]);
    passes(&kept, Filters { states: texts(["published"]), ..all.clone() }, &[2, 3]);
    passes(&kept, Filters { owner_classes: vec![Class::Fund], ..all.clone() }, &[7]);
    passes(&kept, Filters { owners: vec![MemberNumber(7), MemberNumber(9)], ..all.clone() }, &[5, 6]);
    passes(&kept, Filters { sealed: Some(true), ..all.clone() }, &[11]);
    passes(&kept, Filters { sealed: Some(false), divisions: texts(["41"]), ..all.clone() }, &[1, 2, 8]);
    passes(&kept, Filters { fresh_within_days: Some(3), ..all.clone() }, &[1, 2, 3]);
    passes(&kept, Filters { include_closed: true, ..all }, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
}

#[test]
fn values_of_one_field_are_alternatives_and_fields_add_up() {
    let kept = Kept::of(&records());
    let facet = |field: &str, value: &str| (field.to_owned(), value.to_owned());
    let filters =
        Filters { facets: vec![facet("category", "招商"), facet("category", "物流")], ..Filters::default() };
    passes(&kept, filters, &[2, 3, 5]);
    let filters = Filters { facets: vec![facet("category", "招商"), facet("level", "重大")], ..Filters::default() };
    passes(&kept, filters, &[]);
}

#[test]
fn ranges_include_both_ends_and_the_unknown_only_when_asked() {
    let kept = Kept::of(&records());
    let amount = |amount| Filters { amount, ..Filters::default() };
    passes(&kept, amount(span(Some(5_000), Some(5_000))), &[7]);
    passes(&kept, amount(span(Some(20_000), None)), &[1, 3, 7]);
    passes(&kept, amount(span(None, Some(4_999))), &[]);
    let with_unknown = span(Some(100_000), None).map(|span| Span { with_unknown: true, ..span });
    passes(&kept, amount(with_unknown), &[1, 2, 4, 5, 6, 8, 11]);
    passes(&kept, Filters { area: span(Some(400), None), ..Filters::default() }, &[1, 6]);
    passes(&kept, Filters { floor_area: span(None, Some(20_000)), ..Filters::default() }, &[4, 5]);
    let deadline = Some(Span { min: Some(20_791), max: Some(20_818), with_unknown: false });
    passes(&kept, Filters { deadline, ..Filters::default() }, &[3, 8]);
    passes(&kept, Filters { amount: span(Some(i64::MIN / FIXED_POINT), None), ..Filters::default() }, &[1, 3, 7]);
}

#[test]
fn filters_and_words_hold_together() {
    let kept = Kept::of(&records());
    let filters = Filters { kinds: vec![RESOURCE], ..Filters::default() };
    assert_eq!(kept.titles_of(&Query { filters, ..asking("奉节") }), ["白帝城临江院落"]);
}

#[test]
fn a_place_or_industry_that_no_table_has_is_said() {
    let kept = Kept::of(&records());
    let refused = |filters| kept.index.search(&filtered(filters), NOW_MS).expect_err("it is refused");
    let unknown = refused(Filters { divisions: texts(["火星县"]), ..Filters::default() });
    assert!(matches!(unknown, SearchError::UnknownDivision(name) if name == "火星县"));
    let unknown = refused(Filters { industries: texts(["造梦业"]), ..Filters::default() });
    assert!(matches!(unknown, SearchError::UnknownIndustry(name) if name == "造梦业"));
    let many = refused(Filters { kinds: (0..300).collect(), ..Filters::default() });
    assert!(matches!(many, SearchError::TooManyValues { max: 256 }));
}

fn values(counts: &FacetCounts) -> Vec<(&str, u64)> {
    counts.values.iter().map(|value| (value.value.as_str(), value.count)).collect()
}

#[test]
fn facets_count_what_is_found() {
    let kept = Kept::of(&records());
    let facets = vec![
        Facet::Kind,
        Facet::Province,
        Facet::Prefecture,
        Facet::County,
        Facet::IndustrySection,
        Facet::IndustryDivision,
        Facet::State,
        Facet::OwnerClass,
        Facet::Owner,
        Facet::Freshness,
        Facet::Field("category".to_owned()),
        Facet::Field("nothing".to_owned()),
    ];
    let results = kept.ask(&Query { facets: facets.clone(), limit: Limit(1), ..Query::default() });
    assert_eq!(results.facets.iter().map(|counts| counts.facet.clone()).collect::<Vec<_>>(), facets);
    let counted: Vec<Vec<(&str, u64)>> = results.facets.iter().map(values).collect();
    assert_eq!(counted[0], [("102", 3), ("103", 3), ("101", 1), ("104", 1), ("162", 1)]);
    assert_eq!(counted[1], [("410000", 4), ("500000", 2), ("110000", 1), ("320000", 1), ("370000", 1)]);
    assert_eq!(counted[2], [("411400", 3), ("320300", 1), ("371400", 1)]);
    assert_eq!(counted[3], [("411426", 3), ("500236", 2), ("110105", 1), ("320312", 1), ("371481", 1)]);
    assert_eq!(counted[4], [("C", 2), ("D", 1), ("G", 1), ("H", 1)]);
    assert_eq!(counted[5], [("17", 1), ("18", 1), ("38", 1), ("44", 1), ("59", 1), ("61", 1)]);
    assert_eq!(counted[6], [("published", 2), ("issued", 1), ("planned", 1)]);
    assert_eq!(counted[7], [("county", 8), ("fund", 1)]);
    assert_eq!(counted[8], [("42", 6), ("20", 1), ("7", 1), ("9", 1)]);
    assert_eq!(counted[9], [("7", 7), ("30", 9), ("90", 9), ("365", 9)]);
    assert_eq!(counted[10], [("招商", 2), ("厂房", 1), ("物流", 1), ("闲置资产", 1)]);
    assert!(counted[11].is_empty());
}

#[test]
fn the_fields_of_kinds_come_as_one_facet_each() {
    let kept = Kept::of(&records());
    let results = kept.ask(&Query { facets: vec![Facet::Fields], ..asking("夏邑") });
    let fields: Vec<&Facet> = results.facets.iter().map(|counts| &counts.facet).collect();
    let field = |name: &str| Facet::Field(name.to_owned());
    assert_eq!(fields, [&field("category"), &field("level"), &field("measures")]);
}

#[test]
fn a_record_counts_once_in_a_place_of_which_it_has_two_parts() {
    let both = Document { divisions: texts(["411426", "411425"]), ..document(1, PROJECT, "跨县产业带") };
    let kept = Kept::of(&[both]);
    let results = kept.ask(&Query { facets: vec![Facet::Province, Facet::County], ..Query::default() });
    assert_eq!(values(&results.facets[0]), [("410000", 1)]);
    assert_eq!(values(&results.facets[1]), [("411425", 1), ("411426", 1)]);
}

#[test]
fn long_lists_of_values_are_cut_and_that_is_said() {
    let many = |number: u8| Document { state: Some(format!("state{number:03}")), ..document(number, DEMAND, "需求") };
    let kept = Kept::of(&(0..60).map(many).collect::<Vec<_>>());
    let results = kept.ask(&Query { facets: vec![Facet::State], ..Query::default() });
    assert_eq!((results.facets[0].values.len(), results.facets[0].more), (50, true));
}

#[test]
fn each_order_is_kept_and_the_unknown_comes_last() {
    let kept = Kept::of(&records());
    let ordered = |by, ascending| {
        let filters = Filters { include_closed: true, ..Filters::default() };
        let query = Query { sort: Sort { by, ascending }, limit: Limit(100), ..filtered(filters) };
        kept.ask(&query).hits.into_iter().map(|hit| (hit.id, hit.sort_value)).collect::<Vec<_>>()
    };
    let first = |hits: &[(EntryId, Option<i64>)], numbers: &[u8]| {
        assert_eq!(hits.len(), 11);
        assert_eq!(
            hits.iter().take(numbers.len()).map(|hit| hit.0).collect::<Vec<_>>(),
            numbers.iter().map(|number| id(*number)).collect::<Vec<_>>()
        );
        assert!(hits.iter().skip(numbers.len()).all(|hit| hit.1.is_none()));
    };
    first(&ordered(SortBy::Amount, false), &[1, 3, 7]);
    first(&ordered(SortBy::Amount, true), &[7, 3, 1]);
    assert_eq!(ordered(SortBy::Amount, true)[0].1, Some(5_000 * FIXED_POINT));
    assert_eq!(ordered(SortBy::Amount, false)[2].1, Some(20_000 * FIXED_POINT));
    first(&ordered(SortBy::Area, false), &[1, 6, 4]);
    first(&ordered(SortBy::FloorArea, true), &[4, 5, 6]);
    first(&ordered(SortBy::Deadline, true), &[2, 3, 8]);
    let oldest = [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1];
    first(&ordered(SortBy::Changed, true), &oldest);
    first(&ordered(SortBy::Created, true), &oldest);
    // Without words nothing fits better than anything else: the newest is first.
    first(&ordered(SortBy::Relevance, false), &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
}
