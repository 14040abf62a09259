//! What is found, listed and shown.

use std::collections::{BTreeMap, BTreeSet};

use protocol::identity::MemberNumber;
use protocol::kind::{KIND_SET_VERSION, KindSet};
use protocol::statement::Statement;
use protocol::value::Value;

use super::super::error::RecordError;
use super::super::externals::Externals;
use super::super::find::find;
use super::super::history::history;
use super::super::list::{Cursor, Query, Withdrawn, page};
use super::world::{World, demand, texts};
use crate::api::types::{CreateRecord, RecordList};
use crate::core::now_ms;

impl World {
    fn found(&self, reference: &str) -> Result<String, &'static str> {
        let found = find(&self.core, KindSet::builtin(), reference);
        found.map(|id| id.to_string()).map_err(|error: RecordError| error.code())
    }

    fn page(&self, limit: usize, after: Option<&str>) -> RecordList {
        let after = after.map(|cursor| Cursor::read(cursor).expect("a page gave it out"));
        page(&self.core, KindSet::builtin(), &Query { limit, after, ..Query::default() })
    }
}

fn said(text: &str) -> Statement {
    let fields = BTreeMap::from([(5, Value::Text("招商".into())), (6, Value::Text(text.into()))]);
    Statement::create([0; 16], KIND_SET_VERSION, Some(text.into()), fields)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_goes_by_id_label_and_own_number() {
    let world = World::new().await;
    let id = world.create(demand("XQ001", &[])).await.to_string();
    let same_number = CreateRecord {
        kind: "resource".into(),
        external: Some("XQ002".into()),
        fields: texts(&[("名称", "标准厂房"), ("类别", "厂房")]),
        readers: None,
        parties: None,
    };
    let resource = world.create(same_number).await.to_string();
    world.create(demand("XQ002", &[])).await;
    for reference in [&id, &id[..8], &id.to_uppercase(), "2-1", "XQ001", " XQ001 ", "demand:XQ001", "需求：XQ001"] {
        assert_eq!(world.found(reference), Ok(id.clone()), "{reference}");
    }
    assert_eq!(world.found("XQ002"), Err("ambiguous"));
    assert_eq!(world.found("resource:XQ002"), Ok(resource));
    for reference in ["", "XQ009", "2-9", "2-0", "7-1", &id[..7], &"0".repeat(64)] {
        assert_eq!(world.found(reference), Err("not-found"), "{reference}");
    }
    let error = find(&world.core, KindSet::builtin(), "XQ002").expect_err("two records have it");
    assert_eq!(error.problem().details.len(), 2);
    // Another member's own numbers are not this member's.
    world.arrives(None, now_ms(), 102, &said("XQ003")).await;
    assert_eq!(world.found("XQ003"), Err("not-found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_dated_in_the_future_is_not_shown() {
    let world = World::new().await;
    let entry = world.arrives(None, now_ms() + 3_600_000, 102, &said("明天")).await;
    assert_eq!(world.found(&entry.id().to_string()), Err("not-found"));
    assert_eq!(world.found("3-1"), Err("not-found"));
    assert!(world.list(None, &[]).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_neither_repeat_nor_skip_while_entries_arrive() {
    let world = World::new().await;
    for index in 0..5 {
        world.create(demand(&format!("XQ{index}"), &[])).await;
    }
    let first = world.arrives(None, now_ms(), 102, &said("一")).await;
    let labels = |list: &RecordList| list.records.iter().map(|one| one.record.label.clone()).collect::<Vec<_>>();
    let page_one = world.page(2, None);
    assert_eq!(labels(&page_one), ["2-5", "2-4"]);
    world.create(demand("XQ5", &[])).await;
    world.arrives(Some(&first), now_ms(), 102, &said("二")).await;
    let page_two = world.page(2, page_one.next.as_deref());
    assert_eq!(labels(&page_two), ["2-3", "2-2"]);
    let page_three = world.page(2, page_two.next.as_deref());
    assert_eq!(labels(&page_three), ["2-1", "3-2"]);
    let last = world.page(2, page_three.next.as_deref());
    assert_eq!(labels(&last), ["3-1"]);
    assert_eq!(last.next, None);
    assert_eq!(world.page(8, None).next, None, "a page that holds everything is the last");
    assert_eq!(Cursor::read("zz"), Err(RecordError::Cursor));
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_keep_what_is_unknown_and_say_so() {
    let world = World::new().await;
    world.create(demand("小", &[("金额", "100万元")])).await;
    world.create(demand("大", &[("金额", "约2亿元")])).await;
    world.create(demand("未知", &[])).await;
    let found = world.list(Some("demand"), &["金额>=5000万元"]);
    let found: Vec<_> = found.iter().map(|one| (one.record.external.as_deref(), one.unknown.as_slice())).collect();
    assert_eq!(found, [(Some("未知"), ["amount".to_owned()].as_slice()), (Some("大"), [].as_slice())]);
    let wrong = |kind: Option<&str>, condition: &str| {
        let query = Query::parse(KindSet::builtin(), kind, &[condition.to_owned()]);
        query.expect_err("it is wrong").code()
    };
    assert_eq!(wrong(None, "金额>=1"), "filter-kind");
    assert_eq!(wrong(Some("demand"), "颜色=红"), "filter");
    assert_eq!(wrong(Some("颜色"), "金额>=1"), "kind-unknown");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_narrowed_by_kind_owner_and_withdrawal() {
    let world = World::new().await;
    let gone = world.create(demand("XQ001", &[])).await;
    world.create(demand("XQ002", &[])).await;
    world.arrives(None, now_ms(), 102, &said("别县")).await;
    world.withdraw(gone, Some("已落地")).await.expect("it is its own");
    let count = |query: Query| page(&world.core, KindSet::builtin(), &Query { limit: 50, ..query }).records.len();
    assert_eq!(count(Query::default()), 2);
    assert_eq!(count(Query { withdrawn: Withdrawn::Include, ..Query::default() }), 3);
    assert_eq!(count(Query { withdrawn: Withdrawn::Only, ..Query::default() }), 1);
    assert_eq!(count(Query { owner: Some(MemberNumber(3)), ..Query::default() }), 1);
    assert_eq!(count(Query { owner: Some(MemberNumber(9)), ..Query::default() }), 0);
    assert_eq!(count(Query { kind: Some(101), ..Query::default() }), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_newer_software_wrote_is_shown_by_number() {
    let world = World::new().await;
    let fields =
        BTreeMap::from([(23, Value::Text("新字段".into())), (24, Value::Unknown { value_type: 99, bytes: vec![1] })]);
    let new_kind = Statement::create([0; 16], KIND_SET_VERSION, None, fields.clone());
    let first = world.arrives(None, now_ms(), 9_999, &new_kind).await;
    let new_set = Statement::create([0; 16], 7, None, said("名").fields);
    let second = world.arrives(Some(&first), now_ms(), 102, &new_set).await;
    let broken =
        Statement::create([0; 16], KIND_SET_VERSION, None, BTreeMap::from([(4_000, Value::Text("多".into()))]));
    world.arrives(Some(&second), now_ms(), 102, &broken).await;
    let shown = world.list(None, &[]);
    let [broken, new_set, new_kind] = [&shown[0].record, &shown[1].record, &shown[2].record];
    assert_eq!((new_kind.kind.as_str(), new_kind.update_needed), ("kind-9999", true));
    assert_eq!(new_kind.fields[0].name, "field-23");
    assert_eq!(new_kind.fields[0].value, "新字段");
    assert!(new_set.update_needed && new_set.problems.is_empty());
    assert!(!broken.update_needed);
    assert_eq!(broken.problems.iter().map(|problem| problem.code.as_str()).collect::<Vec<_>>(), ["field-missing"; 2]);
    assert_eq!(world.list(Some("9999"), &[]).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_tells_what_changed() {
    let world = World::new().await;
    let id = world.create(demand("XQ001", &[("备注", "旧"), ("金额", "1亿元")])).await;
    world.revise(id, &[("备注", "新")], &["金额"]).await.expect("it is in order");
    world.withdraw(id, Some("已落地")).await.expect("it is its own");
    let items = history(&world.core, KindSet::builtin(), &id).expect("it is there");
    let operations: Vec<_> = items.iter().map(|item| item.operation.as_str()).collect();
    assert_eq!(operations, ["create", "revise", "withdraw"]);
    assert_eq!(items[0].changes.len(), 5);
    let changes: Vec<_> = items[1]
        .changes
        .iter()
        .map(|change| (change.name.as_str(), change.before.as_deref(), change.after.as_deref()))
        .collect();
    assert_eq!(changes, [("note", Some("旧"), Some("新")), ("amount", Some("1亿元"), None)]);
    assert_eq!(items[2].reason.as_deref(), Some("已落地"));
    assert_eq!(items[2].author.name, "奉节县");
    assert!(items[2].changes.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn own_numbers_come_with_the_exact_bytes() {
    let world = World::new().await;
    for index in 0..150 {
        world.create(demand(&format!("XQ{index:03}"), &[("金额", "约1.5亿元")])).await;
    }
    world.create(demand("", &[])).await;
    world.arrives(None, now_ms(), 102, &said("XQ900")).await;
    let mut externals = Externals::new(&world.core, 102).expect("it is a member");
    let mut found = Vec::new();
    let mut pieces = 0;
    while let Some(piece) = externals.next_piece(&world.core) {
        found.extend(piece);
        pieces += 1;
    }
    assert!(pieces > 1, "a long answer comes in pieces");
    let numbers: BTreeSet<_> = found.iter().map(|one| one.external.clone()).collect();
    assert_eq!((found.len(), numbers.len()), (150, 150));
    let (number, value_type, bytes) = &found[0].fields[3];
    let value = Value::decode(*value_type, &hex::decode(bytes).expect("hexadecimal")).expect("canonical");
    assert_eq!(*number, 17);
    assert!(matches!(value, Value::Money { number, .. } if number.given.contains('约')));
}
