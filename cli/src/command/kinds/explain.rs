//! `kinds KIND`: one kind with its fields.

use node::kinds::{NamedSets, kind_view, kinds};
use protocol::kind::Field;
use protocol::kind::document::{notes, readers, type_of, writers};

use crate::command::statements;
use crate::context::Context;
use crate::failure::Failure;
use crate::output;

/// Explains a kind.
pub fn perform(context: &Context, name: &str) -> Result<(), Failure> {
    let kind = statements::kind(name)?;
    context.out.json(&kind_view(kinds(), kind, &NamedSets::new()));
    let facets: Vec<&str> = kind.facets().map(|field| field.zh.as_str()).collect();
    context.out.line(output::pairs(&[
        ("类别", format!("{} {} {}（{}）", kind.number(), kind.zh(), kind.en(), kind.name())),
        ("谁可写", writers(kind)),
        ("谁可读", readers(kind)),
        ("标题", kind.title_field().zh.clone()),
        ("自编号", kind.external_field().zh.clone()),
        ("筛选", facets.join("、")),
    ]));
    context.out.line("");
    for field in kind.fields() {
        context.out.line(field_line(field));
    }
    Ok(())
}

/// A field on a line, since the choices of one are too long for a column.
fn field_line(field: &Field) -> String {
    let obligatory = if field.obligatory { " *必填 obligatory" } else { "" };
    let mut line =
        format!("{:>3} {} {} [{}] {}{obligatory}", field.number, field.zh, field.en, field.name, type_of(field));
    for note in notes(field) {
        line.push_str("；");
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
