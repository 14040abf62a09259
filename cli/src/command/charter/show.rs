//! `charter show`: federation, registrars, members and blocks.

use node::api::types::CharterView;

use crate::context::Context;
use crate::failure::Failure;
use crate::{output, time};

/// Shows the charter as the node holds it.
pub fn perform(context: &Context) -> Result<(), Failure> {
    let charter: CharterView = context.client()?.get("/v1/charter", &[])?;
    context.out.json(&charter);
    let registrars: Vec<String> = charter
        .registrars
        .iter()
        .map(|(key, member)| format!("{} {} ({})", member.number, member.name, short(key)))
        .collect();
    context.out.line(output::pairs(&[
        ("联盟", charter.name.clone()),
        ("编号", charter.federation.clone()),
        ("章程", format!("第 {} 块，{}", charter.version, time::show(charter.time_ms))),
        ("到期", time::show(charter.expires_ms)),
        ("登记人", format!("{}（须 {} 人签署）", registrars.join("、"), charter.threshold)),
    ]));
    if charter.trial {
        context.out.say("试运行：一名登记人就能改章程。", "Trial: one registrar alone can change the charter.");
    }
    let row = |member: &node::api::types::MemberView| {
        let standing = if member.standing == "active" { "正常" } else { "已除名" };
        let reason = member.reason.clone().unwrap_or_default();
        let (number, name, class) = (member.number.to_string(), member.name.clone(), member.class_zh.clone());
        vec![number, name, class, member.region.clone(), standing.into(), format!("第 {} 块", member.admitted), reason]
    };
    context.out.line("");
    context
        .out
        .table(&["编号", "成员", "类别", "区划", "状态", "入盟", "说明"], charter.members.iter().map(row).collect());
    Ok(())
}

fn short(key: &str) -> &str {
    key.get(..8).unwrap_or(key)
}
