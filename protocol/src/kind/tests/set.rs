//! The set of kinds: the embedded files, their lint, and the lock on numbers.

use std::collections::BTreeMap;

use crate::kind::{FieldType, KIND_SET_VERSION, Kind, KindSet};

/// A kind that exists in no file: what a later version might add.
const HOMESTAY: &str = r#"
number = 9900
name = "homestay"
zh = "民宿"
en = "Homestay"
writers = ["agency"]
title = "name"
external = "homestay_number"

[[field]]
number = 1
name = "homestay_number"
zh = "民宿编号"
en = "Homestay number"
type = "text"

[[field]]
number = 2
name = "name"
zh = "民宿名称"
en = "Name"
type = "text"
obligatory = true
"#;

fn refused(content: &str) -> String {
    KindSet::parse(&[("homestay.toml", content)]).expect_err("the file breaks a rule").to_string()
}

#[test]
fn the_built_in_set_is_found_by_number_and_by_either_name() {
    let set = KindSet::builtin();
    assert_eq!(KIND_SET_VERSION, 1);
    for (number, name, zh) in [
        (100, "member", "成员"),
        (101, "resource", "资源"),
        (102, "demand", "需求"),
        (103, "project", "项目"),
        (104, "fund", "基金"),
        (105, "contact", "联系人"),
    ] {
        let kind = set.kind(number).expect("the number is there");
        assert_eq!((kind.name(), kind.zh()), (name, zh));
        assert_eq!(set.kind_named(name).map(Kind::number), Some(number));
        assert_eq!(set.kind_named(zh).map(Kind::number), Some(number));
    }
    assert!(set.kind_named("合同").is_none() && set.kind(99).is_none());
}

#[test]
fn each_kind_knows_its_writers_title_number_and_facets() {
    for kind in KindSet::builtin().kinds() {
        assert!(kind.title_field().obligatory, "{}", kind.name());
        assert_eq!(kind.external_field().field_type, FieldType::Text);
        assert!(kind.facets().count() > 0);
    }
    let set = KindSet::builtin();
    let fund = set.kind_named("基金").expect("built in");
    assert!(fund.may_write("fund") && !fund.may_write("county") && !fund.may_write("nobody"));
    let resource = set.kind_named("resource").expect("built in");
    assert_eq!(resource.member_field().map(|field| field.zh.as_str()), Some("成员编号"));
    assert_eq!(resource.field_named("面积（亩）"), resource.field_named("area"));
    assert_eq!(resource.field_named("县(市、区)").map(|field| field.name.as_str()), Some("place"));
}

#[test]
fn the_hash_covers_names_and_contents_and_not_the_order_or_the_line_ends() {
    let files = KindSet::builtin_files();
    let built_in = KindSet::builtin().hash();
    let reversed: Vec<_> = files.iter().rev().copied().collect();
    assert_eq!(KindSet::parse(&reversed).expect("the same files").hash(), built_in);
    let windows: Vec<_> = files.iter().map(|(name, content)| (*name, content.replace('\n', "\r\n"))).collect();
    let windows: Vec<_> = windows.iter().map(|(name, content)| (*name, content.as_str())).collect();
    assert_eq!(KindSet::parse(&windows).expect("the same files").hash(), built_in);
    let renamed: Vec<_> =
        files.iter().map(|(name, content)| (name.strip_suffix("fund.toml").unwrap_or(name), *content)).collect();
    assert_ne!(KindSet::parse(&renamed).expect("the same contents").hash(), built_in);
}

#[test]
fn adding_a_kind_is_adding_a_file() {
    let files: Vec<_> = KindSet::builtin_files().iter().copied().chain([("homestay.toml", HOMESTAY)]).collect();
    let set = KindSet::parse(&files).expect("the file is good");
    assert_eq!(set.kind_named("民宿").map(Kind::number), Some(9900));
    assert_eq!(set.kinds().count(), KindSet::builtin().kinds().count() + 1);
    assert_ne!(set.hash(), KindSet::builtin().hash());
}

#[test]
fn errors_name_the_file_the_field_and_the_rule() {
    let no_type = refused(&HOMESTAY.replacen("type = \"text\"", "type = \"txt\"", 1));
    assert_eq!(no_type, "homestay.toml: field `homestay_number`: `txt` is no type");
    let twice = refused(&HOMESTAY.replace("number = 2", "number = 1"));
    assert_eq!(twice, "homestay.toml: field `name`: number 1 is taken or retired");
    let retired = refused(&HOMESTAY.replace("number = 9900", "number = 9900\nretired = [2]"));
    assert_eq!(retired, "homestay.toml: field `name`: number 2 is taken or retired");
    assert!(refused(&HOMESTAY.replace("民宿名称", "民宿编号")).contains("already means another field"));
    assert!(refused(&HOMESTAY.replace("title = \"name\"", "title = \"nome\"")).contains("title names `nome`"));
    assert!(refused(&HOMESTAY.replace("number = 9900", "number = 99")).contains("belong to the system"));
    assert!(refused(&HOMESTAY.replace("agency", "bank")).contains("`bank`"));
    assert!(refused(&HOMESTAY.replace("obligatory", "mandatory")).starts_with("homestay.toml: TOML parse error"));
    assert!(refused(&HOMESTAY.replace("obligatory = true", "unit = \"亩\"")).contains("does not belong"));
    assert!(
        refused(&HOMESTAY.replace("obligatory = true", "obligatory = true\nreaders = \"local\""))
            .contains("obligatory")
    );
    let readers = refused(&HOMESTAY.replace("number = 9900", "number = 9900\nreaders = \"class:bank\""));
    assert!(readers.contains("readers `class:bank`"));
    assert!(refused("").contains("missing field"));
}

#[test]
fn two_kinds_do_not_share_a_number_or_a_name() {
    let files = [("one.toml", HOMESTAY), ("two.toml", HOMESTAY)];
    assert!(KindSet::parse(&files).expect_err("the name is taken").to_string().contains("two.toml: the name"));
    let other = HOMESTAY
        .replace("\"homestay\"", "\"course\"")
        .replace("\"民宿\"", "\"课程\"")
        .replace("\"Homestay\"", "\"Course\"");
    let error = KindSet::parse(&[("one.toml", HOMESTAY), ("two.toml", &other)]).expect_err("the number is taken");
    assert!(error.to_string().contains("number 9900 already belongs to `homestay`"));
}

/// Numbers are never used again and never change their meaning: the lock file repeats every one. A new field is added
/// to both; a field that goes is put on the `retired` list of its kind and stays in the lock file.
#[test]
fn numbers_names_and_types_are_as_locked() {
    let locked: BTreeMap<String, BTreeMap<String, toml::Value>> =
        toml::from_str(include_str!("../../../kinds/LOCK.toml")).expect("the lock file is TOML");
    let mut found = String::new();
    for kind in KindSet::builtin().kinds() {
        found.push_str(&format!("\n[{}]\nnumber = {}\n", kind.name(), kind.number()));
        for field in kind.fields() {
            found.push_str(&format!("{} = \"{}: {}\"\n", field.number, field.name, field.type_name()));
        }
    }
    let found: BTreeMap<String, BTreeMap<String, toml::Value>> = toml::from_str(&found).expect("written just now");
    for (name, kind) in &locked {
        for (number, field) in kind.iter().filter(|(_, field)| field.as_str() != Some("retired")) {
            let now = found.get(name).and_then(|kind| kind.get(number));
            assert_eq!(now, Some(field), "{name} {number} is locked");
        }
    }
    for (name, kind) in &found {
        for (number, field) in kind {
            let lock = locked.get(name).and_then(|kind| kind.get(number));
            assert_eq!(lock, Some(field), "{name} {number} is not in kinds/LOCK.toml");
        }
    }
}
