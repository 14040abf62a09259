//! `charter expel`: ends a member's rights; what it published before stays valid.

use clap::Args;
use node::api::types::{LogHead, Status};
use protocol::charter::{Charter, Departure, Operation, Position, Seal, Standing};
use protocol::identity::MemberNumber;
use serde_json::json;

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;

use super::signing;

/// Arguments of `charter expel`.
#[derive(Debug, Args)]
pub struct ExpelArguments {
    /// 成员编号或全名。
    /// Number or exact name of the member
    #[arg(value_name = "MEMBER")]
    member: String,
    /// 依据和决定。
    /// Ground and decision
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// 它发布过的一概不再算数（缺省：到目前收到的为止仍然有效）。
    /// Nothing that it published counts any more (default: what is known now stays valid)
    #[arg(long)]
    accept_none: bool,
}

/// Seals every open key of the member at the head that this node knows, and expels it.
pub fn perform(context: &Context, arguments: &ExpelArguments) -> Result<(), Failure> {
    let status: Status = context.client()?.get("/v1/status", &[])?;
    let mut expelled = None;
    let charter = signing::sign_and_send(context, |charter| {
        let number = find(charter, &arguments.member)?;
        let seals = seals(charter, number, &status.heads, arguments.accept_none)?;
        expelled = Some((number, seals.clone()));
        Ok(vec![Operation::Expel(Departure { member: number, reason: arguments.reason.clone(), seals })])
    })?;
    let Some((number, seals)) = expelled else { return Ok(()) };
    let name = charter.members().get(&number).map(|member| member.name.clone()).unwrap_or_default();
    let accepted: u64 = seals.iter().filter_map(|seal| seal.last).map(|last| last.sequence + 1).sum();
    context.out.json(&json!({
        "member": number.0,
        "name": name,
        "charter_version": charter.version(),
        "accepted_entries": accepted,
    }));
    context.out.say(
        format!(
            "已除名成员 {number}“{name}”（章程第 {} 块）；此前的 {accepted} 条仍然有效，之后的一概不收。",
            charter.version()
        ),
        format!(
            "Expelled member {number}, {name} (charter block {}); its {accepted} entries so far stay valid, later \
                 ones are refused.",
            charter.version()
        ),
    );
    Ok(())
}

fn find(charter: &Charter, text: &str) -> Result<MemberNumber, Failure> {
    let named: Vec<_> = charter.members().values().filter(|member| member.name == text.trim()).collect();
    let numbered = text.trim().parse().ok().and_then(|number| charter.members().get(&MemberNumber(number)));
    let active = named.iter().find(|member| member.standing == Standing::Active).or(named.first()).copied();
    let Some(member) = numbered.or(active) else {
        let (zh, en) = (format!("没有成员“{text}”。"), format!("there is no member {text:?}"));
        return Err(Failure::new(ExitCode::NotFound, "member-unknown", zh, en)
            .fix("xianmeng charter show 列出全部成员。", "`xianmeng charter show` lists the members"));
    };
    if member.standing != Standing::Active {
        let (zh, en) = (format!("“{}”已被除名。", member.name), format!("{} was expelled already", member.name));
        return Err(Failure::new(ExitCode::InputRefused, "member-expelled", zh, en));
    }
    Ok(member.number)
}

/// One seal for each open signing key of the member, in ascending order of key.
fn seals(charter: &Charter, member: MemberNumber, heads: &[LogHead], accept_none: bool) -> Result<Vec<Seal>, Failure> {
    let mut seals = Vec::new();
    for log in charter.logs().iter().filter(|log| log.member == member && log.seal.is_none()) {
        let head = heads.iter().find(|head| head.log == log.number).filter(|head| head.length > 0 && !accept_none);
        let last = match head {
            None => None,
            Some(head) => {
                Some(Position { sequence: head.length - 1, id: head.head.parse().map_err(Failure::internal)? })
            }
        };
        seals.push(Seal { key: log.key, last });
    }
    seals.sort_by_key(|seal| seal.key);
    Ok(seals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::api::types::MemberName;
    use protocol::charter::Class;
    use protocol::identity::EntryId;
    use protocol::testing::Organisation;

    #[test]
    fn a_member_is_sealed_at_its_head() {
        let (mut charter, secretariat) = Organisation::found("秘书处", 1);
        secretariat.admit(&mut charter, &Organisation::new("奉节县", Class::County, 2));
        let number = find(&charter, "奉节县").expect("it is a member");
        assert_eq!(Ok(number), find(&charter, "2"));
        assert_eq!(find(&charter, "奉节").expect_err("only the exact name").code, "member-unknown");
        let head = LogHead {
            log: 1,
            member: MemberName { number: 2, name: "奉节县".into() },
            length: 3,
            head: EntryId([5; 32]).to_string(),
            forked_at: None,
            sealed: false,
        };
        let sealed = seals(&charter, number, std::slice::from_ref(&head), false).expect("the head is an id");
        assert_eq!(sealed[0].last, Some(Position { sequence: 2, id: EntryId([5; 32]) }));
        assert_eq!(seals(&charter, number, &[head], true).expect("nothing to read")[0].last, None);
        let expel = Operation::Expel(Departure { member: number, reason: "试".into(), seals: sealed });
        secretariat.try_append(&mut charter, vec![expel]).expect("the charter accepts it");
        assert_eq!(find(&charter, "2").expect_err("it is gone").code, "member-expelled");
    }
}
