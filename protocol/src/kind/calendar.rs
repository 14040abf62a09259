//! Days of records in China time, as conditions count them.

use ::time::{Date as CalendarDate, Duration, Month};

use crate::value::Date;

/// China keeps one time: UTC+8.
const CHINA_OFFSET_MS: i64 = 8 * 3_600_000;
const DAY_MS: i64 = 86_400_000;
/// The Julian day of 1970-01-01.
const UNIX_EPOCH_JULIAN_DAY: i64 = 2_440_588;

/// The end of the day in China, and of so many days more, in milliseconds since 1970 (UTC). A month or year alone ends
/// with its last day.
pub(super) fn end_ms(date: Date, days: u32) -> Option<u64> {
    let after = last_day(date)?.checked_add(Duration::days(i64::from(days) + 1))?;
    let start = (i64::from(after.to_julian_day()) - UNIX_EPOCH_JULIAN_DAY) * DAY_MS;
    u64::try_from(start - CHINA_OFFSET_MS).ok()
}

/// Days from one date to the other, of months and years by their last days.
pub(super) fn days_between(from: Date, until: Date) -> Option<i64> {
    Some((last_day(until)? - last_day(from)?).whole_days())
}

fn last_day(date: Date) -> Option<CalendarDate> {
    let year = i32::from(date.year());
    let month = Month::try_from(if date.month() == 0 { 12 } else { date.month() }).ok()?;
    let day = if date.day() == 0 { month.length(year) } else { date.day() };
    CalendarDate::from_calendar_date(year, month, day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(year: u16, month: u8, day: u8) -> Date {
        Date::new(year, month, day).expect("there is such a day")
    }

    #[test]
    fn a_day_ends_at_midnight_in_china() {
        // 2026-01-01 00:00 in China is 16:00 of the day before in UTC.
        assert_eq!(end_ms(date(2025, 12, 31), 0), Some(1_767_196_800_000));
        assert_eq!(end_ms(date(2025, 12, 30), 1), end_ms(date(2025, 12, 31), 0));
        assert_eq!(end_ms(date(2025, 12, 0), 0), end_ms(date(2025, 12, 31), 0));
        assert_eq!(end_ms(date(2025, 0, 0), 0), end_ms(date(2025, 12, 31), 0));
        assert_eq!(end_ms(date(1, 1, 1), 0), None);
        assert_eq!(end_ms(date(9999, 12, 31), u32::MAX), None);
    }

    #[test]
    fn days_are_counted_over_leap_years() {
        assert_eq!(days_between(date(2023, 3, 1), date(2024, 3, 1)), Some(366));
        assert_eq!(days_between(date(2024, 3, 1), date(2023, 3, 1)), Some(-366));
        assert_eq!(days_between(date(2024, 2, 0), date(2024, 2, 29)), Some(0));
    }
}
