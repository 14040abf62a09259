//! Code tables, embedded: divisions (GB/T 2260), industries (GB/T 4754), and the form of credit codes (GB 32100).
//!
//! `codes/README.md` names the sources. The tables belong to the kind-set hash: they decide which records are valid.

mod credit;
mod resolve;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

pub use credit::{credit_code_checks, organisation_code_checks};

use super::text::narrow;

/// Administrative divisions.
pub const DIVISIONS: &str = "gbt2260";
/// Industries.
pub const INDUSTRIES: &str = "gbt4754";
/// Unified social credit codes: a form, not a list.
pub const CREDIT_CODES: &str = "uscc";
/// Candidates that an error names.
pub const CANDIDATES_MAX: usize = 5;

const ALIASES: &str = include_str!("../../codes/aliases.csv");
const UNITS: &str = include_str!("../../codes/gbt2260.csv");
const CHANGES: &str = include_str!("../../codes/gbt2260_changes.csv");
const UPPER: &str = include_str!("../../codes/gbt2260_upper.csv");
const INDUSTRY: &str = include_str!("../../codes/gbt4754.csv");

/// The embedded files, by name, as they enter the kind-set hash.
pub(super) const FILES: [(&str, &str); 5] = [
    ("aliases.csv", ALIASES),
    ("gbt2260.csv", UNITS),
    ("gbt2260_changes.csv", CHANGES),
    ("gbt2260_upper.csv", UPPER),
    ("gbt4754.csv", INDUSTRY),
];

/// One code of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Code {
    name: String,
    /// The section letter of an industry; empty elsewhere.
    section: String,
    /// Whether it is out of force.
    retired: bool,
    /// For a retired code, those that took its place; several when it was divided, none when nobody wrote it down.
    successors: BTreeSet<String>,
}

/// A table of codes, or a form that codes must have.
#[derive(Debug)]
pub struct CodeTable {
    name: &'static str,
    zh: &'static str,
    en: &'static str,
    codes: BTreeMap<String, Code>,
    /// Names in force, as they are compared, with their codes.
    by_name: BTreeMap<String, Vec<String>>,
    /// Names out of force, with the codes that had them.
    old_names: BTreeMap<String, BTreeSet<String>>,
    /// Other names, each with its code.
    aliases: BTreeMap<String, String>,
}

/// Why a text is no code of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CodeFault {
    /// Nothing goes by that code or name.
    Unknown {
        /// Codes that may have been meant, nearest first; at most [`CANDIDATES_MAX`].
        near: Vec<String>,
    },
    /// Several codes go by that name, or took the place of that code.
    Ambiguous {
        /// These.
        candidates: Vec<String>,
    },
    /// The code is retired, and the table does not say what took its place.
    Ended,
    /// A credit code has another length.
    Length(usize),
    /// A credit code has no such character.
    Character(char),
    /// A credit code names a division in its third to eighth place, in digits.
    Shape,
}

static TABLES: LazyLock<[CodeTable; 3]> = LazyLock::new(|| {
    let (zh, en) = ("行政区划代码（GB/T 2260）", "division codes (GB/T 2260)");
    let divisions = CodeTable::new(DIVISIONS, zh, en, division_codes(), old_division_names());
    let (zh, en) = ("国民经济行业代码（GB/T 4754）", "industry codes (GB/T 4754)");
    let industries = CodeTable::new(INDUSTRIES, zh, en, industry_codes(), BTreeMap::new());
    let (zh, en) = ("统一社会信用代码（GB 32100）", "unified social credit codes");
    [divisions, industries, CodeTable::new(CREDIT_CODES, zh, en, BTreeMap::new(), BTreeMap::new())]
});

/// The table of that name.
pub fn table(name: &str) -> Option<&'static CodeTable> {
    TABLES.iter().find(|table| table.name == name)
}

impl CodeTable {
    fn new(
        name: &'static str,
        zh: &'static str,
        en: &'static str,
        codes: BTreeMap<String, Code>,
        old_names: BTreeMap<String, BTreeSet<String>>,
    ) -> Self {
        let mut by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, code) in codes.iter().filter(|(_, code)| !code.retired) {
            by_name.entry(narrow(&code.name)).or_default().push(key.clone());
        }
        let aliases = aliases_of(name).filter(|(alias, _)| !is_number(alias));
        let aliases = aliases.map(|(alias, code)| (narrow(&alias), code)).collect();
        Self { name, zh, en, codes, by_name, old_names, aliases }
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
            CREDIT_CODES => credit::check_form(code).is_ok(),
            _ => self.codes.contains_key(code),
        }
    }

    /// Why a text that the table does not contain is no code of it: as a value, where names do not count.
    pub(super) fn fault(&self, code: &str) -> CodeFault {
        match (credit::check_form(code), self.resolve(code)) {
            (Err(fault), _) if self.name == CREDIT_CODES => fault,
            (_, Err(fault)) => fault,
            (_, Ok(meant)) => CodeFault::Unknown { near: vec![meant] },
        }
    }

    /// The name that the table gives the code.
    pub fn name_of(&self, code: &str) -> Option<&str> {
        self.codes.get(code).map(|code| code.name.as_str())
    }

    /// The name with what it lies in before it: 吉林省长春市朝阳区. Industries have no such name.
    pub fn full_name(&self, code: &str) -> Option<String> {
        let own = self.name_of(code)?;
        if self.name != DIVISIONS {
            return Some(own.to_owned());
        }
        let upper = [code.get(..2).map(|stem| format!("{stem}0000")), code.get(..4).map(|stem| format!("{stem}00"))];
        let upper = upper.into_iter().flatten().filter(|upper| upper != code);
        let names: String = upper.filter_map(|upper| self.name_of(&upper)).collect();
        Some(format!("{names}{own}"))
    }

    /// Whether the table has the code and says that it is out of force.
    pub fn is_retired(&self, code: &str) -> bool {
        self.codes.get(code).is_some_and(|code| code.retired)
    }

    /// The code in force today: the code itself, or what took its place, or the place of that. A code that was divided
    /// is ambiguous.
    pub fn today<'a>(&'a self, code: &'a str) -> Result<&'a str, CodeFault> {
        if self.name == CREDIT_CODES {
            return credit::check_form(code).map(|()| code);
        }
        if !self.codes.contains_key(code) {
            return Err(CodeFault::Unknown { near: Vec::new() });
        }
        let today = self.codes_today(code);
        match (today.first(), today.len()) {
            (None, _) => Err(CodeFault::Ended),
            (Some(only), 1) => Ok(only),
            _ => Err(CodeFault::Ambiguous { candidates: today.into_iter().map(str::to_owned).collect() }),
        }
    }

    /// Every code in force that a code has become. Each code is looked at once, so a circle in a table ends.
    fn codes_today<'a>(&'a self, code: &'a str) -> BTreeSet<&'a str> {
        let (mut today, mut seen, mut ahead) = (BTreeSet::new(), BTreeSet::new(), vec![code]);
        while let Some(code) = ahead.pop() {
            let Some(found) = self.codes.get(code).filter(|_| seen.insert(code)) else { continue };
            match found.retired {
                true => ahead.extend(found.successors.iter().map(String::as_str)),
                false => _ = today.insert(code),
            }
        }
        today
    }

    /// The codes in force that go by that name; more than one when the name is ambiguous.
    pub fn codes_named(&self, name: &str) -> &[String] {
        self.by_name.get(&narrow(name)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The codes and names in force, in ascending order of the codes, for forms.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        let in_force = self.codes.iter().filter(|(_, code)| !code.retired);
        in_force.map(|(key, code)| (key.as_str(), code.name.as_str()))
    }

    /// Every name that leads to codes in force: names of today and of old and other names, each with these codes.
    pub fn names(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (name, codes) in &self.old_names {
            let today = codes.iter().flat_map(|code| self.codes_today(code));
            names.entry(name).or_default().extend(today);
        }
        // As in `resolve`, a name in force wins over an alias, and that over a name of old.
        names.extend(self.aliases.iter().map(|(name, code)| (name.as_str(), BTreeSet::from([code.as_str()]))));
        let in_force = self.by_name.iter();
        names.extend(in_force.map(|(name, codes)| (name.as_str(), codes.iter().map(String::as_str).collect())));
        names.retain(|_, codes| !codes.is_empty());
        names
    }

    /// Whether `wide` is `narrow` or a group that it belongs to: industry 38 covers 3841, C covers 38, and division
    /// 430000 covers 430422. A retired division belongs to what it belonged to and to what its successor belongs to.
    pub fn covers(&self, wide: &str, narrow: &str) -> bool {
        match self.name {
            DIVISIONS => {
                let stem =
                    |code: &str| code.strip_suffix("0000").or_else(|| code.strip_suffix("00")).map(str::to_owned);
                let covers = |wide: &str, narrow: &str| narrow.starts_with(stem(wide).as_deref().unwrap_or(wide));
                let (wide_today, narrow_today) =
                    (self.today(wide).unwrap_or(wide), self.today(narrow).unwrap_or(narrow));
                covers(wide, narrow) || covers(wide_today, narrow_today)
            }
            INDUSTRIES if wide.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                self.codes.get(narrow).is_some_and(|code| code.section == wide)
            }
            _ => narrow.starts_with(wide),
        }
    }
}

fn division_codes() -> BTreeMap<String, Code> {
    let mut codes = BTreeMap::new();
    for row in rows(UPPER).chain(rows(UNITS)) {
        let code = Code { name: cell(&row, 1), section: String::new(), retired: false, successors: BTreeSet::new() };
        codes.insert(cell(&row, 0), code);
    }
    let mut retire = |old: String, name: String, successor: String| {
        let code = Code { name, section: String::new(), retired: true, successors: BTreeSet::new() };
        let code = codes.entry(old).or_insert(code);
        // A code that is in force again wins over its retirement.
        if code.retired && !successor.is_empty() {
            code.successors.insert(successor);
        }
    };
    for row in rows(CHANGES).filter(|row| !cell(row, 2).is_empty()) {
        retire(cell(&row, 2), cell(&row, 3), cell(&row, 4));
    }
    complete(&mut codes);
    codes
}

/// What the aliases say of a retired code takes the place of what the table of changes says.
fn complete(codes: &mut BTreeMap<String, Code>) {
    let mut successors: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (old, successor) in aliases_of(DIVISIONS).filter(|(alias, _)| is_number(alias)) {
        successors.entry(old).or_default().insert(successor);
    }
    for (old, successors) in successors {
        let name = codes.get(&old).map(|code| code.name.clone());
        let name = name.or_else(|| rows(CHANGES).find(|row| cell(row, 4) == old).map(|row| cell(&row, 5)));
        let code = Code { name: name.unwrap_or_default(), section: String::new(), retired: true, successors };
        codes.insert(old, code);
    }
}

/// Names out of force with the codes that had them; a code may have outlived its name.
fn old_division_names() -> BTreeMap<String, BTreeSet<String>> {
    let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows(CHANGES).filter(|row| !cell(row, 2).is_empty() && !cell(row, 3).is_empty()) {
        names.entry(narrow(&cell(&row, 3))).or_default().insert(cell(&row, 2));
    }
    names
}

fn industry_codes() -> BTreeMap<String, Code> {
    let code = |row: &[String]| Code {
        name: cell(row, 1),
        section: cell(row, 4),
        retired: false,
        successors: BTreeSet::new(),
    };
    rows(INDUSTRY).map(|row| (cell(&row, 0), code(&row))).collect()
}

/// The aliases of a table, each with its code: other names, and retired codes that the table of changes lacks.
fn aliases_of(table: &str) -> impl Iterator<Item = (String, String)> {
    rows(ALIASES).filter(move |row| cell(row, 0) == table).map(|row| (cell(&row, 1), cell(&row, 2)))
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
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
        assert_eq!(divisions().today("320323"), Ok("320312"));
        assert_eq!(divisions().today("320312"), Ok("320312"));
        assert!(divisions().is_retired("320323") && !divisions().is_retired("320312"));
        assert_eq!(divisions().today("999999"), Err(CodeFault::Unknown { near: Vec::new() }));
        let divided = CodeFault::Ambiguous { candidates: vec!["140213".into(), "140214".into()] };
        assert_eq!(divisions().today("140211"), Err(divided));
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
    fn chains_of_successors_are_followed_and_end() {
        // 无为县 moved to another prefecture and became a city there; 黔西县 likewise, which the aliases complete.
        assert_eq!(divisions().today("341422"), Ok("340281"));
        assert_eq!(divisions().today("522423"), Ok("520581"));
        assert_eq!(divisions().today("140411"), Ok("140403"));
        let ended = divisions().codes.keys().filter(|code| divisions().today(code).is_err()).collect::<Vec<_>>();
        assert_eq!(ended, ["140211"]);
        let code = |retired, successors: &[&str]| Code {
            name: "甲县".into(),
            section: String::new(),
            retired,
            successors: successors.iter().map(|code| (*code).to_owned()).collect(),
        };
        let codes = [("1", code(true, &["2", "3"])), ("2", code(true, &["1", "4"])), ("3", code(false, &[]))];
        let codes = codes.into_iter().chain([("4", code(false, &[])), ("5", code(true, &["5"]))]);
        let codes = codes.map(|(key, code)| (key.to_owned(), code)).collect();
        let made = CodeTable::new(DIVISIONS, "", "", codes, BTreeMap::new());
        assert_eq!(made.today("1"), Err(CodeFault::Ambiguous { candidates: vec!["3".into(), "4".into()] }));
        assert_eq!(made.today("5"), Err(CodeFault::Ended));
    }

    #[test]
    fn names_of_today_of_old_and_aliases_lead_to_the_code_of_today() {
        for (text, code) in [
            ("奉节县", "500236"),
            ("重庆市奉节县", "500236"),
            ("重庆·奉节县", "500236"),
            ("北京市朝阳区", "110105"),
            ("北京朝阳区", "110105"),
            ("吉林长春朝阳区", "220104"),
            ("吉林省长春市朝阳区", "220104"),
            ("长春市 朝阳区", "220104"),
            ("乐陵县", "371481"),
            ("山东省德州市乐陵县", "371481"),
            ("铜山县", "320312"),
            ("江苏铜山县", "320312"),
            ("苍山县", "371324"),
            ("无为县", "340281"),
            ("兰州市", "620100"),
            ("甘肃兰州市", "620100"),
            ("湖北恩施利川市", "422802"),
            ("５００２３６", "500236"),
            ("500236 奉节县", "500236"),
            ("220104 吉林省长春市朝阳区", "220104"),
            ("320323", "320323"),
        ] {
            assert_eq!(divisions().resolve(text).as_deref(), Ok(code), "{text}");
        }
    }

    #[test]
    fn every_name_leads_to_codes_in_force() {
        let names = divisions().names();
        assert_eq!(names["铜山县"], BTreeSet::from(["320312"]));
        assert_eq!(names["乐陵县"], BTreeSet::from(["371481"]));
        assert_eq!(names["朝阳区"], BTreeSet::from(["110105", "220104"]));
        assert!(names.values().flatten().all(|code| divisions().contains(code) && !divisions().is_retired(code)));
        let agrees = |(name, codes): (&&str, &BTreeSet<&str>)| match divisions().resolve(name) {
            Ok(code) => *codes == BTreeSet::from([code.as_str()]),
            Err(CodeFault::Ambiguous { candidates }) => codes.iter().eq(candidates.iter()),
            Err(_) => false,
        };
        assert!(names.iter().all(agrees));
        assert_eq!(industries().names()["中药饮片加工"], BTreeSet::from(["273", "2730"]));
    }

    #[test]
    fn names_that_several_units_share_list_them() {
        let Err(CodeFault::Ambiguous { candidates }) = divisions().resolve("朝阳区") else { panic!("ambiguous") };
        assert_eq!(candidates, ["110105", "220104"]);
        assert!(matches!(divisions().resolve("江苏省朝阳区"), Err(CodeFault::Unknown { .. })));
        assert!(matches!(divisions().resolve("500236 云阳县"), Err(CodeFault::Unknown { .. })));
        let Err(CodeFault::Ambiguous { candidates }) = industries().resolve("中药饮片加工") else {
            panic!("ambiguous")
        };
        assert_eq!(candidates, ["273", "2730"]);
    }

    #[test]
    fn what_is_unknown_names_near_ones() {
        let near = |table: &CodeTable, text: &str| match table.resolve(text) {
            Err(CodeFault::Unknown { near }) => near,
            other => panic!("{text}: {other:?}"),
        };
        assert!(near(divisions(), "奉结县").contains(&"500236".to_owned()));
        assert_eq!(near(divisions(), "奉节"), ["500236"]);
        let codes = near(divisions(), "371489");
        assert!(codes.len() == CANDIDATES_MAX && codes[..2] == ["371481", "371482"], "{codes:?}");
        assert_eq!(near(industries(), "159").first().map(String::as_str), Some("0159"));
        assert_eq!(near(industries(), "锂离子电池制造业"), ["3841"]);
        assert!(near(divisions(), &"县".repeat(500)).is_empty());
        for text in ["", "市", "省", "、", "-", "火星"] {
            assert!(divisions().resolve(text).is_err(), "{text}");
        }
    }

    #[test]
    fn industries_keep_their_zeros_and_no_zero_is_guessed() {
        assert_eq!(industries().resolve("0153").as_deref(), Ok("0153"));
        assert_eq!(industries().resolve("153").as_deref(), Ok("153"));
        assert_eq!(industries().resolve("c3841").as_deref(), Ok("3841"));
        assert!(industries().resolve("A3841").is_err());
        assert_eq!(industries().resolve("锂离子电池制造").as_deref(), Ok("3841"));
    }

    #[test]
    fn provinces_and_prefectures_of_the_table_are_those_of_the_codes() {
        for row in rows(UNITS) {
            let full = divisions().full_name(&cell(&row, 0));
            assert_eq!(full, Some(format!("{}{}{}", cell(&row, 2), cell(&row, 3), cell(&row, 1))));
        }
        for (alias, code) in aliases_of(DIVISIONS) {
            assert!(!divisions().is_retired(&code) && divisions().contains(&code), "{alias}");
        }
    }

    #[test]
    fn a_retired_division_belongs_to_old_and_new_prefecture() {
        // 庐江县 came from 巢湖市 to 合肥市.
        assert!(divisions().covers("341400", "341421") && divisions().covers("340100", "341421"));
        assert!(divisions().covers("340124", "341421") && divisions().covers("341421", "340124"));
        assert!(!divisions().covers("340200", "341421"));
    }

    #[test]
    fn credit_codes_have_a_form_and_a_check_character() {
        let table = table(CREDIT_CODES).expect("the form is built in");
        assert!(table.contains("11999999000000019M") && credit_code_checks("11999999000000019M"));
        assert!(table.contains("11999999000000019N") && !credit_code_checks("11999999000000019N"));
        assert!(!table.contains("11999999000000019") && !table.contains("11999999000000019I"));
    }
}
