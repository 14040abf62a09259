//! Periods by the calendar, in China time: weeks from Monday, months, quarters, halves, years. A period is `[start, end)`.

use crate::value::Date;

/// How often something is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cycle {
    /// Every week, from Monday on.
    Week,
    /// Every month.
    Month,
    /// Every quarter.
    Quarter,
    /// Every half of a year.
    HalfYear,
    /// Every year.
    Year,
    /// Every two years, from the last time on.
    TwoYears,
    /// Every three years, from the last time on.
    ThreeYears,
    /// Once.
    Once,
    /// All the time.
    Ongoing,
}

impl Cycle {
    /// Every cycle.
    pub const ALL: [Self; 9] = [
        Self::Week,
        Self::Month,
        Self::Quarter,
        Self::HalfYear,
        Self::Year,
        Self::TwoYears,
        Self::ThreeYears,
        Self::Once,
        Self::Ongoing,
    ];

    /// The name in rules and interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::HalfYear => "half_year",
            Self::Year => "year",
            Self::TwoYears => "two_years",
            Self::ThreeYears => "three_years",
            Self::Once => "once",
            Self::Ongoing => "ongoing",
        }
    }

    /// The cycle of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cycle| cycle.name() == name)
    }

    /// How many months it lasts; a week lasts none, and what happens once or always has no length.
    pub fn months(self) -> Option<u32> {
        match self {
            Self::Month => Some(1),
            Self::Quarter => Some(3),
            Self::HalfYear => Some(6),
            Self::Year => Some(12),
            Self::TwoYears => Some(24),
            Self::ThreeYears => Some(36),
            Self::Week | Self::Once | Self::Ongoing => None,
        }
    }

    /// Whether its periods stand in the calendar.
    pub fn is_calendar(self) -> bool {
        matches!(self, Self::Week | Self::Month | Self::Quarter | Self::HalfYear | Self::Year)
    }

    /// The period of the calendar in which a time lies; `None` where the cycle has none, or beyond the calendar.
    pub fn span_at(self, time_ms: u64) -> Option<Span> {
        let day = Date::of_ms(time_ms)?;
        if self == Self::Week {
            // The first Monday that can be named.
            let since = Date::new(1970, 1, 5)?.days_until(day);
            let monday = day.plus_days(-since.rem_euclid(7))?;
            return Some(Span { start_ms: monday.start_ms(), end_ms: monday.plus_days(6)?.end_ms() });
        }
        let months = u8::try_from(self.months().filter(|_| self.is_calendar())?).ok()?;
        let first = (day.month() - 1) / months * months + 1;
        let start = Date::new(day.year(), first, 0)?;
        let end = Date::new(day.year(), first + months - 1, 0)?;
        Some(Span { start_ms: start.start_ms(), end_ms: end.end_ms() })
    }

    /// What a period of the cycle is called: `2026-W07`, `2026-02`, `2026Q1`, `2026H1`, `2026`; otherwise its days.
    pub fn name_of(self, span: Span) -> String {
        let Some(day) = Date::of_ms(span.start_ms) else { return String::new() };
        let year = day.year();
        match self {
            Self::Week => week_name(day).unwrap_or_default(),
            Self::Month => format!("{year:04}-{:02}", day.month()),
            Self::Quarter => format!("{year:04}Q{}", day.month().div_ceil(3)),
            Self::HalfYear => format!("{year:04}H{}", day.month().div_ceil(6)),
            Self::Year => format!("{year:04}"),
            Self::TwoYears | Self::ThreeYears | Self::Once | Self::Ongoing => span.days(),
        }
    }
}

/// The number of a week as ISO 8601 counts, from its Monday.
fn week_name(monday: Date) -> Option<String> {
    // The Thursday says to which year a week belongs, and which one of it.
    let thursday = monday.plus_days(3)?;
    let week = Date::new(thursday.year(), 1, 1)?.days_until(thursday) / 7 + 1;
    Some(format!("{:04}-W{week:02}", thursday.year()))
}

/// A stretch of time, `[start, end)`, in milliseconds since 1970 (UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Its first millisecond.
    pub start_ms: u64,
    /// The first millisecond behind it.
    pub end_ms: u64,
}

impl Span {
    /// Whether a time lies in it.
    pub fn contains(self, time_ms: u64) -> bool {
        (self.start_ms..self.end_ms).contains(&time_ms)
    }

    /// Whether all of another one lies in it.
    pub fn covers(self, other: Self) -> bool {
        self.start_ms <= other.start_ms && other.end_ms <= self.end_ms
    }

    /// Its first and last day.
    fn days(self) -> String {
        let day = |time_ms: u64| Date::of_ms(time_ms).map(|day| day.to_string()).unwrap_or_default();
        // What is a moment only has one day, the one on which it begins.
        format!("{}/{}", day(self.start_ms), day(self.end_ms.saturating_sub(1).max(self.start_ms)))
    }
}

/// The begin of the day so many months after the day of a time; the last day of a shorter month.
pub(crate) fn months_after(time_ms: u64, months: u32) -> Option<u64> {
    let day = Date::of_ms(time_ms)?;
    let month = u32::from(day.year()) * 12 + u32::from(day.month()) - 1 + months;
    let (year, month) = (u16::try_from(month / 12).ok()?, u8::try_from(month % 12 + 1).ok()?);
    let last = Date::new(year, month, 0)?.last_day();
    Some(Date::new(year, month, day.day().min(last.day()))?.start_ms())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> u64 {
        crate::kind::Period::parse(text).and_then(|period| period.first_day()).expect("a day").start_ms()
    }

    #[test]
    fn periods_are_named_as_records_name_them_and_touch_each_other() {
        for cycle in [Cycle::Week, Cycle::Month, Cycle::Quarter, Cycle::HalfYear, Cycle::Year] {
            let mut time_ms = day("2019-12-20");
            while time_ms < day("2031-02-01") {
                let span = cycle.span_at(time_ms).expect("it is in the calendar");
                assert!(span.contains(time_ms) && cycle.span_at(span.end_ms - 1) == Some(span));
                assert_eq!(cycle.span_at(span.end_ms).map(|next| next.start_ms), Some(span.end_ms));
                // A record that names it names the same days.
                let named = crate::kind::Period::parse(&cycle.name_of(span)).expect("a period");
                let days = (named.first_day().map(Date::start_ms), named.last_day().map(Date::end_ms));
                assert_eq!(days, (Some(span.start_ms), Some(span.end_ms)), "{}", cycle.name_of(span));
                time_ms = span.end_ms;
            }
        }
    }

    #[test]
    fn a_period_begins_at_midnight_in_china_and_not_a_millisecond_earlier() {
        // Monday 2026-02-16 00:00 in China is Sunday 16:00 UTC.
        let monday_ms = 1_771_171_200_000;
        assert_eq!(Cycle::Week.name_of(Cycle::Week.span_at(monday_ms).expect("a week")), "2026-W08");
        assert_eq!(Cycle::Week.name_of(Cycle::Week.span_at(monday_ms - 1).expect("a week")), "2026-W07");
        let first_ms = day("2026-03-01");
        assert_eq!(Cycle::Month.name_of(Cycle::Month.span_at(first_ms - 1).expect("a month")), "2026-02");
    }

    #[test]
    fn what_does_not_stand_in_the_calendar_has_no_period_and_nothing_panics() {
        for cycle in Cycle::ALL {
            assert_eq!(Cycle::from_name(cycle.name()), Some(cycle));
            assert_eq!(cycle.span_at(day("2026-01-01")).is_some(), cycle.is_calendar());
            for time_ms in [0, 1, u64::MAX, 253_402_214_400_000, 253_402_300_799_999] {
                cycle.span_at(time_ms).map(|span| cycle.name_of(span));
            }
        }
    }

    #[test]
    fn months_are_counted_on_to_the_same_day() {
        assert_eq!(months_after(day("2024-02-29") + 5, 24), Some(day("2026-02-28")));
        assert_eq!(months_after(day("2025-11-30"), 3), Some(day("2026-02-28")));
        assert_eq!(months_after(day("2025-12-01"), 24), Some(day("2027-12-01")));
        assert_eq!(months_after(u64::MAX, 24), None);
    }
}
