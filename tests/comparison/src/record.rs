//! The records that every system gets: the same fields with the same words, made from the record's number alone.
//!
//! Signed by Xianmeng, a record has about 600 bytes. Its text is drawn at random from words of the trade, so that it
//! compresses as prose does and not as a template.

use std::fmt::Write as _;
use std::sync::LazyLock;

/// Words that texts are made of.
static WORDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    "面向 长三角 珠三角 京津冀 闽东南 成渝 招引 配套 企业 园区 厂房 用工 保障 物流 冷链 仓储 检测 认证 研发 中试 \
    量产 订单 设备 模具 铸造 锻造 涂装 电镀 注塑 纺织 印染 服装 鞋帽 箱包 家具 竹木 茶叶 柑橘 中药材 预制菜 畜牧 \
    水产 饲料 肥料 农机 光伏 储能 电池 电机 电控 芯片 封装 传感器 连接器 线束 显示 照明 医疗 器械 康养 文旅 民宿 \
    直播 电商 跨境 保税 口岸 铁路 高速 码头 机场 供水 供电 供气 污水 固废 环评 能耗 土地 标准地 拎包入住 租金 \
    减免 贴息 担保 基金 股权 并购 上市 人才 公寓 学校 医院 条件 面议 优先"
        .split(' ')
        .collect()
});
/// Words of one text.
const WORDS_EACH: usize = 24;

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The number by which people know it.
    pub number: String,
    /// Its other fields, in the order of [`FIELDS`].
    pub values: [String; 8],
}

/// The names of the fields behind the number, as Xianmeng's sheets call them.
pub const FIELDS: [&str; 8] = ["需求类别", "需求名称", "行业代码", "数量", "单位", "期限", "状态", "说明"];
/// The field of the number.
pub const NUMBER: &str = "需求编号";

impl Record {
    /// The record of that index.
    pub fn new(index: usize) -> Self {
        let mut random = fastrand::Rng::with_seed(index as u64);
        let industry = ["3841", "1713", "593", "65"][index % 4];
        let mut text = String::new();
        for _ in 0..WORDS_EACH {
            text.push_str(WORDS[random.usize(..WORDS.len())]);
        }
        let values = [
            "招商".to_owned(),
            format!("第{index}号产业链上下游配套企业"),
            industry.to_owned(),
            (index % 20 + 1).to_string(),
            "家".to_owned(),
            "2027-12-31".to_owned(),
            "发布".to_owned(),
            text,
        ];
        Self { number: format!("T{index:07}"), values }
    }

    /// The index that a number says.
    pub fn index_of(number: &str) -> Option<usize> {
        number.strip_prefix('T')?.parse().ok()
    }

    /// The values as JSON without names, which is the shortest that a system without columns can store.
    pub fn content(&self) -> String {
        serde_json::Value::from(self.values.to_vec()).to_string()
    }
}

/// A sheet of the records, for Xianmeng's import. No value holds a comma, quote or line break.
pub fn sheet(records: std::ops::Range<usize>) -> String {
    let mut text = format!("{NUMBER},{}\n", FIELDS.join(","));
    for record in records.map(Record::new) {
        let _ = writeln!(text, "{},{}", record.number, record.values.join(","));
    }
    text
}
