//! Reading numbers the way they are written in offices: `约37.84`, `2.5亿元以上`, `１，０００`, `累计10余万人`.
//!
//! The one shared reading of threshold words (REQUIREMENTS, head: "Words for thresholds"). A text is digits, flag words
//! and at most one unit, in any order that people use; anything else is an error, never a guess.

use rust_decimal::Decimal;

use super::text::narrow;
use crate::value::NumberFlags;

/// Words and what they mean; a longer word stands before the shorter one that it holds.
const FLAG_WORDS: &[(&str, NumberFlags)] = &[
    ("不超过", NumberFlags::AT_MOST),
    ("不高于", NumberFlags::AT_MOST),
    ("不多于", NumberFlags::AT_MOST),
    ("至多", NumberFlags::AT_MOST),
    ("以内", NumberFlags::AT_MOST),
    ("≤", NumberFlags::AT_MOST),
    ("<=", NumberFlags::AT_MOST),
    ("不少于", NumberFlags::AT_LEAST),
    ("不低于", NumberFlags::AT_LEAST),
    ("及以上", NumberFlags::AT_LEAST),
    ("以上", NumberFlags::AT_LEAST),
    ("达到", NumberFlags::AT_LEAST),
    ("至少", NumberFlags::AT_LEAST),
    ("≥", NumberFlags::AT_LEAST),
    (">=", NumberFlags::AT_LEAST),
    ("超过", NumberFlags::MORE_THAN),
    ("突破", NumberFlags::MORE_THAN),
    ("超", NumberFlags::MORE_THAN),
    ("过", NumberFlags::MORE_THAN),
    ("逾", NumberFlags::MORE_THAN),
    ("余", NumberFlags::MORE_THAN),
    ("多", NumberFlags::MORE_THAN),
    (">", NumberFlags::MORE_THAN),
    ("大约", NumberFlags::ABOUT),
    ("左右", NumberFlags::ABOUT),
    ("力争", NumberFlags::ABOUT),
    ("预计", NumberFlags::ABOUT),
    ("约", NumberFlags::ABOUT),
    ("近", NumberFlags::ABOUT),
    ("累计", NumberFlags::CUMULATIVE),
];

/// A piece of a number's text.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Word(&'static str),
    Digits,
    Unit,
}

/// A number as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reading {
    /// What the words mean.
    pub(super) flags: NumberFlags,
    /// The exact number, in the unit that the text names.
    pub(super) amount: Decimal,
    /// The unit as written; empty when there is none.
    pub(super) unit: String,
    pieces: Vec<Piece>,
}

impl Reading {
    /// The text in its plainest form with this unit: words where they stood, digits without separators, the unit
    /// behind the digits if the text had none. Reading it again gives the same number and the same form.
    pub(super) fn given(&self, unit: &str) -> String {
        let digits = self.amount.to_string();
        let mut given = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Word(word) => given.push_str(word),
                Piece::Digits => {
                    given.push_str(&digits);
                    if self.unit.is_empty() {
                        given.push_str(unit);
                    }
                }
                Piece::Unit => given.push_str(unit),
            }
        }
        given
    }
}

/// Why a text is not a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NumberFault {
    /// It holds no digits, or digits in several places, or words that are not known.
    Unreadable,
    /// It holds more digits than an exact number can.
    TooLarge,
}

/// Reads a number.
pub(super) fn read(text: &str) -> Result<Reading, NumberFault> {
    let text = narrow(text);
    let is_digit = |c: char| c.is_ascii_digit();
    let start = text.find(is_digit).ok_or(NumberFault::Unreadable)?;
    let length = text[start..].find(|c: char| !is_digit(c) && c != '.' && c != ',').unwrap_or(text.len() - start);
    let (before, digits, after) = (&text[..start], &text[start..start + length], &text[start + length..]);
    let (before, negative) = match before.strip_suffix('-') {
        Some(before) => (before, true),
        None => (before.strip_suffix('+').unwrap_or(before), false),
    };
    let mut reading = Reading {
        flags: NumberFlags::default(),
        amount: read_digits(digits, negative)?,
        unit: String::new(),
        pieces: Vec::new(),
    };
    read_words(before, false, &mut reading)?;
    reading.pieces.push(Piece::Digits);
    read_words(after, true, &mut reading)?;
    Ok(reading)
}

/// Reads digits with at most one point and with thousands separators that stand where they belong.
fn read_digits(digits: &str, negative: bool) -> Result<Decimal, NumberFault> {
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
    let amount = Decimal::from_str_exact(&plain).map_err(|_| NumberFault::TooLarge)?.normalize();
    Ok(if negative && !amount.is_zero() { -amount } else { amount })
}

/// Reads flag words and, behind the digits, a unit: whatever stands between or beside the words.
fn read_words(mut text: &str, unit_allowed: bool, reading: &mut Reading) -> Result<(), NumberFault> {
    while !text.is_empty() {
        if let Some((word, flag)) = FLAG_WORDS.iter().find(|(word, _)| text.starts_with(word)) {
            reading.flags = reading.flags.with(*flag);
            reading.pieces.push(Piece::Word(word));
            text = &text[word.len()..];
            continue;
        }
        let next_word = FLAG_WORDS.iter().filter_map(|(word, _)| text.find(word)).min().unwrap_or(text.len());
        let unit = &text[..next_word];
        if !unit_allowed || !reading.unit.is_empty() || unit.contains(|c: char| c.is_ascii_digit()) {
            return Err(NumberFault::Unreadable);
        }
        reading.unit = unit.to_owned();
        reading.pieces.push(Piece::Unit);
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
            "3-5",
            "3~5亿元",
            "1,5",
            "12,34",
            "1.2.3",
            "不足5",
            "五",
            "1e3",
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
    fn no_decimal_is_rounded() {
        assert_eq!(read("0.12345678901234567890123456789"), Err(NumberFault::TooLarge));
        assert_eq!(reading("1.50000000000000000000000000000000000").0, "1.5");
    }
}
