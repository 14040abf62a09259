//! `local`: documents that stay on this node, such as contacts.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use node::api::types::{CreateRecord, LocalDocument, LocalList};
use protocol::kind::Kind;
use protocol::kind::sheet::plan;

use crate::client::{Client, segment};
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::{output, time};

use super::{assignment, import, statements};

/// The kind of documents that `local` is for unless another one is named.
const DEFAULT_KIND: &str = "contact";

/// What can be done with documents of this node.
#[derive(Debug, Subcommand)]
pub enum LocalCommand {
    /// 存一份文档。
    /// Keep a document
    Add(AddArguments),
    /// 列出。
    /// List them
    List(ListArguments),
    /// 显示一份。
    /// Show one
    Show(OneArguments),
    /// 删除一份。
    /// Remove one
    Remove(OneArguments),
    /// 各类别有多少份。
    /// How many there are of each kind
    Count,
    /// 从表格（CSV）存入。
    /// Keep the rows of a sheet (CSV)
    Import(ImportArguments),
}

/// Arguments of `local add`.
#[derive(Debug, Args)]
pub struct AddArguments {
    /// 若干“字段=值”。
    /// Field=value pairs
    #[arg(value_name = "FIELD=VALUE", required = true)]
    assignments: Vec<String>,
    /// 类别。
    /// The kind
    #[arg(long, default_value = DEFAULT_KIND)]
    kind: String,
}

/// Arguments of `local list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// 只看这个类别的。
    /// Only documents of this kind
    #[arg(long)]
    kind: Option<String>,
}

/// One document.
#[derive(Debug, Args)]
pub struct OneArguments {
    /// 编号。
    /// Its id
    #[arg(value_name = "ID")]
    id: String,
}

/// Arguments of `local import`.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// 表格（CSV，UTF-8）。
    /// The sheet (CSV, UTF-8)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// 类别。
    /// The kind
    #[arg(long, default_value = DEFAULT_KIND)]
    kind: String,
}

/// Does what was asked.
pub fn perform(context: &Context, command: LocalCommand) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        LocalCommand::Add(AddArguments { assignments, kind }) => {
            let fields = assignment::parse_all(&assignments)?;
            keep(context, &client, &[CreateRecord { kind, external: None, fields, readers: None }])
        }
        LocalCommand::List(ListArguments { kind }) => list(context, &client, kind),
        LocalCommand::Show(OneArguments { id }) => {
            let document: LocalDocument = client.get(&format!("/v1/local/{}", segment(&id)), &[])?;
            context.out.json(&document);
            context.out.line(describe(&document));
            Ok(())
        }
        LocalCommand::Remove(OneArguments { id }) => {
            client.delete_known(&format!("/v1/local/{}", segment(&id)))?;
            context.out.json(&serde_json::json!({"removed": id}));
            context.out.say("已删除。", "Removed.");
            Ok(())
        }
        LocalCommand::Count => {
            let found: LocalList = client.get("/v1/local", &[("limit", "0".to_owned())])?;
            context.out.json(&found.counts);
            found.counts.iter().for_each(|(kind, count)| context.out.line(format!("{kind} {count}")));
            Ok(())
        }
        LocalCommand::Import(ImportArguments { file, kind }) => import_sheet(context, &client, &file, &kind),
    }
}

/// Whether readers mean that a record stays on this node.
pub fn is_local(readers: &str) -> bool {
    matches!(readers.trim(), "local" | "本地")
}

/// Keeps records on this node in place of publishing them.
pub fn keep(context: &Context, client: &Client, records: &[CreateRecord]) -> Result<(), Failure> {
    let mut kept = Vec::with_capacity(records.len());
    for record in records {
        let document: LocalDocument = client.post("/v1/local", &CreateRecord { readers: None, ..record.clone() })?;
        context.out.line(format!("已存在本机 kept here {}  {}", document.id, document.title));
        kept.push(document);
    }
    context.out.json(&kept);
    Ok(())
}

fn list(context: &Context, client: &Client, kind: Option<String>) -> Result<(), Failure> {
    let query: Vec<_> = kind.map(|kind| ("kind", kind)).into_iter().collect();
    let found: LocalList = client.get("/v1/local", &query)?;
    context.out.json(&found);
    let row = |document: &LocalDocument| {
        vec![document.id.clone(), document.kind_zh.clone(), document.title.clone(), time::show(document.created_ms)]
    };
    context.out.table(&["编号", "类别", "名称", "存入时间"], found.documents.iter().map(row).collect());
    Ok(())
}

fn describe(document: &LocalDocument) -> String {
    let kind = statements::kind(&document.kind).ok();
    let name =
        |field: &str| kind.and_then(|kind| kind.field_named(field)).map_or(field.to_owned(), |field| field.zh.clone());
    let named: Vec<(String, String)> =
        document.fields.iter().map(|(field, value)| (name(field), value.clone())).collect();
    let mut lines = vec![("编号", document.id.clone()), ("类别", document.kind_zh.clone())];
    lines.extend(named.iter().map(|(name, value)| (name.as_str(), value.clone())));
    output::pairs(&lines)
}

fn import_sheet(context: &Context, client: &Client, file: &std::path::Path, kind: &str) -> Result<(), Failure> {
    let kind = statements::kind(kind)?;
    let table = import::table(file)?;
    let plan = plan(kind, &table, &[], &|_| None);
    if !plan.errors.is_empty() {
        let lines: Vec<String> = plan.errors.iter().map(|error| error.line.to_string()).collect();
        let (zh, en) =
            (format!("第 {} 行有误，没有存入。", lines.join("、")), format!("lines {} are wrong", lines.join(", ")));
        return Err(Failure::new(ExitCode::InputRefused, "rows-refused", zh, en)
            .fix("请改正后再试。", "correct them and try again"));
    }
    let records: Vec<CreateRecord> =
        plan.creates.iter().map(|create| record(kind, create.external.clone(), &create.fields)).collect();
    keep(context, client, &records)
}

/// A row as the API takes it.
fn record(
    kind: &Kind,
    external: String,
    fields: &std::collections::BTreeMap<u16, protocol::value::Value>,
) -> CreateRecord {
    let texts = fields.iter().filter_map(|(number, value)| {
        let field = kind.field(*number)?;
        Some((field.name.clone(), field.render(value)))
    });
    CreateRecord { kind: kind.name().to_owned(), external: Some(external), fields: texts.collect(), readers: None }
}
