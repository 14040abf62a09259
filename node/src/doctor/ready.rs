//! Whether the node is ready to serve (`/readyz`).
//!
//! Ready means: the store takes writes, and this node may sign. The charter grants its key a log that is neither sealed
//! nor forked, members have confirmed where that log ends, as far as they must (`gate`), and the clock is not before
//! the charter. An index that is missing or behind is noted and keeps nobody waiting: lists, records and publishing do
//! without it. So is a lack of peers: a node that is alone still serves what it holds. While a member waits for its
//! admission there is no API to ask.

use super::running::index_note;
use crate::api::types::{ProblemDetail, Readiness};
use crate::core::{Core, PublishError};
use crate::derive::Derived;

/// Whether the node is ready; the reasons when it is not.
pub fn readiness(core: &Core, derived: &Derived) -> Result<Readiness, Vec<ProblemDetail>> {
    let mut reasons = Vec::new();
    if let Some(reason) = core.store().stopped() {
        let (zh, en) = (format!("存储已停止写入：{reason}"), format!("the store takes no more writes: {reason}"));
        reasons.push(problem("store", "store-stopped", zh, en));
    }
    reasons.extend(core.publishing_obstacle().as_ref().map(obstacle));
    if !reasons.is_empty() {
        return Err(reasons);
    }
    let records = core.read(|state| state.view().len());
    Ok(Readiness { ready: true, notes: index_note(&derived.lag(core), records).into_iter().collect() })
}

/// Why nothing can be signed.
fn obstacle(error: &PublishError) -> ProblemDetail {
    let (at, code, zh) = match error {
        PublishError::WaitingForPeers => ("log", "log-unconfirmed", "还没有成员确认本节点日志的末尾".to_owned()),
        PublishError::Store { reason, .. } => ("store", "store-stopped", format!("存储出错：{reason}")),
        PublishError::Closed => ("node", "closing", "节点正在停止".to_owned()),
        PublishError::NotMember => ("charter", "not-member", "章程没有给本节点签署的权利".to_owned()),
        PublishError::KeySealed { version } => {
            ("charter", "key-sealed", format!("章程第 {version} 块封存了本节点的签名密钥"))
        }
        PublishError::Forked { sequence } => ("log", "log-forked", format!("本节点的日志在第 {sequence} 条分叉")),
        PublishError::ClockBehind { behind_ms } => {
            ("clock", "clock-behind-charter", format!("本机时钟比章程早 {behind_ms} 毫秒"))
        }
        PublishError::ClockAhead { ahead_ms } => {
            ("clock", "clock-ahead-of-peers", format!("本机时钟比多数成员快 {ahead_ms} 毫秒"))
        }
        PublishError::Entry { .. } => ("log", "entry", "条目不合规则".to_owned()),
    };
    problem(at, code, zh, error.to_string())
}

fn problem(at: &str, code: &str, zh: String, en: String) -> ProblemDetail {
    ProblemDetail { at: at.into(), code: code.into(), zh, en }
}

#[cfg(test)]
mod tests {
    use protocol::charter::{Departure, Operation, Seal};
    use protocol::identity::{MemberNumber, public_key};

    use super::*;
    use crate::records::tests::world::World;

    #[tokio::test]
    async fn a_node_that_may_not_sign_is_not_ready() {
        let world = World::new().await;
        let folder = tempfile::tempdir().expect("a temporary directory");
        let (derived, _follower) = Derived::new(world.core.clone(), folder.path());
        assert!(readiness(&world.core, &derived).is_ok());
        let mut charter = world.charter.clone();
        let seals = vec![Seal { key: public_key(&world.county.signing), last: None }];
        let suspend = Departure { member: MemberNumber(2), reason: String::new(), seals };
        world.secretariat.try_append(&mut charter, vec![Operation::Suspend(suspend)]).expect("it is active");
        let block = charter.blocks().last().expect("a charter has blocks").clone();
        world.core.append_blocks(vec![block]).await.expect("it follows");
        let reasons = readiness(&world.core, &derived).expect_err("its rights rest");
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        assert!(["not-member", "key-sealed"].contains(&&*reasons[0].code), "{reasons:?}");
    }
}
