//! Spreadsheets: from the bytes of a file to the statements that would be published.

use std::io::{Cursor, Write};
use std::panic::{self, AssertUnwindSafe};

use node::workbook;
use protocol::kind::KindSet;
use protocol::kind::sheet::{locate, plan};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Sheets of a workbook that are gone through.
const SHEETS_READ: usize = 3;
/// What stands between the parts of a package.
pub const SEPARATOR: &[u8] = b"\n\0\n";
/// The parts of a package, in the order in which they are given.
pub const PARTS: [&str; 5] = [
    "xl/worksheets/sheet1.xml",
    "xl/sharedStrings.xml",
    "xl/styles.xml",
    "xl/workbook.xml",
    "xl/_rels/workbook.xml.rels",
];
const CONTENT_TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>
</Types>"#;
/// What stands for a part that was not given.
pub const WORKBOOK: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="甲" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
/// The same, for the relations of the workbook.
pub const RELATIONS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;

/// A file as it is.
pub fn workbook(bytes: &[u8]) {
    let read = || {
        let Ok(mut workbook) = workbook::open_bytes("甲.csv", bytes.to_vec()) else { return };
        for index in 0..workbook.sheets().len().min(SHEETS_READ) {
            let Ok(grid) = workbook.grid(index) else { continue };
            let Ok(located) = locate(KindSet::builtin(), None, grid) else { continue };
            let _ = plan(located.kind, &located.table, &[], &|_| None);
        }
    };
    if let Err(cause) = panic::catch_unwind(AssertUnwindSafe(read)) {
        let text = cause.downcast_ref::<String>().map(String::as_str).or(cause.downcast_ref::<&str>().copied());
        eprintln!("nobody caught this panic: {}", text.unwrap_or("it says nothing"));
        std::process::abort();
    }
}

/// The parts of a package, which is put together before it is read: a fuzzer would seldom get past a checksum.
pub fn parts(bytes: &[u8]) {
    workbook(&package(bytes));
}

/// The package with these parts, separated by [`SEPARATOR`]. Empty ones are left out, and the last two have a text that
/// stands for them.
pub fn package(bytes: &[u8]) -> Vec<u8> {
    let mut rest = bytes;
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    let mut put = |name: &str, content: &[u8]| {
        writer
            .start_file(name, options)
            .and_then(|()| Ok(writer.write_all(content)?))
            .expect("memory takes everything");
    };
    put("[Content_Types].xml", CONTENT_TYPES.as_bytes());
    for name in PARTS {
        let end = rest.windows(SEPARATOR.len()).position(|window| window == SEPARATOR);
        let (part, after) = end.map_or((rest, &[][..]), |end| (&rest[..end], &rest[end + SEPARATOR.len()..]));
        rest = after;
        match (part, name) {
            ([], "xl/workbook.xml") => put(name, WORKBOOK.as_bytes()),
            ([], "xl/_rels/workbook.xml.rels") => put(name, RELATIONS.as_bytes()),
            ([], _) => {}
            (part, _) => put(name, part),
        }
    }
    writer.finish().expect("memory takes everything").into_inner()
}
