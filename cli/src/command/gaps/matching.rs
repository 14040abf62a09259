//! `gaps matching`: how many matches that were taken up led to an agreement (F074 of the requirements).

use clap::Args;
use node::api::types::SuccessView;

use super::{labels, query, say_beside, say_frame};
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `gaps matching`.
#[derive(Debug, Args)]
pub struct MatchingArguments {
    /// 采纳日期从这天起，例如 2026-01-01 或 2026-01。
    /// Taken up on this day or later
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// 采纳日期到这天止。
    /// Taken up on this day or before
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
}

/// Asks and shows.
pub fn perform(context: &Context, arguments: &MatchingArguments) -> Result<(), Failure> {
    let pairs = query(&[("from", arguments.from.clone()), ("until", arguments.until.clone())]);
    let view: SuccessView = context.client()?.get("/v1/gaps/matching", &pairs)?;
    context.out.json(&view);
    let (zh, en) = rate(&view);
    context.out.say(zh, en);
    let SuccessView { in_talks, ended, .. } = &view;
    let unknown = view.unknown.records;
    if view.taken_up > 0 {
        context.out.say(
            format!(
                "其余：洽谈中 {in_talks}，未成 {ended}，没有洽谈记录、结果不明 {unknown} {}",
                labels(&view.unknown)
            ),
            format!("the others: {in_talks} in talks, {ended} without agreement, {unknown} without talks, so unknown"),
        );
    }
    for state in &view.others {
        context.out.line(format!("未采纳 not taken up：{} {} {}", state.zh, state.en, state.records));
    }
    if view.outside > 0 {
        let outside = view.outside;
        context.out.say(format!("期间之外采纳的 {outside} 个，不计"), format!("{outside} taken up outside the period"));
    }
    say_beside(
        context,
        &view.undated,
        "采纳日期不全，分不清在不在期间内",
        "taken up on a day that is not known well enough",
    );
    if view.talks_astray > 0 {
        let astray = view.talks_astray;
        context
            .out
            .say(format!("{astray} 场洽谈写的匹配本节点没有"), format!("{astray} talks name a match that is not here"));
    }
    say_frame(context, &view.frame);
    Ok(())
}

/// The rate as a fraction with its period, or why there is none.
fn rate(view: &SuccessView) -> (String, String) {
    let (from, until) = (view.from.as_deref(), view.until.as_deref());
    let period_zh = format!("{} 至 {}", from.unwrap_or("最初"), until.unwrap_or("现在"));
    let period_en = format!("{} to {}", from.unwrap_or("the beginning"), until.unwrap_or("now"));
    let (above, below) = (view.signed.records, view.taken_up);
    match &view.rate_percent {
        Some(rate) => (
            format!("匹配成功率 {above}/{below} = {rate}%（达成协议/采纳，采纳于 {period_zh}）"),
            format!("success of matching {above}/{below} = {rate}% (signed / taken up, {period_en})"),
        ),
        None => (
            format!("没有成功率：{period_zh} 没有采纳的匹配，分母为零。"),
            format!("no rate: nothing was taken up, {period_en}, so there is nothing to divide by"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use node::api::types::{SurveyFrame, SurveyRecords};

    use super::*;

    #[test]
    fn the_rate_is_a_fraction_with_its_period_and_zero_is_said_in_words() {
        let records = |records| SurveyRecords { records, shown: Vec::new() };
        let view = |taken_up, signed: usize, rate: Option<&str>| SuccessView {
            frame: SurveyFrame::default(),
            from: Some("2026-01-01".into()),
            until: None,
            taken_up,
            signed: records(signed),
            rate_percent: rate.map(str::to_owned),
            in_talks: 0,
            ended: 0,
            unknown: records(0),
            undated: records(0),
            outside: 0,
            others: Vec::new(),
            talks_astray: 0,
        };
        let (zh, en) = rate(&view(3, 1, Some("33.33")));
        assert_eq!(zh, "匹配成功率 1/3 = 33.33%（达成协议/采纳，采纳于 2026-01-01 至 现在）");
        assert!(en.contains("1/3 = 33.33%"));
        let (zh, en) = rate(&view(0, 0, None));
        assert!(zh.contains("分母为零") && en.contains("nothing to divide by"));
    }
}
