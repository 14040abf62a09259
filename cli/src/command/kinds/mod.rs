//! `kinds`: what can be recorded. It asks no node: kinds are files, and these are the ones in use by this process.

mod check;
mod document;
mod explain;

use clap::{Args, Subcommand};
use node::kinds::{NamedSets, installed, set_view};
use protocol::kind::Kind;
use protocol::kind::document::{readers, writers};

use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `kinds`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct KindsArguments {
    /// 说明这个类别（英文名、中文名或编号）；缺省列出全部。
    /// Explain this kind (English or Chinese name, or number); by default all are listed
    #[arg(value_name = "KIND")]
    kind: Option<String>,
    #[command(subcommand)]
    command: Option<KindsCommand>,
}

/// What else can be done with kinds.
#[derive(Debug, Subcommand)]
enum KindsCommand {
    /// 检查类别文件，并给出与内置类别合成的类别集的哈希。
    /// Check kind files, and print the hash of the set that they make with the built-in kinds
    Check(check::CheckArguments),
    /// 写出全部类别的说明页（Markdown）。
    /// Write the page about all kinds (Markdown)
    Document(document::DocumentArguments),
}

impl KindsArguments {
    /// Whether kind files are to be judged.
    pub fn checks_files(&self) -> bool {
        matches!(self.command, Some(KindsCommand::Check(_)))
    }
}

/// Does what was asked.
pub fn perform(context: &Context, arguments: &KindsArguments) -> Result<(), Failure> {
    match (&arguments.command, &arguments.kind) {
        (Some(KindsCommand::Check(arguments)), _) => check::perform(context, arguments),
        (Some(KindsCommand::Document(arguments)), _) => document::perform(context, arguments),
        (None, Some(kind)) => explain::perform(context, kind),
        (None, None) => {
            list(context);
            Ok(())
        }
    }
}

fn list(context: &Context) {
    let installed = installed();
    context.out.json(&set_view(installed, &NamedSets::new()));
    let headers = ["编号", "名称", "类别", "Kind", "需求", "字段", "谁可写 writers", "谁可读 readers"];
    context.out.table(&headers, installed.set().kinds().map(row).collect());
    let (count, hash) = (installed.set().kinds().count(), installed.set().hash());
    context.out.say(format!("共 {count} 个类别，类别集 {hash}。"), format!("{count} kinds, set {hash}."));
    let extra: Vec<&str> = installed.extra_files().collect();
    if let Some(directory) = installed.directory() {
        let (directory, files) = (directory.display(), extra.join(", "));
        context
            .out
            .say(format!("附加类别文件（{directory}）：{files}"), format!("Extra kind files in {directory}: {files}"));
    }
}

fn row(kind: &Kind) -> Vec<String> {
    vec![
        kind.number().to_string(),
        kind.name().to_owned(),
        kind.zh().to_owned(),
        kind.en().to_owned(),
        kind.requirement().to_owned(),
        kind.fields().count().to_string(),
        writers(kind),
        readers(kind),
    ]
}
