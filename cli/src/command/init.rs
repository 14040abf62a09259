//! `init`: makes a node's data directory, and the recovery kit of its keys.

use std::path::PathBuf;

use clap::Args;
use node::config::Config;
use node::directory::keystore::{self, KeyName};
use node::directory::{DataDirectory, DirectoryError, Profile};
use protocol::charter::{Class, Purpose};
use serde_json::json;

use super::key::outside::{refuse_existing, show_kit, write_kit};
use crate::card::card;
use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::{home, passphrase};

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
    /// 恢复包写到哪个文件（缺省在数据目录里，不覆盖）。
    /// Where to write the recovery kit (default: in the data directory; never overwritten)
    #[arg(long, value_name = "FILE")]
    kit: Option<PathBuf>,
    /// 用口令保护全部密钥。
    /// Protect all keys by a passphrase
    #[arg(long)]
    passphrase: bool,
    #[command(flatten)]
    settings: SettingsArguments,
}

/// The settings of a new node.
#[derive(Debug, Default, Args)]
pub struct SettingsArguments {
    /// 监听地址，例如 /ip4/0.0.0.0/tcp/4701（可多次）。
    /// Where to listen, as a multiaddr (repeatable)
    #[arg(long, value_name = "MULTIADDR")]
    listen: Vec<String>,
    /// 本机接口的地址，例如 127.0.0.1:4780。
    /// Where the local API listens
    #[arg(long, value_name = "ADDRESS")]
    api: Option<String>,
    /// 网页门户的地址，例如 127.0.0.1:4788；none 表示不开门户（--api 取任意端口时缺省也取任意端口）。
    /// Where the portal listens, or `none` (default: any free port when --api takes any)
    #[arg(long, value_name = "ADDRESS")]
    portal: Option<String>,
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
    let (profile, config) = (profile(&arguments)?, arguments.settings.config()?);
    let path = context.data_path()?;
    arguments.kit.as_deref().map_or(Ok(()), refuse_existing)?;
    let passphrase = arguments.passphrase.then(passphrase::choose).transpose()?;
    let made = || -> Result<DataDirectory, DirectoryError> {
        let generated = |purpose| Ok((KeyName::current(purpose), keystore::generate()?));
        let keys = Purpose::ALL.into_iter().map(generated).collect::<Result<Vec<_>, DirectoryError>>()?;
        DataDirectory::create_with(&path, &profile, &config, &keys, passphrase.as_ref())
    };
    let directory = made().map_err(|error| home::directory_failure(&error))?;
    let kit = arguments.kit.unwrap_or_else(|| directory.kit_path());
    let kit_passphrase = write_kit(&directory, &profile, &kit)?;
    let public = |purpose| directory.public_key(purpose).map_err(|error| home::directory_failure(&error));
    context.out.json(&json!({
        "data": path,
        "name": profile.name,
        "class": profile.class,
        "region": profile.region,
        "signing": public(Purpose::Signing)?,
        "transport": public(Purpose::Transport)?,
        "encryption": public(Purpose::Encryption)?,
        "governance": public(Purpose::Governance)?,
        "protected": arguments.passphrase,
        "kit": {"file": kit, "passphrase": kit_passphrase.expose()},
    }));
    context.out.say(
        format!("已为“{}”新建节点：{}", profile.name, path.display()),
        format!("made a node for {} in {}", profile.name, path.display()),
    );
    show_kit(context, &kit, &kit_passphrase);
    context.out.line(card(
        ("下一步", "Next"),
        &[
            ("加入已有联盟：xianmeng join 邀请函.json", "join a federation: xianmeng join INVITATION.json"),
            (
                "或建立新联盟：xianmeng charter create --federation 名称",
                "or found one: xianmeng charter create --federation NAME",
            ),
        ],
    ));
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

impl SettingsArguments {
    /// Where the portal listens: several nodes on one machine have no port in common, and say so by the one of the API.
    fn portal(&self) -> String {
        let any_port = || self.api.as_deref().is_some_and(|api| api.ends_with(":0"));
        match self.portal.as_deref() {
            Some("none") => String::new(),
            Some(address) => address.to_owned(),
            None if any_port() => "127.0.0.1:0".to_owned(),
            None => Config::default().portal.listen,
        }
    }

    /// The settings, checked by the same rules as the file.
    pub fn config(&self) -> Result<Config, Failure> {
        let mut config = Config::default();
        if !self.listen.is_empty() {
            config.network.listen.clone_from(&self.listen);
        }
        if let Some(api) = &self.api {
            config.api.listen.clone_from(api);
        }
        config.portal.listen = self.portal();
        config.network.peers.clone_from(&self.peer);
        config.network.discovery = !self.no_discovery;
        for address in config.network.listen.iter().chain(&config.network.peers) {
            if !address.starts_with('/') {
                let zh = format!("“{address}”不是网络地址。");
                return Err(refused("address", zh, format!("{address:?} is not a multiaddr"))
                    .fix("例如 /ip4/192.0.2.7/tcp/4701。", "for instance /ip4/192.0.2.7/tcp/4701"));
            }
        }
        Config::parse(&config.to_toml()).map_err(|reason| refused("config", format!("设置不对：{reason}"), reason))
    }
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
            kit: None,
            passphrase: false,
            settings: settings(),
        }
    }

    fn settings() -> SettingsArguments {
        SettingsArguments {
            listen: vec!["/ip4/127.0.0.1/tcp/0".into()],
            portal: None,
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
        let kit = std::fs::read_to_string(path.join("recovery-kit.txt")).expect("the kit is there");
        assert!(kit.contains("奉节县") && kit.contains("怎样使用") && kit.contains("ENCRYPTED PRIVATE KEY"));
        let failure = perform(&context, arguments()).expect_err("it is there already");
        assert_eq!((failure.exit, failure.code.as_ref()), (ExitCode::DataDirectory, "data-exists"));
    }

    #[test]
    fn a_kit_is_never_overwritten_and_then_nothing_is_made() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let (path, kit) = (folder.path().join("node"), folder.path().join("kit.txt"));
        std::fs::write(&kit, "another's").expect("the directory is writable");
        let context = Context::new(Some(path.clone()), Output::new(true));
        let failure = perform(&context, InitArguments { kit: Some(kit), ..arguments() }).expect_err("it exists");
        assert_eq!(failure.code, "file-exists");
        assert!(!path.exists());
    }

    #[test]
    fn wrong_arguments_make_nothing() {
        let code = |arguments: InitArguments| {
            profile(&arguments)
                .and_then(|_| arguments.settings.config())
                .expect_err("it is wrong")
                .code
                .clone()
                .into_owned()
        };
        assert_eq!(code(InitArguments { class: "village".into(), ..arguments() }), "class-unknown");
        assert_eq!(code(InitArguments { region: Some("5002".into()), ..arguments() }), "region");
        assert_eq!(code(InitArguments { name: " ".into(), ..arguments() }), "name");
        assert_eq!(
            code(InitArguments {
                settings: SettingsArguments { peer: vec!["host:1".into()], ..settings() },
                ..arguments()
            }),
            "address"
        );
        assert_eq!(
            code(InitArguments {
                settings: SettingsArguments { api: Some("0.0.0.0:80".into()), ..settings() },
                ..arguments()
            }),
            "config"
        );
    }
}
