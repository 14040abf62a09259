//! Leads by their six scores, and figures that cannot be ranked by.

use super::{World, day, kind};
use crate::survey::ranking::{Measure, MeasureError, Ranking};

const SIX: [(&str, &str); 6] = [
    ("高科技评分", "score_technology"),
    ("高成长性评分", "score_growth"),
    ("高附加值评分", "score_added_value"),
    ("高税收评分", "score_tax"),
    ("低安全风险评分", "score_safety"),
    ("低污染评分", "score_pollution"),
];

fn rank(world: &World, measure: &Measure, bound: usize, ascending: bool) -> (Vec<(usize, String, String)>, usize) {
    let mut ranking = Ranking::new(bound, ascending);
    for record in world.each() {
        let figures = Measure::own_figures(record.kind, &record.state.fields, day(2026, 7, 31));
        ranking.take(measure.of(&record.state.fields, &|name| figures.get(name).copied()), || record.source());
    }
    let unknown = ranking.unknown;
    let each = ranking.finish().into_iter();
    let rows = each.map(|ranked| (ranked.place, ranked.source.title, ranked.amount.to_string()));
    (rows.collect(), unknown)
}

fn rows(rows: &[(usize, &str, &str)]) -> Vec<(usize, String, String)> {
    rows.iter().map(|(place, title, amount)| (*place, (*title).to_owned(), (*amount).to_owned())).collect()
}

#[test]
fn leads_are_ranked_by_their_six_scores_and_unknown_comes_last() {
    let mut world = World::default();
    for (finder, scores) in [
        ("甲", ["90", "80", "70", "60", "50", "40"]),
        ("乙", ["100", "80", "70.5", "60", "50", "40"]),
        ("丙", ["40", "50", "60", "70", "80", "90"]),
        ("丁", ["100", "", "100", "100", "100", "100"]),
    ] {
        let cells: Vec<(&str, &str)> = SIX.iter().zip(scores).map(|((name, _), score)| (*name, score)).collect();
        world.add("lead", 3, &[&cells[..], &[("提供单位", finder)]].concat());
    }
    let six = SIX.map(|(_, name)| name).join("+");
    let measure = Measure::parse(kind("lead"), &six).expect("six scores");
    let expected = [(1, "乙", "400.5"), (2, "甲", "390"), (2, "丙", "390")];
    assert_eq!(rank(&world, &measure, 10, false), (rows(&expected), 1), "丁 lacks a score");
    let (lowest, _) = rank(&world, &measure, 10, true);
    assert_eq!(lowest, rows(&[(1, "甲", "390"), (1, "丙", "390"), (3, "乙", "400.5")]));
    assert_eq!(rank(&world, &measure, 1, false).0, rows(&expected[..1]));
    let one = Measure::parse(kind("lead"), "高科技评分").expect("one score");
    assert_eq!(rank(&world, &one, 2, false).0, rows(&[(1, "乙", "100"), (1, "丁", "100")]));
}

#[test]
fn figures_in_any_unit_and_derived_ones_are_ranked_by() {
    let mut world = World::default();
    for (name, investment, land) in
        [("甲", "37.84亿元", "476"), ("乙", "约9000万元", "10"), ("丙", "5亿美元", ""), ("丁", "", "3")]
    {
        world.add("project", 3, &[("项目名称", name), ("计划投资", investment), ("用地", land)]);
    }
    let parse = |text: &str| Measure::parse(kind("project"), text).expect("a figure");
    let by_money = parse("计划投资");
    assert_eq!(rank(&world, &by_money, 10, false), (rows(&[(1, "甲", "37.84"), (2, "乙", "0.9")]), 2), "no dollars");
    let per_mu = parse("investment_per_mu");
    assert!(per_mu.is_derived() && !per_mu.looks_at_records() && parse("累计到位资金").looks_at_records());
    let (ranked, unknown) = rank(&world, &per_mu, 10, false);
    assert_eq!((ranked[0].1.as_str(), ranked[0].2.as_str(), unknown), ("乙", "900", 2));
}

#[test]
fn what_is_no_figure_is_refused_with_what_there_is() {
    let refused = |text: &str| Measure::parse(kind("project"), text).expect_err("it is refused");
    assert!(matches!(refused("项目名称"), MeasureError::Unknown { known, .. } if known.contains("计划投资")));
    assert!(matches!(refused("计划投资+用地"), MeasureError::Units { .. }));
    assert!(matches!(refused(" + "), MeasureError::Terms));
    assert!(matches!(refused(&["用地"; 13].join("+")), MeasureError::Terms));
}
