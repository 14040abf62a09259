//! Unified social credit codes (GB 32100): eighteen characters with two check characters, no list.

use super::CodeFault;

/// Characters of a credit code; the place of each is its value in the check sum.
const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
const LENGTH: usize = 18;
/// Weights of its first seventeen characters.
const WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];
/// Where the code of the division stands, in digits.
const DIVISION: std::ops::Range<usize> = 2..8;
/// Where the code of the organisation stands (GB 11714); its last character is its own check character.
const ORGANISATION: std::ops::Range<usize> = 8..17;
/// Weights of the first eight characters of the code of the organisation.
const ORGANISATION_WEIGHTS: [usize; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
/// Check characters of an organisation by their value, which is 1 to 11.
const ORGANISATION_CHECKS: &[u8; 12] = b"?123456789X0";

/// Whether a text has the form of a credit code; check characters are not looked at.
pub(super) fn check_form(code: &str) -> Result<(), CodeFault> {
    if let Some(wrong) = code.chars().find(|c| !ALPHABET.contains(*c)) {
        return Err(CodeFault::Character(wrong));
    }
    if code.len() != LENGTH {
        return Err(CodeFault::Length(code.len()));
    }
    match code.as_bytes()[DIVISION].iter().all(u8::is_ascii_digit) {
        true => Ok(()),
        false => Err(CodeFault::Shape),
    }
}

/// Whether the last character of a credit code is right. A wrong one is worth a notice and no more, since some codes
/// in circulation have one.
pub fn credit_code_checks(code: &str) -> bool {
    let values: Option<Vec<usize>> = code.chars().map(|c| ALPHABET.find(c)).collect();
    let Some(values) = values.filter(|values| values.len() == LENGTH) else { return false };
    let sum: usize = values.iter().zip(WEIGHTS).map(|(value, weight)| value * weight).sum();
    (31 - sum % 31) % 31 == values[LENGTH - 1]
}

/// Whether the check character of the organisation within a credit code is right. The same holds for a wrong one.
pub fn organisation_code_checks(code: &str) -> bool {
    let Some(code) = code.as_bytes().get(ORGANISATION) else { return false };
    let value = |c: &u8| char::from(*c).to_digit(36).map(|value| value as usize);
    let values = code.iter().zip(ORGANISATION_WEIGHTS).map(|(c, weight)| Some(value(c)? * weight));
    let Some(sum) = values.sum::<Option<usize>>() else { return false };
    code.last() == Some(&ORGANISATION_CHECKS[11 - sum % 11])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_is_checked_and_the_fault_named() {
        assert_eq!(check_form("11999999000000019M"), Ok(()));
        assert_eq!(check_form("11999999000000019"), Err(CodeFault::Length(17)));
        assert_eq!(check_form("11999999000000019I"), Err(CodeFault::Character('I')));
        assert_eq!(check_form("1199999900000001县"), Err(CodeFault::Character('县')));
        assert_eq!(check_form("11A99999000000019M"), Err(CodeFault::Shape));
        assert_eq!(check_form(""), Err(CodeFault::Length(0)));
    }

    #[test]
    fn both_check_characters_are_computed() {
        assert!(credit_code_checks("11999999000000019M") && !credit_code_checks("11999999000000019N"));
        // Worked by hand: 1*3 = 3 and 11 - 3 = 8; 2*3 = 6 and 5; a sum of 1 gives X, of 0 gives 0.
        for organisation in ["100000008", "200000005", "0000000S0", "400000 0X"] {
            let known = organisation.len() == 9 && !organisation.contains([' ', 'S']);
            assert_eq!(organisation_code_checks(&format!("11999999{organisation}M")), known, "{organisation}");
        }
        assert!(organisation_code_checks("11999999000000000M"));
        assert!(organisation_code_checks("1199999940000000XM"));
        assert!(!organisation_code_checks("11999999100000009M") && !organisation_code_checks("short"));
    }
}
