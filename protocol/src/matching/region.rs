//! Divisions of GB/T 2260 and named regions such as 长三角: where a record lies, and what it wants.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::words::normal;
use crate::kind::codes::{self, CodeTable, DIVISIONS};

/// Digits of a division.
const DIVISION_DIGITS: usize = 6;
/// What the full name of a province or prefecture ends in and its short one does not, longest first.
const RANKS: [&str; 9] =
    ["壮族自治区", "回族自治区", "维吾尔自治区", "特别行政区", "自治区", "自治州", "地区", "省", "市"];
/// The prefecture digits of units that a province governs itself: they lie in no common prefecture.
const DIRECT: u32 = 90;
/// The first two digits of the municipalities, whose counties share no prefecture but the city itself.
const MUNICIPALITIES: [u32; 4] = [11, 12, 31, 50];

/// Names of regions and divisions.
#[derive(Debug, Clone, Default)]
pub(super) struct Regions {
    /// The first name of each.
    named: Vec<String>,
    /// Names and short names of named regions, by normal form.
    names: BTreeMap<String, usize>,
    /// The regions that contain each of the beginnings (two or four digits) that they name.
    within: BTreeMap<u32, u32>,
}

/// How far two divisions have one place in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closeness {
    /// Not even provinces that border on each other.
    Apart,
    /// Provinces that border on each other.
    Neighbour,
    /// The province.
    Province,
    /// The prefecture.
    Prefecture,
    /// The county, or the same division.
    County,
}

/// What a name of a region or division means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A named region, as its bit.
    Named(u32),
    /// A division.
    Division(u32),
}

static DIVISION_NAMES: LazyLock<BTreeMap<String, u32>> = LazyLock::new(|| {
    let mut names: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    let Some(table) = codes::table(DIVISIONS) else { return BTreeMap::new() };
    for (code, name) in table.entries() {
        let Some(division) = parse_division(code) else { continue };
        names.entry(normal(name)).or_default().insert(division);
        if division % 100 == 0 {
            let short = RANKS.iter().find_map(|rank| name.strip_suffix(rank)).filter(|short| short.chars().count() > 1);
            names.entry(normal(short.unwrap_or(name))).or_default().insert(division);
        }
    }
    // A municipality is a province and, in some tables, a prefecture of the same name: the wider one is meant.
    let only = |divisions: BTreeSet<u32>| {
        let widest = divisions.iter().find(|division| **division % 10_000 == 0).copied();
        widest.or_else(|| divisions.iter().next().copied().filter(|_| divisions.len() == 1))
    };
    names.into_iter().filter_map(|(name, divisions)| Some((name, only(divisions)?))).collect()
});

/// A code of the table as a number.
pub(super) fn parse_division(code: &str) -> Option<u32> {
    let digits = code.len() == DIVISION_DIGITS && code.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| code.parse().ok())?
}

/// The division of a stated code as it is today; as stated where the table does not say.
pub(super) fn division_today(code: &str) -> Option<u32> {
    let today = divisions().and_then(|table| table.today(code).ok()).unwrap_or(code);
    parse_division(today)
}

fn divisions() -> Option<&'static CodeTable> {
    codes::table(DIVISIONS)
}

/// The name of a division with what it lies in, for people.
pub(super) fn division_name(division: u32) -> String {
    let code = format!("{division:06}");
    divisions().and_then(|table| table.full_name(&code)).unwrap_or(code)
}

/// The narrowest division that holds all of these.
pub(super) fn common_division(divisions: &[u32]) -> Option<u32> {
    let first = *divisions.first()?;
    let holds = |wide: u32| divisions.iter().all(|division| covers(wide, *division));
    [first, first / 100 * 100, first / 10_000 * 10_000].into_iter().find(|wide| holds(*wide))
}

/// Whether a division is another or holds it.
#[inline]
pub(super) fn covers(wide: u32, narrow: u32) -> bool {
    match wide {
        _ if wide == narrow => true,
        _ if wide.is_multiple_of(10_000) => wide / 10_000 == narrow / 10_000,
        _ if wide.is_multiple_of(100) => wide / 100 == narrow / 100,
        _ => false,
    }
}

/// How far two divisions have one place in common; the same the other way round.
#[inline]
pub(super) fn closeness(left: u32, right: u32) -> Closeness {
    let province = left / 10_000;
    match () {
        () if left == right => Closeness::County,
        () if province != right / 10_000 => Closeness::Apart,
        // Of a province nothing narrower is known than that.
        () if left.is_multiple_of(10_000) || right.is_multiple_of(10_000) => Closeness::Province,
        () if MUNICIPALITIES.contains(&province) || left / 100 % 100 == DIRECT => Closeness::Province,
        () if left / 100 == right / 100 => Closeness::Prefecture,
        () => Closeness::Province,
    }
}

impl Regions {
    /// Checks and keeps the regions; the reason when one is wrong.
    pub(super) fn new(regions: Vec<(Vec<String>, Vec<String>)>) -> Result<Self, String> {
        let mut made = Self::default();
        if regions.len() > 32 {
            return Err("there are at most 32 named regions".to_owned());
        }
        for (place, (names, codes)) in regions.into_iter().enumerate() {
            let name = names.first().cloned().ok_or("a named region has no name")?;
            for other in &names {
                if made.names.insert(normal(other), place).is_some() {
                    return Err(format!("the region `{other}` stands twice"));
                }
            }
            for code in &codes {
                let whole = format!("{code:0<width$}", width = DIVISION_DIGITS);
                let known = divisions().is_some_and(|table| table.contains(&whole));
                let short = matches!(code.len(), 2 | 4);
                let number = code.parse::<u32>().ok().filter(|_| short && known);
                let number =
                    number.ok_or_else(|| format!("region `{name}`: `{code}` is no beginning of a division"))?;
                *made.within.entry(number).or_default() |= 1 << place;
            }
            made.named.push(name);
        }
        Ok(made)
    }

    /// What a name means, if it names one place.
    pub(super) fn place(&self, name: &str) -> Option<Place> {
        let name = normal(name);
        if let Some(place) = self.names.get(&name) {
            return Some(Place::Named(1 << place));
        }
        let stem = ["地区", "区域", "一带", "等地"].iter().find_map(|end| name.strip_suffix(end));
        if let Some(place) = stem.and_then(|stem| self.names.get(stem)) {
            return Some(Place::Named(1 << place));
        }
        let division = DIVISION_NAMES.get(&name).or_else(|| DIVISION_NAMES.get(stem?)).copied();
        division.or_else(|| parse_division(&name)).map(Place::Division)
    }

    /// The named regions and divisions whose names a normalised text holds.
    pub(super) fn places_in(&self, normal: &str) -> Vec<Place> {
        let named = self.names.iter().filter(|(name, _)| normal.contains(name.as_str()));
        let named = named.map(|(_, place)| Place::Named(1 << place));
        let divisions = DIVISION_NAMES.iter().filter(|(name, _)| normal.contains(name.as_str()));
        let divisions: Vec<u32> = divisions.map(|(_, division)| *division).collect();
        // 重庆市奉节县 names the county, not the city as well.
        let narrowest = |wide: &&u32| !divisions.iter().any(|other| other != *wide && covers(**wide, *other));
        named.chain(divisions.iter().filter(narrowest).map(|division| Place::Division(*division))).collect()
    }

    /// The named regions that a division lies in.
    pub(super) fn of_division(&self, division: u32) -> u32 {
        let of = |code: u32| self.within.get(&code).copied().unwrap_or(0);
        match division {
            0 => 0,
            _ => of(division / 10_000) | of(division / 100),
        }
    }

    /// The regions that hold everything: those that name the most provinces.
    pub(super) fn everywhere(&self) -> u32 {
        let spread = |place: usize| self.within.values().filter(|bits| **bits & (1 << place) != 0).count();
        (0..self.named.len()).max_by_key(|place| spread(*place)).map_or(0, |place| 1 << place)
    }

    /// The names of regions, for people.
    pub(super) fn names_of(&self, bits: u32) -> Vec<&str> {
        let named = self.named.iter().enumerate();
        named.filter(|(place, _)| bits & (1 << place) != 0).map(|(_, name)| name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regions() -> Regions {
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        Regions::new(vec![
            (list(&["长三角", "长江三角洲"]), list(&["31", "32", "33", "34"])),
            (list(&["珠三角"]), list(&["4401", "4403"])),
        ])
        .expect("good regions")
    }

    #[test]
    fn divisions_are_near_by_what_they_share() {
        assert_eq!(closeness(411_426, 411_426), Closeness::County);
        assert_eq!(closeness(411_426, 411_421), Closeness::Prefecture);
        assert_eq!(closeness(430_400, 430_421), Closeness::Prefecture);
        assert_eq!(closeness(411_426, 410_105), Closeness::Province);
        assert_eq!(closeness(411_426, 500_236), Closeness::Apart);
        assert_eq!(closeness(500_236, 500_235), Closeness::Province, "a municipality has no prefectures");
        assert_eq!(closeness(429_004, 429_005), Closeness::Province, "the province governs them itself");
        assert_eq!(closeness(430_000, 430_421), Closeness::Province);
    }

    #[test]
    fn names_lead_to_places() {
        let regions = regions();
        assert_eq!(regions.place("长江三角洲"), Some(Place::Named(1)));
        assert_eq!(regions.place("长三角地区"), Some(Place::Named(1)));
        assert_eq!(regions.place("湖南"), Some(Place::Division(430_000)));
        assert_eq!(regions.place("衡阳市"), Some(Place::Division(430_400)));
        assert_eq!(regions.place("奉节县"), Some(Place::Division(500_236)));
        assert_eq!(regions.place("重庆"), Some(Place::Division(500_000)));
        assert_eq!(regions.place("500236"), Some(Place::Division(500_236)));
        assert_eq!(regions.place("朝阳区"), None, "several have that name");
        assert_eq!(regions.place("某地"), None);
        assert_eq!(regions.places_in(&normal("仅限重庆市奉节县的项目")), [Place::Division(500_236)]);
    }

    #[test]
    fn a_division_lies_in_the_regions_that_name_its_beginning() {
        let regions = regions();
        assert_eq!(regions.of_division(330_106), 1);
        assert_eq!(regions.of_division(440_305), 2);
        assert_eq!(regions.of_division(441_900), 0);
        assert_eq!(regions.of_division(0), 0);
        assert_eq!(regions.names_of(3), ["长三角", "珠三角"]);
    }

    #[test]
    fn the_common_division_holds_all() {
        assert_eq!(common_division(&[371_422, 371_481, 371_423]), Some(371_400));
        assert_eq!(common_division(&[371_422, 370_102]), Some(370_000));
        assert_eq!(common_division(&[371_422, 430_421]), None);
        assert_eq!(common_division(&[]), None);
    }

    #[test]
    fn wrong_regions_are_refused_with_their_name() {
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let wrong = Regions::new(vec![(list(&["某区"]), list(&["99"]))]).expect_err("no such province");
        assert!(wrong.contains("某区") && wrong.contains("99"));
        let twice = Regions::new(vec![(list(&["甲"]), vec![]), (list(&["甲"]), vec![])]).expect_err("twice");
        assert!(twice.contains("甲"));
    }
}
