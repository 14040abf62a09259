//! `find`: records by words, and `find land`, `find fund` in the words of those who look for land or money.

mod question;
mod show;
mod special;

use clap::Args;
use node::api::types::{SearchAnswer, SearchQuery};

use super::{fund, land};
use crate::client::Client;
use crate::context::Context;
use crate::failure::Failure;

pub use question::{ConditionArguments, pairs};
pub use show::{BOLD, lines};

/// Records in one answer while all are fetched.
const PAGE: usize = 100;
/// Records that `--all` shows at most; whoever wants more narrows the question down or writes a sheet.
const ALL_MAX: usize = 10_000;

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
    /// 找地的条件。
    /// What land is asked for
    #[command(flatten)]
    pub land: land::Screen,
    /// 找基金的条件。
    /// What funds are asked for
    #[command(flatten)]
    pub fund: fund::Screen,
}

/// Finds records.
pub fn perform(context: &Context, arguments: &FindArguments) -> Result<(), Failure> {
    match arguments.words.as_slice() {
        [word] if word == "land" => return land::find(context, &arguments.land()?),
        [word] if word == "fund" => return fund::find(context, &arguments.fund()?),
        _ => arguments.refuse_special(None)?,
    }
    let query = SearchQuery { sort: arguments.sort.clone(), ..arguments.conditions.query(&arguments.words) };
    let answer = fetch(&context.client()?, arguments, &query)?;
    context.out.json(&answer);
    show::show(context, &query, &answer);
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
