//! `kinds KIND`: one kind with its fields.

use node::kinds::{NamedSets, kind_view, kinds};
use protocol::kind::document::{notes, readers, rules, type_of, writers};
use protocol::kind::{Field, Kind};

use crate::command::statements;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;

/// Explains a kind.
pub fn perform(context: &Context, name: &str) -> Result<(), Failure> {
    let kind = statements::kind(name)?;
    context.out.json(&kind_view(kinds(), kind, &NamedSets::new()));
    let facets: Vec<&str> = kind.facets().map(|field| field.zh.as_str()).collect();
    if !kind.about_zh().is_empty() || !kind.about_en().is_empty() {
        context.out.say(kind.about_zh(), kind.about_en());
    }
    context.out.line(output::pairs(&[
        ("类别", format!("{} {} {}（{}）", kind.number(), kind.zh(), kind.en(), kind.name())),
        ("谁可写", writers(kind)),
        ("谁可读", readers(kind)),
        ("标题", kind.title_field().zh.clone()),
        ("自编号", kind.external_field().zh.clone()),
        ("筛选", facets.join("、")),
        ("需求", kind.requirement().to_owned()),
    ]));
    context.out.line("");
    for field in kind.fields() {
        context.out.line(field_line(field));
    }
    for (name, lines) in rules_of(kind) {
        if !lines.is_empty() {
            context.out.line(format!("\n{name}"));
        }
        lines.iter().for_each(|line| context.out.line(format!("  {line}")));
    }
    Ok(())
}

/// Checks, states, changes and figures, each under its heading.
fn rules_of(kind: &Kind) -> Vec<(&'static str, Vec<String>)> {
    let lifecycle = kind.lifecycle();
    vec![
        ("核对 Checks", rules::checks(kinds(), kind)),
        ("状态 States", lifecycle.map(rules::states).unwrap_or_default()),
        ("变更 Transitions", lifecycle.map(|found| rules::transitions(kinds(), kind, found)).unwrap_or_default()),
        ("计算 Figures", rules::figures(kinds(), kind)),
    ]
}

/// A field on a line, since the choices of one are too long for a column.
fn field_line(field: &Field) -> String {
    let obligatory = if field.obligatory { " *必填 obligatory" } else { "" };
    let mut line =
        format!("{:>3} {} {} [{}] {}{obligatory}", field.number, field.zh, field.en, field.name, type_of(field));
    for note in notes(kinds(), field) {
        line.push('；');
        line.push_str(&note);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_says_its_type_unit_and_whether_it_must_be_there() {
        let fund = kinds().kind_named("fund").expect("a built-in kind");
        let line = |name: &str| field_line(fund.field_named(name).expect("a field of the kind"));
        assert!(line("name").contains("必填 obligatory"), "{}", line("name"));
        assert!(line("size").contains("亿元") && line("size").contains("规模") && !line("size").contains("必填"));
        assert!(line("directions").contains("list"));
    }
}
