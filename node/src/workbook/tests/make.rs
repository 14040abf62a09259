//! Making workbooks, sound ones and others.

use std::io::{self, Cursor, Read, Write};

use rust_xlsxwriter::{Format, Formula, Workbook};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// The header of most sheets here.
pub(super) const HEADER: [&str; 6] = ["项目编号", "项目名称", "县", "阶段", "计划投资（亿元）", "就业（人）"];

/// A package with these members.
pub(super) fn package(members: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        writer.start_file(*name, options).expect("a member can be begun");
        writer.write_all(bytes).expect("a member can be written");
    }
    writer.finish().expect("the package can be closed").into_inner()
}

/// A package whose one member unpacks to so many blanks.
pub(super) fn bomb(bytes: u64) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    writer.start_file("xl/workbook.xml", options).expect("a member can be begun");
    io::copy(&mut io::repeat(b' ').take(bytes), &mut writer).expect("a member can be written");
    writer.finish().expect("the package can be closed").into_inner()
}

/// A workbook of sheets given as the XML of their rows, with what stands behind them; and more members.
pub(super) fn raw(sheets: &[(&str, &str, String)], more: &[(&str, Vec<u8>)]) -> Vec<u8> {
    raw_with("", sheets, more)
}

/// The same with properties of the workbook.
pub(super) fn raw_with(properties: &str, sheets: &[(&str, &str, String)], more: &[(&str, Vec<u8>)]) -> Vec<u8> {
    const SPREADSHEET: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006/relationships";
    let mut list = String::new();
    let mut relations = String::new();
    let mut members = Vec::new();
    for (index, (name, state, body)) in sheets.iter().enumerate() {
        let number = index + 1;
        let state = if state.is_empty() { String::new() } else { format!(" state=\"{state}\"") };
        list += &format!("<sheet name=\"{name}\" sheetId=\"{number}\"{state} r:id=\"r{number}\"/>");
        relations += &format!(
            "<Relationship Id=\"r{number}\" Type=\"{OFFICE}/worksheet\" Target=\"worksheets/s{number}.xml\"/>"
        );
        let xml = format!("<?xml version=\"1.0\"?><worksheet xmlns=\"{SPREADSHEET}\">{body}</worksheet>");
        members.push((format!("xl/worksheets/s{number}.xml"), xml.into_bytes()));
    }
    let main = format!("<Relationship Id=\"m\" Type=\"{OFFICE}/officeDocument\" Target=\"xl/workbook.xml\"/>");
    let mut all: Vec<(&str, Vec<u8>)> = vec![
        ("_rels/.rels", format!("<Relationships xmlns=\"{PACKAGE}\">{main}</Relationships>").into_bytes()),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{SPREADSHEET}\" xmlns:r=\"{OFFICE}\">{properties}<sheets>{list}</sheets></workbook>"
            )
            .into_bytes(),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!("<Relationships xmlns=\"{PACKAGE}\">{relations}</Relationships>").into_bytes(),
        ),
    ];
    all.extend(members.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())));
    all.extend(more.iter().cloned());
    package(&all)
}

/// A cell with a text.
pub(super) fn text(place: &str, text: &str) -> String {
    format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

/// Rows of `sheetData`: the header on line 1, then what is given.
pub(super) fn rows(below: &str) -> String {
    let cells: String =
        HEADER.iter().zip("ABCDEF".chars()).map(|(header, letter)| text(&format!("{letter}1"), header)).collect();
    format!("<sheetData><row r=\"1\">{cells}</row>{below}</sheetData>")
}

/// A record on a line, with the XML of its cell E.
pub(super) fn record(line: usize, cell: &str) -> String {
    let (number, name) = (text(&format!("A{line}"), &format!("XM{line}")), text(&format!("B{line}"), "园区"));
    format!("<row r=\"{line}\">{number}{name}{cell}</row>")
}

/// A workbook as a program writes it: shared strings, styles, a formula with its result, a percentage, a date.
pub(super) fn written() -> Vec<u8> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("项目").expect("a name");
    sheet.merge_range(0, 0, 0, 5, "夏邑县项目台账", &Format::new()).expect("merged");
    for (column, header) in HEADER.iter().enumerate() {
        sheet.write(1, column as u16, *header).expect("written");
    }
    for line in 2..5_u32 {
        sheet.write(line, 0, format!("00{line}")).expect("written");
        sheet.write(line, 1, "园区").expect("written");
        sheet.write(line, 4, 37.84).expect("written");
    }
    sheet.merge_range(2, 2, 4, 2, "夏邑县", &Format::new()).expect("merged");
    let day = Format::new().set_num_format("yyyy-mm-dd");
    sheet.write_with_format(2, 3, 46086.5, &day).expect("written");
    sheet.write_with_format(3, 3, 0.285, &Format::new().set_num_format("0.0%")).expect("written");
    sheet.write(4, 3, true).expect("written");
    sheet.write_formula(5, 4, Formula::new("SUM(E3:E5)").set_result("113.52")).expect("written");
    sheet.write(5, 0, "合计").expect("written");
    sheet.write_formula(4, 5, Formula::new("1+1").set_result("2")).expect("written");
    book.save_to_buffer().expect("saved")
}
