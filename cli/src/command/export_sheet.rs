//! `export --sheet`: records as a workbook or a CSV file, page by page, so that any number of them fits.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use node::api::types::{ListedRecord, LocalDocument, LocalList, RecordList, RecordView};
use node::workbook::{Export, Format, WriteError, columns};
use protocol::kind::Kind;
use protocol::statement::FIELD_SEALED;
use serde::Serialize;

use crate::client::Client;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

use super::export::refuse_existing;
use super::interrupt::Interrupt;
use super::statements;

/// Records in one answer.
const PAGE: usize = 500;

/// What `export` needs for a sheet.
#[derive(Debug, Default, Args)]
pub struct SheetArguments {
    /// 导出成表格：.xlsx 或 .csv。
    /// Write records as a sheet: .xlsx or .csv
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "member"])]
    pub sheet: Option<PathBuf>,
    /// 类别（可多次；CSV 只能一类；缺省：所有发布的类别）。
    /// A kind (repeatable; one only for CSV; default: every kind that is published)
    #[arg(long = "kind", value_name = "KIND", requires = "sheet")]
    kinds: Vec<String>,
    /// 只要这个成员编号的。
    /// Only records of the member with this number
    #[arg(long, value_name = "NUMBER", requires = "sheet")]
    owner: Option<u32>,
    /// 条件，例如 规模>=5亿元（可多次，须全部满足；只能有一个类别）。
    /// A condition (repeatable, all must hold; with one kind only)
    #[arg(long = "where", value_name = "CONDITION", requires = "kinds")]
    conditions: Vec<String>,
    /// 连同已撤回的，最后一列注明。
    /// Withdrawn ones too, with a last column that says so
    #[arg(long, requires = "sheet")]
    withdrawn: bool,
}

/// What was written, and what was not.
#[derive(Debug, Default, Serialize)]
struct Report {
    file: PathBuf,
    /// Records by kind.
    records: BTreeMap<String, u64>,
    /// Confidential records that do not open here: left out.
    closed: u64,
    /// Records whose confidential fields do not open here: in the file without them.
    partly_closed: u64,
    /// Confidential records that open here: in clear in the file.
    opened: u64,
    /// Records that do not say what a condition asks for: in the file.
    uncertain: u64,
    /// Records without an own number: a sheet cannot bring them back.
    unnumbered: u64,
    /// Records that this build is too old to read fully.
    update_needed: u64,
    /// Fields that this build does not know, by kind: left out.
    unknown_fields: BTreeSet<String>,
}

/// Writes the records; `force` says whether a file of that name may be there.
pub fn perform(context: &Context, path: &Path, arguments: &SheetArguments, force: bool) -> Result<(), Failure> {
    let format = format(path)?;
    let kinds = kinds(arguments, format)?;
    refuse_existing(path, force)?;
    let client = context.client()?;
    let export = Export::begin(path, format, &kinds, arguments.withdrawn);
    let mut writing = Writing {
        client: &client,
        arguments,
        path,
        export: export.map_err(|error| workbook_failure(path, &error))?,
        report: Report { file: path.to_owned(), ..Report::default() },
        interrupt: Interrupt::watch()?,
        bar: progress_bar(),
    };
    for kind in kinds {
        if kind.is_local() { writing.local(kind)? } else { writing.published(kind)? }
    }
    let Writing { export, report, bar, .. } = writing;
    bar.finish_and_clear();
    export.finish(force).map_err(|error| workbook_failure(path, &error))?;
    context.out.json(&report);
    say(context, &report);
    Ok(())
}

struct Writing<'a> {
    client: &'a Client,
    arguments: &'a SheetArguments,
    path: &'a Path,
    export: Export<'static>,
    report: Report,
    interrupt: Interrupt,
    bar: ProgressBar,
}

impl Writing<'_> {
    /// Writes what the federation has of a kind.
    fn published(&mut self, kind: &'static Kind) -> Result<(), Failure> {
        let mut cursor = None;
        loop {
            if self.interrupt.requested() {
                return Err(stopped());
            }
            let page: RecordList = self.client.get("/v1/records", &query(self.arguments, kind, cursor))?;
            for ListedRecord { record, unknown } in &page.records {
                self.report.uncertain += u64::from(!unknown.is_empty());
                self.record(kind, record)?;
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }

    fn record(&mut self, kind: &Kind, record: &RecordView) -> Result<(), Failure> {
        let has_content = record.fields.iter().any(|field| field.number != FIELD_SEALED);
        match record.confidential.as_ref().map(|confidential| confidential.open) {
            None => {}
            Some(true) => self.report.opened += 1,
            Some(false) if has_content => self.report.partly_closed += 1,
            Some(false) => {
                self.report.closed += 1;
                return Ok(());
            }
        }
        let mut values: BTreeMap<u16, &str> = BTreeMap::new();
        for field in record.fields.iter().filter(|field| field.number != FIELD_SEALED) {
            match kind.field(field.number).is_some() {
                true => drop(values.insert(field.number, &field.value)),
                false => drop(self.report.unknown_fields.insert(format!("{} {}", kind.name(), field.name))),
            }
        }
        self.report.update_needed += u64::from(record.update_needed);
        self.row(kind, values, record.external.as_deref(), record.withdrawn)
    }

    /// Writes what this node keeps of a kind that never leaves it.
    fn local(&mut self, kind: &'static Kind) -> Result<(), Failure> {
        if self.arguments.owner.is_some() || !self.arguments.conditions.is_empty() {
            let (zh, en) = (
                format!("“{}”只在本节点，不能按成员或条件挑选。", kind.zh()),
                format!("{} stays on this node; it is not picked by member or condition", kind.en()),
            );
            return Err(Failure::new(ExitCode::Usage, "kind-local", zh, en)
                .fix("请去掉 --owner 和 --where。", "leave out --owner and --where"));
        }
        let list: LocalList = self.client.get("/v1/local", &[("kind", kind.name().to_owned())])?;
        for LocalDocument { fields, external, .. } in &list.documents {
            let named =
                fields.iter().filter_map(|(name, value)| Some((kind.field_named(name)?.number, value.as_str())));
            self.row(kind, named.collect(), external.as_deref(), false)?;
        }
        Ok(())
    }

    fn row<'v>(
        &mut self,
        kind: &Kind,
        mut values: BTreeMap<u16, &'v str>,
        external: Option<&'v str>,
        withdrawn: bool,
    ) -> Result<(), Failure> {
        let own = kind.external_field().number;
        if let (false, Some(external)) = (values.contains_key(&own), external) {
            values.insert(own, external);
        }
        self.report.unnumbered += u64::from(!values.contains_key(&own));
        let appended = self.export.append(kind.number(), &values, withdrawn);
        appended.map_err(|error| workbook_failure(self.path, &error))?;
        *self.report.records.entry(kind.name().to_owned()).or_default() += 1;
        self.bar.inc(1);
        Ok(())
    }
}

fn format(path: &Path) -> Result<Format, Failure> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_lowercase();
    match extension.as_str() {
        "xlsx" => Ok(Format::Xlsx),
        "csv" => Ok(Format::Csv),
        _ => {
            let (zh, en) = (
                format!("{} 既不是 .xlsx 也不是 .csv。", path.display()),
                format!("{} is neither .xlsx nor .csv", path.display()),
            );
            Err(Failure::new(ExitCode::Usage, "sheet-format", zh, en)
                .fix("请用以 .xlsx 或 .csv 结尾的文件名。", "use a name that ends in .xlsx or .csv"))
        }
    }
}

/// The kinds that were named, each once; where none is, every kind that is published and has a column.
fn kinds(arguments: &SheetArguments, format: Format) -> Result<Vec<&'static Kind>, Failure> {
    let mut kinds: Vec<&'static Kind> = Vec::new();
    for name in &arguments.kinds {
        let kind = statements::kind(name)?;
        if !kinds.iter().any(|known| known.number() == kind.number()) {
            kinds.push(kind);
        }
    }
    if kinds.is_empty() {
        kinds.extend(node::kinds::kinds().kinds().filter(|kind| !kind.is_local() && columns(kind).next().is_some()));
    }
    let one_only = format == Format::Csv || !arguments.conditions.is_empty();
    if one_only && kinds.len() != 1 {
        let (zh, en) = ("CSV 文件和条件只能用于一个类别。", "a CSV file and conditions are for one kind only");
        return Err(Failure::new(ExitCode::Usage, "kind-one", zh, en)
            .fix("请用 --kind 指明一个类别，或导出成 .xlsx。", "name one kind with --kind, or write .xlsx"));
    }
    Ok(kinds)
}

fn query(arguments: &SheetArguments, kind: &Kind, cursor: Option<String>) -> Vec<(&'static str, String)> {
    let mut query = vec![("limit", PAGE.to_string()), ("kind", kind.name().to_owned())];
    query.extend(arguments.owner.map(|owner| ("owner", owner.to_string())));
    query.extend(arguments.conditions.iter().map(|condition| ("where", condition.clone())));
    query.extend(arguments.withdrawn.then(|| ("withdrawn", "true".to_owned())));
    query.extend(cursor.map(|cursor| ("cursor", cursor)));
    query
}

/// Drawn on standard error, and only where somebody looks at it.
fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("导出 {spinner} {pos} {per_sec}") {
        bar.set_style(style);
    }
    bar
}

fn stopped() -> Failure {
    Failure::new(ExitCode::Interrupted, "interrupted", "导出中断，没有写出文件。", "stopped; no file was written")
}

/// What was written goes to standard output, what is not in the file to standard error.
fn say(context: &Context, report: &Report) {
    let counts = report.records.iter().map(|(kind, count)| format!("{kind} {count}")).collect::<Vec<_>>().join(", ");
    let all: u64 = report.records.values().sum();
    context.out.say(
        format!("已导出 {all} 条到 {}。", report.file.display()),
        format!("Exported {all} records to {}: {counts}.", report.file.display()),
    );
    for (zh, en) in warnings(report) {
        eprintln!("注意：{zh}\nnote: {en}");
    }
}

fn warnings(report: &Report) -> Vec<(String, String)> {
    let Report { closed, partly_closed, opened, uncertain, unnumbered, update_needed, unknown_fields, .. } = report;
    let mut warnings = Vec::new();
    let mut warn = |applies: bool, zh: String, en: String| warnings.extend(applies.then_some((zh, en)));
    warn(
        *closed > 0,
        format!("{closed} 条密文在本节点打不开，没有导出。"),
        format!("{closed} confidential records do not open here and are not in the file."),
    );
    warn(
        *partly_closed > 0,
        format!("{partly_closed} 条有加密字段在本节点打不开，这些字段没有导出。"),
        format!("{partly_closed} records have confidential fields that do not open here and are not in the file."),
    );
    warn(
        *opened > 0,
        format!("文件中有 {opened} 条密文记录的明文，请妥善保管。"),
        format!("{opened} confidential records are in clear in the file; keep it safe."),
    );
    warn(
        *uncertain > 0,
        format!("{uncertain} 条没有写条件所问的内容，可能符合，也可能不符合，都在文件里。"),
        format!("{uncertain} records do not say what a condition asks for; they may fit or not and are in the file."),
    );
    warn(
        *unnumbered > 0,
        format!("{unnumbered} 条没有自己的编号，这张表再导入时认不出它们。"),
        format!("{unnumbered} records have no own number; an import of the file cannot match them."),
    );
    warn(
        *update_needed > 0,
        format!("{update_needed} 条出自更新的软件，本版本读不全；请更新软件后再导出。"),
        format!(
            "{update_needed} records were written by newer software and may be incomplete; update and export again."
        ),
    );
    let names = unknown_fields.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    warn(
        !unknown_fields.is_empty(),
        format!("本版本不认识的字段没有导出：{names}；请更新软件后再导出。"),
        format!("fields that this build does not know are not in the file: {names}; update and export again."),
    );
    warnings
}

/// A sheet that was not written.
pub fn workbook_failure(path: &Path, error: &WriteError) -> Failure {
    match error {
        WriteError::File { source, .. } => Failure::file(path, source),
        other => Failure::new(ExitCode::InputRefused, other.id(), other.zh(), other.en()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(kinds: &[&str], conditions: &[&str]) -> SheetArguments {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        SheetArguments { kinds: texts(kinds), conditions: texts(conditions), ..SheetArguments::default() }
    }

    #[test]
    fn the_name_of_the_file_says_what_it_is() {
        assert_eq!(format(Path::new("甲.XLSX")), Ok(Format::Xlsx));
        assert_eq!(format(Path::new("甲.csv")), Ok(Format::Csv));
        assert_eq!(format(Path::new("甲.xls")).expect_err("not written").code, "sheet-format");
    }

    #[test]
    fn a_csv_file_holds_one_kind_and_a_workbook_all() {
        let names = |kinds: Vec<&'static Kind>| kinds.iter().map(|kind| kind.name()).collect::<Vec<_>>();
        assert_eq!(kinds(&arguments(&["基金", "fund"], &[]), Format::Csv).map(names), Ok(vec!["fund"]));
        assert_eq!(kinds(&arguments(&[], &[]), Format::Csv).expect_err("too many").code, "kind-one");
        let two = arguments(&["fund", "project"], &["规模>=5亿元"]);
        assert_eq!(kinds(&two, Format::Xlsx).expect_err("of which kind?").code, "kind-one");
        let all = kinds(&arguments(&[], &[]), Format::Xlsx).expect("a workbook");
        assert!(all.len() >= 5 && all.iter().all(|kind| !kind.is_local()));
    }

    #[test]
    fn what_is_not_in_the_file_is_said() {
        assert_eq!(warnings(&Report::default()), []);
        let unknown_fields = BTreeSet::from(["fund field-99".to_owned()]);
        let report = Report { closed: 2, unnumbered: 1, unknown_fields, ..Report::default() };
        let said = warnings(&report);
        assert_eq!(said.len(), 3);
        assert!(said[0].0.contains("2 条密文") && said[2].1.contains("field-99"));
    }
}
