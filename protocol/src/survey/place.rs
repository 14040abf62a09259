//! In which county and prefecture a record is.
//!
//! A record is in the division that it names by its code; else in those whose names stand in its place field, each if one
//! division alone goes by that name; else in the division that the charter gives its owner, if that is a county. A
//! retired code stands for what took its place. What names a prefecture or a province as a whole is in no county.
//!
//! A prefecture is the first four digits of a code. A municipality is one as a whole, its districts and counties
//! together. Counties and cities that their province governs itself have no prefecture; those of one province are taken
//! together, as the standard numbers them. A prefecture without counties (东莞, 中山, 儋州, 嘉峪关) is its own county.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::Counted;
use crate::kind::codes::{self, CodeFault, CodeTable, DIVISIONS};
use crate::kind::normalise_header;

/// Fields that hold the code of the division, as kinds name them.
const CODE_FIELDS: [&str; 2] = ["division_code", "seat_code"];
/// Fields that hold names of places.
const NAME_FIELDS: [&str; 3] = ["places", "place", "seat"];
/// What the full name of a division ends in and its short one does not.
const ENDINGS: [&str; 11] = ["省", "市", "县", "区", "盟", "旗", "地区", "自治区", "自治州", "自治县", "特别行政区"];
/// What stands in third and fourth place of the codes of what a province governs itself.
const GOVERNED_BY_PROVINCE: &str = "90";

/// A division by code and name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Division {
    /// Its code; for what a province governs itself `420000` becomes `429000`.
    pub code: String,
    /// Its name, with what it lies in before it.
    pub name: String,
}

/// Where a record is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whereabouts {
    /// Codes of counties.
    pub counties: BTreeSet<String>,
    /// Codes of prefectures and provinces, of a record that speaks of one as a whole.
    pub wide: BTreeSet<String>,
}

/// A place that is asked for: a county, a prefecture or a province.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    code: String,
}

/// How near a county is to a region, as far as codes tell: they know no borders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// In the same prefecture.
    Prefecture,
    /// In the same province.
    Province,
    /// Elsewhere.
    Elsewhere,
}

/// The first four digits of every county.
static PREFECTURES_WITH_COUNTIES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let counties = table().into_iter().flat_map(CodeTable::entries).filter(|(code, _)| !code.ends_with("00"));
    counties.filter_map(|(code, _)| code.get(..4)).map(str::to_owned).collect()
});

fn table() -> Option<&'static CodeTable> {
    codes::table(DIVISIONS)
}

fn name_of(code: &str) -> Option<&'static str> {
    table()?.name_of(code)
}

/// Where a record is; nothing when that cannot be told.
pub fn whereabouts(record: &Counted<'_>) -> Whereabouts {
    let mut found = Whereabouts::default();
    for field in CODE_FIELDS {
        record.codes(field).for_each(|code| found.add(code));
    }
    if !found.is_nowhere() {
        return found;
    }
    for field in NAME_FIELDS {
        for name in record.texts(field) {
            if let [code] = table().map(|table| table.codes_named(name)).unwrap_or_default() {
                found.add(code);
            }
        }
    }
    if found.is_nowhere() && !record.region.is_empty() {
        found.add(record.region);
    }
    found
}

impl Whereabouts {
    fn add(&mut self, code: &str) {
        let Some(table) = table().filter(|table| table.contains(code)) else { return };
        let today = table.today(code).unwrap_or(code);
        let of_county = if is_county(today) { &mut self.counties } else { &mut self.wide };
        of_county.insert(today.to_owned());
    }

    /// Whether nothing is known.
    pub fn is_nowhere(&self) -> bool {
        self.counties.is_empty() && self.wide.is_empty()
    }
}

/// Whether a code is that of a county, or of a prefecture that has none.
fn is_county(code: &str) -> bool {
    match code.strip_suffix("00") {
        Some(stem) => !stem.ends_with("00") && !PREFECTURES_WITH_COUNTIES.contains(stem),
        None => true,
    }
}

/// The prefecture of a county, or what stands for one.
pub fn prefecture_of(county: &str) -> String {
    let (Some(stem), Some(province)) = (county.get(..4), county.get(..2)) else { return county.to_owned() };
    let prefecture = format!("{stem}00");
    match name_of(&prefecture) {
        Some(_) => prefecture,
        None if stem.ends_with(GOVERNED_BY_PROVINCE) => prefecture,
        None => format!("{province}0000"),
    }
}

/// The province of a code.
pub fn province_of(code: &str) -> String {
    code.get(..2).map_or_else(|| code.to_owned(), |province| format!("{province}0000"))
}

/// A division by its code.
pub fn division(code: &str) -> Division {
    let governed = || {
        let province = name_of(&province_of(code)).filter(|_| is_governed_by_province(code))?;
        Some(format!("{province}直辖县（市）"))
    };
    let name = table().and_then(|table| table.full_name(code)).or_else(governed);
    Division { code: code.to_owned(), name: name.unwrap_or_else(|| code.to_owned()) }
}

fn is_governed_by_province(code: &str) -> bool {
    code.get(2..) == Some("9000") && PREFECTURES_WITH_COUNTIES.contains(&code[..4])
}

/// The smallest division that holds all of these and has a code in the standard.
pub fn common<'c>(counties: impl IntoIterator<Item = &'c String>) -> Option<String> {
    let counties: BTreeSet<&String> = counties.into_iter().collect();
    let one = |of: &dyn Fn(&str) -> String| {
        let all: BTreeSet<String> = counties.iter().map(|county| of(county)).collect();
        all.first().filter(|code| all.len() == 1 && name_of(code).is_some()).cloned()
    };
    one(&str::to_owned).or_else(|| one(&prefecture_of)).or_else(|| one(&province_of))
}

impl Region {
    /// A place by its code or name. A name may lack what it ends in, if one division alone begins so.
    pub fn parse(text: &str) -> Result<Self, CodeFault> {
        let text = normalise_header(text);
        let Some(table) = table() else { return Err(CodeFault::Ended) };
        if is_governed_by_province(&text) {
            return Ok(Self { code: text });
        }
        let fault = match table.resolve(&text) {
            Ok(code) => {
                let code = table.today(&code).map(str::to_owned).unwrap_or(code);
                return Ok(Self { code });
            }
            Err(fault) => fault,
        };
        if text.is_empty() {
            return Err(fault);
        }
        let short = |name: &str| name.strip_prefix(&text).is_some_and(|ending| ENDINGS.contains(&ending));
        let begins: Vec<(&str, &str)> = table.entries().filter(|(_, name)| name.starts_with(&text)).collect();
        let shorts: Vec<&str> = begins.iter().filter(|(_, name)| short(name)).map(|(code, _)| *code).collect();
        match (shorts.as_slice(), begins.as_slice()) {
            ([code], _) | ([], [(code, _)]) => Ok(Self { code: (*code).to_owned() }),
            ([], _) => Err(fault),
            (several, _) => {
                Err(CodeFault::Ambiguous { candidates: several.iter().map(|code| (*code).to_owned()).collect() })
            }
        }
    }

    /// Its code.
    pub fn code(&self) -> &str {
        &self.code
    }

    /// It by name.
    pub fn division(&self) -> Division {
        division(&self.code)
    }

    /// Whether it is a county.
    pub fn is_county(&self) -> bool {
        is_county(&self.code) && !is_governed_by_province(&self.code)
    }

    /// Whether a county lies in it.
    pub fn holds(&self, county: &str) -> bool {
        match is_governed_by_province(&self.code) {
            true => county.get(..4) == self.code.get(..4),
            false => table().is_some_and(|table| table.covers(&self.code, county)),
        }
    }

    /// How near a county outside is.
    pub fn nearness(&self, county: &str) -> Nearness {
        let in_prefecture = self.is_county() && prefecture_of(&self.code) == prefecture_of(county);
        match province_of(&self.code) == province_of(county) {
            _ if in_prefecture => Nearness::Prefecture,
            true => Nearness::Province,
            false => Nearness::Elsewhere,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_county_has_a_prefecture_or_what_stands_for_one() {
        for (county, prefecture, name) in [
            ("411426", "411400", "河南省商丘市"),
            ("500236", "500000", "重庆市"),
            ("500101", "500000", "重庆市"),
            ("110108", "110000", "北京市"),
            ("429004", "429000", "湖北省直辖县（市）"),
            ("469021", "469000", "海南省直辖县（市）"),
            ("659001", "659000", "新疆维吾尔自治区直辖县（市）"),
            ("441900", "441900", "广东省东莞市"),
        ] {
            assert_eq!(prefecture_of(county), prefecture, "{county}");
            assert_eq!(division(prefecture).name, name);
            assert!(is_county(county) && Region::parse(prefecture).expect("a region").holds(county), "{county}");
        }
        for wide in ["411400", "410000", "500000", "460000"] {
            assert!(!is_county(wide), "{wide}");
        }
        let every = table().expect("the table is embedded").entries().filter(|(code, _)| is_county(code));
        for (county, name) in every {
            let prefecture = prefecture_of(county);
            assert_ne!(division(&prefecture).name, prefecture, "{county} {name}");
        }
    }

    #[test]
    fn regions_are_read_by_code_and_name() {
        let code = |text: &str| Region::parse(text).map(|region| region.code().to_owned());
        for (text, wanted) in [
            ("夏邑县", "411426"),
            ("夏邑", "411426"),
            ("商丘", "411400"),
            ("河南省", "410000"),
            ("河南", "410000"),
            ("石柱", "500240"),
            ("429000", "429000"),
            ("320323", "320312"),
            ("重庆", "500000"),
        ] {
            assert_eq!(code(text).as_deref(), Ok(wanted), "{text}");
        }
        assert!(matches!(code("朝阳区"), Err(CodeFault::Ambiguous { .. })));
        for text in ["", "无此县", "429", "990000"] {
            assert!(code(text).is_err(), "{text}");
        }
        assert!(matches!(code("奉截县"), Err(CodeFault::Unknown { near }) if near.contains(&"500236".to_owned())));
        assert!(matches!(code("衡阳"), Err(CodeFault::Ambiguous { candidates }) if candidates == ["430400", "430421"]));
    }

    #[test]
    fn near_is_what_shares_prefecture_or_province() {
        let (xiayi, shangqiu) = (Region { code: "411426".into() }, Region { code: "411400".into() });
        assert_eq!(xiayi.nearness("411425"), Nearness::Prefecture);
        assert_eq!(xiayi.nearness("410122"), Nearness::Province);
        assert_eq!(xiayi.nearness("500236"), Nearness::Elsewhere);
        assert_eq!(shangqiu.nearness("410122"), Nearness::Province);
        let governed = Region { code: "429004".into() };
        assert_eq!(governed.nearness("429005"), Nearness::Prefecture);
    }

    #[test]
    fn what_several_counties_have_in_common_has_a_code() {
        let common = |codes: &[&str]| {
            let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
            super::common(&codes)
        };
        assert_eq!(common(&["411426"]).as_deref(), Some("411426"));
        assert_eq!(common(&["411426", "411425"]).as_deref(), Some("411400"));
        assert_eq!(common(&["411426", "410122"]).as_deref(), Some("410000"));
        assert_eq!(common(&["429004", "429005"]).as_deref(), Some("420000"), "they have no prefecture");
        assert_eq!(common(&["411426", "500236"]), None);
        assert_eq!(common(&[]), None);
    }
}
