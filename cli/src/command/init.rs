//! `init`: makes a node's data directory.

use clap::Args;
use node::config::Config;
use node::directory::{DataDirectory, Profile};
use protocol::charter::Class;
use serde_json::json;

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::home;

/// Arguments of `init`.
#[derive(Debug, Args)]
pub struct InitArguments {
    /// 单位名称。
    /// Name of the organisation
    #[arg(long)]
    name: String,
    /// 类别：county 县域政府、fund 基金机构、agency 专业服务机构、secretariat 秘书处、observer 观察员。
    /// Class: county, fund, agency, secretariat or observer
    #[arg(long)]
    class: String,
    /// 所在地行政区划代码（六位）。
    /// Code of its place (GB/T 2260, six digits)
    #[arg(long, value_name = "CODE")]
    region: Option<String>,
    /// 监听地址，例如 /ip4/0.0.0.0/tcp/4701（可多次）。
    /// Where to listen, as a multiaddr (repeatable)
    #[arg(long, value_name = "MULTIADDR")]
    listen: Vec<String>,
    /// 本机接口的地址，例如 127.0.0.1:4780。
    /// Where the local API listens
    #[arg(long, value_name = "ADDRESS")]
    api: Option<String>,
    /// 固定连接的同伴（可多次）。
    /// A peer to stay connected with (repeatable)
    #[arg(long, value_name = "MULTIADDR")]
    peer: Vec<String>,
    /// 不自动寻找其他同伴，只连 --peer 指定的。
    /// Look for no other peers than those of --peer
    #[arg(long)]
    no_discovery: bool,
}

/// Makes the directory, once.
pub fn perform(context: &Context, arguments: InitArguments) -> Result<(), Failure> {
    let (profile, config) = (profile(&arguments)?, config(&arguments)?);
    let path = context.data_path()?;
    let directory = DataDirectory::create(&path, &profile, &config).map_err(|error| home::directory_failure(&error))?;
    let keys = directory.keys().map_err(|error| home::directory_failure(&error))?;
    let (signing, transport) =
        (protocol::identity::public_key(&keys.signing), protocol::identity::public_key(&keys.transport));
    context.out.json(&json!({
        "data": path,
        "name": profile.name,
        "class": profile.class,
        "region": profile.region,
        "signing": signing,
        "transport": transport,
        "governance": keys.governance.as_ref().map(protocol::identity::public_key),
    }));
    context.out.say(
        format!("已为“{}”新建节点：{}", profile.name, path.display()),
        format!("made a node for {} in {}", profile.name, path.display()),
    );
    context.out.say(
        "密钥在 keys 目录，只有本人可读：请现在备份整个数据目录，丢失后只能换钥。",
        "The keys are in `keys`, readable by you alone: back the directory up now, a lost key can only be replaced.",
    );
    context.out.say(
        "下一步：建立新联盟用 xianmeng charter create；加入已有联盟用 xianmeng join 邀请函.json。",
        "Next: `xianmeng charter create` founds a federation, `xianmeng join INVITATION.json` joins one.",
    );
    Ok(())
}

fn profile(arguments: &InitArguments) -> Result<Profile, Failure> {
    let class = Class::from_name(arguments.class.trim()).ok_or_else(|| {
        let known = Class::ALL.map(|class| format!("{} {}", class.name(), class.zh())).join(", ");
        refused(
            "class-unknown",
            format!("没有“{}”这一类别。", arguments.class),
            format!("there is no class {:?}", arguments.class),
        )
        .fix(format!("可用的类别：{known}。"), format!("one of: {known}"))
    })?;
    let name = arguments.name.trim().to_owned();
    if name.is_empty() || name.len() > protocol::limits::NAME_BYTES_MAX || name.chars().any(char::is_control) {
        return Err(refused(
            "name",
            "名称不能为空、过长或带控制字符。",
            "the name must not be empty, too long or hold control characters",
        )
        .fix(
            format!("最多 {} 字节。", protocol::limits::NAME_BYTES_MAX),
            format!("at most {} bytes", protocol::limits::NAME_BYTES_MAX),
        ));
    }
    let region = arguments.region.clone().unwrap_or_default();
    if !region.is_empty() && (region.len() != 6 || !region.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(refused(
            "region",
            format!("行政区划代码“{region}”不是六位数字。"),
            format!("the region {region:?} is not six digits"),
        )
        .fix("例如奉节县是 500236。", "for instance 500236 for Fengjie"));
    }
    Ok(Profile { name, class: class.name().to_owned(), region })
}

/// The settings, checked by the same rules as the file.
fn config(arguments: &InitArguments) -> Result<Config, Failure> {
    let mut config = Config::default();
    if !arguments.listen.is_empty() {
        config.network.listen.clone_from(&arguments.listen);
    }
    if let Some(api) = &arguments.api {
        config.api.listen.clone_from(api);
    }
    config.network.peers.clone_from(&arguments.peer);
    config.network.discovery = !arguments.no_discovery;
    for address in config.network.listen.iter().chain(&config.network.peers) {
        if !address.starts_with('/') {
            let zh = format!("“{address}”不是网络地址。");
            return Err(refused("address", zh, format!("{address:?} is not a multiaddr"))
                .fix("例如 /ip4/192.0.2.7/tcp/4701。", "for instance /ip4/192.0.2.7/tcp/4701"));
        }
    }
    Config::parse(&config.to_toml()).map_err(|reason| refused("config", format!("设置不对：{reason}"), reason))
}

fn refused(code: &'static str, zh: impl Into<String>, en: impl Into<String>) -> Failure {
    Failure::new(ExitCode::InputRefused, code, zh, en)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Output;

    fn arguments() -> InitArguments {
        InitArguments {
            name: "奉节县".into(),
            class: "县域政府".into(),
            region: Some("500236".into()),
            listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
            api: Some("127.0.0.1:0".into()),
            peer: Vec::new(),
            no_discovery: true,
        }
    }

    #[test]
    fn a_second_init_refuses_and_changes_nothing() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let path = folder.path().join("node");
        let context = Context::new(Some(path.clone()), Output::new(true));
        perform(&context, arguments()).expect("the directory is new");
        let profile = home::open(&path).expect("it is a node").profile().expect("it reads back");
        assert_eq!((profile.name.as_str(), profile.class.as_str()), ("奉节县", "county"));
        let failure = perform(&context, arguments()).expect_err("it is there already");
        assert_eq!((failure.exit, failure.code.as_ref()), (ExitCode::DataDirectory, "data-exists"));
    }

    #[test]
    fn wrong_arguments_make_nothing() {
        let code = |arguments: InitArguments| {
            profile(&arguments).and_then(|_| config(&arguments)).expect_err("it is wrong").code.clone().into_owned()
        };
        assert_eq!(code(InitArguments { class: "village".into(), ..arguments() }), "class-unknown");
        assert_eq!(code(InitArguments { region: Some("5002".into()), ..arguments() }), "region");
        assert_eq!(code(InitArguments { name: " ".into(), ..arguments() }), "name");
        assert_eq!(code(InitArguments { peer: vec!["host:1".into()], ..arguments() }), "address");
        assert_eq!(code(InitArguments { api: Some("0.0.0.0:80".into()), ..arguments() }), "config");
    }
}
