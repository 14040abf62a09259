//! Figures of a profile: a whole number and the words beside it, read as the range that they allow.

use crate::value::NumberFlags;

/// No figure is larger than this: sums of products of a few of them stay within 128 bits.
pub(super) const FIGURE_MAX: i64 = 1 << 56;

/// What a figure of a profile measures, and in which whole unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The amount asked for, the whole of a project, a budget, or the least ticket; in 元.
    Amount,
    /// The largest ticket or limit, in 元.
    TicketMax,
    /// Money that is there at all, in 元.
    Capacity,
    /// Land, in 0.01 亩.
    Area,
    /// Floor, in 平方米.
    Floor,
    /// Investment per mu, or the least that a parcel asks for, in 0.01 万元/亩.
    Intensity,
    /// Output per mu, likewise.
    Output,
    /// Tax per mu, likewise.
    Tax,
    /// Energy a year, in 吨标煤.
    Energy,
    /// Waste water a day, in 吨.
    Discharge,
}

impl Slot {
    /// How many there are.
    pub(super) const COUNT: usize = 10;

    /// Its place.
    #[inline]
    pub(super) fn index(self) -> usize {
        self as usize
    }
}

/// A figure and how firm it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    value: i64,
    words: Words,
}

/// Words beside a figure, in three bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Words(u8);

impl Words {
    pub(super) const BITS: u32 = 3;
    const ABOUT: u8 = 1;
    const UPWARDS: u8 = 2;
    const DOWNWARDS: u8 = 4;

    /// The words that change what a figure allows.
    pub(super) fn of(flags: NumberFlags) -> Self {
        let bit = |flag, bit| if flags.contains(flag) { bit } else { 0 };
        Self(
            bit(NumberFlags::ABOUT, Self::ABOUT)
                | bit(NumberFlags::AT_LEAST, Self::UPWARDS)
                | bit(NumberFlags::MORE_THAN, Self::UPWARDS)
                | bit(NumberFlags::AT_MOST, Self::DOWNWARDS),
        )
    }

    #[inline]
    pub(super) fn of_bits(bits: u32) -> Self {
        Self((bits & 7) as u8)
    }

    pub(super) fn bits(self) -> u32 {
        u32::from(self.0)
    }

    #[inline]
    fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    /// The words beside `amount / area`.
    pub(super) fn quotient(amount: Self, area: Self) -> Self {
        let swapped = (area.0 & Self::ABOUT)
            | if area.has(Self::UPWARDS) { Self::DOWNWARDS } else { 0 }
            | if area.has(Self::DOWNWARDS) { Self::UPWARDS } else { 0 };
        Self(amount.0 | swapped)
    }
}

impl Figure {
    /// A figure that is not negative, at most [`FIGURE_MAX`].
    #[inline]
    pub(super) fn new(value: i64, words: Words) -> Self {
        Self { value: value.clamp(0, FIGURE_MAX), words }
    }

    /// The number as it stands.
    #[inline]
    pub fn value(self) -> i64 {
        self.value
    }

    pub(super) fn words(self) -> Words {
        self.words
    }

    /// Whether a word such as 约 or 以上 stands beside it.
    #[inline]
    pub fn is_soft(self) -> bool {
        self.words != Words::default()
    }

    /// The least that it may mean; `about` is how far a soft figure may be off, in permille.
    #[inline]
    pub(super) fn low(self, about: u16) -> i64 {
        match () {
            () if self.words.has(Words::DOWNWARDS) => 0,
            () if self.words.has(Words::ABOUT) => self.value - part(self.value, about),
            () => self.value,
        }
    }

    /// The most that it may mean.
    #[inline]
    pub(super) fn high(self, about: u16) -> i64 {
        match () {
            () if self.words.has(Words::UPWARDS) => i64::MAX,
            () if self.words.has(Words::ABOUT) => self.value + part(self.value, about),
            () => self.value,
        }
    }

    /// The figure with its words and unit, in Chinese.
    pub(super) fn zh(self, unit: FigureUnit) -> String {
        let about = if self.words.has(Words::ABOUT) { "约" } else { "" };
        let (number, unit) = unit.number(self.value);
        let behind = match (self.words.has(Words::UPWARDS), self.words.has(Words::DOWNWARDS)) {
            (true, false) => "以上",
            (false, true) => "以内",
            _ => "",
        };
        format!("{about}{number}{unit}{behind}")
    }

    /// The same in English.
    pub(super) fn en(self, unit: FigureUnit) -> String {
        let about = if self.words.has(Words::ABOUT) { "about " } else { "" };
        let (number, unit) = unit.number(self.value);
        let before = match (self.words.has(Words::UPWARDS), self.words.has(Words::DOWNWARDS)) {
            (true, false) => "at least ",
            (false, true) => "at most ",
            _ => "",
        };
        format!("{before}{about}{number} {unit}")
    }
}

#[inline]
fn part(value: i64, permille: u16) -> i64 {
    // Divisions of 128 bits are slow, and nearly no figure needs one.
    match value.checked_mul(i64::from(permille)) {
        Some(product) => product / 1_000,
        None => (i128::from(value) * i128::from(permille) / 1_000) as i64,
    }
}

/// In which unit a figure is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FigureUnit {
    /// 亿元 or 万元.
    Money,
    /// 亩.
    Mu,
    /// 平方米.
    SquareMetre,
    /// 万元/亩.
    PerMu,
    /// 吨标煤.
    Coal,
    /// 吨/天.
    WaterPerDay,
}

impl FigureUnit {
    fn number(self, value: i64) -> (String, &'static str) {
        const YUAN_PER_WAN: i64 = 10_000;
        const YUAN_PER_YI: i64 = 100_000_000;
        match self {
            Self::Money if value >= YUAN_PER_YI => (decimal(value / YUAN_PER_WAN, 4), "亿元"),
            Self::Money => (decimal(value, 4), "万元"),
            Self::Mu => (decimal(value, 2), "亩"),
            Self::SquareMetre => (value.to_string(), "平方米"),
            Self::PerMu => (decimal(value, 2), "万元/亩"),
            Self::Coal => (value.to_string(), "吨标煤"),
            Self::WaterPerDay => (value.to_string(), "吨/天"),
        }
    }
}

/// A whole number as so many decimals, without trailing zeros.
fn decimal(value: i64, decimals: u32) -> String {
    let power = 10_i64.pow(decimals);
    let (whole, fraction) = (value / power, value % power);
    let fraction = format!("{fraction:0width$}", width = decimals as usize);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { whole.to_string() } else { format!("{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(value: i64, flags: NumberFlags) -> Figure {
        Figure::new(value, Words::of(flags))
    }

    #[test]
    fn words_widen_what_a_figure_may_mean() {
        let exact = figure(40_000, NumberFlags::default());
        assert_eq!((exact.low(100), exact.high(100)), (40_000, 40_000));
        let about = figure(40_000, NumberFlags::ABOUT);
        assert_eq!((about.low(100), about.high(100)), (36_000, 44_000));
        let least = figure(40_000, NumberFlags::AT_LEAST);
        assert_eq!((least.low(100), least.high(100)), (40_000, i64::MAX));
        let more = figure(40_000, NumberFlags::MORE_THAN.with(NumberFlags::ABOUT));
        assert_eq!((more.low(100), more.high(100)), (36_000, i64::MAX));
        let most = figure(40_000, NumberFlags::AT_MOST);
        assert_eq!((most.low(100), most.high(100)), (0, 40_000));
        assert!(!exact.is_soft() && about.is_soft());
    }

    #[test]
    fn a_quotient_turns_the_words_of_what_divides_it() {
        let least = Words::of(NumberFlags::AT_LEAST);
        let most = Words::of(NumberFlags::AT_MOST);
        let plain = Words::default();
        assert_eq!(Words::quotient(least, plain), least);
        assert_eq!(Words::quotient(plain, least), most);
        assert_eq!(Words::quotient(plain, most), least);
    }

    #[test]
    fn figures_are_told_as_offices_write_them() {
        assert_eq!(figure(3_784_000_000, NumberFlags::ABOUT).zh(FigureUnit::Money), "约37.84亿元");
        assert_eq!(figure(50_000_000, NumberFlags::AT_LEAST).zh(FigureUnit::Money), "5000万元以上");
        assert_eq!(figure(47_650, NumberFlags::default()).zh(FigureUnit::Mu), "476.5亩");
        assert_eq!(figure(30_000, NumberFlags::AT_MOST).en(FigureUnit::PerMu), "at most 300 万元/亩");
        assert_eq!(figure(5, NumberFlags::default()).zh(FigureUnit::Money), "0.0005万元");
    }

    #[test]
    fn nothing_is_negative_or_too_large() {
        assert_eq!(figure(-5, NumberFlags::default()).value(), 0);
        assert_eq!(figure(i64::MAX, NumberFlags::ABOUT).value(), FIGURE_MAX);
        assert!(figure(i64::MAX, NumberFlags::ABOUT).high(1_000) < i64::MAX);
    }
}
