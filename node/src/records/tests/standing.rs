//! What can be said of a record beside its fields: state, marks, figures, what may follow, and what names it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::entry::VerifiedEntry;
use protocol::identity::EntryId;
use protocol::kind::{KIND_SET_VERSION, KindSet};
use protocol::statement::Statement;
use protocol::value::{Date, Value};

use super::super::find::{find, show, show_at};
use super::super::history::history;
use super::super::list::{Query, page_at};
use super::super::publish::Request;
use super::world::{World, demand, texts};
use crate::api::types::{CreateRecord, FigureView, RecordView};
use crate::core::now_ms;

/// The projects of the samples, those with a place in one county.
const PROJECTS: &str = include_str!("../../../../tests/samples/projects.csv");

pub(super) fn record(kind: &str, fields: &[(&str, &str)]) -> CreateRecord {
    CreateRecord { kind: kind.to_owned(), external: None, fields: texts(fields), readers: None, parties: None }
}

/// The fields of a statement as another node makes it.
pub(super) fn fields(kind: &str, cells: &[(&str, &str)]) -> (u16, BTreeMap<u16, Value>) {
    let kind = KindSet::builtin().kind_named(kind).expect("it is a kind");
    let read = |(name, text): &(&str, &str)| {
        let field = kind.field_named(name).expect("the kind has the field");
        (field.number, field.parse(text).expect("it can be read").expect("it is not blank"))
    };
    (kind.number(), cells.iter().map(read).collect())
}

impl World {
    /// Publishes the first projects of the samples, as an import does.
    pub(super) async fn import_projects(&self) {
        let mut reader = csv::Reader::from_reader(PROJECTS.as_bytes());
        let headers = reader.headers().expect("there is a header").clone();
        let request = |row: csv::StringRecord| {
            let filled = headers.iter().zip(row.iter()).filter(|(_, cell)| !cell.is_empty());
            let fields = filled.map(|(header, cell)| (header.to_owned(), cell.to_owned())).collect();
            Request::Create(CreateRecord {
                kind: "项目".into(), external: None, fields, readers: None, parties: None
            })
        };
        let requests = reader.records().take(11).map(|row| request(row.expect("it is a row"))).collect();
        self.publish(requests).await.expect("the samples are in order");
    }

    pub(super) fn shown(&self, reference: &str) -> RecordView {
        let id = find(&self.core, KindSet::builtin(), reference).expect("it is there");
        show(&self.core, KindSet::builtin(), &id).expect("it is there")
    }

    fn shown_at(&self, id: &EntryId, as_of_ms: u64) -> RecordView {
        show_at(&self.core, KindSet::builtin(), id, as_of_ms).expect("it is there")
    }

    /// Own numbers, else labels, of what a list holds at a time.
    fn listed_at(&self, query: Query, as_of_ms: u64) -> Vec<String> {
        let list = page_at(&self.core, KindSet::builtin(), &Query { limit: 100, ..query }, as_of_ms);
        let name = |record: RecordView| record.external.unwrap_or(record.label);
        let mut names: Vec<String> = list.records.into_iter().map(|listed| name(listed.record)).collect();
        names.sort();
        names
    }

    fn listed(&self, kind: &str, conditions: &[&str], change: impl FnOnce(&mut Query)) -> Vec<String> {
        let conditions: Vec<String> = conditions.iter().map(|condition| (*condition).to_owned()).collect();
        let mut query = Query::parse(KindSet::builtin(), Some(kind), &conditions).expect("it is in order");
        change(&mut query);
        self.listed_at(query, self.core.as_of_ms())
    }

    /// Another member's record arrives.
    pub(super) async fn other_says(
        &self,
        previous: Option<&VerifiedEntry>,
        kind: &str,
        cells: &[(&str, &str)],
    ) -> Arc<VerifiedEntry> {
        let (number, fields) = fields(kind, cells);
        let statement = Statement::create([0; 16], KIND_SET_VERSION, None, fields);
        self.arrives(previous, now_ms() + 1_000, number, &statement).await
    }
}

fn figure(record: &RecordView, name: &str) -> FigureView {
    let found = record.figures.iter().find(|figure| figure.name == name);
    found.unwrap_or_else(|| panic!("{name} among {:?}", record.figures)).clone()
}

fn marks(record: &RecordView) -> Vec<&str> {
    record.marks.iter().map(|mark| mark.zh.as_str()).collect()
}

fn state(record: &RecordView) -> &str {
    record.state.as_ref().map_or("", |state| state.zh.as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn phases_add_up_beside_what_is_stated_and_cumulative_figures_do_not() {
    let world = World::new().await;
    world.import_projects().await;
    let park = world.shown("XM001");
    let investment = figure(&park, "phases_investment");
    assert_eq!((investment.text.as_str(), investment.records, investment.left_out), ("378.84亿元", 3, 0));
    let gap = investment.gap.expect("it differs from what is stated");
    assert_eq!((gap.stated.as_str(), gap.text.as_str()), ("379亿元", "0.16亿元"));
    let output = figure(&park, "phases_output");
    assert_eq!((output.text.as_str(), output.records, output.left_out), ("60亿元", 1, 2));
    assert_eq!(figure(&park, "phases_capacity").gap, None, "5, 15 and 30 GWh are the 50 that are stated");

    let per_mu = |reference: &str| {
        let record = world.shown(reference);
        ["investment_per_mu", "output_per_mu", "tax_per_mu"].map(|name| figure(&record, name).text)
    };
    assert_eq!(per_mu("XM002"), ["794.96万元/亩", "1260.5万元/亩", "52.52万元/亩"]);
    assert_eq!(per_mu("XM006"), ["923.08万元/亩", "2051.28万元/亩", "153.85万元/亩"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_tells_what_names_it_and_what_it_names() {
    let world = World::new().await;
    world.import_projects().await;
    let references = world.shown("XM001").references.expect("one record is shown");
    let phases: Vec<_> = references
        .named_by
        .iter()
        .map(|link| (link.field_zh.as_str(), link.record.as_ref().map(|record| record.label.as_str())))
        .collect();
    assert_eq!(phases, ["2-2", "2-3", "2-4"].map(|label| ("上级项目编号", Some(label))));
    assert!(references.names.is_empty() && !references.more);
    let references = world.shown("XM002").references.expect("one record is shown");
    let parent = references.names[0].record.as_ref().expect("it is there");
    assert!(parent.title.starts_with("50GWh") && parent.counts);
    assert_eq!(parent.state.as_ref().map(|state| state.zh.as_str()), Some("策划"));
    world.revise(world.id("XM002"), &[("上级项目编号", "XM999")], &[]).await.expect("it is its own");
    let references = world.shown("XM002").references.expect("one record is shown");
    assert_eq!((references.names[0].text.as_str(), &references.names[0].record), ("XM999", &None));
    let references = world.shown("XM001").references.expect("one record is shown");
    assert_eq!(references.named_by.len(), 2, "the link was taken away");
}

impl World {
    pub(super) fn id(&self, reference: &str) -> EntryId {
        find(&self.core, KindSet::builtin(), reference).expect("it is there")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn states_are_found_by_any_of_their_words() {
    let world = World::new().await;
    world.import_projects().await;
    for word in ["策划", "谋划", "planned", "Planned"] {
        assert_eq!(world.listed("项目", &[&format!("阶段={word}")], |_| {}).len(), 10, "{word}");
        assert_eq!(world.listed("项目", &[&format!("阶段!={word}")], |_| {}), ["XM011"], "{word}");
        assert_eq!(world.listed("项目", &[], |query| query.state = Some(word.into())).len(), 10, "{word}");
    }
    assert_eq!(world.listed("项目", &["阶段=签约"], |_| {}), Vec::<String>::new());
    assert_eq!(world.listed("项目", &["阶段~已落地"], |_| {}), ["XM011"]);
    assert_eq!(world.listed("项目", &[], |query| query.state = Some("未归类".into())), ["XM011"]);
    let unmapped = world.shown("XM011");
    assert_eq!(state(&unmapped), "已落地（细分阶段未载明）（未归类）");
    assert_eq!(unmapped.state.map(|state| state.name).as_deref(), Some("unmapped"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demand_expires_the_day_after_its_deadline_with_no_traffic() {
    let world = World::new().await;
    let own = world.create(demand("XQ1", &[("期限", "2099-06-30")])).await;
    world.create(demand("XQ2", &[("期限", "2099-07-01")])).await;
    world.create(demand("XQ3", &[])).await;
    let over_ms = Date::new(2099, 6, 30).expect("it is a day").end_ms();
    let (before, after) = (world.shown_at(&own, over_ms - 1), world.shown_at(&own, over_ms));
    assert_eq!((state(&before), state(&after)), ("发布", "到期"));
    let (before, after) = (before.state.expect("it has one"), after.state.expect("it has one"));
    assert!(!before.by_time && before.since_ms <= now_ms());
    assert!(after.by_time && after.since_ms == over_ms);
    let in_state = |word: &str, as_of_ms| {
        let query = Query::parse(KindSet::builtin(), Some("demand"), &[format!("状态={word}")]).expect("in order");
        world.listed_at(query, as_of_ms)
    };
    assert_eq!(in_state("到期", over_ms - 1), Vec::<String>::new());
    assert_eq!(in_state("到期", over_ms), ["XQ1"]);
    assert_eq!(in_state("published", over_ms), ["XQ2", "XQ3"]);
    let undated = world.shown("XQ3");
    assert!(marks(&undated)[0].contains("没有期限") && undated.counts);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_follow_is_told_of_ones_own_records_alone() {
    let world = World::new().await;
    world.import_projects().await;
    let planned = world.shown("XM002");
    let lead = planned.onward.iter().find(|next| next.name == "lead").expect("a lead may follow");
    assert!(!lead.missing.is_empty(), "neither a lead nor an investor is named");
    let listed = page_at(&world.core, KindSet::builtin(), &Query { limit: 50, ..Query::default() }, now_ms() + 60_000);
    assert!(listed.records.iter().all(|listed| listed.record.onward.is_empty()));
    assert!(listed.records.iter().all(|listed| listed.record.references.is_none()));
    let foreign = world.other_says(None, "demand", &[("名称", "别县的"), ("类别", "招商")]).await;
    let foreign = world.shown(&foreign.id().to_string());
    assert_eq!(state(&foreign), "发布");
    assert!(foreign.onward.is_empty() && foreign.counts);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_against_the_lifecycle_is_kept_and_not_counted() {
    let world = World::new().await;
    let created = world.other_says(None, "demand", &[("名称", "配套"), ("类别", "招商"), ("金额", "1亿元")]).await;
    let (number, set) = fields("demand", &[("状态", "草稿"), ("金额", "2亿元")]);
    let back = Statement::revise([0; 16], KIND_SET_VERSION, created.id(), set, BTreeSet::new());
    let back = world.arrives(Some(&created), now_ms() + 2_000, number, &back).await;
    let (number, set) = fields("demand", &[("备注", "说明")]);
    let note = Statement::revise([0; 16], KIND_SET_VERSION, created.id(), set, BTreeSet::new());
    world.arrives(Some(&back), now_ms() + 3_000, number, &note).await;

    let shown = world.shown("3-1");
    assert_eq!((state(&shown), shown.uncounted, shown.counts), ("发布", 1, true));
    let value = |name: &str| shown.fields.iter().find(|field| field.name == name).map(|field| field.value.as_str());
    assert_eq!((value("amount"), value("note")), (Some("1亿元"), Some("说明")));
    assert_eq!(world.listed("demand", &[], |query| query.uncounted = true), ["3-1"]);

    let items = history(&world.core, KindSet::builtin(), &created.id()).expect("it is there");
    assert_eq!(items.iter().map(|item| item.counts).collect::<Vec<_>>(), [true, false, true]);
    let reason = items[1].uncounted.as_ref().expect("it does not count");
    assert_eq!(reason.code, "lifecycle");
    assert!(reason.zh.contains("发布") && reason.zh.contains("草稿") && !reason.missing.is_empty(), "{reason:?}");
    assert_eq!(items[0].state.as_ref().map(|change| change.to_zh.as_str()), Some("发布"));
    let change = items[1].state.as_ref().expect("it was to change");
    assert_eq!((change.from_zh.as_deref(), change.to_zh.as_str()), (Some("发布"), "草稿"));
    assert_eq!((items[2].changes.len(), &items[2].state), (1, &None), "what does not count changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_could_not_begin_so_does_not_count() {
    let world = World::new().await;
    world.other_says(None, "project", &[("名称", "园区"), ("阶段", "签约")]).await;
    let shown = world.shown("3-1");
    assert!(!shown.counts && shown.uncounted == 1);
    assert!(shown.problems.iter().any(|problem| problem.code == "lifecycle"), "{:?}", shown.problems);
    assert_eq!(world.listed("project", &[], |query| query.uncounted = true), ["3-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_claims_the_first_wins() {
    let world = World::new().await;
    world.import_projects().await;
    let claim = [("推荐项目名称", "电芯产业园"), ("项目编号", "2-1"), ("推荐方", "某商会"), ("推荐日期", "2026-01-05")];
    let first = world.create(record("referral", &claim)).await;
    let second = world.other_says(None, "referral", &claim).await;
    let (first, second) = (world.shown(&first.to_string()), world.shown(&second.id().to_string()));
    assert_eq!((figure(&first, "place").text, figure(&second, "place").text), ("1".into(), "2".into()));
    let late = |record: &RecordView| marks(record).iter().any(|mark| mark.contains("以先签名者为准"));
    assert!(!late(&first) && late(&second) && second.counts);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commitment_is_overdue_by_its_date() {
    let world = World::new().await;
    world.import_projects().await;
    let promise = |due: &'static str| {
        let cells = [("项目编号", "XM002"), ("承诺方", "政府"), ("承诺事项", "供地"), ("目标值", "476")];
        let mut record = record("commitment", &cells);
        record.fields.extend(texts(&[("单位", "亩"), ("比较", "≥"), ("期限", due)]));
        record
    };
    let early = world.create(promise("2099-03-31")).await;
    world.create(promise("2099-12-31")).await;
    let over_ms = Date::new(2099, 3, 31).expect("it is a day").end_ms();
    let project = world.id("XM002");
    let at = |as_of_ms| {
        let (promise, project) = (world.shown_at(&early, as_of_ms), world.shown_at(&project, as_of_ms));
        let overdue = figure(&project, "government_commitments_overdue").text;
        (state(&promise).to_owned(), !promise.marks.is_empty(), overdue)
    };
    assert_eq!(at(over_ms - 1), ("待履行".into(), false, "0".into()));
    assert_eq!(at(over_ms), ("逾期".into(), true, "1".into()));
    assert_eq!(figure(&world.shown("XM002"), "government_commitments").text, "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_with_tax_favours_is_marked_until_it_was_checked() {
    let world = World::new().await;
    let policy = |more: &[(&str, &str)]| {
        let mut record = record("policy", &[("政策名称", "十条"), ("发布主体", "县政府"), ("类别", "招商")]);
        record.fields.extend(texts(more));
        record
    };
    let favour = world.create(policy(&[("政策类型", "税费")])).await;
    world.create(policy(&[("政策类型", "人才")])).await;
    let shown = world.shown(&favour.to_string());
    assert!(marks(&shown)[0].contains("未经公平竞争审查"), "{:?}", shown.marks);
    assert!(!shown.marks[0].missing.is_empty() && shown.counts);
    assert_eq!(world.listed("policy", &[], |query| query.flagged = true), ["2-1"]);
    world.revise(favour, &[("公平竞争审查", "是")], &[]).await.expect("it is its own");
    assert_eq!(world.listed("policy", &[], |query| query.flagged = true), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_marked_records_neither_repeat_nor_skip() {
    let world = World::new().await;
    for index in 0..6 {
        let deadline: &[(&str, &str)] = if index % 2 == 0 { &[] } else { &[("期限", "2099-06-30")] };
        world.create(demand(&format!("XQ{index}"), deadline)).await;
    }
    let kinds = KindSet::builtin();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let query = Query { flagged: true, limit: 1, after, ..Query::default() };
        let list = page_at(&world.core, kinds, &query, world.core.as_of_ms());
        found.extend(list.records.into_iter().filter_map(|listed| listed.record.external));
        let Some(next) = list.next else { break };
        after = Some(super::super::list::Cursor::read(&next).expect("a page gave it out"));
    }
    assert_eq!(found, ["XQ4", "XQ2", "XQ0"]);
}
