//! Finding tables: headers of every shape, and rows that are no records.

use std::collections::BTreeMap;

use super::{CellFault, Grid, GridRow, LocateError, Located, Merge, SkipReason, locate, plan};
use crate::kind::{KindSet, Rule};

/// A grid from lines of text whose cells are separated by `|`; blank lines are blank rows.
fn grid(text: &str) -> Grid {
    let rows = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(|(index, line)| {
        let cells = line.split('|').map(|cell| cell.trim().replace("\\n", "\n")).collect();
        GridRow { line: index + 1, cells, faults: BTreeMap::new() }
    });
    Grid { sheet: "表".into(), rows: rows.collect(), merged: Vec::new() }
}

fn merge(first_line: usize, first_column: usize, last_line: usize, last_column: usize) -> Merge {
    Merge { first_line, first_column, last_line, last_column }
}

fn found(grid: Grid) -> Located<'static> {
    locate(KindSet::builtin(), None, grid).expect("the table is found")
}

fn lines(located: &Located<'_>) -> Vec<usize> {
    located.table.rows.iter().map(|row| row.line).collect()
}

fn skipped(located: &Located<'_>) -> Vec<(usize, SkipReason)> {
    located.skipped.iter().map(|row| (row.line, row.reason)).collect()
}

#[test]
fn titles_units_totals_notes_and_signatures_are_skipped_with_their_reasons() {
    let located = found(grid(
        "夏邑县产业链招商项目台账\n\
         填报单位：夏邑县商务局|||单位：万元、亩\n\
         \n\
         项目编号|项目\\n名称*|阶段|计划投资|用地\n\
         1|2|3|4|5\n\
         示例001|某某产业园|策划|100|10\n\
         XM1|电芯产业园|策划|379|3000\n\
         小 计|||379|\n\
         \n\
         项目编号|项目名称|阶段|计划投资|用地\n\
         XM2|印染园|策划|180|1950\n\
         |合计||559|\n\
         注：累计数不得相加\n\
         2．投资额为规划数\n\
         填表人：（占位）||审核人：（占位）|\n",
    ));
    assert_eq!((located.kind.name(), located.header_line), ("project", 4));
    assert_eq!(located.table.headers, ["项目编号", "项目名称", "阶段", "计划投资(万元)", "用地"]);
    assert_eq!(lines(&located), [7, 11]);
    use SkipReason::*;
    let wanted = [
        (1, Title),
        (2, ReportingUnit),
        (5, ColumnNumbers),
        (6, Example),
        (8, Total),
        (10, RepeatedHeader),
        (12, Total),
        (13, Note),
        (14, Note),
        (15, Signature),
    ];
    assert_eq!(skipped(&located), wanted);
    let plan = plan(located.kind, &located.table, &[], &|_| None);
    assert_eq!(plan.errors, []);
    let field = located.kind.field_named("计划投资").expect("the kind has the field");
    assert_eq!(Some(&plan.creates[0].fields[&11]), field.parse("379万元").expect("good").as_ref());
}

#[test]
fn a_row_of_units_below_the_header_joins_it() {
    let located = found(grid("项目编号|项目名称|计划投资|用地|就业\n||（万元）|（公顷）|（人）\nXM1|园区|5|2|3\n"));
    assert_eq!(located.table.headers, ["项目编号", "项目名称", "计划投资(万元)", "用地(公顷)", "就业(人)"]);
    assert_eq!(skipped(&located), [(2, SkipReason::Unit)]);
    assert_eq!(lines(&located), [3]);
}

#[test]
fn grouped_headers_are_resolved_over_merged_cells() {
    let mut sheet = grid(
        "项目编号|项目名称|投资（万元）||用地与建筑|\n\
         ||计划|外资额|用地|建筑面积\n\
         XM1|园区|5|6|7|8\n",
    );
    sheet.merged = vec![merge(1, 1, 2, 1), merge(1, 2, 2, 2), merge(1, 3, 1, 4), merge(1, 5, 1, 6)];
    let located = found(sheet);
    // 外资额 is in dollars: the group's unit is another currency, but money all the same, as the header says.
    assert_eq!(located.table.headers[..3], ["项目编号", "项目名称", "计划投资(万元)"]);
    assert_eq!(located.table.headers[4..], ["用地", "建筑面积"]);
    assert_eq!(located.header_line, 2);
    assert_eq!(skipped(&located), [(1, SkipReason::GroupHeader)]);
    assert_eq!(lines(&located), [3]);
}

#[test]
fn the_unit_of_a_group_is_not_lost_where_its_headers_are_known_alone() {
    let mut sheet = grid("台账|||\n||投资（万元）|\n项目编号|项目名称|计划投资|固定资产投资\nXM1|园区|5|6\n");
    sheet.merged = vec![merge(1, 1, 1, 4), merge(2, 3, 2, 4)];
    let located = found(sheet);
    assert_eq!(located.table.headers[2..], ["计划投资(万元)", "固定资产投资(万元)"]);
    assert_eq!(skipped(&located), [(1, SkipReason::Title), (2, SkipReason::GroupHeader)]);
}

#[test]
fn groups_without_merged_cells_reach_to_the_next_one() {
    let located = found(grid("项目编号|项目名称|年||合作|\n||产值|税收|方|备注\nXM1|园区|5|6|甲|乙\n"));
    assert_eq!(located.table.headers[..2], ["项目编号", "项目名称"]);
    assert!(located.table.headers.contains(&"年税收".to_owned()), "{:?}", located.table.headers);
}

#[test]
fn merged_cells_of_the_body_are_filled_down() {
    let mut sheet = grid("县|项目编号|项目名称|说明\n夏邑县|XM1|甲|\n|XM2|乙|\n|XM3|丙|横跨\n");
    sheet.merged = vec![merge(2, 1, 4, 1), merge(2, 4, 3, 4)];
    let located = found(sheet);
    let places: Vec<&str> = located.table.rows.iter().map(|row| row.cells[0].as_str()).collect();
    assert_eq!(places, ["夏邑县"; 3]);
}

#[test]
fn a_second_table_and_a_second_header_are_refused() {
    let text = "项目编号|项目名称|阶段\nXM1|甲|策划\n基金编号|名称|规模（亿元）\nJJ1|乙|5\n";
    let error = locate(KindSet::builtin(), None, grid(text)).expect_err("two tables");
    assert!(matches!(&error, LocateError::TwoTables { second: 3, column, .. } if column == "A"), "{error}");
    let text = "项目编号|项目名称|阶段\nXM1|甲|策划\n\n基金编号|名称|规模（亿元）|投资方向|状态\nJJ1|乙|5|农业|在投\n";
    let error = locate(KindSet::builtin(), None, grid(text)).expect_err("two tables, the second the better one");
    assert!(matches!(&error, LocateError::TwoTables { second: 4, column, .. } if column == "A"), "{error}");
    let text = "项目编号|项目名称|阶段\n项目编号|名称|等级\nXM1|甲|策划\n";
    let error = locate(KindSet::builtin(), None, grid(text)).expect_err("two headers");
    assert!(matches!(&error, LocateError::TwoHeaders { first: 1, second: 2, .. }), "{error}");
    let text = "项目编号|项目名称||项目编号|项目名称\nXM1|甲||XM2|乙\n";
    let error = locate(KindSet::builtin(), None, grid(text)).expect_err("side by side");
    assert!(matches!(&error, LocateError::TwoTables { second: 1, column, .. } if column == "D"), "{error}");
}

#[test]
fn of_two_headers_the_better_one_does_not_hide_the_other() {
    let text = "项目编号|项目名称|阶段\n项目编号|名称|等级|用地\nXM1|甲|策划|5\n";
    let error = locate(KindSet::builtin(), None, grid(text)).expect_err("two headers");
    assert!(matches!(&error, LocateError::TwoHeaders { first: 1, second: 2, .. }), "{error}");
}

#[test]
fn a_header_in_two_languages_is_one_header() {
    let located = found(grid("项目编号|项目名称|阶段\nproject_number|name|stage\nXM1|甲|策划\n"));
    assert_eq!((lines(&located), skipped(&located)), (vec![3], vec![(2, SkipReason::RepeatedHeader)]));
}

#[test]
fn nothing_and_nothing_known_are_errors() {
    let empty = locate(KindSet::builtin(), None, grid("")).expect_err("empty");
    assert_eq!(empty.id(), "sheet-empty");
    let strange = locate(KindSet::builtin(), None, grid("颜色|味道|名称\n红|甜|苹果\n")).expect_err("strange");
    assert!(strange.id() == "header-missing" && strange.to_string().contains("颜色"), "{strange}");
}

#[test]
fn a_kind_that_is_named_needs_only_its_title() {
    let text = "甲|乙|丙|丁|项目编号|项目名称\n1|2|3|4|XM1|园区\n";
    let project = KindSet::builtin().kind_named("project").expect("there");
    assert!(locate(KindSet::builtin(), None, grid(text)).is_err());
    let located = locate(KindSet::builtin(), Some(project), grid(text)).expect("named");
    assert_eq!(lines(&located), [2]);
}

#[test]
fn cells_that_cannot_be_read_hold_back_their_row_only_where_they_matter() {
    let fault = || CellFault { value: "#REF!".into(), zh: "错".into(), en: "wrong".into() };
    let mut sheet =
        grid("序号|项目编号|项目名称|计划投资（亿元）|电话\n1|XM1|甲||\n2|XM2|乙||\n3||合计||\n4|XM4|丁|5|\n5||||\n");
    sheet.rows[1].faults.insert(4, fault());
    sheet.rows[2].faults.insert(5, fault());
    sheet.rows[2].faults.insert(1, fault());
    sheet.rows[3].faults.insert(4, fault());
    let located = found(sheet);
    assert_eq!(lines(&located), [3, 5]);
    let [faulty] = located.faulty.as_slice() else { panic!("one row") };
    let error = &faulty.errors[0];
    assert_eq!((error.line, error.letter().as_str(), error.rule), (2, "D", Rule::CellUnreadable));
    assert_eq!((error.header.as_str(), error.value.as_str()), ("计划投资(亿元)", "#REF!"));
    assert_eq!(skipped(&located), [(4, SkipReason::Total), (6, SkipReason::Unfilled)]);
}

#[test]
fn columns_without_a_header_are_named_once() {
    let located = found(grid("项目编号||项目名称\nXM1|x|甲\nXM2|y|乙\n"));
    let [notice] = located.notices.as_slice() else { panic!("one notice") };
    assert_eq!((notice.line, notice.column), (2, 2));
}
