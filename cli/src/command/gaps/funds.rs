//! `gaps funds`: funds without an investment for a year (F043 of the requirements).

use clap::Args;
use node::api::types::{IdleFund, IdleFundsView};

use super::{named, query, say_beside, say_frame};
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `gaps funds`.
#[derive(Debug, Args)]
pub struct FundsArguments {
    /// 只看所在地在这里的，代码或名称。
    /// Only funds with their seat here, by code or name
    #[arg(long, value_name = "PLACE")]
    region: Option<String>,
    /// 每支闲置基金最多配几个项目，0 为不配。
    /// Most projects that are paired with each idle fund, 0 for none
    #[arg(long, default_value_t = 3, value_name = "COUNT")]
    fits: usize,
}

/// Asks and shows.
pub fn perform(context: &Context, arguments: &FundsArguments) -> Result<(), Failure> {
    let pairs = query(&[("region", arguments.region.clone()), ("fits", Some(arguments.fits.to_string()))]);
    let view: IdleFundsView = context.client()?.get("/v1/gaps/funds", &pairs)?;
    context.out.json(&view);
    let days = view.idle_days;
    match view.idle.is_empty() {
        true => context.out.say(
            format!("没有 {days} 天以上没有投资案例的基金。"),
            format!("No fund is known to have been without a case for {days} days."),
        ),
        false => {
            let headers = ["编号", "基金", "依据", "多久", "最近案例", "设立", "状态", "未投资金", "投资方向"];
            context.out.table(&headers, view.idle.iter().map(row).collect());
            view.idle.iter().take(view.paired).for_each(|fund| say_fits(context, fund));
            if !view.matching_complete && view.paired > 0 {
                context.out.say(
                    "匹配目录还在准备，配对可能不全，请稍后再问。",
                    "matching is still being prepared; ask again soon",
                );
            }
        }
    }
    let IdleFundsView { active, young, out, .. } = &view;
    let (idle, unknown) = (view.idle.len(), view.unknown.len());
    context.out.say(
        format!("闲置 {idle} 支，说不清 {unknown} 支，有近期案例 {active} 支，设立未满 {days} 天 {young} 支，筹备、退出、清算或已无可投 {out} 支"),
        format!("{idle} idle, {unknown} unknown, {active} with a recent case, {young} younger than {days} days, {out} preparing, leaving, wound up or spent"),
    );
    if !view.unknown.is_empty() {
        let names: Vec<String> = view.unknown.iter().take(UNKNOWN_SHOWN_MAX).map(|fund| named(&fund.fund)).collect();
        let more = if unknown > names.len() { " …" } else { "" };
        context.out.say(
            format!("说不清（没有写状态、设立日期，也没有案例，不算闲置）：{}{more}", names.join("、")),
            "unknown: no state, no date set up and no case; not called idle",
        );
    }
    say_beside(context, &view.without_place, "基金没有所在地", "funds without a seat");
    say_beside(context, &view.cases_without_fund, "案例对不上基金", "cases whose fund is not known here");
    say_frame(context, &view.frame);
    Ok(())
}

/// Says what fits a fund, with the reasons that count most.
fn say_fits(context: &Context, fund: &IdleFund) {
    let name = named(&fund.fund);
    if let (Some(zh), Some(en)) = (&fund.unmatched_zh, &fund.unmatched_en) {
        context.out.say(format!("{name} 不能配对：{zh}"), format!("{name}: {en}"));
        return;
    }
    if fund.fits.is_empty() {
        context.out.say(format!("{name} 没有适配的项目。"), format!("nothing fits {name}"));
        return;
    }
    context.out.line(format!("{name} 适配 fits（更多：xianmeng recommend --fund {}）：", fund.fund.label));
    for fit in &fund.fits {
        let (record, score) = (&fit.record, fit.score);
        let (title, label, owner) = (&record.title, &record.label, &record.owner.name);
        let points = format!("{}.{}", score / 10, score % 10);
        context.out.line(format!("  {title}（{label}，{owner}）{points} 分：{}", fit.reasons_zh.join("；")));
    }
}

/// Funds that are named where nothing can be said of them.
const UNKNOWN_SHOWN_MAX: usize = 8;

fn row(fund: &IdleFund) -> Vec<String> {
    let dash = |text: Option<&str>| text.filter(|text| !text.is_empty()).unwrap_or("-").to_owned();
    vec![
        fund.fund.label.clone(),
        fund.fund.title.clone(),
        ground(fund.ground.as_deref()).to_owned(),
        fund.days.map_or_else(|| "从未 never".to_owned(), |days| format!("{days} 天")),
        dash(fund.last_case_on.as_deref()),
        dash(fund.set_up_on.as_deref()),
        dash(Some(&fund.state_zh)),
        dash(fund.uninvested.as_deref()),
        dash(Some(&fund.directions.join("、"))),
    ]
}

fn ground(ground: Option<&str>) -> &'static str {
    match ground {
        Some("stated") => "自述闲置",
        Some("last-case") => "案例过久",
        Some("never") => "没有案例",
        _ => "-",
    }
}
