//! `charter pin`: decides for one of two blocks when the registrars contradicted themselves (DESIGN 4.5).

use clap::Args;
use node::api::types::CharterView;
use node::pins;
use protocol::identity::BlockHash;
use serde_json::json;

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::home;

/// Arguments of `charter pin`.
#[derive(Debug, Args)]
pub struct PinArguments {
    /// 本节点知道的区块号（或其开头），或 版本:区块号。
    /// A block that this node knows, by how its hash begins, or VERSION:HASH
    #[arg(value_name = "BLOCK")]
    block: String,
    /// 已与登记人核实。
    /// It was checked with the registrars
    #[arg(long, short)]
    yes: bool,
}

/// Writes the pin; the node follows it from its next start.
pub fn perform(context: &Context, arguments: &PinArguments) -> Result<(), Failure> {
    let directory = context.directory()?;
    let (version, hash) = match arguments.block.split_once(':') {
        Some((version, hash)) => {
            let pin = version.trim().parse().ok().zip(hash.trim().parse().ok());
            pin.ok_or_else(|| unknown(&arguments.block))?
        }
        None => known(&context.client()?.get("/v1/charter", &[])?, &arguments.block)?,
    };
    context.out.say(
        format!("将锁定章程第 {version} 块为 {hash}。"),
        format!("Block {version} of the charter will be bound to {hash}."),
    );
    if !arguments.yes {
        let (zh, en) = ("锁定之前请打电话与各登记人核实。", "call the registrars before you pin a block");
        return Err(
            Failure::new(ExitCode::NotAllowed, "not-confirmed", zh, en).fix("核实后加 --yes。", "then add --yes")
        );
    }
    pins::add_pin(&directory, version, hash).map_err(|error| home::directory_failure(&error))?;
    context.out.json(&json!({"version": version, "hash": hash, "restart": true}));
    context.out.say("已锁定；请重启节点使其生效。", "Pinned; restart the node so that it takes effect.");
    Ok(())
}

fn known(charter: &CharterView, text: &str) -> Result<(u32, BlockHash), Failure> {
    let begins = text.trim().to_lowercase();
    let blocks = charter.blocks.iter().chain(&charter.rival);
    let found: Vec<_> = blocks.filter(|block| begins.len() >= 8 && block.hash.starts_with(&begins)).collect();
    match found[..] {
        [block] => Ok((block.version, block.hash.parse().map_err(Failure::internal)?)),
        _ => Err(unknown(text)),
    }
}

fn unknown(text: &str) -> Failure {
    let (zh, en) = (format!("没有这样的区块：{text}"), format!("there is no such block: {text}"));
    Failure::new(ExitCode::NotFound, "block-unknown", zh, en).fix(
        "写出区块号的前 8 个以上字符，或 版本:完整区块号；xianmeng charter show --rival 可查。",
        "give 8 characters or more of its hash, or VERSION:HASH; see `xianmeng charter show --rival`",
    )
}
