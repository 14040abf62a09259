//! `peers`: the connections of the node.

use node::api::types::PeerView;

use crate::context::Context;
use crate::failure::Failure;

/// Lists the peers connected now.
pub fn perform(context: &Context) -> Result<(), Failure> {
    let peers: Vec<PeerView> = context.client()?.get("/v1/peers", &[])?;
    context.out.json(&peers);
    if peers.is_empty() {
        context.out.say("现在没有连着任何节点。", "No peer is connected.");
        return Ok(());
    }
    context.out.table(
        &["成员", "名称", "方向", "往返(毫秒)", "违规消息", "地址", "传输密钥"],
        peers.iter().map(row).collect(),
    );
    Ok(())
}

fn row(peer: &PeerView) -> Vec<String> {
    let (number, name) = match &peer.member {
        Some(member) => (member.number.to_string(), member.name.clone()),
        None => ("-".into(), "（非成员）".into()),
    };
    let direction = if peer.outbound { "去" } else { "来" };
    let rtt = peer.rtt_ms.map_or_else(|| "-".into(), |rtt| rtt.to_string());
    let key = peer.transport.get(..12).unwrap_or(&peer.transport).to_owned();
    vec![number, name, direction.into(), rtt, peer.rejected_messages.to_string(), peer.address.clone(), key]
}
