//! `key`: the secret keys of this node as files: which there are, how they are protected, and where else they lie; and
//! the log that they sign.

mod confirm_alone;
mod holder;
mod list;
pub mod outside;
mod protect;
mod request;

use clap::Subcommand;
use node::directory::DataDirectory;
use node::directory::keystore::{KeyName, KeyUse};
use protocol::charter::Purpose;

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::home;

/// What can be done with keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// 列出密钥：用途、公钥、有无口令、是否在章程里。
    /// List the keys: purpose, public half, protection, whether the charter names them
    List,
    /// 用口令保护密钥，或更换口令。
    /// Protect keys by a passphrase, or change it
    Protect(protect::ProtectArguments),
    /// 取消口令保护。
    /// Take the protection away
    Unprotect(protect::ProtectArguments),
    /// 把一把密钥复制到文件，例如登记人的 U 盘。
    /// Copy a key to a file, for instance on a registrar's stick
    Export(outside::ExportArguments),
    /// 从数据目录删除一把密钥。
    /// Remove a key from the data directory
    Remove(outside::RemoveArguments),
    /// 重新制作恢复包。
    /// Write a fresh recovery kit
    Kit(outside::KitArguments),
    /// 生成新密钥和换钥申请：轮换、丢失、被盗、分叉。
    /// Make a new key and the request for it: rotation, loss, theft, a fork
    Request(request::RequestArguments),
    /// 线索查重评估方的密钥：生成，并写出给登记人的申请。
    /// The key of a holder for duplicate leads: make it, and write the request for a registrar
    Holder(holder::HolderArguments),
    /// 没有其他成员可问时，允许本节点只凭本机数据签署（有分叉的风险）。
    /// Let this node sign from its own disk alone when nobody else can be asked (risks a fork)
    ConfirmAlone(confirm_alone::ConfirmAloneArguments),
}

/// Does what was asked.
pub fn perform(context: &Context, command: KeyCommand) -> Result<(), Failure> {
    match command {
        KeyCommand::List => list::perform(context),
        KeyCommand::Protect(arguments) => protect::protect(context, &arguments),
        KeyCommand::Unprotect(arguments) => protect::unprotect(context, &arguments),
        KeyCommand::Export(arguments) => outside::export(context, &arguments),
        KeyCommand::Remove(arguments) => outside::remove(context, &arguments),
        KeyCommand::Kit(arguments) => outside::kit(context, &arguments),
        KeyCommand::Request(arguments) => request::perform(context, &arguments),
        KeyCommand::Holder(arguments) => holder::perform(context, &arguments),
        KeyCommand::ConfirmAlone(arguments) => confirm_alone::perform(context, &arguments),
    }
}

/// What a purpose is called in Chinese.
fn purpose_zh(purpose: KeyUse) -> &'static str {
    match purpose {
        KeyUse::Granted(Purpose::Signing) => "签名",
        KeyUse::Granted(Purpose::Transport) => "传输",
        KeyUse::Granted(Purpose::Encryption) => "加密",
        KeyUse::Granted(Purpose::Governance) => "治理",
        KeyUse::Holder => "线索评估",
    }
}

/// The keys that a word names: one key by its name, or every key of a purpose; all keys without a word.
fn chosen(directory: &DataDirectory, word: Option<&str>) -> Result<Vec<KeyName>, Failure> {
    let mut names = directory.keystore().names().map_err(|error| home::directory_failure(&error))?;
    let Some(word) = word else { return Ok(names) };
    match (KeyUse::from_name(word), KeyName::parse(word)) {
        (Some(purpose), _) => names.retain(|name| name.purpose == purpose),
        (None, Some(key)) => names.retain(|name| *name == key),
        (None, None) => names.clear(),
    }
    if names.is_empty() {
        return Err(unknown(word));
    }
    Ok(names)
}

fn unknown(word: &str) -> Failure {
    let (zh, en) = (format!("没有密钥 {word}。"), format!("there is no key {word}"));
    Failure::new(ExitCode::NotFound, "key-unknown", zh, en)
        .fix("xianmeng key list 列出全部。", "`xianmeng key list` lists them")
}
