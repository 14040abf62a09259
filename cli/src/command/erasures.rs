//! `erasures`: what was erased, by whom and why, and which members' nodes have let go of it.

use clap::Args;
use node::api::types::{ErasureItem, MemberName};

use crate::context::Context;
use crate::failure::Failure;
use crate::time;

/// Arguments of `erasures`.
#[derive(Debug, Args)]
pub struct ErasuresArguments {
    /// 列出已确认和未确认的成员。
    /// Name the members that acknowledged, and those that did not
    #[arg(long, short)]
    verbose: bool,
}

/// Lists the erasures that count.
pub fn perform(context: &Context, arguments: &ErasuresArguments) -> Result<(), Failure> {
    let items: Vec<ErasureItem> = context.client()?.get("/v1/erasures", &[])?;
    context.out.json(&items);
    if items.is_empty() {
        context.out.say("没有清除过什么。", "Nothing was erased.");
    }
    items.iter().for_each(|item| context.out.line(describe(item, arguments.verbose)));
    Ok(())
}

fn describe(item: &ErasureItem, verbose: bool) -> String {
    let (id, when, labels) =
        (item.id.get(..12).unwrap_or(&item.id), time::show(item.mark.time_ms), item.labels.join(" "));
    let by = match (&item.mark.member, item.mark.block) {
        (Some(member), _) => member.name.clone(),
        (None, version) => format!("章程第 {} 块 charter block", version.unwrap_or_default()),
    };
    let here = if item.purged { "本节点已清盘 purged here" } else { "本节点尚未清盘 not purged here yet" };
    let (done, members) = (item.acknowledged.len(), item.acknowledged.len() + item.outstanding.len());
    let mut text = format!(
        "{id}  {when}  {by}  {labels}  {} 个条目 entries  已确认 acknowledged {done}/{members}  {here}\n    理由 reason: {}",
        item.entries, item.mark.reason
    );
    if item.held > 0 {
        text.push_str(&format!("\n    本节点还留有 {} 个条目的内容 bodies held here still", item.held));
    }
    if verbose {
        text.push_str(&format!("\n    已确认 acknowledged: {}", names(&item.acknowledged)));
        text.push_str(&format!("\n    未确认 outstanding: {}", names(&item.outstanding)));
    }
    text
}

fn names(members: &[MemberName]) -> String {
    members.iter().map(|member| format!("{} {}", member.number, member.name)).collect::<Vec<_>>().join("、")
}

#[cfg(test)]
mod tests {
    use node::api::types::ErasedMark;

    use super::*;

    #[test]
    fn an_erasure_says_by_whom_and_how_far() {
        let member = |number, name: &str| MemberName { number, name: name.into() };
        let mark =
            ErasedMark {
                member: Some(member(2, "奉节县")), block: None, time_ms: 0, reason: "含个人信息".into()
            };
        let item = ErasureItem {
            id: "ab".repeat(32),
            mark,
            entries: 3,
            held: 0,
            labels: vec!["2-1".into()],
            purged: true,
            acknowledged: vec![member(2, "奉节县")],
            outstanding: vec![member(3, "夏邑县")],
        };
        let text = describe(&item, false);
        assert!(["奉节县", "2-1", "1/2", "含个人信息", "已清盘"].iter().all(|part| text.contains(part)), "{text}");
        assert!(!text.contains("夏邑县") && describe(&item, true).contains("3 夏邑县"));
    }
}
