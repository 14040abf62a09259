//! `key protect` and `key unprotect`: a passphrase comes, changes or goes.

use clap::Args;
use node::directory::passphrase::Passphrase;
use serde_json::json;

use super::chosen;
use crate::context::Context;
use crate::failure::Failure;
use crate::{home, passphrase};

/// Arguments of `key protect` and `key unprotect`.
#[derive(Debug, Args)]
pub struct ProtectArguments {
    /// 哪把密钥或哪种用途：signing、transport、encryption、governance；不写则为全部。
    /// Which key or purpose: signing, transport, encryption, governance; all without it
    #[arg(value_name = "KEY")]
    key: Option<String>,
}

/// Protects keys. What protected them before must be known.
pub fn protect(context: &Context, arguments: &ProtectArguments) -> Result<(), Failure> {
    let passphrase = passphrase::choose()?;
    let names = rewrite(context, arguments, Some(&passphrase))?;
    context.out.say(
        format!("已用口令保护：{names}。忘了口令就只能用恢复包。"),
        format!("Protected: {names}. A forgotten passphrase leaves the recovery kit only."),
    );
    Ok(())
}

/// Takes the protection away.
pub fn unprotect(context: &Context, arguments: &ProtectArguments) -> Result<(), Failure> {
    let names = rewrite(context, arguments, None)?;
    context.out.say(
        format!("已取消口令：{names}。谁能读到文件，谁就能用这些密钥。"),
        format!("Not protected any more: {names}. Whoever can read the files can use the keys."),
    );
    Ok(())
}

fn rewrite(context: &Context, arguments: &ProtectArguments, to: Option<&Passphrase>) -> Result<String, Failure> {
    let directory = context.directory()?;
    let names = chosen(&directory, arguments.key.as_deref())?;
    let keystore = directory.keystore();
    // All of them open before any of them changes: a wrong passphrase leaves everything as it was.
    for name in &names {
        directory.key(*name).map_err(|error| home::directory_failure(&error))?;
    }
    for name in &names {
        keystore.protect(*name, directory.passphrases(), to).map_err(|error| home::directory_failure(&error))?;
    }
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    context.out.json(&json!({"keys": names, "protected": to.is_some()}));
    Ok(names.join(", "))
}
