//! `show`: one record as it stands, with what may follow, what marks it, figures, and what names it.

use clap::Args;
use node::api::types::{FigureView, LinkView, MarkView, OnwardView, PositionView, RecordView, ReferencesView};

use crate::client::segment;
use crate::context::Context;
use crate::failure::Failure;
use crate::{output, time};

/// Arguments of `show`.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// 记录：编号如 42-7、完整或开头一段标识，或自己的编号。
    /// The record: a label such as 42-7, an id or how it begins, or one's own number
    #[arg(value_name = "RECORD")]
    record: String,
}

/// Shows a record.
pub fn perform(context: &Context, arguments: &ShowArguments) -> Result<(), Failure> {
    let record: RecordView = context.client()?.get(&format!("/v1/records/{}", segment(&arguments.record)), &[])?;
    context.out.json(&record);
    context.out.line(describe(&record));
    Ok(())
}

fn describe(record: &RecordView) -> String {
    let fields: Vec<(&str, String)> =
        record.fields.iter().map(|field| (field.zh.as_str(), field.value.clone())).collect();
    let references = record.references.as_ref();
    let sections = [
        ("", output::pairs(&head(record))),
        ("字段 Fields", output::pairs(&fields)),
        ("状态与下一步 State and what may follow", standing(record)),
        ("提醒 Marks", record.marks.iter().map(mark).chain(notices(record)).collect::<Vec<_>>().join("\n")),
        ("数字 Figures", output::pairs(&figures(&record.figures))),
        ("引用 References", references.map(links).unwrap_or_default()),
    ];
    let filled = sections.iter().filter(|(_, text)| !text.is_empty());
    let section = |(name, text): &(&str, String)| match *name {
        "" => text.clone(),
        name => format!("{name}\n{}", indented(text)),
    };
    filled.map(section).collect::<Vec<_>>().join("\n\n")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

fn head(record: &RecordView) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("编号", record.label.clone()),
        ("类别", record.kind_zh.clone()),
        ("名称", record.title.clone()),
        ("所有者", format!("{} {}", record.owner.number, record.owner.name)),
    ];
    lines.extend(record.external.clone().map(|external| ("自有编号", external)));
    lines.push(("标识", record.id.clone()));
    lines.push(("发布", time::show(record.created_ms)));
    lines.push(("更新", format!("{}（{} 个版本）", time::show(record.changed_ms), record.versions)));
    if record.withdrawn {
        lines.push(("撤回", format!("已撤回 withdrawn：{}", record.reason.clone().unwrap_or_default())));
    }
    if let Some(confidential) = &record.confidential {
        lines.push(("密文", format!("{} {}", confidential.zh, confidential.en)));
    }
    if record.update_needed {
        lines.push(("注意", "需要更新软件才能读全 update needed to read it fully".into()));
    }
    if record.unassessed {
        let text =
            "关联的记录太多，状态、提醒或数字没有算 too much hangs on it: state, marks or figures were not worked out";
        lines.push(("注意", text.into()));
    }
    if record.uncounted > 0 {
        let count = record.uncounted;
        lines.push(("不算数", format!("{count} 个版本不算数，见 history {count} versions do not count; see history")));
    }
    lines.extend(
        record.problems.iter().map(|problem| ("不合规", format!("{} {} [{}]", problem.zh, problem.en, problem.code))),
    );
    lines.push(("计数", if record.counts { "是 counted".into() } else { "否 not counted".into() }));
    lines
}

fn standing(record: &RecordView) -> String {
    let state = record.state.iter().map(state);
    state.chain(record.onward.iter().map(onward)).collect::<Vec<_>>().join("\n")
}

fn state(state: &PositionView) -> String {
    let since = time::show(state.since_ms);
    let by_time = if state.by_time { "（到时自动 by time）" } else { "" };
    format!("现在 now: {} {}{by_time}  自 since {since}", state.zh, state.en)
}

fn onward(next: &OnwardView) -> String {
    let head = format!("可到 may go to: {} {}（{} {}）", next.zh, next.en, next.office_zh, next.office_en);
    match next.missing.is_empty() {
        true => format!("{head}：条件已具备 ready"),
        false => format!("{head}：{}", output::missing(&next.missing)),
    }
}

fn mark(mark: &MarkView) -> String {
    format!("! {} {}{}", mark.zh, mark.en, output::missing(&mark.missing))
}

fn notices(record: &RecordView) -> impl Iterator<Item = String> + '_ {
    record.notices.iter().map(|notice| format!("· {} {}", notice.zh, notice.en))
}

fn figures(figures: &[FigureView]) -> Vec<(&str, String)> {
    figures.iter().map(|figure| (figure.zh.as_str(), figure_text(figure))).collect()
}

/// `378.84亿元（与填报的 379亿元相差 0.16亿元）`, `60亿元（另有 2 项累计数未相加）`.
fn figure_text(figure: &FigureView) -> String {
    let mut remarks = Vec::new();
    if let Some(gap) = &figure.gap {
        remarks.push(format!("与填报的 {}相差 {}", gap.stated, gap.text.trim_start_matches('-')));
    }
    match figure.left_out {
        0 => {}
        count => remarks.push(format!("另有 {count} 项累计数未相加")),
    }
    match remarks.is_empty() {
        true => figure.text.clone(),
        false => format!("{}（{}）", figure.text, remarks.join("；")),
    }
}

fn links(references: &ReferencesView) -> String {
    let outgoing = references.names.iter().map(|link| format!("→ {}: {}", link.field_zh, other(link)));
    let incoming = references.named_by.iter().map(|link| format!("← {}（{}）", other(link), link.field_zh));
    let more = references.more.then(|| "还有更多未列 there are more".to_owned());
    outgoing.chain(incoming).chain(more).collect::<Vec<_>>().join("\n")
}

fn other(link: &LinkView) -> String {
    let Some(record) = &link.record else {
        return format!("{}（还没有这条记录 no such record yet）", link.text);
    };
    let state = record.state.as_ref().map(|state| format!("  {}", state.zh)).unwrap_or_default();
    let counts = if record.counts { "" } else { "  不计数 not counted" };
    format!("{} {} {}{state}{counts}", record.kind_zh, record.label, record.title)
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::api::types::GapView;

    #[test]
    fn a_figure_says_what_differs_and_what_was_left_out() {
        let figure = |text: &str, left_out, gap: Option<(&str, &str)>| FigureView {
            name: "phases".into(),
            zh: "分期投资合计".into(),
            en: "Investment of the phases".into(),
            text: text.into(),
            amount: None,
            records: 3,
            left_out,
            gap: gap.map(|(stated, text)| GapView { stated: stated.into(), text: text.into() }),
        };
        let gap = figure_text(&figure("378.84亿元", 0, Some(("379亿元", "0.16亿元"))));
        assert_eq!(gap, "378.84亿元（与填报的 379亿元相差 0.16亿元）");
        assert_eq!(figure_text(&figure("60亿元", 2, None)), "60亿元（另有 2 项累计数未相加）");
        assert_eq!(figure_text(&figure("5", 0, Some(("4", "-1")))), "5（与填报的 4相差 1）");
    }
}
