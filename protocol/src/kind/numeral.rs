//! Chinese numerals for whole numbers: `三十`, `两千`, `三亿五千万`, `壹佰`.
//!
//! Only what is written in full is read. Short forms that may mean two things (`一百五` is 150, or 105 to the hasty)
//! and digits in a row (`二〇二五`) are none.

use rust_decimal::Decimal;

const DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
/// Characters for the digits and ranks that mean the same as others.
const VARIANTS: [(char, char); 17] = [
    ('〇', '零'),
    ('两', '二'),
    ('壹', '一'),
    ('贰', '二'),
    ('叁', '三'),
    ('肆', '四'),
    ('伍', '五'),
    ('陆', '六'),
    ('柒', '七'),
    ('捌', '八'),
    ('玖', '九'),
    ('拾', '十'),
    ('佰', '百'),
    ('仟', '千'),
    ('萬', '万'),
    ('億', '亿'),
    ('弍', '二'),
];
const RANKS: [(char, u64); 3] = [('千', 1_000), ('百', 100), ('十', 10)];
const LARGE_RANKS: [(char, u64); 2] = [('亿', 100_000_000), ('万', 10_000)];
/// Longest numeral, in characters: more than any sum of money needs.
const NUMERAL_CHARACTERS_MAX: usize = 32;

/// Whether the character can be part of a numeral.
pub(super) fn is_numeral(c: char) -> bool {
    let c = plain(c);
    DIGITS.contains(&c) || RANKS.iter().chain(&LARGE_RANKS).any(|(rank, _)| *rank == c)
}

fn plain(c: char) -> char {
    VARIANTS.iter().find(|(variant, _)| *variant == c).map_or(c, |(_, plain)| *plain)
}

fn is_large_rank(c: char) -> bool {
    LARGE_RANKS.iter().any(|(rank, _)| *rank == c)
}

/// How many bytes of a run of numeral characters are the numeral. 万 and 亿 at the very end belong to the unit, as
/// they do behind digits (五千亿元 is 5000亿元), unless one stands within as well: 三亿五千万.
pub(super) fn length_without_scale(run: &str) -> usize {
    let head = run.trim_end_matches(is_large_rank);
    if head.is_empty() || head.contains(is_large_rank) { run.len() } else { head.len() }
}

/// Reads a numeral; `None` when it is none, or not written in full.
pub(super) fn read(text: &str) -> Option<Decimal> {
    if text.chars().count() > NUMERAL_CHARACTERS_MAX {
        return None;
    }
    let text: String = text.chars().map(plain).collect();
    let value = value(&text)?;
    // Writing the number again must give the same characters, so no form is read that is not the full one.
    let written = write(value);
    let same = text == written || written.strip_prefix('一').is_some_and(|rest| rest.starts_with('十') && rest == text);
    same.then(|| Decimal::from(value))
}

fn value(text: &str) -> Option<u64> {
    let (mut total, mut section, mut digit) = (0_u64, 0_u64, None::<u64>);
    for c in text.chars() {
        if let Some(found) = DIGITS.iter().position(|digit| *digit == c) {
            digit = Some(found as u64);
        } else if let Some((_, rank)) = RANKS.iter().find(|(rank, _)| *rank == c) {
            section = section.checked_add(digit.take().unwrap_or(1).checked_mul(*rank)?)?;
        } else {
            let (_, rank) = LARGE_RANKS.iter().find(|(rank, _)| *rank == c)?;
            section = section.checked_add(digit.take().unwrap_or(0))?;
            // 三万亿: the whole of what was read so far is multiplied.
            total = match *rank > 10_000 {
                true => total.checked_add(section)?.checked_mul(*rank)?,
                false => total.checked_add(section.checked_mul(*rank)?)?,
            };
            section = 0;
        }
    }
    total.checked_add(section)?.checked_add(digit.unwrap_or(0))
}

/// The numeral of a number, written in full.
fn write(value: u64) -> String {
    if value == 0 {
        return DIGITS[0].to_string();
    }
    let mut out = String::new();
    put(value, &mut out);
    out
}

fn put(value: u64, out: &mut String) {
    for (rank, size) in LARGE_RANKS {
        if value >= size {
            put(value / size, out);
            out.push(rank);
            let rest = value % size;
            // A gap is told by one 零: 一亿零五十, 一万零三.
            if rest > 0 && rest < size / 10 {
                out.push(DIGITS[0]);
            }
            return if rest > 0 {
                put(rest, out)
            };
        }
    }
    let (mut rest, mut gap) = (value, false);
    for (rank, size) in RANKS.into_iter().map(|(rank, size)| (Some(rank), size)).chain([(None, 1)]) {
        let digit = rest / size;
        rest %= size;
        if digit == 0 {
            gap = gap || (rest > 0 && value >= size);
            continue;
        }
        if std::mem::take(&mut gap) {
            out.push(DIGITS[0]);
        }
        out.extend(DIGITS.get(digit as usize));
        out.extend(rank);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerals_in_full_are_read() {
        for (text, value) in [
            ("零", 0),
            ("五", 5),
            ("十", 10),
            ("十五", 15),
            ("三十", 30),
            ("二百一十", 210),
            ("两千", 2_000),
            ("一百零五", 105),
            ("一千零五十", 1_050),
            ("三千五百", 3_500),
            ("一万二千", 12_000),
            ("一万零三", 10_003),
            ("十二万", 120_000),
            ("三亿五千万", 350_000_000),
            ("一亿零五十", 100_000_050),
            ("三万亿", 3_000_000_000_000_u64),
            ("壹佰贰拾", 120),
            ("一十五", 15),
        ] {
            assert_eq!(read(text), Some(Decimal::from(value)), "{text}");
        }
    }

    #[test]
    fn short_forms_and_digits_in_a_row_are_none() {
        for text in ["", "千", "百", "万", "一百五", "三千五", "一万二", "二〇二五", "三五", "十百", "百万", "一零五"]
        {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"九".repeat(40)), None);
    }

    #[test]
    fn every_written_number_is_read_as_itself() {
        let mut random = fastrand::Rng::with_seed(11);
        for _ in 0..5_000 {
            let digits = random.u32(1..15);
            let value = random.u64(..10_u64.pow(digits));
            assert_eq!(read(&write(value)), Some(Decimal::from(value)), "{value} {}", write(value));
        }
    }

    #[test]
    fn the_last_large_rank_belongs_to_the_unit() {
        for (run, head) in [("五千亿", "五千"), ("三十万亿", "三十"), ("三亿五千万", "三亿五千万"), ("三十", "三十")]
        {
            assert_eq!(&run[..length_without_scale(run)], head);
        }
    }
}
