//! Signing the next block: the one place where a governance key signs (DESIGN 4.5).
//!
//! Two blocks of one version are an equivocation that every node keeps as a proof, so the last block that this key
//! signed is on disk before anybody sees it. When its way to the node was interrupted, that very block is sent
//! again, and the next one follows it.

use std::fs;
use std::path::PathBuf;

use node::api::types::{AppendBlock, CharterView};
use node::directory::{DataDirectory, replace_file};
use protocol::charter::{Charter, Operation, SignedBlock};
use protocol::identity::public_key;
use protocol::limits::BLOCK_AHEAD_MS_MAX;

use crate::client::Client;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::{home, time};

/// The last block that this directory's governance key signed.
const SIGNED_BLOCK: &str = "signed.block";

/// The charter that the node holds, checked from its genesis block on.
pub fn fetch(client: &Client, directory: &DataDirectory) -> Result<(Charter, CharterView), Failure> {
    let view: CharterView = client.get("/v1/charter", &[])?;
    let charter = rebuild(&view)?;
    let own = directory.genesis().map_err(|error| home::directory_failure(&error))?;
    if own.is_some_and(|own| own.hash().as_bytes() != charter.federation().as_bytes()) {
        let (zh, en) = ("节点的章程属于另一个联盟。", "the node's charter is of another federation");
        return Err(Failure::new(ExitCode::DataDirectory, "other-federation", zh, en));
    }
    Ok((charter, view))
}

fn rebuild(view: &CharterView) -> Result<Charter, Failure> {
    let mut charter: Option<Charter> = None;
    for block in &view.blocks {
        let block = hex::decode(&block.bytes).map_err(Failure::internal)?;
        let block = SignedBlock::decode(&block).map_err(Failure::internal)?;
        match &mut charter {
            None => charter = Some(Charter::genesis(block).map_err(Failure::internal)?),
            Some(charter) => drop(charter.append(block).map_err(Failure::internal)?),
        }
    }
    charter.ok_or_else(|| {
        Failure::new(
            ExitCode::NotAllowed,
            "joining",
            "节点还没有章程：尚未入盟。",
            "the node has no charter yet: it is not admitted",
        )
    })
}

/// Signs a block with the operations that `operations` makes of the charter, and hands it to the node.
pub fn sign_and_send(
    context: &Context,
    operations: impl FnOnce(&Charter) -> Result<Vec<Operation>, Failure>,
) -> Result<Charter, Failure> {
    let (directory, client) = (context.directory()?, context.client()?);
    let (mut charter, view) = fetch(&client, &directory)?;
    let governance = home::governance_key(context, None)?;
    if !charter.registrars().contains_key(&public_key(&governance)) {
        let (zh, en) = ("本节点不是登记人，不能签署章程块。", "this node is no registrar and signs no charter blocks");
        return Err(Failure::new(ExitCode::NotAllowed, "not-registrar", zh, en)
            .fix("请在登记人的节点上执行。", "run this on the node of a registrar"));
    }
    let pending = PendingBlock::of(&directory);
    pending.resend(&mut charter, &client)?;
    let operations = operations(&charter)?;
    let now_ms = time::now_ms();
    check_clock(charter.tip_block().time_ms, now_ms)?;
    // A block keeps the term of the charter that it continues.
    let expires_ms = view.expires_ms.max(now_ms + time::DAY_MS);
    let block = charter.next_block(now_ms, expires_ms, operations);
    let mut signed = SignedBlock::unsigned(block).map_err(|error| {
        Failure::new(
            ExitCode::InputRefused,
            "block-refused",
            format!("这个区块不合规则：{error}"),
            format!("the block breaks a rule: {error}"),
        )
    })?;
    if charter.threshold() > 1 {
        let threshold = charter.threshold();
        let (zh, en) = (
            format!("章程要求 {threshold} 名登记人签署，本版本的命令行还不能汇集签名。"),
            format!("{threshold} registrars must sign, and this version cannot collect signatures yet"),
        );
        return Err(Failure::new(ExitCode::NotAllowed, "more-signatures", zh, en));
    }
    signed.sign(&governance, &charter.federation());
    charter.append(signed.clone()).map_err(|error| {
        Failure::new(ExitCode::InputRefused, "charter-rule", format!("章程不允许：{error}"), error.to_string())
    })?;
    pending.keep(&signed)?;
    send(&client, &signed)?;
    Ok(charter)
}

/// A block is never dated more than ten minutes ahead of the signer's clock, so a clock that far behind signs nothing.
fn check_clock(tip_ms: u64, now_ms: u64) -> Result<(), Failure> {
    if tip_ms <= now_ms + BLOCK_AHEAD_MS_MAX {
        return Ok(());
    }
    let behind = (tip_ms - now_ms) / 60_000;
    let (zh, en) = (
        format!("本机时钟比章程上一块慢 {behind} 分钟，不能签署。"),
        format!("this clock is {behind} minutes behind the last block, so nothing is signed"),
    );
    Err(Failure::new(ExitCode::NotAllowed, "clock", zh, en)
        .fix("请校准系统时间后再试。", "set the system clock right and try again"))
}

fn send(client: &Client, block: &SignedBlock) -> Result<(), Failure> {
    client.post_silent("/v1/charter/blocks", &AppendBlock { block: hex::encode(block.encode()) })
}

/// What this key signed last.
struct PendingBlock {
    path: PathBuf,
}

impl PendingBlock {
    fn of(directory: &DataDirectory) -> Self {
        Self { path: directory.path().join(SIGNED_BLOCK) }
    }

    fn keep(&self, block: &SignedBlock) -> Result<(), Failure> {
        replace_file(&self.path, &block.encode()).map_err(|error| home::directory_failure(&error))
    }

    fn read(&self) -> Result<Option<SignedBlock>, Failure> {
        if !self.path.exists() {
            return Ok(None);
        }
        let bytes = fs::read(&self.path).map_err(|error| Failure::file(&self.path, &error))?;
        SignedBlock::decode(&bytes).map(Some).map_err(|error| {
            let (zh, en) =
                (format!("{} 损坏：{error}", self.path.display()), format!("{}: {error}", self.path.display()));
            Failure::new(ExitCode::DataDirectory, "signed-block", zh, en)
        })
    }

    /// Sends the last signed block if the charter lacks it and it follows the tip.
    fn resend(&self, charter: &mut Charter, client: &Client) -> Result<(), Failure> {
        let Some(block) = self.missing_from(charter)? else { return Ok(()) };
        charter.append(block.clone()).map_err(Failure::internal)?;
        send(client, &block)
    }

    fn missing_from(&self, charter: &Charter) -> Result<Option<SignedBlock>, Failure> {
        let Some(block) = self.read()? else { return Ok(None) };
        let (version, tip) = (block.block().version, charter.version());
        if version > tip + 1 {
            let (zh, en) = (
                format!("这把密钥已签到第 {version} 块，而节点只有 {tip} 块。"),
                format!("this key has signed block {version}, and the node holds {tip} blocks"),
            );
            return Err(Failure::new(ExitCode::NotAllowed, "charter-behind", zh, en)
                .fix("请先 xianmeng sync，等章程补齐。", "run `xianmeng sync` and wait for the charter"));
        }
        Ok((version == tip + 1 && block.block().previous == charter.tip()).then_some(block))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::testing::Organisation;

    #[test]
    fn a_clock_that_is_far_behind_signs_nothing() {
        assert_eq!(check_clock(1_000, 1_000), Ok(()));
        assert_eq!(check_clock(BLOCK_AHEAD_MS_MAX, 0), Ok(()));
        assert_eq!(check_clock(BLOCK_AHEAD_MS_MAX + 1, 0).expect_err("too far").code, "clock");
    }

    #[test]
    fn a_block_that_never_arrived_is_found_again() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let pending = PendingBlock { path: folder.path().join(SIGNED_BLOCK) };
        let (before, secretariat) = Organisation::found("秘书处", 1);
        let mut after = before.clone();
        secretariat.admit(&mut after, &Organisation::new("奉节县", protocol::charter::Class::County, 2));
        assert_eq!(pending.missing_from(&before), Ok(None));
        let block = after.blocks()[1].clone();
        pending.keep(&block).expect("the directory is writable");
        assert_eq!(pending.missing_from(&before), Ok(Some(block)));
        assert_eq!(pending.missing_from(&after), Ok(None));
    }

    #[test]
    fn a_node_that_fell_back_behind_its_own_signature_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let pending = PendingBlock { path: folder.path().join(SIGNED_BLOCK) };
        let (before, secretariat) = Organisation::found("秘书处", 1);
        let mut after = before.clone();
        for seed in 2..4 {
            let county = Organisation::new("县", protocol::charter::Class::County, seed);
            secretariat.admit(&mut after, &county);
        }
        pending.keep(&after.blocks()[2]).expect("the directory is writable");
        assert_eq!(pending.missing_from(&before).expect_err("two blocks behind").code, "charter-behind");
    }
}
