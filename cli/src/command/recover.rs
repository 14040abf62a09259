//! `recover`: makes a lost node's data directory again from its recovery kit.

use std::path::PathBuf;

use clap::Args;
use node::directory::{DataDirectory, DirectoryError, kit};
use protocol::charter::Purpose;
use serde_json::json;

use super::init::SettingsArguments;
use crate::card::card;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::{home, passphrase};

/// Arguments of `recover`.
#[derive(Debug, Args)]
pub struct RecoverArguments {
    /// 恢复包文件。
    /// The recovery kit
    #[arg(long, value_name = "FILE")]
    kit: PathBuf,
    /// 用口令保护全部密钥。
    /// Protect all keys by a passphrase
    #[arg(long)]
    passphrase: bool,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// Makes the directory, and says what is still missing.
pub fn perform(context: &Context, arguments: RecoverArguments) -> Result<(), Failure> {
    let config = arguments.settings.config()?;
    let path = context.data_path()?;
    let kit_passphrase = passphrase::of_kit()?;
    let kit = kit::read(&arguments.kit, &kit_passphrase).map_err(|error| kit_failure(&error))?;
    let passphrase = arguments.passphrase.then(passphrase::choose).transpose()?;
    let directory = DataDirectory::recover(&path, &kit, &config, passphrase.as_ref())
        .map_err(|error| home::directory_failure(&error))?;
    let signing = directory.public_key(Purpose::Signing).map_err(|error| home::directory_failure(&error))?;
    let names: Vec<String> = kit.keys.iter().map(|(name, _)| name.to_string()).collect();
    context.out.json(&json!({"data": path, "name": kit.profile.name, "signing": signing, "keys": names}));
    context.out.say(
        format!("已用恢复包重建“{}”的节点：{}", kit.profile.name, path.display()),
        format!("made the node of {} again in {}", kit.profile.name, path.display()),
    );
    context.out.line(card(
        ("下一步", "Next"),
        &[
            (
                "向秘书处要一份邀请函，执行 xianmeng join 邀请函.json",
                "ask for an invitation: xianmeng join INVITATION.json",
            ),
            ("执行 xianmeng run，数据从其他成员取回", "xianmeng run: the data comes back from other members"),
            (
                "其他成员确认本单位日志的末尾之前，本机暂不签署",
                "it signs nothing until other members confirm the head of your log",
            ),
            ("旧电脑若找回，不要再运行它的节点", "should the old computer turn up, do not run its node again"),
        ],
    ));
    Ok(())
}

/// A kit's own passphrase has no other way out than the paper that it stands on.
fn kit_failure(error: &DirectoryError) -> Failure {
    match error {
        DirectoryError::WrongPassphrase { .. } => {
            let (zh, en) = ("口令打不开这个恢复包。", "the passphrase does not open this recovery kit");
            Failure::new(ExitCode::NotAllowed, "kit-passphrase", zh, en).fix(
                "请核对纸上的八组数字；重做过恢复包的，口令也换了。",
                "compare the eight groups on the paper; a kit that was written again has another passphrase",
            )
        }
        DirectoryError::Content { path, reason } => {
            let (zh, en) = (format!("{} 不是完好的恢复包：{reason}", path.display()), error.to_string());
            Failure::new(ExitCode::InputRefused, "kit-unreadable", zh, en)
                .fix("请与原件逐字核对，或换另一份恢复包。", "compare it with the original, or take another copy")
        }
        error => home::directory_failure(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kit_that_does_not_open_says_which_of_two_reasons_it_is() {
        let wrong = kit_failure(&DirectoryError::WrongPassphrase { key: "signing".into() });
        assert_eq!((wrong.exit, wrong.code.as_ref()), (ExitCode::NotAllowed, "kit-passphrase"));
        let typed = kit_failure(&DirectoryError::Content { path: "kit".into(), reason: "check".into() });
        assert_eq!((typed.exit, typed.code.as_ref()), (ExitCode::InputRefused, "kit-unreadable"));
    }
}
