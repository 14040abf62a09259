//! `gaps chains`: links that the chains of a place lack (F028 of the requirements).

use clap::Args;
use node::api::types::{ChainElsewhere, ChainLinkView, ChainStated, ChainView, ChainsView};

use super::{labels, query, say_beside, say_frame};
use crate::context::Context;
use crate::failure::Failure;

/// Counties that one cell names.
const COUNTIES_SHOWN_MAX: usize = 3;

/// Arguments of `gaps chains`.
#[derive(Debug, Args)]
pub struct ChainsArguments {
    /// 哪个县、市或省，代码或名称，例如 夏邑县；不写为全联盟。
    /// The county, prefecture or province, by code or name; none for the whole federation
    #[arg(long, value_name = "PLACE")]
    region: Option<String>,
    /// 产业链名称含这些字，例如 纺织。
    /// The name of the chain holds this
    #[arg(long, value_name = "TEXT")]
    chain: Option<String>,
    /// 只列没有的、只有策划的和县里说缺的环节。
    /// Only links that are missing, only planned, or stated to be missing
    #[arg(long)]
    missing: bool,
    /// 最多列出多少条产业链。
    /// At most so many chains
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// Asks and shows.
pub fn perform(context: &Context, arguments: &ChainsArguments) -> Result<(), Failure> {
    let pairs = query(&[
        ("region", arguments.region.clone()),
        ("chain", arguments.chain.clone()),
        ("limit", Some(arguments.limit.to_string())),
    ]);
    let view: ChainsView = context.client()?.get("/v1/gaps/chains", &pairs)?;
    context.out.json(&view);
    let place = view.region.as_ref().map_or("全联盟 the federation", |region| region.name.as_str());
    if view.chains.is_empty() {
        context.out.say(
            format!("{place}：没有符合的产业链。加 --chain 可看别处的同名链。"),
            format!("{place}: no chain fits; --chain shows what others name"),
        );
    }
    for chain in &view.chains {
        show(context, place, chain, arguments.missing);
    }
    let (shown, total) = (view.chains.len(), view.total);
    context.out.line(format!("列出 {shown} 条产业链，共 {total} 条 {shown} of {total} chains"));
    say_beside(context, &view.without_place, "产业链没有行政区划", "chains without a division");
    say_beside(
        context,
        &view.evidence_without_place,
        "记录对上了环节而没有所在县",
        "records that show a link and no county",
    );
    say_frame(context, &view.frame);
    Ok(())
}

fn show(context: &Context, place: &str, chain: &ChainView, missing_only: bool) {
    let lacking = chain.links.iter().filter(|link| is_lacking(link)).count();
    let (links, targets) = (chain.links.len(), chain.targets);
    context.out.say(
        format!("{place} {}：{links} 个环节，缺 {lacking} 个，目标企业 {targets} 家", chain.name),
        format!("{place} {}: {links} links, {lacking} lacking, {targets} target firms", chain.name),
    );
    let wanted = |link: &&ChainLinkView| !missing_only || is_lacking(link) || link.stated.missing > 0;
    let rows: Vec<Vec<String>> = chain.links.iter().filter(wanted).map(row).collect();
    if !rows.is_empty() {
        let headers = ["环节", "行业", "县里说", "记录显示", "本地记录", "策划项目", "目标企业", "哪里有"];
        context.out.table(&headers, rows);
    }
}

fn is_lacking(link: &ChainLinkView) -> bool {
    link.verdict != "present"
}

fn row(link: &ChainLinkView) -> Vec<String> {
    let industry = link.industry.as_ref().map_or_else(|| "-".to_owned(), |found| found.code.clone());
    let verdict = match link.verdict.as_str() {
        "missing" => "没有",
        "planned" => "只有策划",
        _ => "有",
    };
    let elsewhere: Vec<String> = link.elsewhere.iter().take(COUNTIES_SHOWN_MAX).map(there).collect();
    let more = link.elsewhere_total.saturating_sub(elsewhere.len());
    let more = if more > 0 { format!(" +{more}") } else { String::new() };
    vec![
        link.name.clone(),
        industry,
        stated(link.stated),
        verdict.to_owned(),
        dash(labels(&link.here)),
        dash(labels(&link.planned)),
        dash(labels(&link.targets)),
        dash(format!("{}{more}", elsewhere.join("、"))),
    ]
}

fn there(found: &ChainElsewhere) -> String {
    let near = match found.nearness.as_str() {
        "prefecture" => "同市",
        "province" => "同省",
        _ => "外省",
    };
    format!("{near} {} {}", found.county.name, dash(labels(&found.records)))
}

/// What counties say: 强 2 缺 1.
fn stated(ChainStated { strong, weak, missing }: ChainStated) -> String {
    let each = [("强", strong), ("弱", weak), ("缺", missing)];
    let said: Vec<String> = each
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(word, count)| if *count == 1 { (*word).to_owned() } else { format!("{word}{count}") })
        .collect();
    dash(said.join(" "))
}

fn dash(text: String) -> String {
    if text.is_empty() { "-".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counties_say_is_short() {
        assert_eq!(stated(ChainStated::default()), "-");
        assert_eq!(stated(ChainStated { strong: 0, weak: 0, missing: 1 }), "缺");
        assert_eq!(stated(ChainStated { strong: 2, weak: 1, missing: 0 }), "强2 弱");
    }
}
