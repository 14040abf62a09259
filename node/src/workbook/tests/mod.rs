//! The corpus of odd and broken sheets, and the samples.

mod make;

use encoding_rs::GB18030;
use protocol::kind::KindSet;
use protocol::kind::sheet::{Grid, Located, SkipReason, column_letter, locate};

use super::limits::UNPACKED_BYTES_MAX;
use super::{Workbook, WorkbookError, open_bytes};
use make::{HEADER, bomb, package, raw, raw_with, record, rows, text, written};

/// What a file must come to.
enum Outcome {
    /// So many records, and the text of one cell.
    Records(usize, &'static str, &'static str),
    /// The file is refused with this id.
    Refused(&'static str),
    /// It is read, and this cell holds back its row.
    Fault(&'static str),
    /// It is read, and no table is found in its first sheet.
    NoTable(&'static str),
}
use Outcome::{Fault, NoTable, Records, Refused};

const OLD: &[u8] = include_bytes!("../../../../tests/sheets/old.xls");
const OLD_1904: &[u8] = include_bytes!("../../../../tests/sheets/old-1904.xls");
const FAR: &[u8] = include_bytes!("../../../../tests/sheets/far.xls");
const PASSWORD: &[u8] = include_bytes!("../../../../tests/sheets/password.xlsx");
const MESSY: &[u8] = include_bytes!("../../../../tests/samples/messy_xiayi_projects.xlsx");
const ALL: &[u8] = include_bytes!("../../../../tests/samples/all.xlsx");
const SAMPLES: [(&str, &[u8], usize); 5] = [
    ("counties.csv", include_bytes!("../../../../tests/samples/counties.csv"), 16),
    ("resources.csv", include_bytes!("../../../../tests/samples/resources.csv"), 81),
    ("demands.csv", include_bytes!("../../../../tests/samples/demands.csv"), 49),
    ("projects.csv", include_bytes!("../../../../tests/samples/projects.csv"), 23),
    ("funds.csv", include_bytes!("../../../../tests/samples/funds.csv"), 12),
];

fn one(body: String) -> Vec<u8> {
    raw(&[("项目", "", body)], &[])
}

fn csv() -> String {
    format!("{}\nXM2,园区一期,夏邑县,策划,约37.84,0100\n", HEADER.join(","))
}

/// The first sheet with its cell E2 so.
fn with_cell(cell: &str) -> Vec<u8> {
    one(rows(&record(2, cell)))
}

fn sound() -> Vec<(&'static str, Vec<u8>, Outcome)> {
    let merged = "<mergeCells count=\"1\"><mergeCell ref=\"C2:C3\"/></mergeCells>";
    let merged = rows(&(record(2, &text("C2", "夏邑县")) + &record(3, ""))) + merged;
    let blank: String = (3..50_000).map(|line| format!("<row r=\"{line}\"><c r=\"A{line}\" s=\"0\"/></row>")).collect();
    let dimension = format!("<dimension ref=\"A1:XFD1048576\"/>{}", rows(&record(2, "")));
    let spread = format!("{}<row r=\"1048576\">{}</row>", record(2, ""), text("A1048576", "备注"));
    let dates = rows(&record(2, "<c r=\"E2\"><v>46086</v></c>"));
    let macros = [("xl/vbaProject.bin", b"not read".to_vec())];
    let wide: Vec<u8> = csv().encode_utf16().flat_map(u16::to_le_bytes).collect();
    vec![
        ("written.xlsx", written(), Records(3, "C5", "夏邑县")),
        ("37.840000000000003.xlsx", with_cell("<c r=\"E2\"><v>37.840000000000003</v></c>"), Records(1, "E2", "37.84")),
        ("cached.xlsx", with_cell("<c r=\"E2\"><f>1/4</f><v>0.25</v></c>"), Records(1, "E2", "0.25")),
        ("cached-text.xlsx", with_cell("<c r=\"E2\" t=\"str\"><f>\"\"</f><v></v></c>"), Records(1, "E2", "")),
        ("date-as-number.xlsx", one(dates), Records(1, "E2", "46086")),
        ("truth.xlsx", with_cell("<c r=\"E2\" t=\"b\"><v>0</v></c>"), Records(1, "E2", "否")),
        ("text-number.xlsx", with_cell(&text("E2", "0100")), Records(1, "E2", "0100")),
        ("merged-body.xlsx", one(merged), Records(2, "C3", "夏邑县")),
        ("blank-rows.xlsx", one(rows(&(record(2, "") + &blank))), Records(1, "B2", "园区")),
        ("huge-dimension.xlsx", one(dimension), Records(1, "B2", "园区")),
        ("last-row.xlsx", one(rows(&spread)), Records(1, "A2", "XM2")),
        ("macros.xlsm", raw(&[("项目", "", rows(&record(2, "")))], &macros), Records(1, "A2", "XM2")),
        ("old.xls", OLD.to_vec(), Records(2, "A4", "夏邑县")),
        ("csv-named.xls", csv().into_bytes(), Records(1, "E2", "约37.84")),
        ("gbk.csv", GB18030.encode(&csv()).0.into_owned(), Records(1, "F2", "0100")),
        ("bom.csv", [b"\xef\xbb\xbf".as_slice(), csv().as_bytes()].concat(), Records(1, "A1", "项目编号")),
        ("utf-16.txt", [b"\xff\xfe".as_slice(), &wide].concat(), Records(1, "C2", "夏邑县")),
    ]
}

fn broken() -> Vec<(&'static str, Vec<u8>, Outcome)> {
    let strings = "<sst uniqueCount=\"99999999999\"><si><t>a</t></si></sst>".as_bytes().to_vec();
    let strings = raw(&[("项目", "", rows(""))], &[("xl/sharedStrings.xml", strings)]);
    let styles = format!("<styleSheet><cellXfs>{}</cellXfs></styleSheet>", "<xf/>".repeat(80_000));
    let styles = raw(&[("项目", "", rows(""))], &[("xl/styles.xml", styles.into_bytes())]);
    let mut lying = written();
    understate(&mut lying);
    let whole = written();
    let mixed = [csv().as_bytes(), &GB18030.encode("XM9,种植养殖加工,奉节县,策划,5,6\n").0].concat();
    let backwards = rows(&(record(9, "") + &record(2, "")));
    let two = rows("").replace(
        "</sheetData>",
        &format!("{}</sheetData>", record(2, "").replace("园区", "项目名称").replace("XM2", "项目编号")),
    );
    let far = with_cell(&text("XFD2", "x"));
    vec![
        ("bomb.xlsx", bomb(UNPACKED_BYTES_MAX + 1), Refused("workbook-bomb")),
        ("many-strings.xlsx", strings, Refused("workbook-bomb")),
        ("many-styles.xlsx", styles, Refused("workbook-bomb")),
        ("lying.xlsx", lying, Refused("workbook-damaged")),
        ("truncated.xlsx", whole[..whole.len() / 2].to_vec(), Refused("workbook-damaged")),
        ("no-sheet-data.xlsx", one(String::new()), Refused("workbook-damaged")),
        ("backwards.xlsx", one(backwards), Refused("workbook-damaged")),
        ("far-column.xlsx", far, Refused("workbook-too-large")),
        ("far.xls", FAR.to_vec(), Refused("workbook-too-large")),
        ("truncated.xls", OLD[..OLD.len() / 2].to_vec(), Refused("workbook-damaged")),
        ("password.xlsx", PASSWORD.to_vec(), Refused("workbook-encrypted")),
        ("page.xls", b"<html><table><tr><td>1</td></tr></table></html>".to_vec(), Refused("workbook-foreign")),
        ("picture.xlsx", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), Refused("workbook-foreign")),
        ("letter.xlsx", package(&[("word/document.xml", b"<w/>".to_vec())]), Refused("workbook-foreign")),
        ("archive.xlsx", package(&[("a.txt", b"a".to_vec())]), Refused("workbook-foreign")),
        ("binary.xlsx", package(&[("xl/workbook.bin", vec![0])]), Refused("workbook-form")),
        ("empty.xlsx", Vec::new(), Refused("file-empty")),
        ("blank.csv", b" \r\n\r\n".to_vec(), Refused("file-empty")),
        ("mixed.csv", mixed, Refused("text-encoding")),
        ("no-sheets.xlsx", raw(&[], &[]), Refused("file-empty")),
        ("two-of-a-name.xlsx", raw(&[("甲", "", rows("")), ("甲", "", rows(""))], &[]), Refused("workbook-damaged")),
        ("uncached.xlsx", with_cell("<c r=\"E2\"><f>SUM(A1:A2)</f></c>"), Fault("E2")),
        ("uncached-blank.xlsx", with_cell("<c r=\"E2\"><f>SUM(A1:A2)</f><v></v></c>"), Fault("E2")),
        ("reference.xlsx", with_cell("<c r=\"E2\" t=\"e\"><v>#REF!</v></c>"), Fault("E2")),
        ("division.xlsx", with_cell("<c r=\"E2\" t=\"e\"><f>1/0</f><v>#DIV/0!</v></c>"), Fault("E2")),
        ("lost-digits.xlsx", with_cell("<c r=\"E2\"><v>4.1142619900101101E+17</v></c>"), Fault("E2")),
        ("blank.xlsx", one("<sheetData/>".to_owned()), NoTable("sheet-empty")),
        ("two-headers.xlsx", one(two), NoTable("header-twice")),
        ("strange.csv", b"a,b,c\n1,2,3\n".to_vec(), NoTable("header-missing")),
    ]
}

/// Lets every member of a package say that it unpacks to one byte.
fn understate(bytes: &mut [u8]) {
    for at in 0..bytes.len().saturating_sub(28) {
        match &bytes[at..at + 4] {
            b"PK\x01\x02" => bytes[at + 24..at + 28].copy_from_slice(&1_u32.to_le_bytes()),
            b"PK\x03\x04" => bytes[at + 22..at + 26].copy_from_slice(&1_u32.to_le_bytes()),
            _ => {}
        }
    }
}

fn located(grid: Grid) -> Located<'static> {
    let named = grid.sheet.clone();
    locate(KindSet::builtin(), None, grid).unwrap_or_else(|error| panic!("{named}: {error}"))
}

fn cell<'a>(located: &'a Located<'_>, place: &str) -> &'a str {
    let split = place.find(|c: char| c.is_ascii_digit()).expect("a line");
    let line: usize = place[split..].parse().expect("a line");
    let column = (1..100).find(|column| column_letter(*column) == place[..split]).expect("a column");
    if line == located.header_line {
        return &located.table.headers[column - 1];
    }
    let row = located.table.rows.iter().find(|row| row.line == line).expect("the row is a record");
    &row.cells[column - 1]
}

#[test]
fn every_file_of_the_corpus_comes_to_what_it_must() {
    let files = sound().into_iter().chain(broken());
    let wrong: Vec<String> = files.filter_map(|(name, bytes, outcome)| judge(name, bytes, outcome).err()).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

/// Says what came instead of the outcome.
fn judge(name: &'static str, bytes: Vec<u8>, outcome: Outcome) -> Result<(), String> {
    let grid = match (open_bytes(name, bytes).and_then(|mut workbook| workbook.grid(0)), &outcome) {
        (Ok(grid), _) => grid,
        (Err(error), Refused(id)) => {
            let helps = error.zh().contains('请') && error.en().contains("please");
            return if error.id() == *id && helps { Ok(()) } else { Err(format!("{name}: {} {error}", error.id())) };
        }
        (Err(error), _) => return Err(format!("{name}: {error}")),
    };
    let located = match (locate(KindSet::builtin(), None, grid), &outcome) {
        (Ok(located), _) => located,
        (Err(error), NoTable(id)) if error.id() == *id => return Ok(()),
        (Err(error), _) => return Err(format!("{name}: {} {error}", error.id())),
    };
    let errors: Vec<_> = located.faulty.iter().flat_map(|row| &row.errors).collect();
    match (outcome, errors.as_slice()) {
        (Records(count, place, text), []) if located.table.rows.len() == count && cell(&located, place) == text => {
            Ok(())
        }
        (Fault(place), [error]) if format!("{}{}", error.letter(), error.line) == place => {
            let helps = error.zh.contains('请') && error.en.contains("please");
            if helps { Ok(()) } else { Err(format!("{name}: {}", error.zh)) }
        }
        _ => Err(format!("{name}: {located:?}")),
    }
}

#[test]
fn a_written_workbook_keeps_every_sort_of_cell() {
    let mut workbook = open_bytes("written.xlsx", written()).expect("opened");
    let located = located(workbook.grid(0).expect("read"));
    let cells: Vec<&str> =
        ["A3", "C4", "D3", "D4", "D5", "E3", "F5"].iter().map(|place| cell(&located, place)).collect();
    assert_eq!(cells, ["002", "夏邑县", "2026-03-05", "28.5%", "是", "37.84", "2"]);
    let skipped: Vec<_> = located.skipped.iter().map(|row| (row.line, row.reason)).collect();
    assert_eq!(skipped, [(1, SkipReason::Title), (6, SkipReason::Total)]);
}

#[test]
fn old_workbooks_give_days_in_both_systems_and_their_hidden_sheet_by_name() {
    for bytes in [OLD, OLD_1904] {
        let mut workbook = open_bytes("old.xls", bytes.to_vec()).expect("opened");
        let located = located(workbook.grid(0).expect("read"));
        assert_eq!((cell(&located, "G3"), cell(&located, "E3"), cell(&located, "G4")), ("2026-03-05", "37.84", "0.3"));
        assert_eq!(located.skipped.last().map(|row| row.reason), Some(SkipReason::Total));
        check_hidden(&mut workbook, 1);
    }
}

#[test]
fn hidden_sheets_and_macros_are_noticed() {
    for state in ["hidden", "veryHidden"] {
        let macros = [("xl/vbaProject.bin", b"not read".to_vec())];
        let sheets = [("项目", "", rows(&record(2, ""))), ("旧数据", state, rows(&record(2, "")))];
        let mut workbook = open_bytes("book.xlsm", raw(&sheets, &macros)).expect("opened");
        check_hidden(&mut workbook, 2);
        assert_eq!(workbook.notices()[0].id, "macros-ignored");
    }
}

fn check_hidden(workbook: &mut Workbook, notices: usize) {
    let hidden: Vec<_> = workbook.sheets().iter().map(|sheet| (sheet.name.as_str(), sheet.hidden)).collect();
    assert_eq!(hidden, [("项目", false), ("旧数据", true)]);
    assert_eq!(workbook.notices().len(), notices);
    assert!(workbook.notices().last().is_some_and(|notice| notice.zh.contains("旧数据")));
    let index = workbook.sheet_named(" 旧数据").expect("the hidden sheet is found by name");
    assert!(!workbook.grid(index).expect("read").rows.is_empty());
    assert!(matches!(workbook.grid(9), Err(WorkbookError::NoSuchSheet { index: 9 })));
}

#[test]
fn dates_of_the_1904_system_are_the_same_days() {
    let formats = "<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>";
    for (properties, serial) in [("", 46086), ("<workbookPr date1904=\"1\"/>", 44624)] {
        let body = rows(&record(2, &format!("<c r=\"E2\" s=\"1\"><v>{serial}</v></c>")));
        let more = [("xl/styles.xml", formats.as_bytes().to_vec())];
        let bytes = raw_with(properties, &[("项目", "", body)], &more);
        let grid = open_bytes("dates.xlsx", bytes).expect("opened").grid(0).expect("read");
        assert_eq!(cell(&located(grid), "E2"), "2026-03-05");
    }
}

#[test]
fn the_messy_sheet_gives_its_eleven_projects() {
    let mut workbook = open_bytes("messy.xlsx", MESSY.to_vec()).expect("opened");
    let located = located(workbook.grid(0).expect("read"));
    assert_eq!((located.kind.name(), located.header_line), ("project", 4));
    assert_eq!((located.table.rows.len(), located.faulty.len()), (11, 0));
    assert_eq!(
        (cell(&located, "E4"), cell(&located, "E6"), cell(&located, "J6")),
        ("计划投资(亿元)", "约37.84", "2.5以上")
    );
    let skipped: Vec<_> = located.skipped.iter().map(|row| (row.line, row.reason)).collect();
    use SkipReason::{GroupHeader, Note, ReportingUnit, Title, Total};
    assert_eq!(skipped, [(1, Title), (2, ReportingUnit), (3, GroupHeader), (16, Total), (17, Note)]);
}

#[test]
fn every_sheet_of_the_samples_gives_its_rows() {
    for (name, bytes, rows) in SAMPLES {
        let grid = open_bytes(name, bytes.to_vec()).expect("opened").grid(0).expect("read");
        assert_eq!(located(grid).table.rows.len(), rows, "{name}");
    }
    let wanted = [("县域成员", 16), ("资源", 81), ("需求", 49), ("项目", 23), ("基金", 12)];
    let other = [("承诺", 26), ("活动", 51), ("指标", 75), ("时限", 47), ("任务", 45), ("政策", 20)];
    let mut workbook = open_bytes("all.xlsx", ALL.to_vec()).expect("opened");
    let names: Vec<String> = workbook.sheets().iter().map(|sheet| sheet.name.clone()).collect();
    assert_eq!(names, wanted.iter().chain(&other).map(|(name, _)| *name).collect::<Vec<_>>());
    for (index, (name, rows)) in wanted.into_iter().enumerate() {
        assert_eq!(located(workbook.grid(index).expect("read")).table.rows.len(), rows, "{name}");
    }
    // The kinds of these are no business of this test: one that is made of the header stands for each.
    for (index, (name, rows)) in (wanted.len()..).zip(other) {
        let grid = workbook.grid(index).expect("read");
        let set = stand_in(&grid);
        let kind = set.kinds().last();
        let located = locate(&set, kind, grid).expect("the header is found");
        assert_eq!(located.table.rows.len(), rows, "{name}");
    }
}

/// A set with a kind whose fields are the cells of the sheet's first row.
fn stand_in(grid: &Grid) -> KindSet {
    let fields: String = grid.rows[0]
        .cells
        .iter()
        .enumerate()
        .map(|(index, header)| {
            let obligatory = if index == 1 { "obligatory = true\n" } else { "" };
            let number = index + 1;
            format!("[[field]]\nnumber = {number}\nname = \"f{number}\"\nzh = \"{header}\"\nen = \"Field {number}\"\ntype = \"text\"\n{obligatory}")
        })
        .collect();
    let head = "number = 999\nname = \"stand_in\"\nzh = \"替身\"\nen = \"Stand-in\"\nwriters = [\"county\"]\n\
                title = \"f2\"\nexternal = \"f1\"\nfacets = [\"f1\"]\n";
    KindSet::parse(&[("stand_in.toml", &format!("{head}\n{fields}"))]).expect("the stand-in is a kind")
}
