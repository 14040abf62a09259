//! `key holder`: the key by which this member helps to find duplicate leads (requirement F046), and the request by which
//! a registrar names it. It works while the node is stopped.

use std::path::{Path, PathBuf};

use clap::Args;
use node::directory::keystore::{self, KeyName, KeyUse};
use node::directory::{DataDirectory, replace_file};
use node::key_change;
use node::key_request::HolderRequest;
use node::leads::holder::requested_key;
use protocol::charter::{Charter, Purpose};
use serde_json::json;

use super::{outside, request};
use crate::card::card;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::home;

/// Arguments of `key holder`.
#[derive(Debug, Args)]
pub struct HolderArguments {
    /// 申请写到哪个文件。
    /// The file of the request
    #[arg(long, value_name = "FILE", default_value = "holder-request.json")]
    out: PathBuf,
    /// 另做一把，待章程指定后换用（轮换、被盗）。
    /// Make another key, which takes over when the charter names it (rotation, theft)
    #[arg(long)]
    new: bool,
}

/// Makes or finds the key, and writes the request.
pub fn perform(context: &Context, arguments: &HolderArguments) -> Result<(), Failure> {
    let failed = |error| home::directory_failure(&error);
    let directory = context.directory()?;
    let charter = request::known_charter(context, &directory).ok_or_else(no_member)?;
    let member = key_change::member(&directory, &charter).map_err(failed)?.ok_or_else(no_member)?;
    let name = holder_key(&directory, &charter, arguments.new)?;
    let key = keystore::holder_key(&directory.key(name).map_err(failed)?);
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(Failure::internal)?;
    let request = HolderRequest::new(charter.federation(), member, &key, &seed);
    write(&request, &arguments.out)?;
    show(context, &request, &arguments.out);
    Ok(())
}

fn no_member() -> Failure {
    let (zh, en) = ("不知道本成员的编号和联盟。", "this member's number and federation are not known here");
    Failure::new(ExitCode::NotAllowed, "member-unknown", zh, en)
        .fix("请先入盟，并让节点运行一次。", "join first, and let the node run once")
}

/// The key to name: the one that waits or is in use; made when there is none, or when another one is asked for.
fn holder_key(directory: &DataDirectory, charter: &Charter, another: bool) -> Result<KeyName, Failure> {
    let failed = |error| home::directory_failure(&error);
    let held = requested_key(directory).map_err(failed)?;
    let keystore = directory.keystore();
    let name = match held {
        Some(held) if !another => return Ok(held),
        None => KeyName::current(KeyUse::Holder),
        Some(held) => {
            let next = KeyName::next(KeyUse::Holder);
            let public = keystore.public_key(held).map_err(failed)?;
            let named = charter.lead_holders().values().any(|holder| holder.key.0 == public.0);
            if held == next && named {
                let (zh, en) = ("新密钥已获启用。", "the charter names the key that waits already");
                return Err(Failure::new(ExitCode::NotAllowed, "key-granted", zh, en)
                    .fix("请运行节点，它会自动换用。", "run the node: it changes over by itself"));
            }
            if held == next {
                keystore.remove(next).map_err(failed)?;
            }
            next
        }
    };
    let key = keystore::generate().map_err(failed)?;
    let like = KeyName::current(Purpose::Signing);
    keystore.add_like(name, &key, like, directory.passphrases()).map_err(failed)?;
    Ok(name)
}

/// Writes the request; only an earlier request is overwritten.
fn write(request: &HolderRequest, path: &Path) -> Result<(), Failure> {
    let earlier = |text: String| serde_json::from_str::<HolderRequest>(&text).is_ok();
    if path.exists() && !std::fs::read_to_string(path).is_ok_and(earlier) {
        return outside::refuse_existing(path);
    }
    let text = serde_json::to_string_pretty(request).map_err(Failure::internal)?;
    replace_file(path, format!("{text}\n").as_bytes()).map_err(|error| home::directory_failure(&error))
}

fn show(context: &Context, request: &HolderRequest, out: &Path) {
    let (fingerprint, file) = (request.fingerprint(), out.display().to_string());
    context.out.json(&json!({
        "file": out,
        "member": request.member.0,
        "key": request.key,
        "fingerprint": fingerprint,
    }));
    context.out.line(format!("\n  公钥 Public key: {}\n  指纹 Fingerprint:\n\n    {fingerprint}\n", request.key));
    let sent =
        (format!("把 {file} 交给登记人（内容不保密）"), format!("hand {file} to a registrar: nothing in it is secret"));
    let run = (
        format!("登记人执行：xianmeng charter lead-holder 1（或 2）{file}"),
        format!("the registrar runs: xianmeng charter lead-holder 1 (or 2) {file}"),
    );
    let steps = [
        (sent.0.as_str(), sent.1.as_str()),
        ("打电话，把上面的指纹念给登记人核对", "call the registrar and read the fingerprint out"),
        (run.0.as_str(), run.1.as_str()),
        ("重新制作恢复包：xianmeng key kit", "write a fresh recovery kit: `xianmeng key kit`"),
    ];
    context.out.line(card(("线索查重评估方", "A holder for duplicate leads"), &steps));
}

#[cfg(test)]
mod tests {
    use super::*;
    use node::config::Config;
    use node::directory::Profile;
    use protocol::testing::Organisation;

    #[test]
    fn a_key_is_made_once_and_another_only_when_asked_for() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let profile = Profile { name: "秘书处".into(), class: "secretariat".into(), region: String::new() };
        let directory = DataDirectory::create(&folder.path().join("node"), &profile, &Config::default());
        let directory = directory.expect("the directory is writable");
        let (charter, _) = Organisation::found("秘书处", 1);
        let make = |another| holder_key(&directory, &charter, another).expect("there is room");
        let current = KeyName::current(KeyUse::Holder);
        assert_eq!((make(false), make(false)), (current, current));
        let next = KeyName::next(KeyUse::Holder);
        assert_eq!((make(true), make(false)), (next, next));
        let waiting = directory.keystore().public_key(next).expect("it waits");
        assert_eq!(make(true), next);
        assert_ne!(directory.keystore().public_key(next).expect("it waits"), waiting);
    }
}
