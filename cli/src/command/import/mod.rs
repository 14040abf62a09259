//! `import`: publishes a sheet. Everything is checked first; a second import of the same sheet publishes nothing.

mod read;
mod report;
mod send;

use std::path::PathBuf;

use clap::Args;
use node::kinds::kinds;
use protocol::kind::Kind;
use protocol::kind::sheet::{Plan, RowFilter, Table, plan};

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::home;

use super::statements;

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// 表格（CSV，UTF-8）。
    /// The sheet (CSV, UTF-8)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// 类别；缺省按表头识别。
    /// The kind; by default recognised by the header
    #[arg(long)]
    kind: Option<String>,
    /// 只检查，不发布。
    /// Check and publish nothing
    #[arg(long)]
    dry_run: bool,
    /// 只取某列为这些值的行，例如 成员编号=XY001,XY002（可多次，须全部满足）。
    /// Only rows whose column has one of these values (repeatable, all must hold)
    #[arg(long, value_name = "COLUMN=VALUE[,VALUE]")]
    only: Vec<String>,
    /// 可读范围：all、class:类别、role:角色、members:编号,…（缺省按类别）。
    /// Who may read the records: all, class:NAME, role:NAME or members:NUMBER,... (default: as the kind says)
    #[arg(long, value_name = "READERS")]
    readers: Option<String>,
    /// 有错的行跳过，其余照发（缺省：有一处错就一条也不发）。
    /// Skip rows with errors (default: one error and nothing is published)
    #[arg(long)]
    partial: bool,
    /// 每批多少条。
    /// Records in one batch
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    batch: u32,
    /// 把有错的行连同说明另写一份 CSV。
    /// Write the rows with errors to another CSV, with the reasons
    #[arg(long, value_name = "FILE")]
    errors_to: Option<PathBuf>,
}

/// Reads, checks, shows and publishes.
pub fn perform(context: &Context, arguments: &ImportArguments) -> Result<(), Failure> {
    let filters = filters(&arguments.only)?;
    let table = read::table(&arguments.file)?;
    let kind = kind(&table, arguments.kind.as_deref())?;
    check_publishable(kind, arguments.readers.as_deref())?;
    check_writer(context, kind)?;
    let client = context.client()?;
    let existing = statements::existing(&client, kind)?;
    let plan = plan(kind, &table, &filters, &|external| existing.get(external).cloned());
    report::show(context, kind, &plan);
    if let Some(path) = arguments.errors_to.as_ref().filter(|_| !plan.errors.is_empty()) {
        read::write_errors(path, &table, &plan)?;
        context.out.say(
            format!("有错的行已写入 {}。", path.display()),
            format!("Rows with errors are in {}.", path.display()),
        );
    }
    if !plan.errors.is_empty() && !arguments.partial {
        return Err(report::refused(kind, &plan));
    }
    if arguments.dry_run {
        context.out.json(&report::value(kind, &plan, 0));
        context.out.say("只检查，没有发布。", "Checked only; nothing was published.");
        return Ok(());
    }
    let published = send::send(&client, kind, &plan, arguments.batch as usize, arguments.readers.as_deref())?;
    context.out.json(&report::value(kind, &plan, published));
    context.out.say(format!("已发布 {published} 条。"), format!("Published {published}."));
    Ok(())
}

fn kind(table: &Table, given: Option<&str>) -> Result<&'static Kind, Failure> {
    if let Some(name) = given {
        return statements::kind(name);
    }
    kinds().recognise(&table.headers).map_err(|error| {
        let (zh, en) = (
            format!(
                "认不出这是哪一类表（比较了{}）；不认识的表头：{}。",
                error.tried_zh.join("、"),
                error.unknown.join("、")
            ),
            format!("the header fits no kind ({}); unknown: {}", error.tried_en.join(", "), error.unknown.join(", ")),
        );
        Failure::new(ExitCode::InputRefused, "sheet-unknown", zh, en).fix(
            "请核对第一行表头，或用 --kind 指明类别。",
            "check the header in the first line, or name the kind with --kind",
        )
    })
}

/// Reads a sheet for other commands.
pub fn table(file: &std::path::Path) -> Result<Table, Failure> {
    read::table(file)
}

/// What stays on its node is imported by `local import`. The node refuses it too.
fn check_publishable(kind: &Kind, readers: Option<&str>) -> Result<(), Failure> {
    if !kind.is_local() && !readers.is_some_and(super::local::is_local) {
        return Ok(());
    }
    let (zh, en) = (
        format!("“{}”只留在本节点，不能导入到联盟。", kind.zh()),
        format!("{} stays on this node and is not imported into the federation", kind.en()),
    );
    Err(Failure::new(ExitCode::NotAllowed, "kind-local", zh, en)
        .fix("请用 xianmeng local import 文件。", "use `xianmeng local import FILE`"))
}

/// The node refuses too; here it is said before anything is read.
fn check_writer(context: &Context, kind: &Kind) -> Result<(), Failure> {
    let profile = context.directory()?.profile().map_err(|error| home::directory_failure(&error))?;
    if kind.may_write(&profile.class) {
        return Ok(());
    }
    let writers = kind.writers().collect::<Vec<_>>().join(", ");
    let (zh, en) = (
        format!("“{}”类成员不能发布“{}”。", profile.class, kind.zh()),
        format!("a member of class {} does not publish records of kind {}", profile.class, kind.en()),
    );
    Err(Failure::new(ExitCode::NotAllowed, "writer-class", zh, en)
        .fix(format!("可以发布的类别：{writers}。"), format!("these classes do: {writers}")))
}

fn filters(texts: &[String]) -> Result<Vec<RowFilter>, Failure> {
    let filter = |text: &String| {
        let (header, values) = text.split_once(['=', '＝']).filter(|(header, _)| !header.trim().is_empty())?;
        let values = values.split([',', '，']).map(|value| value.trim().to_owned()).collect();
        Some(RowFilter { header: header.trim().to_owned(), values })
    };
    let read = |text: &String| {
        filter(text).ok_or_else(|| {
            let (zh, en) = (format!("--only “{text}”不是“列=值”。"), format!("--only {text:?} is not column=value"));
            Failure::new(ExitCode::Usage, "only", zh, en)
                .fix("例如 --only 成员编号=XY001。", "for instance --only 成员编号=XY001")
        })
    };
    texts.iter().map(read).collect()
}

/// Lines with errors, each counted once.
fn wrong_lines(plan: &Plan) -> std::collections::BTreeSet<usize> {
    plan.errors.iter().map(|error| error.line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_names_a_column_and_values() {
        let read = filters(&["成员编号=XY001，XY002".into(), "县＝奉节".into()]).expect("two filters");
        assert_eq!(read[0].header, "成员编号");
        assert!(read[0].values.contains("XY002") && read[1].values.contains("奉节"));
        assert_eq!(filters(&["成员编号".into()]).expect_err("no value").exit, ExitCode::Usage);
    }

    #[test]
    fn a_sheet_of_no_kind_is_named_with_the_way_out() {
        let table = Table { headers: vec!["颜色".into(), "味道".into()], rows: Vec::new() };
        let failure = kind(&table, None).expect_err("it fits none");
        assert_eq!(failure.code, "sheet-unknown");
        assert!(failure.zh.contains("颜色") && failure.fix_en.contains("--kind"));
        assert_eq!(kind(&table, Some("基金")).expect("it is named").name(), "fund");
    }
}
