//! `charter applications`: who waits for a decision.

use node::api::types::PendingApplication;
use protocol::charter::Class;

use crate::card::card;
use crate::context::Context;
use crate::failure::Failure;
use crate::time;

/// Lists the applications that wait.
pub fn perform(context: &Context) -> Result<(), Failure> {
    let pending: Vec<PendingApplication> = context.client()?.get("/v1/applications", &[])?;
    context.out.json(&pending);
    if pending.is_empty() {
        context.out.say("没有待批的申请。", "No application waits.");
        return Ok(());
    }
    show(context, &pending);
    context.out.line(card(
        ("下一步", "Next"),
        &[
            ("打电话给申请单位，请对方逐组读出指纹", "call the applicant and have the fingerprint read to you"),
            ("一致：xianmeng charter admit 申请号", "it agrees: xianmeng charter admit REQUEST"),
            ("不一致：xianmeng charter refuse 申请号", "it does not: xianmeng charter refuse REQUEST"),
        ],
    ));
    Ok(())
}

/// The table of applications.
pub fn show(context: &Context, pending: &[PendingApplication]) {
    let row = |application: &PendingApplication| {
        let class = Class::from_name(&application.class)
            .map_or_else(|| application.class.clone(), |class| class.zh().to_owned());
        vec![
            application.id.clone(),
            application.name.clone(),
            class,
            application.region.clone(),
            application.fingerprint.clone(),
            time::show_or_dash(application.received_ms),
        ]
    };
    context.out.table(&["申请号", "单位", "类别", "区划", "指纹", "收到时间"], pending.iter().map(row).collect());
}
