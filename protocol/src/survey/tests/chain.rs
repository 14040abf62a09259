//! The textile chain of the samples, and chains that say less.

use super::{PROJECTS, RESOURCES, World, day, titles};
use crate::survey::chain::{Answer, Atlas, Chain, Question, Stated, Verdict};
use crate::survey::place::{Nearness, Region};

fn ask(world: &World, region: Option<&str>, chain: Option<&str>) -> Answer {
    let region = region.map(|text| Region::parse(text).expect("a region"));
    let chain = chain.map(str::to_owned);
    let mut atlas = Atlas::new(Question { region, chain, lines: 50, as_of_ms: day(2026, 7, 31) });
    world.each().for_each(|record| atlas.take(&record));
    let mut evidence = atlas.into_evidence();
    world.each().for_each(|record| evidence.take(&record, world));
    evidence.finish()
}

fn verdicts(chain: &Chain) -> Vec<(&str, Verdict, usize, usize)> {
    let links = chain.links.iter();
    links.map(|link| (link.name.as_str(), link.verdict, link.here.records, link.planned.records)).collect()
}

fn chain(world: &mut World, number: &str, division: &str, name: &str, cells: &[(&str, &str)]) {
    let named = [("产业链编号", number), ("产业链名称", name), ("行政区划代码", division)];
    world.add("industry_chain", 2, &[&named[..], cells].concat());
}

/// Xiayi with its textile chain, and two other counties.
fn world() -> World {
    let mut world = World::default();
    world.import("project", PROJECTS);
    world.import("resource", RESOURCES);
    let nodes = [
        ("环节名称", "化纤;纺纱;织布;印染;服装;家纺;纺织机械"),
        ("环节状态", "缺;弱;弱;强;弱;弱;缺"),
        ("环节行业代码", "282;1711;1712;1713;18;177;3551"),
        ("环节关联", "化纤>纺纱;纺纱>织布;织布>印染;印染>服装;印染>家纺"),
    ];
    chain(&mut world, "CL001", "411426", "纺织产业链", &nodes);
    let there = [("环节名称", "化纤;纺纱"), ("环节状态", "强;弱"), ("环节行业代码", "282;1711")];
    chain(&mut world, "CL9", "430482", "纺织链", &there);
    world.add(
        "project",
        31,
        &[("项目名称", "涤纶"), ("行政区划代码", "411425"), ("行业代码", "2822"), ("阶段", "投产")],
    );
    world.add(
        "project",
        32,
        &[("项目名称", "涤纶二"), ("行政区划代码", "410122"), ("行业代码", "2822"), ("阶段", "在谈")],
    );
    let firm = [("目标企业编号", "MB1"), ("企业名称", "某化纤"), ("行业代码", "2822"), ("所属产业链", "CL001")];
    world.add("target_enterprise", 2, &firm);
    world
}

#[test]
fn a_county_sees_which_links_it_lacks_and_who_near_it_has_them() {
    let answer = ask(&world(), Some("夏邑县"), None);
    let [chain] = answer.chains.as_slice() else { panic!("one chain: {answer:?}") };
    assert_eq!((chain.name.as_str(), chain.here.records, chain.elsewhere, chain.targets), ("纺织产业链", 1, 1, 1));
    let expected = [
        ("化纤", Verdict::Missing, 0, 0),
        ("纺纱", Verdict::Present, 1, 1),
        ("织布", Verdict::Present, 1, 1),
        ("印染", Verdict::Present, 4, 1),
        ("服装", Verdict::Present, 1, 1),
        ("家纺", Verdict::Present, 1, 1),
        ("纺织机械", Verdict::Missing, 0, 0),
    ];
    assert_eq!(
        verdicts(chain),
        expected,
        "the parks are there, the projects are planned; where a resource has no code its name decides"
    );
    let fibre = &chain.links[0];
    assert_eq!(fibre.industry.as_ref().map(|industry| industry.name.as_str()), Some("合成纤维制造"));
    assert_eq!(
        (fibre.stated, &fibre.before, &fibre.behind),
        (Stated { missing: 1, ..Stated::default() }, &vec![], &vec!["纺纱".to_owned()])
    );
    let near: Vec<_> = fibre
        .elsewhere
        .iter()
        .map(|there| (there.county.code.as_str(), there.nearness, there.sources.records, there.stated.strong))
        .collect();
    assert_eq!(near, [("411425", Nearness::Prefecture, 1, 0), ("430482", Nearness::Elsewhere, 0, 1)]);
    assert_eq!(fibre.elsewhere_total, 2, "talks in a third county show nothing yet");
    assert!(chain.links[3].elsewhere.is_empty(), "nobody need be told where else it is");
    assert_eq!(fibre.targets.records, 0, "the firm's record names no place");
}

#[test]
fn a_prefecture_and_the_federation_are_looked_at_as_wholes() {
    let world = world();
    let prefecture = ask(&world, Some("商丘市"), Some("纺织"));
    assert_eq!(verdicts(&prefecture.chains[0])[0], ("化纤", Verdict::Present, 1, 0), "a neighbour has it");
    let whole = ask(&world, None, None);
    let chain = &whole.chains[0];
    assert_eq!((chain.here.records, chain.elsewhere), (2, 0));
    assert_eq!(verdicts(chain)[0], ("化纤", Verdict::Present, 1, 1));
    assert_eq!(chain.links[0].stated, Stated { strong: 1, weak: 0, missing: 1 });
    assert_eq!(verdicts(chain)[6].1, Verdict::Missing, "nobody makes the machines");
}

#[test]
fn a_place_without_the_chain_looks_at_what_others_name() {
    let answer = ask(&world(), Some("410122"), Some("纺织链"));
    let chain = &answer.chains[0];
    assert_eq!((chain.here.records, chain.elsewhere, chain.links.len()), (0, 2, 7));
    assert_eq!(verdicts(chain)[0], ("化纤", Verdict::Planned, 0, 1));
    let near: Vec<_> =
        chain.links[0].elsewhere.iter().map(|there| (there.county.code.as_str(), there.nearness)).collect();
    assert_eq!(near, [("411425", Nearness::Province), ("430482", Nearness::Elsewhere)]);
    assert_eq!(ask(&world(), Some("410122"), None).chains, [], "it has no chain of its own");
    assert_eq!(ask(&world(), None, Some("航天")).chains, []);
}

#[test]
fn where_no_code_is_given_names_decide() {
    let mut world = World::default();
    chain(&mut world, "CL1", "411426", "食用菌产业", &[("环节名称", "菌种;菌棒;冷藏;售"), ("环节状态", "缺;缺;弱;强")]);
    let place = ("行政区划代码", "411426");
    world.add("resource", 2, &[("资源类别", "厂房"), ("名称", "标准化菌棒厂"), place]);
    world.add("resource", 2, &[("资源类别", "园区"), ("名称", "菌种冷藏园"), place, ("状态", "停用")]);
    world.add("project", 2, &[("项目名称", "售后中心"), place, ("主要产品", "菌 种")]);
    let case =
        [("基金编号", "JJ1"), ("被投企业或项目", "某冷藏物流"), place, ("投资金额", "1"), ("投资日期", "2025-01-01")];
    world.add("investment_case", 5, &case);
    world.add("investment_case", 5, &[&case[..], &[("退出日期", "2026-01-01")]].concat());
    world.add("project", 2, &[("项目名称", "菌棒"), ("县（市、区）", "无此县")]);
    let answer = ask(&world, None, None);
    let chain = &answer.chains[0];
    let expected = [
        ("菌种", Verdict::Present, 1, 0),
        ("菌棒", Verdict::Present, 1, 0),
        ("冷藏", Verdict::Present, 1, 0),
        ("售", Verdict::Missing, 0, 0),
    ];
    assert_eq!(verdicts(chain), expected, "one character is no name");
    assert_eq!(titles(&chain.links[2].here), ["某冷藏物流"]);
    assert_eq!(chain.links[1].stated.missing, 1, "what the county says stands beside what records show");
    assert_eq!(titles(&answer.evidence_without_place), ["菌棒"]);
}
