//! `duties`: how members stand with what they owe; `unchanged`: nothing changed, said once for this node's member
//! (F037, F091, F092 of the requirements).

use clap::Args;
use node::api::types::{DutiesView, DutyItem, UnchangedItem, UnchangedView};

use super::indicators::read_time;
use crate::context::Context;
use crate::failure::Failure;
use crate::{output, time};

/// Arguments of `duties`.
#[derive(Debug, Args)]
pub struct DutiesArguments {
    /// 截至：2026-03、2026-03-31（当日结束时）或 2026-03-31T10:00（北京时间）；缺省为现在。
    /// As of 2026-03, 2026-03-31 (the end of that day) or 2026-03-31T10:00 (China time); now by default
    #[arg(long, value_name = "TIME")]
    as_of: Option<String>,
    /// 只要这个成员：编号或名称。
    /// Only this member, by number or name
    #[arg(long, value_name = "MEMBER")]
    member: Option<String>,
    /// 只要这项义务，例如 YW001。
    /// Only this duty, for instance YW001
    #[arg(long, value_name = "DUTY")]
    rule: Option<String>,
    /// 只要这种状态（可多次）：met、met_no_change、late、due、overdue、escalated、exempt、not_computable。
    /// Only those that stand so (repeatable)
    #[arg(long = "state", value_name = "STATE")]
    states: Vec<String>,
    /// 只要逾期的，含升级的。
    /// Only what is overdue or escalated
    #[arg(long, conflicts_with = "states")]
    overdue: bool,
}

/// Asks and shows.
pub fn perform(context: &Context, arguments: &DutiesArguments) -> Result<(), Failure> {
    let view: DutiesView = context.client()?.get("/v1/duties", &query(arguments)?)?;
    context.out.json(&view);
    if view.items.is_empty() {
        match arguments.overdue {
            true => context.out.say("没有逾期的义务。", "Nothing is overdue."),
            false => context.out.say("没有符合的义务。", "No duty is like that."),
        }
    } else {
        let headers = ["义务", "谁", "内容", "状态", "上期", "条数", "本期", "下次截止", "连续缺"];
        context.out.table(&headers, view.items.iter().map(|item| row(&view, item)).collect());
    }
    let counts = &view.counts;
    context.out.line(format!(
        "已履行 met {}，声明无变化 no change {}，迟交 late {}，逾期 overdue {}，升级 escalated {}；待履行 due {}，\
         不适用 exempt {}，无法计算 not computable {}；本期尚未履行 not yet in the running period {}",
        counts.met,
        counts.met_no_change,
        counts.late,
        counts.overdue,
        counts.escalated,
        counts.due,
        counts.exempt,
        counts.not_computable,
        counts.running_due
    ));
    let (hash, frontier) = (view.rules_hash.get(..12).unwrap_or_default(), view.frontier.get(..12).unwrap_or_default());
    context.out.line(format!(
        "规则 rules {} {hash}  章程 charter {}  前沿 frontier {frontier}  截至 as of {}",
        view.rules_version,
        view.charter_version,
        time::show(view.as_of_ms)
    ));
    if view.charter_rules == "others" {
        context.out.say(
            "章程指定的义务规则与本程序的不同，结论可能与别的节点不一样；请升级。",
            "the charter names other duty rules than those of this build; other nodes may judge otherwise: update",
        );
    }
    if view.charter_rules == "none" {
        context.out.say(
            "章程还没有指定义务规则，以上按本程序自带的规则推算；登记人可用 xianmeng charter duty-rules 指定。",
            "the charter names no duty rules yet; these come with the program (registrars: `xianmeng charter duty-rules`)",
        );
    }
    if !view.complete {
        context
            .out
            .say("节点还没有看完全部记录，请稍后再问。", "the node has not looked at every record yet; ask again soon");
    }
    Ok(())
}

fn query(arguments: &DutiesArguments) -> Result<Vec<(&'static str, String)>, Failure> {
    let mut query = Vec::new();
    let as_of_ms = arguments.as_of.as_deref().map(read_time).transpose()?;
    query.extend(as_of_ms.map(|as_of_ms| ("as_of", as_of_ms.to_string())));
    query.extend(arguments.member.clone().map(|member| ("member", member)));
    query.extend(arguments.rule.clone().map(|rule| ("rule", rule)));
    let states = if arguments.overdue { "overdue,escalated".to_owned() } else { arguments.states.join(",") };
    if !states.is_empty() {
        query.push(("state", states));
    }
    Ok(query)
}

fn row(view: &DutiesView, item: &DutyItem) -> Vec<String> {
    let rule = view.rules.iter().find(|rule| rule.rule == item.rule);
    let ended = item.ended.as_ref();
    let running = item.running.as_ref().map(|running| format!("{} {}", running.period, running.state_zh));
    let number = item.member.as_ref().map_or_else(String::new, |member| format!("{} ", member.number));
    vec![
        item.rule.clone(),
        output::plain(&format!("{number}{}", item.bearer_zh)),
        rule.map(|rule| rule.content_zh.clone()).unwrap_or_default(),
        item.state_zh.clone(),
        ended.map(|ended| format!("{} {}", ended.period, ended.state_zh)).unwrap_or_default(),
        ended.map(|ended| (ended.counted + ended.no_change + ended.late).to_string()).unwrap_or_default(),
        running.unwrap_or_default(),
        item.next_due_ms.map_or_else(|| "-".to_owned(), time::show_deadline),
        item.missed.to_string(),
    ]
}

/// Says that nothing changed.
pub fn unchanged(context: &Context) -> Result<(), Failure> {
    let view: UnchangedView = context.client()?.post("/v1/duties/unchanged", &serde_json::json!({}))?;
    context.out.json(&view);
    if view.duties.is_empty() {
        context.out.say("本成员没有定期义务。", "This member has no recurring duty.");
        return Ok(());
    }
    let row = |duty: &UnchangedItem| {
        let label = duty.label.clone().unwrap_or_default();
        vec![duty.rule.clone(), duty.content_zh.clone(), duty.period.clone(), duty.outcome_zh.clone(), label]
    };
    context.out.table(&["义务", "内容", "期间", "结果", "记录"], view.duties.iter().map(row).collect());
    match view.stated {
        0 => context.out.say("没有要声明的：见各项结果。", "Nothing was stated: see the outcome of each."),
        stated => context.out.say(
            format!("已声明无变化 {stated} 项，已落盘。"),
            format!("stated that nothing changed for {stated} duties, durably"),
        ),
    }
    Ok(())
}
