//! `gaps competition`: counties of a prefecture that state the same industry (F077 of the requirements).

use clap::Args;
use node::api::types::{CompetitionCounty, CompetitionView};

use super::{labels, query, say_beside, say_frame};
use crate::context::Context;
use crate::failure::Failure;

/// Arguments of `gaps competition`.
#[derive(Debug, Args)]
pub struct CompetitionArguments {
    /// 只看这个省、市或县，代码或名称，例如 商丘市。
    /// Only this province, prefecture or county, by code or name
    #[arg(long, value_name = "PLACE")]
    region: Option<String>,
    /// 只看这个行业，代码或名称，大类中类也可以，例如 17。
    /// Only this industry, by code or name; may be a wider one
    #[arg(long, value_name = "CODE")]
    industry: Option<String>,
    /// 至少几个县。
    /// At least so many counties
    #[arg(long, default_value_t = 2, value_name = "COUNT")]
    min_counties: usize,
    /// 最多列出多少行。
    /// At most so many lines
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: usize,
}

/// Asks and shows.
pub fn perform(context: &Context, arguments: &CompetitionArguments) -> Result<(), Failure> {
    let pairs = query(&[
        ("region", arguments.region.clone()),
        ("industry", arguments.industry.clone()),
        ("min_counties", Some(arguments.min_counties.to_string())),
        ("limit", Some(arguments.limit.to_string())),
    ]);
    let view: CompetitionView = context.client()?.get("/v1/gaps/competition", &pairs)?;
    context.out.json(&view);
    if view.lines.is_empty() {
        context.out.say("没有符合的行业。", "No industry fits.");
    } else {
        let rows = view.lines.iter().map(|line| {
            let industry = format!("{} {}", line.industry.code, line.industry.name);
            let counties: Vec<String> = line.counties.iter().map(county).collect();
            let (count, records) = (line.counties.len().to_string(), line.records.to_string());
            vec![line.prefecture.name.clone(), industry, count, records, counties.join("、")]
        });
        let headers = ["地级市", "行业", "县数", "记录", "县（记录数）"];
        context.out.table(&headers, rows.collect());
        let (shown, total) = (view.lines.len(), view.total);
        context.out.line(format!("列出 {shown} 行，共 {total} 行 {shown} of {total} lines"));
        context.out.say(
            "各县依据哪些记录：加 --json，或用 show 标号查看。",
            "Which records each county rests on: --json, and `show LABEL`.",
        );
    }
    say_beside(context, &view.without_place, "没有行政区划", "without a division");
    say_beside(context, &view.wide_place, "写的是市或省，不归某个县", "of a prefecture or province as a whole");
    say_beside(context, &view.wide_industry, "行业不到四位", "with industries of fewer than four digits");
    say_beside(context, &view.without_industry, "没有行业代码", "without an industry");
    if view.ended > 0 {
        let ended = view.ended;
        context.out.say(format!("另有 {ended} 条已终止或到期，不计"), format!("{ended} have ended and say nothing"));
    }
    say_frame(context, &view.frame);
    Ok(())
}

fn county(found: &CompetitionCounty) -> String {
    match found.records.records {
        1 => format!("{} {}", found.county.name, labels(&found.records)),
        records => format!("{} {records} 条", found.county.name),
    }
}
