use super::*;

const PARCEL: [(&str, &str); 6] = [
    ("土地用途", "工业用地"),
    ("符合国土空间规划", "是"),
    ("符合“三区三线”", "是"),
    ("土地状态", "熟地"),
    ("说明", "紧邻高速出口"),
    ("行政区划代码", "411426"),
];

fn parcel(id: u8, cells: &[(&str, &str)]) -> RecordState {
    let name = format!("{id}号地");
    let own = [("地块编号", name.as_str()), ("地块名称", name.as_str())];
    let given = |name: &str| cells.iter().any(|(other, _)| *other == name);
    let usual = PARCEL.iter().filter(|(name, _)| !given(name));
    record(id, "land_parcel", &own.iter().chain(usual).chain(cells).copied().collect::<Vec<_>>())
}

fn land_demand(id: u8, cells: &[(&str, &str)]) -> RecordState {
    let usual = [("需求类别", "土地厂房"), ("需求名称", "电芯项目用地"), ("行政区划代码", "411426")];
    let given = |name: &str| cells.iter().any(|(other, _)| *other == name);
    let usual = usual.into_iter().filter(|(name, _)| !given(name));
    record(id, "demand", &usual.chain(cells.iter().copied()).collect::<Vec<_>>())
}

fn names(reasons: &[RuledOut]) -> Vec<Exclusion> {
    reasons.iter().map(|ruled| ruled.reason).collect()
}

#[test]
fn land_that_is_enough_comes_before_land_of_another_industry() {
    let shelf = Shelf::of(vec![
        land_demand(1, &[("需要用地", "400"), ("行业代码", "3841")]),
        parcel(2, &[("面积", "476"), ("行业代码", "3841")]),
        parcel(3, &[("面积", "3000"), ("行业代码", "3841")]),
        parcel(4, &[("面积", "1950"), ("行业代码", "1713")]),
        parcel(5, &[("面积", "210"), ("行业代码", "3841")]),
        parcel(6, &[("面积", "450"), ("行业代码", "3842"), ("行政区划代码", "500236")]),
    ]);
    let found = shelf.found(1);
    assert_eq!(found[..2], [2, 3]);
    assert!(found.contains(&4) && found.contains(&6) && !found.contains(&5));
    let reasons = shelf.excluded(1, 5);
    assert_eq!(names(&reasons), [Exclusion::Area]);
    assert_eq!(reasons[0].sentence.zh, "用地不够：需要400亩，只有210亩");
    let matches = shelf.matches(1).expect("it can be matched");
    assert_eq!(matches.considered, 5);
    assert_eq!(matches.excluded_by, [(Exclusion::Area, 1)]);
    let best = &matches.found[0];
    assert_eq!(best.parts.iter().map(|part| part.part).sum::<u16>(), best.score);
    assert_eq!(part(best, Dimension::Industry).value, Some(1_000));
    assert_eq!(part(best, Dimension::Energy).value, None, "nobody says anything of energy");
    assert!(best.parts.iter().all(|part| !part.reason.zh.is_empty() && !part.reason.en.is_empty()));
}

#[test]
fn a_parcel_that_asks_for_more_investment_than_the_project_brings_is_excluded() {
    let project = [
        ("项目名称", "电芯一期"),
        ("行业代码", "3841"),
        ("计划投资", "4"),
        ("用地", "200"),
        ("行政区划代码", "411426"),
        ("阶段", "策划"),
    ];
    let shelf = Shelf::of(vec![
        record(1, "project", &project),
        parcel(2, &[("面积", "300"), ("最低投资强度", "300"), ("行业代码", "3841")]),
        parcel(3, &[("面积", "300"), ("最低投资强度", "200"), ("行业代码", "3841")]),
        parcel(4, &[("面积", "300"), ("行业代码", "3841")]),
        parcel(5, &[("面积", "300"), ("最低投资强度", "约210"), ("行业代码", "3841")]),
    ]);
    let found = shelf.found(1);
    assert_eq!(found.len(), 3, "two that it keeps or may keep, and one that does not say");
    let reasons = shelf.excluded(1, 2);
    assert_eq!(names(&reasons), [Exclusion::Intensity]);
    assert_eq!(reasons[0].sentence.zh, "投资强度200万元/亩，低于地块要求的300万元/亩");
    assert!(reasons[0].sentence.en.contains("200") && reasons[0].sentence.en.contains("300"));
}

#[test]
fn soft_figures_are_read_as_wide_as_they_are() {
    let shelf = Shelf::of(vec![
        land_demand(1, &[("需要用地", "约400")]),
        parcel(2, &[("面积", "370")]),
        parcel(3, &[("面积", "350")]),
        parcel(4, &[("面积", "300亩以上")]),
    ]);
    assert_eq!(shelf.found(1).len(), 2);
    assert_eq!(names(&shelf.excluded(1, 3)), [Exclusion::Area]);
}

#[test]
fn a_quantity_in_mu_is_land_that_is_looked_for() {
    let cells = [("需求类别", "招商"), ("需求名称", "电芯项目"), ("数量", "400"), ("单位", "亩")];
    let shelf =
        Shelf::of(vec![record(1, "demand", &cells), parcel(2, &[("面积", "399")]), parcel(3, &[("面积", "401")])]);
    assert_eq!(shelf.found(1), [3]);
}

#[test]
fn tickets_bound_what_is_asked_for_and_not_what_a_project_costs() {
    let fund = |id, cells: &[(&str, &str)]| {
        let usual = [("名称", "某基金"), ("机构类别", "市场派基金"), ("投资方向", "智能制造")];
        record(id, "fund", &usual.iter().chain(cells).copied().collect::<Vec<_>>())
    };
    let ask = [
        ("资金需求名称", "扩产资金"),
        ("所属项目", "XM1"),
        ("需求金额", "5000"),
        ("资金用途", "设备"),
        ("资金形式", "股权"),
        ("所处阶段", "成长期"),
    ];
    let shelf = Shelf::of(vec![
        record(1, "funding_need", &ask),
        record(2, "project", &[("项目名称", "大项目"), ("计划投资", "20"), ("阶段", "策划")]),
        fund(3, &[("单笔投资下限", "1000"), ("单笔投资上限", "6000")]),
        fund(4, &[("单笔投资上限", "3000")]),
        fund(5, &[("单笔投资下限", "8000")]),
        fund(6, &[("规模", "0.3")]),
        fund(7, &[]),
    ]);
    assert_eq!(shelf.found(1), [3, 7], "and the one of which nothing is known comes last");
    assert_eq!(names(&shelf.excluded(1, 4)), [Exclusion::TicketAbove]);
    assert_eq!(names(&shelf.excluded(1, 5)), [Exclusion::TicketBelow]);
    assert_eq!(names(&shelf.excluded(1, 6)), [Exclusion::Capacity]);
    let of_project = shelf.found(2);
    assert!([3, 4, 5, 6, 7].iter().all(|fund| of_project.contains(fund)), "{of_project:?}");
}

#[test]
fn what_is_over_is_excluded_and_cannot_ask() {
    let shelf = Shelf::of(vec![
        land_demand(1, &[]),
        land_demand(2, &[("期限", "2026-03-04")]),
        land_demand(3, &[("期限", "2026-03-05")]),
        land_demand(4, &[("状态", "已满足")]),
        parcel(5, &[("面积", "10"), ("土地状态", "已供应")]),
        parcel(6, &[("面积", "10"), ("符合国土空间规划", "否")]),
        parcel(7, &[("面积", "10")]),
        record(8, "county_profile", &[]),
    ]);
    assert_eq!(shelf.found(1), [7]);
    assert_eq!(names(&shelf.excluded(1, 5)), [Exclusion::Closed]);
    assert_eq!(names(&shelf.excluded(1, 6)), [Exclusion::Plan]);
    assert_eq!(names(&shelf.excluded(7, 2)), [Exclusion::Expired]);
    assert_eq!(shelf.matches(2).map(drop), Err(Unmatchable::Expired));
    assert!(shelf.matches(3).is_ok(), "its last day is today");
    assert_eq!(shelf.matches(4).map(drop), Err(Unmatchable::Closed));
    assert_eq!(shelf.matches(6).map(drop), Err(Unmatchable::Plan));
    assert!(shelf.catalogue.get(&EntryId([8; 32])).is_none(), "a county hall is not matched");
}

#[test]
fn what_a_category_is_for_decides_what_can_serve() {
    let resource = |id, category: &str, name: &str| record(id, "resource", &[("资源类别", category), ("名称", name)]);
    let shelf = Shelf::of(vec![
        land_demand(1, &[]),
        resource(2, "产业用地", "一期用地"),
        resource(3, "招商品牌", "金城招商"),
        resource(4, "配套设施", "水处理用地"),
        resource(5, "某某类", "某某"),
        resource(6, "金融产品", "人才贷"),
    ]);
    let mut found = shelf.found(1);
    found.sort_unstable();
    assert_eq!(found, [2, 4, 5], "what no rule knows is not excluded");
    assert_eq!(names(&shelf.excluded(1, 3)), [Exclusion::Need]);
    assert_eq!(shelf.excluded(1, 6)[0].sentence.zh, "供需对不上：一方找土地、厂房设施，另一方提供资金");
    assert_eq!(shelf.matches(3).map(drop), Err(Unmatchable::Need));
}

#[test]
fn regions_of_a_fund_exclude_and_what_only_a_note_says_counts_nothing() {
    let fund = |id, cells: &[(&str, &str)]| {
        let usual = [("名称", "某基金"), ("机构类别", "市场派基金")];
        record(id, "fund", &usual.iter().chain(cells).copied().collect::<Vec<_>>())
    };
    let project = |id, code: &str, division: &str| {
        let cells = [("项目名称", "某项目"), ("行业代码", code), ("行政区划代码", division), ("阶段", "策划")];
        record(id, "project", &cells)
    };
    let shelf = Shelf::of(vec![
        project(1, "2614", "411426"),
        project(2, "3841", "500236"),
        fund(3, &[("备注", "不投化工、钢铁，其他行业均可"), ("投资行业代码", "26;38")]),
        fund(4, &[("投资区域", "重庆市")]),
        fund(5, &[("备注", "仅限重庆市的项目")]),
        fund(6, &[("备注", "面向全国")]),
    ]);
    assert_eq!(names(&shelf.excluded(1, 4)), [Exclusion::Region]);
    assert_eq!(shelf.excluded(1, 4)[0].sentence.zh, "限于重庆市，对方在河南省商丘市夏邑县");
    let of = |subject: u8, other: u8, dimension| {
        let matches = shelf.matches(subject).expect("it can be matched");
        let found = matches.found.into_iter().find(|found| found.id == EntryId([other; 32])).expect("it was found");
        part(&found, dimension).clone()
    };
    let ruled_out = of(1, 3, Dimension::Industry);
    assert_eq!(ruled_out.value, Some(0));
    assert!(ruled_out.reason.zh.contains("明确排除"), "{}", ruled_out.reason.zh);
    assert_eq!(of(1, 5, Dimension::Region).value, Some(50));
    assert!(of(2, 5, Dimension::Region).value > Some(800) && of(1, 6, Dimension::Region).value > Some(800));
    assert_eq!(shelf.found(2).len(), 4);
}

#[test]
fn uses_of_land_admit_their_industries() {
    let shelf = Shelf::of(vec![
        land_demand(1, &[("行业代码", "3841")]),
        land_demand(2, &[]),
        parcel(3, &[("面积", "10"), ("土地用途", "商业服务业用地")]),
    ]);
    assert_eq!(names(&shelf.excluded(1, 3)), [Exclusion::Purpose]);
    assert_eq!(shelf.found(2), [3]);
}

#[test]
fn what_is_shared_comes_before_what_is_not() {
    let lab = |id, shared: &str| {
        let cells = [("名称", "研发平台"), ("类别", "研发平台"), ("建筑面积", "100"), ("县际共享", shared)];
        record(id, "facility", &[&cells[..], &[("行政区划代码", "411426")]].concat())
    };
    let cells = [("需求类别", "配套设施"), ("需求名称", "研发平台共享"), ("行政区划代码", "500236")];
    let shelf = Shelf::of(vec![record(1, "demand", &cells), lab(3, "否"), lab(4, "是"), lab(5, "")]);
    assert_eq!(shelf.found(1), [4, 5, 3]);
    let matches = shelf.matches(1).expect("it can be matched");
    assert_eq!(part(&matches.found[2], Dimension::Form).reason.zh, "不与外县共享");
}

#[test]
fn quotas_that_fields_state_exclude_and_those_of_notes_only_lower() {
    let shelf = Shelf::of(vec![
        record(
            1,
            "project",
            &[("项目名称", "再生铜"), ("年综合能耗", "60000"), ("阶段", "策划"), ("行政区划代码", "411426")],
        ),
        land_demand(2, &[("说明", "年综合能耗3万吨标煤，日排水约500吨")]),
        parcel(3, &[("面积", "300"), ("能耗指标", "20000"), ("污水排放指标", "800")]),
        parcel(4, &[("面积", "300"), ("能耗指标", "150000"), ("污水排放指标", "800")]),
    ]);
    assert_eq!(names(&shelf.excluded(1, 3)), [Exclusion::Energy]);
    assert_eq!(shelf.excluded(1, 3)[0].sentence.zh, "能耗指标不够：需要60000吨标煤，只有20000吨标煤");
    assert_eq!(shelf.found(1), [4]);
    assert_eq!(shelf.found(2), [4, 3]);
}

#[test]
fn what_helps_comes_behind_what_is_looked_for() {
    let cells = [("需求类别", "招商"), ("需求名称", "纺织企业"), ("行业代码", "17"), ("行政区划代码", "411426")];
    let project = [("项目名称", "织造"), ("行业代码", "1712"), ("阶段", "策划"), ("行政区划代码", "411426")];
    let shelf = Shelf::of(vec![
        record(1, "demand", &cells),
        record(2, "project", &project),
        parcel(3, &[("面积", "100"), ("行业代码", "1712")]),
        record(4, "expert", &[("姓名", "某"), ("专业领域", "经济政策")]),
    ]);
    assert_eq!(shelf.found(1), [2, 3]);
    assert_eq!(names(&shelf.excluded(1, 4)), [Exclusion::Need]);
}

#[test]
fn wanted_regions_come_before_nearness() {
    let target = |id, region: &str| {
        let cells = [("企业名称", "某企业"), ("行业代码", "3841"), ("所在区域", region)];
        record(id, "target_enterprise", &cells)
    };
    let cells = [
        ("需求类别", "招商"),
        ("需求名称", "电池企业"),
        ("行业代码", "3841"),
        ("目标区域", "长三角;珠三角"),
        ("行政区划代码", "411426"),
    ];
    let shelf = Shelf::of(vec![record(1, "demand", &cells), target(2, "京津冀"), target(3, "长三角")]);
    assert_eq!(shelf.found(1), [3, 2]);
    let matches = shelf.matches(1).expect("it can be matched");
    assert_eq!(part(&matches.found[0], Dimension::Region).reason.zh, "长三角，目标区域：长三角、珠三角");
}
