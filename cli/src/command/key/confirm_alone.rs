//! `key confirm-alone`: the operator's word that nobody else can confirm where this node's log ends.

use clap::Args;
use node::api::types::Status;
use node::place;
use serde_json::json;

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// Arguments of `key confirm-alone`.
#[derive(Debug, Args)]
pub struct ConfirmAloneArguments {
    /// 我已确认没有其他成员可问，也没有别的进程在用本节点的密钥。
    /// I made sure that nobody else can be asked and that no other process uses this node's keys
    #[arg(long)]
    yes: bool,
}

/// Lets a waiting node sign without the confirmation of other members.
pub fn perform(context: &Context, arguments: &ConfirmAloneArguments) -> Result<(), Failure> {
    let status: Status = context.client()?.get("/v1/status", &[])?;
    if status.signing.ready {
        context.out.json(&json!({"ready": true}));
        context.out.say("本节点本来就可以签署。", "This node may sign already.");
        return Ok(());
    }
    if !arguments.yes {
        let (zh, en) = (
            "这会让节点只凭本机数据继续它的日志。若本机数据旧于曾经发布的，日志将分叉并被冻结，只能由登记人换密钥恢复。",
            "this makes the node continue its log from this disk alone. If the disk is older than what was published, \
             the log forks and is frozen until a registrar grants a new key",
        );
        return Err(Failure::new(ExitCode::NotAllowed, "confirmation-needed", zh, en)
            .fix("确实没有其他成员可问时，加上 --yes。", "add --yes if there really is no other member to ask"));
    }
    let directory = context.directory()?;
    place::confirm_alone(directory.path()).map_err(|error| crate::home::directory_failure(&error))?;
    context.out.json(&json!({"confirmed": true}));
    context.out.say("已记下；节点随即可以签署。", "Noted; the node may sign in a moment.");
    Ok(())
}
