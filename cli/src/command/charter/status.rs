//! `charter status`: what is proposed, who signed, what is missing, and what needs attention.

use node::api::types::{CharterView, ProposalView, Status};
use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::{output, time};

use super::signing::still_missing;

/// Shows it.
pub fn perform(context: &Context) -> Result<(), Failure> {
    let client = context.client()?;
    let charter: CharterView = client.get("/v1/charter", &[])?;
    let proposals: Vec<ProposalView> = client.get("/v1/charter/proposals", &[])?;
    let status: Status = client.get("/v1/status", &[])?;
    let run_out: Vec<_> = charter.seats.iter().filter(|seat| seat.run_out).collect();
    context.out.json(&json!({
        "version": charter.version,
        "tip": charter.tip,
        "expires_ms": charter.expires_ms,
        "expired": charter.expired,
        "trial": charter.trial,
        "threshold": charter.threshold,
        "registrars": charter.registrars,
        "voters": charter.voters,
        "ballots_needed": charter.ballots_needed,
        "proposals": proposals,
        "terms_ended": run_out,
        "role_rules": charter.role_rules,
        "rival": charter.rival,
        "warnings": status.warnings,
    }));
    let expired = if charter.expired { "（已过期，不停用 expired, nothing stops）" } else { "" };
    context.out.line(output::pairs(&[
        ("章程", format!("第 {} 块  {}", charter.version, charter.tip)),
        ("到期", format!("{}{expired}", time::show(charter.expires_ms))),
        ("门槛", format!("{} 名登记人中 {} 名", charter.registrars.len(), charter.threshold)),
        ("投票", ballots(&charter)),
    ]));
    if charter.trial {
        context.out.say(super::TRIAL_ZH, super::TRIAL_EN);
    }
    for rule in &charter.role_rules {
        context.out.line(format!("{} {}: {}/{}", rule.role_zh, rule.role, rule.filled, rule.seats_max));
    }
    for warning in &status.warnings {
        context.out.say(format!("! {}", warning.zh), format!("! {}", warning.en));
    }
    if proposals.is_empty() {
        context.out.say("没有待签的提案。", "No proposal waits for signatures.");
    }
    proposals.iter().for_each(|proposal| show(context, proposal));
    Ok(())
}

fn ballots(charter: &CharterView) -> String {
    match charter.ballots_needed {
        Some(needed) => format!("{} 个成员中 {needed} 票 ({})", charter.voters, charter.ballot_rule),
        None => format!("{} 个有投票权的成员，不足以投票 too few to vote", charter.voters),
    }
}

fn show(context: &Context, proposal: &ProposalView) {
    let short = proposal.hash.get(..8).unwrap_or(&proposal.hash);
    context.out.line("");
    context.out.line(format!(
        "{short}  第 {} 块  {}  {}",
        proposal.version,
        proposal.author.name,
        time::show(proposal.time_ms)
    ));
    for words in &proposal.operations {
        context.out.say(format!("  - {}", words.zh), format!("    {}", words.en));
    }
    let (zh, en) = still_missing(proposal);
    context.out.say(format!("  {zh}"), format!("  {en}"));
    let missing: Vec<&str> = proposal.missing.iter().map(|member| member.name.as_str()).collect();
    context.out.line(format!("  未签 not signed: {}", missing.join("、")));
    if let Some(fault) = &proposal.fault {
        context.out.say(format!("  不能通过：{fault}"), format!("  cannot pass: {fault}"));
    }
}
