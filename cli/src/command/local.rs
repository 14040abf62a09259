//! `local`: documents that stay on this node, such as contacts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use node::api::types::{CreateRecord, LocalDocument, LocalList, ProblemDetail};
use protocol::kind::Kind;
use protocol::kind::sheet::{CellError, Located, Numbers, ReadRow, Reader, Reading};

use crate::client::{Client, segment};
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::{output, time};

use super::{assignment, import, leads, statements};

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
    /// 从表格（xlsx、xls、csv）存入；编号相同的更新，内容相同的跳过。
    /// Keep the rows of a sheet (xlsx, xls, csv); same number: renewed, same content: passed over
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
    /// 表格：.xlsx、.xls 或 .csv。
    /// The file: .xlsx, .xls or .csv
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// 工作表；缺省为唯一合适的那个。
    /// The sheet; by default the only one that fits
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
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
            keep(context, &client, &[CreateRecord { kind, external: None, fields, readers: None, parties: None }])
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
        LocalCommand::Import(arguments) => import_sheet(context, &client, &arguments),
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
        let document: LocalDocument =
            client.post("/v1/local", &CreateRecord { readers: None, parties: None, ..record.clone() })?;
        context.out.line(format!("已存在本机 kept here {}  {}", document.id, document.title));
        leads::show_hints(context, &document.notices);
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

fn import_sheet(context: &Context, client: &Client, arguments: &ImportArguments) -> Result<(), Failure> {
    let kind = statements::kind(&arguments.kind)?;
    let mut source = import::Source::open(&arguments.file)?;
    let index = sheet_of(&mut source, arguments.sheet.as_deref(), kind)?;
    let located = source.located(index, Some(kind))?;
    let rows = read_rows(located)?;
    let found: LocalList = client.get("/v1/local", &[("kind", kind.name().to_owned())])?;
    let known: BTreeMap<&str, &LocalDocument> =
        found.documents.iter().filter_map(|document| Some((document.external.as_deref()?, document))).collect();
    let mut kept = Vec::new();
    let mut unchanged = 0;
    for record in rows.into_iter().map(|row| record(kind, row)) {
        let before = record.external.as_deref().and_then(|external| known.get(external));
        if before.is_some_and(|before| before.fields == record.fields) {
            unchanged += 1;
            continue;
        }
        let document: LocalDocument = client.post("/v1/local", &record)?;
        // The new one is safe before the old one goes.
        if let Some(before) = before {
            client.delete(&format!("/v1/local/{}", segment(&before.id)))?;
        }
        context.out.line(format!("已存在本机 kept here {}  {}", document.id, document.title));
        leads::show_hints(context, &document.notices);
        kept.push(document);
    }
    context.out.json(&kept);
    context.out.say(
        format!("存入 {} 份，{unchanged} 份没有变化。", kept.len()),
        format!("Kept {}, {unchanged} were the same.", kept.len()),
    );
    Ok(())
}

/// The sheet that is named, or the only one that holds such documents.
fn sheet_of(source: &mut import::Source, named: Option<&str>, kind: &'static Kind) -> Result<usize, Failure> {
    let chosen = source.choose(named)?;
    let mut failure = None;
    let mut fitting = Vec::new();
    for index in &chosen {
        match source.located(*index, Some(kind)) {
            Ok(_) => fitting.push(*index),
            Err(found) => failure = failure.or(Some(found)),
        }
    }
    match (fitting.as_slice(), failure) {
        ([only], _) => Ok(*only),
        ([], Some(failure)) => Err(failure),
        _ => {
            let (zh, en) = ("文件里不止一个工作表可以导入。", "more than one sheet of the file could be taken");
            Err(Failure::new(ExitCode::InputRefused, "sheet-ambiguous", zh, en)
                .fix("请用 --sheet 指明。", "name one with --sheet"))
        }
    }
}

/// Every row, or what is wrong with any of them, by cell.
fn read_rows(located: &Located<'static>) -> Result<Vec<ReadRow>, Failure> {
    let mut errors: Vec<CellError> = located.faulty.iter().flat_map(|row| row.errors.clone()).collect();
    let mut rows = Vec::new();
    match Reader::new(located.kind, &located.table.headers, &[]).map(Reader::keeping_local) {
        Err(found) => errors.extend(found),
        Ok(reader) => {
            let mut numbers = Numbers::default();
            for row in &located.table.rows {
                match numbers.admit(&reader, reader.read(row)) {
                    Reading::Good(row) => rows.push(row),
                    Reading::Wrong { errors: found, .. } => errors.extend(found),
                    Reading::Blank | Reading::FilteredOut => {}
                }
            }
        }
    }
    if errors.is_empty() {
        return Ok(rows);
    }
    let detail = |error: &CellError| {
        let line = if error.line == 0 { located.header_line } else { error.line };
        let at = format!("{}!{}{line}", located.sheet, error.letter());
        ProblemDetail { at, code: error.rule.id().to_owned(), zh: error.zh.clone(), en: error.en.clone() }
    };
    let count = errors.len();
    let (zh, en) = (format!("有 {count} 处错误，没有存入。"), format!("{count} errors, so nothing was kept"));
    Err(Failure::new(ExitCode::InputRefused, "rows-refused", zh, en)
        .fix("请改正后再试。", "correct them and try again")
        .details(errors.iter().map(detail).collect()))
}

/// A row as the API takes it.
fn record(kind: &Kind, row: ReadRow) -> CreateRecord {
    let texts = row.fields.iter().filter_map(|(number, value)| {
        let field = kind.field(*number)?;
        Some((field.name.clone(), field.render(value)))
    });
    let (name, fields) = (kind.name().to_owned(), texts.collect());
    CreateRecord { kind: name, external: Some(row.external), fields, readers: None, parties: None }
}
