//! `join`: asks for admission with an invitation.

use std::time::Duration;

use clap::Args;
use node::directory::{DataDirectory, replace_file};
use node::joining::{Applicant, Invitation, JoinError, JoinProgress};
use protocol::identity::{FederationId, MemberNumber};
use serde_json::json;

use crate::card::card;
use crate::code;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::{home, invitation, time};

use super::run;

/// How long to wait between two questions, when told to wait for the answer.
const ASK_AGAIN: Duration = Duration::from_secs(5);

/// Arguments of `join`.
#[derive(Debug, Args)]
pub struct JoinArguments {
    /// 秘书处发来的邀请函：文件、xianmeng: 开头的一行文字，或 -（标准输入）。
    /// The invitation that the secretariat sent: a file, the line that begins with xianmeng:, or - for standard input
    #[arg(value_name = "INVITATION")]
    invitation: String,
    /// 一直等到登记人批准。
    /// Wait until a registrar has decided
    #[arg(long)]
    wait: bool,
}

/// Sends the application, and says what happens next on both sides.
pub fn perform(context: &Context, arguments: &JoinArguments) -> Result<(), Failure> {
    let directory = context.directory()?;
    let invitation = invitation::read(&arguments.invitation, time::now_ms())?;
    refuse_second_federation(&directory, &invitation.federation)?;
    replace_file(&directory.invitation_path(), invitation::to_json(&invitation).as_bytes())
        .map_err(|error| home::directory_failure(&error))?;
    let applicant = Applicant::open(&directory).map_err(|error| run::join_failure(&error))?;
    let (runtime, mut told) = (run::runtime()?, false);
    loop {
        match runtime.block_on(applicant.ask()) {
            Ok(JoinProgress::Admitted { member }) => return admitted(context, &invitation, member),
            Ok(JoinProgress::Pending { fingerprint }) => {
                if !std::mem::replace(&mut told, true) {
                    pending(context, &invitation, &fingerprint, arguments.wait);
                }
            }
            // The application has arrived; that the other node is away for a while changes nothing.
            Err(JoinError::Unreachable(_) | JoinError::Stream(_) | JoinError::Frame(_)) if told => {}
            Err(error) => return Err(run::join_failure(&error)),
        }
        if !arguments.wait {
            return Ok(());
        }
        std::thread::sleep(ASK_AGAIN);
    }
}

/// A node belongs to one federation for good: its log is signed for it.
fn refuse_second_federation(directory: &DataDirectory, federation: &FederationId) -> Result<(), Failure> {
    let genesis = directory.genesis().map_err(|error| home::directory_failure(&error))?;
    match genesis {
        Some(genesis) if genesis.hash().as_bytes() != federation.as_bytes() => {
            let (zh, en) = ("这个节点已经属于另一个联盟。", "this node belongs to another federation already");
            Err(Failure::new(ExitCode::DataDirectory, "other-federation", zh, en)
                .fix("请用 --data 另建一个节点。", "make another node with --data"))
        }
        _ => Ok(()),
    }
}

fn pending(context: &Context, invitation: &Invitation, fingerprint: &str, wait: bool) {
    let value = json!({
        "state": "pending",
        "federation": invitation.federation,
        "federation_name": invitation.federation_name,
        "fingerprint": fingerprint,
    });
    // One who waits gets the decision as a line of its own.
    if wait {
        context.out.json_line(&value)
    } else {
        context.out.json(&value)
    }
    let name = &invitation.federation_name;
    context.out.say(format!("加入“{name}”的申请已送达。"), format!("The application to {name} has arrived."));
    context.out.line(format!("\n  指纹 Fingerprint: {fingerprint}\n"));
    // The digits are there already; a code that cannot be drawn is not missed.
    if let Ok(picture) = code::terminal(fingerprint) {
        context.out.line(picture);
    }
    context.out.line(card(
        ("下一步", "Next"),
        &[
            (
                "打电话给秘书处，把这六组数字逐组读给登记人",
                "call the secretariat, read these six groups to the registrar",
            ),
            ("本机执行 xianmeng run，让它开着", "run `xianmeng run` here and let it run"),
            ("不用再做别的：批准后节点自动开始同步", "nothing else to do: once admitted, the node goes on by itself"),
            ("xianmeng status 可看进展", "`xianmeng status` shows how far it is"),
        ],
    ));
}

fn admitted(context: &Context, invitation: &Invitation, member: MemberNumber) -> Result<(), Failure> {
    let value = json!({
        "state": "admitted",
        "federation": invitation.federation,
        "federation_name": invitation.federation_name,
        "member": member.0,
    });
    context.out.json_line(&value);
    let name = &invitation.federation_name;
    context.out.say(
        format!("已加入“{name}”，成员编号 {member}。请执行 xianmeng run。"),
        format!("Admitted to {name} as member {member}. Now run `xianmeng run`."),
    );
    Ok(())
}
