//! `kinds document`: the page about all kinds in use.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use node::kinds::kinds;
use protocol::kind::document::document;
use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `kinds document`.
#[derive(Debug, Args)]
pub struct DocumentArguments {
    /// 写到这个文件（缺省写到标准输出）。
    /// Write it to this file (default: standard output)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Writes the page.
pub fn perform(context: &Context, arguments: &DocumentArguments) -> Result<(), Failure> {
    let page = document(kinds());
    let Some(path) = &arguments.out else {
        context.out.json(&json!({"hash": kinds().hash(), "document": page}));
        context.out.line(page.trim_end());
        return Ok(());
    };
    fs::write(path, &page).map_err(|error| Failure::file(path, &error))?;
    context.out.json(&json!({"hash": kinds().hash(), "out": path}));
    context.out.say(format!("已写入 {}。", path.display()), format!("Written to {}.", path.display()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::kind::KindSet;

    #[test]
    fn the_page_in_docs_is_that_of_the_built_in_kinds() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/KINDS.md");
        let written = fs::read_to_string(path).unwrap_or_default().replace("\r\n", "\n");
        assert!(
            written == document(KindSet::builtin()),
            "docs/KINDS.md is not that of the kind files; renew it with\n  \
             cargo run --release -p xianmeng -- kinds document --out docs/KINDS.md"
        );
    }
}
