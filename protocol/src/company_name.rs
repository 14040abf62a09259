//! Names of companies that may mean one company (requirement F047).
//!
//! Only a hint for people of the node that looks: 有研科技 and 有研科技集团 may be one company or two, and nothing is
//! ever merged. A name is reduced to its *core*: half-width and lower case, without brackets, legal forms and the place in
//! front; two cores are alike when one is the other or holds it, or when they share most pairs of neighbouring
//! characters.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::kind::{codes, normalise_header};

/// Likeness from which two names may mean one company, in thousandths.
pub const ALIKE_PERMILLE: u16 = 700;
/// Likeness of two cores of which one holds the other.
const HELD_PERMILLE: u16 = 850;
/// Fewest characters of a core: nothing is taken from a shorter one.
const CORE_CHARACTERS_MIN: usize = 2;
/// Fewest characters of a core that speaks for the company wherever it stands in a longer one.
const HELD_CHARACTERS_MIN: usize = 3;

/// What stands at the end of a name and says what a company is by law. The longest that fits is taken first.
const FORMS: [&str; 30] = [
    "个人独资企业",
    "农民专业合作社",
    "专业合作社",
    "合作社",
    "特殊普通合伙",
    "普通合伙",
    "有限合伙",
    "合伙企业",
    "有限责任公司",
    "股份有限公司",
    "股份公司",
    "有限公司",
    "集团公司",
    "总公司",
    "分公司",
    "子公司",
    "公司",
    "控股集团",
    "企业集团",
    "集团",
    "控股",
    "总厂",
    "分厂",
    "co.,ltd.",
    "co.,ltd",
    "ltd.",
    "ltd",
    "inc.",
    "corporation",
    "limited",
];
/// Ends of place names, which people leave away.
const PLACE_ENDS: [&str; 8] =
    ["特别行政区", "壮族自治区", "回族自治区", "维吾尔自治区", "自治区", "自治州", "省", "市"];

/// The core of a company's name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CompanyName(String);

impl CompanyName {
    /// The core of a name; `None` of an empty one.
    pub fn of(name: &str) -> Option<Self> {
        let name = normalise_header(name);
        let mut core = without_brackets(&name);
        if core.chars().count() < CORE_CHARACTERS_MIN {
            core = name;
        }
        without_forms(&mut core);
        without_places(&mut core);
        (!core.is_empty()).then_some(Self(core))
    }

    /// The text of the core.
    pub fn core(&self) -> &str {
        &self.0
    }

    /// How alike two names are, in thousandths: 1,000 when the cores are one.
    pub fn likeness_permille(&self, other: &Self) -> u16 {
        if self == other {
            return 1_000;
        }
        let (short, long) = if self.0.len() <= other.0.len() { (&self.0, &other.0) } else { (&other.0, &self.0) };
        let characters = short.chars().count();
        let holds = characters >= HELD_CHARACTERS_MIN && long.contains(short.as_str());
        if holds || (characters >= CORE_CHARACTERS_MIN && long.starts_with(short.as_str())) {
            return HELD_PERMILLE;
        }
        // Between 0 and 1; only this node looks at it.
        (strsim::sorensen_dice(&self.0, &other.0) * 1_000.0).round() as u16
    }

    /// Whether two names may mean one company.
    pub fn is_alike(&self, other: &Self) -> bool {
        self.likeness_permille(other) >= ALIKE_PERMILLE
    }

    /// Pairs of neighbouring characters, and a single character of a core that has one: two names that are alike share
    /// one of these.
    pub fn pairs(&self) -> BTreeSet<String> {
        let characters: Vec<char> = self.0.chars().collect();
        match characters.as_slice() {
            [only] => BTreeSet::from([only.to_string()]),
            _ => characters.windows(2).map(|pair| pair.iter().collect()).collect(),
        }
    }
}

/// Whether two lists of industry codes (GB/T 4754) meet in a division, or one names the section of the other; `None`
/// when one says nothing.
pub fn industries_meet(one: &[String], other: &[String]) -> Option<bool> {
    if one.is_empty() || other.is_empty() {
        return None;
    }
    let table = codes::table(codes::INDUSTRIES).expect("the table is embedded");
    let division = |code: &str| code.get(..2).unwrap_or(code).to_owned();
    let meet = |a: &String, b: &String| {
        table.covers(&division(a), b) || table.covers(&division(b), a) || table.covers(a, b) || table.covers(b, a)
    };
    Some(one.iter().any(|a| other.iter().any(|b| meet(a, b))))
}

fn without_brackets(name: &str) -> String {
    let mut depth = 0usize;
    let mut kept = String::new();
    for c in name.chars() {
        match c {
            '(' | '[' | '{' | '【' | '〔' | '《' => depth += 1,
            ')' | ']' | '}' | '】' | '〕' | '》' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

fn without_forms(core: &mut String) {
    while let Some(form) = FORMS.iter().filter(|form| core.ends_with(**form)).max_by_key(|form| form.len()) {
        let rest = &core[..core.len() - form.len()];
        if rest.chars().count() < CORE_CHARACTERS_MIN {
            return;
        }
        core.truncate(rest.len());
    }
}

/// Places as they stand in front of names: in full, and those of provinces and prefectures without their end. A county's
/// name without its end is too often that of a company: 长安, 东风.
static PLACES: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let table = codes::table(codes::DIVISIONS).expect("the table is embedded");
    let mut places = BTreeSet::from(["中国".to_owned()]);
    for (code, name) in table.entries() {
        places.insert(name.to_owned());
        let short = PLACE_ENDS.iter().find_map(|end| name.strip_suffix(end)).filter(|_| code.ends_with("00"));
        places.extend(short.filter(|short| short.chars().count() >= 2).map(str::to_owned));
    }
    places
});
/// Characters of the longest place name.
const PLACE_CHARACTERS_MAX: usize = 16;

fn without_places(core: &mut String) {
    loop {
        let ends = core.char_indices().map(|(at, _)| at).take(PLACE_CHARACTERS_MAX + 1);
        let long_enough = |at: &usize| core[*at..].chars().count() > CORE_CHARACTERS_MIN;
        let place = ends.filter(|at| *at > 0 && long_enough(at)).filter(|at| PLACES.contains(&core[..*at])).max();
        let Some(place) = place else { return };
        core.drain(..place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn core(name: &str) -> String {
        CompanyName::of(name).map(|name| name.core().to_owned()).unwrap_or_default()
    }

    fn likeness(one: &str, other: &str) -> u16 {
        CompanyName::of(one).expect("a name").likeness_permille(&CompanyName::of(other).expect("a name"))
    }

    #[test]
    fn forms_brackets_places_and_width_do_not_count() {
        assert_eq!(core("有研科技集团有限公司"), "有研科技");
        assert_eq!(core("有研科技（集团）股份有限公司"), "有研科技");
        assert_eq!(core("北京有研科技有限责任公司"), "有研科技");
        assert_eq!(core("河南省商丘市夏邑县恒丰纺织有限公司"), "恒丰纺织");
        assert_eq!(core("ＡＢＣ 新材料 Co., Ltd."), "abc新材料");
        assert_eq!(core("中国有研科技集团有限公司"), "有研科技");
        assert_eq!(core("恒丰（上海）贸易有限公司"), "恒丰贸易");
    }

    #[test]
    fn a_name_is_never_reduced_to_nothing() {
        assert_eq!(core("公司"), "公司");
        assert_eq!(core("集团公司"), "集团公司");
        assert_eq!(core("（暂定）"), "(暂定)");
        assert_eq!(core("长安汽车股份有限公司"), "长安汽车");
        assert_eq!(core("东风汽车集团"), "东风汽车");
        assert_eq!(core("北京市"), "北京市");
        assert_eq!(CompanyName::of("  "), None);
    }

    #[test]
    fn what_may_be_one_company_is_alike_and_others_are_not() {
        for (one, other) in [
            ("有研科技", "有研科技集团"),
            ("有研科技", "有研科技半导体材料有限公司"),
            ("奉节县脐橙精深加工有限公司", "奉节脐橙精深加工厂"),
            ("宁波某电子元件有限公司", "某电子元件有限公司"),
        ] {
            assert!(likeness(one, other) >= ALIKE_PERMILLE, "{one} {other}: {}", likeness(one, other));
        }
        for (one, other) in
            [("有研科技", "中科新材"), ("长安汽车", "东风汽车"), ("恒丰纺织", "恒泰纺织"), ("有研科技", "有色金属研究")]
        {
            assert!(likeness(one, other) < ALIKE_PERMILLE, "{one} {other}: {}", likeness(one, other));
        }
        assert_eq!(likeness("有研科技集团", "有研科技"), 1_000);
        assert_eq!(likeness("甲乙丙", "丁戊己"), likeness("丁戊己", "甲乙丙"));
    }

    #[test]
    fn names_that_are_alike_share_a_pair() {
        let [one, other] = ["有研科技", "有研科技半导体"].map(|name| CompanyName::of(name).expect("a name"));
        assert!(one.pairs().intersection(&other.pairs()).next().is_some());
        assert_eq!(CompanyName::of("铁").expect("a name").pairs().len(), 1);
    }

    #[test]
    fn industries_meet_in_a_division() {
        let list = |codes: &[&str]| codes.iter().map(|code| (*code).to_owned()).collect::<Vec<_>>();
        assert_eq!(industries_meet(&list(&["1711"]), &list(&["17", "3670"])), Some(true));
        assert_eq!(industries_meet(&list(&["1711"]), &list(&["1811"])), Some(false));
        assert_eq!(industries_meet(&list(&["C"]), &list(&["1811"])), Some(true));
        assert_eq!(industries_meet(&list(&[]), &list(&["1811"])), None);
    }
}
