//! The page about kinds, in Markdown, Chinese first: made from a set, so that it never says anything else than the files.

pub mod rules;

use std::fmt::Write;

use super::{Field, FieldType, Kind, KindReaders, KindSet, Readers, codes};

/// The page of a set of kinds.
pub fn document(kinds: &KindSet) -> String {
    let mut page = String::new();
    page.push_str("# 类别 Kinds of record\n\n");
    page.push_str("本页由 `xianmeng kinds document` 从类别文件写出，请勿手改。\n");
    page.push_str("This page is written by `xianmeng kinds document` from the kind files; do not edit it.\n\n");
    line(&mut page, format_args!("类别集 Kind set: `{}`\n", kinds.hash()));
    overview(&mut page, kinds);
    for kind in kinds.kinds() {
        describe(&mut page, kinds, kind);
    }
    page
}

/// Writing into a string cannot fail.
fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = writeln!(page, "{text}");
}

fn overview(page: &mut String, kinds: &KindSet) {
    page.push_str("| 编号 Number | 类别 Kind | 名称 Name | 字段 Fields | 谁可写 Writers | 谁可读 Readers |\n");
    page.push_str("| ---: | --- | --- | ---: | --- | --- |\n");
    for kind in kinds.kinds() {
        let cells = [
            kind.number().to_string(),
            format!("{} {}", kind.zh(), kind.en()),
            format!("`{}`", kind.name()),
            kind.fields().count().to_string(),
            writers(kind),
            readers(kind),
        ];
        row(page, &cells);
    }
}

fn describe(page: &mut String, kinds: &KindSet, kind: &Kind) {
    line(page, format_args!("\n## {} {} {}\n", kind.number(), kind.zh(), kind.en()));
    let facets: Vec<&str> = kind.facets().map(|field| field.zh.as_str()).collect();
    if !kind.about_zh().is_empty() || !kind.about_en().is_empty() {
        line(page, format_args!("{}\n{}\n", cell(kind.about_zh()), cell(kind.about_en())));
    }
    let mut items = vec![
        format!("名称 Name: `{}`", kind.name()),
        format!("谁可写 Writers: {}", writers(kind)),
        format!("谁可读 Readers: {}", readers(kind)),
        format!("标题 Title: {}", both(kind.title_field())),
        format!("自编号 Own number: {}", both(kind.external_field())),
    ];
    if !facets.is_empty() {
        items.push(format!("筛选 Facets: {}", facets.join("、")));
    }
    if !kind.requirement().is_empty() {
        items.push(format!("需求 Requirement: {}", kind.requirement()));
    }
    if !kind.sheet_names().is_empty() {
        items.push(format!("表名 Sheets: {}", kind.sheet_names().join("、")));
    }
    for item in items {
        line(page, format_args!("- {}", cell(&item)));
    }
    page.push_str("\n| 编号 | 字段 Field | 名称 Name | 类型 Type | 必填 | 说明 Notes |\n");
    page.push_str("| ---: | --- | --- | --- | :---: | --- |\n");
    for field in kind.fields() {
        let obligatory = if field.obligatory { "是 yes" } else { "" };
        let cells = [
            field.number.to_string(),
            both(field),
            format!("`{}`", field.name),
            type_of(field),
            obligatory.to_owned(),
            notes(kinds, field).join("；"),
        ];
        row(page, &cells);
    }
    list(page, "核对 Checks", rules::checks(kinds, kind));
    if let Some(lifecycle) = kind.lifecycle() {
        let field = kind.field(lifecycle.field()).map(both).unwrap_or_default();
        let unmapped = if lifecycle.keeps_unmapped() {
            "，其他文字保留并标为未归类 other words are kept"
        } else {
            ""
        };
        list(page, &format!("状态 States（{field}{unmapped}）"), rules::states(lifecycle));
        list(page, "变更 Transitions", rules::transitions(kinds, kind, lifecycle));
    }
    list(page, "计算 Figures", rules::figures(kinds, kind));
    let withheld = kind.withhold_rules().iter().map(|rule| format!("{} {}", rule.zh, rule.en));
    list(page, "不出本机 Withheld", withheld.collect());
}

/// A list under its name; nothing where there is nothing to list.
fn list(page: &mut String, name: &str, items: Vec<String>) {
    if !items.is_empty() {
        line(page, format_args!("\n{}:\n", cell(name)));
    }
    for item in items {
        line(page, format_args!("- {}", cell(&item)));
    }
}

fn row(page: &mut String, cells: &[String]) {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    line(page, format_args!("| {} |", cells.join(" | ")));
}

/// A text as a table or list takes it: on one line, and with no bar of its own.
fn cell(text: &str) -> String {
    text.replace(['\n', '\r'], " ").replace('|', "\\|")
}

fn both(field: &Field) -> String {
    format!("{} {}", field.zh, field.en)
}

/// The type for people: with its unit, its table or its choices, and whether there may be several.
pub fn type_of(field: &Field) -> String {
    let one = match &field.field_type {
        FieldType::Quantity { unit } | FieldType::Money { unit } => {
            format!("{}（{unit}）{}", field.field_type.zh(), field.field_type.name())
        }
        FieldType::Code { table } => {
            let known = codes::table(table).map(|table| table.zh()).unwrap_or_default();
            format!("{} {} `{table}`：{known}", field.field_type.zh(), field.field_type.name())
        }
        FieldType::Choice { choices } => {
            format!("{} {}：{}", field.field_type.zh(), field.field_type.name(), choices.join("、"))
        }
        other => format!("{} {}", other.zh(), other.name()),
    };
    let separator = field.separators.first().copied().unwrap_or(';');
    if field.list { format!("多个 list（以 {separator} 分隔）：{one}") } else { one }
}

/// What else is to be said of a field.
pub fn notes(kinds: &KindSet, field: &Field) -> Vec<String> {
    let mut notes = Vec::new();
    match field.readers {
        Readers::All => {}
        Readers::Parties => notes.push("只有相关各方可读 sealed for the parties".to_owned()),
        Readers::Local => notes.push("只存本机 stays on its node".to_owned()),
    }
    if let Some(target) = field.link_number().and_then(|number| kinds.kind(number)) {
        notes.push(format!("指向 names a record of {} {}", target.zh(), target.en()));
    }
    match (field.min, field.max) {
        (Some(min), Some(max)) => notes.push(format!("{min} 至 to {max}")),
        (Some(min), None) => notes.push(format!("不小于 at least {min}")),
        (None, Some(max)) => notes.push(format!("不大于 at most {max}")),
        (None, None) => {}
    }
    if !field.suggest.is_empty() {
        notes.push(format!("建议 suggested：{}", field.suggest.join("、")));
    }
    if !field.synonyms.is_empty() {
        let synonyms = field.synonyms.iter().map(|(word, choice)| format!("{word}={choice}"));
        notes.push(format!("同义 synonyms：{}", synonyms.collect::<Vec<_>>().join("、")));
    }
    notes.extend(field.hint_zh.iter().chain(&field.hint_en).cloned());
    if !field.headers.is_empty() {
        notes.push(format!("表头又作 other headers：{}", field.headers.join("、")));
    }
    notes
}

/// The classes that may write a kind.
pub fn writers(kind: &Kind) -> String {
    kind.writers().collect::<Vec<_>>().join("、")
}

/// Who reads a kind unless the author of a record says otherwise.
pub fn readers(kind: &Kind) -> String {
    match kind.readers() {
        KindReaders::All => "全体 all".to_owned(),
        KindReaders::Parties => "相关各方 parties".to_owned(),
        KindReaders::Local => "只存本机 local".to_owned(),
        KindReaders::Class(class) => format!("{} class:{}", class.zh(), class.name()),
        KindReaders::Role(role) => format!("{} role:{}", role.zh(), role.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_and_every_field_is_on_the_page() {
        let page = document(KindSet::builtin());
        assert!(page.contains(&KindSet::builtin().hash().to_string()));
        for kind in KindSet::builtin().kinds() {
            let start = page.find(&format!("\n## {} {} {}\n", kind.number(), kind.zh(), kind.en()));
            let section = &page[start.expect("the kind has a section") + 1..];
            let section = &section[..section.find("\n## ").unwrap_or(section.len())];
            for field in kind.fields() {
                let row = format!("| {} | {} | `{}` |", field.number, both(field), field.name);
                assert!(section.contains(&row), "{row}");
            }
        }
    }

    #[test]
    fn a_bar_or_a_line_break_does_not_break_a_table() {
        assert_eq!(cell("甲|乙\n丙"), "甲\\|乙 丙");
    }
}
