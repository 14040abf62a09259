//! What an import would do or did, for people and for programs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use node::api::types::ProblemDetail;
use node::workbook::WorkbookNotice;
use protocol::kind::sheet::{CellNotice, column_letter};
use serde_json::{Value, json};

use super::tally::{Fault, RowChange, SHOWN_MAX, Tally};
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::output;

/// Lines of a sort that are named one by one before the rest is only counted.
const LINES_SHOWN_MAX: usize = 10;
/// Values of a column that are named beside what is said of it.
const NOTICE_VALUES_SHOWN: usize = 4;

/// What came out of a file.
#[derive(Debug, Default)]
pub struct Report {
    /// Of each sheet that is imported: its number in the file, and what came out.
    pub sheets: Vec<(usize, Tally)>,
    /// Sheets that are left out, with the reason.
    pub left_out: Vec<(String, Failure)>,
    /// Sheets of kinds that this member's class does not publish.
    pub not_writable: Vec<(String, Failure)>,
    /// What a person should know of the file.
    pub notices: Vec<WorkbookNotice>,
    /// Members beside one's own that rows name, with how many rows.
    pub others: BTreeMap<String, usize>,
    /// The column that names them.
    pub member_column: String,
    /// The sheet that came back.
    pub errors_file: Option<PathBuf>,
}

impl Report {
    /// The sheets.
    pub fn tallies(&self) -> impl Iterator<Item = &Tally> {
        self.sheets.iter().map(|(_, tally)| tally)
    }

    fn sum(&self, count: impl Fn(&Tally) -> usize) -> usize {
        self.tallies().map(count).sum()
    }

    fn all_left_out(&self) -> impl Iterator<Item = &(String, Failure)> {
        self.left_out.iter().chain(&self.not_writable)
    }

    /// How much is wrong.
    pub fn errors(&self) -> usize {
        self.sum(|tally| tally.errors_count)
    }

    /// Rows with errors.
    pub fn wrong_rows(&self) -> usize {
        self.sum(Tally::wrong_rows)
    }

    /// What is published if nothing stands in its way.
    pub fn wanted(&self) -> usize {
        self.sum(Tally::wanted)
    }

    /// What was published.
    pub fn published(&self) -> usize {
        self.sum(|tally| tally.published)
    }

    /// Shows it to people.
    pub fn show(&self, context: &Context) {
        for notice in &self.notices {
            context.out.say(&notice.zh, &notice.en);
        }
        for (name, failure) in self.all_left_out() {
            context.out.say(
                format!("没有导入工作表“{name}”：{}", failure.zh),
                format!("The sheet {name:?} is left out: {}", failure.en),
            );
        }
        self.tallies().for_each(|tally| show_sheet(context, tally));
        self.show_others(context);
    }

    fn show_others(&self, context: &Context) {
        if self.others.is_empty() {
            return;
        }
        let named: Vec<String> =
            self.others.iter().take(SHOWN_MAX).map(|(member, rows)| format!("{member}（{rows}）")).collect();
        let (column, rows) = (&self.member_column, self.others.values().sum::<usize>());
        context.out.say(
            format!(
                "\n注意：有 {rows} 行写的是别的成员：{}。只取自己的行，请加 --only {column}=自己的编号。",
                named.join("、")
            ),
            format!("Note: {rows} rows name other members; to take your own rows only add --only {column}=YOURS."),
        );
    }

    /// For programs.
    pub fn value(&self) -> Value {
        let all = |items: fn(&Tally) -> Vec<Value>| self.tallies().flat_map(items).collect::<Vec<_>>();
        let kind = match self.sheets.as_slice() {
            [(_, only)] => Value::from(only.kind.name()),
            _ => Value::Null,
        };
        let left_out = self
            .all_left_out()
            .map(|(name, failure)| json!({"sheet": name, "code": failure.code, "zh": failure.zh, "en": failure.en}));
        let notices = self.notices.iter().map(|notice| json!({"id": notice.id, "zh": notice.zh, "en": notice.en}));
        json!({
            "kind": kind,
            "read": self.sum(|tally| tally.read),
            "filtered_out": self.sum(|tally| tally.filtered_out),
            "new": self.sum(|tally| tally.new),
            "changed": self.sum(|tally| tally.changed),
            "unchanged": self.sum(|tally| tally.unchanged),
            "changes": all(changes),
            "withheld": all(withheld),
            "withdrawn": all(withdrawn),
            "skipped": all(skipped),
            "notices": all(notices_of),
            "errors": all(errors),
            "errors_count": self.errors(),
            "local_columns": all(|tally| texts(&tally.columns.local)),
            "ignored_columns": all(|tally| texts(&tally.columns.ignored)),
            "other_members": self.others,
            "sheets": self.tallies().map(sheet).collect::<Vec<_>>(),
            "sheets_left_out": left_out.collect::<Vec<_>>(),
            "file_notices": notices.collect::<Vec<_>>(),
            "errors_file": self.errors_file,
            "hints": all(|tally| tally.hints.iter().map(|hint| json!(hint)).collect()),
            "published": self.published(),
        })
    }

    /// Nothing was published, because of errors.
    pub fn refused(&self) -> Failure {
        let (count, rows) = (self.errors(), self.wrong_rows());
        let (zh, en) = match rows {
            0 => ("表头有误，一条也没有发布。".to_owned(), "the header is wrong, so nothing was published".to_owned()),
            _ => (
                format!("有 {rows} 行共 {count} 处错误，一条也没有发布。"),
                format!("{count} errors in {rows} rows, so nothing was published"),
            ),
        };
        // People have seen the errors in the table above; programs find them in the report.
        Failure::new(ExitCode::InputRefused, "sheet-errors", zh, en)
            .fix(
                "请改正后再导入；只想先发无错的行，请加 --partial。",
                "correct them and import again; --partial publishes the rows without errors",
            )
            .report(self.value())
    }

    /// Nothing was published, because sheets are for members of other classes.
    pub fn for_others(&self) -> Failure {
        let (names, names_en) = self.others_sheets();
        let detail = |(name, failure): &(String, Failure)| ProblemDetail {
            at: name.clone(),
            code: failure.code.to_string(),
            zh: format!("{}{}", failure.zh, failure.fix_zh),
            en: format!("{}; {}", failure.en, failure.fix_en),
        };
        Failure::new(
            ExitCode::NotAllowed,
            "writer-class",
            format!("本成员不能发布工作表{names}，一条也没有发布。"),
            format!("this member does not publish {names_en}, so nothing was published"),
        )
        .details(self.not_writable.iter().map(detail).collect())
        .fix(
            "只导入一个工作表，请用 --sheet 指明；跳过这些、其余照发，请加 --partial。",
            "name one sheet with --sheet; --partial leaves these out and publishes the others",
        )
        .report(self.value())
    }

    /// The sheets for members of other classes, in Chinese and English.
    fn others_sheets(&self) -> (String, String) {
        let names = |mark: fn(&str) -> String, separator| {
            self.not_writable.iter().map(|(name, _)| mark(name)).collect::<Vec<_>>().join(separator)
        };
        (names(|name| format!("“{name}”"), "、"), names(|name| format!("the sheet {name:?}"), ", "))
    }

    /// A part was published, and the rest was left out because of errors or for members of other classes.
    pub fn partly(&self) -> Failure {
        let (published, rows) = (self.published(), self.wrong_rows());
        let (mut zh, mut en) = (format!("已发布 {published} 条"), format!("{published} were published"));
        if self.errors() > 0 {
            zh.push_str(&format!("；有 {rows} 行因错误没有发布"));
            en.push_str(&format!("; {rows} rows were left out because of errors"));
        }
        if !self.not_writable.is_empty() {
            let (names, names_en) = self.others_sheets();
            zh.push_str(&format!("；本成员不能发布工作表{names}"));
            en.push_str(&format!("; this member does not publish {names_en}"));
        }
        let (code, fix_zh, fix_en) = match self.errors() {
            0 => ("sheets-left-out", "请由可以发布的成员导入。", "let a member whose class publishes them import them"),
            _ => ("rows-left-out", "请改正这些行，再导入一次。", "correct these rows and import again"),
        };
        Failure::new(ExitCode::PartlyDone, code, format!("{zh}。"), en).fix(fix_zh, fix_en).report(self.value())
    }

    /// Adds what is safe to a failure in the middle of an import.
    pub fn interrupted(&self, mut failure: Failure, publishing: bool) -> Failure {
        let note = |zh: String, en: String| ProblemDetail { at: String::new(), code: "acknowledged".into(), zh, en };
        let (done, all) = (self.published(), self.wanted());
        failure.details.push(match publishing {
            true => note(
                format!("已确认 {done}/{all} 条，不会丢失；再执行一次同样的命令会接着发。"),
                format!("{done} of {all} are acknowledged and safe; the same command goes on from there."),
            ),
            false => note(
                "还在核对，没有发布任何内容；可以再执行一次同样的命令。".into(),
                "nothing was published yet; the same command can be given again.".into(),
            ),
        });
        if failure.code == "batch-refused" {
            let late = self.tallies().flat_map(|tally| tally.errors.iter().map(move |fault| (tally, fault)));
            failure.details.extend(late.map(|(tally, fault)| detail(tally, fault)));
        }
        failure.report(self.value())
    }
}

fn detail(tally: &Tally, fault: &Fault) -> ProblemDetail {
    ProblemDetail {
        at: format!("{} {}", tally.place(fault.line, fault.column), fault.value),
        code: fault.code.to_string(),
        zh: fault.zh.clone(),
        en: fault.en.clone(),
    }
}

fn show_sheet(context: &Context, tally: &Tally) {
    let mut pairs = vec![
        ("工作表", tally.name.clone()),
        ("类别", format!("{} {}", tally.kind.zh(), tally.kind.en())),
        ("读入", format!("{} 行", tally.read)),
        ("新增", tally.new.to_string()),
        ("变更", tally.changed.to_string()),
        ("不变", tally.unchanged.to_string()),
        ("不出本节点", tally.withheld.len().to_string()),
        ("错误", tally.errors_count.to_string()),
    ];
    let counted = |name, count: usize| (count > 0).then(|| (name, count.to_string()));
    pairs.extend(counted("未选中", tally.filtered_out));
    pairs.extend(counted("已撤回", tally.withdrawn.len()));
    for (reason, lines) in by_reason(tally) {
        let shown: Vec<String> = lines.iter().take(LINES_SHOWN_MAX).map(ToString::to_string).collect();
        let more = if lines.len() > LINES_SHOWN_MAX { "…" } else { "" };
        pairs.push(("跳过", format!("{reason} {} 行（第 {}{more} 行）", lines.len(), shown.join("、"))));
    }
    let named = |name, columns: &[String]| (!columns.is_empty()).then(|| (name, columns.join("、")));
    pairs.extend(named("不发布、也不存的列", &tally.columns.local));
    pairs.extend(named("不认识的列", &tally.columns.ignored));
    for (header, unit) in &tally.columns.assumed_units {
        pairs.push(("按此单位读", format!("“{header}”未写单位，按 {unit}")));
    }
    context.out.line(format!("\n{}", output::pairs(&pairs)));
    show_changes(context, tally);
    show_withheld(context, tally);
    show_withdrawn(context, tally);
    show_notices(context, tally);
    show_errors(context, tally);
}

fn by_reason(tally: &Tally) -> BTreeMap<String, Vec<usize>> {
    let mut reasons: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (line, zh, en) in &tally.skipped {
        reasons.entry(format!("{zh} {en}")).or_default().push(*line);
    }
    reasons
}

fn show_changes(context: &Context, tally: &Tally) {
    if tally.changes.is_empty() {
        return;
    }
    context.out.say("\n变更：", "Changes:");
    let blank = |text: &str| if text.is_empty() { "（空）".to_owned() } else { output::shorten(text, 30) };
    for RowChange { line, external, title, fields } in &tally.changes {
        let changed =
            fields.iter().map(|field| format!("{} {} → {}", field.zh, blank(&field.before), blank(&field.after)));
        let changed = changed.collect::<Vec<_>>().join("；");
        context.out.line(format!("  {} {external} {title}: {changed}", tally.place(*line, 0)));
    }
    rest(context, tally.changed, false);
}

fn show_withheld(context: &Context, tally: &Tally) {
    if tally.withheld.is_empty() {
        return;
    }
    context.out.say(
        "\n以下各行不发布，也没有存下（要留在本机请用 local import）：",
        "These rows are not published, nor kept (`local import` keeps them on this node):",
    );
    let rows = tally.withheld.iter().take(SHOWN_MAX);
    let rows =
        rows.map(|row| vec![row.line.to_string(), row.external.clone(), row.title.clone(), row.reason_zh.clone()]);
    context.out.table(&["行", "编号", "名称", "原因"], rows.collect());
    rest(context, tally.withheld.len(), true);
    if tally.withheld.iter().any(|row| row.record.is_some()) {
        context.out.say(
            "注意：其中有的以前发布过，请考虑撤回。",
            "Note: some of them were published before; consider withdrawing them.",
        );
    }
}

fn show_withdrawn(context: &Context, tally: &Tally) {
    if tally.withdrawn.is_empty() {
        return;
    }
    context.out.say("\n以下各行的记录已撤回，不再发布：", "The records of these rows were withdrawn and stay so:");
    let rows = tally.withdrawn.iter().take(SHOWN_MAX);
    let rows = rows.map(|row| vec![row.line.to_string(), row.external.clone(), row.title.clone()]);
    context.out.table(&["行", "编号", "名称"], rows.collect());
    rest(context, tally.withdrawn.len(), true);
}

fn show_notices(context: &Context, tally: &Tally) {
    if tally.notices.is_empty() && tally.header_notices.is_empty() {
        return;
    }
    context.out.say("\n请留意（不影响发布）：", "Please look at these (they stop nothing):");
    for notice in &tally.header_notices {
        context.out.line(format!("  {} {} {}", tally.place(notice.line, notice.column), notice.zh, notice.en));
    }
    // One line for all cells of a column that say the same sort of thing.
    let mut columns: BTreeMap<usize, Vec<&CellNotice>> = BTreeMap::new();
    tally.notices.iter().for_each(|notice| columns.entry(notice.column).or_default().push(notice));
    for notices in columns.values() {
        let Some(first) = notices.first() else { continue };
        let (place, count) = (tally.place(first.line, first.column), notices.len());
        let mut values: Vec<String> = notices.iter().map(|notice| output::shorten(&notice.value, 20)).collect();
        values.dedup();
        let more = if values.len() > NOTICE_VALUES_SHOWN { "…" } else { "" };
        values.truncate(NOTICE_VALUES_SHOWN);
        let values = values.join("、");
        context
            .out
            .line(format!("  {} {count} 处，如 {place}（{values}{more}）：{} {}", first.header, first.zh, first.en));
    }
    rest(context, tally.notices_count, false);
}

fn show_errors(context: &Context, tally: &Tally) {
    if tally.errors.is_empty() {
        return;
    }
    context.out.say("\n错误：", "Errors:");
    for fault in tally.errors.iter().take(SHOWN_MAX) {
        let value = if fault.value.is_empty() {
            String::new()
        } else {
            format!("“{}” ", output::shorten(&fault.value, 40))
        };
        let place = tally.place(fault.line, fault.column);
        context.out.line(format!("  {place} {} {value}{} {} [{}]", fault.header, fault.zh, fault.en, fault.code));
    }
    rest(context, tally.errors_count, true);
}

fn rest(context: &Context, count: usize, all_in_json: bool) {
    let Some(rest) = count.checked_sub(SHOWN_MAX).filter(|rest| *rest > 0) else { return };
    context.out.line(match all_in_json {
        true => format!("  还有 {rest} 处；加 --json 可看全部。and {rest} more; --json shows them all."),
        false => format!("  还有 {rest} 处。and {rest} more."),
    });
}

fn texts(texts: &[String]) -> Vec<Value> {
    texts.iter().map(|text| Value::from(text.as_str())).collect()
}

fn changes(tally: &Tally) -> Vec<Value> {
    let change = |change: &RowChange| {
        let fields = change
            .fields
            .iter()
            .map(|field| json!({"field": field.name, "zh": field.zh, "before": field.before, "after": field.after}));
        json!({
            "sheet": tally.name,
            "line": change.line,
            "external": change.external,
            "title": change.title,
            "fields": fields.collect::<Vec<_>>(),
        })
    };
    tally.changes.iter().map(change).collect()
}

fn withheld(tally: &Tally) -> Vec<Value> {
    let row = |row: &protocol::kind::sheet::WithheldRow| {
        json!({
            "sheet": tally.name,
            "line": row.line,
            "external": row.external,
            "title": row.title,
            "record": row.record.map(|id| id.to_string()),
            "reason_zh": row.reason_zh,
            "reason_en": row.reason_en,
        })
    };
    tally.withheld.iter().map(row).collect()
}

fn withdrawn(tally: &Tally) -> Vec<Value> {
    let row = |row: &protocol::kind::sheet::WithdrawnRow| json!({"sheet": tally.name, "line": row.line, "external": row.external, "title": row.title});
    tally.withdrawn.iter().map(row).collect()
}

fn skipped(tally: &Tally) -> Vec<Value> {
    let row = |(line, zh, en): &(usize, String, String)| json!({"sheet": tally.name, "line": line, "zh": zh, "en": en});
    tally.skipped.iter().map(row).collect()
}

fn notices_of(tally: &Tally) -> Vec<Value> {
    let of_header = tally.header_notices.iter().map(|notice| {
        let (line, column) = (notice.line, notice.column);
        json!({"sheet": tally.name, "line": line, "column": column_letter(column), "zh": notice.zh, "en": notice.en})
    });
    let of_cells = tally.notices.iter().map(|notice| {
        json!({
            "sheet": tally.name,
            "line": notice.line,
            "column": column_letter(notice.column),
            "header": notice.header,
            "value": notice.value,
            "zh": notice.zh,
            "en": notice.en,
        })
    });
    of_header.chain(of_cells).collect()
}

fn errors(tally: &Tally) -> Vec<Value> {
    let error = |fault: &Fault| {
        json!({
            "sheet": tally.name,
            "cell": tally.place(fault.line, fault.column),
            "line": fault.line,
            "column": column_letter(fault.column),
            "header": fault.header,
            "value": fault.value,
            "rule": fault.code,
            "zh": fault.zh,
            "en": fault.en,
        })
    };
    tally.errors.iter().map(error).collect()
}

fn sheet(tally: &Tally) -> Value {
    let units = tally.columns.assumed_units.iter().map(|(header, unit)| json!({"header": header, "unit": unit}));
    json!({
        "sheet": tally.name,
        "kind": tally.kind.name(),
        "header_line": tally.header_line,
        "read": tally.read,
        "filtered_out": tally.filtered_out,
        "new": tally.new,
        "changed": tally.changed,
        "unchanged": tally.unchanged,
        "withheld": tally.withheld.len(),
        "withdrawn": tally.withdrawn.len(),
        "skipped": tally.skipped.len(),
        "notices": tally.notices_count + tally.header_notices.len(),
        "errors": tally.errors_count,
        "rows_with_errors": tally.wrong_rows(),
        "local_columns": tally.columns.local,
        "ignored_columns": tally.columns.ignored,
        "assumed_units": units.collect::<Vec<_>>(),
        "members": tally.members,
        "published": tally.published,
    })
}

#[cfg(test)]
mod tests {
    use protocol::kind::sheet::{Columns, Numbers, Reader, Reading, Row};

    use super::*;
    use crate::command::statements;

    fn bad_report() -> Report {
        let kind = statements::kind("fund").expect("a built-in kind");
        let text = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let headers = text(&["基金编号", "名称", "机构类别", "规模"]);
        let rows = [
            Row { line: 4, cells: text(&["JJ1", "甲", "产业基金", "五个"]) },
            Row { line: 5, cells: text(&["JJ2", "乙", "产业基金", "5亿元"]) },
        ];
        let reader = Reader::new(kind, &headers, &[]).expect("a good header");
        let mut tally = Tally::new("基金", kind, 3, Columns::of(kind, &headers));
        let mut numbers = Numbers::default();
        for row in rows {
            let reading = numbers.admit(&reader, reader.read(&row));
            tally.take_reading(&reading);
            if let Reading::Good(row) = reading {
                tally.take_outcome(&reader.compare(row, None));
            }
        }
        Report { sheets: vec![(0, tally)], ..Report::default() }
    }

    #[test]
    fn errors_name_the_cell_as_spreadsheets_do() {
        let failure = bad_report().refused();
        assert_eq!(failure.exit, ExitCode::InputRefused);
        let json = failure.to_json();
        assert_eq!((&json["read"], &json["new"], &json["published"]), (&json!(2), &json!(1), &json!(0)));
        assert_eq!((&json["errors"][0]["cell"], &json["errors"][0]["column"]), (&json!("基金!D4"), &json!("D")));
        assert_eq!((&json["kind"], &json["sheets"][0]["rows_with_errors"]), (&json!("fund"), &json!(1)));
    }

    #[test]
    fn an_interruption_says_what_is_safe() {
        let mut report = bad_report();
        let failure = Failure::new(ExitCode::Interrupted, "interrupted", "中断", "interrupted");
        let before = report.interrupted(failure.clone(), false);
        assert!(before.to_string().contains("没有发布任何内容"));
        report.sheets[0].1.published = 1;
        let failure = report.interrupted(failure, true);
        assert!(failure.to_string().contains("已确认 1/1 条"));
        assert_eq!(failure.to_json()["published"], 1);
        assert_eq!(report.partly().exit, ExitCode::PartlyDone);
    }
}
