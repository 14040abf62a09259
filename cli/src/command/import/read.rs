//! A CSV file as a table, with the line numbers that a spreadsheet shows.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};
use protocol::kind::sheet::{Plan, Row, Table};

use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// The mark by which spreadsheets know UTF-8.
const BOM: &[u8] = "\u{feff}".as_bytes();

/// Reads a sheet.
pub fn table(path: &Path) -> Result<Table, Failure> {
    let bytes = fs::read(path).map_err(|error| Failure::file(path, &error))?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Result<Table, Failure> {
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    check_text(bytes)?;
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
    let mut table = Table::default();
    let (mut record, mut line) = (ByteRecord::new(), 0);
    loop {
        let start = reader.position().byte() as usize;
        let found = reader.read_byte_record(&mut record).map_err(|error| {
            unreadable(format!("第 {} 行之后读不下去：{error}", line + 1), format!("after line {}: {error}", line + 1))
        })?;
        if !found {
            break;
        }
        // The reader passes over blank lines; a spreadsheet counts them.
        line += 1 + blank_lines(bytes, start);
        let cells = record.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
        if table.headers.is_empty() {
            table.headers = cells;
        } else {
            table.rows.push(Row { line, cells });
        }
    }
    if table.headers.is_empty() {
        return Err(unreadable("表是空的。".into(), "the sheet is empty".into()));
    }
    Ok(table)
}

fn check_text(bytes: &[u8]) -> Result<(), Failure> {
    let save_as = |failure: Failure| {
        failure.fix(
            "请在 WPS 或 Excel 里“另存为”，类型选“CSV UTF-8”。",
            "save it again in the spreadsheet program as “CSV UTF-8”",
        )
    };
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xD0\xCF\x11\xE0") {
        let (zh, en) = ("这是 Excel 工作簿，不是 CSV。", "this is a workbook, not CSV");
        return Err(save_as(Failure::new(ExitCode::InputRefused, "not-csv", zh, en)));
    }
    let Err(error) = std::str::from_utf8(bytes) else { return Ok(()) };
    let line = 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count();
    let (zh, en) =
        (format!("文件不是 UTF-8 编码（第 {line} 行起）。"), format!("the file is not UTF-8, from line {line} on"));
    Err(save_as(Failure::new(ExitCode::InputRefused, "not-utf8", zh, en)))
}

fn unreadable(zh: String, en: String) -> Failure {
    Failure::new(ExitCode::InputRefused, "csv", zh, en)
}

/// Blank lines between the end of the record before and the record that begins somewhere behind `start`.
fn blank_lines(bytes: &[u8], start: usize) -> usize {
    let mut rest = &bytes[start..];
    // The reader may have stopped between the two characters of a line's end.
    if start > 0 && bytes[start - 1] == b'\r' {
        rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    }
    let mut blank = 0;
    while let Some(next) =
        rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")).or_else(|| rest.strip_prefix(b"\r"))
    {
        blank += 1;
        rest = next;
    }
    blank
}

/// Writes the rows with errors to a new sheet, what is wrong in a last column. The sheet itself is never touched.
pub fn write_errors(path: &Path, table: &Table, plan: &Plan) -> Result<(), Failure> {
    let mut file =
        OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| Failure::file(path, &error))?;
    file.write_all(BOM).map_err(|error| Failure::file(path, &error))?;
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(file);
    let lines = super::wrong_lines(plan);
    let reasons = |line: usize| {
        let of_line = plan.errors.iter().filter(|error| error.line == line);
        of_line.map(|error| format!("{}{line}: {}", error.letter(), error.zh)).collect::<Vec<_>>().join("；")
    };
    let header = table.headers.iter().cloned().chain(["错误".to_owned()]);
    let rows = table.rows.iter().filter(|row| lines.contains(&row.line));
    let rows = rows.map(|row| row.cells.iter().cloned().chain([reasons(row.line)]).collect::<Vec<_>>());
    std::iter::once(header.collect::<Vec<_>>())
        .chain(rows)
        .try_for_each(|row| writer.write_record(row))
        .map_err(|error| Failure::file(path, &std::io::Error::other(error)))?;
    writer.flush().map_err(|error| Failure::file(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        parse(text.as_bytes()).expect("it is CSV").rows.iter().map(|row| row.line).collect()
    }

    #[test]
    fn lines_are_those_of_the_spreadsheet() {
        assert_eq!(lines("a,b\n1,2\n3,4\n"), [2, 3]);
        assert_eq!(lines("a,b\r\n1,2\r\n\r\n3,4\r\n"), [2, 4]);
        assert_eq!(lines("a,b\n\n\n1,2\n,\n3,4"), [4, 5, 6]);
        // A cell of two lines is one row.
        assert_eq!(lines("a,b\r\n\"1\r\nx\",2\r\n3,4\r\n"), [2, 3]);
    }

    #[test]
    fn the_mark_of_utf8_is_no_part_of_the_header() {
        let table = parse("\u{feff}名称,规模\r\n甲,5亿元\r\n".as_bytes()).expect("it is CSV");
        assert_eq!(table.headers, ["名称", "规模"]);
        assert_eq!(table.rows[0].cells, ["甲", "5亿元"]);
    }

    #[test]
    fn what_is_no_text_is_refused_with_the_way_out() {
        let gbk = [b"a,b\n1,2\n".as_slice(), &[0xC3, 0xFB, 0xB3, 0xC6]].concat();
        let failure = parse(&gbk).expect_err("it is GBK");
        assert_eq!((failure.code.as_ref(), failure.zh.contains("第 3 行")), ("not-utf8", true));
        assert_eq!(parse(b"PK\x03\x04...").expect_err("a workbook").code, "not-csv");
        assert_eq!(parse(b"").expect_err("nothing").code, "csv");
    }
}
