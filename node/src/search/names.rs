//! What words name: divisions of today and of old, industries, and words that mean the same.
//!
//! A record says where it belongs by a code, and people search by a name: 夏邑, 夏邑县, a name that the county no longer
//! has. So names lead to codes here, and codes are indexed with everything that they lie in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::LazyLock;

use protocol::kind::codes::{CodeFault, CodeTable, DIVISIONS, INDUSTRIES, table};
use serde::Deserialize;

use super::fold::fold;

const SYNONYMS: &str = include_str!("synonyms.toml");
/// Fewest characters of a short name: 和县 is not found by 和.
const SHORT_NAME_CHARACTERS_MIN: usize = 2;
/// Codes that one name leads to at most: the most frequent name of a county has fewer.
const CODES_MAX: usize = 16;
/// What the short name of a division leaves out, longest first.
const RANKS: [&str; 11] = ["自治县", "自治旗", "自治州", "自治区", "林区", "地区", "县", "市", "区", "旗", "省"];
/// What the names of autonomous divisions name besides the place.
const PEOPLES: [&str; 62] = [
    "各族",
    "蒙古族",
    "蒙古",
    "回族",
    "藏族",
    "维吾尔族",
    "维吾尔",
    "苗族",
    "彝族",
    "壮族",
    "布依族",
    "朝鲜族",
    "满族",
    "侗族",
    "瑶族",
    "白族",
    "土家族",
    "哈尼族",
    "哈萨克族",
    "哈萨克",
    "傣族",
    "黎族",
    "傈僳族",
    "佤族",
    "畲族",
    "拉祜族",
    "水族",
    "东乡族",
    "纳西族",
    "景颇族",
    "柯尔克孜族",
    "柯尔克孜",
    "土族",
    "达斡尔族",
    "仫佬族",
    "羌族",
    "布朗族",
    "撒拉族",
    "毛南族",
    "仡佬族",
    "锡伯族",
    "锡伯",
    "阿昌族",
    "普米族",
    "塔吉克族",
    "塔吉克",
    "怒族",
    "乌孜别克族",
    "俄罗斯族",
    "鄂温克族",
    "德昂族",
    "保安族",
    "裕固族",
    "京族",
    "塔塔尔族",
    "独龙族",
    "鄂伦春族",
    "赫哲族",
    "门巴族",
    "珞巴族",
    "基诺族",
    "高山族",
];
/// Short names that mean something else far more often than the place. In full they name it.
const ORDINARY_WORDS: [&str; 96] = [
    "和平", "新华", "振兴", "前进", "友好", "友谊", "平安", "合作", "资源", "港口", "老城", "红旗", "解放", "博爱",
    "公安", "开化", "复兴", "大名", "向阳", "东风", "前锋", "富裕", "富民", "惠民", "光明", "安居", "安定", "兴业",
    "乐业", "温泉", "南部", "南岸", "城中", "城北", "市南", "市北", "市中", "路南", "路北", "东方", "中方", "大方",
    "平房", "方正", "运河", "延长", "同心", "共和", "会同", "清水", "天元", "凤凰", "灯塔", "响水", "水城", "石棉",
    "宝塔", "白银", "新星", "新兴", "光泽", "无为", "比如", "当阳", "台前", "三元", "万年", "通道", "城关", "新城",
    "河口", "江口", "小店", "江岸", "工农", "卫东", "牧野", "元宝", "平远", "清新", "清流", "云霄", "凌云", "太和",
    "桥东", "桥西", "北关", "南关", "文峰", "林口", "海港", "建华", "宏伟", "丰满", "双清", "平和",
];

/// Words that mean the same, as the file has them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    words: Vec<String>,
    #[serde(default)]
    narrower: Vec<String>,
    #[serde(default)]
    industries: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Groups {
    group: Vec<Group>,
}

/// What a word stands for besides itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Meaning {
    /// Divisions, as codes of today.
    pub(super) divisions: Vec<String>,
    /// Industries and groups of them.
    pub(super) industries: Vec<String>,
    /// Other words.
    pub(super) synonyms: Vec<String>,
}

impl Meaning {
    /// Whether a word of this meaning stands for nothing but itself.
    pub(super) fn is_none(&self) -> bool {
        self.divisions.is_empty() && self.industries.is_empty() && self.synonyms.is_empty()
    }
}

/// Folded words with what they stand for.
static MEANINGS: LazyLock<HashMap<String, Meaning>> = LazyLock::new(|| {
    let mut meanings: HashMap<String, Meaning> = HashMap::new();
    for (name, codes) in place_names() {
        let codes = codes.into_iter().take(CODES_MAX).map(str::to_owned).collect();
        meanings.entry(name).or_default().divisions = codes;
    }
    for (name, codes) in known(INDUSTRIES).names() {
        meanings.entry(fold(name)).or_default().industries = codes.into_iter().map(str::to_owned).collect();
    }
    for group in groups() {
        for word in &group.words {
            let meaning = meanings.entry(fold(word)).or_default();
            let others = group.words.iter().chain(&group.narrower).filter(|other| *other != word);
            meaning.synonyms.extend(others.map(|other| fold(other)));
            meaning.industries.extend(group.industries.iter().cloned());
        }
    }
    for meaning in meanings.values_mut() {
        for list in [&mut meaning.industries, &mut meaning.synonyms] {
            let mut seen = BTreeSet::new();
            list.retain(|item| seen.insert(item.clone()));
        }
    }
    meanings
});

/// The codes of a table in order: the place of each, from 1, stands for it in columns.
static DIVISION_ORDER: LazyLock<Vec<&'static str>> = LazyLock::new(|| order(DIVISIONS));
static INDUSTRY_ORDER: LazyLock<Vec<&'static str>> = LazyLock::new(|| order(INDUSTRIES));

/// For each of these codes the numbers of what facets count it as: province, prefecture and county; section and
/// division.
static DIVISION_UPPERS: LazyLock<Vec<Vec<u16>>> = LazyLock::new(|| {
    let uppers = |code: &&str| division_stems(code).into_iter().map(|stem| format!("{stem:0<6}")).collect::<Vec<_>>();
    let numbers = |code| uppers(code).iter().filter_map(|upper| division_number(upper)).collect();
    DIVISION_ORDER.iter().map(numbers).collect()
});
static INDUSTRY_UPPERS: LazyLock<Vec<Vec<u16>>> = LazyLock::new(|| {
    let is_counted = |stem: &&str| stem.len() <= 2;
    let numbers = |code: &&str| {
        let stems: BTreeSet<&str> = industry_stems(code).into_iter().filter(is_counted).collect();
        stems.into_iter().filter_map(industry_number).collect()
    };
    INDUSTRY_ORDER.iter().map(numbers).collect()
});

fn order(name: &str) -> Vec<&'static str> {
    known(name).entries().map(|(code, _)| code).collect()
}

/// The section letter of each division of industries.
static SECTIONS: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let table = known(INDUSTRIES);
    let codes: Vec<&str> = table.entries().map(|(code, _)| code).collect();
    let (sections, divisions): (Vec<&str>, Vec<&str>) =
        codes.into_iter().filter(|code| code.len() <= 2).partition(|code| code.len() == 1);
    let section = |division: &&str| sections.iter().find(|section| table.covers(section, division));
    divisions.iter().filter_map(|division| Some(((*division).to_owned(), (*section(division)?).to_owned()))).collect()
});

/// A table of the build.
fn known(name: &str) -> &'static CodeTable {
    #[expect(clippy::expect_used, reason = "both names are constants of the crate that embeds the tables")]
    table(name).expect("the table is embedded")
}

fn groups() -> Vec<Group> {
    // A test reads the file, so nothing is lost here.
    toml::from_str(SYNONYMS).map(|groups: Groups| groups.group).unwrap_or_default()
}

/// Full and short names of divisions with their codes of today. A full name wins over the short name of another.
fn place_names() -> BTreeMap<String, BTreeSet<&'static str>> {
    let full = known(DIVISIONS).names();
    let mut names: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for (name, codes) in &full {
        let Some(short) = short_name(name).map(fold) else { continue };
        if !ORDINARY_WORDS.contains(&short.as_str()) {
            names.entry(short).or_default().extend(codes);
        }
    }
    names.extend(full.into_iter().map(|(name, codes)| (fold(name), codes)));
    names
}

/// The name without its rank and without the peoples that it names: 恩施 of 恩施土家族苗族自治州.
fn short_name(name: &str) -> Option<&str> {
    let mut stem = RANKS.iter().find_map(|rank| name.strip_suffix(rank))?;
    if stem.len() + "自治县".len() == name.len() {
        while let Some(rest) = PEOPLES.iter().find_map(|people| stem.strip_suffix(people)) {
            stem = rest;
        }
    }
    (stem.chars().count() >= SHORT_NAME_CHARACTERS_MIN).then_some(stem)
}

/// What a folded word stands for.
pub(super) fn meaning(word: &str) -> Meaning {
    MEANINGS.get(word).cloned().unwrap_or_default()
}

/// Whether a folded word names something.
pub(super) fn is_name(word: &str) -> bool {
    MEANINGS.contains_key(word)
}

/// Words that a dictionary of Chinese should know: names of places and what counties promote. In order, so that they
/// have a fingerprint.
pub(super) fn words() -> BTreeSet<String> {
    let synonyms = groups().into_iter().flat_map(|group| [group.words, group.narrower].concat());
    let names = place_names().into_keys();
    names.chain(synonyms.map(|word| fold(&word))).collect()
}

/// The names under which a text may speak of a division: in full and in short.
pub(super) fn names_of_division(code: &str) -> Vec<String> {
    let name = known(DIVISIONS).name_of(code);
    let short = name.and_then(short_name).filter(|short| !ORDINARY_WORDS.contains(short));
    name.into_iter().chain(short).map(fold).collect()
}

/// What stands for a division of today in a column.
pub(super) fn division_number(code: &str) -> Option<u16> {
    number(&DIVISION_ORDER, code)
}

/// The division that a number stands for.
pub(super) fn division_of(number: u16) -> Option<&'static str> {
    DIVISION_ORDER.get(usize::from(number).checked_sub(1)?).copied()
}

/// What stands for an industry or a group of them in a column.
pub(super) fn industry_number(code: &str) -> Option<u16> {
    number(&INDUSTRY_ORDER, code)
}

/// The industry that a number stands for.
pub(super) fn industry_of(number: u16) -> Option<&'static str> {
    INDUSTRY_ORDER.get(usize::from(number).checked_sub(1)?).copied()
}

/// What the division of a number is counted as: itself and what it lies in.
pub(super) fn division_uppers(number: u16) -> &'static [u16] {
    uppers(&DIVISION_UPPERS, number)
}

/// What the industry of a number is counted as: its section and its division.
pub(super) fn industry_uppers(number: u16) -> &'static [u16] {
    uppers(&INDUSTRY_UPPERS, number)
}

fn uppers(all: &[Vec<u16>], number: u16) -> &[u16] {
    let place = usize::from(number).checked_sub(1);
    place.and_then(|place| all.get(place)).map(Vec::as_slice).unwrap_or_default()
}

fn number(order: &[&str], code: &str) -> Option<u16> {
    let place = order.binary_search(&code).ok()?;
    u16::try_from(place + 1).ok()
}

/// Everything outside this folder on which the content of an index depends.
pub(super) fn fingerprint() -> String {
    let words = words();
    let words = words.iter().map(String::as_str).chain(DIVISION_ORDER.iter().copied());
    let mut hasher = blake3::Hasher::new();
    for word in words.chain(INDUSTRY_ORDER.iter().copied()) {
        hasher.update(word.as_bytes()).update(b"\n");
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// The codes of today that a division has become; itself when the table does not say.
pub(super) fn divisions_today(code: &str) -> Vec<String> {
    match known(DIVISIONS).today(code) {
        Ok(today) => vec![today.to_owned()],
        Err(CodeFault::Ambiguous { candidates }) => candidates,
        Err(_) => vec![code.to_owned()],
    }
}

/// The stems of everything that a division lies in, itself last: 41, 4114 and 411426.
pub(super) fn division_stems(code: &str) -> Vec<&str> {
    let code = division_stem(code);
    [2, 4, 6].iter().filter_map(|length| code.get(..*length)).collect()
}

/// A division without the zeros that say that it is a whole province or prefecture.
pub(super) fn division_stem(code: &str) -> &str {
    code.strip_suffix("0000").or_else(|| code.strip_suffix("00")).unwrap_or(code)
}

/// The groups that an industry belongs to, itself last: C, 38, 384 and 3841.
pub(super) fn industry_stems(code: &str) -> Vec<&str> {
    let section = code.get(..2).and_then(|division| SECTIONS.get(division));
    let own = (code.len() == 1).then_some(code);
    let stems = [2, 3, 4].iter().filter_map(|length| code.get(..*length));
    section.map(String::as_str).into_iter().chain(own).chain(stems).collect()
}

/// The divisions that a filter means: a code, also without the zeros at its end, or all that go by a name.
pub(super) fn resolve_divisions(text: &str) -> Option<Vec<String>> {
    let is_stem = matches!(text.len(), 2 | 4) && text.bytes().all(|byte| byte.is_ascii_digit());
    let padded = if is_stem { format!("{text:0<6}") } else { text.to_owned() };
    resolve(DIVISIONS, &padded)
        .or_else(|| Some(meaning(&fold(text.trim())).divisions).filter(|codes| !codes.is_empty()))
}

/// The industries that a filter means.
pub(super) fn resolve_industries(text: &str) -> Option<Vec<String>> {
    resolve(INDUSTRIES, text).or_else(|| Some(meaning(&fold(text.trim())).industries).filter(|codes| !codes.is_empty()))
}

fn resolve(name: &str, text: &str) -> Option<Vec<String>> {
    match known(name).resolve(text) {
        Ok(code) if name == DIVISIONS => Some(divisions_today(&code)),
        Ok(code) => Some(vec![code]),
        Err(CodeFault::Ambiguous { candidates }) => Some(candidates),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn divisions(word: &str) -> Vec<String> {
        meaning(word).divisions
    }

    #[test]
    fn names_lead_to_codes_in_full_in_short_and_of_old() {
        for name in ["夏邑县", "夏邑"] {
            assert_eq!(divisions(name), ["411426"], "{name}");
        }
        assert_eq!(divisions("铜山县"), ["320312"]);
        assert_eq!(divisions("乐陵县"), ["371481"]);
        assert!(divisions("恩施").contains(&"422800".to_owned()) && divisions("恩施").contains(&"422801".to_owned()));
        assert_eq!(divisions("围场"), divisions("围场满族蒙古族自治县"));
        assert_eq!(divisions("河南省"), ["410000"]);
        // There is a county of that name, too.
        assert_eq!(divisions("河南"), ["410000", "632324"]);
        assert!(divisions("和").is_empty() && divisions("县").is_empty());
    }

    #[test]
    fn a_full_name_is_not_the_short_name_of_another() {
        assert!(divisions("朝阳区").iter().all(|code| code != "211300"));
        assert!(divisions("朝阳").contains(&"211300".to_owned()) && divisions("朝阳").contains(&"110105".to_owned()));
    }

    #[test]
    fn words_of_one_group_mean_each_other_and_their_industry() {
        let cell = meaning("电芯");
        assert!(cell.synonyms.contains(&"锂电池".to_owned()) && cell.industries.contains(&"3841".to_owned()));
        assert!(!cell.synonyms.contains(&"电芯".to_owned()));
        let narrow = meaning("磷酸铁锂");
        assert!(!narrow.synonyms.contains(&"锂电池".to_owned()));
        assert!(meaning("锂离子电池制造").industries.contains(&"3841".to_owned()));
    }

    #[test]
    fn the_file_of_synonyms_is_read_and_names_industries_of_the_table() {
        let groups: Groups = toml::from_str(SYNONYMS).expect("it is read");
        for group in groups.group {
            assert!(group.words.len() > 1 || !group.industries.is_empty(), "{:?}", group.words);
            for code in &group.industries {
                assert!(known(INDUSTRIES).contains(code), "{code}");
            }
            for word in group.words.iter().chain(&group.narrower) {
                assert_eq!(*word, fold(word), "{word}");
            }
        }
    }

    #[test]
    fn codes_lie_in_what_they_belong_to() {
        assert_eq!(division_stems("411426"), ["41", "4114", "411426"]);
        assert_eq!(division_stems("410000"), ["41"]);
        assert_eq!(industry_stems("3841"), ["C", "38", "384", "3841"]);
        assert_eq!(industry_stems("0153"), ["A", "01", "015", "0153"]);
        assert_eq!(industry_stems("C"), ["C"]);
        for (number, code) in (1..).zip(DIVISION_ORDER.iter()) {
            assert_eq!((division_number(code), division_of(number)), (Some(number), Some(*code)));
        }
        for (number, code) in (1..).zip(INDUSTRY_ORDER.iter()) {
            assert_eq!((industry_number(code), industry_of(number)), (Some(number), Some(*code)));
        }
        let counted =
            |code| division_uppers(division_number(code).expect("in force")).iter().map(|upper| division_of(*upper));
        assert_eq!(counted("411426").collect::<Vec<_>>(), [Some("410000"), Some("411400"), Some("411426")]);
        assert_eq!(counted("110105").collect::<Vec<_>>(), [Some("110000"), Some("110105")]);
        let counted =
            |code| industry_uppers(industry_number(code).expect("there")).iter().map(|upper| industry_of(*upper));
        assert_eq!(counted("3841").collect::<Vec<_>>(), [Some("38"), Some("C")]);
        assert_eq!((division_number("341421"), division_of(0), industry_of(u16::MAX)), (None, None, None));
        assert_eq!(resolve_divisions("41"), resolve_divisions("河南省"));
        assert_eq!(resolve_divisions("朝阳区"), Some(vec!["110105".to_owned(), "220104".to_owned()]));
        assert_eq!(resolve_divisions("火星县"), None);
    }
}
