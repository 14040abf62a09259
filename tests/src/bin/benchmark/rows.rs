//! Rows as officials fill them in: projects, demands and resources, each different and all of them good.

use protocol::kind::sheet::Row;
use protocol::kind::{Kind, KindSet};

/// A sheet in the making: what its rows are, its header, and the row of a number.
pub struct Sheet {
    pub kind: &'static Kind,
    headers: &'static [&'static str],
    row: fn(usize) -> Vec<String>,
}

const PROJECTS: [&str; 15] = [
    "项目编号",
    "项目名称",
    "行政区划代码",
    "行业代码",
    "项目等级",
    "阶段",
    "计划总投资（亿元）",
    "用地（亩）",
    "年产值（亿元）",
    "就业（人）",
    "数值口径",
    "投资主体",
    "签约日期",
    "统一社会信用代码",
    "说明",
];
const DEMANDS: [&str; 12] = [
    "需求编号",
    "需求类别",
    "需求名称",
    "行政区划代码",
    "行业代码",
    "数量",
    "单位",
    "需求金额（万元）",
    "目标区域",
    "期限",
    "状态",
    "说明",
];
const RESOURCES: [&str; 12] = [
    "资源编号",
    "资源类别",
    "名称",
    "行政区划代码",
    "行业代码",
    "数量",
    "单位",
    "面积（亩）",
    "建筑面积（万平方米）",
    "状态",
    "可共享",
    "说明",
];

const DIVISIONS: [&str; 4] = ["500236", "411426", "371481", "430422"];
const INDUSTRIES: [&str; 4] = ["3841", "1713;1751", "2927", "0153"];

/// The three sheets whose reading is measured.
pub fn sheets() -> [Sheet; 3] {
    let kind = |name: &str| KindSet::builtin().kind_named(name).expect("a built-in kind");
    [
        Sheet { kind: kind("project"), headers: &PROJECTS, row: project },
        Sheet { kind: kind("demand"), headers: &DEMANDS, row: demand },
        Sheet { kind: kind("resource"), headers: &RESOURCES, row: resource },
    ]
}

impl Sheet {
    pub fn headers(&self) -> Vec<String> {
        self.headers.iter().map(|header| (*header).to_owned()).collect()
    }

    /// The rows below the header, which is line 1.
    pub fn rows(&self, count: usize) -> Vec<Row> {
        (0..count).map(|number| Row { line: number + 2, cells: (self.row)(number) }).collect()
    }
}

fn pick(choices: &[&str], number: usize) -> String {
    choices[number % choices.len()].to_owned()
}

fn project(number: usize) -> Vec<String> {
    // One figure in four is given in words, as they are in reports.
    let investment = match number % 4 {
        0 => format!("约{}.5亿元", number % 90 + 1),
        other => format!("{}.{other}", number % 90 + 1),
    };
    vec![
        format!("XM2026{number:06}"),
        format!("年产{}万套汽车底盘系统零部件项目（{number}期）", number % 300 + 10),
        pick(&DIVISIONS, number),
        pick(&INDUSTRIES, number),
        pick(&["一般", "重点", "重大"], number),
        pick(&["在谈", "签约", "开工", "投产"], number),
        investment,
        (number % 700 + 20).to_string(),
        format!("{}.2", number % 150),
        format!("{}", number % 2_000),
        pick(&["本期", "目标"], number),
        format!("第{number}汽车零部件制造有限公司"),
        format!("2026-{:02}-{:02}", number % 12 + 1, number % 28 + 1),
        "91500236MA5U2C3D4E".to_owned(),
        format!(
            "投资方为行业前十强，计划分两期建设标准厂房、研发中心和成品仓库；首期用地已摘牌，第{number}次调度会明确由县工信局牵头，\
             6 月底前完成环评、能评和施工许可，落实用工与物流保障。"
        ),
    ]
}

fn demand(number: usize) -> Vec<String> {
    vec![
        format!("XQ{number:06}"),
        pick(&["招商", "融资", "技术", "人才"], number),
        format!("第{number}号产业链上下游配套企业"),
        pick(&DIVISIONS, number),
        pick(&INDUSTRIES, number),
        (number % 20 + 1).to_string(),
        "家".to_owned(),
        format!("{}00", number % 50 + 1),
        "长三角;珠三角;京津冀".to_owned(),
        format!("2027-{:02}-{:02}", number % 12 + 1, number % 28 + 1),
        "发布".to_owned(),
        format!("面向长三角、珠三角招引第{number}批配套企业，提供标准厂房与用工保障，条件面议。"),
    ]
}

fn resource(number: usize) -> Vec<String> {
    vec![
        format!("ZY{number:06}"),
        pick(&["土地", "厂房", "物流", "人才"], number),
        format!("经开区第{number}号标准厂房"),
        pick(&DIVISIONS, number),
        pick(&INDUSTRIES, number),
        (number % 40 + 1).to_string(),
        "栋".to_owned(),
        (number % 300 + 5).to_string(),
        format!("{}.5", number % 12),
        pick(&["可用", "洽谈中"], number),
        "是".to_owned(),
        format!("层高 8 米，承重 2 吨/平方米，双回路供电，第{number}栋可整栋租售，配套宿舍与食堂。"),
    ]
}
