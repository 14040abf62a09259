//! Code tables, embedded: divisions (GB/T 2260), industries (GB/T 4754), and the form of credit codes (GB 32100).
//!
//! `codes/README.md` names the sources. The tables belong to the kind-set hash: they decide which records are valid.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Administrative divisions.
pub const DIVISIONS: &str = "gbt2260";
/// Industries.
pub const INDUSTRIES: &str = "gbt4754";
/// Unified social credit codes: a form, not a list.
pub const CREDIT_CODES: &str = "uscc";

/// The embedded files, by name, as they enter the kind-set hash.
pub(super) const FILES: [(&str, &str); 4] = [
    ("gbt2260.csv", include_str!("../../codes/gbt2260.csv")),
    ("gbt2260_changes.csv", include_str!("../../codes/gbt2260_changes.csv")),
    ("gbt2260_upper.csv", include_str!("../../codes/gbt2260_upper.csv")),
    ("gbt4754.csv", include_str!("../../codes/gbt4754.csv")),
];

/// Characters of a credit code; the place of each is its value in the check sum.
const CREDIT_CODE_ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
/// Length of a credit code.
const CREDIT_CODE_LENGTH: usize = 18;
/// Weights of its first seventeen characters.
const CREDIT_CODE_WEIGHTS: [usize; 17] = [1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28];

/// One code of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Code {
    name: String,
    /// The section letter of an industry; empty elsewhere.
    section: String,
    /// For a retired code, the code that took its place; empty otherwise.
    successor: String,
}

/// A table of codes, or a form that codes must have.
#[derive(Debug)]
pub struct CodeTable {
    name: &'static str,
    zh: &'static str,
    en: &'static str,
    codes: BTreeMap<String, Code>,
    by_name: BTreeMap<String, Vec<String>>,
}

static TABLES: LazyLock<[CodeTable; 3]> = LazyLock::new(|| {
    [
        CodeTable::new(DIVISIONS, "行政区划代码（GB/T 2260）", "division codes (GB/T 2260)", divisions()),
        CodeTable::new(INDUSTRIES, "国民经济行业代码（GB/T 4754）", "industry codes (GB/T 4754)", industries()),
        CodeTable::new(CREDIT_CODES, "统一社会信用代码（GB 32100）", "unified social credit codes", BTreeMap::new()),
    ]
});

/// The table of that name.
pub fn table(name: &str) -> Option<&'static CodeTable> {
    TABLES.iter().find(|table| table.name == name)
}

/// Whether the check character of a credit code is right. A wrong one is worth a warning and no more, since some
/// codes in circulation have one.
pub fn credit_code_checks(code: &str) -> bool {
    let values: Option<Vec<usize>> = code.chars().map(|c| CREDIT_CODE_ALPHABET.find(c)).collect();
    let Some(values) = values.filter(|values| values.len() == CREDIT_CODE_LENGTH) else { return false };
    let sum: usize = values.iter().zip(CREDIT_CODE_WEIGHTS).map(|(value, weight)| value * weight).sum();
    (31 - sum % 31) % 31 == values[CREDIT_CODE_LENGTH - 1]
}

impl CodeTable {
    fn new(name: &'static str, zh: &'static str, en: &'static str, codes: BTreeMap<String, Code>) -> Self {
        let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, code) in codes.iter().filter(|(_, code)| code.successor.is_empty()) {
            by_name.entry(code.name.clone()).or_default().push(key.clone());
        }
        Self { name, zh, en, codes, by_name }
    }

    /// Its name in kind files and values.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Its Chinese title.
    pub fn zh(&self) -> &'static str {
        self.zh
    }

    /// Its English title.
    pub fn en(&self) -> &'static str {
        self.en
    }

    /// Whether the table has the code, retired codes included.
    pub fn contains(&self, code: &str) -> bool {
        match self.name {
            CREDIT_CODES => {
                code.chars().count() == CREDIT_CODE_LENGTH && code.chars().all(|c| CREDIT_CODE_ALPHABET.contains(c))
            }
            _ => self.codes.contains_key(code),
        }
    }

    /// The name that the table gives the code.
    pub fn name_of(&self, code: &str) -> Option<&str> {
        self.codes.get(code).map(|code| code.name.as_str())
    }

    /// The code that took the place of a retired one.
    pub fn successor(&self, code: &str) -> Option<&str> {
        self.codes.get(code).map(|code| code.successor.as_str()).filter(|successor| !successor.is_empty())
    }

    /// The codes in force that go by that name; more than one when the name is ambiguous.
    pub fn codes_named(&self, name: &str) -> &[String] {
        self.by_name.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The codes and names in force, in ascending order of the codes, for forms.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        let in_force = self.codes.iter().filter(|(_, code)| code.successor.is_empty());
        in_force.map(|(key, code)| (key.as_str(), code.name.as_str()))
    }

    /// Whether `wide` is `narrow` or a group that it belongs to: industry 38 covers 3841, C covers 38, and division
    /// 430000 covers 430422.
    pub fn covers(&self, wide: &str, narrow: &str) -> bool {
        match self.name {
            DIVISIONS => {
                let stem = wide.strip_suffix("0000").or_else(|| wide.strip_suffix("00")).unwrap_or(wide);
                narrow.starts_with(stem)
            }
            INDUSTRIES if wide.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                self.codes.get(narrow).is_some_and(|code| code.section == wide)
            }
            _ => narrow.starts_with(wide),
        }
    }
}

fn divisions() -> BTreeMap<String, Code> {
    let mut codes = BTreeMap::new();
    let [units, changes, upper, _] = FILES;
    for row in rows(upper.1).chain(rows(units.1)) {
        let code = Code { name: cell(&row, 1), section: String::new(), successor: String::new() };
        codes.insert(cell(&row, 0), code);
    }
    // A retired code keeps its name; one that is in force again wins over its retirement.
    for row in rows(changes.1) {
        let (old, name, successor) = (cell(&row, 2), cell(&row, 3), cell(&row, 4));
        if !old.is_empty() && !successor.is_empty() && old != successor {
            codes.entry(old).or_insert(Code { name, section: String::new(), successor });
        }
    }
    codes
}

fn industries() -> BTreeMap<String, Code> {
    let [.., industries] = FILES;
    let code = |row: &[String]| Code { name: cell(row, 1), section: cell(row, 4), successor: String::new() };
    rows(industries.1).map(|row| (cell(&row, 0), code(&row))).collect()
}

/// The rows of an embedded table below its header.
fn rows(content: &'static str) -> impl Iterator<Item = Vec<String>> {
    let reader = csv::ReaderBuilder::new().flexible(true).from_reader(content.as_bytes());
    reader.into_records().filter_map(Result::ok).map(|record| record.iter().map(str::to_owned).collect())
}

fn cell(row: &[String], index: usize) -> String {
    row.get(index).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divisions() -> &'static CodeTable {
        table(DIVISIONS).expect("the table is embedded")
    }

    fn industries() -> &'static CodeTable {
        table(INDUSTRIES).expect("the table is embedded")
    }

    #[test]
    fn every_row_of_the_embedded_tables_is_read() {
        let in_force = divisions().entries().count();
        assert_eq!(in_force, 2_847 + 34 + 333);
        assert_eq!(industries().entries().count(), 20 + 97 + 473 + 1_381);
        for (name, content) in FILES {
            assert_eq!(rows(content).count(), content.lines().count() - 1, "{name}");
        }
    }

    #[test]
    fn leading_zeros_belong_to_the_code() {
        assert_eq!(industries().name_of("0153"), Some("柑橘类种植"));
        assert!(!industries().contains("0999"));
    }

    #[test]
    fn retired_codes_are_known_and_point_to_their_successor() {
        assert!(divisions().contains("320323"));
        assert_eq!(divisions().successor("320323"), Some("320312"));
        assert_eq!(divisions().successor("320312"), None);
    }

    #[test]
    fn a_wide_code_covers_the_narrow_ones() {
        assert!(industries().covers("38", "3841") && industries().covers("C", "3841"));
        assert!(!industries().covers("A", "3841") && !industries().covers("3841", "38"));
        assert!(divisions().covers("430000", "430422") && divisions().covers("430400", "430422"));
        assert!(!divisions().covers("430422", "430423"));
    }

    #[test]
    fn a_name_leads_to_every_code_that_has_it() {
        assert_eq!(divisions().codes_named("奉节县"), ["500236"]);
        assert!(divisions().codes_named("朝阳区").len() > 1);
    }

    #[test]
    fn credit_codes_have_a_form_and_a_check_character() {
        let table = table(CREDIT_CODES).expect("the form is built in");
        assert!(table.contains("11999999000000019M") && credit_code_checks("11999999000000019M"));
        assert!(table.contains("11999999000000019N") && !credit_code_checks("11999999000000019N"));
        assert!(!table.contains("11999999000000019") && !table.contains("11999999000000019I"));
    }
}
