//! Screening.

use std::collections::BTreeMap;

use super::kind;
use crate::kind::filter::{Answer, Filter, FilterError};
use crate::value::Value;

fn ask(kind_name: &str, cells: &[(&str, &str)], condition: &str) -> Answer {
    let kind = kind(kind_name);
    let fields: BTreeMap<u16, Value> = cells
        .iter()
        .map(|(name, text)| {
            let field = kind.field_named(name).expect("the kind has the field");
            (field.number, field.parse(text).expect("the cell is good").expect("the cell is not blank"))
        })
        .collect();
    Filter::parse(kind, condition).expect("the condition is good").evaluate(&fields)
}

#[test]
fn money_is_compared_exactly_whatever_its_unit() {
    let fund = [("单笔投资上限", "1亿元"), ("规模", "约30")];
    for (condition, wanted) in [
        ("单笔投资上限>=5000万元", Answer::Match),
        ("ticket_max >= 5000", Answer::Match),
        ("Largest ticket<1亿元", Answer::NoMatch),
        ("单笔投资上限（万元）＝10000", Answer::Match),
        ("单笔投资上限≤1亿", Answer::Match),
        ("规模!=30亿元", Answer::NoMatch),
        ("规模>30亿元", Answer::NoMatch),
        ("规模>300万美元", Answer::Unknown),
        ("单笔投资下限>=1", Answer::Unknown),
        ("单笔投资下限!=1", Answer::Unknown),
    ] {
        assert_eq!(ask("fund", &fund, condition), wanted, "{condition}");
    }
}

#[test]
fn lists_hold_elements_and_codes_belong_to_groups() {
    let resource = [
        ("行业代码", "3841;181"),
        ("行业", "锂离子电池制造;机织服装制造"),
        ("行政区划代码", "430422"),
        ("可共享", "是"),
    ];
    for (condition, wanted) in [
        ("industry_codes=38", Answer::Match),
        ("行业代码=C", Answer::Match),
        ("行业代码=A", Answer::NoMatch),
        ("行业代码!=38", Answer::NoMatch),
        ("行业代码~电池", Answer::Match),
        ("行业=机织服装制造", Answer::Match),
        ("行业=服装", Answer::NoMatch),
        ("行业~服装", Answer::Match),
        ("行政区划代码=430000", Answer::Match),
        ("行政区划代码=430400", Answer::Match),
        ("行政区划代码=410000", Answer::NoMatch),
        ("可共享=是", Answer::Match),
        ("可共享!=true", Answer::NoMatch),
        ("状态=规划", Answer::Unknown),
    ] {
        assert_eq!(ask("resource", &resource, condition), wanted, "{condition}");
    }
}

#[test]
fn dates_are_compared_as_finely_as_asked() {
    let demand = [("期限", "2025-12-31")];
    for (condition, wanted) in [
        ("期限=2025", Answer::Match),
        ("期限<=2025", Answer::Match),
        ("期限>2025", Answer::NoMatch),
        ("期限>=2025-12", Answer::Match),
        ("期限<2025-12-31", Answer::NoMatch),
        ("期限>2024-12-31", Answer::Match),
    ] {
        assert_eq!(ask("demand", &demand, condition), wanted, "{condition}");
    }
    assert_eq!(ask("demand", &[("期限", "2025")], "期限<2025-06-01"), Answer::Unknown);
    assert_eq!(ask("demand", &[("期限", "2025")], "期限<2026-06-01"), Answer::Match);
}

#[test]
fn what_cannot_be_read_says_why() {
    let fund = kind("fund");
    let error = |condition: &str| Filter::parse(fund, condition).expect_err("the condition is wrong");
    assert!(matches!(error("规模"), FilterError::Operator { .. }));
    assert!(matches!(error("颜色=红"), FilterError::Field { .. }));
    assert!(error("颜色=红").to_string().contains("规模"));
    assert!(!error("颜色=红").to_string().contains("联系电话"));
    assert!(matches!(error("名称>5"), FilterError::Order { .. }));
    assert!(matches!(error("规模>="), FilterError::Value { .. }));
    assert!(matches!(error("名称~ "), FilterError::Value { .. }));
    assert!(matches!(error("规模>=很多"), FilterError::Broken(_)));
}
