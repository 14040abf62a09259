//! What a value comes to against its target, and why there is none.

use super::definition::{Basis, Comparator, Indicator};
use super::evaluate::Figure;
use crate::value::Date;

/// What a value comes to against its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It keeps the target.
    Met,
    /// It does not, and the time is over or the bound is broken.
    Missed,
    /// It does not yet, and there is time.
    Open,
    /// There is no value.
    Unknown,
    /// There is no target in numbers.
    NoTarget,
}

/// Why an indicator has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// Nothing that every member reads says it; the definition says what is missing.
    NotComputable,
    /// Nobody entered it who may.
    NotEntered,
    /// There is no record of it.
    NoRecord,
    /// There are records, and none states the figure, or in a form that can be added.
    NoFigure,
    /// What it is compared with is not over yet.
    TooEarly,
    /// No period of the duty was over in which anybody owed it.
    NotOwed,
}

impl Verdict {
    /// The name in interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "missed",
            Self::Open => "open",
            Self::Unknown => "unknown",
            Self::NoTarget => "no-target",
        }
    }

    /// The name in Chinese and English.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Met => ("达标", "met"),
            Self::Missed => ("未达标", "missed"),
            Self::Open => ("未到期", "on the way, not due yet"),
            Self::Unknown => ("无法判断", "cannot tell, there is no value"),
            Self::NoTarget => ("没有可比的目标数", "no target to compare with"),
        }
    }
}

impl Absence {
    /// The name in interfaces.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotComputable => "not-computable",
            Self::NotEntered => "not-entered",
            Self::NoRecord => "no-record",
            Self::NoFigure => "no-figure",
            Self::TooEarly => "too-early",
            Self::NotOwed => "not-owed",
        }
    }

    /// The reason in Chinese and English.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::NotComputable => ("无法计算", "not computable"),
            Self::NotEntered => ("还没有人录入（要写明来源）", "nobody has entered it, with its source"),
            Self::NoRecord => ("没有这方面的记录", "there is no record of it"),
            Self::NoFigure => (
                "有记录，但没有一条写明可以相加的数字和日期",
                "there are records, and none states a figure that can be added, with its date",
            ),
            Self::TooEarly => ("作比较的基期还没有结束", "the period that it is compared with is not over"),
            Self::NotOwed => ("还没有应履行而期满的期间", "no period in which it was owed is over yet"),
        }
    }
}

/// The verdict on a figure whose value is known.
pub(super) fn verdict(indicator: &Indicator, figure: &Figure, founded_ms: u64, as_of_ms: u64) -> Verdict {
    use std::cmp::Ordering::{Equal, Greater, Less};
    if indicator.basis == Basis::NotComputable {
        return Verdict::Unknown;
    }
    let no_target = matches!(indicator.comparator, Comparator::Rising | Comparator::Falling | Comparator::Baseline);
    let Some(target) = indicator.target_figure.filter(|_| !no_target) else { return Verdict::NoTarget };
    let Some((value, ordering)) = figure.value.and_then(|value| Some((value, value.compare(target)?))) else {
        return Verdict::Unknown;
    };
    let above_upper = indicator.target_upper.and_then(|upper| value.compare(upper)) == Some(Greater);
    let met = match indicator.comparator {
        Comparator::AtLeast => ordering != Less,
        Comparator::MoreThan => ordering == Greater,
        Comparator::AtMost => ordering != Greater,
        Comparator::LessThan => ordering == Less,
        Comparator::Within => ordering != Less && !above_upper,
        _ => ordering == Equal,
    };
    if met {
        return Verdict::Met;
    }
    // What may only grow cannot come back below a bound; everything else has until the end.
    let can_recover = !matches!(indicator.comparator, Comparator::AtMost | Comparator::LessThan) && !above_upper;
    let due_ms = indicator.due.and_then(|due| due.end_ms(founded_ms, as_of_ms));
    let ends_ms = [due_ms, figure.until.map(Date::end_ms)].into_iter().flatten().max();
    let has_time = ends_ms.is_some_and(|ends_ms| as_of_ms < ends_ms);
    if can_recover && has_time { Verdict::Open } else { Verdict::Missed }
}
