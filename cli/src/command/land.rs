//! `land find`: plots for an industry, out of the parcels and of the resources that state an area (F022 of the
//! requirements).

use clap::{Args, Subcommand};
use node::api::types::ListedRecord;
use serde_json::json;

use super::list::{self, ListArguments};
use crate::context::Context;
use crate::failure::Failure;

/// The kinds that hold plots, and whether a record of that kind may be something else than a plot.
const KINDS: [(&str, bool); 2] = [("land_parcel", false), ("resource", true)];
/// What a plot has.
const AREA: &str = "area";
/// A claim that somebody makes of a parcel; silence is none.
const READY: &str = "ready_to_start";
/// The fields that are shown, where a kind has them.
const SHOWN: [&str; 4] = [AREA, "industry_codes", "minimum_investment", "state"];

/// What can be done with land.
#[derive(Debug, Subcommand)]
pub enum LandCommand {
    /// 按行业、面积、投资强度找地。
    /// Find plots by industry, area and investment per mu
    Find(FindArguments),
}

/// Arguments of `land find`.
#[derive(Debug, Default, Args)]
pub struct FindArguments {
    /// 行业代码（GB/T 4754），例如 3841。
    /// Industry (GB/T 4754), for instance 3841
    #[arg(long, value_name = "CODE")]
    pub industry: Option<String>,
    /// 面积至少多少亩。
    /// An area of at least so many mu
    #[arg(long, value_name = "MU")]
    pub min_mu: Option<String>,
    /// 面积至多多少亩。
    /// An area of at most so many mu
    #[arg(long, value_name = "MU")]
    pub max_mu: Option<String>,
    /// 行政区划代码（GB/T 2260）。
    /// Division (GB/T 2260)
    #[arg(long, value_name = "CODE")]
    pub division: Option<String>,
    /// 其余条件。
    /// The other conditions
    #[command(flatten)]
    pub screen: Screen,
}

/// What only land is asked for, here and in `find land`.
#[derive(Debug, Clone, Default, Args)]
pub struct Screen {
    /// 找地：要求的投资强度不超过（万元/亩）。
    /// Land: a demand of at most so much investment per mu, in 万元
    #[arg(long, value_name = "AMOUNT")]
    pub max_intensity: Option<String>,
    /// 找地：只要“拿地即开工”的。
    /// Land: only what is ready to start
    #[arg(long)]
    pub ready: bool,
}

impl Screen {
    /// The first argument that was given.
    pub fn given(&self) -> Option<&'static str> {
        let given = [("--max-intensity", self.max_intensity.is_some()), ("--ready", self.ready)];
        given.into_iter().find(|(_, given)| *given).map(|(name, _)| name)
    }
}

/// Does what was asked.
pub fn perform(context: &Context, command: LandCommand) -> Result<(), Failure> {
    let LandCommand::Find(arguments) = command;
    find(context, &arguments)
}

/// Finds plots.
pub fn find(context: &Context, arguments: &FindArguments) -> Result<(), Failure> {
    let client = context.client()?;
    let mut plots = Vec::new();
    for (kind, mixed) in KINDS {
        let Some((conditions, unasked)) = conditions(super::statements::kind(kind)?, arguments) else { continue };
        let asked = ListArguments { kind: Some(kind.into()), conditions, all: true, ..ListArguments::default() };
        let found = list::fetch(&client, &asked)?.records;
        let fits = |plot: &ListedRecord| (!mixed || has_area(plot)) && !plot.unknown.iter().any(|name| name == READY);
        plots.extend(found.into_iter().filter(fits).map(|mut plot| {
            plot.unknown.extend(unasked.iter().cloned());
            plot
        }));
    }
    context.out.json(&json!({"records": plots}));
    if plots.is_empty() {
        context.out.say("没有符合的地块。", "No plot fits.");
        return Ok(());
    }
    let headers = ["编号", "类别", "名称", "所有者", "面积", "行业代码", "最低投资强度", "状态"];
    context.out.table(&headers, plots.iter().map(row).collect());
    context.out.line(format!("共 {} 宗 {0} plots", plots.len()));
    if plots.iter().any(|plot| !plot.unknown.is_empty()) {
        context.out.say(
            "“不明”是记录没有写这一项：可能符合，也可能不符合。",
            "不明 (unknown): the record does not say; it may fit or not.",
        );
    }
    Ok(())
}

/// The conditions on records of a kind, and those questions that it has no field for: its records do not say.
fn conditions(kind: &protocol::kind::Kind, arguments: &FindArguments) -> Option<(Vec<String>, Vec<String>)> {
    let ready = arguments.screen.ready.then(|| "是".to_owned());
    let asked = [
        ("industry_codes", "=", arguments.industry.as_ref()),
        (AREA, ">=", arguments.min_mu.as_ref()),
        (AREA, "<=", arguments.max_mu.as_ref()),
        ("minimum_investment", "<=", arguments.screen.max_intensity.as_ref()),
        ("division_code", "=", arguments.division.as_ref()),
        (READY, "=", ready.as_ref()),
    ];
    let (mut conditions, mut unasked) = (Vec::new(), Vec::new());
    for (field, operator, value) in asked {
        let Some(value) = value else { continue };
        match kind.field_named(field) {
            Some(_) => conditions.push(format!("{field}{operator}{value}")),
            None if field == READY => return None,
            None => unasked.push(field.to_owned()),
        }
    }
    Some((conditions, unasked))
}

fn has_area(plot: &ListedRecord) -> bool {
    plot.record.fields.iter().any(|field| field.name == AREA)
}

fn row(plot: &ListedRecord) -> Vec<String> {
    let record = &plot.record;
    let mut row = vec![record.label.clone(), record.kind_zh.clone(), record.title.clone(), record.owner.name.clone()];
    row.extend(SHOWN.map(|name| {
        let field = record.fields.iter().find(|field| field.name == name);
        let unknown = || if plot.unknown.iter().any(|unknown| unknown == name) { "不明" } else { "-" };
        field.map_or_else(|| unknown().to_owned(), |field| field.value.clone())
    }));
    row
}

#[cfg(test)]
mod tests {
    use protocol::kind::KindSet;
    use protocol::kind::filter::Filter;

    use super::*;

    #[test]
    fn every_question_is_a_condition_where_the_kind_has_the_field() {
        let text = |text: &str| Some(text.to_owned());
        let arguments = FindArguments {
            industry: text("3841"),
            min_mu: text("400"),
            max_mu: text("3000"),
            division: text("411426"),
            screen: Screen { max_intensity: text("300"), ready: true },
        };
        let kind = |name| KindSet::builtin().kind_named(name).expect("a built-in kind");
        let (asked, unasked) = conditions(kind("land_parcel"), &arguments).expect("parcels say all of it");
        assert_eq!((asked.len(), unasked.len()), (6, 0));
        asked.iter().for_each(|text| drop(Filter::parse(kind("land_parcel"), text).expect("a good condition")));
        assert_eq!(conditions(kind("resource"), &arguments), None, "no resource is called ready to start");
        let any = FindArguments { screen: Screen { ready: false, ..arguments.screen.clone() }, ..arguments };
        let (asked, unasked) = conditions(kind("resource"), &any).expect("some");
        assert_eq!((asked.len(), unasked), (4, vec!["minimum_investment".to_owned()]));
        asked.iter().for_each(|text| drop(Filter::parse(kind("resource"), text).expect("a good condition")));
    }
}
