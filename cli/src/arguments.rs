//! The command line: global arguments, commands, and help in Chinese and English.

use std::path::PathBuf;

use clap::{Arg, ArgAction, Args, Command, CommandFactory, Parser};

use crate::command;
use crate::exit_codes;

const OPTIONS: &str = "选项 Options";
const OPERANDS: &str = "参数 Arguments";
const COMMANDS: &str = "命令 Commands";
const TEMPLATE: &str = "{about-with-newline}\n用法 Usage: {usage}\n\n{all-args}{after-help}";

/// 县盟：县域招商联盟的点对点节点。
/// Xianmeng: a peer-to-peer node of a federation of counties, funds and agencies.
#[derive(Debug, Parser)]
#[command(name = "xianmeng", version, disable_help_subcommand = true, disable_version_flag = true)]
pub struct Arguments {
    /// What holds for every command.
    #[command(flatten)]
    pub global: GlobalArguments,
    /// What to do.
    #[command(subcommand)]
    pub command: command::Command,
}

/// What holds for every command.
#[derive(Debug, Args)]
pub struct GlobalArguments {
    /// 数据目录（缺省依次取 XIANMENG_DATA、~/.config/xianmeng/cli.toml 的 data、~/.xianmeng）。
    /// Data directory (default: XIANMENG_DATA, then `data` in ~/.config/xianmeng/cli.toml, then ~/.xianmeng)
    #[arg(long, global = true, value_name = "DIR", env = "XIANMENG_DATA", hide_env = true)]
    pub data: Option<PathBuf>,
    /// 附加类别文件的目录（缺省依次取 XIANMENG_KINDS、数据目录下的 kinds 目录）。
    /// Directory of extra kind files (default: XIANMENG_KINDS, then `kinds` in the data directory)
    // Commands have `kinds` of their own: an argument for all of them must not share its id with any.
    #[arg(
        id = "kinds_directory",
        long = "kinds",
        global = true,
        value_name = "DIR",
        env = "XIANMENG_KINDS",
        hide_env = true
    )]
    pub kinds: Option<PathBuf>,
    /// 只在标准输出上给出 JSON。
    /// Print JSON on standard output and nothing else there
    #[arg(long, global = true)]
    pub json: bool,
}

/// The whole command line, with headings and built-in help in both languages.
pub fn command_line() -> Command {
    let version = Arg::new("version").short('V').long("version").action(ArgAction::Version);
    let version = version.help("显示版本 Print version").help_heading(OPTIONS);
    localise(Arguments::command()).arg(version).after_long_help(exit_codes::help())
}

fn localise(command: Command) -> Command {
    let help = Arg::new("help").short('h').long("help").action(ArgAction::Help);
    let help = help.help("显示帮助（--help 更详细） Print help (--help has more)").help_heading(OPTIONS);
    command
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .help_template(TEMPLATE)
        .subcommand_help_heading(COMMANDS)
        .subcommand_value_name("命令 COMMAND")
        .mut_args(|arg| {
            let heading = if arg.is_positional() { OPERANDS } else { OPTIONS };
            arg.help_heading(heading)
        })
        .arg(help)
        .mut_subcommands(localise)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::FromArgMatches;

    #[test]
    fn no_command_has_an_argument_with_the_id_of_one_for_all() {
        fn look(command: &Command, global: &[String]) {
            for inner in command.get_subcommands() {
                let own = inner.get_arguments().map(|arg| arg.get_id().to_string());
                let shared: Vec<String> = own.filter(|id| global.contains(id)).collect();
                assert!(shared.is_empty(), "{}: {shared:?}", inner.get_name());
                look(inner, global);
            }
        }
        let line = Arguments::command();
        let global: Vec<String> = line.get_arguments().map(|arg| arg.get_id().to_string()).collect();
        assert!(global.contains(&"kinds_directory".to_owned()), "{global:?}");
        look(&line, &global);
        let named = parse(&["xianmeng", "--kinds", "a", "template", "fund", "project"]).expect("it is in order");
        assert_eq!(named.global.kinds, Some(PathBuf::from("a")));
        assert!(parse(&["xianmeng", "export", "--sheet", "a.xlsx", "--kind", "fund"]).is_ok());
    }

    fn parse(line: &[&str]) -> Result<Arguments, clap::Error> {
        Arguments::from_arg_matches(&command_line().try_get_matches_from(line)?)
    }

    #[test]
    fn the_command_line_is_sound_and_every_help_text_is_chinese_first() {
        command_line().debug_assert();
        fn check(command: &Command) {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(about.chars().next().is_some_and(|c| !c.is_ascii()), "{}: {about}", command.get_name());
            assert!(about.chars().any(|c| c.is_ascii_alphabetic()), "{}: {about}", command.get_name());
            for argument in command.get_arguments() {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                let found = format!("{} {}: {help}", command.get_name(), argument.get_id());
                assert!(help.chars().take(12).any(|c| !c.is_ascii()), "{found}");
                assert!(help.chars().any(|c| c.is_ascii_alphabetic()), "{found}");
            }
            command.get_subcommands().for_each(check);
        }
        check(&command_line());
    }

    #[test]
    fn global_arguments_stand_before_or_behind_the_command() {
        let before = parse(&["xianmeng", "--json", "--data", "d", "status"]).expect("a good line");
        let behind = parse(&["xianmeng", "status", "--json", "--data", "d"]).expect("a good line");
        assert!(before.global.json && behind.global.json);
        assert_eq!(before.global.data, behind.global.data);
    }

    #[test]
    fn a_wrong_line_is_clap_s_exit_code_two() {
        let error = parse(&["xianmeng", "publish-all"]).expect_err("there is no such command");
        assert_eq!(error.exit_code(), i32::from(exit_codes::ExitCode::Usage.number()));
    }
}
