//! Counties that state one industry.

use super::{DEMANDS, PROJECTS, RESOURCES, World, day, fields, kind};
use crate::identity::MemberNumber;
use crate::survey::competition::{Answer, Competition, Question};
use crate::survey::place::Region;

fn question(counties_min: usize) -> Question {
    Question { region: None, industry: None, counties_min, lines: 100, as_of_ms: day(2025, 6, 1) }
}

fn ask(world: &World, question: Question) -> Answer {
    let mut survey = Competition::new(question);
    world.each().for_each(|record| survey.take(&record));
    survey.finish()
}

/// Prefecture, industry, and the counties with their records.
type Line<'a> = (&'a str, &'a str, Vec<(&'a str, usize)>);

fn lines(answer: &Answer) -> Vec<Line<'_>> {
    answer
        .lines
        .iter()
        .map(|line| {
            let counties = line.counties.iter().map(|county| (county.county.code.as_str(), county.sources.records));
            (line.prefecture.code.as_str(), line.industry.code.as_str(), counties.collect())
        })
        .collect()
}

fn samples() -> World {
    let mut world = World::default();
    world.import("project", PROJECTS);
    world.import("resource", RESOURCES);
    world.import("demand", DEMANDS);
    world
}

#[test]
fn the_samples_are_placed_or_counted_beside() {
    let answer = ask(&samples(), question(1));
    let batteries = answer.lines.iter().find(|line| line.industry.code == "3841").expect("Xiayi builds batteries");
    assert_eq!(
        (batteries.prefecture.name.as_str(), batteries.industry.name.as_str()),
        ("河南省商丘市", "锂离子电池制造")
    );
    assert_eq!((batteries.counties.len(), batteries.records), (1, 7), "four projects, two plots, one demand");
    assert_eq!(batteries.counties[0].county.name, "河南省商丘市夏邑县");
    assert_eq!(answer.counted_in_all(), 23 + 78 + 48);
    let wide: Vec<&str> = super::titles(&answer.wide_place);
    assert!(wide.contains(&"核技术应用链主型、节点型企业"), "衡阳 speaks for a prefecture: {wide:?}");
    assert_eq!(super::titles(&answer.without_place), ["冷藏保鲜设施建设（农产品主产区）"]);
    assert!(super::titles(&answer.wide_industry).contains(&"清华大学化工科技成果转化基地"));
}

#[test]
fn a_record_without_a_code_is_placed_by_names_that_are_unique() {
    let answer = ask(&samples(), question(2));
    let expected = vec![("371400", "2443", vec![("371422", 1), ("371423", 1), ("371481", 1)])];
    assert_eq!(lines(&answer), expected, "one project of three counties of 德州");
}

#[test]
fn without_code_and_name_the_county_that_the_charter_names_counts() {
    let mut world = World::default();
    let project = kind("project");
    let cells = fields(project, &[("项目名称", "电芯"), ("行业代码", "3841"), ("县（市、区）", "朝阳区")]);
    world.push(project, MemberNumber(2), "411426", None, cells.clone());
    world.push(project, MemberNumber(7), "", None, cells);
    let answer = ask(&world, question(1));
    assert_eq!(lines(&answer), [("411400", "3841", vec![("411426", 1)])], "several go by the name of the place");
    assert_eq!(answer.without_place.records, 1);
}

#[test]
fn counties_are_ranked_and_count_once_each() {
    let mut world = samples();
    for (owner, division, code) in [(21, "411425", "3841"), (22, "411424", "3841"), (22, "411424", "3841")] {
        world.add("project", owner, &[("项目名称", "电芯"), ("行政区划代码", division), ("行业代码", code)]);
    }
    world.add("county_profile", 21, &[("县域名称", "虞城县"), ("行政区划代码", "411425"), ("主导产业代码", "1711")]);
    let answer = ask(&world, question(2));
    let first = ("411400", "3841", vec![("411426", 7), ("411424", 2), ("411425", 1)]);
    let second = ("371400", "2443", vec![("371422", 1), ("371423", 1), ("371481", 1)]);
    let third = ("411400", "1711", vec![("411426", 2), ("411425", 1)]);
    assert_eq!(lines(&answer), [first.clone(), second, third.clone()]);
    assert_eq!(answer.total, 3);

    let within = |text: &str| Some(Region::parse(text).expect("a region"));
    let of_county = ask(&world, Question { region: within("虞城县"), ..question(2) });
    assert_eq!(lines(&of_county), [first.clone(), third.clone()], "what this county shares with its neighbours");
    let of_province = ask(&world, Question { region: within("河南"), ..question(3) });
    assert_eq!(lines(&of_province), std::slice::from_ref(&first));
    let of_industry = ask(&world, Question { industry: Some("17".into()), ..question(2) });
    assert_eq!(lines(&of_industry), [third]);
    let cut = ask(&world, Question { lines: 1, ..question(2) });
    assert_eq!((lines(&cut), cut.total), (vec![first], 3));
}

#[test]
fn a_municipality_is_one_and_what_a_province_governs_is_one() {
    let mut world = World::default();
    for (owner, division) in [(1, "500236"), (2, "500101"), (3, "429004"), (4, "429005"), (5, "441900"), (6, "420000")]
    {
        world.add("project", owner, &[("项目名称", "眼镜"), ("行政区划代码", division), ("行业代码", "3587")]);
    }
    let answer = ask(&world, question(1));
    let expected = [
        ("429000", "3587", vec![("429004", 1), ("429005", 1)]),
        ("500000", "3587", vec![("500101", 1), ("500236", 1)]),
        ("441900", "3587", vec![("441900", 1)]),
    ];
    assert_eq!(lines(&answer), expected);
    assert_eq!(answer.wide_place.records, 1);
    let governed = Question { region: Some(Region::parse("429000").expect("it stands for one")), ..question(2) };
    assert_eq!(lines(&ask(&world, governed)), expected[..1]);
}

#[test]
fn what_has_ended_states_nothing_and_a_retired_division_stands_for_its_successor() {
    let mut world = World::default();
    let of = |state| [("项目名称", "甲"), ("行政区划代码", "320323"), ("行业代码", "412"), ("阶段", state)];
    world.add("project", 1, &of("终止"));
    world.add("project", 1, &of("策划"));
    world.add("project", 1, &of("整治"));
    world.add(
        "demand",
        1,
        &[("类别", "招商"), ("名称", "乙"), ("行业代码", "4120"), ("行政区划代码", "320312"), ("期限", "2025-05-31")],
    );
    let answer = ask(&world, question(1));
    assert_eq!(lines(&answer), [("320300", "4120", vec![("320312", 2)])]);
    assert_eq!(answer.ended, 2, "dropped, and expired by time alone");
}

impl Answer {
    fn counted_in_all(&self) -> usize {
        let aside = [&self.without_industry, &self.wide_industry, &self.without_place, &self.wide_place];
        self.placed + self.ended + aside.iter().map(|sources| sources.records).sum::<usize>()
    }
}
