//! `match`: what fits a record and why; `recommend`: projects and needs of money for funds.

use std::collections::BTreeMap;

use clap::Args;
use node::api::types::{
    CreateRecord, ExcludedView, FundMatches, MatchPart, MatchRecord, MatchView, MatchesView, Published,
    RecommendationsView,
};

use crate::client::segment;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::{output, time};

/// Most matches of one answer.
const LIMIT_MAX: i64 = 200;
/// The kind under which a verdict on a match is published.
const MATCH: &str = "match";
/// The side of a match that a verdict names as what is looked for.
const DEMAND: &str = "demand";
/// Kinds that a verdict can name beside the demand, which is also the name of its field.
const TAKEN: [&str; 4] = ["resource", "project", "fund", "opportunity"];
/// Dimensions as a verdict knows them: those of the rules that speak of each.
const DIMENSIONS: [(&str, &str); 7] = [
    ("industry", "产业"),
    ("region", "区域"),
    ("size", "规模"),
    ("land", "用地"),
    ("stage", "阶段"),
    ("timing", "时限"),
    ("text", "文本"),
];

/// Arguments of `match`.
#[derive(Debug, Args)]
pub struct MatchArguments {
    /// 记录：编号如 42-7、标识，或自己的编号。
    /// The record: a label such as 42-7, an id, or one's own number
    #[arg(value_name = "RECORD")]
    record: String,
    /// 只要这一类（可多次）。
    /// Only of this kind (repeatable)
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// 最多几条。
    /// At most so many
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=LIMIT_MAX))]
    limit: u32,
    /// 也列出被硬条件排除的，说明原因。
    /// List also what hard conditions exclude, with the reasons
    #[arg(long)]
    excluded: bool,
    /// 采纳这一条：发布一条“匹配”记录，写明分数和理由（本记录须是需求，或所采纳的是需求）。
    /// Take this candidate up: publish a record of kind match with score and reasons; one of the two is a demand
    #[arg(long, value_name = "CANDIDATE", requires = "judge")]
    take: Option<String>,
    /// 采纳时的判定单位。
    /// Who judges, when a candidate is taken up
    #[arg(long = "by", value_name = "OFFICE")]
    judge: Option<String>,
}

/// Arguments of `recommend`.
#[derive(Debug, Args)]
pub struct RecommendArguments {
    /// 基金记录；不写就是本成员的各支基金。
    /// A fund; without it, the funds of this member
    #[arg(long, value_name = "RECORD")]
    fund: Option<String>,
    /// 每支基金最多几条。
    /// At most so many for each fund
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=LIMIT_MAX))]
    limit: u32,
}

/// Says what fits a record.
pub fn perform(context: &Context, arguments: &MatchArguments) -> Result<(), Failure> {
    let client = context.client()?;
    let mut query = vec![("limit", arguments.limit.to_string()), ("excluded", arguments.excluded.to_string())];
    if !arguments.kinds.is_empty() {
        query.push(("kinds", arguments.kinds.join(",")));
    }
    if arguments.take.is_some() {
        query[0].1 = LIMIT_MAX.to_string();
    }
    let view: MatchesView = client.get(&format!("/v1/matches/{}", segment(&arguments.record)), &query)?;
    if let (Some(candidate), Some(judge)) = (&arguments.take, &arguments.judge) {
        let record = verdict(&view, candidate, judge)?;
        let published: Published = client.post("/v1/records", &record)?;
        context.out.json(&published);
        let labels = published.labels.join(" ");
        context.out.say(format!("已采纳，匹配记录 {labels}。"), format!("taken up as match {labels}"));
        return Ok(());
    }
    context.out.json(&view);
    context.out.line(describe(&view));
    Ok(())
}

/// Says what is recommended to funds.
pub fn recommend(context: &Context, arguments: &RecommendArguments) -> Result<(), Failure> {
    let mut query = vec![("limit", arguments.limit.to_string())];
    query.extend(arguments.fund.clone().map(|fund| ("fund", fund)));
    let view: RecommendationsView = context.client()?.get("/v1/recommendations", &query)?;
    context.out.json(&view);
    for FundMatches { fund, matches, why_zh, why_en } in &view.funds {
        match matches {
            Some(matches) => context.out.line(describe(matches)),
            None => {
                context.out.line(format!("{}\n  {}", name(fund), why_zh.as_deref().unwrap_or_default()));
                context.out.line(format!("  {}", why_en.as_deref().unwrap_or_default()));
            }
        }
        context.out.line("");
    }
    if !view.complete {
        say_incomplete(context);
    }
    Ok(())
}

fn say_incomplete(context: &Context) {
    context.out.say(
        "节点刚启动，还没有看完全部记录，请稍后再问一次。",
        "the node has not looked at every record yet; ask again soon",
    );
}

fn describe(view: &MatchesView) -> String {
    let mut lines = vec![format!("{} 的匹配 Matches", name(&view.subject))];
    if view.found.is_empty() {
        lines.push("  没有匹配的记录。Nothing fits.".to_owned());
    }
    for (place, found) in (1..).zip(&view.found) {
        lines.push(format!("\n{place}. {}", describe_match(found)));
    }
    if !view.excluded.is_empty() {
        lines.push("\n被排除的 Excluded".to_owned());
        lines.extend(view.excluded.iter().map(describe_excluded));
    }
    lines.push(String::new());
    let kinds = view.kinds.iter().map(|kind| kind.zh.as_str()).collect::<Vec<_>>().join("、");
    lines.push(format!("看了 {} 条（{kinds}）{} looked at", view.considered, view.considered));
    if !view.excluded_by.is_empty() {
        let counts = view.excluded_by.iter().map(|count| format!("{} {} 条", count.zh, count.count));
        lines.push(format!("排除 Excluded：{}", counts.collect::<Vec<_>>().join("；")));
    }
    let (version, hash) = (view.rules_version, view.rules_hash.get(..12).unwrap_or_default());
    let (frontier, time) = (view.frontier.get(..12).unwrap_or_default(), time::show(view.as_of_ms));
    lines.push(format!("规则 rules {version} {hash}  前沿 frontier {frontier}  截至 as of {time}"));
    if !view.complete {
        lines.push(
            "节点刚启动，还没有看完全部记录，请稍后再问一次。The node has not looked at every record yet.".to_owned(),
        );
    }
    lines.join("\n")
}

fn name(record: &MatchRecord) -> String {
    output::plain(&format!("{} {} {}", record.label, record.kind_zh, record.title))
}

fn describe_match(found: &MatchView) -> String {
    let record = &found.record;
    let owner = &record.owner;
    let contact = if record.contact.is_empty() { String::new() } else { format!("，{}", record.contact) };
    let head = output::plain(&format!(
        "{} 分  {}  {} {}{contact}",
        tenths(found.score),
        name(record),
        owner.number,
        owner.name
    ));
    let parts = found.parts.iter().map(|part| describe_part(part, found.weights));
    std::iter::once(head).chain(parts).collect::<Vec<_>>().join("\n")
}

/// Permille as points out of a hundred.
fn tenths(permille: u16) -> String {
    format!("{}.{}", permille / 10, permille % 10)
}

fn describe_part(part: &MatchPart, weights: u32) -> String {
    let value = part.value.map_or_else(|| format!("不明，按{}", tenths(part.counted)), tenths);
    let weight = u32::from(part.weight) * 1_000 / weights.max(1);
    let weight = tenths(u16::try_from(weight).unwrap_or(u16::MAX));
    output::plain(&format!("   {} +{}（{value} × {weight}%）{}", part.zh, tenths(part.part), part.reason_zh))
}

fn describe_excluded(excluded: &ExcludedView) -> String {
    let reasons = excluded.reasons.iter().map(|reason| reason.zh.as_str()).collect::<Vec<_>>().join("；");
    output::plain(&format!("  {}：{reasons}", name(&excluded.record)))
}

/// The verdict that takes a candidate up.
fn verdict(view: &MatchesView, candidate: &str, judge: &str) -> Result<CreateRecord, Failure> {
    let is_it = |record: &MatchRecord| {
        record.label == candidate || record.id == candidate || record.external.as_deref() == Some(candidate)
    };
    let mut candidates = view.found.iter().filter(|found| is_it(&found.record));
    let (Some(found), None) = (candidates.next(), candidates.next()) else {
        let zh = format!("匹配结果里没有“{candidate}”，或者不止一条；请写编号，如 42-7。");
        let en = format!("the matches do not hold `{candidate}`, or hold several; write a label such as 42-7");
        return Err(Failure::new(ExitCode::NotFound, "match-candidate", zh, en));
    };
    let (demand, other) = match view.subject.kind == DEMAND {
        true => (&view.subject, &found.record),
        false => (&found.record, &view.subject),
    };
    if demand.kind != DEMAND || !TAKEN.contains(&other.kind.as_str()) {
        let zh = "“匹配”记录只能写需求与资源、项目、基金、投资机会之间的匹配。";
        let en = "a record of kind match is between a demand and a resource, project, fund or opportunity";
        return Err(Failure::new(ExitCode::InputRefused, "match-kinds", zh, en));
    }
    let parts: Vec<(&str, &MatchPart)> = DIMENSIONS
        .into_iter()
        .filter_map(|(dimension, zh)| Some((zh, found.parts.iter().find(|part| part.dimension == dimension)?)))
        .collect();
    // The elements of a list are separated by semicolons.
    let plain = |text: &str| text.replace([';', '；'], "，");
    let join = |texts: Vec<String>| texts.join(";");
    let fields = [
        ("demand", demand.label.clone()),
        (other.kind.as_str(), other.label.clone()),
        ("score", tenths(found.score)),
        ("dimensions", join(parts.iter().map(|(zh, _)| (*zh).to_owned()).collect())),
        ("dimension_scores", join(parts.iter().map(|(_, part)| tenths(part.part)).collect())),
        ("reasons", join(parts.iter().map(|(_, part)| plain(&part.reason_zh)).collect())),
        ("rule_version", format!("{} {}", view.rules_version, view.rules_hash)),
        ("verdict", "采纳".to_owned()),
        ("judged_by", judge.to_owned()),
        ("judged_on", time::show(time::now_ms()).chars().take("2026-01-01".len()).collect()),
    ];
    let fields: BTreeMap<String, String> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(CreateRecord { kind: MATCH.to_owned(), external: None, fields, readers: None, parties: None })
}

#[cfg(test)]
mod tests {
    use node::api::types::{KindName, MemberName};
    use protocol::kind::KindSet;

    use super::*;

    fn record(label: &str, kind: &str) -> MatchRecord {
        MatchRecord {
            id: "00".repeat(32),
            label: label.to_owned(),
            kind: kind.to_owned(),
            kind_zh: "类别".to_owned(),
            external: None,
            title: "名称\u{1b}[31m".to_owned(),
            owner: MemberName { number: 7, name: "甲县".to_owned() },
            contact: "县投资促进中心".to_owned(),
        }
    }

    fn part(dimension: &str, value: Option<u16>) -> MatchPart {
        MatchPart {
            dimension: dimension.to_owned(),
            zh: "维度".to_owned(),
            weight: 300,
            value,
            counted: value.unwrap_or(350),
            part: 105,
            reason_zh: "需要400亩；可供476亩".to_owned(),
            reason_en: String::new(),
        }
    }

    fn view(subject: &str, candidate: &str) -> MatchesView {
        let parts = vec![part("need", Some(1_000)), part("industry", Some(1_000)), part("land", None)];
        let found = MatchView { record: record("2-9", candidate), score: 876, rate: 876_543, weights: 900, parts };
        MatchesView {
            subject: record("1-1", subject),
            found: vec![found],
            excluded: Vec::new(),
            excluded_by: Vec::new(),
            considered: 3,
            kinds: vec![KindName { name: candidate.to_owned(), zh: "资源".to_owned() }],
            rules_version: 1,
            rules_hash: "ab".repeat(32),
            frontier: "cd".repeat(32),
            as_of_ms: 0,
            complete: true,
        }
    }

    #[test]
    fn every_part_is_said_and_nothing_moves_the_cursor() {
        let text = describe(&view("demand", "resource"));
        assert!(text.contains("87.6 分") && text.contains("（100.0 × 33.3%）"), "{text}");
        assert!(text.contains("不明，按35.0") && text.contains("县投资促进中心"), "{text}");
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn what_is_taken_up_keeps_the_rules_of_its_kind() {
        let kind = KindSet::builtin().kind_named(MATCH).expect("a built-in kind");
        for (subject, candidate) in [("demand", "fund"), ("resource", "demand")] {
            let made = verdict(&view(subject, candidate), "2-9", "县投资促进中心").expect("it can be taken up");
            let fields: BTreeMap<u16, _> = made
                .fields
                .iter()
                .map(|(name, text)| {
                    let field = kind.field_named(name).expect("a field");
                    (field.number, field.parse(text).expect("a good value").expect("not blank"))
                })
                .collect();
            assert_eq!(kind.validate(&fields), []);
        }
        assert_eq!(verdict(&view("demand", "facility"), "2-9", "某").expect_err("no field").code, "match-kinds");
        assert_eq!(verdict(&view("demand", "fund"), "9-9", "某").expect_err("not there").code, "match-candidate");
    }
}
