//! Periods that a figure speaks for: `2026`, `2026-03`, `2026Q1`, `2026H1`, `2026-W07`, `2023-2025`, `2021-`.
//!
//! A field of type `period` stores the canonical writing as text; [`Period::parse`] reads it and what offices write
//! (2026年第一季度, 2026年上半年, 2023年1月至6月, 2021年至今). All is meant in China time.

use std::fmt;

use time::Weekday;

use super::text::narrow;
use super::{date, numeral};
use crate::value::Date;

/// A stretch of days that has a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Span {
    /// A year, a month or a day.
    Date(Date),
    /// Half of a year, 1 or 2.
    Half(u16, u8),
    /// Quarter of a year, 1 to 4.
    Quarter(u16, u8),
    /// Week from Monday to Sunday, numbered as ISO 8601 does.
    Week(u16, u8),
}

/// How a period ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// With what it begins with.
    Same,
    /// With another stretch of the same sort.
    At(Span),
    /// It goes on.
    Open,
}

/// A period, from its first day to its last, or open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    start: Span,
    end: End,
}

/// Longest text that is read as a period, in bytes; the longest that people write has about sixty.
const TEXT_BYTES_MAX: usize = 128;
/// What says that a period goes on.
const OPEN_ENDINGS: [&str; 7] = ["至今", "到现在", "以来", "起", "-", "—", "~"];
/// What stands between the ends of a period.
const RANGE_MARKS: [&str; 8] = ["--", "——", "至", "到", "~", "–", "—", "/"];

impl Period {
    /// Reads a period; `None` when the text is none, or names a day or week that does not exist.
    pub fn parse(text: &str) -> Option<Self> {
        // Marks are tried one by one, so the time would grow with the square of a long text.
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let text = narrow(text);
        if let Some(start) = Span::read(&text) {
            return Some(Self { start, end: End::Same });
        }
        for ending in OPEN_ENDINGS {
            let Some(start) = text.strip_suffix(ending).and_then(Span::read) else { continue };
            return matches!(start, Span::Date(_)).then_some(Self { start, end: End::Open });
        }
        let marks = RANGE_MARKS.iter().chain(&["-"]);
        marks
            .flat_map(|mark| text.match_indices(mark))
            .find_map(|(index, mark)| Self::read_range(&text[..index], &text[index + mark.len()..], mark))
    }

    /// Reads a range from what stands beside its mark. A `-` joins years, and months or days of one year that has
    /// been named: 2023年1-6月.
    fn read_range(left: &str, right: &str, mark: &str) -> Option<Self> {
        let start = Span::read(left).or_else(|| Span::read(&format!("{left}月")));
        let named_year = left.split_once('年').map(|(year, _)| year);
        let end = Span::read(right).or_else(|| Span::read(&format!("{}年{right}", named_year?)));
        let (start, end) = (start?, end?);
        let is_year = |span: Span| matches!(span, Span::Date(date) if date.month() == 0);
        if mark == "-" && named_year.is_none() && !is_year(start) {
            return None;
        }
        let period = match start == end {
            true => Self { start, end: End::Same },
            false => Self { start, end: End::At(end) },
        };
        (start.sort() == end.sort() && start.first_day()? <= end.first_day()?).then_some(period)
    }

    /// Its first day.
    pub fn first_day(&self) -> Option<Date> {
        self.start.first_day()
    }

    /// Its last day; `None` when it is open.
    pub fn last_day(&self) -> Option<Date> {
        match self.end {
            End::Same => self.start.last_day(),
            End::At(span) => span.last_day(),
            End::Open => None,
        }
    }

    /// Whether it goes on.
    pub fn is_open(&self) -> bool {
        self.end == End::Open
    }

    /// Whether the day, or all days of the month or year, lie in it.
    pub fn contains(&self, date: Date) -> bool {
        self.first_day().is_some_and(|first| first <= date.first_day())
            && (self.is_open() || self.last_day().is_some_and(|last| date.last_day() <= last))
    }

    /// Whether a time in milliseconds since 1970 (UTC) lies in it by China time.
    pub fn contains_ms(&self, time_ms: u64) -> bool {
        Date::of_ms(time_ms).is_some_and(|day| self.contains(day))
    }
}

impl Span {
    fn read(text: &str) -> Option<Self> {
        let text = text.strip_suffix('度').filter(|text| text.ends_with('年') || text.ends_with('季')).unwrap_or(text);
        let month = text.strip_suffix('份').filter(|text| text.ends_with('月'));
        if let Some(date) = date::read(month.unwrap_or(text)) {
            return Some(Self::Date(date));
        }
        let (year, rest) = text.split_at_checked(4)?;
        let year = Some(year).filter(|year| year.bytes().all(|byte| byte.is_ascii_digit()))?.parse().ok()?;
        let rest = rest.strip_prefix(['年', '-']).unwrap_or(rest);
        let span = match rest {
            "上半年" | "H1" | "h1" => Self::Half(year, 1),
            "下半年" | "H2" | "h2" => Self::Half(year, 2),
            _ => Self::read_numbered(year, rest)?,
        };
        // A week may not exist, or lie beyond the calendar.
        (span.first_day().is_some() && span.last_day().is_some()).then_some(span)
    }

    /// Quarters and weeks.
    fn read_numbered(year: u16, text: &str) -> Option<Self> {
        let named = text.strip_prefix('第').unwrap_or(text);
        if let Some(quarter) = text.strip_prefix(['Q', 'q']).or_else(|| named.strip_suffix('季')) {
            return small_number(quarter).filter(|quarter| (1..=4).contains(quarter)).map(|q| Self::Quarter(year, q));
        }
        let week = text.strip_prefix(['W', 'w']).or_else(|| named.strip_suffix('周'))?;
        small_number(week).map(|week| Self::Week(year, week))
    }

    fn first_day(self) -> Option<Date> {
        match self {
            Self::Date(date) => Some(date.first_day()),
            Self::Half(year, half) => Date::new(year, half * 6 - 5, 1),
            Self::Quarter(year, quarter) => Date::new(year, quarter * 3 - 2, 1),
            Self::Week(year, week) => week_day(year, week, Weekday::Monday),
        }
    }

    fn last_day(self) -> Option<Date> {
        match self {
            Self::Date(date) => Some(date.last_day()),
            Self::Half(year, half) => Date::new(year, half * 6, 0).map(Date::last_day),
            Self::Quarter(year, quarter) => Date::new(year, quarter * 3, 0).map(Date::last_day),
            Self::Week(year, week) => week_day(year, week, Weekday::Sunday),
        }
    }

    /// Stretches of one sort may be the two ends of a range.
    fn sort(self) -> u8 {
        match self {
            Self::Date(date) => u8::from(date.month() > 0) + u8::from(date.day() > 0),
            Self::Half(..) => 3,
            Self::Quarter(..) => 4,
            Self::Week(..) => 5,
        }
    }
}

fn week_day(year: u16, week: u8, day: Weekday) -> Option<Date> {
    time::Date::from_iso_week_date(i32::from(year), week, day).ok().and_then(Date::of_calendar)
}

/// A number of one or two digits, or the numeral for it: 7, 07, 七, 五十二.
fn small_number(text: &str) -> Option<u8> {
    match text.len() {
        1 | 2 if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        _ => numeral::read(text)?.try_into().ok(),
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => date.fmt(f),
            Self::Half(year, half) => write!(f, "{year:04}H{half}"),
            Self::Quarter(year, quarter) => write!(f, "{year:04}Q{quarter}"),
            Self::Week(year, week) => write!(f, "{year:04}-W{week:02}"),
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let years = self.start.sort() == 0;
        match self.end {
            End::Same => self.start.fmt(f),
            End::At(end) if years => write!(f, "{}-{end}", self.start),
            End::At(end) => write!(f, "{}/{end}", self.start),
            End::Open => write!(f, "{}-", self.start),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let period = Period::parse(text).unwrap_or_else(|| panic!("{text} is a period"));
        let written = period.to_string();
        assert_eq!(Period::parse(&written), Some(period), "{text} is written {written}");
        written
    }

    fn days(text: &str) -> (String, String) {
        let period = Period::parse(text).expect("a period");
        let day = |day: Option<Date>| day.map(|day| day.to_string()).unwrap_or_default();
        (day(period.first_day()), day(period.last_day()))
    }

    #[test]
    fn periods_are_read_as_offices_write_them() {
        for (written, texts) in [
            ("2026", ["2026", "2026年", "2026年度", "２０２６"].as_slice()),
            ("2026-03", &["2026-03", "2026年3月", "2026/3", "2026年3月份"]),
            ("2026-03-05", &["2026-03-05", "2026年3月5日", "20260305"]),
            ("2026Q1", &["2026Q1", "2026-q1", "2026年第一季度", "2026年1季度", "2026年一季度", "2026年第1季"]),
            ("2026H1", &["2026H1", "2026年上半年", "2026上半年"]),
            ("2026H2", &["2026年下半年"]),
            ("2026-W07", &["2026-W07", "2026W7", "2026年第7周", "2026年第七周"]),
            ("2023-2025", &["2023-2025", "2023年-2025年", "2023至2025年", "2023—2025年", "2023～2025", "2023/2025"]),
            ("2023-01/2023-06", &["2023-01/2023-06", "2023年1月至2023年6月", "2023年1月至6月", "2023年1-6月"]),
            ("2023-01-05/2023-02-01", &["2023-01-05/2023-02-01", "2023年1月5日至2月1日"]),
            ("2023Q1/2023Q3", &["2023Q1/2023Q3", "2023年一季度至三季度"]),
            ("2021-", &["2021-", "2021年至今", "2021年起", "2021至今", "2021年以来"]),
            ("2021-03-", &["2021-03-", "2021年3月起"]),
            ("2025", &["2025-2025"]),
        ] {
            for text in texts {
                assert_eq!(read(text), written, "{text}");
            }
        }
    }

    #[test]
    fn what_is_no_period_is_refused() {
        for text in [
            "",
            "26",
            "2026Q5",
            "2026Q0",
            "2026H3",
            "2026-W00",
            "2026-W54",
            "2025-W53",
            "2026-13",
            "2026-02-30",
            "2025-2023",
            "2026-06/2026-03",
            "2023/2025-06",
            "2023-2025-2027",
            "2026Q1-",
            "-2026",
            "今年",
            "十四五",
            "2026年第五季度",
            "2026年春",
        ] {
            assert_eq!(Period::parse(text), None, "{text}");
        }
    }

    #[test]
    fn first_and_last_days_follow_the_calendar() {
        for (text, first, last) in [
            ("2024", "2024-01-01", "2024-12-31"),
            ("2024-02", "2024-02-01", "2024-02-29"),
            ("2026Q2", "2026-04-01", "2026-06-30"),
            ("2026H2", "2026-07-01", "2026-12-31"),
            ("2026-W01", "2025-12-29", "2026-01-04"),
            ("2026-W53", "2026-12-28", "2027-01-03"),
            ("2023-2025", "2023-01-01", "2025-12-31"),
            ("2023-01/2023-06", "2023-01-01", "2023-06-30"),
            ("2021-", "2021-01-01", ""),
        ] {
            assert_eq!(days(text), (first.to_owned(), last.to_owned()), "{text}");
        }
    }

    #[test]
    fn times_lie_in_periods_by_china_time() {
        // 2025-12-31T16:00:00Z: the new year has just begun in China.
        let new_year_ms = 1_767_196_800_000;
        let lies_in = |text: &str, time_ms| Period::parse(text).expect("a period").contains_ms(time_ms);
        assert!(lies_in("2026", new_year_ms) && !lies_in("2025", new_year_ms));
        assert!(lies_in("2025Q4", new_year_ms - 1) && !lies_in("2026H1", new_year_ms - 1));
        assert!(lies_in("2026-W01", new_year_ms) && lies_in("2021-", new_year_ms));
        assert!(!lies_in("2021-", 0));
        let quarter = Period::parse("2026Q1").expect("a period");
        assert!(quarter.contains(Date::new(2026, 3, 0).expect("a month")));
        assert!(!quarter.contains(Date::new(2026, 0, 0).expect("a year")));
    }
}
