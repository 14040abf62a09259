//! `charter propose`, `sign`, `withdraw` and `submit`: how several people come to sign one block.

use std::path::PathBuf;

use clap::Args;
use node::api::types::{Endorse, ProposalView, ProposeBlock};
use node::charter_words::describe;
use protocol::charter::{Charter, SignedBlock};
use protocol::identity::{PublicKey, Signature, public_key};
use serde_json::json;

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::time;

use super::act::Act;
use super::block_file::BlockFile;
use super::confirm;
use super::record::SigningRecord;
use super::signing::{self, Session, check_clock};
use crate::home::governance_key;

/// Arguments of `charter propose`.
#[derive(Debug, Args)]
pub struct ProposeArguments {
    /// 只把区块写到文件（不覆盖），不提交。
    /// Only write the block to a file (never overwritten)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(subcommand)]
    act: Act,
}

/// Arguments of `charter sign`.
#[derive(Debug, Args)]
pub struct SignArguments {
    /// 提案号或其开头（只有一个提案时可省）。
    /// The proposal, or how its hash begins (may be left out if there is only one)
    #[arg(value_name = "HASH", conflicts_with = "block")]
    hash: Option<String>,
    /// 看过内容，不再询问。
    /// Do not ask: it was read already
    #[arg(long, short)]
    yes: bool,
    /// 签署文件里的区块，不需要节点。
    /// Sign a block in a file, without a node
    #[arg(long, value_name = "FILE", requires = "out")]
    block: Option<PathBuf>,
    /// 别处的治理密钥文件。
    /// A governance key in a file elsewhere
    #[arg(long, value_name = "FILE")]
    governance_key: Option<PathBuf>,
    /// 签好的区块写到哪里（不覆盖）。
    /// Where the signed block goes (never overwritten)
    #[arg(long, value_name = "FILE", requires = "block")]
    out: Option<PathBuf>,
}

/// Arguments of `charter withdraw`.
#[derive(Debug, Args)]
pub struct WithdrawArguments {
    /// 提案号或其开头。
    /// The proposal, or how its hash begins
    #[arg(value_name = "HASH")]
    hash: String,
}

/// Arguments of `charter submit`.
#[derive(Debug, Args)]
pub struct SubmitArguments {
    /// 区块文件。
    /// The file of the block
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Proposes a block that nobody has signed yet.
pub fn propose(context: &Context, arguments: &ProposeArguments) -> Result<(), Failure> {
    let session = Session::open(context)?;
    let block = session.block(arguments.act.draft(context, &session)?)?;
    show(context, &block, Some(&session.charter));
    if let Some(path) = &arguments.out {
        BlockFile::new(&session.charter, &block).write_new(path)?;
        context.out.json(&json!({"state": "written", "hash": block.hash(), "file": path}));
        context.out.say(
            format!("区块已写入 {}；在有治理密钥的机器上用 xianmeng charter sign --block 签署。", path.display()),
            format!(
                "The block is in {}; sign it with `xianmeng charter sign --block` where the key is.",
                path.display()
            ),
        );
        return Ok(());
    }
    let request = ProposeBlock { block: hex::encode(block.encode()) };
    let handed = signing::handed(session.client.post("/v1/charter/proposals", &request)?)?;
    signing::report(context, &handed);
    Ok(())
}

/// Signs a proposal, as a registrar or as a ballot.
pub fn sign(context: &Context, arguments: &SignArguments) -> Result<(), Failure> {
    if let (Some(block), Some(out)) = (&arguments.block, &arguments.out) {
        return sign_file(context, arguments, block, out);
    }
    let session = Session::open(context)?;
    let block = choose(&session, arguments.hash.as_deref())?;
    show(context, &block, Some(&session.charter));
    // What enough signatures could not carry is not worth one.
    session.charter.check_proposal(block.block()).map_err(|error| {
        Failure::new(ExitCode::InputRefused, "charter-rule", format!("章程不允许：{error}"), error.to_string())
    })?;
    check_clock(block.block().time_ms, time::now_ms())?;
    let governance = governance_key(context, arguments.governance_key.as_deref())?;
    confirm::agreed(context, arguments.yes)?;
    let key = public_key(&governance);
    signing::warn_again(context, record(context, arguments)?.note(&key, block.block().version, block.hash())?);
    let signature = signature_of(&block, &governance, &session.charter.federation())?;
    let request = Endorse {
        block: block.hash().to_string(),
        key: key.to_string(),
        signature: Some(signature.to_string()),
        withdraw: false,
    };
    let handed = signing::handed(session.client.post("/v1/charter/endorsements", &request)?)?;
    signing::report(context, &handed);
    Ok(())
}

fn record(context: &Context, arguments: &SignArguments) -> Result<SigningRecord, Failure> {
    match &arguments.governance_key {
        Some(file) => Ok(SigningRecord::of_key_file(file)),
        None => Ok(SigningRecord::of_directory(&context.directory()?)),
    }
}

fn signature_of(
    block: &SignedBlock,
    governance: &ed25519_dalek::SigningKey,
    federation: &protocol::identity::FederationId,
) -> Result<Signature, Failure> {
    let mut signed = block.clone();
    signed.sign(governance, federation);
    signed.signatures().get(&public_key(governance)).copied().ok_or_else(|| Failure::internal("no signature"))
}

/// Without a node there is no charter to compare with: the words come from the block alone.
fn sign_file(
    context: &Context,
    arguments: &SignArguments,
    path: &std::path::Path,
    out: &std::path::Path,
) -> Result<(), Failure> {
    let (file, mut block) = BlockFile::read(path)?;
    context.out.line(format!("{}  {}", file.federation_name, file.federation));
    show(context, &block, None);
    check_clock(block.block().time_ms, time::now_ms())?;
    let governance = governance_key(context, arguments.governance_key.as_deref())?;
    confirm::agreed(context, arguments.yes)?;
    let key = public_key(&governance);
    signing::warn_again(context, record(context, arguments)?.note(&key, block.block().version, block.hash())?);
    block.sign(&governance, &file.federation);
    file.with(&block).write_new(out)?;
    let signatures = block.signatures().len();
    context.out.json(&json!({"state": "signed", "hash": block.hash(), "signatures": signatures, "file": out}));
    context.out.say(
        format!("已签署，共 {signatures} 个签名，写入 {}；用 xianmeng charter submit 提交。", out.display()),
        format!("Signed, {signatures} signatures, in {}; hand it in with `xianmeng charter submit`.", out.display()),
    );
    Ok(())
}

/// Takes the own signature back.
pub fn withdraw(context: &Context, arguments: &WithdrawArguments) -> Result<(), Failure> {
    let session = Session::open(context)?;
    let block = choose(&session, Some(&arguments.hash))?;
    let key: PublicKey = public_key(&governance_key(context, None)?);
    let request = Endorse { block: block.hash().to_string(), key: key.to_string(), signature: None, withdraw: true };
    let handed = signing::handed(session.client.post("/v1/charter/endorsements", &request)?)?;
    SigningRecord::of_directory(&session.directory).withdraw(&key, block.hash())?;
    context.out.say(
        "已撤回；签名本身收不回来，谁手里有它仍可使用。",
        "Withdrawn. The signature itself cannot be unmade: whoever has it can still use it.",
    );
    signing::report(context, &handed);
    Ok(())
}

/// Hands in a block from a file, with whatever signatures it has.
pub fn submit(context: &Context, arguments: &SubmitArguments) -> Result<(), Failure> {
    let (file, block) = BlockFile::read(&arguments.file)?;
    let mut session = Session::open(context)?;
    if file.federation != session.charter.federation() {
        let (zh, en) = ("这个区块属于另一个联盟。", "the block is of another federation");
        return Err(Failure::new(ExitCode::InputRefused, "other-federation", zh, en));
    }
    show(context, &block, Some(&session.charter));
    let handed = session.hand_in(&block)?;
    signing::report(context, &handed);
    Ok(())
}

fn choose(session: &Session, hash: Option<&str>) -> Result<SignedBlock, Failure> {
    let open: Vec<ProposalView> = session.client.get("/v1/charter/proposals", &[])?;
    let begins = hash.unwrap_or_default().to_lowercase();
    let found: Vec<_> = open.iter().filter(|proposal| proposal.hash.starts_with(&begins)).collect();
    let fix =
        |failure: Failure| failure.fix("xianmeng charter status 列出提案。", "`xianmeng charter status` lists them");
    match found[..] {
        [one] => signing::decode(&one.bytes),
        [] => Err(fix(Failure::new(
            ExitCode::NotFound,
            "proposal-unknown",
            "没有这样的提案，或章程已经前进。",
            "there is no such proposal, or the charter has moved on",
        ))),
        _ => Err(fix(Failure::new(
            ExitCode::NotFound,
            "proposal-ambiguous",
            format!("有 {} 个提案，请写出提案号。", found.len()),
            format!("{} proposals fit: name one", found.len()),
        ))),
    }
}

/// What a block does, in words made of its own bytes.
fn show(context: &Context, block: &SignedBlock, charter: Option<&Charter>) {
    let content = block.block();
    context.out.line(format!(
        "章程第 {} 块 block {}  {}  {}",
        content.version,
        content.version,
        block.hash().short(),
        time::show(content.time_ms)
    ));
    for operation in &content.operations {
        let words = describe(operation, charter);
        context.out.say(format!("  - {}", words.zh), format!("    {}", words.en));
    }
    context.out.line(format!("  到期 expires {}", time::show(content.expires_ms)));
}
