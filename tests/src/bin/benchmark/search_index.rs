//! The search index by itself: how fast it is built, how large it is, how soon it answers.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use node::search::{Document, FIXED_POINT, Facet, Filters, Query, SearchIndex, Sort, SortBy, Span};
use protocol::charter::Class;
use protocol::identity::{EntryId, MemberNumber};
use protocol::kind::codes::{DIVISIONS, INDUSTRIES, table};

use crate::machine;

/// What a record of such texts takes in a log, in bytes: what the size of the index is compared with.
const RECORD_BYTES: u64 = 600;
/// Documents between two commits while the index is built.
const COMMIT_DOCUMENTS: usize = 50_000;
/// Queries of each sort, and how often each is asked.
const QUERIES: usize = 100;
const RUNS: usize = 3;
/// The time as of which is asked.
const NOW_MS: u64 = 1_795_233_600_000;
const DAY_MS: u64 = 86_400_000;

pub fn run(records: usize) {
    let directory = tempfile::tempdir().expect("a directory");
    let made = Made::new();
    let bytes = build(directory.path(), &made, records);
    let begun = Instant::now();
    let (index, opened) = SearchIndex::open(directory.path()).expect("an index");
    println!("  opened again, every byte verified: {:.2} s ({:?})", begun.elapsed().as_secs_f64(), opened.condition);
    println!(
        "  on disk: {:.0} bytes a document, {:.2} times a record of {RECORD_BYTES} bytes",
        bytes as f64 / records as f64,
        bytes as f64 / (records as u64 * RECORD_BYTES) as f64
    );
    ask(&index, &made, records);
    println!("  memory at its peak: {} MB", machine::peak_memory_bytes(std::process::id()) / 1_000_000);
}

/// Builds the index and says how many bytes it takes.
fn build(directory: &Path, made: &Made, records: usize) -> u64 {
    let (index, _) = SearchIndex::open(directory).expect("an index");
    let mut writer = index.writer().expect("a writer");
    let before = machine::processor_seconds(std::process::id());
    let (mut putting, mut characters) = (Duration::ZERO, 0);
    for number in 0..records {
        let document = made.document(number);
        characters += characters_of(&document);
        let begun = Instant::now();
        writer.put(&document).expect("it is put");
        if number % COMMIT_DOCUMENTS == COMMIT_DOCUMENTS - 1 {
            writer.commit(b"").expect("it is committed");
        }
        putting += begun.elapsed();
    }
    let begun = Instant::now();
    writer.commit(b"done").expect("it is committed");
    putting += begun.elapsed();
    println!("search-index: {records} documents of {} characters", characters / records.max(1));
    println!(
        "  built in {:.1} s, {:.0} documents/s, {:.1} s of processor time with the documents made",
        putting.as_secs_f64(),
        records as f64 / putting.as_secs_f64(),
        machine::processor_seconds(std::process::id()) - before
    );
    // Merges that are under way come to their end, so that the size is that of an index at rest.
    let begun = Instant::now();
    writer.close().expect("merges end");
    println!("  merges behind it: {:.1} s", begun.elapsed().as_secs_f64());
    machine::bytes_on_disk(directory)
}

fn characters_of(document: &Document) -> usize {
    let texts = std::iter::once(&document.title).chain(&document.names).chain(&document.texts);
    texts.map(|text| text.chars().count()).sum()
}

/// Asks queries of each sort and prints how soon they are answered.
fn ask(index: &SearchIndex, made: &Made, records: usize) {
    let mut all = Vec::new();
    for (sort, queries) in queries(made, records) {
        let mut times = Vec::new();
        let (mut found, mut hits) = (0, 0);
        for query in queries.iter().cycle().take(queries.len() * RUNS) {
            let begun = Instant::now();
            let results = index.search(query, NOW_MS).expect("an answer");
            times.push(begun.elapsed());
            found += u64::from(results.total > 0);
            hits += results.total;
        }
        let asked = times.len() as u64;
        let (mean, share) = (hits / asked, found * 100 / asked);
        println!(
            "  {sort}: p50 {} p99 {}; {share} % find something, {mean} on average",
            at(&mut times, 50),
            at(&mut times, 99)
        );
        all.extend(times);
    }
    println!("  all {} queries: p50 {} p99 {}", all.len(), at(&mut all, 50), at(&mut all, 99));
}

/// The time within which so many of a hundred are answered.
fn at(times: &mut [Duration], percent: usize) -> String {
    times.sort_unstable();
    let index = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    format!("{:.2} ms", times.get(index).copied().unwrap_or_default().as_secs_f64() * 1_000.0)
}

/// What people ask, sort by sort.
fn queries(made: &Made, records: usize) -> BTreeMap<&'static str, Vec<Query>> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut sorts: BTreeMap<&'static str, Vec<Query>> = BTreeMap::new();
    let facets = vec![Facet::Kind, Facet::Province, Facet::IndustrySection, Facet::State];
    for _ in 0..QUERIES {
        let document = made.document(random.usize(..records.max(1)));
        let text: Vec<char> = document.title.chars().chain(document.texts[0].chars()).collect();
        let part = |random: &mut fastrand::Rng, length: usize| {
            let start = random.usize(..text.len() - length);
            text[start..start + length].iter().collect::<String>()
        };
        let words = |words: String| Query { words, ..Query::default() };
        let place = made.places[random.usize(..made.places.len())].1;
        let trade = pick(&mut random, &TRADES);
        let pinyin = pick(&mut random, &["guangfu", "dianxin", "lengku", "gf", "cyy", "minsu xiangmu", "xiayi"]);
        let filters = Filters { divisions: vec![document.divisions[0][..2].to_owned()], ..Filters::default() };
        let amount = Some(Span { min: Some(1_000 * FIXED_POINT), max: Some(9_000 * FIXED_POINT), with_unknown: false });
        let by_amount = Sort { by: SortBy::Amount, ascending: false };
        let mut add = |sort, query| sorts.entry(sort).or_default().push(query);
        add("1 two characters of a text", words(part(&mut random, 2)));
        add("2 five characters of a text", words(part(&mut random, 5)));
        add("3 a word of the trade, with facets", Query { facets: facets.clone(), ..words(trade.to_owned()) });
        add("4 a place and a word", words(format!("{place}{trade}")));
        add("5 pinyin and initials", words(pinyin.to_owned()));
        add("6 a label", words(document.labels[0].clone()));
        add("7 the commonest word, with facets", Query { facets: facets.clone(), ..words("项目".to_owned()) });
        add("8 a province, with facets", Query { filters, facets: facets.clone(), ..Query::default() });
        let filters = Filters { amount, kinds: vec![document.kind], ..Filters::default() };
        add("9 a range, by amount", Query { filters, sort: by_amount, ..words(trade.to_owned()) });
        add("a everything, with all facets", Query { facets: vec![Facet::Fields, Facet::County], ..Query::default() });
        add("b a wrong word", words(format!("{trade}光扶{}", part(&mut random, 2))));
        add("c one character", words(part(&mut random, 1)));
    }
    sorts
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
struct Made {
    places: Vec<(&'static str, &'static str)>,
    industries: Vec<(&'static str, &'static str)>,
}

impl Made {
    fn new() -> Self {
        let entries = |name: &str| table(name).expect("an embedded table").entries();
        let places = entries(DIVISIONS).filter(|(code, _)| !code.ends_with("00")).collect();
        let industries = entries(INDUSTRIES).filter(|(code, _)| code.len() == 4).collect();
        Self { places, industries }
    }

    /// The document of a number; the same number makes the same document.
    fn document(&self, number: usize) -> Document {
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
