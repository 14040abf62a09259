//! Dates: reading `2025-12-31`, `2025/12/31`, `2025.12.31`, `2025年12月31日`, `20251231`, a year and a month, or a
//! year; and the calendar in China time, in which all dates are meant.

use time::Month;

use super::text::narrow;
use crate::value::Date;

/// China time is so far ahead of UTC, all year round, in the whole country.
const CHINA_OFFSET_MS: i64 = 8 * 60 * 60 * 1_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// Day number of 1970-01-01 in the count of days that [`time`] uses.
const EPOCH_JULIAN_DAY: i64 = 2_440_588;

impl Date {
    /// The day in China of a time in milliseconds since 1970 (UTC); `None` beyond the year 9999.
    pub fn of_ms(time_ms: u64) -> Option<Self> {
        let day = i64::try_from(time_ms).ok()?.checked_add(CHINA_OFFSET_MS)?.div_euclid(DAY_MS);
        Self::of_epoch_day(day)
    }

    /// The first day of the year or month; the day itself if it is one.
    pub fn first_day(self) -> Self {
        Self::new(self.year(), self.month().max(1), self.day().max(1)).unwrap_or(self)
    }

    /// The last day of the year or month; the day itself if it is one.
    pub fn last_day(self) -> Self {
        let month = if self.month() == 0 { 12 } else { self.month() };
        let length = Month::try_from(month).map_or(31, |month| month.length(i32::from(self.year())));
        let day = if self.day() == 0 { length } else { self.day() };
        Self::new(self.year(), month, day).unwrap_or(self)
    }

    /// When its first day begins in China, in milliseconds since 1970 (UTC); 0 for what lies before.
    pub fn start_ms(self) -> u64 {
        u64::try_from(self.first_day().epoch_day() * DAY_MS - CHINA_OFFSET_MS).unwrap_or(0)
    }

    /// When its last day is over in China, in milliseconds since 1970 (UTC): the first millisecond that lies behind it.
    pub fn end_ms(self) -> u64 {
        u64::try_from((self.last_day().epoch_day() + 1) * DAY_MS - CHINA_OFFSET_MS).unwrap_or(0)
    }

    /// The day so many days later, or earlier when negative; a month or a year counts from its last day. `None` beyond
    /// the years 1 to 9999.
    pub fn plus_days(self, days: i64) -> Option<Self> {
        Self::of_epoch_day(self.last_day().epoch_day().checked_add(days)?)
    }

    /// How many days the last day of `later` lies behind the first day of this date; negative when it lies before.
    pub fn days_until(self, later: Self) -> i64 {
        later.last_day().epoch_day() - self.first_day().epoch_day()
    }

    /// Days since 1970-01-01. Only asked of full days, which exist by construction.
    fn epoch_day(self) -> i64 {
        self.calendar().map_or(0, |date| i64::from(date.to_julian_day()) - EPOCH_JULIAN_DAY)
    }

    fn of_epoch_day(day: i64) -> Option<Self> {
        let julian = i32::try_from(day.checked_add(EPOCH_JULIAN_DAY)?).ok()?;
        Self::of_calendar(time::Date::from_julian_day(julian).ok()?)
    }

    /// The full day as the calendar library has it.
    pub(super) fn calendar(self) -> Option<time::Date> {
        let month = Month::try_from(self.month()).ok()?;
        time::Date::from_calendar_date(i32::from(self.year()), month, self.day()).ok()
    }

    /// A day of the calendar library.
    pub(super) fn of_calendar(date: time::Date) -> Option<Self> {
        Self::new(u16::try_from(date.year()).ok()?, u8::from(date.month()), date.day())
    }
}

/// Reads a date; `None` when the text is none, or names a day that does not exist. A number of days, as spreadsheets
/// store a date, is none: nobody can tell it from another number.
pub(super) fn read(text: &str) -> Option<Date> {
    let text = narrow(without_midnight(text.trim()));
    if text.len() == "20251231".len() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return full(&text[..4], &text[4..6], &text[6..]);
    }
    if let Some((year, rest)) = text.split_once('年') {
        let rest = rest.strip_suffix(['日', '号']).unwrap_or(rest);
        return match rest.split_once('月') {
            None if rest.is_empty() && !text.ends_with(['日', '号']) => {
                part(year, 4).and_then(|year| Date::new(year, 0, 0))
            }
            Some((month, "")) if !text.ends_with(['日', '号']) => month_of(year, month),
            Some((month, day)) => full(year, month, day),
            None => None,
        };
    }
    let separator = text.chars().find(|c| !c.is_ascii_digit());
    let parts: Vec<&str> = separator.map_or_else(|| vec![text.as_str()], |separator| text.split(separator).collect());
    match (parts.as_slice(), separator) {
        ([year], None) => part(year, 4).and_then(|year| Date::new(year, 0, 0)),
        // 2025.1 may be October whose zero a spreadsheet dropped.
        ([_, "1"], Some('.')) => None,
        ([year, month], Some('-' | '/' | '.')) => month_of(year, month),
        ([year, month, day], Some('-' | '/' | '.')) => full(year, month, day),
        _ => None,
    }
}

fn full(year: &str, month: &str, day: &str) -> Option<Date> {
    let (month, day) = (part(month, 2)?, part(day, 2)?);
    let date = Date::new(part(year, 4)?, u8::try_from(month).ok()?, u8::try_from(day).ok()?);
    date.filter(|date| date.month() > 0 && date.day() > 0)
}

fn month_of(year: &str, month: &str) -> Option<Date> {
    let date = Date::new(part(year, 4)?, u8::try_from(part(month, 2)?).ok()?, 0);
    date.filter(|date| date.month() > 0)
}

/// Spreadsheets give a day as midnight of that day.
fn without_midnight(text: &str) -> &str {
    let midnight = ["T00:00:00", " 00:00:00", " 0:00:00", " 00:00", " 0:00"];
    midnight.iter().find_map(|midnight| text.strip_suffix(midnight)).unwrap_or(text)
}

/// A number of at most so many digits; a year has exactly four.
fn part(text: &str, digits: usize) -> Option<u16> {
    let length = if digits == 4 { 4..=4 } else { 1..=digits };
    let fits = length.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    fits.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: u16, month: u8, day: u8) -> Date {
        Date::new(year, month, day).expect("a date that exists")
    }

    #[test]
    fn dates_are_read_as_people_write_them() {
        for text in [
            "2025-12-31",
            "2025/12/31",
            "2025.12.31",
            "2025年12月31日",
            "2025年12月31号",
            "２０２５年12月31",
            "２０２５．１２．３１",
            "20251231",
            "2025-12-31 00:00:00",
        ] {
            assert_eq!(read(text), Date::new(2025, 12, 31), "{text}");
        }
        assert_eq!(read("2025-1-5"), Date::new(2025, 1, 5));
        for text in ["2025-07", "2025年7月", "2025/7", "2025.7"] {
            assert_eq!(read(text), Date::new(2025, 7, 0), "{text}");
        }
        assert_eq!(read("2025年"), Date::new(2025, 0, 0));
        assert_eq!(read("2025"), Date::new(2025, 0, 0));
        assert_eq!(read("2024-02-29"), Date::new(2024, 2, 29));
        assert_eq!(read("2025.10"), Date::new(2025, 10, 0));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "25-12-31",
            "2025-13",
            "2025-02-29",
            "2100-02-29",
            "2025-00",
            "2025-01-00",
            "2025-1-1-1",
            "20250230",
            "202512",
            "46000",
            "45992.5",
            "2025.1",
            "2025年3-5",
            "2025年日",
            "2025年7月日",
            "2025-3/5",
            "0000",
            "年底",
            "2023-2025",
            "2021-",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn days_begin_and_end_in_china_time() {
        // 2026-03-05T16:00:00Z is midnight in China.
        let midnight_ms = 1_772_726_400_000;
        assert_eq!(Date::of_ms(midnight_ms), Date::new(2026, 3, 6));
        assert_eq!(Date::of_ms(midnight_ms - 1), Date::new(2026, 3, 5));
        assert_eq!(day(2026, 3, 5).end_ms(), midnight_ms);
        assert_eq!(day(2026, 3, 6).start_ms(), midnight_ms);
        assert_eq!(day(2026, 2, 0).end_ms(), day(2026, 3, 1).start_ms());
        assert_eq!(day(2025, 0, 0).end_ms(), day(2026, 1, 1).start_ms());
        assert_eq!(Date::of_ms(0), Date::new(1970, 1, 1));
        assert_eq!(day(1949, 10, 1).end_ms(), 0);
        assert_eq!(Date::of_ms(u64::MAX), None);
        for days in 0..800 {
            let date = day(2023, 12, 31).plus_days(days).expect("a day of this century");
            assert_eq!((Date::of_ms(date.start_ms()), Date::of_ms(date.end_ms() - 1)), (Some(date), Some(date)));
        }
    }

    #[test]
    fn days_are_counted_over_months_and_leap_years() {
        assert_eq!(day(2024, 2, 28).plus_days(2), Date::new(2024, 3, 1));
        assert_eq!(day(2025, 2, 28).plus_days(1), Date::new(2025, 3, 1));
        assert_eq!(day(2026, 1, 1).plus_days(-1), Date::new(2025, 12, 31));
        assert_eq!(day(2025, 12, 0).plus_days(1), Date::new(2026, 1, 1));
        assert_eq!(day(9999, 12, 31).plus_days(1), None);
        assert_eq!(day(1, 1, 1).plus_days(-1), None);
        assert_eq!(day(2023, 1, 1).days_until(day(2025, 12, 31)), 1_095);
        assert_eq!(day(2025, 2, 0).days_until(day(2025, 2, 0)), 27);
        assert!(day(2025, 12, 31) < day(2026, 1, 1) && day(2026, 0, 0) < day(2026, 1, 1));
    }
}
