//! `fund find`: the fund supermarket, `list` in the words of those who look for money (F036 of the requirements).

use clap::{Args, Subcommand};

use crate::context::Context;
use crate::failure::Failure;

use super::list::{self, ListArguments};

/// What can be done with funds.
#[derive(Debug, Subcommand)]
pub enum FundCommand {
    /// 按投向、单笔金额、规模等筛选基金。
    /// Screen funds by direction, ticket, size and so on
    Find(FindArguments),
}

/// Arguments of `fund find`.
#[derive(Debug, Args)]
pub struct FindArguments {
    /// 投资方向含这些字。
    /// Directions hold these characters
    #[arg(long, value_name = "TEXT")]
    pub direction: Option<String>,
    /// 单笔投资金额，在基金的上下限之内，例如 5000万元。
    /// An amount within the fund's smallest and largest ticket, for instance 5000万元
    #[arg(long, value_name = "AMOUNT")]
    pub ticket: Option<String>,
    /// 规模至少这么大，例如 5亿元。
    /// Size of at least so much
    #[arg(long, value_name = "AMOUNT")]
    pub size: Option<String>,
    /// 阶段偏好含这些字。
    /// Stage preference holds these characters
    #[arg(long, value_name = "TEXT")]
    pub stage: Option<String>,
    /// 投资区域含这些字。
    /// Regions hold these characters
    #[arg(long, value_name = "TEXT")]
    pub region: Option<String>,
    /// 最多列出多少条。
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
}

/// Does what was asked.
pub fn perform(context: &Context, command: FundCommand) -> Result<(), Failure> {
    let FundCommand::Find(arguments) = command;
    find(context, &arguments)
}

/// Finds funds.
pub fn find(context: &Context, arguments: &FindArguments) -> Result<(), Failure> {
    let conditions = conditions(arguments);
    let limit = arguments.limit;
    list::perform(context, &ListArguments { kind: Some("fund".into()), conditions, limit, ..ListArguments::default() })
}

fn conditions(arguments: &FindArguments) -> Vec<String> {
    let asked = [
        ("directions~", &arguments.direction),
        ("ticket_min<=", &arguments.ticket),
        ("ticket_max>=", &arguments.ticket),
        ("size>=", &arguments.size),
        ("stages~", &arguments.stage),
        ("regions~", &arguments.region),
    ];
    asked.iter().filter_map(|(condition, value)| Some(format!("{condition}{}", value.as_ref()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::kind::{KindSet, filter::Filter};

    #[test]
    fn every_question_is_a_condition_of_the_kind() {
        let text = |text: &str| Some(text.to_owned());
        let arguments = FindArguments {
            direction: text("智能制造"),
            ticket: text("5000万元"),
            size: text("5亿元"),
            stage: text("成长"),
            region: text("重庆"),
            limit: 1,
        };
        let kind = KindSet::builtin().kind_named("fund").expect("a built-in kind");
        let conditions = conditions(&arguments);
        assert_eq!(conditions.len(), 6);
        conditions.iter().for_each(|condition| drop(Filter::parse(kind, condition).expect("a good condition")));
    }
}
