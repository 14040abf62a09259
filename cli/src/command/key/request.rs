//! `key request`: makes a key that shall take the place of another, and the request that a registrar turns into a
//! charter block. It works while the node is stopped, forked or without a network.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use node::directory::keystore::{self, KeyName, Slot};
use node::directory::{DataDirectory, replace_file};
use node::joining;
use node::key_change;
use node::key_request::KeyRequest;
use protocol::charter::{Charter, Purpose};
use protocol::identity::{FederationId, MemberNumber, PublicKey};
use serde_json::json;

use crate::card::card;
use crate::command::charter::signing;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::home;

/// Arguments of `key request`.
#[derive(Debug, Args)]
pub struct RequestArguments {
    /// 用途：signing 签名、transport 传输、encryption 加密、governance 治理。
    /// What the key is for: signing, transport, encryption or governance
    #[arg(value_name = "PURPOSE")]
    purpose: String,
    /// 为什么换。
    /// Why
    #[arg(long, value_enum, default_value_t = Reason::Rotation)]
    reason: Reason,
    /// 申请写到哪个文件（缺省：当前目录下 用途-request.json）。
    /// The file of the request (default: PURPOSE-request.json in the current directory)
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// 丢弃已生成而未启用的那一把，另生成一把。
    /// Throw away the key that waits, and make another
    #[arg(long)]
    new: bool,
    /// 本成员的编号（本目录没有章程时才需要）。
    /// This member's number, needed only when no charter is at hand
    #[arg(long, value_name = "NUMBER", requires = "federation")]
    member: Option<u32>,
    /// 联盟编号（本目录没有章程时才需要）。
    /// Id of the federation, needed only when no charter is at hand
    #[arg(long, value_name = "ID", requires = "member")]
    federation: Option<String>,
}

/// Why a member asks for another key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Reason {
    /// 定期更换。
    /// From time to time
    Rotation,
    /// 丢失。
    /// The old key is gone
    Lost,
    /// 被盗。
    /// Somebody else has the old key
    Stolen,
    /// 日志分叉。
    /// The log of the old key is forked
    Forked,
    /// 暂停后恢复。
    /// The member was suspended and returns
    Reinstated,
}

impl Reason {
    fn name(self) -> &'static str {
        match self {
            Self::Rotation => "rotation",
            Self::Lost => "lost",
            Self::Stolen => "stolen",
            Self::Forked => "forked",
            Self::Reinstated => "reinstated",
        }
    }

    fn zh(self) -> &'static str {
        match self {
            Self::Rotation => "定期更换",
            Self::Lost => "旧密钥丢失",
            Self::Stolen => "旧密钥被盗",
            Self::Forked => "日志分叉",
            Self::Reinstated => "暂停后恢复",
        }
    }

    /// What the registrar adds to the command, and what it does then.
    fn registrar(self, purpose: Purpose, file: &str) -> (String, String) {
        let replace = format!("xianmeng charter replace-key {file}");
        match self {
            Self::Reinstated => both(format!("xianmeng charter reinstate {file} --reason …")),
            Self::Stolen if purpose == Purpose::Signing => (
                format!("{replace} --before 第一条假条目（xianmeng log 成员 可查）"),
                format!("{replace} --before FIRST-FORGED-ENTRY (see `xianmeng log MEMBER`)"),
            ),
            Self::Forked if purpose == Purpose::Signing => (
                format!("{replace}（认其中一支：加 --branch 条目号）"),
                format!("{replace} (to count one of the branches: --branch ENTRY)"),
            ),
            _ => both(replace),
        }
    }
}

fn both(text: String) -> (String, String) {
    (text.clone(), text)
}

/// Makes or finds the key that waits, and writes the request.
pub fn perform(context: &Context, arguments: &RequestArguments) -> Result<(), Failure> {
    let directory = context.directory()?;
    let purpose = Purpose::from_name(&arguments.purpose).ok_or_else(|| {
        let (zh, en) = (format!("没有用途 {}。", arguments.purpose), format!("no purpose {:?}", arguments.purpose));
        Failure::new(ExitCode::InputRefused, "purpose-unknown", zh, en)
            .fix("可用：signing、transport、encryption、governance。", "signing, transport, encryption or governance")
    })?;
    let charter = known_charter(context, &directory);
    let (federation, member) = whose(&directory, charter.as_ref(), arguments)?;
    let out = arguments.out.clone().unwrap_or_else(|| format!("{}-request.json", purpose.name()).into());
    let name = waiting_key(&directory, charter.as_ref(), purpose, arguments.new)?;
    let key = directory.key(name).map_err(|error| home::directory_failure(&error))?;
    let old = match arguments.reason {
        // Whoever is reinstated has no key whose place could be taken.
        Reason::Reinstated => None,
        _ => old_key(&directory, charter.as_ref(), member, purpose)?.filter(|_| name.slot == Slot::Next),
    };
    let request = KeyRequest::new(federation, member, purpose, &key, old, arguments.reason.zh().to_owned());
    write(&request, &out)?;
    show(context, arguments, purpose, &request, &out);
    Ok(())
}

/// The charter of the running node, or as it came with the admission.
pub(super) fn known_charter(context: &Context, directory: &DataDirectory) -> Option<Charter> {
    let running = context.client().and_then(|client| signing::fetch(&client, directory));
    if let Ok((charter, _)) = running {
        return Some(charter);
    }
    let mut charter = Charter::genesis(directory.genesis().ok()??).ok()?;
    for block in joining::admitting_blocks(directory).unwrap_or_default().into_iter().skip(1) {
        // What follows a damaged block is not needed to know one's own number.
        if charter.append(block).is_err() {
            break;
        }
    }
    Some(charter)
}

fn whose(
    directory: &DataDirectory,
    charter: Option<&Charter>,
    arguments: &RequestArguments,
) -> Result<(FederationId, MemberNumber), Failure> {
    if let (Some(member), Some(federation)) = (arguments.member, &arguments.federation) {
        let federation = federation.parse().map_err(|_| {
            let (zh, en) = ("联盟编号是 64 位十六进制。", "the id of a federation is 64 hexadecimal characters");
            Failure::new(ExitCode::InputRefused, "federation", zh, en)
                .fix("登记人可用 xianmeng charter show 查到。", "the registrar sees it in `xianmeng charter show`")
        })?;
        return Ok((federation, MemberNumber(member)));
    }
    if let Some(charter) = charter
        && let Some(member) = key_change::member(directory, charter).map_err(|error| home::directory_failure(&error))?
    {
        return Ok((charter.federation(), member));
    }
    let (zh, en) = ("不知道本成员的编号和联盟。", "this member's number and federation are not known here");
    Err(Failure::new(ExitCode::NotAllowed, "member-unknown", zh, en).fix(
        "请向登记人问明编号和联盟编号（xianmeng charter show），加 --member 编号 --federation 联盟编号。",
        "ask a registrar for both (`xianmeng charter show`), and add --member NUMBER --federation ID",
    ))
}

/// The key to ask for. A directory without a charter has fresh keys: those are asked for as they are.
fn waiting_key(
    directory: &DataDirectory,
    charter: Option<&Charter>,
    purpose: Purpose,
    another: bool,
) -> Result<KeyName, Failure> {
    let failed = |error| home::directory_failure(&error);
    let keystore = directory.keystore();
    let (next, current) = (KeyName::next(purpose), KeyName::current(purpose));
    let waits = keystore.next_key(purpose).map_err(failed)?;
    if charter.is_none() && waits.is_none() && keystore.holds(current) {
        return Ok(current);
    }
    if let Some(key) = waits {
        if charter.is_some_and(|charter| charter.holder(&key, purpose).is_some()) {
            let (zh, en) = ("新密钥已获启用。", "the charter grants the key that waits already");
            return Err(Failure::new(ExitCode::NotAllowed, "key-granted", zh, en)
                .fix("请运行节点，它会自动换用。", "run the node: it changes over by itself"));
        }
        // A key that the charter knows and that has no right any more never gets one again.
        let spent = charter.is_some_and(|charter| charter.ever_of(&key).is_some());
        if !another && !spent {
            return Ok(next);
        }
        keystore.remove(next).map_err(failed)?;
    }
    let key = keystore::generate().map_err(failed)?;
    let like = if keystore.holds(current) { current } else { KeyName::current(Purpose::Signing) };
    keystore.add_like(next, &key, like, directory.passphrases()).map_err(failed)?;
    Ok(next)
}

/// The key whose place the new one takes: the one in use here, or the one that the charter names.
fn old_key(
    directory: &DataDirectory,
    charter: Option<&Charter>,
    member: MemberNumber,
    purpose: Purpose,
) -> Result<Option<PublicKey>, Failure> {
    if directory.keystore().holds(KeyName::current(purpose)) {
        return directory.public_key(purpose).map(Some).map_err(|error| home::directory_failure(&error));
    }
    Ok(charter.and_then(|charter| charter.members().get(&member)).and_then(|member| member.key(purpose)))
}

/// Writes the request; only an earlier request is overwritten.
fn write(request: &KeyRequest, path: &Path) -> Result<(), Failure> {
    let earlier = |text: String| serde_json::from_str::<KeyRequest>(&text).is_ok();
    if path.exists() && !std::fs::read_to_string(path).is_ok_and(earlier) {
        return super::outside::refuse_existing(path);
    }
    let text = serde_json::to_string_pretty(request).map_err(Failure::internal)?;
    replace_file(path, format!("{text}\n").as_bytes()).map_err(|error| home::directory_failure(&error))
}

fn show(context: &Context, arguments: &RequestArguments, purpose: Purpose, request: &KeyRequest, out: &Path) {
    let (fingerprint, file) = (request.fingerprint(), out.display().to_string());
    let (registrar_zh, registrar_en) = arguments.reason.registrar(purpose, &file);
    context.out.json(&json!({
        "file": out,
        "purpose": purpose.name(),
        "reason": arguments.reason.name(),
        "member": request.member.0,
        "key": request.key,
        "old_key": request.old_key,
        "fingerprint": fingerprint,
        "registrar": registrar_en,
    }));
    context.out.line(format!("\n  指纹 Fingerprint:\n\n    {fingerprint}\n"));
    let sent = (
        format!("把 {file} 交给登记人（邮件、U 盘均可，内容不保密）"),
        format!("hand {file} to a registrar, by any way: nothing in it is secret"),
    );
    let run = (format!("登记人执行：{registrar_zh}"), format!("the registrar runs: {registrar_en}"));
    let mut steps = vec![
        (sent.0.as_str(), sent.1.as_str()),
        ("打电话，把上面的指纹念给登记人核对", "call the registrar and read the fingerprint out"),
        (run.0.as_str(), run.1.as_str()),
        (
            "本节点开着即可：批准后自动换用新密钥，不用重启",
            "let this node run: it changes over by itself, nobody restarts it",
        ),
    ];
    if purpose == Purpose::Signing && arguments.reason != Reason::Rotation {
        steps.push((
            "换好后执行 xianmeng republish，把封存点之后的真实内容重新发布",
            "then `xianmeng republish` states again what was genuine above the seal",
        ));
    }
    steps.push(("换好后重新制作恢复包：xianmeng key kit", "afterwards write a fresh recovery kit: `xianmeng key kit`"));
    context.out.line(card(("换密钥", "Another key"), &steps));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_card_names_the_registrars_command() {
        let command = |reason: Reason, purpose| reason.registrar(purpose, "r.json").1;
        assert_eq!(command(Reason::Rotation, Purpose::Signing), "xianmeng charter replace-key r.json");
        assert!(command(Reason::Stolen, Purpose::Signing).contains("--before"));
        assert!(!command(Reason::Stolen, Purpose::Transport).contains("--before"));
        assert!(command(Reason::Forked, Purpose::Signing).contains("--branch"));
        assert!(command(Reason::Reinstated, Purpose::Signing).contains("charter reinstate"));
    }

    #[test]
    fn only_an_earlier_request_is_overwritten() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("request.json");
        let key = keystore::generate().expect("there are random bytes");
        let request =
            KeyRequest::new(FederationId([1; 32]), MemberNumber(2), Purpose::Signing, &key, None, String::new());
        assert_eq!(write(&request, &path), Ok(()));
        assert_eq!(write(&request, &path), Ok(()), "the same again");
        std::fs::write(&path, "a letter").expect("the directory is writable");
        assert_eq!(write(&request, &path).expect_err("it is kept").code, "file-exists");
    }
}
