//! `gaps pools`: like needs of several counties, added up, and the draft of a joint one (F073 of the requirements).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use node::api::types::{CreateRecord, PoolView, PoolsView};
use node::workbook::{Export, Format};
use protocol::kind::Kind;
use serde_json::json;

use super::{query, say_beside, say_frame};
use crate::command::export::refuse_existing;
use crate::command::export_sheet::workbook_failure;
use crate::command::statements;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// The kind of a draft.
const POOLED: &str = "pooled_need";
const DIVISION: &str = "division_code";

/// Arguments of `gaps pools`.
#[derive(Debug, Args)]
pub struct PoolsArguments {
    /// 只看这个省、市或县的需求，代码或名称。
    /// Only needs of this province, prefecture or county, by code or name
    #[arg(long, value_name = "PLACE")]
    region: Option<String>,
    /// 主题、类别或行业含这些字，例如 冷库。
    /// Topic, category or industry hold this, for instance 冷库
    #[arg(long, value_name = "TEXT")]
    words: Option<String>,
    /// 至少几个县。
    /// At least so many counties
    #[arg(long, default_value_t = 2, value_name = "COUNT")]
    min_counties: usize,
    /// 最多列出多少组。
    /// At most so many pools
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
    /// 把联合需求草稿写到这个文件（.csv、.xlsx 供 import，.json 供 publish）；不会发布。
    /// Write drafts of joint needs to this file (.csv or .xlsx for `import`, .json for `publish`); nothing is published
    #[arg(long, value_name = "FILE")]
    draft: Option<PathBuf>,
    /// 草稿的行政区划代码；跨省时必须写明，例如牵头县的代码。
    /// The division of the drafts; needed where counties of several provinces are in one
    #[arg(long, value_name = "CODE", requires = "draft")]
    division: Option<String>,
    /// 覆盖已有文件。
    /// Overwrite the file
    #[arg(long, requires = "draft")]
    force: bool,
}

/// Asks, shows, and writes the drafts.
pub fn perform(context: &Context, arguments: &PoolsArguments) -> Result<(), Failure> {
    let pairs = query(&[
        ("region", arguments.region.clone()),
        ("words", arguments.words.clone()),
        ("min_counties", Some(arguments.min_counties.to_string())),
        ("limit", Some(arguments.limit.to_string())),
    ]);
    let view: PoolsView = context.client()?.get("/v1/gaps/pools", &pairs)?;
    let written = arguments.draft.as_deref().map(|path| write(path, &view, arguments)).transpose()?;
    context.out.json(&json!({"pools": view, "draft": arguments.draft, "drafts": written}));
    show(context, &view);
    if let (Some(path), Some(count)) = (&arguments.draft, written) {
        let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let next = match is_json {
            true => format!("xianmeng publish {}", path.display()),
            false => format!("xianmeng import {} --kind pooled_need", path.display()),
        };
        let path = path.display();
        context.out.say(
            format!("{count} 份草稿写到 {path}，没有发布。核对、修改后：{next}"),
            format!("{count} drafts are in {path}; nothing was published. Check and change them, then `{next}`"),
        );
    }
    say_beside(
        context,
        &view.made,
        "汇集需求已由来源汇成，其来源不再相加",
        "pooled needs hold theirs already, which are not added again",
    );
    say_beside(context, &view.without_place, "需求没有所在县", "needs without a county");
    say_beside(context, &view.without_subject, "需求看不出主题和行业", "needs of no known topic or industry");
    say_frame(context, &view.frame);
    Ok(())
}

fn show(context: &Context, view: &PoolsView) {
    if view.pools.is_empty() {
        context.out.say("没有可汇集的需求。", "No needs can be pooled.");
        return;
    }
    let rows = view.pools.iter().map(|pool| {
        let sums: Vec<String> = pool.sums.iter().filter(|sum| sum.added > 0).map(|sum| sum.text.clone()).collect();
        let soft: usize = pool.sums.iter().map(|sum| sum.soft).sum();
        let left_out: usize = pool.sums.iter().map(|sum| sum.left_out).sum();
        let sums = if sums.is_empty() { "-".to_owned() } else { sums.join("；") };
        let (counties, needs) = (pool.counties.len().to_string(), pool.needs.to_string());
        let notes = [(soft, "约数"), (left_out, "不可相加"), (pool.without_figure, "无数量")];
        let notes: Vec<String> =
            notes.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{what} {count}")).collect();
        let sources: Vec<&str> = pool.sources.iter().map(|need| need.need.label.as_str()).collect();
        vec![pool.zh.clone(), counties, needs, sums, notes.join(" "), sources.join(" ")]
    });
    context.out.table(&["需求", "县数", "项数", "合计", "说明", "来源"], rows.collect());
    let (shown, total) = (view.pools.len(), view.total);
    context.out.line(format!("列出 {shown} 组，共 {total} 组 {shown} of {total} pools"));
}

/// Writes a draft for each pool that has one, and says how many.
fn write(path: &Path, view: &PoolsView, arguments: &PoolsArguments) -> Result<usize, Failure> {
    refuse_existing(path, arguments.force)?;
    let drafts: Vec<BTreeMap<String, String>> =
        view.pools.iter().filter_map(|pool| draft(pool, arguments.division.as_deref())).collect::<Result<_, _>>()?;
    if drafts.is_empty() {
        let (zh, en) =
            ("没有可写成草稿的需求：草稿只有物流冷链类。", "there is nothing to draft: drafts are of logistics only");
        return Err(Failure::new(ExitCode::NotFound, "draft-none", zh, en).fix(
            "减小 --min-counties，或去掉 --words、--region 再看。",
            "lower --min-counties, or look again without --words and --region",
        ));
    }
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "json" => write_json(path, &drafts)?,
        "csv" => write_sheet(path, Format::Csv, &drafts, arguments.force)?,
        "xlsx" => write_sheet(path, Format::Xlsx, &drafts, arguments.force)?,
        _ => {
            let (zh, en) = ("草稿文件名要以 .csv、.xlsx 或 .json 结尾。", "the file must end in .csv, .xlsx or .json");
            return Err(Failure::new(ExitCode::Usage, "draft-format", zh, en));
        }
    }
    Ok(drafts.len())
}

/// The fields of a pool's draft with its division; `None` where it has no draft.
fn draft(pool: &PoolView, division: Option<&str>) -> Option<Result<BTreeMap<String, String>, Failure>> {
    let mut fields = pool.draft.clone()?;
    if let Some(division) = division {
        fields.insert(DIVISION.to_owned(), division.to_owned());
    }
    if fields.contains_key(DIVISION) {
        return Some(Ok(fields));
    }
    let (zh, en) = (
        format!("“{}”的需求来自几个省，没有共同的行政区划代码。", pool.zh),
        format!("the needs of `{}` are of several provinces, which have no code in common", pool.en),
    );
    Some(Err(Failure::new(ExitCode::InputRefused, "draft-division", zh, en).fix(
        "请用 --division 写明牵头县的代码，或用 --region 缩小范围。",
        "name the leading county with --division, or narrow it down with --region",
    )))
}

fn write_json(path: &Path, drafts: &[BTreeMap<String, String>]) -> Result<(), Failure> {
    let record = |fields: &BTreeMap<String, String>| CreateRecord {
        kind: POOLED.to_owned(),
        external: None,
        fields: fields.clone(),
        readers: None,
        parties: None,
    };
    let records: Vec<CreateRecord> = drafts.iter().map(record).collect();
    let text = serde_json::to_string_pretty(&records).map_err(Failure::internal)?;
    std::fs::write(path, text).map_err(|error| Failure::file(path, &error))
}

fn write_sheet(path: &Path, format: Format, drafts: &[BTreeMap<String, String>], force: bool) -> Result<(), Failure> {
    let kind: &'static Kind = statements::kind(POOLED)?;
    let failed = |error| workbook_failure(path, &error);
    let mut export = Export::begin(path, format, &[kind], false).map_err(failed)?;
    for draft in drafts {
        let number = |name: &String| kind.field_named(name).map(|field| field.number);
        let values: BTreeMap<u16, &str> =
            draft.iter().filter_map(|(name, text)| Some((number(name)?, text.as_str()))).collect();
        export.append(kind.number(), &values, false).map_err(failed)?;
    }
    export.finish(force).map_err(failed)
}
