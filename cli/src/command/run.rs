//! `run`: the daemon, until a signal ends it.

use std::fs;
use std::time::Duration;

use clap::Args;
use node::api::{API_LISTEN, ApiError};
use node::core::{Stop, TwinSign};
use node::directory::{DataDirectory, Keys};
use node::joining::JoinError;
use node::network::NetworkError;
use node::node::{BLOCKING_THREADS_MAX, Node, NodeError};
use node::store::StoreError;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::context::Context;
use crate::exit_codes::ExitCode;
use crate::failure::Failure;
use crate::{home, time};

/// Overrides the filter of the settings.
const LOG_VARIABLE: &str = "XIANMENG_LOG";

/// The pause before a node starts again with a new key, so that no fault makes it spin.
const KEYS_CHANGED_PAUSE: Duration = Duration::from_secs(1);

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// 日志过滤，例如 info,node::sync=debug（优先于环境变量 XIANMENG_LOG 和设置文件）。
    /// What to log (before XIANMENG_LOG and the settings)
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

/// Starts the node, says that it is ready, and waits for SIGINT or SIGTERM.
pub fn perform(context: &Context, arguments: &RunArguments) -> Result<(), Failure> {
    let directory = context.directory()?;
    start_logging(&directory, arguments.log.as_deref())?;
    // Before the node starts: a person may be asked for a passphrase, and can still leave with Ctrl-C.
    let keys = directory.keys().map_err(|error| home::directory_failure(&error))?;
    runtime()?.block_on(serve(context, directory, keys))
}

async fn serve(context: &Context, directory: DataDirectory, mut keys: Keys) -> Result<(), Failure> {
    // Before the node starts, so that a signal during a long start is not lost.
    let mut terminate = signal(SignalKind::terminate()).map_err(Failure::internal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::internal)?;
    say_waiting(context, &directory)?;
    let mut on_trial = false;
    loop {
        let mut node = tokio::select! {
            started = Node::start_with(directory.clone(), keys) => started.map_err(|error| node_failure(&error))?,
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        };
        say_ready(context, &directory)?;
        let failed = tokio::select! {
            _ = terminate.recv() => None,
            _ = interrupt.recv() => None,
            reason = node.failure() => Some(reason),
        };
        tracing::info!("shutting down");
        node.shutdown().await;
        match failed {
            None => return Ok(()),
            Some(Stop::KeysChanged) => {
                on_trial = false;
                say_keys_changed(context);
            }
            // With the one key nobody speaks: then with the other, in turns.
            Some(Stop::TransportUnheard) => on_trial = !on_trial,
            Some(reason) => return Err(stopped(&reason)),
        }
        tokio::select! {
            () = tokio::time::sleep(KEYS_CHANGED_PAUSE) => {}
            _ = terminate.recv() => return Ok(()),
            _ = interrupt.recv() => return Ok(()),
        }
        let changed = directory.clone();
        let open = move || if on_trial { changed.keys_with_next_transport() } else { changed.keys() };
        let opened = tokio::task::spawn_blocking(open).await.map_err(Failure::internal)?;
        keys = opened.map_err(|error| home::directory_failure(&error))?;
    }
}

fn say_keys_changed(context: &Context) {
    context.out.say(
        "章程已启用本节点的新密钥；节点自动重新启动，不用做什么。",
        "The charter grants a new key of this node; it starts again by itself, nothing needs to be done.",
    );
}

/// A node without a charter waits for its admission before it is ready.
fn say_waiting(context: &Context, directory: &DataDirectory) -> Result<(), Failure> {
    let genesis = directory.genesis().map_err(|error| home::directory_failure(&error))?;
    if genesis.is_none() && directory.invitation_path().exists() {
        context.out.say(
            "等待登记人批准入盟；批准后自动开始同步。",
            "Waiting for a registrar to admit this member; it goes on by itself then.",
        );
    }
    Ok(())
}

fn say_ready(context: &Context, directory: &DataDirectory) -> Result<(), Failure> {
    let api = fs::read_to_string(directory.address_path())
        .map_err(|error| Failure::file(&directory.address_path(), &error))?;
    let (api, data) = (api.trim(), directory.path());
    context.out.json_line(&json!({"ready": true, "api": api, "data": data, "pid": std::process::id()}));
    context.out.line(format!("节点已就绪 ready: http://{api}  {}", data.display()));
    Ok(())
}

fn start_logging(directory: &DataDirectory, given: Option<&str>) -> Result<(), Failure> {
    let from_environment = std::env::var(LOG_VARIABLE).ok().filter(|text| !text.is_empty());
    let text = match (given, from_environment) {
        (Some(text), _) => text.to_owned(),
        (None, Some(text)) => text,
        (None, None) => directory.config().map_err(|error| home::directory_failure(&error))?.log.filter,
    };
    let filter = EnvFilter::try_new(&text).map_err(|error| {
        let (zh, en) = (format!("日志过滤“{text}”写得不对：{error}"), format!("log filter {text:?}: {error}"));
        Failure::new(ExitCode::InputRefused, "log-filter", zh, en)
            .fix("例如 info 或 info,node::sync=debug。", "for instance info or info,node::sync=debug")
    })?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(std::io::stderr)
        // It would say so on standard error, and panic when that is what lies on a full disk.
        .log_internal_errors(false)
        .try_init()
        .map_err(Failure::internal)
}

/// The runtime that the node runs on.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.max_blocking_threads(BLOCKING_THREADS_MAX).enable_all().build().map_err(Failure::internal)
}

/// The failure that an error of the daemon means.
pub fn node_failure(error: &NodeError) -> Failure {
    match error {
        NodeError::Directory(error) => home::directory_failure(error),
        NodeError::NoFederation => {
            let (zh, en) = ("这个节点还不属于任何联盟。", "this node belongs to no federation yet");
            Failure::new(ExitCode::NotAllowed, "no-federation", zh, en).fix(
                "建立新联盟用 xianmeng charter create --federation 名称；加入已有联盟用 xianmeng join 邀请函.json。",
                "`xianmeng charter create --federation NAME` founds one, `xianmeng join INVITATION.json` joins one",
            )
        }
        NodeError::Join(error) => join_failure(error),
        NodeError::Store(error) => store_failure(error),
        NodeError::Network(error) => network_failure(error),
        NodeError::Random(error) => Failure::internal(error),
        NodeError::Api(error) => api_failure(error),
    }
}

/// The setting to change is the one that names the address.
fn api_failure(error: &ApiError) -> Failure {
    let setting = match error {
        ApiError::AddressInUse { setting, .. } | ApiError::Listen { setting, .. } => *setting,
        ApiError::Address(_) => API_LISTEN,
    };
    let (zh, en) = (format!("本机接口起不来：{error}"), format!("the API cannot start: {error}"));
    Failure::new(ExitCode::Network, "api", zh, en).fix(
        format!("请关掉占用端口的程序，或改 config.toml 的 {setting}。"),
        format!("stop what uses the port, or change {setting} in config.toml"),
    )
}

/// The failure that an error of joining means.
pub fn join_failure(error: &JoinError) -> Failure {
    let new = |exit, code: &'static str, zh: String| Failure::new(exit, code, zh, error.to_string());
    match error {
        JoinError::Directory(error) => home::directory_failure(error),
        JoinError::Network(error) => network_failure(error),
        JoinError::NoInvitation | JoinError::Invitation(_) => {
            new(ExitCode::InputRefused, "invitation", format!("邀请函不能用：{error}")).fix(
                "请向秘书处要一份新的邀请函，再执行 xianmeng join。",
                "ask the secretariat for a new invitation, then run `xianmeng join`",
            )
        }
        JoinError::Unreachable(_) | JoinError::Stream(_) | JoinError::Frame(_) | JoinError::Malformed => {
            new(ExitCode::Network, "bootstrap-unreachable", format!("连不上邀请函里的节点：{error}")).fix(
                "请检查网络，并请秘书处确认其节点在运行。",
                "check the network, and ask the secretariat whether its node runs",
            )
        }
        JoinError::Refused { reason } if reason == "refused" => {
            new(ExitCode::NotAllowed, "join-refused", refusal_zh(reason).to_owned()).fix(
                "请与秘书处联系；要重新申请，请用 --data 另建一个节点（xianmeng init）。",
                "talk to the secretariat; to apply again make another node with --data (`xianmeng init`)",
            )
        }
        JoinError::Refused { reason } => new(ExitCode::NotAllowed, "join-refused", refusal_zh(reason).to_owned())
            .fix("请与秘书处联系。", "talk to the secretariat"),
        JoinError::Charter(_) => new(ExitCode::VerificationFailed, "charter", format!("对方给的章程不对：{error}"))
            .fix("请与秘书处核对邀请函。", "compare the invitation with the secretariat"),
    }
}

/// What a refusal's stable word means.
pub fn refusal_zh(reason: &str) -> &'static str {
    match reason {
        "token" => "对方不认这份邀请函：已过期，或不是它发出的。",
        "expelled" => "本单位已被除名。",
        "refused" => "登记人没有批准这份申请。",
        "full" => "对方待批的申请太多。",
        _ => "对方认为申请内容不对。",
    }
}

/// The failure of a store that cannot be opened or read.
pub fn store_failure(error: &StoreError) -> Failure {
    let en = error.chain().to_string();
    match error {
        StoreError::InUse { directory } => {
            let zh = format!("{} 正被另一个进程使用。", directory.display());
            Failure::new(ExitCode::DataDirectory, "data-in-use", zh, en)
                .fix("这个节点多半已经在运行；请先停掉它。", "this node probably runs already; stop it first")
        }
        StoreError::ForeignFederation { .. } => {
            Failure::new(ExitCode::DataDirectory, "other-federation", "数据目录属于另一个联盟。", en)
                .fix("请用 --data 指定正确的目录。", "name the right directory with --data")
        }
        StoreError::DiskFull { .. } => Failure::new(ExitCode::Store, "disk-full", "磁盘已满。", en).fix(
            "腾出空间后再运行；已确认的都还在。",
            "free some space and start it again; what was acknowledged is safe",
        ),
        _ => Failure::new(ExitCode::Store, "store", format!("存储出错：{en}"), en).fix(
            "请按提示处理；keys 和 journal 目录务必保留。",
            "do as it says; keep the directories `keys` and `journal` in any case",
        ),
    }
}

/// Why the node stopped by itself, and what to do about it.
fn stopped(reason: &Stop) -> Failure {
    let en = reason.to_string();
    match reason {
        Stop::Store(reason) => store_stopped(reason, en),
        Stop::Part(reason) => {
            Failure::new(ExitCode::Internal, "internal", format!("节点的一个部分出错，节点已停止：{reason}"), en)
        }
        Stop::Twin(sign) => keys_in_use(*sign),
        Stop::KeysChanged | Stop::TransportUnheard => {
            Failure::new(ExitCode::Internal, "keys-changed", "节点要用新密钥重新启动。", en)
                .fix("请再次执行 xianmeng run。", "run `xianmeng run` again")
        }
    }
}

fn keys_in_use(sign: TwinSign) -> Failure {
    let (zh, en) = match sign {
        TwinSign::Answered { started_ms } => {
            let since = time::show(started_ms);
            (
                format!("另一个进程正在用本节点的密钥（它于 {since} 启动）；为免日志分叉，本进程已停止。"),
                format!(
                    "another process uses this node's keys (started {since}); this one stopped, so that the log does not fork"
                ),
            )
        }
        TwinSign::Entry { sequence } => (
            format!(
                "本节点日志的第 {sequence} 条由别处传来：另一个进程在用本节点的密钥，或本目录比看上去旧；本进程已停止。"
            ),
            format!(
                "entry {sequence} of this node's log came from elsewhere: another process uses its keys, or this \
                     directory is older than it looks; this one stopped"
            ),
        ),
    };
    Failure::new(ExitCode::KeysInUse, "keys-in-use", zh, en).fix(
        "同一密钥只能由一个数据目录使用。请确认保留哪一份（通常是一直在运行的那份），删掉另一份；若要在另一台机器上\
         继续，先停掉原来的再启动。若没有人复制过数据目录，密钥可能被盗，请立即联系登记人更换密钥。",
        "one data directory only may use these keys. Decide which of the two stays (usually the one that kept running) \
         and delete the other; to go on elsewhere, stop the old one first. If nobody copied the directory, the keys may \
         be stolen: ask a registrar at once to replace them",
    )
}

fn store_stopped(reason: &str, en: String) -> Failure {
    let zh = format!("存储出错，节点已停止：{reason}");
    Failure::new(ExitCode::Store, "store", zh, en).fix(
        "请检查磁盘空间和健康状况，再重新运行；已确认的都还在。",
        "check the disk and start it again; what was acknowledged is safe",
    )
}

fn network_failure(error: &NetworkError) -> Failure {
    let new = |code: &'static str, zh: String| Failure::new(ExitCode::Network, code, zh, chain(error));
    match error {
        NetworkError::AddressInUse { address } => new("port-in-use", format!("地址 {address} 已被占用。")).fix(
            "请关掉占用端口的程序，或改 config.toml 的 network.listen。",
            "stop what uses the port, or change network.listen in config.toml",
        ),
        _ => new("network", format!("网络起不来：{}", chain(error)))
            .fix("请核对 config.toml 的 network.listen。", "check network.listen in config.toml"),
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_obstacle_has_its_exit_code() {
        let exit = |error: NodeError| node_failure(&error).exit;
        assert_eq!(exit(NodeError::NoFederation), ExitCode::NotAllowed);
        let in_use = StoreError::InUse { directory: "node".into() };
        assert_eq!(exit(NodeError::Store(in_use)), ExitCode::DataDirectory);
        assert_eq!(exit(NodeError::Store(StoreError::DiskFull { what: "write" })), ExitCode::Store);
        let port = NetworkError::AddressInUse { address: "/ip4/127.0.0.1/tcp/1".into() };
        assert_eq!(exit(NodeError::Network(port)), ExitCode::Network);
        let address = "127.0.0.1:1".parse().expect("an address");
        let taken = ApiError::AddressInUse { address, setting: node::api::METRICS_LISTEN };
        let failure = node_failure(&NodeError::Api(taken));
        assert!(failure.fix_en.contains("metrics.listen") && failure.fix_zh.contains("metrics.listen"));
        assert_eq!(exit(NodeError::Join(JoinError::Refused { reason: "token".into() })), ExitCode::NotAllowed);
        assert_eq!(exit(NodeError::Join(JoinError::Malformed)), ExitCode::Network);
        assert_eq!(stopped(&Stop::Twin(TwinSign::Entry { sequence: 3 })).exit, ExitCode::KeysInUse);
        assert_eq!(stopped(&Stop::Store("full".into())).exit, ExitCode::Store);
    }
}
