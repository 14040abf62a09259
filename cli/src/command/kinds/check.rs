//! `kinds check`: judges kind files for whoever writes them.

use std::path::PathBuf;

use clap::Args;
use node::kinds::{extended, is_builtin, read_file};
use protocol::kind::Kind;
use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::home::kinds_failure;

/// Arguments of `kinds check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// 类别文件（TOML），可多个，一并检查。
    /// Kind files (TOML), judged together
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

/// Checks the files with the built-in kinds.
pub fn perform(context: &Context, arguments: &CheckArguments) -> Result<(), Failure> {
    let files = arguments.files.iter().map(|path| read_file(path)).collect::<Result<Vec<_>, _>>();
    let set = files.and_then(|files| extended(&files)).map_err(|error| kinds_failure(&error))?;
    let added: Vec<&Kind> = set.kinds().filter(|kind| !is_builtin(kind.number())).collect();
    let name = |kind: &&Kind| json!({"number": kind.number(), "name": kind.name(), "zh": kind.zh(), "en": kind.en()});
    context.out.json(&json!({"kinds": added.iter().map(name).collect::<Vec<_>>(), "hash": set.hash()}));
    for kind in &added {
        let (number, zh, en, fields) = (kind.number(), kind.zh(), kind.en(), kind.fields().count());
        context.out.say(
            format!("{number} {zh}：{fields} 个字段，合乎规则。"),
            format!("{number} {en}: {fields} fields, in order."),
        );
    }
    context.out.say(
        format!("与内置类别合成的类别集：{}", set.hash()),
        format!("The set with the built-in kinds: {}", set.hash()),
    );
    context.out.say(
        "下一步：各成员把文件放进数据目录的 kinds 目录，登记人执行 xianmeng charter kinds。",
        "Next: each member puts the files into `kinds` in its data directory, a registrar runs `xianmeng charter kinds`.",
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit_codes::ExitCode;
    use crate::output::Output;

    #[test]
    fn a_file_that_takes_a_built_in_number_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("orchard.toml");
        let context = Context::new(Some(folder.path().to_owned()), Output::new(true));
        let check = |content: &str| {
            std::fs::write(&path, content).expect("the directory is writable");
            perform(&context, &CheckArguments { files: vec![path.clone()] })
        };
        let good = "number = 9000\nname = \"orchard\"\nzh = \"果园\"\nen = \"Orchard\"\nwriters = [\"county\"]\n\
                    title = \"name\"\nexternal = \"name\"\n[[field]]\nnumber = 1\nname = \"name\"\nzh = \"名称\"\n\
                    en = \"Name\"\ntype = \"text\"\nobligatory = true\n";
        check(good).expect("the file is in order");
        let failure = check(&good.replace("9000", "104")).expect_err("the number is taken");
        assert_eq!((failure.exit, failure.code.as_ref()), (ExitCode::InputRefused, "kind-file"));
        assert!(failure.zh.contains("orchard.toml") && failure.zh.contains("104") && failure.en.contains("fund"));
    }
}
