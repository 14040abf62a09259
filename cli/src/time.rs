//! The clock, and how times are shown: in Beijing time, which holds in every county.

use std::time::{SystemTime, UNIX_EPOCH};

use time::{Date, Month, OffsetDateTime, Time, UtcOffset};

/// Milliseconds in a day.
pub const DAY_MS: u64 = 86_400_000;

/// Milliseconds since 1970 (UTC), by this machine's clock.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_millis() as u64)
}

/// A time for people: `2026-11-22 08:00:00`.
pub fn show(time_ms: u64) -> String {
    let beijing = UtcOffset::from_hms(8, 0, 0).unwrap_or(UtcOffset::UTC);
    let seconds = i64::try_from(time_ms / 1_000).unwrap_or(i64::MAX);
    let Ok(time) = OffsetDateTime::from_unix_timestamp(seconds) else { return format!("{time_ms} ms") };
    let Some(time) = time.checked_to_offset(beijing) else { return format!("{time_ms} ms") };
    let (date, (hour, minute, second)) = (time.date(), time.to_hms());
    format!("{date} {hour:02}:{minute:02}:{second:02}")
}

/// A time by which something must be done, for people: midnight ends the day before it, `2026-02-28 24:00`.
pub fn show_deadline(time_ms: u64) -> String {
    let shown = show(time_ms);
    if !shown.ends_with(" 00:00:00") || time_ms == 0 {
        return shown;
    }
    let before = show(time_ms - 1);
    before.split(' ').next().map_or(shown, |day| format!("{day} 24:00"))
}

/// Like [`show`], with a dash for the time that is none.
pub fn show_or_dash(time_ms: u64) -> String {
    if time_ms == 0 { "-".into() } else { show(time_ms) }
}

/// Reads what [`show`] writes, seconds or the time of day left out if need be.
pub fn parse(text: &str) -> Option<u64> {
    let numbers: Vec<&str> = text.trim().split(['-', ' ', 'T', ':']).collect();
    let number = |index: usize| numbers.get(index).map_or(Some(0), |text| text.parse::<u16>().ok());
    if !(3..=6).contains(&numbers.len()) {
        return None;
    }
    let small = |index| number(index).and_then(|number| u8::try_from(number).ok());
    let month = Month::try_from(small(1)?).ok()?;
    let date = Date::from_calendar_date(i32::from(number(0)?), month, small(2)?).ok()?;
    let time = Time::from_hms(small(3)?, small(4)?, small(5)?).ok()?;
    let beijing = UtcOffset::from_hms(8, 0, 0).ok()?;
    let seconds = date.with_time(time).assume_offset(beijing).unix_timestamp();
    u64::try_from(seconds).ok()?.checked_mul(1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_beijing_times() {
        assert_eq!(show(0), "1970-01-01 08:00:00");
        assert_eq!(show(1_764_547_200_000), "2025-12-01 08:00:00");
        assert_eq!(parse("2025-12-01 08:00:00"), Some(1_764_547_200_000));
        assert_eq!(parse("2025-12-01 08:00"), Some(1_764_547_200_000));
        assert_eq!((parse("2025-13-01"), parse("2025"), parse("明天")), (None, None, None));
        assert_eq!(show(u64::MAX), format!("{} ms", u64::MAX));
        assert_eq!(show_deadline(1_764_547_200_000 - 8 * 3_600_000), "2025-11-30 24:00", "not the next day at 00:00");
        assert_eq!(show_deadline(1_764_547_200_000), "2025-12-01 08:00:00");
    }
}
