//! `list`: records by kind, owner and conditions.

use clap::Args;
use node::api::types::{ListedRecord, RecordList};
use protocol::kind::filter::Filter;
use protocol::kind::{Field, Kind};

use crate::client::Client;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::time;

use super::statements;

/// Records in one answer while all are fetched.
const PAGE: usize = 500;
/// Columns for fields.
const FIELD_COLUMNS_MAX: usize = 4;

/// Arguments of `list`.
#[derive(Debug, Default, Args)]
pub struct ListArguments {
    /// 类别，例如 fund 或 基金。
    /// The kind, for instance fund
    #[arg(long)]
    pub kind: Option<String>,
    /// 只看这个成员编号的。
    /// Only records of the member with this number
    #[arg(long, value_name = "NUMBER")]
    pub owner: Option<u32>,
    /// 条件，例如 规模>=5亿元（可多次，须全部满足；运算符 = != >= <= > < ~）。
    /// A condition (repeatable, all must hold; operators = != >= <= > < ~)
    #[arg(long = "where", value_name = "CONDITION", requires = "kind")]
    pub conditions: Vec<String>,
    /// 最多列出多少条。
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    /// 列出全部，不限条数。
    /// All of them
    #[arg(long, conflicts_with = "limit")]
    pub all: bool,
    /// 连同已撤回的。
    /// Withdrawn ones too
    #[arg(long)]
    pub withdrawn: bool,
    /// 只看现在处于这个状态的，任一写法，如 签约；未归类 指待人工归类的。
    /// Only records that stand in this state now, by any word for it; `unmapped` for words that are none
    #[arg(long, value_name = "WORD")]
    pub state: Option<String>,
    /// 只看有提醒的。
    /// Only records that a check marks
    #[arg(long)]
    pub flagged: bool,
    /// 只看不计数的，或有版本不算数的。
    /// Only records that do not count, or have a version that does not
    #[arg(long)]
    pub uncounted: bool,
}

/// Lists records.
pub fn perform(context: &Context, arguments: &ListArguments) -> Result<(), Failure> {
    let kind = arguments.kind.as_deref().map(statements::kind).transpose()?;
    let fields = kind.map(|kind| columns(kind, &arguments.conditions)).transpose()?.unwrap_or_default();
    let list = fetch(&context.client()?, arguments)?;
    context.out.json(&list);
    if list.records.is_empty() {
        context.out.say("没有符合的记录。", "No record fits.");
        return Ok(());
    }
    show(context, &list, &fields);
    Ok(())
}

/// The fields to show: those of the conditions, then the kind's facets.
fn columns(kind: &'static Kind, conditions: &[String]) -> Result<Vec<Field>, Failure> {
    let mut fields: Vec<Field> = Vec::new();
    for condition in conditions {
        let filter = Filter::parse(kind, condition).map_err(|error| {
            // Its text is in both languages already.
            let en = format!("the condition {condition:?} cannot be used");
            Failure::new(ExitCode::InputRefused, "condition", error.to_string(), en)
                .fix("例如 规模>=5亿元 或 投资方向~智能制造。", "for instance 规模>=5亿元 or 投资方向~智能制造")
        })?;
        fields.push(filter.field().clone());
    }
    fields.extend(kind.facets().cloned());
    // Where a record stands has a column of its own, since time moves it.
    let state = kind.lifecycle().map(|lifecycle| lifecycle.field());
    let mut seen = std::collections::BTreeSet::from([kind.title_field().number]);
    seen.extend(state);
    fields.retain(|field| seen.insert(field.number));
    fields.truncate(FIELD_COLUMNS_MAX);
    Ok(fields)
}

/// The records that fit, page by page.
pub fn fetch(client: &Client, arguments: &ListArguments) -> Result<RecordList, Failure> {
    let wanted = if arguments.all { usize::MAX } else { arguments.limit as usize };
    let mut list = RecordList { records: Vec::new(), next: None };
    loop {
        let limit = PAGE.min(wanted - list.records.len());
        let page: RecordList = client.get("/v1/records", &query(arguments, limit, list.next.take()))?;
        list.records.extend(page.records);
        list.next = page.next;
        if list.next.is_none() || list.records.len() >= wanted {
            return Ok(list);
        }
    }
}

fn query(arguments: &ListArguments, limit: usize, cursor: Option<String>) -> Vec<(&'static str, String)> {
    let mut query = vec![("limit", limit.to_string())];
    query.extend(arguments.kind.clone().map(|kind| ("kind", kind)));
    query.extend(arguments.owner.map(|owner| ("owner", owner.to_string())));
    query.extend(arguments.conditions.iter().map(|condition| ("where", condition.clone())));
    query.extend(arguments.withdrawn.then(|| ("withdrawn", "true".to_owned())));
    query.extend(arguments.state.clone().map(|state| ("state", state)));
    query.extend(arguments.flagged.then(|| ("flagged", "true".to_owned())));
    query.extend(arguments.uncounted.then(|| ("uncounted", "true".to_owned())));
    query.extend(cursor.map(|cursor| ("cursor", cursor)));
    query
}

fn show(context: &Context, list: &RecordList, fields: &[Field]) {
    let mut headers = vec!["编号", "类别", "名称", "所有者", "状态"];
    headers.extend(fields.iter().map(|field| field.zh.as_str()));
    headers.extend(["更新时间", "说明"]);
    context.out.table(&headers, list.records.iter().map(|listed| row(listed, fields)).collect());
    let count = list.records.len();
    match &list.next {
        None => context.out.line(format!("共 {count} 条 {count} records")),
        Some(_) => {
            context.out.line(format!("前 {count} 条，加 --all 可看全部 the first {count}; --all shows the rest"))
        }
    }
    if list.records.iter().any(|listed| !listed.unknown.is_empty()) {
        context.out.say(
            "“不明”是记录没有写这一项：可能符合，也可能不符合。",
            "不明 (unknown): the record does not say; it may fit or not.",
        );
    }
}

fn row(listed: &ListedRecord, fields: &[Field]) -> Vec<String> {
    let record = &listed.record;
    let state = record.state.as_ref().map_or_else(|| "-".to_owned(), |state| state.zh.clone());
    let (label, kind, title) = (record.label.clone(), record.kind_zh.clone(), record.title.clone());
    let mut row = vec![label, kind, title, record.owner.name.clone(), state];
    row.extend(fields.iter().map(|field| {
        let value = record.fields.iter().find(|value| value.number == field.number).map(|value| value.value.clone());
        value.unwrap_or_else(|| if listed.unknown.contains(&field.name) { "不明".into() } else { "-".into() })
    }));
    row.push(time::show(record.changed_ms));
    row.push(remarks(listed));
    row
}

fn remarks(listed: &ListedRecord) -> String {
    let record = &listed.record;
    let marks = [
        (record.withdrawn, "已撤回"),
        (!record.problems.is_empty(), "不合规"),
        (record.uncounted > 0, "有版本不算数"),
        (!record.marks.is_empty(), "有提醒"),
        (record.unassessed, "未评估"),
        (record.update_needed, "需升级"),
        (!listed.unknown.is_empty(), "不明"),
    ];
    marks.iter().filter(|(applies, _)| *applies).map(|(_, mark)| *mark).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::api::types::{FieldValue, MemberName, RecordView};
    use protocol::kind::KindSet;

    fn listed(value: Option<&str>, unknown: &[&str]) -> ListedRecord {
        let field =
            |value: &str| FieldValue { number: 7, name: "size".into(), zh: "规模".into(), value: value.into() };
        let record = RecordView {
            id: "00".into(),
            label: "3-1".into(),
            kind: "fund".into(),
            kind_zh: "基金".into(),
            owner: MemberName { number: 3, name: "某基金".into() },
            external: None,
            title: "甲".into(),
            fields: value.map(field).into_iter().collect(),
            state: None,
            created_ms: 0,
            changed_ms: 0,
            versions: 1,
            withdrawn: false,
            reason: None,
            problems: Vec::new(),
            update_needed: false,
            counts: true,
            uncounted: 0,
            marks: Vec::new(),
            figures: Vec::new(),
            notices: Vec::new(),
            unassessed: false,
            onward: Vec::new(),
            references: None,
            confidential: None,
        };
        ListedRecord { record, unknown: unknown.iter().map(|name| (*name).to_owned()).collect() }
    }

    #[test]
    fn what_a_condition_asks_for_is_a_column_and_unknown_is_said() {
        let kind = KindSet::builtin().kind_named("fund").expect("a built-in kind");
        let fields = columns(kind, &["规模>=5亿元".into()]).expect("a good condition");
        assert_eq!((fields[0].zh.as_str(), fields.len()), ("规模", FIELD_COLUMNS_MAX));
        assert_eq!(row(&listed(Some("5亿元"), &[]), &fields[..1])[5], "5亿元");
        let unknown = row(&listed(None, &["size"]), &fields[..1]);
        assert_eq!((unknown[5].as_str(), unknown[7].as_str()), ("不明", "不明"));
        assert_eq!(row(&listed(None, &[]), &fields[..1])[5], "-");
        assert_eq!(columns(kind, &["颜色=红".into()]).expect_err("no such field").exit, ExitCode::InputRefused);
    }

    #[test]
    fn every_condition_is_sent() {
        let conditions = vec!["a=1".to_owned(), "b=2".to_owned()];
        let state = Some("签约".to_owned());
        let flags = ListArguments { withdrawn: true, flagged: true, uncounted: true, ..ListArguments::default() };
        let arguments = ListArguments { conditions, owner: Some(4), state, ..flags };
        let query = query(&arguments, 5, Some("c".into()));
        assert_eq!(query.iter().filter(|(name, _)| *name == "where").count(), 2);
        assert!(query.contains(&("state", "签约".into())) && query.contains(&("flagged", "true".into())));
        assert!(query.contains(&("uncounted", "true".into())));
        assert!(query.contains(&("cursor", "c".into())) && query.contains(&("owner", "4".into())));
    }
}
