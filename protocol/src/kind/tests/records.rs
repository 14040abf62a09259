//! Records judged by their kind, and what must not leave the node.

use std::collections::{BTreeMap, BTreeSet};

use super::kind;
use crate::identity::EntryId;
use crate::kind::{Kind, Rule, RuleBroken};
use crate::value::{Number, NumberFlags, Value};

fn fields(kind: &Kind, cells: &[(&str, &str)]) -> BTreeMap<u16, Value> {
    let cells = cells.iter().map(|(name, text)| {
        let field = kind.field_named(name).expect("the kind has the field");
        (field.number, field.parse(text).expect("the cell is good").expect("the cell is not blank"))
    });
    cells.collect()
}

fn demand() -> BTreeMap<u16, Value> {
    fields(kind("demand"), &[("名称", "军工系上下游企业"), ("类别", "招商"), ("行业代码", "2641;181")])
}

fn rules(broken: &[RuleBroken]) -> Vec<(u16, &'static str)> {
    broken.iter().map(|broken| (broken.field, broken.rule.id())).collect()
}

#[test]
fn a_whole_record_needs_its_obligatory_fields_and_a_revision_does_not() {
    let kind = kind("demand");
    assert_eq!(kind.validate(&demand()), []);
    let mut partial = demand();
    partial.remove(&6);
    assert_eq!(rules(&kind.validate(&partial)), [(6, "field-missing")]);
    assert_eq!(kind.validate_revision(&partial, &BTreeSet::new()), []);
    assert_eq!(rules(&kind.validate_revision(&partial, &BTreeSet::from([6]))), [(6, "field-missing")]);
}

#[test]
fn values_must_have_the_type_unit_and_table_of_their_field() {
    let kind = kind("demand");
    let with = |number: u16, value: Value| {
        let mut fields = demand();
        fields.insert(number, value);
        rules(&kind.validate(&fields))
    };
    let code = |table: &str, code: &str| Value::Code { table: table.into(), code: code.into() };
    assert_eq!(with(6, Value::Boolean(true)), [(6, "type-mismatch")]);
    assert_eq!(with(3, code("gbt2260", "999999")), [(3, "code-unknown")]);
    assert_eq!(with(3, code("gbt4754", "0153")), [(3, "type-mismatch")]);
    assert_eq!(with(7, code("gbt4754", "0153")), [(7, "type-mismatch")]);
    let mixed = Value::List { element: 6, values: vec![code("gbt4754", "0153"), code("gbt4754", "x")] };
    assert_eq!(with(7, mixed), [(7, "code-unknown")]);
    let acres = Value::Quantity { number: Number::plain(5.into()), unit: "英亩".into() };
    assert_eq!(with(18, acres), [(18, "type-mismatch")]);
    let gold = Value::Money { number: Number::plain(5.into()), currency: *b"XAU" };
    assert_eq!(with(17, gold), [(17, "type-mismatch")]);
    assert_eq!(with(14, Value::Unknown { value_type: 99, bytes: vec![1] }), [(14, "type-mismatch")]);
}

#[test]
fn a_number_as_given_may_not_say_another_number() {
    let kind = kind("demand");
    let amount = |given: &str, flags: NumberFlags| {
        let mut fields = demand();
        let number = Number::new(flags, 50_000_000.into(), given);
        fields.insert(17, Value::Money { number, currency: *b"CNY" });
        rules(&kind.validate(&fields))
    };
    assert_eq!(amount("5000万元", NumberFlags::default()), []);
    assert_eq!(amount("约 5,000 万元", NumberFlags::ABOUT), []);
    assert_eq!(amount("9000万元", NumberFlags::default()), [(17, "given-mismatch")]);
    assert_eq!(amount("5000万元", NumberFlags::ABOUT), [(17, "given-mismatch")]);
    assert_eq!(amount("", NumberFlags::ABOUT), [(17, "given-mismatch")]);
    assert_eq!(amount("五千万元整", NumberFlags::default()), []);
}

#[test]
fn choices_are_closed() {
    let kind = kind("member");
    let mut fields = fields(kind, &[("名称", "奉节县"), ("成员类别", "县域政府类")]);
    assert_eq!(kind.validate(&fields), []);
    fields.insert(4, Value::Choice("公司".into()));
    assert_eq!(rules(&kind.validate(&fields)), [(4, "choice-unknown")]);
}

#[test]
fn contacts_are_refused_on_every_path() {
    let kind = kind("demand");
    let mut fields = demand();
    fields.insert(25, Value::Text("023-12345678".into()));
    let broken = kind.validate(&fields);
    assert_eq!(rules(&broken), [(25, "field-local")]);
    assert!(!broken[0].zh.contains("12345678") && broken[0].value.is_empty());
    assert_eq!(kind.validate_revision(&fields, &BTreeSet::new())[0].rule, Rule::FieldLocal);
}

#[test]
fn fields_of_newer_software_are_no_error() {
    let kind = kind("demand");
    let mut fields = demand();
    fields.insert(4_000, Value::Unknown { value_type: 77, bytes: vec![1, 2] });
    fields.insert(4_001, Value::Reference(EntryId([1; 32])));
    assert_eq!(kind.validate(&fields), []);
    assert_eq!(kind.title(&fields), "军工系上下游企业");
}

#[test]
fn what_is_marked_secret_personal_or_not_to_be_shared_stays() {
    let demand_kind = kind("demand");
    assert_eq!(demand_kind.withheld(&demand()), None);
    for note in ["敏感：军工内容不宜全网公开", "敏感:待定", "本条 涉 密", "不宜公开"] {
        let mut fields = demand();
        fields.insert(15, Value::Text(note.into()));
        assert_eq!(demand_kind.withheld(&fields).map(|withheld| withheld.field), Some(15), "{note}");
    }
    let tagged = fields(demand_kind, &[("名称", "配套企业"), ("类别", "招商"), ("行业", "机械;军工")]);
    assert_eq!(demand_kind.withheld(&tagged).map(|withheld| withheld.field), Some(8));
    let resource_kind = kind("resource");
    let resource = |cells: &[(&str, &str)]| resource_kind.withheld(&fields(resource_kind, cells));
    assert!(resource(&[("名称", "企业家资源库"), ("可共享", "否")]).is_some());
    assert_eq!(resource(&[("名称", "招商知识库"), ("可共享", "是")]), None);
    assert_eq!(resource(&[("名称", "计算机密集型园区"), ("说明", "临近生态敏感区")]), None);
    let mut unknown = demand();
    unknown.insert(4_000, Value::Text("国家秘密".into()));
    assert!(demand_kind.withheld(&unknown).is_some());
}
