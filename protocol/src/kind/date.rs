//! Reading dates: `2025-12-31`, `2025/12/31`, `2025.12.31`, `2025年12月31日`, a year and a month, or a year.

use super::text::narrow;
use crate::value::Date;

/// Reads a date; `None` when the text is none, or names a day that does not exist.
pub(super) fn read(text: &str) -> Option<Date> {
    let text = narrow(without_midnight(text.trim()));
    let text = text.strip_suffix(['年', '月', '日']).unwrap_or(&text).replace(['年', '月', '/', '.'], "-");
    let mut parts = text.split('-').map(read_part);
    let year = parts.next()??;
    let month = parts.next().unwrap_or(Some((0, 0)))?;
    let day = parts.next().unwrap_or(Some((0, 0)))?;
    let named_zero = (month.1 > 0 && month.0 == 0) || (day.1 > 0 && day.0 == 0);
    if parts.next().is_some() || year.1 != 4 || month.1 > 2 || day.1 > 2 || named_zero {
        return None;
    }
    Date::new(year.0, u8::try_from(month.0).ok()?, u8::try_from(day.0).ok()?)
}

/// Spreadsheets give a day as midnight of that day.
fn without_midnight(text: &str) -> &str {
    let midnight = ["T00:00:00", " 00:00:00", " 0:00:00", " 00:00", " 0:00"];
    midnight.iter().find_map(|midnight| text.strip_suffix(midnight)).unwrap_or(text)
}

/// A number and how many digits it was written with.
fn read_part(text: &str) -> Option<(u16, usize)> {
    let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok().map(|number| (number, text.len())))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_people_write_them() {
        for text in
            ["2025-12-31", "2025/12/31", "2025.12.31", "2025年12月31日", "２０２５年12月31", "2025-12-31 00:00:00"]
        {
            assert_eq!(read(text), Date::new(2025, 12, 31), "{text}");
        }
        assert_eq!(read("2025-1-5"), Date::new(2025, 1, 5));
        for text in ["2025-07", "2025年7月", "2025/7"] {
            assert_eq!(read(text), Date::new(2025, 7, 0), "{text}");
        }
        assert_eq!(read("2025年"), Date::new(2025, 0, 0));
        assert_eq!(read("2025"), Date::new(2025, 0, 0));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "25-12-31",
            "2025-13",
            "2025-02-29",
            "2025-00",
            "2025-01-00",
            "2025-1-1-1",
            "年底",
            "2023-2025",
            "2021-",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
