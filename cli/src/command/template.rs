//! `template`: empty sheets to fill in.

use std::path::{Path, PathBuf};

use clap::Args;
use node::workbook::write_template;
use protocol::kind::Kind;
use serde_json::json;

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

use super::export::refuse_existing;
use super::export_sheet::workbook_failure;
use super::statements;

/// Arguments of `template`.
#[derive(Debug, Args)]
pub struct TemplateArguments {
    /// 类别，例如 project 或 项目（可多个）。
    /// The kinds, for instance project
    #[arg(value_name = "KIND", required_unless_present = "all")]
    kinds: Vec<String>,
    /// 所有类别。
    /// Every kind
    #[arg(long, conflicts_with = "kinds")]
    all: bool,
    /// 写到哪个文件（缺省：当前目录下 模板-类别.xlsx）。
    /// The file to write (default: 模板-KIND.xlsx in the current directory)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// 覆盖已有文件。
    /// Overwrite the file
    #[arg(long)]
    force: bool,
}

/// Writes a workbook with one sheet per kind.
pub fn perform(context: &Context, arguments: &TemplateArguments) -> Result<(), Failure> {
    let kinds = kinds(arguments)?;
    let path = arguments.out.clone().unwrap_or_else(|| default_path(&kinds));
    refuse_other_format(&path)?;
    refuse_existing(&path, arguments.force)?;
    write_template(&path, &kinds, arguments.force).map_err(|error| workbook_failure(&path, &error))?;
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    context.out.json(&json!({"file": path, "kinds": names}));
    let zh = kinds.iter().map(|kind| kind.zh()).collect::<Vec<_>>().join("、");
    context.out.say(
        format!("模板已写到 {}：{zh}。", path.display()),
        format!("The template is in {}: {}.", path.display(), names.join(", ")),
    );
    context.out.say(
        "填好后先检查：xianmeng import 文件 --dry-run。",
        "When it is filled in, check it with `xianmeng import FILE --dry-run`.",
    );
    Ok(())
}

/// The kinds that were named, each once, in the order in which they were named.
fn kinds(arguments: &TemplateArguments) -> Result<Vec<&'static Kind>, Failure> {
    if arguments.all {
        return Ok(node::kinds::kinds().kinds().collect());
    }
    let mut kinds: Vec<&'static Kind> = Vec::new();
    for name in &arguments.kinds {
        let kind = statements::kind(name)?;
        if !kinds.iter().any(|known| known.number() == kind.number()) {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}

/// A workbook under the name of another format would only be found out when somebody opens it.
fn refuse_other_format(path: &Path) -> Result<(), Failure> {
    match path.extension() {
        Some(extension) if !extension.eq_ignore_ascii_case("xlsx") => {
            let name = path.display();
            let (zh, en) = (format!("{name}：模板只有 xlsx 格式。"), format!("{name}: templates are xlsx files"));
            let failure = Failure::new(ExitCode::InputRefused, "template-format", zh, en);
            Err(failure.fix("把 --out 的文件名改为以 .xlsx 结尾。", "end the name that --out gives in .xlsx"))
        }
        _ => Ok(()),
    }
}

fn default_path(kinds: &[&Kind]) -> PathBuf {
    match kinds {
        [only] => PathBuf::from(format!("模板-{}.xlsx", only.zh().replace('/', "-"))),
        _ => PathBuf::from("模板.xlsx"),
    }
}

#[cfg(test)]
mod tests {
    use protocol::kind::KindSet;

    use super::*;

    fn arguments(kinds: &[&str], all: bool) -> TemplateArguments {
        let kinds = kinds.iter().map(|kind| (*kind).to_owned()).collect();
        TemplateArguments { kinds, all, out: None, force: false }
    }

    #[test]
    fn a_kind_is_named_in_either_language_and_counts_once() {
        let named = kinds(&arguments(&["基金", "project", "fund"], false)).expect("known kinds");
        assert_eq!(named.iter().map(|kind| kind.name()).collect::<Vec<_>>(), ["fund", "project"]);
        assert_eq!(default_path(&named[..1]), PathBuf::from("模板-基金.xlsx"));
        assert_eq!(default_path(&named), PathBuf::from("模板.xlsx"));
        assert_eq!(kinds(&arguments(&[], true)).map(|kinds| kinds.len()), Ok(KindSet::builtin().kinds().count()));
        assert_eq!(kinds(&arguments(&["village"], false)).expect_err("unknown").code, "kind-unknown");
    }

    #[test]
    fn a_template_goes_by_no_other_format() {
        let refused = refuse_other_format(Path::new("需求.csv")).expect_err("it would be a workbook");
        assert_eq!(refused.code, "template-format");
        for name in ["需求.xlsx", "需求.XLSX", "需求"] {
            assert_eq!(refuse_other_format(Path::new(name)), Ok(()));
        }
    }
}
