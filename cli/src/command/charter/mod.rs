//! `charter`: who is a member, decided by registrars or by ballot.

pub mod act;
mod admit;
mod applications;
mod block_file;
mod class_key;
mod confirm;
mod create;
mod invite;
mod lead_holder;
mod pin;
mod record;
mod refuse;
mod seals;
mod show;
mod sign;
pub mod signing;
mod status;

use act::Act;
use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

/// What a trial is, and how it becomes a federation.
pub const TRIAL_ZH: &str = "试运行：一个成员就能改章程。转为正式：再接纳两个成员，\
    charter grant-role registrar 各给一席，然后 charter rules --threshold 2。";
/// The same in English.
pub const TRIAL_EN: &str = "Trial: one member alone can change the charter. To end it, admit two more members, give each \
    a seat with `charter grant-role registrar MEMBER`, then `charter rules --threshold 2`.";

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
    /// 不批准一份入盟申请。
    /// Turn an application away
    Refuse(refuse::RefuseArguments),
    /// 只提出一个区块，由登记人签署或成员投票。
    /// Only propose a block, for registrars to sign or members to vote
    Propose(Box<sign::ProposeArguments>),
    /// 签署一个提案（登记人），或投票（成员）。
    /// Sign a proposal as a registrar, or vote for it as a member
    Sign(sign::SignArguments),
    /// 撤回自己对提案的签名。
    /// Take one's signature under a proposal back
    Withdraw(sign::WithdrawArguments),
    /// 提交文件里签好的区块。
    /// Hand in a block that was signed in a file
    Submit(sign::SubmitArguments),
    /// 待签的提案、还差谁、需要留意的事。
    /// Open proposals, who is missing, and what needs attention
    Status,
    /// 在互相矛盾的两个区块中选定一个。
    /// Decide for one of two blocks that contradict each other
    Pin(pin::PinArguments),
    /// 显示章程和成员。
    /// Show the charter and the members
    Show(show::ShowArguments),
    /// What a block can do.
    #[command(flatten)]
    Act(Box<Act>),
}

/// Does what was asked.
pub fn perform(context: &Context, command: CharterCommand) -> Result<(), Failure> {
    match command {
        CharterCommand::Create(arguments) => create::perform(context, &arguments),
        CharterCommand::Invite(arguments) => invite::perform(context, &arguments),
        CharterCommand::Applications => applications::perform(context),
        CharterCommand::Refuse(arguments) => refuse::perform(context, &arguments),
        CharterCommand::Propose(arguments) => sign::propose(context, &arguments),
        CharterCommand::Sign(arguments) => sign::sign(context, &arguments),
        CharterCommand::Withdraw(arguments) => sign::withdraw(context, &arguments),
        CharterCommand::Submit(arguments) => sign::submit(context, &arguments),
        CharterCommand::Status => status::perform(context),
        CharterCommand::Pin(arguments) => pin::perform(context, &arguments),
        CharterCommand::Show(arguments) => show::perform(context, &arguments),
        CharterCommand::Act(act) => carry_out(context, &act),
    }
}

/// Signs an act as a registrar and hands it in.
fn carry_out(context: &Context, act: &Act) -> Result<(), Failure> {
    if let Act::Admit(arguments) = act {
        return admit::perform(context, arguments);
    }
    let mut session = signing::Session::open(context)?;
    let draft = act.draft(context, &session)?;
    let handed = session.decide(context, draft)?;
    signing::report(context, &handed);
    Ok(())
}
