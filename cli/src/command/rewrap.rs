//! `rewrap`: seals one's own confidential records anew where a reader cannot open them.

use clap::Args;
use node::api::types::{Rewrap, Rewrapped};

use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `rewrap`.
#[derive(Debug, Args)]
pub struct RewrapArguments {
    /// 只列出，不发布。
    /// Only say which they are
    #[arg(long)]
    dry_run: bool,
}

/// Finds and publishes.
pub fn perform(context: &Context, arguments: &RewrapArguments) -> Result<(), Failure> {
    let request = Rewrap { dry_run: arguments.dry_run };
    let done: Rewrapped = context.client()?.post("/v1/rewrap", &request)?;
    context.out.json(&done);
    for (label, readers) in &done.records {
        context.out.line(format!("{label}  {readers}"));
    }
    let count = done.records.len();
    match (count, done.published) {
        (0, _) => context.out.say("没有需要重新加密的记录。", "No record needs to be sealed anew."),
        (_, true) => {
            context.out.say(format!("已重新加密发布 {count} 条。"), format!("Sealed and published {count} anew."));
        }
        (_, false) => {
            context.out.say(format!("有 {count} 条需要重新加密。"), format!("{count} need to be sealed anew."));
        }
    }
    Ok(())
}
