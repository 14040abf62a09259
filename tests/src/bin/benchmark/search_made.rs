//! What the benchmarks of search look through and ask: documents as counties write them, and the queries of people.

use std::collections::BTreeMap;

use node::search::{Document, FIXED_POINT, Facet, Filters, Query, Sort, SortBy, Span};
use protocol::charter::Class;
use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::codes::{DIVISIONS, INDUSTRIES, table};

/// Queries of each sort.
const QUERIES: usize = 100;
/// The time as of which is asked.
pub const NOW_MS: u64 = 1_795_233_600_000;
const DAY_MS: u64 = 86_400_000;
/// The sort of queries that find the same as a search by characters does, neither more nor less.
pub const EXACT: &str = "d 2 to 6 characters as they stand";

/// A query, and what a search by characters alone can be asked in its place.
pub struct Asked {
    pub query: Query,
    /// Nothing where such a search has no way to ask it: pinyin, and words that are written wrong.
    pub plain: Option<Plain>,
}

/// A question to a search by characters: all of these must stand in the text. Places and industries by code, words of
/// the same meaning, facets and scores by words are not asked of it.
#[derive(Default)]
pub struct Plain {
    pub words: Vec<String>,
    /// The two digits of a province.
    pub province: Option<String>,
    pub kind: Option<u16>,
    pub amount: Option<Span>,
}

/// What people ask, sort by sort.
pub fn queries(made: &Made, records: usize) -> BTreeMap<&'static str, Vec<Asked>> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut sorts: BTreeMap<&'static str, Vec<Asked>> = BTreeMap::new();
    let facets = vec![Facet::Kind, Facet::Province, Facet::IndustrySection, Facet::State];
    for _ in 0..QUERIES {
        let document = made.document(random.usize(..records.max(1)));
        let text: Vec<char> = document.title.chars().chain(document.texts[0].chars()).collect();
        let part = |random: &mut fastrand::Rng, length: usize| {
            let start = random.usize(..text.len() - length);
            text[start..start + length].iter().collect::<String>()
        };
        let words = |words: String| Query { words, ..Query::default() };
        let counted = |query: Query| Query { facets: facets.clone(), ..query };
        let place = made.places[random.usize(..made.places.len())].1;
        let trade = pick(&mut random, &TRADES);
        let pinyin = pick(&mut random, &["guangfu", "dianxin", "lengku", "gf", "cyy", "minsu xiangmu", "xiayi"]);
        let province = document.divisions[0][..2].to_owned();
        let amount = Span { min: Some(1_000 * FIXED_POINT), max: Some(9_000 * FIXED_POINT), with_unknown: false };
        let mut add = |sort, query, plain| sorts.entry(sort).or_default().push(Asked { query, plain });
        let stand =
            |words: &[&str]| Plain { words: words.iter().map(|word| (*word).to_owned()).collect(), ..Plain::default() };
        let (two, five, one, wrong) =
            (part(&mut random, 2), part(&mut random, 5), part(&mut random, 1), part(&mut random, 2));
        add("1 two characters of a text", words(two.clone()), Some(stand(&[&two])));
        add("2 five characters of a text", words(five.clone()), Some(stand(&[&five])));
        add("3 a word of the trade, with facets", counted(words(trade.to_owned())), Some(stand(&[trade])));
        add("4 a place and a word", words(format!("{place}{trade}")), Some(stand(&[place, trade])));
        add("5 pinyin and initials", words(pinyin.to_owned()), None);
        add("6 a label", words(document.labels[0].clone()), Some(stand(&[&document.labels[0]])));
        add("7 the commonest word, with facets", counted(words("项目".to_owned())), Some(stand(&["项目"])));
        let filters = Filters { divisions: vec![province.clone()], ..Filters::default() };
        let plain = Plain { province: Some(province), ..Plain::default() };
        add("8 a province, with facets", counted(Query { filters, ..Query::default() }), Some(plain));
        let filters = Filters { amount: Some(amount), kinds: vec![document.kind], ..Filters::default() };
        let sort = Sort { by: SortBy::Amount, ascending: false };
        let plain = Plain { kind: Some(document.kind), amount: Some(amount), ..stand(&[trade]) };
        add("9 a range, by amount", Query { filters, sort, ..words(trade.to_owned()) }, Some(plain));
        let all = Query { facets: vec![Facet::Fields, Facet::County], ..Query::default() };
        add("a everything, with all facets", all, Some(Plain::default()));
        add("b a wrong word", words(format!("{trade}光扶{wrong}")), None);
        add("c one character", words(one.clone()), Some(stand(&[&one])));
        let run = ideographs(&mut random, &text);
        add(EXACT, words(format!("“{run}”")), Some(stand(&[&run])));
    }
    sorts
}

/// Two to six neighbours of a text that are all ideographs.
fn ideographs(random: &mut fastrand::Rng, text: &[char]) -> String {
    loop {
        let length = random.usize(2..=6);
        let run = &text[random.usize(..text.len() - length)..][..length];
        if run.iter().all(|c| ('\u{4e00}'..='\u{9fff}').contains(c)) {
            return run.iter().collect();
        }
    }
}

const TRADES: [&str; 24] = [
    "光伏",
    "锂电池",
    "电芯",
    "冷链物流",
    "民宿",
    "中药材",
    "预制菜",
    "标准厂房",
    "汽车零部件",
    "新能源",
    "储能",
    "纺织",
    "服装",
    "食用菌",
    "机器人",
    "数据中心",
    "有机肥",
    "充电桩",
    "康养",
    "茶叶",
    "再生资源",
    "工业用地",
    "产业基金",
    "贴息",
];
const FORMS: [&str; 10] = [
    "产业园项目",
    "生产基地建设项目",
    "标准厂房招租",
    "上下游企业招商需求",
    "合作项目",
    "技术改造项目",
    "闲置厂房盘活",
    "产业引导基金",
    "一期工程",
    "融资需求",
];
const ABOUT: [&str; 12] = [
    "用地已平整，水电路气到位",
    "产权清晰，可整体租售",
    "已完成环评、能评，手续齐全",
    "面向长三角、珠三角招引上下游配套企业",
    "可享受省级开发区政策",
    "县里成立专班全程代办",
    "距高速出口三公里，铁路货场十公里",
    "用工充足，附近有职业学校",
    "合作方式面议",
    "优先考虑行业前十强",
    "计划分两期实施",
    "达产后可带动就业",
];

fn pick<'a>(random: &mut fastrand::Rng, from: &[&'a str]) -> &'a str {
    from[random.usize(..from.len())]
}

/// What documents are made of: the names of all counties and industries, and what counties write about themselves.
pub struct Made {
    places: Vec<(&'static str, &'static str)>,
    industries: Vec<(&'static str, &'static str)>,
}

impl Made {
    pub fn new() -> Self {
        let entries = |name: &str| table(name).expect("an embedded table").entries();
        let places = entries(DIVISIONS).filter(|(code, _)| !code.ends_with("00")).collect();
        let industries = entries(INDUSTRIES).filter(|(code, _)| code.len() == 4).collect();
        Self { places, industries }
    }

    /// The document of a number; the same number makes the same document.
    pub fn document(&self, number: usize) -> Document {
        let mut random = fastrand::Rng::with_seed(number as u64);
        let (place_code, place) = self.places[random.usize(..self.places.len())];
        let (industry_code, industry) = self.industries[random.usize(..self.industries.len())];
        let trade = pick(&mut random, &TRADES);
        let form = pick(&mut random, &FORMS);
        let title = match random.u8(..3) {
            0 => format!("{place}{trade}{form}"),
            1 => format!("年产{}万套{industry}{form}", random.u32(1..500)),
            _ => format!("{trade}{form}（{}）", random.u32(1..9)),
        };
        let text = format!(
            "{}；{}，占地{}亩，主攻{industry}，{}；联系编号{}。",
            pick(&mut random, &ABOUT),
            pick(&mut random, &ABOUT),
            random.u32(10..3_000),
            pick(&mut random, &ABOUT),
            random.u32(..)
        );
        let kinds = [101, 102, 103, 104, 105, 162];
        let states = ["published", "matched", "in_talks", "signed", "started", "idle"];
        let changed_ms = NOW_MS - random.u64(..700) * DAY_MS - random.u64(..DAY_MS);
        let member = u32::try_from(number % 2_000).unwrap_or(0) + 1;
        let id = EntryId(*blake3::hash(&number.to_le_bytes()).as_bytes());
        let kind = kinds[random.usize(..kinds.len())];
        Document {
            names: vec![format!("{place}人民政府")],
            labels: vec![format!("{member}-{}", number / 2_000 + 1), format!("XM{number:07}")],
            kind_names: vec!["项目需求".to_owned()],
            texts: vec![text],
            divisions: vec![place_code.to_owned()],
            industries: vec![industry_code.to_owned()],
            state: Some(states[random.usize(..states.len())].to_owned()),
            amounts: (random.bool()).then(|| random.i64(100..50_000) * FIXED_POINT).into_iter().collect(),
            areas: (random.bool()).then(|| random.i64(10..3_000) * FIXED_POINT).into_iter().collect(),
            deadline_day: random.bool().then(|| random.i32(20_000..21_500)),
            created_ms: changed_ms - random.u64(..DAY_MS * 90),
            changed_ms,
            facets: vec![
                ("category".to_owned(), pick(&mut random, &FORMS).to_owned()),
                ("target_regions".to_owned(), pick(&mut random, &["长三角", "珠三角", "京津冀", "闽东南"]).to_owned()),
            ],
            closed: random.u8(..10) == 0,
            ..Document::new(id, kind, MemberNumber(member), Class::County, title)
        }
    }
}
