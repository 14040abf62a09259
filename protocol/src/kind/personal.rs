//! Data of persons, recognised by its form in any text: mobile numbers and identity cards.
//!
//! Landlines are the numbers of offices and are no data of a person. Codes of projects and organisations have digits
//! in abundance too: what stands inside a longer code, and what is an amount, is not taken for a number of a person.

use super::text::narrow_char;

/// Digits of a mobile number.
const MOBILE_DIGITS: usize = 11;
/// After which of its digits a mobile number may be divided.
const MOBILE_GAPS: [usize; 2] = [3, 7];
/// Characters of an identity card's number.
const IDENTITY_LENGTH: usize = 18;
/// Weights of the first 17 digits (GB 11643).
const IDENTITY_WEIGHTS: [u32; IDENTITY_LENGTH - 1] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// The check character by the weighted sum modulo 11.
const IDENTITY_CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
/// What follows a number that is an amount.
const AMOUNT_MARKS: &str = "元万亿吨米亩千百个人户家台套%";

/// Which data of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonalData {
    /// 手机号码: 11 digits from 13 to 19, also in groups of 3, 4 and 4, also behind +86.
    MobileNumber,
    /// 居民身份证号: 18 characters with a date of birth and a valid check character.
    IdentityCard,
}

impl PersonalData {
    /// The form of that name in kind files.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        match name {
            "mobile-number" => Some(Self::MobileNumber),
            "identity-card" => Some(Self::IdentityCard),
            _ => None,
        }
    }

    /// Whether the text holds one.
    pub(super) fn occurs(self, text: &str) -> bool {
        let text: Vec<char> = text.chars().map(narrow_char).collect();
        (0..text.len()).any(|start| match self {
            Self::MobileNumber => is_mobile_at(&text, start),
            Self::IdentityCard => is_identity_at(&text, start),
        })
    }
}

/// Whether as many digits as a mobile number has stand together in a text in its half-width form, with nothing but
/// hyphens between them. Nearly no text has them, and only where they are [`PersonalData::occurs`] needs to look.
pub(super) fn has_long_number(narrowed: &str) -> bool {
    let mut digits = 0;
    narrowed.bytes().any(|byte| {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'-' => {}
            _ => digits = 0,
        }
        digits >= MOBILE_DIGITS
    })
}

fn is_mobile_at(text: &[char], start: usize) -> bool {
    if !begins(text, start) && !behind_country(text, start) {
        return false;
    }
    let (mut digits, mut at) = (Vec::with_capacity(MOBILE_DIGITS), start);
    while digits.len() < MOBILE_DIGITS {
        let Some(c) = text.get(at) else { return false };
        match c.to_digit(10) {
            Some(digit) => digits.push(digit),
            None if matches!(c, ' ' | '-') && MOBILE_GAPS.contains(&digits.len()) && text[at - 1].is_ascii_digit() => {}
            None => return false,
        }
        at += 1;
    }
    digits[0] == 1 && digits[1] >= 3 && ends(text, at) && text.get(at).is_none_or(|c| !AMOUNT_MARKS.contains(*c))
}

/// Whether a number can begin here: not inside a word or code.
fn begins(text: &[char], start: usize) -> bool {
    let Some(before) = start.checked_sub(1).map(|index| text[index]) else { return true };
    let joins = matches!(before, '-' | '_' | '.' | '/') && start >= 2 && text[start - 2].is_ascii_alphanumeric();
    !before.is_ascii_alphanumeric() && !joins
}

/// Whether 86 or +86 stands in front, alone or with a blank or hyphen.
fn behind_country(text: &[char], start: usize) -> bool {
    let before = &text[..start];
    let before = before.strip_suffix(&[' ']).or_else(|| before.strip_suffix(&['-'])).unwrap_or(before);
    let Some(rest) = before.strip_suffix(&['8', '6']) else { return false };
    begins(text, rest.len())
}

/// Whether a number can end in front of this place.
fn ends(text: &[char], at: usize) -> bool {
    let Some(after) = text.get(at) else { return true };
    let joins = matches!(after, '-' | '_' | '.' | '/') && text.get(at + 1).is_some_and(char::is_ascii_alphanumeric);
    !after.is_ascii_alphanumeric() && !joins
}

fn is_identity_at(text: &[char], start: usize) -> bool {
    let Some(number) = text.get(start..start + IDENTITY_LENGTH) else { return false };
    if !begins(text, start) || !ends(text, start + IDENTITY_LENGTH) {
        return false;
    }
    let digits: Option<Vec<u32>> = number[..IDENTITY_LENGTH - 1].iter().map(|c| c.to_digit(10)).collect();
    let Some(digits) = digits else { return false };
    let part = |range: std::ops::Range<usize>| digits[range].iter().fold(0, |sum, digit| sum * 10 + digit);
    let (year, month, day) = (part(6..10), part(10..12), part(12..14));
    let plausible = (1900..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    let sum: u32 = digits.iter().zip(IDENTITY_WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    plausible && IDENTITY_CHECKS[(sum % 11) as usize] == number[IDENTITY_LENGTH - 1].to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mobile_numbers_are_seen_in_every_way_of_writing() {
        for text in [
            "13812345678",
            "联系人张三13812345678转告",
            "电话：138-1234-5678",
            "138 1234 5678",
            "+8613812345678",
            "86-19912345678",
            "１３８１２３４５６７８",
            "023-56789012，13812345678。",
        ] {
            assert!(PersonalData::MobileNumber.occurs(text), "{text}");
        }
    }

    #[test]
    fn landlines_codes_and_amounts_are_no_mobile_numbers() {
        for text in [
            "023-56789012",
            "02356789012",
            "400-810-1234",
            "2103-500236-04-01-13812345678",
            "XM13812345678",
            "13812345678-01",
            "15000000000元",
            "总投资 138000000000",
            "12812345678",
            "138123456789",
            "13812345678.50",
        ] {
            assert!(!PersonalData::MobileNumber.occurs(text), "{text}");
        }
    }

    #[test]
    fn an_identity_card_has_a_date_and_a_valid_check_character() {
        for text in ["11010519491231002X", "身份证号11010519491231002x。"] {
            assert!(PersonalData::IdentityCard.occurs(text), "{text}");
        }
        for text in ["110105194912310021", "91500236MA5U2C3D4E", "A11010519491231002X", "11010519491331002X"] {
            assert!(!PersonalData::IdentityCard.occurs(text), "{text}");
        }
    }
}
