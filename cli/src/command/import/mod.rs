//! `import`: publishes the sheets of a file. Everything is checked first, by the kind and by the node; a second import of
//! the same file publishes nothing.
//!
//! [`source`] reads the file, [`pass`] goes through its rows twice, [`send`] talks to the node, [`tally`] counts, and
//! [`report`] and [`errors_file`] say what is wrong.

mod errors_file;
mod pass;
mod report;
mod send;
mod source;
mod tally;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use protocol::charter::Class;
use protocol::kind::Kind;
use protocol::kind::sheet::{Located, RowFilter};

use self::pass::{Job, progress_bar};
use self::report::Report;
pub use self::source::Source;
use crate::client::Client;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::home;

use super::interrupt::Interrupt;
use super::leads;
use super::statements::{self, ForWhom};

/// Arguments of `import`.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// 表格：.xlsx、.xls 或 .csv。
    /// The file: .xlsx, .xls or .csv
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// 只导入这个工作表（也可指明隐藏的）；缺省为所有可见的工作表。
    /// Only this sheet, which may be hidden; by default all that are not hidden
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// 类别；缺省按工作表名和表头识别。
    /// The kind; by default recognised by the name of the sheet and its header
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
    /// 保密字段的当事方：members:编号,…、class:类别 或 role:角色（缺省：新记录只有自己，已有的不变）。
    /// Who may read the confidential fields: members:NUMBER,..., class:NAME or role:NAME (default: oneself alone, or
    /// as before)
    #[arg(long, value_name = "PARTIES")]
    parties: Option<String>,
    /// 有错的行、本类成员不能发布的工作表跳过，其余照发，退出码为 12（缺省：有一处就一条也不发）。
    /// Skip rows with errors and sheets that one's class does not publish, and end with exit code 12 (default: one of
    /// them and nothing is published)
    #[arg(long)]
    partial: bool,
    /// 每批多少条。
    /// Records in one batch
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=5_000))]
    batch: u32,
    /// 标出错误的表格写到这里（缺省写在原文件旁边：文件名-错误.xlsx）。
    /// Where the sheet with the errors marked goes (default: beside the file, NAME-错误.xlsx)
    #[arg(long, value_name = "FILE")]
    errors_to: Option<PathBuf>,
    /// 有错时不写标出错误的表格。
    /// Write no sheet with the errors marked
    #[arg(long, conflicts_with = "errors_to")]
    no_errors_file: bool,
}

/// Reads, checks, shows and publishes.
pub fn perform(context: &Context, arguments: &ImportArguments) -> Result<(), Failure> {
    let filters = filters(&arguments.only)?;
    arguments.errors_to.as_deref().map_or(Ok(()), errors_file::check_free)?;
    let kind = arguments.kind.as_deref().map(statements::kind).transpose()?;
    let mut source = Source::open(&arguments.file)?;
    let chosen = source.choose(arguments.sheet.as_deref())?;
    let client = context.client()?;
    let mut job = Job {
        client: &client,
        filters: &filters,
        for_whom: ForWhom { readers: arguments.readers.as_deref(), parties: arguments.parties.as_deref() },
        batch_size: arguments.batch as usize,
        partial: arguments.partial,
        interrupt: Interrupt::watch()?,
        bar: progress_bar("核对", 0),
        numbers: BTreeMap::new(),
    };
    let mut report = Report { notices: source.notices().to_vec(), ..Report::default() };
    let checked = check(context, &mut job, &mut source, (&chosen, kind), &mut report);
    job.bar.finish_and_clear();
    checked.map_err(|failure| match failure.exit {
        ExitCode::Interrupted => report.interrupted(failure, false),
        _ => failure,
    })?;
    note_other_members(context, &client, &mut report)?;
    report.show(context);
    write_errors(context, arguments, &mut source, &mut report)?;
    if report.errors() > 0 && !arguments.partial {
        return Err(report.refused());
    }
    if !report.not_writable.is_empty() && !arguments.partial {
        return Err(report.for_others());
    }
    if arguments.dry_run {
        context.out.json(&report.value());
        context.out.say("\n只检查，没有发布。", "Checked only; nothing was published.");
        return Ok(());
    }
    source.check_unchanged()?;
    job.bar = progress_bar("发布", report.sheets.iter().map(|(_, tally)| tally.read).sum());
    job.numbers.clear();
    let errors_before = report.errors();
    let published = publish(&mut job, &mut source, kind, &mut report);
    if published.is_err() {
        job.bar.abandon()
    } else {
        job.bar.finish_and_clear()
    }
    published.map_err(|failure| report.interrupted(failure, true))?;
    if report.errors() > errors_before {
        write_errors(context, arguments, &mut source, &mut report)?;
    }
    say_published(context, &report)
}

/// The first pass: every sheet is read and checked. A sheet that cannot be imported is left out only when another can;
/// one of a kind that this member's class does not publish stops the import unless that was asked for.
fn check(
    context: &Context,
    job: &mut Job<'_>,
    source: &mut Source,
    (chosen, kind): (&[usize], Option<&'static Kind>),
    report: &mut Report,
) -> Result<(), Failure> {
    for index in chosen {
        let usable = source.located(*index, kind).and_then(|located| {
            check_publishable(located.kind, job.for_whom.readers)?;
            Ok(located)
        });
        match usable {
            Ok(located) => {
                let is_blank = located.table.rows.is_empty() && located.faulty.is_empty();
                if let (false, Err(failure)) = (is_blank, check_writer(context, located.kind)) {
                    report.not_writable.push((located.sheet.clone(), failure));
                    continue;
                }
                job.bar.inc_length((located.table.rows.len() + located.faulty.len()) as u64);
                let tally = job.check(located)?;
                report.sheets.push((*index, tally));
            }
            Err(mut failure) => {
                let name = source.name(*index).to_owned();
                if chosen.len() > 1 && !job.partial && is_damaged(&name, &failure) {
                    failure.zh = format!("工作表“{name}”：{}", failure.zh);
                    failure.en = format!("sheet {name:?}: {}", failure.en);
                    return Err(failure);
                }
                report.left_out.push((name, failure));
            }
        }
    }
    if !report.sheets.is_empty() || (report.left_out.is_empty() && report.not_writable.is_empty()) {
        return Ok(());
    }
    // That somebody else may publish a sheet says more than that another one is no table.
    let mut reasons = std::mem::take(&mut report.not_writable);
    reasons.append(&mut report.left_out);
    Err(none_usable(reasons))
}

/// Whether a sheet that cannot be read is one of records: to publish the others alone would be half of the file.
fn is_damaged(name: &str, failure: &Failure) -> bool {
    match failure.code.as_ref() {
        "sheet-empty" | "kind-local" => false,
        "sheet-unknown" => node::kinds::kinds().kind_of_sheet(name).is_some(),
        _ => true,
    }
}

/// Why no sheet can be imported: of several the first reason, and the others in detail.
fn none_usable(left_out: Vec<(String, Failure)>) -> Failure {
    let detail = |(name, failure): &(String, Failure)| node::api::types::ProblemDetail {
        at: name.clone(),
        code: failure.code.to_string(),
        zh: failure.zh.clone(),
        en: failure.en.clone(),
    };
    let details = if left_out.len() > 1 { left_out.iter().map(detail).collect() } else { Vec::new() };
    let first = left_out.into_iter().next().map(|(_, failure)| failure);
    first.map_or_else(no_sheet, |failure| failure.details(details))
}

fn no_sheet() -> Failure {
    let (zh, en) = ("文件里没有可见的工作表。", "the file has no sheet that is not hidden");
    Failure::new(ExitCode::InputRefused, "sheet-missing", zh, en)
        .fix("请取消隐藏，或用 --sheet 指明。", "show one, or name it with --sheet")
}

/// The second pass.
fn publish(
    job: &mut Job<'_>,
    source: &mut Source,
    kind: Option<&'static Kind>,
    report: &mut Report,
) -> Result<(), Failure> {
    if report.wanted() == 0 {
        return Ok(());
    }
    for (index, tally) in &mut report.sheets {
        let located: &Located<'static> = source.located(*index, kind)?;
        job.publish(located, tally)?;
    }
    Ok(())
}

fn write_errors(
    context: &Context,
    arguments: &ImportArguments,
    source: &mut Source,
    report: &mut Report,
) -> Result<(), Failure> {
    if report.errors() == 0 || arguments.no_errors_file {
        return Ok(());
    }
    // A second one names what was found while publishing; the first is not touched.
    let given = arguments.errors_to.as_deref().filter(|_| report.errors_file.is_none());
    let path = errors_file::write(source, &arguments.file, given, &report.sheets)?;
    context.out.say(
        format!("\n标出错误的表格已写到 {}；可以直接在里面改正，再导入它。", path.display()),
        format!("The sheet with the errors marked is {}; it can be corrected and imported.", path.display()),
    );
    report.errors_file = Some(path);
    Ok(())
}

fn say_published(context: &Context, report: &Report) -> Result<(), Failure> {
    report.tallies().for_each(|tally| leads::show_hints(context, &tally.hints));
    if report.errors() > 0 || !report.not_writable.is_empty() {
        return Err(report.partly());
    }
    context.out.json(&report.value());
    match report.published() {
        0 => context.out.say("\n没有新内容，什么也没有发布。", "There is nothing new; nothing was published."),
        count => context.out.say(format!("\n已发布 {count} 条。"), format!("Published {count}.")),
    }
    Ok(())
}

/// Rows of other members are worth a word before they are published under one's own name.
fn note_other_members(context: &Context, client: &Client, report: &mut Report) -> Result<(), Failure> {
    let named = report.tallies().find(|tally| !tally.members.is_empty());
    let Some(field) = named.and_then(|tally| tally.kind.member_field()) else { return Ok(()) };
    report.member_column = field.zh.clone();
    let profile = context.directory()?.profile().map_err(|error| home::directory_failure(&error))?;
    let mut own = BTreeSet::from([profile.name]);
    own.extend(statements::own_numbers(client, statements::kind("member")?)?);
    let tallies: Vec<_> = report.tallies().map(|tally| &tally.members).collect();
    report.others = pass::other_members(&tallies, &own);
    Ok(())
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
    let zh = |class: &str| Class::from_name(class).map_or_else(|| class.to_owned(), |class| class.zh().to_owned());
    let writers: Vec<&str> = kind.writers().collect();
    let writers_zh = writers.iter().map(|class| zh(class)).collect::<Vec<_>>().join("、");
    let (zh, en) = (
        format!("{}不能发布“{}”。", zh(&profile.class), kind.zh()),
        format!("a member of class {} does not publish records of kind {}", profile.class, kind.en()),
    );
    Err(Failure::new(ExitCode::NotAllowed, "writer-class", zh, en)
        .fix(format!("可以发布的成员：{writers_zh}。"), format!("these classes do: {}", writers.join(", "))))
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
    fn of_several_sheets_without_use_each_is_named() {
        let failure = |code: &'static str| Failure::new(ExitCode::InputRefused, code, "中", "en");
        let one = none_usable(vec![("甲".into(), failure("sheet-unknown"))]);
        assert_eq!((one.code.as_ref(), one.details.len()), ("sheet-unknown", 0));
        let two = none_usable(vec![("甲".into(), failure("sheet-empty")), ("乙".into(), failure("sheet-unknown"))]);
        assert_eq!((two.details[1].at.as_str(), two.details.len()), ("乙", 2));
        assert_eq!(none_usable(Vec::new()).code, "sheet-missing");
    }
}
