//! `republish`: states again under the present key what a lost, stolen or forked key had stated, nothing typed twice.

use clap::Args;
use node::api::types::{Restate, RestatedView, UncountedStatement};

use crate::confirm;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::time;

/// Arguments of `republish`.
#[derive(Debug, Args)]
pub struct RepublishArguments {
    /// 只列出封存点之上、不再计入的陈述。
    /// Only list what stands above the seals and does not count
    #[arg(long)]
    list: bool,
    /// 只重新发布这些条目（可多次；写开头几位即可）。缺省为本节点自己签署的全部。
    /// Only these entries, by how their ids begin (repeatable); default: all that this node signed itself
    #[arg(long, value_name = "ENTRY")]
    only: Vec<String>,
    /// 连同从别处取回的条目（可能出自窃钥者，请先用 --list 核对）。
    /// Entries that came back from elsewhere as well (they may be a thief's: check `--list` first)
    #[arg(long, conflicts_with = "only")]
    from_elsewhere: bool,
    /// 不再询问。
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Lists, or publishes again.
pub fn perform(context: &Context, arguments: &RepublishArguments) -> Result<(), Failure> {
    let client = context.client()?;
    let found: Vec<UncountedStatement> = client.get("/v1/restatements", &[])?;
    if arguments.list || found.is_empty() {
        context.out.json(&found);
        if found.is_empty() {
            context.out.say(
                "没有被封存点排除的陈述，无需重新发布。",
                "Nothing stands above a seal: there is nothing to publish again.",
            );
        }
        found.iter().for_each(|one| context.out.line(describe(one)));
        return Ok(());
    }
    let chosen = choose(&found, arguments)?;
    chosen.iter().for_each(|one| context.out.line(describe(one)));
    if chosen.is_empty() {
        context.out.json(&RestatedView { entries: Vec::new(), left: Vec::new() });
        context.out.say(
            "没有可重新发布的：都已重新发布，或并非本节点签署（见 --list）。",
            "Nothing to publish again: it was done before, or this node did not sign it (see `--list`).",
        );
        return Ok(());
    }
    agreed(context, arguments, chosen.len())?;
    let request = Restate { entries: chosen.iter().map(|one| one.entry.clone()).collect() };
    let done: RestatedView = client.post("/v1/restatements", &request)?;
    context.out.json(&done);
    context.out.say(
        format!("已用现用密钥重新发布 {} 条。", done.entries.len()),
        format!("Published {} statements again under the present key.", done.entries.len()),
    );
    for (entry, reason) in &done.left {
        context.out.line(format!("未发 left {}: {reason}", short(entry)));
    }
    Ok(())
}

fn choose<'a>(
    found: &'a [UncountedStatement],
    arguments: &RepublishArguments,
) -> Result<Vec<&'a UncountedStatement>, Failure> {
    if arguments.only.is_empty() {
        let wanted =
            |one: &&UncountedStatement| one.obstacle.is_none() && (one.signed_here || arguments.from_elsewhere);
        return Ok(found.iter().filter(wanted).collect());
    }
    let named = |prefix: &String| {
        let mut fitting = found.iter().filter(|one| !prefix.is_empty() && one.entry.starts_with(prefix.as_str()));
        match (fitting.next(), fitting.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => {
                let (zh, en) = (format!("没有以 {prefix} 开头的条目。"), format!("no entry begins with {prefix}"));
                Err(Failure::new(ExitCode::InputRefused, "entry-unknown", zh, en)
                    .fix("请用 --list 查看。", "see `--list`"))
            }
            (Some(_), Some(_)) => {
                let (zh, en) = (format!("不止一条以 {prefix} 开头。"), format!("several entries begin with {prefix}"));
                Err(Failure::new(ExitCode::InputRefused, "entry-ambiguous", zh, en)
                    .fix("请多写几位。", "give more characters"))
            }
        }
    };
    arguments.only.iter().map(named).collect()
}

fn agreed(context: &Context, arguments: &RepublishArguments, count: usize) -> Result<(), Failure> {
    let question = format!("以上 {count} 条确属本单位，重新发布？ All {count} are genuine: publish them again? [y/N] ");
    if arguments.yes || confirm::ask(context, &question)? {
        return Ok(());
    }
    let (zh, en) = ("没有人确认这些陈述确属本单位。", "nobody confirmed that these statements are genuine");
    Err(Failure::new(ExitCode::NotAllowed, "not-confirmed", zh, en)
        .fix("核对后请加 --yes。", "check them, then add --yes"))
}

fn describe(one: &UncountedStatement) -> String {
    let operation = match one.operation.as_str() {
        "create" => "发布",
        "revise" => "更正",
        "withdraw" => "撤回",
        other => other,
    };
    let source = if one.signed_here { "本节点签署 signed here" } else { "来自别处 from elsewhere" };
    let name = one.external.as_deref().unwrap_or_default();
    let mut line = format!(
        "{}  {}  {operation} {}  {name} {}  {source}",
        short(&one.entry),
        time::show(one.time_ms),
        one.kind_zh,
        one.title
    );
    if let Some(reason) = &one.obstacle_zh {
        line.push_str(&format!("  （{reason}）"));
    }
    line
}

fn short(entry: &str) -> &str {
    entry.get(..12).unwrap_or(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(entry: &str, signed_here: bool, obstacle: Option<&str>) -> UncountedStatement {
        UncountedStatement {
            entry: entry.into(),
            key: "00".into(),
            sequence: 1,
            time_ms: 0,
            operation: "create".into(),
            kind: "demand".into(),
            kind_zh: "需求".into(),
            title: "光伏".into(),
            external: None,
            signed_here,
            obstacle: obstacle.map(str::to_owned),
            obstacle_zh: None,
        }
    }

    fn arguments(only: &[&str], from_elsewhere: bool) -> RepublishArguments {
        let only = only.iter().map(|text| (*text).to_owned()).collect();
        RepublishArguments { list: false, only, from_elsewhere, yes: true }
    }

    #[test]
    fn only_what_this_node_signed_is_chosen_unless_it_is_named() {
        let found =
            [statement("aa11", true, None), statement("ab22", false, None), statement("cc33", true, Some("restated"))];
        let chosen = |only: &[&str], from_elsewhere| {
            choose(&found, &arguments(only, from_elsewhere))
                .map(|chosen| chosen.iter().map(|one| one.entry.clone()).collect::<Vec<_>>())
        };
        assert_eq!(chosen(&[], false).expect("there is one"), ["aa11"]);
        assert_eq!(chosen(&[], true).expect("there are two"), ["aa11", "ab22"]);
        assert_eq!(chosen(&["ab"], false).expect("it is named"), ["ab22"]);
        assert_eq!(chosen(&["a"], false).expect_err("two begin so").code, "entry-ambiguous");
        assert_eq!(chosen(&["ff"], false).expect_err("none begins so").code, "entry-unknown");
    }
}
