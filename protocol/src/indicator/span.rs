//! The period that a figure speaks of, in China time.

use crate::kind::Period;
use crate::value::Date;

/// Days of a week.
const WEEK_DAYS: i64 = 7;
/// A Monday, from which weeks are counted.
const MONDAY: (u16, u8, u8) = (1970, 1, 5);

/// Which records by their date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// What there is now, of members that are active.
    Stock,
    /// Everything until now.
    Total,
    /// The year of the question.
    Year,
    /// Its quarter.
    Quarter,
    /// Its month.
    Month,
    /// Its week, which begins on Monday.
    Week,
    /// A period of its own.
    Fixed(Period),
}

/// First and last day of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) from: Date,
    pub(super) until: Date,
}

impl Span {
    pub(super) fn read(text: &str) -> Option<Self> {
        Some(match text {
            "stock" => Self::Stock,
            "total" => Self::Total,
            "year" => Self::Year,
            "quarter" => Self::Quarter,
            "month" => Self::Month,
            "week" => Self::Week,
            period => {
                Self::Fixed(Period::parse(period).filter(|period| !period.is_open() && period.first_day().is_some())?)
            }
        })
    }

    /// The period at a time; `None` where it has no ends.
    pub(super) fn range(self, as_of_ms: u64) -> Option<Range> {
        let today = Date::of_ms(as_of_ms)?;
        let (year, month) = (today.year(), today.month());
        let (from, until) = match self {
            Self::Stock | Self::Total => return None,
            Self::Year => (Date::new(year, 0, 0)?.first_day(), Date::new(year, 0, 0)?.last_day()),
            Self::Quarter => {
                let first = (month - 1) / 3 * 3 + 1;
                (Date::new(year, first, 1)?, Date::new(year, first + 2, 0)?.last_day())
            }
            Self::Month => (Date::new(year, month, 1)?, Date::new(year, month, 0)?.last_day()),
            Self::Week => {
                let (year, month, day) = MONDAY;
                let weekday = Date::new(year, month, day)?.days_until(today).rem_euclid(WEEK_DAYS);
                let monday = today.plus_days(-weekday)?;
                (monday, monday.plus_days(WEEK_DAYS - 1)?)
            }
            Self::Fixed(period) => (period.first_day()?, period.last_day()?),
        };
        Some(Range { from, until })
    }
}

impl Range {
    /// A whole year.
    pub(super) fn year(year: u16) -> Option<Self> {
        let year = Date::new(year, 0, 0)?;
        Some(Self { from: year.first_day(), until: year.last_day() })
    }

    /// Whether a date lies in it and has come by the time of the question; `None` where a month or year lies in it in
    /// part.
    pub(super) fn holds(self, date: Date, as_of_ms: u64) -> Option<bool> {
        let until = Date::of_ms(as_of_ms).map_or(self.until, |today| today.min(self.until));
        let (first, last) = (date.first_day(), date.last_day());
        match (self.from <= first && last <= until, self.from <= last && first <= until) {
            (true, _) => Some(true),
            (false, false) => Some(false),
            // What is dated by the month or year lies in its own month or year, though that is not over.
            (false, true) => (first != last && self.from <= first && last <= self.until).then_some(true),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(year: u16, month: u8, day: u8) -> Date {
        Date::new(year, month, day).expect("a day that exists")
    }

    #[test]
    fn periods_are_those_of_china_and_weeks_begin_on_monday() {
        // 2026-03-01 00:30 in China is still February by UTC.
        let as_of = day(2026, 3, 1).start_ms() + 30 * 60 * 1_000;
        let range = |text: &str| {
            let range = Span::read(text).expect("a span").range(as_of).expect("it has ends");
            (range.from, range.until)
        };
        assert_eq!(range("month"), (day(2026, 3, 1), day(2026, 3, 31)));
        assert_eq!(range("quarter"), (day(2026, 1, 1), day(2026, 3, 31)));
        assert_eq!(range("year"), (day(2026, 1, 1), day(2026, 12, 31)));
        assert_eq!(range("week"), (day(2026, 2, 23), day(2026, 3, 1)), "that day is a Sunday");
        assert_eq!(range("2023-2025"), (day(2023, 1, 1), day(2025, 12, 31)));
        assert_eq!(Span::read("stock").and_then(|span| span.range(as_of)), None);
        assert_eq!(Span::read("2021-"), None, "an open period has no end to wait for");
    }

    #[test]
    fn what_lies_ahead_does_not_count_and_what_is_dated_too_widely_is_unknown() {
        let range = Range::year(2026).expect("a year");
        let as_of = day(2026, 6, 15).start_ms();
        assert_eq!(range.holds(day(2026, 6, 15), as_of), Some(true));
        assert_eq!(range.holds(day(2026, 6, 16), as_of), Some(false), "it is planned");
        assert_eq!(range.holds(day(2025, 12, 31), as_of), Some(false));
        assert_eq!(range.holds(Date::new(2026, 6, 0).expect("a month"), as_of), Some(true));
        let month = Span::Month.range(as_of).expect("it has ends");
        assert_eq!(month.holds(Date::new(2026, 0, 0).expect("a year"), as_of), None);
    }
}
