//! Sheets of any length, for imports.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use calamine::{Data, Reader};

/// Writes a sheet of demands numbered from `first`, with Chinese headers as an official's would have.
pub fn demands(folder: &Path, first: usize, count: usize) -> PathBuf {
    let path = folder.join(format!("demands-{first}-{count}.csv"));
    let mut text = String::from("需求编号,需求类别,需求名称,行业代码,数量,单位,期限,状态,说明\n");
    for number in first..first + count {
        let industry = ["3841", "1713", "593", "65"][number % 4];
        let _ = writeln!(
            text,
            "T{number:06},招商,第{number}号产业链上下游配套企业,{industry},{},家,2027-12-31,发布,\
             面向长三角、珠三角招引第{number}批配套企业，提供标准厂房与用工保障",
            number % 20 + 1
        );
    }
    std::fs::write(&path, text).expect("a temporary folder can be written to");
    path
}

/// A sheet: its name and its rows.
pub type Sheet<'a> = (&'a str, Vec<Vec<String>>);

/// Writes a workbook of texts.
pub fn workbook(path: &Path, sheets: &[Sheet<'_>]) {
    let mut book = rust_xlsxwriter::Workbook::new();
    for (name, rows) in sheets {
        let sheet = book.add_worksheet();
        sheet.set_name(*name).expect("a short name");
        for (line, row) in (0..).zip(rows) {
            for (column, cell) in (0..).zip(row).filter(|(_, cell)| !cell.is_empty()) {
                sheet.write_string(line, column, cell).expect("a small sheet");
            }
        }
    }
    book.save(path).expect("a temporary folder can be written to");
}

/// The cells of a sheet of a workbook, from its first cell on.
pub fn cells(path: &Path, sheet: &str) -> Vec<Vec<Data>> {
    let mut book = calamine::open_workbook_auto(path).expect("it is a workbook");
    let range = book.worksheet_range(sheet).expect("the workbook has the sheet");
    assert_eq!(range.start(), Some((0, 0)), "nothing is cut off");
    range.rows().map(<[Data]>::to_vec).collect()
}

/// The texts of a sheet of a workbook.
pub fn texts(path: &Path, sheet: &str) -> Vec<Vec<String>> {
    cells(path, sheet).iter().map(|row| row.iter().map(ToString::to_string).collect()).collect()
}

/// Rows of a sheet from words: the header first.
pub fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
    rows.iter().map(|row| row.iter().map(|cell| (*cell).to_owned()).collect()).collect()
}
