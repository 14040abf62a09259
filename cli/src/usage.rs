//! What is wrong with a command line, in Chinese: clap knows the parts of it, and says them in English only.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::exit_codes::ExitCode;
use crate::failure::Failure;

/// The failure of a line that clap could not read.
pub fn failure(error: &clap::Error) -> Failure {
    let text = error.render().to_string();
    Failure::new(ExitCode::Usage, "usage", format!("命令写法不对：{}", chinese(error)), text.trim_end())
        .fix(fix(error), "add --help to see how it is used")
}

/// One sentence; what clap adds in later versions is shown as clap says it.
fn chinese(error: &clap::Error) -> String {
    let of = |kind: ContextKind| error.get(kind).map(listed).unwrap_or_default();
    let (argument, value) = (of(ContextKind::InvalidArg), of(ContextKind::InvalidValue));
    match error.kind() {
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument} 后面缺少值。"),
        ErrorKind::InvalidValue => match of(ContextKind::ValidValue) {
            values if values.is_empty() => format!("{argument} 不能是“{value}”。"),
            values => format!("{argument} 不能是“{value}”，可用：{values}。"),
        },
        ErrorKind::UnknownArgument => format!("没有参数 {argument}。"),
        ErrorKind::InvalidSubcommand => format!("没有命令“{}”。", of(ContextKind::InvalidSubcommand)),
        ErrorKind::NoEquals => format!("{argument} 与值之间要有等号。"),
        ErrorKind::ValueValidation => {
            let why = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            format!("{argument} 的值“{value}”读不懂（{why}）。")
        }
        ErrorKind::TooManyValues => format!("{argument} 的值“{value}”多余。"),
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => format!("{argument} 的值的个数不对。"),
        ErrorKind::ArgumentConflict => match of(ContextKind::PriorArg) {
            prior if prior == argument || prior.is_empty() => format!("{argument} 只能写一次。"),
            prior => format!("{argument} 与 {prior} 不能同时使用。"),
        },
        ErrorKind::MissingRequiredArgument => format!("缺少 {argument}。"),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "还要写明做什么，即下一级命令。".to_owned()
        }
        ErrorKind::InvalidUtf8 => "有参数不是 UTF-8 文字。".to_owned(),
        _ => error.render().to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    }
}

/// The way out, with what the person may have meant.
fn fix(error: &clap::Error) -> String {
    let kinds = [ContextKind::SuggestedSubcommand, ContextKind::SuggestedArg, ContextKind::SuggestedValue];
    let meant: Vec<String> = kinds.into_iter().filter_map(|kind| error.get(kind)).map(listed).collect();
    if meant.is_empty() {
        return "加 --help 可看用法。".to_owned();
    }
    format!("是不是 {}？加 --help 可看用法。", meant.join("、"))
}

fn listed(value: &ContextValue) -> String {
    match value {
        ContextValue::None => String::new(),
        ContextValue::Strings(texts) => texts.join("、"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::command_line;

    fn chinese_of(line: &[&str]) -> String {
        let line = std::iter::once("xianmeng").chain(line.iter().copied());
        let failure = failure(&command_line().try_get_matches_from(line).expect_err("a wrong line"));
        format!("{} {}", failure.zh, failure.fix_zh)
    }

    #[test]
    fn a_wrong_line_is_explained_in_chinese() {
        let cases: [(&[&str], &str); 8] = [
            (&["shw", "1-1"], "没有命令“shw”。 是不是 show"),
            (&["show"], "缺少 <RECORD>"),
            (&["status", "--jsn"], "没有参数 --jsn。 是不是 --json"),
            (&["bulletin", "show", "1-1", "2-2"], "没有参数 2-2。"),
            (&["find", "x", "--limit", "many"], "的值“many”读不懂"),
            (&["find", "x", "--limit"], "后面缺少值"),
            (&["status", "--json", "--json"], "--json 只能写一次"),
            (&["bulletin"], "还要写明做什么"),
        ];
        for (line, expected) in cases {
            let said = chinese_of(line);
            assert!(said.contains(expected), "{line:?}: {said}");
            assert!(said.starts_with("命令写法不对："), "{said}");
        }
    }
}
