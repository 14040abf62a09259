//! `key export`, `key remove` and `key kit`: keys that lie, or shall lie, outside of the data directory.

use std::path::{Path, PathBuf};

use clap::Args;
use node::directory::keystore::{KeyName, KeyUse, Slot};
use node::directory::passphrase::Passphrase;
use node::directory::{DataDirectory, DirectoryError, Profile, kit, write_private};
use protocol::charter::Purpose;
use serde_json::json;

use super::unknown;
use crate::card::card;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::{home, passphrase};

/// Arguments of `key export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// 哪把密钥，例如 governance。
    /// Which key, for instance governance
    #[arg(value_name = "KEY")]
    key: String,
    /// 写到哪个文件（不覆盖）。
    /// The file to write (never overwritten)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// 另设口令保护这个文件；不加则照原样复制。
    /// Protect the file by a new passphrase; copied as it is without this
    #[arg(long)]
    passphrase: bool,
}

/// Copies a key.
pub fn export(context: &Context, arguments: &ExportArguments) -> Result<(), Failure> {
    let directory = context.directory()?;
    let name = one(&directory, &arguments.key)?;
    let keystore = directory.keystore();
    refuse_existing(&arguments.out)?;
    let protected = if arguments.passphrase {
        let chosen = passphrase::choose()?;
        keystore
            .export(name, directory.passphrases(), Some(&chosen), &arguments.out)
            .map_err(|error| home::directory_failure(&error))?;
        true
    } else {
        let path = keystore.path(name);
        let bytes = std::fs::read(&path).map_err(|error| Failure::file(&path, &error))?;
        write_private(&arguments.out, &bytes).map_err(|error| home::directory_failure(&error))?;
        let state = keystore.list().map_err(|error| home::directory_failure(&error))?;
        state.iter().any(|state| state.name == name && state.protected)
    };
    let file = arguments.out.display();
    context.out.json(&json!({"key": name.to_string(), "file": arguments.out, "protected": protected}));
    context.out.say(format!("密钥 {name} 已写入 {file}。"), format!("The key {name} is in {file}."));
    if !protected {
        context.out.say("注意：这个文件没有口令保护。", "Note: no passphrase protects this file.");
    }
    if name.purpose == Purpose::Governance {
        context.out.say(
            format!("若要离线保管，请执行 xianmeng key remove governance --yes；签署时加 --governance-key {file}。"),
            format!(
                "To keep it offline: `xianmeng key remove governance --yes`, then sign with --governance-key {file}."
            ),
        );
    }
    Ok(())
}

/// Arguments of `key remove`.
#[derive(Debug, Args)]
pub struct RemoveArguments {
    /// 哪把密钥，例如 governance。
    /// Which key, for instance governance
    #[arg(value_name = "KEY")]
    key: String,
    /// 确认已另有副本。
    /// Confirm that a copy lies elsewhere
    #[arg(long)]
    yes: bool,
}

/// Removes a key that the node can do without.
pub fn remove(context: &Context, arguments: &RemoveArguments) -> Result<(), Failure> {
    let directory = context.directory()?;
    let name = one(&directory, &arguments.key)?;
    let needed = name.purpose != Purpose::Governance && name.purpose != KeyUse::Holder;
    if name.slot == Slot::Current && needed {
        let (zh, en) = (format!("节点离不开密钥 {name}。"), format!("the node cannot do without the key {name}"));
        return Err(Failure::new(ExitCode::NotAllowed, "key-needed", zh, en).fix(
            "只有治理密钥、线索评估密钥和旧密钥可以删除。",
            "only the governance key, a holder's key and former keys can be removed",
        ));
    }
    if !arguments.yes {
        let (zh, en) = ("删除后无法找回。", "what is removed does not come back");
        return Err(Failure::new(ExitCode::NotAllowed, "not-confirmed", zh, en).fix(
            "请先 xianmeng key export 或确认恢复包可用，再加 --yes。",
            "export it or make sure that the recovery kit works, then add --yes",
        ));
    }
    directory.keystore().remove(name).map_err(|error| home::directory_failure(&error))?;
    context.out.json(&json!({"removed": name.to_string()}));
    context.out.say(format!("已删除密钥 {name}。"), format!("Removed the key {name}."));
    Ok(())
}

/// Arguments of `key kit`.
#[derive(Debug, Args)]
pub struct KitArguments {
    /// 写到哪个文件（不覆盖）。
    /// The file to write (never overwritten)
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// Writes a fresh kit of all keys.
pub fn kit(context: &Context, arguments: &KitArguments) -> Result<(), Failure> {
    let directory = context.directory()?;
    refuse_existing(&arguments.out)?;
    let profile = directory.profile().map_err(|error| home::directory_failure(&error))?;
    let passphrase = write_kit(&directory, &profile, &arguments.out)?;
    context.out.json(&json!({"kit": {"file": arguments.out, "passphrase": passphrase.expose()}}));
    show_kit(context, &arguments.out, &passphrase);
    Ok(())
}

/// Writes a kit of all keys of a directory, under a passphrase that is chosen now.
pub fn write_kit(directory: &DataDirectory, profile: &Profile, path: &Path) -> Result<Passphrase, Failure> {
    let made = || -> Result<Passphrase, DirectoryError> {
        let passphrase = kit::choose_passphrase()?;
        let text = kit::write(profile, &directory.all_keys()?, &passphrase)?;
        write_private(path, text.as_bytes())?;
        Ok(passphrase)
    };
    made().map_err(|error| home::directory_failure(&error))
}

/// The card of a kit: the only time that its passphrase is shown.
pub fn show_kit(context: &Context, path: &Path, passphrase: &Passphrase) {
    context
        .out
        .line(format!("\n  恢复包口令 Kit passphrase（只显示这一次 shown once）:\n\n    {}\n", passphrase.expose()));
    let (zh, en) = (format!("恢复包在 {}", path.display()), format!("The recovery kit is in {}", path.display()));
    context.out.line(card(
        ("恢复包", "Recovery kit"),
        &[
            (
                "现在把上面的口令抄在纸上，与恢复包分开保管。",
                "Write the passphrase above on paper, apart from the kit.",
            ),
            (&zh, &en),
            ("把恢复包打印或存入 U 盘，锁进保险柜。", "Print it or put it on a stick, and lock it away."),
            ("电脑丢失后：xianmeng recover --kit 文件", "When the computer is lost: xianmeng recover --kit FILE"),
        ],
    ));
}

/// Refuses a file that exists, before anything else is done.
pub fn refuse_existing(path: &Path) -> Result<(), Failure> {
    if !path.exists() {
        return Ok(());
    }
    let (zh, en) = (format!("{} 已存在，没有覆盖。", path.display()), format!("{} exists", path.display()));
    Err(Failure::new(ExitCode::InputRefused, "file-exists", zh, en).fix("请换一个文件名。", "choose another name"))
}

fn one(directory: &DataDirectory, word: &str) -> Result<KeyName, Failure> {
    KeyName::parse(word).filter(|name| directory.keystore().holds(*name)).ok_or_else(|| unknown(word))
}
