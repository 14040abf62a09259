//! Figures of several needs, added up exactly.
//!
//! Figures of one sort and unit are added; a unit is converted where that is exact. A figure that is counted from the
//! beginning (累计), of another currency or not convertible is left out and counted. Words such as 约 or 以上 make the sum
//! soft, which is said beside it.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::kind::{are_alike, convert, unit_symbol};
use crate::value::NumberFlags;

/// What a figure of a need is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Figure {
    /// The field of a pooled need that takes it, or else the field that it stands in.
    pub name: String,
    /// The field in Chinese.
    pub zh: String,
    /// Its unit.
    pub unit: String,
    /// The number; `None` when it must not be added.
    pub amount: Option<Decimal>,
    /// Words beside the number.
    pub flags: NumberFlags,
    /// The figure as its author wrote it.
    pub text: String,
}

/// The sum of figures of one sort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// The field of a pooled need that takes it, or else the field that the figures stand in.
    pub name: String,
    /// The field in Chinese.
    pub zh: String,
    /// Its unit.
    pub unit: String,
    /// The exact sum.
    pub amount: Decimal,
    /// Figures that were added.
    pub added: usize,
    /// Of these, soft ones.
    pub soft: usize,
    /// Figures that were left out.
    pub left_out: usize,
    /// The words of the figures that were added.
    pub flags: NumberFlags,
}

const AT_LEAST: [NumberFlags; 2] = [NumberFlags::AT_LEAST, NumberFlags::MORE_THAN];

impl Sum {
    /// The sum for people and for a cell, with the word that its soft figures make true of it.
    pub fn text(&self) -> String {
        let (amount, unit) = (self.amount, &self.unit);
        let has = |flags: &[NumberFlags]| flags.iter().any(|flag| self.flags.contains(*flag));
        match (has(&[NumberFlags::ABOUT]), has(&AT_LEAST), has(&[NumberFlags::AT_MOST])) {
            (false, false, false) => format!("{amount}{unit}"),
            (false, true, false) => format!("不少于{amount}{unit}"),
            (false, false, true) => format!("不超过{amount}{unit}"),
            _ => format!("约{amount}{unit}"),
        }
    }
}

/// Whether a text is a unit that figures can be compared in, and no mere 万.
pub fn is_unit(text: &str) -> bool {
    !text.trim().is_empty() && !text.trim().chars().all(|c| "十百千万亿".contains(c))
}

/// Sums while figures are handed in: one for each field and unit as it is written.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    parts: BTreeMap<(String, String, String), Part>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Part {
    amount: Decimal,
    added: usize,
    soft: usize,
    left_out: usize,
    flags: NumberFlags,
}

impl Sums {
    /// Takes in a figure.
    pub fn add(&mut self, figure: &Figure) {
        let key = (figure.name.clone(), figure.zh.clone(), unit_symbol(&figure.unit));
        let part = self.parts.entry(key).or_default();
        match figure.amount.and_then(|amount| part.amount.checked_add(amount)) {
            Some(amount) => {
                part.amount = amount.normalize();
                part.added += 1;
                part.soft += usize::from(!figure.flags.is_empty());
                part.flags = part.flags.with(figure.flags);
            }
            None => part.left_out += 1,
        }
    }

    /// The sums by field and by what they measure, in the order of fields and units.
    pub fn finish(&self) -> Vec<Sum> {
        /// Parts with their units, those of like units together.
        type Groups<'a> = Vec<Vec<(&'a str, Part)>>;
        let mut groups: BTreeMap<(&str, &str), Groups<'_>> = BTreeMap::new();
        for ((name, zh, unit), part) in &self.parts {
            let groups = groups.entry((name, zh)).or_default();
            let alike = groups.iter_mut().find(|group| group.iter().any(|(other, _)| are_alike(other, unit)));
            match alike {
                Some(group) => group.push((unit, *part)),
                None => groups.push(vec![(unit, *part)]),
            }
        }
        let sums = groups.into_iter().flat_map(|((name, zh), groups)| {
            let mut sums: Vec<Sum> = groups.iter().map(|group| join(name, zh, group)).collect();
            sums.sort_by(|left, right| left.unit.cmp(&right.unit));
            sums
        });
        sums.collect()
    }
}

/// Joins sums of several units in the unit that takes most of the figures exactly; of several such in the one that most
/// figures are written in, and then the first by name.
fn join(name: &str, zh: &str, parts: &[(&str, Part)]) -> Sum {
    let fitting = |unit: &str| -> usize {
        let fits = parts.iter().filter(|(other, part)| convert(part.amount, other, unit).is_some());
        fits.map(|(_, part)| part.added).sum()
    };
    let best = parts.iter().rev().max_by_key(|(unit, part)| (fitting(unit), part.added)).map_or("", |(unit, _)| *unit);
    let mut sum = Sum {
        name: name.to_owned(),
        zh: zh.to_owned(),
        unit: best.to_owned(),
        amount: Decimal::ZERO,
        added: 0,
        soft: 0,
        left_out: 0,
        flags: NumberFlags::default(),
    };
    for (unit, part) in parts {
        let total = convert(part.amount, unit, best).and_then(|amount| sum.amount.checked_add(amount));
        sum.left_out += part.left_out;
        match total {
            Some(total) => {
                sum.amount = total.normalize();
                sum.added += part.added;
                sum.soft += part.soft;
                sum.flags = sum.flags.with(part.flags);
            }
            None => sum.left_out += part.added,
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(amount: &str, unit: &str, flags: NumberFlags) -> Figure {
        Figure {
            name: "quantity".into(),
            zh: "数量".into(),
            unit: unit.into(),
            amount: amount.parse().ok(),
            flags,
            text: format!("{amount}{unit}"),
        }
    }

    fn texts(figures: &[Figure]) -> Vec<(String, usize, usize)> {
        let mut sums = Sums::default();
        figures.iter().for_each(|figure| sums.add(figure));
        sums.finish().into_iter().map(|sum| (sum.text(), sum.added, sum.left_out)).collect()
    }

    #[test]
    fn what_measures_the_same_is_added_exactly_and_nothing_else() {
        let hard = NumberFlags::default();
        let figures =
            [figure("0.1", "万吨", hard), figure("500", "吨", hard), figure("0.2", "t", hard), figure("3", "座", hard)];
        assert_eq!(texts(&figures), [("1500.2吨".to_owned(), 3, 0), ("3座".to_owned(), 1, 0)]);
        let areas = [figure("1", "亩", hard), figure("1000", "平方米", hard)];
        assert_eq!(texts(&areas), [("2.5亩".to_owned(), 2, 0)], "the other way would not be exact");
        let thirds = [figure("1", "亩", hard), figure("1", "公顷", hard), figure("500", "平方米", hard)];
        assert_eq!(texts(&thirds), [("16.75亩".to_owned(), 3, 0)]);
    }

    #[test]
    fn soft_figures_make_a_soft_sum_and_cumulative_ones_are_left_out() {
        let hard = NumberFlags::default();
        let two = |left, right| texts(&[figure("100", "吨", left), figure("50", "吨", right)]).remove(0).0;
        assert_eq!(two(hard, hard), "150吨");
        assert_eq!(two(hard, NumberFlags::ABOUT), "约150吨");
        assert_eq!(two(NumberFlags::MORE_THAN, NumberFlags::AT_LEAST), "不少于150吨");
        assert_eq!(two(hard, NumberFlags::AT_MOST), "不超过150吨");
        assert_eq!(two(NumberFlags::AT_LEAST, NumberFlags::AT_MOST), "约150吨");
        let cumulative = Figure { amount: None, ..figure("9", "吨", NumberFlags::CUMULATIVE) };
        assert_eq!(texts(&[figure("100", "吨", hard), cumulative]), [("100吨".to_owned(), 1, 1)]);
        let huge = figure("79228162514264337593543950335", "吨", hard);
        assert_eq!(texts(&[huge.clone(), huge]), [("79228162514264337593543950335吨".to_owned(), 1, 1)]);
        assert!(is_unit("吨") && is_unit("万吨") && !is_unit("万") && !is_unit(" "));
    }
}
