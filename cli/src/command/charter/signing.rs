//! Signing the next block: the one place where a governance key signs (DESIGN 4.5).
//!
//! When the own signature suffices, the block goes in at once. Else it is published as a proposal together with the
//! signature, and every node appends it as soon as enough others have signed. A block that was interrupted on its way
//! to the node is sent again first.

use std::fs;
use std::path::PathBuf;

use node::api::types::{AppendBlock, CharterView, ProposalState, ProposalView, ProposeBlock};
use node::directory::{DataDirectory, replace_file};
use protocol::charter::{Block, Charter, Operation, SignedBlock};
use protocol::identity::public_key;
use protocol::limits::BLOCK_AHEAD_MS_MAX;
use serde_json::json;

use crate::client::Client;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::{home, time};

use super::record::SigningRecord;

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
        let block = decode(&block.bytes)?;
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

/// A block that the node sent.
pub fn decode(bytes: &str) -> Result<SignedBlock, Failure> {
    SignedBlock::decode(&hex::decode(bytes).map_err(Failure::internal)?).map_err(Failure::internal)
}

/// Everything that drafting a block needs.
pub struct Session {
    /// The data directory.
    pub directory: DataDirectory,
    /// The running node.
    pub client: Client,
    /// The charter as the node holds it.
    pub charter: Charter,
}

/// What became of a block that was signed.
pub enum Handed {
    /// It is in the charter.
    Appended(u32),
    /// Others must sign.
    Proposed(Box<ProposalView>),
}

/// Operations of a block, and how long the charter lasts with it if it says so.
pub struct Draft {
    /// What the block does.
    pub operations: Vec<Operation>,
    /// Days until the charter expires.
    pub expires_days: Option<u64>,
}

impl Draft {
    /// A block with these operations that keeps the charter's term.
    pub fn of(operations: Vec<Operation>) -> Self {
        Self { operations, expires_days: None }
    }
}

impl Session {
    /// Asks the running node for its charter.
    pub fn open(context: &Context) -> Result<Self, Failure> {
        let (directory, client) = (context.directory()?, context.client()?);
        let (charter, _) = fetch(&client, &directory)?;
        Ok(Self { directory, client, charter })
    }

    /// The block that follows the tip, checked against every rule of the charter.
    pub fn block(&self, draft: Draft) -> Result<SignedBlock, Failure> {
        let now_ms = time::now_ms();
        check_clock(self.charter.tip_block().time_ms, now_ms)?;
        // A block keeps the term of the charter that it continues.
        let kept = self.charter.tip_block().expires_ms.max(now_ms + time::DAY_MS);
        let expires_ms = draft.expires_days.map_or(kept, |days| now_ms + days * time::DAY_MS);
        let block = self.charter.next_block(now_ms, expires_ms, draft.operations);
        self.charter.check_proposal(&block).map_err(|error| {
            Failure::new(ExitCode::InputRefused, "charter-rule", format!("章程不允许：{error}"), error.to_string())
        })?;
        SignedBlock::unsigned(block).map_err(|error| {
            let zh = format!("这个区块不合规则：{error}");
            Failure::new(ExitCode::InputRefused, "block-refused", zh, format!("the block breaks a rule: {error}"))
        })
    }

    /// An open proposal that does just what `block` does: whoever comes second signs what the first proposed.
    fn same_proposal(&self, block: &Block) -> Result<Option<SignedBlock>, Failure> {
        let open: Vec<ProposalView> = self.client.get("/v1/charter/proposals", &[])?;
        for proposal in open.iter().filter(|proposal| proposal.fault.is_none()) {
            let proposed = decode(&proposal.bytes)?;
            if proposed.block().operations == block.operations && is_timely(proposed.block(), time::now_ms()) {
                return Ok(Some(proposed));
            }
        }
        Ok(None)
    }

    /// Signs a block with `draft` as a registrar, and hands it in.
    pub fn decide(&mut self, context: &Context, draft: Draft) -> Result<Handed, Failure> {
        let governance = home::governance_key(context, None)?;
        let key = public_key(&governance);
        if !self.charter.registrars().contains_key(&key) {
            let (zh, en) =
                ("本节点不是登记人，不能自行签署章程块。", "this node is no registrar and signs no charter blocks");
            return Err(Failure::new(ExitCode::NotAllowed, "not-registrar", zh, en).fix(
                "可用 xianmeng charter propose 提出，由登记人签署或成员投票。",
                "`xianmeng charter propose` proposes it for registrars to sign or members to vote",
            ));
        }
        let pending = PendingBlock::of(&self.directory);
        pending.resend(&mut self.charter, &self.client)?;
        let expires = draft.expires_days.is_some();
        let mut signed = self.block(draft)?;
        if !expires && let Some(same) = self.same_proposal(signed.block())? {
            signed = same;
        }
        let record = SigningRecord::of_directory(&self.directory);
        warn_again(context, record.note(&key, signed.block().version, signed.hash())?);
        signed.sign(&governance, &self.charter.federation());
        pending.keep(&signed)?;
        self.hand_in(&signed)
    }

    /// Hands a block in: into the charter if it has enough signatures, else as a proposal.
    pub fn hand_in(&mut self, block: &SignedBlock) -> Result<Handed, Failure> {
        if self.charter.tally(block).is_enough() {
            send(&self.client, block)?;
            self.charter.append(block.clone()).map_err(Failure::internal)?;
            return Ok(Handed::Appended(block.block().version));
        }
        let request = ProposeBlock { block: hex::encode(block.encode()) };
        handed(self.client.post("/v1/charter/proposals", &request)?)
    }
}

/// What the node's answer to a proposal or signature means.
pub fn handed(state: ProposalState) -> Result<Handed, Failure> {
    match (state.appended, state.proposal) {
        (Some(version), _) => Ok(Handed::Appended(version)),
        (None, Some(proposal)) => Ok(Handed::Proposed(Box::new(proposal))),
        (None, None) => {
            let (zh, en) = (
                "章程在此期间前进了，提案已经接不上。",
                "the charter moved on meanwhile: the proposal does not follow",
            );
            Err(Failure::new(ExitCode::InputRefused, "charter-moved", zh, en).fix("请重新提出。", "propose it again"))
        }
    }
}

/// Says what became of a block.
pub fn report(context: &Context, handed: &Handed) {
    match handed {
        Handed::Appended(version) => {
            context.out.json(&json!({"state": "appended", "charter_version": version}));
            context
                .out
                .say(format!("已写入章程第 {version} 块。"), format!("It is in the charter as block {version}."));
        }
        Handed::Proposed(proposal) => {
            let short = proposal.hash.get(..8).unwrap_or(&proposal.hash);
            context.out.json(&json!({
                "state": "proposed",
                "hash": proposal.hash,
                "signed": proposal.signed,
                "missing": proposal.missing,
                "threshold": proposal.threshold,
                "ballots": proposal.ballots.len(),
                "ballots_needed": proposal.ballots_needed,
                "voters": proposal.voters,
            }));
            let (zh, en) = still_missing(proposal);
            context.out.say(zh, en);
            context.out.say(
                format!("请另一名登记人（或投票的成员）执行 xianmeng charter sign {short}。"),
                format!("Another registrar (or a member that votes) runs `xianmeng charter sign {short}`."),
            );
        }
    }
}

/// Who signed and what is missing, in words.
pub fn still_missing(proposal: &ProposalView) -> (String, String) {
    let names = |list: &[node::api::types::MemberName]| {
        let names: Vec<&str> = list.iter().map(|member| member.name.as_str()).collect();
        if names.is_empty() { "—".to_owned() } else { names.join("、") }
    };
    let (signed, threshold) = (names(&proposal.signed), proposal.threshold);
    let mut zh = format!("登记人签名 {}/{threshold}，已签：{signed}", proposal.signed.len());
    let mut en = format!("{} of {threshold} registrars signed: {signed}", proposal.signed.len());
    if let Some(needed) = proposal.ballots_needed {
        let (cast, voters) = (proposal.ballots.len(), proposal.voters);
        let (enough_zh, enough_en) =
            if proposal.ballots_enough { ("已够", "enough") } else { ("未够", "not enough") };
        zh += &format!("；投票 {cast}/{voters}，须 {needed} 票，{enough_zh}");
        en += &format!("; ballots {cast} of {voters}, {needed} needed ({}), {enough_en}", proposal.ballot_rule);
    }
    (zh, en)
}

/// Tells a person that its key signs a second block of one version.
pub fn warn_again(context: &Context, again: bool) {
    if again {
        context.out.say(
            "警告：这把密钥签过同一版本的另一个提案并已撤回；若那个提案仍凑齐签名，就成了自相矛盾的证据。",
            "Warning: this key signed another block of this version and withdrew; should that one still find enough \
             signatures, the two are proof of a contradiction.",
        );
    }
}

/// Whether a block is not dated too far ahead of this machine's clock.
pub fn is_timely(block: &Block, now_ms: u64) -> bool {
    block.time_ms <= now_ms + BLOCK_AHEAD_MS_MAX
}

/// A block is never dated more than ten minutes ahead of the signer's clock, so a clock that far behind signs nothing.
pub fn check_clock(tip_ms: u64, now_ms: u64) -> Result<(), Failure> {
    if tip_ms <= now_ms + BLOCK_AHEAD_MS_MAX {
        return Ok(());
    }
    let behind = (tip_ms - now_ms) / 60_000;
    let (zh, en) = (
        format!("本机时钟比这个区块慢 {behind} 分钟，不能签署。"),
        format!("this clock is {behind} minutes behind the block, so nothing is signed"),
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
        if !charter.tally(&block).is_enough() {
            // It waits for others as a proposal.
            return Ok(());
        }
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
