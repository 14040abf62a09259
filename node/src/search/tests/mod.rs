//! The index with records as counties publish them.

mod filtering;
mod finding;
mod hostile;
mod keeping;
mod paging;
mod suggesting;

use protocol::charter::Class;
use protocol::identity::{EntryId, MemberNumber};
use tempfile::TempDir;

use super::{Condition, Document, FIXED_POINT, Filters, Opened, Query, Results, SearchIndex, SearchWriter};

/// 2026-11-21, noon in China.
const NOW_MS: u64 = 1_795_233_600_000;
const DAY_MS: u64 = 86_400_000;

/// An index in a directory of its own.
struct Kept {
    directory: TempDir,
    index: SearchIndex,
    writer: SearchWriter,
}

impl Kept {
    /// An index of these documents.
    fn of(documents: &[Document]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let (index, opened) = SearchIndex::open(directory.path()).expect("an index");
        assert_eq!(opened, Opened { condition: Condition::Fresh, payload: Vec::new() });
        let mut writer = index.writer().expect("a writer");
        for document in documents {
            writer.put(document).expect("it is put");
        }
        writer.commit(b"positions").expect("it is committed");
        Self { directory, index, writer }
    }

    fn ask(&self, query: &Query) -> Results {
        self.index.search(query, NOW_MS).expect("an answer")
    }

    /// The titles that words find, best first.
    fn titles(&self, words: &str) -> Vec<String> {
        self.titles_of(&asking(words))
    }

    fn titles_of(&self, query: &Query) -> Vec<String> {
        let records = records();
        let title = |id: &EntryId| records.iter().find(|record| record.id == *id).map(|record| record.title.clone());
        self.ask(query).hits.iter().map(|hit| title(&hit.id).unwrap_or_else(|| hit.id.to_string())).collect()
    }
}

/// A query of words alone, of which everything must be found.
fn asking(words: &str) -> Query {
    Query { words: words.to_owned(), ..Query::default() }
}

fn filtered(filters: Filters) -> Query {
    Query { filters, ..Query::default() }
}

fn id(number: u8) -> EntryId {
    EntryId(*blake3::hash(&[number]).as_bytes())
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

/// A plain document of a county.
fn document(number: u8, kind: u16, title: &str) -> Document {
    let changed_ms = NOW_MS - u64::from(number) * DAY_MS;
    let document = Document::new(id(number), kind, MemberNumber(42), Class::County, title);
    Document { created_ms: changed_ms, changed_ms, labels: vec![format!("42-{number}")], ..document }
}

const PROJECT: u16 = 101;
const DEMAND: u16 = 102;
const RESOURCE: u16 = 103;
const FUND: u16 = 104;
const POLICY: u16 = 162;

/// Records of several counties and a fund.
fn records() -> Vec<Document> {
    vec![
        Document {
            names: texts(["夏邑县人民政府"]),
            labels: texts(["42-1", "XM001"]),
            kind_names: texts(["项目", "Project"]),
            texts: texts(["年产50GWh磷酸铁锂圆柱形电芯，分三期建设，选址夏邑县高新区。", "重大"]),
            divisions: texts(["411426"]),
            industries: texts(["3841"]),
            state: Some("planned".to_owned()),
            amounts: vec![3_790_000 * FIXED_POINT],
            areas: vec![3_000 * FIXED_POINT],
            facets: vec![("level".to_owned(), "重大".to_owned())],
            ..document(1, PROJECT, "50GWh磷酸铁锂圆柱形电芯产业园")
        },
        Document {
            names: texts(["夏邑县人民政府"]),
            texts: texts(["每系招引10家以上上下游配套企业，面向长三角、珠三角。"]),
            divisions: texts(["411426"]),
            industries: texts(["17", "18"]),
            state: Some("published".to_owned()),
            deadline_day: Some(20_790),
            facets: vec![("category".to_owned(), "招商".to_owned())],
            ..document(2, DEMAND, "纺织系上下游企业")
        },
        Document {
            names: texts(["奉节县人民政府"]),
            texts: texts(["屋顶和荒坡可装机，配套储能；已完成踏勘。"]),
            divisions: texts(["500236"]),
            industries: texts(["4416"]),
            state: Some("published".to_owned()),
            amounts: vec![50_000 * FIXED_POINT],
            deadline_day: Some(20_800),
            facets: vec![("category".to_owned(), "招商".to_owned())],
            ..document(3, DEMAND, "光伏发电项目招商")
        },
        Document {
            names: texts(["奉节县人民政府"]),
            texts: texts(["临江老街院落，可改造为精品民宿，产权清晰。"]),
            divisions: texts(["500236"]),
            industries: texts(["6130"]),
            areas: vec![12 * FIXED_POINT],
            floor_areas: vec![3_500 * FIXED_POINT],
            facets: vec![("category".to_owned(), "闲置资产".to_owned())],
            ..document(4, RESOURCE, "白帝城临江院落")
        },
        Document {
            owner: MemberNumber(7),
            names: texts(["乐陵市人民政府"]),
            texts: texts(["辣椒、金丝小枣集散地，现有冷库三万吨，可共享。"]),
            divisions: texts(["371481"]),
            industries: texts(["5930"]),
            floor_areas: vec![20_000 * FIXED_POINT],
            facets: vec![("category".to_owned(), "物流".to_owned())],
            ..document(5, RESOURCE, "循环经济园低温仓储中心")
        },
        Document {
            owner: MemberNumber(9),
            names: texts(["徐州市铜山区人民政府"]),
            texts: texts(["层高8米，双回路供电，可整栋租售。"]),
            divisions: texts(["320312"]),
            areas: vec![476 * FIXED_POINT],
            floor_areas: vec![58_000 * FIXED_POINT],
            facets: vec![("category".to_owned(), "厂房".to_owned())],
            ..document(6, RESOURCE, "经济开发区标准厂房")
        },
        Document {
            owner: MemberNumber(20),
            owner_class: Class::Fund,
            names: texts(["县域产业引导基金"]),
            labels: texts(["20-1", "JJ005"]),
            texts: texts(["投向智能制造、新能源，单笔5000万元至2亿元。"]),
            divisions: texts(["110105"]),
            amounts: vec![5_000 * FIXED_POINT, 20_000 * FIXED_POINT],
            facets: vec![("directions".to_owned(), "智能制造".to_owned())],
            ..document(7, FUND, "县域产业引导基金")
        },
        Document {
            texts: texts(["对符合条件的制造业贷款给予贷款贴息，申报截止2026年12月31日。"]),
            divisions: texts(["411426"]),
            state: Some("issued".to_owned()),
            deadline_day: Some(20_818),
            facets: vec![("measures".to_owned(), "金融贴息".to_owned())],
            ..document(8, POLICY, "支持制造业高质量发展若干政策（试行）")
        },
        Document {
            texts: texts(["已签约，停止征集。"]),
            divisions: texts(["411426"]),
            state: Some("closed".to_owned()),
            closed: true,
            ..document(9, DEMAND, "光伏组件配套企业")
        },
        Document { counts: false, ..document(10, DEMAND, "光伏支架配套企业") },
        Document { sealed: true, divisions: texts(["410000"]), ..document(11, DEMAND, "保密的并购需求") },
    ]
}
