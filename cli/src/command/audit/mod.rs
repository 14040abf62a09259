//! `audit`: what lets an outsider check the federation.

mod bundle;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// What can be audited.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// 把一个成员的全部内容写成一个文件，离线即可证明没有缺漏。
    /// Write all that a member published to one file, which proves offline that nothing is left out
    Bundle(bundle::BundleArguments),
}

/// Does what was asked.
pub fn perform(context: &Context, command: AuditCommand) -> Result<(), Failure> {
    match command {
        AuditCommand::Bundle(arguments) => bundle::perform(context, &arguments),
    }
}
