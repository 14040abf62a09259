//! `.csv` and `.tsv`: text in the encodings that spreadsheets in China write.
//!
//! A byte order mark decides; else text that is valid UTF-8 is UTF-8, and the rest is guessed and decoded strictly. A file
//! that was pasted together from two encodings is refused with the line where the second one begins, since the reader of
//! the one makes plausible nonsense of the other.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{DecoderResult, Encoding, GB18030, GBK, UTF_8, UTF_16BE, UTF_16LE};
use protocol::kind::sheet::{Grid, strip_guard};

use super::builder::Builder;
use super::cell;
use super::error::WorkbookError;

/// Characters of three bytes that a line must hold before it is taken for UTF-8: shorter lines of the other encodings
/// can look the same by chance.
const UTF_8_EVIDENCE_CHARS_MIN: usize = 4;
/// Lines in which the separator is looked for.
const SEPARATOR_LINES_MAX: usize = 50;

/// Reads the text as one sheet.
pub(super) fn grid(sheet: &str, text: &str) -> Result<Grid, WorkbookError> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(separator(text))
        .from_reader(text.as_bytes());
    let mut builder = Builder::new(sheet);
    let mut record = csv::StringRecord::new();
    // Line breaks inside of cells are no lines of the sheet as a spreadsheet shows it.
    let mut inner_breaks = 0;
    loop {
        let more =
            reader.read_record(&mut record).map_err(|error| WorkbookError::Damaged { detail: error.to_string() })?;
        if !more {
            return Ok(builder.finish());
        }
        let (start, line) =
            record.position().map_or((0, 0), |position| (position.byte() as usize, position.line() as usize));
        // Blank lines are passed over by the reader and counted by people.
        let blank = text.as_bytes()[start..].iter().take_while(|byte| **byte == b'\n').count();
        let line = line + blank - inner_breaks;
        for (index, text) in record.iter().enumerate() {
            inner_breaks += text.bytes().filter(|byte| *byte == b'\n').count();
            builder.put(line, index + 1, cell::plain(strip_guard(text)))?;
        }
    }
}

/// The text of the file.
pub(super) fn decode(bytes: &[u8]) -> Result<String, WorkbookError> {
    // The reader of CSV counts lines by their line feeds alone.
    let text = decode_any(bytes)?.replace("\r\n", "\n").replace('\r', "\n");
    if text.trim().is_empty() { Err(WorkbookError::Empty) } else { Ok(text) }
}

fn decode_any(bytes: &[u8]) -> Result<String, WorkbookError> {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return strictly(encoding, &bytes[mark..]);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return check_controls(text.to_owned(), UTF_8.name());
    }
    check_mixture(bytes)?;
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let guessed = detector.guess(Some(b"cn"), Utf8Detection::Deny);
    // GB18030 holds all of GBK.
    strictly(if guessed == GBK { GB18030 } else { guessed }, bytes)
}

/// Decodes without guessing at wrong bytes.
fn strictly(encoding: &'static Encoding, bytes: &[u8]) -> Result<String, WorkbookError> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let room = decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len());
    let mut text = String::with_capacity(room);
    match decoder.decode_to_string_without_replacement(bytes, &mut text, true).0 {
        DecoderResult::InputEmpty => check_controls(text, encoding.name()),
        DecoderResult::OutputFull | DecoderResult::Malformed(..) => {
            Err(WorkbookError::Encoding { line: line_of(&text), encoding: name(encoding) })
        }
    }
}

fn name(encoding: &'static Encoding) -> &'static str {
    match encoding {
        _ if encoding == UTF_16LE || encoding == UTF_16BE => "UTF-16",
        _ => encoding.name(),
    }
}

/// The line on which a text ends.
fn line_of(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count() + 1
}

/// A text holds no zero bytes; a wrongly guessed encoding does.
fn check_controls(text: String, encoding: &'static str) -> Result<String, WorkbookError> {
    match text.find('\0') {
        Some(at) => Err(WorkbookError::Encoding { line: line_of(&text[..at]), encoding }),
        None => Ok(text),
    }
}

/// Finds lines in UTF-8 among lines that are not.
fn check_mixture(bytes: &[u8]) -> Result<(), WorkbookError> {
    let mut first: Option<bool> = None;
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let is_utf_8 = match std::str::from_utf8(line) {
            Ok(text) if text.chars().filter(|c| c.len_utf8() == 3).count() >= UTF_8_EVIDENCE_CHARS_MIN => true,
            Ok(_) => continue,
            Err(_) => false,
        };
        if *first.get_or_insert(is_utf_8) != is_utf_8 {
            let encoding = if is_utf_8 { GB18030.name() } else { UTF_8.name() };
            return Err(WorkbookError::Encoding { line: index + 1, encoding });
        }
    }
    Ok(())
}

/// The character that separates the cells: a tab or a comma, whichever there is more of outside of quotes; a semicolon
/// where there is neither.
fn separator(text: &str) -> u8 {
    let (mut tabs, mut commas, mut semicolons) = (0, 0, 0);
    for line in text.lines().take(SEPARATOR_LINES_MAX) {
        let mut quoted = false;
        for byte in line.bytes() {
            match byte {
                b'"' => quoted = !quoted,
                b'\t' if !quoted => tabs += 1,
                b',' if !quoted => commas += 1,
                b';' if !quoted => semicolons += 1,
                _ => {}
            }
        }
    }
    match (tabs, commas) {
        (0, 0) if semicolons > 0 => b';',
        (tabs, commas) if tabs > commas => b'\t',
        _ => b',',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str =
        "项目编号,项目名称,县\nXM1,电芯产业园一期,夏邑县\nXM2,\"两行的\n名称\",夏邑县\nXM3,印染园,夏邑县\n";

    fn read(bytes: &[u8]) -> Vec<(usize, Vec<String>)> {
        let text = decode(bytes).expect("the text is decoded");
        let grid = grid("表", &text).expect("the text is read");
        grid.rows.into_iter().map(|row| (row.line, row.cells)).collect()
    }

    #[test]
    fn every_common_encoding_gives_the_same_rows() {
        let plain = read(ROWS.as_bytes());
        assert_eq!(plain.len(), 4);
        assert_eq!(plain[3].0, 4, "a line break in a cell is no line of the sheet");
        let with_mark = [b"\xef\xbb\xbf".as_slice(), ROWS.as_bytes()].concat();
        assert_eq!(read(&with_mark), plain);
        assert_eq!(read(&GB18030.encode(ROWS).0), plain);
        let wide: Vec<u8> = ROWS.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&[b"\xff\xfe".as_slice(), &wide].concat()), plain);
        let wide: Vec<u8> = ROWS.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(read(&[b"\xfe\xff".as_slice(), &wide].concat()), plain);
        assert_eq!(read(ROWS.replace(',', "\t").as_bytes()), plain);
        assert_eq!(read(ROWS.replace(',', ";").as_bytes()), plain);
    }

    #[test]
    fn line_ends_of_every_system_give_the_same_rows() {
        let plain = read(ROWS.as_bytes());
        assert_eq!(read(ROWS.replace('\n', "\r\n").as_bytes()), plain);
        assert_eq!(read(ROWS.replace('\n', "\r").as_bytes()), plain);
        let lines = |text: &str| read(text.as_bytes()).into_iter().map(|(line, _)| line).collect::<Vec<_>>();
        assert_eq!(lines("a,b\r\n1,2\r\n\r\n3,4\r\n"), [1, 2, 4]);
        assert_eq!(lines("\n\na,b\n1,2\n\n\n\"5\n6\",7\n\n8,9"), [3, 4, 7, 9]);
    }

    #[test]
    fn two_encodings_in_one_file_name_the_line() {
        let line = "XM9,种植养殖加工产业园,奉节县\n";
        let mixed = [ROWS.as_bytes(), &GB18030.encode(line).0].concat();
        let Err(WorkbookError::Encoding { line: found, encoding }) = decode(&mixed) else { panic!("refused") };
        assert_eq!((found, encoding), (6, "UTF-8"));
        let mixed = [&GB18030.encode(ROWS).0, line.as_bytes()].concat();
        let Err(WorkbookError::Encoding { line: found, encoding }) = decode(&mixed) else { panic!("refused") };
        assert_eq!((found, encoding), (6, "gb18030"));
    }
}
