//! `charter show`: federation, registrars, members and blocks.

use clap::Args;
use node::api::types::CharterView;
use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::{output, time};

/// Arguments of `charter show`.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// 只显示互相矛盾的两个区块。
    /// Only the two blocks that contradict each other
    #[arg(long)]
    rival: bool,
}

/// Shows the charter as the node holds it.
pub fn perform(context: &Context, arguments: &ShowArguments) -> Result<(), Failure> {
    let charter: CharterView = context.client()?.get("/v1/charter", &[])?;
    if arguments.rival {
        show_rival(context, &charter);
        return Ok(());
    }
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
        context.out.say(super::TRIAL_ZH, super::TRIAL_EN);
    }
    let row = |member: &node::api::types::MemberView| {
        let standing = member.standing_zh.clone();
        let reason = member.reason.clone().unwrap_or_default();
        let (number, name, class) = (member.number.to_string(), member.name.clone(), member.class_zh.clone());
        vec![number, name, class, member.region.clone(), standing, format!("第 {} 块", member.admitted), reason]
    };
    context.out.line("");
    context
        .out
        .table(&["编号", "成员", "类别", "区划", "状态", "入盟", "说明"], charter.members.iter().map(row).collect());
    show_seats(context, &charter);
    Ok(())
}

fn show_rival(context: &Context, charter: &CharterView) {
    let held =
        charter.rival.as_ref().and_then(|rival| charter.blocks.iter().find(|held| held.version == rival.version));
    context.out.json(&json!({"held": held, "rival": charter.rival, "pins": charter.pins}));
    let Some(rival) = &charter.rival else {
        context.out.say("没有互相矛盾的区块。", "No two blocks contradict each other.");
        return;
    };
    for (name, block) in held.map(|held| ("本节点 held", held)).into_iter().chain([("另一支 rival", rival)]) {
        context.out.line(format!("{name}: {}:{}", block.version, block.hash));
        context.out.line(format!("  {}  {}", time::show(block.time_ms), block.operations.join(", ")));
    }
    context.out.say(
        "请打电话与登记人核实，再用 xianmeng charter pin 选定。",
        "Call the registrars, then choose with `xianmeng charter pin`.",
    );
}

fn show_seats(context: &Context, charter: &CharterView) {
    let row = |seat: &node::api::types::SeatView| {
        let state = match (&seat.ended, seat.run_out) {
            (Some((version, _)), _) => format!("第 {version} 块结束"),
            (None, true) => "任期已满".to_owned(),
            (None, false) => "在任".to_owned(),
        };
        let (number, role) = (seat.number.to_string(), seat.role_zh.clone());
        let member = seat.member.name.clone();
        vec![number, role, member, seat.person.clone(), time::show_or_dash(seat.until_ms), state]
    };
    context.out.line("");
    let rows = charter.seats.iter().map(row).collect();
    context.out.table(&["席位", "角色", "成员", "姓名", "任期至", "状态"], rows);
}

fn short(key: &str) -> &str {
    key.get(..8).unwrap_or(key)
}
