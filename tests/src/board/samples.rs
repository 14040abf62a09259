//! What the members of the board owe, report and are measured by.

use std::sync::Arc;

use node::api::types::{
    AnswerView, BeaconReport, BulletinFigure, DifferenceView, DutyCounts, DutyItem, DutyPeriodView, DutyRuleView,
    EvidenceView, IndicatorView, ObjectionView, VerificationView,
};
use node::portal::data::Check;

use super::{Board, DAY_MS, FOUNDED_MS, PLACES};

/// Objections to one figure: more than a list or a page shows.
const OBJECTIONS: usize = 70;
/// Longer than a list shows.
const LONG_TEXT: &str = "两份记录都在截止时间以前发布，编号和正文可以在本县的日志里查到，请秘书处核对之后在下一期公报里\
                         一并更正，并说明当时为什么没有计入这两份记录以及其他各县有没有同样的情况。";

pub(super) fn division(code: &str) -> String {
    let table = protocol::kind::codes::table(protocol::kind::codes::DIVISIONS).expect("a table of the build");
    table.full_name(code).unwrap_or_else(|| code.to_owned())
}

pub(super) fn report(number: u32, now_ms: u64) -> BeaconReport {
    BeaconReport {
        as_of_ms: now_ms - u64::from(number % 9) * 60_000,
        version: if number % 11 == 2 { "0.0.9" } else { "0.1.0" }.into(),
        boot_ms: now_ms - 5 * DAY_MS,
        interval_seconds: 600,
        charter_version: 9,
        digest: format!("{:064x}", 0xabcd_ef01_u64),
        agrees: number % 11 != 2,
        entries: 100_000 - u64::from(number % 11),
        peers: (number % 9) as u16 + 1,
        missing_entries: 0,
        missing_bodies: 0,
        disk_free_bytes: Some(50_000_000_000),
        disk_free_permille: Some(500),
        clock_offset_ms: Some(12),
        rejected: number % 4,
    }
}

pub(super) fn duty(number: u32, now_ms: u64) -> DutyItem {
    let (state, state_zh) = match number % 6 {
        0 => ("overdue", "逾期"),
        1 => ("met_no_change", "无变化"),
        2 => ("escalated", "升级"),
        3 => ("late", "迟交"),
        _ => ("met", "已履行"),
    };
    let (running, running_zh) = if number.is_multiple_of(2) { ("due", "待履行") } else { ("met", "已履行") };
    let name = Board::name(number);
    DutyItem {
        rule: "YW001".into(),
        class: "county".into(),
        region: PLACES[number as usize % PLACES.len()].0.into(),
        bearer_zh: name.name.clone(),
        bearer_en: name.name.clone(),
        member: Some(name),
        state: state.into(),
        state_zh: state_zh.into(),
        ended: Some(DutyPeriodView {
            period: "2026-10".into(),
            start_ms: FOUNDED_MS + 273 * DAY_MS,
            end_ms: FOUNDED_MS + 304 * DAY_MS,
            due_ms: FOUNDED_MS + 304 * DAY_MS,
            state: state.into(),
            state_zh: state_zh.into(),
            counted: 1,
            no_change: 0,
            late: 0,
            sum: None,
            evidence: Vec::new(),
            why_zh: String::new(),
            why_en: String::new(),
        }),
        running: Some(DutyPeriodView {
            period: "2026-11".into(),
            start_ms: FOUNDED_MS + 304 * DAY_MS,
            end_ms: FOUNDED_MS + 334 * DAY_MS,
            due_ms: FOUNDED_MS + 334 * DAY_MS,
            state: running.into(),
            state_zh: running_zh.into(),
            counted: 0,
            no_change: 0,
            late: 0,
            sum: None,
            evidence: Vec::new(),
            why_zh: String::new(),
            why_en: String::new(),
        }),
        next_due_ms: Some(now_ms + 8 * DAY_MS),
        missed: if state == "escalated" { 3 } else { 0 },
        last_ms: Some(now_ms - 40 * DAY_MS),
    }
}

pub(super) fn duty_rule(counts: DutyCounts) -> DutyRuleView {
    DutyRuleView {
        rule: "YW001".into(),
        bearer_zh: "县域政府类成员".into(),
        bearer_en: "county members".into(),
        content_zh: "更新本县资源、需求、项目信息".into(),
        content_en: "update the county's resources, demands and projects".into(),
        period: "month".into(),
        frequency_zh: "每月".into(),
        required: "1 次".into(),
        deadline_zh: "自然月最后一日 24 时（北京时间）".into(),
        consequence_zh: "可劝退、除名".into(),
        escalated_after: Some(2),
        not_computable_zh: String::new(),
        not_computable_en: String::new(),
        by_unchanged: true,
        source: "000_0644b0f9d188ed14.txt".into(),
        ended_period: "2026-10".into(),
        counts,
    }
}

pub(super) fn indicator(number: usize, now_ms: u64) -> IndicatorView {
    let verdicts = [
        ("met", "达标", "met"),
        ("missed", "未达标", "missed"),
        ("open", "进行中", "open"),
        ("unknown", "无法判断", "unknown"),
    ];
    let no_target = ("no-target", "无目标", "no target");
    let (verdict, verdict_zh, verdict_en) = if number == 23 { no_target } else { verdicts[number % 4] };
    let objection = |answered: bool| ObjectionView {
        id: "6e".repeat(32),
        label: "3-4".into(),
        bulletin: "0-12".into(),
        code: format!("ZB{number:03}"),
        by: Board::name(3),
        text: format!("本县还有两份记录没有计入。{LONG_TEXT}"),
        made_ms: now_ms - 3 * DAY_MS,
        versions: 1,
        revised_ms: None,
        answer: answered.then(|| AnswerView {
            label: "0-13".into(),
            by: Board::name(0),
            text: "两份记录晚于公报的截止时间。".into(),
            outcome: Some("不采纳".into()),
            made_ms: now_ms - DAY_MS,
            revised_ms: None,
            before_revision: false,
        }),
    };
    IndicatorView {
        code: format!("ZB{number:03}"),
        name_zh: ["覆盖省份", "县（市、区）成员", "优质产业基金机构", "年度跨区域对接活动"][number % 4].into(),
        name_en: ["provinces covered", "county members", "industry funds", "matching events across regions"]
            [number % 4]
            .into(),
        subject: if number.is_multiple_of(3) { "县域" } else { "联盟" }.into(),
        comparator: "≥".into(),
        target: (number * 10).to_string(),
        unit: "个".into(),
        period_rule: "至2030-12-31".into(),
        nature: "目标".into(),
        formula: "有效县域成员的省级代码去重计数".into(),
        doubts: "“重点”无判定标准".into(),
        basis: if number == 3 { "not-computable" } else { "computed" }.into(),
        basis_zh: if number == 3 {
            "记录里没有营业收入"
        } else {
            "按有效成员的行政区划代码计算。"
        }
        .into(),
        basis_en: if number == 3 { "records state no revenue" } else { "from the division codes of active members" }
            .into(),
        from: None,
        until: Some("2026-11-22".into()),
        value: (verdict != "unknown").then(|| (number * 9).to_string()),
        why: if verdict == "unknown" { "no-record".into() } else { String::new() },
        why_zh: if verdict == "unknown" { "没有这方面的记录".into() } else { String::new() },
        why_en: if verdict == "unknown" { "there is no record of it".into() } else { String::new() },
        above: None,
        below: None,
        confirmed: number.is_multiple_of(2).then(|| (number * 7).to_string()),
        verdict: verdict.into(),
        verdict_zh: verdict_zh.into(),
        verdict_en: verdict_en.into(),
        members_counted: number,
        members_due: 24,
        records: number * 3,
        unknown: number % 3,
        left_out: 0,
        duplicates: 0,
        groups: Vec::new(),
        published: None,
        objections: match number {
            2 => (0..OBJECTIONS).map(|turn| objection(turn.is_multiple_of(3))).collect(),
            5 => vec![objection(true)],
            _ => Vec::new(),
        },
        objections_total: usize::from(matches!(number, 2 | 5)),
    }
}

pub(super) fn check(differs: bool) -> Check {
    let (verdict, verdict_zh, verdict_en) = match differs {
        true => ("differs", "不一致", "it differs"),
        false => ("equal", "重算一致", "computed again, equal"),
    };
    let difference = |code: &str| DifferenceView {
        what: "value".into(),
        code: Some(code.into()),
        stated: Some("18".into()),
        found: Some("19".into()),
        records: vec!["3-7".into()],
        zh: format!("{code} 的数值：公报写 18，重算得 19；差在记录 3-7。"),
        en: format!("value of {code}: stated 18, computed 19; by the records 3-7"),
    };
    let found = VerificationView {
        bulletin: Board::bulletin_view(),
        verdict: verdict.into(),
        verdict_zh: verdict_zh.into(),
        verdict_en: verdict_en.into(),
        recomputed: 24,
        differences: if differs { vec![difference("ZB002")] } else { Vec::new() },
        missing: Vec::new(),
        late: Vec::new(),
        late_records: 0,
    };
    Check { at_ms: node::core::now_ms() - 60_000, found: Ok(Arc::new(found)) }
}

pub(super) fn bulletin_figure(number: usize) -> BulletinFigure {
    let indicator = indicator(number, node::core::now_ms());
    BulletinFigure {
        code: indicator.code,
        name_zh: indicator.name_zh,
        name_en: indicator.name_en,
        unit: indicator.unit,
        value: indicator.value,
        confirmed: indicator.confirmed,
        members_counted: indicator.members_counted,
        members_due: indicator.members_due,
        unknown: indicator.unknown,
        records: indicator.records,
        objections: indicator.objections,
        objections_total: indicator.objections_total,
    }
}

pub(super) fn evidence(number: u32) -> EvidenceView {
    EvidenceView {
        id: format!("{number:064x}"),
        label: format!("{number}-7"),
        kind: "project".into(),
        kind_zh: "项目".into(),
        owner: Board::name(number),
        title: format!("脐橙精深加工项目第{number}期"),
        part: "value".into(),
        amount: "1".into(),
        confirmed: number.is_multiple_of(2),
    }
}
