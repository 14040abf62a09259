//! `import-bundle`: reads a file that was exported elsewhere into the node (sneaker-net).

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use clap::Args;
use node::api::types::BundleImported;
use node::directory::DataDirectory;
use protocol::bundle::{PREAMBLE_BYTES, read_preamble};

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::home;

/// Arguments of `import-bundle`.
#[derive(Debug, Args)]
pub struct ImportBundleArguments {
    /// 导出文件。
    /// The exported file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Sends the file to the node, which verifies everything in it.
pub fn perform(context: &Context, arguments: &ImportBundleArguments) -> Result<(), Failure> {
    let (directory, client) = (context.directory()?, context.client()?);
    check_federation(&directory, &arguments.file)?;
    let file = File::open(&arguments.file).map_err(|error| Failure::file(&arguments.file, &error))?;
    let imported: BundleImported = client.post_file("/v1/bundles", file)?;
    context.out.json(&imported);
    let BundleImported { blocks_new, entries_new, entries_known, proofs_new, refused } = &imported;
    context.out.say(
        format!("新章程块 {blocks_new}，新条目 {entries_new}，已有条目 {entries_known}，新分叉证明 {proofs_new}。"),
        format!(
            "{blocks_new} new blocks, {entries_new} new entries, {entries_known} known, {proofs_new} new fork proofs."
        ),
    );
    for (reason, count) in refused {
        context.out.line(format!("未收 refused [{reason}]: {count}"));
    }
    Ok(())
}

fn check_federation(directory: &DataDirectory, path: &std::path::Path) -> Result<(), Failure> {
    let mut preamble = Vec::new();
    let file = File::open(path).map_err(|error| Failure::file(path, &error))?;
    file.take(PREAMBLE_BYTES as u64).read_to_end(&mut preamble).map_err(|error| Failure::file(path, &error))?;
    let federation = read_preamble(&preamble).map_err(|_| {
        let (zh, en) =
            (format!("{} 不是县盟的导出文件。", path.display()), format!("{} is no Xianmeng bundle", path.display()));
        Failure::new(ExitCode::InputRefused, "not-a-bundle", zh, en).fix(
            "导出文件由 xianmeng export 写出；表格请用 xianmeng import。",
            "`xianmeng export` writes bundles; for sheets use `xianmeng import`",
        )
    })?;
    let genesis = directory.genesis().map_err(|error| home::directory_failure(&error))?;
    if genesis.is_some_and(|genesis| genesis.hash().as_bytes() != federation.as_bytes()) {
        let (zh, en) = ("这个文件属于另一个联盟。", "the file is of another federation");
        return Err(Failure::new(ExitCode::DataDirectory, "other-federation", zh, en));
    }
    Ok(())
}
