//! How our sheets look: colours, widths, number formats, and how they print.

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Note, Worksheet, XlsxError};

/// Longest text of a cell in a workbook.
pub(super) const CELL_CHARACTERS_MAX: usize = 32_767;
/// Rows of a sheet, the header's included.
pub(super) const SHEET_ROWS_MAX: u32 = 1_048_576;
/// Longest name of a sheet.
const SHEET_NAME_CHARACTERS_MAX: usize = 31;
/// Narrowest and widest column, in characters of the standard font.
const COLUMN_WIDTH: (usize, usize) = (10, 40);
/// What a column is wider than its header, for the button of the filter.
const COLUMN_MARGIN: usize = 4;
/// Height of the header's row.
const HEADER_HEIGHT_POINTS: f64 = 32.0;
/// Size of a note on a column.
const NOTE_WIDTH_PIXELS: u32 = 360;
/// Height of one line of a note.
const NOTE_LINE_PIXELS: u32 = 20;
/// Characters of a note, a Chinese one counted twice, that fit on one line.
const NOTE_LINE_CHARACTERS: usize = 46;
/// A4 in the numbering of workbooks.
const PAPER_A4: u8 = 9;

const HEADER: u32 = 0xD9E1F2;
const OBLIGATORY: u32 = 0xF8CBAD;
const LOCAL: u32 = 0xD9D9D9;
const EXAMPLE: u32 = 0x7F7F7F;
const WRONG: u32 = 0xFF9999;
const MARKED: u32 = 0xFFF2CC;

/// The format by which a cell stays as it was typed: a code keeps its leading zeros, and `2025-12` stays a month.
const TEXT: &str = "@";

/// What a column is to the person who fills it in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    Plain,
    Obligatory,
    Local,
}

/// The format of a header.
pub(super) fn header(header: Header) -> Format {
    let colour = match header {
        Header::Plain => HEADER,
        Header::Obligatory => OBLIGATORY,
        Header::Local => LOCAL,
    };
    text()
        .set_bold()
        .set_background_color(Color::RGB(colour))
        .set_border(FormatBorder::Thin)
        .set_align(FormatAlign::VerticalCenter)
        .set_text_wrap()
}

/// The format of cells that hold text.
pub(super) fn text() -> Format {
    Format::new().set_num_format(TEXT)
}

/// The format of cells that hold figures, with or without words.
pub(super) fn number() -> Format {
    Format::new().set_align(FormatAlign::Right)
}

/// An example, which is not data.
pub(super) fn example(base: Format) -> Format {
    base.set_italic().set_font_color(Color::RGB(EXAMPLE))
}

/// A wrong cell.
pub(super) fn wrong() -> Format {
    text().set_background_color(Color::RGB(WRONG)).set_border(FormatBorder::Thin)
}

/// The other cells of a row in which something is wrong.
pub(super) fn marked() -> Format {
    text().set_background_color(Color::RGB(MARKED))
}

/// What is wrong.
pub(super) fn reason() -> Format {
    marked().set_text_wrap().set_align(FormatAlign::Top)
}

/// A heading of the page that explains.
pub(super) fn heading() -> Format {
    Format::new().set_bold().set_font_size(14)
}

/// A paragraph of the page that explains.
pub(super) fn paragraph() -> Format {
    Format::new().set_text_wrap().set_align(FormatAlign::Top)
}

/// How wide a text is, in Latin characters.
pub(super) fn characters(text: &str) -> usize {
    text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

/// A note that is as high as its text.
pub(super) fn note(text: &str) -> Note {
    let lines: usize = text.lines().map(|line| 1 + characters(line) / NOTE_LINE_CHARACTERS).sum();
    let height = u32::try_from(lines + 1).unwrap_or(u32::MAX).saturating_mul(NOTE_LINE_PIXELS);
    Note::new(text).add_author_prefix(false).set_width(NOTE_WIDTH_PIXELS).set_height(height)
}

/// The width of a column under such a header.
pub(super) fn width(header: &str) -> f64 {
    let characters = characters(header);
    // Widths are small whole numbers; the file format wants a fraction.
    u32::try_from((characters + COLUMN_MARGIN).clamp(COLUMN_WIDTH.0, COLUMN_WIDTH.1)).map_or(10.0, f64::from)
}

/// The name of a sheet, without what a workbook does not allow in one.
pub(super) fn sheet_name(name: &str) -> String {
    let allowed = |c: char| if matches!(c, '[' | ']' | ':' | '*' | '?' | '/' | '\\' | '\'') { '-' } else { c };
    name.chars().map(allowed).take(SHEET_NAME_CHARACTERS_MAX).collect()
}

/// The name of one of several sheets that would have the same.
pub(super) fn sheet_name_numbered(name: &str, number: usize) -> String {
    let suffix = format!(" {number}");
    let room = SHEET_NAME_CHARACTERS_MAX - suffix.len();
    sheet_name(name).chars().take(room).chain(suffix.chars()).collect()
}

/// What every sheet of records has: a header that stays in sight and is printed on every page.
pub(super) fn lay_out(sheet: &mut Worksheet) -> Result<(), XlsxError> {
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_row_height(0, HEADER_HEIGHT_POINTS)?;
    sheet.set_repeat_rows(0, 0)?;
    sheet.set_landscape().set_paper_size(PAPER_A4).set_print_fit_to_pages(1, 0);
    sheet.set_footer("&C&A  &P / &N");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_widths_fit_into_a_workbook() {
        assert_eq!(sheet_name("用地/能耗[1]"), "用地-能耗-1-");
        assert_eq!(sheet_name(&"长".repeat(40)).chars().count(), SHEET_NAME_CHARACTERS_MAX);
        assert_eq!((width("名称"), width("计划投资（亿元）"), width(&"长".repeat(40))), (10.0, 20.0, 40.0));
    }
}
