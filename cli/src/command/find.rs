//! `find`: records by words, and `find land`, `find fund` in the words of those who look for land or money.

use std::io::{self, IsTerminal};

use clap::Args;
use node::api::types::{FoundRecord, LagView, Passage, SearchAnswer, SearchQuery};

use super::{fund, land};
use crate::client::Client;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::output::{plain, shorten};
use crate::time;

/// Records in one answer while all are fetched.
const PAGE: usize = 100;
/// Records that `--all` shows at most; whoever wants more narrows the question down or writes a sheet.
const ALL_MAX: usize = 10_000;
/// Columns of a passage.
const PASSAGE_WIDTH_MAX: usize = 100;
/// Bold, and back.
const BOLD: (&str, &str) = ("\u{1b}[1m", "\u{1b}[0m");
/// How far the index may be behind without a word: less than a person notices.
const LAG_SILENT_MS: u64 = 2_000;

/// Arguments of `find`.
#[derive(Debug, Default, Args)]
pub struct FindArguments {
    /// 词语：中文、拼音或首字母、编号；可多个。只写 land 或 fund 时为找地、找基金。
    /// Words: Chinese, pinyin or its initials, numbers; `land` or `fund` alone looks for land or funds
    #[arg(value_name = "WORDS")]
    pub words: Vec<String>,
    /// 其余条件。
    /// The other conditions
    #[command(flatten)]
    pub conditions: ConditionArguments,
    /// 排序：relevance 相关（缺省）、changed 更新、created 发布、amount 金额、area 面积、floor-area 建筑面积、deadline 期限；可加 -asc、-desc。
    /// Order: relevance (default), changed, created, amount, area, floor-area or deadline, with -asc or -desc behind it
    #[arg(long, value_name = "ORDER")]
    pub sort: Option<String>,
    /// 最多列出多少条。
    /// At most so many
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// 列出全部（至多一万条）。
    /// All of them (10,000 at most)
    #[arg(long, conflicts_with = "limit")]
    pub all: bool,
    /// 从上次给出的位置接着列。
    /// Go on where the answer before ended
    #[arg(long, value_name = "CURSOR")]
    pub cursor: Option<String>,
    /// 同时计数，例如 --facets=kind,state：kind、province、prefecture、county、section、industry、state、class、member、fresh、fields 或字段名。
    /// What to count as well, for instance --facets=kind,state: kind, province, prefecture, county, section, industry,
    /// state, class, member, fresh, fields, or a field
    #[arg(long, value_name = "FACETS", num_args = 0..=1, require_equals = true, value_delimiter = ',',
        default_missing_value = "kind")]
    pub facets: Vec<String>,
    /// 找地：要求的投资强度不超过（万元/亩）。
    /// With `land`: a demand of at most so much investment per mu, in 万元
    #[arg(long, value_name = "AMOUNT")]
    pub max_intensity: Option<String>,
    /// 找地：只要“拿地即开工”的。
    /// With `land`: only land that is ready to start
    #[arg(long)]
    pub ready: bool,
    /// 找基金：投资方向含这些字。
    /// With `fund`: directions hold these characters
    #[arg(long, value_name = "TEXT")]
    pub direction: Option<String>,
    /// 找基金：单笔投资金额，例如 5000万元。
    /// With `fund`: an amount within the fund's smallest and largest ticket
    #[arg(long, value_name = "AMOUNT")]
    pub ticket: Option<String>,
    /// 找基金：规模至少这么大，例如 5亿元。
    /// With `fund`: size of at least so much
    #[arg(long, value_name = "AMOUNT")]
    pub size: Option<String>,
    /// 找基金：阶段偏好含这些字。
    /// With `fund`: stage preference holds these characters
    #[arg(long, value_name = "TEXT")]
    pub stage: Option<String>,
}

/// Conditions of a question beside its words, for `find` and `watch`.
#[derive(Debug, Default, Args)]
pub struct ConditionArguments {
    /// 类别，例如 fund 或 基金（可多次）。
    /// A kind, for instance fund (repeatable)
    #[arg(long)]
    pub kind: Vec<String>,
    /// 地区：代码或名称，含曾用名（可多次）。
    /// A division: code or name, of today or former (repeatable)
    #[arg(long, value_name = "DIVISION")]
    pub region: Vec<String>,
    /// 行业：代码或名称，例如 3841（可多次）。
    /// An industry: code or name, for instance 3841 (repeatable)
    #[arg(long, value_name = "CODE")]
    pub industry: Vec<String>,
    /// 状态，任一写法，例如 签约（可多次）。
    /// A state, by any word for it (repeatable)
    #[arg(long, value_name = "WORD")]
    pub state: Vec<String>,
    /// 成员类别：county、fund、agency、secretariat、observer（可多次）。
    /// Class of the owner (repeatable)
    #[arg(long)]
    pub class: Vec<String>,
    /// 成员编号（可多次）。
    /// Number of the owner (repeatable)
    #[arg(long, value_name = "NUMBER")]
    pub member: Vec<u32>,
    /// 分面=值，例如 category=招商（可多次）。
    /// A facet and its value (repeatable)
    #[arg(long, value_name = "FACET=VALUE")]
    pub tag: Vec<String>,
    /// 对一个类别字段的条件，例如 规模>=5亿元（可多次，配合 --kind）。
    /// A condition on a field of one kind (repeatable, with --kind)
    #[arg(long = "where", value_name = "CONDITION", requires = "kind")]
    pub wheres: Vec<String>,
    /// 面积至少多少亩；也可带单位，例如 26.7公顷。
    /// An area of at least so many mu; other units can stand behind the number
    #[arg(long, value_name = "MU")]
    pub min_mu: Option<String>,
    /// 面积至多多少亩。
    /// An area of at most so many mu
    #[arg(long, value_name = "MU")]
    pub max_mu: Option<String>,
    /// 金额至少，例如 5000万元；不带单位为万元。
    /// An amount of at least so much, for instance 5000万元
    #[arg(long, value_name = "AMOUNT")]
    pub min_amount: Option<String>,
    /// 金额至多。
    /// An amount of at most so much
    #[arg(long, value_name = "AMOUNT")]
    pub max_amount: Option<String>,
    /// 期限在此日或之前，例如 2026-12-31、2026-12。
    /// A deadline on this day or before
    #[arg(long, value_name = "DATE")]
    pub before: Option<String>,
    /// 期限在此日或之后。
    /// A deadline on this day or after
    #[arg(long, value_name = "DATE")]
    pub after: Option<String>,
    /// 多少天内更新过。
    /// Changed within so many days
    #[arg(long, value_name = "DAYS")]
    pub fresh_days: Option<u32>,
    /// 没有写明面积、金额、期限的也要。
    /// Also those that do not state the area, amount or deadline
    #[arg(long)]
    pub unknown: bool,
    /// 已结束、不计数的也要。
    /// Also what is over or does not count
    #[arg(long)]
    pub closed: bool,
}

impl ConditionArguments {
    /// The question with these words.
    pub fn query(&self, words: &[String]) -> SearchQuery {
        SearchQuery {
            words: words.join(" "),
            kind: self.kind.clone(),
            region: self.region.clone(),
            industry: self.industry.clone(),
            state: self.state.clone(),
            class: self.class.clone(),
            member: self.member.clone(),
            tag: self.tag.clone(),
            conditions: self.wheres.clone(),
            min_area: self.min_mu.clone(),
            max_area: self.max_mu.clone(),
            min_amount: self.min_amount.clone(),
            max_amount: self.max_amount.clone(),
            before: self.before.clone(),
            after: self.after.clone(),
            fresh_days: self.fresh_days,
            unknown: self.unknown,
            closed: self.closed,
            ..SearchQuery::default()
        }
    }
}

/// Finds records.
pub fn perform(context: &Context, arguments: &FindArguments) -> Result<(), Failure> {
    match arguments.words.as_slice() {
        [word] if word == "land" => return land::find(context, &arguments.land()?),
        [word] if word == "fund" => return fund::find(context, &arguments.fund()?),
        _ => arguments.refuse_special(&Special::ALL)?,
    }
    let query = SearchQuery { sort: arguments.sort.clone(), ..arguments.conditions.query(&arguments.words) };
    let answer = fetch(&context.client()?, arguments, &query)?;
    context.out.json(&answer);
    show(context, &query, &answer);
    Ok(())
}

/// The pages of an answer as one.
fn fetch(client: &Client, arguments: &FindArguments, query: &SearchQuery) -> Result<SearchAnswer, Failure> {
    let wanted = if arguments.all { ALL_MAX } else { arguments.limit as usize };
    let mut cursor = arguments.cursor.clone();
    let mut answer: Option<SearchAnswer> = None;
    loop {
        let have = answer.as_ref().map_or(0, |answer| answer.records.len());
        let mut pairs = pairs(query);
        pairs.push(("limit", PAGE.min(wanted - have).to_string()));
        pairs.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        if answer.is_none() {
            pairs.extend(arguments.facets.iter().map(|facet| ("facet", facet.clone())));
        }
        let page: SearchAnswer = client.get("/v1/search", &pairs)?;
        cursor = page.next.clone();
        let whole = match answer.take() {
            None => page,
            Some(mut whole) => {
                whole.records.extend(page.records);
                (whole.next, whole.left_out) = (page.next, whole.left_out + page.left_out);
                whole
            }
        };
        if cursor.is_none() || whole.records.len() >= wanted {
            return Ok(whole);
        }
        answer = Some(whole);
    }
}

/// A question as the parameters of the API.
pub fn pairs(query: &SearchQuery) -> Vec<(&'static str, String)> {
    let mut pairs = Vec::new();
    let mut list = |name: &'static str, values: &[String]| {
        pairs.extend(values.iter().map(|value| (name, value.clone())));
    };
    list("kind", &query.kind);
    list("region", &query.region);
    list("industry", &query.industry);
    list("state", &query.state);
    list("class", &query.class);
    list("tag", &query.tag);
    list("where", &query.conditions);
    list("words", std::slice::from_ref(&query.words));
    pairs.extend(query.member.iter().map(|member| ("member", member.to_string())));
    let texts = [
        ("min_area", &query.min_area),
        ("max_area", &query.max_area),
        ("min_floor_area", &query.min_floor_area),
        ("max_floor_area", &query.max_floor_area),
        ("min_amount", &query.min_amount),
        ("max_amount", &query.max_amount),
        ("before", &query.before),
        ("after", &query.after),
        ("sort", &query.sort),
    ];
    pairs.extend(texts.into_iter().filter_map(|(name, text)| Some((name, text.clone()?))));
    pairs.extend(query.fresh_days.map(|days| ("fresh_days", days.to_string())));
    pairs.extend(query.unknown.then(|| ("unknown", "true".to_owned())));
    pairs.extend(query.closed.then(|| ("closed", "true".to_owned())));
    pairs
}

fn show(context: &Context, query: &SearchQuery, answer: &SearchAnswer) {
    let out = context.out;
    if answer.relaxed && !answer.records.is_empty() {
        out.say("没有记录含全部词语；下面的只含其中一部分。", "Nothing has all the words; these have some of them.");
    }
    let marks = io::stdout().is_terminal().then_some(BOLD);
    for record in &answer.records {
        lines(record, marks).iter().for_each(|line| out.line(line));
    }
    for facet in &answer.facets {
        let values: Vec<String> = facet.values.iter().map(|value| format!("{} {}", value.label, value.count)).collect();
        let more = if facet.more { " …" } else { "" };
        out.line(format!("{} {}：{}{more}", facet.zh, facet.name, values.join("  ")));
    }
    if answer.records.is_empty() {
        say_empty(context, query, answer);
    } else {
        out.line(count_line(answer));
    }
    if !answer.did_you_mean.is_empty() {
        let words = answer.did_you_mean.join("  ");
        out.say(format!("您要找的是不是：{words}"), format!("did you mean: {words}"));
    }
    if answer.records.iter().any(|record| !record.unknown.is_empty()) {
        out.say(
            "“不明”是记录没有写这一项：可能符合，也可能不符合。",
            "不明 (unknown): the record does not say; it may fit or not.",
        );
    }
    say_lag(context, &answer.lag);
}

/// How many there are, and how to see the rest.
fn count_line(answer: &SearchAnswer) -> String {
    let shown = answer.records.len();
    let total = match answer.screened {
        // The conditions are judged record by record: how many meet them is not known before the end.
        true if answer.next.is_some() => "更多 more".to_owned(),
        true => shown.to_string(),
        false => answer.total.to_string(),
    };
    match &answer.next {
        None => format!("共 {total} 条 {total} records"),
        Some(cursor) => {
            format!("前 {shown} 条，共 {total} the first {shown} of {total}；接着看 go on: --cursor {cursor}")
        }
    }
}

fn say_empty(context: &Context, query: &SearchQuery, answer: &SearchAnswer) {
    context.out.say("没有找到。", "Nothing was found.");
    if answer.lag.state == "building" {
        return;
    }
    let filtered = *query != SearchQuery { words: query.words.clone(), ..SearchQuery::default() };
    let (zh, en) = match (filtered, query.closed) {
        (true, _) => ("可以去掉一些条件再试。", "try with fewer conditions"),
        (false, false) => (
            "可以换个词、少写几个字，或加 --closed 连同已结束的一起找；xianmeng list 按类别列出。",
            "try another or a shorter word, or --closed for what is over; `xianmeng list` goes by kind",
        ),
        (false, true) => (
            "可以换个词或少写几个字；xianmeng list 按类别列出。",
            "try another or a shorter word; `xianmeng list` goes by kind",
        ),
    };
    context.out.say(zh, en);
    context.out.say(
        "想在有新记录时得到提示：xianmeng watch 词语 --save 名称",
        "to be told when something comes: xianmeng watch WORDS --save NAME",
    );
}

/// Says how far the index is behind, where that matters.
pub fn say_lag(context: &Context, lag: &LagView) {
    let (records, seconds) = (lag.records, lag.ms / 1_000);
    match lag.state.as_str() {
        "following" if records == 0 || lag.ms < LAG_SILENT_MS => {}
        "building" | "opening" => context.out.say(
            format!("索引正在建立，还有约 {records} 条没有收入；结果可能不全。"),
            format!("the index is being built, about {records} records are not in it yet; results may be missing"),
        ),
        "failed" => context.out.say(
            "索引出错，稍后自动重试；xianmeng index status 可看原因。",
            "the index failed and is tried again; see `xianmeng index status`",
        ),
        _ => context.out.say(
            format!("索引落后 {records} 条、{seconds} 秒；最新的变更可能还查不到。"),
            format!("the index is {records} records and {seconds} s behind; the newest changes may be missing"),
        ),
    }
}

/// A record for people: a line with its name, and below it what was found.
pub fn lines(record: &FoundRecord, marks: Option<(&str, &str)>) -> Vec<String> {
    let title = record.why.iter().find(|passage| passage.field == "title");
    let title = title.map_or_else(|| plain(&record.title), |passage| marked(passage, marks));
    let mut facts = vec![record.kind_zh.clone(), record.owner.name.clone()];
    facts.extend(record.state.as_ref().map(|state| state.zh.clone()));
    facts.extend(record.place.clone().filter(|place| !place.contains(&record.owner.name)));
    facts.extend(record.deadline.as_ref().map(|deadline| format!("期限 {deadline}")));
    facts.extend(record.external.clone());
    let mut lines = vec![format!("{}  {title}", record.label), format!("    {}", plain(&facts.join(" · ")))];
    for passage in record.why.iter().filter(|passage| passage.field != "title") {
        lines.push(format!("    {}：{}", passage.field_zh, marked(passage, marks)));
    }
    let mut remarks: Vec<String> = Vec::new();
    remarks.extend((!record.counts).then(|| "不计数 does not count".to_owned()));
    remarks.extend(record.confidential.as_ref().map(|_| "密文 confidential".to_owned()));
    remarks.extend((!record.unknown.is_empty()).then(|| format!("不明：{}", record.unknown.join("、"))));
    remarks.push(format!("更新 {}", time::show(record.changed_ms)));
    lines.push(format!("    {}", remarks.join(" · ")));
    lines
}

/// A passage on one line, its words marked on a terminal.
fn marked(passage: &Passage, marks: Option<(&str, &str)>) -> String {
    let whole: String = passage.segments.iter().map(|segment| segment.text.as_str()).collect();
    let Some((on, off)) = marks else { return shorten(&whole, PASSAGE_WIDTH_MAX) };
    let pieces = passage.segments.iter().map(|segment| match segment.hit {
        true => format!("{on}{}{off}", plain(&segment.text)),
        false => plain(&segment.text),
    });
    pieces.collect()
}

/// Which of the special questions an argument belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Special {
    Land,
    Fund,
}

impl Special {
    const ALL: [Self; 2] = [Self::Land, Self::Fund];
}

impl FindArguments {
    fn land(&self) -> Result<land::FindArguments, Failure> {
        self.refuse_special(&[Special::Fund])?;
        let ConditionArguments { industry, region, min_mu, max_mu, .. } = &self.conditions;
        self.refuse_others("land", &["industry", "region", "min_mu", "max_mu"])?;
        Ok(land::FindArguments {
            industry: one("industry", industry)?,
            min_mu: min_mu.clone(),
            max_mu: max_mu.clone(),
            max_intensity: self.max_intensity.clone(),
            division: one("region", region)?,
            ready: self.ready,
        })
    }

    fn fund(&self) -> Result<fund::FindArguments, Failure> {
        self.refuse_special(&[Special::Land])?;
        self.refuse_others("fund", &["region"])?;
        Ok(fund::FindArguments {
            direction: self.direction.clone(),
            ticket: self.ticket.clone(),
            size: self.size.clone(),
            stage: self.stage.clone(),
            region: one("region", &self.conditions.region)?,
            limit: self.limit,
        })
    }

    /// Refuses arguments that belong to another sort of question: silently passed over, they would show too much.
    fn refuse_special(&self, sorts: &[Special]) -> Result<(), Failure> {
        let given = [
            ("--max-intensity", Special::Land, self.max_intensity.is_some()),
            ("--ready", Special::Land, self.ready),
            ("--direction", Special::Fund, self.direction.is_some()),
            ("--ticket", Special::Fund, self.ticket.is_some()),
            ("--size", Special::Fund, self.size.is_some()),
            ("--stage", Special::Fund, self.stage.is_some()),
        ];
        match given.into_iter().find(|(_, sort, given)| *given && sorts.contains(sort)) {
            None => Ok(()),
            Some((name, sort, _)) => {
                let word = if sort == Special::Land { "land" } else { "fund" };
                Err(Failure::new(
                    ExitCode::Usage,
                    "usage",
                    format!("{name} 只用于 xianmeng find {word}。"),
                    format!("{name} belongs to `xianmeng find {word}`"),
                )
                .fix("加 --help 可看用法。", "add --help to see how it is used"))
            }
        }
    }

    /// The same for conditions that land or funds are not asked for.
    fn refuse_others(&self, word: &str, known: &[&str]) -> Result<(), Failure> {
        let query = self.conditions.query(&[]);
        let given = pairs(&query).into_iter().filter(|(_, value)| !value.is_empty()).map(|(name, _)| match name {
            "min_area" => "min_mu",
            "max_area" => "max_mu",
            name => name,
        });
        match given.into_iter().find(|name| !known.contains(name)) {
            None => Ok(()),
            Some(name) => {
                let name = name.replace('_', "-");
                Err(Failure::new(
                    ExitCode::Usage,
                    "usage",
                    format!("xianmeng find {word} 不用 --{name}。"),
                    format!("`xianmeng find {word}` takes no --{name}"),
                )
                .fix(
                    "要按词语加条件查找，请另写词语，例如 xianmeng find 工业用地 --kind land_parcel。",
                    "to search by words with conditions, write other words: xianmeng find 工业用地 --kind land_parcel",
                ))
            }
        }
    }
}

/// The only value of an argument that can be repeated elsewhere.
fn one(name: &str, values: &[String]) -> Result<Option<String>, Failure> {
    match values {
        [] => Ok(None),
        [value] => Ok(Some(value.clone())),
        _ => Err(Failure::new(
            ExitCode::Usage,
            "usage",
            format!("这里 --{name} 只能写一次。"),
            format!("--{name} can be given once here"),
        )
        .fix("请只写一个值。", "name one value")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::api::types::{MemberName, Segment};

    fn record() -> FoundRecord {
        let segment = |text: &str, hit| Segment { text: text.into(), hit };
        let passage = |field: &str, field_zh: &str, segments| Passage {
            field: field.into(),
            field_zh: field_zh.into(),
            segments,
        };
        FoundRecord {
            id: "00".into(),
            label: "2-1".into(),
            kind: "policy".into(),
            kind_zh: "政策".into(),
            owner: MemberName { number: 2, name: "奉节县".into() },
            external: Some("ZC1".into()),
            title: "设备贷款贴息办法".into(),
            place: Some("重庆市奉节县".into()),
            state: None,
            deadline: Some("2026-06-30".into()),
            fields: Vec::new(),
            created_ms: 0,
            changed_ms: 0,
            counts: true,
            confidential: None,
            unknown: vec!["valid_until".into()],
            why: vec![
                passage(
                    "title",
                    "名称",
                    vec![segment("设备贷款", false), segment("贴息", true), segment("办法", false)],
                ),
                passage("reading", "政策解读", vec![segment("给予", false), segment("贴息", true)]),
            ],
            score_milli: 1,
        }
    }

    #[test]
    fn words_are_marked_on_a_terminal_and_only_there() {
        let shown = lines(&record(), Some(("<", ">")));
        assert_eq!(shown[0], "2-1  设备贷款<贴息>办法");
        assert!(shown[1].contains("政策 · 奉节县 · 期限 2026-06-30 · ZC1"), "{}", shown[1]);
        assert_eq!(shown[2], "    政策解读：给予<贴息>");
        assert!(shown[3].contains("不明：valid_until"));
        assert!(lines(&record(), None).iter().all(|line| !line.contains('<')));
    }

    #[test]
    fn land_and_funds_take_their_own_arguments_and_no_others() {
        let arguments = FindArguments {
            words: vec!["land".into()],
            conditions: ConditionArguments {
                industry: vec!["3841".into()],
                min_mu: Some("400".into()),
                ..ConditionArguments::default()
            },
            ..FindArguments::default()
        };
        let land = arguments.land().expect("these are for land");
        assert_eq!((land.industry.as_deref(), land.min_mu.as_deref()), (Some("3841"), Some("400")));
        assert_eq!(arguments.fund().expect_err("an area is nothing of a fund").code, "usage");
        let kind = ConditionArguments { kind: vec!["fund".into()], ..ConditionArguments::default() };
        let with_kind = FindArguments { conditions: kind, ..FindArguments::default() };
        assert!(with_kind.land().expect_err("no kind").en.contains("--kind"));
        let ticket = FindArguments { ticket: Some("5000万元".into()), ..FindArguments::default() };
        assert!(ticket.refuse_special(&Special::ALL).is_err() && ticket.land().is_err());
        assert_eq!(ticket.fund().expect("it is for funds").ticket.as_deref(), Some("5000万元"));
        assert!(one("industry", &["38".into(), "39".into()]).is_err());
    }

    #[test]
    fn a_question_keeps_everything_on_its_way_to_the_node() {
        let conditions = ConditionArguments {
            kind: vec!["需求".into(), "project".into()],
            member: vec![2],
            wheres: vec!["规模>=5亿元".into()],
            min_mu: Some("400".into()),
            fresh_days: Some(7),
            closed: true,
            ..ConditionArguments::default()
        };
        let query = conditions.query(&["冷链".into(), "物流".into()]);
        assert_eq!(query.words, "冷链 物流");
        let pairs = pairs(&query);
        for pair in [
            ("kind", "需求"),
            ("kind", "project"),
            ("member", "2"),
            ("where", "规模>=5亿元"),
            ("min_area", "400"),
            ("fresh_days", "7"),
            ("closed", "true"),
            ("words", "冷链 物流"),
        ] {
            assert!(pairs.contains(&(pair.0, pair.1.to_owned())), "{pair:?}");
        }
        assert_eq!(pairs.len(), 8);
    }

    #[test]
    fn the_count_says_what_is_known() {
        let answer = |total, next: Option<&str>, screened| SearchAnswer {
            records: vec![record()],
            total,
            next: next.map(str::to_owned),
            screened,
            ..SearchAnswer::default()
        };
        assert_eq!(count_line(&answer(1, None, false)), "共 1 条 1 records");
        assert!(count_line(&answer(30, Some("ab"), false)).contains("共 30"));
        assert!(
            count_line(&answer(30, Some("ab"), true)).contains("更多"),
            "how many meet the conditions is not known"
        );
    }
}
