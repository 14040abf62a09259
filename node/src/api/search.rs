//! Finding records by words, and how the index is.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::extract::{Pairs, blocking};
use super::problem::ApiProblem;
use super::types::{Problem, SearchAnswer, SearchQuery, SearchStatus};
use super::{Shared, SharedState};
use crate::derive::IndexState;
use crate::finding::answer::{Finder, Page, lag_view};
use crate::finding::question::{Question, read_facets};
use crate::finding::{FindingError, PAGE_FOUND, PAGE_FOUND_MAX};
use crate::kinds::kinds;
use crate::search::{Condition, Cursor, CursorError, SCHEMA_VERSION, SearchError};

/// The parameters of a question.
pub(super) const QUESTION: [&str; 21] = [
    "words",
    "kind",
    "region",
    "industry",
    "state",
    "class",
    "member",
    "tag",
    "where",
    "min_area",
    "max_area",
    "min_floor_area",
    "max_floor_area",
    "min_amount",
    "max_amount",
    "before",
    "after",
    "fresh_days",
    "unknown",
    "closed",
    "sort",
];
/// And of a page.
const PAGE: [&str; 3] = ["limit", "cursor", "facet"];

impl SharedState {
    /// What answers questions.
    pub(super) fn finder(&self) -> Finder<'_> {
        Finder { core: self.core(), kinds: kinds(), derived: &self.context.derived }
    }
}

/// Finds records.
#[utoipa::path(get, path = "/v1/search", tag = "search",
    description = "按词语查找本节点能读的全部记录：中文（两字词、全称、曾用地名）、拼音、拼音首字母、编号；可按类别、地区、行业、状态、\
        面积、金额、期限筛选，带单位即可。每条结果都重新读过：已清除、已撤回的不会出现。索引可能滞后，lag 说明滞后多少。\
        Finds all that this node can read, by words, pinyin or initials, with filters and figures as people write them. Every \
        record is read again before it is shown; the index may lag, and `lag` says by how much.",
    params(
        ("words" = Option<String>, Query, description = "词语；引号内须原样出现。Words; what stands between quotes is found as it is."),
        ("kind" = Option<Vec<String>>, Query, description = "类别，可重复。A kind, repeatable."),
        ("region" = Option<Vec<String>>, Query, description = "地区代码或名称，含曾用名，可重复。Code or name of a division, repeatable."),
        ("industry" = Option<Vec<String>>, Query, description = "行业代码或名称，可重复。Code or name of an industry, repeatable."),
        ("state" = Option<Vec<String>>, Query, description = "状态，任一写法，可重复。A state, by any word for it, repeatable."),
        ("class" = Option<Vec<String>>, Query, description = "成员类别，可重复。Class of the owner, repeatable."),
        ("member" = Option<Vec<u32>>, Query, description = "成员编号，可重复。Number of the owner, repeatable."),
        ("tag" = Option<Vec<String>>, Query, description = "分面=值，可重复，如 category=招商。A facet and its value, repeatable."),
        ("where" = Option<Vec<String>>, Query, description = "对一个类别字段的条件，可重复，如 规模>=5亿元。A condition on a field of the one kind, repeatable."),
        ("min_area" = Option<String>, Query, description = "面积下限，如 400亩、26.7公顷。Least area."),
        ("max_area" = Option<String>, Query, description = "面积上限。Greatest area."),
        ("min_floor_area" = Option<String>, Query, description = "建筑面积下限，如 3万平方米。Least floor area."),
        ("max_floor_area" = Option<String>, Query, description = "建筑面积上限。Greatest floor area."),
        ("min_amount" = Option<String>, Query, description = "金额下限，如 5000万元。Least amount."),
        ("max_amount" = Option<String>, Query, description = "金额上限。Greatest amount."),
        ("before" = Option<String>, Query, description = "期限在此日或之前。Deadline on this day or before."),
        ("after" = Option<String>, Query, description = "期限在此日或之后。Deadline on this day or after."),
        ("fresh_days" = Option<u32>, Query, description = "多少天内更新过。Changed within so many days."),
        ("unknown" = Option<bool>, Query, description = "没有写明上述数字的也要。Also those that do not state the figure."),
        ("closed" = Option<bool>, Query, description = "已结束、不计数的也要。Also what is over or does not count."),
        ("sort" = Option<String>, Query, description = "relevance（默认）、changed、created、amount、area、floor-area、deadline，可加 -asc、-desc。The order."),
        ("limit" = Option<usize>, Query, description = "每页条数，默认 20，最多 100。Records of a page."),
        ("cursor" = Option<String>, Query, description = "上一页的 next。`next` of the page before."),
        ("facet" = Option<Vec<String>>, Query,
            description = "要计数的分面，可重复：kind、province、prefecture、county、section、industry、state、class、member、fresh、fields 或字段名。What to count, repeatable."),
    ),
    responses((status = 200, description = "找到的记录。What was found.", body = SearchAnswer),
        (status = 400, description = "参数有误。A wrong parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "没有这个类别、地区、行业等。No such kind, division or industry.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "索引还没有准备好。The index is not ready.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn search(State(shared): State<Shared>, pairs: Pairs) -> Result<Json<SearchAnswer>, ApiProblem> {
    let known: Vec<&str> = QUESTION.iter().chain(&PAGE).copied().collect();
    let pairs = pairs.known(&known)?;
    let limit: usize = pairs.number("limit")?.unwrap_or(PAGE_FOUND);
    if !(1..=PAGE_FOUND_MAX).contains(&limit) {
        let zh = format!("limit 要在 1 到 {PAGE_FOUND_MAX} 之间。");
        return Err(ApiProblem::malformed(zh, format!("`limit` must be within 1 and {PAGE_FOUND_MAX}")));
    }
    let cursor: Option<Cursor> = pairs
        .one("cursor")?
        .map(|text| text.parse().map_err(SearchError::Cursor))
        .transpose()
        .map_err(FindingError::from)?;
    let facets = read_facets(kinds(), &pairs.all("facet"))?;
    let question = Question::parse(kinds(), &read_question(&pairs)?)?;
    let page = Page { limit, cursor, facets };
    let answer = blocking(move || {
        let answer = shared.finder().answer(&question, &page);
        if let Err(FindingError::Search(SearchError::Damaged | SearchError::Index(_))) = &answer {
            shared.context.derived.recover();
        }
        answer
    });
    Ok(Json(answer.await??))
}

/// The question in a query.
pub(super) fn read_question(pairs: &Pairs) -> Result<SearchQuery, ApiProblem> {
    let text = |name: &str| Ok::<_, ApiProblem>(pairs.one(name)?.map(str::to_owned));
    let yes = |name: &str| match pairs.one(name)? {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => {
            let (zh, en) = (format!("{name} 要写 true 或 false。"), format!("`{name}` must be true or false"));
            Err(ApiProblem::malformed(zh, en))
        }
    };
    let member = |text: &String| {
        let (zh, en) = ("查询参数“member”要写数字。", "the query parameter `member` must be a number");
        text.trim().parse().map_err(|_| ApiProblem::malformed(zh, en))
    };
    Ok(SearchQuery {
        words: text("words")?.unwrap_or_default(),
        kind: pairs.all("kind"),
        region: pairs.all("region"),
        industry: pairs.all("industry"),
        state: pairs.all("state"),
        class: pairs.all("class"),
        member: pairs.all("member").iter().map(member).collect::<Result<_, _>>()?,
        tag: pairs.all("tag"),
        conditions: pairs.all("where"),
        min_area: text("min_area")?,
        max_area: text("max_area")?,
        min_floor_area: text("min_floor_area")?,
        max_floor_area: text("max_floor_area")?,
        min_amount: text("min_amount")?,
        max_amount: text("max_amount")?,
        before: text("before")?,
        after: text("after")?,
        fresh_days: pairs.number("fresh_days")?,
        unknown: yes("unknown")?,
        closed: yes("closed")?,
        sort: text("sort")?,
    })
}

/// Tells how the index is.
#[utoipa::path(get, path = "/v1/search/status", tag = "search",
    description = "检索索引的状态：滞后多少、是否正在重建。How the search index is: how far behind, whether it is being built.",
    responses((status = 200, description = "状态。Its state.", body = SearchStatus)))]
pub(super) async fn search_status(State(shared): State<Shared>) -> Result<Json<SearchStatus>, ApiProblem> {
    Ok(Json(blocking(move || index_status(&shared)).await?))
}

fn index_status(shared: &SharedState) -> SearchStatus {
    let (core, derived) = (shared.core(), &shared.context.derived);
    let lag = derived.lag(core);
    let documents = derived.index().map_or(0, |index| index.documents());
    let (zh, en) = match lag.state {
        IndexState::Opening => ("索引正在打开。", "the index is being opened"),
        IndexState::Building => {
            ("索引正在建立，已收入的记录可以查到。", "the index is being built; what is in it is found")
        }
        IndexState::Renewing => ("索引正在重新核对，查找照常。", "everything is taken in again; search goes on"),
        IndexState::Following if lag.records == 0 => ("索引与记录一致。", "the index is up to date"),
        IndexState::Following => ("索引正在跟上。", "the index is catching up"),
        IndexState::Failed => (
            "索引出错，稍后自动重试；也可执行 xianmeng index rebuild。",
            "the index failed and is tried again by itself; `xianmeng index rebuild` builds it anew",
        ),
    };
    SearchStatus {
        documents,
        records: core.read(|state| state.view().len()),
        looked_at: lag.looked_at,
        found: lag.found.map(|found| condition_name(found).to_owned()),
        error: lag.error.clone(),
        committed_ms: lag.committed_ms,
        schema_version: SCHEMA_VERSION,
        kind_set: kinds().hash().to_string(),
        bytes: directory_bytes(&shared.context.directory.search_path()),
        lag: lag_view(&lag),
        zh: zh.to_owned(),
        en: en.to_owned(),
    }
}

fn condition_name(condition: Condition) -> &'static str {
    match condition {
        Condition::Intact => "intact",
        Condition::Fresh => "fresh",
        Condition::OtherVersion => "other-version",
        Condition::Damaged => "damaged",
    }
}

/// Bytes of the files of a directory; files come and go while it is read.
fn directory_bytes(path: &std::path::Path) -> u64 {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).filter(|found| found.is_file()).map(|found| found.len()).sum()
}

/// Builds the index anew.
#[utoipa::path(post, path = "/v1/search/rebuild", tag = "search",
    description = "从记录重新建立检索索引；期间旧索引照常可查。Builds the search index anew from the records; the old one serves until then.",
    responses((status = 202, description = "已开始。It has begun."),
        (status = 503, description = "节点正在停止。The node is stopping.", body = Problem, content_type = "application/problem+json")))]
pub(super) async fn rebuild(State(shared): State<Shared>) -> Result<StatusCode, ApiProblem> {
    match shared.context.derived.rebuild() {
        true => Ok(StatusCode::ACCEPTED),
        false => Err(FindingError::NotReady.into()),
    }
}

impl From<FindingError> for ApiProblem {
    fn from(error: FindingError) -> Self {
        let rule = StatusCode::UNPROCESSABLE_ENTITY;
        match error {
            FindingError::Record(error) => error.into(),
            FindingError::Parameter { name, zh, en, fix_zh, fix_en } => {
                let detail = super::types::ProblemDetail {
                    at: name.to_owned(),
                    code: "parameter".to_owned(),
                    zh: zh.clone(),
                    en: en.clone(),
                };
                Self::new(rule, "search-parameter", zh, en).fix(&fix_zh, &fix_en).details(vec![detail])
            }
            FindingError::NotReady => {
                let (zh, en) = ("检索索引还没有准备好。", "the search index is not ready yet");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "search-not-ready", zh, en).fix(
                    "请稍候再试；xianmeng index status 可看进度。",
                    "try again in a moment; see `xianmeng index status`",
                )
            }
            FindingError::Search(error) => of_search(&error),
            FindingError::WatchesFull => {
                let max = crate::finding::WATCHES_MAX;
                let (zh, en) = (format!("关注最多 {max} 个。"), format!("there are at most {max} watches"));
                Self::new(StatusCode::CONFLICT, "watches-full", zh, en).fix(
                    "请先删去不用的（xianmeng watch --remove 名称）。",
                    "remove one first: xianmeng watch --remove NAME",
                )
            }
            FindingError::WatchExists(name) => {
                let (zh, en) = (format!("已经有名为“{name}”的关注。"), format!("there is a watch `{name}` already"));
                Self::new(StatusCode::CONFLICT, "watch-exists", zh, en)
                    .fix("请换一个名称，或先删去它。", "choose another name, or remove that one first")
            }
            FindingError::WatchUnknown(name) => {
                let (zh, en) = (format!("没有名为“{name}”的关注。"), format!("there is no watch `{name}`"));
                Self::new(StatusCode::NOT_FOUND, "watch-unknown", zh, en)
                    .fix("xianmeng watch --list 列出已有的。", "`xianmeng watch --list` lists those that there are")
            }
            FindingError::Directory(error) => {
                let (zh, en) = (format!("关注没有写入磁盘：{error}。"), format!("the watch was not written: {error}"));
                Self::new(StatusCode::INSUFFICIENT_STORAGE, "store", zh, en)
                    .fix("请检查磁盘空间和权限。", "check disk space and permissions")
            }
        }
    }
}

fn of_search(error: &SearchError) -> ApiProblem {
    let rule = StatusCode::UNPROCESSABLE_ENTITY;
    let unknown = |name: &'static str, zh: String, en: String, fix_zh: &'static str, fix_en: &'static str| {
        ApiProblem::from(FindingError::Parameter { name, zh, en, fix_zh: fix_zh.to_owned(), fix_en: fix_en.to_owned() })
    };
    match error {
        SearchError::UnknownDivision(text) => unknown(
            "region",
            format!("没有地区“{text}”。"),
            format!("there is no division `{text}`"),
            "请写 GB/T 2260 代码或全称，如 500236 或 奉节县。",
            "write a GB/T 2260 code or a full name, for instance 500236 or 奉节县",
        ),
        SearchError::UnknownIndustry(text) => unknown(
            "industry",
            format!("没有行业“{text}”。"),
            format!("there is no industry `{text}`"),
            "请写 GB/T 4754 代码或名称，如 3841。",
            "write a GB/T 4754 code or name, for instance 3841",
        ),
        SearchError::TooManyValues { max } => {
            let (zh, en) = (format!("一个条件最多 {max} 个值。"), format!("a filter has at most {max} values"));
            ApiProblem::new(rule, "search-parameter", zh, en).fix("请减少取值。", "name fewer values")
        }
        SearchError::Cursor(CursorError::Malformed) => cursor("cursor 不是上一页给出的 next。", "`cursor` is none"),
        SearchError::Cursor(CursorError::OtherQuery) => {
            cursor("cursor 属于另一次查询：词语、条件和排序都要与上一页相同。", "`cursor` belongs to another query")
        }
        error => {
            tracing::error!(%error, "the search index cannot be asked");
            let (zh, en) = ("检索索引出错，正在自动修复。", "the search index failed and is being repaired");
            ApiProblem::new(StatusCode::SERVICE_UNAVAILABLE, "search-failed", zh, en).fix(
                "请稍候再试；仍不行请执行 xianmeng index rebuild。",
                "try again in a moment; otherwise run `xianmeng index rebuild`",
            )
        }
    }
}

fn cursor(zh: &str, en: &str) -> ApiProblem {
    ApiProblem::new(StatusCode::BAD_REQUEST, "cursor", zh, en)
        .fix("请不带 cursor 从头查起。", "search again from the beginning, without a cursor")
}
