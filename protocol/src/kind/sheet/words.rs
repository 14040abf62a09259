//! What rows that are no records look like: totals, notes, signatures, titles. Everything here reads normalised text.

use super::SkipReason;
use crate::kind::text::{narrow, narrow_char, normalise_header};
use crate::kind::unit;

/// Words of a row that adds up other rows.
const TOTALS: [&str; 6] = ["合计", "总计", "小计", "共计", "total", "subtotal"];
/// Characters that a cell such as 本页小计 or 全县合计 has at most.
const TOTAL_CHARS_MAX: usize = 8;
/// Beginnings of a note.
const NOTES: [&str; 7] = ["注", "附注", "备注", "说明", "填表说明", "填报说明", "note"];
/// Beginnings of a cell that says who filled the sheet in.
const SIGNATURES: [&str; 12] = [
    "填表人",
    "填报人",
    "制表",
    "制表人",
    "审核",
    "审核人",
    "复核人",
    "负责人",
    "单位负责人",
    "填表日期",
    "填报日期",
    "联系电话",
];
/// Beginnings of a cell above the header that says who reports, and when.
const REPORTING: [&str; 9] =
    ["填报单位", "报送单位", "编制单位", "填表单位", "单位名称", "单位(盖章)", "填报日期", "填报时间", "报送日期"];
/// Beginnings of the own number of a template's example row.
const EXAMPLES: [&str; 3] = ["示例", "样例", "example"];
/// Marks of an obligatory or optional column.
const MARKS: [&str; 4] = ["(必填)", "(选填)", "(必填项)", "(选填项)"];

/// A header as it is compared and shown: half-width, without line breaks, blanks, stars and marks such as 必填.
pub(super) fn clean_header(text: &str) -> String {
    let text = narrow(text);
    let mut text: String = text.chars().filter(|c| !matches!(c, '*' | '★' | '☆' | '※')).collect();
    for mark in MARKS {
        text = text.replace(mark, "");
    }
    text
}

/// Whether a cell is the word of a total, with what may stand around it: 全县合计, 合计：, 合计（11个）.
pub(super) fn is_total(text: &str) -> bool {
    let text = normalise_header(text);
    TOTALS.iter().any(|word| {
        if let Some(rest) = text.strip_prefix(word) {
            return rest.chars().next().is_none_or(|c| matches!(c, ':' | '(') || c.is_ascii_digit());
        }
        text.strip_suffix(':').unwrap_or(&text).ends_with(word) && text.chars().count() <= TOTAL_CHARS_MAX
    })
}

/// Whether a cell is the word of a total and nothing else.
pub(super) fn is_total_alone(text: &str) -> bool {
    TOTALS.contains(&normalise_header(text).trim_end_matches(':'))
}

/// Whether a cell that stands alone in its row begins a note.
pub(super) fn is_note(text: &str) -> bool {
    let text = normalise_header(text);
    let text = text.trim_start_matches(['(', '【', '※']);
    NOTES.iter().any(|word| {
        let Some(rest) = text.strip_prefix(word) else { return false };
        rest.chars().next().is_none_or(|c| matches!(c, ':' | '.' | '、' | '】' | ')') || c.is_ascii_digit())
    })
}

/// Whether a cell says who filled the sheet in.
pub(super) fn is_signature(text: &str) -> bool {
    let text = normalise_header(text);
    SIGNATURES.iter().any(|word| text.strip_prefix(word).is_some_and(|rest| rest.starts_with([':', '('])))
}

/// Whether an own number is that of a template's example.
pub(super) fn is_example(text: &str) -> bool {
    let text = normalise_header(text);
    EXAMPLES.iter().any(|word| text.starts_with(word))
}

/// What a row above the header is, by its filled cells.
pub(super) fn above(filled: &[&str]) -> SkipReason {
    let first = filled.first().map(|text| normalise_header(text)).unwrap_or_default();
    if REPORTING.iter().any(|word| first.starts_with(word)) || is_signature(&first) {
        SkipReason::ReportingUnit
    } else if !units_named(&first).is_empty() {
        SkipReason::Unit
    } else if is_note(&first) {
        SkipReason::Note
    } else if filled.len() > 1 {
        SkipReason::GroupHeader
    } else {
        SkipReason::Title
    }
}

/// The units that a cell such as `单位：亿元、亩` names.
pub(super) fn units_named(text: &str) -> Vec<&'static unit::Unit> {
    let text = narrow_keeping_blanks(text);
    let Some(rest) = ["计量单位:", "金额单位:", "单位:"].iter().find_map(|word| {
        let at = text.find(word)?;
        // 填报单位：夏邑县 names no units.
        let before = text[..at].trim_end().chars().next_back();
        before.is_none_or(|c| c == '(' || c.is_whitespace()).then(|| &text[at + word.len()..])
    }) else {
        return Vec::new();
    };
    let rest = rest.split(')').next().unwrap_or_default();
    rest.split(['、', ',', ';', ' ']).filter_map(|name| unit::find(&narrow(name))).collect()
}

/// The unit of a cell in a row of units, `（亿元）` or `亿元`.
pub(super) fn unit_cell(text: &str) -> Option<&'static unit::Unit> {
    let text = normalise_header(text);
    let bare = text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).unwrap_or(&text);
    unit::find(bare)
}

fn narrow_keeping_blanks(text: &str) -> String {
    text.chars().map(narrow_char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_told_from_names() {
        for text in ["合计", "合 计", "合计：", "本页小计", "全县合计", "合计（11个）", "总计3项", "TOTAL"]
        {
            assert!(is_total(text), "{text}");
        }
        for text in ["合计算法研究院", "小计量器具厂", "夏邑县纺织服装产业园二期工程项目总计"]
        {
            assert!(!is_total(text), "{text}");
        }
    }

    #[test]
    fn notes_and_signatures_are_told_from_names() {
        assert!(is_note("注：累计数不得相加") && is_note("备注") && is_note("说明1：") && is_note("（注：单位）"));
        assert!(!is_note("注塑机项目") && !is_note("说明书印刷厂"));
        assert!(is_signature("填表人：（占位）") && is_signature("制表: 甲") && !is_signature("负责人培训中心"));
        assert!(is_example("示例001") && is_example("EXAMPLE-1") && !is_example("XM示例"));
    }

    #[test]
    fn a_line_of_units_is_read_and_a_reporting_unit_is_not() {
        let symbols = |text: &str| units_named(text).iter().map(|unit| unit.symbol).collect::<Vec<_>>();
        assert_eq!(symbols("单位：亿元、亩、GWh、人"), ["亿元", "亩", "GWh", "人"]);
        assert_eq!(symbols("（单位：万元）"), ["万元"]);
        assert!(symbols("填报单位：夏邑县商务局").is_empty());
        assert_eq!(unit_cell("（亿元）").map(|unit| unit.symbol), Some("亿元"));
        assert_eq!(unit_cell("阶段").map(|unit| unit.symbol), None);
    }

    #[test]
    fn headers_lose_line_breaks_and_stars() {
        assert_eq!(clean_header("项目\n名称*"), "项目名称");
        assert_eq!(clean_header("★计划投资 （亿元）（必填）"), "计划投资(亿元)");
    }
}
