//! The text of a cell: numbers as their author sees them, dates as days.

use calamine::{CellErrorType, DataRef, ExcelDateTime};
use protocol::kind::sheet::{CellFault, column_letter};

use super::limits::CELL_BYTES_MAX;

/// Digits that spreadsheets keep of a number.
const DIGITS_MAX: usize = 15;
/// The first serial number after the last day, 9999-12-31, that spreadsheets know.
const SERIAL_END: f64 = 2_958_466.0;
/// Powers of ten beyond which a number is written with an exponent.
const EXPONENT_MAX: i32 = 27;

/// What a cell holds.
pub(super) enum Text {
    /// Its text; empty when nothing stands there.
    Plain(String),
    /// It cannot be read.
    Fault(CellFault),
}

/// Reads a cell. `percent` says that its number is shown as a percentage.
pub(super) fn read(value: &DataRef<'_>, percent: bool) -> Text {
    let text = match value {
        DataRef::Empty => String::new(),
        DataRef::Int(number) => return number_text(&number.to_string(), *number as f64, percent),
        DataRef::Float(number) => return number_text("", *number, percent),
        DataRef::String(text) => return plain(text),
        DataRef::SharedString(text) => return plain(text),
        DataRef::Bool(true) => "是".to_owned(),
        DataRef::Bool(false) => "否".to_owned(),
        DataRef::DateTime(moment) => return moment_text(moment),
        // 2026-03-05T00:00:00: the day is what counts.
        DataRef::DateTimeIso(text) => text.split('T').next().unwrap_or_default().to_owned(),
        DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(error) => return Text::Fault(error_fault(error)),
    };
    Text::Plain(text)
}

/// A text cell.
pub(super) fn plain(text: &str) -> Text {
    if text.len() > CELL_BYTES_MAX {
        let shown = text.chars().take(20).collect();
        let zh = format!("文字太长（最多 {CELL_BYTES_MAX} 字节）；请缩短。");
        let en = format!("the text is too long (at most {CELL_BYTES_MAX} bytes); please shorten it");
        return Text::Fault(CellFault { value: shown, zh, en });
    }
    // Half a pair of line breaks is how old programs end their lines.
    Text::Plain(if text.as_bytes().contains(&b'\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.to_owned()
    })
}

/// A formula whose result was not stored, at a line and column from 1.
pub(super) fn uncached(line: usize, column: usize) -> CellFault {
    let cell = format!("{}{line}", column_letter(column));
    let zh = format!("{cell} 是公式，文件里没有存它的结果；请用 Excel 或 WPS 打开后保存，再导入。");
    let en = format!(
        "{cell} is a formula whose result the file does not hold; please open it in Excel or WPS, save it and import again"
    );
    CellFault { value: String::new(), zh, en }
}

fn error_fault(error: &CellErrorType) -> CellFault {
    let value = error.to_string();
    let zh = format!("单元格是错误值 {value}；请在表里改正公式，或直接填入数值。");
    let en = format!("the cell holds the error {value}; please correct its formula or type the value");
    CellFault { value, zh, en }
}

/// A number with the digits that its author sees: a file may hold 37.840000000000003 where 37.84 was typed.
fn number_text(exact: &str, number: f64, percent: bool) -> Text {
    if !number.is_finite() {
        return Text::Fault(error_fault(&CellErrorType::Num));
    }
    if !percent && let Some(text) = short_text(exact, number) {
        return Text::Plain(text);
    }
    let (digits, exponent) = digits(number);
    if digits.len() >= DIGITS_MAX && exponent >= DIGITS_MAX as i32 {
        // Such numbers are codes and telephone numbers that somebody typed as numbers: their end is lost already.
        let value = plain_number(number < 0.0, &digits, exponent);
        let zh =
            format!("{value} 超过 {DIGITS_MAX} 位，表格软件已把后面的数字改成 0；请把这一格设为文本格式，重新填写。");
        let en = format!(
            "{value} has more than {DIGITS_MAX} digits, and the spreadsheet has lost the last; please format the cell as \
             text and type it again"
        );
        return Text::Fault(CellFault { value, zh, en });
    }
    let shown = plain_number(number < 0.0, &digits, if percent { exponent + 2 } else { exponent });
    Text::Plain(if percent { format!("{shown}%") } else { shown })
}

/// The text of a number that has no more digits than a spreadsheet keeps, as nearly all have.
fn short_text(exact: &str, number: f64) -> Option<String> {
    if !exact.is_empty() && exact.len() <= DIGITS_MAX {
        return Some(exact.to_owned());
    }
    // With its sign and point it may have one digit less; the long way finds the same text for the others.
    let text = (1e-3..1e15).contains(&number.abs()).then(|| number.to_string())?;
    (text.len() <= DIGITS_MAX).then_some(text)
}

/// The digits of a number without leading and trailing zeros, and the power of ten of the first one.
fn digits(number: f64) -> (String, i32) {
    let shortest = split(&format!("{:e}", number.abs()));
    // What goes beyond the digits that a spreadsheet keeps is the noise of a computation.
    if shortest.0.len() > DIGITS_MAX { split(&format!("{:.*e}", DIGITS_MAX - 1, number.abs())) } else { shortest }
}

fn split(scientific: &str) -> (String, i32) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    (digits.trim_end_matches('0').to_owned(), exponent.parse().unwrap_or_default())
}

/// Digits written out, with an exponent only where nobody would write them out.
fn plain_number(negative: bool, digits: &str, exponent: i32) -> String {
    let sign = if negative { "-" } else { "" };
    let text = if digits.is_empty() {
        return "0".to_owned();
    } else if exponent.abs() > EXPONENT_MAX {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        format!("{first}{point}{rest}e{exponent}")
    } else if exponent < 0 {
        format!("0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1))
    } else if digits.len() <= exponent as usize + 1 {
        format!("{digits}{}", "0".repeat(exponent as usize + 1 - digits.len()))
    } else {
        let (whole, rest) = digits.split_at(exponent as usize + 1);
        format!("{whole}.{rest}")
    };
    format!("{sign}{text}")
}

/// The day of a date, the hours of a time.
fn moment_text(moment: &ExcelDateTime) -> Text {
    let serial = moment.as_f64();
    let minutes = (serial.fract() * 24.0 * 60.0).round() as i64;
    if moment.is_duration() || (0.0..1.0).contains(&serial) {
        let minutes = minutes + serial.trunc() as i64 * 24 * 60;
        return Text::Plain(format!("{}:{:02}", minutes / 60, (minutes % 60).abs()));
    }
    if !(0.0..SERIAL_END).contains(&serial) {
        let value = serial.to_string();
        let zh = format!("{value} 设成了日期格式，但不是日期；请重新填写。");
        let en = format!("{value} is formatted as a date and is none; please type it again");
        return Text::Fault(CellFault { value, zh, en });
    }
    let (year, month, day, ..) = moment.to_ymd_hms_milli();
    Text::Plain(format!("{year:04}-{month:02}-{day:02}"))
}

/// Whether a number format shows percentages: it holds a `%` outside of quotes and not escaped.
pub(super) fn is_percent(format: &str) -> bool {
    let mut quoted = false;
    let mut escaped = false;
    for c in format.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' | '_' | '*' => escaped = true,
            '"' => quoted = !quoted,
            '%' if !quoted => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    fn text(value: DataRef<'_>, percent: bool) -> String {
        match read(&value, percent) {
            Text::Plain(text) => text,
            Text::Fault(fault) => format!("!{}", fault.value),
        }
    }

    #[test]
    fn numbers_come_as_they_were_typed() {
        for (number, wanted) in [
            (37.84, "37.84"),
            (37.84 + f64::EPSILON * 32.0, "37.84"),
            (0.1 + 0.2, "0.3"),
            (379.0, "379"),
            (-0.05, "-0.05"),
            (0.0, "0"),
            (-0.0, "0"),
            (1e21, "1000000000000000000000"),
            (1.5e-7, "0.00000015"),
            (1e300, "1e300"),
            (2.5e-300, "2.5e-300"),
            (123456789012345.0, "123456789012345"),
            (123456789012345680.0, "!123456789012346000"),
            (411426199001011000.0, "!411426199001011000"),
        ] {
            assert_eq!(text(DataRef::Float(number), false), wanted, "{number}");
        }
        assert_eq!(text(DataRef::Int(100), false), "100");
        assert_eq!(text(DataRef::Float(f64::NAN), false), "!#NUM!");
    }

    #[test]
    fn percentages_move_the_point_exactly() {
        for (number, wanted) in
            [(0.3, "30%"), (0.125, "12.5%"), (1.0, "100%"), (0.07, "7%"), (0.0, "0%"), (0.285, "28.5%")]
        {
            assert_eq!(text(DataRef::Float(number), true), wanted, "{number}");
        }
        assert!(is_percent("0%") && is_percent("0.00%;[Red]-0.00%") && !is_percent("0\"%\"") && !is_percent("0.00"));
    }

    #[test]
    fn dates_come_as_days_in_both_systems() {
        let date =
            |serial: f64, is_1904| DataRef::DateTime(ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, is_1904));
        assert_eq!(text(date(46086.0, false), false), "2026-03-05");
        assert_eq!(text(date(46086.75, false), false), "2026-03-05");
        assert_eq!(text(date(44624.0, true), false), "2026-03-05");
        assert_eq!(text(date(0.5, false), false), "12:00");
        assert_eq!(text(date(3e9, false), false), "!3000000000");
        let span = ExcelDateTime::new(1.5, ExcelDateTimeType::TimeDelta, false);
        assert_eq!(text(DataRef::DateTime(span), false), "36:00");
        assert_eq!(text(DataRef::DateTimeIso("2026-03-05T08:00:00".into()), false), "2026-03-05");
    }

    #[test]
    fn booleans_errors_and_long_texts() {
        assert_eq!(text(DataRef::Bool(true), false), "是");
        assert_eq!(text(DataRef::Error(CellErrorType::Ref), false), "!#REF!");
        assert_eq!(text(DataRef::String("a\r\nb\rc".into()), false), "a\nb\nc");
        assert!(text(DataRef::String("长".repeat(CELL_BYTES_MAX)), false).starts_with('!'));
        assert_eq!(text(DataRef::SharedString("0100"), false), "0100");
    }
}
