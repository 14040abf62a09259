//! `key`: what concerns this node's keys and the log that they sign.

mod confirm_alone;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// What can be done about keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// 没有其他成员可问时，允许本节点只凭本机数据签署（有分叉的风险）。
    /// Let this node sign from its own disk alone when nobody else can be asked (risks a fork)
    ConfirmAlone(confirm_alone::ConfirmAloneArguments),
}

/// Does what was asked.
pub fn perform(context: &Context, command: KeyCommand) -> Result<(), Failure> {
    match command {
        KeyCommand::ConfirmAlone(arguments) => confirm_alone::perform(context, &arguments),
    }
}
