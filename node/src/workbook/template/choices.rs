//! Drop-downs: choices are enforced, suggestions and codes are offered, and what is too long for the rule itself stands
//! on a hidden sheet.

use std::collections::BTreeMap;

use protocol::kind::codes::{self, CodeTable};
use protocol::kind::{Field, FieldType, Kind, Lifecycle};
use rust_xlsxwriter::{DataValidation, DataValidationErrorStyle, Formula, Worksheet, XlsxError};

use crate::workbook::style;
use protocol::kind::sheet::column_letter;

/// Name of the hidden sheet.
const SHEET: &str = "代码表";
/// UTF-16 units that a list in a rule may have, commas included.
const LIST_UNITS_MAX: usize = 255;

/// The lists of the hidden sheet.
#[derive(Debug, Default)]
pub(super) struct Choices {
    /// Header and cells of each column.
    columns: Vec<(String, Vec<String>)>,
    /// The range in which the words of a list stand, by the list.
    ranges: BTreeMap<Vec<String>, String>,
}

/// The words that a column offers, other than codes.
pub(super) fn words(kind: &Kind, field: &Field) -> Vec<String> {
    if let Some(lifecycle) = lifecycle(kind, field) {
        return lifecycle.states().iter().map(|state| state.zh.clone()).collect();
    }
    match &field.field_type {
        FieldType::Choice { choices } => choices.clone(),
        FieldType::Boolean => vec!["是".to_owned(), "否".to_owned()],
        _ => field.suggest.clone(),
    }
}

/// The lifecycle whose state a field holds.
pub(super) fn lifecycle<'k>(kind: &'k Kind, field: &Field) -> Option<&'k Lifecycle> {
    kind.lifecycle().filter(|lifecycle| lifecycle.field() == field.number)
}

/// Whether other words are refused.
fn is_strict(kind: &Kind, field: &Field) -> bool {
    let typed = matches!(field.field_type, FieldType::Choice { .. } | FieldType::Boolean);
    !field.list && (typed || lifecycle(kind, field).is_some_and(|lifecycle| !lifecycle.keeps_unmapped()))
}

impl Choices {
    /// Whether no list is too long for its rule.
    pub(super) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The drop-down of a column, if it has one.
    pub(super) fn drop_down(&mut self, kind: &Kind, field: &Field) -> Result<Option<DataValidation>, XlsxError> {
        let rule = match table(field) {
            Some(table) => from_range(&self.table_range(table)),
            None => match words(kind, field) {
                words if words.is_empty() => return Ok(None),
                words if fits(&words) => DataValidation::new().allow_list_strings(&words)?,
                words => from_range(&self.range(words)),
            },
        };
        Ok(Some(match (is_strict(kind, field), field.list) {
            (true, _) => rule
                .set_error_style(DataValidationErrorStyle::Stop)
                .set_error_title("请从列表中选择")?
                .set_error_message("请从下拉列表中选择。\nPlease take a word from the list.")?,
            // A cell may hold several, which no rule of a spreadsheet program understands.
            (false, true) => rule.show_error_message(false),
            (false, false) => rule
                .set_error_style(DataValidationErrorStyle::Warning)
                .set_error_title("列表中没有")?
                .set_error_message(
                    "列表中没有这个词；确实需要可以照填。\nNot in the list; it may be used all the same.",
                )?,
        }))
    }

    fn table_range(&mut self, table: &'static CodeTable) -> String {
        let (codes, names): (Vec<_>, Vec<_>) =
            table.entries().map(|(code, name)| (code.to_owned(), name.to_owned())).unzip();
        if let Some(range) = self.ranges.get(&codes) {
            return range.clone();
        }
        let range = self.add(format!("{} 码", table.zh()), codes.clone());
        self.add(format!("{} 义", table.zh()), names);
        self.ranges.insert(codes, range.clone());
        range
    }

    fn range(&mut self, words: Vec<String>) -> String {
        if let Some(range) = self.ranges.get(&words) {
            return range.clone();
        }
        let range = self.add(format!("词表 {}", self.columns.len() + 1), words.clone());
        self.ranges.insert(words, range.clone());
        range
    }

    /// Adds a column and says in which range its cells will stand.
    fn add(&mut self, header: String, cells: Vec<String>) -> String {
        let last = cells.len() + 1;
        self.columns.push((header, cells));
        let letter = column_letter(self.columns.len());
        format!("='{SHEET}'!${letter}$2:${letter}${last}")
    }

    /// Writes the hidden sheet.
    pub(super) fn write(&self, sheet: &mut Worksheet) -> Result<(), XlsxError> {
        sheet.set_name(SHEET)?.set_hidden(true);
        let format = style::text();
        for (column, (header, cells)) in (0u16..).zip(&self.columns) {
            sheet.set_column_width(column, style::width(header))?;
            for (row, cell) in (0u32..).zip(std::iter::once(header).chain(cells)) {
                sheet.write_string_with_format(row, column, cell, &format)?;
            }
        }
        Ok(())
    }
}

/// The table whose codes a column offers.
fn table(field: &Field) -> Option<&'static CodeTable> {
    let FieldType::Code { table } = &field.field_type else { return None };
    codes::table(table).filter(|table| table.entries().next().is_some())
}

fn from_range(range: &str) -> DataValidation {
    DataValidation::new().allow_list_formula(Formula::new(range))
}

/// Whether words can stand in the rule itself, where a comma parts them.
fn fits(words: &[String]) -> bool {
    let units: usize = words.iter().map(|word| word.encode_utf16().count() + 1).sum();
    units <= LIST_UNITS_MAX && !words.iter().any(|word| word.contains([',', '"']))
}

#[cfg(test)]
mod tests {
    use protocol::kind::KindSet;

    use super::*;

    #[test]
    fn a_list_that_is_too_long_for_its_rule_goes_to_the_hidden_sheet_once() {
        let mut choices = Choices::default();
        let words = |count: usize| (0..count).map(|number| format!("词{number}")).collect::<Vec<_>>();
        assert!(fits(&words(10)) && !fits(&words(100)) && !fits(&["甲,乙".to_owned()]));
        assert_eq!(choices.range(words(100)), "='代码表'!$A$2:$A$101");
        assert_eq!(choices.range(words(100)), "='代码表'!$A$2:$A$101");
        let demand = KindSet::builtin().kind_named("demand").expect("a built-in kind");
        for name in ["division_code", "industry_codes", "division_code"] {
            let field = demand.field_named(name).expect("the kind has the field");
            assert!(choices.drop_down(demand, field).expect("it can be written").is_some());
        }
        assert_eq!(choices.columns.len(), 5);
        assert_eq!(choices.columns[1].1[0], "110000");
        assert_eq!(choices.columns[2].1[0], "北京市");
    }
}
