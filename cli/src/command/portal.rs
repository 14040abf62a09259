//! `portal`: the pages in the browser: a link that opens them, and who may log in.

use std::io::{self, BufRead, IsTerminal};

use clap::{Args, Subcommand};
use node::api::types::PortalLink;
use node::directory::DataDirectory;
use node::portal::accounts::{AccountError, Accounts, Role};
use node::portal::limits::{ACCOUNT_NAME_CHARACTERS_MAX, ACCOUNTS_MAX, PASSWORD_CHARACTERS_MIN};
use serde_json::json;

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::{home, time};

/// What can be done with the portal.
#[derive(Debug, Subcommand)]
pub enum PortalCommand {
    /// 给出打开网页门户的一次性链接（五分钟内有效）。
    /// Print a link that opens the portal once, for five minutes
    Open,
    /// 能登录门户的账号。
    /// Who may log in to the portal
    #[command(subcommand)]
    User(UserCommand),
}

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// 新建账号；密码从终端或标准输入读取，不写在命令行上。
    /// Make an account; the password is read from the terminal or standard input, never from the command line
    Add(AddArguments),
    /// 列出账号。
    /// List the accounts
    List,
    /// 删除账号；它的登录随即失效。
    /// Remove an account, which ends its sessions
    Remove(NameArguments),
    /// 改密码；旧的登录随即失效。
    /// Change a password, which ends the account's sessions
    Password(NameArguments),
}

/// Arguments of `portal user add`.
#[derive(Debug, Args)]
pub struct AddArguments {
    /// 账号名称，例如姓名。
    /// Name of the account
    name: String,
    /// 权限：viewer（查看）或 operator（操作，可以以本单位名义声明）。
    /// Role: `viewer` reads; `operator` also states in the member's name
    #[arg(long, default_value = "viewer")]
    role: String,
}

/// The name of an account.
#[derive(Debug, Args)]
pub struct NameArguments {
    /// 账号名称。
    /// Name of the account
    name: String,
}

/// Does what was asked.
pub fn perform(context: &Context, command: PortalCommand) -> Result<(), Failure> {
    match command {
        PortalCommand::Open => open(context),
        PortalCommand::User(command) => {
            let directory = context.directory()?;
            let accounts = Accounts::at(directory.portal_accounts_path());
            match command {
                UserCommand::Add(arguments) => add(context, &accounts, &arguments),
                UserCommand::List => list(context, &accounts),
                UserCommand::Remove(arguments) => remove(context, &directory, &accounts, &arguments.name),
                UserCommand::Password(arguments) => change(context, &accounts, &arguments.name),
            }
        }
    }
}

fn open(context: &Context) -> Result<(), Failure> {
    let link: PortalLink = context.client()?.post("/v1/portal/links", &json!({}))?;
    context.out.json(&link);
    context.out.say(
        "请在本机的浏览器里打开（只能用一次，五分钟内有效）：",
        "Open it in a browser of this machine (good once, five minutes):",
    );
    context.out.line(&link.url);
    Ok(())
}

fn add(context: &Context, accounts: &Accounts, arguments: &AddArguments) -> Result<(), Failure> {
    let role = Role::of_name(arguments.role.trim()).ok_or_else(|| {
        let (zh, en) =
            (format!("没有“{}”这种权限。", arguments.role), format!("there is no role {:?}", arguments.role));
        refused("role-unknown", zh, en).fix("可用：viewer（查看）、operator（操作）。", "`viewer` or `operator`")
    })?;
    let name = arguments.name.trim();
    // Before a person is asked for a password.
    if accounts.find(name).map_err(|error| failure(&error))?.is_some() {
        return Err(failure(&AccountError::Exists));
    }
    let password = new_password()?;
    accounts.add(name, role, &password, node::core::now_ms()).map_err(|error| failure(&error))?;
    context.out.json(&json!({"name": name, "role": role.name()}));
    context.out.say(
        format!("已新建账号“{name}”（{}），现在就能登录。", role.zh()),
        format!("Made the account {name} ({}); it can log in now.", role.name()),
    );
    context.out.say(
        "要从别的机器访问，请设 config.toml 的 portal.listen 和 portal.hosts，再重新启动节点。",
        "For other machines set portal.listen and portal.hosts in config.toml, and start the node again.",
    );
    Ok(())
}

fn list(context: &Context, accounts: &Accounts) -> Result<(), Failure> {
    let accounts = accounts.all().map_err(|error| failure(&error))?;
    let shown = accounts.iter();
    let shown = shown.map(|one| json!({"name": one.name, "role": one.role.name(), "created_ms": one.created_ms}));
    context.out.json(&shown.collect::<Vec<_>>());
    if accounts.is_empty() {
        context.out.say("还没有账号。", "There is no account yet.");
        return Ok(());
    }
    let row = |one: &node::portal::accounts::Account| {
        vec![one.name.clone(), format!("{} {}", one.role.zh(), one.role.name()), time::show(one.created_ms)]
    };
    context.out.table(&["账号 name", "权限 role", "新建 made"], accounts.iter().map(row).collect());
    Ok(())
}

fn remove(context: &Context, directory: &DataDirectory, accounts: &Accounts, name: &str) -> Result<(), Failure> {
    let all = accounts.all().map_err(|error| failure(&error))?;
    let listen = directory.config().map_err(|error| home::directory_failure(&error))?.portal.listen;
    let beyond = listen.parse().is_ok_and(|address: std::net::SocketAddr| !address.ip().is_loopback());
    if beyond && all.len() == 1 && all[0].name == name {
        let (zh, en) = (
            format!("门户监听 {listen}，别的机器也能访问，不能删除最后一个账号。"),
            format!("the portal listens on {listen}, beyond this machine: the last account cannot be removed"),
        );
        return Err(Failure::new(ExitCode::NotAllowed, "last-account", zh, en).fix(
            "请先新建另一个账号，或把 config.toml 的 portal.listen 改回 127.0.0.1。",
            "make another account first, or set portal.listen to 127.0.0.1 in config.toml",
        ));
    }
    accounts.remove(name).map_err(|error| failure(&error))?;
    context.out.json(&json!({"name": name, "removed": true}));
    context.out.say(format!("已删除账号“{name}”。"), format!("removed the account {name}"));
    Ok(())
}

fn change(context: &Context, accounts: &Accounts, name: &str) -> Result<(), Failure> {
    if accounts.find(name).map_err(|error| failure(&error))?.is_none() {
        return Err(failure(&AccountError::Unknown));
    }
    let password = new_password()?;
    accounts.set_password(name, &password).map_err(|error| failure(&error))?;
    context.out.json(&json!({"name": name, "changed": true}));
    context.out.say(format!("已更改“{name}”的密码。"), format!("changed the password of {name}"));
    Ok(())
}

/// Asks twice at a terminal; without one, the first line of standard input counts.
fn new_password() -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map_err(Failure::internal)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let ask = |text| rpassword::prompt_password(text).map_err(Failure::internal);
    let first = ask("新密码 New password: ")?;
    if ask("再输一遍 Once more: ")? == first {
        return Ok(first);
    }
    Err(refused("password-differs", "两次输入的密码不一样。", "the two passwords differ")
        .fix("请重来一次。", "try again"))
}

fn refused(code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Failure {
    Failure::new(ExitCode::InputRefused, code, zh, en)
}

fn failure(error: &AccountError) -> Failure {
    let en = error.to_string();
    match error {
        AccountError::Directory(error) => home::directory_failure(error),
        AccountError::Name => refused("account-name", "账号名称不对。", en).fix(
            format!("1 到 {ACCOUNT_NAME_CHARACTERS_MAX} 个字，可用汉字、字母、数字和 - _ .，不能叫 owner。"),
            format!("1 to {ACCOUNT_NAME_CHARACTERS_MAX} letters, digits, `-`, `_` or `.`, and not `owner`"),
        ),
        AccountError::Exists => refused("account-exists", "已经有这个账号。", en)
            .fix("改密码用 xianmeng portal user password。", "`xianmeng portal user password` changes its password"),
        AccountError::Unknown => Failure::new(ExitCode::NotFound, "account-unknown", "没有这个账号。", en)
            .fix("xianmeng portal user list 列出账号。", "`xianmeng portal user list` lists them"),
        AccountError::Full => refused("accounts-full", format!("账号已满 {ACCOUNTS_MAX} 个。"), en)
            .fix("请先删除不用的账号。", "remove one that is not needed"),
        AccountError::Password => refused("password-short", "密码太短或太长。", en).fix(
            format!("至少 {PASSWORD_CHARACTERS_MIN} 个字符；一句好记的话最好。"),
            format!("at least {PASSWORD_CHARACTERS_MIN} characters; a sentence is best"),
        ),
        AccountError::Hash(_) => Failure::internal(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_says_the_way_out() {
        for error in [
            AccountError::Name,
            AccountError::Exists,
            AccountError::Unknown,
            AccountError::Full,
            AccountError::Password,
        ] {
            let failure = failure(&error);
            assert!(!failure.fix_zh.is_empty() && !failure.fix_en.is_empty(), "{error}");
        }
        assert_eq!(failure(&AccountError::Unknown).exit, ExitCode::NotFound);
    }
}
