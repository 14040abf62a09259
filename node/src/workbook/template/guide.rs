//! The first page of a template: how to fill it in and how to import it.

use protocol::kind::Kind;
use rust_xlsxwriter::{Worksheet, XlsxError};

use crate::workbook::style::{self, Header};

/// Name of the page. No cell of it is the header of a field, so that importers pass over it.
const SHEET: &str = "说明";
const WIDTHS: [f64; 2] = [60.0, 70.0];

const PARAGRAPHS: [(&str, &str); 9] = [
    (
        "每张工作表填一类内容，一行一条；请不要改动第一行。",
        "One sheet per kind, one record per row; please leave the first row as it is.",
    ),
    (
        "把鼠标放在第一行的格子上，可看到这一列怎么填。",
        "Point at a cell of the first row to see what its column wants.",
    ),
    (
        "第二行是示例，编号以“示例”开头，导入时自动跳过，可以删去。",
        "The second row is an example: its number begins with 示例, imports pass over it, and it may be removed.",
    ),
    (
        "带 * 的列每行必填。编号由本单位自定，每行不同，以后再次导入时凭它对上。",
        "Columns with a star must be filled in on every row. The number is one's own, another one on each row; a later import finds the row by it.",
    ),
    (
        "数可以带“约”“以上”“超过”“不超过”“累计”等词，原样保留；没有数就空着，不要填 0。",
        "Words such as 约, 以上 or 累计 may stand beside a number and are kept; leave a cell blank rather than writing 0.",
    ),
    ("灰色的列只留在本节点，不会发布。", "Grey columns stay on this node and are not published."),
    ("先检查，不发布：xianmeng import 文件 --dry-run", "Check without publishing: xianmeng import FILE --dry-run"),
    (
        "导入：xianmeng import 文件。有错会逐格指出，改好后再导入；同一张表导入两次不会重复。",
        "Import: xianmeng import FILE. Every wrong cell is named; correct it and import again. Importing a sheet twice publishes nothing twice.",
    ),
    ("只留在本节点的类别：xianmeng local import 文件", "Kinds that stay on this node: xianmeng local import FILE"),
];

const LEGEND: [(Header, &str, &str); 3] = [
    (Header::Obligatory, "必填", "obligatory"),
    (Header::Plain, "选填", "optional"),
    (Header::Local, "不出本节点", "stays on this node"),
];

/// Writes the page.
pub(super) fn write(sheet: &mut Worksheet, kinds: &[&Kind]) -> Result<(), XlsxError> {
    sheet.set_name(SHEET)?;
    for (column, width) in (0u16..).zip(WIDTHS) {
        sheet.set_column_width(column, width)?;
    }
    sheet.write_string_with_format(0, 0, "怎样填写和导入 How to fill in and import", &style::heading())?;
    let mut row = 1;
    for (zh, en) in PARAGRAPHS {
        sheet.write_string_with_format(row, 0, zh, &style::paragraph())?;
        sheet.write_string_with_format(row, 1, en, &style::paragraph())?;
        row += 1;
    }
    for (header, zh, en) in LEGEND {
        sheet.write_string_with_format(row, 0, format!("这种颜色：{zh}"), &style::header(header))?;
        sheet.write_string_with_format(row, 1, format!("this colour: {en}"), &style::paragraph())?;
        row += 1;
    }
    for kind in kinds {
        let local = if kind.is_local() { "（不出本节点 stays on this node）" } else { "" };
        let text = format!("工作表“{}”{local} {}", kind.zh(), kind.about_zh());
        sheet.write_string_with_format(row, 0, text, &style::paragraph())?;
        sheet.write_string_with_format(
            row,
            1,
            format!("sheet of kind: {}. {}", kind.en(), kind.about_en()),
            &style::paragraph(),
        )?;
        row += 1;
    }
    Ok(())
}
