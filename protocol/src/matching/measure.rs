//! Units in which figures of profiles are kept: from an exact number in an author's unit to a whole number.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::figure::{FIGURE_MAX, Figure, Slot, Words};
use super::words::normal;
use crate::value::{Number, NumberFlags};

/// A unit: what it measures, and how many of the kept unit one of it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    /// What it measures; of money, the amount.
    pub(super) slot: Slot,
    times: i64,
}

const fn whole(slot: Slot, times: i64) -> Unit {
    Unit { slot, times }
}

/// Units that sheets use. Square metres of land are kept as floor: who means land writes 亩.
const UNITS: [(&str, Unit); 26] = [
    ("亩", whole(Slot::Area, 100)),
    ("万亩", whole(Slot::Area, 1_000_000)),
    ("公顷", whole(Slot::Area, 1_500)),
    ("平方公里", whole(Slot::Area, 150_000)),
    ("平方米", whole(Slot::Floor, 1)),
    ("平米", whole(Slot::Floor, 1)),
    ("㎡", whole(Slot::Floor, 1)),
    ("m2", whole(Slot::Floor, 1)),
    ("m²", whole(Slot::Floor, 1)),
    ("万平方米", whole(Slot::Floor, 10_000)),
    ("万平米", whole(Slot::Floor, 10_000)),
    ("万㎡", whole(Slot::Floor, 10_000)),
    ("元", whole(Slot::Amount, 1)),
    ("万元", whole(Slot::Amount, 10_000)),
    ("百万元", whole(Slot::Amount, 1_000_000)),
    ("亿元", whole(Slot::Amount, 100_000_000)),
    ("万元/亩", whole(Slot::Intensity, 100)),
    ("吨标煤", whole(Slot::Energy, 1)),
    ("吨标煤/年", whole(Slot::Energy, 1)),
    ("吨标准煤", whole(Slot::Energy, 1)),
    ("万吨标煤", whole(Slot::Energy, 10_000)),
    ("万吨标准煤", whole(Slot::Energy, 10_000)),
    ("吨/天", whole(Slot::Discharge, 1)),
    ("吨/日", whole(Slot::Discharge, 1)),
    ("万吨/天", whole(Slot::Discharge, 10_000)),
    ("万吨/日", whole(Slot::Discharge, 10_000)),
];

/// The unit of that name.
pub(super) fn unit(name: &str) -> Option<Unit> {
    let name = normal(name);
    UNITS.iter().find(|(found, _)| *found == name).map(|(_, unit)| *unit)
}

/// A number in a unit as a figure: rounded down to the kept unit. `None` when it is negative.
pub(super) fn figure(number: &Number, unit: Unit) -> Option<Figure> {
    Some(Figure::new(scaled(number.amount(), unit)?, Words::of(number.flags)))
}

/// Whole yuan.
pub(super) fn yuan(number: &Number) -> Option<Figure> {
    figure(number, whole(Slot::Amount, 1))
}

/// The first number of a normalised text that 吨 or 万吨 follows, as a soft figure in 吨.
pub(super) fn tons(text: &str) -> Option<Figure> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let rest = &text[start..];
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (digits, unit) = rest.split_at(end);
    let times = match unit {
        _ if unit.starts_with("万吨") => 10_000,
        _ if unit.starts_with('吨') => 1,
        _ => return None,
    };
    let number = Number::new(NumberFlags::ABOUT, Decimal::from_str_exact(digits).ok()?, "");
    figure(&number, whole(Slot::Energy, times))
}

/// Too large a number is kept as the largest: it is compared, never shown as the author's.
fn scaled(amount: Decimal, unit: Unit) -> Option<i64> {
    if amount.is_sign_negative() && !amount.is_zero() {
        return None;
    }
    let whole = amount.checked_mul(Decimal::from(unit.times)).and_then(|product| product.floor().to_i64());
    Some(whole.unwrap_or(FIGURE_MAX).clamp(0, FIGURE_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(amount: &str, name: &str) -> Option<i64> {
        let number = Number::plain(Decimal::from_str_exact(amount).expect("a number"));
        figure(&number, unit(name)?).map(Figure::value)
    }

    #[test]
    fn numbers_are_kept_in_whole_units() {
        assert_eq!(kept("476.5", "亩"), Some(47_650));
        assert_eq!(kept("27", "万平方米"), Some(270_000));
        assert_eq!(kept("0.5", "万元/亩"), Some(50));
        assert_eq!(kept("1.5", "万吨/天"), Some(15_000));
        assert_eq!(kept("12", "斤"), None);
        assert_eq!(kept("-1", "亩"), None);
        assert_eq!(kept("79228162514264337593543950335", "万亩"), Some(FIGURE_MAX));
    }

    #[test]
    fn tons_are_read_out_of_a_text() {
        let read = |text: &str| tons(text).map(Figure::value);
        assert_eq!(read("约1.5万吨"), Some(15_000));
        assert_eq!(read("3万吨标煤"), Some(30_000));
        assert_eq!(read("500吨"), Some(500));
        assert_eq!(read("500人"), None);
        assert_eq!(read("1.2.3吨"), None);
        assert_eq!(read("若干"), None);
    }

    #[test]
    fn words_stay_beside_the_number() {
        let about = Number::new(NumberFlags::ABOUT, Decimal::from(400), "约400亩");
        assert!(figure(&about, unit("亩").expect("known")).is_some_and(Figure::is_soft));
        assert_eq!(yuan(&Number::plain(Decimal::from(5))).map(Figure::value), Some(5));
    }
}
