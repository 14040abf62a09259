//! Cold storage of five counties, and what must not be added.

use std::collections::BTreeSet;

use super::{DEMANDS, World, day, kind, titles};
use crate::kind::condition::Scope;
use crate::kind::{FieldType, KindSet};
use crate::survey::place::Region;
use crate::survey::pool::{Answer, Made, Pool, Question, topics};

fn question(counties_min: usize) -> Question {
    Question { region: None, words: None, counties_min, lines: 50, as_of_ms: day(2026, 7, 31) }
}

fn ask(world: &World, question: Question) -> Answer {
    let mut made = Made::new(question);
    world.each().for_each(|record| made.take(&record));
    let mut pools = made.into_pools();
    world.each().for_each(|record| pools.take(&record, KindSet::builtin()));
    pools.finish(KindSet::builtin())
}

fn sums(pool: &Pool) -> Vec<(&str, String, usize, usize, usize)> {
    pool.sums.iter().map(|sum| (sum.name.as_str(), sum.text(), sum.added, sum.soft, sum.left_out)).collect()
}

/// Counties of 商丘, each with what it needs.
const NEEDS: [(&str, &str, &str, &str, &str); 5] = [
    ("411426", "冷链", "食用菌冷库", "3000", "吨"),
    ("411425", "物流", "果蔬保鲜库", "0.2", "万吨"),
    ("411424", "配套设施", "冷藏库", "约1500.5", "吨"),
    ("411423", "冷链", "冷链仓储", "累计800", "吨"),
    ("411422", "冷链", "预冷与冷库", "5000", "立方米"),
];

fn world() -> World {
    let mut world = World::default();
    for (owner, (division, category, name, quantity, unit)) in (31..).zip(NEEDS) {
        let cells = [
            ("行政区划代码", division),
            ("需求类别", category),
            ("需求名称", name),
            ("数量", quantity),
            ("单位", unit),
        ];
        world.add("demand", owner, &cells);
    }
    world
}

#[test]
fn five_counties_cold_storage_adds_up_exactly() {
    let answer = ask(&world(), question(5));
    let [pool] = answer.pools.as_slice() else { panic!("one pool: {answer:?}") };
    assert_eq!(pool.topic.as_ref().map(|(name, ..)| name.as_str()), Some("cold_storage"));
    assert_eq!((pool.counties.len(), pool.needs, pool.without_figure), (5, 5, 0));
    let expected = [
        ("cold_storage_mass", "约6500.5吨".to_owned(), 3, 1, 1),
        ("cold_storage_volume", "5000立方米".to_owned(), 1, 0, 0),
    ];
    assert_eq!(sums(pool), expected, "soft is said, cumulative is not added, volume is no mass");
    assert_eq!(ask(&world(), question(6)).pools, []);
}

#[test]
fn the_draft_is_a_record_of_its_kind_and_names_every_source() {
    let world = world();
    let answer = ask(&world, question(5));
    let draft = answer.pools[0].draft.as_ref().expect("cold storage has a kind");
    let pooled = kind("pooled_need");
    let cells: Vec<(&str, &str)> = draft.fields.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let fields = super::fields(pooled, &cells);
    assert_eq!(pooled.validate_as(&fields, Scope::Author), []);
    assert!(pooled.withheld(&fields).is_none());
    assert_eq!(draft.fields["division_code"], "411400", "what the five have in common");
    assert_eq!(
        (draft.fields["cold_storage_mass"].as_str(), draft.fields["cold_storage_volume"].as_str()),
        ("约6500.5吨", "5000立方米")
    );
    assert_eq!((draft.fields["services"].as_str(), draft.without_division, draft.only_in_note), ("冷藏保鲜", false, 0));
    for place in 0..NEEDS.len() {
        let label = world.label(place);
        assert!(draft.fields["source"].contains(&label) && draft.fields["note"].contains(&label), "{label}");
    }
    assert!(
        draft.fields["note"].contains("累计800吨") && draft.fields["note"].contains("未计入"),
        "{}",
        draft.fields["note"]
    );
}

#[test]
fn what_a_pooled_need_is_made_of_is_not_added_again_while_it_counts() {
    let mut world = world();
    let draft = ask(&world, question(5)).pools[0].draft.clone().expect("a draft");
    let cells: Vec<(&str, &str)> = draft.fields.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    world.add("pooled_need", 1, &cells);
    let again = ask(&world, question(1));
    assert_eq!((again.pools.len(), again.already, again.made.records), (0, 5, 1));
    world.add(
        "demand",
        31,
        &[("行政区划代码", "411426"), ("需求类别", "冷链"), ("需求名称", "新冷库"), ("数量", "7"), ("单位", "座")],
    );
    let next = ask(&world, question(1));
    assert_eq!(sums(&next.pools[0]), [("quantity", "7座".to_owned(), 1, 0, 0)]);
    assert_eq!(next.pools[0].draft.as_ref().map(|draft| draft.only_in_note), Some(1), "the kind counts no buildings");
}

#[test]
fn a_countys_own_pooled_need_is_a_need_and_provinces_have_no_common_division() {
    let mut world = World::default();
    for (owner, division, mass) in [(31, "411426", "100"), (32, "500236", "0.01万吨")] {
        let cells = [
            ("行政区划代码", division),
            ("主要货品", "脐橙"),
            ("服务方式", "共仓;冷藏保鲜"),
            ("需要冷库容量", mass),
            ("拟争取资金", "10"),
        ];
        world.add("pooled_need", owner, &cells);
    }
    world.add(
        "demand",
        33,
        &[
            ("行政区划代码", "500235"),
            ("需求类别", "冷链"),
            ("需求名称", "冷库"),
            ("需求金额", "2000000元"),
            ("单位", "吨"),
        ],
    );
    let answer = ask(&world, question(2));
    let pool = &answer.pools[0];
    assert_eq!(
        sums(pool),
        [("cold_storage_mass", "200吨".to_owned(), 2, 0, 0), ("funds_sought", "220万元".to_owned(), 3, 0, 0)]
    );
    let draft = pool.draft.as_ref().expect("a draft");
    assert!(draft.without_division && !draft.fields.contains_key("division_code"));
    assert_eq!(draft.fields["goods"], "冷库、脐橙");
    let within = Question { region: Some(Region::parse("重庆").expect("a region")), ..question(1) };
    assert_eq!(sums(&ask(&world, within).pools[0])[0].1, "100吨");
}

#[test]
fn other_needs_are_pooled_by_category_and_group_of_industries() {
    let mut world = World::default();
    world.import("demand", DEMANDS);
    let cells = |division, code, quantity| {
        [
            ("行政区划代码", division),
            ("需求类别", "招商"),
            ("需求名称", "铸造"),
            ("行业代码", code),
            ("数量", quantity),
            ("单位", "家"),
        ]
    };
    world.add("demand", 41, &cells("430422", "3391", "5"));
    world.add("demand", 42, &cells("430421", "339", "不少于3"));
    let answer = ask(&world, question(2));
    let [pool] = answer.pools.as_slice() else { panic!("one pool") };
    assert_eq!(
        (pool.category.as_deref(), pool.industry.as_ref().map(|industry| industry.code.as_str())),
        (Some("招商"), Some("339"))
    );
    assert_eq!(
        sums(pool),
        [("quantity", "不少于8家".to_owned(), 2, 1, 0)],
        "the county of the samples let its demand expire"
    );
    assert!(pool.draft.is_none(), "there is no kind for it");
    assert!(answer.not_open > 10 && titles(&answer.without_subject).contains(&"创业人才回引"));
    assert_eq!(answer.already, 0);
    let words = |words: &str| ask(&world, Question { words: Some(words.into()), ..question(2) }).total;
    assert_eq!((words("铸造"), words("339"), words("冷库")), (1, 1, 0));
}

#[test]
fn the_file_of_topics_fits_the_kind() {
    let pooled = kind("pooled_need");
    let FieldType::Choice { choices } = &pooled.field_named("services").expect("a field").field_type else { panic!() };
    let services: BTreeSet<&String> = topics().topics.iter().map(|topic| &topic.service).collect();
    assert_eq!(services, choices.iter().collect::<BTreeSet<_>>(), "every service has one topic");
    for topic in &topics().topics {
        assert!(!topic.words.is_empty() && topic.fields.iter().all(|field| pooled.field_named(field).is_some()));
    }
    let of = |text: &str| topics().of_texts([text]).map(|topic| topic.name.as_str());
    assert_eq!(
        (of("果蔬 保鲜库"), of("共同配送"), of("标准厂房")),
        (Some("cold_storage"), Some("shared_delivery"), None)
    );
    assert!(topics().is_other("招商") && !topics().is_other("冷链"));
}
