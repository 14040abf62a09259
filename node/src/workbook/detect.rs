//! What a file is, by its content. Its name says little: a file named `.xls` is often a web page or plain text.

use super::error::WorkbookError;
use super::limits::SNIFFED_BYTES_MAX;

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// A zip package.
    Package,
    /// A compound file, the shell of the old binary form and of encrypted workbooks.
    Compound,
    /// Text.
    Text,
}

/// Beginnings of files that are no spreadsheets.
const FOREIGN: [(&[u8], &str, &str); 16] = [
    (b"\x89PNG", "图片（PNG）", "a picture (PNG)"),
    (b"\xff\xd8\xff", "图片（JPEG）", "a picture (JPEG)"),
    (b"GIF8", "图片（GIF）", "a picture (GIF)"),
    (b"BM", "图片（BMP）", "a picture (BMP)"),
    (b"II*\0", "图片（TIFF）", "a picture (TIFF)"),
    (b"MM\0*", "图片（TIFF）", "a picture (TIFF)"),
    (b"RIFF", "图片、声音或影像", "a picture, sound or film"),
    (b"%PDF", "PDF 文件", "a PDF file"),
    (b"{\\rtf", "Word 文档（RTF）", "a document (RTF)"),
    (b"MIME-Version:", "网页存档", "an archived web page"),
    (b"Rar!", "压缩包（RAR）", "an archive (RAR)"),
    (b"7z\xbc\xaf", "压缩包（7z）", "an archive (7z)"),
    (b"\x1f\x8b", "压缩包（gzip）", "an archive (gzip)"),
    (b"\x7fELF", "程序", "a program"),
    (b"MZ", "程序", "a program"),
    (b"SQLite format 3", "数据库", "a database"),
];
/// Beginnings of workbooks that are older than the compound file.
const ANCIENT: [[u8; 4]; 3] = [[0x09, 0x00, 0x04, 0x00], [0x09, 0x02, 0x06, 0x00], [0x09, 0x04, 0x06, 0x00]];

/// Tells what `bytes` are.
pub(super) fn content(bytes: &[u8]) -> Result<Content, WorkbookError> {
    let head = &bytes[..bytes.len().min(SNIFFED_BYTES_MAX)];
    if head.is_empty() {
        return Err(WorkbookError::Empty);
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Ok(Content::Package);
    }
    if head.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        return Ok(Content::Compound);
    }
    if ANCIENT.iter().any(|magic| head.starts_with(magic)) {
        return Err(WorkbookError::Form { form: "Excel 4 及更早的 .xls (Excel 4 and older)" });
    }
    // Two letters that a text may begin with as well are only believed before bytes that no text holds.
    let foreign = FOREIGN.iter().find(|(magic, ..)| head.starts_with(magic) && (magic.len() > 2 || is_binary(head)));
    if let Some((_, zh, en)) = foreign {
        return Err(WorkbookError::Foreign { zh, en });
    }
    let wide = head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff");
    if is_binary(head) && !wide {
        return Err(WorkbookError::Foreign {
            zh: "无法识别的二进制内容", en: "binary data of an unknown kind"
        });
    }
    let first: Vec<u8> =
        head.iter().copied().filter(|byte| *byte != 0).skip_while(|byte| !byte.is_ascii_graphic()).take(1).collect();
    if first == b"<" {
        return Err(WorkbookError::Foreign { zh: "网页（HTML）或 XML", en: "a web page (HTML) or XML" });
    }
    Ok(Content::Text)
}

/// Whether there are bytes that no text in a common encoding holds.
fn is_binary(head: &[u8]) -> bool {
    head.iter().any(|byte| matches!(byte, 0..=8 | 14..=26 | 28..=31))
}
