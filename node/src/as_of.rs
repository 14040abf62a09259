//! A time as people give it: one reading for every command and every route that asks "as of when".
//!
//! All times are those of China (UTC+8). A day means its end, as does a month, a quarter or a year; of one that runs, now.

use protocol::kind::Period;
use protocol::value::Date;

/// What can be written, in Chinese.
pub const FORMATS_ZH: &str =
    "可写 2026-03（月末）、2026-03-31（当日结束时）、2026-03-31T10:00（北京时间），或 1970 年以来的毫秒数";
/// What can be written, in English.
pub const FORMATS_EN: &str = "write 2026-03 (the end of the month), 2026-03-31 (the end of the day), 2026-03-31T10:00 \
     (China time), or milliseconds since 1970";

/// A longer number is no year and no day, but milliseconds.
const DAY_DIGITS: usize = "20260301".len();
const MINUTE_MS: u64 = 60 * 1_000;

/// The time that a text means at `now_ms`; `None` when it means none.
pub fn parse(text: &str, now_ms: u64) -> Option<u64> {
    let text = text.trim();
    if text.len() > DAY_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let (first, last) = match text.split_once(['T', 't', ' ']) {
        None => days(text)?,
        Some((day, time)) => {
            let (first, last) = days(day)?;
            return if first == last { first.start_ms().checked_add(time_of_day(time.trim())?) } else { None };
        }
    };
    let last_ms = last.end_ms().checked_sub(1)?;
    Some(if (first.start_ms()..=last_ms).contains(&now_ms) { now_ms } else { last_ms })
}

/// The first and the last day of what a text names.
fn days(text: &str) -> Option<(Date, Date)> {
    let period = Period::parse(text).filter(|period| !period.is_open())?;
    Some((period.first_day()?, period.last_day()?))
}

/// Milliseconds since midnight of `10:00` or `10:00:30`; 24:00 is the end of the day.
fn time_of_day(text: &str) -> Option<u64> {
    let text = text.replace('：', ":");
    let parts: Vec<u64> = text.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let (hour, minute, second) = match parts[..] {
        [hour, minute] => (hour, minute, 0),
        [hour, minute, second] => (hour, minute, second),
        _ => return None,
    };
    let is_time = (hour < 24 && minute < 60 && second < 60) || (hour, minute, second) == (24, 0, 0);
    is_time.then_some((hour * 60 + minute) * MINUTE_MS + second * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: u16, month: u8, day: u8) -> Date {
        Date::new(year, month, day).expect("a day that exists")
    }

    #[test]
    fn a_day_or_a_month_is_its_end_in_china_and_one_that_runs_is_now() {
        let now_ms = day(2026, 6, 15).start_ms() + 5;
        let read = |text: &str| parse(text, now_ms);
        assert_eq!(read("2026-03-31"), Some(day(2026, 3, 31).end_ms() - 1));
        assert_eq!(read("2026-03"), read("2026-03-31"));
        assert_eq!(read("2026Q1"), read("2026-03-31"));
        assert_eq!((read("2026-06-15"), read("2026-06"), read("2026")), (Some(now_ms), Some(now_ms), Some(now_ms)));
        assert_eq!(read("2026-06-16"), Some(day(2026, 6, 16).end_ms() - 1), "what lies ahead is asked for as it is");
    }

    #[test]
    fn a_time_of_day_is_exact_and_a_long_number_is_milliseconds() {
        let start_ms = day(2026, 3, 31).start_ms();
        let read = |text: &str| parse(text, 0);
        assert_eq!(read("2026-03-31T10:00"), Some(start_ms + 600 * MINUTE_MS));
        assert_eq!(read(" 2026-03-31 10:00:30 "), Some(start_ms + 600 * MINUTE_MS + 30_000));
        assert_eq!(read("2026-03-31T24:00"), Some(start_ms + 86_400_000));
        assert_eq!(read("1764547200000"), Some(1_764_547_200_000));
        for text in ["", "昨天", "2026-13", "2026-03T10:00", "2026-03-31T25:00", "2026-03-31T10", "2021-"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
