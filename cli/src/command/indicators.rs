//! `indicators`: every figure against its target, and what one of them comes from (F096 of the requirements).

use clap::Args;
use node::api::types::{AnswerView, IndicatorEvidenceView, IndicatorView, IndicatorsView, ObjectionView, PhaseView};
use node::as_of;

use crate::client::segment;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::time;

/// Records of one figure that are shown unless more are asked for.
const SHOWN_MAX: usize = 50;

/// Arguments of `indicators`.
#[derive(Debug, Args)]
pub struct IndicatorsArguments {
    /// 一项指标的编号，例如 ZB009：列出算出它的记录。
    /// The code of one indicator: shows the records that it comes from
    #[arg(value_name = "CODE")]
    code: Option<String>,
    /// 截至：2026-03、2026-03-31（当日结束时）或 2026-03-31T10:00（北京时间）；缺省为现在。
    /// As of 2026-03, 2026-03-31 (the end of that day) or 2026-03-31T10:00 (China time); now by default
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// 只看一个考核主体，例如 联盟、夏邑县。
    /// Only what assesses this subject
    #[arg(long, value_name = "SUBJECT", conflicts_with = "code")]
    subject: Option<String>,
    /// 连无法计算和没有数值的也列出，并说明原因。
    /// Also those that cannot be computed or have no value, with the reason
    #[arg(long, conflicts_with = "code")]
    all: bool,
}

/// Asks and shows.
pub fn perform(context: &Context, arguments: &IndicatorsArguments) -> Result<(), Failure> {
    let as_of = arguments.as_of.as_deref().map(read_time).transpose()?;
    let mut query: Vec<(&str, String)> = as_of.into_iter().map(|as_of| ("as_of", as_of.to_string())).collect();
    if let Some(code) = &arguments.code {
        let path = format!("/v1/indicators/{}", segment(code));
        let view: IndicatorEvidenceView = context.client()?.get(&path, &query)?;
        context.out.json(&view);
        show_one(context, &view);
        return Ok(());
    }
    query.extend(arguments.subject.iter().map(|subject| ("subject", subject.clone())));
    let view: IndicatorsView = context.client()?.get("/v1/indicators", &query)?;
    context.out.json(&view);
    let is_shown = |indicator: &&IndicatorView| arguments.all || indicator.value.is_some();
    let shown: Vec<&IndicatorView> = view.indicators.iter().filter(is_shown).collect();
    let headers = ["编号", "指标", "主体", "数值", "目标", "判定", "经他方确认", "期间", "覆盖", "不明", "记录"];
    context.out.table(&headers, shown.iter().map(|indicator| row(indicator)).collect());
    let hidden = view.indicators.len() - shown.len();
    if hidden > 0 {
        context.out.say(
            format!("另有 {hidden} 项没有数值；--all 一并列出，并说明为什么。"),
            format!("{hidden} more have no value; `--all` lists them with the reason"),
        );
    }
    shown.iter().for_each(|indicator| say_why(context, indicator));
    for indicator in &view.indicators {
        say_all(context, &indicator.code, &indicator.objections, indicator.objections_total);
    }
    let PhaseView { zh, en, until_ms, indicator, .. } = &view.phase;
    let until = until_ms.map_or_else(String::new, |until_ms| format!("，至 until {}", time::show(until_ms)));
    let goal = indicator.as_ref().map_or_else(String::new, |code| format!("，目标 goal {code}"));
    context.out.line(format!("阶段 phase {zh} {en}{until}{goal}"));
    let (time, version, digest, rules) =
        (time::show(view.as_of_ms), view.charter_version, &view.digest, view.rules_version);
    context.out.line(format!("截至 as of {time}  章程 charter {version}  口径 rules {rules}  条目 entries {digest}"));
    say_incomplete(context, view.complete, view.missing_bodies);
    Ok(())
}

fn show_one(context: &Context, view: &IndicatorEvidenceView) {
    let indicator = &view.indicator;
    let IndicatorView { code, name_zh, name_en, formula, basis_zh, basis_en, .. } = indicator;
    context.out.line(format!("{code} {name_zh} {name_en}"));
    context.out.line(format!("原式 {formula}"));
    context.out.say(format!("算法 {basis_zh}"), basis_en);
    if !indicator.doubts.is_empty() {
        context.out.line(format!("存疑 {}", indicator.doubts));
    }
    let headers = ["数值", "目标", "判定", "经他方确认", "期间", "覆盖", "不明", "不相加", "重复", "记录"];
    let mut cells: Vec<String> = row(indicator).split_off(3);
    cells.splice(7..7, [indicator.left_out.to_string(), indicator.duplicates.to_string()]);
    context.out.table(&headers, vec![cells]);
    say_why(context, indicator);
    if let Some((above, below)) = indicator.above.as_ref().zip(indicator.below.as_ref()) {
        context.out.line(format!("{above} ÷ {below}"));
    }
    for group in &indicator.groups {
        context.out.line(format!("  {} {}", group.name, group.value));
    }
    let records = view.evidence.iter().take(SHOWN_MAX).map(|record| {
        let confirmed = if record.confirmed { "经他方确认" } else { "" };
        let owner = record.owner.name.clone();
        vec![record.label.clone(), record.title.clone(), owner, record.amount.clone(), confirmed.to_owned()]
    });
    let records: Vec<_> = records.collect();
    if records.is_empty() {
        context.out.say("没有记录计入。", "no record counts");
    } else {
        context.out.table(&["记录", "名称", "成员", "计入", ""], records);
    }
    if view.total > SHOWN_MAX {
        let total = view.total;
        context.out.say(format!("共 {total} 条"), format!("{total} in all"));
    }
    say_all(context, code, &indicator.objections, indicator.objections_total);
    say_incomplete(context, view.complete, view.missing_bodies);
}

/// Says why an indicator has no value.
fn say_why(context: &Context, indicator: &IndicatorView) {
    let IndicatorView { code, name_zh, name_en, why_zh, why_en, .. } = indicator;
    if !why_zh.is_empty() {
        context.out.say(format!("{code} {name_zh}：{why_zh}"), format!("{code} {name_en}: {why_en}"));
    }
}

fn say_incomplete(context: &Context, complete: bool, missing_bodies: u64) {
    if missing_bodies > 0 {
        context.out.say(
            format!("还有 {missing_bodies} 条条目的正文没有收到，数值可能不全。"),
            format!("the bodies of {missing_bodies} entries are not here, so figures may lack something"),
        );
    } else if !complete {
        context.out.say(
            "本节点还在追赶，数值可能不全；稍后再问。",
            "this node is still catching up, so figures may lack something; ask again soon",
        );
    }
}

/// Says the objections to a figure, and how many more there are.
pub fn say_all(context: &Context, code: &str, objections: &[ObjectionView], total: usize) {
    objections.iter().for_each(|objection| say(context, objection));
    let more = total.saturating_sub(objections.len());
    if more > 0 {
        context.out.say(format!("{code} 另有 {more} 条异议"), format!("{code}: {more} further objections"));
    }
}

/// Says an objection and its answer.
fn say(context: &Context, objection: &ObjectionView) {
    let ObjectionView { label, code, by, text, bulletin, .. } = objection;
    let revised = revised(objection.revised_ms);
    context.out.line(format!("异议 objection {label}：{code}（公报 {bulletin}）{}：{text}{revised}", by.name));
    match &objection.answer {
        Some(answer) => context.out.line(format!("  {}", answered(answer))),
        None => context.out.line("  尚未答复 not answered"),
    }
}

fn answered(answer: &AnswerView) -> String {
    let AnswerView { label, by, text, .. } = answer;
    let outcome = answer.outcome.as_ref().map(|outcome| format!("【{outcome}】")).unwrap_or_default();
    let revised = revised(answer.revised_ms);
    let earlier = if answer.before_revision {
        "（针对修改之前的异议 to the objection before its revision）"
    } else {
        ""
    };
    format!("答复 answer {label}：{}：{outcome}{text}{revised}{earlier}", by.name)
}

fn revised(at_ms: Option<u64>) -> String {
    at_ms.map(|at_ms| format!("（{} 修改 revised）", time::show(at_ms))).unwrap_or_default()
}

fn row(indicator: &IndicatorView) -> Vec<String> {
    let IndicatorView { comparator, target, unit, .. } = indicator;
    let dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    let period = match (&indicator.from, &indicator.until) {
        (Some(from), Some(until)) => format!("{from} 至 {until}"),
        _ => indicator.period_rule.clone(),
    };
    let entered = if indicator.basis == "entered" { "（录入）" } else { "" };
    vec![
        indicator.code.clone(),
        indicator.name_zh.clone(),
        indicator.subject.clone(),
        format!("{}{entered}", dash(&indicator.value)),
        format!("{comparator} {target} {unit}").trim().to_owned(),
        indicator.verdict_zh.clone(),
        dash(&indicator.confirmed),
        period,
        format!("{}/{}", indicator.members_counted, indicator.members_due),
        indicator.unknown.to_string(),
        indicator.records.to_string(),
    ]
}

/// A time that people give, read as everywhere; a day alone means its end.
pub fn read_time(text: &str) -> Result<u64, Failure> {
    as_of::parse(text, time::now_ms()).ok_or_else(|| {
        let (zh, en) = (format!("看不懂时刻“{text}”。"), format!("`{text}` is no time"));
        Failure::new(ExitCode::Usage, "time", zh, en).fix(format!("{}。", as_of::FORMATS_ZH), as_of::FORMATS_EN)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_alone_is_its_end() {
        let day = time::parse("2026-03-31").expect("a day");
        assert_eq!(read_time("2026-03-31"), Ok(day + time::DAY_MS - 1));
        assert_eq!(read_time("2026-03-31 12:00"), Ok(day + time::DAY_MS / 2));
        let failure = read_time("三月").expect_err("no time");
        assert!(failure.exit == ExitCode::Usage && failure.fix_zh.contains("2026-03-31T10:00"));
    }
}
