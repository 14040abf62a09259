//! Mixed records: fields that all members read beside fields for the parties.

use std::collections::{BTreeMap, BTreeSet};

use protocol::identity::EntryId;
use protocol::kind::{KIND_SET_VERSION, KindSet};
use protocol::statement::{FIELD_SEALED, Operation, Statement};
use protocol::testing::Organisation;
use protocol::value::Value;

use super::super::externals::{Externals, look_up};
use super::super::publish::{ForWhom, Request};
use super::super::{erase, restate, rewrap};
use super::world::{World, texts};
use crate::api::types::{CreateRecord, ReviseRecord};
use crate::confidential::{Seen, Vault};
use crate::kinds::kinds;

const COMMITMENT: u16 = 141;

fn commitment(number: &str, parties: Option<&str>) -> CreateRecord {
    let fields = [
        ("承诺编号", number),
        ("项目编号", "XM01"),
        ("承诺方", "政府"),
        ("承诺事项", "按期供地"),
        ("目标值", "476"),
        ("单位", "亩"),
        ("比较", "≥"),
        ("期限", "2099-01-01"),
    ];
    let parties = parties.map(str::to_owned);
    CreateRecord { kind: "承诺".into(), external: None, fields: texts(&fields), readers: None, parties }
}

fn revision(set: &[(&str, &str)], clear: &[&str], readers: Option<&str>, parties: Option<&str>) -> ReviseRecord {
    let clear = clear.iter().map(|name| (*name).to_owned()).collect();
    let [readers, parties] = [readers, parties].map(|text| text.map(str::to_owned));
    ReviseRecord { set: texts(set), clear, readers, parties }
}

impl World {
    /// The record as a member sees it with its own keys.
    fn seen_by(&self, member: &Organisation, id: &EntryId) -> Seen {
        let state = self.core.read(|state| state.view().record(id, u64::MAX, &self.core)).expect("it is there");
        Vault::new(vec![member.encryption.clone()]).access(&self.charter).see(state)
    }

    /// The texts of some fields as a member sees them.
    fn reads(&self, member: &Organisation, id: &EntryId, names: &[&str]) -> Vec<String> {
        let seen = self.seen_by(member, id);
        let kind = KindSet::builtin().kind(seen.state.kind).expect("a built-in kind");
        let text = |name: &&str| {
            let field = kind.field_named(name).expect("the kind has it");
            seen.state.fields.get(&field.number).map(|value| field.render(value)).unwrap_or_default()
        };
        names.iter().map(text).collect()
    }

    /// The last statement about a record, as it stands in the log.
    fn last_statement(&self, id: &EntryId) -> Statement {
        let body = self.core.read(|state| {
            let versions = state.view().versions(id, u64::MAX);
            protocol::view::BodySource::body(&self.core, versions.last().expect("one at least").place)
        });
        Statement::decode(&body.expect("its body is here")).expect("it is a statement")
    }

    async fn change(&self, id: EntryId, revision: ReviseRecord) -> Result<(), &'static str> {
        self.one(Request::Revise(id, revision)).await.map_err(|error| error.code())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_members_read_the_outcome_and_the_parties_the_detail() {
    let world = World::new().await;
    let (own, other) = (world.county.clone(), world.other.clone());
    let id = world.create(commitment("CN01", None)).await;
    let names = ["承诺编号", "承诺方", "承诺事项", "目标值"];
    assert_eq!(world.reads(&own, &id, &names), ["CN01", "政府", "按期供地", "476"]);
    assert_eq!(world.reads(&other, &id, &names), ["CN01", "政府", "", ""]);
    let said = world.last_statement(&id);
    assert_eq!(said.external.as_deref(), Some("CN01"), "the own number stands in clear");
    let numbers: BTreeSet<u16> = said.fields.keys().copied().collect();
    assert_eq!(numbers, BTreeSet::from([1, 3, 4, 10, FIELD_SEALED]));

    world.revise(id, &[("状态", "履行中")], &[]).await.expect("a field that all read");
    assert!(!world.last_statement(&id).fields.contains_key(&FIELD_SEALED), "what is sealed stays as it is");
    assert_eq!(world.reads(&own, &id, &["状态", "承诺事项"]), ["履行中", "按期供地"]);

    world.revise(id, &[("目标值", "500"), ("期限", "2098-01-01")], &[]).await.expect("one that the parties read");
    let said = world.last_statement(&id);
    assert_eq!(said.fields.len(), 2, "the date in clear and the sealed part");
    assert_eq!(world.reads(&own, &id, &["承诺事项", "目标值", "期限"]), ["按期供地", "500", "2098-01-01"]);
    assert_eq!(world.reads(&other, &id, &["目标值", "期限"]), ["", "2098-01-01"]);

    world.change(id, revision(&[], &[], None, Some("members:3"))).await.expect("a party is added");
    assert_eq!(world.reads(&other, &id, &names), ["CN01", "政府", "按期供地", "500"]);
    world.revise(id, &[("说明", "第二稿")], &[]).await.expect("the parties stay");
    assert_eq!(world.reads(&other, &id, &["说明"]), ["第二稿"]);
    world.revise(id, &[], &["说明"]).await.expect("it is cleared");
    assert!(!world.last_statement(&id).cleared.contains(&18), "nobody else learns which");
    assert_eq!(world.reads(&other, &id, &["说明", "目标值"]), ["", "500"]);
    assert!(world.seen_by(&other, &id).confidential.is_some_and(|part| part.closed.is_none()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mixed_record_is_sealed_as_a_whole_and_opened_again() {
    let world = World::new().await;
    let (own, other) = (world.county.clone(), world.other.clone());
    let id = world.create(commitment("CN01", Some("members:3"))).await;
    world.change(id, revision(&[], &[], Some("members:2"), None)).await.expect("it is sealed");
    assert_eq!(world.reads(&other, &id, &["承诺方", "承诺事项"]), ["", ""]);
    assert_eq!(world.change(id, revision(&[], &[], None, Some("members:3"))).await, Err("parties-of-whole"));
    world.change(id, revision(&[("单位", "公顷")], &[], Some("all"), None)).await.expect("it is opened");
    assert_eq!(world.reads(&other, &id, &["承诺方", "承诺事项"]), ["政府", ""], "the parties are the author alone");
    assert_eq!(world.reads(&own, &id, &["承诺方", "单位"]), ["政府", "公顷"]);
    assert_eq!(world.change(id, revision(&[("承诺编号", "CN02")], &[], None, None)).await, Err("external-fixed"));
    assert_eq!(rewrap::stale(&world.core), []);
    world.one(Request::Reseal(id)).await.expect("it can be sealed anew");
    assert_eq!(world.last_statement(&id).fields.len(), 1, "what stands in clear is not sealed with it");
    assert_eq!(world.reads(&other, &id, &["承诺方", "承诺事项"]), ["政府", ""]);
    assert_eq!(world.reads(&own, &id, &["承诺方", "承诺事项"]), ["政府", "按期供地"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_parties_read_is_withheld_and_judged_too() {
    let world = World::new().await;
    let code = |result: Result<(), super::super::error::RecordError>| result.expect_err("it is refused").code();
    let mut secret = commitment("CN01", None);
    secret.fields.insert("说明".into(), "涉密".into());
    assert_eq!(code(world.one(Request::Create(secret)).await), "withheld");
    let mut short = commitment("CN01", None);
    short.fields.remove("目标值");
    assert_eq!(code(world.one(Request::Create(short)).await), "field-missing");
    let id = world.create(commitment("CN01", None)).await;
    assert_eq!(code(world.revise(id, &[("说明", "绝密")], &[]).await), "withheld");
    assert_eq!(code(world.revise(id, &[], &["目标值"]).await), "field-missing");
    let met = [("状态", "已履行"), ("履行日期", "2026-06-01"), ("完成值", "400")];
    assert_eq!(code(world.revise(id, &met, &[]).await), "check-failed", "by a field that is sealed");
    let met = [("状态", "已履行"), ("履行日期", "2026-06-01"), ("完成值", "480")];
    world.revise(id, &met, &[]).await.expect("more than was promised");
}

#[tokio::test(flavor = "multi_thread")]
async fn parties_that_say_nothing_are_refused_by_name() {
    let world = World::new().await;
    let with = |kind: &str, fields: &[(&str, &str)], readers: Option<&str>, parties: &str| {
        let (readers, parties) = (readers.map(str::to_owned), Some(parties.to_owned()));
        CreateRecord { kind: kind.into(), external: None, fields: texts(fields), readers, parties }
    };
    let demand = [("名称", "配套企业"), ("类别", "招商")];
    for (record, code) in [
        (with("demand", &demand, None, "members:3"), "parties-none"),
        (commitment("CN01", Some("all")), "parties-unreadable"),
        (commitment("CN01", Some("local")), "parties-unreadable"),
        (commitment("CN01", Some("奉节县")), "parties-unreadable"),
        (commitment("CN01", Some("members:9")), "reader-without-key"),
        (
            CreateRecord { readers: Some("members:3".into()), ..commitment("CN01", Some("members:3")) },
            "parties-of-whole",
        ),
    ] {
        let told = format!("{record:?}");
        let error = world.one(Request::Create(record)).await.expect_err("it is refused");
        assert_eq!(error.code(), code, "{told}");
        let problem = error.problem();
        assert!(!problem.fix_zh.is_empty() && !problem.fix_en.is_empty());
    }
    let id = world.create(CreateRecord { parties: None, ..with("demand", &demand, None, "") }).await;
    assert_eq!(world.change(id, revision(&[], &[], None, Some("members:3"))).await, Err("parties-none"));
}

#[tokio::test(flavor = "multi_thread")]
async fn own_records_are_found_by_their_numbers_whatever_is_sealed() {
    let world = World::new().await;
    let mixed = world.create(commitment("CN01", None)).await;
    let whole = CreateRecord { readers: Some("members:2".into()), ..commitment("CN02", None) };
    let whole = world.create(whole).await;
    let mut externals = Externals::new(&world.core, COMMITMENT).expect("it is a member");
    let mut found = BTreeMap::new();
    while let Some(piece) = externals.next_piece(&world.core) {
        found.extend(piece.into_iter().map(|one| (one.external, (one.record, one.fields.len()))));
    }
    let wanted = [("CN01", mixed), ("CN02", whole)].map(|(number, id)| (number.to_owned(), (id.to_string(), 8)));
    assert_eq!(found, BTreeMap::from(wanted));
    let numbers = ["CN01", "CN02", "CN03"].map(str::to_owned);
    let found = look_up(&world.core, COMMITMENT, &numbers, &mut world.publisher.sealed_numbers().lock());
    assert_eq!(found.expect("it is a member").len(), 2);
    for number in ["CN01", "CN02"] {
        let error = world.one(Request::Create(commitment(number, None))).await.expect_err("the number is taken");
        assert_eq!(error.code(), "external-exists");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn canonical_statements_are_sealed_by_the_node() {
    let world = World::new().await;
    let kind = KindSet::builtin().kind(COMMITMENT).expect("a built-in kind");
    let read = |(name, text): (&String, &String)| {
        let field = kind.field_named(name).expect("the kind has it");
        (field.number, field.parse(text).expect("it can be read").expect("it says something"))
    };
    let fields: BTreeMap<u16, Value> = commitment("CN01", None).fields.iter().map(read).collect();
    let statement = Statement::create([0; 16], KIND_SET_VERSION, Some("CN01".into()), fields);
    let body = statement.encode().expect("it has its layout");
    let for_whom = ForWhom { readers: None, parties: Some("members:3".into()) };
    let published = world.publish(vec![Request::StatementFor(COMMITMENT, body, for_whom)]).await;
    let id = published.expect("it is in order")[0].record;
    let said = world.last_statement(&id);
    assert_eq!(said.operation, Operation::Create);
    assert!(said.fields.keys().all(|number| ![5, 7, 8, 9].contains(number)), "nothing of it stands in clear");
    assert_eq!(world.reads(&world.other, &id, &["承诺事项", "目标值"]), ["按期供地", "476"]);
    assert!(restate::candidates(&world.core).expect("it is a member").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_be_sealed_anew_is_counted_the_same_whether_step_by_step_or_from_nothing() {
    let mut world = World::new().await;
    let mut kept = rewrap::StaleCount::default();
    let counts = |kept: &mut rewrap::StaleCount, world: &World| {
        (kept.count(&world.core), rewrap::StaleCount::default().count(&world.core), rewrap::stale(&world.core).len())
    };
    assert_eq!(counts(&mut kept, &world), (0, 0, 0));
    let one = world.create(commitment("CN01", Some("members:3"))).await;
    let two = world.create(commitment("CN02", Some("members:3"))).await;
    assert_eq!(counts(&mut kept, &world), (0, 0, 0));
    world.renew_encryption_of_other(77).await;
    assert_eq!(counts(&mut kept, &world), (2, 2, 2), "member 3 has another key now");
    world.create(commitment("CN03", Some("members:3"))).await;
    assert_eq!(counts(&mut kept, &world), (2, 2, 2), "what came since is sealed for it");
    world.one(Request::Reseal(one)).await.expect("it can be sealed anew");
    assert_eq!(counts(&mut kept, &world), (1, 1, 1));
    world.withdraw(two, None).await.expect("it is its own");
    assert_eq!(counts(&mut kept, &world), (0, 0, 0));
    let three = world.create(commitment("CN04", Some("members:3"))).await;
    world.renew_encryption_of_other(78).await;
    assert_eq!(counts(&mut kept, &world), (3, 3, 3));
    // The revision that sealed the first one anew goes: what stands then is sealed for the former key.
    world.one(Request::Reseal(one)).await.expect("it can be sealed anew");
    assert_eq!(counts(&mut kept, &world), (2, 2, 2));
    let (_, log) = world.core.own().expect("it is a member");
    let last = world.core.read(|state| state.replica.effective_length(log)) - 1;
    let sealed_anew = world.core.store().entry(log, last).expect("it reads").expect("it is there").id();
    let plan = erase::plan(&world.core, kinds(), &[], &[sealed_anew]).expect("it is its own");
    erase::publish(&world.core, &plan, "误发").await.expect("it may be erased");
    assert_eq!(counts(&mut kept, &world), (3, 3, 3));
    let plan = erase::plan(&world.core, kinds(), &[three.to_string()], &[]).expect("it is its own");
    erase::publish(&world.core, &plan, "误发").await.expect("it may be erased");
    assert_eq!(counts(&mut kept, &world), (2, 2, 2), "what is erased needs no seal");
}
