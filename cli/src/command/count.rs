//! `count`: how many records there are, by groups, and what a figure of theirs adds up to.

use clap::Args;
use node::api::types::{CountGroup, CountView, CoverageView};

use crate::context::Context;
use crate::failure::Failure;
use crate::time;

/// Arguments of `count`.
#[derive(Debug, Args)]
pub struct CountArguments {
    /// 类别，例如 lead 或 线索。
    /// The kind, for instance lead
    #[arg(value_name = "KIND")]
    kind: String,
    /// 按什么分组：字段、成员、月、年、月(日期字段)、年(日期字段)（可多次）。
    /// What groups are made by: a field, owner, month, year, month(FIELD) or year(FIELD) (repeatable)
    #[arg(long, value_name = "FIELD")]
    by: Vec<String>,
    /// 合计这个数字字段；累计等不可相加的不加。
    /// Add up this field; what must not be added is left out
    #[arg(long, value_name = "FIELD")]
    sum: Option<String>,
    /// 条件，例如 规模>=5亿元（可多次，须全部满足；运算符 = != >= <= > < ~）。
    /// A condition (repeatable, all must hold; operators = != >= <= > < ~)
    #[arg(long = "where", value_name = "CONDITION")]
    conditions: Vec<String>,
    /// 只数这个期间发布的，例如 2026-03、2026Q1。
    /// Only records created in this period, for instance 2026-03 or 2026Q1
    #[arg(long)]
    period: Option<String>,
}

/// Counts records.
pub fn perform(context: &Context, arguments: &CountArguments) -> Result<(), Failure> {
    let view: CountView = context.client()?.get("/v1/counts", &query(arguments))?;
    context.out.json(&view);
    let mut headers: Vec<&str> = view.by.iter().map(|column| column.zh.as_str()).collect();
    headers.push("条数");
    let total = view.sum.as_ref().map(|sum| format!("{}合计", sum.zh));
    headers.extend(total.as_deref());
    let mut rows: Vec<Vec<String>> = view.groups.iter().map(|group| row(group, &group.keys)).collect();
    let mut name = vec![String::new(); view.by.len()];
    name.iter_mut().take(1).for_each(|first| *first = "全部 all".to_owned());
    rows.push(row(&view.total, &name));
    context.out.table(&headers, rows);
    context.out.say(coverage_zh(&view.coverage), coverage_en(&view.coverage));
    let (time, version, digest) = (time::show(view.as_of_ms), view.charter_version, &view.digest);
    context.out.line(format!("截至 as of {time}  章程 charter {version}  条目 entries {digest}"));
    if view.moved {
        let zh = "统计期间有新条目到达；要与别的节点核对，请再数一次。";
        context.out.say(zh, "entries arrived meanwhile; count again to compare with another node");
    }
    Ok(())
}

fn query(arguments: &CountArguments) -> Vec<(&'static str, String)> {
    let mut query = vec![("kind", arguments.kind.clone())];
    query.extend(arguments.by.iter().map(|by| ("by", by.clone())));
    query.extend(arguments.sum.clone().map(|sum| ("sum", sum)));
    query.extend(arguments.conditions.iter().map(|condition| ("where", condition.clone())));
    query.extend(arguments.period.clone().map(|period| ("period", period)));
    query
}

fn row(group: &CountGroup, keys: &[String]) -> Vec<String> {
    let mut row = keys.to_vec();
    row.push(group.records.to_string());
    row.extend(group.sum.as_ref().map(|sum| match group.left_out {
        0 => sum.clone(),
        count => format!("{sum}（另有 {count} 项不可相加）"),
    }));
    row
}

/// What was looked at; what there is none of is not said.
pub(super) fn coverage_zh(coverage: &CoverageView) -> String {
    let mut text = format!("看了 {} 条，数入 {} 条", coverage.looked_at, coverage.counted);
    for (count, what) in parts(coverage, PARTS_ZH) {
        text.push_str(&format!("，{what} {count} 条"));
    }
    text
}

pub(super) fn coverage_en(coverage: &CoverageView) -> String {
    let mut text = format!("{} looked at, {} counted", coverage.looked_at, coverage.counted);
    for (count, what) in parts(coverage, PARTS_EN) {
        text.push_str(&format!(", {count} {what}"));
    }
    text
}

const PARTS_ZH: [&str; 6] = ["条件不符", "没有写明", "不计数", "已撤回", "密文", "需要更新软件"];
const PARTS_EN: [&str; 6] =
    ["outside the conditions", "do not say", "not counted", "withdrawn", "confidential", "update needed"];

fn parts(coverage: &CoverageView, words: [&'static str; 6]) -> impl Iterator<Item = (usize, &'static str)> {
    let CoverageView { other, unknown, uncounted, withdrawn, closed, update_needed, .. } = coverage;
    let counts = [*other, *unknown, *uncounted, *withdrawn, *closed, *update_needed];
    counts.into_iter().zip(words).filter(|(count, _)| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_is_said() {
        let group =
            CountGroup { keys: vec!["甲".into()], records: 3, sum: Some("60亿元".into()), summed: 1, left_out: 2 };
        assert_eq!(row(&group, &group.keys), ["甲", "3", "60亿元（另有 2 项不可相加）"]);
        let coverage = CoverageView { looked_at: 5, counted: 3, withdrawn: 2, ..CoverageView::default() };
        assert_eq!(coverage_zh(&coverage), "看了 5 条，数入 3 条，已撤回 2 条");
        assert_eq!(coverage_en(&coverage), "5 looked at, 3 counted, 2 withdrawn");
    }
}
