//! `charter create`: the genesis block of a federation.

use clap::Args;
use node::directory::DataDirectory;
use node::kinds::kinds;
use protocol::charter::{BallotRule, Block, Charter, Operation, SeatGrant, SignedBlock};
use protocol::identity::{BlockHash, FederationId, MemberNumber, public_key};
use protocol::kind::{KIND_SET_VERSION, KindSet};
use protocol::limits::NAME_BYTES_MAX;
use serde_json::json;

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::{home, time};

/// Arguments of `charter create`.
#[derive(Debug, Args)]
pub struct CreateArguments {
    /// 联盟名称。
    /// Name of the federation
    #[arg(long, value_name = "NAME")]
    federation: String,
    /// 章程多少天后到期（到期只提醒，不停用）。
    /// Days until the charter expires (nodes then warn and stop nothing)
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u64).range(1..=36_500))]
    expires_days: u64,
}

/// Makes and keeps the genesis block.
pub fn perform(context: &Context, arguments: &CreateArguments) -> Result<(), Failure> {
    let directory = context.directory()?;
    refuse_existing(&directory)?;
    let now_ms = time::now_ms();
    let block = genesis(&directory, &arguments.federation, now_ms, now_ms + arguments.expires_days * time::DAY_MS)?;
    let charter = Charter::genesis(block.clone()).map_err(Failure::internal)?;
    directory.write_genesis(&block).map_err(|error| home::directory_failure(&error))?;
    context.out.json(&json!({
        "federation": charter.federation(),
        "name": charter.name(),
        "trial": charter.is_trial(),
        "version": charter.version(),
        "member": 1,
    }));
    context.out.say(
        format!("已建立联盟“{}”，编号 {}。", charter.name(), charter.federation()),
        format!("Founded {}, id {}.", charter.name(), charter.federation()),
    );
    context.out.say(super::TRIAL_ZH, super::TRIAL_EN);
    context.out.say(
        "下一步：xianmeng run，然后 xianmeng charter invite --out 邀请函.json。",
        "Next: `xianmeng run`, then `xianmeng charter invite --out INVITATION.json`.",
    );
    Ok(())
}

fn refuse_existing(directory: &DataDirectory) -> Result<(), Failure> {
    let refused = |code: &'static str, zh: &str, en: &str| {
        Err(Failure::new(ExitCode::DataDirectory, code, zh, en)
            .fix("请用 --data 另建一个节点。", "make another node with --data"))
    };
    if directory.genesis_path().exists() {
        return refused("federation-exists", "这个节点已经属于一个联盟。", "this node belongs to a federation already");
    }
    if directory.invitation_path().exists() {
        return refused("joining", "这个节点正在申请加入一个联盟。", "this node has applied to a federation");
    }
    Ok(())
}

fn genesis(directory: &DataDirectory, name: &str, now_ms: u64, expires_ms: u64) -> Result<SignedBlock, Failure> {
    let name = name.trim();
    if name.is_empty() || name.len() > NAME_BYTES_MAX {
        let (zh, en) = ("联盟名称不能为空或过长。", "the name of the federation must not be empty or too long");
        return Err(Failure::new(ExitCode::InputRefused, "name", zh, en)
            .fix(format!("最多 {NAME_BYTES_MAX} 字节。"), format!("at most {NAME_BYTES_MAX} bytes")));
    }
    let governance = home::governance_key_of(directory, None)?;
    let application = directory.application(&FederationId::ZERO).map_err(|error| home::directory_failure(&error))?;
    let founder = MemberNumber(1);
    let mut operations = vec![
        Operation::Rules { name: name.to_owned(), threshold: 1, ballots: BallotRule::MoreThanHalf },
        Operation::KindSet { version: KIND_SET_VERSION, hash: KindSet::builtin().hash() },
    ];
    if kinds().hash() != KindSet::builtin().hash() {
        // Beside the built-in set, so that members without the extra files read the built-in kinds all the same.
        operations.push(Operation::KindSet { version: KIND_SET_VERSION + 1, hash: kinds().hash() });
    }
    operations.extend([
        Operation::Admit { member: founder, application },
        Operation::GrantRole(SeatGrant::registrar(founder, public_key(&governance))),
    ]);
    let block = Block { version: 1, previous: BlockHash::ZERO, time_ms: now_ms, expires_ms, operations };
    let mut signed = SignedBlock::unsigned(block).map_err(Failure::internal)?;
    signed.sign(&governance, &FederationId::ZERO);
    Ok(signed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Output;
    use node::config::Config;
    use node::directory::Profile;

    #[test]
    fn a_federation_is_founded_once_and_its_genesis_block_is_valid() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("node");
        let profile = Profile { name: "秘书处".into(), class: "secretariat".into(), region: String::new() };
        let directory = DataDirectory::create(&path, &profile, &Config::default()).expect("an empty directory");
        let context = Context::new(Some(path), Output::new(true));
        let arguments = CreateArguments { federation: "测试联盟".into(), expires_days: 30 };
        perform(&context, &arguments).expect("the node is new");

        let block = directory.genesis().expect("it reads back").expect("it is there");
        let charter = Charter::genesis(block).expect("it keeps every rule");
        assert!(charter.is_trial() && charter.name() == "测试联盟");
        assert_eq!(charter.kind_sets().get(&KIND_SET_VERSION), Some(&KindSet::builtin().hash()));
        assert_eq!(charter.registrars().len(), 1);
        let again = perform(&context, &arguments).expect_err("it is there already");
        assert_eq!((again.exit, again.code.as_ref()), (ExitCode::DataDirectory, "federation-exists"));
    }
}
