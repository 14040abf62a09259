//! `rank`: records of a kind by a figure, over what this node may read; leads by their six scores, for instance (F053 of
//! the requirements).

use clap::Args;
use node::api::types::{RankedRecord, RankingView};

use super::gaps::say_frame;
use crate::context::Context;
use crate::failure::Failure;

/// Columns for the parts of a figure.
const PARTS_SHOWN_MAX: usize = 6;

/// Arguments of `rank`.
#[derive(Debug, Args)]
pub struct RankArguments {
    /// 类别，例如 lead 或 线索。
    /// The kind, for instance lead
    #[arg(value_name = "KIND")]
    kind: String,
    /// 按哪个数字字段或推算数字排，可用 + 相加，例如 四高二低总分、investment_per_mu。
    /// The field or derived figure, several added by +, for instance four_high_two_low_score
    #[arg(long, value_name = "FIGURE")]
    by: String,
    /// 条件，例如 线索渠道=校友（可多次，须全部满足）。
    /// A condition (repeatable, all must hold)
    #[arg(long = "where", value_name = "CONDITION")]
    conditions: Vec<String>,
    /// 小的在前。
    /// The least first
    #[arg(long)]
    ascending: bool,
    /// 最多列出多少条。
    /// At most so many
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// Asks and shows.
pub fn perform(context: &Context, arguments: &RankArguments) -> Result<(), Failure> {
    let view: RankingView = context.client()?.get("/v1/rankings", &query(arguments))?;
    context.out.json(&view);
    let several = view.by.len() > 1;
    let names: Vec<&str> = view.by.iter().map(|column| column.zh.as_str()).collect();
    let mut headers = vec!["名次", "编号", "名称", "所有者", if several { "合计" } else { names[0] }];
    headers.extend(names.iter().copied().filter(|_| several).take(PARTS_SHOWN_MAX));
    if view.ranked.is_empty() {
        context.out.say("没有写明这个数字的记录。", "No record states the figure.");
    } else {
        context.out.table(&headers, view.ranked.iter().map(|ranked| row(ranked, several)).collect());
    }
    let (shown, known, unknown) = (view.ranked.len(), view.known, view.unknown);
    context.out.say(
        format!("列出 {shown} 条，有数 {known} 条；不明 {unknown} 条排在最后（没有写全这个数字）"),
        format!("{shown} shown of {known} with the figure; {unknown} do not state it and come last"),
    );
    context.out.say(
        "只排本节点可读的记录；别的节点读到的可能不同。",
        "Ranked over what this node may read; other nodes may read other records.",
    );
    say_frame(context, &view.frame);
    Ok(())
}

fn query(arguments: &RankArguments) -> Vec<(&'static str, String)> {
    let mut query = vec![("kind", arguments.kind.clone()), ("by", arguments.by.clone())];
    query.extend(arguments.conditions.iter().map(|condition| ("where", condition.clone())));
    query.push(("order", if arguments.ascending { "asc" } else { "desc" }.to_owned()));
    query.push(("limit", arguments.limit.to_string()));
    query
}

fn row(ranked: &RankedRecord, several: bool) -> Vec<String> {
    let record = &ranked.record;
    let mut row = vec![
        ranked.place.to_string(),
        record.label.clone(),
        record.title.clone(),
        record.owner.name.clone(),
        ranked.text.clone(),
    ];
    row.extend(ranked.parts.iter().filter(|_| several).take(PARTS_SHOWN_MAX).cloned());
    row
}
