//! `gaps`: what is doubled, missing, idle, could be pooled, and how matching goes, over everybody's records.

mod chains;
mod competition;
mod funds;
mod matching;
mod pools;

use clap::Subcommand;
use node::api::types::{SurveyFrame, SurveyRecord, SurveyRecords};

use super::count::{coverage_en, coverage_zh};
use crate::context::Context;
use crate::failure::Failure;
use crate::time;

/// Labels of records that one cell names.
const LABELS_SHOWN_MAX: usize = 3;

/// What can be asked.
#[derive(Debug, Subcommand)]
pub enum GapsCommand {
    /// 同质竞争：同一地级市里，哪些县写明了同一个四位行业。
    /// Which counties of one prefecture state the same industry
    Competition(competition::CompetitionArguments),
    /// 产业链缺环：哪些环节没有，附近哪些县有。
    /// Which links of its chains a place lacks, and where they are
    Chains(chains::ChainsArguments),
    /// 闲置基金：十二个月没有投资案例。
    /// Funds without a case in twelve months
    Funds(funds::FundsArguments),
    /// 汇集需求：几个县的同类需求加在一起，可写出联合需求草稿。
    /// Like needs of several counties, added up; can write the draft of a joint one
    Pools(pools::PoolsArguments),
    /// 匹配成功率：采纳的匹配有几个达成协议。
    /// How many matches that were taken up led to an agreement
    Matching(matching::MatchingArguments),
}

/// Does what was asked.
pub fn perform(context: &Context, command: GapsCommand) -> Result<(), Failure> {
    match command {
        GapsCommand::Competition(arguments) => competition::perform(context, &arguments),
        GapsCommand::Chains(arguments) => chains::perform(context, &arguments),
        GapsCommand::Funds(arguments) => funds::perform(context, &arguments),
        GapsCommand::Pools(arguments) => pools::perform(context, &arguments),
        GapsCommand::Matching(arguments) => matching::perform(context, &arguments),
    }
}

/// Says what an answer rests on.
pub(super) fn say_frame(context: &Context, frame: &SurveyFrame) {
    context.out.say(coverage_zh(&frame.coverage), coverage_en(&frame.coverage));
    let (time, version, digest) = (time::show(frame.as_of_ms), frame.charter_version, &frame.digest);
    context.out.line(format!("截至 as of {time}  章程 charter {version}  条目 entries {digest}"));
    if frame.moved {
        let zh = "期间有新条目到达；要与别的节点核对，请再问一次。";
        context.out.say(zh, "entries arrived meanwhile; ask again to compare with another node");
    }
}

/// Says what stands beside an answer, if there is any.
fn say_beside(context: &Context, records: &SurveyRecords, zh: &str, en: &str) {
    if records.records > 0 {
        let (count, labels) = (records.records, labels(records));
        context.out.say(format!("另有 {count} 条{zh}：{labels}"), format!("{count} {en}: {labels}"));
    }
}

/// The labels of the first records, and how many more there are.
fn labels(records: &SurveyRecords) -> String {
    let shown: Vec<&str> = records.shown.iter().take(LABELS_SHOWN_MAX).map(|record| record.label.as_str()).collect();
    match records.records.saturating_sub(shown.len()) {
        0 => shown.join(" "),
        more => format!("{} +{more}", shown.join(" ")),
    }
}

/// A record by title and label.
fn named(record: &SurveyRecord) -> String {
    format!("{}（{}）", record.title, record.label)
}

/// Pairs of a query, those that are asked for.
fn query(pairs: &[(&'static str, Option<String>)]) -> Vec<(&'static str, String)> {
    pairs.iter().filter_map(|(name, value)| Some((*name, value.clone()?))).collect()
}

#[cfg(test)]
mod tests {
    use node::api::types::MemberName;

    use super::*;

    #[test]
    fn a_cell_names_the_first_records_and_counts_the_rest() {
        let record = |serial: usize| SurveyRecord {
            id: String::new(),
            label: format!("2-{serial}"),
            kind: "project".into(),
            kind_zh: "项目".into(),
            owner: MemberName { number: 2, name: "甲".into() },
            title: "园".into(),
        };
        let records = |count: usize| SurveyRecords { records: count, shown: (1..=count.min(20)).map(record).collect() };
        assert_eq!((labels(&records(0)).as_str(), labels(&records(3)).as_str()), ("", "2-1 2-2 2-3"));
        assert_eq!(labels(&records(25)), "2-1 2-2 2-3 +22");
        assert_eq!(named(&record(7)), "园（2-7）");
        assert_eq!(query(&[("a", None), ("b", Some("1".into()))]), [("b", "1".to_owned())]);
    }
}
