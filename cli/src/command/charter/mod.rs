//! `charter`: who is a member, decided by registrars.

mod admit;
mod applications;
mod create;
mod expel;
mod invite;
mod refuse;
mod show;
pub(super) mod signing;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// What can be done with the charter.
#[derive(Debug, Subcommand)]
pub enum CharterCommand {
    /// 建立新联盟（试运行：一名登记人）。
    /// Found a federation (a trial: one registrar)
    Create(create::CreateArguments),
    /// 写一份邀请函。
    /// Write an invitation
    Invite(invite::InviteArguments),
    /// 待批的入盟申请。
    /// Applications that wait for a decision
    Applications,
    /// 批准入盟申请。
    /// Admit applicants
    Admit(admit::AdmitArguments),
    /// 不批准一份入盟申请。
    /// Turn an application away
    Refuse(refuse::RefuseArguments),
    /// 除名一个成员。
    /// Expel a member
    Expel(expel::ExpelArguments),
    /// 显示章程和成员。
    /// Show the charter and the members
    Show,
}

/// Does what was asked.
pub fn perform(context: &Context, command: CharterCommand) -> Result<(), Failure> {
    match command {
        CharterCommand::Create(arguments) => create::perform(context, &arguments),
        CharterCommand::Invite(arguments) => invite::perform(context, &arguments),
        CharterCommand::Applications => applications::perform(context),
        CharterCommand::Admit(arguments) => admit::perform(context, &arguments),
        CharterCommand::Refuse(arguments) => refuse::perform(context, &arguments),
        CharterCommand::Expel(arguments) => expel::perform(context, &arguments),
        CharterCommand::Show => show::perform(context),
    }
}
