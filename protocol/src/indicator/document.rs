//! The page about indicators, in Markdown, Chinese first: made from the definitions, so that it never says anything else.

use std::fmt::Write;

use super::definition::{Basis, Definitions, Indicator};

/// The page.
pub fn document(definitions: &Definitions) -> String {
    let mut page = String::from(
        "# 指标 Indicators\n\n本页由测试从 `protocol/indicators/definitions.toml` 写出，请勿手改；名称、目标、公式和存疑照原清单。\n\
         This page is written by a test from the definitions; do not edit it. Name, target, formula and doubts are those of \
         the list.\n\n",
    );
    let count = |basis: Basis| definitions.indicators().iter().filter(|indicator| indicator.basis == basis).count();
    let (computed, entered) = (count(Basis::Computed), count(Basis::Entered));
    let (not_computable, version) = (count(Basis::NotComputable), definitions.version());
    line(
        &mut page,
        format_args!(
            "口径版本 Version: {version}. 由记录算出 computed {computed}，外部数据录入 entered {entered}，无法计算 not computable \
             {not_computable}。\n"
        ),
    );
    for subject in definitions.subjects() {
        line(&mut page, format_args!("## {subject}\n"));
        page.push_str(
            "| 编号 | 指标 | 目标 | 期间 | 算法 How it is computed here |\n| --- | --- | --- | --- | --- |\n",
        );
        let of_subject = definitions.indicators().iter().filter(|indicator| indicator.subject == subject);
        of_subject.for_each(|indicator| row(&mut page, indicator));
        page.push('\n');
    }
    page
}

/// Writing into a string cannot fail.
fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = writeln!(page, "{text}");
}

fn row(page: &mut String, indicator: &Indicator) {
    let Indicator { code, name_zh, name_en, target, unit, period, formula, doubts, .. } = indicator;
    let sign = indicator.comparator.sign();
    let basis = match indicator.basis {
        Basis::Computed => String::new(),
        Basis::Entered => "**录入 entered**：".to_owned(),
        Basis::NotComputable => "**无法计算 not computable**：".to_owned(),
    };
    let doubts = if doubts.is_empty() { String::new() } else { format!("<br>存疑：{doubts}") };
    let how = format!("{basis}{}<br>{}", indicator.basis_zh, indicator.basis_en);
    let target = format!("{sign} {target} {unit}");
    let cells = [
        code.clone(),
        format!("{name_zh}<br>{name_en}"),
        target,
        period.clone(),
        format!("{how}<br>原式：{formula}{doubts}"),
    ];
    let cells: Vec<String> = cells.iter().map(|cell| cell.trim().replace('|', "\\|")).collect();
    line(page, format_args!("| {} |", cells.join(" | ")));
}
