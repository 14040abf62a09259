//! Reading numbers the way they are written in offices: `约37.84`, `2.5亿元以上`, `１，０００`, `累计10余万人`,
//! `五千亿元`.
//!
//! The one shared reading of threshold words (REQUIREMENTS, head: "Words for thresholds"). A text is digits or a Chinese
//! numeral, flag words and at most one unit, in any order that people use; anything else is an error, never a guess.

use rust_decimal::Decimal;

use super::numeral;
use super::text::{narrow, narrow_char};
use super::unit::exact_mul;
use crate::value::NumberFlags;

/// Words and what they mean; a longer word stands before the shorter one that it holds. There is none for "less than"
/// (不足, 不到): a text that says so is refused.
const FLAG_WORDS: &[(&str, NumberFlags)] = &[
    ("不超过", NumberFlags::AT_MOST),
    ("不高于", NumberFlags::AT_MOST),
    ("不多于", NumberFlags::AT_MOST),
    ("不大于", NumberFlags::AT_MOST),
    ("不超", NumberFlags::AT_MOST),
    ("至多", NumberFlags::AT_MOST),
    ("最多", NumberFlags::AT_MOST),
    ("以内", NumberFlags::AT_MOST),
    ("(含)以下", NumberFlags::AT_MOST),
    ("及以下", NumberFlags::AT_MOST),
    ("以下", NumberFlags::AT_MOST),
    ("≤", NumberFlags::AT_MOST),
    ("<=", NumberFlags::AT_MOST),
    ("不少于", NumberFlags::AT_LEAST),
    ("不低于", NumberFlags::AT_LEAST),
    ("不小于", NumberFlags::AT_LEAST),
    ("(含)以上", NumberFlags::AT_LEAST),
    ("及以上", NumberFlags::AT_LEAST),
    ("以上", NumberFlags::AT_LEAST),
    ("达到", NumberFlags::AT_LEAST),
    ("达", NumberFlags::AT_LEAST),
    ("至少", NumberFlags::AT_LEAST),
    ("最少", NumberFlags::AT_LEAST),
    ("≥", NumberFlags::AT_LEAST),
    (">=", NumberFlags::AT_LEAST),
    ("超过", NumberFlags::MORE_THAN),
    ("突破", NumberFlags::MORE_THAN),
    ("大于", NumberFlags::MORE_THAN),
    ("高于", NumberFlags::MORE_THAN),
    ("多于", NumberFlags::MORE_THAN),
    ("有余", NumberFlags::MORE_THAN),
    ("超", NumberFlags::MORE_THAN),
    ("过", NumberFlags::MORE_THAN),
    ("逾", NumberFlags::MORE_THAN),
    ("余", NumberFlags::MORE_THAN),
    ("多", NumberFlags::MORE_THAN),
    (">", NumberFlags::MORE_THAN),
    ("大约", NumberFlags::ABOUT),
    ("左右", NumberFlags::ABOUT),
    ("上下", NumberFlags::ABOUT),
    ("力争", NumberFlags::ABOUT),
    ("预计", NumberFlags::ABOUT),
    ("将近", NumberFlags::ABOUT),
    ("接近", NumberFlags::ABOUT),
    ("约", NumberFlags::ABOUT),
    ("近", NumberFlags::ABOUT),
    ("累计", NumberFlags::CUMULATIVE),
];

/// What stands between the ends of a range: 3-5, 3至5.
const RANGE_MARKS: [char; 6] = ['-', '~', '–', '—', '至', '到'];
/// The part of a unit that may stand before a word while the rest stands behind it: 3万余亩.
const SPLIT_OFF: [char; 5] = ['十', '百', '千', '万', '亿'];
/// Digits of an exponent, as spreadsheets write one.
const EXPONENT_DIGITS_MAX: usize = 3;

/// A piece of a number's text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Word(&'static str),
    Digits,
    Unit(String),
}

/// A number as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// What the words mean.
    pub(super) flags: NumberFlags,
    /// The exact number, in the unit that the text names.
    pub(super) amount: Decimal,
    /// Multiplier and unit as written; empty when there is none.
    pub(super) unit: String,
    /// The Chinese numeral; `None` where digits stand.
    numeral: Option<String>,
    pieces: Vec<Piece>,
}

impl Reading {
    /// Whether the text in its plainest form with this unit says no more than digits and the unit.
    pub(super) fn is_plain(&self, unit: &str) -> bool {
        self.flags.is_empty() && self.spelled(unit).is_none()
    }

    /// The text in its plainest form with this unit: words where they stood, digits without separators, numerals as
    /// written, the unit behind the digits if the text had none. Reading it again gives the same number and form.
    pub(super) fn given(&self, unit: &str) -> String {
        self.spelled(unit).unwrap_or_else(|| self.write(&self.amount.to_string(), unit))
    }

    /// The text with its Chinese numeral, unless numeral and unit would run into each other: 一万二千 and 万平方米.
    fn spelled(&self, unit: &str) -> Option<String> {
        let spelled = self.write(self.numeral.as_ref()?, unit);
        let again = read_narrow(&spelled).ok()?;
        (again.amount == self.amount && again.unit == unit && again.numeral == self.numeral).then_some(spelled)
    }

    fn write(&self, digits: &str, unit: &str) -> String {
        let mut given = String::new();
        let mut unit_left = unit;
        for piece in &self.pieces {
            match piece {
                Piece::Word(word) => given.push_str(word),
                Piece::Digits => {
                    given.push_str(digits);
                    if self.unit.is_empty() {
                        given.push_str(unit);
                    }
                }
                Piece::Unit(part) => {
                    let rest = unit_left.strip_prefix(part.as_str()).filter(|_| *part != self.unit);
                    let written = rest.map_or(unit_left, |_| part.as_str());
                    given.push_str(written);
                    unit_left = rest.unwrap_or_default();
                }
            }
        }
        given
    }
}

/// Why a text is not a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberFault {
    /// It holds no digits, or digits in several places, or words that are not known or contradict each other.
    Unreadable,
    /// It is a range.
    Range,
    /// It holds more digits than an exact number can.
    TooLarge,
}

/// Reads a number.
pub(super) fn read(text: &str) -> Result<Reading, NumberFault> {
    let text = narrow(&join_groups(text));
    if is_range(&text) { Err(NumberFault::Range) } else { read_narrow(&text) }
}

fn read_narrow(text: &str) -> Result<Reading, NumberFault> {
    let start = text.find(|c: char| c.is_ascii_digit() || numeral::is_numeral(c)).ok_or(NumberFault::Unreadable)?;
    let (before, rest) = text.split_at(start);
    let (before, negative) = match before.strip_suffix(['-', '负']) {
        Some(before) => (before, true),
        None => (before.strip_suffix('+').unwrap_or(before), false),
    };
    let (amount, numeral, after) = read_amount(rest)?;
    let negative = negative && !amount.is_zero();
    let mut reading = Reading {
        flags: NumberFlags::default(),
        amount: if negative { -amount } else { amount },
        unit: String::new(),
        numeral: numeral.map(|numeral| if negative { format!("负{numeral}") } else { numeral.to_owned() }),
        pieces: Vec::new(),
    };
    read_words(before, false, &mut reading)?;
    reading.pieces.push(Piece::Digits);
    // The digit of m2 and m3 is not one of the number.
    match after.contains('m') {
        true => read_words(&after.replace("m2", "m²").replace("m3", "m³"), true, &mut reading)?,
        false => read_words(after, true, &mut reading)?,
    }
    let at_least = [NumberFlags::AT_LEAST, NumberFlags::MORE_THAN].iter().any(|flag| reading.flags.contains(*flag));
    if at_least && reading.flags.contains(NumberFlags::AT_MOST) {
        return Err(NumberFault::Unreadable);
    }
    Ok(reading)
}

/// Spaces between digits separate groups, as commas do: two numbers side by side must not become one.
fn join_groups(text: &str) -> String {
    let mut joined = String::new();
    let mut space_behind_digit = false;
    for c in text.chars().map(narrow_char) {
        if c.is_whitespace() {
            space_behind_digit |= joined.ends_with(|last: char| last.is_ascii_digit());
            continue;
        }
        if std::mem::take(&mut space_behind_digit) && c.is_ascii_digit() {
            joined.push(',');
        }
        joined.push(c);
    }
    joined
}

/// Whether a number stands on both sides of the only mark of a range. `1e-5` is no range.
fn is_range(text: &str) -> bool {
    let is_number = |c: char| c.is_ascii_digit() || numeral::is_numeral(c);
    let Some((left, right)) = text.split_once(RANGE_MARKS) else { return false };
    let right = right.trim_start_matches(RANGE_MARKS);
    left.contains(is_number)
        && right.starts_with(is_number)
        && !right.contains(RANGE_MARKS)
        && !left.ends_with(['e', 'E'])
}

/// The number at the start of a text, the numeral if it is one, and what follows.
fn read_amount(text: &str) -> Result<(Decimal, Option<&str>, &str), NumberFault> {
    let run_length = |allowed: fn(char) -> bool| text.find(|c: char| !allowed(c)).unwrap_or(text.len());
    if text.starts_with(numeral::is_numeral) {
        let run = &text[..run_length(numeral::is_numeral)];
        let (numeral, after) = text.split_at(numeral::length_without_scale(run));
        let amount = numeral::read(numeral).ok_or(NumberFault::Unreadable)?;
        return Ok((amount, Some(numeral), after));
    }
    let (digits, after) = text.split_at(run_length(|c| c.is_ascii_digit() || c == '.' || c == ','));
    let amount = read_digits(digits)?;
    let (factor, after) = match after.strip_prefix('E') {
        Some(exponent) => read_exponent(digits, exponent)?,
        None => return Ok((amount, None, after)),
    };
    let amount = exact_mul(amount, factor).ok_or(NumberFault::TooLarge)?;
    Ok((amount, None, after))
}

/// The power of ten of `1.5E-3`: a digit before the point and a sign, as spreadsheets write it.
fn read_exponent<'a>(digits: &str, exponent: &'a str) -> Result<(Decimal, &'a str), NumberFault> {
    let signed = exponent.strip_prefix(['+', '-']).ok_or(NumberFault::Unreadable)?;
    let length = signed.find(|c: char| !c.is_ascii_digit()).unwrap_or(signed.len());
    let (power, after) = signed.split_at(length);
    let one_digit = digits.len() == 1 || digits.find('.') == Some(1);
    if !one_digit || !(1..=EXPONENT_DIGITS_MAX).contains(&power.len()) {
        return Err(NumberFault::Unreadable);
    }
    let power: u32 = power.parse().map_err(|_| NumberFault::Unreadable)?;
    let factor = match exponent.starts_with('-') {
        true => (power <= Decimal::MAX_SCALE).then(|| Decimal::new(1, power)),
        false => 10_i128.checked_pow(power).and_then(|factor| Decimal::try_from_i128_with_scale(factor, 0).ok()),
    };
    Ok((factor.ok_or(NumberFault::TooLarge)?, after))
}

/// Reads digits with at most one point and with thousands separators that stand where they belong.
fn read_digits(digits: &str) -> Result<Decimal, NumberFault> {
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let rest: Vec<&str> = groups.collect();
    let grouped = rest.is_empty() || (first.len() <= 3 && rest.iter().all(|group| group.len() == 3));
    if !all_digits(first) || !grouped || !rest.iter().all(|group| all_digits(group)) || !fraction.is_none_or(all_digits)
    {
        return Err(NumberFault::Unreadable);
    }
    let whole = whole.replace(',', "");
    let fraction = fraction.unwrap_or_default().trim_end_matches('0');
    let plain = if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") };
    Ok(Decimal::from_str_exact(&plain).map_err(|_| NumberFault::TooLarge)?.normalize())
}

/// The flag word that a text begins with.
fn flag_word(text: &str) -> Option<(&'static str, NumberFlags)> {
    FLAG_WORDS.iter().find(|(word, _)| text.starts_with(word)).copied()
}

/// Reads flag words and, behind the digits, a unit: whatever stands between or beside the words.
fn read_words(mut text: &str, unit_allowed: bool, reading: &mut Reading) -> Result<(), NumberFault> {
    while !text.is_empty() {
        if let Some((word, flag)) = flag_word(text) {
            reading.flags = reading.flags.with(flag);
            reading.pieces.push(Piece::Word(word));
            text = &text[word.len()..];
            continue;
        }
        let mut places = text.char_indices().map(|(place, _)| place);
        let next_word = places.find(|place| flag_word(&text[*place..]).is_some()).unwrap_or(text.len());
        let unit = &text[..next_word];
        let first_part = reading.unit.chars().all(|c| SPLIT_OFF.contains(&c));
        if !unit_allowed || !first_part || unit.contains(|c: char| c.is_ascii_digit()) {
            return Err(NumberFault::Unreadable);
        }
        reading.unit.push_str(unit);
        reading.pieces.push(Piece::Unit(unit.to_owned()));
        text = &text[next_word..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(text: &str) -> (String, NumberFlags, String) {
        let reading = read(text).expect("a number");
        (reading.amount.to_string(), reading.flags, reading.unit)
    }

    #[test]
    fn threshold_words_become_flags() {
        for (text, flag) in [
            ("约37.84", NumberFlags::ABOUT),
            ("近40", NumberFlags::ABOUT),
            ("力争100", NumberFlags::ABOUT),
            ("2.5以上", NumberFlags::AT_LEAST),
            ("不少于5", NumberFlags::AT_LEAST),
            ("不低于5", NumberFlags::AT_LEAST),
            ("达到5", NumberFlags::AT_LEAST),
            ("超过5", NumberFlags::MORE_THAN),
            ("过5", NumberFlags::MORE_THAN),
            ("突破5", NumberFlags::MORE_THAN),
            ("5余", NumberFlags::MORE_THAN),
            ("不超过5", NumberFlags::AT_MOST),
            ("累计5", NumberFlags::CUMULATIVE),
            ("累计约5", NumberFlags::CUMULATIVE.with(NumberFlags::ABOUT)),
            ("＞5", NumberFlags::MORE_THAN),
            ("≥5", NumberFlags::AT_LEAST),
            ("5（含）以上", NumberFlags::AT_LEAST),
            ("5以下", NumberFlags::AT_MOST),
            ("力争达到5", NumberFlags::ABOUT.with(NumberFlags::AT_LEAST)),
        ] {
            assert_eq!(reading(text).1, flag, "{text}");
        }
    }

    #[test]
    fn the_unit_may_stand_before_or_behind_the_words() {
        assert_eq!(reading("2.5亿元以上"), ("2.5".into(), NumberFlags::AT_LEAST, "亿元".into()));
        assert_eq!(reading("10余亿元"), ("10".into(), NumberFlags::MORE_THAN, "亿元".into()));
        assert_eq!(reading("１，０００ 亩"), ("1000".into(), NumberFlags::default(), "亩".into()));
    }

    #[test]
    fn the_plain_form_reads_back_the_same() {
        for (text, form) in [
            ("约 37.840", "约37.84亿元"),
            ("2.5以上", "2.5亿元以上"),
            ("10余亿", "10余亿元"),
            ("累计约１，０００亿元", "累计约1000亿元"),
            ("五千余亿元", "五千余亿元"),
            ("约负三", "约负三亿元"),
        ] {
            let given = read(text).expect("a number").given("亿元");
            assert_eq!(given, form);
            let again = read(&given).expect("a number");
            assert_eq!(again.given("亿元"), given);
            assert_eq!(again.flags, read(text).expect("a number").flags);
        }
    }

    #[test]
    fn what_is_not_one_number_is_refused() {
        for text in [
            "",
            "若干",
            "1,5",
            "12,34",
            "1.2.3",
            "不足5",
            "1e3",
            "1E5",
            "12E+5",
            "1E+",
            "3 5",
            "1 00",
            "数十",
            "千亿",
            "百分之三十",
            "一百五",
            "二〇二五",
            "5以上以下",
            "未超过5",
            "5（含）6",
            "第5",
            ".5",
            "5.",
            ",5",
        ] {
            let outcome = read(text);
            assert!(
                outcome.is_err() || !outcome.clone().expect("checked").unit.is_empty(),
                "{text} was read as {outcome:?}"
            );
        }
        assert_eq!(read("100000000000000000000000000000"), Err(NumberFault::TooLarge));
        assert_eq!(read("-3.50").map(|reading| reading.amount.to_string()), Ok("-3.5".into()));
        assert_eq!(read("-0").map(|reading| reading.amount.is_sign_negative()), Ok(false));
    }

    #[test]
    fn ranges_are_named_as_such() {
        for text in ["3-5", "3~5亿元", "３～５", "3亿元—5亿元", "3至5", "三到五", "约3–5人"] {
            assert_eq!(read(text), Err(NumberFault::Range), "{text}");
        }
        for text in ["2025-12-31", "1e-5", "-"] {
            assert_eq!(read(text), Err(NumberFault::Unreadable), "{text}");
        }
    }

    #[test]
    fn numerals_exponents_and_separators_are_exact() {
        for (text, amount, unit) in [
            ("五千亿元", "5000", "亿元"),
            ("三亿五千万元", "350000000", "元"),
            ("二百一十亩", "210", "亩"),
            ("十余万", "10", "万"),
            ("3万余亩", "3", "万亩"),
            ("1E+5", "100000", ""),
            ("1.5E-3", "0.0015", ""),
            ("1.5E+03亩", "1500", "亩"),
            ("-2.5%", "-2.5", "%"),
            ("负3", "-3", ""),
            ("1 234 567", "1234567", ""),
            ("1，234．50", "1234.5", ""),
            ("30m2", "30", "m²"),
        ] {
            let (read_amount, _, read_unit) = reading(text);
            assert_eq!((read_amount.as_str(), read_unit.as_str()), (amount, unit), "{text}");
        }
        assert_eq!(read("1E+29"), Err(NumberFault::TooLarge));
        assert_eq!(read("1.5E-28"), Err(NumberFault::TooLarge));
        assert_eq!(reading("0E+5").0, "0");
    }

    #[test]
    fn no_decimal_is_rounded() {
        assert_eq!(read("0.12345678901234567890123456789"), Err(NumberFault::TooLarge));
        assert_eq!(reading("1.50000000000000000000000000000000000").0, "1.5");
    }
}
