//! Figures as people read them: China time, spans of time, sizes, counts.
//!
//! A page never shows a clock of another zone: the machine's own zone does not matter.

use time::{OffsetDateTime, UtcOffset};

use super::language::Language;

/// China time all year round: eight hours ahead of UTC.
const CHINA_OFFSET_SECONDS: i32 = 8 * 60 * 60;
const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

fn china(at_ms: u64) -> Option<OffsetDateTime> {
    let offset = UtcOffset::from_whole_seconds(CHINA_OFFSET_SECONDS).ok()?;
    let seconds = i64::try_from(at_ms / SECOND_MS).ok()?;
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.checked_to_offset(offset)
}

/// Date and minute, for instance `2026-11-22 14:05`.
pub fn minute(at_ms: u64) -> String {
    china(at_ms).map_or_else(String::new, |at| {
        format!("{:04}-{:02}-{:02} {:02}:{:02}", at.year(), u8::from(at.month()), at.day(), at.hour(), at.minute())
    })
}

/// Date and second, for instance `2026-11-22 14:05:09`.
pub fn second(at_ms: u64) -> String {
    china(at_ms).map_or_else(String::new, |at| format!("{}:{:02}", minute(at_ms), at.second()))
}

/// The date, for instance `2026-11-22`.
pub fn date(at_ms: u64) -> String {
    minute(at_ms).chars().take(10).collect()
}

/// For machines, with the zone: `2026-11-22T14:05:09+08:00`.
pub fn stamp(at_ms: u64) -> String {
    format!("{}+08:00", second(at_ms).replace(' ', "T"))
}

/// A span in its largest unit, for instance `3 分钟` or `3 min`.
pub fn span(length_ms: u64, language: Language) -> String {
    let (count, zh, en) = match length_ms {
        0..MINUTE_MS => (length_ms / SECOND_MS, "秒", "s"),
        MINUTE_MS..HOUR_MS => (length_ms / MINUTE_MS, "分钟", "min"),
        HOUR_MS..DAY_MS => (length_ms / HOUR_MS, "小时", "h"),
        _ => (length_ms / DAY_MS, "天", if length_ms / DAY_MS == 1 { "day" } else { "days" }),
    };
    format!("{count} {}", language.pick(zh, en))
}

/// How long ago, for instance `3 分钟前` or `3 min ago`; `刚刚` below two seconds and for what lies ahead.
pub fn ago(at_ms: u64, now_ms: u64, language: Language) -> String {
    let length_ms = now_ms.saturating_sub(at_ms);
    if length_ms < 2 * SECOND_MS {
        return language.pick("刚刚", "just now").to_owned();
    }
    format!("{}{}", span(length_ms, language), language.pick("前", " ago"))
}

/// A count with a comma at every third digit.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A size in bytes, with one decimal from a kilobyte on: `1.5 MB`.
pub fn bytes(number: u64) -> String {
    let units = ["KB", "MB", "GB", "TB"];
    if number < 1_024 {
        return format!("{number} B");
    }
    let mut unit = 1_024u64;
    let mut name = units[0];
    for larger in &units[1..] {
        if number < unit.saturating_mul(1_024) {
            break;
        }
        unit = unit.saturating_mul(1_024);
        name = larger;
    }
    let (whole, tenth) = (number / unit, number % unit * 10 / unit);
    format!("{}.{tenth} {name}", count(whole))
}

/// A text of at most so many characters; one that is longer ends in `…`.
pub fn cut(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}

/// A share in whole per cent, rounded down, so that only all of it is 100.
pub fn per_cent(part: u64, whole: u64) -> u64 {
    if whole == 0 { 100 } else { (u128::from(part.min(whole)) * 100 / u128::from(whole)) as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_china() {
        // 2026-01-31 16:30:05 UTC is the next month in China.
        let at_ms = 1_769_877_005_000;
        assert_eq!(minute(at_ms), "2026-02-01 00:30");
        assert_eq!(stamp(at_ms), "2026-02-01T00:30:05+08:00");
        assert_eq!(date(at_ms), "2026-02-01");
        assert_eq!(minute(u64::MAX), "", "a time beyond the calendar is not shown");
    }

    #[test]
    fn spans_have_one_unit_in_the_reader_s_language() {
        for (length_ms, zh, en) in [
            (59_999, "59 秒", "59 s"),
            (60_000, "1 分钟", "1 min"),
            (7_199_999, "1 小时", "1 h"),
            (86_400_000, "1 天", "1 day"),
            (864_000_000, "10 天", "10 days"),
        ] {
            assert_eq!(span(length_ms, Language::Zh), zh);
            assert_eq!(span(length_ms, Language::En), en);
        }
        assert_eq!(ago(0, 180_000, Language::Zh), "3 分钟前");
        assert_eq!(ago(5, 0, Language::En), "just now");
    }

    #[test]
    fn counts_sizes_and_shares() {
        assert_eq!([count(0), count(999), count(1_000), count(12_345_678)], ["0", "999", "1,000", "12,345,678"]);
        assert_eq!([bytes(1_023), bytes(1_024), bytes(1_572_864)], ["1023 B", "1.0 KB", "1.5 MB"]);
        assert_eq!(bytes(u64::MAX), "16,777,215.9 TB");
        assert_eq!([cut("异议", 2), cut("异议一二", 2), cut("a b", 2)], ["异议", "异议…", "a…"]);
        assert_eq!([per_cent(799, 800), per_cent(800, 800), per_cent(0, 0)], [99, 100, 100]);
    }
}
