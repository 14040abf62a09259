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
    /// 其余条件。
    /// The other conditions
    #[command(flatten)]
    pub screen: Screen,
    /// 投资区域含这些字。
    /// Regions hold these characters
    #[arg(long, value_name = "TEXT")]
    pub region: Option<String>,
    /// 最多列出多少条。
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
}

/// What only funds are asked for, here and in `find fund`.
#[derive(Debug, Clone, Default, Args)]
pub struct Screen {
    /// 找基金：投资方向含这些字。
    /// Funds: directions hold these characters
    #[arg(long, value_name = "TEXT")]
    pub direction: Option<String>,
    /// 找基金：单笔投资金额，在基金的上下限之内，例如 5000万元。
    /// Funds: an amount within the fund's smallest and largest ticket, for instance 5000万元
    #[arg(long, value_name = "AMOUNT")]
    pub ticket: Option<String>,
    /// 找基金：规模至少这么大，例如 5亿元。
    /// Funds: size of at least so much
    #[arg(long, value_name = "AMOUNT")]
    pub size: Option<String>,
    /// 找基金：阶段偏好含这些字。
    /// Funds: stage preference holds these characters
    #[arg(long, value_name = "TEXT")]
    pub stage: Option<String>,
}

impl Screen {
    /// The first argument that was given.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            ("--direction", &self.direction),
            ("--ticket", &self.ticket),
            ("--size", &self.size),
            ("--stage", &self.stage),
        ];
        given.into_iter().find(|(_, given)| given.is_some()).map(|(name, _)| name)
    }
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
        ("directions~", &arguments.screen.direction),
        ("ticket_min<=", &arguments.screen.ticket),
        ("ticket_max>=", &arguments.screen.ticket),
        ("size>=", &arguments.screen.size),
        ("stages~", &arguments.screen.stage),
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
            screen: Screen {
                direction: text("智能制造"),
                ticket: text("5000万元"),
                size: text("5亿元"),
                stage: text("成长"),
            },
            region: text("重庆"),
            limit: 1,
        };
        let kind = KindSet::builtin().kind_named("fund").expect("a built-in kind");
        let conditions = conditions(&arguments);
        assert_eq!(conditions.len(), 6);
        conditions.iter().for_each(|condition| drop(Filter::parse(kind, condition).expect("a good condition")));
    }
}
