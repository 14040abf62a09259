//! The phase that the alliance is in, by the calendar since its founding (requirement C08): the charter's first block.

use crate::duty::calendar::months_after;

/// Months after the founding at which the launch phase ends, and the growth phase.
const LAUNCH_MONTHS: u32 = 3;
const GROWTH_MONTHS: u32 = 12;

/// A phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Three months before the founding and three after it: counties learn of the alliance.
    Launch,
    /// Until a year after the founding: members join.
    Growth,
    /// From then on.
    Mature,
}

impl Phase {
    /// The phase at a time, and when it ends; the last one has no end.
    pub fn at(founded_ms: u64, as_of_ms: u64) -> (Self, Option<u64>) {
        let ends = [(Self::Launch, LAUNCH_MONTHS), (Self::Growth, GROWTH_MONTHS)];
        let ends = ends.into_iter().filter_map(|(phase, months)| Some((phase, months_after(founded_ms, months)?)));
        let mut running = ends.filter(|(_, end_ms)| as_of_ms < *end_ms);
        running.next().map_or((Self::Mature, None), |(phase, end_ms)| (phase, Some(end_ms)))
    }

    /// The stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Launch => "launch",
            Self::Growth => "growth",
            Self::Mature => "mature",
        }
    }

    /// For people, in Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::Launch => "启动期",
            Self::Growth => "成长期",
            Self::Mature => "成熟期",
        }
    }

    /// For people, in English.
    pub fn en(self) -> &'static str {
        match self {
            Self::Launch => "launch phase",
            Self::Growth => "growth phase",
            Self::Mature => "mature phase",
        }
    }

    /// What the phase is to reach, by the code of its indicator; of the last one the sources give no figure.
    pub fn indicator(self) -> Option<&'static str> {
        match self {
            Self::Launch => Some("ZB020"),
            Self::Growth => Some("ZB021"),
            Self::Mature => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indicator::Definitions;
    use crate::value::Date;

    fn day(year: u16, month: u8, day: u8) -> u64 {
        Date::new(year, month, day).expect("a day").start_ms()
    }

    #[test]
    fn phases_follow_each_other_to_the_day_in_china() {
        let founded_ms = day(2026, 11, 30) + 3_600_000;
        let at = |as_of_ms| Phase::at(founded_ms, as_of_ms);
        let (launched_ms, grown_ms) = (day(2027, 2, 28), day(2027, 11, 30));
        assert_eq!(at(0), (Phase::Launch, Some(launched_ms)));
        assert_eq!(at(founded_ms), (Phase::Launch, Some(launched_ms)));
        assert_eq!(at(launched_ms - 1), (Phase::Launch, Some(launched_ms)));
        assert_eq!(at(launched_ms), (Phase::Growth, Some(grown_ms)));
        assert_eq!(at(grown_ms - 1), (Phase::Growth, Some(grown_ms)));
        assert_eq!(at(grown_ms), (Phase::Mature, None));
        assert_eq!(Phase::at(u64::MAX, u64::MAX), (Phase::Mature, None), "a time beyond the calendar");
    }

    #[test]
    fn what_a_phase_is_to_reach_is_defined_and_due_at_its_end() {
        let founded_ms = day(2026, 1, 15);
        for phase in [Phase::Launch, Phase::Growth] {
            let code = phase.indicator().expect("it has one");
            let (_, indicator) = Definitions::builtin().indicator(code).expect("it is defined");
            let (_, end_ms) = Phase::at(founded_ms, if phase == Phase::Launch { 0 } else { day(2026, 5, 1) });
            assert_eq!(indicator.due.and_then(|due| due.end_ms(founded_ms, founded_ms)), end_ms, "{code}");
        }
    }
}
