//! What an import would do or did, for people and for programs.

use node::api::types::ProblemDetail;
use protocol::kind::Kind;
use protocol::kind::sheet::Plan;
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::output;

/// Rows of one table before the rest is only counted.
const ROWS_SHOWN_MAX: usize = 30;

/// Shows the plan to people.
pub fn show(context: &Context, kind: &Kind, plan: &Plan) {
    let mut pairs = vec![
        ("类别", format!("{} {}", kind.zh(), kind.en())),
        ("读入", format!("{} 行", plan.rows_read)),
        ("新增", plan.creates.len().to_string()),
        ("变更", plan.revisions.len().to_string()),
        ("不变", plan.unchanged.to_string()),
        ("不出本节点", plan.withheld.len().to_string()),
        ("错误", plan.errors.len().to_string()),
    ];
    let counted = |name, count: usize| (count > 0).then(|| (name, count.to_string()));
    pairs.extend(counted("未选中", plan.filtered_out));
    pairs.extend(counted("已撤回", plan.withdrawn.len()));
    let named = |name, columns: &[String]| (!columns.is_empty()).then(|| (name, columns.join("、")));
    pairs.extend(named("留在本节点的列", &plan.local_columns));
    pairs.extend(named("不认识的列", &plan.ignored_columns));
    for (header, unit) in &plan.assumed_units {
        pairs.push(("按此单位读", format!("“{header}”未写单位，按 {unit}")));
    }
    context.out.line(output::pairs(&pairs));
    show_withheld(context, plan);
    show_errors(context, plan);
}

fn show_withheld(context: &Context, plan: &Plan) {
    if plan.withheld.is_empty() {
        return;
    }
    context.out.say("\n以下各行不出本节点：", "These rows stay on this node:");
    let rows = plan.withheld.iter().take(ROWS_SHOWN_MAX);
    let rows =
        rows.map(|row| vec![row.line.to_string(), row.external.clone(), row.title.clone(), row.reason_zh.clone()]);
    context.out.table(&["行", "编号", "名称", "原因"], rows.collect());
    rest(context, plan.withheld.len());
    if plan.withheld.iter().any(|row| row.record.is_some()) {
        context.out.say(
            "注意：其中有的以前发布过，请考虑撤回。",
            "Note: some of them were published before; consider withdrawing them.",
        );
    }
}

fn show_errors(context: &Context, plan: &Plan) {
    if plan.errors.is_empty() {
        return;
    }
    context.out.say("\n错误：", "Errors:");
    for error in plan.errors.iter().take(ROWS_SHOWN_MAX) {
        let value = if error.value.is_empty() {
            String::new()
        } else {
            format!("“{}” ", output::shorten(&error.value, 40))
        };
        let place = place(error.line, &error.letter());
        context.out.line(format!("  {place} {} {value}{} {} [{}]", error.header, error.zh, error.en, error.rule.id()));
    }
    rest(context, plan.errors.len());
}

fn rest(context: &Context, count: usize) {
    if count > ROWS_SHOWN_MAX {
        let rest = count - ROWS_SHOWN_MAX;
        context.out.line(format!("  还有 {rest} 处；加 --json 可看全部。and {rest} more; --json shows them all."));
    }
}

/// A cell as spreadsheets name it: `C12`; a whole row is `第 12 行`, the header `表头`.
fn place(line: usize, letter: &str) -> String {
    match (line, letter) {
        (0, "") => "表头".into(),
        (0, letter) => format!("表头 {letter}1"),
        (line, "") => format!("第 {line} 行"),
        (line, letter) => format!("{letter}{line}"),
    }
}

/// Nothing was published, because of errors.
pub fn refused(kind: &Kind, plan: &Plan) -> Failure {
    let (count, lines) = (plan.errors.len(), super::wrong_lines(plan).len());
    let (zh, en) = (
        format!("有 {lines} 行共 {count} 处错误，一条也没有发布。"),
        format!("{count} errors in {lines} rows, so nothing was published"),
    );
    // People have seen the errors in the table above; programs find them in the report.
    Failure::new(ExitCode::InputRefused, "sheet-errors", zh, en)
        .fix(
            "请改正后再导入；只想先发无错的行，请加 --partial。",
            "correct them and import again; --partial publishes the rows without errors",
        )
        .report(value(kind, plan, 0))
}

/// The plan for programs.
pub fn value(kind: &Kind, plan: &Plan, published: usize) -> Value {
    let withheld = plan.withheld.iter().map(|row| {
        json!({
            "line": row.line,
            "external": row.external,
            "title": row.title,
            "record": row.record.map(|id| id.to_string()),
            "reason_zh": row.reason_zh,
            "reason_en": row.reason_en,
        })
    });
    let errors = plan.errors.iter().map(|error| {
        json!({
            "line": error.line,
            "column": error.letter(),
            "header": error.header,
            "value": error.value,
            "rule": error.rule.id(),
            "zh": error.zh,
            "en": error.en,
        })
    });
    let withdrawn = plan.withdrawn.iter().map(|row| json!({"line": row.line, "external": row.external}));
    json!({
        "kind": kind.name(),
        "read": plan.rows_read,
        "filtered_out": plan.filtered_out,
        "new": plan.creates.len(),
        "changed": plan.revisions.len(),
        "unchanged": plan.unchanged,
        "withheld": withheld.collect::<Vec<_>>(),
        "withdrawn": withdrawn.collect::<Vec<_>>(),
        "errors": errors.collect::<Vec<_>>(),
        "local_columns": plan.local_columns,
        "ignored_columns": plan.ignored_columns,
        "published": published,
    })
}

/// Adds what was published to a failure in the middle of an import.
pub fn interrupted(mut failure: Failure, kind: &Kind, plan: &Plan, acknowledged: usize, all: usize) -> Failure {
    let note = |zh: &str, en: &str| ProblemDetail {
        at: String::new(),
        code: "acknowledged".into(),
        zh: zh.to_owned(),
        en: en.to_owned(),
    };
    failure.details.push(note(
        &format!("已确认 {acknowledged}/{all} 条，不会丢失；再执行一次同样的命令会接着发。"),
        &format!("{acknowledged} of {all} are acknowledged and safe; the same command goes on from there."),
    ));
    failure.report(value(kind, plan, acknowledged))
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::kind::KindSet;
    use protocol::kind::sheet::{Row, Table, plan};

    fn bad_plan() -> (&'static Kind, Plan) {
        let kind = KindSet::builtin().kind_named("fund").expect("a built-in kind");
        let text = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let table = Table {
            headers: text(&["基金编号", "名称", "机构类别", "规模"]),
            rows: vec![
                Row { line: 2, cells: text(&["JJ1", "甲", "产业基金", "五个"]) },
                Row { line: 3, cells: text(&["JJ2", "乙", "产业基金", "5亿元"]) },
            ],
        };
        (kind, plan(kind, &table, &[], &|_| None))
    }

    #[test]
    fn errors_name_the_cell_as_spreadsheets_do() {
        let (kind, plan) = bad_plan();
        let failure = refused(kind, &plan);
        assert_eq!(failure.exit, ExitCode::InputRefused);
        let json = failure.to_json();
        assert_eq!((&json["read"], &json["new"], &json["published"]), (&json!(2), &json!(1), &json!(0)));
        assert_eq!((&json["errors"][0]["line"], &json["errors"][0]["column"]), (&json!(2), &json!("D")));
        assert_eq!(place(12, "C"), "C12");
        assert_eq!((place(0, "C"), place(3, "")), ("表头 C1".into(), "第 3 行".into()));
    }

    #[test]
    fn an_interruption_says_what_is_safe() {
        let (kind, plan) = bad_plan();
        let failure = Failure::new(ExitCode::Interrupted, "interrupted", "中断", "interrupted");
        let failure = interrupted(failure, kind, &plan, 1, 3);
        assert!(failure.to_string().contains("已确认 1/3 条"));
        assert_eq!(failure.to_json()["published"], 1);
    }
}
