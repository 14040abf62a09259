//! The page about duties, `docs/DUTIES.md`: made from the rules, so that it never says anything else than they do.

use std::fmt::Write as _;

use super::judge::State;
use super::rules::{Duty, Judged, Rules};
use crate::limits::{DUTY_EVIDENCE_MAX, DUTY_PERIODS_BACK_MAX};

/// What each state means, in Chinese and English.
const MEANINGS: [(State, &str, &str); 8] = [
    (State::Met, "在期限内有足够的记录", "enough records in time"),
    (State::MetNoChange, "在期限内声明“无变化”；算履行，单独统计", "said in time that nothing changed; counted apart"),
    (State::Late, "期限过后才履行，单独统计", "performed after the time was over; counted apart"),
    (State::Due, "期限未到，尚未履行", "the time runs, and it is not performed yet"),
    (State::Overdue, "期限已过，没有履行", "the time is over, and it was not performed"),
    (
        State::Escalated,
        "又过了规则写明的若干周期仍未履行，提请处理",
        "nor was it in the further periods that the rule names",
    ),
    (State::Exempt, "未满一个完整周期、暂停、退出、除名", "not owed: before the first full period, suspended, gone"),
    (
        State::NotComputable,
        "记录里算不出；或无法判断：县内单位不必上报，或记录按本程序不认识的类别集发布。不作结论",
        "records cannot tell, a body inside a county need not report, or records are of kinds unknown to this build: \
         nothing is said",
    ),
];

/// The page.
pub fn document(rules: &Rules) -> String {
    let mut page = String::from(
        "# 义务 Duties\n\n\
         本页由 `protocol/duties/rules.toml` 生成，请勿手改。This page is made from `protocol/duties/rules.toml`.\n\n\
         `xianmeng duties` 列出各成员的义务履行情况，`--as-of 2026-03-31` 按当日结束时（北京时间）推算，`--overdue` 只列逾期；\
         `xianmeng unchanged` 一次声明“本期无变化”，`xianmeng confirm 记录…` 声明一条或多条记录仍然属实。任何节点对同一章程、同样的条目、同一时刻、同一版规则得出同样的结论，\
         精确规则见 `protocol/SPEC.md`。\n\n\
         `xianmeng duties` says how members stand with their duties, `--as-of 2026-03-31` as of the end of that day in China, \
         `--overdue` only what is overdue; `xianmeng unchanged` says once that nothing changed, `xianmeng confirm RECORD…` \
         that records are still true. Every node with the same \
         charter, entries, time and rules finds the same; the precise rule is in `protocol/SPEC.md`.\n\n\
         ## 怎样推算 How it is judged\n\n\
         - 时间一律是北京时间；一周从星期一零时起，周期含起点不含终点。China time; weeks begin on Monday at 00:00.\n\
         - 义务从加入后的第一个完整周期起算。Duties begin with the first full period after admission.\n\
         - 记录写明所属期间的（如每周发布的“所属周”），计入所写的期间；期限过后才发布的计为迟交。\
         不写期间的，计入发布时所在的期间；只要求一次的义务，逾期后的下一次更新使其由“逾期”转为“迟交”。\
         A record that names its period counts for that one, late if it comes after its time. What names none counts for the \
         period in which it was published; where one is owed, the next one after the time was over makes it late.\n\
         - 发布时间以作者所署为准，但不得早于同一日志里先前条目的时间，否则不计入。The time is the author’s claim; one that is \
         earlier than that of an entry before it in the log counts for nothing.\n\
         - 不改任何字段的修订是“仍然属实”，与无变化声明同样单独统计。A revision that changes nothing says “still true” and \
         is counted apart.\n",
    );
    let _ = writeln!(
        page,
        "- 往前最多看 {DUTY_PERIODS_BACK_MAX} 个周期；每期最多列 {DUTY_EVIDENCE_MAX} 条依据，条数全部计入。At most \
         {DUTY_PERIODS_BACK_MAX} periods back; {DUTY_EVIDENCE_MAX} records are named of each, all are counted.\n"
    );
    page.push_str("| 状态 State | 名称 | 含义 Meaning |\n| --- | --- | --- |\n");
    for (state, zh, en) in MEANINGS {
        let _ = writeln!(page, "| `{}` | {} | {zh}。{en} |", state.name(), state.zh());
    }
    let _ = writeln!(page, "\n## 规则 The rules\n\n第 {} 版 version {}\n", rules.version(), rules.version());
    page.push_str("| 编号 | 主体 Who | 内容 What | 频率 | 至少 | 截止 By when | 未履行 | 怎样推算 Judged |\n");
    page.push_str("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for duty in rules.duties() {
        let _ = writeln!(
            page,
            "| {} | {}<br>{} | {}<br>{} | {} | {} | {}<br>{} | {}{} | {} |",
            duty.id,
            duty.bearer_zh,
            duty.bearer_en,
            duty.content_zh,
            duty.content_en,
            duty.frequency_zh,
            required(duty),
            duty.deadline_zh,
            duty.deadline_en,
            duty.consequence_zh,
            escalation(duty),
            judged(duty)
        );
    }
    page
}

/// What a period needs, with units: `≥100场，≥10000人次`; empty where the source gives no figure.
pub fn required(duty: &Duty) -> String {
    let count = duty.at_least.map(|count| format!("≥{count}{}", duty.unit_zh));
    let sum = duty.sum.as_ref().map(|sum| format!("≥{}{}", sum.at_least, sum.unit_zh));
    count.into_iter().chain(sum).collect::<Vec<_>>().join("，")
}

fn escalation(duty: &Duty) -> String {
    duty.escalated_after.map_or_else(String::new, |further| format!("；再过 {further} 期仍未履行的升级，提请处理"))
}

fn judged(duty: &Duty) -> String {
    let kinds = duty.kinds.join("、");
    let silence = if duty.silence_is_unknown { "；没有记录的不作结论 (silence says nothing)" } else { "" };
    match &duty.judged {
        Judged::ByPeriod => format!("按期看记录 by records：{kinds}{silence}"),
        Judged::Rolling => format!("从上次起算 from the last time on：{kinds}"),
        Judged::BySeats(role) => format!("章程中{}席位的任期 terms of seats in the charter", role.zh()),
        Judged::NotComputable { zh, en } => format!("无法计算：{zh}Not computable: {en}"),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_page_is_that_of_the_rules() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join("docs").join("DUTIES.md");
        let page = document(Rules::builtin());
        if std::env::var_os("XIANMENG_WRITE").is_some() {
            std::fs::write(&path, &page).expect("the page can be written");
        }
        let held = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        assert!(
            held == page,
            "docs/DUTIES.md is not that of the rules; renew it with\n  \
             XIANMENG_WRITE=1 cargo test -p xianmeng-protocol --lib duty::document"
        );
    }
}
