//! `charter invite`: an invitation file for one or several organisations.

use std::path::PathBuf;

use clap::Args;
use node::api::types::{KnownNode, NetworkView, NewInvitation};
use node::directory::DataDirectory;
use node::joining::{Invitation, InvitationPeer};
use protocol::identity::PublicKey;
use serde_json::json;

use crate::card::card;
use crate::code;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::invitation::INVITATION_FORMAT;
use crate::{home, invitation, time};

use super::signing;

/// Nodes besides the inviting one that an invitation names.
const OTHERS_MAX: usize = 7;

/// Arguments of `charter invite`.
#[derive(Debug, Args)]
pub struct InviteArguments {
    /// 有效天数。
    /// Days until it expires
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u64).range(1..=365))]
    days: u64,
    /// 本节点对外的地址（可多次；缺省用设置里的 announce，或实际监听地址）。
    /// Where others reach this node (repeatable; default: `announce` of the settings, or where it listens)
    #[arg(long, value_name = "MULTIADDR")]
    address: Vec<String>,
    /// 写到哪个文件（不覆盖）。
    /// The file to write (never overwritten)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// 只供一家使用：第一个用它申请的单位。
    /// For one applicant only: the first that uses it
    #[arg(long)]
    single: bool,
    /// 在终端显示二维码。
    /// Show it as a QR code on the terminal
    #[arg(long)]
    qr: bool,
    /// 把二维码写成图片（SVG，不覆盖）。
    /// Write the QR code as a picture (SVG, never overwritten)
    #[arg(long, value_name = "FILE")]
    qr_file: Option<PathBuf>,
}

/// Writes the file, and has the node remember its token.
pub fn perform(context: &Context, arguments: &InviteArguments) -> Result<(), Failure> {
    let (directory, client) = (context.directory()?, context.client()?);
    let (charter, _) = signing::fetch(&client, &directory)?;
    let network: NetworkView = client.get("/v1/network", &[])?;
    let transport: PublicKey = network.transport.parse().map_err(Failure::internal)?;
    let addresses = addresses(&directory, &arguments.address, network.listen)?;
    let mut token = [0; 16];
    getrandom::fill(&mut token).map_err(Failure::internal)?;
    let invitation = Invitation {
        format: INVITATION_FORMAT,
        federation: charter.federation(),
        federation_name: charter.name().to_owned(),
        pin: charter.tip(),
        pin_version: charter.version(),
        bootstrap: bootstrap(InvitationPeer { transport, addresses: addresses.clone() }, network.known)?,
        token: hex::encode(token),
        expires_ms: time::now_ms() + arguments.days * time::DAY_MS,
    };
    // Before anything is written or remembered: a code that is too large, or a picture that exists.
    let line = invitation::to_line(&invitation);
    let picture = arguments.qr.then(|| code::terminal(&line)).transpose()?;
    if let Some(path) = &arguments.qr_file {
        code::write_svg(&line, path)?;
    }
    // The file first: a token without a file helps nobody, and a file that exists must stop everything.
    code::write_new(&arguments.out, invitation::to_json(&invitation).as_bytes())?;
    let remember =
        NewInvitation { token: invitation.token.clone(), expires_ms: invitation.expires_ms, single: arguments.single };
    if let Err(failure) = client.post_silent("/v1/invitations", &remember) {
        // The node does not know the token, so the file would only mislead.
        for path in std::iter::once(&arguments.out).chain(&arguments.qr_file) {
            let _ = std::fs::remove_file(path);
        }
        return Err(failure);
    }
    context.out.json(&json!({
        "file": arguments.out,
        "qr_file": arguments.qr_file,
        "invitation": invitation,
        "line": line,
        "single": arguments.single,
    }));
    let (file, until) = (arguments.out.display(), time::show(invitation.expires_ms));
    context.out.say(
        format!("邀请函已写入 {file}，{until} 前有效。"),
        format!("The invitation is in {file}, valid until {until}."),
    );
    context.out.line(format!("地址 Addresses: {}", addresses.join(", ")));
    if addresses.iter().all(|address| is_loopback(address)) {
        context.out.say(
            "注意：只有本机地址，别的机器连不上；请用 --address 给出对外地址。",
            "Note: these addresses only work on this machine; name a public one with --address.",
        );
    }
    if let Some(picture) = picture {
        context.out.line(picture);
        context.out.line(&line);
    }
    context.out.line(card(
        ("下一步", "Next"),
        &[
            ("把邀请函安全地交给对方", "hand the invitation over safely"),
            ("对方执行 xianmeng join 邀请函.json", "the applicant runs: xianmeng join INVITATION.json"),
            (
                "对方来电报六组数字：xianmeng charter applications 核对",
                "they call and read six groups: compare them there",
            ),
            ("一致才批准：xianmeng charter admit 申请号", "only if they agree: xianmeng charter admit REQUEST"),
        ],
    ));
    Ok(())
}

/// This node first, then a few others, so that a newcomer finds the federation while this node sleeps.
fn bootstrap(own: InvitationPeer, known: Vec<KnownNode>) -> Result<Vec<InvitationPeer>, Failure> {
    let others = known.into_iter().take(OTHERS_MAX).map(|node| {
        let transport = node.transport.parse().map_err(Failure::internal)?;
        Ok(InvitationPeer { transport, addresses: node.addresses })
    });
    std::iter::once(Ok(own)).chain(others).collect()
}

/// The addresses given, else those of the settings, else where the node listens; the loopback interface only when there
/// is nothing else.
fn addresses(directory: &DataDirectory, given: &[String], listen: Vec<String>) -> Result<Vec<String>, Failure> {
    let announced = directory.config().map_err(|error| home::directory_failure(&error))?.network.announce;
    let chosen = [given.to_vec(), announced].into_iter().find(|list| !list.is_empty());
    let addresses = chosen.unwrap_or_else(|| reachable(listen));
    if addresses.is_empty() {
        let (zh, en) = ("不知道本节点的对外地址。", "this node has no address to name");
        return Err(Failure::new(ExitCode::InputRefused, "no-address", zh, en)
            .fix("请加 --address /ip4/…/tcp/…。", "add --address /ip4/…/tcp/…"));
    }
    Ok(addresses)
}

fn reachable(listen: Vec<String>) -> Vec<String> {
    let named = |address: &String| !address.contains("/ip4/0.0.0.0/") && !address.contains("/ip6/::/");
    let (local, public): (Vec<_>, Vec<_>) = listen.into_iter().filter(named).partition(|address| is_loopback(address));
    if public.is_empty() { local } else { public }
}

fn is_loopback(address: &str) -> bool {
    address.starts_with("/ip4/127.") || address.starts_with("/ip6/::1/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_interface_is_named_only_when_there_is_nothing_else() {
        let list = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let local = list(&["/ip4/127.0.0.1/tcp/1", "/ip6/::1/tcp/1"]);
        assert_eq!(reachable(local.clone()), local);
        let both = list(&["/ip4/127.0.0.1/tcp/1", "/ip4/192.0.2.7/tcp/1", "/ip4/0.0.0.0/tcp/1"]);
        assert_eq!(reachable(both), list(&["/ip4/192.0.2.7/tcp/1"]));
    }
}
